//! Rewrites of MIR, one file each. A pass has a name that switches it off, and each of its rewrites pays fuel; after any number of rewrites the
//! body is correct. The pipeline runs every pass a fixed number of times, so its time is linear in the size of the body.

mod aggregates;
mod claims;
mod cse;
mod dead;
mod edges;
mod flow;
mod fold;
mod inline;
mod jumps;
mod loops;
mod ranges;
mod rename;

#[cfg(test)]
pub(crate) mod tests;

use ir::ssa::compact::tidy;
use ir::ssa::order::Order;
use ir::{Fuel, Stop};

pub use inline::is_inlinable;

use self::flow::Flow;
use crate::ir::{Body, Context, Mir, Mono};

/// Every pass: the name that switches it off, and what it does.
pub const PASSES: &[(&str, &str)] = &[
    ("aggregates", "splits tuples and structs that live in values of their own, through loops too"),
    ("cse", "uses a value again instead of computing it twice"),
    ("dead", "removes what nobody uses, loop-carried values included"),
    ("fold", "computes constants and applies algebra"),
    ("inline", "copies small callees into their callers"),
    ("jumps", "threads jumps, merges blocks, removes parameters that are always the same"),
    ("loops", "turns a tail call of the function itself into a loop"),
    ("ranges", "drops checks and branches that intervals decide"),
];

/// The order of the passes.
const PIPELINE: &[&str] =
    &["loops", "inline", "jumps", "fold", "aggregates", "fold", "cse", "dead", "jumps", "ranges", "fold", "cse", "dead", "jumps", "dead"];

/// The pass behind which the body is made compact the first time: the first `jumps`, which joins what inlining cut apart.
const TIDY_AFTER: usize = 2;

/// Runs the pipeline. The body is compact afterwards.
pub fn optimise(body: &mut Body<Mono>, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    let mut flow = Flow::default();
    for (at, &pass) in PIPELINE.iter().enumerate() {
        run_with(pass, body, &mut flow, fuel, cx)?;
        // What inlining left behind would be walked by all that follow.
        if at == TIDY_AFTER || at + 1 == PIPELINE.len() {
            let order = flow.order(body);
            if tidy::<Mir>(body, &order) {
                flow.changed();
            }
        }
    }
    if claims::take_back(body) {
        let order = Order::of(body);
        tidy::<Mir>(body, &order);
    }
    Ok(())
}

/// Runs one pass; false when there is none of this name.
pub fn run(pass: &str, body: &mut Body<Mono>, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    run_with(pass, body, &mut Flow::default(), fuel, cx)
}

fn run_with(pass: &str, body: &mut Body<Mono>, flow: &mut Flow, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    if !fuel.allows(pass) {
        return Ok(PASSES.iter().any(|(name, _)| *name == pass));
    }
    match pass {
        "aggregates" => aggregates::run(body, flow, fuel, cx)?,
        "cse" => cse::run(body, flow, fuel),
        "dead" => dead::run(body, flow, fuel),
        "fold" => fold::run(body, flow, fuel),
        "inline" => inline::run(body, flow, fuel, cx)?,
        "jumps" => jumps::run(body, flow, fuel),
        "loops" => loops::run(body, flow, fuel),
        "ranges" => ranges::run(body, flow, fuel),
        _ => return Ok(false),
    }
    Ok(true)
}
