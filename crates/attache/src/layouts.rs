//! What a host draws forms from, read offline: layouts, record types, picklist values.

use crate::engine::Attache;
use crate::error::{Error, ErrorKind, Result};
use crate::form::Layout;
use crate::record::RecordId;
use crate::schema::{ObjectSchema, PicklistEntry, RecordType};
use crate::store::Durability;
use std::sync::Arc;

/// Layouts, record types and the picklist values of each: for hosts that draw forms.
///
/// Sessions fetch them for the objects whose briefcase options say `"layouts": true` or take their fields
/// from a layout, once a day, since the API cannot say that they did not change. A `record_type` is given
/// by its id or its API name; `None` is the one that this user's new records get.
impl Attache {
    /// The record types of an object, the master among them.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownObject`] for an object that was not described.
    pub fn record_types(&self, object: &str) -> Result<Vec<RecordType>> {
        Ok(self.described(object)?.record_types.clone())
    }

    /// How records of a record type are laid out; `None` if the layout is not on this device.
    ///
    /// ```no_run
    /// # fn draw(attache: &attache::Attache) -> attache::Result<()> {
    /// if let Some(layout) = attache.layout("Account", None)? {
    ///     for section in &layout.edit {
    ///         println!("{}", section.heading.as_deref().unwrap_or_default());
    ///         for item in section.rows.iter().flatten().filter(|item| !item.is_blank()) {
    ///             println!("  {}{}: {}", item.label, if item.required { "*" } else { "" }, item.fields.join(", "));
    ///         }
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::UnknownObject`]; [`ErrorKind::InvalidArgument`] for a record type that the object does not have.
    pub fn layout(&self, object: &str, record_type: Option<&str>) -> Result<Option<Layout>> {
        let described = self.described(object)?;
        let record_type = record_type_of(&described, record_type)?;
        let form = self.store.read(|r| r.form(&described.name))?;
        let layout = form.and_then(|form| form.layout(&record_type.id).cloned());
        Ok(layout.map(|layout| layout.seen(&described)))
    }

    /// The few fields that stand for a record of a record type where there is little room; empty if they are
    /// not on this device.
    ///
    /// # Errors
    /// As [`layout`](Attache::layout).
    pub fn compact_layout(&self, object: &str, record_type: Option<&str>) -> Result<Vec<String>> {
        let described = self.described(object)?;
        let record_type = record_type_of(&described, record_type)?;
        let form = self.store.read(|r| r.form(&described.name))?;
        let kind = form.and_then(|mut form| form.kinds.remove(&record_type.id));
        let mut fields = kind.map(|kind| kind.compact).unwrap_or_default();
        fields.retain(|name| described.field(name).is_some());
        Ok(fields)
    }

    /// The values that may be chosen for a picklist in records of a record type, in their order.
    ///
    /// Where it is not known what the record type leaves of the list, it is the list of the schema. A value
    /// of a dependent list goes with some values of the [controlling field](crate::FieldSchema::controller)
    /// only; which, [`valid_for`](PicklistEntry::valid_for) tells.
    ///
    /// # Errors
    /// As [`layout`](Attache::layout); [`ErrorKind::UnknownField`].
    pub fn picklist_values(
        &self,
        object: &str,
        record_type: Option<&str>,
        field: &str,
    ) -> Result<Vec<PicklistEntry>> {
        let described = self.described(object)?;
        let record_type = record_type_of(&described, record_type)?;
        let Some(field) = described.field(field) else {
            let message = format!("{} has no field {field} for this user", described.name);
            return Err(Error::new(ErrorKind::UnknownField, message));
        };
        let own = |r: &crate::store::Reading<'_>| {
            r.picklist(&described.name, &record_type.id, &field.name)
        };
        let entries = self.store.read(own)?;
        let mut entries = entries.unwrap_or_else(|| field.picklist.clone());
        entries.retain(|entry| entry.active);
        Ok(entries)
    }

    /// Has the next session ask for layouts and list views anew, however young they are.
    pub fn refresh_layouts(&self) -> Result<()> {
        self.store.write(Durability::Durable, |w| w.doubt_forms())
    }

    fn described(&self, object: &str) -> Result<Arc<ObjectSchema>> {
        let catalogue = self.store.catalogue();
        catalogue.schema.object(object).cloned().ok_or_else(|| {
            let message = format!(
                "the object {object} is not described here: name it in the briefcase and sync"
            );
            Error::new(ErrorKind::UnknownObject, message)
        })
    }
}

/// Finds a record type by its id or its API name; `None` stands for the one of new records.
pub(crate) fn record_type_of<'a>(
    object: &'a ObjectSchema,
    record_type: Option<&str>,
) -> Result<&'a RecordType> {
    let all = &object.record_types;
    let found = match record_type {
        None => all
            .iter()
            .find(|one| one.default)
            .or_else(|| all.iter().find(|one| one.master)),
        Some(name) => {
            let id = RecordId::parse(name).ok();
            all.iter().find(|one| {
                id.as_ref().is_some_and(|id| id.as_str() == one.id)
                    || one
                        .developer_name
                        .as_deref()
                        .unwrap_or(&one.name)
                        .eq_ignore_ascii_case(name)
            })
        }
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = all
            .iter()
            .map(|one| one.developer_name.as_deref().unwrap_or(&one.name))
            .collect();
        Error::invalid(format!(
            "{} has no record type {:?}; it has {}",
            object.name,
            record_type.unwrap_or_default(),
            names.join(", ")
        ))
    })
}
