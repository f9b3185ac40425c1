//! What will happen to which record: chance deals the parts before the day begins.

use crate::demo::fields::{self, Free};
use crate::demo::random::Random;
use crate::demo::world::{Device, Person, World};
use crate::error::Result;
use attache::{RecordId, Value};
use std::collections::BTreeSet;

/// A part that a record plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Edited on one device.
    Edited,
    /// Edited on a device and, in other fields, at the org.
    Merged,
    /// Edited on a device and, in the same field, at the org.
    Disputed,
    /// Edited on a device while a colleague moves its stage, which a trigger follows.
    StageMoved,
    /// Edited on a device and deleted at the org.
    DeletedThere,
    /// Deleted on a device.
    DeletedHere,
    /// Deleted on a device and edited at the org.
    DeletedHereEditedThere,
    /// Edited on a device in a way that only the org knows to be wrong.
    Refused,
    /// A colleague takes it over, so that it leaves the briefcase.
    Leaves,
    /// A colleague hands it to this person, so that it enters the briefcase.
    Enters,
    /// A colleague hangs it under another account.
    Moves,
    /// Edited on both devices.
    Together,
}

/// One record in its part.
pub struct Scene {
    /// Whose device.
    pub device: usize,
    /// The record's object.
    pub object: &'static str,
    /// The record.
    pub record: RecordId,
    /// What happens to it.
    pub part: Part,
    /// The fields this person edits.
    pub mine: Vec<&'static Free>,
    /// The fields a colleague edits.
    pub theirs: Vec<&'static Free>,
}

/// Records that are on both devices.
#[derive(Default)]
pub struct Shared {
    /// Accounts of the first person that are shared with the second.
    pub accounts: Vec<RecordId>,
    /// Opportunities of the second person under those accounts.
    pub opportunities: Vec<RecordId>,
}

/// Sees to it that both people carry some of the same records.
pub fn share(world: &World, people: &[Person; 2], random: &mut Random) -> Result<Shared> {
    let [first, second] = people;
    let soql = format!(
        "SELECT Id, AccountId FROM Opportunity WHERE Account.OwnerId = '{}' ORDER BY Id",
        first.access.id
    );
    let mut rows = world.rows(&world.observer, &soql)?;
    random.shuffle(&mut rows);
    let mut shared = Shared::default();
    for row in rows {
        let Some(account) = row.text("AccountId") else {
            continue;
        };
        let account = RecordId::parse(&account)?;
        if shared.accounts.contains(&account) {
            continue;
        }
        let close = world
            .today()
            .saturating_add(jiff::Span::new().days(20 + random.between(0, 40)));
        let fields = [
            ("OwnerId".into(), Value::from(&*second.access.id)),
            ("CloseDate".into(), Value::from(close)),
        ];
        world.write(&world.colleague, "Opportunity", &row.id, &fields)?;
        world
            .sandbox
            .with_org(|org| org.grant("Account", account.as_str(), &second.access.id));
        shared.accounts.push(account);
        shared.opportunities.push(RecordId::parse(&row.id)?);
        if shared.accounts.len() == 4 {
            break;
        }
    }
    Ok(shared)
}

/// Deals parts to records.
pub struct Dealer<'a> {
    world: &'a World,
    devices: &'a [Device; 2],
    random: &'a mut Random,
    used: BTreeSet<RecordId>,
    scenes: Vec<Scene>,
}

impl<'a> Dealer<'a> {
    /// Starts with the records that both devices share already spoken for.
    pub fn new(
        world: &'a World,
        devices: &'a [Device; 2],
        shared: &Shared,
        random: &'a mut Random,
    ) -> Dealer<'a> {
        let used = shared
            .accounts
            .iter()
            .chain(&shared.opportunities)
            .cloned()
            .collect();
        let mut dealer = Dealer {
            world,
            devices,
            random,
            used,
            scenes: Vec::new(),
        };
        dealer.deal_together("Account", &shared.accounts);
        dealer.deal_together("Opportunity", &shared.opportunities);
        dealer
    }

    /// Deals every part.
    pub fn deal(mut self) -> Result<Vec<Scene>> {
        for device in 0..self.devices.len() {
            self.deal_fragile(device)?;
        }
        for device in 0..self.devices.len() {
            self.deal_edits(device)?;
            self.deal_moves(device)?;
        }
        Ok(self.scenes)
    }

    /// Deals the parts that need records with nothing hanging on them, or with all that hangs on them.
    fn deal_fragile(&mut self, device: usize) -> Result<()> {
        let me = self.devices[device].person.access.id.clone();
        let mine = format!("OwnerId = '{me}'");
        self.take(device, "Contact", None, Part::DeletedHere, 1, true)?;
        self.take(device, "Contact", None, Part::DeletedThere, 1, true)?;
        self.take(device, "Opportunity", None, Part::DeletedThere, 1, true)?;
        self.take(device, "Task", Some(&mine), Part::DeletedHere, 2, false)?;
        self.take(
            device,
            "Task",
            Some(&mine),
            Part::DeletedHereEditedThere,
            1,
            false,
        )?;
        self.take(device, "Task", Some(&mine), Part::DeletedThere, 1, false)?;
        self.take(device, "Event", Some(&mine), Part::DeletedHere, 1, false)?;
        self.take(device, "Visit__c", None, Part::DeletedHere, 1, true)?;
        self.take_leaving(device, &mine)
    }

    fn deal_edits(&mut self, device: usize) -> Result<()> {
        let me = self.devices[device].person.access.id.clone();
        let mine = format!("OwnerId = '{me}'");
        let open = "StageName != 'Closed Won' AND StageName != 'Closed Lost'";
        self.take(device, "Opportunity", Some(open), Part::Refused, 1, false)?;
        self.take(device, "Contact", None, Part::Refused, 1, false)?;
        self.take(device, "Account", Some(&mine), Part::Refused, 1, false)?;
        self.take(
            device,
            "Opportunity",
            Some(open),
            Part::StageMoved,
            1,
            false,
        )?;
        for (object, merged, disputed, edited) in [
            ("Account", 2, 2, 3),
            ("Contact", 2, 1, 4),
            ("Opportunity", 1, 2, 3),
            ("Visit__c", 1, 1, 2),
            ("Task", 1, 1, 2),
            ("Event", 1, 0, 1),
        ] {
            let condition = (object == "Account").then_some(mine.as_str());
            self.take(device, object, condition, Part::Merged, merged, false)?;
            self.take(device, object, condition, Part::Disputed, disputed, false)?;
            self.take(device, object, condition, Part::Edited, edited, false)?;
        }
        Ok(())
    }

    fn deal_moves(&mut self, device: usize) -> Result<()> {
        self.take(device, "Contact", None, Part::Moves, 2, false)?;
        let other = self.world.observer.access.id.clone();
        for (object, condition) in [
            ("Opportunity", "AccountId != null"),
            ("Task", "WhatId = null AND WhoId = null"),
            ("Account", "Name != null"),
        ] {
            let soql = format!(
                "SELECT Id FROM {object} WHERE OwnerId = '{other}' AND {condition} ORDER BY Id"
            );
            let mut rows = self.world.rows(&self.world.observer, &soql)?;
            self.random.shuffle(&mut rows);
            let free = rows.iter().filter_map(|row| RecordId::parse(&row.id).ok());
            let chosen = free.into_iter().find(|id| !self.used.contains(id));
            if let Some(record) = chosen {
                self.add(device, object, record, Part::Enters);
            }
        }
        Ok(())
    }

    /// Takes some records of a device that are not spoken for; fewer, if there are fewer.
    fn take(
        &mut self,
        device: usize,
        object: &'static str,
        condition: Option<&str>,
        part: Part,
        count: usize,
        lonely: bool,
    ) -> Result<()> {
        let mut left = count;
        for record in self.candidates(device, object, condition)? {
            if left == 0 {
                break;
            }
            if !lonely || self.is_lonely(object, &record)? {
                self.add(device, object, record, part);
                left -= 1;
            }
        }
        Ok(())
    }

    /// Takes an account none of whose children plays a part, and keeps its children out of the play.
    fn take_leaving(&mut self, device: usize, mine: &str) -> Result<()> {
        for record in self.candidates(device, "Account", Some(mine))? {
            let mut children = Vec::new();
            for (object, field) in HANG_ON_ACCOUNT {
                children.extend(self.referring(object, field, &record)?);
            }
            if children.len() <= 12 && children.iter().all(|child| !self.used.contains(child)) {
                self.used.extend(children);
                self.add(device, "Account", record, Part::Leaves);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Lets both people edit records: the same field of every other one, different fields of the rest.
    fn deal_together(&mut self, object: &'static str, records: &[RecordId]) {
        for (at, record) in records.iter().enumerate() {
            let mut wide: Vec<&Free> = fields::free(object)
                .iter()
                .filter(|field| field.wide)
                .collect();
            self.random.shuffle(&mut wide);
            for device in 0..self.devices.len() {
                let field = if at % 2 == 0 { wide[0] } else { wide[device] };
                let (record, part) = (record.clone(), Part::Together);
                self.scenes.push(Scene {
                    device,
                    object,
                    record,
                    part,
                    mine: vec![field],
                    theirs: Vec::new(),
                });
            }
        }
    }

    fn add(&mut self, device: usize, object: &'static str, record: RecordId, part: Part) {
        self.used.insert(record.clone());
        let (mine, theirs) = self.fields(object, part);
        self.scenes.push(Scene {
            device,
            object,
            record,
            part,
            mine,
            theirs,
        });
    }

    /// Chooses who edits which fields.
    fn fields(&mut self, object: &str, part: Part) -> (Vec<&'static Free>, Vec<&'static Free>) {
        let mut all: Vec<&Free> = fields::free(object).iter().collect();
        self.random.shuffle(&mut all);
        let wide: Vec<&Free> = all.iter().copied().filter(|field| field.wide).collect();
        let some = 1 + self.random.below(3.min(all.len() - 1));
        match part {
            Part::Edited => (all[..some].to_vec(), Vec::new()),
            Part::Merged => {
                let (mine, theirs) = all.split_at(some);
                (
                    mine.to_vec(),
                    theirs[..1 + self.random.below(theirs.len().min(2))].to_vec(),
                )
            }
            // Each side also edits a field that the other leaves alone, if there is one.
            Part::Disputed => {
                let apart: Vec<&Free> = all
                    .iter()
                    .copied()
                    .filter(|field| field.name != wide[0].name)
                    .collect();
                let mine = [&wide[..1], &apart[..apart.len().min(1)]].concat();
                (
                    mine,
                    [&wide[..1], &apart[apart.len().min(1)..apart.len().min(2)]].concat(),
                )
            }
            Part::DeletedThere => (wide[..1].to_vec(), Vec::new()),
            Part::DeletedHereEditedThere => (Vec::new(), wide[..1].to_vec()),
            Part::StageMoved => (
                all.into_iter()
                    .filter(|field| field.name == "NextStep")
                    .collect(),
                Vec::new(),
            ),
            _ => (Vec::new(), Vec::new()),
        }
    }

    fn candidates(
        &mut self,
        device: usize,
        object: &str,
        condition: Option<&str>,
    ) -> Result<Vec<RecordId>> {
        let condition = condition
            .map(|text| format!(" WHERE {text}"))
            .unwrap_or_default();
        let mut ids = self.devices[device].find(&format!("SELECT Id FROM {object}{condition}"))?;
        ids.retain(|id| !self.used.contains(id));
        self.random.shuffle(&mut ids);
        Ok(ids)
    }

    /// Says whether nothing at the org points at a record.
    fn is_lonely(&self, object: &str, record: &RecordId) -> Result<bool> {
        for (child, field) in hang_on(object) {
            if !self.referring(child, field, record)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn referring(&self, object: &str, field: &str, record: &RecordId) -> Result<Vec<RecordId>> {
        let soql = format!("SELECT Id FROM {object} WHERE {field} = '{record}'");
        let rows = self.world.rows(&self.world.observer, &soql)?;
        rows.iter()
            .map(|row| Ok(RecordId::parse(&row.id)?))
            .collect()
    }
}

const HANG_ON_ACCOUNT: [(&str, &str); 6] = [
    ("Account", "ParentId"),
    ("Contact", "AccountId"),
    ("Opportunity", "AccountId"),
    ("Visit__c", "Account__c"),
    ("Task", "WhatId"),
    ("Event", "WhatId"),
];

fn hang_on(object: &str) -> &'static [(&'static str, &'static str)] {
    match object {
        "Contact" => &[
            ("Task", "WhoId"),
            ("Event", "WhoId"),
            ("Visit__c", "Contact__c"),
            ("Contact", "ReportsToId"),
            ("Opportunity", "ContactId"),
        ],
        "Opportunity" | "Visit__c" => &[("Task", "WhatId"), ("Event", "WhatId")],
        _ => &[],
    }
}
