use crate::org::testing::{ADMIN, NOON, org};
use crate::org::{Org, RollUp, Summary};
use crate::value::Value;

/// An org whose accounts count their open deals, and know the sum of them and the last day of any.
fn summing() -> Org {
    let mut org = org();
    org.add_rules(
        r#"{"version": 1, "roll_ups": [
            {"parent": "Account", "field": "Open_Deals__c", "child": "Opportunity", "lookup": "AccountId",
             "of": "count", "if": "StageName <> 'Closed Won'"},
            {"parent": "Account", "field": "Deal_Sum__c", "child": "Opportunity", "lookup": "AccountId",
             "of": {"sum": "Amount"}},
            {"parent": "Account", "field": "Last_Day__c", "child": "Opportunity", "lookup": "AccountId",
             "of": {"max": "CloseDate"}}]}"#,
    )
    .unwrap();
    org
}

fn deal(org: &mut Org, account: &str, amount: u32, day: &str) -> String {
    let json = format!(
        r#"{{"Name": "Deal", "AccountId": "{account}", "StageName": "Prospecting", "Amount": {amount}, "CloseDate": "{day}"}}"#
    );
    org.made(ADMIN, "Opportunity", &json)
}

/// A field of an account, as text.
fn shown(org: &Org, account: &str, field: &str) -> String {
    match org.field("Account", account, field) {
        Value::Null => "null".into(),
        Value::Number(number) => number.to_string(),
        Value::Date(day) => day.to_string(),
        other => format!("{other:?}"),
    }
}

/// What an account says of its deals: how many are open, their sum, the last day.
fn says(org: &Org, account: &str) -> [String; 3] {
    ["Open_Deals__c", "Deal_Sum__c", "Last_Day__c"].map(|field| shown(org, account, field))
}

#[test]
fn a_roll_up_follows_children_that_come_change_move_go_and_return() {
    let mut org = summing();
    let first = org.made(ADMIN, "Account", r#"{"Name": "First"}"#);
    let second = org.made(ADMIN, "Account", r#"{"Name": "Second"}"#);
    assert_eq!(says(&org, &first), ["0", "0", "null"]);
    let small = deal(&mut org, &first, 10, "2026-08-01");
    let large = deal(&mut org, &first, 100, "2026-09-01");
    assert_eq!(says(&org, &first), ["2", "110", "2026-09-01"]);
    org.set(
        ADMIN,
        "Opportunity",
        &large,
        r#"{"StageName": "Closed Won", "Amount": 90}"#,
    )
    .unwrap();
    assert_eq!(says(&org, &first), ["1", "100", "2026-09-01"]);
    let to_second = format!(r#"{{"AccountId": "{second}"}}"#);
    org.set(ADMIN, "Opportunity", &large, &to_second).unwrap();
    assert_eq!(says(&org, &first), ["1", "10", "2026-08-01"]);
    assert_eq!(says(&org, &second), ["0", "90", "2026-09-01"]);
    org.delete(ADMIN, "Opportunity", &small).unwrap();
    assert_eq!(says(&org, &first), ["0", "0", "null"]);
    org.undelete(ADMIN, "Opportunity", &small).unwrap();
    assert_eq!(says(&org, &first), ["1", "10", "2026-08-01"]);
    // A deletion takes the children along, and they come back with it.
    org.delete(ADMIN, "Account", &first).unwrap();
    org.undelete(ADMIN, "Account", &first).unwrap();
    assert_eq!(says(&org, &first), ["1", "10", "2026-08-01"]);
    org.merge(ADMIN, "Account", &second, &[&first]).unwrap();
    assert_eq!(says(&org, &second), ["1", "100", "2026-09-01"]);
}

#[test]
fn a_roll_up_moves_the_system_stamp_of_its_parent_and_no_other_as_the_switch_says() {
    for moves in [true, false] {
        let mut org = summing();
        org.config_mut().switches.roll_ups_move_parent = moves;
        let account = org.made(ADMIN, "Account", r#"{"Name": "First"}"#);
        let stamps = |org: &Org| {
            ["SystemModstamp", "LastModifiedDate"].map(|field| shown(org, &account, field))
        };
        let before = stamps(&org);
        org.set_now(NOON + 60);
        let child = deal(&mut org, &account, 10, "2026-08-01");
        let after = stamps(&org);
        assert_eq!(after[0] != before[0], moves);
        assert_eq!(after[1], before[1]);
        // A change that the roll-up does not read moves nothing.
        org.set_now(NOON + 120);
        org.set(ADMIN, "Opportunity", &child, r#"{"NextStep": "Call"}"#)
            .unwrap();
        assert_eq!(stamps(&org), after);
    }
}

#[test]
fn a_refused_child_leaves_the_roll_up_and_a_roll_up_can_sum_up_another() {
    let mut org = summing();
    let account = org.made(ADMIN, "Account", r#"{"Name": "First"}"#);
    org.add_roll_up(RollUp {
        parent: "Account".into(),
        field: "Deals_Below__c".into(),
        child: "Account".into(),
        lookup: "ParentId".into(),
        of: Summary::Sum("Deal_Sum__c".into()),
        condition: None,
    })
    .unwrap();
    let below = format!(r#"{{"Name": "Below", "ParentId": "{account}"}}"#);
    let below = org.made(ADMIN, "Account", &below);
    deal(&mut org, &below, 25, "2026-08-01");
    assert_eq!(shown(&org, &account, "Deals_Below__c"), "25");
    let refusal = r#"{"version": 1, "rules": [{"object": "Opportunity", "if": "Amount > 1000", "throw": "No"}]}"#;
    org.add_rules(refusal).unwrap();
    let large = format!(
        r#"{{"Name": "Deal", "AccountId": "{below}", "StageName": "Prospecting", "Amount": 2000, "CloseDate": "2026-08-01"}}"#
    );
    org.refused(ADMIN, "Opportunity", &large);
    assert_eq!(shown(&org, &account, "Deals_Below__c"), "25");
}

#[test]
fn what_was_there_before_is_summed_up_and_stamps_nothing() {
    let mut org = org();
    let account = org.made(ADMIN, "Account", r#"{"Name": "First"}"#);
    deal(&mut org, &account, 10, "2026-08-01");
    let before = shown(&org, &account, "SystemModstamp");
    org.set_now(NOON + 60);
    let least = RollUp {
        parent: "Account".into(),
        field: "Least__c".into(),
        child: "Opportunity".into(),
        lookup: "AccountId".into(),
        of: Summary::Min("Amount".into()),
        condition: None,
    };
    org.add_roll_up(least.clone()).unwrap();
    assert_eq!(shown(&org, &account, "Least__c"), "10");
    assert_eq!(shown(&org, &account, "SystemModstamp"), before);
    // Nobody writes it.
    let write = org
        .set(ADMIN, "Account", &account, r#"{"Least__c": 1}"#)
        .unwrap_err();
    assert_eq!(write[0].code, "INVALID_FIELD_FOR_INSERT_UPDATE");
    let wrong = [
        ("a name that is taken", least.clone()),
        (
            "no such object",
            RollUp {
                child: "Nothing".into(),
                field: "A__c".into(),
                ..least.clone()
            },
        ),
        (
            "a lookup elsewhere",
            RollUp {
                lookup: "OwnerId".into(),
                field: "A__c".into(),
                ..least.clone()
            },
        ),
        (
            "a text",
            RollUp {
                of: Summary::Sum("Name".into()),
                field: "A__c".into(),
                ..least.clone()
            },
        ),
        (
            "no condition",
            RollUp {
                condition: Some("Nope = 1".into()),
                field: "A__c".into(),
                ..least.clone()
            },
        ),
    ];
    for (why, roll_up) in wrong {
        assert!(org.add_roll_up(roll_up).is_err(), "{why}");
    }
}
