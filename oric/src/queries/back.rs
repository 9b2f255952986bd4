//! From optimised MIR to machine code and the linked program.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use hir::Type;
use ir::{ItemId, Namespace, Symbol};
use lir::build::Purpose;
use query::{Fp, Interrupt};
use serde::{Deserialize, Serialize};

use super::limit::Limit;
use super::middle::{is_endless, options};
use super::{
    Accounted, EntryCode, FunctionType, Levels, LinkOptions, LinkPlan, LinkSettings, Linked, LirBody, LirSignature, MachineCode, MainForm,
    Mentions, Object, OwnedBody, Part, Position, Provider, Reachable, ReachedIn, ReachedModules, Signature,
};

/// A function ready to be linked, and whom it calls.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Assembled {
    /// Code, constants, relocations, sites.
    pub function: image::Function,
    /// Functions that its relocations name, without repetition, in order.
    pub callees: Vec<ItemId>,
}

/// Why a program has no image.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum NotLinked {
    /// A function exceeds a limit.
    Limit(ItemId, Limit),
    /// A mistake of ours.
    Broken(String),
}

/// The form of `@main`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Entry {
    /// `@main`.
    pub main: ItemId,
    /// It takes `args: [str]`.
    pub takes_args: bool,
    /// It returns its exit status.
    pub returns_status: bool,
    /// It returns `Never`.
    pub never_returns: bool,
}

impl Provider for MainForm {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Option<Entry>, Interrupt> {
        if *main == super::tests_item() {
            return Ok(Some(Entry { main: *main, takes_args: true, returns_status: false, never_returns: false }));
        }
        let signature = levels.get::<Signature>(main)?;
        Ok((*signature).as_ref().map(|s| Entry {
            main: *main,
            takes_args: !s.params.is_empty(),
            returns_status: s.result == Type::INT,
            never_returns: s.result == Type::NEVER,
        }))
    }
}

impl Provider for LirSignature {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<lir::Signature>>, Interrupt> {
        let types = levels.get::<FunctionType>(id)?;
        let Some((params, result)) = types.as_deref() else { return Ok(None) };
        // What is hidden depends on a body: whoever asks makes it known.
        if params.iter().chain([result]).any(|ty| ty.has_associated()) {
            return Ok(None);
        }
        Ok(Some(Arc::new(levels.done(lir::build::flatten_signature(params, *result, levels))?)))
    }
}

impl Provider for LirBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<lir::Body<lir::Legal>>>, Interrupt> {
        // A body that is too wide for LIR has no blocks.
        let Some(built) = built(levels, *id)?.filter(|body| !body.blocks.is_empty()) else { return Ok(None) };
        legal(levels, *id, built).map(|body| Some(Arc::new(body)))
    }
}

/// LIR of a body as it is built.
pub(super) fn built(levels: &Levels<'_, '_>, id: ItemId) -> Result<Option<lir::Body<lir::Built>>, Interrupt> {
    if id == lir::build::entry_item() {
        return Ok(None);
    }
    if let Some((purpose, ty)) = Purpose::of(id) {
        return levels.done(lir::build::glue(id, purpose, ty, levels)).map(Some);
    }
    let body = levels.get::<OwnedBody>(&id)?;
    let Some(body) = &*body else { return Ok(None) };
    levels.done(lir::build::build(body, levels)).map(Some)
}

/// The passes over a legal body.
pub(super) fn optimise(body: &mut lir::Body<lir::Legal>, fuel: &mut ir::Fuel) {
    lir::opt::optimise(body, fuel);
    if let Some(planted) = crate::rewrites::PLANTED.get() {
        (planted.lir)(body, fuel);
    }
}

/// Verified, legalised, optimised, verified again.
fn legal(levels: &Levels<'_, '_>, id: ItemId, built: lir::Body<lir::Built>) -> Result<lir::Body<lir::Legal>, Interrupt> {
    let faults = levels.done(lir::verify::verify(&built, levels))?;
    crate::crash::refuse("lir", id, &faults, || lir::text::print_file(std::slice::from_ref(&built), levels));
    let mut body = levels.done(lir::build::legalise(built, levels))?;
    let options = options(levels)?;
    let mut fuel = options.fuel(id, crate::rewrites::Stage::Lir);
    optimise(&mut body, &mut fuel);
    if options.separate_cells {
        lir::build::separate(&mut body);
    }
    let faults = levels.done(lir::verify::verify(&body, levels))?;
    crate::crash::refuse("lir", id, &faults, || lir::text::print_file(std::slice::from_ref(&body), levels));
    Ok(body)
}

/// Why there is no code for a function, when there is none: its type arguments have no end, or a value in it has too many parts.
pub(super) fn refused(levels: &Levels<'_, '_>, id: ItemId) -> Result<Option<Limit>, Interrupt> {
    if is_endless(id) {
        return Ok(Some(Limit::endless(id)));
    }
    let is_wide = levels.get::<LirBody>(&id)?.is_none() && built(levels, id)?.is_some_and(|body| body.blocks.is_empty());
    Ok(is_wide.then_some(Limit::Parts))
}

impl Provider for MachineCode {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Result<Assembled, Limit>>>, Interrupt> {
        let body = if is_endless(*id) { Arc::new(None) } else { levels.get::<LirBody>(id)? };
        let Some(body) = &*body else { return Ok(refused(levels, *id)?.map(|limit| Arc::new(Err(limit)))) };
        Ok(Some(Arc::new(crate::assemble::assemble(*id, body, options(levels)?.check_allocation))))
    }
}

/// What the code of a function names.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, Debug)]
pub struct Mentioned {
    /// Functions that it calls.
    pub callees: Vec<ItemId>,
    /// Items whose places it holds, besides its own.
    pub items: Vec<ItemId>,
}

/// A program, by its `@main`, and a module of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModuleOf {
    /// `@main`.
    pub main: ItemId,
    /// A module that it reaches.
    pub module: Symbol,
}

impl std::fmt::Debug for ModuleOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {:?}", self.module, self.main)
    }
}

/// What a program needs of a module.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Reached {
    /// The module.
    pub module: Symbol,
    /// Functions, in the order of discovery.
    pub functions: Vec<ItemId>,
    /// Items that reached code names besides those functions.
    pub items: Vec<ItemId>,
}

/// Fingerprints of everything that one module gives to an executable.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct PartPlan {
    /// Functions, with the fingerprint of their code.
    pub functions: Vec<(ItemId, u128)>,
    /// Items that panic reports name, with the fingerprint of their position.
    pub items: Vec<(ItemId, u128)>,
}

/// Fingerprints of the parts that an executable is made of.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Plan {
    /// The form of `@main`.
    pub entry: Option<Entry>,
    /// The entry function: its code and its row among the items.
    pub start: PartPlan,
    /// Which functions and items the program has.
    pub reached: u128,
    /// What each module gives.
    pub parts: Vec<(Symbol, u128)>,
    /// With a symbol table?
    pub symbols: bool,
}

impl Provider for Mentions {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Mentioned>, Interrupt> {
        let code = levels.get::<MachineCode>(id)?;
        let Some(Ok(code)) = code.as_deref() else { return Ok(Arc::default()) };
        let mut seen = HashSet::from([*id]);
        let items = code.function.places.iter().map(|place| place.item).filter(|item| seen.insert(*item)).collect();
        Ok(Arc::new(Mentioned { callees: code.callees.clone(), items }))
    }
}

impl Provider for Reachable {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Vec<Reached>>, Interrupt> {
        let mut found: Vec<Reached> = Vec::new();
        let mut places: HashMap<Symbol, usize> = HashMap::new();
        let mut place = |item: ItemId, found: &mut Vec<Reached>| {
            *places.entry(item.module()).or_insert_with(|| {
                found.push(Reached { module: item.module(), functions: Vec::new(), items: Vec::new() });
                found.len() - 1
            })
        };
        let mut open = VecDeque::from([*main]);
        let mut seen: HashSet<ItemId> = HashSet::from([*main]);
        let mut named: HashSet<ItemId> = HashSet::new();
        while let Some(item) = open.pop_front() {
            let mentions = levels.get::<Mentions>(&item)?;
            open.extend(mentions.callees.iter().filter(|callee| seen.insert(**callee)));
            let at = place(item, &mut found);
            found[at].functions.push(item);
            for item in mentions.items.iter().filter(|item| named.insert(**item)) {
                let at = place(*item, &mut found);
                found[at].items.push(*item);
            }
        }
        for reached in &mut found {
            reached.items.retain(|item| !seen.contains(item));
        }
        Ok(Arc::new(found))
    }
}

impl Provider for ReachedModules {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Vec<Symbol>>, Interrupt> {
        Ok(Arc::new(levels.get::<Reachable>(main)?.iter().map(|reached| reached.module).collect()))
    }
}

impl Provider for ReachedIn {
    fn provide(levels: &Levels<'_, '_>, key: &ModuleOf) -> Result<Arc<Reached>, Interrupt> {
        let all = levels.get::<Reachable>(&key.main)?;
        let none = || Reached { module: key.module, functions: Vec::new(), items: Vec::new() };
        Ok(Arc::new(all.iter().find(|reached| reached.module == key.module).cloned().unwrap_or_else(none)))
    }
}

/// The function that the runtime calls; `None` without `@main`.
pub(super) fn entry_body(levels: &Levels<'_, '_>, main: ItemId) -> Result<Option<lir::Body<lir::Legal>>, Interrupt> {
    let Some(form) = *levels.get::<MainForm>(&main)? else { return Ok(None) };
    let returns = match (form.returns_status, form.never_returns) {
        (true, _) => lir::build::EntryReturn::Int,
        (false, true) => lir::build::EntryReturn::Never,
        (false, false) => lir::build::EntryReturn::Void,
    };
    let item = lir::build::entry_item();
    legal(levels, item, lir::build::entry(form.main, form.takes_args, returns)).map(Some)
}

impl Provider for EntryCode {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Option<Arc<Result<Assembled, Limit>>>, Interrupt> {
        let Some(body) = entry_body(levels, *main)? else { return Ok(None) };
        Ok(Some(Arc::new(crate::assemble::assemble(body.name, &body, options(levels)?.check_allocation))))
    }
}

impl Provider for Part {
    /// Asks for fingerprints only: no code is loaded for a plan.
    fn provide(levels: &Levels<'_, '_>, key: &ModuleOf) -> Result<Arc<PartPlan>, Interrupt> {
        let reached = levels.get::<ReachedIn>(key)?;
        let mut part =
            PartPlan { functions: Vec::with_capacity(reached.functions.len()), items: Vec::with_capacity(reached.functions.len()) };
        for item in &reached.functions {
            part.functions.push((*item, wide(levels.cx().fingerprint::<MachineCode>(item)?)));
        }
        for item in reached.functions.iter().chain(&reached.items) {
            part.items.push((*item, wide(levels.cx().fingerprint::<Position>(item)?)));
        }
        Ok(Arc::new(part))
    }
}

impl Provider for LinkPlan {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Plan>, Interrupt> {
        let entry = *levels.get::<MainForm>(main)?;
        let symbols = link_options(levels)?.symbols;
        let entry_item = lir::build::entry_item();
        let start = PartPlan {
            functions: vec![(entry_item, wide(levels.cx().fingerprint::<EntryCode>(main)?))],
            items: vec![(entry_item, wide(levels.cx().fingerprint::<Position>(&entry_item)?))],
        };
        let reached = wide(levels.cx().fingerprint::<Reachable>(main)?);
        let modules = levels.get::<ReachedModules>(main)?;
        let mut parts = Vec::with_capacity(modules.len());
        for &module in modules.iter() {
            parts.push((module, wide(levels.cx().fingerprint::<Part>(&ModuleOf { main: *main, module })?)));
        }
        Ok(Arc::new(Plan { entry, start, reached, parts, symbols }))
    }
}

/// The options of the linker that are in force.
pub(super) fn link_options(levels: &Levels<'_, '_>) -> Result<Arc<LinkOptions>, Interrupt> {
    Ok(levels.cx().input::<LinkSettings>(&())?.unwrap_or_else(|| Arc::new(LinkOptions { symbols: true, lane: 0 })))
}

/// An executable linked from nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Executable {
    /// Its bytes.
    pub image: Vec<u8>,
    /// What a later link patches it by; `None` when it cannot be patched.
    pub sidecar: Option<Vec<u8>>,
}

impl Provider for Linked {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Result<Executable, NotLinked>>, Interrupt> {
        with_program(levels, *main, |program, fingerprints| {
            let linked = image::link_with_sidecar(program, fingerprints).map_err(|error| error.to_string())?;
            Ok(Executable { image: linked.image, sidecar: linked.sidecar.ok() })
        })
    }
}

impl Provider for Object {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Result<Vec<u8>, NotLinked>>, Interrupt> {
        with_program(levels, *main, |program, _| object_writer::write(program).map_err(|error| error.to_string()))
    }
}

impl Provider for Accounted {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Result<image::Account, NotLinked>>, Interrupt> {
        with_program(levels, *main, |program, _| image::account(program).map_err(|error| error.to_string()))
    }
}

/// A fingerprint as the linker has it.
pub fn wide(fp: Fp) -> u128 {
    u128::from(fp.1) << 64 | u128::from(fp.0)
}

/// Gathers everything that `main` reaches and hands it to a writer of `codegen`.
fn with_program<T>(
    levels: &Levels<'_, '_>,
    main: ItemId,
    write: impl FnOnce(&image::Program<'_>, image::Fingerprints<'_>) -> Result<T, String>,
) -> Result<Arc<Result<T, NotLinked>>, Interrupt> {
    let plan = levels.get::<LinkPlan>(&main)?;
    let Some(form) = plan.entry else { return Ok(Arc::new(Err(NotLinked::Broken("the program has no @main".to_owned())))) };
    let (mut functions, mut items) = (plan.start.functions.clone(), plan.start.items.clone());
    for &(module, _) in &plan.parts {
        let part = levels.get::<Part>(&ModuleOf { main, module })?;
        functions.extend_from_slice(&part.functions);
        items.extend_from_slice(&part.items);
    }
    let fingerprints: [Vec<u128>; 2] = [&functions, &items].map(|rows| rows.iter().map(|(_, fingerprint)| *fingerprint).collect());
    let mut codes = Vec::with_capacity(functions.len());
    for (item, _) in &functions {
        if *item == lir::build::entry_item() {
            codes.push((*levels.get::<EntryCode>(&main)?).clone());
        } else {
            codes.push((*levels.get::<MachineCode>(item)?).clone());
        }
    }
    let mut linked = Vec::with_capacity(codes.len());
    for (code, (item, _)) in codes.iter().zip(&functions) {
        match code.as_deref() {
            Some(Ok(code)) => linked.push(&code.function),
            Some(Err(limit)) => return Ok(Arc::new(Err(NotLinked::Limit(*item, limit.clone())))),
            None => return Ok(Arc::new(Err(NotLinked::Broken(format!("@{item} has no code"))))),
        }
    }
    let mut records = Vec::with_capacity(items.len());
    for (item, _) in &items {
        records.push(item_record(*item, levels.get::<Position>(item)?.as_ref().as_ref()));
    }
    let program = image::Program {
        functions: linked,
        items: records,
        entry: lir::build::entry_item(),
        returns_status: form.returns_status,
        symbols: plan.symbols,
        external: Vec::new(),
        foreign_frames: false,
    };
    let fingerprints = image::Fingerprints { functions: &fingerprints[0], items: &fingerprints[1] };
    Ok(Arc::new(write(&program, fingerprints).map_err(NotLinked::Broken)))
}

/// The row of an item in the position table.
pub fn item_record(id: ItemId, position: Option<&super::ItemPosition>) -> image::Item {
    let (file, base_line) = position.map_or((String::new(), 1), |position| (position.file.clone(), position.line));
    image::Item { id, key: id.content(), name: shown_name(id), file, base_line, hidden: is_hidden(id) }
}

/// Is it left out of panic reports: what nobody wrote?
pub fn is_hidden(id: ItemId) -> bool {
    id == lir::build::entry_item()
        || id == super::tests_item()
        || Purpose::of(id).is_some()
        || id.unpacked().is_some()
        || hir::types::instance_of(id).0.of_object().is_some()
        || hir::resolve::prelude::is_predeclared(id)
}

/// The name of an item in panic reports (language/10 §10.4).
pub fn shown_name(id: ItemId) -> String {
    if let Some((around, _)) = id.of_lambda() {
        return format!("{}.lambda", shown_name(around));
    }
    if Purpose::of(id).is_some() {
        return format!("@{id}");
    }
    let path = id.path();
    match path.namespace {
        Namespace::Constant => format!("${}", path.name),
        Namespace::Default => {
            let name = path.name.as_str();
            method_name(name.split_once('.').map_or(name, |(function, _)| function))
        }
        Namespace::Function | Namespace::Test | Namespace::Type | Namespace::Other => method_name(path.name.as_str()),
    }
}

/// `@f`, `@Type.method`: without the trait of a method, the type arguments of an instance and what stands for something that an object points to.
fn method_name(name: &str) -> String {
    let name = name.find(['<', '&']).map_or(name, |end| &name[..end]);
    match (name.split_once('\''), name.rsplit_once('\'')) {
        (Some((block, _)), Some((_, method))) => format!("@{block}.{method}"),
        _ => format!("@{name}"),
    }
}
