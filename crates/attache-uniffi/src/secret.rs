//! What is printed of values that carry a secret: what they are, never the secret.
//!
//! Kotlin's data classes and Swift's structs print all they hold unless told otherwise, and what an application prints
//! ends in a log. Swift's `Mirror`, which no generated code covers, is told in `Secrets.swift`.

use crate::auth::SignedIn;
use crate::options::Key;
use crate::sandbox::SandboxUser;
use crate::tokens::AccessToken;
use crate::transport::{HttpHeader, HttpRequest, HttpResponse};

/// Writes `Display`, and `Debug` as the same.
macro_rules! shown {
    ($($type:ty: $it:ident, $f:ident => $write:expr;)*) => {
        $(
            impl std::fmt::Display for $type {
                fn fmt(&self, $f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    let $it = self;
                    $write
                }
            }

            impl std::fmt::Debug for $type {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    std::fmt::Display::fmt(self, f)
                }
            }
        )*
    };
}

shown! {
    AccessToken: it, f => match &it.instance_url {
        Some(url) => write!(f, "AccessToken(***, {url})"),
        None => f.write_str("AccessToken(***)"),
    };
    SignedIn: it, f => match it.refresh_token {
        Some(_) => f.write_str("SignedIn(***, with a refresh token)"),
        None => f.write_str("SignedIn(***, without a refresh token)"),
    };
    Key: it, f => match it {
        Key::Raw { .. } => f.write_str("Key.Raw(***)"),
        Key::Passphrase { .. } => f.write_str("Key.Passphrase(***)"),
    };
    SandboxUser: it, f => write!(f, "SandboxUser({}, {}, ***)", it.id, it.username);
    HttpHeader: it, f => write!(f, "{}: ***", it.name);
    // What stands behind the question mark is a query, with a person's words in it.
    HttpRequest: it, f => write!(
        f, "{} {}, {} headers, {} bytes",
        it.method, it.url.split('?').next().unwrap_or_default(), it.headers.len(), it.body.len(),
    );
    HttpResponse: it, f => write!(f, "{}, {} headers, {} bytes", it.status, it.headers.len(), it.body.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_prints_its_secret() {
        let token = AccessToken {
            token: "s3cret".into(),
            instance_url: Some("https://acme.my.salesforce.com".into()),
        };
        let header = HttpHeader {
            name: "Authorization".into(),
            value: "Bearer s3cret".into(),
        };
        let shown = [
            format!("{token} {token:?}"),
            SignedIn {
                access_token: token,
                refresh_token: Some("s3cret".into()),
            }
            .to_string(),
            Key::Passphrase {
                text: "s3cret".into(),
            }
            .to_string(),
            header.to_string(),
            HttpRequest {
                method: "GET".into(),
                url: "https://acme.my.salesforce.com/query?q=s3cret".into(),
                headers: vec![header.clone()],
                body: b"s3cret".to_vec(),
                response_bytes_max: 0,
            }
            .to_string(),
            HttpResponse {
                status: 200,
                headers: vec![header],
                body: b"s3cret".to_vec(),
            }
            .to_string(),
        ];
        for text in shown {
            assert!(!text.contains("s3cret") && !text.is_empty(), "{text}");
        }
    }
}
