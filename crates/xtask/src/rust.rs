//! The Rust steps.

use crate::run::{Done, command, io_failed, output, quiet};
use crate::sandbox::Sandbox;
use crate::tools::find;
use crate::workspace::{FEATURES, Workspace, cargo};
use std::path::Path;
use std::process::Command;
use std::{fs, io};

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

/// Has walks find the mistakes that are planted for them. Only what can have such is built anew for it.
pub fn planted(workspace: &Workspace) -> Done {
    command(cargo().current_dir(workspace.root()).args([
        "test",
        "--package",
        "attache-tests",
        "--features",
        "simulation",
        "--test",
        "planted",
    ]))
}

/// What is built with encryption, together: what else they depend on is then built once. `testing` is for the stories.
const ENCRYPTED: [&str; 8] = [
    "--package",
    "attache-tests",
    "--package",
    "attache-cli",
    "--package",
    "attache-uniffi",
    "--package",
    "attache-c",
];

/// Runs the tests of the store's file, of what is attached and of the command once more, with encryption, and builds
/// the libraries that the steps for C, Swift and Kotlin load. Only what depends on SQLite is built anew for it.
pub fn encryption(workspace: &Workspace) -> Done {
    let features = format!("attache-uniffi/testing,attache-c/testing,{}", cipher());
    encrypting_libraries(workspace, &features)?;
    command(
        cargo()
            .current_dir(workspace.root())
            .arg("test")
            .args(ENCRYPTED)
            .args([
                "--test",
                "vault",
                "--test",
                "crash",
                "--test",
                "files_of_records",
                "--test",
                "scenarios",
                "--test",
                "cli",
                "--features",
                &features,
            ]),
    )
}

/// Builds the libraries with encryption, and puts them into a folder of their own.
///
/// Cargo knows one file for a library whatever its features are, and takes the file that is there for the one that it
/// wants: it has to be gone before, and after, or the next build would keep this one.
fn encrypting_libraries(workspace: &Workspace, features: &str) -> Done {
    let built = ["attache_uniffi", "attache_c"].map(|name| workspace.library(name));
    let name = |library: &Path| library.file_name().unwrap_or_default().to_owned();
    let folder = workspace.encrypting();
    let forget = || {
        for library in &built {
            let in_deps = workspace.built().join("deps").join(name(library));
            for file in [&in_deps, library] {
                match fs::remove_file(file) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(io_failed("remove", file)(error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    };
    forget()?;
    command(
        cargo()
            .current_dir(workspace.root())
            .arg("build")
            .args(ENCRYPTED)
            .args(["--lib", "--features", features]),
    )?;
    fs::create_dir_all(&folder).map_err(io_failed("create", &folder))?;
    for library in &built {
        fs::copy(library, folder.join(name(library))).map_err(io_failed("copy", library))?;
    }
    forget()?;
    build(workspace)
}

/// Kills the command so many times in each of its ways: a sync of each of four orgs, an import, a migration, a wipe
/// and a re-keying.
pub fn kill(workspace: &Workspace, rounds: u64) -> Done {
    command(
        cargo()
            .current_dir(workspace.root())
            .env("ATTACHE_KILLS", rounds.to_string())
            .args(["test", "--package", "attache-tests", "--no-fail-fast"])
            .args(["--test", "kill", "--test", "crash"])
            .args(["--features", cipher(), "--", "--nocapture"]),
    )
}

/// The feature that encrypts stores on this machine.
fn cipher() -> &'static str {
    // Without the system's libcrypto an OpenSSL is compiled, which takes minutes.
    let installed = find("pkg-config").is_some_and(|pkg_config| {
        output(Command::new(pkg_config).args(["--modversion", "libcrypto"])).is_ok()
    });
    if installed || cfg!(target_vendor = "apple") {
        "sqlcipher"
    } else {
        "sqlcipher-vendored"
    }
}

/// Walks seeds. What is shipped is walked, unless mistakes are to be planted or the arms to be counted that are met:
/// only a build for simulations can do that.
pub fn sim(workspace: &Workspace, mut arguments: Vec<String>) -> Done {
    let counts = arguments.iter().any(|it| it == "--coverage");
    arguments.retain(|it| it != "--coverage");
    let mut walk = cargo();
    walk.current_dir(workspace.root()).args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "attache-sim",
        "--example",
        "sim",
    ]);
    if counts || arguments.iter().any(|it| it == "--planted") {
        walk.args(["--features", "simulation"]);
    }
    command(walk.arg("--").args(arguments))
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
    let mut quickstart = Command::new(workspace.built().join("examples/quickstart"));
    quiet(sandbox.visit(&mut quickstart))
}
