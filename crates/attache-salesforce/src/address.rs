//! Where the org lives, and which links stay there.

use attache::{Error, ErrorKind, Result};
use std::fmt;
use url::{Host, Url};

/// The domains below which Salesforce serves its API, in the public clouds, the government's and China.
///
/// Sites (`force.com`, `my.site.com`) are not among them: customers' code answers there.
const SALESFORCE: [&str; 4] = [
    "salesforce.com",
    "salesforce.mil",
    "cloudforce.com",
    "sfcrmproducts.cn",
];

/// The origin of an org: scheme, host and port. A token never leaves it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(Url);

impl Address {
    /// Reads an instance URL.
    ///
    /// # Errors
    /// `InvalidArgument` for anything but `https://host[:port]`; `http` is let
    /// through for the machine itself, where a test org runs.
    pub(crate) fn parse(text: &str) -> Result<Address> {
        let invalid = |why: &str| {
            let kind = ErrorKind::InvalidArgument;
            Error::new(kind, format!("the instance URL {why}"))
        };
        let url = Url::parse(text.trim())
            .map_err(|_| invalid("is not a URL like https://acme.my.salesforce.com"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("must not hold a name or a password"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("must be a host only, without a path"));
        }
        let address = Address(url);
        match address.0.scheme() {
            "https" if address.0.host().is_some() => Ok(address),
            "http" if address.is_loopback() => Ok(address),
            "http" => Err(invalid(
                "must start with https:// (http is for this machine only)",
            )),
            _ => Err(invalid("must start with https://")),
        }
    }

    /// Reads the address that came with a token, where the token is going to be sent.
    ///
    /// An org may move from one host of Salesforce to another. Away from there nothing is known of
    /// who answers, so that the host stays what it was: whoever can make a token service name a
    /// host must not get tokens sent to it. An org on this machine stays on it.
    ///
    /// # Errors
    /// `NotARemote` if it is no address, one less safe than `self`, or one of somebody else.
    pub(crate) fn moved_to(&self, text: &str) -> Result<Address> {
        let address = Address::parse(text).map_err(|cause| {
            let message = format!("{self} gave a token for an address that cannot be used");
            Error::new(ErrorKind::NotARemote, message).with_source(cause)
        })?;
        if self.0.scheme() == "https" && address.0.scheme() != "https" {
            let message = format!("{self} gave a token for an address without https");
            return Err(Error::new(ErrorKind::NotARemote, message));
        }
        let known = address.0.origin() == self.0.origin()
            || (self.is_of_salesforce() && address.is_of_salesforce())
            || (self.is_loopback() && address.is_loopback());
        match known {
            true => Ok(address),
            false => Err(Error::new(
                ErrorKind::NotARemote,
                format!("{self} gave a token for a host that is not one of Salesforce's"),
            )),
        }
    }

    /// Says whether Salesforce answers at this address, at the port of https.
    fn is_of_salesforce(&self) -> bool {
        let Some(Host::Domain(name)) = self.0.host() else {
            return false;
        };
        self.0.port().is_none()
            && SALESFORCE.iter().any(|domain| {
                name.strip_suffix(domain)
                    .is_some_and(|rest| rest.ends_with('.'))
            })
    }

    /// Says whether the org is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }

    /// The URL of a path that starts with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// Brings a link out of an answer to a path on this address.
    ///
    /// # Errors
    /// `NotARemote` if the link leads to another host: following it would carry
    /// the token there.
    pub(crate) fn path_of(&self, link: &str) -> Result<String> {
        match self.0.join(link) {
            Ok(url) if url.origin() == self.0.origin() => Ok(match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            }),
            _ => Err(Error::new(
                ErrorKind::NotARemote,
                format!("{self} answered with a link to another host; it was not followed"),
            )),
        }
    }

    fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://acme.my.salesforce.com";

    fn acme() -> Address {
        Address::parse(URL).unwrap()
    }

    #[test]
    fn only_https_and_this_machine_are_addresses() {
        for good in [
            "https://acme.my.salesforce.com",
            "https://acme.my.salesforce.com/",
            "http://127.0.0.1:8080",
            "http://[::1]:9",
            "http://localhost:9",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "acme",
            "ftp://acme.com",
            "http://acme.my.salesforce.com",
            "http://127.0.0.1.evil.example",
            "https://jo:secret@acme.com",
            "https://acme.com/services",
            "https://acme.com/?q=1",
            "data:text/plain,x",
        ] {
            let error = Address::parse(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_link_is_followed_on_the_same_host_only() {
        let next = "/services/data/v67.0/query/01g-2000";
        assert_eq!(acme().path_of(next).unwrap(), next);
        let absolute = format!("https://acme.my.salesforce.com{next}");
        assert_eq!(acme().path_of(&absolute).unwrap(), next);
        for away in [
            "//evil.example/services/data/v67.0/query/01g-2000",
            "https://evil.example/x",
            "http://acme.my.salesforce.com/x",
            "https://acme.my.salesforce.com@evil.example/x",
            "https://acme.my.salesforce.com:444/x",
            "\\\\evil.example/x",
            "javascript:alert(1)",
        ] {
            let error = acme().path_of(away).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotARemote, "{away}");
        }
    }

    #[test]
    fn a_token_moves_the_org_within_salesforce_only() {
        let custom = "https://crm.acme.example";
        let here = "http://127.0.0.1:8080";
        for (from, to) in [
            (URL, URL),
            (URL, "https://acme2.my.salesforce.com/"),
            (
                "https://login.salesforce.com",
                "https://acme--uat.sandbox.my.salesforce.com",
            ),
            ("https://login.salesforce.com", "https://na1.salesforce.com"),
            (custom, custom),
            (here, "http://localhost:9"),
        ] {
            let from = Address::parse(from).unwrap();
            assert!(from.moved_to(to).is_ok(), "{from} to {to}");
        }
        for (from, to) in [
            (URL, "http://127.0.0.1:80"),
            (URL, "https://127.0.0.1"),
            (URL, "https://evil.example"),
            (URL, "https://evilsalesforce.com"),
            (URL, "https://salesforce.com.evil.example"),
            (URL, "https://salesforce.com@evil.example"),
            (URL, "https://acme.my.salesforce.com:8443"),
            (URL, "https://acme.my.salesforce.com."),
            (URL, "https://acme.force.com"),
            (URL, "https://xn--slesforce-rcf.com"),
            (URL, "//evil.example"),
            (custom, "https://acme.my.salesforce.com"),
            (URL, custom),
            (here, "https://evil.example"),
            (here, URL),
        ] {
            let from = Address::parse(from).unwrap();
            let error = from.moved_to(to).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotARemote, "{from} to {to}");
        }
    }
}
