//! Loop versioning: a second copy of an innermost loop without the checks that cannot fail when the loop starts.
//!
//! The loop counts: a parameter of its header grows by a step that does not change, and the branch that goes back compares it with a bound that does not
//! change either. Before the loop, tests say whether the numbers that its checks are about are small and not negative (the counter, the bound, whatever comes
//! from outside), so that no sum or product in it overflows, and whether the largest index that is looked up is one of the list. Where all of that is so, the
//! copy runs, in which those sums wrap and those elements are `list_at`; else the loop as it was, with each panic where it belongs. A loop of few rounds is
//! not worth the tests: the first of them asks for that. (The idea is that of inductive range check elimination, Würthinger, Wimmer, Mössenböck, PPPJ
//! 2007, by versions instead of by peeled iterations.)
//!
//! | room     | holds                                              |
//! |----------|----------------------------------------------------|
//! | this     | which loops, and what they count                   |
//! | `plan`   | which checks of a loop go, and what must hold then |
//! | `copy`   | the tests and the copy                             |

mod copy;
mod plan;

use hashbrown::HashSet;
use hir::Type;
use ir::ssa::order::Order;
use ir::ssa::{Block, Graph, Value};
use ir::{About, Fuel};

use self::plan::Plan;
use super::Desk;
use super::edges::{Edge, Incoming};
use super::flow::Flow;
use super::fold::compare_forms;
use super::remarks::place;
use crate::Op;
use crate::ir::Mir;
use crate::verify::proof;

/// Loops of a body that get a copy.
const MOST_LOOPS: usize = 16;
/// Loops of a body for which all that stands behind them is looked at: each look walks the body.
const MOST_TRIED: usize = 4 * MOST_LOOPS;
/// Blocks and instructions of a loop that is copied.
const MOST_BLOCKS: usize = 12;
const MOST_INSTS: usize = 64;

/// Runs the pass; true when a loop has been copied.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) -> bool {
    let Desk { flow, known, .. } = desk;
    let lengths = known.lengths();
    let (order, incoming) = (flow.order(graph), flow.incoming(graph));
    let comes_back =
        |block: &Block| incoming.of_block(*block).iter().any(|edge| order.position[edge.from.index()] >= order.position[block.index()]);
    let headers: Vec<Block> = order.blocks.iter().copied().filter(comes_back).collect();
    drop((order, incoming));
    let (mut copied, mut tried, mut are_known) = (0, 0, false);
    for header in headers {
        if copied == MOST_LOOPS || tried == MOST_TRIED {
            break;
        }
        let (order, incoming, tree) = (flow.order(graph), flow.incoming(graph), flow.tree(graph));
        if tree.is_cold(header) {
            continue;
        }
        let found = match Loop::at(graph, flow, &order, &incoming, header) {
            Ok(found) => found,
            Err(why) => {
                refuse(graph, &incoming, flow, header, why, fuel);
                continue;
            }
        };
        if !are_known {
            lengths.fill(graph, &order, &incoming);
            are_known = true;
        }
        let Some(plan) = Plan::of(graph, &found, lengths) else {
            refuse(graph, &incoming, flow, header, Some("no check of it can be decided before it starts"), fuel);
            continue;
        };
        tried += 1;
        let Some(left) = copy::Left::of(graph, &found, flow, &order, &incoming) else {
            refuse(graph, &incoming, flow, header, Some("what is computed in it is used behind it in too many ways"), fuel);
            continue;
        };
        if !fuel.spend() {
            break;
        }
        tell(graph, &found, &plan, fuel);
        copy::apply(graph, &found, &plan, left, &order);
        flow.changed();
        are_known = false;
        copied += 1;
    }
    copied > 0
}

/// Remarks on the checks that a copy is without.
fn tell(graph: &Graph<Mir>, found: &Loop, plan: &Plan, fuel: &mut Fuel) {
    if !fuel.is_listening() {
        return;
    }
    let insts = || found.blocks.iter().flat_map(|&block| &graph.blocks[block].insts).copied();
    let counted = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let (sums, gets) = (counted(plan.sums.len(), "sum", "sums"), counted(plan.gets.len(), "index", "indices"));
    let first = insts().find_map(|inst| place(graph, inst));
    fuel.did(About::Loop, first, || {
        format!("the loop gets a copy without the checks of {sums} and {gets}, for when it starts with small numbers")
    });
    for &inst in &plan.sums {
        fuel.did(About::Overflow, place(graph, inst), || "the check is not in the copy of the loop".to_owned());
    }
    for get in &plan.gets {
        fuel.did(About::Index, place(graph, get.inst), || "the check of the index is not in the copy of the loop".to_owned());
    }
}

/// Remarks on a loop that gets no copy: by its first instruction that has a place.
fn refuse(graph: &Graph<Mir>, incoming: &Incoming, flow: &Flow, header: Block, why: Option<&str>, fuel: &mut Fuel) {
    let Some(why) = why.filter(|_| fuel.is_listening()) else { return };
    let back = incoming.of_block(header).iter().filter(|edge| flow.dominates(header, edge.from)).map(|edge| edge.from);
    let insts = std::iter::once(header).chain(back).flat_map(|block| &graph.blocks[block].insts).copied();
    let first = insts.filter(|&inst| graph.edges[inst].unwind.is_some()).find_map(|inst| place(graph, inst));
    fuel.left(About::Loop, first, || format!("the loop gets no copy without checks: {why}"));
}

/// An innermost loop that counts.
struct Loop {
    header: Block,
    /// Its blocks, in the order of the body.
    blocks: Vec<Block>,
    /// The values they define.
    values: HashSet<Value>,
    /// The edges that enter it.
    ways: Vec<Edge>,
    /// The edge that goes back.
    back: Edge,
    counter: Counter,
}

/// What a loop counts.
struct Counter {
    /// The parameter of the header, and which it is.
    param: Value,
    at: usize,
    /// What is added to it in each round.
    step: Value,
    /// The loop goes on while the counter, as it was or as it is in the next round, is below the bound, or not above it.
    bound: Value,
    is_next: bool,
    is_inclusive: bool,
}

impl Loop {
    /// The loop with this header; or why it is none to be copied, where that is worth a word.
    fn at(graph: &Graph<Mir>, flow: &Flow, order: &Order, incoming: &Incoming, header: Block) -> Result<Loop, Option<&'static str>> {
        let (back, ways): (Vec<Edge>, Vec<Edge>) = incoming.of_block(header).iter().partition(|edge| flow.dominates(header, edge.from));
        let &[back] = back.as_slice() else { return Err(Some("it goes on from several places")) };
        let mut blocks = vec![header];
        let mut work = vec![back.from];
        while let Some(block) = work.pop() {
            if blocks.contains(&block) {
                continue;
            }
            if blocks.len() == MOST_BLOCKS {
                return Err(Some("it is too large"));
            }
            if incoming.is_unwind(block) || !flow.dominates(header, block) {
                return Err(None);
            }
            blocks.push(block);
            work.extend(incoming.of_block(block).iter().map(|edge| edge.from));
        }
        blocks.sort_unstable_by_key(|block| order.position[block.index()]);
        let place = |block: Block| order.position[block.index()];
        let has_inner = blocks[1..].iter().any(|&block| incoming.of_block(block).iter().any(|edge| place(edge.from) >= place(block)));
        let insts = || blocks.iter().flat_map(|&block| &graph.blocks[block].insts).copied();
        let is_call = |op: Op| matches!(op, Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod | Op::Runtime);
        let has_checks = insts().any(|inst| graph.edges[inst].unwind.is_some());
        if has_inner || !has_checks {
            return Err(None);
        }
        if insts().any(|inst| is_call(graph.op(inst))) {
            return Err(Some("it calls something"));
        }
        if insts().count() > MOST_INSTS {
            return Err(Some("it is too large"));
        }
        let mut values: HashSet<Value> = insts().flat_map(|inst| graph.results(inst)).collect();
        values.extend(blocks.iter().flat_map(|&block| &graph.blocks[block].params));
        let counter = Counter::of(graph, header, back, &values).ok_or(Some("it does not count up to a bound that stays"))?;
        Ok(Loop { header, blocks, values, ways, back, counter })
    }

    /// Is the value the same in every round, because it comes from outside or is a literal?
    fn is_fixed(&self, graph: &Graph<Mir>, value: Value) -> bool {
        !self.values.contains(&value) || proof::int_literal(graph, value).is_some()
    }
}

impl Counter {
    fn of(graph: &Graph<Mir>, header: Block, back: Edge, values: &HashSet<Value>) -> Option<Counter> {
        let is_fixed = |value: Value| !values.contains(&value) || proof::int_literal(graph, value).is_some();
        let &[condition] = graph.args(back.inst) else { return None };
        let compare = graph.def_inst(condition).filter(|_| graph.op(back.inst) == Op::Branch)?;
        let &[left, right] = graph.args(compare) else { return None };
        let (_, inverse) = compare_forms(graph.op(compare))?;
        let holds = if back.index == 0 { graph.op(compare) } else { inverse };
        let (exchanged, _) = compare_forms(holds)?;
        let target = graph.targets(back.inst)[back.index as usize];
        let params = graph.blocks[header].params.iter().zip(graph.target_args(target)).enumerate();
        for (at, (&param, &next)) in params.filter(|(_, (param, _))| graph.ty(**param) == Type::INT) {
            let Some(sum) = graph.def_inst(next).filter(|&inst| matches!(graph.op(inst), Op::Add | Op::WrapAdd)) else { continue };
            let step = match *graph.args(sum) {
                [a, step] if a == param => step,
                [step, a] if a == param => step,
                _ => continue,
            };
            let (counted, op, bound) = if left == param || left == next { (left, holds, right) } else { (right, exchanged, left) };
            let is_counter = counted == param || counted == next;
            if is_counter && matches!(op, Op::Lt | Op::Le) && is_fixed(step) && is_fixed(bound) && step != param {
                return Some(Counter { param, at, step, bound, is_next: counted == next, is_inclusive: op == Op::Le });
            }
        }
        None
    }
}
