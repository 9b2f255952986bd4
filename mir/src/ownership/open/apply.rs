//! Carrying a plan out: each point gets its `open`, and who used a part uses the variable that it is now.

use hashbrown::HashMap;
use hir::Type;
use ir::Stop;
use ir::ssa::order::Order;
use ir::ssa::{Block, Graph, Inst, NewInst, Target, Value};

use super::{Classes, Facts, Made, Path, Plan, Source};
use crate::ir::{Context, Mir};
use crate::ops::Op;

/// Values of the variables.
struct Variables<'a> {
    plan: &'a Plan,
    facts: &'a Facts,
    /// What each `open` sets.
    set: HashMap<(usize, Block), Value>,
    params: HashMap<(usize, Block), Value>,
}

impl Variables<'_> {
    /// The value of a variable behind the `open` of a block, or at its start.
    fn value(&mut self, graph: &mut Graph<Mir>, path: usize, block: Block) -> Value {
        if let Some(&value) = self.set.get(&(path, block)) {
            return value;
        }
        match self.plan.sources.get(&block) {
            Some(&Source::Param(home)) => self.param(graph, path, home),
            Some(&Source::Open(home)) => self.set.get(&(path, home)).copied().unwrap_or(self.plan.root),
            None => self.plan.root,
        }
    }

    fn param(&mut self, graph: &mut Graph<Mir>, path: usize, block: Block) -> Value {
        if let Some(&param) = self.params.get(&(path, block)) {
            return param;
        }
        let param = graph.add_param(block, self.plan.paths[path].ty);
        self.params.insert((path, block), param);
        for &pred in &self.facts.preds[block.index()] {
            let value = self.value(graph, path, pred);
            pass(graph, pred, block, value);
        }
        param
    }
}

/// One argument more on each way from one block to another.
pub(in crate::ownership) fn pass(graph: &mut Graph<Mir>, from: Block, to: Block, value: Value) {
    let Some(last) = graph.terminator(from) else { return };
    let mut targets: Vec<Target> = graph.targets(last).to_vec();
    for target in targets.iter_mut().filter(|target| target.block == to) {
        let args: Vec<Value> = graph.target_args(*target).iter().copied().chain([value]).collect();
        target.args = graph.args.add(args);
    }
    graph.edges[last].targets = graph.targets.add(targets);
}

pub(super) fn apply(
    graph: &mut Graph<Mir>,
    facts: &Facts,
    order: &Order,
    plan: Plan,
    tokens: bool,
    classes: &mut Classes,
    cx: &dyn Context,
) -> Result<(), Stop> {
    let mut variables = Variables { plan: &plan, facts, set: HashMap::new(), params: HashMap::new() };
    for &block in order.blocks.iter().filter(|block| plan.points.contains_key(*block)) {
        let mut made: Vec<Inst> = Vec::new();
        let mut known: HashMap<usize, Value> = HashMap::new();
        let mut have = |graph: &mut Graph<Mir>, path: usize, how: &Made| match how {
            Made::There(value) => *value,
            Made::By(from, steps) => {
                let mut at = *from;
                for &step in steps {
                    at = *known.entry(step).or_insert_with(|| {
                        let Path { op, imm, ty, .. } = plan.paths[step];
                        let inst = graph.make(NewInst { args: &[at], imm, ..NewInst::new(op) }, &[ty]);
                        made.push(inst);
                        graph.result(inst)
                    });
                }
                debug_assert_eq!(steps.last(), Some(&path));
                at
            }
        };
        let (mut args, mut types, mut moved) = (vec![plan.root], Vec::new(), Vec::new());
        for (path, how) in &plan.sets[&block] {
            let value = have(graph, *path, how);
            if plan.paths[*path].is_counted {
                args.push(value);
                types.push(plan.paths[*path].ty);
                moved.push(*path);
            } else {
                variables.set.insert((*path, block), value);
            }
        }
        let mut rooms = Vec::new();
        for (path, how) in &plan.cells[&block] {
            if let (true, Some(class)) = (tokens, cx.cell_class(plan.paths[*path].ty)?) {
                args.push(have(graph, *path, how));
                types.push(Type::cell(&[]));
                rooms.push(class);
            }
        }
        let open = graph.make(NewInst { args: &args, ..NewInst::new(Op::Open) }, &types);
        made.push(open);
        let mut results = graph.results(open);
        for path in moved {
            if let Some(result) = results.next() {
                variables.set.insert((path, block), result);
            }
        }
        classes.extend(results.zip(rooms));
        let point = plan.points[&block];
        let insts = &mut graph.blocks[block].insts;
        let at = insts.iter().position(|&inst| inst == point).unwrap_or(insts.len());
        insts.splice(at..at, made);
    }
    // The parts are the variables now. What is not counted and was read before stays as it is.
    for node in plan.nodes.iter().skip(1).filter(|node| plan.variables.contains(&node.path)) {
        let is_gone = graph.def_inst(node.value).is_some_and(|made| plan.removed.contains(&made));
        if !plan.paths[node.path].is_counted && !is_gone {
            continue;
        }
        for &inst in &facts.uses[node.value.index()] {
            let (block, at) = facts.place[inst.index()];
            let is_open = plan.open.contains(&block) || plan.points.get(&block).is_some_and(|&point| at >= facts.place[point.index()].1);
            if !is_open || plan.removed.contains(&inst) {
                continue;
            }
            let value = variables.value(graph, node.path, block);
            replace(graph, inst, node.value, value);
        }
    }
    let mut homes: Vec<Block> = plan.removed.iter().map(|inst| facts.place[inst.index()].0).collect();
    homes.sort_unstable();
    homes.dedup();
    for block in homes {
        graph.blocks[block].insts.retain(|inst| !plan.removed.contains(inst));
    }
    Ok(())
}

/// Replaces an operand.
fn replace(graph: &mut Graph<Mir>, inst: Inst, old: Value, new: Value) {
    let other = |value: &Value| if *value == old { new } else { *value };
    if graph.args(inst).contains(&old) {
        let args: Vec<Value> = graph.args(inst).iter().map(other).collect();
        graph.insts[inst].args = graph.args.add(args);
    }
    let mut targets: Vec<Target> = graph.targets(inst).to_vec();
    let mut changed = false;
    for target in &mut targets {
        if graph.target_args(*target).contains(&old) {
            let args: Vec<Value> = graph.target_args(*target).iter().map(other).collect();
            target.args = graph.args.add(args);
            changed = true;
        }
    }
    if changed {
        graph.edges[inst].targets = graph.targets.add(targets);
    }
}
