//! Every method of the Salesforce client, whose org answers with whatever it likes: a value or one clear error,
//! within a bounded number of requests, all of them to the org's own host.

use crate::liar::{Liar, TOKEN};
use attache::{
    Error, Fields, FileBytes, Joined, Question, Remote, Result, ServerTime, Write, WriteAction,
};
use attache_sim::wait;

/// Requests beyond which a call is taken for one without an end.
const REQUESTS_MAX: usize = 600;

const ID: &str = "001D000000JliSTIAZ";

fn writes() -> Vec<Write> {
    let write = |action| Write {
        object: "Account".into(),
        action,
        allow_duplicates: false,
    };
    let fields = || Fields::from([("Name", "Acme")]);
    vec![
        write(WriteAction::Create { fields: fields() }),
        write(WriteAction::CreateByKey {
            key_field: "External_Id__c".into(),
            key: "k".into(),
            fields: fields(),
        }),
        write(WriteAction::Update {
            id: ID.into(),
            fields: fields(),
            unmodified_since: Some(ServerTime(1_795_000_000_000)),
        }),
        write(WriteAction::Update {
            id: ID.into(),
            fields: fields(),
            unmodified_since: None,
        }),
        write(WriteAction::Delete { id: ID.into() }),
    ]
}

struct Bytes;

impl FileBytes for Bytes {
    fn total(&self) -> u64 {
        3
    }
    fn read_at(&self, start: u64, buffer: &mut [u8]) -> Result<usize> {
        let rest = b"abc".get(start as usize..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
}

async fn reads(org: &impl Remote, method: u8) -> Result<()> {
    let object = "Account";
    let ids = [ID.to_owned(), "001D000000JliSUIAZ".to_owned()];
    let start = ServerTime(1_795_000_000_000);
    match method {
        0 => org.identity().await.map(drop),
        1 => org.describe(object, None).await.map(drop),
        2 => org.fiscal_year("00D000000000001EAA").await.map(drop),
        3 => {
            let mut page = org.query("SELECT Id FROM Account").await?;
            for _ in 0..20 {
                let Some(next) = page.next else { return Ok(()) };
                page = org.query_more(&next).await?;
            }
            Ok(())
        }
        4 => org.query_file("SELECT Id FROM Account").await.map(drop),
        5 => org.layouts(object).await.map(drop),
        6 => org.list_views(object).await.map(drop),
        7 => org.list_view(object, "00BD0000005WcBeMAK").await.map(drop),
        8 => {
            let found = org
                .retrieve(object, &ids, &["Id".into(), "Name".into()])
                .await?;
            assert_eq!(found.len(), ids.len());
            Ok(())
        }
        9 => org.merged_into(object, &ids).await.map(drop),
        10 => org.updated(object, start).await.map(drop),
        11 => org.deleted(object, start).await.map(drop),
        12 => {
            let questions = [
                Question::Describe {
                    object: object.into(),
                    known: None,
                },
                Question::Query {
                    soql: "SELECT Id FROM Account".into(),
                },
                Question::Updated {
                    object: object.into(),
                    start,
                },
                Question::Deleted {
                    object: object.into(),
                    start,
                },
            ];
            let answers = org.ask(&questions).await?;
            assert_eq!(answers.len(), questions.len());
            Ok(())
        }
        _ => {
            let mut at = None;
            org.read_body("068D0000000001AAA", 9, 20, &mut |part| {
                match at {
                    Some(at) => assert_eq!(part.start, at, "in order"),
                    None => assert!([0, 9].contains(&part.start)),
                }
                let end = part.start + part.bytes.len() as u64;
                // What it tells of the whole is the org's word; more than that many bytes is none.
                assert!(end <= 20, "{end} of 20");
                at = Some(end);
                Ok(true)
            })
            .await
        }
    }
}

async fn pushes(org: &impl Remote, method: u8) -> Result<()> {
    let batch = writes();
    match method {
        14 => {
            let mut told = vec![0; batch.len()];
            org.push(&batch, &mut |at, _| {
                told[at] += 1;
                Ok::<(), Error>(())
            })
            .await?;
            assert!(
                told.iter().all(|times| *times == 1),
                "one outcome for each: {told:?}"
            );
            Ok(())
        }
        15 => {
            let joined: Vec<Joined> = batch
                .into_iter()
                .enumerate()
                .map(|(n, write)| Joined {
                    record: if n < 2 {
                        format!("local-{n}")
                    } else {
                        ID.into()
                    },
                    write,
                })
                .collect();
            let outcomes = org.push_together(&joined).await?;
            assert_eq!(outcomes.len(), joined.len());
            Ok(())
        }
        _ => org.push_file(&batch[0], &Bytes).await.map(drop),
    }
}

/// Asks an org whose answers are made of bytes.
pub fn run(bytes: &[u8]) {
    let Some((method, script)) = crate::headed(bytes) else {
        return;
    };
    let method = method % 17;
    let (liar, org) = Liar::org(script);
    let done = wait(async {
        match method {
            14.. => pushes(&org, method).await,
            _ => reads(&org, method).await,
        }
    });
    if let Err(error) = done {
        let told = format!("{error} {error:?}");
        assert!(!error.to_string().is_empty() && !told.contains(TOKEN));
    }
    assert!(
        liar.requests() <= REQUESTS_MAX,
        "{} requests of method {method}",
        liar.requests()
    );
}
