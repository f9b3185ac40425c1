//! New records that point at each other, or at themselves: made first, joined by a second write.

use super::device;
use attache::{RecordId, Value};
use attache_tests::{agrees, create, edit, server_id, settle, value};

/// Makes accounts of which each is the child of the next, the last of the first.
fn circle_of(count: usize) {
    let (world, device) = device(count as u64);
    let accounts: Vec<RecordId> = (0..count)
        .map(|n| create(&device, "Account", [("Name", format!("Part {n}"))]))
        .collect();
    for (at, account) in accounts.iter().enumerate() {
        edit(&device, account, "ParentId", &accounts[(at + 1) % count]);
    }
    settle(&world, &device);
    for (at, account) in accounts.iter().enumerate() {
        let parent = server_id(&device, &accounts[(at + 1) % count]);
        assert_eq!(
            value(&device, account, "ParentId"),
            Value::from(parent.as_str())
        );
    }
    agrees(&world, attache_tests::ME, &device);
}

#[test]
fn two_records_that_point_at_each_other() {
    circle_of(2);
}

#[test]
fn three_records_in_a_circle() {
    circle_of(3);
}

#[test]
fn a_record_that_points_at_itself() {
    circle_of(1);
}
