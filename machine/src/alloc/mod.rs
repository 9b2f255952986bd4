//! `select` to `alloc`: virtual registers become physical in one forward pass (`design/backend.md` §5.3).
//!
//! 1. `analysis` walks the records once: where each value is used, which values cross blocks, exact liveness at block entries (one backward pass,
//!    then loop bodies inherit what is live at their header), loops and what they clobber.
//! 2. `emit` walks the records in order with a map *register → value*. The map at the entry of a block is fixed by the first edge that reaches it; at a
//!    loop header the values that are used most in the loop are kept, and none in a register that the loop clobbers. Later edges copy in parallel.
//! 3. `layout` inserts the stores of spilled values, turns loops so that they test at the bottom, and lays the blocks down.
//! 4. `spills` makes slots one whose lives do not meet.
//!
//! One invariant carries everything: *a live value is in a register, or it has a slot, or it can be made again* (constants and addresses). A value that
//! has a slot was stored to it at its definition, which dominates every use; so spilling is one decision that never has to be undone on any path,
//! and reloads are right everywhere, landing pads included.
//!
//! [`check`] judges the result and shares nothing with this code but the tables of ops and registers.

mod analysis;
pub mod check;
mod copies;
mod edge;
mod emit;
mod layout;
mod shape;
mod spills;
mod state;

#[cfg(test)]
pub(crate) mod tests;

use crate::ir::{Alloc, Function, Record, Select};
use crate::regs::{FIRST_VIRTUAL, NONE, Reg, RegSet};
use crate::scratch::Scratch;

pub use check::{AllocFault, check};

/// How to allocate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Options {
    /// Keep the virtual register behind each operand and the origin of each block, for dumps and the checker.
    pub checking: bool,
    /// Take the worst choice wherever there is one: for tests.
    pub chaos: bool,
}

/// A register that no value is ever in.
const UNALLOCATED: Reg = 31;

/// No slot, no record, no row.
const ABSENT: u32 = u32::MAX;

/// One use of a value.
#[derive(Clone, Copy, Debug)]
struct Use {
    position: u32,
    /// The next use of the same value.
    next: u32,
    depth: u16,
}

/// What is known of a virtual register.
#[derive(Clone, Copy, Debug)]
struct Value {
    /// The next use to come, in `Columns::uses`; the last one, and its position.
    cursor: u32,
    tail: u32,
    last: u32,
    /// The position of the last use when all are in one block; [`ABSENT`] when it crosses blocks.
    end: u32,
    /// Where it is now; [`NONE`] when it is in no register.
    reg: Reg,
    /// Where it is put by its definition, and before which emitted record it can be stored.
    def_reg: Reg,
    def_at: u32,
    /// Its slot.
    slot: u32,
    /// The record that makes it again.
    remat: u32,
    /// Number among the values that cross blocks.
    global: u32,
    def_block: u32,
    /// The register that its first use would like.
    hint: Reg,
    /// The block parameter that it is passed to first.
    toward: Reg,
    /// While an edge is looked at: the argument of this parameter.
    arg: Reg,
    /// The parameter it is passed to was dead when it was defined, so both can have one slot.
    may_share: bool,
    /// Another value has this one's slot too.
    is_shared: bool,
}

const NEW: Value = Value {
    cursor: ABSENT,
    tail: ABSENT,
    last: 0,
    end: 0,
    reg: NONE,
    def_reg: NONE,
    def_at: 0,
    slot: ABSENT,
    remat: ABSENT,
    global: ABSENT,
    def_block: ABSENT,
    hint: NONE,
    toward: NONE,
    arg: NONE,
    may_share: false,
    is_shared: false,
};

/// What is known of a block of `select`.
#[derive(Clone, Copy, Debug)]
struct BlockInfo {
    /// Last block of the loop that this one heads.
    loop_end: u32,
    /// Header of the innermost loop around it; for a header, around its own loop.
    loop_header: u32,
    /// Registers destroyed in it; for a header, in the whole loop.
    clobbers: RegSet,
    /// Edges that reach it.
    preds: u32,
    /// Registers in use in its entry map.
    entry: RegSet,
    /// Is its entry map fixed?
    is_set: bool,
    /// First block of the result made from it.
    out: u32,
}

const NEW_BLOCK: BlockInfo =
    BlockInfo { loop_end: ABSENT, loop_header: ABSENT, clobbers: 0, preds: 0, entry: 0, is_set: false, out: ABSENT };

/// A block of the result: a run of emitted records.
#[derive(Clone, Copy, Debug)]
struct OutBlock {
    start: u32,
    end: u32,
    origin: u32,
    depth: u16,
    is_pad: bool,
}

/// Columns that are used again.
#[derive(Default, Debug)]
pub struct Columns {
    values: Vec<Value>,
    /// Uses of all values by position; those of one value are a chain.
    uses: Vec<Use>,
    tied: Vec<(Reg, Reg)>,
    /// Positions of calls.
    calls: Vec<u32>,
    blocks: Vec<BlockInfo>,
    entry: Vec<[Reg; 32]>,
    /// Block and landing pad of calls and stubs, in block order.
    pads: Vec<(u32, u32)>,
    pad_start: Vec<u32>,
    /// The values that cross blocks.
    globals: Vec<Reg>,
    exposed: Vec<(u32, u32)>,
    last_exposed: Vec<u32>,
    next_killed: Vec<u32>,
    first_killed: Vec<u32>,
    /// Bits of live values at block entries (before parameters), `words` a block.
    live_in: Vec<u64>,
    live_out: Vec<u64>,
    words: usize,
    out: Vec<Record>,
    spare: Vec<Record>,
    virtuals: Vec<[Reg; 3]>,
    out_blocks: Vec<OutBlock>,
    moves: Vec<copies::Move>,
    edge_moves: Vec<copies::Move>,
    call_moves: Vec<copies::Move>,
    readers: copies::Readers,
    candidates: Vec<(u64, Reg)>,
    late: Vec<(u32, Record, Reg)>,
    order: Vec<u32>,
    place_of: Vec<u32>,
}

struct Allocator<'a> {
    f: Function<Select>,
    input: Vec<Record>,
    c: &'a mut Columns,
    options: Options,
    /// Value in each register.
    regs: [Reg; 32],
    occupied: RegSet,
    /// Registers written anywhere.
    touched: RegSet,
    block: u32,
    /// Record being looked at, and the end of its block.
    position: u32,
    block_end: u32,
    /// The first call that is still to come, as an index into `Columns::calls`.
    next_call: usize,
}

/// Index of a virtual register's row.
const fn row(reg: Reg) -> usize {
    (reg - FIRST_VIRTUAL) as usize
}

/// Gives every virtual register a place.
pub fn allocate(function: Function<Select>, scratch: &mut Scratch, checking: bool) -> Function<Alloc> {
    allocate_with(function, scratch, Options { checking, chaos: false })
}

/// Gives every virtual register a place, with options.
pub fn allocate_with(mut function: Function<Select>, scratch: &mut Scratch, options: Options) -> Function<Alloc> {
    // Records are read from one column and written to another, by turns.
    let input = std::mem::replace(&mut function.records, std::mem::take(&mut scratch.alloc.spare));
    function.records.clear();
    let mut allocator = Allocator {
        f: function,
        input,
        c: &mut scratch.alloc,
        options,
        regs: [NONE; 32],
        occupied: 0,
        touched: 0,
        block: 0,
        position: 0,
        block_end: 0,
        next_call: 0,
    };
    allocator.analyse();
    allocator.emit();
    let mut out = allocator.finish();
    spills::share(&mut out, &mut scratch.lives);
    out
}
