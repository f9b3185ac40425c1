//! From the engine's values to those that cross the boundary.

use attache::{ConflictId, JournalSeq, LocalTime, RecordId, ServerTime};
use std::time::Duration;

/// Tells a value of the engine's as the host sees it.
pub(crate) trait Tell<T> {
    fn tell(&self) -> T;
}

impl<A: Tell<B>, B> Tell<Vec<B>> for Vec<A> {
    fn tell(&self) -> Vec<B> {
        self.iter().map(Tell::tell).collect()
    }
}

impl<A: Tell<B>, B> Tell<Option<B>> for Option<A> {
    fn tell(&self) -> Option<B> {
        self.as_ref().map(Tell::tell)
    }
}

macro_rules! copied {
    ($($type:ty),*) => {
        $(impl Tell<$type> for $type {
            fn tell(&self) -> $type {
                self.clone()
            }
        })*
    };
}

copied!(bool, u32, i32, u64, i64, f64, String);

impl Tell<u64> for usize {
    fn tell(&self) -> u64 {
        *self as u64
    }
}

impl Tell<String> for RecordId {
    fn tell(&self) -> String {
        self.to_string()
    }
}

impl Tell<i64> for LocalTime {
    fn tell(&self) -> i64 {
        self.0
    }
}

impl Tell<i64> for ServerTime {
    fn tell(&self) -> i64 {
        self.0
    }
}

impl Tell<i64> for JournalSeq {
    fn tell(&self) -> i64 {
        self.0
    }
}

impl Tell<i64> for ConflictId {
    fn tell(&self) -> i64 {
        self.0
    }
}

impl Tell<u64> for Duration {
    fn tell(&self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Tell<crate::Value> for attache::Value {
    fn tell(&self) -> crate::Value {
        self.into()
    }
}

impl Tell<crate::Row> for attache::Row {
    fn tell(&self) -> crate::Row {
        self.into()
    }
}

impl Tell<crate::Problem> for attache::Problem {
    fn tell(&self) -> crate::Problem {
        self.into()
    }
}

/// Counts by name, as a map.
pub(crate) fn counts(counts: &[(String, u64)]) -> std::collections::HashMap<String, u64> {
    counts.iter().cloned().collect()
}

/// Writes a record of the boundary that has fields of the engine's, and how it is told. A field that is called
/// otherwise there, or is found out, says how after `=`.
macro_rules! mirror {
    ($(#[$about:meta])* $name:ident of $told:ident: $engine:ty {
        $($(#[$doc:meta])* $field:ident: $type:ty $(= $from:expr)?,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, uniffi::Record)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl crate::tell::Tell<$name> for $engine {
            fn tell(&self) -> $name {
                let $told = self;
                $name {
                    $($field: mirror!(@ $told $field $($from)?),)*
                }
            }
        }
    };
    (@ $told:ident $field:ident) => { crate::tell::Tell::tell(&$told.$field) };
    (@ $told:ident $field:ident $from:expr) => { $from };
}

pub(crate) use mirror;
