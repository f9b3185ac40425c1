//! What forms are drawn from: objects and fields, record types, layouts, picklists.

use crate::error::Result;
use crate::store::Attache;
use crate::tell::{Tell, mirror};
use crate::value::Value;

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
fn field_type(field_type: &attache::FieldType) -> String {
    match field_type {
        attache::FieldType::Other(name) => name.clone(),
        known => format!("{known:?}").to_lowercase(),
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
