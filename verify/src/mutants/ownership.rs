//! Mutants of ownership: one `dup`, `drop`, `open`, `reuse` or `free` of a real body goes, comes twice, or moves.
//!
//! A count that is one off is wrong on every run that comes by, and shows on few, so nothing of this kind may be left to running: what goes or comes twice must be
//! refused by the certifier, always. A move may leave a correct body, as when a `drop` changes places with an addition: what is let through must run equal, with ghost
//! counts that end in nothing held.

use std::sync::Arc;

use ir::ssa::{Block, Graph, Inst, NewInst};
use ir::{Fault, ItemId};
use mir::interp::Outcome;
use mir::{Mir, Op};
use oric::queries::{self, World};

use super::exchanged::{Exchanged, Mutant};
use super::{MUTANT_STEPS, Subject, Verdict};
use crate::program::{Program, bounded, guarded};
use crate::random::Random;

/// What is done to one op.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// It goes; the operand of a `dup` stands for its result, the parts for those of an `open`, and a `reuse` becomes a `new`.
    Delete,
    /// It runs twice.
    Duplicate,
    /// It moves to another place of its block.
    Shift,
    /// It moves to another block.
    Move,
}

impl Damage {
    /// All of them.
    pub const ALL: [Damage; 4] = [Damage::Delete, Damage::Duplicate, Damage::Shift, Damage::Move];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Damage::Delete => "delete",
            Damage::Duplicate => "duplicate",
            Damage::Shift => "shift",
            Damage::Move => "move",
        }
    }

    /// Is every mutant of this kind wrong?
    pub const fn is_always_wrong(self) -> bool {
        match self {
            Damage::Delete | Damage::Duplicate => true,
            Damage::Shift | Damage::Move => false,
        }
    }
}

/// Every op that gives holders, room or parts to somebody else.
pub fn sites(graph: &Graph<Mir>) -> Vec<(Block, usize)> {
    let mut sites = Vec::new();
    for (block, row) in graph.blocks.iter() {
        for (index, &inst) in row.insts.iter().enumerate() {
            if matches!(graph.op(inst), Op::Dup | Op::Drop | Op::Open | Op::Reuse | Op::Free) {
                sites.push((block, index));
            }
        }
    }
    sites
}

/// The body with one op damaged; `None` where the damage would be none.
pub fn damaged(graph: &Graph<Mir>, (block, index): (Block, usize), damage: Damage, random: &mut Random) -> Option<Graph<Mir>> {
    let mut graph = graph.clone();
    let inst = graph.blocks[block].insts[index];
    match damage {
        Damage::Delete => match graph.op(inst) {
            Op::Reuse => {
                let parts = graph.args(inst)[1..].to_vec();
                graph.insts[inst].op = Op::New;
                graph.insts[inst].args = graph.args.add(parts);
            }
            op => {
                graph.blocks[block].insts.remove(index);
                let results: Vec<_> = graph.results(inst).collect();
                let operands = graph.args(inst)[usize::from(op == Op::Open)..].to_vec();
                graph.rename(|value| results.iter().position(|&result| result == value).map_or(value, |at| operands[at]));
            }
        },
        Damage::Duplicate => {
            let args = graph.args(inst).to_vec();
            let types: Vec<hir::Type> = graph.results(inst).map(|value| graph.ty(value)).collect();
            let imm = graph.insts[inst].imm;
            let again: Inst = graph.make(NewInst { args: &args, imm, ..NewInst::new(graph.op(inst)) }, &types);
            graph.blocks[block].insts.insert(index + 1, again);
        }
        Damage::Shift => {
            // In front of the terminator at most.
            let room = graph.blocks[block].insts.len().checked_sub(2).filter(|&room| room > 0)?;
            let to = (index + 1 + random.below(room)) % (room + 1);
            let insts = &mut graph.blocks[block].insts;
            insts.remove(index);
            insts.insert(to, inst);
        }
        Damage::Move => {
            let others: Vec<Block> = graph.blocks.ids().filter(|&other| other != block).collect();
            let to = *random.pick(&others)?;
            graph.blocks[block].insts.remove(index);
            let at = random.below(graph.blocks[to].insts.len());
            graph.blocks[to].insts.insert(at, inst);
        }
    }
    Some(graph)
}

/// What becomes of a damaged body.
pub fn verdict(subject: &Subject, item: ItemId, graph: Graph<Mir>) -> Verdict {
    let world = World::new(&subject.program.session.engine);
    let body: mir::Body<mir::Owned> = mir::Body::new(graph);
    let judged = guarded(|| mir::verify::verify(&body, &world).map(|faults| faults.first().map(|fault| fault.code().0)));
    match judged {
        Ok(Ok(Some(code))) => return Verdict::Refused(code),
        Ok(Ok(None)) => {}
        Ok(Err(_)) => return Verdict::Broken("interrupted".to_owned()),
        Err(why) => return Verdict::Broken(why),
    }
    let cx = Exchanged { world: &world, item, mutant: Mutant::Owned(Arc::new(body)) };
    match subject.program.interpret_in(&cx, &subject.args, bounded(MUTANT_STEPS)) {
        Err(why) => Verdict::Broken(why),
        Ok(done) if done.ending == subject.expected => Verdict::Equal,
        Ok(done) => match done.outcome {
            Outcome::Broken(why) => Verdict::Unsound(why),
            outcome => Verdict::Different(format!("{outcome:?}")),
        },
    }
}

/// The owned body of a function.
pub fn body(program: &Program, item: ItemId) -> Option<Arc<mir::Body<mir::Owned>>> {
    guarded(|| program.session.engine.get::<queries::OwnedBody>(&item).ok().and_then(|body| (*body).clone())).ok()?
}

/// The number of a block or instruction, for places in reports.
pub fn place((block, index): (Block, usize)) -> String {
    format!("b{}:{index}", block.raw())
}
