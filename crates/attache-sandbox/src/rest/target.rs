//! Reads a request's target: path segments and query parameters, decoded.

/// A decoded target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// Path segments without empty ones: a trailing slash changes nothing.
    pub(crate) segments: Vec<String>,
    /// Query parameters in order.
    pub(crate) query: Vec<(String, String)>,
}

impl Target {
    /// Reads a path and query.
    pub(crate) fn parse(target: &str) -> Target {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Target {
            segments: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(decode)
                .collect(),
            query: form(query),
        }
    }
}

/// Reads `a=b&c=d`, where `+` is a blank.
pub(crate) fn form(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// Finds a parameter by its exact name.
pub(crate) fn parameter<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// Percent-encodes everything but letters and digits.
pub(crate) fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Undoes percent-encoding in a path. A `%` that starts no escape stays as it is.
fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_paths_and_parameters() {
        let target =
            Target::parse("/services/data/v67.0/sobjects/A%2fB/x+y/?q=a+b%2Bc%20d&e&f=%zz");
        assert_eq!(
            target.segments,
            ["services", "data", "v67.0", "sobjects", "A/B", "x+y"]
        );
        assert_eq!(parameter(&target.query, "q"), Some("a b+c d"));
        assert_eq!(parameter(&target.query, "e"), Some(""));
        assert_eq!(parameter(&target.query, "f"), Some("%zz"));
        assert_eq!(parameter(&target.query, "g"), None);
    }

    #[test]
    fn encodes_what_it_decodes() {
        let text = "Ä b+c%/?&='";
        assert_eq!(decode(&encode(text)), text);
    }
}
