//! An org that is honest, until somebody on the way is not.

use crate::liar::{STATUSES, URL};
use async_trait::async_trait;
use attache_salesforce::{
    HttpRequest, HttpResponse, Salesforce, StaticToken, Transport, TransportError,
};
use attache_sim::{InProcess, World};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// An honest org, some of whose answers are exchanged on their way.
pub(crate) struct Swap {
    honest: InProcess,
    left: AtomicUsize,
    script: Mutex<VecDeque<Vec<u8>>>,
}

impl Swap {
    /// A client of the world's org that gets so many answers as they are, and then those of a script.
    ///
    /// A script is a list of answers, each ended by 0x1E: a byte that says what is kept of the honest one, and a body.
    pub(crate) fn org(world: &World, honest: usize, script: &[u8]) -> Salesforce {
        let script = script
            .split(|byte| *byte == 0x1e)
            .map(<[u8]>::to_vec)
            .collect();
        let swap = Swap {
            honest: InProcess::new(world.sandbox.clone()),
            left: AtomicUsize::new(honest),
            script: Mutex::new(script),
        };
        Salesforce::builder(URL, StaticToken::new(&world.users[0].access_token))
            .transport(Arc::new(swap))
            .build()
            .expect("a good address")
    }
}

/// Puts pieces of a document in place of each other, by bytes that say which.
pub(crate) fn spoil(honest: &[u8], by: &[u8]) -> Vec<u8> {
    let mut body = honest.to_vec();
    for step in by.chunks(4) {
        let [at_high, at_low, length, with] = *step else {
            break;
        };
        if body.is_empty() {
            break;
        }
        let at = usize::from(u16::from_be_bytes([at_high, at_low])) % body.len();
        let end = (at + usize::from(length % 32)).min(body.len());
        let piece: &[u8] = match with % 12 {
            0 => b"null",
            1 => b"\"\"",
            2 => b"-1",
            3 => b"[]",
            4 => b"{}",
            5 => b"true",
            6 => b"99999999999999999999",
            7 => b"\"001000000000000AAA\"",
            8 => b"\"2026-11-22T09:30:00.000+0000\"",
            9 => b"",
            10 => b",",
            _ => &[with],
        };
        body.splice(at..end, piece.iter().copied());
    }
    body
}

#[async_trait]
impl Transport for Swap {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let limit = request.response_bytes_max;
        let mut answer = self.honest.send(request).await?;
        let honest = self
            .left
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if honest.is_ok() {
            return Ok(answer);
        }
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lie) = script.pop_front() else {
            return Ok(answer);
        };
        let (kind, body) = lie.split_first().unwrap_or((&0, &[]));
        match kind % 4 {
            0 => return Ok(answer),
            1 => answer.body = body.to_vec(),
            2 => answer.body = spoil(&answer.body, body),
            _ => {
                answer.status = STATUSES[usize::from(kind / 4) % STATUSES.len()];
                answer.body = body.to_vec();
            }
        }
        if answer.body.len() > limit {
            return Err(TransportError::TooLarge);
        }
        Ok(answer)
    }
}
