//! The `Context` of each level, answered by the engine.
//!
//! Levels see an opaque `Stop` (decision 1); the real interrupt is kept here, beside it, and comes back when the level has returned.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use hir::program::ObjectMethod;
use hir::{Type, TypeKind};
use ir::{ItemId, Stop, Symbol};
use query::{Ctx, Interrupt, Query};
use smallvec::SmallVec;
use syntax::tree::ModulePath;

use super::{
    BuiltBody, Changers, ConstantType, ConstantValue, Contracts, Defaults, Fields, FunctionType, GenericCalls, Groups, HiddenResult,
    Implementation, InherentImpls, Inlinable, LambdaType, LirSignature, ModuleFile, Mutates, ObjectMethods, OptimisedBody, Outline,
    OwnedBody, PackageTable, Packages, Scope, SelfUses, Settings, Signature, TraitDef, TraitImpls, TypeDefinition, Variants,
};

/// A question for a signature with its answer.
type AskedSignature = (ItemId, Option<Arc<hir::Signature>>);

/// What providers ask through.
pub struct Levels<'c, 'e> {
    cx: &'c Ctx<'e>,
    reason: RefCell<Option<Interrupt>>,
    /// Signatures that were asked for: a body is checked and verified against the same few.
    signatures: RefCell<SmallVec<[AskedSignature; 8]>>,
    /// A function was asked for that has no body, because of errors in it.
    missed: Cell<bool>,
}

impl<'c, 'e> Levels<'c, 'e> {
    /// Answers through this context.
    pub fn new(cx: &'c Ctx<'e>) -> Self {
        Levels { cx, reason: RefCell::new(None), signatures: RefCell::default(), missed: Cell::new(false) }
    }

    /// Was a function asked for that has no body, because of errors in it?
    pub fn missed_a_body(&self) -> bool {
        self.missed.get()
    }

    /// The answer to a query.
    pub fn get<Q: Query>(&self, key: &Q::Key) -> Result<Arc<Q::Value>, Interrupt> {
        self.cx.get::<Q>(key)
    }

    /// What a method does with its `self`.
    pub(super) fn self_uses(&self, method: ItemId) -> Result<Arc<hir::resolve::SelfUses>, Stop> {
        Ok((*self.ask::<SelfUses>(&method)?).clone())
    }

    /// The methods of the program that change their `self`.
    pub(super) fn changers(&self) -> Result<Arc<hir::resolve::Changers>, Stop> {
        Ok((*self.ask::<Changers>(&())?).clone())
    }

    /// What a generic body makes of its type parameters.
    pub(super) fn generic_calls(&self, item: ItemId) -> Result<Vec<hir::resolve::GenericCall>, Stop> {
        Ok((*self.ask::<GenericCalls>(&item)?).clone())
    }

    /// The engine's context.
    pub fn cx(&self) -> &'c Ctx<'e> {
        self.cx
    }

    /// Turns what a level returned into what a provider returns: the stop becomes its real reason again.
    pub fn done<T>(&self, result: Result<T, Stop>) -> Result<T, Interrupt> {
        result.map_err(|_| self.reason.take().unwrap_or(Interrupt::Cancelled))
    }

    fn ask<Q: Query>(&self, key: &Q::Key) -> Result<Arc<Q::Value>, Stop> {
        self.cx.get::<Q>(key).map_err(|interrupt| {
            *self.reason.borrow_mut() = Some(interrupt);
            Stop::interrupted()
        })
    }
}

impl hir::Context for Levels<'_, '_> {
    fn scope(&self, module: Symbol) -> Result<Arc<hir::Scope>, Stop> {
        Ok((*self.ask::<Scope>(&module)?).clone())
    }

    fn signature(&self, item: ItemId) -> Result<Option<Arc<hir::Signature>>, Stop> {
        if let Some((_, signature)) = self.signatures.borrow().iter().find(|(asked, _)| *asked == item) {
            return Ok(signature.clone());
        }
        let signature = (*self.ask::<Signature>(&item)?).clone();
        let mut signatures = self.signatures.borrow_mut();
        if signatures.len() < signatures.inline_size() {
            signatures.push((item, signature.clone()));
        }
        Ok(signature)
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
        Ok(int_of(self.ask::<ConstantValue>(&item)?.value.as_deref()))
    }
}

/// The value of an int, char or byte constant.
pub(super) fn int_of(value: Option<&mir::ConstValue>) -> Option<i64> {
    match value? {
        mir::ConstValue::Int(n) => Some(*n),
        mir::ConstValue::Char(c) => Some(i64::from(u32::from(*c))),
        mir::ConstValue::Byte(b) => Some(i64::from(*b)),
        mir::ConstValue::Float(_)
        | mir::ConstValue::Bool(_)
        | mir::ConstValue::Str(_)
        | mir::ConstValue::Unit
        | mir::ConstValue::Aggregate(..)
        | mir::ConstValue::Variant(..)
        | mir::ConstValue::Cell(..)
        | mir::ConstValue::List(..)
        | mir::ConstValue::Object(..)
        | mir::ConstValue::Function(..) => None,
    }
}

impl hir::resolve::Modules for Levels<'_, '_> {
    fn resolve(&self, from: Symbol, path: &ModulePath) -> Result<hir::resolve::Resolution, Stop> {
        let packages = || {
            self.cx.input::<PackageTable>(&()).map_err(|interrupt| {
                *self.reason.borrow_mut() = Some(interrupt);
                Stop::interrupted()
            })
        };
        resolve(from, path, packages, |module| Ok((*self.ask::<ModuleFile>(&module)?).clone()))
    }

    fn scope(&self, module: Symbol) -> Result<Arc<hir::Scope>, Stop> {
        Ok((*self.ask::<Scope>(&module)?).clone())
    }
}

impl mir::Context for Levels<'_, '_> {
    fn names_locals(&self) -> Result<bool, Stop> {
        Ok(self.settings()?.is_some_and(|options| options.names_locals))
    }

    fn signature(&self, function: ItemId) -> Result<Option<Arc<(Vec<Type>, Type)>>, Stop> {
        if function.is_lambda() {
            return lambda_type(function, self, |lambda| Ok((*self.ask::<LambdaType>(&lambda)?).clone()));
        }
        function_type(function, self, |function| Ok((*self.ask::<FunctionType>(&function)?).clone()))
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        fields(ty, self, |ty| Ok((*self.ask::<Fields>(&ty)?).clone()))
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<mir::Variants>>, Stop> {
        variants(ty, self, |ty| Ok((*self.ask::<Variants>(&ty)?).clone()))
    }

    fn methods(&self, object: Type) -> Result<Arc<[ObjectMethod]>, Stop> {
        methods(object, |object| Ok((*self.ask::<ObjectMethods>(&object)?).clone()))
    }

    fn constant(&self, item: ItemId) -> Result<Option<Arc<mir::ConstValue>>, Stop> {
        Ok(self.ask::<ConstantValue>(&item)?.value.clone())
    }

    fn inlinable(&self, function: ItemId) -> Result<Option<Arc<mir::Body<mir::Mono>>>, Stop> {
        Ok((*self.ask::<Inlinable>(&function)?).clone())
    }

    fn why_not_inlinable(&self, function: ItemId) -> Result<String, Stop> {
        let built = self.ask::<BuiltBody>(&function)?;
        let why = (*built).as_ref().and_then(|body| mir::opt::why_not_inlinable(body));
        Ok(why.unwrap_or_else(|| "it has no body of Ori's".to_owned()))
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
        let body = (*self.ask::<OwnedBody>(&function)?).clone();
        if body.is_none() {
            self.missed.set(true);
        }
        Ok(body)
    }

    fn callee(&self, instance: ItemId) -> Result<ItemId, Stop> {
        hir::resolve::solve::dispatch(instance, &hir::program::Given::for_code(), self)
    }

    fn normal(&self, ty: Type) -> Result<Type, Stop> {
        hir::resolve::solve::normalised(ty, &hir::program::Given::for_code(), self)
    }

    fn in_recursion_group(&self, caller: ItemId, callee: ItemId) -> Result<bool, Stop> {
        if caller.module() != callee.module() {
            return Ok(false);
        }
        let groups = self.ask::<Groups>(&caller.module())?;
        // Instances of one function are of one group, and so is a default body that is called although an impl has another.
        let (caller, callee) = (caller.generic().0.declared(), callee.generic().0.declared());
        let group = |item: ItemId| groups.iter().find(|(i, _)| *i == item).map(|(_, g)| *g);
        Ok(group(caller).is_some() && group(caller) == group(callee))
    }
}

impl lir::Context for Levels<'_, '_> {
    fn signature(&self, function: ItemId) -> Result<Option<Arc<lir::Signature>>, Stop> {
        if let Some(known) = lir::build::glue_signature(function, self)? {
            return Ok(Some(known));
        }
        lir_signature(function, self, |function| Ok((*self.ask::<LirSignature>(&function)?).clone()))
    }

    fn fields(&self, ty: Type) -> Result<Option<Arc<[Type]>>, Stop> {
        fields(ty, self, |ty| Ok((*self.ask::<Fields>(&ty)?).clone()))
    }

    fn variants(&self, ty: Type) -> Result<Option<Arc<mir::Variants>>, Stop> {
        variants(ty, self, |ty| Ok((*self.ask::<Variants>(&ty)?).clone()))
    }

    fn methods(&self, object: Type) -> Result<Arc<[ObjectMethod]>, Stop> {
        methods(object, |object| Ok((*self.ask::<ObjectMethods>(&object)?).clone()))
    }

    fn watches_memory(&self) -> Result<bool, Stop> {
        Ok(self.settings()?.is_some_and(|options| options.mem_debug))
    }
}

impl Levels<'_, '_> {
    fn settings(&self) -> Result<Option<Arc<super::Options>>, Stop> {
        self.cx.input::<Settings>(&()).map_err(|interrupt| {
            *self.reason.borrow_mut() = Some(interrupt);
            Stop::interrupted()
        })
    }
}

/// Parameter and result types, when there is such a function.
type FunctionTypes = Option<Arc<mir::ir::SignatureTypes>>;

/// Types of a lambda, of an instance of one, or of the function that takes what one captures in a cell. `ask` knows the lambdas themselves.
pub(super) fn lambda_type(
    function: ItemId,
    cx: &dyn mir::Context,
    ask: impl FnOnce(ItemId) -> Result<FunctionTypes, Stop>,
) -> Result<FunctionTypes, Stop> {
    let (inner, packed) = match function.unpacked() {
        Some((inner, count)) => (inner, Some(count)),
        None => (function, None),
    };
    let (lambda, args) = hir::types::instance_of(inner);
    let Some(mut types) = ask(lambda)? else { return Ok(None) };
    if !args.is_empty() || types.0.iter().chain([&types.1]).any(|ty| ty.has_associated()) {
        let closed = |ty: Type| {
            let ty = ty.substituted(args);
            if ty.has_associated() { cx.normal(ty) } else { Ok(ty) }
        };
        types = Arc::new((types.0.iter().map(|&ty| closed(ty)).collect::<Result<_, Stop>>()?, closed(types.1)?));
    }
    if let Some(count) = packed {
        types = Arc::new(mir::build::unpacking_signature(&types, count));
    }
    Ok(Some(types))
}

/// Types of a function that is no lambda, of the function that takes what another captures in a cell, or of one that an object points to. `ask` knows those that
/// are declared; what they hide of their results is made known here.
pub(super) fn function_type(
    function: ItemId,
    cx: &(impl hir::Context + mir::Context),
    ask: impl FnOnce(ItemId) -> Result<FunctionTypes, Stop>,
) -> Result<FunctionTypes, Stop> {
    if let Some((function, count)) = function.unpacked() {
        let types = mir::Context::signature(cx, function)?;
        return Ok(types.map(|types| Arc::new(mir::build::unpacking_signature(&types, count))));
    }
    if let Some((made, signature)) = in_object(function, cx)? {
        let types = mir::build::in_object_signature(&signature, made.object, made.of, made.result, made.changes);
        return Ok(Some(Arc::new(types)));
    }
    let Some(types) = ask(function)? else { return Ok(None) };
    if !types.0.iter().chain([&types.1]).any(|ty| ty.has_associated()) {
        return Ok(Some(types));
    }
    let params = types.0.iter().map(|&ty| mir::Context::normal(cx, ty)).collect::<Result<_, Stop>>()?;
    Ok(Some(Arc::new((params, mir::Context::normal(cx, types.1)?))))
}

/// Machine parameters and results of any function that counts nothing. `ask` knows those that are declared and hide nothing.
pub(super) fn lir_signature(
    function: ItemId,
    cx: &(impl mir::Context + lir::Context),
    ask: impl FnOnce(ItemId) -> Result<Option<Arc<lir::Signature>>, Stop>,
) -> Result<Option<Arc<lir::Signature>>, Stop> {
    let is_declared = !function.is_lambda() && function.unpacked().is_none() && ObjectMethod::behind(function).is_none();
    if is_declared && let Some(known) = ask(function)? {
        return Ok(Some(known));
    }
    let types = mir::Context::signature(cx, function)?;
    types.map(|types| lir::build::flatten_signature(&types.0, types.1, cx).map(Arc::new)).transpose()
}

/// Only trait objects have methods at addresses; the others need no question.
pub(super) fn methods(ty: Type, ask: impl FnOnce(Type) -> Result<Arc<[ObjectMethod]>, Stop>) -> Result<Arc<[ObjectMethod]>, Stop> {
    match ty.kind() {
        TypeKind::Object(_) => ask(ty),
        _ => Ok(Arc::default()),
    }
}

/// What an object points to under this name, and the signature of the method that it calls; `None` for any other item.
pub(super) fn in_object(
    id: ItemId,
    cx: &(impl hir::Context + mir::Context),
) -> Result<Option<(mir::build::InObject, Arc<mir::ir::SignatureTypes>)>, Stop> {
    let Some((method, of)) = ObjectMethod::behind(id) else { return Ok(None) };
    let (base, parts) = hir::types::instance_of(method.item);
    let (Some(&object), Some(declared)) = (parts.first(), hir::Context::signature(cx, base)?) else { return Ok(None) };
    let parts: Vec<Type> = [of].iter().chain(&parts[1..]).copied().collect();
    let callee = mir::Context::callee(cx, hir::types::instance(base, &parts))?;
    let Some(signature) = mir::Context::signature(cx, callee)? else { return Ok(None) };
    let result = mir::Context::normal(cx, declared.result.substituted(&parts))?;
    Ok(Some((mir::build::InObject { id, object, of, callee, result, changes: method.changes }, signature)))
}

/// Only declared types have variants; the others need no question.
pub(super) fn variants(
    ty: Type,
    cx: &dyn mir::Context,
    ask: impl FnOnce(Type) -> Result<Option<Arc<mir::Variants>>, Stop>,
) -> Result<Option<Arc<mir::Variants>>, Stop> {
    match ty.kind() {
        TypeKind::Struct(..) => match ask(ty)? {
            // Of closed types only hidden results are left.
            Some(variants) if !ty.has_parameter() && variants.iter().flatten().any(|ty| ty.has_associated()) => {
                let known = |payload: &[Type]| payload.iter().map(|&ty| cx.normal(ty)).collect::<Result<Box<[Type]>, Stop>>();
                let known: Vec<Box<[Type]>> = variants.iter().map(|payload| known(payload)).collect::<Result<_, Stop>>()?;
                Ok(Some(known.into()))
            }
            found => Ok(found),
        },
        _ => Ok(None),
    }
}

/// Only tuples and structs have fields; the others need no question.
pub(super) fn fields(
    ty: Type,
    cx: &dyn mir::Context,
    ask: impl FnOnce(Type) -> Result<Option<Arc<[Type]>>, Stop>,
) -> Result<Option<Arc<[Type]>>, Stop> {
    match ty.kind() {
        TypeKind::Tuple(_) | TypeKind::Struct(..) => match ask(ty)? {
            Some(fields) if !ty.has_parameter() && fields.iter().any(|ty| ty.has_associated()) => {
                Ok(Some(fields.iter().map(|&ty| cx.normal(ty)).collect::<Result<_, Stop>>()?))
            }
            found => Ok(found),
        },
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
        | TypeKind::Variable(_) => Ok(None),
    }
}

/// What an import path leads to, given which modules exist. `packages` are asked for where the path begins with the name of one; `file` tells the file of a
/// module, when it has one.
pub fn resolve<E>(
    from: Symbol,
    path: &ModulePath,
    packages: impl Fn() -> Result<Option<Arc<Packages>>, E>,
    file: impl Fn(Symbol) -> Result<Option<super::FileName>, E>,
) -> Result<hir::resolve::Resolution, E> {
    use hir::resolve::Resolution;
    let (package, own) = from.as_str().split_once('/').map_or(("", from.as_str()), |(package, own)| (package, own));
    let in_package = |module: String| if package.is_empty() { module } else { format!("{package}/{module}") };
    let candidate = match path {
        ModulePath::Dotted(segments) => {
            let segments: Vec<&str> = segments.iter().map(|s| s.as_str()).collect();
            let dotted = segments.join(".");
            if segments.first() == Some(&"std") {
                return Ok(Resolution::Std(Symbol::new(&dotted)));
            }
            match packages()?.unwrap_or_default().import(from, &segments) {
                Some(module) => module.as_str().to_owned(),
                None => in_package(dotted),
            }
        }
        ModulePath::Text(text) => {
            let text = text.as_str();
            if !text.starts_with("./") && !text.starts_with("../") {
                let segments: Vec<&str> = text.split('/').collect();
                match packages()?.unwrap_or_default().import(from, &segments) {
                    Some(module) => return found(module, packages()?, file),
                    None => return Ok(Resolution::UnknownPackage),
                }
            }
            let mut segments: Vec<&str> = own.split('.').collect();
            // Paths are relative to the importing file's folder: for `net/mod.ori` that is `net`, for `net/probe.ori` too.
            let folder = format!("{}/mod.ori", own.replace('.', "/"));
            if !file(from)?.is_some_and(|name| name.path.ends_with(&folder)) {
                segments.pop();
            }
            for part in text.split('/') {
                match part {
                    "" | "." => {}
                    ".." => {
                        if segments.pop().is_none() {
                            return Ok(Resolution::LeavesPackage);
                        }
                    }
                    name => segments.push(name),
                }
            }
            in_package(segments.join("."))
        }
    };
    let others = if candidate.contains('/') { packages()? } else { None };
    found(Symbol::new(&candidate), others, file)
}

/// The answer for a module that may be there.
fn found<E>(
    module: Symbol,
    packages: Option<Arc<Packages>>,
    file: impl Fn(Symbol) -> Result<Option<super::FileName>, E>,
) -> Result<hir::resolve::Resolution, E> {
    use hir::resolve::Resolution;
    // Nothing may import a test file (language/07 §7.6).
    let found = if hir::resolve::is_test_module(module) { None } else { file(module)? };
    Ok(match found {
        Some(found) => match found.rival {
            Some(rival) => Resolution::DefinedTwice(found.path, rival),
            None => Resolution::Found(module),
        },
        None => {
            let folder = packages.and_then(|packages| packages.folder_of(module)).filter(|folder| !folder.is_empty());
            let own = module.as_str().split_once('/').map_or(module.as_str(), |(_, own)| own).replace('.', "/");
            let relative = folder.map_or(own.clone(), |folder| format!("{folder}src/{own}"));
            Resolution::NotFound { tried: vec![format!("{relative}.ori"), format!("{relative}/mod.ori")] }
        }
    })
}
