//! `for ... yield`: loops that make a collection (language/06 §6.5).
//!
//! Lists, maps, sets and texts grow round by round. Any other type that collects gets an iterator over a list of the elements.

use ir::{List, Symbol};
use syntax::tree::{self, ForClause};
use syntax::{DiagnosticCode as Code, Span};

use super::why::{Expect, Why};
use super::{Checker, Result, Yields};
use crate::ir::{Expr, ExprId, WHOLE};
use crate::resolve::prelude::{self, Known};
use crate::resolve::show;
use crate::{Intrinsic, Type, TypeKind};

/// What the rounds of a `for` do.
#[derive(Clone, Copy)]
pub(super) struct Rounds<'a> {
    pub body: tree::ExprId,
    /// Where their values go, of a `for ... yield`.
    pub yields: Option<Yields<'a>>,
}

/// How an element goes into a collection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    /// Pushed on a list.
    List,
    /// A pair, inserted into a map.
    Map,
    /// Inserted into a set.
    Set,
    /// A character or a text, appended to a text.
    Text,
    /// Pushed on a list, of which this type collects.
    Other(Type),
}

impl<'a> Checker<'a> {
    /// `for clauses yield body`: a collection that grows by what the innermost rounds give.
    pub(super) fn for_yield(
        &mut self,
        label: Option<Symbol>,
        clauses: List<ForClause>,
        body: tree::ExprId,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let wanted = expect.checked().map(|(wanted, _)| self.resolved(wanted));
        let (into, element, why) = match wanted {
            Some(wanted) => self.collected(wanted)?,
            None => (Into::List, self.fresh_lenient(), Why::None),
        };
        let mark = self.draft.scratch.len();
        let nothing = match (into, wanted) {
            (Into::Map, Some(wanted)) => match prelude::map_parts(wanted) {
                Some((key, value)) => self.empty_map(key, value, span)?,
                None => self.error(span),
            },
            (Into::Set, Some(wanted)) => {
                let map = self.empty_map(element, Type::VOID, span)?;
                let parts = self.draft.body.lists.add([map]);
                self.push(Expr::Aggregate(parts), wanted, span)
            }
            (Into::Text, _) => self.push(Expr::Str(Symbol::new("")), Type::STR, span),
            (Into::List | Into::Other(_) | Into::Map | Into::Set, _) => self.push(Expr::Aggregate(List::EMPTY), Type::list(element), span),
        };
        let ty = self.ty(nothing);
        let all = self.local(self.blank, ty, true);
        let binding = self.push(Expr::Let(all, nothing), Type::VOID, span);
        self.draft.scratch.push(binding);
        let tree = self.tree;
        let rounds = Rounds { body, yields: Some(Yields { all, element, why, into }) };
        let rounds = self.clause(label, tree.clauses.get(clauses), rounds, span)?;
        if self.ty(rounds) == Type::ERROR {
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        }
        self.draft.scratch.push(rounds);
        if self.ty(rounds) == Type::NEVER {
            self.draft.scratch.pop();
            return Ok(self.with_statements(mark, rounds, span));
        }
        let all = self.read(all, span);
        let value = match into {
            Into::Other(wanted) => self.collected_from(all, wanted, element, span)?,
            Into::List | Into::Map | Into::Set | Into::Text => all,
        };
        Ok(self.with_statements(mark, value, span))
    }

    /// How a collection of a type is made, and what its elements are. What is no collection at all is a list that does not fit.
    fn collected(&mut self, wanted: Type) -> Result<(Into, Type, Why<'a>)> {
        Ok(match wanted.kind() {
            TypeKind::List(element) => (Into::List, element, Why::ElementOf(element)),
            TypeKind::Str => (Into::Text, self.fresh(), Why::None),
            TypeKind::Struct(item, &[element]) if item == prelude::set() => (Into::Set, element, Why::ElementOf(element)),
            _ if let Some((key, value)) = prelude::map_parts(wanted) => {
                let pair = Type::tuple(&[key, value]);
                (Into::Map, pair, Why::ElementOf(pair))
            }
            TypeKind::Struct(..) | TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..) if !wanted.has_variable() => {
                match self.having(wanted, Known::Collect.item(), syntax::Span::default())?[..] {
                    [] => (Into::List, self.fresh_lenient(), Why::None),
                    [one] => match one.args() {
                        &[element] => (Into::Other(wanted), element, Why::ElementOf(element)),
                        _ => (Into::List, self.fresh_lenient(), Why::None),
                    },
                    [..] => (Into::Other(wanted), self.fresh(), Why::None),
                }
            }
            _ => (Into::List, self.fresh_lenient(), Why::None),
        })
    }

    /// `wanted.from_iter(iter: all.iter())`
    fn collected_from(&mut self, all: ExprId, wanted: Type, element: Type, span: Span) -> Result<ExprId> {
        let list = self.ty(all);
        let iterator = self.projected(Type::associated(&[list], Known::Iterable.item(), prelude::iter_type()), span)?;
        let items = self.through_with(Known::Iterable, &[list], &[all], iterator, span)?;
        self.through_with(Known::Collect, &[wanted, self.resolved(element), iterator], &[items], wanted, span)
    }

    /// One more element of a `for ... yield`, as a statement; the value itself when it never ends.
    pub(super) fn yielded(&mut self, value: tree::ExprId, yields: Yields<'a>) -> Result<ExprId> {
        let value = self.check(value, self.resolved(yields.element), yields.why)?;
        let span = self.span_at(value);
        let ty = self.ty(value);
        if ty == Type::NEVER || ty == Type::ERROR {
            return Ok(value);
        }
        let whole = self.draft.body.locals[yields.all].ty;
        let mark = self.draft.scratch.len();
        let next = match yields.into {
            Into::List | Into::Other(_) => {
                let list = self.read(yields.all, span);
                self.intrinsic(Intrinsic::ListPush, &[list, value], whole, span)
            }
            Into::Map => {
                let pair = self.temporary(value);
                let (key, stored) = match ty.kind() {
                    TypeKind::Tuple(&[key, stored]) => (key, stored),
                    _ => return Ok(self.error(span)),
                };
                let read = self.read(pair, span);
                let key = self.push(Expr::Field(read, 0), key, span);
                let read = self.read(pair, span);
                let stored = self.push(Expr::Field(read, 1), stored, span);
                let map = self.read(yields.all, span);
                self.of_map(map, "insert", &[key, stored], whole, span)?
            }
            Into::Set => {
                let value = self.settled(value);
                let set = self.read(yields.all, span);
                self.of_map(set, "insert", &[value], whole, span)?
            }
            Into::Text if matches!(ty, Type::CHAR | Type::STR) => {
                let text = self.printed(value, span)?;
                let before = self.read(yields.all, span);
                self.intrinsic(Intrinsic::StrConcat, &[before, text], whole, span)
            }
            Into::Text => {
                if !self.lacks_silently(ty)? {
                    let wanted = format!("Collect<{}>", show(ty));
                    self.report(Code::E2009, span, [show(whole).into(), wanted.into()]);
                }
                return Ok(self.error(span));
            }
        };
        let stored = self.push(Expr::Assign { local: yields.all, path: WHOLE, value: next }, Type::VOID, span);
        Ok(self.with_statements(mark, stored, span))
    }

    /// An element of a `for ... yield`, and then a way out of its round.
    pub(super) fn yielded_and(&mut self, value: tree::ExprId, yields: Yields<'a>, leave: ExprId, span: Span) -> Result<ExprId> {
        let yielded = self.yielded(value, yields)?;
        if self.ty(yielded).fits_anywhere() {
            return Ok(yielded);
        }
        let statements = self.draft.body.lists.add([yielded, leave]);
        Ok(self.push(Expr::Block { statements, tail: true }, Type::NEVER, span))
    }
}
