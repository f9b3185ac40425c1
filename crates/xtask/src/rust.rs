//! The Rust steps.

use crate::run::{Done, command, quiet};
use crate::sandbox::Sandbox;
use crate::workspace::{FEATURES, Workspace, cargo};

/// Checks the layout of the code.
pub fn fmt(workspace: &Workspace) -> Done {
    command(
        cargo()
            .current_dir(workspace.root())
            .args(["fmt", "--all", "--check"]),
    )
}

/// Runs the lints.
pub fn clippy(workspace: &Workspace) -> Done {
    command(cargo().current_dir(workspace.root()).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        FEATURES,
        "--",
        "-D",
        "warnings",
    ]))
}

/// Builds all there is, once: libraries, programs and tests.
pub fn build(workspace: &Workspace) -> Done {
    command(cargo().current_dir(workspace.root()).args([
        "build",
        "--workspace",
        "--all-targets",
        "--features",
        FEATURES,
    ]))
}

/// Runs the tests and the examples in the docs.
pub fn test(workspace: &Workspace) -> Done {
    command(cargo().current_dir(workspace.root()).args([
        "test",
        "--workspace",
        "--no-fail-fast",
        "--features",
        FEATURES,
    ]))
}

/// Builds the docs. Bare addresses are fine: some docs are also help texts and C comments, where
/// the brackets of a link would stand as they are.
pub fn doc(workspace: &Workspace) -> Done {
    command(
        cargo()
            .current_dir(workspace.root())
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::bare_urls")
            .args(["doc", "--workspace", "--no-deps", "--features", FEATURES]),
    )
}

/// Runs the quickstart against a sandbox.
pub fn quickstart(workspace: &Workspace, sandbox: &Done<Sandbox>) -> Done {
    let sandbox = sandbox.as_ref().map_err(Clone::clone)?;
    let mut quickstart = std::process::Command::new(workspace.built().join("examples/quickstart"));
    quiet(sandbox.visit(&mut quickstart))
}
