//! Merges that are told and not done.

use crate::error::Result;
use crate::store::Attache;
use crate::tell::{Tell, mirror};
use crate::value::Value;
use attache::MergePolicy;

mirror! {
    /// What a merge makes of a field.
    Explained of told: attache::Explained {
        /// API name.
        name: String,
        /// `unchanged`, `agreed`, `taken`, `kept`, `joined` or `conflict`.
        outcome: String = told.outcome.to_owned(),
        /// The value that this device shows afterwards.
        value: Value,
        /// Why, in a sentence without an end.
        reason: String = told.sentence(),
        /// The fields that merge with it as one value, itself included; none if it stands alone.
        group: Vec<String>,
    }
}

mirror! {
    /// What a merge makes of a record.
    Explanation of told: attache::Explanation {
        /// `settled`, `pending`, `conflict`, `deleted`, `restored` (a deletion made here gives way) or `created again`.
        outcome: String = told.outcome.to_owned(),
        /// Why, in a sentence without an end.
        reason: String,
        /// The fields; none for a record that is deleted.
        fields: Vec<Explained>,
    }
}

#[uniffi::export]
impl Attache {
    /// Merges three versions of a record, each one JSON object, and says of each field what becomes of it and why.
    /// Nothing is changed by it.
    ///
    /// `base` is what both sides last agreed on. A member that `local` or `remote` lacks is unchanged there; `null`
    /// instead of an object is a deletion. The fields are those of `object` as this store knows it; without one each
    /// is a checkbox, a number or text as its values are. `policy` is what a briefcase has as `merge` (JSON).
    #[uniffi::method(default(object = None, policy = None))]
    pub fn explain_merge(
        &self,
        base: String,
        local: String,
        remote: String,
        object: Option<String>,
        policy: Option<String>,
    ) -> Result<Explanation> {
        let object = object.map(|name| self.described(&name)).transpose()?;
        let policy = match policy {
            Some(json) => MergePolicy::from_json(&json)?,
            None => MergePolicy::default(),
        };
        Ok(attache::explain_merge(object, &policy, &base, &local, &remote)?.tell())
    }
}
