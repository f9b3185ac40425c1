//! What the library has to say about its work, for the log of an application.

use crate::callback::{Context, attache_drop_fn};
use crate::enter::enter;
use crate::error::{Failure, attache_error_t};
use crate::status::attache_status_t;
use crate::text::attache_str_t;
use std::ffi::c_void;
use std::fmt::{Debug, Write};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Nothing.
pub const ATTACHE_LOG_OFF: i32 = 0;
/// What failed.
pub const ATTACHE_LOG_ERROR: i32 = 1;
/// What went on, but should be looked at.
pub const ATTACHE_LOG_WARN: i32 = 2;
/// What happened.
pub const ATTACHE_LOG_INFO: i32 = 3;
/// Each call to the org.
pub const ATTACHE_LOG_DEBUG: i32 = 4;
/// Everything.
pub const ATTACHE_LOG_TRACE: i32 = 5;

/// Hears of one event: its level, the part of the library that it is from, and a line of text,
/// both valid until it returns. No line holds a token, a query or a field's value. Called on
/// whatever thread does the work, also by several at once. It must not call this library, throw
/// or longjmp.
pub type attache_log_fn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        level: i32,
        target: attache_str_t,
        message: attache_str_t,
    ),
>;

/// The function that hears, if there is one.
struct Ear {
    call: unsafe extern "C" fn(
        ctx: *mut c_void,
        level: i32,
        target: attache_str_t,
        message: attache_str_t,
    ),
    context: Context,
    level: LevelFilter,
}

static EAR: RwLock<Option<Arc<Ear>>> = RwLock::new(None);

fn ear() -> Option<Arc<Ear>> {
    EAR.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Hands events on to the function of the moment.
struct Forward;

impl Subscriber for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Other libraries of this one have things to say that are not for an application.
        metadata.is_event()
            && metadata.target().starts_with("attache")
            && ear().is_some_and(|ear| *metadata.level() <= ear.level)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(ear().map_or(LevelFilter::OFF, |ear| ear.level))
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(ear) = ear() else { return };
        let mut line = Line::default();
        event.record(&mut line);
        let level = match *event.metadata().level() {
            Level::ERROR => ATTACHE_LOG_ERROR,
            Level::WARN => ATTACHE_LOG_WARN,
            Level::INFO => ATTACHE_LOG_INFO,
            Level::DEBUG => ATTACHE_LOG_DEBUG,
            Level::TRACE => ATTACHE_LOG_TRACE,
        };
        let target = attache_str_t::borrowed(event.metadata().target());
        let text = line.message + &line.fields;
        let message = attache_str_t::borrowed(&text);
        // SAFETY: the caller gave a function of this type, for this context.
        unsafe { (ear.call)(ear.context.get(), level, target, message) }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event as a line: the message, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let (text, named) = match field.name() {
            "message" => (&mut self.message, None),
            name => (&mut self.fields, Some(name)),
        };
        // A string takes all that is written to it.
        let _ = match named {
            None => write!(text, "{value:?}"),
            Some(name) => write!(text, " {name}={value:?}"),
        };
    }
}

/// Sets what hears of the library's work, for the whole process, in place of what did before. An
/// application that is written in Rust and has a `tracing` subscriber of its own uses that.
///
/// @param level     What is heard, and all that is graver: one of the ATTACHE_LOG_* numbers.
/// @param log       Called with ctx for each event; NULL for nothing.
/// @param drop_ctx  Called with ctx once, when log will not be called again; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_log(
    level: i32,
    log: attache_log_fn,
    ctx: *mut c_void,
    drop_ctx: attache_drop_fn,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    // Taken over before anything can fail: whatever becomes of the call, the context goes with it.
    let context = Context::new(ctx, drop_ctx);
    enter(out_error, move || {
        let level = match level {
            ATTACHE_LOG_OFF => LevelFilter::OFF,
            ATTACHE_LOG_ERROR => LevelFilter::ERROR,
            ATTACHE_LOG_WARN => LevelFilter::WARN,
            ATTACHE_LOG_INFO => LevelFilter::INFO,
            ATTACHE_LOG_DEBUG => LevelFilter::DEBUG,
            ATTACHE_LOG_TRACE => LevelFilter::TRACE,
            _ => return Err(Failure::argument("level is none of ATTACHE_LOG_*")),
        };
        static OURS: OnceLock<bool> = OnceLock::new();
        let ours = OURS.get_or_init(|| tracing::subscriber::set_global_default(Forward).is_ok());
        if !ours {
            return Err(Failure::argument(
                "this process has a subscriber of `tracing` already, which hears of everything",
            ));
        }
        let new = log.map(|call| {
            Arc::new(Ear {
                call,
                context,
                level,
            })
        });
        let old = std::mem::replace(
            &mut *EAR.write().unwrap_or_else(PoisonError::into_inner),
            new,
        );
        tracing::callsite::rebuild_interest_cache();
        drop(old);
        Ok(())
    })
}
