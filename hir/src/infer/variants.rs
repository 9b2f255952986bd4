//! Variants and newtypes as values: which type a name belongs to, and what its payload is.
//!
//! A bare variant is looked for in the expected type first, then in the scope: own items before imports, imports before the variants that
//! imported types bring. A name that then belongs to several types is ambiguous.

use std::sync::Arc;

use ir::{ItemId, List, Symbol};
use syntax::tree::{self, Argument};
use syntax::{DiagnosticCode as Code, Severity, Span};

use super::why::{Expect, Mode, Why};
use super::{Checker, Result};
use crate::ir::{Expr, ExprId};
use crate::program::{Entity, TypeDefinition, TypeForm};
use crate::resolve::prelude::{self, Sum};
use crate::resolve::show;
use crate::{Type, TypeKind};

/// What a name turned out to be.
pub(super) enum Named {
    /// No variant.
    Nothing,
    /// A variant of this type, by number.
    Variant(Arc<TypeDefinition>, usize),
    /// A report was made, here or where the type is declared.
    Failed,
}

impl<'a> Checker<'a> {
    /// The variant of the expected type that has this name.
    pub(super) fn expected_variant(&mut self, name: Symbol, expect: &Expect<'a>) -> Result<Named> {
        if expect.mode != Mode::None
            && let TypeKind::Struct(item, _) = self.resolved(expect.ty).kind()
            && let Some(definition) = self.cx.type_definition(item)?
            && let Some(number) = definition.variant_named(name)
        {
            return Ok(Named::Variant(definition, number));
        }
        Ok(Named::Nothing)
    }

    /// The variant that a bare name means where nothing else is expected; `other` is what else the scope has under the name.
    pub(super) fn scope_variant(&mut self, name: Symbol, other: Option<Entity>, span: Span) -> Result<Named> {
        let scope = self.scope.clone();
        let all = scope.variants(name);
        let module = self.item.id.module();
        let own = all.iter().take_while(|(_, item)| item.module() == module).count();
        let is_own = |entity: Entity| match entity {
            Entity::Function(item) | Entity::Constant(item) | Entity::Type(item) | Entity::Trait(item) | Entity::Unsupported(item, _) => {
                item.module() == module
            }
            Entity::Module(_) | Entity::Std(..) => false,
        };
        let candidates = match other {
            Some(entity) if own == 0 || is_own(entity) => return Ok(Named::Nothing),
            _ if own > 0 => &all[..own],
            _ => all,
        };
        match *candidates {
            [] => Ok(Named::Nothing),
            [(_, item)] => self.variant_of(item, name),
            [(_, a), (_, b), ..] => {
                self.report(Code::E0210, span, [name.into(), a.name().into(), b.name().into()]).helps.push(format!(
                    "write `{}.{name}` or `{}.{name}`",
                    a.name(),
                    b.name()
                ));
                Ok(Named::Failed)
            }
        }
    }

    pub(super) fn variant_of(&mut self, item: ItemId, name: Symbol) -> Result<Named> {
        let Some(definition) = self.cx.type_definition(item)? else {
            self.poisoned = true;
            return Ok(Named::Failed);
        };
        match definition.variant_named(name) {
            Some(number) => Ok(Named::Variant(definition, number)),
            None => {
                self.poisoned = true;
                Ok(Named::Failed)
            }
        }
    }

    /// `m.V`: a variant of a type that module `m` exports.
    pub(super) fn module_variant(&mut self, module: Symbol, name: Symbol, expect: &Expect<'a>, span: Span) -> Result<Named> {
        let scope = self.cx.scope(module)?;
        let is_public = |item: ItemId| scope.public.iter().any(|&(_, entity)| entity == Entity::Type(item));
        let found: Vec<ItemId> = scope.variants(name).iter().map(|&(_, item)| item).filter(|&item| is_public(item)).collect();
        match found[..] {
            [] => Ok(Named::Nothing),
            [item] => self.variant_of(item, name),
            [a, b, ..] => match self.expected_variant(name, expect)? {
                Named::Variant(definition, number) if found.contains(&definition.item) => Ok(Named::Variant(definition, number)),
                _ => {
                    self.report(Code::E0210, span, [name.into(), a.name().into(), b.name().into()]);
                    Ok(Named::Failed)
                }
            },
        }
    }

    /// `T.V`, with or without a payload; `None` when the type has no such variant. `of` is the type with its arguments where they are written.
    pub(super) fn qualified(
        &mut self,
        item: ItemId,
        of: Option<Type>,
        name: Symbol,
        args: Option<List<Argument>>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<Option<ExprId>> {
        let Some(definition) = self.cx.type_definition(item)? else { return Ok(None) };
        match definition.variant_named(name) {
            Some(number) => {
                let at = match args {
                    Some(_) => span,
                    None => self.last_segment(span, name),
                };
                let ty = match of {
                    Some(ty) => ty,
                    None => self.made_type(&definition, expect),
                };
                self.construct(&definition, number, ty, (at, args), span, expect).map(Some)
            }
            None => Ok(None),
        }
    }

    /// What a lookup found, as a value; `None` when that is no variant.
    pub(super) fn named_value(
        &mut self,
        named: Named,
        at: Span,
        args: Option<List<Argument>>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<Option<ExprId>> {
        match named {
            Named::Nothing => Ok(None),
            Named::Variant(definition, number) => {
                let ty = self.made_type(&definition, expect);
                if !definition.given.bounds.is_empty() || !definition.given.equalities.is_empty() {
                    self.require(&definition.given, arguments(ty), at)?;
                }
                self.construct(&definition, number, ty, (at, args), span, expect).map(Some)
            }
            Named::Failed => match args {
                Some(args) => self.silent(args, span).map(Some),
                None => Ok(Some(self.error(span))),
            },
        }
    }

    /// The type of what is built: with open arguments, of which the expected type may say something.
    fn made_type(&mut self, definition: &TypeDefinition, expect: &Expect<'a>) -> Type {
        if definition.generics.is_empty() {
            return Type::structure(definition.item, &[]);
        }
        let ty = match prelude::sum(definition.item) {
            Some(Sum::Option | Sum::Result) => self.open_lenient(definition.item, definition.generics.len()),
            Some(Sum::Ordering) | None => self.open_struct(definition.item, definition.generics.len()),
        };
        if let Some((wanted, _)) = expect.checked() {
            // What does not fit is reported where the value goes.
            self.unify(ty, wanted);
        }
        self.resolved(ty)
    }

    /// A value of a variant, of a type whose arguments may be open. Without arguments only a variant without payload is one.
    fn construct(
        &mut self,
        definition: &TypeDefinition,
        number: usize,
        ty: Type,
        (at, args): (Span, Option<List<Argument>>),
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let variant = &definition.variants[number];
        let is_broken = definition.diagnostics.iter().any(|d| d.severity() == Severity::Error);
        let values = match args {
            None if variant.payload.is_empty() => Vec::new(),
            None if is_broken => return Ok(self.error(span)),
            None => {
                // What is expected is a function, and says nothing of what may stay open.
                let ty = if ty.has_variable() { self.open_struct(definition.item, definition.generics.len()) } else { ty };
                return self.constructor_value(definition, ty, &variant.payload, Some(number), span);
            }
            Some(args) if variant.payload.is_empty() => {
                let error = self.report(Code::E0305, at, [show(ty).into()]);
                error.helps.push(format!("`{}` has no payload: write it without parentheses", variant.name));
                return self.silent(args, span);
            }
            Some(args) => {
                let mark = self.draft.scratch.len();
                let Some(values) = self.payload(definition, number, ty, (at, args), expect)? else { return self.silent(args, span) };
                if is_broken || values.iter().any(|&value| self.ty(value) == Type::ERROR) {
                    self.draft.scratch.truncate(mark);
                    return Ok(self.error(span));
                }
                let value = self.made(definition, number, ty, &values, span);
                return Ok(self.with_statements(mark, value, span));
            }
        };
        if is_broken {
            return Ok(self.error(span));
        }
        Ok(self.made(definition, number, ty, &values, span))
    }

    pub(super) fn made(&mut self, definition: &TypeDefinition, number: usize, ty: Type, values: &[ExprId], span: Span) -> ExprId {
        let ty = self.resolved(ty);
        let list = self.draft.body.lists.add(values.iter().copied());
        let expr = match definition.choices() {
            Some(_) => Expr::Variant(number as u32, list),
            None => Expr::Aggregate(list),
        };
        self.push(expr, ty, span)
    }

    /// The payload in the order of its declaration, evaluated as written; `None` after a report.
    fn payload(
        &mut self,
        definition: &TypeDefinition,
        number: usize,
        ty: Type,
        (at, args): (Span, List<Argument>),
        expect: &Expect<'a>,
    ) -> Result<Option<Vec<ExprId>>> {
        let type_args = arguments(ty);
        // A hint says what literals are taken for and rejects nothing.
        let hints = match (expect.mode, self.resolved(expect.ty).kind()) {
            (Mode::Hint, TypeKind::Struct(item, hints)) if item == definition.item => hints,
            _ => &[],
        };
        let variant = &definition.variants[number];
        let payload = &variant.payload;
        let list = self.tree.args.get(args);
        if !variant.is_named
            && let Some(named) = list.iter().find(|a| a.name.is_some())
            && let Some(name) = named.name
        {
            self.report(Code::E0306, named.span, [variant.name.into(), name.into()]).helps.push(format!(
                "the payload of `{}` has no names: write `{0}({1})`",
                variant.name,
                vec!["..."; payload.len()].join(", ")
            ));
            return Ok(None);
        }
        let Some(slots) = self.bind(variant.name.as_str(), payload.len(), |i| payload[i].0, false, args, at)? else { return Ok(None) };
        if let Some(missing) = (0..payload.len()).find(|slot| !slots.contains(slot)) {
            if variant.is_named {
                self.report(Code::E2004, at, [payload[missing].0.into(), variant.name.into()]).wording = 1;
            } else {
                let args = [variant.name.into(), payload.len().to_string().into(), list.len().to_string().into()];
                self.report(Code::E2004, at, args);
            }
            return Ok(None);
        }
        let in_order = slots.iter().enumerate().all(|(i, &slot)| i == slot);
        let mut values = vec![ExprId::new(u32::MAX as usize); payload.len()];
        for (argument, &slot) in list.iter().zip(&slots) {
            let (name, ty) = payload[slot];
            let why = Why::Payload(variant.name, name);
            let wanted = self.instantiated(ty, type_args, argument.span)?;
            let value = match wanted.kind() {
                TypeKind::Variable(_) if !hints.is_empty() => {
                    let hint = self.instantiated(ty, hints, argument.span)?;
                    let value = self.hinted(argument.value, hint)?;
                    self.fit(value, wanted, why)?
                }
                _ => self.check(argument.value, wanted, why)?,
            };
            values[slot] = if in_order { value } else { self.settled(value) };
        }
        Ok(Some(values))
    }

    /// `N(value)` for a newtype; any other type is no value.
    pub(super) fn newtype_call(
        &mut self,
        item: ItemId,
        (name, at): (Symbol, Span),
        types: List<tree::TypeId>,
        args: List<Argument>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let Some(definition) = self.cx.type_definition(item)? else { return self.silent(args, span) };
        if definition.form != TypeForm::Newtype {
            self.declared_as_value(&definition, name, at);
            return Ok(self.error(span));
        }
        let made = match self.written_type(item, definition.generics.len(), types, at)? {
            Some(Type::ERROR) => return self.silent(args, span),
            Some(made) => made,
            None => self.made_type(&definition, expect),
        };
        self.newtype_of(&definition, made, (name, at), args, span)
    }

    /// `Self(value)` in a block of a newtype; any other type is no value.
    pub(super) fn own_call(&mut self, at: Span, args: List<Argument>, span: Span) -> Result<ExprId> {
        let name = Symbol::new("Self");
        let definition = match self.own_type() {
            Some((item, _)) => self.cx.type_definition(item)?,
            None => {
                self.own_as_value(at)?;
                return self.silent(args, span);
            }
        };
        match (definition, self.around.this) {
            (Some(definition), Some(this)) => self.newtype_of(&definition, this, (name, at), args, span),
            _ => self.silent(args, span),
        }
    }

    /// `Self` where a value stands: the constructor of a newtype, or a mistake.
    pub(super) fn own_as_value(&mut self, span: Span) -> Result<ExprId> {
        if self.around.this.is_none() {
            self.report(Code::E0314, span, []);
            return Ok(self.error(span));
        }
        match self.own_type() {
            Some((item, this)) => self.constructor_as_value(item, Some(this), Symbol::new("Self"), span),
            None => Ok(self.type_as_value(Symbol::new("Self"), span)),
        }
    }

    fn newtype_of(
        &mut self,
        definition: &TypeDefinition,
        made: Type,
        (name, at): (Symbol, Span),
        args: List<Argument>,
        span: Span,
    ) -> Result<ExprId> {
        let (TypeForm::Newtype, &[(field, ty)]) = (definition.form, &definition.fields[..]) else {
            self.type_as_value(name, at);
            return Ok(self.error(span));
        };
        if !definition.given.bounds.is_empty() || !definition.given.equalities.is_empty() {
            self.require(&definition.given, arguments(made), at)?;
        }
        let list = self.tree.args.get(args);
        let value = match *list {
            [Argument { name: None, spread: false, pattern: None, value, .. }] => {
                let wanted = self.instantiated(ty, arguments(made), span)?;
                self.check(value, wanted, Why::Field(definition.item, field))?
            }
            _ => {
                match list.iter().find_map(|a| Some((a.name?, a.span))) {
                    Some((given, at)) => {
                        self.report(Code::E0306, at, [name.into(), given.into()])
                            .helps
                            .push(format!("a newtype is built from one value without name: `{name}(...)`"));
                    }
                    None => {
                        let args = [name.into(), "1".into(), list.len().to_string().into()];
                        self.report(Code::E2004, at, args);
                    }
                }
                return self.silent(args, span);
            }
        };
        if self.ty(value) == Type::ERROR || definition.diagnostics.iter().any(|d| d.severity() == Severity::Error) {
            return Ok(self.error(span));
        }
        let list = self.draft.body.lists.add([value]);
        let made = self.resolved(made);
        Ok(self.push(Expr::Aggregate(list), made, span))
    }

    /// A declared type with arguments as they are written; `None` when none are, [`Type::ERROR`] after a report.
    pub(super) fn written_type(&mut self, item: ItemId, wanted: usize, types: List<tree::TypeId>, at: Span) -> Result<Option<Type>> {
        let written = &self.tree.type_lists[types];
        if written.is_empty() {
            return Ok(None);
        }
        if written.len() != wanted {
            if written.len() > wanted {
                self.report(Code::E2017, at, [item.name().into()]);
            } else {
                self.report(Code::E2016, at, [item.name().into(), wanted.to_string().into(), written.len().to_string().into()]);
            }
            return Ok(Some(Type::ERROR));
        }
        let mut args = Vec::with_capacity(wanted);
        for &ty in written {
            args.push(self.read_type(ty)?);
        }
        Ok(Some(if args.contains(&Type::ERROR) { Type::ERROR } else { Type::structure(item, &args) }))
    }
}

/// The arguments of a declared type.
pub(super) fn arguments(ty: Type) -> &'static [Type] {
    match ty.kind() {
        TypeKind::Struct(_, args) => args,
        _ => &[],
    }
}
