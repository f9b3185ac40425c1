//! What a store is opened with.

use crate::error::{ErrorKind, Result, failed};
use std::time::Duration;

/// The key of an encrypted store.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
#[uniffi::export(Debug, Display)]
pub enum Key {
    /// 32 random bytes, as a keychain or a secure element keeps them.
    Raw {
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A passphrase that a person remembers. Opening takes a part of a second, on purpose.
    Passphrase {
        /// The passphrase.
        text: String,
    },
}

impl Key {
    /// Gives the key to the engine.
    pub(crate) fn read(self) -> Result<attache::Key> {
        match self {
            Key::Passphrase { text } => Ok(attache::Key::passphrase(text)),
            Key::Raw { bytes } => {
                let bytes: [u8; 32] = bytes
                    .try_into()
                    .map_err(|_| failed(ErrorKind::InvalidArgument, "a raw key has 32 bytes"))?;
                Ok(attache::Key::raw(bytes))
            }
        }
    }
}

/// How much of a device a store may take, and what it leaves alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Limits {
    /// Records that are kept because somebody looked at them.
    pub recent_records: u64,
    /// Bytes of their values.
    pub recent_bytes: u64,
    /// Bytes of the disk that a session leaves free.
    pub free_bytes: u64,
    /// Bytes of the store's file at most; nothing for as many as there are.
    pub store_bytes: Option<u64>,
    /// Bytes of memory for pages of the file.
    pub page_cache_bytes: u64,
    /// Bytes of all downloaded files together.
    pub file_bytes: u64,
    /// Bytes of files that one session downloads.
    pub session_file_bytes: u64,
    /// Bytes of a file that is attached here.
    pub attach_bytes: u64,
    /// How long a write waits for another process, in milliseconds.
    pub busy_wait_ms: u64,
}

impl From<attache::Limits> for Limits {
    fn from(limits: attache::Limits) -> Limits {
        Limits {
            recent_records: limits.recent_records,
            recent_bytes: limits.recent_bytes,
            free_bytes: limits.free_bytes,
            store_bytes: limits.store_bytes,
            page_cache_bytes: limits.page_cache_bytes,
            file_bytes: limits.file_bytes,
            session_file_bytes: limits.session_file_bytes,
            attach_bytes: limits.attach_bytes,
            busy_wait_ms: u64::try_from(limits.busy_wait.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<Limits> for attache::Limits {
    fn from(limits: Limits) -> attache::Limits {
        attache::Limits {
            recent_records: limits.recent_records,
            recent_bytes: limits.recent_bytes,
            free_bytes: limits.free_bytes,
            store_bytes: limits.store_bytes,
            page_cache_bytes: limits.page_cache_bytes,
            file_bytes: limits.file_bytes,
            session_file_bytes: limits.session_file_bytes,
            attach_bytes: limits.attach_bytes,
            busy_wait: Duration::from_millis(limits.busy_wait_ms),
        }
    }
}

/// The limits of a store that is opened without others: what to change some of.
#[uniffi::export]
pub fn default_limits() -> Limits {
    attache::Limits::default().into()
}

/// What a store is opened with, beside its path.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Options {
    /// Encrypts a new store, or opens an encrypted one. Needs a library built with encryption.
    #[uniffi(default = None)]
    pub key: Option<Key>,
    /// How much the store may take; `default_limits` unless said.
    #[uniffi(default = None)]
    pub limits: Option<Limits>,
    /// How often a session makes a call again that failed for a passing reason; 3 times unless said.
    #[uniffi(default = None)]
    pub retries: Option<u32>,
}

/// Makes the engine's options.
pub(crate) fn engine_options(key: Option<Key>, limits: Option<Limits>) -> Result<attache::Options> {
    let mut options = attache::Options::new();
    if let Some(key) = key {
        options = options.key(key.read()?);
    }
    if let Some(limits) = limits {
        options = options.limits(limits.into());
    }
    Ok(options)
}
