//! Briefcases to begin with.

use super::Briefcase;
use crate::error::{Error, Result};

/// The templates by their names, in order of these.
const TEMPLATES: [(&str, &str); 2] = [
    (
        "field-sales",
        include_str!("../../templates/field-sales.json"),
    ),
    (
        "field-service",
        include_str!("../../templates/field-service.json"),
    ),
];

impl Briefcase {
    /// The names of the templates.
    pub fn templates() -> impl Iterator<Item = &'static str> {
        TEMPLATES.iter().map(|(name, _)| *name)
    }

    /// Gives a briefcase to begin with, by its name.
    ///
    /// | name | what it takes |
    /// |---|---|
    /// | `field-sales` | "My Accounts" with contacts and open opportunities, "My Opportunities Closing in the Next 90 Days", open leads, "Tasks Due This Week" and the events of the next 30 days, with what they are about |
    /// | `field-service` | appointments of two weeks that the user is assigned to, their work orders and line items, products required and consumed, accounts, contacts, assets and the work orders of these in the last two years, and the product items at the location of the user's service resource (the van) |
    ///
    /// Everything in `field-service` that an org can lack is optional: its report says
    /// which rules found nothing to follow.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for a name that is none of [`templates`](Briefcase::templates).
    ///
    /// # Examples
    /// ```
    /// use attache::Briefcase;
    ///
    /// let briefcase = Briefcase::template("field-sales")?;
    /// assert_eq!(
    ///     briefcase.objects().collect::<Vec<_>>(),
    ///     ["Account", "Contact", "Event", "Lead", "Opportunity", "Task"],
    /// );
    /// # Ok::<(), attache::Error>(())
    /// ```
    ///
    /// # Source
    /// Objects and fields: the standard objects and the Field Service data model of the Object Reference.
    pub fn template(name: &str) -> Result<Briefcase> {
        match TEMPLATES.iter().find(|(own, _)| *own == name) {
            Some((_, json)) => Briefcase::from_json(json),
            None => {
                let names: Vec<&str> = Briefcase::templates().collect();
                Err(Error::invalid(format!(
                    "there is no template {name:?}; there are {}",
                    names.join(" and ")
                )))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_kept_in_its_canonical_form() {
        for (name, json) in TEMPLATES {
            let briefcase =
                Briefcase::template(name).unwrap_or_else(|e| panic!("{:?}", e.problems()));
            assert_eq!(format!("{}\n", briefcase.to_json()), json, "{name}");
        }
    }

    #[test]
    fn what_an_org_without_field_service_has_not_is_optional() {
        let own = ["Account", "Contact"];
        for rule in Briefcase::template("field-service").unwrap().rules() {
            // What hangs on an optional rule goes with it.
            let above = match &rule.source {
                super::super::Source::Children { .. } | super::super::Source::Parents { .. } => {
                    true
                }
                _ => rule.optional,
            };
            let object = rule.object.as_deref().unwrap_or_default();
            assert!(above || own.contains(&object), "{}", rule.name);
        }
    }

    #[test]
    fn another_name_is_answered_with_those_there_are() {
        let error = Briefcase::template("sales").unwrap_err().to_string();
        assert_eq!(
            error,
            r#"there is no template "sales"; there are field-sales and field-service"#
        );
    }
}
