//! Random conditions on random rows: the SQL finds what a plain reading of the rules finds.

use super::*;
use crate::filter::ast::*;
use proptest::prelude::*;
use proptest::sample::select;
use std::cmp::Ordering;

type Record = Vec<(&'static str, Value)>;

const TEXTS: &[&str] = &["", "a", "A", "b", "ab", "aB", "é", "É", "a%", "a_", "%"];
const NUMBERS: &[&str] = &[
    "0",
    "5",
    "5.5",
    "-1",
    "0.1",
    "9007199254740993",
    "9007199254740992.5",
    "1234567890123456.78",
    "1234567890123456.79",
    "18014398509481985.5",
    "18014398509481985",
];
const SETS: &[&str] = &["", "A", "a;B", "B;A", "C", "A;B;C"];
const DAYS: &[&str] = &[
    "2024-03-10",
    "2024-03-12",
    "2024-03-13",
    "2024-03-14",
    "2024-04-01",
];
const INSTANTS: &[&str] = &[
    "2024-03-10T04:59:59Z",
    "2024-03-10T05:00:00Z",
    "2024-03-13T03:59:59Z",
    "2024-03-13T04:00:00Z",
    "2024-03-14T04:00:00Z",
];
const LITERALS: &[&str] = &[
    "TODAY",
    "LAST_N_DAYS:3",
    "THIS_WEEK",
    "NEXT_N_MONTHS:1",
    "YESTERDAY",
];

fn record() -> impl Strategy<Value = Record> {
    let maybe = |values: &'static [&'static str], make: fn(&str) -> Value| {
        proptest::option::of(select(values)).prop_map(move |text| text.map_or(Value::Null, make))
    };
    (
        maybe(TEXTS, |text| Value::text(text)),
        maybe(TEXTS, |text| Value::text(text)),
        maybe(NUMBERS, number),
        maybe(SETS, |text| Value::text(text)),
        proptest::option::of(any::<bool>())
            .prop_map(|value| value.map_or(Value::Null, Value::from)),
        maybe(DAYS, |text| Value::Date(text.parse().expect("a day"))),
        maybe(INSTANTS, |text| {
            ServerTime::parse(text).expect("an instant").into()
        }),
        proptest::option::of(0..4_u8),
    )
        .prop_map(
            |(name, code, revenue, regions, active, renewal, created, parent)| {
                let parent =
                    parent.map_or(Value::Null, |nr| id("001", char::from(b'a' + nr)).into());
                vec![
                    ("Name", name),
                    ("Code__c", code),
                    ("Revenue__c", revenue),
                    ("Regions__c", regions),
                    ("Active__c", active),
                    ("Renewal__c", renewal),
                    ("CreatedDate", created),
                    ("ParentId", parent),
                ]
            },
        )
}

/// One test, as text.
fn test() -> impl Strategy<Value = String> {
    let quoted = |values: &'static [&'static str]| {
        select(values).prop_map(|text| {
            if text.is_empty() {
                "null".into()
            } else {
                format!("'{text}'")
            }
        })
    };
    let owned = |values: &'static [&'static str]| select(values).prop_map(String::from);
    let ordered = || select(&["=", "!=", "<", "<=", ">", ">="][..]);
    let kinds = prop_oneof![
        (select(&["Name", "Code__c"][..]), quoted(TEXTS)),
        (Just("Revenue__c"), owned(NUMBERS)),
        (
            Just("Renewal__c"),
            prop_oneof![owned(DAYS), owned(LITERALS)]
        ),
        (
            Just("CreatedDate"),
            prop_oneof![owned(INSTANTS), owned(LITERALS)]
        ),
    ];
    let parent = select(&["", "", "Parent.", "Parent.Parent."][..]);
    let single = prop_oneof![
        (kinds, ordered()).prop_map(|((field, value), op)| match value.as_str() {
            "null" => (field, format!("!= {value}")),
            value => (field, format!("{op} {value}")),
        }),
        (
            select(&["Name", "Code__c"][..]),
            proptest::collection::vec(quoted(TEXTS), 1..3),
            any::<bool>()
        )
            .prop_map(|(field, list, not)| (
                field,
                format!("{} ({})", if not { "NOT IN" } else { "IN" }, list.join(","))
            )),
        (
            Just("Revenue__c"),
            proptest::collection::vec(owned(NUMBERS), 1..3)
        )
            .prop_map(|(field, list)| (field, format!("IN ({}, null)", list.join(",")))),
        (select(&["Name", "Code__c"][..]), "[aAbÉ%_]{0,3}")
            .prop_map(|(field, text)| (field, format!("LIKE '{text}'"))),
        (Just("Regions__c"), quoted(SETS), select(&["=", "!="][..]))
            .prop_map(|(field, value, op)| (field, format!("{op} {value}"))),
        (
            Just("Regions__c"),
            proptest::collection::vec(quoted(SETS), 1..3),
            any::<bool>()
        )
            .prop_map(|(field, list, not)| (
                field,
                format!(
                    "{} ({})",
                    if not { "EXCLUDES" } else { "INCLUDES" },
                    list.join(",")
                )
            )),
        (
            Just("Active__c"),
            select(&["= true", "= false", "!= true", "= null", "!= null"][..])
        )
            .prop_map(|(field, test)| (field, test.to_owned())),
    ];
    (parent, single).prop_map(|(parent, (field, test))| format!("{parent}{field} {test}"))
}

fn condition() -> impl Strategy<Value = String> {
    test().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (
                proptest::collection::vec(inner.clone(), 2..4),
                any::<bool>()
            )
                .prop_map(|(list, and)| format!(
                    "({})",
                    list.join(if and { ") AND (" } else { ") OR (" })
                )),
            inner.prop_map(|inner| format!("NOT ({inner})")),
        ]
    })
}

/// Evaluates a condition on a record by the words of the reference.
fn holds(tree: &Condition, record: usize, records: &[Record], context: &Context) -> bool {
    let again = |tree: &Condition| holds(tree, record, records, context);
    match tree {
        Condition::And(list) => list.iter().all(again),
        Condition::Or(list) => list.iter().any(again),
        Condition::Not(inner) => !again(inner),
        Condition::Test(Comparison {
            left: Expr::Field(path),
            test,
        }) => {
            let (parents, field) = path.split();
            let mut at = Some(record);
            for _ in parents {
                at = at.and_then(|at| parent_of(&records[at], records.len()));
            }
            let value = at.map_or(Value::Null, |at| get(&records[at], field));
            fits(field, &value, test, context)
        }
        Condition::Test(_) => unreachable!("only fields are generated"),
    }
}

fn get(record: &Record, field: &str) -> Value {
    let found = record.iter().find(|(name, _)| *name == field);
    found.map_or(Value::Null, |(_, value)| value.clone())
}

fn parent_of(record: &Record, count: usize) -> Option<usize> {
    let parent = get(record, "ParentId");
    let letter = parent.as_text()?.as_bytes()[14];
    Some(usize::from(letter - b'a')).filter(|nr| *nr < count)
}

fn fits(field: &str, value: &Value, test: &Test, context: &Context) -> bool {
    let equal = |literal: &Literal| compare(field, value, literal, Operator::Equal, context);
    match test {
        Test::Compare(operator, literal) => compare(field, value, literal, *operator, context),
        Test::In(Sense::Is, list) => list.iter().any(equal),
        Test::In(Sense::IsNot, list) => !list.iter().any(equal),
        Test::Includes(sense, list) => {
            let own = set(value.as_text().unwrap_or_default());
            let found = list.iter().any(|literal| match &literal.value {
                Constant::Text(text) => set(text).iter().all(|wanted| own.contains(wanted)),
                _ => value.is_null(),
            });
            found == (*sense == Sense::Is)
        }
        Test::Like(pattern, _) => {
            let text: Vec<char> = folded(field, value.as_text().unwrap_or_default())
                .chars()
                .collect();
            !value.is_null() && like(field, pattern, &text)
        }
        Test::InQuery(..) => unreachable!("no subqueries are generated"),
    }
}

fn compare(
    field: &str,
    value: &Value,
    literal: &Literal,
    operator: Operator,
    context: &Context,
) -> bool {
    if operator == Operator::NotEqual {
        return !compare(field, value, literal, Operator::Equal, context);
    }
    if let Constant::Relative(relative) = &literal.value {
        let range = relative.range(context);
        let (start, end) = match value {
            Value::Date(day) => (day.cmp(&range.start), day.cmp(&range.end)),
            Value::DateTime(instant) => {
                let (start, end) = range.instants(&context.time_zone);
                (instant.cmp(&start), instant.cmp(&end))
            }
            _ => return false,
        };
        return match operator {
            Operator::Less => start.is_lt(),
            Operator::LessOrEqual => end.is_lt(),
            Operator::Greater => end.is_ge(),
            Operator::GreaterOrEqual => start.is_ge(),
            _ => start.is_ge() && end.is_lt(),
        };
    }
    let order = match (value, &literal.value) {
        (Value::Null, Constant::Null) => return true,
        (Value::Null | Value::Boolean(false), Constant::Null | Constant::Boolean(false)) => {
            return true;
        }
        (Value::Boolean(value), Constant::Boolean(wanted)) => return value == wanted,
        (Value::Text(text), Constant::Text(wanted)) if field == "Regions__c" => {
            return set(text) == set(wanted);
        }
        (Value::Text(text), Constant::Text(wanted)) => {
            folded(field, text).cmp(&folded(field, wanted))
        }
        (Value::Number(value), Constant::Number(wanted)) => value.cmp(wanted),
        (Value::Date(value), Constant::Date(wanted)) => value.cmp(wanted),
        (Value::DateTime(value), Constant::DateTime(wanted)) => value.cmp(wanted),
        _ => return false,
    };
    match operator {
        Operator::Equal | Operator::NotEqual => order == Ordering::Equal,
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    }
}

fn folded(field: &str, text: &str) -> String {
    if field == "Code__c" {
        text.to_owned()
    } else {
        text.to_uppercase()
    }
}

fn set(text: &str) -> Vec<String> {
    let mut values: Vec<String> = text.to_uppercase().split(';').map(String::from).collect();
    values.sort();
    values
}

fn like(field: &str, pattern: &[Glyph], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((Glyph::Many, rest)), _) => (0..=text.len()).any(|n| like(field, rest, &text[n..])),
        (Some((Glyph::One, rest)), Some((_, text))) => like(field, rest, text),
        (Some((Glyph::Char(c), rest)), Some((own, text))) => {
            folded(field, &c.to_string()) == own.to_string() && like(field, rest, text)
        }
        (Some(_), None) => false,
    }
}

/// A statement of which every name exists; the grammar or the types may still refuse it.
fn statement() -> impl Strategy<Value = String> {
    // The first cannot be ordered by, the first two cannot be grouped by.
    const EXPRS: &[&str] = &[
        "Regions__c",
        "CreatedDate",
        "Id",
        "Name",
        "Parent.Name",
        "Parent.Parent.Revenue__c",
        "Rating",
        "Active__c",
        "Employees__c",
        "Revenue__c",
        "Renewal__c",
        "ParentId",
        "Parent.Id",
        "CALENDAR_YEAR(CreatedDate)",
        "FISCAL_QUARTER(Renewal__c)",
        "HOUR_IN_DAY(convertTimezone(CreatedDate))",
        "DAY_ONLY(Parent.CreatedDate)",
        "DISTANCE(Place__c, GEOLOCATION(1, 2), 'km')",
        "toLabel(Parent.Rating)",
    ];
    const AGGREGATES: &[&str] = &[
        "COUNT(Id)",
        "COUNT(Parent.Name)",
        "COUNT_DISTINCT(Rating)",
        "COUNT_DISTINCT(Revenue__c)",
        "SUM(Revenue__c)",
        "AVG(Employees__c)",
        "MIN(Name)",
        "MAX(Rating)",
        "MIN(CreatedDate)",
        "MAX(Parent.Revenue__c)",
    ];
    let how = select(&["", " DESC", " NULLS LAST", " DESC NULLS LAST"][..]);
    let order = |exprs: &'static [&'static str]| {
        let term = (select(exprs), how.clone()).prop_map(|(expr, how)| format!("{expr}{how}"));
        proptest::collection::vec(term, 0..4).prop_map(|terms| match terms.as_slice() {
            [] => String::new(),
            terms => format!(" ORDER BY {}", terms.join(", ")),
        })
    };
    let bounds = select(&["", " LIMIT 2", " OFFSET 1", " LIMIT 3 OFFSET 1"][..]);
    let filter = proptest::option::of(condition())
        .prop_map(|text| text.map_or(String::new(), |text| format!(" WHERE {text}")))
        .boxed();
    let subset = |list: &'static [&'static str], max| proptest::sample::subsequence(list, 1..=max);
    let plain = (
        subset(EXPRS, 5),
        filter.clone(),
        order(&EXPRS[1..]),
        bounds.clone(),
    )
        .prop_map(|(items, filter, order, bounds)| {
            format!(
                "SELECT {} FROM Account{filter}{order}{bounds}",
                items.join(", ")
            )
        });
    let grouped = (
        subset(&EXPRS[3..11], 3),
        subset(AGGREGATES, 3),
        filter,
        select(&["", "ROLLUP", "CUBE"][..]),
        (order(AGGREGATES), bounds),
    )
        .prop_map(|(by, aggregates, filter, kind, (order, bounds))| {
            let (by, first) = (by.join(", "), aggregates[0]);
            let group = match kind {
                "" => by.clone(),
                kind => format!("{kind}({by})"),
            };
            format!(
                "SELECT {by}, {} FROM Account{filter} GROUP BY {group} HAVING {first} != null{order}{bounds}",
                aggregates.join(", ")
            )
        });
    prop_oneof![plain, grouped]
}

proptest! {
    #[test]
    fn a_statement_that_compiles_runs(
        records in proptest::collection::vec(record(), 0..4),
        statements in proptest::collection::vec(statement(), 4),
    ) {
        let store = store();
        for (tail, record) in ('a'..).zip(&records) {
            let mut fields = vec![("Id", Value::from(id("001", tail)))];
            fields.extend(record.iter().cloned());
            store.put("Account", &fields);
        }
        for soql in statements {
            let parsed = Select::parse(&soql).map_err(|error| TestCaseError::fail(format!("{soql}: {error}")))?;
            let compiled = compile(&parsed, &store, &store.context)
                .map_err(|error| TestCaseError::fail(format!("{soql}: {error}")))?;
            let rows = run(&store.connection, &compiled)
                .map_err(|error| TestCaseError::fail(format!("{soql}: {error:?}\n{}", compiled.sql())))?;
            for row in rows {
                prop_assert_eq!(row.cells().len(), row.columns().len());
            }
            prop_assert!(explain(&store.connection, &compiled).is_ok());
        }
    }

    #[test]
    fn the_sql_finds_what_the_rules_say(
        records in proptest::collection::vec(record(), 1..6),
        conditions in proptest::collection::vec(condition(), 8),
    ) {
        let mut store = store();
        store.context.time_zone = TimeZone::get("America/New_York").expect("bundled");
        for (tail, record) in ('a'..).zip(&records) {
            let mut fields = vec![("Id", Value::from(id("001", tail)))];
            fields.extend(record.iter().cloned());
            store.put("Account", &fields);
        }
        for condition in conditions {
            let filter = Filter::parse(&condition).expect("a condition");
            let expected: String = ('a'..)
                .zip(0..records.len())
                .filter(|(_, nr)| holds(filter.condition(), *nr, &records, &store.context))
                .map(|(tail, _)| tail)
                .collect();
            prop_assert_eq!(store.finds(&condition), expected, "{}", condition);
        }
    }

    #[test]
    fn numbers_sort_by_their_value(numbers in proptest::collection::vec(select(NUMBERS), 1..8)) {
        let store = store();
        let values: Vec<Value> = numbers.iter().map(|text| number(text)).collect();
        store.accounts("Revenue__c", &values);
        let mut expected: Vec<rust_decimal::Decimal> = numbers.iter().map(|text| text.parse().expect("a number")).collect();
        expected.sort();
        let shown = |list: &[rust_decimal::Decimal]| list.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        prop_assert_eq!(store.column("SELECT Revenue__c FROM Account ORDER BY Revenue__c"), shown(&expected));
        expected.reverse();
        prop_assert_eq!(store.column("SELECT Revenue__c FROM Account ORDER BY Revenue__c DESC"), shown(&expected));
    }
}
