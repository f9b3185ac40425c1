//! Checking a statement against the schema.

use super::ast::{self, Condition, Expr, Item, Op, Which};
use super::error::SoqlError;
use super::eval::Eye;
use super::filter::{Pred, Test};
use super::plan::{By, Column, Leaf, OrderBy, Plan, Reach, Shape, Term};
use super::resolve::{Scope, no_column};
use crate::org::SaveError;
use crate::schema::FieldKind;
use std::sync::Arc;

type Checked<T> = Result<T, SoqlError>;

const MOST_OFFSET: u64 = 2_000;
const MOST_CHILDREN: usize = 20;
const MOST_ORDER: usize = 32;
const DEEPEST_CHILDREN: usize = 5;

/// The fields of which a query of ContentDocumentLink must name one.
const ENDS: [&str; 3] = ["Id", "ContentDocumentId", "LinkedEntityId"];
const ONE_END: &str = "Implementation restriction: ContentDocumentLink requires a filter by a single Id on \
                       ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using the IN operator.";

/// Checks a statement and says what to do for it.
pub(crate) fn plan(eye: Eye<'_>, query: &ast::Query) -> Checked<Plan> {
    let root = Scope::lookup(eye, &query.from)?;
    Scope::new(eye, root, query).plan(query, 0)
}

impl<'a> Scope<'a> {
    fn lookup(eye: Eye<'a>, from: &ast::Name) -> Checked<usize> {
        eye.org.known(eye.viewer, &from.text).ok_or_else(|| {
            SoqlError::new(
                "INVALID_TYPE",
                from.at,
                SaveError::unsupported_object(&from.text).message,
            )
        })
    }

    /// Finds the object of a FROM.
    pub(crate) fn object_of(&self, from: &ast::Name) -> Checked<usize> {
        Scope::lookup(self.eye, from)
    }

    fn plan(&self, query: &ast::Query, depth: usize) -> Checked<Plan> {
        if depth == 0 {
            self.check_restriction(query)?;
        }
        let reach = self.reach(query)?;
        let filter = query
            .filter
            .as_ref()
            .map(|condition| self.filter(condition))
            .transpose()?;
        if query.order.len() > MOST_ORDER {
            return Err(SoqlError::malformed(
                query.order[MOST_ORDER].expr.at(),
                "too many fields in ORDER BY",
            ));
        }
        let limit = query
            .limit
            .map(|(limit, _)| usize::try_from(limit).unwrap_or(usize::MAX));
        let offset = match query.offset {
            Some((offset, at)) if offset > MOST_OFFSET => {
                let message = format!("Maximum SOQL offset allowed is {MOST_OFFSET}");
                return Err(SoqlError::new("NUMBER_OUTSIDE_VALID_RANGE", at, message));
            }
            Some((offset, _)) => offset as usize,
            None => 0,
        };
        let mut plan = Plan {
            object: self.object,
            shape: Shape::Count,
            filter,
            reach,
            order: Vec::new(),
            limit,
            offset,
        };
        if let [Item::CountRows { at }] = query.select.as_slice() {
            if query.group.is_some() || !query.order.is_empty() || depth > 0 {
                return Err(SoqlError::malformed(
                    *at,
                    "COUNT() cannot be used with GROUP BY, ORDER BY or in a subquery",
                ));
            }
            return Ok(plan);
        }
        if super::grouping::is_aggregate(query) {
            if depth > 0 {
                return Err(SoqlError::malformed(
                    query.from.at,
                    "Aggregates are not allowed in a subquery",
                ));
            }
            self.group(query, &mut plan)?;
            return Ok(plan);
        }
        if let Some(having) = query.having.as_ref().map(|_| query.from.at) {
            return Err(SoqlError::malformed(
                having,
                "HAVING clause requires a GROUP BY clause",
            ));
        }
        plan.order = query
            .order
            .iter()
            .map(|order| self.order(order))
            .collect::<Checked<_>>()?;
        plan.shape = Shape::Rows(self.columns(query, &plan, depth)?);
        Ok(plan)
    }

    /// Links of files are found from one of their ends, never looked through (§12).
    fn check_restriction(&self, query: &ast::Query) -> Checked<()> {
        let filter = query.filter.as_ref();
        if self.definition().name != "ContentDocumentLink"
            || filter.is_some_and(|condition| self.names_an_end(condition))
        {
            return Ok(());
        }
        Err(SoqlError::malformed(query.from.at, ONE_END))
    }

    fn names_an_end(&self, condition: &Condition) -> bool {
        let (left, equal) = match condition {
            Condition::And(parts) => return parts.iter().any(|part| self.names_an_end(part)),
            Condition::Compare { left, op, .. } => (left, *op == Op::Equal),
            Condition::In { left, negated, .. } | Condition::InQuery { left, negated, .. } => {
                (left, !negated)
            }
            _ => return false,
        };
        let Expr::Path(path) = left else { return false };
        match self.expand(&path.steps).as_slice() {
            [one] => equal && ENDS.iter().any(|end| end.eq_ignore_ascii_case(one)),
            _ => false,
        }
    }

    fn reach(&self, query: &ast::Query) -> Checked<Reach> {
        let Some(scope) = &query.scope else {
            return Ok(Reach::Everything);
        };
        let supported = self
            .definition()
            .scopes
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&scope.text));
        match scope.text.to_ascii_lowercase().as_str() {
            "mine" if supported => Ok(Reach::Mine),
            "team" if supported => Ok(Reach::Team),
            "my_territory" if supported => Ok(Reach::Territory),
            "my_team_territory" if supported => Ok(Reach::TeamTerritory),
            "delegated" if supported => Ok(Reach::Delegated),
            "queue_owned" if supported => Ok(Reach::Queue),
            "user_owned" if supported => Ok(Reach::UserOwned),
            "team_by_role" if supported => Ok(Reach::TeamByRole),
            "mine_and_my_groups" if supported => Ok(Reach::MineAndGroups),
            // No scoping rules are set up, so they narrow nothing.
            "everything" | "scopingrule" if supported => Ok(Reach::Everything),
            _ => {
                let message = format!(
                    "{} is not a supported scope for {}",
                    scope.text,
                    self.definition().name
                );
                Err(SoqlError::new("INVALID_QUERY_SCOPE", scope.at, message))
            }
        }
    }

    fn order(&self, order: &ast::Order) -> Checked<OrderBy> {
        let term = self.term(&order.expr)?;
        if let Term::Path(path) = &term
            && let Leaf::Field(field) = path.leaf
        {
            let object = path.hops.last().map_or(Some(self.object), |hop| hop.target);
            let sortable = object.is_none_or(|object| {
                self.eye.org.schema().objects()[object].fields[field].sortable
            });
            if !sortable {
                let name = super::condition::shown(&order.expr);
                let message = format!("field '{name}' can not be sorted in a query call");
                return Err(SoqlError::malformed(order.expr.at(), message));
            }
        }
        let through_lookup = term.kind() == FieldKind::Reference
            || matches!(&term, Term::Path(path) if !path.hops.is_empty());
        let mut checked = self.order_by(By::Term(term), order);
        // The platform does not honour NULLS LAST here.
        checked.nulls_first |= through_lookup && order.nulls_first == Some(false);
        Ok(checked)
    }

    pub(crate) fn order_by(&self, by: By, order: &ast::Order) -> OrderBy {
        let default =
            !order.descending || self.eye.org.config().switches.nulls_first_when_descending;
        OrderBy {
            by,
            descending: order.descending,
            nulls_first: order.nulls_first.unwrap_or(default),
        }
    }

    /// Checks the select list of a query for rows.
    fn columns(&self, query: &ast::Query, plan: &Plan, depth: usize) -> Checked<Vec<Column>> {
        let mut columns = Vec::new();
        let mut children = 0;
        for item in &query.select {
            match item {
                Item::Expr {
                    expr: Expr::Path(_),
                    alias: Some(alias),
                } => {
                    let message = format!("only aggregate expressions use field aliasing: {alias}");
                    return Err(SoqlError::malformed(query.select_at(item), message));
                }
                Item::Expr {
                    expr: Expr::Path(path),
                    alias: None,
                } => self.select(&mut columns, path, None)?,
                Item::Expr {
                    expr: Expr::Call { name, args },
                    alias,
                } => {
                    self.select_call(&mut columns, name, args, alias.as_deref())?;
                }
                Item::CountRows { at } => {
                    return Err(SoqlError::malformed(*at, "COUNT() must be the only entry"));
                }
                Item::Fields { which, at } => {
                    self.expand_fields(&mut columns, *which, *at, plan)?
                }
                Item::Children(inner) => {
                    children += 1;
                    if children > MOST_CHILDREN || depth + 1 >= DEEPEST_CHILDREN {
                        return Err(SoqlError::malformed(inner.from.at, "too many subqueries"));
                    }
                    columns.push(self.children(inner, depth)?);
                }
                Item::TypeOf(type_of) => columns.push(self.type_of(type_of)?),
            }
        }
        Ok(columns)
    }

    /// Adds a field or parent path to a select list.
    fn select(
        &self,
        columns: &mut Vec<Column>,
        path: &ast::Path,
        label: Option<&str>,
    ) -> Checked<()> {
        // The path must be right as a whole before its steps are looked at one by one.
        let checked = self.path(path)?;
        let steps = self.expand(&path.steps);
        let (mut object, mut columns) = (Some(self.object), columns);
        let (_, parents) = steps
            .split_last()
            .ok_or_else(|| SoqlError::malformed(path.at, "empty path"))?;
        for (step, hop) in parents.iter().zip(&checked.hops) {
            let lookup = object
                .and_then(|object| self.eye.org.schema().objects()[object].parent_field(step));
            let name = lookup
                .and_then(|field| field.relationship_name.as_deref())
                .unwrap_or(step);
            let key = json_key(name);
            let known = columns.iter().position(
                |column| matches!(column, Column::Parent { key: other, .. } if *other == key),
            );
            let at = known.unwrap_or_else(|| {
                columns.push(Column::Parent {
                    key,
                    hop: hop.clone(),
                    columns: Vec::new(),
                });
                columns.len() - 1
            });
            match &mut columns[at] {
                Column::Parent { columns: inner, .. } => columns = inner,
                _ => return Ok(()),
            }
            object = hop.target;
        }
        let leaf_name = steps.last().map_or("", String::as_str);
        let column = self.leaf(&checked.leaf, object, label);
        push_once(columns, column, leaf_name)
    }

    fn leaf(&self, leaf: &Leaf, object: Option<usize>, alias: Option<&str>) -> Column {
        match (leaf, object) {
            (Leaf::Field(field), Some(object)) => {
                let canonical = &self.eye.org.schema().objects()[object].fields[*field].name;
                match alias {
                    None => Column::Field {
                        key: json_key(canonical),
                        field: *field,
                    },
                    Some("") => Column::Label {
                        key: json_key(canonical),
                        field: *field,
                    },
                    Some(alias) => Column::Label {
                        key: json_key(alias),
                        field: *field,
                    },
                }
            }
            (Leaf::Named(name, fields), _) => Column::Named {
                key: json_key(name),
                fields: fields.clone(),
            },
            _ => Column::Type {
                key: json_key("Type"),
            },
        }
    }

    /// Adds `toLabel(f)`, `FORMAT(f)` or `convertCurrency(f)`.
    fn select_call(
        &self,
        columns: &mut Vec<Column>,
        name: &ast::Name,
        args: &[Expr],
        alias: Option<&str>,
    ) -> Checked<()> {
        let function = name.text.to_ascii_lowercase();
        match (function.as_str(), args) {
            ("tolabel", [Expr::Path(path)]) => {
                self.select(columns, path, Some(alias.unwrap_or("")))
            }
            ("convertcurrency" | "format", [Expr::Path(path)]) => {
                // One currency, and numbers are formatted as they are.
                self.select(columns, path, alias)
            }
            _ => {
                let message = format!(
                    "Invalid function or function outside GROUP BY: {}",
                    name.text
                );
                Err(SoqlError::malformed(name.at, message))
            }
        }
    }

    fn expand_fields(
        &self,
        columns: &mut Vec<Column>,
        which: Which,
        at: usize,
        plan: &Plan,
    ) -> Checked<()> {
        let bounded = plan.limit.is_some_and(|limit| limit <= 200) || self.names_few_ids(plan);
        if which != Which::Standard && !bounded {
            let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
            return Err(SoqlError::malformed(at, message));
        }
        let definition = self.definition();
        let before = columns.len();
        for (field, known) in definition.fields.iter().enumerate() {
            let wanted = match which {
                Which::All => true,
                Which::Standard => !known.custom,
                Which::Custom => known.custom,
            };
            if wanted && self.eye.org.readable(self.eye.viewer, self.object, field) {
                push_once(
                    columns,
                    Column::Field {
                        key: json_key(&known.name),
                        field,
                    },
                    &known.name,
                )?;
            }
        }
        if columns.len() == before {
            let message = "'FIELDS(...)' expansion function must result in at least one field being selected.";
            return Err(SoqlError::malformed(at, message));
        }
        Ok(())
    }

    fn names_few_ids(&self, plan: &Plan) -> bool {
        let id = self.eye.org.table(self.object).columns.id;
        let few = |part: &Pred<Term>| match part {
            Pred::Test(term, Test::In(set)) => term.own_field() == Some(id) && set.ids.len() <= 200,
            Pred::Test(term, Test::Is(..)) => term.own_field() == Some(id),
            _ => false,
        };
        match &plan.filter {
            Some(Pred::All(parts)) => parts.iter().any(few),
            Some(part) => few(part),
            None => false,
        }
    }

    /// Checks a subquery for child rows.
    fn children(&self, query: &ast::Query, depth: usize) -> Checked<Column> {
        let schema = self.eye.org.schema();
        let wanted = query.from.text.rsplit('.').next().unwrap_or("");
        let parent = &self.definition().name;
        let found = schema
            .objects()
            .iter()
            .enumerate()
            .find_map(|(object, definition)| {
                let field = definition.fields.iter().position(|field| {
                    field.reference_to.contains(parent)
                        && field
                            .child_relationship_name
                            .as_deref()
                            .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
                })?;
                Some((object, field))
            });
        let Some((object, field)) = found else {
            let message = format!(
                "Didn't understand relationship '{wanted}' in FROM part of query call. If you are attempting to use a \
                 custom relationship, be sure to append the '__r' after the custom relationship name. Please reference \
                 your WSDL or the describe call for the appropriate names."
            );
            return Err(SoqlError::new("INVALID_TYPE", query.from.at, message));
        };
        if let Some(scope) = &query.scope {
            return Err(SoqlError::malformed(
                scope.at,
                "USING SCOPE is not allowed in a subquery",
            ));
        }
        let plan = Scope::new(self.eye, object, query).plan(query, depth + 1)?;
        let name = schema.objects()[object].fields[field]
            .child_relationship_name
            .as_deref()
            .unwrap_or(wanted);
        Ok(Column::Children {
            key: json_key(name),
            field,
            plan: Arc::new(plan),
        })
    }

    fn type_of(&self, type_of: &ast::TypeOf) -> Checked<Column> {
        let relation = &type_of.relation;
        let [step] = relation.steps.as_slice() else {
            return Err(SoqlError::malformed(
                relation.at,
                "TYPEOF takes a relationship of the object itself",
            ));
        };
        let (hop, lookup) = self.hop(self.object, step, relation.at)?;
        if hop.target.is_some() {
            return Err(SoqlError::malformed(
                relation.at,
                format!("{step} is not a polymorphic relationship"),
            ));
        }
        let mut cases = Vec::new();
        for (name, paths) in &type_of.cases {
            let object = self.object_of(name)?;
            if !lookup
                .reference_to
                .contains(&self.eye.org.schema().objects()[object].name)
            {
                return Err(SoqlError::malformed(
                    name.at,
                    format!("{step} cannot lead to {}", name.text),
                ));
            }
            let scope = Scope::bare(self.eye, object);
            let mut columns = Vec::new();
            for path in paths {
                scope.select(&mut columns, path, None)?;
            }
            cases.push((object, columns));
        }
        let otherwise = match &type_of.otherwise {
            None => None,
            Some(paths) => Some(self.name_columns(step, relation.at, paths)?),
        };
        let key = json_key(lookup.relationship_name.as_deref().unwrap_or(step));
        Ok(Column::TypeOf {
            key,
            hop,
            cases,
            otherwise,
        })
    }

    /// Checks fields that every target of a lookup has.
    fn name_columns(&self, step: &str, at: usize, paths: &[ast::Path]) -> Checked<Vec<Column>> {
        let mut columns = Vec::new();
        for path in paths {
            let [name] = path.steps.as_slice() else {
                return Err(no_column(&path.steps.join("."), "Name", path.at));
            };
            let whole = ast::Path {
                steps: vec![step.to_owned(), name.clone()],
                at,
            };
            let checked = self.path(&whole)?;
            push_once(&mut columns, self.leaf(&checked.leaf, None, None), name)?;
        }
        Ok(columns)
    }
}

impl ast::Query {
    fn select_at(&self, item: &Item) -> usize {
        match item {
            Item::Expr { expr, .. } => expr.at(),
            _ => self.from.at,
        }
    }
}

fn push_once(columns: &mut Vec<Column>, column: Column, name: &str) -> Checked<()> {
    let key = |column: &Column| match column {
        Column::Field { key, .. }
        | Column::Label { key, .. }
        | Column::Named { key, .. }
        | Column::Type { key } => Some(key.clone()),
        _ => None,
    };
    if columns
        .iter()
        .any(|known| key(known).is_some() && key(known) == key(&column))
    {
        return Err(SoqlError::plain(
            "INVALID_FIELD",
            format!("duplicate field selected: {name}"),
        ));
    }
    columns.push(column);
    Ok(())
}

/// Writes `"Name":`; names hold nothing that JSON would escape.
pub(crate) fn json_key(name: &str) -> String {
    format!("\"{name}\":")
}

/// Says whether numbers can be summed.
pub(crate) fn is_number(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::Int | FieldKind::Double | FieldKind::Currency | FieldKind::Percent
    )
}
