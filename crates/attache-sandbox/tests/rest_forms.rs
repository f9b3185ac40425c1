//! What forms and lists are drawn from: record types, layouts, picklists by record type, list views, recents.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

use attache_sandbox::{
    Request, Sandbox,
    org::{LayoutDef, LayoutItem, ListCondition, ListViewDef},
    schema::RecordTypeDef,
};
use client::{Client, client, send};
use serde_json::{Value, json};

/// Where a recorded answer of a real org is.
const RECORDED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/recorded/list_view_results_success_response.json"
);

/// An org whose accounts are households, the default, or partners, who nobody may make.
fn households() -> (Client, String, String) {
    let client = client();
    let (household, partner) = client.sandbox.with_org(|org| {
        let household = org.define_record_type(
            "Account",
            RecordTypeDef::new("Household", "Household")
                .default_for_users()
                .picklist("Type", &["Other"], Some("Other")),
        );
        let partner = org.define_record_type(
            "Account",
            RecordTypeDef::new("Partner", "Partner").unavailable(),
        );
        let layout = LayoutDef::new("Household Layout")
            .section(
                "Household",
                2,
                [
                    LayoutItem::field("Name"),
                    LayoutItem::field("Phone").required(),
                    LayoutItem::field("BillingAddress"),
                    LayoutItem::blank(),
                    LayoutItem::field("Fax").read_only(),
                ],
            )
            .related("Contacts", ["Name", "Email"]);
        org.define_layout("Account", Some("Household"), layout);
        (household, partner)
    });
    (client, household, partner)
}

#[test]
fn a_first_record_type_brings_its_field_and_its_row() {
    let client = client();
    let describe = |object: &str| client.get(&format!("/sobjects/{object}/describe")).json;
    let has = |describe: &Value| {
        let fields = describe["fields"].as_array().unwrap();
        fields.iter().any(|field| field["name"] == "RecordTypeId")
    };
    assert!(!has(&describe("Lead")));
    let id = client.sandbox.with_org(|org| {
        org.define_record_type(
            "Lead",
            RecordTypeDef::new("Web", "From the web").default_for_users(),
        )
    });
    let after = describe("Lead");
    assert!(has(&after));
    let infos = after["recordTypeInfos"].as_array().unwrap();
    assert_eq!(infos.len(), 2);
    assert_eq!(infos[0]["recordTypeId"], json!(id));
    assert_eq!(infos[0]["defaultRecordTypeMapping"], json!(true));
    assert_eq!(infos[1]["developerName"], "Master");
    assert_eq!(infos[1]["defaultRecordTypeMapping"], json!(false));
    let rows =
        client.get("/query?q=SELECT+Id,SobjectType+FROM+RecordType+WHERE+DeveloperName='Web'");
    assert_eq!(rows.json["records"][0]["Id"], json!(id));
    assert_eq!(rows.json["records"][0]["SobjectType"], "Lead");
    let lead = client.create("Lead", json!({"LastName": "L", "Company": "C"}));
    assert_eq!(client.row("Lead", &lead)["RecordTypeId"], json!(id));
}

#[test]
fn a_record_type_limits_restricted_picklists_and_who_may_have_it() {
    let (client, household, partner) = households();
    let row = client.row("Account", &client.account("A"));
    assert_eq!(
        (&row["RecordTypeId"], &row["Type"]),
        (&json!(household), &json!("Other"))
    );

    // A picklist that is not restricted takes anything, as the describe says.
    let loose = json!({"Name": "B", "Type": "Prospect"});
    assert_eq!(client.post("/sobjects/Account", loose.clone()).status, 201);
    client.sandbox.with_org(|org| {
        org.alter_object("Account", |account| {
            let at = account.index("Type").unwrap();
            account.fields[at].restricted_picklist = true;
        });
    });
    let refused = client.post("/sobjects/Account", loose.clone());
    assert_eq!(refused.codes(), ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"]);
    assert_eq!(refused.json[0]["fields"], json!(["Type"]));
    let master = json!({"Name": "B", "Type": "Prospect", "RecordTypeId": "012000000000000AAA"});
    assert_eq!(client.post("/sobjects/Account", master).status, 201);
    client.sandbox.with_org(|org| {
        org.config_mut().switches.enforces_record_type_picklists = false;
    });
    assert_eq!(client.post("/sobjects/Account", loose).status, 201);

    let refused = client.post(
        "/sobjects/Account",
        json!({"Name": "C", "RecordTypeId": partner}),
    );
    assert_eq!(refused.codes(), ["INVALID_CROSS_REFERENCE_KEY"]);
    assert_eq!(refused.json[0]["fields"], json!(["RecordTypeId"]));
}

#[test]
fn layouts_come_with_who_has_them_and_the_picklists_of_record_types() {
    let (client, household, partner) = households();
    let answer = client.get("/sobjects/Account/describe/layouts").json;
    let (layouts, mappings) = (
        answer["layouts"].as_array().unwrap(),
        answer["recordTypeMappings"].as_array().unwrap(),
    );
    assert_eq!((layouts.len(), mappings.len()), (2, 3));
    assert_eq!(answer["recordTypeSelectorRequired"], json!([true]));
    let of = |id: &str| {
        mappings
            .iter()
            .find(|one| one["recordTypeId"] == *id)
            .unwrap()
    };
    let own = layouts
        .iter()
        .find(|one| one["id"] == of(&household)["layoutId"])
        .unwrap();
    // A record type without a layout of its own has the master's.
    assert_eq!(
        of(&partner)["layoutId"],
        of("012000000000000AAA")["layoutId"]
    );
    assert_ne!(of(&partner)["layoutId"], of(&household)["layoutId"]);

    let rows = &own["detailLayoutSections"][0]["layoutRows"];
    let item = |row: usize, at: usize| &rows[row]["layoutItems"][at];
    assert_eq!(item(0, 0)["layoutComponents"][0]["value"], "Name");
    assert_eq!(item(0, 0)["required"], json!(true)); // by the describe
    assert_eq!(item(0, 1)["required"], json!(true)); // by the layout
    assert_eq!(item(1, 0)["layoutComponents"][0]["fieldType"], "address");
    let parts = item(1, 0)["layoutComponents"][0]["components"]
        .as_array()
        .unwrap();
    assert!(parts.iter().any(|part| part["value"] == "BillingCity"));
    assert_eq!(item(1, 0)["editableForUpdate"], json!(true)); // by its parts
    assert_eq!(item(1, 1)["placeholder"], json!(true));
    assert_eq!(item(2, 0)["editableForUpdate"], json!(false));
    assert_eq!(own["relatedLists"][0]["sobject"], "Contact");
    assert_eq!(own["relatedLists"][0]["field"], "AccountId");

    let types = |id: &str| -> Vec<String> {
        let lists = of(id)["picklistsForRecordType"].as_array().unwrap().iter();
        let list = lists
            .into_iter()
            .find(|list| list["picklistName"] == "Type")
            .unwrap();
        let values = list["picklistValues"].as_array().unwrap().iter();
        values
            .map(|value| value["value"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(types(&household), ["Other"]);
    assert!(types(&partner).len() > 1);

    let alone = client
        .get(&format!("/sobjects/Account/describe/layouts/{household}"))
        .json;
    assert_eq!(alone, *own);
    assert_eq!(
        client.get("/sobjects/Account/describe/layouts/x").status,
        404
    );
    assert_eq!(client.get("/sobjects/Nope__c/describe/layouts").status, 404);
    client
        .sandbox
        .with_switches(|switches| switches.layouts_come_apart = true);
    let apart = client.get("/sobjects/Account/describe/layouts").json;
    assert_eq!(apart["layouts"], json!([]));
    assert_eq!(apart["recordTypeMappings"], answer["recordTypeMappings"]);
}

#[test]
fn a_hidden_field_leaves_a_gap_or_its_name() {
    let (client, household, _) = households();
    client
        .sandbox
        .with_org(|org| org.hide_field(&client.user, "Account", "Phone", true));
    let path = format!("/sobjects/Account/describe/layouts/{household}");
    let phone = |client: &Client| {
        client.get(&path).json["detailLayoutSections"][0]["layoutRows"][0]["layoutItems"][1].clone()
    };
    assert_eq!(phone(&client)["placeholder"], json!(true));
    client
        .sandbox
        .with_switches(|switches| switches.layouts_show_hidden_fields = true);
    assert_eq!(phone(&client)["layoutComponents"][0]["value"], "Phone");
}

#[test]
fn an_object_without_a_layout_of_its_own_shows_all_that_may_be_written() {
    let answer = client().get("/sobjects/Visit__c/describe/layouts").json;
    let sections = answer["layouts"][0]["detailLayoutSections"]
        .as_array()
        .unwrap();
    assert_eq!(sections[0]["heading"], "Visit Information");
    assert_eq!(
        answer["layouts"][0]["id"],
        answer["recordTypeMappings"][0]["layoutId"]
    );
    let compact = client()
        .get("/sobjects/Account/describe/compactLayouts")
        .json;
    assert_eq!(compact["compactLayouts"][0]["name"], "SYSTEM");
    let first = &compact["compactLayouts"][0]["fieldItems"][0]["layoutComponents"][0];
    assert_eq!(first["value"], "Name");
    assert_eq!(compact["defaultCompactLayoutId"], Value::Null);
}

#[test]
fn the_ui_api_tells_the_same() {
    let (client, household, _) = households();
    let info = client.get("/ui-api/object-info/Account").json;
    assert_eq!(info["defaultRecordTypeId"], json!(household));
    assert_eq!(info["fields"]["Name"]["dataType"], "String");
    assert_eq!(info["fields"]["Name"]["required"], json!(true));
    assert_eq!(info["recordTypeInfos"][&household]["master"], json!(false));
    assert!(info["eTag"].is_string());
    let path = format!("/ui-api/object-info/Account/picklist-values/{household}");
    let all = client.get(&path).json["picklistFieldValues"].clone();
    assert_eq!(all["Type"]["values"].as_array().unwrap().len(), 1);
    assert_eq!(all["Type"]["defaultValue"]["value"], "Other");
    let one = client.get(&format!("{path}/Type")).json;
    assert_eq!(one["values"], all["Type"]["values"]);
    let visits = "/ui-api/object-info/Visit__c/picklist-values/012000000000000AAA/Outcome__c";
    let outcome = client.get(visits).json;
    assert!(!outcome["controllerValues"].as_object().unwrap().is_empty());
    assert!(outcome["values"][0]["validFor"].is_array());

    let path = format!("/ui-api/layout/Account?layoutType=Full&mode=Edit&recordTypeId={household}");
    let layout = client.get(&path).json;
    let row = &layout["sections"][0]["layoutRows"][0]["layoutItems"];
    assert_eq!(row[0]["layoutComponents"][0]["apiName"], "Name");
    assert_eq!(row[0]["editableForNew"], json!(true));
    let wrong = client.get("/ui-api/layout/Account?mode=Nope");
    assert_eq!(wrong.codes(), ["ILLEGAL_QUERY_PARAMETER_VALUE"]);
    assert_eq!(
        client.get("/ui-api/object-info/Nope__c").codes(),
        ["INVALID_TYPE"]
    );
    assert_eq!(client.get("/ui-api/nope").status, 404);
}

/// The list view whose results were recorded.
fn recorded_list(sandbox: &Sandbox) -> String {
    let view = ListViewDef::new("MyAccounts", "My Accounts")
        .scope("mine")
        .columns([
            "Name",
            "Site",
            "BillingState",
            "Phone",
            "Type",
            "Owner.Alias",
        ])
        .order("Name", false);
    sandbox.with_org(|org| org.define_list_view("Account", view))
}

#[test]
fn the_results_of_a_list_view_are_shaped_as_recorded() {
    let client = client();
    let id = recorded_list(&client.sandbox);
    client.create("Account", json!({"Name": "0 Burlington", "Type": "Other"}));
    let ours = client
        .get(&format!("/sobjects/Account/listviews/{id}/results?limit=1"))
        .json;
    let recorded: Value =
        serde_json::from_str(&std::fs::read_to_string(RECORDED).unwrap()).unwrap();
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&ours), keys(&recorded));
    for (column, expected) in ours["columns"]
        .as_array()
        .unwrap()
        .iter()
        .zip(recorded["columns"].as_array().unwrap())
    {
        let mut expected = expected.clone();
        // A custom label of the object, and how an owner's alias is called, are an org's own.
        expected["label"] = column["label"].clone();
        assert_eq!(*column, expected);
    }
    assert_eq!(
        ours["columns"].as_array().unwrap().len(),
        recorded["columns"].as_array().unwrap().len()
    );
    let paths = |value: &Value| -> Vec<Value> {
        let cells = value["records"][0]["columns"].as_array().unwrap().iter();
        cells.map(|cell| cell["fieldNameOrPath"].clone()).collect()
    };
    assert_eq!(paths(&ours), paths(&recorded));
    let cell = |at: usize| {
        ours["records"][0]["columns"][at]["value"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(cell(0), "0 Burlington");
    assert_eq!(cell(7), "Mon Mar 02 09:00:00 GMT 2026");
    assert_eq!(
        (&ours["size"], &ours["developerName"]),
        (&json!(1), &json!("MyAccounts"))
    );
}

#[test]
fn a_list_view_is_described_by_a_query_that_can_be_run() {
    let client = client();
    let view = ListViewDef::new("Warm", "Warm ones")
        .columns(["Name", "Type", "Owner.Alias"])
        .condition(ListCondition::All(vec![
            ListCondition::test("Rating", "equals", "'Warm'"),
            ListCondition::Not(Box::new(ListCondition::test("Name", "like", "'A%'"))),
            ListCondition::Any(vec![
                ListCondition::test("AnnualRevenue", "greaterThan", "5"),
                ListCondition::test("CreatedDate", "equals", "THIS_YEAR"),
            ]),
        ]))
        .order("AnnualRevenue", true);
    client
        .sandbox
        .with_org(|org| org.define_list_view("Account", view));
    let all = client.get("/sobjects/Account/listviews").json;
    assert_eq!(all["size"], json!(1));
    let brief = &all["listviews"][0];
    assert_eq!(
        (&brief["developerName"], &brief["label"]),
        (&json!("Warm"), &json!("Warm ones"))
    );
    assert_eq!(brief["id"].as_str().unwrap().len(), 18);
    let path = brief["describeUrl"].as_str().unwrap();
    let answer = send(
        &client.sandbox,
        Request::new("GET", path).bearer(&client.token),
    );
    let describe = answer.json;
    assert_eq!(describe["id"].as_str().unwrap().len(), 15);
    assert_eq!(describe["whereCondition"]["conjunction"], "and");
    assert_eq!(
        describe["whereCondition"]["conditions"][1]["condition"]["operator"],
        "like"
    );
    let query = describe["query"].as_str().unwrap();
    assert!(
        query.starts_with("SELECT name, tolabel(type), owner.alias, id, createddate, "),
        "{query}"
    );
    assert!(
        query.ends_with("ORDER BY AnnualRevenue DESC NULLS LAST, Id ASC NULLS FIRST"),
        "{query}"
    );
    let encoded: String = query
        .chars()
        .map(|c| if c == ' ' { '+' } else { c })
        .collect();
    let run = client.get(&format!("/query?q={}", encoded.replace('%', "%25")));
    assert_eq!(run.status, 200, "{run:?}");

    client
        .sandbox
        .with_org(|org| org.rename_list_view("Account", "Warm", "Hot"));
    assert_eq!(
        client.get("/sobjects/Account/listviews").json["listviews"][0]["developerName"],
        "Hot"
    );
    client
        .sandbox
        .with_org(|org| org.remove_list_view("Account", "Hot"));
    assert_eq!(
        client
            .get(&format!(
                "/sobjects/Account/listviews/{}",
                describe["id"].as_str().unwrap()
            ))
            .status,
        404
    );
    assert_eq!(
        client.get("/sobjects/Account/listviews/x/describe").status,
        404
    );
}

#[test]
fn recents_are_those_seen_by_page_or_by_api() {
    let client = client();
    let (first, second) = (client.account("First"), client.account("Second"));
    let contact = client.create("Contact", json!({"LastName": "L"}));
    let user = client.user.clone();
    client.sandbox.with_org(|org| org.look(&user, &first));
    let names = |path: &str| -> Vec<String> {
        let answer = client.get(path).json;
        let rows = answer
            .as_array()
            .or(answer["recentItems"].as_array())
            .unwrap()
            .clone();
        rows.iter()
            .map(|row| row["Id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("/recent"), [first.clone(), contact, second.clone()]);
    assert_eq!(names("/recent?limit=1"), std::slice::from_ref(&first));
    assert_eq!(names("/sobjects/Account"), [first, second.clone()]);
    client.delete(&format!("/sobjects/Account/{second}"));
    assert!(!names("/recent").contains(&second));
}

#[test]
fn recents_of_an_object_are_bounded() {
    let client = client();
    let user = client.user.clone();
    let ids: Vec<String> = (0..205)
        .map(|nr| client.account(&format!("A{nr}")))
        .collect();
    let contact = client.create("Contact", json!({"LastName": "L"}));
    client.sandbox.with_org(|org| org.look(&user, &ids[0]));
    let per_object = client.get("/sobjects/Account").json["recentItems"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(per_object, 200);
    assert_eq!(client.get("/recent").json.as_array().unwrap().len(), 200);
    assert_eq!(
        client.get("/sobjects/Contact").json["recentItems"][0]["Id"],
        json!(contact)
    );
}

#[test]
fn the_list_views_opened_last_come_first_and_those_never_opened_not_at_all() {
    let client = client();
    let ids: Vec<String> = ["One", "Two", "Three"]
        .into_iter()
        .map(|name| {
            let view = ListViewDef::new(name, name);
            client
                .sandbox
                .with_org(|org| org.define_list_view("Account", view))
        })
        .collect();
    let recent = || -> Vec<Value> {
        let listed = client.get("/sobjects/Account/listviews/recent").json;
        let views = listed["listviews"].as_array().unwrap().iter();
        assert_eq!(listed["size"], json!(views.len()));
        views.map(|view| view["developerName"].clone()).collect()
    };
    assert_eq!(recent(), [""; 0]);
    for id in [&ids[0], &ids[2], &ids[0]] {
        let path = format!("/sobjects/Account/listviews/{id}/results");
        assert_eq!(client.get(&path).status, 200);
    }
    assert_eq!(recent(), ["One", "Three"]);
    // A describe opens nothing, and what is removed is forgotten.
    client.get(&format!("/sobjects/Account/listviews/{}/describe", ids[1]));
    client
        .sandbox
        .with_org(|org| org.remove_list_view("Account", "One"));
    assert_eq!(recent(), ["Three"]);
    let others = Client::of(&client.sandbox, 1);
    let theirs = others.get("/sobjects/Account/listviews/recent").json;
    assert_eq!(theirs["size"], json!(0));
}
