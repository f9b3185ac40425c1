//! A whole life of a device tells nobody's secrets: not in the log, not in an error, and no token in the store.

use attache::{Attache, Error, Resolution, Result};
use attache_salesforce::{
    ClientCredentials, JwtBearer, RefreshToken, Salesforce, SignIn, StaticToken, TokenProvider,
};
use attache_sandbox::{Fault, FaultKind, Outcome, Request, Serving};
use attache_sim::{World, wait};
use attache_tests::{ME, all, briefcase, create};
use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What records hold and people type: every one of these words is at the org, on the device or in a question.
const VALUES: [&str; 9] = [
    "canary-theirs",
    "canary-mine",
    "canary-made",
    "canary-refused",
    "canary-query",
    "canary-search",
    "canary-file",
    "canary-body",
    "canary-key",
];

/// Writes down everything that anybody logs, at any level and on any thread.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

impl Everything {
    fn line(&self, line: std::fmt::Arguments<'_>) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(text, "{line}").expect("text takes text");
    }

    fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Visit for &Everything {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.line(format_args!("  {field} = {value:?}"));
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.line(format_args!("span {}", span.metadata().name()));
        span.record(&mut { self });
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut { self });
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        self.line(format_args!("{} {}", metadata.level(), metadata.target()));
        event.record(&mut { self });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// An org on a socket, and the ways to sign in to it.
struct Org {
    world: World,
    serving: Serving,
}

const KEYS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/attache-sandbox/tests/keys"
);

fn key(name: &str) -> String {
    std::fs::read_to_string(format!("{KEYS}/{name}")).expect("a key")
}

impl Org {
    fn start() -> Org {
        let world = World::new(771, 400);
        world
            .sandbox
            .with_switches(|switches| switches.rotates_refresh_tokens = true);
        assert!(world.sandbox.trust_key(&key("robot.pub.pem")));
        let serving = Serving::spawn(world.sandbox.clone(), 0).expect("a port");
        Org { world, serving }
    }

    /// Signs in one way of those there are, afresh: each life ends with its tokens.
    fn sign_in(&self, way: &str, kept: &Kept) -> Box<dyn TokenProvider> {
        let url = self.serving.url();
        let (client_id, secret) = self.world.sandbox.client();
        let me = self.world.sandbox.sign_in(&self.world.users[ME].id);
        let me = me.expect("a user");
        kept.add(&me.access_token);
        kept.add(&me.refresh_token);
        match way {
            "token" => Box::new(StaticToken::new(&me.access_token)),
            "refresh" => Box::new(
                RefreshToken::new(url, &client_id, &me.refresh_token)
                    .expect("an address")
                    .with_client_secret(&secret)
                    .on_rotated(kept.keeper()),
            ),
            "key" => {
                let robot = JwtBearer::new(url, &client_id, &me.username, &key("robot.pem"));
                Box::new(robot.expect("a key"))
            }
            "credentials" => {
                let app = ClientCredentials::new(url, &client_id, &secret);
                Box::new(app.expect("an address"))
            }
            _ => Box::new(self.browse(kept)),
        }
    }

    fn browse(&self, kept: &Kept) -> RefreshToken {
        let (client_id, secret) = self.world.sandbox.client();
        let url = self.serving.url();
        let sign_in = SignIn::new(url, &client_id, "http://127.0.0.1:4711/signed-in")
            .expect("an address")
            .with_client_secret(&secret)
            .with_login_hint(&self.world.users[ME].username);
        let page = sign_in.url();
        let path = page.strip_prefix(url).expect("the org's own");
        let Outcome::Answer(answer) = self.world.sandbox.handle(Request::new("GET", path)) else {
            panic!("the page does not open");
        };
        let back = answer.get("Location").expect("a way back").to_owned();
        // The code is a secret for as long as it lives, and the verifier stays with us.
        let code = back.split("code=").nth(1).expect("a code");
        kept.add(code.split('&').next().expect("a code"));
        let signed_in = wait(sign_in.finish(&back)).expect("a sign-in");
        kept.add(signed_in.access_token().expose());
        let token = signed_in.refresh_token().expect("a refresh token");
        kept.add(token);
        RefreshToken::new(url, &client_id, token)
            .expect("an address")
            .with_client_secret(&secret)
            .with_access_token(signed_in.access_token().clone())
            .on_rotated(kept.keeper())
    }
}

/// Every secret that ever was.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Kept {
    fn add(&self, secret: &str) {
        assert!(secret.len() > 15, "no secret: {secret}");
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(secret.to_owned());
    }

    fn keeper(&self) -> impl Fn(&str) -> Result<()> + Send + Sync + 'static {
        let kept = self.clone();
        move |token| {
            kept.add(token);
            Ok(())
        }
    }

    fn all(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The errors of a life, as a host would print them.
#[derive(Default)]
struct Told(String);

impl Told {
    fn note<T>(&mut self, outcome: Result<T>) -> Option<T> {
        outcome.map_err(|error| self.error(&error)).ok()
    }

    fn error(&mut self, error: &Error) {
        writeln!(self.0, "{error} {error:?}").expect("text takes text");
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            writeln!(self.0, "  {cause} {cause:?}").expect("text takes text");
            source = cause.source();
        }
    }
}

/// A device's whole life: it is filled, edited, refused, contradicted, cut off, and comes to rest.
fn live(org: &Org, device: &Attache, told: &mut Told) {
    let world = &org.world;
    let rules = r#"{"version": 1, "objects": {"Account": {"files": {"max_bytes": 100000}}}, "rules": [
        {"object": "Account", "limit": 50, "order_by": "CreatedDate DESC"},
        {"object": "Lead", "scope": "mine"}]}"#;
    device.set_briefcase(briefcase(rules)).expect("a briefcase");
    told.note(wait(device.sync()));
    let accounts = all(device, "SELECT Id FROM Account ORDER BY Id LIMIT 3");
    for (account, (mine, theirs)) in accounts.iter().zip([
        ("canary-mine", "canary-theirs"),
        ("canary-mine too", "canary-theirs too"),
    ]) {
        told.note(device.update(account, [("Site", mine)]));
        world.sandbox.advance(5);
        let site = [("Site", &*format!("{theirs:?}"))];
        world
            .change("Account", account.as_str(), &site)
            .expect("the boss may");
    }
    let made = create(
        device,
        "Lead",
        [("LastName", "canary-made"), ("Company", "canary-made")],
    );
    create(
        device,
        "Lead",
        [("LastName", "canary-refused"), ("Company", "Acme")],
    );
    told.note(device.attach(&made, "canary-file.txt", &b"canary-body"[..]));
    world.sandbox.advance(60);
    told.note(wait(device.sync()));
    for conflict in told.note(device.conflicts()).unwrap_or_default() {
        told.note(device.resolve(conflict.id, Resolution::Mine));
    }
    ask_wrongly(device, &made, told);
    trouble(org, device, told);
    world.sandbox.advance(60);
    told.note(wait(device.sync()));
}

/// Calls that can never work, each with somebody's data in it.
fn ask_wrongly(device: &Attache, record: &attache::RecordId, told: &mut Told) {
    for soql in [
        "SELECT Nope FROM Account WHERE Name = 'canary-query'",
        "SELECT Id FROM Account WHERE Name == 'canary-query'",
        "SELECT Id FROM Account WHERE Name = 'canary-query",
        "SELECT Id FROM Account WHERE NumberOfEmployees = 'canary-query'",
        "SELECT Id FROM Account WHERE CreatedDate > 'canary-query'",
    ] {
        assert!(told.note(device.query(soql)).is_none(), "{soql}");
    }
    let long = "canary-mine ".repeat(1_000);
    for (field, value) in [
        ("Company", long.as_str()),
        ("NumberOfEmployees", "canary-mine"),
        ("Email", "canary-mine"),
        ("Status", "canary-mine"),
        ("Nope", "canary-mine"),
        ("CreatedDate", "canary-mine"),
    ] {
        told.note(device.update(record, [(field, value)]));
    }
    told.note(device.search("\"canary-search").run());
    let wrong =
        r#"{"version": 1, "rules": [{"object": "Account", "where": "Name = 'canary-query' AND"}]}"#;
    told.note(attache::Briefcase::from_json(wrong));
}

/// Everything that a network and an org do to people.
fn trouble(org: &Org, device: &Attache, told: &mut Told) {
    let sandbox = &org.world.sandbox;
    let me = &org.world.users[ME].id;
    let page = "<html><body>canary-theirs</body></html>";
    for kind in [
        FaultKind::busy(503, Some(1)),
        FaultKind::limit_exceeded(),
        FaultKind::Status(500, page.into()),
        FaultKind::Status(200, page.into()),
        FaultKind::Status(200, r#"{"records": "canary-theirs"}"#.into()),
        FaultKind::Garbage(b"canary-theirs".to_vec()),
        FaultKind::Truncate(20),
        FaultKind::Reset,
        FaultKind::LoseAnswer,
        FaultKind::redirect("https://evil.example/canary-theirs"),
    ] {
        sandbox.advance(600);
        sandbox.fail_next(Fault::new(kind).path("/query"));
        told.note(wait(device.sync()));
        sandbox.clear_faults();
    }
    sandbox.expire_tokens(me);
    told.note(wait(device.sync()));
    sandbox.revoke_tokens(me);
    told.note(wait(device.sync()));
    sandbox.offline(true);
    told.note(wait(device.sync()));
    sandbox.offline(false);
}

/// Reads a store's file with all that stands beside it.
fn bytes(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("a folder");
    let files = files.map(|file| file.expect("a file").path());
    files
        .flat_map(|file| std::fs::read(file).expect("a file"))
        .collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    let mut windows = bytes.windows(text.len());
    windows.any(|window| window == text.as_bytes())
}

#[test]
fn a_whole_life_tells_no_secret_and_nobodys_data() {
    let log = Everything::default();
    // What the libraries below say counts as well, on whichever thread.
    tracing::subscriber::set_global_default(log.clone()).expect("nobody else listens");
    let org = Org::start();
    let kept = Kept::default();
    for user in &org.world.users {
        kept.add(&user.access_token);
        kept.add(&user.refresh_token);
    }
    kept.add(&org.world.sandbox.client().1);
    let pem = key("robot.pem");
    kept.add(pem.lines().nth(1).expect("a line of the key"));
    let refuse = r#"{"version": 1, "rules": [{"object": "Lead", "if": "LastName = 'canary-refused'",
        "refuse": {"message": "No.", "field": "LastName"}}]}"#;
    org.world
        .sandbox
        .with_org(|org| org.add_rules(refuse))
        .expect("valid rules");
    let mut told = Told::default();
    for way in ["token", "refresh", "key", "credentials", "browser"] {
        let tokens = org.sign_in(way, &kept);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jo.db");
        let device = org.world.device_at(ME, &path).expect("a store");
        let remote = Salesforce::new(org.serving.url(), tokens).expect("an address");
        let device = device.with_remote(remote);
        live(&org, &device, &mut told);
        assert!(device.status().expect("a read").username.is_some(), "{way}");
        drop(device);
        let file = bytes(folder.path());
        assert!(holds(&file, "canary-mine"), "the net catches: {way}");
        for secret in kept.all() {
            assert!(!holds(&file, &secret), "{way}: a secret is in the store");
        }
    }
    org.serving.stop();
    let (log, told) = (log.text(), told.0);
    // Assertions as JWTs begin with the same words, whatever they say.
    let words = kept.all().into_iter().chain(["eyJhbGciOi".to_owned()]);
    for word in words.chain(VALUES.map(str::to_owned)) {
        let line = |text: &str| {
            text.lines()
                .find(|line| line.contains(&word))
                .map(str::to_owned)
        };
        assert_eq!(line(&log), None, "in the log");
        assert_eq!(line(&told), None, "in an error");
    }
    // The nets do catch.
    assert!(log.matches("answered").count() > 100);
    assert!(told.lines().count() > 40, "{told}");
}
