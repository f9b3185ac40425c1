//! What SOQL means, one rule per test.

mod aggregates;
mod dates;
mod grammar;
mod indexes;
mod refusals;
mod selecting;
mod speed;
mod where_clause;

use crate::org::Org;
use crate::org::testing::*;

/// Gives an org with a few accounts of Jo's and what hangs on them.
fn filled() -> Org {
    let mut org = org();
    for json in [
        r#"{"Name":"Acme","Industry":"Energy","AnnualRevenue":100,"NumberOfEmployees":5,"Regions__c":"AMER;EMEA","Active__c":true,"External_Id__c":"A-1","BillingCity":"Bern","Rating":"Hot"}"#,
        r#"{"Name":"beta","Industry":"Banking","AnnualRevenue":250.5,"NumberOfEmployees":7,"Regions__c":"EMEA","Renewal_Date__c":"2026-07-15","Rating":"Cold"}"#,
        r#"{"Name":"Gamma 100%","Industry":"Energy","AnnualRevenue":50,"Regions__c":"APAC","Renewal_Date__c":"2026-08-01","Rating":"Warm"}"#,
        r#"{"Name":"delta_x"}"#,
    ] {
        org.made(JO, "Account", json);
        org.wait(1);
    }
    let acme = org
        .find_by_key(JO, "Account", "External_Id__c", "A-1")
        .unwrap()
        .remove(0);
    for name in ["Roe", "Doe"] {
        org.made(
            JO,
            "Contact",
            &format!(r#"{{"FirstName":"Kim","LastName":"{name}","AccountId":"{acme}"}}"#),
        );
    }
    org.made(JO, "Contact", r#"{"LastName":"Alone"}"#);
    org.set_now(NOON);
    org
}

/// Gives the names of the accounts for which a condition holds, in order of name.
fn names(org: &Org, condition: &str) -> Vec<String> {
    org.column(
        JO,
        &format!("SELECT Name FROM Account WHERE {condition} ORDER BY Name"),
    )
}

/// Gives the code a statement is refused with.
fn refusal(org: &Org, soql: &str) -> &'static str {
    match org.query(JO, soql, false) {
        Ok(_) => panic!("accepted: {soql}"),
        Err(error) => error.code,
    }
}
