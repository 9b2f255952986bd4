//! One program: compiled in this process, interpreted, linked, run.
//!
//! A defect of the compiler is a panic in this process; [`guarded`] makes a value of it, so that a check can go on and say which program it was.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use ir::ItemId;
use mir::interp::Positions;
use oric::project::{Project, SourceFile};
use oric::queries::{self, Assembled, NotLinked, Options, ReportPositions, World};
use oric::session::Session;
use syntax::Severity;

use crate::child::{self, Ending};

thread_local! {
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Panics say nothing on their own from now on; [`guarded`] reports them.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!("{}:{}", l.file(), l.line())).unwrap_or_default();
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().cloned().or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        let message = format!("{} at {place}", text.unwrap_or_else(|| "a panic".to_owned()));
        MESSAGE.with(|cell| *cell.borrow_mut() = message);
    }));
}

/// The result, or what the panic said.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| MESSAGE.with(|cell| format!("panic: {}", cell.take())))
}

/// A program that was checked without errors.
pub struct Program {
    /// Engine and inputs.
    pub session: Session,
    /// Its `@main`.
    pub main: ItemId,
}

/// Why a program was not loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Diagnostics with these codes.
    Diagnosed(Vec<&'static str>),
    /// A defect of the compiler, or a file that cannot be read.
    Broken(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Diagnosed(codes) => write!(f, "refused with {}", codes.join(" ")),
            Refusal::Broken(why) => f.write_str(why),
        }
    }
}

/// Starts the error of a function that exceeds a limit: a refusal, not a defect.
pub const LIMIT: &str = "limit";

fn not_linked(why: NotLinked) -> String {
    match why {
        NotLinked::Limit(item, text) => format!("{LIMIT}: @{item}: {text}"),
        NotLinked::Broken(text) => text,
    }
}

/// All passes, the allocation checker on.
pub fn checked_options() -> Options {
    Options { check_allocation: true, ..Options::default() }
}

/// The names of all passes.
pub fn passes() -> Vec<String> {
    let mir = mir::opt::PASSES.iter().chain(mir::ownership::PASSES).map(|(name, _)| (*name).to_owned());
    mir.chain(lir::opt::PASSES.iter().map(|pass| pass.0.to_owned())).collect()
}

impl Program {
    /// Loads and checks a program from disk.
    pub fn load(file: &Path, options: Options, workers: usize) -> Result<Program, Refusal> {
        let loaded = guarded(|| {
            let project = Project::of_file(file).map_err(|error| format!("{error:?}"))?;
            Session::load(project, options, workers).map_err(|error| format!("{error:?}"))
        });
        match loaded {
            Ok(Ok(session)) => Program::checked(session),
            Ok(Err(why)) | Err(why) => Err(Refusal::Broken(why)),
        }
    }

    /// Checks a program of one file that is in memory alone.
    pub fn of_text(text: &str, options: Options) -> Result<Program, Refusal> {
        Program::of_bytes(text.as_bytes(), options)
    }

    /// As [`Program::of_text`], whatever the bytes are.
    pub fn of_bytes(bytes: &[u8], options: Options) -> Result<Program, Refusal> {
        // Any file will do: a project has a place on disk, and this one is never read.
        let project =
            Project::of_file(&crate::corpus::root().join("examples/hello.ori")).map_err(|error| Refusal::Broken(format!("{error:?}")))?;
        let made = guarded(|| {
            let source: SourceFile = oric::project::source_file(project.main, "main.ori".to_owned(), bytes.to_vec(), None);
            Session::in_memory(project, options, source)
        });
        made.map_err(Refusal::Broken).and_then(Program::checked)
    }

    fn checked(session: Session) -> Result<Program, Refusal> {
        let main = session.main_item();
        let codes = guarded(|| {
            let mut found = session.diagnostics().map_err(|interrupt| format!("interrupted: {interrupt:?}"))?;
            found.retain(|d| d.severity() == Severity::Error);
            if found.is_empty() {
                let signature = session.engine.get::<queries::Signature>(&main).map_err(|i| format!("interrupted: {i:?}"))?;
                found.extend(hir::resolve::check_main((*signature).as_deref(), session.project.main));
            }
            Ok::<_, String>(found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>())
        });
        match codes {
            Ok(Ok(codes)) if codes.is_empty() => Ok(Program { session, main }),
            Ok(Ok(codes)) => Err(Refusal::Diagnosed(codes)),
            Ok(Err(why)) | Err(why) => Err(Refusal::Broken(why)),
        }
    }

    /// All functions that dumps show.
    pub fn functions(&self) -> Vec<ItemId> {
        oric::dump::all_functions(&self.session)
    }

    /// The executable; an error that starts with [`LIMIT`] is one that the user has to hear of.
    pub fn image(&self) -> Result<Vec<u8>, String> {
        guarded(|| {
            self.session.generate(self.main);
            let linked = self.session.engine.get::<queries::Linked>(&self.main).map_err(|i| format!("interrupted: {i:?}"))?;
            Result::clone(&**linked).map(|linked| linked.image).map_err(not_linked)
        })?
    }

    /// The program as an object for `cc`.
    pub fn object(&self) -> Result<Vec<u8>, String> {
        guarded(|| {
            self.session.generate(self.main);
            let object = self.session.engine.get::<queries::Object>(&self.main).map_err(|i| format!("interrupted: {i:?}"))?;
            Result::clone(&**object).map_err(not_linked)
        })?
    }

    /// Runs it in the interpreter.
    pub fn interpret(&self, args: &[String], limits: mir::interp::Limits) -> Result<Interpreted, String> {
        self.interpret_in(&World::new(&self.session.engine), args, limits)
    }

    /// Runs it in the interpreter with bodies from this context.
    pub fn interpret_in(&self, cx: &dyn mir::Context, args: &[String], limits: mir::interp::Limits) -> Result<Interpreted, String> {
        let positions = ReportPositions::new(&self.session.engine, true);
        let mut streams = Streams::default();
        let (outcome, counts) =
            guarded(|| mir::interp::run(self.main, args, cx, &positions, &mut streams, limits))?.map_err(|_| "interrupted".to_owned())?;
        let ending = Ending { status: Some(i32::from(outcome.status())), stdout: streams.out, stderr: streams.err, ..Ending::default() };
        Ok(Interpreted { outcome, ending, counts })
    }

    /// Functions that the executable holds, `@main` first.
    pub fn reachable(&self) -> Result<Vec<ItemId>, String> {
        guarded(|| {
            self.session
                .engine
                .get::<queries::Reachable>(&self.main)
                .map(|reached| reached.iter().flat_map(|part| part.functions.iter().copied()).collect())
        })?
        .map_err(|i| format!("{i:?}"))
    }

    /// LIR of a function.
    pub fn lir(&self, item: ItemId) -> Option<Arc<lir::Body<lir::Legal>>> {
        guarded(|| self.session.engine.get::<queries::LirBody>(&item).ok().and_then(|body| (*body).clone())).ok()?
    }

    /// Code of a function by our own back end.
    pub fn code(&self, item: ItemId) -> Result<Arc<Assembled>, String> {
        let engine = &self.session.engine;
        let code = (*engine.get::<queries::MachineCode>(&item).map_err(|i| format!("interrupted: {i:?}"))?).clone();
        let code = code.ok_or_else(|| format!("@{item} has no code"))?;
        Ok(Arc::new((*code).clone().map_err(|limit| format!("{LIMIT}: {limit}"))?))
    }

    /// Rows of the position table.
    pub fn rows(&self, items: impl Iterator<Item = ItemId>) -> Result<Vec<image::Item>, String> {
        let positions = ReportPositions::new(&self.session.engine, true);
        items
            .map(|id| {
                let position = positions.position(id).map_err(|_| "interrupted".to_owned())?;
                let (name, file, base_line) = (position.name, position.file, position.base_line);
                Ok(image::Item { id, key: id.content(), name, file, base_line, hidden: queries::is_hidden(id) })
            })
            .collect()
    }

    /// The executable with other code in the place of one function's.
    pub fn image_with(&self, replacement: Assembled) -> Result<Vec<u8>, String> {
        guarded(|| self.link(replacement))?
    }

    fn link(&self, replacement: Assembled) -> Result<Vec<u8>, String> {
        let engine = &self.session.engine;
        let interrupted = |i: query::Interrupt| format!("interrupted: {i:?}");
        let Some(form) = *engine.get::<queries::MainForm>(&self.main).map_err(interrupted)? else { return Err("no @main".to_owned()) };
        // The damaged function may name others, so the set is walked again.
        let mut items = vec![self.main];
        let mut codes: Vec<Arc<Assembled>> = Vec::new();
        let replacement = Arc::new(replacement);
        let mut next = 0;
        while let Some(&item) = items.get(next) {
            next += 1;
            let code = if item == replacement.function.item { replacement.clone() } else { self.code(item)? };
            for &callee in &code.callees {
                if !items.contains(&callee) {
                    items.push(callee);
                }
            }
            codes.push(code);
        }
        codes.push(Arc::new(self.entry(form)?));
        let mut named: Vec<ItemId> =
            codes.iter().flat_map(|c| std::iter::once(c.function.item).chain(c.function.places.iter().map(|p| p.item))).collect();
        named.sort_unstable();
        named.dedup();
        let rows = self.rows(named.into_iter())?;
        let program = image::Program {
            functions: codes.iter().map(|code| &code.function).collect(),
            items: rows,
            entry: lir::build::entry_item(),
            returns_status: form.returns_status,
            symbols: false,
            external: Vec::new(),
            foreign_frames: false,
        };
        image::link(&program).map_err(|error| error.to_string())
    }

    fn entry(&self, form: queries::Entry) -> Result<Assembled, String> {
        let returns = match (form.returns_status, form.never_returns) {
            (true, _) => lir::build::EntryReturn::Int,
            (false, true) => lir::build::EntryReturn::Never,
            (false, false) => lir::build::EntryReturn::Void,
        };
        let world = World::new(&self.session.engine);
        let built = lir::build::entry(form.main, form.takes_args, returns);
        let body = lir::build::legalise(built, &world).map_err(|_| "interrupted".to_owned())?;
        oric::assemble::assemble(lir::build::entry_item(), &body, true).map_err(|limit| limit.to_string())
    }
}

/// A run in the interpreter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interpreted {
    /// How it ended.
    pub outcome: mir::interp::Outcome,
    /// The same as a process would show it.
    pub ending: Ending,
    /// How often the counts of objects changed.
    pub counts: mir::interp::Counts,
}

/// Collects what a program writes; a program that writes without end is stopped like one whose reader went away.
#[derive(Default)]
struct Streams {
    out: Vec<u8>,
    err: Vec<u8>,
}

const MAX_OUTPUT: usize = 16 << 20;

impl mir::interp::Output for Streams {
    fn write(&mut self, bytes: &[u8]) -> Result<(), i32> {
        if self.out.len() > MAX_OUTPUT {
            return Err(32);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn write_error(&mut self, bytes: &[u8]) {
        self.err.extend_from_slice(bytes);
    }
}

/// Limits of an interpreted run that a gate waits for.
pub fn bounded(steps: u64) -> mir::interp::Limits {
    mir::interp::Limits { steps, depth: u64::MAX, bytes: 512 << 20, stack: 8 << 20, panic_at: 0 }
}

/// Runs an image; an error says that it could not be started.
pub fn run(image: &[u8], args: &[String], limits: child::Limits) -> Result<Ending, String> {
    child::run_image(image, args, limits).map_err(|error| format!("the image does not start: {error}"))
}
