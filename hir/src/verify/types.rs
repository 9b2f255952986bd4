//! H02 and H04: the type of each expression against its parts, one rule at a time. No recursion: every expression that is reached is judged
//! by itself, from the types of its children.

use std::sync::Arc;

use ir::{ItemId, List, Stop};

use super::{Rule, Verifier};
use crate::exhaustive::judge;
use crate::ir::{Arm, Expr, ExprId, LocalId, Pattern, PatternId, Source};
use crate::ops::Shape;
use crate::program::{CodeType, TraitRef, TypeDefinition};
use crate::resolve::instances::instance_of;
use crate::resolve::objects::traits_of;
use crate::resolve::solve::{Answer, Evidence, own_method, solve};
use crate::{Intrinsic, Type, TypeKind};

/// What the body says about a loop.
#[derive(Clone, Copy, Default)]
struct LoopFacts {
    /// Does a `break` leave it?
    is_left: bool,
    /// The type of a `loop`; other loops take no value.
    ty: Option<Type>,
}

/// What was found out about a type that is not built in; asking takes a lock, and for structs a query.
#[derive(Clone)]
pub(super) struct Known {
    ty: Type,
    is_open: bool,
    fields: Fields,
}

#[derive(Clone)]
enum Fields {
    None,
    Unknown,
    Tuple(&'static [Type]),
    Struct(Arc<TypeDefinition>, &'static [Type]),
    /// Variants instead: a sum of several.
    Sum(Arc<TypeDefinition>),
}

impl Fields {
    fn len(&self) -> usize {
        match self {
            Fields::None | Fields::Unknown | Fields::Sum(_) => 0,
            Fields::Tuple(types) => types.len(),
            Fields::Struct(definition, _) => definition.fields.len(),
        }
    }

    fn get(&self, index: usize) -> Option<Type> {
        match self {
            Fields::None | Fields::Unknown | Fields::Sum(_) => None,
            Fields::Tuple(types) => types.get(index).copied(),
            Fields::Struct(definition, args) => definition.field(index, args),
        }
    }
}

#[inline]
fn fits(found: Type, wanted: Type) -> bool {
    found == wanted || found == Type::NEVER
}

impl Verifier<'_> {
    fn ty(&self, expr: ExprId) -> Type {
        self.body.types[expr]
    }

    fn local_type(&self, local: LocalId) -> Type {
        self.body.locals[local].ty
    }

    pub(super) fn types(&mut self) -> Result<(), Stop> {
        let body = self.body;
        // A lambda has the type parameters of the item around it, and what is known of them.
        let (base, _) = crate::types::instance_of(body.owner);
        let around = base.of_lambda().map_or(base, |(around, _)| around);
        if let Some(signature) = self.cx.signature(around)? {
            self.given = signature.given.clone();
            self.parameters = signature.generics.len();
        }
        if let Some(code) = CodeType::of(body.owner, &self.given, self.cx)? {
            self.parameters = code.generics().len();
            let same = code.count() == body.params.len()
                && body.params.iter().enumerate().all(|(i, &local)| code.param(i) == self.local_type(local));
            // A hidden result is judged where it is made known.
            let is_hidden = self.cx.signature(base)?.is_some_and(|signature| signature.promised.is_some());
            if !same || !is_hidden && code.result() != body.result {
                self.report_whole(Rule::Parameters, "parameters and result are not those of the signature".into());
            }
        }
        if !fits(self.ty(body.root), body.result) {
            let message = format!("the root is {}, the body {}", self.ty(body.root), body.result);
            self.report(Rule::RootType, body.root, message);
        }
        // Loops first: the type of a `loop` depends on its breaks, and theirs on it.
        let mut loops = vec![LoopFacts::default(); body.loops.len()];
        if !loops.is_empty() {
            for (id, &expr) in body.exprs.iter() {
                match expr {
                    Expr::Break(target, value) if value.is_none_or(|value| self.ty(value) != Type::NEVER) => {
                        loops[target.index()].is_left = true;
                    }
                    Expr::Loop { id: own, .. } => loops[own.index()].ty = Some(self.ty(id)),
                    _ => {}
                }
            }
        }
        for (local, row) in body.locals.iter() {
            if self.is_open(row.ty)? {
                self.report_whole(Rule::OpenType, format!("local {} has type {}", local.raw(), row.ty));
            }
        }
        // Every expression was reached from the root, so their order does not matter.
        for ((id, &expr), &ty) in body.exprs.iter().zip(body.types.rows()) {
            if self.is_open(ty)? {
                self.report(Rule::OpenType, id, format!("the type {ty} is open"));
                continue;
            }
            if ty.has_parameter() && !self.is_own(ty) {
                self.report(Rule::TypeParameter, id, format!("the type {ty} has a type parameter of another item"));
                continue;
            }
            // Most expressions are these three.
            if let Expr::Local(local) = expr {
                self.own(Rule::LeafType, id, ty, self.local_type(local));
            } else if let Expr::Int(_) = expr {
                self.own(Rule::LeafType, id, ty, Type::INT);
            } else if let Expr::Intrinsic(op, args) = expr {
                self.intrinsic(id, ty, op, args)?;
            } else {
                self.expr(id, expr, ty, &loops)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn is_open(&mut self, ty: Type) -> Result<bool, Stop> {
        if is_built_in(ty) {
            return Ok(false);
        }
        self.known(ty).map(|known| known.is_open)
    }

    /// Are the type parameters in a type those of the item?
    fn is_own(&self, ty: Type) -> bool {
        let mut all = true;
        ty.replaced(&mut |part| {
            if let TypeKind::Parameter(index, _) = part.kind() {
                all &= (index as usize) < self.parameters;
            }
            None
        });
        all
    }

    /// What there is to know about a type.
    fn known(&mut self, ty: Type) -> Result<&Known, Stop> {
        if let Some(at) = self.known.iter().position(|known| known.as_ref().is_some_and(|known| known.ty == ty)) {
            let fresh = || Known { ty, is_open: is_open(ty), fields: Fields::None };
            return Ok(self.known[at].get_or_insert_with(fresh));
        }
        let fields = match ty.kind() {
            TypeKind::Tuple(types) => Fields::Tuple(types),
            TypeKind::Struct(item, args) => match self.cx.type_definition(item)? {
                Some(definition) if definition.choices().is_none() && !definition.has_associated() => Fields::Struct(definition, args),
                Some(_) => match instance_of(item, args, &self.given, self.cx)? {
                    Some(definition) if definition.choices().is_some() => Fields::Sum(definition),
                    Some(definition) => Fields::Struct(definition, &[]),
                    None => Fields::Unknown,
                },
                None => Fields::Unknown,
            },
            _ => Fields::None,
        };
        let at = self.next % self.known.len();
        self.next += 1;
        Ok(self.known[at].insert(Known { ty, is_open: is_open(ty), fields }))
    }

    #[inline]
    fn expect(&mut self, rule: Rule, at: ExprId, what: impl std::fmt::Display, found: Type, wanted: Type) {
        if !fits(found, wanted) && !self.is_unjudged(wanted) {
            self.report(rule, at, format!("{what} is {found}, expected {wanted}"));
        }
    }

    /// The type of the expression itself, where `Never` is no way out.
    #[inline]
    fn own(&mut self, rule: Rule, at: ExprId, found: Type, wanted: Type) {
        if found != wanted && !self.is_unjudged(wanted) {
            self.report(rule, at, format!("the expression is {found}, expected {wanted}"));
        }
    }

    fn expr(&mut self, id: ExprId, expr: Expr, ty: Type, loops: &[LoopFacts]) -> Result<(), Stop> {
        let body = self.body;
        match expr {
            Expr::Int(_) => self.own(Rule::LeafType, id, ty, Type::INT),
            Expr::Float(_) => self.own(Rule::LeafType, id, ty, Type::FLOAT),
            Expr::Bool(_) => self.own(Rule::LeafType, id, ty, Type::BOOL),
            Expr::Char(_) => self.own(Rule::LeafType, id, ty, Type::CHAR),
            Expr::Byte(_) => self.own(Rule::LeafType, id, ty, Type::BYTE),
            Expr::Str(_) => self.own(Rule::LeafType, id, ty, Type::STR),
            Expr::Unit => self.own(Rule::LeafType, id, ty, Type::VOID),
            Expr::Local(local) => self.own(Rule::LeafType, id, ty, self.local_type(local)),
            Expr::Constant(item) => match self.cx.constant_type(item)? {
                Some(wanted) => self.own(Rule::LeafType, id, ty, wanted),
                None => self.report(Rule::UnknownItem, id, format!("constant {item} is not known")),
            },
            Expr::Call(item, args) => self.call(id, ty, item, args)?,
            Expr::Closure(item, captures) => self.closure(id, ty, item, captures)?,
            Expr::CallValue(callee, args) => self.call_value(id, ty, callee, args),
            Expr::Intrinsic(op, args) => self.intrinsic(id, ty, op, args)?,
            Expr::Aggregate(args) => {
                if let TypeKind::List(element) = ty.kind() {
                    for (i, &value) in body.lists[args].iter().enumerate() {
                        self.expect(Rule::AggregateShape, id, format_args!("element {i}"), self.ty(value), element);
                    }
                    return Ok(());
                }
                let Some(types) = self.fields(Rule::AggregateShape, id, ty)? else { return Ok(()) };
                let values = &body.lists[args];
                if values.len() != types.len() {
                    self.report(Rule::AggregateShape, id, format!("{} values for {} fields", values.len(), types.len()));
                }
                for (i, &value) in values.iter().enumerate() {
                    if let Some(wanted) = types.get(i) {
                        self.expect(Rule::AggregateShape, id, format_args!("field {i}"), self.ty(value), wanted);
                    }
                }
            }
            Expr::Variant(number, args) => {
                let known = if is_built_in(ty) { Fields::None } else { self.known(ty)?.fields.clone() };
                let payload = match &known {
                    Fields::Sum(definition) => definition.variants.get(number as usize).map(|v| &v.payload[..]),
                    Fields::None | Fields::Unknown | Fields::Tuple(_) | Fields::Struct(..) => None,
                };
                let Some(payload) = payload else {
                    self.report(Rule::VariantShape, id, format!("{ty} has no variant {number}"));
                    return Ok(());
                };
                let values = &body.lists[args];
                if values.len() != payload.len() {
                    self.report(Rule::VariantShape, id, format!("{} values for a payload of {}", values.len(), payload.len()));
                }
                for (i, (&value, &(_, wanted))) in values.iter().zip(payload).enumerate() {
                    self.expect(Rule::VariantShape, id, format_args!("payload {i}"), self.ty(value), wanted);
                }
            }
            Expr::Field(value, index) => {
                let of = self.ty(value);
                if of == Type::NEVER {
                    return Ok(());
                }
                let Some(types) = self.fields(Rule::FieldShape, id, of)? else { return Ok(()) };
                match types.get(index as usize) {
                    Some(wanted) => self.own(Rule::FieldShape, id, ty, wanted),
                    None => self.report(Rule::FieldShape, id, format!("{of} has no field {index}")),
                }
            }
            Expr::Let(local, value) => {
                self.own(Rule::LetType, id, ty, Type::VOID);
                self.expect(Rule::LetType, id, "the initialiser", self.ty(value), self.local_type(local));
            }
            Expr::Assign { local, path, value } => {
                self.own(Rule::AssignType, id, ty, Type::VOID);
                if !body.locals[local].mutable {
                    self.report(Rule::AssignImmutable, id, format!("local {} is immutable", local.raw()));
                }
                let mut wanted = self.local_type(local);
                for &index in body.path(path) {
                    let Some(types) = self.fields(Rule::FieldShape, id, wanted)? else { return Ok(()) };
                    match types.get(index as usize) {
                        Some(inner) => wanted = inner,
                        None => {
                            self.report(Rule::FieldShape, id, format!("{wanted} has no field {index}"));
                            return Ok(());
                        }
                    }
                }
                self.expect(Rule::AssignType, id, "the value", self.ty(value), wanted);
            }
            Expr::Block { statements, tail } => self.block(id, ty, statements, tail),
            Expr::If { condition, then, otherwise } => {
                self.expect(Rule::ConditionType, id, "the condition", self.ty(condition), Type::BOOL);
                match otherwise {
                    None => {
                        self.own(Rule::JoinType, id, ty, Type::VOID);
                        self.expect(Rule::JoinType, id, "the branch", self.ty(then), Type::VOID);
                    }
                    Some(otherwise) => self.join(id, &[self.ty(then), self.ty(otherwise)]),
                }
            }
            Expr::And(left, right) | Expr::Or(left, right) => {
                self.own(Rule::ConditionType, id, ty, Type::BOOL);
                self.expect(Rule::ConditionType, id, "the left operand", self.ty(left), Type::BOOL);
                self.expect(Rule::ConditionType, id, "the right operand", self.ty(right), Type::BOOL);
            }
            Expr::Match { scrutinee, arms } => self.arms(id, scrutinee, arms)?,
            Expr::Loop { id: own, .. } => {
                let any = loops[own.index()].is_left;
                if any == (ty == Type::NEVER) {
                    let what = if any { "has breaks but is Never" } else { "has no break but a value" };
                    self.report(Rule::LoopType, id, format!("the loop {what}"));
                }
            }
            Expr::Catch(value) => {
                let of = self.ty(value);
                let fits = hir_result(ty).is_some_and(|(value, error)| error == Type::STR && (of == value || of == Type::NEVER));
                if !fits {
                    self.report(Rule::JoinType, id, format!("what catches {of} is {ty}"));
                }
            }
            Expr::While { condition, .. } => {
                self.own(Rule::LoopType, id, ty, Type::VOID);
                self.expect(Rule::ConditionType, id, "the condition", self.ty(condition), Type::BOOL);
            }
            Expr::For(parts) => {
                self.own(Rule::LoopType, id, ty, Type::VOID);
                let Some(&parts) = body.fors.get(parts) else { return Ok(()) };
                match parts.source {
                    Source::Range { start, end, step, .. } => {
                        for bound in [Some(start), Some(end), step].into_iter().flatten() {
                            self.expect(Rule::LoopSource, id, "a bound", self.ty(bound), Type::INT);
                        }
                        self.variable(id, parts.local, Type::INT);
                    }
                    Source::List(list) => match self.ty(list).kind() {
                        TypeKind::List(element) => self.variable(id, parts.local, element),
                        _ => self.report(Rule::LoopSource, id, format!("the source is {}", self.ty(list))),
                    },
                }
            }
            Expr::Break(target, value) => {
                self.own(Rule::BreakValue, id, ty, Type::NEVER);
                match (loops[target.index()].ty, value) {
                    (None, None) | (Some(Type::VOID | Type::NEVER), None) => {}
                    (None, Some(_)) => self.report(Rule::BreakValue, id, "the loop takes no value".into()),
                    (Some(wanted), None) => self.report(Rule::BreakValue, id, format!("the loop is {wanted}, but there is no value")),
                    (Some(wanted), Some(value)) => self.expect(Rule::BreakValue, id, "the value", self.ty(value), wanted),
                }
            }
            Expr::Continue(_) => self.own(Rule::BreakValue, id, ty, Type::NEVER),
            Expr::Object(value) => self.object(id, ty, self.ty(value))?,
            Expr::Return(value) => {
                self.own(Rule::ReturnValue, id, ty, Type::NEVER);
                self.expect(Rule::ReturnValue, id, "the value", self.ty(value), body.result);
            }
        }
        Ok(())
    }

    fn variable(&mut self, id: ExprId, local: LocalId, wanted: Type) {
        let found = self.local_type(local);
        if found != wanted || self.body.locals[local].mutable {
            self.report(Rule::LoopSource, id, format!("the loop variable is {found}, expected an immutable {wanted}"));
        }
    }

    /// Types of the parts of a tuple or struct; `None` after a report, of the rule when the type has none.
    fn fields(&mut self, rule: Rule, id: ExprId, ty: Type) -> Result<Option<Fields>, Stop> {
        let fields = if is_built_in(ty) { Fields::None } else { self.known(ty)?.fields.clone() };
        match fields {
            Fields::None | Fields::Sum(_) => self.report(rule, id, format!("{ty} has no fields")),
            Fields::Unknown => self.report(Rule::UnknownItem, id, format!("type {ty} is not known")),
            Fields::Tuple(_) | Fields::Struct(..) => return Ok(Some(fields)),
        }
        Ok(None)
    }

    fn call(&mut self, id: ExprId, ty: Type, item: ItemId, args: List<ExprId>) -> Result<(), Stop> {
        let Some(code) = CodeType::of(item, &self.given, self.cx)? else {
            self.report(Rule::UnknownItem, id, format!("function {item} is not known"));
            return Ok(());
        };
        if !code.is_complete() {
            self.report(Rule::TypeArguments, id, format!("{item} has not the type arguments that its type parameters need"));
            return Ok(());
        }
        if !self.is_undeclared(code.result())? {
            self.own(Rule::CallResult, id, ty, code.result());
        }
        self.evidence(id, item, &code)?;
        let args = &self.body.lists[args];
        if args.len() != code.count() {
            self.report(Rule::CallCount, id, format!("{} arguments for {} parameters", args.len(), code.count()));
        }
        for (i, &arg) in args.iter().enumerate().take(code.count()) {
            let (found, wanted) = (self.ty(arg), code.param(i));
            if !fits(found, wanted) && !self.is_undeclared(wanted)? {
                self.report(Rule::ArgumentType, id, format!("argument {i} is {found}, expected {wanted}"));
            }
        }
        Ok(())
    }

    fn closure(&mut self, id: ExprId, ty: Type, item: ItemId, captures: List<ExprId>) -> Result<(), Stop> {
        let TypeKind::Function(params, result) = ty.kind() else {
            self.report(Rule::ClosureShape, id, format!("the expression is {ty}, no function"));
            return Ok(());
        };
        let (wanted, gives) = match self.lambdas.iter().find(|lambda| lambda.owner == item) {
            Some(lambda) => (lambda.params.iter().map(|&param| lambda.locals[param].ty).collect(), lambda.result),
            None => match CodeType::of(item, &self.given, self.cx)? {
                Some(code) if code.is_complete() => ((0..code.count()).map(|i| code.param(i)).collect::<Vec<Type>>(), code.result()),
                Some(_) => {
                    self.report(Rule::TypeArguments, id, format!("{item} has not the type arguments that its type parameters need"));
                    return Ok(());
                }
                None => {
                    self.report(Rule::UnknownItem, id, format!("function {item} is not known"));
                    return Ok(());
                }
            },
        };
        let captures = self.body.lists[captures].iter().map(|&value| self.ty(value));
        if !params.iter().copied().chain(captures).eq(wanted.iter().copied()) || result != gives {
            let wanted: Vec<String> = wanted.iter().map(Type::to_string).collect();
            self.report(Rule::ClosureShape, id, format!("{ty} is made of {item}, which is ({}) -> {gives}", wanted.join(", ")));
        }
        Ok(())
    }

    /// The same where nothing can be asked any more: what stops the question stops the check.
    fn is_unjudged(&self, ty: Type) -> bool {
        ty.has_associated() && !matches!(self.is_undeclared(ty), Ok(false))
    }

    /// Has it an associated type of a trait that is not declared? A dump does not say what is known of its type parameters.
    fn is_undeclared(&self, ty: Type) -> Result<bool, Stop> {
        if !ty.has_associated() {
            return Ok(false);
        }
        let mut traits = Vec::new();
        ty.replaced(&mut |part| {
            if let TypeKind::Associated(_, interface, _) = part.kind() {
                traits.push(interface);
            }
            None
        });
        for interface in traits {
            if self.cx.trait_definition(interface)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The method of a trait: on whose evidence is it called?
    fn evidence(&mut self, id: ExprId, item: ItemId, code: &CodeType) -> Result<(), Stop> {
        let Some(owner) = code.owner() else { return Ok(()) };
        let Some(definition) = self.cx.trait_definition(owner)? else { return Ok(()) };
        let (method, args) = crate::types::instance_of(item);
        let Some((&this, rest)) = args.split_first() else { return Ok(()) };
        let interface = TraitRef::new(owner, rest.get(..definition.generics.len()).unwrap_or_default());
        match solve(this, interface, &self.given, self.cx)? {
            Answer::Proven(Evidence::Impl(found, _)) => {
                let name = definition.methods.iter().find(|m| m.item == method).map(|m| m.name);
                if let Some(name) = name
                    && own_method(owner, this, found, name, self.cx)?.is_some()
                {
                    self.report(Rule::Evidence, id, format!("an impl of {} for {this} has a `{name}` of its own", interface.show()));
                }
            }
            Answer::Proven(Evidence::Bound | Evidence::Made) => {}
            // A dump does not say what is known of its type parameters.
            Answer::Refuted if this.has_parameter() && self.given.bounds.is_empty() => {}
            Answer::Refuted if self.is_told_by_object(this, interface)? => {}
            Answer::Refuted | Answer::Unsupported | Answer::Endless => {
                self.report(Rule::Evidence, id, format!("{this} does not implement {}", interface.show()));
            }
        }
        Ok(())
    }

    /// Is the trait one of those of an object? A dump tells of the methods of a trait what their code takes and gives, not what was written, nor supertraits.
    fn is_told_by_object(&self, object: Type, interface: TraitRef) -> Result<bool, Stop> {
        for own in traits_of(object) {
            if own == interface || self.cx.trait_definition(own.item())?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn object(&mut self, id: ExprId, ty: Type, found: Type) -> Result<(), Stop> {
        if !matches!(ty.kind(), TypeKind::Object(_)) {
            self.report(Rule::ObjectTraits, id, format!("the expression is {ty}, no trait object"));
        }
        for interface in traits_of(ty) {
            // A dump tells of plain traits alone, and nothing of what is known of type parameters.
            let is_told = self.cx.trait_definition(interface.item())?.is_some() && !(found.has_parameter() && self.given.bounds.is_empty());
            let has = || Ok(matches!(solve(found, interface, &self.given, self.cx)?, Answer::Proven(_)));
            if is_told && found != Type::NEVER && !has()? && !self.is_told_by_object(found, interface)? {
                self.report(Rule::ObjectTraits, id, format!("{found} does not implement {}", interface.show()));
            }
        }
        Ok(())
    }

    fn call_value(&mut self, id: ExprId, ty: Type, callee: ExprId, args: List<ExprId>) {
        if self.ty(callee) == Type::NEVER {
            return;
        }
        let TypeKind::Function(params, result) = self.ty(callee).kind() else {
            self.report(Rule::ValueCall, id, format!("{} is no function", self.ty(callee)));
            return;
        };
        self.own(Rule::ValueCall, id, ty, result);
        let args = &self.body.lists[args];
        if args.len() != params.len() {
            self.report(Rule::ValueCall, id, format!("{} arguments for {} parameters", args.len(), params.len()));
        }
        for (i, (&arg, &wanted)) in args.iter().zip(params).enumerate() {
            self.expect(Rule::ValueCall, id, format_args!("argument {i}"), self.ty(arg), wanted);
        }
    }

    #[inline]
    fn intrinsic(&mut self, id: ExprId, ty: Type, op: Intrinsic, args: List<ExprId>) -> Result<(), Stop> {
        let args = &self.body.lists[args];
        // A third of all expressions are right in this way.
        if let (&[a, b], Some(result)) = (args, op.of_two_ints())
            && self.ty(a) == Type::INT
            && self.ty(b) == Type::INT
            && ty == result
        {
            return Ok(());
        }
        let shapes = op.args();
        if args.len() != shapes.len() {
            self.report(Rule::OperandCount, id, format!("{} operands of {}, expected {}", args.len(), op.name(), shapes.len()));
            return Ok(());
        }
        let first = args.first().map_or(Type::NEVER, |&arg| self.ty(arg));
        for (i, (&arg, &shape)) in args.iter().zip(shapes).enumerate() {
            let found = self.ty(arg);
            let fine = match shape {
                Shape::Of(wanted) => found == wanted,
                Shape::Same => fits(first, found),
                Shape::Discrete => matches!(found, Type::INT | Type::CHAR | Type::BYTE | Type::BOOL),
                Shape::Bits => matches!(found, Type::INT | Type::BYTE),
                Shape::Sum => !is_built_in(found) && matches!(self.known(found)?.fields, Fields::Sum(_)),
                Shape::List => matches!(found.kind(), TypeKind::List(_)),
                Shape::Element => match first.kind() {
                    TypeKind::List(element) => found == element,
                    // The first operand is at fault, and said to be.
                    _ => true,
                },
            };
            if !fine && found != Type::NEVER {
                self.report(Rule::OperandType, id, format!("operand {i} of {} is {found}", op.name()));
            }
        }
        let wanted = match op.result() {
            Shape::Of(wanted) => wanted,
            Shape::Same | Shape::Discrete | Shape::Bits | Shape::Sum | Shape::List if first == Type::NEVER => ty,
            Shape::Same | Shape::Discrete | Shape::Bits | Shape::Sum | Shape::List => first,
            Shape::Element => match first.kind() {
                TypeKind::List(element) => element,
                _ => ty,
            },
        };
        if ty != wanted {
            self.report(Rule::IntrinsicResult, id, format!("{} is {ty}, expected {wanted}", op.name()));
        }
        Ok(())
    }

    fn block(&mut self, id: ExprId, ty: Type, statements: List<ExprId>, tail: bool) {
        let statements = &self.body.lists[statements];
        let diverges = statements.iter().any(|&s| match self.body.exprs[s] {
            Expr::Let(_, value) | Expr::Assign { value, .. } => self.ty(value) == Type::NEVER,
            _ => self.ty(s) == Type::NEVER,
        });
        let wanted = match statements.last() {
            _ if diverges => Type::NEVER,
            Some(&last) if tail => self.ty(last),
            Some(_) | None => Type::VOID,
        };
        if ty != wanted {
            self.report(Rule::BlockType, id, format!("the block is {ty}, expected {wanted}"));
        }
    }

    fn join(&mut self, id: ExprId, branches: &[Type]) {
        let ty = self.ty(id);
        let all_diverge = branches.iter().all(|&branch| branch == Type::NEVER);
        if all_diverge != (ty == Type::NEVER) {
            let message = format!("the expression is {ty}, but its branches {}", if all_diverge { "never end" } else { "end" });
            self.report(Rule::JoinType, id, message);
        }
        for (i, &branch) in branches.iter().enumerate() {
            // In a void expression the values of branches are discarded.
            if ty != Type::VOID && ty != Type::NEVER && !fits(branch, ty) {
                self.report(Rule::JoinType, id, format!("branch {i} is {branch}, expected {ty}"));
            }
        }
    }

    fn arms(&mut self, id: ExprId, scrutinee: ExprId, arms: List<Arm>) -> Result<(), Stop> {
        let body = self.body;
        let matched = self.ty(scrutinee);
        let before = self.faults.len();
        let mut branches = Vec::with_capacity(arms.len());
        let mut rows = Vec::with_capacity(arms.len());
        for (i, arm) in body.arms[arms].iter().enumerate() {
            branches.push(self.ty(arm.body));
            if let Some(guard) = arm.guard {
                self.expect(Rule::ConditionType, id, format_args!("guard {i}"), self.ty(guard), Type::BOOL);
            }
            self.pattern_type(id, arm.pattern, matched)?;
            rows.push((arm.pattern, arm.guard.is_some()));
        }
        // What a pattern of another type covers means nothing.
        if self.faults.len() == before && matched != Type::NEVER && !std::mem::take(&mut self.has_unjudged) {
            let verdict = judge(body, &rows, matched, &self.given, self.cx)?;
            if verdict.is_too_complex {
                self.report(Rule::NotExhaustive, id, "the match is too complex".into());
            }
            for arm in verdict.useless_arms {
                self.report(Rule::Unreachable, id, format!("arm {arm} never matches"));
            }
            if !verdict.witnesses.is_empty() {
                self.report(Rule::NotExhaustive, id, format!("{} not covered", verdict.witnesses.join(", ")));
            }
        }
        self.join(id, &branches);
        Ok(())
    }

    /// Is it a pattern of this type?
    fn pattern_type(&mut self, id: ExprId, pattern: PatternId, ty: Type) -> Result<(), Stop> {
        let body = self.body;
        if self.is_undeclared(ty)? {
            self.has_unjudged = true;
            return Ok(());
        }
        match body.patterns[pattern] {
            Pattern::Any => {}
            Pattern::Bind(local, inner) => {
                let found = self.local_type(local);
                if found != ty {
                    self.report(Rule::BindingType, id, format!("a pattern binds a {found}, expected {ty}"));
                }
                self.pattern_type(id, inner, ty)?;
            }
            Pattern::Range(low, high) => {
                let values = match ty {
                    Type::BOOL => Some((0, 1)),
                    Type::BYTE => Some((0, 255)),
                    Type::CHAR => Some((0, 0x10_ffff)),
                    Type::INT => Some((i64::MIN, i64::MAX)),
                    _ => None,
                };
                match values {
                    None => self.report(Rule::TestType, id, format!("a pattern tests {ty} for numbers")),
                    Some(_) if low > high => self.report(Rule::EmptyTest, id, format!("a pattern tests {low} to {high}")),
                    Some((least, greatest)) if low < least || high > greatest => {
                        self.report(Rule::TestType, id, format!("a pattern tests {low} to {high}, outside of {ty}"));
                    }
                    Some(_) => {}
                }
            }
            Pattern::Str(_) if ty == Type::STR => {}
            Pattern::Float(_) if ty == Type::FLOAT => {}
            Pattern::Str(_) | Pattern::Float(_) => self.report(Rule::TestType, id, format!("a pattern tests {ty} for a text or a float")),
            Pattern::Fields(list) => {
                let Some(types) = self.fields(Rule::TestType, id, ty)? else { return Ok(()) };
                if list.len() != types.len() {
                    self.report(Rule::TestType, id, format!("{} patterns for {} fields of {ty}", list.len(), types.len()));
                }
                for (at, &part) in body.parts[list].iter().enumerate() {
                    if let Some(ty) = types.get(at) {
                        self.pattern_type(id, part, ty)?;
                    }
                }
            }
            Pattern::Variant(number, list) => {
                let known = if is_built_in(ty) { Fields::None } else { self.known(ty)?.fields.clone() };
                let payload = match &known {
                    Fields::Sum(definition) => definition.variants.get(number as usize).map(|v| &v.payload[..]),
                    Fields::None | Fields::Unknown | Fields::Tuple(_) | Fields::Struct(..) => None,
                };
                let Some(payload) = payload else {
                    self.report(Rule::TestType, id, format!("{ty} has no variant {number}"));
                    return Ok(());
                };
                if list.len() != payload.len() {
                    self.report(Rule::TestType, id, format!("{} patterns for a payload of {}", list.len(), payload.len()));
                }
                for (&part, &(_, ty)) in body.parts[list].iter().zip(payload) {
                    self.pattern_type(id, part, ty)?;
                }
            }
            Pattern::List(list, has_rest) => {
                let TypeKind::List(element) = ty.kind() else {
                    self.report(Rule::TestType, id, format!("a pattern tests {ty} for elements"));
                    return Ok(());
                };
                let parts = &body.parts[list];
                let count = parts.len().saturating_sub(usize::from(has_rest));
                for &part in &parts[..count] {
                    self.pattern_type(id, part, element)?;
                }
                if has_rest {
                    let rest = parts.last().map(|&rest| (rest, body.patterns[rest]));
                    match rest {
                        Some((_, Pattern::Any)) => {}
                        Some((rest, Pattern::Bind(_, inner))) if body.patterns[inner] == Pattern::Any => self.pattern_type(id, rest, ty)?,
                        Some(_) | None => self.report(Rule::TestType, id, "the rest of a list is tested".into()),
                    }
                }
            }
            Pattern::Or(list) => {
                for &part in &body.parts[list] {
                    self.pattern_type(id, part, ty)?;
                }
            }
        }
        Ok(())
    }
}

/// Is it a scalar, `str`, `void` or `Never`: nothing that is open or has parts?
#[inline]
fn is_built_in(ty: Type) -> bool {
    (Type::INT.raw()..=Type::NEVER.raw()).contains(&ty.raw())
}

fn is_open(ty: Type) -> bool {
    match ty.kind() {
        TypeKind::Error | TypeKind::Variable(_) => true,
        // Types of MIR: no value of HIR has them.
        TypeKind::Cell(_) | TypeKind::Methods(..) | TypeKind::Hole(_) => true,
        TypeKind::Tuple(parts) | TypeKind::Object(parts) | TypeKind::Opaque(_, parts) => parts.iter().any(|&part| is_open(part)),
        TypeKind::List(element) => is_open(element),
        TypeKind::Struct(_, args) => args.iter().any(|&arg| is_open(arg)),
        TypeKind::Function(params, result) => params.iter().any(|&p| is_open(p)) || is_open(result),
        TypeKind::Int
        | TypeKind::Float
        | TypeKind::Bool
        | TypeKind::Char
        | TypeKind::Byte
        | TypeKind::Str
        | TypeKind::Void
        | TypeKind::Never
        | TypeKind::Associated(..)
        | TypeKind::Parameter(..) => false,
    }
}

/// Value and error type of a `Result`.
fn hir_result(ty: Type) -> Option<(Type, Type)> {
    match ty.kind() {
        TypeKind::Struct(item, &[value, error]) if item == crate::resolve::prelude::result() => Some((value, error)),
        _ => None,
    }
}
