//! A device with a busy day behind it.

use crate::{agrees, at_org, create, edit, field_sales, first, server_id, value};
use attache::{Attache, RecordId, Value};
use attache_sim::{World, wait};
use std::path::Path;

/// A device in a world, and what it has to bring to the org.
pub struct Case {
    /// The world.
    pub world: World,
    /// The device of user 0.
    pub device: Attache,
    account: Option<RecordId>,
    contact: Option<RecordId>,
    edited: Option<RecordId>,
    deleted: Option<String>,
}

impl Case {
    /// A device that has seen nothing yet.
    pub fn new(seed: u64, file: Option<&Path>) -> Case {
        let world = World::new(seed, 120);
        world
            .sandbox
            .with_switches(|switches| switches.page_rows_max = 4);
        let me = format!("\"{}\"", world.users[0].id);
        for id in all_at_org(
            &world,
            "SELECT Id FROM Account WHERE OwnerId != ME ORDER BY Id LIMIT 6",
        ) {
            world
                .change("Account", &id, &[("OwnerId", &me)])
                .expect("the boss may");
            let about = format!("\"{id}\"");
            let task = [("Subject", "Seeded"), ("OwnerId", &me), ("WhatId", &about)];
            world.add("Task", &task).expect("the boss may");
        }
        let device = match file {
            Some(file) => world.device_at(0, file),
            None => world.device(0),
        };
        let device = device.expect("the store opens");
        device
            .set_briefcase(field_sales())
            .expect("a briefcase is stored");
        Case {
            world,
            device,
            account: None,
            contact: None,
            edited: None,
            deleted: None,
        }
    }

    /// A device with edits of each kind, a day after its first session, with changes of others at the org.
    pub fn busy(seed: u64, file: Option<&Path>) -> Case {
        let mut case = Case::new(seed, file);
        wait(case.device.sync()).expect("a first session runs");
        let device = &case.device;
        let mine = "SELECT Id FROM Account WHERE Name != null ORDER BY Id LIMIT 1";
        let edited = first(device, mine);
        edit(device, &edited, "Site", "Edited offline");
        let me = &case.world.users[0].id;
        let gone = first(
            device,
            &format!("SELECT Id FROM Task WHERE OwnerId = '{me}' ORDER BY Id LIMIT 1"),
        );
        case.deleted = Some(server_id(device, &gone));
        device.delete(&gone).expect("a task may be deleted");
        let account = create(device, "Account", [("Name", "Made offline")]);
        let fields = [
            ("LastName", "Made offline".into()),
            ("AccountId", Value::from(&account)),
        ];
        case.contact = Some(create(device, "Contact", fields));
        case.account = Some(account);
        case.world.sandbox.advance(86_400);
        let id = server_id(device, &edited);
        case.others(&id);
        case.edited = Some(edited);
        case.world.sandbox.advance(300);
        case
    }

    /// What colleagues do meanwhile: edit the edited record elsewhere, delete, give away and take over.
    fn others(&self, edited: &str) {
        let world = &self.world;
        let me = format!("\"{}\"", world.users[0].id);
        let boss = format!("\"{}\"", world.boss());
        world
            .change("Account", edited, &[("Fax", "Faxed")])
            .expect("the boss may");
        let of = |object, condition: &str| {
            let soql = format!("SELECT Id FROM {object} WHERE {condition} ORDER BY Id");
            all_at_org(world, &soql).into_iter().next()
        };
        if let Some(id) = of("Contact", "Account.OwnerId = ME") {
            world.remove("Contact", &id).expect("the boss may");
        }
        for (object, condition, owner) in [
            ("Opportunity", "OwnerId = ME", &boss),
            ("Account", "OwnerId != ME", &me),
        ] {
            if let Some(id) = of(object, condition) {
                let moved = world.change(object, &id, &[("OwnerId", owner)]);
                moved.expect("the boss may");
            }
        }
    }

    /// Opens the store's file anew, as after a crash.
    ///
    /// # Panics
    /// If the store cannot be opened.
    pub fn reopen(&mut self, file: &Path) {
        self.device = self.world.device_at(0, file).expect("the store opens");
    }

    /// Checks that all arrived, once, and that device and org agree.
    pub fn check(&self) {
        let (world, device) = (&self.world, &self.device);
        agrees(world, 0, device);
        assert_eq!(device.pending().expect("a read"), []);
        if let (Some(account), Some(contact)) = (&self.account, &self.contact) {
            assert_eq!(world.times("Account", "Name", "Made offline"), Ok(1));
            assert_eq!(world.times("Contact", "LastName", "Made offline"), Ok(1));
            assert_eq!(
                value(device, contact, "AccountId"),
                value(device, account, "Id")
            );
        }
        if let Some(edited) = &self.edited {
            let id = server_id(device, edited);
            let there = |field| at_org(world, "Account", &id, field);
            assert_eq!(there("Site").as_deref(), Some("\"Edited offline\""));
            assert_eq!(there("Fax").as_deref(), Some("\"Faxed\""));
        }
        if let Some(deleted) = &self.deleted {
            assert_eq!(at_org(world, "Task", deleted, "Id"), None);
        }
    }
}

fn all_at_org(world: &World, soql: &str) -> Vec<String> {
    let soql = soql.replace("ME", &format!("'{}'", world.users[0].id));
    let rows = world.rows(world.boss(), &soql).expect("a valid query");
    rows.iter().filter_map(|row| row.text("Id")).collect()
}
