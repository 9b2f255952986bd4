//! The `Context` of each level for work outside queries: the interpreter, dumps, tests. Asks the same engine; records nothing.

use std::sync::Arc;

use hir::Type;
use hir::program::ObjectMethod;
use ir::{ItemId, Stop, Symbol};
use query::{Engine, Query};

use super::{
    ConstantType, ConstantValue, Contracts, Defaults, Fields, FunctionType, HiddenResult, Implementation, InherentImpls, LambdaType,
    LirSignature, Mutates, ObjectMethods, OptimisedBody, Outline, OwnedBody, Position, Scope, Settings, Signature, TraitDef, TraitImpls,
    TypeDefinition, Variants,
};

/// Answers from an engine.
pub struct World<'e> {
    engine: &'e Engine,
}

impl<'e> World<'e> {
    /// Answers from this engine.
    pub fn new(engine: &'e Engine) -> World<'e> {
        World { engine }
    }

    fn ask<Q: Query>(&self, key: &Q::Key) -> Result<Arc<Q::Value>, Stop> {
        self.engine.get::<Q>(key).map_err(|_| Stop::interrupted())
    }
}

impl hir::Context for World<'_> {
    fn scope(&self, module: Symbol) -> Result<Arc<hir::Scope>, Stop> {
        Ok((*self.ask::<Scope>(&module)?).clone())
    }

    fn signature(&self, item: ItemId) -> Result<Option<Arc<hir::Signature>>, Stop> {
        Ok((*self.ask::<Signature>(&item)?).clone())
    }

    fn type_definition(&self, item: ItemId) -> Result<Option<Arc<hir::TypeDefinition>>, Stop> {
        Ok((*self.ask::<TypeDefinition>(&item)?).clone())
    }

    fn defaults(&self, item: ItemId) -> Result<Arc<Vec<Option<Type>>>, Stop> {
        Ok((*self.ask::<Defaults>(&item)?).clone())
    }

    fn hidden_result(&self, function: ItemId) -> Result<Option<Type>, Stop> {
        Ok(*self.ask::<HiddenResult>(&function)?)
    }

    fn constant_type(&self, item: ItemId) -> Result<Option<Type>, Stop> {
        Ok(*self.ask::<ConstantType>(&item)?)
    }

    fn implementation(&self, item: ItemId) -> Result<Option<Arc<hir::program::Implementation>>, Stop> {
        Ok((*self.ask::<Implementation>(&item)?).clone())
    }

    fn inherent_impls(&self, head: ItemId) -> Result<Arc<Vec<hir::program::ImplRow>>, Stop> {
        Ok((*self.ask::<InherentImpls>(&head)?).clone())
    }

    fn trait_definition(&self, item: ItemId) -> Result<Option<Arc<hir::program::TraitDefinition>>, Stop> {
        Ok((*self.ask::<TraitDef>(&item)?).clone())
    }

    fn trait_outline(&self, item: ItemId) -> Result<Option<Arc<hir::program::TraitOutline>>, Stop> {
        Ok((*self.ask::<Outline>(&item)?).clone())
    }

    fn trait_impls(&self, interface: ItemId, head: Option<ItemId>) -> Result<Arc<Vec<hir::program::ImplRow>>, Stop> {
        Ok((*self.ask::<TraitImpls>(&super::impls::ImplsOf { interface, head })?).clone())
    }

    fn mutates(&self, method: ItemId) -> Result<bool, Stop> {
        Ok(*self.ask::<Mutates>(&method)?)
    }

    fn constant_int(&self, item: ItemId) -> Result<Option<i64>, Stop> {
        Ok(super::levels::int_of(self.ask::<ConstantValue>(&item)?.value.as_deref()))
    }
}

impl mir::Context for World<'_> {
    fn names_locals(&self) -> Result<bool, Stop> {
        Ok(self.engine.input_value::<Settings>(&()).is_some_and(|options| options.names_locals))
    }

    fn signature(&self, function: ItemId) -> Result<Option<Arc<(Vec<Type>, Type)>>, Stop> {
        if function.is_lambda() {
            return super::levels::lambda_type(function, self, |lambda| Ok((*self.ask::<LambdaType>(&lambda)?).clone()));
        }
        super::levels::function_type(function, self, |function| Ok((*self.ask::<FunctionType>(&function)?).clone()))
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        super::levels::fields(ty, self, |ty| Ok((*self.ask::<Fields>(&ty)?).clone()))
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<mir::Variants>>, Stop> {
        super::levels::variants(ty, self, |ty| Ok((*self.ask::<Variants>(&ty)?).clone()))
    }

    fn methods(&self, object: Type) -> Result<Arc<[ObjectMethod]>, Stop> {
        super::levels::methods(object, |object| Ok((*self.ask::<ObjectMethods>(&object)?).clone()))
    }

    fn constant(&self, item: ItemId) -> Result<Option<Arc<mir::ConstValue>>, Stop> {
        Ok(self.ask::<ConstantValue>(&item)?.value.clone())
    }

    fn inlinable(&self, _function: ItemId) -> Result<Option<Arc<mir::Body<mir::Mono>>>, Stop> {
        Ok(None)
    }

    fn body(&self, function: ItemId) -> Result<Option<Arc<mir::Body<mir::Mono>>>, Stop> {
        Ok((*self.ask::<OptimisedBody>(&function)?).clone())
    }

    fn contract(&self, function: ItemId) -> Result<mir::Contract, Stop> {
        Ok(*self.ask::<Contracts>(&function)?)
    }

    fn cell_class(&self, ty: Type) -> Result<Option<u32>, Stop> {
        lir::build::shape::cell_class(ty, self)
    }

    fn owned(&self, function: ItemId) -> Result<Option<Arc<mir::Body<mir::Owned>>>, Stop> {
        Ok((*self.ask::<OwnedBody>(&function)?).clone())
    }

    fn normal(&self, ty: Type) -> Result<Type, Stop> {
        hir::resolve::solve::normalised(ty, &hir::program::Given::for_code(), self)
    }
}

impl lir::Context for World<'_> {
    fn signature(&self, function: ItemId) -> Result<Option<Arc<lir::Signature>>, Stop> {
        if let Some(known) = lir::build::glue_signature(function, self)? {
            return Ok(Some(known));
        }
        super::levels::lir_signature(function, self, |function| Ok((*self.ask::<LirSignature>(&function)?).clone()))
    }

    fn methods(&self, object: Type) -> Result<Arc<[ObjectMethod]>, Stop> {
        mir::Context::methods(self, object)
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        super::levels::fields(ty, self, |ty| Ok((*self.ask::<Fields>(&ty)?).clone()))
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<mir::Variants>>, Stop> {
        super::levels::variants(ty, self, |ty| Ok((*self.ask::<Variants>(&ty)?).clone()))
    }

    fn watches_memory(&self) -> Result<bool, Stop> {
        Ok(self.engine.input_value::<Settings>(&()).is_some_and(|options| options.mem_debug))
    }
}

/// Where items stand, for the interpreter's panic reports.
pub struct ReportPositions<'e> {
    engine: &'e Engine,
    backtrace: bool,
}

impl<'e> ReportPositions<'e> {
    /// Answers from this engine.
    pub fn new(engine: &'e Engine, backtrace: bool) -> ReportPositions<'e> {
        ReportPositions { engine, backtrace }
    }
}

impl mir::interp::Positions for ReportPositions<'_> {
    fn position(&self, item: ItemId) -> Result<mir::interp::Position, Stop> {
        let position = self.engine.get::<Position>(&item).map_err(|_| Stop::interrupted())?;
        let (file, base_line) = position.as_ref().as_ref().map_or((String::new(), 1), |p| (p.file.clone(), p.line));
        Ok(mir::interp::Position { name: super::back::shown_name(item), file, base_line, hidden: super::back::is_hidden(item) })
    }

    fn backtrace(&self) -> bool {
        self.backtrace
    }
}
