//! From typed bodies to optimised MIR, and the values of constants.

use std::sync::Arc;

use hir::{Type, TypeKind};
use ir::{Fuel, ItemId, Namespace};
use mir::ops::Op;
use mir::{Body, ConstValue, Mono};
use query::{Cycle, Interrupt};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Span};

use super::{
    BuiltBody, ConstantValue, Fields, Inlinable, Item, Levels, OptimisedBody, Options, Provider, Settings, TypeDefinition, TypedBody,
};

/// A body may copy callees that copy callees, this many levels deep.
pub const INLINE_DEPTH: u8 = 3;

/// Largest body, in instructions, that callers copy.
const INLINE_SIZE: usize = 40;

/// A callee and how many levels it may inline itself. The depth falls with each level, so recursion ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InlineKey {
    /// The callee.
    pub function: ItemId,
    /// Levels left.
    pub depth: u8,
}

/// Outcome of evaluating a constant.
#[derive(Clone, PartialEq, Eq, Debug)]
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
            TypeKind::Struct(item) => {
                levels.get::<TypeDefinition>(&item)?.as_ref().as_ref().map(|d| d.fields.iter().map(|(_, ty)| *ty).collect())
            }
            TypeKind::Error
            | TypeKind::Int
            | TypeKind::Float
            | TypeKind::Bool
            | TypeKind::Char
            | TypeKind::Byte
            | TypeKind::Str
            | TypeKind::Void
            | TypeKind::Never
            | TypeKind::Range
            | TypeKind::List(_)
            | TypeKind::Function(..)
            | TypeKind::Variable(_) => None,
        })
    }
}

/// The options that are in force.
pub(super) fn options(levels: &Levels<'_, '_>) -> Arc<Options> {
    levels.cx().input::<Settings>(&()).unwrap_or_default()
}

pub(super) fn fuel(options: &Options) -> Fuel {
    Fuel::limited(options.fuel).without(options.passes_off.iter().cloned())
}

impl Provider for BuiltBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Body<Mono>>>, Interrupt> {
        let checked = levels.get::<TypedBody>(id)?;
        let Some(typed) = &checked.body else { return Ok(None) };
        let built = levels.done(mir::build::build(typed, levels))?;
        let body = mir::build::mono(built);
        let faults = levels.done(mir::verify::verify(&body, levels))?;
        crate::crash::refuse("mir", *id, &faults);
        Ok(Some(Arc::new(body)))
    }
}

impl Provider for OptimisedBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Body<Mono>>>, Interrupt> {
        let built = levels.get::<BuiltBody>(id)?;
        let Some(built) = &*built else { return Ok(None) };
        optimised(levels, *id, built).map(|body| Some(Arc::new(body)))
    }
}

fn optimised(levels: &Levels<'_, '_>, id: ItemId, built: &Body<Mono>) -> Result<Body<Mono>, Interrupt> {
    let mut body = built.clone();
    let mut fuel = fuel(&options(levels));
    levels.done(mir::opt::optimise(&mut body, &mut fuel, levels))?;
    let faults = levels.done(mir::verify::verify(&body, levels))?;
    crate::crash::refuse("mir", id, &faults);
    Ok(body)
}

impl Provider for Inlinable {
    /// A leaf once its own small callees are copied into it. The cheap tests come first: a body edit of a large function stops at them.
    fn provide(levels: &Levels<'_, '_>, key: &InlineKey) -> Result<Option<Arc<Body<Mono>>>, Interrupt> {
        let built = levels.get::<BuiltBody>(&key.function)?;
        let Some(built) = &*built else { return Ok(None) };
        if built.size() > INLINE_SIZE * 3 || calls(built, key.function) {
            return Ok(None);
        }
        let inner = levels.with_inline_depth(key.depth);
        let body = optimised(&inner, key.function, built)?;
        let leaf = !body.blocks.rows().iter().flat_map(|b| &b.insts).any(|&i| matches!(body.op(i), Op::Call | Op::Tail));
        Ok((leaf && body.size() <= INLINE_SIZE).then(|| Arc::new(body)))
    }
}

/// Does the body call this function?
fn calls(body: &Body<Mono>, function: ItemId) -> bool {
    body.blocks
        .rows()
        .iter()
        .flat_map(|b| &b.insts)
        .any(|&i| matches!(body.op(i), Op::Call | Op::Tail) && body.insts[i].imm == u64::from(function.raw()))
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
            Err(error) => Evaluated { value: None, diagnostics: vec![evaluation_error(*id, span, &error)] },
        })
    }

    fn on_cycle(id: &ItemId, cycle: &Cycle) -> Option<Evaluated> {
        Some(Evaluated { value: None, diagnostics: vec![super::front::constant_cycle(*id, cycle)] })
    }
}

/// The diagnostic of an evaluation that gave no value.
fn evaluation_error(id: ItemId, span: Span, error: &mir::interp::ConstError) -> Diagnostic {
    use mir::interp::{ConstError, Limit, Limits};
    let at = |code, arg: String| Diagnostic::new(code, Anchor::Item(id), span, [syntax::Arg::Text(arg)]);
    let limits = Limits::CONSTANTS;
    match error {
        ConstError::Panicked(message) => at(DiagnosticCode::E0703, message.clone()),
        ConstError::Limit(Limit::Steps) => at(DiagnosticCode::E0500, limits.steps.to_string()),
        ConstError::Limit(Limit::Depth) => at(DiagnosticCode::E0501, limits.depth.to_string()),
        ConstError::Limit(Limit::Bytes) => at(DiagnosticCode::E0502, limits.bytes.to_string()),
        ConstError::Effect => at(DiagnosticCode::E0706, "output".to_owned()),
        ConstError::NotRepresentable(ty) => at(DiagnosticCode::E2040, format!("constants of type {ty}")),
        ConstError::Broken(why) => panic!("constant @{id}: {why}"),
    }
}
