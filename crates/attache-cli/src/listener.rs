//! The door at which a browser comes back from a sign-in: one port of this machine, for one answer.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The path that the browser is sent to.
const PATH: &str = "/callback";
/// Bytes of a request's head at most: a code and a state are some hundred.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long one caller may take to say what it wants. Browsers open connections that they never use.
const HEARING: Duration = Duration::from_secs(10);
/// Callers that are heard at a time; whoever comes next waits.
const CALLERS_MAX: usize = 32;

/// An open port that waits for a browser.
pub struct Door {
    listener: TcpListener,
    port: u16,
}

impl Door {
    /// Opens a port of 127.0.0.1; 0 takes a free one.
    pub async fn open(port: u16) -> io::Result<Door> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        Ok(Door { listener, port })
    }

    /// Where the browser is to be sent.
    pub fn redirect_uri(&self) -> String {
        format!("http://localhost:{}{PATH}", self.port)
    }

    /// Waits for a request that is `ours`, and gives what it came with. All others are turned away
    /// and change nothing: anybody on the machine may knock.
    pub async fn answer(
        self,
        ours: impl Fn(&str) -> bool + Clone + Send + 'static,
    ) -> io::Result<String> {
        let mut callers = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if callers.len() < CALLERS_MAX => {
                    let (stream, _) = accepted?;
                    let (port, ours) = (self.port, ours.clone());
                    callers.spawn(async move {
                        timeout(HEARING, hear(stream, port, ours)).await.ok().flatten()
                    });
                }
                Some(heard) = callers.join_next() => {
                    if let Ok(Some(answer)) = heard {
                        return Ok(answer);
                    }
                }
            }
        }
    }
}

/// Hears one caller out and answers; gives what came with a request that is ours.
async fn hear(mut stream: TcpStream, port: u16, ours: impl Fn(&str) -> bool) -> Option<String> {
    let head = head(&mut stream).await?;
    let query = asked(&head, port);
    let (status, words) = match &query {
        Some(query) if !ours(query) => ("400 Bad Request", "This page belongs to another sign-in."),
        Some(query) if query.contains("error=") => (
            "200 OK",
            "You are not signed in. The terminal says why; this window may be closed.",
        ),
        Some(_) => (
            "200 OK",
            "That is all here. Go on in the terminal; this window may be closed.",
        ),
        None => ("404 Not Found", "There is nothing here."),
    };
    // Whether the page arrives or not, the answer did.
    let _ = stream.write_all(page(status, words).as_bytes()).await;
    let _ = stream.shutdown().await;
    query.filter(|query| ours(query))
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 1024];
    loop {
        let read = stream.read(&mut part).await.ok()?;
        bytes.extend_from_slice(&part[..read]);
        if bytes.windows(4).any(|window| window == b"\r\n\r\n") {
            return String::from_utf8(bytes).ok();
        }
        if read == 0 || bytes.len() > HEAD_BYTES_MAX {
            return None;
        }
    }
}

/// The query of a request for our path on our host; `None` for any other.
///
/// The host is looked at because a page elsewhere may have a name of its own for this machine.
fn asked(head: &str, port: u16) -> Option<String> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let host = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))?
        .1
        .trim();
    let named = |name: &str| host == format!("{name}:{port}");
    let (path, query) = target.split_once('?')?;
    let fits = method == "GET" && path == PATH && (named("localhost") || named("127.0.0.1"));
    fits.then(|| query.to_owned())
}

/// A page that says one thing and asks for nothing.
fn page(status: &str, words: &str) -> String {
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>attache</title><p>{words}</p></html>\n"
    );
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n{html}",
        html.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_path_on_our_host_is_heard() {
        let ask =
            |line: &str, host: &str| asked(&format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n"), 9);
        for host in ["localhost:9", "127.0.0.1:9"] {
            assert_eq!(
                ask("GET /callback?code=a&state=b", host).as_deref(),
                Some("code=a&state=b")
            );
        }
        for (line, host) in [
            ("GET /callback?code=a", "evil.example:9"),
            ("GET /callback?code=a", "localhost"),
            ("GET /callback?code=a", "localhost:80"),
            ("GET /favicon.ico", "localhost:9"),
            ("GET /callback", "localhost:9"),
            ("POST /callback?code=a", "localhost:9"),
            ("GET http://localhost:9/callback?code=a", "localhost:9"),
            ("", "localhost:9"),
        ] {
            assert_eq!(ask(line, host), None, "{line} {host}");
        }
        assert_eq!(
            asked("GET /callback?code=a HTTP/1.1\r\n\r\n", 9),
            None,
            "no host"
        );
    }
}
