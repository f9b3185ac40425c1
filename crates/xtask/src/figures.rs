//! Figures of the C library as it is shipped: what calls and rows cost, how large it is, and that
//! a million rounds leave nothing behind.

use crate::install;
use crate::programs::Program;
use crate::run::{Done, command, io_failed, output};
use crate::tools::{need, need_library};
use crate::workspace::{Workspace, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Measures calls and rows, then the size of the library without its symbols.
pub fn bench(workspace: &Workspace) -> Done {
    let (built, scratch) = testing(workspace)?;
    let mut program = Program::of(workspace.path("benches/c/library.c"));
    program.flags = need_library("sqlite3", "libsqlite3-dev")?;
    let more = ["-O2", "-DATTACHE_TESTING"];
    let program = program.compile_against(&built, workspace, &scratch, "", &more)?;
    command(&mut Command::new(program))?;
    size(workspace, &scratch)
}

/// Says how many bytes of a shared library an application ships, compressed as a package is, too.
fn size(workspace: &Workspace, scratch: &Path) -> Done {
    let root = scratch.join("shipped");
    let shared = install::shipped(workspace, &root)?;
    let stripped = scratch.join("libattache-stripped.so");
    command(
        Command::new(need("strip", "binutils")?)
            .arg("-o")
            .arg(&stripped)
            .arg(&shared),
    )?;
    let packed = output(
        Command::new(need("sh", "dash")?)
            .args(["-c", "xz -T1 -c \"$1\" | wc -c", "sh"])
            .arg(&stripped),
    )?;
    let bytes = fs::metadata(&stripped)
        .map_err(io_failed("look at", &stripped))?
        .len();
    println!(
        "shared library, stripped: {bytes} bytes; {} by xz",
        packed.trim()
    );
    Ok(())
}

/// Goes round so many times.
pub fn rounds(workspace: &Workspace, rounds: u64) -> Done {
    let (built, scratch) = testing(workspace)?;
    let program = Program::of(workspace.path("tests/c/rounds.c"));
    let more = ["-O2", "-DATTACHE_TESTING"];
    let program = program.compile_against(&built, workspace, &scratch, "-shipped", &more)?;
    let mut run = Command::new(program);
    // The disk's pace is not what is looked at.
    if Path::new("/dev/shm").is_dir() {
        run.env("TMPDIR", "/dev/shm");
    }
    command(run.arg(rounds.to_string()))
}

/// Builds the library as it is shipped, but with a sandbox. Gives its folder and one for programs.
fn testing(workspace: &Workspace) -> Done<(PathBuf, PathBuf)> {
    let scratch = workspace.target("c");
    fs::create_dir_all(&scratch).map_err(io_failed("create", &scratch))?;
    command(cargo().current_dir(workspace.root()).args([
        "build",
        "--release",
        "--package",
        "attache-c",
        "--features",
        "testing",
    ]))?;
    Ok((workspace.target("release"), scratch))
}
