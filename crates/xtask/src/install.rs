//! Installs the C library: header, libraries, pkg-config and CMake files.

use crate::run::{Done, command, failed, io_failed, output};
use crate::tools::need;
use crate::workspace::{Workspace, cargo};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where to, and what.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where the files will be used.
    #[arg(long, default_value = "/usr/local")]
    prefix: PathBuf,
    /// Where the files are put: a root that stands for `/`, as packagers want it.
    #[arg(long, default_value = "/")]
    destdir: PathBuf,
    /// The folder of libraries below the prefix.
    #[arg(long, default_value = "lib")]
    libdir: String,
    /// Features of attache-c, such as `sqlcipher-vendored`.
    #[arg(long, default_value = "")]
    features: String,
    /// Install what the development profile builds.
    #[arg(long)]
    dev: bool,
}

/// Builds and installs.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Done {
    let header = workspace.path("include/attache.h");
    let text = fs::read_to_string(&header).map_err(io_failed("read", &header))?;
    let abi = text
        .lines()
        .find_map(|line| line.strip_prefix("#define ATTACHE_ABI_VERSION "))
        .ok_or_else(|| failed("the header has no ATTACHE_ABI_VERSION"))?;
    let version = env!("CARGO_PKG_VERSION");
    let below = arguments
        .prefix
        .strip_prefix("/")
        .unwrap_or(&arguments.prefix);
    let root = arguments.destdir.join(below);
    let lib = root.join(&arguments.libdir);
    let soname = format!("libattache.so.{abi}");

    let (shared, archive) = build(workspace, arguments, &soname)?;
    put(&header, &root.join("include/attache.h"))?;
    let real = format!("{soname}.{version}");
    put(&shared, &lib.join(&real))?;
    put(&archive, &lib.join("libattache.a"))?;
    link(&real, &lib.join(&soname))?;
    link(&soname, &lib.join("libattache.so"))?;
    let prefix = arguments.prefix.display().to_string();
    let fill = |template: &str| {
        template
            .replace("@prefix@", &prefix)
            .replace("@libdir@", &arguments.libdir)
            .replace("@version@", version)
            .replace("@abi@", abi)
    };
    write(&lib.join("pkgconfig/attache.pc"), &fill(PKG_CONFIG))?;
    write(&lib.join("cmake/attache/attacheConfig.cmake"), &fill(CMAKE))?;
    write(
        &lib.join("cmake/attache/attacheConfigVersion.cmake"),
        &fill(CMAKE_VERSION),
    )
}

/// Installs below a root what is shipped, and gives the shared library.
pub fn shipped(workspace: &Workspace, root: &Path) -> Done<PathBuf> {
    let arguments = Arguments {
        prefix: root.to_owned(),
        destdir: "/".into(),
        libdir: "lib".into(),
        features: String::new(),
        dev: false,
    };
    run(workspace, &arguments)?;
    Ok(root.join("lib/libattache.so"))
}

/// Builds both libraries, the shared one with its soname.
fn build(workspace: &Workspace, arguments: &Arguments, soname: &str) -> Done<(PathBuf, PathBuf)> {
    let soname = format!("-Clink-arg=-Wl,-soname,{soname}");
    for (kind, more) in [("cdylib", Some(soname.as_str())), ("staticlib", None)] {
        let mut build = cargo();
        build
            .current_dir(workspace.root())
            .args(["rustc", "--package", "attache-c", "--lib"])
            .args(["--crate-type", kind, "--features", &arguments.features]);
        if !arguments.dev {
            build.arg("--release");
        }
        command(build.arg("--").args(more))?;
    }
    let built = workspace.target(if arguments.dev { "debug" } else { "release" });
    Ok((built.join("libattache_c.so"), built.join("libattache_c.a")))
}

/// Installs into a scratch root, and compiles programs against what is there.
pub fn check(workspace: &Workspace, scratch: &Path) -> Done {
    let cc = need("cc", "gcc")?;
    let pkg_config = need("pkg-config", "pkg-config")?;
    let readelf = need("readelf", "binutils")?;
    let root = scratch.join("root");
    let arguments = Arguments {
        prefix: root.clone(),
        destdir: "/".into(),
        libdir: "lib".into(),
        features: String::new(),
        dev: true,
    };
    run(workspace, &arguments)?;
    let dynamic = output(
        Command::new(readelf)
            .arg("--dynamic")
            .arg(root.join("lib/libattache.so")),
    )?;
    if !dynamic.contains("[libattache.so.") {
        return Err(failed("the installed library has no soname"));
    }
    for linking in [&["--libs"][..], &["--static", "--libs"]] {
        let flags = output(
            Command::new(&pkg_config)
                .env("PKG_CONFIG_PATH", root.join("lib/pkgconfig"))
                .args(["--cflags"])
                .args(linking)
                .arg("attache"),
        )?;
        let program = scratch.join("installed");
        let mut compile = Command::new(&cc);
        compile
            .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
            .arg(workspace.path("examples/quickstart.c"))
            .arg("-o")
            .arg(&program);
        if linking.len() > 1 {
            // Of the two libraries there the linker is to take the archive.
            let flags = flags.replace("-lattache", "-l:libattache.a");
            compile.args(flags.split_whitespace());
        } else {
            compile.args(flags.split_whitespace());
            compile.arg(format!("-Wl,-rpath,{}", root.join("lib").display()));
        }
        command(&mut compile)?;
        // Without an org it says what it wants, which shows that it found its library.
        let said = Command::new(&program)
            .env_remove("ATTACHE_URL")
            .output()
            .map_err(io_failed("run", &program))?;
        if said.status.code() != Some(2) {
            return Err(failed(format!(
                "a program that was linked with {linking:?} does not run"
            )));
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Done {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io_failed("create", folder))?;
    }
    fs::write(path, text).map_err(io_failed("write", path))
}

fn put(from: &Path, to: &Path) -> Done {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(io_failed("create", folder))?;
    }
    fs::copy(from, to).map_err(io_failed("copy", from))?;
    Ok(())
}

/// Makes a link, in place of one that is there.
fn link(target: &str, path: &Path) -> Done {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path).map_err(io_failed("replace", path))?;
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, path).map_err(io_failed("link", path))?;
    #[cfg(not(unix))]
    let _ = target;
    Ok(())
}

const PKG_CONFIG: &str = "prefix=@prefix@
libdir=${prefix}/@libdir@
includedir=${prefix}/include

Name: attache
Description: An embeddable offline-first sync engine for CRM records
Version: @version@
Cflags: -I${includedir}
Libs: -L${libdir} -lattache
Libs.private: -lpthread -ldl -lm -lgcc_s
";

const CMAKE: &str = r#"# Attaché @version@: find_package(attache) gives attache::attache and attache::attache_static.
get_filename_component(_attache_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET attache::attache)
  add_library(attache::attache SHARED IMPORTED)
  set_target_properties(attache::attache PROPERTIES
    IMPORTED_LOCATION "${_attache_prefix}/@libdir@/libattache.so.@abi@"
    IMPORTED_SONAME "libattache.so.@abi@"
    INTERFACE_INCLUDE_DIRECTORIES "${_attache_prefix}/include")
  add_library(attache::attache_static STATIC IMPORTED)
  set_target_properties(attache::attache_static PROPERTIES
    IMPORTED_LOCATION "${_attache_prefix}/@libdir@/libattache.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_attache_prefix}/include"
    INTERFACE_LINK_LIBRARIES "pthread;dl;m;gcc_s")
endif()
unset(_attache_prefix)
"#;

const CMAKE_VERSION: &str = r#"set(PACKAGE_VERSION "@version@")
if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
"#;
