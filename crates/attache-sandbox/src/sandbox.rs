//! The org as a program holds it: shared, on a clock, with a log and a plan of faults.

use crate::{
    Machine, RestSwitches,
    control::{self, Meter},
    fault::{Fault, FaultPlan, Manner, Outcome, Strike},
    org::Org,
    rest::{Request, Response, public_key},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

mod builder;

pub use builder::{SandboxBuilder, SandboxError};

/// Requests the log keeps; older ones are forgotten, but still counted.
const LOG_MAX: usize = 100_000;

/// A Salesforce-like org with its clock, its users and its troubles.
///
/// A handle: clones are the same org. Requests are answered one at a time, in the order in which
/// they arrive.
///
/// # Examples
///
/// ```
/// use attache_sandbox::{Outcome, Request, Sandbox};
///
/// let sandbox = Sandbox::builder().seed(7).records(50).now("2026-03-02T09:00:00Z").build()?;
/// let jo = &sandbox.users()[0];
/// let call = Request::new("GET", "/services/data/v67.0/limits").bearer(&jo.access_token);
/// match sandbox.handle(call) {
///     Outcome::Answer(answer) => assert_eq!(answer.status, 200),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), attache_sandbox::SandboxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sandbox {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    machine: Machine,
    users: Vec<UserAccess>,
    clock: Clock,
    faults: FaultPlan,
    /// Requests that were cut off and come later: when by the org's clock, in milliseconds.
    stragglers: Vec<(i64, Request)>,
    offline: bool,
    log: VecDeque<Logged>,
    meter: Meter,
    seen: u64,
}

/// Where the org's time comes from.
#[derive(Debug)]
enum Clock {
    /// Runs since an instant, from a time on.
    Running { since: Instant, from_ms: i64 },
    /// Stands still until it is moved.
    Manual { now_ms: i64 },
}

/// A user of the org, and what they call with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserAccess {
    /// 18-character id.
    pub id: String,
    /// Login name.
    pub username: String,
    /// Goes into the `Authorization` header, after `Bearer`.
    pub access_token: String,
    /// Buys the next access token.
    pub refresh_token: String,
}

/// One request the org was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// Upper case.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The status of the answer the client was meant to get; `None` if the request or its answer was lost.
    pub status: Option<u16>,
    /// The org executed the request, whatever became of the answer.
    pub executed: bool,
}

/// What a program that starts a sandbox needs to know of it.
#[derive(Serialize)]
struct Info<'a> {
    url: &'a str,
    api_version: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    control_url: String,
    control_token: &'a str,
    users: &'a [UserAccess],
}

impl Sandbox {
    /// Starts the settings of an org. The defaults are about 5,000 rows of seed 1, on a running clock.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    fn start(machine: Machine, users: Vec<UserAccess>, clock: Clock) -> Sandbox {
        let inner = Inner {
            machine,
            users,
            clock,
            faults: FaultPlan::default(),
            stragglers: Vec::new(),
            offline: false,
            log: VecDeque::new(),
            meter: Meter::default(),
            seen: 0,
        };
        Sandbox {
            inner: Arc::new(Mutex::new(inner)),
        }
    }

    /// Locks the org. A panic elsewhere, say in a test's closure, leaves rows as they were between two writes.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the users who may call, in the order of their ids, with the tokens they started with.
    ///
    /// The user behind the client credentials is not among them.
    pub fn users(&self) -> Vec<UserAccess> {
        self.lock().users.clone()
    }

    /// Tells what a client needs to call the org at `url`, as one line of JSON.
    pub fn info(&self, url: &str) -> String {
        let inner = self.lock();
        let info = Info {
            url,
            api_version: &inner.machine.org().config().api_version,
            client_id: &inner.machine.auth.client_id,
            client_secret: &inner.machine.auth.client_secret,
            control_url: format!("{url}{}", control::ROOT),
            control_token: &inner.machine.auth.control_token,
            users: &inner.users,
        };
        String::from_utf8(crate::json::write(&info)).unwrap_or_default()
    }

    /// Tells the id and the secret of the one connected app.
    pub fn client(&self) -> (String, String) {
        let inner = self.lock();
        (
            inner.machine.auth.client_id.clone(),
            inner.machine.auth.client_secret.clone(),
        )
    }

    /// Sends one request, and gives what the client would see of its answer.
    pub fn handle(&self, request: Request) -> Outcome {
        self.lock().handle(request).0
    }

    /// The same, and how the answer travels on a socket.
    pub(crate) fn meet(&self, request: Request) -> (Outcome, Manner) {
        self.lock().handle(request)
    }

    /// Lets a test or a colleague act on the org directly, at the org's time.
    ///
    /// # Panics
    ///
    /// Calling the sandbox from within the closure deadlocks.
    pub fn with_org<T>(&self, act: impl FnOnce(&mut Org) -> T) -> T {
        let mut inner = self.lock();
        let now_s = inner.clock.now_ms().div_euclid(1_000);
        let org = inner.machine.org_mut();
        org.set_now(now_s);
        act(org)
    }

    /// Changes how the REST front behaves from now on.
    pub fn with_switches<T>(&self, change: impl FnOnce(&mut RestSwitches) -> T) -> T {
        change(&mut self.lock().machine.switches)
    }

    /// Plans a fault.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Forgets the faults that have not struck, and gives how many there were.
    pub fn clear_faults(&self) -> usize {
        let mut inner = self.lock();
        let waiting = inner.faults.len();
        inner.faults.clear();
        waiting
    }

    /// Executes the requests that were cut off ([`FaultKind::Straggle`](crate::FaultKind::Straggle)) and are due by the
    /// org's clock, and gives how many there were. Any request does that as well, before it is looked at itself.
    pub fn let_stragglers_in(&self) -> usize {
        self.lock().let_stragglers_in()
    }

    /// Cuts every connection before its request is executed, until told otherwise.
    pub fn offline(&self, offline: bool) {
        self.lock().offline = offline;
    }

    /// Says whether every connection is cut.
    pub(crate) fn is_offline(&self) -> bool {
        self.lock().offline
    }

    /// Tells what opens the sandbox's own resources over HTTP.
    pub(crate) fn control_token(&self) -> String {
        self.lock().machine.auth.control_token.clone()
    }

    /// Lists the faults that have not struck for the last time.
    pub(crate) fn waiting_faults(&self) -> serde_json::Value {
        let inner = self.lock();
        let waiting: Vec<_> = inner.faults.iter().map(Fault::waiting).collect();
        serde_json::to_value(waiting).unwrap_or_default()
    }

    /// Locks a row until a time; `false` if there is no such row.
    pub(crate) fn lock_row(&self, object: &str, id: &str, until: i64) -> bool {
        let everyone = self.lock().machine.integration_user.clone();
        self.with_org(|org| {
            let found = org.read(&everyone, object, id).is_some();
            if found {
                org.lock(object, id, until);
            }
            found
        })
    }

    /// Answers a call in the name of a user, or of the administrator, that no fault meets and nobody counts.
    ///
    /// With `commit_after_s` the transaction commits so many seconds later, as [`Org::hold_open`] says.
    pub(crate) fn act(
        &self,
        user: Option<&str>,
        request: &Request,
        commit_after_s: u32,
    ) -> Response {
        let mut inner = self.lock();
        let now_ms = inner.clock.now_ms();
        let machine = &mut inner.machine;
        let actor = user.map_or_else(|| machine.integration_user.clone(), str::to_owned);
        let open = (commit_after_s > 0).then(|| machine.org_mut().savepoint());
        let answer = machine.handle_as(&actor, request, now_ms);
        if let Some(open) = open {
            let until = now_ms.div_euclid(1_000) + i64::from(commit_after_s);
            machine.org_mut().hold_since(open, until);
        }
        answer
    }

    /// Tells the org's time, in seconds since the epoch.
    pub fn now(&self) -> i64 {
        self.lock().clock.now_ms().div_euclid(1_000)
    }

    /// Moves the org's clock forward, be it running or not.
    pub fn advance(&self, seconds: u32) {
        let by_ms = i64::from(seconds) * 1_000;
        match &mut self.lock().clock {
            Clock::Running { from_ms, .. } => *from_ms += by_ms,
            Clock::Manual { now_ms } => *now_ms += by_ms,
        }
    }

    /// Sets the org's clock, in milliseconds since the epoch. It may go back, as a simulation's replay does.
    pub fn set_time_ms(&self, time_ms: i64) {
        match &mut self.lock().clock {
            Clock::Running { since, from_ms } => (*since, *from_ms) = (Instant::now(), time_ms),
            Clock::Manual { now_ms } => *now_ms = time_ms,
        }
    }

    /// Makes the org trust assertions that are signed with the private half of an RSA key (the JWT
    /// bearer flow); `false` if `pem` is no such key: `PUBLIC KEY` or `RSA PUBLIC KEY`.
    pub fn trust_key(&self, pem: &str) -> bool {
        let key = public_key(pem);
        let known = key.is_some();
        self.lock().machine.auth.keys.extend(key);
        known
    }

    /// Opens another session of a user, as a person does who signs in again; `None` for nobody of
    /// [`users`](Sandbox::users). What they had goes on being worth what it was.
    pub fn sign_in(&self, user: &str) -> Option<UserAccess> {
        let mut inner = self.lock();
        let now_s = inner.clock.now_ms().div_euclid(1_000);
        let known = inner.users.iter().find(|known| known.id == user)?.clone();
        let tokens = inner.machine.auth.enrol(user, now_s);
        Some(UserAccess {
            access_token: tokens.access,
            refresh_token: tokens.refresh,
            ..known
        })
    }

    /// Ends the sessions of a user: their access tokens are worthless, their refresh token is not.
    pub fn expire_tokens(&self, user: &str) {
        self.lock().machine.auth.expire(user);
    }

    /// Ends the sessions of a user and makes their refresh token worthless too.
    pub fn revoke_tokens(&self, user: &str) {
        self.lock().machine.auth.shut_out(user);
    }

    /// Counts the requests that reached the org or were meant to, those that a fault stopped included.
    pub fn requests(&self) -> u64 {
        self.lock().seen
    }

    /// Counts those requests by what they ask for: `query`, `query_more`, `collections`, `token` and
    /// so on; a kind that nobody asked for is missing.
    pub fn meter(&self) -> BTreeMap<&'static str, u64> {
        self.lock().meter.counts()
    }

    /// Lists the latest requests, oldest first; the last 100,000 are kept.
    pub fn log(&self) -> Vec<Logged> {
        self.lock().log.iter().cloned().collect()
    }

    /// Empties the log and sets all counts to nought.
    pub fn clear_log(&self) {
        let mut inner = self.lock();
        inner.log.clear();
        inner.meter = Meter::default();
        inner.seen = 0;
    }
}

impl Inner {
    /// Executes the requests that were cut off and are due by now; gives how many there were.
    fn let_stragglers_in(&mut self) -> usize {
        let now_ms = self.clock.now_ms();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.stragglers)
            .into_iter()
            .partition(|(due_ms, _)| *due_ms <= now_ms);
        self.stragglers = later;
        let count = due.len();
        for (_, request) in due {
            // Nobody waits for the answer.
            self.execute(request);
        }
        count
    }

    fn handle(&mut self, request: Request) -> (Outcome, Manner) {
        self.let_stragglers_in();
        self.meter.count(&request);
        let (method, target) = (request.method.clone(), request.target.clone());
        let strike = match self.offline {
            true => Some(Strike::offline()),
            false => self.faults.strike(&request),
        };
        let executed = strike.as_ref().is_none_or(|strike| strike.executes);
        if let Some(wait) = strike.as_ref().and_then(Strike::straggles) {
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            let due_ms = self.clock.now_ms().saturating_add(wait_ms);
            self.stragglers.push((due_ms, request.clone()));
        }
        let (outcome, manner) = match strike {
            None => (Outcome::Answer(self.execute(request)), Manner::Plain),
            Some(strike) => {
                let mut request = request;
                if strike.reads_answer() {
                    request
                        .headers
                        .retain(|(name, _)| !name.eq_ignore_ascii_case("Accept-Encoding"));
                }
                let answer = executed.then(|| self.execute(request));
                strike.befall(&target, answer)
            }
        };
        let status = match &outcome {
            Outcome::Answer(answer) => Some(answer.status),
            Outcome::Truncated(_) | Outcome::NoAnswer => None,
        };
        if self.log.len() == LOG_MAX {
            self.log.pop_front();
        }
        self.log.push_back(Logged {
            method,
            target,
            status,
            executed,
        });
        self.seen += 1;
        (outcome, manner)
    }

    fn execute(&mut self, request: Request) -> Response {
        let now_ms = self.clock.now_ms();
        self.machine.handle(request, now_ms)
    }
}

impl Clock {
    fn now_ms(&self) -> i64 {
        match self {
            Clock::Manual { now_ms } => *now_ms,
            Clock::Running { since, from_ms } => from_ms
                .saturating_add(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)),
        }
    }
}
