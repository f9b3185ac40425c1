//! An org with users, and devices that reach it.

use crate::clock::{ClockError, SimEnv};
use crate::transport::{InProcess, Watcher};
use attache::Attache;
use attache_salesforce::{Limits, Salesforce, SalesforceBuilder, StaticToken};
use attache_sandbox::org::{Org, Rights, SaveError};
use attache_sandbox::{Sandbox, SandboxBuilder, UserAccess};
use serde_json::value::RawValue;
use std::path::Path;
use std::sync::Arc;

/// Where the org seems to be; nothing ever goes there.
const URL: &str = "http://127.0.0.1:1";
/// Every world begins at this moment, a Sunday.
const BEGIN: &str = "2026-11-22T09:30:00Z";

/// An org with users, and a clock that stands until it is moved.
///
/// The last user is the boss, who sees and changes everything.
pub struct World {
    /// The org.
    pub sandbox: Sandbox,
    /// Its users, in a fixed order.
    pub users: Vec<UserAccess>,
    /// How wrong the clocks of its devices are: not at all at first.
    pub clock_error: ClockError,
    seed: u64,
}

impl World {
    /// Builds an org of about so many rows. The same seed gives the same org.
    ///
    /// # Panics
    /// If the sandbox cannot be built, which its own tests exclude.
    pub fn new(seed: u64, rows: usize) -> World {
        World::built(seed, Sandbox::builder().records(rows))
    }

    /// Builds an org with settings of its own, on the seed and the clock of every world.
    ///
    /// # Panics
    /// If the sandbox cannot be built.
    pub fn built(seed: u64, builder: SandboxBuilder) -> World {
        let sandbox = builder
            .seed(seed)
            .now(BEGIN)
            .manual_clock()
            .build()
            .expect("a sandbox without files builds");
        World::around(seed, sandbox)
    }

    /// Takes an org as it is.
    pub fn around(seed: u64, sandbox: Sandbox) -> World {
        let users = sandbox.users();
        let world = World {
            sandbox,
            users,
            clock_error: ClockError::default(),
            seed,
        };
        let boss = world.boss().to_owned();
        let everything = Rights {
            view_all: true,
            modify_all: true,
        };
        world
            .sandbox
            .with_org(|org| org.set_rights(&boss, everything));
        world
    }

    /// The id of the user who sees and changes everything.
    ///
    /// # Panics
    /// If the org has no users; every sandbox has.
    pub fn boss(&self) -> &str {
        &self.users.last().expect("every org has users").id
    }

    /// The remote as one of the users reaches it.
    ///
    /// # Errors
    /// None in practice: the address is a good one.
    pub fn remote(&self, user: usize) -> attache::Result<Salesforce> {
        self.connect(user, InProcess::new(self.sandbox.clone()))
    }

    /// The same, with somebody who is told of each request.
    ///
    /// # Errors
    /// None in practice.
    pub fn watched_remote(&self, user: usize, watcher: Watcher) -> attache::Result<Salesforce> {
        self.connect(user, InProcess::new(self.sandbox.clone()).watched(watcher))
    }

    /// The same, with other bounds of a request.
    ///
    /// # Errors
    /// None in practice.
    pub fn limited_remote(&self, user: usize, limits: Limits) -> attache::Result<Salesforce> {
        let transport = InProcess::new(self.sandbox.clone());
        self.begin(user, transport).limits(limits).build()
    }

    fn connect(&self, user: usize, transport: InProcess) -> attache::Result<Salesforce> {
        self.begin(user, transport).build()
    }

    fn begin(&self, user: usize, transport: InProcess) -> SalesforceBuilder {
        let tokens = StaticToken::new(&self.users[user].access_token);
        Salesforce::builder(URL, tokens).transport(Arc::new(transport))
    }

    /// A device of a user with a store in memory.
    ///
    /// # Errors
    /// Those of opening a store.
    pub fn device(&self, user: usize) -> attache::Result<Attache> {
        self.equip(Attache::open_in_memory()?, user)
    }

    /// A device of a user with a store in a file.
    ///
    /// # Errors
    /// Those of opening a store.
    pub fn device_at(&self, user: usize, path: &Path) -> attache::Result<Attache> {
        self.equip(Attache::open(path)?, user)
    }

    /// Makes a store the device of a user: with the world's clock, and a remote.
    ///
    /// # Errors
    /// None in practice.
    pub fn equip(&self, attache: Attache, user: usize) -> attache::Result<Attache> {
        let env = SimEnv::new(self.sandbox.clone(), self.seed.wrapping_add(user as u64));
        let env = env.with_clock_error(self.clock_error.clone());
        let attache = attache.with_env(env).with_remote(self.remote(user)?);
        // One fault, one failure: tests say themselves when they want patience.
        Ok(attache.with_retries(0))
    }

    /// Changes a record at the org as the boss; values are JSON.
    ///
    /// # Errors
    /// The org's refusal.
    pub fn change(
        &self,
        object: &str,
        id: &str,
        fields: &[(&str, &str)],
    ) -> Result<(), Vec<SaveError>> {
        let input = self::fields(fields);
        self.as_boss(|org, boss| org.update(boss, object, id, &input, None))
    }

    /// Creates a record at the org as the boss, and gives its id; values are JSON.
    ///
    /// # Errors
    /// The org's refusal.
    pub fn add(&self, object: &str, fields: &[(&str, &str)]) -> Result<String, Vec<SaveError>> {
        let input = self::fields(fields);
        self.as_boss(|org, boss| org.create(boss, object, &input))
    }

    /// Deletes a record at the org as the boss.
    ///
    /// # Errors
    /// The org's refusal.
    pub fn remove(&self, object: &str, id: &str) -> Result<(), Vec<SaveError>> {
        self.as_boss(|org, boss| org.delete(boss, object, id))
    }

    fn as_boss<T>(&self, act: impl FnOnce(&mut Org, &str) -> T) -> T {
        let boss = self.boss();
        self.sandbox.with_org(|org| act(org, boss))
    }
}

/// Fields as the org takes them. A value that is no JSON is taken for text.
pub fn fields(fields: &[(&str, &str)]) -> Vec<(String, Box<RawValue>)> {
    let raw = |text: &str| {
        RawValue::from_string(text.to_owned())
            .or_else(|_| serde_json::value::to_raw_value(text))
            .unwrap_or_else(|_| RawValue::NULL.to_owned())
    };
    fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), raw(value)))
        .collect()
}
