//! Makes an org's rows out of a number: the same seed and clock give the same org, always.
//!
//! Every row has a random stream of its own, so that a row can be made without those before it,
//! and a child can ask who its parent is without either being kept. The generator is in this
//! folder: no dependency can change what a seed means.

mod random;
mod rows;
mod words;

use crate::id;
use crate::schema::{ObjectDef, Schema};
use crate::value::Value;
use jiff::civil::Date;
use jiff::{Timestamp, tz};
use random::Random;
use std::collections::HashMap;

/// How many rows of each object to make, from which seed, and what time it is.
///
/// Objects that the schema lacks are left out. Children of an object of which there are no rows
/// point nowhere; visits need accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    /// Picks one of 2^64 orgs.
    pub seed: u64,
    /// Seconds since 1970-01-01T00:00:00Z. No row is younger than an hour.
    pub now: i64,
    /// Users. At least one is made, because every row has an owner.
    pub users: usize,
    /// Accounts, a few of which have most of the children.
    pub accounts: usize,
    /// Contacts.
    pub contacts: usize,
    /// Opportunities, closing within a year either way.
    pub opportunities: usize,
    /// Leads.
    pub leads: usize,
    /// Visits.
    pub visits: usize,
    /// Tasks, due within some weeks either way.
    pub tasks: usize,
    /// Events, within some weeks either way.
    pub events: usize,
}

impl Seed {
    /// Asks for about 5,000 rows.
    pub fn standard(seed: u64, now: i64) -> Seed {
        Seed {
            seed,
            now,
            users: 8,
            accounts: 500,
            contacts: 1_500,
            opportunities: 1_000,
            leads: 300,
            visits: 150,
            tasks: 1_200,
            events: 400,
        }
    }

    /// Asks for this many rows besides users, in the proportions of [`Seed::standard`].
    ///
    /// There are eight users, and one more for every 10,000 rows up to 200.
    pub fn of(total: usize, seed: u64, now: i64) -> Seed {
        let standard = Seed::standard(seed, now);
        let whole = 5_050;
        let share = |count: usize| (total as u128 * count as u128 / whole) as usize;
        let mut spec = Seed {
            users: (8 + total / 10_000).min(200),
            accounts: share(standard.accounts),
            contacts: share(standard.contacts),
            opportunities: share(standard.opportunities),
            leads: share(standard.leads),
            visits: share(standard.visits),
            events: share(standard.events),
            tasks: 0,
            ..standard
        };
        spec.tasks = total - (spec.total() - spec.users);
        spec
    }

    /// Counts the rows asked for, users included.
    pub fn total(&self) -> usize {
        let people = self.users + self.contacts + self.leads;
        people + self.accounts + self.opportunities + self.visits + self.tasks + self.events
    }
}

/// Makes the rows, parents before children: for each the object's index and the values in the
/// order of its fields.
///
/// Besides what the [`Seed`] asks for there is one row of Organization and one queue. Calculated
/// fields are null. Ids count up from one within an object.
///
/// # Cost
///
/// Some microseconds and one allocation per text value each; nothing is kept.
pub fn seed(schema: &Schema, spec: &Seed) -> Rows {
    let world = World::new(spec);
    let counts: [(&str, usize, Make); 10] = [
        ("Organization", 1, World::organization),
        ("User", world.users(), World::user),
        ("Group", 1, World::queue),
        ("Account", spec.accounts, World::account),
        ("Contact", spec.contacts, World::contact),
        ("Opportunity", spec.opportunities, World::opportunity),
        ("Lead", spec.leads, World::lead),
        (
            "Visit__c",
            if spec.accounts == 0 { 0 } else { spec.visits },
            World::visit,
        ),
        ("Task", spec.tasks, World::task),
        ("Event", spec.events, World::event),
    ];
    let plan = counts.into_iter().filter_map(|(name, count, make)| {
        let object = schema.index(name)?;
        Some(Part {
            form: Form::new(object, &schema.objects()[object]),
            count,
            make,
        })
    });
    Rows {
        world,
        plan: plan.collect(),
        part: 0,
        next: 0,
    }
}

/// The rows of a seeded org, made as they are asked for.
#[derive(Debug)]
pub struct Rows {
    world: World,
    plan: Vec<Part>,
    part: usize,
    next: usize,
}

impl Iterator for Rows {
    type Item = (usize, Vec<Value>);

    fn next(&mut self) -> Option<(usize, Vec<Value>)> {
        loop {
            let part = self.plan.get(self.part)?;
            let n = self.next;
            if n < part.count {
                self.next += 1;
                let mut row = Row::new(&self.world, &part.form, n);
                (part.make)(&self.world, &mut row);
                return Some((part.form.object, row.values));
            }
            self.part += 1;
            self.next = 0;
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ahead: usize = self.plan[self.part..].iter().map(|part| part.count).sum();
        (ahead - self.next, Some(ahead - self.next))
    }
}

impl ExactSizeIterator for Rows {}

type Make = fn(&World, &mut Row<'_>);

#[derive(Debug)]
struct Part {
    form: Form,
    count: usize,
    make: Make,
}

/// An object's empty row, and where its fields stand.
#[derive(Debug)]
struct Form {
    object: usize,
    name: String,
    prefix: String,
    blank: Vec<Value>,
    places: HashMap<String, usize>,
}

impl Form {
    fn new(index: usize, object: &ObjectDef) -> Form {
        let blank = |(_, field): (usize, &crate::schema::FieldDef)| match &field.default {
            Some(value) if field.formula.is_none() => value.clone(),
            _ => Value::Null,
        };
        Form {
            object: index,
            name: object.name.clone(),
            prefix: object.key_prefix.clone(),
            blank: object.fields.iter().enumerate().map(blank).collect(),
            places: (object.fields.iter().enumerate())
                .map(|(at, field)| (field.name.clone(), at))
                .collect(),
        }
    }
}

/// A row in the making, and its random stream.
struct Row<'a> {
    form: &'a Form,
    n: usize,
    random: Random,
    values: Vec<Value>,
}

impl Row<'_> {
    fn new<'a>(world: &World, form: &'a Form, n: usize) -> Row<'a> {
        let random = world.random(&form.name, n);
        Row {
            form,
            n,
            random,
            values: form.blank.clone(),
        }
    }

    /// Sets a field; one that the schema lacks is left out.
    fn set(&mut self, field: &str, value: impl Into<Value>) {
        if let Some(&at) = self.form.places.get(field) {
            self.values[at] = value.into();
        }
    }

    /// Sets a field in so many percent of the rows.
    fn maybe<V: Into<Value>>(
        &mut self,
        percent: u64,
        field: &str,
        make: impl FnOnce(&mut Random) -> V,
    ) {
        if self.random.percent(percent) {
            let value = make(&mut self.random);
            self.set(field, value);
        }
    }
}

/// What all rows know.
#[derive(Debug)]
struct World {
    spec: Seed,
    today: Date,
}

impl World {
    fn new(spec: &Seed) -> World {
        let now = Timestamp::from_second(spec.now).unwrap_or(Timestamp::UNIX_EPOCH);
        World {
            spec: *spec,
            today: tz::Offset::UTC.to_datetime(now).date(),
        }
    }

    fn users(&self) -> usize {
        self.spec.users.max(1)
    }

    /// Opens the stream of the `n`th row of a topic.
    fn random(&self, topic: &str, n: usize) -> Random {
        Random::new(self.spec.seed, topic, n as u64)
    }

    /// Sets the id, the owner and the stamps.
    ///
    /// A third of the rows came in bulk loads: 200 neighbours with one stamp. No stamp is younger
    /// than an hour, so that a first pull's horizon is settled.
    fn system(&self, row: &mut Row<'_>, owner: usize) {
        const HOUR: i64 = 3_600;
        const YEARS: u64 = 3 * 365 * 24 * 3_600;
        let last = self.spec.now - HOUR;
        let mut batch = self.random(&row.form.prefix, row.n / 200);
        let bulk = batch.percent(33);
        let random = if bulk { &mut batch } else { &mut row.random };
        let created = last - random.below(YEARS) as i64;
        let creator = if bulk {
            0
        } else {
            random.below(self.users() as u64) as usize
        };
        let (mut changed, mut changer) = (created, creator);
        if row.random.percent(if bulk { 20 } else { 60 }) {
            // Squared, so that recent changes are the most.
            changed = last - row.random.skewed((last - created) as u64 + 1, 2) as i64;
            changer = row.random.below(self.users() as u64) as usize;
        }
        let touched = if row.random.percent(15) {
            row.random.below(90) as i64
        } else {
            0
        };
        row.set("Id", id::make(&row.form.prefix, row.n as u64 + 1));
        row.set("OwnerId", user_id(owner));
        row.set("CreatedDate", Value::DateTime(created));
        row.set("CreatedById", user_id(creator));
        row.set("LastModifiedDate", Value::DateTime(changed));
        row.set("LastModifiedById", user_id(changer));
        row.set(
            "SystemModstamp",
            Value::DateTime((changed + touched).min(last)),
        );
    }
}

/// The id of the org's own row, which the settings of an org name by default.
const ORG_ID: &str = "00DHx000000000mMAA";

fn user_id(n: usize) -> String {
    id::make("005", n as u64 + 1)
}

#[cfg(test)]
mod tests;
