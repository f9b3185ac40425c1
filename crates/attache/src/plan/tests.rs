use super::*;

const A: &str = "local-00000000-0000-7000-8000-00000000000a";
const B: &str = "local-00000000-0000-7000-8000-00000000000b";

fn step(seq: i64, record: &str, kind: MutationKind, fields: Fields) -> Step {
    Step {
        seq,
        changeset: seq,
        object: "Account".into(),
        record: record.into(),
        kind,
        fields,
        state: MutationState::Pending,
        client_key: None,
    }
}

fn plan(steps: &[Step]) -> Plan {
    outgoing(steps, |_, _| true)
}

fn decide(known: Known, seen: Seen) -> Incoming {
    incoming(known, seen, Survivor::Edit)
}

#[test]
fn a_deletion_stands_or_asks_where_the_briefcase_wants_that() {
    let decide = |stands| incoming(Known::Deleted, Seen::Changed, stands);
    assert_eq!(decide(Survivor::Deletion), Incoming::Keep);
    assert_eq!(decide(Survivor::Ask), Incoming::AskWithdraw);
}

#[test]
fn an_edit_of_what_is_deleted_there_is_answered_where_the_briefcase_wants_that() {
    let answered = |stands| answer(ConflictKind::DeletedAtRemote, stands);
    assert_eq!(answered(Survivor::Edit), Some(Resolution::Mine));
    assert_eq!(answered(Survivor::Deletion), Some(Resolution::Theirs));
    assert_eq!(answered(Survivor::Ask), None);
}

#[test]
fn other_conflicts_are_for_a_person() {
    for kind in [ConflictKind::Fields, ConflictKind::DeletedHere] {
        for stands in [Survivor::Ask, Survivor::Edit, Survivor::Deletion] {
            assert_eq!(answer(kind, stands), None);
        }
    }
}

#[test]
fn an_unknown_record_is_inserted() {
    assert_eq!(decide(Known::Absent, Seen::Changed), Incoming::Insert);
    assert_eq!(decide(Known::Absent, Seen::Same), Incoming::Insert);
}

#[test]
fn an_unknown_record_that_is_gone_is_ignored() {
    assert_eq!(decide(Known::Absent, Seen::Missing), Incoming::Ignore);
}

#[test]
fn a_clean_record_follows_the_server() {
    assert_eq!(decide(Known::Clean, Seen::Changed), Incoming::Replace);
    assert_eq!(decide(Known::Clean, Seen::Same), Incoming::Keep);
    assert_eq!(decide(Known::Clean, Seen::Missing), Incoming::Purge);
}

#[test]
fn an_edited_record_is_merged_with_what_changed() {
    assert_eq!(decide(Known::Edited, Seen::Changed), Incoming::Merge);
    assert_eq!(decide(Known::Edited, Seen::Same), Incoming::Keep);
}

#[test]
fn an_edit_of_a_deleted_record_is_asked_about() {
    assert_eq!(decide(Known::Edited, Seen::Missing), Incoming::AskDeleted);
}

#[test]
fn a_deletion_loses_to_an_edit_on_the_other_side() {
    assert_eq!(
        decide(Known::Deleted, Seen::Changed),
        Incoming::WithdrawDelete
    );
    assert_eq!(decide(Known::Deleted, Seen::Same), Incoming::Keep);
}

#[test]
fn a_deletion_made_on_both_sides_is_settled() {
    assert_eq!(
        decide(Known::Deleted, Seen::Missing),
        Incoming::SettleDelete
    );
}

#[test]
fn the_mutations_of_a_record_become_one_write_with_the_last_values() {
    let plan = plan(&[
        step(
            1,
            A,
            MutationKind::Create,
            Fields::from([("Name", "a"), ("Phone", "1")]),
        ),
        step(2, A, MutationKind::Update, Fields::from([("Name", "b")])),
    ]);
    assert_eq!(plan.ready.len(), 1);
    assert_eq!(plan.ready[0].kind, MutationKind::Create);
    assert_eq!(plan.ready[0].seqs, [1, 2]);
    assert_eq!(
        plan.ready[0].fields,
        Fields::from([("Name", "b"), ("Phone", "1")])
    );
}

#[test]
fn an_edit_before_a_deletion_does_not_travel() {
    let plan = plan(&[
        step(
            1,
            "001",
            MutationKind::Update,
            Fields::from([("Name", "b")]),
        ),
        step(2, "001", MutationKind::Delete, Fields::new()),
    ]);
    assert_eq!(
        (plan.ready[0].kind, plan.ready[0].fields.len()),
        (MutationKind::Delete, 0)
    );
}

#[test]
fn a_child_waits_for_its_unsent_parent() {
    let plan = plan(&[
        step(1, B, MutationKind::Create, Fields::from([("ParentId", A)])),
        step(2, A, MutationKind::Create, Fields::from([("Name", "a")])),
    ]);
    assert_eq!(
        plan.ready
            .iter()
            .map(|write| write.record.as_str())
            .collect::<Vec<_>>(),
        [A]
    );
    assert!(plan.blocked.is_empty());
}

#[test]
fn a_planned_write_takes_along_what_was_edited_since() {
    let create = step(1, A, MutationKind::Create, Fields::from([("Name", "a")]));
    let later = step(2, A, MutationKind::Update, Fields::from([("Name", "b")]));
    let planned = &plan(std::slice::from_ref(&create)).ready[0];
    let now = renewed(planned, &[create, later]).expect("still a create");
    assert_eq!(
        (now.seqs, now.fields),
        (vec![1, 2], Fields::from([("Name", "b")]))
    );
}

#[test]
fn a_planned_write_that_is_another_by_now_is_left_to_the_next_plan() {
    let edit = step(
        1,
        "001",
        MutationKind::Update,
        Fields::from([("Name", "b")]),
    );
    let planned = &plan(std::slice::from_ref(&edit)).ready[0];
    let mut refused = edit.clone();
    refused.state = MutationState::Rejected(Vec::new());
    let deletion = step(2, "001", MutationKind::Delete, Fields::new());
    let lookup = step(
        2,
        "001",
        MutationKind::Update,
        Fields::from([("ParentId", A)]),
    );
    assert_eq!(renewed(planned, &[]), None);
    assert_eq!(renewed(planned, &[refused]), None);
    assert_eq!(renewed(planned, &[edit.clone(), deletion]), None);
    assert_eq!(renewed(planned, &[edit, lookup]), None);
}

#[test]
fn a_planned_write_leaves_out_what_breaks_its_circle() {
    let steps = [
        step(1, A, MutationKind::Create, Fields::from([("ParentId", B)])),
        step(2, B, MutationKind::Create, Fields::from([("ParentId", A)])),
    ];
    let planned = &plan(&steps).ready[0];
    assert_eq!(renewed(planned, &steps[..1]).as_ref(), Some(planned));
}

#[test]
fn a_child_of_a_rejected_parent_is_blocked_and_nothing_else_is() {
    let mut parent = step(1, A, MutationKind::Create, Fields::from([("Name", "a")]));
    parent.state = MutationState::Rejected(Vec::new());
    let child = step(2, B, MutationKind::Create, Fields::from([("ParentId", A)]));
    assert_eq!(
        plan(&[parent.clone(), child.clone()]),
        Plan {
            ready: Vec::new(),
            blocked: vec![2]
        }
    );
    let other = step(
        3,
        "001",
        MutationKind::Update,
        Fields::from([("Name", "c")]),
    );
    assert_eq!(plan(&[parent, child, other]).ready.len(), 1);
}

#[test]
fn a_grandchild_of_a_rejected_record_waits_whole() {
    const C: &str = "local-00000000-0000-7000-8000-00000000000c";
    let mut parent = step(1, A, MutationKind::Create, Fields::from([("Name", "a")]));
    parent.state = MutationState::Rejected(Vec::new());
    let child = step(2, B, MutationKind::Create, Fields::from([("ParentId", A)]));
    let grandchild = step(3, C, MutationKind::Create, Fields::from([("ParentId", B)]));
    let other = step(
        4,
        "001",
        MutationKind::Update,
        Fields::from([("Name", "c")]),
    );
    let family = [parent, child, grandchild, other];
    assert_eq!(
        (plan(&family[..3]).ready.len(), plan(&family[..3]).blocked),
        (0, vec![2, 3])
    );
    assert_eq!(
        (plan(&family).ready.len(), plan(&family).blocked),
        (1, vec![2, 3])
    );
}

#[test]
fn an_edit_behind_one_that_was_refused_is_blocked() {
    let mut refused = step(
        1,
        "001",
        MutationKind::Update,
        Fields::from([("Name", "b")]),
    );
    refused.state = MutationState::Rejected(Vec::new());
    let later = step(
        2,
        "001",
        MutationKind::Update,
        Fields::from([("Phone", "1")]),
    );
    assert_eq!(plan(&[refused, later]).blocked, [2]);
}

#[test]
fn a_circle_is_broken_where_a_lookup_may_come_later() {
    let steps = [
        step(
            1,
            A,
            MutationKind::Create,
            Fields::from([("ParentId", B), ("Name", "a")]),
        ),
        step(2, B, MutationKind::Create, Fields::from([("ParentId", A)])),
    ];
    let write = &plan(&steps).ready[0];
    assert_eq!(
        (write.fields.clone(), write.deferred.clone()),
        (
            Fields::from([("Name", "a")]),
            Fields::from([("ParentId", B)])
        )
    );
    assert_eq!(outgoing(&steps, |_, _| false).blocked, [1, 2]);
}

#[test]
fn deletions_leave_last() {
    let steps = [
        step(1, "001", MutationKind::Delete, Fields::new()),
        step(
            2,
            "002",
            MutationKind::Update,
            Fields::from([("ParentId", "003")]),
        ),
    ];
    assert_eq!(
        plan(&steps)
            .ready
            .iter()
            .map(|write| write.record.as_str())
            .collect::<Vec<_>>(),
        ["002"]
    );
    assert_eq!(plan(&steps[..1]).ready.len(), 1);
}
