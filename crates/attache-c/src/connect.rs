//! Joining a store to an org.

use crate::auth::{attache_tokens_t, tokens};
use crate::callback::{Context, attache_drop_fn};
use crate::enter::{Result, enter_on};
use crate::error::{Failure, attache_error_t};
use crate::options::{self, Options};
use crate::status::attache_status_t;
use crate::store::{Store, attache_t};
use crate::text::attache_str_t;
use crate::token::{HostTokens, attache_token_fn};
use crate::transport::{attache_transport_t, transport};
use attache_salesforce::{Assignment, Budget, Limits, Salesforce, StaticToken};
use std::ffi::c_void;
use std::time::Duration;

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
    /// Asked for access tokens as they are needed; may be NULL if access_token or tokens is set.
    pub token: attache_token_fn,
    /// The first argument of token.
    pub ctx: *mut c_void,
    /// Called with ctx once, when token will not be called again, from whatever thread lets the
    /// org go; may be NULL.
    pub drop_ctx: attache_drop_fn,
    /// A way to tokens that comes with this library, such as attache_refresh_token_new(); NULL if
    /// access_token or token is set. It may be freed after the call.
    pub tokens: *const attache_tokens_t,
    /// The version of the API; empty for 67.0. Borrowed for the call.
    pub api_version: attache_str_t,
    /// The name under which the org's logs know this application; empty for attache. Borrowed for
    /// the call.
    pub client_name: attache_str_t,
    /// What carries the requests; NULL for the HTTP client of this library. It may be freed after
    /// the call.
    pub transport: *const attache_transport_t,
    /// Bytes of an answer, after inflation, that are kept in memory; 0 for 64 MiB.
    pub response_bytes_max: u64,
    /// Bytes of a request's body; 0 for 8 MiB.
    pub request_bytes_max: u64,
    /// How long to wait for a connection; 0 for 15 seconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may pause; 0 for 150 seconds.
    pub read_timeout_ms: u64,
    /// How long one call may take in all; 0 for 10 minutes.
    pub call_timeout_ms: u64,
    /// Calls that may be made until attache_set_salesforce() is called again; 0 for any number.
    pub calls_max: u64,
    /// Percent of the org's daily calls, made by all its clients, beyond which none are made; 0
    /// for no bound.
    pub org_percent_max: i32,
    /// Whether the org's assignment rules hand out the leads, cases and accounts that are
    /// written: empty as the org does by itself (its active rules run), "off" for no rule, so
    /// that a record stays with its owner, or the id of the rule that runs, active or not.
    /// Borrowed for the call.
    pub assignment: attache_str_t,
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
        let context = Context::new(options.ctx, options.drop_ctx);
        (options, HostTokens::new(options.token, context))
    });
    enter_on(attache, out_error, move |store: &Store| {
        let (options, host) = options?;
        // SAFETY: the caller's rule for text (top of the header).
        let org = unsafe { build(&options, host)? };
        store.replace(|engine| Ok(engine.with_remote(org)))
    })
}

/// Sets how often a sync tries again when the org is busy or out of reach, for the syncs that
/// follow; what is told then is in attache_error_retry().
///
/// @param retries  0 tells the first failure at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_retries(
    attache: *mut attache_t,
    retries: u32,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        store.replace(|engine| Ok(engine.with_retries(retries)))
    })
}

/// Makes the client.
///
/// # Safety
/// The texts of the options are as the caller's rule has them.
unsafe fn build(options: &attache_salesforce_options_t, host: HostTokens) -> Result<Salesforce> {
    // SAFETY: this function's own condition.
    let (url, token, version, name, assignment) = unsafe {
        (
            options.url.read("url")?,
            options.access_token.read_optional("access_token")?,
            options.api_version.read_optional("api_version")?,
            options.client_name.read_optional("client_name")?,
            options.assignment.read_optional("assignment")?,
        )
    };
    let mut builder = match (tokens(options.tokens)?, options.token, token) {
        (Some(tokens), None, None) => Salesforce::builder(url, tokens),
        (None, Some(_), None) => Salesforce::builder(url, host),
        (None, None, Some(token)) => Salesforce::builder(url, StaticToken::new(token)),
        _ => {
            return Err(Failure::argument(
                "one of access_token, token and tokens says where tokens come from",
            ));
        }
    };
    if let Some(version) = version {
        builder = builder.api_version(version);
    }
    if let Some(name) = name {
        builder = builder.client_name(name);
    }
    if let Some(assignment) = assignment {
        builder = builder.assignment(match assignment {
            "off" => Assignment::Off,
            rule => Assignment::Rule(rule.to_owned()),
        });
    }
    if let Some(transport) = transport(options.transport)? {
        builder = builder.transport(transport);
    }
    Ok(builder
        .limits(limits(options))
        .budget(budget(options)?)
        .build()?)
}

fn limits(options: &attache_salesforce_options_t) -> Limits {
    let usual = Limits::default();
    let bytes = |said: u64, usual: usize| match said {
        0 => usual,
        said => usize::try_from(said).unwrap_or(usize::MAX),
    };
    let time = |said: u64, usual: Duration| match said {
        0 => usual,
        said => Duration::from_millis(said),
    };
    Limits {
        response_bytes_max: bytes(options.response_bytes_max, usual.response_bytes_max),
        request_bytes_max: bytes(options.request_bytes_max, usual.request_bytes_max),
        connect_timeout: time(options.connect_timeout_ms, usual.connect_timeout),
        read_timeout: time(options.read_timeout_ms, usual.read_timeout),
        call_timeout: time(options.call_timeout_ms, usual.call_timeout),
    }
}

fn budget(options: &attache_salesforce_options_t) -> Result<Budget> {
    let percent = u8::try_from(options.org_percent_max)
        .ok()
        .filter(|percent| *percent <= 100)
        .ok_or_else(|| Failure::argument("org_percent_max is 0 to 100"))?;
    Ok(Budget {
        calls_max: Some(options.calls_max).filter(|calls| *calls > 0),
        org_percent_max: Some(percent).filter(|percent| *percent > 0),
    })
}
