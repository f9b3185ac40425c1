//! Writes whose fields are JSON.

use crate::changeset::Changeset;
use crate::engine::Attache;
use crate::error::Result;
use crate::record::{Fields, RecordId, not_found};
use crate::store::{Given, Stamp, Writing};
use crate::sync::new_key;

impl Attache {
    /// Creates a record of the fields of a JSON object, as [`create`](Attache::create) does.
    ///
    /// Names may be in any case. Numbers keep their digits, and may be given as strings.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind) if the text is not a JSON object; those of
    /// [`create`](Attache::create), with unknown names and values of another type among the problems.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> attache::Result<()> {
    /// # let attache = attache::Attache::open("acme-jo.db")?;
    /// let id = attache.create_json("Opportunity", r#"{"Name": "Big", "Amount": 1234567890123456.78}"#);
    /// if let Err(error) = id {
    ///     for problem in error.problems() {
    ///         println!("{:?}: {}", problem.fields, problem.message);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_json(&self, object: &str, fields: &str) -> Result<RecordId> {
        let key = new_key(&*self.env);
        self.edit(|w, stamp| create(w, object, fields, &key, stamp))?;
        Ok(key)
    }

    /// Changes fields of a record to those of a JSON object, as [`update`](Attache::update) does; null clears one.
    ///
    /// # Errors
    /// Those of [`create_json`](Attache::create_json) and [`update`](Attache::update).
    pub fn update_json(&self, id: &RecordId, fields: &str) -> Result<()> {
        self.edit(|w, stamp| update(w, id, fields, stamp))
    }
}

impl Changeset<'_> {
    /// Creates a record, as [`Attache::create_json`] does.
    ///
    /// # Errors
    /// Those of [`Changeset::create`].
    pub fn create_json(&mut self, object: &str, fields: &str) -> Result<RecordId> {
        self.creates(object, |w, key, stamp| {
            create(w, object, fields, key, stamp)
        })
    }

    /// Changes fields of a record, as [`Attache::update_json`] does.
    ///
    /// # Errors
    /// Those of [`Changeset::update`].
    pub fn update_json(&mut self, id: &RecordId, fields: &str) -> Result<()> {
        self.updates(id, |w, stamp| update(w, id, fields, stamp))
    }
}

fn create(w: &Writing<'_>, object: &str, json: &str, key: &RecordId, stamp: Stamp) -> Result<()> {
    let table = w.carried(object)?;
    let (fields, problems) = Fields::read_json(&table.object, json)?;
    let given = Given {
        fields: &fields,
        problems,
    };
    w.create_record(object, given, key, stamp)
}

fn update(w: &Writing<'_>, id: &RecordId, json: &str, stamp: Stamp) -> Result<()> {
    let place = w.reading().locate(id)?.ok_or_else(|| not_found(id))?;
    let (fields, problems) = Fields::read_json(&place.table.object, json)?;
    let given = Given {
        fields: &fields,
        problems,
    };
    w.update_record(id, given, stamp)
}
