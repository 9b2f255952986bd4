//! Look-ahead that builds nothing: does a type stand here, and where does it end?
//!
//! Grammar rules G3 and G4 say "try to parse". A recogniser over token kinds answers without arenas to roll back.

use crate::lexer::Kind;

use super::{NESTING_LIMIT, Parser};

impl Parser<'_> {
    /// `<...>` at `index` that is followed by `(` or `.` (G4).
    pub(super) fn at_type_args(&self, index: usize) -> bool {
        // Most `<` are comparisons: look at the token after the first word before anything else.
        match self.kind_at(index + 1) {
            Kind::Ident | Kind::SelfType => {
                let next = self.kind_at(index + 2);
                let goes_on = matches!(next, Kind::Comma | Kind::Gt | Kind::Dot | Kind::ColonColon | Kind::Lt | Kind::Plus);
                goes_on && self.type_args_end(index, 0).is_some_and(|end| matches!(self.kind_at(end), Kind::LParen | Kind::Dot))
            }
            _ => self.type_args_end(index, 0).is_some_and(|end| matches!(self.kind_at(end), Kind::LParen | Kind::Dot)),
        }
    }

    /// The index after `<...>` at `index`.
    pub(super) fn type_args_end(&self, index: usize, depth: u32) -> Option<usize> {
        let mut at = index + 1;
        if self.kind_at(at) == Kind::Gt {
            return None;
        }
        loop {
            at = self.type_arg_end(at, depth + 1)?;
            match self.kind_at(at) {
                Kind::Comma => at += 1,
                Kind::Gt => return Some(at + 1),
                _ => return None,
            }
            if self.kind_at(at) == Kind::Gt {
                return Some(at + 1);
            }
        }
    }

    fn type_arg_end(&self, index: usize, depth: u32) -> Option<usize> {
        match self.kind_at(index) {
            kind if kind.is_literal() => Some(index + 1),
            Kind::Minus if self.kind_at(index + 1) == Kind::Int => Some(index + 2),
            Kind::Dollar if self.kind_at(index + 1) == Kind::Ident => Some(index + 2),
            Kind::LParen => match self.type_end(index, depth) {
                Some(end) if matches!(self.kind_at(end), Kind::Comma | Kind::Gt) => Some(end),
                // Parentheses that hold no type hold an expression.
                _ => Some(self.partner(index)? + 1),
            },
            _ => self.type_end(index, depth),
        }
    }

    /// The index after the type at `index`.
    pub(super) fn type_end(&self, index: usize, depth: u32) -> Option<usize> {
        let mut at = self.base_type_end(index, depth)?;
        while self.kind_at(at) == Kind::Plus {
            at = self.base_type_end(at + 1, depth)?;
        }
        Some(at)
    }

    pub(super) fn base_type_end(&self, index: usize, depth: u32) -> Option<usize> {
        if depth > NESTING_LIMIT {
            return None;
        }
        match self.kind_at(index) {
            Kind::Void | Kind::Underscore => Some(index + 1),
            Kind::Ident | Kind::SelfType => {
                let mut at = index + 1;
                while matches!(self.kind_at(at), Kind::Dot | Kind::ColonColon) && self.kind_at(at + 1) == Kind::Ident {
                    at += 2;
                }
                if self.kind_at(at) == Kind::Lt {
                    return self.type_args_end(at, depth);
                }
                Some(at)
            }
            Kind::LBracket => {
                let close = self.partner(index)?;
                let at = self.type_end(index + 1, depth + 1)?;
                let sized = self.kind_at(at) == Kind::Comma && self.is_word(at + 1, self.words.max);
                (at == close || sized).then_some(close + 1)
            }
            Kind::LBrace => {
                let close = self.partner(index)?;
                let key = self.type_end(index + 1, depth + 1)?;
                if self.kind_at(key) != Kind::Colon {
                    return None;
                }
                (self.type_end(key + 1, depth + 1)? == close).then_some(close + 1)
            }
            Kind::LParen => {
                let close = self.partner(index)?;
                let mut at = index + 1;
                while at != close {
                    at = self.type_end(at, depth + 1)?;
                    match self.kind_at(at) {
                        Kind::Comma => at += 1,
                        _ if at == close => {}
                        _ => return None,
                    }
                }
                if self.kind_at(close + 1) == Kind::Arrow {
                    return self.type_end(close + 2, depth + 1);
                }
                Some(close + 1)
            }
            _ => None,
        }
    }
}
