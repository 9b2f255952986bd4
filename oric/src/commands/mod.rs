//! What each verb does.

mod build;
mod explain;
mod run;

use std::time::Instant;

use crate::cli::{Args, Environment, FAILED, Global, Input, Output, REFUSED, Verb};
use crate::project::{OpenError, Project};
use crate::queries::Options;
use crate::session::Session;

/// Does what the command line says. Returns the exit status and whose it is.
pub fn dispatch(args: &Args, environment: &Environment, output: &Output) -> (i32, &'static str) {
    if let Some(directory) = &args.global.directory
        && let Err(error) = std::env::set_current_dir(directory)
    {
        output.failure(&format!("cannot enter {}: {error}", directory.display()));
        return (REFUSED, "oric");
    }
    match &args.verb {
        Verb::Explain { code } => (explain::explain(code.as_deref(), output), "oric"),
        Verb::Check { input } => with_session(input, &args.global, environment, output, true, |session, started| {
            let count = session.modules.len();
            output.summary(&format!("check: no errors in {} file{} in {}", count, plural(count), elapsed(started)));
            (0, "oric")
        }),
        Verb::Build { input, output: path, emit, strip, release } => {
            if *release {
                output.failure(
                    "release builds need the LLVM back end, which this version does not have; the development build (without --release) needs nothing",
                );
                return (REFUSED, "oric");
            }
            with_session(input, &args.global, environment, output, !*strip, |session, started| {
                (build::build(session, input, path.as_deref(), *emit, started, output), "oric")
            })
        }
        Verb::Run { input, interp, args: program_args } => with_session(input, &args.global, environment, output, true, |session, _| {
            if *interp {
                run::interpret(session, program_args, output, environment.backtrace)
            } else {
                run::run(session, input, program_args, output)
            }
        }),
    }
}

/// Loads and checks a program, prints what was found or the dump that was asked for, then goes on with `work` when there is no error.
fn with_session(
    input: &Input,
    global: &Global,
    environment: &Environment,
    output: &Output,
    symbols: bool,
    work: impl FnOnce(&Session, Instant) -> (i32, &'static str),
) -> (i32, &'static str) {
    let started = Instant::now();
    let fuel = match &environment.fuel {
        Some(Ok(fuel)) => *fuel,
        Some(Err(text)) => {
            output.failure(&format!("ORI_FUEL must be a number, found '{text}'"));
            return (REFUSED, "oric");
        }
        None => u64::MAX,
    };
    let options = Options { fuel, passes_off: input.no_pass.clone(), symbols, ..Options::default() };
    let workers = global.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let session = match Project::of_file(&input.file).and_then(|project| Session::load(project, options, workers)) {
        Ok(session) => session,
        Err(error) => {
            output.failure(&open_error(&error));
            return (REFUSED, "oric");
        }
    };
    output.compiling(session.source_texts());
    let diagnostics = match session.diagnostics() {
        Ok(diagnostics) => diagnostics,
        Err(interrupt) => panic!("the session was interrupted: {interrupt:?}"),
    };
    let errors = output.diagnostics(&diagnostics, &session);
    if errors > 0 {
        let warnings = diagnostics.len() - errors;
        let code = diagnostics.iter().find(|d| d.severity() == syntax::Severity::Error).map_or("", |d| d.code.as_str());
        output.summary(&format!(
            "check: {errors} error{}, {warnings} warning{} in {} · oric explain {code}",
            plural(errors),
            plural(warnings),
            elapsed(started)
        ));
        return (FAILED, "oric");
    }
    if let Some(what) = &input.dump {
        return (crate::dump::dump(&session, what, input.dump_format, output), "oric");
    }
    let result = work(&session, started);
    // The process ends: taking the graph apart node by node would cost a tenth of a large build.
    std::mem::forget(session);
    result
}

fn open_error(error: &OpenError) -> String {
    match error {
        OpenError::Io(path, error) if error.kind() == std::io::ErrorKind::NotFound => format!("no such file: {}", path.display()),
        OpenError::Io(path, error) => format!("cannot read {}: {error}", path.display()),
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
