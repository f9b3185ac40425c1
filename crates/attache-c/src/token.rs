//! Access tokens from the host.

use crate::callback::Context;
use crate::enter::enter_on;
use crate::error::{Failure, attache_error_t};
use crate::status::{ATTACHE_OK, attache_status_t, kind_of};
use crate::table::{self, Object};
use crate::text::attache_str_t;
use async_trait::async_trait;
use attache::{Error, ErrorKind};
use attache_salesforce::{AccessToken, TokenProvider};
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

/// Any token will do, a known one if there is one.
pub const ATTACHE_TOKEN_ANY: i32 = 0;
/// The org rejected the token that was given last: a new one is needed.
pub const ATTACHE_TOKEN_NEW: i32 = 1;

/// Takes an access token, inside of an attache_token_fn.
pub struct attache_token_t {
    _opaque: (),
}

/// Gives an access token: passes it to attache_token_set(), and returns ATTACHE_OK. Another status
/// is what the sync fails with, ATTACHE_REMOTE_UNREACHABLE for one where there is no network; any
/// other number says that a person must sign in first (ATTACHE_NOT_AUTHORIZED).
/// Called on the thread that waits for the org, by one at a time; it may wait, and must not
/// throw or longjmp. What it wants is one of ATTACHE_TOKEN_ANY and ATTACHE_TOKEN_NEW.
pub type attache_token_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        wanted: i32,
        token: *mut attache_token_t,
    ) -> attache_status_t,
>;

/// What stands behind an [`attache_token_t`].
struct Slot(Mutex<Option<AccessToken>>);

impl Object for Slot {
    type C = attache_token_t;
    const NAME: &'static str = "attache_token_t";
}

/// Passes an access token. The token is borrowed for the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_token_set(
    token: *mut attache_token_t,
    access_token: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(token, out_error, |slot: &Slot| {
        // SAFETY: the caller's rule for text (top of the header).
        let text = unsafe { access_token.read("access_token")? };
        if text.is_empty() {
            return Err(Failure::argument("access_token is empty"));
        }
        let mut slot = slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(AccessToken::new(text));
        Ok(())
    })
}

/// Says at which address the token is good, after attache_token_set(): that of an org that was
/// moved. The client follows from one host of Salesforce to another, and refuses any other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_token_set_instance_url(
    token: *mut attache_token_t,
    url: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(token, out_error, |slot: &Slot| {
        // SAFETY: the caller's rule for text (top of the header).
        let url = unsafe { url.read_needed("url")? };
        let mut slot = slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.take() {
            Some(token) => *slot = Some(token.with_instance_url(url)),
            None => return Err(Failure::argument("there is no token yet")),
        }
        Ok(())
    })
}

/// The host's function, as the Salesforce client wants it.
pub(crate) struct HostTokens {
    call: attache_token_fn,
    context: Context,
}

impl HostTokens {
    /// Takes the host's function and its context over.
    pub(crate) fn new(call: attache_token_fn, context: Context) -> HostTokens {
        HostTokens { call, context }
    }

    fn ask(&self, wanted: i32) -> attache::Result<AccessToken> {
        let handle = table::insert(Slot(Mutex::new(None)));
        let status = match self.call {
            // SAFETY: the caller gave a function of this type, for this context.
            Some(call) => unsafe { call(self.context.get(), wanted, handle) },
            None => ATTACHE_OK,
        };
        let given = table::get::<Slot>(handle)
            .ok()
            .and_then(|slot| slot.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        table::remove::<Slot>(handle);
        given.filter(|_| status == ATTACHE_OK).ok_or_else(|| {
            let kind = kind_of(status).unwrap_or(ErrorKind::NotAuthorized);
            Error::new(kind, "the application gave no access token")
        })
    }
}

#[async_trait]
impl TokenProvider for HostTokens {
    async fn access_token(&self) -> attache::Result<AccessToken> {
        self.ask(ATTACHE_TOKEN_ANY)
    }

    async fn refresh(&self, _rejected: &AccessToken) -> attache::Result<AccessToken> {
        self.ask(ATTACHE_TOKEN_NEW)
    }
}
