//! Operands: literals, names, groups, lists, maps, structs, templates.

use ir::{List, Symbol};

use crate::DiagnosticCode;
use crate::lexer::{Flags, Kind};
use crate::tree::*;

use super::{Parse, Parser};

/// The magnitude of the least integer.
pub(super) const MIN_MAGNITUDE: u64 = 1 << 63;

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parse<ExprId> {
        let token = self.token();
        let start = token.start;
        match token.kind {
            Kind::Ident => {
                if token.flags.has(Flags::SPECIAL)
                    && let Some(form) = self.special_word()?
                {
                    return Ok(form);
                }
                self.pos += 1;
                Ok(self.add(Expr::Name(token.symbol()), start))
            }
            kind if kind.is_literal() => self.literal_expr(),
            Kind::LParen => self.group(),
            Kind::LBracket => self.list_literal(),
            Kind::TemplateStart => self.template(),
            Kind::SelfValue => {
                self.pos += 1;
                Ok(self.add(Expr::SelfValue, start))
            }
            Kind::SelfType => {
                self.pos += 1;
                Ok(self.add(Expr::SelfType, start))
            }
            Kind::Dollar if !matches!(self.ahead(1).kind, Kind::If | Kind::For) => {
                let (name, span) = self.dollar_name()?;
                Ok(self.add_at(Expr::Dollar(name), span))
            }
            Kind::Hash => {
                self.pos += 1;
                if self.index_depth == 0 {
                    self.report(DiagnosticCode::E0105, self.span_of(token), []);
                }
                Ok(self.add(Expr::Length, start))
            }
            Kind::Underscore => {
                self.pos += 1;
                Ok(self.add(Expr::Blank, start))
            }
            Kind::For if self.at_call_form() => self.call_form(),
            Kind::With => {
                if self.at_call_form() {
                    self.call_form()
                } else {
                    self.with_expr()
                }
            }
            Kind::LBrace | Kind::If | Kind::Match | Kind::For | Kind::While | Kind::Loop | Kind::Unsafe | Kind::Dollar => self.form(false),
            Kind::Break | Kind::Continue => self.jump(),
            Kind::Future => {
                let (name, span) = self.not_an_identifier()?;
                Ok(self.add_at(Expr::Name(name), span))
            }
            _ => self.expected_expression(),
        }
    }

    pub(super) fn literal_expr(&mut self) -> Parse<ExprId> {
        let start = self.token().start;
        let literal = self.literal()?;
        Ok(self.add(Expr::Literal(literal), start))
    }

    /// A literal of one token.
    pub(super) fn literal(&mut self) -> Parse<Literal> {
        let token = self.token();
        let number = |p: &Self| p.numbers.get(token.data as usize).copied().unwrap_or(0);
        let literal = match token.kind {
            Kind::Int => {
                let value = number(self);
                if value == MIN_MAGNITUDE && self.min_int_at != self.pos {
                    let text = self.token_text(token);
                    self.report(DiagnosticCode::E0033, self.span_of(token), ["integer".into(), text.into()]);
                }
                Literal::Int(Wide::new(value))
            }
            Kind::Float => Literal::Float(Wide::new(number(self))),
            Kind::Duration => Literal::Duration(Wide::new(number(self))),
            Kind::Size => Literal::Size(Wide::new(number(self))),
            Kind::Str => Literal::Str(token.symbol()),
            Kind::Char => Literal::Char(char::from_u32(token.data).unwrap_or('\u{FFFD}')),
            Kind::Byte => Literal::Byte(token.data as u8),
            Kind::True => Literal::Bool(true),
            Kind::False => Literal::Bool(false),
            _ => return self.expected_expression(),
        };
        self.pos += 1;
        Ok(literal)
    }

    /// `()`, `(e)`, `(a, b)`
    pub(super) fn group(&mut self) -> Parse<ExprId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        let mark = self.stacks.exprs.len();
        if !matches!(self.kind(), Kind::RParen | Kind::Comma) {
            let first = self.bracketed(|p| p.expr())?;
            if self.eat(Kind::RParen) {
                return Ok(self.add(Expr::Paren(first), start));
            }
            self.stacks.exprs.push(first);
            if !self.eat(Kind::Comma) {
                return self.bracketed(|p| p.close(open, Kind::RParen)).and(Err(super::Failed));
            }
        }
        self.list(open, Kind::RParen, |p| {
            let element = p.expr()?;
            p.stacks.exprs.push(element);
            Ok(())
        })?;
        let expr = match self.stacks.exprs[mark..] {
            [] => Expr::Unit,
            [inner] => Expr::Paren(inner),
            _ => Expr::Tuple(self.tree.expr_lists.add(self.stacks.exprs[mark..].iter().copied())),
        };
        self.stacks.exprs.truncate(mark);
        Ok(self.add(expr, start))
    }

    fn drain_entries(&mut self, mark: usize) -> List<Entry> {
        self.tree.entries.add(self.stacks.entries.drain(mark..))
    }

    fn list_literal(&mut self) -> Parse<ExprId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        let mark = self.stacks.entries.len();
        self.list(open, Kind::RBracket, |p| {
            let entry = p.spread_or(EntryKey::None)?;
            p.stacks.entries.push(entry);
            Ok(())
        })?;
        let entries = self.drain_entries(mark);
        Ok(self.add(Expr::List(entries), start))
    }

    /// `...e`, or `e` under a key.
    fn spread_or(&mut self, key: EntryKey) -> Parse<Entry> {
        let key = if self.eat(Kind::Ellipsis) { EntryKey::Spread } else { key };
        let value = self.expr()?;
        Ok(Entry { key, value, span: self.tree.expr_span(value) })
    }

    /// Grammar G1: a block or a map.
    pub(super) fn brace_expr(&mut self) -> Parse<ExprId> {
        let first = self.ahead(1).kind;
        let second = self.ahead(2).kind;
        let is_map = match first {
            Kind::RBrace => self.empty_block_at != self.pos,
            Kind::Ellipsis => true,
            Kind::Ident => second == Kind::Colon && !self.labelled_block_at(self.pos + 1),
            Kind::Minus => matches!(second, Kind::Int | Kind::Duration | Kind::Float) && self.ahead(3).kind == Kind::Colon,
            Kind::LBracket => self.partner(self.pos + 1).is_some_and(|close| self.kind_at(close + 1) == Kind::Colon),
            kind if kind.is_literal() => second == Kind::Colon,
            _ => false,
        };
        if is_map { self.map_literal() } else { self.block() }
    }

    fn map_literal(&mut self) -> Parse<ExprId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        let mark = self.stacks.entries.len();
        self.list(open, Kind::RBrace, |p| {
            let entry = p.map_entry()?;
            p.stacks.entries.push(entry);
            Ok(())
        })?;
        let entries = self.drain_entries(mark);
        Ok(self.add(Expr::Map(entries), start))
    }

    fn map_entry(&mut self) -> Parse<Entry> {
        if self.kind() == Kind::Ellipsis {
            return self.spread_or(EntryKey::Spread);
        }
        let start = self.token().start;
        let key = match self.kind() {
            Kind::LBracket => {
                let open = self.pos;
                self.pos += 1;
                EntryKey::Expr(self.bracketed(|p| {
                    let key = p.expr()?;
                    p.close(open, Kind::RBracket)?;
                    Ok(key)
                })?)
            }
            Kind::Minus => {
                self.pos += 1;
                self.min_int_at = self.pos;
                let literal = self.literal_expr()?;
                EntryKey::Expr(self.add(Expr::Unary(UnaryOp::Neg, literal), start))
            }
            kind if kind.is_literal() => EntryKey::Expr(self.literal_expr()?),
            // A name or, in a struct update, a reserved word that names a field.
            kind if kind.is_word() && (kind == Kind::Ident || self.ahead(1).kind == Kind::Colon) => EntryKey::Name(self.bump().symbol()),
            _ => return self.unexpected("map key or '}'"),
        };
        let span = self.span_from(start);
        // `{ ...s, f }` is a struct update with a punned field.
        if let EntryKey::Name(name) = key
            && matches!(self.kind(), Kind::Comma | Kind::RBrace)
        {
            let value = self.add_at(Expr::Name(name), span);
            return Ok(Entry { key, value, span });
        }
        if !self.eat(Kind::Colon) {
            return self.unexpected("':'");
        }
        let value = self.expr()?;
        Ok(Entry { key, value, span })
    }

    /// The path of a struct literal, if an expression before `{` is one (G2).
    pub(super) fn struct_path(&mut self, value: ExprId) -> Option<List<Symbol>> {
        let mark = self.stacks.paths.len();
        let mut at = value;
        loop {
            match self.tree.exprs[at] {
                Expr::Name(name) => self.stacks.paths.push(name),
                Expr::SelfType if at == value => self.stacks.paths.push(Symbol::new("Self")),
                Expr::Field(base, name) => {
                    self.stacks.paths.push(name);
                    at = base;
                    continue;
                }
                _ => {
                    self.stacks.paths.truncate(mark);
                    return None;
                }
            }
            self.stacks.paths[mark..].reverse();
            return Some(self.drain_path(mark));
        }
    }

    pub(super) fn struct_literal(&mut self, path: List<Symbol>, start: u32) -> Parse<ExprId> {
        let open = self.pos;
        self.pos += 1;
        let mark = self.stacks.entries.len();
        self.list(open, Kind::RBrace, |p| {
            let entry = p.struct_entry()?;
            p.stacks.entries.push(entry);
            Ok(())
        })?;
        let entries = self.drain_entries(mark);
        let path = self.tree.shorten(path);
        Ok(self.add(Expr::Struct { path, entries }, start))
    }

    fn struct_entry(&mut self) -> Parse<Entry> {
        if self.kind() == Kind::Ellipsis {
            return self.spread_or(EntryKey::Spread);
        }
        let named = self.kind().is_word() && self.ahead(1).kind == Kind::Colon;
        let (name, span) = if named { self.name()? } else { self.ident()? };
        let value = if named && matches!(self.ahead(1).kind, Kind::Comma | Kind::RBrace) {
            self.pos += 1;
            self.pun_with_colon(name, span);
            self.add_at(Expr::Name(name), span)
        } else if named {
            self.pos += 1;
            self.expr()?
        } else {
            self.add_at(Expr::Name(name), span)
        };
        Ok(Entry { key: EntryKey::Name(name), value, span })
    }

    fn template(&mut self) -> Parse<ExprId> {
        let start = self.bump().start;
        let mark = self.stacks.parts.len();
        let index_depth = std::mem::take(&mut self.index_depth);
        let result = self.template_parts();
        self.index_depth = index_depth;
        result?;
        let parts = self.tree.parts.add(self.stacks.parts.drain(mark..));
        Ok(self.add(Expr::Template(parts), start))
    }

    fn template_parts(&mut self) -> Parse<()> {
        loop {
            let token = self.token();
            let part = match token.kind {
                Kind::TemplateText => {
                    self.pos += 1;
                    TemplatePart::Text(token.symbol())
                }
                Kind::InterpolationStart => self.interpolation()?,
                Kind::TemplateEnd => {
                    self.pos += 1;
                    return Ok(());
                }
                _ => return self.unexpected("end of template"),
            };
            self.stacks.parts.push(part);
        }
    }

    fn interpolation(&mut self) -> Parse<TemplatePart> {
        let open = self.pos;
        self.pos += 1;
        self.bracketed(|p| {
            let value = p.expr()?;
            let token = p.token();
            let spec = (token.kind == Kind::FormatSpec).then(|| {
                p.pos += 1;
                (token.symbol(), p.span_of(token))
            });
            if p.eat(Kind::InterpolationEnd) {
                return Ok(TemplatePart::Value(value, spec));
            }
            if p.partner(open).is_none() { p.unclosed(open) } else { p.unexpected_after_expression("'}' or ':'") }
        })
    }
}
