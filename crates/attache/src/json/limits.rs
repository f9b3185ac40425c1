//! What a store may take of a device, as JSON.

use crate::error::{Error, Result};
use crate::options::Limits;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::time::Duration;

impl Serialize for Limits {
    /// Writes a member for each field; `busy_wait` is `busy_wait_ms`, in milliseconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Limits {
            recent_records,
            recent_bytes,
            free_bytes,
            store_bytes,
            page_cache_bytes,
            file_bytes,
            session_file_bytes,
            attach_bytes,
            busy_wait,
        } = self;
        let busy_wait_ms = u64::try_from(busy_wait.as_millis()).unwrap_or(u64::MAX);
        let mut map = serializer.serialize_map(Some(9))?;
        map.serialize_entry("recent_records", recent_records)?;
        map.serialize_entry("recent_bytes", recent_bytes)?;
        map.serialize_entry("free_bytes", free_bytes)?;
        map.serialize_entry("store_bytes", store_bytes)?;
        map.serialize_entry("page_cache_bytes", page_cache_bytes)?;
        map.serialize_entry("file_bytes", file_bytes)?;
        map.serialize_entry("session_file_bytes", session_file_bytes)?;
        map.serialize_entry("attach_bytes", attach_bytes)?;
        map.serialize_entry("busy_wait_ms", &busy_wait_ms)?;
        map.end()
    }
}

/// What is said differently.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    recent_records: Option<u64>,
    recent_bytes: Option<u64>,
    free_bytes: Option<u64>,
    store_bytes: Option<u64>,
    page_cache_bytes: Option<u64>,
    file_bytes: Option<u64>,
    session_file_bytes: Option<u64>,
    attach_bytes: Option<u64>,
    busy_wait_ms: Option<u64>,
}

impl Limits {
    /// Reads a JSON object in the form that limits serialize to; null and what is left out are as by default.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) for anything else.
    ///
    /// # Examples
    /// ```
    /// use attache::Limits;
    ///
    /// let limits = Limits::from_json(r#"{"store_bytes": 1000000000, "busy_wait_ms": 200}"#)?;
    /// assert_eq!(limits.store_bytes, Some(1_000_000_000));
    /// assert_eq!(limits.attach_bytes, Limits::default().attach_bytes);
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn from_json(json: &str) -> Result<Limits> {
        let said: Said = serde_json::from_str(json)
            .map_err(|error| Error::invalid(format!("the limits cannot be read: {error}")))?;
        let usual = Limits::default();
        Ok(Limits {
            recent_records: said.recent_records.unwrap_or(usual.recent_records),
            recent_bytes: said.recent_bytes.unwrap_or(usual.recent_bytes),
            free_bytes: said.free_bytes.unwrap_or(usual.free_bytes),
            store_bytes: said.store_bytes.or(usual.store_bytes),
            page_cache_bytes: said.page_cache_bytes.unwrap_or(usual.page_cache_bytes),
            file_bytes: said.file_bytes.unwrap_or(usual.file_bytes),
            session_file_bytes: said.session_file_bytes.unwrap_or(usual.session_file_bytes),
            attach_bytes: said.attach_bytes.unwrap_or(usual.attach_bytes),
            busy_wait: said
                .busy_wait_ms
                .map_or(usual.busy_wait, Duration::from_millis),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_what_they_print() {
        let limits = Limits {
            recent_records: 7,
            store_bytes: Some(9),
            busy_wait: Duration::from_millis(11),
            ..Limits::default()
        };
        let json = serde_json::to_string(&limits).expect("it prints");
        assert_eq!(Limits::from_json(&json).expect("limits"), limits);
        assert_eq!(Limits::from_json("{}").expect("limits"), Limits::default());
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for json in ["", "[]", r#"{"recent": 1}"#, r#"{"store_bytes": -1}"#] {
            assert!(Limits::from_json(json).is_err(), "{json}");
        }
    }
}
