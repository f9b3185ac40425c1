//! A client on a socket, with no more of HTTP than the tests need.
#![allow(
    dead_code,
    reason = "each test file uses a part of it, and each is a crate of its own"
)]

use attache_sandbox::{Sandbox, Serving};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
};

/// A connection that speaks as much HTTP/1.1 as the tests need.
pub struct Wire(pub BufReader<TcpStream>);

/// One answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Wire {
    pub fn open(address: SocketAddr) -> Wire {
        Wire(BufReader::new(TcpStream::connect(address).unwrap()))
    }

    pub fn send(&mut self, method: &str, path: &str, token: &str, body: &str) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(head.as_bytes()).unwrap();
    }

    /// Reads an answer; an error if the connection ends before it does.
    pub fn receive(&mut self) -> std::io::Result<Answer> {
        let mut line = || -> std::io::Result<String> {
            let mut line = String::new();
            match self.0.read_line(&mut line)? {
                0 => Err(ErrorKind::UnexpectedEof.into()),
                _ => Ok(line.trim_end().to_owned()),
            }
        };
        let status = line()?.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let length = answer
            .header("Content-Length")
            .map_or(0, |length| length.parse().unwrap());
        answer.body.resize(length, 0);
        self.0.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        self.send(method, path, token, body);
        self.receive()
    }
}

/// A served org and who calls it.
pub struct Org {
    pub sandbox: Sandbox,
    pub serving: Serving,
    pub user: Value,
    pub control: String,
}

impl Org {
    pub fn start() -> Org {
        let sandbox = Sandbox::builder()
            .records(20)
            .now("2026-03-02T09:00:00Z")
            .manual_clock()
            .build()
            .unwrap();
        let serving = Serving::spawn(sandbox.clone(), 0).unwrap();
        let info: Value = serde_json::from_str(&sandbox.info(serving.url())).unwrap();
        let url = format!("{}/sandbox", serving.url());
        assert_eq!(info["control_url"], json!(url));
        Org {
            user: info["users"][0].clone(),
            control: info["control_token"].as_str().unwrap().to_owned(),
            sandbox,
            serving,
        }
    }

    pub fn told(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let mut wire = Wire::open(self.serving.address());
        let answer = wire
            .call(method, &format!("/sandbox/{path}"), &self.control, &body)
            .unwrap();
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    /// A control call that must be done.
    pub fn tell(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, told) = self.told(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {told}");
        told
    }

    pub fn plan(&self, fault: &Value) {
        self.tell("POST", "faults", fault);
    }

    pub fn token(&self) -> &str {
        self.user["access_token"].as_str().unwrap()
    }

    /// A call of a user on a connection of its own.
    pub fn call(&self, method: &str, path: &str, body: &str) -> std::io::Result<Answer> {
        Wire::open(self.serving.address()).call(method, path, self.token(), body)
    }

    pub fn accounts(&self) -> usize {
        self.sandbox.with_org(|org| org.count("Account"))
    }
}
