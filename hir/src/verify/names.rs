//! H01: ids, tree shape, scopes. The walk follows the order of evaluation and undoes the declarations of every scope it leaves.

use std::cell::Cell;

use ir::List;

use super::{Rule, Verifier};
use crate::Body;
use crate::ir::{Expr, ExprId, LocalId, LoopId, Pattern, PatternId, Source};
use crate::text::{DEEPEST, roots};

/// How far the walk is with a local.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Local {
    Unseen,
    InScope,
    OutOfScope,
}

#[derive(Default)]
struct Walk {
    visited: Vec<bool>,
    /// How many were.
    reached: usize,
    locals: Vec<Local>,
    /// Locals in scope in the order of their declarations; a scope ends by undoing what lies above its mark.
    log: Vec<LocalId>,
    loops_seen: Vec<bool>,
    open_loops: Vec<LoopId>,
    /// Expressions whose first operand is being walked.
    spine: Vec<(ExprId, Rest)>,
}

thread_local! {
    /// The memory of one body serves the next.
    static SPARE: Cell<Option<Box<Walk>>> = const { Cell::new(None) };
}

/// What is evaluated after a first operand.
#[derive(Clone, Copy)]
enum Rest {
    Nothing,
    Operands(List<ExprId>),
    /// All of these.
    All(List<ExprId>),
    Region(ExprId),
}

impl Verifier<'_> {
    pub(super) fn names(&mut self) {
        let body = self.body;
        let count = body.exprs.len();
        if body.types.len() != count || body.places.len() != count {
            self.report_whole(Rule::Columns, "the columns of the body differ in length".into());
            return;
        }
        let mut walk = SPARE.take().unwrap_or_default();
        walk.clear(body);
        for (i, &param) in body.params.iter().enumerate() {
            match body.locals.get(param) {
                Some(local) => {
                    if param.index() != i || local.mutable {
                        self.report_whole(Rule::Parameters, format!("parameter {i} is not local {i}, immutable"));
                    }
                    walk.locals[param.index()] = Local::InScope;
                }
                None => self.report_whole(Rule::DanglingLocal, format!("parameter {i} is no local")),
            }
        }
        self.walk(&mut walk, body.root, body.root, 0);
        // What lies below an expression that is used wrongly was not walked, and needs no second report.
        if walk.reached != count && !self.is_broken() {
            for root in roots(body).into_iter().filter(|&root| root != body.root) {
                self.report(Rule::NotATree, root, "nothing uses the expression".into());
            }
        }
        SPARE.set(Some(walk));
    }

    fn scoped(&mut self, walk: &mut Walk, expr: ExprId, parent: ExprId, depth: u32) {
        let mark = walk.log.len();
        self.walk(walk, expr, parent, depth);
        walk.leave_scope(mark);
    }

    fn declare(&mut self, walk: &mut Walk, local: LocalId, at: ExprId) {
        let Some(&state) = walk.locals.get(local.index()) else {
            self.report(Rule::DanglingLocal, at, format!("there is no local {}", local.raw()));
            return;
        };
        if state != Local::Unseen {
            self.report(Rule::LocalTwice, at, format!("local {} is declared again", local.raw()));
        }
        if state != Local::InScope {
            walk.locals[local.index()] = Local::InScope;
            walk.log.push(local);
        }
    }

    #[inline]
    fn used(&mut self, walk: &Walk, local: LocalId, at: ExprId) {
        if walk.locals.get(local.index()) != Some(&Local::InScope) {
            self.misused(walk, local, at);
        }
    }

    #[cold]
    fn misused(&mut self, walk: &Walk, local: LocalId, at: ExprId) {
        match walk.locals.get(local.index()) {
            None => self.report(Rule::DanglingLocal, at, format!("there is no local {}", local.raw())),
            Some(Local::Unseen | Local::OutOfScope) => {
                self.report(Rule::UseBeforeLet, at, format!("local {} is not declared here", local.raw()));
            }
            Some(Local::InScope) => {}
        }
    }

    fn enter_loop(&mut self, walk: &mut Walk, id: LoopId, at: ExprId) {
        match walk.loops_seen.get_mut(id.index()) {
            None => self.report(Rule::DanglingLoop, at, format!("there is no loop {}", id.raw())),
            Some(seen) => {
                let again = *seen;
                *seen = true;
                if again {
                    self.report(Rule::LoopTwice, at, format!("loop {} is a loop already", id.raw()));
                }
            }
        }
        walk.open_loops.push(id);
    }

    fn leave(&mut self, walk: &Walk, id: LoopId, at: ExprId) {
        if id.index() >= walk.loops_seen.len() {
            self.report(Rule::DanglingLoop, at, format!("there is no loop {}", id.raw()));
        } else if !walk.open_loops.contains(&id) {
            self.report(Rule::OutsideOfLoop, at, format!("loop {} is not around here", id.raw()));
        }
    }

    /// Notes that an expression is reached; `None`, after a report, when it is not there or was reached before.
    #[inline]
    fn reach(&mut self, walk: &mut Walk, id: ExprId, parent: ExprId) -> Option<Expr> {
        match (self.body.exprs.get(id), walk.visited.get_mut(id.index())) {
            (Some(&expr), Some(visited)) if !*visited => {
                *visited = true;
                walk.reached += 1;
                Some(expr)
            }
            (None, _) | (_, None) => {
                self.report(Rule::DanglingExpression, parent, format!("there is no expression {}", id.raw()));
                None
            }
            (Some(_), Some(_)) => {
                self.report(Rule::NotATree, parent, format!("expression {} is used twice", id.raw()));
                None
            }
        }
    }

    /// The operand that is evaluated first, where chains of operators or members nest, and what follows it.
    #[inline]
    fn first(&self, expr: Expr) -> Option<(ExprId, Rest)> {
        match expr {
            Expr::Call(_, args) | Expr::Closure(_, args) | Expr::Intrinsic(_, args) | Expr::Aggregate(args) | Expr::Variant(_, args) => {
                let first = *self.body.lists.slice(args.start(), args.len()).first()?;
                Some((first, Rest::Operands(args)))
            }
            Expr::CallValue(callee, args) => Some((callee, Rest::All(args))),
            Expr::Field(value, _) => Some((value, Rest::Nothing)),
            Expr::And(left, right) | Expr::Or(left, right) => Some((left, Rest::Region(right))),
            Expr::Int(_)
            | Expr::Float(_)
            | Expr::Bool(_)
            | Expr::Char(_)
            | Expr::Byte(_)
            | Expr::Str(_)
            | Expr::Unit
            | Expr::Local(_)
            | Expr::Constant(_)
            | Expr::Let(..)
            | Expr::Assign { .. }
            | Expr::Block { .. }
            | Expr::If { .. }
            | Expr::Match { .. }
            | Expr::Loop { .. }
            | Expr::While { .. }
            | Expr::For(_)
            | Expr::Break(..)
            | Expr::Continue(_)
            | Expr::Catch(_)
            | Expr::Object(_)
            | Expr::Return(_) => None,
        }
    }

    /// An expression and all below it. Half of all expressions are literals and locals; these need no call.
    #[inline]
    fn walk(&mut self, walk: &mut Walk, id: ExprId, parent: ExprId, depth: u32) {
        let Some(expr) = self.reach(walk, id, parent) else { return };
        if depth > DEEPEST {
            self.report(Rule::TooDeep, id, "nested too deep".into());
        } else if let Expr::Local(local) = expr {
            self.used(walk, local, id);
        } else if !matches!(expr, Expr::Int(_)) {
            self.descend(walk, id, expr, depth);
        }
    }

    /// Follows first operands without recursion: a chain of operators nests to the left as deep as it is long.
    fn descend(&mut self, walk: &mut Walk, id: ExprId, expr: Expr, depth: u32) {
        let base = walk.spine.len();
        let (mut id, mut expr) = (id, expr);
        loop {
            let Some((first, rest)) = self.first(expr) else {
                self.visit(walk, id, expr, depth);
                break;
            };
            let next = self.reach(walk, first, id);
            if let Some(Expr::Local(local)) = next {
                self.used(walk, local, first);
                self.rest(walk, id, rest, depth);
                break;
            }
            walk.spine.push((id, rest));
            let Some(next) = next else { break };
            (id, expr) = (first, next);
        }
        while walk.spine.len() > base {
            let Some((id, rest)) = walk.spine.pop() else { break };
            self.rest(walk, id, rest, depth);
        }
    }

    /// What follows the first operand.
    #[inline]
    fn rest(&mut self, walk: &mut Walk, id: ExprId, rest: Rest, depth: u32) {
        let body = self.body;
        match rest {
            Rest::Nothing => {}
            Rest::Operands(list) => {
                for &operand in body.lists.slice(list.start(), list.len()).iter().skip(1) {
                    self.walk(walk, operand, id, depth + 1);
                }
            }
            Rest::All(list) => {
                let found = body.lists.slice(list.start(), list.len());
                if found.len() != list.len() {
                    self.report(Rule::DanglingList, id, "the arguments are not in their pool".into());
                }
                for &operand in found {
                    self.walk(walk, operand, id, depth + 1);
                }
            }
            Rest::Region(right) => self.scoped(walk, right, id, depth + 1),
        }
    }

    /// The parts of an expression that has no first operand of that kind.
    fn visit(&mut self, walk: &mut Walk, id: ExprId, expr: Expr, depth: u32) {
        let body = self.body;
        let next = depth + 1;
        match expr {
            Expr::Int(_) | Expr::Float(_) | Expr::Bool(_) | Expr::Char(_) | Expr::Byte(_) | Expr::Str(_) | Expr::Unit => {}
            Expr::Constant(_) => {}
            Expr::Local(local) => self.used(walk, local, id),
            Expr::Call(_, args) | Expr::Closure(_, args) | Expr::Intrinsic(_, args) | Expr::Aggregate(args) | Expr::Variant(_, args) => {
                if !args.is_empty() {
                    self.report(Rule::DanglingList, id, "the operands are not in their pool".into());
                }
            }
            Expr::CallValue(..) | Expr::Field(..) | Expr::And(..) | Expr::Or(..) => {}
            Expr::Let(local, value) => {
                self.walk(walk, value, id, next);
                self.declare(walk, local, id);
            }
            Expr::Assign { local, path, value } => {
                self.walk(walk, value, id, next);
                self.used(walk, local, id);
                if body.path_dangles(path) {
                    self.report(Rule::DanglingList, id, "the path is not in its pool".into());
                }
            }
            Expr::Block { statements, .. } => {
                let mark = walk.log.len();
                let found = body.lists.slice(statements.start(), statements.len());
                if found.len() != statements.len() {
                    self.report(Rule::DanglingList, id, "the statements are not in their pool".into());
                }
                for &statement in found {
                    self.walk(walk, statement, id, next);
                }
                walk.leave_scope(mark);
            }
            Expr::If { condition, then, otherwise } => {
                // A chain of `else if` link by link: what a later condition declares is out of scope behind the whole chain.
                self.walk(walk, condition, id, next);
                let mark = walk.log.len();
                let (mut at, mut link) = (id, (then, otherwise));
                loop {
                    self.scoped(walk, link.0, at, next);
                    let Some(otherwise) = link.1 else { break };
                    match body.exprs.get(otherwise) {
                        Some(&Expr::If { condition, then, otherwise: rest }) => {
                            if self.reach(walk, otherwise, at).is_none() {
                                break;
                            }
                            self.walk(walk, condition, otherwise, next);
                            (at, link) = (otherwise, (then, rest));
                        }
                        Some(_) | None => {
                            self.scoped(walk, otherwise, at, next);
                            break;
                        }
                    }
                }
                walk.leave_scope(mark);
            }
            Expr::Match { scrutinee, arms } => {
                self.walk(walk, scrutinee, id, next);
                let found = body.arms.slice(arms.start(), arms.len());
                if found.len() != arms.len() {
                    self.report(Rule::DanglingList, id, "the arms are not in their pool".into());
                }
                for arm in found {
                    let mark = walk.log.len();
                    let mut bound = Vec::new();
                    self.pattern(arm.pattern, &mut bound, id, 0);
                    for local in bound {
                        self.declare(walk, local, id);
                    }
                    if let Some(guard) = arm.guard {
                        self.scoped(walk, guard, id, next);
                    }
                    self.scoped(walk, arm.body, id, next);
                    walk.leave_scope(mark);
                }
            }
            Expr::Loop { id: own, body } => {
                self.enter_loop(walk, own, id);
                self.scoped(walk, body, id, next);
                walk.open_loops.pop();
            }
            Expr::Catch(value) => self.scoped(walk, value, id, next),
            Expr::While { id: own, condition, body } => {
                self.enter_loop(walk, own, id);
                self.scoped(walk, condition, id, next);
                self.scoped(walk, body, id, next);
                walk.open_loops.pop();
            }
            Expr::For(parts) => {
                let Some(&parts) = body.fors.get(parts) else {
                    self.report(Rule::DanglingList, id, "the parts of the loop are not in their column".into());
                    return;
                };
                match parts.source {
                    Source::Range { start, end, step, .. } => {
                        self.walk(walk, start, id, next);
                        self.walk(walk, end, id, next);
                        if let Some(step) = step {
                            self.walk(walk, step, id, next);
                        }
                    }
                    Source::List(list) => self.walk(walk, list, id, next),
                }
                self.enter_loop(walk, parts.id, id);
                let mark = walk.log.len();
                self.declare(walk, parts.local, id);
                self.scoped(walk, parts.body, id, next);
                walk.leave_scope(mark);
                walk.open_loops.pop();
            }
            Expr::Break(own, value) => {
                if let Some(value) = value {
                    self.walk(walk, value, id, next);
                }
                self.leave(walk, own, id);
            }
            Expr::Continue(own) => self.leave(walk, own, id),
            Expr::Object(value) | Expr::Return(value) => self.walk(walk, value, id, next),
        }
    }
}

impl Verifier<'_> {
    /// The locals that a pattern binds, in order; those of alternatives once.
    fn pattern(&mut self, pattern: PatternId, bound: &mut Vec<LocalId>, at: ExprId, depth: u32) {
        let body = self.body;
        let Some(&row) = body.patterns.get(pattern) else {
            return self.report(Rule::DanglingPattern, at, format!("there is no pattern {}", pattern.raw()));
        };
        if depth > DEEPEST {
            return self.report(Rule::TooDeep, at, "a pattern is nested too deep".into());
        }
        let list = match row {
            Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) => return,
            Pattern::Bind(local, inner) => {
                bound.push(local);
                return self.pattern(inner, bound, at, depth + 1);
            }
            Pattern::Fields(list) | Pattern::Variant(_, list) | Pattern::List(list, _) | Pattern::Or(list) => list,
        };
        let parts = body.parts.slice(list.start(), list.len());
        if parts.len() != list.len() {
            self.report(Rule::DanglingList, at, "the parts of a pattern are not in their pool".into());
        }
        let is_or = matches!(row, Pattern::Or(_));
        let mut first: Option<Vec<LocalId>> = None;
        for &part in parts {
            if !is_or {
                self.pattern(part, bound, at, depth + 1);
                continue;
            }
            let mut own = Vec::new();
            self.pattern(part, &mut own, at, depth + 1);
            let mut sorted = own.clone();
            sorted.sort_unstable();
            match &first {
                None => {
                    bound.extend(own);
                    first = Some(sorted);
                }
                Some(first) if *first != sorted => {
                    self.report(Rule::AlternativesBind, at, "the alternatives bind different locals".into());
                }
                Some(_) => {}
            }
        }
    }
}

impl Walk {
    /// Makes it a walk of this body of which nothing was seen yet.
    fn clear(&mut self, body: &Body) {
        let Walk { visited, reached, locals, log, loops_seen, open_loops, spine } = self;
        *reached = 0;
        visited.clear();
        visited.resize(body.exprs.len(), false);
        locals.clear();
        locals.resize(body.locals.len(), Local::Unseen);
        loops_seen.clear();
        loops_seen.resize(body.loops.len(), false);
        log.clear();
        open_loops.clear();
        spine.clear();
    }

    /// Puts the locals declared above the mark out of scope.
    fn leave_scope(&mut self, mark: usize) {
        for local in self.log.drain(mark..) {
            self.locals[local.index()] = Local::OutOfScope;
        }
    }
}
