//! A device in a process of its own, for `kill.rs` to kill: it syncs a store once.
//!
//! Arguments: the store's file, the org's address, an access token.

use attache::Attache;
use attache_salesforce::{Salesforce, StaticToken};
use attache_sim::wait;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(url), Some(token)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return ExitCode::from(2);
    };
    match sync(&file, &url, &token) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn sync(file: &str, url: &str, token: &str) -> attache::Result<()> {
    let org = Salesforce::new(url, StaticToken::new(token))?;
    let device = Attache::open(file)?.with_remote(org);
    wait(device.sync()).map(|_| ())
}
