//! What is SOQL and what is not.

use super::super::parse::parse;
use super::*;
use proptest::prelude::*;

#[test]
fn the_platforms_grammar_is_accepted() {
    let org = filled();
    for soql in [
        "select id from account",
        "SELECT a.Id, a.Owner.Name FROM Account a WHERE a.Name = 'x'",
        "SELECT c.Id, a.Name FROM Contact c, c.Account a WHERE a.Name = 'Acme'",
        "SELECT Account.Name FROM Account",
        "SELECT Id FROM Account USING SCOPE mine WHERE Name <> 'x' ORDER BY Name DESC NULLS LAST, Id LIMIT 5 OFFSET 1",
        "SELECT Id FROM Account WHERE (Name = 'a' OR Name = 'b') AND (NOT Name = 'c')",
        "SELECT Id FROM Account WHERE NOT (Name = 'a' AND Name = 'b')",
        "SELECT Id FROM Account WHERE NOT Name = 'a'",
        "SELECT Id FROM Account WHERE AnnualRevenue > -1.5 AND AnnualRevenue < +2",
        "SELECT Id FROM Account WHERE Name = 'it\\'s \\u0041 \\\\ \\n'",
        "SELECT Id FROM Account WHERE Name IN ('a') FOR VIEW",
        "SELECT Id FROM Account FOR REFERENCE",
        "SELECT\n Id\nFROM\tAccount",
    ] {
        assert!(
            org.query(JO, soql, false).is_ok(),
            "{soql}: {:?}",
            org.query(JO, soql, false).err()
        );
    }
}

#[test]
fn what_the_platforms_grammar_refuses_is_malformed() {
    let org = filled();
    for soql in [
        "",
        "SELECT",
        "SELECT Id",
        "SELECT FROM Account",
        "SELECT * FROM Account",
        "SELECT Id FROM Account;",
        "SELECT Id, FROM Account",
        "SELECT Id FROM Account WHERE",
        "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
        "SELECT Id FROM Account WHERE NOT Name = 'a' AND Name = 'b'",
        "SELECT Id FROM Account WHERE NOT (Name = 'a') AND Name = 'b'",
        "SELECT Id FROM Account WHERE Name = 'a' AND NOT Name = 'b'",
        "SELECT Id FROM Account WHERE Name NOT LIKE 'a'",
        "SELECT Id FROM Account WHERE Name IN ()",
        "SELECT Id FROM Account WHERE Name = \"a\"",
        "SELECT Id FROM Account WHERE Name IS NULL",
        "SELECT Id FROM Account WHERE Name = Phone",
        "SELECT Id FROM Account WHERE CreatedDate > 2024-01-01T00:00:00",
        "SELECT Id FROM Account WHERE AnnualRevenue = 1e5",
        "SELECT Id FROM Account WHERE AnnualRevenue = 5.",
        "SELECT Id FROM Account OFFSET 5 LIMIT 5",
        "SELECT Id FROM Account WHERE Name = 'a\\_b'",
        "SELECT Id FROM Account WHERE Name = 'a\\q'",
        "SELECT Id FROM Account WHERE Name = 'open",
        "SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS",
        "SELECT Id FROM Account WHERE CreatedDate = LAST_N_MOONS:3",
        "SELECT Id FROM Account WHERE CreatedDate = TODAY:3",
        "SELECT Id FROM Account ORDER Name",
        "SELECT Id FROM Account LIMIT -1",
        "SELECT Id FROM Account FOR UPDATE",
        "SELECT Id FROM Account WITH SECURITY_ENFORCED",
        "SELECT Id FROM Account ALL ROWS",
        "SELECT Id FROM Account WHERE Name = :name",
    ] {
        assert_eq!(refusal(&org, soql), "MALFORMED_QUERY", "{soql}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let org = filled();
    let soql = format!(
        "SELECT Id FROM Account WHERE {}Name = 'a'{}",
        "(".repeat(5_000),
        ")".repeat(5_000)
    );
    assert_eq!(refusal(&org, &soql), "QUERY_TOO_COMPLICATED");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_mixture_of_words_makes_a_query_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "SELECT", "FROM", "WHERE", "Id", "Name", "Account", "Contact", "(", ")", ",", ".", "=", "!=", "<", "LIKE",
                "IN", "NOT", "AND", "OR", "'a'", "'%\\\\_'", "1", "2.5", "null", "TODAY", "LAST_N_DAYS", ":", "7", "ORDER",
                "BY", "GROUP", "HAVING", "COUNT", "COUNT()", "FIELDS(ALL)", "LIMIT", "OFFSET", "TYPEOF", "What", "WHEN",
                "THEN", "ELSE", "END", "Owner", "2026-01-01", "2026-01-01T00:00:00Z", "SUM(Amount)", "Contacts", "é", "\\",
            ]),
            0..24,
        )
    ) {
        let org = org();
        let _ = org.query(JO, &words.join(" "), true);
        let _ = org.query(JO, &format!("SELECT Id FROM Account WHERE {}", words.join(" ")), false);
    }
}
