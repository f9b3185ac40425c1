//! Holds conditions against a schema: names, operators, types of values.

use super::ast::*;
use super::resolve::{Names, Target, object_of};
use super::uses::Use;
use super::{Condition, Filter};
use crate::error::{Error, ErrorKind, Problem, Result};
use crate::schema::{FieldSchema, FieldType, Schema};

/// How the values of an expression compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text of which the case does not matter.
    Text,
    /// Text of which the case matters.
    ExactText,
    Id,
    /// A multi-select list: a set.
    Set,
    Boolean,
    Number,
    Date,
    DateTime,
    Time,
    /// A distance: it has an order, but no equality.
    Distance,
}

impl Kind {
    pub(crate) fn of(field: &FieldSchema) -> Kind {
        match &field.field_type {
            FieldType::Id | FieldType::Reference => Kind::Id,
            FieldType::MultiPicklist => Kind::Set,
            FieldType::Boolean => Kind::Boolean,
            FieldType::Date => Kind::Date,
            FieldType::DateTime => Kind::DateTime,
            FieldType::Time => Kind::Time,
            ty if ty.is_number() => Kind::Number,
            _ if field.case_sensitive => Kind::ExactText,
            _ => Kind::Text,
        }
    }

    fn named(self) -> &'static str {
        match self {
            Kind::Text | Kind::ExactText => "a text",
            Kind::Id => "an id in quotes",
            Kind::Set => "a text of values joined by `;`",
            Kind::Boolean => "TRUE or FALSE",
            Kind::Number => "a number",
            Kind::Date => "a date",
            Kind::DateTime => "a datetime",
            Kind::Time => "null",
            Kind::Distance => "a number",
        }
    }
}

impl Filter {
    /// Checks all names, operators and types of values against the fields of an object.
    ///
    /// A filter that passes is one that the server takes, as far as a describe tells.
    ///
    /// # Errors
    /// The first thing that is wrong: [`UnknownObject`](ErrorKind::UnknownObject),
    /// [`UnknownField`](ErrorKind::UnknownField) or
    /// [`MalformedQuery`](ErrorKind::MalformedQuery), with its position. All that
    /// is wrong is in [`Error::problems`], each with the path of its field.
    pub fn check(&self, schema: &Schema, object: &str) -> Result<()> {
        let names = Names::of_object(schema, object, At(0))?;
        let mut errors = Vec::new();
        check_all(self.condition(), &names, &mut errors);
        let problems = errors
            .iter()
            .map(|(path, error)| Problem {
                fields: path.iter().cloned().collect(),
                code: String::from(code(error.kind())),
                message: error.to_string(),
                duplicates: None,
            })
            .collect();
        match errors.into_iter().next() {
            Some((_, first)) => Err(first.with_problems(problems)),
            None => Ok(()),
        }
    }
}

/// The code that the server has for it.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UnknownField => "INVALID_FIELD",
        ErrorKind::UnknownObject => "INVALID_TYPE",
        _ => "INVALID_QUERY_FILTER_OPERATOR",
    }
}

type Found = (Option<String>, Error);

fn check_all(condition: &Condition, names: &Names<'_>, errors: &mut Vec<Found>) {
    match condition {
        Condition::And(list) | Condition::Or(list) => {
            list.iter().for_each(|part| check_all(part, names, errors));
        }
        Condition::Not(inner) => check_all(inner, names, errors),
        Condition::Test(comparison) => {
            let path = comparison.left.path().map(Path::to_string);
            if let Err(error) = check_one(comparison, names, errors) {
                errors.push((path, error));
            }
        }
    }
}

fn check_one(comparison: &Comparison, names: &Names<'_>, errors: &mut Vec<Found>) -> Result<()> {
    let kind = kind_of(&comparison.left, names)?;
    if let Some(path) = comparison.left.path() {
        Use::Condition.check(path, names)?;
    }
    accepts(kind, comparison)?;
    if let Test::InQuery(_, join) = &comparison.test {
        let inner = join_names(join, names)?;
        if let Some(condition) = &join.condition {
            check_all(condition, &inner, errors);
        }
    }
    Ok(())
}

/// Finds the names inside of a semi-join and checks what it selects.
pub(crate) fn join_names<'a>(join: &'a Join, outer: &Names<'a>) -> Result<Names<'a>> {
    const NEVER: [&str; 7] = [
        "Task",
        "Event",
        "Note",
        "Attachment",
        "Attachments",
        "ActivityHistory",
        "OpenActivity",
    ];
    let object = object_of(outer.schema, &join.object.text, join.object.at)?;
    if object.name == outer.object.name {
        return Err(refused(
            join.object.at,
            "a subquery of a condition reads another object than the condition is about",
        ));
    }
    if NEVER.contains(&object.name.as_str()) {
        return Err(refused(
            join.object.at,
            format!(
                "{} cannot stand in the subquery of a condition",
                object.name
            ),
        ));
    }
    let names = Names::of_object(outer.schema, &object.name, join.object.at)?
        .with_alias(join.alias.as_ref());
    let kind = kind_of(&Expr::Field(join.field.clone()), &names)?;
    if kind == Kind::Id {
        Ok(names)
    } else {
        Err(refused(
            join.field.at,
            "a subquery of a condition selects an id or a lookup",
        ))
    }
}

/// Says how the values of an expression compare.
pub(crate) fn kind_of(expr: &Expr, names: &Names<'_>) -> Result<Kind> {
    let field_kind = |path: &Path| {
        Ok(match names.resolve(path)?.target {
            Target::Field(_, field) => Kind::of(field),
            Target::Shared(shared) => shared.kind(),
        })
    };
    match expr {
        Expr::Field(path) => field_kind(path),
        Expr::Label(path) => match field_kind(path)? {
            Kind::Text | Kind::ExactText => Ok(Kind::Text),
            Kind::Set => Err(refused(
                path.at,
                "toLabel of a multi-select list is known at the server only: take the labels of the schema",
            )),
            _ => Err(refused(path.at, "toLabel takes a picklist")),
        },
        Expr::Date(function, argument) => {
            let kind = field_kind(&argument.path)?;
            let needs_time = matches!(function, DateFunction::DayOnly | DateFunction::HourInDay)
                || argument.zone == Zone::User;
            match kind {
                Kind::DateTime => {}
                Kind::Date if !needs_time => {}
                _ => {
                    let wanted = if needs_time {
                        "a datetime"
                    } else {
                        "a date or datetime"
                    };
                    return Err(refused(
                        argument.path.at,
                        format!("{} takes {wanted} field", function.word()),
                    ));
                }
            }
            Ok(match function {
                DateFunction::DayOnly => Kind::Date,
                _ => Kind::Number,
            })
        }
        Expr::Distance(_) => Ok(Kind::Distance),
        Expr::CountAll(_) | Expr::Grouping(_) => Ok(Kind::Number),
        Expr::Aggregate(aggregate, path) => {
            let kind = field_kind(path)?;
            let fits = match aggregate {
                Aggregate::Count | Aggregate::CountDistinct => return Ok(Kind::Number),
                Aggregate::Sum | Aggregate::Average => kind == Kind::Number,
                Aggregate::Min | Aggregate::Max => !matches!(kind, Kind::Boolean | Kind::Set),
            };
            if fits {
                Ok(kind)
            } else {
                Err(refused(
                    path.at,
                    format!("{} does not take a field of this type", aggregate.word()),
                ))
            }
        }
    }
}

/// Checks an operator and the types of its values.
pub(crate) fn accepts(kind: Kind, comparison: &Comparison) -> Result<()> {
    let at = comparison.left.at();
    match &comparison.test {
        Test::Compare(operator, literal) => {
            let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
            let fits = match kind {
                Kind::Boolean | Kind::Set | Kind::Time => is_equality,
                Kind::Distance => !is_equality,
                _ => true,
            };
            if !fits {
                return Err(refused(
                    at,
                    format!("{} cannot compare values of this type", operator.symbol()),
                ));
            }
            fits_kind(kind, literal, &comparison.left)
        }
        Test::Like(..) if matches!(kind, Kind::Text | Kind::ExactText) => Ok(()),
        Test::Like(..) => Err(refused(at, "LIKE compares texts only")),
        Test::In(..) if matches!(kind, Kind::Distance) => {
            Err(refused(at, "a distance is compared with < or > only"))
        }
        Test::In(_, list) => list
            .iter()
            .try_for_each(|literal| fits_kind(kind, literal, &comparison.left)),
        Test::InQuery(..) if kind == Kind::Id => Ok(()),
        Test::InQuery(..) => Err(refused(at, "a subquery is compared with an id or a lookup")),
        Test::Includes(_, list) if kind == Kind::Set => list
            .iter()
            .try_for_each(|literal| fits_kind(kind, literal, &comparison.left)),
        Test::Includes(..) => Err(refused(
            at,
            "INCLUDES and EXCLUDES compare multi-select lists only",
        )),
    }
}

fn fits_kind(kind: Kind, literal: &Literal, left: &Expr) -> Result<()> {
    // The parts of a date are numbers and days; a span of days is neither.
    let is_field = !matches!(left, Expr::Date(..));
    let fits = match (&literal.value, kind) {
        (Constant::Null, kind) => kind != Kind::Distance,
        (Constant::Boolean(_), Kind::Boolean)
        | (Constant::Number(_), Kind::Number | Kind::Distance)
        | (Constant::Text(_), Kind::Text | Kind::ExactText | Kind::Id | Kind::Set)
        | (Constant::Date(_), Kind::Date)
        | (Constant::DateTime(_), Kind::DateTime) => true,
        (Constant::Relative(_), Kind::Date | Kind::DateTime) => is_field,
        (Constant::Money(..), Kind::Number) => is_field,
        _ => false,
    };
    if fits {
        return Ok(());
    }
    Err(refused(
        literal.at,
        format!("expected {}, found a value of another type", kind.named()),
    )
    .expecting(kind.named()))
}

pub(super) fn refused(at: At, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::MalformedQuery, message).at(at.0)
}
