//! Who may import whom.

use crate::workspace::Workspace;

/// Each crate and those of ours that it may use (DESIGN.md section 2). The sandbox is there for
/// the feature `testing` of the bindings.
const EDGES: [(&str, &[&str]); 8] = [
    ("attache", &[]),
    ("attache-salesforce", &["attache"]),
    ("attache-sandbox", &[]),
    (
        "attache-sim",
        &["attache", "attache-salesforce", "attache-sandbox"],
    ),
    (
        "attache-c",
        &["attache", "attache-salesforce", "attache-sandbox"],
    ),
    (
        "attache-uniffi",
        &["attache", "attache-salesforce", "attache-sandbox"],
    ),
    (
        "attache-cli",
        &["attache", "attache-salesforce", "attache-sandbox"],
    ),
    ("xtask", &[]),
];

/// Packages that may use everything.
const ANYTHING: [&str; 4] = [
    "attache-examples",
    "attache-benches",
    "attache-fuzz",
    "attache-tests",
];

/// Compares the manifests with the list. Tests count too, because a cycle through them builds a
/// crate twice; but the sandbox, which knows none of us, may stand in any test.
pub(super) fn check(workspace: &Workspace, breaches: &mut Vec<String>) {
    for package in workspace.packages() {
        let name = package["name"].as_str().unwrap_or_default();
        if ANYTHING.contains(&name) {
            continue;
        }
        let Some((_, allowed)) = EDGES.iter().find(|(of, _)| *of == name) else {
            breaches.push(format!(
                "crates/{name}: is not in the list of who may import whom"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            let ours = dependency["path"].is_string();
            let test = dependency["kind"].as_str() == Some("dev");
            if ours && !allowed.contains(&used) && !(test && used == "attache-sandbox") {
                breaches.push(format!("crates/{name}: must not import {used}"));
            }
            let optional = dependency["optional"].as_bool() == Some(true);
            let boundary = name == "attache-c" || name == "attache-uniffi";
            if boundary && used == "attache-sandbox" && !optional {
                breaches.push(format!(
                    "crates/{name}: may import {used} for the feature testing only"
                ));
            }
        }
    }
}

/// The feature that plants mistakes in the engine.
const PLANTS: &str = "simulation";

/// Only who tests the simulation can turn planted mistakes on, and nobody does without being told to.
pub(super) fn check_planted(workspace: &Workspace, breaches: &mut Vec<String>) {
    for package in workspace.packages() {
        let name = package["name"].as_str().unwrap_or_default();
        let told = |list: &serde_json::Value| {
            let mut list = list.as_array().into_iter().flatten();
            list.any(|it| it.as_str().is_some_and(|it| it.contains(PLANTS)))
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if told(&dependency["features"]) {
                breaches.push(format!("{name}: depends on the feature {PLANTS}"));
            }
        }
        for (feature, turns_on) in package["features"].as_object().into_iter().flatten() {
            let tests = ["attache-sim", "attache-tests"].contains(&name) && feature == PLANTS;
            if told(turns_on) && !tests {
                breaches.push(format!("{name}: its feature {feature} turns {PLANTS} on"));
            }
        }
    }
    if crate::workspace::FEATURES.contains(PLANTS) {
        breaches.push(format!(
            "xtask: builds everything with the feature {PLANTS}"
        ));
    }
}
