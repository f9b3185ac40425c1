//! Bodies that travel in parts, over real sockets.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod socket;

use attache::{BodyPart, ErrorKind, Remote};
use attache_salesforce::{
    HttpRequest, HttpResponse, Limits, Method, Reqwest, Salesforce, StaticToken, Transport,
    TransportError,
};
use futures_lite::future::block_on;
use socket::{answer, serve};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const KIB: usize = 1 << 10;

fn request(method: Method, url: &str) -> HttpRequest {
    HttpRequest {
        method,
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
        response_bytes_max: 1_000 * KIB,
    }
}

fn transport() -> Reqwest {
    Reqwest::new(Limits::default())
}

/// Downloads, and gives what was handed on besides.
fn download(url: &str) -> (Result<HttpResponse, TransportError>, usize) {
    let mut taken = 0;
    let mut take = |_: &HttpResponse, bytes: &[u8]| {
        taken += bytes.len();
        true
    };
    let told = block_on(transport().download(request(Method::Get, url), &mut take));
    (told, taken)
}

#[test]
fn a_body_leaves_in_parts_and_its_length_is_told_before() {
    let (url, heard) = serve(|stream| answer(stream, "201 Created", b"{}"));
    let body = "attaché ".repeat(100_000).into_bytes();
    let told = block_on(transport().upload(
        request(Method::Post, &url),
        body.len() as u64,
        &mut body.as_slice(),
    ));
    assert_eq!(told.unwrap().status, 201);
    let sent = heard.recv().unwrap();
    let (head, _) = sent.split_once("\r\n\r\n").unwrap();
    let length = format!("content-length: {}", body.len());
    assert!(head.to_lowercase().contains(&length), "{head}");
    assert!(!head.to_lowercase().contains("transfer-encoding"), "{head}");
}

#[test]
fn a_body_that_ends_early_is_no_whole_request() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::other("the card was pulled"));
            }
            self.0 -= 1;
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let (url, _heard) = serve(|stream| answer(stream, "201 Created", b"{}"));
    for told in [0, 1, 100] {
        let mut body = Broken(told);
        let request = request(Method::Post, &url);
        let transport = transport();
        let sent = transport.upload(request, 1_000_000_000, &mut body);
        assert_eq!(
            block_on(sent).unwrap_err(),
            TransportError::NoAnswer("its body cannot be read".into())
        );
    }
}

#[test]
fn an_upload_that_nobody_takes_is_given_up() {
    let (url, _heard) = serve(|stream| {
        // It is silent for as long as the client has patience.
        let _ = stream.read(&mut [0; 1]);
    });
    let hasty = Reqwest::new(Limits {
        read_timeout: Duration::from_millis(100),
        ..Limits::default()
    });
    let body = vec![b'x'; 10 * KIB];
    let (bytes, mut body) = (body.len() as u64, body.as_slice());
    let sent = hasty.upload(request(Method::Post, &url), bytes, &mut body);
    let error = block_on(sent).unwrap_err();
    assert_eq!(error, TransportError::NoAnswer("it took too long".into()));
}

#[test]
fn a_success_is_handed_on_and_a_refusal_is_given_whole() {
    let (url, _heard) = serve(|stream| answer(stream, "200 OK", &vec![7; 300 * KIB]));
    let (told, taken) = download(&url);
    let told = told.unwrap();
    assert_eq!((told.status, told.body.len(), taken), (200, 0, 300 * KIB));
    let (url, _heard) = serve(|stream| answer(stream, "404 Not Found", b"[]"));
    let (told, taken) = download(&url);
    let told = told.unwrap();
    assert_eq!(
        (told.status, told.body.as_slice(), taken),
        (404, b"[]".as_slice(), 0)
    );
}

/// Says that a body follows, and sends one without an end.
fn endless(stream: &mut TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 64 * KIB], b"\r\n"].concat();
    while stream.write_all(&chunk).is_ok() {}
}

#[test]
fn a_body_without_an_end_ends_where_more_was_not_told_of() {
    let (url, _heard) = serve(endless);
    let (told, taken) = download(&url);
    assert_eq!(told.unwrap_err(), TransportError::TooLarge);
    assert!(taken <= 1_000 * KIB, "{taken}");
    // So does a refusal.
    let (url, _heard) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 64 * KIB], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {}
    });
    let (told, taken) = download(&url);
    assert_eq!((told.unwrap_err(), taken), (TransportError::TooLarge, 0));
}

#[test]
fn who_wants_no_more_gets_no_more() {
    let (url, _heard) = serve(endless);
    let mut calls = 0;
    let mut take = |answer: &HttpResponse, _: &[u8]| {
        calls += 1;
        assert_eq!(answer.status, 200);
        calls < 3
    };
    let told = block_on(transport().download(request(Method::Get, &url), &mut take));
    assert_eq!((told.unwrap().status, calls), (200, 3));
}

/// Asks a server for a file of so many bytes, from a place on; gives what came of it.
fn read(
    start: u64,
    total: u64,
    talk: impl Fn(&mut TcpStream) + Send + 'static,
) -> (attache::Result<()>, Vec<BodyPart>) {
    let (url, _heard) = serve(talk);
    let org = Salesforce::new(&url, StaticToken::new("00D!token")).unwrap();
    let mut parts = Vec::new();
    let mut take = |part| {
        parts.push(part);
        Ok(true)
    };
    let id = "068000000000001AAA";
    let became = block_on(org.read_body(id, start, total, &mut take));
    (became, parts)
}

#[test]
fn of_a_file_that_is_longer_than_told_the_last_part_is_not_believed() {
    let (became, parts) = read(0, 3 << 20, endless);
    assert_eq!(became.unwrap_err().kind(), ErrorKind::NotARemote);
    let bytes: usize = parts.iter().map(|part| part.bytes.len()).sum();
    assert!(bytes < 3 << 20, "{bytes}");
}

#[test]
fn a_file_that_is_shorter_than_told_says_so() {
    let (became, parts) = read(0, 3 << 20, |stream| {
        answer(stream, "200 OK", &vec![7; 2_000_000]);
    });
    became.unwrap();
    let last = parts.last().unwrap();
    assert_eq!(last.total, 2_000_000);
    assert_eq!(last.start + last.bytes.len() as u64, 2_000_000);
}

#[test]
fn a_file_whose_line_breaks_is_true_as_far_as_it_came() {
    let (became, parts) = read(0, 9 << 20, |stream| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 9 << 20);
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&vec![7; 5 << 20]);
    });
    assert_eq!(became.unwrap_err().kind(), ErrorKind::RemoteUnreachable);
    assert!(parts.iter().all(|part| part.total == 9 << 20));
    assert!(parts.iter().map(|part| part.bytes.len()).sum::<usize>() <= 5 << 20);
}

#[test]
fn another_stretch_than_was_asked_for_is_not_taken() {
    for range in [
        "bytes 0-99/1000",
        "bytes 500-599/900",
        "bytes 501-600/1000",
        "lines 500-599/1000",
    ] {
        let (became, parts) = read(500, 1_000, move |stream| {
            let head = format!("206 Partial Content\r\nContent-Range: {range}");
            answer(stream, &head, &[7; 100]);
        });
        assert_eq!(became.unwrap_err().kind(), ErrorKind::NotARemote, "{range}");
        assert!(parts.is_empty(), "{range}");
    }
    let (became, parts) = read(500, 1_000, |stream| {
        let head = "206 Partial Content\r\nContent-Range: bytes 500-999/1000";
        answer(stream, head, &[7; 501]);
    });
    assert_eq!(became.unwrap_err().kind(), ErrorKind::NotARemote);
    assert!(parts.is_empty());
}
