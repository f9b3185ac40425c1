//! What a host passes in: JSON objects, and `Field=Value` on a command line.

use super::scalar;
use crate::error::{Error, Problem, Result};
use crate::record::{Fields, Value};
use crate::schema::check;
use crate::schema::{FieldSchema, FieldType, ObjectSchema};
use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

impl Value {
    /// Reads the value of a field from plain text, as on a command line; empty text is null.
    ///
    /// Numbers are decimals with a point; dates are `2024-01-31`, instants have an
    /// offset (`2024-01-31T08:00:00Z`), checkboxes are `true` or `false`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRecord`](crate::ErrorKind) with one problem if the text is no value of the field's type.
    pub fn parse(field: &FieldSchema, text: &str) -> Result<Value> {
        scalar::parse_text(&field.field_type, text)
            .ok_or_else(|| check::refuse(vec![check::wrong_type(field)]))
    }
}

impl Fields {
    /// Reads the fields of one record from a JSON object.
    ///
    /// Names may be in any case and get that of the schema. Numbers and checkboxes may be
    /// given as strings, which keeps the digits of money on their way through hosts
    /// whose JSON numbers are binary. Types are checked here, everything else
    /// (lengths, picklists, what is required) when the fields are written.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) if the text is not a JSON object;
    /// [`ErrorKind::InvalidRecord`](crate::ErrorKind) with a problem for every unknown field and every value that
    /// is not of its field's type.
    ///
    /// # Examples
    /// ```
    /// use attache::{Fields, ObjectSchema};
    ///
    /// # fn main() -> attache::Result<()> {
    /// let object = ObjectSchema::from_describe(
    ///     r#"{"name":"Opportunity","fields":[{"name":"Amount","type":"currency","label":"Amount"}]}"#,
    /// )?;
    /// let fields = Fields::from_json(&object, r#"{"amount": "1234567890123456.78"}"#)?;
    /// assert_eq!(fields.to_json(), r#"{"Amount":1234567890123456.78}"#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_json(object: &ObjectSchema, json: &str) -> Result<Fields> {
        let (fields, problems) = Fields::read_json(object, json)?;
        if problems.is_empty() {
            Ok(fields)
        } else {
            Err(check::refuse(problems))
        }
    }

    /// Reads what can be read, and says what is wrong with the rest.
    pub(crate) fn read_json(object: &ObjectSchema, json: &str) -> Result<(Fields, Vec<Problem>)> {
        let mut parser = serde_json::Deserializer::from_str(json);
        let given = parser
            .deserialize_map(Members)
            .and_then(|given| parser.end().map(|()| given))
            // The parser's own error may quote what it stumbled over.
            .map_err(|error| {
                Error::invalid(format!(
                    "the fields of a record are one JSON object; line {} column {} is not",
                    error.line(),
                    error.column(),
                ))
            })?;
        let mut fields = Fields::new();
        let mut problems = Vec::new();
        for (name, raw) in given {
            let Some(field) = object.field(&name) else {
                problems.push(check::unknown_field(object, &name));
                continue;
            };
            match value(&field.field_type, raw.get()) {
                Some(value) => {
                    if fields.set(&field.name, value).is_some() {
                        problems.push(check::given_twice(field));
                    }
                }
                None => problems.push(check::wrong_type(field)),
            }
        }
        Ok((fields, problems))
    }
}

impl ObjectSchema {
    /// Checks the fields of a new record, a JSON object, as [`check_create`](ObjectSchema::check_create) does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) if the text is not a JSON object;
    /// [`ErrorKind::InvalidRecord`](crate::ErrorKind) with all that is wrong, what cannot be read among it.
    ///
    /// # Examples
    /// ```
    /// use attache::ObjectSchema;
    ///
    /// # fn main() -> attache::Result<()> {
    /// let object = ObjectSchema::from_describe(
    ///     r#"{"name":"Task","createable":true,
    ///         "fields":[{"name":"Subject","type":"string","length":9,"label":"Subject","createable":true}]}"#,
    /// )?;
    /// assert_eq!(object.check_create_json(r#"{"subject": " Call "}"#)?.to_json(), r#"{"Subject":"Call"}"#);
    /// let error = object.check_create_json(r#"{"Subject": "Call them back", "Mood": "good"}"#);
    /// assert_eq!(error.unwrap_err().problems().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn check_create_json(&self, fields: &str) -> Result<Fields> {
        let (fields, problems) = Fields::read_json(self, fields)?;
        settled(problems, self.check_create(&fields))
    }

    /// Checks changes to a record, a JSON object as `current` is, as [`check_update`](ObjectSchema::check_update) does.
    ///
    /// # Errors
    /// Those of [`check_create_json`](ObjectSchema::check_create_json); nothing is held against `current` but that it
    /// cannot be read.
    pub fn check_update_json(&self, current: &str, changes: &str) -> Result<Fields> {
        let current = Fields::from_json(self, current)?;
        let (changes, problems) = Fields::read_json(self, changes)?;
        settled(problems, self.check_update(&current, &changes))
    }
}

fn settled(mut problems: Vec<Problem>, checked: Result<Fields>) -> Result<Fields> {
    let checked = check::joined(&mut problems, checked)?;
    if problems.is_empty() {
        Ok(checked)
    } else {
        Err(check::refuse(problems))
    }
}

fn value(ty: &FieldType, json: &str) -> Option<Value> {
    let is_date = matches!(ty, FieldType::Date | FieldType::DateTime | FieldType::Time);
    if json.starts_with('"') && (*ty == FieldType::Boolean || ty.is_number() || is_date) {
        let text: String = serde_json::from_str(json).ok()?;
        // Blanks are cut at the org, too, and what is nothing but blanks is nothing.
        return scalar::parse_text(ty, text.trim());
    }
    if ty.is_number() && json != "null" {
        return scalar::parse_text(ty, json);
    }
    scalar::read(ty, json)
}

/// The members of an object in their order, none of them lost.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(map.size_hint().unwrap_or(8));
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn opportunity() -> ObjectSchema {
        ObjectSchema::from_describe(
            r#"{"name":"Opportunity","fields":[
                {"name":"Name","type":"string","label":"Name"},
                {"name":"Amount","type":"currency","label":"Amount"},
                {"name":"CloseDate","type":"date","label":"Close Date"},
                {"name":"IsPrivate","type":"boolean","label":"Private"},
                {"name":"AccountId","type":"reference","label":"Account ID"},
                {"name":"Due__c","type":"datetime","label":"Due"}]}"#,
        )
        .expect("a describe")
    }

    #[test]
    fn names_get_the_case_of_the_schema_and_money_keeps_its_digits() {
        let fields = Fields::from_json(
            &opportunity(),
            r#"{"name":"x","AMOUNT":"1234567890123456.78","closeDate":null,
                "isPrivate":"true","AccountId":"001D000000JliST","Due__c":"2024-01-31T09:00:00+01:00"}"#,
        )
        .expect("fields");
        assert_eq!(
            fields.to_json(),
            concat!(
                r#"{"AccountId":"001D000000JliSTIAZ","Amount":1234567890123456.78,"CloseDate":null,"#,
                r#""Due__c":"2024-01-31T08:00:00.000+0000","IsPrivate":true,"Name":"x"}"#
            )
        );
        let number = Fields::from_json(&opportunity(), r#"{"Amount":1234567890123456.78}"#);
        assert_eq!(
            number.expect("fields").to_json(),
            r#"{"Amount":1234567890123456.78}"#
        );
    }

    #[test]
    fn blanks_around_a_number_or_a_day_mean_nothing() {
        let json = r#"{"Amount":" 5 ","CloseDate":" 2024-01-31","Due__c":"  "}"#;
        let fields = Fields::from_json(&opportunity(), json).expect("fields");
        assert_eq!(
            fields.to_json(),
            r#"{"Amount":5,"CloseDate":"2024-01-31","Due__c":null}"#
        );
    }

    #[test]
    fn all_problems_are_told_at_once_and_no_value_with_them() {
        let error = Fields::from_json(
            &opportunity(),
            r#"{"CloseDate":"secret","Amuont":1,"Amount":"secret","Name":"a","NAME":"b"}"#,
        )
        .expect_err("four problems");
        assert_eq!(error.kind(), ErrorKind::InvalidRecord);
        let codes: Vec<_> = error.problems().iter().map(|p| p.code.as_str()).collect();
        assert_eq!(
            codes,
            [
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                "INVALID_FIELD",
                "INVALID_TYPE_ON_FIELD_IN_RECORD",
                "INVALID_FIELD",
            ]
        );
        assert!(error.problems()[1].message.contains("Amount"));
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }

    #[test]
    fn what_is_not_one_object_is_refused_with_its_place() {
        for json in ["", "[]", "{\"Name\":\"x\"} 1", "{\"Name\":}", "null"] {
            let error = Fields::from_json(&opportunity(), json).expect_err(json);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{json}");
        }
    }

    #[test]
    fn a_value_on_a_command_line_is_read_by_its_field() {
        let object = opportunity();
        let parse = |name: &str, text| {
            Value::parse(object.field(name).expect("a field"), text).map(|value| value.to_json())
        };
        assert_eq!(parse("Amount", "12.50").expect("a number"), "12.50");
        assert_eq!(parse("Amount", "").expect("null"), "null");
        assert_eq!(parse("Name", "12.50").expect("text"), "\"12.50\"");
        assert_eq!(parse("IsPrivate", "True").expect("a checkbox"), "true");
        let error = parse("CloseDate", "31.1.2024").expect_err("not a date");
        assert_eq!(error.problems()[0].fields, ["CloseDate"]);
        assert!(error.to_string().contains("Close Date"), "{error}");
    }
}
