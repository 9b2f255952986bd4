//! One engine with its inputs: what the store knows, what the disk says now, demanding in parallel, publishing what was learned.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ir::{ItemId, Symbol};
use parking_lot::{Condvar, Mutex};
use query::engine::{Outcome, Recording, SHARED};
use query::store::cas::DEFAULT_BUDGET;
use query::store::{Section, Store, StoreOptions};
use query::{Engine, Interrupt, Kind, Query};
use syntax::tree::ItemKind;
use syntax::{Diagnostic, Severity};

use crate::cache::Cache;
use crate::cli::Timings;
use crate::coverage::{self, Coverage};
use crate::foreign::Linker;
use crate::inputs::Inputs;
use crate::outputs::Outputs;
use crate::project::{OpenError, Project, SourceFile};
use crate::queries::{self, LinkOptions, Options};
use crate::release::Release;
use crate::report::Sources;

/// So many bodies out of date are worth a second thread.
const MANY: usize = 12;

/// How a session works.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Options that change code.
    pub options: Options,
    /// Options that change the executable.
    pub link: LinkOptions,
    /// The linker that makes executables; `None`: the built-in one.
    pub linker: Option<Linker>,
    /// Code by LLVM instead of our own.
    pub release: Option<Release>,
    /// Threads that demand answers; `None`: as many as the machine has for us, asked only where there is work for them.
    pub workers: Option<usize>,
    /// Where the store is; `None`: everything is computed, nothing is kept.
    pub cache: Option<Cache>,
    /// Most bytes of artifacts and link images that stay there.
    pub budget: u64,
    /// Is code wanted, or only diagnostics?
    pub builds: bool,
    /// Is the program that of the tests?
    pub tests: bool,
    /// What is said of functions without a test.
    pub coverage: Coverage,
    /// Memo tables only: what the cost of the engine is measured against.
    pub bare: bool,
    /// Are executions logged, for [`Engine::take_log`]?
    pub log: bool,
    /// Is every execution to be written down, for a report of where the time went?
    pub timings: Option<Timings>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            options: Options::default(),
            link: LinkOptions { symbols: true, lane: 0 },
            linker: None,
            release: None,
            workers: Some(1),
            cache: None,
            budget: DEFAULT_BUDGET,
            builds: true,
            tests: false,
            coverage: Coverage::Off,
            bare: false,
            log: false,
            timings: None,
        }
    }
}

/// More threads than this are not started, however many are asked for: each has a stack.
const MOST_WORKERS: usize = 256;

impl Setup {
    /// How many threads demand answers.
    pub fn workers(&self) -> usize {
        self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)).clamp(1, MOST_WORKERS)
    }
}

/// Work that is no query's: for `--timings`.
#[derive(Clone, Debug)]
pub struct Step {
    /// `llvm` or `link`.
    pub kind: &'static str,
    /// What was made, or by whom.
    pub what: String,
    /// By which worker process, of those of its kind.
    pub worker: usize,
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub took: Duration,
}

/// A project in an engine.
pub struct Session {
    /// The engine with every source as an input.
    pub engine: Engine,
    /// Where the modules are.
    pub project: Project,
    /// Modules that the main module reaches, in the order in which they were found.
    pub modules: Vec<Symbol>,
    /// How it works.
    pub setup: Setup,
    /// What was written outside the store.
    pub outputs: Outputs,
    /// What the user is told once: the store was damaged, cannot be written.
    pub warnings: Vec<String>,
    /// What other programs did.
    pub steps: Vec<Step>,
    /// What is served to the engine.
    pub inputs: Arc<Inputs>,
    /// Sections of the store that changed.
    inputs_changed: bool,
}

impl Session {
    /// Loads a project without a store: its main module and everything that imports reach.
    pub fn load(project: Project, options: Options, workers: usize) -> Result<Session, OpenError> {
        Session::open(project, Setup { options, workers: Some(workers), ..Setup::default() })
    }

    /// A program of one module that is in memory alone.
    pub fn in_memory(project: Project, options: Options, source: SourceFile) -> Session {
        let mut engine = queries::engine();
        let main = project.main;
        // An engine without a store has nothing that could be damaged.
        let _ = engine.set::<queries::Settings>(&(), options.clone());
        let _ = engine.set::<queries::Main>(&(), main);
        let _ = engine.set::<queries::Source>(&main, source);
        Session {
            engine,
            project,
            modules: vec![main],
            setup: Setup { options, ..Setup::default() },
            outputs: Outputs::default(),
            warnings: Vec::new(),
            steps: Vec::new(),
            inputs: Arc::default(),
            inputs_changed: false,
        }
    }

    /// The stored graph as it is, for reports; `None` when there is none.
    pub fn stored(project: Project, setup: Setup) -> Option<Session> {
        let mut session = Session {
            engine: queries::engine(),
            project,
            modules: Vec::new(),
            setup,
            outputs: Outputs::default(),
            warnings: Vec::new(),
            steps: Vec::new(),
            inputs: Arc::default(),
            inputs_changed: false,
        };
        let cache = session.setup.cache.as_ref()?;
        let opened = Store::open(&cache.graph(), &session.engine.schema(), &StoreOptions::default());
        if opened.store.node_count() == 0 || session.engine.attach(opened.store).is_err() {
            return None;
        }
        session.inputs.serve(&session.project, &mut session.engine);
        Some(session)
    }

    /// Goes on from what earlier sessions stored.
    pub fn open(project: Project, setup: Setup) -> Result<Session, OpenError> {
        let mut session = Session {
            engine: Engine::new(),
            project,
            modules: Vec::new(),
            setup,
            outputs: Outputs::default(),
            warnings: Vec::new(),
            steps: Vec::new(),
            inputs: Arc::default(),
            inputs_changed: false,
        };
        if session.start(true).is_err() {
            session.restart();
        }
        session.discover()?;
        Ok(session)
    }

    /// Attaches the store and tells the engine what changed on disk.
    fn start(&mut self, believe: bool) -> Result<(), Interrupt> {
        self.engine = queries::engine();
        if self.setup.bare {
            self.engine.set_bare();
        }
        if self.setup.timings.is_some() {
            self.engine.record(Recording::All);
        }
        if self.setup.log {
            self.engine.log_executions();
        }
        self.release_rules();
        if let Some(cache) = &self.setup.cache {
            let opened = Store::open(&cache.graph(), &self.engine.schema(), &StoreOptions::default());
            // One thing after another may be found to be damaged; that it is built again is said once.
            if self.warnings.is_empty() {
                self.warnings.extend(opened.warnings.first().map(ToString::to_string));
            }
            let mut store = opened.store;
            if !believe {
                store.reset();
            }
            self.inputs = Arc::new(Inputs::from_bytes(store.section(Section::Inputs)));
            self.outputs = Outputs::from_bytes(store.section(Section::Outputs));
            self.engine.attach(store).map_err(|_| Interrupt::Damaged)?;
        }
        self.inputs.serve(&self.project, &mut self.engine);
        let (options, link) = (self.setup.options.clone(), self.setup.link);
        let root = self.root();
        let sites = self.project.test_sites();
        let packages = self.project.packages.clone();
        self.inputs_changed = self.engine.edit(|engine| {
            engine.set::<queries::Settings>(&(), options)?;
            engine.set::<queries::LinkSettings>(&(), link)?;
            engine.set::<queries::Main>(&(), root)?;
            engine.set::<queries::TestSites>(&(), sites)?;
            engine.set::<queries::PackageTable>(&(), packages)?;
            self.inputs.refresh(&self.project, engine)
        })?;
        Ok(())
    }

    /// Begins again from nothing: a column of the stored graph was damaged.
    fn restart(&mut self) {
        if self.warnings.is_empty() {
            self.warnings.push("the stored graph is damaged; it is built again".to_owned());
        }
        if self.start(false).is_err() {
            // Nothing stored is believed now, so nothing can be damaged; without a store the session still works.
            self.setup.cache = None;
            let _ = self.start(false);
        }
    }

    /// Values that are large, read by one level only, and not stored leave memory when that level has read them.
    fn release_rules(&mut self) {
        let engine = &mut self.engine;
        if self.setup.builds {
            engine.release_after(queries::TypedBody::KIND, &[queries::BodyReport::KIND, queries::BuiltBody::KIND]);
        } else {
            engine.release_after(queries::TypedBody::KIND, &[queries::BodyReport::KIND]);
        }
        engine.release_after(queries::BuiltBody::KIND, &[queries::Inlinable::KIND, queries::OptimisedBody::KIND]);
        engine.release_after(queries::OptimisedBody::KIND, &[queries::OwnedBody::KIND]);
        engine.release_after(queries::OwnedBody::KIND, &[queries::LirBody::KIND]);
        engine.release_after(queries::LirBody::KIND, &[queries::MachineCode::KIND]);
    }

    /// Answers a question, from nothing when the store turns out to be damaged on the way.
    pub fn ask<T>(&mut self, question: impl Fn(&Session) -> Result<T, Interrupt>) -> T {
        match question(self) {
            Ok(answer) => return answer,
            Err(Interrupt::Damaged) => self.restart(),
            Err(interrupt @ (Interrupt::Cancelled | Interrupt::Unserved | Interrupt::Cycle(_))) => {
                panic!("the session was interrupted: {interrupt:?}")
            }
        }
        question(self).unwrap_or_else(|interrupt| panic!("the session was interrupted: {interrupt:?}"))
    }

    /// Looks for tests, and reads every reachable file again; unchanged text is no edit.
    pub fn reload(&mut self) -> Result<(), OpenError> {
        let sites = self.project.test_sites();
        let changed = self.engine.edit(|engine| {
            engine.set::<queries::TestSites>(&(), sites)?;
            self.inputs.refresh(&self.project, engine)
        });
        match changed {
            Ok(changed) => self.inputs_changed |= changed,
            Err(_) => self.restart(),
        }
        self.discover()
    }

    /// Learns which modules the program has.
    fn discover(&mut self) -> Result<(), OpenError> {
        let root = self.root();
        if self.is_cold() {
            let first = if self.setup.tests { self.project.test_sites().roots().collect() } else { vec![root] };
            self.worklist(first, |engine, module| {
                let Ok(imports) = engine.get::<queries::Imports>(module) else { return Vec::new() };
                imports.iter().filter_map(|path| candidate(engine, *module, path)).collect()
            });
        }
        let modules = self.ask(|session| session.engine.get::<queries::Modules>(&root));
        self.modules = (**modules).clone();
        // Trees of bodies are kept for the code that is made of them; without a test there will be none.
        if self.setup.tests && self.setup.builds && self.is_cold() && !self.has_tests() {
            self.setup.builds = false;
            self.release_rules();
        }
        // A file that was asked for and could not be read is no module that is absent.
        match self.inputs.failure() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Modules of the program, and those that it imports and that are not there.
    pub fn wanted(&mut self) -> Vec<Symbol> {
        let mut wanted: Vec<Symbol> = self.modules.clone();
        for module in &self.modules {
            let Ok(imports) = self.engine.get::<queries::Imports>(module) else { continue };
            wanted.extend(imports.iter().filter_map(|path| candidate(&self.engine, *module, path)));
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// Is there a test?
    fn has_tests(&mut self) -> bool {
        let sites = self.project.test_sites().modules;
        sites.iter().any(|module| {
            let file = self.ask(|session| session.engine.get::<queries::Parse>(module));
            file.items.iter().any(|entry| matches!(entry.item.kind, ItemKind::Test { .. }))
        })
    }

    /// Is there nothing stored to go on from?
    fn is_cold(&self) -> bool {
        self.engine.store().is_none_or(|store| store.node_count() == 0)
    }

    /// Are there many answers of this kind to be found or found again, and more than one worker?
    fn is_shared_work(&self, kind: Kind) -> bool {
        // How many workers there are is asked last: it reads what the machine says of itself.
        (self.is_cold() || self.engine.are_out_of_date(kind, MANY)) && self.setup.workers() > 1
    }

    /// Runs `work` for each item on all workers.
    pub fn parallel<T: Sync>(&self, items: &[T], work: impl Fn(&Engine, &T) + Sync) {
        let workers = self.setup.workers().min(items.len());
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

    /// Runs `work` for `first` and for everything that it returns, each once, on all workers.
    fn worklist<T: Copy + Eq + Hash + Send>(&self, first: Vec<T>, work: impl Fn(&Engine, &T) -> Vec<T> + Sync) {
        struct Work<T> {
            ready: Vec<T>,
            seen: HashSet<T>,
            busy: usize,
        }
        let seen = first.iter().copied().collect();
        let list = Mutex::new(Work { ready: first, seen, busy: 0 });
        let changed = Condvar::new();
        let run = || {
            let mut guard = list.lock();
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
                let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&self.engine, &item)));
                guard = list.lock();
                guard.busy -= 1;
                match found {
                    Ok(found) => {
                        let Work { ready, seen, .. } = &mut *guard;
                        let before = ready.len();
                        ready.extend(found.into_iter().filter(|item| seen.insert(*item)));
                        if ready.len() > before || guard.busy == 0 {
                            changed.notify_all();
                        }
                    }
                    Err(panic) => {
                        guard.ready.clear();
                        changed.notify_all();
                        drop(guard);
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.setup.workers() {
                let _ = std::thread::Builder::new().stack_size(WORKER_STACK).spawn_scoped(scope, run);
            }
            run();
        });
    }

    /// Everything there is to say about the program, sorted; import cycles alone when there are any.
    pub fn diagnostics(&self) -> Result<Vec<Diagnostic>, Interrupt> {
        if self.is_shared_work(queries::BodyReport::KIND) {
            if self.is_cold() {
                // One unit of work a body, not a module: large modules do not wait for one worker.
                self.parallel(&self.bodies()?, |engine, item| {
                    let _ = engine.get::<queries::BodyReport>(item);
                });
            } else {
                self.parallel(&self.modules, |engine, module| {
                    let _ = engine.get::<queries::Diagnostics>(module);
                });
            }
        }
        let found = self.engine.get::<queries::Check>(&self.root())?;
        let mut found = (**found).clone();
        found.extend(coverage::diagnostics(self)?);
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

    /// Code of everything that `main` reaches, generated in parallel: each finished function brings its callees.
    pub fn generate(&self, main: ItemId) {
        if self.is_shared_work(queries::MachineCode::KIND) {
            self.worklist(vec![main], |engine, item| {
                engine.get::<queries::Mentions>(item).map(|mentioned| mentioned.callees.clone()).unwrap_or_default()
            });
        }
    }

    /// Runs `main` in the interpreter with this output; the exit status.
    pub fn interpret(
        &self,
        main: ItemId,
        args: &[String],
        streams: &mut dyn mir::interp::Output,
        backtrace: bool,
    ) -> (i32, mir::interp::Counts) {
        let world = queries::World::new(&self.engine);
        let positions = queries::ReportPositions::new(&self.engine, backtrace);
        match mir::interp::run(main, args, &world, &positions, streams, mir::interp::Limits::default()) {
            Ok((mir::interp::Outcome::Broken(why), _)) => panic!("the interpreter: {why}"),
            Ok((outcome, counts)) => (i32::from(outcome.status()), counts),
            Err(_) => panic!("the interpreter was interrupted"),
        }
    }

    /// The module that the program is reached from.
    fn root(&self) -> Symbol {
        if self.setup.tests { queries::tests_module() } else { self.project.main }
    }

    /// `@main` of the main module.
    pub fn main_item(&self) -> ItemId {
        ItemId::function(self.project.main, Symbol::new("main"))
    }

    /// Paths and texts of the sources in memory, for a reproducer.
    pub fn source_texts(&self) -> Vec<(String, String)> {
        self.modules.iter().filter_map(|m| self.file(*m)).map(|f| (f.path.clone(), f.text.clone())).collect()
    }

    /// Does something that leaves a processor free, and beside it a part of what [`Session::publish`] will have to do, when that is much.
    pub fn gathering<T>(&self, work: impl FnOnce() -> T) -> T {
        if !self.is_cold() || self.setup.workers() < 2 {
            return work();
        }
        std::thread::scope(|scope| {
            // Without a thread the publish does it.
            let _ = std::thread::Builder::new().stack_size(WORKER_STACK).spawn_scoped(scope, || self.engine.gather_ahead(SHARED));
            work()
        })
    }

    /// Writes what was learned to the store.
    pub fn publish(&mut self) -> Outcome {
        let mut sections = Vec::new();
        if self.inputs_changed || self.is_cold() || self.engine.has_news() {
            sections.push((Section::Inputs, self.inputs.to_bytes()));
        }
        if self.outputs.changed {
            sections.push((Section::Outputs, self.outputs.to_bytes()));
        }
        self.engine.publish_with(sections, || self.setup.workers())
    }
}

/// The module that an import path would name, whether it exists or not.
fn candidate(engine: &Engine, from: Symbol, path: &syntax::tree::ModulePath) -> Option<Symbol> {
    let named = std::cell::Cell::new(None);
    let packages = || Ok(engine.input_value::<queries::PackageTable>(&()));
    let _ = queries::resolve(from, path, packages, |module| {
        if module != from {
            named.set(Some(module));
            return Ok::<_, std::convert::Infallible>(None);
        }
        Ok(engine.get::<queries::ModuleFile>(&module).ok().and_then(|name| (*name).clone()))
    });
    named.get()
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
        // Users cannot look into the library: what it declares is said in words.
        if hir::resolve::prelude::is_library(module) {
            return None;
        }
        self.engine.input_value::<queries::Source>(&module)
    }

    fn item_start(&self, item: ItemId) -> Option<u32> {
        *self.engine.get::<queries::Start>(&item).ok()?
    }

    fn shown(&self, path: &str) -> String {
        self.project.shown(path)
    }
}
