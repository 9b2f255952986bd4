//! Landing blocks: what is held when an op panics is dropped on the way out.
//!
//! Ops that panic while the same values are held share a landing block. It drops the youngest value and goes on in the block that drops the rest, which
//! landing blocks with fewer values use too, so that their number and size grow with the body and not with its square. Only landing blocks are unwound to, and
//! nothing jumps to them.

use hashbrown::HashMap;
use ir::ssa::{Block, Graph, NewInst};

use super::insert::give_up;
use super::kinds::{Held, Kinds};
use super::live::Set;
use super::open::Classes;
use crate::ir::Mir;
use crate::ops::Op;

/// The landing blocks of a body.
#[derive(Default)]
pub(super) struct Landings {
    /// Where an op unwinds to that leaves these values to be dropped before this block.
    landings: HashMap<(Block, Vec<Held>), Block>,
    /// Where a landing block goes on when these are left.
    rests: HashMap<(Block, Vec<Held>), Block>,
}

impl Landings {
    /// Where to unwind to so that these are dropped on the way to `pad`.
    pub(super) fn landing(&mut self, graph: &mut Graph<Mir>, kinds: &Kinds, classes: &Classes, pad: Block, dying: &Set) -> Block {
        if dying.is_empty() {
            return pad;
        }
        let key = (pad, dying.iter().collect::<Vec<Held>>());
        if let Some(&known) = self.landings.get(&key) {
            return known;
        }
        let landing = self.chain(graph, kinds, classes, pad, &key.1);
        self.landings.insert(key, landing);
        landing
    }

    /// A block that drops the youngest and goes on to drop the rest.
    fn chain(&mut self, graph: &mut Graph<Mir>, kinds: &Kinds, classes: &Classes, pad: Block, dying: &[Held]) -> Block {
        let first = graph.add_block();
        let mut block = first;
        let mut left = dying;
        while let Some((&youngest, older)) = left.split_last() {
            let drop = give_up(graph, classes, kinds.held[youngest]);
            graph.blocks[block].insts.push(drop);
            left = older;
            if older.is_empty() {
                break;
            }
            let key = (pad, older.to_vec());
            if let Some(&rest) = self.rests.get(&key) {
                graph.append(block, NewInst { targets: &[(rest, &[])], ..NewInst::new(Op::Jump) }, &[]);
                return first;
            }
            let rest = graph.add_block();
            self.rests.insert(key, rest);
            graph.append(block, NewInst { targets: &[(rest, &[])], ..NewInst::new(Op::Jump) }, &[]);
            block = rest;
        }
        match graph.blocks[pad].insts[..] {
            // The usual end of a function needs no way of its own.
            [only] if graph.op(only) == Op::Resume => graph.append(block, NewInst::new(Op::Resume), &[]),
            _ => graph.append(block, NewInst { targets: &[(pad, &[])], ..NewInst::new(Op::Jump) }, &[]),
        };
        first
    }
}
