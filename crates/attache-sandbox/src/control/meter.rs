//! How many requests of each kind were made.

use crate::rest::{Request, Target};
use std::collections::BTreeMap;

/// Counts requests by what they ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(BTreeMap<&'static str, u64>);

impl Meter {
    pub(crate) fn count(&mut self, request: &Request) {
        *self.0.entry(kind(request)).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.clone()
    }
}

/// Names what a request asks for.
fn kind(request: &Request) -> &'static str {
    let target = Target::parse(&request.target);
    let path: Vec<&str> = target.segments.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["services", "oauth2", "token"] => "token",
        ["services", "oauth2", "authorize"] => "authorize",
        ["services", "oauth2", "revoke"] => "revoke",
        ["services", "oauth2", "userinfo"] | ["id", ..] => "identity",
        ["services", "data"] => "versions",
        ["services", "data", _, rest @ ..] => data(rest, &request.method),
        _ => "other",
    }
}

fn data(path: &[&str], method: &str) -> &'static str {
    match (path, method) {
        ([], _) => "root",
        (["sobjects"], _) => "describe_global",
        (["sobjects", _, "describe", _, ..] | ["ui-api", ..], _) => "layouts",
        (["sobjects", _, "listviews", ..], _) => "list_views",
        (["sobjects", "ContentVersion", _, "VersionData"], _) => "file_body",
        (["sobjects", _, "describe"], _) => "describe",
        (["sobjects", _, "updated"], _) => "updated",
        (["sobjects", _, "deleted"], _) => "deleted",
        (["sobjects", _], "POST") => "create",
        (["sobjects", _], _) => "describe",
        (["sobjects", _, _, _], "POST" | "PATCH") => "upsert",
        (["sobjects", ..], "POST" | "PATCH") => "update",
        (["sobjects", ..], "DELETE") => "delete",
        (["sobjects", ..], _) => "read",
        (["query" | "queryAll"], _) => "query",
        (["query" | "queryAll", ..], _) => "query_more",
        (["limits", ..], _) => "limits",
        (["recent"], _) => "recent",
        (["composite"], _) => "composite",
        (["composite", "batch"], _) => "composite_batch",
        (["composite", "graph"], _) => "composite_graph",
        (["composite", "tree", ..], _) => "composite_tree",
        (["composite", "sobjects", ..], "GET") | (["composite", "sobjects", _], "POST") => {
            "retrieve"
        }
        (["composite", "sobjects", ..], _) => "collections",
        (["jobs", "query", _, "results" | "resultPages"], _) => "bulk_results",
        (["jobs", "query", ..], _) => "bulk_query",
        (["jobs", "ingest", ..], _) => "bulk_ingest",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_what_they_ask_for() {
        let mut meter = Meter::default();
        for (method, path) in [
            ("GET", "/services/data"),
            ("POST", "/services/oauth2/token"),
            ("GET", "/services/data/v67.0/query?q=SELECT+Id+FROM+Account"),
            ("GET", "/services/data/v67.0/query/01g-2000"),
            ("GET", "/services/data/v67.0/query/01g-4000"),
            (
                "PATCH",
                "/services/data/v67.0/sobjects/Account/Key__c/a%2Fb",
            ),
            ("PATCH", "/services/data/v67.0/sobjects/Account/001"),
            ("PATCH", "/services/data/v67.0/composite/sobjects"),
            ("POST", "/services/data/v67.0/composite/sobjects/Account"),
            (
                "GET",
                "/services/data/v67.0/jobs/query/750/results?locator=x",
            ),
            ("GET", "/services/data/v67.0/sobjects/Account/describe"),
            (
                "GET",
                "/services/data/v67.0/sobjects/Account/describe/layouts",
            ),
            (
                "GET",
                "/services/data/v67.0/sobjects/Account/listviews/00B/describe",
            ),
            (
                "GET",
                "/services/data/v67.0/sobjects/ContentVersion/068/VersionData",
            ),
            ("GET", "/favicon.ico"),
        ] {
            meter.count(&Request::new(method, path));
        }
        let told: Vec<(&str, u64)> = meter.counts().into_iter().collect();
        assert_eq!(
            told,
            [
                ("bulk_results", 1),
                ("collections", 1),
                ("describe", 1),
                ("file_body", 1),
                ("layouts", 1),
                ("list_views", 1),
                ("other", 1),
                ("query", 1),
                ("query_more", 2),
                ("retrieve", 1),
                ("token", 1),
                ("update", 1),
                ("upsert", 1),
                ("versions", 1),
            ]
        );
    }
}
