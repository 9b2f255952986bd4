//! The image of tests as a process that forks one for each test (the other side is `rt/src/serve.rs`).
//!
//! What tests write goes to files in memory: nobody has to read while they run, and a test that writes much is not held up.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::MemfdFlags;
use rustix::process::{Pid, Resource, Rlimit, Signal};

use super::Ended;
use crate::held::Held;
use crate::queries::Run;

/// Most bytes that a test may write to a stream.
pub const LONGEST: u64 = 16 << 20;

/// Bytes at the start and at the end of what a test wrote to a stream that are kept.
const SHOWN: u64 = 32 << 10;

/// How a server is started.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Do tests write to our own streams?
    pub shows: Option<Shown>,
    /// Are leaks failures?
    pub checks_leaks: bool,
}

impl Mode {
    /// Is a run in this mode what everybody would see? Without the output or the leaks it is only a part of that.
    pub const fn is_whole(self) -> bool {
        self.shows.is_none() && self.checks_leaks
    }
}

/// Where tests write that are not captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Our standard output.
    Output,
    /// Our standard error: the output is that of a machine.
    Error,
}

/// A server of tests.
pub struct Server {
    process: Child,
    socket: UnixStream,
    stdout: File,
    stderr: File,
}

impl Server {
    /// Starts the image. It is the one that this process made, each time: who starts it by a path runs what others put there.
    pub fn start(image: &Held, mode: Mode) -> io::Result<Server> {
        let (socket, theirs) = UnixStream::pair()?;
        let (stdout, stderr) = (memory()?, memory()?);
        let out = match mode.shows {
            None => Stdio::from(stdout.try_clone()?),
            Some(Shown::Output) => Stdio::inherit(),
            Some(Shown::Error) => Stdio::from(io::stderr()),
        };
        let process = image
            .command("tests".as_ref())
            .arg("serve")
            // A verdict depends on the program alone: what the runtime reads from the environment would change what is remembered.
            .env_clear()
            .env("ORI_CHECK_LEAKS", if mode.checks_leaks { "1" } else { "0" })
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(out)
            .stderr(Stdio::from(stderr.try_clone()?))
            // Its tests are killed with it.
            .process_group(0)
            .spawn()?;
        // A test that writes without end stops there, by a signal.
        if let Some(server) = Pid::from_raw(process.id().cast_signed()) {
            let limit = Rlimit { current: Some(LONGEST), maximum: Some(LONGEST) };
            let _ = rustix::process::prlimit(Some(server), Resource::Fsize, limit);
        }
        Ok(Server { process, socket, stdout, stderr })
    }

    /// Runs the test with this number. A server whose test took too long, or that failed, is of no more use.
    pub fn run(&mut self, number: u32, timeout: Duration) -> io::Result<Ended> {
        let started = Instant::now();
        self.socket.write_all(&i64::from(number).to_le_bytes())?;
        // Zero would mean to wait for ever.
        self.socket.set_read_timeout(Some(timeout.max(Duration::from_millis(1))))?;
        let mut answer = [0; 8];
        let is_late = match self.socket.read_exact(&mut answer) {
            Ok(()) => false,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.kill();
                true
            }
            Err(error) => return Err(error),
        };
        let status = i64::from_le_bytes(answer);
        if status < 0 {
            return Err(io::Error::other("no process could be made"));
        }
        let run = Run { status: status as i32, stdout: taken(&mut self.stdout)?, stderr: taken(&mut self.stderr)? };
        Ok(Ended { run, is_late, took: Some(started.elapsed()) })
    }

    fn kill(&mut self) {
        if let Some(group) = Pid::from_raw(self.process.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It waits for requests only; the end of them is its end, but nobody has time to wait for that.
        self.kill();
    }
}

/// A file in memory.
fn memory() -> io::Result<File> {
    let name = CString::new("test output")?;
    Ok(File::from(rustix::fs::memfd_create(name.as_c_str(), MemfdFlags::CLOEXEC)?))
}

/// What was written to the file, its start and end when that is much; the file is empty afterwards. Processes that write to it share its position.
fn taken(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(Vec::new());
    }
    let mut bytes = vec![0; length.min(2 * SHOWN) as usize];
    if length > 2 * SHOWN {
        let (start, end) = bytes.split_at_mut(SHOWN as usize);
        file.read_exact_at(start, 0)?;
        file.read_exact_at(end, length - SHOWN)?;
        let cut = format!("\n[{} bytes left out]\n", length - 2 * SHOWN);
        bytes.splice(SHOWN as usize..SHOWN as usize, cut.into_bytes());
    } else {
        file.read_exact_at(&mut bytes, 0)?;
    }
    file.set_len(0)?;
    file.rewind()?;
    Ok(bytes)
}
