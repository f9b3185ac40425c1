//! Which indexes stand, when they are made, and that lists use them.

use attache::Attache;
use attache_sandbox::Sandbox;
use attache_sim::{World, wait};
use attache_tests::{briefcase, create, prime, sync};

const RULES: &str = r#"{"version": 1, "rules": [
    {"object": "Contact", "scope": "mine", "where": "MailingCity != null AND Phone != null",
     "order_by": "LastName, FirstName", "limit": 5000, "related": [{"parent": "AccountId"}]},
    {"object": "Opportunity", "where": "CloseDate = NEXT_N_DAYS:400"}]}"#;

fn world(seed: u64) -> World {
    World::new(seed, 400)
}

#[track_caller]
fn plan(device: &Attache, soql: &str) -> String {
    let plan = device.explain(soql).expect("a valid query");
    // The first line is the SQL.
    plan.split_once('\n').expect("steps").1.to_owned()
}

#[track_caller]
fn uses(device: &Attache, soql: &str, index: &str) {
    let plan = plan(device, soql);
    assert!(plan.contains(&format!("INDEX {index}")), "{soql}\n{plan}");
}

#[test]
fn the_briefcase_gets_the_indexes_that_it_needs() {
    let device = prime(&world(1), 0, &briefcase(RULES));
    for (soql, index) in [
        (
            "SELECT Name FROM Contact ORDER BY LastName, FirstName LIMIT 50",
            "attache_on_Contact_LastName_FirstName",
        ),
        (
            "SELECT Name FROM Contact WHERE MailingCity LIKE 'Be%'",
            "attache_on_Contact_MailingCity",
        ),
        (
            "SELECT Name FROM Opportunity WHERE CloseDate = THIS_MONTH",
            "attache_on_Opportunity_CloseDate",
        ),
        (
            "SELECT Name, (SELECT Name FROM Contacts) FROM Account",
            "attache_on_Contact_AccountId",
        ),
        (
            "SELECT Name FROM Account WHERE Id IN (SELECT AccountId FROM Opportunity WHERE CloseDate = TODAY)",
            "attache_on_Opportunity_CloseDate",
        ),
    ] {
        uses(&device, soql, index);
    }
    assert!(device.indexes().expect("a read").is_empty(), "nobody asked");
}

#[test]
fn a_list_view_and_a_parent_path_neither_walk_a_table_nor_sort() {
    let device = prime(&world(2), 0, &briefcase(RULES));
    device
        .add_index("contact", ["mailingcity", "LastName", "FirstName"])
        .expect("its fields are carried");
    for soql in [
        "SELECT Name, Account.Name FROM Contact ORDER BY LastName, FirstName LIMIT 50",
        "SELECT Name FROM Contact WHERE Phone != null ORDER BY LastName, FirstName LIMIT 50",
        "SELECT Name, Account.Name FROM Contact WHERE MailingCity = 'berlin' ORDER BY LastName, FirstName LIMIT 50",
        "SELECT Name FROM Contact WHERE LastName LIKE 'S%' ORDER BY LastName, FirstName LIMIT 50",
        "SELECT Name FROM Contact ORDER BY LastName DESC NULLS LAST, FirstName DESC NULLS LAST LIMIT 50",
        "SELECT Name FROM Contact WHERE Id = '003000000000001'",
    ] {
        let plan = plan(&device, soql);
        assert!(!plan.contains("TEMP B-TREE"), "{soql}\n{plan}");
        let steps = plan.lines().map(str::trim);
        for step in steps {
            assert!(step.contains(" USING "), "{soql}\n{plan}");
        }
    }
}

#[test]
fn an_index_is_made_after_the_first_load_and_not_before() {
    let world = world(3);
    let device = world.device(0).expect("a store in memory opens");
    device
        .set_briefcase(briefcase(RULES))
        .expect("a briefcase is stored");
    device
        .add_index("Contact", ["Email"])
        .expect("what is not known yet is a wish");
    wait(device.prepare()).expect("the org answers");
    assert!(!device.indexes().expect("a read")[0].built);
    let soql = "SELECT Name FROM Contact ORDER BY Email LIMIT 5";
    assert!(!plan(&device, soql).contains("attache_on_"));
    sync(&device);
    assert!(device.indexes().expect("a read")[0].built);
    uses(&device, soql, "attache_on_Contact_Email");
}

#[test]
fn a_wish_is_kept_until_it_is_taken_back() {
    let world = world(4);
    let device = prime(&world, 0, &briefcase(RULES));
    let add = |fields: &[&str]| device.add_index("Contact", fields.iter().copied());
    add(&["department", "Title DESC"]).expect("its fields are carried");
    add(&["Department", "Title desc nulls first"]).expect("the same once more");
    let indexes = device.indexes().expect("a read");
    assert_eq!(indexes.len(), 1);
    assert_eq!(indexes[0].fields, ["Department", "Title DESC"]);
    assert!(indexes[0].built);
    sync(&device);
    let soql =
        "SELECT Name FROM Contact WHERE Department = 'x' ORDER BY Title DESC NULLS LAST LIMIT 5";
    uses(&device, soql, "attache_on_Contact_Department_Title_DESC");
    for wrong in [
        &["Departement"][..],
        &["Account.Name"],
        &["COUNT(Id)"],
        &["Title,,"],
        &[],
    ] {
        assert!(add(wrong).is_err(), "{wrong:?}");
    }
    device
        .remove_index("Contact", ["Department", "Title DESC"])
        .expect("it was asked for");
    sync(&device);
    assert!(!plan(&device, soql).contains("attache_on_Contact_Department"));
    assert!(device.remove_index("Contact", ["Department"]).is_err());
}

#[test]
fn an_index_of_a_rule_goes_with_the_rule() {
    let device = prime(&world(5), 0, &briefcase(RULES));
    let soql = "SELECT Name FROM Contact WHERE MailingCity = 'Berlin'";
    uses(&device, soql, "attache_on_Contact_MailingCity");
    let less = r#"{"version": 1, "rules": ["Contact", "Opportunity"]}"#;
    device
        .set_briefcase(briefcase(less))
        .expect("a briefcase is stored");
    sync(&device);
    assert!(
        !plan(&device, soql).contains("attache_on_"),
        "{}",
        plan(&device, soql)
    );
}

#[test]
fn an_edit_offline_is_found_through_an_index() {
    let world = World::built(6, Sandbox::builder().records(400));
    let device = prime(&world, 0, &briefcase(RULES));
    let fields = [("LastName", "Ältere"), ("MailingCity", "Ürümqi")];
    let made = create(&device, "Contact", fields);
    let soql = "SELECT Id FROM Contact WHERE MailingCity = 'ürümqi'";
    uses(&device, soql, "attache_on_Contact_MailingCity");
    let found: Vec<_> = device.query(soql).expect("a valid query").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id(), Some(&made));
}
