//! Finds what the names of a condition or a statement stand for.

use super::ast::{At, Name, Path, Statement};
use super::check::Kind;
use super::name::NameField;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{FieldSchema, FieldType, ObjectSchema, Schema};

/// How many parents up a path may go.
const PARENTS_MAX: usize = 5;

/// The names that hold inside of one FROM.
pub(crate) struct Names<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) object: &'a ObjectSchema,
    alias: Option<&'a str>,
    parents: &'a [(Path, Name)],
}

/// What a path stands for.
#[derive(Debug)]
pub(crate) struct Resolved<'a> {
    /// The references that lead up to it, nearest first, each with the object that has it.
    pub(crate) steps: Vec<Step<'a>>,
    pub(crate) target: Target<'a>,
}

/// One step up: a reference field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) object: &'a ObjectSchema,
    pub(crate) field: &'a FieldSchema,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Field(&'a ObjectSchema, &'a FieldSchema),
    /// A field that all objects behind a polymorphic reference share.
    Shared(Shared),
}

/// The fields of a parent whose object is not known before the row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shared {
    Id,
    Name,
    Type,
    /// Another field of the Name object.
    Field(&'static NameField),
}

impl Shared {
    fn from_name(name: &str) -> Option<Shared> {
        [Shared::Id, Shared::Name, Shared::Type]
            .into_iter()
            .find(|own| own.name().eq_ignore_ascii_case(name))
            .or_else(|| NameField::find(name).map(Shared::Field))
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Shared::Id => Kind::Id,
            Shared::Name | Shared::Type => Kind::Text,
            Shared::Field(field) => field.kind,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Shared::Id => "Id",
            Shared::Name => "Name",
            Shared::Type => "Type",
            Shared::Field(field) => field.name,
        }
    }
}

impl Resolved<'_> {
    /// The path in the case of the schema.
    pub(crate) fn name(&self) -> String {
        let mut name = String::new();
        for step in &self.steps {
            name.push_str(step.field.relationship_name.as_deref().unwrap_or_default());
            name.push('.');
        }
        name.push_str(match self.target {
            Target::Field(_, field) => &field.name,
            Target::Shared(shared) => shared.name(),
        });
        name
    }

    pub(crate) fn field_type(&self) -> FieldType {
        match self.target {
            Target::Field(_, field) => field.field_type.clone(),
            Target::Shared(shared) => match shared.kind() {
                Kind::Id => FieldType::Id,
                Kind::Boolean => FieldType::Boolean,
                Kind::DateTime => FieldType::DateTime,
                _ => FieldType::String,
            },
        }
    }
}

impl<'a> Names<'a> {
    /// Finds an object that stands alone: of a filter, of a rule.
    pub(crate) fn of_object(schema: &'a Schema, object: &str, at: At) -> Result<Names<'a>> {
        Ok(Names {
            schema,
            object: object_of(schema, object, at)?,
            alias: None,
            parents: &[],
        })
    }

    /// The names inside of a statement on an object that is found already.
    pub(crate) fn of_statement(
        schema: &'a Schema,
        object: &'a ObjectSchema,
        statement: &'a Statement,
    ) -> Names<'a> {
        Names {
            schema,
            object,
            alias: statement.alias.as_ref().map(|alias| alias.text.as_str()),
            parents: &statement.parents,
        }
    }

    /// Adds the alias of a semi-join.
    pub(crate) fn with_alias(mut self, alias: Option<&'a Name>) -> Names<'a> {
        self.alias = alias.map(|alias| alias.text.as_str());
        self
    }

    /// Finds the field of a path.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownField`] or [`ErrorKind::UnknownObject`], with the
    /// position and, if there is one, a name that may have been meant.
    pub(crate) fn resolve(&self, path: &Path) -> Result<Resolved<'a>> {
        let (parents, field) = path.split();
        let steps = self.steps(parents, path.at)?;
        let unknown = |object: &ObjectSchema| unknown_field(object, field, path.at);
        let target = match steps.last() {
            Some(step) if step.field.is_polymorphic() => {
                Target::Shared(Shared::from_name(field).ok_or_else(|| {
                    let relationship = step.field.relationship_name.as_deref().unwrap_or_default();
                    Error::new(
                        ErrorKind::UnknownField,
                        format!("a path through {relationship} ends in what all its parents share (Id, Name, Type, FirstName, Email, ...), which {} is not; for other fields use TYPEOF", short(field)),
                    )
                    .at(path.at.0)
                })?)
            }
            Some(step) => {
                let object = self.parent_of(step, path.at)?;
                Target::Field(object, object.field(field).ok_or_else(|| unknown(object))?)
            }
            None => Target::Field(
                self.object,
                self.object
                    .field(field)
                    .ok_or_else(|| unknown(self.object))?,
            ),
        };
        Ok(Resolved { steps, target })
    }

    /// Finds the references of a path to a parent: all the steps of a TYPEOF, all but the last of a field.
    pub(crate) fn steps(&self, parents: &[String], at: At) -> Result<Vec<Step<'a>>> {
        let parents = self.without_alias(parents);
        if parents.len() > PARENTS_MAX {
            return Err(Error::new(
                ErrorKind::UnknownField,
                format!("a path goes at most {PARENTS_MAX} parents up"),
            )
            .at(at.0));
        }
        let mut steps: Vec<Step<'a>> = Vec::with_capacity(parents.len());
        let mut object = self.object;
        for name in &parents {
            if let Some(last) = steps.last() {
                if last.field.is_polymorphic() {
                    return Err(Error::new(
                        ErrorKind::UnknownField,
                        "a path ends at the first parent that may be of several objects",
                    )
                    .at(at.0));
                }
                object = self.parent_of(last, at)?;
            }
            let field = object.parent_field(name).ok_or_else(|| {
                let known = object
                    .fields
                    .iter()
                    .filter_map(|field| field.relationship_name.as_deref());
                Error::new(
                    ErrorKind::UnknownField,
                    format!(
                        "{} has no parent relationship {}{}",
                        object.name,
                        short(name),
                        hint(name, known)
                    ),
                )
                .at(at.0)
            })?;
            steps.push(Step { object, field });
        }
        Ok(steps)
    }

    /// The one object that a reference leads to.
    fn parent_of(&self, step: &Step<'_>, at: At) -> Result<&'a ObjectSchema> {
        let name = step.field.reference_to.first();
        object_of(self.schema, name.map_or("", String::as_str), at)
    }

    /// Puts relationships in place of aliases: `c.Account`, `a` of `FROM Contact c, c.Account a`.
    fn without_alias(&self, steps: &[String]) -> Vec<String> {
        let mut steps = steps.to_vec();
        // An alias may be made of an alias before it; each of them is used at most once.
        for _ in 0..=self.parents.len() {
            let Some(first) = steps.first() else {
                break;
            };
            let is_root = self
                .alias
                .is_some_and(|alias| alias.eq_ignore_ascii_case(first))
                || (first.eq_ignore_ascii_case(&self.object.name)
                    && self.object.parent_field(first).is_none());
            if is_root {
                steps.remove(0);
                break;
            }
            let alias = self
                .parents
                .iter()
                .find(|(_, alias)| alias.text.eq_ignore_ascii_case(first));
            match alias {
                Some((path, _)) => drop(steps.splice(..1, path.steps.iter().cloned())),
                None => break,
            }
        }
        steps
    }
}

/// Finds an object by name.
pub(crate) fn object_of<'a>(schema: &'a Schema, name: &str, at: At) -> Result<&'a ObjectSchema> {
    match schema.object(name) {
        Some(object) => Ok(object),
        None => {
            let objects = schema.objects();
            let known = objects.iter().map(|object| object.name.as_str());
            Err(Error::new(
                ErrorKind::UnknownObject,
                format!(
                    "there is no object {} here{}",
                    short(name),
                    hint(name, known)
                ),
            )
            .at(at.0))
        }
    }
}

/// Makes the error of a field that an object does not have.
pub(crate) fn unknown_field(object: &ObjectSchema, name: &str, at: At) -> Error {
    let known = object.fields.iter().map(|field| field.name.as_str());
    Error::new(
        ErrorKind::UnknownField,
        format!(
            "{} has no field {}{}",
            object.name,
            short(name),
            hint(name, known)
        ),
    )
    .at(at.0)
}

/// A name as a message shows it.
fn short(name: &str) -> &str {
    if name.len() <= 80 {
        name
    } else {
        "of that name"
    }
}

/// Says which known name may have been meant.
fn hint<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let wanted = name.to_ascii_lowercase();
    let tolerated = match wanted.len() {
        0..=2 => 0,
        3..=5 => 1,
        6..=80 => 2,
        _ => return String::new(),
    };
    known
        .map(|known| (distance(&wanted, &known.to_ascii_lowercase()), known))
        .filter(|(distance, _)| *distance <= tolerated)
        .min()
        .map_or_else(String::new, |(_, known)| format!("; did you mean {known}?"))
}

/// How many letters must be put in, left out, changed or swapped with the next.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_suggested() {
        let known = ["StageName", "Amount", "CloseDate"];
        assert_eq!(
            hint("stagname", known.into_iter()),
            "; did you mean StageName?"
        );
        assert_eq!(hint("Ammount", known.into_iter()), "; did you mean Amount?");
        assert_eq!(hint("Amuont", known.into_iter()), "; did you mean Amount?");
        assert_eq!(hint("Phone", known.into_iter()), "");
    }
}
