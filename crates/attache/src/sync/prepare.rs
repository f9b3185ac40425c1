//! Learns who and what the org is, and checks the briefcase against it.

use super::Run;
use crate::briefcase::{Briefcase, Rule, Scope, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::{Filter, Select};
use crate::outcome::Phase;
use crate::schema::{FieldSchema, FieldType, ObjectSchema};
use crate::store::{Durability, Table, WantedRule};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Fields that the engine itself needs, where the object has them.
const SYSTEM_FIELDS: [&str; 8] = [
    "Id",
    "SystemModstamp",
    "LastModifiedDate",
    "LastModifiedById",
    "CreatedDate",
    "CreatedById",
    "OwnerId",
    "Name",
];

/// A rule of the briefcase with what the org says about it.
#[derive(Clone)]
pub(super) struct Node {
    /// The rule's name in the store.
    pub key: String,
    pub name: String,
    pub table: Arc<Table>,
    pub source: Source,
    pub filter: Option<Filter>,
    /// What the rule says of a record by itself, for the server.
    pub conditions: Vec<String>,
    /// `USING SCOPE`, if the rule has one that only the server can evaluate.
    pub scope: Option<String>,
}

impl Node {
    pub(super) fn limit(&self) -> Option<u32> {
        match &self.source {
            Source::Top { limit, .. } => *limit,
            _ => None,
        }
    }

    pub(super) fn is_related(&self) -> bool {
        !matches!(self.source, Source::Top { .. })
    }
}

impl Run<'_> {
    pub(super) async fn prepare(&mut self) -> Result<()> {
        self.check_cancelled()?;
        self.tell(Phase::Prepare, "", 0, None);
        let user = self.identify().await?;
        let Some(json) = self.store.read(|r| r.setting("briefcase"))? else {
            return Err(Error::new(
                ErrorKind::NotReady,
                "there is no briefcase yet: set one with set_briefcase()",
            ));
        };
        let briefcase = Briefcase::from_json(&json)?;
        let rules = briefcase.rules()?;
        let mut describes = self.describe_all(&briefcase, &rules).await?;
        let held = self.describe_held(&mut describes).await?;
        let objects = resolve_objects(&rules, &describes)?;
        check(&rules, &objects, &describes, &briefcase)?;
        self.store.write(Durability::Durable, |w| {
            let edited = w.reading().entries()?;
            for (name, described) in &describes {
                let edited: Vec<&str> = edited
                    .iter()
                    .filter(|entry| entry.object == *name)
                    .flat_map(|entry| entry.fields.names())
                    .collect();
                let mut options = briefcase.options(name);
                if held.contains(name) && !objects.contains(name) {
                    // The briefcase no longer says what to carry of it: what is here stays.
                    let table = w.catalogue().table(name);
                    options.fields = options.fields.or_else(|| table.map(|table| table.names()));
                }
                let carried = carried(&described.schema, &options, &edited, &rules, &objects)?;
                if described.changed || !w.catalogue().carries(name, &carried) {
                    let stamp = described.last_modified.as_deref();
                    w.define(&described.json, stamp, &carried)?;
                }
                if described.fresh {
                    w.set_setting(&format!("described:{name}"), &self.env.now().0.to_string())?;
                }
            }
            let wanted: Vec<_> = rules
                .iter()
                .zip(&objects)
                .map(|(rule, object)| {
                    let of = match &rule.source {
                        Source::Top { .. } => None,
                        Source::Children { of, .. } | Source::Parents { of, .. } => {
                            Some(objects[*of].clone())
                        }
                    };
                    WantedRule {
                        key: format!("{object}: {}", rule.key),
                        name: rule.name.clone(),
                        object: object.clone(),
                        of_object: of,
                    }
                })
                .collect();
            w.define_rules(&wanted)?;
            for (rule, object) in rules.iter().zip(&objects) {
                match &rule.source {
                    Source::Top { .. } => {}
                    Source::Children { field, .. } => w.index(object, field)?,
                    Source::Parents { of, field } => w.index(&objects[*of], field)?,
                }
            }
            Ok(())
        })?;
        let catalogue = self.store.catalogue();
        let mut nodes = Vec::new();
        for (rule, object) in rules.into_iter().zip(objects) {
            nodes.push(node(rule, Arc::clone(catalogue.known(&object)?), &user));
        }
        self.nodes = nodes;
        self.held = held
            .iter()
            .map(|object| catalogue.known(object).cloned())
            .collect::<Result<_>>()?;
        Ok(())
    }

    /// Describes the objects of records that something but a rule holds, and gives their names.
    async fn describe_held(
        &mut self,
        described: &mut BTreeMap<String, Described>,
    ) -> Result<BTreeSet<String>> {
        let mut held = BTreeSet::new();
        for name in self.store.read(|r| r.held_objects())? {
            if !described.contains_key(&name) {
                match self.describe(&name).await {
                    Ok(found) => {
                        described.insert(name.clone(), found);
                    }
                    // An object that is gone stops no session: its records stay as they are.
                    Err(error) if error.kind() == ErrorKind::UnknownObject => continue,
                    Err(error) => return Err(error),
                }
            }
            held.insert(name);
        }
        Ok(held)
    }

    /// Makes sure that the credentials belong to the user whose records these are, and gives the user's id.
    async fn identify(&mut self) -> Result<String> {
        let identity = self.remote.identity().await?;
        let (user, org) = self
            .store
            .read(|r| Ok((r.setting("user_id")?, r.setting("org_id")?)))?;
        if user.as_ref().is_some_and(|user| *user != identity.user_id)
            || org.as_ref().is_some_and(|org| *org != identity.org_id)
        {
            return Err(Error::new(
                ErrorKind::WrongOwner,
                "the store holds the records of another user or org than the credentials belong to: use a store of its own for each",
            ));
        }
        self.store.write(Durability::Durable, |w| {
            w.set_setting("user_id", &identity.user_id)?;
            w.set_setting("org_id", &identity.org_id)?;
            w.set_setting("username", &identity.username)?;
            w.set_setting("time_zone", &identity.time_zone)?;
            w.set_setting("locale", &identity.locale)
        })?;
        Ok(identity.user_id)
    }

    async fn describe_all(
        &mut self,
        briefcase: &Briefcase,
        rules: &[Rule],
    ) -> Result<BTreeMap<String, Described>> {
        let mut described: BTreeMap<String, Described> = BTreeMap::new();
        let mut wanted: Vec<String> = briefcase.objects().collect();
        // The object of a parent rule may be known only from the describe of the children.
        loop {
            for name in std::mem::take(&mut wanted) {
                if !described
                    .keys()
                    .any(|known| known.eq_ignore_ascii_case(&name))
                {
                    let found = self.describe(&name).await?;
                    described.insert(found.schema.name.clone(), found);
                }
            }
            for (at, rule) in rules.iter().enumerate() {
                if rule.object.is_none()
                    && let Ok(object) = object_of(rules, at, &described)
                    && !described.contains_key(&object)
                {
                    wanted.push(object);
                }
            }
            if wanted.is_empty() {
                return Ok(described);
            }
        }
    }

    async fn describe(&mut self, name: &str) -> Result<Described> {
        self.check_cancelled()?;
        let known = self.store.read(|r| r.describe_stamp(name))?;
        if let Some((json, last_modified)) = known {
            let schema = ObjectSchema::from_describe(&json)?;
            let at = self
                .store
                .read(|r| r.setting(&format!("described:{}", schema.name)))?;
            let age = at
                .and_then(|at| at.parse::<i64>().ok())
                .map(|at| self.env.now().0 - at);
            // A clock that was set back makes a describe look new for ever.
            if age.is_some_and(|age| (0..self.settings.describe_seconds * 1000).contains(&age)) {
                return Ok(Described {
                    schema,
                    json,
                    last_modified,
                    fresh: false,
                    changed: false,
                });
            }
            if self
                .remote
                .describe(name, last_modified.as_deref())
                .await?
                .is_none()
            {
                return Ok(Described {
                    schema,
                    json,
                    last_modified,
                    fresh: true,
                    changed: false,
                });
            }
        }
        match self.remote.describe(name, None).await? {
            Some(answer) => Ok(Described {
                schema: ObjectSchema::from_describe(&answer.json)?,
                json: answer.json,
                last_modified: answer.last_modified,
                fresh: true,
                changed: true,
            }),
            None => Err(Error::new(
                ErrorKind::NotARemote,
                "the server says that a describe nobody had did not change",
            )),
        }
    }
}

/// A describe, and whether it was read or confirmed in this session.
struct Described {
    schema: ObjectSchema,
    json: String,
    last_modified: Option<String>,
    fresh: bool,
    /// It is not the one that the store has.
    changed: bool,
}

fn resolve_objects(rules: &[Rule], describes: &BTreeMap<String, Described>) -> Result<Vec<String>> {
    (0..rules.len())
        .map(|at| object_of(rules, at, describes))
        .collect()
}

/// The object of a rule, in the case of the schema.
fn object_of(rules: &[Rule], at: usize, describes: &BTreeMap<String, Described>) -> Result<String> {
    let rule = &rules[at];
    let named = match (&rule.object, &rule.source) {
        (Some(name), _) => name.clone(),
        (None, Source::Parents { of, field }) => {
            let children = object_of(rules, *of, describes)?;
            let field = reference(schema(describes, &children)?, field, &rule.name)?;
            match field.reference_to.as_slice() {
                [one] => one.clone(),
                _ => {
                    return Err(Error::invalid(format!(
                        "rule {:?}: {children}.{} points at several objects; say which with \"object\"",
                        rule.name, field.name
                    )));
                }
            }
        }
        (None, _) => {
            return Err(Error::internal(
                "a rule without an object is one of parents",
            ));
        }
    };
    let known = describes
        .keys()
        .find(|known| known.eq_ignore_ascii_case(&named));
    Ok(known.cloned().unwrap_or(named))
}

fn schema<'a>(describes: &'a BTreeMap<String, Described>, name: &str) -> Result<&'a ObjectSchema> {
    describes
        .get(name)
        .map(|described| &described.schema)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::UnknownObject,
                format!("the org has no object {name} for this user"),
            )
        })
}

fn reference<'a>(object: &'a ObjectSchema, field: &str, rule: &str) -> Result<&'a FieldSchema> {
    let found = object
        .field(field)
        .ok_or_else(|| unknown_field(rule, object, field))?;
    if found.field_type != FieldType::Reference {
        return Err(Error::invalid(format!(
            "rule {rule:?}: {}.{} is not a lookup",
            object.name, found.name
        )));
    }
    Ok(found)
}

fn unknown_field(rule: &str, object: &ObjectSchema, field: &str) -> Error {
    Error::new(
        ErrorKind::UnknownField,
        format!(
            "rule {rule:?}: {} has no field {field} for this user",
            object.name
        ),
    )
}

fn check(
    rules: &[Rule],
    objects: &[String],
    describes: &BTreeMap<String, Described>,
    briefcase: &Briefcase,
) -> Result<()> {
    let mut all = crate::schema::Schema::default();
    for described in describes.values() {
        all.insert(described.schema.clone());
    }
    for (rule, name) in rules.iter().zip(objects) {
        let object = schema(describes, name)?;
        if !object.queryable {
            return Err(Error::invalid(format!(
                "rule {:?}: records of {name} cannot be queried",
                rule.name
            )));
        }
        if let Some(filter) = &rule.filter {
            filter
                .check(&all, name)
                .map_err(|error| in_rule(&rule.name, "where", error))?;
        }
        match &rule.source {
            Source::Top {
                scope, order_by, ..
            } => {
                check_scope(&rule.name, object, scope)?;
                if let Some(order) = order_by {
                    let select = Select::parse(&format!("SELECT Id FROM {name} ORDER BY {order}"))?;
                    crate::store::check(&select, &all)
                        .map_err(|error| in_rule(&rule.name, "order_by", error))?;
                }
            }
            Source::Children { of, field } => {
                let field = reference(object, field, &rule.name)?;
                check_target(&rule.name, object, field, &objects[*of])?;
            }
            Source::Parents { of, field } => {
                let children = schema(describes, &objects[*of])?;
                let field = reference(children, field, &rule.name)?;
                check_target(&rule.name, children, field, name)?;
            }
        }
    }
    for described in describes.values() {
        let options = briefcase.options(&described.schema.name);
        let named = options.fields.iter().flatten().chain(&options.client_key);
        if let Some(field) = named
            .into_iter()
            .find(|field| described.schema.field(field).is_none())
        {
            return Err(unknown_field("objects", &described.schema, field));
        }
        if let Some(policy) = &options.merge {
            let object = &described.schema.name;
            if let Some(field) = policy.unknown_field(&described.schema) {
                return Err(Error::new(
                    ErrorKind::UnknownField,
                    format!("objects.{object}.merge: {object} has no field {field} for this user"),
                ));
            }
            if let Some(misfit) = policy.misfits(&described.schema).into_iter().next() {
                return Err(Error::invalid(format!("objects.{object}.merge.{misfit}")));
            }
        }
        if let Some(key) = options
            .client_key
            .as_ref()
            .and_then(|key| described.schema.field(key))
            && !(key.external_id && key.unique && key.createable)
        {
            return Err(Error::invalid(format!(
                "{}.{} cannot carry a client key: it must be a unique external id that may be set",
                described.schema.name, key.name
            )));
        }
    }
    Ok(())
}

fn check_scope(rule: &str, object: &ObjectSchema, scope: &Scope) -> Result<()> {
    match scope {
        Scope::Everything => Ok(()),
        Scope::Mine if object.field("OwnerId").is_some() => Ok(()),
        Scope::Mine => Err(Error::invalid(format!(
            "rule {rule:?}: records of {} have no owner, so none are \"mine\"",
            object.name
        ))),
        Scope::Named(name)
            if object
                .scopes
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name)) =>
        {
            Ok(())
        }
        Scope::Named(name) => Err(Error::invalid(format!(
            "rule {rule:?}: {} has no scope {name:?}; it has {}",
            object.name,
            object.scopes.join(", ")
        ))),
    }
}

fn check_target(rule: &str, from: &ObjectSchema, field: &FieldSchema, to: &str) -> Result<()> {
    if field
        .reference_to
        .iter()
        .any(|target| target.eq_ignore_ascii_case(to))
    {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "rule {rule:?}: {}.{} does not point at {to}",
        from.name, field.name
    )))
}

fn in_rule(rule: &str, part: &str, error: Error) -> Error {
    Error::new(error.kind(), format!("rule {rule:?}, {part}: {error}"))
}

/// The fields to carry: those asked for, those the engine needs, those the rules hang on, and those with unsent edits.
fn carried(
    object: &ObjectSchema,
    options: &crate::briefcase::ObjectOptions,
    edited: &[&str],
    rules: &[Rule],
    objects: &[String],
) -> Result<Vec<String>> {
    let mut wanted: Vec<&str> = SYSTEM_FIELDS.to_vec();
    wanted.extend(object.name_field().map(|field| field.name.as_str()));
    match &options.fields {
        Some(fields) => wanted.extend(fields.iter().map(String::as_str)),
        None => wanted.extend(object.stored_fields().map(|field| field.name.as_str())),
    }
    wanted.extend(options.client_key.as_deref());
    wanted.extend(edited);
    for (rule, name) in rules.iter().zip(objects) {
        match &rule.source {
            Source::Children { field, .. } if *name == object.name => wanted.push(field),
            Source::Parents { of, field } if objects[*of] == object.name => wanted.push(field),
            _ => {}
        }
    }
    let mut carried: Vec<String> = Vec::new();
    for field in wanted
        .into_iter()
        .filter_map(|name| object.field(name))
        .filter(|field| field.field_type.is_stored())
    {
        if !carried.contains(&field.name) {
            carried.push(field.name.clone());
        }
    }
    if carried.first().is_none_or(|first| first != "Id") {
        return Err(Error::new(
            ErrorKind::NotARemote,
            format!("the describe of {} has no Id", object.name),
        ));
    }
    Ok(carried)
}

fn node(rule: Rule, table: Arc<Table>, user: &str) -> Node {
    let mut conditions = Vec::new();
    let mut using = None;
    if let Source::Top { scope, .. } = &rule.source {
        match scope {
            Scope::Everything => {}
            Scope::Mine => conditions.push(format!("OwnerId = {}", super::soql::text(user))),
            Scope::Named(name) => using = Some(name.clone()),
        }
    }
    conditions.extend(rule.filter.as_ref().map(ToString::to_string));
    Node {
        key: format!("{}: {}", table.object.name, rule.key),
        name: rule.name,
        source: rule.source,
        filter: rule.filter,
        conditions,
        scope: using,
        table,
    }
}
