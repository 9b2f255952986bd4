//! Lambdas that wait for the end of their statement (language/03 §3.16, 4).
//!
//! A lambda whose parameters are still open is tried where it stands: mostly its body fixes them, or does not look at them. When it does look (a method of
//! one, an operator on one), what the attempt left behind is taken back, and an open function value stands for the lambda. The rest of the statement may
//! fix its type; then the lambda is checked as if it stood there from the start. A lambda in a lambda waits with it when nothing inside helps.
//!
//! Lambdas in lambdas do not multiply the attempts: none is made where it would end as the one before did, none for an attempt that is stuck already, and
//! in attempts that are [`DEEP`] inside each other a lambda waits untried.

use syntax::Span;
use syntax::tree::LambdaParam;

use super::draft::Lambda;
use super::lambda::Written;
use super::traits::{Obligation, Projection};
use super::why::{Expect, Mode, Why};
use super::{Binding, Checker, Result};
use crate::ir::{Expr, ExprId};
use crate::{Type, TypeKind};

/// So many attempts inside each other; lambdas in them are not tried where they stand.
const DEEP: u32 = 4;

/// A lambda that waits.
pub(super) struct Postponed<'a> {
    written: Written<'a>,
    span: Span,
    /// What stands for it, and the function type of that.
    row: ExprId,
    ty: Type,
    why: Why<'a>,
    /// What was in scope.
    bindings: Vec<Binding>,
    /// How many variables had been fixed when an attempt was stuck; `None` when there has been none.
    tried: Option<u64>,
}

/// Where checking was before an attempt. Locals, loops, patterns and lists of an attempt stay behind unused: only what is reached from the root of a body
/// with lambdas is copied out of the draft.
struct Mark {
    rows: usize,
    lambdas: usize,
    named_lambdas: usize,
    bindings: usize,
    scratch: usize,
    spine: usize,
    blocks: usize,
    diagnostics: usize,
    refused: usize,
    no_keys: usize,
    elements: usize,
    byte_lengths: usize,
    byte_counters: usize,
    open_matches: usize,
    pending: usize,
    postponed: usize,
    poisoned: bool,
    fixes: u64,
    variables: Vec<Option<Type>>,
    lenient: Vec<u32>,
    projections: Vec<Projection>,
    obligations: Vec<Obligation>,
}

impl<'a> Checker<'a> {
    /// `x -> e`
    pub(super) fn lambda(&mut self, written: Written<'a>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let Some(ty) = self.open_lambda(written.0, expect) else { return self.lambda_now(written, span, expect) };
        let is_tried = !self.stuck && self.attempts < DEEP;
        if is_tried {
            let mark = self.mark();
            if let Some(done) = self.attempt(written, span, expect)? {
                return Ok(done);
            }
            self.take_back(mark);
        }
        let ty = ty.unwrap_or_else(|| {
            let params: Vec<Type> = written.0.iter().map(|_| self.fresh()).collect();
            let result = self.fresh();
            Type::function(&params, result)
        });
        let row = self.push(Expr::Unit, ty, span);
        let tried = is_tried.then_some(self.fixes);
        self.postponed.push(Postponed { written, span, row, ty, why: expect.why, bindings: self.draft.bindings.clone(), tried });
        Ok(row)
    }

    /// Is a parameter of the lambda open? With the function type that is expected, if one is.
    fn open_lambda(&self, params: &[LambdaParam], expect: &Expect<'a>) -> Option<Option<Type>> {
        if params.is_empty() || params.iter().any(|param| param.ty.is_some()) {
            return None;
        }
        if expect.mode == Mode::None {
            return Some(None);
        }
        let wanted = self.resolved(expect.ty);
        match wanted.kind() {
            TypeKind::Function(types, _) if types.len() == params.len() => types.iter().any(|ty| ty.has_variable()).then_some(Some(wanted)),
            TypeKind::Variable(_) => Some(None),
            _ => None,
        }
    }

    /// The lambda; `None` when a type that is open is needed, and then everything since is to be taken back.
    fn attempt(&mut self, written: Written<'a>, span: Span, expect: &Expect<'a>) -> Result<Option<ExprId>> {
        let around = std::mem::replace(&mut self.stuck, false);
        self.attempts += 1;
        let value = self.lambda_now(written, span, expect)?;
        self.attempts -= 1;
        Ok((!std::mem::replace(&mut self.stuck, around)).then_some(value))
    }

    /// The end of a statement: what was postponed since is checked. What is then still open is an error.
    #[inline]
    pub(super) fn end_statement(&mut self, since: usize) -> Result<()> {
        if self.postponed.len() == since { Ok(()) } else { self.check_postponed(since) }
    }

    #[cold]
    fn check_postponed(&mut self, since: usize) -> Result<()> {
        let mut waiting: Vec<Postponed<'a>> = self.postponed.drain(since..).collect();
        loop {
            let count = waiting.len();
            let mut left = Vec::new();
            for mut lambda in waiting {
                // This attempt is taken back, whatever comes now.
                if self.stuck {
                    return Ok(());
                }
                if lambda.tried != Some(self.fixes) {
                    let mark = self.mark();
                    if let Some(value) = self.once_more(&lambda, true)? {
                        self.settle(&lambda, value)?;
                        continue;
                    }
                    self.take_back(mark);
                    lambda.tried = Some(self.fixes);
                }
                left.push(lambda);
            }
            if left.is_empty() {
                return Ok(());
            }
            if left.len() == count {
                if self.attempts > 0 {
                    (self.stuck, self.poisoned) = (true, true);
                    return Ok(());
                }
                for lambda in &left {
                    if let Some(value) = self.once_more(lambda, false)? {
                        self.settle(lambda, value)?;
                    }
                }
                return Ok(());
            }
            waiting = left;
        }
    }

    /// The lambda with what is known by now, in the scope where it stands.
    fn once_more(&mut self, lambda: &Postponed<'a>, is_attempt: bool) -> Result<Option<ExprId>> {
        let bindings = std::mem::replace(&mut self.draft.bindings, lambda.bindings.clone());
        let expect = Expect::check(lambda.ty, lambda.why);
        let value = match is_attempt {
            true => self.attempt(lambda.written, lambda.span, &expect)?,
            false => Some(self.lambda_now(lambda.written, lambda.span, &expect)?),
        };
        self.draft.bindings = bindings;
        Ok(value)
    }

    /// A lambda takes the place of what stood for it.
    fn settle(&mut self, lambda: &Postponed<'a>, value: ExprId) -> Result<()> {
        let value = self.fit(value, lambda.ty, lambda.why)?;
        let found = self.draft.rows[value.index()];
        self.draft.rows[lambda.row.index()] = found;
        let known = self.draft.lambdas.iter_mut().find(|Lambda { closure, .. }| *closure == value);
        if let Some(known) = known {
            known.closure = lambda.row;
        }
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark {
            rows: self.draft.rows.len(),
            lambdas: self.draft.lambdas.len(),
            named_lambdas: self.draft.named_lambdas.len(),
            bindings: self.draft.bindings.len(),
            scratch: self.draft.scratch.len(),
            spine: self.draft.spine.len(),
            blocks: self.draft.blocks.len(),
            diagnostics: self.diagnostics.len(),
            refused: self.refused.len(),
            no_keys: self.no_keys.len(),
            elements: self.elements.len(),
            byte_lengths: self.byte_lengths.len(),
            byte_counters: self.byte_counters.len(),
            open_matches: self.open_matches.len(),
            pending: self.pending.len(),
            postponed: self.postponed.len(),
            poisoned: self.poisoned,
            fixes: self.fixes,
            variables: self.variables.clone(),
            lenient: self.lenient.clone(),
            projections: self.projections.clone(),
            obligations: self.obligations.clone(),
        }
    }

    fn take_back(&mut self, mark: Mark) {
        self.draft.rows.truncate(mark.rows);
        self.draft.lambdas.truncate(mark.lambdas);
        self.draft.named_lambdas.truncate(mark.named_lambdas);
        self.draft.bindings.truncate(mark.bindings);
        self.draft.scratch.truncate(mark.scratch);
        self.draft.spine.truncate(mark.spine);
        self.draft.blocks.truncate(mark.blocks);
        self.diagnostics.truncate(mark.diagnostics);
        self.refused.truncate(mark.refused);
        self.no_keys.truncate(mark.no_keys);
        self.elements.truncate(mark.elements);
        self.byte_lengths.truncate(mark.byte_lengths);
        self.byte_counters.truncate(mark.byte_counters);
        self.open_matches.truncate(mark.open_matches);
        self.pending.truncate(mark.pending);
        self.postponed.truncate(mark.postponed);
        self.poisoned = mark.poisoned;
        self.fixes = mark.fixes;
        self.variables = mark.variables;
        self.lenient = mark.lenient;
        self.projections = mark.projections;
        self.obligations = mark.obligations;
    }
}
