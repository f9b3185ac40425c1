//! Lays the rules of a document out flat, parents before what is related to them.

use super::Briefcase;
use super::document::{RelatedPath, RelatedRule, Scope, TopRule, Written};
use crate::filter::Filter;
use std::collections::HashSet;

/// Where a rule's records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The rule chooses by itself.
    Top {
        scope: Scope,
        order_by: Option<String>,
        limit: Option<u32>,
    },
    /// What the user looked at last, at the server: so many records at most.
    Recent { limit: u32 },
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
    /// What it is called; no two rules have the same name.
    pub name: String,
    /// The object's name; `None` for parents of whatever object the reference points at.
    pub object: Option<String>,
    /// An org without the object does without the rule, and without those that hang on it.
    pub optional: bool,
    pub source: Source,
    pub filter: Option<Filter>,
    /// The list view that it is made of.
    pub list_view: Option<String>,
}

impl Briefcase {
    /// Lays the rules out flat, parents before what is related to them.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let mut flat = Flat::default();
        // A name that somebody chose goes before one that is made here.
        let chosen = self
            .document
            .rules
            .iter()
            .filter_map(|rule| rule.name.as_ref());
        flat.names.extend(chosen.map(|name| name.to_lowercase()));
        for rule in &self.document.rules {
            flat.top(rule);
        }
        if let Some(recent) = &self.document.recent {
            for object in &recent.objects {
                let source = Source::Recent {
                    limit: recent.limit,
                };
                let name = flat.name(format!("Recently viewed {object}"));
                // Recents are a convenience: an org that does not keep them for an object has none.
                flat.push(name, Some(object.clone()), true, source, None);
            }
        }
        flat.rules
    }
}

#[derive(Default)]
struct Flat {
    rules: Vec<Rule>,
    /// Names in use, in lower case.
    names: HashSet<String>,
}

impl Flat {
    /// Makes a name that no other rule has.
    fn name(&mut self, wish: String) -> String {
        let mut name = wish.clone();
        let mut nr = 1;
        while !self.names.insert(name.to_lowercase()) {
            nr += 1;
            name = format!("{wish} ({nr})");
        }
        name
    }

    fn top(&mut self, rule: &TopRule) {
        let name = match &rule.name {
            Some(name) => name.clone(),
            None => self.name(rule.object.clone()),
        };
        let source = Source::Top {
            scope: rule.scope.clone(),
            order_by: rule.order_by.as_ref().map(|order| order.full.clone()),
            limit: rule.limit,
        };
        let object = Some(rule.object.clone());
        let at = self.push(name, object, rule.optional, source, rule.filter.as_ref());
        if let Some(view) = &rule.list_view {
            self.rules[at].list_view = Some(view.name.clone());
            if !view.told {
                self.rules[at]
                    .key
                    .push_str(&format!(" list view {}", view.name));
            }
        }
        self.related(at, &rule.related);
    }

    fn related(&mut self, of: usize, related: &[RelatedRule]) {
        for rule in related {
            let (field, objects) = match &rule.path {
                RelatedPath::Children { object, field } => (field, vec![Some(object.clone())]),
                RelatedPath::Parents { field, objects } if objects.is_empty() => {
                    (field, vec![None])
                }
                RelatedPath::Parents { field, objects } => {
                    (field, objects.iter().cloned().map(Some).collect())
                }
            };
            for object in objects {
                let above = &self.rules[of].name;
                let wish = format!("{above} > {}", object.as_ref().unwrap_or(field));
                let name = self.name(wish);
                let field = field.clone();
                let source = match &rule.path {
                    RelatedPath::Children { .. } => Source::Children { of, field },
                    RelatedPath::Parents { .. } => Source::Parents { of, field },
                };
                let at = self.push(name, object, rule.optional, source, rule.filter.as_ref());
                self.related(at, &rule.related);
            }
        }
    }

    fn push(
        &mut self,
        name: String,
        object: Option<String>,
        optional: bool,
        source: Source,
        filter: Option<&Written>,
    ) -> usize {
        let key = self.key(object.as_deref(), &source, filter);
        self.rules.push(Rule {
            key,
            name,
            object,
            optional,
            source,
            filter: filter.map(|written| written.filter.clone()),
            list_view: None,
        });
        self.rules.len() - 1
    }

    /// What a rule says, its name and whether it is optional left out.
    fn key(&self, object: Option<&str>, source: &Source, filter: Option<&Written>) -> String {
        let mut key = object.unwrap_or("?").to_ascii_lowercase();
        match source {
            Source::Top {
                scope,
                order_by,
                limit,
            } => {
                match scope {
                    Scope::Everything => {}
                    Scope::Mine { field } => key.push_str(&format!(" mine by {field}")),
                    Scope::Queue => key.push_str(" of my queues"),
                    Scope::Named(name) => key.push_str(&format!(" using scope {name}")),
                }
                if let Some(order) = order_by {
                    key.push_str(&format!(" order by {order}"));
                }
                if let Some(limit) = limit {
                    key.push_str(&format!(" limit {limit}"));
                }
            }
            Source::Recent { limit } => key.push_str(&format!(" recent {limit}")),
            Source::Children { of, field } => {
                key.push_str(&format!(" by {field} of ({})", self.rules[*of].key));
            }
            Source::Parents { of, field } => {
                key.push_str(&format!(" through {field} of ({})", self.rules[*of].key));
            }
        }
        if let Some(written) = filter {
            key.push_str(&format!(" where {}", written.filter));
        }
        key
    }
}
