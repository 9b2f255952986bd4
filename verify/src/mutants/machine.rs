//! Mutants of MachineIR, run as native code in a process of their own.
//!
//! Whether the changed record was executed, a second image says: there an undefined instruction stands in front of it.

use std::time::Duration;

use ir::Fault;
use machine::finish::{finish, mark};
use machine::{Alloc, Final, Function, Phase, Record, Select};

use super::{Subject, Target, Verdict};
use crate::child::{Ending, Limits};
use crate::program::{guarded, run};
use crate::random::Random;

/// Kinds that put something legal in the place of something legal: nothing in `select` says what was meant, and it does not know its callees.
pub const MEANING_SELECT: &[&str] = &[
    "register-same-class",
    "operand-swap",
    "imm-step",
    "imm-bit",
    "condition",
    "scale",
    "op-same-shape",
    "record-drop",
    "record-twice",
    "record-swap",
    "spill-drop",
    "reload-drop",
    "flags-drop",
    "edge-target",
    "edge-swap",
    "edge-arg",
    "slot-index",
    "stub-kind",
    "stub-arg",
    "stub-row",
    "place-change",
    "call-arg",
    "call-result",
    "call-arg-drop",
    "pad-remove",
    "pad-mark",
    "constant",
];

/// The same for `final`, where a block may also fall through to the next, and a register more may be saved.
pub const MEANING_FINAL: &[&str] = &[
    "register-same-class",
    "operand-swap",
    "imm-step",
    "imm-bit",
    "condition",
    "scale",
    "op-same-shape",
    "record-drop",
    "record-twice",
    "record-swap",
    "spill-drop",
    "reload-drop",
    "flags-drop",
    "edge-target",
    "edge-swap",
    "edge-arg",
    "slot-index",
    "stub-kind",
    "stub-arg",
    "stub-row",
    "place-change",
    "call-arg",
    "call-result",
    "call-arg-drop",
    "pad-remove",
    "pad-mark",
    "constant",
    "terminator-drop",
    "saved-bit",
];

const LIMITS: Limits = Limits { time: Duration::from_secs(2), memory: 1 << 30, output: 1 << 20 };
const SIGILL: i32 = 4;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

/// A mutant: its kind, its function, what became of it.
pub fn one(subject: &Subject, target: Target, seed: u64) -> Option<(&'static str, String, Verdict)> {
    let item = *Random::new(seed).pick(&subject.functions)?;
    let body = subject.program.lir(item)?;
    let mut select = None;
    let mut alloc = None;
    let mut last = None;
    let mut scratch = machine::Scratch::default();
    machine::compile_dumping(&body, &mut scratch, true, &mut |stage| match stage {
        machine::Stage::Select(function) => select = Some(function.clone()),
        machine::Stage::Alloc(function) => alloc = Some(function.clone()),
        machine::Stage::Final(function, _) => last = Some(function.clone()),
    })
    .ok()?;
    let (select, alloc, last) = (select?, alloc?, last?);
    // Drawn evenly; a kind that does not apply here makes no mutant.
    let kind = Random::new(seed ^ 0x6b69).below(machine::mutate::KINDS.len());
    match target {
        Target::Select => {
            let (mutant, mutation) = machine::mutate::mutate_kind(&select, kind, seed)?;
            let at = watched(&select, &mutant, mutation.record);
            let verdict = guarded(|| of_select(subject, &mutant, at)).unwrap_or_else(Verdict::Broken);
            Some((mutation.kind, format!("@{item} record {at}"), verdict))
        }
        Target::Final => {
            let (mutant, mutation) = machine::mutate::mutate_kind(&last, kind, seed)?;
            let at = watched(&last, &mutant, mutation.record);
            let verdict = guarded(|| of_final(subject, &mutant, at)).unwrap_or_else(Verdict::Broken);
            Some((mutation.kind, format!("@{item} record {at}"), verdict))
        }
        Target::Alloc | Target::Mir | Target::Lir => {
            let (mutant, mutation) = machine::mutate::mutate_kind(&alloc, kind, seed)?;
            let at = watched(&alloc, &mutant, mutation.record);
            let verdict = guarded(|| of_alloc(subject, &select, &mutant, at)).unwrap_or_else(Verdict::Broken);
            Some((mutation.kind, format!("@{item} record {at}"), verdict))
        }
    }
}

/// The record to watch: the one that the mutation names, else the first that differs, else the first of the function.
fn watched<P: Phase>(before: &Function<P>, after: &Function<P>, record: Option<u32>) -> usize {
    let first = || before.records.iter().zip(&after.records).position(|(a, b)| a != b);
    record.map(|at| at as usize).or_else(first).unwrap_or(0)
}

fn refused<P: Phase>(function: &Function<P>) -> Option<Verdict> {
    machine::verify::verify(function).first().map(|fault| Verdict::Refused(fault.code().0))
}

fn of_select(subject: &Subject, mutant: &Function<Select>, at: usize) -> Verdict {
    if let Some(verdict) = refused(mutant) {
        return verdict;
    }
    let compile = |function: &Function<Select>| {
        let alloc = machine::alloc::allocate(function.clone(), &mut machine::Scratch::default(), true);
        finish(alloc).map(|(_, code)| code).map_err(|refusal| refusal.message().to_owned())
    };
    judge(subject, || compile(mutant), || compile(&trapped(mutant, at)))
}

fn of_alloc(subject: &Subject, select: &Function<Select>, mutant: &Function<Alloc>, at: usize) -> Verdict {
    if let Some(verdict) = refused(mutant) {
        return verdict;
    }
    if let Some(fault) = machine::alloc::check(select, mutant).first() {
        return Verdict::Refused(fault.code().0);
    }
    let compile =
        |function: &Function<Alloc>| finish(function.clone()).map(|(_, code)| code).map_err(|refusal| refusal.message().to_owned());
    judge(subject, || compile(mutant), || compile(&trapped(mutant, at)))
}

fn of_final(subject: &Subject, mutant: &Function<Final>, at: usize) -> Verdict {
    if let Some(verdict) = refused(mutant) {
        return verdict;
    }
    let compile = |function: &Function<Final>| mark(function).map(|(code, _)| code).ok_or_else(|| "no frame".to_owned());
    if let Ok(code) = compile(mutant)
        && let Some(fault) = machine::verify::verify_code(mutant, &code).first()
    {
        return Verdict::Refused(fault.code().0);
    }
    judge(subject, || compile(mutant), || compile(&trapped(mutant, at)))
}

/// Runs the mutant, and when it does the same, the one with the trap.
fn judge(
    subject: &Subject,
    mutant: impl FnOnce() -> Result<machine::Code, String>,
    trapped: impl FnOnce() -> Result<machine::Code, String>,
) -> Verdict {
    let native = |code: machine::Code| -> Result<Ending, String> {
        let assembled = oric::assemble::linkable(code.item, code);
        run(&subject.program.image_with(assembled)?, &subject.args, LIMITS)
    };
    let code = match mutant() {
        Ok(code) => code,
        // The level's last step has rules of its own, and refuses in words.
        Err(_) => return Verdict::Refused("X09"),
    };
    match native(code) {
        Err(why) if why.starts_with("panic") => Verdict::Broken(why),
        // The linker refuses a name that nothing defines.
        Err(_) => Verdict::Refused("link"),
        Ok(ending) if ending != subject.expected => match ending.signal {
            Some(SIGSEGV | SIGBUS | SIGFPE) => Verdict::Unsound(ending.line()),
            Some(_) | None => Verdict::Different(ending.line()),
        },
        Ok(_) => match guarded(|| trapped().and_then(native)) {
            Ok(Ok(ending)) if ending.signal == Some(SIGILL) => Verdict::Equal,
            Ok(_) | Err(_) => Verdict::NotExecuted,
        },
    }
}

/// The function with an undefined instruction in front of a record.
fn trapped<P: Phase>(function: &Function<P>, at: usize) -> Function<P> {
    use machine::regs::NONE;
    let mut function = function.clone();
    let trap = Record { op: machine::Op::Trap, a: NONE, b: NONE, c: NONE, imm: 0, aux: 0 };
    let at = at.min(function.records.len());
    function.records.insert(at, trap);
    if !function.virtuals.is_empty() {
        function.virtuals.insert(at.min(function.virtuals.len()), [NONE; 3]);
    }
    for block in function.blocks.rows_mut() {
        if block.start > at as u32 {
            block.start += 1;
        }
        if block.end > at as u32 {
            block.end += 1;
        }
    }
    function
}
