//! The runtime's parts, made by `build/`: one a function or constant, each included only if something reaches it.

use crate::input::RuntimeSymbol;

/// Where a part goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartKind {
    /// Code.
    Code,
    /// Constants.
    ReadOnly,
    /// Variables with a value at start.
    Data,
    /// Variables that start as zeros.
    Zero,
}

/// A piece of the runtime.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Where it goes.
    pub kind: PartKind,
    start: u32,
    file: u32,
    /// Bytes in memory.
    pub size: u32,
    /// Alignment.
    pub align: u32,
    first_reloc: u32,
    relocs: u32,
}

/// How an address is stored in a part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PartRelocKind {
    /// Four bytes relative to themselves.
    Rel32,
    /// Four bytes.
    Abs32,
    /// Eight bytes.
    Abs64,
}

/// An address in a part.
#[derive(Clone, Copy, Debug)]
pub struct PartReloc {
    /// Where.
    pub offset: u32,
    /// How.
    pub kind: PartRelocKind,
    /// Of which part, or [`HEADER`].
    pub target: u32,
    /// Added to the part's address.
    pub addend: i64,
}

/// Target of relocations to `ori_header`.
pub const HEADER: u32 = u32::MAX;

#[allow(missing_docs, clippy::unreadable_literal, clippy::allow_attributes)]
mod table {
    use super::{HEADER, Part, PartKind, PartReloc, PartRelocKind};
    include!(concat!(env!("OUT_DIR"), "/parts.rs"));
    /// Fails to compile when nothing refers to the header.
    pub const _HEADER: u32 = HEADER;
}

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/parts.bin"));

/// The runtime as an archive for foreign linkers: with its own `_start` (`cc -nostdlib -static`), or under a C library (`main`).
pub fn archive() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/libori_rt.a"))
}

/// The runtime whose blocks are allocations of the C library that it is linked with.
pub fn hosted_archive() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/libori_rt_hosted.a"))
}

/// All parts.
pub fn parts() -> &'static [Part] {
    table::PARTS
}

/// Changes with any byte or table of the runtime.
pub const FINGERPRINT: u64 = table::FINGERPRINT;

/// A place in a part: its number and an offset.
pub type Place = (u32, u32);

/// Where an executable starts.
pub const START: Place = table::START;

/// Where a runtime symbol is.
pub fn place(symbol: RuntimeSymbol) -> Place {
    match symbol {
        RuntimeSymbol::Call(call) => table::CALLS.get(call as usize).copied().unwrap_or(START),
        RuntimeSymbol::Panic(kind) => table::PANICS.get(kind as usize).copied().unwrap_or(START),
        RuntimeSymbol::Entry(entry) => table::ENTRIES.get(entry as usize).copied().unwrap_or(START),
    }
}

/// Names inside parts, for symbol tables.
pub fn names() -> &'static [(&'static str, u32, u32)] {
    table::NAMES
}

impl Part {
    /// Its bytes in the file; none for zeros.
    pub fn bytes(&self) -> &'static [u8] {
        BYTES.get(self.start as usize..(self.start + self.file) as usize).unwrap_or(&[])
    }

    /// Its relocations.
    pub fn relocs(&self) -> &'static [PartReloc] {
        table::RELOCS.get(self.first_reloc as usize..(self.first_reloc + self.relocs) as usize).unwrap_or(&[])
    }
}

/// Which parts a program needs.
#[derive(Clone, Debug)]
pub struct Needed {
    reached: Vec<bool>,
    work: Vec<u32>,
}

impl Default for Needed {
    fn default() -> Self {
        let mut needed = Needed { reached: vec![false; table::PARTS.len()], work: Vec::new() };
        needed.add(START.0);
        needed
    }
}

impl Needed {
    fn add(&mut self, part: u32) {
        if let Some(reached) = self.reached.get_mut(part as usize)
            && !*reached
        {
            *reached = true;
            self.work.push(part);
        }
    }

    /// Adds the part of a symbol.
    pub fn symbol(&mut self, symbol: RuntimeSymbol) {
        self.add(place(symbol).0);
    }

    /// All parts reached, in part order.
    pub fn parts(mut self) -> Vec<u32> {
        while let Some(part) = self.work.pop() {
            for reloc in table::PARTS.get(part as usize).map_or(&[][..], Part::relocs) {
                self.add(reloc.target);
            }
        }
        (0..self.reached.len() as u32).filter(|&part| self.reached[part as usize]).collect()
    }
}
