//! Queries on the device, as hosts ask them.

use crate::engine::Attache;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::filter::{Context, Filter, FiscalYear, FiscalYearName, Select};
use crate::record::ServerTime;
use crate::schema::Schema;
use crate::store::query::{self, Row, Rows};
use crate::store::{Durability, Reading};
use std::ops::ControlFlow;

impl Attache {
    /// Runs a query on this device: SOQL on what the briefcase carries, unsent edits included.
    ///
    /// | part | on the device |
    /// |---|---|
    /// | fields, `FIELDS(ALL)`, `FIELDS(STANDARD)`, `FIELDS(CUSTOM)` | those that the briefcase carries |
    /// | parent paths, `FROM Contact c, c.Account a` | up to 5 levels; a missing parent is null |
    /// | `What.Name`, `Who.Type`, `Owner.Id` | of a lookup to several objects: `Id`, `Name`, `Type`, and `FirstName`, `LastName`, `Email`, `Alias`, `Username`, `IsActive`, ... where the parent is here |
    /// | `TYPEOF What WHEN ... THEN ... ELSE ... END` | one column per field: `What.Phone` |
    /// | `(SELECT ... FROM Contacts ...)` | up to 5 levels, 20 in a statement: [`Row::children`](crate::Row::children) |
    /// | `= != < <= > >=`, `LIKE`, `IN`, `NOT IN`, `INCLUDES`, `EXCLUDES`, `NOT`, `AND`, `OR` | all |
    /// | `Id IN (SELECT AccountId FROM ...)`, and `NOT IN` | two in a condition, not under OR or NOT, as at the server |
    /// | `TODAY`, `LAST_N_FISCAL_QUARTERS:2`, ... | all, in the zone, the week and the fiscal year of the [`Context`] |
    /// | `CALENDAR_YEAR(...)`, `DAY_ONLY(...)`, `convertTimezone(...)`, ... | all |
    /// | `DISTANCE(f, GEOLOCATION(...), 'km')` | in the list, conditions and orders |
    /// | `toLabel(f)` | picklists, by the labels of the describe |
    /// | `COUNT()`, `COUNT`, `COUNT_DISTINCT`, `SUM`, `AVG`, `MIN`, `MAX` | all, numbers exact |
    /// | `GROUP BY`, `ROLLUP`, `CUBE`, `GROUPING`, `HAVING` | all |
    /// | `ORDER BY ... ASC DESC NULLS FIRST LAST`, `LIMIT`, `OFFSET` | all; equal rows follow their ids |
    /// | `USING SCOPE everything`, `mine` | these; others need the org and are refused |
    /// | `FOR VIEW`, `FOR REFERENCE`, `UPDATE TRACKING`, `UPDATE VIEWSTAT` | read, without effect here |
    /// | `FORMAT`, `convertCurrency`, `USD5000`, `WITH ...`, `FOR UPDATE`, `ALL ROWS` | refused, with the reason |
    ///
    /// What a describe does not let a field be used for is refused here as it is by the org: a condition on a long
    /// text ([`FieldSchema::filterable`](crate::FieldSchema::filterable)), an order by a multi-select list
    /// ([`sortable`](crate::FieldSchema::sortable)), groups of amounts ([`groupable`](crate::FieldSchema::groupable)),
    /// a count of checkboxes ([`aggregatable`](crate::FieldSchema::aggregatable)). [`search`](Attache::search) finds
    /// words in text that no condition takes.
    ///
    /// On purpose the device differs in these:
    ///
    /// | where | the org | the device |
    /// |---|---|---|
    /// | `FIELDS(ALL)`, `FIELDS(CUSTOM)` | take a `LIMIT` of 200 at most | take any, or none |
    /// | `toLabel(f)`, `CALENDAR_YEAR(f)` and the like outside of a grouping | in some places | in the list, conditions and orders |
    /// | `BillingAddress` and other fields made of parts | one value | name the parts; `FIELDS(ALL)` gives them |
    /// | an id that cannot be one | refused | finds nothing |
    /// | `ORDER BY Account.Name NULLS LAST`, or by a lookup | puts nulls first all the same | puts them last |
    /// | `GROUP BY Account.IsActive__c` without an account | does not say what the checkbox is | one group with those that are off, as conditions have it |
    ///
    /// Text compares without regard to case unless its field says otherwise; ids
    /// are equal in their 15- and 18-character forms; an empty text is null, and
    /// `F != 'x'` holds for a null F; multi-select lists are sets.
    ///
    /// # Errors
    /// [`MalformedQuery`](crate::ErrorKind::MalformedQuery),
    /// [`UnknownObject`](crate::ErrorKind::UnknownObject),
    /// [`UnknownField`](crate::ErrorKind::UnknownField), each with a position where there is one.
    pub fn query(&self, soql: &str) -> Result<Rows> {
        self.query_with(soql, &self.context()?)
    }

    /// Runs a query for somebody, somewhere, at some time.
    ///
    /// # Errors
    /// Those of [`query`](Attache::query).
    ///
    /// # Examples
    /// ```no_run
    /// # let attache = attache::Attache::open_in_memory()?;
    /// let mut monday = attache.context()?;
    /// monday.week_start = jiff::civil::Weekday::Monday;
    /// let tasks = attache.query_with("SELECT Id FROM Task WHERE ActivityDate = THIS_WEEK", &monday)?;
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn query_with(&self, soql: &str, context: &Context) -> Result<Rows> {
        self.compiled(soql, context, |r, compiled| {
            query::run(r.connection, compiled)
        })
    }

    /// Runs a query and shows its rows one by one, as they are found, until told to stop.
    ///
    /// For reports and exports: however many rows there are, one is in memory at a time, with
    /// its children. The rows are of one moment, whatever is written meanwhile; the store's log
    /// cannot shrink until the last one is shown. (An iterator that lends rows would have to
    /// hold the connection that it reads from, which Rust cannot express without `unsafe`.)
    ///
    /// Do not call the store from `visit` if it is one in memory: it has one connection.
    ///
    /// # Errors
    /// Those of [`query`](Attache::query).
    ///
    /// # Examples
    /// ```no_run
    /// use std::ops::ControlFlow;
    ///
    /// # let attache = attache::Attache::open("acme-jo.db")?;
    /// let context = attache.context()?;
    /// attache.query_each("SELECT Name FROM Contact", &context, |row| {
    ///     println!("{:?}", row.get("Name"));
    ///     ControlFlow::Continue(())
    /// })?;
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn query_each(
        &self,
        soql: &str,
        context: &Context,
        mut visit: impl FnMut(Row) -> ControlFlow<()>,
    ) -> Result<()> {
        self.compiled(soql, context, |r, compiled| {
            query::each(r.connection, compiled, &mut visit)
        })
    }

    /// Overrides when the org's fiscal year begins (1 to 12) and which year it is named after; kept with the store.
    ///
    /// A session learns both from the org (`Organization.FiscalYearStartMonth` and
    /// `UsesStartDateAsFiscalYearName`), at most once a day. This is for a user who may not read them and for
    /// what is asked before a first session: fiscal dates mean it from now on, whatever the org says.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for another number.
    pub fn set_fiscal_year(&self, start_month: i8, name: FiscalYearName) -> Result<()> {
        if !(1..=12).contains(&start_month) {
            return Err(Error::invalid(
                "a fiscal year starts in a month from 1 to 12",
            ));
        }
        let year = FiscalYear { start_month, name };
        self.store.write(Durability::Durable, |w| {
            w.set_setting("fiscal_year", &year.to_string())
        })
    }

    /// Says how a query would be run: its SQL, then SQLite's plan, a step a line. For people; its form may change.
    ///
    /// # Errors
    /// Those of [`query`](Attache::query).
    pub fn explain(&self, soql: &str) -> Result<String> {
        self.explain_with(soql, &self.context()?)
    }

    /// Says how [`query_with`](Attache::query_with) would run a query.
    ///
    /// # Errors
    /// Those of [`query`](Attache::query).
    pub fn explain_with(&self, soql: &str, context: &Context) -> Result<String> {
        self.compiled(soql, context, |r, compiled| {
            query::explain(r.connection, compiled)
        })
    }

    fn compiled<T>(
        &self,
        soql: &str,
        context: &Context,
        work: impl FnOnce(&Reading<'_>, &query::Compiled) -> Result<T>,
    ) -> Result<T> {
        let select = Select::parse(soql)?;
        self.store.read(|r| {
            let compiled = query::compile(&select, r.catalogue, context)?;
            work(r, &compiled)
        })
    }

    /// What date literals and scopes mean here and now: for the user whose records these are, by the device's clock.
    ///
    /// Zone, week and fiscal year are those of the user and the org as the last session learnt them, the fiscal
    /// year unless [`set_fiscal_year`](Attache::set_fiscal_year) overrides it. Without a session there is no
    /// user yet: the zone is UTC then, weeks begin on Sunday and fiscal years in January.
    pub fn context(&self) -> Result<Context> {
        self.store.read(|r| context_of(r, &*self.env))
    }
}

/// What [`Attache::context`] gives, in a transaction at work.
pub(crate) fn context_of(reading: &Reading<'_>, env: &dyn Env) -> Result<Context> {
    let zone = reading.setting("time_zone")?.unwrap_or_default();
    let zone = jiff::tz::TimeZone::get(&zone).unwrap_or(jiff::tz::TimeZone::UTC);
    // The device's clock is the only one there is offline.
    let now = ServerTime(env.now().0.div_euclid(1000));
    let user = reading.setting("user_id")?.unwrap_or_default();
    let mut context = Context::new(user, zone, now);
    let locale = reading.setting("locale")?;
    context.week_start = Context::week_start_of_locale(&locale.unwrap_or_else(|| "en_US".into()));
    let fiscal = match reading.setting("fiscal_year")? {
        Some(told) => Some(told),
        None => reading.setting("org_fiscal_year")?,
    };
    if let Some(year) = fiscal.as_deref().and_then(FiscalYear::parse) {
        context.fiscal_year_start_month = year.start_month;
        context.fiscal_year_name = year.name;
    }
    Ok(context)
}

impl Select {
    /// The SQL that the statement becomes on a store which carries all of a schema. For people; its form may change.
    ///
    /// # Errors
    /// Those of [`Attache::query`].
    ///
    /// # Examples
    /// ```
    /// use attache::{Context, Select, ServerTime};
    ///
    /// let select = Select::parse("SELECT Name FROM Account WHERE Rating = 'Hot'")?;
    /// let context = Context::new("", jiff::tz::TimeZone::UTC, ServerTime(0));
    /// let sql = select.to_sql(&select.sketch()?, &context)?;
    /// assert!(sql.contains(r#"FROM "Account""#));
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn to_sql(&self, schema: &Schema, context: &Context) -> Result<String> {
        let compiled = query::compile(self, &query::Everything(schema), context)?;
        Ok(compiled.sql().to_owned())
    }
}

impl Filter {
    /// The SQL condition that the filter becomes on an object's table, as [`Select::to_sql`] does.
    ///
    /// # Errors
    /// Those of [`Attache::query`].
    pub fn to_sql(&self, schema: &Schema, object: &str, context: &Context) -> Result<String> {
        let (sql, _) = query::where_sql(object, self, &query::Everything(schema), context)?;
        Ok(sql)
    }
}
