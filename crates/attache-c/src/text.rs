//! Text across the boundary.

use crate::bytes::attache_bytes_t;
use crate::enter::{Result, free, peek};
use crate::error::Failure;
use crate::table::Object;
use attache::RecordId;
use std::ffi::c_char;

/// UTF-8 text with its length in bytes. It may hold NUL and does not end with one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_str_t {
    /// The first byte; may be NULL if len is 0.
    pub ptr: *const c_char,
    /// How many bytes.
    pub len: usize,
}

impl attache_str_t {
    /// No text.
    pub(crate) const NONE: attache_str_t = attache_str_t {
        ptr: std::ptr::null(),
        len: 0,
    };

    /// Lends text to the caller.
    pub(crate) fn borrowed(text: &str) -> attache_str_t {
        attache_str_t {
            ptr: text.as_ptr().cast(),
            len: text.len(),
        }
    }

    /// Borrows the caller's text for the length of a call.
    ///
    /// # Safety
    /// `ptr` is NULL or points at `len` readable bytes that nobody changes during the call.
    pub(crate) unsafe fn read<'call>(self, name: &str) -> Result<&'call str> {
        let bytes = attache_bytes_t {
            ptr: self.ptr.cast(),
            len: self.len,
        };
        // SAFETY: this function's own condition.
        let bytes = unsafe { bytes.read(name)? };
        std::str::from_utf8(bytes).map_err(|error| {
            Failure::argument(format!(
                "{name} is not UTF-8 (at byte {})",
                error.valid_up_to()
            ))
        })
    }
}

impl attache_str_t {
    /// Borrows text that may be left out: empty text is none.
    ///
    /// # Safety
    /// That of [`read`](attache_str_t::read).
    pub(crate) unsafe fn read_optional<'call>(self, name: &str) -> Result<Option<&'call str>> {
        // SAFETY: this function's own condition.
        let text = unsafe { self.read(name)? };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Borrows text that must not be empty.
    ///
    /// # Safety
    /// That of [`read`](attache_str_t::read).
    pub(crate) unsafe fn read_needed<'call>(self, name: &str) -> Result<&'call str> {
        // SAFETY: this function's own condition.
        match unsafe { self.read_optional(name)? } {
            Some(text) => Ok(text),
            None => Err(Failure::argument(format!("{name} is empty"))),
        }
    }

    /// Borrows the id of a record.
    ///
    /// # Safety
    /// That of [`read`](attache_str_t::read).
    pub(crate) unsafe fn read_id(self, name: &str) -> Result<RecordId> {
        // SAFETY: this function's own condition.
        Ok(RecordId::parse(unsafe { self.read(name)? })?)
    }
}

/// Text that belongs to the caller.
pub struct attache_text_t {
    _opaque: (),
}

/// What stands behind an [`attache_text_t`].
pub(crate) struct Text(pub(crate) String);

impl Object for Text {
    type C = attache_text_t;
    const NAME: &'static str = "attache_text_t";
}

/// Gives the text. Valid until the handle is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_text_str(text: *const attache_text_t) -> attache_str_t {
    peek(text, attache_str_t::NONE, |text: &Text| {
        attache_str_t::borrowed(&text.0)
    })
}

/// Frees a text. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_text_free(text: *mut attache_text_t) {
    free::<Text>(text);
}
