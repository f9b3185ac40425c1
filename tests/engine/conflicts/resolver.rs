//! A host that decides.

use super::{Scene, some};
use attache::{Conflict, Keep, Resolution, Value};
use attache_tests::{asks, sync};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
        scene.both("Phone");
        let report = sync(&device);
        asks(&report);
        assert_eq!(scene.sides("Phone"), some(["1", "mine", "theirs"]));
        scene.resolve(Resolution::Mine);
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
    scene.both("Phone");
    assert_eq!(sync(&device).conflicts, 0);
    scene.settles();
    assert_eq!(scene.at_org("Phone").as_deref(), Some("Here"));
    assert_eq!(scene.at_org("AccountNumber").as_deref(), Some("Z1"));
}
