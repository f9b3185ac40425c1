//! ContentDocument, ContentVersion and ContentDocumentLink: a file, each state it was in, and where it hangs.

use super::build::*;
use crate::schema::{FieldDef, FieldKind, Formula, ObjectDef};

/// What a file may hang on. A real org lists its custom objects as well.
const HOLDERS: &[&str] = &[
    "Account",
    "Contact",
    "Event",
    "Lead",
    "Opportunity",
    "Task",
    "User",
    "Visit__c",
];

/// A file. It is made by its first version, never by itself.
pub(super) fn document() -> ObjectDef {
    let mut document = ObjectDef::new(
        "ContentDocument",
        "Content Document",
        "Content Documents",
        "069",
    )
    .with([
        id("ContentDocument ID"),
        deleted(),
        owner("Owner ID", &["User"]),
        text("Title", "Title", 255).required().name_of_row(),
        area("Description", "Description", 1_000),
        lookup(
            "LatestPublishedVersionId",
            "Latest Published Version ID",
            &["ContentVersion"],
            "LatestPublishedVersion",
        )
        .read_only(),
        int("ContentSize", "Content Size").read_only(),
        text("FileType", "File Type", 20).read_only(),
        text("FileExtension", "File Extension", 40).read_only(),
        datetime("ContentModifiedDate", "Content Modified Date").read_only(),
    ])
    .with(stamps());
    document.createable = false;
    document
}

/// One state of a file. Its bytes never change, and it goes with its document only.
pub(super) fn version() -> ObjectDef {
    let mut version = ObjectDef::new(
        "ContentVersion",
        "Content Version",
        "Content Versions",
        "068",
    )
    .with([
        id("ContentVersion ID"),
        deleted(),
        lookup(
            "ContentDocumentId",
            "ContentDocument ID",
            &["ContentDocument"],
            "ContentDocument",
        )
        .insert_only()
        .cascade()
        .children("ContentVersions"),
        flag("IsLatest", "Is Latest").read_only(),
        text("VersionNumber", "Version Number", 20).read_only(),
        text("Title", "Title", 255)
            .required()
            .defaulted()
            .name_of_row(),
        area("Description", "Description", 1_000),
        text("PathOnClient", "Path On Client", 500).insert_only(),
        text("FileType", "File Type", 20).read_only(),
        text("FileExtension", "File Extension", 40).read_only(),
        int("ContentSize", "Content Size").read_only(),
        text("Checksum", "Checksum", 50).read_only(),
        lookup(
            "FirstPublishLocationId",
            "First Publish Location ID",
            HOLDERS,
            "FirstPublishLocation",
        )
        .insert_only(),
        body("VersionData", "Version Data"),
        owner("Owner ID", &["User"]),
    ])
    .with(stamps());
    version.deletable = false;
    version
}

/// That a file hangs on a row.
pub(super) fn link() -> ObjectDef {
    ObjectDef::new(
        "ContentDocumentLink",
        "Content Document Link",
        "Content Document Link",
        "06A",
    )
    .with([
        id("ContentDocumentLink ID"),
        deleted(),
        lookup(
            "LinkedEntityId",
            "Linked Entity ID",
            HOLDERS,
            "LinkedEntity",
        )
        .required()
        .insert_only()
        .cascade()
        .children("ContentDocumentLinks"),
        lookup(
            "ContentDocumentId",
            "ContentDocument ID",
            &["ContentDocument"],
            "ContentDocument",
        )
        .required()
        .insert_only()
        .cascade()
        .children("ContentDocumentLinks"),
        pick(
            "ShareType",
            "Share Type",
            40,
            &["V|Viewer", "C|Collaborator", "I|Inferred"],
        )
        .restricted()
        .defaulted(),
        pick(
            "Visibility",
            "Visibility",
            40,
            &[
                "AllUsers|All Users",
                "InternalUsers|Standard Users",
                "SharedUsers|Shared Users",
            ],
        )
        .restricted()
        .defaulted(),
    ])
    .with(stamps().into_iter().skip(4))
}

/// The bytes of a file: given when it is made, and shown as a path.
fn body(name: &str, label: &str) -> FieldDef {
    FieldDef {
        formula: Some(Formula::Body),
        updateable: false,
        ..FieldDef::new(name, label, FieldKind::Base64)
    }
}
