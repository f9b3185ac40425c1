//! What another version of a briefcase changes on a device.

use super::Briefcase;
use super::document::{FieldsOf, ObjectOptions};
use super::flat::{Rule, Source};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt;

/// What a newer version of a briefcase changes on a device that holds the older one.
///
/// It says what moves, not how much: counts and sizes are the org's to tell, in a dry run.
/// Printed, it is a line for each change, and `nothing changes` without any.
///
/// # Examples
/// ```
/// use attache::Briefcase;
///
/// let old = Briefcase::from_json(r#"{"version": 1, "rules": ["Account", {"object": "Lead", "limit": 10}]}"#)?;
/// let new = Briefcase::from_json(r#"{"version": 1, "rules": [{"object": "Lead", "limit": 20}, "Task"]}"#)?;
/// let diff = old.diff(&new);
/// assert!(diff.downloads() && diff.evicts());
/// assert_eq!(diff.to_string(), "\
/// ~ rule \"Lead\" (limit): more of its records are downloaded
/// + rule \"Task\": its records are downloaded
/// - rule \"Account\": its records are evicted, but for those that another rule, a pin, a view or an unsent edit holds");
/// assert_eq!(old.diff(&old).to_string(), "nothing changes");
/// # Ok::<(), attache::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BriefcaseDiff {
    /// The rules of the newer version in their order, then those that it has no more. Related rules are rules of their own.
    pub rules: Vec<RuleDiff>,
    /// The objects whose options differ, in order of their names.
    pub objects: Vec<ObjectDiff>,
}

/// What becomes of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleDiff {
    /// Its name, in the newer version if it is there.
    pub name: String,
    /// What becomes of it.
    pub change: RuleChange,
}

/// The ways in which a rule can differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has the name of an older one and takes other records.
    Changed {
        /// Which keys differ: `object`, `list_view`, `scope`, `where`, `order_by`, `limit`, `parent` or `children`; `above`: the rule it hangs on.
        keys: Vec<&'static str>,
        /// Whether it can take records that it did not take.
        downloads: bool,
        /// Whether records that it took can leave it.
        evicts: bool,
    },
    /// It takes the same records under another name.
    Renamed {
        /// The older name.
        from: String,
    },
    /// It is as it was.
    Unchanged,
}

/// What changes for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectDiff {
    /// The object's name.
    pub object: String,
    /// Which fields are carried.
    pub fields: FieldsChange,
    /// Layouts are kept in one version only.
    pub layouts: bool,
    /// The client key differs; it holds for creates from now on.
    pub client_key: bool,
    /// The merge policy differs; it holds for what both sides change from now on.
    pub merge: bool,
    /// Other files come along; those that do no longer stay until their room is needed.
    pub files: bool,
}

/// How the list of carried fields differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldsChange {
    /// Not at all.
    Unchanged,
    /// Fields come and go.
    Changed {
        /// Those that are read for every record on the device.
        added: Vec<String>,
        /// Those that are dropped from the device.
        removed: Vec<String>,
    },
    /// All fields that the user may see are carried, no longer a list of them.
    ToAll,
    /// These fields only are carried, no longer all that the user may see.
    ToList(Vec<String>),
    /// The fields on layouts are carried, of one record type or of all; which those are, the org tells.
    ToLayouts(Option<String>),
}

impl Briefcase {
    /// Compares with a newer version.
    ///
    /// Rules are the same if they take the same records, whatever they are called and wherever they stand.
    pub fn diff(&self, newer: &Briefcase) -> BriefcaseDiff {
        BriefcaseDiff {
            rules: rules(self.rules(), newer.rules()),
            objects: objects(self, newer),
        }
    }
}

impl BriefcaseDiff {
    /// Says whether a device that takes the newer version has something to download.
    pub fn downloads(&self) -> bool {
        let rules = self.rules.iter().any(|rule| match &rule.change {
            RuleChange::Added => true,
            RuleChange::Changed { downloads, .. } => *downloads,
            RuleChange::Removed | RuleChange::Renamed { .. } | RuleChange::Unchanged => false,
        });
        rules
            || self.objects.iter().any(|object| match &object.fields {
                FieldsChange::ToAll | FieldsChange::ToLayouts(_) => true,
                FieldsChange::Changed { added, .. } => !added.is_empty(),
                FieldsChange::ToList(_) | FieldsChange::Unchanged => false,
            })
    }

    /// Says whether records can leave a device that takes the newer version.
    pub fn evicts(&self) -> bool {
        self.rules.iter().any(|rule| match &rule.change {
            RuleChange::Removed => true,
            RuleChange::Changed { evicts, .. } => *evicts,
            RuleChange::Added | RuleChange::Renamed { .. } | RuleChange::Unchanged => false,
        })
    }

    /// Says whether nothing differs, not even a name.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
            && self
                .rules
                .iter()
                .all(|rule| rule.change == RuleChange::Unchanged)
    }

    /// Writes it as one JSON object:
    /// `{"downloads", "evicts", "rules": [{"name", "change", "keys", "from"}], "objects": [{"object", "fields", "added", "removed", "layouts", "client_key", "merge", "files"}]}`.
    ///
    /// `change` is `added`, `removed`, `changed`, `renamed` or `unchanged`; `fields` is `unchanged`,
    /// `changed`, `to_all`, `to_layouts` or `to_list`, whose list is `added`.
    pub fn to_json(&self) -> String {
        let rules = self.rules.iter().map(|rule| {
            let (change, keys, from) = match &rule.change {
                RuleChange::Added => ("added", &[][..], None),
                RuleChange::Removed => ("removed", &[][..], None),
                RuleChange::Changed { keys, .. } => ("changed", &keys[..], None),
                RuleChange::Renamed { from } => ("renamed", &[][..], Some(from)),
                RuleChange::Unchanged => ("unchanged", &[][..], None),
            };
            json!({"name": rule.name, "change": change, "keys": keys, "from": from})
        });
        let none: &[String] = &[];
        let objects = self.objects.iter().map(|object| {
            let (fields, added, removed) = match &object.fields {
                FieldsChange::Unchanged => ("unchanged", none, none),
                FieldsChange::Changed { added, removed } => ("changed", &added[..], &removed[..]),
                FieldsChange::ToAll => ("to_all", none, none),
                FieldsChange::ToList(list) => ("to_list", &list[..], none),
                FieldsChange::ToLayouts(_) => ("to_layouts", none, none),
            };
            json!({
                "object": object.object, "fields": fields, "added": added, "removed": removed,
                "layouts": object.layouts, "client_key": object.client_key, "merge": object.merge,
                "files": object.files,
            })
        });
        let (rules, objects): (Vec<Value>, Vec<Value>) = (rules.collect(), objects.collect());
        json!({
            "downloads": self.downloads(), "evicts": self.evicts(), "rules": rules, "objects": objects,
        })
        .to_string()
    }
}

/// Says whether a newer rule is an older one.
type Test<'a> = &'a dyn Fn(&Rule, &Rule) -> bool;

fn rules(old: Vec<Rule>, new: Vec<Rule>) -> Vec<RuleDiff> {
    let mut taken = vec![false; old.len()];
    // A rule keeps its counterpart of the same name and meaning, then of the same meaning, then of the same name.
    let same_name = |a: &Rule, b: &Rule| a.name.eq_ignore_ascii_case(&b.name);
    let mut counterparts: Vec<Option<usize>> = vec![None; new.len()];
    let tests: [Test<'_>; 3] = [
        &|a, b| a.key == b.key && same_name(a, b),
        &|a, b| a.key == b.key,
        &|a, b| same_name(a, b),
    ];
    for test in tests {
        for (rule, counterpart) in new.iter().zip(&mut counterparts) {
            if counterpart.is_none() {
                *counterpart = (0..old.len()).find(|at| !taken[*at] && test(&old[*at], rule));
                if let Some(at) = *counterpart {
                    taken[at] = true;
                }
            }
        }
    }
    let kept = new
        .iter()
        .zip(&counterparts)
        .map(|(rule, counterpart)| RuleDiff {
            name: rule.name.clone(),
            change: match counterpart {
                None => RuleChange::Added,
                Some(at) if old[*at].key != rule.key => changed(&old, &old[*at], &new, rule),
                Some(at) if old[*at].name != rule.name => RuleChange::Renamed {
                    from: old[*at].name.clone(),
                },
                Some(_) => RuleChange::Unchanged,
            },
        });
    let mut diffs: Vec<RuleDiff> = kept.collect();
    for (rule, _) in old.iter().zip(&taken).filter(|(_, taken)| !**taken) {
        diffs.push(RuleDiff {
            name: rule.name.clone(),
            change: RuleChange::Removed,
        });
    }
    diffs
}

fn changed(old: &[Rule], from: &Rule, new: &[Rule], to: &Rule) -> RuleChange {
    let mut keys = Vec::new();
    let mut differs = |key, differs: bool| {
        if differs {
            keys.push(key);
        }
    };
    differs("object", from.object != to.object);
    differs("list_view", from.list_view != to.list_view);
    let text = |rule: &Rule| rule.filter.as_ref().map(ToString::to_string);
    let limits = match (&from.source, &to.source) {
        (
            Source::Top {
                scope,
                order_by,
                limit,
            },
            Source::Top {
                scope: to_scope,
                order_by: to_order,
                limit: to_limit,
            },
        ) => {
            differs("scope", scope != to_scope);
            differs("order_by", order_by != to_order);
            differs("limit", limit != to_limit);
            Some((limit.unwrap_or(u32::MAX), to_limit.unwrap_or(u32::MAX)))
        }
        (Source::Recent { limit }, Source::Recent { limit: to_limit }) => {
            differs("limit", limit != to_limit);
            Some((*limit, *to_limit))
        }
        (
            Source::Children { of, field },
            Source::Children {
                of: to_of,
                field: to_field,
            },
        ) => {
            differs("children", field != to_field);
            differs("above", old[*of].key != new[*to_of].key);
            None
        }
        (
            Source::Parents { of, field },
            Source::Parents {
                of: to_of,
                field: to_field,
            },
        ) => {
            differs("parent", field != to_field);
            differs("above", old[*of].key != new[*to_of].key);
            None
        }
        _ => {
            differs("above", true);
            None
        }
    };
    differs("where", text(from) != text(to));
    let only_limit = keys == ["limit"];
    RuleChange::Changed {
        downloads: limits.is_none_or(|(from, to)| !only_limit || to > from),
        evicts: limits.is_none_or(|(from, to)| !only_limit || to < from),
        keys,
    }
}

fn objects(old: &Briefcase, new: &Briefcase) -> Vec<ObjectDiff> {
    let names = |briefcase: &Briefcase| -> Vec<String> {
        briefcase.document.objects.keys().cloned().collect()
    };
    let mut seen = BTreeSet::new();
    let mut all: Vec<String> = [names(new), names(old)].concat();
    all.retain(|name| seen.insert(name.to_lowercase()));
    all.sort();
    let diffs = all.into_iter().map(|object| {
        let (from, to) = (old.options(&object), new.options(&object));
        ObjectDiff {
            fields: fields(&from, &to),
            layouts: from.wants_layouts() != to.wants_layouts(),
            client_key: from.client_key != to.client_key,
            merge: from.merge != to.merge,
            files: from.files != to.files,
            object,
        }
    });
    diffs
        .filter(|diff| {
            diff.fields != FieldsChange::Unchanged
                || diff.layouts
                || diff.client_key
                || diff.merge
                || diff.files
        })
        .collect()
}

fn fields(from: &ObjectOptions, to: &ObjectOptions) -> FieldsChange {
    let without = |list: &[String], other: &[String]| -> Vec<String> {
        let is_in = |name: &String| other.iter().any(|own| own.eq_ignore_ascii_case(name));
        list.iter().filter(|name| !is_in(name)).cloned().collect()
    };
    match (&from.fields, &to.fields) {
        (FieldsOf::These(from), FieldsOf::These(to)) => {
            let (added, removed) = (without(to, from), without(from, to));
            if added.is_empty() && removed.is_empty() {
                FieldsChange::Unchanged
            } else {
                FieldsChange::Changed { added, removed }
            }
        }
        (from, to) if from == to => FieldsChange::Unchanged,
        (_, FieldsOf::All) => FieldsChange::ToAll,
        (_, FieldsOf::These(list)) => FieldsChange::ToList(list.clone()),
        (_, FieldsOf::Layouts) => FieldsChange::ToLayouts(None),
        (_, FieldsOf::Layout(name)) => FieldsChange::ToLayouts(Some(name.clone())),
    }
}

const HELD: &str = "but for those that another rule, a pin, a view or an unsent edit holds";

impl fmt::Display for BriefcaseDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.iter().filter_map(line);
        let objects = self.objects.iter().flat_map(lines);
        let lines: Vec<String> = rules.chain(objects).collect();
        if lines.is_empty() {
            return f.write_str("nothing changes");
        }
        f.write_str(&lines.join("\n"))
    }
}

fn line(rule: &RuleDiff) -> Option<String> {
    let name = &rule.name;
    Some(match &rule.change {
        RuleChange::Unchanged => return None,
        RuleChange::Added => format!("+ rule {name:?}: its records are downloaded"),
        RuleChange::Removed => format!("- rule {name:?}: its records are evicted, {HELD}"),
        RuleChange::Renamed { from } => {
            format!("~ rule {name:?} was called {from:?}; nothing moves")
        }
        RuleChange::Changed {
            keys,
            downloads,
            evicts,
        } => {
            let what = match (downloads, evicts) {
                (true, false) => String::from("more of its records are downloaded"),
                (false, true) => format!("some of its records are evicted, {HELD}"),
                _ => format!(
                    "what it takes anew is downloaded, and what it takes no longer is evicted, {HELD}"
                ),
            };
            format!("~ rule {name:?} ({}): {what}", keys.join(", "))
        }
    })
}

fn lines(diff: &ObjectDiff) -> Vec<String> {
    let object = &diff.object;
    let mut lines = Vec::new();
    match &diff.fields {
        FieldsChange::Unchanged => {}
        FieldsChange::ToAll => lines.push(format!(
            "+ {object}: all fields are carried; those missing are downloaded for its records"
        )),
        FieldsChange::ToList(list) => lines.push(format!(
            "- {object}: only these fields are carried, the others are dropped from the device: {}",
            list.join(", ")
        )),
        FieldsChange::ToLayouts(of) => {
            let whose = match of {
                Some(name) => format!("the layout of the record type {name}"),
                None => String::from("its layouts"),
            };
            lines.push(format!(
                "~ {object}: the fields on {whose} are carried; which those are, the org tells"
            ));
        }
        FieldsChange::Changed { added, removed } => {
            if !added.is_empty() {
                lines.push(format!(
                    "+ {object}: fields downloaded for its records: {}",
                    added.join(", ")
                ));
            }
            if !removed.is_empty() {
                lines.push(format!(
                    "- {object}: fields dropped from the device: {}",
                    removed.join(", ")
                ));
            }
        }
    }
    if diff.layouts {
        lines.push(format!(
            "~ {object}: layouts are kept for forms in one of the versions only"
        ));
    }
    if diff.client_key {
        lines.push(format!(
            "~ {object}: another client key; it holds for creates from now on"
        ));
    }
    if diff.files {
        lines.push(format!(
            "~ {object}: other files come along; bytes that no longer do stay until their room is needed"
        ));
    }
    if diff.merge {
        lines.push(format!(
            "~ {object}: another merge policy; it holds for what both sides change from now on"
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &str, new: &str) -> BriefcaseDiff {
        let read =
            |rules: &str| Briefcase::from_json(&format!(r#"{{"version":1,{rules}}}"#)).unwrap();
        read(old).diff(&read(new))
    }

    #[test]
    fn a_rule_is_known_by_what_it_takes_and_then_by_its_name() {
        let diff = diff(
            r#""rules":["Account",{"name":"A","object":"Lead","scope":"mine"},{"name":"B","object":"Task"},{"name":"C","object":"Event"}]"#,
            r#""rules":[{"name":"B","object":"Task","where":"IsClosed = false"},{"name":"X","object":"Lead","scope":"mine"},"Contact","account"]"#,
        );
        let changes: Vec<(&str, &RuleChange)> = diff
            .rules
            .iter()
            .map(|rule| (rule.name.as_str(), &rule.change))
            .collect();
        let changed = RuleChange::Changed {
            keys: vec!["where"],
            downloads: true,
            evicts: true,
        };
        assert_eq!(
            changes,
            [
                ("B", &changed),
                ("X", &RuleChange::Renamed { from: "A".into() }),
                ("Contact", &RuleChange::Added),
                (
                    "account",
                    &RuleChange::Renamed {
                        from: "Account".into()
                    }
                ),
                ("C", &RuleChange::Removed),
            ]
        );
    }

    #[test]
    fn what_hangs_on_a_changed_rule_changes_with_it() {
        let diff = diff(
            r#""rules":[{"object":"Account","related":[{"children":"Contact.AccountId"}]}]"#,
            r#""rules":[{"object":"Account","scope":"mine","related":[{"children":"Contact.AccountId"},{"parent":"ParentId"}]}]"#,
        );
        assert_eq!(
            diff.to_string()
                .lines()
                .map(|line| line.split(':').next().unwrap())
                .collect::<Vec<_>>(),
            [
                "~ rule \"Account\" (scope)",
                "~ rule \"Account > Contact\" (above)",
                "+ rule \"Account > ParentId\""
            ]
        );
    }

    #[test]
    fn a_limit_alone_moves_records_one_way() {
        let rules = |limit: u32| format!(r#""rules":[{{"object":"Lead","limit":{limit}}}]"#);
        let (more, less) = (diff(&rules(5), &rules(9)), diff(&rules(9), &rules(5)));
        assert_eq!((more.downloads(), more.evicts()), (true, false));
        assert_eq!((less.downloads(), less.evicts()), (false, true));
        let free = diff(&rules(9), r#""rules":["Lead"]"#);
        assert_eq!((free.downloads(), free.evicts()), (true, false));
    }

    #[test]
    fn fields_and_options_are_compared_by_object() {
        let one = r#""rules":[],"objects":{"A":{"fields":["X","Y"],"client_key":"K"},"B":{},"C":{"fields":["X"]},"D":{"merge":{"default":"local"}}}"#;
        let two = r#""rules":[],"objects":{"a":{"fields":["y","Z"]},"B":{"fields":["X"]},"C":{},"D":{},"E":{}}"#;
        let both = diff(one, two);
        assert_eq!(
            both.to_string(),
            "- B: only these fields are carried, the others are dropped from the device: X\n\
             + C: all fields are carried; those missing are downloaded for its records\n\
             ~ D: another merge policy; it holds for what both sides change from now on\n\
             + a: fields downloaded for its records: Z\n\
             - a: fields dropped from the device: X\n\
             ~ a: another client key; it holds for creates from now on"
        );
        let json: Value = serde_json::from_str(&both.to_json()).unwrap();
        assert_eq!(json["objects"][3]["added"][0], "Z");
        assert!(both.downloads() && !both.evicts() && !both.is_empty());
        assert!(diff(two, two).is_empty());
    }
}
