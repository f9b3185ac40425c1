//! Checks, code generation and the whole test run: `cargo xtask --help`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command talks to its terminal"
)]

mod abi;
mod c;
mod codegen;
mod deny;
mod desktop;
mod figures;
mod fuzz;
mod install;
mod kotlin;
mod outside;
mod phones;
mod programs;
mod run;
mod rust;
mod sandbox;
mod snippets;
mod swift;
mod tidy;
mod tools;
mod workspace;

use clap::{Parser, Subcommand};
use run::{Done, Run};
use std::process::ExitCode;
use workspace::Workspace;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Checks, code generation and the whole test run"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run everything: checks, Rust, C, Kotlin and Swift. What cannot run is named and skipped.
    Test {
        /// Some steps only, by their names in the table at the end. A step finds what the ones before it built.
        #[arg(value_name = "STEP")]
        only: Vec<String>,
    },
    /// Run everything, and count what is skipped as failed.
    Ci,
    /// Write the C header, the Swift and Kotlin sources and the code in their READMEs.
    Codegen {
        /// Change nothing; fail if what is committed is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Install the C library: header, shared and static library, pkg-config and CMake files.
    InstallC(install::Arguments),
    /// Measure the C library as it is shipped: calls, rows beside SQLite's own, size.
    BenchC,
    /// Open a store, query it and free everything, over and over, and watch the memory.
    Rounds {
        /// How often.
        #[arg(default_value_t = 1_000_000)]
        rounds: u64,
    },
    /// Check the library for Swift and Kotlin for phones, and the scripts that package it.
    Phones,
    /// Hold the rules of the house that no compiler holds.
    Tidy,
    /// Throw bytes at everything that reads some, for a long time. Stops at the first find.
    Fuzz {
        /// Minutes for each target.
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// Some targets only.
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },
    /// Kill the command at work, in each of its ways, with encryption.
    Kill {
        /// Kills of each way: a sync of four orgs, an import, a migration, a wipe, a re-keying.
        #[arg(long, default_value_t = 125, value_parser = clap::value_parser!(u64).range(15..))]
        rounds: u64,
    },
    /// Walk seeds: devices, an org and faults in virtual time. `cargo xtask sim -- --help` tells more.
    #[command(disable_help_flag = true)]
    Sim {
        /// Passed on: --seeds A..B, --minutes M, --json, --twice, --replay SCENARIO, --planted, --coverage.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(stop) => return finish("workspace", Err(stop)),
    };
    match Arguments::parse().task {
        Task::Test { only } => {
            let strict = std::env::var_os("CI").is_some_and(|ci| ci == "true");
            everything(&workspace, strict, only)
        }
        Task::Ci => everything(&workspace, true, Vec::new()),
        Task::Codegen { check } => finish("codegen", codegen::build_and_run(&workspace, check)),
        Task::InstallC(arguments) => finish("install-c", install::run(&workspace, &arguments)),
        Task::BenchC => finish("bench-c", figures::bench(&workspace)),
        Task::Rounds { rounds } => finish("rounds", figures::rounds(&workspace, rounds)),
        Task::Phones => finish("phones", phones::check(&workspace)),
        Task::Tidy => finish("tidy", tidy::run(&workspace)),
        Task::Fuzz { minutes, targets } => {
            finish("fuzz", fuzz::run(&workspace, &targets, minutes * 60))
        }
        Task::Kill { rounds } => finish("kill", rust::kill(&workspace, rounds)),
        Task::Sim { arguments } => finish("sim", rust::sim(&workspace, arguments)),
    }
}

/// Runs all steps, also after one failed, and prints a table of what became of each.
fn everything(workspace: &Workspace, strict: bool, only: Vec<String>) -> ExitCode {
    let mut run = Run::new(strict, only);
    // The network is idle while the compiler runs: fetch the other languages' tools meanwhile.
    let swift = swift::fetch();
    let kotlin = kotlin::fetch(workspace);
    run.step("fmt", || rust::fmt(workspace));
    run.step("tidy", || tidy::run(workspace));
    run.step("clippy", || rust::clippy(workspace));
    run.step("build", || rust::build(workspace));
    run.step("codegen --check", || codegen::run(workspace, true));
    run.step("rust tests", || rust::test(workspace));
    run.step("planted", || rust::planted(workspace));
    run.step("encryption", || rust::encryption(workspace));
    run.step("deny", || deny::deny(workspace));
    run.step("advisories", || deny::advisories(workspace));
    run.step("rust docs", || rust::doc(workspace));
    run.step("phones", || phones::check(workspace));
    run.step("python client", || outside::python(workspace));
    run.step("node client", || outside::node(workspace));
    let sandbox = sandbox::start(workspace);
    run.step("rust quickstart", || rust::quickstart(workspace, &sandbox));
    // The last part of the step for C builds the library as it is shipped, without the sandbox that the client needs.
    run.step("desktop", || desktop::run(workspace));
    run.step("c", || c::run(workspace, &sandbox));
    run.step("kotlin", || kotlin::run(workspace, kotlin, &sandbox));
    run.step("swift", || swift::run(workspace, swift, &sandbox));
    run.finish()
}

fn finish(name: &str, done: Done) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("{name}: {stop}");
            ExitCode::FAILURE
        }
    }
}
