//! Conditional requests: exactly the table of the REST guide.
//!
//! `If-Modified-Since` and `If-Unmodified-Since` hold for rows of every object, tags for rows of
//! Account alone, and DELETE knows neither. Both sides of a comparison of dates are whole seconds,
//! so two writes in one second cannot be told apart.

use super::{Call, dates, failure::Failure, message::Response};

/// What a client believes about a resource.
#[derive(Debug, Default)]
pub(super) struct Conditions<'a> {
    modified_since: Option<i64>,
    pub(super) unmodified_since: Option<i64>,
    if_match: Option<&'a str>,
    if_none_match: Option<&'a str>,
}

/// What a resource is.
#[derive(Debug)]
pub(super) struct State {
    pub(super) last_modified_s: i64,
    pub(super) tag: Option<String>,
}

impl<'a> Conditions<'a> {
    /// Reads the headers. A date nobody can read is refused on a write and not looked at on a read.
    pub(super) fn read(call: &Call<'a>) -> Result<Conditions<'a>, Failure> {
        let date = |name: &str| match call
            .header(name)
            .map(|value| (value, dates::parse_http(value)))
        {
            Some((value, None)) if call.verb() != "GET" => Err(Failure::new(
                400,
                "INVALID_HEADER_VALUE",
                format!("{name}: '{value}' is not an HTTP date"),
            )),
            other => Ok(other.and_then(|(_, date)| date)),
        };
        Ok(Conditions {
            modified_since: date("If-Modified-Since")?,
            unmodified_since: date("If-Unmodified-Since")?,
            if_match: call.header("If-Match"),
            if_none_match: call.header("If-None-Match"),
        })
    }

    /// Says whether any condition was sent.
    pub(super) fn any(&self) -> bool {
        self.modified_since.is_some()
            || self.unmodified_since.is_some()
            || self.if_match.is_some()
            || self.if_none_match.is_some()
    }

    /// Answers a read early: 304 if the client has it already, 412 if it is not what the client believes.
    pub(super) fn of_read(
        &self,
        state: &State,
        code: &'static str,
    ) -> Result<Option<Response>, Failure> {
        self.check_tags(state, code, false)?;
        if self
            .unmodified_since
            .is_some_and(|since| state.last_modified_s > since)
        {
            return Err(failed(code));
        }
        let same_tag = self.if_none_match.is_some_and(|tags| hits(tags, state));
        // A tag, where there is one, is the finer witness: the date is only asked without it.
        let by_date = self.if_none_match.is_none() || state.tag.is_none();
        let not_newer = by_date
            && self
                .modified_since
                .is_some_and(|since| state.last_modified_s <= since);
        Ok((same_tag || not_newer).then(|| state.describe(Response::empty(304))))
    }

    /// Refuses a write whose tags say that the row is another one by now. The date is the org's to compare.
    pub(super) fn of_write(&self, state: &State, code: &'static str) -> Result<(), Failure> {
        self.check_tags(state, code, true)
    }

    fn check_tags(
        &self,
        state: &State,
        code: &'static str,
        none_match: bool,
    ) -> Result<(), Failure> {
        let wrong = state.tag.is_some()
            && (self.if_match.is_some_and(|tags| !hits(tags, state))
                || none_match && self.if_none_match.is_some_and(|tags| hits(tags, state)));
        if wrong { Err(failed(code)) } else { Ok(()) }
    }
}

impl State {
    /// Adds `Last-Modified` and, where there is one, `ETag`.
    pub(super) fn describe(&self, answer: Response) -> Response {
        let answer = match &self.tag {
            Some(tag) => answer.with("ETag", tag),
            None => answer,
        };
        answer.with("Last-Modified", dates::print_http(self.last_modified_s))
    }
}

fn hits(tags: &str, state: &State) -> bool {
    let Some(own) = &state.tag else { return false };
    tags.split(',').map(str::trim).any(|tag| {
        // A client that got the compressed form sends that form's tag back.
        tag == "*" || tag.trim_start_matches("W/").replace("-gzip\"", "\"") == *own
    })
}

/// The answer to a condition that does not hold.
pub(super) fn failed(code: &'static str) -> Failure {
    Failure::new(
        412,
        code,
        "the row was changed after the time given, or is not the version named",
    )
}

/// Makes a tag of what a resource shows.
pub(super) fn tag(shown: &str) -> String {
    // FNV-1a; a tag must differ when the text does and be the same in every run.
    let hash = shown.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("\"{hash:08x}\"")
}
