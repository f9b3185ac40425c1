//! What a disk holds when the power goes: what was synced, and anything of the rest.
//!
//! `disk.c` writes down what a process does to a folder. Here that is done again up to a moment, and the disk as it
//! may be found then is worked out: changes since the last sync of their file are there or not, whole or in sectors.
//! Names are those of a file system with a journal: they change in order, and a sync of any file keeps all before it.

use attache_sim::Prng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, iter};

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// One entry of a log.
pub enum Entry {
    Opened {
        handle: u32,
        name: String,
    },
    Changed {
        handle: u32,
        change: Change,
    },
    Synced {
        handle: u32,
    },
    Removed {
        name: String,
    },
    Renamed {
        from: String,
        to: String,
    },
    /// The process said something on its standard output.
    Told(String),
}

/// A change of a file's bytes.
#[derive(Clone)]
pub enum Change {
    Written { offset: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Change::Written { offset, bytes } => {
                let end = offset + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*offset..end].copy_from_slice(bytes);
            }
            Change::Cut { length } => to.resize(*length, 0),
        }
    }

    /// The sectors of a write, a change each.
    fn sectors(&self) -> Vec<Change> {
        let Change::Written { offset, bytes } = self else {
            return vec![self.clone()];
        };
        let mut sectors = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let end = bytes.len().min(at + SECTOR - (offset + at) % SECTOR);
            sectors.push(Change::Written {
                offset: offset + at,
                bytes: bytes[at..end].to_vec(),
            });
            at = end;
        }
        sectors
    }
}

#[derive(Clone, Default)]
struct File {
    synced: Vec<u8>,
    loose: Vec<Change>,
}

type Names = BTreeMap<String, usize>;

/// What is left of changes that nobody synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// All of them: the process died, the machine did not.
    All,
    Nothing,
    /// Those up to some moment, the last of them in part.
    Begun,
    /// Any of them.
    Some,
    /// Any sectors of any of them.
    Sectors,
}

impl Left {
    pub const EACH: [Left; 5] = [
        Left::All,
        Left::Nothing,
        Left::Begun,
        Left::Some,
        Left::Sectors,
    ];
}

/// A disk, with what it has synced and what it has not.
#[derive(Default)]
pub struct Disk {
    files: Vec<File>,
    open: BTreeMap<u32, usize>,
    /// As they were at the last sync, and after each change since.
    names: Vec<Names>,
}

impl Disk {
    /// Does what an entry says.
    pub fn apply(&mut self, entry: &Entry) {
        if self.names.is_empty() {
            self.names.push(Names::new());
        }
        let mut names = self.names[self.names.len() - 1].clone();
        match entry {
            Entry::Opened { handle, name } => {
                let file = names.get(name).copied().unwrap_or(self.files.len());
                self.open.insert(*handle, file);
                if file == self.files.len() {
                    self.files.push(File::default());
                    names.insert(name.clone(), file);
                    self.names.push(names);
                }
            }
            Entry::Changed { handle, change } => {
                let file = self.open[handle];
                self.files[file].loose.push(change.clone());
            }
            Entry::Synced { handle } => {
                let file = &mut self.files[self.open[handle]];
                for change in file.loose.drain(..) {
                    change.apply(&mut file.synced);
                }
                self.names = vec![names];
            }
            Entry::Removed { name } => {
                names.remove(name);
                self.names.push(names);
            }
            Entry::Renamed { from, to } => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
                self.names.push(names);
            }
            Entry::Told(_) => {}
        }
    }

    /// Says whether anything waits for a sync.
    pub fn is_loose(&self) -> bool {
        self.names.len() > 1 || self.files.iter().any(|file| !file.loose.is_empty())
    }

    /// Lays the files into a folder as they may be found after the power went.
    pub fn lay(&self, left: Left, chance: &mut Prng, folder: &Path) {
        let at = match left {
            Left::All => self.names.len(),
            Left::Nothing => self.names.len().min(1),
            _ => chance.below(self.names.len()) + 1,
        };
        let Some(names) = at.checked_sub(1).map(|at| &self.names[at]) else {
            return;
        };
        for (name, file) in names {
            fs::write(folder.join(name), found(&self.files[*file], left, chance)).expect("room");
        }
    }
}

fn found(file: &File, left: Left, chance: &mut Prng) -> Vec<u8> {
    let mut bytes = file.synced.clone();
    let begun = chance.below(file.loose.len() + 1);
    for (at, change) in file.loose.iter().enumerate() {
        let (whole, torn) = match left {
            Left::All => (true, false),
            Left::Nothing => (false, false),
            Left::Begun => (at < begun, at == begun),
            Left::Some => (chance.percent(50), false),
            Left::Sectors => (false, true),
        };
        if whole {
            change.apply(&mut bytes);
        } else if torn {
            let sectors = change.sectors();
            sectors
                .iter()
                .filter(|_| chance.percent(50))
                .for_each(|sector| sector.apply(&mut bytes));
        }
    }
    bytes
}

/// Reads a log.
pub fn read(log: &Path) -> Vec<Entry> {
    let bytes = fs::read(log).expect("a log");
    let mut rest = &bytes[..];
    iter::from_fn(|| {
        let (header, after) = rest.split_at_checked(24)?;
        let word =
            |at: usize| u32::from_ne_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| {
            u64::from_ne_bytes(header[at..at + 8].try_into().expect("eight bytes")) as usize
        };
        let (what, handle, offset, length) = (word(0), word(4), long(8), long(16));
        let (bytes, after) = after.split_at(length);
        rest = after;
        let text = || String::from_utf8_lossy(bytes).into_owned();
        Some(match what {
            1 => Entry::Opened {
                handle,
                name: text(),
            },
            2 => {
                let bytes = bytes.to_vec();
                Entry::Changed {
                    handle,
                    change: Change::Written { offset, bytes },
                }
            }
            3 => Entry::Changed {
                handle,
                change: Change::Cut { length: offset },
            },
            4 => Entry::Synced { handle },
            5 => Entry::Removed { name: text() },
            6 => {
                let both = text();
                let (from, to) = both.split_once('\n').expect("two names");
                Entry::Renamed {
                    from: from.to_owned(),
                    to: to.to_owned(),
                }
            }
            _ => Entry::Told(text()),
        })
    })
    .collect()
}

/// The library that stands between a process and its disk, built once.
pub fn library(folder: &Path) -> PathBuf {
    let library = folder.join("disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("power/disk.c");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let built = Command::new(compiler)
        .args([
            "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
        ])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .status();
    assert!(
        built.expect("a C compiler").success(),
        "{source:?} is built"
    );
    library
}
