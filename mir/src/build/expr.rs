//! Expressions: literals, locals, aggregates, calls, blocks.

use abi::PanicKind;
use hir::ir::{Expr, ExprId, For, Source};
use hir::{Type, TypeKind};
use ir::ssa::{NewInst, Value};
use ir::{ItemId, List, Symbol};

use super::cells::cell_of;
use super::{Builder, Leave, Lower, reached};
use crate::ir::ConstValue;
use crate::ops::Op;
use crate::statics;

impl Builder<'_> {
    /// Lowers an expression whose value is needed.
    pub(super) fn value(&mut self, e: ExprId) -> Lower<Value> {
        match self.expr(e)? {
            Some(value) => Ok(value),
            None => Ok(self.unit()),
        }
    }

    /// Lowers an expression; `None` stands for `()`, so that statements make no values.
    pub(super) fn expr(&mut self, e: ExprId) -> Lower<Option<Value>> {
        let value = self.lowered(e)?;
        // Of what type arguments make a `Never`, as a field of `Box<Never>`, there is no value either.
        if value.is_some() && self.ty(e) == Type::NEVER {
            return Err(self.unreachable());
        }
        Ok(value)
    }

    fn lowered(&mut self, e: ExprId) -> Lower<Option<Value>> {
        let body = self.body;
        self.scopes.here = Some(e);
        match body.exprs[e] {
            Expr::Int(value) => Ok(Some(self.int(value))),
            Expr::Float(bits) => Ok(Some(self.op_with(Op::Float, &[], bits, Type::FLOAT))),
            Expr::Bool(value) => Ok(Some(self.bool(value))),
            Expr::Char(value) => Ok(Some(self.op_with(Op::Char, &[], u64::from(u32::from(value)), Type::CHAR))),
            Expr::Byte(value) => Ok(Some(self.op_with(Op::Byte, &[], u64::from(value), Type::BYTE))),
            Expr::Str(text) => Ok(Some(self.str(text))),
            Expr::Unit => Ok(None),
            Expr::Local(local) => match self.flow.get(local) {
                Some(value) => Ok(Some(value)),
                // HIR declares before use (H01), so control does not come here.
                None => Err(self.unreachable()),
            },
            Expr::Constant(item) => self.module_constant(item, e).map(Some),
            Expr::Call(callee, args) => self.call(e, callee, args).map(Some),
            Expr::Closure(item, captured) => {
                let captured = self.values(captured)?;
                let (imm, ty) = (u64::from(item.raw()), self.ty(e));
                Ok(Some(match captured.is_empty() {
                    true => self.op_with(Op::Closure, &captured, imm, ty),
                    false => self.making(Op::Closure, &captured, imm, ty, e),
                }))
            }
            Expr::CallValue(callee, args) => {
                let mut operands = vec![self.value(callee)?];
                operands.extend(self.values(args)?);
                let result = self.risky(Op::CallValue, &operands, 0, self.ty(e), e);
                if self.ty(e) == Type::NEVER { Err(self.unreachable()) } else { Ok(Some(result)) }
            }
            Expr::Intrinsic(..) => self.intrinsic(e),
            Expr::Aggregate(parts)
                if self.is_long(e, parts)
                    && let Some(list) = self.long_literal(e)? =>
            {
                Ok(Some(list))
            }
            Expr::Aggregate(parts) => {
                let parts = self.values(parts)?;
                let ty = self.ty(e);
                Ok(Some(match ty.kind() {
                    TypeKind::List(_) if !parts.is_empty() => self.making(Op::List, &parts, 0, ty, e),
                    TypeKind::List(_) => self.op(Op::List, &parts, ty),
                    _ => self.op(Op::Aggregate, &parts, ty),
                }))
            }
            Expr::Variant(number, parts) => {
                let mut parts = self.values(parts)?;
                let ty = self.ty(e);
                if let Some(cell) = cell_of(self.cx, ty, number)? {
                    parts = vec![self.making(Op::New, &parts, 0, cell, e)];
                } else if ty.has_parameter() && !parts.is_empty() {
                    // What type arguments make of it may have a cell.
                    return Ok(Some(self.making(Op::Variant, &parts, u64::from(number), ty, e)));
                }
                Ok(Some(self.op_with(Op::Variant, &parts, u64::from(number), ty)))
            }
            Expr::Field(of, index) => {
                let of = self.value(of)?;
                Ok(Some(self.op_with(Op::Field, &[of], u64::from(index), self.ty(e))))
            }
            Expr::Object(value) => {
                let of = self.ty(value);
                let value = self.value(value)?;
                Ok(Some(self.object(self.ty(e), of, value, e)))
            }
            Expr::Let(local, value) => {
                let value = self.value(value)?;
                self.scopes.here = Some(e);
                self.set(local, value);
                Ok(None)
            }
            Expr::Assign { local, path, value } => {
                let value = self.value(value)?;
                // The value first, then the read: a change of the local made by the value is kept.
                let Some(root) = self.flow.get(local) else { return Err(self.unreachable()) };
                let value = self.updated(root, body.path(path), value)?;
                self.set(local, value);
                Ok(None)
            }
            Expr::Block { statements, tail } => {
                let statements = &body.lists[statements];
                let (last, init) = match statements.split_last() {
                    Some((&last, init)) if tail => (Some(last), init),
                    _ => (None, statements),
                };
                let scope = self.enter_scope();
                for &statement in init {
                    self.expr(statement)?;
                }
                let value = last.map_or(Ok(None), |last| self.expr(last))?;
                self.leave_scope(scope);
                Ok(value)
            }
            Expr::If { condition, then, otherwise } => self.if_else(e, condition, then, otherwise),
            Expr::And(..) | Expr::Or(..) => self.short_circuit(e).map(Some),
            Expr::Match { scrutinee, arms } => self.matching(e, scrutinee, arms, false),
            Expr::Loop { id, body } => self.endless(e, id, body),
            Expr::While { id, condition, body } => self.while_loop(id, condition, body),
            Expr::For(parts) => {
                let For { id, local, source, body } = body.fors[parts];
                match source {
                    Source::Range { start, end, step, inclusive } => self.for_range(id, local, (start, end, step, inclusive), body),
                    Source::List(list) => self.for_list(id, local, list, body),
                }
            }
            Expr::Break(id, value) => {
                let value = match value {
                    Some(value) => self.expr(value)?,
                    None => None,
                };
                self.leave_loop(id, value)
            }
            Expr::Continue(id) => self.continue_loop(id),
            Expr::Catch(value) => self.catch(e, value),
            Expr::Return(value) => {
                let value = self.value(value)?;
                Err(self.ret(value))
            }
        }
    }

    /// Lowers operands left to right.
    pub(super) fn values(&mut self, list: List<ExprId>) -> Lower<Vec<Value>> {
        self.body.lists[list].iter().map(|&e| self.value(e)).collect()
    }

    /// The type of the value that an expression leaves, if it leaves one.
    pub(super) fn value_type(&self, e: ExprId) -> Option<Type> {
        Some(self.ty(e)).filter(|&ty| ty != Type::VOID && ty != Type::NEVER)
    }

    pub(super) fn str(&mut self, text: Symbol) -> Value {
        self.op_with(Op::Str, &[], u64::from(text.raw()), Type::STR)
    }

    fn call(&mut self, e: ExprId, callee: ItemId, args: List<ExprId>) -> Lower<Value> {
        let args = self.values(args)?;
        let result = self.risky(Op::Call, &args, u64::from(callee.raw()), self.ty(e), e);
        if self.ty(e) == Type::NEVER { Err(self.unreachable()) } else { Ok(result) }
    }

    /// A constant as the literal that it is.
    fn module_constant(&mut self, item: ItemId, e: ExprId) -> Lower<Value> {
        match self.cx.constant(item)? {
            Some(value) => Ok(self.literal(&value, e)),
            None => {
                // Its evaluation failed and was reported; nothing that is built now will run.
                let text = self.str(Symbol::new(&format!("constant ${} has no value", item.name())));
                Err(self.panic(PanicKind::Custom, &[text], e))
            }
        }
    }

    fn literal(&mut self, value: &ConstValue, at: ExprId) -> Value {
        match value {
            ConstValue::Int(value) => self.int(*value),
            ConstValue::Float(bits) => self.op_with(Op::Float, &[], *bits, Type::FLOAT),
            ConstValue::Bool(value) => self.bool(*value),
            ConstValue::Char(value) => self.op_with(Op::Char, &[], u64::from(u32::from(*value)), Type::CHAR),
            ConstValue::Byte(value) => self.op_with(Op::Byte, &[], u64::from(*value), Type::BYTE),
            ConstValue::Str(text) => self.str(*text),
            ConstValue::Unit => self.unit(),
            ConstValue::Aggregate(ty, parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.literal(part, at)).collect();
                self.op(Op::Aggregate, &parts, *ty)
            }
            ConstValue::Variant(ty, number, parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.literal(part, at)).collect();
                self.op_with(Op::Variant, &parts, u64::from(*number), *ty)
            }
            ConstValue::Cell(ty, parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.literal(part, at)).collect();
                self.making(Op::New, &parts, 0, *ty, at)
            }
            ConstValue::List(ty, elements) => {
                if let Some(text) = statics::text_of(value) {
                    return self.op_with(Op::Static, &[], u64::from(text.raw()), *ty);
                }
                let elements: Vec<Value> = elements.iter().map(|element| self.literal(element, at)).collect();
                self.making(Op::List, &elements, 0, *ty, at)
            }
            ConstValue::Object(ty, of, value) => {
                let value = self.literal(value, at);
                self.object(*ty, *of, value, at)
            }
            ConstValue::Function(ty, item, captured) => {
                let captured: Vec<Value> = captured.iter().map(|part| self.literal(part, at)).collect();
                self.making(Op::Closure, &captured, u64::from(item.raw()), *ty, at)
            }
        }
    }

    /// A value of this type as a trait object.
    fn object(&mut self, object: Type, of: Type, value: Value, at: ExprId) -> Value {
        let methods = Type::methods(object, of);
        let how = self.op(Op::Methods, &[], methods);
        let cell = self.making(Op::New, &[how, value], 0, Type::cell(&[methods, of]), at);
        self.op(Op::Object, &[cell], object)
    }

    /// `root` with the part at `path` replaced, from the inside out.
    fn updated(&mut self, root: Value, path: &[u32], value: Value) -> Lower<Value> {
        let Some((_, outer)) = path.split_last() else { return Ok(value) };
        let mut owners = vec![root];
        for &index in outer {
            let owner = owners[owners.len() - 1];
            let ty = match self.cx.fields(self.graph.ty(owner))? {
                Some(fields) => fields.get(index as usize).copied().unwrap_or(Type::ERROR),
                None => Type::ERROR,
            };
            owners.push(self.op_with(Op::Field, &[owner], u64::from(index), ty));
        }
        let mut value = value;
        for (&owner, &index) in owners.iter().zip(path).rev() {
            value = self.op_with(Op::WithField, &[owner, value], u64::from(index), self.graph.ty(owner));
        }
        Ok(value)
    }

    fn leave_loop(&mut self, id: hir::ir::LoopId, value: Option<Value>) -> Lower<Option<Value>> {
        // HIR resolves labels (H01): the frame is there.
        let Some(mut frame) = self.frames[id.index()].take() else { return Err(self.unreachable()) };
        self.jump(&mut frame.exit, value);
        self.frames[id.index()] = Some(frame);
        Err(Leave::Diverged)
    }

    fn continue_loop(&mut self, id: hir::ir::LoopId) -> Lower<Option<Value>> {
        let Some(mut frame) = self.frames[id.index()].take() else { return Err(self.unreachable()) };
        self.jump(&mut frame.again, None);
        self.frames[id.index()] = Some(frame);
        Err(Leave::Diverged)
    }

    /// Lowers an expression for its effects; true when control gets past it.
    pub(super) fn run(&mut self, e: ExprId) -> Result<bool, ir::Stop> {
        let result = self.expr(e);
        Ok(reached(result)?.is_some())
    }

    /// Ends the function with a call that takes over its frame.
    pub(super) fn tail_call(&mut self, callee: ItemId, args: &[Value]) {
        self.terminate(NewInst { args, imm: u64::from(callee.raw()), ..NewInst::new(Op::Tail) });
    }
}
