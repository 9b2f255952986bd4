//! List literals that are long and have nothing but literals in them: they lie in the image (`statics`).

use hir::ir::{Expr, ExprId};
use hir::{Intrinsic, Type, TypeKind};
use ir::List;
use ir::ssa::Value;

use super::cells::cell_of;
use super::{Builder, Lower};
use crate::ir::ConstValue;
use crate::ops::Op;
use crate::statics;

/// Of so many elements on a list is laid out, and not made one by one.
const LONG: usize = 16;

impl Builder<'_> {
    /// Has a list literal enough elements to be laid out?
    pub(super) fn is_long(&self, e: ExprId, parts: List<ExprId>) -> bool {
        self.body.lists[parts].len() >= LONG && matches!(self.ty(e).kind(), TypeKind::List(_))
    }

    /// The list, when everything in it is a literal.
    pub(super) fn long_literal(&mut self, e: ExprId) -> Lower<Option<Value>> {
        let Some(list) = self.literal_of(e)? else { return Ok(None) };
        let text = statics::text_of(&list);
        Ok(text.map(|text| self.op_with(Op::Static, &[], u64::from(text.raw()), self.ty(e))))
    }

    /// What an expression is, when it is a literal or made of literals: looking at it does nothing.
    fn literal_of(&self, e: ExprId) -> Lower<Option<ConstValue>> {
        let ty = self.ty(e);
        Ok(Some(match self.body.exprs[e] {
            Expr::Int(value) => ConstValue::Int(value),
            Expr::Float(bits) => ConstValue::Float(bits),
            Expr::Bool(value) => ConstValue::Bool(value),
            Expr::Char(value) => ConstValue::Char(value),
            Expr::Byte(value) => ConstValue::Byte(value),
            Expr::Str(text) => ConstValue::Str(text),
            Expr::Intrinsic(which, args) => match (which, &self.body.lists[args]) {
                (Intrinsic::IntNeg, &[of]) => match self.literal_of(of)? {
                    Some(ConstValue::Int(value)) if value != i64::MIN => ConstValue::Int(-value),
                    _ => return Ok(None),
                },
                (Intrinsic::FloatNeg, &[of]) => match self.literal_of(of)? {
                    Some(ConstValue::Float(bits)) => ConstValue::Float(bits ^ 1 << 63),
                    _ => return Ok(None),
                },
                _ => return Ok(None),
            },
            // What type arguments make of it may have cells.
            Expr::Aggregate(_) | Expr::Variant(..) if ty.has_parameter() => return Ok(None),
            Expr::Aggregate(parts) => match (self.literals_of(parts)?, ty.kind()) {
                (Some(elements), TypeKind::List(_)) => ConstValue::List(ty, elements),
                (Some(parts), _) => ConstValue::Aggregate(ty, parts),
                (None, _) => return Ok(None),
            },
            Expr::Variant(number, parts) => match (self.literals_of(parts)?, cell_of(self.cx, ty, number)?) {
                (Some(parts), None) => ConstValue::Variant(ty, number, parts),
                _ => return Ok(None),
            },
            Expr::Constant(item) if ty != Type::ERROR => match self.cx.constant(item)?.as_deref() {
                Some(value) => value.clone(),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    fn literals_of(&self, parts: List<ExprId>) -> Lower<Option<Vec<ConstValue>>> {
        self.body.lists[parts].iter().map(|&part| self.literal_of(part)).collect()
    }
}
