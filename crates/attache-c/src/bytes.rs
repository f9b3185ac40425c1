//! Bytes across the boundary.

use crate::enter::{Result, free, peek};
use crate::error::Failure;
use crate::table::Object;

/// Bytes with their number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct attache_bytes_t {
    /// The first byte; may be NULL if len is 0.
    pub ptr: *const u8,
    /// How many bytes.
    pub len: usize,
}

impl attache_bytes_t {
    /// No bytes.
    pub(crate) const NONE: attache_bytes_t = attache_bytes_t {
        ptr: std::ptr::null(),
        len: 0,
    };

    /// Lends bytes to the caller.
    pub(crate) fn borrowed(bytes: &[u8]) -> attache_bytes_t {
        attache_bytes_t {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// Borrows the caller's bytes for the length of a call.
    ///
    /// # Safety
    /// `ptr` is NULL or points at `len` readable bytes that nobody changes during the call.
    pub(crate) unsafe fn read<'call>(self, name: &str) -> Result<&'call [u8]> {
        if self.len == 0 {
            return Ok(&[]);
        }
        if self.ptr.is_null() {
            return Err(Failure::argument(format!("{name} is NULL with a length")));
        }
        if isize::try_from(self.len).is_err() {
            return Err(Failure::argument(format!("the length of {name} is absurd")));
        }
        // SAFETY: not NULL and not too long; the rest is this function's own condition.
        Ok(unsafe { std::slice::from_raw_parts(self.ptr, self.len) })
    }
}

/// Bytes that belong to the caller.
pub struct attache_buffer_t {
    _opaque: (),
}

/// What stands behind an [`attache_buffer_t`].
pub(crate) struct Buffer(pub(crate) Vec<u8>);

impl Object for Buffer {
    type C = attache_buffer_t;
    const NAME: &'static str = "attache_buffer_t";
}

/// Gives the bytes. Valid until the handle is freed.
#[unsafe(no_mangle)]
pub extern "C" fn attache_buffer_bytes(buffer: *const attache_buffer_t) -> attache_bytes_t {
    peek(buffer, attache_bytes_t::NONE, |buffer: &Buffer| {
        attache_bytes_t::borrowed(&buffer.0)
    })
}

/// Frees the bytes. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_buffer_free(buffer: *mut attache_buffer_t) {
    free::<Buffer>(buffer);
}
