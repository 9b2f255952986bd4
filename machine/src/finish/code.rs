//! What finishing gives: bytes, and everything the linker must know of them.

use abi::PanicKind;
use ir::{ItemId, PlaceId, Places};

use crate::ir::Callee;

/// A function as bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Code {
    /// The function.
    pub item: ItemId,
    /// Machine code.
    pub bytes: Vec<u8>,
    /// Places in the bytes that the linker fills, by rising offset.
    pub relocs: Vec<Reloc>,
    /// Where distances from `fs` to something in the state of the thread stand, in four bytes, by rising offset. In an image of ours that state ends where
    /// `fs` points to, which is what the bytes say; a foreign linker may have it elsewhere.
    pub threads: Vec<u32>,
    /// Constants that relocations name.
    pub data: Vec<DataBlock>,
    /// It saves `rbp` and sets it up.
    pub has_frame: bool,
    /// Bytes between the saved `rbp` and the lowest byte of the frame.
    pub frame_size: u32,
    /// Callee-saved registers stored at `rbp - 8`, `rbp - 16`, ... in ascending register order.
    pub saved_mask: u16,
    /// Calls, by rising return offset.
    pub sites: Vec<Site>,
    /// The places of the sites.
    pub places: Places,
}

/// A 32-bit operand that is relative to its own end: the linker stores `target + addend - address of the operand`, with `addend` -4 for operands
/// at the end of their instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reloc {
    /// Offset of the operand in the bytes.
    pub offset: u32,
    /// What it reaches.
    pub target: RelocTarget,
    /// Added to the target's address.
    pub addend: i32,
}

/// What a relocation reaches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RelocTarget {
    /// A function of the program or the runtime.
    Callee(Callee),
    /// An entry of the runtime with a convention of its own.
    Entry(abi::Entry),
    /// The runtime's entry of a panic kind.
    Panic(PanicKind),
    /// Row of [`Code::data`].
    Data(u32),
}

/// Read-only bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DataBlock {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Alignment, a power of two up to 16.
    pub align: u32,
    /// Addresses in it.
    pub links: Vec<Link>,
}

/// An address of eight bytes in read-only bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Link {
    /// Where in the bytes.
    pub at: u32,
    /// Which row of [`Code::data`] it is of, an earlier one.
    pub row: u32,
    /// Of which byte of that.
    pub to: u32,
}

/// A call in the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Site {
    /// Offset of the return address.
    pub return_offset: u32,
    /// Offset of the landing pad; `None` when unwinding just goes on to the caller (no pad, or one that only resumes).
    pub pad_offset: Option<u32>,
    /// Source place, in [`Code::places`].
    pub place: PlaceId,
}
