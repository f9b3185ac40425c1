//! The phones step: what goes into the AAR and the XCFramework is type-checked for phones, and the scripts that make
//! them are read.
//!
//! Building takes the Android NDK, of which no Debian has a whole one, or a Mac with Xcode: `bindings/kotlin/android.sh`
//! and `bindings/swift/xcframework.sh` are for machines that have them. Checking takes the standard library of the target,
//! which rustup fetches, and a C compiler for the build scripts of what is C in it: SQLite and ring. Nothing is linked, so
//! one that makes empty files does.

use crate::run::{Done, Stop, command, failed, io_failed, output, quiet};
use crate::tools::{find, need};
use crate::workspace::{Workspace, cargo};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A phone of each kind: 64 and 32 bits with Android, and an iPhone. Those that the scripts build besides have the same
/// sources.
const TARGETS: [&str; 3] = [
    "aarch64-linux-android",
    "armv7-linux-androideabi",
    "aarch64-apple-ios",
];

const SCRIPTS: [&str; 2] = [
    "bindings/kotlin/android.sh",
    "bindings/swift/xcframework.sh",
];

/// Makes the files that it is asked for, with nothing in them.
const COMPILER: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in -o) : > "$2"; shift ;; esac
    shift
done
"#;

/// Reads the scripts, and checks the library for Swift and Kotlin for each target.
pub fn check(workspace: &Workspace) -> Done {
    scripts(workspace)?;
    let folder = workspace.target("phones");
    fs::create_dir_all(&folder).map_err(io_failed("create", &folder))?;
    let compiler = program(&folder, "cc", COMPILER)?;
    let archiver = program(&folder, "ar", "#!/bin/sh\n")?;
    for target in TARGETS {
        standard_library(target)?;
        let named = target.replace('-', "_");
        command(
            cargo()
                .current_dir(workspace.root())
                .env(format!("CC_{named}"), &compiler)
                .env(format!("AR_{named}"), &archiver)
                // Else the build scripts ask Xcode for one.
                .env("SDKROOT", &folder)
                .args(["check", "--package", "attache-uniffi", "--target", target]),
        )?;
        println!("the library for Swift and Kotlin is right for {target}");
    }
    Ok(())
}

/// Has both scripts read by shellcheck, and has them say what they would run: for each target that is checked here, too.
fn scripts(workspace: &Workspace) -> Done {
    let shellcheck = need("shellcheck", "shellcheck")?;
    let scripts = SCRIPTS.map(|script| workspace.path(script));
    command(Command::new(shellcheck).args(&scripts))?;
    let mut would = String::new();
    for script in &scripts {
        would += &output(Command::new("sh").arg(script).arg("--dry-run"))?;
    }
    match TARGETS
        .into_iter()
        .find(|target| !would.split_whitespace().any(|word| word == *target))
    {
        Some(target) => Err(failed(format!("no script builds for {target}"))),
        None => Ok(()),
    }
}

/// Writes a program that is a script.
fn program(folder: &Path, name: &str, script: &str) -> Done<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, script).map_err(io_failed("write", &path))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(io_failed("make executable", &path))?;
    Ok(path)
}

/// Has the toolchain at work know a target.
fn standard_library(target: &str) -> Done {
    let rustup = find("rustup").ok_or_else(|| {
        Stop::Skipped("rustup is missing: it has the standard libraries for phones".into())
    })?;
    let installed = output(Command::new(&rustup).args(["target", "list", "--installed"]))?;
    if installed.lines().any(|line| line == target) {
        return Ok(());
    }
    println!("fetching the standard library for {target} by rustup");
    quiet(Command::new(&rustup).args(["target", "add", target])).map_err(|_| {
        Stop::Offline(format!(
            "nothing was checked: the standard library for {target} cannot be fetched from here"
        ))
    })
}
