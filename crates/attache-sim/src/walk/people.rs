//! What people do: on their devices, and at the org.

use super::Scene;
use super::ledger::{By, OBJECTS};
use crate::random::Prng;
use attache::{
    ConflictKind, Fields, Keep, MutationKind, MutationState, RecordId, Resolution, Value,
};

/// A value that the org refuses in an account, and a device does not know to be wrong.
const REFUSED: (&str, i32) = ("NumberOfEmployees", -1);

impl Scene {
    fn records(&self, device: usize, object: &str) -> Vec<RecordId> {
        let rows = self.devices[device].query(&format!("SELECT Id FROM {object} ORDER BY Id"));
        rows.map(|rows| rows.filter_map(|row| row.id().cloned()).collect())
            .unwrap_or_default()
    }

    /// Edits a record on a device.
    pub(super) fn edit(&self, device: usize, chance: &mut Prng) {
        let (object, _, fields) = OBJECTS[chance.below(OBJECTS.len())];
        let records = self.records(device, object);
        let Some(record) = chance.pick(&records) else {
            return;
        };
        let Ok(Some(before)) = self.devices[device].get(record) else {
            return;
        };
        let mut edits = Fields::new();
        let mut marks = Vec::new();
        for _ in 0..=chance.below(2) {
            let field = fields[chance.below(fields.len())];
            if !edits.contains(field) && before.fields.contains(field) {
                let mark = self.ledger().mark('d');
                edits.set(field, mark.as_str());
                marks.push((field, mark));
            }
        }
        if object == "Account" && chance.percent(8) {
            edits.set(REFUSED.0, REFUSED.1);
        }
        if self.devices[device].update(record, edits).is_ok() {
            for (field, mark) in marks {
                let before = before.fields.get(field).unwrap_or(&Value::Null);
                self.ledger().edited(device, record, field, before, &mark);
            }
        }
    }

    /// Creates a record on a device, often under one that is there.
    pub(super) fn create(&self, device: usize, chance: &mut Prng) {
        let at = chance.below(OBJECTS.len());
        let (object, name_field, _) = OBJECTS[at];
        let mark = self.ledger().mark('n');
        let mut fields = Fields::from([(name_field, mark.as_str())]);
        let accounts = self.records(device, "Account");
        let parent = chance.pick(&accounts).filter(|_| chance.percent(80));
        match (object, parent) {
            ("Contact" | "Opportunity", Some(parent)) => {
                fields.set("AccountId", parent);
            }
            ("Account", Some(parent)) if chance.percent(40) => {
                fields.set("ParentId", parent);
            }
            ("Task", Some(parent)) => {
                fields.set("WhatId", parent);
            }
            ("Lead", _) => {
                fields.set("Company", "Walk");
            }
            _ => {}
        }
        if object == "Opportunity" {
            fields.set("StageName", "Prospecting");
            fields.set("CloseDate", Value::Date(jiff::civil::date(2026, 12, 24)));
        }
        if let Ok(record) = self.devices[device].create(object, fields) {
            self.ledger().created(device, at, &record, &mark);
        }
    }

    /// Deletes a record on a device.
    pub(super) fn delete(&self, device: usize, chance: &mut Prng) {
        let (object, ..) = OBJECTS[chance.below(OBJECTS.len())];
        let records = self.records(device, object);
        let Some(record) = chance.pick(&records) else {
            return;
        };
        let Ok(Some(before)) = self.devices[device].get(record) else {
            return;
        };
        if self.devices[device].delete(record).is_ok() {
            self.ledger().deleted(device, &before);
        }
    }

    /// Settles a conflict, one way or another.
    pub(super) fn resolve(&self, device: usize, chance: &mut Prng) {
        let conflicts = self.devices[device].conflicts().unwrap_or_default();
        let Some(conflict) = chance.pick(&conflicts) else {
            return;
        };
        self.ledger().saw(device, conflict);
        let way = chance.below(3);
        let resolution = match way {
            0 => Resolution::Mine,
            1 => Resolution::Theirs,
            _ if conflict.kind == ConflictKind::DeletedAtRemote => Resolution::Theirs,
            _ => Resolution::per_field(conflict.fields.iter().enumerate().map(|(nth, field)| {
                let keep = if nth % 2 == 0 {
                    Keep::Mine
                } else {
                    Keep::Theirs
                };
                (field.name.clone(), keep)
            })),
        };
        let record = self.devices[device].get(&conflict.record).ok().flatten();
        if self.devices[device]
            .resolve(conflict.id, resolution.clone())
            .is_err()
        {
            return;
        }
        let mut ledger = self.ledger();
        match (&resolution, conflict.kind) {
            (Resolution::Mine, ConflictKind::DeletedAtRemote) => {
                let name = OBJECTS
                    .iter()
                    .find(|(object, ..)| *object == conflict.object);
                if let Some((record, (_, field, _))) = record.zip(name) {
                    ledger.made_again(record.fields.get(field).unwrap_or(&Value::Null));
                }
            }
            (Resolution::Mine, _) => {}
            (Resolution::Theirs, _) => ledger.decided(device, conflict, None),
            (Resolution::PerField(choices), _) => {
                for name in choices
                    .iter()
                    .filter(|(_, keep)| **keep == Keep::Theirs)
                    .map(|(name, _)| name)
                {
                    ledger.decided(device, conflict, Some(name));
                }
            }
        }
    }

    /// Takes a mutation back.
    pub(super) fn discard(&self, device: usize, chance: &mut Prng) {
        let pending = self.devices[device].pending().unwrap_or_default();
        if let Some(mutation) = chance.pick(&pending) {
            self.take_back(device, mutation);
        }
    }

    fn take_back(&self, device: usize, mutation: &attache::Mutation) {
        if self.devices[device].discard(mutation.seq).is_err() {
            return;
        }
        let mut ledger = self.ledger();
        match mutation.kind {
            MutationKind::Create => ledger.drop_record(device, &mutation.record),
            MutationKind::Update => mutation
                .fields
                .iter()
                .for_each(|(_, value)| ledger.drop_value(value)),
            MutationKind::Delete => ledger.undeleted(device, &mutation.record),
        }
    }

    /// Clears up what the org refused: what cannot be sent is taken back, the rest is sent once more.
    ///
    /// For good, everything that is left is taken back, newest first, so that
    /// nothing unsent points at what goes.
    pub(super) fn clear_up(&self, device: usize, for_good: bool) {
        let pending = self.devices[device].pending().unwrap_or_default();
        for mutation in pending.iter().rev() {
            let refused = matches!(mutation.state, MutationState::Rejected(_));
            if for_good || refused && mutation.fields.contains(REFUSED.0) {
                self.take_back(device, mutation);
            } else if refused {
                let _ = self.devices[device].retry(mutation.seq);
            }
        }
    }

    /// Something that happens at the org.
    pub(super) fn colleague(&self, chance: &mut Prng) {
        let world = &self.world;
        // Stamps have whole seconds: what is written in the second in which it was read cannot be told apart.
        world.sandbox.advance(1);
        let (object, name_field, fields) = OBJECTS[chance.below(OBJECTS.len())];
        let rows = world.rows(
            world.boss(),
            &format!("SELECT Id FROM {object} ORDER BY Id"),
        );
        let ids: Vec<String> = rows
            .unwrap_or_default()
            .iter()
            .filter_map(|row| row.text("Id"))
            .collect();
        let Some(id) = chance.pick(&ids) else { return };
        let mark = self.ledger().mark('c');
        let user = &world.users[chance.below(3)].id;
        // The org may refuse: a row is locked, or its deletion would take others along.
        let _ = match chance.below(12) {
            0 => world.remove(object, id),
            1 if object != "Lead" => world.change(object, id, &[("OwnerId", &format!("{user:?}"))]),
            2 => {
                let soql = "SELECT Id FROM Account ORDER BY Id";
                let accounts = world.rows(world.boss(), soql).unwrap_or_default();
                let account = chance
                    .pick(&accounts)
                    .and_then(|row| row.text("Id"))
                    .unwrap_or_default();
                let lookup = if object == "Task" {
                    "WhatId"
                } else {
                    "AccountId"
                };
                match object {
                    "Contact" | "Opportunity" | "Task" => {
                        world.change(object, id, &[(lookup, &format!("{account:?}"))])
                    }
                    _ => Ok(()),
                }
            }
            3 => {
                world.sandbox.with_org(|org| org.touch(object, id));
                Ok(())
            }
            4 => {
                self.ledger().late(&mark);
                let until = world.sandbox.now() + 1 + chance.below(400) as i64;
                let boss = world.boss().to_owned();
                let edit = crate::world::fields(&[(fields[0], &format!("{mark:?}"))]);
                let write = |org: &mut attache_sandbox::org::Org| {
                    org.update(&boss, object, id, &edit, None)
                };
                world.sandbox.with_org(|org| org.hold_open(until, write))
            }
            5 if object == "Account" => {
                let owner = format!("{user:?}");
                world
                    .add(
                        object,
                        &[(name_field, &format!("{mark:?}")), ("OwnerId", &owner)],
                    )
                    .map(|_| ())
            }
            6 => {
                world.sandbox.with_org(|org| match chance.percent(50) {
                    true => org.grant(object, id, user),
                    false => org.revoke(object, id, user),
                });
                Ok(())
            }
            way => world.change(
                object,
                id,
                &[(fields[way % fields.len()], &format!("{mark:?}"))],
            ),
        };
        world.sandbox.advance(1);
        self.ledger().look(world, By::Colleague);
    }
}
