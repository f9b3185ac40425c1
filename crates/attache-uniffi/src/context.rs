//! Queries for somebody, somewhere, at some time.

use crate::error::{AttacheError, ErrorKind, Result, failed};
use crate::rows::{Row, RowCursor};
use crate::store::Attache;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Weekday {
    /// Sunday.
    Sunday,
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
}

/// Which calendar year a fiscal year is named after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FiscalYearName {
    /// The year in which it begins.
    Start,
    /// The year in which it ends.
    End,
}

impl From<FiscalYearName> for attache::FiscalYearName {
    fn from(name: FiscalYearName) -> attache::FiscalYearName {
        match name {
            FiscalYearName::Start => attache::FiscalYearName::Start,
            FiscalYearName::End => attache::FiscalYearName::End,
        }
    }
}

/// Whom a query is evaluated for, and when: what date literals and scopes mean. Start from `context`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Context {
    /// The user's id, in its 18-character form: what the scope `mine` means.
    pub user_id: String,
    /// The IANA name of the user's time zone, where days begin; that of the store if it has no name.
    pub time_zone: Option<String>,
    /// The first day of the week.
    pub week_start: Weekday,
    /// The first month of the org's fiscal year, 1 to 12.
    pub fiscal_year_start_month: i8,
    /// Which calendar year a fiscal year is named after.
    pub fiscal_year_name: FiscalYearName,
    /// The current time, in seconds since 1970.
    pub now: i64,
}

impl From<&attache::Context> for Context {
    fn from(context: &attache::Context) -> Context {
        use jiff::civil::Weekday as Day;
        Context {
            user_id: context.user_id.clone(),
            time_zone: context.time_zone.iana_name().map(str::to_owned),
            week_start: match context.week_start {
                Day::Sunday => Weekday::Sunday,
                Day::Monday => Weekday::Monday,
                Day::Tuesday => Weekday::Tuesday,
                Day::Wednesday => Weekday::Wednesday,
                Day::Thursday => Weekday::Thursday,
                Day::Friday => Weekday::Friday,
                Day::Saturday => Weekday::Saturday,
            },
            fiscal_year_start_month: context.fiscal_year_start_month,
            fiscal_year_name: match context.fiscal_year_name {
                attache::FiscalYearName::Start => FiscalYearName::Start,
                attache::FiscalYearName::End => FiscalYearName::End,
            },
            now: context.now.0,
        }
    }
}

impl Context {
    /// Puts what the host says in the place of what the store says.
    fn read(self, mut own: attache::Context) -> Result<attache::Context> {
        use jiff::civil::Weekday as Day;
        let invalid = |why: &str| failed(ErrorKind::InvalidArgument, why);
        if let Some(zone) = self.time_zone {
            own.time_zone = jiff::tz::TimeZone::get(&zone)
                .map_err(|_| invalid("there is no time zone of this name"))?;
        }
        if !(1..=12).contains(&self.fiscal_year_start_month) {
            return Err(invalid("fiscal_year_start_month is 1 to 12"));
        }
        own.user_id = self.user_id;
        own.week_start = match self.week_start {
            Weekday::Sunday => Day::Sunday,
            Weekday::Monday => Day::Monday,
            Weekday::Tuesday => Day::Tuesday,
            Weekday::Wednesday => Day::Wednesday,
            Weekday::Thursday => Day::Thursday,
            Weekday::Friday => Day::Friday,
            Weekday::Saturday => Day::Saturday,
        };
        own.fiscal_year_start_month = self.fiscal_year_start_month;
        own.fiscal_year_name = self.fiscal_year_name.into();
        own.now = attache::ServerTime(self.now);
        Ok(own)
    }
}

/// Takes the rows of a query one by one, on the thread that asked.
#[uniffi::export(rust, foreign)]
pub trait RowVisitor: Send + Sync {
    /// Takes the columns' names, before the first row.
    fn begin(&self, columns: Vec<String>) -> Result<()>;

    /// Takes a row, and says whether to go on. Throwing ends the query as well, and is thrown by it.
    fn visit(&self, row: Row) -> Result<bool>;
}

#[uniffi::export]
impl Attache {
    /// What date literals and scopes mean here and now: for the user whose records these are, by the device's clock.
    pub fn context(&self) -> Result<Context> {
        Ok(Context::from(&self.engine()?.context()?))
    }

    /// Answers a query for somebody, somewhere, at some time.
    pub fn query_with(&self, soql: String, context: Context) -> Result<Arc<RowCursor>> {
        let engine = self.engine()?;
        let context = context.read(engine.context()?)?;
        Ok(RowCursor::new(engine.query_with(&soql, &context)?))
    }

    /// Runs a query and shows its rows one by one as they are found, one of them in memory at a time. For reports and
    /// exports.
    ///
    /// The rows are of one moment, whatever is written meanwhile. Do not call a store in memory from the visitor: it
    /// has one connection.
    #[uniffi::method(default(context = None))]
    pub fn query_each(
        &self,
        soql: String,
        visitor: Arc<dyn RowVisitor>,
        context: Option<Context>,
    ) -> Result<()> {
        let engine = self.engine()?;
        let own = engine.context()?;
        let context = match context {
            Some(context) => context.read(own)?,
            None => own,
        };
        let mut begun = false;
        let mut thrown: Option<AttacheError> = None;
        engine.query_each(&soql, &context, |row| {
            let go_on = match begun {
                true => Ok(()),
                false => visitor.begin(row.columns().to_vec()),
            };
            begun = true;
            match go_on.and_then(|()| visitor.visit(Row::from(&row))) {
                Ok(true) => ControlFlow::Continue(()),
                Ok(false) => ControlFlow::Break(()),
                Err(error) => {
                    thrown = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        thrown.map_or(Ok(()), Err)
    }

    /// Says how `query_with` would run a query. For people; its form may change.
    pub fn explain_with(&self, soql: String, context: Context) -> Result<String> {
        let engine = self.engine()?;
        let context = context.read(engine.context()?)?;
        Ok(engine.explain_with(&soql, &context)?)
    }

    /// Overrides when the org's fiscal year begins (1 to 12), and which year it is named after.
    pub fn set_fiscal_year(&self, start_month: i8, name: FiscalYearName) -> Result<()> {
        Ok(self.engine()?.set_fiscal_year(start_month, name.into())?)
    }
}
