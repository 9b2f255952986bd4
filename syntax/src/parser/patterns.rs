//! Patterns (language/06 section 6.1).

use ir::List;

use crate::DiagnosticCode;
use crate::lexer::Kind;
use crate::tree::*;

use super::{Failed, NESTING_LIMIT, Parse, Parser};

impl Parser<'_> {
    /// A pattern with alternatives.
    pub(super) fn pattern(&mut self) -> Parse<PatternId> {
        self.nested(|p| {
            let start = p.token().start;
            p.eat(Kind::Pipe);
            let first = p.alternative()?;
            if p.kind() != Kind::Pipe {
                return Ok(first);
            }
            let mark = p.stacks.patterns.len();
            p.stacks.patterns.push(first);
            while p.eat(Kind::Pipe) {
                let next = p.alternative()?;
                p.stacks.patterns.push(next);
            }
            let list = p.drain_patterns(mark);
            Ok(p.add_pattern(Pattern::Or(list), start))
        })
    }

    /// A pattern without alternatives, as in `let` and `for`.
    pub(super) fn binding(&mut self) -> Parse<PatternId> {
        let token = self.token();
        let is_name = token.kind == Kind::Ident && matches!(self.ahead(1).kind, Kind::Eq | Kind::Colon | Kind::In);
        if is_name && self.depth < NESTING_LIMIT {
            self.pos += 1;
            return Ok(self.add_pattern_at(Pattern::Name { name: token.symbol(), dollar: false }, self.span_of(token)));
        }
        self.nested(|p| p.alternative())
    }

    fn drain_patterns(&mut self, mark: usize) -> List<PatternId> {
        self.tree.pattern_lists.add(self.stacks.patterns.drain(mark..))
    }

    fn drain_fields(&mut self, mark: usize) -> List<FieldPattern> {
        self.tree.field_patterns.add(self.stacks.fields.drain(mark..))
    }

    fn alternative(&mut self) -> Parse<PatternId> {
        let start = self.token().start;
        let dollar = self.kind() == Kind::Dollar;
        let at = self.pos + usize::from(dollar);
        if self.kind_at(at) == Kind::Ident && self.kind_at(at + 1) == Kind::At {
            let (name, _) = if dollar { self.dollar_name()? } else { self.ident()? };
            self.pos += 1;
            let pattern = self.atom()?;
            return Ok(self.add_pattern(Pattern::At { name, dollar, pattern }, start));
        }
        self.atom()
    }

    fn atom(&mut self) -> Parse<PatternId> {
        let token = self.token();
        let start = token.start;
        match token.kind {
            Kind::Ident | Kind::SelfType => self.path_pattern(),
            Kind::Underscore => {
                self.pos += 1;
                Ok(self.add_pattern(Pattern::Blank, start))
            }
            Kind::Minus => self.literal_pattern(),
            kind if kind.is_literal() => self.literal_pattern(),
            Kind::Dollar => {
                let (name, span) = self.dollar_name()?;
                if matches!(self.kind(), Kind::DotDot | Kind::DotDotEq) {
                    return self.range_pattern(RangeEnd::Constant(name), start);
                }
                Ok(self.add_pattern_at(Pattern::Name { name, dollar: true }, span))
            }
            Kind::LParen => self.paren_pattern(),
            Kind::LBracket => self.list_pattern(),
            Kind::LBrace => self.struct_pattern(Short::EMPTY, start),
            Kind::DotDot | Kind::DotDotEq => self.bad_range("the low end is missing"),
            kind if kind == Kind::Future || kind.is_keyword() => {
                if matches!(kind, Kind::In | Kind::Then | Kind::Do | Kind::Else | Kind::Yield | Kind::Let) {
                    return self.invalid_pattern();
                }
                let (name, span) = self.not_an_identifier()?;
                Ok(self.add_pattern_at(Pattern::Name { name, dollar: false }, span))
            }
            _ => self.invalid_pattern(),
        }
    }

    fn bad_range<T>(&mut self, why: &str) -> Parse<T> {
        self.fail(DiagnosticCode::E0604, self.span_of(self.token()), [why.into()])
    }

    fn literal_pattern(&mut self) -> Parse<PatternId> {
        let start = self.token().start;
        let (literal, negative) = self.pattern_literal()?;
        if matches!(self.kind(), Kind::DotDot | Kind::DotDotEq) {
            return self.range_pattern(RangeEnd::Literal(literal, negative), start);
        }
        Ok(self.add_pattern(Pattern::Literal(literal, negative), start))
    }

    fn pattern_literal(&mut self) -> Parse<(Literal, bool)> {
        let negative = self.eat(Kind::Minus);
        if negative {
            self.min_int_at = self.pos;
            if !matches!(self.kind(), Kind::Int | Kind::Float | Kind::Duration) {
                return self.invalid_pattern();
            }
        }
        Ok((self.literal()?, negative))
    }

    /// Behind the low end of a range.
    fn range_pattern(&mut self, low: RangeEnd, start: u32) -> Parse<PatternId> {
        let inclusive = self.bump().kind == Kind::DotDotEq;
        let high = match self.kind() {
            Kind::Dollar => RangeEnd::Constant(self.dollar_name()?.0),
            kind if kind == Kind::Minus || kind.is_literal() => {
                let (literal, negative) = self.pattern_literal()?;
                RangeEnd::Literal(literal, negative)
            }
            Kind::Ident => return self.bad_range("an end is a literal or a constant written '$name'"),
            _ => return self.bad_range("the high end is missing"),
        };
        let ends = self.tree.range_ends.add([low, high]);
        Ok(self.add_pattern(Pattern::Range { ends, inclusive }, start))
    }

    /// A binding, unit variant, variant with payload, or struct.
    fn path_pattern(&mut self) -> Parse<PatternId> {
        let token = self.bump();
        let (start, mut last) = (token.start, token);
        let mark = self.stacks.paths.len();
        self.stacks.paths.push(token.symbol());
        // `.match(` is the older spelling of a guard.
        while self.kind() == Kind::Dot && !(self.ahead(1).kind == Kind::Match && self.ahead(2).kind == Kind::LParen) {
            self.pos += 1;
            last = self.token();
            let (name, _) = self.name()?;
            self.stacks.paths.push(name);
        }
        let is_plain = last.start == token.start && token.kind == Kind::Ident;
        match self.kind() {
            Kind::LParen => {
                let path = self.drain_short_path(mark);
                let payload = self.payload()?;
                Ok(self.add_pattern(Pattern::Variant { path, payload: Some(payload) }, start))
            }
            Kind::LBrace => {
                let path = self.drain_short_path(mark);
                self.struct_pattern(path, start)
            }
            Kind::DotDot | Kind::DotDotEq if is_plain => {
                self.stacks.paths.truncate(mark);
                self.pos -= 1;
                self.bad_range("an end is a literal or a constant written '$name'")
            }
            _ if is_plain => {
                self.stacks.paths.truncate(mark);
                Ok(self.add_pattern(Pattern::Name { name: token.symbol(), dollar: false }, start))
            }
            _ => {
                let path = self.drain_short_path(mark);
                Ok(self.add_pattern(Pattern::Variant { path, payload: None }, start))
            }
        }
    }

    fn payload(&mut self) -> Parse<List<FieldPattern>> {
        let open = self.pos;
        self.pos += 1;
        let mark = self.stacks.fields.len();
        self.list(open, Kind::RParen, |p| {
            let field = p.payload_field()?;
            p.stacks.fields.push(field);
            Ok(())
        })?;
        Ok(self.drain_fields(mark))
    }

    /// `name: pattern`, `name:`, `pattern`
    fn payload_field(&mut self) -> Parse<FieldPattern> {
        let token = self.token();
        if token.kind == Kind::DotDot && matches!(self.ahead(1).kind, Kind::Comma | Kind::RParen) {
            let span = self.span_of(token);
            let help = "a payload pattern names every part; write `_` for each of the others";
            self.report(DiagnosticCode::E1008, span, []).helps.push(help.into());
            return Err(Failed);
        }
        if !(token.kind.is_word() && self.ahead(1).kind == Kind::Colon) {
            let pattern = self.pattern()?;
            return Ok(FieldPattern { name: None, pattern, span: self.tree.pattern_span(pattern) });
        }
        let (name, span) = self.name()?;
        self.pos += 1;
        let pattern = if matches!(self.kind(), Kind::Comma | Kind::RParen) {
            if token.kind != Kind::Ident {
                self.report(DiagnosticCode::E0113, span, [self.token_text(token).into()]);
            }
            self.add_pattern_at(Pattern::Name { name, dollar: false }, span)
        } else {
            self.pattern()?
        };
        Ok(FieldPattern { name: Some(name), pattern, span })
    }

    fn struct_pattern(&mut self, path: Short<ir::Symbol>, start: u32) -> Parse<PatternId> {
        let open = self.pos;
        self.pos += 1;
        let mark = self.stacks.fields.len();
        let mut rest = false;
        self.list(open, Kind::RBrace, |p| {
            if rest {
                return p.unexpected("'}'");
            }
            if p.eat(Kind::DotDot) {
                rest = true;
                return Ok(());
            }
            let field = p.field_pattern()?;
            p.stacks.fields.push(field);
            Ok(())
        })?;
        let fields = self.drain_fields(mark);
        Ok(self.add_pattern(Pattern::Struct { path, fields, rest }, start))
    }

    /// `name: pattern`, `name`, `$name`
    fn field_pattern(&mut self) -> Parse<FieldPattern> {
        if self.kind().is_word() && self.ahead(1).kind == Kind::Colon {
            let (name, span) = self.name()?;
            self.pos += 1;
            let pattern = self.pattern()?;
            return Ok(FieldPattern { name: Some(name), pattern, span });
        }
        if !matches!(self.kind(), Kind::Dollar) && !self.kind().is_word() {
            return self.invalid_pattern();
        }
        let dollar = self.kind() == Kind::Dollar;
        let (name, span) = if dollar { self.dollar_name()? } else { self.ident()? };
        let pattern = self.add_pattern_at(Pattern::Name { name, dollar }, span);
        Ok(FieldPattern { name: Some(name), pattern, span })
    }

    fn paren_pattern(&mut self) -> Parse<PatternId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        let mark = self.stacks.patterns.len();
        self.list(open, Kind::RParen, |p| {
            let element = p.pattern()?;
            p.stacks.patterns.push(element);
            Ok(())
        })?;
        match self.stacks.patterns[mark..] {
            [] => Ok(self.add_pattern(Pattern::Unit, start)),
            [inner] => {
                self.stacks.patterns.truncate(mark);
                Ok(inner)
            }
            _ => {
                let list = self.drain_patterns(mark);
                Ok(self.add_pattern(Pattern::Tuple(list), start))
            }
        }
    }

    fn list_pattern(&mut self) -> Parse<PatternId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        let mark = self.stacks.patterns.len();
        let mut rest = None;
        self.list(open, Kind::RBracket, |p| {
            if rest.is_some() {
                return p.behind_the_rest();
            }
            if p.eat(Kind::DotDot) {
                let dollar = p.kind() == Kind::Dollar;
                rest = Some(match p.kind() {
                    Kind::Dollar => Some((p.dollar_name()?.0, dollar)),
                    kind if kind.is_word() => Some((p.ident()?.0, dollar)),
                    _ => None,
                });
                return Ok(());
            }
            let element = p.pattern()?;
            p.stacks.patterns.push(element);
            Ok(())
        })?;
        let elements = self.drain_patterns(mark);
        Ok(self.add_pattern(Pattern::List { elements, rest }, start))
    }
}
