//! An org that lies.

use async_trait::async_trait;
use attache_salesforce::{
    HttpRequest, HttpResponse, Salesforce, StaticToken, Transport, TransportError,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where the lying org lives.
pub(crate) const URL: &str = "https://acme.my.salesforce.com";
/// The token that goes to the org and nowhere else.
pub(crate) const TOKEN: &str = "canary-access-token";

pub(crate) const STATUSES: [u16; 24] = [
    200, 200, 200, 200, 200, 200, 201, 204, 206, 300, 302, 304, 400, 400, 401, 403, 404, 405, 412,
    413, 414, 429, 500, 503,
];
const TYPES: [&str; 4] = [
    "application/json;charset=UTF-8",
    "text/csv",
    "text/html",
    "",
];

type Answer = (u16, String, Vec<u8>);

/// An org whose every answer is made of the bytes of a script.
///
/// A script is a list of answers: a byte for the status, one for the headers, and a body up to the next 0x1E.
/// When it is at its end it begins again, so that an endless page stays endless.
pub(crate) struct Liar {
    answers: Vec<Answer>,
    headers: Vec<u8>,
    requests: AtomicUsize,
}

impl Liar {
    /// A client of an org that answers by a script.
    pub(crate) fn org(script: &[u8]) -> (Arc<Liar>, Salesforce) {
        let mut headers = Vec::new();
        let answers = script
            .split(|byte| *byte == 0x1e)
            .map(|answer| {
                let (status, rest) = answer.split_first().unwrap_or((&0, &[]));
                let (kind, body) = rest.split_first().unwrap_or((&0, &[]));
                headers.push(*kind);
                let status = STATUSES[usize::from(*status) % STATUSES.len()];
                (
                    status,
                    TYPES[usize::from(*kind) % 4].to_owned(),
                    body.to_vec(),
                )
            })
            .collect();
        Liar::made(answers, headers)
    }

    /// A client of an org that gives these answers.
    pub(crate) fn answering(answers: Vec<Answer>) -> (Arc<Liar>, Salesforce) {
        let headers = vec![0; answers.len()];
        Liar::made(answers, headers)
    }

    fn made(answers: Vec<Answer>, headers: Vec<u8>) -> (Arc<Liar>, Salesforce) {
        let liar = Arc::new(Liar {
            answers,
            headers,
            requests: AtomicUsize::new(0),
        });
        let org = Salesforce::builder(URL, StaticToken::new(TOKEN))
            .transport(Arc::clone(&liar) as Arc<dyn Transport>)
            .build()
            .expect("a good address");
        (liar, org)
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// The headers that a byte asks for. Each of its bits is one that means something.
fn headers(kind: u8, content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    let text: String = String::from_utf8_lossy(body).chars().take(40).collect();
    let mut headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    let mut add = |bit: u8, name: &str, value: String| {
        if kind & bit != 0 {
            headers.push((name.to_owned(), value));
        }
    };
    add(4, "Date", "Sun, 22 Nov 2026 09:30:00 GMT".into());
    add(8, "Sforce-Limit-Info", format!("api-usage={text}/15000"));
    add(16, "Retry-After", text.clone());
    add(32, "Location", format!("https://evil.example/{text}"));
    add(64, "Sforce-Locator", text.clone());
    add(128, "Content-Range", format!("bytes 0-8/{text}"));
    headers
}

#[async_trait]
impl Transport for Liar {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let nth = self.requests.fetch_add(1, Ordering::Relaxed);
        let path = request
            .url
            .strip_prefix(URL)
            .expect("no request leaves for another host");
        assert!(
            path.is_empty() || path.starts_with(['/', '?']),
            "{}",
            request.url
        );
        let control = |byte: u8| byte < b' ' || byte == 0x7f;
        assert!(
            !request.url.bytes().any(control),
            "a line ends in {:?}",
            request.url
        );
        for (name, value) in &request.headers {
            let clean = !name.bytes().chain(value.bytes()).any(control);
            assert!(clean, "a header of two lines: {name}: {value:?}");
        }
        let at = nth % self.answers.len();
        let (status, content_type, body) = &self.answers[at];
        if body.len() > request.response_bytes_max {
            return Err(TransportError::TooLarge);
        }
        Ok(HttpResponse {
            status: *status,
            headers: headers(self.headers[at], content_type, body),
            body: body.clone(),
        })
    }
}
