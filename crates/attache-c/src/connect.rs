//! Joining a store to an org.

use crate::enter::enter_on;
use crate::error::{Failure, attache_error_t};
use crate::options::{self, Options};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::sync::attache_drop_fn;
use crate::text::attache_str_t;
use crate::token::{HostTokens, attache_token_fn};
use attache_salesforce::{Salesforce, StaticToken};
use std::ffi::c_void;

/// Which Salesforce org to keep in step with. Start from attache_salesforce_options().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_salesforce_options_t {
    /// sizeof(attache_salesforce_options_t).
    pub struct_size: usize,
    /// The org's address, such as https://acme.my.salesforce.com. Borrowed for the call.
    pub url: attache_str_t,
    /// One access token, which is used until it expires; may be empty if token is set. Borrowed
    /// for the call.
    pub access_token: attache_str_t,
    /// Asked for access tokens as they are needed; may be NULL if access_token is set.
    pub token: attache_token_fn,
    /// The first argument of token.
    pub ctx: *mut c_void,
    /// Called with ctx once, when token will not be called again, from whatever thread lets the
    /// org go; may be NULL.
    pub drop_ctx: attache_drop_fn,
}

// SAFETY: begins with its size; all zero is NULL, empty texts and no functions.
unsafe impl Options for attache_salesforce_options_t {
    const NAME: &'static str = "attache_salesforce_options_t";
}

/// Sets the org that the next sync talks to. Does no call itself. Access tokens are kept in memory
/// only, never stored or logged, and go to no other address than the org's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_salesforce(
    attache: *mut attache_t,
    options: *const attache_salesforce_options_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    // Read before anything can fail: whatever becomes of the call, the context goes with it.
    // SAFETY: the caller's rule for options (top of the header).
    let options = unsafe { options::read(options) }.map(|options| {
        let tokens = HostTokens::new(options.token, options.ctx, options.drop_ctx);
        (options, tokens)
    });
    enter_on(attache, out_error, move |store: &Store| {
        let (options, tokens) = options?;
        // SAFETY: the caller's rule for text (top of the header).
        let (url, token) = unsafe {
            (
                options.url.read("url")?,
                options.access_token.read("access_token")?,
            )
        };
        let org = match (options.token, token) {
            (Some(_), _) => Salesforce::new(url, tokens)?,
            (None, "") => return Err(Failure::argument("access_token is empty, and token NULL")),
            (None, token) => Salesforce::new(url, StaticToken::new(token))?,
        };
        store.replace(|engine| Ok(engine.with_remote(org)))
    })
}
