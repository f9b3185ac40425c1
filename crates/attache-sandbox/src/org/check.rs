//! The rules a describe tells: what a value must be like for the platform to take it.

use super::config::Switches;
use super::input::malformed_id;
use super::save::Draft;
use super::{Org, SaveError, Viewer, key, record_types};
use crate::schema::{FieldDef, FieldKind, ObjectDef};
use crate::value::Value;

/// Most entries of a multi-select list.
const MOST_ENTRIES: usize = 100;

/// Lists what is wrong with the values of a draft, looked at by themselves.
pub(super) fn values(draft: &Draft, object: &ObjectDef, switches: &Switches) -> Vec<SaveError> {
    let mut errors = Vec::from_iter(required(draft, object));
    for &at in &draft.touched {
        let (field, value) = (&object.fields[at], &draft.row[at]);
        let Some(text) = value.as_text() else {
            continue;
        };
        errors.extend(length(field, text));
        match field.kind {
            FieldKind::Email if !is_email(text) => errors.push(SaveError::field(
                "INVALID_EMAIL_ADDRESS",
                &field.name,
                format!("{}: invalid email address: {text}", field.label),
            )),
            // A value that is no longer listed may stay.
            FieldKind::Picklist if draft.moves(at) => errors.extend(entry(field, text)),
            FieldKind::MultiPicklist if text.split(';').count() > MOST_ENTRIES => {
                errors.push(SaveError::field(
                    "TOO_MANY_ENUM_VALUE",
                    &field.name,
                    format!("{}: too many values selected", field.label),
                ))
            }
            FieldKind::MultiPicklist if draft.moves(at) => {
                errors.extend(text.split(';').find_map(|one| entry(field, one)))
            }
            _ => {}
        }
    }
    if switches.enforces_dependent_picklists {
        errors.extend(dependent(draft, object));
    }
    let picklists = switches.enforces_record_type_picklists;
    errors.extend(record_types::check(draft, object, picklists));
    errors
}

/// The one error that names all missing fields.
fn required(draft: &Draft, object: &ObjectDef) -> Option<SaveError> {
    let missing: Vec<String> = object
        .fields
        .iter()
        .enumerate()
        .filter(|(at, field)| {
            let asked = if draft.is_new() {
                field.createable
            } else {
                draft.touched.contains(at)
            };
            asked && !field.nillable && draft.row[*at].is_null()
        })
        .map(|(_, field)| field.name.clone())
        .collect();
    (!missing.is_empty()).then(|| SaveError {
        fields: missing.clone(),
        ..SaveError::new(
            "REQUIRED_FIELD_MISSING",
            format!("Required fields are missing: [{}]", missing.join(", ")),
        )
    })
}

fn length(field: &FieldDef, text: &str) -> Option<SaveError> {
    let long = field.length > 0 && text.chars().count() > field.length as usize;
    long.then(|| {
        let start: String = text.chars().take(100).collect();
        SaveError::field(
            "STRING_TOO_LONG",
            &field.name,
            format!(
                "{}: data value too large: {start} (max length={})",
                field.label, field.length
            ),
        )
    })
}

fn entry(field: &FieldDef, value: &str) -> Option<SaveError> {
    let known = field
        .picklist
        .iter()
        .any(|entry| entry.active && entry.value == value);
    (field.restricted_picklist && !known).then(|| bad_entry(field, value))
}

pub(super) fn bad_entry(field: &FieldDef, value: &str) -> SaveError {
    SaveError::field(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        &field.name,
        format!(
            "{}: bad value for restricted picklist field: {value}",
            field.label
        ),
    )
}

/// Finds values that do not go with the value of the field that controls them.
fn dependent(draft: &Draft, object: &ObjectDef) -> Vec<SaveError> {
    let mut errors = Vec::new();
    for (at, field) in object.fields.iter().enumerate() {
        let Some(controller) = field
            .controller
            .as_deref()
            .and_then(|name| object.index(name))
        else {
            continue;
        };
        let touched = draft.moves(at) || draft.moves(controller);
        let Some(text) = draft.row[at].as_text().filter(|_| touched) else {
            continue;
        };
        let chosen = match &draft.row[controller] {
            Value::Bool(on) => Some(usize::from(*on)),
            Value::Text(value) => object.fields[controller]
                .picklist
                .iter()
                .position(|entry| *entry.value == **value),
            _ => None,
        };
        let wrong = text.split(';').find(|one| {
            let entry = field.picklist.iter().find(|entry| entry.value == **one);
            entry
                .and_then(|entry| entry.valid_for.as_ref())
                .is_some_and(|valid| !chosen.is_some_and(|chosen| valid.contains(&chosen)))
        });
        errors.extend(wrong.map(|one| bad_entry(field, one)));
    }
    errors
}

/// Says whether a text looks like an address as the platform demands it: `local@domain.tld`.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && local
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"()<>[]:;@\\,\"".contains(&byte))
        && labels.len() > 1
        && labels
            .iter()
            .all(|label| !label.is_empty() && label.bytes().all(plain))
}

impl Org {
    /// Lists the lookups of a draft that name nothing, the wrong thing, or what the user may not see.
    pub(super) fn check_references(&self, viewer: &Viewer, draft: &Draft) -> Vec<SaveError> {
        let object = &self.schema.objects()[draft.object];
        let given = draft
            .touched
            .iter()
            .filter(|&&at| object.fields[at].kind == FieldKind::Reference && draft.moves(at));
        given
            .filter_map(|&at| {
                let id = draft.row[at].as_text()?;
                self.check_reference(viewer, &object.fields[at], id)
            })
            .collect()
    }

    fn check_reference(&self, viewer: &Viewer, field: &FieldDef, id: &str) -> Option<SaveError> {
        let named = self.schema.by_prefix(id);
        let allowed = |name: &str| {
            field
                .reference_to
                .iter()
                .any(|target| target.eq_ignore_ascii_case(name))
        };
        if named.is_some_and(|object| !allowed(&object.name))
            || (named.is_none() && field.reference_to.len() == 1)
        {
            return Some(malformed_id(field, id));
        }
        let missing = || {
            SaveError::field(
                "INVALID_CROSS_REFERENCE_KEY",
                &field.name,
                "invalid cross reference id",
            )
        };
        let Some((object, slot)) = self.locate(id) else {
            return Some(missing());
        };
        if self.tables[object].is_deleted(slot) {
            return Some(missing());
        }
        let reaches = match field.relationship_order {
            // The detail of a master changes what the master's readers see.
            Some(_) => self.editable(viewer, object, slot),
            None => self.visible(viewer, object, slot),
        };
        if !reaches {
            let message = format!("insufficient access rights on cross-reference id: {id}");
            return Some(SaveError::field(
                "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
                &field.name,
                message,
            ));
        }
        (field.name == "OwnerId" && self.is_inactive_user(id)).then(|| {
            let message =
                format!("operation performed with inactive user [{id}] as owner of this record");
            SaveError::field("INACTIVE_OWNER_OR_USER", &field.name, message)
        })
    }

    fn is_inactive_user(&self, id: &str) -> bool {
        let Some(users) = self.schema.index("User") else {
            return false;
        };
        let active = self.schema.objects()[users].index("IsActive");
        let slot = key(id).and_then(|id| self.tables[users].find(&id));
        matches!((active, slot), (Some(at), Some(slot)) if *self.tables[users].value(slot, at) == Value::Bool(false))
    }

    /// Finds the rows that already have a value of the draft that must be unique.
    pub(super) fn check_unique(&self, draft: &Draft) -> Vec<SaveError> {
        let (table, object) = (
            &self.tables[draft.object],
            &self.schema.objects()[draft.object],
        );
        let unique = table
            .columns
            .keys
            .iter()
            .filter(|&&at| object.fields[at].unique && draft.touched.contains(&at));
        unique
            .filter_map(|&at| {
                let value = super::table::folded(object, at, &draft.row[at])?;
                let mut others = table
                    .keyed(at, &value)
                    .iter()
                    .filter(|&&slot| !table.is_deleted(slot));
                let twin = others.find(|&&slot| Some(slot) != draft.slot)?;
                let name = &object.fields[at].name;
                let id = &table.id(*twin)[..15];
                Some(SaveError::field(
                    "DUPLICATE_VALUE",
                    name,
                    format!(
                        "duplicate value found: {name} duplicates value on record with id: {id}"
                    ),
                ))
            })
            .collect()
    }
}
