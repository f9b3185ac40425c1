//! HTTP by the application: `URLSession`, `OkHttp`, a proxy of its own.

use async_trait::async_trait;
use attache_salesforce as salesforce;
use std::sync::Arc;

/// A header.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct HttpHeader {
    /// Its name.
    pub name: String,
    /// Its value. That of `Authorization` is a secret: log none.
    pub value: String,
}

/// One request.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct HttpRequest {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// The headers, each name once. A transport adds its own `Host`, `Content-Length` and `Accept-Encoding`.
    pub headers: Vec<HttpHeader>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How many bytes of an answer, after inflation, may be kept in memory.
    pub response_bytes_max: u64,
}

/// One answer.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers in the order they came.
    pub headers: Vec<HttpHeader>,
    /// The body, inflated.
    pub body: Vec<u8>,
}

/// Why a request has no answer. The reason is one clause for a person, without a URL, a header or a body in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum TransportError {
    /// Nothing of the request left: no name, no route, no TLS. Safe to send again.
    #[error("{reason}")]
    NotSent {
        /// Why.
        reason: String,
    },
    /// The request may have left and no whole answer came: the org may have acted.
    #[error("{reason}")]
    NoAnswer {
        /// Why.
        reason: String,
    },
    /// The answer is larger than `response_bytes_max`: the org may have acted.
    #[error("the answer is too large")]
    TooLarge,
}

// What a host throws that is none of these may have come after the request left.
impl From<uniffi::UnexpectedUniFFICallbackError> for TransportError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> TransportError {
        TransportError::NoAnswer {
            reason: "the application's transport threw".into(),
        }
    }
}

/// Carries requests to the org.
///
/// It must not follow redirects (a token would travel to another host), must check TLS certificates, must stop reading
/// at `response_bytes_max`, keeps no cookies, and does not repeat a request unless it is certain that the first one was
/// never processed. When in doubt whether a request left, the error is `NoAnswer`.
#[uniffi::export(rust, foreign)]
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a request and waits for its whole answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
}

/// A transport of the host's, as the Salesforce client wants it.
pub(crate) struct HostTransport(pub(crate) Arc<dyn Transport>);

#[async_trait]
impl salesforce::Transport for HostTransport {
    async fn send(
        &self,
        request: salesforce::HttpRequest,
    ) -> Result<salesforce::HttpResponse, salesforce::TransportError> {
        let headers = request.headers.into_iter();
        let request = HttpRequest {
            method: request.method.as_str().to_owned(),
            url: request.url,
            headers: headers
                .map(|(name, value)| HttpHeader { name, value })
                .collect(),
            body: request.body,
            response_bytes_max: request.response_bytes_max as u64,
        };
        match self.0.send(request).await {
            Ok(answer) => Ok(salesforce::HttpResponse {
                status: answer.status,
                headers: answer
                    .headers
                    .into_iter()
                    .map(|header| (header.name, header.value))
                    .collect(),
                body: answer.body,
            }),
            Err(TransportError::NotSent { reason }) => {
                Err(salesforce::TransportError::NotSent(reason))
            }
            Err(TransportError::NoAnswer { reason }) => {
                Err(salesforce::TransportError::NoAnswer(reason))
            }
            Err(TransportError::TooLarge) => Err(salesforce::TransportError::TooLarge),
        }
    }
}
