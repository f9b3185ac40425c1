//! What goes in and what comes out: HTTP messages without HTTP.

/// One request, as the org reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PATCH`, `DELETE`, `HEAD`; upper case.
    pub method: String,
    /// Path and query as sent: `/services/data/v67.0/query?q=SELECT+Id+FROM+Account`.
    pub target: String,
    /// Names in any case; order kept.
    pub headers: Vec<(String, String)>,
    /// The bytes sent; may be gzip if a `Content-Encoding` header says so.
    pub body: Vec<u8>,
}

impl Request {
    /// Gives what a composite call reads, path and query of each part, if reading is all it does.
    ///
    /// Nothing for any other request: it is what its method and its target say.
    pub fn parts_read(&self) -> Vec<String> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            composite_request: Vec<Part>,
        }
        #[derive(serde::Deserialize)]
        struct Part {
            method: String,
            url: String,
        }
        if self.method != "POST" || !self.target.trim_end_matches('/').ends_with("/composite") {
            return Vec::new();
        }
        match serde_json::from_slice::<Body>(&self.body) {
            Ok(body)
                if body
                    .composite_request
                    .iter()
                    .all(|part| part.method == "GET") =>
            {
                body.composite_request
                    .into_iter()
                    .map(|part| part.url)
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// In the order they are sent. `Content-Length` is the transport's to add.
    pub headers: Vec<(String, String)>,
    /// May be empty, and is gzip if a `Content-Encoding` header says so.
    pub body: Vec<u8>,
}

impl Request {
    /// Makes a request without headers or body.
    pub fn new(method: &str, target: &str) -> Request {
        Request {
            method: method.into(),
            target: target.into(),
            ..Request::default()
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds `Authorization: Bearer`.
    pub fn bearer(self, access_token: &str) -> Request {
        self.header("Authorization", &format!("Bearer {access_token}"))
    }

    /// Sets a JSON body and its content type.
    pub fn json(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self.header("Content-Type", "application/json")
    }

    /// Sets a form body and its content type.
    pub fn form(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self.header("Content-Type", "application/x-www-form-urlencoded")
    }

    /// Finds a header whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Response {
    /// Finds a header whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Reads the body as text, with marks where it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Starts an answer without a body.
    pub(crate) fn empty(status: u16) -> Response {
        Response {
            status,
            ..Response::default()
        }
    }

    /// Starts an answer with a JSON body.
    pub(crate) fn json(status: u16, body: impl Into<Vec<u8>>) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
        .with("Content-Type", "application/json;charset=UTF-8")
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Response {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Finds a header whatever the case of its name.
pub(crate) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}
