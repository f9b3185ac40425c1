//! A server that means harm: bytes without an end, answers that never come, and what is no HTTP.
//!
//! Nothing here waits for a clock but the client's own limits, which are set small.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod socket;

use attache::{ErrorKind, Fields, Remote, Write as Edit, WriteAction, WriteOutcome};
use attache_salesforce::{
    ClientCredentials, HttpRequest, Limits, Method, Reqwest, Salesforce, StaticToken,
    TokenProvider, Transport, TransportError,
};
use futures_lite::future::block_on;
use socket::{answer, serve};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

/// Bounds that a test reaches in no time.
fn tight() -> Limits {
    Limits {
        response_bytes_max: 1 << 20,
        connect_timeout: Duration::from_millis(100),
        read_timeout: Duration::from_millis(200),
        call_timeout: Duration::from_millis(400),
        ..Limits::default()
    }
}

fn org(url: &str) -> Salesforce {
    Salesforce::builder(url, StaticToken::new("00D!secret"))
        .limits(tight())
        .build()
        .unwrap()
}

/// What a read and what a write come to.
fn outcomes(url: &str) -> (ErrorKind, Result<Vec<WriteOutcome>, ErrorKind>) {
    let org = org(url);
    let error = block_on(org.query("SELECT Id FROM Account")).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
    let batch = [Edit {
        object: "Account".into(),
        action: WriteAction::Create {
            fields: Fields::from([("Name", "Acme")]),
        },
        allow_duplicates: false,
    }];
    let mut told = Vec::new();
    let pushed = block_on(org.push(&batch, &mut |_, outcome| {
        told.push(outcome);
        Ok(())
    }));
    (
        error.kind(),
        pushed.map(|()| told).map_err(|error| error.kind()),
    )
}

/// Writes a piece until the client has had enough.
fn for_ever(stream: &mut TcpStream, piece: &[u8]) {
    while stream.write_all(piece).is_ok() {}
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

#[test]
fn bytes_without_an_end_are_cut_off() {
    let chunked = [HEAD, b"Transfer-Encoding: chunked\r\n\r\n"].concat();
    let unbounded = [HEAD, b"Connection: close\r\n\r\n"].concat();
    let promised = [HEAD, b"Content-Length: 18446744073709551615\r\n\r\n"].concat();
    let large_chunk = format!("{:x}\r\n{}\r\n", 1 << 16, " ".repeat(1 << 16));
    for (what, start, piece) in [
        (
            "headers",
            HEAD,
            b"X-Header: and one more of these\r\n".as_slice(),
        ),
        ("one header", &[HEAD, b"X: "].concat(), &[b'x'; 1024]),
        ("the status line", b"HTTP/1.1 200 ", &[b'O'; 1024]),
        ("interim answers", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("small chunks", &chunked, b"1\r\n \r\n"),
        ("large chunks", &chunked, large_chunk.as_bytes()),
        ("the size of a chunk", &chunked, b"0"),
        ("a body until the end", &unbounded, &[b' '; 1 << 16]),
        ("a body of any length", &promised, &[b' '; 1 << 16]),
    ] {
        let (start, piece) = (start.to_vec(), piece.to_vec());
        let (url, _heard) = serve(move |stream| {
            let _ = stream.write_all(&start);
            for_ever(stream, &piece);
        });
        let (read, written) = outcomes(&url);
        let bounded = [ErrorKind::RemoteUnreachable, ErrorKind::NotARemote];
        assert!(bounded.contains(&read), "{what}: {read:?}");
        assert_eq!(written, Ok(vec![WriteOutcome::Unknown]), "{what}");
    }
}

#[test]
fn a_body_beyond_the_bound_is_called_too_large_however_it_is_sent() {
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 16, " ".repeat(1 << 16));
    let chunked = [HEAD, b"Transfer-Encoding: chunked\r\n\r\n"].concat();
    let (url, _heard) = serve(move |stream| {
        let _ = stream.write_all(&chunked);
        for_ever(stream, chunk.as_bytes());
    });
    let patient = Limits {
        response_bytes_max: 1 << 20,
        ..Limits::default()
    };
    let request = HttpRequest {
        method: Method::Get,
        url,
        headers: Vec::new(),
        body: Vec::new(),
        // The transport's own bound holds for a request that allows more.
        response_bytes_max: usize::MAX,
    };
    let error = block_on(Reqwest::new(patient).send(request)).unwrap_err();
    assert_eq!(error, TransportError::TooLarge);
}

#[test]
fn an_answer_that_does_not_come_is_given_up_at_every_stage() {
    for (what, start) in [
        ("before the status", b"".as_slice()),
        ("in the status", b"HTTP/1"),
        ("in the headers", HEAD),
        (
            "before the body",
            &[HEAD, b"Content-Length: 9\r\n\r\n"].concat(),
        ),
        (
            "in the body",
            &[HEAD, b"Content-Length: 9\r\n\r\n{"].concat(),
        ),
        ("after an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let start = start.to_vec();
        let (release, wait) = mpsc::channel::<()>();
        let (url, _heard) = serve(move |stream| {
            let _ = stream.write_all(&start);
            // Says nothing more until the test is over.
            let _ = wait.recv();
        });
        let error = block_on(org(&url).query("SELECT Id FROM Account")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{what}");
        assert!(
            error.to_string().contains("it took too long"),
            "{what}: {error}"
        );
        drop(release);
    }
}

#[test]
fn an_answer_that_drips_is_given_up_though_something_always_comes() {
    let chunked = [HEAD, b"Transfer-Encoding: chunked\r\n\r\n"].concat();
    let promised = [HEAD, b"Content-Length: 99999\r\n\r\n"].concat();
    let patient = Limits {
        read_timeout: Duration::from_secs(3_600),
        ..tight()
    };
    for (what, start, piece) in [
        ("headers", HEAD, b"X".as_slice()),
        ("a body", &promised, b" "),
        ("chunks", &chunked, b"1\r\n \r\n"),
    ] {
        let (start, piece) = (start.to_vec(), piece.to_vec());
        let (release, wait) = mpsc::channel::<()>();
        let (url, _heard) = serve(move |stream| {
            let _ = stream.write_all(&start);
            let pause = Duration::from_millis(20);
            while wait.recv_timeout(pause) == Err(mpsc::RecvTimeoutError::Timeout) {
                if stream.write_all(&piece).is_err() {
                    return;
                }
            }
        });
        let org = Salesforce::builder(&url, StaticToken::new("00D!secret")).limits(patient);
        let org = org.build().unwrap();
        let error = block_on(org.query("SELECT Id FROM Account")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{what}");
        assert!(
            error.to_string().contains("it took too long"),
            "{what}: {error}"
        );
        drop(release);
    }
}

#[test]
fn a_handshake_that_does_not_end_is_given_up_before_anything_was_sent() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let error = block_on(org(&url).query("SELECT Id FROM Account")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RemoteUnreachable);
    let (_, written) = outcomes(&url);
    // Not even the write is in doubt.
    assert_eq!(written, Err(ErrorKind::RemoteUnreachable));
}

#[test]
fn what_is_no_http_is_no_answer() {
    for (what, bytes) in [
        ("nothing", b"".as_slice()),
        ("noise", b"\x01\x02\x00\xff\xfe"),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n"),
        ("a handshake", b"\x16\x03\x01\x02\x00\x01\x00"),
        ("no version", b"200 OK\r\n\r\n{}"),
        ("a status without a number", b"HTTP/1.1 abc OK\r\n\r\n"),
        ("a status beyond all", b"HTTP/1.1 99999 OK\r\n\r\n"),
        (
            "a length that is none",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        ),
        (
            "two lengths",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        ),
        (
            "a chunk beyond all",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
        ),
        (
            "a chunk that is none",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ),
        (
            "a zero in a header",
            b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n{}",
        ),
        (
            "no gzip",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        ),
    ] {
        let bytes = bytes.to_vec();
        let (url, _heard) = serve(move |stream| {
            let _ = stream.write_all(&bytes);
        });
        let (read, written) = outcomes(&url);
        assert_eq!(read, ErrorKind::RemoteUnreachable, "{what}");
        assert_eq!(written, Ok(vec![WriteOutcome::Unknown]), "{what}");
    }
}

#[test]
fn what_is_http_and_no_org_is_called_so() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    for (what, head, body) in [
        (
            "HTML",
            "200 OK\r\nContent-Type: text/html",
            "<html></html>".to_owned(),
        ),
        (
            "an image",
            "200 OK\r\nContent-Type: image/png",
            "\u{89}PNG".into(),
        ),
        ("other JSON", "200 OK", r#"{"hello":"world"}"#.into()),
        ("an array", "200 OK", "[]".into()),
        ("arrays without an end", "200 OK", deep.clone()),
        (
            "a row of arrays",
            "200 OK",
            format!(r#"{{"totalSize":{deep},"done":true,"records":[]}}"#),
        ),
        ("a refusal of arrays", "400 Bad Request", deep.clone()),
        (
            "a code of arrays",
            "400 Bad Request",
            format!(r#"[{{"errorCode":{deep}}}]"#),
        ),
        ("a session of arrays", "401 Unauthorized", deep),
        (
            "a row too many",
            "200 OK",
            r#"{"totalSize":-1,"done":true,"records":[]}"#.into(),
        ),
        (
            "a page without a next",
            "200 OK",
            r#"{"totalSize":9,"done":false,"records":[]}"#.into(),
        ),
    ] {
        let (url, _heard) = serve(move |stream| answer(stream, head, body.as_bytes()));
        let error = block_on(org(&url).query("SELECT Id FROM Account")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotARemote, "{what}: {error}");
    }
}

#[test]
fn a_token_service_is_bounded_as_well() {
    let deep = "[".repeat(100_000);
    for (what, body, kind) in [
        (
            "too large",
            format!(r#"{{"access_token":"{}"}}"#, "x".repeat(2 << 20)),
            ErrorKind::NotARemote,
        ),
        (
            "too deep",
            format!(r#"{{"access_token":"t","x":{deep}}}"#),
            ErrorKind::NotARemote,
        ),
        ("no token", "{}".into(), ErrorKind::NotARemote),
        (
            "an empty token",
            r#"{"access_token":""}"#.into(),
            ErrorKind::NotARemote,
        ),
        (
            "a token of two lines",
            r#"{"access_token":"a\r\nHost: evil.example"}"#.into(),
            ErrorKind::NotARemote,
        ),
    ] {
        let (url, _heard) = serve(move |stream| answer(stream, "200 OK", body.as_bytes()));
        let tokens = ClientCredentials::new(&url, "client", "s3cr3t").unwrap();
        let error = block_on(tokens.access_token()).unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(!error.to_string().contains("s3cr3t"));
    }
}
