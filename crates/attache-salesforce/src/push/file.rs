//! Sends a record together with its bytes, as a form of two parts (reference, section 12).

use super::group::Group;
use super::{Delivery, cut_off, read, settle};
use crate::client::{Large, Salesforce, Source};
use attache::{Error, ErrorKind, FileBytes, Result, Write, WriteOutcome};
use ring::digest::{Context, SHA256};
use std::io::{self, Cursor, Read};

/// The field that holds the bytes.
const FIELD: &str = "VersionData";
/// Bytes that are read at a time to learn that all of them can be.
const BUFFER_BYTES: usize = 256 << 10;

/// Sends a create with its bytes: see [`Remote::push_file`](attache::Remote::push_file).
///
/// The bytes are read twice, a part at a time: to find out what cannot occur in them, and to send them. A token that
/// is refused makes the request leave once more.
pub(crate) async fn push_file(
    org: &Salesforce,
    write: &Write,
    bytes: &dyn FileBytes,
) -> Result<WriteOutcome> {
    let batch = std::slice::from_ref(write);
    let group = Group::of_one(write)?;
    let mut call = group.call(org, batch)?;
    call.name = "push_file";
    let form = Form::of(&call.body, bytes)?;
    call.content_type = form.content_type().into();
    let delivery = match org.carry(&call, Large::Body(&form)).await {
        Ok(answer) => read(org, batch, &group, &call, &answer),
        Err(error) if error.kind() == ErrorKind::RemoteOutcomeUnknown => Delivery::Lost(error),
        Err(error) => Delivery::NotDone(error),
    };
    match delivery {
        Delivery::Answered(verdicts) => {
            let mut outcome = None;
            settle(org, batch, &group, verdicts, &mut |_, became| {
                outcome = Some(became);
                Ok(())
            })
            .await?;
            outcome.ok_or_else(|| cut_off(org, &call))
        }
        Delivery::Refused(problems) => Ok(WriteOutcome::Refused(problems)),
        Delivery::NotDone(error) => Err(error),
        Delivery::Lost(_) => Ok(WriteOutcome::Unknown),
    }
}

/// A form of the fields and the bytes.
struct Form<'a> {
    boundary: String,
    head: Vec<u8>,
    bytes: &'a dyn FileBytes,
    end: Vec<u8>,
}

impl<'a> Form<'a> {
    /// Makes a form. What parts its parts is the checksum of both: a text that holds its own is one that nobody can
    /// make.
    fn of(fields: &[u8], bytes: &'a dyn FileBytes) -> Result<Form<'a>> {
        let mut sum = Context::new(&SHA256);
        sum.update(fields);
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut done = 0;
        while done < bytes.total() {
            let read = bytes.read_at(done, &mut buffer)?;
            if read == 0 {
                return Err(Error::new(
                    ErrorKind::StorageCorrupt,
                    "a file ends before its last byte",
                ));
            }
            sum.update(&buffer[..read]);
            done += read as u64;
        }
        let sum = sum.finish();
        let digits = sum.as_ref().iter().take(24);
        let boundary: String = digits.map(|byte| format!("{byte:02x}")).collect();
        let mut head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n\
             Content-Type: application/json; charset=UTF-8\r\n\r\n"
        )
        .into_bytes();
        head.extend_from_slice(fields);
        // The name that people see is in the fields: one in a header could break out of it.
        let middle = format!(
            "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{FIELD}\"; filename=\"file\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        head.extend_from_slice(middle.as_bytes());
        Ok(Form {
            end: format!("\r\n--{boundary}--\r\n").into_bytes(),
            boundary,
            head,
            bytes,
        })
    }

    fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

impl Source for Form<'_> {
    fn bytes(&self) -> u64 {
        let around = self.head.len() + self.end.len();
        self.bytes.total().saturating_add(around as u64)
    }

    fn reader(&self) -> Box<dyn Read + Send + '_> {
        let bytes = Bytes {
            source: self.bytes,
            done: 0,
        };
        Box::new(
            Cursor::new(&self.head)
                .chain(bytes)
                .chain(Cursor::new(&self.end)),
        )
    }
}

/// Reads the bytes in order, and tells their owner how far they are.
struct Bytes<'a> {
    source: &'a dyn FileBytes,
    done: u64,
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.source.total().saturating_sub(self.done);
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(most);
        if wanted == 0 {
            return Ok(0);
        }
        self.source.leaving(self.done).map_err(io::Error::other)?;
        let read = self.source.read_at(self.done, &mut buffer[..wanted]);
        let read = read.map_err(io::Error::other)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.done += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given(Vec<u8>, u64);

    impl FileBytes for Given {
        fn total(&self) -> u64 {
            self.1
        }

        fn read_at(&self, start: u64, buffer: &mut [u8]) -> Result<usize> {
            let rest = self.0.get(start as usize..).unwrap_or_default();
            let count = rest.len().min(buffer.len()).min(7);
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        }
    }

    #[test]
    fn a_form_is_as_long_as_it_says_and_its_boundary_parts_it_twice() {
        for body in [b"".to_vec(), b"some bytes".to_vec(), vec![b'-'; 1_000]] {
            let given = Given(body.clone(), body.len() as u64);
            let form = Form::of(b"{\"Title\":\"a\"}", &given).unwrap();
            for _ in 0..2 {
                let mut read = Vec::new();
                form.reader().read_to_end(&mut read).unwrap();
                assert_eq!(read.len() as u64, form.bytes());
                let text = String::from_utf8(read).unwrap();
                let parts: Vec<&str> = text.split(&form.boundary).collect();
                assert_eq!(parts.len(), 4, "{text}");
                assert!(parts[1].ends_with("\r\n\r\n{\"Title\":\"a\"}\r\n--"));
                let body = String::from_utf8(body.clone()).unwrap();
                assert!(parts[2].ends_with(&format!("\r\n\r\n{body}\r\n--")));
            }
        }
    }

    #[test]
    fn a_boundary_that_was_seen_is_no_boundary_of_a_file_with_it() {
        let first = Given(b"a plan".to_vec(), 6);
        let seen = Form::of(b"{}", &first).unwrap().boundary;
        let second = Given(seen.clone().into_bytes(), seen.len() as u64);
        let boundary = Form::of(b"{}", &second).unwrap().boundary;
        assert!(boundary != seen && boundary.len() == 48, "{boundary}");
    }

    #[test]
    fn bytes_that_end_early_are_not_sent() {
        let short = Given(vec![1; 5], 9);
        let error = Form::of(b"{}", &short).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageCorrupt);
    }
}
