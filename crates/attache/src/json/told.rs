//! The rest of what the engine tells, as data: holds, estimates, answers, schemas.
//!
//! Most of it has the members of its Rust fields and derives them; here is what is written in another way.

use super::outcome::local_instant;
use crate::dry_run::RuleEstimate;
use crate::env::LocalTime;
use crate::membership::Holder;
use crate::schema::FieldType;
use crate::store::query::{Cell, Row};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::ops::Range;

/// Writes counts by name as an object.
pub(crate) fn counts<S: Serializer>(
    counts: &[(String, u64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(name, count)| (name, count)))
}

/// Writes ranges as pairs of where each begins and ends.
pub(crate) fn ranges<S: Serializer>(
    ranges: &[Range<usize>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ranges.iter().map(|range| [range.start, range.end]))
}

impl Serialize for LocalTime {
    /// Writes RFC 3339 text in UTC, in whole seconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&local_instant(*self))
    }
}

impl Serialize for FieldType {
    /// Writes the name that a describe has for it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Holder {
    /// Writes `{by, rule, record, field, at}`, null where it does not apply; `by` is `rule`, `pin`, `view`, `edit`
    /// or `lookup`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (by, rule, lookup, at) = match self {
            Holder::Rule(rule) => ("rule", Some(rule), None, None),
            Holder::Pinned(at) => ("pin", None, None, Some(at)),
            Holder::Viewed(at) => ("view", None, None, Some(at)),
            Holder::Edited => ("edit", None, None, None),
            Holder::PointedAt { by, field } => ("lookup", None, Some((by, field)), None),
        };
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("by", by)?;
        map.serialize_entry("rule", &rule)?;
        map.serialize_entry("record", &lookup.map(|(record, _)| record))?;
        map.serialize_entry("field", &lookup.map(|(_, field)| field))?;
        map.serialize_entry("at", &at)?;
        map.end()
    }
}

impl Serialize for RuleEstimate {
    /// Writes a member for each field, `truncated` and `download`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Taken apart, so that a field that is new is not forgotten.
        let RuleEstimate {
            rule,
            object,
            matches,
            exact,
            limit,
            records,
            bytes,
            here,
        } = self;
        let mut map = serializer.serialize_map(Some(10))?;
        map.serialize_entry("rule", rule)?;
        map.serialize_entry("object", object)?;
        map.serialize_entry("matches", matches)?;
        map.serialize_entry("exact", exact)?;
        map.serialize_entry("limit", limit)?;
        map.serialize_entry("truncated", &self.is_truncated())?;
        map.serialize_entry("records", records)?;
        map.serialize_entry("bytes", bytes)?;
        map.serialize_entry("here", here)?;
        map.serialize_entry("download", &self.download())?;
        map.end()
    }
}

impl Serialize for Row {
    /// Writes `{id, cells}`: the record, null for an aggregate, and each column's value, or the rows of a subquery.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Cells<'a>(&'a Row);
        impl Serialize for Cells<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.columns().iter().zip(self.0.cells()))
            }
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", &self.id())?;
        map.serialize_entry("cells", &Cells(self))?;
        map.end()
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Value(value) => value.serialize(serializer),
            Cell::Rows(rows) => rows.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::briefcase::Briefcase;
    use crate::membership::{Holder, Pin};
    use crate::outcome::Status;
    use crate::record::RecordId;
    use crate::schema::ObjectSchema;
    use crate::search::Hit;
    use crate::{Attache, LocalTime};

    fn print(value: &impl serde::Serialize) -> String {
        serde_json::to_string(value).expect("it prints")
    }

    fn id() -> RecordId {
        RecordId::parse("001D000000JliST").expect("an id")
    }

    #[test]
    fn what_holds_a_record_prints_with_all_members() {
        let at = LocalTime(1_795_339_800_123);
        let pin = Pin {
            record: id(),
            object: None,
            pinned_at: at,
            here: false,
        };
        assert_eq!(
            print(&pin),
            r#"{"record":"001D000000JliSTIAZ","object":null,"pinned_at":"2026-11-22T09:30:00Z","here":false}"#
        );
        let by = Holder::PointedAt {
            by: id(),
            field: "AccountId".into(),
        };
        assert_eq!(
            print(&[Holder::Viewed(at), by]),
            concat!(
                r#"[{"by":"view","rule":null,"record":null,"field":null,"at":"2026-11-22T09:30:00Z"},"#,
                r#"{"by":"lookup","rule":null,"record":"001D000000JliSTIAZ","field":"AccountId","at":null}]"#
            )
        );
    }

    #[test]
    fn counts_print_as_an_object_and_marks_as_pairs() {
        let status = Status {
            records: vec![("Account".into(), 2), ("Contact".into(), 0)],
            ..Status::default()
        };
        assert!(
            print(&status).contains(r#""records":{"Account":2,"Contact":0},"pending":0"#),
            "{}",
            print(&status)
        );
        let hit = Hit {
            id: id(),
            object: "Account".into(),
            title: "Acme".into(),
            field: "Name".into(),
            snippet: "Acme".into(),
            marks: std::iter::once(0..4).collect(),
            score: 1.5,
        };
        assert!(print(&hit).contains(r#""marks":[[0,4]],"score":1.5"#));
    }

    #[test]
    fn a_schema_prints_the_type_that_its_describe_had() {
        let object = ObjectSchema::from_describe(
            r#"{"name":"Quote","fields":[{"name":"Total","type":"currency","label":"Total"},
                {"name":"Odd","type":"hologram","label":"Odd"}]}"#,
        )
        .expect("a describe");
        let json = print(&object);
        for part in [
            r#"{"name":"Quote""#,
            r#""label":"Total","field_type":"currency""#,
            r#""field_type":"hologram""#,
            r#""record_types":[]"#,
        ] {
            assert!(json.contains(part), "{json}");
        }
    }

    #[test]
    fn an_import_prints_its_briefcase_as_a_document() {
        let import = Briefcase::from_mobile_sync(
            r#"{"syncs":[{"syncName":"a","syncType":"syncDown","soupName":"accounts","options":{"fieldlist":[],"mergeMode":"OVERWRITE"},"target":{"type":"soql","query":"SELECT Name FROM Account"}}]}"#,
            None,
        )
        .expect("an import");
        let json = print(&import);
        assert!(json.starts_with(r#"{"briefcase":{"version":1"#), "{json}");
    }

    #[test]
    fn an_empty_store_has_a_status() {
        let store = Attache::open_in_memory().expect("a store");
        let json = print(&store.status().expect("a status"));
        assert!(
            json.starts_with(r#"{"username":null,"records":{},"pending":0,"in_doubt":0"#),
            "{json}"
        );
    }
}
