//! `Hash` of a graph: what it says, not how its names are numbered in this process.

use std::hash::{Hash, Hasher};

use super::graph::{Graph, InstRow, Level};
use crate::ops::{Imm, OpTable};
use crate::{ItemId, Symbol};

impl<L: Level> Hash for Graph<L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Destructured, so that a new field cannot be forgotten.
        let Graph { name, results, values, insts, edges, blocks, args, targets, ints, places, names } = self;
        (name, results, values).hash(state);
        state.write_usize(insts.len());
        for (_, inst) in insts.iter() {
            hash_inst(inst, state);
        }
        (edges, blocks, args, targets, ints, places, names).hash(state);
    }
}

fn hash_inst<O: OpTable, H: Hasher>(inst: &InstRow<O>, state: &mut H) {
    let InstRow { op, results, flags, first_result, args, imm } = inst;
    let info = op.info();
    (op, results, flags, first_result, args).hash(state);
    match info.imm {
        Imm::Str => Symbol::from_raw(*imm as u32).hash(state),
        Imm::Item => ItemId::from_raw(*imm as u32).hash(state),
        Imm::None | Imm::Int | Imm::Bits | Imm::Word | Imm::Cases => state.write_u64(*imm),
    }
}
