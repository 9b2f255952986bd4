//! From text to typed bodies.

use std::collections::HashSet;
use std::sync::Arc;

use hir::infer::{Checked, Which};
use ir::{ItemId, Namespace, Symbol};
use query::{Cycle, Interrupt};
use serde::{Deserialize, Serialize};
use syntax::tree::{File, ItemKind, ModulePath};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Span};

use super::{
    BodyReport, Check, ConstantType, ConstantValue, Diagnostics, FunctionType, HiddenResult, ImportCycles, Imports, Item, LambdaType,
    Levels, ModuleFile, Modules, PackageTable, Parse, Position, Provider, Scope, Signature, Source, Start, TestSites, TypeDefinition,
    TypedBody, tests, tests_item, tests_module,
};

/// Where an item stands now.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct ItemPosition {
    /// Path of the file below the root.
    pub file: String,
    /// Line of the item's first byte, from 1.
    pub line: u32,
}

/// What there is to say about a body.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Report {
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Is there a typed body?
    pub complete: bool,
    /// Functions of the same module that it calls directly.
    pub calls: Vec<ItemId>,
}

/// What there is to say about a module.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
pub struct ModuleReport {
    /// Errors and warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Items whose body was given up, with the span of their name.
    pub incomplete: Vec<(ItemId, Span)>,
}

/// The file of a module.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct FileName {
    /// Path below the root.
    pub path: String,
    /// A second file that claims the same module.
    pub rival: Option<String>,
}

impl Provider for ModuleFile {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Option<FileName>, Interrupt> {
        let source = levels.cx().input::<Source>(module)?;
        Ok(source.map(|source| FileName { path: source.path.clone(), rival: source.rival.clone() }))
    }
}

impl Provider for Parse {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<File, Interrupt> {
        let Some(source) = levels.cx().input::<Source>(module)? else {
            return Ok(syntax::parse(*module, ""));
        };
        Ok(match &source.malformed {
            Some(bytes) => syntax::parser::parse_bytes(*module, bytes).1,
            None => syntax::parse(*module, &source.text),
        })
    }
}

impl Provider for Imports {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Vec<ModulePath>, Interrupt> {
        Ok(levels.get::<Parse>(module)?.imports.iter().map(|import| import.path.clone()).collect())
    }
}

impl Provider for Modules {
    /// Breadth first, imports of a module in source order.
    fn provide(levels: &Levels<'_, '_>, main: &Symbol) -> Result<Arc<Vec<Symbol>>, Interrupt> {
        // The root of tests is no module: it stands for those that it imports.
        let mut found = if *main == tests_module() { imported(levels, *main)?.into_iter().rev().collect() } else { vec![*main] };
        let mut seen: HashSet<Symbol> = found.iter().copied().collect();
        let mut next = 0;
        while let Some(&module) = found.get(next) {
            next += 1;
            let imports = imported(levels, module)?;
            found.extend(imports.into_iter().rev().filter(|m| seen.insert(*m)));
        }
        Ok(Arc::new(found))
    }
}

impl Provider for Item {
    fn provide(levels: &Levels<'_, '_>, item: &ItemId) -> Result<Option<Arc<syntax::tree::Item>>, Interrupt> {
        let file = levels.get::<Parse>(&item.module())?;
        let owner = owner(*item);
        Ok(file.entry(owner).map(|entry| entry.item.clone()))
    }
}

impl Provider for Position {
    fn provide(levels: &Levels<'_, '_>, item: &ItemId) -> Result<Option<ItemPosition>, Interrupt> {
        let file = levels.get::<Parse>(&item.module())?;
        let owner = owner(*item);
        let name = levels.get::<ModuleFile>(&item.module())?;
        let Some(name) = &*name else { return Ok(None) };
        Ok(file.entry(owner).map(|entry| ItemPosition { file: name.path.clone(), line: entry.line }))
    }
}

impl Provider for Start {
    fn provide(levels: &Levels<'_, '_>, item: &ItemId) -> Result<Option<u32>, Interrupt> {
        let file = levels.get::<Parse>(&item.module())?;
        let owner = owner(*item);
        Ok(file.entry(owner).map(|entry| entry.start))
    }
}

/// The item in whose text a body stands: a default belongs to its function, a lambda to the body around it.
fn owner(item: ItemId) -> ItemId {
    // An instance stands where its generic item does.
    let (item, _) = item.generic();
    let item = item.declared();
    let item = item.of_lambda().map_or(item, |(around, _)| around);
    let path = item.path();
    match path.namespace {
        Namespace::Default => {
            let name = path.name.as_str();
            let function = name.split_once('.').map_or(name, |(function, _)| function);
            ItemId::new(ir::item::ItemPath { namespace: Namespace::Function, name: Symbol::new(function), ..path })
        }
        Namespace::Function | Namespace::Type | Namespace::Constant | Namespace::Test | Namespace::Other => item,
    }
}

impl Provider for ImportCycles {
    /// One cycle per back edge of a depth-first walk over the imports in source order (language/07 §7.6).
    fn provide(levels: &Levels<'_, '_>, main: &Symbol) -> Result<Vec<Vec<Symbol>>, Interrupt> {
        let mut cycles = Vec::new();
        let mut path: Vec<(Symbol, Vec<Symbol>)> = vec![(*main, imported(levels, *main)?)];
        let mut done: Vec<Symbol> = Vec::new();
        while let Some((module, rest)) = path.last_mut() {
            match rest.pop() {
                Some(next) => {
                    if let Some(from) = path.iter().position(|(m, _)| *m == next) {
                        cycles.push(path[from..].iter().map(|(m, _)| *m).collect());
                    } else if !done.contains(&next) {
                        let imports = imported(levels, next)?;
                        path.push((next, imports));
                    }
                }
                None => {
                    done.push(*module);
                    path.pop();
                }
            }
        }
        Ok(cycles)
    }
}

/// Modules that a module imports, last first.
fn imported(levels: &Levels<'_, '_>, module: Symbol) -> Result<Vec<Symbol>, Interrupt> {
    if module == tests_module() {
        let sites = levels.cx().input::<TestSites>(&())?.unwrap_or_default();
        return Ok(sites.roots().rev().collect());
    }
    let imports = levels.get::<Imports>(&module)?;
    let mut modules = Vec::with_capacity(imports.len());
    for path in imports.iter() {
        modules.extend(resolved(levels, module, path)?);
    }
    modules.reverse();
    Ok(modules)
}

/// The module that an import path leads to.
fn resolved(levels: &Levels<'_, '_>, from: Symbol, path: &ModulePath) -> Result<Option<Symbol>, Interrupt> {
    Ok(
        match super::levels::resolve(
            from,
            path,
            || levels.cx().input::<PackageTable>(&()),
            |m| Ok((*levels.get::<ModuleFile>(&m)?).clone()),
        )? {
            hir::resolve::Resolution::Found(found) => Some(found),
            hir::resolve::Resolution::NotFound { .. }
            | hir::resolve::Resolution::LeavesPackage
            | hir::resolve::Resolution::Std(_)
            | hir::resolve::Resolution::UnknownPackage
            | hir::resolve::Resolution::DefinedTwice(..) => None,
        },
    )
}

impl Provider for Scope {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Arc<hir::Scope>, Interrupt> {
        let file = levels.get::<Parse>(module)?;
        levels.done(hir::resolve::module_scope(&file, levels)).map(Arc::new)
    }

    /// Import cycles are reported by `import_cycles`; a scope on one is empty.
    fn on_cycle(_module: &Symbol, _cycle: &Cycle) -> Option<Arc<hir::Scope>> {
        Some(Arc::default())
    }
}

impl Provider for Signature {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<hir::Signature>>, Interrupt> {
        // Nobody outside of its body knows a lambda.
        if id.is_lambda() {
            return Ok(None);
        }
        let item = levels.get::<Item>(id)?;
        let Some(item) = &*item else { return Ok(None) };
        let signature = match id.path().namespace {
            Namespace::Default => match parameter_index(item, *id) {
                Some(index) => hir::resolve::default_signature(item, index, levels),
                None => Ok(None),
            },
            Namespace::Function | Namespace::Test => hir::resolve::signature(item, levels),
            Namespace::Type | Namespace::Constant | Namespace::Other => Ok(None),
        };
        Ok(levels.done(signature)?.map(|signature| Arc::new(signature.of(*id))))
    }
}

impl Provider for FunctionType {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<(Vec<hir::Type>, hir::Type)>>, Interrupt> {
        if *id == tests_item() {
            return Ok(Some(Arc::new((vec![hir::Type::list(hir::Type::STR)], hir::Type::VOID))));
        }
        let code = levels.done(hir::program::CodeType::of(*id, &hir::program::Given::default(), levels))?;
        Ok(code.map(|code| Arc::new(((0..code.count()).map(|i| code.param(i)).collect(), code.result()))))
    }
}

impl Provider for HiddenResult {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<hir::Type>, Interrupt> {
        let checked = levels.get::<TypedBody>(id)?;
        let Some(body) = &checked.body else { return Ok(None) };
        let Some(result) = levels.done(hir::infer::hidden_result(body, levels))? else { return Ok(None) };
        // What is hidden behind functions that are hidden behind each other in a circle nobody knows.
        for other in hir::resolve::hidden::functions_in(result) {
            levels.get::<HiddenResult>(&other)?;
        }
        Ok(Some(result))
    }

    fn on_cycle(_id: &ItemId, _cycle: &Cycle) -> Option<Option<hir::Type>> {
        Some(None)
    }
}

impl Provider for LambdaType {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<(Vec<hir::Type>, hir::Type)>>, Interrupt> {
        let checked = levels.get::<TypedBody>(id)?;
        let Some(body) = &checked.body else { return Ok(None) };
        Ok(Some(Arc::new((body.params.iter().map(|&param| body.locals[param].ty).collect(), body.result))))
    }
}

/// Which parameter a default item stands for.
fn parameter_index(item: &syntax::tree::Item, id: ItemId) -> Option<usize> {
    let name = id.name();
    let (_, parameter) = name.as_str().split_once('.')?;
    let ItemKind::Function(function) = &item.kind else { return None };
    function.params.iter().position(|p| p.name.is_some_and(|n| n.as_str() == parameter))
}

impl Provider for TypeDefinition {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<hir::TypeDefinition>>, Interrupt> {
        let item = levels.get::<Item>(id)?;
        let Some(item) = &*item else { return Ok(None) };
        Ok(levels.done(hir::resolve::type_definition(item, levels))?.map(Arc::new))
    }
}

impl Provider for ConstantType {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<hir::Type>, Interrupt> {
        let item = levels.get::<Item>(id)?;
        let Some(item) = &*item else { return Ok(None) };
        if let Some((ty, _)) = levels.done(hir::resolve::constant_annotation(item, levels))? {
            return Ok(Some(ty));
        }
        let checked = levels.get::<TypedBody>(id)?;
        Ok(checked.body.as_ref().map(|_| checked.ty))
    }

    fn on_cycle(_id: &ItemId, _cycle: &Cycle) -> Option<Option<hir::Type>> {
        Some(None)
    }
}

impl Provider for TypedBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Checked>, Interrupt> {
        if let Some((around, number)) = id.of_lambda() {
            let around = levels.get::<TypedBody>(&around)?;
            let body = around.body.as_ref().and_then(|body| body.lambdas.get(number)).cloned();
            let ty = body.as_ref().map_or(hir::Type::ERROR, |body| body.result);
            return Ok(Arc::new(Checked { body, ty, diagnostics: Vec::new() }));
        }
        let declared = id.declared();
        if declared != *id {
            return Ok(Arc::new(levels.get::<TypedBody>(&declared)?.as_replaced()));
        }
        let nothing = || Arc::new(Checked { body: None, ty: hir::Type::ERROR, diagnostics: Vec::new() });
        let item = levels.get::<Item>(id)?;
        let Some(item) = &*item else { return Ok(nothing()) };
        let which = match id.path().namespace {
            Namespace::Default => match parameter_index(item, *id) {
                Some(index) => Which::Default(index as u32),
                None => return Ok(nothing()),
            },
            Namespace::Constant => Which::Constant,
            Namespace::Test => Which::Test,
            Namespace::Function => Which::Function,
            Namespace::Type | Namespace::Other => return Ok(nothing()),
        };
        let checked = levels.done(hir::infer::body(item, which, levels))?;
        if let Some(body) = &checked.body {
            let faults = levels.done(hir::verify::verify(body, levels))?;
            crate::crash::refuse("hir", *id, &faults, || hir::text::print_file(&[body], levels));
        }
        Ok(Arc::new(checked))
    }

    /// Only a constant without annotation can ask for its own type: E0702 is reported by `constant_value`.
    fn on_cycle(id: &ItemId, cycle: &Cycle) -> Option<Arc<Checked>> {
        let diagnostics = match id.path().namespace {
            Namespace::Constant => constant_cycle(*id, cycle).into_iter().collect(),
            Namespace::Function | Namespace::Type | Namespace::Default | Namespace::Test | Namespace::Other => Vec::new(),
        };
        Some(Arc::new(Checked { body: None, ty: hir::Type::ERROR, diagnostics }))
    }
}

/// E0702 with the path of the cycle, once: at its constant whose text is least, whoever was asked first. The others only have no value.
pub(super) fn constant_cycle(id: ItemId, cycle: &Cycle) -> Option<Diagnostic> {
    let mut path: Vec<&str> = Vec::new();
    for member in &cycle.members {
        // `constant_value(@$main.a)`: the item's text stands in the parentheses.
        if let Some((_, item)) = member.strip_suffix(')').and_then(|m| m.split_once("(@"))
            && path.last() != Some(&item)
        {
            path.push(item);
        }
    }
    let first = path.iter().enumerate().filter(|(_, item)| item.starts_with('$')).min_by_key(|(_, item)| **item)?.0;
    path.rotate_left(first);
    if path.len() > 1 && path.last() == path.first() {
        path.pop();
    }
    if *path.first()? != id.to_string().trim_start_matches('@') {
        return None;
    }
    path.push(path[0]);
    let diagnostic = Diagnostic::new(DiagnosticCode::E0702, Anchor::Item(id), Span::new(0, 0), [syntax::Arg::from(id.name())]);
    Some(diagnostic.note(format!("the cycle: {}", path.join(" -> "))))
}

impl Provider for BodyReport {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Report>, Interrupt> {
        let checked = levels.get::<TypedBody>(id)?;
        let calls = checked.body.as_ref().map(mir::build::calls).unwrap_or_default();
        // The groups are those of items: what an instance calls, its generic item does.
        let mut items: Vec<ItemId> = Vec::with_capacity(calls.len());
        for (item, _) in calls.into_iter().filter(|callee| callee.module() == id.module()).map(ItemId::generic) {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        let calls = items;
        let mut report = Report { diagnostics: checked.diagnostics.clone(), complete: checked.body.is_some(), calls };
        // Behind a hidden result stands that of another function, perhaps in a circle.
        if report.complete
            && !hir::resolve::hidden::functions_in(checked.ty).is_empty()
            && levels.get::<HiddenResult>(id)?.is_none()
            && let Some(signature) = &*levels.get::<Signature>(id)?
            && signature.promised.is_some()
        {
            report.diagnostics.push(hir::resolve::hidden::endless_result(*id, signature.result_span));
            report.complete = false;
        }
        Ok(Arc::new(report))
    }
}

impl Provider for Diagnostics {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Arc<ModuleReport>, Interrupt> {
        let file = levels.get::<Parse>(module)?;
        let mut found = ModuleReport { diagnostics: file.diagnostics.clone(), incomplete: Vec::new() };
        // Types are checked only in files that parsed without error (language/01 §1.0).
        if !found.diagnostics.iter().any(is_error) {
            let scope = levels.get::<Scope>(module)?;
            found.diagnostics.extend(scope.diagnostics.iter().cloned());
            found.diagnostics.extend(hir::resolve::unused_imports(&file, &scope.diagnostics));
            for entry in &file.items {
                // What is wrong with a test that must not compile belongs to the test, except for that it says so in a wrong way.
                if tests::is_compile_fail(&entry.item) {
                    let signature = levels.get::<Signature>(&entry.id)?;
                    let all = (*signature).as_ref().map(|signature| &signature.diagnostics[..]).unwrap_or_default();
                    found.diagnostics.extend(all.iter().filter(|d| tests::is_about_attributes(d)).cloned());
                } else {
                    collect(levels, &entry.item, &mut found)?;
                }
            }
            found.diagnostics.extend(tests::misplaced(levels, *module, &file)?);
            found.diagnostics.extend(super::impls::endless(levels, &file)?);
        }
        Ok(Arc::new(found))
    }
}

fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity() == syntax::Severity::Error
}

impl Provider for Check {
    /// Import cycles alone when there are any; in the order of modules and items, which is not yet the order on screen.
    fn provide(levels: &Levels<'_, '_>, main: &Symbol) -> Result<Arc<Vec<Diagnostic>>, Interrupt> {
        let mut found = Vec::new();
        let cycles = levels.get::<ImportCycles>(main)?;
        let modules = levels.get::<Modules>(main)?;
        if !cycles.is_empty() {
            for cycle in cycles.iter() {
                found.push(import_cycle(levels, *main, cycle)?);
            }
            for module in modules.iter() {
                found.extend(levels.get::<Parse>(module)?.diagnostics.iter().cloned());
            }
            return Ok(Arc::new(found));
        }
        let mut incomplete = Vec::new();
        for module in modules.iter() {
            let report = levels.get::<Diagnostics>(module)?;
            found.extend(report.diagnostics.iter().cloned());
            incomplete.extend(report.incomplete.iter().copied());
        }
        // A body that was given up in silence, because what it uses has an error, while nothing has one: an operation on a value of type `Never` that
        // the checker has no rule for. It must not get as far as the linker.
        if !found.iter().any(is_error) {
            for (item, span) in incomplete {
                let what = syntax::Arg::Text("part of this body (an operation on a value of type `Never`)".to_owned());
                found.push(Diagnostic::new(DiagnosticCode::E2040, Anchor::Item(item), span, [what]));
            }
        }
        if *main == tests_module() {
            found.extend(tests::strays(levels)?);
            for &module in levels.cx().input::<TestSites>(&())?.iter().flat_map(|sites| &sites.modules) {
                main_form(levels, module, &mut found)?;
            }
            return Ok(Arc::new(found));
        }
        main_form(levels, *main, &mut found)?;
        Ok(Arc::new(found))
    }
}

/// A module without `@main` may be checked; one with a wrong `@main` is wrong.
fn main_form(levels: &Levels<'_, '_>, module: Symbol, found: &mut Vec<Diagnostic>) -> Result<(), Interrupt> {
    let entry = ItemId::function(module, Symbol::new("main"));
    if let Some(signature) = levels.get::<Signature>(&entry)?.as_deref() {
        found.extend(hir::resolve::check_main(Some(signature), module));
    }
    Ok(())
}

fn import_cycle(levels: &Levels<'_, '_>, main: Symbol, cycle: &[Symbol]) -> Result<Diagnostic, Interrupt> {
    // The import that closes the cycle: from its last module to its first.
    let (Some(&first), Some(&last)) = (cycle.first(), cycle.last()) else {
        return Ok(hir::resolve::import_cycle(cycle, main, Span::default()));
    };
    for import in &levels.get::<Parse>(&last)?.imports {
        if resolved(levels, last, &import.path)? == Some(first) {
            return Ok(hir::resolve::import_cycle(cycle, last, import.path_span));
        }
    }
    Ok(hir::resolve::import_cycle(cycle, last, Span::default()))
}

/// What there is to say about one item.
fn collect(levels: &Levels<'_, '_>, item: &syntax::tree::Item, report: &mut ModuleReport) -> Result<(), Interrupt> {
    let mut body = |id: &ItemId, found: &mut Vec<Diagnostic>| {
        let checked = levels.get::<BodyReport>(id)?;
        found.extend(checked.diagnostics.iter().cloned());
        if !checked.complete {
            report.incomplete.push((item.id, item.name_span));
        }
        Ok::<(), Interrupt>(())
    };
    let found = &mut report.diagnostics;
    found.extend(levels.done(hir::resolve::check_header(item, levels))?);
    match &item.kind {
        ItemKind::Function(function) | ItemKind::Test { function, .. } => {
            if let Some(signature) = &*levels.get::<Signature>(&item.id)? {
                found.extend(signature.diagnostics.iter().cloned());
                found.extend(levels.done(hir::resolve::exposed_types(item, levels))?);
                found.extend(levels.done(hir::resolve::check_test(item, levels))?);
                for parameter in &signature.params {
                    if let Some(default) = parameter.default {
                        body(&default, found)?;
                    }
                }
            }
            if function.body.is_some() {
                body(&item.id, found)?;
            }
        }
        ItemKind::Constant { .. } => {
            if let Some((_, diagnostics)) = levels.done(hir::resolve::constant_annotation(item, levels))? {
                found.extend(diagnostics);
            }
            let start = found.len();
            body(&item.id, found)?;
            found.extend(levels.get::<ConstantValue>(&item.id)?.diagnostics.iter().cloned());
            // Whoever closes a cycle cannot look at items.
            for cycle in found[start..].iter_mut().filter(|d| d.code == DiagnosticCode::E0702) {
                cycle.span = item.name_span;
            }
        }
        ItemKind::Type { .. } => {
            if let Some(definition) = &*levels.get::<TypeDefinition>(&item.id)? {
                found.extend(definition.diagnostics.iter().cloned());
            }
            found.extend(levels.done(hir::resolve::check_type(item, levels))?);
        }
        ItemKind::Impl { .. } | ItemKind::Trait { .. } => found.extend(super::impls::block(levels, item)?),
        // The scope refuses these forms.
        ItemKind::ConstFunction(_)
        | ItemKind::DefImpl { .. }
        | ItemKind::Extend { .. }
        | ItemKind::Extern { .. }
        | ItemKind::Capset(_)
        | ItemKind::Error => {}
    }
    Ok(())
}
