//! Large answers, which the org makes a file of.

use crate::rig::Rig;
use attache::{ErrorKind, Page, Remote};
use futures_lite::future::block_on;

const SOQL: &str = "SELECT Id, Name, AnnualRevenue, CreatedDate FROM Account ORDER BY Id";

/// Reads a file from its first page to its last, and gives the records of each page.
async fn pages(org: &impl Remote, first: Page) -> Vec<Vec<String>> {
    let texts = |page: &Page| {
        page.records
            .iter()
            .map(|record| record.get().to_owned())
            .collect()
    };
    let (total, mut page) = (first.total, first);
    let mut out: Vec<Vec<String>> = vec![texts(&page)];
    while let Some(next) = page.next {
        page = org.query_more(&next).await.unwrap();
        assert_eq!(page.total, total);
        out.push(texts(&page));
    }
    assert_eq!(out.iter().map(Vec::len).sum::<usize>() as u64, total);
    out
}

#[test]
fn a_file_holds_what_the_query_finds() {
    for rig in Rig::both() {
        let name = "Commas, \"quotes\" and\nlines";
        rig.create_there(0, "Account", name);
        for n in 0..20 {
            rig.create_there(0, "Account", &format!("More {n}"));
        }
        rig.sandbox
            .with_switches(|switches| switches.bulk_page_rows_max = 7);
        let org = rig.org(0);
        block_on(async {
            let job = org.query_file(SOQL).await.unwrap().unwrap();
            let first = org.file_page(&job).await.unwrap().unwrap();
            let parts = pages(&org, first).await;
            assert!(parts.len() > 2, "{} parts", parts.len());
            let found: Vec<String> = parts.concat();
            let plain = org.query(SOQL).await.unwrap();
            let ids = |text: &str| {
                text.split("\"Id\":\"")
                    .nth(1)
                    .map(|text| text[..18].to_owned())
            };
            let expected: Vec<_> = plain.records.iter().map(|row| ids(row.get())).collect();
            assert_eq!(
                found.iter().map(|row| ids(row)).collect::<Vec<_>>(),
                expected
            );
            let escaped = serde_json::to_string(name).unwrap();
            assert!(found.iter().any(|row| row.contains(&escaped)));
            // It was read, so the org is told that it may go.
            let gone = org.file_page(&job).await.unwrap_err();
            assert_eq!(gone.kind(), ErrorKind::CursorExpired);
        });
    }
}

#[test]
fn a_file_takes_its_time_and_can_be_read_by_another_client() {
    for rig in Rig::both() {
        rig.sandbox.with_switches(|switches| {
            switches.bulk_delay_s = 30;
            switches.bulk_page_rows_max = 5;
        });
        for n in 0..20 {
            rig.create_there(0, "Account", &format!("More {n}"));
        }
        let org = rig.org(0);
        block_on(async {
            let job = org.query_file(SOQL).await.unwrap().unwrap();
            assert!(org.file_page(&job).await.unwrap().is_none());
            rig.sandbox.advance(30);
            let first = org.file_page(&job).await.unwrap().unwrap();
            let next = first.next.clone().unwrap();
            let again = rig.org(0);
            let there = again.query_more(&next).await.unwrap();
            let here = org.query_more(&next).await.unwrap();
            let texts = |page: &Page| -> Vec<String> {
                page.records
                    .iter()
                    .map(|record| record.get().to_owned())
                    .collect()
            };
            assert_eq!((texts(&here), &here.next), (texts(&there), &there.next));
            assert_eq!(here.records.len(), 5);
        });
    }
}

#[test]
fn what_cannot_be_a_file_is_refused() {
    for rig in Rig::both() {
        let org = rig.org(0);
        block_on(async {
            let job = org.query_file("SELECT BillingAddress FROM Account").await;
            let job = job.unwrap().unwrap();
            let failed = org.file_page(&job).await.unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::RemoteRefused);
            let unknown = org.file_page("750000000000000AAA").await.unwrap_err();
            assert_eq!(unknown.kind(), ErrorKind::CursorExpired);
            let odd = org
                .query_file("SELECT Nope FROM Account")
                .await
                .unwrap_err();
            assert_eq!(odd.kind(), ErrorKind::UnknownField);
        });
    }
}
