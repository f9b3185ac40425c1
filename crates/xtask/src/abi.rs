//! The ABI of the C library as a list: what a program that was built for it relies on.
//!
//! The list stands beside the code. What is added to the header is added to it; where a line of it would change
//! or go, programs break, and the version has to grow first.

use crate::run::{Done, failed};
use std::fs;
use std::path::Path;

/// The define that holds the version.
const VERSION: &str = "#define ATTACHE_ABI_VERSION ";

/// Lists what a header promises: its constants, its structs and functions, a line each, in order.
pub fn list(header: &str) -> String {
    let mut lines: Vec<String> = header
        .lines()
        .filter(|line| line.starts_with("#define ATTACHE_") && !line.starts_with(VERSION))
        .filter(|line| line.split_whitespace().count() == 3)
        .map(str::to_owned)
        .collect();
    let code = without_comments(header);
    // The inline functions behind the declarations are compiled into the programs.
    let code = code.split("static inline").next().unwrap_or_default();
    let code: String = code
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("extern \"C\""))
        .flat_map(|line| [line, " "])
        .collect();
    for statement in statements(&code) {
        if statement.contains("attache_") {
            lines.push(statement);
        }
    }
    lines.sort();
    lines.dedup();
    let version = header
        .lines()
        .find_map(|line| line.strip_prefix(VERSION))
        .unwrap_or("0");
    format!("abi {version}\n{}\n", lines.join("\n"))
}

/// Compares a new list with the one that is committed: what broke must come with a new version.
pub fn check(committed: &Path, new: &str) -> Done {
    let Ok(old) = fs::read_to_string(committed) else {
        return Ok(());
    };
    let (old_version, new_version) = (old.lines().next(), new.lines().next());
    let broken = broken(&old, new);
    if broken.is_empty() || old_version != new_version {
        return Ok(());
    }
    Err(failed(format!(
        "the C ABI changed and ATTACHE_ABI_VERSION did not grow:\n{}",
        broken.join("\n")
    )))
}

/// The lines that are gone or changed, but for structs that grew at their end.
fn broken<'a>(old: &'a str, new: &str) -> Vec<&'a str> {
    let there: Vec<&str> = new.lines().collect();
    old.lines()
        .skip(1)
        .filter(|line| {
            let grown = match line.rsplit_once('}') {
                Some((members, _)) => there
                    .iter()
                    .any(|new| new.starts_with(members) && new.contains('}')),
                None => false,
            };
            !grown && !there.contains(line)
        })
        .collect()
}

fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut code = String::new();
    while let Some((before, behind)) = rest.split_once("/*") {
        code.push_str(before);
        rest = behind.split_once("*/").map_or("", |(_, behind)| behind);
    }
    code + rest
}

/// Splits code at the semicolons that stand in no braces, and brings each part onto one line.
fn statements(code: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut part = String::new();
    for letter in code.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => {
                parts.push(part.split_whitespace().collect::<Vec<_>>().join(" "));
                part.clear();
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "/* a; b */\n#define ATTACHE_ABI_VERSION 1\n#define ATTACHE_OK 0\n\
        typedef struct {\n    /** Its size; */\n    size_t size;\n} attache_x_t;\n\
        extern \"C\" {\nint32_t attache_f(attache_x_t *x,\n    int32_t y);\n}\nstatic inline int attache_g(void);\n";

    #[test]
    fn a_list_has_constants_structs_and_functions() {
        assert_eq!(
            list(HEADER),
            "abi 1\n#define ATTACHE_OK 0\nint32_t attache_f(attache_x_t *x, int32_t y)\n\
             typedef struct { size_t size; } attache_x_t\n"
        );
    }

    #[test]
    fn what_is_added_breaks_nothing_and_what_is_changed_does() {
        let old = list(HEADER);
        let grown = HEADER.replace("size_t size;", "size_t size; int32_t more;");
        assert_eq!(broken(&old, &list(&grown)), Vec::<&str>::new());
        for (from, to) in [
            ("OK 0", "OK 1"),
            ("int32_t y", "int64_t y"),
            ("size_t size", "int32_t size"),
            ("attache_f", "attache_h"),
        ] {
            let changed = list(&HEADER.replace(from, to));
            assert_eq!(broken(&old, &changed).len(), 1, "{from}");
        }
    }
}
