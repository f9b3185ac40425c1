//! Checks an edit as far as this device can: the describe, what the briefcase carries, what lookups point at.

use super::{Reading, Table, Writing};
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::outcome::MutationKind;
use crate::record::{Fields, RecordId, Value, is_local};
use crate::schema::check::{check_kind, joined};
use crate::schema::{FieldSchema, FieldType, ObjectSchema, RecordType};

/// The fields of an edit as they were given, with what was wrong with them before they could be looked at.
pub(crate) struct Given<'a> {
    pub fields: &'a Fields,
    pub problems: Vec<Problem>,
}

impl<'a> From<&'a Fields> for Given<'a> {
    fn from(fields: &'a Fields) -> Given<'a> {
        Given {
            fields,
            problems: Vec::new(),
        }
    }
}

impl Writing<'_> {
    /// Checks a create and gives its fields as the journal keeps them.
    pub(super) fn checked_create(&self, table: &Table, given: Given<'_>) -> Result<Fields> {
        let check = |fields: &Fields| table.object.check_create(fields);
        self.checked(table, None, given, check)
    }

    /// Checks changes of a record and gives them as the journal keeps them.
    pub(super) fn checked_update(
        &self,
        table: &Table,
        current: &str,
        before: &Fields,
        given: Given<'_>,
    ) -> Result<Fields> {
        if is_local(current) {
            let check = |fields: &Fields| self.check_unsent(&table.object, current, fields);
            return self.checked(table, Some(before), given, check);
        }
        self.checked(table, Some(before), given, |fields| {
            table.object.check_update(before, fields)
        })
    }

    /// `before` is the record as it is here; a create has none.
    fn checked(
        &self,
        table: &Table,
        before: Option<&Fields>,
        given: Given<'_>,
        check: impl FnOnce(&Fields) -> Result<Fields>,
    ) -> Result<Fields> {
        let object = &table.object;
        let mut problems = given.problems;
        let fields = self.with_current_ids(object, given.fields, &mut problems)?;
        let checked = joined(&mut problems, check(&fields))?;
        problems.extend(self.outside_record_type(object, before, &fields, &problems)?);
        for (name, _) in fields.iter() {
            let told = |problem: &Problem| problem.fields.iter().any(|field| field == name);
            let unseen = object.field(name).is_some() && table.place(name).is_none();
            if unseen && !problems.iter().any(told) {
                problems.push(uncarried(object, name));
            }
        }
        if problems.is_empty() {
            Ok(checked)
        } else {
            Err(invalid_record(object, problems))
        }
    }

    /// Lists what a write chooses of restricted picklists that the record's type leaves out of them.
    ///
    /// As at the server, a picklist that is not restricted takes anything, and what is not changed may stay.
    fn outside_record_type(
        &self,
        object: &ObjectSchema,
        before: Option<&Fields>,
        given: &Fields,
        told: &[Problem],
    ) -> Result<Vec<Problem>> {
        if object.field("RecordTypeId").is_none() {
            return Ok(Vec::new());
        }
        let named = |fields: &Fields| {
            let mut all = fields.iter();
            let own = all.find(|(name, _)| name.eq_ignore_ascii_case("RecordTypeId"));
            own.map(|(_, value)| value.as_text().map(str::to_owned))
        };
        let id = match named(given).or_else(|| before.and_then(named)) {
            Some(id) => id,
            // A create that says nothing gets the user's default; a record without a record type is the master's.
            None => {
                let own = |one: &&RecordType| {
                    if before.is_none() {
                        one.default
                    } else {
                        one.master
                    }
                };
                object
                    .record_types
                    .iter()
                    .find(own)
                    .map(|one| one.id.clone())
            }
        };
        let kinds = object.record_types.iter();
        let kind = match &id {
            Some(id) => kinds.into_iter().find(|one| one.id == *id),
            None => kinds.into_iter().find(|one| one.master),
        };
        let Some(kind) = kind else {
            return Ok(Vec::new());
        };
        let mut problems = Vec::new();
        for (name, value) in given.iter() {
            let Some(field) = object.field(name).filter(|field| field.restricted_picklist) else {
                continue;
            };
            let known = told
                .iter()
                .any(|problem| problem.fields.contains(&field.name));
            let stays = before.is_some_and(|before| before.get(&field.name) == Some(value));
            if known || stays {
                continue;
            }
            if let Some(left) = self
                .reading()
                .picklist(&object.name, &kind.id, &field.name)?
            {
                problems.extend(check_kind(field, value, &left, &kind.name));
            }
        }
        Ok(problems)
    }

    /// The server has yet to see the record: what may be set in a create may still be changed.
    pub(super) fn check_unsent(
        &self,
        object: &ObjectSchema,
        current: &str,
        changes: &Fields,
    ) -> Result<Fields> {
        let mut whole: Fields = self
            .reading()
            .entries_of(current)?
            .into_iter()
            .flat_map(|entry| entry.fields)
            .collect();
        for (name, value) in changes.iter() {
            let name = object.field(name).map_or(name, |field| &field.name);
            whole.set(name, value.clone());
        }
        let named = |name: &str| {
            changes
                .names()
                .any(|change| change.eq_ignore_ascii_case(name))
        };
        Ok(object
            .check_create(&whole)?
            .into_iter()
            .filter(|(name, _)| named(name))
            .collect())
    }

    /// Lookups may name a record by the identity it had before the server gave it an id.
    fn with_current_ids(
        &self,
        object: &ObjectSchema,
        fields: &Fields,
        problems: &mut Vec<Problem>,
    ) -> Result<Fields> {
        let mut current = fields.clone();
        for (name, value) in fields.iter() {
            let Some(field) = object
                .field(name)
                .filter(|field| field.field_type == FieldType::Reference)
            else {
                continue;
            };
            let Some(Ok(given)) = value.as_text().map(|text| RecordId::parse(text.trim())) else {
                continue;
            };
            let id = self.reading().current(given.as_str())?;
            problems.extend(self.reading().misleads(field, &id)?);
            if value.as_text() != Some(&id) {
                current.set(name, id);
            }
        }
        Ok(current)
    }
}

impl Reading<'_> {
    /// Says what is wrong with the target of a lookup, as far as this device knows it.
    ///
    /// A record that is not here may be at the server all the same.
    fn misleads(&self, field: &FieldSchema, id: &str) -> Result<Option<Problem>> {
        let say = |code: &str, message: String| Problem {
            fields: vec![field.name.clone()],
            code: code.into(),
            message,
            duplicates: None,
        };
        let place = self.locate(&RecordId::trusted(id))?;
        let deleted = || -> Result<bool> {
            let entries = self.entries_of(id)?;
            Ok(entries
                .iter()
                .any(|entry| entry.kind == MutationKind::Delete))
        };
        if place.is_none() && (is_local(id) || deleted()?) {
            let message = format!(
                "{} points at a record that is not on this device; choose another one",
                field.label
            );
            return Ok(Some(say("INVALID_CROSS_REFERENCE_KEY", message)));
        }
        let known = place
            .map(|place| place.table.object.name.clone())
            .or_else(|| {
                let object = self.catalogue.schema.object_of_id(id)?;
                Some(object.name.clone())
            });
        let may = |name: &String| {
            field
                .reference_to
                .iter()
                .any(|target| target.eq_ignore_ascii_case(name))
        };
        Ok(known
            .filter(|name| !field.reference_to.is_empty() && !may(name))
            .map(|name| {
                let message = format!(
                    "{} points at {}, not at {name}",
                    field.label,
                    field.reference_to.join(" or ")
                );
                say("MALFORMED_ID", message)
            }))
    }
}

fn uncarried(object: &ObjectSchema, name: &str) -> Problem {
    Problem {
        fields: vec![name.to_owned()],
        code: "INVALID_FIELD".into(),
        message: format!("the briefcase does not carry {}.{name}", object.name),
        duplicates: None,
    }
}

fn invalid_record(object: &ObjectSchema, problems: Vec<Problem>) -> Error {
    let count = problems.len();
    let first = problems
        .first()
        .map(|problem| problem.message.clone())
        .unwrap_or_default();
    let more = if count > 1 {
        format!(" (and {} more)", count - 1)
    } else {
        String::new()
    };
    Error::new(
        ErrorKind::InvalidRecord,
        format!("the {} cannot be saved: {first}{more}", object.label),
    )
    .with_problems(problems)
}

/// A value that a form may show for a field before anybody has typed into it.
pub(super) fn default_of(field: &FieldSchema) -> Option<Value> {
    if field.field_type == FieldType::Boolean {
        return Some(field.default_value.clone().unwrap_or(Value::Boolean(false)));
    }
    let entry = field
        .picklist
        .iter()
        .find(|entry| entry.default && entry.active);
    entry
        .map(|entry| Value::text(&entry.value))
        .or_else(|| field.default_value.clone())
        .filter(|_| field.defaulted_on_create)
}
