//! Contracts: which parameters a function borrows.
//!
//! A parameter is borrowed unless something forces it to be owned, so that callers who go on using a value need not count it. It is owned when the function keeps it: returns
//! it, puts it into a value, passes it to a block, or gives it to a callee that takes it; or a part of it to somebody who gains by being its only holder, as it can be
//! when the whole is taken apart. Nothing can follow a tail call, so what one passes and holds, its callee owns.
//!
//! Functions that call each other in a circle within a module are looked at together, from "all borrowed" up, until nothing more is forced: the least answer, whichever of
//! them is asked about. Functions of other modules are asked for; a circle through them, which takes an impl that is called against the order of imports, is cut by whoever
//! remembers the answers, and everybody on it owns. What is called by value owns everything: nobody knows the callee. A function that borrows is pointed to through one
//! that owns and calls it (`f&0`, [`crate::build::unpacking`]).

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use hir::TypeKind;
use ir::ssa::order::Order;
use ir::ssa::{ENTRY, Graph, Inst, Value};
use ir::{ItemId, Stop};

use super::kinds::{Kind, Kinds};
use super::opened::step;
use super::roles::{self, Takes};
use crate::ir::{Body, Context, Contract, Mir, Mono};
use crate::ops::Op;

/// What everybody knows of a contract: a function that takes captured values out of their cell leaves the cell to whoever holds the function value, and one that an object
/// points to leaves the cell to whoever holds the object, or takes it to change it; a lambda is called by value. `None` where the body says.
fn fixed<C: Context + ?Sized>(function: ItemId, cx: &C) -> Result<Option<Contract>, Stop> {
    if function.unpacked().is_some() {
        let params = cx.signature(function)?.map_or(0, |signature| signature.0.len());
        return Ok(Some(params.checked_sub(1).map_or(Contract::OWNED, |last| Contract::OWNED.borrowing(last))));
    }
    if let Some((_, changes)) = hir::types::instance_of(function).0.of_object() {
        let params = cx.signature(function)?.map_or(0, |signature| signature.0.len());
        return Ok(Some(params.checked_sub(1).filter(|_| !changes).map_or(Contract::OWNED, |last| Contract::OWNED.borrowing(last))));
    }
    Ok(function.is_lambda().then_some(Contract::OWNED))
}

/// The contract of a function whose body nobody looks at. The default of [`Context::contract`].
pub(crate) fn unseen<C: Context + ?Sized>(function: ItemId, cx: &C) -> Result<Contract, Stop> {
    Ok(fixed(function, cx)?.unwrap_or(Contract::OWNED))
}

/// The contract of a function by its body, and by the contracts of its callees.
pub fn contract(function: ItemId, cx: &dyn Context) -> Result<Contract, Stop> {
    if let Some(fixed) = fixed(function, cx)? {
        return Ok(fixed);
    }
    let Some(body) = cx.body(function)? else { return Ok(Contract::OWNED) };
    let mut group = group(function, body, cx)?;
    let mut known: HashMap<ItemId, Contract> = HashMap::new();
    for (item, body) in &group {
        known.insert(*item, borrowable(body, cx)?);
    }
    // What nobody can borrow has nothing to find out.
    group.retain(|(item, body)| known[item] != Contract::OWNED || has_tail(body));
    loop {
        let mut changed = false;
        for (_, body) in &group {
            changed |= force(body, &mut known, cx)?;
        }
        if !changed {
            return Ok(known.get(&function).copied().unwrap_or(Contract::OWNED));
        }
    }
}

/// A function and its body.
type Member = (ItemId, Arc<Body<Mono>>);

/// The functions of the module that the function calls and that call it, directly or through others, itself first.
fn group(function: ItemId, body: Arc<Body<Mono>>, cx: &dyn Context) -> Result<Vec<Member>, Stop> {
    let mut members = vec![(function, body)];
    let mut number: HashMap<ItemId, usize> = HashMap::new();
    number.insert(function, 0);
    let mut successors: Vec<Vec<usize>> = Vec::new();
    while let Some((_, body)) = members.get(successors.len()).cloned() {
        let mut calls = Vec::new();
        for callee in callees(&body) {
            if let Some(&known) = number.get(&callee) {
                calls.push(known);
            } else if callee.module() == function.module()
                && fixed(callee, cx)?.is_none()
                && cx.in_recursion_group(function, callee)?
                && let Some(body) = cx.body(callee)?
            {
                number.insert(callee, members.len());
                calls.push(members.len());
                members.push((callee, body));
            }
        }
        successors.push(calls);
    }
    let component = ir::components(&successors);
    let mut at = 0;
    members.retain(|_| {
        at += 1;
        component[at - 1] == component[0]
    });
    Ok(members)
}

/// What a body calls by name.
fn callees(graph: &Graph<Mir>) -> impl Iterator<Item = ItemId> + '_ {
    let insts = graph.blocks.rows().iter().flat_map(|block| &block.insts);
    insts.map(|&inst| &graph.insts[inst]).filter(|row| matches!(row.op, Op::Call | Op::Tail)).map(|row| ItemId::from_raw(row.imm as u32))
}

fn has_tail(graph: &Graph<Mir>) -> bool {
    graph.blocks.rows().iter().flat_map(|block| &block.insts).any(|&inst| graph.op(inst) == Op::Tail)
}

/// All parameters with counted content borrowed.
fn borrowable(graph: &Graph<Mir>, cx: &dyn Context) -> Result<Contract, Stop> {
    let mut contract = Contract::OWNED;
    for (index, &param) in graph.blocks.get(ENTRY).map_or(&[][..], |entry| &entry.params).iter().enumerate() {
        if cx.is_counted(graph.ty(param))? {
            contract = contract.borrowing(index);
        }
    }
    Ok(contract)
}

/// Takes from the contracts what the body forces to be owned: its own parameters, and those of callees in a tail. True when there was something.
fn force(graph: &Graph<Mir>, known: &mut HashMap<ItemId, Contract>, cx: &dyn Context) -> Result<bool, Stop> {
    let own = known.get(&graph.name).copied().unwrap_or(Contract::OWNED);
    let order = Order::of(graph);
    let kinds = Kinds::of(graph, &order, own, cx)?;
    let params: HashMap<Value, usize> = graph.blocks[ENTRY].params.iter().enumerate().map(|(index, &param)| (param, index)).collect();
    let mut forced = Vec::new();
    let mut force_own = |value: Value| {
        if let Some(&index) = params.get(&value) {
            forced.push((graph.name, index));
        }
    };
    let gains = Gains::of(graph, &order, &kinds);
    let mut passed = Vec::new();
    for &block in &order.blocks {
        for &inst in &graph.blocks[block].insts {
            let row = &graph.insts[inst];
            let takes = roles::of(row.op).0;
            let callee = ItemId::from_raw(row.imm as u32);
            let args = graph.args(inst);
            let contract = match takes {
                Takes::Contract if args.iter().all(|&arg| kinds.get(arg) == Kind::Free) => continue,
                Takes::Contract => match known.get(&callee) {
                    Some(&known) => known,
                    None => cx.contract(callee)?,
                },
                Takes::Borrows | Takes::Consumes | Takes::First | Takes::Rest | Takes::Runtime => Contract::OWNED,
            };
            for (index, &arg) in args.iter().enumerate() {
                if roles::consumes(takes, index, row.imm, contract) {
                    force_own(arg);
                    if let Some(root) = gains.root(graph, &kinds, row.op, index, inst, arg) {
                        force_own(root);
                    }
                } else if row.op == Op::Tail && kinds.keepers(arg).next().is_some() {
                    passed.push((callee, index));
                }
            }
            for &target in graph.targets(inst) {
                for (&arg, &param) in graph.target_args(target).iter().zip(&graph.blocks[target.block].params) {
                    force_own(arg);
                    if gains.gaining.contains(&param)
                        && let Some(root) = gains.whole(graph, &kinds, arg, false)
                    {
                        force_own(root);
                    }
                }
            }
        }
    }
    let mut changed = false;
    for (item, index) in forced.into_iter().chain(passed) {
        if let Some(contract) = known.get_mut(&item)
            && contract.borrows(index)
        {
            *contract = contract.owning(index);
            changed = true;
        }
    }
    Ok(changed)
}

/// Who gains by being the only holder of a value: who changes it in place, uses its room again, or passes it on to a function that takes it.
struct Gains {
    /// Parameters of blocks, aggregates and sums whose content ends there.
    gaining: HashSet<Value>,
}

impl Gains {
    fn of(graph: &Graph<Mir>, order: &Order, kinds: &Kinds) -> Gains {
        let mut gains = Gains { gaining: HashSet::new() };
        loop {
            let before = gains.gaining.len();
            for &block in order.blocks.iter().rev() {
                for &inst in graph.blocks[block].insts.iter().rev() {
                    for (index, &arg) in graph.args(inst).iter().enumerate() {
                        if kinds.get(arg) != Kind::Free && gains.gains(graph, graph.op(inst), index, inst) {
                            gains.gaining.insert(arg);
                        }
                    }
                    for &target in graph.targets(inst) {
                        for (&arg, param) in graph.target_args(target).iter().zip(&graph.blocks[target.block].params) {
                            if gains.gaining.contains(param) {
                                gains.gaining.insert(arg);
                            }
                        }
                    }
                }
            }
            if gains.gaining.len() == before {
                return gains;
            }
        }
    }

    /// Does an op that takes this operand gain by being the only holder?
    fn gains(&self, graph: &Graph<Mir>, op: Op, index: usize, inst: Inst) -> bool {
        match op {
            Op::ListPush | Op::ListSet | Op::ListSlice | Op::ListReserve | Op::ListOwn | Op::Runtime => index == 0,
            Op::New | Op::Call | Op::CallValue | Op::CallMethod | Op::ChangeMethod | Op::Tail => true,
            Op::Aggregate | Op::Variant | Op::WithField => self.gaining.contains(&graph.result(inst)),
            _ => false,
        }
    }

    /// The value that has to be owned so that this part of it, an operand that is taken, can be moved out of it.
    fn root(&self, graph: &Graph<Mir>, kinds: &Kinds, op: Op, index: usize, inst: Inst, part: Value) -> Option<Value> {
        if !self.gains(graph, op, index, inst) {
            return None;
        }
        // A text grows in place where nobody else has it.
        let is_changed = op == Op::Runtime;
        self.whole(graph, kinds, part, is_changed)
    }

    /// The value that this one is a part of, when moving it out of there is worth it: on the way is a cell, or it has room itself that can be used.
    fn whole(&self, graph: &Graph<Mir>, kinds: &Kinds, part: Value, is_changed: bool) -> Option<Value> {
        let mut passes_cell = is_changed;
        let mut at = part;
        while let Some((above, ..)) = step(graph, at) {
            passes_cell |= matches!(graph.ty(above).kind(), TypeKind::Cell(_));
            at = above;
        }
        let is_part = at != part && kinds.get(part) != Kind::Free;
        let has_room = !matches!(graph.ty(part).kind(), TypeKind::Str | TypeKind::Function(..));
        (is_part && (passes_cell || has_room)).then_some(at)
    }
}
