//! Wrong rewrites that the check plants behind the passes, one in a process: each is legal, pays fuel like any other, and changes what programs do.
//!
//! They reach the compiler through [`oric::rewrites::PLANTED`], which nothing but this sets. Those of `make planted` sit inside of real passes instead.

use ir::Fuel;
use ir::ssa::{Inst, NewInst};
use oric::rewrites::{PLANTED, Planted};

/// A wrong rewrite.
#[derive(Clone, Copy, Debug)]
pub struct Plant {
    /// Its name as a pass.
    pub name: &'static str,
    /// What it does wrong.
    pub what: &'static str,
    /// What is found of it.
    pub kind: &'static str,
    rewrites: Planted,
}

/// All of them.
pub const PLANTS: [Plant; 3] = [
    Plant {
        name: "planted.select",
        what: "MIR: a choice the wrong way round",
        kind: "mismatch",
        rewrites: Planted { mir: select, lir: nothing_in_lir },
    },
    Plant {
        name: "planted.sub",
        what: "LIR: a difference the wrong way round",
        kind: "mismatch",
        rewrites: Planted { mir: nothing_in_mir, lir: sub },
    },
    Plant {
        name: "planted.count",
        what: "LIR: a cell counted up twice",
        kind: "leak",
        rewrites: Planted { mir: nothing_in_mir, lir: count },
    },
];

/// Plants the one of this name in this process; false when there is none, or one is there.
pub fn plant(name: &str) -> bool {
    PLANTS.iter().find(|plant| plant.name == name).is_some_and(|plant| PLANTED.set(plant.rewrites).is_ok())
}

fn nothing_in_mir(_: &mut mir::Body<mir::Mono>, _: &mut Fuel) {}

fn nothing_in_lir(_: &mut lir::Body<lir::Legal>, _: &mut Fuel) {}

fn select(body: &mut mir::Body<mir::Mono>, fuel: &mut Fuel) {
    fuel.enter("planted.select");
    for inst in placed(body) {
        if body.insts[inst].op == mir::Op::Select && fuel.spend() {
            let args = body.insts[inst].args;
            body.args.get_mut(args).swap(1, 2);
        }
    }
}

fn sub(body: &mut lir::Body<lir::Legal>, fuel: &mut Fuel) {
    fuel.enter("planted.sub");
    for inst in placed(body) {
        if body.insts[inst].op == lir::Op::SubCheck && fuel.spend() {
            let args = body.insts[inst].args;
            body.args.get_mut(args).swap(0, 1);
        }
    }
}

fn count(body: &mut lir::Body<lir::Legal>, fuel: &mut Fuel) {
    fuel.enter("planted.count");
    for block in body.blocks.ids().collect::<Vec<_>>() {
        let mut at = 0;
        while let Some(&inst) = body.blocks[block].insts.get(at) {
            at += 1;
            if body.insts[inst].op == lir::Op::CountUp && fuel.spend() {
                let (args, place) = (body.args(inst).to_vec(), body.edges[inst].place);
                let again =
                    body.make(NewInst { op: lir::Op::CountUp, args: &args, imm: 0, flags: 0, place, unwind: None, targets: &[] }, &[]);
                body.blocks[block].insts.insert(at, again);
                at += 1;
            }
        }
    }
}

/// The instructions of a body in order.
fn placed<L: ir::ssa::Level>(graph: &ir::ssa::Graph<L>) -> Vec<Inst> {
    graph.blocks.rows().iter().flat_map(|row| row.insts.iter().copied()).collect()
}
