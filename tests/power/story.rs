//! What a device does on its days, so that a process of its own and its test tell the same story.

use attache::{Attache, Fields, Mutation, MutationKind, MutationState, RecordId, Value};
use attache_sim::{Moment, World, wait};
use attache_tests::{ME, field_sales};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

const SEED: u64 = 71;
const ROWS: usize = 60;
/// Days on which the device is opened, used and closed.
const DAYS: usize = 5;

/// Names what a mutation does by values that no other has.
pub fn deeds(mutation: &Mutation) -> Vec<String> {
    if mutation.kind == MutationKind::Delete {
        return vec![format!("deletion of {}", mutation.record)];
    }
    let texts = mutation
        .fields
        .iter()
        .filter_map(|(_, value)| value.as_text());
    texts
        .filter(|text| text.starts_with("day "))
        .map(str::to_owned)
        .collect()
}

/// Lives through the days, and tells each deed once it is promised to last, goes to the org, and has been there.
///
/// # Errors
/// The first that the device met.
pub fn live(path: &Path, tell: fn(&str)) -> attache::Result<World> {
    let world = World::new(SEED, ROWS);
    for day in 0..DAYS {
        let device = world.device_at(ME, path)?;
        let device = device
            .clone()
            .with_remote(world.watched_remote(ME, watcher(device, tell))?);
        if day == 0 {
            device.set_briefcase(field_sales())?;
            wait(device.sync())?;
            tell("primed");
        }
        work(&device, day, tell)?;
        world.sandbox.advance(3_600);
        wait(device.sync())?;
        tell("synced");
        // Something comes of a colleague, too.
        let text = format!("\"of a colleague on day {day}\"");
        for id in ids(&device, "Contact")?.iter().take(3) {
            let id = device
                .get(id)?
                .and_then(|it| it.fields.get("Id")?.as_text().map(str::to_owned));
            let _ = world.change("Contact", &id.unwrap_or_default(), &[("Department", &text)]);
        }
        world.sandbox.advance(86_400);
    }
    Ok(world)
}

fn ids(device: &Attache, object: &str) -> attache::Result<Vec<RecordId>> {
    let rows = device.query(&format!("SELECT Id FROM {object} ORDER BY Id"))?;
    Ok(rows.filter_map(|row| row.id().cloned()).collect())
}

fn work(device: &Attache, day: usize, tell: fn(&str)) -> attache::Result<()> {
    for (n, id) in ids(device, "Account")?.iter().take(4).enumerate() {
        let text = format!("day {day} edit {n} {}", "long ".repeat(40 * n))
            .trim_end()
            .to_owned();
        device.update(id, [("Description", text.as_str())])?;
        tell(&format!("did {text}"));
    }
    for n in 0..3 {
        let name = format!("day {day} account {n}");
        let account = device.create("Account", [("Name", name.as_str())])?;
        tell(&format!("did {name}"));
        let child = format!("day {day} contact {n}");
        let fields = Fields::from([
            ("LastName", Value::from(child.as_str())),
            ("AccountId", Value::from(&account)),
        ]);
        device.create("Contact", fields)?;
        tell(&format!("did {child}"));
    }
    let names: Vec<String> = (0..3).map(|n| format!("day {day} together {n}")).collect();
    device.changeset(|edits| {
        edits.all_or_none();
        for name in &names {
            edits.create("Account", [("Name", name.as_str())])?;
        }
        Ok(())
    })?;
    names.iter().for_each(|name| tell(&format!("did {name}")));
    if let Some(last) = ids(device, "Task")?.last() {
        device.delete(last)?;
        tell(&format!("did deletion of {last}"));
    }
    Ok(())
}

/// Tells which deeds a request carries, before the org has it and after.
fn watcher(device: Attache, tell: fn(&str)) -> attache_sim::Watcher {
    let sent: Mutex<BTreeSet<String>> = Mutex::default();
    Arc::new(move |moment, method, _| {
        let Ok(mut sent) = sent.lock() else { return };
        match moment {
            Moment::Sent if method == "GET" => {}
            Moment::Sent => {
                let pending = device.pending().unwrap_or_default();
                let sending = pending
                    .iter()
                    .filter(|it| it.state == MutationState::Sending);
                *sent = sending.flat_map(deeds).collect();
                sent.iter().for_each(|deed| tell(&format!("sent {deed}")));
            }
            Moment::Answered => {
                std::mem::take(&mut *sent)
                    .iter()
                    .for_each(|deed| tell(&format!("arrived {deed}")));
            }
        }
    })
}
