//! How much: bytes, seconds and API calls.

use crate::transport::HttpResponse;
use attache::{ApiUsage, Error, ErrorKind, Result, ServerTime};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an answer, after inflation, that are kept in memory: 64 MiB. A page of
    /// 2,000 records is 2 to 20 MB.
    pub response_bytes_max: usize,
    /// Bytes of a request's body that one push call may reach: 8 MiB; one record
    /// may exceed it. Salesforce refuses more than 50 MB.
    pub request_bytes_max: usize,
    /// How long to wait for a connection, TLS included: 15 seconds.
    pub connect_timeout: Duration,
    /// How long an answer may pause, its first byte included: 150 seconds. A
    /// query may run for 120 seconds before its answer starts.
    pub read_timeout: Duration,
    /// How long one call may take in all: 10 minutes, the longest that Salesforce allows. One that
    /// carries a file has a second more for each 16 KiB of it.
    pub call_timeout: Duration,
}

/// Bytes of a file that the slowest line carries in a second.
const SLOWEST: u64 = 16 << 10;

impl Limits {
    /// How long a call may take that carries so many bytes of a file.
    pub(crate) fn call_timeout_of(&self, bytes: u64) -> Duration {
        self.call_timeout
            .saturating_add(Duration::from_secs(bytes / SLOWEST))
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            response_bytes_max: 64 << 20,
            request_bytes_max: 8 << 20,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(150),
            call_timeout: Duration::from_secs(600),
        }
    }
}

/// How many API calls may be made. Nothing is capped by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Calls that this client may make in its life.
    pub calls_max: Option<u64>,
    /// Percent of the org's daily calls, made by all its clients together, beyond
    /// which this client makes none. The org's counter is a hint: it lags and wavers.
    pub org_percent_max: Option<u8>,
}

/// Counts calls, and reads what answers tell besides their body.
#[derive(Debug)]
pub(crate) struct Meter {
    budget: Budget,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    usage: ApiUsage,
    server_time: Option<ServerTime>,
    /// The last call was not made, for the org's count.
    turned_away: bool,
}

impl Meter {
    pub(crate) fn new(budget: Budget) -> Meter {
        Meter {
            budget,
            state: Mutex::default(),
        }
    }

    /// Counts a call that is about to be made.
    ///
    /// # Errors
    /// `LimitReached` if the budget does not allow it; nothing is counted then.
    pub(crate) fn admit(&self) -> Result<()> {
        let mut state = self.lock();
        let usage = state.usage;
        if self.budget.calls_max.is_some_and(|max| usage.calls >= max) {
            let message = format!("the budget of {} API calls is used up", usage.calls);
            return Err(Error::new(ErrorKind::LimitReached, message));
        }
        if let (Some(max), Some(percent)) = (self.budget.org_percent_max, percent(&usage))
            && percent >= u64::from(max)
            && !state.turned_away
        {
            // The next call is let through: without it, nobody would ever see the counter fall.
            state.turned_away = true;
            let message = format!("the org has used {percent} % of its API calls of today");
            return Err(Error::new(ErrorKind::LimitReached, message));
        }
        state.turned_away = false;
        state.usage.calls += 1;
        Ok(())
    }

    /// Reads an answer's headers.
    pub(crate) fn observe(&self, answer: &HttpResponse) {
        let mut state = self.lock();
        if let Some((used, allowed)) = answer.header("Sforce-Limit-Info").and_then(api_usage) {
            state.usage.used = Some(used);
            state.usage.allowed = Some(allowed);
        }
        if let Some(time) = answer.header("Date").and_then(from_http_date) {
            state.server_time = Some(time);
        }
    }

    pub(crate) fn usage(&self) -> ApiUsage {
        self.lock().usage
    }

    pub(crate) fn server_time(&self) -> Option<ServerTime> {
        self.lock().server_time
    }

    /// Says whether the daily limit, rather than too many calls at once, is what was hit.
    ///
    /// Both have the same code. Without a count, the answer is yes: it stops for longer.
    pub(crate) fn day_is_used_up(&self) -> bool {
        percent(&self.usage()).is_none_or(|percent| percent >= 90)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn percent(usage: &ApiUsage) -> Option<u64> {
    let (used, allowed) = (usage.used?, usage.allowed?);
    Some(used.saturating_mul(100) / allowed.max(1))
}

/// Reads `api-usage=569/15000;per-app-api-usage=17/250(appName=x)`.
fn api_usage(header: &str) -> Option<(u64, u64)> {
    let pair = header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, allowed) = pair.split_once('/')?;
    Some((used.trim().parse().ok()?, allowed.trim().parse().ok()?))
}

/// Reads `Sun, 22 Nov 2026 09:30:00 GMT`.
pub(crate) fn from_http_date(text: &str) -> Option<ServerTime> {
    let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(ServerTime(zoned.timestamp().as_second()))
}

/// Prints `Sun, 22 Nov 2026 09:30:00 GMT`; `None` beyond the year 9999.
pub(crate) fn to_http_date(time: ServerTime) -> Option<String> {
    let stamp = jiff::Timestamp::from_second(time.0).ok()?;
    Some(stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// Reads `Retry-After`, in seconds or as a date; a day at most.
pub(crate) fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let text = answer.header("Retry-After")?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let now = from_http_date(answer.header("Date")?)?;
            u64::try_from(from_http_date(text)?.0.saturating_sub(now.0)).ok()?
        }
    };
    Some(Duration::from_secs(seconds.min(86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, value: &str) -> HttpResponse {
        HttpResponse {
            headers: vec![(name.into(), value.into())],
            ..HttpResponse::default()
        }
    }

    #[test]
    fn usage_is_read_in_all_spellings() {
        let known = Some((569, 15_000));
        assert_eq!(api_usage("api-usage=569/15000"), known);
        assert_eq!(
            api_usage("per-app-api-usage=17/250(appName=x); api-usage=569/15000"),
            known
        );
        for junk in ["", "api-usage=", "api-usage=1", "api-usage=-1/9", "x=1/2"] {
            assert_eq!(api_usage(junk), None, "{junk}");
        }
    }

    #[test]
    fn the_counter_of_the_org_may_fall() {
        let meter = Meter::new(Budget::default());
        meter.observe(&answer("Sforce-Limit-Info", "api-usage=571/15000"));
        meter.observe(&answer("sforce-limit-info", "api-usage=569/15000"));
        assert_eq!(meter.usage().used, Some(569));
    }

    #[test]
    fn a_budget_of_calls_is_kept() {
        let meter = Meter::new(Budget {
            calls_max: Some(2),
            ..Budget::default()
        });
        meter.admit().unwrap();
        meter.admit().unwrap();
        assert_eq!(meter.admit().unwrap_err().kind(), ErrorKind::LimitReached);
        assert_eq!(meter.usage().calls, 2);
    }

    #[test]
    fn a_share_of_the_org_stops_and_asks_again_later() {
        let meter = Meter::new(Budget {
            org_percent_max: Some(80),
            ..Budget::default()
        });
        meter.observe(&answer("Sforce-Limit-Info", "api-usage=80/100"));
        assert_eq!(meter.admit().unwrap_err().kind(), ErrorKind::LimitReached);
        meter.admit().unwrap();
    }

    #[test]
    fn http_dates_read_back() {
        let time = ServerTime(1_795_339_800);
        let text = to_http_date(time).unwrap();
        assert_eq!(text, "Sun, 22 Nov 2026 09:30:00 GMT");
        assert_eq!(from_http_date(&text), Some(time));
        assert_eq!(from_http_date("yesterday"), None);
    }

    #[test]
    fn retry_after_is_read_and_bounded() {
        let seconds = |text| retry_after(&answer("Retry-After", text)).map(|d| d.as_secs());
        assert_eq!(seconds("30"), Some(30));
        assert_eq!(seconds("99999999"), Some(86_400));
        assert_eq!(seconds("soon"), None);
        let mut dated = answer("Retry-After", "Sun, 22 Nov 2026 09:30:40 GMT");
        dated
            .headers
            .push(("Date".into(), "Sun, 22 Nov 2026 09:30:00 GMT".into()));
        assert_eq!(retry_after(&dated), Some(Duration::from_secs(40)));
    }
}
