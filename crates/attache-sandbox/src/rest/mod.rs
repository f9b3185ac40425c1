//! The REST front of the org: a request in, a response out.
//!
//! One file per family of resources. A resource is a function of the [`Machine`] and a [`Call`]; the
//! composite resources make new calls of the requests they carry and send them the same way.

mod assertion;
mod batch;
mod bulk;
mod collections;
mod composite;
mod conditional;
mod consent;
mod dates;
mod describe;
mod discovery;
mod external;
mod failure;
mod files;
mod graph;
mod identity;
mod language;
mod layouts;
mod limits;
mod list_views;
mod machine;
mod message;
mod oauth;
mod query;
mod recent;
mod references;
mod replication;
mod retrieve;
mod rows;
mod switches;
mod target;
mod tree;
mod ui;

pub(crate) use assertion::public_key;
pub(crate) use consent::Consent;
pub(crate) use dates::print_http;
pub use machine::Machine;
pub use message::{Request, Response};
pub use switches::{PreconditionCode, RestSwitches};
pub(crate) use target::{Target, parameter};

use crate::json::{self, Fields};
use failure::Failure;

/// Oldest version of the API that is still served.
pub(crate) const OLDEST: u16 = 31;
/// Newest version of the API.
pub(crate) const NEWEST: u16 = 67;

/// Bytes of a request's body at most.
pub(crate) const BODY_BYTES_MAX: usize = 50 * 1024 * 1024;
/// Bytes of a form with a file at most. A real org takes 2 GB (§12); here a form is in memory whole.
pub(crate) const FORM_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of the body of a request with these headers at most.
pub(crate) fn body_bytes_max(headers: &[(String, String)]) -> usize {
    let form = message::find(headers, "Content-Type")
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data"));
    if form { FORM_BYTES_MAX } else { BODY_BYTES_MAX }
}

/// Arrays and objects inside each other in a request's body at most; the deepest one of use, a tree
/// of five levels in a composite call, has 19.
const DEPTH_MAX: usize = 100;

/// One request to a data resource, by somebody who may call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// Upper case.
    method: &'a str,
    /// Of the path, such as `67.0`.
    version: &'a str,
    /// Decoded segments after the version.
    path: &'a [&'a str],
    query: &'a [(String, String)],
    headers: &'a [(String, String)],
    body: &'a [u8],
    /// Id of the user who calls.
    actor: &'a str,
    /// Set for a part of a composite call: what that call says of `allOrNone`.
    all_or_none: Option<bool>,
}

impl<'a> Call<'a> {
    /// Tells the method, `HEAD` being a `GET` whose body is not sent.
    fn verb(&self) -> &'a str {
        if self.method == "HEAD" {
            "GET"
        } else {
            self.method
        }
    }

    /// Refuses every method but these, given as the refusal prints them.
    fn only(&self, allowed: &str) -> Result<(), Failure> {
        match allowed.split(',').any(|method| method == self.method) {
            true => Ok(()),
            false => Err(Failure::method(self.method, allowed)),
        }
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        message::find(self.headers, name)
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        parameter(self.query, name)
    }

    /// Reads the body as JSON of a known shape.
    fn json<T: serde::Deserialize<'a>>(&self) -> Result<T, Failure> {
        match self.header("Content-Type") {
            Some(kind) if !kind.to_ascii_lowercase().contains("json") => Err(Failure::new(
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                format!("Content type '{kind}' is not supported here, send application/json"),
            )),
            _ if json::is_deeper_than(DEPTH_MAX, self.body) => Err(Failure::malformed(format!(
                "arrays and objects stand inside each other more than {DEPTH_MAX} deep"
            ))),
            _ => serde_json::from_slice(self.body).map_err(Failure::malformed),
        }
    }

    /// Reads the body as the fields of a row; `attributes` is not one of them.
    fn fields(&self) -> Result<Fields, Failure> {
        let mut fields: Fields = self.json()?;
        fields.take("attributes");
        Ok(fields)
    }
}
