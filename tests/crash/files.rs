//! The command is killed while it changes a store's file without an org: in an import, a migration, a re-keying
//! and a wipe. Each is done or not begun, whatever the moment, and can be done again.
//!
//! A moment is a part of the time that the whole takes on this machine. Every other kill counts from the first
//! change to the store's folder on, so that the start of the process does not eat them all. A round that came too
//! late is not counted, and tried again.

mod program;

#[path = "../formats/held.rs"]
mod held;
#[path = "../formats/story.rs"]
#[allow(
    dead_code,
    reason = "what happened before a migration is told elsewhere"
)]
mod story;

use attache::{Attache, Fields, Mutation, Options, Unsent};
use attache_sim::{Prng, World};
use attache_tests::{ME, all, create, edit, field_sales, integrity, sync};
use held::{fixture, format_of, holds, load};
use program::{command, ended, rounds_or};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

/// Kills of each kind, unless somebody asks for more.
const ROUNDS: usize = 15;
/// Rounds that may come too late for each that does not.
const LATE_MAX: usize = 12;

const CANARY: &str = "Geheimwerk";

/// The folder of a store, and how a round begins in it.
struct Place {
    folder: tempfile::TempDir,
    chance: Prng,
    /// How long the whole takes, and how much of it is behind the first change.
    whole: Duration,
    work: Duration,
}

/// Names, lengths and times of a folder's files.
fn seen(folder: &Path) -> BTreeMap<PathBuf, (u64, Option<SystemTime>)> {
    let entries = fs::read_dir(folder).expect("a folder");
    // A file may go between its name and its length.
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let meta = fs::metadata(&path).ok()?;
            Some((path, (meta.len(), meta.modified().ok())))
        })
        .collect()
}

impl Place {
    fn new(name: &str) -> Place {
        Place {
            folder: tempfile::tempdir().expect("a folder"),
            chance: Prng::fork(1, name),
            whole: Duration::ZERO,
            work: Duration::ZERO,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("jo.db")
    }

    /// Empties the folder and lays files into it.
    fn lay(&self, files: &[(&str, &[u8])]) {
        for path in seen(self.folder.path()).into_keys() {
            fs::remove_file(path).expect("a file");
        }
        for (name, bytes) in files {
            fs::write(self.folder.path().join(name), bytes).expect("a file");
        }
    }

    /// Waits for the first change to the folder; `false` if the program ends without one.
    fn changed(&self, child: &mut Child) -> bool {
        let before = seen(self.folder.path());
        while seen(self.folder.path()) == before {
            if ended(child) {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }

    /// Runs the command to its end, and remembers how long it took.
    fn measure(&mut self, command: &mut Command) {
        let began = Instant::now();
        let mut child = command.spawn().expect("the program starts");
        assert!(self.changed(&mut child), "{command:?} changes nothing");
        let first = began.elapsed();
        let status = child.wait().expect("the program ends");
        assert!(status.success(), "{command:?}: {status}");
        self.whole = began.elapsed();
        self.work = self.whole - first;
    }

    /// Runs the command and kills it at some moment. Says whether it was still at work.
    fn kill(&mut self, command: &mut Command) -> bool {
        let of_all = self.chance.percent(50);
        let part = self.chance.below(1_000) as u32;
        let mut child = command.spawn().expect("the program starts");
        let wait = if of_all || !self.changed(&mut child) {
            self.whole
        } else {
            self.work
        };
        let began = Instant::now();
        while began.elapsed() < wait * part / 1_000 && !ended(&mut child) {
            std::thread::yield_now();
        }
        let finished = ended(&mut child);
        child.kill().expect("the program can be killed");
        child.wait().expect("the program is gone");
        !finished
    }

    /// Has a round tried until so many kills came in time, and shows how many of them met the work half done.
    fn rounds(&mut self, what: &str, mut round: impl FnMut(&mut Place, usize) -> Option<bool>) {
        let rounds = rounds_or(ROUNDS);
        let (mut in_time, mut done, mut tried) = (0, 0, 0);
        while in_time < rounds {
            assert!(
                tried < rounds * LATE_MAX,
                "{in_time} of {tried} kills came in time"
            );
            if let Some(was_done) = round(self, tried) {
                in_time += 1;
                done += usize::from(was_done);
            }
            tried += 1;
        }
        #[expect(clippy::print_stdout, reason = "shown on request: how the kills fell")]
        {
            println!("{what}: {rounds} kills in time of {tried}, the work was done in {done}");
        }
    }
}

/// A store with unsent work of several kinds, as its file's bytes.
fn worked(world: &World, edits: usize) -> (Vec<u8>, Vec<u8>, Vec<Mutation>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("jo.db");
    let device = world.device_at(ME, &path).expect("a store");
    device.set_briefcase(field_sales()).expect("a briefcase");
    sync(&device);
    drop(device);
    let fresh = fs::read(&path).expect("a file");
    let device = world.device_at(ME, &path).expect("a store");
    for (n, id) in all(&device, "SELECT Id FROM Account ORDER BY Id LIMIT 20")
        .iter()
        .enumerate()
    {
        edit(&device, id, "Phone", format!("{CANARY} {n}"));
    }
    for n in 0..edits {
        let text = format!("{CANARY} {n} ").repeat(40);
        let fields = Fields::from([
            ("Name", format!("{CANARY} {n}")),
            ("Description", text.trim_end().to_owned()),
        ]);
        create(&device, "Account", fields);
        world.sandbox.advance(1);
    }
    let pending = device.pending().expect("a read");
    drop(device);
    (fresh, fs::read(&path).expect("a file"), pending)
}

/// What a mutation says, without the names that a store gives it.
fn told(pending: &[Mutation]) -> Vec<String> {
    let one = |mutation: &Mutation| {
        format!(
            "{} {:?} {:?}",
            mutation.object, mutation.kind, mutation.fields
        )
    };
    let mut told: Vec<String> = pending.iter().map(one).collect();
    told.sort();
    told
}

fn pending(path: &Path, options: Options) -> Vec<Mutation> {
    let store = Attache::open_with(path, options).expect("the store opens");
    store.pending().expect("a read")
}

#[test]
fn an_import_that_is_killed_took_all_in_or_nothing() {
    let world = World::new(61, 300);
    let (fresh, main, work) = worked(&world, 150);
    let mut place = Place::new("import");
    place.lay(&[("jo.db", &main)]);
    let file = Attache::open(place.path())
        .and_then(|store| store.export_unsent(None))
        .expect("an export");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let from = elsewhere.path().join("jo.unsent");
    fs::write(&from, file).expect("a file");
    let import = |place: &Place| {
        let mut import = command(&["import"]);
        import.arg(place.path()).arg(&from);
        import
    };
    place.lay(&[("jo.db", &fresh)]);
    place.measure(&mut import(&place));
    place.rounds("import", |place, n| {
        place.lay(&[("jo.db", &fresh)]);
        let mut first = import(place);
        if !place.kill(&mut first) {
            return None;
        }
        integrity(&place.path());
        let there = pending(&place.path(), Options::new());
        assert!(
            there.is_empty() || told(&there) == told(&work),
            "round {n}: {} of {} mutations",
            there.len(),
            work.len()
        );
        let again = import(place).status().expect("the program runs");
        assert!(again.success(), "round {n}: {again}");
        let all = pending(&place.path(), Options::new());
        assert_eq!(told(&all), told(&work), "round {n}");
        Some(!there.is_empty())
    });
}

#[test]
fn a_migration_that_is_killed_is_done_or_not_begun() {
    let current = {
        let place = Place::new("current");
        drop(Attache::open(place.path()).expect("a store"));
        format_of(&place.path())
    };
    let formats: Vec<(i32, Vec<u8>)> = (1..current)
        .map(|format| {
            let place = Place::new("fixture");
            load(&fixture(format).expect("a fixture"), &place.path()).expect("SQL");
            (format, fs::read(place.path()).expect("a file"))
        })
        .collect();
    let status = |place: &Place| {
        let mut status = command(&["status"]);
        status.arg(place.path());
        status
    };
    let mut place = Place::new("migration");
    place.lay(&[("jo.db", &formats[0].1)]);
    place.measure(&mut status(&place));
    place.rounds("migration", |place, n| {
        let (format, bytes) = &formats[n % formats.len()];
        place.lay(&[("jo.db", bytes)]);
        let mut first = status(place);
        if !place.kill(&mut first) {
            return None;
        }
        integrity(&place.path());
        let left = format_of(&place.path());
        assert!(
            [*format, current].contains(&left),
            "round {n}: {format} became {left}"
        );
        holds(&Attache::open(place.path()).expect("the store opens"));
        assert_eq!(format_of(&place.path()), current, "round {n}");
        integrity(&place.path());
        Some(left == current)
    });
}

/// Says whether any file of a folder holds a text.
fn holds_text(folder: &Path, text: &str) -> bool {
    seen(folder).into_keys().any(|path| {
        let bytes = fs::read(path).expect("a file");
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

#[test]
fn a_wipe_that_is_killed_left_the_store_whole_or_gone() {
    let world = World::new(62, 300);
    let (_, main, work) = worked(&world, 150);
    let mut place = Place::new("wipe");
    let wipe = |place: &Place| {
        let mut wipe = command(&["wipe", "--discard-unsent"]);
        wipe.arg(place.path());
        wipe
    };
    place.lay(&[("jo.db", &main)]);
    place.measure(&mut wipe(&place));
    assert!(seen(place.folder.path()).is_empty(), "nothing is left");
    place.rounds("wipe", |place, n| {
        place.lay(&[("jo.db", &main)]);
        let mut first = wipe(place);
        if !place.kill(&mut first) {
            return None;
        }
        let gone = !place.path().exists();
        if gone {
            assert!(!holds_text(place.folder.path(), CANARY), "round {n}");
        } else {
            integrity(&place.path());
            let left = pending(&place.path(), Options::new());
            assert_eq!(told(&left), told(&work), "round {n}");
        }
        // It is finished by doing it again; where it was done there is nothing to find.
        let store = Attache::open(place.path()).expect("a store");
        assert_eq!(store.pending().expect("a read").is_empty(), gone);
        store.wipe(Unsent::Discard).expect("a wipe");
        let left = seen(place.folder.path());
        assert!(left.is_empty(), "round {n}: {left:?}");
        Some(gone)
    });
}

#[cfg(any(feature = "sqlcipher", feature = "sqlcipher-vendored"))]
#[test]
fn a_rekeying_that_is_killed_leaves_one_whole_store_under_one_of_the_keys() {
    use attache::{Key, inspect_with};
    let world = World::new(63, 300);
    let (_, main, work) = worked(&world, 150);
    let mut place = Place::new("rekey");
    let keys = tempfile::tempdir().expect("a folder");
    let key_file = |byte: u8| {
        let path = keys.path().join(format!("key-{byte}"));
        fs::write(&path, format!("{byte:02x}").repeat(32)).expect("a file");
        path
    };
    let with = |byte: u8| Options::new().key(Key::raw([byte; 32]));
    place.lay(&[("jo.db", &main)]);
    let plain = Attache::open(place.path()).expect("a store");
    plain.rekey(Some(Key::raw([1; 32]))).expect("a key");
    drop(plain);
    let sealed = fs::read(place.path()).expect("a file");
    let rekey = |place: &Place, from: Option<u8>| {
        let mut rekey = command(&["rekey"]);
        rekey
            .arg(place.path())
            .arg("--new-key-file")
            .arg(key_file(2));
        if let Some(from) = from {
            rekey.arg("--key-file").arg(key_file(from));
        }
        rekey
    };
    place.measure(&mut rekey(&place, Some(1)));
    place.rounds("rekey", |place, n| {
        // Every third is a store that was plain.
        let from = (n % 3 > 0).then_some(1);
        place.lay(&[("jo.db", if from.is_some() { &sealed } else { &main })]);
        let mut first = rekey(place, from);
        if !place.kill(&mut first) {
            return None;
        }
        let old = from.map_or_else(Options::new, with);
        let done = inspect_with(place.path(), with(2)).is_ok();
        let key = if done { with(2) } else { old.clone() };
        let found = inspect_with(place.path(), key.clone()).expect("one of the two keys opens it");
        assert_eq!(found.damage, [""; 0], "round {n}");
        assert_eq!(told(&pending(&place.path(), key.clone())), told(&work));
        assert!(!place.folder.path().join("jo.db-rekey").exists());
        if from.is_some() || done {
            assert!(!holds_text(place.folder.path(), CANARY), "round {n}");
        }
        // It can be done again, and then nothing of what was plain is left.
        let store = Attache::open_with(place.path(), key).expect("a store");
        store.rekey(Some(Key::raw([2; 32]))).expect("a key");
        assert_eq!(told(&store.pending().expect("a read")), told(&work));
        drop(store);
        assert!(!holds_text(place.folder.path(), CANARY), "round {n}");
        Some(done)
    });
}
