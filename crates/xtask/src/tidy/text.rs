//! What a file must not say, and how long it may be.

use super::Source;

/// Lines of a file at most, without a reason.
const LINES_MAX: usize = 600;

/// Files that decide and do nothing: no store, no clock, no log.
const PURE: [&str; 3] = ["filter", "merge", "plan"];

/// What those files must not name.
const IMPURE: [&str; 7] = [
    "rusqlite",
    "tracing",
    "crate::env",
    "crate::store",
    "std::fs",
    "std::time::SystemTime",
    "std::time::Instant",
];

/// What nobody says, tests included. (Clippy holds `unwrap`, `todo` and their like.)
const NOWHERE: [&str; 2] = ["#[ignore", "thread::sleep"];

/// What SQL must not ask the device: the environment is given to the engine.
const UNDETERMINED: [&str; 5] = [
    "random()",
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "datetime('now'",
    "date('now'",
];

/// Checks one file.
pub(super) fn check(source: &Source, breaches: &mut Vec<String>) {
    let Source { name, text } = source;
    length(name, text, breaches);
    // These files name what they look for.
    if name.starts_with("crates/xtask/src/tidy") {
        return;
    }
    for (number, line) in all_code(text) {
        for word in NOWHERE.iter().filter(|word| line.contains(**word)) {
            breaches.push(format!("{name}:{number}: {word} has no place here"));
        }
    }
    let code: Vec<(usize, &str)> = shipped(name, text).collect();
    let mut forbid = |words: &[&str], why: &str| {
        for (number, line) in &code {
            for word in words.iter().filter(|word| line.contains(**word)) {
                breaches.push(format!("{name}:{number}: {word} {why}"));
            }
        }
    };
    if name.starts_with("crates/") && !name.starts_with("crates/attache/src/store") {
        forbid(
            &["rusqlite"],
            "may be named by crates/attache/src/store only",
        );
    }
    if let Some(inside) = name.strip_prefix("crates/attache/src/") {
        if PURE.iter().any(|pure| belongs(inside, pure)) {
            forbid(&IMPURE, "does not belong into a pure function");
        }
        forbid(&UNDETERMINED, "must come from the environment");
    }
    if name.starts_with("crates/attache-sandbox/") {
        forbid(
            &["attache::", "attache_salesforce"],
            "must not be known to the sandbox",
        );
    }
}

/// Says whether a file is a module or inside of it.
fn belongs(file: &str, module: &str) -> bool {
    file.strip_prefix(module)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// The lines that are no comments, with their numbers.
fn all_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .zip(1..)
        .map(|(line, number)| (number, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The lines of code that are not tests.
fn shipped<'a>(name: &str, text: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let tests = name.ends_with("tests.rs") || name.contains("/tests/");
    // Unit tests stand at the bottom.
    all_code(text).take_while(move |(_, line)| !tests && !line.starts_with("#[cfg(test)]"))
}

fn length(name: &str, text: &str, breaches: &mut Vec<String>) {
    let lines = text.lines().count();
    let first_comment = text.lines().take_while(|line| line.starts_with("//"));
    let reason = first_comment
        .map(str::to_ascii_lowercase)
        .any(|line| line.contains("600 lines"));
    if lines > LINES_MAX && !reason {
        breaches.push(format!(
            "{name}: {lines} lines: split it, or say in its first comment why it is over 600 lines"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(name: &str, text: &str) -> Vec<String> {
        let mut breaches = Vec::new();
        let source = Source {
            name: name.into(),
            text: text.into(),
        };
        check(&source, &mut breaches);
        breaches
    }

    #[test]
    fn only_the_store_names_rusqlite() {
        assert!(breaches("crates/attache/src/store/rows.rs", "use rusqlite::Row;").is_empty());
        assert_eq!(
            breaches("crates/attache/src/sync.rs", "//! x\nuse rusqlite::Row;"),
            [
                "crates/attache/src/sync.rs:2: rusqlite may be named by crates/attache/src/store only"
            ]
        );
    }

    #[test]
    fn a_pure_module_reads_no_clock_and_other_modules_of_like_names_may() {
        assert_eq!(
            breaches("crates/attache/src/merge.rs", "use crate::env::Env;").len(),
            1
        );
        assert_eq!(
            breaches("crates/attache/src/plan/incoming.rs", "tracing::info!()").len(),
            1
        );
        assert!(breaches("crates/attache/src/merger.rs", "use crate::env::Env;").is_empty());
    }

    #[test]
    fn tests_may_name_the_database_and_must_not_sleep() {
        let text = "// rusqlite\n#[cfg(test)]\nmod tests { use rusqlite::Row; }";
        assert!(breaches("crates/attache/src/sync.rs", text).is_empty());
        let text = "#[cfg(test)]\nmod tests { fn f() { thread::sleep(x) } }";
        assert_eq!(breaches("crates/attache/src/sync.rs", text).len(), 1);
    }

    #[test]
    fn a_long_file_gives_a_reason() {
        let long = "x\n".repeat(601);
        assert_eq!(breaches("crates/attache/src/sync.rs", &long).len(), 1);
        let reasoned = format!("//! Over 600 lines: one table.\n{long}");
        assert!(breaches("crates/attache/src/sync.rs", &reasoned).is_empty());
    }
}
