//! Where things are.

use crate::run::{Done, failed, output};
use serde_json::Value;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The features that the C, Swift and Kotlin tests need. Every cargo step names
/// them, so that one build serves all.
pub const FEATURES: &str = "attache-c/testing,attache-uniffi/testing";

/// The workspace as cargo knows it.
pub struct Workspace {
    root: PathBuf,
    target: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// Asks cargo.
    pub fn find() -> Done<Workspace> {
        let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&text)
            .map_err(|error| failed(format!("cannot read cargo metadata: {error}")))?;
        let path = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .ok_or_else(|| failed(format!("cargo metadata has no {key}")))
        };
        Ok(Workspace {
            root: path("workspace_root")?,
            target: path("target_directory")?,
            metadata,
        })
    }

    /// A path below the root.
    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// The root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the target folder.
    pub fn target(&self, below: &str) -> PathBuf {
        self.target.join(below)
    }

    /// The folder of the libraries and programs under test.
    pub fn built(&self) -> PathBuf {
        self.target("debug")
    }

    /// The folder of the libraries that are built with encryption and the sandbox.
    pub fn encrypting(&self) -> PathBuf {
        self.target("encrypting")
    }

    /// A shared library under test.
    pub fn library(&self, name: &str) -> PathBuf {
        self.built().join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
    }

    /// Our packages, as cargo describes them.
    pub fn packages(&self) -> &[Value] {
        self.metadata["packages"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }
}

/// The cargo that runs this.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // `cargo run` tells its child where the manifest of xtask is: not what the next cargo wants.
    cargo.env_remove("CARGO_MANIFEST_DIR");
    cargo
}
