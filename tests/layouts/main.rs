//! What a host draws forms and lists of, and what becomes of it as the org changes.

mod checks;
mod fields;
mod forms;
mod lists;

use attache::{Attache, Briefcase};
use attache_sandbox::org::{LayoutDef, LayoutItem, Rights};
use attache_sandbox::schema::RecordTypeDef;
use attache_sim::World;
use attache_tests::{ME, briefcase, prime};

/// A day and a minute: what was asked for once a day is old by then.
const A_DAY: u32 = 86_460;

/// An org of which the user of the tests sees everything.
fn seen(seed: u64) -> World {
    let world = World::new(seed, 600);
    let user = world.users[ME].id.clone();
    let everything = Rights {
        view_all: true,
        modify_all: true,
    };
    world
        .sandbox
        .with_org(|org| org.set_rights(&user, everything));
    world
}

/// An org whose accounts are households, unless told, or partners.
fn world(seed: u64) -> World {
    let world = seen(seed);
    world.sandbox.with_org(|org| {
        org.alter_object("Account", |account| {
            let rating = account.index("Rating").expect("a standard field");
            account.fields[rating].restricted_picklist = true;
        });
        org.define_record_type(
            "Account",
            RecordTypeDef::new("Household", "Household")
                .default_for_users()
                .picklist("Rating", &["Hot", "Cold"], Some("Cold")),
        );
        org.define_record_type("Account", RecordTypeDef::new("Partner", "Partner"));
        org.define_layout(
            "Account",
            Some("Household"),
            page(&["Name", "Phone", "Rating"]),
        );
        org.define_compact_layout("Account", ["Name", "Rating"]);
    });
    world
}

/// A layout of one section in two columns, that wants a value for the second of its fields.
fn page(fields: &[&str]) -> LayoutDef {
    let items = fields.iter().enumerate().map(|(nr, name)| match nr {
        1 => LayoutItem::field(name).required(),
        _ => LayoutItem::field(name),
    });
    LayoutDef::new("Page")
        .section("Who", 2, items)
        .section(
            "",
            1,
            [
                LayoutItem::field("BillingAddress"),
                LayoutItem::field("Fax").read_only(),
            ],
        )
        .related("Contacts", ["Name", "Email"])
}

/// Takes all accounts with these options.
fn accounts(options: &str) -> Briefcase {
    briefcase(&format!(
        r#"{{"version": 1, "objects": {{"Account": {options}}}, "rules": ["Account"]}}"#
    ))
}

/// A device that keeps the layouts of accounts.
fn device(world: &World) -> Attache {
    prime(world, ME, &accounts(r#"{"layouts": true}"#))
}

/// How often a session of this device asked for something, since the log was cleared.
fn asked(world: &World, part: &str) -> usize {
    let log = world.sandbox.log();
    log.iter().filter(|call| call.target.contains(part)).count()
}
