//! A device in a process of its own, whose disk a test has in its hands. Its argument is the store's file.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "how it speaks to its test"
)]

mod story;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        return ExitCode::from(2);
    };
    match story::live(Path::new(&file), |line| println!("{line}")) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{:?}: {error}", error.kind());
            ExitCode::FAILURE
        }
    }
}
