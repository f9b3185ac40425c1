//! What may be linked into the library, by licence.

use crate::run::{Done, failed, io_failed, output};
use crate::workspace::{Workspace, cargo};
use serde_json::Value;
use std::fs;

/// Compares the licences of all packages with the list in deny.toml.
///
/// `cargo deny check` does this and more (advisories, sources), but it is not on
/// every machine; the licences need no network and are held here.
pub(super) fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> Done {
    let path = workspace.path("deny.toml");
    let rules = fs::read_to_string(&path).map_err(io_failed("read", &path))?;
    let allowed = allowed(&rules).ok_or_else(|| failed("deny.toml has no list of licences"))?;
    let text = output(cargo().current_dir(workspace.root()).args([
        "metadata",
        "--all-features",
        "--format-version",
        "1",
    ]))?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|error| failed(format!("cannot read cargo metadata: {error}")))?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let licence = package["license"].as_str().unwrap_or_default();
        if !permits(licence, &allowed) {
            breaches.push(format!(
                "{name}: its licence ({licence}) is not in deny.toml"
            ));
        }
    }
    Ok(())
}

/// The texts of the list `allow`.
fn allowed(rules: &str) -> Option<Vec<&str>> {
    let list = rules.split_once("\nallow = [")?.1.split_once(']')?.0;
    Some(list.split('"').skip(1).step_by(2).collect())
}

/// Says whether an expression of licences can be met: all of one of its alternatives are allowed.
///
/// Parentheses only ever hold alternatives: `(MIT OR Apache-2.0) AND Unicode-3.0`.
fn permits(expression: &str, allowed: &[&str]) -> bool {
    if let Some((one, more)) = expression
        .strip_prefix('(')
        .and_then(|inside| inside.split_once(") AND "))
    {
        return permits(one, allowed) && permits(more, allowed);
    }
    expression
        // The old spelling of OR.
        .replace('/', " OR ")
        .split(" OR ")
        .any(|all| all.split(" AND ").all(|one| allowed.contains(&one.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read() {
        let rules = "[licenses]\nallow = [\n    \"MIT\",\n    \"ISC\",\n]\nother = [\"GPL\"]";
        assert_eq!(allowed(rules).expect("a list"), ["MIT", "ISC"]);
    }

    #[test]
    fn one_alternative_is_enough_and_needs_all_its_parts() {
        let allowed = ["MIT", "Unicode-3.0"];
        assert!(permits("MIT OR GPL-3.0", &allowed));
        assert!(permits("GPL-3.0/MIT", &allowed));
        assert!(permits("(MIT OR GPL-3.0) AND Unicode-3.0", &allowed));
        assert!(!permits("MIT AND ISC", &allowed));
        assert!(!permits("(GPL-3.0 OR ISC) AND MIT", &allowed));
        assert!(!permits("", &allowed));
    }
}
