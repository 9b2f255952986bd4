//! `oric run`: as machine code, or in the reference interpreter.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::Command;

use super::build;
use crate::cli::{Environment, Input, Output, REFUSED};
use crate::link;
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
    let (path, temporary) = match place(session, &name) {
        Ok(place) => place,
        Err(error) => {
            output.failure(&format!("cannot store the program: {error}"));
            return (REFUSED, "oric");
        }
    };
    if let Err(failure) = link::executable(session, session.main_item(), &path, false) {
        return (build::failed(&failure, &path, output), "oric");
    }
    super::publish(session, output);
    let mut command = Command::new(&path);
    command.arg0(&name).args(args);
    // JSON needs the status, and a temporary file somebody who takes it away: then the program is a child.
    if !output.is_json() && !temporary {
        let error = command.exec();
        output.failure(&format!("cannot start the program: {error}"));
        return (REFUSED, "oric");
    }
    if output.is_json() {
        // Its output must not mix with the JSON lines on standard output.
        command.stdout(std::process::Stdio::from(std::io::stderr()));
    }
    let status = command.status();
    if temporary {
        let _ = std::fs::remove_file(&path);
    }
    match status {
        Ok(status) => (status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)), "program"),
        Err(error) => {
            output.failure(&format!("cannot start the program: {error}"));
            (REFUSED, "oric")
        }
    }
}

/// Where the program is made: in the cache, else a temporary file.
pub fn place(session: &Session, name: &str) -> std::io::Result<(PathBuf, bool)> {
    if let Some(cache) = &session.setup.cache {
        let folder = cache.links();
        if std::fs::create_dir_all(&folder).is_ok() {
            return Ok((folder.join(name), false));
        }
    }
    Ok((std::env::temp_dir().join(format!("oric-run-{}-{name}", std::process::id())), true))
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
