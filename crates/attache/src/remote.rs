//! What a remote must speak.

use crate::error::{Error, Result};
use crate::filter::FiscalYear;
use crate::question::{Answer, Question, ask_in_turn};
use crate::record::{Fields, ServerTime};
use async_trait::async_trait;
use serde_json::value::RawValue;

/// Who the credentials belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user's id, 18 characters.
    pub user_id: String,
    /// The org's id, 18 characters.
    pub org_id: String,
    /// What the user is called at sign-in.
    pub username: String,
    /// IANA name of the time zone that date literals mean.
    pub time_zone: String,
    /// Locale that says when a week starts, `en_US`.
    pub locale: String,
}

/// One page of a query's answer.
#[derive(Debug, Default)]
pub struct Page {
    /// The records as they came, undecoded: the engine reads each by its described types.
    pub records: Vec<Box<RawValue>>,
    /// Records of the whole answer.
    pub total: u64,
    /// Where the next page is; `None` at the end. A short page is not the end.
    pub next: Option<String>,
}

/// The answer to a describe call.
#[derive(Clone, Debug)]
pub struct Describe {
    /// The JSON text.
    pub json: String,
    /// What to send the next time to be told that nothing changed.
    pub last_modified: Option<String>,
}

/// What an org tells of an object's forms.
#[derive(Clone, Debug)]
pub struct Layouts {
    /// JSON as Salesforce's `describe/layouts` has it: all layouts of the object, the record types that have
    /// them, and what each leaves of the picklists.
    pub layouts: String,
    /// JSON as `describe/compactLayouts` has it.
    pub compact: Option<String>,
}

/// A list view of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListViewName {
    /// 18-character id.
    pub id: String,
    /// API name.
    pub developer_name: String,
}

/// Ids of records that changed in a window of time.
#[derive(Clone, Debug)]
pub struct Updated {
    /// 18-character ids, in no order.
    pub ids: Vec<String>,
    /// The next window starts here, not at the end that was asked for.
    pub latest_covered: ServerTime,
}

/// Records that were deleted in a window of time.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// 18-character ids with the time of deletion, in no order.
    pub records: Vec<(String, ServerTime)>,
    /// Deletions before this time are forgotten.
    pub earliest_available: ServerTime,
    /// The next window starts here.
    pub latest_covered: ServerTime,
}

/// One write of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The object's API name.
    pub object: String,
    /// What to do.
    pub action: WriteAction,
    /// A person wants it done although the remote may take the record for a duplicate.
    pub allow_duplicates: bool,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAction {
    /// Creates a record.
    Create {
        /// The fields that are set.
        fields: Fields,
    },
    /// Creates a record under a key of the client's, or finds the one that has it.
    ///
    /// Sent again after a lost answer, it does not make a second record.
    CreateByKey {
        /// The external-id field that carries the key.
        key_field: String,
        /// The key, unique to this create.
        key: String,
        /// The fields that are set, without the key.
        fields: Fields,
    },
    /// Changes fields of a record, if nobody changed the record since.
    Update {
        /// The record's server id.
        id: String,
        /// The changed fields only.
        fields: Fields,
        /// The stamp of the version that was edited; `None` writes unconditionally.
        unmodified_since: Option<ServerTime>,
    },
    /// Deletes a record.
    Delete {
        /// The record's server id.
        id: String,
    },
}

/// A write of several that are done together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The record's current id: what lookups of later writes hold that point at it, and their `id` where they write it.
    ///
    /// Of a record that this batch creates it is a key of this device, for which the remote puts the new id.
    pub record: String,
    /// The write.
    pub write: Write,
}

/// What became of one write.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteOutcome {
    /// Done.
    Done {
        /// The record's server id.
        id: String,
    },
    /// Somebody changed the record since: nothing was written.
    Stale,
    /// The record is deleted, or out of this user's sight.
    Gone,
    /// The remote refused this write and will refuse it again as it is.
    Refused(Vec<crate::error::Problem>),
    /// Nothing was written, and the same write may succeed later (a locked row, ...).
    Later(Vec<crate::error::Problem>),
    /// No answer came for this write: it may have been done.
    Unknown,
}

/// A stretch of a file's bytes, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyPart {
    /// Where in the file it begins: where it was asked for, or 0 from a remote that gives whole files only.
    pub start: u64,
    /// The bytes; none behind the end of the file.
    pub bytes: Vec<u8>,
    /// Bytes of the whole file.
    pub total: u64,
}

/// The bytes of a file on this device, to be read in any order and more than once.
pub trait FileBytes: Send + Sync {
    /// How many there are.
    fn total(&self) -> u64;

    /// Reads bytes from a place on, and says how many; none only at the end.
    fn read_at(&self, start: u64, buffer: &mut [u8]) -> Result<usize>;

    /// Is told, while they are sent, how many have left.
    ///
    /// # Errors
    /// Any stops the sending in its middle.
    fn leaving(&self, bytes: u64) -> Result<()> {
        let _ = bytes;
        Ok(())
    }
}

/// Takes a part of a file, and says whether to go on.
pub type TakePart<'a> = dyn FnMut(BodyPart) -> Result<bool> + Send + 'a;

/// How many calls the remote has counted, and how many it allows in a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApiUsage {
    /// Calls that this client has made since it was made.
    pub calls: u64,
    /// Calls that the remote has counted today, of all clients; a hint.
    pub used: Option<u64>,
    /// Calls that the remote allows.
    pub allowed: Option<u64>,
}

/// A CRM service: what the engine pulls from and pushes to.
///
/// Conditions and queries are SOQL text that the engine built. Errors are of
/// the kinds `RemoteUnreachable` (the remote cannot have acted),
/// `RemoteOutcomeUnknown` (it may have), `RemoteRefused`, `RemoteBusy`,
/// `NotAuthorized`, `NotARemote`, `LimitReached`, `CursorExpired`; and
/// `UnknownObject` or `UnknownField` where the org changed since it was described.
#[async_trait]
pub trait Remote: Send + Sync + 'static {
    /// Tells who the credentials belong to.
    async fn identity(&self) -> Result<Identity>;

    /// Describes an object; `None` if it did not change since `known`, an earlier `last_modified`.
    ///
    /// # Errors
    /// `UnknownObject` if there is no such object for this user.
    async fn describe(&self, object: &str, known: Option<&str>) -> Result<Option<Describe>>;

    /// Tells when the fiscal year of the org with this id begins; `None` if the remote has no such thing, or this
    /// user may not know.
    async fn fiscal_year(&self, org_id: &str) -> Result<Option<FiscalYear>> {
        let _ = org_id;
        Ok(None)
    }

    /// Starts a query and gives its first page.
    async fn query(&self, soql: &str) -> Result<Page>;

    /// Gives the page behind [`Page::next`].
    ///
    /// # Errors
    /// `CursorExpired` if the remote forgot the query.
    async fn query_more(&self, next: &str) -> Result<Page>;

    /// Starts a query whose answer is so large that the remote makes a file of it, and gives the file's name;
    /// `None` if it has no such thing.
    ///
    /// What the file says is true of the time at which it was made, which may be long before it is read.
    async fn query_file(&self, soql: &str) -> Result<Option<String>> {
        let _ = soql;
        Ok(None)
    }

    /// Gives the first page of a file; `None` while it is being made. [`query_more`](Remote::query_more) gives
    /// the pages behind it.
    ///
    /// # Errors
    /// `RemoteRefused` if there will be no such file; `CursorExpired` if the remote forgot it.
    async fn file_page(&self, file: &str) -> Result<Option<Page>> {
        let _ = file;
        Err(Error::new(
            crate::error::ErrorKind::RemoteRefused,
            "this remote makes no files",
        ))
    }

    /// Tells the layouts of an object; `None` if the remote has none.
    async fn layouts(&self, object: &str) -> Result<Option<Layouts>> {
        let _ = object;
        Ok(None)
    }

    /// Lists the list views of an object that this user may see.
    async fn list_views(&self, object: &str) -> Result<Vec<ListViewName>> {
        let _ = object;
        Ok(Vec::new())
    }

    /// Describes a list view, as JSON that [`Briefcase::from_list_view`](crate::Briefcase::from_list_view)
    /// reads; `None` if there is no such list view for this user.
    async fn list_view(&self, object: &str, id: &str) -> Result<Option<String>> {
        let _ = (object, id);
        Ok(None)
    }

    /// Reads records by id, at most 2,000; `None` for one that is deleted or out of sight.
    async fn retrieve(
        &self,
        object: &str,
        ids: &[String],
        fields: &[String],
    ) -> Result<Vec<Option<Box<RawValue>>>>;

    /// Tells into which records others were merged that are gone, as (the one that is gone, the one that stayed).
    ///
    /// `object` is one whose records may be merged, and the ids are 200 at most; what was deleted otherwise, and what
    /// nobody knows, is left out. The one that stayed may be gone in turn.
    async fn merged_into(&self, object: &str, ids: &[String]) -> Result<Vec<(String, String)>> {
        let _ = (object, ids);
        Ok(Vec::new())
    }

    /// Lists what changed from `start` on, to now.
    async fn updated(&self, object: &str, start: ServerTime) -> Result<Updated>;

    /// Lists what was deleted from `start` on, to now.
    ///
    /// # Errors
    /// `CursorExpired` if the remote no longer knows the deletions of that time.
    async fn deleted(&self, object: &str, start: ServerTime) -> Result<Deleted>;

    /// Asks questions that do not depend on each other in as few calls as can be, and gives one answer for each, in
    /// order.
    ///
    /// What one question meets is its own answer, and keeps none of the others from theirs. Asks one after the
    /// other unless a remote knows better.
    ///
    /// # Errors
    /// Those that stand in the way of all of them: no answer, no credentials, a limit. Nothing is changed by asking
    /// again.
    async fn ask(&self, questions: &[Question]) -> Result<Vec<Result<Answer>>> {
        ask_in_turn(self, questions).await
    }

    /// Sends writes that do not depend on each other, and gives one outcome for each, in order.
    ///
    /// Each outcome is handed to `settled` (with the write's place in the batch)
    /// as soon as its answer is here, before anything else is sent: a caller
    /// that stores it loses nothing when the process dies in between.
    ///
    /// # Errors
    /// Only when nothing of the batch was sent. Once something was, what has no
    /// answer is [`WriteOutcome::Unknown`].
    async fn push(
        &self,
        batch: &[Write],
        settled: &mut (dyn FnMut(usize, WriteOutcome) -> Result<()> + Send),
    ) -> Result<()>;

    /// Reads the bytes of a file's version from `start` on, and hands them on as they come, in order. `total` is how
    /// many the whole of it has, as was told.
    ///
    /// It may give as many as it likes, at least one part, and is asked again for what is missing. A part stands for
    /// all that is known of it: one is handed on only if nothing that came with it says that the file is another
    /// than was told. A remote that gives whole files only may begin with the first byte.
    ///
    /// # Errors
    /// `RemoteRefused` if there is no such version for this user; `NotARemote` if there are more bytes than
    /// `total`, or others than were asked for; and those of `take`. What was handed on before stays true unless it is
    /// one of these two.
    async fn read_body(
        &self,
        version: &str,
        start: u64,
        total: u64,
        take: &mut TakePart<'_>,
    ) -> Result<()> {
        let _ = (version, start, total, take);
        Err(Error::new(
            crate::error::ErrorKind::RemoteRefused,
            "this remote holds no files",
        ))
    }

    /// Sends a create whose record has bytes of its own, and gives what became of it.
    ///
    /// # Errors
    /// Only when nothing was sent.
    async fn push_file(&self, write: &Write, bytes: &dyn FileBytes) -> Result<WriteOutcome> {
        let _ = (write, bytes);
        Err(Error::new(
            crate::error::ErrorKind::RemoteRefused,
            "this remote takes no files",
        ))
    }

    /// Sends writes that are done all together or not at all, in this order, and gives one outcome for each.
    ///
    /// Either all are `Done`, or none was done: then those at fault have their own outcomes, and the others are
    /// `Later`. Without an answer all are `Unknown`.
    ///
    /// # Errors
    /// Only when nothing was sent.
    async fn push_together(&self, batch: &[Joined]) -> Result<Vec<WriteOutcome>> {
        let problem = crate::error::Problem::new(
            "FUNCTIONALITY_NOT_ENABLED",
            "this remote cannot save several records all together or not at all",
        );
        Ok(vec![WriteOutcome::Refused(vec![problem]); batch.len()])
    }

    /// The server's clock, as of its last answer; `None` before the first.
    fn server_time(&self) -> Option<ServerTime>;

    /// How many calls were made.
    fn usage(&self) -> ApiUsage;
}

/// Stands in until a host gives a remote.
pub(crate) fn no_remote() -> Error {
    Error::new(
        crate::error::ErrorKind::NotReady,
        "this store has no remote: give it one with with_remote()",
    )
}
