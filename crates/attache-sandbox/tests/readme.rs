//! The README tells of every switch.

const README: &str = include_str!("../README.md");

/// The public fields of a struct in a source file.
fn fields<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    source
        .split_once(&format!("pub struct {name} {{"))
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .map_or("", |(body, _)| body)
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect()
}

#[test]
fn every_switch_has_its_line_in_the_readme() {
    let wire = fields(include_str!("../src/rest/switches.rs"), "RestSwitches");
    let rows = fields(include_str!("../src/org/config.rs"), "Switches");
    assert!(wire.len() > 20 && rows.len() > 15, "{wire:?} {rows:?}");
    for switch in wire.into_iter().chain(rows) {
        assert!(
            README.contains(&format!("\n| `{switch}` | ")),
            "{switch} is not in the README"
        );
    }
}
