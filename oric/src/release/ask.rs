//! Worker processes: units to objects, several at once.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use llvm::{Answer, Failure, Product, Request, Unit};
use wire::{PROTOCOL, receive, send};

use super::{NotMade, Release};
use crate::queries::NotLinked;

/// Bytes of what a worker says on standard error that are kept: its last words.
const LAST_WORDS: usize = 4096;

/// What a worker made of units, by their numbers.
type Share = Result<Vec<(usize, Vec<u8>)>, NotMade>;

/// Asks for this product of each unit. Each worker process takes the largest unit that nobody took; what comes of it does not depend on who made it.
pub fn translate(release: &Release, units: &[Unit], product: Product) -> Result<Vec<Vec<u8>>, NotMade> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let workers = release.workers.unwrap_or_else(processors).min(units.len()).max(1);
    let size = |unit: &Unit| unit.functions.iter().map(|function| function.graph().insts.len()).sum::<usize>();
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by_cached_key(|&number| (std::cmp::Reverse(size(&units[number])), number));
    let taken = AtomicUsize::new(0);
    let next = || order.get(taken.fetch_add(1, Ordering::Relaxed)).map(|&number| (number, &units[number]));
    let ends: Vec<Share> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(|| share(release, next, product))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut made = Vec::with_capacity(units.len());
    for end in ends {
        made.extend(end?);
    }
    made.sort_by_key(|(number, _)| *number);
    Ok(made.into_iter().map(|(_, bytes)| bytes).collect())
}

/// One worker process, and what it is asked: what comes next, until nothing does.
fn share<'u>(release: &Release, next: impl Fn() -> Option<(usize, &'u Unit)>, product: Product) -> Share {
    let mut child = Command::new(release.worker.program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| NotMade::Io(io::Error::new(error.kind(), format!("{}: {error}", release.worker.program().display()))))?;
    // Read all the time: a worker that cannot write waits for ever.
    let said = child.stderr.take().map(|pipe| std::thread::spawn(move || end_of(pipe)));
    let mut made = Vec::new();
    while let Some((number, unit)) = next() {
        let request = Request { protocol: PROTOCOL, text: llvm::write(unit), product, level: release.level, cpu: release.cpu.clone() };
        let answer = ask(&mut child, &request);
        match answer {
            Ok(Some(Ok(bytes))) => made.push((number, bytes)),
            Ok(Some(Err(failure))) => {
                stop(child);
                return Err(match failure {
                    Failure::Protocol(_) => NotMade::Version,
                    Failure::Broken(why) => NotMade::Link(NotLinked::Broken(format!("LLVM refuses what was written for it: {why}"))),
                });
            }
            // Another protocol may not even be readable.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                stop(child);
                return Err(NotMade::Version);
            }
            Ok(None) | Err(_) => return Err(died(child, said)),
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

/// What a worker that gave no answer said last.
fn died(mut child: Child, said: Option<JoinHandle<VecDeque<u8>>>) -> NotMade {
    drop((child.stdin.take(), child.stdout.take()));
    let Ok(status) = child.wait() else { return NotMade::Died("it gave no answer".to_owned()) };
    let said: Vec<u8> = said.and_then(|thread| thread.join().ok()).unwrap_or_default().into();
    let said = String::from_utf8_lossy(&said);
    let last = said.trim_end().lines().last().unwrap_or_default();
    NotMade::Died(if last.is_empty() { status.to_string() } else { format!("{status}: {last}") })
}
