//! Briefcases: documents of our own, and those of other products.

use crate::spoiled;
use attache::{Briefcase, Error, ErrorKind, Result};
use attache_tests::field_sales;

const DEFINITION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<BriefcaseDefinition xmlns="http://soap.sforce.com/2006/04/metadata">
  <masterLabel>Open Work</masterLabel>
  <isActive>true</isActive>
  <briefcaseRules>
    <targetEntity>WorkOrder</targetEntity>
    <queryScope>Mine</queryScope>
  </briefcaseRules>
</BriefcaseDefinition>"#;
const LIST: &str = r#"{"id": "00BD0000005WcBe", "sobjectType": "Account", "scope": "mine", "columns": [],
    "query": "SELECT Name FROM Account USING SCOPE mine WHERE CreatedDate = THIS_WEEK",
    "whereCondition": {"field": "CreatedDate", "operator": "equals", "values": ["THIS_WEEK"]}}"#;
const SYNCS: &str = r#"{"syncs": [{"syncName": "accountsDown", "syncType": "syncDown", "soupName": "accounts",
    "target": {"type": "soql", "query": "SELECT Id, Name, Phone FROM Account WHERE Rating = 'Hot'"},
    "options": {"mergeMode": "LEAVE_IF_CHANGED"}}]}"#;

type Reader = fn(&str) -> Result<Briefcase>;

/// Each kind of document: a good one, and how it is read.
fn kinds() -> [(String, Reader); 4] {
    [
        (field_sales().to_json(), Briefcase::from_json),
        (DEFINITION.into(), |text| {
            Briefcase::from_briefcase_definition(text).map(|import| import.briefcase)
        }),
        (LIST.into(), |text| {
            Briefcase::from_list_view(text).map(|import| import.briefcase)
        }),
        (SYNCS.into(), |text| {
            Briefcase::from_mobile_sync(text, None).map(|import| import.briefcase)
        }),
    ]
}

#[track_caller]
fn clear(error: &Error, what: &str) {
    // A document with SOQL in it may fail as SOQL.
    let kinds = [ErrorKind::InvalidArgument, ErrorKind::MalformedQuery];
    assert!(kinds.contains(&error.kind()), "{what}: {error}");
    let told = error.to_string();
    assert!((10..1_000).contains(&told.len()), "{what}: {told}");
}

#[test]
fn a_document_that_was_cut_or_flipped_is_refused_or_is_another_good_one() {
    for (good, read) in kinds() {
        read(&good).expect("a good document");
        let mut refused = 0;
        for (what, spoiled) in spoiled(good.trim_end().as_bytes()) {
            let cut = what.ends_with("bytes");
            // A host reads text, and has refused what is none.
            let Ok(text) = String::from_utf8(spoiled) else {
                continue;
            };
            match read(&text) {
                Err(error) => {
                    clear(&error, &what);
                    refused += 1;
                }
                Ok(briefcase) => {
                    assert!(!cut, "{what} are no document: {text}");
                    let again = Briefcase::from_json(&briefcase.to_json());
                    assert_eq!(again.expect("what is printed can be read"), briefcase);
                }
            }
        }
        assert!(refused > 300, "{refused} were refused");
    }
}

#[test]
fn a_document_that_is_nested_too_deep_or_expands_is_refused() {
    let deep = |open: &str, close: &str| open.repeat(200_000) + "1" + &close.repeat(200_000);
    let entities = r#"<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
        <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><BriefcaseDefinition><masterLabel>&c;</masterLabel></BriefcaseDefinition>"#;
    let condition = format!("{}Name != null{}", "(".repeat(100_000), ")".repeat(100_000));
    let ours =
        format!(r#"{{"version": 1, "rules": [{{"object": "Account", "where": "{condition}"}}]}}"#);
    for (_, read) in kinds() {
        let texts = [
            deep("[", "]"),
            deep("{\"a\":", "}"),
            deep("{\"rules\":[", "]}"),
            deep("<a>", "</a>"),
            entities.to_owned(),
            ours.clone(),
            "x".repeat(9 << 20),
            String::new(),
            "\u{0}".repeat(1_000),
        ];
        for text in texts {
            let shown: String = text.chars().take(40).collect();
            let error = read(&text).map(|_| ()).expect_err(&shown);
            clear(&error, &shown);
        }
    }
}

/// What cannot be carried over is told, and no rule takes its place.
#[test]
fn a_sync_whose_query_is_nested_too_deep_is_left_out_with_a_note() {
    let condition = format!("{}Name != null{}", "(".repeat(100_000), ")".repeat(100_000));
    let syncs = SYNCS.replace("Rating = 'Hot'", &condition);
    let import = Briefcase::from_mobile_sync(&syncs, None).expect("its frame is good");
    assert_eq!(import.notes.len(), 1, "{:?}", import.notes);
    assert!(import.notes[0].contains("accountsDown") && import.notes[0].len() < 300);
    assert_eq!(import.briefcase.objects().count(), 0);
}

#[test]
fn a_document_of_a_newer_version_says_that_this_library_is_older() {
    for version in ["2", "99", "18446744073709551616", "1e3"] {
        let text = field_sales().to_json().replacen(
            "\"version\": 1",
            &format!("\"version\": {version}"),
            1,
        );
        let error = Briefcase::from_json(&text).expect_err("a newer version");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains("version"), "{error}");
    }
}
