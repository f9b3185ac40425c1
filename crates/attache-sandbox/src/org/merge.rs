//! What an administrator does with several rows at once: merging duplicates, and converting a lead.

use super::replicate::DeleteEntry;
use super::save::{no_access, one};
use super::{Org, SaveError, Slot, Viewer};
use crate::id;
use crate::json;
use crate::value::Value;

/// Objects whose rows can be merged.
const MERGEABLE: [&str; 3] = ["Account", "Contact", "Lead"];
/// Rows of a merge at most, the one that stays included.
const MERGED_MAX: usize = 3;
/// The lookup that leads from a merged row to the one that stayed.
const MASTER: &str = "MasterRecordId";

/// What a lead became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// 18-character id of the account.
    pub account: String,
    /// 18-character id of the contact.
    pub contact: String,
    /// 18-character id of the opportunity, if one was wanted.
    pub opportunity: Option<String>,
}

impl Org {
    /// Merges one or two rows of an account, a contact or a lead into a third.
    ///
    /// What hung on them hangs on the third from then on, with new stamps; they go to the recycle bin and name the
    /// third in `MasterRecordId`. No resource of the REST API does this: people do, and Apex.
    ///
    /// # Errors
    ///
    /// Those of a delete of each, and of an update of the row that stays. Nothing was done then.
    pub fn merge(
        &mut self,
        actor: &str,
        object: &str,
        master: &str,
        losers: &[&str],
    ) -> Result<(), Vec<SaveError>> {
        let refused = |message: &str| Err(one(SaveError::new("INVALID_ARGUMENT_TYPE", message)));
        if !MERGEABLE
            .iter()
            .any(|name| name.eq_ignore_ascii_case(object))
        {
            return refused("rows of this object cannot be merged");
        }
        if losers.is_empty() || losers.len() >= MERGED_MAX {
            return refused("a merge takes one or two rows besides the one that stays");
        }
        let viewer = self.viewer(actor);
        let (at, winner) = self.reach(&viewer, object, master).map_err(one)?;
        let mut slots = Vec::new();
        for loser in losers {
            let (_, slot) = self.reach(&viewer, object, loser).map_err(one)?;
            if slot == winner || slots.contains(&slot) {
                return refused("a row cannot be merged with itself");
            }
            slots.push(slot);
        }
        self.check_merge(&viewer, at, winner, &slots).map_err(one)?;
        self.atomically(|org| {
            for &slot in &slots {
                org.absorb(actor, at, winner, slot).map_err(one)?;
            }
            org.touch_by(actor, at, winner, |_| {});
            Ok(())
        })
    }

    fn check_merge(
        &self,
        viewer: &Viewer,
        object: usize,
        winner: Slot,
        losers: &[Slot],
    ) -> Result<(), SaveError> {
        let removable = |&slot: &Slot| self.removable(viewer, object, slot);
        if !self.editable(viewer, object, winner) || !losers.iter().all(removable) {
            return Err(no_access());
        }
        for &slot in losers.iter().chain([&winner]) {
            self.check_lock(object, slot)?;
            self.check_approval(viewer, object, slot)?;
        }
        Ok(())
    }

    /// Hangs what hangs on a row on another, and deletes it.
    fn absorb(
        &mut self,
        actor: &str,
        object: usize,
        winner: Slot,
        loser: Slot,
    ) -> Result<(), SaveError> {
        let winner_id = Value::text(self.tables[object].id(winner));
        for (child, field) in self.all_lookups_to(object) {
            if self.schema.objects()[child].fields[field].name == MASTER {
                continue;
            }
            for slot in self.living_children(child, field, object, loser) {
                self.check_lock(child, slot)?;
                // A row cannot hang on itself.
                let itself = (child, slot) == (object, winner);
                let target = if itself {
                    Value::Null
                } else {
                    winner_id.clone()
                };
                self.touch_by(actor, child, slot, |row| row[field] = target);
            }
        }
        if let Some(field) = self.schema.objects()[object].index(MASTER)
            && let Some(mut row) = self.whole_row(object, loser)
        {
            row[field] = winner_id;
            self.replace_row(object, loser, row.into());
        }
        self.mark(actor, object, loser, true);
        if self.config.switches.merges_are_in_delete_log {
            let at = self.now;
            self.log_deletion(object, DeleteEntry { slot: loser, at });
        }
        Ok(())
    }

    /// Lists every lookup that may name a row of an object, as (object, field).
    fn all_lookups_to(&self, object: usize) -> Vec<(usize, usize)> {
        let name = &self.schema.objects()[object].name;
        let mut found = Vec::new();
        for (child, definition) in self.schema.objects().iter().enumerate() {
            for &field in &self.tables[child].columns.references {
                if definition.fields[field].reference_to.contains(name) {
                    found.push((child, field));
                }
            }
        }
        found
    }

    /// Changes a row as a user does, past every check: all its stamps move.
    pub(super) fn touch_by(
        &mut self,
        actor: &str,
        object: usize,
        slot: Slot,
        change: impl FnOnce(&mut Vec<Value>),
    ) {
        let Some(mut row) = self.whole_row(object, slot) else {
            return;
        };
        change(&mut row);
        let columns = &self.tables[object].columns;
        if let Some(at) = columns.modified {
            row[at] = Value::DateTime(self.now);
        }
        if let Some(at) = columns.modified_by {
            row[at] = id::parse(actor).map_or(Value::Null, Value::text);
        }
        self.stamp_system(object, &mut row);
        self.replace_row(object, slot, row.into());
    }

    /// Converts a lead into an account, a contact and, if wanted, an opportunity.
    ///
    /// The lead stays and names them; from then on nobody can change it. What was about the lead is about the
    /// contact. No resource of the REST API does this.
    ///
    /// # Errors
    ///
    /// Those of an update of the lead, and of the creates. Nothing was done then.
    pub fn convert_lead(
        &mut self,
        actor: &str,
        lead: &str,
        with_opportunity: bool,
    ) -> Result<Converted, Vec<SaveError>> {
        let viewer = self.viewer(actor);
        let (object, slot) = self.reach(&viewer, "Lead", lead).map_err(one)?;
        if !self.editable(&viewer, object, slot) {
            return Err(one(no_access()));
        }
        self.check_lock(object, slot).map_err(one)?;
        self.check_approval(&viewer, object, slot).map_err(one)?;
        if let Some(error) = self.converted_lead(object, slot) {
            return Err(one(error));
        }
        self.atomically(|org| {
            let text = |org: &Org, name: &str| -> Option<String> {
                let at = org.schema.objects()[object].index(name)?;
                let value = org.tables[object].value(slot, at);
                value.as_text().map(str::to_owned)
            };
            let company = text(org, "Company").unwrap_or_else(|| "?".into());
            let account = org.create(actor, "Account", &written(&[("Name", Some(&company))]))?;
            let names = ["FirstName", "LastName", "Email", "Phone"];
            let values: Vec<Option<String>> = names.iter().map(|name| text(org, name)).collect();
            let mut fields: Vec<(&str, Option<&str>)> = names
                .iter()
                .zip(&values)
                .map(|(name, value)| (*name, value.as_deref()))
                .collect();
            fields.push(("AccountId", Some(&account)));
            let contact = org.create(actor, "Contact", &written(&fields))?;
            let opportunity = match with_opportunity {
                true => Some(org.open_opportunity(actor, &company, &account)?),
                false => None,
            };
            let converted = Converted {
                account,
                contact,
                opportunity,
            };
            org.close_lead(actor, object, slot, &converted)
                .map_err(one)?;
            Ok(converted)
        })
    }

    fn open_opportunity(
        &mut self,
        actor: &str,
        name: &str,
        account: &str,
    ) -> Result<String, Vec<SaveError>> {
        let stage = crate::catalog::stages().first().map(|stage| stage.name);
        let closes = super::time::civil_utc(self.now)
            .date()
            .last_of_month()
            .to_string();
        let fields = [
            ("Name", Some(name)),
            ("AccountId", Some(account)),
            ("StageName", stage),
            ("CloseDate", Some(closes.as_str())),
        ];
        self.create(actor, "Opportunity", &written(&fields))
    }

    fn close_lead(
        &mut self,
        actor: &str,
        object: usize,
        slot: Slot,
        converted: &Converted,
    ) -> Result<(), SaveError> {
        for (child, field) in self.all_lookups_to(object) {
            let lookup = &self.schema.objects()[child].fields[field];
            if !lookup.reference_to.iter().any(|to| to == "Contact") {
                continue;
            }
            for at in self.living_children(child, field, object, slot) {
                self.check_lock(child, at)?;
                let contact = Value::text(&converted.contact);
                self.touch_by(actor, child, at, |row| row[field] = contact);
            }
        }
        let today = super::time::civil_utc(self.now).date();
        let text = |id: &String| Value::text(id);
        let values = [
            ("IsConverted", Value::Bool(true)),
            ("Status", Value::text("Closed - Converted")),
            ("ConvertedDate", Value::Date(today)),
            ("ConvertedAccountId", text(&converted.account)),
            ("ConvertedContactId", text(&converted.contact)),
            (
                "ConvertedOpportunityId",
                converted.opportunity.as_ref().map_or(Value::Null, text),
            ),
        ];
        let columns: Vec<_> = values
            .into_iter()
            .filter_map(|(name, value)| Some((self.schema.objects()[object].index(name)?, value)))
            .collect();
        self.touch_by(actor, object, slot, |row| {
            for (at, value) in columns {
                row[at] = value;
            }
        });
        Ok(())
    }

    /// Refuses to change a lead that was converted.
    pub(super) fn converted_lead(&self, object: usize, slot: Slot) -> Option<SaveError> {
        let definition = &self.schema.objects()[object];
        let converted = definition
            .index("IsConverted")
            .filter(|_| definition.name == "Lead")?;
        (*self.tables[object].value(slot, converted) == Value::Bool(true)).then(|| {
            SaveError::new(
                "CANNOT_UPDATE_CONVERTED_LEAD",
                "cannot reference converted lead",
            )
        })
    }
}

/// Writes texts as the fields of a write.
fn written(fields: &[(&str, Option<&str>)]) -> Vec<(String, Box<serde_json::value::RawValue>)> {
    fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), json::raw(json::quoted((*value)?)))))
        .collect()
}
