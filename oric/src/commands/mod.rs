//! What each verb does.

mod bisect;
pub(crate) mod build;
mod cache;
mod check;
mod explain;
mod fix;
mod graph;
mod junit;
mod memory;
mod reduce;
mod remarks;
mod report;
mod run;
mod test;
mod watch;
mod why;

use std::time::Instant;

use query::store::cas::DEFAULT_BUDGET;

use crate::cache::Cache;
use crate::cli::{Args, Environment, FAILED, Global, Input, NOTHING, Optimise, Output, REFUSED, Report, Verb};
use crate::coverage::Coverage;
use crate::foreign::{Host, Linker};
use crate::project::{OpenError, Project};
use crate::queries::{self, LinkOptions, Options};
use crate::release::{self, Release, Worker};
use crate::rewrites::Limit;
use crate::session::{Session, Setup};

/// Does what the command line says. Returns the exit status and whose it is.
pub fn dispatch(args: &Args, environment: &Environment, output: &Output) -> (i32, &'static str) {
    if let Some(directory) = &args.global.directory
        && let Err(error) = std::env::set_current_dir(directory)
    {
        output.failure(&format!("cannot enter {}: {error}", directory.display()));
        return (REFUSED, "oric");
    }
    assert!(!args.global.crash, "asked to");
    let optimise = match &args.verb {
        Verb::Build { optimise, .. } | Verb::Run { optimise, .. } | Verb::Test { optimise, .. } | Verb::Report { optimise, .. }
            if optimise.release =>
        {
            Some(optimise)
        }
        _ => None,
    };
    let host = match &args.verb {
        Verb::Build { watched, .. } | Verb::Run { watched, .. } => watched.host(),
        _ => Host::None,
    };
    let ask = Asked { global: &args.global, optimise, host, environment, output };
    match &args.verb {
        Verb::Explain { code, .. } => (explain::explain(code.as_deref(), output), "oric"),
        Verb::Check { input, no_test, watch: true, timeout, coverage, .. } => {
            let look = watch::Look { input, builds: !*no_test, tests: (!*no_test).then_some(*coverage) };
            ask.watch(&look, |session, found, started| match *no_test {
                true => check::types(session, found, started, output),
                false => check::check(session, found, *timeout, started, output),
            })
        }
        Verb::Check { input, no_test, .. } if *no_test || input.dump.is_some() => {
            ask.session(input, true, false, |session, started| (check::succeeded(session, None, started, output), "oric"))
        }
        Verb::Check { input, timeout, coverage, .. } => {
            ask.tests(input, *coverage, |session, found, started| check::check(session, found, *timeout, started, output))
        }
        Verb::Build { input, output: path, emit, strip, clean_link, remarks, .. } => {
            ask.session(&ask.dumping(input), !*strip, true, |session, started| {
                let request = build::Request { path: path.as_deref(), emit: *emit, clean: *clean_link, strip: *strip, remarks: *remarks };
                (build::build(session, input, &request, started, output), "oric")
            })
        }
        Verb::Run { input, interp, args: program_args, .. } => ask.session(&ask.dumping(input), true, !*interp, |session, _| {
            if *interp {
                run::interpret(session, program_args, output, environment)
            } else {
                run::run(session, input, program_args, output)
            }
        }),
        Verb::Test { what, flags, .. } => {
            let (programs, filters) = test::programs_and_filters(what);
            let is_error = |found: &syntax::Diagnostic| found.severity() == syntax::Severity::Error;
            let work = |session: &mut Session, found: &[syntax::Diagnostic], started| {
                let errors = found.iter().any(is_error);
                test::test(session, flags, &filters, errors, started, output)
            };
            if programs.len() > 1 && (flags.watch || flags.junit.is_some()) {
                let flag = if flags.watch { "--watch" } else { "--junit" };
                output.failure(&format!("{flag} is about one program: name one file or folder"));
                return (REFUSED, "oric");
            }
            let test = |program: &std::path::PathBuf| {
                let input = Input::of(program.clone());
                match flags.watch {
                    true => ask.watch(&watch::Look { input: &input, builds: true, tests: Some(flags.coverage) }, work),
                    false => ask.tests(&input, flags.coverage, work),
                }
            };
            // One after the other; a filter need not select something of each.
            let ends: Vec<_> = programs.iter().map(test).collect();
            let is_done = |status: i32| status != NOTHING || ends.iter().all(|(other, _)| *other == NOTHING);
            ends.iter().copied().filter(|(status, _)| is_done(*status)).max().unwrap_or((REFUSED, "oric"))
        }
        Verb::Bisect { file, no_pass, stderr, timeout, command } => {
            let timeout = timeout.unwrap_or(PATIENCE);
            let request = bisect::Request { file: file.as_deref(), no_pass, command, stderr: *stderr, timeout };
            (bisect::bisect(&ask, &request), "oric")
        }
        Verb::Reduce { file, keep, saying, output: small, limit, timeout, command } => {
            let request = reduce::Request {
                file,
                keep: *keep,
                saying: saying.as_deref(),
                output: small.as_deref(),
                limit: limit.unwrap_or(REDUCTION),
                timeout: timeout.unwrap_or(SHORT),
                command,
            };
            (reduce::run(&ask, &request), "oric")
        }
        Verb::Fix { input, dry_run, coverage } => ask.fix(input, *dry_run, *coverage),
        Verb::Why { what, mem: true, input } => {
            ask.session(input, true, false, |session, _| (memory::memory(session, what, output), "oric"))
        }
        Verb::Why { what, mem: false, input } => ask.stored(&file_that_is_meant(what, input), |session| why::why(session, what, output)),
        Verb::Report { report: Report::Cache, input, optimise } => match optimise.release {
            false => ask.stored(input, |session| report::cache(session, output)),
            true => {
                output.failure("'report cache' is about the store, whatever is built from it: leave --release out");
                (REFUSED, "oric")
            }
        },
        Verb::Report { report: Report::Mono, input, .. } => {
            ask.session(input, true, true, |session, _| (report::mono(session, output), "oric"))
        }
        Verb::Report { report: Report::Size, input, .. } => {
            ask.session(input, true, true, |session, _| (report::size(session, output), "oric"))
        }
        Verb::Graph { input, format, focus } => ask.stored(input, |session| graph::graph(session, *format, focus.as_deref(), output)),
        Verb::Clean { input } => ask.project(input, |cache| cache::clean(&cache, output)),
        Verb::Cache { verb, input, budget } => match ask.budget() {
            Some(standing) => ask.project(input, |cache| cache::cache(*verb, &cache, budget.or(standing), output)),
            None => (REFUSED, "oric"),
        },
    }
}

/// How long a run of somebody's command may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// How long a program is made smaller.
const REDUCTION: std::time::Duration = std::time::Duration::from_secs(120);
/// How long a run of a program that may have become endless may take.
const SHORT: std::time::Duration = std::time::Duration::from_secs(10);

/// `oric why x.ori` outside of a package asks about that program.
fn file_that_is_meant(what: &str, input: &Input) -> Input {
    let mut input = input.clone();
    let is_file = what.ends_with(".ori") && std::path::Path::new(what).is_file();
    if is_file && input.file.as_os_str() == "." && !std::path::Path::new("ori.toml").exists() {
        input.file = what.into();
    }
    input
}

/// Why there is no session.
enum Unopened {
    /// A flag or variable is wrong, which was said.
    Refused,
    /// The program is no program.
    Wrong(OpenError),
}

/// A request in its surroundings.
struct Asked<'a> {
    global: &'a Global,
    /// A release build, and how.
    optimise: Option<&'a Optimise>,
    /// What the program stands on.
    host: Host,
    environment: &'a Environment,
    output: &'a Output,
}

impl Asked<'_> {
    /// The program, with the dump that the environment asks for where no flag does.
    fn dumping(&self, input: &Input) -> Input {
        let mut input = input.clone();
        if input.dump.is_none() && self.optimise.is_some() && self.environment.dump_after_llvm {
            input.dump = Some("llvm.opt".to_owned());
        }
        input
    }

    /// The project that is meant, with its cache.
    fn project(&self, input: &Input, work: impl FnOnce(Cache) -> i32) -> (i32, &'static str) {
        match Project::of(&input.file) {
            Ok(project) => {
                let cache = Cache::of(&project, self.environment.cache_dir.as_deref());
                (work(cache), "oric")
            }
            Err(error) => (self.cannot_open(&error), "oric"),
        }
    }

    /// What the environment says of the size of the store; `None` when that is not a size.
    fn budget(&self) -> Option<Option<u64>> {
        match &self.environment.cache_size {
            None => Some(None),
            Some(Ok(bytes)) => Some(Some(*bytes)),
            Some(Err(text)) => {
                self.output.failure(&format!("ORI_CACHE_SIZE must be a size such as 5GB, found '{text}'"));
                None
            }
        }
    }

    /// The linker that the environment names, if it does; `None` when there is no such linker.
    fn linker(&self) -> Option<Option<Linker>> {
        let Some((value, path)) = &self.environment.linker else { return Some(None) };
        let value = value.to_string_lossy();
        match Linker::find(&value, path.as_ref()) {
            Ok(linker) => Some(Some(linker)),
            Err(why) => {
                self.output.failure(&why.message(&value));
                None
            }
        }
    }

    /// How a release build is made, if one is asked for; `None` when nobody can make it.
    fn release(&self) -> Option<Option<Release>> {
        let Some(optimise) = self.optimise else { return Some(None) };
        let named = self.environment.llvm.as_ref();
        let Some(worker) = Worker::find(named, self.environment.path.as_ref()) else {
            let message = named.map_or_else(|| release::HOW_TO_GET_IT.to_owned(), |named| release::names_nothing(named.as_ref()));
            self.output.failure(&message);
            return None;
        };
        let memory = match &self.environment.llvm_memory {
            None => Some(release::MEMORY),
            Some(Ok(0)) => None,
            Some(Ok(bytes)) => Some(*bytes),
            Some(Err(text)) => {
                self.output.failure(&format!("ORI_LLVM_MEMORY must be a size such as 4GB, found '{text}'"));
                return None;
            }
        };
        let (cpu, units, debug) = (optimise.target_cpu.clone(), optimise.codegen_units, optimise.depth());
        let sanitize = self.host == Host::Address;
        Some(Some(Release {
            worker,
            level: optimise.opt,
            cpu,
            units,
            debug,
            facts: optimise.facts(),
            sanitize,
            workers: self.global.jobs,
            memory,
        }))
    }

    fn cannot_open(&self, error: &OpenError) -> i32 {
        self.output.failure(&open_error(error));
        REFUSED
    }

    /// A session as the flags and the environment want it; `None` when they are wrong.
    fn setup(&self, project: &Project, input: &Input, symbols: bool, builds: bool) -> Option<Setup> {
        let (fuel, cut) = match &self.environment.fuel {
            Some(Ok(Limit::Each(fuel))) => (*fuel, None),
            Some(Ok(Limit::Before(cut))) => (u64::MAX, Some(cut.clone())),
            Some(Err(text)) => {
                self.output.failure(&format!("ORI_FUEL must be a number, or a place such as 12@lir:main.f, found '{text}'"));
                return None;
            }
            None => (u64::MAX, None),
        };
        let budget = self.budget()?.unwrap_or(DEFAULT_BUDGET);
        let release = if input.dump.as_deref().is_none_or(crate::dump::needs_llvm) { self.release()? } else { None };
        let mut linker = self.linker()?;
        if self.host != Host::None {
            if input.mem_debug {
                self.output.failure(
                    "--mem-debug is about memory of the runtime's own: leave it out, or --allocator=system and --sanitize=address",
                );
                return None;
            }
            match Linker::for_host(self.host, linker, self.environment.path.as_ref()) {
                Ok(driver) => linker = Some(driver),
                Err(why) => {
                    self.output.failure(&why);
                    return None;
                }
            }
        }
        if release.is_some() && linker.is_none() {
            linker = Linker::any(self.environment.path.as_ref());
        }
        let mut passes_off = input.no_pass.clone();
        if !project.manifest.optimise {
            passes_off = crate::cli::pass_names().into_iter().map(str::to_owned).collect();
        }
        passes_off.sort();
        passes_off.dedup();
        let separate_cells = self.host != Host::None;
        // What memory is watched with tells of places, and is another program with more of them.
        let names_locals = !input.mem_debug && self.optimise.as_ref().and_then(|optimise| optimise.depth()) == Some(llvm::Depth::Full);
        let options = Options { fuel, cut, passes_off, separate_cells, mem_debug: input.mem_debug, names_locals, ..Options::default() };
        let bare = self.global.engine_off;
        let cache = (!bare).then(|| Cache::of(project, self.environment.cache_dir.as_deref()));
        let (link, timings) = (LinkOptions { symbols, lane: 0 }, self.global.timings);
        Some(Setup { options, link, linker, release, workers: self.global.jobs, cache, budget, builds, bare, timings, ..Setup::default() })
    }

    /// What is said of functions without a test; `None` when that cannot be said.
    fn coverage(&self, project: &Project, flag: Option<Coverage>) -> Option<Coverage> {
        if project.part().is_none() {
            return Some(flag.or(project.manifest.testing.coverage).unwrap_or_else(|| Coverage::default_of(project)));
        }
        // Tests elsewhere in the package may name its functions.
        if flag.is_some_and(|flag| flag != Coverage::Off) {
            self.output.failure("--coverage is about a whole package: name its folder instead of a file of it");
            return None;
        }
        Some(Coverage::Off)
    }

    /// The stored graph as it is, without looking at what changed.
    fn stored(&self, input: &Input, work: impl FnOnce(&Session) -> i32) -> (i32, &'static str) {
        let project = match Project::of(&input.file) {
            Ok(project) => project,
            Err(error) => return (self.cannot_open(&error), "oric"),
        };
        let Some(setup) = self.setup(&project, input, true, true) else { return (REFUSED, "oric") };
        match Session::stored(project, setup) {
            Some(session) => (work(&session), "oric"),
            None => {
                self.output.failure("nothing is stored yet: build or check first");
                (REFUSED, "oric")
            }
        }
    }

    /// Loads and checks a program, prints what was found or the dump that was asked for, then goes on with `work` when there is no error.
    fn session(
        &self,
        input: &Input,
        symbols: bool,
        builds: bool,
        work: impl FnOnce(&mut Session, Instant) -> (i32, &'static str),
    ) -> (i32, &'static str) {
        let started = Instant::now();
        let output = self.output;
        let (mut session, diagnostics, errors) = match self.checked(input, symbols, builds, None) {
            Ok(checked) => checked,
            Err(status) => return (status, "oric"),
        };
        if errors > 0 {
            check::failed(&diagnostics, errors, None, started, output);
            return (if self.finish(session, started) { FAILED } else { crate::cli::CRASHED }, "oric");
        }
        if let Some(what) = &input.dump {
            return (crate::dump::dump(&mut session, what, input.dump_format, output), "oric");
        }
        let result = work(&mut session, started);
        if self.global.verify_queries && self.doubt(&session) > 0 {
            return (crate::cli::CRASHED, "oric");
        }
        if self.finish(session, started) { result } else { (crate::cli::CRASHED, "oric") }
    }

    /// Loads and checks a program, prints what was found; how many errors that were. `tests`: with its tests, and the flag of their coverage.
    fn checked(
        &self,
        input: &Input,
        symbols: bool,
        builds: bool,
        tests: Option<Option<Coverage>>,
    ) -> Result<(Session, Vec<syntax::Diagnostic>, usize), i32> {
        let mut session = self.open(input, symbols, builds, tests).map_err(|unopened| match unopened {
            Unopened::Refused => REFUSED,
            Unopened::Wrong(error) => self.cannot_open(&error),
        })?;
        let (diagnostics, errors) = self.found(&mut session);
        Ok((session, diagnostics, errors))
    }

    /// Loads a program.
    fn open(&self, input: &Input, symbols: bool, builds: bool, tests: Option<Option<Coverage>>) -> Result<Session, Unopened> {
        let project = Project::of(&input.file).map_err(Unopened::Wrong)?;
        let mut setup = self.setup(&project, input, symbols, builds).ok_or(Unopened::Refused)?;
        if let Some(flag) = tests {
            setup.tests = true;
            setup.link.lane = setup.release.as_ref().map_or(0, |release| queries::wide(release.way()));
            setup.coverage = self.coverage(&project, flag).ok_or(Unopened::Refused)?;
        }
        // A dump shows what is computed now, every phase of it; what is stored has nothing to do with it.
        setup.cache = setup.cache.filter(|_| input.dump.is_none());
        self.output.compiling(&project, &[project.main]);
        Session::open(project, setup).map_err(Unopened::Wrong)
    }

    /// Checks a program and prints what was found; how many errors that were.
    fn found(&self, session: &mut Session) -> (Vec<syntax::Diagnostic>, usize) {
        let output = self.output;
        output.compiling(&session.project, &session.modules);
        let diagnostics = session.ask(Session::diagnostics);
        warn(session, output);
        let errors = output.diagnostics(&diagnostics, session);
        (diagnostics, errors)
    }

    /// Loads and checks a program with its tests, and goes on with `work`, whatever was found.
    fn tests(
        &self,
        input: &Input,
        coverage: Option<Coverage>,
        work: impl FnOnce(&mut Session, &[syntax::Diagnostic], Instant) -> i32,
    ) -> (i32, &'static str) {
        let started = Instant::now();
        let (mut session, found, _) = match self.checked(input, true, true, Some(coverage)) {
            Ok(checked) => checked,
            Err(status) => return (status, "oric"),
        };
        let status = work(&mut session, &found, started);
        if self.global.verify_queries && self.doubt(&session) > 0 {
            return (crate::cli::CRASHED, "oric");
        }
        (if self.finish(session, started) { status } else { crate::cli::CRASHED }, "oric")
    }

    /// Loads a program with its tests, apart from what is stored, and fixes it.
    fn fix(&self, input: &Input, dry: bool, coverage: Option<Coverage>) -> (i32, &'static str) {
        let started = Instant::now();
        let project = match Project::of(&input.file) {
            Ok(project) => project,
            Err(error) => return (self.cannot_open(&error), "oric"),
        };
        let Some(setup) = self.setup(&project, input, true, false) else { return (REFUSED, "oric") };
        let Some(coverage) = self.coverage(&project, coverage) else { return (REFUSED, "oric") };
        self.output.compiling(&project, &[project.main]);
        // Texts that are on no disk must not get into the store.
        match Session::open(project, Setup { cache: None, tests: true, coverage, ..setup }) {
            Ok(mut session) => {
                let status = fix::fix(&mut session, dry, started, self.output);
                std::mem::forget(session);
                (status, "oric")
            }
            Err(error) => (self.cannot_open(&error), "oric"),
        }
    }

    /// Stores what was learned, unless a query turns out to give two answers.
    fn finish(&self, mut session: Session, started: Instant) -> bool {
        let sound = self.sample(&session, started);
        self.publish(&mut session);
        // The process ends: taking the graph apart node by node would cost a tenth of a large build.
        std::mem::forget(session);
        sound
    }

    /// Runs a few queries again that are believed from the store, for a thirtieth of the time that the session took. One that gives another answer is our bug.
    fn sample(&self, session: &Session, started: Instant) -> bool {
        let engine = &session.engine;
        if session.setup.timings.is_some() || !engine.has_news() {
            return true;
        }
        // A damaged graph is noticed and built again by the next session that needs it.
        let Ok(Some(first)) = engine.sample(started.elapsed() / 33) else { return true };
        self.output.crash(&why::difference(engine, &first, 1));
        false
    }

    fn publish(&self, session: &mut Session) {
        publish(session, self.output);
    }

    /// Runs every green query again and reports the first difference; how many there are.
    fn doubt(&self, session: &Session) -> usize {
        let engine = &session.engine;
        let ran = match engine.doubt(None, |_, _| true) {
            Ok(ran) => ran,
            Err(interrupt) => panic!("the session was interrupted: {interrupt:?}"),
        };
        let differences = engine.differences();
        match differences.first() {
            None => self.output.summary(&format!("verify-queries: {ran} queries ran again with the same answers")),
            Some(first) => self.output.crash(&why::difference(engine, first, differences.len())),
        }
        differences.len()
    }
}

/// Says what the session has to say, once.
fn warn(session: &mut Session, output: &Output) {
    for warning in std::mem::take(&mut session.warnings) {
        output.warn(&warning);
    }
}

/// Stores what was learned, and says so once when that is not possible. Then looks at what there is too much of: only a session that wrote whole files can
/// have made it so.
fn publish(session: &mut Session, output: &Output) {
    warn(session, output);
    match session.publish() {
        query::engine::Outcome::Nothing | query::engine::Outcome::Raced => {}
        query::engine::Outcome::Written => {
            if let Some(cache) = &session.setup.cache {
                cache.ignore_for_git();
            }
        }
        // The reason is the one that the user has been told, when the store could not be opened.
        query::engine::Outcome::Refused(_) if output.has_warned() => {}
        query::engine::Outcome::Refused(reason) => output.warn(&format!("nothing was stored: {reason}")),
    }
    if session.outputs.grew
        && let Some(cache) = &session.setup.cache
    {
        // What cannot be removed now is removed another time: the build is done.
        let _ = crate::garbage::keep_within(cache, session.setup.budget);
    }
    if let Some(form) = session.setup.timings.take() {
        report::timings(session, form, output);
    }
}

fn open_error(error: &OpenError) -> String {
    match error {
        OpenError::Io(path, error) if error.kind() == std::io::ErrorKind::NotFound => format!("no such file: {}", path.display()),
        OpenError::Io(path, error) => format!("cannot read {}: {error}", path.display()),
        OpenError::NoPackage(path) => {
            format!("{} is no package: it has no ori.toml; name a .ori file, or write an ori.toml", path.display())
        }
        OpenError::Manifest(path, why) => format!("[E0217] {}: invalid ori.toml: {why}", path.display()),
        OpenError::NotSource(path) => format!("{} is not an Ori source file: its name must end in .ori", path.display()),
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// `3.4 ms`, `1.2 s`
fn elapsed(started: Instant) -> String {
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    if ms < 1000.0 { format!("{ms:.1} ms") } else { format!("{:.2} s", ms / 1000.0) }
}
