//! The org on a real socket.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use attache_sandbox::{Fault, FaultKind, Sandbox, Serving, serve};
use std::{
    io::{ErrorKind, Read},
    net::TcpStream,
};
use wire::Wire;

fn start() -> (Sandbox, Serving, String) {
    let sandbox = Sandbox::builder()
        .records(20)
        .now("2026-03-02T09:00:00Z")
        .manual_clock()
        .build()
        .unwrap();
    let serving = Serving::spawn(sandbox.clone(), 0).unwrap();
    let token = sandbox.users().remove(0).access_token;
    (sandbox, serving, token)
}

const ACCOUNTS: &str = "/services/data/v67.0/sobjects/Account";

#[test]
fn one_connection_carries_many_calls() {
    let (sandbox, serving, token) = start();
    let mut wire = Wire::open(serving.address());
    let made = wire
        .call("POST", ACCOUNTS, &token, r#"{"Name":"A"}"#)
        .unwrap();
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("Date"), Some("Mon, 02 Mar 2026 09:00:00 GMT"));
    let place = made.header("Location").unwrap().to_owned();
    assert_eq!(
        wire.call("PATCH", &place, &token, r#"{"Name":"B"}"#)
            .unwrap()
            .status,
        204
    );
    let row = wire.call("GET", &place, &token, "").unwrap();
    assert!(
        String::from_utf8(row.body)
            .unwrap()
            .contains(r#""Name":"B""#)
    );
    assert_eq!(wire.call("HEAD", &place, &token, "").unwrap().status, 200);
    assert_eq!(sandbox.requests(), 4);
    assert!(serving.url().starts_with("http://127.0.0.1:"));
    serving.stop();
}

#[test]
fn connections_are_answered_at_once() {
    let (sandbox, serving, token) = start();
    let address = serving.address();
    let idle = Wire::open(address);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let token = token.clone();
            std::thread::spawn(move || {
                let mut wire = Wire::open(address);
                for _ in 0..50 {
                    assert_eq!(
                        wire.call("POST", ACCOUNTS, &token, r#"{"Name":"A"}"#)
                            .unwrap()
                            .status,
                        201
                    );
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(sandbox.requests(), 200);
    // A client that only holds a connection open does not hold up the end.
    serving.stop();
    drop(idle);
}

#[test]
fn a_lost_answer_is_a_cut_connection() {
    let (sandbox, serving, token) = start();
    let before = sandbox.with_org(|org| org.count("Account"));
    for kind in [FaultKind::LoseRequest, FaultKind::LoseAnswer] {
        sandbox.fail_next(Fault::new(kind));
        let mut wire = Wire::open(serving.address());
        let lost = wire
            .call("POST", ACCOUNTS, &token, r#"{"Name":"A"}"#)
            .unwrap_err();
        assert!(
            matches!(
                lost.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
            ),
            "{lost:?}"
        );
    }
    assert_eq!(sandbox.with_org(|org| org.count("Account")), before + 1);
    sandbox.offline(true);
    assert!(
        Wire::open(serving.address())
            .call("GET", "/services/data", &token, "")
            .is_err()
    );
    sandbox.offline(false);
    let back = Wire::open(serving.address())
        .call("GET", "/services/data", &token, "")
        .unwrap();
    assert_eq!(back.status, 200);
    serving.stop();
}

#[test]
fn a_truncated_answer_ends_in_its_middle() {
    let (sandbox, serving, token) = start();
    sandbox.fail_next(Fault::new(FaultKind::Truncate(100)));
    let mut wire = Wire::open(serving.address());
    wire.send("GET", "/services/data", &token, "");
    let mut bytes = Vec::new();
    // A reset after the bytes is as good as an end.
    let _ = wire.0.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body.len(), 100);
    serving.stop();
}

#[test]
fn only_loopback_is_served() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let sandbox = Sandbox::builder().records(0).build().unwrap();
        let refused = serve(sandbox.clone(), "0.0.0.0:0".parse().unwrap())
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
        let serving = serve(sandbox, "127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let address = serving.address();
        serving.shutdown().await;
        assert!(TcpStream::connect(address).is_err());
    });
}
