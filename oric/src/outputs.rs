//! What sessions wrote outside the graph: executables, and which artifacts were linked from which plans. The store keeps it for the next session.
//!
//! An output is an input of the next build: one that was deleted or altered is made again. Everything here is bound to the plan *and* to the code of the
//! linker: another compiler with the same plan would link other bytes, so it believes none of it.

use std::path::{Path, PathBuf};

use ir::{ItemId, Symbol};
use query::Fp;
use query::store::cas::Address;
use serde::{Deserialize, Serialize};

use crate::held::Held;
use crate::project::Seen;
use crate::queries::{self, codec};

/// What bytes were made from: the plan, and the code that followed it. Equal stamps, equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Stamp {
    plan: u128,
    linker: u128,
}

impl Stamp {
    /// Of a plan, and of the query that works from it.
    pub fn new(plan: Fp, schema: Fp) -> Stamp {
        Stamp { plan: queries::wide(plan), linker: queries::wide(schema) }
    }
}

/// An executable that a session wrote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Output {
    /// Where, as an absolute path.
    path: PathBuf,
    /// What it was made from.
    from: Origin,
    /// What the disk said of it afterwards.
    seen: Seen,
    /// And of its sidecar. Other processes write other pairs to these two paths: only the two of one row belong together.
    sidecar: Seen,
}

/// What an executable was made from, part by part.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Origin {
    stamp: Stamp,
    /// Fingerprint of what the program reached.
    pub reached: u128,
    /// Of what each module gave.
    pub parts: Vec<(Symbol, u128)>,
}

impl Origin {
    /// The plan with this stamp.
    pub fn new(stamp: Stamp, of: &queries::Plan) -> Origin {
        Origin { stamp, reached: of.reached, parts: of.parts.clone() }
    }

    /// Of something that is never patched.
    pub const fn alone(stamp: Stamp) -> Origin {
        Origin { stamp, reached: 0, parts: Vec::new() }
    }
}

/// What an artifact is. The same plan gives both.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub enum Form {
    /// With a sidecar, when it can be patched.
    Executable,
    /// For `cc`.
    Object,
    /// Of a unit, by LLVM.
    Unit,
}

/// An artifact that was put into the store of artifacts, and where.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Kept {
    form: Form,
    stamp: Stamp,
    bytes: [u8; 32],
    sidecar: Option<[u8; 32]>,
}

impl Kept {
    /// Where the artifact and its sidecar are.
    pub fn new(form: Form, stamp: Stamp, bytes: Address, sidecar: Option<Address>) -> Kept {
        Kept { form, stamp, bytes: bytes.to_bytes(), sidecar: sidecar.map(Address::to_bytes) }
    }

    /// Of the artifact.
    pub fn address(&self) -> Address {
        Address::from_bytes(self.bytes)
    }

    /// Of what patches it.
    pub fn sidecar(&self) -> Option<Address> {
        self.sidecar.map(Address::from_bytes)
    }

    fn is(&self, form: Form, stamp: Stamp) -> bool {
        self.form == form && self.stamp == stamp
    }
}

/// Everything that is remembered.
#[derive(Clone, Default, Debug)]
pub struct Outputs {
    rows: Vec<Output>,
    /// The longest unused first.
    kept: Vec<Kept>,
    /// Tests whose last run failed, whatever was edited since and whether their verdicts are remembered or not.
    failed: Vec<ItemId>,
    /// Is there anything to be remembered?
    pub changed: bool,
    /// Did this session write whole files into the cache, so that it may have outgrown its budget?
    pub grew: bool,
}

/// Most executables, and most artifacts besides units, that are remembered.
const REMEMBERED: usize = 16;
/// Most objects of units: those of four large programs, or of one and what it was before some edits.
const REMEMBERED_UNITS: usize = 4 * crate::release::MOST_UNITS as usize;

/// Number of the form in which the store has this; another one is nothing.
const FORM: u32 = 0x0075_7405;

impl Outputs {
    /// What earlier sessions wrote.
    pub fn from_bytes(bytes: Option<&[u8]>) -> Outputs {
        match bytes.and_then(codec::read) {
            Some((FORM, rows, kept, failed)) => Outputs { rows, kept, failed, ..Outputs::default() },
            Some(_) | None => Outputs::default(),
        }
    }

    /// For the next session.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        codec::write(&(FORM, &self.rows, &self.kept, &self.failed), &mut bytes);
        bytes
    }

    /// The executable when it is what this plan makes.
    pub fn up_to_date(&self, path: &Path, stamp: Stamp) -> Option<Held> {
        let row = self.row(path).filter(|row| row.from.stamp == stamp)?;
        Held::open(path).filter(|held| held.seen() == row.seen)
    }

    /// Did a session write an executable there, with the linker of this stamp and with a sidecar?
    pub fn may_be_patched(&self, path: &Path, stamp: Stamp) -> bool {
        self.row(path).is_some_and(|row| row.from.stamp.linker == stamp.linker && row.sidecar != Seen::Absent)
    }

    /// What the file was made from, when it and its sidecar are those that a session wrote, with the linker of this stamp.
    pub fn of(&self, path: &Path, stamp: Stamp, seen: Seen, sidecar: Seen) -> Option<&Origin> {
        let row = self.row(path).filter(|row| row.seen == seen && row.sidecar == sidecar)?;
        (row.from.stamp.linker == stamp.linker).then_some(&row.from)
    }

    fn row(&self, path: &Path) -> Option<&Output> {
        self.rows.iter().find(|row| row.path == path)
    }

    /// Where the executables are.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.rows.iter().map(|row| row.path.as_path())
    }

    /// An executable was written, which the disk says this of, and of its sidecar.
    pub fn wrote(&mut self, path: PathBuf, from: Origin, seen: Seen, sidecar: Seen) {
        self.rows.retain(|row| row.path != path);
        if self.rows.len() >= REMEMBERED {
            self.rows.remove(0);
        }
        self.rows.push(Output { path, from, seen, sidecar });
        self.changed = true;
    }

    /// Where the artifact of this plan was put.
    pub fn kept(&self, form: Form, stamp: Stamp) -> Option<Kept> {
        self.kept.iter().find(|kept| kept.is(form, stamp)).copied()
    }

    /// An artifact was put, or was good for something: it stays the longest.
    pub fn used(&mut self, kept: Kept) {
        self.kept.retain(|other| !other.is(kept.form, kept.stamp));
        let most = if kept.form == Form::Unit { REMEMBERED_UNITS } else { REMEMBERED };
        let alike = |other: &Kept| (other.form == Form::Unit) == (kept.form == Form::Unit);
        if self.kept.iter().filter(|other| alike(other)).count() >= most
            && let Some(oldest) = self.kept.iter().position(alike)
        {
            self.kept.remove(oldest);
        }
        self.kept.push(kept);
        (self.changed, self.grew) = (true, true);
    }

    /// Did the last run of a test fail?
    pub fn has_failed(&self, test: ItemId) -> bool {
        self.failed.contains(&test)
    }

    /// A test ran, or its verdict was told again.
    pub fn ended(&mut self, test: ItemId, failed: bool) {
        if failed == self.has_failed(test) {
            return;
        }
        match failed {
            true => self.failed.push(test),
            false => self.failed.retain(|other| *other != test),
        }
        self.changed = true;
    }

    /// Of the tests that failed, those stay for which this holds.
    pub fn keep_failed(&mut self, stays: impl Fn(ItemId) -> bool) {
        let before = self.failed.len();
        self.failed.retain(|test| stays(*test));
        self.changed |= self.failed.len() < before;
    }

    /// The artifact is gone.
    pub fn forget(&mut self, form: Form, stamp: Stamp) {
        self.kept.retain(|kept| !kept.is(form, stamp));
        self.changed = true;
    }
}

#[cfg(test)]
mod tests;
