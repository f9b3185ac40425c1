//! Devices against an org, in one process and in virtual time.
//!
//! The shipping engine and the shipping Salesforce client run here on an
//! in-process [`Transport`](attache_salesforce::Transport) and an
//! [`Env`](attache::Env) whose clock is the sandbox's: no socket, no waiting,
//! and the same run each time. Faults are planned at the sandbox.
//!
//! ```
//! use attache::Briefcase;
//! use attache_sim::World;
//!
//! let world = World::new(7, 500);
//! let device = world.device(0)?;
//! device.set_briefcase(Briefcase::everything(["Account"]))?;
//! let report = attache_sim::wait(device.sync())?;
//! assert!(report.inserted > 0 && report.is_settled());
//! # Ok::<(), attache::Error>(())
//! ```

mod clock;
mod transport;

pub use clock::SimEnv;
pub use transport::InProcess;

use attache::Attache;
use attache_salesforce::{Salesforce, StaticToken};
use attache_sandbox::{Sandbox, UserAccess};
use std::future::IntoFuture;
use std::path::Path;
use std::sync::Arc;

/// Where the org seems to be; nothing ever goes there.
const URL: &str = "http://127.0.0.1:1";
/// Every world begins at this moment.
const BEGIN: &str = "2026-11-22T09:30:00Z";

/// An org with users, and a clock that stands until it is moved.
pub struct World {
    /// The org.
    pub sandbox: Sandbox,
    /// Its users, in a fixed order.
    pub users: Vec<UserAccess>,
    seed: u64,
}

impl World {
    /// Builds an org of about so many rows. The same seed gives the same org.
    ///
    /// # Panics
    /// If the sandbox cannot be built, which its own tests exclude.
    pub fn new(seed: u64, rows: usize) -> World {
        let sandbox = Sandbox::builder()
            .seed(seed)
            .records(rows)
            .now(BEGIN)
            .manual_clock()
            .build()
            .expect("a sandbox without files builds");
        let users = sandbox.users();
        World {
            sandbox,
            users,
            seed,
        }
    }

    /// The remote as one of the users reaches it.
    ///
    /// # Errors
    /// None in practice: the address is a good one.
    pub fn remote(&self, user: usize) -> attache::Result<Salesforce> {
        let tokens = StaticToken::new(&self.users[user].access_token);
        Salesforce::builder(URL, tokens)
            .transport(Arc::new(InProcess::new(self.sandbox.clone())))
            .build()
    }

    /// A device of a user with a store in memory.
    ///
    /// # Errors
    /// Those of opening a store.
    pub fn device(&self, user: usize) -> attache::Result<Attache> {
        Ok(self.equip(Attache::open_in_memory()?, user)?)
    }

    /// A device of a user with a store in a file.
    ///
    /// # Errors
    /// Those of opening a store.
    pub fn device_at(&self, user: usize, path: &Path) -> attache::Result<Attache> {
        self.equip(Attache::open(path)?, user)
    }

    fn equip(&self, attache: Attache, user: usize) -> attache::Result<Attache> {
        let env = SimEnv::new(self.sandbox.clone(), self.seed.wrapping_add(user as u64));
        Ok(attache.with_env(env).with_remote(self.remote(user)?))
    }
}

/// Runs something to its end on this thread.
pub fn wait<F: IntoFuture>(future: F) -> F::Output {
    futures_lite::future::block_on(future.into_future())
}
