//! Programs that the steps need.

use crate::run::{Done, Stop, output, quiet};
use crate::workspace::{Workspace, cargo};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

/// Finds a program, or installs the Debian package that has it, or says which one to install.
pub fn need(program: &str, package: &str) -> Done<PathBuf> {
    if let Some(path) = find(program) {
        return Ok(path);
    }
    install(&[package])?;
    find(program).ok_or_else(|| Stop::Skipped(format!("{program} is missing: install {package}")))
}

/// Finds a library for C by pkg-config, installed as [`need`] does, and gives the flags for it.
pub fn need_library(name: &str, package: &str) -> Done<Vec<String>> {
    let pkg_config = need("pkg-config", "pkg-config")?;
    let flags = || output(Command::new(&pkg_config).args(["--cflags", "--libs", name]));
    let flags = match flags() {
        Ok(flags) => flags,
        Err(_) => {
            install(&[package])?;
            flags()?
        }
    };
    Ok(flags.split_whitespace().map(Into::into).collect())
}

/// Finds a program that is a crate, or builds it (minutes, once; it stays beside the build).
///
/// `--locked`: what its authors tested, not what is new today. `--debug`: it is built longer than it runs.
pub fn crate_program(workspace: &Workspace, name: &str) -> Done<PathBuf> {
    if let Some(path) = find(name) {
        return Ok(path);
    }
    let root = workspace.target("tools");
    let path = root.join("bin").join(name);
    if path.is_file() {
        return Ok(path);
    }
    println!("installing {name} by cargo install");
    quiet(
        cargo()
            .args(["install", "--quiet", "--locked", "--debug", "--root"])
            .arg(&root)
            .arg(name)
            .env("CARGO_TARGET_DIR", workspace.target("tools/build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
    )
    .map_err(|_| Stop::Skipped(format!("{name} is missing: cargo install --locked {name}")))?;
    Ok(path)
}

/// Finds a program on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// Says whether this process may change the machine.
pub fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Installs Debian packages where that is possible.
pub fn install(packages: &[&str]) -> Done {
    // Two steps may want something at the same time, and apt has one lock.
    static APT: Mutex<()> = Mutex::new(());
    let names = packages.join(" ");
    if find("apt-get").is_none() || !is_root() {
        return Err(Stop::Skipped(format!("{names} is missing: install it")));
    }
    let _one_at_a_time = APT.lock();
    println!("installing {names} by apt-get");
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt.args(["install", "-y", "--no-install-recommends"]);
    apt.args(packages);
    let done = quiet(&mut apt).or_else(|_| {
        // A fresh machine has no package lists yet.
        quiet(Command::new("apt-get").args(["update"]))?;
        quiet(&mut apt)
    });
    done.map_err(|_| Stop::Skipped(format!("{names} is missing and cannot be installed")))
}
