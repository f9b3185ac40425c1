//! The Name object: what SOQL knows of a parent whose object differs by record.

use super::check::Kind;

/// A field that a path through such a parent may end in, besides `Id`, `Name` and `Type`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NameField {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// The objects whose records have a value in it; of any other it is null, also where the object has a field of
    /// that name. Empty: whatever has the field.
    of: &'static [&'static str],
}

impl NameField {
    pub(crate) fn find(name: &str) -> Option<&'static NameField> {
        FIELDS
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// Says whether records of an object have a value in it.
    pub(crate) fn is_of(&self, object: &str) -> bool {
        self.of.is_empty() || self.of.contains(&object)
    }
}

const USER: &[&str] = &["User"];
const PERSON: &[&str] = &["User", "Contact", "Lead"];

/// # Source
/// The object reference's page of `Name`.
const FIELDS: [NameField; 15] = [
    text("Alias", USER),
    text("Email", &["User", "Group"]),
    text("FirstName", PERSON),
    field("IsActive", Kind::Boolean, USER),
    text("LastName", PERSON),
    field("LastReferencedDate", Kind::DateTime, &[]),
    field("LastViewedDate", Kind::DateTime, &[]),
    text("MiddleName", PERSON),
    text("Phone", USER),
    field("ProfileId", Kind::Id, USER),
    field("RecordTypeId", Kind::Id, &[]),
    text("Suffix", PERSON),
    text("Title", USER),
    text("Username", USER),
    field("UserRoleId", Kind::Id, USER),
];

const fn text(name: &'static str, of: &'static [&'static str]) -> NameField {
    field(name, Kind::Text, of)
}

const fn field(name: &'static str, kind: Kind, of: &'static [&'static str]) -> NameField {
    NameField { name, kind, of }
}
