//! Things that go wrong between a client and the org, by plan.

use crate::rest::{Request, Response};

/// One planned misfortune: which request meets it, and what happens to that request.
///
/// Faults wait in the order they were planned; a request meets the first that fits, and each fault
/// strikes once.
///
/// # Examples
///
/// ```
/// use attache_sandbox::{Fault, FaultKind};
///
/// let lost = Fault::new(FaultKind::LoseAnswer).method("POST").path("/composite/sobjects").nth(2);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    kind: FaultKind,
    method: Option<String>,
    path: Option<String>,
    skip: u32,
}

/// What happens to the request that meets a [`Fault`].
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// The connection is cut before the org sees the request.
    LoseRequest,
    /// The org executes and commits the request, then the connection is cut.
    LoseAnswer,
    /// The org does not see the request; this answer comes back.
    Status(u16, String),
    /// The org executes and commits the request; only this many bytes of the body arrive.
    Truncate(usize),
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

impl Fault {
    /// Plans a fault for the next request, whatever it is.
    pub fn new(kind: FaultKind) -> Fault {
        Fault {
            kind,
            method: None,
            path: None,
            skip: 0,
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

    fn fits(&self, request: &Request) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == request.method)
            && self
                .path
                .as_ref()
                .is_none_or(|part| request.target.contains(part.as_str()))
    }
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

/// The faults that have not struck yet.
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

    /// Takes the fault this request meets. Faults planned earlier count the request even if a later one strikes.
    pub(crate) fn strike(&mut self, request: &Request) -> Option<FaultKind> {
        let mut at = 0;
        while at < self.0.len() {
            let fault = &mut self.0[at];
            if fault.fits(request) {
                if fault.skip == 0 {
                    return Some(self.0.remove(at).kind);
                }
                fault.skip -= 1;
            }
            at += 1;
        }
        None
    }
}

/// Lets a fault answer instead of the org.
pub(crate) fn canned(status: u16, body: String) -> Response {
    let kind = if body.trim_start().starts_with('<') {
        "text/html;charset=UTF-8"
    } else {
        "application/json;charset=UTF-8"
    };
    Response {
        status,
        headers: vec![("Content-Type".into(), kind.into())],
        body: body.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(matches!(plan.strike(&post), Some(FaultKind::LoseRequest)));
        assert!(plan.strike(&post).is_none());
        assert_eq!(plan.len(), 0);
    }
}
