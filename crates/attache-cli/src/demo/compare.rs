//! The reckoning: devices against the org, the books against the org, the morning against the evening.
//!
//! What a device should hold is worked out here a second time, from plain queries that the org
//! answers for that person: nothing of the engine takes part in it.

use crate::demo::ledger::{Choice, Create, Decision, Ledger};
use crate::demo::world::{Device, OBJECTS, Row, World};
use crate::error::Result;
use attache::{Record, RecordId, Value};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;

/// What was compared, and what was found.
#[derive(Default, Serialize)]
pub struct Findings {
    /// Records compared, of each device.
    pub records: Vec<u64>,
    /// Values compared, of each device.
    pub values: Vec<u64>,
    /// Edits whose values are at the org.
    pub in_org: u64,
    /// Edits that a recorded decision kept out of the org.
    pub decided: u64,
    /// Records made on a device, each found at the org exactly once.
    pub once: u64,
    /// Values of colleagues that were looked for.
    pub colleagues: u64,
    /// Records that nobody wrote to and that did not change.
    pub bystanders: u64,
    /// Everything that is not as it should be, one sentence each.
    pub differences: Vec<String>,
}

/// The org as it was at some moment: every record's fields that a person may write.
pub struct Snapshot(BTreeMap<&'static str, HashMap<String, Row>>);

impl Snapshot {
    /// Takes a snapshot as somebody who sees everything.
    pub fn take(world: &World) -> Result<Snapshot> {
        let mut objects = BTreeMap::new();
        for object in OBJECTS {
            let fields = writable(world, object);
            let soql = format!("SELECT Id, {} FROM {object}", fields.join(", "));
            let rows = world.rows(&world.observer, &soql)?;
            objects.insert(
                object,
                rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
            );
        }
        Ok(Snapshot(objects))
    }

    /// Counts the records that differ between two moments, or exist at one of them only.
    pub fn differing(&self, later: &Snapshot) -> usize {
        let rows = |snapshot: &Snapshot| -> BTreeMap<String, Vec<String>> {
            let all = snapshot.0.values().flat_map(HashMap::iter);
            all.map(|(id, row)| {
                (
                    id.clone(),
                    row.fields
                        .values()
                        .map(|raw| raw.get().to_owned())
                        .collect(),
                )
            })
            .collect()
        };
        let (before, after) = (rows(self), rows(later));
        let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        ids.into_iter()
            .filter(|id| before.get(*id) != after.get(*id))
            .count()
    }
}

fn writable(world: &World, object: &str) -> Vec<String> {
    world.sandbox.with_org(|org| {
        let fields = org
            .schema()
            .object(object)
            .map(|object| object.fields.iter());
        let writable = fields
            .into_iter()
            .flatten()
            .filter(|field| field.updateable || field.createable);
        writable.map(|field| field.name.clone()).collect()
    })
}

/// Compares everything.
pub fn compare(
    world: &World,
    devices: &[Device; 2],
    ledger: &Ledger,
    morning: &Snapshot,
) -> Result<Findings> {
    let mut findings = Findings::default();
    for device in devices {
        compare_device(world, device, &mut findings)?;
    }
    let evening = Snapshot::take(world)?;
    account_for_creates(world, devices, ledger, &mut findings)?;
    account_for_edits(devices, ledger, &evening, &mut findings)?;
    account_for_deletes(devices, ledger, &evening, &mut findings);
    account_for_colleagues(ledger, &evening, &mut findings);
    account_for_bystanders(devices, ledger, morning, &evening, &mut findings)?;
    Ok(findings)
}

/// Works out which records a person's briefcase takes, as the org shows them to that person.
fn expected(world: &World, device: &Device) -> Result<BTreeMap<&'static str, BTreeSet<String>>> {
    let (person, me) = (&device.person, &device.person.access.id);
    let mut expected: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut add = |object: &'static str, rows: &[Row]| {
        expected
            .entry(object)
            .or_default()
            .extend(rows.iter().map(|row| row.id.clone()));
    };
    let accounts = world.rows(
        person,
        &format!("SELECT Id FROM Account WHERE OwnerId = '{me}'"),
    )?;
    let ids: Vec<String> = accounts.iter().map(|row| row.id.clone()).collect();
    add("Account", &accounts);
    for (object, field) in [
        ("Contact", "AccountId"),
        ("Opportunity", "AccountId"),
        ("Visit__c", "Account__c"),
        ("Task", "WhatId"),
        ("Event", "WhatId"),
    ] {
        add(
            object,
            &world.rows_by(person, object, field, &ids, &["Id".into()])?,
        );
    }
    let closing = format!(
        "SELECT Id, AccountId FROM Opportunity WHERE OwnerId = '{me}' AND CloseDate = NEXT_N_DAYS:90"
    );
    let closing = world.rows(person, &closing)?;
    add("Opportunity", &closing);
    let parents: BTreeSet<String> = closing
        .iter()
        .filter_map(|row| row.text("AccountId"))
        .collect();
    let parents: Vec<String> = parents.into_iter().collect();
    add(
        "Account",
        &world.rows_by(person, "Account", "Id", &parents, &["Id".into()])?,
    );
    let tasks = format!("SELECT Id FROM Task WHERE OwnerId = '{me}' AND ActivityDate = THIS_WEEK");
    add("Task", &world.rows(person, &tasks)?);
    Ok(expected)
}

/// Compares a device with the org: the ids both ways, and every value.
fn compare_device(world: &World, device: &Device, findings: &mut Findings) -> Result<()> {
    let (mut records, mut values) = (0, 0);
    let expected = expected(world, device)?;
    let name = &device.person.name;
    for object in OBJECTS {
        let here = held(device, object, findings)?;
        let there = expected.get(object).cloned().unwrap_or_default();
        for id in there.iter().filter(|id| !here.contains_key(*id)) {
            findings.differences.push(format!(
                "{name}: {object} {id} belongs to the briefcase and is not on the device"
            ));
        }
        for id in here.keys().filter(|id| !there.contains(*id)) {
            findings.differences.push(format!(
                "{name}: {object} {id} is on the device and not in the briefcase"
            ));
        }
        let carried: BTreeSet<String> = here
            .values()
            .flat_map(|record| record.fields.names().map(str::to_owned))
            .collect();
        if carried.is_empty() {
            continue;
        }
        let ids: Vec<String> = here
            .keys()
            .filter(|id| there.contains(*id))
            .cloned()
            .collect();
        let mut fields: Vec<String> = carried.into_iter().collect();
        if !fields.iter().any(|field| field == "Id") {
            fields.push("Id".into());
        }
        for row in world.rows_by(&device.person, object, "Id", &ids, &fields)? {
            let Some(record) = here.get(&row.id) else {
                continue;
            };
            records += 1;
            for (field, value) in record.fields.iter() {
                values += 1;
                let value = at_org(device, value)?;
                let is_same = row.fields.get(field).is_some_and(|raw| same(&value, raw));
                if !is_same {
                    let there = row.fields.get(field).map_or("nothing", |raw| raw.get());
                    findings.differences.push(format!(
                        "{name}: {object} {} {field}: the device has {}, the org has {there}",
                        row.id,
                        value.to_json()
                    ));
                }
            }
        }
    }
    findings.records.push(records);
    findings.values.push(values);
    Ok(())
}

/// Reads an object's records off a device, by their ids at the org.
fn held(
    device: &Device,
    object: &str,
    findings: &mut Findings,
) -> Result<BTreeMap<String, Record>> {
    let name = &device.person.name;
    let mut here = BTreeMap::new();
    for id in device.find(&format!("SELECT Id FROM {object}"))? {
        let Some(record) = device.store.get(&id)? else {
            findings.differences.push(format!(
                "{name}: {object} {id} is listed but cannot be read"
            ));
            continue;
        };
        match record
            .fields
            .get("Id")
            .and_then(Value::as_text)
            .map(str::to_owned)
        {
            Some(server_id) => {
                if here.insert(server_id.clone(), record).is_some() {
                    findings.differences.push(format!(
                        "{name}: {object} {server_id} is on the device twice"
                    ));
                }
            }
            None => findings
                .differences
                .push(format!("{name}: {object} {id} never reached the org")),
        }
    }
    Ok(here)
}

/// A value with the server's id in place of a key of this device.
fn at_org(device: &Device, value: &Value) -> Result<Value> {
    match value
        .as_text()
        .filter(|text| text.starts_with("local-"))
        .map(RecordId::parse)
    {
        Some(Ok(record)) => Ok(device
            .server_id(&record)?
            .map_or_else(|| value.clone(), Value::from)),
        _ => Ok(value.clone()),
    }
}

/// Every record made on a device is at the org exactly once; one thrown away never is.
fn account_for_creates(
    world: &World,
    devices: &[Device; 2],
    ledger: &Ledger,
    findings: &mut Findings,
) -> Result<()> {
    let since = attache::ServerTime(world.began).to_soql();
    let mut unexplained: BTreeMap<String, (&str, String)> = BTreeMap::new();
    for object in OBJECTS {
        let mark = ledger
            .creates
            .iter()
            .find(|create| create.object == object)
            .map_or("Id", |create| create.mark_field);
        let soql = format!("SELECT Id, {mark} FROM {object} WHERE CreatedDate >= {since}");
        for row in world.rows(&world.observer, &soql)? {
            let text = row.text(mark).unwrap_or_default();
            unexplained.insert(row.id, (object, text));
        }
    }
    for create in &ledger.creates {
        let found: Vec<String> = unexplained
            .iter()
            .filter(|(_, (object, text))| *object == create.object && *text == create.mark)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &found {
            unexplained.remove(id);
        }
        let (who, object, mark) = (
            &devices[create.device].person.name,
            create.object,
            &create.mark,
        );
        match (found.len(), create.thrown_away) {
            (1, false) => findings.once += 1,
            (0, true) => {}
            (_, true) => findings.differences.push(format!(
                "{who}: {object} {mark:?} was deleted before it was sent, and is at the org"
            )),
            (0, false) => findings.differences.push(format!(
                "{who}: {object} {mark:?} was made on the device and is not at the org"
            )),
            (times, false) => findings.differences.push(format!(
                "{who}: {object} {mark:?} is at the org {times} times"
            )),
        }
    }
    let again = |(at, decision): &(usize, &Decision)| {
        let mut later = ledger.decisions[*at..]
            .iter()
            .filter(|later| later.record == decision.record);
        decision.choice == Choice::Again && later.all(|later| later.choice != Choice::Discarded)
    };
    for (_, decision) in ledger.decisions.iter().enumerate().filter(again) {
        let device = &devices[decision.device];
        let id = device.server_id(&decision.record)?.unwrap_or_default();
        match unexplained.remove(&id) {
            Some(_) => findings.once += 1,
            None => findings.differences.push(format!(
                "{}: {} was to be made again and is not at the org",
                device.person.name, decision.record
            )),
        }
    }
    for (id, (object, text)) in unexplained {
        findings.differences.push(format!(
            "{object} {id} {text:?} is at the org and nobody made it"
        ));
    }
    Ok(())
}

/// Every value that a device still stands for is at the org, or was overruled by somebody who saw it.
fn account_for_edits(
    devices: &[Device; 2],
    ledger: &Ledger,
    evening: &Snapshot,
    findings: &mut Findings,
) -> Result<()> {
    for ((device, record, field), want) in &ledger.wants {
        let person = &devices[*device].person.name;
        let id = evening
            .id_of(&devices[*device], ledger, record)?
            .unwrap_or_default();
        let value = match want
            .value
            .as_text()
            .filter(|text| text.starts_with("local-"))
            .map(RecordId::parse)
        {
            Some(Ok(target)) => evening
                .id_of(&devices[*device], ledger, &target)?
                .map(Value::from),
            _ => None,
        };
        let value = value.unwrap_or_else(|| want.value.clone());
        match evening.field(&want.object, &id, field) {
            Some(raw) if same(&value, raw) => findings.in_org += 1,
            _ if ledger.overruled(Some(*device), &id, field, &want.value) => findings.decided += 1,
            found => {
                let there = found.map_or("nothing", |raw| raw.get());
                findings.differences.push(format!(
                    "{person}: {} {record} {field}: {} was typed on the device and {there} is at the org",
                    want.object,
                    value.to_json()
                ));
            }
        }
    }
    findings.decided += ledger
        .decisions
        .iter()
        .filter(|decision| decision.choice != Choice::Again)
        .count() as u64;
    Ok(())
}

fn account_for_deletes(
    devices: &[Device; 2],
    ledger: &Ledger,
    evening: &Snapshot,
    findings: &mut Findings,
) {
    for ((device, record), object) in &ledger.deletes {
        match evening
            .0
            .get(object)
            .is_some_and(|rows| rows.contains_key(record.as_str()))
        {
            true => findings.differences.push(format!(
                "{}: {object} {record} was deleted on the device and is at the org",
                devices[*device].person.name
            )),
            false => findings.in_org += 1,
        }
    }
}

/// Every value that a colleague wrote is still there, or somebody decided otherwise, having seen it.
fn account_for_colleagues(ledger: &Ledger, evening: &Snapshot, findings: &mut Findings) {
    for write in &ledger.writes {
        findings.colleagues += 1;
        let found = evening.field(write.object, &write.id, &write.field);
        let is_there = found.is_some_and(|raw| same(&write.value, raw));
        if !is_there && !ledger.overruled(None, &write.id, &write.field, &write.value) {
            let there = found.map_or("nothing", |raw| raw.get());
            findings.differences.push(format!(
                "{} {} {}: a colleague wrote {} and {there} is there",
                write.object,
                write.id,
                write.field,
                write.value.to_json()
            ));
        }
    }
}

/// What nobody wrote to is as it was.
fn account_for_bystanders(
    devices: &[Device; 2],
    ledger: &Ledger,
    morning: &Snapshot,
    evening: &Snapshot,
    findings: &mut Findings,
) -> Result<()> {
    let deleted: BTreeSet<&str> = ledger
        .deletes
        .keys()
        .map(|(_, record)| record.as_str())
        .chain(ledger.removed.iter().map(String::as_str))
        .collect();
    let mut touched = ledger.touched.clone();
    for (record, field) in &ledger.touched {
        for device in devices {
            if let Some(id) = RecordId::parse(record)
                .ok()
                .map(|record| device.server_id(&record))
                .transpose()?
                .flatten()
            {
                touched.insert((id, field.clone()));
            }
        }
    }
    for (object, rows) in &morning.0 {
        for (id, before) in rows {
            let Some(after) = evening.0.get(object).and_then(|rows| rows.get(id)) else {
                if !deleted.contains(id.as_str()) {
                    findings
                        .differences
                        .push(format!("{object} {id} is gone and nobody deleted it"));
                }
                continue;
            };
            findings.bystanders += 1;
            for (field, raw) in &before.fields {
                let is_same = after
                    .fields
                    .get(field)
                    .is_some_and(|now| now.get() == raw.get());
                if !is_same && !touched.contains(&(id.clone(), field.clone())) {
                    let now = after.fields.get(field).map_or("nothing", |now| now.get());
                    findings.differences.push(format!(
                        "{object} {id} {field}: nobody wrote it, it was {} and is {now}",
                        raw.get()
                    ));
                }
            }
        }
    }
    Ok(())
}

impl Snapshot {
    fn field(&self, object: &str, id: &str, field: &str) -> Option<&RawValue> {
        self.0
            .get(object)?
            .get(id)?
            .fields
            .get(field)
            .map(|raw| &**raw)
    }

    /// The id that a record has at the org: the device knows it, unless the record has left it again.
    fn id_of(&self, device: &Device, ledger: &Ledger, record: &RecordId) -> Result<Option<String>> {
        let known = device.server_id(record)?;
        let marked = || {
            Create::of(ledger, record)
                .and_then(|create| self.marked(create.object, create.mark_field, &create.mark))
        };
        Ok(known.or_else(marked))
    }

    fn marked(&self, object: &str, field: &str, mark: &str) -> Option<String> {
        let rows = self.0.get(object)?;
        rows.values()
            .find(|row| row.text(field).as_deref() == Some(mark))
            .map(|row| row.id.clone())
    }
}

/// Says whether a value of the engine and one that the org printed mean the same.
pub fn same(value: &Value, raw: &RawValue) -> bool {
    let json = raw.get();
    let text: Option<String> = serde_json::from_str(json).ok();
    match (value, text.as_deref()) {
        (Value::Null, _) => json == "null",
        (Value::Boolean(value), _) => json == value.to_string(),
        (Value::Number(value), _) => {
            Decimal::from_str(json).or_else(|_| Decimal::from_scientific(json)) == Ok(*value)
        }
        (Value::Text(value), Some(text)) => value == text,
        (Value::Date(value), Some(text)) => value.to_string() == text,
        (Value::DateTime(value), Some(text)) => instant(text) == Some(value.0),
        (Value::Time(value), Some(text)) => text.trim_end_matches('Z').parse().ok() == Some(*value),
        _ => false,
    }
}

/// Reads `2026-11-22T09:30:00.000+0000` as seconds since the epoch.
fn instant(text: &str) -> Option<i64> {
    let time = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()?;
    Some(time.to_timestamp().ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(value: Value, json: &str) -> bool {
        same(
            &value,
            &RawValue::from_string(json.into()).expect("valid JSON"),
        )
    }

    #[test]
    fn values_are_compared_by_meaning() {
        assert!(is_same(Value::Null, "null") && !is_same(Value::Null, "\"\""));
        assert!(is_same(Value::from(7), "7.00") && is_same(Value::from(1_200), "1.2E3"));
        let money = Decimal::new(900_719_925_474_099_301, 2);
        assert!(is_same(Value::from(money), "9007199254740993.01"));
        assert!(!is_same(Value::from(money), "9007199254740993.02"));
        assert!(is_same(Value::from("a\"ß"), r#""a\"ß""#));
        assert!(is_same(
            attache::ServerTime(1_795_339_800).into(),
            "\"2026-11-22T09:30:00.000+0000\""
        ));
        assert!(is_same(
            jiff::civil::time(9, 5, 0, 0).into(),
            "\"09:05:00.000Z\""
        ));
        assert!(is_same(
            jiff::civil::date(2026, 3, 2).into(),
            "\"2026-03-02\""
        ));
        assert!(is_same(Value::from(true), "true") && !is_same(Value::from(true), "null"));
    }
}
