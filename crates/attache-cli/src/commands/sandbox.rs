//! `attache sandbox`: an org on this machine.

use crate::commands::block_on;
use crate::error::{Failure, Result};
use crate::output::Output;
use attache::ErrorKind;
use attache_sandbox::{Sandbox, serve};
use clap::Args;
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// What the org is like.
#[derive(Args)]
pub struct Arguments {
    /// Port on loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Decides every made-up record, and every token.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Records to make up, roughly [default: 5,000].
    #[arg(long, conflicts_with = "load")]
    records: Option<usize>,
    /// Load rows from the JSON lines in this folder instead of making them up.
    #[arg(long, value_name = "DIR")]
    load: Option<PathBuf>,
    /// The time at which the org's clock starts (RFC 3339) [default: now].
    #[arg(long, value_name = "INSTANT")]
    now: Option<String>,
    /// Time zone of the org and its users, such as Europe/Berlin [default: UTC].
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Duplicate rules, validation rules and flows: a file of JSON, as the sandbox's README shows.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Locale of the org and its users; it says when a week starts [default: en_US].
    #[arg(long)]
    locale: Option<String>,
}

/// Serves an org until interrupted. All that stdout gets is one JSON line, once calls are answered.
pub fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let sandbox = build(arguments)?;
    block_on(async {
        let address = (Ipv4Addr::LOCALHOST, arguments.port).into();
        let serving = serve(sandbox.clone(), address).await.map_err(|error| {
            Failure::new(
                ErrorKind::InvalidArgument,
                format!("cannot serve on port {}: {error}", arguments.port),
            )
        })?;
        output.text(sandbox.info(serving.url()))?;
        interrupted().await?;
        // Keep-alive connections may stay open for ever: a second signal is not needed.
        drop(serving);
        Ok(())
    })?
}

fn build(arguments: &Arguments) -> Result<Sandbox> {
    let mut builder = Sandbox::builder().seed(arguments.seed);
    if let Some(records) = arguments.records {
        builder = builder.records(records);
    }
    if let Some(folder) = &arguments.load {
        builder = builder.load(folder);
    }
    if let Some(now) = &arguments.now {
        builder = builder.now(now);
    }
    if let Some(zone) = &arguments.tz {
        builder = builder.time_zone(zone);
    }
    if let Some(rules) = &arguments.rules {
        builder = builder.rules(rules);
    }
    if let Some(locale) = &arguments.locale {
        builder = builder.locale(locale);
    }
    builder
        .build()
        .map_err(|error| Failure::usage(error.to_string()))
}

/// Waits for Ctrl-C or a polite kill.
async fn interrupted() -> Result<()> {
    let failed = |error| {
        Failure::new(
            ErrorKind::Internal,
            format!("cannot wait for signals: {error}"),
        )
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended.map_err(failed),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}
