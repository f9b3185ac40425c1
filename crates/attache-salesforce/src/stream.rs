//! Bodies that travel in parts between the caller's thread and the network's.

use crate::transport::{HttpResponse, TransportError};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::future::Future;
use std::io::{self, Read};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Bytes of a part that leaves.
const PART_BYTES: usize = 256 << 10;
/// Parts that were read and have not left.
const PARTS_AHEAD: usize = 2;
/// Pieces of an answer that came and were not taken; a piece is what one read of a socket gives.
const PIECES_AHEAD: usize = 16;

/// A piece of an answer's body, and the answer.
pub(crate) type Piece = (Arc<HttpResponse>, Bytes);

/// Makes a channel for the body of an answer.
pub(crate) fn pieces() -> (mpsc::Sender<Piece>, mpsc::Receiver<Piece>) {
    mpsc::channel(PIECES_AHEAD)
}

/// Makes a body of so many bytes, and a channel that fills it.
pub(crate) fn upload(bytes: u64) -> (Upload, mpsc::Sender<Vec<u8>>) {
    let (sender, parts) = mpsc::channel(PARTS_AHEAD);
    let upload = Upload {
        left: bytes,
        parts,
        beat: Beat::default(),
    };
    (upload, sender)
}

/// Reads the next part of a body; an empty one is its end.
pub(crate) fn part(body: &mut (dyn Read + Send)) -> io::Result<Vec<u8>> {
    let mut part = Vec::with_capacity(PART_BYTES);
    body.take(PART_BYTES as u64).read_to_end(&mut part)?;
    Ok(part)
}

/// A body that somebody reads while it leaves.
pub(crate) struct Upload {
    left: u64,
    parts: mpsc::Receiver<Vec<u8>>,
    beat: Beat,
}

impl Upload {
    pub(crate) fn bytes(&self) -> u64 {
        self.left
    }

    /// Lets somebody feel that it moves.
    pub(crate) fn felt_by(mut self, beat: &Beat) -> Upload {
        self.beat = beat.clone();
        self
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.beat.0.notify_one();
        Poll::Ready(match ready!(self.parts.poll_recv(context)) {
            Some(part) => {
                self.left = self.left.saturating_sub(part.len() as u64);
                Some(Ok(Frame::data(part.into())))
            }
            None if self.left == 0 => None,
            // Who read it gave up.
            None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Tells that a request is still moving.
#[derive(Clone, Default)]
pub(crate) struct Beat(Arc<Notify>);

impl Beat {
    /// Waits for something as long as it does not pause for longer than this.
    pub(crate) async fn lively<T>(
        &self,
        pause: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, TransportError> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = self.0.notified() => {}
                () = tokio::time::sleep(pause) => {
                    return Err(TransportError::NoAnswer("it took too long".into()));
                }
            }
        }
    }
}
