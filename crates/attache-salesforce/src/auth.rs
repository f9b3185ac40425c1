//! Tokens: where they come from, and how long one is used.

use crate::address::Address;
use crate::error::not_authorized;
use async_trait::async_trait;
use attache::{Error, ErrorKind, Result};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A token that lets its bearer call the org. It is wiped from memory when dropped.
#[derive(Clone)]
pub struct AccessToken {
    secret: SecretString,
    instance_url: Option<String>,
}

impl AccessToken {
    /// Wraps a token's text.
    pub fn new(token: impl Into<String>) -> AccessToken {
        AccessToken {
            secret: SecretString::from(token.into()),
            instance_url: None,
        }
    }

    /// Says at which address this token is good, if it came with one.
    ///
    /// An org that was moved gives another one than the client was made with. The client follows
    /// from one host of Salesforce to another (`*.salesforce.com`, `*.salesforce.mil`,
    /// `*.cloudforce.com`, `*.sfcrmproducts.cn`, port 443) and refuses any other change of host
    /// with `NotARemote`, before the token is sent anywhere.
    #[must_use]
    pub fn with_instance_url(mut self, url: impl Into<String>) -> AccessToken {
        self.instance_url = Some(url.into());
        self
    }

    /// The token's text. Keep it out of logs.
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The address this token is good at, if it came with one.
    pub fn instance_url(&self) -> Option<&str> {
        self.instance_url.as_deref()
    }

    /// Says whether the token can stand in a header: a line end in it would begin another one.
    pub(crate) fn can_be_sent(&self) -> bool {
        let token = self.expose();
        !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
    }

    fn is(&self, other: &AccessToken) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// Gives access tokens: the host's own, or one of those of this crate.
///
/// The client asks once and keeps the token until the org rejects it. It never
/// stores or logs one, and never runs two of these calls at the same time.
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// Gives a token, a known one if there is one.
    ///
    /// # Errors
    /// `NotAuthorized` if a person must sign in.
    async fn access_token(&self) -> Result<AccessToken>;

    /// Gives a token in place of one that the org rejected.
    ///
    /// # Errors
    /// `NotAuthorized` if a person must sign in; the client passes any error on.
    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken>;
}

/// One token, which cannot be renewed.
///
/// # Examples
///
/// ```
/// use attache_salesforce::{Salesforce, StaticToken};
///
/// let token = StaticToken::new("00D…");
/// let org = Salesforce::new("https://acme.my.salesforce.com", token)?;
/// # Ok::<_, attache::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StaticToken(AccessToken);

impl StaticToken {
    /// Wraps a token's text.
    pub fn new(token: impl Into<String>) -> StaticToken {
        StaticToken(AccessToken::new(token))
    }
}

#[async_trait]
impl TokenProvider for StaticToken {
    async fn access_token(&self) -> Result<AccessToken> {
        Ok(self.0.clone())
    }

    async fn refresh(&self, _rejected: &AccessToken) -> Result<AccessToken> {
        Err(not_authorized())
    }
}

#[async_trait]
impl<T: TokenProvider + ?Sized> TokenProvider for Arc<T> {
    async fn access_token(&self) -> Result<AccessToken> {
        (**self).access_token().await
    }

    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken> {
        (**self).refresh(rejected).await
    }
}

#[async_trait]
impl<T: TokenProvider + ?Sized> TokenProvider for Box<T> {
    async fn access_token(&self) -> Result<AccessToken> {
        (**self).access_token().await
    }

    async fn refresh(&self, rejected: &AccessToken) -> Result<AccessToken> {
        (**self).refresh(rejected).await
    }
}

/// A token in use: where it goes, and which of them it is.
#[derive(Clone, Debug)]
pub(crate) struct Pass {
    pub(crate) token: AccessToken,
    pub(crate) address: Address,
    round: u64,
}

/// Keeps the token in use, and sees to it that many calls renew it once.
pub(crate) struct Keychain {
    provider: Box<dyn TokenProvider>,
    address: Address,
    // The lock is held while the provider works: that is what makes the other
    // calls wait for its one answer.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pass: Option<Pass>,
    /// How often a token was asked for, in vain or not.
    round: u64,
    /// Why the last round failed.
    failure: Option<(ErrorKind, String)>,
}

impl Keychain {
    pub(crate) fn new(provider: Box<dyn TokenProvider>, address: Address) -> Keychain {
        Keychain {
            provider,
            address,
            state: Mutex::default(),
        }
    }

    /// Gives the token in use, or gets the first.
    pub(crate) async fn pass(&self) -> Result<Pass> {
        let mut state = self.state.lock().await;
        if let Some(pass) = &state.pass {
            return Ok(pass.clone());
        }
        let token = self.provider.access_token().await;
        self.keep(&mut state, token)
    }

    /// Gives a token in place of a rejected one.
    ///
    /// Whoever comes second, with the same rejected token, gets what the first got.
    pub(crate) async fn renew(&self, rejected: &Pass) -> Result<Pass> {
        let mut state = self.state.lock().await;
        if state.round != rejected.round {
            return match (&state.pass, &state.failure) {
                (Some(pass), _) => Ok(pass.clone()),
                (None, Some((kind, message))) => Err(Error::new(*kind, message.clone())),
                (None, None) => Err(not_authorized()),
            };
        }
        let token = match self.provider.refresh(&rejected.token).await {
            Ok(token) if token.is(&rejected.token) => Err(not_authorized()),
            token => token,
        };
        self.keep(&mut state, token)
    }

    /// Forgets a token that was rejected although it is new: the next call asks afresh.
    pub(crate) async fn discard(&self, rejected: &Pass) {
        let mut state = self.state.lock().await;
        if state.round == rejected.round {
            state.pass = None;
            state.failure = None;
            state.round += 1;
        }
    }

    fn keep(&self, state: &mut State, token: Result<AccessToken>) -> Result<Pass> {
        state.round += 1;
        state.pass = None;
        state.failure = None;
        let pass = token.and_then(|token| {
            if !token.can_be_sent() {
                let message = "the access token holds what no token holds: sign in again";
                return Err(Error::new(ErrorKind::NotAuthorized, message));
            }
            let address = match token.instance_url() {
                Some(url) => self.address.moved_to(url)?,
                None => self.address.clone(),
            };
            Ok(Pass {
                token,
                address,
                round: state.round,
            })
        });
        match &pass {
            Ok(pass) => state.pass = Some(pass.clone()),
            Err(error) => state.failure = Some((error.kind(), error.to_string())),
        }
        pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, yield_now, zip};
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Counting {
        refreshes: Arc<AtomicU32>,
        good: bool,
    }

    #[async_trait]
    impl TokenProvider for Counting {
        async fn access_token(&self) -> Result<AccessToken> {
            Ok(AccessToken::new("0"))
        }

        async fn refresh(&self, _rejected: &AccessToken) -> Result<AccessToken> {
            yield_now().await;
            let n = self.refreshes.fetch_add(1, Ordering::Relaxed) + 1;
            if self.good {
                Ok(AccessToken::new(n.to_string()))
            } else {
                Err(not_authorized())
            }
        }
    }

    fn keychain(good: bool) -> (Keychain, Arc<AtomicU32>) {
        let refreshes = Arc::new(AtomicU32::new(0));
        let provider = Counting {
            refreshes: Arc::clone(&refreshes),
            good,
        };
        let address = Address::parse("https://acme.my.salesforce.com").unwrap();
        (Keychain::new(Box::new(provider), address), refreshes)
    }

    #[test]
    fn many_calls_wait_for_one_refresh() {
        let (keychain, refreshes) = keychain(true);
        block_on(async {
            let old = keychain.pass().await.unwrap();
            let (a, b) = zip(keychain.renew(&old), keychain.renew(&old)).await;
            assert_eq!(a.unwrap().token.expose(), "1");
            assert_eq!(b.unwrap().token.expose(), "1");
            assert_eq!(keychain.pass().await.unwrap().token.expose(), "1");
        });
        assert_eq!(refreshes.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn many_calls_share_one_failed_refresh_and_the_next_asks_again() {
        let (keychain, refreshes) = keychain(false);
        block_on(async {
            let old = keychain.pass().await.unwrap();
            let (a, b) = zip(keychain.renew(&old), keychain.renew(&old)).await;
            assert_eq!(a.unwrap_err().kind(), ErrorKind::NotAuthorized);
            assert_eq!(b.unwrap_err().kind(), ErrorKind::NotAuthorized);
            assert_eq!(refreshes.load(Ordering::Relaxed), 1);
            assert!(keychain.pass().await.is_ok(), "somebody signed in again");
        });
    }

    #[test]
    fn tokens_are_not_printed() {
        let token = AccessToken::new("00D!secret").with_instance_url("https://acme.example");
        assert_eq!(format!("{token:?}"), "AccessToken(…)");
        let text = format!("{:?}", StaticToken::new("00D!secret"));
        assert!(!text.contains("secret"));
    }
}
