//! Items: which one begins here, its header, its end.

use ir::{Namespace, Symbol};

use crate::lexer::Kind;
use crate::tree::*;
use crate::{DiagnosticCode, Span};

use super::blocks::Owner;
use super::functions::Role;
use super::{Failed, Parse, Parser};

/// Names that no function may have (language/01 section 1.3).
const BUILT_IN: &[&str] = &["int", "float", "str", "byte", "bool", "char", "compile_error", "embed", "has_embed"];

/// What is known of an item before its parts: enough to give it an identity if the rest is wrong.
#[derive(Default)]
pub(super) struct Head {
    pub name: Option<(Namespace, Symbol, Span)>,
    pub is_pub: bool,
    pub attributes: Vec<Attribute>,
    /// The item needs a `;` unless it ends with `}`.
    pub needs_end: bool,
}

impl Parser<'_> {
    /// One item behind its attributes, with its end. What was understood stays in `head` also on failure.
    pub(super) fn item(&mut self, head: &mut Head) -> Parse<ItemKind> {
        self.statement_start = self.pos;
        head.attributes = self.attributes()?;
        let public = self.token();
        head.is_pub = self.eat(Kind::Pub);
        head.needs_end = true;
        let kind = match self.kind() {
            Kind::At => self.function_or_test(head)?,
            Kind::Let => self.constant(head)?,
            Kind::Dollar => self.dollar_item(head)?,
            Kind::Type => self.type_item(head)?,
            Kind::Trait => self.trait_item(head)?,
            Kind::Impl => self.impl_item(head)?,
            Kind::Def => self.def_impl_item(head)?,
            Kind::Extend => self.extend_item(head)?,
            Kind::Extern => {
                let first = self.pos;
                let kind = self.extern_block(&mut head.attributes);
                let span = self.span_of(self.tokens[first]);
                head.name = Some((Namespace::Other, self.header_name(first), span));
                kind?
            }
            Kind::Ident if self.at_word(self.words.capset) && self.ahead(1).kind == Kind::Ident => self.capset(head)?,
            _ => return self.unexpected("declaration"),
        };
        let pub_fits = match kind {
            ItemKind::Test { .. } | ItemKind::Impl { .. } => false,
            ItemKind::Function(_)
            | ItemKind::Constant { .. }
            | ItemKind::ConstFunction(_)
            | ItemKind::Type { .. }
            | ItemKind::Trait { .. }
            | ItemKind::DefImpl { .. }
            | ItemKind::Extend { .. }
            | ItemKind::Extern { .. }
            | ItemKind::Capset(_)
            | ItemKind::Error => true,
        };
        if head.is_pub && !pub_fits {
            self.report(DiagnosticCode::E0110, self.span_of(public), []);
        }
        Ok(kind)
    }

    /// The `;` of an item or method; optional behind `}`.
    pub(super) fn end(&mut self) {
        if self.eat(Kind::Semicolon) || self.previous().kind == Kind::RBrace {
            return;
        }
        let start = self.pos;
        if self.semicolon_is_missing().is_err() {
            // The rest up to the next `;` belongs to the same mistake.
            let mut at = start;
            while !matches!(self.tokens[at].kind, Kind::Semicolon | Kind::Eof)
                && !self.tokens[at].kind.closes()
                && (at == start || !self.begins_item(at))
            {
                at = self.step(at);
            }
            self.pos = at;
            self.eat(Kind::Semicolon);
        }
    }

    /// Does something that looks like an item begin a line here?
    pub(super) fn begins_item(&self, index: usize) -> bool {
        let token = self.tokens[index];
        let next = self.kind_at(index + 1);
        token.flags.has(crate::lexer::Flags::LINE_START)
            && match token.kind {
                Kind::At | Kind::Hash => next.is_word(),
                Kind::Dollar => next == Kind::Ident,
                Kind::Let => next == Kind::Dollar,
                Kind::Pub | Kind::Type | Kind::Trait | Kind::Impl | Kind::Def | Kind::Extend | Kind::Extern | Kind::Use => true,
                Kind::Extension => true,
                _ => false,
            }
    }

    fn function_or_test(&mut self, head: &mut Head) -> Parse<ItemKind> {
        let sigil = self.bump().start;
        if !self.token().is_adjacent() {
            return self.fail(DiagnosticCode::E1004, self.span_of(self.token()), []);
        }
        let (name, span) = self.ident()?;
        let mut targets = Vec::new();
        while self.eat(Kind::Tests) {
            head.name = Some((Namespace::Test, name, span));
            targets.push(self.test_target()?);
        }
        if !targets.is_empty() {
            let function = self.function(Role::Test, sigil, name, span)?;
            self.end();
            return Ok(ItemKind::Test { targets, function });
        }
        head.name = Some((Namespace::Function, name, span));
        if BUILT_IN.contains(&name.as_str()) {
            self.report(DiagnosticCode::E1014, span, [name.into()]);
        }
        let is_clause = self.ordinals.contains_key(&(Namespace::Function, name.raw()));
        let function = self.function(if is_clause { Role::Clause } else { Role::Function }, sigil, name, span)?;
        self.function_end(&function)?;
        Ok(ItemKind::Function(function))
    }

    /// The end of a function that needs a body.
    fn function_end(&mut self, function: &Function) -> Parse<()> {
        if function.body.is_some() {
            self.end();
            return Ok(());
        }
        if !matches!(self.kind(), Kind::Semicolon | Kind::Eof) && !self.begins_item(self.pos) {
            return self.unexpected("'='");
        }
        let sigil = function.header_span.start + 1;
        let span = Span::new(sigil, sigil + function.name.as_str().len() as u32);
        self.report(DiagnosticCode::E1007, span, [function.name.into()]);
        self.eat(Kind::Semicolon);
        Ok(())
    }

    fn test_target(&mut self) -> Parse<Option<(Symbol, Option<Symbol>)>> {
        if self.eat(Kind::Underscore) {
            return Ok(None);
        }
        self.expect(Kind::At)?;
        let (name, _) = self.name()?;
        let member = if self.eat(Kind::Dot) { Some(self.name()?.0) } else { None };
        Ok(Some((name, member)))
    }

    /// `let $c: T = e;`
    fn constant(&mut self, head: &mut Head) -> Parse<ItemKind> {
        self.pos += 1;
        let dollar = self.kind() == Kind::Dollar;
        let (name, span) = if dollar { self.dollar_name()? } else { self.ident()? };
        self.constant_rest(head, name, span, dollar)
    }

    fn constant_rest(&mut self, head: &mut Head, name: Symbol, span: Span, dollar: bool) -> Parse<ItemKind> {
        head.name = Some((Namespace::Constant, name, span));
        let ty = if self.eat(Kind::Colon) { Some(self.ty()?) } else { None };
        if !self.eat(Kind::Eq) {
            return self.unexpected(if ty.is_some() { "'='" } else { "':' or '='" });
        }
        let value = self.with_place(|place| place.body = true, |p| p.expr())?;
        self.end();
        Ok(ItemKind::Constant { ty, value, dollar })
    }

    /// `$c = e;` or `$f (..) -> T = e`
    fn dollar_item(&mut self, head: &mut Head) -> Parse<ItemKind> {
        let sigil = self.token().start;
        let (name, span) = self.dollar_name()?;
        if !matches!(self.kind(), Kind::LParen | Kind::Lt) {
            return self.constant_rest(head, name, span, true);
        }
        head.name = Some((Namespace::Constant, name, span));
        let function = self.function(Role::Const, sigil, name, span)?;
        self.function_end(&function)?;
        Ok(ItemKind::ConstFunction(function))
    }

    fn type_item(&mut self, head: &mut Head) -> Parse<ItemKind> {
        self.pos += 1;
        let (name, span) = self.ident()?;
        head.name = Some((Namespace::Type, name, span));
        let generics = self.generics()?;
        let (mut markers, mut constraints) = (Vec::new(), Vec::new());
        if self.eat(Kind::Colon) {
            loop {
                markers.push(self.bound()?);
                if !self.eat(Kind::Comma) || self.kind() != Kind::Ident {
                    break;
                }
            }
        }
        self.where_clauses(&generics, &mut constraints)?;
        self.expect(Kind::Eq)?;
        let body = self.type_body()?;
        self.end();
        Ok(ItemKind::Type { generics, markers, constraints, body })
    }

    /// Grammar G9.
    fn type_body(&mut self) -> Parse<TypeBody> {
        let next = self.ahead(1).kind;
        match self.kind() {
            Kind::LBrace => {
                let open = self.pos;
                self.pos += 1;
                let mut fields = Vec::new();
                self.list(open, Kind::RBrace, |p| {
                    fields.push(p.field()?);
                    Ok(())
                })?;
                Ok(TypeBody::Struct(fields))
            }
            Kind::Pipe => self.sum(),
            Kind::Ident if matches!(next, Kind::Pipe | Kind::LParen) => self.sum(),
            _ => Ok(TypeBody::Newtype(self.ty()?)),
        }
    }

    fn field(&mut self) -> Parse<Field> {
        if !self.kind().is_word() {
            return self.unexpected("field or '}'");
        }
        let (name, span) = self.name()?;
        if !self.eat(Kind::Colon) {
            // A field is a name with a type.
            return if matches!(self.kind(), Kind::Comma | Kind::RBrace) { self.expected_type() } else { self.unexpected("':'") };
        }
        Ok(Field { name, ty: self.ty()?, span })
    }

    fn sum(&mut self) -> Parse<TypeBody> {
        let mut variants = Vec::new();
        self.eat(Kind::Pipe);
        loop {
            let (name, span) = self.ident()?;
            let mut payload = Vec::new();
            if self.kind() == Kind::LParen {
                let open = self.pos;
                self.pos += 1;
                if self.kind() == Kind::RParen {
                    return self.expected_type();
                }
                let named = self.kind().is_word() && self.ahead(1).kind == Kind::Colon;
                self.list(open, Kind::RParen, |p| {
                    let name = if named {
                        let name = p.name()?.0;
                        p.expect(Kind::Colon)?;
                        Some(name)
                    } else {
                        None
                    };
                    payload.push((name, p.ty()?));
                    Ok(())
                })?;
            }
            variants.push(Variant { name, payload, span });
            if !self.eat(Kind::Pipe) {
                return Ok(TypeBody::Sum(variants));
            }
        }
    }

    fn trait_item(&mut self, head: &mut Head) -> Parse<ItemKind> {
        self.pos += 1;
        let (name, span) = self.ident()?;
        head.name = Some((Namespace::Type, name, span));
        let generics = self.generics()?;
        let supertraits = if self.eat(Kind::Colon) { self.bounds()? } else { Vec::new() };
        let mut constraints = Vec::new();
        self.where_clauses(&generics, &mut constraints)?;
        self.block_name = name.as_str().to_owned();
        let members = self.members(Owner::Trait)?;
        self.eat(Kind::Semicolon);
        Ok(ItemKind::Trait { generics, supertraits, constraints, members })
    }

    fn impl_item(&mut self, head: &mut Head) -> Parse<ItemKind> {
        let first = self.pos;
        let span = self.span_of(self.token());
        self.pos += 1;
        let generics = self.generics()?;
        let start = self.token().start;
        let mut ty = self.ty()?;
        let type_end = self.previous().end;
        let mut bound = None;
        if self.eat(Kind::Colon) {
            bound = Some(self.bound()?);
        } else if self.kind() == Kind::For {
            let written = self.text[start as usize..type_end as usize].to_owned();
            let word = self.bump();
            let place = self.span_of(word);
            let trait_span = self.relative(start, type_end);
            let (path, args) = match self.tree.types[ty] {
                Type::Named { path, args } => (self.tree.paths[path].to_vec(), self.tree.type_lists[args].to_vec()),
                _ => (Vec::new(), Vec::new()),
            };
            let target = self.token().start;
            ty = self.ty()?;
            let target = self.text[target as usize..self.previous().end as usize].to_owned();
            self.report(DiagnosticCode::E1019, place, [target.into(), written.into()]);
            bound = Some(Bound { path, args, span: trait_span });
        }
        let mut constraints = Vec::new();
        self.where_clauses(&generics, &mut constraints)?;
        head.name = Some((Namespace::Other, self.header_name(first), span));
        self.block_name = self.block_of(ty, bound.as_ref());
        let members = self.members(if bound.is_some() { Owner::TraitImpl } else { Owner::Impl })?;
        self.eat(Kind::Semicolon);
        Ok(ItemKind::Impl { generics, ty, bound, constraints, members })
    }

    fn def_impl_item(&mut self, head: &mut Head) -> Parse<ItemKind> {
        let first = self.pos;
        let word = self.bump();
        let span = self.span_of(word);
        self.expect(Kind::Impl)?;
        let bound = self.bound()?;
        head.name = Some((Namespace::Other, self.header_name(first), span));
        self.block_name = "def".to_owned();
        let members = self.members(Owner::DefImpl)?;
        self.eat(Kind::Semicolon);
        Ok(ItemKind::DefImpl { bound, members })
    }

    fn extend_item(&mut self, head: &mut Head) -> Parse<ItemKind> {
        let first = self.pos;
        let word = self.bump();
        let span = self.span_of(word);
        let generics = self.generics()?;
        let ty = self.ty()?;
        let mut constraints = Vec::new();
        self.where_clauses(&generics, &mut constraints)?;
        head.name = Some((Namespace::Other, self.header_name(first), span));
        self.block_name = "extend".to_owned();
        let members = self.members(Owner::Extend)?;
        self.eat(Kind::Semicolon);
        Ok(ItemKind::Extend { generics, ty, constraints, members })
    }

    fn capset(&mut self, head: &mut Head) -> Parse<ItemKind> {
        self.pos += 1;
        let (name, span) = self.ident()?;
        head.name = Some((Namespace::Type, name, span));
        self.expect(Kind::Eq)?;
        let mut names = vec![self.ident()?];
        while self.eat(Kind::Comma) && self.kind() != Kind::Semicolon {
            names.push(self.ident()?);
        }
        self.end();
        Ok(ItemKind::Capset(names))
    }

    /// What the names of the methods of an impl begin with: the head of its type, and its trait. Impls that share it have methods with ordinals.
    fn block_of(&self, ty: TypeId, bound: Option<&Bound>) -> String {
        let mut text = match self.tree.types[ty] {
            Type::Named { path, .. } => self.tree.paths[path].last().map_or("", |name| name.as_str()).to_owned(),
            Type::List(_) | Type::FixedList(..) => "list".to_owned(),
            Type::Map(..) => "map".to_owned(),
            Type::Tuple(_) => "tuple".to_owned(),
            Type::Function { .. } => "function".to_owned(),
            Type::Void | Type::Unit => "void".to_owned(),
            Type::Error | Type::Blank | Type::Impl { .. } | Type::Object(_) | Type::Const(_) => "type".to_owned(),
        };
        if let Some(name) = bound.and_then(|bound| bound.path.last()) {
            text.push('\'');
            text.push_str(name.as_str());
        }
        text
    }

    /// The header from a token to the `{` of the block as canonical text: one space between tokens where a person writes one. `.` becomes
    /// `::`, because the text form of an item splits at dots.
    fn header_name(&self, first: usize) -> Symbol {
        let mut text = String::new();
        let mut glue = true;
        for token in &self.tokens[first..self.tokens.len()] {
            use Kind::{Colon, ColonColon, Comma, Dollar, Dot, Eof, Gt, Hash, LBrace, LBracket, LParen, Lt, RBracket, RParen};
            if matches!(token.kind, LBrace | Eof | Hash) && token.start != self.tokens[first].start {
                // A map type in a header begins with `{` too; the block is the last one, but a short name is only less telling.
                break;
            }
            let sticks = matches!(token.kind, Comma | Colon | ColonColon | Dot | Gt | Lt | RParen | RBracket);
            if !(text.is_empty() || glue || sticks) {
                text.push(' ');
            }
            glue = matches!(token.kind, Lt | LParen | LBracket | Dot | ColonColon | Dollar);
            text.push_str(if token.kind == Dot { "::" } else { self.token_text(*token) });
        }
        Symbol::new(&text.replace('.', "::"))
    }

    /// From a failed item that began at `start` to the end of it.
    pub(super) fn skip_item(&mut self, start: usize) {
        let error = self.pos;
        let mut at = start;
        loop {
            let kind = self.tokens[at].kind;
            if kind == Kind::Eof || at > start && at >= error && self.begins_item(at) {
                break;
            }
            let next = self.step(at);
            let closed = next > error && self.kind_at(next - 1) == Kind::RBrace;
            let done = self.balanced && (kind == Kind::Semicolon && at >= error || closed && self.ends_item(next));
            at = next;
            if done {
                break;
            }
        }
        self.pos = at;
    }

    /// Behind a `}` at depth 0: does something begin that belongs to no body?
    fn ends_item(&self, index: usize) -> bool {
        let kind = self.kind_at(index);
        matches!(kind, Kind::At | Kind::Eof) || self.begins_item(index)
    }

    /// Remembers where a declaration begins, for attached doc comments.
    pub(super) fn declares(&mut self, index: usize) {
        if let Some(declarations) = &mut self.declarations {
            declarations.push(index as u32);
        }
    }

    /// Parses an item and goes on behind it in any case.
    pub(super) fn item_or_skip(&mut self, head: &mut Head) -> Parse<ItemKind> {
        let start = self.pos;
        let (marks, saved) = (self.marks(), self.place);
        let result = self.item(head);
        if result.is_err() {
            self.restore(marks);
            (self.depth, self.index_depth, self.place) = (0, 0, saved);
            self.skip_item(start);
            if self.pos == start {
                self.bump();
            }
        }
        result.map_err(|_| Failed)
    }
}
