//! `let` and assignment.

use syntax::tree::{self, BinaryOp, Expr as Ast};
use syntax::{DiagnosticCode as Code, Span};

use super::unify::UNNAMED;
use super::why::Why;
use super::{Checker, Indexed, Kind, Result};
use crate::ir::{Expr, ExprId, LocalId, WHOLE};
use crate::program::{Entity, TypeForm};
use crate::resolve::{prelude, show};
use crate::{Intrinsic, Type, TypeKind};

/// A step from a variable towards the place that is assigned.
#[derive(Clone, Copy)]
pub(super) enum Step {
    Field(u32),
    /// The element at the position in a temporary.
    Index(LocalId),
    /// What a map has at the key in a temporary; the last step.
    Key(LocalId),
    /// What a declared type has at the key in a temporary, and which of the methods behind such steps puts it there.
    User(LocalId, u32),
}

impl Step {
    /// Is it more than a part of a struct or tuple?
    pub(super) fn is_index(self) -> bool {
        match self {
            Step::Field(_) => false,
            Step::Index(_) | Step::Key(_) | Step::User(..) => true,
        }
    }
}

/// A place that is assigned.
struct Target {
    /// Its root.
    local: LocalId,
    /// From the root inwards: each step with the type that it leads to and its place in the text.
    steps: Vec<(Step, Type, Span)>,
    /// The type of the place.
    ty: Type,
    /// The type of what the last step is taken from.
    owner: Option<Type>,
}

impl<'a> Checker<'a> {
    /// One statement of a block; what it becomes goes to the scratch stack.
    pub(super) fn statement(&mut self, id: tree::ExprId) -> Result<()> {
        let postponed = self.postponed.len();
        match self.tree.exprs[id] {
            Ast::Let { pattern, ty, value, question } => {
                let span = self.span(id);
                if question {
                    let refused = self.refuse(span, "`let?`");
                    self.draft.scratch.push(refused);
                    return Ok(());
                }
                let before = self.defining;
                if let (tree::Pattern::Name { name, .. }, Ast::Lambda { .. }) = (&self.tree.patterns[pattern], &self.tree.exprs[value]) {
                    self.defining = Some(*name);
                }
                let (value, ty) = match ty {
                    Some(annotation) => {
                        let wanted = self.read_type(annotation)?;
                        let why = Why::Annotation(self.tree.type_span(annotation));
                        let value = self.check(value, wanted, why)?;
                        let found = self.ty(value);
                        (value, if found == Type::ERROR && wanted == Type::ERROR { Type::ERROR } else { wanted })
                    }
                    None => {
                        let value = self.infer(value)?;
                        (value, self.ty(value))
                    }
                };
                self.end_statement(postponed)?;
                self.defining = before;
                let ty = self.resolved(ty);
                self.bind_value(pattern, value, ty, Kind::Mutable, "let", span)
            }
            _ => {
                // A block as a statement may be `{}`.
                let statement = match self.tree.exprs[id] {
                    Ast::Map(entries) if entries.is_empty() => self.unit(self.span(id)),
                    _ => self.infer(id)?,
                };
                self.end_statement(postponed)?;
                self.warn_unused(id, statement);
                self.draft.scratch.push(statement);
                Ok(())
            }
        }
    }

    /// `place = value`, `place op= value`: the value first, then the update of the root.
    pub(super) fn assign(&mut self, op: Option<BinaryOp>, place: tree::ExprId, value: tree::ExprId, span: Span) -> Result<ExprId> {
        // From the outermost step inwards.
        let mut steps: Vec<tree::ExprId> = Vec::new();
        let mut at = place;
        let (root, dollar) = loop {
            match self.tree.exprs[at] {
                Ast::Name(name) => break (name, false),
                Ast::Dollar(name) => break (name, true),
                Ast::Field(base, _) | Ast::TupleField(base, _) | Ast::Index(base, _) => {
                    steps.push(at);
                    at = base;
                }
                Ast::SelfValue if self.lookup(self.self_name()).is_some() => break (self.self_name(), false),
                Ast::SelfValue => {
                    let root = self.span(at);
                    self.report(Code::E2003, root, ["self".into()]);
                    return Ok(self.error(span));
                }
                Ast::Splice(..) => return Ok(self.refuse(span, "reflection")),
                _ => {
                    let place = self.span(place);
                    self.report(Code::E1020, place, []);
                    self.infer(value)?;
                    return Ok(self.error(span));
                }
            }
        };
        let root_span = self.span(at);
        let Some(binding) = self.lookup(root) else {
            match self.scope.value(root) {
                Some(Entity::Unsupported(..)) => self.poisoned = true,
                Some(_) => {
                    self.report(Code::E2039, root_span, [root.into()]).notes.push("items of a module never change".into());
                }
                None => {
                    self.unknown_name(root, dollar, root_span);
                }
            }
            self.infer(value)?;
            return Ok(self.error(span));
        };
        self.judge_root(binding, root_span);
        if binding.kind != Kind::Mutable || self.is_captured(binding.local) {
            self.infer(value)?;
            return Ok(self.error(span));
        }
        let mark = self.draft.scratch.len();
        let Some(target) = self.assigned(binding.local, &steps)? else {
            self.infer(value)?;
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        };
        let ty = target.ty;
        let why = match (self.tree.exprs[place], target.owner) {
            (Ast::Name(_) | Ast::Dollar(_) | Ast::SelfValue, _) => Why::Variable(root, binding.span),
            (Ast::Field(_, name), Some(owner)) => match owner.kind() {
                TypeKind::Struct(item, _) => Why::Field(item, name),
                _ => Why::None,
            },
            (Ast::TupleField(_, index), _) => Why::Element(index),
            (Ast::Index(..), _) => Why::ElementOf(ty),
            _ => Why::None,
        };
        let value = match op {
            None => self.check(value, ty, why)?,
            Some(BinaryOp::And | BinaryOp::Or) => {
                let current = self.at(target.local, &target.steps, self.span(place))?;
                let word = if op == Some(BinaryOp::And) { "an operand of `&&=`" } else { "an operand of `||=`" };
                let current = self.fit(current, Type::BOOL, Why::Condition(word))?;
                let value = self.condition(value, word)?;
                let expr = if op == Some(BinaryOp::And) { Expr::And(current, value) } else { Expr::Or(current, value) };
                // A variable of type `Never` is never read.
                if self.ty(current) == Type::NEVER { current } else { self.push(expr, Type::BOOL, span) }
            }
            Some(op) => {
                let current = self.at(target.local, &target.steps, self.span(place))?;
                let value = match op {
                    BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Pow => self.infer(value)?,
                    _ => self.hinted(value, ty)?,
                };
                let before = self.diagnostics.len();
                let result = self.operate(op, current, value, span)?;
                // What the operator says of an option is no help here.
                if let (Some((Step::Key(_), ..)), [error]) = (target.steps.last(), &mut self.diagnostics[before..])
                    && error.code == Code::E2020
                {
                    let sign = super::operators::text(op);
                    error.helps = vec![format!("an index into a map gives an `Option`: `m[k] = (m[k] ?? start) {sign} ...`")];
                }
                self.fit(result, ty, why)?
            }
        };
        if self.ty(value) == Type::ERROR || ty == Type::ERROR {
            self.draft.scratch.truncate(mark);
            return Ok(self.error(span));
        }
        // The value comes before everything that is read to store it.
        let has_index = target.steps.iter().any(|(step, ..)| step.is_index());
        let value = if has_index { self.settled(value) } else { value };
        let stored = self.store_at(target.local, &target.steps, value, span)?;
        Ok(self.with_statements(mark, stored, span))
    }

    /// Where an assignment goes; indices are evaluated now, into temporaries. `None` after a report.
    fn assigned(&mut self, local: LocalId, steps: &[tree::ExprId]) -> Result<Option<Target>> {
        let mut ty = self.resolved(self.draft.body.locals[local].ty);
        let mut target = Target { local, steps: Vec::new(), ty, owner: None };
        for &step in steps.iter().rev() {
            let step_span = self.span(step);
            // What is put at an index of a declared type is what is read there, or nothing in it is a place.
            if let Some(&(Step::User(key, _), value, at)) = target.steps.last()
                && let Some(owner) = target.owner
            {
                let key = self.resolved(self.draft.body.locals[key].ty);
                let read = self.index_of(owner, key, at)?.and_then(|found| found.args().last().copied());
                if read != Some(value) {
                    self.report(Code::E2050, at, [show(owner).into()]).notes.push("`index` does not give what `updated` takes".into());
                    return Ok(None);
                }
            }
            let found = match self.tree.exprs[step] {
                Ast::Field(_, name) => match self.field_index(ty, name, step_span)? {
                    Some(_) if self.is_newtype(ty)? => {
                        self.report(Code::E1020, step_span, []).helps.push(format!("build another `{}`", show(ty)));
                        None
                    }
                    found => found.map(|(index, inner)| (Step::Field(index), inner)),
                },
                Ast::TupleField(_, index) => self.element(ty, index, step_span)?.map(|element| (Step::Field(index), element)),
                Ast::Index(_, index) => self.index_step(&target, ty, index, step_span)?,
                _ => None,
            };
            let Some((step, inner)) = found else { return Ok(None) };
            target.steps.push((step, inner, step_span));
            target.owner = Some(ty);
            ty = self.resolved(inner);
            target.ty = ty;
            // What stands at a key is read as an option, of which nothing is a place.
            if matches!(step, Step::Key(_)) {
                ty = prelude::option_of(ty);
            }
        }
        Ok(Some(target))
    }

    /// One index of a place.
    fn index_step(&mut self, target: &Target, ty: Type, index: tree::ExprId, span: Span) -> Result<Option<(Step, Type)>> {
        let element = match ty.kind() {
            TypeKind::Struct(item, &[key, value]) if item == prelude::map() => {
                return Ok(self.key(index, ty, key)?.map(|key| (Step::Key(self.temporary(key)), value)));
            }
            TypeKind::List(element) => element,
            TypeKind::Error | TypeKind::Never => {
                self.poisoned = true;
                return Ok(None);
            }
            TypeKind::Variable(_) => {
                self.cannot_infer(span, UNNAMED);
                return Ok(None);
            }
            _ if let Some(update) = self.updated_of(ty, span)? => {
                let Some((key, _)) = self.user_key(index, ty, &[update.key])? else { return Ok(None) };
                let (key, value) = (self.temporary(key), update.value);
                self.updates.push(update);
                return Ok(Some((Step::User(key, self.updates.len() as u32 - 1), value)));
            }
            _ => {
                if !self.lacks_silently(ty)? {
                    self.report(Code::E2050, span, [show(ty).into()]);
                }
                return Ok(None);
            }
        };
        // `#` wants the list that stands there.
        let receiver = self.at(target.local, &target.steps, span)?;
        self.indexed.push(Indexed { receiver, temporary: None });
        let position = self.infer(index);
        let indexed = self.indexed.pop();
        let position = position?;
        if let Some(local) = indexed.and_then(|indexed| indexed.temporary) {
            let binding = self.push(Expr::Let(local, receiver), Type::VOID, span);
            self.draft.scratch.push(binding);
        }
        Ok(self.position(position, ty).then(|| (Step::Index(self.temporary(position)), element)))
    }

    /// Is it the position of an element of this list type? Reports when it is not.
    pub(super) fn position(&mut self, position: ExprId, list: Type) -> bool {
        let found = self.ty(position);
        // What is open is an `int` here.
        if found != Type::INT && !found.fits_anywhere() && !self.unify(found, Type::INT) {
            let at = self.span_at(position);
            let is_range = found == prelude::range_type();
            let error = self.report(Code::E2026, at, [show(list).into(), "int".into(), show(found).into()]);
            if is_range {
                let (method, what) = if list == Type::STR { ("substring", "bytes") } else { ("slice", "elements") };
                error.helps.push(format!("a part of it: `.{method}(start:, end:)`, of the {what} from `start` on and before `end`"));
            }
            return false;
        }
        found != Type::ERROR
    }

    /// The value behind the steps from a variable.
    fn at(&mut self, local: LocalId, steps: &[(Step, Type, Span)], span: Span) -> Result<ExprId> {
        let mut value = self.read(local, span);
        for &(step, ty, at) in steps {
            value = match step {
                Step::Field(index) => self.push(Expr::Field(value, index), ty, span),
                Step::Key(local) => {
                    let key = self.read(local, at);
                    self.found_at(value, key, ty, at)?
                }
                Step::User(local, _) => {
                    let key = self.read(local, at);
                    let (owner, wanted) = (self.ty(value), self.ty(key));
                    let Some(found) = self.index_of(owner, wanted, at)? else {
                        self.report(Code::E2025, at, [show(owner).into()]);
                        return Ok(self.error(at));
                    };
                    self.index_call(owner, found, value, key, at)?
                }
                Step::Index(local) => {
                    let position = self.read(local, at);
                    self.intrinsic(Intrinsic::ListGet, &[value, position], ty, at)
                }
            };
        }
        Ok(value)
    }

    /// Stores a value at a place. What lies inside an element is assigned in a copy of the element, which is then put back.
    pub(super) fn store_at(&mut self, local: LocalId, steps: &[(Step, Type, Span)], value: ExprId, span: Span) -> Result<ExprId> {
        let first = steps.iter().position(|(step, ..)| step.is_index()).unwrap_or(steps.len());
        let (fields, rest) = steps.split_at(first);
        let mut value = value;
        if let Some((&(Step::Key(key), _, at), _)) = rest.split_first() {
            let owner = self.at(local, fields, at)?;
            value = self.with_key(owner, key, value, at)?;
        } else if let Some(((step, element, at), inner)) = rest.split_first() {
            if !inner.is_empty() {
                let root = self.local(self.blank, *element, true);
                let current = self.at(local, &steps[..=first], *at)?;
                let binding = self.push(Expr::Let(root, current), Type::VOID, *at);
                self.draft.scratch.push(binding);
                let assigned = self.store_at(root, inner, value, span)?;
                self.draft.scratch.push(assigned);
                value = self.read(root, *at);
            }
            let owner = self.at(local, fields, *at)?;
            value = match *step {
                Step::User(key, update) => {
                    let (update, key) = (self.updates[update as usize].clone(), self.read(key, *at));
                    self.with_updated(&update, owner, key, value, *at)?
                }
                Step::Index(index) | Step::Key(index) => {
                    let (ty, index) = (self.ty(owner), self.read(index, *at));
                    self.intrinsic(Intrinsic::ListSet, &[owner, index, value], ty, *at)
                }
                Step::Field(_) => value,
            };
        }
        let fields: Vec<u32> =
            fields.iter().filter_map(|(step, ..)| if let Step::Field(index) = step { Some(*index) } else { None }).collect();
        let body = &mut self.draft.body;
        let path = if fields.is_empty() { WHOLE } else { body.paths.push(body.fields.add(fields)) };
        Ok(self.push(Expr::Assign { local, path, value }, Type::VOID, span))
    }

    /// Reports a place that nothing may be written to: E2051 for a parameter, E2039 for what else is immutable.
    pub(super) fn judge_root(&mut self, binding: super::Binding, at: Span) {
        let (anchor, root) = (self.anchor, binding.name);
        // A method of a trait that declares a plain `self`: said once, of the method (E0446).
        if root == self.self_name() && binding.kind == Kind::Parameter {
            self.poisoned = true;
            return;
        }
        if self.is_captured(binding.local) {
            let error = self.report(Code::E0312, at, [root.into()]);
            error.labels.push(syntax::Label { anchor, span: binding.span, text: "the lambda has a copy of what is declared here".into() });
            error.helps.push(format!("a loop changes it: `for x in xs do {root} = ...`; or let `fold` give the new value"));
            return;
        }
        match binding.kind {
            Kind::Mutable => {}
            Kind::Parameter => {
                let error = self.report(Code::E2051, at, [root.into()]);
                error.labels.push(syntax::Label { anchor, span: binding.span, text: "declared as a parameter here".into() });
                error.helps.push(format!("bind a new variable: `let {root} = {root};`"));
            }
            Kind::Immutable | Kind::LoopVariable => {
                let error = self.report(Code::E2039, at, [root.into()]);
                let text =
                    if binding.kind == Kind::Immutable { "bound with `$` here" } else { "a loop variable: it is new in every round" };
                error.labels.push(syntax::Label { anchor, span: binding.span, text: text.into() });
            }
        }
    }

    fn is_newtype(&self, ty: Type) -> Result<bool> {
        Ok(match ty.kind() {
            TypeKind::Struct(item, _) => self.cx.type_definition(item)?.is_some_and(|d| d.form == TypeForm::Newtype),
            _ => false,
        })
    }
}
