//! Running the program, and an org for it to talk to.

use attache_sandbox::{Sandbox, Serving};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The time at which the tests' orgs start.
pub const NOW: &str = "2026-03-02T09:00:00Z";

/// An org on a socket, a folder for stores, and somebody's token.
pub struct Stage {
    /// The org.
    pub sandbox: Sandbox,
    serving: Serving,
    folder: TempDir,
}

/// What a run of the program came to.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Stage {
    /// Opens a small org.
    pub fn open() -> Stage {
        let sandbox = Sandbox::builder()
            .seed(7)
            .records(400)
            .now(NOW)
            .build()
            .expect("valid settings");
        let serving = Serving::spawn(sandbox.clone(), 0).expect("a free port");
        Stage {
            sandbox,
            serving,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// The org's address.
    pub fn url(&self) -> String {
        self.serving.url().to_string()
    }

    /// A path in the stage's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the stage's folder.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a writable folder");
        path
    }

    /// Runs the program as the first user.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let token = &self.sandbox.users()[0].access_token;
        run_with(arguments, &[("ATTACHE_ACCESS_TOKEN", token)])
    }

    /// Runs the program with `--json`, expects success, and reads what it prints.
    pub fn json(&self, arguments: &[&str]) -> Json {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.json()
    }

    /// Makes a store of a briefcase and syncs it; gives its path.
    pub fn store(&self, name: &str, briefcase: &str) -> String {
        let briefcase = self.file(&format!("{name}.json"), briefcase);
        let store = text(&self.path(name));
        let ran = self.run(&[
            "init",
            "--store",
            &store,
            "--url",
            &self.url(),
            "--briefcase",
            &text(&briefcase),
        ]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let ran = self.run(&["sync", &store]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        store
    }

    /// Lists the folder: names and contents, to see that nothing changed on disk.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a readable folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    files.push((path.clone(), Vec::new()));
                    folders.push(path);
                } else {
                    let bytes = fs::read(&path).expect("a readable file");
                    files.push((path, bytes));
                }
            }
        }
        files.sort();
        files
    }
}

impl Ran {
    /// Reads standard output as one line of JSON.
    pub fn json(&self) -> Json {
        assert_eq!(
            self.out.trim_end().lines().count(),
            1,
            "one line: {}",
            self.out
        );
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Runs the program with some variables, and without those of whoever runs the tests.
pub fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = command(arguments);
    command.envs(variables.iter().copied());
    done(command.output().expect("the program starts"))
}

/// Prepares a run of the program.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attache"));
    command
        .args(arguments)
        .env_remove("ATTACHE_ACCESS_TOKEN")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

fn done(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> String {
    path.to_str().expect("a path of text").to_owned()
}

/// A briefcase that takes everything of two objects.
pub const EVERYTHING: &str = r#"{"version": 1, "rules": ["Account", "Contact"]}"#;
