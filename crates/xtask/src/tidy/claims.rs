//! SECURITY.md names the tests that hold its claims: they are there.

use crate::run::{Done, io_failed};
use crate::workspace::Workspace;
use std::fs;

const PAGE: &str = "SECURITY.md";
/// Where a test lives that is named without its folder.
const FOLDER: &str = "crates/attache-salesforce/tests";

/// Looks for each test that the page names, in italics: `file::name`, or a whole file or folder.
pub(super) fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> Done {
    let path = workspace.path(PAGE);
    let page = fs::read_to_string(&path).map_err(io_failed("read", &path))?;
    let named = named(&page);
    if named.is_empty() {
        breaches.push(format!("{PAGE}: names no test"));
    }
    for test in named {
        let (file, name) = test.split_once("::").unwrap_or((&test, ""));
        let file = match file.contains('/') {
            true => workspace.path(file),
            false => workspace.path(FOLDER).join(file),
        };
        let is_there = match name {
            "" => file.exists(),
            _ => fs::read_to_string(&file).is_ok_and(|text| text.contains(&format!("fn {name}("))),
        };
        if !is_there {
            breaches.push(format!("{PAGE}: there is no test {test}"));
        }
    }
    Ok(())
}

/// The tests that stand in italics at the end of a claim.
fn named(page: &str) -> Vec<String> {
    let claims = page.split("\n- **").skip(1);
    let italics = claims.filter_map(|claim| {
        let end = claim.find("\n\n").unwrap_or(claim.len());
        let (_, tests) = claim[..end].rsplit_once("\n  *")?;
        tests.trim_end().strip_suffix(".*")
    });
    italics
        .flat_map(|tests| tests.split(','))
        .map(|test| test.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn tests_are_what_stands_in_italics_behind_a_claim() {
        let page = "# Page\n\nA word *leaning.*\n\n- **One.** It *is* so.\n  *a.rs, tests/b,\n  c.rs::d.*\n- **Two.** Nobody looks.\n\nEnd.\n";
        assert_eq!(named(page), ["a.rs", "tests/b", "c.rs::d"]);
    }
}
