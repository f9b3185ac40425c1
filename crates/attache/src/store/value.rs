//! Values as SQLite keeps them.
//!
//! | field type | column | kept as |
//! |---|---|---|
//! | text of any kind, ids, picklists, `anyType` | `TEXT` | the text |
//! | boolean | `INTEGER` | 0 or 1 |
//! | any number | `ANY`, integers `INTEGER` | see below |
//! | date | `TEXT` | `YYYY-MM-DD` |
//! | datetime | `INTEGER` | seconds since 1970 |
//! | time | `TEXT` | `HH:MM:SS.mmm` |
//!
//! A number has exactly one stored form: an integer if it is one of 64 bits; a
//! real if that real's shortest decimal form is the number; its decimal text
//! otherwise. So equal numbers are equal cells, 18-digit money survives, and all
//! but the rarest are numbers to any SQLite tool. What orders numbers must mind
//! the third form (`query/decimal.rs`).

use crate::json;
use crate::record::{ServerTime, Value};
use crate::schema::FieldType;
use jiff::civil;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Turns a value into what is bound for a field of this type.
///
/// A value that does not suit the type is bound in its own form, which the
/// strict table then refuses: better a loud failure than a changed value.
pub(crate) fn to_sql(value: &Value, ty: &FieldType) -> Sql {
    match bind(value, ty) {
        ToSqlOutput::Owned(value) => value,
        // `bind` borrows only text.
        _ => value
            .as_text()
            .map_or(Sql::Null, |text| Sql::Text(text.into())),
    }
}

/// Does what [`to_sql`] does without copying text: for loads of many rows.
pub(crate) fn bind<'a>(value: &'a Value, ty: &FieldType) -> ToSqlOutput<'a> {
    let owned = match value {
        Value::Null => Sql::Null,
        Value::Text(text) if text.is_empty() => Sql::Null,
        Value::Text(text) => {
            return ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()));
        }
        Value::Boolean(value) if ty.is_text() => Sql::Text(value.to_string()),
        Value::Boolean(value) => Sql::Integer(i64::from(*value)),
        Value::Number(value) if ty.is_text() => Sql::Text(value.normalize().to_string()),
        Value::Number(value) => number(*value),
        Value::Date(value) => Sql::Text(value.to_string()),
        Value::DateTime(value) if ty.is_text() => Sql::Text(value.to_string()),
        Value::DateTime(value) => Sql::Integer(value.0),
        Value::Time(value) => Sql::Text(value.strftime("%H:%M:%S.%3f").to_string()),
    };
    ToSqlOutput::Owned(owned)
}

/// Reads a column of a field of this type.
pub(crate) fn from_sql(cell: ValueRef<'_>, ty: &FieldType) -> Value {
    let read = match (ty, cell) {
        (_, ValueRef::Null) if *ty == FieldType::Boolean => Some(Value::Boolean(false)),
        (_, ValueRef::Null | ValueRef::Blob(_)) => Some(Value::Null),
        (FieldType::Boolean, ValueRef::Integer(value)) => Some(Value::Boolean(value != 0)),
        (FieldType::DateTime, ValueRef::Integer(value)) => Some(Value::DateTime(ServerTime(value))),
        (FieldType::Date, ValueRef::Text(text)) => utf8(text).parse().ok().map(Value::Date),
        (FieldType::Time, ValueRef::Text(text)) => {
            utf8(text).parse::<civil::Time>().ok().map(Value::Time)
        }
        (ty, cell) if ty.is_number() => decimal(cell).map(Value::Number),
        _ => None,
    };
    // Only a foreign hand can have written something else; show it as it is.
    read.unwrap_or_else(|| match cell {
        ValueRef::Integer(value) => Value::Text(value.to_string()),
        ValueRef::Real(value) => Value::Text(value.to_string()),
        ValueRef::Text(text) => Value::text(utf8(text)),
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
    })
}

/// Says whether two types keep their values in one form, so that a column can be of either.
pub(crate) fn kept_alike(a: &FieldType, b: &FieldType) -> bool {
    fn form(ty: &FieldType) -> u8 {
        match ty {
            FieldType::Boolean => 0,
            FieldType::Int | FieldType::Long => 1,
            ty if ty.is_number() => 2,
            FieldType::DateTime => 3,
            FieldType::Date => 4,
            FieldType::Time => 5,
            _ => 6,
        }
    }
    form(a) == form(b)
}

/// Brings a value into the form of a type, if it means the same there; `None` if it is no value of this type.
pub(crate) fn adapt(value: &Value, ty: &FieldType) -> Option<Value> {
    let suits = match value {
        Value::Null => true,
        Value::Boolean(_) => *ty == FieldType::Boolean,
        Value::Number(number) => {
            ty.is_number()
                && (number.is_integer() || !matches!(ty, FieldType::Int | FieldType::Long))
        }
        Value::Text(_) => ty.is_text(),
        Value::Date(_) => *ty == FieldType::Date,
        Value::DateTime(_) => *ty == FieldType::DateTime,
        Value::Time(_) => *ty == FieldType::Time,
    };
    if suits {
        return Some(value.clone());
    }
    let read = json::parse_text(ty, &value.to_string())?;
    // A number with decimals is none of an integer's.
    (read != *value).then_some(read)
}

fn utf8(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The one stored form of a number.
pub(crate) fn number(value: Decimal) -> Sql {
    let value = value.normalize();
    if value.scale() == 0 {
        return match value.to_i64() {
            Some(integer) => Sql::Integer(integer),
            None => real_or_text(value),
        };
    }
    match short_real(value) {
        Some(real) => Sql::Real(real),
        None => real_or_text(value),
    }
}

/// The real of a decimal of at most 15 digits, which always suffice to read it back.
///
/// Numerator and divisor are both exact, so the one division rounds correctly.
fn short_real(value: Decimal) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    let digits = i64::try_from(value.mantissa()).ok()?;
    let power = POWERS.get(usize::try_from(value.scale()).ok()?)?;
    (digits.unsigned_abs() < 1_000_000_000_000_000).then(|| digits as f64 / power)
}

fn real_or_text(value: Decimal) -> Sql {
    let text = value.to_string();
    match text.parse::<f64>() {
        Ok(real) if real.to_string() == text => Sql::Real(real),
        _ => Sql::Text(text),
    }
}

/// The shortest decimal form of a real, which is the number that it was made from.
///
/// Tries few digits behind the point first, because that is what numbers have.
/// No other decimal of up to 15 digits has the same real, so one that fits is it.
fn short_decimal(value: f64) -> Option<Decimal> {
    [1e0, 1e1, 1e2, 1e3, 1e4]
        .iter()
        .zip(0..)
        .find_map(|(power, scale)| {
            let digits = (value * power).round();
            let fits = digits.abs() < 1e15 && digits / power == value;
            fits.then(|| Decimal::new(digits as i64, scale))
        })
}

/// Reads a number in any of its stored forms.
pub(crate) fn decimal(cell: ValueRef<'_>) -> Option<Decimal> {
    match cell {
        ValueRef::Integer(value) => Some(value.into()),
        ValueRef::Real(value) => short_decimal(value).or_else(|| value.to_string().parse().ok()),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number_of(text: &str) -> Sql {
        number(text.parse().expect("a decimal"))
    }

    #[test]
    fn a_number_has_one_stored_form() {
        assert_eq!(number_of("5"), Sql::Integer(5));
        assert_eq!(number_of("5.00"), Sql::Integer(5));
        assert_eq!(number_of("-0.0"), Sql::Integer(0));
        assert_eq!(number_of("0.10"), Sql::Real(0.1));
        assert_eq!(
            number_of("1234567890123456.78"),
            Sql::Text("1234567890123456.78".into())
        );
        assert_eq!(number_of("10000000000000000000"), Sql::Real(1e19));
        assert_eq!(
            number_of("9223372036854775809"),
            Sql::Text("9223372036854775809".into())
        );
    }

    #[test]
    fn a_missing_boolean_reads_as_false() {
        assert_eq!(
            from_sql(ValueRef::Null, &FieldType::Boolean),
            Value::Boolean(false)
        );
        assert_eq!(from_sql(ValueRef::Null, &FieldType::Date), Value::Null);
    }

    #[test]
    fn any_type_keeps_numbers_and_booleans_as_text() {
        assert_eq!(
            to_sql(&Value::from(true), &FieldType::AnyType),
            Sql::Text("true".into())
        );
        assert_eq!(
            to_sql(&Value::Number("1.50".parse().unwrap()), &FieldType::AnyType),
            Sql::Text("1.5".into())
        );
    }

    #[test]
    fn what_a_foreign_hand_wrote_is_shown_as_it_is() {
        assert_eq!(
            from_sql(ValueRef::Text(b"soon"), &FieldType::Date),
            Value::Text("soon".into())
        );
    }

    fn sample() -> impl Strategy<Value = (Value, FieldType)> {
        let decimal = (any::<i64>(), any::<i64>(), 0..=28_u32).prop_map(|(a, b, scale)| {
            let wide = i128::from(a) * i128::from(b >> 32);
            Decimal::try_from_i128_with_scale(wide, scale).unwrap_or_default()
        });
        prop_oneof![
            decimal.prop_map(|value| (Value::Number(value), FieldType::Currency)),
            "\\PC*".prop_map(|value| (Value::text(value), FieldType::String)),
            any::<bool>().prop_map(|value| (Value::Boolean(value), FieldType::Boolean)),
            (-9_000_000_000..60_000_000_000_i64)
                .prop_map(|value| (Value::DateTime(ServerTime(value)), FieldType::DateTime)),
            (1700..=4000_i16, 1..=12_i8, 1..=28_i8)
                .prop_map(|(y, m, d)| (Value::Date(civil::date(y, m, d)), FieldType::Date)),
            (0..24_i8, 0..60_i8, 0..60_i8, 0..1000_i32).prop_map(|(h, m, s, ms)| (
                Value::Time(civil::time(h, m, s, ms * 1_000_000)),
                FieldType::Time
            )),
        ]
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_went_in((value, ty) in sample()) {
            let stored = to_sql(&value, &ty);
            prop_assert_eq!(from_sql(ValueRef::from(&stored), &ty), value);
        }

        #[test]
        fn a_real_reads_as_its_shortest_decimal(digits in -1_000_000_000_000_000_i64..1_000_000_000_000_000, scale in 0..9_i32) {
            let real = digits as f64 / 10_f64.powi(scale);
            let text: Option<Decimal> = real.to_string().parse().ok();
            prop_assert_eq!(decimal(ValueRef::Real(real)), text);
        }

        #[test]
        fn equal_numbers_are_equal_cells(digits in any::<i64>(), scale in 0..20_u32) {
            let value = Decimal::from_i128_with_scale(i128::from(digits), scale);
            let mut padded = value;
            padded.rescale(scale + 5);
            prop_assert_eq!(number(padded), number(value));
        }
    }
}
