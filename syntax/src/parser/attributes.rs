//! Attributes: `#name(args)` before items and imports, `#!name(args)` at the top of a file.

use ir::Symbol;

use crate::Span;
use crate::lexer::Kind;
use crate::tree::*;

use super::{Parse, Parser};

impl Parser<'_> {
    /// All attributes that stand here.
    pub(super) fn attributes(&mut self) -> Parse<Vec<Attribute>> {
        let mut attributes = Vec::new();
        while self.kind() == Kind::Hash {
            attributes.push(self.attribute()?);
        }
        Ok(attributes)
    }

    /// One attribute; the `#` is here, a `!` may follow.
    pub(super) fn attribute(&mut self) -> Parse<Attribute> {
        let start = self.bump().start;
        self.eat(Kind::Bang);
        let (name, _) = self.ident()?;
        let mut args = Vec::new();
        if self.kind() == Kind::LParen {
            let open = self.pos;
            self.pos += 1;
            self.list(open, Kind::RParen, |p| {
                args.push(p.attribute_arg()?);
                // `#repr("c" | "packed")` is only the notation of the reference; a list has commas.
                Ok(())
            })?;
        }
        Ok(Attribute { name, span: self.span_from(start), args })
    }

    fn attribute_arg(&mut self) -> Parse<(Option<Symbol>, AttributeValue, Span)> {
        let start = self.token().start;
        let mut name = None;
        if self.kind().is_word() && self.ahead(1).kind == Kind::Colon {
            name = Some(self.bump().symbol());
            self.pos += 1;
        }
        let value = self.attribute_value()?;
        Ok((name, value, self.span_from(start)))
    }

    fn attribute_value(&mut self) -> Parse<AttributeValue> {
        match self.kind() {
            Kind::Str => Ok(AttributeValue::Str(self.bump().symbol())),
            Kind::Minus => {
                self.pos += 1;
                self.min_int_at = self.pos;
                if self.kind() != Kind::Int {
                    return self.unexpected("integer");
                }
                match self.literal()? {
                    Literal::Int(value) => Ok(AttributeValue::Int((value.get() as i64).wrapping_neg())),
                    other => Ok(AttributeValue::Literal(other)),
                }
            }
            kind if kind.is_literal() => match self.literal()? {
                Literal::Int(value) => Ok(AttributeValue::Int(value.get() as i64)),
                other => Ok(AttributeValue::Literal(other)),
            },
            Kind::LBracket => {
                let open = self.pos;
                self.pos += 1;
                let mut texts = Vec::new();
                self.list(open, Kind::RBracket, |p| {
                    texts.push(p.expect(Kind::Str)?.symbol());
                    Ok(())
                })?;
                Ok(AttributeValue::List(texts))
            }
            Kind::Ident => {
                let mut path = vec![self.ident()?.0];
                while self.eat(Kind::Dot) {
                    path.push(self.ident()?.0);
                }
                Ok(AttributeValue::Path(path))
            }
            _ => self.unexpected("attribute argument"),
        }
    }
}
