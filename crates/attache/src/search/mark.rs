//! Holds a question against the fields of one record: whether it is met, where, and how well.

use super::question::Need;
use super::words::{Word, digits, numbers, words};
use std::ops::Range;

/// Characters of a snippet before its first mark, and in all.
const SNIPPET_LEAD_CHARS: usize = 30;
const SNIPPET_CHARS_MAX: usize = 160;
/// Words of a field behind which being found counts half.
const HALF_WEIGHT_WORDS: f64 = 40.0;

/// What kind of text a field holds: a column of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Name,
    Mail,
    Phone,
    Text,
}

impl Class {
    fn weight(self) -> f64 {
        match self {
            Class::Name => 8.0,
            Class::Mail | Class::Phone => 4.0,
            Class::Text => 1.0,
        }
    }
}

/// A field of a record, read.
pub(crate) struct Field<'a> {
    class: Class,
    text: &'a str,
    list: Vec<Word>,
    joined: Vec<Word>,
}

impl<'a> Field<'a> {
    pub(crate) fn read(class: Class, text: &'a str) -> Field<'a> {
        let (list, joined) = match class {
            Class::Phone => (numbers(text), Vec::new()),
            _ => {
                let read = words(text);
                (read.list, read.joined)
            }
        };
        Field {
            class,
            text,
            list,
            joined,
        }
    }

    /// The words as the index takes them: parted, so that no phrase goes from one field to the next.
    pub(crate) fn index_into(&self, column: &mut String) {
        let mut put = |word: &str| {
            if !column.is_empty() {
                column.push(' ');
            }
            column.push_str(word);
        };
        self.list.iter().for_each(|word| put(&word.folded));
        for word in &self.joined {
            put(PARTING);
            put(&word.folded);
        }
        if !self.list.is_empty() {
            put(PARTING);
        }
    }
}

/// A word that no text has: a character of private use.
const PARTING: &str = "\u{E000}";

/// How a record answers a question.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub score: f64,
    /// Which of the fields answers best.
    pub field: usize,
    /// The places in it, in bytes, in order, none touching another.
    pub marks: Vec<Range<usize>>,
}

/// Holds a question against the fields of a record.
pub(crate) fn answer(need: &Need, fields: &[Field<'_>]) -> Option<Answer> {
    let mut found = Vec::new();
    let score = meet(need, fields, &mut found)?;
    let best = found
        .iter()
        .fold(None, |best: Option<&Found>, one| match best {
            Some(best) if best.value >= one.value => Some(best),
            _ => Some(one),
        })?;
    let field = best.field;
    let marks = found.into_iter().filter(|one| one.field == field);
    Some(Answer {
        score,
        field,
        marks: merged(marks.map(|one| one.range).collect()),
    })
}

struct Found {
    field: usize,
    range: Range<usize>,
    value: f64,
}

fn meet(need: &Need, fields: &[Field<'_>], found: &mut Vec<Found>) -> Option<f64> {
    match need {
        Need::All(needs) => needs
            .iter()
            .try_fold(0.0, |sum, need| Some(sum + meet(need, fields, found)?)),
        Need::Any(needs) => {
            let met = needs.iter().filter_map(|need| meet(need, fields, found));
            met.fold(None, |best: Option<f64>, score| {
                Some(best.map_or(score, |best| best.max(score)))
            })
        }
        Need::Words { words, open } => best(fields, found, |field| places(field, words, *open)),
        Need::Number(number) => best(fields, found, |field| match field.class {
            Class::Phone => places(field, std::slice::from_ref(number), true),
            _ => Vec::new(),
        }),
    }
}

/// The best value of all places, which are all noted.
fn best(
    fields: &[Field<'_>],
    found: &mut Vec<Found>,
    places: impl Fn(&Field<'_>) -> Vec<Place>,
) -> Option<f64> {
    let mut best: Option<f64> = None;
    for (nr, field) in fields.iter().enumerate() {
        let length = field.list.len() as f64 / HALF_WEIGHT_WORDS;
        for place in places(field) {
            let value = field.class.weight() * place.closeness / (1.0 + length);
            best = Some(best.map_or(value, |best| best.max(value)));
            found.push(Found {
                field: nr,
                range: place.range,
                value,
            });
        }
    }
    best
}

struct Place {
    range: Range<usize>,
    closeness: f64,
}

fn places(field: &Field<'_>, wanted: &[String], open: bool) -> Vec<Place> {
    let Some((last, before)) = wanted.split_last() else {
        return Vec::new();
    };
    let fits = |run: &[Word]| {
        run.iter()
            .zip(before)
            .all(|(word, wanted)| word.folded == *wanted)
            && run.last().is_some_and(|word| {
                word.folded == *last || open && word.folded.starts_with(last.as_str())
            })
    };
    let runs = field.list.windows(wanted.len());
    let alone = field.joined.iter().map(std::slice::from_ref);
    let alone = alone.filter(|_| wanted.len() == 1);
    let mut places = Vec::new();
    for run in runs.chain(alone).filter(|run| fits(run)) {
        let (begin, end) = (&run[0].range, &run[run.len() - 1]);
        // What was typed of the last word, and whether it is how the field begins.
        let typed = last.len() as f64 / end.folded.len() as f64;
        let first = if begin.start == 0 { 1.0 } else { 0.8 };
        let range = match field.class {
            Class::Phone => begin.start..digits_end(field.text, end, last.len()),
            _ => begin.start..end.range.end,
        };
        places.push(Place {
            range,
            closeness: first * (0.5 + 0.5 * typed),
        });
    }
    places
}

/// Where the digits of a number end that were asked for.
fn digits_end(text: &str, number: &Word, count: usize) -> usize {
    let written = &text[number.range.clone()];
    let all = written.chars().filter(char::is_ascii_digit).count();
    let zeros = all.saturating_sub(digits(written).len());
    let mut places = written.char_indices().filter(|(_, c)| c.is_ascii_digit());
    let last = places.nth((zeros + count).saturating_sub(1));
    last.map_or(number.range.end, |(at, _)| number.range.start + at + 1)
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Cuts a text around its first mark: one line, whole words, `…` where something is missing.
pub(crate) fn snippet(text: &str, marks: &[Range<usize>]) -> (String, Vec<Range<usize>>) {
    let first = marks.first().map_or(0, |mark| mark.start);
    let start = match text[..first].char_indices().rev().nth(SNIPPET_LEAD_CHARS) {
        None => 0,
        Some((at, _)) => text[at..first]
            .find(char::is_whitespace)
            .map_or(first, |space| at + space),
    };
    let start = text[start..]
        .find(|c: char| !c.is_whitespace())
        .map_or(start, |at| start + at);
    let rest = &text[start..];
    let end = match rest.char_indices().nth(SNIPPET_CHARS_MAX) {
        None => text.len(),
        Some((at, _)) => match rest[..at].rfind(char::is_whitespace) {
            Some(space) if start + space > first => start + space,
            _ => start + at,
        },
    };
    let mut cut = String::new();
    let mut places: Vec<(usize, usize)> = Vec::new();
    if start > 0 {
        cut.push('…');
    }
    for (at, c) in text[start..end].char_indices() {
        places.push((start + at, cut.len()));
        cut.push(if c.is_control() { ' ' } else { c });
    }
    places.push((end, cut.len()));
    let place = |at: usize| {
        let found = places.partition_point(|(before, _)| *before < at);
        places.get(found).map_or(cut.len(), |(_, place)| *place)
    };
    let marks = marks
        .iter()
        .filter(|mark| mark.start >= start && mark.start < end)
        .map(|mark| place(mark.start)..place(mark.end.min(end)))
        .collect();
    if end < text.len() {
        cut.push('…');
    }
    (cut, marks)
}

#[cfg(test)]
mod tests {
    use super::super::question::read;
    use super::*;
    use proptest::prelude::*;

    fn marked(question: &str, class: Class, text: &str) -> Option<String> {
        let need = read(question)?;
        let found = answer(&need, &[Field::read(class, text)])?;
        let mut shown = text.to_owned();
        for mark in found.marks.iter().rev() {
            shown.insert(mark.end, ']');
            shown.insert(mark.start, '[');
        }
        Some(shown)
    }

    #[test]
    fn what_was_asked_for_is_marked() {
        let text = |question, text| marked(question, Class::Text, text);
        assert_eq!(text("mull", "Jo Müller"), Some("Jo [Müller]".into()));
        assert_eq!(text("\"mull\"", "Jo Müller"), None);
        assert_eq!(text("obri", "Pat O’Brien"), Some("Pat [O’Brien]".into()));
        assert_eq!(
            text("\"of sales\"", "Head of Sales"),
            Some("Head [of Sales]".into())
        );
        assert_eq!(text("\"sales of\"", "Head of Sales"), None);
        assert_eq!(
            text("東京", "本社は東京です"),
            Some("本社は[東京]です".into())
        );
    }

    #[test]
    fn digits_are_marked_whatever_stands_between() {
        let number = |question, text| marked(question, Class::Phone, text);
        let stored = "+1 (415) 555-0132";
        assert_eq!(number("415555", stored), Some("+1 ([415) 555]-0132".into()));
        assert_eq!(
            number("415 555 0132", stored),
            Some("+1 ([415) 555-0132]".into())
        );
        assert_eq!(
            number("(415)5550132", stored),
            Some("+1 ([415) 555-0132]".into())
        );
        assert_eq!(
            number("0170 12", "+4917012345"),
            Some("+49[17012]345".into())
        );
        assert_eq!(
            number("0049 30", "0049 30 123"),
            Some("[0049 30] 123".into())
        );
        assert_eq!(number("999", stored), None);
    }

    #[test]
    fn a_name_counts_most_and_a_whole_word_more_than_its_beginning() {
        let score = |question: &str, class, text: &str| {
            let need = read(question).expect("words");
            let field = Field::read(class, text);
            answer(&need, &[field]).expect("an answer").score
        };
        assert!(score("acme", Class::Name, "Acme") > score("acme", Class::Mail, "x@acme.com"));
        assert!(score("acme", Class::Mail, "x@acme.com") > score("acme", Class::Text, "Acme"));
        assert!(score("acme", Class::Name, "Acme") > score("acme", Class::Name, "Acmena"));
        assert!(score("acme", Class::Name, "Acme Inc") > score("acme", Class::Name, "New Acme"));
    }

    #[test]
    fn a_snippet_is_cut_between_words_and_keeps_its_marks() {
        let text = format!(
            "{}\nthe needle is here, {}",
            "before ".repeat(40),
            "behind ".repeat(60)
        );
        let at = text.find("needle").expect("it is there");
        let (cut, marks) = snippet(&text, std::slice::from_ref(&(at..at + 6)));
        assert!(cut.starts_with('…') && cut.ends_with('…'), "{cut}");
        assert!(!cut.contains('\n'));
        assert_eq!(&cut[marks[0].clone()], "needle");
        assert!(cut.chars().count() <= SNIPPET_CHARS_MAX + 2);
        let text = format!("{}\u{2000}needle", "x".repeat(40));
        let at = text.len() - 6;
        let (cut, marks) = snippet(&text, std::slice::from_ref(&(at..at + 6)));
        assert_eq!(
            (cut.as_str(), &cut[marks[0].clone()]),
            ("…needle", "needle")
        );
    }

    proptest! {
        #[test]
        fn marks_of_a_snippet_are_places_of_it(text in "\\PC{0,300}", question in "[a-z ]{1,5}") {
            let Some(need) = read(&question) else { return Ok(()) };
            let Some(found) = answer(&need, &[Field::read(Class::Text, &text)]) else { return Ok(()) };
            let (cut, marks) = snippet(&text, &found.marks);
            prop_assert!(!marks.is_empty());
            let mut end = 0;
            for mark in marks {
                prop_assert!(mark.start >= end && mark.end > mark.start);
                prop_assert!(cut.get(mark.clone()).is_some());
                end = mark.end;
            }
        }
    }
}
