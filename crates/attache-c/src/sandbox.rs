//! An org in the process, for tests. Only in a library built with the feature `testing`.

use crate::enter::{Out, enter, enter_on, free, peek};
use crate::error::{Failure, attache_error_t};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::table::{self, Object};
use crate::text::{Text, attache_str_t, attache_text_t};
use attache_sandbox::{Outcome, Request, Sandbox, Serving};

/// A Salesforce-like org that answers on the loopback interface.
pub struct attache_sandbox_t {
    _opaque: (),
}

/// What stands behind an [`attache_sandbox_t`].
struct Org {
    info: String,
    sandbox: Sandbox,
    // The server stops when this goes.
    _serving: Serving,
}

impl Object for Org {
    type C = attache_sandbox_t;
    const NAME: &'static str = "attache_sandbox_t";
}

/// Starts an org with records made from a seed. The same seed and number make the same org.
///
/// @param records      About how many records there are; 0 for 1,000.
/// @param out_sandbox  Set to an owned handle on success. Free it with attache_sandbox_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sandbox_start(
    seed: u64,
    records: u32,
    out_sandbox: *mut *mut attache_sandbox_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter(out_error, || {
        let out = Out::new(out_sandbox, "out_sandbox")?;
        let mut builder = Sandbox::builder().seed(seed);
        if records > 0 {
            builder = builder.records(records as usize);
        }
        let sandbox = builder
            .build()
            .map_err(|error| Failure::argument(error.to_string()))?;
        let serving = Serving::spawn(sandbox.clone(), 0)
            .map_err(|error| Failure::argument(format!("the sandbox cannot listen: {error}")))?;
        out.set(table::insert(Org {
            info: sandbox.info(serving.url()),
            sandbox,
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

/// Sends a request to the org, as a colleague would, or to the sandbox's own resources, which move
/// its clock, cut its network and plan faults: POST /sandbox/network {"offline": true}. Those are
/// in the README of attache-sandbox. No socket is used.
///
/// @param method        GET, POST, PATCH or DELETE.
/// @param target        Path and query: /services/data/v67.0/sobjects/Account, /sandbox/clock.
/// @param access_token  Whose request it is; empty for the first user. Not for /sandbox.
/// @param body          JSON, or empty.
/// @param out_status    NULL, or set on success to the HTTP status; 0 if no answer arrived.
/// @param out_body      NULL, or set on success to an owned text. Free it with
///                      attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sandbox_request(
    sandbox: *const attache_sandbox_t,
    method: attache_str_t,
    target: attache_str_t,
    access_token: attache_str_t,
    body: attache_str_t,
    out_status: *mut i32,
    out_body: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(sandbox, out_error, |org: &Org| {
        // SAFETY: the caller's rule for text (top of the header).
        let (method, target, token, body) = unsafe {
            (
                method.read_needed("method")?,
                target.read_needed("target")?,
                access_token.read_optional("access_token")?,
                body.read_optional("body")?,
            )
        };
        let mut request = Request::new(method, target);
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, body) = match target.starts_with("/sandbox") {
            true => {
                let answer = org.sandbox.control(&request);
                (answer.status, answer.body)
            }
            false => {
                let users = org.sandbox.users();
                let first = users.first().map(|user| user.access_token.as_str());
                let token = token.or(first).unwrap_or_default();
                match org.sandbox.handle(request.bearer(token)) {
                    Outcome::Answer(answer) => (answer.status, answer.body),
                    Outcome::Truncated(_) | Outcome::NoAnswer => (0, Vec::new()),
                }
            }
        };
        if let Ok(out) = Out::new(out_status, "out_status") {
            out.set(i32::from(status));
        }
        if let Ok(out) = Out::new(out_body, "out_body") {
            let text = String::from_utf8_lossy(&body).into_owned();
            out.set(table::insert(Text(text)));
        }
        Ok(())
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
