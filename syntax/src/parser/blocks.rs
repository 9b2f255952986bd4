//! Blocks of members: traits, impls, extensions, foreign functions.
//!
//! A method becomes an item of its own, with spans and lines relative to itself: an edit of one method changes no other, nor the block.

use std::sync::Arc;

use ir::{Namespace, Symbol};

use crate::lexer::Kind;
use crate::tree::*;
use crate::{DiagnosticCode, Span};

use super::functions::Role;
use super::{Parse, Parser};

/// Which block a member stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Owner {
    Trait,
    Impl,
    TraitImpl,
    DefImpl,
    Extend,
}

impl Parser<'_> {
    /// `{ members }`
    pub(super) fn members(&mut self, owner: Owner) -> Parse<Vec<Member>> {
        let open = self.pos;
        if self.kind() != Kind::LBrace {
            return self.unexpected("'{'");
        }
        self.pos += 1;
        let mut members = Vec::new();
        loop {
            if self.eat(Kind::RBrace) {
                return Ok(members);
            }
            if self.kind() == Kind::Eof {
                return self.unclosed(open);
            }
            let (start, marks) = (self.pos, self.marks());
            self.declares(start);
            // Members with a place of their own are built in a tree of their own.
            let (outer, errors) = (self.base, self.diagnostics.len());
            let is_method = self.begins_method(start);
            if is_method {
                self.base = self.tokens[start].start;
                std::mem::swap(&mut self.tree, &mut self.member_tree);
            }
            let member = self.block_member(owner, start);
            if is_method {
                self.tree.clear();
                std::mem::swap(&mut self.tree, &mut self.member_tree);
                self.base = outer;
            }
            match member {
                Ok(member) => {
                    if let (Member::Function { .. }, Some(entry)) = (&member, self.methods.last_mut())
                        && let Some(item) = Arc::get_mut(&mut entry.item)
                    {
                        item.has_errors = self.diagnostics.len() > errors;
                    }
                    members.push(member);
                }
                Err(_) => {
                    self.restore(marks);
                    if self.kind() == Kind::Eof {
                        return Err(super::Failed);
                    }
                    self.skip_member(start);
                }
            }
        }
    }

    /// Is the member that begins here no associated type?
    fn begins_method(&self, start: usize) -> bool {
        let mut at = start;
        while self.kind_at(at) == Kind::Hash {
            at += 2;
            if self.kind_at(at) == Kind::LParen {
                at = self.step(at);
            }
        }
        at += usize::from(self.kind_at(at) == Kind::Pub);
        self.kind_at(at) == Kind::At
    }

    fn block_member(&mut self, owner: Owner, begins: usize) -> Parse<Member> {
        self.statement_start = self.pos;
        let attributes = self.attributes()?;
        let public = self.token();
        let is_pub = self.eat(Kind::Pub);
        if is_pub && owner != Owner::Impl {
            self.report(DiagnosticCode::E0110, self.span_of(public), []);
        }
        match self.kind() {
            Kind::At => self.method(owner, begins, attributes, is_pub),
            Kind::Type if !matches!(owner, Owner::DefImpl | Owner::Extend) => self.associated_type(owner),
            _ if matches!(owner, Owner::DefImpl | Owner::Extend) => self.unexpected("method or '}'"),
            _ => self.unexpected("method, 'type' or '}'"),
        }
    }

    /// A method, as an item whose spans begin where its attributes do.
    fn method(&mut self, owner: Owner, begins: usize, attributes: Vec<Attribute>, is_pub: bool) -> Parse<Member> {
        let sigil = self.bump().start;
        let (name, span) = self.name()?;
        let function = self.function(Role::Method, sigil, name, span)?;
        if function.body.is_some() {
            self.end();
        } else if owner == Owner::Trait {
            self.eat(Kind::Semicolon);
        } else {
            self.report(DiagnosticCode::E1007, span, [name.into()]);
            self.eat(Kind::Semicolon);
        }
        let (start, end) = (self.tokens[begins].start, self.previous().end);
        let has_body = function.body.is_some();
        let id = self.item_id(Namespace::Function, Symbol::new(&format!("{}'{name}", self.block_name)));
        let (line, lines) = self.lines_within(start, end);
        let tree = self.take_tree();
        let kind = ItemKind::Function(function);
        let content = self.content(&kind, start, end);
        let item = Item { id, owner: None, is_pub, name_span: span, attributes, kind, tree, lines, has_errors: false, content };
        self.methods.push(ItemEntry { id, start, end, line, item: Arc::new(item) });
        Ok(Member::Function { id, name, has_body })
    }

    fn associated_type(&mut self, owner: Owner) -> Parse<Member> {
        self.pos += 1;
        let (name, span) = self.ident()?;
        let mut bounds = Vec::new();
        if owner == Owner::Trait && self.eat(Kind::Colon) {
            bounds = self.bounds()?;
        }
        let ty = if owner == Owner::Trait && self.kind() != Kind::Eq {
            None
        } else {
            self.expect(Kind::Eq)?;
            Some(self.ty()?)
        };
        self.eat(Kind::Semicolon);
        Ok(Member::Type { name, bounds, ty, span })
    }

    /// From a failed member to the next one.
    fn skip_member(&mut self, start: usize) {
        let error = self.pos;
        let mut at = start;
        loop {
            let kind = self.tokens[at].kind;
            let begins = matches!(kind, Kind::At | Kind::Type | Kind::Hash | Kind::Pub) && self.tokens[at].flags.has(LINE_START);
            if kind == Kind::Eof || kind.closes() || at > start && at >= error && begins {
                break;
            }
            at = self.step(at);
            if kind == Kind::Semicolon && at > error {
                break;
            }
        }
        self.pos = at.max(start);
        if self.pos == start {
            // A stray closing bracket is stepped over by the caller of `members`; here progress is what counts.
            self.bump();
        }
    }

    /// `extern "c" from "lib" { ... }`; the word is here.
    pub(super) fn extern_block(&mut self, attributes: &mut Vec<Attribute>) -> Parse<ItemKind> {
        self.pos += 1;
        let abi = self.expect(Kind::Str)?.symbol();
        let mut from = None;
        if self.at_word(self.words.from) {
            self.pos += 1;
            from = Some(self.expect(Kind::Str)?.symbol());
        }
        attributes.extend(self.attributes()?);
        let open = self.pos;
        self.expect(Kind::LBrace)?;
        let mut functions = Vec::new();
        loop {
            if self.eat(Kind::RBrace) {
                return Ok(ItemKind::Extern { abi, from, functions });
            }
            if self.kind() == Kind::Eof {
                return self.unclosed(open);
            }
            let (start, marks) = (self.pos, self.marks());
            self.declares(start);
            match self.extern_function() {
                Ok(function) => functions.push(function),
                Err(_) => {
                    self.restore(marks);
                    if self.kind() == Kind::Eof {
                        return Err(super::Failed);
                    }
                    self.skip_member(start);
                }
            }
        }
    }

    fn extern_function(&mut self) -> Parse<ExternFunction> {
        self.statement_start = self.pos;
        if self.kind() != Kind::At {
            return self.unexpected("'@' or '}'");
        }
        self.pos += 1;
        let (name, span) = self.ident()?;
        if self.kind() == Kind::Lt {
            return self.extern_cannot(name, "type parameters");
        }
        let open = self.pos;
        self.expect(Kind::LParen)?;
        let (mut params, mut modes, mut variadic) = (Vec::new(), Vec::new(), false);
        self.list(open, Kind::RParen, |p| {
            if variadic {
                return p.unexpected("')'");
            }
            if p.eat(Kind::Ellipsis) {
                variadic = true;
                return Ok(());
            }
            let (param, _) = p.ident()?;
            p.expect(Kind::Colon)?;
            modes.push(p.extern_mode(true));
            params.push((param, p.ty()?));
            if p.kind() == Kind::Eq {
                return p.extern_cannot(name, "default values");
            }
            Ok(())
        })?;
        self.expect(Kind::Arrow)?;
        let result_mode = self.extern_mode(false);
        let result = self.with_place(|place| place.no_uses = true, |p| p.ty())?;
        match self.kind() {
            Kind::Uses => return self.extern_cannot(name, "'uses'"),
            Kind::Eq => return self.extern_cannot(name, "a body"),
            _ => {}
        }
        let linked = if self.eat(Kind::As) { Some(self.expect(Kind::Str)?.symbol()) } else { None };
        let attributes = self.attributes()?;
        self.eat(Kind::Semicolon);
        Ok(ExternFunction { name, params, modes, variadic, result, result_mode, linked, attributes, span })
    }

    fn extern_cannot<T>(&mut self, name: Symbol, what: &str) -> Parse<T> {
        let span: Span = self.span_of(self.token());
        self.fail(DiagnosticCode::E1304, span, [name.into(), what.into()])
    }

    /// `out owned`: each word is a modifier only if a type can follow it.
    fn extern_mode(&mut self, is_param: bool) -> ExternMode {
        let mut mode = ExternMode::default();
        let w = self.words;
        if is_param && self.at_modifier(w.out) {
            self.pos += 1;
            mode.out = true;
        } else if is_param && self.at_modifier(w.mut_) {
            self.pos += 1;
            mode.is_mut = true;
        }
        if self.at_modifier(w.owned) {
            self.pos += 1;
            mode.owned = Some(true);
        } else if self.at_modifier(w.borrowed) {
            self.pos += 1;
            mode.owned = Some(false);
        }
        mode
    }

    fn at_modifier(&self, word: Symbol) -> bool {
        use Kind::{Ident, Impl, LBrace, LBracket, LParen, SelfType, Underscore, Void};
        let next = self.ahead(1).kind;
        self.at_word(word) && matches!(next, Ident | SelfType | Void | LParen | LBracket | LBrace | Underscore | Impl)
    }
}

const LINE_START: crate::lexer::Flags = crate::lexer::Flags::LINE_START;
