//! The describe of a list view.

use super::{BriefcaseImport, Notes, cannot_read, check_size, finish, query, rule_of_query};
use crate::briefcase::Briefcase;
use crate::briefcase::document::{Document, NAMED_SCOPES, Scope, TopRule, Written};
use crate::error::{Error, Result};
use crate::filter::Filter;
use serde::Deserialize;

/// Conditions in conditions at most.
const DEPTH_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    id: Option<String>,
    label: Option<String>,
    sobject_type: Option<String>,
    query: Option<String>,
    scope: Option<String>,
    scope_entity_id: Option<String>,
    related_entity_id: Option<String>,
    where_condition: Option<Where>,
    #[serde(default)]
    columns: Vec<Column>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Column {
    field_name_or_path: String,
    #[serde(default)]
    hidden: bool,
}

/// A test, a list of conditions, or the opposite of one: which of them, the members tell.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Where {
    field: Option<String>,
    operator: Option<String>,
    values: Vec<String>,
    conjunction: Option<String>,
    conditions: Vec<Where>,
    condition: Option<Box<Where>>,
}

impl Briefcase {
    /// Makes a briefcase of one rule from the describe of a list view
    /// (`/sobjects/X/listviews/ID/describe`), as the API answers it.
    ///
    /// The rule takes what the list shows, with all fields: the columns of a list are few, and a record is
    /// more than its line.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for what is no such describe, and for a list whose condition
    /// cannot be carried over: a rule without it would take other records.
    ///
    /// # Examples
    /// ```
    /// use attache::Briefcase;
    ///
    /// let import = Briefcase::from_list_view(r#"{
    ///   "id": "00BD0000005WcBe", "sobjectType": "Account", "scope": "mine", "columns": [],
    ///   "query": "SELECT name, toLabel(Type) FROM Account USING SCOPE mine WHERE CreatedDate = THIS_WEEK ORDER BY Name ASC NULLS FIRST",
    ///   "whereCondition": {"field": "CreatedDate", "operator": "equals", "values": ["THIS_WEEK"]}
    /// }"#)?;
    /// assert!(import.briefcase.to_json().contains(r#""where": "CreatedDate = THIS_WEEK""#));
    /// assert_eq!(import.notes.len(), 1); // the order
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn from_list_view(json: &str) -> Result<BriefcaseImport> {
        const WHAT: &str = "describe of a list view";
        check_size(json, WHAT)?;
        let view: Describe =
            serde_json::from_str(json).map_err(|error| cannot_read(WHAT, error))?;
        let name = match (&view.label, &view.id) {
            (Some(label), _) => label.clone(),
            (None, Some(id)) => format!("List view {id}"),
            (None, None) => String::from("List view"),
        };
        let mut notes = Notes::default();
        let mut rule = rule(&view, &name, &mut notes)?;
        scoped(&mut rule, &view, &name, &mut notes)?;
        for column in view.columns.iter().filter(|column| !column.hidden) {
            let path = &column.field_name_or_path;
            if let Some((relation, _)) = path.rsplit_once('.') {
                notes.add(format!(
                    "the column {path} shows a field of another record: add a related rule for {relation} to see it on the device"
                ));
            }
        }
        let document = Document {
            name: Some(name),
            rules: vec![rule],
            ..Document::default()
        };
        finish(document, notes)
    }
}

/// Makes what a rule takes of the describe of its list view: scope, condition, and the order if the rule has a limit.
///
/// # Errors
/// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for what is no such describe, one of another object, and a
/// list that shows less than a rule can say.
pub(in crate::briefcase) fn rule_of_list_view(json: &str, of: &TopRule) -> Result<TopRule> {
    const WHAT: &str = "describe of a list view";
    check_size(json, WHAT)?;
    let view: Describe = serde_json::from_str(json).map_err(|error| cannot_read(WHAT, error))?;
    let name = of.name.clone().unwrap_or_else(|| of.object.clone());
    let mut notes = Notes::default();
    let mut made = rule(&view, &name, &mut notes)?;
    scoped(&mut made, &view, &name, &mut notes)?;
    let queue = view
        .scope
        .as_deref()
        .is_some_and(|scope| scope.eq_ignore_ascii_case("queue"));
    let within = view
        .related_entity_id
        .as_ref()
        .or(view.scope_entity_id.as_ref());
    if within.is_some() && !(queue && view.scope_entity_id.is_some()) {
        return Err(Error::invalid(format!(
            "rule {name:?}: the list view is restricted to what belongs to one record, which a rule cannot say"
        )));
    }
    if !made.object.eq_ignore_ascii_case(&of.object) {
        return Err(Error::invalid(format!(
            "rule {name:?}: the list view is one of {}, not of {}",
            made.object, of.object
        )));
    }
    if let (Some(limit), Some(Ok(select))) = (of.limit, view.query.as_deref().map(query)) {
        let order: Vec<String> = select
            .statement()
            .order
            .iter()
            .map(ToString::to_string)
            .collect();
        made.limit = Some(limit);
        if !order.is_empty() {
            super::order_by(&mut made, &order.join(", "), &name, &mut notes);
        }
    }
    Ok(made)
}

/// The query says it all; the tree of conditions stands in where it cannot be read.
fn rule(view: &Describe, name: &str, notes: &mut Notes) -> Result<TopRule> {
    let read = view.query.as_deref().map(query);
    if let Some(Ok(select)) = &read {
        return rule_of_query(select, name, notes);
    }
    let object = view.sobject_type.clone();
    let Some(object) = object else {
        let what =
            "the describe of a list view has neither a query that can be read nor an sobjectType";
        return Err(Error::invalid(what));
    };
    let filter = view.where_condition.as_ref().map(|tree| {
        let text = condition(tree, 0)?;
        Filter::parse(&text).map_err(|error| {
            Error::invalid(format!(
                "the condition of the list view cannot be carried over: {error}"
            ))
        })
    });
    if let (None, Some(Err(error))) = (&filter, read) {
        return Err(cannot_read("query of the list view", error));
    }
    notes.add("the query could not be read; the rule is made of the conditions, and has no order");
    Ok(TopRule {
        name: Some(name.to_owned()),
        object,
        filter: filter.transpose()?.map(|filter| Written {
            filter,
            as_rows: false,
        }),
        ..TopRule::default()
    })
}

/// Prints a tree of conditions as SOQL. Its values are literals of SOQL already.
fn condition(tree: &Where, depth: usize) -> Result<String> {
    let broken = |what: &str| {
        Err(Error::invalid(format!(
            "the condition of the list view {what}"
        )))
    };
    if depth > DEPTH_MAX {
        return broken("is nested too deep");
    }
    if let Some(inner) = &tree.condition {
        return Ok(format!("(NOT ({}))", condition(inner, depth + 1)?));
    }
    if !tree.conditions.is_empty() {
        let word = match tree
            .conjunction
            .as_deref()
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("or") => " OR ",
            Some("and") => " AND ",
            _ => return broken("joins conditions by neither `and` nor `or`"),
        };
        let parts: Result<Vec<String>> = tree
            .conditions
            .iter()
            .map(|part| condition(part, depth + 1).map(|text| format!("({text})")))
            .collect();
        return Ok(parts?.join(word));
    }
    let (Some(field), Some(operator)) = (&tree.field, &tree.operator) else {
        return broken("has a part without a field or an operator");
    };
    let values = &tree.values;
    let joined = values.join(", ");
    let symbol = match operator.to_ascii_lowercase().as_str() {
        "equals" => "=",
        "notequals" | "notequal" => "!=",
        "lessthan" => "<",
        "lessthanorequalto" | "lessorequal" => "<=",
        "greaterthan" => ">",
        "greaterthanorequalto" | "greaterorequal" => ">=",
        "like" => "LIKE",
        "in" => return Ok(format!("{field} IN ({joined})")),
        "notin" => return Ok(format!("{field} NOT IN ({joined})")),
        "includes" => return Ok(format!("{field} INCLUDES ({joined})")),
        "excludes" => return Ok(format!("{field} EXCLUDES ({joined})")),
        other => return broken(&format!("has an operator that has no counterpart: {other}")),
    };
    match values.as_slice() {
        [one] => Ok(format!("{field} {symbol} {one}")),
        _ => broken("compares a field with no value or with several"),
    }
}

fn scoped(rule: &mut TopRule, view: &Describe, name: &str, notes: &mut Notes) -> Result<()> {
    let word = view.scope.as_deref().unwrap_or("everything");
    if word.eq_ignore_ascii_case("queue")
        && let Some(queue) = &view.scope_entity_id
    {
        let is_id =
            matches!(queue.len(), 15 | 18) && queue.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_id {
            return Err(Error::invalid(
                "the scopeEntityId of the list view is no id",
            ));
        }
        let own = Filter::parse(&format!("OwnerId = '{queue}'"))?;
        let filters: Vec<Filter> = rule
            .filter
            .iter()
            .map(|written| written.filter.clone())
            .chain([own])
            .collect();
        let filter = Filter::from_rows(&filters, "")?;
        rule.scope = Scope::Everything;
        rule.filter = Some(Written {
            filter,
            as_rows: false,
        });
        return Ok(());
    }
    if let Some(entity) = view
        .related_entity_id
        .as_ref()
        .or(view.scope_entity_id.as_ref())
    {
        notes.add(format!(
            "{name:?}: the list is restricted to what belongs to {entity}, which a rule cannot say: it takes more than the list shows"
        ));
    }
    if rule.scope == Scope::Everything {
        rule.scope = scope(word);
    }
    if let Scope::Named(word) = &rule.scope {
        notes.add(format!(
            "{name:?}: only the org can tell what is in the scope {word}"
        ));
    }
    Ok(())
}

/// A scope by its word, in whatever spelling: `myTerritory`, `MyTerritory`, `my_territory`.
pub(super) fn scope(word: &str) -> Scope {
    let plain = |word: &str| word.replace('_', "").to_ascii_lowercase();
    match plain(word).as_str() {
        "everything" => Scope::Everything,
        "mine" => Scope::Mine {
            field: "OwnerId".to_owned(),
        },
        "queue" => Scope::Queue,
        other => {
            let known = NAMED_SCOPES.into_iter().find(|own| plain(own) == other);
            Scope::Named(known.unwrap_or(word).to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(members: &str) -> Result<BriefcaseImport> {
        Briefcase::from_list_view(&format!(
            r#"{{"id":"00B1","label":"Mine","sobjectType":"Account",{members}}}"#
        ))
    }

    fn rule_json(import: &BriefcaseImport) -> serde_json::Value {
        let document: serde_json::Value =
            serde_json::from_str(&import.briefcase.to_json()).unwrap();
        document["rules"][0].clone()
    }

    #[test]
    fn a_tree_of_conditions_stands_in_for_a_query_that_cannot_be_read() {
        let import = view(
            r#""query":"SELECT Name FROM Account WHERE convertCurrency(AnnualRevenue) > 5","scope":"myTerritory","columns":[{"fieldNameOrPath":"Owner.Alias"},{"fieldNameOrPath":"Id","hidden":true}],
            "whereCondition":{"conjunction":"and","conditions":[{"field":"Name","operator":"like","values":["'A%'"]},
              {"condition":{"conjunction":"or","conditions":[{"field":"Rating","operator":"in","values":["'Hot'","'Warm'"]},{"field":"CreatedDate","operator":"greaterThanOrEqualTo","values":["LAST_N_DAYS:7"]}]}}]}"#,
        )
        .unwrap();
        let rule = rule_json(&import);
        assert_eq!(
            rule["where"],
            "Name LIKE 'A%' AND (NOT (Rating IN ('Hot', 'Warm') OR CreatedDate >= LAST_N_DAYS:7))"
        );
        assert_eq!(rule["scope"], "my_territory");
        assert_eq!(import.notes.len(), 3, "{:?}", import.notes);
    }

    #[test]
    fn a_list_of_a_queue_is_what_that_queue_owns() {
        let import = view(
            r#""query":"SELECT Name FROM Account WHERE Name != null LIMIT 5","scope":"queue","scopeEntityId":"00G000000000001AAA""#,
        )
        .unwrap();
        assert_eq!(
            rule_json(&import)["where"],
            "Name != null AND OwnerId = '00G000000000001AAA'"
        );
    }

    #[test]
    fn a_list_that_would_take_other_records_is_refused() {
        for members in [
            r#""query":"SELECT Name FROM Account WHERE convertCurrency(AnnualRevenue) > 5""#,
            r#""whereCondition":{"field":"A","operator":"within","values":["1"]}"#,
            r#""whereCondition":{"field":"A","operator":"equals","values":["1 OR B = 2","3"]}"#,
            r#""whereCondition":{"conjunction":"xor","conditions":[{"field":"A"}]}"#,
            r#""query":"SELECT COUNT(Id) FROM Account GROUP BY Name""#,
        ] {
            assert!(view(members).is_err(), "{members}");
        }
        assert!(Briefcase::from_list_view("[]").is_err());
        assert!(Briefcase::from_list_view("{}").is_err());
    }
}
