//! The C steps: the header, what the library exports, the tests and the quickstart.

use crate::install;
use crate::run::{Done, command, failed, io_failed, output, quiet};
use crate::sandbox::Sandbox;
use crate::tools::{find, need};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a careful program is compiled with.
const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// Runs all of it.
pub fn run(workspace: &Workspace, sandbox: &Done<Sandbox>) -> Done {
    let cc = need("cc", "gcc")?;
    let cxx = need("c++", "g++")?;
    let scratch = workspace.target("c");
    fs::create_dir_all(&scratch).map_err(io_failed("create", &scratch))?;
    header(workspace, &cc, &cxx)?;
    exports(workspace)?;
    tests(workspace, &cc, &scratch)?;
    let quickstart = compile(
        workspace,
        &cc,
        &workspace.path("examples/quickstart.c"),
        &scratch.join("quickstart"),
        &[],
    )?;
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

/// Compiles and runs the tests, watched by the address sanitizer, and by valgrind where it is.
fn tests(workspace: &Workspace, cc: &Path, scratch: &Path) -> Done {
    let folder = workspace.path("tests/c");
    let mut sources: Vec<PathBuf> = fs::read_dir(&folder)
        .map_err(io_failed("list", &folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "c"))
        .filter(|path| path.file_stem().is_some_and(|name| name != "header"))
        .collect();
    sources.sort();
    for source in &sources {
        test(workspace, cc, scratch, source)?;
    }
    match sources.is_empty() {
        true => Err(failed("there is no test in tests/c")),
        false => Ok(()),
    }
}

/// Compiles and runs one of them both ways.
fn test(workspace: &Workspace, cc: &Path, scratch: &Path, source: &Path) -> Done {
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let sanitize = [
        "-DATTACHE_TESTING",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    let program = scratch.join(format!("{name}-sanitized"));
    let sanitized = compile(workspace, cc, source, &program, &sanitize)?;
    command(&mut Command::new(sanitized))?;
    let plain = compile(
        workspace,
        cc,
        source,
        &scratch.join(&*name),
        &["-DATTACHE_TESTING"],
    )?;
    match find("valgrind") {
        Some(valgrind) => command(
            Command::new(valgrind)
                .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
                .args([
                    "--errors-for-leak-kinds=definite",
                    "--show-leak-kinds=definite",
                ])
                .arg(plain),
        ),
        None => command(&mut Command::new(plain)),
    }
}

/// Compiles a program against the shared library.
fn compile(
    workspace: &Workspace,
    cc: &Path,
    source: &Path,
    program: &Path,
    more: &[&str],
) -> Done<PathBuf> {
    let built = workspace.built();
    command(
        Command::new(cc)
            .arg("-std=c11")
            .args(STRICT)
            .args(["-g", "-O1"])
            .args(more)
            .arg("-I")
            .arg(workspace.path("include"))
            .arg(source)
            .arg("-o")
            .arg(program)
            .arg("-L")
            .arg(&built)
            .arg("-lattache_c")
            .arg("-pthread")
            .arg(format!("-Wl,-rpath,{}", built.display())),
    )?;
    Ok(program.to_owned())
}
