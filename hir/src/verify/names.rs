//! H01: ids, tree shape, scopes. The walk follows the order of evaluation and undoes the declarations of every scope it leaves.

use ir::Column;

use super::{Rule, Verifier};
use crate::ir::{Expr, ExprId, ExprTag, LocalId, LoopId};
use crate::text::{DEEPEST, first_operand};

struct Walk {
    visited: Column<ExprTag, bool>,
    declared: Vec<bool>,
    /// Declared locals in order; a scope ends by undoing what lies above its mark.
    log: Vec<LocalId>,
    ever_declared: Vec<bool>,
    loops_seen: Vec<bool>,
    open_loops: Vec<LoopId>,
    /// Expressions whose first operand is being walked.
    spine: Vec<(ExprId, Expr)>,
}

impl Verifier<'_> {
    pub(super) fn names(&mut self) {
        let body = self.body;
        let count = body.exprs.len();
        if body.types.len() != count || body.spans.len() != count || body.places.len() != count {
            self.report_whole(Rule::Columns, "the columns of the body differ in length".into());
            return;
        }
        let mut walk = Walk {
            visited: Column::filled(false, count),
            declared: vec![false; body.locals.len()],
            log: Vec::new(),
            ever_declared: vec![false; body.locals.len()],
            loops_seen: vec![false; body.loops.len()],
            open_loops: Vec::new(),
            spine: Vec::new(),
        };
        for (i, &param) in body.params.iter().enumerate() {
            match body.locals.get(param) {
                Some(local) => {
                    if param.index() != i || local.mutable {
                        self.report_whole(Rule::Parameters, format!("parameter {i} is not local {i}, immutable"));
                    }
                    walk.declared[param.index()] = true;
                    walk.ever_declared[param.index()] = true;
                }
                None => self.report_whole(Rule::DanglingLocal, format!("parameter {i} is no local")),
            }
        }
        self.walk(&mut walk, body.root, body.root, 0);
    }

    fn scoped(&mut self, walk: &mut Walk, expr: ExprId, parent: ExprId, depth: u32) {
        let mark = walk.log.len();
        self.walk(walk, expr, parent, depth);
        for local in walk.log.drain(mark..) {
            walk.declared[local.index()] = false;
        }
    }

    fn declare(&mut self, walk: &mut Walk, local: LocalId, at: ExprId) {
        match walk.declared.get(local.index()) {
            None => self.report(Rule::DanglingLocal, at, format!("there is no local {}", local.raw())),
            Some(_) => {
                if walk.ever_declared[local.index()] {
                    self.report(Rule::LocalTwice, at, format!("local {} is declared again", local.raw()));
                }
                walk.ever_declared[local.index()] = true;
                if !walk.declared[local.index()] {
                    walk.declared[local.index()] = true;
                    walk.log.push(local);
                }
            }
        }
    }

    fn used(&mut self, walk: &Walk, local: LocalId, at: ExprId) {
        match walk.declared.get(local.index()) {
            None => self.report(Rule::DanglingLocal, at, format!("there is no local {}", local.raw())),
            Some(false) => self.report(Rule::UseBeforeLet, at, format!("local {} is not declared here", local.raw())),
            Some(true) => {}
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

    fn list(&mut self, walk: &mut Walk, list: ir::List<ExprId>, skip: usize, at: ExprId, depth: u32) {
        let body = self.body;
        let elements = body.lists.slice(list.start(), list.len());
        if elements.len() != list.len() {
            self.report(Rule::DanglingList, at, "a list of operands is not in its pool".into());
        }
        for &element in elements.iter().skip(skip) {
            self.walk(walk, element, at, depth + 1);
        }
    }

    /// Notes that an expression is reached; `None`, after a report, when it is not there or was reached before.
    fn reach(&mut self, walk: &mut Walk, id: ExprId, parent: ExprId) -> Option<Expr> {
        let Some(&expr) = self.body.exprs.get(id) else {
            self.report(Rule::DanglingExpression, parent, format!("there is no expression {}", id.raw()));
            return None;
        };
        if std::mem::replace(&mut walk.visited[id], true) {
            self.report(Rule::NotATree, parent, format!("expression {} is used twice", id.raw()));
            return None;
        }
        Some(expr)
    }

    /// Follows first operands without recursion: a chain of operators nests to the left as deep as it is long.
    fn walk(&mut self, walk: &mut Walk, id: ExprId, parent: ExprId, depth: u32) {
        let base = walk.spine.len();
        let (mut id, mut parent) = (id, parent);
        while let Some(expr) = self.reach(walk, id, parent) {
            match first_operand(self.body, expr) {
                Some(first) => {
                    walk.spine.push((id, expr));
                    (id, parent) = (first, id);
                }
                None => {
                    self.visit(walk, id, expr, 0, depth);
                    break;
                }
            }
        }
        while walk.spine.len() > base {
            let Some((id, expr)) = walk.spine.pop() else { break };
            self.visit(walk, id, expr, 1, depth);
        }
    }

    /// The parts of an expression behind the first `skip` operands.
    fn visit(&mut self, walk: &mut Walk, id: ExprId, expr: Expr, skip: usize, depth: u32) {
        let body = self.body;
        if depth > DEEPEST {
            self.report(Rule::TooDeep, id, "nested too deep".into());
            return;
        }
        let next = depth + 1;
        match expr {
            Expr::Int(_) | Expr::Float(_) | Expr::Bool(_) | Expr::Char(_) | Expr::Byte(_) | Expr::Str(_) | Expr::Unit => {}
            Expr::Constant(_) => {}
            Expr::Local(local) => self.used(walk, local, id),
            Expr::Call(_, args) | Expr::Intrinsic(_, args) | Expr::Aggregate(args) => self.list(walk, args, skip, id, depth),
            Expr::Field(..) => {}
            Expr::Let(local, value) => {
                self.walk(walk, value, id, next);
                self.declare(walk, local, id);
            }
            Expr::Assign { local, path, value } => {
                self.walk(walk, value, id, next);
                self.used(walk, local, id);
                if body.fields.slice(path.start(), path.len()).len() != path.len() {
                    self.report(Rule::DanglingList, id, "the path is not in its pool".into());
                }
            }
            Expr::Block { statements, .. } => {
                let mark = walk.log.len();
                self.list(walk, statements, 0, id, depth);
                for local in walk.log.drain(mark..) {
                    walk.declared[local.index()] = false;
                }
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
                for local in walk.log.drain(mark..) {
                    walk.declared[local.index()] = false;
                }
            }
            Expr::And(_, right) | Expr::Or(_, right) => self.scoped(walk, right, id, next),
            Expr::Match { scrutinee, arms } => {
                self.walk(walk, scrutinee, id, next);
                let found = body.arms.slice(arms.start(), arms.len());
                if found.len() != arms.len() {
                    self.report(Rule::DanglingList, id, "the arms are not in their pool".into());
                }
                for arm in found {
                    if body.tests.slice(arm.tests.start(), arm.tests.len()).len() != arm.tests.len() {
                        self.report(Rule::DanglingList, id, "the tests of an arm are not in their pool".into());
                    }
                    let mark = walk.log.len();
                    if let Some(binding) = arm.binding {
                        self.declare(walk, binding, id);
                    }
                    if let Some(guard) = arm.guard {
                        self.scoped(walk, guard, id, next);
                    }
                    self.scoped(walk, arm.body, id, next);
                    for local in walk.log.drain(mark..) {
                        walk.declared[local.index()] = false;
                    }
                }
            }
            Expr::Loop { id: own, body } => {
                self.enter_loop(walk, own, id);
                self.scoped(walk, body, id, next);
                walk.open_loops.pop();
            }
            Expr::While { id: own, condition, body } => {
                self.enter_loop(walk, own, id);
                self.scoped(walk, condition, id, next);
                self.scoped(walk, body, id, next);
                walk.open_loops.pop();
            }
            Expr::ForRange { id: own, local, start, end, step, body, .. } => {
                self.walk(walk, start, id, next);
                self.walk(walk, end, id, next);
                if let Some(step) = step {
                    self.walk(walk, step, id, next);
                }
                self.for_body(walk, own, local, body, id, next);
            }
            Expr::ForList { id: own, local, list, body } => {
                self.walk(walk, list, id, next);
                self.for_body(walk, own, local, body, id, next);
            }
            Expr::Break(own, value) => {
                if let Some(value) = value {
                    self.walk(walk, value, id, next);
                }
                self.leave(walk, own, id);
            }
            Expr::Continue(own) => self.leave(walk, own, id),
        }
    }

    fn for_body(&mut self, walk: &mut Walk, own: LoopId, local: LocalId, body: ExprId, at: ExprId, depth: u32) {
        self.enter_loop(walk, own, at);
        let mark = walk.log.len();
        self.declare(walk, local, at);
        self.scoped(walk, body, at, depth);
        for local in walk.log.drain(mark..) {
            walk.declared[local.index()] = false;
        }
        walk.open_loops.pop();
    }
}
