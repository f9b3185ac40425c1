//! An index finds exactly what a look at every row finds, in the same order.

use super::super::eval::Eye;
use super::super::{check, parse};
use super::*;
use crate::org::Slot;
use proptest::prelude::*;

/// Conditions that an index can serve, alone or in part, and some that none can.
fn atom() -> impl Strategy<Value = String> {
    let id = || (1_u64..40).prop_map(|n| crate::id::make("001", n));
    let instant = (0..40).prop_map(|second| format!("2026-07-15T12:00:{second:02}Z"));
    let op = prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    prop_oneof![
        (op.clone(), id()).prop_map(|(op, id)| format!("Id {op} '{id}'")),
        (op.clone(), instant).prop_map(|(op, at)| format!("SystemModstamp {op} {at}")),
        (op, 0..9).prop_map(|(op, n)| format!("NumberOfEmployees {op} {n}")),
        prop::collection::vec(id(), 1..4).prop_map(|ids| format!("Id IN ('{}')", ids.join("','"))),
        prop::collection::vec(id(), 1..4)
            .prop_map(|ids| format!("ParentId IN ('{}')", ids.join("','"))),
        id().prop_map(|id| format!("ParentId = '{id}'")),
        (0..40).prop_map(|n| format!("External_Id__c = 'x-{n}'")),
        (0..40).prop_map(|n| format!("External_Id__c IN ('X-{n}', 'X-1')")),
        Just("ParentId = null".to_owned()),
        Just("Parent.Name != null".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    atom().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" AND "))),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("(NOT ({part}))")),
        ]
    })
}

fn family() -> Org {
    let mut org = org();
    let mut ids = Vec::new();
    for n in 0..40_u64 {
        let parent = match n % 3 {
            0 => "null".to_owned(),
            _ => format!("\"{}\"", crate::id::make("001", n / 3 + 1)),
        };
        let key = if n % 4 == 0 {
            "null".to_owned()
        } else {
            format!("\"X-{n}\"")
        };
        let json = format!(
            r#"{{"Name":"N{n}","ParentId":{parent},"External_Id__c":{key},"NumberOfEmployees":{}}}"#,
            n % 7
        );
        org.set_now(NOON + (n * 7 % 20) as i64);
        let id = org.made(JO, "Account", &json);
        ids.push(id);
    }
    for id in ids.iter().step_by(11) {
        org.delete(JO, "Account", id).unwrap();
    }
    org
}

proptest! {
    #[test]
    fn indexes_change_nothing_but_the_time_it_takes(
        conditions in prop::collection::vec(condition(), 1..8),
        order in prop::sample::select(vec![
            "Id", "SystemModstamp, Id", "SystemModstamp DESC, Id", "NumberOfEmployees, Id", "Parent.Name NULLS LAST, Id",
        ]),
        most in prop::option::of(0_usize..12),
        all_rows in any::<bool>(),
    ) {
        let org = family();
        let viewer = org.viewer(JO);
        let account = org.schema().index("Account").unwrap();
        let every: Vec<Slot> = org.table(account).slots().map(|(slot, _)| slot).collect();
        for condition in conditions {
            let soql = format!("SELECT Id FROM Account WHERE {condition} ORDER BY {order}");
            let calendar = org.calendar(&viewer);
            let eye = Eye { org: &org, viewer: &viewer, calendar: &calendar, all_rows };
            let plan = check::plan(eye, &parse::parse(&soql).unwrap()).unwrap();
            let indexed = eye.find(account, plan.filter.as_ref(), plan.reach, &plan.order, most);
            let scanned = eye.among(account, every.clone(), plan.filter.as_ref(), &plan.order, most);
            prop_assert_eq!(indexed, scanned, "{}", soql);
        }
    }
}
