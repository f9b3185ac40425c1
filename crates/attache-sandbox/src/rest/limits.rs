//! How much of everything is left, and how many rows there are.

use super::{Call, failure::Failure, machine::Machine, message::Response};
use crate::json;
use indexmap::IndexMap;
use serde::Serialize;
use std::collections::BTreeMap;

/// Calls of the last day, by the hour.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    hours: BTreeMap<i64, u64>,
}

impl Usage {
    /// Counts calls made now.
    pub(super) fn count(&mut self, now_s: i64, calls: u64) {
        let hour = now_s.div_euclid(3_600);
        self.hours.retain(|known, _| *known > hour - 24);
        *self.hours.entry(hour).or_default() += calls;
    }

    /// Tells how many calls the last day saw.
    pub(super) fn in_a_day(&self, now_s: i64) -> u64 {
        let hour = now_s.div_euclid(3_600);
        self.hours.range(hour - 23..).map(|(_, calls)| calls).sum()
    }

    /// Tells what the usage header says: the truth, or up to `wobble` less.
    pub(super) fn shown(&self, now_s: i64, wobble: u64) -> u64 {
        let calls = self.in_a_day(now_s);
        calls.saturating_sub((calls.wrapping_mul(0x9E37_79B9) >> 7) % (wobble + 1))
    }
}

/// The refusal when the day's calls are spent.
pub(super) fn exceeded() -> Failure {
    Failure::new(
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
    )
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Allowance {
    max: u64,
    remaining: u64,
}

/// `GET /limits`
pub(super) fn limits(machine: &Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let max = machine.switches.daily_calls_max;
    let used = machine.usage.in_a_day(machine.now_s());
    let mut limits: IndexMap<&str, Allowance> = UNTOUCHED
        .iter()
        .map(|&(name, max)| {
            (
                name,
                Allowance {
                    max,
                    remaining: max,
                },
            )
        })
        .collect();
    limits.insert(
        "DailyApiRequests",
        Allowance {
            max,
            remaining: max.saturating_sub(used),
        },
    );
    limits.sort_unstable_keys();
    Ok(Response::json(200, json::write(&limits)))
}

#[derive(Serialize)]
struct Counts {
    #[serde(rename = "sObjects")]
    objects: Vec<Count>,
}

#[derive(Serialize)]
struct Count {
    count: usize,
    name: String,
}

/// `GET /limits/recordCount?sObjects=A,B`; objects without rows are absent.
pub(super) fn record_count(machine: &Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let asked: Option<Vec<&str>> = call
        .parameter("sObjects")
        .map(|names| names.split(',').map(str::trim).collect());
    let objects = machine
        .org
        .schema()
        .objects()
        .iter()
        .filter(|object| {
            asked.as_ref().is_none_or(|names| {
                names
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(&object.name))
            })
        })
        .map(|object| Count {
            count: machine.org.count(&object.name),
            name: object.name.clone(),
        })
        .filter(|object| object.count > 0)
        .collect();
    Ok(Response::json(200, json::write(&Counts { objects })))
}

/// What a real org allows (a recorded answer of a Developer Edition) and this one has no use for.
const UNTOUCHED: &[(&str, u64)] = &[
    ("AnalyticsExternalDataSizeMB", 40_960),
    ("BOZosCalloutHourlyLimit", 20_000),
    ("ConcurrentAsyncGetReportInstances", 200),
    ("ConcurrentEinsteinDataInsightsStoryCreation", 5),
    ("ConcurrentEinsteinDiscoveryStoryCreation", 2),
    ("ConcurrentSyncReportRuns", 20),
    ("DailyAnalyticsDataflowJobExecutions", 60),
    ("DailyAnalyticsUploadedFilesSizeMB", 51_200),
    ("DailyAsyncApexExecutions", 250_000),
    ("DailyBulkApiBatches", 15_000),
    ("DailyBulkV2QueryFileStorageMB", 976_562),
    ("DailyBulkV2QueryJobs", 10_000),
    ("DailyDurableGenericStreamingApiEvents", 10_000),
    ("DailyDurableStreamingApiEvents", 10_000),
    ("DailyEinsteinDataInsightsStoryCreation", 1_000),
    ("DailyEinsteinDiscoveryPredictAPICalls", 50_000),
    ("DailyEinsteinDiscoveryPredictionsByCDC", 500_000),
    ("DailyEinsteinDiscoveryStoryCreation", 100),
    ("DailyFunctionsApiCallLimit", 50_000),
    ("DailyGenericStreamingApiEvents", 10_000),
    ("DailyStandardVolumePlatformEvents", 10_000),
    ("DailyStreamingApiEvents", 10_000),
    ("DailyWorkflowEmails", 195),
    ("DataStorageMB", 5),
    ("DurableStreamingApiConcurrentClients", 20),
    ("FileStorageMB", 20),
    ("HourlyAsyncReportRuns", 1_200),
    ("HourlyDashboardRefreshes", 200),
    ("HourlyDashboardResults", 5_000),
    ("HourlyDashboardStatuses", 999_999_999),
    ("HourlyLongTermIdMapping", 100_000),
    ("HourlyManagedContentPublicRequests", 50_000),
    ("HourlyODataCallout", 1_000),
    ("HourlyPublishedPlatformEvents", 50_000),
    ("HourlyPublishedStandardVolumePlatformEvents", 1_000),
    ("HourlyShortTermIdMapping", 100_000),
    ("HourlySyncReportRuns", 500),
    ("HourlyTimeBasedWorkflow", 50),
    ("MassEmail", 10),
    ("MonthlyEinsteinDiscoveryStoryCreation", 500),
    ("MonthlyPlatformEventsUsageEntitlement", 0),
    ("Package2VersionCreates", 6),
    ("Package2VersionCreatesWithoutValidation", 500),
    ("PermissionSets", 1_500),
    ("PrivateConnectOutboundCalloutHourlyLimitMB", 0),
    ("SingleEmail", 15),
    ("StreamingApiConcurrentClients", 20),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_forgotten_after_a_day() {
        let mut usage = Usage::default();
        usage.count(0, 1);
        usage.count(3_600, 2);
        assert_eq!(usage.in_a_day(3_600), 3);
        assert_eq!(usage.in_a_day(24 * 3_600), 2);
        usage.count(26 * 3_600, 4);
        assert_eq!(usage.in_a_day(26 * 3_600), 4);
        assert!((2..=4).contains(&usage.shown(26 * 3_600, 2)));
        assert_eq!(usage.shown(26 * 3_600, 0), 4);
    }
}
