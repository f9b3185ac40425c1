//! sObject tree: new rows with the rows below them, all or nothing.

use super::{
    Call, collections::SaveProblem, failure::Failure, machine::Machine, message::Response,
    rows::object_name,
};
use crate::{
    json::{self, Fields},
    org::SaveError,
    schema::Schema,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const ROWS_MAX: usize = 200;
const OBJECTS_MAX: usize = 5;
const LEVELS_MAX: usize = 5;

#[derive(Deserialize)]
struct Records {
    records: Vec<Fields>,
}

/// One row to create.
struct Node {
    object: String,
    reference: String,
    fields: Fields,
    /// The row above, by its place in the list, and the lookup that names it.
    parent: Option<(usize, String)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered<'a> {
    has_errors: bool,
    results: Vec<NodeAnswer<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeAnswer<'a> {
    reference_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<SaveProblem<'a>>,
}

/// `POST /composite/tree/X`
pub(super) fn tree(
    machine: &mut Machine,
    call: &Call<'_>,
    object: &str,
) -> Result<Response, Failure> {
    let object = object_name(machine, object)?;
    call.only("POST")?;
    let body: Records = call.json()?;
    let mut nodes = Vec::new();
    flatten(machine.org.schema(), body, &object, None, 1, &mut nodes)?;
    check(&nodes)?;
    let savepoint = machine.org.savepoint();
    match plant(machine, call, &mut nodes) {
        Ok(ids) => {
            machine.org.release(savepoint);
            let results = nodes.iter().zip(&ids);
            let results = results.map(|(node, id)| NodeAnswer {
                reference_id: &node.reference,
                id: Some(id),
                errors: Vec::new(),
            });
            Ok(Response::json(
                201,
                json::write(&Answered {
                    has_errors: false,
                    results: results.collect(),
                }),
            ))
        }
        Err((at, errors)) => {
            machine.org.rollback(savepoint);
            let errors = errors.iter().map(SaveProblem::from).collect();
            let results = vec![NodeAnswer {
                reference_id: &nodes[at].reference,
                id: None,
                errors,
            }];
            Ok(Response::json(
                400,
                json::write(&Answered {
                    has_errors: true,
                    results,
                }),
            ))
        }
    }
}

/// Creates the rows in order, parents first; gives the row that failed and why.
fn plant(
    machine: &mut Machine,
    call: &Call<'_>,
    nodes: &mut [Node],
) -> Result<Vec<String>, (usize, Vec<SaveError>)> {
    let mut ids: Vec<String> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter_mut().enumerate() {
        if let Some((parent, lookup)) = &node.parent {
            node.fields.take(lookup);
            node.fields
                .0
                .push((lookup.clone(), json::raw(json::quoted(&ids[*parent]))));
        }
        let id = machine
            .org
            .create(call.actor, &node.object, &node.fields.0)
            .map_err(|errors| (at, errors))?;
        ids.push(id);
    }
    Ok(ids)
}

/// Lists a tree's rows, each after the one above it.
fn flatten(
    schema: &Schema,
    rows: Records,
    object: &str,
    parent: Option<(usize, &str)>,
    level: usize,
    out: &mut Vec<Node>,
) -> Result<(), Failure> {
    if level > LEVELS_MAX {
        return Err(Failure::new(
            400,
            "LIMIT_EXCEEDED",
            format!("a tree has at most {LEVELS_MAX} levels"),
        ));
    }
    for mut fields in rows.records {
        let attributes = fields.take("attributes");
        let attributes: Option<Fields> =
            attributes.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let reference = attributes.and_then(|attributes| attributes.text("referenceId"));
        let reference = reference.ok_or_else(|| {
            Failure::new(
                400,
                "INVALID_INPUT",
                "Include a referenceId in the attributes of each record",
            )
        })?;
        let (own, below): (Vec<_>, Vec<_>) = fields
            .0
            .into_iter()
            .partition(|(name, _)| child(schema, object, name).is_none());
        let at = out.len();
        let parent = parent.map(|(parent, lookup)| (parent, lookup.to_owned()));
        out.push(Node {
            object: object.into(),
            reference,
            fields: Fields(own),
            parent,
        });
        for (relationship, children) in below {
            if let Some((child, lookup)) = child(schema, object, &relationship) {
                let children: Records =
                    serde_json::from_str(children.get()).map_err(Failure::malformed)?;
                flatten(schema, children, child, Some((at, lookup)), level + 1, out)?;
            }
        }
    }
    Ok(())
}

/// Finds the object, and its lookup, behind the name of a child relationship.
fn child<'a>(schema: &'a Schema, parent: &str, relationship: &str) -> Option<(&'a str, &'a str)> {
    schema.objects().iter().find_map(|object| {
        let field = object.fields.iter().find(|field| {
            let named = field.child_relationship_name.as_deref();
            named.is_some_and(|name| name.eq_ignore_ascii_case(relationship))
                && field
                    .reference_to
                    .iter()
                    .any(|target| target.eq_ignore_ascii_case(parent))
        })?;
        Some((object.name.as_str(), field.name.as_str()))
    })
}

fn check(nodes: &[Node]) -> Result<(), Failure> {
    let limit = |what: &str, most: usize| {
        Err(Failure::new(
            400,
            "LIMIT_EXCEEDED",
            format!("a tree has at most {most} {what}"),
        ))
    };
    let objects: BTreeSet<&str> = nodes.iter().map(|node| node.object.as_str()).collect();
    let references: BTreeSet<&str> = nodes.iter().map(|node| node.reference.as_str()).collect();
    if nodes.len() > ROWS_MAX {
        return limit("records", ROWS_MAX);
    }
    if objects.len() > OBJECTS_MAX {
        return limit("types", OBJECTS_MAX);
    }
    match references.len() == nodes.len() {
        true => Ok(()),
        false => Err(Failure::new(
            400,
            "INVALID_INPUT",
            "each referenceId may be given once",
        )),
    }
}
