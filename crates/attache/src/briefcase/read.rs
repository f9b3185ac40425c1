//! Reads a document and finds everything that is wrong with it, not only the first thing.

use super::condition;
use super::document::*;
use super::files;
use super::tree::{self, Members, Problems, below};
use super::{Briefcase, Rule};
use crate::error::Result;
use crate::merge::MergePolicy;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashSet};

const TOP_KEYS: &[&str] = &[
    "version",
    "name",
    "description",
    "objects",
    "recent",
    "rules",
];
const OPTION_KEYS: &[&str] = &["fields", "layouts", "client_key", "merge", "files"];
const LIST_VIEW_SAYS: [&str; 5] = ["scope", "where", "filters", "logic", "order_by"];
const MERGE_KEYS: &[&str] = &["default", "fields", "groups", "deletion"];
const RECENT_KEYS: &[&str] = &["objects", "limit"];
const RULE_KEYS: &[&str] = &[
    "name",
    "object",
    "optional",
    "list_view",
    "scope",
    "where",
    "filters",
    "logic",
    "order_by",
    "limit",
    "related",
];
const RELATED_KEYS: &[&str] = &[
    "children", "parent", "object", "optional", "where", "filters", "logic", "related",
];
/// Objects of a reference to several that are named at most, and fields of an object.
const NAMES_MAX: usize = 2_000;

/// Reads a document.
pub(super) fn read(json: &str) -> Result<Document> {
    let root = tree::root(json)?;
    let mut problems = Problems::default();
    let document = document(&mut problems, root);
    match document {
        Some(document) if problems.none() => {
            let briefcase = Briefcase { document };
            check_rules(&mut problems, &briefcase.rules());
            if problems.none() {
                return Ok(briefcase.document);
            }
        }
        _ => {}
    }
    Err(problems.error())
}

fn document(problems: &mut Problems, root: &RawValue) -> Option<Document> {
    // Another version may have other keys: what it says is not judged by the rules of this one.
    let newer = tree::read::<VersionOnly>(root).and_then(|found| found.version);
    if let Some(version) = newer.filter(|version| *version != u64::from(VERSION)) {
        let message = format!("the document has version {version}; this library reads {VERSION}");
        problems.add("/version", "UNKNOWN_VERSION", message);
        return None;
    }
    let mut members = problems.object(root, "", TOP_KEYS)?;
    match members.take("version") {
        Some(_) if newer.is_some() => {}
        Some((_, at)) => problems.wrong_type(&at, "the number 1"),
        None => problems.add("", "MISSING_KEY", "expected `version`, which is 1"),
    }
    let mut document = Document {
        name: optional(&mut members, "name", |raw, at| problems.text(raw, at)),
        description: optional(&mut members, "description", |raw, at| {
            problems.text(raw, at)
        }),
        ..Document::default()
    };
    if let Some((raw, at)) = members.take("objects") {
        document.objects = objects(problems, raw, &at);
    }
    if let Some((raw, at)) = members.take("recent") {
        document.recent = recent(problems, raw, &at);
    }
    match members.take("rules") {
        Some((raw, at)) => document.rules = rules(problems, raw, &at),
        None => problems.add(
            "",
            "MISSING_KEY",
            "expected `rules`, a list that may be empty",
        ),
    }
    Some(document)
}

#[derive(serde::Deserialize)]
struct VersionOnly {
    version: Option<u64>,
}

pub(super) fn optional<T>(
    members: &mut Members<'_>,
    key: &str,
    read: impl FnOnce(&RawValue, &str) -> Option<T>,
) -> Option<T> {
    members.take(key).and_then(|(raw, at)| read(raw, &at))
}

fn objects(problems: &mut Problems, raw: &RawValue, at: &str) -> BTreeMap<String, ObjectOptions> {
    let mut objects = BTreeMap::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (name, raw, at) in entries(problems, raw, at) {
        if is_name(problems, &name, &at, "an object") && !seen.insert(name.to_lowercase()) {
            problems.add(
                &at,
                "DUPLICATE_NAME",
                "the object stands here twice; keep one",
            );
        }
        let Some(mut members) = problems.object(raw, &at, OPTION_KEYS) else {
            continue;
        };
        let options = ObjectOptions {
            fields: optional(&mut members, "fields", |raw, at| fields(problems, raw, at))
                .unwrap_or_default(),
            layouts: optional(&mut members, "layouts", |raw, at| problems.boolean(raw, at))
                .unwrap_or_default(),
            client_key: optional(&mut members, "client_key", |raw, at| {
                problems.name(raw, at, "an external-id field")
            }),
            merge: optional(&mut members, "merge", |raw, at| merge(problems, raw, at))
                .filter(|policy| *policy != MergePolicy::default()),
            files: optional(&mut members, "files", |raw, at| {
                files::policy(problems, raw, at)
            }),
        };
        objects.insert(name, options);
    }
    objects
}

/// The members of an object whose keys are names.
fn entries<'a>(
    problems: &mut Problems,
    raw: &'a RawValue,
    at: &str,
) -> impl Iterator<Item = (String, &'a RawValue, String)> + use<'a> {
    let members = problems.object(raw, at, &[]);
    members.into_iter().flat_map(Members::all)
}

/// Says whether a key is a name, and adds a problem if not.
fn is_name(problems: &mut Problems, key: &str, at: &str, what: &str) -> bool {
    let is_name = tree::is_api_name(key);
    if !is_name {
        let message = format!("expected the API name of {what} as the key");
        problems.add(at, "INVALID_NAME", message);
    }
    is_name
}

/// Reads which fields are carried: a list, `"layouts"`, or `{"layout": "…"}`.
fn fields(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<FieldsOf> {
    match raw.get().as_bytes().first() {
        Some(b'{') => {
            let mut members = problems.object(raw, at, &["layout"])?;
            let Some((raw, at)) = members.take("layout") else {
                let message = "expected `layout`, a record type by its API name or its id";
                problems.add(at, "MISSING_KEY", message);
                return None;
            };
            problems
                .name_or_id(raw, &at, "a record type")
                .map(FieldsOf::Layout)
        }
        Some(b'"') => match tree::read::<String>(raw).as_deref() {
            Some("layouts") => Some(FieldsOf::Layouts),
            _ => {
                problems.wrong_type(at, "a list of fields, `\"layouts\"`, or `{\"layout\": …}`");
                None
            }
        },
        _ => names(problems, raw, at, "a field").map(FieldsOf::These),
    }
}

/// Reads the name of a list view, which leaves nothing else to say about which records a rule takes.
fn list_view(problems: &mut Problems, members: &mut Members<'_>) -> Option<ListView> {
    let (raw, at) = members.take("list_view")?;
    let mut alone = true;
    for key in LIST_VIEW_SAYS {
        if let Some((_, at)) = members.take(key) {
            problems.add(
                &at,
                "CONFLICTING_KEYS",
                "the list view says this; leave it out",
            );
            alone = false;
        }
    }
    let name = problems.name_or_id(raw, &at, "a list view")?;
    alone.then_some(ListView { name, told: false })
}

/// Reads a merge policy: each member by itself, so that each tells what is wrong with it.
fn merge(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<MergePolicy> {
    let members = problems.object(raw, at, MERGE_KEYS)?;
    for (key, raw, at) in members.all() {
        if key == "fields" {
            for (name, raw, at) in entries(problems, raw, &at) {
                is_name(problems, &name, &at, "a field");
                merge_part(problems, &format!(r#"{{"fields":{{"F":{raw}}}}}"#), &at);
            }
        } else {
            merge_part(problems, &format!(r#"{{"{key}":{raw}}}"#), &at);
        }
    }
    let policy: MergePolicy = tree::read(raw)?;
    for problem in policy.contradictions() {
        let (place, sentence) = problem.split_once(": ").unwrap_or(("", &problem));
        let place = place.replace(['[', '.'], "/").replace(']', "");
        problems.add(&format!("{at}/{place}"), "CONFLICTING_KEYS", sentence);
    }
    Some(policy)
}

fn merge_part(problems: &mut Problems, part: &str, at: &str) {
    if let Err(error) = serde_json::from_str::<MergePolicy>(part) {
        // The line and the column count in a text that nobody wrote.
        let text = error.to_string();
        let words = text.split(" at line ").next().unwrap_or_default();
        problems.add(at, "WRONG_TYPE", words);
    }
}

/// Reads a list of names, none of them twice.
fn names(problems: &mut Problems, raw: &RawValue, at: &str, what: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for (nr, raw) in problems.list(raw, at, NAMES_MAX)?.into_iter().enumerate() {
        let at = below(at, &nr.to_string());
        if let Some(name) = problems.name(raw, &at, what) {
            if seen.insert(name.to_lowercase()) {
                names.push(name);
            } else {
                problems.add(
                    &at,
                    "DUPLICATE_NAME",
                    "the name stands in the list twice; keep one",
                );
            }
        }
    }
    Some(names)
}

fn recent(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<Recent> {
    let mut members = problems.object(raw, at, RECENT_KEYS)?;
    let objects = match members.take("objects") {
        Some((raw, at)) => names(problems, raw, &at, "an object")?,
        None => {
            problems.add(at, "MISSING_KEY", "expected `objects`, a list of objects");
            return None;
        }
    };
    let limit = optional(&mut members, "limit", |raw, at| problems.limit(raw, at));
    Some(Recent {
        objects,
        limit: limit.unwrap_or(RECENT_LIMIT),
    })
}

fn rules(problems: &mut Problems, raw: &RawValue, at: &str) -> Vec<TopRule> {
    let mut rules = Vec::new();
    let mut names: HashSet<String> = HashSet::new();
    let list = problems.list(raw, at, RULES_MAX).unwrap_or_default();
    for (nr, raw) in list.into_iter().enumerate() {
        let at = below(at, &nr.to_string());
        let Some(rule) = top_rule(problems, raw, &at) else {
            continue;
        };
        if let Some(name) = &rule.name
            && !names.insert(name.to_lowercase())
        {
            let message = format!("another rule is called {name:?}, too; give one another name");
            problems.add(&below(&at, "name"), "DUPLICATE_NAME", message);
        }
        rules.push(rule);
    }
    rules
}

fn top_rule(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<TopRule> {
    if raw.get().starts_with('"') {
        return problems.name(raw, at, "an object").map(|object| TopRule {
            object,
            ..TopRule::default()
        });
    }
    if !raw.get().starts_with('{') {
        problems.wrong_type(at, "the name of an object, or a rule as an object");
        return None;
    }
    let mut members = problems.object(raw, at, RULE_KEYS)?;
    let object = match members.take("object") {
        Some((raw, at)) => problems.name(raw, &at, "an object"),
        None => {
            problems.add(
                at,
                "MISSING_KEY",
                "expected `object`, the object whose records the rule takes",
            );
            None
        }
    };
    let name = optional(&mut members, "name", |raw, at| problems.text(raw, at));
    let title = name
        .as_ref()
        .or(object.as_ref())
        .cloned()
        .unwrap_or_default();
    let list_view = list_view(problems, &mut members);
    let has_order = members.take("order_by");
    let rule = TopRule {
        list_view,
        optional: optional(&mut members, "optional", |raw, at| {
            problems.boolean(raw, at)
        })
        .unwrap_or_default(),
        scope: optional(&mut members, "scope", |raw, at| scope(problems, raw, at))
            .unwrap_or_default(),
        filter: condition::filter(problems, &mut members, &title),
        order_by: has_order.as_ref().and_then(|(raw, at)| {
            let text = problems.text(raw, at)?;
            condition::order_by(problems, &text, at, &title)
        }),
        related: match members.take("related") {
            Some((raw, at)) => related(problems, raw, &at, &title, 1),
            None => Vec::new(),
        },
        limit: None,
        name,
        object: object.clone().unwrap_or_default(),
    };
    let limit = members.take("limit");
    if let Some((_, at)) = has_order.filter(|_| limit.is_none()) {
        let message = "an order says which records a limit keeps; add `limit`, or leave this out";
        problems.add(&at, "MISSING_KEY", message);
    }
    let limit = limit.and_then(|(raw, at)| problems.limit(raw, &at));
    object.map(|_| TopRule { limit, ..rule })
}

fn scope(problems: &mut Problems, raw: &RawValue, at: &str) -> Option<Scope> {
    if raw.get().starts_with('{') {
        let mut members = problems.object(raw, at, &["mine"])?;
        let Some((raw, at)) = members.take("mine") else {
            problems.add(
                at,
                "MISSING_KEY",
                "expected `mine`, the field that holds the user",
            );
            return None;
        };
        let field = problems.name(raw, &at, "a field that holds the user")?;
        return Some(Scope::Mine { field });
    }
    let text = problems.text(raw, at)?;
    let known = |word: &str| text.eq_ignore_ascii_case(word);
    if known("everything") {
        return Some(Scope::Everything);
    }
    if known("mine") {
        let field = String::from("OwnerId");
        return Some(Scope::Mine { field });
    }
    if known("queue") {
        return Some(Scope::Queue);
    }
    if let Some(own) = NAMED_SCOPES.into_iter().find(|own| known(own)) {
        return Some(Scope::Named(own.to_owned()));
    }
    let mut words = vec!["everything", "mine", "queue"];
    words.extend(NAMED_SCOPES);
    // A describe may name scopes that nobody has written about: only what looks mistyped is refused here.
    match tree::nearest(&text, &words) {
        Some(nearest) => {
            let message = format!("unknown scope; did you mean `{nearest}`?");
            problems.add(at, "UNKNOWN_SCOPE", message);
            None
        }
        None if tree::is_api_name(&text) => Some(Scope::Named(text)),
        None => {
            let message = format!("expected a scope, such as `{}`", words.join("`, `"));
            problems.add(at, "UNKNOWN_SCOPE", message);
            None
        }
    }
}

fn related(
    problems: &mut Problems,
    raw: &RawValue,
    at: &str,
    above: &str,
    depth: usize,
) -> Vec<RelatedRule> {
    if depth > DEPTH_MAX {
        let message = format!("related rules hang at most {DEPTH_MAX} deep");
        problems.add(at, "TOO_DEEP", message);
        return Vec::new();
    }
    let list = problems.list(raw, at, RULES_MAX).unwrap_or_default();
    let rules = list.into_iter().enumerate().filter_map(|(nr, raw)| {
        related_rule(problems, raw, &below(at, &nr.to_string()), above, depth)
    });
    rules.collect()
}

fn related_rule(
    problems: &mut Problems,
    raw: &RawValue,
    at: &str,
    above: &str,
    depth: usize,
) -> Option<RelatedRule> {
    let mut members = problems.object(raw, at, RELATED_KEYS)?;
    let path = path(problems, &mut members, at);
    let optional = optional(&mut members, "optional", |raw, at| {
        problems.boolean(raw, at)
    });
    let title = match &path {
        Some(RelatedPath::Children { object, .. }) => format!("{above} > {object}"),
        Some(RelatedPath::Parents { field, .. }) => format!("{above} > {field}"),
        None => above.to_owned(),
    };
    let filter = condition::filter(problems, &mut members, &title);
    let mut below = Vec::new();
    if let Some((raw, at)) = members.take("related") {
        if let Some(RelatedPath::Parents { objects, .. }) = &path
            && objects.len() > 1
        {
            let message = "records of several objects have no related rules in common; write one rule for each object";
            problems.add(&at, "CONFLICTING_KEYS", message);
        }
        below = related(problems, raw, &at, &title, depth + 1);
    }
    path.map(|path| RelatedRule {
        path,
        optional: optional.unwrap_or_default(),
        filter,
        related: below,
    })
}

fn path(problems: &mut Problems, members: &mut Members<'_>, at: &str) -> Option<RelatedPath> {
    let object = members.take("object");
    match (members.take("children"), members.take("parent")) {
        (Some((raw, at)), None) => {
            if let Some((_, at)) = object {
                let message = "`children` names the object already, as in `Contact.AccountId`; leave this out";
                problems.add(&at, "CONFLICTING_KEYS", message);
            }
            let text = problems.text(raw, &at)?;
            let path = text
                .split_once('.')
                .filter(|(object, field)| tree::is_api_name(object) && tree::is_api_name(field));
            if path.is_none() {
                let message =
                    "expected an object and its reference field, as in `Contact.AccountId`";
                problems.add(&at, "INVALID_NAME", message);
            }
            let (object, field) = path?;
            Some(RelatedPath::Children {
                object: object.to_owned(),
                field: field.to_owned(),
            })
        }
        (None, Some((raw, at))) => {
            let objects = match object {
                None => Vec::new(),
                Some((raw, at)) if raw.get().starts_with('[') => {
                    let objects = names(problems, raw, &at, "an object")?;
                    if objects.is_empty() {
                        let message = "expected at least one object; leave the key out to take all";
                        problems.add(&at, "EMPTY", message);
                    }
                    objects
                }
                Some((raw, at)) => vec![problems.name(raw, &at, "an object")?],
            };
            let field = problems.name(raw, &at, "a reference field of the rule above")?;
            Some(RelatedPath::Parents { field, objects })
        }
        (Some((_, at)), Some(_)) => {
            let message = "a related rule has either `children` or `parent`, not both";
            problems.add(&at, "CONFLICTING_KEYS", message);
            None
        }
        (None, None) => {
            let message =
                "expected `children` (as in `Contact.AccountId`) or `parent` (as in `AccountId`)";
            problems.add(at, "MISSING_KEY", message);
            None
        }
    }
}

/// Counts the rules when all of them are known.
fn check_rules(problems: &mut Problems, rules: &[Rule]) {
    if rules.len() > RULES_MAX {
        let message = format!(
            "{} rules, the related ones included, are too many; at most {RULES_MAX} are kept",
            rules.len()
        );
        problems.add("/rules", "TOO_MANY", message);
    }
    let mut keys: BTreeMap<String, HashSet<&str>> = BTreeMap::new();
    for rule in rules {
        if let Some(object) = &rule.object {
            keys.entry(object.to_lowercase())
                .or_default()
                .insert(&rule.key);
        }
    }
    for (object, keys) in keys
        .iter()
        .filter(|(_, keys)| keys.len() > RULES_PER_OBJECT_MAX)
    {
        let message = format!(
            "{} rules for the object {object:?} are too many; at most {RULES_PER_OBJECT_MAX} are kept",
            keys.len()
        );
        problems.add("/rules", "TOO_MANY", message);
    }
}
