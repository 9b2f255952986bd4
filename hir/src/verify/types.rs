//! H02 and H04: the type of each expression against its parts, one rule at a time. No recursion: every expression that is reached is judged
//! by itself, from the types of its children.

use ir::{ItemId, List, Stop};

use super::{Rule, Verifier};
use crate::exhaustive::{Coverage, Usefulness, is_matchable};
use crate::ir::{Arm, Expr, ExprId, LocalId, Test};
use crate::ops::Shape;
use crate::text::in_order;
use crate::{Intrinsic, Type, TypeKind};

/// What the breaks of a loop bring.
#[derive(Clone, Copy, Default)]
struct Breaks {
    any: bool,
}

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
        let signature = self.cx.signature(body.owner)?;
        if let Some(signature) = &signature {
            let same = signature.params.len() == body.params.len()
                && signature.params.iter().zip(&body.params).all(|(p, &local)| p.ty == self.local_type(local));
            if !same || signature.result != body.result {
                self.report_whole(Rule::Parameters, "parameters and result are not those of the signature".into());
            }
        }
        if !fits(self.ty(body.root), body.result) {
            let message = format!("the root is {}, the body {}", self.ty(body.root), body.result);
            self.report(Rule::RootType, body.root, message);
        }
        let order = match self.order.take() {
            Some(order) => order,
            None => in_order(body),
        };
        // Breaks first: the type of a loop depends on them.
        let mut breaks = vec![Breaks::default(); body.loops.len()];
        let mut loop_types: Vec<Option<Type>> = vec![None; body.loops.len()];
        for id in body.exprs.ids() {
            if order[id] == u32::MAX {
                continue;
            }
            match body.exprs[id] {
                Expr::Break(target, value) if value.is_none_or(|value| self.ty(value) != Type::NEVER) => {
                    breaks[target.index()].any = true;
                }
                Expr::Loop { id: own, .. } => loop_types[own.index()] = Some(self.ty(id)),
                _ => {}
            }
        }
        self.order = Some(order);
        for (local, row) in body.locals.iter() {
            if is_open(row.ty) {
                self.report_whole(Rule::OpenType, format!("local {} has type {}", local.raw(), row.ty));
            }
        }
        for id in body.exprs.ids() {
            if self.order.as_ref().is_some_and(|order| order[id] == u32::MAX) {
                continue;
            }
            if is_open(self.ty(id)) {
                let message = format!("the type {} is open", self.ty(id));
                self.report(Rule::OpenType, id, message);
                continue;
            }
            self.expr(id, &breaks, &loop_types)?;
        }
        Ok(())
    }

    fn expect(&mut self, rule: Rule, at: ExprId, what: &str, found: Type, wanted: Type) {
        if !fits(found, wanted) {
            self.report(rule, at, format!("{what} is {found}, expected {wanted}"));
        }
    }

    /// The type of the expression itself, where `Never` is no way out.
    fn own(&mut self, rule: Rule, at: ExprId, wanted: Type) {
        let found = self.ty(at);
        if found != wanted {
            self.report(rule, at, format!("the expression is {found}, expected {wanted}"));
        }
    }

    fn expr(&mut self, id: ExprId, breaks: &[Breaks], loop_types: &[Option<Type>]) -> Result<(), Stop> {
        let body = self.body;
        let ty = self.ty(id);
        match body.exprs[id] {
            Expr::Int(_) => self.own(Rule::LeafType, id, Type::INT),
            Expr::Float(_) => self.own(Rule::LeafType, id, Type::FLOAT),
            Expr::Bool(_) => self.own(Rule::LeafType, id, Type::BOOL),
            Expr::Char(_) => self.own(Rule::LeafType, id, Type::CHAR),
            Expr::Byte(_) => self.own(Rule::LeafType, id, Type::BYTE),
            Expr::Str(_) => self.own(Rule::LeafType, id, Type::STR),
            Expr::Unit => self.own(Rule::LeafType, id, Type::VOID),
            Expr::Local(local) => self.own(Rule::LeafType, id, self.local_type(local)),
            Expr::Constant(item) => match self.cx.constant_type(item)? {
                Some(wanted) => self.own(Rule::LeafType, id, wanted),
                None => self.report(Rule::UnknownItem, id, format!("constant {item} is not known")),
            },
            Expr::Call(item, args) => self.call(id, item, args)?,
            Expr::Intrinsic(op, args) => self.intrinsic(id, op, args),
            Expr::Aggregate(args) => {
                let types: Vec<Type> = match self.fields(id, ty)? {
                    Some(types) => types,
                    None => return Ok(()),
                };
                let values = &body.lists[args];
                if values.len() != types.len() {
                    self.report(Rule::AggregateShape, id, format!("{} values for {} fields", values.len(), types.len()));
                }
                for (i, (&value, &wanted)) in values.iter().zip(&types).enumerate() {
                    self.expect(Rule::AggregateShape, id, &format!("field {i}"), self.ty(value), wanted);
                }
            }
            Expr::Field(value, index) => {
                if self.ty(value) == Type::NEVER {
                    return Ok(());
                }
                let Some(types) = self.fields(id, self.ty(value))? else { return Ok(()) };
                match types.get(index as usize) {
                    Some(&wanted) => self.own(Rule::FieldShape, id, wanted),
                    None => self.report(Rule::FieldShape, id, format!("{} has no field {index}", self.ty(value))),
                }
            }
            Expr::Let(local, value) => {
                self.own(Rule::LetType, id, Type::VOID);
                self.expect(Rule::LetType, id, "the initialiser", self.ty(value), self.local_type(local));
            }
            Expr::Assign { local, path, value } => {
                self.own(Rule::AssignType, id, Type::VOID);
                if !body.locals[local].mutable {
                    self.report(Rule::AssignImmutable, id, format!("local {} is immutable", local.raw()));
                }
                let mut wanted = self.local_type(local);
                for &index in &body.fields[path] {
                    let Some(types) = self.fields(id, wanted)? else { return Ok(()) };
                    match types.get(index as usize) {
                        Some(&inner) => wanted = inner,
                        None => {
                            self.report(Rule::FieldShape, id, format!("{wanted} has no field {index}"));
                            return Ok(());
                        }
                    }
                }
                self.expect(Rule::AssignType, id, "the value", self.ty(value), wanted);
            }
            Expr::Block { statements, tail } => self.block(id, statements, tail),
            Expr::If { condition, then, otherwise } => {
                self.expect(Rule::ConditionType, id, "the condition", self.ty(condition), Type::BOOL);
                match otherwise {
                    None => {
                        self.own(Rule::JoinType, id, Type::VOID);
                        self.expect(Rule::JoinType, id, "the branch", self.ty(then), Type::VOID);
                    }
                    Some(otherwise) => self.join(id, &[self.ty(then), self.ty(otherwise)]),
                }
            }
            Expr::And(left, right) | Expr::Or(left, right) => {
                self.own(Rule::ConditionType, id, Type::BOOL);
                self.expect(Rule::ConditionType, id, "the left operand", self.ty(left), Type::BOOL);
                self.expect(Rule::ConditionType, id, "the right operand", self.ty(right), Type::BOOL);
            }
            Expr::Match { scrutinee, arms } => self.arms(id, scrutinee, arms),
            Expr::Loop { id: own, .. } => {
                let any = breaks[own.index()].any;
                if any == (ty == Type::NEVER) {
                    let what = if any { "has breaks but is Never" } else { "has no break but a value" };
                    self.report(Rule::LoopType, id, format!("the loop {what}"));
                }
            }
            Expr::While { condition, .. } => {
                self.own(Rule::LoopType, id, Type::VOID);
                self.expect(Rule::ConditionType, id, "the condition", self.ty(condition), Type::BOOL);
            }
            Expr::ForRange { local, start, end, step, .. } => {
                self.own(Rule::LoopType, id, Type::VOID);
                for bound in [Some(start), Some(end), step].into_iter().flatten() {
                    self.expect(Rule::LoopSource, id, "a bound", self.ty(bound), Type::INT);
                }
                self.variable(id, local, Type::INT);
            }
            Expr::ForList { local, list, .. } => {
                self.own(Rule::LoopType, id, Type::VOID);
                match self.ty(list).kind() {
                    TypeKind::List(element) => self.variable(id, local, element),
                    _ => self.report(Rule::LoopSource, id, format!("the source is {}", self.ty(list))),
                }
            }
            Expr::Break(target, value) => {
                self.own(Rule::BreakValue, id, Type::NEVER);
                match (loop_types[target.index()], value) {
                    (None, None) | (Some(Type::VOID | Type::NEVER), None) => {}
                    (None, Some(_)) => self.report(Rule::BreakValue, id, "the loop takes no value".into()),
                    (Some(wanted), None) => self.report(Rule::BreakValue, id, format!("the loop is {wanted}, but there is no value")),
                    (Some(wanted), Some(value)) => self.expect(Rule::BreakValue, id, "the value", self.ty(value), wanted),
                }
            }
            Expr::Continue(_) => self.own(Rule::BreakValue, id, Type::NEVER),
        }
        Ok(())
    }

    fn variable(&mut self, id: ExprId, local: LocalId, wanted: Type) {
        let found = self.local_type(local);
        if found != wanted || self.body.locals[local].mutable {
            self.report(Rule::LoopSource, id, format!("the loop variable is {found}, expected an immutable {wanted}"));
        }
    }

    /// Types of the parts of a tuple or struct; `None` after a report.
    fn fields(&mut self, id: ExprId, ty: Type) -> Result<Option<Vec<Type>>, Stop> {
        match ty.kind() {
            TypeKind::Tuple(types) => return Ok(Some(types.to_vec())),
            TypeKind::Struct(item) => match self.cx.type_definition(item)? {
                Some(definition) => return Ok(Some(definition.fields.iter().map(|(_, ty)| *ty).collect())),
                None => self.report(Rule::UnknownItem, id, format!("type {ty} is not known")),
            },
            _ => {
                let rule = if matches!(self.body.exprs[id], Expr::Aggregate(_)) { Rule::AggregateShape } else { Rule::FieldShape };
                self.report(rule, id, format!("{ty} has no fields"));
            }
        }
        Ok(None)
    }

    fn call(&mut self, id: ExprId, item: ItemId, args: List<ExprId>) -> Result<(), Stop> {
        let Some(signature) = self.cx.signature(item)? else {
            self.report(Rule::UnknownItem, id, format!("function {item} is not known"));
            return Ok(());
        };
        self.own(Rule::CallResult, id, signature.result);
        let args = &self.body.lists[args];
        if args.len() != signature.params.len() {
            self.report(Rule::CallCount, id, format!("{} arguments for {} parameters", args.len(), signature.params.len()));
        }
        for (i, (&arg, parameter)) in args.iter().zip(&signature.params).enumerate() {
            let (found, wanted) = (self.ty(arg), parameter.ty);
            if !fits(found, wanted) {
                self.report(Rule::ArgumentType, id, format!("argument {i} is {found}, expected {wanted}"));
            }
        }
        Ok(())
    }

    fn intrinsic(&mut self, id: ExprId, op: Intrinsic, args: List<ExprId>) {
        let args = &self.body.lists[args];
        let shapes = op.args();
        if args.len() != shapes.len() {
            self.report(Rule::OperandCount, id, format!("{} operands of {}, expected {}", args.len(), op.name(), shapes.len()));
            return;
        }
        let first = args.first().map(|&arg| self.ty(arg));
        for (i, (&arg, &shape)) in args.iter().zip(shapes).enumerate() {
            let found = self.ty(arg);
            let fine = found == Type::NEVER
                || match shape {
                    Shape::Of(wanted) => found == wanted,
                    Shape::Same => first.is_some_and(|first| fits(first, found) || first == found),
                    Shape::Discrete => matches!(found, Type::INT | Type::CHAR | Type::BYTE | Type::BOOL),
                    Shape::Bits => matches!(found, Type::INT | Type::BYTE),
                    Shape::List => matches!(found.kind(), TypeKind::List(_)),
                    Shape::Element => false,
                };
            if !fine {
                self.report(Rule::OperandType, id, format!("operand {i} of {} is {found}", op.name()));
            }
        }
        let element = first.and_then(|first| match first.kind() {
            TypeKind::List(element) => Some(element),
            _ => None,
        });
        let wanted = match op.result() {
            Shape::Of(wanted) => Some(wanted),
            Shape::Same | Shape::Discrete | Shape::Bits | Shape::List => first.filter(|ty| *ty != Type::NEVER),
            Shape::Element => element,
        };
        if let Some(wanted) = wanted
            && self.ty(id) != wanted
        {
            let found = self.ty(id);
            self.report(Rule::IntrinsicResult, id, format!("{} is {found}, expected {wanted}", op.name()));
        }
    }

    fn block(&mut self, id: ExprId, statements: List<ExprId>, tail: bool) {
        let statements = &self.body.lists[statements];
        let ty = self.ty(id);
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

    fn arms(&mut self, id: ExprId, scrutinee: ExprId, arms: List<Arm>) {
        let body = self.body;
        let matched = self.ty(scrutinee);
        if !is_matchable(matched) {
            self.report(Rule::TestType, id, format!("{matched} cannot be matched"));
            return;
        }
        let (low, high) = match matched.kind() {
            TypeKind::Bool => (0, 1),
            TypeKind::Byte => (0, 255),
            TypeKind::Char => (0, 0x10_ffff),
            _ => (i64::MIN, i64::MAX),
        };
        let mut coverage = Coverage::new(matched);
        let mut branches = Vec::with_capacity(arms.len());
        for (i, arm) in body.arms[arms].iter().enumerate() {
            branches.push(self.ty(arm.body));
            if let Some(binding) = arm.binding
                && self.local_type(binding) != matched
            {
                self.report(Rule::BindingType, id, format!("arm {i} binds a {}, expected {matched}", self.local_type(binding)));
            }
            if let Some(guard) = arm.guard {
                self.expect(Rule::ConditionType, id, &format!("guard {i}"), self.ty(guard), Type::BOOL);
            }
            let tests = &body.tests[arm.tests];
            let mut reachable = tests.is_empty() && !coverage.is_complete();
            for &test in tests {
                match test {
                    Test::Str(_) if matched != Type::STR => self.report(Rule::TestType, id, format!("arm {i} tests a str")),
                    Test::Range(..) if matched == Type::STR => self.report(Rule::TestType, id, format!("arm {i} tests a number")),
                    Test::Range(a, b) if a > b => self.report(Rule::EmptyTest, id, format!("arm {i} tests {a} to {b}")),
                    Test::Range(a, b) if a < low || b > high => {
                        self.report(Rule::TestType, id, format!("arm {i} tests {a} to {b}, outside of {matched}"));
                    }
                    Test::Range(..) | Test::Str(_) => {}
                }
                reachable |= coverage.judge(test) != Usefulness::Unreachable;
                if arm.guard.is_none() {
                    coverage.cover(test);
                }
            }
            if tests.is_empty() && arm.guard.is_none() {
                coverage.cover_all();
            }
            if !reachable {
                self.report(Rule::Unreachable, id, format!("arm {i} never matches"));
            }
        }
        if !coverage.is_complete() {
            self.report(Rule::NotExhaustive, id, format!("{} not covered", coverage.witnesses().join(", ")));
        }
        self.join(id, &branches);
    }
}

fn is_open(ty: Type) -> bool {
    match ty.kind() {
        TypeKind::Error | TypeKind::Variable(_) => true,
        TypeKind::Tuple(elements) => elements.iter().any(|&e| is_open(e)),
        TypeKind::List(element) => is_open(element),
        TypeKind::Function(params, result) => params.iter().any(|&p| is_open(p)) || is_open(result),
        TypeKind::Int
        | TypeKind::Float
        | TypeKind::Bool
        | TypeKind::Char
        | TypeKind::Byte
        | TypeKind::Str
        | TypeKind::Void
        | TypeKind::Never
        | TypeKind::Range
        | TypeKind::Struct(_) => false,
    }
}
