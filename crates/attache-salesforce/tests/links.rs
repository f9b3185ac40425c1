//! A token goes to the org's host only, whatever an answer names as a place to go to.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use attache::{ErrorKind, Fields, Remote, Result, Write, WriteAction};
use attache_salesforce::{
    AccessToken, ClientCredentials, HttpRequest, RefreshToken, Salesforce, TokenProvider,
};
use futures_lite::future::block_on;
use script::{Answer, Script, URL, VERSIONS, json, recorded, with};
use std::sync::Arc;
use url::Url;

const EMPTY: &str = r#"{"totalSize":0,"done":true,"records":[]}"#;
const SOQL: &str = "SELECT Id FROM Account";

/// Links that lead to somebody else, however they are read.
const AWAY: [&str; 22] = [
    "https://evil.example/services/data/v67.0/query/01g-2000",
    "http://acme.my.salesforce.com/services/data/v67.0/query/01g-2000",
    "//evil.example/x",
    "///evil.example/x",
    "/\\evil.example/x",
    "\\\\evil.example/x",
    "\\/evil.example/x",
    "https:\\\\evil.example/x",
    "https://acme.my.salesforce.com@evil.example/x",
    "https://acme.my.salesforce.com:pw@evil.example/x",
    "https://acme.my.salesforce.com:8443/x",
    "https://acme.my.salesforce.com.evil.example/x",
    "https://acme.my.salesforce.com./x",
    "https://xn--cme-7cd.my.salesforce.com/x",
    "https://\u{430}cme.my.salesforce.com/x",
    "https://evil.example%2f.my.salesforce.com/x",
    "https://evil.example%00.my.salesforce.com/x",
    "\t//evil.example/x",
    "/\n/evil.example/x",
    "https://evil.example\r\nHost: acme.my.salesforce.com/x",
    "ftp://acme.my.salesforce.com/x",
    "javascript:alert(1)",
];

/// Links that look odd and lead to the org: its own host in other letters, or a path.
const HOME: [&str; 9] = [
    "/services/data/v67.0/query/01g-2000",
    "HTTPS://ACME.MY.SALESFORCE.COM/services/data/v67.0/query/01g-2000",
    "https://acme.my.salesforce.com:443/x",
    "https://\u{ff41}cme.my.salesforce.com/x",
    "https://acme%2emy.salesforce.com/x",
    "https://jo:pw@acme.my.salesforce.com/x",
    "/x\r\nAuthorization: Bearer y",
    "/x/../../..//evil.example",
    "x/@evil.example",
];

fn page(next: &str) -> String {
    let next = serde_json::to_string(next).unwrap();
    format!(r#"{{"totalSize":9,"done":false,"nextRecordsUrl":{next},"records":[{{"Id":"001"}}]}}"#)
}

/// Every request went to the org, by its host alone, and is one request.
fn check(requests: &[HttpRequest], what: &str) {
    for request in requests {
        let text = &request.url;
        assert!(
            text.starts_with(&format!("{URL}/")) && !text.contains(char::is_control),
            "{what}: {text}"
        );
        let url = Url::parse(text).unwrap();
        assert_eq!(url.origin(), Url::parse(URL).unwrap().origin(), "{what}");
        assert_eq!((url.username(), url.password()), ("", None), "{what}");
        for (name, value) in &request.headers {
            assert!(!name.contains(char::is_control), "{what}: {name}");
            assert!(!value.contains(char::is_control), "{what}: {value}");
        }
    }
}

/// The answers of an org that says `link` wherever it can, what is asked, and what it comes to.
type Asked = fn(&Salesforce, &str) -> Result<()>;

/// Every place where an answer names another place, but for the token service.
fn places(link: &str) -> Vec<(&'static str, Vec<Answer>, Asked)> {
    let quoted = serde_json::to_string(link).unwrap();
    let record = format!(r#"{{"attributes":{{"url":{quoted}}},"Id":"001"}}"#);
    let header = link.replace(['\r', '\n'], "");
    let job = format!(r#"{{"id":{quoted},"state":"JobComplete","numberRecordsProcessed":9}}"#);
    vec![
        (
            "the first page",
            vec![json(200, page(link)), json(200, EMPTY)],
            |org, _| {
                let first = block_on(org.query(SOQL))?;
                block_on(org.query_more(&first.next.unwrap())).map(drop)
            },
        ),
        (
            "a later page",
            vec![json(200, page(link)), json(200, EMPTY)],
            |org, _| {
                let next = "/services/data/v67.0/query/01g-1";
                let page = block_on(org.query_more(next))?;
                block_on(org.query_more(&page.next.unwrap())).map(drop)
            },
        ),
        ("a kept place", vec![json(200, EMPTY)], |org, link| {
            block_on(org.query_more(link)).map(drop)
        }),
        (
            "a kept place after empty pages",
            vec![json(200, EMPTY)],
            |org, link| block_on(org.query_more(&format!("empty:3 {link}"))).map(drop),
        ),
        (
            "a record",
            vec![json(
                200,
                format!(r#"{{"totalSize":1,"done":true,"records":[{record}]}}"#),
            )],
            |org, _| block_on(org.query(SOQL)).map(drop),
        ),
        (
            "the identity",
            vec![
                json(200, VERSIONS),
                json(200, format!(r#"{{"identity":{quoted}}}"#)),
            ],
            |org, _| block_on(org.identity()).map(drop),
        ),
        (
            "the identity, with ids",
            vec![
                json(200, VERSIONS),
                json(
                    200,
                    format!(
                        r#"{{"identity":{}}}"#,
                        serde_json::to_string(&format!(
                            "{link}/id/00D1a000000H3O9EAK/0051a000000UGT8AAO"
                        ))
                        .unwrap()
                    ),
                ),
                json(
                    200,
                    r#"{"username":"jo","timezone":"UTC","locale":"en_US"}"#,
                ),
            ],
            |org, _| block_on(org.identity()).map(drop),
        ),
        (
            "the id of a job",
            vec![
                json(200, job),
                with(json(200, "Id\n001\n"), "Sforce-Locator", "null"),
                json(204, ""),
            ],
            |org, _| block_on(org.file_page("750")).map(drop),
        ),
        (
            "the locator of a file",
            vec![
                json(
                    200,
                    r#"{"id":"750","state":"JobComplete","numberRecordsProcessed":2}"#,
                ),
                with(json(200, "Id\n001\n"), "Sforce-Locator", &header),
                with(json(200, "Id\n002\n"), "Sforce-Locator", "null"),
                json(204, ""),
            ],
            |org, _| {
                let page = block_on(org.file_page("750"))?.unwrap();
                match page.next {
                    Some(next) => block_on(org.query_more(&next)).map(drop),
                    None => Ok(()),
                }
            },
        ),
        (
            "the place of a record made",
            vec![with(
                json(
                    200,
                    r#"[{"id":"001D000000JliSTIAZ","success":true,"errors":[]}]"#,
                ),
                "Location",
                &header,
            )],
            |org, _| {
                let batch = [Write {
                    object: "Account".into(),
                    action: WriteAction::Create {
                        fields: Fields::from([("Name", "Acme")]),
                    },
                    allow_duplicates: false,
                }];
                block_on(org.push(&batch, &mut |_, _| Ok(())))
            },
        ),
    ]
}

#[test]
fn no_answer_leads_a_token_to_another_host() {
    for link in AWAY.into_iter().chain(HOME) {
        for (place, answers, ask) in places(link) {
            let script = Script::new(answers);
            let outcome = ask(&script.org(), link);
            check(&script.requests(), &format!("{place}: {link:?}"));
            assert!(
                !script.requests().is_empty() || outcome.is_err(),
                "{place}: {link:?}"
            );
        }
    }
}

#[test]
fn a_page_elsewhere_is_an_error_and_one_here_is_read() {
    for link in AWAY {
        for first in [
            "the first page",
            "a later page",
            "a kept place",
            "a kept place after empty pages",
        ] {
            let (_, answers, ask) = places(link)
                .into_iter()
                .find(|(place, ..)| *place == first)
                .unwrap();
            let script = Script::new(answers);
            let error = ask(&script.org(), link).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotARemote, "{first}: {link:?}");
            assert!(!error.to_string().contains("evil"), "{error}");
        }
    }
    for link in HOME {
        let script = Script::new([json(200, EMPTY)]);
        assert!(block_on(script.org().query_more(link)).is_ok(), "{link:?}");
    }
}

#[test]
fn no_call_follows_a_redirect() {
    let write = |action| {
        [Write {
            object: "Account".into(),
            action,
            allow_duplicates: false,
        }]
    };
    let fields = || Fields::from([("Name", "Acme")]);
    for status in [301, 302, 303, 307, 308] {
        for link in AWAY.into_iter().chain(HOME) {
            let away = || {
                Script::new([with(
                    json(status, ""),
                    "Location",
                    &link.replace(['\r', '\n'], ""),
                )])
            };
            let ask = |call: &dyn Fn(&Salesforce) -> Option<ErrorKind>| {
                let script = away();
                assert_eq!(
                    call(&script.org()),
                    Some(ErrorKind::NotARemote),
                    "{status} {link:?}"
                );
                assert_eq!(script.requests().len(), 1, "{status} {link:?}");
                check(&script.requests(), link);
            };
            ask(&|org| block_on(org.query(SOQL)).err().map(|error| error.kind()));
            ask(&|org| block_on(org.identity()).err().map(|error| error.kind()));
            ask(&|org| {
                block_on(org.describe("Account", None))
                    .err()
                    .map(|error| error.kind())
            });
            ask(&|org| {
                block_on(org.file_page("750"))
                    .err()
                    .map(|error| error.kind())
            });
            ask(&|org| {
                let batch = write(WriteAction::Create { fields: fields() });
                let pushed = block_on(org.push(&batch, &mut |_, _| Ok(())));
                pushed.err().map(|error| error.kind())
            });
        }
    }
}

/// A provider's token service says where the token is good.
#[test]
fn a_token_service_sends_a_token_to_salesforce_only() {
    let granted = |url: &str| {
        let url = serde_json::to_string(url).unwrap();
        json(
            200,
            format!(r#"{{"access_token":"00D!t","instance_url":{url}}}"#),
        )
    };
    let tokens: [fn(Script) -> Box<dyn TokenProvider>; 2] = [
        |script| {
            let tokens = RefreshToken::new(URL, "client", "refresh").unwrap();
            Box::new(tokens.with_transport(Arc::new(script)))
        },
        |script| {
            let tokens = ClientCredentials::new(URL, "client", "secret").unwrap();
            Box::new(tokens.with_transport(Arc::new(script)))
        },
    ];
    for make in tokens {
        for link in AWAY.into_iter().chain(HOME) {
            // An instance URL is a host, so that a path is not the reason for a refusal.
            let host = link
                .split("/services")
                .next()
                .unwrap()
                .trim_end_matches("/x");
            let script = Script::new([granted(host), json(200, EMPTY)]);
            let org = Salesforce::builder(URL, make(script.clone()))
                .transport(Arc::new(script.clone()))
                .build()
                .unwrap();
            let outcome = block_on(org.query(SOQL));
            for request in script.requests() {
                let url = Url::parse(&request.url).unwrap();
                let name = url.host_str().unwrap();
                assert!(name.ends_with(".salesforce.com"), "{host:?}: {url}");
                assert_eq!((url.scheme(), url.port()), ("https", None), "{host:?}");
                assert_eq!((url.username(), url.password()), ("", None), "{host:?}");
            }
            // Whatever stands before it, that domain is Salesforce's.
            if AWAY.contains(&link) && !host.ends_with(".my.salesforce.com") {
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NotARemote, "{host:?}");
                assert_eq!(script.requests().len(), 1, "it went nowhere: {host:?}");
            }
        }
    }
}

#[test]
fn a_move_while_a_session_runs_is_followed_within_salesforce() {
    struct Moves;
    #[async_trait::async_trait]
    impl TokenProvider for Moves {
        async fn access_token(&self) -> Result<AccessToken> {
            Ok(AccessToken::new("old"))
        }
        async fn refresh(&self, _: &AccessToken) -> Result<AccessToken> {
            Ok(AccessToken::new("new").with_instance_url("https://acme2.my.salesforce.com"))
        }
    }
    let script = Script::new([
        json(401, recorded("expired_session_response.json")),
        json(200, page("/services/data/v67.0/query/01g-1")),
        json(200, EMPTY),
    ]);
    let org = Salesforce::builder(URL, Moves)
        .transport(Arc::new(script.clone()))
        .build()
        .unwrap();
    let first = block_on(org.query(SOQL)).unwrap();
    block_on(org.query_more(&first.next.unwrap())).unwrap();
    let sent: Vec<(String, String)> = script
        .requests()
        .iter()
        .map(|request| {
            let host = Url::parse(&request.url)
                .unwrap()
                .host_str()
                .unwrap()
                .to_owned();
            (host, request.header("Authorization").unwrap().to_owned())
        })
        .collect();
    let at = |host: &str, token: &str| {
        (
            format!("{host}.my.salesforce.com"),
            format!("Bearer {token}"),
        )
    };
    assert_eq!(
        sent,
        [at("acme", "old"), at("acme2", "new"), at("acme2", "new")]
    );
}

#[test]
fn pages_without_an_end_are_given_up() {
    let next = |n: u32| format!("/services/data/v67.0/query/01g-{n}");
    let empty = |n: u32| {
        json(
            200,
            format!(
                r#"{{"totalSize":9,"done":false,"nextRecordsUrl":"{}","records":[]}}"#,
                next(n)
            ),
        )
    };
    let script = Script::new((0..200).map(empty));
    let org = script.org();
    let mut page = block_on(org.query(SOQL)).unwrap();
    let error = loop {
        match block_on(org.query_more(&page.next.unwrap())) {
            Ok(further) => page = further,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::NotARemote);
    assert_eq!(script.requests().len(), 101);

    // Rows in between start the count again, and a page that names itself ends at once.
    let script = Script::new([
        empty(1),
        json(200, page_at(&next(2))),
        empty(3),
        json(200, page_at(&next(3))),
    ]);
    let org = script.org();
    let mut page = block_on(org.query(SOQL)).unwrap();
    for _ in 0..2 {
        page = block_on(org.query_more(&page.next.unwrap())).unwrap();
    }
    assert_eq!(
        page.next.as_deref(),
        Some("empty:1 /services/data/v67.0/query/01g-3")
    );
    let error = block_on(org.query_more(&page.next.unwrap())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotARemote);
}

fn page_at(next: &str) -> String {
    page(next)
}
