//! Requests that go to a sandbox in the same process.

use attache_salesforce::{HttpRequest, HttpResponse, Transport, TransportError};
use attache_sandbox::{Outcome, Request, Response, Sandbox};

/// A [`Transport`] without a network: it answers before it returns.
pub struct InProcess {
    sandbox: Sandbox,
}

impl InProcess {
    /// Carries requests to this org, whatever host they name.
    pub fn new(sandbox: Sandbox) -> InProcess {
        InProcess { sandbox }
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
        let outcome = self.sandbox.handle(Request {
            method: request.method.as_str().to_owned(),
            target,
            headers: request.headers,
            body: request.body,
        });
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
