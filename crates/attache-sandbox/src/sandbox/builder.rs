//! What an org starts with.

use super::{Clock, Sandbox, UserAccess};
use crate::{
    Machine, RestSwitches, catalog, id,
    load::{Folder, LoadError},
    org::{Org, OrgConfig, Rights, Switches},
    schema::Schema,
    seed::{Seed, seed},
    value::Value,
};
use jiff::{Timestamp, tz::TimeZone};
use std::{
    collections::BTreeSet,
    error::Error,
    path::{Path, PathBuf},
    time::Instant,
};

/// The username of the user behind the client credentials.
const INTEGRATION: &str = "integration@sandbox.example";
/// Their number among the users: far from the ones that are seeded or created.
const INTEGRATION_NUMBER: u64 = 62 * 62 * 62 * 62 * 62;

/// Settings of an org that does not exist yet.
#[derive(Clone, Debug)]
pub struct SandboxBuilder {
    seed: u64,
    rows: Rows,
    now: Option<String>,
    manual: bool,
    time_zone: Option<String>,
    locale: Option<String>,
    fiscal_year: Option<(i8, bool)>,
    switches: RestSwitches,
    org_switches: Switches,
    rules: Option<PathBuf>,
}

/// Which rows an org starts with.
#[derive(Clone, Debug)]
enum Rows {
    Standard,
    Count(usize),
    Seeded(Seed),
    Files(PathBuf),
}

/// Why an org could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The start time is not an RFC 3339 time nor a number of seconds.
    #[error(
        "'{0}' is not a time: give RFC 3339, such as 2026-03-02T09:00:00Z, or seconds since 1970"
    )]
    Time(String),
    /// There is no such time zone.
    #[error("'{0}' is not an IANA time zone, such as Europe/Berlin")]
    TimeZone(String),
    /// The rows cannot be loaded.
    #[error("cannot load the rows: {0}")]
    Rows(String),
    /// The rules cannot be read, or not be followed.
    #[error("cannot follow the rules of {file}: {error}", file = .0.display(), error = .1)]
    Rules(PathBuf, String),
}

impl Default for SandboxBuilder {
    fn default() -> SandboxBuilder {
        SandboxBuilder {
            seed: 1,
            rows: Rows::Standard,
            now: None,
            manual: false,
            time_zone: None,
            locale: None,
            fiscal_year: None,
            switches: RestSwitches::default(),
            org_switches: Switches::default(),
            rules: None,
        }
    }
}

impl SandboxBuilder {
    /// Decides the rows that are made up, and every token.
    pub fn seed(mut self, seed: u64) -> SandboxBuilder {
        self.seed = seed;
        self
    }

    /// Makes about this many rows up, besides users.
    pub fn records(mut self, count: usize) -> SandboxBuilder {
        self.rows = Rows::Count(count);
        self
    }

    /// Makes exactly these rows up. Their own seed and time hold.
    pub fn rows(mut self, spec: Seed) -> SandboxBuilder {
        self.rows = Rows::Seeded(spec);
        self
    }

    /// Loads a folder of JSON lines as existing rows, and makes none up.
    pub fn load(mut self, folder: impl Into<PathBuf>) -> SandboxBuilder {
        self.rows = Rows::Files(folder.into());
        self
    }

    /// Sets the time the org starts at: RFC 3339, or seconds since 1970. The default is the real time.
    pub fn now(mut self, time: impl Into<String>) -> SandboxBuilder {
        self.now = Some(time.into());
        self
    }

    /// Lets the clock stand still until [`Sandbox::advance`] moves it.
    pub fn manual_clock(mut self) -> SandboxBuilder {
        self.manual = true;
        self
    }

    /// Sets the time zone of the org and its made-up users, an IANA name. The default is UTC.
    pub fn time_zone(mut self, name: &str) -> SandboxBuilder {
        self.time_zone = Some(name.into());
        self
    }

    /// Sets the locale of the org and its made-up users, such as `de_DE`. The default is `en_US`.
    pub fn locale(mut self, name: &str) -> SandboxBuilder {
        self.locale = Some(name.into());
        self
    }

    /// Sets when the org's fiscal year begins, 1 to 12, and whether it is named after the year it begins in.
    /// The default is the calendar year.
    pub fn fiscal_year(mut self, start_month: i8, named_by_start: bool) -> SandboxBuilder {
        self.fiscal_year = Some((start_month.clamp(1, 12), named_by_start));
        self
    }

    /// Sets how the REST front reads the open points of the documentation.
    pub fn switches(mut self, switches: RestSwitches) -> SandboxBuilder {
        self.switches = switches;
        self
    }

    /// Sets how rows and queries read the open points of the documentation.
    pub fn org_switches(mut self, switches: Switches) -> SandboxBuilder {
        self.org_switches = switches;
        self
    }

    /// Adds the duplicate rules, validation rules and flows of a file of JSON: see [`Org::add_rules`].
    pub fn rules(mut self, file: impl Into<PathBuf>) -> SandboxBuilder {
        self.rules = Some(file.into());
        self
    }

    /// Makes the org.
    ///
    /// # Cost
    ///
    /// Some microseconds a row.
    pub fn build(self) -> Result<Sandbox, SandboxError> {
        let from_ms = self.start_ms()?;
        let now_s = from_ms.div_euclid(1_000);
        let mut config = OrgConfig {
            switches: self.org_switches.clone(),
            ..OrgConfig::default()
        };
        if let Some(name) = &self.time_zone {
            TimeZone::get(name).map_err(|_| SandboxError::TimeZone(name.clone()))?;
            config.time_zone.clone_from(name);
        }
        if let Some(name) = &self.locale {
            config.locale.clone_from(name);
        }
        if let Some((start, named_by_start)) = self.fiscal_year {
            config.fiscal_year_start = start;
            config.fiscal_year_named_by_start = named_by_start;
        }
        let mut org = self.fill(config, now_s)?;
        org.set_now(now_s);
        if let Some(file) = &self.rules {
            let broken = |error: String| SandboxError::Rules(file.clone(), error);
            let json = std::fs::read_to_string(file).map_err(|error| broken(error.to_string()))?;
            org.add_rules(&json).map_err(broken)?;
        }
        let integration = add_integration_user(&mut org, now_s).map_err(SandboxError::Rows)?;
        let mut machine = Machine::new(org, self.switches, self.seed, &integration);
        let users = enrol(&mut machine, now_s);
        let clock = match self.manual {
            true => Clock::Manual { now_ms: from_ms },
            false => Clock::Running {
                since: Instant::now(),
                from_ms,
            },
        };
        Ok(Sandbox::start(machine, users, clock))
    }

    fn start_ms(&self) -> Result<i64, SandboxError> {
        let Some(time) = &self.now else {
            return Ok(Timestamp::now().as_millisecond());
        };
        let parsed = match time.parse::<i64>() {
            Ok(seconds) => Timestamp::from_second(seconds).ok(),
            Err(_) => time.parse().ok(),
        };
        parsed
            .map(Timestamp::as_millisecond)
            .ok_or_else(|| SandboxError::Time(time.clone()))
    }

    /// Makes an org with its rows.
    fn fill(&self, config: OrgConfig, now_s: i64) -> Result<Org, SandboxError> {
        let schema = catalog::standard();
        let spec = match &self.rows {
            Rows::Standard => Seed::standard(self.seed, now_s),
            Rows::Count(count) => Seed::of(*count, self.seed, now_s),
            Rows::Seeded(spec) => *spec,
            Rows::Files(folder) => return self.load_rows(schema, config, folder, now_s),
        };
        let mut org = Org::new(schema.clone(), config);
        self.make_up(&mut org, &schema, &spec, |_| true)?;
        Ok(org)
    }

    /// Makes an org of the rows of a folder; its schema grows by what they have and it has not.
    ///
    /// Users and the organization are made up if the folder has none: nobody could call otherwise.
    fn load_rows(
        &self,
        mut schema: Schema,
        config: OrgConfig,
        folder: &Path,
        now_s: i64,
    ) -> Result<Org, SandboxError> {
        let broken = |error: LoadError| match error.source() {
            Some(cause) => SandboxError::Rows(format!("{error}: {cause}")),
            None => SandboxError::Rows(error.to_string()),
        };
        let folder = Folder::open(&mut schema, folder).map_err(broken)?;
        let mut org = Org::new(schema.clone(), config);
        let mut loaded = BTreeSet::new();
        for row in folder.rows(&schema) {
            let (object, row) = row.map_err(broken)?;
            loaded.insert(object);
            org.put(object, row).map_err(SandboxError::Rows)?;
        }
        let people = Seed {
            users: Seed::standard(self.seed, now_s).users,
            ..Seed::of(0, self.seed, now_s)
        };
        self.make_up(&mut org, &schema, &people, |object| {
            !loaded.contains(&object)
        })?;
        Ok(org)
    }

    /// Adds made-up rows of the objects that are wanted.
    fn make_up(
        &self,
        org: &mut Org,
        schema: &Schema,
        spec: &Seed,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<(), SandboxError> {
        let users = schema.index("User");
        for (object, mut row) in seed(schema, spec).filter(|(object, _)| wanted(*object)) {
            if Some(object) == users {
                self.settle_user(schema, object, &mut row);
            }
            org.put(object, row).map_err(SandboxError::Rows)?;
        }
        Ok(())
    }

    /// Moves a made-up user to the zone and locale asked for.
    fn settle_user(&self, schema: &Schema, object: usize, row: &mut [Value]) {
        for (field, wanted) in [
            ("TimeZoneSidKey", &self.time_zone),
            ("LocaleSidKey", &self.locale),
        ] {
            if let (Some(at), Some(wanted)) = (schema.objects()[object].index(field), wanted) {
                row[at] = Value::text(wanted);
            }
        }
    }
}

/// Adds the user behind the client credentials, who sees and changes everything.
fn add_integration_user(org: &mut Org, now_s: i64) -> Result<String, String> {
    let at = org.schema().index("User").ok_or("the schema has no User")?;
    let object = &org.schema().objects()[at];
    let id = id::make(&object.key_prefix, INTEGRATION_NUMBER);
    let mut row = vec![Value::Null; object.fields.len()];
    for (field, definition) in object.fields.iter().enumerate() {
        row[field] = match &*definition.name {
            "Id" | "CreatedById" | "LastModifiedById" => Value::text(&id),
            "Username" | "Email" => Value::text(INTEGRATION),
            "Alias" | "CommunityNickname" => Value::text("integ"),
            "FirstName" => Value::text("Integration"),
            "LastName" => Value::text("User"),
            "UserType" => Value::text("Standard"),
            "IsActive" => Value::Bool(true),
            "CreatedDate" | "LastModifiedDate" | "SystemModstamp" => Value::DateTime(now_s),
            "TimeZoneSidKey" => Value::text(&org.config().time_zone),
            "LocaleSidKey" => Value::text(&org.config().locale),
            "LanguageLocaleKey" => Value::text("en_US"),
            "EmailEncodingKey" => Value::text("UTF-8"),
            _ => definition.default.clone().unwrap_or(Value::Null),
        };
    }
    org.put(at, row)?;
    org.set_rights(
        &id,
        Rights {
            view_all: true,
            modify_all: true,
        },
    );
    Ok(id)
}

/// Gives every active user a pair of tokens.
fn enrol(machine: &mut Machine, now_s: i64) -> Vec<UserAccess> {
    let mut people: Vec<(String, String)> = machine
        .active_users()
        .filter(|(id, _)| *id != machine.integration_user)
        .collect();
    people.sort();
    people
        .into_iter()
        .map(|(id, username)| {
            let tokens = machine.auth.enrol(&id, now_s);
            UserAccess {
                id,
                username,
                access_token: tokens.access,
                refresh_token: tokens.refresh,
            }
        })
        .collect()
}
