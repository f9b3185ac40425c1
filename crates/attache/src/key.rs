//! The key of an encrypted store.

use crate::error::{Error, Result};
use std::fmt;
use zeroize::Zeroizing;

/// The key of an encrypted store: 32 bytes of a keychain, or a passphrase.
///
/// It is overwritten when it is dropped, and never printed.
///
/// # Examples
/// ```
/// use attache::Key;
///
/// let key = Key::passphrase("correct horse battery staple");
/// assert_eq!(format!("{key:?}"), "Key(..)");
/// ```
#[derive(Clone)]
pub struct Key(pub(crate) Secret);

#[derive(Clone)]
pub(crate) enum Secret {
    Raw(Zeroizing<[u8; 32]>),
    Passphrase(Zeroizing<String>),
}

impl Key {
    /// Takes 32 random bytes, as a keychain or a secure element keeps them. Opens at once.
    pub fn raw(bytes: [u8; 32]) -> Key {
        Key(Secret::Raw(Zeroizing::new(bytes)))
    }

    /// Takes a passphrase that a person remembers. Opening takes a part of a second, on purpose.
    pub fn passphrase(text: impl Into<String>) -> Key {
        Key(Secret::Passphrase(Zeroizing::new(text.into())))
    }

    /// Refuses what protects nothing: most likely a value that somebody forgot to set.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.0 {
            Secret::Raw(bytes) if bytes.iter().all(|byte| *byte == 0) => {
                Err(Error::invalid("a key of zeros protects nothing"))
            }
            Secret::Passphrase(text) if text.is_empty() => {
                Err(Error::invalid("an empty passphrase protects nothing"))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}
