//! Who a token belongs to: the identity URL and OpenID's user info.

use super::{
    dates,
    failure::Failure,
    machine::Machine,
    message::{Request, Response, find},
    oauth,
};
use crate::{json, org::RowView, value::Value};
use indexmap::IndexMap;
use serde::Serialize;

/// Where the client reached the org: the host it named, or the org's own idea.
pub(super) fn base_url(machine: &Machine, headers: &[(String, String)]) -> String {
    match find(headers, "Host") {
        Some(host) => format!("http://{host}"),
        None => machine.url.clone(),
    }
}

#[derive(Serialize)]
struct Identity {
    id: String,
    asserted_user: bool,
    user_id: String,
    organization_id: String,
    username: Option<String>,
    nick_name: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
    email_verified: bool,
    first_name: Option<String>,
    last_name: Option<String>,
    timezone: String,
    photos: IndexMap<&'static str, String>,
    addr_street: Option<String>,
    addr_city: Option<String>,
    addr_state: Option<String>,
    addr_country: Option<String>,
    addr_zip: Option<String>,
    mobile_phone: Option<String>,
    mobile_phone_verified: bool,
    is_lightning_login_user: bool,
    status: IndexMap<&'static str, Option<String>>,
    urls: IndexMap<&'static str, String>,
    active: bool,
    user_type: String,
    language: String,
    locale: String,
    #[serde(rename = "utcOffset")]
    utc_offset_ms: i64,
    last_modified_date: String,
    is_app_installed: bool,
}

/// `GET /id/<org>/<user>`
pub(super) fn by_url(machine: &mut Machine, request: &Request, org: &str, user: &str) -> Response {
    let actor = match oauth::caller(machine, request) {
        Ok(actor) => actor,
        Err(failure) => return failure.answer(),
    };
    let same_org = crate::id::parse(org).is_some_and(|org| org == machine.org.config().org_id);
    match machine.org.read(&actor, "User", user).filter(|_| same_org) {
        Some(row) => Response::json(200, json::write(&identity(machine, request, &row))),
        None => Failure::not_found().answer(),
    }
}

fn identity(machine: &Machine, request: &Request, user: &RowView<'_>) -> Identity {
    let base = base_url(machine, &request.headers);
    let field = |name: &str| text(user, name);
    let time_zone = time_zone(machine, user);
    Identity {
        id: format!("{base}/id/{}/{}", machine.org.config().org_id, user.id()),
        asserted_user: true,
        user_id: user.id().into(),
        organization_id: machine.org.config().org_id.clone(),
        username: field("Username"),
        nick_name: field("CommunityNickname").or_else(|| field("Alias")),
        display_name: field("Name"),
        email: field("Email"),
        email_verified: true,
        first_name: field("FirstName"),
        last_name: field("LastName"),
        utc_offset_ms: utc_offset_ms(&time_zone, machine.now_s()),
        timezone: time_zone,
        photos: ["picture", "thumbnail"]
            .map(|size| (size, format!("{base}/profilephoto/005/{size}")))
            .into(),
        addr_street: field("Street"),
        addr_city: field("City"),
        addr_state: field("State"),
        addr_country: field("Country"),
        addr_zip: field("PostalCode"),
        mobile_phone: field("MobilePhone"),
        mobile_phone_verified: false,
        is_lightning_login_user: false,
        status: [("created_date", None), ("body", None)].into(),
        urls: urls(&base, user.id()),
        active: *user.get("IsActive") != Value::Bool(false),
        user_type: field("UserType")
            .unwrap_or_else(|| "STANDARD".into())
            .to_uppercase(),
        language: field("LanguageLocaleKey").unwrap_or_else(|| "en_US".into()),
        locale: locale(machine, user),
        last_modified_date: dates::print_iso_utc(user.last_modified()),
        is_app_installed: true,
    }
}

/// The resources a client may go to next; `{version}` is for the client to fill in.
fn urls(base: &str, user: &str) -> IndexMap<&'static str, String> {
    let data = format!("{base}/services/data/v{{version}}/");
    let mut urls: IndexMap<&'static str, String> = [
        ("rest", ""),
        ("sobjects", "sobjects/"),
        ("query", "query/"),
        ("recent", "recent/"),
    ]
    .map(|(name, path)| (name, format!("{data}{path}")))
    .into();
    urls.insert("profile", format!("{base}/{user}"));
    urls.insert("custom_domain", base.into());
    urls
}

#[derive(Serialize)]
struct UserInfo {
    sub: String,
    user_id: String,
    organization_id: String,
    preferred_username: Option<String>,
    nickname: Option<String>,
    name: Option<String>,
    email: Option<String>,
    email_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    zoneinfo: String,
    photos: IndexMap<&'static str, String>,
    profile: String,
    picture: String,
    urls: IndexMap<&'static str, String>,
    active: bool,
    user_type: String,
    language: String,
    locale: String,
    #[serde(rename = "utcOffset")]
    utc_offset_ms: i64,
    updated_at: String,
}

/// `GET /services/oauth2/userinfo`
pub(super) fn user_info(machine: &mut Machine, request: &Request) -> Response {
    let actor = match oauth::caller(machine, request) {
        Ok(actor) => actor,
        Err(failure) => return failure.answer(),
    };
    let Some(row) = machine.org.read(&actor, "User", &actor) else {
        return Failure::not_found().answer();
    };
    let same = identity(machine, request, &row);
    let info = UserInfo {
        sub: same.id,
        user_id: same.user_id,
        organization_id: same.organization_id,
        preferred_username: same.username,
        nickname: same.nick_name,
        name: same.display_name,
        email: same.email,
        email_verified: same.email_verified,
        given_name: same.first_name,
        family_name: same.last_name,
        zoneinfo: same.timezone,
        profile: same.urls.get("profile").cloned().unwrap_or_default(),
        picture: same.photos.get("picture").cloned().unwrap_or_default(),
        photos: same.photos,
        urls: same.urls,
        active: same.active,
        user_type: same.user_type,
        language: same.language,
        locale: same.locale,
        utc_offset_ms: same.utc_offset_ms,
        updated_at: same.last_modified_date,
    };
    Response::json(200, json::write(&info))
}

fn text(row: &RowView<'_>, field: &str) -> Option<String> {
    row.get(field).as_text().map(str::to_owned)
}

fn time_zone(machine: &Machine, user: &RowView<'_>) -> String {
    text(user, "TimeZoneSidKey").unwrap_or_else(|| machine.org.config().time_zone.clone())
}

fn locale(machine: &Machine, user: &RowView<'_>) -> String {
    text(user, "LocaleSidKey").unwrap_or_else(|| machine.org.config().locale.clone())
}

/// Tells how far a zone is ahead of UTC without daylight saving time, as the real answer does.
fn utc_offset_ms(time_zone: &str, now_s: i64) -> i64 {
    let offset = || {
        let zone = jiff::tz::TimeZone::get(time_zone).ok()?;
        let now = jiff::Timestamp::from_second(now_s).ok()?;
        let half_a_year = jiff::SignedDuration::from_hours(24 * 182);
        let other = now.checked_add(half_a_year).ok()?;
        Some(
            zone.to_offset(now)
                .seconds()
                .min(zone.to_offset(other).seconds()),
        )
    };
    i64::from(offset().unwrap_or(0)) * 1_000
}
