//! What the engine asks of a remote, asked of the REST API.

use crate::ask::Reply;
use crate::bulk::Place;
use crate::client::{Call, Salesforce, escape};
use crate::codec::{
    DeletedDoc, DescribeDoc, IdDoc, PageDoc, RootDoc, UpdatedDoc, VersionDoc, remote_id,
};
use crate::error::{not_a_remote, refusal, unreadable};
use crate::link::{EMPTY_PAGES_MAX, Link};
use crate::portion::{Portion, is_too_large, object_of};
use crate::transport::HttpResponse;
use async_trait::async_trait;
use attache::{
    Answer, ApiUsage, Deleted, Describe, Error, ErrorKind, FileBytes, FiscalYear, Identity, Joined,
    Layouts, ListViewName, Page, Question, Remote, Result, ServerTime, TakePart, Updated, Write,
    WriteOutcome,
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::{HashMap, VecDeque};

/// The org refuses a URL of 16,384 bytes; headers count as well.
const URL_BYTES_MAX: usize = 15_000;
const RETRIEVE_IDS_MAX: usize = 2_000;

/// The rows of the pages that a client asks for: no fewer than the org takes (reference, section 4).
pub(crate) fn page_rows() -> Portion {
    Portion::new(2_000, 200)
}

/// The header that asks for pages of so many rows.
pub(crate) fn batch_size(rows: usize) -> (&'static str, String) {
    ("Sforce-Query-Options", format!("batchSize={rows}"))
}

#[async_trait]
impl Remote for Salesforce {
    async fn identity(&self) -> Result<Identity> {
        if self.meter.server_time().is_none() {
            self.meet().await?;
        }
        let root: RootDoc = self.fetch(&Call::read("root", self.path("/"))).await?;
        let (org_id, user_id) =
            ids_of(&root.identity).ok_or_else(|| not_a_remote(&self.address))?;
        self.person(org_id, user_id).await
    }

    async fn describe(&self, object: &str, known: Option<&str>) -> Result<Option<Describe>> {
        let mut call = Call::read("describe", self.describe_path(object));
        if let Some(known) = known {
            call = call.header("If-Modified-Since", known);
        }
        self.read_describe(object, &Reply::of(&self.send(&call).await?))
    }

    async fn fiscal_year(&self, org_id: &str) -> Result<Option<FiscalYear>> {
        self.fiscal_year_of(org_id).await
    }

    async fn query(&self, soql: &str) -> Result<Page> {
        let path = self.path(format_args!("/query?q={}", escape(soql)));
        if path.len() + self.address.to_string().len() > URL_BYTES_MAX {
            return self.long_query(soql).await;
        }
        loop {
            let rows = self.page_rows.rows();
            let (name, size) = batch_size(rows);
            let call = Call::read("query", path.clone()).header(name, size);
            match self.send(&call).await {
                Err(error) if self.page_rows.shrinks_for(&error, rows) => {}
                Err(error) if is_too_large(&error) => {
                    return Err(self.too_wide(ErrorKind::NotARemote, object_of(soql)));
                }
                answer => return self.read_page(&Reply::of(&answer?)),
            }
        }
    }

    async fn ask(&self, questions: &[Question]) -> Result<Vec<Result<Answer>>> {
        self.ask_together(questions).await
    }

    async fn query_more(&self, next: &str) -> Result<Page> {
        if let Some(place) = Place::parse(next) {
            return self.bulk_page(place).await;
        }
        let mut asked = Link::parse(next);
        asked.path = self.address.path_of(&asked.path)?;
        let rows = self.page_rows.rows();
        let (name, size) = batch_size(rows);
        let call = Call::read("query_more", asked.path.clone()).header(name, size);
        let answer = match self.send(&call).await {
            Err(error) if self.page_rows.shrinks_for(&error, rows) => {
                let message = "a page of this query is too large: it is asked for in smaller ones";
                return Err(Error::new(ErrorKind::CursorExpired, message));
            }
            answer => answer?,
        };
        if answer.status == 404 && crate::codec::problems(&answer.body).is_some() {
            let message = "the org no longer knows this query";
            return Err(Error::new(ErrorKind::CursorExpired, message));
        }
        if answer.status != 200 {
            return Err(refusal(&self.address, &answer, &self.meter));
        }
        let page = self.decode(&answer.body)?;
        self.page(page, Some(&asked))
    }

    async fn query_file(&self, soql: &str) -> Result<Option<String>> {
        self.bulk_query(soql).await.map(Some)
    }

    async fn file_page(&self, file: &str) -> Result<Option<Page>> {
        self.bulk_result(file).await
    }

    async fn retrieve(
        &self,
        object: &str,
        ids: &[String],
        fields: &[String],
    ) -> Result<Vec<Option<Box<RawValue>>>> {
        #[derive(serde::Serialize)]
        struct Question<'a> {
            ids: &'a [String],
            fields: Vec<&'a str>,
        }
        let mut names: Vec<&str> = fields.iter().map(String::as_str).collect();
        if !names.contains(&"Id") {
            names.push("Id");
        }
        let mut records = Vec::with_capacity(ids.len());
        let mut lists: VecDeque<&[String]> = ids.chunks(RETRIEVE_IDS_MAX).collect();
        while let Some(ids) = lists.pop_front() {
            let question = Question {
                ids,
                fields: names.clone(),
            };
            let path = self.path(format_args!("/composite/sobjects/{}", escape(object)));
            let call = Call::read_by_post("retrieve", path, json(&question)?);
            let answer = match self.send(&call).await {
                Err(error) if is_too_large(&error) && ids.len() > 1 => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    lists.push_front(second);
                    lists.push_front(first);
                    continue;
                }
                Err(error) if is_too_large(&error) => {
                    return Err(self.too_wide(ErrorKind::NotARemote, object));
                }
                answer => answer?,
            };
            if answer.status != 200 {
                return Err(self.refused_object(object, &answer));
            }
            let answered = self.decode(&answer.body)?;
            records.extend(self.in_order(ids, answered)?);
        }
        Ok(records)
    }

    async fn merged_into(&self, object: &str, ids: &[String]) -> Result<Vec<(String, String)>> {
        self.masters(object, ids).await
    }

    async fn updated(&self, object: &str, start: ServerTime) -> Result<Updated> {
        let (answer, now) = self.window(object, "updated", start).await?;
        self.read_updated(object, &Reply::of(&answer), now)
    }

    async fn deleted(&self, object: &str, start: ServerTime) -> Result<Deleted> {
        let (answer, now) = self.window(object, "deleted", start).await?;
        self.read_deleted(object, start, &Reply::of(&answer), now)
    }

    async fn layouts(&self, object: &str) -> Result<Option<Layouts>> {
        self.layouts_of(object).await
    }

    async fn list_views(&self, object: &str) -> Result<Vec<ListViewName>> {
        self.list_views_of(object).await
    }

    async fn list_view(&self, object: &str, id: &str) -> Result<Option<String>> {
        self.list_view_of(object, id).await
    }

    async fn push(
        &self,
        batch: &[Write],
        settled: &mut (dyn FnMut(usize, WriteOutcome) -> Result<()> + Send),
    ) -> Result<()> {
        crate::push::push(self, batch, settled).await
    }

    async fn read_body(
        &self,
        version: &str,
        start: u64,
        total: u64,
        take: &mut TakePart<'_>,
    ) -> Result<()> {
        self.version_data(version, start, total, take).await
    }

    async fn push_file(&self, write: &Write, bytes: &dyn FileBytes) -> Result<WriteOutcome> {
        crate::push::push_file(self, write, bytes).await
    }

    async fn push_together(&self, batch: &[Joined]) -> Result<Vec<WriteOutcome>> {
        crate::push::push_together(self, batch).await
    }

    fn server_time(&self) -> Option<ServerTime> {
        self.meter.server_time()
    }

    fn usage(&self) -> ApiUsage {
        self.meter.usage()
    }
}

impl Salesforce {
    /// Asks what anybody may ask: the token is kept from a host that is no org.
    ///
    /// The answer tells the server's clock besides.
    pub(crate) async fn meet(&self) -> Result<()> {
        let call = Call::read("versions", "/services/data".into());
        let answer = self.ask_openly(&call).await?;
        let versions: Vec<VersionDoc> = self.decode(&answer.body)?;
        if versions.is_empty() {
            return Err(not_a_remote(&self.address));
        }
        if versions.iter().any(|doc| doc.version == self.version) {
            return Ok(());
        }
        let message = format!(
            "{} does not offer version {} of the API",
            self.address, self.version
        );
        Err(Error::new(ErrorKind::NotARemote, message))
    }

    /// Sends a query whose URL would be too long, wrapped into a composite call.
    async fn long_query(&self, soql: &str) -> Result<Page> {
        let about = object_of(soql);
        let soql = soql.to_owned();
        let question = [Question::Query { soql }];
        let mut answers = loop {
            let rows = self.page_rows.rows();
            match self.ask_pack(&question).await {
                Err(error) if self.page_rows.shrinks_for(&error, rows) => {}
                Err(error) if is_too_large(&error) => {
                    return Err(self.too_wide(ErrorKind::NotARemote, about));
                }
                answers => break answers?,
            }
        };
        match answers.pop() {
            Some(Ok(Answer::Page(page))) => Ok(page),
            Some(Err(error)) => Err(error),
            _ => Err(not_a_remote(&self.address)),
        }
    }

    pub(crate) fn describe_path(&self, object: &str) -> String {
        self.path(format_args!("/sobjects/{}/describe", escape(object)))
    }

    pub(crate) fn window_path(
        &self,
        object: &str,
        resource: &str,
        (from, end): (ServerTime, ServerTime),
    ) -> String {
        self.path(format_args!(
            "/sobjects/{}/{resource}/?start={}&end={}",
            escape(object),
            escape(&from.to_soql()),
            escape(&end.to_soql()),
        ))
    }

    pub(crate) fn read_describe(
        &self,
        object: &str,
        reply: &Reply<'_>,
    ) -> Result<Option<Describe>> {
        match reply.status {
            304 => return Ok(None),
            200 => {}
            _ => return Err(self.refused_object(object, &reply.to_response())),
        }
        self.decode::<DescribeDoc>(reply.body)?;
        let json = String::from_utf8(reply.body.to_vec());
        Ok(Some(Describe {
            json: json.map_err(|_| not_a_remote(&self.address))?,
            last_modified: reply.last_modified.as_deref().map(str::to_owned),
        }))
    }

    pub(crate) fn read_page(&self, reply: &Reply<'_>) -> Result<Page> {
        if reply.status != 200 {
            return Err(refusal(&self.address, &reply.to_response(), &self.meter));
        }
        self.page(self.decode(reply.body)?, None)
    }

    /// Reads what changed up to `now`, the server's time of the answer.
    pub(crate) fn read_updated(
        &self,
        object: &str,
        reply: &Reply<'_>,
        now: ServerTime,
    ) -> Result<Updated> {
        let doc: UpdatedDoc = self.read_window(object, reply)?;
        let ids = doc
            .ids
            .iter()
            .map(|id| self.id(id))
            .collect::<Result<_>>()?;
        Ok(Updated {
            ids,
            latest_covered: self.time(&doc.latest)?.min(now),
        })
    }

    /// Reads what was deleted up to `now`, the server's time of the answer.
    pub(crate) fn read_deleted(
        &self,
        object: &str,
        start: ServerTime,
        reply: &Reply<'_>,
        now: ServerTime,
    ) -> Result<Deleted> {
        let doc: DeletedDoc = self.read_window(object, reply)?;
        let earliest_available = self.time(&doc.earliest_date_available)?;
        if earliest_available > start {
            let message = format!("the org has forgotten deletions of {object} since then");
            return Err(Error::new(ErrorKind::CursorExpired, message));
        }
        let records = doc
            .deleted_records
            .iter()
            .map(|record| Ok((self.id(&record.id)?, self.time(&record.deleted_date)?)))
            .collect::<Result<_>>()?;
        Ok(Deleted {
            records,
            earliest_available,
            latest_covered: self.time(&doc.latest_date_covered)?.min(now),
        })
    }

    fn read_window<T: DeserializeOwned>(&self, object: &str, reply: &Reply<'_>) -> Result<T> {
        if reply.status != 200 {
            return Err(self.refused_object(object, &reply.to_response()));
        }
        self.decode(reply.body)
    }

    /// Reads a page, by the link it was asked for if it is not the first.
    fn page(&self, doc: PageDoc, asked: Option<&Link>) -> Result<Page> {
        let next = match (doc.done, doc.next) {
            (true, _) => None,
            (false, Some(link)) => {
                let path = self.address.path_of(&link)?;
                let empty = match doc.records.is_empty() {
                    true => asked.map_or(0, |asked| asked.empty) + 1,
                    false => 0,
                };
                if empty > EMPTY_PAGES_MAX || asked.is_some_and(|asked| asked.path == path) {
                    return Err(self.endless());
                }
                Some(Link { path, empty }.to_string())
            }
            (false, None) => return Err(not_a_remote(&self.address)),
        };
        Ok(Page {
            records: doc.records,
            total: doc.total,
            next,
        })
    }

    /// Says that the pages of a query lead nowhere.
    fn endless(&self) -> Error {
        let message = format!("{} answers a query with pages without an end", self.address);
        Error::new(ErrorKind::NotARemote, message)
    }

    /// Puts retrieved records into the order of the ids that were asked for.
    fn in_order(
        &self,
        ids: &[String],
        records: Vec<Option<Box<RawValue>>>,
    ) -> Result<Vec<Option<Box<RawValue>>>> {
        let id_of = |record: &RawValue| {
            let doc: IdDoc<'_> = serde_json::from_str(record.get())
                .map_err(|cause| unreadable(&self.address, &cause))?;
            self.id(&doc.id)
        };
        let mut by_id = HashMap::with_capacity(records.len());
        for record in records.into_iter().flatten() {
            by_id.insert(id_of(&record)?, record);
        }
        let ordered = ids
            .iter()
            .map(|id| remote_id(id).and_then(|id| by_id.remove(&id)))
            .collect();
        if !by_id.is_empty() {
            return Err(not_a_remote(&self.address));
        }
        Ok(ordered)
    }

    /// Asks for the changes of a window that ends now; tells the server's time of the answer.
    async fn window(
        &self,
        object: &str,
        resource: &'static str,
        start: ServerTime,
    ) -> Result<(HttpResponse, ServerTime)> {
        if self.meter.server_time().is_none() {
            self.meet().await?;
        }
        let mut now = self.now()?;
        loop {
            let (from, end) = bounds(start, now);
            let path = self.window_path(object, resource, (from, end));
            let answer = self.send(&Call::read(resource, path)).await?;
            let answered = self.now()?;
            // The last answer before this one may have been long ago: the
            // window ended in the past then, and is asked for once more.
            if answer.status != 200 || answered <= end || answered <= now {
                return Ok((answer, answered));
            }
            now = answered;
        }
    }

    pub(crate) fn now(&self) -> Result<ServerTime> {
        let time = self.meter.server_time();
        time.ok_or_else(|| not_a_remote(&self.address))
    }

    pub(crate) fn id(&self, text: &str) -> Result<String> {
        remote_id(text).ok_or_else(|| not_a_remote(&self.address))
    }

    fn time(&self, text: &str) -> Result<ServerTime> {
        ServerTime::parse(text).ok_or_else(|| not_a_remote(&self.address))
    }

    /// Says why a call about one object was refused.
    pub(crate) fn refused_object(&self, object: &str, answer: &HttpResponse) -> Error {
        let problems = crate::codec::problems(&answer.body).unwrap_or_default();
        let code = problems.first().map(|problem| problem.code.as_str());
        if matches!(code, Some("NOT_FOUND" | "INVALID_TYPE")) {
            let message = format!("the org has no object {object}, or not for this user");
            return Error::new(ErrorKind::UnknownObject, message);
        }
        refusal(&self.address, answer, &self.meter)
    }
}

/// The window to ask for: it ends a little after now, and is long enough.
///
/// The org cuts both ends down to whole minutes and wants more than one minute
/// between them.
pub(crate) fn bounds(start: ServerTime, now: ServerTime) -> (ServerTime, ServerTime) {
    let end = ServerTime(now.0.saturating_add(60));
    let latest_start = (end.0 - end.0.rem_euclid(60)).saturating_sub(120);
    (ServerTime(start.0.min(latest_start)), end)
}

/// Finds the org and the user in a link such as `https://login.salesforce.com/id/00D…/005…`.
fn ids_of(identity: &str) -> Option<(String, String)> {
    let (_, ids) = identity.split_once("/id/")?;
    let (org, user) = ids.split_once('/')?;
    Some((remote_id(org)?, remote_id(user.trim_end_matches('/'))?))
}

/// Writes the body of a request.
pub(crate) fn json(body: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(body).map_err(|cause| {
        Error::new(ErrorKind::Internal, "a request cannot be written as JSON").with_source(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_longer_than_a_minute_after_the_org_cut_it() {
        let now = ServerTime(1_795_339_830);
        for back in [-30, 0, 1, 59, 60, 61, 119, 120, 121, 3_600] {
            let start = ServerTime(now.0 - back);
            let (from, end) = bounds(start, now);
            let minute = |time: ServerTime| time.0 - time.0.rem_euclid(60);
            assert!(minute(end) - minute(from) > 60, "{back}");
            assert!(from <= start && end > now, "{back}");
        }
    }

    #[test]
    fn the_ids_of_an_identity_link_are_found() {
        let link = "https://login.salesforce.com/id/00D1a000000H3O9EAK/0051a000000UGT8AAO";
        let (org, user) = ids_of(link).unwrap();
        assert_eq!(org, "00D1a000000H3O9EAK");
        assert_eq!(user, "0051a000000UGT8AAO");
        assert_eq!(ids_of("https://login.salesforce.com/id/x/y"), None);
        assert_eq!(ids_of(""), None);
    }
}
