//! Processes with limits. A program under test may hang, eat memory or write for ever; the run ends all the same and says how.
//!
//! An image runs from a memory file, so nothing is written to disk and no other thread can keep it busy. Output goes to memory files too: no pipes to
//! drain while waiting. Address space and file size are limited by the system, time by this process.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// How a process ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ending {
    /// Exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// The signal.
    pub signal: Option<i32>,
    /// Its time was up.
    pub timed_out: bool,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Ending {
    /// One line for a report.
    pub fn line(&self) -> String {
        let short = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        format!("{}, stdout {:?}, stderr {:?}", self.how(), short(&self.stdout), short(&self.stderr))
    }

    /// How it ended, without what it said.
    pub fn how(&self) -> String {
        match (self.timed_out, self.status, self.signal) {
            (true, ..) => "timed out".to_owned(),
            (_, Some(status), _) => format!("status {status}"),
            (_, None, signal) => format!("signal {}", signal.unwrap_or_default()),
        }
    }
}

/// What a process may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wall time.
    pub time: Duration,
    /// Address space in bytes.
    pub memory: u64,
    /// Bytes of output.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { time: Duration::from_secs(20), memory: 2 << 30, output: 16 << 20 }
    }
}

/// An executable in memory.
#[derive(Debug)]
pub struct Program {
    file: File,
}

impl Program {
    /// Holds this image.
    pub fn new(image: &[u8]) -> std::io::Result<Program> {
        let mut file = File::from(memfd_create("program", MemfdFlags::CLOEXEC)?);
        file.write_all(image)?;
        Ok(Program { file })
    }

    /// Where it can be executed while this value lives.
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()).into()
    }
}

/// Runs an image with these arguments and an empty environment.
pub fn run_image(image: &[u8], args: &[String], limits: Limits) -> std::io::Result<Ending> {
    let program = Program::new(image)?;
    let mut command = Command::new(program.path());
    command.args(args).env_clear();
    run(&mut command, limits)
}

/// Runs a command within limits and takes its output.
pub fn run(command: &mut Command, limits: Limits) -> std::io::Result<Ending> {
    let mut stdout = File::from(memfd_create("stdout", MemfdFlags::CLOEXEC)?);
    let mut stderr = File::from(memfd_create("stderr", MemfdFlags::CLOEXEC)?);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = command.spawn()?;
    limit(&child, Resource::As, limits.memory);
    limit(&child, Resource::Fsize, limits.output);
    leave_no_core(&child);
    let (status, timed_out) = wait(&mut child, limits.time)?;
    let mut ending = Ending { status: status.code(), signal: status.signal(), timed_out, ..Ending::default() };
    stdout.rewind()?;
    stdout.read_to_end(&mut ending.stdout)?;
    stderr.rewind()?;
    stderr.read_to_end(&mut ending.stderr)?;
    Ok(ending)
}

/// Limits a running child. One that has ended already needs none.
pub fn limit(child: &Child, resource: Resource, bytes: u64) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = prlimit(Some(pid), resource, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    }
}

/// A crash of a running child leaves no core file. Its hard limit stays: a program that reads its limits and puts them back changed (AddressSanitizer's
/// start does) would otherwise be refused when the two meet, since nobody may raise a hard limit without a privilege.
fn leave_no_core(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let maximum = rustix::process::getrlimit(Resource::Core).maximum;
        let _ = prlimit(Some(pid), Resource::Core, Rlimit { current: Some(0), maximum });
    }
}

/// Bytes of stack for programs that recurse as deep as their data, in every language alike; `shared/bench/kernels/run.py` does the same.
const DEEP_STACK: u64 = 1 << 30;

/// Lets the processes that are started from now on have deep stacks, where the system allows it.
pub fn raise_stacks() {
    let most = rustix::process::getrlimit(Resource::Stack).maximum;
    let _ = rustix::process::setrlimit(
        Resource::Stack,
        Rlimit { current: Some(most.map_or(DEEP_STACK, |most| most.min(DEEP_STACK))), maximum: most },
    );
}

/// The same for programs in Ori, which have a stack of their own.
pub fn deep_stack(command: &mut Command) -> &mut Command {
    command.env("ORI_STACK_SIZE", DEEP_STACK.to_string())
}

/// Waits for the end, and brings it about when the time is up.
fn wait(child: &mut Child, time: Duration) -> std::io::Result<(std::process::ExitStatus, bool)> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        if started.elapsed() > time {
            // A command may have started others, which would stay.
            let started = i32::try_from(child.id()).map(descendants).unwrap_or_default();
            let _ = child.kill();
            for pid in started.into_iter().filter_map(Pid::from_raw) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            return Ok((child.wait()?, true));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(2));
    }
}

/// The processes that a process started, and those that these started.
fn descendants(process: i32) -> Vec<i32> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(&process) = found.get(next) {
        next += 1;
        let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
        let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
        found.extend(lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()));
    }
    found.split_off(1)
}

/// The most memory that a program has had at once, in KB, as the system says while it runs.
pub fn peak(program: &str, args: &[&str]) -> std::io::Result<u64> {
    let mut child =
        deep_stack(&mut Command::new(program)).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0).max(most);
        std::thread::sleep(Duration::from_micros(500));
    }
    Ok(most)
}

/// Where a program of this name is, by `PATH`.
pub fn find(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Runs a command to its end in a folder; the error is what it said.
pub fn succeed(folder: &Path, name: &str, args: &[&str]) -> Result<Vec<u8>, String> {
    let limits = Limits { time: Duration::from_secs(300), memory: u64::MAX, output: u64::MAX };
    let ending =
        run(deep_stack(&mut Command::new(name)).args(args).current_dir(folder), limits).map_err(|error| format!("{name}: {error}"))?;
    match ending.status {
        Some(0) => Ok(ending.stdout),
        _ => Err(format!("{name} {}: {}", args.join(" "), ending.line())),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Limits, run};

    #[test]
    fn what_takes_too_long_goes_with_what_it_started() {
        let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
        let ending =
            run(Command::new("sh").args(["-c", "sleep 96.5 & echo $!; sh -c 'sleep 96.5; true'; true"]), limits).expect("sh starts");
        assert!(ending.timed_out && ending.stdout.ends_with(b"\n"), "{ending:?}");
        let is_left = || {
            let mut processes = std::fs::read_dir("/proc").expect("Linux").flatten();
            processes.any(|process| std::fs::read(process.path().join("cmdline")).is_ok_and(|line| line == b"sleep\x0096.5\0"))
        };
        // Who is killed is gone a little later.
        let gone = (0..1000).any(|_| {
            !is_left() || {
                std::thread::sleep(Duration::from_millis(5));
                false
            }
        });
        assert!(gone);
    }
}
