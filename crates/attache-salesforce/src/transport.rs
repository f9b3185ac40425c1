//! How a request travels: what a host may bring in place of ours.

use async_trait::async_trait;
use std::fmt;
use std::io::Read;

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or reads with a body.
    Post,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method's name on the wire, in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request.
///
/// Its headers hold the access token and its URL and body hold people's data:
/// its [`Debug`] text shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// Names and values, each name once. A transport adds its own `Host`,
    /// `Content-Length` and `Accept-Encoding`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How many bytes of an answer, after inflation, may be kept in memory; or handed on, by
    /// [`download`](Transport::download).
    pub response_bytes_max: usize,
}

impl HttpRequest {
    /// Finds a header; names are equal in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        write!(f, "{} {url} ({} bytes)", self.method, self.body.len())
    }
}

/// One answer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Names and values in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body, inflated.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// Finds a header; names are equal in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// Why a request has no answer.
///
/// The text is one clause for a person (`connection refused`), without a URL,
/// a header or a body in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Nothing of the request left: no name, no route, no TLS. Safe to send again.
    #[error("{0}")]
    NotSent(String),
    /// The request may have left and no whole answer came: the org may have acted.
    #[error("{0}")]
    NoAnswer(String),
    /// The answer is larger than [`HttpRequest::response_bytes_max`]: the org may have acted.
    #[error("the answer is too large")]
    TooLarge,
}

/// Carries requests to an org.
///
/// [`Reqwest`](crate::Reqwest) is the one that is used unless the host brings
/// its own: the URL session of a phone, or an org in the same process.
///
/// An implementation must not follow redirects (a token would travel to another
/// host), must check TLS certificates, must stop reading at
/// `response_bytes_max`, and must not repeat a request unless it is certain
/// that the first one was never processed. When in doubt whether a request
/// left, the error is [`TransportError::NoAnswer`]. It sends the headers it is
/// given and keeps no cookies: an org's are for browsers, and one that came back
/// could stand for somebody else than the token does.
///
/// # Examples
///
/// An org in memory. A real one hands the request to the platform's HTTP client and
/// copies three things back; nothing else of this crate changes.
///
/// ```
/// use async_trait::async_trait;
/// use attache::Remote;
/// use attache_salesforce::{
///     HttpRequest, HttpResponse, Salesforce, StaticToken, Transport, TransportError,
/// };
/// use std::sync::Arc;
///
/// struct InMemory;
///
/// #[async_trait]
/// impl Transport for InMemory {
///     async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
///         assert_eq!(request.header("authorization"), Some("Bearer 00D!token"));
///         let body = br#"{"totalSize":1,"done":true,"records":[{"Id":"001D000000JliSTIAZ"}]}"#;
///         if body.len() > request.response_bytes_max {
///             return Err(TransportError::TooLarge);
///         }
///         Ok(HttpResponse {
///             status: 200,
///             headers: vec![("Content-Type".into(), "application/json".into())],
///             body: body.to_vec(),
///         })
///     }
/// }
///
/// let org = Salesforce::builder("https://acme.my.salesforce.com", StaticToken::new("00D!token"))
///     .transport(Arc::new(InMemory))
///     .build()?;
/// let page = futures_lite::future::block_on(org.query("SELECT Id FROM Account"))?;
/// assert_eq!(page.records.len(), 1);
/// # Ok::<_, attache::Error>(())
/// ```
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and waits for its whole answer.
    ///
    /// # Errors
    /// Only if there is no answer: any status is an answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;

    /// Says whether [`upload`](Transport::upload) and [`download`](Transport::download) hold a part of a body
    /// only. A file is fetched in many short stretches from a transport that does not.
    fn streams(&self) -> bool {
        false
    }

    /// Sends a request whose body, of so many bytes, is read while it leaves; its own is empty.
    ///
    /// By default the body is read into memory and goes the way of [`send`](Transport::send).
    ///
    /// # Errors
    /// As [`send`](Transport::send). A reader that fails or ends early leaves a request that no server can take for
    /// a whole one.
    async fn upload(
        &self,
        mut request: HttpRequest,
        bytes: u64,
        body: &mut (dyn Read + Send),
    ) -> Result<HttpResponse, TransportError> {
        let room = usize::try_from(bytes).unwrap_or(usize::MAX);
        let reserved = request.body.try_reserve_exact(room);
        reserved.map_err(|_| TransportError::NotSent("its body is larger than memory".into()))?;
        match body.take(bytes).read_to_end(&mut request.body) {
            Ok(read) if read == room => self.send(request).await,
            _ => Err(TransportError::NotSent("its body cannot be read".into())),
        }
    }

    /// Sends a request, and hands the body of a success on as it comes, with the answer it belongs to.
    ///
    /// `take` says whether it wants more; of an empty body it need not hear. The answer that is given in the end has
    /// no body if it is a success (2xx), and its own if it is none. By default all of it comes by
    /// [`send`](Transport::send), and is handed on at once.
    ///
    /// # Errors
    /// As [`send`](Transport::send); what was handed on before is as the server sent it.
    async fn download(
        &self,
        request: HttpRequest,
        take: &mut Take<'_>,
    ) -> Result<HttpResponse, TransportError> {
        let mut answer = self.send(request).await?;
        if answer.is_success() {
            let body = std::mem::take(&mut answer.body);
            take(&answer, &body);
        }
        Ok(answer)
    }
}

/// Takes a part of an answer's body, and says whether to go on.
pub type Take<'a> = dyn FnMut(&HttpResponse, &[u8]) -> bool + Send + 'a;

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_text_holds_no_secret() {
        let request = HttpRequest {
            method: Method::Get,
            url: "https://acme.example/query?q=WHERE Name='Jo'".into(),
            headers: vec![("Authorization".into(), "Bearer 00D!secret".into())],
            body: b"Jo".to_vec(),
            response_bytes_max: 1,
        };
        let text = format!("{request:?}");
        assert_eq!(text, "GET https://acme.example/query (2 bytes)");
    }
}
