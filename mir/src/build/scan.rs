//! What is known of a body before it is built.

use hir::Body;
use hir::ir::{Expr, ExprId, LocalId, LoopId};
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
            match body.exprs[e] {
                Expr::Assign { local, value, .. } => {
                    found.locals.push(local);
                    stack.push(Step::Enter(value));
                }
                Expr::Loop { id, body } => found.enter(&mut stack, id, &[body]),
                Expr::While { id, condition, body } => found.enter(&mut stack, id, &[condition, body]),
                Expr::ForRange { id, start, end, step, body, .. } => {
                    // What is evaluated once lies below the marker, so it is walked when the loop is over.
                    stack.extend([start, end].into_iter().chain(step).map(Step::Enter));
                    found.enter(&mut stack, id, &[body]);
                }
                Expr::ForList { id, list, body, .. } => {
                    stack.push(Step::Enter(list));
                    found.enter(&mut stack, id, &[body]);
                }
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
                | Expr::Intrinsic(..)
                | Expr::Aggregate(_)
                | Expr::Field(..)
                | Expr::Let(..)
                | Expr::Block { .. }
                | Expr::If { .. }
                | Expr::And(..)
                | Expr::Or(..)
                | Expr::Match { .. }
                | Expr::Break(..)
                | Expr::Continue(_) => each_child(body, e, |child| {
                    // Half of all expressions are leaves, which assign nothing.
                    if !matches!(body.exprs[child], Expr::Local(_) | Expr::Int(_) | Expr::Str(_)) {
                        stack.push(Step::Enter(child));
                    }
                }),
            }
        }
        found
    }

    fn enter(&mut self, stack: &mut Vec<Step>, id: LoopId, inside: &[ExprId]) {
        self.ranges[id.index()].0 = self.locals.len() as u32;
        stack.push(Step::Leave(id));
        stack.extend(inside.iter().copied().map(Step::Enter));
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

/// Calls `visit` for each operand and part of an expression.
pub(super) fn each_child(body: &Body, e: ExprId, mut visit: impl FnMut(ExprId)) {
    match body.exprs[e] {
        Expr::Int(_)
        | Expr::Float(_)
        | Expr::Bool(_)
        | Expr::Char(_)
        | Expr::Byte(_)
        | Expr::Str(_)
        | Expr::Unit
        | Expr::Local(_)
        | Expr::Constant(_)
        | Expr::Continue(_) => {}
        Expr::Call(_, list) | Expr::Intrinsic(_, list) | Expr::Aggregate(list) | Expr::Block { statements: list, .. } => {
            body.lists[list].iter().for_each(|&c| visit(c));
        }
        Expr::Field(value, _) | Expr::Let(_, value) | Expr::Assign { value, .. } => visit(value),
        Expr::If { condition, then, otherwise } => {
            visit(condition);
            visit(then);
            otherwise.into_iter().for_each(visit);
        }
        Expr::And(a, b) | Expr::Or(a, b) => {
            visit(a);
            visit(b);
        }
        Expr::Match { scrutinee, arms } => {
            visit(scrutinee);
            for arm in &body.arms[arms] {
                arm.guard.into_iter().for_each(&mut visit);
                visit(arm.body);
            }
        }
        Expr::Loop { body, .. } => visit(body),
        Expr::While { condition, body, .. } => {
            visit(condition);
            visit(body);
        }
        Expr::ForRange { start, end, step, body, .. } => {
            visit(start);
            visit(end);
            step.into_iter().for_each(&mut visit);
            visit(body);
        }
        Expr::ForList { list, body, .. } => {
            visit(list);
            visit(body);
        }
        Expr::Break(_, value) => value.into_iter().for_each(visit),
    }
}

/// Does the function call itself in tail position? Follows the same ways as `tail`.
pub(super) fn has_self_tail_call(body: &Body) -> bool {
    let mut stack = vec![body.root];
    while let Some(e) = stack.pop() {
        match body.exprs[e] {
            Expr::Call(callee, _) if callee == body.owner => return true,
            Expr::Block { statements, .. } => stack.extend(body.lists[statements].last()),
            Expr::If { then, otherwise, .. } => {
                stack.push(then);
                stack.extend(otherwise);
            }
            Expr::And(_, b) | Expr::Or(_, b) => stack.push(b),
            Expr::Match { arms, .. } => stack.extend(body.arms[arms].iter().map(|arm| arm.body)),
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
            | Expr::Intrinsic(..)
            | Expr::Aggregate(_)
            | Expr::Field(..)
            | Expr::Let(..)
            | Expr::Assign { .. }
            | Expr::Loop { .. }
            | Expr::While { .. }
            | Expr::ForRange { .. }
            | Expr::ForList { .. }
            | Expr::Break(..)
            | Expr::Continue(_) => {}
        }
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
            | Expr::ForRange { .. }
            | Expr::ForList { .. }
            | Expr::Break(..)
            | Expr::Continue(_) => return false,
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
            | Expr::Intrinsic(..)
            | Expr::Aggregate(_)
            | Expr::Field(..)
            | Expr::And(..)
            | Expr::Or(..) => each_child(body, e, |child| stack.push(child)),
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
