//! What the two people type on their devices while there is no network.

use crate::demo::diary::{Diary, Subject};
use crate::demo::fields::{self, Free};
use crate::demo::ledger::{Create, Ledger};
use crate::demo::plan::{Part, Scene};
use crate::demo::random::Random;
use crate::demo::world::{Device, World};
use crate::error::{Failure, Result};
use attache::{ErrorKind, Fields, Problem, RecordId, ServerTime, Value};
use rust_decimal::Decimal;

/// Everything that the day's writers have at hand.
pub struct Day<'a> {
    /// The org.
    pub world: &'a World,
    /// The two devices.
    pub devices: &'a [Device; 2],
    /// The books.
    pub ledger: &'a mut Ledger,
    /// What is told afterwards.
    pub diary: &'a mut Diary,
    /// Chance.
    pub random: &'a mut Random,
    /// Tells the marks of this run apart from those of any other.
    pub seed: u64,
}

impl Day<'_> {
    /// Does this person's part of a scene, if they have one.
    pub fn play_mine(&mut self, scene: &Scene) -> Result<()> {
        match scene.part {
            Part::Edited
            | Part::Merged
            | Part::Disputed
            | Part::DeletedThere
            | Part::StageMoved
            | Part::Together => {
                let again = scene.mine.iter().copied().find(|field| field.wide);
                let before = match again {
                    Some(field) => self.devices[scene.device].value(&scene.record, field.name)?,
                    None => Value::Null,
                };
                let mut values = Vec::new();
                for field in &scene.mine {
                    values.push((field.name.to_owned(), self.value(scene, field, None)?));
                }
                self.update(scene.device, scene.object, &scene.record, values)?;
                if let (Some(field), true) = (again, self.random.percent(25)) {
                    // Not back to what it was: that would be no edit at all.
                    let value = self.value(scene, field, Some(&before))?;
                    let values = vec![(field.name.to_owned(), value)];
                    self.update(scene.device, scene.object, &scene.record, values)?;
                }
                Ok(())
            }
            Part::DeletedHere | Part::DeletedHereEditedThere => {
                self.delete(scene.device, scene.object, &scene.record)
            }
            Part::Refused => {
                let values = wrong(scene.object, self.world.today());
                self.update(scene.device, scene.object, &scene.record, values)
            }
            Part::Leaves | Part::Enters | Part::Moves => Ok(()),
        }
    }

    /// Makes up what somebody types into a field: something else than was there, and than anybody else typed.
    fn value(&mut self, scene: &Scene, field: &Free, before: Option<&Value>) -> Result<Value> {
        let current = self.devices[scene.device].value(&scene.record, field.name)?;
        let clears = matches!(scene.part, Part::Edited | Part::Merged)
            && field.wide
            && !matches!(field.name, "CloseDate" | "Visited_On__c");
        if clears && !current.is_null() && self.random.percent(15) {
            return Ok(Value::Null);
        }
        let wanted = self
            .ledger
            .wants
            .iter()
            .filter(|((_, record, name), _)| *record == scene.record && name == field.name);
        let written = self
            .ledger
            .writes
            .iter()
            .filter(|write| write.id == scene.record.as_str() && write.field == field.name);
        let not: Vec<&Value> = wanted
            .map(|(_, want)| &want.value)
            .chain(written.map(|write| &write.value))
            .collect();
        let not = [not, before.into_iter().collect()].concat();
        Ok(field.value(self.random, self.world.today(), &current, &not))
    }

    fn update(
        &mut self,
        device: usize,
        object: &'static str,
        record: &RecordId,
        values: Vec<(String, Value)>,
    ) -> Result<()> {
        let fields: Fields = values.iter().cloned().collect();
        self.devices[device].store.update(record, fields)?;
        self.ledger.typed += 1;
        for (field, value) in &values {
            self.ledger.want(device, record, object, field, value);
        }
        let title = title(&self.devices[device], object, record)?;
        self.note(device, "changed", object, record, &title, &values)
    }

    fn delete(&mut self, device: usize, object: &'static str, record: &RecordId) -> Result<()> {
        let title = title(&self.devices[device], object, record)?;
        self.devices[device].store.delete(record)?;
        self.ledger.typed += 1;
        self.ledger.deletes.insert((device, record.clone()), object);
        self.note(device, "deleted", object, record, &title, &[])
    }

    fn create(
        &mut self,
        device: usize,
        object: &'static str,
        mark_field: &'static str,
        values: Vec<(String, Value)>,
    ) -> Result<RecordId> {
        let fields: Fields = values.iter().cloned().collect();
        let mark = fields
            .get(mark_field)
            .map(ToString::to_string)
            .unwrap_or_default();
        let record = self.devices[device].store.create(object, fields)?;
        self.ledger.typed += 1;
        for (field, value) in &values {
            self.ledger.want(device, &record, object, field, value);
        }
        self.note(device, "created", object, &record, &mark, &values)?;
        let thrown_away = false;
        self.ledger.creates.push(Create {
            device,
            record: record.clone(),
            object,
            mark_field,
            mark,
            thrown_away,
        });
        Ok(record)
    }

    fn note(
        &mut self,
        device: usize,
        did: &'static str,
        object: &'static str,
        record: &RecordId,
        title: &str,
        values: &[(String, Value)],
    ) -> Result<()> {
        let who = self.devices[device].person.name.clone();
        self.diary.note(
            self.world.sandbox.now(),
            &who,
            did,
            Subject {
                object,
                record: record.as_str(),
                title,
            },
            values,
        )
    }

    /// Meets a new customer: an account, and under it a contact, an opportunity, a visit and a task,
    /// all of them pointing at records that the org has never seen.
    pub fn meet_customer(&mut self, device: usize) -> Result<()> {
        let (mark, today) = (self.mark(device), self.world.today());
        let account = new_account(&mark, self.random, today);
        let account = self.create(device, "Account", "Name", account)?;
        let contact = vec![
            ("AccountId".into(), Value::from(&account)),
            ("FirstName".into(), Value::from("Zoë")),
            (
                "LastName".into(),
                Value::from(format!("O'Neill-Größe {mark}")),
            ),
            (
                "Email".into(),
                Value::from(format!("Zoe.{mark}@Example.COM")),
            ),
            ("Languages__c".into(), Value::from("English;Japanese")),
        ];
        let contact = self.create(device, "Contact", "LastName", contact)?;
        let opportunity = vec![
            ("AccountId".into(), Value::from(&account)),
            ("Name".into(), Value::from(format!("Ofen №1 {mark}"))),
            ("StageName".into(), Value::from("Prospecting")),
            ("CloseDate".into(), fields::day(self.random, today, 5, 80)),
            // Eighteen digits: more than a binary fraction holds.
            (
                "Amount".into(),
                Value::Number(Decimal::new(900_719_925_474_099_301, 2)),
            ),
        ];
        let opportunity = self.create(device, "Opportunity", "Name", opportunity)?;
        let task = vec![
            ("Subject".into(), Value::from(format!("Offer for {mark}"))),
            ("WhatId".into(), Value::from(&opportunity)),
            ("WhoId".into(), Value::from(&contact)),
            ("ActivityDate".into(), Value::from(today)),
            ("Priority".into(), Value::from("High")),
            ("Status".into(), Value::from("Not Started")),
        ];
        self.create(device, "Task", "Subject", task)?;
        let visit = vec![
            ("Account__c".into(), Value::from(&account)),
            ("Contact__c".into(), Value::from(&contact)),
            ("Kind__c".into(), Value::from("Sales")),
            ("Outcome__c".into(), Value::from("Order Placed")),
            ("Visited_On__c".into(), Value::from(today)),
            ("Fee__c".into(), fields::cents(self.random, 99_999)),
            ("Notes__c".into(), Value::from(format!("Visit {mark}"))),
        ];
        self.create(device, "Visit__c", "Notes__c", visit)?;
        // A second thought about a record that was never sent travels with it.
        let step = vec![("NextStep".into(), Value::from("Bake a sample"))];
        self.update(device, "Opportunity", &opportunity, step)
    }

    /// Writes into the calendar, and makes up a contact only to think better of it.
    pub fn keep_calendar(&mut self, device: usize) -> Result<()> {
        let mark = self.mark(device);
        let start = self.world.sandbox.now() + 86_400;
        let event = vec![
            ("Subject".into(), Value::from(format!("Tasting {mark}"))),
            (
                "StartDateTime".into(),
                Value::from(ServerTime(start - start % 900)),
            ),
            (
                "EndDateTime".into(),
                Value::from(ServerTime(start - start % 900 + 3_600)),
            ),
            ("Location".into(), Value::from("Backstube")),
        ];
        self.create(device, "Event", "Subject", event)?;
        let contact = vec![("LastName".into(), Value::from(format!("Never sent {mark}")))];
        let contact = self.create(device, "Contact", "LastName", contact)?;
        self.delete(device, "Contact", &contact)?;
        self.ledger.deletes.remove(&(device, contact.clone()));
        self.ledger.drop_wants(device, &contact, None);
        if let Some(create) = self
            .ledger
            .creates
            .iter_mut()
            .find(|create| create.record == contact)
        {
            create.thrown_away = true;
        }
        Ok(())
    }

    /// Makes a contact that only the org knows to be wrong, and a task that needs it.
    pub fn mistype_contact(&mut self, device: usize) -> Result<()> {
        let (mark, today) = (self.mark(device), self.world.today());
        let mut contact = vec![("LastName".into(), Value::from(format!("Unborn {mark}")))];
        contact.extend(wrong("Contact", today));
        let contact = self.create(device, "Contact", "LastName", contact)?;
        let task = vec![
            (
                "Subject".into(),
                Value::from(format!("Congratulate {mark}")),
            ),
            ("WhoId".into(), Value::from(&contact)),
            ("ActivityDate".into(), Value::from(today)),
            ("Status".into(), Value::from("Not Started")),
            ("Priority".into(), Value::from("Normal")),
        ];
        self.create(device, "Task", "Subject", task)?;
        Ok(())
    }

    /// Tries to write what a describe alone shows to be wrong, and gives everything that was said about it.
    pub fn mistype_locally(&mut self, device: usize) -> Result<Vec<Problem>> {
        let store = &self.devices[device].store;
        let before = store.pending()?.len();
        let fields = Fields::from([
            ("Name", Value::from("x".repeat(130))),
            ("LeadSource", Value::Null),
            ("Amount", Value::Number(Decimal::new(1, 0))),
            ("IsWon", Value::Boolean(true)),
        ]);
        match store.create("Opportunity", fields) {
            Err(error)
                if error.kind() == ErrorKind::InvalidRecord && store.pending()?.len() == before =>
            {
                Ok(error.problems().to_vec())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Err(Failure::new(
                ErrorKind::Internal,
                "the device took an opportunity without a stage",
            )),
        }
    }

    /// Text that no record of any other run has.
    fn mark(&mut self, device: usize) -> String {
        format!(
            "{}-{}-{}",
            self.seed,
            device + 1,
            self.ledger.creates.len() + 1
        )
    }
}

/// A new customer, with a value of most types.
fn new_account(mark: &str, random: &mut Random, today: jiff::civil::Date) -> Vec<(String, Value)> {
    vec![
        (
            "Name".into(),
            Value::from(format!("Søren & Söhne “Bäckerei” {mark}")),
        ),
        ("Phone".into(), fields::phone(random)),
        (
            "Website".into(),
            Value::from(format!("Baeckerei-{mark}.EXAMPLE/Shop?Q=1")),
        ),
        (
            "AnnualRevenue".into(),
            Value::from(random.between(100_000, 99_999_999_999)),
        ),
        (
            "Regions__c".into(),
            fields::several(random, &["AMER", "APAC", "EMEA", "LATAM"]),
        ),
        (
            "Renewal_Date__c".into(),
            fields::day(random, today, 30, 400),
        ),
        ("Description".into(), fields::prose(random)),
    ]
}

/// Values that the describe allows and a validation rule of the org does not.
pub fn wrong(object: &str, today: jiff::civil::Date) -> Vec<(String, Value)> {
    match object {
        "Opportunity" => vec![
            ("StageName".into(), Value::from("Closed Won")),
            ("Amount".into(), Value::Null),
        ],
        "Account" => vec![("NumberOfEmployees".into(), Value::from(-5))],
        _ => vec![(
            "Birthdate".into(),
            Value::from(today.saturating_add(jiff::Span::new().days(9))),
        )],
    }
}

/// Values that put [`wrong`] ones right.
pub fn right(object: &str, random: &mut Random, today: jiff::civil::Date) -> Vec<(String, Value)> {
    match object {
        "Opportunity" => vec![("Amount".into(), fields::cents(random, 9_999_999))],
        "Account" => vec![(
            "NumberOfEmployees".into(),
            Value::from(random.between(1, 5_000)),
        )],
        _ => vec![(
            "Birthdate".into(),
            fields::day(random, today, -20_000, -7_000),
        )],
    }
}

/// What a record is called on a device.
pub fn title(device: &Device, object: &str, record: &RecordId) -> Result<String> {
    let field = match object {
        "Task" | "Event" => "Subject",
        _ => "Name",
    };
    let value = device.value(record, field)?;
    Ok(if value.is_null() {
        record.to_string()
    } else {
        value.to_string()
    })
}
