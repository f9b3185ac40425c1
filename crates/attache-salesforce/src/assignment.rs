//! Who is to own what a device writes.

/// Whether the org's assignment rules run when leads, cases and accounts are written.
///
/// A rule gives a record to somebody else than the person who made it, who may then no longer see it: the record
/// leaves the device with the next session, as any that changes hands, and nothing is lost. An app whose people keep
/// what they enter on the road says [`Assignment::Off`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Assignment {
    /// As the org does by itself: its active rules run.
    #[default]
    Org,
    /// No rule runs; a record stays with its owner.
    Off,
    /// The rule with this id runs, active or not.
    Rule(String),
}

impl Assignment {
    /// The header that says so, if one is needed.
    pub(crate) fn header(&self) -> Option<(&'static str, String)> {
        let value = match self {
            Assignment::Org => return None,
            Assignment::Off => "FALSE".to_owned(),
            Assignment::Rule(id) => id.clone(),
        };
        Some(("Sforce-Auto-Assign", value))
    }

    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Assignment::Org | Assignment::Off => true,
            Assignment::Rule(id) => crate::codec::remote_id(id).is_some(),
        }
    }
}
