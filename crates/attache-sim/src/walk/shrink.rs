//! Makes a failing scenario small.

use super::{Class, Failure, Scenario, run};

/// A scenario that was made small, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shrunk {
    /// The small one, with its story.
    pub failure: Failure,
    /// Walks that it took.
    pub walks: usize,
}

/// Makes a failing scenario as small as it gets within so many walks: it leaves out classes, devices and steps as
/// long as the same is wrong, be it about another record or device.
pub fn shrink(failure: Failure, walks_max: usize) -> Shrunk {
    let mut shrinker = Shrinker {
        best: failure,
        walks: 0,
        walks_max,
    };
    loop {
        let before = shrinker.best.scenario.clone();
        shrinker.leave_out_steps();
        shrinker.leave_out_classes();
        shrinker.leave_out_devices();
        if shrinker.best.scenario == before || shrinker.walks >= walks_max {
            break;
        }
    }
    // Once more, for the story.
    let failure = match run(&shrinker.best.scenario, true) {
        Err(failure) => failure,
        Ok(_) => shrinker.best,
    };
    Shrunk {
        failure,
        walks: shrinker.walks + 1,
    }
}

struct Shrinker {
    best: Failure,
    walks: usize,
    walks_max: usize,
}

impl Shrinker {
    /// Keeps a smaller scenario if it fails in the same way.
    fn attempt(&mut self, scenario: Scenario) -> bool {
        if self.walks >= self.walks_max {
            return false;
        }
        self.walks += 1;
        match run(&scenario, false) {
            Err(failure) if kind(&failure) == kind(&self.best) => {
                self.best = failure;
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    fn leave_out_classes(&mut self) {
        for class in Class::ALL {
            if self.best.scenario.classes().contains(&class) {
                let mut smaller = self.best.scenario.clone();
                smaller.off.insert(class);
                self.attempt(smaller);
            }
        }
    }

    fn leave_out_devices(&mut self) {
        for count in 1..self.best.scenario.devices_max {
            let mut smaller = self.best.scenario.clone();
            smaller.devices_max = count;
            if self.attempt(smaller) {
                return;
            }
        }
    }

    /// Delta debugging (Zeller, Hildebrandt 2002): ever smaller runs of steps are left out.
    fn leave_out_steps(&mut self) {
        let mut run = self.best.scenario.steps.len() / 2;
        while run > 0 {
            let mut at = 0;
            while at < self.best.scenario.steps.len() {
                let mut smaller = self.best.scenario.clone();
                let end = (at + run).min(smaller.steps.len());
                smaller.steps.drain(at..end);
                if !self.attempt(smaller) {
                    at += run;
                }
            }
            run /= 2;
        }
    }
}

/// What is wrong, without the names and numbers of this walk.
fn kind(failure: &Failure) -> Option<Vec<&str>> {
    let is_name =
        |word: &&str| word.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
    let words = failure.wrong.first()?.split_whitespace();
    Some(words.filter(|word| !is_name(word)).collect())
}
