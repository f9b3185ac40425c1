//! The web server flow: a person signs in with a browser.

use super::TokenService;
use crate::auth::AccessToken;
use crate::error::not_authorized;
use crate::transport::Transport;
use attache::{Error, ErrorKind, Result};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;

const AUTHORIZE_PATH: &str = "/services/oauth2/authorize";
const SCOPE: &str = "api id refresh_token";

/// One sign-in of a person with a browser (web server flow with PKCE).
///
/// The host opens [`url`](SignIn::url) and gets the browser back at its redirect URI, a port of
/// `127.0.0.1` or a scheme of its own; [`finish`](SignIn::finish) takes what the browser came with.
/// A code that somebody else catches on the way is worth nothing without the verifier, which
/// never leaves this value; an answer that belongs to another sign-in is told by its `state`.
///
/// # Examples
///
/// ```no_run
/// use attache_salesforce::{RefreshToken, Salesforce, SignIn};
/// # fn show(_: &str) {}
/// # fn came_back() -> String { String::new() }
/// # async fn f() -> attache::Result<()> {
/// let (login, app) = ("https://login.salesforce.com", "client id");
/// let sign_in = SignIn::new(login, app, "com.acme.app:/signed-in")?;
/// show(&sign_in.url());
/// let signed_in = sign_in.finish(&came_back()).await?;
///
/// let tokens = RefreshToken::new(login, app, signed_in.refresh_token().expect("the scope was asked for"))?
///     .with_access_token(signed_in.access_token().clone());
/// let org = Salesforce::new(signed_in.instance_url().unwrap_or(login), tokens)?;
/// # Ok(()) }
/// ```
pub struct SignIn {
    service: TokenService,
    client_secret: Option<SecretString>,
    redirect_uri: String,
    login_hint: Option<String>,
    /// Proves that whoever redeems the code is who asked for it.
    verifier: SecretString,
    state: SecretString,
}

/// What a person's sign-in gave.
pub struct SignedIn {
    access: AccessToken,
    refresh: Option<SecretString>,
}

impl SignIn {
    /// Starts a sign-in at `url`: `https://login.salesforce.com`, `https://test.salesforce.com` for
    /// sandboxes, or the org's own host. `redirect_uri` is one that the app is known to have.
    ///
    /// # Errors
    /// `InvalidArgument` if `url` is not an `https` host.
    pub fn new(
        url: &str,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Result<SignIn> {
        Ok(SignIn {
            service: TokenService::new(url, client_id.into())?,
            client_secret: None,
            redirect_uri: redirect_uri.into(),
            login_hint: None,
            verifier: secret()?,
            state: secret()?,
        })
    }

    /// Adds the secret of a connected app that demands one.
    #[must_use]
    pub fn with_client_secret(mut self, secret: impl Into<String>) -> SignIn {
        self.client_secret = Some(SecretString::from(secret.into()));
        self
    }

    /// Fills in who is expected to sign in; the person may change it.
    #[must_use]
    pub fn with_login_hint(mut self, username: impl Into<String>) -> SignIn {
        self.login_hint = Some(username.into());
        self
    }

    /// Replaces the transport.
    #[must_use]
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> SignIn {
        self.service.transport = transport;
        self
    }

    /// The page to open in the person's own browser.
    ///
    /// It is good for this sign-in alone, and holds no secret that is worth anything without it.
    pub fn url(&self) -> String {
        let hash = digest(&SHA256, self.verifier.expose_secret().as_bytes());
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.service.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", SCOPE)
            .append_pair("state", self.state.expose_secret())
            .append_pair("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(hash))
            .append_pair("code_challenge_method", "S256");
        if let Some(name) = &self.login_hint {
            query.append_pair("login_hint", name);
        }
        let path = format!("{AUTHORIZE_PATH}?{}", query.finish());
        self.service.address.url(&path)
    }

    /// Says whether what the browser came with belongs to this sign-in: whether its `state` is ours.
    ///
    /// `answer` is the whole address it was sent to, or the part of it after the `?`.
    pub fn is_ours(&self, answer: &str) -> bool {
        let told = parameter(answer, "state").unwrap_or_default();
        let ours = self.state.expose_secret();
        // Of hashes, so that the time it takes tells nothing about where they differ.
        let hash = |text: &str| digest(&SHA256, text.as_bytes());
        hash(&told).as_ref() == hash(ours).as_ref()
    }

    /// Redeems what the browser came with. A code is good once, for some minutes.
    ///
    /// `answer` is as in [`is_ours`](SignIn::is_ours).
    ///
    /// # Errors
    /// - `InvalidArgument` if `answer` belongs to another sign-in: nothing was sent, and the
    ///   right one may still come.
    /// - `NotAuthorized` if the person said no, or the code is worth nothing any more.
    /// - `RemoteUnreachable`, `RemoteBusy`, `NotARemote` as any request.
    pub async fn finish(&self, answer: &str) -> Result<SignedIn> {
        if !self.is_ours(answer) {
            let message = "the browser came back from another sign-in";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        if let Some(error) = parameter(answer, "error") {
            return Err(self.declined(&error));
        }
        let code = parameter(answer, "code").ok_or_else(not_authorized)?;
        let code = SecretString::from(code);
        let mut pairs = vec![
            ("code", code.expose_secret()),
            ("redirect_uri", &*self.redirect_uri),
            ("code_verifier", self.verifier.expose_secret()),
        ];
        if let Some(secret) = &self.client_secret {
            pairs.push(("client_secret", secret.expose_secret()));
        }
        let grant = self.service.ask("authorization_code", &pairs).await?;
        Ok(SignedIn {
            access: grant.access,
            refresh: grant.refresh,
        })
    }

    fn declined(&self, error: &str) -> Error {
        let message = match error {
            "access_denied" => "the sign-in was cancelled in the browser".to_owned(),
            code => {
                let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
                let code: String = code.chars().filter(plain).take(60).collect();
                format!("{} refused the sign-in: {code}", self.service.address)
            }
        };
        Error::new(ErrorKind::NotAuthorized, message)
    }
}

impl SignedIn {
    /// The token to call the org with, and where it is good.
    pub fn access_token(&self) -> &AccessToken {
        &self.access
    }

    /// What buys the next access token; `None` if the app may not ask for it. Keep it where only
    /// the person's own programs can read it.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh.as_ref().map(|token| token.expose_secret())
    }

    /// The org's own host, if the answer named it.
    pub fn instance_url(&self) -> Option<&str> {
        self.access.instance_url()
    }
}

/// 256 bits that nobody guesses, as 43 letters.
fn secret() -> Result<SecretString> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Internal, "the system gives no random numbers"))?;
    Ok(SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// Finds a parameter of an address, or of a query alone.
fn parameter(answer: &str, name: &str) -> Option<String> {
    let query = answer.split_once('?').map_or(answer, |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignIn({})", self.service.address)
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedIn(…)")
    }
}
