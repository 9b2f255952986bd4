//! What stands behind an operand: members, calls, indices, `?`, `as`.

use ir::List;

use crate::DiagnosticCode;
use crate::lexer::Kind;
use crate::tree::*;

use super::{Parse, Parser};

impl Parser<'_> {
    /// All postfix operators; `start` is the first byte of the operand.
    pub(super) fn postfix(&mut self, operand: ExprId, start: u32) -> Parse<ExprId> {
        let mut value = operand;
        loop {
            value = match self.kind() {
                Kind::Dot => self.member(value, start)?,
                Kind::LParen => {
                    let args = self.call_args()?;
                    self.add(Expr::Call { callee: value, args }, start)
                }
                Kind::LBracket => self.index(value, start)?,
                Kind::Question => {
                    self.pos += 1;
                    self.add(Expr::Question(value), start)
                }
                Kind::QuestionQuestion if !self.ahead(1).kind.starts_expression() => self.two_questions(value, start),
                Kind::As => self.conversion(value, start)?,
                Kind::Lt if self.takes_type_args() => {
                    let type_args = self.type_args()?;
                    if self.kind() == Kind::LParen {
                        let args = self.call_args()?;
                        let call = self.add(Expr::Call { callee: value, args }, start);
                        self.tree.set_type_args(call, type_args);
                        call
                    } else {
                        self.add(Expr::TypeArgs(value, type_args), start)
                    }
                }
                Kind::LBrace if !self.place.no_struct && self.is_upper(self.pos - 1) => match self.struct_path(value) {
                    Some(path) => self.struct_literal(path, start)?,
                    None => return Ok(value),
                },
                _ => return Ok(value),
            };
        }
    }

    /// Only `.` and `?`: what may continue a form at the start of a statement.
    pub(super) fn chain(&mut self, operand: ExprId, start: u32) -> Parse<ExprId> {
        let mut value = operand;
        loop {
            value = match self.kind() {
                Kind::Dot => self.member(value, start)?,
                Kind::Question => {
                    self.pos += 1;
                    self.add(Expr::Question(value), start)
                }
                Kind::QuestionQuestion if !self.ahead(1).kind.starts_expression() => self.two_questions(value, start),
                _ => return Ok(value),
            };
        }
    }

    /// `??` before something that is no operand.
    fn two_questions(&mut self, value: ExprId, start: u32) -> ExprId {
        let token = self.bump();
        let inner = self.add_at(Expr::Question(value), self.relative(start, token.end - 1));
        self.add(Expr::Question(inner), start)
    }

    /// G4: behind a name, `<` is first tried as type arguments.
    fn takes_type_args(&self) -> bool {
        let before = self.previous().kind;
        (before.is_word()) && !self.place.no_angle && self.at_type_args(self.pos)
    }

    fn member(&mut self, value: ExprId, start: u32) -> Parse<ExprId> {
        self.pos += 1;
        let token = self.token();
        match token.kind {
            Kind::Match if self.ahead(1).kind == Kind::LParen => {
                self.pos += 1;
                let arms = self.arms(Kind::RParen)?;
                Ok(self.add(Expr::Match { scrutinee: value, arms, postfix: true }, start))
            }
            kind if kind.is_word() => {
                self.pos += 1;
                let name = token.symbol();
                let type_args = if self.kind() == Kind::Lt && !self.place.no_angle && self.at_type_args(self.pos) {
                    self.type_args()?
                } else {
                    List::EMPTY
                };
                if self.kind() == Kind::LParen {
                    let args = self.call_args()?;
                    let args = self.tree.shorten(args);
                    let call = self.add(Expr::MethodCall { receiver: value, name, args }, start);
                    self.tree.set_type_args(call, type_args);
                    return Ok(call);
                }
                if type_args.is_empty() {
                    return Ok(self.add(Expr::Field(value, name), start));
                }
                let end = token.end;
                let field = self.add_at(Expr::Field(value, name), self.relative(start, end));
                Ok(self.add(Expr::TypeArgs(field, type_args), start))
            }
            Kind::Int => {
                self.pos += 1;
                let text = self.token_text(token);
                match text.parse::<u32>() {
                    Ok(index) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(self.add(Expr::TupleField(value, index), start)),
                    _ => self.fail(DiagnosticCode::E1004, self.span_of(token), []),
                }
            }
            Kind::Float => {
                self.pos += 1;
                self.report(DiagnosticCode::E0103, self.span_of(token), []);
                Ok(self.add(Expr::Error, start))
            }
            Kind::Dollar => {
                let (name, _) = self.dollar_name()?;
                Ok(self.add(Expr::DollarField(value, name), start))
            }
            Kind::LBracket => {
                let open = self.pos;
                self.pos += 1;
                let field = self.bracketed(|p| {
                    let field = p.expr()?;
                    p.close(open, Kind::RBracket)?;
                    Ok(field)
                })?;
                Ok(self.add(Expr::Splice(value, field), start))
            }
            _ => {
                self.not_an_identifier()?;
                Ok(self.add(Expr::Error, start))
            }
        }
    }

    fn index(&mut self, value: ExprId, start: u32) -> Parse<ExprId> {
        let open = self.pos;
        self.pos += 1;
        self.index_depth += 1;
        let index = self.bracketed(|p| {
            let index = p.expr()?;
            if p.eat(Kind::RBracket) {
                return Ok(index);
            }
            if p.partner(open).is_none() { p.unclosed(open) } else { p.unexpected_after_expression("']'") }
        });
        self.index_depth -= 1;
        Ok(self.add(Expr::Index(value, index?), start))
    }

    /// `as T`, `as? T`
    fn conversion(&mut self, value: ExprId, start: u32) -> Parse<ExprId> {
        self.pos += 1;
        let fallible = self.kind() == Kind::Question && self.token().is_adjacent();
        if fallible {
            self.pos += 1;
        }
        let ty = self.nested(|p| match p.kind() {
            Kind::Ident | Kind::SelfType => p.named_type(true),
            _ => p.base_type(),
        })?;
        Ok(self.add(Expr::As { value, ty, fallible }, start))
    }

    /// `(args)`; the parenthesis is here.
    pub(super) fn call_args(&mut self) -> Parse<List<Argument>> {
        let open = self.pos;
        self.pos += 1;
        let mark = self.stacks.args.len();
        self.list(open, Kind::RParen, |p| {
            let arg = p.argument()?;
            p.stacks.args.push(arg);
            Ok(())
        })?;
        Ok(self.tree.args.add(self.stacks.args.drain(mark..)))
    }

    /// `name: e`, `name:`, `...e`, `e` (G18: a name before `:` always is a name).
    fn argument(&mut self) -> Parse<Argument> {
        let token = self.token();
        let mut arg =
            Argument { name: None, spread: false, value: ExprId::new(0), punned: false, span: self.span_of(token), pattern: None };
        if token.kind.is_word() && self.ahead(1).kind == Kind::Colon {
            self.pos += 2;
            arg.name = Some(token.symbol());
            if matches!(self.kind(), Kind::Comma | Kind::RParen) {
                if token.kind != Kind::Ident {
                    // A reserved word is no variable that the argument could be punned from.
                    self.report(DiagnosticCode::E0113, arg.span, [self.token_text(token).into()]);
                }
                arg.punned = true;
                arg.value = self.add_at(Expr::Name(token.symbol()), arg.span);
            } else {
                arg.value = self.expr()?;
            }
            return Ok(arg);
        }
        arg.spread = self.eat(Kind::Ellipsis);
        arg.value = self.expr()?;
        arg.span = self.tree.expr_span(arg.value);
        Ok(arg)
    }
}
