//! Struct literals: every field once, later entries win, everything evaluated as written.

use std::sync::Arc;

use hashbrown::HashMap;
use ir::{ItemId, List, Symbol};
use syntax::tree::{self, Entry, EntryKey};
use syntax::{DiagnosticCode as Code, Span};

use super::why::{Expect, Why};
use super::{Checker, Result};
use crate::ir::{Expr, ExprId, LocalId};
use crate::program::{Entity, TypeDefinition, TypeForm};
use crate::resolve::{is_later_type, prelude, prelude_type, show, suggest};
use crate::{Type, TypeKind};

/// Where the value of a field comes from.
#[derive(Clone, Copy)]
enum Source {
    Missing,
    Given(ExprId),
    Spread(LocalId),
}

impl<'a> Checker<'a> {
    pub(super) fn struct_literal(&mut self, path: List<Symbol>, entries: List<Entry>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        let path = tree.paths.get(path);
        let Some(&name) = path.last() else { return Ok(self.error(span)) };
        let at = Span::new(span.start, span.start + path.iter().map(|s| s.as_str().len() as u32 + 1).sum::<u32>() - 1);
        if let ([name], Some(this)) = (path, self.around.this)
            && name.as_str() == "Self"
        {
            let definition = match self.own_type() {
                Some((item, _)) => self.cx.type_definition(item)?,
                None => None,
            };
            return match definition {
                Some(definition) if definition.form == TypeForm::Struct => self.literal_of(definition, this, entries, at, span),
                None if self.own_type().is_some() => self.entries_silently(entries, span),
                Some(_) | None => {
                    self.report(Code::E2001, at, ["a struct type".into(), show(this).into()]);
                    self.entries_silently(entries, span)
                }
            };
        }
        let entity = match *path {
            [name] => self.scope.type_name(name),
            [alias, name] => match self.scope.value(alias) {
                Some(Entity::Module(module)) => {
                    let scope = self.cx.scope(module)?;
                    let found = scope.exported(name).find(|e| crate::program::is_type(*e));
                    if found.is_none() {
                        self.poisoned = true;
                        self.diagnostics.push(crate::resolve::not_exported(&scope, module, name, self.anchor, at));
                        return self.entries_silently(entries, span);
                    }
                    found
                }
                Some(Entity::Unsupported(..)) => return self.entries_silently(entries, span),
                _ => None,
            },
            _ => None,
        };
        let predeclared = || match path {
            [name] => prelude::predeclared(name.as_str()).map(|(item, _)| Entity::Type(item)),
            _ => None,
        };
        match entity.or_else(predeclared) {
            Some(Entity::Type(item)) => match self.cx.type_definition(item)? {
                Some(definition) if definition.form == TypeForm::Struct => {
                    let ty = self.open_struct(item, definition.generics.len());
                    if let (false, Some((wanted, _))) = (definition.generics.is_empty(), expect.checked()) {
                        self.unify(ty, wanted);
                    }
                    self.literal_of(definition, ty, entries, at, span)
                }
                Some(_) => {
                    self.report(Code::E2001, at, ["a struct type".into(), name.into()]);
                    self.entries_silently(entries, span)
                }
                None => self.entries_silently(entries, span),
            },
            Some(Entity::Unsupported(..)) => self.entries_silently(entries, span),
            Some(Entity::Function(_) | Entity::Constant(_) | Entity::Trait(_) | Entity::Module(_) | Entity::Std(..)) | None => {
                if name.as_str() == "Self" {
                    self.report(Code::E0314, at, []);
                } else if is_later_type(name.as_str()) {
                    self.refuse(at, format!("`{name}`"));
                } else if let Some(ty) = prelude_type(name.as_str()) {
                    self.report(Code::E2001, at, ["a struct type".into(), show(ty).into()]);
                } else {
                    let near = suggest(name.as_str(), self.scope.types.iter().map(|(n, _)| n.as_str()));
                    let anchor = self.anchor;
                    let error = self.report(Code::E2002, at, [name.into()]);
                    if let Some((near, is_sure)) = near {
                        error.helps.push(format!("a type with a similar name exists: `{near}`"));
                        error.edits.push(syntax::Edit { anchor, span: at, text: near, machine_applicable: is_sure });
                    }
                }
                self.entries_silently(entries, span)
            }
        }
    }

    fn entries_silently(&mut self, entries: List<Entry>, span: Span) -> Result<ExprId> {
        self.poisoned = true;
        let tree = self.tree;
        for entry in tree.entries.get(entries) {
            self.infer(entry.value)?;
        }
        Ok(self.error(span))
    }

    /// `{...s, f: v}` is a struct literal when `s` is a struct; maps are a later form, and `{}` is `()` where void is expected.
    pub(super) fn braces(&mut self, entries: List<Entry>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        let list = tree.entries.get(entries);
        match list.first() {
            None => match expect.checked() {
                Some((Type::VOID, _)) => return Ok(self.unit(span)),
                _ => return self.map_literal(entries, span, expect),
            },
            Some(Entry { key: EntryKey::Spread, value, .. }) => {
                // Looked at twice: once here for its type, once as an entry. The first look leaves nothing behind.
                let kept = self.diagnostics.len();
                let (poisoned, refused) = (self.poisoned, self.refused.len());
                let probe = self.infer(*value)?;
                let ty = self.ty(probe);
                if let TypeKind::Struct(item, _) = ty.kind()
                    && self.sees_fields(item)
                {
                    self.diagnostics.truncate(kept);
                    self.refused.truncate(refused);
                    self.poisoned = poisoned;
                    if let Some(definition) = self.cx.type_definition(item)?.filter(|d| d.form == TypeForm::Struct) {
                        let at = Span::new(span.start, span.start + 1);
                        return self.literal_of(definition, ty, entries, at, span);
                    }
                }
                if ty == Type::ERROR {
                    return self.entries_silently(List::EMPTY, span);
                }
            }
            Some(_) => {}
        }
        self.map_literal(entries, span, expect)
    }

    /// A literal of a struct type, whose arguments may be open.
    fn literal_of(&mut self, definition: Arc<TypeDefinition>, ty: Type, entries: List<Entry>, at: Span, span: Span) -> Result<ExprId> {
        let tree = self.tree;
        let list = tree.entries.get(entries);
        let fields = &definition.fields;
        let args = match ty.kind() {
            TypeKind::Struct(_, args) => args,
            _ => &[],
        };
        let name = definition.item.name();
        if !self.sees_fields(definition.item) {
            self.report(Code::E2001, at, ["a struct type".into(), name.into()]);
            return self.entries_silently(entries, span);
        }
        if !definition.given.bounds.is_empty() || !definition.given.equalities.is_empty() {
            self.require(&definition.given, args, at)?;
        }
        // The usual literal gives every field once in the order of the declaration: no temporaries, no search.
        let plain = list.len() == fields.len() && list.iter().zip(fields).all(|(entry, (field, _))| entry.key == EntryKey::Name(*field));
        let mut failed = definition.diagnostics.iter().any(|d| d.severity() == syntax::Severity::Error);
        let mark = self.draft.scratch.len();
        if plain {
            for (entry, &(field, field_type)) in list.iter().zip(fields) {
                let wanted = self.instantiated(field_type, args, entry.span)?;
                let value = self.check(entry.value, wanted, Why::Field(definition.item, field))?;
                failed |= self.ty(value) == Type::ERROR;
                self.draft.scratch.push(value);
            }
            let values = self.draft.body.lists.add(self.draft.scratch.drain(mark..));
            return Ok(if failed { self.error(span) } else { self.push(Expr::Aggregate(values), ty, span) });
        }
        let mut sources = vec![Source::Missing; fields.len()];
        let mut given: HashMap<Symbol, Span> = HashMap::new();
        for entry in list {
            match entry.key {
                EntryKey::Name(field) => {
                    if let Some(&first) = given.get(&field) {
                        let anchor = self.anchor;
                        let error = self.report(Code::E0303, entry.span, [field.into(), "given".into()]);
                        error.labels.push(syntax::Label { anchor, span: first, text: "first given here".into() });
                        failed = true;
                    }
                    given.entry(field).or_insert(entry.span);
                    match definition.field_named(field) {
                        Some(index) => {
                            let wanted = self.instantiated(fields[index].1, args, entry.span)?;
                            let value = self.check(entry.value, wanted, Why::Field(definition.item, field))?;
                            failed |= self.ty(value) == Type::ERROR;
                            sources[index] = Source::Given(self.settled(value));
                        }
                        None => {
                            self.no_field(&definition, field, entry.span);
                            self.infer(entry.value)?;
                            failed = true;
                        }
                    }
                }
                EntryKey::Spread => {
                    let value = self.check(entry.value, ty, Why::Spread(definition.item))?;
                    failed |= self.ty(value) == Type::ERROR;
                    let local = self.held(value);
                    sources.fill(Source::Spread(local));
                }
                EntryKey::None | EntryKey::Expr(_) => {
                    self.report(Code::E1004, entry.span, []);
                    failed = true;
                }
            }
        }
        let missing: Vec<&str> =
            fields.iter().zip(&sources).filter(|(_, s)| matches!(s, Source::Missing)).map(|((f, _), _)| f.as_str()).collect();
        if !missing.is_empty() {
            if !failed {
                let list = missing.join(", ");
                self.report(Code::E0301, at, [list.into(), name.into()]);
            }
            failed = true;
        }
        if failed {
            self.poisoned = true;
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        }
        let mut values = Vec::with_capacity(fields.len());
        for (index, source) in sources.into_iter().enumerate() {
            values.push(match source {
                Source::Given(value) => value,
                Source::Spread(local) => {
                    let whole = self.read(local, span);
                    let ty = self.instantiated(fields[index].1, args, span)?;
                    self.push(Expr::Field(whole, index as u32), ty, span)
                }
                Source::Missing => self.error(span),
            });
        }
        let values = self.draft.body.lists.add(values);
        let aggregate = self.push(Expr::Aggregate(values), ty, span);
        Ok(self.with_statements(mark, aggregate, span))
    }

    /// Are the fields of the type those of a program, or is this the library, whose types are its own matter?
    pub(super) fn sees_fields(&self, ty: ItemId) -> bool {
        !prelude::is_opaque(ty) || prelude::is_library(self.item.id.module())
    }

    /// E0302 for a field that a type has not.
    pub(super) fn no_field(&mut self, definition: &TypeDefinition, field: Symbol, span: Span) {
        let visible = if self.sees_fields(definition.item) { &definition.fields[..] } else { &[] };
        let near = suggest(field.as_str(), visible.iter().map(|(f, _)| f.as_str()));
        let known: Vec<&str> = visible.iter().map(|(f, _)| f.as_str()).collect();
        let anchor = self.anchor;
        let error = self.report(Code::E0302, span, [definition.item.name().into(), field.into()]);
        match near {
            _ if definition.form == TypeForm::Sum => error.helps.push("the payload of a variant is read with `match`".into()),
            Some((near, is_sure)) => {
                error.helps.push(format!("a field with a similar name exists: `{near}`"));
                error.edits.push(syntax::Edit { anchor, span, text: near, machine_applicable: is_sure });
            }
            None if known.is_empty() => error.helps.push(format!("`{}` has no fields", definition.item.name())),
            None => error.helps.push(format!("its fields are {}", known.join(", "))),
        }
    }

    /// A branch: where `{}` without another expectation is the empty block.
    pub(super) fn branch(&mut self, id: tree::ExprId, expect: &Expect<'a>) -> Result<ExprId> {
        if self.is_empty_braces(id) {
            let span = self.span(id);
            return Ok(self.unit(span));
        }
        match expect.checked() {
            Some((ty, why)) => self.check(id, ty, why),
            None => self.expr(id, expect),
        }
    }
}
