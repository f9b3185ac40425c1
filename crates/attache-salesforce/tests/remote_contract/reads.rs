//! Reads.

use crate::rig::{Rig, create, id_of, named, push};
use attache::{ErrorKind, Fields, ObjectSchema, Remote, ServerTime};
use attache_sandbox::{Fault, FaultKind};
use futures_lite::future::block_on;
use jiff::civil;
use serde_json::value::to_raw_value;
use std::collections::HashSet;

#[test]
fn the_user_behind_the_token_is_known() {
    for rig in Rig::both() {
        let jo = rig.user(0);
        let org = rig.org(0);
        assert_eq!(org.server_time(), None);
        let identity = block_on(org.identity()).unwrap();
        assert_eq!((identity.user_id, identity.username), (jo.id, jo.username));
        assert_eq!(identity.time_zone, "Europe/Berlin");
        assert_eq!(identity.locale, "en_US");
        assert!(identity.org_id.starts_with("00D"));
        assert_eq!(org.server_time(), Some(rig.now()));
        assert_eq!(org.usage().calls, rig.sandbox.requests());
    }
}

#[test]
fn a_describe_loads_as_a_schema_and_is_not_sent_twice() {
    for rig in Rig::both() {
        let org = rig.org(0);
        block_on(async {
            let account = org.describe("Account", None).await.unwrap().unwrap();
            let object = ObjectSchema::from_describe(&account.json).unwrap();
            assert!(object.field("External_Id__c").is_some());
            let known = account.last_modified.unwrap();
            assert!(
                org.describe("Account", Some(&known))
                    .await
                    .unwrap()
                    .is_none()
            );
            let missing = org.describe("No_Such__c", None).await.unwrap_err();
            assert_eq!(missing.kind(), ErrorKind::UnknownObject);
        });
    }
}

#[test]
fn a_query_gives_every_record_once_whatever_the_page_size() {
    for rig in Rig::both() {
        rig.sandbox
            .with_switches(|switches| switches.page_rows_max = 7);
        let org = rig.org(0);
        for _ in 0..20 {
            rig.create_there(0, "Account", "A");
        }
        let records = block_on(async {
            let mut page = org
                .query("SELECT Id, Name FROM Account ORDER BY Id")
                .await
                .unwrap();
            let total = page.total;
            let mut records = page.records;
            while let Some(next) = page.next {
                page = org.query_more(&next).await.unwrap();
                records.append(&mut page.records);
            }
            assert_eq!(total, records.len() as u64);
            records
        });
        let ids: HashSet<&str> = records.iter().map(|record| record.get()).collect();
        assert_eq!(ids.len(), records.len());
        assert!(records.len() > 7, "several pages");
    }
}

#[test]
fn a_query_of_any_length_is_answered() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let id = rig.create_there(0, "Account", "100 % of it + more & 'all'");
        let others = vec![format!("'{id}'"); 1_500].join(",");
        rig.sandbox.clear_log();
        let name = r"100 % of it + more & \'all\'";
        let short = format!("SELECT Id FROM Account WHERE Name = '{name}'");
        let long = format!("SELECT Id FROM Account WHERE Id IN ({others}) AND Name = '{name}'");
        block_on(async {
            assert_eq!(org.query(&short).await.unwrap().records.len(), 1);
            assert_eq!(org.query(&long).await.unwrap().records.len(), 1);
        });
        assert_eq!(rig.paths(), ["GET /query", "POST /composite"]);
    }
}

#[test]
fn a_refused_query_says_why() {
    for rig in Rig::both() {
        let org = rig.org(0);
        for (soql, kind) in [
            ("SELECT Id FROM No_Such__c", ErrorKind::UnknownObject),
            ("SELECT No_Such__c FROM Account", ErrorKind::UnknownField),
            (
                "SELECT Id FRM Account WHERE Name = 'Secret'",
                ErrorKind::RemoteRefused,
            ),
        ] {
            let error = block_on(org.query(soql)).unwrap_err();
            assert_eq!(error.kind(), kind, "{soql}: {error}");
            assert!(!error.to_string().contains("Secret"), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}

#[test]
fn a_query_that_the_org_forgot_is_an_expired_cursor() {
    for rig in Rig::both() {
        rig.sandbox
            .with_switches(|switches| switches.page_rows_max = 7);
        let org = rig.org(0);
        for _ in 0..20 {
            rig.create_there(0, "Account", "A");
        }
        let page = block_on(org.query("SELECT Id FROM Account")).unwrap();
        rig.sandbox.advance(3 * 86_400);
        rig.sandbox
            .with_switches(|switches| switches.session_idle_max_s = None);
        let expired = block_on(org.query_more(&page.next.unwrap())).unwrap_err();
        assert_eq!(expired.kind(), ErrorKind::CursorExpired);
    }
}

#[test]
fn what_is_hidden_or_deleted_is_not_retrieved() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let mine = rig.create_there(0, "Account", "Mine");
        let hidden = rig.create_there(1, "Account", "Theirs");
        let deleted = rig.create_there(0, "Account", "Gone");
        rig.delete_there(0, "Account", &deleted);
        let ids = [hidden, mine.clone(), deleted];
        let records = block_on(org.retrieve("Account", &ids, &["Name".to_owned()])).unwrap();
        assert!(records[0].is_none() && records[2].is_none());
        assert!(records[1].as_ref().unwrap().get().contains("\"Mine\""));
    }
}

#[test]
fn changes_and_deletions_are_listed_from_a_time_on() {
    for rig in Rig::both() {
        let org = rig.org(0);
        rig.sandbox.advance(7_200);
        let start = rig.now();
        rig.sandbox.advance(600);
        let changed = rig.create_there(0, "Account", "New");
        let deleted = rig.create_there(0, "Account", "Gone");
        rig.delete_there(0, "Account", &deleted);
        let deleted_at = rig.now();
        rig.sandbox.advance(75);
        block_on(async {
            let updated = org.updated("Account", start).await.unwrap();
            assert_eq!(updated.ids, [changed]);
            assert!(updated.latest_covered <= rig.now());
            assert!(updated.latest_covered.0 > rig.now().0 - 120);
            let deletions = org.deleted("Account", start).await.unwrap();
            assert_eq!(deletions.records, [(deleted, deleted_at)]);
            assert!(deletions.latest_covered <= rig.now());
            // The next window, at once: too short for the org, and made longer.
            let next = org
                .updated("Account", updated.latest_covered)
                .await
                .unwrap();
            assert!(next.latest_covered >= updated.latest_covered);
            org.deleted("Account", rig.now()).await.unwrap();
        });
    }
}

#[test]
fn no_change_falls_between_two_windows() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let mut from = rig.now();
        let mut seen = HashSet::new();
        let mut made = HashSet::new();
        for step in 0..40 {
            rig.sandbox.advance(7 * step % 53);
            made.insert(rig.create_there(0, "Account", "New"));
            if step % 3 == 0 {
                let updated = block_on(org.updated("Account", from)).unwrap();
                seen.extend(updated.ids);
                from = updated.latest_covered;
            }
        }
        rig.sandbox.advance(120);
        seen.extend(block_on(org.updated("Account", from)).unwrap().ids);
        assert!(made.is_subset(&seen));
    }
}

#[test]
fn a_window_does_not_pass_over_a_transaction_that_is_still_open() {
    for rig in Rig::both() {
        let org = rig.org(0);
        rig.sandbox.advance(600);
        let start = rig.now();
        let until = start.0 + 300;
        let user = rig.user(0).id;
        let fields = [("Name".to_owned(), to_raw_value("Late").unwrap())];
        let late = rig.sandbox.with_org(|org| {
            org.hold_open(until, |org| org.create(&user, "Account", &fields).unwrap())
        });
        rig.sandbox.advance(180);
        let first = block_on(org.updated("Account", start)).unwrap();
        assert!(!first.ids.contains(&late), "nobody can see it yet");
        assert!(first.latest_covered <= start, "{:?}", first.latest_covered);
        rig.sandbox.advance(180);
        let second = block_on(org.updated("Account", first.latest_covered)).unwrap();
        assert!(second.ids.contains(&late));
    }
}

#[test]
fn a_window_beyond_the_horizon_is_an_expired_cursor() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let long_ago = ServerTime(rig.now().0 - 40 * 86_400);
        block_on(async {
            let updated = org.updated("Account", long_ago).await.unwrap_err();
            assert_eq!(updated.kind(), ErrorKind::CursorExpired);
            let deleted = org.deleted("Account", long_ago).await.unwrap_err();
            assert_eq!(deleted.kind(), ErrorKind::CursorExpired);
            let missing = org.updated("No_Such__c", rig.now()).await.unwrap_err();
            assert_eq!(missing.kind(), ErrorKind::UnknownObject);
        });
    }
}

#[test]
fn a_read_that_is_lost_or_cut_off_may_be_sent_again() {
    for rig in Rig::both() {
        let org = rig.org(0);
        for kind in [
            FaultKind::LoseRequest,
            FaultKind::LoseAnswer,
            FaultKind::Truncate(40),
        ] {
            rig.sandbox.fail_next(Fault::new(kind));
            let lost = block_on(org.query("SELECT Id, Name FROM Account")).unwrap_err();
            assert_eq!(lost.kind(), ErrorKind::RemoteUnreachable, "{lost}");
            block_on(org.query("SELECT Id FROM Account")).unwrap();
        }
        let html = "<!DOCTYPE html><title>Down for maintenance</title>".to_owned();
        rig.sandbox
            .fail_next(Fault::new(FaultKind::Status(503, html)));
        let busy = block_on(org.query("SELECT Id FROM Account")).unwrap_err();
        assert_eq!(busy.kind(), ErrorKind::RemoteBusy);
    }
}

#[test]
fn the_end_of_the_day_s_calls_is_told() {
    for rig in Rig::both() {
        rig.sandbox.with_switches(|switches| {
            switches.daily_calls_max = 3;
            switches.usage_wobble = 0;
        });
        let org = rig.org(0);
        let stopped = block_on(async {
            for _ in 0..3 {
                org.query("SELECT Id FROM Account LIMIT 1").await.unwrap();
            }
            org.query("SELECT Id FROM Account LIMIT 1")
                .await
                .unwrap_err()
        });
        assert_eq!(stopped.kind(), ErrorKind::LimitReached);
        assert_eq!(org.usage().allowed, Some(3));
    }
}

#[test]
fn money_and_text_come_back_as_they_went() {
    for rig in Rig::both() {
        let org = rig.org(0);
        let money: rust_decimal::Decimal = "9999999999999999.99".parse().unwrap();
        let mut fields: Fields = named("Ünïcode \"quoted\" \\ \u{1F600}\nline @{x.y}");
        fields.set("Amount", money);
        fields.set("StageName", "Prospecting");
        fields.set("CloseDate", civil::date(2026, 3, 31));
        let done = push(&org, &[create("Opportunity", fields)]).unwrap();
        let id = id_of(&done[0]);
        let fields = ["Name", "Amount", "CloseDate"].map(String::from);
        let records = block_on(org.retrieve("Opportunity", &[id], &fields)).unwrap();
        let record = records[0].as_ref().unwrap().get();
        assert!(record.contains("9999999999999999.99"), "{record}");
        let json: serde_json::Value = serde_json::from_str(record).unwrap();
        assert_eq!(json["CloseDate"], "2026-03-31");
        assert_eq!(json["Name"], "Ünïcode \"quoted\" \\ \u{1F600}\nline @{x.y}");
    }
}
