//! Reads what a document says of files.

use super::document::FilesPolicy;
use super::read::optional;
use super::tree::{self, Problems, below};
use serde_json::value::RawValue;

const FILES_KEYS: &[&str] = &["max_bytes", "types"];
/// Types of files that are named at most.
const FILE_TYPES_MAX: usize = 200;

/// Reads `"none"`, or which files' bytes come along.
pub(super) fn policy(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<FilesPolicy> {
    if raw.get().starts_with('"') {
        let none = tree::read::<String>(raw).filter(|text| text == "none");
        if none.is_none() {
            problems.add(
                at,
                "WRONG_TYPE",
                "expected `\"none\"`, or an object with `max_bytes` and `types`",
            );
        }
        return none.map(|_| FilesPolicy::None);
    }
    let mut members = problems.object(raw, at, FILES_KEYS)?;
    let bytes_max = optional(&mut members, "max_bytes", |raw, at| {
        let bytes = tree::read::<u64>(raw).filter(|bytes| *bytes > 0);
        if bytes.is_none() {
            problems.wrong_type(at, "a number of bytes above zero");
        }
        bytes
    });
    let types = optional(&mut members, "types", |raw, at| {
        file_types(problems, raw, at)
    });
    Some(FilesPolicy::Bodies {
        bytes_max,
        types: types.unwrap_or_default(),
    })
}

fn file_types(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<Vec<String>> {
    let mut types: Vec<String> = Vec::new();
    for (nr, raw) in problems
        .list(raw, at, FILE_TYPES_MAX)?
        .into_iter()
        .enumerate()
    {
        let at = below(at, &nr.to_string());
        let Some(text) = problems.text(raw, &at) else {
            continue;
        };
        let text = text.to_lowercase();
        if !text.chars().all(char::is_alphanumeric) {
            problems.add(
                &at,
                "INVALID_NAME",
                "expected the ending of a name without its dot, such as `jpg`",
            );
        } else if types.contains(&text) {
            problems.add(
                &at,
                "DUPLICATE_NAME",
                "the type stands in the list twice; keep one",
            );
        } else {
            types.push(text);
        }
    }
    if types.is_empty() && problems.none() {
        problems.add(
            at,
            "EMPTY",
            "expected at least one type; leave the key out to take all",
        );
    }
    Some(types)
}
