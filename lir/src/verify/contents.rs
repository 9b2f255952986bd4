//! L03, second half: what slots and the result area hold when it is read.
//!
//! A slot is written by stores and by the calls that get its address for a result; it is read by loads, by the calls and panics that get it as a text, and
//! by its function's caller, who finds the results in the area. Whatever is read has been written on every path to there; what others read by its type,
//! the words of a text and the results, has been written with that type. Reads and writes are noted while the instructions are judged, and compared at the
//! end: nearly always, the write stands in the same block.

use ir::Where;
use ir::ssa::{Block, Graph, Value};

use super::flow::Flow;
use super::{LirFault, here};
use crate::ir::{Lir, Type};

/// Some bytes of a slot or area.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Spot {
    /// The address of the slot or area.
    pub memory: Value,
    /// First byte.
    pub offset: u32,
    /// What lies there.
    pub ty: Type,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Write {
    spot: Spot,
    block: Block,
    /// From behind this instruction on it is there.
    index: u32,
}

#[derive(Clone, Copy)]
struct Read {
    spot: Spot,
    block: Block,
    index: u32,
    /// Must it have been written with just this type?
    typed: bool,
}

/// The widest type.
const WIDEST: u32 = 8;

/// Writes that are looked at for one read: more than a program has, few enough to stay linear.
const NEAREST: usize = 64;

/// Reads and writes of a body.
#[derive(Default)]
pub(super) struct Contents {
    writes: Vec<Write>,
    reads: Vec<Read>,
}

impl Contents {
    pub(super) fn write(&mut self, spot: Spot, (block, index): (Block, u32)) {
        self.writes.push(Write { spot, block, index });
    }

    pub(super) fn read(&mut self, spot: Spot, (block, index): (Block, u32), typed: bool) {
        self.reads.push(Read { spot, block, index, typed });
    }

    /// Judges the reads.
    pub(super) fn judge(&mut self, graph: &Graph<Lir>, faults: &mut Vec<LirFault>) {
        if self.reads.is_empty() {
            return;
        }
        // Of the writes to one spot in one block the first says all.
        self.writes.sort_unstable();
        self.writes.dedup_by(|next, first| (next.spot, next.block) == (first.spot, first.block));
        let mut flow = None;
        // The first part that an instruction lacks is enough.
        let mut last: Option<(Where, Value)> = None;
        for read in &self.reads {
            let Spot { memory, offset, ty } = read.spot;
            let at = here(read.block.raw(), read.index);
            if last != Some((at, memory)) && !self.is_written(graph, &mut flow, read) {
                faults.push(LirFault::Unwritten { at, value: memory.raw(), offset, ty: ty.name() });
                last = Some((at, memory));
            }
        }
    }

    fn is_written(&self, graph: &Graph<Lir>, flow: &mut Option<Flow>, read: &Read) -> bool {
        let Spot { memory, offset, ty } = read.spot;
        let covers = |write: &&Write| {
            write.spot.offset + write.spot.ty.size() >= offset + ty.size()
                && (!read.typed || (write.spot.offset, write.spot.ty) == (offset, ty))
        };
        let first = offset.saturating_sub(WIDEST - 1);
        let start = self.writes.partition_point(|write| (write.spot.memory, write.spot.offset) < (memory, first));
        let candidates = || {
            let own = self.writes[start..].iter().take_while(|write| write.spot.memory == memory && write.spot.offset <= offset);
            own.filter(covers).take(NEAREST)
        };
        candidates().any(|write| write.block == read.block && write.index < read.index)
            || candidates().any(|write| {
                let flow = flow.get_or_insert_with(|| Flow::of(graph));
                flow.inst_reaches(graph, (write.block, write.index), read.block)
            })
    }
}
