//! Rules that are made of list views, once the org has told what those say.

use super::Briefcase;
use super::document::{ListView, TopRule};
use super::import::rule_of_list_view;
use crate::error::{Error, Result};

impl Briefcase {
    /// The list views that rules are made of, as (object, name), each once.
    pub(crate) fn list_views(&self) -> Vec<(String, String)> {
        let mut views: Vec<(String, String)> = Vec::new();
        for rule in &self.document.rules {
            let Some(view) = &rule.list_view else {
                continue;
            };
            if !views.iter().any(|(object, name)| is(rule, object, name)) {
                views.push((rule.object.clone(), view.name.clone()));
            }
        }
        views
    }

    /// Says whether a rule can be made of the describe of a list view.
    pub(crate) fn can_follow(object: &str, describe: &str) -> Result<()> {
        let rule = TopRule {
            object: object.to_owned(),
            ..TopRule::default()
        };
        rule_of_list_view(describe, &rule).map(|_| ())
    }

    /// Makes the rules of a list view say what its describe does.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a list view that no rule can be made of.
    pub(crate) fn tell_list_view(
        &mut self,
        object: &str,
        name: &str,
        describe: &str,
    ) -> Result<()> {
        let rules = self.document.rules.iter_mut();
        for rule in rules.filter(|rule| is(rule, object, name)) {
            let told = rule_of_list_view(describe, rule)?;
            (rule.scope, rule.filter, rule.order_by) = (told.scope, told.filter, told.order_by);
            rule.list_view = Some(ListView {
                name: name.to_owned(),
                told: true,
            });
        }
        Ok(())
    }

    /// Takes the optional rules of a list view that is not there out, and gives their names.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for one that is not optional.
    pub(crate) fn without_list_view(&mut self, object: &str, name: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for rule in self
            .document
            .rules
            .iter()
            .filter(|rule| is(rule, object, name))
        {
            let title = rule.name.as_ref().unwrap_or(&rule.object);
            if !rule.optional {
                return Err(Error::invalid(format!(
                    "rule {title:?}: the org has no list view {name} of {object} for this user"
                )));
            }
            names.push(title.clone());
        }
        self.document.rules.retain(|rule| !is(rule, object, name));
        Ok(names)
    }
}

/// Says whether a rule is made of this list view.
fn is(rule: &TopRule, object: &str, name: &str) -> bool {
    let view = rule.list_view.as_ref();
    rule.object.eq_ignore_ascii_case(object)
        && view.is_some_and(|view| view.name.eq_ignore_ascii_case(name))
}
