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

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Small {
        struct_size: usize,
        one: u64,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Large {
        struct_size: usize,
        one: u64,
        two: u64,
    }

    // SAFETY: plain numbers after a size.
    unsafe impl Options for Small {
        const NAME: &'static str = "small";
    }

    // SAFETY: plain numbers after a size.
    unsafe impl Options for Large {
        const NAME: &'static str = "large";
    }

    #[test]
    fn fields_that_an_older_caller_lacks_are_zero() {
        let given = Small {
            struct_size: size_of::<Small>(),
            one: 1,
        };
        // SAFETY: as many bytes as the size says.
        let read = unsafe { read((&raw const given).cast::<Large>()) };
        assert!(read.is_ok_and(|read| (read.one, read.two) == (1, 0)));
    }

    #[test]
    fn fields_that_a_newer_caller_adds_must_be_zero() {
        let mut given = Large {
            struct_size: size_of::<Large>(),
            one: 1,
            two: 0,
        };
        // SAFETY: as many bytes as the size says.
        assert!(unsafe { read((&raw const given).cast::<Small>()) }.is_ok());
        given.two = 1;
        // SAFETY: as many bytes as the size says.
        assert!(unsafe { read((&raw const given).cast::<Small>()) }.is_err());
    }

    #[test]
    fn a_size_that_was_never_set_is_refused() {
        for struct_size in [0, 7, usize::MAX] {
            let given = Small {
                struct_size,
                one: 1,
            };
            // SAFETY: refused by its size, before anything behind it is read.
            assert!(unsafe { read(&raw const given) }.is_err());
        }
        // SAFETY: NULL is allowed.
        assert!(unsafe { read(std::ptr::null::<Small>()) }.is_err());
    }
}
