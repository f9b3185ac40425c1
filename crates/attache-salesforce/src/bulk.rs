//! Large answers by the Bulk API 2.0: a job makes a file, and the file is read in parts.
//!
//! A part holds ten times as many rows as a page of a query, so a first load of a
//! million rows takes a tenth of the calls. The engine is handed pages of the usual
//! size, cut from the part that was fetched last; a page whose part is no longer in
//! memory (another process, another session) is fetched again.
//!
//! A part that is larger than may be in memory has the file asked for anew in smaller
//! parts: nobody says whether a locator goes with another size than it was made for.
//!
//! Behind the first part, several are fetched side by side. The org names the next
//! five, and what it names is a hint: which part follows which is told by the parts
//! themselves, so a list that is wrong, or an org without lists, costs time alone.

use crate::client::{Call, Salesforce, escape};
use crate::error::{cut_off, not_a_remote, refusal};
use crate::portion::{Portion, is_too_large};
use crate::remote::json;
use crate::transport::HttpResponse;
use attache::{Error, ErrorKind, Page, Result};
use csv::{Reader, ReaderBuilder, StringRecord};
use futures_lite::future::zip;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::fmt;
use std::io::Cursor;
use std::sync::PoisonError;

/// Rows of a part of a file: some ten megabytes of a wide object.
const PART_ROWS: usize = 20_000;

/// The rows of the parts that a client asks for.
pub(crate) fn part_rows() -> Portion {
    Portion::new(PART_ROWS, 1)
}

/// Parts that are fetched side by side: what is in memory grows with it.
const PARTS_AT_ONCE: usize = 3;
/// Rows of a page that is handed on.
const PAGE_ROWS: usize = 2_000;
/// What the place behind a page of a file begins with; no path of an answer does.
const MARK: &str = "bulk:";
/// What stands for the locator of the first part.
const FIRST: &str = "-";
/// How the org says that there is no further part.
const LAST: &str = "null";

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    job: String,
    /// The object that its rows are of.
    object: String,
    /// Rows of the whole file.
    total: u64,
    /// Rows of its parts.
    rows: usize,
    /// The part, by the org's locator.
    locator: String,
    /// Rows of the part that come before.
    row: usize,
}

/// The part of a file that was fetched last, and how far it was read.
pub(crate) struct Opened {
    place: Place,
    /// The locator of the part behind it.
    next: Option<String>,
    /// Its rows, as the org counts them.
    told: Option<usize>,
    /// Rows of the file behind this part, if the file was read from its begin.
    left: Option<u64>,
    /// Parts that were fetched together with it, in order.
    fetched: VecDeque<Opened>,
    /// Locators that the org named, and whose parts were not asked for.
    named: VecDeque<String>,
    /// Whether asking for names is of any use.
    has_names: bool,
    /// `"Name":` of each column.
    keys: Vec<String>,
    rows: Reader<Cursor<Vec<u8>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    #[serde(default)]
    object: String,
    state: String,
    #[serde(default)]
    number_records_processed: u64,
}

/// Where the next parts are, by an org's word.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    result_pages: Vec<Name>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    result_url: String,
}

impl Name {
    /// The locator in it. Nothing else of the link is used: where a part is, is known.
    fn locator(&self) -> Option<String> {
        let (_, query) = self.result_url.split_once('?')?;
        form_urlencoded::parse(query.as_bytes())
            .find_map(|(key, value)| (key == "locator").then(|| value.into_owned()))
    }
}

impl Place {
    /// Reads a place; `None` for anything else, such as the path of a query's next page.
    pub(crate) fn parse(text: &str) -> Option<Place> {
        let mut parts = text.strip_prefix(MARK)?.splitn(6, ' ');
        Some(Place {
            job: parts.next()?.to_owned(),
            object: parts.next()?.to_owned(),
            total: parts.next()?.parse().ok()?,
            rows: parts.next()?.parse().ok()?,
            row: parts.next()?.parse().ok()?,
            locator: parts.next()?.to_owned(),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            job,
            object,
            total,
            rows,
            locator,
            row,
        } = self;
        write!(f, "{MARK}{job} {object} {total} {rows} {row} {locator}")
    }
}

impl Salesforce {
    /// Has the org make a file of an answer, and gives the id of the job.
    pub(crate) async fn bulk_query(&self, soql: &str) -> Result<String> {
        #[derive(serde::Serialize)]
        struct Question<'a> {
            operation: &'a str,
            query: &'a str,
        }
        let question = Question {
            operation: "query",
            query: soql,
        };
        // A job that was made and whose answer was lost makes a file nobody reads: no harm is done.
        let call = Call::read_by_post("bulk", self.path("/jobs/query"), json(&question)?);
        let job: Job = self.fetch(&call).await?;
        Ok(job.id)
    }

    /// Gives the first page of a job's file; `None` while it is being made.
    pub(crate) async fn bulk_result(&self, job: &str) -> Result<Option<Page>> {
        let path = self.path(format_args!("/jobs/query/{}", escape(job)));
        let job: Job = self.decode(&self.known(&Call::read("bulk", path)).await?.body)?;
        match job.state.as_str() {
            "UploadComplete" | "InProgress" => return Ok(None),
            "JobComplete" => {}
            _ => {
                let message = "the org could not make a file of this query";
                return Err(Error::new(ErrorKind::RemoteRefused, message));
            }
        }
        let place = Place {
            job: job.id,
            object: job.object,
            total: job.number_records_processed,
            rows: self.part_rows.rows(),
            locator: FIRST.into(),
            row: 0,
        };
        self.bulk_page(place).await.map(Some)
    }

    /// Gives the page at a place.
    pub(crate) async fn bulk_page(&self, place: Place) -> Result<Page> {
        let opened = self.lock_opened().take();
        let mut opened = match opened {
            Some(opened) if opened.place == place => opened,
            Some(before) if before.is_before(&place) => self.open(place, Some(before)).await?,
            _ => self.open(place, None).await?,
        };
        let records = opened.page().ok_or_else(|| not_a_remote(&self.address))?;
        if !opened.has_all(records.len()) {
            return Err(cut_off(&self.address));
        }
        let next = opened.behind(records.len());
        let total = opened.place.total;
        match &next {
            Some(next) => *self.lock_opened() = opened.at(next),
            None => self.drop_job(&opened.place.job).await,
        }
        Ok(Page {
            records,
            total,
            next: next.map(|place| place.to_string()),
        })
    }

    /// Fetches the part that a place is in, and some behind it, and goes to the place.
    ///
    /// `before` is the part before it, if that was read.
    async fn open(&self, place: Place, before: Option<Opened>) -> Result<Opened> {
        if place.locator == FIRST {
            let mut opened = self.fetch_part(place).await?;
            let rows = opened.told.map(|rows| rows as u64);
            opened.left = rows.map(|rows| opened.place.total.saturating_sub(rows));
            return Ok(opened);
        }
        let is_last = before.as_ref().is_some_and(Opened::is_last_but_one);
        let (left, mut named, mut has_names) = match before {
            Some(before) => (before.left, before.named, before.has_names),
            None => (None, VecDeque::new(), true),
        };
        if named.front() == Some(&place.locator) {
            named.pop_front();
        } else {
            named.clear();
        }
        if named.is_empty() && has_names && !is_last {
            named = self.names_behind(&place).await;
            has_names = !named.is_empty();
        }
        let more: [Option<Place>; PARTS_AT_ONCE - 1] = std::array::from_fn(|_| {
            named.pop_front().map(|locator| Place {
                locator,
                row: 0,
                ..place.clone()
            })
        });
        let [second, third] = more;
        let (opened, more) = zip(
            self.fetch_part(place),
            zip(self.fetch_part_if(second), self.fetch_part_if(third)),
        )
        .await;
        let mut opened = opened?;
        // What did not come is asked for when it is needed, and then says why.
        opened.fetched = [more.0, more.1].into_iter().flatten().collect();
        opened.left = left
            .zip(opened.told)
            .map(|(left, rows)| left.saturating_sub(rows as u64));
        opened.named = named;
        opened.has_names = has_names;
        Ok(opened)
    }

    /// Asks which parts lie behind the one at a place. None, if the org does not say.
    async fn names_behind(&self, place: &Place) -> VecDeque<String> {
        let path = self.path(format_args!(
            "/jobs/query/{}/resultPages?maxRecords={}&locator={}",
            escape(&place.job),
            place.rows,
            escape(&place.locator)
        ));
        let answer = match self.known(&Call::read("bulk_results", path)).await {
            Ok(answer) => self.decode::<Names>(&answer.body),
            Err(error) => Err(error),
        };
        let names = answer.unwrap_or_else(|error| {
            tracing::debug!(%error, "the parts of a file are fetched one by one");
            Names {
                result_pages: Vec::new(),
            }
        });
        let mut named = names.result_pages.iter().map_while(Name::locator);
        match named.next() {
            Some(first) if first == place.locator => named.collect(),
            _ => VecDeque::new(),
        }
    }

    /// Fetches a part that may be of use later.
    async fn fetch_part_if(&self, place: Option<Place>) -> Option<Opened> {
        self.fetch_part(place?).await.ok()
    }

    /// Fetches the part that a place is in, and goes to the place.
    async fn fetch_part(&self, mut place: Place) -> Result<Opened> {
        let answer = loop {
            match self.part_at(&place).await {
                Err(error) if self.part_rows.shrinks_for(&error, place.rows) => {
                    if place.locator != FIRST || place.row > 0 {
                        let message =
                            "a part of this file is too large: it is asked for in smaller ones";
                        return Err(Error::new(ErrorKind::CursorExpired, message));
                    }
                    place.rows = self.part_rows.rows();
                }
                Err(error) if is_too_large(&error) => {
                    return Err(self.too_wide(ErrorKind::RemoteRefused, &place.object));
                }
                answer => break answer?,
            }
        };
        let next = answer.header("Sforce-Locator").unwrap_or(LAST);
        let next = (next != LAST && !next.is_empty()).then(|| next.to_owned());
        let told = answer.header("Sforce-NumberOfRecords");
        let told = told.and_then(|rows| rows.parse().ok());
        let mut rows = ReaderBuilder::new().from_reader(Cursor::new(answer.body));
        let names = rows.headers().map_err(|_| not_a_remote(&self.address))?;
        let keys = names
            .iter()
            .map(|name| format!("{}:", quoted(name)))
            .collect();
        let skipped = rows.records().take(place.row).filter(Result::is_ok).count();
        if skipped < place.row {
            return Err(not_a_remote(&self.address));
        }
        Ok(Opened {
            place,
            next,
            told,
            left: None,
            fetched: VecDeque::new(),
            named: VecDeque::new(),
            has_names: true,
            keys,
            rows,
        })
    }

    async fn part_at(&self, place: &Place) -> Result<HttpResponse> {
        let mut path = self.path(format_args!(
            "/jobs/query/{}/results?maxRecords={}",
            escape(&place.job),
            place.rows
        ));
        if place.locator != FIRST {
            path += &format!("&locator={}", escape(&place.locator));
        }
        let mut call = Call::read("bulk_results", path);
        call.accept = "text/csv";
        self.known(&call).await
    }

    /// Asks for something of a job; a job that is gone is a cursor that expired.
    async fn known(&self, call: &Call) -> Result<HttpResponse> {
        let answer = self.send(call).await?;
        match answer.status {
            200 => Ok(answer),
            404 if crate::codec::problems(&answer.body).is_some() => {
                let message = "the org no longer has this file";
                Err(Error::new(ErrorKind::CursorExpired, message))
            }
            _ => Err(refusal(&self.address, &answer, &self.meter)),
        }
    }

    /// Lets go of a file that was read. The org does so by itself after a week: failing is no harm.
    async fn drop_job(&self, job: &str) {
        let path = self.path(format_args!("/jobs/query/{}", escape(job)));
        let mut call = Call::read("bulk", path);
        call.method = crate::transport::Method::Delete;
        if let Err(error) = self.send(&call).await {
            tracing::debug!(%error, "a file that was read is left at the org");
        }
    }

    fn lock_opened(&self) -> std::sync::MutexGuard<'_, Option<Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    /// Reads the rows of a page; `None` if they are no such rows.
    fn page(&mut self) -> Option<Vec<Box<RawValue>>> {
        let mut records = Vec::new();
        let mut row = StringRecord::new();
        while records.len() < PAGE_ROWS && self.rows.read_record(&mut row).ok()? {
            records.push(self.record(&row)?);
        }
        Some(records)
    }

    /// Says whether the rows that were just read are as many as the org told of.
    fn has_all(&self, read: usize) -> bool {
        let rows = self.place.row + read;
        self.told
            .is_none_or(|told| rows == told || (rows < told && read == PAGE_ROWS))
    }

    /// Says whether a place is the begin of the part behind this one.
    fn is_before(&self, place: &Place) -> bool {
        self.place.job == place.job && place.row == 0 && self.next.as_ref() == Some(&place.locator)
    }

    /// Says whether what is left of the file fits in one part of this one's size.
    fn is_last_but_one(&self) -> bool {
        let rows = self.told.map(|rows| rows as u64);
        self.left.zip(rows).is_some_and(|(left, rows)| left <= rows)
    }

    /// What is kept in memory for the page at a place, which is next.
    fn at(mut self, place: &Place) -> Option<Opened> {
        if place.locator == self.place.locator {
            self.place = place.clone();
            return Some(self);
        }
        // This part was read: its rows go, what is known of those behind it stays. No page begins there.
        self.place.row = usize::MAX;
        self.rows = ReaderBuilder::new().from_reader(Cursor::new(Vec::new()));
        match self.fetched.pop_front() {
            Some(mut next) if next.place == *place => {
                next.left = self
                    .left
                    .zip(next.told)
                    .map(|(left, rows)| left.saturating_sub(rows as u64));
                next.fetched = self.fetched;
                next.named = self.named;
                next.has_names = self.has_names;
                Some(next)
            }
            // Parts that do not follow each other as they were named are of no use.
            Some(_) => {
                self.fetched.clear();
                self.named.clear();
                self.has_names = false;
                Some(self)
            }
            None => Some(self),
        }
    }

    /// Writes a row as the record a query would have answered. An empty cell is null, and left out.
    fn record(&self, row: &StringRecord) -> Option<Box<RawValue>> {
        let mut text = String::with_capacity(row.as_slice().len() + 16 * row.len());
        text.push('{');
        for (key, cell) in self.keys.iter().zip(row) {
            if cell.is_empty() {
                continue;
            }
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(key);
            text.push_str(&quoted(cell));
        }
        text.push('}');
        RawValue::from_string(text).ok()
    }

    /// The place behind the rows that were just read.
    fn behind(&self, read: usize) -> Option<Place> {
        let mut place = self.place.clone();
        let goes_on = match self.told {
            Some(told) => place.row + read < told,
            None => read == PAGE_ROWS && !self.rows.is_done(),
        };
        if goes_on {
            place.row += read;
            return Some(place);
        }
        place.row = 0;
        place.locator = self.next.clone()?;
        Some(place)
    }
}

/// Writes a text as JSON.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text has a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_from_the_path_of_a_page() {
        let place = Place {
            job: "750000000000001AAA".into(),
            object: "Contact".into(),
            total: 41_000,
            rows: 20_000,
            locator: "MjAwMDA".into(),
            row: 2_000,
        };
        assert_eq!(Place::parse(&place.to_string()), Some(place));
        assert_eq!(Place::parse("/services/data/v67.0/query/01g-2000"), None);
        assert_eq!(Place::parse("bulk:750 Contact 9 20000 x -"), None);
    }
}
