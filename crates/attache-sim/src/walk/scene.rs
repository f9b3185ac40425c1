//! The world of a walk, its devices and its books.

use super::admin::Retyped;
use super::disk;
use super::errands::{Attached, Carried, briefcase};
use super::ledger::{Ledger, Who, text, values_of};
use super::scenario::{Class, DEVICES_MAX, Scenario};
use crate::clock::SimEnv;
use crate::random::Prng;
use crate::transport::Watcher;
use crate::world::{World, fields};
use attache::{Attache, Briefcase, Error, ErrorKind, Limits, Options, Report};
use attache_sandbox::Sandbox;
use attache_sandbox::org::{DuplicateAction, DuplicateRule, Org, Rights};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Arguments;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// Rows of the org: so few that people meet.
const ROWS: usize = 60;
/// The people who have devices, and whose records change hands.
const PEOPLE: usize = 4;

/// When worlds begin: on a Sunday, before the clocks change in Europe and in America, before a year ends.
const BEGINNINGS: [&str; 4] = [
    "2026-11-22T09:30:00Z",
    "2026-03-28T20:00:00Z",
    "2026-10-31T22:00:00Z",
    "2026-12-31T20:00:00Z",
];
/// Where the people of worlds live.
const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Australia/Lord_Howe",
];

/// One device.
pub(super) struct Device {
    user: usize,
    briefcase: usize,
    retries: u32,
    env: SimEnv,
    watcher: Watcher,
    folder: Option<tempfile::TempDir>,
    /// Bytes by which the store may grow.
    pub room: AtomicU64,
    store: Mutex<Option<Attache>>,
}

/// A world with its devices and its books.
pub(super) struct Scene {
    pub seed: u64,
    pub world: World,
    pub devices: Vec<Device>,
    classes: BTreeSet<Class>,
    ledger: Mutex<Ledger>,
    /// What happens while a session is under way.
    meanwhile: Mutex<Prng>,
    pins: Mutex<BTreeSet<(usize, String)>>,
    carried: Mutex<Vec<Carried>>,
    attached: Mutex<Vec<Attached>>,
    retyped: Mutex<Retyped>,
    met: Mutex<BTreeMap<String, u64>>,
    story: Option<Mutex<Vec<String>>>,
}

impl Scene {
    pub(super) fn new(scenario: &Scenario, keep_story: bool) -> Result<Arc<Scene>, String> {
        let seed = scenario.seed;
        let classes = scenario.classes();
        let mut chance = Prng::fork(seed, "world");
        let world = world(seed, &classes, &mut chance)?;
        let count = [1, 2, 2, 2, 2, 3, 3, 4, DEVICES_MAX][chance.below(9)];
        let scene: Arc<OnceLock<Weak<Scene>>> = Arc::default();
        let devices: Result<Vec<Device>, Error> = (0..count.min(scenario.devices_max))
            .map(|at| device(&world, seed, at, &classes, &scene))
            .collect();
        let made = Arc::new(Scene {
            seed,
            world,
            devices: devices.map_err(|error| error.to_string())?,
            ledger: Mutex::new(Ledger::new(classes.contains(&Class::Carry))),
            classes,
            meanwhile: Mutex::new(Prng::still()),
            pins: Mutex::default(),
            carried: Mutex::default(),
            attached: Mutex::default(),
            retyped: Mutex::default(),
            met: Mutex::default(),
            story: keep_story.then(Mutex::default),
        });
        // Nobody else sets it.
        let _ = scene.set(Arc::downgrade(&made));
        for at in 0..made.devices.len() {
            made.start_anew(at).map_err(|error| error.to_string())?;
        }
        Ok(made)
    }

    pub(super) fn has(&self, class: Class) -> bool {
        self.classes.contains(&class)
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        locked(&self.ledger)
    }

    pub(super) fn chance(&self) -> MutexGuard<'_, Prng> {
        locked(&self.meanwhile)
    }

    pub(super) fn pins(&self) -> MutexGuard<'_, BTreeSet<(usize, String)>> {
        locked(&self.pins)
    }

    pub(super) fn carried(&self) -> MutexGuard<'_, Vec<Carried>> {
        locked(&self.carried)
    }

    pub(super) fn attached(&self) -> MutexGuard<'_, Vec<Attached>> {
        locked(&self.attached)
    }

    pub(super) fn retyped(&self) -> MutexGuard<'_, Retyped> {
        locked(&self.retyped)
    }

    /// Tells the story, if somebody listens.
    pub(super) fn tell(&self, line: Arguments<'_>) {
        if let Some(story) = &self.story {
            let now = self.world.sandbox.now();
            locked(story).push(format!("{now} {line}"));
        }
    }

    /// Counts something that happened.
    pub(super) fn count(&self, name: &str) {
        let mut met = locked(&self.met);
        *met.entry(name.to_owned()).or_default() += 1;
    }

    pub(super) fn take_wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.ledger().wrong)
    }

    pub(super) fn take_story(&self) -> Vec<String> {
        let story = self.story.as_ref();
        story.map_or_else(Vec::new, |story| std::mem::take(&mut *locked(story)))
    }

    /// What happened how often, that which the org saw included.
    pub(super) fn take_met(&self) -> BTreeMap<String, u64> {
        let mut met = std::mem::take(&mut *locked(&self.met));
        for request in self.world.sandbox.log() {
            let what = match (request.status, request.executed) {
                (None, true) => "lost answers".to_owned(),
                (None, false) => "lost requests".to_owned(),
                (Some(status), executed) if !executed || status >= 400 => {
                    format!("answers of {status}")
                }
                _ => continue,
            };
            *met.entry(what).or_default() += 1;
        }
        met
    }

    /// A handle of a device.
    pub(super) fn at(&self, device: usize) -> Attache {
        self.open_at(device)
            .expect("a device that is not just being restarted has a store")
    }

    /// A handle of a device, if it has a store.
    pub(super) fn open_at(&self, device: usize) -> Option<Attache> {
        locked(&self.devices[device].store).clone()
    }

    pub(super) fn who(&self, device: usize) -> Who {
        (device, self.devices[device].user)
    }

    pub(super) fn devices_of(&self, user: usize) -> Vec<usize> {
        let all = 0..self.devices.len();
        all.filter(|at| self.devices[*at].user == user).collect()
    }

    /// Says whether a device has files that were not sent: they are not carried over.
    pub(super) fn has_files(&self, device: usize) -> bool {
        let pending = self.at(device).pending().unwrap_or_default();
        pending.iter().any(|it| it.object == "ContentVersion")
    }

    /// Opens a device's store, a new one where it was wiped, and gives it its briefcase.
    pub(super) fn start_anew(&self, device: usize) -> Result<(), Error> {
        let this = &self.devices[device];
        *locked(&this.store) = None;
        *locked(&this.store) = Some(self.open(this)?);
        self.at(device)
            .set_briefcase(Briefcase::from_json(briefcase(this.briefcase))?)
    }

    fn open(&self, device: &Device) -> Result<Attache, Error> {
        let store = match &device.folder {
            Some(folder) => {
                let path = folder.path().join("device.db");
                let size = std::fs::metadata(&path).map_or(0, |file| file.len());
                let room = device.room.load(Ordering::Relaxed);
                let store_bytes = size.checked_add(room);
                let limits = Limits {
                    store_bytes,
                    ..Limits::default()
                };
                Attache::open_with(path, Options::new().limits(limits))?
            }
            None => Attache::open_in_memory()?,
        };
        let watcher = Arc::clone(&device.watcher);
        let remote = self.world.watched_remote(device.user, watcher)?;
        Ok(store
            .with_env(device.env.clone())
            .with_remote(remote)
            .with_retries(device.retries))
    }

    /// Ends the process of a device and starts it again; only what is in a file outlives that.
    pub(super) fn restart(&self, device: usize, chance: &mut Prng) {
        let this = &self.devices[device];
        let Some(folder) = &this.folder else { return };
        let room = match self.has(Class::FullDisk) && chance.percent(40) {
            true => chance.below(200_000) as u64,
            false => u64::MAX,
        };
        this.room.store(room, Ordering::Relaxed);
        self.tell(format_args!(
            "device {device} starts again, {room} bytes are free"
        ));
        self.count("restarts");
        // What SQLite cleans up when it closes, a process that dies does not.
        let dead = tempfile::tempdir()
            .and_then(|dead| disk::copy(folder.path(), dead.path()).map(|()| dead));
        *locked(&this.store) = None;
        let restored = dead.and_then(|dead| disk::restore(dead.path(), folder.path()));
        let opened = restored
            .map_err(|error| Error::new(ErrorKind::StorageUnavailable, error.to_string()))
            .and_then(|()| self.open(this));
        match opened {
            Ok(store) => *locked(&this.store) = Some(store),
            Err(error) => {
                let line = format!("device {device} does not start again: {error:?}");
                self.ledger().wrong.push(line);
            }
        }
    }

    /// Gives all devices the room they need.
    pub(super) fn make_room(&self) {
        for device in 0..self.devices.len() {
            // A stream that is at its end leaves no disk full.
            if self.devices[device].room.load(Ordering::Relaxed) < u64::MAX {
                self.restart(device, &mut Prng::still());
            }
        }
    }

    /// Puts the clock of a device to another time.
    pub(super) fn jump_clock(&self, device: usize, chance: &mut Prng) {
        if !self.has(Class::Clocks) {
            return;
        }
        let ten_years = 10 * 365 * 86_400;
        let by = [
            -ten_years, ten_years, -86_400, 86_400, -3_600, 3_600, -40, 40,
        ][chance.below(8)];
        self.tell(format_args!(
            "the clock of device {device} goes {by} seconds wrong"
        ));
        self.devices[device].env.clock_error().set(by);
    }

    /// All that has not arrived is in a journal or in a file.
    pub(super) fn account(&self) {
        let mut journals = BTreeSet::new();
        for device in 0..self.devices.len() {
            match self.at(device).pending() {
                Ok(pending) => journals.extend(pending.iter().flat_map(values_of)),
                Err(error) => return self.ledger().wrong.push(format!("{error:?}")),
            }
            // Of two edits of one person, made on two devices, the conflict has one.
            let conflicts = self.at(device).conflicts().unwrap_or_default();
            let fields = conflicts.iter().flat_map(|conflict| &conflict.fields);
            journals.extend(fields.flat_map(|it| [text(&it.local), text(&it.remote)]));
        }
        self.ledger().account(&journals);
    }

    /// What a report says is true.
    pub(super) fn check_report(&self, who: Who, report: &Report) {
        let device = self.at(who.0);
        let left = device.pending().map_or(usize::MAX, |left| left.len());
        let conflicts = device.conflicts().map_or(usize::MAX, |open| open.len());
        if report.is_settled() && left + conflicts > 0 || report.conflicts != conflicts as u64 {
            let line = format!(
                "device {} has {left} edits and {conflicts} conflicts left and reports {report:?}",
                who.0
            );
            self.ledger().wrong.push(line);
        }
        for (record, _) in &report.unpinned {
            self.pins().remove(&(who.0, record.as_str().to_owned()));
            if record.is_local() {
                self.pins().retain(|(device, _)| *device != who.0);
            }
        }
    }

    /// No error names a token.
    pub(super) fn check_secrets(&self, error: Option<Error>) {
        let Some(error) = error else { return };
        let text = format!("{error} {error:?}");
        let told = |user: &attache_sandbox::UserAccess| text.contains(&user.access_token);
        if self.world.users.iter().any(told) {
            self.ledger()
                .wrong
                .push(format!("an error names a token: {error}"));
        }
    }
}

fn world(seed: u64, classes: &BTreeSet<Class>, chance: &mut Prng) -> Result<World, String> {
    let builder = Sandbox::builder()
        .records(ROWS)
        .seed(seed)
        .now(BEGINNINGS[chance.below(BEGINNINGS.len())])
        .time_zone(ZONES[chance.below(ZONES.len())])
        .manual_clock();
    let world = World::around(seed, builder.build().map_err(|error| error.to_string())?);
    let office = Rights {
        view_all: true,
        modify_all: true,
    };
    let (user, boss) = (world.users[1].id.clone(), world.boss().to_owned());
    let rolls_up = chance.percent(50);
    world.sandbox.with_org(|org| {
        org.set_rights(&user, office);
        if classes.contains(&Class::Duplicates) {
            let rule = DuplicateRule {
                name: "Same mail".into(),
                object: "Contact".into(),
                fields: vec!["Email".into()],
                action: DuplicateAction::Alert,
            };
            org.add_duplicate_rule(rule)?;
        }
        if rolls_up {
            org.after_save("Contact", move |org, saved| roll_up(org, &boss, &saved.id));
        }
        Ok::<_, String>(())
    })?;
    Ok(world)
}

/// Notes in an account which of its contacts was saved last, as a trigger of the org does.
fn roll_up(
    org: &mut Org,
    boss: &str,
    contact: &str,
) -> Result<(), attache_sandbox::org::SaveError> {
    let account = org.read(boss, "Contact", contact).map(|row| {
        let account = row.get("AccountId");
        format!("{account:?}")
    });
    // The id is the one text in it.
    let account = account.as_deref().and_then(|text| text.split('"').nth(1));
    let Some(account) = account.map(str::to_owned) else {
        return Ok(());
    };
    let last = fields(&[("Description", &format!("\"last contact {contact}\""))]);
    match org.update(boss, "Account", &account, &last, None) {
        // A locked account is left as it is.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn device(
    world: &World,
    seed: u64,
    at: usize,
    classes: &BTreeSet<Class>,
    scene: &Arc<OnceLock<Weak<Scene>>>,
) -> Result<Device, Error> {
    let mut chance = Prng::fork(seed, &format!("device {at}"));
    let user = match at {
        0 => 0,
        1 if chance.percent(50) => 1,
        _ => chance.below(PEOPLE),
    };
    let in_file = classes.contains(&Class::Disk) && chance.percent(60);
    let folder = match in_file {
        true => Some(
            tempfile::tempdir()
                .map_err(|error| Error::new(ErrorKind::StorageUnavailable, error.to_string()))?,
        ),
        false => None,
    };
    let scene = Arc::clone(scene);
    let watcher: Watcher = Arc::new(move |moment, method, target| {
        if let Some(scene) = scene.get().and_then(Weak::upgrade) {
            scene.meanwhile((at, user), moment, method, target);
        }
    });
    Ok(Device {
        user,
        briefcase: if user == 1 { 1 } else { chance.below(4) },
        retries: if chance.percent(70) { 3 } else { 0 },
        env: SimEnv::new(world.sandbox.clone(), seed.wrapping_add(at as u64)),
        watcher,
        folder,
        room: AtomicU64::new(u64::MAX),
        store: Mutex::new(None),
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
