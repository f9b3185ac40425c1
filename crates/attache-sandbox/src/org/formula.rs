//! Calculated fields: computed when they are read, never stored.

use super::{Org, Slot};
use crate::schema::{Formula, ObjectDef};
use crate::value::Value;
use rust_decimal::Decimal;
use std::borrow::Cow;

impl Org {
    /// Gives a field's value, computed if it is calculated.
    pub(crate) fn value(&self, object: usize, slot: Slot, field: usize) -> Cow<'_, Value> {
        match self.schema.objects()[object]
            .fields
            .get(field)
            .and_then(|field| field.formula)
        {
            None => Cow::Borrowed(self.tables[object].value(slot, field)),
            Some(formula) => self.compute(object, slot, formula),
        }
    }

    fn compute(&self, object: usize, slot: Slot, formula: Formula) -> Cow<'_, Value> {
        let (table, definition) = (&self.tables[object], &self.schema.objects()[object]);
        let text = |name: &str| {
            definition
                .index(name)
                .and_then(|at| table.value(slot, at).as_text())
        };
        let number = |name: &str| match definition.index(name).map(|at| table.value(slot, at)) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        let stage = || {
            crate::catalog::stages()
                .iter()
                .find(|stage| Some(stage.name) == text("StageName"))
        };
        Cow::Owned(match formula {
            Formula::PersonName => {
                let parts: Vec<&str> = ["FirstName", "LastName"]
                    .iter()
                    .filter_map(|name| text(name))
                    .collect();
                Value::text(parts.join(" "))
            }
            Formula::ExpectedRevenue => match (number("Amount"), number("Probability")) {
                (Some(amount), Some(probability)) => amount
                    .checked_mul(probability)
                    .and_then(|product| product.checked_div(Decimal::ONE_HUNDRED))
                    .map_or(Value::Null, |revenue| Value::Number(revenue.round_dp(2))),
                _ => Value::Null,
            },
            Formula::StageClosed => Value::Bool(stage().is_some_and(|stage| stage.closed)),
            Formula::StageWon => Value::Bool(stage().is_some_and(|stage| stage.won)),
            Formula::TaskClosed => Value::Bool(text("Status") == Some("Completed")),
            Formula::Parent(lookup, field) => {
                return self
                    .parent_value(object, slot, lookup, field)
                    .unwrap_or(Cow::Owned(Value::Null));
            }
            Formula::Address(_) => Value::Null,
            Formula::FiscalStart => Value::Number(self.config.fiscal_year_start.into()),
            Formula::FiscalNamedByStart => Value::Bool(self.config.fiscal_year_named_by_start),
            Formula::Body => Value::text(format!(
                "/services/data/v{}/sobjects/{}/{}/VersionData",
                self.config.api_version,
                definition.name,
                table.id(slot),
            )),
        })
    }

    fn parent_value(
        &self,
        object: usize,
        slot: Slot,
        lookup: &str,
        field: &str,
    ) -> Option<Cow<'_, Value>> {
        let lookup = self.schema.objects()[object].index(lookup)?;
        let (parent, at) = self.locate(self.tables[object].value(slot, lookup).as_text()?)?;
        let field = self.schema.objects()[parent].index(field)?;
        Some(self.value(parent, at, field))
    }
}

/// The parts of an address compound, in the order the API prints them, with the field each is read from.
pub(crate) fn address_parts(
    object: &ObjectDef,
    prefix: &str,
) -> [(&'static str, Option<usize>); 8] {
    [
        ("city", "City"),
        ("country", "Country"),
        ("geocodeAccuracy", "GeocodeAccuracy"),
        ("latitude", "Latitude"),
        ("longitude", "Longitude"),
        ("postalCode", "PostalCode"),
        ("state", "State"),
        ("street", "Street"),
    ]
    .map(|(key, part)| (key, object.index(&format!("{prefix}{part}"))))
}
