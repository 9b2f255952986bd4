//! Maps: literals with computed keys and spreads, what stands at a key (language/05 §5.3, §5.4, §5.7). A map is a struct of the library; everything here is
//! a call of its methods.

use ir::{List, Symbol};
use syntax::Span;
use syntax::tree::{self, Entry, EntryKey};

use super::why::{Expect, Why};
use super::{Checker, Obligation, Result};
use crate::ir::{Expr, ExprId, LocalId, WHOLE};
use crate::resolve::objects::check_objects;
use crate::resolve::{bounds_within, prelude, show, unequal};
use crate::{Type, TypeKind};

/// So many entries in a row are data: code that puts in each by itself would be the larger part of a program.
const LONG: usize = 32;

impl<'a> Checker<'a> {
    /// `{k: v, ...m, [e]: v}`: a map that grows entry by entry. A name or a text is a key of type `str`.
    pub(super) fn map_literal(&mut self, entries: List<Entry>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        let list = tree.entries.get(entries);
        let expected = expect.checked().and_then(|(wanted, why)| Some((prelude::map_parts(self.resolved(wanted))?, why)));
        // What is not told is open: of a literal without entries it may stay so.
        let has_none = list.iter().all(|entry| entry.key == EntryKey::Spread);
        let (key, value) = match expected {
            Some((parts, _)) => parts,
            None if has_none => (self.fresh_lenient(), self.fresh_lenient()),
            None => (self.fresh(), self.fresh()),
        };
        if list.is_empty() && (key.has_variable() || value.has_variable()) {
            for part in [key, value] {
                let open = self.fresh_lenient();
                self.unify(part, open);
            }
        }
        let why = expected.map_or(Why::None, |(_, why)| why);
        let ty = prelude::map_of(key, value);
        if list.is_empty() {
            return self.empty_map(key, value, span);
        }
        let mark = self.draft.scratch.len();
        let mut map: Option<LocalId> = None;
        let mut failed = false;
        let mut rest = list;
        while let Some((entry, others)) = rest.split_first() {
            let run = rest.iter().take_while(|entry| entry.key != EntryKey::Spread).count();
            let is_long = run >= LONG;
            let (now, later) = if is_long { rest.split_at(run) } else { (std::slice::from_ref(entry), others) };
            rest = later;
            // What is given at once: a part of the map.
            let part = match entry.key {
                EntryKey::Spread => Some(self.check(entry.value, ty, why)?),
                EntryKey::Name(_) | EntryKey::Expr(_) | EntryKey::None if is_long => Some(self.long_run(now, (key, value), why, span)?),
                EntryKey::Name(_) | EntryKey::Expr(_) | EntryKey::None => None,
            };
            if let Some(part) = part {
                failed |= self.ty(part) == Type::ERROR;
                if failed {
                    continue;
                }
                match map {
                    None if is_long => map = Some(self.map_so_far(part, ty, span)),
                    _ => {
                        let so_far = self.started((map, ty), (key, value), span)?;
                        map = Some(so_far);
                        let before = self.read(so_far, entry.span);
                        let next = self.of_map(before, "merge", &[part], ty, entry.span)?;
                        self.grown(so_far, next, entry.span);
                    }
                }
                continue;
            }
            let so_far = self.started((map, ty), (key, value), span)?;
            map = Some(so_far);
            let at = self.map_key(entry, key)?;
            let stored = self.check(entry.value, value, why)?;
            failed |= self.ty(at) == Type::ERROR || self.ty(stored) == Type::ERROR;
            if failed {
                continue;
            }
            let before = self.read(so_far, entry.span);
            let next = self.of_map(before, "insert", &[at, stored], ty, entry.span)?;
            self.grown(so_far, next, entry.span);
        }
        let Some(map) = map.filter(|_| !failed) else {
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        };
        let whole = self.read(map, span);
        Ok(self.with_statements(mark, whole, span))
    }

    /// The variable that a literal grows in.
    fn map_so_far(&mut self, first: ExprId, ty: Type, span: Span) -> LocalId {
        let map = self.local(self.blank, ty, true);
        let binding = self.push(Expr::Let(map, first), Type::VOID, span);
        self.draft.scratch.push(binding);
        map
    }

    /// The same, empty where nothing is in it yet.
    fn started(&mut self, (map, ty): (Option<LocalId>, Type), (key, value): (Type, Type), span: Span) -> Result<LocalId> {
        match map {
            Some(map) => Ok(map),
            None => {
                let empty = self.empty_map(key, value, span)?;
                Ok(self.map_so_far(empty, ty, span))
            }
        }
    }

    fn grown(&mut self, map: LocalId, next: ExprId, span: Span) {
        let assigned = self.push(Expr::Assign { local: map, path: WHOLE, value: next }, Type::VOID, span);
        self.draft.scratch.push(assigned);
    }

    /// Many entries in a row: a list of pairs, of which the library makes a map.
    fn long_run(&mut self, entries: &[Entry], (key, value): (Type, Type), why: Why<'a>, span: Span) -> Result<ExprId> {
        let mark = self.draft.scratch.len();
        let mut failed = false;
        let pair = Type::tuple(&[key, value]);
        for entry in entries {
            let at = self.map_key(entry, key)?;
            let stored = self.check(entry.value, value, why)?;
            failed |= self.ty(at) == Type::ERROR || self.ty(stored) == Type::ERROR;
            let parts = self.draft.body.lists.add([at, stored]);
            let made = self.push(Expr::Aggregate(parts), pair, entry.span);
            self.draft.scratch.push(made);
        }
        if failed {
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        }
        let values = self.draft.body.lists.add(self.draft.scratch.drain(mark..));
        let pairs = self.push(Expr::Aggregate(values), Type::list(pair), span);
        let item = prelude::map_of_entries();
        let args = [key, value];
        if let Some(signature) = self.cx.signature(item)? {
            self.require(&signature.given, &args, span)?;
        }
        let list = self.draft.body.lists.add([pairs]);
        let call = self.push(Expr::Call(item, list), prelude::map_of(key, value), span);
        self.instantiate(call, item, &args, span)?;
        Ok(call)
    }

    fn map_key(&mut self, entry: &Entry, key: Type) -> Result<ExprId> {
        match entry.key {
            EntryKey::Expr(written) => self.check(written, key, Why::None),
            EntryKey::Name(name) => {
                let text = self.push(Expr::Str(name), Type::STR, entry.span);
                self.fit(text, key, Why::None)
            }
            EntryKey::Spread | EntryKey::None => Ok(self.error(entry.span)),
        }
    }

    pub(super) fn empty_map(&mut self, key: Type, value: Type, span: Span) -> Result<ExprId> {
        let call = self.push(Expr::Call(prelude::new_map(), List::EMPTY), prelude::map_of(key, value), span);
        self.instantiate(call, prelude::new_map(), &[key, value], span)?;
        Ok(call)
    }

    /// A call of a method of a map.
    pub(super) fn of_map(&mut self, map: ExprId, method: &str, args: &[ExprId], result: Type, span: Span) -> Result<ExprId> {
        let ty = self.ty(map);
        let Some((item, type_args)) = self.inherent(ty, Symbol::new(method), true, span)? else { return Ok(self.error(span)) };
        if let Some(signature) = self.cx.signature(item)? {
            self.require(&signature.given, &type_args, span)?;
        }
        let list = self.draft.body.lists.add([map].into_iter().chain(args.iter().copied()));
        let call = self.push(Expr::Call(item, list), result, span);
        self.instantiate(call, item, &type_args, span)?;
        Ok(call)
    }

    /// The keys of all maps and the elements of all sets in a type must be able to be that (E2031), and the arguments of declared types what their
    /// declarations ask (E2009).
    pub(super) fn owe_parts(&mut self, ty: Type, at: Span) -> Result<()> {
        // The library speaks of maps of any keys where it does not look at them.
        if matches!(ty.kind(), crate::base_kinds!() | TypeKind::Str) || prelude::is_library(self.item.id.module()) {
            return Ok(());
        }
        let mut keys: Vec<Type> = Vec::new();
        ty.replaced(&mut |part| {
            match part.kind() {
                TypeKind::Struct(item, &[key, _]) if item == prelude::map() => keys.push(key),
                TypeKind::Struct(item, &[element]) if item == prelude::set() => {
                    keys.push(element);
                    self.elements.push(element);
                }
                _ => {}
            }
            None
        });
        for key in keys {
            self.owe(key, prelude::table_key(), at);
        }
        for error in check_objects(ty, self.anchor, at, self.cx)? {
            self.poisoned = true;
            if !self.diagnostics.contains(&error) {
                self.diagnostics.push(error);
            }
        }
        let asked = bounds_within(ty, self.cx)?;
        for bound in asked.bounds {
            self.obligations.push(Obligation::Bound(bound.ty, bound.interface, at));
        }
        for equality in asked.equalities {
            if equality.associated.has_variable() || equality.ty.has_variable() {
                let (found, wanted) = (self.projected(equality.associated, at)?, self.projected(equality.ty, at)?);
                self.unify(found, wanted);
                self.obligations.push(Obligation::Equal(equality.associated, found, wanted, at));
            } else if let Some((this, interface, why)) = unequal(&equality, &self.given, self.cx)? {
                self.report(syntax::DiagnosticCode::E2009, at, [show(this).into(), interface.show().into()]).notes.push(why);
            }
        }
        Ok(())
    }

    /// `m[k]`
    pub(super) fn at_key(&mut self, map: ExprId, index: tree::ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(map);
        let Some((key, value)) = prelude::map_parts(ty) else { return Ok(self.error(span)) };
        let Some(key) = self.key(index, ty, key)? else { return Ok(self.error(span)) };
        self.found_at(map, key, value, span)
    }

    /// What a map has at a key.
    pub(super) fn found_at(&mut self, map: ExprId, key: ExprId, value: Type, span: Span) -> Result<ExprId> {
        self.of_map(map, "get", &[key], prelude::option_of(value), span)
    }

    /// The key in an index of a map; `None` after a report.
    pub(super) fn key(&mut self, index: tree::ExprId, map: Type, wanted: Type) -> Result<Option<ExprId>> {
        // `#` is no number of keys.
        let indexed = std::mem::take(&mut self.indexed);
        let key = self.hinted(index, wanted);
        self.indexed = indexed;
        let key = key?;
        let found = self.ty(key);
        if self.unify(found, wanted) || found == Type::NEVER {
            return Ok(Some(key));
        }
        if found != Type::ERROR {
            let at = self.span_at(key);
            self.report(syntax::DiagnosticCode::E2026, at, [show(map).into(), show(wanted).into(), show(found).into()]);
        }
        Ok(None)
    }

    /// The map with a value at the key in a temporary.
    pub(super) fn with_key(&mut self, map: ExprId, key: LocalId, value: ExprId, span: Span) -> Result<ExprId> {
        let ty = self.ty(map);
        let key = self.read(key, span);
        self.of_map(map, "updated", &[key, value], ty, span)
    }
}
