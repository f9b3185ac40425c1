use super::*;
use crate::error::{Error, ErrorKind};

fn read(json: &str) -> Briefcase {
    Briefcase::from_json(json).unwrap_or_else(|error| panic!("{error}: {:?}", error.problems()))
}

fn refused(json: &str) -> Error {
    Briefcase::from_json(json).expect_err(json)
}

/// The places and the codes of everything that is wrong.
fn problems(json: &str) -> Vec<(String, String)> {
    let problems = refused(json).problems().to_vec();
    let pairs = problems.into_iter().map(|problem| {
        assert!(!problem.message.is_empty(), "{json}");
        (problem.fields.concat(), problem.code)
    });
    pairs.collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = expected
        .iter()
        .map(|(at, code)| ((*at).into(), (*code).into()));
    owned.collect()
}

fn rule(body: &str) -> String {
    format!(r#"{{"version":1,"rules":[{{"object":"Account",{body}}}]}}"#)
}

#[test]
fn a_document_prints_what_it_read() {
    let briefcase = Briefcase::everything(["Account", "Contact"]);
    assert_eq!(read(&briefcase.to_json()), briefcase);
}

#[test]
fn related_rules_lie_behind_their_parent() {
    let briefcase = read(
        r#"{"version":1,"rules":[{"object":"Opportunity","related":[{"parent":"AccountId","related":[{"children":"Contact.AccountId"}]}]}]}"#,
    );
    let rules = briefcase.rules();
    let field = String::from("AccountId");
    assert_eq!(
        rules[1].source,
        Source::Parents {
            of: 0,
            field: field.clone()
        }
    );
    assert_eq!(rules[1].object, None);
    assert_eq!(rules[2].source, Source::Children { of: 1, field });
}

#[test]
fn a_circle_of_objects_ends_where_the_document_ends() {
    let briefcase = read(
        r#"{"version":1,"rules":[{"object":"Account","related":[{"children":"Contact.AccountId","related":[
            {"parent":"AccountId","object":"Account","related":[{"children":"Contact.AccountId"}]}]}]}]}"#,
    );
    let names: Vec<String> = briefcase
        .rules()
        .into_iter()
        .map(|rule| rule.name)
        .collect();
    assert_eq!(
        names,
        [
            "Account",
            "Account > Contact",
            "Account > Contact > Account",
            "Account > Contact > Account > Contact"
        ]
    );
}

#[test]
fn parents_of_several_objects_are_a_rule_each() {
    let briefcase = read(
        r#"{"version":1,"rules":[{"object":"Task","related":[{"parent":"WhatId","object":["Account","Opportunity"]}]}]}"#,
    );
    let rules = briefcase.rules();
    assert_eq!(rules[1].object.as_deref(), Some("Account"));
    assert_eq!(rules[2].object.as_deref(), Some("Opportunity"));
    assert_eq!(rules[2].name, "Task > Opportunity");
    assert_eq!(rules[2].source, rules[1].source);
    assert_ne!(rules[2].key, rules[1].key);
}

#[test]
fn no_two_rules_share_a_name() {
    let briefcase = read(
        r#"{"version":1,"recent":{"objects":["Lead"]},"rules":["Account","account",{"object":"Lead","name":"Account (2)","limit":3},"Account"]}"#,
    );
    let names: Vec<String> = briefcase
        .rules()
        .into_iter()
        .map(|rule| rule.name)
        .collect();
    assert_eq!(
        names,
        [
            "Account",
            "account (3)",
            "Account (2)",
            "Account (4)",
            "Recently viewed Lead"
        ]
    );
    let twice =
        r#"{"version":1,"rules":[{"object":"Lead","name":"A"},{"object":"Lead","name":"a"}]}"#;
    assert_eq!(
        problems(twice),
        pairs(&[("/rules/1/name", "DUPLICATE_NAME")])
    );
}

#[test]
fn rules_that_say_the_same_have_the_same_key() {
    let one = r#"{"version":1,"rules":[{"name":"A","object":"Account","scope":"MINE","where":"Name='x' and Phone=null","order_by":"Name asc","limit":5}]}"#;
    let other = r#"{"version":1,"rules":[{"name":"B","optional":true,"object":"Account","scope":{"mine":"OwnerId"},
        "filters":[{"field":"Name","op":"=","value":"x"},{"field":"Phone","op":"=","value":null}],"order_by":"Name NULLS FIRST","limit":5}]}"#;
    assert_eq!(read(one).rules()[0].key, read(other).rules()[0].key);
    let third = one.replace("\"limit\":5", "\"limit\":6");
    assert_ne!(read(one).rules()[0].key, read(&third).rules()[0].key);
}

#[test]
fn rows_and_a_condition_are_one_filter_and_each_prints_as_it_was_written() {
    let rows = rule(
        r#""filters":[{"field":"Rating","op":"in","value":["Hot","Warm"]},{"field":"Name","op":"starts with","value":"O'N%"},
           {"field":"CreatedDate","op":">","value":{"literal":"LAST_N_DAYS:30"}}],"logic":"1 and (2 or not 3)""#,
    );
    let text = rule(
        r#""where":"Rating IN ('Hot', 'Warm') AND (Name LIKE 'O\\'N\\%%' OR (NOT CreatedDate > LAST_N_DAYS:30))""#,
    );
    let (rows, text) = (read(&rows), read(&text));
    assert_eq!(rows.rules(), text.rules());
    assert!(
        rows.to_json()
            .contains(r#""logic": "1 AND (2 OR (NOT 3))""#),
        "{}",
        rows.to_json()
    );
    assert!(
        text.to_json().contains(r#""where": "Rating IN ("#),
        "{}",
        text.to_json()
    );
    for briefcase in [rows, text] {
        assert_eq!(read(&briefcase.to_json()), briefcase);
    }
}

#[test]
fn numbers_in_rows_keep_their_digits() {
    let json =
        rule(r#""filters":[{"field":"AnnualRevenue","op":">","value":12345678901234567890.25}]"#);
    let printed = read(&json).to_json();
    assert!(printed.contains("12345678901234567890.25"), "{printed}");
}

#[test]
fn every_problem_is_told_with_its_place() {
    let json = r#"{"version":1,"nmae":"x","name":"","objects":{"Account":{"client_key":"","fields":["Name","name","A.B"]},"account":{}},
      "recent":{"objects":[],"limit":0},
      "rules":["Acc ount",{"object":"Account","where":"Name =","limit":0,"scope":"mnie"},7,
        {"object":"Task","order_by":"ActivityDate DESCENDING","logic":"1","related":[
          {"children":"Contact"},{"children":"Contact.AccountId","object":"Contact"},{"parent":"WhatId","children":"A.B"},{},
          {"parent":"WhoId","object":["Lead","Contact"],"related":[{"parent":"AccountId","where":"Name = 'x' AND"}]}]}]}"#;
    assert_eq!(
        problems(json),
        pairs(&[
            ("/nmae", "UNKNOWN_KEY"),
            ("/name", "EMPTY"),
            ("/objects/Account/fields/1", "DUPLICATE_NAME"),
            ("/objects/Account/fields/2", "INVALID_NAME"),
            ("/objects/Account/client_key", "EMPTY"),
            ("/objects/account", "DUPLICATE_NAME"),
            ("/recent/limit", "OUT_OF_RANGE"),
            ("/rules/0", "INVALID_NAME"),
            ("/rules/1/scope", "UNKNOWN_SCOPE"),
            ("/rules/1/where", "MALFORMED_QUERY"),
            ("/rules/1/limit", "OUT_OF_RANGE"),
            ("/rules/2", "WRONG_TYPE"),
            ("/rules/3/logic", "MISSING_KEY"),
            ("/rules/3/order_by", "MALFORMED_QUERY"),
            ("/rules/3/related/0/children", "INVALID_NAME"),
            ("/rules/3/related/1/object", "CONFLICTING_KEYS"),
            ("/rules/3/related/2/children", "CONFLICTING_KEYS"),
            ("/rules/3/related/3", "MISSING_KEY"),
            ("/rules/3/related/4/related", "CONFLICTING_KEYS"),
            ("/rules/3/related/4/related/0/where", "MALFORMED_QUERY"),
            ("/rules/3/order_by", "MISSING_KEY"),
        ])
    );
    let error = refused(json);
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let sentence =
        "the briefcase has 21 problems; the first is /nmae: unknown key; did you mean `name`?";
    assert_eq!(error.to_string(), sentence);
}

#[test]
fn rows_tell_which_part_of_them_is_wrong() {
    let json = rule(
        r#""filters":[{"field":"Name =","op":"=","value":1},{"field":"Name","op":"is","value":1},{"field":"Name","op":"<","value":null},
          {"field":"Name","op":"=","value":{"date":"TODAY"}},{"field":"Name","value":1},{"field":"Name","op":"in","value":[1,[2]]},7],"logic":"1 AND 9""#,
    );
    assert_eq!(
        problems(&json),
        pairs(&[
            ("/rules/0/filters/0/field", "MALFORMED_QUERY"),
            ("/rules/0/filters/1/op", "MALFORMED_QUERY"),
            ("/rules/0/filters/2/value", "MALFORMED_QUERY"),
            ("/rules/0/filters/3/value/date", "UNKNOWN_KEY"),
            ("/rules/0/filters/3/value", "MISSING_KEY"),
            ("/rules/0/filters/4", "MISSING_KEY"),
            ("/rules/0/filters/5/value/1", "WRONG_TYPE"),
            ("/rules/0/filters/6", "WRONG_TYPE"),
        ])
    );
    let json = rule(r#""filters":[{"field":"Name","op":"=","value":1}],"logic":"1 AND 9""#);
    let error = refused(&json);
    assert_eq!(error.problems()[0].fields, ["/rules/0/logic"]);
    assert_eq!(error.position(), Some(6));
    // What the server refuses in a condition is refused in rows.
    let json = rule(
        r#""filters":[{"field":"Id","op":"in","value":{"select":"SELECT AccountId FROM Contact"}},{"field":"Name","op":"=","value":"x"}],"logic":"1 OR 2""#,
    );
    assert_eq!(
        problems(&json),
        pairs(&[("/rules/0/logic", "MALFORMED_QUERY")])
    );
}

#[test]
fn a_malformed_condition_alone_is_a_malformed_query() {
    let error =
        refused(r#"{"version":1,"rules":[{"name":"Mine","object":"Account","where":"Name ="}]}"#);
    assert_eq!(error.kind(), ErrorKind::MalformedQuery);
    assert_eq!(error.position(), Some(6));
    let sentence = error.to_string();
    assert!(
        sentence.starts_with(
            "the briefcase is not valid: /rules/0/where: rule \"Mine\": at column 7: expected"
        ),
        "{sentence}"
    );
}

#[test]
fn an_order_holds_an_order_and_nothing_else() {
    for order in [
        "Name LIMIT 3",
        "Name FOR VIEW",
        "",
        "Name,",
        "Name OFFSET 2",
    ] {
        let json = rule(&format!(r#""limit":5,"order_by":{order:?}"#));
        let expected = if order.is_empty() {
            "EMPTY"
        } else {
            "MALFORMED_QUERY"
        };
        assert_eq!(
            problems(&json),
            pairs(&[("/rules/0/order_by", expected)]),
            "{order}"
        );
    }
    let briefcase = read(&rule(
        r#""limit":5,"order_by":"name asc nulls first, AnnualRevenue desc nulls last""#,
    ));
    let printed = briefcase.to_json();
    assert!(
        printed.contains(r#""order_by": "name, AnnualRevenue DESC NULLS LAST""#),
        "{printed}"
    );
}

#[test]
fn scopes_are_known_by_their_words() {
    let scope = |scope: &str| match read(&rule(&format!(r#""scope":{scope}"#)))
        .rules()
        .remove(0)
        .source
    {
        Source::Top { scope, .. } => scope,
        other => panic!("{other:?}"),
    };
    let mine = |field: &str| Scope::Mine {
        field: field.into(),
    };
    assert_eq!(scope(r#""Everything""#), Scope::Everything);
    assert_eq!(scope(r#""mine""#), mine("OwnerId"));
    assert_eq!(scope(r#"{"mine":"UserId"}"#), mine("UserId"));
    assert_eq!(scope(r#""queue""#), Scope::Queue);
    assert_eq!(
        scope(r#""SCOPINGRULE""#),
        Scope::Named("scopingRule".into())
    );
    assert_eq!(
        scope(r#""something_new""#),
        Scope::Named("something_new".into())
    );
    for (wrong, code) in [
        (r#""my_teritory""#, "UNKNOWN_SCOPE"),
        (r#""my team""#, "UNKNOWN_SCOPE"),
        (r#"{}"#, "MISSING_KEY"),
        (r#"3"#, "WRONG_TYPE"),
        (r#""""#, "EMPTY"),
    ] {
        let json = rule(&format!(r#""scope":{wrong}"#));
        assert_eq!(
            problems(&json),
            pairs(&[("/rules/0/scope", code)]),
            "{wrong}"
        );
    }
}

#[test]
fn a_key_that_stands_twice_is_a_problem() {
    let json = r#"{"version":1,"rules":[],"name":"a","name":"b","objects":{"A/~B":{},"Lead":{},"Lead":{}}}"#;
    assert_eq!(
        problems(json),
        pairs(&[
            ("/name", "DUPLICATE_KEY"),
            ("/objects/Lead", "DUPLICATE_KEY"),
            ("/objects/A~1~0B", "INVALID_NAME"),
        ])
    );
}

#[test]
fn what_is_no_document_is_refused_with_its_place_in_the_text() {
    for json in [
        "",
        "{\"version\":1,",
        "[1,]",
        "{\"version\":1} x",
        "{\"a\":\u{1}}",
    ] {
        let error = refused(json);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{json}");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
    assert_eq!(problems("[]"), pairs(&[("", "WRONG_TYPE")]));
    assert_eq!(
        problems("{}"),
        pairs(&[("", "MISSING_KEY"), ("", "MISSING_KEY")])
    );
    assert_eq!(
        read("\u{feff}{\"version\":1,\"rules\":[]}")
            .objects()
            .count(),
        0
    );
}

#[test]
fn another_version_is_refused_and_not_judged() {
    let json = r#"{"version":2,"rules":[],"news":true}"#;
    assert_eq!(problems(json), pairs(&[("/version", "UNKNOWN_VERSION")]));
    assert_eq!(
        problems(r#"{"version":"1","rules":[]}"#),
        pairs(&[("/version", "WRONG_TYPE")])
    );
}

#[test]
fn too_much_of_anything_is_one_clear_problem() {
    let error = refused(&" ".repeat(100 << 20));
    assert_eq!(
        error.to_string(),
        "the briefcase has 104857600 bytes; at most 1048576 are read"
    );
    let many = format!(r#"{{"version":1,"rules":[{}"A"]}}"#, "\"A\",".repeat(9_999));
    assert_eq!(problems(&many), pairs(&[("/rules", "TOO_MANY")]));
    let deep = format!(
        r#"{{"version":1,"rules":[{{"object":"A",{}"related":[]{}]}}"#,
        r#""related":[{"parent":"ParentId","#.repeat(10_000),
        "}]".repeat(10_000) + "}"
    );
    let place = format!("/rules/0{}/related", "/related/0".repeat(16));
    assert_eq!(problems(&deep), pairs(&[(&place, "TOO_DEEP")]));
    let nested = format!(
        r#"{{"version":1,"rules":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(problems(&nested), pairs(&[("/rules/0", "WRONG_TYPE")]));
    let objects: Vec<String> = (0..61)
        .map(|nr| format!(r#"{{"object":"Account","where":"Name = 'a{nr}'"}}"#))
        .collect();
    let full = format!(r#"{{"version":1,"rules":[{}]}}"#, objects.join(","));
    assert_eq!(problems(&full), pairs(&[("/rules", "TOO_MANY")]));
    let wrong = format!(r#"{{"version":1,"rules":[{}7]}}"#, "7,".repeat(999));
    let error = refused(&wrong);
    assert_eq!(error.problems().len(), 100);
    assert!(
        error
            .to_string()
            .starts_with("the briefcase has 1000 problems"),
        "{error}"
    );
}

#[test]
fn a_merge_policy_prints_as_it_was_read() {
    let json = r#"{"version":1,"objects":{"Contact":{"merge":{"default":"remote","fields":{"Description":"text"},"groups":[["Site","Floor__c"],{"fields":["Amount","Currency"],"policy":"local"}],"deletion":{"here":"deletion","there":"edit"}}}},"rules":[]}"#;
    let print = serde_json::to_string(&read(json).document).expect("a document prints");
    assert_eq!(print, json);
    let nothing = r#"{"version":1,"objects":{"Contact":{"merge":{"default":"ask"}}},"rules":[]}"#;
    assert_eq!(read(nothing).document.objects["Contact"].merge, None);
}

#[test]
fn a_merge_policy_that_contradicts_itself_is_refused_with_its_place() {
    for (merge, place, words) in [
        (r#"{"groups":[["A"]]}"#, "/groups/0", "two fields"),
        (
            r#"{"groups":[["A","B"],["b","C"]]}"#,
            "/groups/1",
            "b is in groups[0]",
        ),
        (
            r#"{"fields":{"a":"local"},"groups":[{"fields":["A","B"],"policy":"remote"}]}"#,
            "/fields/a",
            "one policy",
        ),
        (
            r#"{"groups":[{"fields":["A","B"],"policy":"union"}]}"#,
            "/groups/0/policy",
            "ask, local or remote",
        ),
        (
            r#"{"fields":{"a":"local","A":"remote"}}"#,
            "/fields",
            "A and a",
        ),
        (
            r#"{"default":"mine"}"#,
            "/default",
            "unknown variant `mine`",
        ),
        (
            r#"{"fields":{"a":"mine"}}"#,
            "/fields/a",
            "unknown variant `mine`",
        ),
        (r#"{"field":{}}"#, "/field", "did you mean `fields`"),
        (
            r#"{"deletion":"never"}"#,
            "/deletion",
            "unknown variant `never`",
        ),
        (r#"{"groups":["A"]}"#, "/groups", "a list of fields, or"),
    ] {
        let json =
            format!(r#"{{"version":1,"objects":{{"Contact":{{"merge":{merge}}}}},"rules":[]}}"#);
        let error = refused(&json);
        let problem = &error.problems()[0];
        assert_eq!(problem.fields[0], format!("/objects/Contact/merge{place}"));
        assert!(problem.message.contains(words), "{}", problem.message);
    }
    let json =
        r#"{"version":1,"objects":{"A":{"merge":{"default":"x","deletion":"y"}}},"rules":[]}"#;
    assert_eq!(problems(json).len(), 2);
}
