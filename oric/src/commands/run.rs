//! `oric run`: as machine code, or in the reference interpreter.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

use ir::ItemId;

use super::build;
use crate::cli::{Input, Output, REFUSED};
use crate::queries;
use crate::session::Session;

/// Compiles into a temporary executable and becomes it: status and signals pass on for free (decision 6).
pub fn run(session: &Session, input: &Input, args: &[OsString], output: &Output) -> (i32, &'static str) {
    let bytes = match build::executable(session, output) {
        Ok(bytes) => bytes,
        Err(status) => return (status, "oric"),
    };
    let name = input.file.file_stem().map_or_else(|| "program".into(), |s| s.to_string_lossy().into_owned());
    let program = match memory_file(&name, &bytes) {
        Ok(program) => program,
        Err(error) => {
            output.failure(&format!("cannot store the program: {error}"));
            return (REFUSED, "oric");
        }
    };
    let mut command = Command::new(program.path());
    command.arg0(&name).args(args);
    if output.is_json() {
        // JSON needs the status, so the program is a child here. Its output must not mix with the JSON lines on standard output.
        command.stdout(std::process::Stdio::from(std::io::stderr()));
        return match command.status() {
            Ok(status) => (status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)), "program"),
            Err(error) => {
                output.failure(&format!("cannot start the program: {error}"));
                (REFUSED, "oric")
            }
        };
    }
    let error = command.exec();
    output.failure(&format!("cannot start the program: {error}"));
    (REFUSED, "oric")
}

/// An executable that has no name on disk, or had one for a moment.
enum Program {
    Memory(std::os::fd::OwnedFd),
    File(std::path::PathBuf),
}

impl Program {
    fn path(&self) -> std::path::PathBuf {
        use std::os::fd::AsRawFd;
        match self {
            Program::Memory(fd) => format!("/proc/self/fd/{}", fd.as_raw_fd()).into(),
            Program::File(path) => path.clone(),
        }
    }
}

/// A memfd; where the kernel forbids one, a temporary file.
fn memory_file(name: &str, bytes: &[u8]) -> std::io::Result<Program> {
    use rustix::fs::{MemfdFlags, memfd_create};
    // Not close-on-exec: the path goes through the descriptor of the process that is replaced.
    match memfd_create(name, MemfdFlags::ALLOW_SEALING) {
        Ok(fd) => {
            let mut file = std::fs::File::from(fd);
            file.write_all(bytes)?;
            // A descriptor open for writing makes exec fail with ETXTBSY for files, not for a memfd.
            Ok(Program::Memory(file.into()))
        }
        Err(_) => {
            let path = std::env::temp_dir().join(format!("oric-run-{}-{name}", std::process::id()));
            build::write(&path, bytes, true)?;
            Ok(Program::File(path))
        }
    }
}

/// Runs the program in the MIR interpreter.
pub fn interpret(session: &Session, args: &[OsString], output: &Output, backtrace: bool) -> (i32, &'static str) {
    let main = match build::checked_main(session, output) {
        Ok(main) => main,
        Err(status) => return (status, "oric"),
    };
    // As the runtime does with arguments that are not UTF-8 (language/17 §17.1).
    let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let status = interpret_to(session, main, &args, &mut Streams::default(), backtrace);
    (status, "program")
}

/// Runs `main` in the interpreter with this output; the exit status.
pub fn interpret_to(session: &Session, main: ItemId, args: &[String], streams: &mut dyn mir::interp::Output, backtrace: bool) -> i32 {
    let world = queries::World::new(&session.engine);
    let positions = queries::ReportPositions::new(&session.engine, backtrace);
    match mir::interp::run(main, args, &world, &positions, streams, mir::interp::Limits::default()) {
        Ok(mir::interp::Outcome::Broken(why)) => panic!("the interpreter: {why}"),
        Ok(outcome) => i32::from(outcome.status()),
        Err(_) => panic!("the interpreter was interrupted"),
    }
}

/// Standard output with a block buffer, and standard error.
struct Streams {
    out: Vec<u8>,
}

impl Default for Streams {
    fn default() -> Self {
        Streams { out: Vec::with_capacity(1 << 14) }
    }
}

impl Streams {
    fn flush(&mut self) -> Result<(), i32> {
        let written = std::io::stdout().write_all(&self.out).and_then(|()| std::io::stdout().flush());
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
