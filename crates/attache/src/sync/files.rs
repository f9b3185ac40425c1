//! Files of records: what there is, asked for once a day and in changes between, and the bytes that the briefcase wants.

use super::Run;
use super::pages::Pages;
use super::soql::{self, Statement};
use crate::briefcase::{Briefcase, FilesPolicy};
use crate::env::LocalTime;
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::Phase;
use crate::record::{ServerTime, remote_id};
use crate::remote::BodyPart;
use crate::store::files::{FILE, Listed, StoredFile, Taken, no_file};
use crate::store::{Durability, Table};
use serde::Deserialize;
use std::sync::Arc;

/// Bytes that one answer brings at least, unless they are the last ones.
const ANSWER_BYTES_MIN: u64 = 64 << 10;
/// How often an answer may bring fewer of a file, until it is taken for one without an end.
const CRUMBS_MAX: u32 = 16;
/// How long a complete list of a record's files holds: that a file was taken off a record changes nothing
/// that a query could ask for.
const LIST_MILLIS: i64 = 24 * 3_600_000;
/// What is asked of a link. The chain of parents is that of the platform's own documentation.
const LINK_FIELDS: &str = "Id, LinkedEntityId, ContentDocumentId, ContentDocument.Title, ContentDocument.FileExtension, \
    ContentDocument.ContentSize, ContentDocument.LatestPublishedVersionId, ContentDocument.LatestPublishedVersion.Checksum";
/// Objects that no semi-join may choose from.
const NO_SEMI_JOIN: [&str; 2] = ["Task", "Event"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LinkDoc {
    linked_entity_id: String,
    content_document_id: String,
    content_document: Option<DocumentDoc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DocumentDoc {
    title: Option<String>,
    file_extension: Option<String>,
    content_size: Option<u64>,
    latest_published_version_id: Option<String>,
    latest_published_version: Option<VersionDoc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersionDoc {
    checksum: Option<String>,
}

impl Run<'_> {
    /// Sends what was attached here, lists the files of the records that are here, and fetches what the briefcase wants.
    pub(super) async fn files(&mut self) -> Result<()> {
        self.send_files().await?;
        let policies = self.files_policies()?;
        if policies.is_empty() && !self.store.read(|r| r.has_files())? {
            return Ok(());
        }
        for (table, _) in &policies {
            self.list_files(table).await?;
        }
        let now = self.env.now();
        self.store
            .write(Durability::Ordered, |w| w.tidy_files(now))?;
        self.fetch_wanted(&policies).await?;
        self.report.files.unfit = self.store.read(|r| r.unfit_files())?;
        Ok(())
    }

    /// The objects of whose records files are to be known, and which of these come along.
    fn files_policies(&self) -> Result<Vec<(Arc<Table>, FilesPolicy)>> {
        let Some(json) = self.store.read(|r| r.setting("briefcase"))? else {
            return Ok(Vec::new());
        };
        let briefcase = Briefcase::from_json(&json)?;
        let policy = |table: Arc<Table>| {
            let name = &table.object.name;
            let files = briefcase.options(name).files?;
            (!self.gone.contains(name)).then_some((table, files))
        };
        Ok(self.objects().into_iter().filter_map(policy).collect())
    }

    async fn list_files(&mut self, table: &Arc<Table>) -> Result<()> {
        let now = self.env.now();
        let low_key = format!("files:{}", table.object.name);
        let low = self.store.read(|r| r.setting(&low_key))?;
        let low: Option<i64> = low.and_then(|text| text.parse().ok());
        // Without a window of changes every list is as good as none.
        let since = low.map_or(LocalTime(i64::MAX), |_| LocalTime(now.0 - LIST_MILLIS));
        let unlisted = self.store.read(|r| r.unlisted(table, since))?;
        let listed = self
            .store
            .read(|r| r.listed(table, self.settings.ids_per_query_max))?;
        let chunk = self.settings.ids_per_query_max;
        let any_older =
            low.is_some() && listed.iter().any(|id| unlisted.binary_search(id).is_err());
        let total = Some(unlisted.len() as u64);
        for (nr, ids) in unlisted.chunks(chunk).enumerate() {
            self.check_cancelled()?;
            self.tell(Phase::Pull, FILE, (nr * chunk) as u64, total);
            let conditions = vec![format!("LinkedEntityId IN ({})", soql::list(ids))];
            let listing = self
                .links(table, conditions, |id| ids.binary_search(id).is_ok())
                .await?;
            self.store.write(Durability::Ordered, |w| {
                w.take_listing(ids, &listing, Some(now))
            })?;
        }
        if any_older && let Some(low) = low {
            self.list_changes(table, ServerTime(low), listed).await?;
        }
        if let Some(began) = self.began {
            let low = began.0 - self.settings.overlap_seconds;
            self.store.write(Durability::Ordered, |w| {
                w.set_setting(&low_key, &low.to_string())
            })?;
        }
        Ok(())
    }

    /// Asks once what is new: links that were made, and documents that have another version or title.
    async fn list_changes(
        &mut self,
        table: &Arc<Table>,
        low: ServerTime,
        listed: Vec<String>,
    ) -> Result<()> {
        let most = self.settings.ids_per_query_max;
        let object = &table.object.name;
        let ends: Vec<String> = if listed.len() <= most {
            vec![soql::list(&listed)]
        } else if NO_SEMI_JOIN.contains(&object.as_str()) {
            let all = self.store.read(|r| r.listed(table, usize::MAX))?;
            all.chunks(most).map(soql::list).collect()
        } else {
            vec![format!("SELECT Id FROM {object}")]
        };
        let low = low.to_soql();
        for end in ends {
            self.check_cancelled()?;
            let conditions = vec![
                format!("LinkedEntityId IN ({end})"),
                format!("(SystemModstamp >= {low} OR ContentDocument.SystemModstamp >= {low})"),
            ];
            let store = self.store;
            let here = |id: &String| {
                store
                    .read(|r| r.row(table, id))
                    .is_ok_and(|row| row.is_some())
            };
            let listing = self.links(table, conditions, here).await?;
            self.store
                .write(Durability::Ordered, |w| w.take_listing(&[], &listing, None))?;
        }
        Ok(())
    }

    async fn links(
        &mut self,
        _table: &Table,
        conditions: Vec<String>,
        wanted: impl Fn(&String) -> bool,
    ) -> Result<Vec<Listed>> {
        let statement = Statement {
            fields: LINK_FIELDS,
            object: "ContentDocumentLink",
            scope: None,
            conditions,
            tail: "",
        };
        let (mut listing, mut pages) = (Vec::new(), Pages::default());
        while let Some(page) = self.page(&statement.print(), &mut pages).await? {
            if pages.is_first() {
                listing.clear();
            }
            for record in &page.records {
                let link: LinkDoc = serde_json::from_str(record.get()).map_err(|_| unreadable())?;
                listing.extend(read(link).filter(|listed| wanted(&listed.record)));
            }
        }
        Ok(listing)
    }

    /// Fetches the bytes that the briefcase wants, as far as there is room.
    async fn fetch_wanted(&mut self, policies: &[(Arc<Table>, FilesPolicy)]) -> Result<()> {
        let mut wanted: Vec<StoredFile> = Vec::new();
        for (table, policy) in policies {
            let files = self.store.read(|r| r.files_to_fetch(table))?;
            let taken = |file: &StoredFile| policy.takes(file.extension.as_deref(), file.bytes);
            wanted.extend(files.into_iter().filter(taken));
        }
        let mut seen = std::collections::BTreeSet::new();
        wanted.retain(|file| seen.insert(file.nr));
        let kept = |file: &StoredFile| {
            let takes = |(_, policy): &(_, FilesPolicy)| {
                policy.takes(file.extension.as_deref(), file.bytes)
            };
            policies.iter().any(takes)
        };
        if self.is_spared(!wanted.is_empty()) {
            self.report.files.left += wanted.len() as u64;
            return Ok(());
        }
        let total: u64 = wanted.iter().map(missing).sum();
        let mut done = 0;
        for file in &wanted {
            self.check_cancelled()?;
            self.tell(Phase::Files, FILE, done, Some(total));
            let limits = &self.store.limits;
            let left = limits
                .session_file_bytes
                .saturating_sub(self.report.files.fetched_bytes);
            let needed = missing(file);
            let most = limits.file_bytes;
            let fits = needed <= left
                && self.has_space(needed)
                && self
                    .store
                    .write(Durability::Ordered, |w| w.make_room(needed, most, kept))?;
            if !fits {
                self.report.files.left += 1;
            } else if self.fetch_body(file, Some((done, total))).await? {
                self.report.files.fetched += 1;
            }
            done += needed;
        }
        if total > 0 {
            self.tell(Phase::Files, FILE, total, Some(total));
        }
        Ok(())
    }

    /// Says whether the disk keeps its free bytes.
    fn has_space(&self, bytes: u64) -> bool {
        let free = self.store.path().and_then(|path| self.env.free_bytes(path));
        let needed = bytes.saturating_add(self.store.limits.free_bytes);
        free.is_none_or(|free| free >= needed)
    }

    /// Fetches the bytes of one file, from where they were left, and says whether all of them are here.
    ///
    /// `progress` are the bytes of the files before it, and those of all; if it is not alone.
    async fn fetch_body(
        &mut self,
        file: &StoredFile,
        progress: Option<(u64, u64)>,
    ) -> Result<bool> {
        let Some(version) = file.version.clone() else {
            return Ok(file.is_whole());
        };
        let (before, total) = progress.unwrap_or((0, missing(file)));
        let remote = self.remote;
        let (mut got, mut crumbs) = (file.got, 0);
        loop {
            self.check_cancelled()?;
            let from = got;
            let mut taken = Taken::Part;
            let mut take = |part: BodyPart| {
                self.check_cancelled()?;
                let now = self.env.now();
                taken = self.store.write(Durability::Ordered, |w| {
                    w.take_bytes(file.nr, &version, &part, now)
                })?;
                self.report.files.fetched_bytes += part.bytes.len() as u64;
                got = part.start + part.bytes.len() as u64;
                let done = before + got.saturating_sub(file.got);
                self.tell(Phase::Files, FILE, done.min(total), Some(total));
                Ok(taken == Taken::Part)
            };
            let asked = remote.read_body(&version, from, file.bytes, &mut take);
            let unfit = match asked.await {
                Err(error) if is_of_the_file(&error) => Some(error.to_string()),
                Err(error) => return Err(error),
                Ok(()) if taken == Taken::Whole => return Ok(true),
                Ok(()) if taken != Taken::Part => return Ok(false),
                Ok(()) => {
                    crumbs += u32::from(got < from.saturating_add(ANSWER_BYTES_MIN));
                    (crumbs > CRUMBS_MAX).then(|| "it comes in too small parts".to_owned())
                }
            };
            if unfit.is_some() {
                self.store.write(Durability::Ordered, |w| {
                    w.drop_bytes(file.nr, unfit.as_deref())
                })?;
                return Ok(false);
            }
        }
    }

    /// Fetches one file at a person's wish.
    pub(crate) async fn fetch_file(mut self, id: &str) -> Result<()> {
        self.prepare(false).await?;
        let now = self.env.now();
        let most = self.store.limits.file_bytes;
        let file = self.store.write(Durability::Ordered, |w| {
            let file = w.reading().file(id)?.ok_or_else(|| no_file(id))?;
            if !file.is_whole() {
                w.touch_file(file.nr, now)?;
            }
            let needed = missing(&file);
            match file.is_whole() || w.make_room(needed, most, |other| other.nr == file.nr)? {
                true => Ok(file),
                false => Err(Error::new(
                    ErrorKind::StorageFull,
                    format!("the file has {} bytes, and all files together may take {most}: raise the limit", file.bytes),
                )),
            }
        })?;
        if file.is_whole() || self.fetch_body(&file, None).await? {
            return Ok(());
        }
        let problem = self
            .store
            .read(|r| r.file(id))?
            .and_then(|file| file.problem);
        Err(Error::new(
            ErrorKind::RemoteRefused,
            match problem {
                Some(problem) => format!("the file did not come: {problem}"),
                None => "the file has another version by now: sync, and fetch it again".into(),
            },
        ))
    }
}

/// Bytes of a file that are not here.
fn missing(file: &StoredFile) -> u64 {
    file.bytes.saturating_sub(file.got)
}

/// Says whether an error is about one file and not about the org or the way to it.
fn is_of_the_file(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::RemoteRefused | ErrorKind::NotARemote
    )
}

/// Reads a link; `None` if its document, or the version of it, is out of sight.
fn read(link: LinkDoc) -> Option<Listed> {
    let document = link.content_document?;
    let checksum = document
        .latest_published_version
        .and_then(|version| version.checksum);
    let is_md5 =
        |text: &String| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(Listed {
        record: remote_id(&link.linked_entity_id)?,
        document: remote_id(&link.content_document_id)?,
        version: remote_id(&document.latest_published_version_id?)?,
        title: document.title.unwrap_or_default(),
        extension: document.file_extension.filter(|text| !text.is_empty()),
        bytes: document.content_size.unwrap_or(0),
        checksum: checksum.filter(is_md5),
    })
}

fn unreadable() -> Error {
    Error::new(
        ErrorKind::NotARemote,
        "the server answered with a file that cannot be read",
    )
}
