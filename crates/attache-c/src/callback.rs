//! Functions of the host's, and the contexts that go with them.

use std::ffi::c_void;

/// Lets a callback's context go. Called once, when the callback will not be called again.
pub type attache_drop_fn = Option<unsafe extern "C" fn(ctx: *mut c_void)>;

/// A context of the host's, which goes when this does.
pub(crate) struct Context {
    ctx: *mut c_void,
    drop_ctx: attache_drop_fn,
}

// SAFETY: the header tells the host on which threads a context is used, and by how many at once.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    /// Takes a context over.
    pub(crate) fn new(ctx: *mut c_void, drop_ctx: attache_drop_fn) -> Context {
        Context { ctx, drop_ctx }
    }

    /// The first argument of the host's functions.
    pub(crate) fn get(&self) -> *mut c_void {
        self.ctx
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(drop_ctx) = self.drop_ctx {
            // SAFETY: the caller gave a function of this type, for this context.
            unsafe { drop_ctx(self.ctx) }
        }
    }
}
