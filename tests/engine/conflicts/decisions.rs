//! What a person decides, at once, in part, and taken back.

use super::{Scene, some};
use attache::{Keep, MutationState, Resolution, Value};
use attache_tests::{asks, edit, first, server_id, sync};

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
        scene.both("Phone");
        assert_eq!(sync(&scene.device).conflicts, 1);
        let (open, pending) = (scene.conflict(), scene.pending());
        scene.resolve(resolution.clone());
        // An edit made since stays on top.
        scene.here("Site", "Edited since");
        scene.device.reopen(open.id).expect("nothing was sent");
        assert_eq!(scene.conflict(), open, "{resolution:?}");
        let now = scene.pending();
        assert_eq!((&now[0], now.len()), (&pending[0], 2), "{resolution:?}");
        assert!(
            now.iter()
                .all(|mutation| mutation.state == MutationState::Conflicted)
        );
        assert_eq!(scene.value("Site").as_deref(), Some("Edited since"));
        assert!(scene.device.reopen(open.id).is_err(), "it is open");
        scene.resolve(resolution);
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
    scene.resolve(Resolution::Mine);
    scene.there(&[("Phone", "\"3\"")]);
    // The record is in conflict again before anything was sent.
    assert_eq!(sync(&scene.device).conflicts, 1);
    assert_eq!(scene.sides("Phone"), some(["2", "mine", "3"]));
    scene.device.reopen(open.id).expect("nothing was sent");
    assert_eq!(scene.conflict().id, open.id);
    assert_eq!(scene.sides("Phone"), some(["1", "mine", "3"]));
    scene.resolve(Resolution::Theirs);
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
    scene.resolve(half);
    assert_eq!(
        (scene.conflict().id, scene.conflict().fields.len()),
        (open.id, 1)
    );
    asks(&sync(&scene.device));
    scene.there(&[("Fax", "\"later\"")]);
    sync(&scene.device);
    assert_eq!(scene.sides("Fax"), some(["1", "mine", "later"]));
    assert_eq!(scene.value("Phone").as_deref(), Some("theirs"));
    scene.resolve(Resolution::Mine);
    scene.settles();
    assert_eq!(
        (scene.at_org("Phone"), scene.at_org("Fax")),
        (Some("theirs".into()), Some("mine".into()))
    );
}
