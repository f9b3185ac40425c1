//! Walks many seeds: `cargo run --release -p attache-sim --example walk -- FIRST COUNT [STEPS]`.

use attache_sim::walk;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok())
        .collect();
    let [first, count, rest @ ..] = numbers.as_slice() else {
        return ExitCode::from(2);
    };
    let steps = usize::try_from(*rest.first().unwrap_or(&80)).unwrap_or(80);
    let mut out = std::io::stdout();
    let mut failed = 0;
    for seed in *first..first + count {
        if let Err(error) = walk(seed, steps) {
            failed += 1;
            // A reader that has gone away needs no more lines.
            let _ = writeln!(out, "{error}");
        }
    }
    let _ = writeln!(out, "{count} seeds of {steps} steps, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}
