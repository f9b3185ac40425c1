//! From tokens to a tree.
//!
//! It accepts what the platform's own grammar accepts and no more: no mixing of
//! AND with OR without parentheses, NOT alone at its level, no empty lists.

use super::ast::{
    Condition, Constant, Expr, Grouping, How, Item, Literal, Name, Op, Order, Path, Query, TypeOf,
    Which,
};
use super::error::SoqlError;
use super::lex::{Kind, Token, tokens};
use crate::org::time;

type Parsed<T> = Result<T, SoqlError>;

/// Conditions and queries nested deeper than this are refused rather than followed.
const DEEPEST: usize = 100;

const RESERVED: [&str; 22] = [
    "AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST",
    "LIKE", "LIMIT", "NOT", "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH", "ORDER",
];

/// Reads a whole statement.
pub(crate) fn parse(soql: &str) -> Parsed<Query> {
    let mut parser = Parser {
        tokens: tokens(soql)?,
        next: 0,
        depth: 0,
    };
    let query = parser.query()?;
    match parser.peek().kind {
        Kind::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &Token<'a> {
        self.ahead(0)
    }

    fn ahead(&self, n: usize) -> &Token<'a> {
        &self.tokens[(self.next + n).min(self.tokens.len() - 1)]
    }

    fn at(&self) -> usize {
        self.peek().at
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek().kind, Kind::Word(text) if text.eq_ignore_ascii_case(word))
    }

    fn is_mark(&self, mark: &str) -> bool {
        self.peek().kind == Kind::Mark(mark)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn eat_mark(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.next += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn expect_mark(&mut self, mark: &str) -> Parsed<()> {
        if self.eat_mark(mark) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> SoqlError {
        let token = self.peek();
        let shown = if token.kind == Kind::End {
            "<EOF>"
        } else {
            token.text
        };
        SoqlError::malformed(token.at, format!("unexpected token: '{shown}'"))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SoqlError::new(
                "QUERY_TOO_COMPLICATED",
                self.at(),
                "Query is too complicated",
            ));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn name(&mut self) -> Parsed<Name> {
        match self.peek().kind {
            Kind::Word(text) => {
                let at = self.take().at;
                Ok(Name {
                    text: text.to_owned(),
                    at,
                })
            }
            _ => Err(self.unexpected()),
        }
    }

    fn path(&mut self) -> Parsed<Path> {
        let first = self.name()?;
        let mut path = Path {
            steps: vec![first.text],
            at: first.at,
        };
        while self.eat_mark(".") {
            path.steps.push(self.name()?.text);
        }
        Ok(path)
    }

    /// Reads a name that is no keyword, if one follows.
    fn alias(&mut self, stops: &[&str]) -> Option<String> {
        let Kind::Word(text) = self.peek().kind else {
            return None;
        };
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is(&RESERVED) || is(stops) {
            return None;
        }
        self.next += 1;
        Some(text.to_owned())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat_mark(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn query(&mut self) -> Parsed<Query> {
        self.expect_word("SELECT")?;
        let select = self.list(Self::item)?;
        self.expect_word("FROM")?;
        let from = self.path()?;
        let stops = ["FOR", "OFFSET", "UPDATE"];
        let alias = self.alias(&stops);
        let mut aliases = Vec::new();
        while self.eat_mark(",") {
            let path = self.path()?;
            let alias = self.alias(&stops).ok_or_else(|| self.unexpected())?;
            aliases.push((alias, path));
        }
        let mut query = Query {
            select,
            from: Name {
                text: from.steps.join("."),
                at: from.at,
            },
            alias,
            aliases,
            scope: None,
            filter: None,
            group: None,
            having: None,
            order: Vec::new(),
            limit: None,
            offset: None,
        };
        self.clauses(&mut query)?;
        Ok(query)
    }

    /// Reads what follows FROM; the order of the clauses is fixed.
    fn clauses(&mut self, query: &mut Query) -> Parsed<()> {
        if self.eat_word("USING") {
            self.expect_word("SCOPE")?;
            query.scope = Some(self.name()?);
        }
        if self.eat_word("WHERE") {
            query.filter = Some(self.condition()?);
        }
        if self.is_word("GROUP") {
            query.group = Some(self.grouping()?);
        }
        if self.eat_word("HAVING") {
            query.having = Some(self.condition()?);
        }
        if self.eat_word("ORDER") {
            self.expect_word("BY")?;
            query.order = self.list(Self::order)?;
        }
        if self.eat_word("LIMIT") {
            query.limit = Some(self.count()?);
        }
        if self.eat_word("OFFSET") {
            query.offset = Some(self.count()?);
        }
        if self.is_word("FOR")
            && matches!(self.ahead(1).kind, Kind::Word(word) if !word.eq_ignore_ascii_case("UPDATE"))
        {
            self.next += 1;
            if !self.eat_word("VIEW") && !self.eat_word("REFERENCE") {
                return Err(self.unexpected());
            }
        }
        if self.eat_word("UPDATE") && !self.eat_word("TRACKING") && !self.eat_word("VIEWSTAT") {
            return Err(self.unexpected());
        }
        Ok(())
    }

    fn item(&mut self) -> Parsed<Item> {
        let at = self.at();
        if self.eat_mark("(") {
            let query = self.deeper(Self::query)?;
            self.expect_mark(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        let called = self.ahead(1).kind == Kind::Mark("(");
        if self.is_word("TYPEOF") && matches!(self.ahead(1).kind, Kind::Word(_)) {
            return self.type_of().map(Item::TypeOf);
        }
        if self.is_word("COUNT") && called && self.ahead(2).kind == Kind::Mark(")") {
            self.next += 3;
            return Ok(Item::CountRows { at });
        }
        if self.is_word("FIELDS") && called {
            self.next += 2;
            let name = self.name()?;
            let which = match name.text.to_ascii_uppercase().as_str() {
                "ALL" => Which::All,
                "STANDARD" => Which::Standard,
                "CUSTOM" => Which::Custom,
                _ => {
                    return Err(SoqlError::malformed(
                        name.at,
                        format!("unexpected token: '{}'", name.text),
                    ));
                }
            };
            self.expect_mark(")")?;
            return Ok(Item::Fields { which, at });
        }
        let expr = self.expr()?;
        Ok(Item::Expr {
            expr,
            alias: self.alias(&[]),
        })
    }

    fn type_of(&mut self) -> Parsed<TypeOf> {
        self.next += 1;
        let relation = self.path()?;
        let mut cases = Vec::new();
        while self.eat_word("WHEN") {
            let object = self.name()?;
            self.expect_word("THEN")?;
            cases.push((object, self.list(Self::path)?));
        }
        if cases.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.eat_word("ELSE") {
            Some(self.list(Self::path)?)
        } else {
            None
        };
        self.expect_word("END")?;
        Ok(TypeOf {
            relation,
            cases,
            otherwise,
        })
    }

    fn expr(&mut self) -> Parsed<Expr> {
        let is_call =
            matches!(self.peek().kind, Kind::Word(_)) && self.ahead(1).kind == Kind::Mark("(");
        if !is_call {
            return self.path().map(Expr::Path);
        }
        let name = self.name()?;
        self.expect_mark("(")?;
        let args = if self.is_mark(")") {
            Vec::new()
        } else {
            self.deeper(|parser| parser.list(Self::expr))?
        };
        self.expect_mark(")")?;
        Ok(Expr::Call { name, args })
    }

    fn grouping(&mut self) -> Parsed<Grouping> {
        let at = self.at();
        self.next += 1;
        self.expect_word("BY")?;
        let called = self.ahead(1).kind == Kind::Mark("(");
        let how = match () {
            () if called && self.is_word("ROLLUP") => How::Rollup,
            () if called && self.is_word("CUBE") => How::Cube,
            () => How::Plain,
        };
        if how == How::Plain {
            return Ok(Grouping {
                how,
                by: self.list(Self::expr)?,
                at,
            });
        }
        self.next += 2;
        let by = self.list(Self::expr)?;
        self.expect_mark(")")?;
        Ok(Grouping { how, by, at })
    }

    fn order(&mut self) -> Parsed<Order> {
        let expr = self.expr()?;
        let descending = self.eat_word("DESC");
        if !descending {
            self.eat_word("ASC");
        }
        let nulls_first = match self.eat_word("NULLS") {
            false => None,
            true if self.eat_word("FIRST") => Some(true),
            true if self.eat_word("LAST") => Some(false),
            true => return Err(self.unexpected()),
        };
        Ok(Order {
            expr,
            descending,
            nulls_first,
        })
    }

    fn count(&mut self) -> Parsed<(u64, usize)> {
        let at = self.at();
        match self.peek().kind {
            Kind::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.next += 1;
                Ok((text.parse().unwrap_or(u64::MAX), at))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn condition(&mut self) -> Parsed<Condition> {
        self.deeper(|parser| {
            if parser.eat_word("NOT") {
                return Ok(Condition::Not(Box::new(parser.primary()?)));
            }
            let first = parser.primary()?;
            for (word, join) in [("AND", Condition::And as fn(_) -> _), ("OR", Condition::Or)] {
                if parser.is_word(word) {
                    let mut parts = vec![first];
                    while parser.eat_word(word) {
                        parts.push(parser.primary()?);
                    }
                    return Ok(join(parts));
                }
            }
            Ok(first)
        })
    }

    fn primary(&mut self) -> Parsed<Condition> {
        if self.eat_mark("(") {
            let inner = self.condition()?;
            self.expect_mark(")")?;
            return Ok(inner);
        }
        if self.is_word("NOT") {
            return Err(self.unexpected());
        }
        let left = self.expr()?;
        self.test(left)
    }

    fn test(&mut self, left: Expr) -> Parsed<Condition> {
        let at = self.at();
        if self.eat_word("LIKE") {
            return Ok(Condition::Compare {
                left,
                op: Op::Like,
                right: self.literal()?,
            });
        }
        if self.is_word("INCLUDES") || self.is_word("EXCLUDES") {
            let excludes = self.is_word("EXCLUDES");
            self.next += 1;
            self.expect_mark("(")?;
            let sets = self.list(Self::literal)?;
            self.expect_mark(")")?;
            return Ok(Condition::Choice {
                left,
                excludes,
                sets,
                at,
            });
        }
        let negated = self.eat_word("NOT");
        if self.eat_word("IN") {
            return self.membership(left, negated, at);
        }
        if negated {
            return Err(self.unexpected());
        }
        let op = match self.peek().kind {
            Kind::Mark("=") => Op::Equal,
            Kind::Mark("!=" | "<>") => Op::NotEqual,
            Kind::Mark("<") => Op::Less,
            Kind::Mark("<=") => Op::LessEqual,
            Kind::Mark(">") => Op::Greater,
            Kind::Mark(">=") => Op::GreaterEqual,
            _ => return Err(self.unexpected()),
        };
        self.next += 1;
        Ok(Condition::Compare {
            left,
            op,
            right: self.literal()?,
        })
    }

    fn membership(&mut self, left: Expr, negated: bool, at: usize) -> Parsed<Condition> {
        self.expect_mark("(")?;
        let condition = if self.is_word("SELECT") {
            let query = Box::new(self.deeper(Self::query)?);
            Condition::InQuery {
                left,
                negated,
                query,
                at,
            }
        } else {
            Condition::In {
                left,
                negated,
                list: self.list(Self::literal)?,
                at,
            }
        };
        self.expect_mark(")")?;
        Ok(condition)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let Token { kind, at, text } = self.peek().clone();
        let value = match kind {
            Kind::Text(raw) => Constant::Text(raw.to_owned()),
            Kind::Number(text) => {
                let number = text.strip_prefix('+').unwrap_or(text).parse();
                Constant::Number(number.map_err(|_| {
                    SoqlError::malformed(at, format!("number out of range: {text}"))
                })?)
            }
            Kind::Date(text) => match (time::parse_date(text), time::parse_datetime(text)) {
                (Some(date), _) => Constant::Date(date),
                (_, Some(instant)) => Constant::DateTime(instant),
                _ => return Err(SoqlError::malformed(at, format!("Invalid date: {text}"))),
            },
            Kind::Word(word) if word.eq_ignore_ascii_case("NULL") => Constant::Null,
            Kind::Word(word) if word.eq_ignore_ascii_case("TRUE") => Constant::Bool(true),
            Kind::Word(word) if word.eq_ignore_ascii_case("FALSE") => Constant::Bool(false),
            Kind::Word(word) => return self.range(word),
            _ => {
                let shown = if kind == Kind::End { "<EOF>" } else { text };
                return Err(SoqlError::malformed(
                    at,
                    format!("unexpected token: '{shown}'"),
                ));
            }
        };
        self.next += 1;
        Ok(Literal { value, at })
    }

    fn range(&mut self, word: &str) -> Parsed<Literal> {
        let at = self.at();
        let name = word.to_ascii_uppercase();
        let Some(counted) = super::dates::is_counted(&name) else {
            return Err(self.unexpected());
        };
        self.next += 1;
        let mut n = None;
        if counted {
            self.expect_mark(":")?;
            let Kind::Number(text) = self.peek().kind else {
                return Err(self.unexpected());
            };
            let count = text
                .parse()
                .ok()
                .filter(|n: &i64| (0..=100_000).contains(n));
            n = Some(count.ok_or_else(|| self.unexpected())?);
            self.next += 1;
        }
        Ok(Literal {
            value: Constant::Range { name, n },
            at,
        })
    }
}
