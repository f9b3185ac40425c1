//! Looking up names: fields, parents and functions.

use super::ast;
use super::dates::DateFn;
use super::error::SoqlError;
use super::eval::Eye;
use super::filter::Mode;
use super::plan::{Hop, Leaf, Path, Term};
use crate::schema::{FieldDef, FieldKind, ObjectDef};

/// Steps a path may have from a row to a parent.
const MOST_HOPS: usize = 5;

/// The fields of `Name`, the object that stands for a parent whose object differs by row, with the objects whose rows
/// have a value there. The object reference lists them; all others are null, whatever fields their object has.
const NAME_FIELDS: [(&str, FieldKind, Option<&[&str]>); 18] = [
    ("Id", FieldKind::Id, None),
    ("Name", FieldKind::String, None),
    ("Type", FieldKind::String, None),
    ("Username", FieldKind::String, Some(&["User"])),
    ("Alias", FieldKind::String, Some(&["User"])),
    ("Phone", FieldKind::Phone, Some(&["User"])),
    ("Title", FieldKind::String, Some(&["User"])),
    ("IsActive", FieldKind::Boolean, Some(&["User"])),
    ("ProfileId", FieldKind::Reference, Some(&["User"])),
    ("UserRoleId", FieldKind::Reference, Some(&["User"])),
    ("Email", FieldKind::Email, Some(&["User", "Group"])),
    ("FirstName", FieldKind::String, Some(PEOPLE)),
    ("MiddleName", FieldKind::String, Some(PEOPLE)),
    ("LastName", FieldKind::String, Some(PEOPLE)),
    ("Suffix", FieldKind::String, Some(PEOPLE)),
    ("RecordTypeId", FieldKind::Reference, None),
    ("LastViewedDate", FieldKind::DateTime, None),
    ("LastReferencedDate", FieldKind::DateTime, None),
];

const PEOPLE: &[&str] = &["Contact", "Lead", "User"];

/// Where names are looked up: the object of FROM and its aliases.
pub(crate) struct Scope<'a> {
    pub eye: Eye<'a>,
    pub object: usize,
    /// Names that stand for the row itself.
    names: Vec<String>,
    /// Names that stand for a parent.
    aliases: Vec<(String, Vec<String>)>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(eye: Eye<'a>, object: usize, query: &ast::Query) -> Scope<'a> {
        let mut scope = Scope {
            eye,
            object,
            names: vec![query.from.text.clone()],
            aliases: Vec::new(),
        };
        scope.names.extend(query.alias.clone());
        for (alias, path) in &query.aliases {
            let steps = scope.expand(&path.steps);
            scope.aliases.push((alias.clone(), steps));
        }
        scope
    }

    /// A scope in which only plain names are known.
    pub(crate) fn bare(eye: Eye<'a>, object: usize) -> Scope<'a> {
        Scope {
            eye,
            object,
            names: Vec::new(),
            aliases: Vec::new(),
        }
    }

    pub(crate) fn definition(&self) -> &'a ObjectDef {
        &self.eye.org.schema().objects()[self.object]
    }

    /// Replaces an alias at the start of a path.
    pub(crate) fn expand(&self, steps: &[String]) -> Vec<String> {
        let [first, rest @ ..] = steps else {
            return Vec::new();
        };
        if rest.is_empty() {
            return steps.to_vec();
        }
        if self
            .names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(first))
        {
            // `Account.Name FROM Account` names the row.
            return rest.to_vec();
        }
        match self.alias(first) {
            Some(path) => path.iter().chain(rest).cloned().collect(),
            None => steps.to_vec(),
        }
    }

    fn alias(&self, name: &str) -> Option<&Vec<String>> {
        self.aliases
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
            .map(|(_, path)| path)
    }

    /// Looks a path up.
    pub(crate) fn path(&self, path: &ast::Path) -> Result<Path, SoqlError> {
        let steps = self.expand(&path.steps);
        let (leaf, parents) = steps
            .split_last()
            .ok_or_else(|| SoqlError::malformed(path.at, "empty path"))?;
        if parents.len() > MOST_HOPS {
            return Err(SoqlError::malformed(
                path.at,
                "Relationship paths are limited to 5 levels",
            ));
        }
        let mut object = Some(self.object);
        let mut hops = Vec::with_capacity(parents.len());
        let mut targets: &[String] = &[];
        for step in parents {
            let at = object.ok_or_else(|| self.no_relation(step, path.at))?;
            let (hop, lookup) = self.hop(at, step, path.at)?;
            targets = &lookup.reference_to;
            object = hop.target;
            hops.push(hop);
        }
        match object {
            Some(object) => self.field(hops, object, leaf, path.at),
            None => self.named(hops, targets, leaf, path.at),
        }
    }

    /// Looks up one step to a parent.
    pub(crate) fn hop(
        &self,
        object: usize,
        step: &str,
        at: usize,
    ) -> Result<(Hop, &'a FieldDef), SoqlError> {
        let schema = self.eye.org.schema();
        let definition = &schema.objects()[object];
        let lookup = definition
            .parent_field(step)
            .ok_or_else(|| self.no_relation(step, at))?;
        let field = definition
            .index(&lookup.name)
            .ok_or_else(|| self.no_relation(step, at))?;
        if !self.eye.org.readable(self.eye.viewer, object, field) {
            return Err(self.no_relation(step, at));
        }
        let target = match lookup.reference_to.as_slice() {
            [only] => Some(
                self.eye
                    .org
                    .known(self.eye.viewer, only)
                    .ok_or_else(|| self.no_relation(step, at))?,
            ),
            _ => None,
        };
        Ok((Hop { field, target }, lookup))
    }

    fn field(
        &self,
        hops: Vec<Hop>,
        object: usize,
        name: &str,
        at: usize,
    ) -> Result<Path, SoqlError> {
        let definition = &self.eye.org.schema().objects()[object];
        let found = definition
            .index(name)
            .filter(|&field| self.eye.org.readable(self.eye.viewer, object, field));
        let field = found.ok_or_else(|| no_column(name, &definition.name, at))?;
        let known = &definition.fields[field];
        let ranks = match known.kind {
            FieldKind::Picklist => known
                .picklist
                .iter()
                .map(|entry| entry.value.clone())
                .collect(),
            _ => Vec::new(),
        };
        Ok(Path {
            hops,
            leaf: Leaf::Field(field),
            kind: known.kind,
            mode: mode(known),
            ranks,
        })
    }

    /// Looks up a field of a parent whose object differs by row.
    fn named(
        &self,
        hops: Vec<Hop>,
        targets: &[String],
        name: &str,
        at: usize,
    ) -> Result<Path, SoqlError> {
        let known = NAME_FIELDS
            .iter()
            .find(|(field, ..)| field.eq_ignore_ascii_case(name));
        let (name, kind, of) = known.ok_or_else(|| no_column(name, "Name", at))?;
        if *name == "Type" {
            return Ok(Path {
                hops,
                leaf: Leaf::Type,
                kind: *kind,
                mode: Mode::Folded,
                ranks: Vec::new(),
            });
        }
        let schema = self.eye.org.schema();
        let has = |target: &&String| of.is_none_or(|of| of.contains(&target.as_str()));
        let objects = targets.iter().filter(has);
        let fields: Vec<(usize, usize)> = objects
            .filter_map(|target| schema.index(target))
            .filter_map(|object| Some((object, name_field(&schema.objects()[object], name)?)))
            .collect();
        let mode = match (fields.first(), kind) {
            (Some((object, field)), _) => mode(&schema.objects()[*object].fields[*field]),
            (None, FieldKind::Id | FieldKind::Reference) => Mode::Id,
            (None, _) => Mode::Folded,
        };
        Ok(Path {
            hops,
            leaf: Leaf::Named(name, fields),
            kind: *kind,
            mode,
            ranks: Vec::new(),
        })
    }

    fn no_relation(&self, step: &str, at: usize) -> SoqlError {
        let message = format!(
            "Didn't understand relationship '{step}' in field path. If you are attempting to use a custom relationship, \
             be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe \
             call for the appropriate names."
        );
        SoqlError::field(at, message)
    }

    /// Looks up a path or a calendar function.
    pub(crate) fn term(&self, expr: &ast::Expr) -> Result<Term, SoqlError> {
        let (name, args) = match expr {
            ast::Expr::Path(path) => return self.path(path).map(Term::Path),
            ast::Expr::Call { name, args } => (name, args),
        };
        let unknown = || SoqlError::malformed(name.at, format!("Invalid function: {}", name.text));
        let function = DateFn::of(&name.text).ok_or_else(unknown)?;
        let [argument] = args.as_slice() else {
            return Err(SoqlError::malformed(
                name.at,
                format!("{} takes one field", name.text),
            ));
        };
        let (local, path) = match argument {
            ast::Expr::Path(path) => (false, self.path(path)?),
            ast::Expr::Call { name: inner, args }
                if inner.text.eq_ignore_ascii_case("convertTimezone") =>
            {
                match args.as_slice() {
                    [ast::Expr::Path(path)] => (true, self.path(path)?),
                    _ => {
                        return Err(SoqlError::malformed(
                            inner.at,
                            "convertTimezone takes one field",
                        ));
                    }
                }
            }
            ast::Expr::Call { .. } => return Err(unknown()),
        };
        let fits = match path.kind {
            FieldKind::DateTime => true,
            FieldKind::Date => !function.needs_instant() && !local,
            _ => false,
        };
        if !fits {
            let message = format!("field can not be used in {}", name.text);
            return Err(SoqlError::field(argument.at(), message));
        }
        Ok(Term::Date(function, local, path))
    }
}

/// Finds the field that stands for a field of the Name object; every object has a name, whatever it is called.
fn name_field(object: &ObjectDef, name: &str) -> Option<usize> {
    object.index(name).or_else(|| {
        let stands_for = name.eq_ignore_ascii_case("Name");
        object
            .fields
            .iter()
            .position(|field| stands_for && field.name_field)
    })
}

pub(crate) fn mode(field: &FieldDef) -> Mode {
    match field.kind {
        FieldKind::Id | FieldKind::Reference => Mode::Id,
        _ if field.case_sensitive => Mode::Exact,
        _ => Mode::Folded,
    }
}

pub(crate) fn no_column(name: &str, entity: &str, at: usize) -> SoqlError {
    let message = format!(
        "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the \
         '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    );
    SoqlError::field(at, message)
}
