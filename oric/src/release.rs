//! Release builds: LIR in LLVM's language to `oric-llvm`, processes of their own, and what they give to a linker.
//!
//! | room      | holds                                                                     |
//! |-----------|---------------------------------------------------------------------------|
//! | `units`   | which functions LLVM gets together, and what it sees of the others         |
//! | `debug`   | what a debugger is told of the items of a program                          |
//! | `ask`     | worker processes, and what they are asked                                 |
//!
//! The driver does this, and no query: what a worker answers depends on a program outside of ours, as what a linker gives does. Objects are kept by the
//! fingerprint of what they were made from, so only units that changed are asked for again.

mod ask;
mod debug;
mod units;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use ir::ItemId;
use llvm::Level;
use query::Fp;
use wire::PROTOCOL;

pub use ask::translate;
pub use units::{Division, MOST_UNITS, division, unit, whole};

use crate::foreign::{identity, is_program};
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
    /// Into how many units the program is divided; `None`: as its modules and its size suggest.
    pub units: Option<u32>,
    /// What a debugger is told; `None`: nothing.
    pub debug: Option<llvm::Depth>,
    /// Most worker processes; `None`: one a processor.
    pub workers: Option<usize>,
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

impl NotMade {
    /// For the user.
    pub fn message(&self) -> String {
        match self {
            NotMade::Link(NotLinked::Limit(item, limit)) => format!("function @{item} cannot be compiled: {limit}; split it"),
            NotMade::Link(NotLinked::Broken(message)) => format!("linking failed: {message}"),
            NotMade::Version => {
                "oric-llvm is of another version than oric; 'make llvm' in oric's sources builds the one that fits".to_owned()
            }
            NotMade::Died(how) => format!(
                "oric-llvm ended without an answer ({how}): LLVM crashed or ran out of memory; the development build (without --release) does without it"
            ),
            NotMade::Io(error) => format!("cannot start oric-llvm: {error}"),
        }
    }
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
            // A name without a folder is a file here, not one that the system would search for.
            Some(named) => std::path::absolute(named).ok().filter(|file| is_program(file)),
            None => beside.into_iter().chain(folders.filter(|file| file.is_absolute())).find(|file| is_program(file)),
        }?;
        let identity = identity(&program).ok()?;
        Some(Worker { program, identity })
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

impl Release {
    /// Changes when another build would give other bytes for the same unit.
    pub fn identity(&self) -> Fp {
        Fp::of(&(queries::wide(self.worker.identity), self.level.name(), &self.cpu, PROTOCOL, self.debug))
    }
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

/// Changes when a debugger is told something else, which the plan need not know of: what a parameter is called.
pub fn told(session: &mut Session, main: ItemId, release: &Release) -> Result<Option<Fp>, NotMade> {
    let Some(depth) = release.debug else { return Ok(None) };
    let plan = plan(session, main)?;
    let items: Vec<ItemId> = plan.items.iter().map(|(item, _)| *item).collect();
    Ok(Some(Fp::of(&debug::program(session, &plan, main, depth).of(&items))))
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
