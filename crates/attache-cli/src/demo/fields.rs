//! What people type: for each object some fields, and how a plausible value is made up.

use crate::demo::random::Random;
use attache::{ServerTime, Value};
use jiff::civil::{Date, Time};
use std::str::FromStr;

/// How a new value is made from chance, the day and the value there was.
type Make = fn(&mut Random, Date, &Value) -> Value;

/// A field that anybody may change without a rule or a trigger minding.
pub struct Free {
    /// API name.
    pub name: &'static str,
    /// Has more than a few values, so that two people can choose two others.
    pub wide: bool,
    make: Make,
}

impl Free {
    /// Makes up a value that is none of these.
    pub fn value(
        &self,
        random: &mut Random,
        today: Date,
        current: &Value,
        not: &[&Value],
    ) -> Value {
        loop {
            let value = (self.make)(random, today, current);
            if value != *current && not.iter().all(|other| value != **other) {
                return value;
            }
        }
    }
}

/// The free fields of an object.
pub fn free(object: &str) -> &'static [Free] {
    match object {
        "Account" => ACCOUNT,
        "Contact" => CONTACT,
        "Opportunity" => OPPORTUNITY,
        "Visit__c" => VISIT,
        "Task" => TASK,
        "Event" => EVENT,
        _ => &[],
    }
}

const fn wide(name: &'static str, make: Make) -> Free {
    Free {
        name,
        wide: true,
        make,
    }
}

const fn narrow(name: &'static str, make: Make) -> Free {
    Free {
        name,
        wide: false,
        make,
    }
}

const ACCOUNT: &[Free] = &[
    wide("Phone", |random, _, _| phone(random)),
    wide("Fax", |random, _, _| phone(random)),
    wide("Description", |random, _, _| prose(random)),
    wide("AnnualRevenue", |random, _, _| {
        Value::from(random.between(1, 999_999_999_999_999))
    }),
    wide("NumberOfEmployees", |random, _, _| {
        Value::from(random.between(1, 90_000))
    }),
    wide("Regions__c", |random, _, _| {
        several(random, &["AMER", "APAC", "EMEA", "LATAM"])
    }),
    wide("Renewal_Date__c", |random, today, _| {
        day(random, today, 1, 700)
    }),
    wide("Score__c", |random, _, _| {
        Value::from(random.between(-99_999, 99_999))
    }),
    wide("Site", |random, _, _| {
        Value::from(format!(
            "Building {}, Étage {}",
            random.between(1, 99),
            random.between(1, 40)
        ))
    }),
    wide("Industry", |random, _, _| {
        one(
            random,
            &[
                "Agriculture",
                "Chemicals",
                "Energy",
                "Food & Beverage",
                "Retail",
                "Shipping",
            ],
        )
    }),
    narrow("Active__c", |_, _, current| flip(current)),
];

const CONTACT: &[Free] = &[
    wide("Title", |random, _, _| {
        Value::from(format!(
            "{} № {}",
            random.pick(TITLES),
            random.between(1, 999)
        ))
    }),
    wide("Department", |random, _, _| {
        Value::from(format!(
            "{} {}",
            random.pick(DEPARTMENTS),
            random.between(1, 999)
        ))
    }),
    wide("MobilePhone", |random, _, _| phone(random)),
    wide("Birthdate", |random, today, _| {
        day(random, today, -25_000, -7_000)
    }),
    wide("Languages__c", |random, _, _| {
        several(
            random,
            &["English", "French", "German", "Italian", "Japanese"],
        )
    }),
    wide("Description", |random, _, _| prose(random)),
    narrow("DoNotCall", |_, _, current| flip(current)),
];

const OPPORTUNITY: &[Free] = &[
    wide("Amount", |random, _, _| cents(random, 9_999_999_999)),
    wide("NextStep", |random, _, _| {
        Value::from(format!(
            "{} {}",
            random.pick(STEPS),
            random.between(1, 9_999)
        ))
    }),
    wide("Description", |random, _, _| prose(random)),
    wide("CloseDate", |random, today, _| day(random, today, 3, 80)),
    wide("TotalOpportunityQuantity", |random, _, _| {
        cents(random, 999_999)
    }),
    wide("LeadSource", |random, _, _| {
        one(
            random,
            &[
                "Web",
                "Phone Inquiry",
                "Partner Referral",
                "Purchased List",
                "Other",
            ],
        )
    }),
];

const VISIT: &[Free] = &[
    wide("Fee__c", |random, _, _| cents(random, 999_999)),
    wide("Discount__c", |random, _, _| cents(random, 9_999)),
    wide("Topics__c", |random, _, _| {
        several(random, &["Pricing", "Support", "Training", "Renewal"])
    }),
    wide("Notes__c", |random, _, _| prose(random)),
    wide("Arrival__c", |random, _, _| time(random)),
    wide("Starts_At__c", |random, today, _| instant(random, today)),
    wide("Visited_On__c", |random, today, _| {
        day(random, today, -60, -1)
    }),
    narrow("Billable__c", |_, _, current| flip(current)),
];

const TASK: &[Free] = &[
    wide("Description", |random, _, _| prose(random)),
    wide("CallDisposition", |random, _, _| {
        Value::from(format!(
            "{} {}",
            random.pick(STEPS),
            random.between(1, 9_999)
        ))
    }),
    wide("CallDurationInSeconds", |random, _, _| {
        Value::from(random.between(5, 7_200))
    }),
    narrow("Status", |random, _, _| {
        one(
            random,
            &["Not Started", "In Progress", "Completed", "Deferred"],
        )
    }),
];

const EVENT: &[Free] = &[
    wide("Description", |random, _, _| prose(random)),
    wide("Location", |random, _, _| {
        Value::from(format!(
            "{} {}",
            random.pick(PLACES),
            random.between(1, 999)
        ))
    }),
    narrow("ShowAs", |random, _, _| {
        one(random, &["Busy", "OutOfOffice", "Free"])
    }),
];

const TITLES: &[&str] = &[
    "Leiterin Einkauf",
    "Head of “Everything”",
    "Directeur général",
    "部長",
];
const DEPARTMENTS: &[&str] = &["Beschaffung", "R&D", "Comptabilité", "Ops \\ Night shift"];
const STEPS: &[&str] = &[
    "Call back about offer",
    "Send sample no.",
    "Ask O'Neill for part",
    "Nachfassen zu Angebot",
];
const PLACES: &[&str] = &["Café Größenwahn, Tisch", "Room “Zürich”", "Pier"];
const PROSE: &[&str] = &[
    "Wants the \"big\" one; O'Neill decides.",
    "Trifft sich erst nach Ostern wieder – bitte 🌷 mitbringen.",
    "50% now, 50% on delivery_date.",
    "C:\\offers\\2026 has the old price list.",
    "Parking: behind the <blue> gate & to the left.",
];

/// Makes up a telephone number.
pub fn phone(random: &mut Random) -> Value {
    Value::from(format!(
        "+49 (30) 55{:02}-{:04}",
        random.between(0, 99),
        random.between(0, 9_999)
    ))
}

/// Makes up some lines with quotes, umlauts and worse.
pub fn prose(random: &mut Random) -> Value {
    let lines = [*random.pick(PROSE), *random.pick(PROSE)].join("\n");
    Value::from(format!(
        "{lines}\nRef. {}",
        random.between(1_000, 9_999_999)
    ))
}

/// Makes up an amount of up to so many cents.
pub fn cents(random: &mut Random, cents_max: i64) -> Value {
    let cents = random.between(1, cents_max);
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    Value::Number(rust_decimal::Decimal::from_str(&text).unwrap_or_default())
}

/// Chooses a day between so many days from today.
pub fn day(random: &mut Random, today: Date, low: i64, high: i64) -> Value {
    let days = random.between(low, high);
    Value::from(today.saturating_add(jiff::Span::new().days(days)))
}

/// Chooses a few entries of a multi-select list, in its order.
pub fn several(random: &mut Random, entries: &[&str]) -> Value {
    let chosen: Vec<&str> = random.some(entries).into_iter().copied().collect();
    Value::from(chosen.join(";"))
}

fn one(random: &mut Random, entries: &[&str]) -> Value {
    Value::from(*random.pick(entries))
}

fn flip(current: &Value) -> Value {
    Value::from(*current != Value::Boolean(true))
}

fn time(random: &mut Random) -> Value {
    let (hour, minute) = (random.between(6, 20) as i8, random.between(0, 59) as i8);
    Value::from(Time::constant(hour, minute, 0, 0))
}

fn instant(random: &mut Random, today: Date) -> Value {
    let midnight = today
        .to_datetime(Time::midnight())
        .to_zoned(jiff::tz::TimeZone::UTC);
    let start = midnight.map_or(0, |start| start.timestamp().as_second());
    Value::from(ServerTime(start + 60 * random.between(0, 60 * 24 * 20)))
}
