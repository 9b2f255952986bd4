//! Canonical renumbering: unreachable blocks and dead rows go, ids become dense in print order.
//!
//! Blocks come in the order of [`Order`]; values in the order in which their definitions print. Printing and storing work on compact
//! graphs only, so an unrelated change leaves the text alone.

use super::order::Order;
use super::{Block, BlockRow, Def, EdgeRow, Graph, InstRow, Level, Target, Value, ValueRow};
use crate::ops::{Imm, OpTable};
use crate::{Id, List, PlaceId, Places};

/// Is the numbering canonical already, so that [`compact`] would change no text? Values that dangle do not count.
pub fn is_compact<L: Level>(graph: &Graph<L>) -> bool {
    is_canonical(graph, &Order::of(graph))
}

/// Makes the numbering canonical where it is not; `order` is the graph's. Returns whether it was not.
pub fn tidy<L: Level>(graph: &mut Graph<L>, order: &Order) -> bool {
    let renumber = !is_canonical(graph, order);
    if renumber {
        *graph = renumbered(graph, order);
    }
    renumber
}

fn is_canonical<L: Level>(graph: &Graph<L>, order: &Order) -> bool {
    if !order.is_identity() {
        return false;
    }
    let mut next = 0;
    let mut in_order = |value: Value| {
        let fits = value.index() == next;
        next += 1;
        fits
    };
    for row in graph.blocks.rows() {
        let params = row.params.iter().all(|&v| in_order(v));
        if !params || !row.insts.iter().all(|&inst| graph.results(inst).all(&mut in_order)) {
            return false;
        }
    }
    next == graph.values.len()
}

/// The same function with canonical numbering. Values that are used but never defined in a reachable block keep a dangling id, and a
/// value that is defined twice keeps both definitions: broken graphs stay broken.
pub fn compact<L: Level>(old: &Graph<L>) -> Graph<L> {
    renumbered(old, &Order::of(old))
}

fn renumbered<L: Level>(old: &Graph<L>, order: &Order) -> Graph<L> {
    let mut new: Graph<L> = Graph::new(old.name, old.results.clone());
    const NONE: u32 = u32::MAX;
    let mut value_of = vec![NONE; old.values.len()];
    let mut place_of = vec![PlaceId::NONE; old.places.rows().len()];
    let mut places = Places::new();
    // Pass 1: number blocks and values.
    let mut next = 0;
    let (mut insts, mut args) = (0, 0);
    for &block in &order.blocks {
        let row = &old.blocks[block];
        insts += row.insts.len();
        args += row.insts.iter().map(|&inst| old.insts[inst].args.len()).sum::<usize>();
        let values = row.params.iter().copied().chain(row.insts.iter().flat_map(|&i| old.results(i)));
        for value in values {
            if let Some(slot) = value_of.get_mut(value.index())
                && *slot == NONE
            {
                *slot = next;
                next += 1;
            }
        }
    }
    let dangling = next as usize;
    // Dead values that are used all the same are numbered as they come up; ids that name no row keep their distance from the last row.
    let mut dead = 0;
    let mut rename = |value: Value| -> Value {
        match value_of.get_mut(value.index()) {
            Some(slot) => {
                if *slot == NONE {
                    *slot = next + dead;
                    dead += 1;
                }
                Id::new(*slot as usize)
            }
            None => Id::new((dangling + (value.index() - old.values.len())).min(u32::MAX as usize - 1)),
        }
    };
    let block_of = |block: Block| -> Block {
        match order.position.get(block.index()) {
            Some(&n) if n != NONE => Id::new(n as usize),
            // No edge of a reachable block goes to an unreachable one, so only blocks that do not exist come here.
            Some(_) | None => Id::new((order.blocks.len() + block.index().saturating_sub(old.blocks.len())).min(u32::MAX as usize - 1)),
        }
    };
    // Pass 2: copy.
    new.reserve(order.blocks.len(), insts, dangling, args);
    let mut scratch: Vec<Value> = Vec::new();
    let mut chain: Vec<PlaceId> = Vec::new();
    for &block in &order.blocks {
        let row = &old.blocks[block];
        let id = new.blocks.push(BlockRow { params: Vec::with_capacity(row.params.len()), insts: Vec::with_capacity(row.insts.len()) });
        for &param in &row.params {
            let Some(value) = old.values.get(param) else { continue };
            let renamed = rename(param);
            if renamed == new.values.next_id() {
                new.add_param(id, value.ty);
            } else {
                new.blocks[id].params.push(renamed);
            }
        }
        for &inst in &row.insts {
            let InstRow { op, results, flags, args, imm, .. } = old.insts[inst];
            let EdgeRow { targets, unwind, place } = old.edges[inst];
            let args = new.args.add(old.args[args].iter().map(|&v| rename(v)));
            let targets = if targets.is_empty() {
                List::EMPTY
            } else {
                let pool = &mut new.args;
                let copy = |t: &Target| Target { block: block_of(t.block), args: pool.add(old.args[t.args].iter().map(|&v| rename(v))) };
                new.targets.add(old.targets[targets].iter().map(copy))
            };
            let imm = match op.info().imm {
                Imm::Cases => new.add_cases(old.cases(inst).iter().copied()),
                Imm::None | Imm::Int | Imm::Bits | Imm::Str | Imm::Item | Imm::Word => imm,
            };
            let new_inst = new.insts.next_id();
            scratch.clear();
            scratch.extend(old.results(inst).map(&mut rename));
            let mut first_result = new.values.next_id();
            match scratch.first() {
                Some(&first) if first != first_result => first_result = first,
                Some(_) | None => {
                    for (index, value) in old.results(inst).enumerate() {
                        let Some(row) = old.values.get(value) else { break };
                        new.values.push(ValueRow { ty: row.ty, def: Def::Result(new_inst, index as u32) });
                    }
                }
            }
            let place = copy_place(&old.places, &mut places, &mut place_of, &mut chain, place);
            new.insts.push(InstRow { op, results, flags, first_result, args, imm });
            new.edges.push(EdgeRow { targets, unwind: unwind.map(block_of), place });
            new.blocks[id].insts.push(new_inst);
        }
    }
    new.places = places;
    new
}

/// Copies a place and the chain it hangs on, once. A chain that does not go down is cut where it turns, as [`Places::chain`] does.
#[inline]
fn copy_place(old: &Places, new: &mut Places, map: &mut [PlaceId], chain: &mut Vec<PlaceId>, id: PlaceId) -> PlaceId {
    let Some(&place) = old.get(id) else { return id };
    if map[id.0 as usize].is_some() {
        return map[id.0 as usize];
    }
    if !place.inlined_at.is_some() {
        let copy = new.add(place);
        map[id.0 as usize] = copy;
        return copy;
    }
    // Down the chain to a place that is copied already, then up again. No recursion: chains come from text too.
    chain.clear();
    let mut next = id;
    let mut copy = PlaceId::NONE;
    while let Some(place) = old.get(next) {
        if map[next.0 as usize].is_some() {
            copy = map[next.0 as usize];
            break;
        }
        chain.push(next);
        next = if place.inlined_at.0 < next.0 { place.inlined_at } else { PlaceId::NONE };
    }
    for &link in chain.iter().rev() {
        if let Some(place) = old.get(link) {
            copy = new.add(crate::Place { inlined_at: copy, ..*place });
            map[link.0 as usize] = copy;
        }
    }
    copy
}
