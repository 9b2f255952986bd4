//! Instructions, slots with their stores, and block parameters that nothing needs.
//!
//! Marks what is needed, from what can be observed backwards, and drops the rest. A parameter is needed when something needing it is, and then so are the
//! arguments for it; so a value that only goes round a loop disappears. All of it is one rewrite, because parts of such a circle cannot go alone.

use ir::ops::Effect;
use ir::ssa::{Block, Def, ENTRY, Graph, Inst, Target, Value};
use ir::{Fuel, List};

use crate::ir::Lir;
use crate::ops::Op;

pub(super) fn run(graph: &mut Graph<Lir>, fuel: &mut Fuel) {
    let marks = Marks::of(graph);
    let dead_param = |block: Block, param: Value| block != ENTRY && !marks.values[param.index()];
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
    for block in graph.blocks.ids() {
        let row = &mut graph.blocks[block];
        if row.insts.iter().any(|inst| !marks.insts[inst.index()]) {
            row.insts.retain(|inst| marks.insts[inst.index()]);
        }
        if !any_param || block == ENTRY || row.params.iter().all(|p| marks.values[p.index()]) {
            continue;
        }
        row.params.retain(|&param| marks.values[param.index()]);
        for index in 0..graph.blocks[block].params.len() {
            let param = graph.blocks[block].params[index];
            graph.values[param].def = Def::Param(block, index as u32);
        }
    }
}

/// Drops the arguments for dead parameters from the targets of an instruction.
fn arguments(graph: &mut Graph<Lir>, inst: Inst, marks: &Marks) {
    let targets: List<Target> = graph.edges[inst].targets;
    for index in 0..targets.len() {
        let target = graph.targets.get(targets)[index];
        let Some(row) = graph.blocks.get(target.block) else { continue };
        if row.params.iter().all(|p| marks.values[p.index()]) || target.block == ENTRY {
            continue;
        }
        let kept: Vec<Value> = row
            .params
            .iter()
            .zip(graph.target_args(target))
            .filter(|(param, _)| marks.values[param.index()])
            .map(|(_, &argument)| argument)
            .collect();
        graph.targets.get_mut(targets)[index].args = graph.args.add(kept);
    }
}

struct Marks {
    values: Vec<bool>,
    insts: Vec<bool>,
}

struct Marker<'a> {
    graph: &'a Graph<Lir>,
    marks: Marks,
    open: Vec<Value>,
    /// Edges into each block: `edges[start[b]..start[b + 1]]`.
    start: Vec<u32>,
    edges: Vec<List<Value>>,
    /// Stores to each slot, chained: first by value of the slot, then by position in `stores`.
    first_store: Vec<u32>,
    stores: Vec<(Inst, u32)>,
}

const NONE: u32 = u32::MAX;

impl Marks {
    fn of(graph: &Graph<Lir>) -> Marks {
        let mut marker = Marker {
            graph,
            marks: Marks { values: vec![false; graph.values.len()], insts: vec![false; graph.insts.len()] },
            open: Vec::new(),
            start: Vec::new(),
            edges: Vec::new(),
            first_store: Vec::new(),
            stores: Vec::new(),
        };
        marker.edges();
        marker.roots();
        while let Some(value) = marker.open.pop() {
            marker.needed(value);
        }
        marker.marks
    }
}

impl Marker<'_> {
    fn edges(&mut self) {
        let graph = self.graph;
        let count = graph.blocks.len();
        // Only parameters have arguments to look for.
        if graph.blocks.rows().iter().skip(1).all(|row| row.params.is_empty()) {
            self.start = vec![0; count + 1];
            return;
        }
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

    fn roots(&mut self) {
        let graph = self.graph;
        for block in graph.blocks.rows() {
            for &inst in &block.insts {
                let row = &graph.insts[inst];
                match row.op.info().effect {
                    Effect::Pure | Effect::Reads => continue,
                    Effect::Writes if row.op == Op::Slot || (row.op == Op::Store && self.is_slot_store(inst)) => continue,
                    Effect::Panics | Effect::Writes | Effect::Ends => {}
                }
                self.marks.insts[inst.index()] = true;
                self.needs(&graph.args[row.args]);
            }
        }
    }

    /// Takes note of a store to a slot: it is needed when the slot is.
    fn is_slot_store(&mut self, inst: Inst) -> bool {
        let graph = self.graph;
        let &[base, _] = graph.args(inst) else { return false };
        let is_slot = graph.op(inst) == Op::Store && graph.def_inst(base).is_some_and(|def| graph.op(def) == Op::Slot);
        if is_slot {
            if self.first_store.is_empty() {
                self.first_store = vec![NONE; graph.values.len()];
            }
            let head = &mut self.first_store[base.index()];
            self.stores.push((inst, *head));
            *head = self.stores.len() as u32 - 1;
        }
        is_slot
    }

    /// Values are marked when they are found, so that each waits once.
    #[inline]
    fn needs(&mut self, values: &[Value]) {
        for &value in values {
            if !std::mem::replace(&mut self.marks.values[value.index()], true) {
                self.open.push(value);
            }
        }
    }

    /// What a needed value was made of is needed.
    fn needed(&mut self, value: Value) {
        let graph = self.graph;
        match graph.values[value].def {
            Def::Param(block, index) => {
                for edge in self.start[block.index()] as usize..self.start[block.index() + 1] as usize {
                    if let Some(&argument) = graph.args[self.edges[edge]].get(index as usize) {
                        self.needs(&[argument]);
                    }
                }
            }
            Def::Result(inst, _) => {
                if !std::mem::replace(&mut self.marks.insts[inst.index()], true) {
                    self.needs(graph.args(inst));
                }
                if self.stores.is_empty() {
                    return;
                }
                let mut next = self.first_store.get(value.index()).copied().unwrap_or(NONE);
                while let Some(&(store, after)) = self.stores.get(next as usize) {
                    self.marks.insts[store.index()] = true;
                    self.needs(graph.args(store));
                    next = after;
                }
            }
        }
    }
}
