//! A program with one body exchanged. All else is the program's own, contracts too: the callers of a mutant have been compiled.

use std::sync::Arc;

use hir::Type;
use ir::{ItemId, Stop};
use mir::{Body, ConstValue, Contract, Mono, Owned, Variants};
use oric::queries::World;

/// What stands in the place of a body.
pub enum Mutant {
    /// Its ownership is spelled out as that of any body.
    Mono(Arc<Body<Mono>>),
    /// As it is.
    Owned(Arc<Body<Owned>>),
}

/// The program, and the mutant in it.
pub struct Exchanged<'a> {
    /// The program.
    pub world: &'a World<'a>,
    /// The function.
    pub item: ItemId,
    /// The body in its place.
    pub mutant: Mutant,
}

impl mir::Context for Exchanged<'_> {
    fn methods(&self, object: Type) -> Result<Arc<[hir::program::ObjectMethod]>, Stop> {
        mir::Context::methods(self.world, object)
    }

    fn signature(&self, function: ItemId) -> Result<Option<Arc<(Vec<Type>, Type)>>, Stop> {
        mir::Context::signature(self.world, function)
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        mir::Context::fields(self.world, ty)
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<Variants>>, Stop> {
        mir::Context::variants(self.world, ty)
    }

    fn constant(&self, item: ItemId) -> Result<Option<Arc<ConstValue>>, Stop> {
        self.world.constant(item)
    }

    fn inlinable(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        self.world.inlinable(function)
    }

    fn body(&self, function: ItemId) -> Result<Option<Arc<Body<Mono>>>, Stop> {
        match &self.mutant {
            Mutant::Mono(body) if function == self.item => Ok(Some(body.clone())),
            _ => self.world.body(function),
        }
    }

    fn owned(&self, function: ItemId) -> Result<Option<Arc<Body<Owned>>>, Stop> {
        match &self.mutant {
            _ if function != self.item => self.world.owned(function),
            Mutant::Mono(_) => mir::ownership::owned(function, self),
            Mutant::Owned(body) => Ok(Some(body.clone())),
        }
    }

    fn cell_class(&self, ty: Type) -> Result<Option<u32>, Stop> {
        mir::Context::cell_class(self.world, ty)
    }

    fn contract(&self, function: ItemId) -> Result<Contract, Stop> {
        self.world.contract(function)
    }
}
