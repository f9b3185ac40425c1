//! When a device syncs next, so that a fleet shares what an org allows in a day.

use crate::engine::Attache;
use crate::env::LocalTime;
use crate::error::Result;
use crate::remote::ApiUsage;
use crate::store::Durability;
use std::time::Duration;

/// An org counts its calls over the last 24 hours: what it told earlier says nothing any more.
const TOLD_FOR: Duration = Duration::from_secs(86_400);
/// Up to this part of the org's calls nobody has to hold back.
const PLENTY: f64 = 0.25;
/// From this part on everybody holds back as much as they can.
const SCARCE: f64 = 0.85;
const SETTING: &str = "api_usage";

/// How often a device may sync by itself.
///
/// Thousands of devices share one org's calls, and none knows of the others. Each
/// hears in every answer how many calls all of them have made; the more that is, the
/// longer it waits.
///
/// # Examples
/// ```
/// use attache::Pace;
/// use std::time::Duration;
///
/// let hourly = Pace { often: Duration::from_secs(3_600), ..Pace::default() };
/// assert!(hourly.often < hourly.seldom);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two sessions while the org has calls in plenty (a quarter used, at most): 15 minutes.
    pub often: Duration,
    /// Between two sessions while the org's calls run short (85 percent used): 6 hours.
    pub seldom: Duration,
    /// Over how long the first sessions of a fleet are spread that was switched on at the same
    /// moment: 15 minutes.
    pub spread: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            often: Duration::from_secs(15 * 60),
            seldom: Duration::from_secs(6 * 3_600),
            spread: Duration::from_secs(15 * 60),
        }
    }
}

impl Pace {
    /// How long to wait. `since` is how long ago the last session ended; `draw` is a part of one.
    fn wait(&self, used: f64, since: Option<Duration>, draw: f64) -> Duration {
        let scarcity = ((used - PLENTY) / (SCARCE - PLENTY)).clamp(0.0, 1.0);
        let (often, seldom) = (self.often.as_secs_f64(), self.seldom.as_secs_f64());
        // Between the two it grows by the same factor for each call in a hundred: a fleet that
        // finds half of the calls used before noon gets through the day.
        let between = often.max(1.0) * (seldom.max(often) / often.max(1.0)).powf(scarcity);
        let due = between * (0.5 + draw);
        let waited = since.map(|since| since.as_secs_f64());
        let seconds = match waited {
            Some(waited) if waited < due => due - waited,
            // Everybody whose time passed while they were switched off comes back at once.
            _ if scarcity > 0.0 => draw * between.max(self.spread.as_secs_f64()),
            _ => draw * self.spread.as_secs_f64(),
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(self.seldom)
    }
}

impl Attache {
    /// Tells how long to wait before the next session that nobody asked for.
    ///
    /// Ask once when a session has ended, however it ended, and when the application wakes up;
    /// wait that long, then sync. A session that a person asks for need not wait. Half of the wait
    /// is chance, so two devices that were told the same do not come back together.
    ///
    /// # Errors
    /// Those of the store.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn sleep(_: std::time::Duration) {}
    /// # async fn run(attache: attache::Attache) -> attache::Result<()> {
    /// use attache::Pace;
    ///
    /// loop {
    ///     sleep(attache.next_sync(&Pace::default())?).await;
    ///     if let Err(error) = attache.sync().await {
    ///         println!("the next one goes on from here: {error}");
    ///     }
    /// }
    /// # }
    /// ```
    pub fn next_sync(&self, pace: &Pace) -> Result<Duration> {
        let now = self.env.now();
        let told = self.store.read(|r| r.setting(SETTING))?;
        let told = told.as_deref().and_then(Told::parse);
        let ago = told.as_ref().map(|told| told.ago(now));
        let used = match &told {
            Some(told) if ago.is_some_and(|ago| ago < TOLD_FOR) => told.part(),
            _ => 0.0,
        };
        Ok(pace.wait(used, ago, self.draw()))
    }

    /// Keeps what the org told of its calls in a session that ended.
    pub(crate) fn note_usage(&self, usage: ApiUsage) -> Result<()> {
        let told = Told {
            at: self.env.now(),
            usage,
        };
        self.store.write(Durability::Ordered, |w| {
            w.set_setting(SETTING, &told.print())
        })
    }

    fn draw(&self) -> f64 {
        let mut bytes = [0; 4];
        self.env.random(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }
}

/// What an org told of its calls, and when.
struct Told {
    at: LocalTime,
    usage: ApiUsage,
}

impl Told {
    /// Reads `milliseconds used allowed`, the last two `-` if the org did not tell.
    fn parse(text: &str) -> Option<Told> {
        let mut words = text.split(' ');
        let at = LocalTime(words.next()?.parse().ok()?);
        let mut number = || words.next().and_then(|word| word.parse().ok());
        let (used, allowed) = (number(), number());
        let usage = ApiUsage {
            used,
            allowed,
            ..ApiUsage::default()
        };
        Some(Told { at, usage })
    }

    fn print(&self) -> String {
        let number = |number: Option<u64>| number.map_or("-".into(), |number| number.to_string());
        let ApiUsage { used, allowed, .. } = self.usage;
        format!("{} {} {}", self.at.0, number(used), number(allowed))
    }

    /// A clock that was turned back makes it now.
    fn ago(&self, now: LocalTime) -> Duration {
        Duration::from_millis(u64::try_from(now.0.saturating_sub(self.at.0)).unwrap_or(0))
    }

    fn part(&self) -> f64 {
        match (self.usage.used, self.usage.allowed) {
            (Some(used), Some(allowed)) if allowed > 0 => used as f64 / allowed as f64,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;

    fn wait(used: f64, since_minutes: Option<u64>, draw: f64) -> u64 {
        let since = since_minutes.map(|minutes| Duration::from_secs(minutes * MINUTE));
        Pace::default().wait(used, since, draw).as_secs() / MINUTE
    }

    #[test]
    fn the_fewer_calls_are_left_the_longer_a_device_waits() {
        let waits: Vec<u64> = [0.0, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 7.0]
            .map(|used| wait(used, Some(0), 0.5))
            .to_vec();
        assert_eq!(waits, [15, 15, 33, 73, 162, 360, 360, 360]);
    }

    #[test]
    fn half_of_the_wait_is_chance() {
        assert_eq!((wait(0.0, Some(0), 0.0), wait(0.0, Some(0), 1.0)), (7, 22));
    }

    #[test]
    fn time_that_has_passed_is_not_waited_for_again() {
        assert_eq!(wait(0.0, Some(10), 0.5), 5);
    }

    #[test]
    fn devices_that_are_late_or_new_are_spread() {
        for since in [Some(3 * 24 * 60), None] {
            assert_eq!((wait(0.0, since, 0.0), wait(0.0, since, 1.0)), (0, 15));
        }
        let scarce = wait(0.9, Some(11 * 60), 1.0);
        assert_eq!(scarce, 360, "over as long as a device waits then");
    }

    #[test]
    fn paces_that_make_no_sense_are_borne() {
        let pace = Pace {
            often: Duration::MAX,
            seldom: Duration::ZERO,
            spread: Duration::MAX,
        };
        for used in [0.0, 0.5, f64::NAN, f64::INFINITY] {
            let _any = pace.wait(used, Some(Duration::MAX), 1.0);
        }
        let none = Pace {
            often: Duration::ZERO,
            seldom: Duration::ZERO,
            spread: Duration::ZERO,
        };
        assert_eq!(none.wait(0.0, None, 1.0), Duration::ZERO);
    }

    #[test]
    fn what_was_told_reads_back() {
        let usage = ApiUsage {
            used: Some(90),
            allowed: None,
            ..ApiUsage::default()
        };
        let told = Told {
            at: LocalTime(5),
            usage,
        };
        let read = Told::parse(&told.print()).unwrap();
        assert_eq!((read.at, read.usage), (told.at, told.usage));
        assert_eq!(read.ago(LocalTime(4)), Duration::ZERO);
        for junk in ["", "x 1 2", "-"] {
            assert!(Told::parse(junk).is_none(), "{junk}");
        }
    }
}
