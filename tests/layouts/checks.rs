//! Writes are held against what a record's type leaves of restricted picklists.

use crate::{device, world};
use attache::{ErrorKind, Fields, Value};
use attache_tests::{all, at_org, create, server_id, settle};

fn account(rating: &str) -> Fields {
    [("Name", Value::from("A")), ("Rating", Value::from(rating))]
        .into_iter()
        .collect()
}

#[test]
fn a_value_that_the_record_type_leaves_out_is_a_problem_of_its_field() {
    let world = world(921);
    let device = device(&world);
    let types = device.record_types("Account").expect("a read");
    let id = |name: &str| {
        let found = types.iter().find(|one| one.name == name);
        Value::from(found.expect("a record type").id.as_str())
    };
    // A create without a record type makes a household, which has no warm ones.
    let error = device
        .create("Account", account("Warm"))
        .expect_err("refused here");
    assert_eq!(error.kind(), ErrorKind::InvalidRecord);
    let problem = &error.problems()[0];
    assert_eq!(problem.fields, ["Rating"]);
    assert_eq!(problem.code, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    assert!(problem.message.contains("Household"), "{}", problem.message);

    let mut partner = account("Warm");
    partner.set("RecordTypeId", id("Partner"));
    let partner = create(&device, "Account", partner);
    let household = create(&device, "Account", account("Hot"));
    settle(&world, &device);
    let rating =
        |id: &attache::RecordId| at_org(&world, "Account", &server_id(&device, id), "Rating");
    assert_eq!(rating(&partner).as_deref(), Some("\"Warm\""));
    assert_eq!(rating(&household).as_deref(), Some("\"Hot\""));

    // An update goes by the type that the record has, or gets.
    let warm = [("Rating", Value::from("Warm"))];
    let error = device
        .update(&household, warm.clone())
        .expect_err("still a household");
    assert_eq!(error.problems()[0].fields, ["Rating"]);
    let both = [
        ("Rating", Value::from("Warm")),
        ("RecordTypeId", id("Partner")),
    ];
    device
        .update(&household, both)
        .expect("it is a partner then");
    settle(&world, &device);
    assert_eq!(rating(&household).as_deref(), Some("\"Warm\""));

    // What is there may stay, whatever the type says.
    device
        .update(&household, [("RecordTypeId", id("Household"))])
        .expect("the rating is not changed");
    let same = [
        ("Rating", Value::from("Warm")),
        ("Site", Value::from("North")),
    ];
    device.update(&household, same).expect("it is no change");
    settle(&world, &device);
}

#[test]
fn all_problems_are_told_at_once_and_none_twice() {
    let world = world(922);
    let device = device(&world);
    let mut fields = account("Warm");
    fields.set("NumberOfEmployees", Value::from("many"));
    let error = device.create("Account", fields).expect_err("two problems");
    let mut named: Vec<_> = error
        .problems()
        .iter()
        .map(|one| one.fields.join(","))
        .collect();
    named.sort();
    assert_eq!(named, ["NumberOfEmployees", "Rating"]);
    let error = device
        .create("Account", account("Lukewarm"))
        .expect_err("in no list");
    assert_eq!(error.problems().len(), 1);
}

#[test]
fn records_of_no_type_take_the_whole_list() {
    let world = world(923);
    let device = device(&world);
    // They were there before the first record type was.
    let old = all(
        &device,
        "SELECT Id FROM Account WHERE RecordTypeId = null LIMIT 1",
    )
    .remove(0);
    device
        .update(&old, [("Rating", Value::from("Warm"))])
        .expect("the master has all values");
    settle(&world, &device);
}
