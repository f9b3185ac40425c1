//! Files: a document, its versions, the rows it hangs on, and the bytes.
//!
//! A version is made with its bytes, and never by itself: the first one of a file makes the
//! document, a link to its owner and a link to where it is first published; each later one takes
//! the place of the one before.

use super::save::{Draft, Input, no_access, one};
use super::{IdKey, Org, SaveError, Slot, check, key};
use crate::value::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) const DOCUMENT: &str = "ContentDocument";
pub(super) const VERSION: &str = "ContentVersion";
pub(super) const LINK: &str = "ContentDocumentLink";
/// The field that is given as bytes and shown as a path.
const BODY: &str = "VersionData";
/// Characters of base64 in a JSON body, at most (§12: 37.5 MB).
const BASE64_MAX: usize = 37_500_000;

/// The bytes of all versions, by the id of the version.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    bodies: HashMap<IdKey, Arc<[u8]>>,
    bytes: u64,
}

impl Org {
    /// Gives the bytes of a version that the user may see; `None` if it is missing, deleted or hidden.
    pub fn file_body(&self, actor: &str, version: &str) -> Option<Arc<[u8]>> {
        let id = key(self.read(actor, VERSION, version)?.id())?;
        self.bodies.bodies.get(&id).map(Arc::clone)
    }

    /// Puts other bytes in the place of a version's, and leaves all that is said of them: for a test of
    /// what a client does about a lie.
    pub fn replace_file_body(&mut self, version: &str, body: Vec<u8>) {
        if let Some(id) = key(version) {
            let before = self.bodies.bodies.insert(id, body.into());
            let bytes = |body: Option<&Arc<[u8]>>| body.map_or(0, |body| body.len() as u64);
            let now = bytes(self.bodies.bodies.get(&id));
            self.bodies.bytes = self.bodies.bytes + now - bytes(before.as_ref());
        }
    }

    /// Makes a version of a file with its bytes, and gives its 18-character id.
    ///
    /// With a `ContentDocumentId` it is the next version of that file. Without, it is the first of
    /// a new one, which hangs on the row named in `FirstPublishLocationId`, if there is one.
    pub fn create_file(
        &mut self,
        actor: &str,
        fields: &Input,
        body: Vec<u8>,
    ) -> Result<String, Vec<SaveError>> {
        let viewer = self.viewer(actor);
        let object = self.object(VERSION).map_err(one)?;
        let mut draft = self.blank(object);
        self.take_fields(&viewer, &mut draft, fields)?;
        let storage = self.config.switches.file_storage_bytes_max;
        if self.bodies.bytes.saturating_add(body.len() as u64) > storage {
            let message = "storage limit exceeded";
            return Err(one(
                SaveError::new("STORAGE_LIMIT_EXCEEDED", message).with_status(403)
            ));
        }
        self.describe_body(&mut draft, &body)?;
        let document = self.document_of(&draft)?;
        if let Some((at, slot)) = document
            && !self.editable(&viewer, at, slot)
        {
            return Err(one(no_access()));
        }
        self.fill_in(actor, &mut draft);
        let definition = &self.schema.objects()[object];
        let mut problems = check::values(&draft, definition, &self.config.switches);
        problems.extend(self.check_references(&viewer, &draft));
        if !problems.is_empty() {
            return Err(problems);
        }
        let slot = self.atomically(|org| org.publish(actor, draft, document))?;
        let id = self.tables[object].id(slot).to_owned();
        if let Some(key) = key(&id) {
            self.bodies.bytes += body.len() as u64;
            self.bodies.bodies.insert(key, body.into());
        }
        Ok(id)
    }

    /// Makes a version whose bytes are base64 in its JSON.
    pub(super) fn create_file_of_json(
        &mut self,
        actor: &str,
        fields: &Input,
    ) -> Result<String, Vec<SaveError>> {
        let (given, rest): (Vec<_>, Vec<_>) = fields
            .iter()
            .cloned()
            .partition(|(name, _)| name.eq_ignore_ascii_case(BODY));
        let text = given.last().map(|(_, raw)| base64(raw)).transpose()?;
        let body = text.ok_or_else(|| one(missing(BODY)))?;
        self.create_file(actor, &rest, body)
    }

    fn blank(&self, object: usize) -> Draft {
        Draft {
            object,
            slot: None,
            before: None,
            row: vec![Value::Null; self.schema.objects()[object].fields.len()],
            touched: Vec::new(),
        }
    }

    fn place(&self, object: usize, field: &str) -> Option<usize> {
        self.schema.objects()[object].index(field)
    }

    fn put_in(&self, draft: &mut Draft, field: &str, value: Value) {
        if let Some(at) = self.place(draft.object, field) {
            draft.row[at] = value;
        }
    }

    fn text<'d>(&self, draft: &'d Draft, field: &str) -> Option<&'d str> {
        draft.row[self.place(draft.object, field)?].as_text()
    }

    /// Fills in what the platform finds out by itself.
    fn describe_body(&self, draft: &mut Draft, body: &[u8]) -> Result<(), Vec<SaveError>> {
        let path = self.text(draft, "PathOnClient").map(str::to_owned);
        let path = path.ok_or_else(|| one(missing("PathOnClient")))?;
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let (stem, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, extension),
            _ => (name, ""),
        };
        if self.text(draft, "Title").is_none() {
            self.put_in(draft, "Title", Value::text(stem));
        }
        let kind = match extension {
            "" => "UNKNOWN".to_owned(),
            known => known.to_ascii_uppercase(),
        };
        self.put_in(draft, "FileExtension", Value::text(extension));
        self.put_in(draft, "FileType", Value::text(kind));
        self.put_in(draft, "ContentSize", Value::Number(body.len().into()));
        self.put_in(draft, "Checksum", Value::text(md5_hex(body)));
        self.put_in(draft, "IsLatest", Value::Bool(true));
        Ok(())
    }

    /// Finds the document that a version is to be the next one of.
    fn document_of(&self, draft: &Draft) -> Result<Option<(usize, Slot)>, Vec<SaveError>> {
        let Some(id) = self.text(draft, "ContentDocumentId") else {
            return Ok(None);
        };
        if self.text(draft, "FirstPublishLocationId").is_some() {
            let message =
                "You cannot set a first publish location for a version of an existing document";
            return Err(one(SaveError::field(
                "FIELD_INTEGRITY_EXCEPTION",
                "FirstPublishLocationId",
                message,
            )));
        }
        // That it may be seen and is not deleted is checked with the other references.
        Ok(self.locate(id))
    }

    /// Writes a version, and brings its document up to date.
    fn publish(
        &mut self,
        actor: &str,
        mut draft: Draft,
        document: Option<(usize, Slot)>,
    ) -> Result<Slot, Vec<SaveError>> {
        let (at, slot, number) = match document {
            Some((at, slot)) => {
                let id = self.tables[at].id(slot).to_owned();
                let number = self.retire(draft.object, &id) + 1;
                (at, slot, number)
            }
            None => {
                let (at, slot) = self.make_document(actor, &draft)?;
                (at, slot, 1)
            }
        };
        let document = self.tables[at].id(slot).to_owned();
        self.put_in(&mut draft, "ContentDocumentId", Value::text(&document));
        self.put_in(&mut draft, "VersionNumber", Value::text(number.to_string()));
        let copied: Vec<(&str, Value)> = ["Title", "ContentSize", "FileType", "FileExtension"]
            .into_iter()
            .filter_map(|name| Some((name, draft.row[self.place(draft.object, name)?].clone())))
            .collect();
        let version = self.write(actor, draft)?;
        let object = self.object(VERSION).map_err(one)?;
        let id = self.tables[object].id(version).to_owned();
        let mut changed = self.blank(at);
        changed.slot = Some(slot);
        changed.row = self.whole_row(at, slot).unwrap_or_default();
        for (name, value) in copied {
            self.put_in(&mut changed, name, value);
        }
        self.put_in(&mut changed, "LatestPublishedVersionId", Value::text(id));
        let now = Value::DateTime(self.now);
        self.put_in(&mut changed, "ContentModifiedDate", now);
        self.write(actor, changed)?;
        Ok(version)
    }

    /// Takes the mark of the latest from a document's versions, and gives the highest number.
    fn retire(&mut self, object: usize, document: &str) -> u64 {
        let (Some(of), Some(latest), Some(number)) = (
            self.place(object, "ContentDocumentId"),
            self.place(object, "IsLatest"),
            self.place(object, "VersionNumber"),
        ) else {
            return 0;
        };
        let Some(document) = key(document) else {
            return 0;
        };
        let slots: Vec<Slot> = self.tables[object].children(of, document).collect();
        let mut highest = 0;
        for slot in slots {
            let Some(mut row) = self.whole_row(object, slot) else {
                continue;
            };
            let own = row[number].as_text().and_then(|text| text.parse().ok());
            highest = highest.max(own.unwrap_or(0));
            if row[latest] == Value::Bool(true) {
                row[latest] = Value::Bool(false);
                self.stamp_system(object, &mut row);
                self.replace_row(object, slot, row.into());
            }
        }
        highest
    }

    /// Makes the document of a first version, and the links it begins with.
    fn make_document(
        &mut self,
        actor: &str,
        version: &Draft,
    ) -> Result<(usize, Slot), Vec<SaveError>> {
        let object = self.object(DOCUMENT).map_err(one)?;
        let mut draft = self.blank(object);
        let title = self.text(version, "Title").map(str::to_owned);
        self.put_in(&mut draft, "Title", title.into());
        let owner = self.text(version, "OwnerId").unwrap_or(actor).to_owned();
        self.put_in(&mut draft, "OwnerId", Value::text(&owner));
        self.fill_in(actor, &mut draft);
        let slot = self.write(actor, draft)?;
        let id = self.tables[object].id(slot).to_owned();
        self.make_link(actor, &id, &owner, "I")?;
        let location = self.text(version, "FirstPublishLocationId");
        if let Some(location) = location.map(str::to_owned).filter(|at| *at != owner) {
            self.make_link(actor, &id, &location, "V")?;
        }
        Ok((object, slot))
    }

    fn make_link(
        &mut self,
        actor: &str,
        document: &str,
        holder: &str,
        share: &str,
    ) -> Result<(), Vec<SaveError>> {
        let object = self.object(LINK).map_err(one)?;
        let mut draft = self.blank(object);
        self.put_in(&mut draft, "ContentDocumentId", Value::text(document));
        self.put_in(&mut draft, "LinkedEntityId", Value::text(holder));
        self.put_in(&mut draft, "ShareType", Value::text(share));
        self.put_in(&mut draft, "Visibility", Value::text("AllUsers"));
        self.fill_in(actor, &mut draft);
        self.write(actor, draft).map(|_| ())
    }
}

/// Reads the bytes of a file out of JSON.
fn base64(raw: &RawValue) -> Result<Vec<u8>, Vec<SaveError>> {
    let text: Option<String> = serde_json::from_str(raw.get()).map_err(|_| one(not_base64()))?;
    let text = text.ok_or_else(|| one(missing(BODY)))?;
    if text.len() > BASE64_MAX {
        let message = format!("the file has more than {BASE64_MAX} characters of base64");
        return Err(one(
            SaveError::new("EXCEEDED_MAX_SIZE_REQUEST", message).with_status(413)
        ));
    }
    BASE64.decode(text).map_err(|_| one(not_base64()))
}

fn not_base64() -> SaveError {
    SaveError::new("JSON_PARSER_ERROR", "VersionData: the value is not base64")
}

fn missing(field: &str) -> SaveError {
    SaveError::field(
        "REQUIRED_FIELD_MISSING",
        field,
        format!("Required fields are missing: [{field}]"),
    )
}

fn md5_hex(body: &[u8]) -> String {
    Md5::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
