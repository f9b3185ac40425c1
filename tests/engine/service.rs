//! The template of field service against an org that has field service: a technician's work comes, nobody else's.

use attache::{Attache, Briefcase, Fields, RecordId};
use attache_sandbox::org::Rights;
use attache_sandbox::schema::{FieldDef, FieldKind, ObjectDef};
use attache_sim::World;
use attache_tests::{ME, all, at_org, create, edit, prime, quoted, server_id, settle, sync};
use std::collections::BTreeMap;

/// Fields that lead to other objects, with these.
type Lookups = &'static [(&'static str, &'static [&'static str])];

/// An object: its name and prefix, its lookups, its other fields.
type Object = (
    &'static str,
    &'static str,
    Lookups,
    &'static [(&'static str, FieldKind)],
);

/// The objects as an org has them, as far as the template reads them.
const OBJECTS: &[Object] = &[
    (
        "ServiceResource",
        "0Hn",
        &[
            ("RelatedRecordId", &["User"]),
            ("LocationId", &["Location"]),
        ],
        &[],
    ),
    ("Location", "131", &[], &[]),
    ("Product2", "01t", &[], &[]),
    (
        "ProductItem",
        "1Ge",
        &[("LocationId", &["Location"]), ("Product2Id", &["Product2"])],
        &[("QuantityOnHand", FieldKind::Double)],
    ),
    ("Asset", "02i", &[("AccountId", &["Account"])], &[]),
    (
        "WorkOrder",
        "0WO",
        &[
            ("AccountId", &["Account"]),
            ("ContactId", &["Contact"]),
            ("AssetId", &["Asset"]),
        ],
        &[
            ("IsClosed", FieldKind::Boolean),
            ("Subject", FieldKind::String),
        ],
    ),
    (
        "WorkOrderLineItem",
        "1WL",
        &[("WorkOrderId", &["WorkOrder"]), ("AssetId", &["Asset"])],
        &[],
    ),
    (
        "ServiceAppointment",
        "08p",
        &[(
            "ParentRecordId",
            &["WorkOrder", "WorkOrderLineItem", "Account"],
        )],
        &[("SchedStartTime", FieldKind::DateTime)],
    ),
    (
        "AssignedResource",
        "03r",
        &[
            ("ServiceResourceId", &["ServiceResource"]),
            ("ServiceAppointmentId", &["ServiceAppointment"]),
        ],
        &[],
    ),
    (
        "ProductRequired",
        "0hX",
        &[
            ("ParentRecordId", &["WorkOrder", "WorkOrderLineItem"]),
            ("Product2Id", &["Product2"]),
        ],
        &[],
    ),
    (
        "ProductConsumed",
        "0Tz",
        &[
            ("WorkOrderId", &["WorkOrder"]),
            ("Product2Id", &["Product2"]),
        ],
        &[],
    ),
];

/// An org with field service, in which everybody sees everything, and what was put into it, by names of its own.
struct Service {
    world: World,
    ids: BTreeMap<&'static str, String>,
}

impl Service {
    fn new(seed: u64) -> Service {
        let world = World::new(seed, 300);
        let me = world.users[ME].id.clone();
        world.sandbox.with_org(|org| {
            let all = Rights {
                view_all: true,
                modify_all: true,
            };
            org.set_rights(&me, all);
            let visit = org.schema().object("Visit__c").cloned();
            let visit = visit.expect("the standard schema has it");
            let account = org.schema().object("Account");
            let owner = account
                .and_then(|account| account.field("OwnerId"))
                .cloned();
            let mut schema = org.schema_mut();
            for (name, prefix, lookups, fields) in OBJECTS {
                let mut object = ObjectDef::new(name, name, name, prefix);
                object.extend(visit.fields.iter().filter(|field| !field.custom).cloned());
                object.extend(owner.clone());
                for (field, targets) in *lookups {
                    let mut lookup = FieldDef::new(field, field, FieldKind::Reference);
                    lookup.reference_to = targets.iter().map(|to| String::from(*to)).collect();
                    lookup.relationship_name = Some(field.trim_end_matches("Id").to_owned());
                    object.push(lookup);
                }
                for (field, kind) in *fields {
                    object.push(FieldDef::new(field, field, *kind));
                }
                schema.insert(object);
            }
        });
        Service {
            world,
            ids: BTreeMap::new(),
        }
    }

    /// Puts a record in, whose fields may name others by `@name`.
    fn put(&mut self, name: &'static str, object: &str, fields: &[(&str, &str)]) {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(field, text)| match text.strip_prefix('@') {
                Some(other) => (*field, self.ids[other].as_str()),
                None => (*field, *text),
            })
            .collect();
        let id = self.world.add(object, &fields).expect(name);
        self.ids.insert(name, id);
    }

    /// An appointment so many days from now, of a resource and about a record.
    fn appoint(&mut self, names: [&'static str; 2], days: i64, who: &str, about: &str) {
        let start = self.world.sandbox.now() + days * 86_400;
        let start = attache::ServerTime(start).to_soql();
        let parent = [("ParentRecordId", about), ("SchedStartTime", &start)];
        self.put(names[0], "ServiceAppointment", &parent);
        let appointment = format!("@{}", names[0]);
        let assigned = [
            ("ServiceResourceId", who),
            ("ServiceAppointmentId", &appointment),
        ];
        self.put(names[1], "AssignedResource", &assigned);
    }

    /// A work order with one line item and what both need.
    fn order(&mut self, [order, line, part, used]: [&'static str; 4], fields: &[(&str, &str)]) {
        self.put(order, "WorkOrder", fields);
        let of = format!("@{order}");
        self.put(line, "WorkOrderLineItem", &[("WorkOrderId", &of)]);
        let of_line = format!("@{line}");
        let parts = [("ParentRecordId", &*of_line), ("Product2Id", "@pump")];
        self.put(part, "ProductRequired", &parts);
        let consumed = [("WorkOrderId", &*of), ("Product2Id", "@pump")];
        self.put(used, "ProductConsumed", &consumed);
    }

    /// Which of the records that were put in a device holds.
    fn held(&self, device: &Attache) -> Vec<&'static str> {
        let here = |id: &str| {
            let id = RecordId::parse(id).expect("an id");
            device.get(&id).expect("a read").is_some()
        };
        let mut held = Vec::new();
        held.extend(
            self.ids
                .iter()
                .filter(|(_, id)| here(id))
                .map(|(name, _)| *name),
        );
        held
    }
}

/// Two technicians with their vans, and work orders of this week, of long ago and of the other one.
fn a_week_of_work(seed: u64) -> Service {
    let mut org = Service::new(seed);
    let (me, other) = (org.world.users[ME].id.clone(), org.world.boss().to_owned());
    org.put("pump", "Product2", &[]);
    for (van, stock, resource, user) in [
        ("my van", "my stock", "me", &me),
        ("their van", "their stock", "them", &other),
    ] {
        org.put(van, "Location", &[]);
        let van = format!("@{van}");
        org.put(
            stock,
            "ProductItem",
            &[("LocationId", &van), ("Product2Id", "@pump")],
        );
        org.put(
            resource,
            "ServiceResource",
            &[("RelatedRecordId", user), ("LocationId", &van)],
        );
    }
    org.put("plant", "Account", &[("Name", "Plant")]);
    org.put(
        "ann",
        "Contact",
        &[("LastName", "Ann"), ("AccountId", "@plant")],
    );
    org.put("boiler", "Asset", &[("AccountId", "@plant")]);
    let of_boiler = [
        ("AccountId", "@plant"),
        ("ContactId", "@ann"),
        ("AssetId", "@boiler"),
    ];
    org.order(["w today", "l today", "r today", "c today"], &of_boiler);
    let closed = [("AssetId", "@boiler"), ("IsClosed", "true")];
    org.order(["w before", "l before", "r before", "c before"], &closed);
    org.order(["w old", "l old", "r old", "c old"], &[]);
    org.order(["w theirs", "l theirs", "r theirs", "c theirs"], &[]);
    org.order(["w line", "l line", "r line", "c line"], &[]);
    org.order(
        ["w open", "l open", "r open", "c open"],
        &[("OwnerId", &me)],
    );
    org.order(
        ["w done", "l done", "r done", "c done"],
        &[("OwnerId", &me), ("IsClosed", "true")],
    );
    org.appoint(["a today", "s today"], 0, "@me", "@w today");
    org.appoint(["a line", "s line"], 5, "@me", "@l line");
    org.appoint(["a old", "s old"], -60, "@me", "@w old");
    org.appoint(["a theirs", "s theirs"], 0, "@them", "@w theirs");
    org
}

#[test]
fn a_technician_takes_their_appointments_with_all_that_they_need_and_the_stock_of_their_van() {
    let org = a_week_of_work(75);
    let template = Briefcase::template("field-service").expect("a template");
    let device = prime(&org.world, ME, &template);
    let all_of_it = [
        "a line", "a today", "ann", "boiler", "c today", "l before", "l line", "l open", "l today",
        "me", "my stock", "my van", "plant", "pump", "r today", "s line", "s today", "w before",
        "w line", "w open", "w today",
    ];
    assert_eq!(org.held(&device), all_of_it);
    let report = sync(&device);
    assert!(report.unfollowed.is_empty(), "{report:?}");
    assert!(report.is_settled(), "{report:?}");
    let path = "SELECT Id FROM AssignedResource WHERE ServiceAppointment.SchedStartTime = TODAY";
    assert_eq!(all(&device, path).len(), 1);

    // A colleague takes the appointment over: with it goes all that nothing else holds.
    let theirs = [("ServiceResourceId", org.ids["them"].as_str())];
    let changed = org
        .world
        .change("AssignedResource", &org.ids["s today"], &theirs);
    changed.expect("the boss may");
    org.world.sandbox.advance(60);
    settle(&org.world, &device);
    let left = [
        "a line", "l line", "l open", "me", "my stock", "my van", "pump", "s line", "w line",
        "w open",
    ];
    assert_eq!(org.held(&device), left);
}

#[test]
fn a_part_used_offline_is_taken_from_the_van_and_arrives_at_the_org() {
    let org = a_week_of_work(76);
    let template = Briefcase::template("field-service").expect("a template");
    let device = prime(&org.world, ME, &template);
    let id = |name: &str| RecordId::parse(&org.ids[name]).expect("an id");
    let used = Fields::new()
        .with("WorkOrderId", id("w today"))
        .with("Product2Id", id("pump"));
    let used = create(&device, "ProductConsumed", used);
    edit(&device, &id("my stock"), "QuantityOnHand", 3);
    edit(&device, &id("w today"), "IsClosed", true);
    settle(&org.world, &device);
    let at = |object, id: &str, field| at_org(&org.world, object, id, field);
    let order = Some(quoted(&org.ids["w today"]));
    assert_eq!(
        at("ProductConsumed", &server_id(&device, &used), "WorkOrderId"),
        order
    );
    let stock = at("ProductItem", &org.ids["my stock"], "QuantityOnHand");
    assert_eq!(stock.and_then(|json| json.parse::<f64>().ok()), Some(3.0));
    assert_eq!(
        at("WorkOrder", &org.ids["w today"], "IsClosed").as_deref(),
        Some("true")
    );
    // Closed work stays for as long as its appointment is near.
    assert!(org.held(&device).contains(&"w today"));
}
