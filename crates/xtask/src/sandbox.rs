//! An org for the quickstarts to talk to.

use crate::run::{Done, failed};
use crate::workspace::Workspace;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A running `attache sandbox`. It ends with this value.
pub struct Sandbox {
    process: Child,
    url: String,
    token: String,
}

/// Starts a sandbox and waits until it serves.
pub fn start(workspace: &Workspace) -> Done<Sandbox> {
    let mut process = Command::new(workspace.built().join("attache"))
        .args(["sandbox", "--port", "0", "--seed", "7"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cannot run attache sandbox: {error}")))?;
    let mut line = String::new();
    let told = match process.stdout.take() {
        Some(stdout) => BufReader::new(stdout).read_line(&mut line),
        None => Ok(0),
    };
    let mut sandbox = Sandbox {
        process,
        url: String::new(),
        token: String::new(),
    };
    told.map_err(|error| failed(format!("cannot read from attache sandbox: {error}")))?;
    let info: serde_json::Value = serde_json::from_str(&line)
        .map_err(|_| failed("attache sandbox did not print one line of JSON"))?;
    let (Some(url), Some(token)) = (
        info["url"].as_str(),
        info["users"][0]["access_token"].as_str(),
    ) else {
        return Err(failed("attache sandbox did not tell its url and users"));
    };
    sandbox.url = url.into();
    sandbox.token = token.into();
    Ok(sandbox)
}

impl Sandbox {
    /// Tells a command where the org is, and that its library encrypts: no story may be passed over for that.
    pub fn visit_encrypted<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        self.visit(command).env("ATTACHE_ENCRYPTION", "1")
    }

    /// Tells a command where the org is.
    pub fn visit<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("ATTACHE_URL", &self.url)
            .env("ATTACHE_ACCESS_TOKEN", &self.token)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
