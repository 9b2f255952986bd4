//! Mutants of MIR and LIR: SSA graphs, damaged by `ir::mutate`.

use std::sync::Arc;

use hir::Type;
use ir::mutate::Mutation;
use ir::ssa::text::{Plain, print_graph};
use ir::ssa::{ENTRY, Graph, Level, NewInst};
use ir::{Fault, ItemId, Stop, Where};
use mir::interp::Outcome;
use oric::queries::{self, World};

use super::exchanged::{Exchanged, Mutant};
use super::{MUTANT_STEPS, Subject, Verdict};
use crate::program::{Interpreted, bounded, guarded};
use crate::random::Random;

/// Kinds that put something legal in the place of something legal.
pub const MEANING: &[&str] = &[
    "operand-same-type",
    "operand-swap",
    "inst-swap",
    "inst-replace",
    "inst-duplicate",
    "target-block",
    "target-swap",
    "target-arg-same",
    "target-arg-swap",
    "imm-step",
    "imm-bit",
    "imm-name",
    "op-same-shape",
    "unwind-redirect",
    "place-redirect",
    EFFECT_DELETE,
    EFFECT_MOVE,
    OP_FITS,
];

const EFFECT_DELETE: &str = "effect-delete";
const EFFECT_MOVE: &str = "effect-move";
/// An op of another row of the table that takes the very operands and gives the very results that stand there: `add` on two ints becomes `xor`, `ret`
/// without results becomes `unreachable`. Its row is another, but nothing that the level demands is broken, as with an op of the same row.
const OP_FITS: &str = "op-other-that-fits";

/// A mutant of a kind that is drawn evenly; `None` when it does not apply to this body.
fn mutate<L: Level>(body: &Graph<L>, seed: u64, types: &[L::Type]) -> Option<(Graph<L>, Mutation, &'static str)> {
    let base = ir::ssa::compact::compact(body);
    let kind = Random::new(seed ^ 0x6b69).below(ir::mutate::KINDS.len());
    let (graph, mutation) = ir::mutate::mutate_kind(&base, kind, seed, types)?;
    let kind = match (mutation.kind, mutation.at) {
        ("inst-delete", Where::Inst { block, index }) => {
            let gone = base.blocks.get(ir::Id::new(block as usize)).and_then(|row| row.insts.get(index as usize)).copied();
            if gone.is_some_and(|inst| is_unused(&base, inst)) { EFFECT_DELETE } else { mutation.kind }
        }
        ("inst-move", _) if mutation.inst.is_some_and(|inst| is_unused(&base, inst)) => EFFECT_MOVE,
        _ => mutation.kind,
    };
    Some((graph, mutation, kind))
}

/// Does nobody use the results of the instruction?
fn is_unused<L: Level>(graph: &Graph<L>, inst: ir::ssa::Inst) -> bool {
    let mut is_used = false;
    let results: Vec<ir::ssa::Value> = graph.results(inst).collect();
    let mut copy = graph.clone();
    copy.rename(|value| {
        is_used |= results.contains(&value);
        value
    });
    !is_used
}

/// A mutant of MIR: its kind, its function, what became of it.
pub fn mir(subject: &Subject, seed: u64) -> Option<(&'static str, String, Verdict)> {
    let engine = &subject.program.session.engine;
    let item = *Random::new(seed).pick(&subject.functions)?;
    let body = engine.get::<queries::OptimisedBody>(&item).ok()?.as_deref()?.clone();
    let types = [Type::INT, Type::FLOAT, Type::BOOL, Type::CHAR, Type::BYTE, Type::STR, Type::VOID];
    let (graph, mutation, kind) = mutate(&body, seed, &types)?;
    let verdict = guarded(|| mir_verdict(subject, item, graph, mutation.at)).unwrap_or_else(Verdict::Broken);
    Some((kind, format!("@{item} {}", place(mutation.at)), verdict))
}

/// What the interpreter says of `unreachable`.
const UNREACHABLE: &str = "unreachable code was reached";
/// What it says of elements that a list has not: `list_at` and `list_set` stand behind what says that it has them.
const NO_ELEMENT: &str = "element that the list has not";

fn mir_verdict(subject: &Subject, item: ItemId, graph: Graph<mir::Mir>, at: Where) -> Verdict {
    let world = World::new(&subject.program.session.engine);
    let body: mir::Body<mir::Mono> = mir::Body::new(graph);
    match mir::verify::verify(&body, &world) {
        Err(_) => return Verdict::Broken("interrupted".to_owned()),
        Ok(faults) => {
            if let Some(fault) = faults.first() {
                return Verdict::Refused(fault.code().0);
            }
        }
    }
    let run = |body: mir::Body<mir::Mono>| {
        let cx = Exchanged { world: &world, item, mutant: Mutant::Mono(Arc::new(body)) };
        subject.program.interpret_in(&cx, &subject.args, bounded(MUTANT_STEPS))
    };
    let probe = cut(&body, at, mir::Op::Unreachable);
    let kept = body.clone();
    match run(body) {
        Err(why) => Verdict::Broken(why),
        // These are claims that the level does not prove. Reaching `unreachable` stops the program in every engine.
        Ok(Interpreted { outcome: Outcome::Broken(why), .. }) if ![UNREACHABLE, NO_ELEMENT].iter().any(|claim| why.contains(claim)) => {
            owned_fault(&kept, &world).map_or(Verdict::Unsound(why), Verdict::Refused)
        }
        Ok(done) if done.ending != subject.expected => Verdict::Different(format!("{:?} {}", done.outcome, done.ending.line())),
        Ok(_) => match run(mir::Body::new(probe)) {
            Ok(done) if matches!(&done.outcome, Outcome::Broken(why) if why.contains(UNREACHABLE)) => Verdict::Equal,
            Ok(_) | Err(_) => Verdict::NotExecuted,
        },
    }
}

/// What the certifier says of the body that ownership is put into. Some rules are those of the phase that comes next: where values may have holes, for one.
fn owned_fault(body: &mir::Body<mir::Mono>, world: &World<'_>) -> Option<&'static str> {
    let owned = mir::ownership::own(body, &mut ir::Fuel::unlimited(), world).ok()?;
    mir::verify::verify(&owned, world).ok()?.first().map(|fault| fault.code().0)
}

/// The graph with `unreachable` in front of the place: whether a run comes there, is whether it says so.
fn cut<L: Level>(graph: &Graph<L>, at: Where, unreachable: L::Op) -> Graph<L> {
    let mut graph = graph.clone();
    let (block, index) = match at {
        Where::Function => (ENTRY, 0),
        Where::Block(block) => (ir::Id::new(block as usize), 0),
        Where::Inst { block, index } => (ir::Id::new(block as usize), index as usize),
    };
    if graph.blocks.get(block).is_some() {
        graph.blocks[block].insts.truncate(index);
        graph.append(block, NewInst::new(unreachable), &[]);
    }
    graph
}

/// The first line that differs, as it was and as it is.
fn change<L: Level>(before: &Graph<L>, after: &Graph<L>) -> String {
    let text = |graph: &Graph<L>| {
        let mut text = String::new();
        print_graph(&mut text, graph, &Plain);
        text
    };
    let (before, after) = (text(&ir::ssa::compact::compact(before)), text(after));
    let mut lines = before.lines().zip(after.lines()).filter(|(before, after)| before != after);
    lines.next().map_or_else(String::new, |(before, after)| format!("`{}` becomes `{}`", before.trim(), after.trim()))
}

fn place(at: Where) -> String {
    match at {
        Where::Function => "whole".to_owned(),
        Where::Block(block) => format!("b{block}"),
        Where::Inst { block, index } => format!("b{block}:{index}"),
    }
}

/// A mutant of LIR, run by the LIR interpreter, which watches the instruction.
pub fn lir(subject: &Subject, seed: u64) -> Option<(&'static str, String, Verdict)> {
    let item = *Random::new(seed).pick(&subject.functions)?;
    let body = subject.program.lir(item)?;
    let main = subject.program.lir(subject.program.main)?;
    // Arguments would need a list in the interpreter's memory.
    if !main.blocks.get(ENTRY)?.params.is_empty() {
        return None;
    }
    let types = lir::Type::ALL;
    let (graph, mutation, mut kind) = mutate(&body, seed, &types)?;
    if kind == "op-other-shape" && mutation.inst.is_some_and(|inst| takes_what_it_has(&graph, inst)) {
        kind = OP_FITS;
    }
    let change = change(&body, &graph);
    let verdict = guarded(|| lir_verdict(subject, item, graph, &mutation)).unwrap_or_else(Verdict::Broken);
    Some((kind, format!("@{item} {} {change}", place(mutation.at)), verdict))
}

/// Are the operands, results and edges of the instruction what the row of its op asks for?
fn takes_what_it_has(graph: &Graph<lir::Lir>, inst: ir::ssa::Inst) -> bool {
    let info = graph.op(inst).info();
    let args: Vec<Option<lir::Type>> = graph.args(inst).iter().map(|&value| graph.values.get(value).map(|row| row.ty)).collect();
    let results = graph.results(inst).map(|value| graph.values.get(value).map(|row| row.ty));
    let first = args.first().copied().flatten();
    let takes = |classes: &[lir::ops::Class], types: &[Option<lir::Type>]| {
        let many = classes.last() == Some(&lir::ops::Class::Many);
        let counts = if many { types.len() + 1 >= classes.len() } else { types.len() == classes.len() };
        counts && classes.iter().zip(types).all(|(class, ty)| ty.is_some_and(|ty| class.admits(ty, first)))
    };
    let results: Vec<Option<lir::Type>> = results.collect();
    takes(info.operands, &args)
        && takes(info.results, &results)
        && graph.targets(inst).len() == info.targets as usize
        && lir::Lir::may_panic(graph.op(inst)) == graph.edges[inst].unwind.is_some()
}

fn lir_verdict(subject: &Subject, item: ItemId, graph: Graph<lir::Lir>, mutation: &Mutation) -> Verdict {
    let world = World::new(&subject.program.session.engine);
    let body: lir::Body<lir::Legal> = lir::Body::new(graph);
    match lir::verify::verify(&body, &world) {
        Err(_) => return Verdict::Broken("interrupted".to_owned()),
        Ok(faults) => {
            if let Some(fault) = faults.first() {
                return Verdict::Refused(fault.code().0);
            }
        }
    }
    // Without an instruction of its own, the first of the block or function stands for the change.
    let watched = mutation.inst.or_else(|| match mutation.at {
        Where::Function => body.blocks.get(ENTRY)?.insts.first().copied(),
        Where::Block(block) | Where::Inst { block, .. } => body.blocks.get(ir::Id::new(block as usize))?.insts.first().copied(),
    });
    let before = lir_run(subject, None, None);
    let after = lir_run(subject, Some((item, Arc::new(body))), watched.map(|inst| (item, inst)));
    match (before, after) {
        (Some(before), Some(after)) if before.shown == after.shown => {
            if after.hits > 0 {
                Verdict::Equal
            } else {
                Verdict::NotExecuted
            }
        }
        (Some(_), Some(after)) if after.is_unsound => Verdict::Unsound(after.shown),
        (Some(_), Some(after)) => Verdict::Different(after.shown),
        (None, _) | (_, None) => Verdict::Broken("interrupted".to_owned()),
    }
}

struct LirRun {
    shown: String,
    is_unsound: bool,
    hits: u64,
}

fn lir_run(
    subject: &Subject,
    patch: Option<(ItemId, Arc<lir::Body<lir::Legal>>)>,
    watch: Option<(ItemId, ir::ssa::Inst)>,
) -> Option<LirRun> {
    let program = LirProgram { subject, patch };
    let mut runtime = lir::interp::StandardRuntime::default();
    let limits = lir::interp::Limits { steps: MUTANT_STEPS, frames: 10_000 };
    let mut machine = lir::interp::Machine::new(&program, &mut runtime, limits);
    if let Some((item, inst)) = watch {
        machine.watch(item, inst);
    }
    let outcome = machine.run(subject.program.main, &[]).ok()?;
    let hits = machine.hits();
    drop(machine);
    use lir::interp::{Outcome, Trap};
    let is_unsound = match &outcome {
        Outcome::Returned(_) | Outcome::Panicked { .. } => false,
        Outcome::Trapped(trap) => match trap {
            Trap::Access | Trap::ReadOnly | Trap::Arithmetic | Trap::Malformed => true,
            Trap::Unreachable | Trap::Steps | Trap::Space => false,
        },
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(LirRun { shown: format!("{outcome:?} stdout {:?} stderr {:?}", text(&runtime.output), text(&runtime.errors)), is_unsound, hits })
}

struct LirProgram<'a> {
    subject: &'a Subject,
    patch: Option<(ItemId, Arc<lir::Body<lir::Legal>>)>,
}

impl lir::interp::Program for LirProgram<'_> {
    fn body(&self, function: ItemId) -> Result<Option<Arc<lir::Body<lir::Legal>>>, Stop> {
        match &self.patch {
            Some((item, body)) if *item == function => Ok(Some(body.clone())),
            Some(_) | None => Ok(self.subject.program.lir(function)),
        }
    }
}
