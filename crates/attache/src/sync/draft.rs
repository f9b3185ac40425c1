//! What a briefcase means in an org: objects, fields, rules. Nothing here is written.

use super::forms::{Forms, ListViews};
use super::prepare::{Described, Node};
use super::soql;
use crate::briefcase::{Briefcase, FieldsOf, ObjectOptions, Rule, Scope, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::Unfollowed;
use crate::remote::Identity;
use crate::schema::{ObjectSchema, RecordType};
use crate::store::{Reading, Table, WantedRule};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// When the user last looked at a record, at the server.
pub(super) const VIEWED: &str = "LastViewedDate";

/// Fields that the engine itself needs, where the object has them.
const SYSTEM_FIELDS: [&str; 8] = [
    "Id",
    "SystemModstamp",
    "LastModifiedDate",
    "LastModifiedById",
    "CreatedDate",
    "CreatedById",
    "OwnerId",
    "Name",
];

/// What a briefcase means in an org.
pub(super) struct Draft {
    pub identity: Identity,
    pub briefcase: Briefcase,
    pub rules: Vec<Rule>,
    /// The object of each rule.
    pub objects: Vec<String>,
    /// The names in the store of rules that cannot be asked for as the org is now.
    pub resting: Vec<String>,
    pub unfollowed: Vec<Unfollowed>,
    pub describes: BTreeMap<String, Described>,
    /// Objects that the org lacks and the briefcase can do without.
    pub absent: BTreeSet<String>,
    /// Objects of records that something but a rule holds.
    pub held: BTreeSet<String>,
    pub forms: Forms,
    pub views: ListViews,
}

impl Draft {
    /// The objects as tables that are yet to be made.
    pub(super) fn tables(&self, reading: &Reading<'_>) -> Result<BTreeMap<String, Arc<Table>>> {
        let table = |(name, described): (&String, &Described)| {
            let carried = self.carried(reading, name)?;
            let table = Table::new(Arc::new(described.schema.clone()), &carried);
            Ok((name.clone(), Arc::new(table)))
        };
        self.describes.iter().map(table).collect()
    }

    /// The rules with their tables.
    pub(super) fn nodes(&self, table: impl Fn(&String) -> Result<Arc<Table>>) -> Result<Vec<Node>> {
        let rules = self.rules.iter().cloned().zip(&self.objects);
        rules
            .map(|(rule, object)| {
                let rests = self.resting.contains(&key(object, &rule));
                Ok(node(rule, table(object)?, &self.identity.user_id, rests))
            })
            .collect()
    }

    /// The fields to carry of an object.
    pub(super) fn carried(&self, reading: &Reading<'_>, object: &str) -> Result<Vec<String>> {
        let Some(described) = self.describes.get(object) else {
            return Ok(Vec::new());
        };
        let entries = reading.entries()?;
        let edited: Vec<&str> = entries
            .iter()
            .filter(|entry| entry.object == object)
            .flat_map(|entry| entry.fields.names())
            .collect();
        let mut options = self.briefcase.options(object);
        let here = reading.catalogue.table(object).map(|table| table.names());
        if let Some(kinds) = layouts_of(&described.schema, &options) {
            let stored;
            let form = match self.forms.told.get(object) {
                Some((form, _)) => Some(form),
                None => {
                    stored = reading.form(object)?;
                    stored.as_ref()
                }
            };
            let record_types = kinds.iter().map(String::as_str);
            let on_page = form
                .map(|form| form.fields(record_types))
                .unwrap_or_default();
            options.fields = match &here {
                _ if !on_page.is_empty() => FieldsOf::These(for_forms(&described.schema, on_page)),
                // Whatever is wrong with the layouts: no field is dropped for it.
                Some(here) => FieldsOf::These(here.clone()),
                None => FieldsOf::All,
            };
        }
        let mut named = self.briefcase.objects().chain(self.objects.iter().cloned());
        if !named.any(|name| name.eq_ignore_ascii_case(object)) {
            // The briefcase no longer says what to carry of it: what is here stays.
            options.fields = here.map_or(FieldsOf::All, FieldsOf::These);
        }
        carried(
            &described.schema,
            &options,
            &edited,
            &self.rules,
            &self.objects,
        )
    }

    pub(super) fn wanted(&self) -> Vec<WantedRule> {
        let wanted = |(rule, object): (&Rule, &String)| WantedRule {
            key: key(object, rule),
            name: rule.name.clone(),
            object: object.clone(),
            of_object: match &rule.source {
                Source::Top { .. } | Source::Recent { .. } => None,
                Source::Children { of, .. } | Source::Parents { of, .. } => {
                    Some(self.objects[*of].clone())
                }
            },
        };
        self.rules.iter().zip(&self.objects).map(wanted).collect()
    }
}

/// Makes a rule for each object out of one for whatever a lookup points at, among those that the briefcase names.
///
/// `known` tells the object of a rule that is in force, which stays one.
pub(super) fn expand(
    rules: Vec<Rule>,
    briefcase: &Briefcase,
    describes: &BTreeMap<String, Described>,
    known: impl Fn(&str) -> Result<Option<String>>,
) -> Result<Vec<Rule>> {
    let mut expanded: Vec<Rule> = Vec::with_capacity(rules.len());
    // Where each rule stands now.
    let mut places = Vec::with_capacity(rules.len());
    for mut rule in rules {
        let mut targets = Vec::new();
        if let Source::Children { of, .. } | Source::Parents { of, .. } = &mut rule.source {
            *of = places[*of];
        }
        if let (None, Source::Parents { of, field }) = (&rule.object, &rule.source) {
            let children = expanded[*of].object.as_deref().unwrap_or_default();
            let of_children = |name: &&String| name.eq_ignore_ascii_case(children);
            let described = describes
                .keys()
                .find(of_children)
                .and_then(|name| describes.get(name));
            let field = described.and_then(|described| described.schema.field(field));
            targets = field.map_or_else(Vec::new, |field| field.reference_to.clone());
        }
        places.push(expanded.len());
        if targets.len() < 2 {
            expanded.push(rule);
            continue;
        }
        let mut named: Vec<String> = briefcase.objects().collect();
        named.extend(known(&rule.key)?);
        targets.retain(|target| named.iter().any(|name| name.eq_ignore_ascii_case(target)));
        if targets.is_empty() {
            expanded.push(rule);
            continue;
        }
        for target in targets {
            let mut one = rule.clone();
            one.name = format!("{}: {target}", rule.name);
            one.object = Some(target);
            expanded.push(one);
        }
    }
    Ok(expanded)
}

/// A rule's name in the store.
pub(super) fn key(object: &str, rule: &Rule) -> String {
    format!("{object}: {}", rule.key)
}

/// The record types, by id, from whose layouts the fields are taken; `None` if they are not taken from layouts.
fn layouts_of(object: &ObjectSchema, options: &ObjectOptions) -> Option<Vec<String>> {
    let own = |one: &&RecordType| one.available || one.default;
    match &options.fields {
        FieldsOf::All | FieldsOf::These(_) => None,
        FieldsOf::Layouts => Some(
            object
                .record_types
                .iter()
                .filter(own)
                .map(|one| one.id.clone())
                .collect(),
        ),
        FieldsOf::Layout(name) => {
            // One that is no longer there has no layout: the fields stay as they are.
            let found = crate::layouts::record_type_of(object, Some(name)).ok();
            Some(found.map(|one| one.id.clone()).into_iter().collect())
        }
    }
}

/// The fields that a host needs to draw these: the parts of compound ones, what controls a picklist, what a
/// create must set, the record type, and the currency of amounts.
fn for_forms(object: &ObjectSchema, on_page: Vec<&str>) -> Vec<String> {
    let mut names: Vec<String> = ["RecordTypeId", "CurrencyIsoCode"]
        .map(String::from)
        .to_vec();
    for name in on_page {
        let parts = object.fields.iter().filter(|field| {
            let whole = field.compound.as_deref();
            whole.is_some_and(|whole| whole.eq_ignore_ascii_case(name))
        });
        names.extend(parts.map(|field| field.name.clone()));
        names.push(name.to_owned());
    }
    let required = object
        .fields
        .iter()
        .filter(|field| field.required_on_create());
    names.extend(required.map(|field| field.name.clone()));
    let mut at = 0;
    while at < names.len() {
        let field = object.field(&names[at]);
        let controller = field.and_then(|field| field.controller.clone());
        names.extend(controller.filter(|name| !names.contains(name)));
        at += 1;
    }
    names
}

/// The fields to carry: those asked for, those the engine needs, those the rules hang on, and those with unsent edits.
fn carried(
    object: &ObjectSchema,
    options: &ObjectOptions,
    edited: &[&str],
    rules: &[Rule],
    objects: &[String],
) -> Result<Vec<String>> {
    let mut wanted: Vec<&str> = SYSTEM_FIELDS.to_vec();
    wanted.extend(object.name_field().map(|field| field.name.as_str()));
    match &options.fields {
        FieldsOf::These(fields) => wanted.extend(fields.iter().map(String::as_str)),
        // What layouts show was written out before.
        FieldsOf::All | FieldsOf::Layouts | FieldsOf::Layout(_) => {
            wanted.extend(object.stored_fields().map(|field| field.name.as_str()))
        }
    }
    wanted.extend(options.client_key.as_deref());
    wanted.extend(edited);
    for (rule, name) in rules.iter().zip(objects) {
        match &rule.source {
            Source::Top {
                scope: Scope::Mine { field },
                ..
            } if *name == object.name => wanted.push(field),
            Source::Children { field, .. } if *name == object.name => wanted.push(field),
            Source::Parents { of, field } if objects[*of] == object.name => wanted.push(field),
            _ => {}
        }
    }
    let mut carried: Vec<String> = Vec::new();
    for field in wanted
        .into_iter()
        .filter_map(|name| object.field(name))
        .filter(|field| field.field_type.is_stored())
    {
        if !carried.contains(&field.name) {
            carried.push(field.name.clone());
        }
    }
    if carried.first().is_none_or(|first| first != "Id") {
        return Err(Error::new(
            ErrorKind::NotARemote,
            format!("the describe of {} has no Id", object.name),
        ));
    }
    Ok(carried)
}

fn node(rule: Rule, table: Arc<Table>, user: &str, rests: bool) -> Node {
    let mut conditions = Vec::new();
    let mut using = None;
    match &rule.source {
        Source::Top { scope, .. } => match scope {
            Scope::Everything => {}
            Scope::Mine { field } => conditions.push(format!("{field} = {}", soql::text(user))),
            Scope::Queue => conditions.push(format!(
                "OwnerId IN (SELECT GroupId FROM GroupMember WHERE UserOrGroupId = {})",
                soql::text(user)
            )),
            Scope::Named(name) => using = Some(name.clone()),
        },
        Source::Recent { .. } => conditions.push(format!("{VIEWED} != null")),
        Source::Children { .. } | Source::Parents { .. } => {}
    }
    conditions.extend(rule.filter.as_ref().map(ToString::to_string));
    Node {
        key: key(&table.object.name, &rule),
        name: rule.name,
        source: rule.source,
        filter: rule.filter,
        conditions,
        scope: using,
        table,
        rests,
    }
}
