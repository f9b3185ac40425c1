//! What a query reads from: the object's table, and those of its parents.

use super::Tables;
use super::sql::{Sql, quote};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Context;
use crate::filter::ast::{At, Distance, Path};
use crate::filter::check::Kind;
use crate::filter::name::NameField;
use crate::filter::resolve::{Names, Resolved, Shared, Step, Target};
use crate::schema::{FieldSchema, FieldType, ObjectSchema};

/// How many relationships to parents the server takes in one query; SQLite takes 63.
const PARENTS_MAX: usize = 55;

/// One FROM: names, the table they are read from and the joins that they have needed so far.
pub(super) struct Source<'a> {
    pub(super) tables: &'a dyn Tables,
    pub(super) context: &'a Context,
    pub(super) names: Names<'a>,
    /// The quoted alias of the object's own table.
    pub(super) root: String,
    prefix: &'static str,
    joins: Vec<Join>,
    /// Objects that are read besides those above.
    others: Vec<String>,
    /// What the subtotal rows of a roll-up do not group by.
    rolled_up: Vec<String>,
}

struct Join {
    child: String,
    field: String,
    object: String,
    alias: String,
}

/// A field as SQL.
#[derive(Clone, Debug)]
pub(super) struct Column<'a> {
    pub(super) sql: Sql,
    pub(super) kind: Kind,
    pub(super) ty: FieldType,
    /// The path in the case of the schema.
    pub(super) name: String,
    pub(super) field: Option<&'a FieldSchema>,
    /// The objects that an id may be of.
    pub(super) targets: Vec<&'a str>,
}

impl<'a> Source<'a> {
    /// Reads an object's table under an alias of ours.
    pub(super) fn new(
        tables: &'a dyn Tables,
        context: &'a Context,
        names: Names<'a>,
        prefix: &'static str,
    ) -> Source<'a> {
        Source {
            tables,
            context,
            names,
            root: quote(&format!("{prefix}0")),
            prefix,
            joins: Vec::new(),
            others: Vec::new(),
            rolled_up: Vec::new(),
        }
    }

    /// Reads an object's table under its own name.
    pub(super) fn unaliased(
        tables: &'a dyn Tables,
        context: &'a Context,
        names: Names<'a>,
    ) -> Source<'a> {
        let root = quote(&names.object.name);
        Source {
            root,
            ..Source::new(tables, context, names, "attache_p")
        }
    }

    /// Says whether a path to a parent has been used.
    pub(super) fn has_joins(&self) -> bool {
        !self.joins.is_empty()
    }

    /// Every object that is read: a change of another one cannot change the answer.
    pub(super) fn objects(&self) -> Vec<String> {
        let mut objects = vec![self.names.object.name.clone()];
        objects.extend(self.joins.iter().map(|join| join.object.clone()));
        objects.extend(self.others.iter().cloned());
        objects.sort();
        objects.dedup();
        objects
    }

    /// Makes expressions null from here on, by their canonical names.
    pub(super) fn roll_up(&mut self, names: Vec<String>) {
        self.rolled_up = names;
    }

    pub(super) fn is_rolled_up(&self, name: &str) -> bool {
        self.rolled_up.iter().any(|own| own == name)
    }

    /// Notes objects that a subquery reads.
    pub(super) fn read_too(&mut self, objects: impl IntoIterator<Item = String>) {
        self.others.extend(objects);
    }

    /// `"Contact" AS "t0" LEFT JOIN ...`, complete once everything else is compiled.
    pub(super) fn from(&self) -> String {
        let mut text = format!("{} AS {}", quote(&self.names.object.name), self.root);
        for join in &self.joins {
            text.push_str(&format!(
                " LEFT JOIN {} AS {} ON {}.\"Id\" = {}.{}",
                quote(&join.object),
                join.alias,
                join.alias,
                join.child,
                quote(&join.field)
            ));
        }
        text
    }

    /// Finds the column of a path; joins the parents that it needs.
    pub(super) fn column(&mut self, path: &Path) -> Result<Column<'a>> {
        let resolved = self.names.resolve(path)?;
        let (name, ty) = (resolved.name(), resolved.field_type());
        let Resolved { steps, target } = resolved;
        let column = |sql, kind, field, targets| Column {
            sql,
            kind,
            ty,
            name,
            field,
            targets,
        };
        match (target, steps.split_last()) {
            (Target::Shared(shared), Some((last, before))) => {
                let reference = self.reference(before, last, path.at)?;
                let targets = self.carried_targets(last.field);
                if shared != Shared::Id {
                    self.read_too(targets.iter().map(|target| String::from(*target)));
                }
                Ok(match shared {
                    Shared::Id => column(Sql::new(reference), Kind::Id, None, targets),
                    Shared::Name => column(
                        self.name_of(&reference, &targets),
                        Kind::Text,
                        None,
                        targets,
                    ),
                    Shared::Type => column(
                        self.type_of(&reference, last.field, &targets),
                        Kind::Text,
                        None,
                        targets,
                    ),
                    Shared::Field(field) => {
                        let sql = self.name_field(&reference, field, last.field, path.at)?;
                        column(sql, field.kind, None, Vec::new())
                    }
                })
            }
            // The parent's id stands in the child already, even if the parent is not here.
            (Target::Field(_, field), Some((last, before)))
                if field.field_type == FieldType::Id =>
            {
                let reference = self.reference(before, last, path.at)?;
                let targets = self.carried_targets(last.field);
                Ok(column(Sql::new(reference), Kind::Id, Some(field), targets))
            }
            (Target::Field(object, field), _) => {
                let alias = self.climb(&steps, path.at)?;
                self.carried(object, field, path.at)?;
                let targets = match field.field_type {
                    FieldType::Id => vec![object.name.as_str()],
                    _ => self.carried_targets(field),
                };
                let sql = Sql::new(format!("{alias}.{}", quote(&field.name)));
                Ok(column(sql, Kind::of(field), Some(field), targets))
            }
            (Target::Shared(_), None) => Err(Error::internal("a shared field without a reference")),
        }
    }

    /// Finds the column of a field of one object behind a polymorphic reference.
    pub(super) fn typed_column(
        &mut self,
        steps: &[Step<'a>],
        object: &'a ObjectSchema,
        field: &'a FieldSchema,
        at: At,
    ) -> Result<Sql> {
        self.carried(object, field, at)?;
        let Some((last, before)) = steps.split_last() else {
            return Err(Error::internal("a TYPEOF without a reference"));
        };
        let child = self.climb(before, at)?;
        self.carried(last.object, last.field, at)?;
        let alias = self.join(&child, &last.field.name, &object.name);
        Ok(Sql::new(format!("{alias}.{}", quote(&field.name))))
    }

    /// The latitude and longitude columns of a place.
    pub(super) fn place(&mut self, distance: &Distance) -> Result<(Sql, Sql)> {
        let resolved = self.names.resolve(&distance.path)?;
        let at = distance.path.at;
        let Target::Field(object, place) = resolved.target else {
            return Err(malformed(at, "DISTANCE takes a geolocation field"));
        };
        let alias = self.climb(&resolved.steps, at)?;
        let part = |suffixes: [&str; 2]| {
            let field = object.fields.iter().find(|field| {
                field.compound.as_deref() == Some(&place.name)
                    && suffixes.iter().any(|suffix| field.name.ends_with(suffix))
            });
            let field = field.ok_or_else(|| malformed(at, "DISTANCE takes a geolocation field"))?;
            self.carried(object, field, at)?;
            Ok::<Sql, Error>(Sql::new(format!("{alias}.{}", quote(&field.name))))
        };
        Ok((
            part(["Latitude", "Latitude__s"])?,
            part(["Longitude", "Longitude__s"])?,
        ))
    }

    /// The reference column at the end of some steps.
    pub(super) fn reference(
        &mut self,
        before: &[Step<'a>],
        last: &Step<'a>,
        at: At,
    ) -> Result<String> {
        let alias = self.climb(before, at)?;
        self.carried(last.object, last.field, at)?;
        Ok(format!("{alias}.{}", quote(&last.field.name)))
    }

    /// Joins parents step by step and gives the alias of the last.
    fn climb(&mut self, steps: &[Step<'a>], at: At) -> Result<String> {
        let mut alias = self.root.clone();
        for step in steps {
            self.carried(step.object, step.field, at)?;
            let target = step.field.reference_to.first().map_or("", String::as_str);
            if !self.tables.has(target, "Id") {
                return Err(not_carried_object(target, at));
            }
            alias = self.join(&alias, &step.field.name, target);
        }
        if self.joins.len() > PARENTS_MAX {
            return Err(malformed(
                at,
                format!("a query reads at most {PARENTS_MAX} parents"),
            ));
        }
        Ok(alias)
    }

    fn join(&mut self, child: &str, field: &str, object: &str) -> String {
        let found = self
            .joins
            .iter()
            .find(|join| join.child == child && join.field == field && join.object == object);
        if let Some(join) = found {
            return join.alias.clone();
        }
        let alias = quote(&format!("{}{}", self.prefix, self.joins.len() + 1));
        self.joins.push(Join {
            child: child.to_owned(),
            field: field.to_owned(),
            object: object.to_owned(),
            alias: alias.clone(),
        });
        alias
    }

    /// Says that a field is here, or why not.
    pub(super) fn carried(&self, object: &ObjectSchema, field: &FieldSchema, at: At) -> Result<()> {
        if self.tables.has(&object.name, &field.name) {
            return Ok(());
        }
        if !self.tables.has(&object.name, "Id") {
            return Err(not_carried_object(&object.name, at));
        }
        let why = match field.field_type {
            FieldType::Address | FieldType::Location => "is made of parts: name those",
            FieldType::Base64 => "is content, which is fetched apart from its record",
            _ => "is not carried by this briefcase",
        };
        Err(Error::new(
            ErrorKind::UnknownField,
            format!("{}.{} {why}", object.name, field.name),
        )
        .at(at.0))
    }

    /// The objects behind a reference that this device has.
    pub(super) fn carried_targets(&self, field: &'a FieldSchema) -> Vec<&'a str> {
        let objects = field.reference_to.iter().map(String::as_str);
        objects
            .filter(|object| self.tables.has(object, "Id"))
            .collect()
    }

    /// What the parent behind a polymorphic reference is called.
    fn name_of(&self, reference: &str, targets: &[&str]) -> Sql {
        let names = targets.iter().filter_map(|target| {
            let field = self.names.schema.object(target)?.name_field()?;
            let carried = self.tables.has(target, &field.name);
            carried.then_some((*target, field.name.as_str()))
        });
        of_whichever(reference, names)
    }

    /// What the parent behind a polymorphic reference has in a field of the Name object.
    ///
    /// Null if it is not here, or of an object that has none. Refused if this device can never know it.
    fn name_field(
        &self,
        reference: &str,
        wanted: &NameField,
        lookup: &'a FieldSchema,
        at: At,
    ) -> Result<Sql> {
        let names = lookup.reference_to.iter().map(String::as_str);
        let possible: Vec<&str> = names.filter(|name| wanted.is_of(name)).collect();
        let field = |name: &str| self.names.schema.object(name)?.field(wanted.name);
        let here = |name: &str| field(name).filter(|field| self.tables.has(name, &field.name));
        let found: Vec<(&str, &str)> = possible
            .iter()
            .filter_map(|name| Some((*name, here(name)?.name.as_str())))
            .collect();
        if let (true, Some(first)) = (found.is_empty(), possible.first()) {
            let known = possible
                .iter()
                .find_map(|name| Some((self.names.schema.object(name)?, field(name)?)));
            match known {
                Some((object, field)) => self.carried(object, field, at)?,
                // Any object might have it, and none does.
                None if possible.iter().any(|name| self.tables.has(name, "Id")) => {}
                None => return Err(not_carried_object(first, at)),
            }
        }
        Ok(of_whichever(reference, found.into_iter()))
    }

    /// The object of the parent behind a polymorphic reference: by what is here, else by its id.
    fn type_of(&self, reference: &str, field: &FieldSchema, targets: &[&str]) -> Sql {
        let mut sql = Sql::new("CASE");
        for target in targets {
            sql.push(" WHEN ").push(&is_here(target, reference));
            sql.push(" THEN ").bind((*target).to_owned());
        }
        let known = field.reference_to.iter().filter_map(|name| {
            let object = self.names.schema.object(name)?;
            Some((object.key_prefix.clone()?, object.name.clone()))
        });
        for (prefix, name) in known {
            sql.push(&format!(" WHEN substr({reference}, 1, 3) = "));
            sql.bind(prefix).push(" THEN ").bind(name);
        }
        // A CASE without any WHEN is no SQL.
        sql.push(" WHEN 0 THEN NULL END");
        sql
    }
}

/// What a reference leads to, out of one of several (object, field).
fn of_whichever<'n>(reference: &str, fields: impl Iterator<Item = (&'n str, &'n str)>) -> Sql {
    let values = fields.map(|(object, field)| {
        // The alias keeps a table of the same name outside apart.
        format!(
            "(SELECT \"attache_x\".{} FROM {} AS \"attache_x\" WHERE \"attache_x\".\"Id\" = {reference})",
            quote(field),
            quote(object)
        )
    });
    let mut values: Vec<String> = values.collect();
    // COALESCE takes no fewer than two.
    values.extend([String::from("NULL"), String::from("NULL")]);
    Sql::new(format!("COALESCE({})", values.join(", ")))
}

/// Says in SQL whether a reference leads to a record of an object.
pub(super) fn is_here(object: &str, reference: &str) -> String {
    let table = quote(object);
    format!(
        "EXISTS (SELECT 1 FROM {table} AS \"attache_x\" WHERE \"attache_x\".\"Id\" = {reference})"
    )
}

pub(super) fn not_carried_object(object: &str, at: At) -> Error {
    Error::new(
        ErrorKind::UnknownObject,
        format!("{object} is not carried by this briefcase"),
    )
    .at(at.0)
}

pub(super) fn malformed(at: At, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::MalformedQuery, message).at(at.0)
}
