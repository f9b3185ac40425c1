//! The org changes under a device: fields and objects come, go and become others.

mod backfill;
mod edits;
mod rules;
mod shapes;

use attache::{Attache, Briefcase, MutationState, Report};
use attache_sandbox::schema::{FieldDef, FieldKind};
use attache_sandbox::value::Value as Held;
use attache_sim::{World, wait};

/// A world with a device that carries accounts and contacts.
fn device(seed: u64) -> (World, Attache) {
    let world = World::new(seed, 300);
    let everything = Briefcase::everything(["Account", "Contact"]);
    let device = attache_tests::prime(&world, 0, &everything);
    (world, device)
}

/// The session of the next day: describes are looked at again.
#[track_caller]
pub(crate) fn next_day(world: &World, device: &Attache) -> Report {
    world.sandbox.advance(86_400);
    wait(device.sync()).expect("a session runs")
}

pub(crate) fn add_field(world: &World, object: &str, name: &str, kind: FieldKind) {
    world.sandbox.with_org(|org| {
        org.alter_object(object, |object| {
            object.push(FieldDef::new(name, name, kind));
        });
    });
}

/// Hides the site of accounts from the device's user, or shows it again.
fn hide(world: &World, hidden: bool) {
    let me = world.users[0].id.clone();
    world
        .sandbox
        .with_org(|org| org.hide_field(&me, "Account", "Site", hidden));
}

/// Gives a field another definition, and every row the value that becomes of its old one.
fn retype(
    world: &World,
    field: &str,
    change: impl FnOnce(&mut FieldDef),
    rewrite: impl FnMut(&Held) -> Held,
) {
    world.sandbox.with_org(|org| {
        org.alter_object("Account", |account| {
            let at = account.index(field).expect("a field");
            change(&mut account.fields[at]);
        });
        org.rewrite_field("Account", field, rewrite);
    });
}

fn to_number(field: &mut FieldDef) {
    let mut number = FieldDef::new(&field.name, &field.label, FieldKind::Double);
    (number.precision, number.scale) = (18, 2);
    *field = number;
}

fn to_text(field: &mut FieldDef) {
    *field = FieldDef::new(&field.name, &field.label, FieldKind::String);
}

/// The reasons for which the only unsent edit is parked: its field and its code.
#[track_caller]
fn parked(device: &Attache) -> Vec<(String, String)> {
    let pending = device.pending().expect("a read");
    assert_eq!(pending.len(), 1, "{pending:?}");
    let MutationState::Rejected(problems) = &pending[0].state else {
        panic!("it is not parked: {pending:?}");
    };
    problems
        .iter()
        .map(|problem| (problem.fields.join(","), problem.code.clone()))
        .collect()
}
