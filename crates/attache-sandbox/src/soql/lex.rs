//! Tokens.

use super::error::SoqlError;

/// A token and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token<'a> {
    pub kind: Kind<'a>,
    pub at: usize,
    pub text: &'a str,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind<'a> {
    /// A keyword, name or date literal.
    Word(&'a str),
    /// A text literal, escapes still in it; the quotes are gone.
    Text(&'a str),
    Number(&'a str),
    /// A day or an instant.
    Date(&'a str),
    /// Punctuation or an operator.
    Mark(&'a str),
    End,
}

const MARKS: [&str; 13] = [
    "<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", ".", ":", ";",
];

/// Cuts a statement into tokens; the last one is always [`Kind::End`].
pub(crate) fn tokens(soql: &str) -> Result<Vec<Token<'_>>, SoqlError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = soql[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, len) =
            token(&soql[at..]).map_err(|message| SoqlError::malformed(at, message))?;
        tokens.push(Token {
            kind,
            at,
            text: &soql[at..at + len],
        });
        at += len;
    }
    tokens.push(Token {
        kind: Kind::End,
        at: soql.len(),
        text: "",
    });
    Ok(tokens)
}

/// Reads the token a text starts with, and its length.
fn token(text: &str) -> Result<(Kind<'_>, usize), String> {
    let first = text.chars().next().unwrap_or(' ');
    if first == '\'' {
        let len = text_len(text).ok_or("string literal is not terminated")?;
        return Ok((Kind::Text(&text[1..len - 1]), len));
    }
    if first.is_ascii_digit()
        || (matches!(first, '-' | '+') && text[1..].starts_with(|c: char| c.is_ascii_digit()))
    {
        return number(text);
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let len = run(text, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
        return Ok((Kind::Word(&text[..len]), len));
    }
    match MARKS.iter().find(|mark| text.starts_with(**mark)) {
        Some(mark) => Ok((Kind::Mark(mark), mark.len())),
        None => Err(format!(
            "line 1:1 no viable alternative at character '{first}'"
        )),
    }
}

/// Measures a text literal with its quotes.
fn text_len(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'\'' if !escaped => return Some(at + 1),
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    None
}

fn number(text: &str) -> Result<(Kind<'_>, usize), String> {
    let bytes = text.as_bytes();
    let is_date = bytes.len() >= 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[..4].iter().all(u8::is_ascii_digit);
    let len = if is_date {
        let mut len = 10;
        if bytes
            .get(10)
            .is_some_and(|byte| matches!(byte, b'T' | b't'))
        {
            len += run(&text[10..], |byte| {
                byte.is_ascii_alphanumeric() || b":.+-".contains(&byte)
            });
        }
        len
    } else {
        let digits = |text: &str| run(text, |byte| byte.is_ascii_digit());
        let mut len = 1 + digits(&text[1..]);
        if bytes.get(len) == Some(&b'.') {
            let fraction = digits(&text[len + 1..]);
            if fraction == 0 {
                return Err("unexpected token: '.'".into());
            }
            len += 1 + fraction;
        }
        len
    };
    match text[len..].chars().next() {
        Some(next) if next.is_alphanumeric() || next == '_' => Err(format!(
            "unexpected token: '{}'",
            &text[len..len + next.len_utf8()]
        )),
        _ if is_date => Ok((Kind::Date(&text[..len]), len)),
        _ => Ok((Kind::Number(&text[..len]), len)),
    }
}

fn run(text: &str, wanted: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|&byte| wanted(byte)).count()
}

/// Resolves the escapes of a text literal; for LIKE, `\_` and `\%` stay as they are.
pub(crate) fn unescape(raw: &str, like: bool) -> Result<String, String> {
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => text.push('\n'),
            Some('r' | 'R') => text.push('\r'),
            Some('t' | 'T') => text.push('\t'),
            Some('b' | 'B') => text.push('\u{8}'),
            Some('f' | 'F') => text.push('\u{c}'),
            // A pattern must tell an escaped backslash from one that escapes a wildcard.
            Some('\\') if like => text.push_str("\\\\"),
            Some(same @ ('"' | '\'' | '\\')) => text.push(same),
            Some(wild @ ('_' | '%')) if like => text.extend(['\\', wild]),
            Some('u' | 'U') => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4);
                text.push(
                    code.and_then(char::from_u32)
                        .ok_or("Illegal unicode escape in string literal")?,
                );
            }
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                return Err(format!(
                    "Invalid string literal '{raw}'. Illegal character sequence '\\{shown}' in string literal"
                ));
            }
        }
    }
    Ok(text)
}
