//! Learns who and what the org is, and checks the briefcase against it.

use super::Run;
use super::draft::{self, Draft, VIEWED};
use super::fate::{self, Fate, reference, schema};
use super::together::DESCRIBE_ROWS;
use crate::briefcase::{Briefcase, Rule, Source, is_api_name};
use crate::error::{Error, ErrorKind, Result};
use crate::filter::Filter;
use crate::outcome::Phase;
use crate::question::Question;
use crate::remote::{Describe, Identity};
use crate::schema::ObjectSchema;
use crate::store::{Durability, Table, Writing};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The setting that holds the briefcase that was followed last: what is wrong with it now is the org's doing.
const FOLLOWED: &str = "followed";

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
    /// The org is no longer such that the rule could be asked for: its records stay, new ones do not come.
    pub rests: bool,
}

impl Node {
    pub(super) fn limit(&self) -> Option<u32> {
        match &self.source {
            Source::Top { limit, .. } => *limit,
            Source::Recent { limit } => Some(*limit),
            Source::Children { .. } | Source::Parents { .. } => None,
        }
    }

    /// The order that a limit counts in, ties broken.
    pub(super) fn order(&self) -> String {
        match &self.source {
            Source::Top {
                order_by: Some(order),
                ..
            } => format!("{order}, Id"),
            Source::Recent { .. } => format!("{VIEWED} DESC NULLS LAST, Id"),
            _ => "Id".to_owned(),
        }
    }

    pub(super) fn is_related(&self) -> bool {
        !matches!(self.source, Source::Top { .. } | Source::Recent { .. })
    }

    /// A related rule that can be followed.
    pub(super) fn is_asked(&self) -> bool {
        self.is_related() && !self.rests
    }
}

impl Run<'_> {
    /// Learns what the org is like. `strict`: a rule that cannot be followed is an error, whoever is to blame.
    pub(super) async fn prepare(&mut self, strict: bool) -> Result<()> {
        self.check_cancelled()?;
        self.tell(Phase::Prepare, "", 0, None);
        let Some(json) = self.store.read(|r| r.setting("briefcase"))? else {
            return Err(Error::new(
                ErrorKind::NotReady,
                "there is no briefcase yet: set one with set_briefcase()",
            ));
        };
        let followed = self.store.read(|r| r.setting(FOLLOWED))?;
        let drifts = !strict && followed.as_deref() == Some(json.as_str());
        let draft = self.draft(Briefcase::from_json(&json)?, drifts).await?;
        self.learn_fiscal_year(&draft.identity.org_id).await?;
        // Asked for again when describes are. A store in memory cannot be read while it is written.
        let mut unheard = Vec::new();
        for name in &draft.absent {
            if !self.is_known_absent(name)? {
                unheard.push(name.clone());
            }
        }
        self.store
            .empty_rules_but(&draft.wanted(), || self.check_cancelled())?;
        self.store.write(Durability::Durable, |w| {
            let identity = &draft.identity;
            w.set_setting("user_id", &identity.user_id)?;
            w.set_setting("org_id", &identity.org_id)?;
            w.set_setting("username", &identity.username)?;
            w.set_setting("time_zone", &identity.time_zone)?;
            w.set_setting("locale", &identity.locale)?;
            self.define(w, &draft)?;
            for name in &unheard {
                w.set_setting(&absent_key(name), &self.env.now().0.to_string())?;
            }
            w.set_setting(FOLLOWED, &json)
        })?;
        let catalogue = self.store.catalogue();
        let described = draft.describes.values();
        self.org_has_changed = described.clone().any(|described| described.changed);
        self.gone = described
            .filter(|described| described.gone)
            .map(|described| described.schema.name.clone())
            .collect();
        let table = |object: &String| catalogue.known(object).cloned();
        self.held = draft.held.iter().map(table).collect::<Result<_>>()?;
        self.nodes = draft.nodes(table)?;
        self.find_ways();
        self.report.unfollowed = draft.unfollowed;
        Ok(())
    }

    /// Works out what a briefcase means in this org. Writes nothing.
    ///
    /// `drifts`: it could be followed before, so what is wrong now is the org's doing.
    pub(super) async fn draft(&mut self, briefcase: Briefcase, drifts: bool) -> Result<Draft> {
        let identity = self.identify().await?;
        let (briefcase, mut views) = self.learn_list_views(briefcase, drifts).await?;
        let rules = briefcase.rules();
        let (mut describes, absent) = self.describe_all(&briefcase, &rules, drifts).await?;
        let (rules, mut unfollowed) = fate::without(rules, &absent);
        let held = self.describe_held(&mut describes).await?;
        let mut forms = self.learn_forms(&briefcase, &describes).await?;
        unfollowed.append(&mut views.notices);
        unfollowed.append(&mut forms.notices);
        let known = |key: &str| self.store.read(|r| r.object_of_rule(key));
        let rules = draft::expand(rules, &briefcase, &describes, known)?;
        let objects: Result<Vec<String>> = (0..rules.len())
            .map(|at| self.object_of(&rules, at, &describes, drifts))
            .collect();
        let objects = objects?;
        let was_followed = |rule: &Rule| Ok(drifts && known(&rule.key)?.is_some());
        let mut fates = fate::fates(&rules, &objects, &describes, drifts, was_followed)?;
        fate::rest_with(&rules, &views, &mut fates);
        if !drifts {
            fate::check_options(&describes, &briefcase)?;
        }
        unfollowed.extend(fate::unfollowed(&rules, &fates));
        let resting = rules
            .iter()
            .zip(&objects)
            .zip(&fates)
            .filter(|(_, fate)| matches!(fate, Fate::Rests(_)))
            .map(|((rule, object), _)| draft::key(object, rule))
            .collect();
        let items = rules.into_iter().zip(objects).collect();
        let (rules, objects) = fate::still_on(items, &fates).into_iter().unzip();
        Ok(Draft {
            identity,
            briefcase,
            rules,
            objects,
            resting,
            unfollowed,
            describes,
            absent,
            held,
            forms,
            views,
        })
    }

    /// Describes the objects of records that something but a rule holds, and gives their names.
    async fn describe_held(
        &mut self,
        described: &mut BTreeMap<String, Described>,
    ) -> Result<BTreeSet<String>> {
        let mut held = BTreeSet::new();
        let names = self.store.read(|r| r.held_objects())?;
        self.plan_describes(names.iter().filter(|name| !described.contains_key(*name)))?;
        for name in names {
            if !described.contains_key(&name) {
                let found = self.describe(&name, true).await?;
                described.insert(name.clone(), found);
            }
            // An object that is gone stops no session: its records stay as they are.
            if !described[&name].gone {
                held.insert(name);
            }
        }
        Ok(held)
    }

    /// Brings tables and rules into the shape of a draft, in the caller's transaction.
    fn define(&self, w: &mut Writing<'_>, draft: &Draft) -> Result<()> {
        for (name, described) in &draft.describes {
            if described.gone {
                w.park_object(&described.schema)?;
                // Asked for by each session, until it is back.
                w.set_setting(&format!("described:{name}"), "0")?;
                continue;
            }
            let carried = draft.carried(&w.reading(), name)?;
            if described.changed || !w.catalogue().carries(name, &carried) {
                let stamp = described.last_modified.as_deref();
                w.define(&described.json, stamp, &carried)?;
            }
            if described.changed {
                w.park(&described.schema)?;
            }
            if described.fresh {
                w.set_setting(&format!("described:{name}"), &self.env.now().0.to_string())?;
            }
        }
        for (object, (form, picklists)) in &draft.forms.told {
            w.set_form(object, form, picklists)?;
            w.set_form_asked(object, self.env.now())?;
        }
        w.keep_forms(&draft.forms.wanted)?;
        w.set_list_views(&draft.views.kept)?;
        w.define_rules(&draft.wanted())?;
        Ok(())
    }

    /// The object of a rule, in the case of the schema.
    ///
    /// A lookup that leads to several objects now goes on leading to the one it led to.
    fn object_of(
        &self,
        rules: &[Rule],
        at: usize,
        describes: &BTreeMap<String, Described>,
        drifts: bool,
    ) -> Result<String> {
        match object_of(rules, at, describes) {
            Err(error) if drifts => self
                .store
                .read(|r| r.object_of_rule(&rules[at].key))?
                .ok_or(error),
            other => other,
        }
    }

    /// Makes sure that the credentials belong to the user whose records these are.
    async fn identify(&mut self) -> Result<Identity> {
        let identity = self.remote.identity().await?;
        let (user, org) = self
            .store
            .read(|r| Ok((r.setting("user_id")?, r.setting("org_id")?)))?;
        if planted!(ServesAnyUser) {
            self.is_owner = true;
            return Ok(identity);
        }
        if user.is_some_and(|user| user != identity.user_id)
            || org.is_some_and(|org| org != identity.org_id)
        {
            return Err(Error::new(
                ErrorKind::WrongOwner,
                "the store holds the records of another user or org than the credentials belong to: use a store of its own for each",
            ));
        }
        self.is_owner = true;
        Ok(identity)
    }

    async fn describe_all(
        &mut self,
        briefcase: &Briefcase,
        rules: &[Rule],
        drifts: bool,
    ) -> Result<(BTreeMap<String, Described>, BTreeSet<String>)> {
        let mut described: BTreeMap<String, Described> = BTreeMap::new();
        // What the org lacks and no rule insists on.
        let mut absent = BTreeSet::new();
        let mut wanted: Vec<String> = briefcase.objects().collect();
        // The object of a parent rule may be known only from the describe of the children.
        loop {
            self.plan_describes(wanted.iter().filter(|name| !described.contains_key(*name)))?;
            for name in std::mem::take(&mut wanted) {
                if !described
                    .keys()
                    .any(|known| known.eq_ignore_ascii_case(&name))
                {
                    let dispensable = fate::is_dispensable(rules, &name);
                    if dispensable && drifts && self.is_known_absent(&name)? {
                        absent.insert(name);
                        continue;
                    }
                    match self.describe(&name, drifts).await {
                        Ok(found) => {
                            described.insert(found.schema.name.clone(), found);
                        }
                        Err(error) if error.kind() == ErrorKind::UnknownObject && dispensable => {
                            absent.insert(name);
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
            for (at, rule) in rules.iter().enumerate() {
                if rule.object.is_none()
                    && let Ok(object) = self.object_of(rules, at, &described, drifts)
                    && !described.contains_key(&object)
                {
                    wanted.push(object);
                }
            }
            if wanted.is_empty() {
                return Ok((described, absent));
            }
        }
    }

    /// Says whether the org was asked for an object not long ago and had none.
    fn is_known_absent(&self, name: &str) -> Result<bool> {
        let asked = self.store.read(|r| r.setting(&absent_key(name)))?;
        let age = asked
            .and_then(|at| at.parse::<i64>().ok())
            .map(|at| self.env.now().0 - at);
        Ok(age.is_some_and(|age| (0..self.settings.describe_seconds * 1000).contains(&age)))
    }

    /// Has those objects described together whose describes are missing or old.
    fn plan_describes<'n>(&mut self, names: impl Iterator<Item = &'n String>) -> Result<()> {
        let mut questions = Vec::new();
        for name in names {
            let stored = self.store.read(|r| r.describe_stamp(name))?;
            let is_known = match self.store.read(|r| r.stored_name(name))? {
                Some(name) => self.is_described(&name)?,
                None => self.is_known_absent(name)?,
            };
            if !is_known {
                let object = name.clone();
                let known = stored.and_then(|(_, last_modified)| last_modified);
                questions.push((Question::Describe { object, known }, DESCRIBE_ROWS));
            }
        }
        self.plan_ahead(questions);
        Ok(())
    }

    /// Says whether an object was described not long ago.
    fn is_described(&self, object: &str) -> Result<bool> {
        let at = self
            .store
            .read(|r| r.setting(&format!("described:{object}")))?;
        let age = at
            .and_then(|at| at.parse::<i64>().ok())
            .map(|at| self.env.now().0 - at);
        // A clock that was set back makes a describe look new for ever.
        Ok(age.is_some_and(|age| (0..self.settings.describe_seconds * 1000).contains(&age)))
    }

    async fn describe(&mut self, name: &str, drifts: bool) -> Result<Described> {
        self.check_cancelled()?;
        let known = self.store.read(|r| r.describe_stamp(name))?;
        if let Some((json, last_modified)) = known {
            let mut schema = ObjectSchema::from_describe(&json)?;
            if let Some(known) = self.store.read(|r| r.stored_name(name))? {
                schema.name = known;
            }
            if self.is_described(&schema.name)? {
                return Ok(Described::known(schema, json, last_modified, false));
            }
            match self.describe_object(name, last_modified.as_deref()).await {
                Ok(None) => return Ok(Described::known(schema, json, last_modified, true)),
                Ok(Some(answer)) => return self.described(name, answer),
                Err(error) if error.kind() == ErrorKind::UnknownObject && drifts => {
                    let mut gone = Described::known(schema, json, last_modified, false);
                    gone.gone = true;
                    return Ok(gone);
                }
                Err(error) => return Err(error),
            }
        }
        match self.describe_object(name, None).await? {
            Some(answer) => self.described(name, answer),
            None => Err(Error::new(
                ErrorKind::NotARemote,
                "the server says that a describe nobody had did not change",
            )),
        }
    }

    fn described(&self, asked: &str, answer: Describe) -> Result<Described> {
        let mut schema = ObjectSchema::from_describe(&answer.json)?;
        check_names(&schema, asked)?;
        // Its name stays as it was first described, whatever its case is now.
        if let Some(known) = self.store.read(|r| r.stored_name(&schema.name))? {
            schema.name = known;
        }
        Ok(Described {
            schema,
            json: answer.json,
            last_modified: answer.last_modified,
            fresh: true,
            changed: true,
            gone: false,
        })
    }
}

/// Refuses a describe of another object, and one with a field that could not be asked for (each query of its
/// object would be refused from then on, until the org describes it anew) or has no room beside the store's own
/// columns and tables.
fn check_names(schema: &ObjectSchema, asked: &str) -> Result<()> {
    let is_asked = schema.name.eq_ignore_ascii_case(asked);
    let fields = schema.fields.iter().map(|field| field.name.as_str());
    let mut names = fields.clone().chain([schema.name.as_str()]);
    if !is_asked || !fields.clone().all(is_api_name) {
        return Err(Error::new(
            ErrorKind::NotARemote,
            format!("the description of {asked} names what no org has"),
        ));
    }
    match names.find(|name| is_reserved(name)) {
        None => Ok(()),
        Some(name) => Err(Error::new(
            ErrorKind::NotARemote,
            format!("the description of {asked} names {name}, which is a name of the store's own"),
        )),
    }
}

/// Says whether a name is one that the store or SQLite keeps for itself: a column that is named like the number of a
/// row can be made, but not dropped. What a package named `attache` brings has two underscores, and is as good as any.
fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ours = name.starts_with("attache_") && !name.starts_with("attache__");
    ours || name.starts_with("sqlite_") || ["rowid", "oid", "_rowid_"].contains(&name.as_str())
}

fn absent_key(name: &str) -> String {
    format!("absent:{}", name.to_ascii_lowercase())
}

/// A describe, and whether it was read or confirmed in this session.
pub(super) struct Described {
    pub schema: ObjectSchema,
    json: String,
    last_modified: Option<String>,
    fresh: bool,
    /// It is not the one that the store has.
    pub changed: bool,
    /// The object is no longer there for this user; this is what it was.
    pub gone: bool,
}

impl Described {
    fn known(
        schema: ObjectSchema,
        json: String,
        last_modified: Option<String>,
        fresh: bool,
    ) -> Described {
        Described {
            schema,
            json,
            last_modified,
            fresh,
            changed: false,
            gone: false,
        }
    }
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
