//! The rows of one object, and the indexes that find them.

use super::row::Row;
use crate::id;
use crate::schema::{FieldKind, ObjectDef};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

/// The 15 significant characters of an id.
pub(crate) type IdKey = [u8; 15];

/// Where a row stands in its table. A row never moves.
pub(crate) type Slot = u32;

/// Takes the significant part of an id; the check characters are not looked at.
pub(crate) fn key(id: &str) -> Option<IdKey> {
    id.as_bytes().get(..15)?.try_into().ok()
}

/// Where an object's fields of general meaning stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    pub id: usize,
    pub owner: Option<usize>,
    pub is_deleted: Option<usize>,
    pub created: Option<usize>,
    pub created_by: Option<usize>,
    pub modified: Option<usize>,
    pub modified_by: Option<usize>,
    pub stamp: Option<usize>,
    /// Lookups whose rows are found by their target.
    pub references: Vec<usize>,
    /// Fields whose rows are found by their value: unique ones and external ids.
    pub keys: Vec<usize>,
}

impl Columns {
    pub(crate) fn of(object: &ObjectDef) -> Columns {
        let fields = object.fields.iter().enumerate();
        Columns {
            id: object.index("Id").unwrap_or(0),
            owner: object.index("OwnerId"),
            is_deleted: object.index("IsDeleted"),
            created: object.index("CreatedDate"),
            created_by: object.index("CreatedById"),
            modified: object.index("LastModifiedDate"),
            modified_by: object.index("LastModifiedById"),
            stamp: object.index("SystemModstamp"),
            references: fields
                .clone()
                .filter(|(_, field)| {
                    // Nearly every row names the same few users here, and nothing asks for their rows.
                    field.kind == FieldKind::Reference
                        && !matches!(&*field.name, "CreatedById" | "LastModifiedById")
                })
                .map(|(at, _)| at)
                .collect(),
            keys: fields
                .filter(|(_, field)| field.unique || field.external_id)
                .map(|(at, _)| at)
                .collect(),
        }
    }
}

/// The rows of one object.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub columns: Columns,
    rows: Vec<Option<Row>>,
    by_id: BTreeMap<IdKey, Slot>,
    by_stamp: BTreeMap<(i64, IdKey), Slot>,
    by_reference: HashMap<usize, BTreeSet<(IdKey, Slot)>>,
    by_key: HashMap<usize, BTreeMap<Box<str>, Vec<Slot>>>,
    last_id: Option<IdKey>,
    last_number: u64,
}

/// What a table consists of, for whoever weighs it.
pub(super) struct Stored<'a> {
    pub rows: &'a Vec<Option<Row>>,
    table: &'a Table,
}

impl Stored<'_> {
    /// Bytes of the entries of all indexes, without the texts of unique values.
    pub(super) fn index_bytes(&self) -> usize {
        let table = self.table;
        let references: usize = table.by_reference.values().map(BTreeSet::len).sum();
        let keys: usize = table.by_key.values().map(BTreeMap::len).sum();
        table.by_id.len() * size_of::<(IdKey, Slot)>()
            + table.by_stamp.len() * size_of::<((i64, IdKey), Slot)>()
            + references * size_of::<(IdKey, Slot)>()
            + keys * size_of::<(Box<str>, Vec<Slot>)>()
            + table.rows.len() * table.by_key.len() * size_of::<Slot>()
    }

    /// The texts of unique values.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let indexes = self.table.by_key.values();
        indexes.flat_map(|index| index.keys().map(|key| &**key))
    }
}

/// The form in which a unique value is compared.
pub(crate) fn folded(object: &ObjectDef, field: usize, value: &Value) -> Option<Box<str>> {
    match value {
        Value::Null => None,
        Value::Text(text) if object.fields[field].case_sensitive => Some(text.clone()),
        Value::Text(text) => Some(text.to_lowercase().into()),
        Value::Number(number) => Some(number.normalize().to_string().into()),
        other => Some(format!("{other:?}").into()),
    }
}

impl Table {
    /// Learns the object's fields anew, and indexes what was not indexed before.
    pub(crate) fn refresh(&mut self, object: &ObjectDef) {
        self.columns = Columns::of(object);
        for field in self.columns.references.clone() {
            if self.by_reference.contains_key(&field) {
                continue;
            }
            let index = self
                .slots()
                .filter_map(|(slot, row)| Some((key(row.get(field)?.as_text()?)?, slot)))
                .collect();
            self.by_reference.insert(field, index);
        }
        for field in self.columns.keys.clone() {
            if self.by_key.contains_key(&field) {
                continue;
            }
            let mut index: BTreeMap<Box<str>, Vec<Slot>> = BTreeMap::new();
            for (slot, row) in self.slots() {
                if let Some(value) = row
                    .get(field)
                    .and_then(|value| folded(object, field, value))
                {
                    index.entry(value).or_default().push(slot);
                }
            }
            self.by_key.insert(field, index);
        }
    }

    /// Adds a row, or says why its id cannot be used.
    pub(crate) fn insert(&mut self, object: &ObjectDef, row: Row) -> Result<Slot, String> {
        let id = row
            .get(self.columns.id)
            .and_then(Value::as_text)
            .and_then(key);
        let id = id.ok_or_else(|| format!("a row of {} has no id", object.name))?;
        let slot = Slot::try_from(self.rows.len())
            .map_err(|_| format!("{} has too many rows", object.name))?;
        if self.by_id.contains_key(&id) {
            return Err(format!(
                "{} has two rows with id {}",
                object.name,
                String::from_utf8_lossy(&id)
            ));
        }
        self.link(object, slot, &row);
        self.rows.push(Some(row));
        Ok(slot)
    }

    /// Puts another row in a slot and gives back the one that stood there.
    pub(crate) fn replace(
        &mut self,
        object: &ObjectDef,
        slot: Slot,
        row: Option<Row>,
    ) -> Option<Row> {
        let old = self.rows.get_mut(slot as usize).and_then(Option::take);
        if let Some(old) = &old {
            self.unlink(object, slot, old);
        }
        if let Some(row) = &row {
            self.link(object, slot, row);
        }
        if let Some(place) = self.rows.get_mut(slot as usize) {
            *place = row;
        }
        old
    }

    /// Gives an id that sorts after every other of the table and was never given out.
    pub(crate) fn next_id(&mut self, prefix: &str) -> String {
        let largest = self.by_id.last_key_value().map(|(id, _)| *id);
        let next = match self.last_id.max(largest) {
            Some(id) => increment(id),
            None => key(&id::make(prefix, 1)).unwrap_or_default(),
        };
        self.last_id = Some(next);
        id::to18(&String::from_utf8_lossy(&next)).unwrap_or_default()
    }

    /// Gives the next auto-number; the first follows the number of existing rows.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number = self.last_number.max(self.rows.len() as u64) + 1;
        self.last_number
    }

    fn link(&mut self, object: &ObjectDef, slot: Slot, row: &Row) {
        let Some(id) = row
            .get(self.columns.id)
            .and_then(Value::as_text)
            .and_then(key)
        else {
            return;
        };
        self.by_id.insert(id, slot);
        if let Some(Value::DateTime(stamp)) = self.columns.stamp.and_then(|at| row.get(at)) {
            self.by_stamp.insert((*stamp, id), slot);
        }
        for (field, index) in &mut self.by_reference {
            if let Some(target) = row.get(*field).and_then(Value::as_text).and_then(key) {
                index.insert((target, slot));
            }
        }
        for (field, index) in &mut self.by_key {
            if let Some(value) = row
                .get(*field)
                .and_then(|value| folded(object, *field, value))
            {
                index.entry(value).or_default().push(slot);
            }
        }
    }

    fn unlink(&mut self, object: &ObjectDef, slot: Slot, row: &Row) {
        let Some(id) = row
            .get(self.columns.id)
            .and_then(Value::as_text)
            .and_then(key)
        else {
            return;
        };
        self.by_id.remove(&id);
        if let Some(Value::DateTime(stamp)) = self.columns.stamp.and_then(|at| row.get(at)) {
            self.by_stamp.remove(&(*stamp, id));
        }
        for (field, index) in &mut self.by_reference {
            if let Some(target) = row.get(*field).and_then(Value::as_text).and_then(key) {
                index.remove(&(target, slot));
            }
        }
        for (field, index) in &mut self.by_key {
            if let Some(value) = row
                .get(*field)
                .and_then(|value| folded(object, *field, value))
                && let Some(slots) = index.get_mut(&value)
            {
                slots.retain(|&other| other != slot);
                if slots.is_empty() {
                    index.remove(&value);
                }
            }
        }
    }

    pub(super) fn stored(&self) -> Stored<'_> {
        Stored {
            rows: &self.rows,
            table: self,
        }
    }

    pub(crate) fn row(&self, slot: Slot) -> Option<&Row> {
        self.rows.get(slot as usize)?.as_ref()
    }

    pub(crate) fn value(&self, slot: Slot, field: usize) -> &Value {
        self.row(slot)
            .and_then(|row| row.get(field))
            .unwrap_or(&Value::Null)
    }

    pub(crate) fn is_deleted(&self, slot: Slot) -> bool {
        self.columns
            .is_deleted
            .is_some_and(|at| *self.value(slot, at) == Value::Bool(true))
    }

    pub(crate) fn id(&self, slot: Slot) -> &str {
        self.value(slot, self.columns.id).as_text().unwrap_or("")
    }

    pub(crate) fn find(&self, id: &IdKey) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    /// Gives every row, deleted ones too, in the order of insertion.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (Slot, &Row)> {
        self.rows
            .iter()
            .enumerate()
            .filter_map(|(slot, row)| Some((slot as Slot, row.as_ref()?)))
    }

    /// Gives the slots whose id lies between the bounds, in the order of ids.
    pub(crate) fn ids(&self, from: Bound<IdKey>, to: Bound<IdKey>) -> impl Iterator<Item = Slot> {
        let empty = is_empty(&from, &to);
        (!empty)
            .then(|| self.by_id.range((from, to)).map(|(_, &slot)| slot))
            .into_iter()
            .flatten()
    }

    /// Gives the slots stamped from `from` to `to`, both included, in the order of stamp and id.
    pub(crate) fn stamped(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, Slot)> {
        let bounds = (from, [0; 15])..=(to, [0xff; 15]);
        (from <= to)
            .then(|| {
                self.by_stamp
                    .range(bounds)
                    .map(|((stamp, _), &slot)| (*stamp, slot))
            })
            .into_iter()
            .flatten()
    }

    /// Gives the slots whose lookup names `target`, deleted ones too, in the order of insertion.
    pub(crate) fn children(&self, field: usize, target: IdKey) -> impl Iterator<Item = Slot> {
        self.by_reference
            .get(&field)
            .into_iter()
            .flat_map(move |index| {
                index
                    .range((target, 0)..=(target, Slot::MAX))
                    .map(|&(_, slot)| slot)
            })
    }

    /// Gives the slots with this value in a unique field or external id, deleted ones too.
    pub(crate) fn keyed(&self, field: usize, value: &str) -> &[Slot] {
        self.by_key
            .get(&field)
            .and_then(|index| index.get(value))
            .map_or(&[], Vec::as_slice)
    }
}

/// Adds one to the digits of an id, which are in base 62 and sort as bytes.
fn increment(mut id: IdKey) -> IdKey {
    for digit in id[3..].iter_mut().rev() {
        *digit = match *digit {
            b'9' => b'A',
            b'Z' => b'a',
            b'z' => {
                *digit = b'0';
                continue;
            }
            other => other + 1,
        };
        break;
    }
    id
}

/// Says whether a range holds nothing; the map would panic on one whose start lies after its end.
fn is_empty(from: &Bound<IdKey>, to: &Bound<IdKey>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Included(to) | Bound::Excluded(to),
        ) => from >= to,
        _ => false,
    }
}
