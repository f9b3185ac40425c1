//! What an administrator does to people's rights, and to the fields and objects of the org.

use super::Scene;
use super::ledger::{By, OBJECTS};
use super::org::Removed;
use crate::random::Prng;
use attache_sandbox::org::{Access, Org};
use attache_sandbox::schema::{FieldDef, FieldKind};
use attache_sandbox::value::Value;
use std::collections::BTreeMap;

/// Fields as they were before they became others, by object and name.
pub(super) type Retyped = BTreeMap<(&'static str, &'static str), FieldDef>;

impl Scene {
    /// An administrator changes what a user may do with an object or see of it.
    pub(super) fn change_rights(&self, chance: &mut Prng) {
        let world = &self.world;
        let (object, _, texts) = OBJECTS[chance.below(OBJECTS.len())];
        let user = &world.users[chance.below(3)].id;
        let way = chance.below(6);
        self.tell(format_args!("rights {way} of {object} for {user}"));
        world.sandbox.with_org(|org| match way {
            0 => org.set_access(user, object, Access::read_only()),
            1 if object != "Account" => org.set_access(user, object, Access::none()),
            2 => org.hide_field(user, object, texts[chance.below(texts.len())], true),
            _ => lift(org, user),
        });
    }

    /// An administrator takes fields and objects away, changes them, or brings new ones.
    ///
    /// None of that stamps a row: devices learn of it from describes, a day later.
    pub(super) fn change_schema(&self, chance: &mut Prng) {
        let (object, _, texts) = OBJECTS[chance.below(OBJECTS.len())];
        let field = texts[chance.below(texts.len())];
        let way = chance.below(8);
        let removed = self.ledger().removed.clone();
        let is_there =
            !removed.contains(&(object, None)) && !removed.contains(&(object, Some(field)));
        self.tell(format_args!("schema {way} of {object}.{field}"));
        match way {
            0 | 1 if is_there => {
                self.ledger().removed.insert((object, Some(field)));
                let remove = |org: &mut Org| org.remove_field(object, field);
                self.world.sandbox.with_org(remove);
            }
            // What hangs on accounts is most of what a walk has.
            2 if is_there && object != "Account" => {
                self.ledger().removed.insert((object, None));
                let remove = |org: &mut Org| org.remove_object(object);
                self.world.sandbox.with_org(remove);
            }
            3 if is_there => self.to_number(object, field),
            4 if is_there => self.alter(object, field, |field| field.nillable = false),
            5 if is_there => self.add_field(object),
            _ => self.restore(object),
        }
        self.count("changes of the schema");
    }

    /// A text becomes a number, and whatever stood there is gone.
    fn to_number(&self, object: &'static str, field: &'static str) {
        self.alter(object, field, |field| {
            let mut number = FieldDef::new(&field.name, &field.label, FieldKind::Double);
            (number.precision, number.scale) = (18, 2);
            *field = number;
        });
        self.empty(object, field);
    }

    /// Takes the values of a field from all rows.
    fn empty(&self, object: &'static str, field: &'static str) {
        let empty = |org: &mut Org| org.rewrite_field(object, field, |_| Value::Null);
        self.world.sandbox.with_org(empty);
        self.ledger().emptied(object, field);
        self.ledger().look(&self.world, By::Colleague);
    }

    fn touch_all(&self, object: &'static str) {
        for id in self.ids(object) {
            let touch = |org: &mut Org| org.touch(object, &id);
            self.world.sandbox.with_org(touch);
        }
    }

    fn alter(&self, object: &'static str, field: &'static str, change: impl FnOnce(&mut FieldDef)) {
        let mut retyped = self.retyped();
        self.world.sandbox.with_org(|org| {
            org.alter_object(object, |object_def| {
                let Some(at) = object_def.index(field) else {
                    return;
                };
                let before = object_def.fields[at].clone();
                retyped.entry((object, field)).or_insert(before);
                change(&mut object_def.fields[at]);
            });
        });
    }

    /// A new field, filled in all rows.
    fn add_field(&self, object: &'static str) {
        let mark = self.ledger().mark('w');
        let name = format!("{mark}__c");
        self.world.sandbox.with_org(|org| {
            org.alter_object(object, |object| {
                object.push(FieldDef::new(&name, &name, FieldKind::String));
            });
            org.rewrite_field(object, &name, |_| Value::Text(mark.as_str().into()));
        });
    }

    /// Brings back what was taken from an object, as it was.
    fn restore(&self, object: &'static str) {
        let mut ledger = self.ledger();
        let removed = std::mem::take(&mut ledger.removed).into_iter();
        let (back, left): (Removed, Removed) = removed.partition(|(of, _)| *of == object);
        ledger.removed = left;
        drop(ledger);
        self.world.sandbox.with_org(|org| {
            for (_, field) in back {
                match field {
                    Some(field) => org.restore_field(object, field),
                    None => org.restore_object(object),
                }
            }
        });
        let mut retyped = self.retyped();
        let all = std::mem::take(&mut *retyped).into_iter();
        let (back, left): (Retyped, Retyped) = all.partition(|((of, _), _)| *of == object);
        *retyped = left;
        drop(retyped);
        for ((_, field), before) in back {
            let mut was_number = false;
            self.world.sandbox.with_org(|org| {
                org.alter_object(object, |object| {
                    let Some(at) = object.index(field) else {
                        return;
                    };
                    was_number = object.fields[at].kind != before.kind;
                    object.fields[at] = before;
                });
            });
            if was_number {
                self.empty(object, field);
                // A device that never heard of the number could not know that its texts are gone.
                self.touch_all(object);
            }
        }
    }

    /// Takes back whatever an administrator did.
    pub(super) fn lift_all(&self) {
        for (object, ..) in OBJECTS {
            self.restore(object);
        }
        for user in &self.world.users {
            self.world.sandbox.with_org(|org| lift(org, &user.id));
        }
    }
}

/// Lets a user do and see everything again that objects and fields allow.
fn lift(org: &mut Org, user: &str) {
    for (object, _, texts) in OBJECTS {
        org.set_access(user, object, Access::default());
        for field in texts {
            org.hide_field(user, object, field, false);
        }
    }
}
