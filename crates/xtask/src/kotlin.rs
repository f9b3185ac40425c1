//! The Kotlin step: a Maven module whose tests load the shared library, as the step for encryption built it.

use crate::run::{Done, command, output};
use crate::sandbox::Sandbox;
use crate::tools::need;
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::process::Command;
use std::thread::JoinHandle;

/// A fetch that runs beside other steps. Where it fails, the step itself tells why.
pub type Fetch = JoinHandle<()>;

/// Downloads what the module needs, in the background.
pub fn fetch(workspace: &Workspace) -> Fetch {
    let project = project(workspace);
    std::thread::spawn(move || {
        let Ok(mvn) = need("mvn", "maven") else {
            return;
        };
        // Only a head start: the tests fetch what is still missing, and say what they cannot.
        let _ = output(
            Command::new(mvn)
                .args(["-q", "-B", "dependency:go-offline", "-f"])
                .arg(project),
        );
    })
}

/// Compiles the module and runs its tests.
pub fn run(workspace: &Workspace, fetch: Fetch, sandbox: &Done<Sandbox>) -> Done {
    let _ = fetch.join();
    need("java", "default-jdk-headless")?;
    let mvn = need("mvn", "maven")?;
    let sandbox = sandbox.as_ref().map_err(Clone::clone)?;
    let mut test = Command::new(mvn);
    test.args(["-q", "-B", "test", "-f"])
        .arg(project(workspace))
        .arg(format!(
            "-Dattache.library.path={}",
            workspace.encrypting().display()
        ));
    command(sandbox.visit_encrypted(&mut test))
}

fn project(workspace: &Workspace) -> PathBuf {
    workspace.path("bindings/kotlin/pom.xml")
}
