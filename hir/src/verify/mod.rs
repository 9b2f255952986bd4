//! The invariants of a typed tree, as coded faults.
//!
//! `H01` names and shape: everything that is mentioned is there, the body is a tree, locals are declared before use on every path. `H02`
//! types: each rule of the typed tree. `H03` the evidence of traits. `H04` matches. One walk in the order of evaluation; all faults are reported. Nothing of `infer` is
//! shared but [`crate::exhaustive`]'s interval set, which `H0401` needs as well.

mod faults;
mod names;
mod types;

pub use faults::{HirFault, Rule};

use ir::{Column, Stop, Where};

use crate::Body;
use crate::ir::{ExprId, ExprTag};
use crate::program::{Context, Given};
use crate::text::in_order;

/// Checks a body; no faults means that later levels may rely on everything written in this module.
pub fn verify(body: &Body, cx: &dyn Context) -> Result<Vec<HirFault>, Stop> {
    let mut faults = judge(body, &body.lambdas, cx)?;
    for lambda in &body.lambdas {
        faults.extend(judge(lambda, &body.lambdas, cx)?);
    }
    Ok(faults)
}

/// Checks a body alone; the lambdas around it are known.
fn judge(body: &Body, lambdas: &[Body], cx: &dyn Context) -> Result<Vec<HirFault>, Stop> {
    let mut verifier = Verifier {
        body,
        lambdas,
        cx,
        faults: Vec::new(),
        has_unjudged: false,
        order: None,
        parameters: 0,
        given: Given::default(),
        known: Default::default(),
        next: 0,
    };
    // Types are looked at only when every id leads somewhere and the body is a tree; otherwise one mistake would be reported many times.
    verifier.names();
    if !verifier.is_broken() {
        verifier.types()?;
    }
    let mut faults = verifier.faults;
    faults.sort_by_key(|fault| (ir::Fault::at(fault), fault.rule()));
    faults.dedup();
    Ok(faults)
}

struct Verifier<'a> {
    body: &'a Body,
    lambdas: &'a [Body],
    cx: &'a dyn Context,
    faults: Vec<HirFault>,
    /// Was a pattern met whose type the dump does not say?
    has_unjudged: bool,
    /// Lines of the expressions; made at the first fault.
    order: Option<Column<ExprTag, u32>>,
    /// Number of type parameters of the item.
    parameters: usize,
    /// What is known of them.
    given: Given,
    /// The last types that were asked about, and where the next one goes: not by its number, for what is asked must not depend on the order of interning.
    known: [Option<types::Known>; 8],
    next: usize,
}

impl Verifier<'_> {
    /// Is a rule broken without which types mean nothing?
    fn is_broken(&self) -> bool {
        self.faults.iter().any(|fault| fault.rule().is_fatal())
    }

    #[cold]
    fn report(&mut self, rule: Rule, at: ExprId, message: String) {
        let body = self.body;
        let order = self.order.get_or_insert_with(|| in_order(body));
        let index = order.get(at).copied().unwrap_or(u32::MAX);
        let place = if index == u32::MAX { Where::Function } else { Where::Inst { block: 0, index } };
        self.faults.push(HirFault::new(rule, place, message));
    }

    #[cold]
    fn report_whole(&mut self, rule: Rule, message: String) {
        self.faults.push(HirFault::new(rule, Where::Function, message));
    }
}

#[cfg(test)]
mod tests;
