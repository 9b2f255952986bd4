//! What rows say of locals: each value is there where a row is looked at.

use super::{Later, NOWHERE, Scratch, Site, StructureFault, StructureKind, fault, paths};
use crate::Where;
use crate::ssa::{Block, Graph, Level, Value};

/// How deep ghosts are made of ghosts.
const DEPTH: u32 = 32;

/// Reports rows that do not exist, and values that are not there.
pub(super) fn check<L: Level>(graph: &Graph<L>, report: &mut impl FnMut(StructureFault)) {
    let Some(names) = &graph.names else { return };
    let is_row = |name: crate::ssa::names::Name| {
        names.rows.get(name).is_some_and(|row| names.locals.get(row.local).is_some() && row.before.is_none_or(|before| before < name))
    };
    for (block, row) in graph.blocks.iter() {
        for (index, &inst) in row.insts.iter().enumerate() {
            let Some(name) = names.of(inst) else { continue };
            let bad = std::iter::once(name).chain(names.chain(Some(name)).filter_map(|(_, row)| row.before)).find(|&name| !is_row(name));
            if let Some(bad) = bad {
                let at = Where::Inst { block: block.raw(), index: index as u32 };
                report(StructureFault { found: u64::from(bad.raw()), ..fault(StructureKind::NameMissing, at) });
            }
        }
    }
    each_missing_name(graph, &mut |block, index, value| {
        let at = Where::Inst { block: block.raw(), index };
        report(StructureFault { value: Some(value), ..fault(StructureKind::NameMissing, at) });
    });
}

/// Tells of each value that a local is said to be at an instruction where it is not defined: the block, the position, and the value, or the ghost that is made of it.
pub(crate) fn each_missing_name<L: Level>(graph: &Graph<L>, report: &mut impl FnMut(Block, u32, Value)) {
    let Some(names) = &graph.names else { return };
    if graph.blocks.is_empty() {
        return;
    }
    let mut scratch = Scratch { sites: vec![NOWHERE; graph.values.len()], cold: vec![false; graph.blocks.len()], ..Scratch::default() };
    for (block, row) in graph.blocks.iter() {
        let mut define = |value: Value, position: u32| {
            if let Some(site) = scratch.sites.get_mut(value.index())
                && *site == NOWHERE
            {
                *site = Site::new(block.raw(), position);
            }
        };
        row.params.iter().for_each(|&param| define(param, 0));
        for (index, &inst) in row.insts.iter().enumerate() {
            graph.results(inst).for_each(|value| define(value, index as u32 + 1));
            if let Some(pad) = graph.edges[inst].unwind
                && let Some(cold @ false) = scratch.cold.get_mut(pad.index())
            {
                *cold = true;
                scratch.pads.push(pad);
            }
        }
    }
    // Who asked for each use that is judged.
    let mut asked: Vec<(u32, u32, Value, Value)> = Vec::new();
    for (block, row) in graph.blocks.iter() {
        let mut known = None;
        let mut seen = Vec::new();
        for (index, &inst) in row.insts.iter().enumerate() {
            let name = names.of(inst);
            if name != known {
                known = name;
                seen = names.seen(name);
            }
            for value in seen.iter().filter_map(|seen| seen.value) {
                each_real(graph, &scratch.sites, value, DEPTH, &mut |real| {
                    let site = scratch.sites.get(real.index()).copied().unwrap_or(NOWHERE);
                    if site.block() != block.raw() || site.position() > index as u32 {
                        asked.push((block.raw(), index as u32, value, real));
                    }
                });
            }
        }
    }
    scratch.later.extend(asked.iter().map(|&(block, index, _, value)| Later { value, block, index }));
    let mut bad: Vec<(u32, u32, Value)> = Vec::new();
    paths::settle(graph, &mut scratch, &mut |fault: StructureFault| {
        if let (Where::Inst { block, index }, Some(value)) = (fault.at, fault.value) {
            bad.push((block, index, value));
        }
    });
    if bad.is_empty() {
        return;
    }
    bad.sort_unstable();
    for (block, index, value, real) in asked {
        if bad.binary_search(&(block, index, real)).is_ok() {
            report(Block::new(block as usize), index, value);
        }
    }
}

/// The values in blocks that a value is made of: itself, unless it is a ghost's.
fn each_real<L: Level>(graph: &Graph<L>, sites: &[Site], value: Value, depth: u32, visit: &mut impl FnMut(Value)) {
    let is_there = sites.get(value.index()).is_some_and(|site| *site != NOWHERE);
    let ghost = graph.values.get(value).and_then(|_| graph.def_inst(value)).filter(|inst| {
        depth > 0 && !is_there && graph.names.as_ref().is_some_and(|names| names.ghosts.contains(inst)) && graph.insts.get(*inst).is_some()
    });
    match ghost {
        Some(ghost) => graph.args(ghost).iter().for_each(|&arg| each_real(graph, sites, arg, depth - 1, visit)),
        None => visit(value),
    }
}
