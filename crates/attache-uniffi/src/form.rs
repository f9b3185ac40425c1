//! What forms are drawn from: objects and fields, record types, layouts, picklists.

use crate::error::{ErrorKind, Result, failed};
use crate::store::Attache;
use crate::tell::{Tell, mirror};
use crate::value::{self, Value};
use std::collections::HashMap;
use std::sync::Arc;

mirror! {
    /// A value of a picklist.
    PicklistEntry of told: attache::PicklistEntry {
        /// What is stored.
        value: String,
        /// What a person sees.
        label: String,
        /// It may be chosen.
        active: bool,
        /// It is chosen for a new record.
        default: bool,
        /// For which values of the controlling field it may be chosen, by their places; nothing if for all.
        valid_for: Option<Vec<bool>>,
    }
}

mirror! {
    /// A field, as the org describes it.
    FieldSchema of told: attache::FieldSchema {
        /// API name.
        name: String,
        /// What a person sees.
        label: String,
        /// The name of its type, as a describe has it: `string`, `currency`, ...
        field_type: String = field_type(&told.field_type),
        /// Characters of a text at most.
        length: u32,
        /// Digits of a number at most.
        precision: u32,
        /// Of these, digits behind the point.
        scale: u32,
        /// It may be empty.
        nillable: bool,
        /// It may be set on a new record.
        createable: bool,
        /// It may be changed.
        updateable: bool,
        /// A new record needs a value here.
        required_on_create: bool = told.required_on_create(),
        /// It is computed by the org.
        calculated: bool,
        /// No two records have the same value.
        unique: bool,
        /// It is an external id.
        external_id: bool,
        /// It is what a record is called by.
        name_field: bool,
        /// The compound field that it is a part of.
        compound: Option<String>,
        /// The objects that a lookup leads to.
        reference_to: Vec<String>,
        /// The name of a lookup in queries.
        relationship_name: Option<String>,
        /// The values of a picklist.
        picklist: Vec<PicklistEntry>,
        /// No other values than these are taken.
        restricted_picklist: bool,
        /// The field that decides which of them may be chosen.
        controller: Option<String>,
        /// What a new record has here.
        default_value: Option<Value>,
        /// What a person is told about it.
        help: Option<String>,
        /// The text is HTML.
        html: bool,
        /// It was added by the org.
        custom: bool,
        /// Digits of an integer at most; 0 if no limit is known.
        digits: u32,
        /// The org sets it on a new record that does not.
        defaulted_on_create: bool,
        /// The formula that the org makes the default of; a device cannot evaluate it.
        default_formula: Option<String>,
        /// The formula of a calculated field, where this user may know it.
        formula: Option<String>,
        /// It is numbered by the org.
        auto_number: bool,
        /// It is encrypted at the org; users without the permission see a mask.
        encrypted: bool,
        /// What the type is in particular: `plaintextarea`, `richtextarea`, `personname`, ...
        extra_type: Option<String>,
        /// Values differ by case when compared.
        case_sensitive: bool,
        /// It may stand in a condition at the org.
        filterable: bool,
        /// The org can order by it.
        sortable: bool,
        /// The org can group by it.
        groupable: bool,
        /// The org can give its smallest, its largest, its sum or its average.
        aggregatable: bool,
        /// Records are found by it, as by `Id` and external ids.
        id_lookup: bool,
        /// A lookup whose records' names are read through `Name` (`Who.Name`).
        name_pointing: bool,
        /// The record cannot live without this parent.
        cascade_delete: bool,
        /// The parent cannot be deleted while the record points at it.
        restricted_delete: bool,
        /// The place of a master: 0 for the first, 1 for the second; nothing for a lookup.
        relationship_order: Option<u32>,
        /// A detail may be written by who may only read its master.
        write_requires_master_read: bool,
    }
}

mirror! {
    /// A lookup of another object that leads here.
    ChildRelationship of told: attache::ChildRelationship {
        /// Its name in queries.
        name: Option<String>,
        /// The object that has the lookup.
        child: String,
        /// The lookup.
        field: String,
        /// Deleting the parent deletes the children.
        cascade_delete: bool,
        /// A parent with children cannot be deleted.
        restricted_delete: bool,
    }
}

mirror! {
    /// A record type of an object.
    RecordType of told: attache::RecordType {
        /// The org's id of it.
        id: String,
        /// What a person sees.
        name: String,
        /// Its API name.
        developer_name: Option<String>,
        /// It is in use.
        active: bool,
        /// This user may choose it.
        available: bool,
        /// New records of this user have it.
        default: bool,
        /// It stands for no record type.
        master: bool,
    }
}

mirror! {
    /// An object, as the org describes it.
    ObjectSchema of told: attache::ObjectSchema {
        /// API name.
        name: String,
        /// What a person sees.
        label: String,
        /// The same of many.
        label_plural: String,
        /// The first three characters of its ids.
        key_prefix: Option<String>,
        /// This user may create records.
        createable: bool,
        /// This user may change records.
        updateable: bool,
        /// This user may delete records.
        deletable: bool,
        /// It was added by the org.
        custom: bool,
        /// The org answers queries of it.
        queryable: bool,
        /// The org tells what of it was changed and deleted.
        replicateable: bool,
        /// The org finds its records by words.
        searchable: bool,
        /// It has layouts.
        layoutable: bool,
        /// A deleted record can be taken back at the org.
        undeletable: bool,
        /// The org remembers which records were looked at.
        recents: bool,
        /// The scopes that queries of it may use: `everything`, `mine`, ...
        scopes: Vec<String>,
        /// The fields.
        fields: Vec<FieldSchema>,
        /// Lookups of other objects that lead here.
        children: Vec<ChildRelationship>,
        /// The record types, the master among them.
        record_types: Vec<RecordType>,
    }
}

mirror! {
    /// One place of a page.
    LayoutItem of told: attache::LayoutItem {
        /// What stands beside it; empty for an empty place.
        label: String,
        /// The fields that stand there; none for an empty place.
        fields: Vec<String>,
        /// A person must give a value.
        required: bool,
        /// It takes a value on a new record.
        editable_for_new: bool,
        /// It takes another value on a record that is there.
        editable_for_update: bool,
    }
}

mirror! {
    /// A part of a page.
    Section of told: attache::Section {
        /// What stands above it, if it is shown.
        heading: Option<String>,
        /// Columns beside each other.
        columns: u32,
        /// A person may fold it.
        collapsible: bool,
        /// The places, row by row.
        rows: Vec<Vec<LayoutItem>>,
    }
}

/// A column of a list of children.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ListColumn {
    /// The field.
    pub field: String,
    /// What stands above it.
    pub label: String,
}

/// An order of a list of children.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ListOrder {
    /// The field.
    pub field: String,
    /// The smallest first.
    pub ascending: bool,
}

mirror! {
    /// A list of children beneath a record.
    RelatedList of told: attache::RelatedList {
        /// What stands above it.
        label: String,
        /// Its name in queries.
        name: String,
        /// The object of the children.
        object: Option<String>,
        /// Their lookup that leads here.
        field: Option<String>,
        /// The columns.
        columns: Vec<ListColumn> = told.columns.iter().map(column).collect(),
        /// The order.
        sort: Vec<ListOrder> = told.sort.iter().map(order).collect(),
        /// Children shown at most.
        limit: u32,
    }
}

mirror! {
    /// How a page of an object's records is laid out, for records of one record type.
    Layout of told: attache::Layout {
        /// The org's id of it.
        id: String,
        /// The page that shows a record.
        view: Vec<Section>,
        /// The page that changes one.
        edit: Vec<Section>,
        /// The lists beneath.
        related_lists: Vec<RelatedList>,
    }
}

// The two texts of a column are its field and what stands above it; see `RelatedList`.
fn column((field, label): &(String, String)) -> ListColumn {
    ListColumn {
        field: field.clone(),
        label: label.clone(),
    }
}

fn order((field, ascending): &(String, bool)) -> ListOrder {
    ListOrder {
        field: field.clone(),
        ascending: *ascending,
    }
}

/// The name of a type in a describe: lower case, without blanks.
pub(crate) fn field_type(field_type: &attache::FieldType) -> String {
    match field_type {
        attache::FieldType::Other(name) => name.clone(),
        known => format!("{known:?}").to_lowercase(),
    }
}

impl Attache {
    /// An object that was described.
    pub(crate) fn described(&self, object: &str) -> Result<Arc<attache::ObjectSchema>> {
        let schema = self.engine()?.schema()?;
        let known = schema.object(object).cloned();
        known.ok_or_else(|| {
            let reason = format!("{object} was not described");
            failed(ErrorKind::UnknownObject, reason)
        })
    }
}

#[uniffi::export]
impl Attache {
    /// Lists the objects that were described, by API name; none before the first session.
    pub fn objects(&self) -> Result<Vec<String>> {
        let schema = self.engine()?.schema()?;
        Ok(schema
            .objects()
            .iter()
            .map(|object| object.name.clone())
            .collect())
    }

    /// Describes an object; nothing if it was not described.
    pub fn schema(&self, object: String) -> Result<Option<ObjectSchema>> {
        let schema = self.engine()?.schema()?;
        Ok(schema.object(&object).map(|object| object.as_ref().tell()))
    }

    /// Checks the fields of a new record, as `create` does, without creating it: while a form is filled in. Gives them as
    /// they would be kept, and fails with all that is wrong.
    pub fn check_create(
        &self,
        object: String,
        fields: HashMap<String, Value>,
    ) -> Result<HashMap<String, Value>> {
        let fields = value::fields(fields)?;
        Ok(value::shown(
            &self.described(&object)?.check_create(&fields)?,
        ))
    }

    /// Checks the fields of a new record that are given as a JSON object, as `check_create` does.
    pub fn check_create_json(&self, object: String, fields: String) -> Result<String> {
        let checked = self.described(&object)?.check_create_json(&fields)?;
        Ok(checked.to_json())
    }

    /// Checks changes to a record whose fields are `current`, as `update` does, without making them.
    pub fn check_update(
        &self,
        object: String,
        current: HashMap<String, Value>,
        changes: HashMap<String, Value>,
    ) -> Result<HashMap<String, Value>> {
        let (current, changes) = (value::fields(current)?, value::fields(changes)?);
        let object = self.described(&object)?;
        Ok(value::shown(&object.check_update(&current, &changes)?))
    }

    /// Checks changes that are given as a JSON object, as `check_update` does.
    pub fn check_update_json(
        &self,
        object: String,
        current: String,
        changes: String,
    ) -> Result<String> {
        let object = self.described(&object)?;
        Ok(object.check_update_json(&current, &changes)?.to_json())
    }

    /// Lists the record types of an object, the master among them.
    pub fn record_types(&self, object: String) -> Result<Vec<RecordType>> {
        Ok(self.engine()?.record_types(&object)?.tell())
    }

    /// Tells how records of a record type are laid out; nothing if the layout is not on this device.
    #[uniffi::method(default(record_type = None))]
    pub fn layout(&self, object: String, record_type: Option<String>) -> Result<Option<Layout>> {
        Ok(self
            .engine()?
            .layout(&object, record_type.as_deref())?
            .tell())
    }

    /// The few fields that stand for a record of a record type where there is little room.
    #[uniffi::method(default(record_type = None))]
    pub fn compact_layout(
        &self,
        object: String,
        record_type: Option<String>,
    ) -> Result<Vec<String>> {
        Ok(self
            .engine()?
            .compact_layout(&object, record_type.as_deref())?)
    }

    /// Lists the values that may be chosen for a picklist in records of a record type, in their order.
    #[uniffi::method(default(record_type = None))]
    pub fn picklist_values(
        &self,
        object: String,
        field: String,
        record_type: Option<String>,
    ) -> Result<Vec<PicklistEntry>> {
        let engine = self.engine()?;
        Ok(engine
            .picklist_values(&object, record_type.as_deref(), &field)?
            .tell())
    }

    /// Has the next session ask for layouts and list views anew, however young they are.
    pub fn refresh_layouts(&self) -> Result<()> {
        Ok(self.engine()?.refresh_layouts()?)
    }
}
