//! That indexes are used at all; how fast they are is for the benches.

use super::*;
use crate::value::Value;

#[test]
fn a_delta_of_a_large_table_is_found_without_reading_it() {
    let mut org = org();
    let accounts = org.schema().index("Account").unwrap();
    let object = org.schema().objects()[accounts].clone();
    let at = |name: &str| object.index(name).unwrap();
    for n in 0..50_000_u64 {
        let mut row = vec![Value::Null; object.fields.len()];
        row[at("Id")] = Value::text(crate::id::make("001", n + 1));
        row[at("Name")] = Value::text(format!("Account {n}"));
        row[at("OwnerId")] = Value::text(JO);
        row[at("SystemModstamp")] = Value::DateTime(n as i64);
        org.put(accounts, row).unwrap();
    }
    let started = std::time::Instant::now();
    for _ in 0..100 {
        let rows = org.column(JO, "SELECT Id FROM Account WHERE SystemModstamp > 1970-01-01T13:53:10Z ORDER BY SystemModstamp, Id LIMIT 10");
        assert_eq!(rows.len(), 9);
    }
    let delta = started.elapsed();
    let started = std::time::Instant::now();
    assert_eq!(
        org.query(JO, "SELECT Id FROM Account WHERE Name LIKE '%9999%'", false)
            .unwrap()
            .total(),
        5
    );
    let scan = started.elapsed();
    assert!(
        delta < scan * 50,
        "100 deltas took {delta:?}, one scan {scan:?}"
    );
}
