//! The body under construction.
//!
//! Expressions are rows here, with the span that messages need; a finished body is copied out of them into columns without slack. The memory is
//! one per thread and serves one body after the other: touching a fresh page costs more than checking the lines that fill it.

use std::cell::Cell;

use ir::{ItemId, Pool, Symbol};
use syntax::tree;
use syntax::{Lines, Span};

use super::Binding;
use crate::ir::{Arm, Body, Expr, ExprId, For, LocalId, Places, Source};
use crate::walk::children;
use crate::{Type, walk};

/// An expression with all that is known of it.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub expr: Expr,
    pub ty: Type,
    pub span: Span,
}

/// A lambda of the draft.
#[derive(Clone)]
pub(super) struct Lambda {
    pub item: ItemId,
    /// Names of its parameters, for calls.
    pub names: Vec<Symbol>,
    pub params: Vec<LocalId>,
    /// Locals from this one to the next are its own; what it uses of those before, it captures.
    pub first_local: usize,
    pub root: ExprId,
    /// The expression that makes a value of it, whose type is its own.
    pub closure: ExprId,
}

/// What is built while a body is checked.
pub(super) struct Draft {
    /// Everything but the columns of expressions.
    pub body: Body,
    pub rows: Vec<Row>,
    pub bindings: Vec<Binding>,
    /// Where each pattern of the body stands.
    pub pattern_spans: Vec<Span>,
    /// The lambdas of the body, by number. While a body is checked, the one operand of their `Closure` is their own root.
    pub lambdas: Vec<Lambda>,
    /// Locals whose initialiser is a lambda, by its number: calls of them may name arguments.
    pub named_lambdas: Vec<(LocalId, usize)>,
    /// Lists under construction; each builder takes what it pushed.
    pub scratch: Vec<ExprId>,
    /// Operators whose left operand is being checked: operator, right operand, place.
    pub spine: Vec<(tree::BinaryOp, tree::ExprId, Span)>,
    /// Statements of the open blocks and how many are done: only to tell "used before its declaration" from "unknown".
    pub blocks: Vec<(ir::List<tree::ExprId>, usize)>,
}

thread_local! {
    static SPARE: Cell<Option<Box<Draft>>> = const { Cell::new(None) };
}

impl Draft {
    /// An empty draft. Checking a body may lead to checking another one; that one gets memory of its own.
    pub(super) fn new(owner: ItemId) -> Box<Draft> {
        match SPARE.take() {
            Some(mut draft) => {
                draft.clear();
                draft.body.owner = owner;
                draft
            }
            None => Box::new(Draft {
                body: Body {
                    owner,
                    params: Vec::new(),
                    result: Type::ERROR,
                    locals: Default::default(),
                    exprs: Default::default(),
                    types: Default::default(),
                    places: Default::default(),
                    loops: Default::default(),
                    fors: Default::default(),
                    lists: Default::default(),
                    arms: Default::default(),
                    patterns: Default::default(),
                    parts: Default::default(),
                    paths: Default::default(),
                    fields: Default::default(),
                    root: ExprId::new(0),
                    lambdas: Vec::new(),
                },
                rows: Vec::new(),
                bindings: Vec::new(),
                pattern_spans: Vec::new(),
                lambdas: Vec::new(),
                named_lambdas: Vec::new(),
                scratch: Vec::new(),
                spine: Vec::new(),
                blocks: Vec::new(),
            }),
        }
    }

    /// Keeps the memory for the next body.
    pub(super) fn recycle(self: Box<Self>) {
        SPARE.set(Some(self));
    }

    fn clear(&mut self) {
        let Draft { body, rows, bindings, pattern_spans, lambdas, named_lambdas, scratch, spine, blocks } = self;
        body.params.clear();
        body.locals.clear();
        body.loops.clear();
        body.fors.clear();
        body.lists.clear();
        body.arms.clear();
        body.patterns.clear();
        body.parts.clear();
        body.paths.clear();
        body.fields.clear();
        rows.clear();
        bindings.clear();
        pattern_spans.clear();
        lambdas.clear();
        named_lambdas.clear();
        scratch.clear();
        spine.clear();
        blocks.clear();
    }

    /// The finished body.
    pub(super) fn finish(&mut self, root: ExprId, result: Type, lines: &Lines) -> Body {
        if !self.lambdas.is_empty() {
            return super::lift::finish(self, root, result, lines);
        }
        self.body.root = root;
        self.body.result = result;
        if !self.is_tree() {
            self.drop_unused();
        }
        let mut cursor = lines.cursor();
        let places = Places::of(self.rows.iter().map(|row| cursor.line_column(row.span.start)));
        let mut body = self.body.clone();
        body.exprs = self.rows.iter().map(|row| row.expr).collect();
        body.types = self.rows.iter().map(|row| row.ty).collect();
        body.places = places;
        body
    }

    /// Is every expression below the root? Children stand before their parents and are used once, so counting the uses is enough.
    fn is_tree(&self) -> bool {
        let uses: usize = self.rows.iter().map(|row| walk::count(&self.body, row.expr)).sum();
        self.body.root.index() + 1 == self.rows.len() && uses + 1 == self.rows.len()
    }

    /// Removes what was checked but is not part of the body: arms that never match, operands beside one that never ends, reads of a local that is
    /// read again instead.
    fn drop_unused(&mut self) {
        let mut kept = vec![false; self.rows.len()];
        let mut stack = vec![self.body.root];
        while let Some(expr) = stack.pop() {
            kept[expr.index()] = true;
            children(&self.body, self.rows[expr.index()].expr, |child| stack.push(child.expr()));
        }
        let mut names = vec![ExprId::new(0); self.rows.len()];
        let mut next = 0;
        for (name, &kept) in names.iter_mut().zip(&kept) {
            *name = ExprId::new(next);
            next += usize::from(kept);
        }
        let mut renaming = Renaming { names, lists: Pool::new(), arms: Pool::new(), fors: Default::default() };
        let mut at = 0;
        let body = &self.body;
        self.rows.retain_mut(|row| {
            at += 1;
            if kept[at - 1] {
                row.expr = renaming.expr(body, row.expr);
            }
            kept[at - 1]
        });
        self.body.root = renaming.name(self.body.root);
        self.body.lists = renaming.lists;
        self.body.arms = renaming.arms;
        self.body.fors = renaming.fors;
    }
}

/// New ids of expressions, and what is rebuilt with them.
struct Renaming {
    names: Vec<ExprId>,
    lists: Pool<ExprId>,
    arms: Pool<Arm>,
    fors: ir::Column<crate::ir::ForTag, For>,
}

impl Renaming {
    fn name(&self, expr: ExprId) -> ExprId {
        self.names[expr.index()]
    }

    fn option(&self, expr: Option<ExprId>) -> Option<ExprId> {
        expr.map(|expr| self.name(expr))
    }

    fn list(&mut self, body: &Body, list: ir::List<ExprId>) -> ir::List<ExprId> {
        let names = &self.names;
        self.lists.add(walk::list(body, list).iter().map(|expr| names[expr.index()]))
    }

    fn expr(&mut self, body: &Body, expr: Expr) -> Expr {
        match expr {
            Expr::Int(_)
            | Expr::Float(_)
            | Expr::Bool(_)
            | Expr::Char(_)
            | Expr::Byte(_)
            | Expr::Str(_)
            | Expr::Unit
            | Expr::Local(_)
            | Expr::Constant(_)
            | Expr::Continue(_) => expr,
            Expr::Call(item, args) => Expr::Call(item, self.list(body, args)),
            Expr::Closure(item, args) => Expr::Closure(item, self.list(body, args)),
            Expr::CallValue(callee, args) => Expr::CallValue(self.name(callee), self.list(body, args)),
            Expr::Intrinsic(op, args) => Expr::Intrinsic(op, self.list(body, args)),
            Expr::Aggregate(parts) => Expr::Aggregate(self.list(body, parts)),
            Expr::Variant(number, parts) => Expr::Variant(number, self.list(body, parts)),
            Expr::Field(value, index) => Expr::Field(self.name(value), index),
            Expr::Object(value) => Expr::Object(self.name(value)),
            Expr::Let(local, value) => Expr::Let(local, self.name(value)),
            Expr::Assign { local, path, value } => Expr::Assign { local, path, value: self.name(value) },
            Expr::Block { statements, tail } => Expr::Block { statements: self.list(body, statements), tail },
            Expr::If { condition, then, otherwise } => {
                Expr::If { condition: self.name(condition), then: self.name(then), otherwise: self.option(otherwise) }
            }
            Expr::And(a, b) => Expr::And(self.name(a), self.name(b)),
            Expr::Or(a, b) => Expr::Or(self.name(a), self.name(b)),
            Expr::Match { scrutinee, arms } => {
                let renamed: Vec<Arm> = walk::arms(body, arms)
                    .iter()
                    .map(|arm| Arm { guard: self.option(arm.guard), body: self.name(arm.body), ..*arm })
                    .collect();
                Expr::Match { scrutinee: self.name(scrutinee), arms: self.arms.add(renamed) }
            }
            Expr::Loop { id, body } => Expr::Loop { id, body: self.name(body) },
            Expr::While { id, condition, body } => Expr::While { id, condition: self.name(condition), body: self.name(body) },
            Expr::For(parts) => {
                let parts = body.fors[parts];
                let source = match parts.source {
                    Source::Range { start, end, step, inclusive } => {
                        Source::Range { start: self.name(start), end: self.name(end), step: self.option(step), inclusive }
                    }
                    Source::List(list) => Source::List(self.name(list)),
                };
                Expr::For(self.fors.push(For { source, body: self.name(parts.body), ..parts }))
            }
            Expr::Break(id, value) => Expr::Break(id, self.option(value)),
            Expr::Catch(value) => Expr::Catch(self.name(value)),
            Expr::Return(value) => Expr::Return(self.name(value)),
        }
    }
}
