//! Formulas that read a parent, which stamps no child when it changes.

use crate::untouched;
use attache::{Attache, RecordId};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use attache_tests::{ME, agrees, briefcase, edit, first, prime, settle, sync, value};

const RULES: &str = r#"{"version": 1, "rules": ["Account", "Opportunity"]}"#;
const OPPORTUNITY: &str = "SELECT Id FROM Opportunity WHERE AccountId != null ORDER BY Id LIMIT 1";

/// A device, an opportunity that names its account by a formula, and the account.
fn device(seed: u64) -> (World, Attache, RecordId, RecordId) {
    let world = World::new(seed, 600);
    let device = prime(&world, ME, &briefcase(RULES));
    let opportunity = first(&device, OPPORTUNITY);
    let account = value(&device, &opportunity, "AccountId").to_string();
    world.sandbox.advance(2_000);
    sync(&device);
    (world, device, opportunity, crate::id(&account))
}

fn rename(world: &World, account: &RecordId, name: &str) {
    let name = [("Name", name)];
    world
        .change("Account", &account.to_string(), &name)
        .expect("the boss may");
}

/// How often opportunities were read by their ids.
fn reads(world: &World) -> usize {
    let log = world.sandbox.log();
    let read = |one: &String| one.contains("/composite/sobjects/Opportunity");
    log.iter()
        .map(|one| format!("{one:?}"))
        .filter(read)
        .count()
}

fn shown(device: &Attache, opportunity: &RecordId) -> String {
    value(device, opportunity, "Account_Name__c").to_string()
}

#[test]
fn a_formula_follows_a_parent_that_changed_although_its_record_did_not() {
    let (world, device, opportunity, account) = device(761);
    untouched(&world, "Opportunity", &opportunity.to_string(), || {
        rename(&world, &account, "\"Renamed\"");
    });
    sync(&device);
    assert_eq!(shown(&device, &opportunity), "Renamed");
    agrees(&world, ME, &device);
}

#[test]
fn a_formula_follows_a_parent_that_was_renamed_here() {
    let (world, device, opportunity, account) = device(762);
    edit(&device, &account, "Name", "By me");
    settle(&world, &device);
    assert_eq!(shown(&device, &opportunity), "By me");
    agrees(&world, ME, &device);
}

#[test]
fn an_edited_record_takes_the_formula_and_keeps_its_edit() {
    let (world, device, opportunity, account) = device(763);
    edit(&device, &opportunity, "NextStep", "Call");
    world.sandbox.advance(60);
    rename(&world, &account, "\"Renamed\"");
    settle(&world, &device);
    assert_eq!(shown(&device, &opportunity), "Renamed");
    assert_eq!(value(&device, &opportunity, "NextStep").to_string(), "Call");
    agrees(&world, ME, &device);
}

#[test]
fn a_session_cut_off_behind_the_parent_leaves_the_formula_to_the_next() {
    let (world, device, opportunity, account) = device(764);
    rename(&world, &account, "\"Renamed\"");
    world.sandbox.advance(60);
    let read = Fault::new(FaultKind::LoseAnswer).path("/composite/sobjects/Opportunity");
    world.sandbox.fail_next(read);
    wait(device.sync()).expect_err("the reading is cut off");
    assert_eq!(value(&device, &account, "Name").to_string(), "Renamed");
    assert_ne!(shown(&device, &opportunity), "Renamed");
    sync(&device);
    assert_eq!(shown(&device, &opportunity), "Renamed");
    agrees(&world, ME, &device);
}

#[test]
fn a_change_that_is_listed_again_reads_nothing_again() {
    let (world, device, opportunity, account) = device(765);
    rename(&world, &account, "\"Renamed\"");
    world.sandbox.advance(60);
    sync(&device);
    assert_eq!(shown(&device, &opportunity), "Renamed");
    let before = reads(&world);
    world.sandbox.advance(60);
    sync(&device);
    assert_eq!(reads(&world), before, "the account is in the window still");
}

#[test]
fn a_parent_that_changed_in_what_no_formula_reads_reads_nothing_again() {
    let (world, device, opportunity, account) = device(766);
    let before = (reads(&world), shown(&device, &opportunity));
    let site = [("Site", "\"Elsewhere\"")];
    world
        .change("Account", &account.to_string(), &site)
        .expect("the boss may");
    world.sandbox.advance(60);
    sync(&device);
    edit(&device, &account, "Fax", "1");
    world.sandbox.advance(60);
    settle(&world, &device);
    assert_eq!((reads(&world), shown(&device, &opportunity)), before);
    assert_eq!(value(&device, &account, "Site").to_string(), "Elsewhere");
    // The name is looked at as ever, here and there.
    rename(&world, &account, "\"Renamed\"");
    world.sandbox.advance(60);
    sync(&device);
    assert_eq!(shown(&device, &opportunity), "Renamed");
    edit(&device, &account, "Name", "By me");
    settle(&world, &device);
    assert_eq!(shown(&device, &opportunity), "By me");
    agrees(&world, ME, &device);
}

#[test]
fn a_parent_that_was_renamed_here_and_not_read_back_is_followed_by_the_next_session() {
    for nth in 1..=8 {
        let (world, device, opportunity, account) = device(767);
        edit(&device, &account, "Name", "By me");
        let lost = Fault::new(FaultKind::LoseAnswer).nth(nth);
        world.sandbox.fail_next(lost);
        let _ = wait(device.sync());
        world.sandbox.clear_faults();
        settle(&world, &device);
        assert_eq!(shown(&device, &opportunity), "By me", "answer {nth} lost");
        agrees(&world, ME, &device);
    }
}
