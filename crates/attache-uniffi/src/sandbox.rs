//! An org in the process, for tests.
//!
//! The API is there in every library, so that one set of Swift and Kotlin sources
//! fits all of them; the org itself only in one built with the feature `testing`.

use crate::error::Result;
use std::sync::Arc;

/// A user of a sandbox, and how to sign in as them.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug, Display)]
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

/// What a sandbox answered.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SandboxAnswer {
    /// The status; 0 if a planned fault left no answer.
    pub status: u16,
    /// The body, JSON for the most part.
    pub body: String,
}

/// A Salesforce-like org in this process, for tests.
#[derive(uniffi::Object)]
pub struct Sandbox {
    org: org::Org,
}

#[uniffi::export]
impl Sandbox {
    /// Starts an org with records made from a seed, on the loopback interface. The same seed
    /// makes the same org. Fails with `NotReady` in a library built without the feature `testing`.
    #[uniffi::constructor]
    pub fn start(seed: u64) -> Result<Arc<Sandbox>> {
        let org = org::Org::start(seed)?;
        Ok(Arc::new(Sandbox { org }))
    }

    /// Where the org answers.
    pub fn url(&self) -> String {
        self.org.url()
    }

    /// Who may sign in.
    pub fn users(&self) -> Vec<SandboxUser> {
        self.org.users()
    }

    /// Tells where the org is, who may sign in and how it is controlled, as one line of JSON.
    pub fn info(&self) -> String {
        self.org.info()
    }

    /// Sends a request without a socket: to the org, as the user of the token (`/services/data/v67.0/sobjects/...`),
    /// or to the sandbox's own resources, which plan faults, move the clock and cut the network
    /// (`/sandbox/faults`, ...; no token is needed). They are described in the README of attache-sandbox.
    #[uniffi::method(default(body = None, token = None))]
    pub fn request(
        &self,
        method: String,
        path: String,
        body: Option<String>,
        token: Option<String>,
    ) -> SandboxAnswer {
        self.org.request(&method, &path, body, token)
    }
}

#[cfg(feature = "testing")]
mod org {
    use super::{SandboxAnswer, SandboxUser};
    use crate::error::{ErrorKind, Result, failed};
    use attache_sandbox::{Request, Sandbox, Serving};

    /// An org that serves until it is dropped.
    pub(super) struct Org {
        sandbox: Sandbox,
        serving: Serving,
    }

    impl Org {
        pub(super) fn start(seed: u64) -> Result<Org> {
            let sandbox = Sandbox::builder()
                .seed(seed)
                .build()
                .map_err(|error| failed(ErrorKind::InvalidArgument, error.to_string()))?;
            let serving = Serving::spawn(sandbox.clone(), 0).map_err(|error| {
                failed(
                    ErrorKind::Internal,
                    format!("the sandbox cannot listen: {error}"),
                )
            })?;
            Ok(Org { sandbox, serving })
        }

        pub(super) fn url(&self) -> String {
            self.serving.url().to_owned()
        }

        pub(super) fn info(&self) -> String {
            self.sandbox.info(self.serving.url())
        }

        pub(super) fn request(
            &self,
            method: &str,
            path: &str,
            body: Option<String>,
            token: Option<String>,
        ) -> SandboxAnswer {
            let mut request = Request::new(method, path);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = match path.split(['/', '?']).nth(1) {
                Some("sandbox") => Some(self.sandbox.control(&request)),
                _ => {
                    let bearer = token.map(|token| request.clone().bearer(&token));
                    self.sandbox.handle(bearer.unwrap_or(request)).answer()
                }
            };
            answer.map_or(
                SandboxAnswer {
                    status: 0,
                    body: String::new(),
                },
                |answer| SandboxAnswer {
                    status: answer.status,
                    body: String::from_utf8_lossy(&answer.body).into_owned(),
                },
            )
        }

        pub(super) fn users(&self) -> Vec<SandboxUser> {
            let users = self.sandbox.users().into_iter();
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
}

#[cfg(not(feature = "testing"))]
mod org {
    use super::{SandboxAnswer, SandboxUser};
    use crate::error::{ErrorKind, Result, failed};

    /// No org: there is no value of this type.
    pub(super) enum Org {}

    impl Org {
        pub(super) fn start(_seed: u64) -> Result<Org> {
            Err(failed(
                ErrorKind::NotReady,
                "this library was built without the feature testing, and has no sandbox",
            ))
        }

        pub(super) fn url(&self) -> String {
            match *self {}
        }

        pub(super) fn users(&self) -> Vec<SandboxUser> {
            match *self {}
        }

        pub(super) fn info(&self) -> String {
            match *self {}
        }

        pub(super) fn request(
            &self,
            _method: &str,
            _path: &str,
            _body: Option<String>,
            _token: Option<String>,
        ) -> SandboxAnswer {
            match *self {}
        }
    }
}
