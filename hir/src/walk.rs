//! The one walk over typed trees: which expressions stand below an expression, in the order of their evaluation.
//!
//! Everything that follows a tree without judging each form (dumps, the scans of later levels, `infer` itself) comes through here, so a new form
//! is added to one match. The verifier alone walks by itself: it must not trust what it checks. Lists that dangle have no elements.

use ir::List;

use crate::Body;
use crate::ir::{Arm, Expr, ExprId, LoopId, PatternId, Source};

/// How a child is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Child {
    /// An operand: always evaluated, once, before the expression.
    Operand(ExprId),
    /// A region: evaluated under the expression's control.
    Region(ExprId),
}

impl Child {
    /// The child, however it is evaluated.
    pub fn expr(self) -> ExprId {
        match self {
            Child::Operand(expr) | Child::Region(expr) => expr,
        }
    }
}

/// The elements of a list; empty when it dangles.
pub fn list(body: &Body, list: List<ExprId>) -> &[ExprId] {
    body.lists.slice(list.start(), list.len())
}

/// The arms of a match; empty when the list dangles.
pub fn arms(body: &Body, list: List<Arm>) -> &[Arm] {
    body.arms.slice(list.start(), list.len())
}

/// The parts of a pattern; empty when the list dangles.
pub fn parts(body: &Body, list: List<PatternId>) -> &[PatternId] {
    body.parts.slice(list.start(), list.len())
}

/// The operand that is evaluated first, where chains of operators or members nest; walks follow it without recursion.
pub fn first_operand(body: &Body, expr: Expr) -> Option<ExprId> {
    match expr {
        Expr::Call(_, args) | Expr::Closure(_, args) | Expr::Intrinsic(_, args) | Expr::Aggregate(args) | Expr::Variant(_, args) => {
            list(body, args).first().copied()
        }
        Expr::Field(value, _) | Expr::CallValue(value, _) => Some(value),
        Expr::And(left, _) | Expr::Or(left, _) => Some(left),
        Expr::Int(_)
        | Expr::Float(_)
        | Expr::Bool(_)
        | Expr::Char(_)
        | Expr::Byte(_)
        | Expr::Str(_)
        | Expr::Unit
        | Expr::Local(_)
        | Expr::Constant(_)
        | Expr::Let(..)
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
        | Expr::Object(_)
        | Expr::Return(_) => None,
    }
}

/// Calls `visit` on the children in the order of evaluation, which is that of the text.
#[inline]
pub fn children(body: &Body, expr: Expr, mut visit: impl FnMut(Child)) {
    match expr {
        Expr::Int(_) | Expr::Float(_) | Expr::Bool(_) | Expr::Char(_) | Expr::Byte(_) | Expr::Str(_) | Expr::Unit => {}
        Expr::Local(_) | Expr::Constant(_) | Expr::Continue(_) => {}
        Expr::CallValue(callee, args) => {
            visit(Child::Operand(callee));
            list(body, args).iter().for_each(|&arg| visit(Child::Operand(arg)));
        }
        Expr::Call(_, args)
        | Expr::Closure(_, args)
        | Expr::Intrinsic(_, args)
        | Expr::Aggregate(args)
        | Expr::Variant(_, args)
        | Expr::Block { statements: args, .. } => {
            list(body, args).iter().for_each(|&arg| visit(Child::Operand(arg)));
        }
        Expr::Field(value, _) | Expr::Object(value) | Expr::Let(_, value) | Expr::Assign { value, .. } | Expr::Return(value) => {
            visit(Child::Operand(value));
        }
        Expr::Break(_, value) => value.into_iter().for_each(|value| visit(Child::Operand(value))),
        Expr::If { condition, then, otherwise } => {
            visit(Child::Operand(condition));
            visit(Child::Region(then));
            otherwise.into_iter().for_each(|otherwise| visit(Child::Region(otherwise)));
        }
        Expr::And(left, right) | Expr::Or(left, right) => {
            visit(Child::Operand(left));
            visit(Child::Region(right));
        }
        Expr::Match { scrutinee, arms: list } => {
            visit(Child::Operand(scrutinee));
            for arm in arms(body, list) {
                arm.guard.into_iter().for_each(|guard| visit(Child::Region(guard)));
                visit(Child::Region(arm.body));
            }
        }
        Expr::Loop { body, .. } | Expr::Catch(body) => visit(Child::Region(body)),
        Expr::While { condition, body, .. } => {
            visit(Child::Region(condition));
            visit(Child::Region(body));
        }
        Expr::For(id) => {
            let Some(&parts) = body.fors.get(id) else { return };
            match parts.source {
                Source::Range { start, end, step, .. } => {
                    visit(Child::Operand(start));
                    visit(Child::Operand(end));
                    step.into_iter().for_each(|step| visit(Child::Operand(step)));
                }
                Source::List(list) => visit(Child::Operand(list)),
            }
            visit(Child::Region(parts.body));
        }
    }
}

/// Number of children; the lists must not dangle.
#[inline]
pub fn count(body: &Body, expr: Expr) -> usize {
    match expr {
        Expr::Int(_) | Expr::Float(_) | Expr::Bool(_) | Expr::Char(_) | Expr::Byte(_) | Expr::Str(_) | Expr::Unit => 0,
        Expr::Local(_) | Expr::Constant(_) | Expr::Continue(_) => 0,
        Expr::CallValue(_, args) => 1 + args.len(),
        Expr::Call(_, args)
        | Expr::Closure(_, args)
        | Expr::Intrinsic(_, args)
        | Expr::Aggregate(args)
        | Expr::Variant(_, args)
        | Expr::Block { statements: args, .. } => args.len(),
        Expr::Field(..) | Expr::Object(_) | Expr::Let(..) | Expr::Assign { .. } | Expr::Loop { .. } | Expr::Catch(_) | Expr::Return(_) => 1,
        Expr::And(..) | Expr::Or(..) | Expr::While { .. } => 2,
        Expr::If { .. } | Expr::Match { .. } | Expr::For(_) | Expr::Break(..) => {
            let mut count = 0;
            children(body, expr, |_| count += 1);
            count
        }
    }
}

/// Calls `visit` on the children whose value the expression takes on, and on the last statement of a block without value.
pub fn results(body: &Body, expr: Expr, mut visit: impl FnMut(ExprId)) {
    match expr {
        Expr::Block { statements, .. } => list(body, statements).last().copied().into_iter().for_each(visit),
        Expr::If { then, otherwise, .. } => {
            visit(then);
            otherwise.into_iter().for_each(visit);
        }
        Expr::And(_, right) | Expr::Or(_, right) => visit(right),
        Expr::Match { arms: list, .. } => arms(body, list).iter().for_each(|arm| visit(arm.body)),
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
        | Expr::Let(..)
        | Expr::Assign { .. }
        | Expr::Loop { .. }
        | Expr::While { .. }
        | Expr::For(_)
        | Expr::Break(..)
        | Expr::Continue(_)
        | Expr::Catch(_)
        | Expr::Object(_)
        | Expr::Return(_) => {}
    }
}

/// The loop that an expression is.
pub fn loop_id(body: &Body, expr: Expr) -> Option<LoopId> {
    if let Expr::Loop { id, .. } | Expr::While { id, .. } = expr {
        return Some(id);
    }
    if let Expr::For(parts) = expr {
        return body.fors.get(parts).map(|parts| parts.id);
    }
    None
}
