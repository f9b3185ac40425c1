//! An org in the process, for tests.

use crate::error::{ErrorKind, Result, failed};
use attache_sandbox::Serving;
use std::sync::Arc;

/// A user of a sandbox, and how to sign in as them.
#[derive(Clone, Debug, uniffi::Record)]
pub struct SandboxUser {
    /// The user's id.
    pub id: String,
    /// What the user is called at sign-in.
    pub username: String,
    /// An access token.
    pub access_token: String,
    /// A refresh token.
    pub refresh_token: String,
}

/// A Salesforce-like org in this process, for tests. Only in a library built with the feature
/// `testing`.
#[derive(uniffi::Object)]
pub struct Sandbox {
    org: attache_sandbox::Sandbox,
    // The server stops when this goes.
    serving: Serving,
}

#[uniffi::export]
impl Sandbox {
    /// Starts an org with records made from a seed, on the loopback interface. The same seed
    /// makes the same org.
    #[uniffi::constructor]
    pub fn start(seed: u64) -> Result<Arc<Sandbox>> {
        let org = attache_sandbox::Sandbox::builder()
            .seed(seed)
            .build()
            .map_err(|error| failed(ErrorKind::InvalidArgument, error.to_string()))?;
        let serving = Serving::spawn(org.clone(), 0).map_err(|error| {
            failed(
                ErrorKind::Internal,
                format!("the sandbox cannot listen: {error}"),
            )
        })?;
        Ok(Arc::new(Sandbox { org, serving }))
    }

    /// Where the org answers.
    pub fn url(&self) -> String {
        self.serving.url().to_owned()
    }

    /// Who may sign in.
    pub fn users(&self) -> Vec<SandboxUser> {
        let users = self.org.users().into_iter();
        users
            .map(|user| SandboxUser {
                id: user.id,
                username: user.username,
                access_token: user.access_token,
                refresh_token: user.refresh_token,
            })
            .collect()
    }
}
