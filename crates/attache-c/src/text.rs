//! Text across the boundary.

use crate::enter::{Result, free, peek};
use crate::error::Failure;
use crate::table::Object;
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
        if self.len == 0 {
            return Ok("");
        }
        if self.ptr.is_null() {
            return Err(Failure::argument(format!("{name} is NULL with a length")));
        }
        if isize::try_from(self.len).is_err() {
            return Err(Failure::argument(format!("the length of {name} is absurd")));
        }
        // SAFETY: not NULL and not too long; the rest is this function's own condition.
        let bytes = unsafe { std::slice::from_raw_parts(self.ptr.cast::<u8>(), self.len) };
        std::str::from_utf8(bytes).map_err(|error| {
            Failure::argument(format!(
                "{name} is not UTF-8 (at byte {})",
                error.valid_up_to()
            ))
        })
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
