//! The tests before a loop, and its copy.

use hashbrown::HashMap;
use hir::Type;
use ir::ops::Imm;
use ir::ssa::names::Changed;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, EdgeRow, Graph, Inst, InstRow, NewInst, Target, Value, ValueRow};
use ir::{List, PlaceId};

use super::Loop;
use super::plan::Plan;
use crate::Op;
use crate::ir::Mir;
use crate::opt::edges::{Edge, Incoming, set_target_args};
use crate::opt::flow::Flow;
use crate::verify::proof::{self, Range};

/// Rounds that a loop must have for its tests to be worth their time.
const LEAST_ROUNDS: i64 = 8;

/// Values of a loop that are used behind it: with two loops they come from two places, so they become parameters of the block where both arrive.
pub(super) struct Left {
    values: Vec<Value>,
    /// That block and the edges to it, where there are such values.
    arrival: Option<(Block, Vec<Edge>)>,
}

impl Left {
    /// Nothing where the loop is left to several blocks, or that block is entered from elsewhere too.
    pub(super) fn of(graph: &Graph<Mir>, found: &Loop, flow: &Flow, order: &Order, incoming: &Incoming) -> Option<Left> {
        let mut values: Vec<Value> = Vec::new();
        let mut users: Vec<Block> = Vec::new();
        for &block in order.blocks.iter().filter(|block| !found.blocks.contains(block)) {
            each_use(graph, block, |value| {
                if found.values.contains(&value) {
                    values.push(value);
                    users.push(block);
                }
            });
        }
        values.sort_unstable();
        values.dedup();
        if values.is_empty() {
            return Some(Left { values, arrival: None });
        }
        let mut exits: Vec<Edge> = Vec::new();
        for &from in &found.blocks {
            let inst = graph.terminator(from)?;
            for (index, target) in graph.targets(inst).iter().enumerate() {
                if !found.blocks.contains(&target.block) {
                    exits.push(Edge { inst, from, index: index as u32 });
                }
            }
        }
        let block_of = |edge: &Edge| graph.targets(edge.inst)[edge.index as usize].block;
        let arrival = block_of(exits.first()?);
        let is_only = exits.iter().all(|edge| block_of(edge) == arrival)
            && incoming.of_block(arrival).len() == exits.len()
            && !incoming.is_unwind(arrival)
            && users.iter().all(|&user| flow.dominates(arrival, user));
        is_only.then_some(Left { values, arrival: Some((arrival, exits)) })
    }
}

fn each_use(graph: &Graph<Mir>, block: Block, mut visit: impl FnMut(Value)) {
    for &inst in &graph.blocks[block].insts {
        graph.args(inst).iter().for_each(|&value| visit(value));
        for &target in graph.targets(inst) {
            graph.target_args(target).iter().for_each(|&value| visit(value));
        }
    }
}

/// Makes the copy, and the tests that choose.
pub(super) fn apply(graph: &mut Graph<Mir>, found: &Loop, plan: &Plan, left: Left, order: &Order) {
    arrive(graph, found, left, order);
    let params = graph.blocks[found.header].params.clone();
    let guard = graph.add_block();
    let given: Vec<Value> = params.iter().map(|&param| graph.add_param(guard, graph.ty(param))).collect();
    for edge in &found.ways {
        let list = graph.edges[edge.inst].targets;
        graph.targets.get_mut(list)[edge.index as usize].block = guard;
    }
    let fast = copied(graph, found, plan);
    let mut tests = Tests { graph, found, given: &given, params: &params, block: guard };
    tests.all(plan);
    let last = tests.block;
    graph.append(last, NewInst { targets: &[(fast, &given)], ..NewInst::new(Op::Jump) }, &[]);
}

/// What is used behind the loop arrives there as a parameter.
fn arrive(graph: &mut Graph<Mir>, found: &Loop, left: Left, order: &Order) {
    let (arrival, exits) = match left.arrival {
        Some(left) => left,
        None => {
            forget_outside(graph, found, order);
            return;
        }
    };
    let new: HashMap<Value, Value> = left.values.iter().map(|&value| (value, graph.add_param(arrival, graph.ty(value)))).collect();
    for &block in order.blocks.iter().filter(|block| !found.blocks.contains(block)) {
        for at in 0..graph.blocks[block].insts.len() {
            let inst = graph.blocks[block].insts[at];
            let mut lists = vec![graph.insts[inst].args];
            lists.extend(graph.targets(inst).iter().map(|target| target.args));
            for list in lists {
                for arg in graph.args.get_mut(list) {
                    *arg = new.get(arg).copied().unwrap_or(*arg);
                }
            }
        }
    }
    if graph.names.is_some() {
        let outside = order.blocks.iter().filter(|block| !found.blocks.contains(block)).flat_map(|&block| &graph.blocks[block].insts);
        let outside: Vec<Inst> = outside.copied().collect();
        graph.rename_seen(outside, |value| match new.get(&value) {
            Some(&arrived) => Some(arrived),
            // It comes from one of two loops, and from which one nobody asked.
            None => (!found.values.contains(&value)).then_some(value),
        });
    }
    for edge in exits {
        let target = graph.targets(edge.inst)[edge.index as usize];
        let mut args = graph.target_args(target).to_vec();
        args.extend(&left.values);
        set_target_args(graph, edge, &args);
    }
}

/// Nothing behind the loop uses what it makes, but locals may be it.
fn forget_outside(graph: &mut Graph<Mir>, found: &Loop, order: &Order) {
    if graph.names.is_some() {
        let outside = order.blocks.iter().filter(|block| !found.blocks.contains(block)).flat_map(|&block| &graph.blocks[block].insts);
        let outside: Vec<Inst> = outside.copied().collect();
        graph.rename_seen(outside, |value| (!found.values.contains(&value)).then_some(value));
    }
}

/// Copies the blocks; gives the header of the copy.
fn copied(graph: &mut Graph<Mir>, found: &Loop, plan: &Plan) -> Block {
    let mut values: HashMap<Value, Value> = HashMap::new();
    let mut blocks: HashMap<Block, Block> = HashMap::new();
    for &old in &found.blocks {
        let block = graph.add_block();
        blocks.insert(old, block);
        for param in graph.blocks[old].params.clone() {
            let new = graph.add_param(block, graph.ty(param));
            values.insert(param, new);
        }
    }
    let ghosts: Vec<Value> = graph
        .names
        .iter()
        .flat_map(|names| &names.ghosts)
        .filter(|&&ghost| !graph.args(ghost).is_empty())
        .flat_map(|&ghost| graph.results(ghost))
        .collect();
    // Results before operands: loops use values that come later.
    let insts: Vec<(Block, Inst)> =
        found.blocks.iter().flat_map(|&old| graph.blocks[old].insts.iter().map(move |&inst| (old, inst))).collect();
    for (next, &(_, inst)) in (graph.insts.len()..).zip(&insts) {
        for (index, value) in graph.results(inst).enumerate() {
            let def = Def::Result(Inst::new(next), index as u32);
            let new = graph.values.push(ValueRow { ty: graph.ty(value), def });
            values.insert(value, new);
        }
    }
    let mut seen = Changed::default();
    for (block, inst) in insts {
        let (row, edges) = (graph.insts[inst], graph.edges[inst]);
        let renamed = |graph: &mut Graph<Mir>, list: List<Value>| {
            let args: Vec<Value> = graph.args[list].iter().map(|value| values.get(value).copied().unwrap_or(*value)).collect();
            graph.args.add(args)
        };
        let args = renamed(graph, row.args);
        let mut targets: Vec<Target> = Vec::new();
        for target in graph.targets(inst).to_vec() {
            let args = renamed(graph, target.args);
            targets.push(Target { block: blocks.get(&target.block).copied().unwrap_or(target.block), args });
        }
        let targets = if targets.is_empty() { List::EMPTY } else { graph.targets.add(targets) };
        let imm = match row.op.info().imm {
            Imm::Cases => {
                let cases = graph.cases(inst).to_vec();
                graph.add_cases(cases)
            }
            Imm::None | Imm::Int | Imm::Bits | Imm::Str | Imm::Item | Imm::Word => row.imm,
        };
        let op = match row.op {
            Op::Add if plan.sums.contains(&inst) => Op::WrapAdd,
            Op::Sub if plan.sums.contains(&inst) => Op::WrapSub,
            Op::Mul if plan.sums.contains(&inst) => Op::WrapMul,
            Op::ListGet if plan.gets.iter().any(|get| get.inst == inst) => Op::ListAt,
            op => op,
        };
        // An element that is looked up keeps its place, for the check, if it must come back (`claims`).
        let (unwind, place) = match op {
            op if op == row.op => (edges.unwind, edges.place),
            Op::ListAt => (None, edges.place),
            _ if graph.names.is_some() => (None, edges.place),
            _ => (None, PlaceId::NONE),
        };
        let first_result = if row.results == 0 { graph.values.next_id() } else { values[&row.first_result] };
        let new = graph.insts.push(InstRow { op, args, imm, first_result, ..row });
        graph.edges.push(EdgeRow { targets, unwind, place });
        let block = blocks[&block];
        graph.blocks[block].insts.push(new);
        if let Some(names) = &mut graph.names {
            let name = names.of(inst);
            // Nobody knows of which of the two loops ghosts are made.
            let ghosts = &ghosts;
            let name = names.changed(name, &mut seen, |value| match values.get(&value) {
                Some(&copy) => Some(copy),
                None => (!ghosts.contains(&value)).then_some(value),
            });
            names.set(new, name);
        }
    }
    blocks[&found.header]
}

/// The tests before the loops.
struct Tests<'a> {
    graph: &'a mut Graph<Mir>,
    found: &'a Loop,
    /// What the header is given, and its parameters for it.
    given: &'a [Value],
    params: &'a [Value],
    /// The block that is being filled.
    block: Block,
}

impl Tests<'_> {
    fn op(&mut self, op: Op, args: &[Value], ty: Type) -> Value {
        self.graph.append1(self.block, NewInst { args, ..NewInst::new(op) }, ty)
    }

    fn int(&mut self, value: i64) -> Value {
        self.graph.append1(self.block, NewInst { imm: value as u64, ..NewInst::new(Op::Int) }, Type::INT)
    }

    /// Goes on where the compare holds, and else into the loop with all its checks.
    fn test(&mut self, compare: Op, a: Value, b: Value) {
        let condition = self.op(compare, &[a, b], Type::BOOL);
        let next = self.graph.add_block();
        let targets: &[(Block, &[Value])] = &[(next, &[]), (self.found.header, self.given)];
        self.graph.append(self.block, NewInst { args: &[condition], targets, ..NewInst::new(Op::Branch) }, &[]);
        self.block = next;
    }

    /// Is the value from outside within these bounds? Not asked where its definition says so.
    fn within(&mut self, value: Value, low: i64, high: i64) {
        let certain = proof::range(self.graph, value);
        if certain.low < low {
            let low = self.int(low);
            self.test(Op::Ge, value, low);
        }
        if certain.high > high {
            let high = self.int(high);
            self.test(Op::Le, value, high);
        }
    }

    fn all(&mut self, plan: &Plan) {
        let counter = &self.found.counter;
        let first = self.given[counter.at];
        let most = (1 << plan.bits) - 1;
        // The value of the counter in the last round is not more than this.
        let step = self.value(counter.step, first);
        let bound = self.value(counter.bound, first);
        let mut top = bound;
        if !counter.is_next {
            top = self.op(Op::WrapAdd, &[top, step], Type::INT);
        }
        if !counter.is_inclusive {
            let one = self.int(1);
            top = self.op(Op::WrapSub, &[top, one], Type::INT);
        }
        let span = self.op(Op::WrapSub, &[top, first], Type::INT);
        let rounds = self.int(LEAST_ROUNDS);
        let least = self.op(Op::WrapMul, &[rounds, step], Type::INT);
        self.test(Op::Ge, span, least);
        self.within(first, 0, most);
        if !proof::range(self.graph, step).within(Range::new(1, most)) {
            self.within(step, 1, most);
        }
        for &value in plan.small.iter().filter(|&&value| value != counter.step) {
            self.within(value, 0, most);
        }
        self.test(Op::Le, first, top);
        let mut asked: Vec<(Value, Value)> = Vec::new();
        for get in &plan.gets {
            if asked.contains(&(get.list, get.index)) {
                continue;
            }
            asked.push((get.list, get.index));
            let list = self.params.iter().position(|&param| param == get.list).map_or(get.list, |at| self.given[at]);
            let length = self.op(Op::ListLen, &[list], Type::INT);
            let last = self.value(get.index, top);
            self.test(Op::Lt, last, length);
            if get.may_be_negative {
                let (index, zero) = (self.value(get.index, first), self.int(0));
                self.test(Op::Ge, index, zero);
            }
        }
    }

    /// What a value of the loop is when the counter is `counter`: nothing on the way is out of range, or the tests before have failed.
    fn value(&mut self, value: Value, counter: Value) -> Value {
        if value == self.found.counter.param {
            return counter;
        }
        if !self.found.values.contains(&value) {
            return value;
        }
        if let Some(literal) = proof::int_literal(self.graph, value) {
            return self.int(literal);
        }
        let Some(inst) = self.graph.def_inst(value) else { return value };
        let op = match self.graph.op(inst) {
            Op::Add | Op::WrapAdd => Op::WrapAdd,
            Op::Sub | Op::WrapSub => Op::WrapSub,
            _ => Op::WrapMul,
        };
        let args = self.graph.args(inst).to_vec();
        let args: Vec<Value> = args.into_iter().map(|arg| self.value(arg, counter)).collect();
        self.op(op, &args, Type::INT)
    }
}
