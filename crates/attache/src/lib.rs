//! An embeddable offline-first sync engine for CRM records.
//!
//! A field rep takes a declared slice of an org (a *briefcase*) along, works for
//! days without a network, and syncs back without losing an edit. This crate is
//! the engine: a store in one SQLite file, offline queries, a journal of every
//! unsent edit, a merge per field, and the session that brings both sides
//! together. It speaks to a service through [`Remote`]; the Salesforce one is in
//! the crate `attache-salesforce`.
//!
//! ```no_run
//! use attache::{Attache, Briefcase, Keep, Resolution};
//!
//! # async fn work(org: impl attache::Remote, id: attache::RecordId) -> attache::Result<()> {
//! let attache = Attache::open("acme-jo.db")?.with_remote(org);
//! attache.set_briefcase(Briefcase::everything(["Account", "Contact", "Opportunity"]))?;
//! let report = attache.sync().on_progress(|p| println!("{} {}", p.object, p.done)).await?;
//! for row in attache.query("SELECT Name, Amount FROM Opportunity ORDER BY Amount DESC NULLS LAST LIMIT 10")? {
//!     println!("{:?} {:?}", row.get("Name"), row.get("Amount"));
//! }
//! attache.update(&id, [("StageName", "Closed Won")])?; // checked, durable, pending
//! for conflict in attache.conflicts()? {
//!     attache.resolve(conflict.id, Resolution::per_field([("Phone", Keep::Mine)]))?;
//! }
//! # let _ = report;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised, in this order
//! 1. No edit is ever lost. What cannot be sent is parked where a person can see it.
//! 2. Nothing happens twice: a create whose answer was lost does not become two records.
//! 3. Nobody else's work is overwritten unseen: changed fields travel alone and under a precondition, and what
//!    both sides changed is a [`Conflict`], not a silent win.
//! 4. What the [`Report`] says is true.
//! 5. It is fast, small, and cheap in calls.
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | record, [`RecordId`] | one row of one object type; its identity on this device, for life |
//! | field, [`Value`] | a named value of a record, as its describe types it |
//! | base, local, remote | the three inputs of a merge: what both sides last agreed on, what this device has, what the server has |
//! | incoming, outgoing | data on its way to the device, or from it |
//! | pull, merge, push | the phases of a session |
//! | [`Session`] | one run of them |
//! | [`Mutation`] | one local create, update or delete, with its fields |
//! | journal | the mutations that the server has not confirmed, in order |
//! | changeset | the mutations of one local transaction |
//! | tombstone | a record that was deleted here, which the server does not know yet: a mutation and a base without a row |
//! | cursor | how far the server's changes are known here; it moves with the rows that it covers |
//! | [`Briefcase`], rule, filter | what to keep on the device; one object's part of it; its predicate |
//! | layout | the form that the org draws for records of one kind: which fields, in which order |
//! | member, hold | a record that a rule matches; what keeps a record here: a rule, a [`Pin`], a view, an unsent edit |
//! | [`Pin`] | a person's word that a record stays, whatever the rules say |
//! | [`Recent`], view | a record that somebody looked at, kept for a while; the look itself |
//! | [`DryRun`] | what a briefcase would bring and take away, before it is set |
//! | sweep | a look at all ids that a rule matches, for what left or came without being changed |
//! | evict, delete, purge | left the briefcase (never sent); removed by a user (sent); gone at the server, so gone here |
//! | [`Conflict`], [`Resolution`] | both sides changed one thing; what a person decided to keep |
//! | in doubt | sent, and no answer came: it may have been done |
//! | rejected, parked | refused by the server; kept with the reason until a person edits, retries or discards it |
//! | unsent work | the journal with its bases and conflicts, as a file that another device takes in |
//! | query, [`Select`], [`Filter`] | SOQL on this device; a statement; a condition |
//! | [`Search`], [`Hit`] | words looked for in the texts of records; what was found, the best first |
//! | [`Watch`] | a query that tells what each commit changed in its rows |
//! | [`Index`] | an order that the store keeps beside the records, so that a list is found without reading all |
//! | drift | the org described anew: a field or an object came, went or is another |
//! | settle | both sides agree; nothing is left to send, ask or decide |
//!
//! # Where things are
//! The map is `ARCHITECTURE.md` in the repository; the policy is the module
//! `plan`, two pure functions.

#[macro_use]
mod planted;

mod briefcase;
mod budget;
mod changeset;
mod dry_run;
mod duplicates;
mod engine;
mod env;
mod errand;
mod error;
mod files;
mod filter;
mod form;
mod indexes;
mod inspect;
mod journal_states;
mod json;
mod key;
mod layouts;
mod live;
mod membership;
mod merge;
mod options;
mod outcome;
mod pace;
mod plan;
mod query;
mod question;
mod record;
mod remote;
mod resolver;
mod schema;
mod search;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
mod store;
mod sync;
mod together;
mod unsent;
mod wipe;
mod writes;

pub use briefcase::{
    Briefcase, BriefcaseDiff, BriefcaseImport, FieldsChange, ObjectDiff, RuleChange, RuleDiff,
};
pub use budget::{CallBudget, StopReason, Stopped};
pub use changeset::Changeset;
pub use dry_run::{DryRun, FilesEstimate, RuleEstimate};
pub use duplicates::{Candidate, Duplicates};
pub use engine::{Attache, CancelToken, Session};
pub use env::{Env, LocalTime, SystemEnv};
pub use error::{Error, ErrorKind, Problem, Result, Retry};
pub use files::{FileFetch, FileInfo, FileState};
pub use filter::{Context, DateRange, Filter, FiscalYear, FiscalYearName, Select};
pub use form::{Layout, LayoutItem, RelatedList, Section};
pub use indexes::Index;
pub use inspect::{Inspection, inspect, inspect_with, salvage, salvage_with};
pub use key::Key;
pub use live::{RowChanges, RowInserted, RowRemoved, RowUpdated, Watch};
pub use membership::{Holder, Pin, Recent, RuleMembership};
pub use merge::{
    Change, DeletionPolicy, Explained, Explanation, MergePolicy, Merger, Outcome, Policy, Reason,
    Survivor, explain_merge,
};
pub use options::{Limits, Options};
pub use outcome::{
    Conflict, ConflictField, ConflictId, ConflictKind, Dropped, FilesReport, JournalSeq, Keep,
    Merged, Mutation, MutationKind, MutationState, Phase, Progress, Rejected, Report, Resolution,
    Status, Truncated, Unfollowed,
};
pub use pace::Pace;
pub use question::{Answer, Question};
pub use record::{Fields, Record, RecordId, ServerTime, Value};
pub use remote::{
    ApiUsage, BodyPart, Deleted, Describe, FileBytes, Identity, Joined, Layouts, ListViewName,
    Page, Remote, TakePart, Updated, Write, WriteAction, WriteOutcome,
};
pub use schema::{
    ChildRelationship, FieldSchema, FieldType, ObjectSchema, PicklistEntry, RecordType, Schema,
};
pub use search::{Found, Hit, Search};
pub use store::query::{Cell, Row, Rows};
pub use unsent::Imported;
pub use wipe::Unsent;
