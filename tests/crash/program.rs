//! The command as it ships, to be started and killed.

use std::process::{Child, Command, Stdio};

/// The command with arguments, silent.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attache-crash-program"));
    command
        .args(arguments)
        .env_remove("ATTACHE_ACCESS_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Says whether a process is at its end.
pub fn ended(child: &mut Child) -> bool {
    child
        .try_wait()
        .expect("the program can be asked")
        .is_some()
}

/// How many times each test kills: `ATTACHE_KILLS`, or what a check of a change can afford.
pub fn rounds_or(few: usize) -> usize {
    std::env::var("ATTACHE_KILLS").map_or(few, |many| many.parse().expect("a number"))
}
