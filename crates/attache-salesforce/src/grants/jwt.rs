//! The JWT bearer flow: an application signs for a user with a key that the org knows.

use super::TokenService;
use crate::auth::{AccessToken, TokenProvider};
use crate::error::not_a_remote;
use crate::limits::from_http_date;
use crate::transport::Transport;
use async_trait::async_trait;
use attache::{Error, ErrorKind, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretSlice};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long an assertion is good, in seconds. The org allows a few minutes.
const LIFE_S: i64 = 180;

/// Signs in for a user without asking them (JWT bearer flow), as servers and devices in a fleet do.
///
/// An administrator approves the app for the user once, and uploads the certificate of the key.
/// Each sign-in is two requests: the first asks nothing but the time, because an assertion is good
/// for minutes by the org's clock, and a device's may be wrong.
///
/// The key is kept in memory and wiped when this is dropped. Signing reads it into ring, which does
/// not wipe what it works with.
///
/// # Examples
///
/// ```no_run
/// use attache_salesforce::{JwtBearer, Salesforce};
///
/// let key = std::fs::read_to_string("server.key").expect("a key");
/// let login = "https://login.salesforce.com";
/// let tokens = JwtBearer::new(login, "client id", "jo@acme.example", &key)?;
/// let org = Salesforce::new("https://acme.my.salesforce.com", tokens)?;
/// # Ok::<_, attache::Error>(())
/// ```
pub struct JwtBearer {
    service: TokenService,
    username: String,
    /// DER, in PKCS #8 or #1.
    key: SecretSlice<u8>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

impl JwtBearer {
    /// Makes a provider that signs in at `url`: `https://login.salesforce.com`,
    /// `https://test.salesforce.com` for sandboxes, or the org's own host.
    ///
    /// `private_key` is an RSA key of 2048 bits or more, in PEM: `PRIVATE KEY` or
    /// `RSA PRIVATE KEY`, not encrypted.
    ///
    /// # Errors
    /// `InvalidArgument` if `url` is not an `https` host, or the key is none of these.
    pub fn new(
        url: &str,
        client_id: impl Into<String>,
        username: impl Into<String>,
        private_key: &str,
    ) -> Result<JwtBearer> {
        let der = PrivateKeyDer::from_pem_slice(private_key.as_bytes())
            .map_err(|_| unfit("is no unencrypted key in PEM (-----BEGIN PRIVATE KEY-----)"))?;
        let key = SecretSlice::from(der.secret_der().to_vec());
        pair(key.expose_secret()).ok_or_else(|| unfit("is no RSA key of 2048 to 4096 bits"))?;
        Ok(JwtBearer {
            service: TokenService::new(url, client_id.into())?,
            username: username.into(),
            key,
        })
    }

    /// Replaces the transport.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> JwtBearer {
        self.service.transport = transport;
        self
    }

    /// Asks for the time by the clock that will judge the assertion, in seconds since the epoch.
    async fn now_s(&self) -> Result<i64> {
        let answer = self
            .service
            .send(self.service.request("/services/data"))
            .await?;
        let date = answer.header("Date").and_then(from_http_date);
        Ok(date.ok_or_else(|| not_a_remote(&self.service.address))?.0)
    }

    /// Writes and signs an assertion (RFC 7515, RS256).
    fn assertion(&self, now_s: i64) -> Result<String> {
        let claims = Claims {
            iss: &self.service.client_id,
            sub: &self.username,
            aud: &self.service.address.to_string(),
            exp: now_s.saturating_add(LIFE_S),
        };
        let claims = crate::remote::json(&claims)?;
        let mut text = BASE64_URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256"}"#);
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut text);
        let failed = || Error::new(ErrorKind::Internal, "the assertion cannot be signed");
        let pair = pair(self.key.expose_secret()).ok_or_else(failed)?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            text.as_bytes(),
            &mut signature,
        )
        .map_err(|_| failed())?;
        text.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }
}

fn pair(der: &[u8]) -> Option<KeyPair> {
    KeyPair::from_pkcs8(der)
        .or_else(|_| KeyPair::from_der(der))
        .ok()
}

fn unfit(why: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("the private key {why}"))
}

#[async_trait]
impl TokenProvider for JwtBearer {
    async fn access_token(&self) -> Result<AccessToken> {
        let assertion = self.assertion(self.now_s().await?)?;
        let grant = self
            .service
            .ask(GRANT_TYPE, &[("assertion", &assertion)])
            .await?;
        Ok(grant.access)
    }

    async fn refresh(&self, _rejected: &AccessToken) -> Result<AccessToken> {
        self.access_token().await
    }
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtBearer({})", self.service.address)
    }
}
