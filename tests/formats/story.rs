//! What happened to the store of each fixture, told again: the org ends where it was when the fixture was written.
//!
//! It uses only what every format's library had, so that it compiles against all of them.

use attache::{Attache, Briefcase, ConflictKind, MutationState, RecordId, Resolution, Value};
use attache_sandbox::{Fault, FaultKind};
use attache_sim::{World, wait};
use std::path::Path;

/// The user whose device it is.
pub const ME: usize = 0;
const SEED: u64 = 2026;

const BRIEFCASE: &str = r#"{"version": 1, "name": "Formats", "objects": {
    "Contact": {"fields": ["LastName", "FirstName", "Phone", "AccountId", "Birthdate", "DoNotCall"]}},
  "rules": [
    {"name": "Mine", "object": "Account", "scope": "mine", "related": [{"children": "Contact.AccountId"}]},
    {"name": "Soon", "object": "Opportunity", "where": "CloseDate = NEXT_N_DAYS:90", "related": [{"parent": "AccountId"}]},
    {"name": "Few", "object": "Task", "order_by": "Subject", "limit": 2}]}"#;

/// An org with rows of the story only, so that no change of the seeds changes it.
pub fn world() -> World {
    let world = World::new(SEED, 0);
    let me = format!("\"{}\"", world.users[ME].id);
    let mut accounts = Vec::new();
    for n in 0..10 {
        let (name, site) = (format!("\"Account {n}\""), format!("\"Site {n}\""));
        let mut fields = vec![("Name", &*name), ("OwnerId", &*me), ("Site", &*site)];
        if n == 3 {
            fields.push(("AnnualRevenue", "123456789012345678"));
            fields.push(("Regions__c", "\"EMEA;AMER\""));
            fields.push(("Renewal_Date__c", "\"2027-05-06\""));
            fields.push(("Description", "\"Zürich, O'Neil \\\\ 100 %_\""));
        }
        accounts.push(world.add("Account", &fields).expect("the boss may"));
        world.sandbox.advance(5);
    }
    for (n, account) in accounts.iter().take(4).enumerate() {
        let (name, account) = (format!("\"Contact {n}\""), format!("\"{account}\""));
        let fields = [
            ("LastName", &*name),
            ("AccountId", &*account),
            ("OwnerId", &*me),
        ];
        world.add("Contact", &fields).expect("the boss may");
        let (name, subject) = (format!("\"Deal {n}\""), format!("\"Task {n}\""));
        let deal = [
            ("Name", &*name),
            ("AccountId", &*account),
            ("OwnerId", &*me),
            ("StageName", "\"Prospecting\""),
            ("CloseDate", "\"2026-12-24\""),
            ("Amount", "99999999999.99"),
        ];
        world.add("Opportunity", &deal).expect("the boss may");
        let task = [("Subject", &*subject), ("OwnerId", &*me)];
        world.add("Task", &task).expect("the boss may");
    }
    world.sandbox.advance(3_600);
    world
}

/// A device at its beginning.
pub fn device(world: &World, file: Option<&Path>) -> Attache {
    let device = match file {
        Some(file) => world.device_at(ME, file),
        None => world.device(ME),
    };
    device.expect("a store opens")
}

/// An account of the story by its name on the device.
pub fn account(device: &Attache, n: usize) -> RecordId {
    let soql = format!("SELECT Id FROM Account WHERE Name = 'Account {n}'");
    let mut rows = device.query(&soql).expect("a query");
    let row = rows.next().expect("an account of the story");
    row.id().cloned().expect("an id")
}

/// Lives through the story: the journal ends with a mutation in every state, but one on the wire.
pub fn live(world: &World, device: &Attache) {
    let briefcase = Briefcase::from_json(BRIEFCASE).expect("a briefcase");
    device.set_briefcase(briefcase).expect("stored");
    device
        .set_host_value("address", "https://acme")
        .expect("stored");
    wait(device.sync()).expect("a first session");
    // A record that was made here and is at the org: its key leads to it for ever.
    let made = [
        ("Name", Value::from("Made and sent")),
        ("Phone", "1".into()),
    ];
    device.create("Account", made).expect("a record");
    wait(device.sync()).expect("a session");

    let edit = |n: usize, field: &str, value: Value| {
        let id = account(device, n);
        device.update(&id, [(field, value)]).expect("an edit");
    };
    let ids: Vec<RecordId> = (0..10).map(|n| account(device, n)).collect();
    edit(1, "Phone", "mine".into());
    edit(2, "Site", "edited, then deleted".into());
    edit(5, "Site", "made again".into());
    let refused = [
        ("Name", Value::from("Refused")),
        ("NumberOfEmployees", (-1).into()),
    ];
    let refused = device.create("Account", refused).expect("a record");
    let child = [
        ("LastName", Value::from("Blocked")),
        ("AccountId", Value::from(&refused)),
    ];
    device.create("Contact", child).expect("a record");
    let theirs = [("Phone", "\"theirs\""), ("Fax", "\"theirs as well\"")];
    world.sandbox.advance(60);
    world
        .change("Account", ids[1].as_str(), &theirs)
        .expect("the boss may");
    for n in [2, 5] {
        world
            .remove("Account", ids[n].as_str())
            .expect("the boss may");
    }
    world.sandbox.advance(60);
    wait(device.sync()).expect("a session");
    for conflict in device.conflicts().expect("a read") {
        if conflict.kind == ConflictKind::DeletedAtRemote && conflict.record == ids[5] {
            device
                .resolve(conflict.id, Resolution::Mine)
                .expect("a decision");
        }
    }
    world.sandbox.advance(60);
    let in_doubt = [
        ("LastName", Value::from("In doubt")),
        ("AccountId", Value::from(&ids[3])),
    ];
    device.create("Contact", in_doubt).expect("a record");
    // Which request carries the create is for the format's library to say.
    for nth in 1..9 {
        let lost = Fault::new(FaultKind::LoseAnswer).method("POST").nth(nth);
        world.sandbox.fail_next(lost);
        let _ = wait(device.sync());
        world.sandbox.clear_faults();
        let pending = device.pending().expect("a read");
        if pending
            .iter()
            .any(|mutation| matches!(mutation.state, MutationState::InDoubt { .. }))
        {
            break;
        }
    }

    edit(3, "AnnualRevenue", number("-876543210987654321"));
    let mut deals = device
        .query("SELECT Id FROM Opportunity WHERE Name = 'Deal 1'")
        .expect("a query");
    let deal = deals.next().and_then(|row| row.id().cloned());
    let amount = [("Amount", number("1234567890123456.70"))];
    device
        .update(&deal.expect("a deal"), amount)
        .expect("an edit");
    edit(3, "Regions__c", "LATAM;APAC".into());
    edit(3, "Renewal_Date__c", "2028-02-29".into());
    edit(3, "Active__c", true.into());
    edit(3, "Site", Value::Null);
    device.delete(&ids[4]).expect("a deletion");
    let parent = [("Name", Value::from("Waits"))];
    let parent = device.create("Account", parent).expect("a record");
    let child = [
        ("LastName", Value::from("Waits below")),
        ("AccountId", Value::from(&parent)),
    ];
    device.create("Contact", child).expect("a record");
    edit(6, "ParentId", Value::from(&parent));
    edit(7, "Phone", "on the wire".into());
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().expect("a number"))
}
