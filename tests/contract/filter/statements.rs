//! Whole statements: the device shows of rows what the org shows, in the order of the org, and groups them as the org does.

use crate::ask::NOWS;
use crate::field::Nature;
use crate::world::{OBJECTS, Sides};
use attache::ServerTime;
use attache_sim::{Prng, Row};
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Made-up orgs that are asked.
const WORLDS: u64 = 10;
/// Statements asked of each made-up org.
const STATEMENTS_PER_WORLD: usize = 150;

/// Ways to a parent, and whose fields stand at their end.
const PATHS: [(&str, usize); 4] = [
    ("", 0),
    ("Base__r.", 1),
    ("Base__r.Up__r.", 1),
    ("Base__r.Up__r.Up__r.Up__r.Up__r.", 1),
];

/// What stands in a statement.
struct Term {
    text: String,
    nature: Nature,
}

/// A field, of a thing or of what is above it.
fn field(random: &mut Prng, sides: &Sides) -> Term {
    let (path, at) = *random.pick(&PATHS).expect("there are paths");
    let field = random.pick(&sides.fields[at]).expect("there are fields");
    Term {
        text: format!("{path}{}", field.name),
        nature: field.nature,
    }
}

/// A field, or a part of a date.
fn term(random: &mut Prng, sides: &Sides) -> Term {
    let field = field(random, sides);
    let part = random.percent(30) && matches!(field.nature, Nature::Day | Nature::Instant);
    match random.pick(&PARTS).filter(|_| part) {
        None => field,
        Some(function) => Term {
            text: format!("{function}({})", field.text),
            nature: Nature::Whole,
        },
    }
}

/// Something that is grouped by. What the checkbox of a parent that is not there stands for in a group is written
/// nowhere. Of what nobody groups by there is less, so that there are groups to compare.
fn grouped_by(random: &mut Prng, sides: &Sides) -> Term {
    loop {
        let term = term(random, sides);
        let takes = match term.nature {
            Nature::Set | Nature::Long | Nature::Number | Nature::Instant => random.percent(10),
            Nature::Flag => !term.text.contains("__r."),
            _ => true,
        };
        if takes {
            return term;
        }
    }
}

const PARTS: [&str; 4] = [
    "CALENDAR_YEAR",
    "FISCAL_QUARTER",
    "WEEK_IN_YEAR",
    "DAY_IN_WEEK",
];

fn one<'a>(random: &mut Prng, of: &[&'a str]) -> &'a str {
    random.pick(of).expect("there is one")
}

/// What a list shows of each row, besides its id. The org has nothing of a parent that is not there, the device has
/// the checkbox of one off.
fn shown(random: &mut Prng, sides: &Sides) -> Vec<String> {
    let mut columns = vec![String::from("Id")];
    for _ in 0..random.below(5) {
        let field = field(random, sides);
        let is_off = field.nature == Nature::Flag && field.text.contains("__r.");
        let column = match random.percent(20) {
            true => one(random, &POLYMORPHIC).to_owned(),
            false => field.text,
        };
        if !is_off && !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// What all objects have that a lookup may lead to.
const POLYMORPHIC: [&str; 5] = [
    "Any__r.Name",
    "Any__r.Type",
    "Any__r.Id",
    "Person__r.Name",
    "Base__r.Favourite__r.Any__r.Name",
];

/// A list of rows in an order, of which a part is taken.
fn list(random: &mut Prng, sides: &Sides) -> (String, Vec<String>) {
    let columns = shown(random, sides);
    let mut order = Vec::new();
    for _ in 0..1 + random.below(3) {
        let by = term(random, sides);
        let how = one(random, &["", " ASC", " DESC"]);
        // The org does not put nulls last where it orders by a lookup or by what is above it; the device does.
        let is_above = by.nature == Nature::Id || by.text.contains("__r.");
        let nulls = match is_above {
            true => one(random, &["", " NULLS FIRST"]),
            false => one(random, &["", " NULLS FIRST", " NULLS LAST"]),
        };
        order.push(format!("{}{how}{nulls}", by.text));
    }
    let filter = match random.below(6) {
        0 => format!(" WHERE {} = null", field(random, sides).text),
        1 | 2 => String::from(" WHERE Base__c != null"),
        _ => String::new(),
    };
    let limit = one(random, &["", " LIMIT 7", " LIMIT 1", " LIMIT 39"]);
    let offset = one(random, &["", " OFFSET 3", " OFFSET 40"]);
    let soql = format!(
        "SELECT {} FROM {}{filter} ORDER BY {}, Id{limit}{offset}",
        columns.join(", "),
        OBJECTS[0],
        order.join(", ")
    );
    (soql, columns)
}

/// Groups with what is counted and summed of each.
fn grouped(random: &mut Prng, sides: &Sides) -> (String, Vec<String>) {
    let mut by = vec![grouped_by(random, sides)];
    let second = grouped_by(random, sides);
    if random.percent(50) && second.text != by[0].text {
        by.push(second);
    }
    let mut items = vec![String::from("COUNT(Id) n")];
    let of = field(random, sides);
    items.extend([
        format!("COUNT({}) c", of.text),
        format!("COUNT_DISTINCT({}) d", of.text),
    ]);
    let (low, high) = (field(random, sides), field(random, sides));
    items.extend([
        format!("MIN({}) lo", low.text),
        format!("MAX({}) hi", high.text),
    ]);
    let number = (0..20)
        .map(|_| field(random, sides))
        .find(|field| matches!(field.nature, Nature::Whole | Nature::Number));
    if let Some(number) = number {
        items.extend([
            format!("SUM({}) s", number.text),
            format!("AVG({}) v", number.text),
        ]);
    }
    // What cannot be asked for makes a statement that both sides refuse: not all of each.
    for _ in 0..random.below(4) {
        items.remove(1 + random.below(items.len() - 1));
    }
    let names: Vec<&str> = by.iter().map(|term| term.text.as_str()).collect();
    let group = match random.below(6) {
        0 => format!("ROLLUP({})", names.join(", ")),
        1 => format!("CUBE({})", names.join(", ")),
        _ => names.join(", "),
    };
    let having = one(
        random,
        &[
            "",
            "",
            " HAVING COUNT(Id) > 1",
            " HAVING COUNT(Id) > 1 AND MIN(Id) != null",
        ],
    );
    let mut columns: Vec<String> = (0..by.len()).map(|nr| format!("g{nr}")).collect();
    let keys = names.iter().zip(&columns);
    let mut select: Vec<String> = keys
        .map(|(name, alias)| format!("{name} {alias}"))
        .collect();
    columns.extend(
        items
            .iter()
            .filter_map(|item| Some(item.rsplit_once(' ')?.1.to_owned())),
    );
    select.append(&mut items);
    // Subtotals of all and groups of nulls are equal in every key: of them no order is told.
    let order = match group == names.join(", ") && random.percent(60) {
        true => format!(" ORDER BY {}", names.join(" DESC, ")),
        false => String::new(),
    };
    let soql = format!(
        "SELECT {} FROM {} GROUP BY {group}{having}{order}",
        select.join(", "),
        OBJECTS[0]
    );
    (soql, columns)
}

/// A value as both sides mean it.
fn meant(json: &str) -> String {
    if let Ok(number) = json.parse::<Decimal>() {
        return number.normalize().to_string();
    }
    let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    match &value {
        serde_json::Value::String(text) => match ServerTime::parse(text) {
            Some(instant) => format!("@{}", instant.0),
            None => format!("'{text}'"),
        },
        other => other.to_string(),
    }
}

/// The same in a group: nobody promises which of equal texts stands for all, and to how many digits an average is
/// worked out.
fn meant_of_many(json: &str) -> String {
    let meant = meant(json);
    match json.parse::<f64>() {
        Ok(number) => format!("{:.12e}", number + 0.0),
        Err(_) => meant.chars().flat_map(char::to_uppercase).collect(),
    }
}

/// The JSON at the end of a path.
fn at_path(row: &Row, path: &str) -> Option<String> {
    let mut steps = path.split('.');
    let mut json = row.raw(steps.next()?)?.to_owned();
    for step in steps {
        let parent: Option<BTreeMap<String, Box<RawValue>>> =
            serde_json::from_str(&json).expect("a record");
        json = parent?.get(step)?.get().to_owned();
    }
    Some(json)
}

/// How the values of a statement's answer are compared.
fn reading(soql: &str) -> fn(&str) -> String {
    match soql.contains(" GROUP BY ") {
        true => meant_of_many,
        false => meant,
    }
}

fn on_device(
    sides: &Sides,
    soql: &str,
    columns: &[String],
    now: i64,
) -> Result<Vec<String>, String> {
    let rows = sides.device.query_with(soql, &sides.asked_at(now));
    let rows = rows.map_err(|error| error.to_string())?;
    let meant = reading(soql);
    Ok(rows
        .map(|row| {
            let cells = columns.iter().map(|column| {
                let value = row.get(column).expect("it was asked for");
                meant(&value.to_json())
            });
            cells.collect::<Vec<_>>().join(" | ")
        })
        .collect())
}

fn at_org(sides: &Sides, soql: &str, columns: &[String], now: i64) -> Result<Vec<String>, String> {
    sides.world.sandbox.set_time_ms(now * 1_000);
    let rows = sides.world.rows(sides.world.boss(), soql)?;
    let meant = reading(soql);
    Ok(rows
        .iter()
        .map(|row| {
            let cells = columns
                .iter()
                .map(|column| meant(at_path(row, column).as_deref().unwrap_or("null")));
            cells.collect::<Vec<_>>().join(" | ")
        })
        .collect())
}

/// Asks both sides; tells how they disagree. Gives whether there was an answer.
fn compare(sides: &Sides, soql: &str, columns: &[String], now: i64) -> Result<bool, String> {
    let (mut device, mut org) = (
        on_device(sides, soql, columns, now),
        at_org(sides, soql, columns, now),
    );
    if !soql.contains(" ORDER BY ") {
        for rows in [&mut device, &mut org].into_iter().flatten() {
            rows.sort();
        }
    }
    match (device, org) {
        (Ok(device), Ok(org)) if device == org => Ok(true),
        (Err(_), Err(_)) => Ok(false),
        (device, org) => Err(format!(
            "{soql}\n{}\ndevice: {device:#?}\norg: {org:#?}",
            sides.calendar(now)
        )),
    }
}

#[test]
fn device_and_org_show_order_and_group_alike() {
    let (mut answered, mut asked) = ([0, 0], 0);
    let mut wrong = Vec::new();
    for seed in 1..=WORLDS {
        let sides = Sides::new(seed);
        let mut random = Prng::fork(seed, "statements");
        for _ in 0..STATEMENTS_PER_WORLD {
            let now: jiff::Timestamp = one(&mut random, NOWS).parse().expect("an instant");
            let is_list = random.percent(50);
            let (soql, columns) = match is_list {
                true => list(&mut random, &sides),
                false => grouped(&mut random, &sides),
            };
            asked += 1;
            match compare(&sides, &soql, &columns, now.as_second()) {
                Ok(had_rows) => answered[usize::from(is_list)] += usize::from(had_rows),
                Err(told) => wrong.push(format!("seed {seed}: {told}")),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked} statements: the sides disagree on\n{}",
        wrong.len(),
        wrong.first().expect("there is one")
    );
    // A test that only sees refusals shows nothing.
    assert!(
        answered[0] > 300 && answered[1] > 500,
        "{answered:?} of {asked} had an answer"
    );
}
