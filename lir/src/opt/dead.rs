//! Instructions, slots with their stores, and block parameters that nothing needs.
//!
//! Marks what is needed, from what can be observed backwards, and drops the rest. A parameter is needed when something needing it is, and then so are the
//! arguments for it; so a value that only goes round a loop disappears. All of it is one rewrite, because parts of such a circle cannot go alone.

use abi::{Kind, RuntimeCall};
use hashbrown::{HashMap, HashSet};
use ir::ops::Effect;
use ir::ssa::{Block, Def, ENTRY, Graph, Inst, Target, Value};
use ir::{Fuel, List};

use crate::ir::Lir;
use crate::ops::Op;

pub(super) fn run(graph: &mut Graph<Lir>, fuel: &mut Fuel) {
    let marks = Marks::of(graph);
    let dead_param = |block: Block, param: Value| block != ENTRY && !marks.needs(param);
    let any_param = graph.blocks.iter().any(|(block, row)| row.params.iter().any(|&param| dead_param(block, param)));
    let any_inst = || graph.blocks.rows().iter().any(|row| row.insts.iter().any(|inst| !marks.insts[inst.index()]));
    if !(any_param || any_inst()) || !fuel.spend() {
        return;
    }
    if any_param {
        // Arguments first, while parameters still say which ones go.
        for block in graph.blocks.ids() {
            if let Some(last) = graph.terminator(block) {
                arguments(graph, last, &marks);
            }
        }
    }
    let texts = if graph.names.is_some() { texts(graph) } else { HashSet::new() };
    for block in graph.blocks.ids() {
        if graph.names.is_some() {
            let gone: Vec<Inst> = graph.blocks[block].insts.iter().copied().filter(|inst| !marks.insts[inst.index()]).collect();
            let is_there = |inst: &Inst| graph.op(*inst) != Op::Load || graph.args(*inst).first().is_some_and(|base| texts.contains(base));
            let kept: Vec<Inst> = gone.into_iter().filter(is_there).collect();
            kept.into_iter().for_each(|inst| graph.bury(inst));
        }
        let row = &mut graph.blocks[block];
        if row.insts.iter().any(|inst| !marks.insts[inst.index()]) {
            row.insts.retain(|inst| marks.insts[inst.index()]);
        }
        if !any_param || block == ENTRY || row.params.iter().all(|p| marks.needs(*p)) {
            continue;
        }
        row.params.retain(|&param| marks.needs(param));
        for index in 0..graph.blocks[block].params.len() {
            let param = graph.blocks[block].params[index];
            graph.values[param].def = Def::Param(block, index as u32);
        }
    }
}

/// Slots that one runtime call puts a text into and nothing else writes: it stays there as long as somebody has it.
fn texts(graph: &Graph<Lir>) -> HashSet<Value> {
    let mut fills: HashMap<Value, u32> = HashMap::new();
    let mut others: HashSet<Value> = HashSet::new();
    for &inst in graph.blocks.rows().iter().flat_map(|row| &row.insts) {
        let (op, args) = (graph.op(inst), graph.args(inst));
        match (op, args) {
            (Op::Runtime, &[out, ..]) if RuntimeCall::from_number(graph.insts[inst].imm).is_some_and(|call| call.result() == Kind::Str) => {
                *fills.entry(out).or_default() += 1;
            }
            (Op::Load | Op::Runtime, _) => {}
            _ => others.extend(args),
        }
        others.extend(graph.targets(inst).iter().flat_map(|&target| graph.target_args(target)));
    }
    let is_slot = |value: Value| graph.def_inst(value).is_some_and(|inst| graph.op(inst) == Op::Slot);
    fills.into_iter().filter(|&(slot, count)| count == 1 && is_slot(slot) && !others.contains(&slot)).map(|(slot, _)| slot).collect()
}

/// Drops the arguments for dead parameters from the targets of an instruction.
fn arguments(graph: &mut Graph<Lir>, inst: Inst, marks: &Marks) {
    let targets: List<Target> = graph.edges[inst].targets;
    for index in 0..targets.len() {
        let target = graph.targets.get(targets)[index];
        let Some(row) = graph.blocks.get(target.block) else { continue };
        if row.params.iter().all(|p| marks.needs(*p)) || target.block == ENTRY {
            continue;
        }
        let kept: Vec<Value> = row
            .params
            .iter()
            .zip(graph.target_args(target))
            .filter(|(param, _)| marks.needs(**param))
            .map(|(_, &argument)| argument)
            .collect();
        graph.targets.get_mut(targets)[index].args = graph.args.add(kept);
    }
}

/// What is known of a value on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Needed,
    /// Its definition was passed before anything needed it.
    Passed,
}

struct Marks {
    values: Vec<State>,
    insts: Vec<bool>,
}

/// Blocks come in an order in which definitions stand before their uses, but for values that go round a loop. So one walk backwards finds nearly all, and
/// what it finds too late waits in lists.
struct Marker<'a> {
    graph: &'a Graph<Lir>,
    marks: Marks,
    /// Values that were found to be needed when their definition had been passed.
    late: Vec<Value>,
    /// Arguments for parameters that the walk had not come to: of edges back.
    back: Vec<(Value, Value)>,
    /// Stores to slots that were not needed yet.
    stores: Vec<Inst>,
    /// Edges into each block: `edges[start[b]..start[b + 1]]`; made when a parameter is late.
    start: Vec<u32>,
    edges: Vec<List<Value>>,
}

impl Marks {
    fn needs(&self, value: Value) -> bool {
        self.values[value.index()] == State::Needed
    }

    fn of(graph: &Graph<Lir>) -> Marks {
        let marks = Marks { values: vec![State::Unknown; graph.values.len()], insts: vec![false; graph.insts.len()] };
        let (start, edges) = (Vec::new(), Vec::new());
        let mut marker = Marker { graph, marks, late: Vec::new(), back: Vec::new(), stores: Vec::new(), start, edges };
        for block in graph.blocks.ids().rev() {
            marker.block(block);
        }
        marker.settle();
        marker.marks
    }
}

impl Marker<'_> {
    fn block(&mut self, block: Block) {
        let graph = self.graph;
        let row = &graph.blocks[block];
        for &inst in row.insts.iter().rev() {
            let row = &graph.insts[inst];
            let is_root = match row.op.info().effect {
                Effect::Pure | Effect::Reads => false,
                Effect::Writes if row.op == Op::Slot => false,
                Effect::Writes if row.op == Op::Store => !self.waits_for_slot(inst),
                Effect::Panics | Effect::Writes => true,
                Effect::Ends => {
                    self.targets(inst);
                    true
                }
            };
            if is_root || graph.results(inst).any(|value| self.marks.needs(value)) {
                self.inst(inst);
            } else {
                graph.results(inst).for_each(|value| self.marks.values[value.index()] = State::Passed);
            }
        }
        for &param in &row.params {
            let state = &mut self.marks.values[param.index()];
            if *state == State::Unknown {
                *state = State::Passed;
            }
        }
    }

    /// A store to a slot is needed when the slot is; one of which that is not known yet is kept for later.
    fn waits_for_slot(&mut self, store: Inst) -> bool {
        let graph = self.graph;
        let &[base, _] = graph.args(store) else { return false };
        let waits = !self.marks.needs(base) && graph.def_inst(base).is_some_and(|def| graph.op(def) == Op::Slot);
        if waits {
            self.stores.push(store);
        }
        waits
    }

    fn targets(&mut self, inst: Inst) {
        let graph = self.graph;
        for &target in graph.targets(inst) {
            let Some(row) = graph.blocks.get(target.block) else { continue };
            for (&param, &argument) in row.params.iter().zip(graph.target_args(target)) {
                match self.marks.values[param.index()] {
                    State::Needed => self.value(argument),
                    State::Unknown => self.back.push((param, argument)),
                    State::Passed => {}
                }
            }
        }
    }

    fn inst(&mut self, inst: Inst) {
        self.marks.insts[inst.index()] = true;
        for &value in self.graph.args(inst) {
            self.value(value);
        }
    }

    #[inline]
    fn value(&mut self, value: Value) {
        let state = &mut self.marks.values[value.index()];
        if std::mem::replace(state, State::Needed) == State::Passed {
            self.late.push(value);
        }
    }

    /// Follows what was found late.
    fn settle(&mut self) {
        let graph = self.graph;
        for (param, argument) in std::mem::take(&mut self.back) {
            // A parameter that is needed later than this brings its arguments itself.
            if self.marks.needs(param) {
                self.value(argument);
            }
        }
        loop {
            while let Some(value) = self.late.pop() {
                match graph.values[value].def {
                    Def::Param(block, index) => self.arguments(block, index),
                    Def::Result(inst, _) => self.inst(inst),
                }
            }
            // A slot that was needed late needs its stores: few bodies have any left.
            let stores = std::mem::take(&mut self.stores);
            let before = stores.len();
            for store in stores {
                if graph.args(store).first().is_some_and(|&base| self.marks.needs(base)) {
                    self.inst(store);
                } else {
                    self.stores.push(store);
                }
            }
            if self.stores.len() == before && self.late.is_empty() {
                return;
            }
        }
    }

    /// The arguments for a parameter are needed.
    fn arguments(&mut self, block: Block, index: u32) {
        if self.start.is_empty() {
            self.edges();
        }
        for edge in self.start[block.index()] as usize..self.start[block.index() + 1] as usize {
            if let Some(&argument) = self.graph.args[self.edges[edge]].get(index as usize) {
                self.value(argument);
            }
        }
    }

    fn edges(&mut self) {
        let graph = self.graph;
        let count = graph.blocks.len();
        self.start = vec![0; count + 2];
        let lasts = || graph.blocks.rows().iter().filter_map(|row| row.insts.last());
        let targets = || lasts().flat_map(|&last| graph.targets(last)).filter(|target| target.block.index() < count);
        for target in targets() {
            self.start[target.block.index() + 2] += 1;
        }
        let mut all = 0;
        for start in &mut self.start {
            all += *start;
            *start = all;
        }
        self.edges = vec![List::EMPTY; all as usize];
        for target in targets() {
            let slot = &mut self.start[target.block.index() + 1];
            self.edges[*slot as usize] = target.args;
            *slot += 1;
        }
    }
}
