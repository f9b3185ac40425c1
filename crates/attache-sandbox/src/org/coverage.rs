//! Teams and territories: who sees a row without owning it, and the scopes that ask for such rows.

use super::table::{IdKey, Slot, key};
use super::{Org, Viewer};
use crate::catalog::coverage;
use crate::schema::Schema;
use crate::value::Value;

/// How far a chain of territories is followed.
const DEPTH: u8 = 10;

/// Who covers the rows of one object, as indexes into the schema.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    team: Option<Team>,
    territory: Option<Territory>,
}

#[derive(Clone, Copy, Debug)]
struct Team {
    table: usize,
    row: usize,
    user: usize,
    level: usize,
}

#[derive(Clone, Copy, Debug)]
struct Territory {
    /// The lookup to the account that lies in a territory; `None` if the row is the account.
    account: Option<usize>,
    rows: (usize, usize, usize),
    users: (usize, usize, usize),
    territories: usize,
    parent: usize,
    level: usize,
}

impl Coverage {
    pub(super) fn of(schema: &Schema, object: usize) -> Coverage {
        let name = &schema.objects()[object].name;
        Coverage {
            team: Team::of(schema, name),
            territory: Territory::of(schema, name),
        }
    }
}

impl Team {
    fn of(schema: &Schema, name: &str) -> Option<Team> {
        let table = schema.index(&format!("{name}TeamMember"))?;
        let members = &schema.objects()[table];
        Some(Team {
            table,
            row: members.index(&format!("{name}Id"))?,
            user: members.index("UserId")?,
            level: members.index(&format!("{name}AccessLevel"))?,
        })
    }
}

impl Territory {
    fn of(schema: &Schema, name: &str) -> Option<Territory> {
        let account = match name {
            "Account" => None,
            "Contact" | "Opportunity" => Some(schema.object(name)?.index("AccountId")?),
            _ => return None,
        };
        let association = |name: &str, field: &str| {
            let at = schema.index(name)?;
            let object = &schema.objects()[at];
            Some((at, object.index("Territory2Id")?, object.index(field)?))
        };
        let territories = schema.index("Territory2")?;
        let territory = &schema.objects()[territories];
        Some(Territory {
            account,
            rows: association("ObjectTerritory2Association", "ObjectId")?,
            users: association("UserTerritory2Association", "UserId")?,
            territories,
            parent: territory.index("ParentTerritory2Id")?,
            level: territory.index("AccountAccessLevel")?,
        })
    }
}

impl Org {
    /// Turns teams on: AccountTeamMember and OpportunityTeamMember, whose users see the row and, with the access
    /// level `Edit`, change it. The scope `team` finds it.
    pub fn enable_teams(&mut self) {
        let mut schema = self.schema_mut();
        schema.insert(coverage::team_member("Account", "01M"));
        schema.insert(coverage::team_member("Opportunity", "00q"));
    }

    /// Turns territories on: Territory2, UserTerritory2Association and ObjectTerritory2Association.
    ///
    /// Who works in the territory of an account, or in one above it, sees the account and what belongs to it, and
    /// with the access level `Edit` changes the account. The scope `my_territory` finds what lies in a territory of
    /// the user, `my_team_territory` also what lies in one below.
    pub fn enable_territories(&mut self) {
        let mut schema = self.schema_mut();
        schema.insert(coverage::territory());
        schema.insert(coverage::user_in_territory());
        schema.insert(coverage::row_in_territory());
        for name in ["Account", "Opportunity"] {
            let Some(mut object) = schema.object(name).cloned() else {
                continue;
            };
            for scope in ["my_territory", "my_team_territory"] {
                if !object.scopes.contains(&scope) {
                    object.scopes.push(scope);
                }
            }
            schema.insert(object);
        }
    }

    /// Says whether a team or a territory lets a user see, or change, a row.
    pub(super) fn covers(&self, viewer: &Viewer, object: usize, slot: Slot, edit: bool) -> bool {
        self.has_member(object, slot, edit, |id| self.stands_for(viewer, object, id))
            || self.lies_in_territory(viewer, object, slot, edit, true)
    }

    /// Says whether a user is in the team of a row; with `edit`, as one who changes it.
    pub(crate) fn is_in_team(
        &self,
        viewer: &Viewer,
        object: usize,
        slot: Slot,
        edit: bool,
    ) -> bool {
        self.has_member(object, slot, edit, |id| id == viewer.key)
    }

    fn has_member(
        &self,
        object: usize,
        slot: Slot,
        edit: bool,
        who: impl Fn(IdKey) -> bool,
    ) -> bool {
        let Some(team) = self.sharing.coverage(object).and_then(|cover| cover.team) else {
            return false;
        };
        let members = &self.tables[team.table];
        let Some(row) = key(self.tables[object].id(slot)) else {
            return false;
        };
        members.children(team.row, row).any(|member| {
            let user = members.value(member, team.user).as_text().and_then(key);
            !members.is_deleted(member)
                && user.is_some_and(&who)
                && (!edit || *members.value(member, team.level) == Value::text("Edit"))
        })
    }

    /// Says whether a row lies in a territory of a user; with `below`, in one of theirs or under it.
    pub(crate) fn lies_in_territory(
        &self,
        viewer: &Viewer,
        object: usize,
        slot: Slot,
        edit: bool,
        below: bool,
    ) -> bool {
        let Some(way) = self
            .sharing
            .coverage(object)
            .and_then(|cover| cover.territory)
        else {
            return false;
        };
        // The level is that of accounts: what hangs on one is seen only.
        let account = match way.account {
            None => key(self.tables[object].id(slot)),
            Some(_) if edit => None,
            Some(at) => self.tables[object].value(slot, at).as_text().and_then(key),
        };
        let (table, to, of) = way.rows;
        let rows = &self.tables[table];
        account.is_some_and(|account| {
            rows.children(of, account).any(|row| {
                let territory = rows.value(row, to).as_text();
                !rows.is_deleted(row)
                    && territory
                        .is_some_and(|territory| self.works_in(viewer, way, territory, edit, below))
            })
        })
    }

    fn works_in(
        &self,
        viewer: &Viewer,
        way: Territory,
        territory: &str,
        edit: bool,
        below: bool,
    ) -> bool {
        let territories = &self.tables[way.territories];
        let (table, to, of) = way.users;
        let users = &self.tables[table];
        let find = |id: &str| territories.find(&key(id)?);
        let first = find(territory);
        let may_edit =
            first.is_some_and(|at| *territories.value(at, way.level) == Value::text("Edit"));
        let mut next = first.filter(|_| !edit || may_edit);
        for _ in 0..DEPTH {
            let Some(at) = next.filter(|at| !territories.is_deleted(*at)) else {
                return false;
            };
            let works_here = key(territories.id(at)).is_some_and(|id| {
                users.children(to, id).any(|user| {
                    let who = users.value(user, of).as_text().and_then(key);
                    !users.is_deleted(user) && who == Some(viewer.key)
                })
            });
            if works_here {
                return true;
            }
            let parent = territories.value(at, way.parent).as_text();
            next = parent.filter(|_| below).and_then(find);
        }
        false
    }
}
