//! Sequences of C calls with good, freed, foreign and made-up handles, NULL in every place, and text of any bytes:
//! every call gives a status, no panic stands behind one, and in the end no handle is alive.

#![allow(unsafe_code, reason = "it is the caller on the other side of a C ABI")]

use crate::home::Home;
use arbitrary::{Arbitrary, Unstructured};
use attache_c::*;
use std::mem::{size_of, zeroed};
use std::path::Path;
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::{LazyLock, Mutex, PoisonError};

static HOME: LazyLock<Home> = LazyLock::new(Home::new);
/// Live handles are counted for the whole process: one sequence at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// As many calls as one input makes.
const CALLS_MAX: usize = 60;
/// As a handle says that such a panic went through.
const POISONED: &str = "a panic went through this handle before";
/// As a panic is that `attache_debug_panic` was asked for.
const ASKED: &str = "asked to by";

type Store = *mut attache_t;
type Text = *mut *mut attache_text_t;
type Failed = *mut *mut attache_error_t;

/// Functions of one shape: a store, so many texts, and perhaps a text that is given back.
const TELL: [unsafe extern "C" fn(Store, Text, Failed) -> attache_status_t; 12] = [
    attache_briefcase,
    attache_conflicts,
    attache_schema,
    attache_pins,
    attache_recents,
    attache_membership,
    attache_pending,
    attache_undo,
    attache_context,
    attache_indexes,
    attache_status,
    attache_limits,
];
const TELL_OF: [unsafe extern "C" fn(Store, attache_str_t, Text, Failed) -> attache_status_t; 10] = [
    attache_dry_run,
    attache_files,
    attache_file,
    attache_file_name,
    attache_schema_object,
    attache_record_types,
    attache_why,
    attache_discard_record,
    attache_get,
    attache_host_value,
];
const TELL_OF_TWO: [unsafe extern "C" fn(
    Store,
    attache_str_t,
    attache_str_t,
    Text,
    Failed,
) -> attache_status_t; 5] = [
    attache_create,
    attache_resolve_all,
    attache_layout,
    attache_compact_layout,
    attache_explain,
];
const ACT: [unsafe extern "C" fn(Store, attache_str_t, Failed) -> attache_status_t; 7] = [
    attache_set_briefcase,
    attache_pin,
    attache_unpin,
    attache_viewed,
    attache_delete,
    attache_retry_record,
    attache_evict_file,
];
const ACT_ON: [unsafe extern "C" fn(
    Store,
    attache_str_t,
    attache_str_t,
    Failed,
) -> attache_status_t; 4] = [
    attache_update,
    attache_add_index,
    attache_remove_index,
    attache_set_host_value,
];
const ACT_ON_NUMBER: [unsafe extern "C" fn(Store, i64, Failed) -> attache_status_t; 3] =
    [attache_discard, attache_retry, attache_save_anyway];
const READ: [unsafe extern "C" fn(attache_str_t, Text, Failed) -> attache_status_t; 5] = [
    attache_briefcase_from_json,
    attache_briefcase_everything,
    attache_briefcase_from_list_view,
    attache_briefcase_from_briefcase_definition,
    attache_briefcase_template,
];

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Said<'a> {
    kind: u8,
    bytes: &'a [u8],
}

impl Said<'_> {
    fn c(&self) -> attache_str_t {
        let known: &[u8] = match self.kind {
            1 => b"Account",
            2 => b"{\"Name\":\"Acme\"}",
            3 => b"SELECT Id, Name, (SELECT Id FROM Contacts) FROM Account",
            4 => br#"{"version":1,"rules":[{"name":"a","object":"Account","scope":"everything"}]}"#,
            5 => b"001000000000001AAA",
            6 => b"\"mine\"",
            7 => b"{\"take\":\"mine\"}",
            8 => return lent(null(), self.bytes.len()),
            9 => return lent(self.bytes.as_ptr(), usize::MAX),
            _ => self.bytes,
        };
        lent(known.as_ptr(), known.len())
    }
}

fn lent(ptr: *const u8, len: usize) -> attache_str_t {
    attache_str_t {
        ptr: ptr.cast(),
        len,
    }
}

/// Which handle a call takes: one of those that were made, also if it is freed or of another type, or any number.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Pick {
    Made(u8),
    Null,
    Any(u32),
}

#[derive(Arbitrary, Debug)]
enum Call<'a> {
    Open(u8),
    OpenBare(u16),
    Tell(Pick, u8),
    TellOf(Pick, u8, Said<'a>),
    TellOfTwo(Pick, u8, Said<'a>, Said<'a>),
    Act(Pick, u8, Said<'a>),
    ActOn(Pick, u8, Said<'a>, Said<'a>),
    ActOnNumber(Pick, u8, i64),
    Read(u8, Said<'a>),
    Org(Pick, Said<'a>, Said<'a>),
    Sync(Pick, Pick),
    Query(Pick, Said<'a>, Said<'a>),
    Watch(Pick, Said<'a>),
    Search(Pick, Said<'a>, Said<'a>),
    Children(Pick, u8),
    Next(Pick),
    Look(Pick, u8, Said<'a>),
    Resolve(Pick, i64, Said<'a>),
    Export(Pick, Option<Pick>, Said<'a>),
    Cancel,
    Request(Pick),
    Panic(Pick),
    Free(Pick, u8),
    NoOut(Pick, Said<'a>),
}

struct Caller<'a> {
    made: Vec<usize>,
    error: usize,
    file: &'a Path,
}

impl Caller<'_> {
    fn pick<T>(&self, pick: Pick) -> *mut T {
        without_provenance_mut(match pick {
            Pick::Made(n) if !self.made.is_empty() => self.made[usize::from(n) % self.made.len()],
            Pick::Any(number) => number as usize,
            _ => 0,
        })
    }

    /// Makes a call that may give an error and a handle, and reads the error.
    fn call<T>(
        &mut self,
        call: impl FnOnce(*mut *mut T, Failed) -> attache_status_t,
    ) -> (attache_status_t, *mut T) {
        let (mut out, mut error) = (null_mut(), null_mut());
        let status = call(&raw mut out, &raw mut error);
        assert_eq!(
            status > 0,
            !error.is_null(),
            "an error for each failure and for nothing else: {status}"
        );
        if !error.is_null() {
            assert_eq!(attache_error_status(error), status);
            let message = read(attache_error_message(error));
            // The handle that a panic was asked of is of no more use.
            let asked = message.contains(ASKED) || message.contains(POISONED);
            assert!(status != ATTACHE_PANIC || asked, "{message}");
            read(attache_error_problems(error));
            read(attache_error_expected(error));
            attache_error_retry(error);
            attache_error_retry_after_ms(error);
            attache_error_position(error);
            if self.error == 0 {
                // One is kept, for calls that expect something else.
                self.error = error.addr();
                self.made.push(error.addr());
            } else {
                attache_error_free(error);
            }
        }
        if !out.is_null() {
            self.made.push(out.addr());
        }
        (status, out)
    }

    /// Makes a call that gives nothing but an error.
    fn act(&mut self, call: impl FnOnce(Failed) -> attache_status_t) {
        self.call::<attache_t>(|_, error| call(error));
    }

    /// Makes a call that gives a text, and reads it.
    fn tell(&mut self, call: impl FnOnce(Text, Failed) -> attache_status_t) {
        let (_, text) = self.call(call);
        read(attache_text_str(text));
    }
}

/// Reads each byte of a text, as a caller may.
fn read(text: attache_str_t) -> String {
    if text.ptr.is_null() {
        assert_eq!(text.len, 0);
        return String::new();
    }
    // SAFETY: the ABI lends as many bytes as it says.
    let bytes = unsafe { std::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len) };
    std::str::from_utf8(bytes)
        .expect("text is UTF-8")
        .to_owned()
}

/// The function that a byte stands for.
fn of<T: Copy>(functions: &[T], which: u8) -> T {
    functions[usize::from(which) % functions.len()]
}

// SAFETY of all that follows: every pointer that is passed is NULL, lives for the call, or is a number that is only
// looked up.
impl Caller<'_> {
    fn run(&mut self, call: &Call<'_>) {
        match *call {
            Call::Open(..) | Call::OpenBare(_) | Call::Org(..) | Call::Sync(..) => self.open(call),
            Call::Query(..)
            | Call::Watch(..)
            | Call::Search(..)
            | Call::Children(..)
            | Call::Next(_) => self.query(call),
            Call::Tell(store, which) => {
                let store = self.pick(store);
                self.tell(|out, error| unsafe { of(&TELL, which)(store, out, error) });
            }
            Call::TellOf(store, which, said) => {
                let store = self.pick(store);
                self.tell(|out, error| unsafe { of(&TELL_OF, which)(store, said.c(), out, error) });
            }
            Call::TellOfTwo(store, which, one, two) => {
                let store = self.pick(store);
                let function = of(&TELL_OF_TWO, which);
                self.tell(|out, error| unsafe { function(store, one.c(), two.c(), out, error) });
            }
            Call::Act(store, which, said) => {
                let store = self.pick(store);
                self.act(|error| unsafe { of(&ACT, which)(store, said.c(), error) });
            }
            Call::ActOn(store, which, one, two) => {
                let store = self.pick(store);
                self.act(|error| unsafe { of(&ACT_ON, which)(store, one.c(), two.c(), error) });
            }
            Call::ActOnNumber(store, which, number) => {
                let store = self.pick(store);
                self.act(|error| unsafe { of(&ACT_ON_NUMBER, which)(store, number, error) });
            }
            Call::Read(which, said) => {
                self.tell(|out, error| unsafe { of(&READ, which)(said.c(), out, error) });
                self.tell(|out, error| unsafe { attache_briefcase_templates(out, error) });
            }
            Call::Resolve(store, id, said) => {
                let store = self.pick(store);
                self.act(|error| unsafe { attache_resolve(store, id, said.c(), error) });
                self.tell(|out, error| unsafe { attache_reopen(store, id, out, error) });
            }
            Call::Export(store, into, said) => self.export(store, into, said),
            Call::Look(any, column, said) => self.look(any, usize::from(column), said),
            Call::Cancel => {
                self.call(|out, error| unsafe { attache_cancel_new(out, error) });
            }
            Call::Request(cancel) => attache_cancel_request(self.pick(cancel)),
            Call::Panic(store) => {
                let store = self.pick(store);
                self.act(|error| unsafe { attache_debug_panic(store, error) });
            }
            Call::Free(any, how) => free(self.pick::<()>(any).addr(), how),
            Call::NoOut(store, said) => self.no_out(store, said),
        }
    }

    fn open(&mut self, call: &Call<'_>) {
        match *call {
            Call::Open(which) => {
                let file = self.file.to_str().unwrap_or_default();
                let path = [file, ":memory:", "", "/", "a\0b"][usize::from(which) % 5];
                let mut options: attache_open_options_t = unsafe { zeroed() };
                options.struct_size = size_of::<attache_open_options_t>();
                options.path = lent(path.as_ptr(), path.len());
                let options = &raw const options;
                self.call(|out, error| unsafe { attache_open(options, out, error) });
                self.tell(|out, error| unsafe { attache_inspect(options, out, error) });
            }
            Call::OpenBare(size) => {
                let mut bytes = vec![0_usize; 4096 / size_of::<usize>() + 1];
                bytes[0] = usize::from(size);
                let bare = bytes.as_ptr().cast();
                self.call(|out, error| unsafe { attache_open(bare, out, error) });
                self.call(|out, error| unsafe { attache_open(null(), out, error) });
            }
            Call::Org(store, url, token) => {
                let store = self.pick(store);
                let mut options: attache_salesforce_options_t = unsafe { zeroed() };
                options.struct_size = size_of::<attache_salesforce_options_t>();
                // Nothing is sent: who syncs here has cancelled before.
                options.url = url.c();
                options.access_token = token.c();
                let options = &raw const options;
                self.act(|error| unsafe { attache_set_salesforce(store, options, error) });
                self.act(|error| unsafe { attache_set_salesforce(store, null(), error) });
            }
            Call::Sync(store, cancel) => {
                let store = self.pick(store);
                let mut options: attache_sync_options_t = unsafe { zeroed() };
                options.struct_size = size_of::<attache_sync_options_t>();
                options.cancel = self.pick(cancel);
                attache_cancel_request(options.cancel);
                if !options.cancel.is_null() {
                    let options = &raw const options;
                    self.tell(|out, error| unsafe { attache_sync(store, options, out, error) });
                }
            }
            _ => {}
        }
    }

    fn query(&mut self, call: &Call<'_>) {
        match *call {
            Call::Query(store, soql, context) => {
                let store = self.pick(store);
                self.call(|out, error| unsafe { attache_query(store, soql.c(), out, error) });
                let with = (soql.c(), context.c());
                self.call(|out, error| unsafe {
                    attache_query_with(store, with.0, with.1, out, error)
                });
            }
            Call::Watch(store, soql) => {
                let store = self.pick(store);
                let (_, watch) =
                    self.call(|out, error| unsafe { attache_watch(store, soql.c(), out, error) });
                self.tell(|out, error| unsafe { attache_watch_next(watch, 0, out, error) });
            }
            Call::Search(store, words, object) => {
                let store = self.pick(store);
                self.tell(|out, error| unsafe {
                    attache_search(store, words.c(), object.c(), 5, 0, out, error)
                });
            }
            Call::Children(rows, column) => {
                let rows = self.pick::<attache_rows_t>(rows);
                let column = usize::from(column);
                self.call(|out, error| unsafe { attache_rows_children(rows, column, out, error) });
                self.tell(|out, error| unsafe { attache_rows_json(rows, out, error) });
            }
            Call::Next(rows) => {
                let rows = self.pick(rows);
                self.act(|error| unsafe { attache_rows_next(rows, error) });
            }
            _ => {}
        }
    }

    /// Takes unsent work out of a store and into another.
    fn export(&mut self, from: Pick, into: Option<Pick>, passphrase: Said<'_>) {
        // Stretching any other passphrase takes a second.
        let passphrase = if passphrase.kind.is_multiple_of(2) {
            lent(null(), 0)
        } else {
            lent(null(), 1)
        };
        let store = self.pick(from);
        let (_, file) =
            self.call(|out, error| unsafe { attache_export_unsent(store, passphrase, out, error) });
        if let Some(into) = into {
            let (into, bytes) = (self.pick(into), attache_buffer_bytes(file));
            self.tell(|out, error| unsafe {
                attache_import_unsent(into, bytes, passphrase, out, error)
            });
        }
    }

    /// Calls all that only looks, on a handle of any type.
    fn look(&self, any: Pick, column: usize, said: Said<'_>) {
        let rows = self.pick::<attache_rows_t>(any);
        attache_rows_column_count(rows);
        read(attache_rows_column_name(rows, column));
        read(attache_rows_id(rows));
        attache_rows_type(rows, column);
        read(attache_rows_text(rows, column));
        let (mut integer, mut real) = (0, 0.0);
        unsafe {
            attache_rows_column(rows, said.c());
            attache_rows_int64(rows, column, &raw mut integer);
            attache_rows_double(rows, column, &raw mut real);
        }
        read(attache_text_str(self.pick(any)));
        read(attache_error_message(self.pick(any)));
        read(attache_error_problems(self.pick(any)));
        read(attache_sandbox_info(self.pick(any)));
        attache_watch_stop(self.pick(any));
        attache_sync_cancel(self.pick(any));
    }

    /// Calls with nowhere to put what they give.
    fn no_out(&self, store: Pick, said: Said<'_>) {
        let store = self.pick(store);
        unsafe {
            attache_query(store, said.c(), null_mut(), null_mut());
            attache_create(store, said.c(), said.c(), null_mut(), null_mut());
            attache_get(store, said.c(), null_mut(), null_mut());
            attache_open(null(), null_mut(), null_mut());
            attache_cancel_new(null_mut(), null_mut());
            attache_rows_int64(null(), 0, null_mut());
        }
    }
}

/// Frees a handle as one of a type, which may be another than its own.
fn free(handle: usize, how: u8) {
    match how % FREES {
        0 => attache_free(without_provenance_mut(handle)),
        1 => attache_rows_free(without_provenance_mut(handle)),
        2 => attache_text_free(without_provenance_mut(handle)),
        3 => attache_error_free(without_provenance_mut(handle)),
        4 => attache_cancel_free(without_provenance_mut(handle)),
        5 => attache_buffer_free(without_provenance_mut(handle)),
        6 => attache_watch_free(without_provenance_mut(handle)),
        7 => attache_sync_free(without_provenance_mut(handle)),
        8 => attache_tokens_free(without_provenance_mut(handle)),
        9 => attache_transport_free(without_provenance_mut(handle)),
        _ => attache_sandbox_free(without_provenance_mut(handle)),
    }
}

const FREES: u8 = 11;

/// Lets the panics pass that were asked for: they are caught at the boundary, and libFuzzer would end the process.
pub fn silence_asked_panics() {
    let other = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let asked = panic
            .payload_as_str()
            .is_some_and(|said| said.contains(ASKED));
        if !asked {
            other(panic);
        }
    }));
}

/// Makes the C calls that bytes say.
pub fn run(bytes: &[u8]) {
    let Ok(calls) = Vec::<Call<'_>>::arbitrary_take_rest(Unstructured::new(bytes)) else {
        return;
    };
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("jo.db");
    if calls.iter().any(|call| matches!(call, Call::Open(_))) {
        std::fs::write(&file, HOME.crashed().0).expect("a file");
    }
    let mut caller = Caller {
        made: Vec::new(),
        error: 0,
        file: &file,
    };
    for call in calls.iter().take(CALLS_MAX) {
        caller.run(call);
    }
    for handle in caller.made {
        // Whatever it is: freeing it as anything else is nothing.
        (0..FREES).for_each(|how| free(handle, how));
    }
    assert_eq!(attache_debug_live_handles(), 0);
}
