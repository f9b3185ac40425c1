//! A statement after the check: indexes instead of names.

use super::dates::DateFn;
use super::filter::{Mode, Pred};
use crate::schema::FieldKind;
use std::sync::Arc;

/// What to do for a statement.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub object: usize,
    pub shape: Shape,
    pub filter: Option<Pred<Term>>,
    pub reach: Reach,
    pub order: Vec<OrderBy>,
    pub limit: Option<usize>,
    pub offset: usize,
}

/// Whose rows a statement asks for (`USING SCOPE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Everything,
    /// The rows the user owns.
    Mine,
    /// The rows the user owns, was given a share in, or is in the team of.
    Team,
    /// The rows in a territory of the user.
    Territory,
    /// The rows in a territory of the user, or below one.
    TeamTerritory,
    /// The rows the user made and somebody else owns.
    Delegated,
    /// The rows a queue owns that the user is in.
    Queue,
    /// The rows a user owns, whichever.
    UserOwned,
    /// The rows owned by the user or by a group they are in.
    MineAndGroups,
    /// The rows owned by the user or by somebody below them by role.
    TeamByRole,
}

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Rows(Vec<Column>),
    /// `SELECT COUNT()`.
    Count,
    Groups(Box<Groups>),
}

/// One step up, through a lookup.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hop {
    pub field: usize,
    /// The object it leads to; `None` if that differs by row.
    pub target: Option<usize>,
}

/// A field of the row or of one of its parents.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub hops: Vec<Hop>,
    pub leaf: Leaf,
    pub kind: FieldKind,
    pub mode: Mode,
    /// The values of a picklist in their order, to sort by.
    pub ranks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leaf {
    /// A field of the object the hops lead to.
    Field(usize),
    /// A field of the Name object, and by which (object, field) it is had, as the object differs by row.
    Named(&'static str, Vec<(usize, usize)>),
    /// The name of the object a lookup leads to.
    Type,
}

/// Something with a value for each row.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    Path(Path),
    /// A calendar function; the flag says whether the user's zone counts instead of UTC.
    Date(DateFn, bool, Path),
}

impl Term {
    pub(crate) fn kind(&self) -> FieldKind {
        match self {
            Term::Path(path) => path.kind,
            Term::Date(DateFn::DayOnly, ..) => FieldKind::Date,
            Term::Date(..) => FieldKind::Int,
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        match self {
            Term::Path(path) => path.mode,
            Term::Date(..) => Mode::Exact,
        }
    }

    /// Gives the field, if this is a field of the row itself.
    pub(crate) fn own_field(&self) -> Option<usize> {
        match self {
            Term::Path(Path {
                hops,
                leaf: Leaf::Field(field),
                ..
            }) if hops.is_empty() => Some(*field),
            _ => None,
        }
    }

    pub(crate) fn ranks(&self) -> &[String] {
        match self {
            Term::Path(path) => &path.ranks,
            Term::Date(..) => &[],
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OrderBy {
    pub by: By,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum By {
    Term(Term),
    /// A column of a group.
    Group(usize),
}

/// One key of a rendered record. `key` is the JSON of the name with its colon.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    Field {
        key: String,
        field: usize,
    },
    /// The label of a picklist value.
    Label {
        key: String,
        field: usize,
    },
    /// A field of a parent whose object differs by row.
    Named {
        key: String,
        fields: Vec<(usize, usize)>,
    },
    /// The object's name of a parent whose object differs by row.
    Type {
        key: String,
    },
    Parent {
        key: String,
        hop: Hop,
        columns: Vec<Column>,
    },
    Children {
        key: String,
        field: usize,
        plan: Arc<Plan>,
    },
    TypeOf {
        key: String,
        hop: Hop,
        cases: Vec<(usize, Vec<Column>)>,
        otherwise: Option<Vec<Column>>,
    },
}

/// A statement with aggregates.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    pub keys: Vec<Term>,
    /// Which keys are grouped by in each pass; more than one for ROLLUP and CUBE.
    pub passes: Vec<Vec<bool>>,
    /// Values by group: first the keys, then these.
    pub aggregates: Vec<Aggregate>,
    /// What to show: (JSON key with its colon, index of the value, its kind).
    pub outputs: Vec<(String, usize, FieldKind)>,
    pub having: Option<Pred<usize>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub function: Function,
    /// `None` counts rows.
    pub term: Option<Term>,
    pub kind: FieldKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    /// `GROUPING(f)`: 1 in a subtotal over all values of the key with this index.
    Grouping(usize),
}
