//! Statements as SQL.

use super::Tables;
use super::condition::condition;
use super::group::grouped;
use super::operand::{Operand, Term};
use super::source::{Source, is_here, malformed, not_carried_object};
use super::sql::{Sql, joined, quote};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::ast::*;
use crate::filter::resolve::{Names, object_of, unknown_field};
use crate::filter::uses::check_uses;
use crate::filter::{Context, Select};
use crate::schema::{FieldSchema, FieldType, ObjectSchema};
use rusqlite::types::Value;
use std::sync::Arc;

/// A statement that is ready to run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compiled {
    pub(super) sql: String,
    pub(super) params: Vec<Value>,
    /// Which parameter is the parent's id, of the statement of a child subquery.
    pub(super) parent: Option<usize>,
    pub(super) columns: Arc<[String]>,
    pub(super) readers: Vec<Reader>,
    /// Whether each row is a record: then its key and its id stand before the columns.
    pub(super) identity: Identity,
    /// Every object that is read, in order.
    pub(super) objects: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Record,
    None,
}

/// How one cell of a row is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reader {
    /// From the next column of the SQL.
    Column(FieldType),
    /// The same, and null is null even for a checkbox: the row may not have the field at all.
    Optional(FieldType),
    /// By a statement of its own, for the id of the row.
    Children(Box<Compiled>),
}

impl Compiled {
    /// The SQL text, for people who look into a query.
    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    /// The objects whose records decide the answer, in order.
    pub(crate) fn objects(&self) -> &[String] {
        &self.objects
    }
}

/// Compiles a statement.
///
/// # Errors
/// [`ErrorKind::UnknownObject`] or [`ErrorKind::UnknownField`] for what the
/// schema or this device does not have, [`ErrorKind::MalformedQuery`] for an
/// operator or a value that does not suit its field; all with the position.
pub(crate) fn compile(select: &Select, tables: &dyn Tables, context: &Context) -> Result<Compiled> {
    let statement = select.statement();
    let object = object_of(tables.schema(), &statement.object.text, statement.object.at)?;
    statement_on(statement, object, None, tables, context)
}

/// Compiles a statement on an object; `reference`: of the children that point at one parent.
fn statement_on(
    statement: &Statement,
    object: &ObjectSchema,
    reference: Option<&FieldSchema>,
    tables: &dyn Tables,
    context: &Context,
) -> Result<Compiled> {
    if !tables.has(&object.name, "Id") {
        return Err(not_carried_object(&object.name, statement.object.at));
    }
    let names = Names::of_statement(tables.schema(), object, statement);
    let mut source = Source::new(tables, context, names, "attache_t");
    if statement.items.iter().any(is_aggregate) || statement.group.is_some() {
        let compiled = grouped(statement, &mut source)?;
        check_uses(statement, &source.names)?;
        return Ok(compiled);
    }
    let mut list = List::new(&source);
    for item in &statement.items {
        list.add(item, &mut source)?;
    }
    let filter = filter(statement, &mut source)?;
    let order = order(statement, &mut source)?;
    check_uses(statement, &source.names)?;

    let mut sql = Sql::new("SELECT ");
    sql.add(&list.sql)
        .push(" FROM ")
        .push(&source.from())
        .push(" WHERE ");
    let parent = match reference {
        Some(field) => {
            source.carried(object, field, statement.object.at)?;
            sql.push(&format!("{}.{} = ", source.root, quote(&field.name)));
            sql.bind(Value::Null).push(" AND ");
            Some(sql.params.len() - 1)
        }
        None => None,
    };
    sql.add(&filter).add(&order).add(&bounds(statement));
    Ok(Compiled {
        sql: sql.text,
        params: sql.params,
        parent,
        columns: list.names.into(),
        readers: list.readers,
        identity: Identity::Record,
        objects: source.objects(),
    })
}

fn is_aggregate(item: &Item) -> bool {
    matches!(item, Item::Expr(expr, _) if expr.is_aggregate())
}

/// The WHERE and the scope.
pub(super) fn filter(statement: &Statement, source: &mut Source<'_>) -> Result<Sql> {
    let mut parts = Vec::new();
    if let Some(scope) = &statement.scope {
        match scope.text.to_ascii_lowercase().as_str() {
            "everything" => {}
            "mine" => {
                let owner = Path {
                    steps: vec![String::from("OwnerId")],
                    at: scope.at,
                };
                let column = source.column(&owner)?;
                let mut sql = Sql::around("", &column.sql, " = ");
                sql.bind(source.context.user_id.clone());
                parts.push(sql);
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "this scope can be evaluated by the org only; a device knows everything and mine",
                )
                .at(scope.at.0));
            }
        }
    }
    if let Some(tree) = &statement.condition {
        parts.push(condition(source, tree)?);
    }
    Ok(joined(parts, " AND "))
}

/// The ORDER BY. The id comes last, so that equal rows have an order too.
fn order(statement: &Statement, source: &mut Source<'_>) -> Result<Sql> {
    let id = Sql::new(format!("{}.\"Id\"", source.root));
    let mut terms = Vec::new();
    for (nr, order) in statement.order.iter().enumerate() {
        let operand = Operand::of(source, &order.by)?;
        terms.extend(if nr + 1 == statement.order.len() {
            operand.last_order_terms(order, &id)
        } else {
            operand.order_terms(order.direction, order.nulls)
        });
    }
    Ok(order_by(&terms))
}

fn order_by(terms: &[Term]) -> Sql {
    let mut sql = Sql::default();
    for (nr, term) in terms.iter().enumerate() {
        sql.push(if nr == 0 { " ORDER BY " } else { ", " });
        sql.add(&term.key).push(&term.how);
    }
    sql
}

/// LIMIT and OFFSET.
pub(super) fn bounds(statement: &Statement) -> Sql {
    let mut sql = Sql::default();
    if statement.limit.is_none() && statement.offset.is_none() {
        return sql;
    }
    // SQL has no OFFSET without a LIMIT; -1 is none.
    sql.push(" LIMIT ");
    sql.bind(statement.limit.map_or(-1, i64::from));
    sql.push(" OFFSET ");
    sql.bind(statement.offset.map_or(0, i64::from));
    sql
}

/// The select list as it grows.
struct List {
    sql: Sql,
    names: Vec<String>,
    readers: Vec<Reader>,
}

impl List {
    fn new(source: &Source<'_>) -> List {
        List {
            sql: Sql::new(format!(
                "{}.\"attache_key\", {}.\"Id\"",
                source.root, source.root
            )),
            names: Vec::new(),
            readers: Vec::new(),
        }
    }

    fn push(&mut self, name: String, reader: Reader, sql: Option<&Sql>, at: At) -> Result<()> {
        if self.names.contains(&name) {
            return Err(malformed(at, format!("{name} is selected twice")));
        }
        if let Some(sql) = sql {
            self.sql.push(", ").add(sql);
        }
        self.names.push(name);
        self.readers.push(reader);
        Ok(())
    }

    fn add(&mut self, item: &Item, source: &mut Source<'_>) -> Result<()> {
        match item {
            Item::Expr(expr, alias) => {
                let operand = Operand::of(source, expr)?;
                let reader = Reader::Column(operand.ty);
                let name = alias
                    .as_ref()
                    .map_or(operand.name, |alias| alias.text.clone());
                self.push(name, reader, Some(&operand.sql), expr.at())
            }
            Item::Fields(set, at) => self.add_fields(*set, *at, source),
            Item::Children(child) => self.add_children(child, source),
            Item::TypeOf(type_of) => self.add_type_of(type_of, source),
        }
    }

    fn add_fields(&mut self, set: FieldSet, at: At, source: &mut Source<'_>) -> Result<()> {
        let object = source.names.object;
        let wanted = object.stored_fields().filter(|field| match set {
            FieldSet::All => true,
            FieldSet::Standard => !is_custom(&field.name),
            FieldSet::Custom => is_custom(&field.name),
        });
        let before = self.names.len();
        for field in wanted {
            if !source.tables.has(&object.name, &field.name) {
                continue;
            }
            let sql = Sql::new(format!("{}.{}", source.root, quote(&field.name)));
            let reader = Reader::Column(field.field_type.clone());
            self.push(field.name.clone(), reader, Some(&sql), at)?;
        }
        if self.names.len() == before {
            return Err(malformed(at, "this briefcase carries no field of that set"));
        }
        Ok(())
    }

    fn add_children(&mut self, child: &Statement, source: &mut Source<'_>) -> Result<()> {
        let parent = source.names.object;
        let (name, at) = (&child.object.text, child.object.at);
        let relationship = parent.child_relationship(name).ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownField,
                format!("{} has no child relationship of that name", parent.name),
            )
            .at(at.0)
        })?;
        let schema = source.tables.schema();
        let object = object_of(schema, &relationship.child, at)?;
        let reference = object
            .field(&relationship.field)
            .ok_or_else(|| unknown_field(object, &relationship.field, at))?;
        let compiled = statement_on(
            child,
            object,
            Some(reference),
            source.tables,
            source.context,
        )?;
        source.read_too(compiled.objects.iter().cloned());
        let name = relationship.name.clone().unwrap_or_default();
        self.push(name, Reader::Children(Box::new(compiled)), None, at)
    }

    /// One cell per field that any branch asks for; null in rows of other branches.
    fn add_type_of(&mut self, type_of: &TypeOf, source: &mut Source<'_>) -> Result<()> {
        let (prefix, cells) = type_of_cells(type_of, source)?;
        for (name, ty, parts) in cells {
            let mut sql = Sql::new("COALESCE(");
            for part in &parts {
                sql.add(part).push(", ");
            }
            sql.push("NULL)");
            let name = format!("{prefix}{name}");
            self.push(name, Reader::Optional(ty), Some(&sql), type_of.path.at)?;
        }
        Ok(())
    }
}

/// A field of some branches of a TYPEOF: its name, its type, and its column in each of them.
type TypeOfCell = (String, FieldType, Vec<Sql>);

fn type_of_cells(type_of: &TypeOf, source: &mut Source<'_>) -> Result<(String, Vec<TypeOfCell>)> {
    let at = type_of.path.at;
    let steps = source.names.steps(&type_of.path.steps, at)?;
    let Some((last, before)) = steps.split_last() else {
        return Err(malformed(at, "TYPEOF takes a lookup to several objects"));
    };
    if !last.field.is_polymorphic() {
        return Err(malformed(at, "TYPEOF takes a lookup to several objects"));
    }
    let mut cells: Vec<TypeOfCell> = Vec::new();
    let mut put = |name: &str, ty: FieldType, sql: Sql| match cells
        .iter_mut()
        .find(|(own, ..)| own == name)
    {
        Some((_, _, parts)) => parts.push(sql),
        None => cells.push((name.to_owned(), ty, vec![sql])),
    };
    let reference = source.reference(before, last, at)?;
    // Only in rows that no branch is for.
    let mut otherwise = Sql::new("CASE WHEN 0");
    for (object, fields) in &type_of.cases {
        let object = object_of(source.tables.schema(), &object.text, object.at)?;
        if !last.field.reference_to.contains(&object.name) {
            return Err(malformed(
                at,
                format!("this lookup is never to {}", object.name),
            ));
        }
        for path in fields {
            let ([], name) = path.split() else {
                return Err(malformed(
                    path.at,
                    "a branch of TYPEOF takes fields of its object",
                ));
            };
            let field = object
                .field(name)
                .ok_or_else(|| unknown_field(object, name, path.at))?;
            let sql = source.typed_column(&steps, object, field, path.at)?;
            put(&field.name, field.field_type.clone(), sql);
        }
        otherwise
            .push(" OR ")
            .push(&is_here(&object.name, &reference));
    }
    otherwise.push(" THEN NULL ELSE ");
    for path in &type_of.otherwise {
        let mut full = type_of.path.clone();
        full.steps.extend(path.steps.iter().cloned());
        full.at = path.at;
        let column = source.column(&full)?;
        let mut sql = otherwise.clone();
        sql.add(&column.sql).push(" END");
        put(
            column.name.rsplit('.').next().unwrap_or_default(),
            column.ty,
            sql,
        );
    }
    let names = steps
        .iter()
        .filter_map(|step| step.field.relationship_name.as_deref());
    Ok((names.flat_map(|name| [name, "."]).collect(), cells))
}

/// Custom fields end in `__c`, their parts and those of packages in other suffixes.
fn is_custom(field: &str) -> bool {
    let suffix = field.rfind("__").map(|at| &field[at..]);
    matches!(
        suffix,
        Some("__c" | "__s" | "__pc" | "__latitude__s" | "__longitude__s")
    )
}
