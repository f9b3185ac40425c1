//! Records that change hands: given away by a person, by a rule of the org, and seen through the people below.

use crate::{COLLEAGUE, holds, id, next_day, owned};
use attache::{Attache, Briefcase, MutationState, Resolution};
use attache_salesforce::{Assignment, Salesforce, StaticToken};
use attache_sandbox::org::{AssignmentRule, OrgWide};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::World;
use attache_tests::{
    ME, agrees, all, at_org, briefcase, create, decide, edit, first, prime, settle, sync, value,
};

fn mine() -> Briefcase {
    briefcase(
        r#"{"version": 1, "rules": [
        {"object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]},
        {"object": "Lead", "scope": "mine"}]}"#,
    )
}

/// How many requests of a method the org was sent.
fn requests(world: &World, method: &str) -> usize {
    let log = world.sandbox.log();
    log.iter().filter(|logged| logged.method == method).count()
}

/// A session that has nothing to say to the org, and finds nothing new there.
#[track_caller]
fn quiet(world: &World, device: &Attache) {
    world.sandbox.advance(600);
    sync(device);
    world.sandbox.advance(600);
    let before = (requests(world, "PATCH"), requests(world, "DELETE"));
    let report = sync(device);
    assert!(report.is_settled(), "{report:?}");
    assert_eq!((report.evicted, report.out_of_sight), (0, 0), "{report:?}");
    let after = (requests(world, "PATCH"), requests(world, "DELETE"));
    assert_eq!(after, before, "nothing is written again");
}

#[test]
fn owner_change_costs_access() {
    let world = World::new(761, 600);
    let device = prime(&world, ME, &mine());
    let account = owned(&world, ME, "Account", "Id != null").swap_remove(0);
    let heir = world.users[COLLEAGUE].id.clone();
    edit(&device, &id(&account), "Site", "Handed over");
    edit(&device, &id(&account), "OwnerId", heir.as_str());
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!(report.pushed_updates, 1, "{report:?}");
    assert_eq!(report.out_of_sight, 1, "it is told: {report:?}");
    assert!(report.rejected.is_empty() && report.conflicts == 0);
    assert!(device.pending().expect("a read").is_empty());
    assert!(!holds(&device, &account), "and gone from the device");
    let org = |field| at_org(&world, "Account", &account, field);
    assert_eq!(org("Site").as_deref(), Some("\"Handed over\""));
    assert_eq!(org("OwnerId"), Some(format!("{heir:?}")));
    quiet(&world, &device);
    agrees(&world, ME, &device);
}

#[test]
fn an_edit_of_a_record_given_away_meanwhile_is_kept_whatever_became_of_the_answer() {
    let world = World::new(762, 600);
    let device = prime(&world, ME, &mine());
    let account = owned(&world, ME, "Account", "Id != null").swap_remove(0);
    let heir = world.users[COLLEAGUE].id.clone();
    edit(&device, &id(&account), "OwnerId", heir.as_str());
    world.sandbox.advance(60);
    // The row is given away, and the device does not hear of it.
    let lost = Fault::new(FaultKind::LoseAnswer).path("/composite");
    let first_write = lost.method("POST");
    world.sandbox.fail_next(first_write);
    sync(&device);
    let owner = at_org(&world, "Account", &account, "OwnerId");
    assert_eq!(owner, Some(format!("{heir:?}")), "the org has it");
    edit(&device, &id(&account), "Site", "Typed after");
    for _ in 0..3 {
        world.sandbox.advance(90_000);
        sync(&device);
    }
    // For all the device knows the record may have been deleted: a person is asked, once.
    let waiting = device.pending().expect("a read");
    let asked = |mutation: &attache::Mutation| mutation.state == MutationState::Conflicted;
    assert!(
        waiting.len() == 2 && waiting.iter().all(asked),
        "{waiting:?}"
    );
    assert_eq!(device.conflicts().expect("a read").len(), 1);
    assert!(
        holds(&device, &account),
        "what a person typed stays in sight"
    );
    let site = value(&device, &id(&account), "Site").to_string();
    assert_eq!(site, "Typed after");
    // Once it is shared with them, it is sent.
    let me = world.users[ME].id.clone();
    world
        .sandbox
        .with_org(|org| org.grant("Account", &account, &me));
    next_day(&world, &device);
    if !device.conflicts().expect("a read").is_empty() {
        decide(&device, Resolution::Mine);
    }
    settle(&world, &device);
    let site = at_org(&world, "Account", &account, "Site");
    assert_eq!(site.as_deref(), Some("\"Typed after\""));
}

/// Makes hot leads a colleague's.
fn assign_hot_leads(world: &World) -> String {
    let rule = AssignmentRule {
        object: "Lead".into(),
        name: "Hot".into(),
        active: true,
        entries: vec![(
            Some("Rating = 'Hot'".into()),
            world.users[COLLEAGUE].id.clone(),
        )],
    };
    world
        .sandbox
        .with_org(|org| org.add_assignment_rule(&rule))
        .expect("a valid rule")
}

fn lead(device: &Attache, name: &str) -> attache::RecordId {
    create(
        device,
        "Lead",
        [("LastName", name), ("Company", "Acme"), ("Rating", "Hot")],
    )
}

#[test]
fn a_lead_that_a_rule_gives_away_is_made_once_and_leaves_without_a_conflict() {
    let world = World::new(763, 600);
    assign_hot_leads(&world);
    let device = prime(&world, ME, &mine());
    let lead = lead(&device, "Made offline");
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!(report.pushed_creates, 1, "{report:?}");
    assert_eq!(report.conflicts, 0);
    assert!(device.get(&lead).expect("a read").is_none(), "given away");
    assert_eq!(world.times("Lead", "LastName", "Made offline"), Ok(1));
    quiet(&world, &device);
    assert_eq!(world.times("Lead", "LastName", "Made offline"), Ok(1));
    agrees(&world, ME, &device);
}

#[test]
fn an_owner_that_a_rule_changed_is_read_back_and_no_conflict() {
    let world = World::new(764, 600);
    assign_hot_leads(&world);
    world
        .sandbox
        .with_org(|org| org.set_org_wide("Lead", OrgWide::ReadWrite))
        .expect("leads have owners");
    let everybodys = briefcase(r#"{"version": 1, "rules": [{"object": "Lead"}]}"#);
    let device = prime(&world, ME, &everybodys);
    let made = lead(&device, "Made offline");
    let kept = first(
        &device,
        &format!(
            "SELECT Id FROM Lead WHERE OwnerId = '{}' AND Rating != 'Hot' ORDER BY Id",
            world.users[ME].id
        ),
    );
    edit(&device, &kept, "Rating", "Hot");
    world.sandbox.advance(60);
    let report = settle(&world, &device);
    assert_eq!(report.conflicts, 0, "{report:?}");
    let heir = world.users[COLLEAGUE].id.clone();
    for lead in [&made, &kept] {
        assert_eq!(value(&device, lead, "OwnerId").to_string(), heir);
    }
    // Nor is it one later, when the person goes on with the record.
    edit(&device, &kept, "Title", "Buyer");
    world.sandbox.advance(60);
    let report = settle(&world, &device);
    assert_eq!(report.conflicts, 0, "{report:?}");
    agrees(&world, ME, &device);
}

#[test]
fn an_app_keeps_what_its_people_make_or_names_a_rule() {
    let world = World::new(765, 600);
    assign_hot_leads(&world);
    let holiday = AssignmentRule {
        object: "Lead".into(),
        name: "Holiday".into(),
        active: false,
        entries: vec![(None, world.boss().to_owned())],
    };
    let holiday = world
        .sandbox
        .with_org(|org| org.add_assignment_rule(&holiday))
        .expect("a valid rule");
    let (me, boss) = (world.users[ME].id.clone(), world.boss().to_owned());
    let serving = attache_sandbox::Serving::spawn(world.sandbox.clone(), 0).expect("a port");
    for (assignment, name, owner) in [
        (Assignment::Off, "Kept", me),
        (Assignment::Rule(holiday), "Away", boss),
    ] {
        let token = StaticToken::new(&world.users[ME].access_token);
        let org = Salesforce::builder(serving.url(), token)
            .assignment(assignment)
            .build()
            .expect("a client");
        let device = prime(&world, ME, &mine()).with_remote(org);
        // Alone, together with others, and as one whole with a child of an account.
        lead(&device, name);
        lead(&device, name);
        world.sandbox.advance(60);
        sync(&device);
        let soql = format!("SELECT OwnerId FROM Lead WHERE LastName = '{name}'");
        let rows = world.rows(world.boss(), &soql).expect("valid");
        assert_eq!(rows.len(), 2);
        for row in rows {
            assert_eq!(
                row.text("OwnerId").as_deref(),
                Some(owner.as_str()),
                "{name}"
            );
        }
    }
    serving.stop();
}

#[test]
fn a_manager_carries_what_the_people_below_own_until_the_roles_change() {
    let world = World::new(766, 600);
    world.sandbox.with_org(|org| org.enable_roles());
    let chief = world.add("UserRole", &[("Name", "\"Chief\"")]);
    let chief = chief.expect("the boss may");
    let below = [("Name", "\"Sales\""), ("ParentRoleId", chief.as_str())];
    let below = world.add("UserRole", &below).expect("the boss may");
    let take = |user: usize, role: &str| {
        let user = world.users[user].id.clone();
        world
            .change("User", &user, &[("UserRoleId", role)])
            .expect("the boss may");
    };
    take(ME, &chief);
    let everybodys = briefcase(r#"{"version": 1, "rules": [{"object": "Account"}]}"#);
    let device = prime(&world, ME, &everybodys);
    let theirs = owned(&world, COLLEAGUE, "Account", "Id != null");
    let (first, rest) = theirs.split_first().expect("they own some");
    assert!(!holds(&device, first));
    take(COLLEAGUE, &below);
    next_day(&world, &device);
    assert!(theirs.iter().all(|account| holds(&device, account)));
    edit(&device, &id(first), "Site", "From above");
    settle(&world, &device);
    let site = at_org(&world, "Account", first, "Site");
    assert_eq!(site.as_deref(), Some("\"From above\""));
    agrees(&world, ME, &device);
    take(COLLEAGUE, "null");
    next_day(&world, &device);
    assert!(rest.iter().all(|account| !holds(&device, account)));
    agrees(&world, ME, &device);
}

#[test]
fn an_account_seen_through_its_contact_cannot_be_changed_and_leaves_with_it() {
    let world = World::new(767, 600);
    world
        .sandbox
        .with_org(|org| org.config_mut().switches.children_show_accounts = true);
    let me = world.users[ME].id.clone();
    let parents = briefcase(
        r#"{"version": 1, "rules": [{"object": "Contact", "scope": "mine", "related": [{"parent": "AccountId"}]}]}"#,
    );
    let device = prime(&world, ME, &parents);
    let soql = format!(
        "SELECT Id, AccountId FROM Contact WHERE OwnerId = '{me}' AND Account.OwnerId != '{me}' \
         AND AccountId != null ORDER BY Id"
    );
    let row = world
        .rows(world.boss(), &soql)
        .expect("valid")
        .swap_remove(0);
    let account = row.text("AccountId").expect("an id");
    assert!(holds(&device, &account), "seen through its contact");
    edit(&device, &id(&account), "Site", "Not mine");
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!(report.rejected.len(), 1, "{report:?}");
    for seq in report.rejected[0].mutations.clone() {
        device.discard(seq).expect("it can be taken back");
    }
    let of_account = format!("SELECT Id FROM Contact WHERE AccountId = '{account}'");
    let heir = world.users[COLLEAGUE].id.clone();
    for contact in all(&device, &of_account) {
        let owner = [("OwnerId", heir.as_str())];
        world
            .change("Contact", contact.as_str(), &owner)
            .expect("the boss may");
    }
    next_day(&world, &device);
    let opportunities =
        format!("SELECT Id FROM Opportunity WHERE AccountId = '{account}' AND OwnerId = '{me}'");
    let shown = world.rows(world.boss(), &opportunities).expect("valid");
    if shown.is_empty() {
        let seen = world.rows(
            &me,
            &format!("SELECT Id FROM Account WHERE Id = '{account}'"),
        );
        assert!(seen.expect("valid").is_empty());
    }
    assert!(!holds(&device, &account));
    agrees(&world, ME, &device);
}

/// The choices of a person are not taken for those of the org.
#[test]
fn an_owner_changed_on_both_sides_is_a_conflict_all_the_same() {
    let world = World::new(768, 600);
    world
        .sandbox
        .with_org(|org| org.set_org_wide("Account", OrgWide::ReadWrite))
        .expect("accounts have owners");
    let everybodys = briefcase(r#"{"version": 1, "rules": [{"object": "Account"}]}"#);
    let device = prime(&world, ME, &everybodys);
    let account = owned(&world, ME, "Account", "Id != null").swap_remove(0);
    let heir = world.users[COLLEAGUE].id.clone();
    edit(&device, &id(&account), "OwnerId", heir.as_str());
    world.sandbox.advance(5);
    let boss = [("OwnerId", world.boss())];
    world
        .change("Account", &account, &boss)
        .expect("the boss may");
    world.sandbox.advance(60);
    let report = sync(&device);
    assert_eq!(report.conflicts, 1, "{report:?}");
    decide(&device, Resolution::Theirs);
    settle(&world, &device);
    let owner = at_org(&world, "Account", &account, "OwnerId");
    assert_eq!(owner, Some(format!("{:?}", world.boss())));
}
