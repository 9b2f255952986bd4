//! `oric run`: as machine code, or in the reference interpreter.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};

use ir::ItemId;

use super::build;
use crate::cli::{Environment, Input, Output, REFUSED};
use crate::foreign::{Host, Linker};
use crate::link::{self, Executable, Failure};
use crate::project::Project;
use crate::session::Session;

/// Brings the program up to date in the cache and becomes it: status and signals pass on for free (decision 6).
pub fn run(session: &mut Session, input: &Input, args: &[OsString], output: &Output) -> (i32, &'static str) {
    if let Err(status) = build::checked_main(session, output) {
        return (status, "oric");
    }
    let name = match &session.project.manifest.name {
        Some(name) if input.file.is_dir() => name.clone(),
        Some(_) | None => input.file.file_stem().map_or_else(|| "program".into(), |s| s.to_string_lossy().into_owned()),
    };
    let program = match made(session, session.main_item(), "", output) {
        Ok(program) => program,
        Err(status) => return (status, "oric"),
    };
    super::publish(session, output);
    // The program as it was linked, by the open file: by its path another process may have put another one.
    let name = OsStr::new(&name);
    let start = |mut command: Command| -> io::Result<ExitStatus> {
        command.args(args);
        if !output.is_json() {
            return Err(command.exec());
        }
        // JSON needs the status, and the program's output must not mix with its lines on standard output.
        command.stdout(Stdio::from(io::stderr())).status()
    };
    let named = session.setup.cache.as_ref().map(|cache| program.held.named_command(&cache.names(), name).and_then(start));
    let status = match named {
        Some(Ok(status)) => Ok(status),
        // Somebody cleans the cache: it does without a name.
        Some(Err(_)) | None => start(program.held.command(name)),
    };
    match status {
        Ok(status) => (status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)), "program"),
        Err(error) => {
            output.failure(&format!("cannot start the program: {error}"));
            (REFUSED, "oric")
        }
    }
}

/// The executable of `main` brought up to date in the cache, or without a name when there is no cache to write to. `Err` is an exit status.
pub fn made(session: &mut Session, main: ItemId, suffix: &str, output: &Output) -> Result<Executable, i32> {
    // Builds of both kinds that take turns need not be linked again.
    let kind = if session.setup.release.is_some() { ".release" } else { "" };
    let host = match session.setup.linker.as_ref().map_or(Host::None, Linker::host) {
        Host::None => "",
        Host::Library => ".system",
        Host::Address => ".address",
    };
    let name = format!("{}{suffix}{kind}{host}", slot(&session.project));
    let links = session.setup.cache.as_ref().map(|cache| cache.links()).filter(|links| std::fs::create_dir_all(links).is_ok());
    if let Some(links) = links {
        let path = links.join(&name);
        match link::executable(session, main, &path, false) {
            Ok(made) => return Ok(made),
            Err(Failure::Io(_)) => {}
            Err(
                failure @ (Failure::Link(_) | Failure::Foreign { .. } | Failure::Release(_) | Failure::NoLinker | Failure::Handover(_)),
            ) => {
                return Err(build::failed(&failure, &path, session, output));
            }
        }
    }
    let path = std::env::temp_dir().join(format!("oric-run-{}-{name}", std::process::id()));
    let made = link::executable(session, main, &path, false).map_err(|failure| build::failed(&failure, &path, session, output))?;
    // It is held.
    let _ = std::fs::remove_file(&path);
    Ok(made)
}

/// What the executable of a program is called in the cache. Programs of a package have names of their own, so that two that take turns need not be linked again.
fn slot(project: &Project) -> String {
    let main = project.main.as_str();
    match (&project.manifest.name, project.part()) {
        (Some(name), Some(part)) => format!("{name}@{}", part.replace('/', ".")),
        (Some(name), None) => name.clone(),
        (None, _) => main.to_owned(),
    }
}

/// Runs the program in the MIR interpreter.
pub fn interpret(session: &mut Session, args: &[OsString], output: &Output, environment: &Environment) -> (i32, &'static str) {
    let main = match build::checked_main(session, output) {
        Ok(main) => main,
        Err(status) => return (status, "oric"),
    };
    // As the runtime does with arguments that are not UTF-8 (language/17 §17.1).
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut streams = Streams::default();
    streams.to_error = output.is_json();
    let (status, counts) = session.interpret(main, &args, &mut streams, environment.backtrace);
    drop(streams);
    if environment.counts {
        eprintln!("{counts}");
    }
    (status, "program")
}

/// Standard output with a block buffer, and standard error.
struct Streams {
    out: Vec<u8>,
    /// Standard output is JSON lines: what the program prints must not be among them.
    to_error: bool,
}

impl Default for Streams {
    fn default() -> Self {
        Streams { out: Vec::with_capacity(1 << 14), to_error: false }
    }
}

impl Streams {
    fn flush(&mut self) -> Result<(), i32> {
        let written = match self.to_error {
            true => std::io::stderr().write_all(&self.out),
            false => std::io::stdout().write_all(&self.out).and_then(|()| std::io::stdout().flush()),
        };
        self.out.clear();
        written.map_err(|error| error.raw_os_error().unwrap_or(5))
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

impl mir::interp::Output for Streams {
    fn write(&mut self, bytes: &[u8]) -> Result<(), i32> {
        self.out.extend_from_slice(bytes);
        if self.out.len() > 1 << 13 { self.flush() } else { Ok(()) }
    }

    fn write_error(&mut self, bytes: &[u8]) {
        let _ = self.flush();
        let _ = std::io::stderr().write_all(bytes);
    }
}
