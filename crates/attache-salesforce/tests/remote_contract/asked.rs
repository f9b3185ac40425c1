//! Questions that travel together.

use crate::rig::Rig;
use attache::{Answer, ErrorKind, Question, Remote, ServerTime};
use attache_salesforce::{Limits, Salesforce, StaticToken};
use attache_sandbox::{Fault, FaultKind};
use futures_lite::future::block_on;
use std::sync::Arc;

fn query(soql: &str) -> Question {
    Question::Query { soql: soql.into() }
}

fn describe(object: &str, known: Option<String>) -> Question {
    let object = object.into();
    Question::Describe { object, known }
}

/// What an answer says, in a form that can be compared.
fn told(answer: &attache::Result<Answer>) -> String {
    match answer {
        Ok(Answer::Page(page)) => {
            let records: Vec<&str> = page.records.iter().map(|record| record.get()).collect();
            format!("{} {}", page.total, records.concat())
        }
        Ok(Answer::Describe(answer)) => format!("{:?}", answer.as_ref().map(|one| one.json.len())),
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// One of each kind, good ones and bad ones side by side.
fn questions(start: ServerTime) -> Vec<Question> {
    let of = |object: &str| {
        let object = object.to_owned();
        let updated = Question::Updated {
            object: object.clone(),
            start,
        };
        [updated, Question::Deleted { object, start }]
    };
    let mut questions = vec![
        describe("Account", None),
        describe("No_Such__c", None),
        query("SELECT Id, Name FROM Account ORDER BY Id LIMIT 3"),
        query("SELECT Nothing FROM Account"),
        query("SELECT COUNT() FROM Contact"),
        query("SELEKT"),
    ];
    questions.extend(of("Account"));
    questions.extend(of("No_Such__c"));
    questions
}

#[test]
fn each_question_has_the_answer_that_it_has_alone_and_all_are_one_call() {
    for rig in Rig::both() {
        let kept = rig.create_there(0, "Account", "Kept");
        let gone = rig.create_there(0, "Account", "Gone");
        rig.delete_there(0, "Account", &gone);
        let org = rig.org(0);
        block_on(async {
            let start = ServerTime(rig.now().0 - 3_600);
            let questions = questions(start);
            let mut alone = Vec::new();
            for question in &questions {
                alone.push(told(&question.ask(&org).await));
            }
            let good: Vec<Question> = [0, 1, 2, 3, 4, 6, 7, 8, 9]
                .map(|at: usize| questions[at].clone())
                .to_vec();
            let before = rig.sandbox.requests();
            let together = org.ask(&good).await.unwrap();
            assert_eq!(rig.sandbox.requests(), before + 1);
            assert!(told(&together[5]).contains(&kept), "{:?}", together[5]);
            assert!(told(&together[6]).contains(&gone), "{:?}", together[6]);
            // What is no query at all is asked once more by itself, and keeps nobody from an answer.
            let together = org.ask(&questions).await.unwrap();
            let together: Vec<String> = together.iter().map(told).collect();
            assert_eq!(together, alone);
        });
    }
}

#[test]
fn a_describe_that_did_not_change_is_not_sent_again() {
    for rig in Rig::both() {
        let org = rig.org(0);
        block_on(async {
            let first = [describe("Account", None), describe("Contact", None)];
            let mut known = Vec::new();
            for answer in org.ask(&first).await.unwrap() {
                let Ok(Answer::Describe(Some(describe))) = answer else {
                    panic!("{answer:?}");
                };
                known.push(describe.last_modified);
            }
            assert!(known.iter().all(Option::is_some), "{known:?}");
            let again = [
                describe("Account", known[0].clone()),
                describe("Contact", known[1].clone()),
            ];
            for answer in org.ask(&again).await.unwrap() {
                assert!(matches!(answer, Ok(Answer::Describe(None))), "{answer:?}");
            }
        });
    }
}

#[test]
fn a_page_that_was_asked_for_in_company_goes_on() {
    for rig in Rig::both() {
        rig.sandbox
            .with_switches(|switches| switches.page_rows_max = 2);
        let org = rig.org(0);
        block_on(async {
            let questions = [
                query("SELECT Id FROM Account ORDER BY Id"),
                query("SELECT Id FROM Contact ORDER BY Id"),
            ];
            for answer in org.ask(&questions).await.unwrap() {
                let Ok(Answer::Page(mut page)) = answer else {
                    panic!("{answer:?}");
                };
                let (total, mut rows) = (page.total, page.records.len() as u64);
                while let Some(next) = page.next {
                    page = org.query_more(&next).await.unwrap();
                    rows += page.records.len() as u64;
                }
                assert!(total > 2, "several pages");
                assert_eq!(rows, total);
            }
        });
    }
}

#[test]
fn answers_that_are_too_large_together_come_one_by_one() {
    for rig in Rig::both() {
        let token = StaticToken::new(rig.user(0).access_token);
        for n in 0..10 {
            rig.create_there(0, "Account", &format!("{n}{}", "x".repeat(200)));
        }
        let questions = [10, 9, 8].map(|rows| {
            let soql = "SELECT Id, Name FROM Account WHERE Name LIKE '_xxx%' LIMIT";
            query(&format!("{soql} {rows}"))
        });
        let limits = Limits {
            response_bytes_max: 5_000,
            ..Limits::default()
        };
        let transport = Arc::clone(&rig.transport);
        let org = Salesforce::builder(&rig.url, token)
            .transport(transport)
            .limits(limits)
            .build()
            .unwrap();
        let answers = block_on(org.ask(&questions)).unwrap();
        for answer in &answers {
            assert!(matches!(answer, Ok(Answer::Page(page)) if !page.records.is_empty()));
        }
        assert_eq!(rig.sandbox.requests(), 4, "once together, then each");
    }
}

#[test]
fn what_befalls_the_call_befalls_all_its_questions_and_they_can_be_asked_again() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let questions = [
            query("SELECT COUNT() FROM Account"),
            query("SELECT COUNT() FROM Contact"),
        ];
        let html = "<html>signed out</html>".to_owned();
        for (fault, kind) in [
            (FaultKind::LoseAnswer, ErrorKind::RemoteUnreachable),
            (FaultKind::Truncate(60), ErrorKind::RemoteUnreachable),
            (FaultKind::Status(503, html.clone()), ErrorKind::RemoteBusy),
            (FaultKind::Status(200, html), ErrorKind::NotARemote),
        ] {
            rig.sandbox.fail_next(Fault::new(fault));
            let error = block_on(org.ask(&questions)).unwrap_err();
            assert_eq!(error.kind(), kind);
            let answers = block_on(org.ask(&questions)).unwrap();
            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        }
        rig.sandbox.revoke_tokens(&rig.user(0).id);
        let error = block_on(org.ask(&questions)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAuthorized);
    }
}

#[test]
fn an_org_that_does_not_want_them_together_is_asked_one_by_one() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let questions = [
            query("SELECT COUNT() FROM Account"),
            query("SELECT COUNT() FROM Contact"),
        ];
        let body = r#"[{"message":"not here","errorCode":"FUNCTIONALITY_NOT_ENABLED"}]"#;
        rig.sandbox
            .fail_next(Fault::new(FaultKind::Status(400, body.into())));
        let answers = block_on(org.ask(&questions)).unwrap();
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(rig.sandbox.requests(), 3);
    }
}
