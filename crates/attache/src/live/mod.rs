//! Queries whose answers are followed.

mod change;
#[cfg(test)]
mod tests;

pub use change::{RowChanges, RowInserted, RowRemoved, RowUpdated};

use crate::engine::Attache;
use crate::env::Env;
use crate::error::{ErrorKind, Result};
use crate::filter::ast::Item;
use crate::filter::{Context, Select};
use crate::query::context_of;
use crate::record::ServerTime;
use crate::store::query::{self, Compiled, Row};
use crate::store::{Reading, Signal, Store};
use futures_lite::future;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// A query whose answer is followed: see [`Attache::watch`].
pub struct Watch {
    store: Weak<Store>,
    signal: Arc<Signal>,
    env: Arc<dyn Env>,
    select: Select,
    /// The columns that tell rows of aggregates apart.
    grouped_by: Vec<usize>,
    last: Option<Last>,
    /// An error was given, and no answer since.
    failed: bool,
}

/// The last answer that was given, and what it was the answer to.
struct Last {
    compiled: Compiled,
    /// The last commit that it is sure to know.
    commit: u64,
    rows: Vec<Row>,
}

impl Attache {
    /// Follows the answer of a query.
    ///
    /// The first [`RowChanges`] has all rows as inserted, also if there are none. From then
    /// on there is one whenever a commit made the answer another: a page of a session, an
    /// edit, an answer of the server, an eviction, through any handle of this store.
    /// Several commits between two looks are one change, and what cancelled out is
    /// none. Half a transaction is never seen.
    ///
    /// Nothing is done for a watch when something is written: the writer raises a
    /// number and wakes. The query runs when the watch is asked for its next change, on the
    /// thread that asks, on a connection that reads. So a consumer that is slow
    /// or asleep costs nothing but the memory of the last answer: say LIMIT.
    ///
    /// Rows are told apart by their records; rows of aggregates by the values that they
    /// are grouped by, and by their order where those are not selected or equal.
    ///
    /// | what happens | what the watch does |
    /// |---|---|
    /// | a day ends in the user's zone, and the query says `TODAY` or the like | [`next`](Watch::next) wakes by [`Env::sleep`]; any later look uses the time of [`Env::now`], also after the device slept |
    /// | another process, or a store opened a second time, commits to the file | the next look sees it; nothing wakes the watch, so call [`try_next`](Watch::try_next) now and then |
    /// | the schema loses a field or an object of the query | one error; once they are back, the change since the last answer |
    /// | the store is wiped, or its last handle and session is gone | the watch is over: [`is_over`](Watch::is_over) |
    ///
    /// # Errors
    /// Those of [`query`](Attache::query), at once.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn follow(attache: attache::Attache) -> attache::Result<()> {
    /// let mut watch = attache.watch("SELECT Id, Name FROM Account ORDER BY Name LIMIT 50")?;
    /// let mut list = Vec::new();
    /// while let Some(change) = watch.next().await {
    ///     change?.apply(&mut list); // the places suit a list view as well
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, soql: &str) -> Result<Watch> {
        let select = Select::parse(soql)?;
        let context = self.context()?;
        self.store
            .read(|r| query::compile(&select, r.catalogue, &context).map(drop))?;
        Ok(Watch {
            store: Arc::downgrade(&self.store),
            signal: Arc::clone(&self.store.signal),
            env: Arc::clone(&self.env),
            grouped_by: grouped_by(&select),
            select,
            last: None,
            failed: false,
        })
    }
}

/// The columns of a statement with aggregates that hold no aggregate.
fn grouped_by(select: &Select) -> Vec<usize> {
    let items = select.statement().items.iter().enumerate();
    items
        .filter(|(_, item)| !matches!(item, Item::Expr(expr, _) if expr.is_aggregate()))
        .map(|(at, _)| at)
        .collect()
}

impl Watch {
    /// Gives the next change, once there is one; `None` when the watch is over.
    ///
    /// It needs no runtime, and nothing is lost if its future is dropped.
    ///
    /// # Errors
    /// Those of [`Attache::query`], once; then waits until the query runs again.
    pub async fn next(&mut self) -> Option<Result<RowChanges>> {
        loop {
            // What is committed after this line wakes, what was committed before is looked at.
            let commit = self.signal.listen();
            if let Some(change) = self.try_next() {
                return Some(change);
            }
            if self.is_over() {
                return None;
            }
            match self.until_another_day() {
                None => commit.await,
                Some(wait) => future::or(commit, self.env.sleep(wait)).await,
            }
        }
    }

    /// Does what [`next`](Watch::next) does, and blocks the thread meanwhile.
    ///
    /// # Errors
    /// Those of [`next`](Watch::next).
    pub fn next_blocking(&mut self) -> Option<Result<RowChanges>> {
        future::block_on(self.next())
    }

    /// Looks for a change without waiting; `None` if there is none, or the watch is over.
    ///
    /// # Errors
    /// Those of [`next`](Watch::next).
    ///
    /// # Cost
    /// Some 50 µs if nothing was committed to the objects of the query.
    pub fn try_next(&mut self) -> Option<Result<RowChanges>> {
        let store = self.store.upgrade()?;
        store.notice_others();
        // Asked before the read begins: the read may know later commits, never fewer.
        let commit = self.signal.last();
        match store.read(|r| self.look(r, commit)) {
            Ok(change) => {
                self.failed = false;
                change.map(Ok)
            }
            Err(error) if error.kind() == ErrorKind::Closed => None,
            Err(_) if self.failed => None,
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }

    /// Says whether there will never be another change.
    pub fn is_over(&self) -> bool {
        self.signal.is_closed()
    }

    fn look(&mut self, reading: &Reading<'_>, commit: u64) -> Result<Option<RowChanges>> {
        let context = context_of(reading, &*self.env)?;
        let compiled = query::compile(&self.select, reading.catalogue, &context)?;
        let known = self.last.as_ref().is_some_and(|last| {
            last.compiled == compiled && !self.signal.touched(compiled.objects(), last.commit)
        });
        if known {
            return Ok(None);
        }
        let rows: Vec<Row> = query::run(reading.connection, &compiled)?.collect();
        let change = match &self.last {
            None => change::difference(&[], &rows, &self.grouped_by),
            Some(last) => change::difference(&last.rows, &rows, &self.grouped_by),
        };
        let first = self.last.is_none();
        self.last = Some(Last {
            compiled,
            commit,
            rows,
        });
        Ok(Some(change).filter(|change| first || !change.is_empty()))
    }

    /// How long it is until the next day of the user, if the query is another one then.
    fn until_another_day(&self) -> Option<Duration> {
        let store = self.store.upgrade()?;
        let last = self.last.as_ref()?;
        let moves = store.read(|r| {
            let today = context_of(r, &*self.env)?;
            let tomorrow = next_day(&today);
            let seconds = u64::try_from(tomorrow.now.0 - today.now.0).unwrap_or(0);
            let compiled = query::compile(&self.select, r.catalogue, &tomorrow)?;
            Ok((compiled != last.compiled).then(|| Duration::from_secs(seconds.max(1))))
        });
        // A watch that cannot look now waits for a commit.
        moves.ok().flatten()
    }
}

/// The same at the beginning of the next day.
fn next_day(context: &Context) -> Context {
    let mut next = context.clone();
    let today = context.today();
    let tomorrow = today.tomorrow().unwrap_or(today);
    let begin = tomorrow.to_zoned(context.time_zone.clone());
    if let Ok(begin) = begin {
        next.now = ServerTime(begin.timestamp().as_second());
    }
    next
}
