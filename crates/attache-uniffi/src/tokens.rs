//! Access tokens from the host.

use crate::error::{AttacheError, ErrorKind, failed};
use async_trait::async_trait;
use attache_salesforce::AccessToken;
use std::sync::Arc;

/// Gives access tokens to the engine, which never stores or logs one.
#[uniffi::export(rust, foreign)]
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// Gives a token, a known one if there is one. Throw `NotAuthorized` if a person must sign in.
    async fn access_token(&self) -> Result<String, AttacheError>;

    /// Gives a token in place of one that the org rejected. Throw `NotAuthorized` if a person
    /// must sign in.
    async fn refresh(&self) -> Result<String, AttacheError>;
}

/// Makes a provider of one token, which cannot be renewed.
#[uniffi::export]
pub fn static_token(token: String) -> Arc<dyn TokenProvider> {
    Arc::new(StaticToken { token })
}

struct StaticToken {
    token: String,
}

#[async_trait]
impl TokenProvider for StaticToken {
    async fn access_token(&self) -> Result<String, AttacheError> {
        Ok(self.token.clone())
    }

    async fn refresh(&self) -> Result<String, AttacheError> {
        Err(failed(
            ErrorKind::NotAuthorized,
            "the org rejected the access token, and there is no other",
        ))
    }
}

/// A provider of the host's, as the Salesforce client wants it.
pub(crate) struct HostTokens(pub(crate) Arc<dyn TokenProvider>);

#[async_trait]
impl attache_salesforce::TokenProvider for HostTokens {
    async fn access_token(&self) -> attache::Result<AccessToken> {
        Ok(AccessToken::new(self.0.access_token().await?))
    }

    async fn refresh(&self, _rejected: &AccessToken) -> attache::Result<AccessToken> {
        Ok(AccessToken::new(self.0.refresh().await?))
    }
}
