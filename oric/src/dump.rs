//! `--dump=LEVEL[.PHASE][:FUNCTION]`: bodies of a level, all in one stream, to standard output.

use std::collections::HashSet;

use ir::ItemId;
use syntax::tree::ItemKind;

use crate::cli::{DumpFormat, Output, REFUSED};
use crate::queries::{self, World};
use crate::release::{self, NotMade};
use crate::session::Session;

/// Levels and their phases, the default one last.
const PHASES: &[(&str, &[&str])] = &[
    ("hir", &["typed"]),
    ("mir", &["built", "owned", "mono"]),
    ("lir", &["built", "legal"]),
    ("machine", &["select", "alloc", "final"]),
    ("asm", &["final"]),
    ("llvm", &["opt", "ir"]),
];

/// What was asked for.
struct Request<'a> {
    level: &'static str,
    phase: &'static str,
    function: Option<&'a str>,
}

fn parse(what: &str) -> Result<Request<'_>, String> {
    let (level, function) = match what.split_once(':') {
        Some((level, function)) => (level, Some(function.trim_start_matches('@'))),
        None => (what, None),
    };
    // The name that the milestones gave it.
    let level = if level == "llvm-opt" { "llvm.opt" } else { level };
    let (level, phase) = match level.split_once('.') {
        Some((level, phase)) => (level, Some(phase)),
        None => (level, None),
    };
    let names = PHASES.iter().map(|(name, _)| *name);
    let Some((level, phases)) = PHASES.iter().find(|(name, _)| *name == level) else {
        let hint = hir::resolve::nearest(level, names.clone()).map_or_else(String::new, |n| format!("; did you mean {n}?"));
        return Err(format!("there is no level '{level}'{hint} (levels: {})", names.collect::<Vec<_>>().join(", ")));
    };
    let phase = match phase {
        None => phases.last().copied().unwrap_or_default(),
        Some(asked) => phases
            .iter()
            .find(|p| **p == asked)
            .copied()
            .ok_or_else(|| format!("level {level} has no phase '{asked}' (phases: {})", phases.join(", ")))?,
    };
    Ok(Request { level, phase, function })
}

/// Does a dump show what LLVM makes?
pub fn needs_llvm(what: &str) -> bool {
    parse(what).is_ok_and(|request| (request.level, request.phase) == ("llvm", "opt"))
}

/// Prints the dump; returns the exit status.
pub fn dump(session: &mut Session, what: &str, format: DumpFormat, output: &Output) -> i32 {
    let request = match parse(what) {
        Ok(request) => request,
        Err(message) => {
            output.failure(&message);
            return REFUSED;
        }
    };
    let items = match functions_at(session, request.level, request.function) {
        Ok(items) => items,
        Err(message) => {
            output.failure(&message);
            return REFUSED;
        }
    };
    if request.level == "llvm"
        && let Err(status) = crate::commands::build::checked_main(session, output)
    {
        return status;
    }
    let made = match request.level {
        "llvm" => llvm_text(session, request.phase, request.function.map(|name| (name, &items[..]))),
        _ => Ok(text(session, &request, &items)),
    };
    let text = match made {
        Ok(text) => text,
        Err(message) => {
            output.failure(&message);
            return REFUSED;
        }
    };
    let text = match (request.level, format) {
        ("asm" | "llvm", _) | (_, DumpFormat::Text) => text,
        (_, DumpFormat::Tsv) => view(&text, ir::text::view::tsv),
        (_, DumpFormat::Json) => view(&text, ir::text::view::json),
    };
    if output.is_json() {
        output.event(&serde_json::json!({ "reason": "dump", "text": text }));
    } else {
        output.result(&text);
    }
    0
}

/// What LLVM gets (`ir`), or what it makes of that (`opt`): of the program, or of these functions.
fn llvm_text(session: &mut Session, phase: &str, only: Option<(&str, &[ItemId])>) -> Result<String, String> {
    let main = session.main_item();
    let not_made = |why: NotMade| why.message();
    let mut unit = release::whole(session, main).map_err(not_made)?;
    if let Some((name, only)) = only {
        unit = unit.restricted(|item| only.contains(&item));
        if unit.functions.is_empty() {
            let why = match is_meant(session, main, only) {
                true => format!("each call of '{name}' became its body, or is not needed"),
                false => format!("the program does not reach '{name}'"),
            };
            return Err(format!("{why}, so that LLVM does not get it (--dump=lir:{name} shows it)"));
        }
    }
    if phase == "ir" {
        return Ok(llvm::write(&unit));
    }
    let Some(release) = session.setup.release.clone() else {
        return Err("LLVM makes that: add --release (--dump=llvm.ir is what LLVM gets, and needs none)".to_owned());
    };
    let made = release::translate(&release, &[unit], llvm::Product::Optimised).map_err(not_made)?;
    Ok(String::from_utf8_lossy(&made.concat()).into_owned())
}

/// Does the program reach one of the functions before anything is optimised?
fn is_meant(session: &Session, main: ItemId, wanted: &[ItemId]) -> bool {
    let (mut open, mut seen) = (vec![main], HashSet::from([main]));
    while let Some(item) = open.pop() {
        if wanted.contains(&item) || wanted.contains(&item.generic().0) {
            return true;
        }
        let Ok(body) = session.engine.get::<queries::BuiltBody>(&item) else { continue };
        let Some(body) = body.as_ref() else { continue };
        let rows = body.blocks.rows().iter().flat_map(|block| &block.insts).map(|&inst| &body.insts[inst]);
        let named = rows.filter(|row| row.op.info().imm == ir::ops::Imm::Item).map(|row| ItemId::from_raw(row.imm as u32));
        open.extend(named.filter(|item| seen.insert(*item)));
    }
    false
}

/// The other forms are views of the text, so they cannot disagree with it.
fn view(text: &str, of: impl FnOnce(&ir::text::Dump) -> String) -> String {
    match ir::text::parse(text) {
        Ok(dump) => of(&dump),
        Err(error) => panic!("a dump does not parse back: {error}"),
    }
}

/// The functions to print at a level. Below HIR a generic function is its instances, and those of the library and the methods that the program reaches can be named too:
/// `Map'insert<str, int>`, `Map'insert` or `Map.insert`.
fn functions_at(session: &Session, level: &str, wanted: Option<&str>) -> Result<Vec<ItemId>, String> {
    let found = functions(session, wanted);
    let (Some(wanted), false) = (wanted, level == "hir") else { return found };
    let main = session.main_item();
    // No level asks for what comes behind it: whoever looks for a mistake there wants to see what is before it.
    let reached: Vec<ItemId> = match level {
        "machine" | "asm" => match session.engine.get::<queries::Reachable>(&main) {
            Ok(reached) => reached.iter().flat_map(|module| module.functions.iter().copied()).collect(),
            Err(_) => return found,
        },
        _ => match session.engine.get::<queries::ReleasePlan>(&main) {
            Ok(plan) => plan.functions.iter().map(|(item, _)| *item).collect(),
            Err(_) => return found,
        },
    };
    let method = wanted.rsplit_once('.').map(|(owner, name)| format!("{owner}'{name}"));
    let is_named = |text: &str| text == wanted || method.as_deref() == Some(text);
    let is_wanted = |item: &ItemId| {
        let base = item.generic().0;
        match &found {
            Ok(found) => found.contains(&base) && !found.contains(item),
            Err(_) => [*item, base].iter().any(|item| is_named(item.name().as_str()) || is_named(&item.to_string())),
        }
    };
    let more: Vec<ItemId> = reached.into_iter().filter(is_wanted).collect();
    match found {
        Ok(found) => Ok(found.into_iter().chain(more).collect()),
        Err(message) if more.is_empty() => Err(message),
        Err(_) => Ok(more),
    }
}

/// The functions of the text, in the order of modules and of the text.
fn functions(session: &Session, wanted: Option<&str>) -> Result<Vec<ItemId>, String> {
    let mut items: Vec<ItemId> = Vec::new();
    for module in &session.modules {
        let Ok(file) = session.engine.get::<queries::Parse>(module) else { continue };
        for entry in &file.items {
            if let ItemKind::Function(function) = &entry.item.kind {
                items.push(entry.id);
                let defaults = function.params.iter().filter(|p| p.default.is_some()).filter_map(|p| p.name);
                items.extend(defaults.map(|name| hir::resolve::default_item(entry.id, name)));
            }
        }
    }
    let Some(wanted) = wanted else { return Ok(items) };
    // A bare name means the main module first, then any module; a dotted one is exact.
    let matches: Vec<ItemId> = items.iter().copied().filter(|i| i.to_string() == wanted).collect();
    if !matches.is_empty() {
        return Ok(matches);
    }
    let mut by_name: Vec<ItemId> = items.iter().copied().filter(|i| i.name().as_str() == wanted).collect();
    // Methods as they are written, `Stock.add`, or by their name alone.
    if by_name.is_empty() {
        let method = wanted.rsplit_once('.').map(|(owner, name)| format!("{owner}'{name}"));
        let is_meant = |item: &&ItemId| match item.name().as_str().split_once('\'') {
            Some((_, name)) => method.as_deref().map_or(name == wanted, |method| item.name().as_str() == method),
            None => false,
        };
        by_name = items.iter().filter(is_meant).copied().collect();
    }
    // A lambda by the function around it and its number: `f'0`.
    if by_name.is_empty()
        && let Some((around, Ok(number))) = wanted.rsplit_once('\'').map(|(around, number)| (around, number.parse()))
    {
        return Ok(functions(session, Some(around))?.into_iter().map(|item| item.lambda(number)).collect());
    }
    match by_name.iter().position(|i| i.module() == session.project.main) {
        Some(at) => Ok(vec![by_name[at]]),
        None if !by_name.is_empty() => Ok(by_name),
        None => {
            let names: Vec<String> = items.iter().map(|i| i.name().as_str().to_owned()).collect();
            let hint = hir::resolve::nearest(wanted, names.iter().map(String::as_str))
                .map_or_else(String::new, |n| format!("; did you mean {n}?"));
            Err(format!("there is no function '{wanted}'{hint}"))
        }
    }
}

/// Functions and the lambdas in them.
fn with_lambdas(session: &Session, items: &[ItemId]) -> Vec<ItemId> {
    let of = |item: &ItemId| {
        let checked = session.engine.get::<queries::TypedBody>(item).ok();
        let lambdas = checked.and_then(|checked| checked.body.as_ref().map(|body| body.lambdas.len())).unwrap_or(0);
        let item = *item;
        std::iter::once(item).chain((0..lambdas).map(move |number| item.lambda(number)))
    };
    items.iter().flat_map(of).collect()
}

/// The functions that a name means below HIR, with their instances and lambdas: those that `--dump=mir:NAME` shows. Or why there are none.
pub fn named(session: &Session, name: &str) -> Result<Vec<ItemId>, String> {
    let items = functions_at(session, "mir", Some(name.trim_start_matches('@')))?;
    Ok(with_lambdas(session, &items))
}

/// The text of a level for these functions, as one dump.
pub fn level_text(session: &Session, level: &str, phase: &str, items: &[ItemId]) -> Option<String> {
    let (level, phases) = PHASES.iter().find(|(name, _)| *name == level)?;
    let phase = phases.iter().find(|p| **p == phase)?;
    Some(text(session, &Request { level, phase, function: None }, items))
}

/// All functions of a program, for tests that print everything.
pub fn all_functions(session: &Session) -> Vec<ItemId> {
    functions(session, None).unwrap_or_default()
}

fn text(session: &Session, request: &Request<'_>, items: &[ItemId]) -> String {
    let engine = &session.engine;
    let world = World::new(engine);
    // Below HIR a lambda is a function of its own; in HIR it is shown with the body that it stands in.
    let with_lambdas = with_lambdas(session, items);
    let items = if request.level == "hir" { items } else { &with_lambdas[..] };
    match (request.level, request.phase) {
        ("hir", _) => {
            let around = |item: &ItemId| item.of_lambda().map_or(*item, |(around, _)| around);
            let checked: Vec<_> = items.iter().filter_map(|i| engine.get::<queries::TypedBody>(&around(i)).ok()).collect();
            let bodies: Vec<&hir::Body> = checked.iter().filter_map(|c| c.body.as_ref()).collect();
            hir::text::print_file(&bodies, &world).unwrap_or_else(|_| interrupted())
        }
        ("mir", "built") => {
            let bodies: Vec<mir::Body<mir::Built>> = items
                .iter()
                .filter_map(|i| {
                    let built = |body: &hir::Body| mir::build::build(body, &mir::build::Within::new(body.owner, &world, &world)?);
                    engine.get::<queries::TypedBody>(i).ok()?.body.as_ref().map(built)
                })
                .collect::<Result<_, _>>()
                .unwrap_or_else(|_| interrupted());
            mir::text::print_file(&bodies, &world).unwrap_or_else(|_| interrupted())
        }
        ("mir", "owned") => {
            let bodies: Vec<mir::Body<mir::Owned>> =
                items.iter().filter_map(|i| engine.get::<queries::OwnedBody>(i).ok()?.as_deref().cloned()).collect();
            mir::text::print_file(&bodies, &world).unwrap_or_else(|_| interrupted())
        }
        ("mir", _) => {
            let bodies: Vec<mir::Body<mir::Mono>> =
                items.iter().filter_map(|i| engine.get::<queries::OptimisedBody>(i).ok()?.as_deref().cloned()).collect();
            mir::text::print_file(&bodies, &world).unwrap_or_else(|_| interrupted())
        }
        ("lir", "built") => {
            let bodies: Vec<lir::Body<lir::Built>> = items
                .iter()
                .filter_map(|i| engine.get::<queries::OwnedBody>(i).ok()?.as_deref().map(|b| lir::build::build(b, &world)))
                .collect::<Result<_, _>>()
                .unwrap_or_else(|_| interrupted());
            lir::text::print_file(&bodies, &world).unwrap_or_else(|_| interrupted())
        }
        ("lir", _) => {
            let bodies = legal_bodies(session, items);
            lir::text::print_file(&bodies, &world).unwrap_or_else(|_| interrupted())
        }
        ("machine", phase) => {
            let bodies = legal_bodies(session, items);
            machine_text(&bodies, phase)
        }
        _ => {
            let bodies = legal_bodies(session, items);
            machine_text(&bodies, "asm")
        }
    }
}

/// All functions at one boundary of the machine level; `asm` is the listing of the finished ones.
fn machine_text(bodies: &[lir::Body<lir::Legal>], phase: &str) -> String {
    let mut scratch = machine::Scratch::default();
    let (mut select, mut alloc, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for body in bodies {
        let mut show = |stage: machine::Stage<'_>| match stage {
            machine::Stage::Select(function) => select.push(function.clone()),
            machine::Stage::Alloc(function) => alloc.push(function.clone()),
            machine::Stage::Final(function, _) => last.push(function.clone()),
        };
        // With checking on, allocation keeps the virtual registers, and the dump shows them (decision 12).
        // A function beyond a limit is left out, as an empty body would be; `build` says why. One that breaks a rule is shown at the boundaries
        // before that: whoever looks for the cause needs them.
        let broken = match machine::compile_dumping(body, &mut scratch, phase == "alloc", &mut show) {
            Err(machine::CompileError::Broken(report)) => Some(report),
            Err(machine::CompileError::Limit(_)) | Ok(_) => None,
        };
        let is_shown = match phase {
            "select" => select.last().is_some_and(|function| function.name == body.name),
            "alloc" => alloc.last().is_some_and(|function| function.name == body.name),
            _ => false,
        };
        if let Some(report) = broken.filter(|_| !is_shown) {
            panic!("{report}");
        }
    }
    match phase {
        "select" => machine::text::print(&select.iter().collect::<Vec<_>>()),
        "alloc" => machine::text::print(&alloc.iter().collect::<Vec<_>>()),
        "final" => machine::text::print(&last.iter().collect::<Vec<_>>()),
        _ => last.iter().map(machine::text::listing).collect(),
    }
}

/// Nothing cancels a dump, and cycles have been reported before it.
fn interrupted<T>() -> T {
    panic!("a dump was interrupted")
}

fn legal_bodies(session: &Session, items: &[ItemId]) -> Vec<lir::Body<lir::Legal>> {
    items.iter().filter_map(|i| session.engine.get::<queries::LirBody>(i).ok()?.as_deref().cloned()).collect()
}
