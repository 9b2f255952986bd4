//! Release builds: LIR in LLVM's language to `oric-llvm`, a process of its own, and what it gives to a linker.
//!
//! The driver does this, and no query: what a worker answers depends on a program outside of ours, as what a linker gives does. Objects are kept by the
//! fingerprint of what they were made from, so only units that changed are asked for again.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ir::ItemId;
use lir::Op;
use lir::build::Purpose;
use llvm::{Answer, Failure, Function, Item, Level, Product, Request, Unit};
use query::Fp;
use wire::{PROTOCOL, receive, send};

use crate::queries::{self, NotLinked};
use crate::session::Session;

/// How a release build is made.
#[derive(Clone, Debug)]
pub struct Release {
    /// The worker.
    pub worker: Worker,
    /// How much it optimises.
    pub level: Level,
    /// For which processor: a level of x86-64, or `native`.
    pub cpu: String,
}

/// The worker program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Worker {
    program: PathBuf,
    identity: Fp,
}

/// Why there are no objects.
#[derive(Debug)]
pub enum NotMade {
    /// The program cannot be linked.
    Link(NotLinked),
    /// The worker is of another version.
    Version,
    /// The worker ended without an answer: it crashed, or ran out of memory.
    Died(String),
    /// It cannot be started.
    Io(io::Error),
}

/// What to do when there is no worker.
pub const HOW_TO_GET_IT: &str = "release builds need 'oric-llvm' beside oric or in PATH (ORI_LLVM names another place), and it is not there; 'make llvm' in oric's sources builds it with LLVM 22 \
     (Debian: apt install llvm-22-dev libpolly-22-dev libzstd-dev lld-22); builds without --release need nothing of this";

impl Worker {
    /// The worker that `ORI_LLVM` names; without it the one beside this program, or in one of these folders (the value of `PATH`).
    pub fn find(named: Option<&OsString>, path: Option<&OsString>) -> Option<Worker> {
        let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(|folder| folder.join("oric-llvm")));
        let folders = path.into_iter().flat_map(std::env::split_paths).map(|folder| folder.join("oric-llvm"));
        let program = match named {
            Some(named) => Some(PathBuf::from(named)).filter(|file| file.is_file()),
            None => beside.into_iter().chain(folders).find(|file| file.is_file()),
        }?;
        let about = std::fs::metadata(&program).ok()?;
        let identity = Fp::of(&(about.size(), about.mtime(), about.mtime_nsec()));
        Some(Worker { program, identity })
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

impl Release {
    /// Changes when another build would give other bytes for the same program.
    pub fn identity(&self) -> Fp {
        Fp::of(&(queries::wide(self.worker.identity), self.level.name(), &self.cpu, PROTOCOL))
    }
}

/// What a worker made of its units, by their numbers.
type Share = Result<Vec<(usize, Vec<u8>)>, NotMade>;

/// Asks a worker for this product of each unit. Several are asked at once.
pub fn translate(release: &Release, units: Vec<Unit>, product: Product) -> Result<Vec<Vec<u8>>, NotMade> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(units.len()).max(1);
    let mut shares: Vec<Vec<(usize, Unit)>> = (0..workers).map(|_| Vec::new()).collect();
    // The largest first, each to who has least to do: the same shares for the same units.
    let mut rows: Vec<(usize, Unit)> = units.into_iter().enumerate().collect();
    let size = |unit: &Unit| unit.functions.iter().map(|function| function.graph().insts.len()).sum::<usize>();
    rows.sort_by_key(|(number, unit)| (std::cmp::Reverse(size(unit)), *number));
    let mut loads = vec![0; workers];
    for row in rows {
        let least = (0..workers).min_by_key(|&at| loads[at]).unwrap_or(0);
        loads[least] += size(&row.1) + 1;
        shares[least].push(row);
    }
    let ends: Vec<Share> = std::thread::scope(|scope| {
        let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || share_of(release, share, product))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut made = Vec::new();
    for end in ends {
        made.extend(end?);
    }
    made.sort_by_key(|(number, _)| *number);
    Ok(made.into_iter().map(|(_, bytes)| bytes).collect())
}

/// One worker process, and what it is asked.
fn share_of(release: &Release, share: Vec<(usize, Unit)>, product: Product) -> Share {
    let mut child = Command::new(&release.worker.program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| NotMade::Io(io::Error::new(error.kind(), format!("{}: {error}", release.worker.program.display()))))?;
    let mut made = Vec::new();
    for (number, unit) in share {
        let request = Request { protocol: PROTOCOL, text: llvm::write(&unit), product, level: release.level, cpu: release.cpu.clone() };
        let answer = ask(&mut child, &request);
        match answer {
            Ok(Some(Ok(bytes))) => made.push((number, bytes)),
            Ok(Some(Err(failure))) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(match failure {
                    Failure::Protocol(_) => NotMade::Version,
                    Failure::Broken(why) => NotMade::Link(NotLinked::Broken(format!("LLVM refuses what was written for it: {why}"))),
                });
            }
            // Another protocol may not even be readable.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(NotMade::Version),
            Ok(None) | Err(_) => return Err(died(child)),
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

/// What a worker that gave no answer said last.
fn died(mut child: Child) -> NotMade {
    drop(child.stdin.take());
    let Ok(ended) = child.wait_with_output() else { return NotMade::Died("it gave no answer".to_owned()) };
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.trim_end().lines().last().unwrap_or_default();
    NotMade::Died(if last.is_empty() { ended.status.to_string() } else { format!("{}: {last}", ended.status) })
}

/// The units of a program.
pub fn units(session: &mut Session, main: ItemId) -> Result<Vec<Unit>, NotMade> {
    let plan = plan(session, main)?;
    let bodies = session.ask(|session| {
        let mut bodies = Vec::with_capacity(plan.functions.len());
        for (item, _) in &plan.functions {
            bodies.push(match *item == lir::build::entry_item() {
                true => (*session.engine.get::<queries::EntryLir>(&main)?).clone(),
                false => (*session.engine.get::<queries::LirBody>(item)?).clone(),
            });
        }
        Ok(bodies)
    });
    let mut unit = Unit::default();
    let mut values = std::collections::BTreeSet::new();
    for (body, (item, _)) in bodies.iter().zip(&plan.functions) {
        let Some(body) = body else { return Err(NotMade::Link(NotLinked::Broken(format!("@{item} has no LIR")))) };
        for row in body.insts.rows().iter().filter(|row| row.op == Op::Code) {
            let callee = ItemId::from_raw(row.imm as u32);
            if callee.unpacked().is_none() && Purpose::of(callee).is_none() {
                values.insert(callee.content());
            }
        }
        unit.functions.push(Function::new(body, symbol(*item), *item == lir::build::entry_item()));
    }
    unit.values = plan.functions.iter().map(|(item, _)| *item).filter(|item| values.contains(&item.content())).collect();
    unit.items = plan.items.iter().map(|(item, _)| Item { item: *item, symbol: object_writer::name::item_symbol(*item) }).collect();
    Ok(vec![unit])
}

/// The linked symbol of a function.
fn symbol(item: ItemId) -> String {
    object_writer::name::symbol(&item.to_string())
}

/// The plan of a release build.
pub fn plan(session: &mut Session, main: ItemId) -> Result<std::sync::Arc<queries::Release>, NotMade> {
    let plan = session.ask(|session| session.engine.get::<queries::ReleasePlan>(&main));
    match &plan.limit {
        Some((item, limit)) => Err(NotMade::Link(NotLinked::Limit(*item, limit.clone()))),
        None => Ok((*plan).clone()),
    }
}

/// The object that says where items stand, and where the program begins.
pub fn tables(session: &mut Session, plan: &queries::Release) -> Result<Vec<u8>, NotMade> {
    let broken = |why: String| NotMade::Link(NotLinked::Broken(why));
    let form = plan.entry.ok_or_else(|| broken("the program has no @main".to_owned()))?;
    let items = session.ask(|session| {
        let mut rows = Vec::with_capacity(plan.items.len());
        for (item, _) in &plan.items {
            rows.push(queries::item_record(*item, session.engine.get::<queries::Position>(item)?.as_ref().as_ref()));
        }
        Ok(rows)
    });
    let entry = lir::build::entry_item();
    let program = image::Program {
        functions: Vec::new(),
        items,
        entry,
        returns_status: form.returns_status,
        symbols: true,
        external: vec![(entry, symbol(entry))],
        foreign_frames: true,
    };
    object_writer::write(&program).map_err(|error| broken(error.to_string()))
}

/// The path of a worker that is named and not there.
pub fn names_nothing(named: &Path) -> String {
    format!("ORI_LLVM is '{}', and no program is there; name oric-llvm, or unset it", named.display())
}
