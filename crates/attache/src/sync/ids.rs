//! Many ids in little memory.
//!
//! A session may hear of half a million records that changed (reference, section 7.1: 600,000 to an answer), most of
//! which no rule is about. What it keeps of each is the id's eighteen bytes and a bit for each thing that it has to
//! know of it.

use crate::error::{Error, ErrorKind, Result};

/// An id as a server writes it.
type Id = [u8; 18];

/// A set of ids of the server, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    ids: Vec<Id>,
    /// How many of them, from the first, are in order and there once.
    ordered: usize,
}

impl Ids {
    /// Takes ids as they came.
    ///
    /// # Errors
    /// `NotARemote` if one is none.
    pub(super) fn of<T: AsRef<str>>(ids: impl IntoIterator<Item = T>) -> Result<Ids> {
        let mut all = Ids::default();
        for id in ids {
            all.add(id.as_ref())?;
        }
        all.order();
        all.ids.shrink_to_fit();
        Ok(all)
    }

    /// Adds one. [`order`](Ids::order) comes before any look at them.
    pub(super) fn add(&mut self, id: &str) -> Result<()> {
        // What came again and again takes no room for long.
        if self.ids.len() == self.ids.capacity() {
            self.order();
            if self.ids.len() > self.ids.capacity() / 2 {
                self.ids.reserve(self.ids.len());
            }
        }
        self.ids.push(packed(id).ok_or_else(none)?);
        Ok(())
    }

    /// Puts what was added to its place.
    pub(super) fn order(&mut self) {
        if self.ordered < self.ids.len() {
            self.ids.sort_unstable();
            self.ids.dedup();
            self.ordered = self.ids.len();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The place of an id among them.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.ids.binary_search(&packed(id)?).ok()
    }

    /// The next so many from a place on, which moves behind them, of those that `wanted` says of their places.
    pub(super) fn next(
        &self,
        from: &mut usize,
        count: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Vec<String> {
        let mut next = Vec::new();
        while next.len() < count
            && let Some(id) = self.ids.get(*from)
        {
            if wanted(*from) {
                next.push(id.iter().copied().map(char::from).collect());
            }
            *from += 1;
        }
        next
    }

    /// All of them, so many at a time.
    pub(super) fn chunks(&self, count: usize) -> impl Iterator<Item = Vec<String>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let next = self.next(&mut from, count, |_| true);
            (!next.is_empty()).then_some(next)
        })
    }

    /// Takes up others.
    pub(super) fn extend(&mut self, others: &Ids) {
        self.ids.extend_from_slice(&others.ids);
        self.order();
    }

    /// Bytes that they take.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.ids.capacity() * size_of::<Id>()
    }
}

/// A bit for each of some ids, by its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    pub(super) fn set(&mut self, place: usize) {
        if self.0.len() <= place / 64 {
            self.0.resize(place / 64 + 1, 0);
        }
        self.0[place / 64] |= 1 << (place % 64);
    }

    pub(super) fn has(&self, place: usize) -> bool {
        let word = self.0.get(place / 64).copied().unwrap_or(0);
        word & (1 << (place % 64)) != 0
    }

    /// Bytes that they take.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<u64>()
    }
}

fn packed(id: &str) -> Option<Id> {
    id.as_bytes()
        .try_into()
        .ok()
        .filter(|id: &Id| id.is_ascii())
}

fn none() -> Error {
    Error::new(
        ErrorKind::NotARemote,
        "the server told of a record by something that is no id",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn id(n: u32) -> String {
        format!("003{n:015}")
    }

    proptest! {
        #[test]
        fn ids_are_a_set_in_order(numbers in prop::collection::vec(0_u32..40, 0..60), count in 1_usize..9) {
            let texts: Vec<String> = numbers.iter().copied().map(id).collect();
            let ids = Ids::of(&texts).unwrap();
            let expected: BTreeSet<&String> = texts.iter().collect();
            prop_assert_eq!(ids.len(), expected.len());
            let all: Vec<String> = ids.chunks(count).flatten().collect();
            prop_assert!(all.iter().eq(expected.iter().copied()));
            for n in 0..45 {
                let place = ids.place(&id(n));
                prop_assert_eq!(place, all.iter().position(|own| *own == id(n)));
            }
        }

        #[test]
        fn marks_are_where_they_were_set(places in prop::collection::btree_set(0_usize..300, 0..40)) {
            let mut marks = Marks::default();
            for place in &places {
                marks.set(*place);
            }
            for place in 0..400 {
                prop_assert_eq!(marks.has(place), places.contains(&place));
            }
        }
    }

    #[test]
    fn the_next_of_some_are_those_that_are_wanted() {
        let ids = Ids::of((0..10).map(id)).unwrap();
        let (mut from, odd) = (0, |at: usize| at % 2 == 1);
        assert_eq!(ids.next(&mut from, 2, odd), [id(1), id(3)]);
        assert_eq!(ids.next(&mut from, 9, odd), [id(5), id(7), id(9)]);
        assert!(ids.next(&mut from, 9, odd).is_empty());
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for wrong in ["", "003", "local-1", "003D000000QDX1äIAX"] {
            let error = Ids::of([wrong]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotARemote, "{wrong}");
        }
    }

    #[test]
    fn what_is_added_again_and_again_takes_no_more_room() {
        let mut ids = Ids::default();
        for _ in 0..100 {
            for n in 0..1_000 {
                ids.add(&id(n)).unwrap();
            }
        }
        ids.order();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.bytes() <= 4 * 18 * 1_000, "{}", ids.bytes());
    }
}
