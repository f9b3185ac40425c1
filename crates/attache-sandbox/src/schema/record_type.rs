//! Kinds of an object's rows, each with picklist values of its own.

use super::{FieldDef, ObjectDef, PicklistEntry};
use std::collections::BTreeMap;

/// The id that stands for rows without a record type.
pub(crate) const MASTER: &str = "012000000000000AAA";

/// A kind of an object's rows.
///
/// ```
/// use attache_sandbox::schema::RecordTypeDef;
///
/// let household = RecordTypeDef::new("Household", "Household")
///     .default_for_users()
///     .picklist("Type", &["Customer - Direct", "Other"], Some("Other"));
/// assert!(household.is_default && household.available);
/// ```
#[derive(Clone, Debug)]
pub struct RecordTypeDef {
    /// 18-character id; given by [`Org::define_record_type`](crate::org::Org::define_record_type).
    pub id: String,
    /// API name.
    pub developer_name: String,
    /// What a person sees.
    pub name: String,
    /// In use.
    pub active: bool,
    /// Users may make rows of it.
    pub available: bool,
    /// A create that names no record type makes one of this.
    pub is_default: bool,
    /// What it leaves of a picklist, by field: a field that is not named keeps all of its values.
    pub picklists: BTreeMap<String, PicklistOf>,
}

/// What a record type leaves of a picklist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PicklistOf {
    /// API values.
    pub values: Vec<String>,
    /// The one that is chosen until told otherwise.
    pub default: Option<String>,
}

impl RecordTypeDef {
    /// Starts a record type that is in use and available to everybody.
    pub fn new(developer_name: &str, name: &str) -> RecordTypeDef {
        RecordTypeDef {
            id: String::new(),
            developer_name: developer_name.into(),
            name: name.into(),
            active: true,
            available: true,
            is_default: false,
            picklists: BTreeMap::new(),
        }
    }

    /// Makes it the one that a create without a record type gets.
    pub fn default_for_users(mut self) -> RecordTypeDef {
        self.is_default = true;
        self
    }

    /// Lets nobody make rows of it.
    pub fn unavailable(mut self) -> RecordTypeDef {
        self.available = false;
        self
    }

    /// Leaves these values of a picklist.
    pub fn picklist(
        mut self,
        field: &str,
        values: &[&str],
        default: Option<&str>,
    ) -> RecordTypeDef {
        let of = PicklistOf {
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            default: default.map(str::to_owned),
        };
        self.picklists.insert(field.to_owned(), of);
        self
    }
}

impl ObjectDef {
    /// Finds a record type by its id, of 15 or 18 characters, or by its API name; the master is none.
    pub fn record_type(&self, name: &str) -> Option<&RecordTypeDef> {
        let id = crate::id::parse(name);
        self.record_types
            .iter()
            .find(|one| Some(&one.id) == id.as_ref() || one.developer_name == name)
    }

    /// The entries of a picklist that a record type leaves, each with whether it is the default; of the master all.
    pub(crate) fn entries_of<'a>(
        &self,
        record_type: Option<&'a RecordTypeDef>,
        field: &'a FieldDef,
    ) -> Vec<(&'a PicklistEntry, bool)> {
        let left = record_type.and_then(|one| one.picklists.get(&field.name));
        field
            .picklist
            .iter()
            .filter_map(|entry| match left {
                None => Some((entry, entry.default)),
                Some(of) if of.values.contains(&entry.value) => {
                    Some((entry, of.default.as_ref() == Some(&entry.value)))
                }
                Some(_) => None,
            })
            .collect()
    }
}
