//! The stage: an org on a loopback socket, two people with a device each, and one clock.

use crate::demo::random::Random;
use crate::error::{Failure, Result};
use crate::store;
use async_trait::async_trait;
use attache::{Attache, Briefcase, Env, ErrorKind, LocalTime, RecordId, Value};
use attache_salesforce::StaticToken;
use attache_sandbox::org::{Org, Rights, SaveError};
use attache_sandbox::{Sandbox, Serving, UserAccess};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The version of the API in which the org is asked for rows.
const VERSION: &str = "67.0";
/// The first Monday a demo may take place on; the seed moves it.
const FIRST_DAY: &str = "2026-03-02T07:30:00Z";
/// Ids in one condition at most.
const IDS_MAX: usize = 300;

/// What both people take along.
pub const BRIEFCASE: &str = r#"{
  "version": 1,
  "name": "Field sales",
  "objects": {"Account": {"client_key": "External_Id__c"}},
  "rules": [
    {"name": "My Accounts", "object": "Account", "scope": "mine", "related": [
      {"children": "Contact.AccountId"},
      {"children": "Opportunity.AccountId"},
      {"children": "Visit__c.Account__c"},
      {"children": "Task.WhatId"},
      {"children": "Event.WhatId"}
    ]},
    {"name": "My Opportunities Closing in the Next 90 Days", "object": "Opportunity", "scope": "mine",
     "where": "CloseDate = NEXT_N_DAYS:90", "related": [{"parent": "AccountId"}]},
    {"name": "Tasks Due This Week", "object": "Task", "scope": "mine", "where": "ActivityDate = THIS_WEEK"}
  ]
}"#;

/// The objects of the briefcase, parents before children.
pub const OBJECTS: [&str; 6] = [
    "Account",
    "Contact",
    "Opportunity",
    "Visit__c",
    "Task",
    "Event",
];

/// The org, who is who in it, and the time.
pub struct World {
    /// The org.
    pub sandbox: Sandbox,
    serving: Serving,
    clock: Arc<AtomicI64>,
    /// A colleague who may change everything.
    pub colleague: Person,
    /// The same colleague's manager, who sees everything and only looks.
    pub observer: Person,
    /// When the day began, in seconds since the epoch.
    pub began: i64,
}

/// A user of the org.
#[derive(Clone)]
pub struct Person {
    /// What they are called.
    pub name: String,
    /// Their way in.
    pub access: UserAccess,
}

/// A person's device.
pub struct Device {
    /// Whose it is.
    pub person: Person,
    /// Its store.
    pub store: Attache,
}

/// A row of the org as its own API tells it, values undecoded.
#[derive(Clone)]
pub struct Row {
    /// 18-character id.
    pub id: String,
    /// The fields asked for.
    pub fields: BTreeMap<String, Box<RawValue>>,
}

impl World {
    /// Opens an org of a seed on a socket, on a clock that only the demo moves.
    pub fn open(seed: u64, records: Option<usize>) -> Result<(World, [Person; 2])> {
        let began = first_second(seed)?;
        let mut builder = Sandbox::builder()
            .seed(seed)
            .now(began.to_string())
            .manual_clock()
            .time_zone("Europe/Berlin")
            .locale("en_US");
        if let Some(records) = records {
            builder = builder.records(records);
        }
        let sandbox = builder
            .build()
            .map_err(|error| Failure::usage(error.to_string()))?;
        let people = people(&sandbox)?;
        let [first, second, colleague, observer] = people;
        sandbox.with_org(|org| {
            org.set_rights(
                &colleague.access.id,
                Rights {
                    view_all: true,
                    modify_all: true,
                },
            );
            org.set_rights(
                &observer.access.id,
                Rights {
                    view_all: true,
                    modify_all: false,
                },
            );
        });
        let serving = Serving::spawn(sandbox.clone(), 0).map_err(|error| {
            Failure::new(
                ErrorKind::Internal,
                format!("cannot open a socket on loopback: {error}"),
            )
        })?;
        let clock = Arc::new(AtomicI64::new(began * 1_000));
        Ok((
            World {
                sandbox,
                serving,
                clock,
                colleague,
                observer,
                began,
            },
            [first, second],
        ))
    }

    /// The org's address.
    pub fn url(&self) -> String {
        self.serving.url().to_string()
    }

    /// Counts the records of the org, whoever may see them.
    pub fn records(&self) -> u64 {
        self.sandbox.with_org(|org| {
            let objects = org.schema().objects().iter();
            objects.map(|object| org.count(&object.name) as u64).sum()
        })
    }

    /// Makes a person's device, with a clock that is wrong by some minutes, as they are.
    pub fn device(
        &self,
        person: Person,
        path: &Path,
        seed: u64,
        wrong_by_s: i64,
    ) -> Result<Device> {
        let random = Random::new(seed, &format!("device of {}", person.access.username));
        let env = DeviceEnv {
            clock: self.clock.clone(),
            wrong_by_ms: wrong_by_s * 1_000,
            random: Mutex::new(random),
        };
        let remote = store::remote(&self.url(), StaticToken::new(&person.access.access_token))?;
        let store = Attache::open(path)?.with_remote(remote).with_env(env);
        store.set_host_value(store::URL_KEY, &self.url())?;
        store.set_briefcase(Briefcase::from_json(BRIEFCASE)?)?;
        Ok(Device { person, store })
    }

    /// Lets time pass, for the org and for the devices.
    pub fn pass(&self, seconds: u32) {
        self.sandbox.advance(seconds);
        self.clock
            .fetch_add(i64::from(seconds) * 1_000, Ordering::SeqCst);
    }

    /// Today in the people's time zone.
    pub fn today(&self) -> jiff::civil::Date {
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap_or(jiff::tz::TimeZone::UTC);
        let now = jiff::Timestamp::from_second(self.sandbox.now()).unwrap_or_default();
        now.to_zoned(zone).date()
    }

    /// Asks the org a question as one of its users, past every client.
    pub fn rows(&self, who: &Person, soql: &str) -> Result<Vec<Row>> {
        let actor = &who.access.id;
        let json = self
            .sandbox
            .with_org(|org| {
                let cursor = org.query(actor, soql, false)?;
                let mut pages = Vec::new();
                let mut from = 0;
                while from < cursor.total() {
                    let mut page = String::new();
                    let taken = org.render(actor, &cursor, from, 2_000, VERSION, &mut page);
                    pages.push(page);
                    from += taken.max(1);
                }
                Ok(pages)
            })
            .map_err(|error: SaveError| {
                Failure::new(ErrorKind::Internal, format!("{soql}: {error}"))
            })?;
        let mut rows = Vec::new();
        for page in json {
            let read: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(&page)
                .map_err(|error| Failure::new(ErrorKind::Internal, format!("{soql}: {error}")))?;
            rows.extend(read.into_iter().map(Row::of));
        }
        Ok(rows)
    }

    /// Asks the org for records by id, or by any other reference field.
    pub fn rows_by(
        &self,
        who: &Person,
        object: &str,
        field: &str,
        ids: &[String],
        fields: &[String],
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for some in ids.chunks(IDS_MAX) {
            let list: Vec<String> = some.iter().map(|id| format!("'{id}'")).collect();
            let soql = format!(
                "SELECT {} FROM {object} WHERE {field} IN ({})",
                fields.join(", "),
                list.join(", ")
            );
            rows.extend(self.rows(who, &soql)?);
        }
        Ok(rows)
    }

    /// Changes a record at the org, as a colleague at their desk would.
    pub fn write(
        &self,
        who: &Person,
        object: &str,
        id: &str,
        fields: &[(String, Value)],
    ) -> Result<()> {
        let input = input(fields)?;
        self.act(&format!("change {object} {id}"), |org| {
            org.update(&who.access.id, object, id, &input, None)
        })
    }

    /// Deletes a record at the org.
    pub fn delete(&self, who: &Person, object: &str, id: &str) -> Result<()> {
        self.act(&format!("delete {object} {id}"), |org| {
            org.delete(&who.access.id, object, id)
        })
    }

    fn act(
        &self,
        what: &str,
        act: impl FnOnce(&mut Org) -> Result<(), Vec<SaveError>>,
    ) -> Result<()> {
        self.sandbox.with_org(act).map_err(|errors| {
            let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::new(
                ErrorKind::Internal,
                format!("the demo's org refused to {what}: {}", reasons.join("; ")),
            )
        })
    }
}

impl Device {
    /// The id a record has at the org, once it has one.
    pub fn server_id(&self, record: &RecordId) -> Result<Option<String>> {
        let here = self.store.get(record)?;
        let id = here.and_then(|record| {
            record
                .fields
                .get("Id")
                .and_then(Value::as_text)
                .map(str::to_owned)
        });
        Ok(id.or_else(|| (!record.is_local()).then(|| record.to_string())))
    }

    /// Asks the device for records, in the order of their ids.
    pub fn find(&self, soql: &str) -> Result<Vec<RecordId>> {
        let mut ids = Vec::new();
        for row in self.store.query(soql)? {
            ids.extend(row.id().cloned());
        }
        ids.sort();
        Ok(ids)
    }

    /// The value of a field here; null if there is none.
    pub fn value(&self, record: &RecordId, field: &str) -> Result<Value> {
        let record = self.store.get(record)?;
        Ok(record
            .and_then(|record| record.fields.get(field).cloned())
            .unwrap_or(Value::Null))
    }
}

impl Row {
    fn of(mut fields: BTreeMap<String, Box<RawValue>>) -> Row {
        fields.remove("attributes");
        let id = fields
            .get("Id")
            .and_then(|id| serde_json::from_str(id.get()).ok())
            .unwrap_or_default();
        Row { id, fields }
    }

    /// A field as text; `None` if it is null or no text.
    pub fn text(&self, field: &str) -> Option<String> {
        self.fields
            .get(field)
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
    }
}

/// A device's clock and chance: the demo's time, a little off, and numbers from its seed.
struct DeviceEnv {
    clock: Arc<AtomicI64>,
    wrong_by_ms: i64,
    random: Mutex<Random>,
}

#[async_trait]
impl Env for DeviceEnv {
    fn now(&self) -> LocalTime {
        LocalTime(self.clock.load(Ordering::SeqCst) + self.wrong_by_ms)
    }

    fn random(&self, buffer: &mut [u8]) {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in buffer {
            *byte = random.bits().to_le_bytes()[0];
        }
    }

    async fn sleep(&self, duration: Duration) {
        // Nobody waits in a demo: time moves instead.
        let by_ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.clock.fetch_add(by_ms, Ordering::SeqCst);
    }
}

/// Chooses the day: the same for the same seed, Monday to Friday.
fn first_second(seed: u64) -> Result<i64> {
    let first: jiff::Timestamp = FIRST_DAY
        .parse()
        .map_err(|error| Failure::new(ErrorKind::Internal, format!("{error}")))?;
    let (weeks, day) = ((seed / 5) % 40, seed % 5);
    Ok(first.as_second() + 86_400 * (7 * weeks as i64 + day as i64))
}

/// Finds the four people of the story and what they are called.
fn people(sandbox: &Sandbox) -> Result<[Person; 4]> {
    let users = sandbox.users();
    let mut people = users.into_iter().map(|access| {
        let name = sandbox.with_org(|org| {
            let row = org.read(&access.id, "User", &access.id);
            row.and_then(|row| row.get("Name").as_text().map(str::to_owned))
        });
        Person {
            name: name.unwrap_or_else(|| access.username.clone()),
            access,
        }
    });
    match (people.next(), people.next(), people.next(), people.next()) {
        (Some(a), Some(b), Some(c), Some(d)) => Ok([a, b, c, d]),
        _ => Err(Failure::new(
            ErrorKind::Internal,
            "the demo's org has fewer than four users",
        )),
    }
}

fn input(fields: &[(String, Value)]) -> Result<Vec<(String, Box<RawValue>)>> {
    fields
        .iter()
        .map(|(name, value)| Ok((name.clone(), crate::output::json(value)?)))
        .collect()
}
