//! Questions to the store: how they are asked, explained and helped.

use crate::call::{act, tell, write};
use crate::enter::{Out, Result, enter_on};
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::rows::{Answer, attache_rows_t, attache_visit_fn};
use crate::status::{ATTACHE_OK, attache_status_t};
use crate::store::{Store, attache_t};
use crate::text::{attache_str_t, attache_text_t};
use attache::{Attache, Context, FiscalYearName};
use std::ffi::c_void;
use std::ops::ControlFlow;

/// Answers a SOQL query from the store, unsent edits included. Waits for the disk, never for the
/// network. All rows are read before this returns: a list should say LIMIT; for many rows there is
/// attache_query_each().
///
/// @param out_rows  Set to an owned handle on success. Free it with attache_rows_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_query(
    attache: *mut attache_t,
    soql: attache_str_t,
    out_rows: *mut *mut attache_rows_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    // SAFETY: this function's own condition.
    unsafe { attache_query_with(attache, soql, attache_str_t::NONE, out_rows, out_error) }
}

/// Answers a query for somebody, somewhere, at some time.
///
/// @param context_json  What is to be different from attache_context(); empty for nothing.
/// @param out_rows      Set to an owned handle on success. Free it with attache_rows_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_query_with(
    attache: *mut attache_t,
    soql: attache_str_t,
    context_json: attache_str_t,
    out_rows: *mut *mut attache_rows_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let out = Out::new(out_rows, "out_rows")?;
        let engine = store.engine();
        // SAFETY: the caller's rule for text (top of the header).
        let (soql, context) = unsafe { (soql.read("soql")?, context(&engine, context_json)?) };
        let rows = match context {
            Some(context) => engine.query_with(soql, &context)?,
            None => engine.query(soql)?,
        };
        out.set(Answer::open(rows.columns().to_vec(), rows));
        Ok(())
    })
}

/// Answers a query and shows its rows one by one as they are found, one of them in memory at a
/// time. The store's reader is held meanwhile.
///
/// @param context_json  As in attache_query_with().
/// @param visit         Called with ctx and the rows, stepped to each row.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_query_each(
    attache: *mut attache_t,
    soql: attache_str_t,
    context_json: attache_str_t,
    visit: attache_visit_fn,
    ctx: *mut c_void,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let Some(visit) = visit else {
            return Err(Failure::argument("visit is NULL"));
        };
        let engine = store.engine();
        // SAFETY: the caller's rule for text (top of the header).
        let (soql, context) = unsafe { (soql.read("soql")?, context(&engine, context_json)?) };
        let context = context.map_or_else(|| engine.context(), Ok)?;
        let mut stopped = ATTACHE_OK;
        engine.query_each(soql, &context, |row| {
            // SAFETY: the caller gave a function of this type, for this context.
            stopped = Answer::lend(row, |rows| unsafe { visit(ctx, rows) });
            match stopped {
                ATTACHE_OK => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        })?;
        match stopped {
            ATTACHE_OK => Ok(()),
            status => Err(Failure::of_host(
                status,
                "the application stopped the query",
            )),
        }
    })
}

/// Tells how a query would be run: its SQL, then SQLite's plan, a step a line. For people; its
/// form may change.
///
/// @param context_json  As in attache_query_with().
/// @param out_text      Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_explain(
    attache: *mut attache_t,
    soql: attache_str_t,
    context_json: attache_str_t,
    out_text: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    write(attache, out_text, "out_text", out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (soql, context) = unsafe { (soql.read("soql")?, context(engine, context_json)?) };
        Ok(Some(match context {
            Some(context) => engine.explain_with(soql, &context)?,
            None => engine.explain(soql)?,
        }))
    })
}

/// Tells what date literals and scopes mean here and now, as JSON: {"user_id", "time_zone",
/// "week_start", "fiscal_year_start_month", "fiscal_year_name", "now"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_context(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.context()?))
}

/// A fiscal year is named after the year in which it begins.
pub const ATTACHE_FISCAL_YEAR_START: i32 = 0;
/// A fiscal year is named after the year in which it ends.
pub const ATTACHE_FISCAL_YEAR_END: i32 = 1;

/// Overrides when the org's fiscal year begins and which year it is named after; kept with the
/// store.
///
/// @param start_month  1 to 12.
/// @param name         ATTACHE_FISCAL_YEAR_START or ATTACHE_FISCAL_YEAR_END.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_set_fiscal_year(
    attache: *mut attache_t,
    start_month: i32,
    name: i32,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        let name = match name {
            ATTACHE_FISCAL_YEAR_START => FiscalYearName::Start,
            ATTACHE_FISCAL_YEAR_END => FiscalYearName::End,
            _ => return Err(Failure::argument("name is none of ATTACHE_FISCAL_YEAR_*")),
        };
        let month =
            i8::try_from(start_month).map_err(|_| Failure::argument("start_month is 1 to 12"))?;
        Ok(engine.set_fiscal_year(month, name)?)
    })
}

/// Asks for an index, for lists that are found or ordered by these fields; kept with the store.
/// Reads the object's table once, and writes wait meanwhile.
///
/// @param fields_json  A JSON array: ["MailingState", "LastName DESC"].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_add_index(
    attache: *mut attache_t,
    object: attache_str_t,
    fields_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, fields) =
            unsafe { (object.read("object")?, fields_json.read("fields_json")?) };
        let fields: Vec<String> = json::parse(fields, "fields_json")?;
        Ok(engine.add_index(object, fields)?)
    })
}

/// Takes back the wish for an index. It is dropped by the next sync, unless the briefcase needs
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_remove_index(
    attache: *mut attache_t,
    object: attache_str_t,
    fields_json: attache_str_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    act(attache, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (object, fields) =
            unsafe { (object.read("object")?, fields_json.read("fields_json")?) };
        let fields: Vec<String> = json::parse(fields, "fields_json")?;
        Ok(engine.remove_index(object, fields)?)
    })
}

/// Lists the indexes that were asked for, as a JSON array of {"object", "fields", "built"}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_indexes(
    attache: *mut attache_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| Ok(engine.indexes()?))
}

/// Searches the records of this device for words, unsent edits included. Every word must be in
/// the record, and may be the beginning of a longer one; nothing typed is an operator or an
/// error.
///
/// @param words     What a person typed.
/// @param object    Searches this object only; empty for all.
/// @param limit     Records at most; 0 for 20.
/// @param offset    Passes over so many of the best first.
/// @param out_json  Set to an owned text on success: {"hits": [{"id", "object", "title", "field",
///                  "snippet", "marks": [[begin, end]], "score"}], "waiting"}; marks are bytes of
///                  the snippet's UTF-8. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_search(
    attache: *mut attache_t,
    words: attache_str_t,
    object: attache_str_t,
    limit: usize,
    offset: usize,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    tell(attache, out_json, out_error, |engine| {
        // SAFETY: the caller's rule for text (top of the header).
        let (words, object) = unsafe { (words.read("words")?, object.read_optional("object")?) };
        let mut search = engine.search(words).offset(offset);
        if let Some(object) = object {
            search = search.object(object);
        }
        if limit > 0 {
            search = search.limit(limit);
        }
        Ok(search.run()?)
    })
}

/// Brings the search index forward by at most so many records: to be called when there is time,
/// until nothing is left. 10 to 25 microseconds a record; edits wait meanwhile.
///
/// @param out_left  NULL, or set on success to about how many records are left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_index_words(
    attache: *mut attache_t,
    rows_max: u64,
    out_left: *mut u64,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(attache, out_error, |store: &Store| {
        let left = store.engine().index_words(rows_max)?;
        if let Ok(out) = Out::new(out_left, "out_left") {
            out.set(left);
        }
        Ok(())
    })
}

/// Reads what is to be different; none where nothing is.
///
/// # Safety
/// That of [`attache_str_t::read`].
unsafe fn context(engine: &Attache, json: attache_str_t) -> Result<Option<Context>> {
    // SAFETY: this function's own condition.
    match unsafe { json.read_optional("context_json")? } {
        Some(json) => Ok(Some(engine.context()?.with_json(json)?)),
        None => Ok(None),
    }
}
