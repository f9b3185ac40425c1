//! Unsent work as it travels between devices: what a file of it holds.
//!
//! Names and forms here are the file's format (`crate::unsent`): members may be
//! added, never renamed. Fields have the form of the journal (`json::journal`),
//! which needs no schema to be read back.

use crate::duplicates::Duplicates;
use crate::record::Fields;
use serde::{Deserialize, Serialize};

/// Everything of a store that was not sent, with what it was made upon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// Whose work it is.
    pub org: String,
    pub user: String,
    pub username: Option<String>,
    /// The records edited, each once.
    pub records: Vec<HeldRecord>,
    /// The mutations, in the order they were made.
    pub mutations: Vec<Copied>,
    /// The changesets that a server is to take whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<i64>,
    /// The files among what was made, with their bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<CopiedFile>,
}

/// A file that was attached and not sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CopiedFile {
    /// Its key, which is the record of its mutation.
    pub record: String,
    pub title: String,
    pub extension: Option<String>,
    /// Its bytes in base64.
    pub body: String,
}

/// A record with edits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeldRecord {
    /// Its current id: the server's, or a local key.
    pub id: String,
    pub object: String,
    /// What hosts know it by, if that is not its current id.
    pub identity: Option<String>,
    /// Other identities that lead to it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What the server last confirmed; none of a record that it never saw.
    #[serde(with = "stored_option", default)]
    pub base: Option<Fields>,
    pub conflict: Option<Dispute>,
}

/// An open conflict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub kind: DisputeKind,
    #[serde(with = "stored")]
    pub base: Fields,
    #[serde(with = "stored")]
    pub remote: Fields,
}

/// Whom the edits made here disagree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeKind {
    /// The server changed the same fields.
    Fields,
    /// The record is gone at the server.
    DeletedAtRemote,
    /// Work that was imported changed the same fields.
    Imported,
}

/// One mutation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Copied {
    /// Names the mutation on every device.
    pub uid: String,
    pub changeset: i64,
    pub record: String,
    pub object: String,
    pub kind: CopiedKind,
    #[serde(with = "stored")]
    pub fields: Fields,
    pub state: CopiedState,
    /// What the server refused, as (fields, code, message).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<(Vec<String>, String, String)>,
    /// What a duplicate rule found, with the place of its problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<(usize, Duplicates)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// No copy of a create has reached the server before this server time, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_after: Option<i64>,
    /// Milliseconds since 1970 on the clock of the device that made it.
    pub made_at: i64,
}

/// What a mutation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CopiedKind {
    Create,
    Update,
    Delete,
}

/// Where a mutation stood when it was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CopiedState {
    Pending,
    Sending,
    InDoubt,
    Rejected,
    Conflicted,
}

mod stored {
    use crate::json;
    use crate::record::Fields;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
    use serde_json::value::RawValue;

    pub(super) fn serialize<S: Serializer>(fields: &Fields, to: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(json::store_fields(fields))
            .map_err(ser::Error::custom)?
            .serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        json::load_fields(raw.get()).map_err(de::Error::custom)
    }
}

mod stored_option {
    use super::stored;
    use crate::record::Fields;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize)]
    struct Given<'a>(#[serde(serialize_with = "given")] &'a Fields);

    fn given<S: Serializer>(fields: &&Fields, to: S) -> Result<S::Ok, S::Error> {
        stored::serialize(fields, to)
    }

    #[derive(Deserialize)]
    struct Taken(#[serde(with = "stored")] Fields);

    pub(super) fn serialize<S: Serializer>(
        fields: &Option<Fields>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        fields.as_ref().map(Given).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Fields>, D::Error> {
        Ok(Option::<Taken>::deserialize(from)?.map(|taken| taken.0))
    }
}
