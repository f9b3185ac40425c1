//! Tokens that expire, rotate and are revoked.

use crate::rig::Rig;
use attache::{ErrorKind, Remote};
use attache_salesforce::{ClientCredentials, RefreshToken, TokenProvider};
use futures_lite::future::{block_on, zip};
use std::sync::{Arc, Mutex};

const SOQL: &str = "SELECT Id FROM Account LIMIT 1";

fn refreshing(rig: &Rig, stored: &Arc<Mutex<Vec<String>>>) -> impl TokenProvider + use<> {
    let (client, secret) = rig.sandbox.client();
    let stored = Arc::clone(stored);
    RefreshToken::new(&rig.url, client, rig.user(0).refresh_token)
        .unwrap()
        .with_client_secret(secret)
        .with_transport(Arc::clone(&rig.transport))
        .on_rotated(move |token| {
            stored.lock().unwrap().push(token.to_owned());
            Ok(())
        })
}

#[test]
fn an_expired_session_is_renewed_unseen() {
    for rig in Rig::both() {
        rig.sandbox
            .with_switches(|switches| switches.rotates_refresh_tokens = true);
        let stored = Arc::default();
        let org = rig.org_of(refreshing(&rig, &stored));
        let user = rig.user(0).id;
        block_on(async {
            org.query(SOQL).await.unwrap();
            rig.sandbox.expire_tokens(&user);
            rig.sandbox.clear_log();
            let (a, b) = zip(org.query(SOQL), org.query(SOQL)).await;
            assert!(a.is_ok() && b.is_ok());
            let refreshes = rig
                .paths()
                .iter()
                .filter(|path| path.contains("oauth2"))
                .count();
            assert_eq!(refreshes, 1);
            rig.sandbox.expire_tokens(&user);
            org.query(SOQL).await.unwrap();
        });
        assert_eq!(
            stored.lock().unwrap().len(),
            3,
            "one new refresh token for each refresh"
        );
    }
}

#[test]
fn a_revoked_user_must_sign_in() {
    for rig in Rig::both() {
        let stored = Arc::default();
        let org = rig.org_of(refreshing(&rig, &stored));
        block_on(async {
            org.query(SOQL).await.unwrap();
            rig.sandbox.revoke_tokens(&rig.user(0).id);
            for _ in 0..2 {
                let error = org.query(SOQL).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::NotAuthorized);
            }
        });
        let error = block_on(rig.org(0).query(SOQL)).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::NotAuthorized,
            "a token that cannot be renewed"
        );
    }
}

#[test]
fn an_integration_signs_in_by_itself() {
    for rig in Rig::both() {
        let (client, secret) = rig.sandbox.client();
        let tokens = |secret: &str| {
            ClientCredentials::new(&rig.url, client.clone(), secret)
                .unwrap()
                .with_transport(Arc::clone(&rig.transport))
        };
        let identity = block_on(rig.org_of(tokens(&secret)).identity()).unwrap();
        assert_eq!(identity.username, "integration@sandbox.example");
        let error = block_on(rig.org_of(tokens("wrong")).identity()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAuthorized);
    }
}
