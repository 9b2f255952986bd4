//! From typed bodies to optimised MIR, and the values of constants.

use std::collections::HashMap;
use std::sync::Arc;

use hir::{Type, TypeKind};
use ir::{Fuel, ItemId, Namespace, Symbol};
use mir::{Body, ConstValue, Mono, Owned};
use query::{Cycle, Interrupt};
use serde::{Deserialize, Serialize};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Span};

use super::{
    BodyReport, BuiltBody, ConstantValue, Contracts, Fields, GenericBody, Groups, Inlinable, Item, Levels, Main, ObjectMethods,
    OptimisedBody, Options, OwnedBody, Parse, Provider, Settings, TypedBody, Variants,
};
use crate::rewrites::Stage;

/// Outcome of evaluating a constant.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Evaluated {
    /// The value; `None` when a diagnostic says why there is none.
    pub value: Option<Arc<ConstValue>>,
    /// E05xx, E07xx.
    pub diagnostics: Vec<Diagnostic>,
}

impl Provider for Fields {
    fn provide(levels: &Levels<'_, '_>, ty: &Type) -> Result<Option<Arc<[Type]>>, Interrupt> {
        Ok(match ty.kind() {
            TypeKind::Tuple(elements) => Some(elements.into()),
            TypeKind::Struct(item, args) => {
                let definition = levels.done(hir::resolve::instances::instance_of(item, args, &hir::program::Given::default(), levels))?;
                definition.and_then(|definition| definition.field_types())
            }
            hir::base_kinds!()
            | TypeKind::Str
            | TypeKind::List(_)
            | TypeKind::Function(..)
            | TypeKind::Object(_)
            | TypeKind::Opaque(..)
            | TypeKind::Cell(_)
            | TypeKind::Methods(..)
            | TypeKind::Hole(_)
            | TypeKind::Associated(..)
            | TypeKind::Parameter(..)
            | TypeKind::Variable(_) => None,
        })
    }
}

impl Provider for ObjectMethods {
    fn provide(levels: &Levels<'_, '_>, object: &Type) -> Result<Arc<[hir::program::ObjectMethod]>, Interrupt> {
        levels.done(hir::resolve::objects::methods(*object, levels))
    }
}

impl Provider for Variants {
    fn provide(levels: &Levels<'_, '_>, ty: &Type) -> Result<Option<Arc<mir::Variants>>, Interrupt> {
        levels.done(hir::resolve::recursion::payloads(*ty, levels))
    }
}

/// The options that are in force.
pub(super) fn options(levels: &Levels<'_, '_>) -> Result<Arc<Options>, Interrupt> {
    Ok(levels.cx().input::<Settings>(&())?.unwrap_or_default())
}

impl Provider for Groups {
    /// Strongly connected components of the module's direct calls. Imports are acyclic, so no component leaves a
    /// module (decision 4).
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Arc<Vec<(ItemId, u32)>>, Interrupt> {
        let file = levels.get::<Parse>(module)?;
        let items: Vec<ItemId> = file.items.iter().map(|e| e.id).filter(|i| i.path().namespace == Namespace::Function).collect();
        let index: HashMap<ItemId, usize> = items.iter().enumerate().map(|(i, item)| (*item, i)).collect();
        let mut callees = Vec::with_capacity(items.len());
        for item in &items {
            callees.push(levels.get::<BodyReport>(item)?.calls.iter().filter_map(|c| index.get(c).copied()).collect::<Vec<usize>>());
        }
        Ok(Arc::new(items.into_iter().zip(ir::components(&callees)).collect()))
    }
}

impl Provider for BuiltBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Body<Mono>>>, Interrupt> {
        let packed = id.unpacked();
        let body = if *id == super::tests_item() {
            let tests = levels.get::<super::Tests>(&())?;
            let runs = tests.iter().filter(|test| matches!(test.how, super::How::Run(_)));
            super::tests::body(&runs.map(|test| test.item).collect::<Vec<_>>())
        } else if let Some((lambda, count)) = packed {
            let Some(types) = levels.done(mir::Context::signature(levels, lambda))? else { return Ok(None) };
            if is_endless(*id) {
                return Ok(None);
            }
            // What the owner of a function that borrows has taken, it drops behind the call.
            let may_copy = count == 0 || levels.get::<Inlinable>(&lambda)?.is_some();
            mir::build::unpacking(*id, lambda, &types, count, may_copy)
        } else if let Some((made, signature)) = levels.done(super::levels::in_object(*id, levels))? {
            if is_endless(*id) {
                return Ok(None);
            }
            made.body(&signature)
        } else if let Some(method) = levels.done(method_of_object(*id, levels))? {
            let Some(signature) = levels.done(mir::Context::signature(levels, *id))? else { return Ok(None) };
            mir::build::on_object(method, &signature)
        } else if id.is_instance() {
            let (generic, _) = hir::types::instance_of(*id);
            if is_endless(*id) {
                return Ok(None);
            }
            if hir::resolve::prelude::has_made_instances(generic)
                && let Some(body) = made(levels, *id, generic)?
            {
                return Ok(Some(body));
            }
            let built = levels.get::<GenericBody>(&generic)?;
            let Some(built) = &*built else { return Ok(None) };
            levels.done(mir::build::instance(built, *id, levels))?
        } else {
            let checked = levels.get::<TypedBody>(id)?;
            // A generic body has code only as its instances.
            let Some(typed) = checked.body.as_ref().filter(|body| !body.owner.is_instance()) else { return Ok(None) };
            closed(levels, typed, *id)?
        };
        let faults = levels.done(mir::verify::verify(&body, levels))?;
        crate::crash::refuse("mir", *id, &faults, || mir::text::print_file(std::slice::from_ref(&body), levels));
        Ok(Some(Arc::new(body)))
    }
}

/// The body of a function without type parameters. Where hidden results of others are in it, their types take their place.
pub(super) fn closed(levels: &Levels<'_, '_>, typed: &hir::Body, id: ItemId) -> Result<Body<Mono>, Interrupt> {
    if !typed.types.rows().iter().chain([&typed.result]).any(|ty| ty.has_parameter()) {
        return Ok(mir::build::mono(levels.done(mir::build::build(typed, levels))?));
    }
    let within = levels.done(mir::build::Within::new(typed.owner, levels, levels))?;
    let built = levels.done(mir::build::build(typed, &within))?;
    levels.done(mir::build::instance(&built, id, levels))
}

/// The method of a trait for an object of it, when the item is one.
fn method_of_object(id: ItemId, levels: &Levels<'_, '_>) -> Result<Option<hir::program::ObjectMethod>, ir::Stop> {
    let (_, args) = hir::types::instance_of(id);
    let Some(&object) = args.first() else { return Ok(None) };
    Ok(mir::Context::methods(levels, object)?.iter().copied().find(|method| method.item == id))
}

/// A method of a trait of the prelude, as the compiler makes it for one type.
fn made(levels: &Levels<'_, '_>, id: ItemId, method: ItemId) -> Result<Option<Arc<Body<Mono>>>, Interrupt> {
    let item = levels.get::<Item>(&method)?;
    let Some(item) = &*item else { return Ok(None) };
    let Some(typed) = levels.done(hir::infer::made(id, item, levels))? else { return Ok(None) };
    let faults = levels.done(hir::verify::verify(&typed, levels))?;
    crate::crash::refuse("hir", id, &faults, || hir::text::print_file(&[&typed], levels));
    let body = mir::build::mono(levels.done(mir::build::build(&typed, levels))?);
    let faults = levels.done(mir::verify::verify(&body, levels))?;
    crate::crash::refuse("mir", id, &faults, || mir::text::print_file(std::slice::from_ref(&body), levels));
    Ok(Some(Arc::new(body)))
}

/// Are the type arguments of an instance beyond what a program that ends can need? Which method of a trait an instance calls is known only when it is
/// made, so not every chain of ever larger ones is seen before (E0416).
pub(super) fn is_endless(id: ItemId) -> bool {
    const DEEPEST: usize = 128;
    const LONGEST: usize = 1 << 16;
    let (_, args) = id.generic();
    let mut depth = 0usize;
    args.len() > LONGEST
        || args.bytes().any(|byte| {
            match byte {
                b'<' | b'(' | b'[' => depth += 1,
                b'>' | b')' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth > DEEPEST
        })
}

impl Provider for GenericBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Body<mir::Built>>>, Interrupt> {
        let checked = levels.get::<TypedBody>(id)?;
        let Some(typed) = checked.body.as_ref().filter(|body| body.owner.is_instance()) else { return Ok(None) };
        let within = levels.done(mir::build::Within::new(typed.owner, levels, levels))?;
        let built = levels.done(mir::build::build(typed, &within))?;
        let faults = levels.done(mir::verify::verify(&built, &within))?;
        crate::crash::refuse("mir", *id, &faults, || mir::text::print_file(std::slice::from_ref(&built), levels));
        Ok(Some(Arc::new(built)))
    }
}

impl Provider for OptimisedBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Body<Mono>>>, Interrupt> {
        let built = levels.get::<BuiltBody>(id)?;
        let Some(built) = &*built else { return Ok(None) };
        // Copies of tests in what chooses one of them would make an edit of each an edit of all.
        if *id == super::tests_item() {
            return Ok(Some(built.clone()));
        }
        let mut fuel = options(levels)?.fuel(*id, Stage::Mir);
        let body = optimised(levels, built, &mut fuel)?;
        let faults = levels.done(mir::verify::verify(&body, levels))?;
        crate::crash::refuse("mir", *id, &faults, || mir::text::print_file(std::slice::from_ref(&body), levels));
        Ok(Some(Arc::new(body)))
    }
}

/// A body behind the passes.
pub(super) fn optimised(levels: &Levels<'_, '_>, built: &Body<Mono>, fuel: &mut Fuel) -> Result<Body<Mono>, Interrupt> {
    let mut body = levels.done(mir::opt::optimised(built, fuel, levels))?;
    if let Some(planted) = crate::rewrites::PLANTED.get() {
        (planted.mir)(&mut body, fuel);
    }
    Ok(body)
}

impl Provider for OwnedBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Body<Owned>>>, Interrupt> {
        let body = levels.get::<OptimisedBody>(id)?;
        let Some(body) = &*body else { return Ok(None) };
        let mut fuel = options(levels)?.fuel(*id, Stage::Owned);
        let owned = levels.done(mir::ownership::own(body, &mut fuel, levels))?;
        let faults = levels.done(mir::verify::verify(&owned, levels))?;
        crate::crash::refuse("mir", *id, &faults, || mir::text::print_file(std::slice::from_ref(&owned), levels));
        Ok(Some(Arc::new(owned)))
    }
}

impl Provider for Contracts {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<mir::Contract, Interrupt> {
        // The runtime asks for no contract: what it gives to `@main` is the program's.
        if id.name().as_str() == "main" && levels.cx().input::<Main>(&())?.is_some_and(|main| *main == id.module()) {
            return Ok(mir::Contract::OWNED);
        }
        levels.done(mir::ownership::contract(*id, levels))
    }

    /// A circle that leaves a module goes through an impl that is called against the order of imports: everybody on it owns.
    fn on_cycle(_id: &ItemId, _cycle: &Cycle) -> Option<mir::Contract> {
        Some(mir::Contract::OWNED)
    }
}

impl Provider for Inlinable {
    /// The body as built, when it is small and calls nothing: no second optimisation, and no cycle, whatever the call graph.
    fn provide(levels: &Levels<'_, '_>, function: &ItemId) -> Result<Option<Arc<Body<Mono>>>, Interrupt> {
        let built = levels.get::<BuiltBody>(function)?;
        Ok((*built).as_ref().filter(|body| mir::opt::is_inlinable(body)).cloned())
    }
}

impl Provider for ConstantValue {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Evaluated, Interrupt> {
        let none = Evaluated { value: None, diagnostics: Vec::new() };
        if id.path().namespace != Namespace::Constant {
            return Ok(none);
        }
        let built = levels.get::<BuiltBody>(id)?;
        let Some(built) = &*built else { return Ok(none) };
        let span = levels.get::<Item>(id)?.as_ref().as_ref().map_or(Span::default(), |item| item.name_span);
        let limits = mir::interp::Limits::CONSTANTS;
        Ok(match levels.done(mir::interp::evaluate_constant(built, levels, limits))? {
            Ok(value) => Evaluated { value: Some(Arc::new(value)), diagnostics: Vec::new() },
            // A function on the way has errors of its own, which are reported there.
            Err(mir::interp::ConstError::Broken(_)) if levels.missed_a_body() => none,
            Err(error) => Evaluated { value: None, diagnostics: vec![evaluation_error(*id, span, &error)] },
        })
    }

    fn on_cycle(id: &ItemId, cycle: &Cycle) -> Option<Evaluated> {
        Some(Evaluated { value: None, diagnostics: super::front::constant_cycle(*id, cycle).into_iter().collect() })
    }
}

/// The diagnostic of an evaluation that gave no value.
fn evaluation_error(id: ItemId, span: Span, error: &mir::interp::ConstError) -> Diagnostic {
    use mir::interp::{ConstError, Limit, Limits};
    let at = |code, arg: String| Diagnostic::new(code, Anchor::Item(id), span, [syntax::Arg::Text(arg)]);
    let limits = Limits::CONSTANTS;
    match error {
        ConstError::Panicked(message) => at(DiagnosticCode::E0703, message.clone()),
        ConstError::Limit(Limit::Steps) => at(DiagnosticCode::E0500, limits.steps.to_string()).help(
            "the compiler computes constants; what is long to compute is for the running program: make it a function `@name () -> T = ...`",
        ),
        ConstError::Limit(Limit::Depth) => at(DiagnosticCode::E0501, limits.depth.to_string()),
        ConstError::Limit(Limit::Bytes) => at(DiagnosticCode::E0502, limits.bytes.to_string()),
        ConstError::Effect => at(DiagnosticCode::E0706, "output".to_owned()),
        ConstError::NotRepresentable(ty) => at(DiagnosticCode::E2040, format!("constants of type {ty}")),
        ConstError::Broken(why) => panic!("constant @{id}: {why}"),
    }
}
