//! Deletions against edits, on either side.

use super::Scene;
use attache::{ConflictKind, ErrorKind, Resolution};
use attache_sandbox::org::Access;
use attache_tests::sync;

#[test]
fn a_deletion_made_here_is_asked_about_where_the_briefcase_wants_that() {
    for (resolution, left) in [(Resolution::Mine, None), (Resolution::Theirs, Some("2"))] {
        let scene = Scene::new(14, r#"{"deletion": {"here": "ask"}}"#);
        scene.here("Site", "Mine");
        scene.delete_here();
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
        scene.resolve(resolution.clone());
        assert_eq!(scene.record().is_some(), left.is_some());
        scene.device.reopen(open.id).expect("nothing was sent");
        assert_eq!(scene.conflict(), open);
        assert_eq!(scene.record(), None);
        scene.resolve(resolution);
        scene.settles();
        assert_eq!(scene.at_org("Phone").as_deref(), left);
        assert_eq!(scene.at_org("Site").as_deref(), left.map(|_| "Mine"));
    }
}

#[test]
fn a_deletion_made_here_stands_where_the_briefcase_wants_that() {
    let scene = Scene::new(15, r#"{"deletion": {"here": "deletion"}}"#);
    scene.delete_here();
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
    scene.delete_here();
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
        scene.delete_there();
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
        assert_eq!(scene.record().is_some(), again);
    }
}

#[test]
fn a_decision_about_a_deletion_is_taken_back() {
    for resolution in [Resolution::Mine, Resolution::Theirs] {
        let scene = Scene::new(18, "{}");
        scene.here("Site", "Still wanted");
        scene.delete_there();
        assert_eq!(sync(&scene.device).conflicts, 1);
        let (open, pending) = (scene.conflict(), scene.pending());
        let record = scene.record();
        scene.resolve(resolution.clone());
        scene.device.undo().expect("the last changeset");
        assert_eq!(scene.conflict(), open, "{resolution:?}");
        assert_eq!(scene.pending(), pending);
        assert_eq!(scene.record(), record);
        scene.resolve(resolution.clone());
        scene.settles();
        let times = usize::from(resolution == Resolution::Mine);
        assert_eq!(
            scene.world.times("Account", "Site", "Still wanted"),
            Ok(times)
        );
    }
}

#[test]
fn what_may_not_be_made_again_stays_in_conflict_with_its_edits() {
    for (words, is_hidden) in [("cannot be created", false), ("Site", true)] {
        let scene = Scene::new(19, "{}");
        scene.here("Site", "Still wanted");
        scene.delete_there();
        assert_eq!(sync(&scene.device).conflicts, 1);
        let me = scene.world.users[0].id.clone();
        scene.world.sandbox.with_org(|org| match is_hidden {
            true => org.hide_field(&me, "Account", "Site", true),
            false => org.set_access(&me, "Account", Access::read_only()),
        });
        scene.world.sandbox.advance(86_400);
        sync(&scene.device);
        let (open, pending) = (scene.conflict(), scene.pending());
        let refused = scene.device.resolve(open.id, Resolution::Mine);
        let refused = refused.expect_err("its edit could not be sent");
        assert_eq!(refused.kind(), ErrorKind::InvalidRecord);
        assert!(refused.to_string().contains(words), "{refused}");
        assert_eq!(scene.conflict(), open);
        assert_eq!(scene.pending(), pending);
        scene.world.sandbox.with_org(|org| {
            org.set_access(&me, "Account", Access::default());
            org.hide_field(&me, "Account", "Site", false);
        });
        scene.world.sandbox.advance(86_400);
        sync(&scene.device);
        scene.resolve(Resolution::Mine);
        scene.settles();
        assert_eq!(scene.world.times("Account", "Site", "Still wanted"), Ok(1));
    }
}
