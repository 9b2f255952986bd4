//! Types, bounds and type parameters.

use ir::{List, Symbol};

use crate::DiagnosticCode;
use crate::lexer::Kind;
use crate::tree::*;

use super::{Parse, Parser};

/// Most type parameters of one declaration (language/17 section 17.7).
const MAX_GENERICS: usize = 64;

impl Parser<'_> {
    pub(super) fn ty(&mut self) -> Parse<TypeId> {
        self.nested(|p| {
            if p.kind() == Kind::Impl {
                return p.impl_type();
            }
            let start = p.token().start;
            let first = p.base_type()?;
            if p.kind() != Kind::Plus {
                return Ok(first);
            }
            let mark = p.stacks.types.len();
            p.stacks.types.push(first);
            while p.eat(Kind::Plus) {
                let next = p.base_type()?;
                p.stacks.types.push(next);
            }
            let list = p.drain_types(mark);
            Ok(p.add_type(Type::Object(list), start))
        })
    }

    fn drain_types(&mut self, mark: usize) -> List<TypeId> {
        self.tree.type_lists.add(self.stacks.types.drain(mark..))
    }

    /// `impl A + B where Item == T`
    fn impl_type(&mut self) -> Parse<TypeId> {
        let start = self.bump().start;
        let bounds = self.bounds()?;
        let list = self.tree.bounds.add(bounds);
        let (first, count) = (list.start() as u32, list.len() as u32);
        let mut equals = Vec::new();
        // G15: the list ends before the first entry of another form.
        while self.at_assoc_equal(if equals.is_empty() { Kind::Where } else { Kind::Comma }) {
            self.bump();
            let (name, _) = self.ident()?;
            self.bump();
            equals.push((name, self.ty()?));
        }
        let constrained = !equals.is_empty();
        let ty = self.add_type(Type::Impl { first, count, constrained }, start);
        self.tree.impl_equals.add(equals.into_iter().map(|(name, equal)| (ty, name, equal)));
        Ok(ty)
    }

    fn at_assoc_equal(&self, separator: Kind) -> bool {
        self.kind() == separator && self.ahead(1).kind == Kind::Ident && self.ahead(2).kind == Kind::EqEq
    }

    /// A type without `+`, as after `as`.
    pub(super) fn base_type(&mut self) -> Parse<TypeId> {
        let token = self.token();
        let start = token.start;
        match token.kind {
            Kind::Ident | Kind::SelfType => self.named_type(false),
            Kind::Void => {
                self.pos += 1;
                Ok(self.add_type(Type::Void, start))
            }
            Kind::Underscore => {
                self.pos += 1;
                Ok(self.add_type(Type::Blank, start))
            }
            Kind::LBracket => self.list_type(),
            Kind::LBrace => {
                let open = self.pos;
                self.pos += 1;
                let (key, value) = self.bracketed(|p| {
                    let key = p.ty()?;
                    p.expect(Kind::Colon)?;
                    let value = p.ty()?;
                    p.close(open, Kind::RBrace)?;
                    Ok((key, value))
                })?;
                Ok(self.add_type(Type::Map(key, value), start))
            }
            Kind::LParen => self.paren_type(),
            Kind::Future => {
                self.not_an_identifier()?;
                Ok(self.add_type(Type::Error, start))
            }
            _ => self.expected_type(),
        }
    }

    /// `cautious`: behind `as`, where `<` stays a comparison unless it parses up to the `>`.
    pub(super) fn named_type(&mut self, cautious: bool) -> Parse<TypeId> {
        let start = self.token().start;
        let mark = self.stacks.paths.len();
        let first = self.bump().symbol();
        self.stacks.paths.push(first);
        while matches!(self.kind(), Kind::Dot | Kind::ColonColon) && (!cautious || self.ahead(1).kind == Kind::Ident) {
            // `x as T.f()` would be a path too: the grammar gives the type all it can take.
            self.pos += 1;
            let (name, _) = self.ident()?;
            self.stacks.paths.push(name);
        }
        let path = self.drain_path(mark);
        let has_args = self.kind() == Kind::Lt && (!cautious || self.type_args_end(self.pos, 0).is_some());
        let args = if has_args { self.type_args()? } else { List::EMPTY };
        Ok(self.add_type(Type::Named { path, args }, start))
    }

    fn list_type(&mut self) -> Parse<TypeId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        self.bracketed(|p| {
            let element = p.ty()?;
            if p.kind() == Kind::Comma && p.is_word(p.pos + 1, p.words.max) {
                p.pos += 2;
                let size = p.expr()?;
                p.close(open, Kind::RBracket)?;
                return Ok(p.add_type(Type::FixedList(element, size), start));
            }
            p.close(open, Kind::RBracket)?;
            Ok(p.add_type(Type::List(element), start))
        })
    }

    fn paren_type(&mut self) -> Parse<TypeId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        let mark = self.stacks.types.len();
        self.list(open, Kind::RParen, |p| {
            let ty = p.ty()?;
            p.stacks.types.push(ty);
            Ok(())
        })?;
        if self.kind() == Kind::Arrow {
            let params = self.drain_types(mark);
            self.pos += 1;
            let result = self.ty()?;
            let uses = if self.kind() == Kind::Uses && !self.place.no_uses { self.type_uses()? } else { List::EMPTY };
            return Ok(self.add_type(Type::Function { params, result, uses }, start));
        }
        match self.stacks.types.len() - mark {
            0 => Ok(self.add_type(Type::Unit, start)),
            // `(T)` is `T` (G8).
            1 => Ok(self.stacks.types.pop().unwrap_or(TypeId::new(0))),
            _ => {
                let list = self.drain_types(mark);
                Ok(self.add_type(Type::Tuple(list), start))
            }
        }
    }

    fn type_uses(&mut self) -> Parse<List<Symbol>> {
        let mark = self.stacks.paths.len();
        self.pos += 1;
        loop {
            let (capability, _) = self.capability()?;
            self.stacks.paths.push(capability);
            if !(self.kind() == Kind::Comma && self.ahead(1).kind == Kind::Ident) {
                return Ok(self.drain_path(mark));
            }
            self.pos += 1;
        }
    }

    /// `<A, B>`; the `<` is here.
    pub(super) fn type_args(&mut self) -> Parse<List<TypeId>> {
        self.pos += 1;
        let mark = self.stacks.types.len();
        self.bracketed(|p| {
            loop {
                let arg = p.type_arg()?;
                p.stacks.types.push(arg);
                let comma = p.eat(Kind::Comma);
                if p.eat(Kind::Gt) {
                    return Ok(());
                }
                if !comma {
                    return p.unexpected("',' or '>'");
                }
            }
        })?;
        Ok(self.drain_types(mark))
    }

    fn type_arg(&mut self) -> Parse<TypeId> {
        let start = self.token().start;
        let value = match self.kind() {
            kind if kind.is_literal() => self.literal_expr()?,
            Kind::Minus => {
                self.pos += 1;
                self.min_int_at = self.pos;
                if self.kind() != Kind::Int {
                    return self.unexpected("integer");
                }
                let literal = self.literal_expr()?;
                self.add(Expr::Unary(UnaryOp::Neg, literal), start)
            }
            Kind::Dollar => {
                let (name, span) = self.dollar_name()?;
                self.add_at(Expr::Dollar(name), span)
            }
            Kind::LParen => match self.type_end(self.pos, 0) {
                Some(end) if matches!(self.kind_at(end), Kind::Comma | Kind::Gt) => return self.ty(),
                _ => self.primary()?,
            },
            _ => return self.ty(),
        };
        Ok(self.add_type(Type::Const(value), start))
    }

    /// `<T: A, $N: int = 8>` if there is one.
    pub(super) fn generics(&mut self) -> Parse<Vec<Generic>> {
        let mut generics = Vec::new();
        if self.kind() != Kind::Lt {
            return Ok(generics);
        }
        let open = self.bump();
        loop {
            let generic = self.generic()?;
            generics.push(generic);
            let comma = self.eat(Kind::Comma);
            if self.eat(Kind::Gt) {
                break;
            }
            if !comma {
                return self.unexpected("',' or '>'");
            }
        }
        if generics.len() > MAX_GENERICS {
            let span = self.span_from(open.start);
            self.report(DiagnosticCode::E0039, span, ["number of type parameters".into(), MAX_GENERICS.to_string().into()]);
        }
        Ok(generics)
    }

    fn generic(&mut self) -> Parse<Generic> {
        let is_const = self.kind() == Kind::Dollar;
        let (name, span) = if is_const { self.dollar_name()? } else { self.ident()? };
        let mut generic = Generic { name, is_const, bounds: Vec::new(), default: None, const_default: None, span };
        if is_const {
            self.expect(Kind::Colon)?;
            generic.bounds.push(self.bound()?);
            if self.eat(Kind::Eq) {
                // `<`, `>` and what begins with them need parentheses here.
                generic.const_default = Some(self.with_place(|place| place.no_angle = true, |p| p.expr())?);
            }
            return Ok(generic);
        }
        if self.eat(Kind::Colon) {
            generic.bounds = self.bounds()?;
        }
        if self.eat(Kind::Eq) {
            generic.default = Some(self.ty()?);
        }
        Ok(generic)
    }

    /// `A + B`
    pub(super) fn bounds(&mut self) -> Parse<Vec<Bound>> {
        let mut bounds = vec![self.bound()?];
        while self.eat(Kind::Plus) {
            bounds.push(self.bound()?);
        }
        Ok(bounds)
    }

    pub(super) fn bound(&mut self) -> Parse<Bound> {
        let start = self.token().start;
        let mut path = vec![self.ident()?.0];
        while self.kind() == Kind::Dot {
            self.pos += 1;
            path.push(self.ident()?.0);
        }
        let list = if self.kind() == Kind::Lt { self.type_args()? } else { List::EMPTY };
        let args = self.tree.type_lists[list].to_vec();
        Ok(Bound { path, args, span: self.span_from(start) })
    }

    /// All `where` clauses that stand here.
    pub(super) fn where_clauses(&mut self, generics: &[Generic], constraints: &mut Vec<Constraint>) -> Parse<()> {
        while self.eat(Kind::Where) {
            loop {
                constraints.push(self.constraint(generics)?);
                if !self.eat(Kind::Comma) || matches!(self.kind(), Kind::LBrace | Kind::Eq | Kind::Where | Kind::Uses | Kind::If) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn constraint(&mut self, generics: &[Generic]) -> Parse<Constraint> {
        let start = self.token().start;
        let is_const = |name: Symbol| generics.iter().any(|g| g.is_const && g.name == name);
        if matches!(self.kind(), Kind::Ident | Kind::SelfType) && !is_const(self.token().symbol()) {
            let mut at = self.pos + 1;
            while matches!(self.kind_at(at), Kind::Dot | Kind::ColonColon) && self.kind_at(at + 1) == Kind::Ident {
                at += 2;
            }
            let separator = self.kind_at(at);
            if matches!(separator, Kind::Colon | Kind::EqEq) {
                let path = (self.pos..at).step_by(2).map(|i| self.tokens[i].symbol()).collect();
                self.pos = at + 1;
                if separator == Kind::Colon {
                    let bounds = self.bounds()?;
                    return Ok(Constraint::Bounds(path, bounds, self.span_from(start)));
                }
                let ty = self.ty()?;
                return Ok(Constraint::Equal(path, ty, self.span_from(start)));
            }
        }
        let value = self.with_place(|place| place.no_struct = true, |p| p.expr())?;
        Ok(Constraint::Const(value, self.span_from(start)))
    }

    /// `A.B("text")` as one name.
    pub(super) fn capability(&mut self) -> Parse<(Symbol, crate::Span)> {
        let start = self.token().start;
        let (first, _) = self.ident()?;
        if !matches!(self.kind(), Kind::Dot | Kind::LParen) {
            return Ok((first, self.span_from(start)));
        }
        let mut text = first.as_str().to_owned();
        while self.eat(Kind::Dot) {
            text.push('.');
            text.push_str(self.ident()?.0.as_str());
        }
        if self.kind() == Kind::LParen && self.ahead(1).kind == Kind::Str {
            let open = self.pos;
            self.pos += 1;
            text.push_str(&format!("(\"{}\")", self.bump().symbol()));
            self.close(open, Kind::RParen)?;
        }
        Ok((Symbol::new(&text), self.span_from(start)))
    }
}
