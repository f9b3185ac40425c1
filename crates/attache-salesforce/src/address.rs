//! Where the org lives, and which links stay there.

use attache::{Error, ErrorKind, Result};
use std::fmt;
use url::{Host, Url};

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

    /// Reads the address that came with a token.
    ///
    /// # Errors
    /// `NotARemote` if it is no address, or one less safe than `self`.
    pub(crate) fn moved_to(&self, text: &str) -> Result<Address> {
        let address = Address::parse(text).map_err(|cause| {
            let message = format!("{self} gave a token for an address that cannot be used");
            Error::new(ErrorKind::NotARemote, message).with_source(cause)
        })?;
        if self.0.scheme() == "https" && address.0.scheme() != "https" {
            let message = format!("{self} gave a token for an address without https");
            return Err(Error::new(ErrorKind::NotARemote, message));
        }
        Ok(address)
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

    fn acme() -> Address {
        Address::parse("https://acme.my.salesforce.com").unwrap()
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
    fn a_token_cannot_move_the_org_off_https() {
        assert!(acme().moved_to("https://acme2.my.salesforce.com").is_ok());
        let error = acme().moved_to("http://127.0.0.1:80").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotARemote);
    }
}
