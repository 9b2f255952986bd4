//! Call-like special forms and `with ... in` (language/06 section 6.9, language/12).

use ir::List;

use crate::lexer::Kind;
use crate::tree::*;

use super::{Parse, Parser};

impl Parser<'_> {
    /// A form that begins with a context-sensitive identifier, if one stands here.
    pub(super) fn special_word(&mut self) -> Parse<Option<ExprId>> {
        if self.at_try() || self.at_labelled_block() {
            return self.form(false).map(Some);
        }
        let token = self.token();
        let w = self.words;
        let word = token.symbol();
        if word == w.try_ || word == w.block {
            return Ok(None);
        }
        let is_channel = [w.channel, w.channel_in, w.channel_out, w.channel_all].contains(&word);
        let generic = is_channel && self.ahead(1).kind == Kind::Lt && self.at_type_args(self.pos + 1);
        if self.ahead(1).kind != Kind::LParen && !generic {
            return Ok(None);
        }
        self.pos += 1;
        let type_args = if generic { self.type_args()? } else { List::EMPTY };
        if self.kind() != Kind::LParen {
            return self.unexpected("'('");
        }
        let args = self.call_args()?;
        let form = self.add(Expr::Special { form: word, args }, token.start);
        self.tree.set_type_args(form, type_args);
        Ok(Some(form))
    }

    /// `for(name:` or `with(name:` (G11).
    pub(super) fn at_call_form(&self) -> bool {
        self.ahead(1).kind == Kind::LParen && self.ahead(2).kind == Kind::Ident && self.ahead(3).kind == Kind::Colon
    }

    /// `for(over: ...)` and `with(acquire: ...)`; the word is here.
    pub(super) fn call_form(&mut self) -> Parse<ExprId> {
        let token = self.bump();
        let open = self.pos;
        self.pos += 1;
        let mark = self.stacks.args.len();
        self.list(open, Kind::RParen, |p| {
            let arg = p.named_or_match(token.kind == Kind::For)?;
            p.stacks.args.push(arg);
            Ok(())
        })?;
        let args = self.tree.args.add(self.stacks.args.drain(mark..));
        Ok(self.add(Expr::Special { form: token.symbol(), args }, token.start))
    }

    fn named_or_match(&mut self, allows_match: bool) -> Parse<Argument> {
        let token = self.token();
        let (name, span) = self.name()?;
        if !self.eat(Kind::Colon) {
            return self.unexpected("':'");
        }
        let mut arg = Argument { name: Some(name), spread: false, value: ExprId::new(0), punned: false, span, pattern: None };
        if token.kind == Kind::Match && allows_match {
            arg.pattern = Some(self.pattern()?);
            self.expect(Kind::Arrow)?;
        } else if matches!(self.kind(), Kind::Comma | Kind::RParen) {
            arg.punned = true;
            arg.value = self.add_at(Expr::Name(name), span);
            return Ok(arg);
        }
        arg.value = self.expr()?;
        Ok(arg)
    }

    /// `with C = e, D = f in body`
    pub(super) fn with_expr(&mut self) -> Parse<ExprId> {
        let start = self.bump().start;
        let mark = self.stacks.args.len();
        loop {
            let (name, span) = self.capability()?;
            self.expect(Kind::Eq)?;
            let is_handler = self.at_word(self.words.handler) && self.ahead(1).kind == Kind::LParen;
            let value = if is_handler { self.handler()? } else { self.expr()? };
            self.stacks.args.push(Argument { name: Some(name), spread: false, value, punned: false, span, pattern: None });
            if !self.eat(Kind::Comma) || self.kind() == Kind::In {
                break;
            }
        }
        if !self.eat(Kind::In) {
            return self.unexpected_after_expression("',' or 'in'");
        }
        let bindings = self.tree.args.add(self.stacks.args.drain(mark..));
        let body = self.expr()?;
        Ok(self.add(Expr::With { bindings, body }, start))
    }

    /// `handler(state: e) { op: e }`
    fn handler(&mut self) -> Parse<ExprId> {
        let start = self.bump().start;
        let open = self.pos;
        self.pos += 1;
        let state = self.bracketed(|p| {
            let word = p.ident()?.0;
            if word.as_str() != "state" {
                p.pos -= 1;
                return p.unexpected("'state'");
            }
            p.expect(Kind::Colon)?;
            let state = p.expr()?;
            p.eat(Kind::Comma);
            p.close(open, Kind::RParen)?;
            Ok(state)
        })?;
        let open = self.pos;
        self.expect(Kind::LBrace)?;
        let mark = self.stacks.args.len();
        self.list(open, Kind::RBrace, |p| {
            let (name, span) = p.name()?;
            p.expect(Kind::Colon)?;
            let value = p.expr()?;
            p.stacks.args.push(Argument { name: Some(name), spread: false, value, punned: false, span, pattern: None });
            Ok(())
        })?;
        let operations = self.tree.args.add(self.stacks.args.drain(mark..));
        Ok(self.add(Expr::Handler { state, operations }, start))
    }
}
