//! Secondary indexes, as hosts ask for them.

use crate::engine::Attache;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Durability, Table, Wish};
use serde::Serialize;
use std::sync::Arc;

/// A secondary index of an object's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Index {
    /// The object.
    pub object: String,
    /// The fields in their order, each as ORDER BY has it: `LastName`, `CloseDate DESC`.
    pub fields: Vec<String>,
    /// It stands; otherwise the object or a field is not carried yet.
    pub built: bool,
}

impl Attache {
    /// Asks for an index, for lists that this device finds or orders by these fields.
    ///
    /// The store makes what the briefcase needs by itself: for the fields that its
    /// rules test and order by, and for lookups to what it carries. For a list view
    /// of the host's own, name the fields that it tests with `=`, then those that it
    /// orders by: `["MailingState", "LastName", "FirstName"]`. Text compares without
    /// regard to case in an index as it does in a query.
    ///
    /// The wish is kept with the store. If the object is here, the index is made
    /// at once; otherwise after its first load. Asking twice is harmless.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownField`] for a field that the object does not have or the briefcase does
    /// not carry, if the object is known; [`ErrorKind::InvalidArgument`] for none, or for a parent's.
    ///
    /// # Cost
    /// Reads the object's table once: about a second for a million records. Nobody who edits waits for
    /// that: it gives way to them and begins anew, and is left to the next session if they keep coming
    /// ([`indexes`](Attache::indexes) tells). Where all of it is sorted in memory, in an encrypted store and on
    /// a system without a folder for temporary files, they wait for the end of the sorting, which is half of it.
    /// Each index makes every later write of such a record dearer.
    ///
    /// # Examples
    /// ```
    /// # let attache = attache::Attache::open_in_memory()?;
    /// attache.add_index("Contact", ["LastName", "FirstName"])?;
    /// assert_eq!(attache.indexes()?[0].fields, ["LastName", "FirstName"]);
    /// attache.remove_index("Contact", ["LastName", "FirstName"])?;
    /// assert!(attache.indexes()?.is_empty());
    /// # Ok::<(), attache::Error>(())
    /// ```
    pub fn add_index<F: Into<String>>(
        &self,
        object: &str,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<()> {
        let (table, wish) = self.wish(object, fields, |table, fields, wishes| {
            let wish = match table {
                Some(table) => Wish::on(table, fields)?,
                None => Wish::unknown(object, fields)?,
            };
            if !wishes.contains(&wish) {
                wishes.push(wish.clone());
            }
            Ok((table.cloned(), wish))
        })?;
        if let Some(table) = table {
            self.store.build_wish(&table, &wish)?;
        }
        Ok(())
    }

    /// Takes back the wish for an index. It is dropped by the next session, unless the briefcase needs it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if nobody asked for it.
    pub fn remove_index<F: Into<String>>(
        &self,
        object: &str,
        fields: impl IntoIterator<Item = F>,
    ) -> Result<()> {
        self.wish(object, fields, |table, fields, wishes| {
            let given = Wish::unknown(object, fields)?;
            let found = table.and_then(|table| Wish::on(table, fields).ok());
            let before = wishes.len();
            wishes.retain(|wish| !wish.is(&given) && Some(wish) != found.as_ref());
            if wishes.len() == before {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    "nobody asked for an index of these fields",
                ));
            }
            Ok(())
        })
    }

    /// Changes the list of wishes in one transaction.
    fn wish<F: Into<String>, T>(
        &self,
        object: &str,
        fields: impl IntoIterator<Item = F>,
        change: impl FnOnce(Option<&Arc<Table>>, &[String], &mut Vec<Wish>) -> Result<T>,
    ) -> Result<T> {
        let fields: Vec<String> = fields.into_iter().map(Into::into).collect();
        if fields.is_empty() {
            return Err(Error::invalid("an index is on at least one field"));
        }
        self.store.write(Durability::Durable, |w| {
            let table = w.catalogue().table(object).cloned();
            let mut wishes = w.reading().index_wishes()?;
            let done = change(table.as_ref(), &fields, &mut wishes)?;
            w.set_index_wishes(&wishes)?;
            Ok(done)
        })
    }

    /// The indexes that were asked for, in the order of the wishes, whether they stand yet or not.
    ///
    /// Those that the store makes for the briefcase are not among them; [`explain`](Attache::explain)
    /// shows which index a query uses.
    pub fn indexes(&self) -> Result<Vec<Index>> {
        self.store.read(|r| {
            let wishes = r.index_wishes()?.into_iter();
            wishes
                .map(|wish| {
                    Ok(Index {
                        built: r.is_made(&wish)?,
                        object: wish.object,
                        fields: wish.fields,
                    })
                })
                .collect()
        })
    }
}
