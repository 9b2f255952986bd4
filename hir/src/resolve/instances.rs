//! Declared types for their arguments: what the fields and payloads of a value are.
//!
//! A declaration may name an associated type of a parameter (`ahead: Option<I.Item>`). What that is for given arguments an impl says, a bound or a
//! `where` clause around the place that asks; so everybody who looks into a value asks here, and never puts arguments in place of parameters alone.

use std::sync::Arc;

use ir::{ItemId, Stop};

use super::solve::normalised;
use crate::Type;
use crate::program::{Context, Given, TypeDefinition};

/// The definition of a type for these arguments, with what associated types are as far as `given` tells.
pub fn instance_of(item: ItemId, args: &[Type], given: &Given, cx: &dyn Context) -> Result<Option<Arc<TypeDefinition>>, Stop> {
    let Some(definition) = cx.type_definition(item)? else { return Ok(None) };
    definition.instantiated(args).with_parts(&mut |ty| normalised(ty, given, cx)).map(Some)
}

impl TypeDefinition {
    /// The same with each type that has an associated type in it as `known` has it.
    pub(crate) fn with_parts(self: Arc<Self>, known: &mut dyn FnMut(Type) -> Result<Type, Stop>) -> Result<Arc<TypeDefinition>, Stop> {
        if !self.has_associated() {
            return Ok(self);
        }
        let mut definition = Arc::unwrap_or_clone(self);
        let payloads = definition.variants.iter_mut().flat_map(|variant| &mut variant.payload);
        for (_, ty) in definition.fields.iter_mut().chain(payloads) {
            if ty.has_associated() {
                *ty = known(*ty)?;
            }
        }
        Ok(Arc::new(definition))
    }

    /// Does a part of it have an associated type in it? Only a type with parameters can have one.
    pub(crate) fn has_associated(&self) -> bool {
        let payloads = self.variants.iter().flat_map(|variant| &variant.payload);
        !self.generics.is_empty() && self.fields.iter().chain(payloads).any(|(_, ty)| ty.has_associated())
    }
}
