//! Files of records: photos, plans and papers.

use crate::bytes::attache_bytes_t;
use crate::call::{act, tell, write};
use crate::enter::{Out, enter_on};
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::status::{ATTACHE_OK, attache_status_t};
use crate::store::{Store, attache_t};
use crate::text::{attache_str_t, attache_text_t};
use futures_lite::future::block_on;
use std::ffi::c_void;
use std::io::{self, Read, Write};

/// Lists the files of a record, in order of their titles, as a JSON array of {"id", "title",
/// "extension", "bytes", "state", "problem"}; state is "absent", {"partial": {"bytes"}}, "present"
/// or "queued".
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_files(
    attache: *mut attache_t,
    id: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.files(&id)?)
    })
}

/// Tells what is known of one file, as attache_files() lists it.
///
/// @param out_json  Set to an owned text, or to NULL if nothing is known. Free it with
///                  attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_file(
    attache: *mut attache_t,
    id: attache_str_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_json, "out_json", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.file(&id)?.map(|file| json::print(&file)))
    })
}

/// Gives a name under which a file can be saved on any system: without folders and control
/// characters. Two files may have the same one.
///
/// @param out_name  Set to an owned text, or to NULL if nothing is known of the file. Free it
///                  with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_file_name(
    attache: *mut attache_t,
    id: attache_str_t,
    out_name: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_name, "out_name", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.file(&id)?.map(|file| file.file_name()))
    })
}

/// Brings the bytes of a file onto this device; one that is here stays as it is. What came before
/// a call was cut off is kept. Waits for the network.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_fetch_file(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(block_on(engine.fetch_file(&id).into_future())?)
    })
}

/// Gives the room of a file's bytes back; they stay at the org, and can be fetched again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_evict_file(
    attache: *mut attache_t,
    id: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        Ok(engine.evict_file(&id)?)
    })
}

/// Takes a part of a file's bytes, which are good until it returns: ATTACHE_OK goes on, another
/// status stops. Called on the calling thread. It must not throw or longjmp.
pub type attache_write_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, bytes: attache_bytes_t) -> attache_status_t>;

/// Gives a part of a file's bytes: writes up to capacity bytes and returns how many; 0 at the
/// end, less than 0 if they cannot be had. Called on the calling thread. It must not throw or
/// longjmp.
pub type attache_read_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, buffer: *mut u8, capacity: usize) -> isize>;

/// The host's function as a place to write to.
struct Sink {
    call: unsafe extern "C" fn(ctx: *mut c_void, bytes: attache_bytes_t) -> attache_status_t,
    ctx: *mut c_void,
    /// It asked to stop, with this.
    stopped: Option<attache_status_t>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the caller gave a function of this type, for this context.
        match unsafe { (self.call)(self.ctx, attache_bytes_t::borrowed(bytes)) } {
            ATTACHE_OK => Ok(bytes.len()),
            status => {
                self.stopped = Some(status);
                Err(io::Error::other("the application takes no more"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The host's function as a place to read from.
struct Source {
    call: unsafe extern "C" fn(ctx: *mut c_void, buffer: *mut u8, capacity: usize) -> isize,
    ctx: *mut c_void,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the caller gave a function of this type, for this context.
        let given = unsafe { (self.call)(self.ctx, buffer.as_mut_ptr(), buffer.len()) };
        match usize::try_from(given) {
            Ok(given) if given <= buffer.len() => Ok(given),
            Ok(_) => Err(io::Error::other("more bytes were given than asked for")),
            Err(_) => Err(io::Error::other("the application cannot read the file")),
        }
    }
}

/// Reads the bytes of a file that is here, part by part. In memory is one part of them.
///
/// @param write      Called with ctx and each part, in order. If it stops, so does the call, with
///                   its status.
/// @param out_bytes  NULL, or set on success to how many bytes there were.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_read_file(
    attache: *mut attache_t,
    id: attache_str_t,
    write: attache_write_fn,
    ctx: *mut c_void,
    out_bytes: *mut u64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        // SAFETY: the caller's rule for text (top of the header).
        let id = unsafe { id.read_id("id")? };
        let Some(call) = write else {
            return Err(Failure::argument("write is NULL"));
        };
        let mut sink = Sink {
            call,
            ctx,
            stopped: None,
        };
        let done = store.engine().read_file(&id, &mut sink);
        if let Some(status) = sink.stopped {
            return Err(Failure::of_host(status, "the application took no more"));
        }
        let bytes = done?;
        if let Ok(out) = Out::new(out_bytes, "out_bytes") {
            out.set(bytes);
        }
        Ok(())
    })
}

/// Attaches a file to a record, which the org need not have yet. It is on the disk when this
/// returns, and is sent by a sync, after its record.
///
/// @param name    What it is called, with its ending: meter.jpg.
/// @param read    Called with ctx until it gives 0.
/// @param out_id  Set to the file's id on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_attach(
    attache: *mut attache_t,
    record: attache_str_t,
    name: attache_str_t,
    read: attache_read_fn,
    ctx: *mut c_void,
    out_id: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_id, "out_id", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (record, name) = unsafe { (record.read_id("record")?, name.read("name")?) };
        let Some(call) = read else {
            return Err(Failure::argument("read is NULL"));
        };
        let id = engine.attach(&record, name, Source { call, ctx })?;
        Ok(Some(id.to_string()))
    })
}
