//! Creates without an answer that nobody can find again by their values: never twice, and a person decides.

use attache::{Attache, Briefcase, MutationState, RecordId, Report, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, abandon, wait};
use attache_tests::{agrees, all, briefcase, create, edit, prime, server_id, settle, sync};

const ME: usize = 0;
/// Longer than the org may be at work on a create whose connection is gone.
const OVER: u32 = 700;

fn everything(client_key: &str) -> Briefcase {
    briefcase(&format!(
        r#"{{"version": 1, "objects": {{"Account": {{{client_key}}}}}, "rules": ["Account", "Contact"]}}"#
    ))
}

fn primed(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 600);
    let device = prime(&world, ME, &everything(""));
    (world, device)
}

fn lose(world: &World, kind: FaultKind, method: &str, path: &str) {
    let fault = Fault::new(kind).method(method).path(path);
    world.sandbox.fail_next(fault);
}

/// Creates a contact in a session that gets no answer.
fn unanswered(world: &World, device: &Attache, kind: FaultKind) -> RecordId {
    let fields = [("LastName", "Lost"), ("Title", "Captain"), ("Fax", "+49 1")];
    let contact = create(device, "Contact", fields);
    lose(world, kind, "POST", "/composite/sobjects");
    let _ = wait(device.sync());
    world.sandbox.clear_faults();
    contact
}

/// The contacts that this user has created at the org.
fn made(world: &World) -> Vec<String> {
    let me = &world.users[ME].id;
    let soql =
        format!("SELECT Id FROM Contact WHERE CreatedById = '{me}' ORDER BY CreatedDate, Id");
    let rows = world.all_rows(&soql).expect("a valid query");
    rows.iter().filter_map(|row| row.text("Id")).collect()
}

fn counts(report: &Report) -> (u64, u64, u64) {
    (report.in_doubt, report.undecided, report.pushed_creates)
}

/// A contact that is at the org and that a colleague changed out of all recognition.
fn changed_beyond_recognition(seed: u64) -> (World, Attache, RecordId, String) {
    let (world, device) = primed(seed);
    let before = made(&world);
    let contact = unanswered(&world, &device, FaultKind::LoseAnswer);
    let mut there = made(&world);
    there.retain(|id| !before.contains(id));
    let there = there.pop().expect("it was done");
    world.sandbox.advance(5);
    let theirs = [("LastName", "Found"), ("Title", "Mate"), ("Fax", "+49 2")];
    world
        .change("Contact", &there, &theirs)
        .expect("the boss may");
    world.sandbox.advance(OVER);
    assert_eq!(counts(&sync(&device)), (1, 1, 0));
    assert_eq!(made(&world).len(), before.len() + 1);
    (world, device, contact, there)
}

#[test]
fn a_create_that_may_have_been_done_is_not_sent_again_and_says_so() {
    let (world, device, contact, there) = changed_beyond_recognition(500);
    let pending = device.pending().expect("a read");
    let [mutation] = &pending[..] else {
        panic!("{pending:?}")
    };
    let MutationState::InDoubt(problems) = &mutation.state else {
        panic!("{mutation:?}")
    };
    assert_eq!(problems[0].code, "MAY_EXIST");
    assert!(problems[0].message.contains(&there), "{problems:?}");
    // It stays so, whatever is edited meanwhile, until somebody decides.
    edit(&device, &contact, "Department", "Deck");
    world.sandbox.advance(86_400);
    assert_eq!(counts(&sync(&device)), (1, 1, 0));
    device
        .delete(&contact)
        .expect_err("it may be at the org under another name");
}

#[test]
fn a_create_in_doubt_that_is_discarded_leaves_what_is_at_the_org() {
    let (world, device, contact, there) = changed_beyond_recognition(501);
    let seq = device.pending().expect("a read")[0].seq;
    device.discard(seq).expect("nobody else can tell");
    assert!(device.get(&contact).expect("a read").is_none());
    assert!(settle(&world, &device).is_settled());
    let same = all(&device, "SELECT Id FROM Contact WHERE LastName = 'Found'");
    assert_eq!(same[0].as_str(), there);
    agrees(&world, ME, &device);
}

#[test]
fn a_create_in_doubt_that_is_retried_is_sent_once_more() {
    let (world, device, contact, there) = changed_beyond_recognition(502);
    let before = made(&world).len();
    // A copy of it elsewhere does not bring the doubt back.
    device.export_unsent(None).expect("a file");
    let seq = device.pending().expect("a read")[0].seq;
    device.retry(seq).expect("a person knows better");
    assert_eq!(counts(&sync(&device)), (0, 0, 1));
    assert_eq!(made(&world).len(), before + 1);
    assert_ne!(server_id(&device, &contact), there);
    agrees(&world, ME, &device);
}

#[test]
fn a_create_in_doubt_is_decided_by_itself_once_the_other_record_is_out_of_the_way() {
    let (world, device, contact, there) = changed_beyond_recognition(503);
    world.remove("Contact", &there).expect("the boss may");
    world.sandbox.advance(OVER);
    assert_eq!(counts(&sync(&device)), (0, 0, 1));
    assert_ne!(server_id(&device, &contact), there);
}

/// Two creates that are much alike, the first of which never reached the org.
fn two_alike(seed: u64) -> (World, Attache, [RecordId; 2], String) {
    let (world, device) = primed(seed);
    let before = made(&world);
    let lost = unanswered(&world, &device, FaultKind::LoseRequest);
    world.sandbox.advance(60);
    let fields = [
        ("LastName", "Alike"),
        ("Title", "Captain"),
        ("Fax", "+49 1"),
    ];
    let alike = create(&device, "Contact", fields);
    lose(&world, FaultKind::LoseAnswer, "POST", "/composite/sobjects");
    let _ = wait(device.sync());
    assert_eq!(world.sandbox.clear_faults(), 0, "the fault struck");
    let mut there = made(&world);
    there.retain(|id| !before.contains(id));
    let there = there.pop().expect("the second was done");
    world.sandbox.advance(OVER);
    (world, device, [lost, alike], there)
}

#[test]
fn a_lost_create_does_not_take_the_record_of_one_that_is_much_alike() {
    let (world, device, [lost, alike], there) = two_alike(505);
    assert_eq!(counts(&sync(&device)), (0, 0, 2));
    assert_eq!(server_id(&device, &alike), there);
    assert_ne!(server_id(&device, &lost), there);
    assert_eq!(world.times("Contact", "LastName", "Lost"), Ok(1));
    agrees(&world, ME, &device);
}

#[test]
fn a_record_that_may_be_either_of_two_creates_is_taken_for_neither() {
    let (world, device, _, there) = two_alike(506);
    let theirs = [("LastName", "Renamed")];
    world
        .change("Contact", &there, &theirs)
        .expect("the boss may");
    assert_eq!(counts(&sync(&device)), (2, 2, 0));
}

#[test]
fn a_record_of_mine_of_another_day_holds_no_create_back() {
    let (world, device) = primed(504);
    unanswered(&world, &device, FaultKind::LoseRequest);
    world.sandbox.advance(86_400);
    let me = world.users[ME].id.clone();
    let name = attache_sim::fields(&[("LastName", "Elsewhere")]);
    let other = |org: &mut attache_sandbox::org::Org| org.create(&me, "Contact", &name);
    world.sandbox.with_org(other).expect("I may");
    assert_eq!(counts(&sync(&device)), (0, 0, 1));
    assert_eq!(world.times("Contact", "LastName", "Lost"), Ok(1));
}

/// Gives accounts a second field that may carry a client key.
fn with_two_keys(world: &World) {
    world.sandbox.with_org(|org| {
        let mut schema = org.schema_mut();
        let mut account = schema.object("Account").expect("a standard object").clone();
        let mut other = account.field("External_Id__c").expect("its key").clone();
        other.name = "Other_Id__c".into();
        account.push(other);
        schema.insert(account);
    });
}

/// A create is sent under one key field and lost, and the briefcase says another thing by the time it is looked for.
fn key_changes(seed: u64, to: &str, kind: FaultKind) {
    let world = World::new(seed, 120);
    with_two_keys(&world);
    let device = prime(&world, ME, &everything(r#""client_key": "External_Id__c""#));
    let account = create(&device, "Account", [("Name", "Keyed")]);
    let path = "/composite/sobjects/Account/External_Id__c";
    lose(&world, kind, "PATCH", path);
    let _ = wait(device.sync());
    assert_eq!(world.sandbox.clear_faults(), 0, "the fault struck");
    device.set_briefcase(everything(to)).expect("it is stored");
    let me = &world.users[ME].id;
    let soql = format!("SELECT Id FROM Account WHERE CreatedById = '{me}' AND CreatedDate = TODAY");
    let made = || world.all_rows(&soql).expect("a valid query");
    for row in made() {
        let id = row.text("Id").expect("an id");
        world.sandbox.advance(5);
        let theirs = [("Name", "Renamed"), ("Site", "Moved")];
        world.change("Account", &id, &theirs).expect("the boss may");
    }
    assert!(settle(&world, &device).is_settled());
    let made = made();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].text("Id"), Some(server_id(&device, &account)));
    agrees(&world, ME, &device);
}

#[test]
fn a_create_in_doubt_is_found_under_the_key_it_was_sent_under() {
    for (seed, to) in (510..).zip([r#""client_key": "Other_Id__c""#, ""]) {
        key_changes(seed, to, FaultKind::LoseAnswer);
    }
}

#[test]
fn a_create_that_was_lost_is_sent_again_under_the_key_it_was_sent_under() {
    for (seed, to) in (520..).zip([r#""client_key": "Other_Id__c""#, ""]) {
        key_changes(seed, to, FaultKind::LoseRequest);
    }
}

/// The org is at work on the create for minutes: it is not there yet, and the next attempt must find it.
#[test]
fn a_create_that_the_org_is_still_at_work_on_is_not_made_under_another_key() {
    let world = World::new(530, 120);
    with_two_keys(&world);
    let device = prime(&world, ME, &everything(r#""client_key": "External_Id__c""#));
    let account = create(&device, "Account", [("Name", "Slow")]);
    let path = "/composite/sobjects/Account/External_Id__c";
    lose(&world, FaultKind::LoseRequest, "PATCH", path);
    let _ = wait(device.sync());
    let other = everything(r#""client_key": "Other_Id__c""#);
    device.set_briefcase(other).expect("it is stored");
    world.sandbox.clear_log();
    sync(&device);
    let log = world.sandbox.log();
    let keys = |key: &str| log.iter().any(|request| request.target.contains(key));
    assert!(keys("/Account/External_Id__c") && !keys("/Account/Other_Id__c"));
    assert_ne!(attache_tests::value(&device, &account, "Id"), Value::Null);
}

/// A create whose answer was lost, and whose record is out of this user's sight by the time that it is looked for.
fn given_away(seed: u64, document: &Briefcase) -> (World, Attache, RecordId) {
    let world = World::new(seed, 120);
    let device = prime(&world, ME, document);
    let account = create(&device, "Account", [("Name", "Given away")]);
    let keyed = "/composite/sobjects/Account/External_Id__c";
    lose(&world, FaultKind::LoseAnswer, "PATCH", keyed);
    lose(&world, FaultKind::LoseAnswer, "POST", "/composite/sobjects");
    let _ = wait(device.sync());
    assert_eq!(world.sandbox.clear_faults(), 1, "one of them struck");
    let soql = "SELECT Id FROM Account WHERE Name = 'Given away'";
    let row = world.rows(world.boss(), soql).expect("valid").remove(0);
    let boss = format!("{:?}", world.boss());
    world
        .change(
            "Account",
            &row.text("Id").expect("an id"),
            &[("OwnerId", &boss)],
        )
        .expect("the boss may");
    world.sandbox.advance(OVER);
    (world, device, account)
}

/// Nothing that this user may ask shows the record: without a key it cannot be told from one that never was.
#[test]
fn a_create_that_was_given_away_before_it_was_found_is_made_again_without_a_key() {
    let (world, device, account) = given_away(540, &everything(""));
    settle(&world, &device);
    assert_eq!(world.times("Account", "Name", "Given away"), Ok(2));
    server_id(&device, &account);
    agrees(&world, ME, &device);
}

#[test]
fn a_create_that_was_given_away_before_it_was_found_is_made_once_with_a_key() {
    let keyed = everything(r#""client_key": "External_Id__c""#);
    let (world, device, account) = given_away(541, &keyed);
    for _ in 0..3 {
        assert_eq!(counts(&sync(&device)), (1, 1, 0));
        world.sandbox.advance(OVER);
    }
    assert_eq!(world.times("Account", "Name", "Given away"), Ok(1));
    // The org holds the key and shows nothing of the record: a person hears of it.
    let state = device.pending().expect("a read").remove(0).state;
    let MutationState::InDoubt(problems) = state else {
        panic!("{state:?}")
    };
    assert_eq!(problems[0].code, "DUPLICATE_VALUE");
    // Once it can be seen it is found, and is the record that was created here.
    let soql = "SELECT Id FROM Account WHERE Name = 'Given away'";
    let row = world.rows(world.boss(), soql).expect("valid").remove(0);
    let there = row.text("Id").expect("an id");
    let me = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.grant("Account", &there, &me));
    world.sandbox.advance(86_400);
    settle(&world, &device);
    assert_eq!(server_id(&device, &account), there);
    agrees(&world, ME, &device);
}

#[test]
fn a_create_whose_first_attempt_came_late_does_not_go_over_what_was_written_since() {
    let world = World::new(931, 60);
    let device = prime(&world, ME, &everything(r#""client_key": "External_Id__c""#));
    let fields = [("Name", "Late"), ("Site", "As created")];
    let account = create(&device, "Account", fields);
    let late = FaultKind::Straggle(std::time::Duration::from_secs(60));
    lose(&world, late, "PATCH", "/composite/sobjects");
    let _ = wait(device.sync());
    // It is looked for and is not there yet; then the process is gone, before it is sent again.
    assert!(abandon(device.sync(), 5).is_none());
    let pending = device.pending().expect("a read");
    assert_eq!(pending[0].state, MutationState::Pending, "{pending:?}");
    world.sandbox.clear_faults();
    world.sandbox.advance(70);
    assert_eq!(world.sandbox.let_stragglers_in(), 1);
    let soql = "SELECT Id FROM Account WHERE Name = 'Late'";
    let there = world.all_rows(soql).expect("a valid query");
    let there = there[0].text("Id").expect("an id");
    attache_tests::colleague(&world, &there, "Site", "As changed");
    settle(&world, &device);
    attache_tests::org_says(&world, &there, "Site", "As changed");
    assert_eq!(server_id(&device, &account), there);
    assert_eq!(world.times("Account", "Name", "Late"), Ok(1));
    agrees(&world, ME, &device);
}
