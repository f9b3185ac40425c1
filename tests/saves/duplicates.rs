//! Duplicate rules: a person sees which record it may be, and decides about that one write.

use super::{device, refusal};
use attache::{Attache, ErrorKind, Fields, RecordId};
use attache_sandbox::org::{DuplicateAction, DuplicateRule};
use attache_sim::World;
use attache_tests::{create, edit, server_id, settle, sync};

const MAIL: &str = "jo@example.com";

/// Gives the org a rule about mail addresses of contacts.
fn rule(world: &World, action: DuplicateAction) {
    let rule = DuplicateRule {
        name: "Same mail".into(),
        object: "Contact".into(),
        fields: vec!["Email".into()],
        action,
    };
    world
        .sandbox
        .with_org(|org| org.add_duplicate_rule(rule))
        .expect("a rule of fields there are");
}

fn contact(device: &Attache, name: &str) -> RecordId {
    let fields = Fields::new().with("LastName", name).with("Email", MAIL);
    create(device, "Contact", fields)
}

/// A device whose colleague has added a contact with the mail address that others will have.
fn with_rule(seed: u64, action: DuplicateAction) -> (World, Attache, RecordId) {
    let (world, device) = device(seed);
    let known = contact(&device, "Known");
    settle(&world, &device);
    rule(&world, action);
    (world, device, known)
}

#[test]
fn a_duplicate_shows_its_candidates() {
    // Collections tell the code alone, or all of it: a person sees the same.
    for told in [false, true] {
        let (world, device, known) = with_rule(1, DuplicateAction::Alert);
        world
            .sandbox
            .with_switches(|switches| switches.collections_tell_duplicates = told);
        let twin = contact(&device, "Twin");
        let report = sync(&device);
        assert_eq!(report.rejected.len(), 1, "{report:?}");
        let (_, problems) = refusal(&device, &twin);
        assert_eq!(report.rejected[0].problems, problems);
        let [problem] = problems.as_slice() else {
            panic!("one problem: {problems:?}")
        };
        assert_eq!(problem.code, "DUPLICATES_DETECTED");
        let found = problem.duplicates.as_ref().expect("what the rule found");
        assert_eq!((found.rule.as_str(), found.may_save), ("Same mail", true));
        let [candidate] = found.candidates.as_slice() else {
            panic!("one candidate: {found:?}")
        };
        assert_eq!(candidate.id, server_id(&device, &known));
        assert_eq!(candidate.object, "Contact");
        assert_eq!(candidate.fields, ["Email"]);
    }
}

#[test]
fn a_duplicate_is_saved_anyway_by_a_persons_choice() {
    for told in [false, true] {
        let (world, device, _) = with_rule(2, DuplicateAction::Alert);
        world
            .sandbox
            .with_switches(|switches| switches.collections_tell_duplicates = told);
        let (chosen, other) = (contact(&device, "Chosen"), contact(&device, "Other"));
        assert_eq!(sync(&device).rejected.len(), 2);
        // A session without a choice changes nothing, and neither does sending it again.
        device.retry(refusal(&device, &other).0).expect("a retry");
        assert_eq!(sync(&device).rejected.len(), 2);

        device
            .save_anyway(refusal(&device, &chosen).0)
            .expect("a choice");
        let report = sync(&device);
        assert_eq!(report.pushed_creates, 1, "{report:?}");
        assert_eq!(report.rejected.len(), 1, "only that one: {report:?}");
        assert_eq!(report.rejected[0].record, other);
        assert!(server_id(&device, &chosen).starts_with("003"));
    }
}

#[test]
fn a_choice_survives_a_lost_answer_and_nothing_is_made_twice() {
    use attache_sandbox::{Fault, FaultKind};
    for lost in [FaultKind::LoseRequest, FaultKind::LoseAnswer] {
        let (world, device, _) = with_rule(3, DuplicateAction::Alert);
        let twin = contact(&device, "Twin");
        sync(&device);
        device
            .save_anyway(refusal(&device, &twin).0)
            .expect("a choice");
        let fault = Fault::new(lost).method("POST").path("/composite/sobjects");
        world.sandbox.fail_next(fault);
        sync(&device);
        settle(&world, &device);
        let soql = format!("SELECT Id FROM Contact WHERE Email = '{MAIL}' AND LastName = 'Twin'");
        let rows = world.rows(world.boss(), &soql).expect("a query");
        assert_eq!(rows.len(), 1);
    }
}

#[test]
fn an_update_that_makes_a_duplicate_is_saved_anyway_too() {
    let (world, device, known) = with_rule(4, DuplicateAction::Alert);
    let other = create(&device, "Contact", [("LastName", "Other")]);
    settle(&world, &device);
    world.sandbox.advance(5);
    edit(&device, &other, "Email", MAIL);
    sync(&device);
    let (seq, problems) = refusal(&device, &other);
    let found = problems[0].duplicates.as_ref().expect("candidates");
    assert_eq!(found.candidates[0].id, server_id(&device, &known));
    device.save_anyway(seq).expect("a choice");
    let report = settle(&world, &device);
    assert_eq!(report.pushed_updates, 1, "{report:?}");
}

#[test]
fn a_rule_that_blocks_cannot_be_overruled() {
    let (world, device, _) = with_rule(5, DuplicateAction::Block);
    let twin = contact(&device, "Twin");
    sync(&device);
    let (seq, problems) = refusal(&device, &twin);
    assert!(
        !problems[0]
            .duplicates
            .as_ref()
            .expect("candidates")
            .may_save
    );
    let error = device.save_anyway(seq).expect_err("a rule that blocks");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    // The way out is to change the record.
    edit(&device, &twin, "Email", "twin@example.com");
    settle(&world, &device);
}

#[test]
fn only_a_refused_duplicate_can_be_saved_anyway() {
    let (world, device) = device(6);
    let fresh = create(&device, "Contact", [("LastName", "Fresh")]);
    let seq = device.pending().expect("a journal")[0].seq;
    let error = device.save_anyway(seq).expect_err("nothing was refused");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    // The org alone knows that a birthdate must not lie in the future.
    edit(&device, &fresh, "Birthdate", "2199-01-01");
    sync(&device);
    let (seq, problems) = refusal(&device, &fresh);
    assert_eq!(problems[0].code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    assert_eq!(problems[0].fields, ["Birthdate"], "mapped to its field");
    let error = device.save_anyway(seq).expect_err("no duplicate");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    drop(world);
}

#[test]
fn a_choice_ends_with_the_next_refusal() {
    let (world, device, _) = with_rule(7, DuplicateAction::Alert);
    let twin = contact(&device, "Twin");
    sync(&device);
    device
        .save_anyway(refusal(&device, &twin).0)
        .expect("a choice");
    edit(&device, &twin, "Birthdate", "2199-01-01");
    sync(&device);
    let (_, problems) = refusal(&device, &twin);
    assert_eq!(problems[0].code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
    // What is wrong now is another matter, and so is the choice.
    edit(&device, &twin, "Birthdate", "1999-01-01");
    sync(&device);
    let (_, problems) = refusal(&device, &twin);
    assert_eq!(problems[0].code, "DUPLICATES_DETECTED");
    drop(world);
}

#[test]
fn candidates_travel_with_unsent_work() {
    let (world, device, known) = with_rule(8, DuplicateAction::Alert);
    contact(&device, "Twin");
    sync(&device);
    let file = device.export_unsent(None).expect("a file");
    let other = attache_tests::prime(
        &world,
        attache_tests::ME,
        &attache::Briefcase::everything(["Contact"]),
    );
    other.import_unsent(&file, None).expect("an import");
    let pending = other.pending().expect("a journal");
    let attache::MutationState::Rejected(problems) = &pending[0].state else {
        panic!("{pending:?}")
    };
    let found = problems[0].duplicates.as_ref().expect("candidates");
    assert_eq!(found.candidates[0].id, server_id(&device, &known));
}
