//! Uses whose definition stands in another block: dominance, with unwind edges that leave from the middle of a block.

use super::{Later, NOWHERE, Scratch, StructureFault, StructureKind, fault, first_cut};
use crate::ssa::dominance::Dominators;
use crate::ssa::order::Order;
use crate::ssa::{Block, ENTRY, Graph, Level};
use crate::{Id, Where};

/// Judges the uses that were kept for later, now that all definitions are known.
pub(super) fn settle<L: Level>(graph: &Graph<L>, scratch: &mut Scratch, report: &mut impl FnMut(StructureFault)) {
    let Scratch { sites, later, pads, cold, segments, order, tree, .. } = scratch;
    spread(graph, pads, cold);
    // Which trees have been computed.
    let (mut has_warm, mut has_segments) = (false, false);
    let first_cut = first_cut(graph);
    for &Later { value, block, index } in later.iter() {
        let site = sites.get(value.index()).copied().unwrap_or(NOWHERE);
        let entry = ENTRY.raw();
        let kind = if site == NOWHERE {
            StructureKind::UnknownValue
        } else if site.block() == block {
            if site.position() <= index {
                continue;
            }
            StructureKind::NotDominated
        } else if site.block() == entry && (site.position() <= first_cut || !cold[block as usize]) {
            continue;
        } else {
            let (definition, usage): (Block, Block) = (Id::new(site.block() as usize), Id::new(block as usize));
            let dominates = if !cold[usage.index()] {
                if !has_warm {
                    has_warm = true;
                    warm_order(graph, order);
                    tree.fill(order);
                }
                // A block on the panic side is reached from the entry by some unwind edge only, or it would not dominate this one.
                tree.dominates(definition, usage)
            } else {
                if !has_segments {
                    has_segments = true;
                    segments.fill(graph);
                }
                segments.tree.dominates(segments.node(site.block(), site.position()), segments.node(block, index))
            };
            if dominates {
                continue;
            }
            StructureKind::NotDominated
        };
        report(StructureFault { value: Some(value), ..fault(kind, Where::Inst { block, index }) });
    }
}

/// Makes `cold` the panic side: the pads, which it holds already, and all that can be reached from them.
fn spread<L: Level>(graph: &Graph<L>, pads: &mut Vec<Block>, cold: &mut [bool]) {
    while let Some(block) = pads.pop() {
        graph.each_successor(block, |next| {
            if let Some(cold @ false) = cold.get_mut(next.index()) {
                *cold = true;
                pads.push(next);
            }
        });
    }
}

/// The order of the blocks by their targets alone.
fn warm_order<L: Level>(graph: &Graph<L>, order: &mut Order) {
    let count = graph.blocks.len();
    order.clear_successors();
    for row in graph.blocks.rows() {
        order.succ_start.push(order.succs.len() as u32);
        for &inst in &row.insts {
            let targets = graph.edges[inst].targets;
            if !targets.is_empty() {
                order.succs.extend(graph.targets[targets].iter().map(|t| t.block).filter(|b| b.index() < count));
            }
        }
    }
    order.succ_start.push(order.succs.len() as u32);
    order.walk();
}

/// The blocks, cut behind instructions that unwind to a pad for the first time in their block.
#[derive(Default)]
pub(super) struct Segments {
    /// Cuts of block `b` are `cuts[start[b]..start[b + 1]]`: how many instructions have begun at the end of each segment but the last.
    start: Vec<u32>,
    cuts: Vec<u32>,
    pads: Vec<Block>,
    /// The block that was last seen to unwind to each pad.
    seen: Vec<u32>,
    order: Order,
    tree: Dominators,
}

impl Segments {
    fn fill<L: Level>(&mut self, graph: &Graph<L>) {
        let Segments { start, cuts, pads, seen, order, tree } = self;
        let count = graph.blocks.len();
        start.clear();
        cuts.clear();
        pads.clear();
        seen.clear();
        seen.resize(count, u32::MAX);
        for (block, row) in graph.blocks.iter() {
            start.push(cuts.len() as u32);
            for (index, &inst) in row.insts.iter().enumerate() {
                if let Some(pad) = graph.edges[inst].unwind
                    && let Some(last) = seen.get_mut(pad.index())
                    && *last != block.raw()
                {
                    *last = block.raw();
                    cuts.push(index as u32 + 1);
                    pads.push(pad);
                }
            }
        }
        start.push(cuts.len() as u32);
        // A block has one segment more than cuts, so its first segment is its number plus all cuts before it.
        let first = |block: Block| -> Block { Id::new(block.index() + start[block.index()] as usize) };
        order.clear_successors();
        for (block, row) in graph.blocks.iter() {
            let own = start[block.index()] as usize..start[block.index() + 1] as usize;
            for (at, &pad) in pads[own].iter().enumerate() {
                order.succ_start.push(order.succs.len() as u32);
                order.succs.push(first(pad));
                order.succs.push(Id::new(first(block).index() + at + 1));
            }
            order.succ_start.push(order.succs.len() as u32);
            for &inst in &row.insts {
                order.succs.extend(graph.targets(inst).iter().filter(|t| t.block.index() < count).map(|t| first(t.block)));
            }
        }
        order.succ_start.push(order.succs.len() as u32);
        order.walk();
        tree.fill(order);
    }

    /// The segment of what happens in a block when `position` instructions have run.
    fn node(&self, block: u32, position: u32) -> Block {
        let start = self.start[block as usize];
        let own = &self.cuts[start as usize..self.start[block as usize + 1] as usize];
        Id::new((block + start) as usize + own.partition_point(|&cut| cut <= position))
    }
}
