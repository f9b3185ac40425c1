//! The code in the READMEs of the packages: what is shown is what is compiled and run.
//!
//! A block of a README has a name behind its language (```` ```kotlin quickstart ````), and what stands in it stands in
//! a source of the tests, between `// README: quickstart` and `// README: end`.

use crate::run::{Done, failed};

const MARK: &str = "// README: ";
const FENCE: &str = "```";

/// Puts the code of a source into a README, in place of what is there.
pub fn fill(readme: &str, language: &str, source: &str) -> Done<String> {
    let opening = format!("{FENCE}{language}");
    let mut filled = String::with_capacity(readme.len());
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        filled.push_str(line);
        filled.push('\n');
        let Some(name) = line.strip_prefix(&opening) else {
            continue;
        };
        filled.push_str(&region(source, name.trim(), language)?);
        if !lines.by_ref().any(|line| line == FENCE) {
            return Err(failed(format!("a block of {language} does not end")));
        }
        filled.push_str(FENCE);
        filled.push('\n');
    }
    Ok(filled)
}

/// What stands between two marks, as far left as it goes.
fn region(source: &str, name: &str, language: &str) -> Done<String> {
    let begin = format!("{MARK}{name}");
    let lines: Vec<&str> = source
        .lines()
        .skip_while(|line| line.trim() != begin)
        .skip(1)
        .take_while(|line| !line.trim().starts_with(MARK))
        .collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let of_text = lines.iter().filter(|line| !line.trim().is_empty());
    let Some(least) = of_text.map(indent).min() else {
        return Err(failed(format!(
            "a block of {language} is called {name:?}, and no source has a part of that name: nothing would compile it"
        )));
    };
    let left = lines
        .iter()
        .map(|line| format!("{}\n", line.get(least..).unwrap_or_default()));
    Ok(left.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "fun a() {\n    // README: one\n    if (b) {\n\n        c()\n    }\n    // README: end\n}\n";

    #[test]
    fn a_block_holds_what_its_source_holds() {
        let readme = "# A\n```kotlin one\nold\n```\nB\n```text\nleft\n```\n";
        let filled = fill(readme, "kotlin", SOURCE).expect("a block");
        assert_eq!(
            filled,
            "# A\n```kotlin one\nif (b) {\n\n    c()\n}\n```\nB\n```text\nleft\n```\n"
        );
        assert_eq!(fill(&filled, "kotlin", SOURCE).expect("a block"), filled);
    }

    #[test]
    fn a_block_that_nothing_compiles_is_refused() {
        for readme in [
            "```kotlin\nx()\n```\n",
            "```kotlin two\nx()\n```\n",
            "```kotlin one\nx()\n",
        ] {
            assert!(fill(readme, "kotlin", SOURCE).is_err(), "{readme}");
        }
    }
}
