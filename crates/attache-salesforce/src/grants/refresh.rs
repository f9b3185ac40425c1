//! The refresh flow: what a person's sign-in gave buys access tokens, one after the other.

use super::{Grant, TokenService};
use crate::auth::{AccessToken, TokenProvider};
use crate::error::not_authorized;
use crate::transport::Transport;
use async_trait::async_trait;
use attache::Result;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Mutex;

type OnRotated = Box<dyn Fn(&str) -> Result<()> + Send + Sync>;

/// Gets access tokens for a refresh token that a person's sign-in gave.
///
/// Where the org rotates refresh tokens, each use kills the one that was used:
/// the new one is handed to [`on_rotated`](RefreshToken::on_rotated) to be
/// stored, and only then is the access token that came with it used. A call that
/// is dropped while it waits for the answer does not lose it: the next call
/// takes it up. An answer that the network loses is lost, and the person must
/// sign in again; unsent work waits for that in the store.
pub struct RefreshToken {
    pub(super) service: TokenService,
    client_secret: Option<SecretString>,
    on_rotated: Option<OnRotated>,
    pub(super) state: Mutex<RefreshState>,
}

pub(super) struct RefreshState {
    pub(super) refresh_token: SecretString,
    /// The host does not have `refresh_token` yet.
    unsaved: bool,
    /// What came with the last refresh and was not handed out, or is in use.
    pub(super) access: Option<AccessToken>,
    /// A refresh under way. It outlives the call that began it: the org may have killed the old
    /// token already, and only the answer holds the new one.
    pub(super) asking: Option<Asking>,
}

type Asking = Pin<Box<dyn Future<Output = Result<Grant>> + Send>>;

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
                asking: None,
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

    pub(super) async fn renew(&self, state: &mut RefreshState) -> Result<()> {
        let asking = state
            .asking
            .get_or_insert_with(|| self.ask(&state.refresh_token));
        let grant = asking.await;
        state.asking = None;
        let grant = grant?;
        if let Some(token) = grant.refresh
            && token.expose_secret() != state.refresh_token.expose_secret()
        {
            state.refresh_token = token;
            state.unsaved = true;
        }
        state.access = Some(grant.access);
        Ok(())
    }

    /// Starts a refresh that borrows nothing.
    fn ask(&self, refresh_token: &SecretString) -> Asking {
        let service = self.service.clone();
        let refresh_token = refresh_token.clone();
        let client_secret = self.client_secret.clone();
        Box::pin(async move {
            let mut pairs = vec![("refresh_token", refresh_token.expose_secret())];
            if let Some(secret) = &client_secret {
                pairs.push(("client_secret", secret.expose_secret()));
            }
            service.ask("refresh_token", &pairs).await
        })
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
