//! Tuples and structs that live in values of their own (scalar replacement).
//!
//! Two steps take turns, one turn for each level of nesting. *Forwarding* reads a field from where it was made: `field` of `aggregate`, of
//! `with_field`, of a `select`; a `with_field` of a known aggregate is an aggregate again. *Splitting* replaces a block parameter of aggregate
//! type by one parameter for each field and rebuilds the whole at the start of the block, where forwarding sees through it; what is left of the
//! whole is dead unless somebody needs it.

use std::sync::Arc;

use hir::{Type, TypeKind};
use ir::ssa::{Block, Graph, Inst, NewInst, Value};
use ir::{Fuel, List, Stop};

use super::Desk;
use super::edges::{Incoming, set_params, set_target_args};
use super::rename::Renames;
use crate::Op;
use crate::ir::{Context, Mir};

/// Levels of nesting that are taken apart.
const TURNS: usize = 4;
/// Parameters that a block may have after splitting.
const MOST_PARAMS: usize = 64;
/// Steps from a field to where it was made.
const MOST_STEPS: usize = 64;

/// Runs the pass.
pub(super) fn run(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    if !graph.insts.rows().iter().any(|row| matches!(row.op, Op::Field | Op::WithField)) {
        return Ok(());
    }
    forward(graph, desk, fuel);
    for _ in 0..TURNS {
        if !split(graph, desk, fuel, cx)? {
            break;
        }
        forward(graph, desk, fuel);
    }
    Ok(())
}

/// What a field turns out to be.
enum Source {
    /// A value that exists.
    Value(Value),
    /// The same field of another aggregate.
    Of(Value),
    /// A select between two values.
    Select([Value; 3]),
}

fn forward(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel) {
    let Desk { flow, renames, .. } = desk;
    let order = flow.order(graph);
    renames.clear();
    for &block in &order.blocks {
        let mut insts = std::mem::take(&mut graph.blocks[block].insts);
        insts.retain(|&inst| {
            match graph.op(inst) {
                Op::Field => {
                    renames.operands(graph, inst);
                    match source(graph, renames, inst) {
                        Some(Source::Value(value)) if fuel.spend() => {
                            renames.set(graph.result(inst), value);
                            return false;
                        }
                        Some(Source::Of(aggregate)) if fuel.spend() => {
                            graph.insts[inst].args = graph.args.add([aggregate]);
                        }
                        Some(Source::Select(args)) if fuel.spend() => {
                            let args = graph.args.add(args);
                            let row = &mut graph.insts[inst];
                            (row.op, row.args, row.imm) = (Op::Select, args, 0);
                        }
                        Some(_) | None => {}
                    }
                }
                Op::WithField => {
                    renames.operands(graph, inst);
                    if let Some(args) = replaced(graph, renames, inst)
                        && fuel.spend()
                    {
                        let row = &mut graph.insts[inst];
                        (row.op, row.args, row.imm) = (Op::Aggregate, args, 0);
                    }
                }
                Op::Aggregate => {
                    renames.operands(graph, inst);
                    if let Some(whole) = taken_apart(graph, inst)
                        && fuel.spend()
                    {
                        renames.set(graph.result(inst), whole);
                        return false;
                    }
                }
                // Their operands are renamed in the end.
                _ => {}
            }
            true
        });
        graph.blocks[block].insts = insts;
    }
    renames.apply(graph);
}

/// Where the value of a `field` was made, when that is further up than its operand.
fn source(graph: &Graph<Mir>, renames: &mut Renames, inst: Inst) -> Option<Source> {
    let index = graph.insts[inst].imm;
    let start = graph.args(inst)[0];
    let mut aggregate = start;
    for _ in 0..MOST_STEPS {
        let Some(made) = graph.def_inst(aggregate) else { break };
        let args = graph.args(made);
        match graph.op(made) {
            Op::Aggregate => return Some(Source::Value(renames.get(*args.get(index as usize)?))),
            Op::WithField if graph.insts[made].imm == index => return Some(Source::Value(renames.get(args[1]))),
            Op::WithField => aggregate = renames.get(args[0]),
            Op::Select => {
                let (yes, no) = (renames.get(args[1]), renames.get(args[2]));
                let (yes, no) = (made_field(graph, yes, index)?, made_field(graph, no, index)?);
                return Some(Source::Select([renames.get(args[0]), renames.get(yes), renames.get(no)]));
            }
            _ => break,
        }
    }
    (aggregate != start).then_some(Source::Of(aggregate))
}

/// Field of a value that an `aggregate` made.
fn made_field(graph: &Graph<Mir>, value: Value, index: u64) -> Option<Value> {
    let made = graph.def_inst(value)?;
    if graph.op(made) == Op::Aggregate { graph.args(made).get(index as usize).copied() } else { None }
}

/// The operands of the aggregate that a `with_field` makes of a known one.
fn replaced(graph: &mut Graph<Mir>, renames: &mut Renames, inst: Inst) -> Option<List<Value>> {
    let &[aggregate, new] = graph.args(inst) else { return None };
    let made = graph.def_inst(aggregate)?;
    if graph.op(made) != Op::Aggregate {
        return None;
    }
    let mut args: Vec<Value> = graph.args(made).iter().map(|&arg| renames.get(arg)).collect();
    *args.get_mut(graph.insts[inst].imm as usize)? = new;
    Some(graph.args.add(args))
}

/// The aggregate whose fields, all and in order, an `aggregate` puts together again.
fn taken_apart(graph: &Graph<Mir>, inst: Inst) -> Option<Value> {
    let whole_of = |arg: Value, index: usize| -> Option<Value> {
        let made = graph.def_inst(arg)?;
        (graph.op(made) == Op::Field && graph.insts[made].imm == index as u64).then(|| graph.args(made)[0])
    };
    let args = graph.args(inst);
    let whole = whole_of(*args.first()?, 0)?;
    let is_same = args.iter().enumerate().all(|(index, &arg)| whole_of(arg, index) == Some(whole));
    (is_same && graph.ty(whole) == graph.ty(graph.result(inst))).then_some(whole)
}

/// Splits the parameters that are worth it; true when there was one.
fn split(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    let Desk { flow, .. } = desk;
    let (order, incoming) = (flow.order(graph), flow.incoming(graph));
    // A parameter is worth it when its fields are asked for here, or when what comes in is known field by field.
    let mut wanted = vec![false; graph.values.len()];
    for &block in &order.blocks {
        for &inst in &graph.blocks[block].insts {
            if matches!(graph.op(inst), Op::Field | Op::WithField) {
                wanted[graph.args(inst)[0].index()] = true;
            }
            for target in graph.targets(inst) {
                for (&param, &arg) in graph.blocks[target.block].params.iter().zip(graph.target_args(*target)) {
                    let made = graph.def_inst(arg).map(|made| graph.op(made));
                    if matches!(made, Some(Op::Aggregate | Op::WithField)) {
                        wanted[param.index()] = true;
                    }
                }
            }
        }
    }
    // What passes through a parameter on its way to one that is split had better come in parts.
    for &block in order.blocks.iter().rev() {
        let Some(inst) = graph.terminator(block) else { continue };
        for target in graph.targets(inst) {
            for (&param, &arg) in graph.blocks[target.block].params.iter().zip(graph.target_args(*target)) {
                wanted[arg.index()] |= wanted[param.index()];
            }
        }
    }
    let mut any = false;
    for &block in order.blocks.iter().skip(1) {
        let params = graph.blocks[block].params.clone();
        let mut plan: Vec<Option<Arc<[Type]>>> = vec![None; params.len()];
        let mut count = params.len();
        let mut chosen = false;
        for (slot, &param) in plan.iter_mut().zip(&params) {
            let ty = graph.ty(param);
            if !wanted[param.index()] || !matches!(ty.kind(), TypeKind::Tuple(_) | TypeKind::Struct(..)) {
                continue;
            }
            let Some(fields) = cx.fields(ty)? else { continue };
            if count + fields.len() > MOST_PARAMS || !fuel.spend() {
                continue;
            }
            count += fields.len();
            chosen = true;
            *slot = Some(fields);
        }
        if chosen {
            split_params(graph, &incoming, block, &params, &plan);
            any = true;
        }
    }
    Ok(any)
}

fn split_params(graph: &mut Graph<Mir>, incoming: &Incoming, block: Block, params: &[Value], plan: &[Option<Arc<[Type]>>]) {
    // The edges first: they read the old arguments.
    for edge in incoming.of_block(block) {
        let old: Vec<Value> = graph.target_args(graph.targets(edge.inst)[edge.index as usize]).to_vec();
        let mut new = Vec::with_capacity(old.len() + 8);
        for (&arg, fields) in old.iter().zip(plan) {
            let Some(fields) = fields else {
                new.push(arg);
                continue;
            };
            for (index, &ty) in fields.iter().enumerate() {
                if let Some(known) = made_field(graph, arg, index as u64) {
                    new.push(known);
                    continue;
                }
                let field = graph.make(NewInst { args: &[arg], imm: index as u64, ..NewInst::new(Op::Field) }, &[ty]);
                let insts = &mut graph.blocks[edge.from].insts;
                insts.insert(insts.len() - 1, field);
                new.push(graph.result(field));
            }
        }
        set_target_args(graph, *edge, &new);
    }
    // The old parameter becomes the result of an `aggregate`, so its users need not change.
    let mut new = Vec::with_capacity(params.len() + 8);
    let mut wholes: Vec<Inst> = Vec::new();
    for (&param, fields) in params.iter().zip(plan) {
        let Some(fields) = fields else {
            new.push(param);
            continue;
        };
        let first = new.len();
        for &ty in fields.iter() {
            new.push(graph.add_param(block, ty));
        }
        let args = graph.args.add(new[first..].iter().copied());
        let whole = graph.make(NewInst::new(Op::Aggregate), &[]);
        let row = &mut graph.insts[whole];
        (row.args, row.results, row.first_result) = (args, 1, param);
        graph.values[param].def = ir::ssa::Def::Result(whole, 0);
        wholes.push(whole);
    }
    set_params(graph, block, new);
    graph.blocks[block].insts.splice(0..0, wholes);
}
