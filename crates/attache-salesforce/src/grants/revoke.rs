//! Signing out: a token that is to be worth nothing from now on.

use super::{RefreshToken, TokenService};
use crate::error::{not_a_remote, redirected};
use crate::transport::{HttpRequest, Method};
use attache::{Error, ErrorKind, Result};
use form_urlencoded::Serializer;
use secrecy::ExposeSecret;

/// Where a token is ended. The endpoint is not in the documentation at hand; what it answers is taken as loosely as
/// can be.
const REVOKE_PATH: &str = "/services/oauth2/revoke";

/// What became of a token that was to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// The org ended it, and every access token that came from it.
    Now,
    /// The org did not know it any more: it had ended before.
    Before,
}

impl RefreshToken {
    /// Ends the refresh token at the org, with the access tokens that it bought: signs the person out.
    ///
    /// Nothing in a store is touched; unsent work waits there for the next sign-in. The host forgets its own copy of
    /// the token after this.
    ///
    /// # Errors
    /// `RemoteUnreachable` and `RemoteBusy`: the token may live on, try again. `NotARemote` if the answer is none of
    /// a token service.
    pub async fn revoke(&self) -> Result<Revoked> {
        let mut state = self.state.lock().await;
        // A refresh under way holds the only copy of the token that is good by then.
        if state.asking.is_some() {
            self.renew(&mut state).await?;
        }
        let revoked = self
            .service
            .revoke(state.refresh_token.expose_secret())
            .await?;
        state.access = None;
        Ok(revoked)
    }
}

impl TokenService {
    async fn revoke(&self, token: &str) -> Result<Revoked> {
        let form = Serializer::new(String::new())
            .append_pair("token", token)
            .finish();
        let content_type = "application/x-www-form-urlencoded";
        let answer = self
            .send(HttpRequest {
                method: Method::Post,
                headers: vec![("Content-Type".into(), content_type.into())],
                body: form.into_bytes(),
                ..self.request(REVOKE_PATH)
            })
            .await?;
        match answer.status {
            200..300 => Ok(Revoked::Now),
            300..400 => Err(redirected(&self.address)),
            400 | 401 if names_an_error(&answer.body) => Ok(Revoked::Before),
            429 | 500.. => {
                let message = format!("{} is overloaded or in maintenance", self.address);
                Err(Error::new(ErrorKind::RemoteBusy, message))
            }
            _ => Err(not_a_remote(&self.address)),
        }
    }
}

/// Says whether a body is the error of a token service, whose one reason to refuse is a token it does not know.
fn names_an_error(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Doc {
        #[serde(rename = "error")]
        _error: String,
    }
    serde_json::from_slice::<Doc>(body).is_ok()
}
