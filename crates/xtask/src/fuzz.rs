//! Fuzzing by hand: libFuzzer and AddressSanitizer on everything that reads bytes of others.
//!
//! No check of a change does this: the build alone, with counters in every line, takes a quarter of an hour of one
//! core. The tests of `attache-fuzz` replay its seeds instead, through the same functions, with every change.

use crate::run::{Done, Stop, command, failed, io_failed, output};
use crate::tools::need;
use crate::workspace::{Workspace, cargo};
use std::fs;
use std::process::Command;

/// A single input may take so long and so much memory; more is a find.
const INPUT_SECONDS_MAX: u64 = 25;
const MEMORY_MB_MAX: u64 = 3_000;

/// What the compiler puts into every line: counters for libFuzzer, and checks of every access to memory.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address";

/// What the programs' names begin with.
const PREFIX: &str = "fuzz-";

/// Runs targets (all of them, unless some are named) for so many seconds each, and stops at the first find.
pub fn run(workspace: &Workspace, wanted: &[String], seconds: u64) -> Done {
    if !cfg!(target_os = "linux") {
        return Err(Stop::Skipped("fuzzing is set up for Linux only".into()));
    }
    // libFuzzer is C++.
    need("c++", "g++")?;
    let targets = targets(workspace);
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(name)) {
        let targets = targets.join(", ");
        return Err(failed(format!("there is no target {unknown}: {targets}")));
    }
    let host = host()?;
    build(workspace, &host)?;
    let built = workspace.target(&format!("fuzz/{host}/release"));
    for target in targets {
        if !wanted.is_empty() && !wanted.contains(&target) {
            continue;
        }
        // What is found grows beside the build; what is committed stays as it is.
        let grown = workspace.target("fuzz/grown").join(&target);
        let finds = workspace.target("fuzz/finds").join(&target);
        for folder in [&grown, &finds] {
            fs::create_dir_all(folder).map_err(io_failed("create", folder))?;
        }
        let done = command(
            Command::new(built.join(format!("{PREFIX}{target}")))
                // Of what lives as long as the process nobody asks who frees it.
                .env("ASAN_OPTIONS", "detect_leaks=0")
                .arg(&grown)
                .arg(workspace.path("fuzz/seeds").join(&target))
                .arg(format!("-artifact_prefix={}/", finds.display()))
                .arg(format!("-max_total_time={seconds}"))
                .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
                .arg(format!("-rss_limit_mb={MEMORY_MB_MAX}"))
                .arg("-print_final_stats=1"),
        );
        done.map_err(|_| {
            failed(format!(
                "{target} found something: it lies in {}; make it small with -minimize_crash=1, and a seed",
                finds.display()
            ))
        })?;
    }
    Ok(())
}

fn build(workspace: &Workspace, host: &str) -> Done {
    command(
        cargo()
            .current_dir(workspace.root())
            .env("CARGO_TARGET_DIR", workspace.target("fuzz"))
            // The stable compiler has the sanitizer, but does not promise it.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", FLAGS)
            // Fast enough to get anywhere, and each overflow is found.
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
            .args(["build", "--release", "--package", "attache-fuzz", "--bins"])
            // With a target the flags are not those of build scripts and macros.
            .args(["--features", "libfuzzer", "--target", host]),
    )
}

/// The machine that this runs on, as the compiler calls it.
fn host() -> Done<String> {
    let told = output(Command::new("rustc").arg("-vV"))?;
    told.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| failed("rustc does not say where it runs"))
}

/// The names of the targets, as their manifest has them.
fn targets(workspace: &Workspace) -> Vec<String> {
    let package = workspace
        .packages()
        .iter()
        .find(|package| package["name"] == "attache-fuzz");
    let targets = package.and_then(|package| package["targets"].as_array());
    let names = targets.into_iter().flatten().filter_map(|target| {
        let name = target["name"].as_str()?;
        name.strip_prefix(PREFIX).map(str::to_owned)
    });
    names.collect()
}
