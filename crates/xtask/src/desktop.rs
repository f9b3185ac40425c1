//! The desktop step: the GTK client of the examples, driven by keys on a display of its own.

use crate::programs::{Program, sources};
use crate::run::{Done, command, failed, io_failed};
use crate::tools::{need, need_library};
use crate::workspace::Workspace;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Compiles the client and drives it against a sandbox. Screenshots are left beside the programs.
pub fn run(workspace: &Workspace) -> Done {
    let scratch = workspace.target("c");
    let shots = scratch.join("screenshots");
    fs::create_dir_all(&shots).map_err(io_failed("create", &shots))?;
    need("xdotool", "xdotool")?;
    need("scrot", "scrot")?;
    let mut flags = need_library("gtk4", "libgtk-4-dev")?;
    flags.extend(need_library("json-glib-1.0", "libjson-glib-dev")?);
    let desk = Program {
        name: "desk".into(),
        sources: sources(&workspace.path("examples/gtk"))?,
        flags,
        arguments: Vec::new(),
    };
    let desk = desk.compile(workspace, &scratch, "", &["-O1"])?;
    let drive = Program::of(workspace.path("tests/c/desktop/drive.c"));
    let drive = drive.compile(workspace, &scratch, "", &["-O1", "-DATTACHE_TESTING"])?;
    let display = Display::start()?;
    command(
        Command::new(drive)
            .env("DISPLAY", &display.name)
            .arg(desk)
            .arg(&shots),
    )?;
    println!("screenshots are in {}", shots.display());
    Ok(())
}

/// A screen in memory. It ends with this value.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Starts a server that takes a free number itself, and tells it when it serves.
    fn start() -> Done<Display> {
        let mut server = Command::new(need("Xvfb", "xvfb")?)
            .args(["-displayfd", "1", "-nolisten", "tcp"])
            .args(["-screen", "0", "1100x760x24"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(format!("cannot run Xvfb: {error}")))?;
        let mut number = String::new();
        if let Some(stdout) = server.stdout.take() {
            // What cannot be read is an empty number, below.
            let _ = BufReader::new(stdout).read_line(&mut number);
        }
        let display = Display {
            server,
            name: format!(":{}", number.trim()),
        };
        match number.trim().is_empty() {
            true => Err(failed("Xvfb did not say its display")),
            false => Ok(display),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
