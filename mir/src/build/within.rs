//! What a generic body sees of types: what the bounds and clauses around it say of its type parameters.
//!
//! The types of a body of HIR say it already, but a type that is taken apart says what its declaration says, `I.Item`. Where a `where` clause has
//! `I.Item == int`, the field is an `int` in the body, and is tested and stored as one. An instance is closed and needs nothing of this.

use std::sync::Arc;

use hir::Type;
use hir::program::{Given, ObjectMethod};
use hir::resolve::solve::normalised;
use ir::{ItemId, Stop};

use crate::ir::{Body, ConstValue, Context, Contract, Mono, Owned, SignatureTypes, Variants};

/// A context for one generic body.
pub struct Within<'a> {
    inner: &'a dyn Context,
    program: &'a dyn hir::Context,
    given: Given,
}

impl<'a> Within<'a> {
    /// The context of the body of this item; a lambda has the type parameters of the item around it.
    pub fn new(owner: ItemId, inner: &'a dyn Context, program: &'a dyn hir::Context) -> Result<Within<'a>, Stop> {
        let (base, _) = hir::types::instance_of(owner);
        let around = base.of_lambda().map_or(base, |(around, _)| around);
        let given = program.signature(around)?.map(|signature| signature.given.clone());
        Ok(Within { inner, program, given: given.unwrap_or_default() })
    }

    fn known(&self, types: &[Type]) -> Result<Vec<Type>, Stop> {
        types.iter().map(|&ty| normalised(ty, &self.given, self.program)).collect()
    }
}

impl Context for Within<'_> {
    fn signature(&self, function: ItemId) -> Result<Option<Arc<SignatureTypes>>, Stop> {
        self.inner.signature(function)
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        match self.inner.fields(ty)? {
            Some(fields) if fields.iter().any(|ty| ty.has_associated()) => Ok(Some(self.known(&fields)?.into())),
            other => Ok(other),
        }
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<Variants>>, Stop> {
        match self.inner.variants(ty)? {
            Some(variants) if variants.iter().flatten().any(|ty| ty.has_associated()) => {
                let known: Result<Vec<Box<[Type]>>, Stop> = variants.iter().map(|payload| Ok(self.known(payload)?.into())).collect();
                Ok(Some(known?.into()))
            }
            other => Ok(other),
        }
    }

    fn methods(&self, object: Type) -> Result<Arc<[ObjectMethod]>, Stop> {
        self.inner.methods(object)
    }

    fn names_locals(&self) -> Result<bool, Stop> {
        self.inner.names_locals()
    }

    fn constant(&self, item: ItemId) -> Result<Option<Arc<ConstValue>>, Stop> {
        self.inner.constant(item)
    }

    fn inlinable(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        self.inner.inlinable(function)
    }

    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        self.inner.body(function)
    }

    fn owned(&self, function: ItemId) -> Result<Option<Arc<Body<Owned>>>, Stop> {
        self.inner.owned(function)
    }

    fn callee(&self, instance: ItemId) -> Result<ItemId, Stop> {
        self.inner.callee(instance)
    }

    fn normal(&self, ty: Type) -> Result<Type, Stop> {
        self.inner.normal(ty)
    }

    fn cell_class(&self, ty: Type) -> Result<Option<u32>, Stop> {
        self.inner.cell_class(ty)
    }

    fn contract(&self, function: ItemId) -> Result<Contract, Stop> {
        self.inner.contract(function)
    }

    fn in_recursion_group(&self, caller: ItemId, callee: ItemId) -> Result<bool, Stop> {
        self.inner.in_recursion_group(caller, callee)
    }
}
