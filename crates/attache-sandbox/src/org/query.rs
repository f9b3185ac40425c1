//! Questions in SOQL: the door to `soql`.

use super::{Org, SaveError, Slot, Viewer};
use crate::soql::csv::{self, Style};
use crate::soql::dates::{Calendar, week_start};
use crate::soql::eval::Eye;
use crate::soql::plan::{Plan, Shape};
use crate::soql::render::Page;
use crate::soql::run::{Found, run};
use crate::soql::{check, parse, render};
use jiff::civil::Weekday;
use std::sync::Arc;

/// Longest statement, in characters.
const LONGEST: usize = 100_000;

/// Most groups of a result: they must fit one page.
const MOST_GROUPS: usize = 2_000;

/// The outcome of a query: which rows, in which order, and what to show of them.
///
/// It holds keys, not rows: [`Org::render`] shows rows as they are when it is called.
#[derive(Clone, Debug)]
pub struct Cursor {
    plan: Arc<Plan>,
    found: Found,
    calendar: Calendar,
    all_rows: bool,
}

impl Cursor {
    /// Counts the rows of the whole result (`totalSize`).
    pub fn total(&self) -> usize {
        match &self.found {
            Found::Rows(rows) => rows.len(),
            Found::Groups(groups) => groups.len(),
            Found::Count(count) => *count,
        }
    }

    /// Counts the records to be rendered: none for `SELECT COUNT()`, whatever it counted.
    pub fn records(&self) -> usize {
        match &self.found {
            Found::Count(_) => 0,
            _ => self.total(),
        }
    }

    /// Makes a result of the children of one row.
    pub(crate) fn of_children(
        plan: &Arc<Plan>,
        rows: Vec<Slot>,
        calendar: &Calendar,
        all_rows: bool,
    ) -> Cursor {
        Cursor {
            plan: Arc::clone(plan),
            found: Found::Rows(rows),
            calendar: calendar.clone(),
            all_rows,
        }
    }

    /// Says whether the records are groups, which cannot be paged through.
    pub fn is_aggregate(&self) -> bool {
        !matches!(self.found, Found::Rows(_))
    }
}

impl Org {
    /// Answers a SOQL statement for a user; `all_rows` includes deleted rows.
    ///
    /// Nothing is rendered yet: give the cursor to [`Org::render`], page by page.
    pub fn query(&self, actor: &str, soql: &str, all_rows: bool) -> Result<Cursor, SaveError> {
        if soql.chars().count() > LONGEST {
            return Err(SaveError::new(
                "MALFORMED_QUERY",
                "SOQL statements cannot be longer than 100000 characters.",
            ));
        }
        let viewer = self.viewer(actor);
        let calendar = self.calendar(&viewer);
        let eye = Eye {
            org: self,
            viewer: &viewer,
            calendar: &calendar,
            all_rows,
        };
        let plan = parse::parse(soql)
            .and_then(|query| check::plan(eye, &query))
            .map_err(|error| error.worded(soql))?;
        let found = run(&eye, &plan);
        if matches!(&found, Found::Groups(groups) if groups.len() > MOST_GROUPS) {
            let message = "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch";
            return Err(SaveError::new("EXCEEDED_ID_LIMIT", message));
        }
        Ok(Cursor {
            plan: Arc::new(plan),
            found,
            calendar,
            all_rows,
        })
    }

    /// Appends rows of a result to `out` as one JSON array, from the row with index `from`.
    ///
    /// Gives how many rows of the cursor were consumed; the next page starts at
    /// `from` plus that. It may be fewer than `batch`, because child rows count too.
    /// `version` is the one of the request's path, such as `67.0`.
    pub fn render(
        &self,
        actor: &str,
        cursor: &Cursor,
        from: usize,
        batch: usize,
        version: &str,
        out: &mut String,
    ) -> usize {
        let mut page = Page {
            out,
            version,
            later: None,
        };
        self.render_page(actor, cursor, from, batch, &mut page)
    }

    /// Does what [`Org::render`] does; long lists of children may come later, as `page` says.
    pub(crate) fn render_page(
        &self,
        actor: &str,
        cursor: &Cursor,
        from: usize,
        batch: usize,
        page: &mut Page<'_>,
    ) -> usize {
        let viewer = self.viewer(actor);
        let eye = self.eye(&viewer, cursor);
        page.out.push('[');
        let consumed = match (&cursor.found, &cursor.plan.shape) {
            (Found::Rows(rows), Shape::Rows(columns)) => {
                let (mut consumed, mut written) = (0, 0);
                let start = page.out.len();
                for &slot in rows.get(from..).unwrap_or(&[]) {
                    if written >= batch {
                        break;
                    }
                    consumed += 1;
                    if self.config.switches.rows_vanish_from_later_pages
                        && !eye.sees(cursor.plan.object, slot)
                    {
                        continue;
                    }
                    if page.out.len() > start {
                        page.out.push(',');
                    }
                    written += eye.record(cursor.plan.object, slot, columns, page);
                }
                consumed
            }
            (Found::Groups(groups), Shape::Groups(plan)) => {
                let rest = groups.get(from..).unwrap_or(&[]);
                for (n, values) in rest.iter().enumerate() {
                    if n > 0 {
                        page.out.push(',');
                    }
                    render::group(plan, values, page.out);
                }
                rest.len()
            }
            _ => 0,
        };
        page.out.push(']');
        consumed
    }

    /// Names the object a result is of.
    pub(crate) fn object_of(&self, cursor: &Cursor) -> &str {
        &self.schema.objects()[cursor.plan.object].name
    }

    /// Appends the header of a result as CSV, or says what such a file cannot hold.
    pub(crate) fn csv_header(
        &self,
        actor: &str,
        cursor: &Cursor,
        style: Style,
        out: &mut String,
    ) -> Result<(), String> {
        let Shape::Rows(columns) = &cursor.plan.shape else {
            return Err("Aggregate queries are not supported in Bulk Query".into());
        };
        if cursor.plan.offset > 0 {
            return Err("OFFSET is not supported in Bulk Query".into());
        }
        let viewer = self.viewer(actor);
        if let Some(why) = csv::unfit(&self.eye(&viewer, cursor), cursor.plan.object, columns) {
            return Err(why.into());
        }
        csv::header(columns, style, out);
        Ok(())
    }

    /// Appends all rows of a result as CSV, and where each ends.
    pub(crate) fn csv_lines(
        &self,
        actor: &str,
        cursor: &Cursor,
        style: Style,
        out: &mut String,
        ends: &mut Vec<usize>,
    ) {
        let viewer = self.viewer(actor);
        let eye = self.eye(&viewer, cursor);
        let (Found::Rows(rows), Shape::Rows(columns)) = (&cursor.found, &cursor.plan.shape) else {
            return;
        };
        for &slot in rows {
            eye.line(cursor.plan.object, slot, columns, style, out);
            ends.push(out.len());
        }
    }

    fn eye<'a>(&'a self, viewer: &'a Viewer, cursor: &'a Cursor) -> Eye<'a> {
        Eye {
            org: self,
            viewer,
            calendar: &cursor.calendar,
            all_rows: cursor.all_rows,
        }
    }

    /// Tells what day it is for a user.
    pub(crate) fn calendar(&self, viewer: &Viewer) -> Calendar {
        let zone = self.time_zone(viewer);
        let now = jiff::Timestamp::from_second(self.now).unwrap_or_default();
        let week_start = match self.config.switches.week_follows_locale {
            true => week_start(self.locale(viewer)),
            false => Weekday::Sunday,
        };
        let fiscal_start = self.config.fiscal_year_start.clamp(1, 12);
        Calendar {
            today: zone.to_datetime(now).date(),
            zone,
            week_start,
            fiscal_start,
            fiscal_named_by_start: self.config.fiscal_year_named_by_start,
        }
    }
}
