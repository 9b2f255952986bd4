//! A list that a loop changes in every round is asked once, before the loop, whether somebody else holds it.
//!
//! `list_set` copies a list that is shared. In a loop only the first round can find it so: what it gives is nobody else's. So `list_own` makes the copy on the
//! way in, where the header changes the list it was given before anything can leave the loop but a panic; the copy is made one way or the other. That the
//! list has one holder in the loop is then certain (`verify/sole`), and the rounds do not look.

use ir::ssa::{Block, ENTRY, Graph, NewInst, Value};
use ir::{About, Fuel, ssa::Def};

use super::edges::Edge;
use super::flow::Flow;
use super::indices::is_list;
use super::remarks::place;
use crate::Op;
use crate::ir::Mir;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, flow: &mut Flow, fuel: &mut Fuel) {
    if !graph.insts.rows().iter().any(|row| row.op == Op::ListSet) {
        return;
    }
    let (order, incoming, tree) = (flow.order(graph), flow.incoming(graph), flow.tree(graph));
    let mut changed = false;
    for &header in order.blocks.iter().filter(|&&block| block != ENTRY && !tree.is_cold(block)) {
        let (back, ways): (Vec<Edge>, Vec<Edge>) = incoming.of_block(header).iter().partition(|edge| flow.dominates(header, edge.from));
        if back.is_empty() || ways.is_empty() {
            continue;
        }
        let changes = changed_first(graph, header, &back);
        if changes.is_empty() {
            continue;
        }
        if !fuel.spend() {
            break;
        }
        changed = true;
        let first = graph.blocks[header].insts.iter().find(|&&inst| graph.op(inst) == Op::ListSet).and_then(|&inst| place(graph, inst));
        fuel.did(About::Loop, first, || "whether somebody else holds the list is asked once, before the loop".to_owned());
        let before = graph.add_block();
        let params = graph.blocks[header].params.clone();
        let mut given: Vec<Value> = params.iter().map(|&param| graph.add_param(before, graph.ty(param))).collect();
        for edge in ways {
            let list = graph.edges[edge.inst].targets;
            graph.targets.get_mut(list)[edge.index as usize].block = before;
        }
        for at in changes {
            given[at] = graph.append1(before, NewInst { args: &[given[at]], ..NewInst::new(Op::ListOwn) }, graph.ty(given[at]));
        }
        graph.append(before, NewInst { targets: &[(header, &given)], ..NewInst::new(Op::Jump) }, &[]);
    }
    if changed {
        flow.changed();
    }
}

/// Which parameters of a header are lists that it changes, and that come back changed.
fn changed_first(graph: &Graph<Mir>, header: Block, back: &[Edge]) -> Vec<usize> {
    let row = &graph.blocks[header];
    let is_set = |param: Value| row.insts.iter().any(|&inst| graph.op(inst) == Op::ListSet && graph.args(inst)[0] == param);
    let comes_back = |at: usize| {
        back.iter().all(|edge| {
            let target = graph.targets(edge.inst)[edge.index as usize];
            graph.target_args(target).get(at).is_some_and(|&arg| match graph.values[arg].def {
                Def::Result(inst, _) => matches!(graph.op(inst), Op::ListSet | Op::ListPush | Op::ListReserve),
                Def::Param(block, _) => block != ENTRY && block != header,
            })
        })
    };
    let lists = row.params.iter().enumerate().filter(|(_, param)| is_list(graph.ty(**param)));
    lists.filter(|&(at, &param)| is_set(param) && comes_back(at)).map(|(at, _)| at).collect()
}
