//! The history of an object: what its fields were.

use super::build::*;
use crate::schema::{FieldDef, FieldKind, ObjectDef};

/// Makes the object that keeps the history of another: `AccountHistory` of accounts, `Visit__History` of visits.
///
/// Nobody writes its rows but the platform, and they are seen by who sees the row they are about.
pub(crate) fn history(object: &ObjectDef, key_prefix: &str) -> ObjectDef {
    let (name, parent, relationship) = match object.name.strip_suffix("__c") {
        Some(stem) => (format!("{stem}__History"), "ParentId".to_owned(), "Parent"),
        None if object.name == "Opportunity" => (
            "OpportunityFieldHistory".to_owned(),
            "OpportunityId".to_owned(),
            "Opportunity",
        ),
        None => (
            format!("{}History", object.name),
            format!("{}Id", object.name),
            object.name.as_str(),
        ),
    };
    let any = |name, label| {
        FieldDef::new(name, label, FieldKind::AnyType)
            .read_only()
            .unfiltered()
    };
    let label = format!("{} History", object.label);
    let parent = lookup(&parent, &object.label, &[&object.name], relationship)
        .children("Histories")
        .master();
    let mut made = ObjectDef::new(&name, &label, &label, key_prefix).with([
        id("History ID"),
        deleted(),
        parent.read_only(),
        lookup("CreatedById", "Created By ID", &["User"], "CreatedBy")
            .required()
            .read_only(),
        datetime("CreatedDate", "Created Date")
            .required()
            .read_only(),
        text("Field", "Changed Field", 255).required().read_only(),
        text("DataType", "Datatype", 40).read_only(),
        any("OldValue", "Old Value"),
        any("NewValue", "New Value"),
    ]);
    (made.createable, made.updateable, made.deletable) = (false, false, false);
    made
}
