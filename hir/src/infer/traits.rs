//! Methods that a type has from traits, and the bounds that calls of generic functions must meet (language/04 §4.7, 08 §8.1).

use std::sync::Arc;

use ir::{ItemId, Symbol};
use syntax::{DiagnosticCode as Code, Span};

use super::why::Expect;
use super::{Checker, Result};
use crate::program::{Given, Receiver, Signature, TraitRef, TypeDefinition};
use crate::resolve::objects::why_not;
use crate::resolve::prelude::{self, Known};
use crate::resolve::show;
use crate::resolve::solve::{Answer, Evidence, ancestors, bounds_of, candidates, member, normalised, own_method, solve};
use crate::{Type, TypeKind};

/// What was open when it was met.
#[derive(Clone)]
pub(super) enum Obligation {
    /// A bound of a type.
    Bound(Type, TraitRef, Span),
    /// An associated type, what stands for it, and what it must be.
    Equal(Type, Type, Type, Span),
}

/// An associated type of a type that was open, what stands for it, and where something has it.
#[derive(Clone, Copy)]
pub(super) struct Projection {
    projection: Type,
    variable: Type,
    at: Span,
}

/// What traits offer under a name.
pub(super) enum Offered {
    Nothing,
    /// A method, and the type arguments of the block that it stands in.
    Method(ItemId, Vec<Type>),
    /// Several, or a search without end; reported.
    Ambiguous,
}

/// Do the arguments of a method of a trait tell arguments of the trait?
pub(super) fn arguments_tell(method: &Signature, interface: TraitRef) -> bool {
    let mut tell = false;
    for parameter in method.params.iter().skip(1) {
        parameter.ty.replaced(&mut |part| {
            tell |= matches!(part.kind(), TypeKind::Parameter(index, _) if (1..=interface.args().len()).contains(&(index as usize)));
            None
        });
    }
    tell
}

impl<'a> Checker<'a> {
    /// The method (`with_self`) or associated function that a type has from traits: for a type parameter from its bounds, for any other type from the
    /// traits in scope that it implements.
    pub(super) fn of_traits(&mut self, ty: Type, name: Symbol, with_self: bool, at: Span, expect: &Expect<'a>) -> Result<Offered> {
        let mut found: Vec<(TraitRef, ItemId)> = Vec::new();
        for bound in bounds_of(ty, &self.given, self.cx)? {
            for interface in ancestors(bound, ty, self.cx)? {
                if matches!(ty.kind(), TypeKind::Object(_)) && why_not(interface, self.cx)?.is_some() {
                    continue;
                }
                self.offer(&mut found, interface, name, with_self)?;
            }
        }
        if found.is_empty() {
            let (scope, reported) = (self.scope.clone(), self.diagnostics.len());
            let known = Known::with_method(name.as_str()).map(Known::item);
            for &interface in scope.traits.iter().chain(&known) {
                let Some(definition) = self.cx.trait_definition(interface)? else { continue };
                if member(&definition, name).is_none() {
                    continue;
                }
                for candidate in self.having(ty, interface, at)? {
                    self.offer(&mut found, candidate, name, with_self)?;
                }
            }
            // What iterators can do needs no import.
            for known in [Known::Iterator, Known::DoubleEndedIterator] {
                if found.is_empty()
                    && let Some(definition) = self.cx.trait_definition(known.item())?
                    && member(&definition, name).is_some()
                {
                    for candidate in self.having(ty, known.item(), at)? {
                        self.offer(&mut found, candidate, name, with_self)?;
                    }
                }
            }
            if found.is_empty() && self.diagnostics.len() > reported {
                return Ok(Offered::Ambiguous);
            }
        }
        if name.as_str() == "into" && with_self {
            self.chosen_conversion(&mut found, expect);
        }
        if found.len() > 1 {
            let item = Known::Into.item();
            if found.iter().all(|(interface, _)| interface.item() == item) {
                let shown: Vec<String> = found.iter().map(|(interface, _)| interface.show()).collect();
                let error = self.report(Code::E2037, at, [show(ty).into()]);
                error.helps.push(format!("say which by an annotation: {}", shown.join(", ")));
                return Ok(Offered::Ambiguous);
            }
            let list: Vec<String> = found.iter().map(|(interface, _)| format!("{}.{name}", interface.show())).collect();
            let first = found[0].0.item();
            let is_one = found.iter().all(|(interface, _)| interface.item() == first);
            let tell = self.cx.signature(found[0].1)?.is_some_and(|signature| arguments_tell(&signature, found[0].0));
            let error = self.report(Code::E2023, at, [name.into(), list.join(", ").into()]);
            error.helps.push(match (is_one, tell) {
                (true, true) => format!("name the trait, and the arguments tell which is meant: `{}.{name}(...)`", first.name()),
                (true, false) => {
                    format!("no argument tells which is meant; in a generic function the bound does: `T: {}`", found[0].0.show())
                }
                (false, _) => format!("name the trait: `{}.{name}(...)`", first.name()),
            });
            return Ok(Offered::Ambiguous);
        }
        let Some((interface, method)) = found.pop() else { return Ok(Offered::Nothing) };
        self.provided(ty, interface, method, name).map(|(item, args)| Offered::Method(item, args))
    }

    /// What a type has of a trait, for each of its type arguments. A trait without any, on which most calls are, needs no search for them.
    pub(super) fn having(&mut self, ty: Type, interface: ItemId, at: Span) -> Result<Vec<TraitRef>> {
        let arity = match Known::of(interface) {
            Some(known) => known.arity(),
            None => self.cx.trait_definition(interface)?.map_or(0, |definition| definition.generics.len()),
        };
        if arity > 0 {
            // A body that multiplies by each of a thousand types looks at its thousand impls once.
            if let Some(known) = self.had.get(&(ty, interface)) {
                return Ok(known.clone());
            }
            let before = self.variables.len();
            let variables = &mut self.variables;
            let mut open = || {
                variables.push(None);
                Type::new(TypeKind::Variable(variables.len() as u32 - 1))
            };
            let found = candidates(ty, interface, &self.given, self.cx, &mut open)?;
            // What stands for an untold parameter belongs to one use.
            if self.variables.len() == before {
                self.had.insert((ty, interface), found.clone());
            }
            return Ok(found);
        }
        let plain = TraitRef::new(interface, &[]);
        Ok(match solve(ty, plain, &self.given, self.cx)? {
            Answer::Proven(_) => vec![plain],
            Answer::Refuted | Answer::Unsupported => Vec::new(),
            Answer::Endless => {
                self.report(Code::E0440, at, [show(ty).into(), plain.show().into()]);
                Vec::new()
            }
        })
    }

    /// What is called for a member of a trait that a type has: the method of its impl, or the trait's own.
    pub(super) fn provided(&mut self, ty: Type, interface: TraitRef, method: ItemId, name: Symbol) -> Result<(ItemId, Vec<Type>)> {
        if let Answer::Proven(Evidence::Impl(item, args)) = solve(ty, interface, &self.given, self.cx)?
            && let Some(own) = own_method(interface.item(), ty, item, name, self.cx)?
        {
            return Ok((own, args));
        }
        Ok((method, interface.parts(ty)))
    }

    /// Of several conversions the one into the expected type.
    fn chosen_conversion(&mut self, found: &mut Vec<(TraitRef, ItemId)>, expect: &Expect<'a>) {
        let Some((wanted, _)) = expect.checked() else { return };
        let wanted = self.resolved(wanted);
        if wanted.has_variable() {
            return;
        }
        found.retain(|(interface, _)| {
            let of_into = interface.args().first().filter(|_| interface.item() == Known::Into.item());
            of_into.is_none_or(|&ty| ty == wanted || ty.has_variable() && self.may_be(ty, wanted))
        });
    }

    /// Can two types be the same? Nothing is fixed.
    pub(super) fn may_be(&mut self, a: Type, b: Type) -> bool {
        let (before, fixes) = (self.variables.clone(), self.fixes);
        let may = self.unify(a, b);
        (self.variables, self.fixes) = (before, fixes);
        may
    }

    /// Adds the member of a trait, if it has one.
    fn offer(&mut self, found: &mut Vec<(TraitRef, ItemId)>, interface: TraitRef, name: Symbol, with_self: bool) -> Result<()> {
        if found.iter().any(|(known, ..)| *known == interface) {
            return Ok(());
        }
        let Some(definition) = self.cx.trait_definition(interface.item())? else { return Ok(()) };
        let Some(method) = member(&definition, name) else { return Ok(()) };
        let Some(signature) = self.cx.signature(method)? else { return Ok(()) };
        if (signature.receiver != Receiver::None) == with_self {
            found.push((interface, method));
        }
        Ok(())
    }

    // ---- associated types ----

    /// A type of a signature or declaration for these type arguments: associated types in it are what they are, or open until that is known. `at` is where
    /// something has the type.
    pub(super) fn instantiated(&mut self, ty: Type, args: &[Type], at: Span) -> Result<Type> {
        let ty = self.resolved(ty.substituted(args));
        if ty.has_associated() { self.projected(ty, at) } else { Ok(ty) }
    }

    /// The definition of a type for these arguments, with associated types in it as [`Checker::instantiated`] has them.
    pub(super) fn definition_for(&mut self, item: ItemId, args: &[Type], at: Span) -> Result<Option<Arc<TypeDefinition>>> {
        let Some(definition) = self.cx.type_definition(item)? else { return Ok(None) };
        let variants = definition.variants.iter().flat_map(|variant| &variant.payload);
        // What is wrong with the declaration is said there.
        self.poisoned |= definition.fields.iter().chain(variants).any(|&(_, ty)| ty == Type::ERROR);
        definition.instantiated(args).with_parts(&mut |ty| self.projected(self.resolved(ty), at)).map(Some)
    }

    /// A type with what is known of the associated types in it; what is not known is open until the type that it belongs to is.
    pub(super) fn projected(&mut self, ty: Type, at: Span) -> Result<Type> {
        if !ty.has_associated() {
            return Ok(ty);
        }
        let ty = normalised(ty, &self.given, self.cx)?;
        // An associated type that names no type is reported in its impl.
        self.poisoned |= ty.has_error();
        if !ty.has_variable() || !ty.has_associated() {
            return Ok(ty);
        }
        let mut open: Vec<Type> = Vec::new();
        ty.replaced(&mut |part| match part.kind() {
            TypeKind::Associated(..) if part.has_variable() => {
                open.push(part);
                Some(part)
            }
            _ => None,
        });
        let mut names: Vec<(Type, Type)> = Vec::with_capacity(open.len());
        for part in open {
            let known = self.projections.iter().find(|known| known.projection == part).map(|known| known.variable);
            let variable = match known {
                Some(variable) => variable,
                None => {
                    let variable = self.fresh();
                    self.projections.push(Projection { projection: part, variable, at });
                    variable
                }
            };
            names.push((part, variable));
        }
        Ok(ty.replaced(&mut |part| names.iter().find(|(projection, _)| *projection == part).map(|(_, variable)| *variable)))
    }

    /// Associated types whose type is known by now.
    pub(super) fn settle_projections(&mut self) -> Result<()> {
        let mut index = 0;
        while index < self.projections.len() {
            let Projection { projection, variable, at } = self.projections[index];
            let projection = self.resolved(projection);
            let now = normalised(projection, &self.given, self.cx)?;
            if now.has_variable() && matches!(now.kind(), TypeKind::Associated(..)) {
                index += 1;
                continue;
            }
            self.projections.swap_remove(index);
            let found = self.resolved(variable);
            // A clause that says what it is has its own report.
            let is_asked = |row: &Obligation| matches!(row, Obligation::Equal(_, open, ..) if *open == variable);
            if !self.unify(found, now) && !self.obligations.iter().any(is_asked) {
                // What stands for it took another type before the type that it belongs to was known.
                let wanted = self.resolved(now);
                let error = self.report(Code::E2001, at, [show(wanted).into(), show(found).into()]);
                error.notes.push(format!("`{}` is `{}`", show(projection), show(wanted)));
            }
        }
        Ok(())
    }

    // ---- bounds ----

    /// What is asked of the type arguments of a call holds for these; what is open is looked at when the body is finished.
    pub(super) fn require(&mut self, wanted: &Given, args: &[Type], at: Span) -> Result<()> {
        for bound in &wanted.bounds {
            let ty = self.instantiated(bound.ty, args, at)?;
            let interface = self.resolved_trait(bound.interface.substituted(args), at)?;
            if ty.has_variable() || interface.has_variable() {
                self.obligations.push(Obligation::Bound(ty, interface, at));
            } else {
                self.prove(ty, interface, at)?;
            }
        }
        for equality in &wanted.equalities {
            let found = self.instantiated(equality.associated, args, at)?;
            let ty = self.instantiated(equality.ty, args, at)?;
            if found.has_variable() || ty.has_variable() {
                self.unify(found, ty);
                self.obligations.push(Obligation::Equal(equality.associated.substituted(args), found, ty, at));
            } else if found != ty {
                self.differs(equality.associated.substituted(args), found, ty, at);
            }
        }
        Ok(())
    }

    /// A bound of a type that is open.
    pub(super) fn owe(&mut self, ty: Type, interface: ItemId, at: Span) {
        self.obligations.push(Obligation::Bound(ty, TraitRef::new(interface, &[]), at));
    }

    fn resolved_trait(&mut self, interface: TraitRef, at: Span) -> Result<TraitRef> {
        let mut failed = Ok(());
        let resolved = interface.mapped(|ty| {
            self.projected(self.resolved(ty), at).unwrap_or_else(|stop| {
                failed = Err(stop);
                ty
            })
        });
        failed.map(|()| resolved)
    }

    fn differs(&mut self, associated: Type, found: Type, wanted: Type, at: Span) {
        let TypeKind::Associated(parts, interface, name) = associated.kind() else { return };
        if found == Type::ERROR || wanted == Type::ERROR || matches!(found.kind(), TypeKind::Associated(..)) && found == associated {
            return;
        }
        let this = parts.first().map_or_else(String::new, |&this| show(self.resolved(this)));
        let error = self.report(Code::E2009, at, [this.as_str().into(), interface.name().into()]);
        error.notes.push(format!("`{name}` of its `{}` is `{}`, and `{}` is wanted", interface.name(), show(found), show(wanted)));
    }

    fn prove(&mut self, ty: Type, interface: TraitRef, at: Span) -> Result<()> {
        if ty == Type::ERROR {
            return Ok(());
        }
        match solve(ty, interface, &self.given, self.cx)? {
            Answer::Proven(_) => {}
            Answer::Refuted if ty == Type::NEVER && self.never_has(interface)? => {}
            Answer::Refuted if interface.item() == prelude::table_key() => self.no_key(ty, at)?,
            Answer::Refuted => {
                let blamed = self.blamed(ty, interface)?;
                let (lacking, wanted) = (show(blamed), interface.show());
                let help = match blamed.kind() {
                    TypeKind::Parameter(..) | TypeKind::Associated(..) => Some(format!("bound it: `{lacking}: {wanted}`")),
                    _ if self.may_implement(blamed, interface) => Some(format!("`impl {lacking}: {wanted} {{ ... }}` implements it")),
                    _ => None,
                };
                let error = self.report(Code::E2009, at, [show(ty).into(), wanted.as_str().into()]);
                error.helps.extend(help);
                if blamed != ty {
                    error.notes.push(format!("`{lacking}` does not implement {wanted}"));
                }
            }
            Answer::Unsupported => {
                self.refuse(at, format!("`{}` of `{}`", interface.show(), show(ty)));
            }
            Answer::Endless => {
                self.report(Code::E0440, at, [show(ty).into(), interface.show().into()]);
            }
        }
        Ok(())
    }

    /// Does `Never` have the trait (language/08 §8.4)? Of what is called with a value nothing is ever called. What is asked of the type itself, a function
    /// or a type that belongs to it, it cannot answer.
    fn never_has(&self, interface: TraitRef) -> Result<bool> {
        for above in ancestors(interface, Type::NEVER, self.cx)? {
            let Some(definition) = self.cx.trait_definition(above.item())? else { continue };
            if !definition.associated.is_empty() {
                return Ok(false);
            }
            for method in &definition.methods {
                if self.cx.signature(method.item)?.is_some_and(|signature| signature.receiver == Receiver::None) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The part of a type for whose sake it lacks a trait; the type itself when that is up to no part.
    pub(super) fn blamed(&self, ty: Type, interface: TraitRef) -> Result<Type> {
        // What is asked with arguments, as `Collect<str>` of a set, is asked of the whole.
        if !interface.args().is_empty() {
            return Ok(ty);
        }
        let parts = match ty.kind() {
            TypeKind::Struct(item, args) => {
                let name = interface.item().name();
                let derives = self.cx.type_definition(item)?.is_some_and(|definition| definition.derives.contains(&name));
                if derives || prelude::is_predeclared(item) { args } else { &[] }
            }
            TypeKind::Tuple(parts) => parts,
            TypeKind::List(element) => return self.blamed_part(ty, element, interface),
            _ => &[],
        };
        for &part in parts {
            let found = self.blamed_part(ty, part, interface)?;
            if found != ty {
                return Ok(found);
            }
        }
        Ok(ty)
    }

    fn blamed_part(&self, whole: Type, part: Type, interface: TraitRef) -> Result<Type> {
        match solve(part, interface, &self.given, self.cx)? {
            Answer::Refuted => self.blamed(part, interface),
            Answer::Proven(_) | Answer::Unsupported | Answer::Endless => Ok(whole),
        }
    }

    /// May the program implement the trait for the type (language/04 §4.7, coherence)?
    pub(super) fn may_implement(&self, ty: Type, interface: TraitRef) -> bool {
        let is_own = matches!(ty.kind(), TypeKind::Struct(item, _) if !prelude::is_predeclared(item));
        is_own || !prelude::is_predeclared(interface.item())
    }

    /// E2031, once a type.
    fn no_key(&mut self, ty: Type, at: Span) -> Result<()> {
        if self.lacks_silently(ty)? || self.no_keys.contains(&ty) {
            self.poisoned = true;
            return Ok(());
        }
        self.no_keys.push(ty);
        let shown = show(ty);
        let mut lacks = Vec::new();
        for known in [Known::Eq, Known::Hashable] {
            if !matches!(solve(ty, known.plain(), &self.given, self.cx)?, Answer::Proven(_)) {
                lacks.push(known.name());
            }
        }
        let help = match ty.kind() {
            TypeKind::Parameter(..) | TypeKind::Associated(..) => Some(format!("bound it: `{shown}: Eq + Hashable`")),
            TypeKind::Struct(item, _) if !prelude::is_predeclared(item) => {
                Some(format!("`#derive({})` before its declaration", lacks.join(", ")))
            }
            _ => None,
        };
        let what = if self.elements.contains(&ty) { "set element" } else { "map key" };
        let error = self.report(Code::E2031, at, [shown.as_str().into(), what.into()]);
        error.notes.push(format!("`{shown}` lacks {}", lacks.join(" and ")));
        error.helps.extend(help);
        Ok(())
    }

    /// The bounds of types that are known by now.
    pub(super) fn prove_open(&mut self) -> Result<()> {
        self.close_lenient();
        self.settle_projections()?;
        for obligation in std::mem::take(&mut self.obligations) {
            match obligation {
                Obligation::Bound(ty, interface, at) => {
                    let ty = self.resolved(ty);
                    let interface = self.resolved_trait(interface, at)?;
                    if !ty.has_variable() && !interface.has_variable() {
                        self.prove(ty, interface, at)?;
                    }
                }
                Obligation::Equal(associated, found, wanted, at) => {
                    let (found, wanted) = (self.resolved(found), self.resolved(wanted));
                    if found.has_variable() || wanted.has_variable() {
                        continue;
                    }
                    if found != wanted {
                        let error = self.report(Code::E2001, at, [show(wanted).into(), show(found).into()]);
                        error.notes.push("a `where` clause of what is called says so".into());
                        continue;
                    }
                    // What stands for it took the wanted type before the type that it belongs to was known.
                    let associated = self.resolved(associated);
                    let now = normalised(associated, &self.given, self.cx)?;
                    if now != wanted && !now.has_variable() {
                        self.differs(associated, now, wanted, at);
                    }
                }
            }
        }
        self.settle_projections()
    }
}
