//! A small org to test with, and short words for what tests do to it.

use super::{Org, OrgConfig, Rights, SaveError};
use crate::catalog;
use crate::value::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Wednesday 2026-07-15, noon in Greenwich.
pub(crate) const NOON: i64 = 1_784_116_800;

/// Sees and changes everything.
pub(crate) const ADMIN: &str = "005000000000001AAA";
/// A user in New York.
pub(crate) const JO: &str = "005000000000002AAA";
/// A user in Berlin.
pub(crate) const KIM: &str = "005000000000003AAA";
/// A user who left.
pub(crate) const GONE: &str = "005000000000004AAA";

/// Makes an org with four users and no other rows.
pub(crate) fn org() -> Org {
    let mut org = Org::new(catalog::standard(), OrgConfig::default());
    org.set_now(NOON);
    let users = org.schema().index("User").unwrap();
    let people = [
        (ADMIN, "Ada Admin", "UTC", "en_US", true),
        (JO, "Jo Doe", "America/New_York", "en_US", true),
        (KIM, "Kim Roe", "Europe/Berlin", "de_DE", true),
        (GONE, "Lee Gone", "UTC", "en_US", false),
    ];
    for (id, name, zone, locale, active) in people {
        let object = &org.schema().objects()[users];
        let mut row = vec![Value::Null; object.fields.len()];
        let (first, last) = name.split_once(' ').unwrap();
        for (field, value) in [
            ("Id", Value::text(id)),
            ("FirstName", Value::text(first)),
            ("LastName", Value::text(last)),
            ("Username", Value::text(format!("{first}@example.com"))),
            ("TimeZoneSidKey", Value::text(zone)),
            ("LocaleSidKey", Value::text(locale)),
            ("IsActive", Value::Bool(active)),
            ("SystemModstamp", Value::DateTime(0)),
        ] {
            row[object.index(field).unwrap()] = value;
        }
        org.put(users, row).unwrap();
    }
    org.set_rights(
        ADMIN,
        Rights {
            view_all: true,
            modify_all: true,
        },
    );
    org
}

/// Reads a JSON object as the fields of a write.
pub(crate) fn fields(json: &str) -> Vec<(String, Box<RawValue>)> {
    serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json)
        .unwrap()
        .into_iter()
        .collect()
}

impl Org {
    /// Creates a row and panics if the org refuses it.
    pub(crate) fn made(&mut self, actor: &str, object: &str, json: &str) -> String {
        self.create(actor, object, &fields(json)).unwrap()
    }

    pub(crate) fn refused(&mut self, actor: &str, object: &str, json: &str) -> Vec<SaveError> {
        self.create(actor, object, &fields(json)).unwrap_err()
    }

    pub(crate) fn set(
        &mut self,
        actor: &str,
        object: &str,
        id: &str,
        json: &str,
    ) -> Result<(), Vec<SaveError>> {
        self.update(actor, object, id, &fields(json), None)
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: i64) {
        self.set_now(self.now() + seconds);
    }

    /// Reads a field as the administrator sees it.
    pub(crate) fn field(&self, object: &str, id: &str, field: &str) -> Value {
        self.read(ADMIN, object, id)
            .unwrap_or_else(|| panic!("{object} {id} is gone"))
            .get(field)
            .into_owned()
    }

    /// Answers a query with the JSON of all its records.
    pub(crate) fn asked(&self, actor: &str, soql: &str) -> String {
        let cursor = self
            .query(actor, soql, false)
            .unwrap_or_else(|error| panic!("{soql}: {error}"));
        let mut out = String::new();
        self.render(actor, &cursor, 0, usize::MAX, "67.0", &mut out);
        out
    }

    /// Answers a query for one column with its values, in JSON.
    pub(crate) fn column(&self, actor: &str, soql: &str) -> Vec<String> {
        let records: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(&self.asked(actor, soql)).unwrap();
        let shown = |value: &serde_json::Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        records
            .iter()
            .map(|record| {
                record
                    .iter()
                    .find(|(key, _)| *key != "attributes")
                    .map(|(_, value)| shown(value))
                    .unwrap()
            })
            .collect()
    }
}

/// Lists the codes of a refusal.
pub(crate) fn codes(errors: &[SaveError]) -> Vec<&str> {
    errors.iter().map(|error| error.code).collect()
}
