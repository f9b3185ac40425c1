//! The transport over a real network.

use crate::address::Address;
use crate::limits::Limits;
use crate::stream::{self, Beat, Piece, Upload};
use crate::transport::{HttpRequest, HttpResponse, Method, Take, Transport, TransportError};
use async_trait::async_trait;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use std::error::Error as StdError;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};
use tokio::sync::{mpsc, oneshot};

/// Carries requests with [`reqwest`]: HTTP/1.1 and HTTP/2, TLS by rustls with
/// the roots of the operating system, gzip.
///
/// It follows no redirect, sends no referer, keeps no cookies, and stops reading an
/// answer at its bound, counted after inflation. HTTP/2 is taken where the server
/// offers it (ALPN). A connection is kept for 20 seconds without use. It repeats a request by itself only where
/// HTTP promises that the first one was not processed.
///
/// reqwest needs a tokio runtime, the engine runs on any executor or none: the
/// first request starts one thread with a runtime of its own, where the work is
/// done, and the caller merely awaits the answer. The thread ends when the
/// transport is dropped. Dropping the future of a request aborts the request.
///
/// # Android
/// The roots of the system can only be read after the host has initialised
/// `rustls-platform-verifier` with its context. Without it every request fails;
/// a host that cannot do so brings its own [`Transport`].
#[derive(Debug)]
pub struct Reqwest {
    limits: Limits,
    proxied: bool,
    jobs: Mutex<Option<mpsc::UnboundedSender<Job>>>,
}

struct Job {
    request: HttpRequest,
    /// A body that comes while it leaves.
    upload: Option<Upload>,
    /// Who takes the body of a success.
    taker: Option<mpsc::Sender<Piece>>,
    answer: oneshot::Sender<Told>,
}

type Told = Result<HttpResponse, TransportError>;

impl Reqwest {
    /// Makes a transport that uses the proxy of the environment, if there is one:
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, less the hosts of `NO_PROXY`.
    ///
    /// A proxy of `https` addresses sees the host and nothing else: the request goes
    /// through a tunnel (`CONNECT`). The transport that a client makes for an org on
    /// this machine uses none. Whoever needs another proxy, or certificates that the
    /// system does not know, brings a [`Transport`] of their own.
    ///
    /// # Cost
    /// None: TLS is set up, some 10 ms, on the thread that the first request starts.
    pub fn new(limits: Limits) -> Reqwest {
        Reqwest {
            limits,
            proxied: true,
            jobs: Mutex::new(None),
        }
    }

    /// Makes a transport to an address; none is proxied on its way to this machine.
    pub(crate) fn to(address: &Address, limits: Limits) -> Reqwest {
        Reqwest {
            proxied: !address.is_loopback(),
            ..Reqwest::new(limits)
        }
    }

    /// Hands a request to the thread, starting it if it is the first.
    fn submit(
        &self,
        request: HttpRequest,
        upload: Option<Upload>,
        taker: Option<mpsc::Sender<Piece>>,
    ) -> Result<oneshot::Receiver<Told>, TransportError> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            request,
            upload,
            taker,
            answer,
        };
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &mut *jobs {
            Some(sender) => sender,
            none => none.insert(start(self.limits, self.proxied).map_err(|cause| {
                TransportError::NotSent(format!("cannot start the network thread: {cause}"))
            })?),
        };
        let result = sender.send(job);
        if result.is_err() {
            // The thread is gone; the next request starts another.
            *jobs = None;
        }
        result.map_err(|_| TransportError::NotSent("the network thread has ended".into()))?;
        Ok(answered)
    }

    /// Keeps what is held of an answer below what the host allows.
    fn bounded(&self, mut request: HttpRequest) -> HttpRequest {
        let most = self.limits.response_bytes_max;
        request.response_bytes_max = request.response_bytes_max.min(most);
        request
    }
}

#[async_trait]
impl Transport for Reqwest {
    async fn send(&self, request: HttpRequest) -> Told {
        let answered = self.submit(self.bounded(request), None, None)?;
        answered.await.map_err(lost)?
    }

    fn streams(&self) -> bool {
        true
    }

    async fn upload(&self, request: HttpRequest, bytes: u64, body: &mut (dyn Read + Send)) -> Told {
        let (upload, parts) = stream::upload(bytes);
        let mut answered = self.submit(self.bounded(request), Some(upload), None)?;
        loop {
            let room = tokio::select! {
                biased;
                told = &mut answered => return told.map_err(lost)?,
                room = parts.reserve() => room,
            };
            // Who takes no more will tell why.
            let Ok(room) = room else { break };
            match stream::part(body) {
                Ok(part) if part.is_empty() => break,
                Ok(part) => room.send(part),
                // The request ends in the middle, and the server knows it.
                Err(_) => return Err(TransportError::NoAnswer("its body cannot be read".into())),
            }
        }
        drop(parts);
        answered.await.map_err(lost)?
    }

    async fn download(&self, request: HttpRequest, take: &mut Take<'_>) -> Told {
        let (taker, mut pieces) = stream::pieces();
        let answered = self.submit(request, None, Some(taker))?;
        while let Some((answer, bytes)) = pieces.recv().await {
            if !take(&answer, &bytes) {
                return Ok(HttpResponse::clone(&answer));
            }
        }
        answered.await.map_err(lost)?
    }
}

fn lost(_: oneshot::error::RecvError) -> TransportError {
    TransportError::NoAnswer("the network thread has ended".into())
}

fn start(limits: Limits, proxied: bool) -> io::Result<mpsc::UnboundedSender<Job>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (sender, mut jobs) = mpsc::unbounded_channel::<Job>();
    let work = async move {
        let client = client(limits, proxied).map_err(|error| reason(&error));
        while let Some(job) = jobs.recv().await {
            match &client {
                Ok(client) => drop(tokio::spawn(run(client.clone(), limits, job))),
                Err(why) => {
                    let error = TransportError::NotSent(format!("TLS cannot be set up: {why}"));
                    // Nobody waits any more: the caller gave up.
                    let _ = job.answer.send(Err(error));
                }
            }
        }
    };
    thread::Builder::new()
        .name("attache-network".into())
        .spawn(move || runtime.block_on(work))?;
    Ok(sender)
}

fn client(limits: Limits, proxied: bool) -> reqwest::Result<Client> {
    // A host that installed its own before keeps it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(limits.connect_timeout)
        .timeout(limits.call_timeout)
        // A write on a connection that the org is just closing would be in doubt.
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("attache/", env!("CARGO_PKG_VERSION")));
    match proxied {
        true => builder.build(),
        false => builder.no_proxy().build(),
    }
}

async fn run(client: Client, limits: Limits, job: Job) {
    let Job {
        request,
        upload,
        taker,
        mut answer,
    } = job;
    let result = tokio::select! {
        result = exchange(&client, limits, request, upload, taker) => result,
        () = answer.closed() => return,
    };
    // Nobody waits any more: the caller gave up in this very moment.
    let _ = answer.send(result);
}

async fn exchange(
    client: &Client,
    limits: Limits,
    request: HttpRequest,
    upload: Option<Upload>,
    taker: Option<mpsc::Sender<Piece>>,
) -> Told {
    let beat = Beat::default();
    let carried = upload.as_ref().map_or(0, Upload::bytes)
        + taker
            .as_ref()
            .map_or(0, |_| request.response_bytes_max as u64);
    let mut builder = prepare(client, &request).timeout(limits.call_timeout_of(carried));
    if let Some(upload) = upload {
        builder = builder.body(reqwest::Body::wrap(upload.felt_by(&beat)));
    } else if !request.body.is_empty() {
        builder = builder.body(request.body);
    }
    // reqwest's own limit of a pause would begin with the first byte of a body that leaves.
    let sent = beat.lively(limits.read_timeout, builder.send()).await?;
    let mut response = sent.map_err(failed)?;
    let mut answer = HttpResponse {
        status: response.status().as_u16(),
        headers: headers(&response),
        body: Vec::new(),
    };
    let taker = taker.filter(|_| answer.is_success());
    let head = Arc::new(answer.clone());
    // A refusal is no larger than any other answer.
    let most = match taker {
        Some(_) => request.response_bytes_max,
        None => request.response_bytes_max.min(limits.response_bytes_max),
    };
    let mut count = 0_usize;
    loop {
        let chunk = beat.lively(limits.read_timeout, response.chunk()).await?;
        let Some(chunk) = chunk.map_err(failed)? else {
            return Ok(answer);
        };
        // Chunks are counted inflated: a small answer may hold a very large one.
        count = count.saturating_add(chunk.len());
        if count > most {
            return Err(TransportError::TooLarge);
        }
        match &taker {
            None => answer.body.extend_from_slice(&chunk),
            Some(taker) if taker.send((Arc::clone(&head), chunk)).await.is_err() => {
                return Ok(answer);
            }
            Some(_) => {}
        }
    }
}

fn prepare(client: &Client, request: &HttpRequest) -> RequestBuilder {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Patch => reqwest::Method::PATCH,
        Method::Delete => reqwest::Method::DELETE,
    };
    let mut builder = client.request(method, &request.url);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    builder
}

fn headers(response: &reqwest::Response) -> Vec<(String, String)> {
    let read = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    };
    response.headers().iter().map(read).collect()
}

fn failed(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let why = if error.is_timeout() {
        "it took too long".into()
    } else {
        reason(&error)
    };
    if error.is_connect() || error.is_builder() {
        TransportError::NotSent(why)
    } else {
        TransportError::NoAnswer(why)
    }
}

/// The innermost cause, as a clause for a person.
fn reason(error: &(dyn StdError + 'static)) -> String {
    let mut cause = error;
    loop {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::ConnectionRefused => return "connection refused".into(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    return "the connection was closed".into();
                }
                io::ErrorKind::TimedOut => return "it took too long".into(),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    return "there is no network to it".into();
                }
                _ => {}
            }
        }
        match cause.source() {
            Some(source) => cause = source,
            None => return tidy(&cause.to_string()),
        }
    }
}

fn tidy(text: &str) -> String {
    let text = text.split(" (os error").next().unwrap_or_default();
    if text.contains("failed to lookup address") || text.contains("dns error") {
        return "its name cannot be resolved".into();
    }
    // What hyper says when a connection ends before a whole answer came.
    if text.contains("connection closed") {
        return "the connection was closed".into();
    }
    text.trim_end_matches('.').to_owned()
}
