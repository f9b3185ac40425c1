//! Conditions to ask both sides, and how they become smaller.

use crate::field::{Field, Nature};
use crate::world::Sides;
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt;

/// A condition as a tree, so that it can be made smaller.
#[derive(Clone, Debug)]
pub enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Test(String),
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, word) = match self {
            Tree::All(list) => (list, " AND "),
            Tree::Any(list) => (list, " OR "),
            Tree::Not(inner) => return write!(f, "NOT ({inner})"),
            Tree::Test(text) => return f.write_str(text),
        };
        for (nr, part) in list.iter().enumerate() {
            f.write_str(if nr == 0 { "" } else { word })?;
            match part {
                Tree::Test(text) => f.write_str(text)?,
                part => write!(f, "({part})")?,
            }
        }
        Ok(())
    }
}

/// Instants to ask at: ordinary ones, and those around changes of clocks, years and weeks.
pub const NOWS: &[&str] = &[
    "2024-03-13T10:00:00Z",
    "2024-03-10T05:00:00Z",
    "2024-03-10T04:59:59Z",
    "2024-03-10T12:00:00Z",
    "2024-03-31T00:30:00Z",
    "2024-03-31T12:00:00Z",
    "2024-11-03T04:30:00Z",
    "2024-11-03T18:00:00Z",
    "2024-02-29T23:59:59Z",
    "2024-01-01T00:00:00Z",
    "2023-12-31T23:59:59Z",
    "2024-04-07T00:00:00Z",
    "2018-11-04T12:00:00Z",
    "2018-02-18T02:30:00Z",
    "2011-12-29T12:00:00Z",
    "2011-12-31T00:00:00Z",
    "2024-10-01T00:00:00Z",
    "2025-01-31T23:00:00Z",
];

/// A condition on things, and when it is asked.
pub fn question(sides: &Sides) -> impl Strategy<Value = (Tree, i64)> + use<> {
    let nows: Vec<i64> = NOWS
        .iter()
        .map(|now| {
            now.parse::<jiff::Timestamp>()
                .expect("an instant")
                .as_second()
        })
        .collect();
    (condition(sides), select(nows))
}

fn condition(sides: &Sides) -> impl Strategy<Value = Tree> + use<> {
    let tests = tests(sides);
    let joins = joins(sides);
    let trees = tests
        .prop_map(Tree::Test)
        .prop_recursive(3, 10, 3, |inner| {
            let list = || proptest::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                list().prop_map(Tree::All),
                list().prop_map(Tree::Any),
                inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
            ]
        });
    // Subqueries may stand at the top only, joined by AND.
    (trees, proptest::option::weighted(0.15, joins)).prop_map(|(tree, join)| match join {
        None => tree,
        Some(join) => Tree::All(vec![Tree::Test(join), tree]),
    })
}

/// Tests of fields of things, and of their parents.
fn tests(sides: &Sides) -> BoxedStrategy<String> {
    let own = |prefix: &str, at: usize| {
        let fields = sides.fields[at].iter();
        fields
            .map(|field| (format!("{prefix}{}", field.name), field.nature))
            .collect::<Vec<_>>()
    };
    let mut paths = own("", 0);
    paths.extend(own("", 0));
    for (prefix, at) in [
        ("Base__r.", 1),
        ("Base__r.Up__r.", 1),
        ("Base__r.Up__r.Up__r.Up__r.Up__r.", 1),
        ("Base__r.Favourite__r.", 0),
    ] {
        paths.extend(own(prefix, at));
    }
    paths.extend([
        (String::from("Any__r.Name"), Nature::Text),
        (String::from("Any__r.Type"), Nature::Text),
        (String::from("Any__r.Id"), Nature::Id),
        (
            String::from("Base__r.Favourite__r.Any__r.Name"),
            Nature::Text,
        ),
    ]);
    for up in ["", "Base__r.Favourite__r."] {
        let shared = NAME_FIELDS.iter();
        paths.extend(shared.map(|(name, nature)| (format!("{up}Person__r.{name}"), *nature)));
    }
    tests_of(paths, sides.ids.clone())
}

/// The fields that a path through a lookup to several objects may end in.
const NAME_FIELDS: &[(&str, Nature)] = &[
    ("Name", Nature::Text),
    ("Type", Nature::Text),
    ("Alias", Nature::Text),
    ("Email", Nature::Text),
    ("FirstName", Nature::Text),
    ("LastName", Nature::Text),
    ("MiddleName", Nature::Text),
    ("Phone", Nature::Text),
    ("Suffix", Nature::Text),
    ("Title", Nature::Text),
    ("Username", Nature::Text),
    ("IsActive", Nature::Flag),
    ("LastViewedDate", Nature::Instant),
    ("RecordTypeId", Nature::Id),
];

/// Semi- and anti-joins from things to bases.
fn joins(sides: &Sides) -> BoxedStrategy<String> {
    let fields = sides.fields[1].iter();
    let paths = fields.map(|Field { name, nature }| (name.clone(), *nature));
    let inner = tests_of(paths.collect(), sides.ids.clone());
    let sides = select(vec![
        ("Base__c", "Id"),
        ("Id", "Favourite__c"),
        ("Any__c", "Up__c"),
        ("Base__c", "Up__c"),
    ]);
    (sides, any::<bool>(), proptest::option::of(inner))
        .prop_map(|((outer, field), not, inner)| {
            let word = if not { "NOT IN" } else { "IN" };
            let inner = inner.map_or(String::new(), |inner| format!(" WHERE {inner}"));
            format!("{outer} {word} (SELECT {field} FROM Base__c{inner})")
        })
        .boxed()
}

fn tests_of(mut paths: Vec<(String, Nature)>, ids: Vec<String>) -> BoxedStrategy<String> {
    // No condition takes a long text; that both sides say so is asked with whole statements.
    paths.retain(|(_, nature)| *nature != Nature::Long);
    select(paths)
        .prop_flat_map(move |(path, nature)| {
            test_of(nature, &ids).prop_map(move |(function, test)| match function {
                None => format!("{path} {test}"),
                Some(function) => format!("{} {test}", function.replace('?', &path)),
            })
        })
        .boxed()
}

/// The rest of a test behind its field, and the function that the field stands in, with `?` for it.
type Rest = (Option<&'static str>, String);

fn test_of(nature: Nature, ids: &[String]) -> BoxedStrategy<Rest> {
    let values = values(nature, ids);
    let list = proptest::collection::vec(values.clone(), 1..4).prop_map(|list| list.join(", "));
    let equality = (select(&["=", "!=", "<>"][..]), values.clone())
        .prop_map(|(operator, value)| format!("{operator} {value}"));
    let order = (select(&["<", "<=", ">", ">="][..]), values).prop_map(|(operator, value)| {
        match value.as_str() {
            "null" | "''" => String::from("!= null"),
            value => format!("{operator} {value}"),
        }
    });
    let among = (select(&["IN", "NOT IN"][..]), list.clone())
        .prop_map(|(operator, list)| format!("{operator} ({list})"));
    let plain = |test: BoxedStrategy<String>| test.prop_map(|test| (None, test)).boxed();
    match nature {
        Nature::Flag => plain(equality.boxed()),
        Nature::Id => plain(prop_oneof![equality, among].boxed()),
        Nature::Set => {
            // What an empty text or null includes is documented nowhere.
            let sets = select(&["'red'", "'RED;green'", "'blue;red;green'", "'none'"][..]);
            let sets = proptest::collection::vec(sets, 1..4).prop_map(|list| list.join(", "));
            let choice = (select(&["INCLUDES", "EXCLUDES"][..]), sets)
                .prop_map(|(operator, list)| format!("{operator} ({list})"));
            plain(prop_oneof![equality, choice].boxed())
        }
        Nature::Text | Nature::Long | Nature::Picklist => {
            let like = "[aAáÁbZ1_%]{0,3}(\\\\\\\\_|\\\\\\\\%|\\\\\\\\'|%|x)?"
                .prop_map(|pattern| format!("LIKE '{}'", pattern.replace("\\\\", "\\")));
            plain(prop_oneof![equality, order, among, like].boxed())
        }
        Nature::Whole | Nature::Number => plain(prop_oneof![equality, order, among].boxed()),
        Nature::Day => prop_oneof![
            4 => plain(prop_oneof![equality, order, among].boxed()),
            2 => plain(relative()),
            1 => part(PARTS),
        ]
        .boxed(),
        Nature::Instant => prop_oneof![
            4 => plain(prop_oneof![equality, order, among].boxed()),
            3 => plain(relative()),
            2 => part(PARTS),
            1 => part(PARTS_OF_INSTANTS),
            1 => (select(&["DAY_ONLY(?)", "DAY_ONLY(convertTimezone(?))"][..]), test_of(Nature::Day, &[]))
                .prop_filter_map("a day", |(function, (inner, test))| {
                    let is_day = inner.is_none() && !test.contains(['_', ':']) && !test.contains("DAY");
                    let is_literal = ["WEEK", "MONTH", "QUARTER", "YEAR"].iter().any(|unit| test.contains(unit));
                    (is_day && !is_literal && !test.contains("TO") && !test.contains("YES")).then_some((Some(function), test))
                }),
        ]
        .boxed(),
    }
}

const PARTS: &[&str] = &[
    "CALENDAR_MONTH(?)",
    "CALENDAR_QUARTER(?)",
    "CALENDAR_YEAR(?)",
    "DAY_IN_MONTH(?)",
    "DAY_IN_WEEK(?)",
    "DAY_IN_YEAR(?)",
    "FISCAL_MONTH(?)",
    "FISCAL_QUARTER(?)",
    "FISCAL_YEAR(?)",
    "WEEK_IN_MONTH(?)",
    "WEEK_IN_YEAR(?)",
];
const PARTS_OF_INSTANTS: &[&str] = &[
    "HOUR_IN_DAY(?)",
    "HOUR_IN_DAY(convertTimezone(?))",
    "CALENDAR_YEAR(convertTimezone(?))",
    "DAY_IN_MONTH(convertTimezone(?))",
    "FISCAL_YEAR(convertTimezone(?))",
    "DAY_IN_WEEK(convertTimezone(?))",
    "WEEK_IN_YEAR(convertTimezone(?))",
];

fn part(functions: &'static [&'static str]) -> BoxedStrategy<Rest> {
    let number = select(
        &[
            "1", "2", "3", "4", "5", "7", "10", "12", "23", "31", "53", "366", "2023", "2024",
        ][..],
    );
    let operator = select(&["=", "!=", "<", "<=", ">", ">="][..]);
    (select(functions), operator, number)
        .prop_map(|(function, operator, number)| (Some(function), format!("{operator} {number}")))
        .boxed()
}

/// A test against a relative date literal.
fn relative() -> BoxedStrategy<String> {
    const UNITS: &[&str] = &[
        "WEEK",
        "MONTH",
        "QUARTER",
        "YEAR",
        "FISCAL_QUARTER",
        "FISCAL_YEAR",
    ];
    let fixed = select(
        &[
            "YESTERDAY",
            "TODAY",
            "TOMORROW",
            "LAST_90_DAYS",
            "NEXT_90_DAYS",
        ][..],
    )
    .prop_map(String::from);
    let single = (select(&["LAST", "THIS", "NEXT"][..]), select(UNITS))
        .prop_map(|(which, unit)| format!("{which}_{unit}"));
    let counted = (
        select(&["LAST_N_?S:", "NEXT_N_?S:", "N_?S_AGO:"][..]),
        prop_oneof![1 => Just("DAY").boxed(), 3 => select(UNITS).boxed()],
        prop_oneof![4 => 0..7_u32, 1 => 8..60_u32],
    )
        .prop_map(|(form, unit, n)| format!("{}{n}", form.replace('?', unit)));
    let operator = select(&["=", "!=", "<", "<=", ">", ">="][..]);
    (operator, prop_oneof![fixed, single, counted])
        .prop_map(|(operator, literal)| format!("{operator} {literal}"))
        .boxed()
}

/// Literals of a nature: what rows have, and null.
fn values(nature: Nature, ids: &[String]) -> BoxedStrategy<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let literals: Vec<String> = match nature {
        Nature::Text | Nature::Long | Nature::Picklist | Nature::Set => {
            let texts = nature.values().iter();
            texts
                .flat_map(|text| [quoted(text), quoted(&text.to_uppercase())])
                .collect()
        }
        Nature::Id => {
            let short = |id: &String| quoted(&id[..15]);
            ids.iter().flat_map(|id| [quoted(id), short(id)]).collect()
        }
        _ => {
            let values = nature.values().iter().filter(|text| !text.is_empty());
            values.map(|text| String::from(*text)).collect()
        }
    };
    prop_oneof![1 => Just(String::from("null")), 8 => select(literals)].boxed()
}
