//! One row, without room for the fields it leaves empty.

use crate::value::Value;

/// The values of a row by the index of their field.
///
/// Only fields that are not null take room, since most rows leave most fields
/// empty. Fields added to an object later are null in the rows it had.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// A bit for each field that has a value.
    present: Box<[u64]>,
    /// The values of those fields, in order.
    values: Box<[Value]>,
}

impl Row {
    /// Gives a field's value, or `None` if it is null.
    pub(crate) fn get(&self, field: usize) -> Option<&Value> {
        let word = *self.present.get(field / 64)?;
        let bit = 1 << (field % 64);
        if word & bit == 0 {
            return None;
        }
        let before: u32 = self.present[..field / 64]
            .iter()
            .map(|word| word.count_ones())
            .sum();
        self.values
            .get((before + (word & (bit - 1)).count_ones()) as usize)
    }

    /// Its bits and its values, as they lie in memory.
    pub(super) fn parts(&self) -> (&[u64], &[Value]) {
        (&self.present, &self.values)
    }

    /// Gives the values of the first `len` fields, nulls included.
    pub(crate) fn to_vec(&self, len: usize) -> Vec<Value> {
        (0..len)
            .map(|field| self.get(field).cloned().unwrap_or(Value::Null))
            .collect()
    }
}

impl From<Vec<Value>> for Row {
    fn from(values: Vec<Value>) -> Row {
        let mut present = vec![0; values.len().div_ceil(64)];
        for (field, value) in values.iter().enumerate() {
            present[field / 64] |= u64::from(!value.is_null()) << (field % 64);
        }
        let values = values
            .into_iter()
            .filter(|value| !value.is_null())
            .collect();
        Row {
            present: present.into(),
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_row_gives_back_what_was_put_in(texts in prop::collection::vec("a?", 0..200)) {
            let values: Vec<Value> = texts.iter().map(Value::text).collect();
            let row = Row::from(values.clone());
            for (field, value) in values.iter().enumerate() {
                prop_assert_eq!(row.get(field).unwrap_or(&Value::Null), value);
            }
            prop_assert_eq!(row.get(values.len() + 64), None);
            let mut longer = values;
            longer.push(Value::Null);
            prop_assert_eq!(row.to_vec(longer.len()), longer);
        }
    }
}
