//! Every invariant of a body, reported as coded faults: all of them, not the first. Linear, on in every build.
//!
//! | room      | holds                                                                          |
//! |-----------|--------------------------------------------------------------------------------|
//! | `faults`  | the fault enum; code, sentence, numbers                                        |
//! | `types`   | M02: op classes, signatures, runtime tables, claims                            |
//! | `ownership` | M03: each counted value is given away once on every path                       |
//! | `variants` | M0233: a payload is read behind what shows the variant                       |
//! | `unwinding` | M0234, M0235: what runs while a panic unwinds                          |
//! | `bounds`  | M0318: elements that are looked at without a check                             |
//! | `sole`    | M0317: lists that change in place unasked                                      |
//! | [`proof`] | what an instruction proves about itself: which `nounwind` claims can be derived |
//!
//! Family M01 is [`ir::ssa::structure`]: blocks, dominance with unwind edges, places. A `call`, an `rt` or arithmetic either has place and
//! unwind edge, or is marked `nounwind` and has no edge. The mark must be derivable from the definitions of the operands (M0220): a divisor
//! that is a literal, a masked shift count, a runtime call without statuses. Sums, differences and products are never marked; a proof turns
//! them into `wrap_` ops. Calls are never marked until there is a fact for it.

pub(crate) mod bounds;
mod faults;
mod ownership;
pub mod proof;
pub(crate) mod sole;
mod types;
mod unwinding;
pub(crate) mod variants;

#[cfg(test)]
mod tests;

use ir::Stop;
use ir::ssa::structure;

pub use faults::{MirFault, structure_code};
pub use types::type_of_kind;

use crate::ir::{Body, Context, Phase};

/// Judges a body; an empty list means that all rules hold.
pub fn verify<P: Phase>(body: &Body<P>, cx: &dyn Context) -> Result<Vec<MirFault>, Stop> {
    let mut faults = Vec::new();
    structure::check::<crate::Mir>(body, &mut |fault| faults.push(MirFault::Structure(fault)));
    types::check(body, P::IS_CLOSED, cx, &mut faults)?;
    if P::IS_CLOSED && faults.is_empty() {
        variants::check(body, cx, &mut faults)?;
    }
    if !faults.iter().any(|fault| matches!(fault, MirFault::Structure(_))) {
        unwinding::check(body, &mut faults);
        sole::check(body, P::IS_OWNED, &mut faults);
        if !P::IS_OWNED {
            bounds::check(body, &mut faults);
        }
    }
    if !P::IS_OWNED {
        ownership::refuse(body, &mut faults);
    } else if !faults.iter().any(|fault| matches!(fault, MirFault::Structure(_))) {
        // Who holds what is asked of bodies only whose values and edges are what they say.
        ownership::certify(body, cx, &mut faults)?;
    }
    Ok(faults)
}
