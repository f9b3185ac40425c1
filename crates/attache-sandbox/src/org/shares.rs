//! Share rows: what is shared with a user or a group one row at a time, as rows that the API shows and takes.

use super::row::Row;
use super::save::{Draft, no_access, one};
use super::table::{IdKey, Slot, key};
use super::{Org, OrgWide, SaveError, Viewer};
use crate::catalog::sharing;
use crate::schema::Schema;
use crate::value::Value;

/// The objects whose shares stand in an object of their own, with its prefix and what an account's share takes along.
const STANDARD: [(&str, &str, &[&str]); 5] = [
    ("Account", "00r", &["Contact", "Opportunity", "Case"]),
    ("Contact", "03j", &[]),
    ("Opportunity", "00t", &[]),
    ("Lead", "01o", &[]),
    ("Case", "01n", &[]),
];

/// Where the shares of one object stand, as indexes into the schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    pub table: usize,
    pub row: usize,
    who: usize,
    level: usize,
    cause: usize,
    /// The lookup of the object's own rows to the row shared, where that is another one.
    through: Option<usize>,
}

impl Shares {
    /// Finds what shares rows of an object: shares of their own, and those of their account.
    pub(super) fn of(schema: &Schema, object: usize) -> Vec<Shares> {
        let definition = &schema.objects()[object];
        let own = Shares::between(schema, object, None);
        let account = schema.index("Account").zip(definition.index("AccountId"));
        let along = account.and_then(|(account, lookup)| {
            let way = Shares::between(schema, account, Some(&definition.name))?;
            Some(Shares {
                through: Some(lookup),
                ..way
            })
        });
        own.into_iter().chain(along).collect()
    }

    fn between(schema: &Schema, object: usize, child: Option<&str>) -> Option<Shares> {
        let (name, parent, level) = sharing::share_names(&schema.objects()[object]);
        let table = schema.index(&name)?;
        let share = &schema.objects()[table];
        let level = child.map_or(level, |child| format!("{child}AccessLevel"));
        Some(Shares {
            table,
            row: share.index(&parent)?,
            who: share.index("UserOrGroupId")?,
            level: share.index(&level)?,
            cause: share.index("RowCause")?,
            through: None,
        })
    }
}

impl Org {
    /// Turns share rows on: AccountShare, ContactShare, OpportunityShare, LeadShare, CaseShare, and `X__Share` of each
    /// custom object whose rows have owners.
    ///
    /// Who may give a row away adds and removes rows of the cause `Manual`, which end when the row changes hands; an
    /// administrator's are of any cause. What [`Org::grant`] gave, owners, teams and territories have no rows here.
    pub fn enable_shares(&mut self) {
        let custom = self.schema.objects().iter().filter(|object| {
            object.custom
                && object.index("OwnerId").is_some()
                && object.fields.iter().all(|f| f.relationship_order.is_none())
        });
        let custom = custom.enumerate().map(|(n, object)| {
            // The platform gives each of them a prefix; this one is made up.
            sharing::share(object, &format!("s{n:02}"), &[])
        });
        let standard = STANDARD.iter().filter_map(|(name, prefix, children)| {
            let object = self.schema.object(name)?;
            Some(sharing::share(object, prefix, children))
        });
        let made: Vec<_> = standard.chain(custom).collect();
        let mut schema = self.schema_mut();
        for share in made {
            if schema.index(&share.name).is_none() {
                schema.insert(share);
            }
        }
    }

    /// Says whether a share row gives a row to somebody.
    pub(super) fn has_share(
        &self,
        object: usize,
        slot: Slot,
        edit: bool,
        who: impl Fn(IdKey) -> bool,
    ) -> bool {
        self.sharing.shares(object).iter().any(|way| {
            let table = &self.tables[way.table];
            let row = match way.through {
                None => key(self.tables[object].id(slot)),
                Some(lookup) => self.tables[object]
                    .value(slot, lookup)
                    .as_text()
                    .and_then(key),
            };
            row.is_some_and(|row| {
                table.children(way.row, row).any(|share| {
                    let level = table.value(share, way.level).as_text();
                    let enough = match level {
                        Some("Edit" | "All") => true,
                        Some("Read") => !edit,
                        _ => false,
                    };
                    let with = table.value(share, way.who).as_text().and_then(key);
                    enough && !table.is_deleted(share) && with.is_some_and(&who)
                })
            })
        })
    }

    /// Refuses a share by somebody who may not give the row away, or that gives nothing.
    pub(super) fn check_share(&self, viewer: &Viewer, draft: &Draft) -> Result<(), Vec<SaveError>> {
        let Some((object, way)) = self.sharing.shared_by(draft.object) else {
            return Ok(());
        };
        if viewer.rights.modify_all {
            return Ok(());
        }
        let manual = draft.row[way.cause]
            .as_text()
            .is_none_or(|cause| cause == "Manual");
        let parent = draft.row[way.row].as_text().and_then(key);
        let place = parent.and_then(|id| self.tables[object].find(&id));
        if !manual || place.is_some_and(|slot| !self.removable(viewer, object, slot)) {
            return Err(one(no_access()));
        }
        let level = draft.row[way.level].as_text();
        let trivial = match self.sharing.defaults.of(object) {
            OrgWide::ReadWrite => true,
            OrgWide::Read => level == Some("Read"),
            _ => level == Some("All"),
        };
        if trivial {
            let name = &self.schema.objects()[draft.object].fields[way.level].name;
            let message = format!(
                "field integrity exception: {name} (trivial share level, for organization with default level)"
            );
            return Err(one(SaveError::field(
                "FIELD_INTEGRITY_EXCEPTION",
                name,
                message,
            )));
        }
        Ok(())
    }

    /// Ends the shares that people gave if a save gave the row to another owner.
    pub(super) fn end_shares_if_transferred(
        &mut self,
        actor: &str,
        object: usize,
        slot: Slot,
        before: Option<&Row>,
    ) {
        if let (Some(before), Some(owner)) = (before, self.tables[object].columns.owner)
            && before.get(owner) != Some(self.tables[object].value(slot, owner))
        {
            self.end_manual_shares(actor, object, slot);
        }
    }

    /// Ends the shares that people gave, as a change of owner does.
    pub(super) fn end_manual_shares(&mut self, actor: &str, object: usize, slot: Slot) {
        let own = self.sharing.shares(object).iter();
        let Some(way) = own.copied().find(|way| way.through.is_none()) else {
            return;
        };
        for share in self.living_children(way.table, way.row, object, slot) {
            let cause = self.tables[way.table].value(share, way.cause);
            if *cause == Value::text("Manual") {
                self.mark(actor, way.table, share, true);
            }
        }
    }
}
