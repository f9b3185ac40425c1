//! A schema made up from what a statement says, to compile it where no org is known.
//!
//! Every name exists and each field has the type that its use asks for: what is
//! refused then is the statement's own fault.

use super::ast::*;
use super::{Filter, Select};
use crate::error::Result;
use crate::schema::{ObjectSchema, Schema};
use serde_json::json;
use std::collections::BTreeMap;

impl Select {
    /// Makes up the objects and fields that the statement names.
    ///
    /// For tools that show what a statement becomes without an org at hand. A
    /// lookup is taken for one to the object of its relationship's name, and a
    /// field has the type of what it is compared with.
    ///
    /// # Errors
    /// None in practice: it passes on those of reading a describe.
    pub fn sketch(&self) -> Result<Schema> {
        let mut sketch = Sketch::default();
        sketch.statement(self.statement(), self.object());
        sketch.finish()
    }
}

impl Filter {
    /// Makes up an object of this name with the fields that the condition names, as [`Select::sketch`] does.
    ///
    /// # Errors
    /// None in practice: it passes on those of reading a describe.
    pub fn sketch(&self, object: &str) -> Result<Schema> {
        let mut sketch = Sketch::default();
        sketch.object(object);
        sketch.condition(&Scope::of(object), self.condition());
        sketch.finish()
    }
}

/// The objects so far, by their names in lower case.
#[derive(Default)]
struct Sketch {
    objects: BTreeMap<String, Draft>,
}

#[derive(Default)]
struct Draft {
    name: String,
    fields: BTreeMap<String, Field>,
    /// Relationships to children, which have a reference field of the second name.
    children: Vec<(String, String)>,
}

#[derive(Default)]
struct Field {
    name: String,
    /// What a use demands, and what one merely suggests.
    demanded: Option<&'static str>,
    suggested: Option<&'static str>,
    relationship: Option<String>,
    targets: Vec<String>,
    /// The compound field that it is a part of.
    part_of: Option<String>,
}

/// The names of one FROM.
struct Scope<'s> {
    object: &'s str,
    alias: Option<&'s str>,
    parents: &'s [(Path, Name)],
}

impl<'s> Scope<'s> {
    fn of(object: &'s str) -> Scope<'s> {
        Scope {
            object,
            alias: None,
            parents: &[],
        }
    }

    /// Puts relationships in place of aliases.
    fn steps(&self, path: &[String]) -> Vec<String> {
        let mut steps = path.to_vec();
        for _ in 0..=self.parents.len() {
            let is = |name: &str| steps.len() > 1 && steps[0].eq_ignore_ascii_case(name);
            if self.alias.is_some_and(is) || is(self.object) {
                steps.remove(0);
                break;
            }
            match self.parents.iter().find(|(_, alias)| is(&alias.text)) {
                Some((path, _)) => drop(steps.splice(..1, path.steps.iter().cloned())),
                None => break,
            }
        }
        steps
    }
}

/// How sure a type is.
#[derive(Clone, Copy)]
enum Use {
    Demands(&'static str),
    Suggests(&'static str),
    Leaves,
}

impl Sketch {
    fn object(&mut self, name: &str) -> &mut Draft {
        let draft = self.objects.entry(name.to_ascii_lowercase()).or_default();
        if draft.name.is_empty() {
            draft.name = name.to_owned();
            draft.field("Id", Use::Demands("id"));
            draft.field("Name", Use::Suggests("string"));
        }
        draft
    }

    fn statement(&mut self, statement: &Statement, object: &str) {
        let scope = Scope {
            object,
            alias: statement.alias.as_ref().map(|alias| alias.text.as_str()),
            parents: &statement.parents,
        };
        self.object(object);
        let mut aliases = Vec::new();
        for item in &statement.items {
            match item {
                Item::Expr(expr, alias) => {
                    aliases.extend(alias.as_ref().map(|alias| alias.text.as_str()));
                    self.expr(&scope, expr, Use::Leaves);
                }
                Item::Fields(FieldSet::Custom, _) => {
                    self.object(object).field("Custom__c", Use::Leaves);
                }
                Item::Fields(..) => {}
                Item::Children(child) => self.children(object, child),
                Item::TypeOf(type_of) => self.type_of(&scope, type_of),
            }
        }
        if statement.scope.is_some() {
            self.object(object).field("OwnerId", Use::Leaves);
        }
        for condition in statement.condition.iter().chain(&statement.having) {
            self.condition(&scope, condition);
        }
        let group = statement.group.iter().flat_map(|group| &group.by);
        let is_alias = |expr: &&Expr| {
            let path = expr.path().map(Path::to_string).unwrap_or_default();
            aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(&path))
        };
        let order = statement.order.iter().map(|order| &order.by);
        for expr in group.chain(order).filter(|expr| !is_alias(expr)) {
            self.expr(&scope, expr, Use::Leaves);
        }
    }

    fn children(&mut self, parent: &str, child: &Statement) {
        let relationship = child.object.text.clone();
        let reference = format!("{}Id", parent.trim_end_matches("__c"));
        self.statement(child, &relationship);
        self.reference(&relationship, &reference, None, &[parent.to_owned()]);
        self.object(parent).children.push((relationship, reference));
    }

    fn type_of(&mut self, scope: &Scope<'_>, type_of: &TypeOf) {
        let steps = scope.steps(&type_of.path.steps);
        let Some((last, parents)) = steps.split_last() else {
            return;
        };
        let object = self.climb(scope.object, parents);
        let mut targets: Vec<String> = Vec::new();
        for (name, fields) in &type_of.cases {
            targets.push(name.text.clone());
            for path in fields {
                self.object(&name.text)
                    .field(&path.to_string(), Use::Leaves);
            }
        }
        // One object would make it a plain lookup.
        targets.push(String::from("Name"));
        self.reference(&object, &format!("{last}Id"), Some(last), &targets);
    }

    fn condition(&mut self, scope: &Scope<'_>, condition: &Condition) {
        match condition {
            Condition::And(list) | Condition::Or(list) => {
                list.iter().for_each(|part| self.condition(scope, part));
            }
            Condition::Not(inner) => self.condition(scope, inner),
            Condition::Test(Comparison { left, test }) => {
                let literals: &[Literal] = match test {
                    Test::Compare(_, literal) => std::slice::from_ref(literal),
                    Test::In(_, list) => list,
                    Test::Includes(..) => {
                        return self.expr(scope, left, Use::Demands("multipicklist"));
                    }
                    Test::InQuery(_, join) => {
                        self.expr(scope, left, Use::Demands("reference"));
                        return self.join(join);
                    }
                    Test::Like(..) => &[],
                };
                let uses = literals.iter().map(|literal| used_as(&literal.value));
                uses.chain([Use::Leaves])
                    .for_each(|used| self.expr(scope, left, used));
            }
        }
    }

    fn join(&mut self, join: &Join) {
        let scope = Scope {
            alias: join.alias.as_ref().map(|alias| alias.text.as_str()),
            ..Scope::of(&join.object.text)
        };
        self.object(scope.object);
        self.path(&scope, &join.field, Use::Demands("reference"));
        if let Some(condition) = &join.condition {
            self.condition(&scope, condition);
        }
    }

    fn expr(&mut self, scope: &Scope<'_>, expr: &Expr, used: Use) {
        match expr {
            Expr::Field(path) | Expr::Aggregate(Aggregate::Min | Aggregate::Max, path) => {
                self.path(scope, path, used);
            }
            Expr::Aggregate(Aggregate::Sum | Aggregate::Average, path) => {
                self.path(scope, path, Use::Demands("double"));
            }
            Expr::Label(path) | Expr::Aggregate(_, path) | Expr::Grouping(path) => {
                self.path(scope, path, Use::Leaves);
            }
            Expr::Date(function, argument) => {
                let is_instant = argument.zone == Zone::User
                    || matches!(function, DateFunction::DayOnly | DateFunction::HourInDay);
                let used = match is_instant {
                    true => Use::Demands("datetime"),
                    false => Use::Suggests("datetime"),
                };
                self.path(scope, &argument.path, used);
            }
            Expr::Distance(distance) => self.place(scope, &distance.path),
            Expr::CountAll(_) => {}
        }
    }

    fn path(&mut self, scope: &Scope<'_>, path: &Path, used: Use) {
        let steps = scope.steps(&path.steps);
        if let Some((field, parents)) = steps.split_last() {
            let object = self.climb(scope.object, parents);
            self.object(&object).field(field, used);
        }
    }

    fn place(&mut self, scope: &Scope<'_>, path: &Path) {
        let steps = scope.steps(&path.steps);
        let Some((field, parents)) = steps.split_last() else {
            return;
        };
        let object = self.climb(scope.object, parents);
        let stem = field.strip_suffix("__c");
        let draft = self.object(&object);
        draft.field(field, Use::Demands("location"));
        for part in ["Latitude", "Longitude"] {
            let name = match stem {
                Some(stem) => format!("{stem}__{part}__s"),
                None => format!("{}{part}", field.trim_end_matches("Address")),
            };
            draft.field(&name, Use::Demands("double")).part_of = Some(field.clone());
        }
    }

    /// Follows relationships and gives the object at their end.
    fn climb(&mut self, object: &str, relationships: &[String]) -> String {
        let mut object = object.to_owned();
        for relationship in relationships {
            let stem = relationship
                .strip_suffix("__r")
                .or_else(|| relationship.strip_suffix("__R"));
            let (field, target) = match (stem, relationship.to_ascii_lowercase().as_str()) {
                (Some(stem), _) => (format!("{stem}__c"), vec![format!("{stem}__c")]),
                (None, "what") => (String::from("WhatId"), owned(&["Account", "Opportunity"])),
                (None, "who") => (String::from("WhoId"), owned(&["Contact", "Lead"])),
                (None, "owner" | "createdby" | "lastmodifiedby") => {
                    (format!("{relationship}Id"), owned(&["User"]))
                }
                (None, "parent") => (format!("{relationship}Id"), vec![object.clone()]),
                (None, _) => (format!("{relationship}Id"), vec![relationship.clone()]),
            };
            self.reference(&object, &field, Some(relationship), &target);
            object.clone_from(&target[0]);
        }
        object
    }

    fn reference(
        &mut self,
        object: &str,
        field: &str,
        relationship: Option<&str>,
        targets: &[String],
    ) {
        for target in targets {
            self.object(target);
        }
        let field = self.object(object).field(field, Use::Demands("reference"));
        field.relationship = relationship
            .map(str::to_owned)
            .or(field.relationship.take());
        for target in targets {
            if !field
                .targets
                .iter()
                .any(|own| own.eq_ignore_ascii_case(target))
            {
                field.targets.push(target.clone());
            }
        }
    }

    fn finish(self) -> Result<Schema> {
        let mut schema = Schema::default();
        for draft in self.objects.values() {
            schema.insert(ObjectSchema::from_describe(&draft.describe())?);
        }
        Ok(schema)
    }
}

impl Draft {
    fn field(&mut self, name: &str, used: Use) -> &mut Field {
        let field = self.fields.entry(name.to_ascii_lowercase()).or_default();
        if field.name.is_empty() {
            field.name = name.to_owned();
        }
        match used {
            Use::Demands(ty) => field.demanded = field.demanded.or(Some(ty)),
            Use::Suggests(ty) => field.suggested = field.suggested.or(Some(ty)),
            Use::Leaves => {}
        }
        field
    }

    fn describe(&self) -> String {
        let fields: Vec<_> = self.fields.values().map(Field::describe).collect();
        let children: Vec<_> = self
            .children
            .iter()
            .map(|(name, field)| json!({"relationshipName": name, "childSObject": name, "field": field}))
            .collect();
        json!({"name": self.name, "fields": fields, "childRelationships": children}).to_string()
    }
}

impl Field {
    fn describe(&self) -> serde_json::Value {
        let is = |name| self.name.eq_ignore_ascii_case(name);
        let is_id = self.name.len() > 2 && self.name.ends_with("Id");
        let ty = match self.demanded.or(self.suggested) {
            _ if is("Id") => "id",
            Some(ty) => ty,
            None if is_id => "reference",
            None => "string",
        };
        json!({
            "name": self.name, "type": ty, "nameField": is("Name"),
            "relationshipName": self.relationship, "referenceTo": self.targets,
            "compoundFieldName": self.part_of,
        })
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| String::from(*name)).collect()
}

fn used_as(value: &Constant) -> Use {
    match value {
        Constant::Null | Constant::Text(_) => Use::Leaves,
        Constant::Boolean(_) => Use::Demands("boolean"),
        Constant::Number(_) => Use::Demands("double"),
        Constant::Money(..) => Use::Demands("currency"),
        Constant::Date(_) => Use::Demands("date"),
        Constant::DateTime(_) => Use::Demands("datetime"),
        Constant::Relative(_) => Use::Suggests("date"),
    }
}
