//! What a briefcase should hold: a reading of its document that shares nothing with the engine's.

use crate::oracle::Row;
use crate::world::World;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Ids in one condition.
const IDS_MAX: usize = 200;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    objects: BTreeMap<String, Options>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Options {
    fields: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Rule {
    Everything(String),
    Chosen(Chosen),
}

#[derive(Deserialize)]
struct Chosen {
    object: String,
    scope: Option<String>,
    #[serde(rename = "where")]
    condition: Option<String>,
    order_by: Option<String>,
    limit: Option<u32>,
    #[serde(default)]
    related: Vec<Related>,
}

#[derive(Deserialize)]
struct Related {
    children: Option<String>,
    parent: Option<String>,
    object: Option<String>,
    #[serde(rename = "where")]
    condition: Option<String>,
    #[serde(default)]
    related: Vec<Related>,
}

/// The ids that belong on a device, by object, and the fields that a document asks for.
pub(crate) struct Expected {
    pub ids: BTreeMap<String, BTreeSet<String>>,
    pub fields: BTreeMap<String, Vec<String>>,
}

/// Works out what a user's device should hold, from queries the org answers for that user.
pub(crate) fn expected(world: &World, user: &str, document: &str) -> Result<Expected, String> {
    let document: Document = serde_json::from_str(document).map_err(|error| error.to_string())?;
    let mut expected = Expected {
        ids: BTreeMap::new(),
        fields: BTreeMap::new(),
    };
    for (object, options) in document.objects {
        if let Some(fields) = options.fields {
            expected.fields.insert(object, fields);
        }
    }
    let mut reader = Reader {
        world,
        user,
        ids: &mut expected.ids,
    };
    for rule in &document.rules {
        match rule {
            Rule::Everything(object) => {
                let rows = reader.query(&format!("SELECT Id FROM {object}"))?;
                reader.keep(object, &ids_of(&rows));
            }
            Rule::Chosen(rule) => {
                let ids = reader.choose(rule)?;
                reader.keep(&rule.object, &ids);
                reader.follow(&rule.object, &ids, &rule.related)?;
            }
        }
    }
    Ok(expected)
}

struct Reader<'a> {
    world: &'a World,
    user: &'a str,
    ids: &'a mut BTreeMap<String, BTreeSet<String>>,
}

impl Reader<'_> {
    fn query(&self, soql: &str) -> Result<Vec<Row>, String> {
        self.world.rows(self.user, soql)
    }

    fn keep(&mut self, object: &str, ids: &BTreeSet<String>) {
        let kept = self.ids.entry(object.to_owned()).or_default();
        kept.extend(ids.iter().cloned());
    }

    fn choose(&self, rule: &Chosen) -> Result<BTreeSet<String>, String> {
        let mut soql = format!("SELECT Id FROM {}", rule.object);
        let mut conditions = Vec::new();
        match rule.scope.as_deref() {
            None | Some("everything") => {}
            Some("mine") => conditions.push(format!("OwnerId = '{}'", self.user)),
            Some(named) => soql.push_str(&format!(" USING SCOPE {named}")),
        }
        conditions.extend(rule.condition.clone());
        soql.push_str(&all_of(&conditions));
        if let Some(limit) = rule.limit {
            let order = rule.order_by.as_ref().map(|order| format!("{order}, "));
            let order = order.unwrap_or_default();
            soql.push_str(&format!(" ORDER BY {order}Id LIMIT {limit}"));
        }
        Ok(ids_of(&self.query(&soql)?))
    }

    fn follow(
        &mut self,
        object: &str,
        ids: &BTreeSet<String>,
        related: &[Related],
    ) -> Result<(), String> {
        for rule in related {
            let (next, field, keys) = match (&rule.children, &rule.parent) {
                (Some(path), None) => {
                    let (child, field) = path.split_once('.').ok_or("children without a field")?;
                    (child.to_owned(), field.to_owned(), ids.clone())
                }
                (None, Some(lookup)) => {
                    let parent = match &rule.object {
                        Some(object) => object.clone(),
                        None => self.target(object, lookup)?,
                    };
                    (
                        parent,
                        "Id".to_owned(),
                        self.pointed_at(object, lookup, ids)?,
                    )
                }
                _ => return Err("a related rule has either children or a parent".into()),
            };
            let found = self.among(&next, &field, &keys, rule.condition.as_deref())?;
            self.keep(&next, &found);
            self.follow(&next, &found, &rule.related)?;
        }
        Ok(())
    }

    fn target(&self, object: &str, lookup: &str) -> Result<String, String> {
        self.world.sandbox.with_org(|org| {
            let field = org
                .schema()
                .object(object)
                .and_then(|object| object.field(lookup));
            let target = field.and_then(|field| field.reference_to.first().cloned());
            target.ok_or_else(|| format!("{object}.{lookup} is no lookup"))
        })
    }

    fn pointed_at(
        &self,
        object: &str,
        lookup: &str,
        ids: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, String> {
        let mut targets = BTreeSet::new();
        for row in self.by(object, "Id", ids, None, lookup)? {
            targets.extend(row.text(lookup));
        }
        Ok(targets)
    }

    fn among(
        &self,
        object: &str,
        field: &str,
        keys: &BTreeSet<String>,
        condition: Option<&str>,
    ) -> Result<BTreeSet<String>, String> {
        let prefix = self.world.sandbox.with_org(|org| {
            let object = org.schema().object(object);
            object.map(|object| object.key_prefix.to_string())
        });
        // A lookup to several objects leads to this one only in part.
        let keys = keys
            .iter()
            .filter(|id| field != "Id" || prefix.as_ref().is_none_or(|p| id.starts_with(p)))
            .cloned()
            .collect();
        Ok(ids_of(&self.by(object, field, &keys, condition, "Id")?))
    }

    fn by(
        &self,
        object: &str,
        field: &str,
        keys: &BTreeSet<String>,
        condition: Option<&str>,
        wanted: &str,
    ) -> Result<Vec<Row>, String> {
        let keys: Vec<&String> = keys.iter().collect();
        let mut rows = Vec::new();
        for chunk in keys.chunks(IDS_MAX) {
            let list: Vec<String> = chunk.iter().map(|id| format!("'{id}'")).collect();
            let mut conditions = vec![format!("{field} IN ({})", list.join(","))];
            conditions.extend(condition.map(str::to_owned));
            let wanted = if wanted == "Id" {
                String::new()
            } else {
                format!(", {wanted}")
            };
            let conditions = all_of(&conditions);
            rows.extend(self.query(&format!("SELECT Id{wanted} FROM {object}{conditions}"))?);
        }
        Ok(rows)
    }
}

fn all_of(conditions: &[String]) -> String {
    match conditions {
        [] => String::new(),
        [one] => format!(" WHERE {one}"),
        many => {
            let many: Vec<String> = many.iter().map(|one| format!("({one})")).collect();
            format!(" WHERE {}", many.join(" AND "))
        }
    }
}

fn ids_of(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row.text("Id")).collect()
}
