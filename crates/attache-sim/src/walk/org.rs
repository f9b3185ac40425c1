//! What is at the org, and what happens there.

use super::Scene;
use super::ledger::{By, OBJECTS, name_of, text};
use super::scenario::Class;
use crate::random::Prng;
use crate::world::{World, fields};
use attache::MutationState;
use attache_sandbox::org::Org;
use std::collections::{BTreeMap, BTreeSet};

/// The lookups of a walk that lead to its own rows.
const LOOKUPS: [(&str, &str); 5] = [
    ("Account", "ParentId"),
    ("Contact", "AccountId"),
    ("Opportunity", "AccountId"),
    ("Task", "WhatId"),
    ("Task", "WhoId"),
];

/// A row of the org, as far as a walk edits it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub object: &'static str,
    pub name: String,
    pub fields: BTreeMap<String, String>,
    pub parents: Vec<String>,
}

/// Objects, and fields of objects, that an administrator removed.
pub(super) type Removed = BTreeSet<(&'static str, Option<&'static str>)>;

/// The rows of the org at a moment, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Shot {
    pub rows: BTreeMap<String, Seen>,
}

impl Shot {
    /// Looks at the org. Of what an administrator removed nobody can tell: it is as it was `before`.
    pub(super) fn take(world: &World, removed: &Removed, before: &Shot) -> Result<Shot, String> {
        let mut shot = Shot::default();
        for (object, name, fields) in OBJECTS {
            if removed.contains(&(object, None)) {
                let rows = before.rows.iter().filter(|(_, row)| row.object == object);
                shot.rows
                    .extend(rows.map(|(id, row)| (id.clone(), row.clone())));
                continue;
            }
            let is_there = |field: &&str| !removed.contains(&(object, Some(*field)));
            let there: Vec<&str> = fields.iter().copied().filter(is_there).collect();
            let lookups: Vec<&str> = LOOKUPS
                .iter()
                .filter(|(of, _)| *of == object)
                .map(|(_, field)| *field)
                .collect();
            let all: Vec<&str> = [&["Id", name], &there[..], &lookups].concat();
            let soql = format!("SELECT {} FROM {object}", all.join(", "));
            for row in world.rows(world.boss(), &soql)? {
                let id = row.text("Id").unwrap_or_default();
                let value = |field: &str| row.text(field).unwrap_or_default();
                let was = |field: &str| {
                    let row = before.rows.get(&id);
                    row.and_then(|row| row.fields.get(field).cloned())
                };
                let is = |field: &str| match is_there(&field) {
                    true => value(field),
                    false => was(field).unwrap_or_default(),
                };
                let seen = Seen {
                    object,
                    name: value(name),
                    fields: fields
                        .iter()
                        .map(|field| ((*field).to_owned(), is(field)))
                        .collect(),
                    parents: lookups.iter().filter_map(|field| row.text(field)).collect(),
                };
                shot.rows.insert(id, seen);
            }
        }
        Ok(shot)
    }
}

impl Scene {
    /// Something that a colleague or an administrator does at the org.
    pub(super) fn colleague(&self, chance: &mut Prng) {
        if !self.has(Class::Colleagues) {
            return;
        }
        let world = &self.world;
        // Stamps have whole seconds: what is written in the second in which it was read cannot be told apart.
        world.sandbox.advance(1);
        match chance.below(16) {
            0 | 1 if self.has(Class::Sharing) => self.share(chance),
            2 if self.has(Class::Rights) => self.change_rights(chance),
            3 if self.has(Class::Merges) => self.merge(chance),
            4 if self.has(Class::Schema) => self.change_schema(chance),
            _ => self.change(chance),
        }
        world.sandbox.advance(1);
        self.ledger().look(world, By::Colleague);
    }

    /// The ids of an object's rows.
    pub(super) fn ids(&self, object: &str) -> Vec<String> {
        let soql = format!("SELECT Id FROM {object} ORDER BY Id");
        let rows = self.world.rows(self.world.boss(), &soql);
        let rows = rows.unwrap_or_default();
        rows.iter().filter_map(|row| row.text("Id")).collect()
    }

    /// The org's ids of an object's records that some device has unsent work on.
    fn unsent(&self, object: &str) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for at in 0..self.devices.len() {
            let device = self.at(at);
            let pending = device.pending().unwrap_or_default();
            for mutation in pending.iter().filter(|it| it.object == object) {
                ids.insert(mutation.record.to_string());
                let row = device.get(&mutation.record).ok().flatten();
                ids.extend(row.and_then(|row| row.fields.get("Id").map(text)));
            }
        }
        ids
    }

    fn change(&self, chance: &mut Prng) {
        let world = &self.world;
        let (object, name_field, texts) = OBJECTS[chance.below(OBJECTS.len())];
        let mut ids = self.ids(object);
        if chance.percent(30) {
            // Where somebody is at work on a device there is more to go wrong.
            let unsent = self.unsent(object);
            ids.retain(|id| unsent.contains(id));
        }
        let Some(id) = chance.pick(&ids) else { return };
        let mark = self.ledger().mark('c');
        let user = &world.users[chance.below(3)].id;
        let way = chance.below(12);
        self.tell(format_args!(
            "a colleague does {way} to {object} {id}: {mark}"
        ));
        // The org may refuse: a row is locked, or its deletion would take others along.
        let _ = match way {
            0 => world.remove(object, id),
            1 => self.move_below(object, id, chance),
            2 => {
                world.sandbox.with_org(|org| org.touch(object, id));
                Ok(())
            }
            3 if self.has(Class::Late) => {
                self.ledger().late(&mark);
                let until = world.sandbox.now() + 1 + chance.below(400) as i64;
                let boss = world.boss().to_owned();
                let edit = fields(&[(texts[0], &format!("{mark:?}"))]);
                let write = |org: &mut Org| org.update(&boss, object, id, &edit, None);
                world.sandbox.with_org(|org| org.hold_open(until, write))
            }
            4 if object == "Account" => {
                let owner = format!("{user:?}");
                let name = format!("{mark:?}");
                let row = [(name_field, name.as_str()), ("OwnerId", &owner)];
                world.add(object, &row).map(|_| ())
            }
            5 => {
                let until = world.sandbox.now() + chance.below(120) as i64;
                world.sandbox.with_org(|org| org.lock(object, id, until));
                Ok(())
            }
            6 => self.bring_back(object, chance),
            way => world.change(
                object,
                id,
                &[(texts[way % texts.len()], &format!("{mark:?}"))],
            ),
        };
    }

    fn move_below(
        &self,
        object: &str,
        id: &str,
        chance: &mut Prng,
    ) -> Result<(), Vec<attache_sandbox::org::SaveError>> {
        let accounts = self.ids("Account");
        let account = chance.pick(&accounts).cloned().unwrap_or_default();
        let lookup = match object {
            "Task" => "WhatId",
            "Contact" | "Opportunity" => "AccountId",
            _ => return Ok(()),
        };
        self.world
            .change(object, id, &[(lookup, &format!("{account:?}"))])
    }

    /// Takes a row out of the recycle bin.
    fn bring_back(
        &self,
        object: &str,
        chance: &mut Prng,
    ) -> Result<(), Vec<attache_sandbox::org::SaveError>> {
        let soql = format!("SELECT Id FROM {object} WHERE IsDeleted = true ORDER BY Id");
        let rows = self.world.all_rows(&soql).unwrap_or_default();
        let ids: Vec<String> = rows.iter().filter_map(|row| row.text("Id")).collect();
        let Some(id) = chance.pick(&ids) else {
            return Ok(());
        };
        let boss = self.world.boss();
        self.world
            .sandbox
            .with_org(|org| org.undelete(boss, object, id))
    }

    /// Rows that were made by creates whose makers do not know that.
    fn doubted(&self) -> Vec<(&'static str, String)> {
        let mut names = BTreeSet::new();
        for at in 0..self.devices.len() {
            let mut pending = self.at(at).pending().unwrap_or_default();
            pending.retain(|it| matches!(it.state, MutationState::InDoubt(_)));
            names.extend(pending.iter().filter_map(name_of));
        }
        self.ledger().rows_named(&names)
    }

    /// Gives a row to somebody, shows it to somebody, or takes it away.
    fn share(&self, chance: &mut Prng) {
        let world = &self.world;
        let user = &world.users[chance.below(3)].id;
        // What was just made may be given away before its maker has heard of it.
        let doubted = chance.pick(&self.doubted()).cloned();
        let (object, id, way) = match doubted.filter(|_| chance.percent(70)) {
            Some((object, id)) => (object, id, 3),
            None => {
                let (object, ..) = OBJECTS[chance.below(OBJECTS.len())];
                let Some(id) = chance.pick(&self.ids(object)).cloned() else {
                    return;
                };
                (object, id, chance.below(4))
            }
        };
        let id = id.as_str();
        self.tell(format_args!("sharing {way} of {object} {id} for {user}"));
        world.sandbox.with_org(|org| match way {
            0 => org.grant(object, id, user),
            1 => org.grant_read(object, id, user),
            2 => org.revoke(object, id, user),
            _ => org.transfer_owner(object, id, user),
        });
    }

    /// Two rows become one.
    fn merge(&self, chance: &mut Prng) {
        let object = ["Account", "Contact", "Lead"][chance.below(3)];
        let ids = self.ids(object);
        let (Some(stays), Some(goes)) = (chance.pick(&ids), chance.pick(&ids)) else {
            return;
        };
        self.tell(format_args!("{object} {goes} is merged into {stays}"));
        let boss = self.world.boss();
        // A row is not merged with itself.
        let _ = self
            .world
            .sandbox
            .with_org(|org| org.merge(boss, object, stays, &[goes]));
    }
}
