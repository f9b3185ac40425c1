//! Programs in C: how they are compiled, and run under a watch.

use crate::run::{Done, command, failed, io_failed};
use crate::tools::{find, need};
use crate::workspace::Workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What a careful program is compiled with.
pub const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// A program.
pub struct Program {
    pub name: String,
    pub sources: Vec<PathBuf>,
    /// What it is compiled and linked with, beside the library.
    pub flags: Vec<String>,
    pub arguments: Vec<PathBuf>,
}

impl Program {
    /// A program of one file.
    pub fn of(source: PathBuf) -> Program {
        let name = source.file_stem().unwrap_or_default();
        Program {
            name: name.to_string_lossy().into_owned(),
            sources: vec![source],
            flags: Vec::new(),
            arguments: Vec::new(),
        }
    }

    /// Compiles it against the shared library under test. Its name gets an ending.
    pub fn compile(
        &self,
        workspace: &Workspace,
        scratch: &Path,
        ending: &str,
        more: &[&str],
    ) -> Done<PathBuf> {
        self.compile_against(&workspace.built(), workspace, scratch, ending, more)
    }

    /// Compiles it against the shared library of a folder.
    pub fn compile_against(
        &self,
        built: &Path,
        workspace: &Workspace,
        scratch: &Path,
        ending: &str,
        more: &[&str],
    ) -> Done<PathBuf> {
        let program = scratch.join(format!("{}{ending}", self.name));
        command(
            Command::new(need("cc", "gcc")?)
                .arg("-std=c11")
                .args(STRICT)
                .arg("-g")
                .args(more)
                .arg("-I")
                .arg(workspace.path("include"))
                .args(&self.sources)
                .arg("-o")
                .arg(&program)
                .arg("-L")
                .arg(built)
                .arg("-lattache_c")
                .args(&self.flags)
                .arg("-pthread")
                .arg(format!("-Wl,-rpath,{}", built.display())),
        )?;
        Ok(program)
    }

    /// Compiles and runs it twice: watched by the address sanitizer, and by valgrind where it is.
    fn watch(&self, workspace: &Workspace, scratch: &Path) -> Done {
        let sanitize = [
            "-O1",
            "-DATTACHE_TESTING",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
        ];
        let sanitized = self.compile(workspace, scratch, "-sanitized", &sanitize)?;
        command(Command::new(sanitized).args(&self.arguments))?;
        let plain = self.compile(workspace, scratch, "", &["-O1", "-DATTACHE_TESTING"])?;
        match find("valgrind") {
            Some(valgrind) => command(
                Command::new(valgrind)
                    .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
                    .args([
                        "--errors-for-leak-kinds=definite",
                        "--show-leak-kinds=definite",
                    ])
                    .arg(plain)
                    .args(&self.arguments),
            ),
            None => command(Command::new(plain).args(&self.arguments)),
        }
    }
}

/// Compiles and watches programs, as many at a time as there are processors: one under valgrind
/// keeps one of them busy.
pub fn watch(workspace: &Workspace, scratch: &Path, programs: Vec<Program>) -> Done {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(programs.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Done {
        while let Some(program) = next() {
            program.watch(workspace, scratch)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        // All of them are waited for, also after one failed.
        let mut done = Ok(());
        for worker in running {
            let worked = worker
                .join()
                .unwrap_or_else(|_| Err(failed("a watch panicked")));
            done = done.and(worked);
        }
        done
    })
}

/// The C files of a folder, of which there is one at least.
pub fn sources(folder: &Path) -> Done<Vec<PathBuf>> {
    let mut sources: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(io_failed("list", folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "c"))
        .collect();
    sources.sort();
    match sources.is_empty() {
        true => Err(failed(format!("there is no C in {}", folder.display()))),
        false => Ok(sources),
    }
}
