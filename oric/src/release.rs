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

pub use ask::{timed, translate};
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
    /// What LLVM is told.
    pub facts: llvm::Facts,
    /// Every access to memory is checked (AddressSanitizer).
    pub sanitize: bool,
    /// Most worker processes; `None`: one a processor.
    pub workers: Option<usize>,
    /// Most bytes of memory that a worker gets; `None`: as many as there are.
    pub memory: Option<u64>,
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
    /// The worker is of another version, with this protocol.
    Version(u32),
    /// What answers is no worker of this version, if it is one at all.
    NoWorker(PathBuf),
    /// The worker ended without an answer.
    Died {
        /// What it was asked to translate.
        unit: String,
        /// How it ended, and its last words.
        how: String,
    },
    /// It had not enough memory.
    Memory {
        /// What it was asked to translate.
        unit: String,
        /// How much it may have; `None`: as much as there is.
        limit: Option<u64>,
    },
    /// It cannot be started.
    Io(io::Error),
}

impl NotMade {
    /// For the user.
    pub fn message(&self) -> String {
        match self {
            NotMade::Link(NotLinked::Limit(item, limit)) => format!("function @{item} cannot be compiled: {limit}; split it"),
            NotMade::Link(NotLinked::Broken(message)) => format!("linking failed: {message}"),
            NotMade::Version(theirs) => format!(
                "oric-llvm is of another version than oric (protocol {theirs}, and {PROTOCOL} here); 'make llvm' in oric's sources builds the one that fits"
            ),
            NotMade::NoWorker(program) => format!(
                "{} does not answer as this oric's oric-llvm does; 'make llvm' in oric's sources builds the one that fits, and ORI_LLVM names the program to ask",
                program.display()
            ),
            NotMade::Died { unit, how } => format!(
                "oric-llvm ended without an answer for {unit} ({how}); a lower --opt may help, and the development build (without --release) does without it"
            ),
            NotMade::Memory { unit, limit } => {
                let limit = match limit {
                    Some(limit) => format!("more memory than ORI_LLVM_MEMORY allows ({limit} bytes)"),
                    None => "more memory than there is".to_owned(),
                };
                format!(
                    "oric-llvm needs {limit} for {unit}: allow more, divide the program (--codegen-units), ask for fewer units at once (--jobs) or for a lower --opt; \
                     the development build (without --release) does without it"
                )
            }
            NotMade::Io(error) => format!("cannot start oric-llvm: {error}"),
        }
    }
}

/// Bytes of memory that a worker gets when nobody says otherwise: more than a unit of a sound program takes, less than what brings a machine down.
pub const MEMORY: u64 = 32 << 30;

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
    /// Changes when another build would give other code for the same program.
    pub fn way(&self) -> Fp {
        Fp::of(&(queries::wide(self.identity()), self.units))
    }

    /// Changes when another build would give other bytes for the same unit.
    pub fn identity(&self) -> Fp {
        let described = (self.cpu == "native").then(|| std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
        let here = described.as_deref().map(processor);
        Fp::of(&(queries::wide(self.worker.identity), self.level.name(), &self.cpu, here, PROTOCOL, self.debug, self.facts, self.sanitize))
    }
}

/// What `native` means, as the kernel describes the first processor: caches move between machines, and code for another one may stop with SIGILL.
fn processor(described: &str) -> Vec<&str> {
    const FIELDS: [&str; 5] = ["vendor_id", "cpu family", "model", "stepping", "flags"];
    let first = described.split("\n\n").next().unwrap_or_default();
    let field = |line: &&str| line.split_once(':').is_some_and(|(name, _)| FIELDS.contains(&name.trim()));
    first.lines().filter(field).collect()
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

/// Changes when a debugger is told something else, which the plan need not know of: how values of a type lie in memory.
pub fn told(session: &mut Session, main: ItemId, release: &Release) -> Result<Option<Fp>, NotMade> {
    let Some(depth) = release.debug else { return Ok(None) };
    let plan = plan(session, main)?;
    let items: Vec<ItemId> = plan.items.iter().chain(&plan.lines).map(|(item, _)| *item).collect();
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

#[cfg(test)]
mod tests {
    use super::processor;

    #[test]
    fn another_processor_is_known_by_its_model_and_flags_and_not_by_its_clock() {
        let cpu = |flags: &str, clock: &str| {
            format!(
                "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\nstepping\t: 6\ncpu MHz\t\t: {clock}\nflags\t\t: {flags}\n\nprocessor\t: 1\n"
            )
        };
        let (one, other, later) = (cpu("fpu avx2", "2900.0"), cpu("fpu avx2 avx512f", "2900.0"), cpu("fpu avx2", "3100.5"));
        assert_eq!(processor(&one).len(), 5);
        assert_eq!(processor(&one), processor(&later));
        assert_ne!(processor(&one), processor(&other));
    }
}
