//! `attache demo` agrees, whatever the seed.

use crate::support::run_with;

#[test]
fn it_agrees_for_the_first_seeds() {
    for seed in ["1", "2", "3"] {
        let ran = run_with(&["demo", "--seed", seed, "--json"], &[]);
        let story = ran.json();
        assert_eq!(
            (ran.code, &story["differences"]),
            (0, &serde_json::json!([])),
            "seed {seed}: {}",
            ran.err
        );
        assert_eq!(story["agree"], true);
        assert!(
            story["conflicts"]
                .as_array()
                .is_some_and(|conflicts| conflicts.len() > 5),
            "seed {seed}"
        );
        assert!(
            story["refusals"]
                .as_array()
                .is_some_and(|refusals| refusals.len() > 3),
            "seed {seed}"
        );
        assert!(
            story["compared"]["records"][0].as_u64() > Some(100),
            "seed {seed}"
        );
    }
}

#[test]
fn it_tells_its_story_in_six_steps() {
    let ran = run_with(&["demo", "--seed", "5", "--records", "1500"], &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for step in 1..=6 {
        assert!(
            ran.out.contains(&format!("\n{step}  ")),
            "step {step}: {}",
            ran.out
        );
    }
    assert!(ran.out.contains("All agree"), "{}", ran.out);
    assert!(
        !ran.out.contains('\u{1b}') && ran.err.is_empty(),
        "no colours and no bars off a terminal"
    );
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = |seed| {
        let mut story =
            run_with(&["demo", "--seed", seed, "--records", "800", "--json"], &[]).json();
        // The socket and the time it took are not the seed's to decide.
        let day = story["day"].take();
        (day, story["compared"].take())
    };
    assert_eq!(story("11"), story("11"));
    assert_ne!(story("11").0, story("12").0);
}

#[test]
fn the_stores_can_be_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = folder.path().join("kept");
    let keep = keep.to_str().expect("a path of text");
    let ran = run_with(
        &["demo", "--seed", "4", "--records", "800", "--keep", keep],
        &[],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let status = run_with(&["status", &format!("{keep}/first.db"), "--json"], &[]).json();
    assert_eq!(
        (&status["pending"], &status["conflicts"]),
        (&serde_json::json!(0), &serde_json::json!(0))
    );
    assert_eq!(
        run_with(&["demo", "--keep", keep], &[]).code,
        2,
        "kept stores are not overwritten"
    );
}
