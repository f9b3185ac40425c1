//! An org with made-up objects and rows, and a device that carries all of it.

use crate::field::{Field, Nature, TEXTS, made_up};
use attache::{Attache, Context, ServerTime};
use attache_sandbox::Sandbox;
use attache_sandbox::id;
use attache_sandbox::schema::{FieldDef, FieldKind, ObjectDef};
use attache_sandbox::value::Value;
use attache_sim::{Prng, World, wait};
use attache_tests::briefcase;
use std::collections::BTreeSet;

/// The two objects. A thing has a base, a base may have a base above it and a favourite thing.
pub const OBJECTS: [&str; 2] = ["Thing__c", "Base__c"];
const ROWS: u64 = 40;
/// Zones with clock changes at midnight, of half an hour, over the date line, and with none.
const ZONES: &[&str] = &[
    "UTC",
    "America/New_York",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/Havana",
    "Africa/Cairo",
];
/// What the lookup to people leads to.
const PEOPLE: &[&str] = &["User", "Group", "Contact", "Lead"];
const LOCALES: &[&str] = &["en_US", "de_DE", "ar_EG", "pt_BR"];

/// Both sides of the contract.
pub struct Sides {
    pub world: World,
    pub device: Attache,
    /// The fields of each of [`OBJECTS`], lookups included.
    pub fields: [Vec<Field>; 2],
    /// Ids that rows have, and some that none has.
    pub ids: Vec<String>,
    context: Context,
}

impl Sides {
    /// Makes both sides; the same seed makes the same.
    pub fn new(seed: u64) -> Sides {
        let mut random = Prng::fork(seed, "filter contract");
        let zone = random.pick(ZONES).expect("there are zones");
        let locale = random.pick(LOCALES).expect("there are locales");
        let builder = Sandbox::builder().records(0).time_zone(zone).locale(locale);
        let world = World::built(seed, builder);
        let fields = [made_up(&mut random), made_up(&mut random)];
        let fiscal_start = 1 + random.below(12) as i8;
        world.sandbox.with_org(|org| {
            org.config_mut().fiscal_year_start = fiscal_start;
            let visit = org.schema().object("Visit__c").cloned();
            let visit = visit.expect("the standard schema has it");
            let mut schema = org.schema_mut();
            schema.insert(object(&visit, 0, &fields[0]));
            schema.insert(object(&visit, 1, &fields[1]));
        });
        let boss = world.boss().to_owned();
        let mut ids = vec![boss.clone(), id::make("a0T", 9_999)];
        for at in [1, 0] {
            for nr in 0..ROWS {
                let id = put(&world, &mut random, at, nr, &fields[at]);
                ids.push(id);
            }
        }
        let people = people(&world, &mut random);
        ids.extend(people.iter().cloned());
        for nr in 0..ROWS {
            let thing = id::make("a0T", nr + 1);
            if let Some(person) = random.pick(&people).filter(|_| nr % 5 > 0) {
                let lookup = [("Person__c", person.as_str())];
                world
                    .change(OBJECTS[0], &thing, &lookup)
                    .expect("the boss may");
            }
        }
        let boss_at = world.users.len() - 1;
        let device = world.device(boss_at).expect("a store in memory opens");
        let rules = r#"{"version": 1, "rules":
            ["Thing__c", "Base__c", "User", "Group", "Contact", "Lead"]}"#;
        device.set_briefcase(briefcase(rules)).expect("it is kept");
        let report = wait(device.sync()).expect("a first session runs");
        let people = people.len() as u64;
        assert!(report.inserted >= 2 * ROWS + people, "{report:?}");
        let mut context = device.context().expect("the user is known");
        context.fiscal_year_start_month = fiscal_start;
        Sides {
            world,
            device,
            fields: [0, 1].map(|at| with_lookups(at, &fields[at])),
            ids,
            context,
        }
    }

    /// Says on whose calendar all of it happens.
    pub fn calendar(&self, now: i64) -> String {
        format!(
            "{} in {}, weeks from {:?}, fiscal years from month {}",
            ServerTime(now).to_soql(),
            self.context
                .time_zone
                .iana_name()
                .unwrap_or("a zone without a name"),
            self.context.week_start,
            self.context.fiscal_year_start_month
        )
    }

    /// Who asks the device, and when.
    pub fn asked_at(&self, now: i64) -> Context {
        let mut context = self.context.clone();
        context.now = ServerTime(now);
        context
    }

    /// The ids that a condition finds on the device.
    pub fn on_device(&self, condition: &str, now: i64) -> Result<BTreeSet<String>, String> {
        let soql = format!("SELECT Id FROM {} WHERE {condition}", OBJECTS[0]);
        let rows = self.device.query_with(&soql, &self.asked_at(now));
        let rows = rows.map_err(|error| error.to_string())?;
        Ok(rows.filter_map(|row| Some(row.id()?.to_string())).collect())
    }

    /// The ids that the org's own evaluator finds for it.
    pub fn at_org(&self, condition: &str, now: i64) -> Result<BTreeSet<String>, String> {
        self.world.sandbox.set_time_ms(now * 1_000);
        let soql = format!("SELECT Id FROM {} WHERE {condition}", OBJECTS[0]);
        let rows = self.world.rows(self.world.boss(), &soql)?;
        Ok(rows.iter().filter_map(|row| row.text("Id")).collect())
    }

    /// What the org has in some fields of a row, as JSON.
    pub fn show(&self, id: &str, paths: &[String]) -> String {
        let paths = if paths.is_empty() {
            String::from("Id")
        } else {
            paths.join(", ")
        };
        let soql = format!("SELECT {paths} FROM {} WHERE Id = '{id}'", OBJECTS[0]);
        format!("{:?}", self.world.rows(self.world.boss(), &soql))
    }
}

/// An object with the system's fields, a name, the lookups and the made-up fields.
fn object(visit: &ObjectDef, at: usize, fields: &[(FieldDef, Field)]) -> ObjectDef {
    let (name, prefix) = (OBJECTS[at], ["a0T", "a0B"][at]);
    let mut object = ObjectDef::new(name, name, name, prefix);
    let system = visit.fields.iter().filter(|field| !field.custom);
    object.extend(system.cloned());
    for (field, targets) in lookups(at) {
        let mut lookup = FieldDef::new(field, field, FieldKind::Reference);
        lookup.reference_to = targets.iter().map(|target| String::from(*target)).collect();
        lookup.relationship_name = Some(field.replace("__c", "__r"));
        object.push(lookup);
    }
    object.extend(fields.iter().map(|(definition, _)| definition.clone()));
    object
}

fn lookups(at: usize) -> &'static [(&'static str, &'static [&'static str])] {
    match at {
        0 => &[
            ("Base__c", &["Base__c"]),
            ("Any__c", &["Thing__c", "Base__c"]),
            ("Person__c", PEOPLE),
        ],
        _ => &[("Up__c", &["Base__c"]), ("Favourite__c", &["Thing__c"])],
    }
}

fn with_lookups(at: usize, fields: &[(FieldDef, Field)]) -> Vec<Field> {
    let lookups = lookups(at).iter().map(|(name, _)| *name).chain(["Id"]);
    let ids = lookups.map(|name| Field {
        name: name.into(),
        nature: Nature::Id,
    });
    let stamps = ["CreatedDate", "SystemModstamp"].map(|name| Field {
        name: name.into(),
        nature: Nature::Instant,
    });
    let name = Field {
        name: "Name".into(),
        nature: Nature::Text,
    };
    let made_up = fields.iter().map(|(_, field)| field.clone());
    ids.chain(stamps).chain([name]).chain(made_up).collect()
}

/// Makes up whom a thing may name: users, contacts, leads and the queue, called what texts are called elsewhere.
fn people(world: &World, random: &mut Prng) -> Vec<String> {
    let mut text = || {
        let text = random.pick(TEXTS).expect("there are texts");
        if text.is_empty() { "x" } else { *text }
    };
    let mut people = Vec::new();
    for nr in 0..6 {
        let (object, company) = [("Contact", None), ("Lead", Some("Acme"))][nr % 2];
        let mut fields = vec![("LastName", text()), ("FirstName", text())];
        fields.extend([
            ("Title", text()),
            ("Phone", text()),
            ("Email", "a@b.example"),
        ]);
        fields.extend(company.map(|company| ("Company", company)));
        let fields = quoted(&fields);
        people.push(world.add(object, &pairs(&fields)).expect("the boss may"));
    }
    for user in world.users.iter().take(3) {
        let fields = [("Alias", text()), ("Title", text()), ("Phone", text())];
        let fields = quoted(&fields);
        let changed = world.change("User", &user.id, &pairs(&fields));
        changed.expect("the boss may");
        people.push(user.id.clone());
    }
    let idle = [("IsActive", "false")];
    world
        .change("User", &world.users[1].id, &idle)
        .expect("the boss may");
    let queue = world
        .rows(world.boss(), "SELECT Id FROM Group")
        .expect("valid");
    people.extend(queue.iter().filter_map(|row| row.text("Id")));
    people
}

fn quoted<'n>(fields: &[(&'n str, &str)]) -> Vec<(&'n str, String)> {
    let fields = fields.iter();
    fields
        .map(|(name, text)| (*name, serde_json::Value::from(*text).to_string()))
        .collect()
}

fn pairs<'n>(fields: &'n [(&'n str, String)]) -> Vec<(&'n str, &'n str)> {
    let fields = fields.iter();
    fields.map(|(name, json)| (*name, json.as_str())).collect()
}

/// Puts a row into the org and gives its id.
fn put(
    world: &World,
    random: &mut Prng,
    at: usize,
    nr: u64,
    fields: &[(FieldDef, Field)],
) -> String {
    let row_id = id::make(["a0T", "a0B"][at], nr + 1);
    let boss = Value::text(world.boss());
    let mut some_id = |prefixes: &[&str]| {
        let prefix = *random.pick(prefixes).expect("there are objects");
        match random.below(4) {
            0 => Value::Null,
            // An org has no lookup to what is not there.
            _ => Value::text(id::make(prefix, 1 + random.below(ROWS as usize) as u64)),
        }
    };
    let pointers = match at {
        0 => [
            ("Base__c", some_id(&["a0B"])),
            ("Any__c", some_id(&["a0B", "a0T"])),
        ],
        _ => [
            ("Up__c", some_id(&["a0B"])),
            ("Favourite__c", some_id(&["a0T"])),
        ],
    };
    let mut values: Vec<(&str, Value)> = vec![("Id", Value::text(&row_id))];
    values.extend(pointers);
    for (_, field) in fields {
        let text = random
            .pick(field.nature.values())
            .expect("there are values");
        values.push((&field.name, field.nature.value(text)));
    }
    world.sandbox.with_org(|org| {
        let index = org.schema().index(OBJECTS[at]).expect("it was defined");
        let row = org.schema().objects()[index].fields.iter().map(|field| {
            let given = values.iter().find(|(name, _)| *name == field.name);
            match (given, field.kind) {
                (Some((_, value)), _) => value.clone(),
                (None, FieldKind::Boolean) => Value::Bool(false),
                (None, FieldKind::DateTime) => Value::DateTime(1_700_000_000 + nr as i64 * 3_600),
                (None, FieldKind::Reference) => boss.clone(),
                (None, _) if field.name_field => Value::text(format!("Row {}", nr % 7)),
                (None, _) => Value::Null,
            }
        });
        let row: Vec<Value> = row.collect();
        org.put(index, row).expect("the row is whole");
    });
    row_id
}
