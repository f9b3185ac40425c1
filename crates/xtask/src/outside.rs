//! The sandbox, driven by clients that Attaché has no part in.

use crate::run::{Done, command, quiet};
use crate::tools::need;
use crate::workspace::Workspace;
use std::process::Command;

/// Drives a sandbox with simple-salesforce.
pub fn python(workspace: &Workspace) -> Done {
    let python = need("python3", "python3-venv")?;
    let tests = workspace.path("tests/outside");
    let environment = workspace.target("outside-venv");
    quiet(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
    quiet(
        Command::new(environment.join("bin/pip"))
            .args(["install", "-q", "--disable-pip-version-check", "-r"])
            .arg(tests.join("requirements.txt")),
    )?;
    command(
        Command::new(environment.join("bin/python"))
            .arg(tests.join("run_python.py"))
            .arg(workspace.built().join("attache")),
    )
}

/// Drives a sandbox with jsforce.
pub fn node(workspace: &Workspace) -> Done {
    let (npm, node) = (need("npm", "npm")?, need("node", "nodejs")?);
    let tests = workspace.path("tests/outside");
    quiet(
        Command::new(npm)
            .args(["ci", "--no-audit", "--no-fund", "--prefix"])
            .arg(&tests),
    )?;
    command(
        Command::new(node)
            .arg(tests.join("run_jsforce.mjs"))
            .arg(workspace.built().join("attache")),
    )
}
