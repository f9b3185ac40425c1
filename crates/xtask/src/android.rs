//! The Android step: what goes into the AAR is type-checked for phones.
//!
//! Building it takes the Android NDK, of which no Debian has a whole one: `bindings/kotlin/android.sh` is for machines
//! that have it. Checking takes the standard library for Android, which rustup fetches, and a C compiler for the build
//! scripts of what is C in it: SQLite and ring. Nothing is linked, so Debian's compiler for ARM with glibc's headers
//! does in the place of the NDK's. What it compiles is thrown away.

use crate::run::{Done, Stop, command, output, quiet};
use crate::tools::{find, install, need};
use crate::workspace::{Workspace, cargo};
use std::path::Path;
use std::process::Command;

const TARGET: &str = "aarch64-linux-android";

/// Checks the library for Swift and Kotlin as `android.sh` builds it.
pub fn check(workspace: &Workspace) -> Done {
    standard_library()?;
    let compiler = need("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")?;
    if !Path::new("/usr/aarch64-linux-gnu/include/stdio.h").exists() {
        install(&["libc6-dev-arm64-cross"])?;
    }
    let archiver = need("aarch64-linux-gnu-ar", "binutils-aarch64-linux-gnu")?;
    command(
        cargo()
            .current_dir(workspace.root())
            .env("CC_aarch64_linux_android", compiler)
            .env("AR_aarch64_linux_android", archiver)
            .args(["check", "--package", "attache-uniffi", "--target", TARGET]),
    )
}

/// Has the toolchain at work know Android.
fn standard_library() -> Done {
    let rustup = find("rustup").ok_or_else(|| {
        Stop::Skipped("rustup is missing: it has the standard library for Android".into())
    })?;
    let installed = output(Command::new(&rustup).args(["target", "list", "--installed"]))?;
    if installed.lines().any(|line| line == TARGET) {
        return Ok(());
    }
    println!("fetching the standard library for {TARGET} by rustup");
    quiet(Command::new(&rustup).args(["target", "add", TARGET])).map_err(|_| {
        Stop::Offline(format!(
            "nothing was checked: the standard library for {TARGET} cannot be fetched from here"
        ))
    })
}
