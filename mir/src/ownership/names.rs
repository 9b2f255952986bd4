//! Locals whose value was given away are not shown any more: who got it may have freed or changed what it points to.
//!
//! Every owned value is given away exactly once on every path, so one that nothing uses any more has been. Parameters that are borrowed stay with the caller.

use hashbrown::{HashMap, HashSet};
use ir::Stop;
use ir::ssa::order::Order;
use ir::ssa::{Block, ENTRY, Graph, Inst, Value};

use crate::ir::{Context, Contract, Mir};

/// Ends what rows say of counted values behind their last use.
pub(super) fn end(graph: &mut Graph<Mir>, contract: Contract, cx: &dyn Context) -> Result<(), Stop> {
    let Some(names) = &graph.names else { return Ok(()) };
    let named = names.rows.rows().iter().filter_map(|row| row.value);
    let parts = names.ghosts.iter().flat_map(|&ghost| graph.args(ghost)).copied();
    let mut counted: HashSet<Value> = HashSet::new();
    for value in named.chain(parts) {
        if graph.values.get(value).is_some() && cx.is_counted(graph.ty(value))? {
            counted.insert(value);
        }
    }
    for (at, param) in graph.blocks.get(ENTRY).into_iter().flat_map(|entry| entry.params.iter().enumerate()) {
        if contract.borrows(at) {
            counted.remove(param);
        }
    }
    let ghosts: HashMap<Value, Inst> =
        names.ghosts.iter().flat_map(|&ghost| graph.results(ghost).map(move |value| (value, ghost))).collect();
    let order = Order::of(graph);
    let at_start = live(graph, &order, &counted);
    let mut ended: Vec<(Inst, HashSet<Value>)> = Vec::new();
    for &block in &order.blocks {
        let mut set = HashSet::new();
        for &inst in graph.blocks[block].insts.iter().rev() {
            before(graph, &counted, &at_start, inst, &mut set);
            let seen = names.seen(names.of(inst));
            let gone = seen.iter().filter_map(|seen| seen.value).filter(|&value| !is_there(graph, &ghosts, &counted, &set, value, 0));
            let gone: HashSet<Value> = gone.collect();
            if !gone.is_empty() {
                ended.push((inst, gone));
            }
        }
    }
    graph.end_seen(ended);
    graph.settle_names();
    Ok(())
}

/// Is the value, or all that a ghost is made of, still somebody's here?
fn is_there(
    graph: &Graph<Mir>,
    ghosts: &HashMap<Value, Inst>,
    counted: &HashSet<Value>,
    live: &HashSet<Value>,
    value: Value,
    depth: u32,
) -> bool {
    match ghosts.get(&value) {
        Some(_) if depth > 32 => false,
        Some(&ghost) => graph.args(ghost).iter().all(|&arg| is_there(graph, ghosts, counted, live, arg, depth + 1)),
        None => !counted.contains(&value) || live.contains(&value),
    }
}

/// Which of these values are used at the start of each block or later.
fn live(graph: &Graph<Mir>, order: &Order, counted: &HashSet<Value>) -> HashMap<Block, HashSet<Value>> {
    let mut at_start: HashMap<Block, HashSet<Value>> = HashMap::new();
    loop {
        let mut changed = false;
        for &block in order.blocks.iter().rev() {
            let mut set = HashSet::new();
            for &inst in graph.blocks[block].insts.iter().rev() {
                before(graph, counted, &at_start, inst, &mut set);
            }
            for param in &graph.blocks[block].params {
                set.remove(param);
            }
            let known = at_start.entry(block).or_default();
            if set.len() > known.len() {
                *known = set;
                changed = true;
            }
        }
        if !changed {
            return at_start;
        }
    }
}

/// Makes what is used behind an instruction what is used at it or behind it.
fn before(graph: &Graph<Mir>, counted: &HashSet<Value>, at_start: &HashMap<Block, HashSet<Value>>, inst: Inst, set: &mut HashSet<Value>) {
    for result in graph.results(inst) {
        set.remove(&result);
    }
    let others = graph.targets(inst).iter().map(|target| target.block).chain(graph.edges[inst].unwind);
    for other in others.filter_map(|block| at_start.get(&block)) {
        set.extend(other);
    }
    let given = graph.targets(inst).iter().flat_map(|&target| graph.target_args(target));
    set.extend(graph.args(inst).iter().chain(given).filter(|value| counted.contains(*value)));
}
