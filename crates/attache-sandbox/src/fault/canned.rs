//! The answers that faults give in the org's place.

use crate::rest::Response;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const HTML: &str = "text/html;charset=UTF-8";

/// The page that an edge server shows in place of the org.
const EDGE_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Down for maintenance</title></head>\
<body><h1>We are down for maintenance.</h1></body></html>\n";

/// Blanks that a bomb is filled with, a piece at a time.
const PIECE_BYTES: usize = 1 << 16;

/// An answer of a status and a body, HTML if it looks like it.
pub(super) fn status(status: u16, body: String) -> Response {
    let answer = match body.trim_start().starts_with('<') {
        true => Response::empty(status).with("Content-Type", HTML),
        false => return Response::json(status, body),
    };
    Response {
        body: body.into_bytes(),
        ..answer
    }
}

/// What the org says of a session that is over.
pub(super) fn unauthorized() -> Response {
    refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

/// What the org says when the calls of the day are used up.
pub(super) fn limit_exceeded() -> Response {
    refusal(
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
    )
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = format!(r#"[{{"message":"{message}","errorCode":"{code}"}}]"#);
    Response::json(status, body)
}

/// The page of an edge server, and when to come back.
pub(super) fn busy(code: u16, retry_after_s: Option<u32>) -> Response {
    let answer = status(code, EDGE_PAGE.into());
    match retry_after_s {
        Some(seconds) => answer.with("Retry-After", seconds.to_string()),
        None => answer,
    }
}

/// A place to go to.
pub(super) fn redirect(status: u16, to: &str) -> Response {
    Response::empty(status).with("Location", to)
}

/// A page of a query whose row is arrays inside each other.
pub(super) fn deep(depth: usize) -> Response {
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    let body = format!(
        r#"{{"totalSize":1,"done":true,"records":[{{"attributes":{{"type":"Account"}},"Id":{open}{close}}}]}}"#
    );
    Response::json(200, body)
}

/// An empty page of a query, with a next page that nobody has asked for yet.
pub(super) fn endless_page(target: &str, before: u32) -> Response {
    // The version is the one that was asked for.
    let version = target.split('/').nth(3).unwrap_or("v67.0");
    let body = format!(
        r#"{{"totalSize":2000000000,"done":false,"nextRecordsUrl":"/services/data/{version}/query/01gHx000000ENDL-{before}","records":[]}}"#
    );
    Response::json(200, body)
}

/// An answer that is small on the wire and of this size inflated.
pub(super) fn bomb(bytes: usize) -> Response {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let blanks = [b' '; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(PIECE_BYTES);
        packer
            .write_all(&blanks[..piece])
            .expect("memory takes every byte");
        left -= piece;
    }
    let body = packer.finish().expect("memory takes every byte");
    Response::json(200, body).with("Content-Encoding", "gzip")
}

/// The answer with one text in place of another, in the body and in the values of its headers.
pub(super) fn rewrite(mut answer: Response, find: &str, replace: &str) -> Response {
    if find.is_empty() {
        return answer;
    }
    for (_, value) in &mut answer.headers {
        *value = value.replace(find, replace);
    }
    let mut body = Vec::with_capacity(answer.body.len());
    let mut rest = answer.body.as_slice();
    while let Some(at) = position(rest, find.as_bytes()) {
        body.extend_from_slice(&rest[..at]);
        body.extend_from_slice(replace.as_bytes());
        rest = &rest[at + find.len()..];
    }
    body.extend_from_slice(rest);
    answer.body = body;
    answer
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn a_bomb_is_small_and_inflates_to_its_size() {
        let answer = bomb(3 * PIECE_BYTES + 1);
        assert!(answer.body.len() < 2_000, "{}", answer.body.len());
        let mut plain = Vec::new();
        GzDecoder::new(answer.body.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(plain.len(), 3 * PIECE_BYTES + 1);
    }

    #[test]
    fn each_page_of_an_endless_query_names_another_of_the_same_version() {
        let first = endless_page("/services/data/v60.0/query?q=x", 0).text();
        assert!(first.contains("/services/data/v60.0/query/01gHx000000ENDL-0"));
        assert_ne!(
            first,
            endless_page("/services/data/v60.0/query?q=x", 1).text()
        );
    }

    #[test]
    fn a_text_is_replaced_everywhere_and_nothing_else_is_touched() {
        let answer =
            Response::json(201, r#"{"a":"/x/1","b":"/x/2","c":"/y"}"#).with("Location", "/x/1");
        let told = rewrite(answer.clone(), "/x/", "https://evil.example/x/");
        assert_eq!(
            told.text(),
            r#"{"a":"https://evil.example/x/1","b":"https://evil.example/x/2","c":"/y"}"#
        );
        assert_eq!(told.get("Location"), Some("https://evil.example/x/1"));
        assert_eq!(rewrite(answer.clone(), "", "z"), answer);
    }
}
