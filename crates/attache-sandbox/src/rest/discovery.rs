//! What there is: the versions of the API, and the resources of one.

use super::{
    Call, NEWEST, OLDEST,
    failure::Failure,
    machine::Machine,
    message::{Request, Response},
};
use crate::json;
use indexmap::IndexMap;
use serde::Serialize;

#[derive(Serialize)]
struct Version {
    label: String,
    url: String,
    version: String,
}

/// `GET /services/data`: needs no session and is not counted.
pub(super) fn versions(request: &Request) -> Response {
    if !matches!(&*request.method, "GET" | "HEAD") {
        return Failure::method(&request.method, "HEAD,GET").answer();
    }
    let versions: Vec<Version> = (OLDEST..=NEWEST)
        .map(|version| Version {
            label: release(version),
            url: format!("/services/data/v{version}.0"),
            version: format!("{version}.0"),
        })
        .collect();
    Response::json(200, json::write(&versions))
}

/// Names the release of a version: three a year, 31.0 being that of summer 2014.
fn release(version: u16) -> String {
    let since = version - OLDEST;
    let season = ["Summer", "Winter", "Spring"][usize::from(since % 3)];
    format!("{season} '{}", 14 + since.div_ceil(3))
}

/// `GET /services/data/vXX.X/`
pub(super) fn root(machine: &Machine, call: &Call<'_>) -> Result<Response, Failure> {
    call.only("HEAD,GET")?;
    let base = format!("/services/data/v{}", call.version);
    let mut resources: IndexMap<&str, String> = [
        "sobjects",
        "query",
        "queryAll",
        "limits",
        "recent",
        "composite",
    ]
    .into_iter()
    .map(|name| (name, format!("{base}/{name}")))
    .collect();
    let url = super::identity::base_url(machine, call.headers);
    resources.insert(
        "identity",
        format!("{url}/id/{}/{}", machine.org.config().org_id, call.actor),
    );
    Ok(Response::json(200, json::write(&resources)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_their_names() {
        let known = [
            (31, "Summer '14"),
            (32, "Winter '15"),
            (48, "Spring '20"),
            (65, "Winter '26"),
            (67, "Summer '26"),
        ];
        for (version, name) in known {
            assert_eq!(release(version), name);
        }
    }
}
