//! Files of Bulk queries: each row of the file is one record with its cells as they stand, or the file is refused.

use crate::liar::Liar;
use attache::Remote;
use attache_sim::wait;
use std::collections::BTreeMap;

const JOB: &str = r#"{"id":"750000000000001AAA","state":"JobComplete","numberRecordsProcessed":5}"#;

/// What a reader of CSV that knows nothing of Salesforce finds.
fn expected(bytes: &[u8]) -> Option<Vec<BTreeMap<String, String>>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let names = reader.headers().ok()?.clone();
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.ok()?;
        let cells = names
            .iter()
            .zip(row.iter())
            .filter(|(_, cell)| !cell.is_empty());
        rows.push(
            cells
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .collect(),
        );
    }
    Some(rows)
}

/// Gives bytes for the file of a Bulk query.
pub fn run(bytes: &[u8]) {
    let (_, org) = Liar::answering(vec![
        (200, "application/json".into(), JOB.into()),
        (200, "text/csv".into(), bytes.to_vec()),
        (204, "".into(), Vec::new()),
    ]);
    let mut records = Vec::new();
    let read = wait(async {
        let mut page = org
            .file_page("750000000000001AAA")
            .await?
            .expect("a file that is made");
        loop {
            records.append(&mut page.records);
            let Some(next) = page.next else {
                return Ok::<_, attache::Error>(());
            };
            page = org.query_more(&next).await?;
        }
    });
    match (read, expected(bytes)) {
        (Ok(()), Some(expected)) => {
            assert_eq!(records.len(), expected.len());
            for (record, expected) in records.iter().zip(expected) {
                let read: BTreeMap<String, String> =
                    serde_json::from_str(record.get()).expect("an object of texts");
                // Of a name that comes twice JSON keeps the last, and so does the map.
                assert_eq!(read, expected);
            }
        }
        (Err(_), None) => {}
        (read, expected) => panic!("{read:?}, where a plain reader says {expected:?}"),
    }
}
