//! Fields of made-up objects: their types, and the few values that meet often.

use attache_sandbox::schema::{FieldDef, FieldKind, PicklistEntry};
use attache_sandbox::value::Value;
use attache_sim::Prng;
use jiff::civil::Date;

/// Texts that differ by case, by an accent, or by what LIKE takes for more than itself.
pub const TEXTS: &[&str] = &[
    "", "a", "A", "b", "á", "Á", "ab", "Ab", "a_b", "axb", "100%", "100x", "it's", "a\\b", "Zed",
    "zed ", "10", "9", "Ω", "ω", "日本", "\"q\"", "a;b", "NULL", "null", "😀",
];
const PICKS: &[&str] = &["Hot", "warm", "Cold", "hot-ish"];
const SETS: &[&str] = &[
    "",
    "red",
    "red;green",
    "Green;Red",
    "blue",
    "red;blue;green",
];
const NUMBERS: &[&str] = &[
    "",
    "0",
    "-0.5",
    "1",
    "1.0",
    "0.1",
    "0.3",
    "10",
    "9",
    "-10",
    "12345678901234.56",
    "123456789012345678",
    "123456789012345679",
    "0.000001",
    "99.99",
    "100",
];
const DAYS: &[&str] = &[
    "",
    "1700-01-01",
    "1969-12-31",
    "1970-01-01",
    "2023-12-31",
    "2024-01-01",
    "2024-02-29",
    "2024-03-09",
    "2024-03-10",
    "2024-03-11",
    "2024-03-31",
    "2024-04-01",
    "2024-10-27",
    "2024-11-02",
    "2024-11-03",
    "2024-11-04",
    "2025-01-31",
    "4000-12-31",
];
/// Around the hours in which clocks change, in several zones, and at midnights of them.
const INSTANTS: &[&str] = &[
    "",
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2024-03-10T04:59:59Z",
    "2024-03-10T05:00:00Z",
    "2024-03-10T07:00:00Z",
    "2024-03-11T03:59:59Z",
    "2024-03-11T04:00:00Z",
    "2024-03-31T00:59:59Z",
    "2024-03-31T01:00:00Z",
    "2024-03-30T23:00:00Z",
    "2024-03-31T22:00:00Z",
    "2024-04-06T13:00:00Z",
    "2024-04-06T15:30:00Z",
    "2024-11-03T04:00:00Z",
    "2024-11-03T05:59:59Z",
    "2024-11-03T06:00:00Z",
    "2024-11-04T04:59:59Z",
    "2024-11-04T05:00:00Z",
    "2018-11-04T02:59:59Z",
    "2018-11-04T03:00:00Z",
    "2018-02-18T02:30:00Z",
    "2011-12-30T09:59:59Z",
    "2011-12-30T10:00:00Z",
    "2023-12-31T18:30:00Z",
];

/// How a field's values compare, and what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    Text,
    /// A text too long for conditions, orders and groups.
    Long,
    Picklist,
    Set,
    Flag,
    Whole,
    Number,
    Day,
    Instant,
    Id,
}

/// A field that conditions may test.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub nature: Nature,
}

impl Nature {
    fn of(kind: FieldKind) -> Nature {
        match kind {
            FieldKind::TextArea => Nature::Long,
            FieldKind::Picklist => Nature::Picklist,
            FieldKind::MultiPicklist => Nature::Set,
            FieldKind::Boolean => Nature::Flag,
            FieldKind::Int => Nature::Whole,
            FieldKind::Double | FieldKind::Currency | FieldKind::Percent => Nature::Number,
            FieldKind::Date => Nature::Day,
            FieldKind::DateTime => Nature::Instant,
            FieldKind::Id | FieldKind::Reference => Nature::Id,
            _ => Nature::Text,
        }
    }

    /// The values that rows have and conditions ask for; an empty one is null. Ids have none of their own.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Nature::Text | Nature::Long => TEXTS,
            Nature::Picklist => PICKS,
            Nature::Set => SETS,
            Nature::Flag => &["true", "false"],
            Nature::Whole => &["", "0", "-1", "1", "9", "10", "99999999"],
            Nature::Number => NUMBERS,
            Nature::Day => DAYS,
            Nature::Instant => INSTANTS,
            Nature::Id => &[],
        }
    }

    /// A value of a row from its text.
    pub fn value(self, text: &str) -> Value {
        if text.is_empty() {
            return Value::Null;
        }
        match self {
            Nature::Text | Nature::Long | Nature::Picklist | Nature::Set | Nature::Id => {
                Value::text(text)
            }
            Nature::Flag => Value::Bool(text == "true"),
            Nature::Whole | Nature::Number => Value::Number(text.parse().expect("a number")),
            Nature::Day => Value::Date(text.parse::<Date>().expect("a day")),
            Nature::Instant => {
                let instant: jiff::Timestamp = text.parse().expect("an instant");
                Value::DateTime(instant.as_second())
            }
        }
    }
}

/// Makes up some fields of an object, of types in a random order.
pub fn made_up(random: &mut Prng) -> Vec<(FieldDef, Field)> {
    const KINDS: &[FieldKind] = &[
        FieldKind::String,
        FieldKind::String,
        FieldKind::Email,
        FieldKind::Phone,
        FieldKind::Url,
        FieldKind::Picklist,
        FieldKind::MultiPicklist,
        FieldKind::TextArea,
        FieldKind::Boolean,
        FieldKind::Int,
        FieldKind::Double,
        FieldKind::Currency,
        FieldKind::Percent,
        FieldKind::Date,
        FieldKind::DateTime,
    ];
    let count = 6 + random.below(10);
    (0..count)
        .map(|nr| {
            let kind = *random.pick(KINDS).expect("there are kinds");
            let name = format!("F{nr}_{}__c", kind.name());
            let mut definition = FieldDef::new(&name, &name, kind);
            definition.scale = if kind == FieldKind::Int { 0 } else { 6 };
            definition.case_sensitive = kind == FieldKind::String && random.percent(40);
            if matches!(kind, FieldKind::Picklist | FieldKind::MultiPicklist) {
                definition.picklist = PICKS.iter().map(|value| entry(value)).collect();
            }
            let nature = Nature::of(kind);
            (definition, Field { name, nature })
        })
        .collect()
}

fn entry(value: &str) -> PicklistEntry {
    PicklistEntry {
        value: value.into(),
        label: value.into(),
        active: true,
        default: false,
        valid_for: None,
    }
}
