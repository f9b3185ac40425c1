//! The JWT bearer flow: a client says who it acts for, and signs that with a key the org knows.

use super::{
    identity,
    machine::Machine,
    message::Request,
    oauth::{Refusal, refusal},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

/// Where any org's assertions may say that they are for.
const LOGIN_HOSTS: [&str; 2] = [
    "https://login.salesforce.com",
    "https://test.salesforce.com",
];

const INVALID: Refusal = refusal("invalid_grant", "invalid assertion");
const EXPIRED: Refusal = refusal("invalid_grant", "expired authorization code");
const NOT_APPROVED: Refusal = refusal("invalid_grant", "user hasn't approved this consumer");

#[derive(Deserialize)]
struct Head {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    /// Seconds since the epoch; some clients write them as text.
    exp: serde_json::Value,
}

/// Tells for which user a client may act.
pub(super) fn user(
    machine: &Machine,
    request: &Request,
    assertion: &str,
) -> Result<String, Refusal> {
    let (signed, signature) = assertion.rsplit_once('.').ok_or(INVALID)?;
    let (head, claims) = signed.split_once('.').ok_or(INVALID)?;
    let head: Head = part(head)?;
    let claims: Claims = part(claims)?;
    if claims.iss != machine.auth.client_id {
        return Err(refusal("invalid_client_id", "client identifier invalid"));
    }
    let signature = BASE64_URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| INVALID)?;
    let is_signed = machine.auth.keys.iter().any(|key| {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
            .verify(signed.as_bytes(), &signature)
            .is_ok()
    });
    if head.alg != "RS256" || !is_signed {
        return Err(INVALID);
    }
    let own = identity::base_url(machine, &request.headers);
    if claims.aud.trim_end_matches('/') != own && !LOGIN_HOSTS.contains(&&*claims.aud) {
        return Err(refusal("invalid_grant", "audience is invalid"));
    }
    let end = match &claims.exp {
        serde_json::Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    let left = end.ok_or(INVALID)?.saturating_sub(machine.now_s());
    if left <= 0 || left > machine.switches.assertion_life_max_s {
        return Err(EXPIRED);
    }
    machine.user_named(&claims.sub).ok_or(NOT_APPROVED)
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| INVALID)?;
    serde_json::from_slice(&bytes).map_err(|_| INVALID)
}

/// `SEQUENCE { OBJECT rsaEncryption, NULL }`, which stands before the key proper.
const RSA_ENCRYPTION: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Reads a public RSA key in PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`) as ring wants it: PKCS #1, DER.
pub(crate) fn public_key(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let text: String = body.split_ascii_whitespace().collect();
    let der = BASE64_STANDARD.decode(text).ok()?;
    match label {
        "RSA PUBLIC KEY" => Some(der),
        "PUBLIC KEY" => {
            let at = der
                .windows(RSA_ENCRYPTION.len())
                .position(|window| window == RSA_ENCRYPTION)?;
            // BIT STRING, its length in one to three bytes, no unused bits, the key.
            let bits = der
                .get(at + RSA_ENCRYPTION.len()..)?
                .strip_prefix(&[0x03])?;
            let length_bytes = match bits.first()? {
                long @ 0x81..=0x82 => usize::from(long - 0x80),
                0x00..=0x7f => 0,
                _ => return None,
            };
            let key = bits.get(1 + length_bytes..)?.strip_prefix(&[0x00])?;
            Some(key.to_vec())
        }
        _ => None,
    }
}
