//! Checking a WHERE or HAVING condition.

use super::ast::{self, Condition, Constant, Expr, Literal, Op};
use super::error::SoqlError;
use super::filter::{Mode, Pattern, Pred, Set, Test, entries};
use super::lex::unescape;
use super::plan::{Leaf, Path, Reach, Term};
use super::resolve::Scope;
use crate::schema::FieldKind;
use crate::value::Value;

/// Longest text literal of a condition, in characters.
const LONGEST_TEXT: usize = 4_000;

/// The left side of a comparison, and what may stand on its right.
pub(crate) struct Subject<T> {
    pub subject: T,
    pub kind: FieldKind,
    pub mode: Mode,
    /// How the statement calls it.
    pub name: String,
}

type Checked<T> = Result<T, SoqlError>;

impl Scope<'_> {
    /// Checks a WHERE condition.
    pub(crate) fn filter(&self, condition: &Condition) -> Checked<Pred<Term>> {
        let joins = count_joins(condition);
        if joins > 2 {
            let message = "The maximum number of semi join sub-selects is 2";
            return Err(SoqlError::malformed(0, message));
        }
        self.condition(condition, &|expr| self.subject(expr), true)
    }

    /// Checks a condition whose left sides `look_up` knows.
    pub(crate) fn condition<T>(
        &self,
        condition: &Condition,
        look_up: &dyn Fn(&Expr) -> Checked<Subject<T>>,
        top: bool,
    ) -> Checked<Pred<T>> {
        let all = |parts: &[Condition], top| -> Checked<Vec<Pred<T>>> {
            parts
                .iter()
                .map(|part| self.condition(part, look_up, top))
                .collect()
        };
        match condition {
            Condition::And(parts) => Ok(Pred::All(all(parts, top)?)),
            Condition::Or(parts) => Ok(Pred::Any(all(parts, false)?)),
            Condition::Not(part) => self.negation(part, look_up),
            Condition::Compare { left, op, right } => {
                let left = look_up(left)?;
                let test = self.comparison(&left, *op, right)?;
                Ok(Pred::Test(left.subject, test))
            }
            Condition::In {
                left,
                negated,
                list,
                at,
            } => {
                let left = look_up(left)?;
                let test = self.list(&left, *negated, list, *at)?;
                Ok(Pred::Test(left.subject, test))
            }
            Condition::InQuery {
                left,
                negated,
                query,
                at,
            } => {
                if !top {
                    let message = "Semi join sub-selects are not allowed with the 'OR' operator";
                    return Err(SoqlError::malformed(*at, message));
                }
                let subject = self.joined(left, look_up)?;
                let test = self.membership(self.semi_join(query)?, *negated);
                Ok(Pred::Test(subject, test))
            }
            Condition::Choice {
                left,
                excludes,
                sets,
                at,
            } => {
                let left = look_up(left)?;
                if left.kind != FieldKind::MultiPicklist {
                    return Err(bad_operator(*at, &left.name, "includes/excludes"));
                }
                let texts: Checked<Vec<String>> = sets.iter().map(|set| text(&left, set)).collect();
                let sets = texts?.iter().map(|text| entries(text)).collect();
                let test = if *excludes {
                    Test::Excludes(sets)
                } else {
                    Test::Includes(sets)
                };
                Ok(Pred::Test(left.subject, test))
            }
        }
    }

    /// Checks the left side of a semi join.
    fn joined<T>(&self, left: &Expr, look_up: &dyn Fn(&Expr) -> Checked<Subject<T>>) -> Checked<T> {
        let plain = matches!(left, Expr::Path(path) if self.expand(&path.steps).len() == 1);
        let subject = look_up(left)?;
        if plain && subject.mode == Mode::Id {
            return Ok(subject.subject);
        }
        let message = format!(
            "The left operand field in the where expression for outer query should be an id field, cannot use: '{}'",
            subject.name
        );
        Err(SoqlError::malformed(left.at(), message))
    }

    fn membership(&self, set: Set, negated: bool) -> Test {
        let nulls = self.eye.org.config().switches.not_in_matches_null;
        if negated {
            Test::NotIn(set, nulls)
        } else {
            Test::In(set)
        }
    }

    fn negation<T>(
        &self,
        part: &Condition,
        look_up: &dyn Fn(&Expr) -> Checked<Subject<T>>,
    ) -> Checked<Pred<T>> {
        match self.condition(part, look_up, false)? {
            Pred::Test(subject, Test::Like(pattern)) => {
                let nulls = self.eye.org.config().switches.not_like_matches_null;
                Ok(Pred::Test(subject, Test::NotLike(pattern, nulls)))
            }
            other => Ok(Pred::Not(Box::new(other))),
        }
    }

    fn subject(&self, expr: &Expr) -> Checked<Subject<Term>> {
        let term = self.term(expr)?;
        let name = shown(expr);
        if let Term::Path(path) = &term
            && !self.is_filterable(path)
        {
            return Err(SoqlError::field(
                expr.at(),
                format!("field '{name}' can not be filtered in a query call"),
            ));
        }
        Ok(Subject {
            kind: term.kind(),
            mode: term.mode(),
            subject: term,
            name,
        })
    }

    fn is_filterable(&self, path: &Path) -> bool {
        let Leaf::Field(field) = path.leaf else {
            return true;
        };
        let object = path.hops.last().map_or(Some(self.object), |hop| hop.target);
        object.is_none_or(|object| self.eye.org.schema().objects()[object].fields[field].filterable)
    }

    fn comparison<T>(&self, left: &Subject<T>, op: Op, right: &Literal) -> Checked<Test> {
        if op == Op::Like {
            let plain = matches!(
                left.kind,
                FieldKind::String
                    | FieldKind::TextArea
                    | FieldKind::Picklist
                    | FieldKind::Combobox
                    | FieldKind::Email
                    | FieldKind::Phone
                    | FieldKind::Url
            );
            let Constant::Text(raw) = &right.value else {
                return Err(needs(left, right));
            };
            if !plain {
                return Err(bad_operator(right.at, &left.name, "like"));
            }
            let text =
                unescape(raw, true).map_err(|message| SoqlError::malformed(right.at, message))?;
            return Ok(Test::Like(Pattern::new(left.mode, &text)));
        }
        let ordered = !matches!(op, Op::Equal | Op::NotEqual);
        if ordered && matches!(left.kind, FieldKind::Boolean | FieldKind::MultiPicklist) {
            return Err(bad_operator(right.at, &left.name, "comparison"));
        }
        if let Constant::Range { name, n } = &right.value {
            return self.range(left, op, name, *n, right);
        }
        let value = self.constant(left, right)?;
        Ok(match (op, value) {
            (Op::Equal, Value::Null) if left.kind == FieldKind::Boolean => {
                Test::Is(left.mode, Value::Bool(false))
            }
            (Op::NotEqual, Value::Null) if left.kind == FieldKind::Boolean => {
                Test::Is(left.mode, Value::Bool(true))
            }
            (Op::Equal, Value::Null) => Test::IsNull,
            (Op::NotEqual, Value::Null) => Test::IsNotNull,
            (_, Value::Null) => return Err(bad_operator(right.at, &left.name, "null comparison")),
            (Op::Equal, Value::Text(text)) if left.kind == FieldKind::MultiPicklist => {
                Test::Chosen(entries(&text))
            }
            (Op::NotEqual, Value::Text(text)) if left.kind == FieldKind::MultiPicklist => {
                Test::NotChosen(entries(&text))
            }
            (Op::Equal, value) => Test::Is(left.mode, value),
            (Op::NotEqual, value) => Test::IsNot(left.mode, value),
            (op, value) => Test::Order(left.mode, op, value),
        })
    }

    /// Turns a date literal into the span it means today.
    fn range<T>(
        &self,
        left: &Subject<T>,
        op: Op,
        name: &str,
        n: Option<i64>,
        right: &Literal,
    ) -> Checked<Test> {
        let calendar = self.eye.calendar;
        let (from, to) = calendar.span(name, n).ok_or_else(|| needs(left, right))?;
        let (from, to) = match left.kind {
            FieldKind::Date => (Value::Date(from), Value::Date(to)),
            FieldKind::DateTime => (
                Value::DateTime(calendar.midnight(from)),
                Value::DateTime(calendar.midnight(to)),
            ),
            _ => return Err(needs(left, right)),
        };
        Ok(match op {
            Op::Equal => Test::Within(from, to),
            Op::NotEqual => Test::Outside(from, to),
            Op::Less => Test::Order(Mode::Exact, Op::Less, from),
            Op::LessEqual => Test::Order(Mode::Exact, Op::Less, to),
            Op::GreaterEqual => Test::Order(Mode::Exact, Op::GreaterEqual, from),
            Op::Greater | Op::Like => Test::Order(Mode::Exact, Op::GreaterEqual, to),
        })
    }

    fn list<T>(
        &self,
        left: &Subject<T>,
        negated: bool,
        list: &[Literal],
        at: usize,
    ) -> Checked<Test> {
        if left.kind == FieldKind::MultiPicklist {
            return Err(bad_operator(at, &left.name, "in"));
        }
        let mut set = Set::default();
        for literal in list {
            let value = match self.constant(left, literal)? {
                Value::Null if left.kind == FieldKind::Boolean => Value::Bool(false),
                value => value,
            };
            set.insert(left.mode, value);
        }
        Ok(self.membership(set, negated))
    }

    /// Reads a literal as a value of the left side.
    fn constant<T>(&self, left: &Subject<T>, literal: &Literal) -> Checked<Value> {
        Ok(match (left.kind, &literal.value) {
            (_, Constant::Null) => Value::Null,
            (FieldKind::Boolean, Constant::Bool(on)) => Value::Bool(*on),
            (
                FieldKind::Int | FieldKind::Double | FieldKind::Currency | FieldKind::Percent,
                Constant::Number(number),
            ) => Value::Number(*number),
            (FieldKind::Date, Constant::Date(date)) => Value::Date(*date),
            (FieldKind::DateTime, Constant::DateTime(at)) => Value::DateTime(*at),
            (FieldKind::Id | FieldKind::Reference, Constant::Text(_)) => {
                let text = text(left, literal)?;
                if text.is_empty() {
                    return Ok(Value::Null);
                }
                let id = crate::id::parse(&text);
                Value::text(id.ok_or_else(|| {
                    SoqlError::new(
                        "INVALID_QUERY_FILTER_OPERATOR",
                        literal.at,
                        format!("invalid ID field: {text}"),
                    )
                })?)
            }
            (FieldKind::Time, Constant::Text(_)) => return Err(needs(left, literal)),
            (kind, Constant::Text(_)) if is_text(kind) => Value::text(text(left, literal)?),
            _ => return Err(needs(left, literal)),
        })
    }

    /// Runs the inner query of a semi join.
    fn semi_join(&self, query: &ast::Query) -> Checked<Set> {
        let at = query.from.at;
        let plain = query.order.is_empty()
            && query.limit.is_none()
            && query.offset.is_none()
            && query.group.is_none();
        let [
            ast::Item::Expr {
                expr: Expr::Path(path),
                ..
            },
        ] = query.select.as_slice()
        else {
            return Err(SoqlError::malformed(
                at,
                "Semi join sub-selects can only query one id field",
            ));
        };
        if !plain || query.scope.is_some() {
            return Err(SoqlError::malformed(
                at,
                "Semi join sub-selects cannot use ORDER BY, LIMIT or GROUP BY",
            ));
        }
        if query
            .filter
            .as_ref()
            .is_some_and(|condition| count_joins(condition) > 0)
        {
            return Err(SoqlError::malformed(
                at,
                "Nesting of semi join sub-selects is not supported",
            ));
        }
        let object = self.object_of(&query.from)?;
        let name = self.eye.org.schema().objects()[object].name.as_str();
        if matches!(name, "Task" | "Event" | "Note" | "Attachment") {
            return Err(SoqlError::malformed(
                at,
                format!("Entity '{name}' is not supported for semi join inner selects"),
            ));
        }
        if object == self.object {
            let message = "The inner and outer selects should not be on the same object type";
            return Err(SoqlError::malformed(at, message));
        }
        let scope = Scope::new(self.eye, object, query);
        let wanted = scope.path(path)?;
        if wanted.mode != Mode::Id || !wanted.hops.is_empty() {
            return Err(SoqlError::malformed(
                path.at,
                "Semi join sub-selects can only query one id field",
            ));
        }
        let filter = query
            .filter
            .as_ref()
            .map(|condition| scope.filter(condition))
            .transpose()?;
        let mut set = Set::default();
        for slot in self
            .eye
            .find(object, filter.as_ref(), Reach::Everything, &[], None)
        {
            set.insert(Mode::Id, self.eye.path(object, slot, &wanted).into_owned());
        }
        // A null on the inner side joins with nothing.
        set.null = false;
        Ok(set)
    }
}

fn is_text(kind: FieldKind) -> bool {
    matches!(
        kind,
        FieldKind::String
            | FieldKind::TextArea
            | FieldKind::Picklist
            | FieldKind::MultiPicklist
            | FieldKind::Combobox
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Url
    )
}

fn text<T>(left: &Subject<T>, literal: &Literal) -> Checked<String> {
    let Constant::Text(raw) = &literal.value else {
        return Err(needs(left, literal));
    };
    let text = unescape(raw, false).map_err(|message| SoqlError::malformed(literal.at, message))?;
    if text.chars().count() > LONGEST_TEXT {
        return Err(SoqlError::malformed(
            literal.at,
            "string literal is too long: the maximum is 4000 characters",
        ));
    }
    Ok(text)
}

/// The refusal of a literal of the wrong type.
fn needs<T>(left: &Subject<T>, literal: &Literal) -> SoqlError {
    let (kind, quoted) = match left.kind {
        FieldKind::Boolean => ("boolean", false),
        FieldKind::Int => ("int", false),
        FieldKind::Double => ("double", false),
        FieldKind::Currency => ("currency", false),
        FieldKind::Percent => ("percent", false),
        FieldKind::Date => ("date", false),
        FieldKind::DateTime => ("dateTime", false),
        FieldKind::Time => ("time", false),
        FieldKind::Id | FieldKind::Reference => ("id", true),
        _ => ("string", true),
    };
    let quotes = if quoted {
        "should be enclosed in quotes"
    } else {
        "should not be enclosed in quotes"
    };
    let message = format!(
        "value of filter criterion for field '{}' must be of type {kind} and {quotes}",
        left.name
    );
    SoqlError::field(literal.at, message)
}

fn bad_operator(at: usize, name: &str, operator: &str) -> SoqlError {
    SoqlError::new(
        "INVALID_QUERY_FILTER_OPERATOR",
        at,
        format!("invalid operator for field '{name}': {operator}"),
    )
}

/// Writes an expression back for a message.
pub(crate) fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Path(path) => path.steps.join("."),
        Expr::Call { name, args } => {
            format!(
                "{}({})",
                name.text,
                args.iter().map(shown).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn count_joins(condition: &Condition) -> usize {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => parts.iter().map(count_joins).sum(),
        Condition::Not(part) => count_joins(part),
        Condition::InQuery { .. } => 1,
        _ => 0,
    }
}
