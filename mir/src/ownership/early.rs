//! `early`: a part that outlives its list is held for itself.
//!
//! `let t = xs[i]; xs[i] = xs[j]; xs[j] = t` reads an element, changes the list, and then uses the element. What is read is a part of the list, so the list as it was would
//! have to stay until then: it would have two holders when it is changed, and be copied. Where only parts of a list are needed behind the op that takes it, they are held
//! for themselves from where they are read: one count more for each of them, and the list is changed in place (language/13 §13.3).

use hashbrown::{HashMap, HashSet};
use hir::TypeKind;
use ir::ssa::order::Order;
use ir::ssa::{Block, Def, Graph, Inst, NewInst, Value};
use ir::{Fuel, ItemId, Stop};

use super::kinds::{Held, Kind, Kinds};
use super::live::{Live, Set};
use super::roles::{self, Takes};
use crate::ir::{Context, Contract, Mir};
use crate::ops::Op;

/// Parts of one list that are held for themselves at most.
const MOST: usize = 8;

/// Holds parts for themselves; true when there was something.
pub(super) fn run(graph: &mut Graph<Mir>, order: &Order, contract: Contract, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    let kinds = Kinds::of(graph, order, contract, cx)?;
    let taken = taken(graph, order, &kinds, cx)?;
    if taken.is_empty() {
        return Ok(false);
    }
    // Liveness of each value for itself.
    let each = kinds.apart(graph);
    let live = Live::of(graph, order, &each);
    // What `open` takes out is named by its read, and is held for itself already.
    let insts = order.blocks.iter().flat_map(|&block| &graph.blocks[block].insts);
    let opened: HashSet<Value> = insts.filter(|&&inst| graph.op(inst) == Op::Open).flat_map(|&inst| graph.args(inst)).copied().collect();
    let mut chosen: Vec<Value> = Vec::new();
    for Taken { block, at, target, held } in taken {
        let mut after = Set::with_room(each.held.len());
        match target {
            Some(target) => after.add_all(live.at_start(target)),
            None => {
                for &inst in graph.blocks[block].insts[at + 1..].iter().rev() {
                    live.before(graph, &each, inst, &mut after);
                }
                false
            }
        };
        let needed: Vec<Value> =
            after.iter().map(|value| each.held[value]).filter(|&value| kinds.keepers(value).any(|keeper| keeper == held)).collect();
        let is_part =
            |value: Value| value != kinds.held[held] && matches!(graph.values[value].def, Def::Result(..)) && !opened.contains(&value);
        if needed.len() <= MOST && needed.iter().all(|&value| is_part(value)) {
            chosen.extend(needed);
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen.retain(|_| fuel.spend());
    if chosen.is_empty() {
        return Ok(false);
    }
    hold(graph, &chosen);
    Ok(true)
}

/// An op, or an edge, that takes a list which something is needed of behind it.
struct Taken {
    block: Block,
    /// Number of the op.
    at: usize,
    /// Where the edge leads.
    target: Option<Block>,
    held: Held,
}

fn taken(graph: &Graph<Mir>, order: &Order, kinds: &Kinds, cx: &dyn Context) -> Result<Vec<Taken>, Stop> {
    let mut found = Vec::new();
    if !kinds.any {
        return Ok(found);
    }
    let live = Live::of(graph, order, kinds);
    for &block in &order.blocks {
        let insts = &graph.blocks[block].insts;
        let mut after = Set::with_room(kinds.held.len());
        for (at, &inst) in insts.iter().enumerate().rev() {
            for &target in graph.targets(inst) {
                for &arg in graph.target_args(target) {
                    if let Kind::Owned(held) = kinds.get(arg)
                        && live.at_start(target.block).has(held)
                        && changes(graph, inst, arg, cx)?
                    {
                        found.push(Taken { block, at, target: Some(target.block), held });
                    }
                }
            }
            let takes = roles::of(graph.op(inst)).0;
            if takes != Takes::Borrows && graph.targets(inst).is_empty() {
                let imm = graph.insts[inst].imm;
                for (index, &arg) in graph.args(inst).iter().enumerate() {
                    // What is itself a part of something is copied in any case, unless `open` takes it out.
                    let Kind::Owned(held) = kinds.get(arg) else { continue };
                    // Asked last: a contract is a question to the engine.
                    if after.has(held) && changes(graph, inst, arg, cx)? {
                        let contract = if takes == Takes::Contract { cx.contract(ItemId::from_raw(imm as u32))? } else { Contract::OWNED };
                        if roles::consumes(takes, index, imm, contract) {
                            found.push(Taken { block, at, target: None, held });
                        }
                    }
                }
            }
            live.before(graph, kinds, inst, &mut after);
        }
    }
    Ok(found)
}

/// May the op, or what comes behind the edge, change this operand in place if nobody else holds it?
fn changes(graph: &Graph<Mir>, inst: Inst, operand: Value, cx: &dyn Context) -> Result<bool, Stop> {
    let ty = graph.ty(operand);
    let is_list = matches!(ty.kind(), TypeKind::List(_));
    Ok(match graph.op(inst) {
        Op::ListSet | Op::ListSwap | Op::ListPush | Op::ListSlice | Op::ListReserve | Op::ListOwn | Op::TableDouble => {
            graph.args(inst)[0] == operand
        }
        Op::Jump | Op::Branch | Op::Switch => is_list,
        // A map is a struct of lists; what goes by pieces, as trees do, is for `open`.
        Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod | Op::Runtime => {
            is_list || matches!(ty.kind(), TypeKind::Struct(..)) && cx.fields(ty)?.is_some()
        }
        _ => false,
    })
}

/// Puts a `dup` behind the definition of each of these, for all who use it.
fn hold(graph: &mut Graph<Mir>, chosen: &[Value]) {
    let mut dups: HashMap<Value, Value> = HashMap::with_capacity(chosen.len());
    let mut behind: HashMap<Inst, Inst> = HashMap::with_capacity(chosen.len());
    for &value in chosen {
        let Def::Result(inst, _) = graph.values[value].def else { continue };
        let dup = graph.make(NewInst { args: &[value], ..NewInst::new(Op::Dup) }, &[graph.ty(value)]);
        dups.insert(value, graph.result(dup));
        behind.insert(inst, dup);
    }
    // The dups stand in no block yet, so that they keep their operands.
    graph.rename(|value| dups.get(&value).copied().unwrap_or(value));
    for block in graph.blocks.ids().collect::<Vec<_>>() {
        if graph.blocks[block].insts.iter().any(|inst| behind.contains_key(inst)) {
            let insts = std::mem::take(&mut graph.blocks[block].insts);
            graph.blocks[block].insts = insts.into_iter().flat_map(|inst| [Some(inst), behind.get(&inst).copied()]).flatten().collect();
        }
    }
}
