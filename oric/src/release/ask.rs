//! Worker processes: units to objects, several at once.
//!
//! A worker that is given too little memory says so in one of a few ways, and so does one that the system takes down: LLVM reports it and aborts, its
//! allocator throws, Rust's aborts, the system kills. Those are told from other ends.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use llvm::{Answer, Failure, Linkage, Product, Request, Unit};
use rustix::process::{Pid, Resource, Rlimit, Signal};
use wire::{PROTOCOL, receive, send};

use super::{NotMade, Release};
use crate::queries::NotLinked;
use crate::session::Step;

/// Bytes of what a worker says on standard error that are kept: its last words.
const LAST_WORDS: usize = 4096;

/// What a worker made of units, by their numbers.
type Share = Result<Vec<(usize, Vec<u8>, Step)>, NotMade>;

/// Asks for this product of each unit. Each worker process takes the largest unit that nobody took; what comes of it does not depend on who made it.
pub fn translate(release: &Release, units: &[Unit], product: Product) -> Result<Vec<Vec<u8>>, NotMade> {
    Ok(timed(release, units, product)?.0)
}

/// [`translate`], and when each unit was made.
pub fn timed(release: &Release, units: &[Unit], product: Product) -> Result<(Vec<Vec<u8>>, Vec<Step>), NotMade> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let workers = release.workers.unwrap_or_else(processors).min(units.len()).max(1);
    let size = |unit: &Unit| unit.functions.iter().map(|function| function.graph().insts.len()).sum::<usize>();
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by_cached_key(|&number| (std::cmp::Reverse(size(&units[number])), number));
    let taken = AtomicUsize::new(0);
    let next = || order.get(taken.fetch_add(1, Ordering::Relaxed)).map(|&number| (number, &units[number]));
    let ends: Vec<Share> = std::thread::scope(|scope| {
        let (next, share) = (&next, &share);
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || share(release, next, product, worker))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut made = Vec::with_capacity(units.len());
    for end in ends {
        made.extend(end?);
    }
    made.sort_by_key(|(number, ..)| *number);
    Ok(made.into_iter().map(|(_, bytes, step)| (bytes, step)).unzip())
}

/// One worker process, and what it is asked: what comes next, until nothing does.
fn share<'u>(release: &Release, next: impl Fn() -> Option<(usize, &'u Unit)>, product: Product, worker: usize) -> Share {
    let mut child = Command::new(release.worker.program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| NotMade::Io(io::Error::new(error.kind(), format!("{}: {error}", release.worker.program().display()))))?;
    if let (Some(memory), Some(worker)) = (release.memory, Pid::from_raw(child.id().cast_signed())) {
        // It waits for what it is asked.
        let limit = Rlimit { current: Some(memory), maximum: Some(memory) };
        let _ = rustix::process::prlimit(Some(worker), Resource::As, limit);
    }
    // Read all the time: a worker that cannot write waits for ever.
    let said = child.stderr.take().map(|pipe| std::thread::spawn(move || end_of(pipe)));
    let mut made = Vec::new();
    while let Some((number, unit)) = next() {
        let started = Instant::now();
        let (text, cpu) = (llvm::write(unit), release.cpu.clone());
        let request = Request { protocol: PROTOCOL, text, product, level: release.level, cpu, sanitize: release.sanitize };
        let answer = ask(&mut child, &request);
        match answer {
            Ok(Some(Ok(bytes))) => {
                made.push((number, bytes, Step { kind: "llvm", what: described(unit), worker, started, took: started.elapsed() }))
            }
            Ok(Some(Err(failure))) => {
                stop(child);
                return Err(match failure {
                    Failure::Protocol(theirs) => NotMade::Version(theirs),
                    Failure::Broken(why) => NotMade::Link(NotLinked::Broken(format!("LLVM refuses what was written for it: {why}"))),
                });
            }
            // Another protocol may not even be readable.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                stop(child);
                return Err(NotMade::NoWorker(release.worker.program().to_owned()));
            }
            Ok(None) | Err(_) => {
                let (status, said) = last_words(child, said);
                return Err(ended(release, unit, status, &said));
            }
        }
    }
    drop(child.stdin.take());
    let _ = child.wait();
    Ok(made)
}

fn ask(child: &mut Child, request: &Request) -> io::Result<Option<Answer>> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    send(request, child.stdin.as_mut().ok_or_else(gone)?)?;
    receive(child.stdout.as_mut().ok_or_else(gone)?)
}

fn stop(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The end of what comes from a pipe.
fn end_of(mut pipe: impl Read) -> VecDeque<u8> {
    let (mut end, mut bytes) = (VecDeque::new(), [0; LAST_WORDS]);
    while let Ok(count @ 1..) = pipe.read(&mut bytes) {
        end.extend(&bytes[..count]);
        end.drain(..end.len().saturating_sub(LAST_WORDS));
    }
    end
}

/// How a worker that gave no answer ended, and what it said last.
fn last_words(mut child: Child, said: Option<JoinHandle<VecDeque<u8>>>) -> (Option<ExitStatus>, String) {
    drop((child.stdin.take(), child.stdout.take()));
    let status = child.wait().ok();
    let said: Vec<u8> = said.and_then(|thread| thread.join().ok()).unwrap_or_default().into();
    (status, String::from_utf8_lossy(&said).trim_end().to_owned())
}

/// What is said of it.
fn ended(release: &Release, unit: &Unit, status: Option<ExitStatus>, said: &str) -> NotMade {
    let Some(status) = status else { return NotMade::Died { unit: described(unit), how: "nobody knows how".to_owned() } };
    // One that does not even look at what it is asked: its end was no accident.
    if status.success() {
        return NotMade::NoWorker(release.worker.program().to_owned());
    }
    let signal = status.signal();
    // What the loader says of a program that does not fit, what LLVM says, what its allocator throws, what Rust says.
    let words = ["out of memory", "bad_alloc", "memory allocation of", "cannot allocate", "failed to map segment"];
    let is_killed = signal == Some(Signal::KILL.as_raw());
    let lower = said.to_lowercase();
    if is_killed || words.iter().any(|word| lower.contains(word)) {
        return NotMade::Memory { unit: described(unit), limit: release.memory.filter(|_| !is_killed) };
    }
    // Without room for its stack, or for what a library wants before it can complain, it dies of a signal, with nothing said or anything.
    if let (Some(limit), Some(_)) = (release.memory, signal)
        && limit < TIGHT
    {
        return NotMade::Memory { unit: described(unit), limit: Some(limit) };
    }
    let last = said.lines().last().unwrap_or_default();
    let how = if last.is_empty() { status.to_string() } else { format!("{status}: {last}") };
    NotMade::Died { unit: described(unit), how }
}

/// A limit with less than that is likely to be why a worker dies: the program alone takes much of it.
const TIGHT: u64 = 1 << 30;

/// What a unit is to a user: the program, or its modules.
fn described(unit: &Unit) -> String {
    if !unit.is_part {
        return "the program".to_owned();
    }
    let own = unit.functions.iter().filter(|function| function.linkage != Linkage::Copy);
    let modules: BTreeSet<&str> = own.map(|function| function.graph().name.module().as_str()).filter(|module| !module.is_empty()).collect();
    let shown: Vec<&str> = modules.iter().copied().take(SHOWN).collect();
    let more = if modules.len() > SHOWN { format!(" and {} more", modules.len() - SHOWN) } else { String::new() };
    format!("the unit of {} {}{more}", if modules.len() == 1 { "module" } else { "modules" }, shown.join(", "))
}

/// Modules that a message names.
const SHOWN: usize = 3;
