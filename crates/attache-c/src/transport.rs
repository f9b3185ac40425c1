//! HTTP by the host.

use crate::bytes::attache_bytes_t;
use crate::callback::{Context, attache_drop_fn};
use crate::enter::{Out, Result, enter, enter_on, find, free};
use crate::error::{Failure, attache_error_t};
use crate::status::{ATTACHE_OK, ATTACHE_REMOTE_UNREACHABLE, attache_status_t};
use crate::table::{self, Object};
use crate::text::attache_str_t;
use async_trait::async_trait;
use attache_salesforce::{HttpRequest, HttpResponse, Transport, TransportError};
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

/// Carries requests, in place of the HTTP client of this library.
pub struct attache_transport_t {
    _opaque: (),
}

/// Takes an answer, inside of an attache_send_fn.
pub struct attache_http_response_t {
    _opaque: (),
}

/// A header of a request or an answer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_header_t {
    /// Its name.
    pub name: attache_str_t,
    /// Its value.
    pub value: attache_str_t,
}

/// A request. It may grow at its end.
#[repr(C)]
pub struct attache_http_request_t {
    /// GET, POST, PATCH or DELETE.
    pub method: attache_str_t,
    /// The absolute URL.
    pub url: attache_str_t,
    /// The headers, the access token among them; Host, Content-Length and Accept-Encoding are the
    /// transport's to add.
    pub headers: *const attache_header_t,
    /// How many headers.
    pub header_count: usize,
    /// The body; empty for none.
    pub body: attache_bytes_t,
    /// Bytes of an answer, after inflation, that may be kept in memory: more fail the request.
    pub response_bytes_max: u64,
}

/// Sends a request and waits for its whole answer: passes that to attache_http_response_set() and
/// returns ATTACHE_OK, whatever its HTTP status. Without an answer it returns
/// ATTACHE_REMOTE_UNREACHABLE if certainly nothing of the request left, and
/// ATTACHE_REMOTE_OUTCOME_UNKNOWN otherwise.
///
/// It must not follow redirects, must check certificates, must not send a request twice and keeps
/// no cookies. Called on the thread that waits for the org, by several at once if several do; the
/// request is good until it returns. It must not throw or longjmp.
pub type attache_send_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        request: *const attache_http_request_t,
        response: *mut attache_http_response_t,
    ) -> attache_status_t,
>;

/// What stands behind an [`attache_transport_t`].
struct Carrier(Arc<Host>);

impl Object for Carrier {
    type C = attache_transport_t;
    const NAME: &'static str = "attache_transport_t";
}

/// What stands behind an [`attache_http_response_t`].
struct Slot(Mutex<Option<HttpResponse>>);

impl Object for Slot {
    type C = attache_http_response_t;
    const NAME: &'static str = "attache_http_response_t";
}

/// The host's function, as the Salesforce client wants it.
struct Host {
    call: unsafe extern "C" fn(
        ctx: *mut c_void,
        request: *const attache_http_request_t,
        response: *mut attache_http_response_t,
    ) -> attache_status_t,
    context: Context,
}

/// Makes a transport.
///
/// @param send           Called with ctx for each request.
/// @param drop_ctx       Called with ctx once, when send will not be called again, from whatever
///                       thread lets the last org go that uses it; may be NULL.
/// @param out_transport  Set to an owned handle on success, for attache_salesforce_options_t and
///                       attache_auth_options_t. Free it with attache_transport_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_transport_new(
    send: attache_send_fn,
    ctx: *mut c_void,
    drop_ctx: attache_drop_fn,
    out_transport: *mut *mut attache_transport_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    // Taken over before anything can fail: whatever becomes of the call, the context goes with it.
    let context = Context::new(ctx, drop_ctx);
    enter(out_error, move || {
        let out = Out::new(out_transport, "out_transport")?;
        let Some(call) = send else {
            return Err(Failure::argument("send is NULL"));
        };
        out.set(table::insert(Carrier(Arc::new(Host { call, context }))));
        Ok(())
    })
}

/// Frees a transport, also while orgs use it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_transport_free(transport: *mut attache_transport_t) {
    free::<Carrier>(transport);
}

/// Passes an answer. All is borrowed for the call.
///
/// @param status   The HTTP status.
/// @param headers  So many headers, in the order they came.
/// @param count    How many.
/// @param body     The body, inflated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_http_response_set(
    response: *mut attache_http_response_t,
    status: i32,
    headers: *const attache_header_t,
    count: usize,
    body: attache_bytes_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(response, out_error, |slot: &Slot| {
        let absurd = count > isize::MAX as usize / size_of::<attache_header_t>();
        if absurd || (headers.is_null() && count > 0) {
            return Err(Failure::argument("headers is NULL, or count is absurd"));
        }
        let status = u16::try_from(status)
            .ok()
            .filter(|status| (100..1000).contains(status))
            .ok_or_else(|| Failure::argument("status is none of HTTP"))?;
        let mut given = Vec::new();
        for at in 0..count {
            // SAFETY: below `count`, which the caller promises to be readable; and the caller's
            // rule for text (top of the header).
            let (name, value) = unsafe {
                let header = headers.add(at).read();
                (header.name.read("a name")?, header.value.read("a value")?)
            };
            given.push((name.to_owned(), value.to_owned()));
        }
        // SAFETY: the caller's rule for bytes (top of the header).
        let body = unsafe { body.read("body")? }.to_vec();
        *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(HttpResponse {
            status,
            headers: given,
            body,
        });
        Ok(())
    })
}

/// Finds the transport behind a handle; none for NULL.
pub(crate) fn transport(handle: *const attache_transport_t) -> Result<Option<Arc<dyn Transport>>> {
    if handle.is_null() {
        return Ok(None);
    }
    let host: Arc<dyn Transport> = find::<Carrier>(handle)?.0.clone();
    Ok(Some(host))
}

#[async_trait]
impl Transport for Host {
    async fn send(
        &self,
        request: HttpRequest,
    ) -> std::result::Result<HttpResponse, TransportError> {
        let answer = self.ask(&request)?;
        match answer.body.len() > request.response_bytes_max {
            true => Err(TransportError::TooLarge),
            false => Ok(answer),
        }
    }
}

impl Host {
    fn ask(&self, request: &HttpRequest) -> std::result::Result<HttpResponse, TransportError> {
        let headers: Vec<attache_header_t> = request
            .headers
            .iter()
            .map(|(name, value)| attache_header_t {
                name: attache_str_t::borrowed(name),
                value: attache_str_t::borrowed(value),
            })
            .collect();
        let shown = attache_http_request_t {
            method: attache_str_t::borrowed(request.method.as_str()),
            url: attache_str_t::borrowed(&request.url),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            body: attache_bytes_t::borrowed(&request.body),
            response_bytes_max: u64::try_from(request.response_bytes_max).unwrap_or(u64::MAX),
        };
        let handle = table::insert(Slot(Mutex::new(None)));
        // SAFETY: the caller gave a function of this type, for this context.
        let status = unsafe { (self.call)(self.context.get(), &raw const shown, handle) };
        let given = table::get::<Slot>(handle)
            .ok()
            .and_then(|slot| slot.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        table::remove::<Slot>(handle);
        match (status, given) {
            (ATTACHE_OK, Some(answer)) => Ok(answer),
            (ATTACHE_OK, None) => Err(TransportError::NoAnswer(
                "the application's transport gave no answer".into(),
            )),
            (ATTACHE_REMOTE_UNREACHABLE, _) => Err(TransportError::NotSent(
                "the application's transport could not send".into(),
            )),
            _ => Err(TransportError::NoAnswer(
                "the application's transport got no answer".into(),
            )),
        }
    }
}
