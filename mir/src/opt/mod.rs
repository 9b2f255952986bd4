//! Rewrites of MIR, one file each. A pass has a name that switches it off, and each of its rewrites pays fuel; after any number of rewrites the
//! body is correct. The pipeline runs every pass a fixed number of times, so its time is linear in the size of the body.

mod aggregates;
mod claims;
mod cse;
mod dead;
mod direct;
mod edges;
mod flow;
mod fold;
mod holes;
mod indices;
mod inline;
mod jumps;
mod lookups;
mod loops;
mod names;
mod ranges;
mod remarks;
mod rename;
mod sink;
mod tails;
mod unshare;
mod versions;

#[cfg(test)]
pub(crate) mod tests;

use std::cell::Cell;

use ir::ssa::Graph;
use ir::ssa::compact::renumbered;
use ir::ssa::order::Order;
use ir::{Fuel, Stop};

pub use inline::{is_inlinable, why_not_inlinable};

use self::flow::Flow;
use self::rename::Renames;
use crate::ir::{Body, Context, Mir, Mono};

/// Every pass: the name that switches it off, and what it does.
pub const PASSES: &[(&str, &str)] = &[
    ("aggregates", "splits tuples and structs that live in values of their own, through loops too"),
    ("cse", "uses a value again instead of computing it twice"),
    ("dead", "removes what nobody uses, loop-carried values included"),
    ("direct", "calls functions whose value is known, not the value"),
    ("fold", "computes constants and applies algebra"),
    ("holes", "turns a call of the function itself, around which a value is made, into a loop that fills a hole"),
    ("inline", "copies small callees into their callers"),
    ("jumps", "threads jumps, merges blocks, removes parameters that are always the same"),
    ("lookups", "looks once where a map is asked for one key several times"),
    ("loops", "turns a tail call of the function itself into a loop"),
    ("ranges", "drops checks and branches that intervals decide"),
    ("sink", "makes tuples and structs where they are used, not before a branch"),
    ("tails", "copies blocks that only decide into the edges that know the decision"),
    ("unshare", "asks before a loop whether somebody else holds a list that it changes"),
    ("versions", "copies innermost loops without the checks that cannot fail when they start"),
];

/// The rows of [`PASSES`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Pass {
    Aggregates,
    Cse,
    Dead,
    Direct,
    Fold,
    Holes,
    Inline,
    Jumps,
    Lookups,
    Loops,
    Ranges,
    Sink,
    Tails,
    Unshare,
    Versions,
}

impl Pass {
    const ALL: [Pass; 15] = [
        Pass::Aggregates,
        Pass::Cse,
        Pass::Dead,
        Pass::Direct,
        Pass::Fold,
        Pass::Holes,
        Pass::Inline,
        Pass::Jumps,
        Pass::Lookups,
        Pass::Loops,
        Pass::Ranges,
        Pass::Sink,
        Pass::Tails,
        Pass::Unshare,
        Pass::Versions,
    ];

    const fn name(self) -> &'static str {
        PASSES[self as usize].0
    }
}

/// The order of the passes. What a copied body makes known is called directly, and then copied too: `Inline` looks again where `Direct` found something. What
/// `Versions` has copied is looked at once more.
const PIPELINE: [Pass; 38] = {
    use Pass::*;
    [
        Loops, Direct, Inline, Direct, Lookups, Inline, Jumps, Fold, Aggregates, Jumps, Fold, Direct, Inline, Tails, Jumps, Fold,
        Aggregates, Fold, Cse, Dead, Tails, Jumps, Ranges, Fold, Cse, Dead, Jumps, Dead, Versions, Ranges, Fold, Cse, Jumps, Dead, Unshare,
        Sink, Holes, Jumps,
    ]
};

/// What the passes share while a body lies on it: what is known of its edges, and working memory. It keeps its memory for the next body.
#[derive(Default)]
struct Desk {
    flow: Flow,
    renames: Renames,
    uses: jumps::Uses,
    table: cse::Table,
    live: dead::Live,
    known: ranges::Known,
    copies: inline::Copies,
    /// Has `Direct` made calls that `Inline` has not seen?
    new_calls: bool,
    /// Does `Inline` leave calls that look for keys to `Lookups`?
    keeps_lookups: bool,
    /// Has `Versions` left the body as it was?
    no_versions: bool,
    /// The body that lies on it.
    graph: Option<Graph<Mir>>,
}

thread_local! {
    /// The desk of the last body on this thread. Whoever optimises takes it, and a body that is asked for meanwhile gets another.
    static SPARE: Cell<Option<Box<Desk>>> = const { Cell::new(None) };
}

/// Runs the pipeline on a copy of the body. What it gives is compact.
pub fn optimised(body: &Body<Mono>, fuel: &mut Fuel, cx: &dyn Context) -> Result<Body<Mono>, Stop> {
    let mut desk = SPARE.take().unwrap_or_default();
    let mut graph = match desk.graph.take() {
        Some(mut graph) => {
            graph.clone_from(body);
            graph
        }
        None => Graph::clone(body),
    };
    desk.flow.changed();
    run_pipeline(&mut graph, &mut desk, fuel, cx)?;
    let new = finished(&mut graph, &mut desk.flow);
    remarks::settle(&new, fuel);
    desk.graph = Some(graph);
    SPARE.set(Some(desk));
    Ok(Body::new(new))
}

/// [`optimised`] in place.
pub fn optimise(body: &mut Body<Mono>, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    *body = optimised(body, fuel, cx)?;
    Ok(())
}

fn run_pipeline(graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel, cx: &dyn Context) -> Result<(), Stop> {
    // What had been spent when each pass last said that it is done. As long as nobody has rewritten anything since, it need not look again.
    let mut done = [None; Pass::ALL.len()];
    (desk.new_calls, desk.no_versions) = (true, false);
    desk.keeps_lookups = fuel.allows(Pass::Lookups.name());
    for pass in PIPELINE {
        if desk.no_versions && pass != Pass::Unshare {
            continue;
        }
        desk.no_versions = pass == Pass::Versions;
        // One look at the calls of a body is enough.
        if pass == Pass::Inline && !std::mem::take(&mut desk.new_calls) {
            continue;
        }
        if fuel.allows(pass.name()) && done[pass as usize] != Some(fuel.spent()) {
            let is_done = run_pass(pass, graph, desk, fuel, cx)?;
            done[pass as usize] = is_done.then(|| fuel.spent());
        }
    }
    Ok(())
}

/// What passes leave is legal once more: claims are proved, and blocks that have joined others are gone.
fn finished(graph: &mut Graph<Mir>, flow: &mut Flow) -> Graph<Mir> {
    flow.changed();
    let order = flow.order(graph);
    let mut new = match claims::take_back(graph, &order) {
        false => renumbered(graph, &order),
        true => renumbered(graph, &Order::of(graph)),
    };
    // The proof for an element is searched in the body as it will be judged: with other numbers the search may end elsewhere.
    for last in [false, false, true] {
        if !claims::take_elements_back(&mut new, last) {
            break;
        }
        new = renumbered(&new, &Order::of(&new));
    }
    new
}

/// Runs one pass; the body is legal and compact afterwards. False when there is none of this name.
pub fn run(pass: &str, body: &mut Body<Mono>, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    let Some(pass) = Pass::ALL.into_iter().find(|known| known.name() == pass) else { return Ok(false) };
    if fuel.allows(pass.name()) {
        let mut desk = Desk::default();
        run_pass(pass, body, &mut desk, fuel, cx)?;
        *body = Body::new(finished(body, &mut desk.flow));
    }
    Ok(true)
}

/// Runs a pass; true when running it again at once would change nothing.
fn run_pass(pass: Pass, graph: &mut Graph<Mir>, desk: &mut Desk, fuel: &mut Fuel, cx: &dyn Context) -> Result<bool, Stop> {
    fuel.enter(pass.name());
    match pass {
        Pass::Aggregates => aggregates::run(graph, desk, fuel, cx)?,
        Pass::Cse => cse::run(graph, desk, fuel),
        Pass::Dead => dead::run(graph, desk, fuel),
        Pass::Direct => direct::run(graph, desk, fuel),
        Pass::Fold => return Ok(fold::run(graph, desk, fuel)),
        Pass::Holes => holes::run(graph, &mut desk.flow, fuel, cx)?,
        Pass::Inline => inline::run(graph, desk, fuel, cx)?,
        Pass::Jumps => return Ok(jumps::run(graph, desk, fuel)),
        Pass::Lookups => lookups::run(graph, desk, fuel, cx)?,
        Pass::Loops => loops::run(graph, &mut desk.flow, fuel),
        Pass::Ranges => ranges::run(graph, desk, fuel),
        Pass::Sink => sink::run(graph, desk, fuel),
        Pass::Tails => tails::run(graph, desk, fuel, cx)?,
        Pass::Unshare => unshare::run(graph, &mut desk.flow, fuel),
        Pass::Versions => desk.no_versions = !versions::run(graph, desk, fuel),
    }
    Ok(matches!(pass, Pass::Cse | Pass::Dead))
}
