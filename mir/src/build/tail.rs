//! Expressions in tail position: each way ends the function, so no value and no join is needed, and calls may give up the frame.
//!
//! A self call becomes a jump to the header behind the entry. A call within the recursion group becomes `tail`. Any other call keeps the frame,
//! so that stack traces stay complete (`language/10` §10.4). Where the result is `void`, the last statement of a block counts too.

use hir::Type;
use hir::ir::{Expr, ExprId};

use super::{Builder, Leave, Lower, reached, same_module};

impl Builder<'_> {
    /// Lowers an expression that is the result of the function. Never comes back with a block that is open. The forms that go on here are those
    /// of [`hir::walk::results`].
    pub(super) fn tail(&mut self, e: ExprId) -> Lower<()> {
        let body = self.body;
        let expr = body.exprs[e];
        if let Expr::Block { statements, tail } = expr
            && let Some((&last, init)) = body.lists[statements].split_last()
        {
            return self.tail_block(init, last, tail);
        }
        if let Expr::If { condition, then, otherwise } = expr {
            return self.tail_if(condition, then, otherwise);
        }
        if let Expr::And(a, b) | Expr::Or(a, b) = expr
            && body.result == Type::BOOL
        {
            return self.tail_short_circuit(matches!(expr, Expr::And(..)), a, b);
        }
        if let Expr::Match { scrutinee, arms } = expr {
            return self.matching(e, scrutinee, arms, true).map(|_| ());
        }
        if let Expr::Call(callee, list) = expr {
            if callee == body.owner && self.top.is_some() {
                let args = self.values(list)?;
                if let Some(mut top) = self.top.take() {
                    let jump = self.open_jump();
                    self.header_edge(&mut top, jump, 0, &args);
                    self.top = Some(top);
                }
                return Err(Leave::Diverged);
            }
            if self.ty(e) == body.result && same_module(callee, body.owner) && self.cx.in_recursion_group(body.owner, callee)? {
                let args = self.values(list)?;
                self.tail_call(callee, &args);
                return Err(Leave::Diverged);
            }
        }
        self.give(e)
    }

    fn tail_block(&mut self, init: &[ExprId], last: ExprId, has_value: bool) -> Lower<()> {
        for &statement in init {
            self.expr(statement)?;
        }
        if has_value || self.body.result == Type::VOID {
            return self.tail(last);
        }
        self.expr(last)?;
        let unit = self.unit();
        Err(self.ret(unit))
    }

    /// A chain of `else if` link by link, so that a long one needs no deep recursion.
    fn tail_if(&mut self, condition: ExprId, then: ExprId, otherwise: Option<ExprId>) -> Lower<()> {
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
            match self.body.exprs[rest] {
                Expr::If { condition: c, then: t, otherwise: o } => (condition, then, otherwise) = (c, t, o),
                _ => return self.tail(rest),
            }
        }
    }

    fn tail_short_circuit(&mut self, is_and: bool, a: ExprId, b: ExprId) -> Lower<()> {
        let (mut yes, mut no) = (self.open(None), self.open(None));
        self.condition(a, &mut yes, &mut no)?;
        let (decided, open) = if is_and { (no, yes) } else { (yes, no) };
        if reached(self.seal(decided))?.is_some() {
            let value = self.bool(!is_and);
            self.ret(value);
        }
        self.seal(open)?;
        self.tail(b)
    }

    /// Returns the value of an expression.
    fn give(&mut self, e: ExprId) -> Lower<()> {
        let value = self.expr(e)?.filter(|&value| self.graph.ty(value) == self.body.result || self.body.result != Type::VOID);
        let value = value.unwrap_or_else(|| self.unit());
        Err(self.ret(value))
    }
}
