//! Which owned values are still needed: liveness over blocks, where a use of a borrowed value is a use of what it is borrowed from.

use ir::ssa::order::Order;
use ir::ssa::{Block, Graph, Inst};

use super::kinds::{Held, Kind, Kinds};
use crate::ir::Mir;

/// A set of owned values.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Set(Vec<u64>);

impl Set {
    /// The empty set, with room for this many.
    pub(super) fn with_room(len: usize) -> Set {
        Set(vec![0; len.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, held: Held) {
        self.0[held.index() / 64] |= 1 << (held.index() % 64);
    }

    pub(super) fn remove(&mut self, held: Held) {
        self.0[held.index() / 64] &= !(1 << (held.index() % 64));
    }

    pub(super) fn has(&self, held: Held) -> bool {
        self.0[held.index() / 64] >> (held.index() % 64) & 1 == 1
    }

    /// Adds all of another; true when that added something.
    pub(super) fn add_all(&mut self, other: &Set) -> bool {
        let mut changed = false;
        for (word, &more) in self.0.iter_mut().zip(&other.0) {
            changed |= more & !*word != 0;
            *word |= more;
        }
        changed
    }

    pub(super) fn remove_all(&mut self, other: &Set) {
        for (word, &gone) in self.0.iter_mut().zip(&other.0) {
            *word &= !gone;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// The members in order of definition.
    pub(super) fn iter(&self) -> impl Iterator<Item = Held> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                (left != 0).then(|| {
                    left &= left - 1;
                    Held::new(at * 64 + bit)
                })
            })
        })
    }
}

/// What is live at the start of each block, its own parameters left out.
pub(super) struct Live {
    at_start: Vec<Set>,
}

impl Live {
    /// Computes it: blocks against their order until nothing changes.
    pub(super) fn of(graph: &Graph<Mir>, order: &Order, kinds: &Kinds) -> Live {
        let room = Set::with_room(kinds.held.len());
        let mut live = Live { at_start: vec![room.clone(); graph.blocks.len()] };
        let mut set = room;
        loop {
            let mut changed = false;
            for &block in order.blocks.iter().rev() {
                set.0.fill(0);
                for &inst in graph.blocks[block].insts.iter().rev() {
                    live.before(graph, kinds, inst, &mut set);
                }
                for &param in &graph.blocks[block].params {
                    if let Kind::Owned(held) = kinds.get(param) {
                        set.remove(held);
                    }
                }
                changed |= live.at_start[block.index()].add_all(&set);
            }
            if !changed {
                return live;
            }
        }
    }

    /// What is live at the start of a block.
    pub(super) fn at_start(&self, block: Block) -> &Set {
        &self.at_start[block.index()]
    }

    /// Makes what is live behind an instruction what is live before it.
    pub(super) fn before(&self, graph: &Graph<Mir>, kinds: &Kinds, inst: Inst, set: &mut Set) {
        for result in graph.results(inst) {
            if let Kind::Owned(held) = kinds.get(result) {
                set.remove(held);
            }
        }
        if let Some(pad) = graph.edges[inst].unwind {
            set.add_all(&self.at_start[pad.index()]);
        }
        for &target in graph.targets(inst) {
            set.add_all(&self.at_start[target.block.index()]);
            for &arg in graph.target_args(target) {
                kinds.keepers(arg).for_each(|held| set.insert(held));
            }
        }
        for &arg in graph.args(inst) {
            kinds.keepers(arg).for_each(|held| set.insert(held));
        }
    }
}
