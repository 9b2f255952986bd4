//! `if`, `match`, loops, jumps and `$if`, `$for`.

use ir::{List, Symbol};

use crate::lexer::{Flags, Kind};
use crate::tree::*;
use crate::{DiagnosticCode, Span};

use super::{Failed, Parse, Parser};

impl Parser<'_> {
    /// `if c then a else b`. A chain of `else if` is a loop here: it is no nesting for whoever writes it.
    pub(super) fn if_expr(&mut self, statement: bool) -> Parse<ExprId> {
        let mark = self.stacks.links.len();
        let otherwise = loop {
            let start = self.bump().start;
            let condition = self.condition(Kind::Then)?;
            self.pos += 1;
            let then = self.branch(statement)?;
            self.stacks.links.push((start, condition, then));
            if !self.eat(Kind::Else) {
                break None;
            }
            if self.kind() != Kind::If {
                break Some(self.branch(statement)?);
            }
        };
        self.close_chain(mark, otherwise)
    }

    /// Builds the links from the last to the first. Operators behind an inner `if` belong to its last branch already, so every link
    /// ends where the chain does.
    fn close_chain(&mut self, mark: usize, mut otherwise: Option<ExprId>) -> Parse<ExprId> {
        while self.stacks.links.len() > mark {
            let Some((start, condition, then)) = self.stacks.links.pop() else { break };
            otherwise = Some(self.add(Expr::If { condition, then, otherwise }, start));
        }
        otherwise.ok_or(Failed)
    }

    /// A condition or scrutinee, where struct literals are disabled (G2), before a token that is left.
    fn condition(&mut self, end: Kind) -> Parse<ExprId> {
        self.with_place(
            |place| place.no_struct = true,
            |p| {
                let condition = p.expr()?;
                if p.kind() == end { Ok(condition) } else { p.unexpected_after_expression(end.describe()) }
            },
        )
    }

    pub(super) fn match_expr(&mut self) -> Parse<ExprId> {
        let start = self.bump().start;
        let scrutinee = self.condition(Kind::LBrace)?;
        if self.is_upper(self.pos - 1) && self.ahead(1).kind.is_word() && self.ahead(2).kind == Kind::Colon {
            return self.needs_parentheses(self.span_of(self.ahead(2)));
        }
        let arms = self.arms(Kind::RBrace)?;
        Ok(self.add(Expr::Match { scrutinee, arms, postfix: false }, start))
    }

    /// The arms between brackets; the opening one is here.
    pub(super) fn arms(&mut self, close: Kind) -> Parse<List<Arm>> {
        let open = self.pos;
        self.pos += 1;
        let mark = self.stacks.arms.len();
        self.bracketed(|p| {
            loop {
                if p.eat(close) {
                    return Ok(());
                }
                if p.kind() == Kind::Eof {
                    return p.unclosed(open);
                }
                let (start, marks, depth) = (p.pos, p.marks(), p.depth);
                match p.arm() {
                    Ok(arm) => p.stacks.arms.push(arm),
                    Err(Failed) => {
                        p.restore(marks);
                        p.depth = depth;
                        p.skip_to(open, start, &[Kind::Comma]);
                    }
                }
                if p.eat(Kind::Comma) || p.kind() == close {
                    continue;
                }
                let begins_line = p.token().flags.has(Flags::LINE_START);
                let start = p.pos;
                p.not_closed(open, close).or_else(|failed| if p.partner(open).is_some() { Ok(()) } else { Err(failed) })?;
                if !begins_line {
                    p.skip_to(open, start, &[Kind::Comma]);
                    p.eat(Kind::Comma);
                }
            }
        })?;
        Ok(self.tree.arms.add(self.stacks.arms.drain(mark..)))
    }

    fn arm(&mut self) -> Parse<Arm> {
        self.statement_start = self.pos;
        if self.kind() == Kind::Comma {
            self.unexpected::<()>("pattern")?;
        }
        let pattern = self.pattern()?;
        let (mut guard, mut old_guard) = (None, false);
        if self.eat(Kind::If) {
            guard = Some(self.with_place(|place| place.no_lambda = true, |p| p.expr())?);
        } else if self.kind() == Kind::Dot && self.ahead(1).kind == Kind::Match {
            self.pos += 2;
            let open = self.pos;
            self.expect(Kind::LParen)?;
            old_guard = true;
            guard = Some(self.bracketed(|p| {
                let guard = p.expr()?;
                p.close(open, Kind::RParen)?;
                Ok(guard)
            })?);
        }
        if !self.eat(Kind::Arrow) {
            let expected = if guard.is_some() { "'->'" } else { "'if' or '->'" };
            return if guard.is_some() { self.unexpected_after_expression(expected) } else { self.unexpected(expected) };
        }
        let body = self.branch(false)?;
        Ok(Arm { pattern, guard, old_guard, body })
    }

    /// `:name` behind `loop`, `while`, `for`, `break`, `continue`.
    pub(super) fn label(&mut self) -> Parse<Option<Symbol>> {
        if self.kind() != Kind::Colon {
            return Ok(None);
        }
        let name = self.ahead(1);
        let is_joined = self.token().is_adjacent() && name.is_adjacent();
        if is_joined || !name.kind.is_word() {
            self.pos += 1;
            return Ok(Some(self.ident()?.0));
        }
        let colon = self.span_of(self.token());
        let space = Span::new(self.base + colon.start, self.base + name.start);
        self.pos += 2;
        let diagnostic = self.report(DiagnosticCode::E0116, self.span_of(name), []);
        let anchor = diagnostic.anchor;
        diagnostic.edits.push(crate::Edit { anchor, span: space, text: ":".to_owned(), machine_applicable: true });
        Ok(Some(name.symbol()))
    }

    pub(super) fn for_expr(&mut self, statement: bool) -> Parse<ExprId> {
        let start = self.token().start;
        let mark = self.stacks.clauses.len();
        let mut label = None;
        while self.eat(Kind::For) {
            if self.stacks.clauses.len() == mark {
                label = self.label()?;
            }
            let clause = self.for_clause()?;
            self.stacks.clauses.push(clause);
        }
        let is_yield = self.kind() == Kind::Yield;
        if !is_yield && self.kind() != Kind::Do {
            return self.unexpected_after_expression("'do' or 'yield'");
        }
        self.pos += 1;
        let body = if is_yield { self.yielded(statement)? } else { self.branch(statement)? };
        let clauses = self.tree.clauses.add(self.stacks.clauses.drain(mark..));
        let clauses = self.tree.shorten(clauses);
        Ok(self.add(Expr::For { label, clauses, is_yield, body }, start))
    }

    fn for_clause(&mut self) -> Parse<ForClause> {
        let pattern = self.binding()?;
        self.expect(Kind::In)?;
        let source = self.with_place(|place| place.in_for = true, |p| p.expr())?;
        let guard = if self.eat(Kind::If) { Some(self.with_place(|place| place.in_for = true, |p| p.expr())?) } else { None };
        Ok(ForClause { pattern, source, guard })
    }

    pub(super) fn while_expr(&mut self, statement: bool) -> Parse<ExprId> {
        let start = self.bump().start;
        let label = self.label()?;
        let condition = self.expr()?;
        if !self.eat(Kind::Do) {
            return self.unexpected_after_expression("'do'");
        }
        let body = self.branch(statement)?;
        Ok(self.add(Expr::While { label, condition, body }, start))
    }

    pub(super) fn loop_expr(&mut self) -> Parse<ExprId> {
        let start = self.bump().start;
        let label = self.label()?;
        let body = self.required_block()?;
        Ok(self.add(Expr::Loop { label, body }, start))
    }

    /// `break:l v`, `continue:l v` (G14).
    pub(super) fn jump(&mut self) -> Parse<ExprId> {
        let token = self.bump();
        let label = self.label()?;
        let value = if self.kind().starts_expression() { Some(self.expr()?) } else { None };
        let jump = if token.kind == Kind::Break { Expr::Break { label, value } } else { Expr::Continue { label, value } };
        Ok(self.add(jump, token.start))
    }

    /// `$if` and `$for`; the `$` is here.
    pub(super) fn reflection(&mut self, statement: bool) -> Parse<ExprId> {
        let start = self.bump().start;
        if self.eat(Kind::If) {
            let condition = self.condition(Kind::Then)?;
            self.pos += 1;
            let then = self.branch(statement)?;
            let otherwise = if self.eat(Kind::Else) { Some(self.branch(statement)?) } else { None };
            return Ok(self.add(Expr::ReflectIf { condition, then, otherwise }, start));
        }
        self.pos += 1;
        let (name, _) = self.ident()?;
        self.expect(Kind::In)?;
        let source = self.with_place(|place| place.in_for = true, |p| p.expr())?;
        let is_yield = self.kind() == Kind::Yield;
        if !is_yield && self.kind() != Kind::Do {
            return self.unexpected_after_expression("'do' or 'yield'");
        }
        self.pos += 1;
        let body = if is_yield { self.yielded(statement)? } else { self.branch(statement)? };
        Ok(self.add(Expr::ReflectFor { name, source, is_yield, body }, start))
    }
}
