//! An org whose names and values look like code: objects, fields, records, choices, zones.
//!
//! Values are bound and names are quoted: whatever they look like, they are names and values, or are refused, and
//! the store stays whole.

use async_trait::async_trait;
use attache::{Attache, Error, ErrorKind};
use attache_salesforce::{
    HttpRequest, HttpResponse, Salesforce, StaticToken, Transport, TransportError,
};
use attache_sim::{InProcess, World, wait};
use attache_tests::{
    ME, agrees, all, at_org, briefcase, create, field_sales, integrity, server_id, settle, sync,
    value,
};
use std::sync::{Arc, Mutex};

/// Texts that are something else to SQL, SOQL, JSON, a format, a shell, a path, a terminal or a screen.
const CODE: [&str; 22] = [
    "\"; DROP TABLE Account; --",
    "'; DROP TABLE \"Account\"; --",
    "' OR '1'='1",
    "\\' OR Name != '\\",
    "x') UNION SELECT value FROM attache_setting --",
    "Name FROM User WHERE Id != null",
    "(SELECT Id FROM Contacts)",
    "/* */ -- ;",
    "`Account` [Account] \"Account\"",
    "?1 :name @name $name",
    "%s%s%n{}{0}{name}",
    "%_\\%\\_",
    "../../etc/passwd",
    "C:\\..\\con",
    "$(reboot) `reboot` | reboot & reboot",
    "<script>alert(1)</script>",
    "{\"a\":[null]}",
    "@{ref.id}",
    "local-00000000",
    "null",
    "\u{202e}\u{feff}\u{1b}[2J",
    "\u{1F980}e\u{301}",
];

/// A text as it stands between the quotes of SOQL.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

/// Puts one text in place of another on the way from the org, and back on the way to it.
struct Renamed {
    honest: InProcess,
    names: Arc<Mutex<Option<(String, String)>>>,
}

/// A text as it stands between the quotes of JSON.
fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a text has a JSON form");
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let one = |b: u8| match plain(b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(one).collect()
}

#[async_trait]
impl Transport for Renamed {
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, TransportError> {
        // The honest org does not know that it is described in other words: it would say that nothing changed.
        let stamp = "If-Modified-Since";
        request
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case(stamp));
        let body = String::from_utf8(request.body).expect("requests are text");
        let body = body.replace(stamp, "If-Nothing");
        let names = self.names.lock().expect("one thread").clone();
        let Some((real, told)) = names else {
            request.body = body.into_bytes();
            return self.honest.send(request).await;
        };
        request.url = request.url.replace(&percent(&told), &percent(&real));
        request.body = body.replace(&in_json(&told), &in_json(&real)).into_bytes();
        let mut answer = self.honest.send(request).await?;
        let body = String::from_utf8(answer.body).expect("answers are text");
        let (real, told) = (format!("\"{real}\""), format!("\"{}\"", in_json(&told)));
        answer.body = body.replace(&real, &told).into_bytes();
        Ok(answer)
    }
}

/// A device in a folder, and the names that its org goes by from now on.
struct Scene {
    world: World,
    device: Attache,
    place: tempfile::TempDir,
    names: Arc<Mutex<Option<(String, String)>>>,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let world = World::new(seed, 200);
        let names = Arc::default();
        let renamed = Renamed {
            honest: InProcess::new(world.sandbox.clone()),
            names: Arc::clone(&names),
        };
        let tokens = StaticToken::new(&world.users[ME].access_token);
        let org = Salesforce::builder("https://acme.my.salesforce.com", tokens)
            .transport(Arc::new(renamed))
            .build()
            .expect("a good address");
        let place = tempfile::tempdir().expect("a folder");
        let device = world.device_at(ME, &place.path().join("jo.db"));
        let device = device.expect("a store").with_remote(org);
        device.set_briefcase(field_sales()).expect("a briefcase");
        Scene {
            world,
            device,
            place,
            names,
        }
    }

    fn rename(&self, real: &str, told: &str) {
        *self.names.lock().expect("one thread") = Some((real.into(), told.into()));
    }

    /// Back at its real names the org and the device agree, and the file is whole.
    fn recovers(&self, what: &str) {
        *self.names.lock().expect("one thread") = None;
        // What an org says of an object is asked anew once a day.
        self.world.sandbox.advance(2 * 86_400);
        settle(&self.world, &self.device);
        agrees(&self.world, ME, &self.device);
        integrity(&self.place.path().join("jo.db"));
        let pending = self.device.pending().expect("a read");
        assert!(pending.is_empty(), "{what}: {pending:?}");
    }
}

#[track_caller]
fn clear(error: &Error, what: &str) {
    assert_ne!(error.kind(), ErrorKind::Internal, "{what}: {error}");
    let told = error.to_string();
    assert!((10..1_000).contains(&told.len()), "{what}: {told}");
}

#[test]
fn values_that_look_like_code_are_values() {
    let scene = Scene::new(851);
    sync(&scene.device);
    let before = all(&scene.device, "SELECT Id FROM Account").len();
    let mut made = Vec::new();
    for text in CODE {
        let fields = [("Name", text), ("Description", text)];
        made.push((create(&scene.device, "Account", fields), text));
        scene.world.sandbox.advance(1);
    }
    let found = |text: &str, operator: &str| {
        let literal = escaped(text);
        let literal = match operator {
            "LIKE" => literal.replace('%', "\\%").replace('_', "\\_"),
            _ => literal,
        };
        let soql = format!("SELECT Id FROM Account WHERE Name {operator} '{literal}'");
        all(&scene.device, &soql)
    };
    for (id, text) in &made {
        assert_eq!(found(text, "="), std::slice::from_ref(id), "{text:?}");
        assert_eq!(found(text, "LIKE"), std::slice::from_ref(id), "{text:?}");
        // Words of a search are words, whatever the index would make of them.
        if let Err(error) = scene.device.search(text).run() {
            clear(&error, text);
        }
    }
    settle(&scene.world, &scene.device);
    for (id, text) in &made {
        let there = at_org(
            &scene.world,
            "Account",
            &server_id(&scene.device, id),
            "Name",
        );
        let there: String = serde_json::from_str(&there.expect("the record")).expect("a text");
        assert_eq!(there, *text);
        assert_eq!(
            scene.world.times("Account", "Name", &escaped(text)),
            Ok(1),
            "{text:?}"
        );
        assert_eq!(value(&scene.device, id, "Description"), (*text).into());
    }
    assert_eq!(
        all(&scene.device, "SELECT Id FROM Account").len(),
        before + CODE.len()
    );
    scene.recovers("values");
}

#[test]
fn a_field_named_like_a_word_of_a_language_is_a_field_or_is_refused() {
    let ours = [
        "",
        " ",
        "_rowid_",
        "rowid",
        "OID",
        "attache_row",
        "Attache_Rules",
        "attache_key",
        "sqlite_master",
    ];
    for (n, name) in CODE.iter().copied().chain(ours).enumerate() {
        let shown: String = name.chars().take(40).collect();
        let scene = Scene::new(852);
        // Half of the orgs are so from the start, the others become so.
        if n % 2 == 0 {
            sync(&scene.device);
            scene.world.sandbox.advance(2 * 86_400);
        }
        scene.rename("Site", name);
        if let Err(error) = wait(scene.device.sync()) {
            clear(&error, &shown);
        }
        for id in all_accounts(&scene.device) {
            let done = scene
                .device
                .update(&id, [(name, "edited"), ("Phone", "+49 1")]);
            if let Err(error) = done {
                clear(&error, &shown);
            }
        }
        if let Err(error) = wait(scene.device.sync()) {
            clear(&error, &shown);
        }
        scene.recovers(&shown);
    }
}

#[test]
fn a_field_of_a_package_with_the_stores_own_name_is_a_field() {
    for name in ["attache__key__c", "Attache__Rowid__c"] {
        let scene = Scene::new(851);
        scene.rename("Site", name);
        sync(&scene.device);
        let accounts = all_accounts(&scene.device);
        let id = accounts
            .first()
            .unwrap_or_else(|| panic!("{name}: no account"));
        scene
            .device
            .update(id, [(name, "the yard")])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = all(
            &scene.device,
            &format!("SELECT Id FROM Account WHERE {name} = 'the yard' ORDER BY {name}"),
        );
        assert_eq!(found, std::slice::from_ref(id), "{name}");
        assert!(sync(&scene.device).is_settled(), "{name}");
        assert_eq!(value(&scene.device, id, name), "the yard".into());
        let there = at_org(&scene.world, "Account", id.as_str(), "Site");
        assert_eq!(there.as_deref(), Some("\"the yard\""), "{name}");
        scene.recovers(name);
    }
}

#[test]
fn an_object_named_like_a_table_of_the_stores_own_is_refused() {
    for name in ["attache_mutation", "Attache_Setting", "sqlite_schema"] {
        let scene = Scene::new(851);
        scene.rename("Account", name);
        let document = format!(r#"{{"version":1,"rules":[{{"name":"a","object":"{name}"}}]}}"#);
        let asked = scene.device.set_briefcase(briefcase(&document));
        let done = asked.and_then(|()| wait(scene.device.sync()).map(drop));
        clear(&done.expect_err("no table has room for it"), name);
        let back = scene.device.set_briefcase(field_sales());
        back.expect("a briefcase");
        scene.recovers(name);
    }
}

/// Two accounts, if the device has come to know any.
fn all_accounts(device: &Attache) -> Vec<attache::RecordId> {
    let rows = device.query("SELECT Id FROM Account ORDER BY Id LIMIT 2");
    rows.map(|rows| rows.filter_map(|row| row.id().cloned()).collect())
        .unwrap_or_default()
}

#[test]
fn an_object_that_calls_itself_something_else_is_refused_or_stays_what_it_is() {
    let ours = [
        "attache_mutation",
        "attache_setting",
        "sqlite_master",
        "sqlite_schema",
        "Contact",
        "",
        "select",
    ];
    for (n, name) in CODE.iter().copied().chain(ours).enumerate() {
        let scene = Scene::new(853);
        if n % 2 == 0 {
            sync(&scene.device);
            scene.world.sandbox.advance(2 * 86_400);
        }
        scene.rename("Account", name);
        if let Err(error) = wait(scene.device.sync()) {
            clear(&error, name);
        }
        scene.recovers(name);
    }
}

#[test]
fn a_user_whose_zone_and_language_are_none_still_has_days() {
    for zone in CODE
        .iter()
        .copied()
        .chain(["", "Mars/Olympus", "/etc/passwd", "UTC\u{0}"])
    {
        for real in ["America/Los_Angeles", "en_US"] {
            let scene = Scene::new(854);
            scene.rename(real, zone);
            if let Err(error) = wait(scene.device.sync()) {
                clear(&error, zone);
            } else {
                let soql = "SELECT Id FROM Task WHERE ActivityDate = THIS_WEEK";
                if let Err(error) = scene.device.query(soql) {
                    clear(&error, zone);
                }
            }
            scene.recovers(zone);
        }
    }
}

#[test]
fn a_briefcase_names_no_object_and_no_field_that_could_be_code() {
    for text in CODE {
        let quoted = serde_json::to_string(text).expect("a text");
        for document in [
            format!(r#"{{"version":1,"rules":[{quoted}]}}"#),
            format!(r#"{{"version":1,"rules":[{{"name":"a","object":{quoted}}}]}}"#),
            format!(
                r#"{{"version":1,"objects":{{"Account":{{"fields":[{quoted}]}}}},"rules":["Account"]}}"#
            ),
            format!(
                r#"{{"version":1,"objects":{{"Account":{{"client_key":{quoted}}}}},"rules":["Account"]}}"#
            ),
        ] {
            // The one word among them that could be a name is one.
            if text == "null" {
                continue;
            }
            let Err(error) = attache::Briefcase::from_json(&document) else {
                panic!("{document} is taken");
            };
            assert_eq!(
                error.kind(),
                ErrorKind::InvalidArgument,
                "{document}: {error}"
            );
        }
    }
    // The name of a rule is a person's, and any text.
    let named = serde_json::to_string(CODE[0]).expect("a text");
    let document = format!(r#"{{"version":1,"rules":[{{"name":{named},"object":"Account"}}]}}"#);
    let scene = Scene::new(855);
    scene
        .device
        .set_briefcase(briefcase(&document))
        .expect("a briefcase");
    sync(&scene.device);
    scene.recovers("a rule");
}
