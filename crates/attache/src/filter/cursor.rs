//! Walks over tokens: what every part of the grammar needs.

use super::ast::{At, Name, Path};
use super::token::{Kind, Token, malformed, tokens};
use crate::error::{Error, Result};

/// How deep parentheses, NOTs and subqueries may be nested.
const DEPTH_MAX: usize = 64;

/// Words that cannot be aliases.
const RESERVED: [&str; 21] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST",
    "LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH",
];

/// The text, its tokens and how far they are read.
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Result<Cursor<'a>> {
        Ok(Cursor {
            text,
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
        })
    }

    fn token(&self, ahead: usize) -> Token<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[(self.next + ahead).min(last)]
    }

    /// What comes next.
    pub(super) fn peek(&self) -> Kind<'a> {
        self.token(0).kind
    }

    /// Where the next token begins.
    pub(super) fn at(&self) -> At {
        At(self.token(0).start)
    }

    pub(super) fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    /// Says whether nothing stands between the next token and the one before.
    pub(super) fn is_adjacent(&self) -> bool {
        self.next > 0 && self.tokens[self.next - 1].end == self.token(0).start
    }

    /// Says whether the words come next, whatever their case.
    pub(super) fn sees(&self, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(ahead, word)| self.sees_word(ahead, word))
    }

    /// Says whether the word stands so many tokens ahead, whatever its case.
    pub(super) fn sees_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.token(ahead).kind, Kind::Word(own) if own.eq_ignore_ascii_case(word))
    }

    /// Says whether the symbol stands so many tokens ahead.
    pub(super) fn sees_symbol(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.token(ahead).kind, Kind::Symbol(own) if own == symbol)
    }

    /// Takes the words if they come next.
    pub(super) fn takes(&mut self, words: &[&str]) -> bool {
        let found = self.sees(words);
        if found {
            self.next += words.len();
        }
        found
    }

    /// Takes the symbol if it comes next.
    pub(super) fn takes_symbol(&mut self, symbol: &str) -> bool {
        let found = self.sees_symbol(0, symbol);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the symbol, or says that it was expected.
    pub(super) fn symbol(&mut self, symbol: &str) -> Result<()> {
        if self.takes_symbol(symbol) {
            Ok(())
        } else {
            Err(self.expected(format!("`{symbol}`")))
        }
    }

    /// Takes the word, or says that it was expected.
    pub(super) fn word(&mut self, word: &str) -> Result<()> {
        if self.takes(&[word]) {
            Ok(())
        } else {
            Err(self.expected(word))
        }
    }

    /// Takes a name.
    pub(super) fn name(&mut self, what: &str) -> Result<Name> {
        let at = self.at();
        match self.peek() {
            Kind::Word(word) => {
                self.advance();
                Ok(Name {
                    text: word.to_owned(),
                    at,
                })
            }
            _ => Err(self.expected(what)),
        }
    }

    /// Takes names joined by dots.
    pub(super) fn path(&mut self, what: &str) -> Result<Path> {
        let first = self.name(what)?;
        let mut steps = vec![first.text];
        while self.takes_symbol(".") {
            steps.push(self.name("a field name after `.`")?.text);
        }
        Ok(Path {
            steps,
            at: first.at,
        })
    }

    /// Takes an alias if a name that may be one comes next.
    pub(super) fn alias(&mut self) -> Option<Name> {
        const CLAUSES: [&[&str]; 5] = [
            &["ORDER", "BY"],
            &["ALL", "ROWS"],
            &["FOR"],
            &["UPDATE"],
            &["OFFSET"],
        ];
        let Kind::Word(word) = self.peek() else {
            return None;
        };
        let reserved = RESERVED.iter().any(|own| own.eq_ignore_ascii_case(word));
        if reserved || CLAUSES.iter().any(|clause| self.sees(clause)) {
            return None;
        }
        self.name("an alias").ok()
    }

    /// Takes an alias of an object, with the word AS or without it.
    pub(super) fn object_alias(&mut self) -> Result<Option<Name>> {
        let is_word = matches!(self.token(1).kind, Kind::Word(_));
        if is_word && self.takes(&["AS"]) {
            return match self.alias() {
                Some(alias) => Ok(Some(alias)),
                None => Err(self.expected("an alias after AS")),
            };
        }
        Ok(self.alias())
    }

    /// Takes the items of a list that stands in parentheses; the opening one is taken already.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.takes_symbol(",") {
            items.push(item(self)?);
        }
        if !self.takes_symbol(")") {
            return Err(self.expected("`,` or `)`"));
        }
        Ok(items)
    }

    /// Reads something nested, and refuses to go on for ever.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == DEPTH_MAX {
            return Err(self.refused(format!("expected at most {DEPTH_MAX} levels of nesting")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Takes the end.
    pub(super) fn end(&self, what: &str) -> Result<()> {
        match self.peek() {
            Kind::End => Ok(()),
            _ => Err(self.expected(what)),
        }
    }

    /// Makes the error of something else having been expected here.
    pub(super) fn expected(&self, what: impl AsRef<str>) -> Error {
        let found = self.peek().found();
        self.refused(format!("expected {}, found {found}", what.as_ref()))
    }

    /// Makes an error of this place.
    pub(super) fn refused(&self, message: impl AsRef<str>) -> Error {
        self.refused_at(self.at(), message)
    }

    /// Makes an error of another place.
    pub(super) fn refused_at(&self, at: At, message: impl AsRef<str>) -> Error {
        malformed(self.text, at.0, message)
    }
}
