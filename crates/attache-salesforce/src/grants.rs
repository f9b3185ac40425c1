//! Tokens from the org's own token service.

use crate::address::Address;
use crate::auth::{AccessToken, TokenProvider};
use crate::error::{Effect, no_answer, not_a_remote, not_authorized, redirected, unreadable};
use crate::limits::{Limits, retry_after};
use crate::network::Reqwest;
use crate::transport::{HttpRequest, HttpResponse, Method, Transport};
use async_trait::async_trait;
use attache::{Error, ErrorKind, Result};
use form_urlencoded::Serializer;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

const TOKEN_PATH: &str = "/services/oauth2/token";
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Signs in as the integration user of a connected app (client credentials flow).
///
/// # Examples
///
/// ```
/// use attache_salesforce::{ClientCredentials, Salesforce};
///
/// let url = "https://acme.my.salesforce.com";
/// let tokens = ClientCredentials::new(url, "client id", "client secret")?;
/// let org = Salesforce::new(url, tokens)?;
/// # Ok::<_, attache::Error>(())
/// ```
pub struct ClientCredentials {
    service: TokenService,
    client_secret: SecretString,
}

impl ClientCredentials {
    /// Makes a provider that signs in at `url`, the org's own host.
    ///
    /// # Errors
    /// `InvalidArgument` if `url` is not an `https` host.
    pub fn new(
        url: &str,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Result<ClientCredentials> {
        Ok(ClientCredentials {
            service: TokenService::new(url, client_id.into())?,
            client_secret: SecretString::from(client_secret.into()),
        })
    }

    /// Replaces the transport.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> ClientCredentials {
        self.service.transport = transport;
        self
    }
}

#[async_trait]
impl TokenProvider for ClientCredentials {
    async fn access_token(&self) -> Result<AccessToken> {
        let secret = ("client_secret", self.client_secret.expose_secret());
        let grant = self.service.ask("client_credentials", &[secret]).await?;
        Ok(grant.access)
    }

    async fn refresh(&self, _rejected: &AccessToken) -> Result<AccessToken> {
        self.access_token().await
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCredentials({})", self.service.address)
    }
}

type OnRotated = Box<dyn Fn(&str) -> Result<()> + Send + Sync>;

/// Gets access tokens for a refresh token that a person's sign-in gave.
///
/// Where the org rotates refresh tokens, each use kills the one that was used:
/// the new one is handed to [`on_rotated`](RefreshToken::on_rotated) to be
/// stored, and only then is the access token that came with it used.
pub struct RefreshToken {
    service: TokenService,
    client_secret: Option<SecretString>,
    on_rotated: Option<OnRotated>,
    state: Mutex<RefreshState>,
}

struct RefreshState {
    refresh_token: SecretString,
    /// The host does not have `refresh_token` yet.
    unsaved: bool,
    /// What came with the last refresh and was not handed out, or is in use.
    access: Option<AccessToken>,
}

impl RefreshToken {
    /// Makes a provider that refreshes at `url`: the org's own host, or that of sign-in.
    ///
    /// # Errors
    /// `InvalidArgument` if `url` is not an `https` host.
    pub fn new(
        url: &str,
        client_id: impl Into<String>,
        refresh_token: impl Into<String>,
    ) -> Result<RefreshToken> {
        Ok(RefreshToken {
            service: TokenService::new(url, client_id.into())?,
            client_secret: None,
            on_rotated: None,
            state: Mutex::new(RefreshState {
                refresh_token: SecretString::from(refresh_token.into()),
                unsaved: false,
                access: None,
            }),
        })
    }

    /// Adds the secret of a connected app that demands one.
    #[must_use]
    pub fn with_client_secret(mut self, secret: impl Into<String>) -> RefreshToken {
        self.client_secret = Some(SecretString::from(secret.into()));
        self
    }

    /// Starts from an access token that is still good, as after sign-in.
    #[must_use]
    pub fn with_access_token(mut self, token: AccessToken) -> RefreshToken {
        self.state.get_mut().access = Some(token);
        self
    }

    /// Says how to store a new refresh token. It must be durable when this returns.
    ///
    /// If it fails, the call that needed a token fails with its error, and the
    /// next one tries to store the same refresh token again.
    #[must_use]
    pub fn on_rotated(
        mut self,
        store: impl Fn(&str) -> Result<()> + Send + Sync + 'static,
    ) -> RefreshToken {
        self.on_rotated = Some(Box::new(store));
        self
    }

    /// Replaces the transport.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> RefreshToken {
        self.service.transport = transport;
        self
    }

    async fn renew(&self, state: &mut RefreshState) -> Result<()> {
        let mut pairs = vec![("refresh_token", state.refresh_token.expose_secret())];
        if let Some(secret) = &self.client_secret {
            pairs.push(("client_secret", secret.expose_secret()));
        }
        let grant = self.service.ask("refresh_token", &pairs).await?;
        if let Some(token) = grant.refresh
            && token.expose_secret() != state.refresh_token.expose_secret()
        {
            state.refresh_token = token;
            state.unsaved = true;
        }
        state.access = Some(grant.access);
        Ok(())
    }

    /// Gives the access token, after the refresh token it came with is stored.
    fn hand_out(&self, state: &mut RefreshState) -> Result<AccessToken> {
        if state.unsaved {
            if let Some(store) = &self.on_rotated {
                store(state.refresh_token.expose_secret())?;
            }
            state.unsaved = false;
        }
        state.access.clone().ok_or_else(not_authorized)
    }
}

#[async_trait]
impl TokenProvider for RefreshToken {
    async fn access_token(&self) -> Result<AccessToken> {
        let mut state = self.state.lock().await;
        if state.access.is_none() {
            self.renew(&mut state).await?;
        }
        self.hand_out(&mut state)
    }

    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken> {
        let mut state = self.state.lock().await;
        // Another client of this provider may have renewed it already.
        let stale = state
            .access
            .as_ref()
            .is_none_or(|token| token.expose() == rejected.expose());
        if stale {
            state.access = None;
            self.renew(&mut state).await?;
        }
        self.hand_out(&mut state)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({})", self.service.address)
    }
}

/// The token service of one host.
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

    async fn ask(&self, grant_type: &str, secrets: &[(&str, &str)]) -> Result<Grant> {
        let form = Serializer::new(String::new())
            .append_pair("grant_type", grant_type)
            .append_pair("client_id", &self.client_id)
            .extend_pairs(secrets)
            .finish();
        let content_type = "application/x-www-form-urlencoded";
        let request = HttpRequest {
            method: Method::Post,
            url: self.address.url(TOKEN_PATH),
            headers: vec![
                ("Content-Type".into(), content_type.into()),
                ("Accept".into(), "application/json".into()),
            ],
            body: form.into_bytes(),
            response_bytes_max: ANSWER_BYTES_MAX,
        };
        // A lost answer leaves no record changed: asking again is right.
        let lost = |cause| no_answer(&self.address, cause, Effect::Read);
        let answer = self.transport.send(request).await.map_err(lost)?;
        self.read(&answer)
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
