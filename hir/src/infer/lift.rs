//! Lambdas become bodies of their own when the body around them is finished.
//!
//! While it is checked, a lambda is part of the tree: inference, scopes and messages need nothing special, and all locals are of one body. Here each is
//! taken out with the locals of its own. What it uses of the locals around it is captured: read where the lambda stands, in the order of first use, and
//! given to the lambda as further parameters. A lambda inside another one captures through it.

use ir::Pool;
use syntax::Lines;

use super::draft::{Draft, Row};
use crate::ir::{Arm, Body, Expr, ExprId, For, Local, LocalId, LoopId, PathId, Pattern, PatternId, Places, Source, WHOLE};
use crate::walk::{self, children};
use crate::{Type, TypeKind};

/// The finished body of a draft with lambdas.
pub(super) fn finish(draft: &Draft, root: ExprId, result: Type, lines: &Lines) -> Body {
    let captured: Vec<Vec<LocalId>> = draft.lambdas.iter().map(|lambda| captures(draft, lambda.root, lambda.first_local)).collect();
    let empty = |owner, result| Body {
        owner,
        params: Vec::new(),
        result,
        locals: Default::default(),
        exprs: Default::default(),
        types: Default::default(),
        places: Places::default(),
        loops: Default::default(),
        fors: Default::default(),
        lists: Pool::new(),
        arms: Pool::new(),
        patterns: Default::default(),
        parts: Pool::new(),
        paths: Default::default(),
        fields: Pool::new(),
        root: ExprId::new(0),
        lambdas: Vec::new(),
    };
    let cut = |root: ExprId, params: &[LocalId], captured_here: &[LocalId], to: Body| {
        let mut cutter = Cutter {
            draft,
            captured: &captured,
            to,
            rows: Vec::new(),
            exprs: vec![ExprId::new(u32::MAX as usize); draft.rows.len()],
            locals: vec![None; draft.body.locals.len()],
            loops: vec![None; draft.body.loops.len()],
        };
        for &param in params.iter().chain(captured_here) {
            let row = Local { mutable: false, ..draft.body.locals[param] };
            let local = cutter.to.locals.push(row);
            cutter.locals[param.index()] = Some(local);
            cutter.to.params.push(local);
        }
        cutter.cut(root, lines)
    };
    let mut body = cut(root, &draft.body.params, &[], empty(draft.body.owner, result));
    for (lambda, captured) in draft.lambdas.iter().zip(&captured) {
        let result = match draft.rows[lambda.closure.index()].ty.kind() {
            TypeKind::Function(_, result) => result,
            _ => Type::ERROR,
        };
        body.lambdas.push(cut(lambda.root, &lambda.params, captured, empty(lambda.item, result)));
    }
    body
}

/// The locals of others that the expressions below `root` use, in the order of evaluation.
fn captures(draft: &Draft, root: ExprId, first_local: usize) -> Vec<LocalId> {
    let mut found: Vec<LocalId> = Vec::new();
    let mut stack = vec![root];
    while let Some(expr) = stack.pop() {
        let expr = draft.rows[expr.index()].expr;
        if let Expr::Local(local) | Expr::Assign { local, .. } = expr
            && local.index() < first_local
            && !found.contains(&local)
        {
            found.push(local);
        }
        let below = stack.len();
        children(&draft.body, expr, |child| stack.push(child.expr()));
        stack[below..].reverse();
    }
    found
}

/// Copies one body out of a draft.
struct Cutter<'a> {
    draft: &'a Draft,
    /// What each lambda captures.
    captured: &'a [Vec<LocalId>],
    to: Body,
    rows: Vec<Row>,
    /// New names of expressions, locals and loops.
    exprs: Vec<ExprId>,
    locals: Vec<Option<LocalId>>,
    loops: Vec<Option<LoopId>>,
}

impl Cutter<'_> {
    /// The expressions below `root`, without those of lambdas, in their order. What has become another expression may stand before its parts, so all are
    /// named before any is copied.
    fn cut(mut self, root: ExprId, lines: &Lines) -> Body {
        let draft = self.draft;
        let mut kept = vec![false; draft.rows.len()];
        let mut stack = vec![root];
        while let Some(expr) = stack.pop() {
            kept[expr.index()] = true;
            if self.lambda(draft.rows[expr.index()].expr).is_none() {
                children(&draft.body, draft.rows[expr.index()].expr, |child| stack.push(child.expr()));
            }
        }
        let mut next = 0;
        for index in (0..kept.len()).filter(|&index| kept[index]) {
            next += self.lambda(draft.rows[index].expr).map_or(0, |number| self.captured[number].len());
            self.exprs[index] = ExprId::new(next);
            next += 1;
        }
        for index in (0..kept.len()).filter(|&index| kept[index]) {
            let Row { expr, ty, span } = draft.rows[index];
            let expr = match (self.lambda(expr), expr) {
                (Some(number), Expr::Closure(item, _)) => {
                    let captured = self.captured;
                    let reads: Vec<ExprId> = captured[number]
                        .iter()
                        .map(|&local| {
                            let read = Row { expr: Expr::Local(self.local(local)), ty: draft.body.locals[local].ty, span };
                            self.rows.push(read);
                            ExprId::new(self.rows.len() - 1)
                        })
                        .collect();
                    Expr::Closure(item, self.to.lists.add(reads))
                }
                _ => self.expr(expr),
            };
            self.rows.push(Row { expr, ty, span });
            debug_assert_eq!(self.exprs[index].index() + 1, self.rows.len());
        }
        let mut to = self.to;
        to.root = self.exprs[root.index()];
        let mut cursor = lines.cursor();
        to.places = Places::of(self.rows.iter().map(|row| cursor.line_column(row.span.start)));
        to.exprs = self.rows.iter().map(|row| row.expr).collect();
        to.types = self.rows.iter().map(|row| row.ty).collect();
        to
    }

    /// The number of the lambda of this draft that an expression is.
    fn lambda(&self, expr: Expr) -> Option<usize> {
        let Expr::Closure(item, _) = expr else { return None };
        let (_, number) = item.of_lambda()?;
        self.draft.lambdas.get(number).filter(|lambda| lambda.item == item)?;
        Some(number)
    }

    fn name(&self, expr: ExprId) -> ExprId {
        self.exprs[expr.index()]
    }

    fn option(&self, expr: Option<ExprId>) -> Option<ExprId> {
        expr.map(|expr| self.name(expr))
    }

    fn list(&mut self, list: ir::List<ExprId>) -> ir::List<ExprId> {
        let names = &self.exprs;
        self.to.lists.add(walk::list(&self.draft.body, list).iter().map(|expr| names[expr.index()]))
    }

    fn local(&mut self, local: LocalId) -> LocalId {
        match self.locals[local.index()] {
            Some(known) => known,
            None => {
                let new = self.to.locals.push(self.draft.body.locals[local]);
                self.locals[local.index()] = Some(new);
                new
            }
        }
    }

    fn loop_id(&mut self, id: LoopId) -> LoopId {
        match self.loops[id.index()] {
            Some(known) => known,
            None => {
                let new = self.to.loops.push(self.draft.body.loops[id]);
                self.loops[id.index()] = Some(new);
                new
            }
        }
    }

    fn path(&mut self, path: PathId) -> PathId {
        if path == WHOLE {
            return WHOLE;
        }
        let fields = self.to.fields.add(self.draft.body.path(path).iter().copied());
        self.to.paths.push(fields)
    }

    fn pattern(&mut self, pattern: PatternId) -> PatternId {
        let copy = match self.draft.body.patterns[pattern] {
            same @ (Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_)) => same,
            Pattern::Bind(local, inner) => {
                let inner = self.pattern(inner);
                Pattern::Bind(self.local(local), inner)
            }
            Pattern::Fields(list) => Pattern::Fields(self.patterns(list)),
            Pattern::Variant(number, list) => Pattern::Variant(number, self.patterns(list)),
            Pattern::List(list, has_rest) => Pattern::List(self.patterns(list), has_rest),
            Pattern::Or(list) => Pattern::Or(self.patterns(list)),
        };
        self.to.patterns.push(copy)
    }

    fn patterns(&mut self, list: ir::List<PatternId>) -> ir::List<PatternId> {
        let draft = self.draft;
        let copies: Vec<PatternId> = walk::parts(&draft.body, list).iter().map(|&part| self.pattern(part)).collect();
        self.to.parts.add(copies)
    }

    fn expr(&mut self, expr: Expr) -> Expr {
        match expr {
            Expr::Int(_) | Expr::Float(_) | Expr::Bool(_) | Expr::Char(_) | Expr::Byte(_) | Expr::Str(_) | Expr::Unit => expr,
            Expr::Constant(_) => expr,
            Expr::Local(local) => Expr::Local(self.local(local)),
            Expr::Call(item, args) => Expr::Call(item, self.list(args)),
            Expr::Closure(item, args) => Expr::Closure(item, self.list(args)),
            Expr::CallValue(callee, args) => Expr::CallValue(self.name(callee), self.list(args)),
            Expr::Intrinsic(op, args) => Expr::Intrinsic(op, self.list(args)),
            Expr::Aggregate(parts) => Expr::Aggregate(self.list(parts)),
            Expr::Variant(number, parts) => Expr::Variant(number, self.list(parts)),
            Expr::Field(value, index) => Expr::Field(self.name(value), index),
            Expr::Let(local, value) => Expr::Let(self.local(local), self.name(value)),
            Expr::Assign { local, path, value } => {
                Expr::Assign { local: self.local(local), path: self.path(path), value: self.name(value) }
            }
            Expr::Block { statements, tail } => Expr::Block { statements: self.list(statements), tail },
            Expr::If { condition, then, otherwise } => {
                Expr::If { condition: self.name(condition), then: self.name(then), otherwise: self.option(otherwise) }
            }
            Expr::And(a, b) => Expr::And(self.name(a), self.name(b)),
            Expr::Or(a, b) => Expr::Or(self.name(a), self.name(b)),
            Expr::Match { scrutinee, arms } => {
                let draft = self.draft;
                let copies: Vec<Arm> = walk::arms(&draft.body, arms)
                    .iter()
                    .map(|arm| Arm { pattern: self.pattern(arm.pattern), guard: self.option(arm.guard), body: self.name(arm.body) })
                    .collect();
                Expr::Match { scrutinee: self.name(scrutinee), arms: self.to.arms.add(copies) }
            }
            Expr::Loop { id, body } => Expr::Loop { id: self.loop_id(id), body: self.name(body) },
            Expr::While { id, condition, body } => {
                Expr::While { id: self.loop_id(id), condition: self.name(condition), body: self.name(body) }
            }
            Expr::For(parts) => {
                let For { id, local, source, body } = self.draft.body.fors[parts];
                let source = match source {
                    Source::Range { start, end, step, inclusive } => {
                        Source::Range { start: self.name(start), end: self.name(end), step: self.option(step), inclusive }
                    }
                    Source::List(list) => Source::List(self.name(list)),
                };
                let parts = For { id: self.loop_id(id), local: self.local(local), source, body: self.name(body) };
                Expr::For(self.to.fors.push(parts))
            }
            Expr::Break(id, value) => Expr::Break(self.loop_id(id), self.option(value)),
            Expr::Continue(id) => Expr::Continue(self.loop_id(id)),
            Expr::Object(value) => Expr::Object(self.name(value)),
            Expr::Catch(value) => Expr::Catch(self.name(value)),
            Expr::Return(value) => Expr::Return(self.name(value)),
        }
    }
}
