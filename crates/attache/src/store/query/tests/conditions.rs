//! What conditions find.

use super::*;

#[test]
fn text_compares_without_regard_to_case() {
    let store = store();
    store.accounts(
        "Name",
        &texts(&["Straße", "STRASSE", "Éclair", "éclair", ""]),
    );
    assert_eq!(store.finds("Name = 'straße'"), "a");
    assert_eq!(store.finds("Name = 'ÉCLAIR'"), "cd");
    assert_eq!(store.finds("Name IN ('éCLAIR', 'strasse')"), "bcd");
    assert_eq!(store.finds("Name > 'STRASSE'"), "acd");
}

#[test]
fn a_case_sensitive_field_compares_exactly() {
    let store = store();
    store.accounts("Code__c", &texts(&["abc", "ABC"]));
    assert_eq!(store.finds("Code__c = 'abc'"), "a");
    assert_eq!(store.finds("Code__c LIKE 'A%'"), "b");
}

#[test]
fn null_is_found_by_what_excludes_a_value() {
    let store = store();
    store.accounts("Name", &texts(&["x", "y", ""]));
    assert_eq!(store.finds("Name != 'x'"), "bc");
    assert_eq!(store.finds("Name NOT IN ('x')"), "bc");
    assert_eq!(store.finds("(NOT Name LIKE 'x%')"), "bc");
    assert_eq!(store.finds("Name < 'y'"), "a");
    assert_eq!(store.finds("Name = ''"), "c");
    assert_eq!(store.finds("Name = null"), "c");
    assert_eq!(store.finds("Name != null"), "ab");
    assert_eq!(store.finds("Name IN ('x', null)"), "ac");
    assert_eq!(store.finds("Name NOT IN ('x', null)"), "b");
    assert_eq!(store.finds("NOT (Name < 'y' AND Name > 'a')"), "bc");
}

#[test]
fn a_checkbox_without_a_value_is_false() {
    let store = store();
    store.accounts("Active__c", &[true.into(), false.into(), Value::Null]);
    assert_eq!(store.finds("Active__c = true"), "a");
    assert_eq!(store.finds("Active__c = false"), "bc");
    assert_eq!(store.finds("Active__c != true"), "bc");
    assert_eq!(store.finds("Active__c = null"), "bc");
    assert_eq!(store.finds("Active__c != null"), "a");
}

#[test]
fn like_takes_its_wildcards_and_escapes() {
    let store = store();
    store.accounts(
        "Name",
        &texts(&["50% off", "50 off", "a_b", "aXb", "ÄPFEL", "back\\slash"]),
    );
    assert_eq!(store.finds("Name LIKE '50%'"), "ab");
    assert_eq!(store.finds("Name LIKE '50\\%%'"), "a");
    assert_eq!(store.finds("Name LIKE 'a_b'"), "cd");
    assert_eq!(store.finds("Name LIKE 'A\\_b'"), "c");
    assert_eq!(store.finds("Name LIKE 'äp%el'"), "e");
    assert_eq!(store.finds("Name LIKE '%OFF'"), "ab");
    assert_eq!(store.finds("Name LIKE '%\\\\%'"), "f");
    assert_eq!(store.finds("Name LIKE '_____'"), "e");
    assert_eq!(store.finds("Name LIKE '%f%f%'"), "ab");
}

#[test]
fn numbers_compare_exactly_in_every_stored_form() {
    let store = store();
    let values = [
        "5",
        "5.5",
        "1234567890123456.78",
        "1234567890123456.79",
        "-3",
        "1234567890123457",
    ];
    store.accounts("Revenue__c", &values.map(number));
    assert_eq!(store.finds("Revenue__c = 5.0"), "a");
    assert_eq!(store.finds("Revenue__c = 1234567890123456.78"), "c");
    assert_eq!(store.finds("Revenue__c > 1234567890123456.78"), "df");
    assert_eq!(store.finds("Revenue__c < 1234567890123456.79"), "abce");
    assert_eq!(store.finds("Revenue__c <= 5.5"), "abe");
    assert_eq!(store.finds("Revenue__c >= 1234567890123457"), "f");
    assert_eq!(store.finds("Revenue__c IN (5, 1234567890123456.79)"), "ad");
    let sorted = store
        .query("SELECT Id FROM Account ORDER BY Revenue__c")
        .unwrap();
    assert_eq!(letters(&sorted).concat(), "eabcdf");
    let sorted = store
        .query("SELECT Id FROM Account ORDER BY Revenue__c DESC LIMIT 3 OFFSET 1")
        .unwrap();
    assert_eq!(letters(&sorted).concat(), "dcb");
}

#[test]
fn sums_and_averages_lose_no_cent() {
    let store = store();
    store.accounts(
        "Revenue__c",
        &["1234567890123456.78", "0.01", "0.01"].map(number),
    );
    assert_eq!(
        store.column("SELECT SUM(Revenue__c) FROM Account"),
        ["1234567890123456.80"].map(|text| text.trim_end_matches('0').to_owned())
    );
    assert_eq!(
        store.column("SELECT MAX(Revenue__c) FROM Account"),
        ["1234567890123456.78"]
    );
    assert_eq!(
        store.column("SELECT MIN(Revenue__c) FROM Account"),
        ["0.01"]
    );
    assert_eq!(
        store.column("SELECT AVG(Revenue__c) FROM Account WHERE Revenue__c < 1"),
        ["0.01"]
    );
}

#[test]
fn ids_of_15_characters_find_those_of_18() {
    let store = store();
    store.accounts("Name", &texts(&["x", "y"]));
    let short = id("001", 'a')[..15].to_owned();
    assert_eq!(store.finds(&format!("Id = '{short}'")), "a");
    assert_eq!(store.finds(&format!("Id IN ('{short}', null)")), "a");
    assert_eq!(store.finds(&format!("Id = '{}'", short.to_uppercase())), "");
}

#[test]
fn a_local_key_finds_its_record_after_the_server_named_it() {
    let store = store();
    let key = "local-0190a5f4-7b1c-7000-8000-000000000001";
    store.put(
        "Account",
        &[("Id", id("001", 'a').into()), ("attache_key", key.into())],
    );
    store.put(
        "Account",
        &[
            ("Id", id("001", 'b').into()),
            ("ParentId", id("001", 'a').into()),
        ],
    );
    let rows = store
        .query(&format!("SELECT Id FROM Account WHERE Id = '{key}'"))
        .unwrap();
    assert_eq!(rows[0].id().unwrap().as_str(), key);
    assert_eq!(rows[0].get("Id"), Some(&Value::from(id("001", 'a'))));
    assert_eq!(store.finds(&format!("ParentId = '{key}'")), "b");
}

#[test]
fn multi_select_lists_are_sets() {
    let store = store();
    store.accounts("Regions__c", &texts(&["A;B", "B;A", "A;B;C", "C", ""]));
    assert_eq!(store.finds("Regions__c = 'B;A'"), "ab");
    assert_eq!(store.finds("Regions__c INCLUDES ('A;B')"), "abc");
    assert_eq!(store.finds("Regions__c INCLUDES ('A;B;C', 'c')"), "cd");
    assert_eq!(store.finds("Regions__c EXCLUDES ('C')"), "abe");
    assert_eq!(store.finds("Regions__c = null"), "e");
}

#[test]
fn dates_compare_with_days_and_with_ranges() {
    let store = store();
    let days = ["2024-03-12", "2024-03-13", "2024-03-14", "2024-03-21"];
    store.accounts(
        "Renewal__c",
        &days.map(|day| Value::Date(day.parse().unwrap())),
    );
    store.put("Account", &[("Id", id("001", 'e').into())]);
    assert_eq!(store.finds("Renewal__c = 2024-03-13"), "b");
    assert_eq!(store.finds("Renewal__c = TODAY"), "b");
    assert_eq!(store.finds("Renewal__c != TODAY"), "acde");
    assert_eq!(store.finds("Renewal__c < TODAY"), "a");
    assert_eq!(store.finds("Renewal__c <= TODAY"), "ab");
    assert_eq!(store.finds("Renewal__c > TODAY"), "cd");
    assert_eq!(store.finds("Renewal__c >= TODAY"), "bcd");
    assert_eq!(store.finds("Renewal__c > LAST_N_DAYS:7"), "cd");
    assert_eq!(store.finds("Renewal__c = NEXT_N_DAYS:7"), "c");
    assert_eq!(store.finds("Renewal__c IN (YESTERDAY, 2024-03-21)"), "ad");
    assert_eq!(store.finds("CALENDAR_MONTH(Renewal__c) = 3"), "abcd");
    assert_eq!(store.finds("DAY_IN_WEEK(Renewal__c) = 4"), "b");
}

#[test]
fn an_instant_belongs_to_the_users_day() {
    let mut store = store();
    let instants = [
        "2024-03-10T04:59:59Z",
        "2024-03-10T05:00:00Z",
        "2024-03-11T03:59:59Z",
        "2024-03-11T04:00:00Z",
    ];
    store.accounts(
        "CreatedDate",
        &instants.map(|text| ServerTime::parse(text).unwrap().into()),
    );
    // The clocks go forward on this day: it has 23 hours.
    store.context.time_zone = TimeZone::get("America/New_York").unwrap();
    store.context.now = ServerTime::parse("2024-03-10T18:00:00Z").unwrap();
    assert_eq!(store.finds("CreatedDate = TODAY"), "bc");
    assert_eq!(store.finds("CreatedDate >= 2024-03-10T05:00:00Z"), "bcd");
    assert_eq!(store.finds("DAY_ONLY(CreatedDate) = 2024-03-11"), "cd");
    assert_eq!(
        store.finds("DAY_ONLY(convertTimezone(CreatedDate)) = 2024-03-11"),
        "d"
    );
    assert_eq!(
        store.finds("HOUR_IN_DAY(convertTimezone(CreatedDate)) = 23"),
        "ac"
    );
}

#[test]
fn a_literal_cannot_become_sql() {
    let store = store();
    store.accounts("Name", &texts(&["x'); DROP TABLE \"Account\"; --", "y"]));
    assert_eq!(
        store.finds("Name = 'x\\'); DROP TABLE \"Account\"; --'"),
        "a"
    );
    let (sql, _) = where_sql(
        "Account",
        &Filter::parse("Name = 'zzz'").unwrap(),
        &store,
        &store.context,
    )
    .unwrap();
    assert!(!sql.contains("zzz"), "{sql}");
}
