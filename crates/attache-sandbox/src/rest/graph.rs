//! Graphs: several composite calls in one, each all or nothing.

use super::{
    Call,
    composite::{Answered, Part, check_references, run},
    failure::Failure,
    machine::Machine,
    message::Response,
    target::Target,
};
use crate::json;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const GRAPHS_MAX: usize = 75;
/// Parts of all graphs together at most.
const NODES_MAX: usize = 500;
/// Kinds of parts of a graph at most, by version, method and object.
const KINDS_MAX: usize = 15;
/// Graphs that may fail before the rest is not run.
const FAILURES_MAX: usize = 14;

#[derive(Deserialize)]
struct Body {
    graphs: Vec<Graph>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Graph {
    graph_id: String,
    composite_request: Vec<Part>,
}

#[derive(Serialize)]
struct Graphs {
    graphs: Vec<GraphAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GraphAnswer {
    graph_id: String,
    graph_response: Answered,
    is_successful: bool,
}

/// `POST /composite/graph`
pub(super) fn graph(machine: &mut Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("POST")?;
    let Body { graphs } = call.json()?;
    check(&graphs)?;
    if machine.switches.counts_graph_nodes {
        let nodes: usize = graphs
            .iter()
            .map(|graph| graph.composite_request.len())
            .sum();
        let now_s = machine.now_s();
        // The call itself was counted when it came in.
        machine.usage.count(now_s, (nodes as u64).saturating_sub(1));
    }
    let mut failed = 0;
    let mut answers = Vec::with_capacity(graphs.len());
    for graph in graphs {
        let halted = failed >= FAILURES_MAX;
        let (graph_response, is_successful) = match halted {
            true => (Answered::halted(&graph.composite_request), false),
            false => run(machine, call, &graph.composite_request, true),
        };
        failed += usize::from(!is_successful);
        answers.push(GraphAnswer {
            graph_id: graph.graph_id,
            graph_response,
            is_successful,
        });
    }
    Ok(Response::json(
        200,
        json::write(&Graphs { graphs: answers }),
    ))
}

fn check(graphs: &[Graph]) -> Result<(), Failure> {
    let limit = |what: &str, most: usize| {
        Err(Failure::new(
            400,
            "LIMIT_EXCEEDED",
            format!("more than {most} {what}"),
        ))
    };
    if graphs.len() > GRAPHS_MAX {
        return limit("graphs", GRAPHS_MAX);
    }
    if graphs
        .iter()
        .map(|graph| graph.composite_request.len())
        .sum::<usize>()
        > NODES_MAX
    {
        return limit("nodes", NODES_MAX);
    }
    for graph in graphs {
        check_references(&graph.composite_request)?;
        let mut kinds = BTreeSet::new();
        for part in &graph.composite_request {
            let segments = Target::parse(&part.url).segments;
            if segments.get(3).is_none_or(|family| family != "sobjects") {
                return Err(Failure::new(
                    400,
                    "INVALID_INPUT",
                    "A graph contains row operations only",
                ));
            }
            kinds.insert((
                part.method.clone(),
                segments.get(2).cloned(),
                segments.get(4).cloned(),
            ));
        }
        if kinds.len() > KINDS_MAX {
            return limit("kinds of nodes in a graph", KINDS_MAX);
        }
    }
    Ok(())
}
