//! `let` and assignment.

use syntax::tree::{self, BinaryOp, Expr as Ast};
use syntax::{DiagnosticCode as Code, Span};

use super::why::Why;
use super::{Checker, Kind, Result};
use crate::ir::{Expr, ExprId, WHOLE};
use crate::program::{Entity, TypeForm};
use crate::resolve::show;
use crate::{Type, TypeKind};

impl<'a> Checker<'a> {
    /// One statement of a block; what it becomes goes to the scratch stack.
    pub(super) fn statement(&mut self, id: tree::ExprId) -> Result<()> {
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
                self.defining = before;
                self.bind_value(pattern, value, ty, Kind::Mutable, "let", span)
            }
            _ => {
                // A block as a statement may be `{}`.
                let statement = match self.tree.exprs[id] {
                    Ast::Map(entries) if entries.is_empty() => self.unit(self.span(id)),
                    _ => self.infer(id)?,
                };
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
        // The path of fields and the type at its end.
        let mut ty = self.resolved(self.draft.body.locals[binding.local].ty);
        let mut path: Vec<(u32, Type)> = Vec::new();
        for &step in steps.iter().rev() {
            let step_span = self.span(step);
            let found = match self.tree.exprs[step] {
                Ast::Field(_, name) => match self.field_index(ty, name, step_span)? {
                    Some(_) if self.is_newtype(ty)? => {
                        self.report(Code::E1020, step_span, []).helps.push(format!("build another `{}`", show(ty)));
                        None
                    }
                    found => found,
                },
                Ast::TupleField(_, index) => self.element(ty, index, step_span)?.map(|element| (index, element)),
                _ => {
                    match ty.kind() {
                        TypeKind::Error | TypeKind::Never => self.poisoned = true,
                        TypeKind::List(_) => {
                            self.refuse(step_span, "index assignment");
                        }
                        _ => {
                            if !self.lacks_silently(ty)? {
                                self.report(Code::E2050, step_span, [show(ty).into()]);
                            }
                        }
                    }
                    None
                }
            };
            let Some((index, inner)) = found else {
                self.infer(value)?;
                return Ok(self.error(span));
            };
            path.push((index, inner));
            ty = inner;
        }
        let why = if path.is_empty() {
            Why::Variable(root, binding.span)
        } else {
            match self.tree.exprs[place] {
                Ast::Field(_, name) => match self.owner_of(binding.local, &path) {
                    Some(item) => Why::Field(item, name),
                    None => Why::None,
                },
                Ast::TupleField(_, index) => Why::Element(index),
                _ => Why::None,
            }
        };
        let value = match op {
            None => self.check(value, ty, why)?,
            Some(BinaryOp::And | BinaryOp::Or) => {
                let current = self.current(binding.local, &path, place);
                let word = if op == Some(BinaryOp::And) { "an operand of `&&=`" } else { "an operand of `||=`" };
                let current = self.fit(current, Type::BOOL, Why::Condition(word));
                let value = self.condition(value, word)?;
                let expr = if op == Some(BinaryOp::And) { Expr::And(current, value) } else { Expr::Or(current, value) };
                self.push(expr, Type::BOOL, span)
            }
            Some(op) => {
                let current = self.current(binding.local, &path, place);
                let value = match op {
                    BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Pow => self.infer(value)?,
                    _ => self.hinted(value, ty)?,
                };
                let result = self.operate(op, current, value, span)?;
                self.fit(result, ty, why)
            }
        };
        if self.ty(value) == Type::ERROR || ty == Type::ERROR {
            return Ok(self.error(span));
        }
        let body = &mut self.draft.body;
        let path = if path.is_empty() { WHOLE } else { body.paths.push(body.fields.add(path.iter().map(|(index, _)| *index))) };
        Ok(self.push(Expr::Assign { local: binding.local, path, value }, Type::VOID, span))
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

    /// The value that stands at a place now.
    fn current(&mut self, local: crate::ir::LocalId, path: &[(u32, Type)], place: tree::ExprId) -> ExprId {
        let span = self.span(place);
        let mut value = self.read(local, span);
        for &(index, ty) in path {
            value = self.push(Expr::Field(value, index), ty, span);
        }
        value
    }

    /// The struct that the last field of a path belongs to.
    fn owner_of(&self, local: crate::ir::LocalId, path: &[(u32, Type)]) -> Option<ir::ItemId> {
        let before = match path.len().checked_sub(2) {
            Some(index) => path[index].1,
            None => self.draft.body.locals[local].ty,
        };
        match before.kind() {
            TypeKind::Struct(item, _) => Some(item),
            _ => None,
        }
    }
}
