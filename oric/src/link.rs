//! Making the executable from the link plan: nothing when it is there already, a patch when the one before is, else a clean link.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query::{Engine, Fp, Interrupt};
use serde::{Deserialize, Serialize};

use crate::project::Seen;
use crate::queries::{self, NotLinked, codec};
use crate::session::Session;

/// An executable that a session wrote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Output {
    /// Where, as an absolute path.
    path: PathBuf,
    /// Fingerprint of the plan that it was made from.
    plan: (u64, u64),
    /// What the disk said of it afterwards.
    seen: Seen,
    /// When that was, in nanoseconds since 1970.
    at: i64,
}

/// Executables that sessions wrote. An output is an input of the next build: one that was deleted or altered is made again.
#[derive(Clone, Default, Debug)]
pub struct Outputs {
    rows: Vec<Output>,
    /// Is there anything to be remembered?
    pub changed: bool,
}

/// How an executable came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// It was there.
    UpToDate,
    /// The one before was changed in place.
    Patched,
    /// Linked from nothing.
    Clean,
}

/// Most executables that are remembered.
const REMEMBERED: usize = 16;

impl Outputs {
    /// What earlier sessions wrote.
    pub fn from_bytes(bytes: Option<&[u8]>) -> Outputs {
        Outputs { rows: bytes.and_then(codec::read).unwrap_or_default(), changed: false }
    }

    /// For the next session.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        codec::write(&self.rows, &mut bytes);
        bytes
    }

    /// Size of the executable when it is what this plan makes.
    fn up_to_date(&self, path: &Path, plan: Fp) -> Option<u64> {
        let row = self.rows.iter().find(|row| row.path == path && row.plan == (plan.0, plan.1))?;
        match Seen::at(path) {
            seen @ Seen::File { size, .. } if seen == row.seen => Some(size),
            Seen::File { .. } | Seen::Absent => None,
        }
    }

    fn wrote(&mut self, path: PathBuf, plan: Fp) {
        self.rows.retain(|row| row.path != path);
        if self.rows.len() >= REMEMBERED {
            self.rows.remove(0);
        }
        let seen = Seen::at(&path);
        self.rows.push(Output { path, plan: (plan.0, plan.1), seen, at: 0 });
        self.changed = true;
    }
}

/// Why there is no executable.
#[derive(Debug)]
pub enum Failure {
    /// The program cannot be linked.
    Link(NotLinked),
    /// The file cannot be written.
    Io(io::Error),
}

/// Brings the executable at `path` up to date; its size in bytes, and how.
pub fn executable(session: &mut Session, path: &Path, clean_link: bool) -> Result<(u64, How), Failure> {
    let main = session.main_item();
    let absolute = std::path::absolute(path).map_err(Failure::Io)?;
    session.ask(|session| {
        session.generate(main);
        Ok(())
    });
    let plan = session.ask(|session| session.engine.fingerprint::<queries::LinkPlan>(&main));
    if let Some(size) = session.outputs.up_to_date(&absolute, plan).filter(|_| !clean_link) {
        return Ok((size, How::UpToDate));
    }
    let image = session.ask(|session| clean(&session.engine, main));
    let bytes = match &**image {
        Ok(bytes) => bytes,
        Err(error) => return Err(Failure::Link(error.clone())),
    };
    crate::commands::write(path, bytes, true).map_err(Failure::Io)?;
    session.outputs.wrote(absolute, plan);
    Ok((bytes.len() as u64, How::Clean))
}

fn clean(engine: &Engine, main: ir::ItemId) -> Result<Arc<Arc<Result<Vec<u8>, NotLinked>>>, Interrupt> {
    engine.get::<queries::Linked>(&main)
}
