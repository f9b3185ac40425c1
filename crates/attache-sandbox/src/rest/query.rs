//! Queries: the first page, and the pages behind a locator.

use super::{Call, failure::Failure, machine::Machine, message::Response};
use crate::{id, json, org::Cursor, soql::render};
use std::collections::BTreeMap;

/// Characters of a statement at most.
pub(super) const STATEMENT_MAX: usize = 100_000;
/// Rows of a page a client may ask for.
const BATCH_MIN: usize = 200;
const BATCH_MAX: usize = 2_000;

/// Rows that all open results name at most, at four bytes each; the oldest die first. A client that
/// opens results and leaves them must not fill the memory within the days they live.
const OPEN_ROWS_MAX: usize = 50_000_000;

/// Results of queries that have more pages to give.
#[derive(Debug, Default)]
pub(crate) struct Locators {
    open: BTreeMap<u64, Open>,
    last: u64,
}

#[derive(Debug)]
struct Open {
    actor: String,
    cursor: Cursor,
    opened_s: i64,
}

/// `GET /query?q=` and `GET /queryAll?q=`
pub(super) fn first(
    machine: &mut Machine,
    call: &Call<'_>,
    all_rows: bool,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let batch = batch_size(machine, call)?;
    let soql = call.parameter("q").unwrap_or_default();
    if soql.trim().is_empty() {
        return Err(Failure::new(
            400,
            "MALFORMED_QUERY",
            "SOQL statements cannot be empty or null",
        ));
    }
    if soql.chars().count() > STATEMENT_MAX {
        return Err(Failure::new(
            400,
            "MALFORMED_QUERY",
            "SOQL statements cannot be longer than 100000 characters.",
        ));
    }
    let cursor = machine
        .org
        .query(call.actor, soql, all_rows)
        .map_err(Failure::of_query)?;
    let page = Page::render(machine, call, &cursor, 0, batch);
    let page = machine.keep_children(call.actor, page);
    let locator = page.next.map(|_| machine.open(call.actor, cursor));
    Ok(page.print(call, locator.as_deref()))
}

/// `GET /query/<locator>`
pub(super) fn next(
    machine: &mut Machine,
    call: &Call<'_>,
    locator: &str,
) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let batch = batch_size(machine, call)?;
    machine.close_old();
    let known = locator.split_once('-').and_then(|(id, from)| {
        let from: usize = from.parse().ok()?;
        let (_, open) = machine
            .locators
            .open
            .iter()
            .find(|(n, _)| name(**n) == id)?;
        (open.actor == call.actor && from <= open.cursor.total()).then_some((
            id,
            &open.cursor,
            from,
        ))
    });
    let Some((id, cursor, from)) = known else {
        return Err(Failure::new(
            machine.switches.locator_error_status,
            "INVALID_QUERY_LOCATOR",
            "invalid query locator",
        ));
    };
    let page = Page::render(machine, call, cursor, from, batch);
    let page = machine.keep_children(call.actor, page);
    Ok(page.print(call, Some(id)))
}

/// One page, ready to print.
struct Page {
    total: usize,
    /// Where the next page starts, if there is one.
    next: Option<usize>,
    records: String,
    /// The children of rows that have more than come with them, by the order of their locators.
    children: Vec<Cursor>,
}

impl Page {
    fn render(
        machine: &Machine,
        call: &Call<'_>,
        cursor: &Cursor,
        from: usize,
        batch: usize,
    ) -> Page {
        let mut records = String::new();
        let mut children = Vec::new();
        let mut open = |cursor| {
            children.push(cursor);
            name(machine.locators.last + children.len() as u64)
        };
        let mut out = render::Page {
            out: &mut records,
            version: call.version,
            later: Some(render::Later {
                most: batch.min(machine.switches.child_rows_max.max(1)),
                open: &mut open,
            }),
        };
        let used = machine
            .org
            .render_page(call.actor, cursor, from, batch, &mut out);
        let next = from + used;
        let total = cursor.total();
        // A COUNT() has a total and no rows at all.
        Page {
            total,
            next: (used > 0 && next < total).then_some(next),
            records,
            children,
        }
    }

    fn print(&self, call: &Call<'_>, locator: Option<&str>) -> Response {
        let mut body = String::with_capacity(self.records.len() + 160);
        body.push_str(&format!(
            r#"{{"totalSize":{},"done":{}"#,
            self.total,
            self.next.is_none()
        ));
        if let (Some(next), Some(locator)) = (self.next, locator) {
            body.push_str(r#","nextRecordsUrl":"#);
            json::push_text(
                &mut body,
                &format!("/services/data/v{}/query/{locator}-{next}", call.version),
            );
        }
        body.push_str(r#","records":"#);
        body.push_str(&self.records);
        body.push('}');
        Response::json(200, body)
    }
}

impl Locators {
    /// Closes the oldest results until the others name no more rows than this; the newest stays.
    fn make_room(&mut self, rows_max: usize) {
        let mut rows: usize = self.open.values().map(|open| open.cursor.total()).sum();
        while rows > rows_max && self.open.len() > 1 {
            if let Some((_, oldest)) = self.open.pop_first() {
                rows -= oldest.cursor.total();
            }
        }
    }
}

impl Machine {
    /// Keeps a result for its later pages, and gives the name to ask for them by.
    fn open(&mut self, actor: &str, cursor: Cursor) -> String {
        self.close_old();
        let own = || {
            self.locators
                .open
                .iter()
                .filter(|(_, open)| open.actor == actor)
        };
        let too_many = self
            .switches
            .locators_max
            .is_some_and(|most| own().count() >= most);
        if let Some(oldest) = own().next().map(|(n, _)| *n).filter(|_| too_many) {
            self.locators.open.remove(&oldest);
        }
        self.locators.last += 1;
        let n = self.locators.last;
        let opened_s = self.now_s();
        self.locators.open.insert(
            n,
            Open {
                actor: actor.into(),
                cursor,
                opened_s,
            },
        );
        self.locators.make_room(OPEN_ROWS_MAX);
        name(n)
    }

    /// Keeps the children that come in pages of their own, under the names they were given.
    fn keep_children(&mut self, actor: &str, mut page: Page) -> Page {
        for children in page.children.drain(..) {
            self.open(actor, children);
        }
        page
    }

    fn close_old(&mut self) {
        let oldest_s = self.now_s() - self.switches.locator_life_s;
        self.locators
            .open
            .retain(|_, open| open.opened_s >= oldest_s);
    }
}

fn name(n: u64) -> String {
    id::make("01g", n)
}

/// Reads `Sforce-Query-Options: batchSize=N`.
fn batch_size(machine: &Machine, call: &Call<'_>) -> Result<usize, Failure> {
    let asked = call.header("Sforce-Query-Options").and_then(|options| {
        options.split([',', ';']).find_map(|option| {
            let (name, value) = option.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("batchSize")
                .then(|| value.trim())
        })
    });
    let batch = match asked.map(str::parse) {
        None => BATCH_MAX,
        Some(Ok(batch @ BATCH_MIN..=BATCH_MAX)) => batch,
        Some(_) => {
            let message =
                format!("batch size must be a number between {BATCH_MIN} and {BATCH_MAX}");
            return Err(Failure::new(400, "INVALID_BATCH_SIZE", message));
        }
    };
    Ok(batch.min(machine.switches.page_rows_max.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sandbox;

    #[test]
    fn the_oldest_results_make_room_for_new_ones() {
        let sandbox = Sandbox::builder().records(100).build().unwrap();
        let user = &sandbox.users()[0].id;
        let cursor = sandbox.with_org(|org| org.query(user, "SELECT Id FROM User", false).unwrap());
        let rows = cursor.total();
        assert!(rows > 0);
        let mut locators = Locators::default();
        for n in 1..=5 {
            let open = Open {
                actor: user.clone(),
                cursor: cursor.clone(),
                opened_s: 0,
            };
            locators.open.insert(n, open);
        }
        let left = |locators: &Locators| locators.open.keys().copied().collect::<Vec<_>>();
        locators.make_room(5 * rows);
        assert_eq!(left(&locators), [1, 2, 3, 4, 5]);
        locators.make_room(3 * rows - 1);
        assert_eq!(left(&locators), [4, 5]);
        locators.make_room(0);
        assert_eq!(left(&locators), [5]);
    }
}
