//! The bytes of files, in stretches.

use crate::client::{Call, Salesforce, escape};
use crate::error::{not_a_remote, refusal};
use crate::transport::HttpResponse;
use attache::{BodyPart, Error, ErrorKind, Result};
use std::ops::Range;

/// Room for a refusal, where a short stretch is asked for.
const REFUSAL_BYTES: u64 = 64 << 10;

impl Salesforce {
    /// Reads a stretch of a version's bytes.
    ///
    /// No official text says whether the org honours `Range`, so either answer will do: the stretch
    /// (206), or the whole file (200), which is bounded by what was told of it and by the limits.
    pub(crate) async fn version_data(
        &self,
        version: &str,
        stretch: Range<u64>,
        total: u64,
    ) -> Result<BodyPart> {
        let path = format!("/sobjects/ContentVersion/{}/VersionData", escape(version));
        let mut call = Call::read("read_body", self.path(path));
        call.accept = "*/*";
        let most = total.max(REFUSAL_BYTES);
        call.response_bytes_max = usize::try_from(most).unwrap_or(usize::MAX);
        let whole = stretch.start == 0 && stretch.end >= total;
        if !whole && !stretch.is_empty() {
            let range = format!("bytes={}-{}", stretch.start, stretch.end - 1);
            call = call.header("Range", range);
        }
        let answer = self.send(&call).await?;
        match answer.status {
            200 if answer.body.len() as u64 > total => Err(self.other_bytes()),
            200 => Ok(BodyPart {
                start: 0,
                total: answer.body.len() as u64,
                bytes: answer.body,
            }),
            206 => self.stretch(stretch, answer),
            416 => Ok(BodyPart {
                start: stretch.start,
                bytes: Vec::new(),
                total: self.content_range(&answer)?.1,
            }),
            _ => Err(refusal(&self.address, &answer, &self.meter)),
        }
    }

    fn stretch(&self, asked: Range<u64>, answer: HttpResponse) -> Result<BodyPart> {
        let (start, total) = self.content_range(&answer)?;
        let bytes = answer.body;
        let fits = start == asked.start
            && !bytes.is_empty()
            && bytes.len() as u64 <= asked.end - asked.start
            && start.saturating_add(bytes.len() as u64) <= total;
        if !fits {
            return Err(self.other_bytes());
        }
        Ok(BodyPart {
            start,
            bytes,
            total,
        })
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
