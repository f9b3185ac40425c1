//! Signing in without a provider of the application's own.

use crate::background;
use crate::error::{AttacheError, Result};
use crate::tokens::{AccessToken, BuiltIn, TokenProvider};
use crate::transport::{HostTransport, Transport};
use async_trait::async_trait;
use attache_salesforce::{ClientCredentials, JwtBearer};
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps a refresh token that the org gave in place of the one before, in a keychain.
#[uniffi::export(rust, foreign)]
pub trait TokenStore: Send + Sync {
    /// Keeps it. Throwing keeps the session from going on: the token before is worth nothing any more.
    fn rotated(&self, refresh_token: String) -> Result<()>;
}

/// What became of a token that was to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Revoked {
    /// The org ended it, and every access token that came from it.
    Now,
    /// The org did not know it any more: it had ended before.
    Before,
}

/// Gets access tokens for a refresh token that a person's sign-in gave.
#[derive(uniffi::Object)]
pub struct RefreshToken {
    tokens: Arc<BuiltIn<attache_salesforce::RefreshToken>>,
}

#[uniffi::export]
impl RefreshToken {
    /// Makes a provider that refreshes at `url`: the org's own host, or that of sign-in. `access_token` is one that is
    /// still good, as after sign-in.
    #[uniffi::constructor(default(client_secret = None, access_token = None, store = None, transport = None))]
    pub fn new(
        url: String,
        client_id: String,
        refresh_token: String,
        client_secret: Option<String>,
        access_token: Option<AccessToken>,
        store: Option<Arc<dyn TokenStore>>,
        transport: Option<Arc<dyn Transport>>,
    ) -> Result<Arc<RefreshToken>> {
        let mut tokens = attache_salesforce::RefreshToken::new(&url, client_id, refresh_token)?;
        if let Some(secret) = client_secret {
            tokens = tokens.with_client_secret(secret);
        }
        if let Some(token) = access_token {
            tokens = tokens.with_access_token(token.into());
        }
        if let Some(store) = store {
            tokens = tokens.on_rotated(move |token| Ok(store.rotated(token.to_owned())?));
        }
        if let Some(transport) = transport {
            tokens = tokens.with_transport(Arc::new(HostTransport(transport)));
        }
        Ok(Arc::new(RefreshToken {
            tokens: Arc::new(BuiltIn(tokens)),
        }))
    }

    /// Ends the refresh token at the org, with the access tokens that it bought: signs the person out. Nothing in a
    /// store is touched. Forget your own copy of the token after this.
    pub async fn revoke(&self) -> Result<Revoked> {
        let tokens = Arc::clone(&self.tokens);
        background::run(
            move || match futures_lite::future::block_on(tokens.0.revoke())? {
                attache_salesforce::Revoked::Now => Ok(Revoked::Now),
                // Whatever else may come to be told, the token is worth nothing.
                _ => Ok(Revoked::Before),
            },
        )
        .await
    }
}

#[uniffi::export]
#[async_trait]
impl TokenProvider for RefreshToken {
    async fn access_token(&self) -> std::result::Result<AccessToken, AttacheError> {
        self.tokens.access_token().await
    }

    async fn refresh(
        &self,
        rejected: AccessToken,
    ) -> std::result::Result<AccessToken, AttacheError> {
        self.tokens.refresh(rejected).await
    }
}

/// Makes a provider that signs in as the application itself.
#[uniffi::export(default(transport = None))]
pub fn client_credentials(
    url: String,
    client_id: String,
    client_secret: String,
    transport: Option<Arc<dyn Transport>>,
) -> Result<Arc<dyn TokenProvider>> {
    let mut tokens = ClientCredentials::new(&url, client_id, client_secret)?;
    if let Some(transport) = transport {
        tokens = tokens.with_transport(Arc::new(HostTransport(transport)));
    }
    Ok(Arc::new(BuiltIn(tokens)))
}

/// Makes a provider that signs a user in with an assertion; the key is an RSA key in PEM.
#[uniffi::export(default(transport = None))]
pub fn jwt_bearer(
    url: String,
    client_id: String,
    username: String,
    private_key: String,
    transport: Option<Arc<dyn Transport>>,
) -> Result<Arc<dyn TokenProvider>> {
    let mut tokens = JwtBearer::new(&url, client_id, username, &private_key)?;
    if let Some(transport) = transport {
        tokens = tokens.with_transport(Arc::new(HostTransport(transport)));
    }
    Ok(Arc::new(BuiltIn(tokens)))
}

/// What a sign-in in the browser came to.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct SignedIn {
    /// The first access token.
    pub access_token: AccessToken,
    /// What buys the next ones: keep it in a keychain, and give it to `RefreshToken`.
    pub refresh_token: Option<String>,
}

/// A sign-in in the browser: show `url`, and give what the browser comes back to to `finish`.
#[derive(uniffi::Object)]
pub struct SignIn {
    // None once it was finished: a code is good once.
    sign_in: Mutex<Option<attache_salesforce::SignIn>>,
    url: String,
}

#[uniffi::export]
impl SignIn {
    /// Starts a sign-in. `redirect_uri` is the address that the application listens to, as the org knows it.
    #[uniffi::constructor(default(client_secret = None, login_hint = None, transport = None))]
    pub fn new(
        url: String,
        client_id: String,
        redirect_uri: String,
        client_secret: Option<String>,
        login_hint: Option<String>,
        transport: Option<Arc<dyn Transport>>,
    ) -> Result<Arc<SignIn>> {
        let mut sign_in = attache_salesforce::SignIn::new(&url, client_id, redirect_uri)?;
        if let Some(secret) = client_secret {
            sign_in = sign_in.with_client_secret(secret);
        }
        if let Some(name) = login_hint {
            sign_in = sign_in.with_login_hint(name);
        }
        if let Some(transport) = transport {
            sign_in = sign_in.with_transport(Arc::new(HostTransport(transport)));
        }
        Ok(Arc::new(SignIn {
            url: sign_in.url(),
            sign_in: Mutex::new(Some(sign_in)),
        }))
    }

    /// The address to show in the browser.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Says whether an address that the browser came back to belongs to this sign-in.
    pub fn is_ours(&self, answer: String) -> bool {
        let sign_in = self.sign_in.lock().unwrap_or_else(PoisonError::into_inner);
        sign_in
            .as_ref()
            .is_some_and(|sign_in| sign_in.is_ours(&answer))
    }

    /// Turns the address that the browser came back to into tokens. An address of another sign-in fails with
    /// `InvalidArgument`, and this one can still be finished.
    pub async fn finish(&self, answer: String) -> Result<SignedIn> {
        let sign_in = {
            let mut sign_in = self.sign_in.lock().unwrap_or_else(PoisonError::into_inner);
            let ours = sign_in
                .as_ref()
                .is_some_and(|sign_in| sign_in.is_ours(&answer));
            if ours { sign_in.take() } else { None }
        };
        let Some(sign_in) = sign_in else {
            return Err(crate::error::failed(
                crate::ErrorKind::InvalidArgument,
                "the browser came back from another sign-in, or from one that is finished",
            ));
        };
        background::run(move || {
            let signed_in = futures_lite::future::block_on(sign_in.finish(&answer))?;
            Ok(SignedIn {
                access_token: signed_in.access_token().into(),
                refresh_token: signed_in.refresh_token().map(str::to_owned),
            })
        })
        .await
    }
}
