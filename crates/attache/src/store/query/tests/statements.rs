//! What statements give.

use super::*;

#[test]
fn a_missing_parent_reads_as_null_and_its_checkbox_as_false() {
    let store = family();
    assert_eq!(store.finds("Parent.Name = null"), "a");
    assert_eq!(store.finds("Parent.Name != 'Acme'"), "ac");
    assert_eq!(store.finds("Parent.Active__c = false"), "ac");
    assert_eq!(
        store.finds("Parent.Parent.Name = 'acme' OR Name = 'Acme'"),
        "ac"
    );
    assert_eq!(
        store.finds(&format!("Parent.Id = '{}'", id("001", 'a'))),
        "b"
    );
    let rows = store
        .query("SELECT name, parent.name, Parent.Active__c FROM account ORDER BY Name")
        .unwrap();
    assert_eq!(
        rows[0].columns(),
        ["Name", "Parent.Name", "Parent.Active__c"]
    );
    assert_eq!(rows[0].get("Parent.Name"), Some(&Value::Null));
    assert_eq!(
        rows[0].get("Parent.Active__c"),
        Some(&Value::Boolean(false))
    );
    assert_eq!(rows[1].get("PARENT.NAME"), Some(&Value::from("Acme")));
}

#[test]
fn semi_joins_and_anti_joins_look_at_another_object() {
    let store = family();
    assert_eq!(store.finds("Id IN (SELECT AccountId FROM Contact)"), "a");
    assert_eq!(
        store.finds("Id NOT IN (SELECT AccountId FROM Contact)"),
        "bc"
    );
    assert_eq!(
        store.finds("Id IN (SELECT c.AccountId FROM Contact c WHERE c.Account.Name = 'acme')"),
        "a"
    );
    assert_eq!(
        store.finds("ParentId NOT IN (SELECT AccountId FROM Contact WHERE Name = 'Xenia')"),
        "ac"
    );
}

#[test]
fn a_child_subquery_gives_rows_in_a_row() {
    let store = family();
    let rows = store
        .query("SELECT Name, (SELECT Name, Account.Name FROM Contacts), (SELECT Id, (SELECT Id FROM ChildAccounts) FROM ChildAccounts) FROM Account ORDER BY Name")
        .unwrap();
    let contacts = rows[0].children("contacts").unwrap();
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].get("Account.Name"), Some(&Value::from("Acme")));
    let below = rows[0].children("ChildAccounts").unwrap();
    assert_eq!(letters(below), ["b"]);
    assert_eq!(letters(below[0].children("ChildAccounts").unwrap()), ["c"]);
    assert!(rows[1].children("Contacts").unwrap().is_empty());
    assert_eq!(rows[0].get("Contacts"), None);
}

#[test]
fn a_polymorphic_parent_has_name_type_and_typed_fields() {
    let store = family();
    store.put(
        "Task",
        &[
            ("Id", id("00T", 'a').into()),
            ("WhatId", id("001", 'a').into()),
            ("WhoId", id("003", 'x').into()),
        ],
    );
    store.put(
        "Task",
        &[
            ("Id", id("00T", 'b').into()),
            ("WhatId", id("500", 'q').into()),
        ],
    );
    store.put("Task", &[("Id", id("00T", 'c').into())]);
    let rows = store
        .query("SELECT What.Name, What.Type, Who.Name, What.Id, TYPEOF What WHEN Account THEN Active__c ELSE Id END FROM Task ORDER BY Id")
        .err();
    assert_eq!(
        rows.map(|error| error.to_string()).as_deref(),
        Some("What.Id is selected twice")
    );
    let rows = store
        .query("SELECT What.Type, Who.Name, TYPEOF What WHEN Account THEN Name, Active__c ELSE Id END FROM Task ORDER BY Id")
        .unwrap();
    let shown = |nr: usize| -> Vec<String> {
        let cells = rows[nr].cells().iter();
        cells
            .map(|cell| match cell {
                Cell::Value(value) => value.to_string(),
                Cell::Rows(_) => String::new(),
            })
            .collect()
    };
    assert_eq!(
        rows[0].columns(),
        [
            "What.Type",
            "Who.Name",
            "What.Name",
            "What.Active__c",
            "What.Id"
        ]
    );
    assert_eq!(shown(0), ["Account", "Xenia", "Acme", "true", ""]);
    assert_eq!(shown(1), ["Case", "", "", "", &id("500", 'q')]);
    assert_eq!(shown(2), ["", "", "", "", ""]);
    let found = store
        .query("SELECT Id FROM Task WHERE What.Type IN ('account') AND Who.Name LIKE 'x%'")
        .unwrap();
    assert_eq!(letters(&found), ["a"]);
}

#[test]
fn a_polymorphic_parent_may_be_of_the_same_object() {
    let store = family();
    store.put(
        "Task",
        &[("Id", id("00T", 'a').into()), ("Subject", "Call".into())],
    );
    store.put(
        "Task",
        &[
            ("Id", id("00T", 'b').into()),
            ("Subject", "Mail".into()),
            ("AboveId", id("00T", 'a').into()),
        ],
    );
    let filter = Filter::parse("Above.Name = 'call' AND Above.Type = 'Task'").unwrap();
    let (sql, params) = where_sql("Task", &filter, &store, &store.context).unwrap();
    let sql = format!("SELECT substr(\"Id\", 15, 1) FROM \"Task\" WHERE {sql}");
    let found: String = store
        .connection
        .query_row(&sql, params_from_iter(params), |row| row.get(0))
        .unwrap();
    assert_eq!(found, "b");
}

#[test]
fn aliases_stand_for_the_object_and_for_paths() {
    let store = family();
    let rows = store
        .query("SELECT c.Name, a.Name FROM Contact c, c.Account a WHERE a.Name = 'Acme'")
        .unwrap();
    assert_eq!(rows[0].columns(), ["Name", "Account.Name"]);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        store.column("SELECT Account.Name FROM Account WHERE Account.Name = 'beta'"),
        ["Beta"]
    );
}

#[test]
fn counting_counts_and_grouping_groups() {
    let store = store();
    store.accounts("Rating", &texts(&["Warm", "warm", "Hot", "Odd", ""]));
    assert_eq!(
        store.column("SELECT COUNT() FROM Account WHERE Rating != 'hot'"),
        ["4"]
    );
    assert_eq!(store.column("SELECT COUNT() FROM Account LIMIT 2"), ["2"]);
    assert_eq!(store.column("SELECT COUNT(Rating) FROM Account"), ["4"]);
    assert_eq!(
        store.column("SELECT COUNT_DISTINCT(Rating) FROM Account"),
        ["3"]
    );
    assert_eq!(store.column("SELECT MIN(Rating) FROM Account"), ["Hot"]);
    assert_eq!(store.column("SELECT MAX(Rating) FROM Account"), ["Odd"]);
    let last = id("001", 'e');
    assert_eq!(store.column("SELECT MAX(Id) FROM Account"), [last]);
    let rows = store
        .query("SELECT Rating, COUNT(Id) n, COUNT(Rating) FROM Account GROUP BY Rating HAVING COUNT(Id) < 9 ORDER BY COUNT(Id) DESC, Rating NULLS LAST")
        .unwrap();
    assert_eq!(rows[0].columns(), ["Rating", "n", "expr0"]);
    let shown: Vec<String> = rows
        .iter()
        .map(|row| format!("{}={}", row.get("rating").unwrap(), row.get("n").unwrap()))
        .collect();
    assert_eq!(shown, ["Warm=2", "Hot=1", "Odd=1", "=1"]);
    assert_eq!(rows[0].id(), None);
}

#[test]
fn a_picklist_sorts_in_its_own_order() {
    let store = store();
    store.accounts("Rating", &texts(&["Cold", "Hot", "", "Warm", "Odd"]));
    let order = |soql: &str| letters(&store.query(soql).unwrap()).concat();
    assert_eq!(order("SELECT Id FROM Account ORDER BY Rating"), "cbdae");
    assert_eq!(
        order("SELECT Id FROM Account ORDER BY Rating DESC NULLS LAST"),
        "eadbc"
    );
}

#[test]
fn field_sets_expand_to_what_is_carried() {
    let store = store();
    store.accounts("Name", &texts(&["x"]));
    let columns = |soql: &str| store.query(soql).unwrap()[0].columns().to_vec();
    let standard = columns("SELECT FIELDS(STANDARD) FROM Account");
    let names = ["Id", "Name", "Rating", "CreatedDate", "OwnerId", "ParentId"];
    assert_eq!(standard, names);
    let custom = columns("SELECT FIELDS(CUSTOM) FROM Account");
    assert!(custom.iter().all(|name| name.contains("__")), "{custom:?}");
    let mut all = columns("SELECT FIELDS(ALL) FROM Account LIMIT 200");
    let mut both = [standard, custom].concat();
    all.sort();
    both.sort();
    assert_eq!(all, both);
    let children = "SELECT Id, (SELECT FIELDS(STANDARD) FROM ChildAccounts) FROM Account";
    assert_eq!(columns(children), ["Id", "ChildAccounts"]);
    let (kind, message) = store.fails("SELECT Name, FIELDS(ALL) FROM Account");
    assert_eq!(
        (kind, message.as_str()),
        (ErrorKind::MalformedQuery, "Name is selected twice")
    );
}

#[test]
fn a_distance_is_measured_on_the_globe() {
    let store = store();
    let place = |tail, lat: &str, lon: &str| {
        store.put(
            "Account",
            &[
                ("Id", id("001", tail).into()),
                ("Place__Latitude__s", number(lat)),
                ("Place__Longitude__s", number(lon)),
            ],
        );
    };
    place('a', "48.8566", "2.3522");
    place('b', "52.52", "13.405");
    assert_eq!(
        store.finds("DISTANCE(Place__c, GEOLOCATION(51.5074, -0.1278), 'km') < 400"),
        "a"
    );
    let rows = store.query("SELECT DISTANCE(Place__c, GEOLOCATION(52.52, 13.405), 'km') FROM Account ORDER BY DISTANCE(Place__c, GEOLOCATION(52.52, 13.405), 'km')").unwrap();
    assert_eq!(letters(&rows).concat(), "ba");
}

#[test]
fn the_scope_mine_is_what_the_user_owns() {
    let store = store();
    store.accounts("OwnerId", &[id("005", 'u').into(), id("005", 'v').into()]);
    assert_eq!(
        letters(
            &store
                .query("SELECT Id FROM Account USING SCOPE mine")
                .unwrap()
        ),
        ["a"]
    );
    assert_eq!(
        store
            .query("SELECT Id FROM Account USING SCOPE Everything")
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        store.fails("SELECT Id FROM Account USING SCOPE team").0,
        ErrorKind::InvalidArgument
    );
}

#[test]
fn a_label_stands_for_the_value_of_a_picklist() {
    let store = store();
    store.accounts("Rating", &texts(&["hot", "Warm", "of old", ""]));
    let labels = "SELECT toLabel(Rating) FROM Account ORDER BY Id";
    assert_eq!(store.column(labels), ["Heiß", "Warm", "of old", ""]);
    assert_eq!(store.finds("toLabel(Rating) = 'heiß'"), "a");
    assert_eq!(store.finds("toLabel(Rating) LIKE 'o%'"), "c");
    assert_eq!(store.finds("toLabel(Rating) = null"), "d");
    let grouped =
        "SELECT toLabel(Rating) l, COUNT(Id) FROM Account WHERE Rating = 'Hot' GROUP BY Rating";
    assert_eq!(store.column(grouped), ["Heiß"]);
    let both = store.query("SELECT Rating, toLabel(Rating) shown FROM Account LIMIT 1");
    let row = &both.expect("an alias tells them apart")[0];
    assert_eq!(row.columns(), ["Rating", "shown"]);
    assert_eq!(
        store.fails("SELECT Rating, toLabel(Rating) FROM Account").0,
        ErrorKind::MalformedQuery
    );
    assert_eq!(
        store.fails("SELECT toLabel(Regions__c) FROM Account").0,
        ErrorKind::MalformedQuery
    );
    assert_eq!(
        store.fails("SELECT toLabel(Revenue__c) FROM Account").0,
        ErrorKind::MalformedQuery
    );
}

#[test]
fn a_long_list_is_not_too_deep_for_sqlite() {
    let store = store();
    store.accounts("Name", &texts(&["x"]));
    let tests: Vec<String> = (0..3_000).map(|n| format!("Name = 'n{n}'")).collect();
    assert_eq!(
        store.finds(&format!("{} OR Name = 'x'", tests.join(" OR "))),
        "a"
    );
    let nots = format!("{}Name = 'y'", "NOT ".repeat(60));
    assert_eq!(store.finds(&nots), "");
}

#[test]
fn an_equality_and_a_prefix_use_an_index() {
    let store = store();
    let account = store.schema.object("Account").unwrap();
    for field in ["Name", "Revenue__c", "Renewal__c", "ParentId"] {
        let term = index_term(account.field(field).unwrap());
        let sql = format!("CREATE INDEX \"{field}\" ON \"Account\" ({term})");
        store.connection.execute_batch(&sql).unwrap();
    }
    for soql in [
        "SELECT Id FROM Account WHERE Name = 'x'",
        "SELECT Id FROM Account WHERE Name LIKE 'x%'",
        "SELECT Id FROM Account WHERE Name IN ('x', 'y')",
        "SELECT Id FROM Account WHERE Revenue__c > 5",
        "SELECT Id FROM Account WHERE Revenue__c = 5.5",
        "SELECT Id FROM Account WHERE Renewal__c = THIS_MONTH",
        "SELECT Id FROM Account WHERE Parent.Id = '001000000000001'",
        "SELECT Id FROM Account ORDER BY Revenue__c LIMIT 50",
        "SELECT Id FROM Account ORDER BY Revenue__c DESC NULLS LAST LIMIT 50",
        "SELECT Id FROM Account ORDER BY Revenue__c DESC LIMIT 50",
        "SELECT Id FROM Account ORDER BY Name DESC LIMIT 50",
        "SELECT Id FROM Account ORDER BY Name LIMIT 50",
    ] {
        let compiled = compile(&Select::parse(soql).unwrap(), &store, &store.context).unwrap();
        let plan = explain(&store.connection, &compiled).unwrap();
        assert!(
            plan.contains("USING INDEX") || plan.contains("USING COVERING INDEX"),
            "{soql}\n{plan}"
        );
    }
}

#[test]
fn a_compiled_query_knows_what_it_reads() {
    let store = store();
    for (soql, objects) in [
        ("SELECT Id, Parent.Id FROM Account", "Account"),
        (
            "SELECT Id, (SELECT Account.Name FROM Contacts) FROM Account",
            "Account Contact",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)",
            "Account Contact",
        ),
        (
            "SELECT What.Name, Who.Name FROM Task",
            "Account Contact Task",
        ),
        (
            "SELECT TYPEOF What WHEN Account THEN Name END FROM Task",
            "Account Task",
        ),
        (
            "SELECT COUNT() FROM Contact WHERE Account.Name = 'x'",
            "Account Contact",
        ),
    ] {
        let compiled = compile(&Select::parse(soql).unwrap(), &store, &store.context).unwrap();
        assert_eq!(compiled.objects().join(" "), objects, "{soql}");
    }
}

#[test]
fn roll_ups_and_cubes_add_subtotals() {
    let store = store();
    for (tail, rating, active, revenue) in [
        ('a', "Hot", true, "1"),
        ('b', "hot", false, "2"),
        ('c', "Cold", true, "4.5"),
    ] {
        let id = id("001", tail);
        store.put(
            "Account",
            &[
                ("Id", id.into()),
                ("Rating", rating.into()),
                ("Active__c", active.into()),
                ("Revenue__c", number(revenue)),
            ],
        );
    }
    let shown = |soql: &str| -> Vec<String> {
        let rows = store
            .query(soql)
            .unwrap_or_else(|error| panic!("{soql}: {error}"));
        let cell = |cell: &Cell| match cell {
            Cell::Value(value) => value.to_string(),
            Cell::Rows(_) => String::new(),
        };
        rows.iter()
            .map(|row| row.cells().iter().map(cell).collect::<Vec<_>>().join("|"))
            .collect()
    };
    let list = "SELECT Rating, Active__c, SUM(Revenue__c), GROUPING(Active__c) g FROM Account";
    assert_eq!(
        shown(&format!(
            "{list} GROUP BY ROLLUP(Rating, Active__c) ORDER BY Rating NULLS LAST, GROUPING(Active__c), Active__c"
        )),
        [
            "hot|false|2|0",
            "Hot|true|1|0",
            "Hot||3|1",
            "Cold|true|4.5|0",
            "Cold||4.5|1",
            "||7.5|1"
        ]
    );
    assert_eq!(
        shown(&format!(
            "{list} GROUP BY CUBE(Rating, Active__c) HAVING GROUPING(Rating) = 1 ORDER BY SUM(Revenue__c)"
        )),
        ["|false|2|0", "|true|5.5|0", "||7.5|1"]
    );
}

#[test]
fn the_describes_of_a_real_org_compile() {
    struct All(Schema);
    impl Tables for All {
        fn schema(&self) -> &Schema {
            &self.0
        }
        fn has(&self, object: &str, field: &str) -> bool {
            let object = self.0.object(object);
            object
                .and_then(|object| object.field(field))
                .is_some_and(|field| field.field_type.is_stored())
        }
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/describe");
    let mut schema = Schema::default();
    for name in ["Account", "Contact", "Opportunity", "Lead", "Event"] {
        let json = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
        schema.insert(ObjectSchema::from_describe(&json).unwrap());
    }
    let context = store().context;
    let tables = All(schema);
    for soql in [
        "SELECT FIELDS(ALL) FROM Account",
        "SELECT Id, Name, (SELECT Id, Email FROM Contacts), (SELECT Amount FROM Opportunities) FROM Account WHERE OwnerId = '005000000000001' ORDER BY Name",
        "SELECT Name, Account.Name FROM Opportunity WHERE CloseDate = NEXT_N_DAYS:90 AND IsClosed = false ORDER BY Amount DESC",
        "SELECT Subject, What.Name, Who.Type, TYPEOF Who WHEN Contact THEN Email WHEN Lead THEN Company END FROM Event WHERE StartDateTime = THIS_WEEK",
        "SELECT StageName, SUM(Amount), COUNT(Id) FROM Opportunity GROUP BY StageName ORDER BY StageName",
        "SELECT Id, DISTANCE(BillingAddress, GEOLOCATION(48.1, 11.6), 'km') FROM Account",
    ] {
        let result = compile(&Select::parse(soql).unwrap(), &tables, &context);
        assert!(result.is_ok(), "{soql}: {}", result.unwrap_err());
    }
}
