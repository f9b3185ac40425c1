//! Status numbers and versions.

use crate::table;
use crate::text::attache_str_t;
use attache::ErrorKind;

/// What a call came to: ATTACHE_OK, ATTACHE_END or the number of a failure.
pub type attache_status_t = i32;

/// The version of this ABI. It grows when a program built for the last one would break.
pub const ATTACHE_ABI_VERSION: u32 = 1;

/// Done.
pub const ATTACHE_OK: i32 = 0;
/// Not a failure: there are no more rows.
pub const ATTACHE_END: i32 = -1;
/// Not a failure: it has not ended, or has not come, yet.
pub const ATTACHE_PENDING: i32 = -2;

// cbindgen cannot see constants of other crates: the numbers stand here again,
// tied to the engine's by the assertions below.

/// The caller passed a value that can never work. Fix the call.
pub const ATTACHE_INVALID_ARGUMENT: i32 = 1;
/// The record is not on this device.
pub const ATTACHE_RECORD_NOT_FOUND: i32 = 2;
/// The caller asked to stop. The store is as it was after the last commit.
pub const ATTACHE_INTERRUPTED: i32 = 3;
/// The write breaks rules of the object; attache_error_problems() lists all of them.
pub const ATTACHE_INVALID_RECORD: i32 = 4;
/// A query or a filter cannot be read; attache_error_position() says where.
pub const ATTACHE_MALFORMED_QUERY: i32 = 5;
/// A query, a filter or a briefcase names an object that the org or this store does not have.
pub const ATTACHE_UNKNOWN_OBJECT: i32 = 6;
/// A query, a filter or a briefcase names a field that its object does not have.
pub const ATTACHE_UNKNOWN_FIELD: i32 = 7;
/// There is work that was not sent; the call would lose it.
pub const ATTACHE_UNSENT_WORK: i32 = 8;
/// The store belongs to another user or another org.
pub const ATTACHE_WRONG_OWNER: i32 = 9;
/// The call needs something that was not set up: a remote, a briefcase, a first sync.
pub const ATTACHE_NOT_READY: i32 = 10;
/// The store was wiped through another handle.
pub const ATTACHE_CLOSED: i32 = 11;
/// The file cannot be opened, read or written.
pub const ATTACHE_STORAGE_UNAVAILABLE: i32 = 100;
/// The disk is full. Nothing was written.
pub const ATTACHE_STORAGE_FULL: i32 = 101;
/// The file is not a store, or is damaged. It was not changed.
pub const ATTACHE_STORAGE_CORRUPT: i32 = 102;
/// Another process is writing to the store.
pub const ATTACHE_STORAGE_BUSY: i32 = 103;
/// The store was written by a newer version. It was not changed.
pub const ATTACHE_STORAGE_TOO_NEW: i32 = 104;
/// The store is encrypted and the key is missing or another one, or it is not encrypted and a key
/// was given. It was not changed.
pub const ATTACHE_STORAGE_WRONG_KEY: i32 = 105;
/// No answer, and the remote cannot have acted: safe to send again.
pub const ATTACHE_REMOTE_UNREACHABLE: i32 = 200;
/// The request left us and no answer came: the remote may have acted.
pub const ATTACHE_REMOTE_OUTCOME_UNKNOWN: i32 = 201;
/// The remote refused; its code and words are in the message.
pub const ATTACHE_REMOTE_REFUSED: i32 = 202;
/// The remote is overloaded or in maintenance.
pub const ATTACHE_REMOTE_BUSY: i32 = 203;
/// The credentials are expired, revoked or wrong.
pub const ATTACHE_NOT_AUTHORIZED: i32 = 204;
/// What answers at this address is not the service that was expected.
pub const ATTACHE_NOT_A_REMOTE: i32 = 205;
/// The budget of API calls is used up.
pub const ATTACHE_LIMIT_REACHED: i32 = 206;
/// The remote no longer knows our cursor. The pull starts over from the last page kept.
pub const ATTACHE_CURSOR_EXPIRED: i32 = 300;
/// A broken invariant of ours. Please report it.
pub const ATTACHE_INTERNAL: i32 = 900;
/// A panic was stopped. The handle it happened on only accepts its free function from now on.
pub const ATTACHE_PANIC: i32 = 901;

/// The same call will fail the same way.
pub const ATTACHE_RETRY_NEVER: i32 = 0;
/// The same call may succeed after attache_error_retry_after_ms().
pub const ATTACHE_RETRY_AFTER: i32 = 1;
/// The same call may succeed with fresh credentials.
pub const ATTACHE_RETRY_AFTER_AUTH: i32 = 2;

macro_rules! same_number {
    ($($name:ident = $kind:ident),* $(,)?) => {
        $(const _: () = assert!($name == ErrorKind::$kind as i32);)*

        /// The kind of error that a status stands for; none for what is not a kind of the engine's.
        pub(crate) fn kind_of(status: attache_status_t) -> Option<ErrorKind> {
            match status {
                $($name => Some(ErrorKind::$kind),)*
                _ => None,
            }
        }
    };
}

same_number! {
    ATTACHE_INVALID_ARGUMENT = InvalidArgument,
    ATTACHE_RECORD_NOT_FOUND = RecordNotFound,
    ATTACHE_INTERRUPTED = Interrupted,
    ATTACHE_INVALID_RECORD = InvalidRecord,
    ATTACHE_MALFORMED_QUERY = MalformedQuery,
    ATTACHE_UNKNOWN_OBJECT = UnknownObject,
    ATTACHE_UNKNOWN_FIELD = UnknownField,
    ATTACHE_UNSENT_WORK = UnsentWork,
    ATTACHE_WRONG_OWNER = WrongOwner,
    ATTACHE_NOT_READY = NotReady,
    ATTACHE_CLOSED = Closed,
    ATTACHE_STORAGE_UNAVAILABLE = StorageUnavailable,
    ATTACHE_STORAGE_FULL = StorageFull,
    ATTACHE_STORAGE_CORRUPT = StorageCorrupt,
    ATTACHE_STORAGE_BUSY = StorageBusy,
    ATTACHE_STORAGE_TOO_NEW = StorageTooNew,
    ATTACHE_STORAGE_WRONG_KEY = StorageWrongKey,
    ATTACHE_REMOTE_UNREACHABLE = RemoteUnreachable,
    ATTACHE_REMOTE_OUTCOME_UNKNOWN = RemoteOutcomeUnknown,
    ATTACHE_REMOTE_REFUSED = RemoteRefused,
    ATTACHE_REMOTE_BUSY = RemoteBusy,
    ATTACHE_NOT_AUTHORIZED = NotAuthorized,
    ATTACHE_NOT_A_REMOTE = NotARemote,
    ATTACHE_LIMIT_REACHED = LimitReached,
    ATTACHE_CURSOR_EXPIRED = CursorExpired,
    ATTACHE_INTERNAL = Internal,
}

/// Gives the ABI version of the library, to be compared with ATTACHE_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn attache_abi_version() -> u32 {
    ATTACHE_ABI_VERSION
}

/// Gives the version of the library, such as 0.1.0. Valid for the life of the process.
#[unsafe(no_mangle)]
pub extern "C" fn attache_version() -> attache_str_t {
    attache_str_t::borrowed(env!("CARGO_PKG_VERSION"))
}

/// Counts the handles that were given out and not freed. For tests: 0 at the end of each.
#[unsafe(no_mangle)]
pub extern "C" fn attache_debug_live_handles() -> usize {
    table::live()
}
