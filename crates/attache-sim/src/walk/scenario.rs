//! What a walk is made of, and the line that replays it.

use crate::random::Prng;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A class of things that happen or go wrong, on or off in a walk as its seed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Requests that never reach the org.
    LostRequests,
    /// Requests that the org executed, whose answers are lost.
    LostAnswers,
    /// Answers that are cut off, and bytes that are no answer.
    TornAnswers,
    /// Answers of an edge server instead of the org: HTML with 200, 429, 500 and 503.
    BusyServer,
    /// Tokens that are over before their time.
    Unauthorized,
    /// The org's limit of calls.
    Limits,
    /// Short pages, and locators that die early.
    Pages,
    /// Transactions that commit long after their stamps.
    Late,
    /// Sessions that are dropped at any wait, devices that lose their process, cancelled sessions.
    Death,
    /// Stores in files, whose devices lose their process.
    Disk,
    /// No network at all for a while.
    Offline,
    /// Device clocks that are wrong, and jump.
    Clocks,
    /// Days and weeks that pass.
    Weeks,
    /// What people do while a session runs.
    Meanwhile,
    /// Colleagues at the org.
    Colleagues,
    /// Owners and shares that change.
    Sharing,
    /// Rights and fields that come and go.
    Rights,
    /// Rows that are merged into others.
    Merges,
    /// Several edits in one changeset, all or none of them at the org.
    Changesets,
    /// Edits taken back, by mutation, by record and by changeset.
    Undo,
    /// Pins and records fetched by id.
    Pins,
    /// Briefcases that change.
    Briefcases,
    /// Files attached to records.
    Files,
    /// Unsent work that is carried to another device, and devices that are wiped.
    Carry,
    /// Sessions with the token of somebody else.
    Strangers,
    /// Duplicate rules of the org.
    Duplicates,
    /// Disks of those devices that are full.
    FullDisk,
    /// Requests that are cut off and reach the org later.
    Stragglers,
    /// Fields and objects that come, go and become others.
    Schema,
}

impl Class {
    /// All of them, in the order of their names here.
    pub const ALL: [Class; 29] = [
        Class::LostRequests,
        Class::LostAnswers,
        Class::TornAnswers,
        Class::BusyServer,
        Class::Unauthorized,
        Class::Limits,
        Class::Pages,
        Class::Late,
        Class::Death,
        Class::Disk,
        Class::Offline,
        Class::Clocks,
        Class::Weeks,
        Class::Meanwhile,
        Class::Colleagues,
        Class::Sharing,
        Class::Rights,
        Class::Merges,
        Class::Changesets,
        Class::Undo,
        Class::Pins,
        Class::Briefcases,
        Class::Files,
        Class::Carry,
        Class::Strangers,
        Class::Duplicates,
        Class::FullDisk,
        Class::Stragglers,
        Class::Schema,
    ];

    fn parse(text: &str) -> Option<Class> {
        Class::ALL
            .into_iter()
            .find(|class| class.to_string() == text)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names as they stand above.
        write!(f, "{self:?}")
    }
}

/// What a walk is made of. Everything that happens in it follows from this.
///
/// Its text replays it: `seed=17 steps=80`, and after shrinking
/// `seed=17 only=3,8,41 devices=1 off=LostAnswers,Late`.
///
/// ```
/// use attache_sim::Scenario;
///
/// let text = "seed=17 only=3,8,41 devices=1 off=Late,Death";
/// let scenario: Scenario = text.parse()?;
/// assert_eq!(scenario.to_string(), "seed=17 only=3,8,41 devices=1 off=Late,Death");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Decides all that is not said here.
    pub seed: u64,
    /// The steps that are taken, by their numbers: what a step does does not depend on the others' being there.
    pub steps: Vec<usize>,
    /// Devices at most; the seed says how many there are.
    pub devices_max: usize,
    /// What is off although the seed would have it.
    pub off: BTreeSet<Class>,
}

/// Devices of a world at most.
pub(super) const DEVICES_MAX: usize = 5;

impl Scenario {
    /// So many steps of a seed, with all that the seed says.
    pub fn new(seed: u64, steps: usize) -> Scenario {
        Scenario {
            seed,
            steps: (0..steps).collect(),
            devices_max: DEVICES_MAX,
            off: BTreeSet::new(),
        }
    }

    /// The classes that are on.
    pub fn classes(&self) -> BTreeSet<Class> {
        let mut chance = Prng::fork(self.seed, "classes");
        // A walk with everything in it gets nowhere: each has its own selection.
        let often = [45, 60, 80][chance.below(3)];
        let on = |class: &Class| {
            let drawn = chance.percent(often);
            drawn && !self.off.contains(class)
        };
        Class::ALL.into_iter().filter(on).collect()
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed={}", self.seed)?;
        if self.steps.iter().enumerate().all(|(at, step)| at == *step) {
            write!(f, " steps={}", self.steps.len())?;
        } else {
            let steps: Vec<String> = self.steps.iter().map(usize::to_string).collect();
            write!(f, " only={}", steps.join(","))?;
        }
        if self.devices_max < DEVICES_MAX {
            write!(f, " devices={}", self.devices_max)?;
        }
        if !self.off.is_empty() {
            let off: Vec<String> = self.off.iter().map(Class::to_string).collect();
            write!(f, " off={}", off.join(","))?;
        }
        Ok(())
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Scenario, String> {
        let mut scenario = Scenario::new(0, 0);
        for word in text.split_whitespace() {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| format!("{word:?}: a scenario is made of name=value"))?;
            let number = || {
                value
                    .parse::<usize>()
                    .map_err(|_| format!("{word:?}: no number"))
            };
            match name {
                "seed" => scenario.seed = number()? as u64,
                "steps" => scenario.steps = (0..number()?).collect(),
                "only" => {
                    let steps = value.split(',').map(str::parse);
                    let steps: Result<Vec<usize>, _> = steps.collect();
                    scenario.steps = steps.map_err(|_| format!("{word:?}: no numbers"))?;
                }
                "devices" => scenario.devices_max = number()?.clamp(1, DEVICES_MAX),
                "off" => {
                    for name in value.split(',') {
                        let class = Class::parse(name);
                        scenario
                            .off
                            .insert(class.ok_or_else(|| format!("there is no class {name:?}"))?);
                    }
                }
                _ => {
                    return Err(format!(
                        "{word:?}: known are seed, steps, only, devices, off"
                    ));
                }
            }
        }
        Ok(scenario)
    }
}
