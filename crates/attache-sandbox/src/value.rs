//! What one field of one row may hold.

use jiff::civil;
use rust_decimal::Decimal;

/// A field's value as the org stores it.
///
/// An empty string never occurs: the org stores it as [`Value::Null`], as a
/// real one does.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A checkbox; never null in a stored row.
    Bool(bool),
    /// `int`, `double`, `currency` or `percent`, exact.
    Number(Decimal),
    /// Every kind of text, ids, picklists and multi-select lists included.
    Text(Box<str>),
    /// A day without a zone.
    Date(civil::Date),
    /// An instant in whole seconds since 1970-01-01T00:00:00Z.
    DateTime(i64),
    /// A time of day, in milliseconds since midnight.
    Time(u32),
}

impl Value {
    /// Makes a text value; empty text is null.
    pub fn text(text: impl AsRef<str>) -> Value {
        let text = text.as_ref();
        if text.is_empty() {
            Value::Null
        } else {
            Value::Text(text.into())
        }
    }

    /// Borrows the text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Says whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        if text.is_empty() {
            Value::Null
        } else {
            Value::Text(text.into())
        }
    }
}

impl From<civil::Date> for Value {
    fn from(date: civil::Date) -> Value {
        Value::Date(date)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
