//! Joining a store to an org.

use crate::enter::enter_on;
use crate::error::{Failure, attache_error_t};
use crate::options::{self, Options};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::text::attache_str_t;
use attache_salesforce::{Salesforce, StaticToken};

/// Which Salesforce org to keep in step with. Start from attache_salesforce_options().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_salesforce_options_t {
    /// sizeof(attache_salesforce_options_t).
    pub struct_size: usize,
    /// The org's address, such as https://acme.my.salesforce.com. Borrowed for the call.
    pub url: attache_str_t,
    /// The access token. It is kept in memory only, never stored or logged. Borrowed for the
    /// call. When it expires, calls fail with ATTACHE_NOT_AUTHORIZED: set the options again.
    pub access_token: attache_str_t,
}

// SAFETY: begins with its size; all zero is two NULL, empty texts.
unsafe impl Options for attache_salesforce_options_t {
    const NAME: &'static str = "attache_salesforce_options_t";
}

/// Sets the org that the next sync talks to. Does no call itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_salesforce(
    attache: *mut attache_t,
    options: *const attache_salesforce_options_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        // SAFETY: the caller's rules for options and text (top of the header).
        let (url, token) = unsafe {
            let options = options::read(options)?;
            (
                options.url.read("url")?,
                options.access_token.read("access_token")?,
            )
        };
        if token.is_empty() {
            return Err(Failure::argument("access_token is empty"));
        }
        let org = Salesforce::new(url, StaticToken::new(token))?;
        store.replace(|engine| Ok(engine.with_remote(org)))
    })
}
