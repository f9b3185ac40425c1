//! A device in a process of its own, for tests to kill and to starve of room.
//!
//! Arguments: the store's file, the org's address, an access token; then nothing to sync the store once,
//! or `edit` to edit its accounts until something fails. Says what it saved, a line each, and why it failed.
//!
//! Or the store's file and `recover` or `write`: it leaves the index of the log torn, as a process does that is
//! killed while it writes there, holds SQLite's locks as one that recovers the log, or that writes to the store, and
//! keeps them until its input ends.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "how it speaks to its test"
)]

use attache::{Attache, RecordId};
use attache_salesforce::{Salesforce, StaticToken};
use attache_sim::wait;
use std::process::ExitCode;

/// Edits after which nothing is going to fail any more.
const EDITS_MAX: usize = 20_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [file, url, token] => sync(file, url, token),
        [file, _, _, "edit"] => edit(file),
        #[cfg(unix)]
        [file, held @ ("recover" | "write")] => {
            return match tear(file, held) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("{error}");
                    ExitCode::FAILURE
                }
            };
        }
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{:?}: {error}", error.kind());
            ExitCode::FAILURE
        }
    }
}

fn sync(file: &str, url: &str, token: &str) -> attache::Result<()> {
    let org = Salesforce::new(url, StaticToken::new(token))?;
    let device = Attache::open(file)?.with_remote(org);
    wait(device.sync()).map(|_| ())
}

fn edit(file: &str) -> attache::Result<()> {
    let device = Attache::open(file)?;
    let rows = device.query("SELECT Id FROM Account ORDER BY Id")?;
    let ids: Vec<RecordId> = rows.filter_map(|row| row.id().cloned()).collect();
    for (n, id) in ids.iter().cycle().take(EDITS_MAX).enumerate() {
        let text = format!("{n} {}", "long ".repeat(800));
        device.update(id, [("Description", text.trim_end())])?;
        println!("{id} {n}");
    }
    Ok(())
}

/// What SQLite's file format says of the index of a log: two copies of its header, and bytes that are locked.
#[cfg(unix)]
mod log_index {
    pub const COPY: u64 = 48;
    pub const COPY_BYTES: usize = 48;
    pub const WRITE: i64 = 120;
    pub const RECOVER: i64 = 122;
}

#[cfg(unix)]
fn tear(file: &str, held: &str) -> std::io::Result<()> {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc::{F_WRLCK, SEEK_SET, flock};
    use std::os::unix::fs::FileExt;

    let index = std::fs::File::options()
        .read(true)
        .write(true)
        .open(format!("{file}-shm"))?;
    let recovers = (held == "recover").then_some(log_index::RECOVER);
    for byte in [log_index::WRITE].into_iter().chain(recovers) {
        let lock = flock {
            l_type: F_WRLCK as _,
            l_whence: SEEK_SET as _,
            l_start: byte,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&index, FcntlArg::F_SETLK(&lock))?;
    }
    index.write_all_at(&[0xff; log_index::COPY_BYTES], log_index::COPY)?;
    println!("torn");
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}
