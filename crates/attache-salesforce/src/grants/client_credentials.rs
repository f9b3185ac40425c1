//! The client credentials flow: an application signs in as itself.

use super::TokenService;
use crate::auth::{AccessToken, TokenProvider};
use crate::transport::Transport;
use async_trait::async_trait;
use attache::Result;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;

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
