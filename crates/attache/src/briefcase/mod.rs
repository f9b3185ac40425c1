//! The briefcase: what a device takes along.
//!
//! ```text
//! JSON ── tree, read, condition ─► document ── flat ─► rules ─► sync
//!                                     ├── print ─► the same JSON for the same briefcase
//!                                     └── diff ─► what another version changes
//! ```

mod condition;
mod diff;
mod document;
mod files;
mod flat;
mod import;
mod list_view;
mod print;
mod read;
mod template;
mod tree;

pub use diff::{BriefcaseDiff, FieldsChange, ObjectDiff, RuleChange, RuleDiff};
pub(crate) use document::{FieldsOf, FilesPolicy, ObjectOptions, RULES_PER_OBJECT_MAX, Scope};
pub(crate) use flat::{Rule, Source};
pub use import::BriefcaseImport;
pub(crate) use tree::is_api_name;

use crate::error::Result;
use document::{Document, TopRule};
use std::collections::BTreeSet;

/// A declared slice of an org: objects, their fields, and rules that choose records.
///
/// A briefcase is a JSON document that can be kept, sent and compared. Its
/// schema is [`Briefcase::json_schema`].
///
/// ```
/// # use attache::Briefcase;
/// let briefcase = Briefcase::from_json(r#"{
///   "version": 1,
///   "name": "Field sales",
///   "objects": {"Account": {"client_key": "External_Id__c"}},
///   "rules": [
///     {"name": "My Accounts", "object": "Account", "scope": "mine",
///      "related": [{"children": "Contact.AccountId"}]},
///     {"object": "Opportunity", "scope": "mine", "where": "CloseDate = NEXT_N_DAYS:90",
///      "order_by": "CloseDate, Amount DESC", "limit": 500, "related": [{"parent": "AccountId"}]},
///     "Lead"
///   ]
/// }"#)?;
/// assert_eq!(briefcase.objects().collect::<Vec<_>>(), ["Account", "Contact", "Lead", "Opportunity"]);
/// # Ok::<(), attache::Error>(())
/// ```
///
/// A rule that is only a name takes everything of that object, so a briefcase
/// that takes everything of named objects is one line:
/// `{"version": 1, "rules": ["Account", "Contact"]}`.
///
/// # The document
///
/// | key | meaning |
/// |---|---|
/// | `version` | 1 |
/// | `name`, `description` | for people |
/// | `objects` | by object: `fields` (those to carry; absent: all that the user may see), `layouts` (`true`: layouts are kept for [forms](crate::Attache::layout)) `client_key` (a unique external-id field that makes creates safe to repeat) and `files` |
/// | `recent` | `objects` and a `limit` (200 if absent): what the user looked at last |
/// | `rules` | what to take: names of objects, and rules |
///
/// `files` says what comes along of the files of an object's records. Absent, nothing is asked about them; otherwise what
/// they are is always known, and the bytes of `"none"` of them come along, or of those that
/// `{"max_bytes": 5000000, "types": ["jpg", "pdf"]}` describes (both keys may be left out), as far as the
/// [limits](crate::Limits) of the device allow.
///
/// | key of a rule | meaning |
/// |---|---|
/// | `name` | for people; no two rules share one |
/// | `object` | whose records it takes |
/// | `optional` | `true`: an org without the object does without the rule and those below it, and the report says so |
/// | `list_view` | a list view of the org by its API name or id, in place of `scope`, a condition and an order; see below |
/// | `scope` | whose records; see below |
/// | `where` | a condition in SOQL ([`Filter`](crate::Filter)) |
/// | `filters`, `logic` | the same as rows `{"field", "op", "value"}`, and how they join: `1 AND (2 OR 3)`; absent: all of them |
/// | `order_by`, `limit` | which of the matches to keep, and how many; what a limit leaves out is reported |
/// | `related` | rules for what hangs on the records of this one |
///
/// A related rule goes down with `"children": "Contact.AccountId"` or up with
/// `"parent": "AccountId"`, and has `optional`, a condition and `related` again, 16
/// deep at most. It may come back to an object that stands above it
/// (Account → Contact → Account): each step is a rule of its own, so it ends. A reference
/// that points at several objects says which with `"object"`, one name or a list;
/// without it, it takes all that the briefcase names elsewhere. A related rule has no order and no
/// limit: cut through the children of many parents at once they would leave some parents half-told.
///
/// # Layouts and list views
///
/// `"fields": {"layout": "Household"}` carries the fields on the layout of that record type (`Master` for none),
/// `"fields": "layouts"` those on the layouts of all record types that the user may make records of; with them
/// what a create must set and what controls a picklist. Another layout brings other fields with the next look.
///
/// A rule with a `list_view` takes what the list shows: its scope and its condition; with a `limit`, the first
/// of its order. The org is asked once a day what the list says. A list view under another name is the
/// same one; of one that is gone the records stay, nothing new comes, and the report says so.
///
/// # Rows
///
/// `op` is one of `=`, `!=`, `<`, `<=`, `>`, `>=`, `contains`, `starts with`, `like`, `in`, `not in`,
/// `includes` and `excludes`. `value` is a JSON value, or a list for the last four;
/// what SOQL writes without quotes is marked, so that text is never mistaken for it:
/// `{"field": "CloseDate", "op": "=", "value": {"literal": "NEXT_N_DAYS:90"}}`.
///
/// # Scopes
///
/// | scope | records | who can tell |
/// |---|---|---|
/// | `everything` (or absent) | all that the user may see | the device |
/// | `mine` | owned by the user | the device |
/// | `{"mine": "UserId"}` | whose field `UserId` holds the user, as account teams and service resources have one | the device |
/// | `queue` | owned by a queue or group that the user is a direct member of | the org: the device does not know who is in a group |
/// | `team`, `my_territory`, `my_team_territory`, `delegated`, `scopingRule`, `mine_and_my_groups`, … | what `USING SCOPE` of that name gives | the org alone; the object's describe must list the scope |
///
/// | scope | how it is sent | how coming and going is noticed |
/// |---|---|---|
/// | `everything` | nothing is | by the record's change; what the user may no longer see, by a sweep |
/// | `mine` | `OwnerId = '<user>'`, or the field named | the same |
/// | `queue` | `OwnerId IN (SELECT GroupId FROM GroupMember WHERE UserOrGroupId = '<user>')` | by the record's change; a membership given or taken changes no record: by a sweep |
/// | another | `USING SCOPE <name>` | by the record's change; what joins or leaves the scope unchanged, by a sweep |
///
/// A sweep asks for the ids of all that match. It runs with a session, once the last one is old enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Briefcase {
    document: Document,
}

impl Briefcase {
    /// Reads a document.
    ///
    /// # Errors
    /// One error for everything that is wrong: its
    /// [`problems`](crate::Error::problems) are listed with their places as JSON pointers
    /// (`/rules/2/related/0/where`), up to a hundred of them. The kind is
    /// [`MalformedQuery`](crate::ErrorKind::MalformedQuery) if only conditions and orders cannot be read,
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) otherwise. Objects and fields are
    /// checked later, against the org.
    ///
    /// ```
    /// # use attache::Briefcase;
    /// let error = Briefcase::from_json(r#"{"version": 1, "rules": [
    ///     {"object": "Account", "where": "Name =", "limt": 5},
    ///     {"object": "Contact", "limit": 0}
    /// ]}"#).expect_err("three problems");
    /// let places: Vec<&str> = error.problems().iter().map(|p| p.fields[0].as_str()).collect();
    /// assert_eq!(places, ["/rules/0/limt", "/rules/0/where", "/rules/1/limit"]);
    /// ```
    ///
    /// # Cost
    /// Linear in the text, which may have 1 MiB; a larger one is refused unread.
    pub fn from_json(json: &str) -> Result<Briefcase> {
        read::read(json).map(|document| Briefcase { document })
    }

    /// Prints the document, the same text for the same briefcase.
    ///
    /// Keys come in a fixed order and what goes without saying is left out; conditions
    /// and orders are in canonical spelling.
    ///
    /// ```
    /// # use attache::Briefcase;
    /// let briefcase = Briefcase::from_json(
    ///     r#"{"rules": [{"where": "Name like 'A%'", "scope": "everything", "object": "Lead"}], "version": 1}"#,
    /// )?;
    /// assert_eq!(briefcase.to_json(), r#"{
    ///   "version": 1,
    ///   "rules": [
    ///     {
    ///       "object": "Lead",
    ///       "where": "Name LIKE 'A%'"
    ///     }
    ///   ]
    /// }"#);
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        print::print(&self.document)
    }

    /// The JSON Schema (draft 2020-12) of the document, for editors and other tools.
    ///
    /// Every document that [`from_json`](Briefcase::from_json) takes is valid by it. It knows no
    /// SOQL, so it lets some pass that are refused here.
    pub fn json_schema() -> &'static str {
        include_str!("../../briefcase.schema.json")
    }

    /// Takes everything of the named objects.
    pub fn everything<I: IntoIterator<Item = impl Into<String>>>(objects: I) -> Briefcase {
        let rules = objects.into_iter().map(|object| TopRule {
            object: object.into(),
            ..TopRule::default()
        });
        Briefcase {
            document: Document {
                rules: rules.collect(),
                ..Document::default()
            },
        }
    }

    /// What the briefcase is called.
    pub fn name(&self) -> Option<&str> {
        self.document.name.as_deref()
    }

    /// The objects that the document names, in order of their names.
    pub fn objects(&self) -> impl Iterator<Item = String> {
        let named = self.document.objects.keys().cloned();
        let names: BTreeSet<String> = self
            .rules()
            .into_iter()
            .filter_map(|rule| rule.object)
            .chain(named)
            .collect();
        names.into_iter()
    }

    pub(crate) fn options(&self, object: &str) -> ObjectOptions {
        let found = self
            .document
            .objects
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(object));
        found
            .map(|(_, options)| options.clone())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
