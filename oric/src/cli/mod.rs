//! The command line: verbs, flags, environment, exit codes.
//!
//! stdout is the result (a program's output, dumps, JSON), stderr is diagnostics and summary. Exit codes: 0 done, 1 the user's code, 2 the request or
//! the machine, 4 a filter that selects nothing, 101 a bug of ours; `run` passes the program's status on.

mod args;
mod env;
mod output;

pub use args::{
    Args, CacheVerb, DumpFormat, Emit, Format, Global, GraphFormat, Input, Keep, Optimise, Remarks, Report, TestFlags, Timings, Verb,
    pass_names,
};
pub use env::Environment;
pub use output::Output;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::{commands, crash};

/// Exit status of a run whose input is wrong.
pub const FAILED: i32 = 1;
/// Exit status of a request that cannot be met.
pub const REFUSED: i32 = 2;
/// Exit status of a filter that selects nothing.
pub const NOTHING: i32 = 4;
/// Exit status of our own bugs.
pub const CRASHED: i32 = 101;

/// What `oric` does, with a big stack: the levels walk trees recursively up to the parser's nesting limit.
pub fn main() -> ExitCode {
    main_then(|| {})
}

/// As [`main`], and this at the end: nothing behind it in the caller runs.
pub fn main_then(last: fn()) -> ExitCode {
    crash::install_hook();
    query::store::limit::fail_beyond_limit();
    // It ends the process itself: to take down its stack and its heap first would cost a short run a twentieth of its time.
    let worker = std::thread::Builder::new().stack_size(crate::session::WORKER_STACK).spawn(move || -> std::convert::Infallible {
        let status = run(std::env::args_os().collect());
        last();
        std::process::exit(status)
    });
    let status = match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(never)) => match never {},
        Ok(Err(_)) => CRASHED,
        Err(error) => {
            eprintln!("error: cannot start a thread: {error}");
            REFUSED
        }
    };
    ExitCode::from(status as u8)
}

/// Runs one command line; `args` starts with the program's name.
pub fn run(args: Vec<OsString>) -> i32 {
    let args = args::with_implied_run(args);
    let environment = Environment::read();
    let parsed = match args::parse(&args) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, &args),
    };
    let output = Output::new(&parsed.global, &environment);
    output.start();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| commands::dispatch(&parsed, &environment, &output)));
    let (status, owner) = match caught {
        Ok(result) => result,
        Err(_) => {
            output.crash(&crash::description());
            (CRASHED, "oric")
        }
    };
    output.finish(status, owner)
}

/// A command line that does not parse, or asks for help.
fn usage(error: &clap::Error, args: &[OsString]) -> i32 {
    let wants_json =
        args.iter().any(|a| a == "--message-format=json") || args.windows(2).any(|w| w[0] == "--message-format" && w[1] == "json");
    if !error.use_stderr() {
        return match error.print() {
            Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => {
                eprintln!("error: cannot write to standard output: {failed}");
                REFUSED
            }
            Ok(()) | Err(_) => 0,
        };
    }
    if wants_json {
        output::print_json(&crate::report::json::start());
        output::print_json(&crate::report::json::failure(None, error.to_string().trim_start_matches("error: ").trim_end()));
        output::print_json(&crate::report::json::finished(REFUSED, "oric"));
    } else {
        let _ = error.print();
    }
    REFUSED
}
