//! What reads, what is refused and how it prints.

use super::*;
use crate::ErrorKind;
use proptest::prelude::*;
use proptest::sample::select;

fn prints(text: &str, canonical: &str) {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(filter.to_string(), canonical, "{text}");
    let again = Filter::parse(canonical).unwrap_or_else(|error| panic!("{canonical}: {error}"));
    assert_eq!(again, filter, "{canonical}");
}

fn selects(text: &str, canonical: &str) {
    let select = Select::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(select.to_string(), canonical, "{text}");
    let again = Select::parse(canonical).unwrap_or_else(|error| panic!("{canonical}: {error}"));
    assert_eq!(again, select, "{canonical}");
}

fn refused(result: Result<impl fmt::Debug>, text: &str, at: usize, message: &str) {
    let error = result.expect_err(text);
    assert_eq!(error.kind(), ErrorKind::MalformedQuery, "{text}");
    assert_eq!(error.position(), Some(at), "{text}: {error}");
    assert!(error.to_string().contains(message), "{text}: {error}");
}

#[test]
fn a_condition_prints_in_one_spelling() {
    for (text, canonical) in [
        ("name = 'x'", "name = 'x'"),
        ("((Name<>'x'))", "Name != 'x'"),
        ("a=TRUE and b = Null", "a = true AND b = null"),
        ("(a = 1 AND b = 2) AND c = 3", "(a = 1 AND b = 2) AND c = 3"),
        ("not a = 1", "NOT a = 1"),
        ("(NOT a = 1) and b=2", "(NOT a = 1) AND b = 2"),
        ("not not a = 1", "NOT (NOT a = 1)"),
        ("a IN(1,+2.50,-.5)", "a IN (1, 2.5, -0.5)"),
        ("a not in ('x')", "a NOT IN ('x')"),
        ("a includes ('x;y','z')", "a INCLUDES ('x;y', 'z')"),
        ("a excludes ('x')", "a EXCLUDES ('x')"),
        ("a like '50\\%\\_%_\\\\'", "a LIKE '50\\%\\_%_\\\\'"),
        ("a = 'it\\'s \\u00e9\\N\\\"'", "a = 'it\\'s é\\n\"'"),
        ("a = 2024-01-31", "a = 2024-01-31"),
        (
            "a > 2024-01-31T23:01:01.000+0100",
            "a > 2024-01-31T22:01:01Z",
        ),
        ("a > 2024-01-31T23:01:01-08:00", "a > 2024-02-01T07:01:01Z"),
        ("a = last_90_days", "a = LAST_N_DAYS:90"),
        ("a = n_fiscal_quarters_ago:3", "a = N_FISCAL_QUARTERS_AGO:3"),
        ("a > usd5000.50", "a > USD5000.5"),
        (
            "calendar_year(CreatedDate) = 2024",
            "CALENDAR_YEAR(CreatedDate) = 2024",
        ),
        (
            "hour_in_day(converttimezone(CreatedDate)) > 8",
            "HOUR_IN_DAY(convertTimezone(CreatedDate)) > 8",
        ),
        (
            "distance(L__c,geolocation(37.7,-122.4),'MI') < 20",
            "DISTANCE(L__c, GEOLOCATION(37.7, -122.4), 'mi') < 20",
        ),
        (
            "Id in (select AccountId from Contact c where c.LastName like 'a%')",
            "Id IN (SELECT AccountId FROM Contact c WHERE c.LastName LIKE 'a%')",
        ),
        ("Account.Owner.Name = 'x'", "Account.Owner.Name = 'x'"),
    ] {
        prints(text, canonical);
    }
}

#[test]
fn what_the_server_refuses_is_refused_with_its_place() {
    for (text, at, message) in [
        ("", 0, "expected a field name, found the end"),
        ("Name", 4, "expected an operator, found the end"),
        ("Name =", 6, "expected a value after =, found the end"),
        (
            "a = 1 AND b = 2 OR c = 3",
            16,
            "parentheses where AND and OR meet",
        ),
        ("NOT a = 1 AND b = 2", 0, "parentheses around a NOT"),
        ("NOT (a = 1) OR b = 2", 0, "parentheses around a NOT"),
        ("a = 1 AND NOT b = 2", 10, "parentheses around a NOT"),
        ("a NOT LIKE 'x'", 2, "NOT LIKE"),
        ("a IN ()", 6, "expected a value, found `)`"),
        ("a IN ('x'", 9, "expected `,` or `)`"),
        ("a = \"x\"", 4, "double quote"),
        ("a IS NULL", 2, "= null"),
        ("a = 2024-01-31T10:00:00", 4, "with its zone"),
        ("a = 2024-02-30", 4, "a number, a date"),
        ("a = 4001-01-01", 4, "a number, a date"),
        ("a = 1e5", 4, "a number, a date"),
        ("a = 5.", 4, "a number, a date"),
        ("a = 'x\\_y'", 6, "only LIKE has"),
        ("a = 'x\\q'", 6, "another escape"),
        ("a = '\\uD800'", 5, "another escape"),
        ("a = 1;", 5, "expected the end"),
        ("a = b", 4, "expected a value after =, found `b`"),
        ("a < null", 4, "null or a boolean"),
        ("a = LAST_N_DAYS", 15, "`:` and a whole number"),
        ("a = LAST_N_DAYS : 3", 16, "expected"),
        ("a = LAST_N_DAYS:99999999999", 15, "a smaller number"),
        ("a = TODAY:1", 4, "no number behind"),
        ("(a = 1", 6, "expected AND, OR or `)`"),
        ("a = 1)", 5, "expected AND, OR or the end, found `)`"),
        ("COUNT(Id) > 1", 6, "an aggregate"),
        ("nonsense(a) > 1", 0, "a function"),
        (
            "a = 1 OR Id IN (SELECT AccountId FROM Contact)",
            9,
            "no subquery under OR",
        ),
        (
            "NOT Id IN (SELECT AccountId FROM Contact)",
            4,
            "no subquery under OR",
        ),
        (
            "A.Id IN (SELECT AccountId FROM Contact)",
            0,
            "a field of the object itself",
        ),
        (
            "Id IN (SELECT A.Id FROM Contact)",
            14,
            "found a path to a parent",
        ),
        (
            "Id IN (SELECT Id FROM Contact LIMIT 5)",
            30,
            "`)` after the subquery",
        ),
        (
            "Id IN (SELECT Id FROM C WHERE Id IN (SELECT Id FROM D))",
            36,
            "only stand in the WHERE",
        ),
    ] {
        refused(Filter::parse(text), text, at, message);
    }
}

#[test]
fn a_message_never_repeats_a_literal() {
    let error = Filter::parse("a = 'secret' 'secret'").expect_err("two texts");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn a_text_is_as_long_as_its_characters_however_they_are_written() {
    let raw = Filter::parse(&format!("Name = '{}'", "\u{1}".repeat(4_000)))
        .expect("as long as a text may be");
    assert_eq!(Filter::parse(&raw.to_string()).expect("as printed"), raw);
    let error = Filter::parse(&format!("Name = '{}'", "\\n".repeat(4_001))).expect_err("one more");
    assert_eq!(error.position(), Some(7));
}

#[test]
fn deep_nesting_is_refused_and_does_not_exhaust_the_stack() {
    for text in ["(".repeat(90_000), "NOT ".repeat(24_000)] {
        let error = Filter::parse(&text).expect_err("far too deep");
        assert!(error.to_string().contains("levels of nesting"), "{error}");
    }
    let deep = "SELECT (".repeat(9_000);
    assert!(Select::parse(&deep).is_err());
    let fair = format!("{}a = 1{}", "(".repeat(60), ")".repeat(60));
    assert!(Filter::parse(&fair).is_ok());
}

#[test]
fn a_statement_prints_in_one_spelling() {
    for (text, canonical) in [
        ("select id from Account", "SELECT id FROM Account"),
        ("SELECT COUNT() FROM Account", "SELECT COUNT() FROM Account"),
        (
            "SELECT Id, (SELECT Id FROM Contacts WHERE Email != null LIMIT 2) FROM Account",
            "SELECT Id, (SELECT Id FROM Contacts WHERE Email != null LIMIT 2) FROM Account",
        ),
        (
            "SELECT c.Id, a.Name FROM Contact c, c.Account a WHERE a.Name = 'x'",
            "SELECT c.Id, a.Name FROM Contact c, c.Account a WHERE a.Name = 'x'",
        ),
        (
            "SELECT Id FROM Case USING SCOPE mine ORDER BY Subject desc, Id nulls last limit 5 offset 10",
            "SELECT Id FROM Case USING SCOPE mine ORDER BY Subject DESC NULLS FIRST, Id ASC NULLS LAST LIMIT 5 OFFSET 10",
        ),
        (
            "SELECT StageName s, SUM(Amount), COUNT(Id) n FROM Opportunity GROUP BY StageName HAVING SUM(Amount)>5",
            "SELECT StageName s, SUM(Amount), COUNT(Id) n FROM Opportunity GROUP BY StageName HAVING SUM(Amount) > 5",
        ),
        (
            "SELECT a, COUNT(Id) FROM X GROUP BY rollup(a, b)",
            "SELECT a, COUNT(Id) FROM X GROUP BY ROLLUP(a, b)",
        ),
        (
            "SELECT FIELDS(all), TYPEOF What WHEN Account THEN Phone, Fax WHEN Case THEN Id ELSE Name END FROM Task FOR VIEW",
            "SELECT FIELDS(ALL), TYPEOF What WHEN Account THEN Phone, Fax WHEN Case THEN Id ELSE Name END FROM Task FOR VIEW",
        ),
        (
            "SELECT Id FROM Order ORDER BY Id",
            "SELECT Id FROM Order ORDER BY Id ASC NULLS FIRST",
        ),
        (
            "SELECT Id FROM Group UPDATE TRACKING",
            "SELECT Id FROM Group",
        ),
    ] {
        selects(text, canonical);
    }
}

#[test]
fn a_statement_that_the_server_refuses_is_refused() {
    for (text, at, message) in [
        ("SELECT * FROM Account", 7, "found `*`"),
        ("SELECT Id, FROM Account", 11, "expected a field name"),
        ("SELECT Id Account", 17, "expected `,` or FROM"),
        ("SELECT Id FROM", 14, "expected an object name"),
        ("SELECT Id FROM A LIMIT x", 23, "a whole number after LIMIT"),
        (
            "SELECT Id FROM A OFFSET 5 LIMIT 5",
            26,
            "LIMIT before OFFSET",
        ),
        ("SELECT Id FROM A OFFSET 2001", 24, "at most 2000"),
        ("SELECT Id FROM A FOR UPDATE", 17, "Apex"),
        ("SELECT Id FROM A ALL ROWS", 17, "Apex"),
        ("SELECT Id FROM A FOR FUN", 21, "VIEW or REFERENCE"),
        (
            "SELECT Id FROM A UPDATE ALL",
            17,
            "the end of the statement",
        ),
        ("SELECT Id FROM A WITH SECURITY_ENFORCED", 17, "no WITH"),
        (
            "SELECT Id FROM A WHERE a = 1 trailing",
            29,
            "the end of the statement",
        ),
        ("SELECT Id x FROM A", 10, "an alias"),
        ("SELECT COUNT(), Id FROM A", 7, "COUNT() alone"),
        ("SELECT Name, COUNT(Id) FROM A", 7, "a GROUP BY"),
        (
            "SELECT Id FROM A HAVING COUNT(Id) > 1",
            17,
            "GROUP BY before HAVING",
        ),
        ("SELECT SUM(a) FROM A LIMIT 5", 28, "without GROUP BY"),
        ("SELECT Id FROM A GROUP BY ROLLUP(a,b,c,d)", 26, "at most 3"),
        ("SELECT FIELDS(MANY) FROM A", 14, "ALL, STANDARD or CUSTOM"),
        (
            "SELECT TYPEOF What ELSE Id END FROM Task",
            19,
            "expected WHEN",
        ),
        (
            "SELECT Id FROM A WHERE x IN (SELECT Id FROM B) AND x IN (SELECT Id FROM C) AND x IN (SELECT Id FROM D)",
            79,
            "at most 2",
        ),
    ] {
        refused(Select::parse(text), text, at, message);
    }
}

#[test]
fn statements_stand_in_each_other_as_deep_as_the_server_takes() {
    let nested = |levels: usize| {
        let inner = "SELECT Id, (".repeat(levels - 1);
        format!("{inner}SELECT Id FROM A{}", ") FROM A".repeat(levels - 1))
    };
    assert!(Select::parse(&nested(5)).is_ok());
    refused(
        Select::parse(&nested(6)),
        "six levels",
        59,
        "at most 5 levels",
    );
    let many = format!("SELECT Id{} FROM A", ", (SELECT Id FROM B)".repeat(21));
    assert!(Select::parse(&many).is_err());
}

#[test]
fn the_fields_of_a_filter_are_each_listed_once() {
    let filter = Filter::parse("a = 1 AND (b.c = 2 OR A = 3) AND CALENDAR_YEAR(d) = 2024").unwrap();
    assert_eq!(filter.fields(), ["a", "b.c", "d"]);
}

#[test]
fn relative_dates_are_found_in_subqueries_too() {
    for (text, expected) in [
        ("a = TODAY", true),
        ("a IN (2024-01-01, TODAY)", true),
        (
            "Id IN (SELECT AccountId FROM Contact WHERE CreatedDate = LAST_WEEK)",
            true,
        ),
        ("a = 2024-01-01", false),
    ] {
        assert_eq!(
            Filter::parse(text).unwrap().has_relative_dates(),
            expected,
            "{text}"
        );
    }
}

fn constant() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        (any::<i64>(), 0..9_u32)
            .prop_map(|(n, scale)| rust_decimal::Decimal::new(n, scale).to_string()),
        "\\PC{0,8}"
            .prop_map(|text| { format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")) }),
        (1700..4000_i16, 1..=12_i8, 1..=28_i8)
            .prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
        (0..4_000_000_000_i64).prop_map(|n| crate::ServerTime(n).to_soql()),
        (0..90_000_u32).prop_map(|n| format!("LAST_N_FISCAL_YEARS:{n}")),
        Just("NEXT_WEEK".to_owned()),
    ]
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec("[A-Z][a-z]{1,3}x(__c)?", 1..4).prop_map(|steps| steps.join("."))
}

fn test_text() -> impl Strategy<Value = String> {
    let list = || proptest::collection::vec(constant(), 1..4).prop_map(|list| list.join(","));
    prop_oneof![
        (
            path(),
            prop_oneof![Just("="), Just("!="), Just("<>")],
            constant()
        )
            .prop_map(|(path, op, value)| format!("{path} {op} {value}")),
        (path(), any::<bool>(), list()).prop_map(|(path, not, list)| format!(
            "{path} {} ({list})",
            if not { "NOT IN" } else { "in" }
        )),
        (path(), list()).prop_map(|(path, list)| format!("{path} EXCLUDES({list})")),
        (path(), "[a-z%_é]{0,6}").prop_map(|(path, text)| format!("{path} LIKE '{text}\\%'")),
    ]
}

fn condition_text() -> impl Strategy<Value = String> {
    test_text().prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            (list, any::<bool>()).prop_map(|(list, and)| {
                let word = if and { ") AND (" } else { ") OR (" };
                format!("({})", list.join(word))
            }),
            inner.prop_map(|inner| format!("NOT ({inner})")),
        ]
    })
}

fn select_text() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        4 => path(),
        1 => Just("FIELDS(STANDARD)".to_owned()),
        1 => path().prop_map(|path| format!("tolabel({path}) shown")),
        1 => path().prop_map(|path| format!("typeof {path} WHEN Account then Name, Fax when Lead THEN Id else Id end")),
        1 => (path(), condition_text()).prop_map(|(path, inner)| {
            format!("(select {path} from Contacts where {inner} limit 3)")
        }),
    ];
    let order = (
        path(),
        select(&["", " desc", " ASC NULLS LAST", " nulls first"][..]),
    )
        .prop_map(|(path, how)| format!("{path}{how}"));
    let aggregate = (
        select(&["COUNT", "sum", "MAX", "Count_Distinct"][..]),
        path(),
    )
        .prop_map(|(word, path)| format!("{word}({path})"));
    let tail = (
        proptest::option::of(condition_text()),
        proptest::collection::vec(order, 0..3),
        proptest::option::of(0..5_000_u32),
        proptest::option::of(0..2_000_u32),
        select(&["", " FOR VIEW", " for reference", " UPDATE VIEWSTAT"][..]),
    )
        .prop_map(|(condition, order, limit, offset, view)| {
            let condition = condition.map_or(String::new(), |text| format!(" where {text}"));
            let order = if order.is_empty() {
                String::new()
            } else {
                format!(" order by {}", order.join(","))
            };
            let limit = limit.map_or(String::new(), |n| format!(" LIMIT {n}"));
            let offset = offset.map_or(String::new(), |n| format!(" offset {n}"));
            (condition, format!("{order}{limit}{offset}{view}"))
        })
        .boxed();
    let from = select(
        &[
            "A",
            "Account as a",
            "Contact c, c.Account b",
            "Case using scope mine",
        ][..],
    );
    prop_oneof![
        (proptest::collection::vec(item, 1..4), from.clone(), tail.clone())
            .prop_map(|(items, from, (condition, tail))| format!("select {} from {from}{condition}{tail}", items.join(","))),
        (path(), aggregate, from, tail, select(&["", "ROLLUP", "cube"][..])).prop_map(
            |(path, aggregate, from, (condition, tail), kind)| {
                format!("SELECT {path} p, {aggregate} FROM {from}{condition} GROUP BY {kind}({path}) HAVING {aggregate} > 5{tail}")
                    .replace(&format!(" GROUP BY ({path})"), &format!(" GROUP BY {path}"))
            }
        ),
    ]
}

proptest! {
    #[test]
    fn a_statement_that_prints_reads_back_as_the_same_tree(text in select_text()) {
        let parsed = Select::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let printed = parsed.to_string();
        prop_assert_eq!(Select::parse(&printed).expect("canonical"), parsed, "{}", printed);
    }

    #[test]
    fn what_prints_reads_back_as_the_same_tree(text in condition_text()) {
        let filter = Filter::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let printed = filter.to_string();
        prop_assert_eq!(Filter::parse(&printed).expect("canonical"), filter, "{}", printed);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        drop(Filter::parse(&text));
        drop(Select::parse(&text));
    }

    #[test]
    fn no_sequence_of_words_makes_the_reader_panic(words in proptest::collection::vec(
        prop_oneof![
            Just("SELECT"), Just("FROM"), Just("WHERE"), Just("AND"), Just("NOT"), Just("("), Just(")"),
            Just("a"), Just("."), Just(","), Just("="), Just("'x'"), Just("IN"), Just("LIKE"), Just("5"),
            Just("TODAY"), Just("LAST_N_DAYS:"), Just("GROUP BY"), Just("ORDER BY"), Just("COUNT("),
            Just("TYPEOF"), Just("FIELDS("), Just("\\"), Just("'"), Just("é"), Just("2024-"), Just("LIMIT"),
        ], 0..24)) {
        let text = words.join(" ");
        for result in [Filter::parse(&text).map(|f| f.to_string()), Select::parse(&text).map(|s| s.to_string())] {
            if let Err(error) = result {
                let at = error.position().expect("every refusal has its place");
                prop_assert!(at <= text.len() && text.is_char_boundary(at));
            }
        }
    }
}
