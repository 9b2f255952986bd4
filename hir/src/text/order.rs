//! Children of an expression, and the order of lines.

use ir::{Column, List};

use crate::Body;
use crate::ir::{Arm, Expr, ExprId, ExprTag};

/// How a child is evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Child {
    /// An operand: always evaluated, before the expression.
    Operand(ExprId),
    /// A region: evaluated under the expression's control.
    Region(ExprId),
}

impl Child {
    pub(crate) fn expr(self) -> ExprId {
        match self {
            Child::Operand(expr) | Child::Region(expr) => expr,
        }
    }
}

/// The elements of a list; empty when it dangles.
pub(crate) fn list(body: &Body, list: List<ExprId>) -> &[ExprId] {
    body.lists.slice(list.start(), list.len())
}

/// The arms of a match; empty when the list dangles.
pub(crate) fn arms(body: &Body, list: List<Arm>) -> &[Arm] {
    body.arms.slice(list.start(), list.len())
}

/// The operand that is evaluated first, where chains of operators or members nest; walks follow it without recursion.
pub(crate) fn first_operand(body: &Body, expr: Expr) -> Option<ExprId> {
    match expr {
        Expr::Call(_, args) | Expr::Intrinsic(_, args) | Expr::Aggregate(args) => list(body, args).first().copied(),
        Expr::Field(value, _) => Some(value),
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
        | Expr::ForRange { .. }
        | Expr::ForList { .. }
        | Expr::Break(..)
        | Expr::Continue(_) => None,
    }
}

/// Calls `visit` on the children in the order of evaluation, which is that of the text.
pub(crate) fn children(body: &Body, expr: ExprId, mut visit: impl FnMut(Child)) {
    let Some(&node) = body.exprs.get(expr) else { return };
    match node {
        Expr::Int(_) | Expr::Float(_) | Expr::Bool(_) | Expr::Char(_) | Expr::Byte(_) | Expr::Str(_) | Expr::Unit => {}
        Expr::Local(_) | Expr::Constant(_) | Expr::Continue(_) => {}
        Expr::Call(_, args) | Expr::Intrinsic(_, args) | Expr::Aggregate(args) => {
            list(body, args).iter().for_each(|&arg| visit(Child::Operand(arg)));
        }
        Expr::Block { statements, .. } => list(body, statements).iter().for_each(|&s| visit(Child::Operand(s))),
        Expr::Field(value, _) | Expr::Let(_, value) | Expr::Assign { value, .. } => visit(Child::Operand(value)),
        Expr::Break(_, value) => {
            if let Some(value) = value {
                visit(Child::Operand(value));
            }
        }
        Expr::If { condition, then, otherwise } => {
            visit(Child::Operand(condition));
            visit(Child::Region(then));
            if let Some(otherwise) = otherwise {
                visit(Child::Region(otherwise));
            }
        }
        Expr::And(left, right) | Expr::Or(left, right) => {
            visit(Child::Operand(left));
            visit(Child::Region(right));
        }
        Expr::Match { scrutinee, arms: list } => {
            visit(Child::Operand(scrutinee));
            for arm in arms(body, list) {
                if let Some(guard) = arm.guard {
                    visit(Child::Region(guard));
                }
                visit(Child::Region(arm.body));
            }
        }
        Expr::Loop { body, .. } => visit(Child::Region(body)),
        Expr::While { condition, body, .. } => {
            visit(Child::Region(condition));
            visit(Child::Region(body));
        }
        Expr::ForRange { start, end, step, body, .. } => {
            visit(Child::Operand(start));
            visit(Child::Operand(end));
            if let Some(step) = step {
                visit(Child::Operand(step));
            }
            visit(Child::Region(body));
        }
        Expr::ForList { list, body, .. } => {
            visit(Child::Operand(list));
            visit(Child::Region(body));
        }
    }
}

/// Position of each expression among the lines of the body, `u32::MAX` for those that are not reached. Terminates on any input: an
/// expression that is reached twice counts once.
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
    let mut stack = vec![Step::Enter(body.root)];
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
                children(body, expr, |child| match child {
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
