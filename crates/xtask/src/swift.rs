//! The Swift step: a SwiftPM package whose tests link the shared library, as the step for encryption built it.
//!
//! Debian 12 has no Swift. Where no `swift` is on the PATH, this makes a root of
//! Debian 13 (trixie), which has one, keeps it in the cache folder (2.6 GB) and
//! builds and tests in it. The library built outside runs inside: its C library
//! is newer, and its libcrypto.so.3 is as good.

use crate::run::{Done, Stop, command, failed, io_failed, quiet};
use crate::sandbox::Sandbox;
use crate::tools::{find, is_root, need};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;

/// Where Swift is.
pub enum Swift {
    /// On the PATH.
    Here(PathBuf),
    /// In a root of another Debian.
    Root(PathBuf),
}

/// A fetch that runs beside other steps.
pub type Fetch = JoinHandle<Done<Swift>>;

/// Finds Swift or makes a root that has it, in the background.
pub fn fetch() -> Fetch {
    std::thread::spawn(|| match find("swift") {
        Some(swift) => Ok(Swift::Here(swift)),
        None => root().map(Swift::Root),
    })
}

/// Builds the package in the language mode of Swift 6, where what may cross threads is checked and a warning is an error;
/// then runs its tests and the quickstart.
pub fn run(workspace: &Workspace, fetch: Fetch, sandbox: &Done<Sandbox>) -> Done {
    let swift = fetch
        .join()
        .map_err(|_| failed("looking for Swift panicked"))??;
    let sandbox = sandbox.as_ref().map_err(Clone::clone)?;
    let six = [
        "build",
        "--target",
        "AttacheKit",
        "-Xswiftc",
        "-swift-version",
        "-Xswiftc",
        "6",
        "-Xswiftc",
        "-warnings-as-errors",
    ];
    for (folder, task) in [
        ("swift/six", &six[..]),
        ("swift/usual", &["test"]),
        ("swift/usual", &["run", "Quickstart"]),
    ] {
        let scratch = workspace.target(folder);
        fs::create_dir_all(&scratch).map_err(io_failed("create", &scratch))?;
        let mut run = match &swift {
            Swift::Here(swift) => here(swift, workspace, &scratch, task),
            Swift::Root(root) => inside(root, workspace, &scratch, task),
        };
        command(sandbox.visit_encrypted(&mut run))?;
    }
    Ok(())
}

/// A run of the Swift on the PATH.
fn here(swift: &Path, workspace: &Workspace, scratch: &Path, task: &[&str]) -> Command {
    let mut run = Command::new(swift);
    run.arg(task[0])
        .arg("--package-path")
        .arg(workspace.path("bindings/swift"))
        .arg("--scratch-path")
        .arg(scratch)
        .args(&task[1..])
        .env("ATTACHE_LIBRARY_PATH", workspace.encrypting())
        .env("LD_LIBRARY_PATH", workspace.encrypting());
    run
}

/// A run of the Swift in a root. The mounts live in a namespace of this command's own: they go
/// with it, however it ends.
fn inside(root: &Path, workspace: &Workspace, scratch: &Path, task: &[&str]) -> Command {
    const SCRIPT: &str = r#"
        set -eu
        root=$1 repository=$2 built=$3 scratch=$4; shift 4
        mkdir -p "$root/repository" "$root/built" "$root/scratch"
        mount --rbind /proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --bind "$repository" "$root/repository"
        mount --bind "$built" "$root/built"
        mount --bind "$scratch" "$root/scratch"
        task=$1; shift
        exec chroot "$root" env HOME=/root PATH=/usr/bin:/bin LD_LIBRARY_PATH=/built \
            ATTACHE_LIBRARY_PATH=/built TMPDIR=/tmp \
            swift "$task" --package-path /repository/bindings/swift --scratch-path /scratch "$@"
    "#;
    let mut run = Command::new("unshare");
    run.args(["--mount", "sh", "-c", SCRIPT, "sh"])
        .arg(root)
        .arg(workspace.root())
        .arg(workspace.encrypting())
        .arg(scratch)
        .args(task);
    run
}

/// Finds the root, or makes it.
fn root() -> Done<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .ok_or_else(|| Stop::Skipped("no cache folder for Swift: set XDG_CACHE_HOME".into()))?
        .join("attache");
    let root = cache.join("trixie-swift");
    if root.is_dir() {
        return Ok(root);
    }
    if !is_root() {
        return Err(Stop::Skipped(
            "swift is missing: install it, or run as root to have it put into a Debian root".into(),
        ));
    }
    // A container may hold its root back from mounting, and the build in the root needs mounts.
    quiet(Command::new("unshare").args(["--mount", "true"])).map_err(|_| {
        Stop::Skipped("swift is missing, and this machine allows no mounts: install swift".into())
    })?;
    let mmdebstrap = need("mmdebstrap", "mmdebstrap")?;
    fs::create_dir_all(&cache).map_err(io_failed("create", &cache))?;
    // Under another name until it is whole: an interrupted run leaves no half root.
    let part = cache.join("trixie-swift.part");
    if part.exists() {
        fs::remove_dir_all(&part).map_err(io_failed("remove", &part))?;
    }
    println!("making a Debian root with Swift in {}", root.display());
    quiet(
        Command::new(mmdebstrap)
            .arg("--variant=minbase")
            .arg("--include=swiftlang,libc6-dev,libstdc++-14-dev,libssl3t64,ca-certificates")
            .arg("trixie")
            .arg(&part),
    )
    .map_err(|stop| Stop::Skipped(format!("no Debian root with Swift: {stop}")))?;
    fs::rename(&part, &root).map_err(io_failed("rename", &part))?;
    Ok(root)
}
