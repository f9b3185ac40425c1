//! When a device syncs next, so that a fleet shares what an org allows in a day.

use crate::engine::Attache;
use crate::env::LocalTime;
use crate::error::Result;
use crate::remote::ApiUsage;
use crate::store::{Durability, Store};
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
    /// Tells how long to wait, for hosts that keep their own timetable; see [`Attache::next_sync`].
    ///
    /// `usage` is what the org told last, `since` how long ago that was; `draw` is chance, from 0 to 1. A pace without sense is answered with `seldom`.
    ///
    /// # Examples
    /// ```
    /// use attache::{ApiUsage, Pace};
    /// use std::time::Duration;
    ///
    /// let usage = |used| ApiUsage { used: Some(used), allowed: Some(100_000), ..ApiUsage::default() };
    /// let wait = |used| Pace::default().wait(usage(used), Some(Duration::ZERO), 0.5);
    /// assert_eq!(wait(10_000), Duration::from_secs(15 * 60));
    /// assert_eq!(wait(90_000), Duration::from_secs(6 * 3_600));
    /// ```
    pub fn wait(&self, usage: ApiUsage, since: Option<Duration>, draw: f64) -> Duration {
        let used = match (usage.used, usage.allowed) {
            (Some(used), Some(allowed)) if allowed > 0 => used as f64 / allowed as f64,
            _ => 0.0,
        };
        // Hour by hour the calls of that day are counted no more.
        let age = since.map_or(1.0, |since| since.as_secs_f64() / TOLD_FOR.as_secs_f64());
        let used = used * (1.0 - age).clamp(0.0, 1.0);
        let scarcity = ((used - PLENTY) / (SCARCE - PLENTY)).clamp(0.0, 1.0);
        let (often, seldom) = (self.often.as_secs_f64(), self.seldom.as_secs_f64());
        // Between the two it grows by the same factor for each call in a hundred: a fleet that
        // finds half of the calls used before noon gets through the day.
        let between = often.max(1.0) * (seldom.max(often) / often.max(1.0)).powf(scarcity);
        let draw = draw.clamp(0.0, 1.0);
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
    /// is chance, so two devices that were told the same do not come back together. If the last
    /// session was told when it makes sense to come back
    /// ([`Stopped::retry_after_ms`](crate::Stopped)), it is not before, whatever the pace is and
    /// across restarts.
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
        let held = match (&told, ago) {
            (Some(told), Some(ago)) => told.retry_after.saturating_sub(ago),
            _ => Duration::ZERO,
        };
        let usage = told.map_or_else(ApiUsage::default, |told| told.usage);
        Ok(pace.wait(usage, ago, self.draw()).max(held))
    }

    fn draw(&self) -> f64 {
        let mut bytes = [0; 4];
        self.env.random(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }
}

/// Keeps what an org told of its calls in a session that ended, and how long another makes no sense.
pub(crate) fn note(
    store: &Store,
    at: LocalTime,
    usage: ApiUsage,
    retry_after: Duration,
) -> Result<()> {
    let told = Told {
        at,
        usage,
        retry_after,
    };
    let told = told.print();
    store.write(Durability::Ordered, |w| w.set_setting(SETTING, &told))
}

/// What an org told of its calls, and when.
struct Told {
    at: LocalTime,
    usage: ApiUsage,
    retry_after: Duration,
}

impl Told {
    /// Reads `milliseconds used allowed retry-after`: the second and third are `-` if the org did not tell,
    /// the last, in milliseconds, is not in stores of earlier versions.
    fn parse(text: &str) -> Option<Told> {
        let mut words = text.split(' ');
        let at = LocalTime(words.next()?.parse().ok()?);
        let mut number = || words.next().and_then(|word| word.parse().ok());
        let (used, allowed) = (number(), number());
        let retry_after = Duration::from_millis(number().unwrap_or(0));
        let usage = ApiUsage {
            used,
            allowed,
            ..ApiUsage::default()
        };
        Some(Told {
            at,
            usage,
            retry_after,
        })
    }

    fn print(&self) -> String {
        let number = |number: Option<u64>| number.map_or("-".into(), |number| number.to_string());
        let ApiUsage { used, allowed, .. } = self.usage;
        let retry_after = u64::try_from(self.retry_after.as_millis()).unwrap_or(u64::MAX);
        let (used, allowed) = (number(used), number(allowed));
        format!("{} {used} {allowed} {retry_after}", self.at.0)
    }

    /// A clock that was turned back makes it now.
    fn ago(&self, now: LocalTime) -> Duration {
        Duration::from_millis(u64::try_from(now.0.saturating_sub(self.at.0)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;

    fn wait(used: u64, since_minutes: Option<u64>, draw: f64) -> u64 {
        let since = since_minutes.map(|minutes| Duration::from_secs(minutes * MINUTE));
        Pace::default().wait(percent(used), since, draw).as_secs() / MINUTE
    }

    fn percent(used: u64) -> ApiUsage {
        ApiUsage {
            used: Some(used),
            allowed: Some(100),
            ..ApiUsage::default()
        }
    }

    #[test]
    fn the_fewer_calls_are_left_the_longer_a_device_waits() {
        let waits: Vec<u64> = [0, 25, 40, 55, 70, 85, 100, 700]
            .map(|used| wait(used, Some(0), 0.5))
            .to_vec();
        assert_eq!(waits, [15, 15, 33, 73, 162, 360, 360, 360]);
    }

    #[test]
    fn half_of_the_wait_is_chance() {
        assert_eq!((wait(0, Some(0), 0.0), wait(0, Some(0), 1.0)), (7, 22));
    }

    #[test]
    fn time_that_has_passed_is_not_waited_for_again() {
        assert_eq!(wait(0, Some(10), 0.5), 5);
    }

    #[test]
    fn devices_that_are_late_or_new_are_spread() {
        for since in [Some(3 * 24 * 60), None] {
            assert_eq!((wait(0, since, 0.0), wait(0, since, 1.0)), (0, 15));
        }
        let late = wait(100, Some(9 * 60 + 36), 1.0);
        assert_eq!(late, 95, "over as long as a device waits then");
    }

    #[test]
    fn paces_that_make_no_sense_are_borne() {
        let endless = Pace {
            often: Duration::MAX,
            ..Pace::default()
        };
        let wait = endless.wait(percent(0), Some(Duration::ZERO), 1.0);
        assert_eq!(wait, endless.seldom, "what fits no duration");
        for draw in [-1.0, 2.0, f64::NAN, f64::INFINITY] {
            let wait = Pace::default().wait(percent(100), Some(Duration::ZERO), draw);
            assert!(wait <= Pace::default().seldom.mul_f64(1.5), "{draw}");
        }
        let none = Pace {
            often: Duration::ZERO,
            seldom: Duration::ZERO,
            spread: Duration::ZERO,
        };
        assert_eq!(none.wait(percent(0), None, 1.0), Duration::ZERO);
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
            retry_after: Duration::from_secs(60),
        };
        let read = Told::parse(&told.print()).unwrap();
        assert_eq!((read.at, read.usage), (told.at, told.usage));
        assert_eq!(read.retry_after, told.retry_after);
        let earlier = Told::parse("5 90 -").unwrap();
        assert_eq!(
            (earlier.usage, earlier.retry_after),
            (usage, Duration::ZERO)
        );
        assert_eq!(read.ago(LocalTime(4)), Duration::ZERO);
        for junk in ["", "x 1 2", "-"] {
            assert!(Told::parse(junk).is_none(), "{junk}");
        }
    }
}
