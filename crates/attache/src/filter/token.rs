//! Splits a text into tokens.

use crate::error::{Error, ErrorKind, Result};

/// The longest statement that the server takes, in characters.
pub(crate) const STATEMENT_CHARS_MAX: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    /// A keyword or a name.
    Word(&'a str),
    /// What stands between two quotes, with its escapes.
    Text(&'a str),
    /// What begins with a digit or a sign: a number, a date or a datetime.
    Figure(&'a str),
    /// Punctuation.
    Symbol(&'static str),
    /// `:` and digits, directly behind a word.
    Count(&'a str),
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Kind<'_> {
    /// Says in a sentence what was found; never the words of a literal.
    pub(super) fn found(&self) -> String {
        match self {
            Kind::Word(word) if word.len() <= 40 => format!("`{word}`"),
            Kind::Word(_) => String::from("a very long name"),
            Kind::Text(_) => String::from("a text"),
            Kind::Figure(_) => String::from("a number or date"),
            Kind::Symbol(symbol) => format!("`{symbol}`"),
            Kind::Count(_) => String::from("`:`"),
            Kind::End => String::from("the end"),
        }
    }
}

/// Makes the error of a text that cannot be read.
///
/// Every message has one form: `expected <what>`, then perhaps `, found <what>`
/// or `: <why>`.
pub(super) fn malformed(text: &str, at: usize, message: impl AsRef<str>) -> Error {
    let message = message.as_ref();
    let column = text.get(..at).map_or(at, |head| head.chars().count()) + 1;
    let error = Error::new(
        ErrorKind::MalformedQuery,
        format!("at column {column}: {message}"),
    );
    let what = message.strip_prefix("expected ").unwrap_or(message);
    let end = [", found ", ": "]
        .iter()
        .filter_map(|mark| what.find(mark))
        .min();
    error.at(at).expecting(&what[..end.unwrap_or(what.len())])
}

/// Splits a whole text; the last token is always [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>> {
    if text.chars().count() > STATEMENT_CHARS_MAX {
        return Err(malformed(
            text,
            STATEMENT_CHARS_MAX,
            format!("expected at most {STATEMENT_CHARS_MAX} characters, found more"),
        ));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        at += blank;
        let (kind, length) = token(text, at, blank == 0 && at > 0)?;
        tokens.push(Token {
            kind,
            start: at,
            end: at + length,
        });
        if kind == Kind::End {
            return Ok(tokens);
        }
        at += length;
    }
}

/// Reads one token and its length; `adjacent`: nothing stands between it and the one before.
fn token(text: &str, at: usize, adjacent: bool) -> Result<(Kind<'_>, usize)> {
    let rest = &text[at..];
    let second = rest.as_bytes().get(1).copied().unwrap_or(0);
    let run = |accept: fn(char) -> bool| {
        let length = rest[1..].find(|c| !accept(c)).map_or(rest.len(), |n| n + 1);
        &rest[..length]
    };
    let Some(first) = rest.bytes().next() else {
        return Ok((Kind::End, 0));
    };
    let kind = match first {
        b'a'..=b'z' | b'A'..=b'Z' => Kind::Word(run(|c| c.is_ascii_alphanumeric() || c == '_')),
        b'0'..=b'9' | b'+' | b'-' => Kind::Figure(run(is_figure)),
        b'.' if second.is_ascii_digit() => Kind::Figure(run(is_figure)),
        b':' if adjacent && second.is_ascii_digit() => Kind::Count(run(|c| c.is_ascii_digit())),
        b'\'' => return quoted(text, at),
        _ => return symbol(text, at),
    };
    let length = match kind {
        Kind::Word(part) | Kind::Figure(part) | Kind::Count(part) => part.len(),
        _ => 0,
    };
    Ok((kind, length))
}

fn is_figure(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '+' | '-')
}

fn quoted(text: &str, at: usize) -> Result<(Kind<'_>, usize)> {
    let body = &text[at + 1..];
    let mut escaped = false;
    for (offset, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return Ok((Kind::Text(&body[..offset]), offset + 2)),
            _ => {}
        }
    }
    Err(malformed(
        text,
        text.len(),
        "expected a closing ', found the end",
    ))
}

fn symbol(text: &str, at: usize) -> Result<(Kind<'_>, usize)> {
    const SYMBOLS: [&str; 11] = ["!=", "<>", "<=", ">=", "(", ")", ",", ".", "=", "<", ">"];
    let rest = &text[at..];
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        return Ok((Kind::Symbol(symbol), symbol.len()));
    }
    let message = match rest.chars().next() {
        Some('"') => String::from("expected a text in single quotes, found a double quote"),
        Some(';') => String::from("expected the end, found `;`"),
        Some(c) if c.is_ascii_graphic() => format!("expected a name or a value, found `{c}`"),
        _ => String::from("expected a name or a value, found a character that has no place here"),
    };
    Err(malformed(text, at, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_bytes_and_a_column_counts_characters() {
        let error = tokens("Name = 'é' ;").expect_err("no semicolon in SOQL");
        assert_eq!(error.position(), Some(12));
        assert_eq!(
            error.to_string(),
            "at column 12: expected the end, found `;`"
        );
    }

    #[test]
    fn an_open_text_is_refused_at_the_end() {
        let error = tokens("Name = 'a\\'").expect_err("the quote is escaped");
        assert_eq!(error.position(), Some(11));
    }

    #[test]
    fn a_text_beyond_the_limit_is_refused() {
        assert!(tokens(&" ".repeat(STATEMENT_CHARS_MAX)).is_ok());
        assert!(tokens(&" ".repeat(STATEMENT_CHARS_MAX + 1)).is_err());
    }
}
