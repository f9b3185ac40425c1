//! The books of what people deleted, and of what they knew when they did.

use super::ledger::{Ledger, Who, text};
use super::org::Shot;
use attache::{Record, RecordId, Value};
use std::collections::BTreeSet;

/// What a person deleted.
pub(super) struct Delete {
    pub device: usize,
    pub user: usize,
    pub object: String,
    pub record: RecordId,
    pub id: String,
    /// When the version was made that the person deleted.
    pub version: Value,
    /// Who made it: stamps have whole seconds.
    pub by: Value,
    /// How many values had been made by then.
    pub count: u64,
    pub dropped: bool,
}

impl Ledger {
    /// Notes that a person deleted a record.
    pub(super) fn deleted(&mut self, (device, user): Who, before: &Record) {
        let field = |name| before.fields.get(name).cloned().unwrap_or(Value::Null);
        let id = text(&field("Id"));
        if !id.starts_with("local-") {
            self.deletes.push(Delete {
                device,
                user,
                object: before.object.clone(),
                record: before.id.clone(),
                id,
                version: field("SystemModstamp"),
                by: field("LastModifiedById"),
                count: self.count,
                dropped: false,
            });
        }
    }

    /// Notes that a deletion may never arrive. `name`: what the device calls the record, or its id.
    pub(super) fn undeleted(&mut self, user: usize, name: &str) {
        let deletes = self.deletes.iter_mut();
        deletes
            .filter(|delete| delete.user == user)
            .filter(|delete| delete.record.as_str() == name || delete.id == name)
            .for_each(|delete| delete.dropped = true);
    }

    /// Notes that a session begins: what was written before it, it has to see.
    pub(super) fn begins(&mut self, device: usize) {
        self.begun.insert(device, self.shadow.clone());
    }

    /// A device deletes what its person deleted, and what hangs on that; what is evicted stays at the org.
    pub(super) fn judge_deletion(&mut self, (device, user): Who, before: &Shot, id: &str) {
        let mut wrong = format!("device {device} deleted {id}, which nobody deleted there");
        let mut open = vec![id];
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            let of = |delete: &&Delete| delete.user == user && delete.id == at;
            if let Some(last) = self.deletes.iter().rfind(of) {
                match self.written_since(device, last).filter(|_| at == id) {
                    None => return,
                    // It may have gone with what it hung on.
                    Some(value) => {
                        wrong = format!(
                            "device {device} deleted {id} over {value:?}, which came after that was asked for"
                        );
                    }
                }
            }
            match before.rows.get(at) {
                Some(row) if seen.insert(at) => open.extend(row.parents.iter().map(String::as_str)),
                Some(_) => {}
                // It hung on a row of an object that no walk looks at, which may have hung on anything.
                None => return,
            }
        }
        self.wrong.push(wrong);
    }

    /// What somebody else wrote into a record after a person had deleted it, and before the session began that did it.
    fn written_since(&self, device: usize, delete: &Delete) -> Option<String> {
        // On another device it went with what it hung on.
        let begun = self.begun.get(&device).filter(|_| delete.device == device);
        let row = begun?.rows.get(&delete.id)?;
        let is_later = |value: &&String| {
            let number = value
                .strip_prefix(['c', 'd'])
                .and_then(|it| it.parse().ok());
            let is_own = self
                .edits
                .get(*value)
                .is_some_and(|it| it.user == delete.user);
            number.is_some_and(|it: u64| it > delete.count)
                && !is_own
                && !self.ever_late.contains(*value)
        };
        row.fields.values().find(is_later).cloned()
    }
}
