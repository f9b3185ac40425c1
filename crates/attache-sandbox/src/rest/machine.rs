//! The machine: who calls, what they call, and what every answer carries.

use super::{
    BODY_BYTES_MAX, Call, NEWEST, OLDEST, RestSwitches, batch, bulk,
    bulk::Jobs,
    collections, composite, describe, discovery, external,
    failure::Failure,
    files, graph, identity, language, layouts, limits,
    limits::Usage,
    list_views,
    message::{Request, Response},
    oauth, print_http, query,
    query::Locators,
    recent, replication, retrieve, rows,
    target::Target,
    tree, ui,
};
use crate::{
    auth::Auth,
    org::{AutoAssign, Org, Row},
    value::Value,
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use std::collections::BTreeMap;
use std::io::{Read, Write};

/// A URI, and a URI with its headers, may be this long.
const HEAD_BYTES_MAX: usize = 16_384;
/// Bodies longer than this are compressed for clients that accept it.
const COMPRESSED_FROM_BYTES: usize = 1_024;

/// An org behind its REST API: a pure state machine.
///
/// It reads no clock and draws no random numbers: the same requests at the same times give the same
/// answers, byte for byte.
#[derive(Debug)]
pub struct Machine {
    pub(crate) org: Org,
    pub(crate) auth: Auth,
    pub(crate) switches: RestSwitches,
    /// Where clients that name no host believe the org to be.
    pub(crate) url: String,
    /// The user a client-credentials token is for.
    pub(crate) integration_user: String,
    pub(super) now_ms: i64,
    pub(super) usage: Usage,
    pub(super) locators: Locators,
    pub(super) jobs: Jobs,
    /// The list views that each user opened, the latest first.
    pub(super) opened: BTreeMap<String, Vec<String>>,
    pub(super) described: describe::Versions,
}

impl Machine {
    /// Puts an org behind a REST API.
    ///
    /// `seed` decides every token; `integration_user` is the id of the user whom the client
    /// credentials of the connected app stand for.
    pub fn new(org: Org, switches: RestSwitches, seed: u64, integration_user: &str) -> Machine {
        let auth = Auth::new(seed, &org.config().org_id);
        Machine {
            now_ms: org.now().saturating_mul(1_000),
            described: describe::Versions::new(&org),
            org,
            auth,
            switches,
            url: "http://localhost".into(),
            integration_user: integration_user.into(),
            usage: Usage::default(),
            locators: Locators::default(),
            jobs: Jobs::default(),
            opened: BTreeMap::new(),
        }
    }

    /// Borrows the org.
    pub fn org(&self) -> &Org {
        &self.org
    }

    /// Borrows the org for a change from within: a colleague, a job, an administrator.
    pub fn org_mut(&mut self) -> &mut Org {
        &mut self.org
    }

    /// Answers one request at a time given in milliseconds since the epoch.
    pub fn handle(&mut self, mut request: Request, now_ms: i64) -> Response {
        self.now_ms = now_ms;
        self.org.set_now(now_ms.div_euclid(1_000));
        let answer = match inflate(&mut request) {
            Ok(()) => self.answer(&request),
            Err(failure) => failure.answer(),
        };
        self.finish(&request, answer)
    }

    /// Answers a call to a data resource by somebody who needs no session; it is not counted.
    pub(crate) fn handle_as(&mut self, actor: &str, request: &Request, now_ms: i64) -> Response {
        self.now_ms = now_ms;
        self.org.set_now(now_ms.div_euclid(1_000));
        let target = Target::parse(&request.target);
        let path: Vec<&str> = target.segments.iter().map(String::as_str).collect();
        let answer = match (check_size(request), path.as_slice()) {
            (Err(failure), _) => failure.answer(),
            (Ok(()), ["services", "data", version, rest @ ..]) => {
                self.dispatch_as(actor, request, &target.query, version, rest)
            }
            _ => Failure::not_found().answer(),
        };
        self.finish(request, answer)
    }

    fn answer(&mut self, request: &Request) -> Response {
        if let Err(failure) = check_size(request) {
            return failure.answer();
        }
        let target = Target::parse(&request.target);
        let path: Vec<&str> = target.segments.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["services", "oauth2", endpoint] => {
                oauth::answer(self, request, endpoint, &target.query)
            }
            ["services", "data"] => discovery::versions(request),
            ["id", org, user] => identity::by_url(self, request, org, user),
            ["services", "data", version, rest @ ..] => {
                self.data(request, &target.query, version, rest)
            }
            _ => Failure::not_found().answer(),
        }
    }

    /// Answers a call under `/services/data/vXX.X/`: it needs a session and is counted.
    fn data(
        &mut self,
        request: &Request,
        query: &[(String, String)],
        version: &str,
        path: &[&str],
    ) -> Response {
        let actor = match oauth::caller(self, request) {
            Ok(actor) => actor,
            Err(failure) => return failure.answer(),
        };
        let now_s = self.now_s();
        if self.usage.in_a_day(now_s) >= self.switches.daily_calls_max {
            return self.metered(limits::exceeded().answer());
        }
        self.usage.count(now_s, 1);
        let answer = self.dispatch_as(&actor, request, query, version, path);
        self.metered(answer)
    }

    fn dispatch_as(
        &mut self,
        actor: &str,
        request: &Request,
        query: &[(String, String)],
        version: &str,
        path: &[&str],
    ) -> Response {
        match check_version(version) {
            Err(failure) => failure.answer(),
            Ok(version) => self.dispatch(&Call {
                method: self.tunnelled(request, query),
                version,
                path,
                query,
                headers: &request.headers,
                body: &request.body,
                actor,
                all_or_none: None,
            }),
        }
    }

    /// Tells the method meant by clients that have no PATCH.
    fn tunnelled<'a>(&self, request: &'a Request, query: &'a [(String, String)]) -> &'a str {
        match super::target::parameter(query, "_HttpMethod") {
            Some(method) if self.switches.tunnels_methods && request.method == "POST" => method,
            _ => &request.method,
        }
    }

    fn metered(&self, answer: Response) -> Response {
        let shown = self.usage.shown(self.now_s(), self.switches.usage_wobble);
        answer.with(
            "Sforce-Limit-Info",
            format!("api-usage={shown}/{}", self.switches.daily_calls_max),
        )
    }

    /// Answers a call, or a part of a composite call.
    pub(super) fn dispatch(&mut self, call: &Call<'_>) -> Response {
        let before = self.org.set_allows_duplicates(allows_duplicates(call));
        let assigned = self
            .org
            .set_auto_assign(AutoAssign::read(call.header("Sforce-Auto-Assign")));
        let answer = self.route(call).unwrap_or_else(|failure| failure.answer());
        self.org.set_auto_assign(assigned);
        self.org.set_allows_duplicates(before);
        answer
    }

    fn route(&mut self, call: &Call<'_>) -> Result<Response, Failure> {
        match call.path {
            [] => discovery::root(self, call),
            ["sobjects"] => describe::global(self, call),
            ["sobjects", object] => rows::collection(self, call, object),
            ["sobjects", object, "describe"] => describe::object(self, call, object),
            ["sobjects", object, "describe", "layouts"] => layouts::all(self, call, object),
            ["sobjects", object, "describe", "layouts", record_type] => {
                layouts::one(self, call, object, record_type)
            }
            ["sobjects", object, "describe", "compactLayouts"] => {
                layouts::compact(self, call, object)
            }
            ["sobjects", object, "listviews", rest @ ..] => self.list_view(call, object, rest),
            ["sobjects", object, "updated"] => replication::updated(self, call, object),
            ["sobjects", object, "deleted"] => replication::deleted(self, call, object),
            ["sobjects", object, id] => rows::row(self, call, object, id),
            ["sobjects", "ContentVersion", id, "VersionData"] => files::body(self, call, id),
            ["sobjects", object, field, value] => external::row(self, call, object, field, value),
            ["query"] => query::first(self, call, false),
            ["queryAll"] => query::first(self, call, true),
            ["query" | "queryAll", locator] => query::next(self, call, locator),
            ["ui-api", path @ ..] => ui::answer(self, call, path),
            ["limits"] => limits::limits(self, call),
            ["limits", "recordCount"] => limits::record_count(self, call),
            ["recent"] => recent::recent(self, call),
            ["composite"] => composite::composite(self, call),
            ["composite", "batch"] => batch::batch(self, call),
            ["composite", "graph"] => graph::graph(self, call),
            ["composite", "tree", object] => tree::tree(self, call, object),
            ["composite", "sobjects"] => collections::collection(self, call),
            ["composite", "sobjects", object] => retrieve::retrieve(self, call, object),
            ["composite", "sobjects", object, field] => {
                collections::upsert(self, call, object, field)
            }
            ["jobs", kind, rest @ ..] => self.job(call, kind, rest),
            _ => Err(Failure::not_found()),
        }
    }

    fn list_view(
        &mut self,
        call: &Call<'_>,
        object: &str,
        path: &[&str],
    ) -> Result<Response, Failure> {
        match path {
            [] => list_views::all(self, call, object),
            ["recent"] => list_views::recent(self, call, object),
            [id] => list_views::one(self, call, object, id),
            [id, "describe"] => list_views::describe(self, call, object, id),
            [id, "results"] => {
                list_views::open(self, call, object, id);
                list_views::results(self, call, object, id)
            }
            _ => Err(Failure::not_found()),
        }
    }

    fn job(&mut self, call: &Call<'_>, kind: &str, path: &[&str]) -> Result<Response, Failure> {
        match (kind, path) {
            ("query", []) => bulk::query_jobs(self, call),
            ("query", [id]) => bulk::query_job(self, call, id),
            ("query", [id, "results"]) => bulk::query_results(self, call, id),
            ("query", [id, "resultPages"]) => bulk::query_pages(self, call, id),
            ("ingest", []) => bulk::ingest_jobs(self, call),
            ("ingest", [id]) => bulk::ingest_job(self, call, id),
            ("ingest", [id, "batches"]) => bulk::ingest_batches(self, call, id),
            ("ingest", [id, kind]) => bulk::ingest_result(self, call, id, kind),
            _ => Err(Failure::not_found()),
        }
    }

    /// Finds an active user by their username.
    pub(super) fn user_named(&self, name: &str) -> Option<String> {
        self.active_users()
            .find(|(_, known)| known == name)
            .map(|(id, _)| id)
    }

    /// Gives the active user with the least id, but for the one behind the client credentials.
    pub(super) fn first_user(&self) -> Option<String> {
        self.active_users()
            .map(|(id, _)| id)
            .filter(|id| *id != self.integration_user)
            .min()
    }

    /// Lists the active users: ids and usernames.
    pub(crate) fn active_users(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let at = self.org.schema().index("User");
        at.into_iter().flat_map(|at| {
            let object = &self.org.schema().objects()[at];
            let text = |row: &Row, field: &str| -> Option<String> {
                Some(row.get(object.index(field)?)?.as_text()?.to_owned())
            };
            self.org.table(at).slots().filter_map(move |(_, row)| {
                let active = object.index("IsActive").and_then(|field| row.get(field));
                let known = (text(row, "Id")?, text(row, "Username").unwrap_or_default());
                (active != Some(&Value::Bool(false))).then_some(known)
            })
        })
    }

    pub(super) fn now_s(&self) -> i64 {
        self.now_ms.div_euclid(1_000)
    }

    /// Adds what every answer carries, and fits the body to the client.
    fn finish(&self, request: &Request, answer: Response) -> Response {
        let mut answer = answer.with("Date", print_http(self.now_s()));
        if self.switches.speaks_test_language {
            language::translate(&mut answer.body);
        }
        let gzip = request
            .get("Accept-Encoding")
            .is_some_and(|encodings| encodings.to_ascii_lowercase().contains("gzip"));
        // A stretch of bytes must not change its length on the way.
        let file = answer.get("Content-Type") == Some("application/octetstream");
        if self.switches.compresses && gzip && !file && answer.body.len() > COMPRESSED_FROM_BYTES {
            answer = deflate(answer);
        }
        if request.method == "HEAD" {
            answer.body.clear();
        }
        answer
    }
}

/// Reads `Sforce-Duplicate-Rule-Header: allowSave=true; …`.
fn allows_duplicates(call: &Call<'_>) -> bool {
    let header = call.header("Sforce-Duplicate-Rule-Header").unwrap_or("");
    header
        .split([';', ','])
        .filter_map(|pair| pair.split_once('='))
        .any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("allowSave")
                && value.trim().eq_ignore_ascii_case("true")
        })
}

fn check_size(request: &Request) -> Result<(), Failure> {
    let uri = request.target.len();
    let headers: usize = request
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    if uri > HEAD_BYTES_MAX {
        return Err(Failure::new(
            414,
            "URI_TOO_LONG",
            format!("the URI is longer than {HEAD_BYTES_MAX} bytes"),
        ));
    }
    if uri + headers > HEAD_BYTES_MAX {
        let message = format!("the URI and the headers are longer than {HEAD_BYTES_MAX} bytes");
        return Err(Failure::new(
            431,
            "REQUEST_HEADER_FIELDS_TOO_LARGE",
            message,
        ));
    }
    if request.body.len() > super::body_bytes_max(&request.headers) {
        Err(too_large())
    } else {
        Ok(())
    }
}

pub(super) fn too_large() -> Failure {
    Failure::new(
        413,
        "EXCEEDED_MAX_SIZE_REQUEST",
        format!("the request is larger than {BODY_BYTES_MAX} bytes"),
    )
}

/// Reads `v67.0` and gives `67.0`, if it is served.
pub(super) fn check_version(version: &str) -> Result<&str, Failure> {
    let number = version.strip_prefix('v').ok_or_else(Failure::not_found)?;
    match number
        .strip_suffix(".0")
        .and_then(|major| major.parse::<u16>().ok())
    {
        Some(OLDEST..=NEWEST) => Ok(number),
        Some(21..OLDEST) => Err(Failure::new(
            410,
            "GONE",
            format!("API version {number} is retired, use {OLDEST}.0 or later"),
        )),
        _ => Err(Failure::not_found()),
    }
}

/// Unpacks a body sent with `Content-Encoding: gzip`.
fn inflate(request: &mut Request) -> Result<(), Failure> {
    if !request
        .get("Content-Encoding")
        .is_some_and(|encoding| encoding.eq_ignore_ascii_case("gzip"))
    {
        return Ok(());
    }
    let mut plain = Vec::new();
    let reader = GzDecoder::new(request.body.as_slice());
    reader
        .take(BODY_BYTES_MAX as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(Failure::malformed)?;
    if plain.len() > BODY_BYTES_MAX {
        return Err(too_large());
    }
    request.body = plain;
    Ok(())
}

/// Compresses a body; the tag of a compressed answer says so.
fn deflate(mut answer: Response) -> Response {
    let mut encoder = GzEncoder::new(
        Vec::with_capacity(answer.body.len() / 4),
        Compression::fast(),
    );
    let Ok(packed) = encoder
        .write_all(&answer.body)
        .and_then(|()| encoder.finish())
    else {
        return answer;
    };
    answer.body = packed;
    for (name, value) in &mut answer.headers {
        if name == "ETag" && value.ends_with('"') {
            value.insert_str(value.len() - 1, "-gzip");
        }
    }
    answer
        .with("Content-Encoding", "gzip")
        .with("Vary", "Accept-Encoding")
}
