//! Conflicts: policies of the briefcase, a host that decides, deletions against edits, and second thoughts.
//!
//! Over 600 lines: one scene, and all that can happen in it.

use attache::{
    Attache, Conflict, ConflictKind, Keep, MergePolicy, MutationState, RecordId, Resolution, Value,
};
use attache_sim::World;
use attache_tests::{
    agrees, at_org, briefcase, edit, first, prime, server_id, settle, sync, value,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A device that carries the accounts of user 0, and one of them by its identity and its id.
struct Scene {
    world: World,
    device: Attache,
    id: RecordId,
    at: String,
}

impl Scene {
    fn new(seed: u64, merge: &str) -> Scene {
        let world = World::new(seed, 60);
        let me = format!("\"{}\"", world.users[0].id);
        let accounts = world.rows(world.boss(), "SELECT Id FROM Account ORDER BY Id LIMIT 3");
        for id in accounts
            .expect("a valid query")
            .iter()
            .filter_map(|row| row.text("Id"))
        {
            world
                .change("Account", &id, &[("OwnerId", &me)])
                .expect("the boss may");
        }
        let device = prime(&world, 0, &carrying(merge));
        let id = first(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 1");
        let at = server_id(&device, &id);
        let scene = Scene {
            world,
            device,
            id,
            at,
        };
        scene.there(&[("Phone", "\"1\""), ("Fax", "\"1\""), ("Site", "\"Here\"")]);
        sync(&scene.device);
        scene
    }

    /// A colleague's edit, a while later.
    fn there(&self, fields: &[(&str, &str)]) {
        self.world.sandbox.advance(900);
        self.world
            .change("Account", &self.at, fields)
            .expect("the boss may");
        self.world.sandbox.advance(900);
    }

    fn here(&self, field: &str, value: &str) {
        edit(&self.device, &self.id, field, value);
    }

    fn value(&self, field: &str) -> Option<String> {
        value(&self.device, &self.id, field)
            .as_text()
            .map(str::to_owned)
    }

    fn at_org(&self, field: &str) -> Option<String> {
        at_org(&self.world, "Account", &self.at, field)
            .map(|json| json.trim_matches('"').to_owned())
    }

    /// The conflict there is.
    #[track_caller]
    fn conflict(&self) -> Conflict {
        let mut conflicts = self.device.conflicts().expect("a read");
        assert_eq!(conflicts.len(), 1, "{conflicts:?}");
        conflicts.remove(0)
    }

    /// The three values of a field in conflict.
    #[track_caller]
    fn sides(&self, field: &str) -> [Option<String>; 3] {
        let conflict = self.conflict();
        let field = conflict
            .fields
            .iter()
            .find(|it| it.name == field)
            .expect("a field in conflict");
        [&field.base, &field.local, &field.remote].map(|value| value.as_text().map(str::to_owned))
    }

    /// Everything settles, and the device agrees with the org.
    #[track_caller]
    fn settles(&self) {
        settle(&self.world, &self.device);
        agrees(&self.world, 0, &self.device);
        assert_eq!(self.device.conflicts().expect("a read"), []);
    }
}

fn carrying(merge: &str) -> attache::Briefcase {
    briefcase(&format!(
        r#"{{"version": 1, "objects": {{"Account": {{"merge": {merge}}}}}, "rules": [{{"object": "Account", "scope": "mine"}}]}}"#
    ))
}

fn some(values: [&str; 3]) -> [Option<String>; 3] {
    values.map(|value| Some(value.to_owned()))
}

#[test]
fn the_policies_of_the_briefcase_decide() {
    let scene = Scene::new(1, r#"{"fields": {"Phone": "local", "Fax": "remote"}}"#);
    scene.here("Phone", "mine");
    scene.here("Fax", "mine");
    scene.here("Site", "mine");
    scene.there(&[
        ("Phone", "\"theirs\""),
        ("Fax", "\"theirs\""),
        ("Site", "\"theirs\""),
    ]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    let names: Vec<String> = scene
        .conflict()
        .fields
        .into_iter()
        .map(|field| field.name)
        .collect();
    assert_eq!(names, ["Site"]);
    scene
        .device
        .resolve(scene.conflict().id, Resolution::Mine)
        .expect("an open conflict");
    scene.settles();
    let there = ["Phone", "Fax", "Site"].map(|field| scene.at_org(field));
    assert_eq!(there, some(["mine", "theirs", "mine"]));
}

#[test]
fn a_group_that_the_host_declares_is_one_value() {
    let scene = Scene::new(2, r#"{"groups": [["Phone", "Fax"]]}"#);
    scene.here("Phone", "mine");
    scene.there(&[("Fax", "\"theirs\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    assert_eq!(scene.sides("Phone"), some(["1", "mine", "1"]));
    assert_eq!(scene.sides("Fax"), some(["1", "1", "theirs"]));
    scene
        .device
        .resolve(scene.conflict().id, Resolution::Theirs)
        .expect("an open conflict");
    scene.settles();
    assert_eq!(
        (scene.at_org("Phone"), scene.at_org("Fax")),
        (Some("1".into()), Some("theirs".into()))
    );
}

#[test]
fn a_policy_with_an_unknown_field_is_told_by_prepare() {
    let world = World::new(3, 20);
    let device = world.device(0).expect("a store");
    for (merge, message) in [
        (
            r#"{"fields": {"Nope__c": "local"}}"#,
            "objects.Account.merge: Account has no field Nope__c",
        ),
        (
            r#"{"groups": [["Phone", "Nope__c"]]}"#,
            "objects.Account.merge: Account has no field Nope__c",
        ),
        (
            r#"{"fields": {"Phone": "union"}}"#,
            "objects.Account.merge.fields.Phone: union is for multi-select lists",
        ),
        (
            r#"{"fields": {"BillingStreet": "text"}}"#,
            "objects.Account.merge.fields.BillingStreet: it merges as one value",
        ),
    ] {
        device
            .set_briefcase(carrying(merge))
            .expect("a briefcase is stored");
        let error = attache_sim::wait(device.prepare()).expect_err(merge);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn what_the_server_changes_later_refreshes_the_conflict_and_loses_nothing() {
    let scene = Scene::new(4, "{}");
    scene.here("Phone", "mine");
    scene.there(&[("Phone", "\"2\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    let before = scene.conflict();
    scene.there(&[("Phone", "\"3\""), ("Site", "\"There\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    assert_eq!(scene.conflict().id, before.id);
    assert!(scene.conflict().changed_at > before.changed_at);
    assert_eq!(scene.sides("Phone"), some(["1", "mine", "3"]));
    assert_eq!(scene.value("Site").as_deref(), Some("There"));
    // The server goes back to where it was: nothing is left to ask, and the edit is sent.
    scene.there(&[("Phone", "\"1\"")]);
    assert_eq!(sync(&scene.device).conflicts, 0);
    scene.settles();
    assert_eq!(scene.at_org("Phone").as_deref(), Some("mine"));
}

#[test]
fn a_conflict_closes_when_the_server_comes_to_agree() {
    let scene = Scene::new(5, "{}");
    scene.here("Phone", "mine");
    scene.there(&[("Phone", "\"2\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    scene.there(&[("Phone", "\"mine\"")]);
    let report = sync(&scene.device);
    assert!(report.is_settled(), "{report:?}");
    assert_eq!(scene.device.pending().expect("a read"), []);
    scene.settles();
}

#[test]
fn a_policy_that_is_set_later_decides_an_open_conflict_when_the_record_changes() {
    let scene = Scene::new(6, "{}");
    scene.here("Phone", "mine");
    scene.there(&[("Phone", "\"2\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    scene
        .device
        .set_briefcase(carrying(r#"{"default": "local"}"#))
        .expect("a briefcase is stored");
    scene.there(&[("Site", "\"There\"")]);
    assert_eq!(sync(&scene.device).conflicts, 0);
    scene.settles();
    assert_eq!(scene.at_org("Phone").as_deref(), Some("mine"));
}

#[test]
fn a_host_decides_and_the_report_tells() {
    let scene = Scene::new(7, "{}");
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let device = scene.device.clone().with_resolver(move |conflict| {
        count.fetch_add(1, Ordering::Relaxed);
        assert!(conflict.changed_by.is_some() && conflict.changed_at.is_some());
        let theirs = |name: &str| (name == "Fax").then_some(Keep::Theirs);
        let keep = |name: &str| theirs(name).unwrap_or(Keep::Value(Value::from("both")));
        let fields = conflict
            .fields
            .iter()
            .map(|field| (field.name.clone(), keep(&field.name)));
        Some(Resolution::per_field(fields))
    });
    scene.here("Phone", "mine");
    scene.here("Fax", "mine");
    scene.there(&[("Phone", "\"theirs\""), ("Fax", "\"theirs\"")]);
    let report = sync(&device);
    assert_eq!(
        (report.conflicts, report.pushed_updates),
        (0, 1),
        "{report:?}"
    );
    assert_eq!(
        (&report.merged[0].taken[..], &report.merged[0].kept[..]),
        (&["Fax".to_owned()][..], &["Phone".to_owned()][..])
    );
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    scene.settles();
    assert_eq!(
        (scene.at_org("Phone"), scene.at_org("Fax")),
        (Some("both".into()), Some("theirs".into()))
    );
}

#[test]
fn a_host_that_panics_or_talks_nonsense_leaves_the_conflict_open() {
    let answers: [fn(&Conflict) -> Option<Resolution>; 4] = [
        |_| None,
        |_| panic!("on purpose"),
        |_| Some(Resolution::per_field([("Nope", Keep::Mine)])),
        |_| {
            Some(Resolution::per_field([(
                "Phone",
                Keep::Value(Value::from("9".repeat(300))),
            )]))
        },
    ];
    for answer in answers {
        let scene = Scene::new(8, "{}");
        let device = scene.device.clone().with_resolver(answer);
        scene.here("Phone", "mine");
        scene.there(&[("Phone", "\"theirs\"")]);
        let report = sync(&device);
        assert_eq!(
            (report.conflicts, report.pushed_updates),
            (1, 0),
            "{report:?}"
        );
        assert_eq!(scene.sides("Phone"), some(["1", "mine", "theirs"]));
        scene
            .device
            .resolve(scene.conflict().id, Resolution::Mine)
            .expect("an open conflict");
        scene.settles();
    }
}

#[test]
fn a_resolver_may_use_the_store_it_decides_for() {
    let scene = Scene::new(9, "{}");
    let inner = scene.device.clone();
    let device = scene.device.clone().with_resolver(move |conflict| {
        let record = inner
            .get(&conflict.record)
            .expect("a read")
            .expect("the record");
        let site = record.fields.get("Site").cloned().unwrap_or(Value::Null);
        inner
            .update(&conflict.record, [("AccountNumber", "Z1")])
            .expect("an edit does not wait");
        Some(Resolution::per_field([("Phone", Keep::Value(site))]))
    });
    scene.here("Phone", "mine");
    scene.there(&[("Phone", "\"theirs\"")]);
    assert_eq!(sync(&device).conflicts, 0);
    scene.settles();
    assert_eq!(scene.at_org("Phone").as_deref(), Some("Here"));
    assert_eq!(scene.at_org("AccountNumber").as_deref(), Some("Z1"));
}

#[test]
fn all_conflicts_are_settled_at_once_and_taken_back_at_once() {
    let scene = Scene::new(10, "{}");
    let other = first(
        &scene.device,
        &format!(
            "SELECT Id FROM Account WHERE Id != '{}' ORDER BY Id LIMIT 1",
            scene.at
        ),
    );
    let there = server_id(&scene.device, &other);
    scene.here("Phone", "mine");
    edit(&scene.device, &other, "Phone", "mine");
    scene
        .world
        .change("Account", &there, &[("Phone", "\"theirs\"")])
        .expect("the boss may");
    scene.there(&[("Phone", "\"theirs\"")]);
    assert_eq!(sync(&scene.device).conflicts, 2);
    let open = scene.device.conflicts().expect("a read");
    assert!(
        scene
            .device
            .resolve_all(Some("Lead"), &Resolution::Theirs)
            .is_err()
    );
    let per_field = Resolution::per_field([("Phone", Keep::Mine)]);
    assert!(scene.device.resolve_all(None, &per_field).is_err());
    for resolution in [Resolution::Mine, Resolution::Theirs] {
        let settled = scene
            .device
            .resolve_all(Some("account"), &resolution)
            .expect("two conflicts");
        assert_eq!(
            settled,
            open.iter().map(|conflict| conflict.id).collect::<Vec<_>>()
        );
        assert_eq!(scene.device.conflicts().expect("a read"), []);
        scene.device.undo().expect("the last changeset");
        assert_eq!(scene.device.conflicts().expect("a read"), open);
    }
    scene
        .device
        .resolve_all(None, &Resolution::Theirs)
        .expect("two conflicts");
    scene.settles();
    assert_eq!(scene.at_org("Phone").as_deref(), Some("theirs"));
}

#[test]
fn a_decision_is_taken_back_before_it_is_sent() {
    let resolutions = [
        Resolution::Mine,
        Resolution::Theirs,
        Resolution::per_field([("Phone", Keep::Value(Value::from("new")))]),
    ];
    for resolution in resolutions {
        let scene = Scene::new(11, "{}");
        scene.here("Phone", "mine");
        scene.there(&[("Phone", "\"theirs\"")]);
        assert_eq!(sync(&scene.device).conflicts, 1);
        let (open, pending) = (scene.conflict(), scene.device.pending().expect("a read"));
        scene
            .device
            .resolve(open.id, resolution.clone())
            .expect("an open conflict");
        // An edit made since stays on top.
        scene.here("Site", "Edited since");
        scene.device.reopen(open.id).expect("nothing was sent");
        assert_eq!(scene.conflict(), open, "{resolution:?}");
        let now = scene.device.pending().expect("a read");
        assert_eq!((&now[0], now.len()), (&pending[0], 2), "{resolution:?}");
        assert!(
            now.iter()
                .all(|mutation| mutation.state == MutationState::Conflicted)
        );
        assert_eq!(scene.value("Site").as_deref(), Some("Edited since"));
        assert!(scene.device.reopen(open.id).is_err(), "it is open");
        scene
            .device
            .resolve(open.id, resolution)
            .expect("an open conflict");
        scene.settles();
        assert!(scene.device.reopen(open.id).is_err(), "it was sent");
        assert_eq!(scene.at_org("Site").as_deref(), Some("Edited since"));
    }
}

#[test]
fn a_decision_is_taken_back_although_the_server_went_on() {
    let scene = Scene::new(12, "{}");
    scene.here("Phone", "mine");
    scene.there(&[("Phone", "\"2\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    let open = scene.conflict();
    scene
        .device
        .resolve(open.id, Resolution::Mine)
        .expect("an open conflict");
    scene.there(&[("Phone", "\"3\"")]);
    // The record is in conflict again before anything was sent.
    assert_eq!(sync(&scene.device).conflicts, 1);
    assert_eq!(scene.sides("Phone"), some(["2", "mine", "3"]));
    scene.device.reopen(open.id).expect("nothing was sent");
    assert_eq!(scene.conflict().id, open.id);
    assert_eq!(scene.sides("Phone"), some(["1", "mine", "3"]));
    scene
        .device
        .resolve(open.id, Resolution::Theirs)
        .expect("an open conflict");
    scene.settles();
}

#[test]
fn one_field_is_decided_now_and_the_other_later() {
    let scene = Scene::new(13, "{}");
    scene.here("Phone", "mine");
    scene.here("Fax", "mine");
    scene.there(&[("Phone", "\"theirs\""), ("Fax", "\"theirs\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    let open = scene.conflict();
    let half = Resolution::per_field([("Phone", Keep::Theirs), ("Fax", Keep::Later)]);
    scene
        .device
        .resolve(open.id, half)
        .expect("an open conflict");
    assert_eq!(
        (scene.conflict().id, scene.conflict().fields.len()),
        (open.id, 1)
    );
    let report = sync(&scene.device);
    assert_eq!(
        (report.conflicts, report.pushed_updates),
        (1, 0),
        "{report:?}"
    );
    scene.there(&[("Fax", "\"later\"")]);
    sync(&scene.device);
    assert_eq!(scene.sides("Fax"), some(["1", "mine", "later"]));
    assert_eq!(scene.value("Phone").as_deref(), Some("theirs"));
    scene
        .device
        .resolve(open.id, Resolution::Mine)
        .expect("an open conflict");
    scene.settles();
    assert_eq!(
        (scene.at_org("Phone"), scene.at_org("Fax")),
        (Some("theirs".into()), Some("mine".into()))
    );
}

#[test]
fn a_deletion_made_here_is_asked_about_where_the_briefcase_wants_that() {
    for (resolution, left) in [(Resolution::Mine, None), (Resolution::Theirs, Some("2"))] {
        let scene = Scene::new(14, r#"{"deletion": {"here": "ask"}}"#);
        scene.here("Site", "Mine");
        scene
            .device
            .delete(&scene.id)
            .expect("an account may be deleted");
        scene.there(&[("Phone", "\"2\"")]);
        let report = sync(&scene.device);
        assert_eq!(
            (report.conflicts, report.pushed_deletes),
            (1, 0),
            "{report:?}"
        );
        let open = scene.conflict();
        assert_eq!(
            (open.kind, &open.record),
            (ConflictKind::DeletedHere, &scene.id)
        );
        assert_eq!(
            scene.sides("Phone"),
            [Some("1".into()), None, Some("2".into())]
        );
        assert!(open.title.is_some() && open.changed_by.is_some());
        // A second look changes nothing, and a decision can be taken back.
        assert_eq!(sync(&scene.device).conflicts, 1);
        scene
            .device
            .resolve(open.id, resolution.clone())
            .expect("an open conflict");
        assert_eq!(
            scene.device.get(&scene.id).expect("a read").is_some(),
            left.is_some()
        );
        scene.device.reopen(open.id).expect("nothing was sent");
        assert_eq!(scene.conflict(), open);
        assert_eq!(scene.device.get(&scene.id).expect("a read"), None);
        scene
            .device
            .resolve(open.id, resolution)
            .expect("an open conflict");
        scene.settles();
        assert_eq!(scene.at_org("Phone").as_deref(), left);
        assert_eq!(scene.at_org("Site").as_deref(), left.map(|_| "Mine"));
    }
}

#[test]
fn a_deletion_made_here_stands_where_the_briefcase_wants_that() {
    let scene = Scene::new(15, r#"{"deletion": {"here": "deletion"}}"#);
    scene
        .device
        .delete(&scene.id)
        .expect("an account may be deleted");
    scene.there(&[("Phone", "\"2\"")]);
    let report = sync(&scene.device);
    assert_eq!(
        (report.conflicts, report.pushed_deletes),
        (0, 1),
        "{report:?}"
    );
    scene.settles();
    assert_eq!(scene.at_org("Id"), None);
}

#[test]
fn what_both_sides_deleted_is_no_conflict() {
    let scene = Scene::new(16, r#"{"deletion": "ask"}"#);
    scene
        .device
        .delete(&scene.id)
        .expect("an account may be deleted");
    scene.there(&[("Phone", "\"2\"")]);
    assert_eq!(sync(&scene.device).conflicts, 1);
    scene
        .world
        .remove("Account", &scene.at)
        .expect("the boss may");
    scene.settles();
}

#[test]
fn an_edit_of_what_is_deleted_there_follows_the_briefcase() {
    for (merge, again) in [
        (r#"{"deletion": "edit"}"#, true),
        (r#"{"deletion": {"there": "deletion"}}"#, false),
    ] {
        let scene = Scene::new(17, merge);
        scene.here("Site", "Still wanted");
        scene.world.sandbox.advance(900);
        scene
            .world
            .remove("Account", &scene.at)
            .expect("the boss may");
        scene.world.sandbox.advance(900);
        let report = sync(&scene.device);
        assert_eq!(
            (report.conflicts, report.pushed_creates),
            (0, u64::from(again)),
            "{report:?}"
        );
        assert_eq!(report.merged.len(), 1, "{report:?}");
        scene.settles();
        assert_eq!(
            scene.world.times("Account", "Site", "Still wanted"),
            Ok(usize::from(again))
        );
        assert_eq!(
            scene.device.get(&scene.id).expect("a read").is_some(),
            again
        );
    }
}

#[test]
fn a_decision_about_a_deletion_is_taken_back() {
    for resolution in [Resolution::Mine, Resolution::Theirs] {
        let scene = Scene::new(18, "{}");
        scene.here("Site", "Still wanted");
        scene.world.sandbox.advance(900);
        scene
            .world
            .remove("Account", &scene.at)
            .expect("the boss may");
        scene.world.sandbox.advance(900);
        assert_eq!(sync(&scene.device).conflicts, 1);
        let (open, pending) = (scene.conflict(), scene.device.pending().expect("a read"));
        let record = scene.device.get(&scene.id).expect("a read");
        scene
            .device
            .resolve(open.id, resolution.clone())
            .expect("an open conflict");
        scene.device.undo().expect("the last changeset");
        assert_eq!(scene.conflict(), open, "{resolution:?}");
        assert_eq!(scene.device.pending().expect("a read"), pending);
        assert_eq!(scene.device.get(&scene.id).expect("a read"), record);
        scene
            .device
            .resolve(open.id, resolution.clone())
            .expect("an open conflict");
        scene.settles();
        let times = usize::from(resolution == Resolution::Mine);
        assert_eq!(
            scene.world.times("Account", "Site", "Still wanted"),
            Ok(times)
        );
    }
}

#[test]
fn a_policy_is_kept_with_the_briefcase() {
    let merge = r#"{"default": "remote", "groups": [["Phone", "Fax"]]}"#;
    let scene = Scene::new(19, merge);
    let kept = scene
        .device
        .briefcase()
        .expect("a read")
        .expect("the briefcase");
    assert_eq!(kept, carrying(merge));
    assert!(MergePolicy::from_json(merge).is_ok());
}
