//! The briefcase: what a device takes along.

use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Filter, Select};
use crate::merge::MergePolicy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the document that this library writes.
const VERSION: u32 = 1;
/// Rules of one object at most: each has a bit in its records.
pub(crate) const RULES_PER_OBJECT_MAX: usize = 60;
/// Related rules may hang below each other this deep.
const DEPTH_MAX: usize = 16;

/// A declared slice of an org: objects, their fields, and rules that choose records.
///
/// A briefcase is a JSON document that can be kept, sent and compared:
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
#[derive(Clone, Debug, PartialEq)]
pub struct Briefcase {
    pub(crate) document: Document,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    objects: BTreeMap<String, ObjectOptions>,
    rules: Vec<RuleDocument>,
}

/// What a briefcase says of an object, apart from its rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectOptions {
    /// The fields to carry; `None`: all that the user may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// The external-id field that carries a key of the client's in creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// What to do where both sides changed something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergePolicy>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum RuleDocument {
    Everything(String),
    Rule(Box<RuleBody>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    object: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    related: Vec<RelatedBody>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RelatedBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    children: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    related: Vec<RelatedBody>,
}

/// Whose records a rule takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Everything,
    Mine,
    /// A scope that only the server can evaluate, by its name.
    Named(String),
}

/// Where a rule's records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The rule chooses by itself.
    Top {
        scope: Scope,
        order_by: Option<String>,
        limit: Option<u32>,
    },
    /// The children of another rule's records, through this reference field of theirs.
    Children { of: usize, field: String },
    /// The parents of another rule's records, through that rule's reference field.
    Parents { of: usize, field: String },
}

/// One rule, with the rules related to it laid out flat behind it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    /// What the rule says, in one canonical text: two rules of the same key keep the same records.
    pub key: String,
    pub name: String,
    /// The object's name; for parents of a single-object reference, known only with the schema.
    pub object: Option<String>,
    pub source: Source,
    pub filter: Option<Filter>,
}

impl Briefcase {
    /// Reads a document.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for what is not such a document, with the
    /// line and column; [`ErrorKind::MalformedQuery`] for a condition or an order
    /// that cannot be read, with the rule's name and the position. Objects and
    /// fields are checked later, against the org.
    pub fn from_json(json: &str) -> Result<Briefcase> {
        let document: Document = serde_json::from_str(json).map_err(|error| {
            Error::invalid(format!("the briefcase is not a valid document: {error}"))
        })?;
        if document.version != VERSION {
            return Err(Error::invalid(format!(
                "the briefcase has version {}; this library reads version {VERSION}",
                document.version
            )));
        }
        for (object, options) in &document.objects {
            let policy = options.merge.iter();
            if let Some(problem) = policy.flat_map(MergePolicy::contradictions).next() {
                return Err(Error::invalid(format!("objects.{object}.merge.{problem}")));
            }
        }
        let briefcase = Briefcase { document };
        briefcase.rules()?;
        Ok(briefcase)
    }

    /// Prints the document, the same text for the same briefcase.
    pub fn to_json(&self) -> String {
        // A document holds strings, numbers, lists and string-keyed maps only.
        serde_json::to_string_pretty(&self.document).expect("a briefcase prints as JSON")
    }

    /// Takes everything of the named objects.
    pub fn everything<I: IntoIterator<Item = impl Into<String>>>(objects: I) -> Briefcase {
        let rules = objects
            .into_iter()
            .map(|object| RuleDocument::Everything(object.into()))
            .collect();
        Briefcase {
            document: Document {
                version: VERSION,
                name: None,
                objects: BTreeMap::new(),
                rules,
            },
        }
    }

    /// What the briefcase is called.
    pub fn name(&self) -> Option<&str> {
        self.document.name.as_deref()
    }

    /// The objects that the document names, in order of their names.
    pub fn objects(&self) -> impl Iterator<Item = String> {
        let rules = self.rules().unwrap_or_default();
        let names: std::collections::BTreeSet<String> = rules
            .into_iter()
            .filter_map(|rule| rule.object)
            .chain(self.document.objects.keys().cloned())
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

    /// Lays the rules out flat, parents before what is related to them.
    pub(crate) fn rules(&self) -> Result<Vec<Rule>> {
        let mut rules = Vec::new();
        for document in &self.document.rules {
            match document {
                RuleDocument::Everything(object) => {
                    let source = Source::Top {
                        scope: Scope::Everything,
                        order_by: None,
                        limit: None,
                    };
                    push_rule(
                        &mut rules,
                        object.clone(),
                        Some(object.clone()),
                        source,
                        None,
                    );
                }
                RuleDocument::Rule(body) => top_rule(&mut rules, body)?,
            }
        }
        Ok(rules)
    }
}

fn top_rule(rules: &mut Vec<Rule>, body: &RuleBody) -> Result<()> {
    let name = body.name.clone().unwrap_or_else(|| body.object.clone());
    let scope = match body
        .scope
        .as_deref()
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("everything") => Scope::Everything,
        Some("mine") => Scope::Mine,
        Some(other) => Scope::Named(other.to_owned()),
    };
    if body.limit == Some(0) {
        return Err(Error::invalid(format!(
            "rule {name:?}: a limit is at least 1"
        )));
    }
    if let Some(order) = &body.order_by {
        // The object's name is checked elsewhere; here only the order is at stake.
        let prefix = "SELECT Id FROM X ORDER BY ";
        Select::parse(&format!("{prefix}{order}")).map_err(|error| {
            let at = error
                .position()
                .map_or(1, |at| at.saturating_sub(prefix.len()) + 1);
            let message = format!("rule {name:?}, order_by: cannot be read near column {at}");
            Error::new(ErrorKind::MalformedQuery, message).with_source(error)
        })?;
    }
    let filter = condition(&name, body.condition.as_deref())?;
    let source = Source::Top {
        scope,
        order_by: body.order_by.clone(),
        limit: body.limit,
    };
    let at = push_rule(rules, name, Some(body.object.clone()), source, filter);
    related_rules(rules, at, &body.related, 1)
}

fn related_rules(
    rules: &mut Vec<Rule>,
    of: usize,
    related: &[RelatedBody],
    depth: usize,
) -> Result<()> {
    if depth > DEPTH_MAX && !related.is_empty() {
        return Err(Error::invalid(format!(
            "related rules hang at most {DEPTH_MAX} deep"
        )));
    }
    for body in related {
        let above = rules[of].name.clone();
        let (name, object, source) = match (&body.children, &body.parent) {
            (Some(path), None) => {
                let Some((object, field)) = path.split_once('.').filter(|_| body.object.is_none())
                else {
                    return Err(Error::invalid(format!(
                        "related to {above:?}: children are named by object and field alone, as in \"Contact.AccountId\""
                    )));
                };
                (
                    format!("{above} > {object}"),
                    Some(object.to_owned()),
                    Source::Children {
                        of,
                        field: field.to_owned(),
                    },
                )
            }
            (None, Some(field)) => {
                let name = format!("{above} > {}", body.object.as_ref().unwrap_or(field));
                (
                    name,
                    body.object.clone(),
                    Source::Parents {
                        of,
                        field: field.clone(),
                    },
                )
            }
            _ => {
                return Err(Error::invalid(format!(
                    "related to {above:?}: a related rule has either \"children\" or \"parent\""
                )));
            }
        };
        let filter = condition(&name, body.condition.as_deref())?;
        let at = push_rule(rules, name, object, source, filter);
        related_rules(rules, at, &body.related, depth + 1)?;
    }
    Ok(())
}

fn condition(rule: &str, text: Option<&str>) -> Result<Option<Filter>> {
    text.map(|text| {
        Filter::parse(text).map_err(|error| {
            let message = format!("rule {rule:?}, where: {error}");
            let at = error.position();
            let error = Error::new(error.kind(), message);
            match at {
                Some(at) => error.at(at),
                None => error,
            }
        })
    })
    .transpose()
}

fn push_rule(
    rules: &mut Vec<Rule>,
    name: String,
    object: Option<String>,
    source: Source,
    filter: Option<Filter>,
) -> usize {
    let from = match &source {
        Source::Top {
            scope,
            order_by,
            limit,
        } => format!("{scope:?} {order_by:?} {limit:?}"),
        Source::Children { of, field } => format!("children {field} of ({})", rules[*of].key),
        Source::Parents { of, field } => format!("parents {field} of ({})", rules[*of].key),
    };
    let condition = filter.as_ref().map(ToString::to_string);
    let key = format!("{} {from} {condition:?}", object.as_deref().unwrap_or("?"));
    rules.push(Rule {
        key,
        name,
        object,
        source,
        filter,
    });
    rules.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_prints_what_it_read() {
        let briefcase = Briefcase::everything(["Account", "Contact"]);
        assert_eq!(
            Briefcase::from_json(&briefcase.to_json()).expect("own text"),
            briefcase
        );
    }

    #[test]
    fn related_rules_lie_behind_their_parent() {
        let briefcase = Briefcase::from_json(
            r#"{"version":1,"rules":[{"object":"Opportunity","related":[{"parent":"AccountId","related":[{"children":"Contact.AccountId"}]}]}]}"#,
        )
        .expect("a valid document");
        let rules = briefcase.rules().expect("valid rules");
        assert_eq!(
            rules[1].source,
            Source::Parents {
                of: 0,
                field: "AccountId".into()
            }
        );
        assert_eq!(
            rules[2].source,
            Source::Children {
                of: 1,
                field: "AccountId".into()
            }
        );
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place() {
        let error = Briefcase::from_json(r#"{"version":1,"rules":[],"rule":[]}"#)
            .expect_err("a typing error");
        assert!(
            error.to_string().contains("rule") && error.to_string().contains("column"),
            "{error}"
        );
    }

    #[test]
    fn a_malformed_condition_names_the_rule_and_the_position() {
        let error = Briefcase::from_json(
            r#"{"version":1,"rules":[{"name":"Mine","object":"Account","where":"Name ="}]}"#,
        )
        .expect_err("an unfinished condition");
        assert_eq!(error.kind(), ErrorKind::MalformedQuery);
        assert!(
            error.to_string().starts_with("rule \"Mine\", where: "),
            "{error}"
        );
    }

    #[test]
    fn a_merge_policy_prints_as_it_was_read() {
        let json = r#"{"version":1,"objects":{"Contact":{"merge":{"default":"remote","fields":{"Description":"text"},"groups":[["Site","Floor__c"],{"fields":["Amount","Currency"],"policy":"local"}],"deletion":{"here":"deletion","there":"edit"}}}},"rules":[]}"#;
        let read = Briefcase::from_json(json).expect("a valid document");
        let print = serde_json::to_string(&read.document).expect("a document prints");
        assert_eq!(print, json);
    }

    #[test]
    fn a_merge_policy_that_contradicts_itself_is_refused_with_its_place() {
        for (merge, place) in [
            (r#"{"groups":[["A"]]}"#, "objects.Contact.merge.groups[0]: "),
            (
                r#"{"groups":[["A","B"],["b","C"]]}"#,
                "objects.Contact.merge.groups[1]: b is in groups[0]",
            ),
            (
                r#"{"fields":{"a":"local"},"groups":[{"fields":["A","B"],"policy":"remote"}]}"#,
                "objects.Contact.merge.fields.a: ",
            ),
            (
                r#"{"groups":[{"fields":["A","B"],"policy":"union"}]}"#,
                "objects.Contact.merge.groups[0].policy: ",
            ),
            (
                r#"{"fields":{"a":"local","A":"remote"}}"#,
                "objects.Contact.merge.fields: A and a",
            ),
            (r#"{"default":"mine"}"#, "unknown variant `mine`"),
            (r#"{"field":{}}"#, "unknown field `field`"),
            (r#"{"deletion":"never"}"#, "unknown variant `never`"),
            (r#"{"groups":["A"]}"#, "a list of fields, or"),
        ] {
            let json = format!(
                r#"{{"version":1,"objects":{{"Contact":{{"merge":{merge}}}}},"rules":[]}}"#
            );
            let error = Briefcase::from_json(&json).expect_err(merge).to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn another_version_is_refused() {
        assert!(Briefcase::from_json(r#"{"version":2,"rules":[]}"#).is_err());
    }
}
