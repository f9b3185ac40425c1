//! The engine's log, given to the application.

use crate::error::{ErrorKind, Result, failed};
use std::fmt::{self, Write};
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is odd.
    Warn,
    /// What a session does, in a few lines.
    Info,
    /// Each call.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> LevelFilter {
        match level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        }
    }
}

impl From<&Level> for LogLevel {
    fn from(level: &Level) -> LogLevel {
        match *level {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG => LogLevel::Debug,
            Level::TRACE => LogLevel::Trace,
        }
    }
}

/// Takes the lines of the log, on any thread. A line never holds a token or a field's value.
#[uniffi::export(rust, foreign)]
pub trait Logger: Send + Sync {
    /// Takes a line: the part of the engine that wrote it, and what it says. Must not call the store.
    fn log(&self, level: LogLevel, target: String, message: String);
}

/// Gives the log of all stores of this process to a logger, from now on. Once for a process.
#[uniffi::export]
pub fn set_logger(level: LogLevel, logger: Arc<dyn Logger>) -> Result<()> {
    let host = Host {
        level: level.into(),
        logger,
    };
    tracing::subscriber::set_global_default(host).map_err(|_| {
        failed(
            ErrorKind::InvalidArgument,
            "this process has a logger already",
        )
    })
}

struct Host {
    level: LevelFilter,
    logger: Arc<dyn Logger>,
}

impl Subscriber for Host {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level && metadata.target().starts_with("attache")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    // Lines tell enough by themselves: what they happened within is not followed.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let metadata = event.metadata();
        self.logger.log(
            metadata.level().into(),
            metadata.target().to_owned(),
            format!("{}{}", line.message, line.fields),
        );
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What an event says, and what it counts.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a text does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
