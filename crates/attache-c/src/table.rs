//! The table of live handles.
//!
//! What C holds is a number dressed as a pointer. It is looked up here and never
//! followed, so the wrong one, an old one or a made-up one is found out without
//! touching memory. A lookup lends the object: freeing a handle while another
//! thread is inside a call on it is safe.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// An object behind a handle, and the opaque C type that names it.
pub(crate) trait Object: Any + Send + Sync {
    /// The C type.
    type C;
    /// Its name, for messages.
    const NAME: &'static str;
}

/// Stands where an object was that a panic went through.
struct Poisoned;

/// Why a handle was not accepted.
pub(crate) enum Refused {
    /// NULL, freed, or of another type.
    Unknown,
    /// A panic went through it.
    Poisoned,
}

static LIVE: RwLock<BTreeMap<usize, Arc<dyn Any + Send + Sync>>> = RwLock::new(BTreeMap::new());

/// Numbers are never used twice. They look like aligned addresses, for debuggers.
static NEXT: AtomicUsize = AtomicUsize::new(0x1_0000);

/// Enters an object and gives its handle.
pub(crate) fn insert<T: Object>(object: T) -> *mut T::C {
    let number = NEXT.fetch_add(16, Ordering::Relaxed);
    let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
    live.insert(number, Arc::new(object));
    std::ptr::without_provenance_mut(number)
}

/// Lends the object behind a handle.
pub(crate) fn get<T: Object>(handle: *const T::C) -> Result<Arc<T>, Refused> {
    let live = LIVE.read().unwrap_or_else(PoisonError::into_inner);
    let object = live.get(&handle.addr()).ok_or(Refused::Unknown)?;
    if object.is::<Poisoned>() {
        return Err(Refused::Poisoned);
    }
    Arc::clone(object).downcast().map_err(|_| Refused::Unknown)
}

/// Takes a handle out; the object goes with the last call that is using it.
pub(crate) fn remove<T: Object>(handle: *mut T::C) {
    let object = {
        let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
        match live.get(&handle.addr()) {
            Some(object) if object.is::<T>() || object.is::<Poisoned>() => {
                live.remove(&handle.addr())
            }
            _ => None,
        }
    };
    // Outside of the lock: closing a store takes time.
    drop(object);
}

/// Marks a handle after a panic: it can only be freed.
pub(crate) fn poison<C>(handle: *const C) {
    let object = {
        let mut live = LIVE.write().unwrap_or_else(PoisonError::into_inner);
        match live.get_mut(&handle.addr()) {
            Some(entry) => Some(std::mem::replace(entry, Arc::new(Poisoned))),
            None => None,
        }
    };
    drop(object);
}

/// How many handles are live.
pub(crate) fn live() -> usize {
    LIVE.read().unwrap_or_else(PoisonError::into_inner).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Apple(u8);
    struct Pear;
    struct AppleHandle;
    struct PearHandle;

    impl Object for Apple {
        type C = AppleHandle;
        const NAME: &'static str = "apple";
    }

    impl Object for Pear {
        type C = PearHandle;
        const NAME: &'static str = "pear";
    }

    #[test]
    fn a_handle_finds_its_object_until_it_is_freed_and_no_other_ever() {
        let apple = insert(Apple(7));
        assert!(get::<Apple>(apple).is_ok_and(|apple| apple.0 == 7));
        assert!(matches!(
            get::<Pear>(apple.cast_const().cast()),
            Err(Refused::Unknown)
        ));
        remove::<Pear>(apple.cast());
        assert!(get::<Apple>(apple).is_ok());
        remove::<Apple>(apple);
        assert!(matches!(get::<Apple>(apple), Err(Refused::Unknown)));
        assert_ne!(insert(Apple(8)), apple);
    }

    #[test]
    fn a_lent_object_outlives_its_handle() {
        let handle = insert(Apple(9));
        let lent = get::<Apple>(handle);
        remove::<Apple>(handle);
        assert!(lent.is_ok_and(|apple| apple.0 == 9));
    }

    #[test]
    fn a_poisoned_handle_is_refused_and_can_be_freed() {
        let handle = insert(Pear);
        poison(handle);
        assert!(matches!(get::<Pear>(handle), Err(Refused::Poisoned)));
        remove::<Pear>(handle);
        assert!(matches!(get::<Pear>(handle), Err(Refused::Unknown)));
    }
}
