//! Files of records.

use crate::cancel::CancelToken;
use crate::error::{AttacheError, ErrorKind, Result, failed};
use crate::progress::ProgressObserver;
use crate::session;
use crate::store::{Attache, record_id};
use crate::tell::{Tell, mirror};
use std::future::IntoFuture;
use std::io;
use std::sync::Arc;

/// Bytes of a part that crosses the boundary, at most.
const PART_BYTES: u32 = 256 * 1024;

/// Where the bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FileState {
    /// At the org only: `fetch_file` brings them.
    Absent,
    /// In part here; the next download goes on from there.
    Partial {
        /// How many are here.
        bytes: u64,
    },
    /// Here.
    Present,
    /// Here only: it was attached here, and `pending` tells how its sending stands.
    Queued,
}

impl Tell<FileState> for attache::FileState {
    fn tell(&self) -> FileState {
        match *self {
            attache::FileState::Partial { bytes } => FileState::Partial { bytes },
            attache::FileState::Present => FileState::Present,
            attache::FileState::Queued => FileState::Queued,
            // What is newer than this file is fetched once more.
            _ => FileState::Absent,
        }
    }
}

mirror! {
    /// A file of a record.
    FileInfo of told: attache::FileInfo {
        /// Its identity on this device, for life.
        id: String,
        /// What it is called, as somebody wrote it. It is no name for a file: see `file_name`.
        title: String,
        /// A name under which it can be saved, on every system.
        file_name: String = told.file_name(),
        /// The ending of its name, without the dot.
        extension: Option<String>,
        /// How many bytes it has.
        bytes: u64,
        /// Where they are.
        state: FileState,
        /// Why bytes that came were not kept. Fetching tries again.
        problem: Option<String>,
    }
}

/// Takes the bytes of a file, part by part.
#[uniffi::export(rust, foreign)]
pub trait FileSink: Send + Sync {
    /// Takes the next part. Throwing stops the reading.
    fn write(&self, part: Vec<u8>) -> Result<()>;
}

/// Gives the bytes of a file, part by part.
#[uniffi::export(rust, foreign)]
pub trait FileSource: Send + Sync {
    /// Gives the next part, of at most so many bytes; an empty one at the end. Throwing attaches nothing.
    fn read(&self, bytes_max: u32) -> Result<Vec<u8>>;
}

/// A host's sink as the engine writes to it. What the host threw is kept: the engine knows errors of files only.
struct Sink(Arc<dyn FileSink>, Option<AttacheError>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let part = &bytes[..bytes.len().min(PART_BYTES as usize)];
        self.0.write(part.to_vec()).map_err(|error| {
            self.1 = Some(error);
            io::Error::other("the application threw")
        })?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A host's source as the engine reads it.
struct Source<'a> {
    host: &'a dyn FileSource,
    part: io::Cursor<Vec<u8>>,
    thrown: &'a mut Option<AttacheError>,
}

impl io::Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        if self.part.position() >= self.part.get_ref().len() as u64 {
            let part = self.host.read(PART_BYTES).map_err(|error| {
                *self.thrown = Some(error);
                io::Error::other("the application threw")
            })?;
            self.part = io::Cursor::new(part);
        }
        self.part.read(into)
    }
}

#[uniffi::export]
impl Attache {
    /// Lists the files of a record, in order of their titles.
    pub fn files(&self, record: String) -> Result<Vec<FileInfo>> {
        Ok(self.engine()?.files(&record_id(&record)?)?.tell())
    }

    /// Tells what is known of one file; nothing if nothing is.
    pub fn file(&self, id: String) -> Result<Option<FileInfo>> {
        Ok(self.engine()?.file(&record_id(&id)?)?.tell())
    }

    /// Gives the bytes of a file that is here to a sink, part by part, and tells how many they are.
    pub fn read_file(&self, id: String, to: Arc<dyn FileSink>) -> Result<u64> {
        let mut sink = Sink(to, None);
        let read = self.engine()?.read_file(&record_id(&id)?, &mut sink);
        match sink.1 {
            Some(thrown) => Err(thrown),
            None => Ok(read?),
        }
    }

    /// Writes the bytes of a file that is here to a file of the device, which must not be there yet.
    pub fn save_file(&self, id: String, path: String) -> Result<u64> {
        let (engine, id) = (self.engine()?, record_id(&id)?);
        let mut file = std::fs::File::create_new(&path).map_err(|error| disk(&path, &error))?;
        Ok(engine.read_file(&id, &mut file)?)
    }

    /// Brings the bytes of a file onto this device; one that is here stays as it is.
    ///
    /// Cancelling the task that waits stops the download too; what came stays, and the next one goes on from there.
    #[uniffi::method(default(observer = None, cancel = None))]
    pub async fn fetch_file(
        &self,
        id: String,
        observer: Option<Arc<dyn ProgressObserver>>,
        cancel: Option<Arc<CancelToken>>,
    ) -> Result<()> {
        let (engine, id) = (self.engine()?, record_id(&id)?);
        let cancel = cancel
            .map(|cancel| cancel.token.clone())
            .unwrap_or_default();
        session::until_dropped(cancel.clone(), move || {
            let mut fetch = engine.fetch_file(&id).cancel_token(cancel.clone());
            if let Some(observer) = observer {
                fetch = fetch.on_progress(session::told(observer, cancel));
            }
            Ok(futures_lite::future::block_on(fetch.into_future())?)
        })
        .await
    }

    /// Gives the room of a file's bytes back; they stay at the org, and can be fetched again.
    pub fn evict_file(&self, id: String) -> Result<()> {
        Ok(self.engine()?.evict_file(&record_id(&id)?)?)
    }

    /// Attaches bytes to a record, which the org need not have yet, and gives the file's identity.
    pub fn attach(&self, record: String, name: String, bytes: Vec<u8>) -> Result<String> {
        let id = self
            .engine()?
            .attach(&record_id(&record)?, &name, &bytes[..])?;
        Ok(id.to_string())
    }

    /// Attaches a file that is given part by part, as `attach` does.
    pub fn attach_from(
        &self,
        record: String,
        name: String,
        from: Arc<dyn FileSource>,
    ) -> Result<String> {
        let (engine, record) = (self.engine()?, record_id(&record)?);
        let mut thrown = None;
        let source = Source {
            host: from.as_ref(),
            part: io::Cursor::default(),
            thrown: &mut thrown,
        };
        let attached = engine.attach(&record, &name, source);
        match thrown {
            Some(thrown) => Err(thrown),
            None => Ok(attached?.to_string()),
        }
    }

    /// Attaches a file of the device, as `attach` does, without holding it in memory.
    pub fn attach_file(&self, record: String, name: String, path: String) -> Result<String> {
        let file = std::fs::File::open(&path).map_err(|error| disk(&path, &error))?;
        let id = self.engine()?.attach(&record_id(&record)?, &name, file)?;
        Ok(id.to_string())
    }
}

fn disk(path: &str, error: &io::Error) -> AttacheError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull => ErrorKind::StorageFull,
        _ => ErrorKind::StorageUnavailable,
    };
    failed(kind, format!("cannot open {path}: {error}"))
}
