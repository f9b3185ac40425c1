//! Checking a statement with aggregates.

use super::ast::{self, Expr, Grouping, How, Item};
use super::check::{is_number, json_key};
use super::condition::{Subject, shown};
use super::error::SoqlError;
use super::filter::Mode;
use super::plan::{Aggregate, By, Function, Groups, Leaf, Plan, Shape, Term};
use super::resolve::Scope;
use crate::describe::is_aggregatable;
use crate::schema::{FieldDef, FieldKind};

type Checked<T> = Result<T, SoqlError>;

/// Most fields ROLLUP and CUBE take.
const MOST_SUBTOTALS: usize = 3;

/// Says whether a statement groups rows instead of listing them.
pub(crate) fn is_aggregate(query: &ast::Query) -> bool {
    query.group.is_some()
        || query.select.iter().any(|item| {
            matches!(item, Item::Expr { expr: Expr::Call { name, .. }, .. } if function(&name.text).is_some())
        })
}

fn function(name: &str) -> Option<Function> {
    Some(match name.to_ascii_uppercase().as_str() {
        "COUNT" => Function::Count,
        "COUNT_DISTINCT" => Function::CountDistinct,
        "SUM" => Function::Sum,
        "AVG" => Function::Avg,
        "MIN" => Function::Min,
        "MAX" => Function::Max,
        "GROUPING" => Function::Grouping(0),
        _ => return None,
    })
}

impl Scope<'_> {
    /// Checks the select list, HAVING and ORDER BY of a statement with aggregates.
    pub(crate) fn group(&self, query: &ast::Query, plan: &mut Plan) -> Checked<()> {
        if let (None, Some((_, at))) = (&query.group, query.limit) {
            return Err(SoqlError::malformed(
                at,
                "LIMIT with an aggregate function requires a GROUP BY clause",
            ));
        }
        let by = query
            .group
            .as_ref()
            .map_or(&[] as &[Expr], |group| &group.by);
        let mut groups = Groups {
            keys: by
                .iter()
                .map(|expr| self.group_key(expr))
                .collect::<Checked<_>>()?,
            passes: passes(query.group.as_ref())?,
            aggregates: Vec::new(),
            outputs: Vec::new(),
            having: None,
        };
        let mut unnamed = 0;
        for item in &query.select {
            let Item::Expr { expr, alias } = item else {
                return Err(SoqlError::malformed(
                    query.from.at,
                    "Grouped query cannot use child relationships in the SELECT list",
                ));
            };
            let (value, kind) = self.group_value(expr, by, &mut groups)?;
            let key = match (alias, expr) {
                (Some(alias), _) => alias.clone(),
                (None, Expr::Path(_)) => self.column_name(&groups.keys[value], expr),
                (None, Expr::Call { .. }) => {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                }
            };
            let key = json_key(&key);
            if groups.outputs.iter().any(|(other, ..)| *other == key) {
                let message = format!("duplicate alias: {}", key.trim_matches([':', '"']));
                return Err(SoqlError::malformed(expr.at(), message));
            }
            groups.outputs.push((key, value, kind));
        }
        for order in &query.order {
            let (value, _) = self.group_value(&order.expr, by, &mut groups)?;
            plan.order.push(self.order_by(By::Group(value), order));
        }
        if let Some(having) = &query.having {
            let cell = std::cell::RefCell::new(&mut groups);
            let look_up = |expr: &Expr| {
                let mut groups = cell.borrow_mut();
                let (subject, kind) = self.group_value(expr, by, &mut groups)?;
                let mode = groups.keys.get(subject).map_or(Mode::Folded, Term::mode);
                Ok(Subject {
                    subject,
                    kind,
                    mode,
                    name: shown(expr),
                })
            };
            let checked = self.condition(having, &look_up, false)?;
            groups.having = Some(checked);
        }
        plan.shape = Shape::Groups(Box::new(groups));
        Ok(())
    }

    fn group_key(&self, expr: &Expr) -> Checked<Term> {
        let term = self.term(expr)?;
        if let Some(known) = self.field_of(&term)
            && (!known.groupable || known.formula.is_some())
        {
            let message = format!("field '{}' can not be grouped in a query call", shown(expr));
            return Err(SoqlError::malformed(expr.at(), message));
        }
        Ok(term)
    }

    /// Finds the definition of a field that stands alone; what a lookup to several objects leads to has none.
    fn field_of(&self, term: &Term) -> Option<&FieldDef> {
        let Term::Path(path) = term else { return None };
        let Leaf::Field(field) = path.leaf else {
            return None;
        };
        let object = path
            .hops
            .last()
            .map_or(Some(self.object), |hop| hop.target)?;
        Some(&self.eye.org.schema().objects()[object].fields[field])
    }

    /// Gives the canonical name of a grouped field, without its parents.
    fn column_name(&self, term: &Term, expr: &Expr) -> String {
        let fallback = || {
            shown(expr)
                .rsplit('.')
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let Term::Path(path) = term else {
            return fallback();
        };
        let object = path.hops.last().map_or(Some(self.object), |hop| hop.target);
        match (&path.leaf, object) {
            (Leaf::Field(field), Some(object)) => self.eye.org.schema().objects()[object].fields
                [*field]
                .name
                .clone(),
            _ => fallback(),
        }
    }

    /// Finds or adds the value an expression stands for: a key or an aggregate.
    fn group_value(
        &self,
        expr: &Expr,
        by: &[Expr],
        groups: &mut Groups,
    ) -> Checked<(usize, FieldKind)> {
        let same = |other: &Expr| shown(other).eq_ignore_ascii_case(&shown(expr));
        if let Some(key) = by.iter().position(same) {
            return Ok((key, groups.keys[key].kind()));
        }
        let ungrouped = || {
            SoqlError::malformed(
                expr.at(),
                format!("Field must be grouped or aggregated: {}", shown(expr)),
            )
        };
        let Expr::Call { name, args } = expr else {
            return Err(ungrouped());
        };
        let function = function(&name.text).ok_or_else(ungrouped)?;
        let aggregate = match (function, args.as_slice()) {
            (Function::Count, []) => Aggregate {
                function,
                term: None,
                kind: FieldKind::Int,
            },
            (Function::Grouping(_), [argument]) => {
                let wanted = shown(argument);
                let key = by
                    .iter()
                    .position(|other| shown(other).eq_ignore_ascii_case(&wanted))
                    .ok_or_else(ungrouped)?;
                Aggregate {
                    function: Function::Grouping(key),
                    term: None,
                    kind: FieldKind::Int,
                }
            }
            (_, [argument]) => self.aggregate(function, name, argument)?,
            _ => {
                return Err(SoqlError::malformed(
                    name.at,
                    format!("{} takes one field", name.text),
                ));
            }
        };
        let kind = aggregate.kind;
        groups.aggregates.push(aggregate);
        Ok((groups.keys.len() + groups.aggregates.len() - 1, kind))
    }

    fn aggregate(
        &self,
        function: Function,
        name: &ast::Name,
        argument: &Expr,
    ) -> Checked<Aggregate> {
        let term = self.term(argument)?;
        let kind = term.kind();
        let known = self.field_of(&term);
        let (fits, result) = match function {
            Function::Count | Function::CountDistinct => (true, FieldKind::Int),
            Function::Sum => (is_number(kind), kind),
            Function::Avg => (is_number(kind), FieldKind::Double),
            _ => (true, kind),
        };
        if !fits || !known.is_none_or(is_aggregatable) {
            let message = format!(
                "field {} does not support aggregate operator {}",
                shown(argument),
                name.text.to_ascii_uppercase()
            );
            return Err(SoqlError::malformed(argument.at(), message));
        }
        Ok(Aggregate {
            function,
            term: Some(term),
            kind: result,
        })
    }
}

/// Lists which keys each pass over the rows groups by.
fn passes(group: Option<&Grouping>) -> Checked<Vec<Vec<bool>>> {
    let Some(group) = group else {
        return Ok(vec![Vec::new()]);
    };
    let n = group.by.len();
    if group.how != How::Plain && n > MOST_SUBTOTALS {
        return Err(SoqlError::malformed(
            group.at,
            "ROLLUP and CUBE take at most 3 fields",
        ));
    }
    Ok(match group.how {
        How::Plain => vec![vec![true; n]],
        How::Rollup => (0..=n)
            .rev()
            .map(|kept| (0..n).map(|key| key < kept).collect())
            .collect(),
        How::Cube => (0..1_u32 << n)
            .rev()
            .map(|kept| (0..n).map(|key| kept & 1 << (n - 1 - key) != 0).collect())
            .collect(),
    })
}
