//! Makes the indexes that an object's rules ask for, once its records are here.

use super::Run;
use super::prepare::Node;
use crate::briefcase::{Scope, Source};
use crate::error::Result;
use crate::filter::ast::{Comparison, Expr, Test};
use crate::filter::order_terms;
use crate::schema::FieldType;
use crate::store::{Durability, Stop, Table};
use std::sync::Arc;

/// Which objects are to have their indexes now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loaded {
    /// Those that rules choose by themselves: related rules are about to look through them.
    Chosen,
    All,
}

impl Run<'_> {
    /// Brings the indexes of some objects into step with the briefcase and the host.
    pub(super) fn keep_indexes(&self, nodes: &[Node], loaded: Loaded) -> Result<()> {
        for table in self.objects() {
            let mut own = nodes
                .iter()
                .filter(|node| node.table.object.name == table.object.name);
            if loaded == Loaded::All || own.any(|node| !node.is_related()) {
                self.keep_indexes_of(&table, nodes)?;
            }
        }
        Ok(())
    }

    /// Brings the indexes of an object into step with the briefcase and the host.
    ///
    /// # Cost
    /// A read of SQLite's schema where nothing is to be done. Making an index reads
    /// the table once, in a transaction of its own, which gives way to those who wait
    /// to write: one that cannot be made now is made by a later look, or the next session.
    pub(super) fn keep_indexes_of(&self, table: &Table, nodes: &[Node]) -> Result<()> {
        let wanted = wanted(table, nodes);
        let plan = self.store.read(|r| r.index_plan(table, &wanted))?;
        for name in &plan.drop {
            self.store
                .write(Durability::Ordered, |w| w.drop_index(name))?;
        }
        let cancel = self.cancel.clone();
        let stop: Stop = Arc::new(move || cancel.is_cancelled());
        for sql in &plan.create {
            self.check_cancelled()?;
            self.store.build_index(table, sql, &stop)?;
        }
        self.cancel.check()?;
        Ok(())
    }
}

/// The fields that the rules of a briefcase find and order an object's records by.
fn wanted(table: &Table, nodes: &[Node]) -> Vec<Vec<String>> {
    let mut wanted = Vec::new();
    for node in nodes {
        let own = node.table.object.name == table.object.name;
        match &node.source {
            Source::Children { field, .. } if own => wanted.push(vec![field.clone()]),
            Source::Parents { of, field } if nodes[*of].table.object.name == table.object.name => {
                wanted.push(vec![field.clone()]);
            }
            Source::Top {
                scope, order_by, ..
            } if own => {
                if let Scope::Mine { field } = scope {
                    wanted.push(vec![field.clone()]);
                }
                wanted.extend(order_by.as_deref().and_then(ordered));
            }
            _ => {}
        }
        if own && let Some(filter) = &node.filter {
            filter.each_test(&mut |test| wanted.extend(tested(table, test)));
        }
    }
    wanted
}

/// The fields of an order, if all are the object's own.
fn ordered(text: &str) -> Option<Vec<String>> {
    let terms = order_terms(text).ok()?;
    let own = terms
        .iter()
        .all(|term| matches!(&term.by, Expr::Field(path) if path.steps.len() == 1));
    own.then(|| terms.iter().map(ToString::to_string).collect())
}

/// The field of a test that an index helps: many values, compared by their order.
fn tested(table: &Table, comparison: &Comparison) -> Option<Vec<String>> {
    let Expr::Field(path) = &comparison.left else {
        return None;
    };
    let ([], name) = path.split() else {
        return None;
    };
    let field = table.object.field(name)?;
    let is_selective = !matches!(
        field.field_type,
        FieldType::Boolean | FieldType::MultiPicklist | FieldType::TextArea
    );
    let is_ordered = matches!(
        comparison.test,
        Test::Compare(..) | Test::In(..) | Test::InQuery(..) | Test::Like(..)
    );
    (is_selective && is_ordered).then(|| vec![field.name.clone()])
}
