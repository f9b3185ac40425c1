//! Finding the rows a condition can hold for, without looking at all of them.

use super::ast::Op;
use super::eval::Eye;
use super::filter::{Mode, Pred, Test};
use super::plan::{By, OrderBy, Reach, Term};
use crate::org::{IdKey, Slot, Table, key};
use crate::schema::FieldKind;
use crate::value::Value;
use std::ops::Bound;

/// Where candidate rows come from, and in which order.
enum Source {
    All,
    Slots(Vec<Slot>),
    /// Stamps from the first to the second, ordered by stamp and id.
    Stamped(i64, i64),
    /// Ids between the bounds, in order.
    Ids(Bound<IdKey>, Bound<IdKey>),
}

impl Eye<'_> {
    /// Finds the visible rows that fulfil a condition, in the order asked for, `most` at most.
    ///
    /// Uses an index where the condition
    /// pins the id, a lookup, a unique field or a span of `SystemModstamp`.
    pub(crate) fn find(
        &self,
        object: usize,
        filter: Option<&Pred<Term>>,
        reach: Reach,
        order: &[OrderBy],
        most: Option<usize>,
    ) -> Vec<Slot> {
        let table = self.org.table(object);
        let source = self.source(object, filter, reach, order);
        let ordered = order.is_empty() || comes_ordered(&source, table, order);
        let enough = most.filter(|_| ordered).unwrap_or(usize::MAX);
        let owner = table.columns.owner;
        let own = |slot: Slot| {
            owner.is_some_and(|at| {
                table.value(slot, at).as_text().and_then(key) == Some(self.viewer.key)
            })
        };
        let text = |slot: Slot, at: Option<usize>| table.value(slot, at?).as_text();
        let made = |slot: Slot| {
            let by = self.org.schema().objects()[object].index("CreatedById");
            text(slot, by).and_then(key) == Some(self.viewer.key)
        };
        let owner_prefix = |slot: Slot| text(slot, owner)?.get(..3);
        let in_reach = |slot: Slot| match reach {
            Reach::Everything => true,
            Reach::Mine => own(slot),
            Reach::Team => {
                own(slot)
                    || self.org.granted(self.viewer, object, slot, false)
                    || self.org.is_in_team(self.viewer, object, slot, false)
            }
            Reach::Territory | Reach::TeamTerritory => {
                let below = reach == Reach::TeamTerritory;
                self.org
                    .lies_in_territory(self.viewer, object, slot, false, below)
            }
            Reach::Delegated => !own(slot) && made(slot),
            Reach::Queue => !own(slot) && self.org.owns(self.viewer, object, slot),
            Reach::UserOwned => owner_prefix(slot) == Some("005"),
            Reach::TeamByRole => {
                let owner = text(slot, owner).and_then(key);
                own(slot) || owner.is_some_and(|owner| self.viewer.below.contains(&owner))
            }
            Reach::MineAndGroups => self.org.owns(self.viewer, object, slot),
        };
        let holds = |slot: &Slot| in_reach(*slot) && self.holds(object, *slot, filter);
        let mut rows: Vec<Slot> = match source {
            Source::All => table
                .slots()
                .map(|(slot, _)| slot)
                .filter(holds)
                .take(enough)
                .collect(),
            Source::Slots(slots) => slots.into_iter().filter(holds).take(enough).collect(),
            Source::Stamped(from, to) => table
                .stamped(from, to)
                .map(|(_, slot)| slot)
                .filter(holds)
                .take(enough)
                .collect(),
            Source::Ids(from, to) => table.ids(from, to).filter(holds).take(enough).collect(),
        };
        if !ordered {
            self.sort(object, &mut rows, order);
        }
        rows.truncate(most.unwrap_or(usize::MAX));
        rows
    }

    /// Finds the visible rows among candidates, as [`Eye::find`] does.
    pub(crate) fn among(
        &self,
        object: usize,
        mut rows: Vec<Slot>,
        filter: Option<&Pred<Term>>,
        order: &[OrderBy],
        most: Option<usize>,
    ) -> Vec<Slot> {
        rows.retain(|slot| self.holds(object, *slot, filter));
        if !order.is_empty() {
            self.sort(object, &mut rows, order);
        }
        rows.truncate(most.unwrap_or(usize::MAX));
        rows
    }

    fn holds(&self, object: usize, slot: Slot, filter: Option<&Pred<Term>>) -> bool {
        self.sees(object, slot)
            && filter
                .is_none_or(|filter| filter.holds(&|term: &Term| self.term(object, slot, term)))
    }

    fn source(
        &self,
        object: usize,
        filter: Option<&Pred<Term>>,
        reach: Reach,
        order: &[OrderBy],
    ) -> Source {
        let table = self.org.table(object);
        let mut slots: Option<Vec<Slot>> = None;
        if let Some(filter) = filter {
            for (field, test) in conjuncts(filter) {
                let found = self.pinned(object, table, field, test);
                if let Some(found) = found
                    && slots.as_ref().is_none_or(|slots| found.len() < slots.len())
                {
                    slots = Some(found);
                }
            }
        }
        if let Some(mut slots) = slots {
            slots.sort_unstable();
            slots.dedup();
            return Source::Slots(slots);
        }
        let (from, to) = filter.map_or((i64::MIN, i64::MAX), |filter| stamps(filter, table));
        if from > i64::MIN || to < i64::MAX {
            return Source::Stamped(from, to);
        }
        let own = |at: usize| {
            order
                .get(at)
                .filter(|order| !order.descending)
                .and_then(|order| match &order.by {
                    By::Term(term) => term.own_field(),
                    By::Group(_) => None,
                })
        };
        let first = own(0);
        if let (Some(owner), true) = (table.columns.owner, reach == Reach::Mine) {
            return Source::Slots(table.children(owner, self.viewer.key).collect());
        }
        if first.is_some() && first == table.columns.stamp {
            return Source::Stamped(from, to);
        }
        let (low, high) = filter.map_or((Bound::Unbounded, Bound::Unbounded), |filter| {
            ids(filter, table)
        });
        if first == Some(table.columns.id) || (low, high) != (Bound::Unbounded, Bound::Unbounded) {
            return Source::Ids(low, high);
        }
        Source::All
    }

    /// Finds the rows a test on an indexed field can hold for.
    fn pinned(&self, object: usize, table: &Table, field: usize, test: &Test) -> Option<Vec<Slot>> {
        let definition = &self.org.schema().objects()[object];
        let ids: Vec<IdKey> = match test {
            Test::Is(Mode::Id, Value::Text(text)) => vec![key(text)?],
            Test::In(set) if !set.null && set.folded.is_empty() && set.exact.is_empty() => {
                set.ids.iter().copied().collect()
            }
            Test::Is(Mode::Folded | Mode::Exact, value) if table.columns.keys.contains(&field) => {
                let value = crate::org::folded(definition, field, value)?;
                return Some(table.keyed(field, &value).to_vec());
            }
            Test::In(set)
                if !set.null && set.exact.is_empty() && table.columns.keys.contains(&field) =>
            {
                return Some(
                    set.folded
                        .iter()
                        .flat_map(|value| table.keyed(field, value))
                        .copied()
                        .collect(),
                );
            }
            _ => return None,
        };
        if field == table.columns.id {
            return Some(ids.iter().filter_map(|id| table.find(id)).collect());
        }
        let indexed = definition.fields[field].kind == FieldKind::Reference
            && table.columns.references.contains(&field);
        indexed.then(|| {
            ids.into_iter()
                .flat_map(|id| table.children(field, id))
                .collect()
        })
    }
}

/// Gives the tests on own fields that must all hold.
fn conjuncts(filter: &Pred<Term>) -> Vec<(usize, &Test)> {
    match filter {
        Pred::All(parts) => parts.iter().flat_map(conjuncts).collect(),
        Pred::Test(term, test) => term
            .own_field()
            .map(|field| (field, test))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Gives the span of `SystemModstamp` outside which a condition cannot hold.
fn stamps(filter: &Pred<Term>, table: &Table) -> (i64, i64) {
    const WHOLE: (i64, i64) = (i64::MIN, i64::MAX);
    match filter {
        Pred::All(parts) => parts
            .iter()
            .map(|part| stamps(part, table))
            .fold(WHOLE, |a, b| (a.0.max(b.0), a.1.min(b.1))),
        Pred::Any(parts) => {
            let spans = parts.iter().map(|part| stamps(part, table));
            spans
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
                .unwrap_or(WHOLE)
        }
        Pred::Test(term, test)
            if term.own_field().is_some() && term.own_field() == table.columns.stamp =>
        {
            match test {
                Test::Is(_, Value::DateTime(at)) => (*at, *at),
                Test::Order(_, Op::Less, Value::DateTime(at)) => (i64::MIN, at.saturating_sub(1)),
                Test::Order(_, Op::LessEqual, Value::DateTime(at)) => (i64::MIN, *at),
                Test::Order(_, Op::Greater, Value::DateTime(at)) => {
                    (at.saturating_add(1), i64::MAX)
                }
                Test::Order(_, Op::GreaterEqual, Value::DateTime(at)) => (*at, i64::MAX),
                Test::Within(Value::DateTime(from), Value::DateTime(to)) => {
                    (*from, to.saturating_sub(1))
                }
                _ => WHOLE,
            }
        }
        _ => WHOLE,
    }
}

/// Gives the bounds of the id that every row must keep.
fn ids(filter: &Pred<Term>, table: &Table) -> (Bound<IdKey>, Bound<IdKey>) {
    let (mut low, mut high) = (Bound::Unbounded, Bound::Unbounded);
    for (field, test) in conjuncts(filter) {
        let Test::Order(_, op, Value::Text(text)) = test else {
            continue;
        };
        let (Some(id), true) = (key(text), field == table.columns.id) else {
            continue;
        };
        match op {
            Op::Less => high = Bound::Excluded(id),
            Op::LessEqual => high = Bound::Included(id),
            Op::Greater => low = Bound::Excluded(id),
            _ => low = Bound::Included(id),
        }
    }
    (low, high)
}

/// Says whether a source gives its rows in the order asked for.
fn comes_ordered(source: &Source, table: &Table, order: &[OrderBy]) -> bool {
    let fields: Option<Vec<usize>> = order
        .iter()
        .map(|order| match &order.by {
            By::Term(term) if !order.descending => term.own_field(),
            _ => None,
        })
        .collect();
    let Some(fields) = fields else { return false };
    let (id, stamp) = (table.columns.id, table.columns.stamp);
    match source {
        Source::Stamped(..) => match fields.as_slice() {
            [first] => Some(*first) == stamp,
            [first, second] => Some(*first) == stamp && *second == id,
            _ => false,
        },
        Source::Ids(..) => fields.first() == Some(&id),
        Source::All | Source::Slots(_) => false,
    }
}
