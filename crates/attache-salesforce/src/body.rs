//! The bytes of files, as they come.

use crate::client::{Call, Large, Salesforce, escape};
use crate::error::{not_a_remote, refusal};
use crate::transport::HttpResponse;
use attache::{BodyPart, Error, ErrorKind, Result, TakePart};

/// Room for a refusal, where a short stretch is asked for.
const REFUSAL_BYTES: u64 = 64 << 10;
/// Bytes of a stretch that is asked for where an answer is in memory whole.
const STRETCH_BYTES: u64 = 4 << 20;
/// Bytes of a part that is handed on: what of a file that comes is in memory, and lost if the line breaks.
const PART_BYTES: usize = 1 << 20;

impl Salesforce {
    /// Reads a version's bytes from a place on.
    ///
    /// No official text says whether the org honours `Range`, so either answer will do: what was asked
    /// for (206), or the whole file (200), whose first bytes are passed over.
    pub(crate) async fn version_data(
        &self,
        version: &str,
        start: u64,
        total: u64,
        take: &mut TakePart<'_>,
    ) -> Result<()> {
        let path = format!("/sobjects/ContentVersion/{}/VersionData", escape(version));
        let mut call = Call::read("read_body", self.path(path));
        call.accept = "*/*";
        call.response_bytes_max = usize::try_from(total.max(REFUSAL_BYTES)).unwrap_or(usize::MAX);
        let mut end = total;
        if !self.transport.streams() {
            end = end.min(start.saturating_add(STRETCH_BYTES));
        }
        if start > 0 || end < total {
            let range = format!("bytes={start}-{}", end.max(start + 1) - 1);
            call = call.header("Range", range);
        }
        let mut coming = Coming {
            org: self,
            asked: (start, end),
            total,
            place: None,
            held: Vec::new(),
            take: &mut *take,
            became: Ok(true),
        };
        let mut each = |answer: &HttpResponse, bytes: &[u8]| coming.go_on(answer, bytes);
        let answer = self.carry(&call, Large::Answer(&mut each)).await;
        let became = std::mem::replace(&mut coming.became, Ok(true));
        match (became, answer?) {
            (Err(error), _) => Err(error),
            (Ok(false), _) => Ok(()),
            (Ok(true), answer) if matches!(answer.status, 200 | 206) => coming.end(&answer),
            (Ok(true), answer) if answer.status == 416 => {
                let (_, total) = self.content_range(&answer)?;
                let bytes = Vec::new();
                take(BodyPart {
                    start,
                    bytes,
                    total,
                })
                .map(drop)
            }
            (Ok(true), answer) => Err(refusal(&self.address, &answer, &self.meter)),
        }
    }

    fn other_bytes(&self) -> Error {
        let message = format!(
            "{} answered with other bytes of a file than were asked for",
            self.address
        );
        Error::new(ErrorKind::NotARemote, message)
    }

    /// Where a stretch begins, and how many bytes the whole has.
    fn content_range(&self, answer: &HttpResponse) -> Result<(u64, u64)> {
        let range = answer.header("Content-Range").and_then(content_range);
        range.ok_or_else(|| not_a_remote(&self.address))
    }
}

/// An answer with bytes of a file that is on its way.
struct Coming<'a, 'b> {
    org: &'a Salesforce,
    /// From which byte on, and up to which.
    asked: (u64, u64),
    /// Bytes of the whole file, as was told before.
    total: u64,
    /// Where the next byte belongs that comes; `None` before the first.
    place: Option<u64>,
    /// The bytes in front of it that were not handed on.
    held: Vec<u8>,
    take: &'a mut TakePart<'b>,
    became: Result<bool>,
}

impl Coming<'_, '_> {
    /// Takes bytes in, and says whether more are wanted.
    fn go_on(&mut self, answer: &HttpResponse, bytes: &[u8]) -> bool {
        self.became = self.take_in(answer, bytes);
        matches!(self.became, Ok(true))
    }

    fn take_in(&mut self, answer: &HttpResponse, bytes: &[u8]) -> Result<bool> {
        let (start, end) = self.asked;
        let place = match self.place {
            Some(place) => place,
            None => self.begin(answer)?,
        };
        // What is behind the last byte is not what was told of: then none of this is true.
        let behind = place.saturating_add(bytes.len() as u64);
        if behind
            > if answer.status == 200 {
                self.total
            } else {
                end
            }
        {
            return Err(self.org.other_bytes());
        }
        self.place = Some(behind);
        // The last part is handed on only when it is known to be the last.
        let mut wanted = true;
        if self.held.len() >= PART_BYTES && !bytes.is_empty() {
            wanted = self.hand_on(place, self.total)?;
        }
        let known = usize::try_from(start.saturating_sub(place)).unwrap_or(usize::MAX);
        self.held
            .extend_from_slice(bytes.get(known..).unwrap_or_default());
        Ok(wanted)
    }

    /// Where the first byte of an answer belongs.
    fn begin(&self, answer: &HttpResponse) -> Result<u64> {
        match answer.status {
            200 => Ok(0),
            206 => {
                let (start, total) = self.org.content_range(answer)?;
                if total != self.total {
                    let message = format!(
                        "{} holds {total} bytes of a file, where it had told of {}",
                        self.org.address, self.total
                    );
                    return Err(Error::new(ErrorKind::NotARemote, message));
                }
                match start == self.asked.0 {
                    true => Ok(start),
                    false => Err(self.org.other_bytes()),
                }
            }
            _ => Err(not_a_remote(&self.org.address)),
        }
    }

    /// Hands on what is held, which ends at a place.
    fn hand_on(&mut self, end: u64, total: u64) -> Result<bool> {
        let bytes = std::mem::take(&mut self.held);
        (self.take)(BodyPart {
            start: end.max(self.asked.0) - bytes.len() as u64,
            bytes,
            total,
        })
    }

    /// Hands the rest on, now that it is known to be one.
    fn end(mut self, answer: &HttpResponse) -> Result<()> {
        let place = match self.place {
            Some(place) => place,
            None => self.begin(answer)?,
        };
        if answer.status == 206 && self.held.is_empty() {
            return Err(self.org.other_bytes());
        }
        // A whole file says how many bytes it has by its end.
        let total = if answer.status == 200 {
            place
        } else {
            self.total
        };
        self.hand_on(place, total).map(drop)
    }
}

/// Reads `bytes 0-99/5000` and `bytes */5000`.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (place, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let total = total.trim().parse().ok()?;
    if place.trim() == "*" {
        return Some((total, total));
    }
    let start = place.split_once('-')?.0.trim().parse().ok()?;
    Some((start, total))
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn ranges_are_read_in_both_forms_and_nothing_else_is() {
        assert_eq!(content_range("bytes 10-19/5000"), Some((10, 5_000)));
        assert_eq!(content_range("bytes */5000"), Some((5_000, 5_000)));
        for junk in [
            "",
            "bytes",
            "bytes 1-2",
            "bytes 1-2/*",
            "bytes -/9",
            "lines 1-2/3",
        ] {
            assert_eq!(content_range(junk), None, "{junk}");
        }
    }
}
