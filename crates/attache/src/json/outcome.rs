//! What the engine tells, as data: one form for every host that wants JSON.
//!
//! Members have the names of the Rust fields and are only ever added. Instants are RFC 3339
//! texts in UTC; values are written as [`Value::to_json`](crate::Value::to_json) does, so that numbers keep their
//! digits, which needs the serializer of `serde_json`.

use crate::env::LocalTime;
use crate::error::Problem;
use crate::outcome::{
    Dropped, Merged, Mutation, MutationState, Rejected, Report, Truncated, Unfollowed,
};
use crate::record::{Fields, RecordId, ServerTime, Value};
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = RawValue::from_string(self.to_json()).map_err(S::Error::custom)?;
        json.serialize(serializer)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Writes an instant of the server's as RFC 3339 text.
pub(crate) fn instant<S: Serializer>(
    time: &Option<ServerTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(ServerTime::to_soql).serialize(serializer)
}

/// Writes an instant of this device's as RFC 3339 text, in whole seconds.
pub(super) fn local_instant(time: LocalTime) -> String {
    ServerTime(time.0.div_euclid(1_000)).to_soql()
}

impl Serialize for Mutation {
    /// Writes `{seq, changeset, record, object, kind, state, fields, problems, made_at}`; the state is `pending`,
    /// `sending`, `in doubt`, `rejected` or `conflicted`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Mutation {
            seq,
            changeset,
            record,
            object,
            kind,
            fields,
            state,
            made_at,
        } = self;
        let (state, problems): (_, &[Problem]) = match state {
            MutationState::Pending => ("pending", &[]),
            MutationState::Sending => ("sending", &[]),
            MutationState::InDoubt(problems) => ("in doubt", problems),
            MutationState::Rejected(problems) => ("rejected", problems),
            MutationState::Conflicted => ("conflicted", &[]),
        };
        let mut map = serializer.serialize_map(Some(9))?;
        map.serialize_entry("seq", &seq.0)?;
        map.serialize_entry("changeset", changeset)?;
        map.serialize_entry("record", record)?;
        map.serialize_entry("object", object)?;
        map.serialize_entry("kind", kind)?;
        map.serialize_entry("state", state)?;
        map.serialize_entry("fields", fields)?;
        map.serialize_entry("problems", problems)?;
        map.serialize_entry("made_at", &local_instant(*made_at))?;
        map.end()
    }
}

/// A record and its object.
#[derive(Serialize)]
struct Named<'a> {
    record: &'a RecordId,
    object: &'a str,
}

impl Serialize for Report {
    /// Writes a member for each field, and `settled`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Taken apart, so that a field that is new is not forgotten.
        let Report {
            inserted,
            updated,
            evicted,
            deleted,
            out_of_sight,
            pushed_creates,
            pushed_updates,
            pushed_deletes,
            merged,
            dropped,
            rejected,
            conflicts,
            blocked,
            in_doubt,
            undecided,
            pending,
            truncated,
            unpinned,
            unfollowed,
            stopped,
            files,
            api_calls,
        } = self;
        let counts = [
            ("inserted", inserted),
            ("updated", updated),
            ("evicted", evicted),
            ("deleted", deleted),
            ("out_of_sight", out_of_sight),
            ("pushed_creates", pushed_creates),
            ("pushed_updates", pushed_updates),
            ("pushed_deletes", pushed_deletes),
            ("conflicts", conflicts),
            ("blocked", blocked),
            ("in_doubt", in_doubt),
            ("undecided", undecided),
            ("pending", pending),
            ("api_calls", api_calls),
        ];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("settled", &self.is_settled())?;
        for (name, count) in counts {
            map.serialize_entry(name, count)?;
        }
        map.serialize_entry::<_, Vec<Merged>>("merged", merged)?;
        map.serialize_entry::<_, Vec<Dropped>>("dropped", dropped)?;
        map.serialize_entry::<_, Vec<Rejected>>("rejected", rejected)?;
        map.serialize_entry::<_, Vec<Truncated>>("truncated", truncated)?;
        let unpinned: Vec<Named<'_>> = unpinned
            .iter()
            .map(|(record, object)| Named { record, object })
            .collect();
        map.serialize_entry("unpinned", &unpinned)?;
        map.serialize_entry::<_, Vec<Unfollowed>>("unfollowed", unfollowed)?;
        map.serialize_entry("stopped", stopped)?;
        map.serialize_entry("files", files)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::*;
    use crate::record::{Fields, RecordId, ServerTime, Value};
    use crate::schema::FieldType;
    use crate::{LocalTime, Problem};

    fn id() -> RecordId {
        RecordId::parse("001D000000JliST").expect("an id")
    }

    #[test]
    fn a_conflict_prints_with_all_digits() {
        let conflict = Conflict {
            id: ConflictId(7),
            record: id(),
            object: "Account".into(),
            title: Some("Acme".into()),
            kind: ConflictKind::DeletedAtRemote,
            fields: vec![ConflictField {
                name: "AnnualRevenue".into(),
                label: "Revenue".into(),
                field_type: FieldType::Currency,
                base: Value::Null,
                local: Value::Number("1234567890123456.78".parse().expect("a number")),
                remote: Value::from("x"),
            }],
            changed_by: None,
            changed_at: Some(ServerTime(1_795_339_800)),
        };
        assert_eq!(
            serde_json::to_string(&conflict).expect("it prints"),
            concat!(
                r#"{"id":7,"record":"001D000000JliSTIAZ","object":"Account","title":"Acme","kind":"deleted_at_remote","#,
                r#""fields":[{"name":"AnnualRevenue","label":"Revenue","base":null,"local":1234567890123456.78,"remote":"x"}],"#,
                r#""changed_by":null,"changed_at":"2026-11-22T09:30:00Z"}"#
            )
        );
    }

    #[test]
    fn a_mutation_prints_its_state_and_why() {
        let problem = Problem {
            fields: vec!["Name".into()],
            code: "C".into(),
            message: "m".into(),
            duplicates: None,
        };
        let mutation = Mutation {
            seq: JournalSeq(3),
            changeset: 2,
            record: id(),
            object: "Account".into(),
            kind: MutationKind::Update,
            fields: Fields::from([("Name", "x")]),
            state: MutationState::Rejected(vec![problem]),
            made_at: LocalTime(1_795_339_800_123),
        };
        assert_eq!(
            serde_json::to_string(&mutation).expect("it prints"),
            concat!(
                r#"{"seq":3,"changeset":2,"record":"001D000000JliSTIAZ","object":"Account","kind":"update","#,
                r#""state":"rejected","fields":{"Name":"x"},"problems":[{"fields":["Name"],"code":"C","message":"m"}],"#,
                r#""made_at":"2026-11-22T09:30:00Z"}"#
            )
        );
    }

    #[test]
    fn a_report_prints_every_count_and_whether_it_is_settled() {
        let report = Report {
            inserted: 5,
            unpinned: vec![(id(), "Account".into())],
            ..Report::default()
        };
        let json = serde_json::to_string(&report).expect("it prints");
        for part in [
            r#""settled":true"#,
            r#""inserted":5"#,
            r#""pushed_creates":0"#,
            r#""merged":[]"#,
            r#""unpinned":[{"record":"001D000000JliSTIAZ","object":"Account"}]"#,
        ] {
            assert!(json.contains(part), "{json}");
        }
    }
}
