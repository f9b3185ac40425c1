//! Edits of fields that change while they wait.

use super::{device, hide, next_day, parked, retype, to_number, to_text};
use attache::{Attache, ErrorKind, MutationState, RecordId, Resolution, Value};
use attache_sandbox::org::Access;
use attache_sandbox::schema::FieldKind;
use attache_sandbox::value::Value as Held;
use attache_sim::World;
use attache_tests::{agrees, at_org, create, decide, edit, first, server_id, settle, sync, value};

const ANY: &str = "SELECT Id FROM Account ORDER BY Id LIMIT 1";

fn edited(seed: u64, text: &str) -> (World, Attache, RecordId) {
    let (world, device) = device(seed);
    let id = first(&device, ANY);
    edit(&device, &id, "Site", text);
    (world, device, id)
}

fn nothing(_: &Held) -> Held {
    Held::Null
}

fn site_at_org(world: &World, id: &RecordId) -> Option<String> {
    at_org(world, "Account", id.as_str(), "Site")
}

/// The edit was taken for settled by the first merge after the field's type had changed.
#[test]
fn an_edit_that_no_longer_suits_its_field_is_kept_and_sent_when_it_suits_again() {
    let (world, device, id) = edited(1, "North Gate");
    let before = Held::text(
        at_org(&world, "Account", id.as_str(), "Site").map_or_else(String::new, |json| {
            json.trim_matches('"').replace("null", "")
        }),
    );
    retype(&world, "Site", to_number, nothing);
    world
        .change("Account", id.as_str(), &[("Site", "7"), ("Fax", "\"new\"")])
        .expect("the boss may");
    let report = next_day(&world, &device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    assert_eq!(
        parked(&device),
        [("Site".into(), "INVALID_TYPE_ON_FIELD_IN_RECORD".into())]
    );
    let waiting = &device.pending().expect("a read")[0];
    assert_eq!(waiting.fields.get("Site"), Some(&"North Gate".into()));
    assert_eq!(value(&device, &id, "Site"), Value::Number(7.into()));
    assert_eq!(value(&device, &id, "Fax"), "new".into());

    retype(&world, "Site", to_text, |_| before.clone());
    next_day(&world, &device);
    settle(&world, &device);
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("\"North Gate\""));
    agrees(&world, 0, &device);
}

#[test]
fn an_edit_that_still_suits_its_field_is_sent_in_its_new_type() {
    let (world, device, id) = edited(2, "012.50");
    retype(&world, "Site", to_number, nothing);
    let report = next_day(&world, &device);
    assert!(report.is_settled(), "{report:?}");
    assert_eq!(report.pushed_updates, 1);
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("12.5"));
    agrees(&world, 0, &device);
}

#[test]
fn an_edit_keeps_its_text_over_types_that_come_and_go() {
    let (world, device, id) = edited(3, "012.50");
    edit(&device, &id, "Fax", "later");
    // Another edit of the record is refused, so that both wait while the field is a number.
    retype(&world, "Site", to_number, nothing);
    world
        .sandbox
        .with_org(|org| org.remove_field("Account", "Fax"));
    next_day(&world, &device);
    assert!(!device.pending().expect("a read").is_empty());
    retype(&world, "Site", to_text, nothing);
    world
        .sandbox
        .with_org(|org| org.restore_field("Account", "Fax"));
    next_day(&world, &device);
    settle(&world, &device);
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("\"012.50\""));
    agrees(&world, 0, &device);
}

#[test]
fn an_edit_of_a_field_that_went_away_waits_until_it_is_back() {
    let (world, device, id) = edited(4, "Kept");
    let other = create(&device, "Account", [("Name", "Goes out")]);
    world
        .sandbox
        .with_org(|org| org.remove_field("Account", "Site"));
    // A change of the record meanwhile has it merged without the field.
    world
        .change("Account", id.as_str(), &[("Fax", "\"new\"")])
        .expect("the boss may");
    let report = next_day(&world, &device);
    assert_eq!((report.rejected.len(), report.pushed_creates), (1, 1));
    server_id(&device, &other);
    assert_eq!(parked(&device), [("Site".into(), "INVALID_FIELD".into())]);
    let waiting = &device.pending().expect("a read")[0];
    assert_eq!(waiting.fields.get("Site"), Some(&"Kept".into()));
    let file = device.export_unsent(None).expect("a file");
    assert!(String::from_utf8_lossy(&file).contains("\"Kept\""));
    assert_eq!(sync(&device).rejected.len(), 1);

    world
        .sandbox
        .with_org(|org| org.restore_field("Account", "Site"));
    next_day(&world, &device);
    settle(&world, &device);
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("\"Kept\""));
    agrees(&world, 0, &device);
}

#[test]
fn what_others_wrote_while_a_field_was_hidden_is_a_conflict_when_it_is_back() {
    let (world, device, id) = edited(5, "Mine");
    hide(&world, true);
    next_day(&world, &device);
    world
        .change("Account", id.as_str(), &[("Site", "\"Theirs\"")])
        .expect("the boss may");
    next_day(&world, &device);
    next_day(&world, &device);
    hide(&world, false);
    let report = next_day(&world, &device);
    assert_eq!(report.conflicts, 1, "{report:?}");
    let conflict = &device.conflicts().expect("a read")[0];
    assert_eq!(conflict.fields[0].local, "Mine".into());
    assert_eq!(conflict.fields[0].remote, "Theirs".into());
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("\"Theirs\""));
}

/// The device does not know yet that the field is back, and has not seen what others wrote there.
#[test]
fn an_edit_of_a_hidden_field_is_not_sent_with_another_one_of_its_record() {
    let (world, device, id) = edited(8, "Mine");
    hide(&world, true);
    next_day(&world, &device);
    let parked = device.pending().expect("a read")[0].seq;
    hide(&world, false);
    world
        .change("Account", id.as_str(), &[("Site", "\"Theirs\"")])
        .expect("the boss may");
    edit(&device, &id, "Fax", "another");
    sync(&device);
    let error = device.retry(parked).expect_err("its field is not here");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    sync(&device);
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("\"Theirs\""));
    assert_eq!(next_day(&world, &device).conflicts, 1);
    let conflict = &device.conflicts().expect("a read")[0];
    assert_eq!(conflict.fields[0].local, "Mine".into());
    assert_eq!(conflict.fields[0].remote, "Theirs".into());
}

#[test]
fn a_deletion_does_not_give_way_to_a_field_that_is_shown_again() {
    let (world, device) = device(9);
    let id = create(&device, "Account", [("Name", "To be deleted")]);
    settle(&world, &device);
    let there = server_id(&device, &id);
    world
        .change("Account", &there, &[("Site", "\"theirs\"")])
        .expect("the boss may");
    hide(&world, true);
    next_day(&world, &device);
    device.delete(&id).expect("its creator may");
    hide(&world, false);
    let report = next_day(&world, &device);
    assert_eq!((report.pushed_deletes, &report.merged[..]), (1, &[][..]));
}

#[test]
fn a_conflict_about_records_that_may_no_longer_be_changed_can_be_settled() {
    for resolution in [Resolution::Mine, Resolution::Theirs] {
        let (world, device, id) = edited(10, "Mine");
        let me = world.users[0].id.clone();
        world
            .change("Account", id.as_str(), &[("Site", "\"Theirs\"")])
            .expect("the boss may");
        assert_eq!(sync(&device).conflicts, 1);
        let allow = |access| {
            world
                .sandbox
                .with_org(|org| org.set_access(&me, "Account", access))
        };
        allow(Access::read_only());
        next_day(&world, &device);
        decide(&device, resolution.clone());
        allow(Access::default());
        next_day(&world, &device);
        settle(&world, &device);
        let stands = if resolution == Resolution::Mine {
            "\"Mine\""
        } else {
            "\"Theirs\""
        };
        assert_eq!(site_at_org(&world, &id).as_deref(), Some(stands));
    }
}

#[test]
fn an_edit_of_a_field_that_became_read_only_is_parked_and_goes_when_it_may_be_written() {
    let (world, device, id) = edited(6, "Mine");
    let writable = |may: bool| {
        retype(
            &world,
            "Site",
            |field| (field.createable, field.updateable) = (may, may),
            Held::clone,
        );
    };
    writable(false);
    next_day(&world, &device);
    let reasons = parked(&device);
    assert_eq!(
        reasons,
        [("Site".into(), "INVALID_FIELD_FOR_INSERT_UPDATE".into())]
    );
    writable(true);
    next_day(&world, &device);
    settle(&world, &device);
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("\"Mine\""));
}

#[test]
fn an_edit_that_is_too_long_for_its_field_now_is_parked_and_can_be_shortened() {
    let (world, device, id) = edited(7, "Much too long");
    let length = |field: &mut attache_sandbox::schema::FieldDef| field.length = 5;
    retype(&world, "Site", length, |value| match value {
        Held::Text(text) => Held::text(text.chars().take(5).collect::<String>()),
        other => other.clone(),
    });
    next_day(&world, &device);
    assert_eq!(parked(&device), [("Site".into(), "STRING_TOO_LONG".into())]);
    edit(&device, &id, "Site", "Short");
    settle(&world, &device);
    assert_eq!(site_at_org(&world, &id).as_deref(), Some("\"Short\""));
    agrees(&world, 0, &device);
}

#[test]
fn an_edit_of_a_renamed_field_waits_under_the_old_name() {
    let (world, device, _) = edited(8, "Kept");
    world
        .sandbox
        .with_org(|org| org.remove_field("Account", "Site"));
    super::add_field(&world, "Account", "Place__c", FieldKind::String);
    next_day(&world, &device);
    assert_eq!(parked(&device), [("Site".into(), "INVALID_FIELD".into())]);
    let seq = device.pending().expect("a read")[0].seq;
    device.discard(seq).expect("a discard");
    assert!(sync(&device).is_settled());
    world
        .sandbox
        .with_org(|org| org.restore_field("Account", "Site"));
    next_day(&world, &device);
    agrees(&world, 0, &device);
}

#[test]
fn a_new_record_with_a_field_that_went_away_waits_with_its_children() {
    let (world, device) = device(9);
    let account = create(
        &device,
        "Account",
        [("Name", "Parent"), ("Site", "Somewhere")],
    );
    let child = [
        ("LastName", Value::from("Child")),
        ("AccountId", Value::from(&account)),
    ];
    let contact = create(&device, "Contact", child);
    world
        .sandbox
        .with_org(|org| org.remove_field("Account", "Site"));
    let report = next_day(&world, &device);
    assert_eq!((report.rejected.len(), report.blocked), (1, 1));
    // Nothing that was written goes out without the rest of it, until a person says so.
    assert_eq!(world.times("Account", "Name", "Parent"), Ok(0));
    let states: Vec<_> = device.pending().expect("a read");
    assert!(matches!(states[0].state, MutationState::Rejected(_)));
    world
        .sandbox
        .with_org(|org| org.restore_field("Account", "Site"));
    next_day(&world, &device);
    settle(&world, &device);
    server_id(&device, &contact);
    assert_eq!(world.times("Account", "Name", "Parent"), Ok(1));
    agrees(&world, 0, &device);
}
