//! Sends a record together with its bytes, as a form of two parts (reference, section 12).

use super::group::Group;
use super::{Delivery, cut_off, read, settle};
use crate::client::Salesforce;
use attache::{Error, ErrorKind, FileBytes, Result, Write, WriteOutcome};
use memchr::memmem;

/// What parts the parts; a number is added as long as it occurs in the bytes.
const BOUNDARY: &str = "attache-a-boundary-between-two-parts";
/// The field that holds the bytes.
const FIELD: &str = "VersionData";

/// Sends a create with its bytes: see [`Remote::push_file`](attache::Remote::push_file).
///
/// The bytes are in memory twice while they travel: a token that is refused makes the request leave once more.
pub(crate) async fn push_file(
    org: &Salesforce,
    write: &Write,
    bytes: &dyn FileBytes,
) -> Result<WriteOutcome> {
    let batch = std::slice::from_ref(write);
    let group = Group::of_one(write)?;
    let mut call = group.call(org, batch)?;
    call.name = "push_file";
    let bytes = all(bytes)?;
    let (kind, form) = form(&call.body, &bytes);
    drop(bytes);
    call.content_type = kind.into();
    call.body = form;
    let delivery = match org.send(&call).await {
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

/// Makes a form of the fields and the bytes, and tells its content type.
fn form(fields: &[u8], bytes: &[u8]) -> (String, Vec<u8>) {
    let mut tries = 0_u64;
    let boundary = loop {
        let boundary = format!("{BOUNDARY}-{tries}");
        let occurs = |text| memmem::find(text, boundary.as_bytes()).is_some();
        if !occurs(fields) && !occurs(bytes) {
            break boundary;
        }
        tries += 1;
    };
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"entity_content\"\r\n\
         Content-Type: application/json; charset=UTF-8\r\n\r\n"
    );
    // The name that people see is in the fields: one in a header could break out of it.
    let middle = format!(
        "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{FIELD}\"; filename=\"file\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let form = [
        head.as_bytes(),
        fields,
        middle.as_bytes(),
        bytes,
        end.as_bytes(),
    ]
    .concat();
    (format!("multipart/form-data; boundary={boundary}"), form)
}

/// Reads all bytes into memory.
fn all(source: &dyn FileBytes) -> Result<Vec<u8>> {
    let total = usize::try_from(source.total()).map_err(|_| too_large())?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(total).map_err(|_| too_large())?;
    bytes.resize(total, 0);
    let mut done = 0;
    while done < total {
        let read = source.read_at(done as u64, &mut bytes[done..])?;
        if read == 0 {
            return Err(Error::new(
                ErrorKind::StorageCorrupt,
                "a file ends before its last byte",
            ));
        }
        done += read;
    }
    Ok(bytes)
}

fn too_large() -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        "the file is too large to be sent from this device",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_nowhere_in_what_it_parts() {
        let bytes = format!("{BOUNDARY}-0 and {BOUNDARY}-1");
        let (kind, form) = form(b"{}", bytes.as_bytes());
        let boundary = kind.split_once("boundary=").unwrap().1;
        assert_eq!(boundary, format!("{BOUNDARY}-2"));
        let marks = memmem::find_iter(&form, boundary.as_bytes()).count();
        assert_eq!(marks, 3);
    }

    #[test]
    fn bytes_that_end_early_are_not_sent() {
        struct Short;
        impl FileBytes for Short {
            fn total(&self) -> u64 {
                9
            }
            fn read_at(&self, start: u64, buffer: &mut [u8]) -> Result<usize> {
                let left = 5_u64.saturating_sub(start) as usize;
                Ok(left.min(buffer.len()))
            }
        }
        assert_eq!(all(&Short).unwrap_err().kind(), ErrorKind::StorageCorrupt);
    }
}
