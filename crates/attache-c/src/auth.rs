//! Signing in: the ways to a token that come with this library.

use crate::callback::{Context, attache_drop_fn};
use crate::enter::{Out, Result, enter, enter_on, find, free, peek};
use crate::error::{Failure, attache_error_t};
use crate::options::{self, Options};
use crate::status::{ATTACHE_OK, attache_status_t};
use crate::table::{self, Object};
use crate::text::{Text, attache_str_t, attache_text_t};
use crate::transport::{attache_transport_t, transport};
use attache::{Error, ErrorKind};
use attache_salesforce::{
    AccessToken, ClientCredentials, JwtBearer, RefreshToken, Revoked, SignIn, SignedIn,
    TokenProvider, Transport,
};
use futures_lite::future::block_on;
use std::ffi::c_void;
use std::sync::Arc;

/// Gives access tokens, for attache_salesforce_options_t.
pub struct attache_tokens_t {
    _opaque: (),
}

/// What stands behind an [`attache_tokens_t`].
struct Tokens {
    provider: Arc<dyn TokenProvider>,
    /// The same, if it is a refresh token, which can be revoked.
    refresh: Option<Arc<RefreshToken>>,
}

impl Tokens {
    fn new(provider: impl TokenProvider + 'static) -> Tokens {
        Tokens {
            provider: Arc::new(provider),
            refresh: None,
        }
    }
}

impl Object for Tokens {
    type C = attache_tokens_t;
    const NAME: &'static str = "attache_tokens_t";
}

/// Stores a new refresh token, which is durable when it returns ATTACHE_OK; another status fails
/// the call that needed a token, and the next one tries again. Called on the thread that waits
/// for the org, by one at a time; the text is good until it returns. It must not throw or longjmp.
pub type attache_rotated_fn = Option<
    unsafe extern "C" fn(ctx: *mut c_void, refresh_token: attache_str_t) -> attache_status_t,
>;

/// How to sign in. Start from attache_auth_options(), and set what the function asks for. All is
/// borrowed for the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_auth_options_t {
    /// sizeof(attache_auth_options_t).
    pub struct_size: usize,
    /// Where to sign in: https://login.salesforce.com, https://test.salesforce.com, or the org's
    /// own host.
    pub url: attache_str_t,
    /// The connected app.
    pub client_id: attache_str_t,
    /// Its secret, if it has one.
    pub client_secret: attache_str_t,
    /// The refresh token of attache_refresh_token_new().
    pub refresh_token: attache_str_t,
    /// For attache_refresh_token_new(), an access token that is still good; may be empty.
    pub access_token: attache_str_t,
    /// For attache_refresh_token_new(), how a new refresh token is stored; may be NULL for an app
    /// that gets no new ones.
    pub on_rotated: attache_rotated_fn,
    /// The first argument of on_rotated.
    pub ctx: *mut c_void,
    /// Called with ctx once, when on_rotated will not be called again; may be NULL.
    pub drop_ctx: attache_drop_fn,
    /// The user of attache_jwt_bearer_new().
    pub username: attache_str_t,
    /// The RSA key of attache_jwt_bearer_new(), in PEM.
    pub private_key: attache_str_t,
    /// Where the browser comes back of attache_sign_in_new().
    pub redirect_uri: attache_str_t,
    /// For attache_sign_in_new(), who is expected to sign in; may be empty.
    pub login_hint: attache_str_t,
    /// What carries the requests; NULL for the HTTP client of this library.
    pub transport: *const attache_transport_t,
}

// SAFETY: begins with its size; all zero is NULL, empty texts and no functions.
unsafe impl Options for attache_auth_options_t {
    const NAME: &'static str = "attache_auth_options_t";
}

/// The options, as far as every way has them.
struct Asked<'call> {
    options: attache_auth_options_t,
    url: &'call str,
    client_id: &'call str,
    transport: Option<Arc<dyn Transport>>,
}

impl Asked<'_> {
    /// Reads them.
    ///
    /// # Safety
    /// As in [`options::read`], and its texts are those of the caller's rule.
    unsafe fn read<'call>(options: Result<attache_auth_options_t>) -> Result<Asked<'call>> {
        let options = options?;
        // SAFETY: this function's own condition.
        let (url, client_id) = unsafe {
            (
                options.url.read_needed("url")?,
                options.client_id.read_needed("client_id")?,
            )
        };
        Ok(Asked {
            url,
            client_id,
            transport: transport(options.transport)?,
            options,
        })
    }
}

/// Makes something of auth options. The context goes with it, whatever becomes of the call.
///
/// # Safety
/// That of [`Asked::read`].
unsafe fn make<T: Object>(
    options: *const attache_auth_options_t,
    out: *mut *mut T::C,
    name: &str,
    out_error: *mut *mut attache_error_t,
    make: impl FnOnce(Asked<'_>, Context) -> Result<T>,
) -> attache_status_t {
    // SAFETY: this function's own condition.
    let options = unsafe { options::read(options) }.map(|options| {
        let context = Context::new(options.ctx, options.drop_ctx);
        (options, context)
    });
    enter(out_error, move || {
        let (options, context) = options?;
        let out = Out::new(out, name)?;
        // SAFETY: this function's own condition.
        let asked = unsafe { Asked::read(Ok(options))? };
        out.set(table::insert(make(asked, context)?));
        Ok(())
    })
}

/// Signs in with a refresh token: of url, client_id, client_secret, refresh_token, access_token,
/// on_rotated and transport. Does no call itself.
///
/// @param out_tokens  Set to an owned handle on success. Free it with attache_tokens_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_refresh_token_new(
    options: *const attache_auth_options_t,
    out_tokens: *mut *mut attache_tokens_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    let new = |asked: Asked<'_>, context: Context| {
        let options = asked.options;
        // SAFETY: the caller's rule for text (top of the header).
        let (refresh, secret, access) = unsafe {
            (
                options.refresh_token.read_needed("refresh_token")?,
                options.client_secret.read_optional("client_secret")?,
                options.access_token.read_optional("access_token")?,
            )
        };
        let mut tokens = RefreshToken::new(asked.url, asked.client_id, refresh)?;
        if let Some(secret) = secret {
            tokens = tokens.with_client_secret(secret);
        }
        if let Some(access) = access {
            tokens = tokens.with_access_token(AccessToken::new(access));
        }
        if let Some(transport) = asked.transport {
            tokens = tokens.with_transport(transport);
        }
        if let Some(call) = options.on_rotated {
            tokens = tokens.on_rotated(move |token| {
                // SAFETY: the caller gave a function of this type, for this context.
                match unsafe { call(context.get(), attache_str_t::borrowed(token)) } {
                    ATTACHE_OK => Ok(()),
                    _ => Err(Error::new(
                        ErrorKind::StorageUnavailable,
                        "the application could not store the new refresh token",
                    )),
                }
            });
        }
        let tokens = Arc::new(tokens);
        Ok(Tokens {
            provider: tokens.clone(),
            refresh: Some(tokens),
        })
    };
    // SAFETY: the caller's rule for options (top of the header).
    unsafe { make(options, out_tokens, "out_tokens", out_error, new) }
}

/// Signs in for a user without asking them (JWT bearer flow): of url, client_id, username,
/// private_key and transport. Does no call itself.
///
/// @param out_tokens  Set to an owned handle on success. Free it with attache_tokens_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_jwt_bearer_new(
    options: *const attache_auth_options_t,
    out_tokens: *mut *mut attache_tokens_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    let new = |asked: Asked<'_>, _: Context| {
        // SAFETY: the caller's rule for text (top of the header).
        let (username, key) = unsafe {
            (
                asked.options.username.read_needed("username")?,
                asked.options.private_key.read_needed("private_key")?,
            )
        };
        let mut tokens = JwtBearer::new(asked.url, asked.client_id, username, key)?;
        if let Some(transport) = asked.transport {
            tokens = tokens.with_transport(transport);
        }
        Ok(Tokens::new(tokens))
    };
    // SAFETY: the caller's rule for options (top of the header).
    unsafe { make(options, out_tokens, "out_tokens", out_error, new) }
}

/// Signs in as the integration user of a connected app (client credentials flow): of url,
/// client_id, client_secret and transport. Does no call itself.
///
/// @param out_tokens  Set to an owned handle on success. Free it with attache_tokens_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_client_credentials_new(
    options: *const attache_auth_options_t,
    out_tokens: *mut *mut attache_tokens_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    let new = |asked: Asked<'_>, _: Context| {
        // SAFETY: the caller's rule for text (top of the header).
        let secret = unsafe { asked.options.client_secret.read_needed("client_secret")? };
        let mut tokens = ClientCredentials::new(asked.url, asked.client_id, secret)?;
        if let Some(transport) = asked.transport {
            tokens = tokens.with_transport(transport);
        }
        Ok(Tokens::new(tokens))
    };
    // SAFETY: the caller's rule for options (top of the header).
    unsafe { make(options, out_tokens, "out_tokens", out_error, new) }
}

/// The token was revoked by this call.
pub const ATTACHE_REVOKED_NOW: i32 = 0;
/// The org did not know the token any more: it had ended before.
pub const ATTACHE_REVOKED_BEFORE: i32 = 1;

/// Ends the refresh token of attache_refresh_token_new() at the org, with the access tokens that
/// it bought: signs the person out. Nothing in a store is touched; unsent work waits there for
/// the next sign-in. The application forgets its own copy of the token afterwards. Waits for the
/// network; after ATTACHE_REMOTE_UNREACHABLE and ATTACHE_REMOTE_BUSY the token may live on.
///
/// @param tokens       ATTACHE_INVALID_ARGUMENT if it holds no refresh token.
/// @param out_revoked  Set to ATTACHE_REVOKED_NOW or ATTACHE_REVOKED_BEFORE on success.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_tokens_revoke(
    tokens: *const attache_tokens_t,
    out_revoked: *mut i32,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(tokens, out_error, |tokens: &Tokens| {
        let out = Out::new(out_revoked, "out_revoked")?;
        let Some(refresh) = &tokens.refresh else {
            return Err(Failure::argument("only a refresh token can be revoked"));
        };
        out.set(match block_on(refresh.revoke())? {
            Revoked::Now => ATTACHE_REVOKED_NOW,
            // Whatever else may come to be told, the token is worth nothing.
            _ => ATTACHE_REVOKED_BEFORE,
        });
        Ok(())
    })
}

/// Frees a way to tokens, also while orgs use it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_tokens_free(tokens: *mut attache_tokens_t) {
    free::<Tokens>(tokens);
}

/// Finds the way to tokens behind a handle; none for NULL.
pub(crate) fn tokens(handle: *const attache_tokens_t) -> Result<Option<Arc<dyn TokenProvider>>> {
    match handle.is_null() {
        true => Ok(None),
        false => Ok(Some(find::<Tokens>(handle)?.provider.clone())),
    }
}

/// A sign-in of a person with a browser.
pub struct attache_sign_in_t {
    _opaque: (),
}

impl Object for SignIn {
    type C = attache_sign_in_t;
    const NAME: &'static str = "attache_sign_in_t";
}

/// What a person's sign-in gave. Its texts are wiped from memory when it is freed.
pub struct attache_signed_in_t {
    _opaque: (),
}

impl Object for SignedIn {
    type C = attache_signed_in_t;
    const NAME: &'static str = "attache_signed_in_t";
}

/// Begins a sign-in of a person with a browser (web server flow with PKCE): of url, client_id,
/// client_secret, redirect_uri, login_hint and transport. The application opens
/// attache_sign_in_url() and gets the browser back at redirect_uri.
///
/// @param out_sign_in  Set to an owned handle on success. Free it with attache_sign_in_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sign_in_new(
    options: *const attache_auth_options_t,
    out_sign_in: *mut *mut attache_sign_in_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    let new = |asked: Asked<'_>, _: Context| {
        let options = asked.options;
        // SAFETY: the caller's rule for text (top of the header).
        let (redirect, secret, hint) = unsafe {
            (
                options.redirect_uri.read_needed("redirect_uri")?,
                options.client_secret.read_optional("client_secret")?,
                options.login_hint.read_optional("login_hint")?,
            )
        };
        let mut sign_in = SignIn::new(asked.url, asked.client_id, redirect)?;
        if let Some(secret) = secret {
            sign_in = sign_in.with_client_secret(secret);
        }
        if let Some(hint) = hint {
            sign_in = sign_in.with_login_hint(hint);
        }
        if let Some(transport) = asked.transport {
            sign_in = sign_in.with_transport(transport);
        }
        Ok(sign_in)
    };
    // SAFETY: the caller's rule for options (top of the header).
    unsafe { make(options, out_sign_in, "out_sign_in", out_error, new) }
}

/// Gives the page to open in the person's own browser.
///
/// @param out_url  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sign_in_url(
    sign_in: *const attache_sign_in_t,
    out_url: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(sign_in, out_error, |sign_in: &SignIn| {
        let out = Out::new(out_url, "out_url")?;
        out.set(table::insert(Text(sign_in.url())));
        Ok(())
    })
}

/// Says whether what the browser came with belongs to this sign-in: 1 or 0.
///
/// @param answer  The whole address it was sent to, or the part of it after the question mark.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sign_in_is_ours(
    sign_in: *const attache_sign_in_t,
    answer: attache_str_t,
) -> i32 {
    peek(sign_in, 0, |sign_in: &SignIn| {
        // SAFETY: the caller's rule for text (top of the header).
        let answer = unsafe { answer.read("answer") };
        i32::from(answer.is_ok_and(|answer| sign_in.is_ours(answer)))
    })
}

/// Redeems what the browser came with. Waits for the network.
///
/// @param answer         As in attache_sign_in_is_ours().
/// @param out_signed_in  Set to an owned handle on success. Free it with
///                       attache_signed_in_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_sign_in_finish(
    sign_in: *const attache_sign_in_t,
    answer: attache_str_t,
    out_signed_in: *mut *mut attache_signed_in_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(sign_in, out_error, |sign_in: &SignIn| {
        let out = Out::new(out_signed_in, "out_signed_in")?;
        // SAFETY: the caller's rule for text (top of the header).
        let answer = unsafe { answer.read("answer")? };
        out.set(table::insert(block_on(sign_in.finish(answer))?));
        Ok(())
    })
}

/// Frees a sign-in. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_sign_in_free(sign_in: *mut attache_sign_in_t) {
    free::<SignIn>(sign_in);
}

/// Gives the token to call the org with. Valid until the handle is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_signed_in_access_token(
    signed_in: *const attache_signed_in_t,
) -> attache_str_t {
    peek(signed_in, attache_str_t::NONE, |signed_in: &SignedIn| {
        attache_str_t::borrowed(signed_in.access_token().expose())
    })
}

/// Gives what buys the next access token; no text if the app may not ask for it. Valid until the
/// handle is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_signed_in_refresh_token(
    signed_in: *const attache_signed_in_t,
) -> attache_str_t {
    peek(signed_in, attache_str_t::NONE, |signed_in: &SignedIn| {
        let token = signed_in.refresh_token();
        token.map_or(attache_str_t::NONE, attache_str_t::borrowed)
    })
}

/// Gives the org's own host, if the answer named it. Valid until the handle is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_signed_in_instance_url(
    signed_in: *const attache_signed_in_t,
) -> attache_str_t {
    peek(signed_in, attache_str_t::NONE, |signed_in: &SignedIn| {
        let url = signed_in.instance_url();
        url.map_or(attache_str_t::NONE, attache_str_t::borrowed)
    })
}

/// Frees what a sign-in gave. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_signed_in_free(signed_in: *mut attache_signed_in_t) {
    free::<SignedIn>(signed_in);
}
