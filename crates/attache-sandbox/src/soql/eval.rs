//! The values of a row, and of its parents.

use super::dates::{Calendar, DateFn};
use super::plan::{Hop, Leaf, Path, Term};
use crate::org::time::civil_utc;
use crate::org::{Org, Slot, Viewer, key};
use crate::value::Value;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// The org as one user sees it during one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eye<'a> {
    pub org: &'a Org,
    pub viewer: &'a Viewer,
    pub calendar: &'a Calendar,
    /// Deleted rows are seen too.
    pub all_rows: bool,
}

impl<'a> Eye<'a> {
    /// Says whether a row can be seen at all.
    pub(crate) fn sees(&self, object: usize, slot: Slot) -> bool {
        let table = self.org.table(object);
        let alive = !table.is_deleted(slot) || (self.all_rows && !self.org.is_purged(object, slot));
        alive && self.org.visible(self.viewer, object, slot)
    }

    /// Follows a lookup to a row that can be seen.
    pub(crate) fn parent(&self, object: usize, slot: Slot, hop: &Hop) -> Option<(usize, Slot)> {
        let id = self.org.table(object).value(slot, hop.field).as_text()?;
        let (parent, at) = match hop.target {
            Some(target) => (target, self.org.table(target).find(&key(id)?)?),
            None => self.org.locate(id)?,
        };
        let hides = self.org.config().switches.hidden_parents_are_null;
        (!hides || self.org.visible(self.viewer, parent, at)).then_some((parent, at))
    }

    pub(crate) fn path(&self, object: usize, slot: Slot, path: &Path) -> Cow<'a, Value> {
        let (mut object, mut slot) = (object, slot);
        for hop in &path.hops {
            match self.parent(object, slot, hop) {
                Some(next) => (object, slot) = next,
                None => return Cow::Owned(Value::Null),
            }
        }
        match &path.leaf {
            Leaf::Field(field) => self.org.seen(self.viewer, object, slot, *field),
            Leaf::Named(_, fields) => match fields.iter().find(|(of, _)| *of == object) {
                Some((_, field)) => self.org.seen(self.viewer, object, slot, *field),
                None => Cow::Owned(Value::Null),
            },
            Leaf::Type => Cow::Owned(Value::text(&self.org.schema().objects()[object].name)),
        }
    }

    pub(crate) fn term(&self, object: usize, slot: Slot, term: &Term) -> Cow<'a, Value> {
        match term {
            Term::Path(path) => self.path(object, slot, path),
            Term::Date(function, local, path) => {
                Cow::Owned(self.date(*function, *local, &self.path(object, slot, path)))
            }
        }
    }

    fn date(&self, function: DateFn, local: bool, value: &Value) -> Value {
        let (date, hour) = match value {
            Value::Date(date) => (*date, 0),
            Value::DateTime(at) => {
                let civil = if local {
                    self.local(*at)
                } else {
                    civil_utc(*at)
                };
                (civil.date(), civil.hour())
            }
            _ => return Value::Null,
        };
        match function {
            DateFn::DayOnly => Value::Date(date),
            DateFn::HourInDay => Value::Number(Decimal::from(hour)),
            _ => Value::Number(Decimal::from(function.of_day(date, self.calendar))),
        }
    }

    fn local(&self, at: i64) -> jiff::civil::DateTime {
        let timestamp = jiff::Timestamp::from_second(at).unwrap_or_default();
        self.calendar.zone.to_datetime(timestamp)
    }
}
