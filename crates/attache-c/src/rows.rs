//! Answers to queries, row by row.

use crate::enter::{Out, enter_on, free, peek};
use crate::error::{Failure, attache_error_t};
use crate::json;
use crate::status::attache_status_t;
use crate::table::{self, Object};
use crate::text::{Text, attache_str_t, attache_text_t};
use attache::{Cell, Row, Value};
use std::cell::OnceCell;
use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// No value.
pub const ATTACHE_TYPE_NULL: i32 = 0;
/// A checkbox: true or false.
pub const ATTACHE_TYPE_BOOLEAN: i32 = 1;
/// An exact decimal number, such as 1234567890123456.78.
pub const ATTACHE_TYPE_NUMBER: i32 = 2;
/// Text, picklist values, ids and multi-select lists (a;b).
pub const ATTACHE_TYPE_TEXT: i32 = 3;
/// A day without a zone: 2026-11-22.
pub const ATTACHE_TYPE_DATE: i32 = 4;
/// An instant: 2026-11-22T09:30:00.000+0000.
pub const ATTACHE_TYPE_DATETIME: i32 = 5;
/// A time of day: 09:30:00.000Z.
pub const ATTACHE_TYPE_TIME: i32 = 6;
/// The rows of a child subquery: attache_rows_children() opens them.
pub const ATTACHE_TYPE_ROWS: i32 = 7;

/// The rows of an answer and a place among them, at first before the first row. One thread at a
/// time may use it.
pub struct attache_rows_t {
    _opaque: (),
}

/// What stands behind an [`attache_rows_t`].
pub(crate) struct Answer {
    columns: Vec<String>,
    state: Mutex<State>,
}

struct State {
    rows: Box<dyn Iterator<Item = Row> + Send>,
    current: Option<Current>,
}

impl State {
    fn cell(&self, column: usize) -> Option<&Cell> {
        self.current.as_ref()?.row.cells().get(column)
    }
}

/// The row that was stepped to. Text is lent from here, until the next step.
struct Current {
    row: Row,
    // Numbers, dates and the like as text, made when somebody asks.
    printed: Vec<OnceCell<String>>,
}

impl Current {
    fn of(row: Row) -> Current {
        Current {
            printed: row.cells().iter().map(|_| OnceCell::new()).collect(),
            row,
        }
    }
}

impl Object for Answer {
    type C = attache_rows_t;
    const NAME: &'static str = "attache_rows_t";
}

impl Answer {
    /// Gives rows, before the first.
    pub(crate) fn open(
        columns: Vec<String>,
        rows: impl Iterator<Item = Row> + Send + 'static,
    ) -> *mut attache_rows_t {
        table::insert(Answer {
            columns,
            state: Mutex::new(State {
                rows: Box::new(rows),
                current: None,
            }),
        })
    }

    /// Lends one row, stepped to.
    pub(crate) fn lend<T>(row: Row, show: impl FnOnce(*const attache_rows_t) -> T) -> T {
        let handle = table::insert(Answer {
            columns: row.columns().to_vec(),
            state: Mutex::new(State {
                rows: Box::new(std::iter::empty()),
                current: Some(Current::of(row)),
            }),
        });
        let shown = show(handle);
        table::remove::<Answer>(handle);
        shown
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears of one row: the rows stand on it, and are good until this returns. ATTACHE_OK goes on,
/// another status stops. Called on the calling thread. It must not call attache_rows_next(),
/// throw or longjmp.
pub type attache_visit_fn =
    Option<unsafe extern "C" fn(ctx: *mut c_void, rows: *const attache_rows_t) -> attache_status_t>;

/// Opens the rows of a child subquery, which the current row holds in a column.
///
/// @param out_rows  Set to an owned handle on success, which outlives this step. Free it with
///                  attache_rows_free(). Without rows it has no columns either.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_rows_children(
    rows: *const attache_rows_t,
    column: usize,
    out_rows: *mut *mut attache_rows_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(rows, out_error, |answer: &Answer| {
        let out = Out::new(out_rows, "out_rows")?;
        let children = match answer.state().cell(column) {
            Some(Cell::Rows(children)) => children.clone(),
            _ => {
                return Err(Failure::argument(
                    "there is no child subquery in this column",
                ));
            }
        };
        let columns = children.first().map(|row| row.columns().to_vec());
        out.set(Answer::open(
            columns.unwrap_or_default(),
            children.into_iter(),
        ));
        Ok(())
    })
}

/// Steps to the next row.
///
/// @return ATTACHE_OK on a row, ATTACHE_END behind the last one, or a failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_rows_next(
    rows: *mut attache_rows_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(rows, out_error, |answer: &Answer| {
        let mut state = answer.state();
        state.current = state.rows.next().map(Current::of);
        match state.current {
            Some(_) => Ok(()),
            None => Err(Failure::end()),
        }
    })
}

/// Counts the columns.
#[unsafe(no_mangle)]
pub extern "C" fn attache_rows_column_count(rows: *const attache_rows_t) -> usize {
    peek(rows, 0, |answer: &Answer| answer.columns.len())
}

/// Gives a column's name, as the query says it. Columns count from 0. Valid until the rows are
/// freed; no text if there is no such column.
#[unsafe(no_mangle)]
pub extern "C" fn attache_rows_column_name(
    rows: *const attache_rows_t,
    column: usize,
) -> attache_str_t {
    peek(rows, attache_str_t::NONE, |answer: &Answer| {
        answer
            .columns
            .get(column)
            .map_or(attache_str_t::NONE, |name| attache_str_t::borrowed(name))
    })
}

/// Finds a column by its name, in any case; SIZE_MAX if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_rows_column(
    rows: *const attache_rows_t,
    name: attache_str_t,
) -> usize {
    peek(rows, usize::MAX, |answer: &Answer| {
        // SAFETY: the caller's rule for text (top of the header).
        let name = unsafe { name.read("name") };
        let found = name.ok().and_then(|name| {
            let mut columns = answer.columns.iter();
            columns.position(|own| own.eq_ignore_ascii_case(name))
        });
        found.unwrap_or(usize::MAX)
    })
}

/// Gives the id of the current row's record, for attache_update() and its like. No text if there
/// is no row, or the row is no record (an aggregate). Valid until the next step.
#[unsafe(no_mangle)]
pub extern "C" fn attache_rows_id(rows: *const attache_rows_t) -> attache_str_t {
    peek(rows, attache_str_t::NONE, |answer: &Answer| {
        let state = answer.state();
        let id = state.current.as_ref().and_then(|current| current.row.id());
        id.map_or(attache_str_t::NONE, |id| {
            attache_str_t::borrowed(id.as_str())
        })
    })
}

/// Gives what the current row holds in a column: one of the ATTACHE_TYPE_* numbers.
#[unsafe(no_mangle)]
pub extern "C" fn attache_rows_type(rows: *const attache_rows_t, column: usize) -> i32 {
    peek(rows, ATTACHE_TYPE_NULL, |answer: &Answer| {
        match answer.state().cell(column) {
            None | Some(Cell::Value(Value::Null)) => ATTACHE_TYPE_NULL,
            Some(Cell::Value(Value::Boolean(_))) => ATTACHE_TYPE_BOOLEAN,
            Some(Cell::Value(Value::Number(_))) => ATTACHE_TYPE_NUMBER,
            Some(Cell::Value(Value::Date(_))) => ATTACHE_TYPE_DATE,
            Some(Cell::Value(Value::DateTime(_))) => ATTACHE_TYPE_DATETIME,
            Some(Cell::Value(Value::Time(_))) => ATTACHE_TYPE_TIME,
            Some(Cell::Rows(_)) => ATTACHE_TYPE_ROWS,
            // What is newer than this file is shown as text.
            Some(_) => ATTACHE_TYPE_TEXT,
        }
    })
}

/// Gives the current row's value in a column, as text; no text for null and for the rows of a
/// subquery. Valid until the next step.
#[unsafe(no_mangle)]
pub extern "C" fn attache_rows_text(rows: *const attache_rows_t, column: usize) -> attache_str_t {
    peek(rows, attache_str_t::NONE, |answer: &Answer| {
        let state = answer.state();
        let Some(current) = state.current.as_ref() else {
            return attache_str_t::NONE;
        };
        let printed = current.printed.get(column);
        match (state.cell(column), printed) {
            (Some(Cell::Value(Value::Text(text))), _) => attache_str_t::borrowed(text),
            (Some(Cell::Value(Value::Null)), _) => attache_str_t::NONE,
            (Some(Cell::Value(value)), Some(printed)) => {
                attache_str_t::borrowed(printed.get_or_init(|| value.to_string()))
            }
            _ => attache_str_t::NONE,
        }
    })
}

/// Gives the current row's value in a column as a whole number: a checkbox as 0 or 1, a number
/// without a fraction, an instant as seconds since 1970-01-01T00:00:00Z.
///
/// @param out_value  Set on success, untouched otherwise.
/// @return ATTACHE_OK, or ATTACHE_END if the column holds null or nothing of these.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_rows_int64(
    rows: *const attache_rows_t,
    column: usize,
    out_value: *mut i64,
) -> attache_status_t {
    number(rows, out_value, column, |value| match value {
        Value::Boolean(value) => Some(i64::from(*value)),
        Value::DateTime(time) => Some(time.0),
        Value::Number(_) => {
            let text = value.to_string();
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let is_whole = fraction.bytes().all(|digit| digit == b'0');
            whole.parse().ok().filter(|_| is_whole)
        }
        _ => None,
    })
}

/// Gives the current row's number in a column as the double that is closest to it; its exact
/// digits are in attache_rows_text().
///
/// @param out_value  Set on success, untouched otherwise.
/// @return ATTACHE_OK, or ATTACHE_END if the column holds no number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_rows_double(
    rows: *const attache_rows_t,
    column: usize,
    out_value: *mut f64,
) -> attache_status_t {
    number(rows, out_value, column, |value| match value {
        Value::Number(_) => value.to_string().parse().ok(),
        _ => None,
    })
}

fn number<T>(
    rows: *const attache_rows_t,
    out_value: *mut T,
    column: usize,
    read: impl FnOnce(&Value) -> Option<T>,
) -> attache_status_t {
    enter_on(rows, std::ptr::null_mut(), |answer: &Answer| {
        let out = Out::new(out_value, "out_value")?;
        match answer.state().cell(column) {
            Some(Cell::Value(value)) => out.set(read(value).ok_or_else(Failure::end)?),
            _ => return Err(Failure::end()),
        }
        Ok(())
    })
}

/// Gives the current row as JSON: {"id", "cells": {column: value, or an array of such rows}}.
///
/// @param out_json  Set to an owned text on success. Free it with attache_text_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn attache_rows_json(
    rows: *const attache_rows_t,
    out_json: *mut *mut attache_text_t,
    out_error: *mut *mut attache_error_t,
) -> attache_status_t {
    enter_on(rows, out_error, |answer: &Answer| {
        let out = Out::new(out_json, "out_json")?;
        let state = answer.state();
        let current = state.current.as_ref();
        let current = current.ok_or_else(|| Failure::argument("there is no current row"))?;
        out.set(table::insert(Text(json::print(&current.row))));
        Ok(())
    })
}

/// Frees the rows. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn attache_rows_free(rows: *mut attache_rows_t) {
    free::<Answer>(rows);
}
