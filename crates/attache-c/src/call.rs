//! The common shapes of calls on a store: do something, or tell something as JSON.

use crate::enter::{Out, Result, enter_on};
use crate::error::attache_error_t;
use crate::json;
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table;
use crate::text::{Text, attache_text_t};
use attache::Attache;
use serde::Serialize;

/// Does something on a store.
pub(crate) fn act(
    attache: *mut attache_t,
    out_error: *mut *mut attache_error_t,
    act: impl FnOnce(&Attache) -> Result<()>,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| act(&store.engine()))
}

/// Gives what a store tells as JSON.
pub(crate) fn tell<T: Serialize>(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
    ask: impl FnOnce(&Attache) -> Result<T>,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        Ok(Some(json::print(&ask(engine)?)))
    })
}

/// Gives text, or NULL where there is none.
pub(crate) fn write(
    attache: *mut attache_t,
    out_text: *mut *mut attache_text_t,
    name: &str,
    out_error: *mut *mut attache_error_t,
    ask: impl FnOnce(&Attache) -> Result<Option<String>>,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_text, name)?;
        out.set(match ask(&store.engine())? {
            Some(text) => table::insert(Text(text)),
            None => std::ptr::null_mut(),
        });
        Ok(())
    })
}
