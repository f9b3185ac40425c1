//! The `usersyncs.json` and `userstore.json` of MobileSync.

use super::{BriefcaseImport, Notes, cannot_read, check_size, finish, query, rule_of_query};
use crate::briefcase::Briefcase;
use crate::briefcase::document::{
    Document, FieldsOf, ObjectOptions, RECENT_LIMIT, Recent, RelatedPath, RelatedRule, TopRule,
    Written,
};
use crate::briefcase::tree::is_api_name;
use crate::error::Result;
use crate::filter::ast::{Expr, Item};
use crate::filter::{Filter, Select};
use crate::merge::{MergePolicy, Policy};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Syncs {
    syncs: Vec<Sync>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sync {
    sync_name: Option<String>,
    sync_type: String,
    #[serde(default)]
    soup_name: String,
    #[serde(default)]
    target: Map<String, Value>,
    #[serde(default)]
    options: Map<String, Value>,
}

#[derive(Deserialize)]
struct Soups {
    soups: Vec<Soup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Soup {
    soup_name: String,
}

/// Members of a target that say nothing which the engine needs to be told.
const UNDERSTOOD: [&str; 22] = [
    "type",
    "query",
    "sobjectType",
    "objectType",
    "object",
    "soupName",
    "fieldlist",
    "fieldList",
    "parent",
    "children",
    "parentFieldlist",
    "childrenFieldlist",
    "parentSoqlFilter",
    "relationshipType",
    "infos",
    "iOSImpl",
    "androidImpl",
    "AndroidImpl",
    "maxBatchSize",
    "countIdsPerSoql",
    "createFieldlist",
    "updateFieldlist",
];

impl Briefcase {
    /// Makes a briefcase of the `usersyncs.json` (or `globalsyncs.json`) of a MobileSync app, and of its
    /// `userstore.json` if it is given.
    ///
    /// A `soql` target becomes a rule, `parent_children` a rule with a related one, `mru` recently
    /// viewed records; lists of fields are joined by object. An `externalIdFieldName` becomes the client key of
    /// its object, and a sync-up that overwrites becomes the merge policy `local`. What a device does on its
    /// own here (refreshing what it has, describes, deletions) and what has no counterpart (SOSL, custom
    /// targets, layouts) is told in the notes.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for what is no such file. A query that cannot be read leaves its
    /// rule out and is noted.
    ///
    /// # Examples
    /// ```
    /// use attache::Briefcase;
    ///
    /// let import = Briefcase::from_mobile_sync(r#"{"syncs": [
    ///   {"syncName": "accountsDown", "syncType": "syncDown", "soupName": "accounts",
    ///    "target": {"type": "soql", "query": "SELECT Id, Name, Phone FROM Account WHERE Rating = 'Hot'"},
    ///    "options": {"mergeMode": "LEAVE_IF_CHANGED"}},
    ///   {"syncName": "accountsUp", "syncType": "syncUp", "soupName": "accounts",
    ///    "target": {"externalIdFieldName": "Key__c"}, "options": {"fieldlist": ["Name", "Phone"], "mergeMode": "LEAVE_IF_CHANGED"}}
    /// ]}"#, None)?;
    /// let json = import.briefcase.to_json();
    /// assert!(json.contains(r#""where": "Rating = 'Hot'""#) && json.contains(r#""client_key": "Key__c""#));
    /// # Ok::<(), attache::Error>(())
    /// ```
    ///
    /// # Source
    /// The sync and store configuration files in the Mobile SDK Development Guide.
    pub fn from_mobile_sync(usersyncs: &str, userstore: Option<&str>) -> Result<BriefcaseImport> {
        check_size(usersyncs, "usersyncs.json")?;
        let syncs: Syncs = serde_json::from_str(usersyncs)
            .map_err(|error| cannot_read("usersyncs.json", error))?;
        let mut reader = Reader::default();
        let (down, up): (Vec<&Sync>, Vec<&Sync>) = syncs
            .syncs
            .iter()
            .partition(|sync| sync.sync_type.eq_ignore_ascii_case("syncDown"));
        down.iter().for_each(|sync| reader.down(sync));
        up.iter().for_each(|sync| reader.up(sync));
        if let Some(userstore) = userstore {
            check_size(userstore, "userstore.json")?;
            let soups: Soups = serde_json::from_str(userstore)
                .map_err(|error| cannot_read("userstore.json", error))?;
            for soup in soups
                .soups
                .iter()
                .filter(|soup| !reader.soups.contains_key(&soup.soup_name))
            {
                reader.notes.add(format!(
                    "the soup {:?} holds nothing that a sync brings: data of the app's own stays with the app",
                    soup.soup_name
                ));
            }
        }
        finish(reader.document(), reader.notes)
    }
}

#[derive(Default)]
struct Reader {
    notes: Notes,
    rules: Vec<TopRule>,
    recent: BTreeSet<String>,
    /// The object that each soup holds.
    soups: BTreeMap<String, String>,
    /// By object: the fields that any sync reads; `None`: one of them could not be told.
    fields: BTreeMap<String, Option<Vec<String>>>,
    options: BTreeMap<String, ObjectOptions>,
}

impl Reader {
    fn document(&mut self) -> Document {
        for (object, fields) in std::mem::take(&mut self.fields) {
            self.options.entry(object).or_default().fields =
                fields.map_or(FieldsOf::All, FieldsOf::These);
        }
        Document {
            objects: std::mem::take(&mut self.options),
            recent: Some(Recent {
                objects: std::mem::take(&mut self.recent).into_iter().collect(),
                limit: RECENT_LIMIT,
            })
            .filter(|recent| !recent.objects.is_empty()),
            rules: std::mem::take(&mut self.rules),
            ..Document::default()
        }
    }

    /// A name for people that no rule has yet.
    fn name(&self, sync: &Sync) -> String {
        let wish = sync
            .sync_name
            .clone()
            .unwrap_or_else(|| sync.soup_name.clone());
        let taken = |name: &str| {
            let mut names = self.rules.iter().filter_map(|rule| rule.name.as_ref());
            names.any(|own| own.eq_ignore_ascii_case(name))
        };
        let more = (2..).map(|nr| format!("{wish} ({nr})"));
        let mut names = std::iter::once(wish.clone()).chain(more);
        names
            .find(|name| !name.trim().is_empty() && !taken(name))
            .unwrap_or(wish)
    }

    fn down(&mut self, sync: &Sync) {
        let name = self.name(sync);
        let target = &sync.target;
        let kind = text(target, "type").unwrap_or(if target.contains_key("query") {
            "soql"
        } else {
            "custom"
        });
        match kind {
            // A search is a query to those who wrote the documentation, too.
            "soql" if text(target, "query").is_some_and(|query| !is_search(query)) => {
                self.soql(sync, &name)
            }
            "parent_children" => self.parent_children(sync, &name),
            "mru" => self.recent(sync, &name),
            "refresh" => {
                if let Some(object) = self.object(sync) {
                    self.carry(&object, list(target, "fieldlist"));
                }
                self.notes.add(format!("{name:?}: a refresh of what is on the device needs no rule: every session does it"));
            }
            "briefcase" => self.briefcase(target, &name),
            "metadata" => self.notes.add(format!(
                "{name:?}: describes need no rule: every session keeps them up to date"
            )),
            "layout" => self
                .notes
                .add(format!("{name:?} is left out: layouts are not carried")),
            "sosl" | "soql" => self.notes.add(format!(
                "{name:?} is left out: what a search finds is no rule; write its condition in SOQL"
            )),
            other => self.notes.add(format!(
                "{name:?} is left out: a target of type {other:?} is code of the app"
            )),
        }
        let odd =
            |key: &str, usual: &[&str]| text(target, key).is_some_and(|own| !usual.contains(&own));
        if odd("idFieldName", &["Id"])
            || odd(
                "modificationDateFieldName",
                &["LastModifiedDate", "SystemModstamp"],
            )
        {
            self.notes.add(format!("{name:?}: records are known by Id and followed by SystemModstamp; the field names are left out"));
        }
        if text(&sync.options, "mergeMode") == Some("OVERWRITE") {
            self.notes.add("syncs down with the merge mode OVERWRITE: a session never overwrites an edit that was not sent");
        }
        self.unknown(target, &name);
    }

    fn soql(&mut self, sync: &Sync, name: &str) {
        let soql = text(&sync.target, "query").unwrap_or_default();
        let made = query(soql)
            .and_then(|select| Ok((rule_of_query(&select, name, &mut self.notes)?, select)));
        let (rule, select) = match made {
            Ok(made) => made,
            Err(error) => {
                self.notes.add(format!(
                    "{name:?} is left out: its query cannot be carried over: {error}"
                ));
                return;
            }
        };
        let fields = Select::parse(soql)
            .is_ok()
            .then(|| self.selected(&select, name));
        if fields.is_none() {
            self.notes.add(format!("{name:?}: the list of fields uses functions and cannot be read; all fields are carried"));
        }
        self.soups
            .insert(sync.soup_name.clone(), rule.object.clone());
        self.carry(&rule.object.clone(), fields.flatten());
        self.rules.push(rule);
    }

    /// The fields that a query selects; `None`: all.
    fn selected(&mut self, select: &Select, name: &str) -> Option<Vec<String>> {
        let mut fields = Vec::new();
        for item in &select.statement().items {
            match item {
                Item::Expr(Expr::Field(path), _) => match path.steps.as_slice() {
                    [field] => fields.push(field.clone()),
                    [relation, ..] => self.notes.add(format!(
                        "{name:?}: {path} is a field of another record; add a related rule for {relation}"
                    )),
                    [] => {}
                },
                Item::Expr(..) => self.notes.add(format!("{name:?}: a field that the query computes is left out")),
                Item::Fields(..) => return None,
                Item::Children(children) => self.notes.add(format!(
                    "{name:?}: the subquery on {} is left out; add a related rule for these records",
                    children.object
                )),
                Item::TypeOf(_) => self.notes.add(format!("{name:?}: the TYPEOF is left out; add a related rule for its records")),
            }
        }
        Some(fields)
    }

    fn parent_children(&mut self, sync: &Sync, name: &str) {
        let target = &sync.target;
        let side = |key: &str, member: &str| {
            target
                .get(key)
                .and_then(|side| side.get(member))
                .and_then(Value::as_str)
        };
        let (Some(parent), Some(child), Some(field)) = (
            side("parent", "sobjectType"),
            side("children", "sobjectType"),
            side("children", "parentIdFieldName"),
        ) else {
            self.notes.add(format!(
                "{name:?} is left out: it does not name its parent, its children and their field"
            ));
            return;
        };
        let condition = text(target, "parentSoqlFilter").filter(|text| !text.trim().is_empty());
        let filter = match condition.map(Filter::parse).transpose() {
            Ok(filter) => filter.map(|filter| Written {
                filter,
                as_rows: false,
            }),
            Err(error) => {
                self.notes.add(format!(
                    "{name:?} is left out: its filter cannot be carried over: {error}"
                ));
                return;
            }
        };
        for (key, object) in [("parent", parent), ("children", child)] {
            let soup = side(key, "soupName").unwrap_or(&sync.soup_name);
            self.soups.insert(soup.to_owned(), object.to_owned());
        }
        self.carry(parent, list(target, "parentFieldlist"));
        self.carry(child, list(target, "childrenFieldlist"));
        self.rules.push(TopRule {
            name: Some(name.to_owned()),
            object: parent.to_owned(),
            filter,
            related: vec![RelatedRule {
                path: RelatedPath::Children {
                    object: child.to_owned(),
                    field: field.to_owned(),
                },
                optional: false,
                filter: None,
                related: Vec::new(),
            }],
            ..TopRule::default()
        });
    }

    fn recent(&mut self, sync: &Sync, name: &str) {
        let Some(object) = self.object(sync) else {
            self.notes
                .add(format!("{name:?} is left out: it names no object"));
            return;
        };
        self.carry(
            &object,
            list(&sync.target, "fieldlist").or_else(|| list(&sync.target, "fieldList")),
        );
        self.recent.insert(object);
    }

    fn briefcase(&mut self, target: &Map<String, Value>, name: &str) {
        for info in target
            .get("infos")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
        {
            if let Some(object) = text(info, "sobjectType") {
                self.carry(object, list(info, "fieldlist"));
                let soup = text(info, "soupName").unwrap_or(object);
                self.soups.insert(soup.to_owned(), object.to_owned());
            }
        }
        self.notes.add(format!(
            "{name:?}: which records it takes stands in the org's Briefcase Builder: import its .briefcaseDefinition"
        ));
    }

    fn up(&mut self, sync: &Sync) {
        let name = sync.sync_name.as_deref().unwrap_or(&sync.soup_name);
        let key = text(&sync.target, "externalIdFieldName")
            .or_else(|| text(&sync.options, "externalIdFieldName"));
        let overwrites = text(&sync.options, "mergeMode").unwrap_or("OVERWRITE") == "OVERWRITE";
        let Some(object) = self
            .soups
            .get(&sync.soup_name)
            .cloned()
            .or_else(|| self.object(sync))
        else {
            self.notes.add(format!(
                "{name:?} is left out: no sync says which object the soup {:?} holds",
                sync.soup_name
            ));
            return;
        };
        let options = self.options.entry(object.clone()).or_default();
        if let Some(key) = key {
            options.client_key = Some(key.to_owned());
        }
        if overwrites {
            options.merge = Some(MergePolicy::new(Policy::Local));
            self.notes.add(format!(
                "{object}: what both sides changed is decided for the device, as the merge mode OVERWRITE did; fields that only the server changed stay as it has them"
            ));
        } else {
            self.notes.add(format!(
                "{object}: what both sides changed becomes a conflict that a person sees, where LEAVE_IF_CHANGED left it unsent without a word"
            ));
        }
        if list(&sync.target, "createFieldlist")
            .or(list(&sync.target, "updateFieldlist"))
            .or(list(&sync.options, "fieldlist"))
            .is_some()
        {
            self.notes.add(
                "lists of fields to send are left out: what was edited is sent, and nothing else",
            );
        }
        if text(&sync.target, "type")
            .is_some_and(|kind| kind != "rest" && kind != "parent_children")
        {
            self.notes.add(format!(
                "{name:?}: a sync-up target of its own is code of the app and is left out"
            ));
        }
    }

    fn object(&self, sync: &Sync) -> Option<String> {
        ["sobjectType", "objectType", "object"]
            .iter()
            .find_map(|key| text(&sync.target, key))
            .or_else(|| self.soups.get(&sync.soup_name).map(String::as_str))
            .filter(|name| is_api_name(name))
            .map(str::to_owned)
    }

    /// Joins the fields to carry of an object; `None`: all.
    fn carry(&mut self, object: &str, fields: Option<Vec<String>>) {
        let fields = fields.filter(|fields| !fields.is_empty());
        let known = self
            .fields
            .entry(object.to_owned())
            .or_insert_with(|| Some(Vec::new()));
        let (Some(all), Some(fields)) = (known.as_mut(), fields) else {
            *known = None;
            return;
        };
        for field in fields {
            if !is_api_name(&field) {
                self.notes.add(format!(
                    "{object}: {field} is no field of its own and is left out"
                ));
            } else if !all.iter().any(|own| own.eq_ignore_ascii_case(&field)) {
                all.push(field);
            }
        }
    }

    fn unknown(&mut self, target: &Map<String, Value>, name: &str) {
        const NAMES: [&str; 2] = ["idFieldName", "modificationDateFieldName"];
        for key in target.keys() {
            if !UNDERSTOOD.contains(&key.as_str()) && !NAMES.contains(&key.as_str()) {
                self.notes
                    .add(format!("{name:?}: {key} of its target is left out"));
            }
        }
    }
}

fn text<'a>(members: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    members.get(key).and_then(Value::as_str)
}

fn list(members: &Map<String, Value>, key: &str) -> Option<Vec<String>> {
    let list = members.get(key)?.as_array()?.iter();
    Some(list.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Says whether a query is one of the search language.
fn is_search(query: &str) -> bool {
    query
        .trim_start()
        .get(..4)
        .is_some_and(|word| word.eq_ignore_ascii_case("find"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(syncs: &str) -> BriefcaseImport {
        Briefcase::from_mobile_sync(&format!(r#"{{"syncs":[{syncs}]}}"#), None)
            .unwrap_or_else(|e| panic!("{e}: {:?}", e.problems()))
    }

    fn down(target: &str) -> String {
        format!(
            r#"{{"syncName":"down","syncType":"syncDown","soupName":"soup","target":{target},"options":{{"mergeMode":"LEAVE_IF_CHANGED"}}}}"#
        )
    }

    fn json(import: &BriefcaseImport) -> Value {
        serde_json::from_str(&import.briefcase.to_json()).unwrap()
    }

    #[test]
    fn queries_become_rules_and_their_fields_are_joined() {
        let one = down(
            r#"{"type":"soql","query":"select Id, Name from Account where Name like 'A%' order by LastModifiedDate"}"#,
        );
        let two = down(
            r#"{"query":"SELECT Phone, name, Owner.Name FROM Account USING SCOPE mine ORDER BY Name LIMIT 100","maxBatchSize":500}"#,
        );
        let import = import(&format!("{one},{two}"));
        let json = json(&import);
        assert_eq!(
            json["objects"]["Account"]["fields"],
            serde_json::json!(["Id", "Name", "Phone"])
        );
        assert_eq!(json["rules"][0]["where"], "Name LIKE 'A%'");
        assert_eq!(json["rules"][1]["name"], "down (2)");
        assert_eq!(json["rules"][1]["scope"], "mine");
        assert_eq!(json["rules"][1]["order_by"], "Name");
        assert_eq!(import.notes.len(), 2, "{:#?}", import.notes);
    }

    #[test]
    fn a_family_becomes_a_rule_with_a_related_one() {
        let import = import(&down(
            r#"{"type":"parent_children","parent":{"sobjectType":"Account","soupName":"a"},"parentFieldlist":["Id","Name"],
              "children":{"sobjectType":"Contact","soupName":"c","sobjectTypePlural":"Contacts","parentIdFieldName":"AccountId"},"childrenFieldlist":["LastName"],
              "relationshipType":"LOOKUP","parentSoqlFilter":"Name LIKE 'A%' ","idFieldName":"Id"}"#,
        ));
        let json = json(&import);
        assert_eq!(
            json["rules"][0]["related"][0]["children"],
            "Contact.AccountId"
        );
        assert_eq!(json["rules"][0]["where"], "Name LIKE 'A%'");
        assert_eq!(json["objects"]["Contact"]["fields"][0], "LastName");
        assert!(import.notes.is_empty(), "{:?}", import.notes);
    }

    #[test]
    fn recently_viewed_records_are_recents() {
        let import = import(&down(
            r#"{"type":"mru","sobjectType":"Contact","fieldlist":["Name","Account.Name"]}"#,
        ));
        assert_eq!(
            json(&import)["recent"],
            serde_json::json!({"objects": ["Contact"]})
        );
        assert_eq!(import.notes.len(), 1, "{:?}", import.notes);
    }

    #[test]
    fn what_goes_up_becomes_keys_and_policies() {
        let up = r#"{"syncName":"up","syncType":"syncUp","soupName":"soup","target":{"externalIdFieldName":"Key__c","createFieldlist":["Name"]},"options":{"mergeMode":"OVERWRITE"}}"#;
        let import = import(&format!(
            "{up},{}",
            down(r#"{"type":"soql","query":"SELECT FIELDS(ALL) FROM Task__c LIMIT 200"}"#)
        ));
        let json = json(&import);
        assert_eq!(
            json["objects"]["Task__c"],
            serde_json::json!({"client_key": "Key__c", "merge": {"default": "local"}})
        );
        assert_eq!(import.notes.len(), 2, "{:?}", import.notes);
    }

    #[test]
    fn what_has_no_counterpart_is_told() {
        for target in [
            r#"{"type":"sosl","query":"FIND {Joe} IN NAME FIELDS RETURNING Contact(Id)"}"#,
            r#"{"type":"soql","query":"FIND 'Acme' IN ALL FIELDS RETURNING Account(Name)"}"#,
            r#"{"type":"custom","iOSImpl":"MyTarget"}"#,
            r#"{"type":"refresh","sobjectType":"Account","fieldlist":["Name"]}"#,
            r#"{"type":"layout","objectAPIName":"Account"}"#,
            r#"{"type":"metadata"}"#,
            r#"{"type":"briefcase","infos":[{"sobjectType":"Account","fieldlist":["Name"],"soupName":"accounts"}]}"#,
            r#"{"type":"parent_children"}"#,
            r#"{"type":"soql","query":"SELECT COUNT(Id) FROM Account GROUP BY Name"}"#,
            r#"{"type":"soql","query":"SELECT a.Id FROM Account a WHERE a.Name = 'x'"}"#,
            r#"{"type":"soql","query":"SELECT Id FROM Account WHERE Name = 'x"}"#,
            r#"{}"#,
        ] {
            let import = import(&down(target));
            assert!(!import.notes.is_empty(), "{target}");
            assert_eq!(import.briefcase.rules().len(), 0, "{target}");
        }
        let format = import(&down(
            r#"{"type":"soql","query":"select Id, FORMAT(Due__c) from Task__c"}"#,
        ));
        assert_eq!(format.briefcase.rules().len(), 1);
        assert_eq!(format.notes.len(), 1, "{:?}", format.notes);
    }

    #[test]
    fn soups_without_a_sync_are_told() {
        let syncs = format!(
            r#"{{"syncs":[{}]}}"#,
            down(r#"{"type":"soql","query":"SELECT Id FROM Account"}"#)
        );
        let store = r#"{"soups":[{"soupName":"soup","indexes":[{"path":"Name","type":"string"}]},{"soupName":"settings","indexes":[]}]}"#;
        let import = Briefcase::from_mobile_sync(&syncs, Some(store)).unwrap();
        assert_eq!(import.notes.len(), 1);
        assert!(import.notes[0].contains("settings"), "{:?}", import.notes);
        assert!(Briefcase::from_mobile_sync(&syncs, Some("{}")).is_err());
        assert!(Briefcase::from_mobile_sync("{\"syncs\":{}}", None).is_err());
    }
}
