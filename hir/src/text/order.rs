//! The order of lines.

use ir::Column;

use crate::Body;
use crate::ir::{ExprId, ExprTag};
use crate::walk::{Child, children};

/// The expressions that start a tree: those that nothing mentions, in order of their ids, and then the root of the body. A body that is sound
/// has only its root; dumps show what else there is, so that the verifier's report has a line.
pub(crate) fn roots(body: &Body) -> Vec<ExprId> {
    let mut reached = Column::filled(false, body.exprs.len());
    reach(body, body.root, &mut reached);
    if reached.rows().iter().all(|&reached| reached) {
        return vec![body.root];
    }
    let mut mentioned = Column::<ExprTag, bool>::filled(false, body.exprs.len());
    for (expr, _) in reached.iter().filter(|(_, reached)| !**reached) {
        children(body, body.exprs[expr], |child| {
            if mentioned.get(child.expr()).is_some() {
                mentioned[child.expr()] = true;
            }
        });
    }
    let mut roots = Vec::new();
    // First what nothing mentions; whatever is left then mentions itself.
    for only_free in [true, false] {
        for expr in body.exprs.ids() {
            if !reached[expr] && (!only_free || !mentioned[expr]) {
                roots.push(expr);
                reach(body, expr, &mut reached);
            }
        }
    }
    roots.push(body.root);
    roots
}

fn reach(body: &Body, root: ExprId, reached: &mut Column<ExprTag, bool>) {
    let mut stack = vec![root];
    while let Some(expr) = stack.pop() {
        if reached.get(expr) == Some(&false) {
            reached[expr] = true;
            children(body, body.exprs[expr], |child| stack.push(child.expr()));
        }
    }
}

/// Position of each expression among the lines of the body. Terminates on any input: an expression that is reached twice counts once.
///
/// Operands come before the line of their user, regions after it.
pub(crate) fn in_order(body: &Body) -> Column<ExprTag, u32> {
    enum Step {
        Enter(ExprId),
        Number(ExprId),
    }
    let mut numbers = Column::filled(u32::MAX, body.exprs.len());
    let mut entered = Column::<ExprTag, bool>::filled(false, body.exprs.len());
    let mut next = 0;
    let mut stack: Vec<Step> = roots(body).into_iter().rev().map(Step::Enter).collect();
    let mut regions = Vec::new();
    let mut operands = Vec::new();
    while let Some(step) = stack.pop() {
        match step {
            Step::Number(expr) => {
                numbers[expr] = next;
                next += 1;
            }
            Step::Enter(expr) => {
                match entered.get(expr) {
                    None | Some(true) => continue,
                    Some(false) => entered[expr] = true,
                }
                children(body, body.exprs[expr], |child| match child {
                    Child::Operand(operand) => operands.push(operand),
                    Child::Region(region) => regions.push(region),
                });
                stack.extend(regions.drain(..).rev().map(Step::Enter));
                stack.push(Step::Number(expr));
                stack.extend(operands.drain(..).rev().map(Step::Enter));
            }
        }
    }
    numbers
}
