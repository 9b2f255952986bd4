//! Rewrites of `legal` bodies, one file each; each has a name that switches it off, and pays fuel.
//!
//! LIR gets little of this: values were simplified in MIR, and instructions are chosen by the machine level. What is left is what only shows once
//! there are bytes: division by constants, addresses, constants made of layout, slots.
//!
//! | pass       | does                                                                                |
//! |------------|-------------------------------------------------------------------------------------|
//! | `fold`     | constants, identities, literal offsets into loads and stores                         |
//! | `strength` | division and remainder by literals without dividing                                 |
//! | `forward`  | loads from slots of what the same block stored or loaded there                      |
//! | `dead`     | instructions, slots with their stores, and block parameters that nothing needs      |

mod dead;
mod fold;
mod forward;
mod strength;

use ir::Fuel;
use ir::ssa::{Graph, Value};

use crate::ir::{Body, Legal, Lir};
use crate::ops::Op;

/// A pass over a body.
type Pass = fn(&mut Graph<Lir>, &mut Fuel);

/// The passes in the order in which they run.
pub const PASSES: [(&str, Pass); 4] =
    [("lir.fold", fold::run), ("lir.strength", strength::run), ("lir.forward", forward::run), ("lir.dead", dead::run)];

/// Runs all passes that the fuel allows.
pub fn optimise(body: &mut Body<Legal>, fuel: &mut Fuel) {
    for (name, pass) in PASSES {
        if fuel.allows(name) {
            fuel.enter(name);
            pass(body, fuel);
        }
    }
    body.settle_names();
}

/// Runs one pass by its name; false when there is no such pass.
pub fn run_pass(name: &str, body: &mut Body<Legal>, fuel: &mut Fuel) -> bool {
    let Some((_, pass)) = PASSES.iter().find(|(n, _)| *n == name) else { return false };
    pass(body, fuel);
    body.settle_names();
    true
}

/// The integer constant behind a value.
fn literal(graph: &Graph<Lir>, value: Value) -> Option<i64> {
    let row = graph.insts.get(graph.def_inst(value)?)?;
    (row.op == Op::Iconst).then_some(row.imm as i64)
}

#[cfg(test)]
mod tests;
