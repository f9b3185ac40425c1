//! Reads text as words: the one reading that the index, the question and the marks share.
//!
//! A word is a run of letters and digits, without case and without accents
//! (`Müller` is `muller`, `Straße` is `strasse`). Chinese and Japanese are written
//! without spaces, so each of their characters is a word. What an apostrophe or a
//! hyphen joins (`O'Brien`, `e-mail`) is two words, and one as well.
//!
//! A telephone number is its digits, from its beginning and from where a person
//! would begin: at each group as it is written, and behind a country code. Zeros
//! in front never count, be they of a trunk code or an international one.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use std::ops::Range;

const DECOMPOSED: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfd();
const MARKS: CanonicalCombiningClassMapBorrowed<'static> =
    CanonicalCombiningClassMapBorrowed::new();
/// Bytes of a word that count; what is longer is no word of a person.
const WORD_BYTES_MAX: usize = 64;
/// Groups of a number that it may be found by.
const GROUPS_MAX: usize = 8;
/// Digits of a number in one piece that has a country code.
const LONG_NUMBER_DIGITS: usize = 9;

/// A word, and where it stands in its text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub folded: String,
    pub range: Range<usize>,
}

/// The words of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// In their order.
    pub list: Vec<Word>,
    /// Neighbours that an apostrophe or a hyphen joins, as one.
    pub joined: Vec<Word>,
}

/// Reads a text.
pub(crate) fn words(text: &str) -> Words {
    let mut words = Words::default();
    let mut open = Word {
        folded: String::new(),
        range: 0..0,
    };
    for (at, c) in text.char_indices() {
        if is_alone(c) || !(is_of_word(c) || (is_mark(c) && !open.folded.is_empty())) {
            close(&mut open, &mut words);
            if is_alone(c) {
                open.folded.push(c);
                open.range = at..at + c.len_utf8();
                close(&mut open, &mut words);
            }
            continue;
        }
        if open.folded.is_empty() {
            open.range.start = at;
        }
        open.range.end = at + c.len_utf8();
        fold(c, &mut open.folded);
    }
    close(&mut open, &mut words);
    words.joined = joined(text, &words.list);
    words
}

fn close(open: &mut Word, words: &mut Words) {
    if !open.folded.is_empty() {
        let mut end = open.folded.len().min(WORD_BYTES_MAX);
        while !open.folded.is_char_boundary(end) {
            end -= 1;
        }
        open.folded.truncate(end);
        words.list.push(std::mem::replace(
            open,
            Word {
                folded: String::new(),
                range: 0..0,
            },
        ));
    }
}

fn joined(text: &str, list: &[Word]) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::new();
    for pair in list.windows(2) {
        let between = &text[pair[0].range.end..pair[1].range.start];
        if !matches!(between, "'" | "’" | "-" | "‐" | "‑") {
            continue;
        }
        let longer = joined
            .last_mut()
            .filter(|last| last.range.end == pair[0].range.end);
        match longer {
            Some(last) if last.folded.len() + pair[1].folded.len() <= WORD_BYTES_MAX => {
                last.folded.push_str(&pair[1].folded);
                last.range.end = pair[1].range.end;
            }
            Some(_) => {}
            None => joined.push(Word {
                folded: format!("{}{}", pair[0].folded, pair[1].folded),
                range: pair[0].range.start..pair[1].range.end,
            }),
        }
    }
    joined.retain(|word| word.folded.len() <= WORD_BYTES_MAX);
    joined
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// A mark changes the letter before it: an accent typed apart, a vowel sign.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && MARKS.get_u8(c) != 0
}

/// Says whether a character is a word by itself.
fn is_alone(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// Appends a character without its case and its accents.
fn fold(c: char, to: &mut String) {
    match c {
        'a'..='z' | '0'..='9' => to.push(c),
        'A'..='Z' => to.push(c.to_ascii_lowercase()),
        // Full width, as Japanese keyboards write it.
        '\u{FF01}'..='\u{FF5E}' => {
            let narrow = char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c);
            to.extend(narrow.to_lowercase());
        }
        // Above are scripts whose marks make another letter, and Hangul, which would fall apart.
        '\u{2000}'.. => to.extend(c.to_lowercase()),
        c => {
            for part in DECOMPOSED.normalize_iter(c.to_lowercase()) {
                match part {
                    'ß' => to.push_str("ss"),
                    'æ' => to.push_str("ae"),
                    'œ' => to.push_str("oe"),
                    'þ' => to.push_str("th"),
                    'ø' => to.push('o'),
                    'ł' => to.push('l'),
                    'đ' | 'ð' => to.push('d'),
                    'ı' => to.push('i'),
                    part if MARKS.get_u8(part) == 0 => to.push(part),
                    _ => {}
                }
            }
        }
    }
}

/// Reads the numbers of a telephone field, each as often as it can be begun.
///
/// A word's range goes from where it begins to the end of its number.
pub(crate) fn numbers(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut at_digit = false;
    for (at, c) in text.char_indices() {
        if c.is_ascii_digit() {
            match groups.last_mut().filter(|_| at_digit) {
                Some(group) => group.end = at + 1,
                None => groups.push(at..at + 1),
            }
        } else if c.is_alphanumeric() || matches!(c, ',' | ';' | '#') {
            number(text, &std::mem::take(&mut groups), &mut found);
        }
        at_digit = c.is_ascii_digit();
    }
    number(text, &groups, &mut found);
    found
}

fn number(text: &str, groups: &[Range<usize>], found: &mut Vec<Word>) {
    let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
        return;
    };
    let mut begin = |at: usize| {
        let digits = digits(&text[at..last.end]);
        if !digits.is_empty() {
            found.push(Word {
                folded: digits,
                range: at..last.end,
            });
        }
    };
    for group in groups.iter().take(GROUPS_MAX) {
        begin(group.start);
    }
    if groups.len() == 1 && first.len() >= LONG_NUMBER_DIGITS {
        let zeros = text[first.clone()].len() - digits(&text[first.clone()]).len();
        // A country code has one to three digits.
        (1..=3).for_each(|code| begin(first.start + zeros + code));
    }
}

/// The digits of a text without zeros in front.
pub(crate) fn digits(text: &str) -> String {
    let digits = text.chars().filter(char::is_ascii_digit);
    let mut digits: String = digits.skip_while(|digit| *digit == '0').collect();
    digits.truncate(WORD_BYTES_MAX);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Vec<String> {
        let words = words(text);
        let all = words.list.into_iter().chain(words.joined);
        all.map(|word| word.folded).collect()
    }

    #[test]
    fn case_and_accents_do_not_count() {
        assert_eq!(folded("ZOË  Müller, Straße"), ["zoe", "muller", "strasse"]);
        assert_eq!(
            folded("Zoe\u{308} İzmir Łódź Ørsted"),
            ["zoe", "izmir", "lodz", "orsted"]
        );
        assert_eq!(folded("Ｔｏｋｙｏ"), ["tokyo"]);
        assert_eq!(folded("Ελλάδα Йод"), ["ελλαδα", "иод"]);
    }

    #[test]
    fn an_address_is_its_parts() {
        assert_eq!(
            folded("jo.smith@acme.co.uk"),
            ["jo", "smith", "acme", "co", "uk"]
        );
    }

    #[test]
    fn what_is_joined_is_one_word_as_well() {
        assert_eq!(folded("O'Brien"), ["o", "brien", "obrien"]);
        assert_eq!(
            folded("Jean-Marie-Luc"),
            ["jean", "marie", "luc", "jeanmarieluc"]
        );
        assert_eq!(folded("a - b"), ["a", "b"]);
    }

    #[test]
    fn characters_of_chinese_and_japanese_are_words() {
        assert_eq!(folded("東京タワー7F"), ["東", "京", "タ", "ワ", "ー", "7f"]);
        assert_eq!(folded("서울시 강남구"), ["서울시", "강남구"]);
    }

    #[test]
    fn a_number_begins_where_a_person_would_begin() {
        let begun =
            |text| -> Vec<String> { numbers(text).into_iter().map(|word| word.folded).collect() };
        assert_eq!(
            begun("+1 (415) 555-0132"),
            ["14155550132", "4155550132", "5550132", "132"]
        );
        assert_eq!(
            begun("0049301234567"),
            ["49301234567", "9301234567", "301234567", "1234567"]
        );
        assert_eq!(begun("030/1234 ext. 77"), ["301234", "1234", "77"]);
        assert_eq!(begun("none"), Vec::<String>::new());
        assert_eq!(begun("000"), Vec::<String>::new());
    }

    #[test]
    fn a_word_without_end_is_cut() {
        let word = &folded(&"ä".repeat(100_000))[0];
        assert_eq!(word.len(), WORD_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn a_word_stands_where_it_says(text in "[a-zÄ-ü' 0-9東京\u{300}-\u{30f}\\-@.\"*\u{0}]{0,60}") {
            let read = words(&text);
            let mut end = 0;
            for word in &read.list {
                prop_assert!(word.range.start >= end && !word.folded.is_empty());
                end = word.range.end;
                // Read alone, it is the same word.
                let alone: Vec<String> = words(&text[word.range.clone()]).list.into_iter().map(|word| word.folded).collect();
                prop_assert_eq!(alone, vec![word.folded.clone()]);
            }
            for word in read.joined.iter().chain(&numbers(&text)) {
                prop_assert!(text.get(word.range.clone()).is_some());
            }
        }
    }
}
