//! One call: a token, a request, an answer that was looked at.

use crate::address::Address;
use crate::assignment::Assignment;
use crate::auth::{Keychain, Pass, TokenProvider};
use crate::bulk::{self, Opened};
use crate::error::{
    Effect, no_answer, not_a_remote, not_authorized, redirected, refusal, unreadable,
};
use crate::limits::{Budget, Limits, Meter};
use crate::network::Reqwest;
use crate::person::Known;
use crate::portion::Portion;
use crate::remote;
use crate::transport::{HttpRequest, HttpResponse, Method, Take, Transport};
use attache::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::Read;
use std::sync::{Arc, Mutex};

/// A Salesforce org: the [`Remote`](attache::Remote) over its REST API.
///
/// Everything it does is done as the user its tokens belong to, and only what
/// that user may see is seen. It may be shared between threads and used for
/// many calls at a time.
pub struct Salesforce {
    pub(crate) address: Address,
    pub(crate) meter: Meter,
    pub(crate) limits: Limits,
    keychain: Keychain,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) version: String,
    call_options: String,
    /// Whom the tokens belonged to when the org was last asked.
    pub(crate) known: Mutex<Known>,
    /// How the org is to hand out what is written.
    pub(crate) assignment: Assignment,
    /// The part of a large answer that is being read.
    pub(crate) opened: Mutex<Option<Opened>>,
    pub(crate) part_rows: Portion,
    pub(crate) page_rows: Portion,
}

impl fmt::Debug for Salesforce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salesforce({}, v{})", self.address, self.version)
    }
}

/// Sets up a [`Salesforce`].
#[must_use]
pub struct SalesforceBuilder {
    url: String,
    tokens: Box<dyn TokenProvider>,
    version: String,
    client_name: String,
    transport: Option<Arc<dyn Transport>>,
    limits: Limits,
    budget: Budget,
    assignment: Assignment,
}

impl fmt::Debug for SalesforceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SalesforceBuilder({})", self.url)
    }
}

impl SalesforceBuilder {
    /// Sets the version of the API; `67.0` unless said.
    pub fn api_version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Sets the name under which the org's change events and logs know this
    /// client; `attache` unless said. Letters, digits, `.`, `-`, `_` and `/`.
    pub fn client_name(mut self, name: impl Into<String>) -> Self {
        self.client_name = name.into();
        self
    }

    /// Sets what carries the requests; [`Reqwest`] unless said.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets the bounds of a request.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many API calls may be made.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Sets whether the org's assignment rules hand out the leads and cases that are written; as the
    /// org does by itself unless said.
    pub fn assignment(mut self, assignment: Assignment) -> Self {
        self.assignment = assignment;
        self
    }

    /// Makes the client. Nothing is sent yet.
    ///
    /// # Errors
    /// `InvalidArgument` if the URL, the version, the name or the id of an assignment rule is none.
    pub fn build(self) -> Result<Salesforce> {
        let invalid = |message: &str| Err(Error::new(ErrorKind::InvalidArgument, message));
        let address = Address::parse(&self.url)?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match self.version.split_once('.') {
            Some((major, minor)) if digits(major) && digits(minor) => {}
            _ => return invalid("the API version must look like 67.0"),
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
        if self.client_name.is_empty() || !self.client_name.bytes().all(plain) {
            return invalid("the client name may hold letters, digits, '.', '-', '_' and '/' only");
        }
        if !self.assignment.is_sound() {
            return invalid("an assignment rule is named by its id of 15 or 18 characters");
        }
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Reqwest::to(&address, self.limits)),
        };
        Ok(Salesforce {
            keychain: Keychain::new(self.tokens, address.clone()),
            address,
            meter: Meter::new(self.budget),
            limits: self.limits,
            transport,
            version: self.version,
            call_options: format!("client={}", self.client_name),
            known: Mutex::default(),
            assignment: self.assignment,
            opened: Mutex::default(),
            part_rows: bulk::part_rows(),
            page_rows: remote::page_rows(),
        })
    }
}

/// What of a call is too large for memory.
pub(crate) enum Large<'a> {
    /// Nothing.
    Nothing,
    /// Its body.
    Body(&'a dyn Source),
    /// The body of its answer, as a success.
    Answer(&'a mut Take<'a>),
}

/// A body that can be read as often as it has to be sent.
pub(crate) trait Source: Send + Sync {
    /// How many bytes it has.
    fn bytes(&self) -> u64;

    /// Reads it from its start.
    fn reader(&self) -> Box<dyn Read + Send + '_>;
}

/// What to ask of the org.
pub(crate) struct Call {
    /// One word for logs: paths hold ids and queries hold data.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) effect: Effect,
    /// What the answer may be.
    pub(crate) accept: &'static str,
    /// What the body is.
    pub(crate) content_type: Cow<'static, str>,
    /// Bytes of an answer that are kept in memory, if fewer than the limits allow.
    pub(crate) response_bytes_max: usize,
}

impl Call {
    pub(crate) fn read(name: &'static str, path: String) -> Call {
        Call {
            name,
            method: Method::Get,
            path,
            headers: Vec::new(),
            body: Vec::new(),
            effect: Effect::Read,
            accept: "application/json",
            content_type: "application/json; charset=UTF-8".into(),
            response_bytes_max: usize::MAX,
        }
    }

    /// A read whose question is too long for a URL.
    pub(crate) fn read_by_post(name: &'static str, path: String, body: Vec<u8>) -> Call {
        Call {
            method: Method::Post,
            body,
            ..Call::read(name, path)
        }
    }

    pub(crate) fn write(name: &'static str, method: Method, path: String, body: Vec<u8>) -> Call {
        Call {
            method,
            body,
            effect: Effect::Write,
            ..Call::read(name, path)
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Call {
        self.headers.push((name, value.into()));
        self
    }
}

impl Salesforce {
    /// Makes a client for the org at `url`, `https://acme.my.salesforce.com`.
    ///
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// As [`SalesforceBuilder::build`].
    pub fn new(url: &str, tokens: impl TokenProvider + 'static) -> Result<Salesforce> {
        Salesforce::builder(url, tokens).build()
    }

    /// Starts to set up a client.
    pub fn builder(url: &str, tokens: impl TokenProvider + 'static) -> SalesforceBuilder {
        SalesforceBuilder {
            url: url.to_owned(),
            tokens: Box::new(tokens),
            version: "67.0".into(),
            client_name: "attache".into(),
            transport: None,
            limits: Limits::default(),
            budget: Budget::default(),
            assignment: Assignment::default(),
        }
    }

    /// The path of a resource of the API version: `path("/limits")`.
    pub(crate) fn path(&self, rest: impl Display) -> String {
        format!("/services/data/v{}{rest}", self.version)
    }

    /// Sends a call and gives its answer, whatever its status, but no redirect
    /// and nothing that fresh credentials might change.
    pub(crate) async fn send(&self, call: &Call) -> Result<HttpResponse> {
        self.carry(call, Large::Nothing).await
    }

    /// Sends a call whose body or answer is too large for memory.
    pub(crate) async fn carry(&self, call: &Call, mut large: Large<'_>) -> Result<HttpResponse> {
        let pass = self.keychain.pass().await?;
        let answer = self.exchange(call, Some(&pass), &mut large).await?;
        if !self.token_rejected(&pass, &answer)? {
            return Ok(answer);
        }
        let fresh = self.keychain.renew(&pass).await?;
        let answer = self.exchange(call, Some(&fresh), &mut large).await?;
        if !self.token_rejected(&fresh, &answer)? {
            return Ok(answer);
        }
        self.keychain.discard(&fresh).await;
        Err(not_authorized())
    }

    /// Sends a read without a token, for what the org tells anybody.
    pub(crate) async fn ask_openly(&self, call: &Call) -> Result<HttpResponse> {
        self.accept(self.exchange(call, None, &mut Large::Nothing).await?)
    }

    /// Sends a read; its answer is a success, or "not modified".
    pub(crate) async fn ask(&self, call: &Call) -> Result<HttpResponse> {
        self.accept(self.send(call).await?)
    }

    /// Sends a read and takes its answer apart.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.ask(call).await?;
        self.decode(&answer.body)
    }

    /// Takes the body of a good answer apart.
    pub(crate) fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T> {
        serde_json::from_slice(body).map_err(|cause| unreadable(&self.address, &cause))
    }

    fn accept(&self, answer: HttpResponse) -> Result<HttpResponse> {
        match answer.status {
            200..300 | 304 => Ok(answer),
            _ => Err(refusal(&self.address, &answer, &self.meter)),
        }
    }

    /// Sends one request.
    async fn exchange(
        &self,
        call: &Call,
        pass: Option<&Pass>,
        large: &mut Large<'_>,
    ) -> Result<HttpResponse> {
        self.meter.admit()?;
        let address = pass.map_or(&self.address, |pass| &pass.address);
        let mut request = self.request(call, address, pass, large);
        let answer = match large {
            Large::Nothing => self.transport.send(request).await,
            Large::Body(body) => {
                let mut reader = body.reader();
                let bytes = body.bytes();
                self.transport.upload(request, bytes, &mut *reader).await
            }
            Large::Answer(take) => {
                if self.transport.streams() {
                    request.response_bytes_max = call.response_bytes_max;
                }
                self.transport.download(request, *take).await
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(cause) => {
                tracing::debug!(call = call.name, %cause, "no answer");
                return Err(no_answer(address, cause, call.effect));
            }
        };
        self.meter.observe(&answer);
        tracing::debug!(
            call = call.name,
            status = answer.status,
            bytes = answer.body.len(),
            "answered"
        );
        match answer.status {
            301..=303 | 307 | 308 => Err(redirected(address)),
            _ => Ok(answer),
        }
    }

    fn request(
        &self,
        call: &Call,
        address: &Address,
        pass: Option<&Pass>,
        large: &Large<'_>,
    ) -> HttpRequest {
        let mut headers = vec![
            ("Accept".into(), call.accept.into()),
            ("Sforce-Call-Options".into(), self.call_options.clone()),
            // Syncing a record is not looking at it.
            ("Sforce-Mru".into(), "updateMru=false".into()),
        ];
        if let Some(pass) = pass {
            let bearer = format!("Bearer {}", pass.token.expose());
            headers.push(("Authorization".into(), bearer));
        }
        if !call.body.is_empty() || matches!(large, Large::Body(_)) {
            headers.push(("Content-Type".into(), call.content_type.clone().into()));
        }
        for (name, value) in &call.headers {
            headers.push(((*name).into(), value.clone()));
        }
        HttpRequest {
            method: call.method,
            url: address.url(&call.path),
            headers,
            body: match large {
                Large::Body(_) => Vec::new(),
                _ => call.body.clone(),
            },
            response_bytes_max: self.limits.response_bytes_max.min(call.response_bytes_max),
        }
    }

    /// Says whether an answer asks for a fresh token.
    fn token_rejected(&self, pass: &Pass, answer: &HttpResponse) -> Result<bool> {
        if answer.status != 401 {
            return Ok(false);
        }
        if !answer.body.is_empty() && crate::codec::problems(&answer.body).is_none() {
            return Err(not_a_remote(&pass.address));
        }
        Ok(true)
    }
}

/// Everything but unreserved characters: `@{…}` would be a reference in a composite call.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Prints text as a part of a URL.
pub(crate) fn escape(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, ESCAPED)
}
