//! Conditions and statements as trees.

use super::date::DateLiteral;
use crate::error::Result;
use crate::record::ServerTime;
use jiff::civil;
use rust_decimal::Decimal;

/// Where in the text a part began, as a byte offset.
///
/// All positions are equal, so that trees compare by what they say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At(pub(crate) usize);

impl PartialEq for At {
    fn eq(&self, _: &At) -> bool {
        true
    }
}

/// A name of an object, a scope or an alias.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: At,
}

/// A field, or a field of a parent: `Account.Owner.Name`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    /// Relationships, then the field; never empty.
    pub(crate) steps: Vec<String>,
    pub(crate) at: At,
}

impl Path {
    /// The relationships, and the field.
    pub(crate) fn split(&self) -> (&[String], &str) {
        match self.steps.split_last() {
            Some((field, parents)) => (parents, field),
            None => (&[], ""),
        }
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// Two or more.
    And(Vec<Condition>),
    /// Two or more.
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Test(Comparison),
}

impl Condition {
    /// Visits each comparison, those of subqueries apart, up to the first that is refused.
    pub(crate) fn each_test(
        &self,
        visit: &mut impl FnMut(&Comparison) -> Result<()>,
    ) -> Result<()> {
        match self {
            Condition::And(list) | Condition::Or(list) => {
                list.iter().try_for_each(|part| part.each_test(visit))
            }
            Condition::Not(inner) => inner.each_test(visit),
            Condition::Test(comparison) => visit(comparison),
        }
    }
}

/// One comparison of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) left: Expr,
    pub(crate) test: Test,
}

/// What the left side of a comparison is held against.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Compare(Operator, Literal),
    Like(Vec<Glyph>, At),
    In(Sense, Vec<Literal>),
    InQuery(Sense, Box<Join>),
    Includes(Sense, Vec<Literal>),
}

/// Whether a list test holds for what is in the list or for what is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    Is,
    IsNot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One element of a LIKE pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glyph {
    Char(char),
    /// `_`: exactly one character.
    One,
    /// `%`: any number of characters.
    Many,
}

/// A value of a comparison, with where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    pub(crate) value: Constant,
    pub(crate) at: At,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Null,
    Boolean(bool),
    Number(Decimal),
    /// An amount of a currency: `USD5000`.
    Money(String, Decimal),
    Text(String),
    Date(civil::Date),
    DateTime(ServerTime),
    Relative(DateLiteral),
}

/// A semi-join or anti-join: `(SELECT AccountId FROM Contact WHERE ...)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Join {
    pub(crate) field: Path,
    pub(crate) object: Name,
    pub(crate) alias: Option<Name>,
    pub(crate) condition: Option<Condition>,
}

/// What can be selected, compared, grouped by or ordered by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Field(Path),
    Date(DateFunction, DateArgument),
    Distance(Distance),
    /// `COUNT()`.
    CountAll(At),
    Aggregate(Aggregate, Path),
    /// `toLabel(field)`: what a person sees of a picklist's value.
    Label(Path),
    /// `GROUPING(field)`: 1 in the subtotal rows of a roll-up.
    Grouping(Path),
}

impl Expr {
    /// Where it begins.
    pub(crate) fn at(&self) -> At {
        match self {
            Expr::Field(path)
            | Expr::Label(path)
            | Expr::Aggregate(_, path)
            | Expr::Grouping(path) => path.at,
            Expr::Date(_, argument) => argument.path.at,
            Expr::Distance(distance) => distance.path.at,
            Expr::CountAll(at) => *at,
        }
    }

    /// The field that it reads, if it reads one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Expr::Field(path)
            | Expr::Label(path)
            | Expr::Aggregate(_, path)
            | Expr::Grouping(path) => Some(path),
            Expr::Date(_, argument) => Some(&argument.path),
            Expr::Distance(distance) => Some(&distance.path),
            Expr::CountAll(_) => None,
        }
    }

    pub(crate) fn is_aggregate(&self) -> bool {
        matches!(
            self,
            Expr::CountAll(_) | Expr::Aggregate(..) | Expr::Grouping(_)
        )
    }
}

/// A date or datetime, in UTC or brought to the user's time zone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DateArgument {
    pub(crate) path: Path,
    pub(crate) zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    Utc,
    /// `convertTimezone(field)`.
    User,
}

/// `DISTANCE(field, GEOLOCATION(latitude, longitude), 'unit')`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Distance {
    pub(crate) path: Path,
    pub(crate) latitude: Decimal,
    pub(crate) longitude: Decimal,
    pub(crate) unit: DistanceUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DistanceUnit {
    Miles,
    Kilometres,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),* }

        impl $name {
            pub(crate) const ALL: &[$name] = &[$($name::$variant),*];

            /// Its word in SOQL.
            pub(crate) fn word(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }

            pub(crate) fn from_word(word: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|own| own.word().eq_ignore_ascii_case(word))
            }
        }
    };
}

words! {
    /// A part of a date.
    DateFunction {
        CalendarMonth = "CALENDAR_MONTH",
        CalendarQuarter = "CALENDAR_QUARTER",
        CalendarYear = "CALENDAR_YEAR",
        DayInMonth = "DAY_IN_MONTH",
        DayInWeek = "DAY_IN_WEEK",
        DayInYear = "DAY_IN_YEAR",
        DayOnly = "DAY_ONLY",
        FiscalMonth = "FISCAL_MONTH",
        FiscalQuarter = "FISCAL_QUARTER",
        FiscalYear = "FISCAL_YEAR",
        HourInDay = "HOUR_IN_DAY",
        WeekInMonth = "WEEK_IN_MONTH",
        WeekInYear = "WEEK_IN_YEAR",
    }
}

words! {
    /// A function over the rows of a group.
    Aggregate {
        Count = "COUNT",
        CountDistinct = "COUNT_DISTINCT",
        Sum = "SUM",
        Average = "AVG",
        Min = "MIN",
        Max = "MAX",
    }
}

words! {
    /// A set of fields that a statement may ask for by its name.
    FieldSet {
        All = "ALL",
        Standard = "STANDARD",
        Custom = "CUSTOM",
    }
}

words! {
    /// What a statement marks its rows as.
    View {
        View = "VIEW",
        Reference = "REFERENCE",
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub(crate) items: Vec<Item>,
    pub(crate) object: Name,
    pub(crate) alias: Option<Name>,
    /// Further aliases: `FROM Contact c, c.Account a`.
    pub(crate) parents: Vec<(Path, Name)>,
    pub(crate) scope: Option<Name>,
    pub(crate) condition: Option<Condition>,
    pub(crate) group: Option<Group>,
    pub(crate) having: Option<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<u32>,
    pub(crate) offset: Option<u32>,
    pub(crate) view: Option<View>,
}

/// One item of a select list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Expr(Expr, Option<Name>),
    Fields(FieldSet, At),
    Children(Box<Statement>),
    TypeOf(TypeOf),
}

/// `TYPEOF relationship WHEN Object THEN fields ... ELSE fields END`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TypeOf {
    /// The relationship; its last step is the polymorphic one.
    pub(crate) path: Path,
    pub(crate) cases: Vec<(Name, Vec<Path>)>,
    pub(crate) otherwise: Vec<Path>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) kind: GroupKind,
    pub(crate) by: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupKind {
    Plain,
    Rollup,
    Cube,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Order {
    pub(crate) by: Expr,
    pub(crate) direction: Direction,
    pub(crate) nulls: Nulls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    First,
    Last,
}
