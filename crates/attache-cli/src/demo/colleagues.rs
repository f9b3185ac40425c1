//! What happens at the org meanwhile: a colleague at a desk, and the triggers that follow.

use crate::demo::diary::Subject;
use crate::demo::edits::Day;
use crate::demo::fields::Free;
use crate::demo::plan::{Part, Scene};
use crate::error::Result;
use attache::Value;

impl Day<'_> {
    /// Does the colleague's part of a scene, if there is one.
    pub fn play_theirs(&mut self, scene: &Scene) -> Result<()> {
        let id = scene.record.as_str();
        match scene.part {
            Part::Merged | Part::Disputed | Part::DeletedHereEditedThere => {
                let mut values = Vec::new();
                for field in &scene.theirs {
                    values.push((field.name.to_owned(), self.value_at_org(scene, field)?));
                }
                self.write(scene.object, id, values)
            }
            Part::StageMoved => {
                let stage = *self.random.pick(&[
                    "Proposal/Price Quote",
                    "Negotiation/Review",
                    "Closed Lost",
                ]);
                self.write(
                    scene.object,
                    id,
                    vec![("StageName".into(), Value::from(stage))],
                )
            }
            Part::DeletedThere => self.remove(scene.object, id),
            Part::Leaves => {
                let owner = Value::from(&*self.world.colleague.access.id);
                self.write(scene.object, id, vec![("OwnerId".into(), owner)])
            }
            Part::Enters => self.hand_over(scene),
            Part::Moves => self.move_contact(scene),
            Part::Edited | Part::DeletedHere | Part::Refused | Part::Together => Ok(()),
        }
    }

    fn value_at_org(&mut self, scene: &Scene, field: &Free) -> Result<Value> {
        // What is on the device is what the org had in the morning, unless it was edited or deleted since.
        let edited =
            self.ledger
                .wants
                .get(&(scene.device, scene.record.clone(), field.name.to_owned()));
        let edited = edited.map(|want| want.value.clone());
        let current = self.devices[scene.device].value(&scene.record, field.name)?;
        let rows = self.world.rows_by(
            &self.world.observer,
            scene.object,
            "Id",
            &[scene.record.to_string()],
            &["Id".into(), field.name.into()],
        )?;
        let not: Vec<&Value> = edited.iter().collect();
        loop {
            let value = field.value(self.random, self.world.today(), &current, &not);
            let is_there = rows.iter().filter_map(|row| row.fields.get(field.name));
            if is_there
                .into_iter()
                .all(|raw| !crate::demo::compare::same(&value, raw))
            {
                return Ok(value);
            }
        }
    }

    fn write(
        &mut self,
        object: &'static str,
        id: &str,
        values: Vec<(String, Value)>,
    ) -> Result<()> {
        let title = self.title_at_org(object, id)?;
        self.world
            .write(&self.world.colleague, object, id, &values)?;
        for (field, value) in &values {
            self.ledger.wrote(object, id, field, value);
        }
        self.note_at_org("changed", object, id, &title, &values)
    }

    fn remove(&mut self, object: &'static str, id: &str) -> Result<()> {
        let title = self.title_at_org(object, id)?;
        self.world.delete(&self.world.colleague, object, id)?;
        self.ledger.removed.insert(id.to_owned());
        self.note_at_org("deleted", object, id, &title, &[])
    }

    fn note_at_org(
        &mut self,
        did: &'static str,
        object: &'static str,
        id: &str,
        title: &str,
        values: &[(String, Value)],
    ) -> Result<()> {
        let subject = Subject {
            object,
            record: id,
            title,
        };
        let (now, who) = (self.world.sandbox.now(), &self.world.colleague.name);
        self.diary.note(now, who, did, subject, values)
    }

    /// Hands a record to this person, dated so that a rule of the briefcase takes it.
    fn hand_over(&mut self, scene: &Scene) -> Result<()> {
        let me = Value::from(&*self.devices[scene.device].person.access.id);
        let today = self.world.today();
        let soon = today.saturating_add(jiff::Span::new().days(30));
        let mut values = vec![("OwnerId".to_owned(), me)];
        match scene.object {
            "Opportunity" => values.push(("CloseDate".into(), Value::from(soon))),
            "Task" => values.push(("ActivityDate".into(), Value::from(today))),
            _ => {}
        }
        self.write(scene.object, scene.record.as_str(), values)
    }

    /// Hangs a contact under another account: of the same person, or of the other one.
    fn move_contact(&mut self, scene: &Scene) -> Result<()> {
        let whose = if self.random.percent(50) {
            scene.device
        } else {
            1 - scene.device
        };
        let owner = &self.devices[whose].person.access.id;
        let soql = format!("SELECT Id FROM Account WHERE OwnerId = '{owner}' ORDER BY Id");
        let accounts = self.world.rows(&self.world.observer, &soql)?;
        let now = self.devices[scene.device].value(&scene.record, "AccountId")?;
        let others: Vec<&str> = accounts
            .iter()
            .map(|row| row.id.as_str())
            .filter(|id| now.as_text() != Some(id))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let account = Value::from(*self.random.pick(&others));
        self.write(
            scene.object,
            scene.record.as_str(),
            vec![("AccountId".into(), account)],
        )
    }

    fn title_at_org(&self, object: &str, id: &str) -> Result<String> {
        let field = if matches!(object, "Task" | "Event") {
            "Subject"
        } else {
            "Name"
        };
        let fields = ["Id".to_owned(), field.to_owned()];
        let rows = self.world.rows_by(
            &self.world.observer,
            object,
            "Id",
            &[id.to_owned()],
            &fields,
        )?;
        Ok(rows
            .first()
            .and_then(|row| row.text(field))
            .unwrap_or_else(|| id.to_owned()))
    }
}
