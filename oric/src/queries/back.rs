//! From optimised MIR to machine code and the linked program.

use std::collections::HashSet;
use std::sync::Arc;

use hir::Type;
use ir::{ItemId, Namespace};
use query::{Fp, Interrupt};
use serde::{Deserialize, Serialize};

use super::middle::{fuel, options};
use super::{
    FunctionType, Levels, LinkOptions, LinkPlan, LinkSettings, Linked, LirBody, LirSignature, MachineCode, MainForm, Mentions, Object,
    OptimisedBody, Position, Provider, Reachable, Signature,
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
    Limit(ItemId, String),
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
        Ok(Some(Arc::new(levels.done(lir::build::flatten_signature(params, *result, levels))?)))
    }
}

impl Provider for LirBody {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<lir::Body<lir::Legal>>>, Interrupt> {
        let built = if *id == lir::build::entry_item() {
            return Ok(None);
        } else {
            let body = levels.get::<OptimisedBody>(id)?;
            let Some(body) = &*body else { return Ok(None) };
            levels.done(lir::build::build(body, levels))?
        };
        legal(levels, *id, built).map(|body| Some(Arc::new(body)))
    }
}

/// Verified, legalised, optimised, verified again.
fn legal(levels: &Levels<'_, '_>, id: ItemId, built: lir::Body<lir::Built>) -> Result<lir::Body<lir::Legal>, Interrupt> {
    let faults = levels.done(lir::verify::verify(&built, levels))?;
    crate::crash::refuse("lir", id, &faults);
    let mut body = levels.done(lir::build::legalise(built, levels))?;
    let mut fuel = fuel(&*options(levels)?);
    lir::opt::optimise(&mut body, &mut fuel);
    let faults = levels.done(lir::verify::verify(&body, levels))?;
    crate::crash::refuse("lir", id, &faults);
    Ok(body)
}

impl Provider for MachineCode {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Result<Assembled, String>>>, Interrupt> {
        let body = levels.get::<LirBody>(id)?;
        let Some(body) = &*body else { return Ok(None) };
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

/// What a program needs.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Debug)]
pub struct Reached {
    /// Functions, in the order of discovery.
    pub functions: Vec<ItemId>,
    /// Items that they name besides themselves.
    pub items: Vec<ItemId>,
}

/// Fingerprints of everything that an executable is made of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Plan {
    /// The form of `@main`.
    pub entry: Option<Entry>,
    /// Functions, with the fingerprint of their code.
    pub functions: Vec<(ItemId, Fp)>,
    /// Items that panic reports name, with the fingerprint of their position.
    pub items: Vec<(ItemId, Fp)>,
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
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Reached>, Interrupt> {
        let mut functions = vec![*main];
        let mut items = Vec::new();
        let mut seen: HashSet<ItemId> = HashSet::from([*main]);
        let mut named: HashSet<ItemId> = HashSet::new();
        let mut next = 0;
        while let Some(&item) = functions.get(next) {
            next += 1;
            let mentions = levels.get::<Mentions>(&item)?;
            functions.extend(mentions.callees.iter().filter(|callee| seen.insert(**callee)));
            items.extend(mentions.items.iter().filter(|item| named.insert(**item)));
        }
        items.retain(|item| !seen.contains(item));
        Ok(Arc::new(Reached { functions, items }))
    }
}

impl Provider for LinkPlan {
    /// Asks for fingerprints only: no code is loaded for a plan.
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Plan>, Interrupt> {
        let entry = *levels.get::<MainForm>(main)?;
        let reached = levels.get::<Reachable>(main)?;
        let symbols = link_options(levels)?.symbols;
        let mut functions = Vec::with_capacity(reached.functions.len());
        for item in &reached.functions {
            functions.push((*item, levels.cx().fingerprint::<MachineCode>(item)?));
        }
        let mut items = Vec::with_capacity(reached.functions.len() + reached.items.len());
        for item in reached.functions.iter().chain(&reached.items) {
            items.push((*item, levels.cx().fingerprint::<Position>(item)?));
        }
        Ok(Arc::new(Plan { entry, functions, items, symbols }))
    }
}

/// The options of the linker that are in force.
fn link_options(levels: &Levels<'_, '_>) -> Result<Arc<LinkOptions>, Interrupt> {
    Ok(levels.cx().input::<LinkSettings>(&())?.unwrap_or_else(|| Arc::new(LinkOptions { symbols: true })))
}

impl Provider for Linked {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Result<Vec<u8>, NotLinked>>, Interrupt> {
        with_program(levels, *main, |program| image::link(program).map_err(|e| e.to_string()))
    }
}

impl Provider for Object {
    fn provide(levels: &Levels<'_, '_>, main: &ItemId) -> Result<Arc<Result<Vec<u8>, NotLinked>>, Interrupt> {
        with_program(levels, *main, |program| object_writer::write(program).map_err(|e| e.to_string()))
    }
}

/// Gathers everything that `main` reaches and hands it to a writer of `codegen`.
fn with_program(
    levels: &Levels<'_, '_>,
    main: ItemId,
    write: impl FnOnce(&image::Program<'_>) -> Result<Vec<u8>, String>,
) -> Result<Arc<Result<Vec<u8>, NotLinked>>, Interrupt> {
    let form = levels.get::<MainForm>(&main)?;
    let Some(form) = *form else { return Ok(Arc::new(Err(NotLinked::Broken("the program has no @main".to_owned())))) };
    let reached = levels.get::<Reachable>(&main)?;
    let mut codes = Vec::with_capacity(reached.functions.len() + 1);
    for item in &reached.functions {
        let code = levels.get::<MachineCode>(item)?;
        match &*code {
            Some(code) => codes.push(code.clone()),
            None => return Ok(Arc::new(Err(NotLinked::Broken(format!("@{item} has no code"))))),
        }
    }
    codes.push(Arc::new(entry_code(levels, form)?));
    let mut linked = Vec::with_capacity(codes.len());
    for (code, item) in codes.iter().zip(reached.functions.iter().chain([&lir::build::entry_item()])) {
        match &**code {
            Ok(code) => linked.push(code),
            Err(limit) => return Ok(Arc::new(Err(NotLinked::Limit(*item, limit.clone())))),
        }
    }
    let items = items(levels, &linked)?;
    let program = image::Program {
        functions: linked.iter().map(|c| &c.function).collect(),
        items,
        entry: lir::build::entry_item(),
        returns_status: form.returns_status,
        symbols: link_options(levels)?.symbols,
    };
    Ok(Arc::new(write(&program).map_err(NotLinked::Broken)))
}

/// Code of the function that the runtime calls.
pub(crate) fn entry_code(levels: &Levels<'_, '_>, form: Entry) -> Result<Result<Assembled, String>, Interrupt> {
    let returns = match (form.returns_status, form.never_returns) {
        (true, _) => lir::build::EntryReturn::Int,
        (false, true) => lir::build::EntryReturn::Never,
        (false, false) => lir::build::EntryReturn::Void,
    };
    let item = lir::build::entry_item();
    let body = legal(levels, item, lir::build::entry(form.main, form.takes_args, returns))?;
    Ok(crate::assemble::assemble(item, &body, options(levels)?.check_allocation))
}

/// The position table: every item that a function or a site names.
pub(crate) fn items(levels: &Levels<'_, '_>, codes: &[&Assembled]) -> Result<Vec<image::Item>, Interrupt> {
    let mut ids: Vec<ItemId> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for code in codes {
        let named = std::iter::once(code.function.item).chain(code.function.places.iter().map(|p| p.item));
        ids.extend(named.filter(|id| seen.insert(*id)));
    }
    ids.sort();
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        let position = levels.get::<Position>(&id)?;
        let (file, base_line) = position.as_ref().as_ref().map_or((String::new(), 1), |p| (p.file.clone(), p.line));
        items.push(image::Item {
            id,
            key: crate::assemble::stable_key(&id.to_string()),
            name: shown_name(id),
            file,
            base_line,
            hidden: id == lir::build::entry_item(),
        });
    }
    Ok(items)
}

/// The name of an item in panic reports (language/10 §10.4).
pub fn shown_name(id: ItemId) -> String {
    let path = id.path();
    match path.namespace {
        Namespace::Constant => format!("${}", path.name),
        Namespace::Default => {
            let name = path.name.as_str();
            format!("@{}", name.split_once('.').map_or(name, |(function, _)| function))
        }
        Namespace::Function | Namespace::Test | Namespace::Type | Namespace::Other => format!("@{}", path.name),
    }
}
