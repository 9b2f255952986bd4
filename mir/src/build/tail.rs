//! Expressions in tail position: each way ends the function, so no value and no join is needed, and calls may give up the frame.
//!
//! A self call becomes a jump to the header behind the entry. A call within the recursion group becomes `tail`. Any other call keeps the frame,
//! so that stack traces stay complete (`language/10` §10.4). Where the result is `void`, the last statement of a block counts too.

use hir::Type;
use hir::ir::{Expr, ExprId};

use super::{Builder, Leave, Lower, reached, same_module};

impl Builder<'_> {
    /// Lowers an expression that is the result of the function. Never comes back with a block that is open.
    pub(super) fn tail(&mut self, e: ExprId) -> Lower<()> {
        let body = self.body;
        match body.exprs[e] {
            Expr::Block { statements, tail } => {
                let statements = &body.lists[statements];
                let Some((&last, init)) = statements.split_last() else { return self.give(e) };
                for &statement in init {
                    self.expr(statement)?;
                }
                if tail || body.result == Type::VOID {
                    self.tail(last)
                } else {
                    self.expr(last)?;
                    let unit = self.unit();
                    Err(self.ret(unit))
                }
            }
            Expr::If { condition, then, otherwise } => {
                // A chain of `else if` link by link, so that a long one needs no deep recursion.
                let (mut condition, mut then, mut otherwise) = (condition, then, otherwise);
                loop {
                    let (mut yes, mut no) = (self.open(None), self.open(None));
                    self.condition(condition, &mut yes, &mut no)?;
                    if reached(self.seal(yes))?.is_some() {
                        reached(self.tail(then))?;
                    }
                    self.seal(no)?;
                    let Some(rest) = otherwise else {
                        let unit = self.unit();
                        return Err(self.ret(unit));
                    };
                    match body.exprs[rest] {
                        Expr::If { condition: c, then: t, otherwise: o } => (condition, then, otherwise) = (c, t, o),
                        _ => return self.tail(rest),
                    }
                }
            }
            Expr::And(a, b) | Expr::Or(a, b) if body.result == Type::BOOL => {
                let (mut yes, mut no) = (self.open(None), self.open(None));
                let is_and = matches!(body.exprs[e], Expr::And(..));
                self.condition(a, &mut yes, &mut no)?;
                let (decided, open) = if is_and { (no, yes) } else { (yes, no) };
                if reached(self.seal(decided))?.is_some() {
                    let value = self.bool(!is_and);
                    self.ret(value);
                }
                self.seal(open)?;
                self.tail(b)
            }
            Expr::Match { scrutinee, arms } => self.matching(e, scrutinee, arms, true).map(|_| ()),
            Expr::Call(callee, list) if callee == body.owner && self.top.is_some() => {
                let args = self.values(list)?;
                if let Some(mut top) = self.top.take() {
                    let jump = self.open_jump();
                    self.header_edge(&mut top, jump, 0, &args);
                    self.top = Some(top);
                }
                Err(Leave::Diverged)
            }
            Expr::Call(callee, list)
                if self.ty(e) == body.result && same_module(callee, body.owner) && self.cx.in_recursion_group(body.owner, callee)? =>
            {
                let args = self.values(list)?;
                self.tail_call(callee, &args);
                Err(Leave::Diverged)
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
            | Expr::Assign { .. }
            | Expr::And(..)
            | Expr::Or(..)
            | Expr::Loop { .. }
            | Expr::While { .. }
            | Expr::ForRange { .. }
            | Expr::ForList { .. }
            | Expr::Break(..)
            | Expr::Continue(_) => self.give(e),
        }
    }

    /// Returns the value of an expression.
    fn give(&mut self, e: ExprId) -> Lower<()> {
        let value = self.expr(e)?.filter(|&value| self.graph.ty(value) == self.body.result || self.body.result != Type::VOID);
        let value = value.unwrap_or_else(|| self.unit());
        Err(self.ret(value))
    }
}
