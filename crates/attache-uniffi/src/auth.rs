//! Signing in without a provider of the application's own, and how the org is talked to.

use crate::background;
use crate::error::Result;
use crate::tokens::{AccessToken, BuiltIn, TokenProvider};
use attache_salesforce::{Budget, ClientCredentials, JwtBearer, RefreshToken, SalesforceBuilder};
use std::sync::{Arc, Mutex, PoisonError};

/// How the org is talked to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SalesforceOptions {
    /// The version of the API, such as `67.0`.
    #[uniffi(default = None)]
    pub api_version: Option<String>,
    /// The name under which the org's logs know this application.
    #[uniffi(default = None)]
    pub client_name: Option<String>,
    /// API calls that may be made while this is set.
    #[uniffi(default = None)]
    pub calls_max: Option<u64>,
    /// Percent of the org's daily calls, made by all its clients together, beyond which none is made.
    #[uniffi(default = None)]
    pub org_percent_max: Option<u8>,
}

impl SalesforceOptions {
    pub(crate) fn apply(self, mut org: SalesforceBuilder) -> SalesforceBuilder {
        if let Some(version) = self.api_version {
            org = org.api_version(version);
        }
        if let Some(name) = self.client_name {
            org = org.client_name(name);
        }
        org.budget(Budget {
            calls_max: self.calls_max,
            org_percent_max: self.org_percent_max,
        })
    }
}

/// Keeps a refresh token that the org gave in place of the one before, in a keychain.
#[uniffi::export(rust, foreign)]
pub trait TokenStore: Send + Sync {
    /// Keeps it. Throwing keeps the session from going on: the token before is worth nothing any more.
    fn rotated(&self, refresh_token: String) -> Result<()>;
}

/// Makes a provider that renews access tokens with a refresh token.
#[uniffi::export(default(client_secret = None, store = None))]
pub fn refresh_token(
    url: String,
    client_id: String,
    token: String,
    client_secret: Option<String>,
    store: Option<Arc<dyn TokenStore>>,
) -> Result<Arc<dyn TokenProvider>> {
    let mut tokens = RefreshToken::new(&url, client_id, token)?;
    if let Some(secret) = client_secret {
        tokens = tokens.with_client_secret(secret);
    }
    if let Some(store) = store {
        tokens = tokens.on_rotated(move |token| Ok(store.rotated(token.to_owned())?));
    }
    Ok(Arc::new(BuiltIn(tokens)))
}

/// Makes a provider that signs in as the application itself.
#[uniffi::export]
pub fn client_credentials(
    url: String,
    client_id: String,
    client_secret: String,
) -> Result<Arc<dyn TokenProvider>> {
    let tokens = ClientCredentials::new(&url, client_id, client_secret)?;
    Ok(Arc::new(BuiltIn(tokens)))
}

/// Makes a provider that signs a user in with an assertion; the key is an RSA key in PEM.
#[uniffi::export]
pub fn jwt_bearer(
    url: String,
    client_id: String,
    username: String,
    private_key: String,
) -> Result<Arc<dyn TokenProvider>> {
    let tokens = JwtBearer::new(&url, client_id, username, &private_key)?;
    Ok(Arc::new(BuiltIn(tokens)))
}

/// What a sign-in in the browser came to.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct SignedIn {
    /// The first access token.
    pub access_token: AccessToken,
    /// What buys the next ones: keep it in a keychain, and give it to `refresh_token`.
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
    #[uniffi::constructor(default(client_secret = None, login_hint = None))]
    pub fn new(
        url: String,
        client_id: String,
        redirect_uri: String,
        client_secret: Option<String>,
        login_hint: Option<String>,
    ) -> Result<Arc<SignIn>> {
        let mut sign_in = attache_salesforce::SignIn::new(&url, client_id, redirect_uri)?;
        if let Some(secret) = client_secret {
            sign_in = sign_in.with_client_secret(secret);
        }
        if let Some(name) = login_hint {
            sign_in = sign_in.with_login_hint(name);
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
