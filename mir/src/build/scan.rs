//! What is known of a body before it is built.

use hir::Body;
use hir::ir::{Expr, ExprId, LocalId, LoopId};
use hir::walk::{Child, children, loop_id, results};
use ir::ItemId;

/// The locals that each loop assigns, as ranges of one list.
#[derive(Default)]
pub(super) struct Assigned {
    locals: Vec<LocalId>,
    ranges: Vec<(u32, u32)>,
}

enum Step {
    Enter(ExprId),
    Leave(LoopId),
}

impl Assigned {
    /// One walk over the body; none when it has no loop. An explicit stack, since a chain of operators may be long.
    pub(super) fn of(body: &Body) -> Assigned {
        let mut found = Assigned::default();
        if body.loops.is_empty() {
            return found;
        }
        found.ranges = vec![(0, 0); body.loops.len()];
        let mut stack = vec![Step::Enter(body.root)];
        while let Some(step) = stack.pop() {
            let e = match step {
                Step::Leave(id) => {
                    found.ranges[id.index()].1 = found.locals.len() as u32;
                    continue;
                }
                Step::Enter(e) => e,
            };
            let expr = body.exprs[e];
            if let Expr::Assign { local, .. } = expr {
                found.locals.push(local);
            }
            let own = loop_id(body, expr);
            // Half of all expressions are leaves, which assign nothing.
            let mut enter = |child: ExprId| {
                if !matches!(body.exprs[child], Expr::Local(_) | Expr::Int(_) | Expr::Str(_)) {
                    stack.push(Step::Enter(child));
                }
            };
            let Some(id) = own else {
                children(body, expr, |child| enter(child.expr()));
                continue;
            };
            // What is evaluated once lies below the marker, so it is walked when the loop is over.
            children(body, expr, |child| match child {
                Child::Operand(operand) => enter(operand),
                Child::Region(_) => {}
            });
            found.ranges[id.index()].0 = found.locals.len() as u32;
            stack.push(Step::Leave(id));
            children(body, expr, |child| match child {
                Child::Operand(_) => {}
                Child::Region(region) => stack.push(Step::Enter(region)),
            });
        }
        found
    }

    /// The locals assigned in a loop, each once, in the order of their ids.
    pub(super) fn locals(&self, id: LoopId) -> Vec<LocalId> {
        let (start, end) = self.ranges[id.index()];
        let mut locals = self.locals[start as usize..end as usize].to_vec();
        locals.sort_unstable();
        locals.dedup();
        locals
    }
}

/// Does the function call itself in tail position? Follows the same ways as `tail`.
pub(super) fn has_self_tail_call(body: &Body) -> bool {
    let mut stack = vec![body.root];
    while let Some(e) = stack.pop() {
        if let Expr::Call(callee, _) = body.exprs[e]
            && callee == body.owner
        {
            return true;
        }
        results(body, body.exprs[e], |result| stack.push(result));
    }
    false
}

/// Is the expression so small, and so straight, that writing its code twice costs less than a branch each iteration?
pub(super) fn is_small(body: &Body, root: ExprId) -> bool {
    let mut left = 16;
    let mut stack = vec![root];
    while let Some(e) = stack.pop() {
        if left == 0 {
            return false;
        }
        left -= 1;
        match body.exprs[e] {
            Expr::Let(..)
            | Expr::Assign { .. }
            | Expr::Block { .. }
            | Expr::If { .. }
            | Expr::Match { .. }
            | Expr::Loop { .. }
            | Expr::While { .. }
            | Expr::For(_)
            | Expr::Break(..)
            | Expr::Continue(_)
            | Expr::Catch(_)
            | Expr::Return(_) => return false,
            Expr::Int(_)
            | Expr::Float(_)
            | Expr::Bool(_)
            | Expr::Char(_)
            | Expr::Byte(_)
            | Expr::Str(_)
            | Expr::Unit
            | Expr::Local(_)
            | Expr::Constant(_)
            | Expr::Call(..)
            | Expr::Closure(..)
            | Expr::CallValue(..)
            | Expr::Intrinsic(..)
            | Expr::Aggregate(_)
            | Expr::Variant(..)
            | Expr::Field(..)
            | Expr::Object(_)
            | Expr::And(..)
            | Expr::Or(..) => children(body, body.exprs[e], |child| stack.push(child.expr())),
        }
    }
    true
}

/// The functions and defaults that a body calls, each once, sorted: the edges from which the driver computes recursion groups.
pub fn calls(body: &Body) -> Vec<ItemId> {
    let mut callees: Vec<ItemId> =
        body.exprs.rows().iter().filter_map(|e| if let Expr::Call(callee, _) = e { Some(*callee) } else { None }).collect();
    callees.sort_unstable_by_key(|item| item.raw());
    callees.dedup();
    callees.sort_unstable();
    callees
}
