//! Merges records three ways, and compares it with a merge written by hand for one object in the same run.
//!
//! `cargo bench -p attache-benches --bench merge -- [RECORDS]`
//!
//! The bare part: a struct of twenty typed fields, each compared by `==` three
//! ways, that says which fields are taken, kept and in conflict. No schema, no
//! groups, no policies, no equality by meaning: a limit, not a merge.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use attache::{MergePolicy, Merger, ObjectSchema, Outcome, Policy, Value};
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const FIELDS: usize = 20;
const RUNS: usize = 15;

/// Defines the object by hand: a struct of typed fields, its merge, and the same values for the engine.
macro_rules! by_hand {
    ($($field:ident: $type:ty = $describe:literal, $value:expr;)*) => {
        /// The object, as somebody would write it who knows it.
        #[derive(Clone, PartialEq)]
        struct Contact { $($field: Option<$type>,)* }

        impl Contact {
            fn values(&self) -> Vec<Value> {
                vec![$(self.$field.clone().map_or(Value::Null, Value::from),)*]
            }

            fn at(record: u32) -> Contact {
                Contact { $($field: { let value: fn(u32) -> $type = $value; Some(value(record)) },)* }
            }

            /// Changes the fields of these numbers to what another record has.
            fn edit(&mut self, fields: &[usize], like: u32) {
                let other = Contact::at(like);
                let mut at = 0;
                $(if fields.contains(&at) { self.$field = other.$field.clone(); } at += 1;)*
                assert_eq!(at, FIELDS, "the object has as many fields as it says");
            }
        }

        /// Which fields are taken, kept and in conflict: a bit each.
        #[inline(never)]
        fn merge_by_hand(base: &Contact, local: &Contact, remote: &Contact) -> [u32; 3] {
            let (mut taken, mut kept, mut conflicts, mut bit) = (0, 0, 0, 1);
            $(
                match (local.$field != base.$field, remote.$field != base.$field) {
                    (false, false) => {}
                    (false, true) => taken |= bit,
                    (true, false) => kept |= bit,
                    (true, true) if local.$field == remote.$field => {}
                    (true, true) => conflicts |= bit,
                }
                bit <<= 1;
            )*
            black_box(bit);
            [taken, kept, conflicts]
        }

        const DESCRIBE: [(&str, &str); FIELDS] = [$((stringify!($field), $describe),)*];
    };
}

fn day(record: u32, year: i16) -> Date {
    let day = i8::try_from(record % 28).unwrap_or(0) + 1;
    Date::new(year, 6, day).expect("a day of June")
}

by_hand! {
    last_name: String = "string", |n| format!("Lastname {n}");
    first_name: String = "string", |n| format!("First {}", n % 97);
    title: String = "string", |n| format!("Head of department {}", n % 31);
    department: String = "string", |n| format!("Department {}", n % 7);
    email: String = "email", |n| format!("person.{n}@example.com");
    phone: String = "phone", |n| format!("+49 561 {n:07}");
    mobile: String = "phone", |n| format!("+49 171 {n:07}");
    fax: String = "phone", |n| format!("+49 562 {n:07}");
    account: String = "string", |n| format!("001D00000{n:06}IAZ");
    owner: String = "string", |n| format!("005D00000{:06}IAZ", n % 50);
    description: String = "textarea", |n| format!("Met at the fair in hall {n}.\nWants an offer.\nCall again.");
    source: String = "picklist", |n| ["Web", "Fair", "Phone"][n as usize % 3].to_owned();
    level: String = "picklist", |n| ["Primary", "Secondary"][n as usize % 2].to_owned();
    amount: Decimal = "currency", |n| Decimal::new(i64::from(n) * 101, 2);
    discount: Decimal = "percent", |n| Decimal::from(n % 100);
    visits: Decimal = "int", |n| Decimal::from(n % 1_000);
    birthdate: Date = "date", |n| day(n, 1980);
    next_call: Date = "date", |n| day(n, 2026);
    no_call: bool = "boolean", |n| n % 2 == 0;
    no_mail: bool = "boolean", |n| n % 3 == 0;
}

/// Three sides of a record: three fields changed on each side, one of them on both.
struct Three {
    typed: [Contact; 3],
    values: [Vec<Value>; 3],
    edited: Vec<bool>,
}

fn three(record: u32) -> Three {
    let base = Contact::at(record);
    let (mut local, mut remote) = (base.clone(), base.clone());
    // Fields whose value differs from record to record.
    let fields = [0, 4, 5, 6, 7, 8, 10, 13];
    let pick = |step: usize| fields[(record as usize + step) % fields.len()];
    let mine = [pick(0), pick(1), pick(2)];
    local.edit(&mine, record + 1);
    remote.edit(&[pick(2), pick(3), pick(4)], record + 2);
    Three {
        values: [&base, &local, &remote].map(Contact::values),
        typed: [base, local, remote],
        edited: (0..FIELDS).map(|at| mine.contains(&at)).collect(),
    }
}

fn merger() -> Merger {
    let fields = DESCRIBE.map(|(name, kind)| {
        format!(r#"{{"name":"{name}","type":"{kind}","createable":true,"updateable":true}}"#)
    });
    let json = format!(r#"{{"name":"Contact","fields":[{}]}}"#, fields.join(","));
    let object = ObjectSchema::from_describe(&json).expect("a describe reads");
    Merger::new(Arc::new(object), &MergePolicy::new(Policy::Ask))
}

/// The best of the runs, in nanoseconds a record.
fn best(records: &[Three], mut merge: impl FnMut(&Three)) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..RUNS {
        let begun = Instant::now();
        records.iter().for_each(&mut merge);
        best = best.min(begun.elapsed().as_secs_f64());
    }
    best * 1e9 / records.len() as f64
}

fn main() {
    let count = attache_benches::argument(20_000);
    let records: Vec<Three> = (0..count).map(three).collect();
    let merger = merger();
    for Three {
        typed: [base, local, remote],
        values: [b, l, r],
        edited,
    } in &records
    {
        let changes = merger.merge(b, l, r, edited).expect("sides of one row");
        let bits = |wanted: &Outcome| {
            let found = changes.iter().filter(|change| change.outcome == *wanted);
            found.fold(0, |bits, change| bits | 1 << change.at)
        };
        let same = [Outcome::Taken, Outcome::Kept, Outcome::Conflict].map(|wanted| bits(&wanted));
        assert_eq!(
            same,
            merge_by_hand(base, local, remote),
            "all did the same work"
        );
    }
    let hand = best(&records, |it| {
        let [base, local, remote] = &it.typed;
        black_box(merge_by_hand(
            black_box(base),
            black_box(local),
            black_box(remote),
        ));
    });
    let engine = best(&records, |it| {
        let [base, local, remote] = black_box(&it.values);
        let changes = merger.merge(base, local, remote, black_box(&it.edited));
        black_box(changes.expect("sides of one row"));
    });
    println!(
        "machine: {}, {count} records of {FIELDS} fields, 3 changed on each side, 1 of them on both, best of {RUNS} runs",
        attache_benches::machine()
    );
    println!("by hand          {hand:8.1} ns/record (the bare limit)");
    println!("engine           {engine:8.1} ns/record");
    println!("engine / limit   {:8.2}", hand / engine);
}
