//! The books: who wrote what, and what was decided. At the end every line must be accounted for.

use attache::{RecordId, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that was written and decided since the briefcases were packed.
#[derive(Default)]
pub struct Ledger {
    /// What each device still wants a field to be: (device, record, field).
    pub wants: BTreeMap<(usize, RecordId, String), Want>,
    /// Records made on a device.
    pub creates: Vec<Create>,
    /// Records deleted on a device: (device, record).
    pub deletes: BTreeMap<(usize, RecordId), &'static str>,
    /// What colleagues wrote at the org, in order.
    pub writes: Vec<Write>,
    /// Records colleagues deleted at the org.
    pub removed: BTreeSet<String>,
    /// What people decided.
    pub decisions: Vec<Decision>,
    /// Edits that were typed, whatever became of them.
    pub typed: usize,
    /// Fields that anybody wrote: (server id, field).
    pub touched: BTreeSet<(String, String)>,
}

/// A value that a device wants to see at the org.
pub struct Want {
    /// The record's object.
    pub object: String,
    /// The value as the org saves it.
    pub value: Value,
}

/// A record made on a device.
pub struct Create {
    /// Whose device.
    pub device: usize,
    /// The record.
    pub record: RecordId,
    /// Its object.
    pub object: &'static str,
    /// The field that carries its mark.
    pub mark_field: &'static str,
    /// Text that no other record has.
    pub mark: String,
    /// It was deleted before it was ever sent.
    pub thrown_away: bool,
}

/// One field that a colleague wrote.
pub struct Write {
    /// The record's object.
    pub object: &'static str,
    /// The record's id at the org.
    pub id: String,
    /// The field.
    pub field: String,
    /// The value.
    pub value: Value,
}

/// A decision that a person made on a device.
pub struct Decision {
    /// Whose device.
    pub device: usize,
    /// The record, as the device knows it.
    pub record: RecordId,
    /// The record's id at the org when it was decided.
    pub id: Option<String>,
    /// What it was about: a field, or the whole record.
    pub field: Option<String>,
    /// The value that gave way or was kept out of the org.
    pub theirs: Option<Value>,
    /// What was decided.
    pub choice: Choice,
}

/// How a decision went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The device's value was kept.
    Mine,
    /// The org's value was taken.
    Theirs,
    /// A third value was typed.
    Value,
    /// A record that is gone at the org was made again.
    Again,
    /// A rejected edit was put right.
    Fixed,
    /// A rejected edit was taken back.
    Discarded,
    /// A deletion gave way to an edit made at the org.
    Withdrawn,
}

impl Choice {
    /// The decision in the past tense.
    pub fn word(self) -> &'static str {
        match self {
            Choice::Mine => "kept mine",
            Choice::Theirs => "took theirs",
            Choice::Value => "typed a third value",
            Choice::Again => "made it again",
            Choice::Fixed => "put it right",
            Choice::Discarded => "took it back",
            Choice::Withdrawn => "let the edit live",
        }
    }
}

impl Ledger {
    /// Notes that a device set a field.
    pub fn want(
        &mut self,
        device: usize,
        record: &RecordId,
        object: &str,
        field: &str,
        value: &Value,
    ) {
        let want = Want {
            object: object.to_owned(),
            value: as_saved(object, field, value),
        };
        self.wants
            .insert((device, record.clone(), field.to_owned()), want);
        self.touch(record.as_str(), field);
    }

    /// Notes that a field is no longer as it was, and with it those that a trigger moves along.
    fn touch(&mut self, id: &str, field: &str) {
        let follow: &[&str] = if field == "StageName" {
            &["Probability", "ForecastCategoryName"]
        } else {
            &[]
        };
        for field in follow.iter().chain([&field]) {
            self.touched.insert((id.to_owned(), (*field).to_owned()));
        }
    }

    /// Notes that a device no longer insists on a field, or on any field of a record.
    pub fn drop_wants(&mut self, device: usize, record: &RecordId, field: Option<&str>) {
        self.wants.retain(|(whose, which, name), _| {
            *whose != device || which != record || field.is_some_and(|field| field != name)
        });
    }

    /// Notes that a colleague set a field.
    pub fn wrote(&mut self, object: &'static str, id: &str, field: &str, value: &Value) {
        self.touch(id, field);
        let value = as_saved(object, field, value);
        self.writes
            .retain(|write| write.id != id || write.field != field);
        self.writes.push(Write {
            object,
            id: id.to_owned(),
            field: field.to_owned(),
            value,
        });
    }

    /// Says whether somebody on another device decided against this very value, having seen it.
    pub fn overruled(
        &self,
        by_other_than: Option<usize>,
        id: &str,
        field: &str,
        value: &Value,
    ) -> bool {
        self.decisions.iter().any(|decision| {
            by_other_than != Some(decision.device)
                && decision.id.as_deref() == Some(id)
                && decision.field.as_deref() == Some(field)
                && matches!(decision.choice, Choice::Mine | Choice::Value)
                && decision.theirs.as_ref() == Some(value)
        })
    }
}

impl Create {
    /// Finds the line of a record.
    pub fn of<'a>(ledger: &'a Ledger, record: &RecordId) -> Option<&'a Create> {
        ledger
            .creates
            .iter()
            .find(|create| create.record == *record)
    }
}

/// What the org makes of a value: its triggers tidy web addresses and e-mail addresses up.
pub fn as_saved(object: &str, field: &str, value: &Value) -> Value {
    match (object, field, value.as_text()) {
        ("Account", "Website", Some(text)) => {
            let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            Value::from(format!(
                "{}://{}{path}",
                scheme.to_lowercase(),
                host.to_lowercase()
            ))
        }
        ("Contact", "Email", Some(text)) => Value::from(text.to_lowercase()),
        _ => value.clone(),
    }
}
