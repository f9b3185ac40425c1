//! Records: identities, values and fields.

use crate::error::{Error, ErrorKind, Result};
use jiff::civil;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::fmt;

/// An instant of the server's clock, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerTime(pub i64);

impl ServerTime {
    /// Reads `2026-11-22T09:30:00.000+0000`, and the same with `Z` or `+00:00`.
    pub fn parse(text: &str) -> Option<ServerTime> {
        // Salesforce writes the offset without a colon, which RFC 3339 does not know.
        let fixed;
        let bytes = text.as_bytes();
        let sign = bytes.len().checked_sub(5).map(|at| bytes[at]);
        let text = match sign {
            Some(b'+' | b'-') if text.is_ascii() && !text.ends_with('Z') => {
                let (head, tail) = text.split_at(text.len() - 2);
                fixed = format!("{head}:{tail}");
                &fixed
            }
            _ => text,
        };
        text.parse::<jiff::Timestamp>()
            .ok()
            .map(|stamp| ServerTime(stamp.as_second()))
    }

    /// Prints `2026-11-22T09:30:00Z`, as a query wants it.
    pub fn to_soql(self) -> String {
        match jiff::Timestamp::from_second(self.0) {
            Ok(stamp) => stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Err(_) => String::from("1970-01-01T00:00:00Z"),
        }
    }
}

impl fmt::Display for ServerTime {
    /// Prints `2026-11-22T09:30:00.000+0000`, as the API does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(stamp) => write!(f, "{}", stamp.strftime("%Y-%m-%dT%H:%M:%S.000+0000")),
            Err(_) => f.write_str("1970-01-01T00:00:00.000+0000"),
        }
    }
}

/// The identity of a record on this device. It never changes.
///
/// A record that came from the server is known by its 18-character id, one that
/// was created here by a local key (`local-` and a UUID), which stays valid
/// after the server has given the record an id of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(Box<str>);

const LOCAL_PREFIX: &str = "local-";

impl RecordId {
    /// Reads an id: 15 or 18 characters of the server, or a local key.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for anything else, an 18-character id with
    /// a wrong checksum included.
    pub fn parse(text: &str) -> Result<RecordId> {
        if let Some(key) = text.strip_prefix(LOCAL_PREFIX) {
            if uuid::Uuid::try_parse(key).is_ok_and(|uuid| uuid.as_hyphenated().to_string() == key)
            {
                return Ok(RecordId(text.into()));
            }
        } else if let Some(id) = remote_id(text) {
            return Ok(RecordId(id.into()));
        }
        Err(Error::invalid(
            "a record id is 15 or 18 characters of the server, or a key that starts with local-",
        ))
    }

    /// Makes a local key from 16 random bytes and the device's clock (UUID version 7).
    pub(crate) fn local(now: crate::env::LocalTime, random: [u8; 10]) -> RecordId {
        let millis = u64::try_from(now.0).unwrap_or(0);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        RecordId(format!("{LOCAL_PREFIX}{}", uuid.as_hyphenated()).into())
    }

    /// Wraps text that came out of our own store.
    pub(crate) fn trusted(text: &str) -> RecordId {
        RecordId(text.into())
    }

    /// Says whether the record was created on this device.
    pub fn is_local(&self) -> bool {
        is_local(&self.0)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says whether a text is a local key, and not just something whose name begins like one.
pub(crate) fn is_local(id: &str) -> bool {
    id.strip_prefix(LOCAL_PREFIX)
        .is_some_and(|key| key.len() == 36 && uuid::Uuid::try_parse(key).is_ok())
}

/// Brings a server id to its 18-character form; `None` if it is none.
///
/// # Source
/// Three check characters, each a bit set of which of five characters are
/// capitals: reference, section 4.10.
pub(crate) fn remote_id(text: &str) -> Option<String> {
    if !(text.len() == 15 || text.len() == 18) || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let mut id = String::with_capacity(18);
    id.push_str(&text[..15]);
    for block in text.as_bytes()[..15].chunks(5) {
        let bits = block
            .iter()
            .enumerate()
            .filter(|(_, c)| c.is_ascii_uppercase())
            .fold(0, |n, (k, _)| n | (1 << k));
        id.push(char::from(DIGITS[bits]));
    }
    (text.len() == 15 || text[15..] == id[15..]).then_some(id)
}

/// A field's value.
///
/// Values keep their meaning: numbers are exact decimals, empty text is
/// [`Value::Null`], ids have 18 characters, instants have whole seconds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// A checkbox.
    Boolean(bool),
    /// A number of any kind, exact to 28 digits.
    Number(Decimal),
    /// Text, picklist values, ids and multi-select lists (`a;b`).
    Text(String),
    /// A day, without a zone.
    Date(civil::Date),
    /// An instant.
    DateTime(ServerTime),
    /// A time of day, to the millisecond.
    Time(civil::Time),
}

impl Value {
    /// Makes a text value; empty text is null.
    pub fn text(text: impl Into<String>) -> Value {
        let text = text.into();
        if text.is_empty() {
            Value::Null
        } else {
            Value::Text(text)
        }
    }

    /// Says whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Borrows the text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    /// Prints the value as the API writes it, without quotes; null is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => Ok(()),
            Value::Boolean(value) => write!(f, "{value}"),
            Value::Number(value) => write!(f, "{value}"),
            Value::Text(value) => f.write_str(value),
            Value::Date(value) => write!(f, "{value}"),
            Value::DateTime(value) => write!(f, "{value}"),
            Value::Time(value) => write!(f, "{}", value.strftime("%H:%M:%S.%3fZ")),
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $with:expr),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Value {
                let with: fn($from) -> Value = $with;
                with(value)
            }
        }
    )*};
}

value_from! {
    bool => Value::Boolean,
    i32 => |value| Value::Number(value.into()),
    i64 => |value| Value::Number(value.into()),
    Decimal => Value::Number,
    &str => |value| Value::text(value),
    String => |value| Value::text(value),
    RecordId => |value| Value::text(value.0),
    &RecordId => |value| Value::text(value.as_str()),
    civil::Date => Value::Date,
    ServerTime => Value::DateTime,
    civil::Time => Value::Time,
}

/// Named values: the whole of a record, or the part that a write changes.
///
/// A field that is absent is *unchanged*; a field that is present and null was
/// cleared. Names are API names in the case of the schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// Makes an empty set of fields.
    pub fn new() -> Fields {
        Fields::default()
    }

    /// Adds a field, so that fields of several types are written in one line.
    ///
    /// # Examples
    /// ```
    /// use attache::Fields;
    ///
    /// let fields = Fields::new().with("Name", "Acme").with("NumberOfEmployees", 12).cleared("Fax");
    /// assert_eq!(fields.to_json(), r#"{"Fax":null,"Name":"Acme","NumberOfEmployees":12}"#);
    /// ```
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Fields {
        self.set(name, value);
        self
    }

    /// Adds a field that is to be cleared.
    #[must_use]
    pub fn cleared(self, name: impl Into<String>) -> Fields {
        self.with(name, Value::Null)
    }

    /// Looks a field up by its exact name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets a field and gives what it held.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(name.into(), value.into())
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Says whether a field is present, null or not.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The fields in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// How many fields are present.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether no field is present.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Fields {
        Fields(
            fields
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl<K: Into<String>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Fields {
    fn from(fields: [(K, V); N]) -> Fields {
        fields.into_iter().collect()
    }
}

impl IntoIterator for Fields {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// One record as this device sees it: what the server confirmed, with the edits made here on top.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its identity on this device.
    pub id: RecordId,
    /// The object's API name.
    pub object: String,
    /// Every field the briefcase carries. `Id` is the server's id once there is one.
    pub fields: Fields,
}

/// Says that a record is not here.
pub(crate) fn not_found(id: &RecordId) -> Error {
    Error::new(
        ErrorKind::RecordNotFound,
        format!("there is no record {id} on this device"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_15_character_id_gets_the_checksum_of_real_ids() {
        assert_eq!(
            remote_id("001D000000JliST").as_deref(),
            Some("001D000000JliSTIAZ")
        );
        assert_eq!(
            remote_id("001D000000JliSTIAZ").as_deref(),
            Some("001D000000JliSTIAZ")
        );
    }

    #[test]
    fn an_id_with_a_wrong_checksum_is_refused() {
        assert!(RecordId::parse("001D000000JliSTIAA").is_err());
        assert!(RecordId::parse("001d000000jlistiaz").is_err());
    }

    #[test]
    fn a_local_key_reads_back() {
        let id = RecordId::local(crate::LocalTime(1_700_000_000_000), [7; 10]);
        assert!(id.is_local());
        assert_eq!(RecordId::parse(id.as_str()).expect("our own key"), id);
        assert!(RecordId::parse("local-1").is_err());
    }

    #[test]
    fn instants_read_in_every_spelling_of_the_api() {
        let expected = ServerTime(1_795_339_800);
        for text in [
            "2026-11-22T09:30:00.000+0000",
            "2026-11-22T09:30:00Z",
            "2026-11-22T10:30:00+01:00",
        ] {
            assert_eq!(ServerTime::parse(text), Some(expected), "{text}");
        }
        assert_eq!(expected.to_string(), "2026-11-22T09:30:00.000+0000");
        assert_eq!(ServerTime::parse("2026-11-22"), None);
    }

    #[test]
    fn empty_text_is_null() {
        assert!(Value::text("").is_null());
    }
}
