//! Reads what a person typed, and says it in the words of the index.

use super::words::{Word, digits, words};

/// Words and phrases of a question that count; the rest is passed over.
const NEEDS_MAX: usize = 32;
/// Bytes of a question that are read.
const QUESTION_BYTES_MAX: usize = 8 << 10;
/// Fewer digits are no beginning of a telephone number.
const NUMBER_DIGITS_MIN: usize = 3;

/// What a record must have to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// These words in this order, in one field.
    Words {
        words: Vec<String>,
        /// The last word may go on.
        open: bool,
    },
    /// A telephone number that goes on like this.
    Number(String),
    All(Vec<Need>),
    Any(Vec<Need>),
}

/// What was asked; `None`: nothing that could be looked for.
pub(crate) fn read(text: &str) -> Option<Need> {
    let mut end = text.len().min(QUESTION_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut needs = Vec::new();
    // What follows a quotation mark without a partner is still being typed.
    for (nr, part) in text[..end].split(['"', '“', '”', '„']).enumerate() {
        if nr % 2 == 1 {
            needs.extend(phrase(part, false));
        } else {
            bare(part, &mut needs);
        }
        if needs.len() >= NEEDS_MAX {
            needs.truncate(NEEDS_MAX);
            break;
        }
    }
    match needs.len() {
        0 => None,
        _ => Some(Need::All(needs)),
    }
}

/// Each word apart by spaces is a need; a run of numbers may also be one telephone number.
fn bare(part: &str, needs: &mut Vec<Need>) {
    let typed: Vec<&str> = part.split_whitespace().collect();
    let mut at = 0;
    while at < typed.len() && needs.len() < NEEDS_MAX {
        let run = typed[at..]
            .iter()
            .take_while(|word| is_number(word))
            .count();
        let each: Vec<Need> = typed[at..at + run.max(1)]
            .iter()
            .take(NEEDS_MAX)
            .filter_map(|word| word_or_number(word))
            .collect();
        let whole = digits(&typed[at..at + run].concat());
        if run > 1 && whole.len() >= NUMBER_DIGITS_MIN && !each.is_empty() {
            needs.push(Need::Any(vec![Need::All(each), Need::Number(whole)]));
        } else {
            needs.extend(each);
        }
        at += run.max(1);
    }
}

fn word_or_number(typed: &str) -> Option<Need> {
    let word = phrase(typed, true)?;
    let number = digits(typed);
    if !is_number(typed) || number.len() < NUMBER_DIGITS_MIN {
        return Some(word);
    }
    Some(Need::Any(vec![word, Need::Number(number)]))
}

fn is_number(typed: &str) -> bool {
    typed.chars().any(|c| c.is_ascii_digit())
        && typed
            .chars()
            .all(|c| c.is_ascii_digit() || "+-().,/‐‑–\u{a0}".contains(c))
}

/// The words of a text as one need; `open`: it may still be being typed.
fn phrase(text: &str, open: bool) -> Option<Need> {
    let read = words(text);
    let need = |words: &[Word]| {
        let words: Vec<String> = words.iter().map(|word| word.folded.clone()).collect();
        // One letter begins half of everything: it stands for itself.
        let goes_on = words
            .last()
            .is_some_and(|last| last.chars().nth(1).is_some());
        Need::Words {
            open: open && goes_on,
            words,
        }
    };
    match (read.list.as_slice(), read.joined.as_slice()) {
        ([], _) => None,
        // Typed with its apostrophe, it may be stored without.
        (list, [whole])
            if whole.range.start == list[0].range.start
                && whole.range.end == list[list.len() - 1].range.end =>
        {
            Some(Need::Any(vec![
                need(list),
                need(std::slice::from_ref(whole)),
            ]))
        }
        (list, _) => Some(need(&list[..list.len().min(NEEDS_MAX)])),
    }
}

impl Need {
    /// The need as a `MATCH` of the index.
    ///
    /// Words are letters and digits, so nothing of a question is ever an operator there.
    pub(crate) fn matching(&self) -> String {
        let all = |needs: &[Need], between: &str| {
            let parts: Vec<String> = needs.iter().map(Need::matching).collect();
            format!("({})", parts.join(between))
        };
        match self {
            Need::Words { words, open } => {
                format!("\"{}\"{}", words.join(" "), if *open { " *" } else { "" })
            }
            Need::Number(digits) => format!("phone : \"{digits}\" *"),
            Need::All(needs) => all(needs, " AND "),
            Need::Any(needs) => all(needs, " OR "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matching(text: &str) -> String {
        read(text).map_or_else(String::new, |need| need.matching())
    }

    #[test]
    fn words_must_all_be_there_and_may_go_on() {
        assert_eq!(matching("Jo smi"), r#"("jo" * AND "smi" *)"#);
        assert_eq!(matching("j smith"), r#"("j" AND "smith" *)"#);
        assert_eq!(matching("jo.smith@acme"), r#"("jo smith acme" *)"#);
    }

    #[test]
    fn a_quoted_phrase_is_taken_at_its_word() {
        assert_eq!(
            matching("acme \"Vice President\" \"of sa"),
            r#"("acme" * AND "vice president" AND "of sa")"#
        );
    }

    #[test]
    fn numbers_are_looked_for_as_words_and_as_digits() {
        assert_eq!(matching("(415)"), r#"(("415" * OR phone : "415" *))"#);
        assert_eq!(
            matching("0170 12"),
            r#"(((("0170" * OR phone : "170" *) AND "12" *) OR phone : "17012" *))"#
        );
    }

    #[test]
    fn what_has_no_word_asks_for_nothing() {
        for text in [
            "",
            " \t\n",
            "\"\"",
            "***",
            "\0",
            "- + ( )",
            "\u{301}",
            "'\u{2019}",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_question_without_end_is_cut() {
        let need = matching(&"word \"a phrase\" 0170 ".repeat(60_000));
        assert!(need.len() < 10_000, "{} bytes", need.len());
        assert!(matching(&"7".repeat(1 << 20)).len() < 300);
        assert!(matching(&"1 ".repeat(1 << 19)).len() < 10_000);
    }

    proptest! {
        #[test]
        fn a_question_says_nothing_but_words(text in "\\PC{0,80}") {
            let need = matching(&text);
            let plain = need.replace("phone : ", "").replace(" AND ", "").replace(" OR ", "");
            prop_assert!(
                plain.chars().all(|c| c.is_alphanumeric() || "\"* ()".contains(c) || !c.is_ascii()),
                "{need}"
            );
            prop_assert_eq!(plain.matches('"').count() % 2, 0);
        }
    }
}
