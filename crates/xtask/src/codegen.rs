//! The C header and the Swift and Kotlin sources, from the Rust that they describe; and the code in the READMEs of the
//! latter, from the tests that run it.
//!
//! The Swift and Kotlin sources carry checksums of the library they were made
//! for. The features of attache-uniffi do not change them.

use crate::abi;
use crate::run::{Done, command, failed, io_failed};
use crate::snippets;
use crate::workspace::{Workspace, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate};

/// A generated file and where it is committed.
struct Generated {
    text: String,
    path: PathBuf,
}

/// Builds the library that tells what to generate, and generates.
pub fn build_and_run(workspace: &Workspace, check: bool) -> Done {
    command(
        cargo()
            .current_dir(workspace.root())
            .args(["build", "--package", "attache-uniffi"]),
    )?;
    run(workspace, check)
}

/// Generates from a library that is built, and writes or compares.
pub fn run(workspace: &Workspace, check: bool) -> Done {
    let header = header(workspace)?;
    let abi = Generated {
        text: abi::list(&header.text),
        path: workspace.path("crates/attache-c/abi.txt"),
    };
    abi::check(&abi.path, &abi.text)?;
    let mut files = vec![header, abi];
    files.extend(bindings(workspace)?);
    files.extend(readmes(workspace)?);
    let mut differ = Vec::new();
    for Generated { text, path } in files {
        let name = path.strip_prefix(workspace.root()).unwrap_or(&path);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            continue;
        }
        if check {
            differ.push(name.display().to_string());
            continue;
        }
        println!("writing {}", name.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io_failed("create", folder))?;
        }
        fs::write(&path, text).map_err(io_failed("write", &path))?;
    }
    if differ.is_empty() {
        Ok(())
    } else {
        Err(failed(format!(
            "{} is not what the code says: run `cargo xtask codegen`",
            differ.join(", ")
        )))
    }
}

/// Makes the C header.
fn header(workspace: &Workspace) -> Done<Generated> {
    let source = workspace.path("crates/attache-c");
    let config = cbindgen::Config::from_file(source.join("cbindgen.toml"))
        .map_err(|error| failed(format!("cannot read cbindgen.toml: {error}")))?;
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_crate(&source)
        .generate()
        .map_err(|error| failed(format!("cannot make the C header: {error}")))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    Ok(Generated {
        text: String::from_utf8(text).map_err(|_| failed("the C header is not UTF-8"))?,
        path: workspace.path("include/attache.h"),
    })
}

/// Makes the Swift and Kotlin sources.
fn bindings(workspace: &Workspace) -> Done<Vec<Generated>> {
    let scratch = tempfile::tempdir().map_err(|error| failed(format!("no scratch: {error}")))?;
    let text = |path: &Path| -> Done<String> {
        path.to_str()
            .map(String::from)
            .ok_or_else(|| failed(format!("{} is not UTF-8", path.display())))
    };
    generate(GenerateOptions {
        languages: vec![TargetLanguage::Kotlin, TargetLanguage::Swift],
        source: text(&workspace.library("attache_uniffi"))?.into(),
        out_dir: text(scratch.path())?.into(),
        metadata_no_deps: true,
        ..GenerateOptions::default()
    })
    .map_err(|error| {
        failed(format!(
            "cannot make the Swift and Kotlin sources: {error:#}"
        ))
    })?;
    [
        (
            "attache/attache.kt",
            "bindings/kotlin/src/main/kotlin/attache/attache.kt",
        ),
        (
            "AttacheKit.swift",
            "bindings/swift/Sources/AttacheKit/AttacheKit.swift",
        ),
        (
            "AttacheFFI.h",
            "bindings/swift/Sources/AttacheFFI/include/AttacheFFI.h",
        ),
    ]
    .into_iter()
    .map(|(from, to)| {
        let from = scratch.path().join(from);
        let mut text = fs::read_to_string(&from).map_err(io_failed("read", &from))?;
        if to.ends_with("AttacheKit.swift") {
            text = sendable(text)?;
        }
        Ok(Generated {
            // The generators leave blanks at the ends of lines.
            text: text
                .lines()
                .map(|line| format!("{}\n", line.trim_end()))
                .collect(),
            path: workspace.path(to),
        })
    })
    .collect()
}

/// Makes the READMEs of the packages.
fn readmes(workspace: &Workspace) -> Done<Vec<Generated>> {
    let read = |path: &Path| fs::read_to_string(path).map_err(io_failed("read", path));
    [
        ("kotlin", "src/test/kotlin/readme/Readme.kt"),
        ("swift", "Tests/AttacheKitTests/Readme.swift"),
    ]
    .into_iter()
    .map(|(language, source)| {
        let package = workspace.path("bindings").join(language);
        let path = package.join("README.md");
        let text = snippets::fill(&read(&path)?, language, &read(&package.join(source))?)?;
        Ok(Generated { text, path })
    })
    .collect()
}

/// What the generator leaves out of the Swift sources: what it hands to a task may cross to one.
///
/// Without these words they build in Swift 5 mode alone, and Swift 6.0.3 stops with a failed assertion where it should
/// refuse them. (The bytes that are captured are told of in `Sendable.swift`.)
const SENDABLE: [(&str, &str); 9] = [
    ("CallAsync<T>(", "CallAsync<T: Sendable>("),
    ("<T, E>(", "<T: Sendable, E: Error>("),
    ("makeCall: @escaping ()", "makeCall: @escaping @Sendable ()"),
    (
        "handleSuccess: @escaping (",
        "handleSuccess: @escaping @Sendable (",
    ),
    (
        "handleError: @escaping (",
        "handleError: @escaping @Sendable (",
    ),
    (
        "lowerError: @escaping (",
        "lowerError: @escaping @Sendable (",
    ),
    (
        "let makeCall = {\n                () async",
        "let makeCall = {\n                @Sendable () async",
    ),
    (
        "let uniffiHandleSuccess = { (",
        "let uniffiHandleSuccess = { @Sendable (",
    ),
    (
        "let uniffiHandleError = { (statusCode, errorBuf) in",
        "let uniffiHandleError = { @Sendable (statusCode: Int8, errorBuf: RustBuffer) in",
    ),
];

/// Puts them in.
fn sendable(mut swift: String) -> Done<String> {
    for (without, with) in SENDABLE {
        if !swift.contains(without) {
            return Err(failed(format!(
                "the Swift generator no longer writes {without:?}: see whether its sources build in Swift 6 mode by \
                 themselves, and adapt SENDABLE"
            )));
        }
        swift = swift.replace(without, with);
    }
    // A name of a function may cross by its type in Swift 6 alone, a closure in both.
    // What is called at once, and not handed to a task, stands at the end of its call.
    let closure = |line: &str| {
        let name = line.trim().strip_prefix("lowerError: FfiConverter");
        match name.and_then(|rest| rest.strip_suffix(',')) {
            Some(name) => {
                format!("                lowerError: {{ FfiConverter{name}($0) }},\n")
            }
            None => format!("{line}\n"),
        }
    };
    Ok(swift.lines().map(closure).collect())
}
