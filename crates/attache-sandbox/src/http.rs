//! The org on a socket: HTTP/1.1 on loopback.

use crate::{
    control,
    fault::{Manner, Outcome},
    rest::{Request, Response as Answer, body_bytes_max},
    sandbox::Sandbox,
};
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Response,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
    thread,
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot, watch},
    time::{Sleep, sleep},
};

/// Bytes of a request's head; the machine refuses heads of more than 16,384 itself, with an answer.
const HEAD_BUFFER_BYTES: usize = 256 * 1024;

/// Room made for a body before its first byte is there, in bytes.
const ROOM_BYTES_MAX: u64 = 1024 * 1024;

/// How long to wait after a connection that could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// How long the calls that are open at the end may take.
const GOODBYE_MAX: Duration = Duration::from_secs(5);

/// A sandbox that answers on a socket. Dropping it stops it without waiting for open calls.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    url: String,
    stop: watch::Sender<bool>,
    /// Answers when every connection is closed.
    stopped: Option<oneshot::Receiver<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The connection is cut without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// Serves a sandbox on the caller's tokio runtime, which must have I/O and time enabled. Port 0
/// picks a free port.
///
/// # Errors
///
/// `InvalidInput` if the address is not a loopback one: the tokens guard nothing real, and nobody
/// else must reach the org. Otherwise what binding the port says.
pub async fn serve(sandbox: Sandbox, address: SocketAddr) -> io::Result<Serving> {
    if !address.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{address} is not a loopback address"),
        ));
    }
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (stop, stopping) = watch::channel(false);
    let (done, stopped) = oneshot::channel();
    tokio::spawn(async move {
        accept(sandbox, listener, stopping).await;
        // Nobody may be waiting.
        let _ = done.send(());
    });
    Ok(Serving {
        address,
        url: format!("http://{address}"),
        stop,
        stopped: Some(stopped),
        thread: None,
    })
}

impl Serving {
    /// Serves a sandbox on a thread of its own, for programs without a tokio runtime.
    ///
    /// Blocks until the port is open.
    pub fn spawn(sandbox: Sandbox, port: u16) -> io::Result<Serving> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let mut serving = runtime.block_on(serve(sandbox, (Ipv4Addr::LOCALHOST, port).into()))?;
        let stopped = serving.stopped.take();
        let thread = thread::Builder::new()
            .name("sandbox".into())
            .spawn(move || {
                if let Some(stopped) = stopped {
                    // An error means that the accepting task is gone, which is as good.
                    let _ = runtime.block_on(stopped);
                }
            })?;
        serving.thread = Some(thread);
        Ok(serving)
    }

    /// Tells where the org answers: `http://127.0.0.1:` and the port.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Tells the address the org answers at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, gives the calls that are open five seconds, and closes.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.await;
        }
    }

    /// Stops a server made by [`Serving::spawn`], and blocks until its thread has ended.
    pub fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn accept(sandbox: Sandbox, listener: TcpListener, mut stopping: watch::Receiver<bool>) {
    // Each connection holds one end; when all are dropped, the other end hears of it.
    let (open, mut closed) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let talk = talk(sandbox.clone(), stream, stopping.clone());
                let open = open.clone();
                tokio::spawn(async move {
                    talk.await;
                    drop(open);
                });
            }
            // A connection that is gone before it is taken is no reason to stop, and a process
            // out of file handles gets some back in a while.
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
    drop((listener, open));
    // A client that never finishes its request must not keep the org up.
    let _ = tokio::time::timeout(GOODBYE_MAX, closed.recv()).await;
}

/// How a connection ends that is cut on purpose; `None` if it is merely dropped.
type Ending = Mutex<Option<Manner>>;

/// Answers the calls of one connection, one after the other.
async fn talk(sandbox: Sandbox, stream: TcpStream, mut stopping: watch::Receiver<bool>) {
    // Answers are written at once; waiting for more only costs a round trip.
    let _ = stream.set_nodelay(true);
    let ending = Ending::default();
    let service = service_fn(|request| answer(&sandbox, &ending, request));
    let mut connection = http1::Builder::new()
        .max_buf_size(HEAD_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let stop = async {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    // An error is a client that went away, or a connection cut on purpose.
    let _ = tokio::select! {
        ended = &mut connection => ended,
        () = stop => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let mut stream = connection.into_parts().io.into_inner();
    let ending = ending.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Whatever fails here, the client was to be disappointed anyway.
    match ending {
        Some(Manner::Reset) => {
            let _ = stream.set_zero_linger();
        }
        Some(Manner::Raw(bytes)) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        _ => {}
    }
}

async fn answer(
    sandbox: &Sandbox,
    ending: &Ending,
    request: hyper::Request<Incoming>,
) -> Result<Response<Sent>, Cut> {
    let (head, body) = request.into_parts();
    let headers = pairs(&head.headers);
    let request = Request {
        method: head.method.as_str().to_owned(),
        target: head
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str())
            .to_owned(),
        body: read(body, body_bytes_max(&headers)).await?,
        headers,
    };
    if control::is_addressed(&request) {
        return reply(control::answer(sandbox, &request), End::Clean, None);
    }
    let (outcome, manner) = sandbox.meet(request);
    let pause = match manner {
        Manner::Late(wait) => {
            sleep(wait).await;
            None
        }
        Manner::Drip(pause) => Some(pause),
        _ => None,
    };
    match outcome {
        Outcome::NoAnswer => {
            *ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(manner);
            Err(Cut)
        }
        Outcome::Answer(answer) => reply(answer, End::Clean, pause),
        Outcome::Truncated(answer) => reply(answer, End::Flush, pause),
    }
}

/// Reads a body, and stops when it is longer than the machine will take.
async fn read(mut body: Incoming, bytes_max: usize) -> Result<Vec<u8>, Cut> {
    // What a client announces is only a promise: room for more is made as it comes.
    let announced = body.size_hint().lower().min(ROOM_BYTES_MAX);
    let mut bytes = Vec::with_capacity(announced as usize);
    while bytes.len() <= bytes_max {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => {
                bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| &**data))
            }
            Some(Err(_)) => return Err(Cut),
        }
    }
    Ok(bytes)
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

fn reply(answer: Answer, end: End, pause: Option<Duration>) -> Result<Response<Sent>, Cut> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Sent {
            part: Some(Bytes::from(answer.body)),
            end,
            drip: pause.map(|pause| (pause, Box::pin(sleep(pause)))),
        })
        .map_err(|_| Cut)
}

/// An answer's body: whole, or cut after the part that is to arrive.
#[derive(Debug)]
struct Sent {
    part: Option<Bytes>,
    end: End,
    /// The pause before each byte, and the one that runs.
    drip: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Sent {
    /// Takes what is sent next: all that is left, or a byte after a pause.
    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(mut part) = self.part.take().filter(|part| !part.is_empty()) else {
            return Poll::Ready(None);
        };
        let Some((pause, running)) = &mut self.drip else {
            return Poll::Ready(Some(part));
        };
        if running.as_mut().poll(context).is_pending() {
            self.part = Some(part);
            return Poll::Pending;
        }
        running.set(sleep(*pause));
        let byte = part.split_to(1);
        self.part = Some(part);
        Poll::Ready(Some(byte))
    }
}

/// What follows the bytes of a body.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The end of the answer.
    Clean,
    /// A moment for the bytes to leave, then the cut.
    Flush,
    /// The cut.
    Cut,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match ready!(self.poll_part(context)) {
            Some(part) => Poll::Ready(Some(Ok(Frame::data(part)))),
            None if self.end == End::Flush => {
                self.end = End::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            None if self.end == End::Cut => Poll::Ready(Some(Err(Cut))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.end == End::Clean && self.part.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.end, &self.part) {
            (End::Clean, part) => {
                SizeHint::with_exact(part.as_ref().map_or(0, |part| part.len() as u64))
            }
            // The announced length is in the headers, and is a lie.
            _ => SizeHint::new(),
        }
    }
}
