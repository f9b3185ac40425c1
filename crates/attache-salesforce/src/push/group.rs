//! Packs writes into as few calls as the API allows.

use super::verdict::Verdict;
use crate::client::{Call, Salesforce, escape};
use crate::codec::JsonRecord;
use crate::limits::to_http_date;
use crate::remote::json;
use crate::transport::Method;
use attache::{Error, ErrorKind, Result, Write, WriteAction};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};
use std::mem;

/// Records of one collection call.
const COLLECTION_MAX: usize = 200;
/// The org cuts a collection into runs of one type, and allows this many.
const TYPES_MAX: usize = 10;
/// Calls in one composite call.
const COMPOSITE_MAX: usize = 25;
/// The header with which a record is saved although a rule takes it for a duplicate, if the rule allows it.
const ALLOW_DUPLICATES: (&str, &str) = ("Sforce-Duplicate-Rule-Header", "allowSave=true");

/// The headers that say how the org is to save a record, in a call or in a part of one.
///
/// Whether a part heeds the headers of the whole, nobody says: each has its own.
pub(super) fn manner(
    org: &Salesforce,
    allow_duplicates: bool,
) -> impl Iterator<Item = (&'static str, String)> {
    let (name, value) = ALLOW_DUPLICATES;
    let allowed = allow_duplicates.then(|| (name, value.to_owned()));
    allowed.into_iter().chain(org.assignment.header())
}

/// How writes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Many records in one call, each with a result; no preconditions.
    Collection,
    /// Several row calls in one, each with its precondition and its status.
    Composite,
    /// One row call.
    Alone,
}

/// Writes that travel in one call.
pub(super) struct Group {
    pub(super) way: Way,
    kind: Kind,
    /// Records are saved although the org takes them for duplicates.
    allow_duplicates: bool,
    pub(super) items: Vec<Item>,
}

/// One call within a composite call or a graph.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sub {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) reference_id: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) http_headers: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Box<RawValue>>,
}

/// Which writes may share a collection call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Create,
    CreateByKey {
        object: String,
        key_field: String,
    },
    Update,
    /// Updates with a precondition never form a collection.
    Guarded,
    Delete,
}

/// One write of a group.
pub(super) struct Item {
    /// The write's place in the batch.
    pub(super) place: usize,
    body: Box<RawValue>,
}

impl Item {
    /// What names the write in a composite call.
    pub(super) fn reference(&self) -> String {
        format!("w{}", self.place)
    }
}

/// Packs a batch. The order of the groups is creates, updates, deletes.
pub(super) fn groups(batch: &[Write], bytes_max: usize) -> Result<Vec<Group>> {
    // Sorted by object: a collection may change its type ten times at most.
    let mut sorted: BTreeMap<(Kind, bool, &str), Vec<Item>> = BTreeMap::new();
    for (place, write) in batch.iter().enumerate() {
        let body = collection_body(write)?;
        let key = (
            kind_of(write),
            write.allow_duplicates,
            write.object.as_str(),
        );
        sorted.entry(key).or_default().push(Item { place, body });
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut packer: Option<Packer> = None;
    for ((kind, allow_duplicates, object), items) in sorted {
        for item in items {
            let write = &batch[item.place];
            let way = match kind {
                Kind::Guarded if refers(&item.body) => Way::Alone,
                Kind::Guarded => Way::Composite,
                _ => Way::Collection,
            };
            let fits = packer
                .as_ref()
                .is_some_and(|packer| packer.takes(way, &kind, object, write, &item, bytes_max));
            if !fits && let Some(full) = packer.take() {
                groups.push(full.group);
            }
            packer
                .get_or_insert_with(|| Packer::new(way, kind.clone(), allow_duplicates))
                .add(object, write, item);
        }
    }
    groups.extend(packer.map(|packer| packer.group));
    Ok(groups)
}

/// A group that is being filled.
struct Packer {
    group: Group,
    bytes: usize,
    objects: HashSet<String>,
    /// Two writes of one record in one call are refused, or overtake each other.
    targets: HashSet<String>,
}

impl Packer {
    fn new(way: Way, kind: Kind, allow_duplicates: bool) -> Packer {
        Packer {
            group: Group {
                way,
                kind,
                allow_duplicates,
                items: Vec::new(),
            },
            bytes: 0,
            objects: HashSet::new(),
            targets: HashSet::new(),
        }
    }

    fn takes(
        &self,
        way: Way,
        kind: &Kind,
        object: &str,
        write: &Write,
        item: &Item,
        bytes_max: usize,
    ) -> bool {
        let count_max = match way {
            Way::Collection => COLLECTION_MAX,
            Way::Composite => COMPOSITE_MAX,
            Way::Alone => 1,
        };
        self.group.way == way
            && self.group.kind == *kind
            && self.group.allow_duplicates == write.allow_duplicates
            && self.group.items.len() < count_max
            && self.bytes + item.body.get().len() <= bytes_max
            && (self.objects.contains(object) || self.objects.len() < TYPES_MAX)
            && target(write).is_none_or(|target| !self.targets.contains(target))
    }

    fn add(&mut self, object: &str, write: &Write, item: Item) {
        self.bytes += item.body.get().len();
        self.objects.insert(object.to_owned());
        self.targets.extend(target(write).map(str::to_owned));
        self.group.items.push(item);
    }
}

fn kind_of(write: &Write) -> Kind {
    match &write.action {
        WriteAction::Create { .. } => Kind::Create,
        WriteAction::CreateByKey { key_field, .. } => Kind::CreateByKey {
            object: write.object.clone(),
            key_field: key_field.clone(),
        },
        WriteAction::Update {
            unmodified_since: Some(_),
            ..
        } => Kind::Guarded,
        WriteAction::Update { .. } => Kind::Update,
        WriteAction::Delete { .. } => Kind::Delete,
    }
}

/// The record that a write is about, if it has a name already.
fn target(write: &Write) -> Option<&str> {
    match &write.action {
        WriteAction::Create { .. } => None,
        WriteAction::CreateByKey { key, .. } => Some(key),
        WriteAction::Update { id, .. } | WriteAction::Delete { id } => Some(id),
    }
}

/// The write as an element of a collection; for a guarded update, its row body.
fn collection_body(write: &Write) -> Result<Box<RawValue>> {
    let object = Some(write.object.as_str());
    match &write.action {
        WriteAction::Create { fields } => record(object, None, fields),
        WriteAction::CreateByKey {
            key_field,
            key,
            fields,
        } => record(object, Some((key_field, key)), fields),
        WriteAction::Update {
            id,
            fields,
            unmodified_since: None,
        } => record(object, Some(("id", id)), fields),
        _ => row_body(write),
    }
}

/// The write as the body of a call on one row.
pub(super) fn row_body(write: &Write) -> Result<Box<RawValue>> {
    match &write.action {
        WriteAction::Create { fields }
        | WriteAction::CreateByKey { fields, .. }
        | WriteAction::Update { fields, .. } => record(None, None, fields),
        WriteAction::Delete { .. } => Ok(RawValue::NULL.to_owned()),
    }
}

fn record(
    object: Option<&str>,
    key: Option<(&str, &str)>,
    fields: &attache::Fields,
) -> Result<Box<RawValue>> {
    let record = JsonRecord {
        object,
        key,
        fields,
    };
    record.to_json().map_err(|cause| {
        Error::new(ErrorKind::Internal, "a write cannot be written as JSON").with_source(cause)
    })
}

/// Says whether a composite call would take a text for a reference to another of its calls.
fn refers(body: &RawValue) -> bool {
    body.get().contains("@{")
}

impl Group {
    /// A write on its own, the first and only one of its batch.
    pub(super) fn of_one(write: &Write) -> Result<Group> {
        let body = collection_body(write)?;
        Ok(Group {
            way: Way::Alone,
            kind: kind_of(write),
            allow_duplicates: write.allow_duplicates,
            items: vec![Item { place: 0, body }],
        })
    }

    /// Takes the writes out, with their verdicts, that the chosen verdicts are of: as groups that are to be sent anew.
    pub(super) fn send_again(
        &mut self,
        verdicts: &mut Vec<Verdict>,
        chosen: impl Fn(&Verdict) -> bool,
    ) -> Vec<Group> {
        if self.way != Way::Collection {
            return Vec::new();
        }
        let items = mem::take(&mut self.items);
        let (again, kept): (Vec<_>, Vec<_>) = items
            .into_iter()
            .zip(mem::take(verdicts))
            .partition(|(_, verdict)| chosen(verdict));
        (self.items, *verdicts) = kept.into_iter().unzip();
        let mut again = Group {
            way: Way::Collection,
            kind: self.kind.clone(),
            allow_duplicates: self.allow_duplicates,
            items: again.into_iter().map(|(item, _)| item).collect(),
        };
        match again.items.is_empty() {
            true => Vec::new(),
            false => again.one_by_one().unwrap_or_default(),
        }
    }

    /// Packs the writes so that each has an answer of its own, after they were refused together.
    ///
    /// `None` if they were on their own already.
    pub(super) fn one_by_one(&mut self) -> Option<Vec<Group>> {
        if self.way == Way::Alone {
            return None;
        }
        let items = mem::take(&mut self.items);
        let group = |way, items| Group {
            way,
            kind: self.kind.clone(),
            allow_duplicates: self.allow_duplicates,
            items,
        };
        let mut groups = Vec::new();
        let mut alone = Vec::new();
        let mut rest = Vec::new();
        for item in items {
            if self.way == Way::Composite || refers(&item.body) {
                alone.push(group(Way::Alone, vec![item]));
                continue;
            }
            rest.push(item);
            if rest.len() == COMPOSITE_MAX {
                groups.push(group(Way::Composite, mem::take(&mut rest)));
            }
        }
        if !rest.is_empty() {
            groups.push(group(Way::Composite, rest));
        }
        groups.append(&mut alone);
        Some(groups)
    }

    /// The call that carries the group.
    pub(super) fn call(&self, org: &Salesforce, batch: &[Write]) -> Result<Call> {
        let mut call = self.bare_call(org, batch)?;
        if self.kind != Kind::Delete {
            call.headers.extend(manner(org, self.allow_duplicates));
        }
        Ok(call)
    }

    fn bare_call(&self, org: &Salesforce, batch: &[Write]) -> Result<Call> {
        match self.way {
            Way::Collection => self.collection(org, batch),
            Way::Composite => self.composite(org, batch),
            Way::Alone => {
                let write = &batch[self.items[0].place];
                let row = Row::of(org, write)?;
                let body = match row.body {
                    Some(body) => body.get().as_bytes().to_vec(),
                    None => Vec::new(),
                };
                let mut call = Call::write("write_row", row.method, row.path, body);
                if let Some(date) = row.unmodified_since {
                    call = call.header("If-Unmodified-Since", date);
                }
                Ok(call)
            }
        }
    }

    fn collection(&self, org: &Salesforce, batch: &[Write]) -> Result<Call> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            all_or_none: bool,
            records: Vec<&'a RawValue>,
        }
        if self.kind == Kind::Delete {
            let ids = self
                .items
                .iter()
                .filter_map(|item| target(&batch[item.place]));
            let ids = ids.map(|id| escape(id).to_string()).collect::<Vec<_>>();
            let path = format_args!("/composite/sobjects?ids={}&allOrNone=false", ids.join(","));
            let method = Method::Delete;
            return Ok(Call::write("delete", method, org.path(path), Vec::new()));
        }
        let body = json(&Body {
            all_or_none: false,
            records: self.items.iter().map(|item| &*item.body).collect(),
        })?;
        Ok(match &self.kind {
            Kind::CreateByKey { object, key_field } => {
                let (object, key) = (escape(object), escape(key_field));
                let path = org.path(format_args!("/composite/sobjects/{object}/{key}"));
                Call::write("create_by_key", Method::Patch, path, body)
            }
            Kind::Create => Call::write(
                "create",
                Method::Post,
                org.path("/composite/sobjects"),
                body,
            ),
            _ => Call::write(
                "update",
                Method::Patch,
                org.path("/composite/sobjects"),
                body,
            ),
        })
    }

    fn composite(&self, org: &Salesforce, batch: &[Write]) -> Result<Call> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            all_or_none: bool,
            collate_subrequests: bool,
            composite_request: Vec<Sub>,
        }
        let mut calls = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let row = Row::of(org, &batch[item.place])?;
            let guard = row
                .unmodified_since
                .map(|date| ("If-Unmodified-Since", date));
            let manner = manner(org, self.allow_duplicates);
            calls.push(Sub {
                method: row.method.as_str(),
                url: row.path,
                reference_id: item.reference(),
                http_headers: guard.into_iter().chain(manner).collect(),
                body: row.body,
            });
        }
        let body = json(&Body {
            all_or_none: false,
            collate_subrequests: false,
            composite_request: calls,
        })?;
        let path = org.path("/composite");
        Ok(Call::write("composite", Method::Post, path, body))
    }
}

/// A write as a call on one row.
pub(super) struct Row {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) unmodified_since: Option<String>,
    body: Option<Box<RawValue>>,
}

impl Row {
    pub(super) fn of(org: &Salesforce, write: &Write) -> Result<Row> {
        let object = escape(&write.object);
        let (method, path, unmodified_since) = match &write.action {
            WriteAction::Create { .. } => (
                Method::Post,
                org.path(format_args!("/sobjects/{object}")),
                None,
            ),
            WriteAction::CreateByKey { key_field, key, .. } => {
                let (field, key) = (escape(key_field), escape(key));
                let path = org.path(format_args!("/sobjects/{object}/{field}/{key}"));
                (Method::Patch, path, None)
            }
            WriteAction::Update {
                id,
                unmodified_since,
                ..
            } => {
                let path = org.path(format_args!("/sobjects/{object}/{}", escape(id)));
                (Method::Patch, path, *unmodified_since)
            }
            WriteAction::Delete { id } => {
                let path = org.path(format_args!("/sobjects/{object}/{}", escape(id)));
                (Method::Delete, path, None)
            }
        };
        let body = match method {
            Method::Delete => None,
            _ => Some(row_body(write)?),
        };
        let date = |time| {
            to_http_date(time).ok_or_else(|| {
                let message = "a record's stamp is not a date";
                Error::new(ErrorKind::InvalidArgument, message)
            })
        };
        Ok(Row {
            method,
            path,
            unmodified_since: unmodified_since.map(date).transpose()?,
            body,
        })
    }
}
