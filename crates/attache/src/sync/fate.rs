//! Checks the rules of a briefcase against the org, and says what becomes of each.

use super::draft::VIEWED;
use super::forms::ListViews;
use super::prepare::Described;
use crate::briefcase::{Briefcase, FieldsOf, Rule, Scope, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Select;
use crate::outcome::Unfollowed;
use crate::schema::{FieldSchema, FieldType, ObjectSchema, Schema};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a rule in this session.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    Followed,
    /// It cannot be asked for as the org is now: its records stay and are kept up to date, new ones do not come.
    Rests(String),
    /// Its object is gone for this user, and so are its records.
    Off(String),
}

impl Fate {
    /// Why a rule is not followed.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Fate::Followed => None,
            Fate::Rests(reason) | Fate::Off(reason) => Some(reason),
        }
    }
}

/// Gives what a rule hangs on the fate of that: a rule related to one that is off is off as well.
fn inherit(rules: &[Rule], fates: &mut [Fate]) {
    // Rules may hang on each other in a circle: each pass takes one more along, until none is left.
    loop {
        let mut moved = false;
        for (at, rule) in rules.iter().enumerate() {
            if let Source::Children { of, .. } | Source::Parents { of, .. } = &rule.source
                && let Fate::Off(reason) = fates[*of].clone()
                && !matches!(fates[at], Fate::Off(_))
            {
                fates[at] = Fate::Off(reason);
                moved = true;
            }
        }
        if !moved {
            return;
        }
    }
}

/// Takes the rules out that are off, and leads the others to where those stand now that they hang on.
pub(super) fn still_on<T>(items: Vec<(Rule, T)>, fates: &[Fate]) -> Vec<(Rule, T)> {
    let on = |at: &usize| !matches!(fates[*at], Fate::Off(_));
    items
        .into_iter()
        .enumerate()
        .filter(|(at, _)| on(at))
        .map(|(_, (mut rule, item))| {
            if let Source::Children { of, .. } | Source::Parents { of, .. } = &mut rule.source {
                *of = (0..*of).filter(on).count();
            }
            (rule, item)
        })
        .collect()
}

/// The rule that a related one hangs on.
fn above(rule: &Rule) -> Option<usize> {
    match &rule.source {
        Source::Children { of, .. } | Source::Parents { of, .. } => Some(*of),
        Source::Top { .. } | Source::Recent { .. } => None,
    }
}

/// Says whether a briefcase can do without an object: rules name it, and all of those are optional or hang on one that is.
pub(super) fn is_dispensable(rules: &[Rule], object: &str) -> bool {
    let mut optional: Vec<bool> = Vec::with_capacity(rules.len());
    let mut named = false;
    for rule in rules {
        let own = rule.optional || above(rule).is_some_and(|of| optional.get(of) == Some(&true));
        optional.push(own);
        let names = rule.object.as_ref();
        if names.is_some_and(|name| name.eq_ignore_ascii_case(object)) {
            if !own {
                return false;
            }
            named = true;
        }
    }
    named
}

/// Leaves out the rules for objects that the org lacks, with all that hangs on them, and says so.
pub(super) fn without(rules: Vec<Rule>, absent: &BTreeSet<String>) -> (Vec<Rule>, Vec<Unfollowed>) {
    let mut fates: Vec<Fate> = Vec::with_capacity(rules.len());
    for rule in &rules {
        let lacks = |name: &&String| absent.iter().any(|own| own.eq_ignore_ascii_case(name));
        let fate = match (above(rule).and_then(|of| fates.get(of)), &rule.object) {
            (Some(Fate::Off(reason)), _) => Fate::Off(reason.clone()),
            (_, Some(name)) if lacks(&name) => Fate::Off(lacking(name)),
            _ => Fate::Followed,
        };
        fates.push(fate);
    }
    let told = unfollowed(&rules, &fates).collect();
    let items = rules.into_iter().map(|rule| (rule, ())).collect();
    let kept = still_on(items, &fates).into_iter().map(|(rule, ())| rule);
    (kept.collect(), told)
}

/// The rules that are not followed, and why.
pub(super) fn unfollowed(rules: &[Rule], fates: &[Fate]) -> impl Iterator<Item = Unfollowed> {
    rules.iter().zip(fates).filter_map(|(rule, fate)| {
        Some(Unfollowed {
            rule: rule.name.clone(),
            reason: fate.reason()?.to_owned(),
        })
    })
}

fn lacking(object: &str) -> String {
    format!("the org has no object {object} for this user")
}

/// What becomes of the rules: an error says what is wrong with the first one that the org never could follow.
pub(super) fn fates(
    rules: &[Rule],
    objects: &[String],
    describes: &BTreeMap<String, Described>,
    drifts: bool,
    was_followed: impl Fn(&Rule) -> Result<bool>,
) -> Result<Vec<Fate>> {
    let mut all = Schema::default();
    for described in describes.values() {
        all.insert(described.schema.clone());
    }
    let mut fates = Vec::with_capacity(rules.len());
    for (at, (rule, name)) in rules.iter().zip(objects).enumerate() {
        if let Some(Fate::Off(reason)) = above(rule).filter(|of| *of < at).map(|of| &fates[of]) {
            fates.push(Fate::Off(reason.clone()));
            continue;
        }
        let gone = describes.get(name).is_some_and(|described| described.gone);
        fates.push(match check(rule, name, objects, describes, &all) {
            _ if gone => Fate::Off(lacking(name)),
            Ok(()) => Fate::Followed,
            // What an org never had does not rest: nothing of it is here.
            Err(error) if rule.optional && !was_followed(rule)? => Fate::Off(error.to_string()),
            Err(error) if drifts => Fate::Rests(error.to_string()),
            Err(error) => return Err(error),
        });
    }
    inherit(rules, &mut fates);
    Ok(fates)
}

/// Lets the rules rest whose list views are gone.
pub(super) fn rest_with(rules: &[Rule], views: &ListViews, fates: &mut [Fate]) {
    for (rule, fate) in rules.iter().zip(fates) {
        let (object, view) = (rule.object.as_ref(), rule.list_view.as_ref());
        let reason = object
            .zip(view)
            .and_then(|(object, view)| views.reason(object, view));
        if let Some(reason) = reason.filter(|_| *fate == Fate::Followed) {
            *fate = Fate::Rests(reason.clone());
        }
    }
}

fn check(
    rule: &Rule,
    name: &str,
    objects: &[String],
    describes: &BTreeMap<String, Described>,
    all: &Schema,
) -> Result<()> {
    let object = schema(describes, name)?;
    if !object.queryable {
        return Err(Error::invalid(format!(
            "rule {:?}: records of {name} cannot be queried",
            rule.name
        )));
    }
    if let Some(filter) = &rule.filter {
        filter
            .check(all, name)
            .map_err(|error| in_rule(&rule.name, "where", error))?;
    }
    match &rule.source {
        Source::Top {
            scope, order_by, ..
        } => {
            check_scope(&rule.name, object, scope)?;
            if let Some(order) = order_by {
                let select = Select::parse(&format!("SELECT Id FROM {name} ORDER BY {order}"))?;
                crate::store::check(&select, all)
                    .map_err(|error| in_rule(&rule.name, "order_by", error))?;
            }
            Ok(())
        }
        Source::Recent { .. } if object.field(VIEWED).is_some_and(|field| field.filterable) => {
            Ok(())
        }
        Source::Recent { .. } => Err(Error::invalid(format!(
            "the org does not keep which records of {name} were viewed recently (no {VIEWED})"
        ))),
        Source::Children { of, field } => {
            let field = reference(object, field, &rule.name)?;
            check_target(&rule.name, object, field, &objects[*of])
        }
        Source::Parents { of, field } => {
            let children = schema(describes, &objects[*of])?;
            let field = reference(children, field, &rule.name)?;
            check_target(&rule.name, children, field, name)
        }
    }
}

pub(super) fn check_options(
    describes: &BTreeMap<String, Described>,
    briefcase: &Briefcase,
) -> Result<()> {
    for described in describes.values() {
        let options = briefcase.options(&described.schema.name);
        let listed = match &options.fields {
            FieldsOf::These(names) => names.as_slice(),
            FieldsOf::All | FieldsOf::Layouts => &[],
            FieldsOf::Layout(name) => {
                crate::layouts::record_type_of(&described.schema, Some(name))
                    .map_err(|error| in_objects(&described.schema, error))?;
                &[]
            }
        };
        let named = listed.iter().chain(&options.client_key);
        if let Some(field) = named
            .into_iter()
            .find(|field| described.schema.field(field).is_none())
        {
            return Err(unknown_field("objects", &described.schema, field));
        }
        if let Some(policy) = &options.merge {
            let object = &described.schema.name;
            if let Some(field) = policy.unknown_field(&described.schema) {
                return Err(Error::new(
                    ErrorKind::UnknownField,
                    format!("objects.{object}.merge: {object} has no field {field} for this user"),
                ));
            }
            if let Some(misfit) = policy.misfits(&described.schema).into_iter().next() {
                return Err(Error::invalid(format!("objects.{object}.merge.{misfit}")));
            }
        }
        if let Some(key) = options
            .client_key
            .as_ref()
            .and_then(|key| described.schema.field(key))
            && !(key.external_id && key.unique && key.createable)
        {
            return Err(Error::invalid(format!(
                "{}.{} cannot carry a client key: it must be a unique external id that may be set",
                described.schema.name, key.name
            )));
        }
    }
    Ok(())
}

fn check_scope(rule: &str, object: &ObjectSchema, scope: &Scope) -> Result<()> {
    match scope {
        Scope::Everything => Ok(()),
        Scope::Mine { field } => match object.field(field) {
            Some(found) if found.reference_to.iter().any(|to| to == "User") => Ok(()),
            Some(found) => Err(Error::invalid(format!(
                "rule {rule:?}: {}.{} does not point at users, so none of its records are \"mine\"",
                object.name, found.name
            ))),
            None if field == "OwnerId" => Err(Error::invalid(format!(
                "rule {rule:?}: records of {} have no owner, so none are \"mine\"",
                object.name
            ))),
            None => Err(unknown_field(rule, object, field)),
        },
        Scope::Queue
            if object
                .field("OwnerId")
                .is_some_and(|owner| points_at(owner, "Group")) =>
        {
            Ok(())
        }
        Scope::Queue => Err(Error::invalid(format!(
            "rule {rule:?}: records of {} are never owned by a queue",
            object.name
        ))),
        Scope::Named(name)
            if object
                .scopes
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name)) =>
        {
            Ok(())
        }
        Scope::Named(name) => Err(Error::invalid(format!(
            "rule {rule:?}: {} has no scope {name:?}; it has {}",
            object.name,
            object.scopes.join(", ")
        ))),
    }
}

fn check_target(rule: &str, from: &ObjectSchema, field: &FieldSchema, to: &str) -> Result<()> {
    if points_at(field, to) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "rule {rule:?}: {}.{} does not point at {to}",
        from.name, field.name
    )))
}

fn points_at(field: &FieldSchema, object: &str) -> bool {
    let mut targets = field.reference_to.iter();
    targets.any(|target| target.eq_ignore_ascii_case(object))
}

fn in_objects(object: &ObjectSchema, error: Error) -> Error {
    Error::new(
        error.kind(),
        format!("objects.{}.fields: {error}", object.name),
    )
}

fn in_rule(rule: &str, part: &str, error: Error) -> Error {
    Error::new(error.kind(), format!("rule {rule:?}, {part}: {error}"))
}

pub(super) fn schema<'a>(
    describes: &'a BTreeMap<String, Described>,
    name: &str,
) -> Result<&'a ObjectSchema> {
    describes
        .get(name)
        .map(|described| &described.schema)
        .ok_or_else(|| Error::new(ErrorKind::UnknownObject, lacking(name)))
}

pub(super) fn reference<'a>(
    object: &'a ObjectSchema,
    field: &str,
    rule: &str,
) -> Result<&'a FieldSchema> {
    let found = object
        .field(field)
        .ok_or_else(|| unknown_field(rule, object, field))?;
    if found.field_type != FieldType::Reference {
        return Err(Error::invalid(format!(
            "rule {rule:?}: {}.{} is not a lookup",
            object.name, found.name
        )));
    }
    Ok(found)
}

fn unknown_field(rule: &str, object: &ObjectSchema, field: &str) -> Error {
    Error::new(
        ErrorKind::UnknownField,
        format!(
            "rule {rule:?}: {} has no field {field} for this user",
            object.name
        ),
    )
}
