//! The transport over real sockets, run by an executor that is not tokio.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod socket;

use attache::{ErrorKind, Remote};
use attache_salesforce::{
    HttpRequest, Limits, Method, Reqwest, Salesforce, StaticToken, Transport, TransportError,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_lite::future::{block_on, or, zip};
use socket::{answer, serve};
use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: url.into(),
        headers: vec![("Authorization".into(), "Bearer 00D!secret".into())],
        body: Vec::new(),
        response_bytes_max: 1 << 20,
    }
}

fn transport() -> Reqwest {
    Reqwest::new(Limits::default())
}

#[test]
fn a_request_arrives_whole_and_its_answer_too() {
    let (url, heard) = serve(|stream| answer(stream, "201 Created\r\nX-Told: yes", b"{}"));
    let request = HttpRequest {
        method: Method::Post,
        body: b"{\"a\":1}".to_vec(),
        ..get(&format!("{url}/services/data?x=%27"))
    };
    let told = block_on(transport().send(request)).unwrap();
    assert_eq!((told.status, told.body.as_slice()), (201, b"{}".as_slice()));
    assert_eq!(told.header("x-told"), Some("yes"));
    let sent = heard.recv().unwrap();
    assert!(
        sent.starts_with("POST /services/data?x=%27 HTTP/1.1\r\n"),
        "{sent}"
    );
    assert!(sent.contains("authorization: Bearer 00D!secret\r\n"));
    assert!(sent.ends_with("\r\n\r\n{\"a\":1}"));
}

#[test]
fn what_never_left_is_told_from_what_got_no_answer() {
    // Nobody answers there; a port that was free a moment ago may be another test's by now.
    let refused = block_on(transport().send(get("http://127.0.0.1:1"))).unwrap_err();
    assert_eq!(
        refused,
        TransportError::NotSent("connection refused".into())
    );

    let (url, heard) = serve(|_| {});
    let silent = block_on(transport().send(get(&url))).unwrap_err();
    assert!(matches!(silent, TransportError::NoAnswer(_)), "{silent:?}");
    assert!(heard.recv().is_ok(), "it was sent");
    assert!(heard.try_recv().is_err(), "it was not sent twice");

    let (url, _heard) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":");
    });
    let cut = block_on(transport().send(get(&url))).unwrap_err();
    assert!(matches!(cut, TransportError::NoAnswer(_)), "{cut:?}");

    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let no_tls = block_on(transport().send(get(&url))).unwrap_err();
    server.join().unwrap();
    assert!(matches!(no_tls, TransportError::NotSent(_)), "{no_tls:?}");

    // Where there is no resolver, looking the name up takes until the limit.
    let hasty = Limits {
        connect_timeout: Duration::from_millis(300),
        ..Limits::default()
    };
    let hasty = Reqwest::new(hasty);
    let no_host = block_on(hasty.send(get("https://nowhere.invalid/"))).unwrap_err();
    assert!(matches!(no_host, TransportError::NotSent(_)), "{no_host:?}");
    for error in [refused, silent, cut, no_tls, no_host] {
        let text = error.to_string();
        assert!(!text.contains("http") && !text.contains("secret"), "{text}");
    }
}

#[test]
fn a_redirect_carries_the_token_nowhere() {
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let (away, stolen) = serve(|stream| answer(stream, "200 OK", b"{}"));
        let head = format!("{status}\r\nLocation: {away}/steal");
        let (url, heard) = serve(move |stream| answer(stream, &head, b""));
        let org = Salesforce::new(&url, StaticToken::new("00D!secret")).unwrap();
        let error = block_on(org.describe("Account", None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotARemote);
        assert!(heard.recv().unwrap().contains("00D!secret"));
        assert!(stolen.try_recv().is_err(), "{status} was followed");
    }
}

#[test]
fn a_small_answer_that_inflates_without_end_is_cut() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..256 {
        bomb.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20, "it is small on the wire");
    let (url, _heard) =
        serve(move |stream| answer(stream, "200 OK\r\nContent-Encoding: gzip", &bomb));
    let error = block_on(transport().send(get(&url))).unwrap_err();
    assert_eq!(error, TransportError::TooLarge);

    let (url, _heard) = serve(|stream| answer(stream, "200 OK", &vec![b' '; 2 << 20]));
    let error = block_on(transport().send(get(&url))).unwrap_err();
    assert_eq!(error, TransportError::TooLarge);
}

#[test]
fn compressed_answers_are_inflated() {
    let mut body = GzEncoder::new(Vec::new(), Compression::default());
    body.write_all(b"{\"a\":1}").unwrap();
    let body = body.finish().unwrap();
    let (url, heard) =
        serve(move |stream| answer(stream, "200 OK\r\nContent-Encoding: gzip", &body));
    let told = block_on(transport().send(get(&url))).unwrap();
    assert_eq!(told.body, b"{\"a\":1}");
    assert!(heard.recv().unwrap().contains("accept-encoding: gzip"));
}

#[test]
fn an_answer_that_takes_too_long_is_given_up() {
    let limits = Limits {
        read_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let (release, wait) = mpsc::channel::<()>();
    let (url, _heard) = serve(move |_| {
        let _ = wait.recv();
    });
    let slow = block_on(Reqwest::new(limits).send(get(&url))).unwrap_err();
    assert_eq!(slow, TransportError::NoAnswer("it took too long".into()));
    drop(release);
}

#[test]
fn many_requests_travel_at_a_time_and_one_can_be_given_up() {
    let (release, wait) = mpsc::channel::<()>();
    let (slow, heard) = serve(move |_| {
        let _ = wait.recv();
    });
    let (quick, _heard) = serve(|stream| answer(stream, "200 OK", b"{}"));
    let transport = transport();
    block_on(async {
        let (a, b) = zip(transport.send(get(&quick)), transport.send(get(&quick))).await;
        assert_eq!((a.unwrap().status, b.unwrap().status), (200, 200));
        let first = or(transport.send(get(&slow)), transport.send(get(&quick))).await;
        assert_eq!(first.unwrap().status, 200);
    });
    drop((transport, release, heard));
}
