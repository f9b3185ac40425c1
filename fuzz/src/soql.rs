//! Conditions and statements: what can be read prints as what reads the same, and becomes SQL or a clear error.

use attache::{Context, Filter, Select, ServerTime};

/// Longer than any text that a limit of the grammar lets through.
const TEXT_MAX: usize = 8_000;

fn context() -> Context {
    Context::new(
        "005000000000001AAA",
        jiff::tz::TimeZone::UTC,
        ServerTime(1_795_000_000_000),
    )
}

fn filter(text: &str) {
    let Ok(filter) = Filter::parse(text) else {
        return;
    };
    let printed = filter.to_string();
    let again = Filter::parse(&printed).expect("what is printed can be read");
    assert_eq!(again, filter, "{printed}");
    assert_eq!(again.to_string(), printed);
    let (rows, logic) = filter.to_rows();
    let joined = Filter::from_rows(&rows, &logic).expect("rows and their logic can be read");
    assert_eq!(joined.to_string(), printed);
    if let Ok(schema) = filter.sketch("Account")
        && filter.check(&schema, "Account").is_ok()
    {
        let _ = filter.to_sql(&schema, "Account", &context());
    }
}

fn select(text: &str) {
    let Ok(select) = Select::parse(text) else {
        return;
    };
    let printed = select.to_string();
    let again = Select::parse(&printed).expect("what is printed can be read");
    assert_eq!(again, select, "{printed}");
    assert_eq!(again.to_string(), printed);
    if let Ok(schema) = select.sketch() {
        let _ = select.to_sql(&schema, &context());
    }
}

/// Reads bytes as a condition and as a statement.
pub fn run(bytes: &[u8]) {
    let text = crate::text(bytes);
    if text.len() > TEXT_MAX {
        return;
    }
    filter(text);
    select(text);
    let error = Filter::parse(text)
        .err()
        .into_iter()
        .chain(Select::parse(text).err());
    for error in error {
        if let Some(at) = error.position() {
            assert!(at <= text.len(), "{at} is not in the text");
        }
        assert!(!error.to_string().is_empty());
    }
}
