//! Remarks of the passes: where they stand, and which are left. What is said of a body is what holds at the end: of what a pass refused and another one did
//! later, or took away, nothing is left to say.

use hashbrown::HashSet;
use ir::ssa::{Graph, Inst};
use ir::{About, Fuel, ItemId, Place};

use crate::Op;
use crate::ir::Mir;

/// Where something stands: its item, line and column.
type Spot = (ItemId, u32, u32, About);

/// Where an instruction stands.
pub(super) fn place(graph: &Graph<Mir>, inst: Inst) -> Option<&Place> {
    graph.places.get(graph.edges[inst].place)
}

/// Goes through the remarks of a body that is done.
pub(super) fn settle(graph: &Graph<Mir>, fuel: &mut Fuel) {
    let Some(remarks) = fuel.remarks() else { return };
    let mut stays: HashSet<Spot> = HashSet::new();
    for inst in graph.blocks.rows().iter().flat_map(|block| &block.insts).copied() {
        let about = match graph.op(inst) {
            Op::Call => About::Call,
            Op::CallValue | Op::CallMethod | Op::ChangeMethod => About::Value,
            Op::ListGet => About::Index,
            Op::Add | Op::Sub | Op::Mul => About::Overflow,
            _ => continue,
        };
        if let Some(place) = graph.places.get(graph.edges[inst].place) {
            stays.insert((place.item, place.line, place.column, about));
        }
    }
    // A loop that was copied keeps its checks in the first version, which is no news.
    let spot = |remark: &ir::Remark| (remark.place.item, remark.place.line, remark.place.column, remark.about);
    let versions: HashSet<Spot> =
        remarks.iter().filter(|remark| remark.is_done && remark.pass == super::Pass::Versions.name()).map(spot).collect();
    // The last pass that looked knew most.
    let mut said: HashSet<(&str, Spot)> = HashSet::new();
    let mut kept: Vec<ir::Remark> = Vec::new();
    for remark in std::mem::take(remarks).into_iter().rev() {
        let at = spot(&remark);
        let is_true = remark.is_done || remark.about == About::Loop || stays.contains(&at) && !versions.contains(&at);
        if is_true && (remark.is_done || said.insert((remark.pass, at))) {
            kept.push(remark);
        }
    }
    kept.reverse();
    *remarks = kept;
}
