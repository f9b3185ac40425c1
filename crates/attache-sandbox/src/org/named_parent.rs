//! A parent named by its external id inside a write.

use super::table::folded;
use super::{Org, SaveError, Viewer, input};
use crate::schema::ObjectDef;
use crate::value::Value;
use serde_json::value::RawValue;

impl Org {
    /// Reads `"Account": {"External_Id__c": "A-1"}` as a value of `AccountId`.
    pub(super) fn by_external_id(
        &self,
        viewer: &Viewer,
        definition: &ObjectDef,
        name: &str,
        raw: &RawValue,
    ) -> Result<(usize, Value), SaveError> {
        let unknown = || {
            let message = format!(
                "No such column '{name}' on sobject of type {}",
                definition.name
            );
            SaveError::new("INVALID_FIELD", message)
        };
        let lookup = definition.parent_field(name).ok_or_else(unknown)?;
        let at = definition.index(&lookup.name).ok_or_else(unknown)?;
        let named: std::collections::BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(raw.get()).map_err(|_| unknown())?;
        let mut named = named.into_iter().filter(|(key, _)| key != "attributes");
        let (Some((key_field, value)), None) = (named.next(), named.next()) else {
            return Err(unknown());
        };
        let parent = lookup
            .reference_to
            .first()
            .and_then(|name| self.schema.index(name))
            .ok_or_else(unknown)?;
        let parent_definition = &self.schema.objects()[parent];
        let key_at = parent_definition
            .index(&key_field)
            .filter(|&at| parent_definition.fields[at].external_id)
            .ok_or_else(|| {
                let message = format!(
                    "{key_field} is not an external id of {}",
                    parent_definition.name
                );
                SaveError::new("INVALID_FIELD", message)
            })?;
        let value = input::read(
            &value,
            &parent_definition.fields[key_at],
            &self.config.switches,
        )?;
        let table = &self.tables[parent];
        let folded = folded(parent_definition, key_at, &value);
        let found = folded.and_then(|value| {
            table
                .keyed(key_at, &value)
                .iter()
                .copied()
                .find(|&slot| !table.is_deleted(slot) && self.visible(viewer, parent, slot))
        });
        let slot = found.ok_or_else(|| {
            let message = format!(
                "Foreign key external ID not found for field {key_field} in entity {}",
                parent_definition.name
            );
            SaveError::new("INVALID_FIELD", message)
        })?;
        Ok((at, Value::text(table.id(slot))))
    }
}
