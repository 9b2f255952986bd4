//! Every invariant of a body, reported as coded faults: all of them, not the first. Linear, on in every build.
//!
//! | room     | holds                                                                               |
//! |----------|-------------------------------------------------------------------------------------|
//! | `faults` | the fault enum; code, sentence, numbers                                             |
//! | `types`  | L02: op classes, calls, the calling convention; L05: panics and statuses            |
//! | `memory` | L03: what an address is known to name, and whether accesses stay inside             |
//! | `proofs` | L04: which checks prove that a division or a conversion has a result                |
//!
//! Family L01 is [`ir::ssa::structure`]: blocks, dominance with unwind edges, places.

mod faults;
mod memory;
mod proofs;
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
    proofs::check(body, &mut faults);
    let mut checker = types::Checker::new(body, cx, faults)?;
    for (block, row) in body.blocks.iter() {
        for (index, &inst) in row.insts.iter().enumerate() {
            checker.inst(inst, block, index as u32)?;
        }
    }
    Ok(checker.into_faults())
}

/// `(i64, f64)`
fn type_list(types: impl IntoIterator<Item = Type>) -> String {
    let names: Vec<&str> = types.into_iter().map(Type::name).collect();
    format!("({})", names.join(", "))
}

const fn here(block: u32, index: u32) -> Where {
    Where::Inst { block, index }
}
