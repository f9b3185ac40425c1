//! A conflict that is open while the server goes on.

use super::{Scene, some};
use attache_tests::sync;

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
    assert_eq!(scene.pending(), []);
    scene.settles();
}
