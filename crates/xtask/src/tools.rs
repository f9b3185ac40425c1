//! Programs that the steps need.

use crate::run::{Done, Stop, output, quiet};
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
fn install(packages: &[&str]) -> Done {
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
