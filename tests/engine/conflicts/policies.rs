//! Policies of the briefcase, which decide without asking.

use super::{Scene, carrying, some};
use attache::{MergePolicy, Resolution};
use attache_sim::World;
use attache_tests::sync;

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
    scene.resolve(Resolution::Mine);
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
    scene.resolve(Resolution::Theirs);
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
