//! An org in the process, for tests. Only in a library built with the feature `testing`.

use crate::enter::{Out, enter, enter_on, free, peek};
use crate::error::{Failure, attache_error_t};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table::{self, Object};
use crate::text::attache_str_t;
use attache_sandbox::{Sandbox, Serving};

/// A Salesforce-like org that answers on the loopback interface.
pub struct attache_sandbox_t {
    _opaque: (),
}

/// What stands behind an [`attache_sandbox_t`].
struct Org {
    info: String,
    // The server stops when this goes.
    _serving: Serving,
}

impl Object for Org {
    type C = attache_sandbox_t;
    const NAME: &'static str = "attache_sandbox_t";
}

/// Starts an org with records made from a seed. The same seed makes the same org.
///
/// @param out_sandbox  Set to an owned handle on success. Free it with attache_sandbox_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sandbox_start(
    seed: u64,
    out_sandbox: *mut *mut attache_sandbox_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter(out_error, || {
        let out = Out::new(out_sandbox, "out_sandbox")?;
        let sandbox = Sandbox::builder()
            .seed(seed)
            .build()
            .map_err(|error| Failure::argument(error.to_string()))?;
        let serving = Serving::spawn(sandbox.clone(), 0)
            .map_err(|error| Failure::argument(format!("the sandbox cannot listen: {error}")))?;
        out.set(table::insert(Org {
            info: sandbox.info(serving.url()),
            _serving: serving,
        }));
        Ok(())
    })
}

/// Tells where the org is and who may sign in, as one line of JSON: {"url", "api_version",
/// "client_id", "client_secret", "control_url", "control_token", "users": [{"id", "username",
/// "access_token", "refresh_token"}]}. What can be done with the control token is in the
/// README of attache-sandbox. Valid until the sandbox is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_sandbox_info(sandbox: *const attache_sandbox_t) -> attache_str_t {
    peek(sandbox, attache_str_t::NONE, |org: &Org| {
        attache_str_t::borrowed(&org.info)
    })
}

/// Stops the org and forgets its records. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_sandbox_free(sandbox: *mut attache_sandbox_t) {
    free::<Org>(sandbox);
}

/// Panics inside of a call on the store, to see what a program does about ATTACHE_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_debug_panic(
    attache: *mut attache_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |_: &Store| {
        panic!("asked to by attache_debug_panic")
    })
}
