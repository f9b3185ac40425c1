//! How a person settles a conflict, as JSON.

use super::read_value;
use crate::engine::Attache;
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::{Conflict, ConflictId, Keep, Resolution};
use crate::record::Value;
use crate::schema::FieldType;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Mine,
    Theirs,
    Later,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewValue<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

impl Resolution {
    /// Reads how a conflict is settled: `"mine"`, `"theirs"`, or for each field `{"Phone": "mine", "Name": "theirs",
    /// "Rating": {"value": "Hot"}, "Fax": "later"}`.
    ///
    /// Values are read by the types that the conflict tells of its fields.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the text is none of these, or gives a value of another type, or one of a
    /// field that is not in conflict.
    pub fn from_json(conflict: &Conflict, json: &str) -> Result<Resolution> {
        read(json, |name| {
            let field = conflict.fields.iter().find(|field| field.name == name);
            field.map(|field| field.field_type.clone())
        })
    }
}

impl Attache {
    /// Settles a conflict as [`resolve`](Attache::resolve) does, in the words of [`Resolution::from_json`].
    ///
    /// # Errors
    /// Those of both.
    pub fn resolve_json(&self, id: ConflictId, resolution: &str) -> Result<()> {
        let conflicts = self.conflicts()?;
        let conflict = conflicts.iter().find(|conflict| conflict.id == id);
        let resolution = match conflict {
            Some(conflict) => Resolution::from_json(conflict, resolution)?,
            // Not open: `resolve` says so. A text that is none is told first.
            None => read(resolution, |_| None)?,
        };
        self.resolve(id, resolution)
    }

    /// Settles all open conflicts, or those of one object, as [`resolve_all`](Attache::resolve_all) does: `"mine"` or
    /// `"theirs"`.
    ///
    /// # Errors
    /// Those of [`resolve_all`](Attache::resolve_all); [`ErrorKind::InvalidArgument`] if the text is neither.
    pub fn resolve_all_json(
        &self,
        object: Option<&str>,
        resolution: &str,
    ) -> Result<Vec<ConflictId>> {
        self.resolve_all(object, &read(resolution, |_| None)?)
    }
}

fn read(json: &str, type_of: impl Fn(&str) -> Option<FieldType>) -> Result<Resolution> {
    match serde_json::from_str(json) {
        Ok(Word::Mine) => return Ok(Resolution::Mine),
        Ok(Word::Theirs) => return Ok(Resolution::Theirs),
        Ok(Word::Later) | Err(_) => {}
    }
    let malformed = || {
        Error::new(
            ErrorKind::InvalidArgument,
            "a resolution is \"mine\", \"theirs\" or an object with, for each field, \"mine\", \"theirs\", \"later\" \
             or {\"value\": ...}",
        )
    };
    let choices: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).map_err(|_| malformed())?;
    let mut kept = BTreeMap::new();
    for (name, choice) in choices {
        let keep = match serde_json::from_str(choice.get()) {
            Ok(Word::Mine) => Keep::Mine,
            Ok(Word::Theirs) => Keep::Theirs,
            Ok(Word::Later) => Keep::Later,
            Err(_) => {
                let new: NewValue<'_> =
                    serde_json::from_str(choice.get()).map_err(|_| malformed())?;
                Keep::Value(value(&name, type_of(&name), new.value)?)
            }
        };
        kept.insert(name, keep);
    }
    Ok(Resolution::PerField(kept))
}

fn value(name: &str, ty: Option<FieldType>, raw: &RawValue) -> Result<Value> {
    let Some(ty) = ty else {
        return Err(Error::invalid(format!(
            "there is no conflict about a field {name}"
        )));
    };
    read_value(&ty, raw).ok_or_else(|| {
        Error::invalid(format!(
            "the new value of {name} is not of its type ({})",
            ty.name()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{ConflictField, ConflictKind};
    use crate::record::RecordId;

    fn conflict() -> Conflict {
        let field = |name: &str, field_type| ConflictField {
            name: name.into(),
            label: name.into(),
            field_type,
            base: Value::Null,
            local: Value::Null,
            remote: Value::Null,
        };
        Conflict {
            id: ConflictId(1),
            record: RecordId::parse("001D000000JliST").expect("an id"),
            object: "Account".into(),
            title: None,
            kind: ConflictKind::Fields,
            fields: vec![
                field("Name", FieldType::String),
                field("AnnualRevenue", FieldType::Currency),
            ],
            changed_by: None,
            changed_at: None,
        }
    }

    #[test]
    fn every_form_is_read_and_money_keeps_its_digits() {
        let read = |json| Resolution::from_json(&conflict(), json).expect("a resolution");
        assert_eq!(read("\"mine\""), Resolution::Mine);
        assert_eq!(read("\"theirs\""), Resolution::Theirs);
        let revenue = Value::Number("1234567890123456.78".parse().expect("a number"));
        assert_eq!(
            read(r#"{"Name": "later", "AnnualRevenue": {"value": 1234567890123456.78}}"#),
            Resolution::per_field([
                ("Name", Keep::Later),
                ("AnnualRevenue", Keep::Value(revenue))
            ])
        );
        assert_eq!(
            read(r#"{"Name": {"value": null}}"#),
            Resolution::per_field([("Name", Keep::Value(Value::Null))])
        );
    }

    #[test]
    fn what_is_no_resolution_is_refused() {
        for json in [
            "",
            "\"later\"",
            "\"ours\"",
            "[]",
            r#"{"Name": "yours"}"#,
            r#"{"Name": {"value": 1, "more": 2}}"#,
            r#"{"AnnualRevenue": {"value": "much"}}"#,
            r#"{"Phone": {"value": "1"}}"#,
        ] {
            let refused = Resolution::from_json(&conflict(), json);
            let kind = refused.map_err(|error| error.kind());
            assert_eq!(kind, Err(ErrorKind::InvalidArgument), "{json}");
        }
    }
}
