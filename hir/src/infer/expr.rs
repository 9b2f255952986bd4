//! The one match over expressions of the syntax tree.

use syntax::tree::{self, Expr as Ast, Literal, TemplatePart, UnaryOp};
use syntax::{DiagnosticCode as Code, Span};

use super::why::{Expect, Why};
use super::{Checker, Indexed, Result, Which};
use crate::ir::{Expr, ExprId};
use crate::program::Entity;
use crate::program::TraitRef;
use crate::resolve::prelude::Known;
use crate::resolve::solve::{Answer, solve};
use crate::resolve::{prelude, prelude_type, show};
use crate::{Intrinsic, Type, TypeKind};

impl<'a> Checker<'a> {
    /// Checks one expression. Only the forms that push an expectation inwards look at `expect`; the caller compares the type.
    pub(super) fn expr(&mut self, id: tree::ExprId, expect: &Expect<'a>) -> Result<ExprId> {
        let mut id = id;
        // The value is that of the inside; its place too, as panics name the first byte of the failing operation.
        while let Ast::Paren(inner) = self.tree.exprs[id] {
            id = inner;
        }
        let span = self.span(id);
        // More than half of all expressions are literals and names, which nest nothing.
        if let Ast::Literal(literal) = self.tree.exprs[id] {
            if let Literal::Int(value) = literal
                && let Ok(value) = i64::try_from(value.get())
                && !expect.suggests(Type::BYTE)
            {
                return Ok(self.int(value, span));
            }
            return Ok(self.literal(literal, span, expect));
        }
        if let Ast::Name(name) = self.tree.exprs[id] {
            return self.name(name, false, span, expect);
        }
        if !self.deeper(span) {
            self.depth -= 1;
            return Ok(self.error(span));
        }
        let done = self.expr_inner(id, span, expect);
        self.depth -= 1;
        done
    }

    fn expr_inner(&mut self, id: tree::ExprId, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        Ok(match tree.exprs[id] {
            Ast::Error => {
                self.poisoned = true;
                self.error(span)
            }
            Ast::Literal(literal) => self.literal(literal, span, expect),
            Ast::Name(name) => self.name(name, false, span, expect)?,
            Ast::Dollar(name) => self.name(name, true, span, expect)?,
            Ast::Paren(inner) => self.expr(inner, expect)?,
            Ast::Binary(op, left, right) => self.binary(op, left, right, span)?,
            Ast::Unary(op, operand) => self.unary(op, operand, span)?,
            Ast::Field(base, name) => self.field(base, name, span, expect)?,
            Ast::TupleField(base, index) => self.tuple_field(base, index, span)?,
            Ast::DollarField(base, name) => self.dollar_field(base, name, span)?,
            Ast::Call { callee, args } => self.call(callee, tree.type_args(id), args, span, expect)?,
            Ast::MethodCall { receiver, name, args } => {
                self.method_call((receiver, name, tree.type_args(id)), tree.list(args), span, expect)?
            }
            Ast::Block { statements, tail } => self.block(statements, tail, span, expect)?,
            Ast::If { condition, then, otherwise } => self.if_else(condition, then, otherwise, span, expect)?,
            Ast::Match { scrutinee, arms, postfix } => {
                if postfix {
                    return Ok(self.refuse(span, "postfix `match`"));
                }
                self.match_arms(scrutinee, arms, span, expect)?
            }
            Ast::For { label, clauses, is_yield, body } => {
                if is_yield {
                    return self.for_yield(label, tree.list(clauses), body, span, expect);
                }
                self.for_do(label, tree.list(clauses), body, span)?
            }
            Ast::While { label, condition, body } => self.while_do(label, condition, body, span)?,
            Ast::Loop { label, body } => self.endless(label, body, span, expect)?,
            Ast::Break { label, value } => self.break_out(label, value, span)?,
            Ast::Continue { label, value } => self.continue_on(label, value, span)?,
            Ast::Template(parts) => self.template(parts, span)?,
            Ast::Unit => self.unit(span),
            Ast::Tuple(elements) => self.tuple(elements, span, expect)?,
            Ast::Struct { path, entries } => self.struct_literal(tree.list(path), entries, span, expect)?,
            Ast::Map(entries) => self.braces(entries, span, expect)?,
            Ast::Index(base, index) => self.index(base, index, span)?,
            Ast::Length => self.length(span),
            Ast::As { value, ty, fallible } => {
                if fallible {
                    return self.try_as(value, ty, span);
                }
                self.convert_as(value, ty, span)?
            }
            Ast::Let { .. } => {
                self.report(Code::E0104, span, ["let".into()]);
                self.error(span)
            }
            Ast::Assign { op, place, value } => self.assign(op, place, value, span)?,
            Ast::Blank => {
                self.report(Code::E1002, span, []);
                self.error(span)
            }
            Ast::Range { start, end, inclusive, step } => self.range((start, end), inclusive, step, span)?,
            Ast::SelfValue => self.self_value(span),
            Ast::SelfType => self.own_as_value(span)?,
            Ast::List(entries) => self.list_literal(entries, span, expect)?,
            Ast::Try(body) => self.try_block(body, span, expect)?,
            Ast::Unsafe(_) => self.refuse(span, "`unsafe` blocks"),
            Ast::LabelledBlock { .. } => self.refuse(span, "labelled blocks"),
            Ast::Lambda { params, result, body } => {
                let params = &tree.lambda_params[tree.list(params)];
                self.lambda((params, result, body), span, expect)?
            }
            Ast::Pipe(..) => self.refuse(span, "pipes"),
            Ast::TypeArgs(..) => self.refuse(span, "explicit type arguments"),
            Ast::Question(operand) => self.question(operand, span)?,
            Ast::Special { form, args } if form.as_str() == "catch" => self.catch(args, span, expect)?,
            Ast::Special { form, .. } if form.as_str() == "recurse" => self.recurse(id, span, expect)?,
            Ast::Special { form, .. } => self.refuse(span, format!("`{form}(...)`")),
            Ast::With { .. } => self.refuse(span, "`with` expressions"),
            Ast::Handler { .. } => self.refuse(span, "handlers"),
            Ast::Splice(..) => self.refuse(span, "reflection"),
            Ast::ReflectIf { .. } | Ast::ReflectFor { .. } => self.refuse(span, "reflection"),
        })
    }

    fn literal(&mut self, literal: Literal, span: Span, expect: &Expect<'a>) -> ExprId {
        match literal {
            Literal::Int(value) if value.get() <= 255 && expect.suggests(Type::BYTE) => {
                self.push(Expr::Byte(value.get() as u8), Type::BYTE, span)
            }
            Literal::Int(value) => match i64::try_from(value.get()) {
                Ok(value) => self.int(value, span),
                Err(_) => {
                    self.report(Code::E0033, span, ["integer".into(), value.get().to_string().into()]);
                    self.error(span)
                }
            },
            Literal::Float(bits) => self.push(Expr::Float(bits.get()), Type::FLOAT, span),
            Literal::Str(text) => self.push(Expr::Str(text), Type::STR, span),
            Literal::Char(value) => self.push(Expr::Char(value), Type::CHAR, span),
            Literal::Byte(value) => self.push(Expr::Byte(value), Type::BYTE, span),
            Literal::Bool(value) => self.push(Expr::Bool(value), Type::BOOL, span),
            Literal::Duration(count) => self.unit_literal(count.get(), prelude::duration(), span),
            Literal::Size(count) => self.unit_literal(count.get(), prelude::size(), span),
        }
    }

    /// A duration or a size: the lexer has computed the number and refused one that is too large.
    fn unit_literal(&mut self, count: u64, ty: Type, span: Span) -> ExprId {
        let count = self.int(i64::try_from(count).unwrap_or(i64::MAX), span);
        let parts = self.draft.body.lists.add([count]);
        self.push(Expr::Aggregate(parts), ty, span)
    }

    fn unary(&mut self, op: UnaryOp, operand: tree::ExprId, span: Span) -> Result<ExprId> {
        if op == UnaryOp::Neg {
            match self.tree.exprs[operand] {
                Ast::Literal(Literal::Int(value)) if value.get() <= 1 << 63 => {
                    return Ok(self.int((value.get() as i64).wrapping_neg(), span));
                }
                Ast::Literal(Literal::Float(bits)) => return Ok(self.push(Expr::Float(bits.get() ^ 1 << 63), Type::FLOAT, span)),
                _ => {}
            }
        }
        let value = self.infer(operand)?;
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        let ty = self.ty(value);
        let known = match op {
            UnaryOp::Neg => Known::Neg,
            UnaryOp::Not => Known::Not,
            UnaryOp::BitNot => Known::BitNot,
        };
        let (op, text) = match op {
            UnaryOp::Neg => (
                match ty {
                    Type::INT => Some(Intrinsic::IntNeg),
                    Type::FLOAT => Some(Intrinsic::FloatNeg),
                    _ => None,
                },
                "-",
            ),
            UnaryOp::Not => ((ty == Type::BOOL).then_some(Intrinsic::BoolNot), "!"),
            UnaryOp::BitNot => (matches!(ty, Type::INT | Type::BYTE).then_some(Intrinsic::BitNot), "~"),
        };
        if ty.fits_anywhere() {
            return Ok(value);
        }
        match op {
            Some(op) => {
                if op == Intrinsic::IntNeg && self.expr_at(value) == Expr::Int(i64::MIN) && self.which != Which::Constant {
                    self.report(Code::W0302, span, []);
                }
                Ok(self.intrinsic(op, &[value], ty, span))
            }
            None => {
                if let Some(value) = self.overloaded(known, &[value], span)? {
                    return Ok(value);
                }
                if !self.lacks_silently(ty)? {
                    let shown = show(ty);
                    self.report(Code::E2020, span, [text.into(), shown.into()]).wording = 1;
                }
                Ok(self.error(span))
            }
        }
    }

    fn self_value(&mut self, span: Span) -> ExprId {
        if let Some(binding) = self.lookup(self.self_name()) {
            return self.read(binding.local, span);
        }
        if let Some(error) = self.parameter_in_default(self.self_name(), span) {
            return error;
        }
        self.report(Code::E2003, span, ["self".into()]);
        self.error(span)
    }

    // ---- members ----

    fn field(&mut self, base: tree::ExprId, name: ir::Symbol, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        if let Some((item, of)) = self.type_before(base)?
            && let Some(value) = self.qualified(item, of, name, None, span, expect)?
        {
            return Ok(value);
        }
        if let Ast::TypeArgs(root, list) = self.tree.exprs[base]
            && let Some(ty) = self.type_with_args(root, list, base)?
        {
            let TypeKind::Struct(item, _) = ty.kind() else { return Ok(self.error(span)) };
            if let Some(value) = self.qualified(item, Some(ty), name, None, span, expect)? {
                return Ok(value);
            }
        }
        if let Some(value) = self.associated_value(base, name, span, expect)? {
            return Ok(value);
        }
        if let (Ast::SelfType, Some(this)) = (self.tree.exprs[base], self.around.this) {
            self.report(Code::E0444, span, [show(this).into(), name.into()]);
            return Ok(self.error(span));
        }
        if let Ast::Name(root) = self.tree.exprs[base]
            && self.lookup(root).is_none()
        {
            if let Some(Entity::Module(module)) = self.scope.value(root) {
                let named = self.module_variant(module, name, expect, span)?;
                if let Some(value) = self.named_value(named, span, None, span, expect)? {
                    return Ok(value);
                }
            }
            if let Some(found) = self.module_member(root, name, false, span, expect)? {
                return Ok(found);
            }
            let known = self.scope.value(root).is_some();
            match self.scope.type_name(root) {
                Some(Entity::Unsupported(..)) if !known => {
                    self.poisoned = true;
                    return Ok(self.error(span));
                }
                Some(_) if !known => {
                    self.report(Code::E0444, span, [root.into(), name.into()]);
                    return Ok(self.error(span));
                }
                _ => {}
            }
            if !known && let Some(ty) = prelude_type(root.as_str()) {
                return Ok(self.associated_constant(ty, name, span));
            }
        }
        let value = self.infer(base)?;
        self.field_of(value, name, span)
    }

    /// `value.name`
    pub(super) fn field_of(&mut self, value: ExprId, name: ir::Symbol, span: Span) -> Result<ExprId> {
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        let ty = self.ty(value);
        // What does not return has no fields that anybody reads.
        if ty == Type::NEVER {
            return Ok(value);
        }
        match self.field_index(ty, name, span)? {
            Some((index, field)) => Ok(self.push(Expr::Field(value, index), field, span)),
            None => Ok(self.error(span)),
        }
    }

    /// Index and type of a field; reports when there is none.
    pub(super) fn field_index(&mut self, ty: Type, name: ir::Symbol, span: Span) -> Result<Option<(u32, Type)>> {
        match ty.kind() {
            TypeKind::Struct(item, args) => {
                let Some(definition) = self.cx.type_definition(item)? else {
                    self.poisoned = true;
                    return Ok(None);
                };
                if definition.has_members()
                    && self.sees_fields(item)
                    && let Some(index) = definition.field_named(name)
                {
                    let field = self.instantiated(definition.fields[index].1, args, span)?;
                    return Ok(Some((index as u32, field)));
                }
                if self.has_inherent(ty, name)? {
                    let at = self.last_segment(span, name);
                    self.report(Code::E0309, at, [name.into()]).helps.push(format!("call it: `.{name}()`"));
                    return Ok(None);
                }
                self.no_field(&definition, name, self.last_segment(span, name));
            }
            TypeKind::Error | TypeKind::Never => self.poisoned |= ty == Type::ERROR,
            _ => {
                let shown = show(ty);
                let at = self.last_segment(span, name);
                if self.has_method(ty, name.as_str()) || self.has_inherent(ty, name)? {
                    self.report(Code::E0309, at, [name.into()]).helps.push(format!("call it: `.{name}()`"));
                } else {
                    self.report(Code::E0302, at, [shown.into(), name.into()]);
                }
            }
        }
        if ty == Type::NEVER {
            self.poisoned = true;
        }
        Ok(None)
    }

    /// The place of the name at the end of a member expression.
    pub(super) fn last_segment(&self, span: Span, name: ir::Symbol) -> Span {
        let length = name.as_str().len() as u32;
        if span.end - span.start > length { Span::new(span.end - length, span.end) } else { span }
    }

    fn tuple_field(&mut self, base: tree::ExprId, index: u32, span: Span) -> Result<ExprId> {
        let value = self.infer(base)?;
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        let ty = self.ty(value);
        if ty == Type::NEVER {
            return Ok(value);
        }
        match self.element(ty, index, span)? {
            Some(element) => Ok(self.push(Expr::Field(value, index), element, span)),
            None => Ok(self.error(span)),
        }
    }

    /// Type of element `index` of a tuple type; reports when it has none.
    pub(super) fn element(&mut self, ty: Type, index: u32, span: Span) -> Result<Option<Type>> {
        match ty.kind() {
            TypeKind::Tuple(elements) if (index as usize) < elements.len() => return Ok(Some(elements[index as usize])),
            TypeKind::Error | TypeKind::Never => self.poisoned = true,
            _ => {
                let at = self.last_segment(span, ir::Symbol::new(&index.to_string()));
                self.report(Code::E0304, at, [index.to_string().into(), show(ty).into()]);
            }
        }
        Ok(None)
    }

    fn dollar_field(&mut self, base: tree::ExprId, name: ir::Symbol, span: Span) -> Result<ExprId> {
        if let Ast::Name(root) = self.tree.exprs[base]
            && self.lookup(root).is_none()
            && let Some(found) = self.module_member(root, name, true, span, &Expect::NONE)?
        {
            return Ok(found);
        }
        let value = self.infer(base)?;
        if self.ty(value) != Type::ERROR {
            self.report(Code::E0206, span, [name.into()]);
        }
        Ok(self.error(span))
    }

    /// A value member of a module alias; `None` when `root` is no alias.
    fn module_member(
        &mut self,
        root: ir::Symbol,
        name: ir::Symbol,
        dollar: bool,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<Option<ExprId>> {
        match self.scope.value(root) {
            Some(alias @ (Entity::Module(_) | Entity::Std(..))) => match self.member_of(alias, root, name, span)? {
                Some(entity) => self.entity(entity, name, dollar, span, expect).map(Some),
                None => Ok(Some(self.error(span))),
            },
            _ => Ok(None),
        }
    }

    fn associated_constant(&mut self, ty: Type, name: ir::Symbol, span: Span) -> ExprId {
        let float = |value: f64| (Expr::Float(value.to_bits()), Type::FLOAT);
        let (expr, ty) = match (ty, name.as_str()) {
            (Type::INT, "min") => (Expr::Int(i64::MIN), Type::INT),
            (Type::INT, "max") => (Expr::Int(i64::MAX), Type::INT),
            (Type::BYTE, "min") => (Expr::Byte(0), Type::BYTE),
            (Type::BYTE, "max") => (Expr::Byte(255), Type::BYTE),
            (Type::FLOAT, "min") => float(f64::MIN_POSITIVE),
            (Type::FLOAT, "max") => float(f64::MAX),
            (Type::FLOAT, "epsilon") => float(f64::EPSILON),
            (Type::FLOAT, "inf") => float(f64::INFINITY),
            (Type::FLOAT, "neg_inf") => float(f64::NEG_INFINITY),
            (Type::FLOAT, "nan") => (Expr::Float(0x7ff8_0000_0000_0000), Type::FLOAT),
            _ => {
                self.report(Code::E0444, span, [show(ty).into(), name.into()]);
                return self.error(span);
            }
        };
        self.push(expr, ty, span)
    }

    // ---- tuples, indexing, templates ----

    fn tuple(&mut self, elements: ir::List<tree::ExprId>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        let expected = match expect.checked() {
            Some((ty, why)) => match ty.kind() {
                TypeKind::Tuple(types) if types.len() == elements.len() => Some((types, why)),
                _ => None,
            },
            None => None,
        };
        let mark = self.draft.scratch.len();
        let mut types = Vec::with_capacity(elements.len());
        for (i, &element) in tree.expr_lists[elements].iter().enumerate() {
            let value = match expected {
                Some((wanted, why)) => self.check(element, wanted[i], why)?,
                None => self.infer(element)?,
            };
            self.draft.scratch.push(value);
            let found = self.ty(value);
            // `Never` takes on the type that is expected; without one the tuple holds a `Never`.
            types.push(match expected {
                Some((wanted, _)) if found == Type::NEVER => wanted[i],
                _ => found,
            });
        }
        let list = self.draft.body.lists.add(self.draft.scratch.drain(mark..));
        if types.contains(&Type::ERROR) {
            return Ok(self.error(span));
        }
        Ok(self.push(Expr::Aggregate(list), Type::tuple(&types), span))
    }

    fn index(&mut self, base: tree::ExprId, index: tree::ExprId, span: Span) -> Result<ExprId> {
        let receiver = self.infer(base)?;
        if !self.head_is_known(receiver)? {
            return Ok(self.error(span));
        }
        let ty = self.ty(receiver);
        let element = match ty.kind() {
            TypeKind::List(element) => element,
            TypeKind::Str => Type::STR,
            TypeKind::Never => {
                // It does not return, so nothing is looked up in it; the index is looked at all the same.
                self.infer(index)?;
                return Ok(receiver);
            }
            TypeKind::Error => {
                self.poisoned = true;
                return Ok(self.error(span));
            }
            TypeKind::Struct(item, _) if item == prelude::map() => return self.at_key(receiver, index, span),
            _ => return self.at_user_index(receiver, self.span(base), index, span),
        };
        let lengths = self.byte_lengths.len();
        self.indexed.push(Indexed { receiver, temporary: None });
        let position = self.infer(index);
        let indexed = self.indexed.pop();
        let position = position?;
        if ty == Type::STR {
            self.warn_mixed_positions(position, lengths);
        }
        if !self.position(position, ty) {
            return Ok(self.error(span));
        }
        let Some(local) = indexed.and_then(|i| i.temporary) else {
            return Ok(self.at_index(receiver, position, element, span));
        };
        // `#` needs the receiver a second time: it is evaluated once, into a temporary.
        let mark = self.draft.scratch.len();
        let at = self.span_at(receiver);
        let binding = self.push(Expr::Let(local, receiver), Type::VOID, at);
        self.draft.scratch.push(binding);
        let list = self.read(local, at);
        let value = self.at_index(list, position, element, span);
        Ok(self.with_statements(mark, value, span))
    }

    /// The element of a list, the code point of a text.
    fn at_index(&mut self, indexed: ExprId, position: ExprId, element: Type, span: Span) -> ExprId {
        if self.ty(indexed) == Type::STR {
            let arguments = self.draft.body.lists.add([indexed, position]);
            return self.push(Expr::Call(prelude::text_index(), arguments), Type::STR, span);
        }
        self.intrinsic(Intrinsic::ListGet, &[indexed, position], element, span)
    }

    /// W0303: the index of a text has a number of bytes in it, or is the variable of a loop to one.
    fn warn_mixed_positions(&mut self, position: ExprId, lengths: usize) {
        let of_loop = match self.expr_at(position) {
            Expr::Local(local) => self.byte_counters.iter().find(|(counter, _)| *counter == local).map(|(_, length)| *length),
            _ => None,
        };
        if let Some(&length) = self.byte_lengths.get(lengths) {
            self.report(Code::W0303, length, []);
        } else if let Some(length) = of_loop {
            let (at, anchor) = (self.span_at(position), self.anchor);
            let warning = self.report(Code::W0303, at, []);
            warning.labels.push(syntax::Label { anchor, span: length, text: "a number of bytes ends the loop".into() });
        }
    }

    fn length(&mut self, span: Span) -> ExprId {
        let Some(&Indexed { receiver, temporary }) = self.indexed.last() else {
            self.report(Code::E0105, span, []);
            return self.error(span);
        };
        let immutable = match self.expr_at(receiver) {
            Expr::Local(local) if !self.draft.body.locals[local].mutable => Some(local),
            _ => temporary,
        };
        let local = match immutable {
            Some(local) => local,
            None => {
                let ty = self.ty(receiver);
                let local = self.local(self.blank, ty, false);
                if let Some(top) = self.indexed.last_mut() {
                    top.temporary = Some(local);
                }
                local
            }
        };
        let indexed = self.read(local, span);
        let op = if self.ty(indexed) == Type::STR { Intrinsic::StrCount } else { Intrinsic::ListLen };
        self.intrinsic(op, &[indexed], Type::INT, span)
    }

    fn template(&mut self, parts: ir::List<TemplatePart>, span: Span) -> Result<ExprId> {
        let tree = self.tree;
        let mark = self.draft.scratch.len();
        for &part in &tree.parts[parts] {
            let text = match part {
                TemplatePart::Text(text) if text.as_str().is_empty() => continue,
                TemplatePart::Text(text) => self.push(Expr::Str(text), Type::STR, span),
                TemplatePart::Value(value, None) => {
                    let value = self.infer(value)?;
                    let at = self.span_at(value);
                    self.printed(value, at)?
                }
                TemplatePart::Value(value, Some((spec, spec_span))) => {
                    let value = self.infer(value)?;
                    self.formatted(value, spec.as_str(), spec_span)
                }
            };
            self.draft.scratch.push(text);
        }
        let text = self.concatenated(mark, span);
        self.draft.scratch.truncate(mark);
        Ok(text)
    }

    /// One text of the texts above `mark`. The tree is balanced, so that long templates do not nest deeply; the order is kept.
    pub(super) fn concatenated(&mut self, mark: usize, span: Span) -> ExprId {
        match self.draft.scratch.len() - mark {
            0 => self.push(Expr::Str(ir::Symbol::new("")), Type::STR, span),
            1 => self.draft.scratch[mark],
            count => {
                let half = self.draft.scratch.split_off(mark + count / 2);
                let left = self.concatenated(mark, span);
                self.draft.scratch.truncate(mark);
                self.draft.scratch.extend(half);
                let right = self.concatenated(mark, span);
                self.draft.scratch.truncate(mark);
                self.intrinsic(Intrinsic::StrConcat, &[left, right], Type::STR, span)
            }
        }
    }

    /// `{x:.9}`: fixed decimals of a float; every other specification is a later form.
    fn formatted(&mut self, value: ExprId, spec: &str, spec_span: Span) -> ExprId {
        let span = self.span_at(value);
        let ty = self.ty(value);
        if ty.fits_anywhere() {
            return if ty == Type::NEVER { value } else { self.error(span) };
        }
        let digits = spec.strip_prefix('.').map(|rest| rest.strip_suffix('f').unwrap_or(rest));
        let decimals = digits.filter(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit())).and_then(|d| d.parse::<u16>().ok());
        match decimals {
            Some(decimals) if ty == Type::FLOAT => {
                let count = self.int(i64::from(decimals), spec_span);
                self.intrinsic(Intrinsic::FloatToFixed, &[value, count], Type::STR, span)
            }
            Some(_) => self.refuse(spec_span, format!("format specification `{spec}` of {}", show(ty))),
            None => self.refuse(spec_span, format!("format specification `{spec}`")),
        }
    }

    fn convert_as(&mut self, value: tree::ExprId, target: tree::TypeId, span: Span) -> Result<ExprId> {
        let value = self.infer(value)?;
        let to = self.read_type(target)?;
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        let from = self.ty(value);
        if to == Type::ERROR || from == Type::ERROR {
            return Ok(self.error(span));
        }
        if from == to || from == Type::NEVER {
            return Ok(value);
        }
        let op = match (from, to) {
            (Type::INT, Type::FLOAT) => Intrinsic::IntToFloat,
            (Type::INT, Type::BYTE) => Intrinsic::IntToByte,
            (Type::INT, Type::CHAR) => Intrinsic::IntToChar,
            (Type::BYTE | Type::CHAR, Type::INT) => Intrinsic::DiscreteToInt,
            (Type::BYTE, Type::CHAR) => Intrinsic::ByteToChar,
            (Type::INT | Type::FLOAT | Type::BOOL | Type::CHAR | Type::BYTE, Type::STR) => return self.printed(value, span),
            _ => {
                if !from.has_variable()
                    && !to.has_variable()
                    && let Answer::Proven(_) = solve(from, TraitRef::new(Known::As.item(), &[to]), &self.given, self.cx)?
                {
                    return self.through_with(Known::As, &[from, to], &[value], to, span);
                }
                if self.lacks_silently(from)? {
                    return Ok(self.error(span));
                }
                let args = [show(from).into(), show(to).into(), "as".into()];
                let error = self.report(Code::E0310, span, args);
                match (from, to) {
                    (Type::FLOAT, Type::INT) => error.helps.push("use .truncate(), .round(), .floor() or .ceil()".into()),
                    (Type::STR, Type::INT) => error.helps.push("use 'as? int', or int(...) to panic on malformed text".into()),
                    (Type::STR, Type::FLOAT) => error.helps.push("use float(...) to panic on malformed text".into()),
                    (Type::BOOL, Type::INT) => error.helps.push("use int(...)".into()),
                    _ => {}
                }
                return Ok(self.error(span));
            }
        };
        Ok(self.intrinsic(op, &[value], to, span))
    }

    /// `value as? T`: what the library has for the pair of types.
    fn try_as(&mut self, value: tree::ExprId, target: tree::TypeId, span: Span) -> Result<ExprId> {
        let value = self.infer(value)?;
        let to = self.read_type(target)?;
        if !self.head_is_known(value)? {
            return Ok(self.error(span));
        }
        let from = self.ty(value);
        if to == Type::ERROR || from == Type::ERROR {
            return Ok(self.error(span));
        }
        if from == Type::NEVER {
            return Ok(value);
        }
        let Some(function) = prelude::conversion(from, to) else {
            if !from.has_variable()
                && !to.has_variable()
                && let Answer::Proven(_) = solve(from, TraitRef::new(Known::TryAs.item(), &[to]), &self.given, self.cx)?
            {
                return self.through_with(Known::TryAs, &[from, to], &[value], prelude::option_of(to), span);
            }
            if !self.lacks_silently(from)? {
                self.report(Code::E0310, span, [show(from).into(), show(to).into(), "as?".into()]);
            }
            return Ok(self.error(span));
        };
        let args = self.draft.body.lists.add([value]);
        Ok(self.push(Expr::Call(function, args), prelude::option_of(to), span))
    }

    /// A condition: `bool`, with the construct as reason.
    pub(super) fn condition(&mut self, id: tree::ExprId, what: &'static str) -> Result<ExprId> {
        self.check(id, Type::BOOL, Why::Condition(what))
    }

    /// Is a report about something that the type lacks a mere consequence of a refused impl?
    pub(super) fn lacks_silently(&mut self, ty: Type) -> Result<bool> {
        let silent = match ty.kind() {
            TypeKind::Error | TypeKind::Never => true,
            TypeKind::Struct(item, _) if self.scope.refuses_impls || self.cx.scope(item.module())?.refuses_impls => true,
            TypeKind::Struct(item, _) if !prelude::is_predeclared(item) => false,
            _ => prelude::head(ty).is_some_and(|head| self.scope.orphans.contains(&head.name())),
        };
        self.poisoned |= silent;
        Ok(silent)
    }
}
