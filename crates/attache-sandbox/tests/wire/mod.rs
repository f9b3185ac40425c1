//! A client on a socket, with no more of HTTP than the tests need.
#![allow(
    dead_code,
    reason = "each test file uses a part of it, and each is a crate of its own"
)]

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
