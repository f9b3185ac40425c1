//! The sandbox's describes against those of real orgs.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use attache_sandbox::{catalog, describe};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Recorded standard fields that the sandbox leaves out, and why.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("Account", &["DandbCompanyId", "OperatingHoursId"]), // lookups to objects it does not have
    ("Contact", &["IndividualId"]),                       // the same
    ("Lead", &["DandbCompanyId", "IndividualId"]),        // the same
    (
        "Opportunity",
        &[
            // lookups to objects it does not have
            "CampaignId",
            "LastAmountChangedHistoryId",
            "LastCloseDateChangedHistoryId",
            "Pricebook2Id",
            // derived from the fiscal year of the org
            "Fiscal",
            "FiscalQuarter",
            "FiscalYear",
            // derived from the activities beneath
            "HasOpenActivity",
            "HasOverdueTask",
        ],
    ),
    (
        "Event",
        &[
            // series of events, old and new
            "IsRecurrence",
            "IsRecurrence2",
            "IsRecurrence2Exception",
            "IsRecurrence2Exclusion",
            "Recurrence2PatternStartDate",
            "Recurrence2PatternText",
            "Recurrence2PatternTimeZone",
            "Recurrence2PatternVersion",
            "RecurrenceActivityId",
            "RecurrenceDayOfMonth",
            "RecurrenceDayOfWeekMask",
            "RecurrenceEndDateOnly",
            "RecurrenceInstance",
            "RecurrenceInterval",
            "RecurrenceMonthOfYear",
            "RecurrenceStartDateTime",
            "RecurrenceTimeZoneSidKey",
            "RecurrenceType",
        ],
    ),
];

/// Standard fields of the sandbox that the recorded user was not allowed to see.
const HIDDEN_IN_RECORDING: &[(&str, &str)] = &[("Contact", "DoNotCall")];

/// Keys of a field that must be what was recorded.
const SAME: &[&str] = &[
    "label",
    "type",
    "soapType",
    "extraTypeInfo",
    "length",
    "byteLength",
    "precision",
    "scale",
    "digits",
    "nillable",
    "createable",
    "updateable",
    "defaultedOnCreate",
    "defaultValue",
    "filterable",
    "sortable",
    "groupable",
    "relationshipName",
    "relationshipOrder",
    "cascadeDelete",
    "restrictedDelete",
    "polymorphicForeignKey",
    "namePointing",
    "compoundFieldName",
    "queryByDistance",
    "nameField",
    "idLookup",
    "unique",
    "externalId",
    "caseSensitive",
    "calculated",
    "autoNumber",
    "picklistValues",
    "restrictedPicklist",
    "dependentPicklist",
    "controllerName",
];

fn recorded(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn recorded_describe(name: &str) -> Value {
    recorded(&format!("describe/{name}"))
}

fn described(name: &str) -> Value {
    let text = describe::describe(&catalog::standard(), name, "v59.0").unwrap();
    serde_json::from_str(&text).unwrap()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect()
}

fn fields(describe: &Value) -> BTreeMap<&str, &Value> {
    let fields = describe["fields"].as_array().unwrap().iter();
    fields
        .map(|field| (field["name"].as_str().unwrap(), field))
        .collect()
}

fn is_custom(name: &str) -> bool {
    name.ends_with("__c")
}

#[test]
fn objects_and_fields_have_the_recorded_keys() {
    for name in ["Contact", "Opportunity", "Lead", "Event", "Account_v53"] {
        let recorded = recorded_describe(name);
        let ours = described(name.trim_end_matches("_v53"));
        assert_eq!(keys(&ours), keys(&recorded), "{name}");
        for (field_name, field) in fields(&ours) {
            assert_eq!(
                keys(field),
                keys(&recorded["fields"][0]),
                "{name}.{field_name}"
            );
        }
        for list in ["recordTypeInfos", "supportedScopes"] {
            assert_eq!(
                keys(&ours[list][0]),
                keys(&recorded[list][0]),
                "{name} {list}"
            );
        }
    }
}

#[test]
fn standard_fields_are_as_recorded() {
    let mut wrong = Vec::new();
    for name in ["Account", "Contact", "Opportunity", "Lead", "Event"] {
        let (recorded, ours) = (recorded_describe(name), described(name));
        let recorded = fields(&recorded);
        for (field, ours) in fields(&ours)
            .into_iter()
            .filter(|(field, _)| !is_custom(field))
        {
            let Some(theirs) = recorded.get(field) else {
                assert!(
                    HIDDEN_IN_RECORDING.contains(&(name, field)),
                    "{name}.{field} is invented"
                );
                continue;
            };
            for &key in SAME.iter().filter(|&&key| ours[key] != theirs[key]) {
                // Two texts, once keys of a service that is gone, still name a relationship.
                if key == "relationshipName" && field.starts_with("Jigsaw") {
                    continue;
                }
                wrong.push(format!(
                    "{name}.{field} {key}: {} not {}",
                    ours[key], theirs[key]
                ));
            }
            let (ours, theirs) = (names(&ours["referenceTo"]), names(&theirs["referenceTo"]));
            if !ours.iter().all(|to| is_custom(to) || theirs.contains(to)) {
                wrong.push(format!(
                    "{name}.{field} referenceTo: {ours:?} not {theirs:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_named_fields_are_left_out() {
    for &(name, expected) in LEFT_OUT {
        let (recorded, ours) = (recorded_describe(name), described(name));
        let ours = fields(&ours);
        let missing: BTreeSet<_> = fields(&recorded)
            .into_keys()
            .filter(|field| !is_custom(field) && !ours.contains_key(field))
            .collect();
        assert_eq!(missing, expected.iter().copied().collect(), "{name}");
    }
}

#[test]
fn child_relationships_are_as_recorded() {
    let schema = catalog::standard();
    let mut compared = 0;
    for name in ["Account", "Contact", "Opportunity", "Lead"] {
        let (recorded, ours) = (recorded_describe(name), described(name));
        let ours = ours["childRelationships"].as_array().unwrap();
        for theirs in recorded["childRelationships"].as_array().unwrap() {
            let [child, field] = ["childSObject", "field"].map(|key| theirs[key].as_str().unwrap());
            if schema
                .object(child)
                .is_none_or(|child| child.field(field).is_none())
            {
                continue;
            }
            let ours = ours
                .iter()
                .find(|ours| ours["childSObject"] == child && ours["field"] == field);
            assert_eq!(ours, Some(theirs), "{name} <- {child}.{field}");
            compared += 1;
        }
    }
    assert!(compared >= 15, "{compared}");
}

#[test]
fn the_task_has_the_fields_of_the_published_schema() {
    let published = recorded_describe("standard_schema");
    let ours = described("Task");
    let ours = fields(&ours);
    for (field, shape) in published["Task"]["fields"].as_object().unwrap() {
        if field.contains("Recurrence") {
            assert!(
                !ours.contains_key(field.as_str()),
                "{field}: series are not modelled"
            );
        } else {
            assert_eq!(
                ours[field.as_str()]["nillable"],
                shape["nullable"],
                "Task.{field}"
            );
        }
    }
}

#[test]
fn the_visit_shows_a_master_detail_a_dependent_picklist_and_a_formula() {
    let visit = described("Visit__c");
    let visit = fields(&visit);
    let master = visit["Account__c"];
    assert_eq!(master["relationshipOrder"], 0);
    assert_eq!(master["relationshipName"], "Account__r");
    assert_eq!(master["cascadeDelete"], true);
    assert_eq!(
        [
            &master["createable"],
            &master["updateable"],
            &master["nillable"]
        ],
        [true, false, false]
    );

    let outcome = visit["Outcome__c"];
    assert_eq!(outcome["controllerName"], "Kind__c");
    assert_eq!(outcome["dependentPicklist"], true);
    let entries = outcome["picklistValues"].as_array().unwrap();
    let valid: Vec<_> = entries.iter().map(|entry| &entry["validFor"]).collect();
    assert_eq!(
        valid,
        ["gAAA", "wAAA", "QAAA", "QAAA", "IAAA", "IAAA", "4AAA"]
    );

    assert_eq!(
        visit["Account_Name__c"]["calculatedFormula"],
        "Account__r.Name"
    );
    assert_eq!(visit["Name"]["autoNumber"], true);
    assert_eq!(visit["Billable__c"]["defaultValue"], true);

    let account = described("Account");
    let below = account["childRelationships"].as_array().unwrap();
    let visits = below
        .iter()
        .find(|child| child["childSObject"] == "Visit__c")
        .unwrap();
    assert_eq!(visits["relationshipName"], "Visits__r");
    assert_eq!(visits["cascadeDelete"], true);
    let key = fields(&account)["External_Id__c"];
    for flag in ["unique", "externalId", "idLookup"] {
        assert_eq!(key[flag], true, "{flag}");
    }
}

#[test]
fn the_list_of_objects_has_the_recorded_keys() {
    let schema = catalog::standard();
    let global: Value = serde_json::from_str(&describe::describe_global(&schema, "59.0")).unwrap();
    let recorded = recorded("recorded/list_sobjects_success_response");
    assert_eq!(keys(&global), keys(&recorded));
    let account = &global["sobjects"][0];
    assert_eq!(account["name"], "Account");
    assert!(keys(account).is_superset(&keys(&recorded["sobjects"][0])));
    assert_eq!(
        account["urls"]["sobject"],
        "/services/data/v59.0/sobjects/Account"
    );
    assert_eq!(
        global["sobjects"].as_array().unwrap().len(),
        schema.objects().len()
    );

    let basic = describe::basic(&schema, "account", "v59.0", "[]").unwrap();
    let basic: Value = serde_json::from_str(&basic).unwrap();
    assert_eq!(&basic["objectDescribe"], account);
    assert_eq!(describe::describe(&schema, "Nothing", "59.0"), None);
}

#[test]
fn every_reference_points_at_an_object_and_every_part_at_its_compound() {
    let schema = catalog::standard();
    let mut prefixes = BTreeSet::new();
    for object in schema.objects() {
        let name = &object.name;
        assert!(
            prefixes.insert(&object.key_prefix),
            "{name} shares a prefix"
        );
        let names = object.fields.iter().filter(|field| field.name_field);
        // Who is a member of what is no thing with a name, nor is what hangs on what.
        let nameless = ["GroupMember", "ContentDocumentLink"].contains(&name.as_str());
        assert_eq!(names.count(), usize::from(!nameless), "{name}");
        for field in &object.fields {
            let field_name = &field.name;
            for to in &field.reference_to {
                assert!(schema.object(to).is_some(), "{name}.{field_name}: {to}");
            }
            for other in [&field.compound, &field.controller].into_iter().flatten() {
                assert!(
                    object.field(other).is_some(),
                    "{name}.{field_name}: {other}"
                );
            }
        }
    }
}
