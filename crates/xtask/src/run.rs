//! Steps, and the table at the end.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Why a step did not pass.
#[derive(Clone, Debug)]
pub enum Stop {
    /// Something is wrong.
    Failed(String),
    /// Something that the step needs is not on this machine.
    Skipped(String),
    /// The step asks a place in the network that lets nobody in from here. A change cannot help that: it is told, and
    /// no reason to fail.
    Offline(String),
}

/// What became of a step.
pub type Done<T = ()> = Result<T, Stop>;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Failed(why) => write!(f, "failed: {why}"),
            Stop::Skipped(why) => write!(f, "skipped: {why}"),
            Stop::Offline(why) => write!(f, "offline: {why}"),
        }
    }
}

/// Makes a failure of a sentence.
pub fn failed(why: impl Into<String>) -> Stop {
    Stop::Failed(why.into())
}

/// Says what could not be done with a file or a command.
pub fn io_failed(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Stop {
    let what = format!("cannot {doing} {}", path.display());
    move |error| Stop::Failed(format!("{what}: {error}"))
}

/// Runs a command and lets it print.
pub fn command(command: &mut Command) -> Done {
    println!("$ {}", shown(command));
    let status = command
        .status()
        .map_err(|error| failed(format!("cannot run {}: {error}", shown(command))))?;
    if status.success() {
        Ok(())
    } else {
        Err(failed(format!("{} ({status})", shown(command))))
    }
}

/// Runs a command that prints only if it fails.
pub fn quiet(command: &mut Command) -> Done {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("cannot run {}: {error}", shown(command))))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Err(failed(format!("{} ({})", shown(command), output.status)))
}

/// Runs a command and gives what it printed.
pub fn output(command: &mut Command) -> Done<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("cannot run {}: {error}", shown(command))))?;
    if !output.status.success() {
        return Err(failed(format!("{} ({})", shown(command), output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| failed(format!("{} did not print text", shown(command))))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// A run of many steps.
pub struct Run {
    strict: bool,
    /// The steps to take; all if there are none.
    only: Vec<String>,
    begun: Instant,
    steps: Vec<(&'static str, Done, Duration)>,
}

impl Run {
    /// Begins a run, of these steps only if any are named; a strict one counts a skipped step as failed.
    pub fn new(strict: bool, only: Vec<String>) -> Run {
        Run {
            strict,
            only,
            begun: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Runs a step and keeps what became of it.
    pub fn step(&mut self, name: &'static str, work: impl FnOnce() -> Done) {
        if !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
            return;
        }
        println!("\n== {name}");
        let begun = Instant::now();
        let done = work();
        if let Err(stop) = &done {
            eprintln!("{name}: {stop}");
        }
        self.steps.push((name, done, begun.elapsed()));
    }

    /// Prints the table and gives the exit code.
    pub fn finish(self) -> ExitCode {
        println!();
        let mut good = true;
        for only in &self.only {
            if !self.steps.iter().any(|(name, ..)| name == only) {
                println!("FAILED   {only:16}    0.0 s  there is no step of this name");
                good = false;
            }
        }
        for (name, done, took) in &self.steps {
            let (word, why) = match done {
                Ok(()) => ("passed", ""),
                Err(Stop::Failed(why)) => ("FAILED", why.as_str()),
                Err(Stop::Skipped(why)) => ("skipped", why.as_str()),
                Err(Stop::Offline(why)) => ("offline", why.as_str()),
            };
            good &= match done {
                Ok(()) | Err(Stop::Offline(_)) => true,
                Err(Stop::Failed(_)) => false,
                Err(Stop::Skipped(_)) => !self.strict,
            };
            println!("{word:8} {name:16} {:6.1} s  {why}", took.as_secs_f64());
        }
        let took = self.begun.elapsed().as_secs_f64();
        let sum = if good { "passed" } else { "FAILED" };
        println!("{sum:8} {:16} {took:6.1} s", "in all");
        if good {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
