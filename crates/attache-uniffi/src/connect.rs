//! How the org is talked to.

use attache_salesforce::{Budget, SalesforceBuilder};
use std::time::Duration;

/// Whether the org's assignment rules run when leads, cases and accounts are written.
///
/// A rule gives a record to somebody else than the person who made it, who may then no longer see it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Assignment {
    /// As the org does by itself: its active rules run.
    Org,
    /// No rule runs; a record stays with its owner.
    Off,
    /// The rule with this id runs, active or not.
    Rule {
        /// The rule's id.
        id: String,
    },
}

impl From<Assignment> for attache_salesforce::Assignment {
    fn from(assignment: Assignment) -> attache_salesforce::Assignment {
        match assignment {
            Assignment::Org => attache_salesforce::Assignment::Org,
            Assignment::Off => attache_salesforce::Assignment::Off,
            Assignment::Rule { id } => attache_salesforce::Assignment::Rule(id),
        }
    }
}

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpLimits {
    /// Bytes of an answer, after inflation, that are kept in memory.
    pub response_bytes_max: u64,
    /// Bytes of a request's body that one push call may reach.
    pub request_bytes_max: u64,
    /// How long to wait for a connection, TLS included, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may pause, in milliseconds.
    pub read_timeout_ms: u64,
    /// How long one call may take in all, in milliseconds.
    pub call_timeout_ms: u64,
}

impl From<HttpLimits> for attache_salesforce::Limits {
    fn from(limits: HttpLimits) -> attache_salesforce::Limits {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        attache_salesforce::Limits {
            response_bytes_max: bytes(limits.response_bytes_max),
            request_bytes_max: bytes(limits.request_bytes_max),
            connect_timeout: Duration::from_millis(limits.connect_timeout_ms),
            read_timeout: Duration::from_millis(limits.read_timeout_ms),
            call_timeout: Duration::from_millis(limits.call_timeout_ms),
        }
    }
}

/// The bounds of a request unless others are said: what to change some of.
#[uniffi::export]
pub fn default_http_limits() -> HttpLimits {
    let limits = attache_salesforce::Limits::default();
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    HttpLimits {
        response_bytes_max: limits.response_bytes_max as u64,
        request_bytes_max: limits.request_bytes_max as u64,
        connect_timeout_ms: ms(limits.connect_timeout),
        read_timeout_ms: ms(limits.read_timeout),
        call_timeout_ms: ms(limits.call_timeout),
    }
}

/// How the org is talked to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SalesforceOptions {
    /// The version of the API, such as `67.0`.
    #[uniffi(default = None)]
    pub api_version: Option<String>,
    /// The name under which the org's logs know this application.
    #[uniffi(default = None)]
    pub client_name: Option<String>,
    /// API calls that may be made while this is set.
    #[uniffi(default = None)]
    pub calls_max: Option<u64>,
    /// Percent of the org's daily calls, made by all its clients together, beyond which none is made.
    #[uniffi(default = None)]
    pub org_percent_max: Option<u8>,
    /// Whether the org's assignment rules hand out what is written; as the org does by itself unless said.
    #[uniffi(default = None)]
    pub assignment: Option<Assignment>,
    /// Bounds of one request; `default_http_limits` unless said. A transport of the application's minds its own clock.
    #[uniffi(default = None)]
    pub limits: Option<HttpLimits>,
}

impl SalesforceOptions {
    pub(crate) fn apply(self, mut org: SalesforceBuilder) -> SalesforceBuilder {
        if let Some(version) = self.api_version {
            org = org.api_version(version);
        }
        if let Some(name) = self.client_name {
            org = org.client_name(name);
        }
        if let Some(assignment) = self.assignment {
            org = org.assignment(assignment.into());
        }
        if let Some(limits) = self.limits {
            org = org.limits(limits.into());
        }
        org.budget(Budget {
            calls_max: self.calls_max,
            org_percent_max: self.org_percent_max,
        })
    }
}
