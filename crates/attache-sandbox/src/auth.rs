//! Who may call: one connected app, the tokens of every user, and what a token is worth now.
//!
//! Every secret follows from the seed, so that a run can be repeated token by token. They guard a
//! sandbox on loopback and nothing else.

use crate::rest::Consent;
use std::collections::BTreeMap;

/// The tokens in circulation.
#[derive(Debug)]
pub(crate) struct Auth {
    seed: u64,
    org_id: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// Opens the sandbox's own resources; no user has it, and the org does not know it.
    pub(crate) control_token: String,
    /// Access tokens that are worth something.
    sessions: BTreeMap<String, Session>,
    /// Refresh tokens that are worth something, and whose they are.
    grants: BTreeMap<String, String>,
    /// Codes that were not taken back yet.
    codes: BTreeMap<String, Consent>,
    /// Public keys that assertions may be signed with: PKCS #1, DER.
    pub(crate) keys: Vec<Vec<u8>>,
    /// Counts the secrets made, so that no two are alike.
    made: u64,
}

/// One access token's use.
#[derive(Debug)]
struct Session {
    user: String,
    last_used_s: i64,
}

/// What a user needs to call the org.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Auth {
    /// Makes the connected app of an org.
    pub(crate) fn new(seed: u64, org_id: &str) -> Auth {
        let mut auth = Auth {
            seed,
            org_id: org_id.into(),
            client_id: String::new(),
            client_secret: String::new(),
            control_token: format!("control-{}", text(seed ^ CONTROL, 43)),
            sessions: BTreeMap::new(),
            grants: BTreeMap::new(),
            codes: BTreeMap::new(),
            keys: Vec::new(),
            made: 0,
        };
        auth.client_id = format!("3MVG9{}", auth.secret(80));
        auth.client_secret = auth.secret(64);
        auth
    }

    /// Gives a user a first pair of tokens.
    pub(crate) fn enrol(&mut self, user: &str, now_s: i64) -> Tokens {
        Tokens {
            access: self.open_session(user, now_s),
            refresh: self.grant(user),
        }
    }

    /// Makes an access token.
    pub(crate) fn open_session(&mut self, user: &str, now_s: i64) -> String {
        let secret = self.secret(94);
        let token = format!(
            "{}!AQ{secret}",
            self.org_id.get(..15).unwrap_or(&self.org_id)
        );
        self.sessions.insert(
            token.clone(),
            Session {
                user: user.into(),
                last_used_s: now_s,
            },
        );
        token
    }

    /// Makes a refresh token.
    pub(crate) fn grant(&mut self, user: &str) -> String {
        let token = format!("5Aep861{}", self.secret(80));
        self.grants.insert(token.clone(), user.into());
        token
    }

    /// Tells whose access token this is, and notes its use. A session idle for longer than
    /// `idle_max_s` is over.
    pub(crate) fn user_of(
        &mut self,
        access: &str,
        now_s: i64,
        idle_max_s: Option<i64>,
    ) -> Option<String> {
        let session = self.sessions.get_mut(access)?;
        if idle_max_s.is_some_and(|idle_max_s| now_s - session.last_used_s > idle_max_s) {
            self.sessions.remove(access);
            return None;
        }
        session.last_used_s = now_s;
        Some(session.user.clone())
    }

    /// Makes the code that stands for what a person agreed to.
    pub(crate) fn agree(&mut self, consent: Consent) -> String {
        let code = format!("aPrx{}", self.secret(80));
        self.codes.insert(code.clone(), consent);
        code
    }

    /// Takes a code back; it is worth nothing after that.
    pub(crate) fn redeem(&mut self, code: &str) -> Option<Consent> {
        self.codes.remove(code)
    }

    /// Tells whose refresh token this is.
    pub(crate) fn granted(&self, refresh: &str) -> Option<&str> {
        self.grants.get(refresh).map(String::as_str)
    }

    /// Replaces a refresh token: the old one is dead at once.
    pub(crate) fn rotate(&mut self, refresh: &str) -> Option<String> {
        let user = self.grants.remove(refresh)?;
        Some(self.grant(&user))
    }

    /// Makes a token worthless; `false` if it was already. With a refresh token go its user's
    /// access tokens.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        match self.grants.remove(token) {
            Some(user) => {
                self.expire(&user);
                true
            }
            None => self.sessions.remove(token).is_some(),
        }
    }

    /// Ends every session of a user; refresh tokens live on.
    pub(crate) fn expire(&mut self, user: &str) {
        self.sessions.retain(|_, session| session.user != user);
    }

    /// Ends every session and every grant of a user.
    pub(crate) fn shut_out(&mut self, user: &str) {
        self.expire(user);
        self.grants.retain(|_, owner| owner != user);
    }

    /// Makes text that nobody can tell from a random one without the seed's help.
    fn secret(&mut self, length: usize) -> String {
        self.made += 1;
        text(
            self.seed ^ self.made.wrapping_mul(0xD605_BBB5_8C8A_BBFD),
            length,
        )
    }
}

/// Sets the control token apart from the secrets that are counted.
const CONTROL: u64 = 0x5EED_C0DE_7A6B_91D3;

fn text(mut state: u64, length: usize) -> String {
    (0..length)
        .map(|_| char::from(LETTERS[(split_mix(&mut state) % 62) as usize]))
        .collect()
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// SplitMix64 (Steele, Lea, Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_follow_the_seed_and_never_repeat() {
        let mut one = Auth::new(7, "00DHx000000000mMAA");
        let mut same = Auth::new(7, "00DHx000000000mMAA");
        let mut other = Auth::new(8, "00DHx000000000mMAA");
        let tokens = one.enrol("005", 0);
        assert_eq!(tokens, same.enrol("005", 0));
        assert_ne!(tokens, other.enrol("005", 0));
        assert_ne!(tokens, one.enrol("005", 0));
        assert!(
            tokens.access.starts_with("00DHx000000000m!AQ"),
            "{}",
            tokens.access
        );
    }

    #[test]
    fn a_session_ends_when_idle_and_a_grant_when_rotated() {
        let mut auth = Auth::new(7, "00DHx000000000mMAA");
        let tokens = auth.enrol("005", 0);
        assert_eq!(
            auth.user_of(&tokens.access, 60, Some(60)).as_deref(),
            Some("005")
        );
        assert_eq!(
            auth.user_of(&tokens.access, 120, Some(60)).as_deref(),
            Some("005")
        );
        assert_eq!(auth.user_of(&tokens.access, 181, Some(60)), None);
        assert_eq!(auth.user_of(&tokens.access, 181, None), None);
        let next = auth.rotate(&tokens.refresh).unwrap();
        assert_eq!(auth.granted(&tokens.refresh), None);
        assert_eq!(auth.granted(&next), Some("005"));
        assert!(auth.revoke(&next));
        assert!(!auth.revoke(&next));
    }
}
