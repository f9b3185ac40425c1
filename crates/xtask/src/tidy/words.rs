//! One word for one thing: those that the glossary (style B3) replaces.

use super::Source;

/// What not to say, and what to say.
const NEVER: [(&str, &str); 14] = [
    ("guid", "LocalKey or RemoteKey"),
    ("bso", "record"),
    ("oplog", "journal"),
    ("outbox", "journal"),
    ("crud", "journal or mutation"),
    ("inbound", "incoming"),
    ("outbound", "outgoing"),
    ("upstream", "remote"),
    ("downstream", "local"),
    ("shadow", "base"),
    ("watermark", "cursor"),
    ("collision", "conflict"),
    ("dupe", "the thing it is"),
    ("etag", "revision"),
];

/// Names that say nothing about what is inside.
const EMPTY: [&str; 4] = ["utils", "common", "helpers", "types"];

/// Words that introduce a name.
const KEYWORDS: [&str; 8] = [
    "fn", "struct", "enum", "trait", "type", "const", "static", "mod",
];

/// Checks the names that a file has and gives.
pub(super) fn check(source: &Source, breaches: &mut Vec<String>) {
    let Source { name, text } = source;
    let path = name.trim_end_matches(".rs");
    if let Some(empty) = path.split('/').find(|part| EMPTY.contains(part)) {
        breaches.push(format!("{name}: {empty} says nothing about what is inside"));
    }
    // These files name what they look for.
    if name.starts_with("crates/xtask/src/tidy") {
        return;
    }
    for (line, number) in text.lines().zip(1..) {
        for declared in declared(line) {
            for (never, say) in NEVER {
                if words(declared).any(|word| word == never) {
                    breaches.push(format!(
                        "{name}:{number}: {declared}: say {say}, not {never}"
                    ));
                }
            }
        }
    }
}

/// The names that a line declares.
fn declared(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    let mut words = code
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty());
    std::iter::from_fn(move || {
        words.by_ref().find(|word| KEYWORDS.contains(word))?;
        words.next()
    })
}

/// The words of a name in snake or camel case, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && before_is_lower) {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before_is_lower = c.is_lowercase();
    }
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_apart_in_both_cases() {
        let snake: Vec<String> = words("outgoing_batch").collect();
        let camel: Vec<String> = words("OutgoingBatch").collect();
        assert_eq!(snake, ["outgoing", "batch"]);
        assert_eq!(camel, snake);
    }

    #[test]
    fn a_declared_name_is_checked_and_a_used_one_is_not() {
        let mut breaches = Vec::new();
        let source = Source {
            name: "crates/attache/src/sync.rs".into(),
            text: "fn read_outbox() { outbox.read() }".into(),
        };
        check(&source, &mut breaches);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
    }
}
