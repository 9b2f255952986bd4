//! Lists: literals with spreads, patterns in `let`, changes of elements (language/05 §5.3, §5.4; 06 §6.3).

use ir::List;
use syntax::tree::{self, Entry, EntryKey};
use syntax::{DiagnosticCode as Code, Span};

use super::why::{Expect, Why};
use super::{Checker, Result};
use crate::ir::{Expr, ExprId, LocalId, Pattern, PatternId};
use crate::resolve::prelude::{self, Known};
use crate::resolve::show;
use crate::types::shared;
use crate::{Intrinsic as I, Type, TypeKind};

impl<'a> Checker<'a> {
    /// `[a, ...xs, b]`: elements that stand together become a list at once; what is spread or follows a spread is appended.
    pub(super) fn list_literal(&mut self, entries: List<Entry>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let element = match expect.checked().map(|(wanted, _)| self.resolved(wanted).kind()) {
            Some(TypeKind::List(element)) => Some((element, Why::ElementOf(element))),
            _ => None,
        };
        self.list_of_entries(entries, element, span)
    }

    fn list_of_entries(&mut self, entries: List<Entry>, element: Option<(Type, Why<'a>)>, span: Span) -> Result<ExprId> {
        // Of the elements of an empty list nothing need be known.
        if let (true, Some((element, _))) = (entries.is_empty(), element)
            && element.has_variable()
        {
            let open = self.fresh_lenient();
            self.unify(element, open);
        }
        let tree = self.tree;
        let parts = tree.entries.get(entries).iter().map(|entry| (entry.key == EntryKey::Spread, entry.value));
        self.list_of(parts, element, span)
    }

    /// A list of elements and of what is spread (`true`), which have this type if it is known.
    pub(super) fn list_of(
        &mut self,
        parts: impl Iterator<Item = (bool, tree::ExprId)>,
        mut element: Option<(Type, Why<'a>)>,
        span: Span,
    ) -> Result<ExprId> {
        let mut failed = false;
        let mut whole: Option<ExprId> = None;
        let mark = self.draft.scratch.len();
        for (is_spread, written) in parts {
            if is_spread {
                let Some(more) = self.spread_list(written, &mut element)? else {
                    failed = true;
                    continue;
                };
                let before = match whole {
                    None if self.draft.scratch.len() == mark => None,
                    None => Some(self.gathered(mark, element, span)),
                    Some(before) => Some(before),
                };
                whole = Some(match before {
                    None => more,
                    Some(before) => self.appended(before, more, span)?,
                });
                continue;
            }
            let value = match element {
                Some((wanted, why)) => self.check(written, wanted, why)?,
                None => self.infer(written)?,
            };
            let found = self.ty(value);
            failed |= found == Type::ERROR;
            if element.is_none() && !found.fits_anywhere() {
                element = Some((found, Why::FirstElement(self.span_at(value))));
            }
            match whole {
                Some(before) => {
                    let ty = self.ty(before);
                    whole = Some(self.intrinsic(I::ListPush, &[before, value], ty, span));
                }
                None => self.draft.scratch.push(value),
            }
        }
        if failed {
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        }
        Ok(match whole {
            Some(whole) => whole,
            None => self.gathered(mark, element, span),
        })
    }

    /// A list of what lies on the scratch stack above `mark`. Of one without elements nothing is known yet.
    fn gathered(&mut self, mark: usize, element: Option<(Type, Why<'a>)>, span: Span) -> ExprId {
        let element = match element {
            Some((element, _)) => self.resolved(element),
            None if self.draft.scratch.len() > mark => Type::NEVER,
            None => self.fresh_lenient(),
        };
        let values = self.draft.body.lists.add(self.draft.scratch.drain(mark..));
        self.push(Expr::Aggregate(values), Type::list(element), span)
    }

    /// The operand of a spread, as a list; `None` after a report.
    fn spread_list(&mut self, written: tree::ExprId, element: &mut Option<(Type, Why<'a>)>) -> Result<Option<ExprId>> {
        let value = match *element {
            // A literal takes on the type that its elements go into.
            Some((wanted, why)) if let Some(entries) = self.list_written(written) => {
                self.list_of_entries(entries, Some((wanted, why)), self.span(written))?
            }
            Some(_) | None => self.infer(written)?,
        };
        if !self.head_is_known(value)? {
            return Ok(None);
        }
        let value = self.spread_of(value)?;
        let ty = self.ty(value);
        match ty.kind() {
            TypeKind::List(found) => {
                let Some((wanted, why)) = *element else {
                    *element = Some((found, Why::FirstElement(self.span_at(value))));
                    return Ok(Some(value));
                };
                let fitted = self.fit(value, Type::list(wanted), why)?;
                Ok((self.ty(fitted) != Type::ERROR).then_some(fitted))
            }
            // What never comes is spread as the list of it.
            TypeKind::Never => {
                let wanted = match *element {
                    Some((wanted, _)) => wanted,
                    None => {
                        let open = self.fresh_lenient();
                        *element = Some((open, Why::None));
                        open
                    }
                };
                let values = self.draft.body.lists.add([value]);
                let span = self.span_at(value);
                Ok(Some(self.push(Expr::Aggregate(values), Type::list(wanted), span)))
            }
            TypeKind::Error => Ok(None),
            _ => {
                let at = self.span_at(value);
                if !self.lacks_silently(ty)? {
                    self.report(Code::E2009, at, [show(ty).into(), Known::Iterable.name().into()]);
                }
                Ok(None)
            }
        }
    }

    /// The entries of an expression that is written as a list.
    fn list_written(&self, mut at: tree::ExprId) -> Option<List<Entry>> {
        while let tree::Expr::Paren(inner) = self.tree.exprs[at] {
            at = inner;
        }
        match self.tree.exprs[at] {
            tree::Expr::List(entries) => Some(entries),
            _ => None,
        }
    }

    /// What is spread, as a list if it can be iterated over. Of `[]`, `None` and `{}` what stands beside them may still say what they hold.
    fn spread_of(&mut self, value: ExprId) -> Result<ExprId> {
        let (ty, span) = (self.ty(value), self.span_at(value));
        let ty = match ty.kind() {
            TypeKind::Struct(item, _) if !prelude::is_predeclared(item) => self.closed(value),
            _ => ty,
        };
        if ty.fits_anywhere() || matches!(ty.kind(), TypeKind::List(_)) || self.has(ty, Known::Iterable, span)? != Some(true) {
            return Ok(value);
        }
        let element = self.projected(Type::associated(&[ty], Known::Iterable.item(), prelude::item_type()), span)?;
        let args = self.draft.body.lists.add([value]);
        let call = self.push(Expr::Call(prelude::listed(), args), Type::list(element), span);
        self.instantiate(call, prelude::listed(), &[ty], span)?;
        Ok(call)
    }

    /// `left` with the elements of `right` behind its own.
    fn appended(&mut self, left: ExprId, right: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(left);
        let element = match ty.kind() {
            TypeKind::List(element) => element,
            _ => Type::ERROR,
        };
        let args = self.draft.body.lists.add([left, right]);
        let call = self.push(Expr::Call(prelude::append(), args), ty, span);
        self.instantiate(call, prelude::append(), shared(&[element]), span)?;
        Ok(call)
    }

    // ---- patterns in `let` ----

    /// Is it a list pattern that asks for a length?
    pub(super) fn asks_length(&self, pattern: PatternId) -> bool {
        matches!(self.draft.body.patterns[pattern], Pattern::List(list, has_rest) if list.len() > usize::from(has_rest) || !has_rest)
    }

    /// The parts of a list pattern: a panic where the length does not fit, then one local an element.
    pub(super) fn let_list(&mut self, pattern: PatternId, value: ExprId, ty: Type) -> Result<()> {
        let Pattern::List(list, has_rest) = self.draft.body.patterns[pattern] else { return Ok(()) };
        let TypeKind::List(element) = ty.kind() else { return Ok(()) };
        let span = self.draft.pattern_spans[pattern.index()];
        let whole = self.temporary(value);
        let count = list.len() - usize::from(has_rest);
        if self.asks_length(pattern) {
            self.expect_length(whole, count, has_rest, span);
        }
        for at in 0..list.len() {
            let part = self.draft.body.parts[list][at];
            if self.draft.body.patterns[part] == Pattern::Any {
                continue;
            }
            let (read, position) = (self.read(whole, span), self.int(at as i64, span));
            let (value, ty) = if at < count {
                (self.intrinsic(I::ListGet, &[read, position], element, span), element)
            } else {
                let length = self.read(whole, span);
                let length = self.intrinsic(I::ListLen, &[length], Type::INT, span);
                (self.intrinsic(I::ListSlice, &[read, position, length], ty, span), ty)
            };
            let local = self.temporary(value);
            self.let_part_of(part, local, ty)?;
        }
        Ok(())
    }

    /// Panics unless a list has so many elements, or at least so many.
    fn expect_length(&mut self, list: LocalId, count: usize, has_rest: bool, span: Span) {
        let length = self.read(list, span);
        let length = self.intrinsic(I::ListLen, &[length], Type::INT, span);
        let length = self.temporary(length);
        let (read, wanted) = (self.read(length, span), self.int(count as i64, span));
        let fits = self.intrinsic(if has_rest { I::Ge } else { I::Eq }, &[read, wanted], Type::BOOL, span);
        let least = if has_rest { "at least " } else { "" };
        let text = format!("list pattern does not match: expected {least}{count} elements, found ");
        let text = self.push(Expr::Str(ir::Symbol::new(&text)), Type::STR, span);
        let found = self.read(length, span);
        let found = self.intrinsic(I::IntToStr, &[found], Type::STR, span);
        let text = self.intrinsic(I::StrConcat, &[text, found], Type::STR, span);
        let panic = self.intrinsic(I::Panic, &[text], Type::NEVER, span);
        let unit = self.unit(span);
        let check = self.push(Expr::If { condition: fits, then: unit, otherwise: Some(panic) }, Type::VOID, span);
        self.draft.scratch.push(check);
    }
}
