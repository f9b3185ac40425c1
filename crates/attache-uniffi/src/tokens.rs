//! Access tokens from the host.

use crate::error::{AttacheError, ErrorKind, failed};
use async_trait::async_trait;
use std::sync::Arc;

/// A token that lets its bearer call the org.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct AccessToken {
    /// The token. Keep it out of logs.
    pub token: String,
    /// At which address it is good, if it came with one.
    #[uniffi(default = None)]
    pub instance_url: Option<String>,
}

impl From<&attache_salesforce::AccessToken> for AccessToken {
    fn from(token: &attache_salesforce::AccessToken) -> AccessToken {
        AccessToken {
            token: token.expose().to_owned(),
            instance_url: token.instance_url().map(str::to_owned),
        }
    }
}

impl From<AccessToken> for attache_salesforce::AccessToken {
    fn from(token: AccessToken) -> attache_salesforce::AccessToken {
        let known = attache_salesforce::AccessToken::new(token.token);
        match token.instance_url {
            Some(url) => known.with_instance_url(url),
            None => known,
        }
    }
}

/// Gives access tokens to the engine, which never stores or logs one.
#[uniffi::export(rust, foreign)]
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// Gives a token, a known one if there is one. Throw `NotAuthorized` if a person must sign in.
    async fn access_token(&self) -> Result<AccessToken, AttacheError>;

    /// Gives a token in place of one that the org rejected. Throw `NotAuthorized` if a person
    /// must sign in.
    async fn refresh(&self, rejected: AccessToken) -> Result<AccessToken, AttacheError>;
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
    async fn access_token(&self) -> Result<AccessToken, AttacheError> {
        Ok(AccessToken {
            token: self.token.clone(),
            instance_url: None,
        })
    }

    async fn refresh(&self, _rejected: AccessToken) -> Result<AccessToken, AttacheError> {
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
    async fn access_token(&self) -> attache::Result<attache_salesforce::AccessToken> {
        Ok(self.0.access_token().await?.into())
    }

    async fn refresh(
        &self,
        rejected: &attache_salesforce::AccessToken,
    ) -> attache::Result<attache_salesforce::AccessToken> {
        Ok(self.0.refresh(rejected.into()).await?.into())
    }
}

/// A provider of the Salesforce client's, as the host sees it.
pub(crate) struct BuiltIn<T>(pub(crate) T);

#[async_trait]
impl<T: attache_salesforce::TokenProvider> TokenProvider for BuiltIn<T> {
    async fn access_token(&self) -> Result<AccessToken, AttacheError> {
        Ok((&self.0.access_token().await?).into())
    }

    async fn refresh(&self, rejected: AccessToken) -> Result<AccessToken, AttacheError> {
        Ok((&self.0.refresh(&rejected.into()).await?).into())
    }
}
