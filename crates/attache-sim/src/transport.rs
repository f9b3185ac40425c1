//! Requests that go to a sandbox in the same process.

use attache_salesforce::{HttpRequest, HttpResponse, Transport, TransportError};
use attache_sandbox::{Outcome, Request, Response, Sandbox};
use futures_lite::future::yield_now;
use std::sync::Arc;

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has left the device and not reached the org.
    Sent,
    /// The org is done with it and the device has not heard of that.
    Answered,
}

/// Is told of each request, twice. It may act on the org and on devices, but must not wait for a session.
///
/// Of a composite call that only reads it is told as of its parts, each a GET of its own.
pub type Watcher = Arc<dyn Fn(Moment, &str, &str) + Send + Sync>;

/// A [`Transport`] without a network: it answers at once.
///
/// It hands the thread back once before the org sees a request and once after,
/// so that a session can be dropped on either side of it.
pub struct InProcess {
    sandbox: Sandbox,
    watcher: Option<Watcher>,
}

impl InProcess {
    /// Carries requests to this org, whatever host they name.
    pub fn new(sandbox: Sandbox) -> InProcess {
        InProcess {
            sandbox,
            watcher: None,
        }
    }

    /// Tells somebody of each request, with its method and its target.
    #[must_use]
    pub fn watched(mut self, watcher: Watcher) -> InProcess {
        self.watcher = Some(watcher);
        self
    }

    fn tell(&self, moment: Moment, request: &Request, parts: &[String]) {
        let Some(watcher) = &self.watcher else { return };
        if parts.is_empty() {
            return watcher(moment, &request.method, &request.target);
        }
        parts.iter().for_each(|part| watcher(moment, "GET", part));
    }
}

#[async_trait::async_trait]
impl Transport for InProcess {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let limit = request.response_bytes_max;
        let target = request
            .url
            .splitn(4, '/')
            .nth(3)
            .map_or_else(|| "/".to_owned(), |path| format!("/{path}"));
        let request = Request {
            method: request.method.as_str().to_owned(),
            target,
            headers: request.headers,
            body: request.body,
        };
        let parts = match self.watcher {
            Some(_) => request.parts_read(),
            None => Vec::new(),
        };
        self.tell(Moment::Sent, &request, &parts);
        yield_now().await;
        let outcome = self.sandbox.handle(request.clone());
        yield_now().await;
        self.tell(Moment::Answered, &request, &parts);
        match outcome {
            Outcome::Answer(answer) if answer.body.len() > limit => Err(TransportError::TooLarge),
            Outcome::Answer(answer) => Ok(response(answer)),
            Outcome::Truncated(_) => Err(TransportError::NoAnswer(
                "the connection was cut in the middle of the answer".into(),
            )),
            Outcome::NoAnswer => Err(TransportError::NoAnswer("the connection was cut".into())),
        }
    }
}

fn response(answer: Response) -> HttpResponse {
    HttpResponse {
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
    }
}
