//! Messages in another language, as users with another language get them.

/// Replaces the letters of every message in a body of JSON by others; codes, names and values stay.
///
/// What is written belongs to no country, so that a test that reads it fails everywhere.
pub(super) fn translate(body: &mut Vec<u8>) {
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(KEY) {
        let (before, found) = rest.split_at(at + KEY.len());
        out.push_str(before);
        let end = end_of_text(found);
        let (message, after) = found.split_at(end);
        translate_text(message, &mut out);
        rest = after;
    }
    out.push_str(rest);
    *body = out.into_bytes();
}

/// How the sandbox writes the start of a message.
const KEY: &str = "\"message\":\"";

/// Where a JSON text ends whose opening quote was read.
fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' if !escaped => return at,
            _ => escaped = letter == '\\' && !escaped,
        }
    }
    text.len()
}

fn translate_text(text: &str, out: &mut String) {
    let mut escaped = false;
    for letter in text.chars() {
        let vowel = match letter {
            _ if escaped => None,
            'a' => Some('ä'),
            'e' => Some('ë'),
            'i' => Some('ï'),
            'o' => Some('ö'),
            'u' => Some('ü'),
            _ => None,
        };
        escaped = letter == '\\' && !escaped;
        out.push(vowel.unwrap_or(letter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_change_and_all_else_stays() {
        let mut body =
            br#"[{"message":"it is \"gone\"\n","errorCode":"NOT_FOUND"},{"message":"no"}]"#
                .to_vec();
        translate(&mut body);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"[{"message":"ït ïs \"gönë\"\n","errorCode":"NOT_FOUND"},{"message":"nö"}]"#
        );
    }
}
