//! Files with their bytes: sent as one form, read back as they come.

use crate::rig::Rig;
use attache::{
    BodyPart, ErrorKind, Fields, FileBytes, Remote, Result, Write, WriteAction, WriteOutcome,
};
use attache_sandbox::{Fault, FaultKind};
use futures_lite::future::block_on;

struct Bytes(Vec<u8>);

impl FileBytes for Bytes {
    fn total(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, start: u64, buffer: &mut [u8]) -> Result<usize> {
        let rest = &self.0[(start as usize).min(self.0.len())..];
        // A source may give fewer bytes than were asked for.
        let count = rest.len().min(buffer.len()).min(1_000);
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

fn write(holder: &str) -> Write {
    let fields = [
        ("Title", "Täglich"),
        ("PathOnClient", "Täglich.bin"),
        ("FirstPublishLocationId", holder),
    ];
    Write {
        object: "ContentVersion".into(),
        action: WriteAction::Create {
            fields: Fields::from(fields),
        },
        allow_duplicates: false,
    }
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n * 7 % 251) as u8).collect()
}

async fn sent(org: &impl Remote, holder: &str, body: &[u8]) -> String {
    match org
        .push_file(&write(holder), &Bytes(body.to_vec()))
        .await
        .unwrap()
    {
        WriteOutcome::Done { id } => id,
        other => panic!("{other:?}"),
    }
}

/// Asks once for what is behind a place, and gives what came in answer.
async fn parts(org: &impl Remote, id: &str, start: u64, total: u64) -> Result<Vec<BodyPart>> {
    let mut parts = Vec::new();
    let mut take = |part| {
        parts.push(part);
        Ok(true)
    };
    org.read_body(id, start, total, &mut take).await?;
    Ok(parts)
}

/// The bytes of parts that follow each other from a place on.
fn joined(parts: Vec<BodyPart>, start: u64, total: u64) -> Vec<u8> {
    let mut read = Vec::new();
    for part in parts {
        assert_eq!((part.start, part.total), (start + read.len() as u64, total));
        read.extend(part.bytes);
    }
    read
}

#[test]
fn a_file_is_sent_and_read_back_in_parts() {
    for rig in Rig::both() {
        let (org, user) = (rig.org(0), rig.user(0).id);
        let body = bytes(9_000_000);
        let total = body.len() as u64;
        block_on(async {
            let id = sent(&org, &user, &body).await;
            let mut read: Vec<u8> = Vec::new();
            while read.len() < body.len() {
                let start = read.len() as u64;
                let came = parts(&org, &id, start, total).await.unwrap();
                assert!(came.iter().all(|part| part.bytes.len() <= 4 << 20));
                read.extend(joined(came, start, total));
            }
            assert!(read == body);
            let rest = parts(&org, &id, 8_999_000, total).await.unwrap();
            assert_eq!(joined(rest, 8_999_000, total), body[8_999_000..]);
            let behind = parts(&org, &id, total, total).await.unwrap();
            assert_eq!((behind[0].bytes.len(), behind[0].total), (0, total));
            let soql = format!(
                "SELECT Title, PathOnClient, Checksum FROM ContentVersion WHERE Id = '{id}'"
            );
            let page = org.query(&soql).await.unwrap();
            assert!(page.records[0].get().contains("Täglich.bin"));
        });
    }
}

#[test]
fn a_file_of_which_no_more_is_wanted_comes_no_further() {
    for rig in Rig::both() {
        let (org, user) = (rig.org(0), rig.user(0).id);
        let body = bytes(9_000_000);
        block_on(async {
            let id = sent(&org, &user, &body).await;
            let mut came = Vec::new();
            let mut take = |part: BodyPart| {
                came.extend(part.bytes);
                Ok(false)
            };
            org.read_body(&id, 0, 9_000_000, &mut take).await.unwrap();
            assert!(came.len() < body.len() && came == body[..came.len()]);
        });
    }
}

#[test]
fn of_an_org_that_knows_no_ranges_what_is_here_is_passed_over() {
    for rig in Rig::both() {
        rig.sandbox
            .with_switches(|switches| switches.serves_ranges = false);
        let (org, user) = (rig.org(0), rig.user(0).id);
        let body = bytes(6_000_000);
        block_on(async {
            let id = sent(&org, &user, &body).await;
            for start in [0, 50_000, 1 << 20, 5_999_999] {
                let came = parts(&org, &id, start, 6_000_000).await.unwrap();
                assert!(joined(came, start, 6_000_000) == body[start as usize..]);
            }
        });
    }
}

#[test]
fn more_bytes_than_were_told_are_not_taken() {
    for rig in Rig::both() {
        rig.sandbox
            .with_switches(|switches| switches.serves_ranges = false);
        let (org, user) = (rig.org(0), rig.user(0).id);
        block_on(async {
            let id = sent(&org, &user, b"small").await;
            rig.sandbox
                .with_org(|org| org.replace_file_body(&id, bytes(5_000_000)));
            let error = parts(&org, &id, 0, 5).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotARemote);
        });
    }
}

#[test]
fn what_is_not_there_is_refused() {
    for rig in Rig::both() {
        let (org, other, user) = (rig.org(0), rig.org(1), rig.user(0).id);
        block_on(async {
            let id = sent(&org, &user, b"mine").await;
            for (org, id) in &[(&org, "068000000000999AAA"), (&other, id.as_str())] {
                let error = parts(*org, id, 0, 4).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::RemoteRefused);
                assert_eq!(error.problems()[0].code, "NOT_FOUND");
            }
            let outcome = org
                .push_file(&write("001000000000999AAA"), &Bytes(vec![1]))
                .await;
            assert!(matches!(outcome.unwrap(), WriteOutcome::Refused(_)));
        });
    }
}

#[test]
fn a_lost_answer_leaves_the_file_in_doubt_and_a_lost_token_does_not() {
    for rig in Rig::both() {
        let (org, user) = (rig.org(0), rig.user(0).id);
        rig.lose_answer("POST", "/sobjects/ContentVersion");
        let body = Bytes(bytes(10));
        let outcome = block_on(org.push_file(&write(&user), &body)).unwrap();
        assert_eq!(
            (outcome, rig.count("ContentVersion")),
            (WriteOutcome::Unknown, 1)
        );
        rig.sandbox.fail_next(
            Fault::new(FaultKind::Status(503, "busy".into()))
                .method("POST")
                .path("/sobjects/ContentVersion"),
        );
        let outcome = block_on(org.push_file(&write(&user), &body)).unwrap();
        assert_eq!(outcome, WriteOutcome::Unknown);
        rig.sandbox.expire_tokens(&user);
        let error = block_on(org.push_file(&write(&user), &body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAuthorized);
        assert_eq!(rig.count("ContentVersion"), 1);
    }
}
