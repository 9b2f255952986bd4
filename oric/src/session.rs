//! One engine with its inputs: loading sources, demanding in parallel, collecting diagnostics.

use std::cell::Cell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ir::{ItemId, Symbol};
use parking_lot::{Condvar, Mutex};
use query::{Engine, Interrupt};
use syntax::tree::{ItemKind, ModulePath};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Severity, Span};

use crate::project::{OpenError, Project, SourceFile};
use crate::queries::{self, Assembled, Options};
use crate::report::Sources;

/// A project in an engine.
pub struct Session {
    /// The engine with every source as an input.
    pub engine: Engine,
    /// Where the modules are.
    pub project: Project,
    /// Modules that the main module reaches, in the order in which they were found.
    pub modules: Vec<Symbol>,
    /// Threads that demand answers.
    pub workers: usize,
}

impl Session {
    /// Loads a project: its main module and everything that imports reach.
    pub fn load(project: Project, options: Options, workers: usize) -> Result<Session, OpenError> {
        let mut engine = queries::engine();
        engine.set::<queries::Settings>(&(), options);
        let mut session = Session { engine, project, modules: Vec::new(), workers: workers.max(1) };
        session.reload()?;
        Ok(session)
    }

    /// Reads every reachable file again; unchanged text is no edit.
    pub fn reload(&mut self) -> Result<(), OpenError> {
        self.modules.clear();
        let mut asked: HashSet<Symbol> = HashSet::new();
        let mut wave = vec![self.project.main];
        asked.insert(self.project.main);
        while !wave.is_empty() {
            // Read and set the inputs of one wave, then parse them in parallel to learn the next.
            let mut read = Vec::new();
            for module in wave.drain(..) {
                match self.project.read(module) {
                    Some(Ok(source)) => {
                        self.engine.set::<queries::Source>(&module, source);
                        read.push(module);
                    }
                    Some(Err(error)) => return Err(error),
                    None => self.engine.remove::<queries::Source>(&module),
                }
            }
            self.parallel(&read, |engine, module| {
                let _ = engine.get::<queries::Imports>(module);
            });
            for module in read {
                self.modules.push(module);
                let imports = self.engine.get::<queries::Imports>(&module).map(|i| (*i).clone()).unwrap_or_default();
                for (path, _) in imports {
                    if let Some(candidate) = self.candidate(module, &path)
                        && asked.insert(candidate)
                    {
                        wave.push(candidate);
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs `work` for each item on all workers.
    pub fn parallel<T: Sync>(&self, items: &[T], work: impl Fn(&Engine, &T) + Sync) {
        let workers = self.workers.min(items.len());
        if workers <= 1 {
            for item in items {
                work(&self.engine, item);
            }
            return;
        }
        let next = AtomicUsize::new(0);
        let run = || {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                work(&self.engine, item);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..workers {
                std::thread::Builder::new().stack_size(WORKER_STACK).spawn_scoped(scope, run).map_or_else(|_| run(), drop);
            }
            run();
        });
    }

    /// Everything there is to say about the program, sorted; import cycles alone when there are any.
    pub fn diagnostics(&self) -> Result<Vec<Diagnostic>, Interrupt> {
        let mut found = Vec::new();
        let cycles = self.engine.get::<queries::ImportCycles>(&self.project.main)?;
        for cycle in cycles.iter() {
            found.push(self.import_cycle(cycle)?);
        }
        if cycles.is_empty() {
            // One unit of work a body, not a module: large modules do not wait for one worker.
            let items = self.bodies()?;
            self.parallel(&items, |engine, item| {
                let _ = engine.get::<queries::TypedBody>(item);
            });
            for module in &self.modules {
                found.extend(self.engine.get::<queries::Diagnostics>(module)?.iter().cloned());
            }
            // A body that was given up in silence, because what it uses has an error, while nothing has one: an operation on a value of type `Never` that
            // the checker has no rule for. It must not get as far as the linker.
            if !found.iter().any(|d| d.severity() == Severity::Error) {
                for item in items {
                    if self.engine.get::<queries::TypedBody>(&item)?.body.is_none() {
                        let span = self.engine.get::<queries::Item>(&item)?.as_deref().map_or(Span::default(), |i| i.name_span);
                        let what = syntax::Arg::Text("part of this body (an operation on a value of type `Never`)".to_owned());
                        found.push(Diagnostic::new(DiagnosticCode::E2040, Anchor::Item(item), span, [what]));
                    }
                }
            }
            // A module without `@main` may be checked; one with a wrong `@main` is wrong.
            if let Some(signature) = self.engine.get::<queries::Signature>(&self.main_item())?.as_deref() {
                found.extend(hir::resolve::check_main(Some(signature), self.project.main));
            }
        } else {
            for module in &self.modules {
                found.extend(self.engine.get::<queries::Parse>(module)?.diagnostics.iter().cloned());
            }
        }
        crate::report::sort(self, &mut found);
        Ok(found)
    }

    /// Functions, tests and constants with a body, of all modules that parse.
    pub fn bodies(&self) -> Result<Vec<ItemId>, Interrupt> {
        let mut items = Vec::new();
        for module in &self.modules {
            let file = self.engine.get::<queries::Parse>(module)?;
            if file.diagnostics.iter().any(|d| d.severity() == Severity::Error) {
                continue;
            }
            items.extend(file.items.iter().filter(|e| has_body(&e.item.kind)).map(|e| e.id));
        }
        Ok(items)
    }

    fn import_cycle(&self, cycle: &[Symbol]) -> Result<Diagnostic, Interrupt> {
        // The import that closes the cycle: from its last module to its first.
        let (first, last) = (cycle.first().copied(), cycle.last().copied());
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(hir::resolve::import_cycle(cycle, self.project.main, Span::default()));
        };
        let imports = self.engine.get::<queries::Imports>(&last)?;
        let span = imports.iter().find(|(path, _)| self.candidate(last, path) == Some(first)).map_or(Span::default(), |(_, span)| *span);
        Ok(hir::resolve::import_cycle(cycle, last, span))
    }

    /// Code of everything that `main` reaches, generated in parallel: each finished function brings its callees.
    pub fn generate(&self, main: ItemId) {
        struct Work {
            ready: Vec<ItemId>,
            seen: HashSet<ItemId>,
            busy: usize,
        }
        let work = Mutex::new(Work { ready: vec![main], seen: HashSet::from([main]), busy: 0 });
        let changed = Condvar::new();
        let run = || {
            let mut guard = work.lock();
            loop {
                let Some(item) = guard.ready.pop() else {
                    if guard.busy == 0 {
                        changed.notify_all();
                        return;
                    }
                    changed.wait(&mut guard);
                    continue;
                };
                guard.busy += 1;
                drop(guard);
                // A panic here (our bug) must not leave the other workers waiting for this one.
                let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.engine.get::<queries::MachineCode>(&item)));
                guard = work.lock();
                guard.busy -= 1;
                let code = match code {
                    Ok(code) => code,
                    Err(panic) => {
                        guard.ready.clear();
                        changed.notify_all();
                        drop(guard);
                        std::panic::resume_unwind(panic);
                    }
                };
                if let Ok(code) = code
                    && let Some(Ok(code)) = code.as_deref()
                {
                    for callee in &code.callees {
                        if guard.seen.insert(*callee) {
                            guard.ready.push(*callee);
                        }
                    }
                }
                changed.notify_all();
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.workers {
                let _ = std::thread::Builder::new().stack_size(WORKER_STACK).spawn_scoped(scope, run);
            }
            run();
        });
    }

    /// The module that an import path would name, whether it exists or not.
    fn candidate(&self, from: Symbol, path: &ModulePath) -> Option<Symbol> {
        let named = Cell::new(None);
        let _ = queries::resolve(from, path, |module| {
            if module != from {
                named.set(Some(module));
                return Ok::<_, Infallible>(None);
            }
            Ok(self.engine.get::<queries::ModuleFile>(&module).ok().and_then(|name| (*name).clone()))
        });
        named.get()
    }

    /// `@main` of the main module.
    pub fn main_item(&self) -> ItemId {
        ItemId::function(self.project.main, Symbol::new("main"))
    }

    /// Paths and texts of all sources, for a reproducer.
    pub fn source_texts(&self) -> Vec<(String, String)> {
        self.modules.iter().filter_map(|m| self.file(*m)).map(|f| (f.path.clone(), f.text.clone())).collect()
    }
}

/// The levels walk trees and graphs recursively up to the parser's nesting limit, in debug builds too.
pub const WORKER_STACK: usize = 64 << 20;

fn has_body(kind: &ItemKind) -> bool {
    match kind {
        ItemKind::Function(function) | ItemKind::Test { function, .. } => function.body.is_some(),
        ItemKind::Constant { .. } => true,
        ItemKind::ConstFunction(_)
        | ItemKind::Type { .. }
        | ItemKind::Trait { .. }
        | ItemKind::Impl { .. }
        | ItemKind::DefImpl { .. }
        | ItemKind::Extend { .. }
        | ItemKind::Extern { .. }
        | ItemKind::Capset(_)
        | ItemKind::Error => false,
    }
}

impl Sources for Session {
    fn file(&self, module: Symbol) -> Option<Arc<SourceFile>> {
        self.engine.input_value::<queries::Source>(&module)
    }

    fn item_start(&self, item: ItemId) -> Option<u32> {
        self.engine.get::<queries::Position>(&item).ok()?.as_ref().as_ref().map(|p| p.start)
    }
}

thread_local! {
    static SCRATCH: std::cell::RefCell<machine::Scratch> = std::cell::RefCell::new(machine::Scratch::default());
}

/// LIR to linkable code.
/// `Err` says which limit the function exceeds.
pub fn assemble(item: ItemId, body: &lir::Body<lir::Legal>, checking: bool) -> Result<Assembled, String> {
    let code = SCRATCH.with_borrow_mut(|scratch| machine::compile(body, scratch, checking));
    let code = match code {
        Ok(code) => code,
        Err(machine::CompileError::Limit(limit)) => return Err(limit),
        Err(machine::CompileError::Broken(report)) => panic!("{report}"),
    };
    Ok(linkable(item, code))
}

/// Code of the machine level in the form that `codegen` takes.
pub fn linkable(item: ItemId, code: machine::Code) -> Assembled {
    let mut callees = Vec::new();
    let mut seen = HashSet::new();
    let relocs = code
        .relocs
        .iter()
        .map(|reloc| {
            use machine::finish::RelocTarget;
            use machine::ir::Callee;
            let (kind, target) = match reloc.target {
                RelocTarget::Callee(Callee::Function(callee)) => {
                    if seen.insert(callee) {
                        callees.push(callee);
                    }
                    (image::RelocKind::Call32, image::Target::Function(callee))
                }
                RelocTarget::Callee(Callee::Runtime(call)) => {
                    (image::RelocKind::Call32, image::Target::Runtime(image::RuntimeSymbol::Call(call)))
                }
                RelocTarget::Panic(kind) => (image::RelocKind::Call32, image::Target::Runtime(image::RuntimeSymbol::Panic(kind))),
                RelocTarget::Data(row) => (image::RelocKind::Data32, image::Target::Data(row)),
            };
            image::Reloc { offset: reloc.offset, kind, target, addend: reloc.addend }
        })
        .collect();
    let mut places = Vec::new();
    let sites = code
        .sites
        .iter()
        .map(|site| {
            let first_place = places.len() as u32;
            places.extend(code.places.chain(site.place).map(|p| image::SitePlace { item: p.item, line: p.line, column: p.column }));
            image::Site {
                return_offset: site.return_offset,
                pad_offset: site.pad_offset,
                first_place,
                places: places.len() as u32 - first_place,
            }
        })
        .collect();
    let name = item.to_string();
    let function = image::Function {
        item,
        key: stable_key(&name),
        name,
        code: code.bytes,
        relocs,
        data: code.data.into_iter().map(|d| image::Data { bytes: d.bytes, align: d.align, relocs: Vec::new() }).collect(),
        has_frame: code.has_frame,
        frame_size: code.frame_size,
        saved_mask: code.saved_mask,
        sites,
        places,
    };
    Assembled { function, callees }
}

/// FNV-1a with 128 bits: the stable key of a function or item in the image.
pub fn stable_key(name: &str) -> u128 {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for byte in name.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    hash
}
