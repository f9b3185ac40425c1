//! Options structs, which grow at their end.

use crate::enter::Result;
use crate::error::Failure;
use std::mem::{MaybeUninit, size_of};

/// An options struct: plain C data that is valid when all its bytes are zero, and that
/// begins with a `size_t struct_size`.
///
/// # Safety
/// All of that must be true.
pub(crate) unsafe trait Options: Copy {
    /// Its name, for messages.
    const NAME: &'static str;
}

/// Reads an options struct of this or any other version.
///
/// Fields that an older caller does not know are zero. A newer caller's fields
/// that this library does not know must be zero: to ignore a wish is worse than
/// to refuse it.
///
/// # Safety
/// `options` is NULL or points at as many readable bytes as its `struct_size` says.
pub(crate) unsafe fn read<T: Options>(options: *const T) -> Result<T> {
    let bytes = options.cast::<u8>();
    if bytes.is_null() {
        return Err(Failure::argument(format!("{} is NULL", T::NAME)));
    }
    // SAFETY: not NULL, and every options struct begins with its size.
    let size = unsafe { bytes.cast::<usize>().read_unaligned() };
    // A size beyond any struct to come is a struct that was never initialised.
    if !(size_of::<usize>()..=4096).contains(&size) {
        return Err(Failure::argument(format!(
            "struct_size of {} is not set",
            T::NAME
        )));
    }
    let known = size.min(size_of::<T>());
    let mut value = MaybeUninit::<T>::zeroed();
    // SAFETY: `known` bytes are readable by the caller's promise and fit into `value`.
    unsafe { std::ptr::copy_nonoverlapping(bytes, value.as_mut_ptr().cast::<u8>(), known) };
    for at in known..size {
        // SAFETY: below `size`, which the caller promises to be readable.
        if unsafe { bytes.add(at).read() } != 0 {
            return Err(Failure::argument(format!(
                "{} asks for something that this version of the library does not know",
                T::NAME
            )));
        }
    }
    // SAFETY: zeroed bytes are a valid `T`, and so are those of the caller's `T`.
    Ok(unsafe { value.assume_init() })
}
