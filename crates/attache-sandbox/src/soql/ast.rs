//! A statement as it was written: names, not yet looked up.

use rust_decimal::Decimal;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub text: String,
    pub at: usize,
}

/// A dotted path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub steps: Vec<String>,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub select: Vec<Item>,
    pub from: Name,
    pub alias: Option<String>,
    /// Further aliases: name and the path they stand for.
    pub aliases: Vec<(String, Path)>,
    pub scope: Option<Name>,
    pub filter: Option<Condition>,
    pub group: Option<Grouping>,
    pub having: Option<Condition>,
    pub order: Vec<Order>,
    pub limit: Option<(u64, usize)>,
    pub offset: Option<(u64, usize)>,
}

/// One entry of a select list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Expr {
        expr: Expr,
        alias: Option<String>,
    },
    /// `COUNT()`.
    CountRows {
        at: usize,
    },
    /// `FIELDS(ALL)`.
    Fields {
        which: Which,
        at: usize,
    },
    Children(Box<Query>),
    TypeOf(TypeOf),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    Standard,
    Custom,
}

/// `TYPEOF rel WHEN Obj THEN f, ... ELSE f, ... END`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TypeOf {
    pub relation: Path,
    pub cases: Vec<(Name, Vec<Path>)>,
    pub otherwise: Option<Vec<Path>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Path(Path),
    Call { name: Name, args: Vec<Expr> },
}

impl Expr {
    pub(crate) fn at(&self) -> usize {
        match self {
            Expr::Path(path) => path.at,
            Expr::Call { name, .. } => name.at,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grouping {
    pub how: How,
    pub by: Vec<Expr>,
    pub at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Plain,
    Rollup,
    Cube,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub expr: Expr,
    pub descending: bool,
    pub nulls_first: Option<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        left: Expr,
        op: Op,
        right: Literal,
    },
    In {
        left: Expr,
        negated: bool,
        list: Vec<Literal>,
        at: usize,
    },
    InQuery {
        left: Expr,
        negated: bool,
        query: Box<Query>,
        at: usize,
    },
    Choice {
        left: Expr,
        excludes: bool,
        sets: Vec<Literal>,
        at: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Like,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    pub value: Constant,
    pub at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Null,
    Bool(bool),
    Number(Decimal),
    /// The literal as it stands between the quotes.
    Text(String),
    Date(jiff::civil::Date),
    DateTime(i64),
    /// `LAST_N_DAYS:7`.
    Range {
        name: String,
        n: Option<i64>,
    },
}
