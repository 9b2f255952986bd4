//! `if`, `&&`, `||`: conditions become branches, never values that are tested again.

use hir::ir::{Expr, ExprId};
use hir::{Intrinsic, Type};
use ir::Stop;
use ir::ssa::Value;

use super::flow::Join;
use super::{Builder, Lower, reached};

impl Builder<'_> {
    /// The links of `if c then a else if d then b else e` one after the other: a long chain needs no deep recursion, and one join is enough.
    pub(super) fn if_else(&mut self, e: ExprId, condition: ExprId, then: ExprId, otherwise: Option<ExprId>) -> Lower<Option<Value>> {
        let ty = self.value_type(e);
        let mut out = self.open(ty);
        let (mut condition, mut then, mut otherwise) = (condition, then, otherwise);
        loop {
            let mut yes = self.open(None);
            let Some(rest) = otherwise else {
                self.condition(condition, &mut yes, &mut out)?;
                self.branch_body(yes, then, &mut out)?;
                break;
            };
            let mut no = self.open(None);
            self.condition(condition, &mut yes, &mut no)?;
            self.branch_body(yes, then, &mut out)?;
            match self.body.exprs[rest] {
                Expr::If { condition: c, then: t, otherwise: o } if self.value_type(rest) == ty || self.ty(rest) == Type::NEVER => {
                    if reached(self.seal(no))?.is_none() {
                        break;
                    }
                    (condition, then, otherwise) = (c, t, o);
                }
                _ => {
                    self.branch_body(no, rest, &mut out)?;
                    break;
                }
            }
        }
        self.seal(out)
    }

    /// The code behind `entry`, whose value goes to `out`.
    pub(super) fn branch_body(&mut self, entry: Join, body: ExprId, out: &mut Join) -> Result<(), Stop> {
        if reached(self.seal(entry))?.is_some() {
            let result = self.expr(body);
            if let Some(value) = reached(result)? {
                self.jump(out, value);
            }
        }
        Ok(())
    }

    /// `a && b` or `a || b` as a value.
    pub(super) fn short_circuit(&mut self, e: ExprId) -> Lower<Value> {
        let ty = self.ty(e);
        let (mut yes, mut no, mut out) = (self.open(None), self.open(None), self.open(Some(ty)));
        self.condition(e, &mut yes, &mut no)?;
        for (join, value) in [(yes, true), (no, false)] {
            if reached(self.seal(join))?.is_some() {
                let value = self.bool(value);
                self.jump(&mut out, Some(value));
            }
        }
        match self.seal(out)? {
            Some(value) => Ok(value),
            None => Ok(self.unit()),
        }
    }

    /// Goes to `yes` when the condition holds, else to `no`. The block is ended afterwards, whatever happened.
    pub(super) fn condition(&mut self, e: ExprId, yes: &mut Join, no: &mut Join) -> Result<(), Stop> {
        let body = self.body;
        let expr = body.exprs[e];
        if let Expr::Bool(value) = expr {
            self.jump(if value { yes } else { no }, None);
            return Ok(());
        }
        if let Expr::Intrinsic(Intrinsic::BoolNot, args) = expr
            && let [operand] = body.lists[args]
        {
            return self.condition(operand, no, yes);
        }
        if let Expr::And(..) | Expr::Or(..) = expr {
            let is_and = matches!(expr, Expr::And(..));
            let terms = self.chain(e);
            let Some((&last, init)) = terms.split_last() else { return Ok(()) };
            for &term in init {
                let mut next = self.open(None);
                if is_and {
                    self.condition(term, &mut next, no)?;
                } else {
                    self.condition(term, yes, &mut next)?;
                }
                if reached(self.seal(next))?.is_none() {
                    return Ok(());
                }
            }
            return self.condition(last, yes, no);
        }
        // Whatever else has a truth value is computed and tested.
        let value = self.value(e);
        if let Some(value) = reached(value)? {
            self.branch(value, yes, no);
        }
        Ok(())
    }

    /// The terms of `a && b && c` (or of `||`), so that a long chain needs no deep recursion.
    fn chain(&self, e: ExprId) -> Vec<ExprId> {
        let body = self.body;
        let is_and = matches!(body.exprs[e], Expr::And(..));
        let mut terms = Vec::new();
        let mut next = e;
        while let Expr::And(a, b) | Expr::Or(a, b) = body.exprs[next]
            && is_and == matches!(body.exprs[next], Expr::And(..))
        {
            terms.push(b);
            next = a;
        }
        terms.push(next);
        terms.reverse();
        terms
    }
}
