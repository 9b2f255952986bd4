//! Makes tuples and structs where they are used.
//!
//! A loop that carries the fields of a struct rebuilds the whole at its head for a call that only some turns come to; and whoever holds the whole and its fields
//! on the other ways counts both. So an aggregate moves behind a branch that stands between it and all that use it, into each of the targets where it is used: no
//! way makes it more often than before. It goes on from there, but into no loop: a target has one way in.

use ir::Fuel;
use ir::ssa::{Block, Graph, Inst, NewInst, Value};

use super::Desk;
use super::edges::{Incoming, Step, Tree};
use crate::Op;
use crate::ir::Mir;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) {
    if !graph.insts.rows().iter().any(|row| row.op == Op::Aggregate) {
        return;
    }
    let (order, incoming, tree) = (desk.flow.order(graph), desk.flow.incoming(graph), desk.flow.tree(graph));
    let spans = spans(graph, &tree);
    let mut sinking = Sinking { users: users(graph, &order.blocks), graph };
    for &block in &order.blocks {
        let targets = private_targets(sinking.graph, &incoming, block);
        if targets.is_empty() || tree.is_cold(block) {
            continue;
        }
        let mut at = sinking.graph.blocks[block].insts.len();
        while at > 0 {
            at -= 1;
            let inst = sinking.graph.blocks[block].insts[at];
            if sinking.graph.op(inst) != Op::Aggregate {
                continue;
            }
            let Some(parts) = sinking.parts(inst, &targets, &spans) else { continue };
            if !fuel.spend() {
                return;
            }
            sinking.graph.blocks[block].insts.remove(at);
            sinking.graph.bury(inst);
            for (&target, users) in targets.iter().zip(parts) {
                sinking.copy((block, inst), target, users);
            }
        }
    }
}

/// The time at which a walk down the dominator tree enters each block, and leaves it; of a block on the panic side nothing.
fn spans(graph: &Graph<Mir>, tree: &Tree) -> Vec<Option<(u32, u32)>> {
    let mut spans = vec![None; graph.blocks.len()];
    let (mut open, mut time) = (Vec::new(), 0);
    tree.walk(|step| {
        time += 1;
        match step {
            Step::Enter(block) => {
                open.push(block);
                spans[block.index()] = Some((time, u32::MAX));
            }
            Step::Leave => {
                if let Some(Some(span)) = open.pop().map(|block| &mut spans[block.index()]) {
                    span.1 = time;
                }
            }
        }
    });
    spans
}

/// Targets of the block's end that nothing else leads to.
fn private_targets(graph: &Graph<Mir>, incoming: &Incoming, block: Block) -> Vec<Block> {
    let Some(last) = graph.terminator(block) else { return Vec::new() };
    let targets = graph.targets(last);
    if targets.len() < 2 {
        return Vec::new();
    }
    let is_private = |target: &Block| incoming.of_block(*target).len() == 1 && !incoming.is_unwind(*target);
    targets.iter().map(|target| target.block).filter(is_private).collect()
}

/// An instruction and its block.
type User = (Block, Inst);

/// Who uses each aggregate.
fn users(graph: &Graph<Mir>, blocks: &[Block]) -> Vec<Vec<User>> {
    let mut users: Vec<Vec<User>> = vec![Vec::new(); graph.values.len()];
    for &block in blocks {
        for &inst in &graph.blocks[block].insts {
            let passed = graph.targets(inst).iter().flat_map(|&target| graph.target_args(target));
            for &value in graph.args(inst).iter().chain(passed) {
                if graph.def_inst(value).is_some_and(|made| graph.op(made) == Op::Aggregate) {
                    users[value.index()].push((block, inst));
                }
            }
        }
    }
    users
}

struct Sinking<'a> {
    graph: &'a mut Graph<Mir>,
    users: Vec<Vec<User>>,
}

impl Sinking<'_> {
    /// The users of an aggregate by the target that leads to them; `None` when one stands elsewhere, or there is none.
    fn parts(&self, inst: Inst, targets: &[Block], spans: &[Option<(u32, u32)>]) -> Option<Vec<Vec<User>>> {
        let users = &self.users[self.graph.result(inst).index()];
        let mut parts = vec![Vec::new(); targets.len()];
        for &user in users {
            let (enter, _) = spans[user.0.index()]?;
            let is_above = |target: &Block| spans[target.index()].is_some_and(|span| span.0 <= enter && enter < span.1);
            parts[targets.iter().position(is_above)?].push(user);
        }
        (!users.is_empty()).then_some(parts)
    }

    /// Makes an aggregate again at the start of a block, for these users.
    fn copy(&mut self, old: User, target: Block, users: Vec<User>) {
        if users.is_empty() {
            return;
        }
        let whole = self.graph.result(old.1);
        let (args, ty) = (self.graph.args(old.1).to_vec(), self.graph.ty(whole));
        let made = self.graph.make(NewInst { args: &args, ..NewInst::new(Op::Aggregate) }, &[ty]);
        let new = self.graph.result(made);
        self.graph.blocks[target].insts.insert(0, made);
        for &(_, user) in &users {
            self.rename(user, whole, new);
        }
        self.users.resize(self.graph.values.len(), Vec::new());
        self.users[new.index()] = users;
        for arg in args {
            let users = &mut self.users[arg.index()];
            if !users.is_empty() {
                users.retain(|user| *user != old);
                users.push((target, made));
            }
        }
    }

    fn rename(&mut self, user: Inst, old: Value, new: Value) {
        let lists = std::iter::once(self.graph.insts[user].args).chain(self.graph.targets(user).iter().map(|target| target.args));
        for list in lists.collect::<Vec<_>>() {
            for arg in self.graph.args.get_mut(list) {
                if *arg == old {
                    *arg = new;
                }
            }
        }
    }
}
