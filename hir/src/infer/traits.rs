//! Methods that a type has from traits, and the bounds that calls of generic functions must meet (language/04 §4.7, 08 §8.1).

use ir::{ItemId, Symbol};
use syntax::{DiagnosticCode as Code, Span};

use super::{Checker, Result};
use crate::program::{Bound, Receiver};
use crate::resolve::prelude::Known;
use crate::resolve::show;
use crate::resolve::solve::{Answer, Evidence, ancestors, member, solve};
use crate::{Type, TypeKind};

/// A bound whose type was open when it was met.
pub(super) struct Obligation {
    ty: Type,
    interface: ItemId,
    at: Span,
}

/// What traits offer under a name.
pub(super) enum Offered {
    Nothing,
    /// A method, and the type arguments of the block that it stands in.
    Method(ItemId, Vec<Type>),
    /// Several; reported.
    Ambiguous,
}

impl Checker<'_> {
    /// The method (`with_self`) or associated function that a type has from traits: for a type parameter from its bounds, for any other type from the
    /// traits in scope that it implements.
    pub(super) fn of_traits(&mut self, ty: Type, name: Symbol, with_self: bool, at: Span) -> Result<Offered> {
        let mut found: Vec<(ItemId, ItemId, Evidence)> = Vec::new();
        if let TypeKind::Parameter(..) = ty.kind() {
            let bounds: Vec<ItemId> = self.bounds.iter().filter(|bound| bound.ty == ty).map(|bound| bound.interface).collect();
            for bound in bounds {
                for interface in ancestors(bound, self.cx)? {
                    self.offer(&mut found, (interface, name), with_self, || Ok(Some(Evidence::Bound)))?;
                }
            }
        } else {
            let scope = self.scope.clone();
            let known = Known::with_method(name.as_str()).map(Known::item);
            for &interface in scope.traits.iter().chain(&known) {
                let (bounds, cx) = (self.bounds.clone(), self.cx);
                self.offer(&mut found, (interface, name), with_self, || {
                    Ok(match solve(ty, interface, &bounds, cx)? {
                        Answer::Proven(evidence) => Some(evidence),
                        Answer::Refuted | Answer::Unsupported | Answer::Endless => None,
                    })
                })?;
            }
        }
        if found.len() > 1 {
            let list: Vec<String> = found.iter().map(|(interface, ..)| format!("{}.{name}", interface.name())).collect();
            self.report(Code::E2023, at, [name.into(), list.join(", ").into()]);
            return Ok(Offered::Ambiguous);
        }
        let Some((interface, method, evidence)) = found.pop() else { return Ok(Offered::Nothing) };
        if let Evidence::Impl(item, args) = evidence {
            let rows = self.cx.trait_impls(interface)?;
            let own = rows.iter().find(|row| row.item == item).and_then(|row| row.methods.iter().find(|(n, _)| *n == name));
            if let Some(&(_, own)) = own {
                return Ok(Offered::Method(own, args));
            }
        }
        Ok(Offered::Method(method, vec![ty]))
    }

    /// Adds the member of a trait, if it has one and the type implements the trait.
    fn offer(
        &mut self,
        found: &mut Vec<(ItemId, ItemId, Evidence)>,
        (interface, name): (ItemId, Symbol),
        with_self: bool,
        evidence: impl FnOnce() -> Result<Option<Evidence>>,
    ) -> Result<()> {
        if found.iter().any(|(known, ..)| *known == interface) {
            return Ok(());
        }
        let Some(definition) = self.cx.trait_definition(interface)? else { return Ok(()) };
        let Some(method) = member(&definition, name) else { return Ok(()) };
        let Some(signature) = self.cx.signature(method)? else { return Ok(()) };
        if (signature.receiver != Receiver::None) == with_self
            && let Some(evidence) = evidence()?
        {
            found.push((interface, method, evidence));
        }
        Ok(())
    }

    /// The bounds of what is called hold for its type arguments; those of open types are looked at when the body is finished.
    pub(super) fn require(&mut self, bounds: &[Bound], args: &[Type], at: Span) -> Result<()> {
        for bound in bounds {
            let ty = self.resolved(bound.ty.substituted(args));
            if ty.has_variable() {
                self.obligations.push(Obligation { ty, interface: bound.interface, at });
            } else {
                self.prove(ty, bound.interface, at)?;
            }
        }
        Ok(())
    }

    fn prove(&mut self, ty: Type, interface: ItemId, at: Span) -> Result<()> {
        if ty.fits_anywhere() {
            return Ok(());
        }
        match solve(ty, interface, &self.bounds, self.cx)? {
            Answer::Proven(_) => {}
            Answer::Refuted => {
                let shown = show(ty);
                let error = self.report(Code::E2009, at, [shown.as_str().into(), interface.name().into()]);
                error.helps.push(match ty.kind() {
                    TypeKind::Parameter(..) => format!("bound it: `{shown}: {}`", interface.name()),
                    _ => format!("`impl {shown}: {} {{ ... }}` implements it", interface.name()),
                });
            }
            Answer::Unsupported => {
                self.refuse(at, format!("`{}` of `{}`", interface.name(), show(ty)));
            }
            Answer::Endless => {
                self.report(Code::E0440, at, [show(ty).into(), interface.name().into()]);
            }
        }
        Ok(())
    }

    /// The bounds of types that are known by now.
    pub(super) fn prove_open(&mut self) -> Result<()> {
        for Obligation { ty, interface, at } in std::mem::take(&mut self.obligations) {
            let ty = self.resolved(ty);
            if !ty.has_variable() {
                self.prove(ty, interface, at)?;
            }
        }
        Ok(())
    }
}
