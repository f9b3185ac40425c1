//! Devices against an org, in one process and in virtual time.
//!
//! The shipping engine and the shipping Salesforce client run here on an
//! in-process [`Transport`](attache_salesforce::Transport) and an
//! [`Env`](attache::Env) whose clock is the sandbox's: no socket, no waiting,
//! and the same run each time. Faults are planned at the sandbox; what a device
//! should hold in the end is worked out from the org alone ([`World::differences`]).
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
//! assert!(world.differences(0, &device)?.is_empty());
//! # Ok::<(), attache::Error>(())
//! ```

#[cfg(feature = "simulation")]
pub use attache::simulation;

mod clock;
mod expected;
mod oracle;
mod random;
mod run;
mod transport;
mod walk;
mod world;

pub use clock::{ClockError, SimEnv};
pub use oracle::Row;
pub use random::Prng;
pub use run::{abandon, wait};
pub use transport::{InProcess, Moment, Watcher};
pub use walk::{Class, Failure, Scenario, Shrunk, Walked, run, shrink, walk};
pub use world::{World, fields};
