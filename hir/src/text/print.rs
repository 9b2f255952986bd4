//! A typed tree to lines.

use std::collections::BTreeSet;
use std::fmt::Write;

use ir::text::writer;
use ir::{Column, ItemId, Stop, Symbol};

use super::{DEEPEST, VERSION, in_order, roots};
use crate::ir::{Arm, Expr, ExprId, ExprTag, ForId, LocalId, LoopId, Pattern, PatternId, Source};
use crate::program::{CodeType, Context, Given, TraitRef, TypeDefinition};
use crate::resolve::objects::traits_of;
use crate::resolve::prelude;
use crate::resolve::solve::{Answer, Evidence, impls_for, solve};
use crate::walk::{Child, arms, children, first_operand, parts};
use crate::{Body, Type, TypeKind, types};

/// The dump of one body, with its header and declarations.
pub fn print(body: &Body, cx: &dyn Context) -> Result<String, Stop> {
    print_file(&[body], cx)
}

/// The dump of several bodies: a file that stands alone.
pub fn print_file(bodies: &[&Body], cx: &dyn Context) -> Result<String, Stop> {
    let mut out = String::new();
    writer::header(&mut out, "hir", "typed", VERSION, &[]);
    declarations(&mut out, bodies, cx)?;
    for body in all(bodies) {
        function(&mut out, body);
    }
    Ok(out)
}

/// The bodies with their lambdas, each behind the body it stands in.
fn all<'a>(bodies: &'a [&'a Body]) -> impl Iterator<Item = &'a Body> {
    bodies.iter().flat_map(|body| std::iter::once(*body).chain(&body.lambdas))
}

fn declarations(out: &mut String, bodies: &[&Body], cx: &dyn Context) -> Result<(), Stop> {
    let mut structs: BTreeSet<ItemId> = BTreeSet::new();
    let mut functions: BTreeSet<ItemId> = BTreeSet::new();
    let mut evidence: BTreeSet<String> = BTreeSet::new();
    let mut constants: BTreeSet<ItemId> = BTreeSet::new();
    let mut open: Vec<Type> = Vec::new();
    for body in all(bodies) {
        for (expr, &ty) in body.exprs.rows().iter().zip(body.types.rows()) {
            match expr {
                &Expr::Object(value) => {
                    let of = body.types.get(value).copied().unwrap_or(Type::ERROR);
                    for interface in traits_of(ty) {
                        evidence.extend(evidence_for(of, interface.item(), cx)?);
                    }
                }
                Expr::Call(item, _) | Expr::Closure(item, _) => {
                    functions.insert(types::instance_of(*item).0);
                    evidence.extend(evidence_of(*item, cx)?);
                }
                Expr::Constant(item) => {
                    constants.insert(*item);
                }
                _ => {}
            }
        }
        open.extend(body.types.rows().iter().filter(|ty| is_compound(**ty)));
        open.extend(body.locals.rows().iter().map(|local| local.ty).filter(|ty| is_compound(*ty)));
        open.push(body.result);
    }
    // The bodies of the file are declared by their own first lines.
    for body in all(bodies) {
        functions.remove(&types::instance_of(body.owner).0);
    }
    for &function in &functions {
        if let Some(code) = CodeType::generic(function, cx)? {
            open.extend((0..code.count()).map(|i| code.param(i)));
            open.push(code.result());
        }
    }
    for &constant in &constants {
        open.extend(cx.constant_type(constant)?);
    }
    while let Some(ty) = open.pop() {
        match ty.kind() {
            TypeKind::Struct(item, args) => {
                open.extend(args);
                if structs.insert(item)
                    && let Some(definition) = cx.type_definition(item)?
                {
                    open.extend(definition.fields.iter().map(|(_, ty)| *ty));
                    open.extend(definition.variants.iter().flat_map(|v| &v.payload).map(|(_, ty)| *ty));
                }
            }
            TypeKind::Tuple(elements) => open.extend(elements),
            TypeKind::List(element) => open.push(element),
            TypeKind::Function(params, result) => {
                open.extend(params);
                open.push(result);
            }
            _ => {}
        }
    }
    for item in structs {
        let Some(definition) = cx.type_definition(item)? else { continue };
        let _ = write!(out, ";! type {} = ", Type::structure(item, &types::parameters(&definition.generics)));
        definition_text(out, &definition);
        out.push('\n');
    }
    for item in functions {
        let Some(code) = CodeType::generic(item, cx)? else { continue };
        let _ = write!(out, ";! fn @{}(", types::instance(item, &types::parameters(code.generics())));
        for i in 0..code.count() {
            let _ = write!(out, "{}{}", if i > 0 { ", " } else { "" }, code.param(i));
        }
        let _ = writeln!(out, ") -> {}", code.result());
    }
    for body in all(bodies) {
        let (base, _) = types::instance_of(body.owner);
        if cx.signature(base)?.is_some_and(|signature| signature.promised.is_some())
            && let Some(code) = CodeType::generic(base, cx)?
        {
            let _ = writeln!(out, ";! gives @{base} = {}", code.result());
        }
    }
    for line in evidence {
        let _ = writeln!(out, ";! {line}");
    }
    for item in constants {
        let Some(ty) = cx.constant_type(item)? else { continue };
        let _ = writeln!(out, ";! const @{item}: {ty}");
    }
    Ok(())
}

/// What a call of the method of a trait needs to be judged again: `trait m.Tr = @m.Tr'a`, `impl m.P: m.Tr = @m.P'Tr'a`. Only of traits without type
/// parameters, supertraits and associated types, which these lines could not say; others are not judged where a dump is read.
fn evidence_of(item: ItemId, cx: &dyn Context) -> Result<Vec<String>, Stop> {
    let (method, args) = types::instance_of(item);
    let &[this, ..] = args else { return Ok(Vec::new()) };
    let Some(owner) = cx.signature(method)?.and_then(|signature| signature.owner) else { return Ok(Vec::new()) };
    evidence_for(this, owner, cx)
}

/// The same for a type and a trait.
fn evidence_for(this: Type, owner: ItemId, cx: &dyn Context) -> Result<Vec<String>, Stop> {
    let Some(definition) = cx.trait_definition(owner)? else { return Ok(Vec::new()) };
    let is_plain = definition.generics.is_empty() && definition.supertraits.is_empty() && definition.associated.is_empty();
    if !is_plain || prelude::is_predeclared(owner) || this.has_parameter() {
        return Ok(Vec::new());
    }
    let interface = Type::plain_struct(owner);
    let names = |methods: &mut dyn Iterator<Item = ItemId>| methods.map(|method| format!(" @{method}")).collect::<String>();
    let mut lines = vec![format!("trait {interface} ={}", names(&mut definition.methods.iter().map(|method| method.item)))];
    if let Answer::Proven(Evidence::Impl(found, _)) = solve(this, TraitRef::new(owner, &[]), &Given::default(), cx)? {
        let rows = cx.trait_impls(owner, impls_for(this, owner))?;
        let own = rows.iter().find(|row| row.item == found).map_or(&[][..], |row| &row.methods[..]);
        lines.push(format!("impl {this}: {interface} ={}", names(&mut own.iter().map(|&(_, method)| method))));
    }
    Ok(lines)
}

/// `{f: int}`, or `A | B(int) | C(f: int)` where there is something to choose.
fn definition_text(out: &mut String, definition: &TypeDefinition) {
    let list = |out: &mut String, fields: &[(Symbol, Type)], is_named: bool| {
        for (i, (name, ty)) in fields.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            let _ = if is_named { write!(out, "{name}: {ty}") } else { write!(out, "{ty}") };
        }
    };
    let Some(variants) = definition.choices() else {
        out.push('{');
        list(out, &definition.fields, true);
        out.push('}');
        return;
    };
    for (i, variant) in variants.iter().enumerate() {
        let _ = write!(out, "{}{}", if i > 0 { " | " } else { "" }, variant.name);
        if !variant.payload.is_empty() {
            out.push('(');
            list(out, &variant.payload, variant.is_named);
            out.push(')');
        }
    }
}

fn is_compound(ty: Type) -> bool {
    ty.raw() > Type::NEVER.raw()
}

struct Printer<'a> {
    out: &'a mut String,
    body: &'a Body,
    numbers: Column<ExprTag, u32>,
    /// Numbers of locals and loops, in the order in which they appear.
    locals: Vec<u32>,
    next_local: u32,
    loops: Vec<u32>,
    next_loop: u32,
    seen: Column<ExprTag, bool>,
}

const UNSEEN: u32 = u32::MAX;

fn function(out: &mut String, body: &Body) {
    out.push_str("fn ");
    writer::name(out, &body.owner.to_string());
    out.push('(');
    let mut locals = vec![UNSEEN; body.locals.len()];
    for (i, &param) in body.params.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        let ty = body.locals.get(param).map_or(Type::ERROR, |local| local.ty);
        writer::definition(out, i as u32, "", &ty.to_string());
        if let Some(number) = locals.get_mut(param.index()) {
            *number = i as u32;
        }
    }
    let _ = writeln!(out, ") -> {} {{", body.result);
    let mut printer = Printer {
        out,
        body,
        numbers: in_order(body),
        locals,
        next_local: body.params.len() as u32,
        loops: vec![UNSEEN; body.loops.len()],
        next_loop: 0,
        seen: Column::filled(false, body.exprs.len()),
    };
    for root in roots(body) {
        printer.expr(root, 1, 0);
    }
    out.push_str("}\n");
}

impl Printer<'_> {
    fn indent(&mut self, indent: usize) {
        for _ in 0..indent {
            self.out.push_str("  ");
        }
    }

    fn value(&mut self, expr: ExprId) {
        // One that is not there gets the number behind all others, which reads back as one that is not there.
        let number = self.numbers.get(expr).copied().filter(|&number| number != UNSEEN).unwrap_or(self.numbers.len() as u32);
        // Numbers of values start behind those of the parameters.
        writer::value(self.out, number.saturating_add(self.body.params.len() as u32));
    }

    fn local(&mut self, local: LocalId) {
        let number = match self.locals.get_mut(local.index()) {
            Some(number) => {
                if *number == UNSEEN {
                    *number = self.next_local;
                    self.next_local += 1;
                }
                *number
            }
            None => local.raw(),
        };
        let name = self.body.locals.get(local).map_or(Symbol::new("_"), |local| local.name);
        let _ = write!(self.out, "{name}.{number}");
    }

    /// A local where it is declared: name, `mut`, and its type when it is not the obvious one.
    fn declared(&mut self, local: LocalId, obvious: Type) {
        self.local(local);
        let Some(local) = self.body.locals.get(local) else { return };
        if local.mutable {
            self.out.push_str(", mut");
        }
        if local.ty != obvious {
            self.out.push_str(", ");
            writer::string(self.out, &local.ty.to_string());
        }
    }

    fn loop_name(&mut self, id: LoopId) {
        let number = match self.loops.get_mut(id.index()) {
            Some(number) => {
                if *number == UNSEEN {
                    *number = self.next_loop;
                    self.next_loop += 1;
                }
                *number
            }
            None => id.raw(),
        };
        match self.body.loops.get(id) {
            Some(Some(label)) => {
                let _ = write!(self.out, "{label}.{number}");
            }
            Some(None) | None => {
                let _ = write!(self.out, "_.{number}");
            }
        }
    }

    fn ty(&self, expr: ExprId) -> Type {
        self.body.types.get(expr).copied().unwrap_or(Type::ERROR)
    }

    /// The lines of an expression: operands, its own line, regions.
    fn expr(&mut self, expr: ExprId, indent: usize, depth: u32) {
        if depth > DEEPEST {
            return;
        }
        let body = self.body;
        let mut spine: Vec<ExprId> = Vec::new();
        let mut next = Some(expr);
        while let Some(expr) = next {
            match self.seen.get(expr) {
                // Broken trees print what there is; the verifier has the codes.
                None | Some(true) => break,
                Some(false) => self.seen[expr] = true,
            }
            spine.push(expr);
            next = first_operand(body, body.exprs[expr]);
        }
        for expr in spine.into_iter().rev() {
            self.line(expr, indent, depth);
        }
    }

    /// The lines of an expression whose first operand has been printed, if it is of those that are followed without recursion.
    fn line(&mut self, expr: ExprId, indent: usize, depth: u32) {
        let body = self.body;
        let mut operands: Vec<ExprId> = Vec::new();
        children(body, body.exprs[expr], |child| {
            if let Child::Operand(operand) = child {
                operands.push(operand);
            }
        });
        for &operand in &operands {
            self.expr(operand, indent, depth + 1);
        }
        self.indent(indent);
        self.value(expr);
        let _ = write!(self.out, ": {} = ", self.ty(expr));
        self.own(expr, body.exprs[expr], &operands, indent, depth);
        self.out.push('\n');
    }

    fn place(&mut self, expr: ExprId) {
        if let Some((line, column)) = self.body.places.get(expr) {
            self.out.push_str(" !");
            writer::position(self.out, line, column);
        }
    }

    fn values(&mut self, values: &[ExprId], mut separator: &'static str) {
        for &value in values {
            self.out.push_str(separator);
            separator = ", ";
            self.value(value);
        }
    }

    fn region(&mut self, root: ExprId, indent: usize, depth: u32) {
        self.out.push_str(" {\n");
        self.expr(root, indent + 1, depth + 1);
        self.indent(indent);
        self.out.push('}');
    }

    fn own(&mut self, id: ExprId, expr: Expr, operands: &[ExprId], indent: usize, depth: u32) {
        let body = self.body;
        match expr {
            Expr::Int(value) => {
                let _ = write!(self.out, "int {value}");
            }
            Expr::Float(bits) => {
                self.out.push_str("float ");
                writer::bits(self.out, bits);
            }
            Expr::Bool(value) => {
                let _ = write!(self.out, "bool {value}");
            }
            Expr::Char(value) => {
                let _ = write!(self.out, "char {}", u32::from(value));
            }
            Expr::Byte(value) => {
                let _ = write!(self.out, "byte {value}");
            }
            Expr::Str(text) => {
                self.out.push_str("str ");
                writer::string(self.out, text.as_str());
            }
            Expr::Unit => self.out.push_str("unit"),
            Expr::Local(local) => {
                self.out.push_str("local ");
                self.local(local);
            }
            Expr::Constant(item) => {
                self.out.push_str("constant ");
                writer::name(self.out, &item.to_string());
            }
            Expr::Call(item, _) => {
                self.out.push_str("call ");
                writer::name(self.out, &item.to_string());
                self.values(operands, ", ");
            }
            Expr::Closure(item, _) => {
                self.out.push_str("closure ");
                writer::name(self.out, &item.to_string());
                self.values(operands, ", ");
            }
            Expr::CallValue(..) => {
                self.out.push_str("call_value");
                self.values(operands, " ");
            }
            Expr::Intrinsic(op, _) => {
                self.out.push_str(op.name());
                self.values(operands, " ");
            }
            Expr::Aggregate(_) => {
                self.out.push_str("aggregate");
                self.values(operands, " ");
            }
            Expr::Variant(number, _) => {
                let _ = write!(self.out, "variant {number}");
                self.values(operands, ", ");
            }
            Expr::Field(value, index) => {
                self.out.push_str("field ");
                self.value(value);
                let _ = write!(self.out, ", {index}");
            }
            Expr::Object(value) => {
                self.out.push_str("object ");
                self.value(value);
            }
            Expr::Let(local, value) => {
                self.out.push_str("let ");
                self.declared(local, self.ty(value));
                self.values(operands, ", ");
            }
            Expr::Assign { local, path, .. } => {
                self.out.push_str("assign ");
                self.local(local);
                for index in body.path(path) {
                    let _ = write!(self.out, ", {index}");
                }
                self.values(operands, ", ");
            }
            Expr::Block { tail, .. } => {
                self.out.push_str("block");
                self.values(operands, " ");
                if tail {
                    self.out.push_str(if operands.is_empty() { " tail" } else { ", tail" });
                }
            }
            Expr::If { condition, .. } => {
                self.out.push_str("if ");
                self.value(condition);
            }
            Expr::And(left, _) => {
                self.out.push_str("and ");
                self.value(left);
            }
            Expr::Or(left, _) => {
                self.out.push_str("or ");
                self.value(left);
            }
            Expr::Match { scrutinee, .. } => {
                self.out.push_str("match ");
                self.value(scrutinee);
            }
            Expr::Loop { id, .. } => {
                self.out.push_str("loop ");
                self.loop_name(id);
            }
            Expr::While { id, .. } => {
                self.out.push_str("while ");
                self.loop_name(id);
            }
            Expr::For(parts) => self.for_line(parts, operands),
            Expr::Break(id, value) => {
                self.out.push_str("break ");
                self.loop_name(id);
                if value.is_some() {
                    self.values(operands, ", ");
                }
            }
            Expr::Continue(id) => {
                self.out.push_str("continue ");
                self.loop_name(id);
            }
            Expr::Catch(_) => self.out.push_str("catch"),
            Expr::Return(_) => {
                self.out.push_str("return");
                self.values(operands, " ");
            }
        }
        if let Expr::Match { scrutinee, arms: list } = expr {
            self.arms(id, scrutinee, arms(body, list), indent, depth);
            return;
        }
        self.place(id);
        match expr {
            Expr::If { then, otherwise, .. } => {
                self.region(then, indent, depth);
                if let Some(otherwise) = otherwise {
                    self.out.push_str(" else");
                    self.region(otherwise, indent, depth);
                }
            }
            Expr::And(_, right) | Expr::Or(_, right) => self.region(right, indent, depth),
            Expr::While { condition, body, .. } => {
                self.region(condition, indent, depth);
                self.out.push_str(" do");
                self.region(body, indent, depth);
            }
            Expr::Loop { body, .. } | Expr::Catch(body) => self.region(body, indent, depth),
            Expr::For(parts) => {
                if let Some(parts) = body.fors.get(parts) {
                    self.region(parts.body, indent, depth);
                }
            }
            _ => {}
        }
    }

    fn for_line(&mut self, parts: ForId, operands: &[ExprId]) {
        let Some(&parts) = self.body.fors.get(parts) else {
            self.out.push_str("for_list");
            return;
        };
        let (op, item) = match parts.source {
            Source::Range { .. } => ("for_range ", Type::INT),
            Source::List(list) => match self.ty(list).kind() {
                TypeKind::List(element) => ("for_list ", element),
                _ => ("for_list ", Type::ERROR),
            },
        };
        self.out.push_str(op);
        self.loop_name(parts.id);
        self.out.push_str(", ");
        self.declared(parts.local, item);
        self.values(operands, ", ");
        if let Source::Range { inclusive: true, .. } = parts.source {
            self.out.push_str(", inclusive");
        }
    }

    /// The arms: what an arm tests stands before its region, for the first one on the line of the match itself.
    fn arms(&mut self, id: ExprId, scrutinee: ExprId, arms: &[Arm], indent: usize, depth: u32) {
        let matched = self.ty(scrutinee);
        for (i, arm) in arms.iter().enumerate() {
            if i > 0 {
                self.out.push_str(" case");
            }
            self.pattern(arm.pattern, matched, 0);
            if arm.guard.is_some() {
                self.out.push_str(", guard");
            }
            if i == 0 {
                self.place(id);
            }
            if let Some(guard) = arm.guard {
                self.region(guard, indent, depth);
                self.out.push_str(" then");
            }
            self.region(arm.body, indent, depth);
        }
        if arms.is_empty() {
            self.place(id);
        }
    }

    /// A pattern in prefix form: what it is, then its parts. `obvious` is its type where that is known without looking at declarations.
    fn pattern(&mut self, pattern: PatternId, obvious: Type, depth: u32) {
        let Some(&row) = self.body.patterns.get(pattern).filter(|_| depth <= DEEPEST) else {
            self.out.push_str(", dangling");
            return;
        };
        let list = match row {
            Pattern::Any => return self.out.push_str(", any"),
            Pattern::Bind(local, inner) => {
                self.out.push_str(", bind, ");
                self.declared(local, obvious);
                return self.pattern(inner, obvious, depth + 1);
            }
            Pattern::Range(low, high) => {
                let _ = write!(self.out, ", {low}, {high}");
                return;
            }
            Pattern::Str(text) => {
                self.out.push_str(", ");
                writer::string(self.out, text.as_str());
                return;
            }
            Pattern::Float(bits) => {
                self.out.push_str(", ");
                writer::bits(self.out, bits);
                return;
            }
            Pattern::Fields(list) => {
                let _ = write!(self.out, ", fields, {}", list.len());
                list
            }
            Pattern::Variant(number, list) => {
                let _ = write!(self.out, ", variant, {number}, {}", list.len());
                list
            }
            Pattern::List(list, has_rest) => {
                let _ = write!(self.out, ", {}, {}", if has_rest { "list_rest" } else { "list" }, list.len());
                list
            }
            Pattern::Or(list) => {
                let _ = write!(self.out, ", or, {}", list.len());
                list
            }
        };
        let obvious = if matches!(row, Pattern::Or(_)) { obvious } else { Type::ERROR };
        for &part in parts(self.body, list) {
            self.pattern(part, obvious, depth + 1);
        }
    }
}
