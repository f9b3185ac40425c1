//! How a request travels: what a host may bring in place of ours.

use async_trait::async_trait;
use std::fmt;

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
    /// How many bytes of an answer, after inflation, may be kept in memory.
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
}

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
