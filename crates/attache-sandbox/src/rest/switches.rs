//! The open points of the documentation that concern the wire, one field each.

use serde::{Deserialize, Serialize};

/// The error code of a condition that does not hold; the documented list has three that would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "each variant is the code of its name")]
pub enum PreconditionCode {
    MatchPreconditionFailed,
    MatchPreconditionRequired,
    #[serde(rename = "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE")]
    EntityFailedIfLastModifiedOnUpdate,
}

impl PreconditionCode {
    pub(crate) fn text(self) -> &'static str {
        match self {
            PreconditionCode::MatchPreconditionFailed => "MATCH_PRECONDITION_FAILED",
            PreconditionCode::MatchPreconditionRequired => "MATCH_PRECONDITION_REQUIRED",
            PreconditionCode::EntityFailedIfLastModifiedOnUpdate => {
                "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE"
            }
        }
    }
}

/// How the REST front reads the points that no official text or recording settles, and which of
/// the documented variants it shows.
///
/// A client must work whichever way they are set; the paragraph named is that of `salesforce-api.md`.
/// The points that concern rows and queries are in [`Switches`](crate::org::Switches).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestSwitches {
    /// §1.2: each refresh answers a new refresh token and kills the old one.
    pub rotates_refresh_tokens: bool,
    /// §1.2: seconds without a call after which an access token is worthless; `None`: never.
    pub session_idle_max_s: Option<i64>,
    /// §1.2: seconds that the `exp` of a signed assertion may lie ahead.
    pub assertion_life_max_s: i64,
    /// §2.4: calls a day; the next one is refused with `REQUEST_LIMIT_EXCEEDED`.
    pub daily_calls_max: u64,
    /// §2.4: by how much `api-usage` may fall behind the calls made; real counters are not monotonic.
    pub usage_wobble: u64,
    /// §2.4: each node of a graph counts as a call; otherwise the graph call is one.
    pub counts_graph_nodes: bool,
    /// §3.2: rows of a page at most. Below 200, pages are shorter than any batch size a client may
    /// ask for.
    pub page_rows_max: usize,
    /// §3.2: children that come with a row at most, if the batch size is not less; the rest come in
    /// pages of their own.
    pub child_rows_max: usize,
    /// §3.2: seconds a query locator lives. Documented: two days.
    pub locator_life_s: i64,
    /// §3.2: open query locators a user may have before the oldest dies; older texts say 10.
    pub locators_max: Option<usize>,
    /// §3.2: the status of `INVALID_QUERY_LOCATOR`.
    pub locator_error_status: u16,
    /// §5.1: an upsert that updates answers 200 with a body; otherwise 204 without one.
    pub upsert_update_has_body: bool,
    /// §5.1: the key field of an upsert may be repeated in the body if it says the same.
    pub upsert_body_may_repeat_key: bool,
    /// §5.1: `POST …?_HttpMethod=PATCH` is a PATCH.
    pub tunnels_methods: bool,
    /// §5.2: a DELETE with a conditional header is refused with 400; otherwise the header is not looked at.
    pub refuses_conditional_delete: bool,
    /// §5.2: the error code of a 412.
    pub precondition_code: PreconditionCode,
    /// §6.1: a second element with the same id in one update list is refused.
    pub refuses_repeated_ids: bool,
    /// §9.3: `describe/layouts` of an object with several record types tells which has which, and
    /// the layouts themselves come one by one.
    pub layouts_come_apart: bool,
    /// §9.3: a layout still has the items of fields that this user may not see.
    pub layouts_show_hidden_fields: bool,
    /// §13.11: an error of a trigger refuses all rows of its run in a collection.
    pub trigger_errors_fail_chunks: bool,
    /// §13.10: a locked row refuses all rows of its run in a collection.
    pub locks_fail_chunks: bool,
    /// §13.22: messages are in a language of no country, as those of users with another language are; codes stay.
    pub speaks_test_language: bool,
    /// §6.1: a collection tells what a duplicate rule found; recorded ones tell its code alone.
    pub collections_tell_duplicates: bool,
    /// §9.1: row reads and writes touch the recent list unless `Sforce-Mru` says otherwise.
    pub touches_recents: bool,
    /// §10: seconds between the hand-over of a bulk job and its end.
    pub bulk_delay_s: i64,
    /// §10: rows of a page of bulk results at most, whatever a client asks for.
    pub bulk_page_rows_max: usize,
    /// §10: `resultPages` names pages; otherwise it is not there, as before version 58.
    pub names_bulk_pages: bool,
    /// §10: the pages that `resultPages` names have as many rows as `maxRecords` asks for there;
    /// otherwise the org cuts them as it likes (documented is no parameter).
    pub bulk_page_names_heed_rows: bool,
    /// §2.2: answers above 1 KB are compressed for clients that accept gzip.
    pub compresses: bool,
    /// §12: the bytes of a file are served in stretches (`Range`); otherwise the header is not looked at.
    pub serves_ranges: bool,
}

impl Default for RestSwitches {
    fn default() -> RestSwitches {
        RestSwitches {
            rotates_refresh_tokens: false,
            session_idle_max_s: None,
            assertion_life_max_s: 300,
            daily_calls_max: 100_000,
            usage_wobble: 2,
            counts_graph_nodes: false,
            page_rows_max: 2_000,
            child_rows_max: 2_000,
            locator_life_s: 2 * 86_400,
            locators_max: None,
            locator_error_status: 400,
            upsert_update_has_body: true,
            upsert_body_may_repeat_key: false,
            tunnels_methods: true,
            refuses_conditional_delete: false,
            precondition_code: PreconditionCode::MatchPreconditionFailed,
            refuses_repeated_ids: true,
            layouts_come_apart: false,
            layouts_show_hidden_fields: false,
            trigger_errors_fail_chunks: false,
            locks_fail_chunks: false,
            speaks_test_language: false,
            collections_tell_duplicates: false,
            touches_recents: true,
            bulk_delay_s: 0,
            bulk_page_rows_max: 250_000,
            names_bulk_pages: true,
            bulk_page_names_heed_rows: true,
            compresses: true,
            serves_ranges: true,
        }
    }
}
