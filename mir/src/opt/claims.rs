//! Claims that can no longer be derived are taken back.
//!
//! `ranges` drops the unwind edge of an op when intervals prove that it cannot panic, and the verifier derives each such claim again from the body it
//! sees. A later pass may remove what the proof stood on (a switch that was decided, a compare that was threaded) while the claim stays true. Nobody
//! else's proof counts (habit 11: a missing fact is the producer's bug), so the op gets its edge back. This is no rewrite and takes no fuel: a body with
//! less optimism is always right.
//!
//! So it is with `list_at`: where the verifier's proof, which is another one than that of the passes, does not find that the list has the element, the op is a
//! `list_get` again. And a `list_set` gets a `list_get` before it again: that of the source was proved by a pass, used by nobody, and is gone.

use ir::ssa::order::Order;
use ir::ssa::{Graph, Inst, NewInst};

use crate::ir::Mir;
use crate::ops::{NOUNWIND, Op};
use crate::verify::{bounds, proof};

/// Gives ops with an underivable `nounwind` their unwind edge back; they kept their place. Says whether there were any. `order` is the graph's.
pub(super) fn take_back(graph: &mut Graph<Mir>, order: &Order) -> bool {
    let doubtful = |graph: &Graph<Mir>, inst| {
        let row = &graph.insts[inst];
        row.flags & NOUNWIND != 0 && row.op != Op::Runtime && !proof::cannot_panic(graph, inst)
    };
    let insts = order.blocks.iter().flat_map(|&block| &graph.blocks[block].insts);
    let found: Vec<_> = insts.copied().filter(|&inst| doubtful(graph, inst)).collect();
    give_edges(graph, &found)
}

/// Makes looks at elements that are not proved to be there check again, and puts a check before what writes such elements; they kept their place. Says whether
/// there were any. In the `last` round all do: the search for a proof is bounded, and where it ends depends on the numbers of values.
pub(super) fn take_elements_back(graph: &mut Graph<Mir>, last: bool) -> bool {
    let mut found = bounds::unproved(graph);
    if last && !found.is_empty() {
        found.clear();
        for block in graph.blocks.ids() {
            found.extend(graph.blocks[block].insts.iter().enumerate().map(|(at, &inst)| (block, at, inst)));
        }
    }
    found.retain(|&(_, _, inst)| matches!(graph.op(inst), Op::ListAt | Op::ListSet) && graph.edges[inst].place.is_some());
    let mut checks = Vec::with_capacity(found.len());
    // From behind, so that the places of those before stay.
    found.sort_unstable();
    for &(block, at, inst) in found.iter().rev() {
        if graph.op(inst) == Op::ListAt {
            graph.insts[inst].op = Op::ListGet;
            checks.push(inst);
            continue;
        }
        let (list, index, element) = match *graph.args(inst) {
            [list, index, element] => (list, index, graph.ty(element)),
            _ => continue,
        };
        let place = graph.edges[inst].place;
        let check = graph.make(NewInst { args: &[list, index], place, ..NewInst::new(Op::ListGet) }, &[element]);
        graph.blocks[block].insts.insert(at, check);
        checks.push(check);
    }
    give_edges(graph, &checks)
}

/// Lets panics of these go on to the caller.
fn give_edges(graph: &mut Graph<Mir>, insts: &[Inst]) -> bool {
    if insts.is_empty() {
        return false;
    }
    let is_pad = |row: &ir::ssa::BlockRow| row.params.is_empty() && matches!(row.insts[..], [only] if graph.op(only) == Op::Resume);
    let pad = graph.blocks.ids().find(|&block| is_pad(&graph.blocks[block]));
    let pad = pad.unwrap_or_else(|| {
        let block = graph.add_block();
        graph.append(block, NewInst::new(Op::Resume), &[]);
        block
    });
    for &inst in insts {
        graph.insts[inst].flags &= !NOUNWIND;
        graph.edges[inst].unwind = Some(pad);
    }
    true
}
