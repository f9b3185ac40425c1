//! Things that go wrong between a client and the org, by plan.

use crate::rest::{Request, Response};
use std::time::Duration;

mod canned;

/// One planned misfortune: which requests meet it, and what happens to them.
///
/// Faults wait in the order they were planned; a request meets the first that fits. Unless told
/// otherwise a fault strikes once, and decides by its kind whether the org executes the request.
/// A composite call that only reads fits as its parts do, each a GET of its own; what strikes is the whole call.
///
/// # Examples
///
/// ```
/// use attache_sandbox::{Fault, FaultKind};
///
/// let lost = Fault::new(FaultKind::LoseAnswer).method("POST").path("/composite/sobjects").nth(2);
/// let gone = Fault::new(FaultKind::busy(504, None)).after_commit().times(3);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    kind: FaultKind,
    method: Option<String>,
    path: Option<String>,
    skip: u32,
    /// How often it strikes yet; `None`: until the plan is cleared.
    left: Option<u32>,
    after_commit: bool,
    /// How often it has struck.
    struck: u32,
}

/// What happens to the request that meets a [`Fault`].
///
/// Where a kind needs a socket to show itself (bytes that are no HTTP, a pause), a caller of
/// [`Sandbox::handle`](crate::Sandbox::handle) sees what comes nearest, which is said there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The connection is cut before the org sees the request.
    LoseRequest,
    /// The org executes and commits the request, then the connection is cut.
    LoseAnswer,
    /// The connection is cut, and the org executes the request only when so much of its time has passed:
    /// before the first request after that, or when [`Sandbox::let_stragglers_in`](crate::Sandbox::let_stragglers_in)
    /// is called.
    Straggle(Duration),
    /// The connection is reset (`RST`), not closed; without a socket, cut.
    Reset,
    /// The org does not see the request; an answer of this status and body comes back.
    Status(u16, String),
    /// The org does not see the request; this answer comes back.
    Answer(Response),
    /// The org executes and commits the request; only this many bytes of the body arrive.
    Truncate(usize),
    /// The org executes and commits the request; the answer waits this long, in real time. Without
    /// a socket nobody waits.
    Delay(Duration),
    /// The org executes and commits the request; the body arrives a byte at a time, with this
    /// pause before each. Without a socket it arrives whole.
    Drip(Duration),
    /// These bytes come in place of an HTTP answer, and the connection is closed; without a socket
    /// there is no answer.
    Garbage(Vec<u8>),
    /// The org does not see the request; a page comes back whose only row is so many arrays inside
    /// each other.
    Deep(usize),
    /// The org does not see the request; an empty page of a query comes back that names another
    /// page after it. With [`Fault::always`], such pages never end.
    EndlessPages,
    /// The org does not see the request; a small gzip answer comes back that inflates to so many
    /// bytes of blank JSON, whatever the client accepts.
    Bomb(usize),
    /// The org executes and commits the request; in the headers and the body of its answer one
    /// text stands in place of another, wherever it occurs: a link leads elsewhere, an id is wrong.
    Rewrite {
        /// What is looked for.
        find: String,
        /// What stands there instead.
        replace: String,
    },
}

impl FaultKind {
    /// Answers 401 `INVALID_SESSION_ID`, as for an access token that is over.
    pub fn unauthorized() -> FaultKind {
        FaultKind::Answer(canned::unauthorized())
    }

    /// Answers 403 `REQUEST_LIMIT_EXCEEDED`, as when the org's calls of the day are used up.
    pub fn limit_exceeded() -> FaultKind {
        FaultKind::Answer(canned::limit_exceeded())
    }

    /// Answers a status such as 429 or 503 with the HTML page of an edge server, and says after
    /// how many seconds to come back, if given.
    pub fn busy(status: u16, retry_after_s: Option<u32>) -> FaultKind {
        FaultKind::Answer(canned::busy(status, retry_after_s))
    }

    /// Answers 302 and a place to go to.
    pub fn redirect(to: &str) -> FaultKind {
        FaultKind::Answer(canned::redirect(302, to))
    }

    /// Says whether the org executes the request unless the fault says otherwise.
    fn executes(&self) -> bool {
        match self {
            FaultKind::LoseAnswer
            | FaultKind::Truncate(_)
            | FaultKind::Delay(_)
            | FaultKind::Drip(_)
            | FaultKind::Rewrite { .. } => true,
            FaultKind::LoseRequest
            | FaultKind::Straggle(_)
            | FaultKind::Reset
            | FaultKind::Status(..)
            | FaultKind::Answer(_)
            | FaultKind::Garbage(_)
            | FaultKind::Deep(_)
            | FaultKind::EndlessPages
            | FaultKind::Bomb(_) => false,
        }
    }

    /// The kind's name in the plan as it is told over HTTP.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            FaultKind::LoseRequest => "lose_request",
            FaultKind::LoseAnswer => "lose_answer",
            FaultKind::Straggle(_) => "straggle",
            FaultKind::Reset => "reset",
            FaultKind::Status(..) | FaultKind::Answer(_) => "status",
            FaultKind::Truncate(_) => "truncate",
            FaultKind::Delay(_) => "delay",
            FaultKind::Drip(_) => "drip",
            FaultKind::Garbage(_) => "garbage",
            FaultKind::Deep(_) => "deep",
            FaultKind::EndlessPages => "endless_pages",
            FaultKind::Bomb(_) => "bomb",
            FaultKind::Rewrite { .. } => "rewrite",
        }
    }
}

/// What a client gets to see of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A whole answer.
    Answer(Response),
    /// An answer that stops in the middle of its body; `body` is the part that arrives.
    Truncated(Response),
    /// The connection is cut and nothing arrives. The org may have executed the request.
    NoAnswer,
}

/// How an answer travels on a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As any answer does.
    Plain,
    /// After a wait.
    Late(Duration),
    /// A byte at a time, with a wait before each.
    Drip(Duration),
    /// The connection is reset.
    Reset,
    /// These bytes, which may not be HTTP, and the end of the connection.
    Raw(Vec<u8>),
}

/// A fault that strikes.
#[derive(Debug)]
pub(crate) struct Strike {
    pub(crate) kind: FaultKind,
    /// The org executes the request.
    pub(crate) executes: bool,
    /// How often the fault has struck before.
    before: u32,
}

impl Fault {
    /// Plans a fault for the next request, whatever it is.
    pub fn new(kind: FaultKind) -> Fault {
        Fault {
            kind,
            method: None,
            path: None,
            skip: 0,
            left: Some(1),
            after_commit: false,
            struck: 0,
        }
    }

    /// Makes only requests of this method fit.
    pub fn method(mut self, method: &str) -> Fault {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Makes only requests fit whose path and query contain this text.
    pub fn path(mut self, part: &str) -> Fault {
        self.path = Some(part.into());
        self
    }

    /// Strikes the nth request that fits, from 1 (the default) on.
    pub fn nth(mut self, nth: u32) -> Fault {
        self.skip = nth.saturating_sub(1);
        self
    }

    /// Strikes so many requests that fit, one after the other; 0 is taken for 1.
    pub fn times(mut self, times: u32) -> Fault {
        self.left = Some(times.max(1));
        self
    }

    /// Strikes every request that fits until the plan is cleared.
    pub fn always(mut self) -> Fault {
        self.left = None;
        self
    }

    /// Lets the org execute and commit the request first, whatever the kind: a gateway that gave
    /// up too early, a reset after the work was done.
    pub fn after_commit(mut self) -> Fault {
        self.after_commit = true;
        self
    }

    fn fits(&self, request: &Request) -> bool {
        let parts = request.parts_read();
        if parts.is_empty() {
            return self.fits_call(&request.method, &request.target);
        }
        parts.iter().any(|target| self.fits_call("GET", target))
    }

    fn fits_call(&self, method: &str, target: &str) -> bool {
        let path = self.path.as_ref();
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && path.is_none_or(|part| target.contains(part.as_str()))
    }

    /// Counts one strike; `false` when that was the last.
    fn strike(&mut self) -> bool {
        self.struck = self.struck.saturating_add(1);
        match &mut self.left {
            Some(left) => {
                *left = left.saturating_sub(1);
                *left > 0
            }
            None => true,
        }
    }

    /// Tells about the fault as it waits.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        Waiting {
            kind: self.kind.name(),
            method: self.method.as_deref(),
            path: self.path.as_deref(),
            nth: self.skip.saturating_add(1),
            times: self.left,
            after_commit: self.after_commit,
            struck: self.struck,
        }
    }
}

/// A fault as it is listed over HTTP: what of it is still to come.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Waiting<'a> {
    kind: &'static str,
    method: Option<&'a str>,
    path: Option<&'a str>,
    nth: u32,
    times: Option<u32>,
    after_commit: bool,
    struck: u32,
}

impl Outcome {
    /// Gives the whole answer, if there is one.
    pub fn answer(self) -> Option<Response> {
        match self {
            Outcome::Answer(answer) => Some(answer),
            Outcome::Truncated(_) | Outcome::NoAnswer => None,
        }
    }
}

impl Strike {
    /// The connection is cut and the org sees nothing, as when the network is down.
    pub(crate) fn offline() -> Strike {
        Strike {
            kind: FaultKind::LoseRequest,
            executes: false,
            before: 0,
        }
    }

    /// Says whether the answer must not be compressed, because text in it is looked for.
    pub(crate) fn reads_answer(&self) -> bool {
        matches!(self.kind, FaultKind::Rewrite { .. })
    }

    /// The org's time after which it executes the request, if that is later.
    pub(crate) fn straggles(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::Straggle(wait) => Some(wait),
            _ => None,
        }
    }

    /// Makes of the org's answer, if it gave one, what the client sees.
    pub(crate) fn befall(self, target: &str, answer: Option<Response>) -> (Outcome, Manner) {
        let none = |manner| (Outcome::NoAnswer, manner);
        let plain = |answer| (Outcome::Answer(answer), Manner::Plain);
        let Strike { kind, before, .. } = self;
        match (kind, answer) {
            (FaultKind::LoseRequest | FaultKind::LoseAnswer | FaultKind::Straggle(_), _) => {
                none(Manner::Plain)
            }
            (FaultKind::Reset, _) => none(Manner::Reset),
            (FaultKind::Garbage(bytes), _) => none(Manner::Raw(bytes)),
            (FaultKind::Status(status, body), _) => plain(canned::status(status, body)),
            (FaultKind::Answer(answer), _) => plain(answer),
            (FaultKind::Deep(depth), _) => plain(canned::deep(depth)),
            (FaultKind::EndlessPages, _) => plain(canned::endless_page(target, before)),
            (FaultKind::Bomb(bytes), _) => plain(canned::bomb(bytes)),
            (FaultKind::Truncate(bytes), Some(answer)) => (truncate(answer, bytes), Manner::Plain),
            (FaultKind::Delay(wait), Some(answer)) => (Outcome::Answer(answer), Manner::Late(wait)),
            (FaultKind::Drip(wait), Some(answer)) => (Outcome::Answer(answer), Manner::Drip(wait)),
            (FaultKind::Rewrite { find, replace }, Some(answer)) => {
                plain(canned::rewrite(answer, &find, &replace))
            }
            // The kinds above that need the org's answer have it executed.
            (_, None) => none(Manner::Plain),
        }
    }
}

/// Cuts an answer's body. One that is shorter arrives whole.
fn truncate(mut answer: Response, bytes: usize) -> Outcome {
    if answer.body.len() <= bytes {
        return Outcome::Answer(answer);
    }
    let whole = answer.body.len().to_string();
    answer.body.truncate(bytes);
    answer.headers.push(("Content-Length".into(), whole));
    Outcome::Truncated(answer)
}

/// The faults that have not struck for the last time.
#[derive(Debug, Default)]
pub(crate) struct FaultPlan(Vec<Fault>);

impl FaultPlan {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Takes the strike this request meets. Faults planned earlier count the request even if a later one strikes.
    pub(crate) fn strike(&mut self, request: &Request) -> Option<Strike> {
        let mut at = 0;
        while at < self.0.len() {
            let fault = &mut self.0[at];
            if fault.fits(request) {
                if fault.skip == 0 {
                    let strike = Strike {
                        kind: fault.kind.clone(),
                        executes: fault.after_commit || fault.kind.executes(),
                        before: fault.struck,
                    };
                    if !fault.strike() {
                        self.0.remove(at);
                    }
                    return Some(strike);
                }
                fault.skip -= 1;
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(strike: Option<Strike>) -> Option<FaultKind> {
        strike.map(|strike| strike.kind)
    }

    #[test]
    fn the_nth_fitting_request_is_struck_once() {
        let mut plan = FaultPlan::default();
        plan.push(
            Fault::new(FaultKind::LoseRequest)
                .method("post")
                .path("/sobjects")
                .nth(2),
        );
        let post = Request::new("POST", "/services/data/v67.0/sobjects/Account");
        let get = Request::new("GET", "/services/data/v67.0/sobjects/Account");
        assert!(plan.strike(&post).is_none());
        assert!(plan.strike(&get).is_none());
        assert_eq!(kind(plan.strike(&post)), Some(FaultKind::LoseRequest));
        assert!(plan.strike(&post).is_none());
        assert_eq!(plan.len(), 0);
    }

    #[test]
    fn a_composite_call_that_only_reads_fits_as_its_parts_do() {
        let composite = |method: &str| {
            let url = "/services/data/v67.0/sobjects/Lead/updated/?start=x";
            let body = format!(
                r#"{{"compositeRequest": [{{"method": "GET", "url": "/services/data/v67.0/query?q=y", "referenceId": "a"}},
                    {{"method": "{method}", "url": "{url}", "referenceId": "b"}}]}}"#
            );
            let mut request = Request::new("POST", "/services/data/v67.0/composite");
            request.body = body.into_bytes();
            request
        };
        let (reads, writes) = (composite("GET"), composite("PATCH"));
        assert_eq!(reads.parts_read().len(), 2);
        assert!(writes.parts_read().is_empty());
        let fits = |fault: Fault, request| fault.fits(request);
        let lose = || Fault::new(FaultKind::LoseRequest);
        assert!(fits(lose().method("GET").path("/updated"), &reads));
        assert!(fits(lose().path("/query"), &reads));
        assert!(!fits(lose().path("/deleted"), &reads));
        assert!(!fits(lose().method("POST"), &reads));
        assert!(fits(lose().method("POST").path("/composite"), &writes));
        assert!(!fits(lose().path("/updated"), &writes));
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_is_told_to() {
        let mut plan = FaultPlan::default();
        let get = Request::new("GET", "/");
        plan.push(Fault::new(FaultKind::Reset).times(2));
        plan.push(Fault::new(FaultKind::EndlessPages).always());
        assert_eq!(kind(plan.strike(&get)), Some(FaultKind::Reset));
        assert_eq!(kind(plan.strike(&get)), Some(FaultKind::Reset));
        for before in 0..5 {
            let strike = plan.strike(&get).unwrap();
            assert_eq!(
                (strike.kind, strike.before),
                (FaultKind::EndlessPages, before)
            );
        }
        plan.clear();
        assert!(plan.strike(&get).is_none());
    }

    #[test]
    fn each_kind_says_whether_the_org_executes_and_can_be_told_to() {
        let get = Request::new("GET", "/");
        for (kind, executes) in [
            (FaultKind::LoseRequest, false),
            (FaultKind::LoseAnswer, true),
            (FaultKind::Reset, false),
            (FaultKind::busy(503, Some(7)), false),
            (FaultKind::Truncate(1), true),
            (FaultKind::Garbage(Vec::new()), false),
        ] {
            let mut plan = FaultPlan::default();
            plan.push(Fault::new(kind.clone()));
            plan.push(Fault::new(kind).after_commit());
            assert_eq!(plan.strike(&get).unwrap().executes, executes);
            assert!(plan.strike(&get).unwrap().executes);
        }
    }
}
