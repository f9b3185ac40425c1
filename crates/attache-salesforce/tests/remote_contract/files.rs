//! Large answers, which the org makes a file of.

use crate::rig::Rig;
use async_trait::async_trait;
use attache::{ErrorKind, Page, Remote};
use attache_salesforce::{HttpRequest, HttpResponse, Salesforce, Transport, TransportError};
use attache_sandbox::{Fault, FaultKind, Response};
use futures_lite::future::{block_on, yield_now};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Counts the parts that are on their way at the same time.
struct Counting {
    inner: Arc<dyn Transport>,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let is_part = usize::from(request.url.contains("/results?"));
        let now = self.under_way.fetch_add(is_part, Ordering::SeqCst) + is_part;
        self.most.fetch_max(now, Ordering::SeqCst);
        yield_now().await;
        let answer = self.inner.send(request).await;
        self.under_way.fetch_sub(is_part, Ordering::SeqCst);
        answer
    }
}

/// Rows of a part of [`parted`], and the parts of its file.
const ROWS: usize = 3;
const PARTS: usize = 12;

/// An org whose files come in many parts, and a client that counts those it fetches at a time.
fn parted(rig: &mut Rig) -> (Salesforce, Arc<Counting>) {
    for n in 0..ROWS * PARTS {
        rig.create_there(0, "Account", &format!("Part {n}"));
    }
    rig.sandbox
        .with_switches(|switches| switches.bulk_page_rows_max = ROWS);
    let counting = Arc::new(Counting {
        inner: Arc::clone(&rig.transport),
        under_way: AtomicUsize::default(),
        most: AtomicUsize::default(),
    });
    rig.transport = Arc::clone(&counting) as Arc<dyn Transport>;
    rig.sandbox.clear_log();
    (rig.org(0), counting)
}

const PARTED: &str = "SELECT Name FROM Account WHERE Name LIKE 'Part %' ORDER BY Id";

/// The record of each row of [`parted`].
fn expected() -> Vec<String> {
    let row = |n| format!("{{\"Name\":\"Part {n}\"}}");
    (0..ROWS * PARTS).map(row).collect()
}

/// The parts that were asked for, each by its locator, and how often names were.
fn asked(rig: &Rig) -> (Vec<String>, usize) {
    let log = rig.sandbox.log();
    let of = |what: &str| -> Vec<String> {
        let targets = log.iter().map(|logged| logged.target.clone());
        targets.filter(|target| target.contains(what)).collect()
    };
    (of("/results?"), of("/resultPages?").len())
}

async fn first(org: &Salesforce) -> Page {
    let job = org.query_file(PARTED).await.unwrap().unwrap();
    org.file_page(&job).await.unwrap().unwrap()
}

#[test]
fn parts_behind_the_first_are_fetched_side_by_side() {
    for mut rig in Rig::both() {
        let (org, counting) = parted(&mut rig);
        let found = block_on(async { pages(&org, first(&org).await).await });
        assert_eq!(found.concat(), expected());
        assert_eq!(counting.most.load(Ordering::SeqCst), 3);
        let (parts, names) = asked(&rig);
        assert_eq!(parts.len(), PARTS, "each part is asked for once");
        assert_eq!(
            names, 2,
            "one call names five parts, and the first and the last need none"
        );
    }
}

#[test]
fn names_of_parts_are_only_a_hint() {
    for has_names in [false, true] {
        for mut rig in Rig::both() {
            let (org, _) = parted(&mut rig);
            rig.sandbox.with_switches(|switches| {
                switches.names_bulk_pages = has_names;
                switches.bulk_page_names_heed_rows = false;
            });
            let found = block_on(async { pages(&org, first(&org).await).await });
            assert_eq!(found.concat(), expected());
            let (parts, names) = asked(&rig);
            // Two parts that do not begin where another ends are fetched in vain, and then no more.
            assert_eq!(parts.len(), PARTS + if has_names { 2 } else { 0 });
            assert_eq!(names, 1);
        }
    }
}

#[test]
fn a_part_that_is_lost_costs_no_other_part() {
    let short = Response {
        status: 200,
        headers: vec![
            ("Content-Type".into(), "text/csv".into()),
            ("Sforce-NumberOfRecords".into(), ROWS.to_string()),
            ("Sforce-Locator".into(), "MTI=".into()),
        ],
        body: b"\"Name\"\n\"Part 9\"\n".to_vec(),
    };
    for kind in [
        FaultKind::LoseRequest,
        FaultKind::LoseAnswer,
        FaultKind::Truncate(20),
        FaultKind::Answer(short),
    ] {
        // The second part is needed at once; the third and fourth are fetched beside it.
        for nth in [2, 3, 4] {
            let [mut rig, _] = Rig::both();
            let (org, _) = parted(&mut rig);
            let fault = Fault::new(kind.clone()).path("/results?").nth(nth);
            rig.sandbox.fail_next(fault);
            let mut failures = 0;
            let found = block_on(async {
                let mut page = first(&org).await;
                let mut found = page.records.clone();
                while let Some(next) = page.next.clone() {
                    match org.query_more(&next).await {
                        Ok(further) => {
                            found.extend(further.records.iter().cloned());
                            page = further;
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::RemoteUnreachable, "{error:?}");
                            failures += 1;
                        }
                    }
                }
                found
            });
            let found: Vec<&str> = found.iter().map(|record| record.get()).collect();
            assert_eq!(found, expected(), "{kind:?}");
            assert!(failures <= 1, "{failures} failures");
            let (parts, _) = asked(&rig);
            // What came beside a part that failed is thrown away with it: three parts at most.
            assert!(parts.len() <= PARTS + 3, "{} parts", parts.len());
            let others: BTreeSet<_> = parts.iter().collect();
            assert_eq!(others.len(), PARTS);
        }
    }
}

#[test]
fn a_file_that_expires_midway_is_told() {
    for mut rig in Rig::both() {
        let (org, _) = parted(&mut rig);
        block_on(async {
            let page = first(&org).await;
            let second = org.query_more(&page.next.unwrap()).await.unwrap();
            let gone = r#"[{"message":"gone","errorCode":"NOT_FOUND"}]"#.to_owned();
            let fault = Fault::new(FaultKind::Status(404, gone)).path("/jobs/query/");
            rig.sandbox.fail_next(fault.always());
            // What was fetched together is here; what was not is gone.
            let third = org.query_more(&second.next.unwrap()).await.unwrap();
            let fourth = org.query_more(&third.next.unwrap()).await.unwrap();
            let error = org.query_more(&fourth.next.unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::CursorExpired);
        });
    }
}
