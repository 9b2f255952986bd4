//! Every invariant of a body, reported as coded faults: all of them, not the first. Linear, on in every build.
//!
//! | room       | holds                                                                             |
//! |------------|-----------------------------------------------------------------------------------|
//! | `faults`   | the fault enum; code, sentence, numbers                                           |
//! | `types`    | L02: op classes, calls, the calling convention; L05: panics and statuses          |
//! | `rules`    | the op classes as sets of types                                                   |
//! | `memory`   | L03: what an address is known to name, and whether accesses stay inside           |
//! | `contents` | L03: what slots and the result area hold when it is read                          |
//! | `proofs`   | L04: which checks prove that a division or a conversion has a result              |
//! | `flow`     | which blocks lie on every path to others                                          |
//!
//! Family L01 is [`ir::ssa::structure`]: blocks, dominance with unwind edges, places.

mod contents;
mod faults;
mod flow;
mod memory;
mod proofs;
mod rules;
mod types;

#[cfg(test)]
mod tests;

use ir::ssa::structure;
use ir::{Stop, Where};

pub use faults::{LirFault, structure_code};

use crate::ir::{Body, Context, Lir, Phase, Type};

/// Judges a body; an empty list means that all rules hold.
pub fn verify<P: Phase>(body: &Body<P>, cx: &dyn Context) -> Result<Vec<LirFault>, Stop> {
    let mut faults = Vec::new();
    structure::check::<Lir>(body, &mut |fault| faults.push(LirFault::Structure(fault)));
    let mut checker = types::Checker::new(body, cx, faults)?;
    checker.walk()?;
    if checker.needs_proofs {
        proofs::check(body, &mut checker.faults);
    }
    if !checker.resumes.is_empty() {
        let reached = flow::without_panic(body);
        for &(block, index) in checker.resumes.iter().filter(|(block, _)| reached[block.index()]) {
            checker.faults.push(LirFault::ResumeWithoutPanic { at: here(block.raw(), index), block: block.raw() });
        }
    }
    checker.contents.judge(body, &mut checker.faults);
    Ok(checker.faults)
}

/// `(i64, f64)`
fn type_list(types: impl IntoIterator<Item = Type>) -> String {
    let names: Vec<&str> = types.into_iter().map(Type::name).collect();
    format!("({})", names.join(", "))
}

const fn here(block: u32, index: u32) -> Where {
    Where::Inst { block, index }
}
