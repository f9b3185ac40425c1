//! The corpus of statements and conditions: each reads, prints and compiles as its file says, or is refused there.

use attache::{Context, Filter, Select, ServerTime};
use std::path::Path;

/// A statement or condition, and what becomes of it.
struct Entry {
    place: String,
    text: String,
    outcome: Outcome,
}

enum Outcome {
    Prints(String),
    /// The position, and what was expected there; `null` where that cannot be said.
    Refused(usize, String),
}

/// Reads the files. Lines that begin with a blank or tab go on with the line before.
fn corpus() -> Vec<Entry> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("soql/corpus");
    let files = std::fs::read_dir(folder).expect("the corpus is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    let mut entries: Vec<Entry> = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).expect("a text");
        for (nr, line) in text.lines().enumerate() {
            let is_condition_of_nothing = line == "= 'x'";
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let last = entries.last_mut();
            match (line.strip_prefix("= "), line.strip_prefix("! "), last) {
                (Some(canonical), _, Some(entry)) if !is_condition_of_nothing => {
                    entry.outcome = Outcome::Prints(canonical.into());
                }
                (_, Some(refused), Some(entry)) => {
                    let (at, expected) = refused.split_once(' ').expect("a position and words");
                    let at = at.parse().expect("a position");
                    entry.outcome = Outcome::Refused(at, expected.into());
                }
                (_, _, Some(entry)) if line.starts_with('\t') => {
                    entry.text.push('\n');
                    entry.text.push_str(line);
                }
                _ => entries.push(Entry {
                    place: format!("{name}:{}", nr + 1),
                    text: line.into(),
                    outcome: Outcome::Prints(line.into()),
                }),
            }
        }
    }
    entries
}

/// The canonical form, if the text reads and compiles; that it reads back as the same is checked on the way.
fn explained(text: &str) -> attache::Result<String> {
    let context = Context::new("005000000000001AAA", jiff::tz::TimeZone::UTC, ServerTime(0));
    let word = text.split_ascii_whitespace().next().unwrap_or_default();
    let is_statement = ["SELECT", "UPDATE"]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(word));
    if is_statement {
        let select = Select::parse(text)?;
        assert_eq!(Select::parse(&select.to_string())?, select, "{text}");
        select.to_sql(&select.sketch()?, &context)?;
        return Ok(select.to_string());
    }
    let filter = Filter::parse(text)?;
    assert_eq!(Filter::parse(&filter.to_string())?, filter, "{text}");
    filter.to_sql(&filter.sketch("Record")?, "Record", &context)?;
    Ok(filter.to_string())
}

#[test]
fn every_form_reads_as_its_file_says_or_is_refused_there() {
    let corpus = corpus();
    assert!(corpus.len() >= 250, "{} entries", corpus.len());
    let mut wrong = Vec::new();
    for entry in &corpus {
        let found = match explained(&entry.text) {
            Ok(canonical) => format!("= {canonical}"),
            Err(error) => format!(
                "! {} {}",
                error.position().map_or("-".into(), |at| at.to_string()),
                error.expected().unwrap_or("null")
            ),
        };
        let wanted = match &entry.outcome {
            Outcome::Prints(canonical) => format!("= {canonical}"),
            Outcome::Refused(at, expected) => format!("! {at} {expected}"),
        };
        if found != wanted {
            wrong.push(format!(
                "{} {}\n  wanted {wanted}\n  found  {found}",
                entry.place, entry.text
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        corpus.len(),
        wrong.join("\n")
    );
}
