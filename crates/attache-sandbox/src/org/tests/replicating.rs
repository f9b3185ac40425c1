//! getUpdated and getDeleted.

use crate::org::testing::*;

const MINUTE: i64 = 60;

#[test]
fn changed_rows_are_listed_with_the_minute_of_both_ends() {
    let mut org = org();
    let early = org.made(JO, "Account", r#"{"Name":"Early"}"#);
    org.wait(5 * MINUTE);
    let late = org.made(JO, "Account", r#"{"Name":"Late"}"#);
    org.wait(MINUTE);
    let (ids, covered) = org
        .updated(JO, "Account", NOON + 45, NOON + 5 * MINUTE + 15)
        .unwrap();
    assert_eq!(
        ids,
        [early, late.clone()],
        "12:00:45 to 12:05:15 is 12:00:00 to 12:05:00, both included"
    );
    assert_eq!(covered, NOON + 5 * MINUTE);
    let (ids, _) = org
        .updated(JO, "Account", NOON + MINUTE, NOON + 6 * MINUTE)
        .unwrap();
    assert_eq!(ids, [late]);
}

#[test]
fn a_span_must_run_forward_and_not_too_far_back() {
    let org = org();
    for (start, end) in [(NOON, NOON), (NOON, NOON - 1), (NOON - 31 * 86_400, NOON)] {
        assert_eq!(
            org.updated(JO, "Account", start, end).unwrap_err().code,
            "INVALID_REPLICATION_DATE"
        );
    }
    for (start, end) in [
        (NOON - 10, NOON + 20),
        (NOON, NOON - 600),
        (NOON - 16 * 86_400, NOON),
    ] {
        assert_eq!(
            org.deleted(JO, "Account", start, end).unwrap_err().code,
            "INVALID_REPLICATION_DATE"
        );
    }
}

#[test]
fn hidden_and_deleted_rows_are_not_updated() {
    let mut org = org();
    org.made(KIM, "Account", r#"{"Name":"Hidden"}"#);
    let gone = org.made(JO, "Account", r#"{"Name":"Gone"}"#);
    org.delete(JO, "Account", &gone).unwrap();
    org.wait(5 * MINUTE);
    assert!(
        org.updated(JO, "Account", NOON, NOON + MINUTE)
            .unwrap()
            .0
            .is_empty()
    );
}

#[test]
fn deletions_are_listed_with_their_time_to_those_who_had_access() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    let contact = org.made(
        JO,
        "Contact",
        &format!(r#"{{"LastName":"Roe","AccountId":"{id}"}}"#),
    );
    org.wait(MINUTE);
    org.delete(JO, "Account", &id).unwrap();
    org.wait(5 * MINUTE);
    let answer = org.deleted(JO, "Account", NOON, NOON + 2 * MINUTE).unwrap();
    assert_eq!(answer.records, [(id, NOON + MINUTE)]);
    assert_eq!(answer.latest, NOON + 2 * MINUTE);
    let children = org.deleted(JO, "Contact", NOON, NOON + 2 * MINUTE).unwrap();
    assert_eq!(children.records, [(contact, NOON + MINUTE)]);
    assert!(
        org.deleted(KIM, "Account", NOON, NOON + 2 * MINUTE)
            .unwrap()
            .records
            .is_empty()
    );
}

#[test]
fn losing_access_is_no_deletion() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.set(JO, "Account", &id, &format!(r#"{{"OwnerId":"{KIM}"}}"#))
        .unwrap();
    org.wait(5 * MINUTE);
    assert!(
        org.deleted(JO, "Account", NOON, NOON + 2 * MINUTE)
            .unwrap()
            .records
            .is_empty()
    );
}

#[test]
fn a_pruned_log_refuses_what_it_no_longer_knows() {
    let mut org = org();
    org.wait(60 * MINUTE);
    org.prune_delete_log(NOON + 30 * MINUTE);
    assert_eq!(
        org.deleted(JO, "Account", NOON, NOON + 60 * MINUTE)
            .unwrap_err()
            .code,
        "INVALID_REPLICATION_DATE"
    );
    let answer = org
        .deleted(JO, "Account", NOON + 30 * MINUTE, NOON + 60 * MINUTE)
        .unwrap();
    assert_eq!(answer.earliest, NOON + 30 * MINUTE);
}

#[test]
fn a_restored_row_is_updated_and_may_still_be_listed_as_deleted() {
    let mut org = org();
    let id = org.made(JO, "Account", r#"{"Name":"Acme"}"#);
    org.delete(JO, "Account", &id).unwrap();
    org.wait(MINUTE);
    org.undelete(JO, "Account", &id).unwrap();
    org.wait(MINUTE);
    let (ids, _) = org
        .updated(JO, "Account", NOON + MINUTE, NOON + 2 * MINUTE)
        .unwrap();
    assert_eq!(ids, [id.as_str()]);
    assert_eq!(
        org.deleted(JO, "Account", NOON, NOON + 2 * MINUTE)
            .unwrap()
            .records,
        [(id, NOON)]
    );
}

#[test]
fn covered_time_is_never_later_than_now() {
    let (_, covered) = org()
        .updated(JO, "Account", NOON - MINUTE, NOON + 3_600)
        .unwrap();
    assert_eq!(covered, NOON);
}
