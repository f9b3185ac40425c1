//! What forms are drawn from: layouts, and picklists by record type.
//!
//! ```text
//! the org's answers ── read ─► Form ── store ─► Layout, CompactLayout, picklist entries
//! ```

mod read;

pub(crate) use read::read;

use crate::schema::ObjectSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a page of an object's records is laid out, for records of one record type.
///
/// Fields that this user may not see are left out; their places stay, empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Layout {
    /// The org's id of it.
    pub id: String,
    /// The page that shows a record, from top to bottom.
    pub view: Vec<Section>,
    /// The page on which a record is made or edited.
    pub edit: Vec<Section>,
    /// Lists of the record's children beneath it.
    pub related_lists: Vec<RelatedList>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Section {
    /// What stands above it, if it is shown.
    pub heading: Option<String>,
    /// Columns of its rows, 1 or 2 at Salesforce.
    pub columns: u32,
    /// A person may fold it.
    pub collapsible: bool,
    /// Its rows, each with at most so many items as it has columns.
    pub rows: Vec<Vec<LayoutItem>>,
}

/// One place of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayoutItem {
    /// What stands beside it; empty for an empty place.
    pub label: String,
    /// The fields it shows, most often one. A compound field (`BillingAddress`, a person's `Name`) stands
    /// for its parts, which the [schema](crate::FieldSchema::compound) tells.
    pub fields: Vec<String>,
    /// The page wants a value. The server does not: it is for the host to ask for one.
    pub required: bool,
    /// May be set where a record is made.
    pub editable_for_new: bool,
    /// May be changed in a record that is there.
    pub editable_for_update: bool,
}

impl LayoutItem {
    /// Says whether it is an empty place, or shows what no field holds.
    pub fn is_blank(&self) -> bool {
        self.fields.is_empty()
    }

    /// Says whether it shows and nothing more, on both pages.
    pub fn is_read_only(&self) -> bool {
        !self.editable_for_new && !self.editable_for_update
    }
}

/// A list of children beneath a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RelatedList {
    /// What stands above it.
    pub label: String,
    /// The relationship's name in a subquery (`Contacts`).
    pub name: String,
    /// The children's object; `None` for a list of something else, such as approvals.
    pub object: Option<String>,
    /// The children's reference field that points at the record.
    pub field: Option<String>,
    /// Columns: what stands above each, and its field or path.
    pub columns: Vec<(String, String)>,
    /// Fields the list is sorted by, each with whether upwards.
    pub sort: Vec<(String, bool)>,
    /// Rows to show at most; 0: as many as there are.
    pub limit: u32,
}

/// What the org told of an object's forms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Form {
    pub layouts: Vec<Layout>,
    /// By record type id.
    pub kinds: BTreeMap<String, Kind>,
}

/// What records of one record type have of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kind {
    /// The layout's id.
    pub layout: Option<String>,
    /// The fields of the compact layout; empty: none is known.
    pub compact: Vec<String>,
}

/// The values of an object's picklists: by record type id, then by field.
pub(crate) type Picklists = BTreeMap<String, BTreeMap<String, Vec<crate::schema::RawEntry>>>;

impl Form {
    /// The layout of a record type, by its id.
    pub(crate) fn layout(&self, record_type: &str) -> Option<&Layout> {
        let id = self.kinds.get(record_type)?.layout.as_ref()?;
        self.layouts.iter().find(|layout| layout.id == *id)
    }

    /// The names of all fields on the layouts of these record types: those shown, those edited, and the compact ones.
    pub(crate) fn fields<'a>(
        &'a self,
        record_types: impl Iterator<Item = &'a str>,
    ) -> Vec<&'a str> {
        let mut names = Vec::new();
        for record_type in record_types {
            let sections = self
                .layout(record_type)
                .into_iter()
                .flat_map(|layout| layout.view.iter().chain(&layout.edit));
            let items = sections.flat_map(|section| section.rows.iter().flatten());
            names.extend(items.flat_map(|item| item.fields.iter().map(String::as_str)));
            let compact = self.kinds.get(record_type).map(|kind| &kind.compact);
            names.extend(compact.into_iter().flatten().map(String::as_str));
        }
        names
    }
}

impl Layout {
    /// The same, as it is for a user who sees these fields only.
    pub(crate) fn seen(mut self, object: &ObjectSchema) -> Layout {
        let sections = self.view.iter_mut().chain(&mut self.edit);
        for item in sections.flat_map(|section| section.rows.iter_mut().flatten()) {
            item.fields.retain(|name| object.field(name).is_some());
            if item.fields.is_empty() {
                *item = LayoutItem {
                    label: String::new(),
                    fields: Vec::new(),
                    required: false,
                    editable_for_new: false,
                    editable_for_update: false,
                };
            }
        }
        self
    }
}
