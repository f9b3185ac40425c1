//! Files of records: photos, plans and papers.

use crate::engine::{Attache, CancelToken};
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::{MutationKind, Progress};
use crate::record::{Fields, RecordId, not_found};
use crate::store::files::{FILE, PARENT, PIECE_BYTES, StoredFile, hex, no_file};
use crate::store::{Durability, NewEntry};
use crate::sync::new_key;
use md5::{Digest, Md5};
use serde::Serialize;
use std::io::{ErrorKind as IoKind, Read, Write};
use std::pin::Pin;

/// Bytes that are taken in with one transaction while a file is attached.
const TRANSACTION_BYTES: usize = 16 * PIECE_BYTES;
/// Characters of a title at most, as the platform has it.
const TITLE_MAX: usize = 255;

/// Where the bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FileState {
    /// At the server only: [`Attache::fetch_file`] brings them.
    Absent,
    /// In part here; the next download goes on from there.
    Partial {
        /// How many are here.
        bytes: u64,
    },
    /// Here.
    Present,
    /// Here only: it was attached here, and [`pending`](Attache::pending) tells how its sending stands.
    Queued,
}

/// A file of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileInfo {
    /// Its identity on this device, for life. The server's ids of the document and of its version lead to it as well.
    pub id: RecordId,
    /// What it is called, as somebody wrote it. It is no name for a file: see [`file_name`](FileInfo::file_name).
    pub title: String,
    /// The ending of its name, without the dot.
    pub extension: Option<String>,
    /// How many bytes it has.
    pub bytes: u64,
    /// Where they are.
    pub state: FileState,
    /// Why bytes that came were not kept: they were not what the server tells of them. Fetching tries again.
    pub problem: Option<String>,
}

impl FileInfo {
    fn of(file: StoredFile) -> FileInfo {
        let state = match file.got {
            _ if file.is_queued() => FileState::Queued,
            _ if file.is_whole() => FileState::Present,
            0 => FileState::Absent,
            bytes => FileState::Partial { bytes },
        };
        FileInfo {
            id: RecordId::trusted(&file.key),
            title: file.title,
            extension: file.extension,
            bytes: file.bytes,
            state,
            problem: file.problem,
        }
    }

    /// A name under which it can be saved: of one folder, without control characters, and of every system.
    ///
    /// Two files may have the same one.
    pub fn file_name(&self) -> String {
        let plain = |text: &str| -> String {
            let unfit = |c: char| {
                c.is_control() || "/\\:*?\"<>|\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".contains(c)
            };
            text.chars()
                .map(|c| if unfit(c) { '_' } else { c })
                .take(120)
                .collect()
        };
        let mut name = plain(&self.title);
        if let Some(extension) = &self.extension {
            let ending = format!(".{}", plain(extension));
            if !name.to_lowercase().ends_with(&ending.to_lowercase()) {
                name += &ending;
            }
        }
        let name = name.trim().trim_end_matches(['.', ' ']);
        let stem = name
            .split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let device = ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str())
            || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
        if name.is_empty() || name.starts_with('.') || device {
            return format!("_{name}");
        }
        name.to_owned()
    }
}

impl Attache {
    /// Lists the files of a record, in order of their titles: what is known of them since the last session, and what
    /// was attached here.
    ///
    /// Of which objects files are known is said in the [briefcase](crate::Briefcase), under `files`.
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`].
    pub fn files(&self, record: &RecordId) -> Result<Vec<FileInfo>> {
        let files = self.store.read(|r| {
            let place = r.locate(record)?.ok_or_else(|| not_found(record))?;
            r.files_of(&place.id)
        })?;
        Ok(files.into_iter().map(FileInfo::of).collect())
    }

    /// Tells what is known of one file; `None` if nothing is.
    pub fn file(&self, id: &RecordId) -> Result<Option<FileInfo>> {
        let file = self.store.read(|r| r.file(id.as_str()))?;
        Ok(file.map(FileInfo::of))
    }

    /// Writes the bytes of a file that is here, and gives how many they are.
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`]; [`ErrorKind::NotReady`] if not all of it is here:
    /// [`fetch_file`](Attache::fetch_file) brings it. [`ErrorKind::StorageUnavailable`] if it cannot be written.
    ///
    /// # Cost
    /// A piece of 256 KiB in memory.
    pub fn read_file(&self, id: &RecordId, to: &mut dyn Write) -> Result<u64> {
        let file = self.store.read(|r| r.file(id.as_str()))?;
        let file = file.ok_or_else(|| no_file(id.as_str()))?;
        if !file.is_whole() {
            return Err(Error::new(
                ErrorKind::NotReady,
                "the file is not on this device: fetch it first",
            ));
        }
        let mut buffer = vec![0; PIECE_BYTES];
        let mut done = 0;
        while done < file.bytes {
            let count = self
                .store
                .read(|r| r.file_bytes(file.nr, done, &mut buffer))?;
            if count == 0 {
                return Err(Error::new(
                    ErrorKind::NotReady,
                    "the file was evicted while it was read: fetch it again",
                ));
            }
            to.write_all(&buffer[..count]).map_err(|cause| {
                Error::new(ErrorKind::StorageUnavailable, "the file cannot be written")
                    .with_source(cause)
            })?;
            done += count as u64;
        }
        let now = self.env.now();
        self.store
            .write(Durability::Ordered, |w| w.touch_file(file.nr, now))?;
        Ok(done)
    }

    /// Brings the bytes of a file onto this device; one that is here stays as it is.
    ///
    /// Nothing happens until the [`FileFetch`] is awaited. What came is kept as it comes, a megabyte at a time: one
    /// that is cut off, stopped or dropped is gone on with by the next one, or by a session. Files that were of use
    /// longest ago give way ([`Limits::file_bytes`](crate::Limits)).
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`]; [`ErrorKind::StorageFull`] if it is larger than the limit;
    /// [`ErrorKind::RemoteRefused`] if the server does not give it, or gives other bytes than it told of: nothing of
    /// those is kept, and [`FileInfo::problem`] says so. [`ErrorKind::StorageBusy`] while a session runs;
    /// [`ErrorKind::Interrupted`] if it was stopped; and those of the remote.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn show(attache: attache::Attache, plan: attache::RecordId) -> attache::Result<()> {
    /// let token = attache::CancelToken::new();
    /// // A button has a clone of the token.
    /// attache
    ///     .fetch_file(&plan)
    ///     .cancel_token(token.clone())
    ///     .on_progress(|progress| println!("{} of {:?} bytes", progress.done, progress.total))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn fetch_file(&self, id: &RecordId) -> FileFetch {
        FileFetch {
            attache: self.clone(),
            id: id.clone(),
            progress: Box::new(|_| {}),
            cancel: CancelToken::new(),
        }
    }

    /// Gives the room of a file's bytes back; they stay at the server, and can be fetched again.
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`]; [`ErrorKind::UnsentWork`] if it was attached here and not sent.
    pub fn evict_file(&self, id: &RecordId) -> Result<()> {
        self.store.write(Durability::Ordered, |w| {
            let file = w
                .reading()
                .file(id.as_str())?
                .ok_or_else(|| no_file(id.as_str()))?;
            if file.is_queued() {
                return Err(Error::new(
                    ErrorKind::UnsentWork,
                    "the file was not sent: discard it to let it go",
                ));
            }
            w.drop_bytes(file.nr, None)
        })
    }

    /// Attaches a file to a record, which the server need not have yet, and gives its identity.
    ///
    /// It is on the disk when the call returns, and is sent by a session, after its record. Until then it is unsent work
    /// like any edit: [`pending`](Attache::pending) has a create of `ContentVersion` for it, which
    /// [`discard`](Attache::discard) takes back and [`retry`](Attache::retry) sends again. `name` is the name it had as a
    /// file; folders in front of it are left out.
    ///
    /// # Errors
    /// [`ErrorKind::RecordNotFound`]; [`ErrorKind::InvalidArgument`] for a name that is none, for a file larger than
    /// [`Limits::attach_bytes`](crate::Limits), and if the reader fails. Nothing is attached then.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let attache = attache::Attache::open("acme-jo.db")?;
    /// let visit = attache.create("Visit__c", [("Kind__c", "On site")])?;
    /// let photo = attache.attach(&visit, "meter.jpg", std::fs::File::open("meter.jpg")?)?;
    /// assert_eq!(attache.files(&visit)?[0].id, photo);
    /// # Ok(())
    /// # }
    /// ```
    pub fn attach(&self, record: &RecordId, name: &str, from: impl Read) -> Result<RecordId> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
        let (title, extension) = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => {
                (stem, Some(extension))
            }
            _ => (name, None),
        };
        if title.is_empty()
            || name.chars().count() > TITLE_MAX
            || name.chars().any(char::is_control)
        {
            return Err(Error::invalid(format!(
                "a file needs a name of 1 to {TITLE_MAX} characters, such as meter.jpg"
            )));
        }
        if self.store.read(|r| r.locate(record))?.is_none() {
            return Err(not_found(record));
        }
        let (key, now) = (new_key(&*self.env), self.env.now());
        let nr = self.store.write(Durability::Ordered, |w| {
            w.begin_file(key.as_str(), title, extension, now)
        })?;
        let attached = self.take_in(nr, from).and_then(|(bytes, checksum)| {
            self.edit(|w, stamp| {
                let place = w
                    .reading()
                    .locate(record)?
                    .ok_or_else(|| not_found(record))?;
                w.finish_file(nr, &place.id, bytes, &checksum)?;
                let fields = Fields::from([
                    ("Title", title),
                    ("PathOnClient", name),
                    (PARENT, place.id.as_str()),
                ]);
                w.append(&NewEntry {
                    changeset: stamp.changeset,
                    object: FILE,
                    record: key.as_str(),
                    kind: MutationKind::Create,
                    fields: &fields,
                    client_key: None,
                    made_at: stamp.now,
                })?;
                Ok(())
            })
        });
        if attached.is_err() {
            // What cannot be taken back here is, by a session, a day later.
            let _ = self.store.write(Durability::Ordered, |w| w.drop_file(nr));
        }
        attached.map(|()| key)
    }

    /// Takes the bytes of a reader in, a transaction at a time, so that nobody else waits for a slow reader.
    fn take_in(&self, nr: i64, mut from: impl Read) -> Result<(u64, String)> {
        let most = self.store.limits.attach_bytes;
        let mut buffer = vec![0; TRANSACTION_BYTES];
        let (mut total, mut sum) = (0_u64, Md5::new());
        loop {
            let filled = fill(&mut from, &mut buffer).map_err(|cause| {
                Error::invalid("the file that is to be attached cannot be read").with_source(cause)
            })?;
            if total + filled as u64 > most {
                return Err(Error::invalid(format!(
                    "a file may have {most} bytes to be attached"
                )));
            }
            let bytes = &buffer[..filled];
            sum.update(bytes);
            if filled > 0 {
                self.store
                    .write(Durability::Ordered, |w| w.append_bytes(nr, total, bytes))?;
            }
            total += filled as u64;
            if filled < buffer.len() {
                return Ok((total, hex(&sum.finalize())));
            }
        }
    }
}

/// One file on its way here, made by [`Attache::fetch_file`] and started by `.await`.
#[must_use = "a file comes when it is awaited"]
pub struct FileFetch {
    attache: Attache,
    id: RecordId,
    progress: Box<dyn FnMut(Progress) + Send>,
    cancel: CancelToken,
}

impl std::fmt::Debug for FileFetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileFetch({})", self.id)
    }
}

impl FileFetch {
    /// Tells how far it is, in bytes of what was missing.
    pub fn on_progress(mut self, progress: impl FnMut(Progress) + Send + 'static) -> FileFetch {
        self.progress = Box::new(progress);
        self
    }

    /// Lets it be stopped from elsewhere, at the next megabyte. What has come is kept.
    pub fn cancel_token(mut self, token: CancelToken) -> FileFetch {
        self.cancel = token;
        self
    }

    async fn run(self) -> Result<()> {
        let mut errand = self.attache.watched_errand(self.cancel, self.progress)?;
        errand.run().fetch_file(self.id.as_str()).await
    }
}

impl IntoFuture for FileFetch {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Reads until a buffer is full or there is no more.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == IoKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(title: &str, extension: Option<&str>) -> String {
        let file = FileInfo {
            id: RecordId::trusted("069000000000001AAA"),
            title: title.into(),
            extension: extension.map(str::to_owned),
            bytes: 0,
            state: FileState::Absent,
            problem: None,
        };
        file.file_name()
    }

    #[test]
    fn a_name_stays_in_its_folder_whatever_a_title_says() {
        assert_eq!(name("Plan A", Some("pdf")), "Plan A.pdf");
        assert_eq!(name("Plan.PDF", Some("pdf")), "Plan.PDF");
        assert_eq!(name("../../etc/passwd", None), "_.._.._etc_passwd");
        assert_eq!(name("a\\b:c\u{0}", Some("x/y")), "a_b_c_.x_y");
        assert_eq!(name("", None), "_");
        assert_eq!(name("..", None), "_");
        assert_eq!(name("nul", Some("txt")), "_nul.txt");
        assert_eq!(name("gpj\u{202e}exe", Some("jpg")), "gpj_exe.jpg");
        assert!(name(&"x".repeat(9_000), Some("pdf")).len() < 200);
    }
}
