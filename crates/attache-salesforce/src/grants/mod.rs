//! Tokens from the org's own token service.

mod client_credentials;
mod jwt;
mod refresh;
mod revoke;
mod sign_in;

pub use client_credentials::ClientCredentials;
pub use jwt::JwtBearer;
pub use refresh::RefreshToken;
pub use revoke::Revoked;
pub use sign_in::{SignIn, SignedIn};

use crate::address::Address;
use crate::auth::AccessToken;
use crate::error::{Effect, no_answer, not_a_remote, not_authorized, redirected, unreadable};
use crate::limits::{Limits, retry_after};
use crate::network::Reqwest;
use crate::transport::{HttpRequest, HttpResponse, Method, Transport};
use attache::{Error, ErrorKind, Result};
use form_urlencoded::Serializer;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

const TOKEN_PATH: &str = "/services/oauth2/token";
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The token service of one host.
#[derive(Clone)]
struct TokenService {
    address: Address,
    client_id: String,
    transport: Arc<dyn Transport>,
}

struct Grant {
    access: AccessToken,
    refresh: Option<SecretString>,
}

impl TokenService {
    fn new(url: &str, client_id: String) -> Result<TokenService> {
        let address = Address::parse(url)?;
        Ok(TokenService {
            transport: Arc::new(Reqwest::to(&address, Limits::default())),
            address,
            client_id,
        })
    }

    async fn ask(&self, grant_type: &str, parameters: &[(&str, &str)]) -> Result<Grant> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", grant_type)
            .append_pair("client_id", &self.client_id)
            .extend_pairs(parameters)
            .finish();
        let content_type = "application/x-www-form-urlencoded";
        let answer = self
            .send(HttpRequest {
                method: Method::Post,
                headers: vec![("Content-Type".into(), content_type.into())],
                body: form.into_bytes(),
                ..self.request(TOKEN_PATH)
            })
            .await?;
        self.read(&answer)
    }

    /// A request for what is at a path, without a body.
    fn request(&self, path: &str) -> HttpRequest {
        HttpRequest {
            method: Method::Get,
            url: self.address.url(path),
            headers: Vec::new(),
            body: Vec::new(),
            response_bytes_max: ANSWER_BYTES_MAX,
        }
    }

    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse> {
        request
            .headers
            .push(("Accept".into(), "application/json".into()));
        // A lost answer leaves no record changed: asking again is right.
        let lost = |cause| no_answer(&self.address, cause, Effect::Read);
        self.transport.send(request).await.map_err(lost)
    }

    fn read(&self, answer: &HttpResponse) -> Result<Grant> {
        #[derive(serde::Deserialize)]
        struct Doc {
            access_token: SecretString,
            #[serde(default)]
            refresh_token: Option<SecretString>,
            #[serde(default)]
            instance_url: Option<String>,
        }
        match answer.status {
            200 => {}
            300..400 => return Err(redirected(&self.address)),
            _ => return Err(self.refused(answer)),
        }
        let doc: Doc = serde_json::from_slice(&answer.body)
            .map_err(|cause| unreadable(&self.address, &cause))?;
        let mut access = AccessToken::new(doc.access_token.expose_secret());
        if !access.can_be_sent() {
            return Err(not_a_remote(&self.address));
        }
        if let Some(url) = doc.instance_url {
            access = access.with_instance_url(url);
        }
        Ok(Grant {
            access,
            refresh: doc.refresh_token,
        })
    }

    fn refused(&self, answer: &HttpResponse) -> Error {
        #[derive(serde::Deserialize)]
        struct Doc {
            error: String,
        }
        if matches!(answer.status, 429 | 500..) {
            let wait = retry_after(answer).unwrap_or(Duration::from_secs(30));
            let message = format!("{} is overloaded or in maintenance", self.address);
            return Error::new(ErrorKind::RemoteBusy, message).with_retry_after(wait);
        }
        let Ok(doc) = serde_json::from_slice::<Doc>(&answer.body) else {
            return not_a_remote(&self.address);
        };
        match doc.error.as_str() {
            "invalid_grant" | "inactive_user" => not_authorized(),
            "rate_limit_exceeded" | "unknown_error" => {
                let message = format!("{} lets nobody sign in for the moment", self.address);
                Error::new(ErrorKind::RemoteBusy, message).with_retry_after(Duration::from_secs(60))
            }
            "invalid_client" | "invalid_client_id" => Error::new(
                ErrorKind::NotAuthorized,
                format!("{} does not know this client id and secret", self.address),
            ),
            code => {
                let code: String = code.chars().take(60).collect();
                let message = format!("{} refused to sign in: {code}", self.address);
                Error::new(ErrorKind::NotAuthorized, message)
            }
        }
    }
}
