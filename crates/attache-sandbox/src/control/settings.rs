//! What an administrator and the tests of a client set while the org runs: switches, features, sharing, rights, rules.

use super::{Refusal, read};
use crate::{
    org::{Access, OrgWide},
    rest::Request,
    sandbox::Sandbox,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// Lists every switch of the wire and of the rows with its value.
pub(super) fn switches(sandbox: &Sandbox) -> Result<Value, Refusal> {
    let (wire, rows) = current(sandbox)?;
    Ok(json!({ "switches": wire.into_iter().chain(rows).collect::<Map<_, _>>() }))
}

/// Sets the switches named, all or none.
pub(super) fn set_switches(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let wanted: Map<String, Value> = read(request)?;
    let (mut wire, mut rows) = current(sandbox)?;
    for (name, value) in wanted {
        check(&name, &value).map_err(|error| Refusal::new(400, error))?;
        let known = [&mut wire, &mut rows]
            .into_iter()
            .find_map(|switches| switches.get_mut(&name));
        let Some(known) = known else {
            let error = format!("there is no switch {name}: GET switches lists them");
            return Err(Refusal::new(400, error));
        };
        let before = std::mem::replace(known, value);
        let fits = fits(&wire) && fits_rows(&rows);
        if !fits {
            let error = format!("{name} takes a value such as {before}");
            return Err(Refusal::new(400, error));
        }
    }
    let (wire, rows) = (of_map(wire)?, of_map(rows)?);
    sandbox.with_switches(|switches| *switches = wire);
    sandbox.with_org(|org| org.config_mut().switches = rows);
    switches(sandbox)
}

/// Switches by name.
type Named = Map<String, Value>;

/// The switches of the wire, and those of the rows.
fn current(sandbox: &Sandbox) -> Result<(Named, Named), Refusal> {
    let wire = sandbox.with_switches(|switches| to_map(switches))?;
    let rows = sandbox.with_org(|org| to_map(&org.config().switches))?;
    Ok((wire, rows))
}

fn fits(wire: &Map<String, Value>) -> bool {
    of_map::<crate::RestSwitches>(wire.clone()).is_ok()
}

fn fits_rows(rows: &Map<String, Value>) -> bool {
    of_map::<crate::org::Switches>(rows.clone()).is_ok()
}

/// Refuses numbers with which the org could answer nobody.
fn check(name: &str, value: &Value) -> Result<(), String> {
    let (least, most) = match name {
        "page_rows_max" | "child_rows_max" | "bulk_page_rows_max" => (1, u64::from(u32::MAX)),
        "usage_wobble" => (0, 1_000),
        "locator_error_status" => (400, 599),
        _ => return Ok(()),
    };
    match value.as_u64() {
        Some(number) if !(least..=most).contains(&number) => {
            Err(format!("{name} must be from {least} to {most}"))
        }
        _ => Ok(()),
    }
}

fn to_map(switches: &impl Serialize) -> Result<Map<String, Value>, Refusal> {
    let value = serde_json::to_value(switches);
    value
        .and_then(serde_json::from_value)
        .map_err(|error| Refusal::new(500, error.to_string()))
}

fn of_map<T: DeserializeOwned>(switches: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(switches))
        .map_err(|error| Refusal::new(400, error.to_string()))
}

/// What an org does not have until it is turned on; none of it can be turned off.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Features {
    #[serde(default)]
    cases: bool,
    #[serde(default)]
    roles: bool,
    #[serde(default)]
    shares: bool,
    #[serde(default)]
    teams: bool,
    #[serde(default)]
    territories: bool,
}

pub(super) fn features(sandbox: &Sandbox) -> Value {
    let has = |object: &'static str| sandbox.with_org(|org| org.schema().index(object).is_some());
    json!({
        "cases": has("Case"),
        "roles": has("UserRole"),
        "shares": has("AccountShare"),
        "teams": has("AccountTeamMember"),
        "territories": has("Territory2"),
    })
}

pub(super) fn turn_on(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let wanted: Features = read(request)?;
    let asked = [
        (wanted.cases, "Case"),
        (wanted.roles, "UserRole"),
        (wanted.shares, "AccountShare"),
        (wanted.teams, "AccountTeamMember"),
        (wanted.territories, "Territory2"),
    ];
    sandbox.with_org(|org| {
        // What is on already stays as it is; shares come last, for objects that others bring.
        let missing = |org: &crate::org::Org, at: usize| {
            asked[at].0 && org.schema().index(asked[at].1).is_none()
        };
        if missing(org, 0) {
            org.enable_cases();
        }
        if missing(org, 1) {
            org.enable_roles();
        }
        if missing(org, 3) {
            org.enable_teams();
        }
        if missing(org, 4) {
            org.enable_territories();
        }
        if asked[2].0 {
            org.enable_shares();
        }
    });
    Ok(features(sandbox))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SharingDoc {
    object: String,
    default: Option<String>,
    hierarchy: Option<bool>,
}

pub(super) fn share(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let doc: SharingDoc = read(request)?;
    let default = doc.default.as_deref().map(|word| {
        OrgWide::parse(word).ok_or_else(|| {
            let error = "default must be private, read, read_write or controlled_by_parent";
            Refusal::new(400, error)
        })
    });
    let default = default.transpose()?;
    sandbox.with_org(|org| {
        known_object(org.schema(), &doc.object)?;
        if let Some(default) = default {
            org.set_org_wide(&doc.object, default)
                .map_err(|error| Refusal::new(400, error))?;
        }
        if let Some(grants) = doc.hierarchy {
            org.set_hierarchy(&doc.object, grants);
        }
        Ok(json!({ "object": doc.object }))
    })
}

/// What a profile gives a user: an object as a whole, or one of its fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RightsDoc {
    user: String,
    object: String,
    /// Without it, the rights are those to the object.
    field: Option<String>,
    #[serde(default = "yes")]
    read: bool,
    #[serde(default = "yes")]
    create: bool,
    #[serde(default = "yes")]
    edit: bool,
    #[serde(default = "yes")]
    delete: bool,
}

fn yes() -> bool {
    true
}

pub(super) fn rights(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let doc: RightsDoc = read(request)?;
    let user = super::user_id(sandbox, &doc.user)?;
    sandbox.with_org(|org| {
        let object = known_object(org.schema(), &doc.object)?;
        match &doc.field {
            Some(field) if object.field(field).is_none() => {
                let error = format!("{} has no field {field}", doc.object);
                return Err(Refusal::new(400, error));
            }
            Some(field) => org.hide_field(&user, &doc.object, field, !doc.read),
            None => {
                let access = Access {
                    read: doc.read,
                    create: doc.create,
                    edit: doc.edit,
                    delete: doc.delete,
                };
                org.set_access(&user, &doc.object, access);
            }
        }
        Ok(json!({ "user": user, "object": doc.object }))
    })
}

fn known_object<'a>(
    schema: &'a crate::schema::Schema,
    name: &str,
) -> Result<&'a crate::schema::ObjectDef, Refusal> {
    let unknown = || Refusal::new(400, format!("there is no object {name}"));
    schema.object(name).ok_or_else(unknown)
}

/// Adds the rules of a file of rules, which is the body.
pub(super) fn add_rules(sandbox: &Sandbox, request: &Request) -> Result<Value, Refusal> {
    let refused = |error: String| Refusal::new(400, error);
    let json = std::str::from_utf8(&request.body).map_err(|error| refused(error.to_string()))?;
    sandbox
        .with_org(|org| org.add_rules(json))
        .map_err(refused)?;
    Ok(json!({ "added": true }))
}
