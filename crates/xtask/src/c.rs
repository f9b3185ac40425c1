//! The C steps: the header, what the library exports, the tests and the quickstart.

use crate::install;
use crate::programs::{self, Program, STRICT, sources};
use crate::run::{Done, command, failed, io_failed, output, quiet};
use crate::sandbox::Sandbox;
use crate::tools::{need, need_library};
use crate::workspace::Workspace;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs all of it.
pub fn run(workspace: &Workspace, sandbox: &Done<Sandbox>) -> Done {
    let cc = need("cc", "gcc")?;
    let cxx = need("c++", "g++")?;
    let scratch = workspace.target("c");
    fs::create_dir_all(&scratch).map_err(io_failed("create", &scratch))?;
    header(workspace, &cc, &cxx)?;
    exports(workspace)?;
    tests(workspace, &scratch)?;
    let quickstart = Program::of(workspace.path("examples/quickstart.c"));
    let quickstart = quickstart.compile(workspace, &scratch, "", &["-O1"])?;
    let sandbox = sandbox.as_ref().map_err(Clone::clone)?;
    quiet(sandbox.visit(&mut Command::new(quickstart)))?;
    // Last: it builds the library anew, with a soname and without what only tests need.
    install::check(workspace, &scratch)
}

/// Compiles the header alone, as C11 and as C++17, with and without the functions for tests.
fn header(workspace: &Workspace, cc: &Path, cxx: &Path) -> Done {
    for (compiler, language) in [(cc, ["-std=c11", "-xc"]), (cxx, ["-std=c++17", "-xc++"])] {
        for testing in [&[][..], &["-DATTACHE_TESTING"]] {
            command(
                Command::new(compiler)
                    .args(language)
                    .args(STRICT)
                    .args(testing)
                    .arg("-fsyntax-only")
                    .arg("-I")
                    .arg(workspace.path("include"))
                    .arg(workspace.path("tests/c/header.c")),
            )?;
        }
    }
    Ok(())
}

/// Looks at what the shared library gives to the world: our functions and nothing else.
fn exports(workspace: &Workspace) -> Done {
    let readelf = need("readelf", "binutils")?;
    let library = workspace.library("attache_c");
    let symbols = output(
        Command::new(readelf)
            .args(["--dyn-syms", "--wide"])
            .arg(&library),
    )?;
    let mut ours = 0;
    let mut foreign = Vec::new();
    for line in symbols.lines() {
        // Num: Value Size Type Bind Vis Ndx Name
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, _, "GLOBAL" | "WEAK", _, place, name, ..] = words[..] else {
            continue;
        };
        if place == "UND" {
            continue;
        }
        if name.starts_with("attache_") {
            ours += 1;
        } else {
            foreign.push(name);
        }
    }
    if ours == 0 || !foreign.is_empty() {
        return Err(failed(format!(
            "{} exports {ours} of our functions, and also: {}",
            library.display(),
            foreign.join(" ")
        )));
    }
    println!("{ours} functions exported, all attache_*");
    Ok(())
}

/// Compiles and runs the tests: each file of tests/c a program, and the one that tells the stories.
fn tests(workspace: &Workspace, scratch: &Path) -> Done {
    let jansson = need_library("jansson", "libjansson-dev")?;
    let mut programs: Vec<Program> = sources(&workspace.path("tests/c"))?
        .into_iter()
        .filter(|source| source.file_stem().is_some_and(|name| name != "header"))
        .map(Program::of)
        .collect();
    // It takes longest, so it begins first.
    let stories = Program {
        name: "scenarios".into(),
        sources: sources(&workspace.path("tests/c/scenarios"))?,
        flags: jansson,
        arguments: vec![workspace.path("tests/scenarios")],
    };
    encrypted(workspace, scratch, &stories)?;
    programs.insert(0, stories);
    programs::watch(workspace, scratch, programs)
}

/// Tells the stories with the library as the step for encryption built it: none may be passed over.
fn encrypted(workspace: &Workspace, scratch: &Path, stories: &Program) -> Done {
    let more = ["-O1", "-DATTACHE_TESTING"];
    let program = stories.compile_against(
        &workspace.encrypting(),
        workspace,
        scratch,
        "-encrypting",
        &more,
    )?;
    command(
        Command::new(program)
            .env("ATTACHE_ENCRYPTION", "1")
            // Cargo has told us of its own folders, which come before the one that the program names.
            .env("LD_LIBRARY_PATH", workspace.encrypting())
            .args(&stories.arguments),
    )
}
