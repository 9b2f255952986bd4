//! Several calls that look for one key in one map look once.
//!
//! `m[k] = (m[k] ?? 0) + 1` and `if !seen.contains(x) then seen = seen.insert(x)` search for the key twice. Where the first search has run before the second, on the
//! same map, the spot that it found is used again. Map and key are values, so this needs no look at what happens between the two.
//!
//! Where the value of the key is counted, as in `m[k] = (m[k] ?? []).push(x)`, it has two holders while it is changed, the map and the code that changes it, and
//! would be copied. Where the map is only waiting to get it back ([`crate::between`]), the entry is taken out of it instead.

use hashbrown::HashMap;
use hir::resolve::prelude::{self, Keyed, Spot};
use hir::types::{instance, instance_of};
use hir::{Type, TypeKind};
use ir::ssa::order::Order;
use ir::ssa::{Block, EdgeRow, Graph, Inst, NewInst, Value};
use ir::{Fuel, ItemId, List, PlaceId, Stop};

use super::Desk;
use super::cse::is_numbered;
use crate::Op;
use crate::between::{Between, uses};
use crate::ir::{Context, Mir};

/// Earlier searches that are compared with each call.
const RECENT: usize = 16;
/// How deep keys and maps are compared.
const DEPTH: u32 = 8;

/// A call that looks for a key.
#[derive(Clone, Copy)]
struct Call {
    block: Block,
    inst: Inst,
    what: Keyed,
    is_set: bool,
    /// Type arguments of the map or set.
    types: &'static [Type],
}

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    desk.keeps_lookups = false;
    if !graph.insts.rows().iter().any(|row| row.op == Op::Call && callee(row.imm).is_instance()) {
        return Ok(());
    }
    let order = desk.flow.order(graph);
    let mut calls: Vec<Call> = Vec::new();
    for &block in &order.blocks {
        calls.extend(graph.blocks[block].insts.iter().filter_map(|&inst| keyed(graph, block, inst)));
    }
    if calls.len() < 2 {
        return Ok(());
    }
    let tree = desk.flow.tree(graph);
    // The calls that need no search of their own, by the one that has made it.
    let mut groups: Vec<(Call, Vec<Call>)> = Vec::new();
    for call in calls.into_iter().filter(|call| !tree.is_cold(call.block)) {
        // Calls come in an order in which who dominates comes first.
        let is_same = |(first, _): &&mut (Call, Vec<Call>)| {
            let comes_first = first.block == call.block || desk.flow.dominates(first.block, call.block);
            comes_first && first.is_set == call.is_set && first.types == call.types && {
                let (a, b) = (graph.args(first.inst), graph.args(call.inst));
                is_equal(graph, a[0], b[0], DEPTH) && is_equal(graph, a[1], b[1], DEPTH)
            }
        };
        match groups.iter_mut().rev().take(RECENT).find(is_same) {
            Some((_, others)) => others.push(call),
            None if matches!(call.what, Keyed::Get | Keyed::Contains) => groups.push((call, Vec::new())),
            None => {}
        }
    }
    let spent = fuel.spent();
    for (first, others) in groups.into_iter().filter(|(_, others)| !others.is_empty()) {
        if !fuel.spend() {
            break;
        }
        let value = first.types.last().copied().filter(|_| !first.is_set);
        let is_counted = value.map_or(Ok(false), |value| cx.is_counted(value))?;
        match others[..] {
            [back] if is_counted && is_taken_out(graph, &order, first, back) => take_out(graph, first, back),
            _ => share(graph, first, &others),
        }
    }
    if fuel.spent() != spent {
        desk.flow.changed();
    }
    Ok(())
}

/// Is it a function that asks a map or a set for a key?
pub(super) fn is_lookup(function: ItemId) -> bool {
    function.is_instance() && prelude::keyed(instance_of(function).0).is_some()
}

fn callee(imm: u64) -> ItemId {
    ItemId::from_raw(imm as u32)
}

fn keyed(graph: &Graph<Mir>, block: Block, inst: Inst) -> Option<Call> {
    let row = &graph.insts[inst];
    if row.op != Op::Call || !callee(row.imm).is_instance() {
        return None;
    }
    let (generic, types) = instance_of(callee(row.imm));
    let (what, is_set) = prelude::keyed(generic)?;
    Some(Call { block, inst, what, is_set, types })
}

/// Are these the same value, whichever instruction made it?
fn is_equal(graph: &Graph<Mir>, a: Value, b: Value, depth: u32) -> bool {
    if a == b {
        return true;
    }
    let (Some(one), Some(other), Some(depth)) = (graph.def_inst(a), graph.def_inst(b), depth.checked_sub(1)) else { return false };
    let (left, right) = (&graph.insts[one], &graph.insts[other]);
    is_numbered(left)
        && (left.op, left.imm, graph.ty(a)) == (right.op, right.imm, graph.ty(b))
        && left.args.len() == right.args.len()
        && graph.args(one).iter().zip(graph.args(other)).all(|(&a, &b)| is_equal(graph, a, b, depth))
}

/// May the entry be out of the map from the look on until the call that puts it back?
fn is_taken_out(graph: &Graph<Mir>, order: &Order, look: Call, back: Call) -> bool {
    if (look.what, back.what) != (Keyed::Get, Keyed::Insert) {
        return false;
    }
    // The map as a field of a field of something, from there to the map.
    let mut path = Vec::new();
    let mut root = graph.args(look.inst)[0];
    while let Some(field) = graph.def_inst(root).filter(|&inst| graph.op(inst) == Op::Field) {
        path.push(graph.insts[field].imm);
        root = graph.args(field)[0];
    }
    path.reverse();
    // What is on the way to the map, and how far.
    let mut on_path: HashMap<Value, usize> = HashMap::from([(root, 0)]);
    for &block in &order.blocks {
        for &inst in &graph.blocks[block].insts {
            if graph.op(inst) == Op::Field
                && let Some(&depth) = on_path.get(&graph.args(inst)[0])
                && path.get(depth) == Some(&graph.insts[inst].imm)
            {
                on_path.insert(graph.result(inst), depth + 1);
            }
        }
    }
    let misses = |inst: Inst, _: bool| {
        let used: Vec<(Value, usize)> =
            on_path.iter().filter(|(value, _)| uses(graph, inst, **value)).map(|(&value, &depth)| (value, depth)).collect();
        used.into_iter().any(|(value, depth)| {
            let row = &graph.insts[inst];
            match (row.op, graph.args(inst)) {
                (Op::Field, _) => depth == path.len(),
                // What is made anew there is another one.
                (Op::WithField, &[whole, new]) => whole != value || new == value || path.get(depth) != Some(&row.imm),
                _ => true,
            }
        })
    };
    let map = graph.args(back.inst)[0];
    let is_once = graph.args(back.inst).iter().filter(|&&arg| on_path.contains_key(&arg)).count() == 1 && on_path.contains_key(&map);
    is_once && Between { look: (look.block, look.inst), back: (back.block, back.inst) }.is_private(graph, order, root, misses)
}

/// Instructions that are put in front of a call.
struct Before {
    made: Vec<Inst>,
    unwind: Option<Block>,
    place: PlaceId,
}

impl Before {
    fn of(graph: &Graph<Mir>, call: Call) -> Before {
        let row = &graph.edges[call.inst];
        Before { made: Vec::new(), unwind: row.unwind, place: row.place }
    }

    fn plain(&mut self, graph: &mut Graph<Mir>, op: Op, args: &[Value], imm: u64, ty: Type) -> Value {
        let inst = graph.make(NewInst { args, imm, ..NewInst::new(op) }, &[ty]);
        self.made.push(inst);
        graph.result(inst)
    }

    fn call(&mut self, graph: &mut Graph<Mir>, function: ItemId, args: &[Value], ty: Type) -> Value {
        let (unwind, place) = (self.unwind, self.place);
        let inst = graph.make(NewInst { args, imm: u64::from(function.raw()), unwind, place, ..NewInst::new(Op::Call) }, &[ty]);
        self.made.push(inst);
        graph.result(inst)
    }

    fn stand(self, graph: &mut Graph<Mir>, call: Call) {
        let insts = &mut graph.blocks[call.block].insts;
        let at = insts.iter().position(|&inst| inst == call.inst).unwrap_or(0);
        insts.splice(at..at, self.made);
    }
}

impl Call {
    /// Type arguments of the map: a set is one to nothing.
    fn of_map(self) -> Vec<Type> {
        if self.is_set { vec![self.types[0], Type::VOID] } else { self.types.to_vec() }
    }

    fn function(self, what: Spot) -> ItemId {
        instance(prelude::spot(what), &self.of_map())
    }

    /// The map that is asked.
    fn map(self, graph: &mut Graph<Mir>, before: &mut Before) -> Value {
        let asked = graph.args(self.inst)[0];
        if self.is_set { before.plain(graph, Op::Field, &[asked], 0, Type::structure(prelude::map(), &self.of_map())) } else { asked }
    }

    /// The call becomes this: without edges, unless it is a call still.
    fn turn_into(self, graph: &mut Graph<Mir>, op: Op, args: &[Value], imm: u64) {
        let args = graph.args.add(args.iter().copied());
        let row = &mut graph.insts[self.inst];
        (row.op, row.args, row.imm) = (op, args, imm);
        if op != Op::Call {
            let place = if graph.names.is_some() { graph.edges[self.inst].place } else { PlaceId::NONE };
            graph.edges[self.inst] = EdgeRow { targets: List::EMPTY, unwind: None, place };
        }
    }
}

/// One search for all.
fn share(graph: &mut Graph<Mir>, first: Call, others: &[Call]) {
    let key = graph.args(first.inst)[1];
    let mut before = Before::of(graph, first);
    let map = first.map(graph, &mut before);
    let spot = before.call(graph, first.function(Spot::Of), &[map, key], Type::INT);
    before.stand(graph, first);
    for call in [first].iter().chain(others) {
        with_spot(graph, *call, spot);
    }
}

fn with_spot(graph: &mut Graph<Mir>, call: Call, spot: Value) {
    let mut before = Before::of(graph, call);
    let args = graph.args(call.inst).to_vec();
    match call.what {
        Keyed::Contains => {
            let zero = before.plain(graph, Op::Int, &[], 0, Type::INT);
            call.turn_into(graph, Op::Ge, &[spot, zero], 0);
        }
        Keyed::Get => call.turn_into(graph, Op::Call, &[args[0], spot], u64::from(call.function(Spot::Value).raw())),
        Keyed::Insert | Keyed::Remove => {
            let map = call.map(graph, &mut before);
            let (what, args) = match (call.what, &args[..]) {
                (Keyed::Insert, &[_, key, value]) => (Spot::Put, vec![map, spot, key, value]),
                (Keyed::Insert, _) => {
                    let nothing = before.plain(graph, Op::Unit, &[], 0, Type::VOID);
                    (Spot::Put, vec![map, spot, args[1], nothing])
                }
                _ => (Spot::Removed, vec![map, spot]),
            };
            let function = call.function(what);
            if call.is_set {
                let new = before.call(graph, function, &args, graph.ty(map));
                call.turn_into(graph, Op::Aggregate, &[new], 0);
            } else {
                call.turn_into(graph, Op::Call, &args, u64::from(function.raw()));
            }
        }
    }
    before.stand(graph, call);
}

/// The entry is out of the map until it is put back.
fn take_out(graph: &mut Graph<Mir>, look: Call, back: Call) {
    let (map, key) = (graph.args(look.inst)[0], graph.args(look.inst)[1]);
    let found = graph.ty(graph.result(look.inst));
    let TypeKind::Struct(option, _) = found.kind() else { return };
    let types = [Type::INT, graph.ty(map), Type::structure(option, &[graph.ty(key)]), found];
    let mut before = Before::of(graph, look);
    let taken = before.call(graph, look.function(Spot::TakenOut), &[map, key], Type::tuple(&types));
    let [spot, rest, first] = [0, 1, 2].map(|field: usize| before.plain(graph, Op::Field, &[taken], field as u64, types[field]));
    before.stand(graph, look);
    look.turn_into(graph, Op::Field, &[taken], 3);
    let args = [rest, spot, first, graph.args(back.inst)[1], graph.args(back.inst)[2]];
    back.turn_into(graph, Op::Call, &args, u64::from(back.function(Spot::PutBack).raw()));
}
