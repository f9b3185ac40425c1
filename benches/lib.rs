//! The benches of Attaché; see README.md. Here is what they share.

pub mod contacts;

use attache_sandbox::org::Rights;
use attache_sim::World;
use std::str::FromStr;

/// The first argument that is a number, or what is taken without one.
pub fn argument<T: FromStr>(default: T) -> T {
    std::env::args()
        .skip(1)
        .find_map(|arg| arg.parse().ok())
        .unwrap_or(default)
}

/// An org of so many rows, all of which its first user sees.
pub fn world(rows: usize) -> World {
    let world = World::new(1, rows);
    let first = world.users[0].id.clone();
    let all = Rights {
        view_all: true,
        modify_all: true,
    };
    world.sandbox.with_org(|org| org.set_rights(&first, all));
    world
}

/// The processor and how many cores of it there are.
pub fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}, {cores} cores",
        model.trim_start_matches([' ', '\t', ':'])
    )
}

/// The most memory that this process has had, in KiB, where the system tells (Linux).
pub fn peak_memory_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Has [`peak_memory_kb`] begin anew at what the process has now, where the system can (Linux).
pub fn forget_peak() {
    // Without it the peak is that of the whole process.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
