//! Blocks, branches and loops.

use ir::{List, Symbol};
use syntax::tree::{self, Expr as Ast, ForClause, Pattern};
use syntax::{DiagnosticCode as Code, Span};

use super::collect::Rounds;
use super::why::{Expect, Why};
use super::{Binding, Breaks, Checker, Frame, Kind, LoopKind, Result, Yields};
use crate::ir::{Arm, Expr, ExprId, For, LocalId, LoopId, Pattern as Shape, Source, WHOLE};
use crate::resolve::prelude::{self, Known};
use crate::resolve::show;
use crate::resolve::solve::{Answer, Evidence, solve};
use crate::{Intrinsic, Type, TypeKind};

impl<'a> Checker<'a> {
    pub(super) fn block(&mut self, statements: List<tree::ExprId>, tail: bool, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        let list = tree.expr_lists.get(statements);
        // Empty braces where a map is expected are one (language/02, G1).
        if list.is_empty()
            && let Some((wanted, _)) = expect.checked()
            && let Some((key, value)) = prelude::map_parts(self.resolved(wanted))
        {
            return self.empty_map(key, value, span);
        }
        let bindings = self.draft.bindings.len();
        let mark = self.draft.scratch.len();
        self.draft.blocks.push((statements, 0));
        let mut diverges = false;
        let mut warned = false;
        let mut ty = Type::VOID;
        for (i, &statement) in list.iter().enumerate() {
            if let Some(open) = self.draft.blocks.last_mut() {
                open.1 = i + 1;
            }
            if diverges && !warned {
                warned = true;
                let at = self.span(statement);
                self.report(Code::W0801, at, []);
            }
            let is_tail = tail && i + 1 == list.len();
            let before = self.draft.scratch.len();
            let postponed = self.postponed.len();
            if is_tail && !matches!(tree.exprs[statement], Ast::Let { .. }) {
                let value = match expect.checked() {
                    Some((wanted, why)) => self.check(statement, wanted, why)?,
                    None => self.expr(statement, expect)?,
                };
                self.end_statement(postponed)?;
                ty = self.ty(value);
                self.draft.scratch.push(value);
            } else {
                self.statement(statement)?;
            }
            for at in before..self.draft.scratch.len() {
                diverges |= self.diverges(self.draft.scratch[at]);
            }
        }
        self.draft.blocks.pop();
        self.draft.bindings.truncate(bindings);
        let has_tail = tail && list.last().is_some_and(|&last| !matches!(tree.exprs[last], Ast::Let { .. }));
        Ok(self.block_of(mark, has_tail, ty, span))
    }

    /// `if c then a else if d then b else e`: the links of a chain one after the other, so that a long one needs no deep recursion.
    pub(super) fn if_else(
        &mut self,
        condition: tree::ExprId,
        then: tree::ExprId,
        otherwise: Option<tree::ExprId>,
        span: Span,
        expect: &Expect<'a>,
    ) -> Result<ExprId> {
        let mut expect = *expect;
        let mut link = (condition, then, otherwise, span);
        let mut links: Vec<(ExprId, ExprId, Type, Expect<'a>, Span)> = Vec::new();
        let mut value = loop {
            let (condition, then, otherwise, span) = link;
            let condition = self.condition(condition, "the condition of an `if`")?;
            let Some(otherwise) = otherwise else { break self.if_alone(condition, then, span)? };
            let first = self.branch(then, &expect)?;
            let mut ty = self.ty(first);
            expect = match (expect.checked(), ty) {
                (Some((wanted, _)), _) => {
                    if ty != Type::ERROR && ty != Type::NEVER {
                        ty = wanted;
                    }
                    expect
                }
                (None, Type::NEVER | Type::ERROR) => expect,
                // The first branch fixes the type of the others.
                (None, _) => Expect::check(ty, Why::Branch(self.span_at(first))),
            };
            links.push((condition, first, ty, expect, span));
            match self.tree.exprs[otherwise] {
                Ast::If { condition, then, otherwise: next } => link = (condition, then, next, self.span(otherwise)),
                _ => break self.branch(otherwise, &expect)?,
            }
        };
        for (condition, first, mut ty, expect, span) in links.into_iter().rev() {
            if let Some((wanted, why)) = expect.checked() {
                value = self.fit(value, wanted, why)?;
            }
            let other = self.ty(value);
            value = if ty == Type::ERROR || other == Type::ERROR {
                // The branch that is right still says what the value is, so that one error does not hide others.
                self.error(span)
            } else {
                if ty == Type::NEVER {
                    ty = other;
                }
                self.push(Expr::If { condition, then: first, otherwise: Some(value) }, ty, span)
            };
        }
        Ok(value)
    }

    /// `if c then a` without `else`.
    fn if_alone(&mut self, condition: ExprId, then: tree::ExprId, span: Span) -> Result<ExprId> {
        let value = self.branch(then, &Expect::NONE)?;
        let mut ty = self.ty(value);
        if let TypeKind::Variable(_) = ty.kind() {
            // `Err(e)?`: what it would go on with is nothing. Of anything else that is open, `void` is wanted.
            ty = self.closed(value);
            if self.unify(ty, Type::VOID) {
                ty = Type::VOID;
            }
        }
        if ty != Type::VOID && !ty.fits_anywhere() {
            let (at, anchor) = (self.span_at(value), self.anchor);
            let error = self.report(Code::E0311, span, [show(ty).into()]);
            error.helps.push("add an `else` branch, or end the value with `;` in a block".into());
            error.labels.push(syntax::Label { anchor, span: at, text: format!("this is `{}`", show(ty)) });
            return Ok(self.error(span));
        }
        if ty == Type::ERROR {
            return Ok(self.error(span));
        }
        Ok(self.push(Expr::If { condition, then: value, otherwise: None }, Type::VOID, span))
    }

    // ---- loops ----

    fn enter(&mut self, kind: LoopKind, label: Option<Symbol>, expect: &Expect<'a>, span: Span) -> LoopId {
        if let Some(name) = label
            && self.frames.iter().any(|frame| frame.label == Some(name))
        {
            self.report(Code::E0871, span, [name.into()]);
        }
        let id = self.draft.body.loops.push(label);
        self.frames.push(Frame { kind, label, id, breaks: Breaks::None, expect: *expect, yields: None });
        id
    }

    fn enter_rounds(&mut self, label: Option<Symbol>, yields: Option<Yields<'a>>, span: Span) -> LoopId {
        let kind = if yields.is_some() { LoopKind::Yield } else { LoopKind::For };
        let id = self.enter(kind, label, &Expect::NONE, span);
        if let Some(frame) = self.frames.last_mut() {
            frame.yields = yields;
        }
        id
    }

    pub(super) fn endless(&mut self, label: Option<Symbol>, body: tree::ExprId, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let id = self.enter(LoopKind::Loop, label, expect, span);
        let written = body;
        let body = self.branch(body, &Expect::NONE)?;
        self.warn_unused(written, body);
        let breaks = self.frames.pop().map_or(Breaks::None, |frame| frame.breaks);
        let ty = match breaks {
            Breaks::None => Type::NEVER,
            Breaks::Plain(_) => Type::VOID,
            Breaks::Value(ty, _) => ty,
        };
        if self.ty(body) == Type::ERROR {
            // The body is wrong, but what the loop yields is known.
            self.poisoned = true;
        }
        Ok(self.push(Expr::Loop { id, body }, ty, span))
    }

    pub(super) fn while_do(&mut self, label: Option<Symbol>, condition: tree::ExprId, body: tree::ExprId, span: Span) -> Result<ExprId> {
        let id = self.enter(LoopKind::While, label, &Expect::NONE, span);
        let condition = self.condition(condition, "the condition of a `while`")?;
        let written = body;
        let body = self.branch(body, &Expect::NONE)?;
        self.warn_unused(written, body);
        self.frames.pop();
        Ok(self.push(Expr::While { id, condition, body }, Type::VOID, span))
    }

    /// A loop over `(i, x)` where there are only `x`: lists and the like give their positions when asked.
    fn help_to_pairs(&mut self, before: usize, pattern: tree::PatternId, item: Type) {
        let is_pair = matches!(self.tree.patterns[pattern], Pattern::Tuple(parts) if parts.len() == 2);
        if is_pair
            && !matches!(item.kind(), TypeKind::Tuple(_))
            && let Some(error) = self.diagnostics[before..].iter_mut().find(|error| error.code == Code::E2001)
        {
            error.helps.push("`for (i, x) in xs.iter().enumerate()` counts what it gives".into());
        }
    }

    pub(super) fn for_do(&mut self, label: Option<Symbol>, clauses: List<ForClause>, body: tree::ExprId, span: Span) -> Result<ExprId> {
        let tree = self.tree;
        self.clause(label, tree.clauses.get(clauses), Rounds { body, yields: None }, span)
    }

    pub(super) fn clause(&mut self, label: Option<Symbol>, clauses: &'a [ForClause], rounds: Rounds<'a>, span: Span) -> Result<ExprId> {
        let Rounds { body, yields } = rounds;
        let Some((first, rest)) = clauses.split_first() else { return self.branch(body, &Expect::NONE) };
        let source_span = self.span(first.source);
        let mut range = None;
        let mut list = None;
        let mut length = None;
        let mut steps = None;
        let mut source = first.source;
        while let Ast::Paren(inner) = self.tree.exprs[source] {
            source = inner;
        }
        let item = match self.tree.exprs[source] {
            Ast::Range { start, end, inclusive, step } => {
                let start = self.bound(start)?;
                let Some(end) = end else {
                    let refused = self.refuse(source_span, "unbounded ranges");
                    self.draft.scratch.truncate(self.draft.scratch.len());
                    return self.body_alone(first, rest, label, rounds, span, refused);
                };
                let lengths = self.byte_lengths.len();
                let end = self.bound(end)?;
                length = self.byte_lengths.get(lengths).copied();
                let step = match step {
                    Some(step) => Some(self.bound(step)?),
                    None => None,
                };
                range = Some((start, end, step, inclusive));
                Type::INT
            }
            _ => {
                let value = self.infer(first.source)?;
                let value = if self.head_is_known(value)? { value } else { self.error(source_span) };
                match self.ty(value).kind() {
                    TypeKind::List(element) => {
                        list = Some(value);
                        element
                    }
                    TypeKind::Str => {
                        list = Some(value);
                        Type::CHAR
                    }
                    TypeKind::Error | TypeKind::Never => Type::ERROR,
                    _ => {
                        steps = self.iterator_of(value, source_span)?;
                        match steps {
                            Some(iterator) => {
                                let this = self.ty(iterator);
                                self.projected(Type::associated(&[this], Known::Iterator.item(), prelude::item_type()), source_span)?
                            }
                            None => Type::ERROR,
                        }
                    }
                }
            }
        };
        let id = self.enter_rounds(label, yields, span);
        let bindings = self.draft.bindings.len();
        let mark = self.draft.scratch.len();
        let local = match self.tree.patterns[first.pattern] {
            Pattern::Name { name, .. } => {
                let local = self.local(name, item, false);
                let span = self.tree.pattern_span(first.pattern);
                self.draft.bindings.push(Binding { name, local, kind: Kind::LoopVariable, span });
                self.byte_counters.extend(length.map(|length| (local, length)));
                local
            }
            _ => {
                let local = self.local(self.blank, item, false);
                let before = self.diagnostics.len();
                self.bind_local(first.pattern, local, item, Kind::LoopVariable, "for")?;
                self.help_to_pairs(before, first.pattern, item);
                local
            }
        };
        let guard = match first.guard {
            Some(guard) => Some(self.condition(guard, "the guard of a `for`")?),
            None => None,
        };
        let inner = match yields {
            _ if !rest.is_empty() => self.clause(None, rest, rounds, span)?,
            Some(yields) => self.yielded(body, yields)?,
            None => self.branch(body, &Expect::NONE)?,
        };
        if yields.is_none() {
            self.warn_unused(body, inner);
        }
        let inner = match guard {
            Some(condition) => {
                let at = self.span_at(inner);
                // The value of a body is discarded, whatever its type is.
                let statements = self.draft.body.lists.add([inner]);
                let ty = if self.ty(inner) == Type::NEVER { Type::NEVER } else { Type::VOID };
                let then = self.push(Expr::Block { statements, tail: false }, ty, at);
                self.push(Expr::If { condition, then, otherwise: None }, Type::VOID, at)
            }
            None => inner,
        };
        let inner = self.with_statements(mark, inner, span);
        self.draft.bindings.truncate(bindings);
        self.frames.pop();
        Ok(match (range, list) {
            (Some((start, end, step, inclusive)), _) => {
                if let Some(step) = step
                    && self.expr_at(step) == Expr::Int(0)
                {
                    // A literal step of 0 panics when the range is built, before anything else happens.
                    let zero = self.intrinsic(Intrinsic::StepZero, &[], Type::NEVER, source_span);
                    let statements = self.draft.body.lists.add([start, end, zero]);
                    return Ok(self.push(Expr::Block { statements, tail: true }, Type::NEVER, span));
                }
                let parts = For { id, local, source: Source::Range { start, end, step, inclusive }, body: inner };
                self.push_for(parts, span)
            }
            (None, Some(text)) if self.ty(text) == Type::STR => self.over_text(id, local, text, inner, span),
            (None, Some(list)) if item != Type::ERROR => self.push_for(For { id, local, source: Source::List(list), body: inner }, span),
            (None, _) => match steps {
                Some(iterator) if item != Type::ERROR => self.step_by_step(iterator, id, local, inner, span)?,
                Some(_) | None => self.error(span),
            },
        })
    }

    /// The iterator of what a loop runs over; `None` after a report.
    fn iterator_of(&mut self, value: ExprId, span: Span) -> Result<Option<ExprId>> {
        let ty = self.closed(value);
        match solve(ty, Known::Iterable.plain(), &self.given, self.cx)? {
            // An iterator is its own.
            Answer::Proven(Evidence::Impl(found, _))
                if self.cx.implementation(found)?.is_some_and(|found| matches!(found.ty.kind(), TypeKind::Parameter(..))) =>
            {
                Ok(Some(value))
            }
            Answer::Proven(_) => {
                let iterator = self.projected(Type::associated(&[ty], Known::Iterable.item(), prelude::iter_type()), span)?;
                self.through_with(Known::Iterable, &[ty], &[value], iterator, span).map(Some)
            }
            Answer::Endless => {
                self.report(Code::E0440, span, [show(ty).into(), Known::Iterable.name().into()]);
                Ok(None)
            }
            Answer::Refuted | Answer::Unsupported => {
                if !self.lacks_silently(ty)? {
                    self.report(Code::E2009, span, [show(ty).into(), Known::Iterable.name().into()]);
                }
                Ok(None)
            }
        }
    }

    /// `let it = iterator; loop { let (item, rest) = it.next(); it = rest; match item { Some(local) -> body, None -> break } }`
    fn step_by_step(&mut self, iterator: ExprId, id: LoopId, local: LocalId, body: ExprId, span: Span) -> Result<ExprId> {
        let this = self.ty(iterator);
        let item = self.draft.body.locals[local].ty;
        let option = prelude::option_of(item);
        let both = Type::tuple(&[option, this]);
        let it = self.local(self.blank, this, true);
        let start = self.push(Expr::Let(it, iterator), Type::VOID, span);
        let now = self.read(it, span);
        let next = self.through_with(Known::Iterator, &[this], &[now], both, span)?;
        let step = self.local(self.blank, both, false);
        let taken = self.push(Expr::Let(step, next), Type::VOID, span);
        let pair = self.read(step, span);
        let rest = self.push(Expr::Field(pair, 1), this, span);
        let moved = self.push(Expr::Assign { local: it, path: WHOLE, value: rest }, Type::VOID, span);
        let pair = self.read(step, span);
        let scrutinee = self.push(Expr::Field(pair, 0), option, span);
        let ty = if self.ty(body) == Type::NEVER { Type::NEVER } else { Type::VOID };
        // The value of a body is discarded, whatever its type is.
        let discarded = self.draft.body.lists.add([body]);
        let body = self.push(Expr::Block { statements: discarded, tail: false }, ty, span);
        let leave = self.push(Expr::Break(id, None), Type::NEVER, span);
        let any = self.push_pattern(Shape::Any, span);
        let name = self.push_pattern(Shape::Bind(local, any), span);
        let parts = self.draft.body.parts.add([name]);
        let some = self.push_pattern(Shape::Variant(prelude::SOME, parts), span);
        let none = self.push_pattern(Shape::Variant(prelude::NONE, List::EMPTY), span);
        let arms = [Arm { pattern: some, guard: None, body }, Arm { pattern: none, guard: None, body: leave }];
        // What is never there is never bound.
        let (arms, ty) = match self.resolved(item) {
            Type::NEVER => (&arms[1..], Type::NEVER),
            _ => (&arms[..], ty),
        };
        let arms = self.draft.body.arms.add(arms.iter().copied());
        let chosen = self.push(Expr::Match { scrutinee, arms }, ty, span);
        let statements = self.draft.body.lists.add([taken, moved, chosen]);
        let round = self.push(Expr::Block { statements, tail: true }, ty, span);
        let rounds = self.push(Expr::Loop { id, body: round }, Type::VOID, span);
        let statements = self.draft.body.lists.add([start, rounds]);
        Ok(self.push(Expr::Block { statements, tail: true }, Type::VOID, span))
    }

    /// `for local in text do body`: byte by byte offset, each character is read and stepped over before the body, so that a `continue` needs no care.
    fn over_text(&mut self, id: LoopId, local: LocalId, text: ExprId, body: ExprId, span: Span) -> ExprId {
        let (int, bool) = (Type::INT, Type::BOOL);
        let mark = self.draft.scratch.len();
        let text = self.temporary(text);
        let read = self.read(text, span);
        let length = self.intrinsic(Intrinsic::StrLen, &[read], int, span);
        let end = self.temporary(length);
        let at = self.local(self.blank, int, true);
        let zero = self.int(0, span);
        let start = self.push(Expr::Let(at, zero), Type::VOID, span);
        self.draft.scratch.push(start);
        let (now, last) = (self.read(at, span), self.read(end, span));
        let condition = self.intrinsic(Intrinsic::Lt, &[now, last], bool, span);
        let (read, now) = (self.read(text, span), self.read(at, span));
        let letter = self.intrinsic(Intrinsic::StrCharAt, &[read, now], Type::CHAR, span);
        let letter = self.push(Expr::Let(local, letter), Type::VOID, span);
        let read = self.read(local, span);
        let arguments = self.draft.body.lists.add([read]);
        let width = self.push(Expr::Call(prelude::width(), arguments), int, span);
        let now = self.read(at, span);
        let value = self.intrinsic(Intrinsic::WrappingAdd, &[now, width], int, span);
        let step = self.push(Expr::Assign { local: at, path: WHOLE, value }, Type::VOID, span);
        let statements = self.draft.body.lists.add([letter, step, body]);
        let body = self.push(Expr::Block { statements, tail: false }, Type::VOID, span);
        let whole = self.push(Expr::While { id, condition, body }, Type::VOID, span);
        self.with_statements(mark, whole, span)
    }

    /// A range as a value.
    pub(super) fn range(
        &mut self,
        (start, end): (tree::ExprId, Option<tree::ExprId>),
        inclusive: bool,
        step: Option<tree::ExprId>,
        span: Span,
    ) -> Result<ExprId> {
        let start = self.bound(start)?;
        let Some(end) = end else { return Ok(self.refuse(span, "unbounded ranges")) };
        let end = self.bound(end)?;
        let step = match step {
            Some(step) => self.bound(step)?,
            None => self.int(1, span),
        };
        let inclusive = self.push(Expr::Bool(inclusive), Type::BOOL, span);
        if [start, end, step].iter().any(|&part| self.ty(part) == Type::ERROR) {
            return Ok(self.error(span));
        }
        let parts = self.draft.body.lists.add([start, end, step, inclusive]);
        Ok(self.push(Expr::Call(prelude::new_range(), parts), prelude::range_type(), span))
    }

    fn push_for(&mut self, parts: For, span: Span) -> ExprId {
        let parts = self.draft.body.fors.push(parts);
        self.push(Expr::For(parts), Type::VOID, span)
    }

    /// The body of a loop whose source was refused, for its own errors.
    fn body_alone(
        &mut self,
        first: &'a ForClause,
        rest: &'a [ForClause],
        label: Option<Symbol>,
        rounds: Rounds<'a>,
        span: Span,
        refused: ExprId,
    ) -> Result<ExprId> {
        let bindings = self.draft.bindings.len();
        let mark = self.draft.scratch.len();
        self.enter_rounds(label, rounds.yields, span);
        let local = self.local(self.blank, Type::ERROR, false);
        self.bind_local(first.pattern, local, Type::ERROR, Kind::LoopVariable, "for")?;
        if rest.is_empty() {
            self.branch(rounds.body, &Expect::NONE)?
        } else {
            self.clause(None, rest, rounds, span)?
        };
        self.frames.pop();
        self.draft.bindings.truncate(bindings);
        self.draft.scratch.truncate(mark);
        Ok(refused)
    }

    /// A bound or step of a range: E0317 when it is no int.
    fn bound(&mut self, id: tree::ExprId) -> Result<ExprId> {
        let value = self.infer(id)?;
        let ty = self.ty(value);
        // What is open is an `int` here: there are no other ranges.
        if ty == Type::INT || ty.fits_anywhere() || self.unify(ty, Type::INT) {
            return Ok(value);
        }
        let at = self.span_at(value);
        self.report(Code::E0317, at, [show(ty).into()]);
        Ok(self.error(at))
    }

    fn target(&mut self, word: &'static str, label: Option<Symbol>, span: Span) -> Option<usize> {
        let found = match label {
            Some(name) => self.frames.iter().rposition(|frame| frame.label == Some(name)),
            None => self.frames.len().checked_sub(1),
        };
        if found.is_none() {
            match label {
                Some(name) if !self.frames.is_empty() => {
                    let near = {
                        let labels = self.frames.iter().filter_map(|frame| frame.label);
                        crate::resolve::suggest(name.as_str(), labels.map(|l| l.as_str()))
                    };
                    let anchor = self.anchor;
                    // Nothing stands between the word, the colon and the label.
                    let start = span.start + word.len() as u32 + 1;
                    let at = Span::new(start, start + name.as_str().len() as u32);
                    let error = self.report(Code::E0802, span, [name.into()]);
                    if let Some((near, is_sure)) = near {
                        error.helps.push(format!("a label with a similar name exists: `{near}`"));
                        error.edits.push(syntax::Edit { anchor, span: at, text: near, machine_applicable: is_sure && at.end <= span.end });
                    }
                }
                _ => {
                    self.report(Code::E0801, span, [word.into()]);
                }
            }
        }
        found
    }

    pub(super) fn break_out(&mut self, label: Option<Symbol>, value: Option<tree::ExprId>, span: Span) -> Result<ExprId> {
        let Some(target) = self.target("break", label, span) else {
            if let Some(value) = value {
                self.infer(value)?;
            }
            self.poisoned = true;
            return Ok(self.push(Expr::Unit, Type::NEVER, span));
        };
        let (kind, id, breaks, expect) = {
            let frame = &self.frames[target];
            (frame.kind, frame.id, frame.breaks, frame.expect)
        };
        let anchor = self.anchor;
        if let (Some(value), Some(yields)) = (value, self.frames[target].yields) {
            let leave = self.push(Expr::Break(id, None), Type::NEVER, span);
            return self.yielded_and(value, yields, leave, span);
        }
        let Some(value) = value else {
            match breaks {
                Breaks::Value(ty, first) if kind == LoopKind::Loop && ty != Type::ERROR => {
                    let error = self.report(Code::E0872, span, [show(ty).into(), "void".into()]);
                    error.labels.push(syntax::Label { anchor, span: first, text: format!("this `break` has a `{}`", show(ty)) });
                }
                Breaks::None => self.frames[target].breaks = Breaks::Plain(span),
                Breaks::Plain(_) | Breaks::Value(..) => {}
            }
            return Ok(self.push(Expr::Break(id, None), Type::NEVER, span));
        };
        let form = match kind {
            LoopKind::Loop => None,
            LoopKind::While => Some("while"),
            LoopKind::For | LoopKind::Yield => Some("for-do"),
        };
        if let Some(form) = form {
            self.infer(value)?;
            self.report(Code::E0860, span, [form.into()]);
            return Ok(self.push(Expr::Unit, Type::NEVER, span));
        }
        let value = match expect.checked() {
            Some((ty, why)) => self.check(value, ty, why)?,
            None => match breaks {
                Breaks::Value(ty, _) => self.hinted(value, ty)?,
                Breaks::None | Breaks::Plain(_) => self.infer(value)?,
            },
        };
        let ty = self.ty(value);
        // A nested loop may have left this one meanwhile; the frame is still at its place.
        let breaks = self.frames[target].breaks;
        match breaks {
            Breaks::None if ty == Type::NEVER => {}
            Breaks::None => self.frames[target].breaks = Breaks::Value(expect.checked().map_or(ty, |(wanted, _)| wanted), span),
            Breaks::Plain(first) if !ty.fits_anywhere() => {
                let error = self.report(Code::E0872, span, ["void".into(), show(ty).into()]);
                error.labels.push(syntax::Label { anchor, span: first, text: "this `break` has no value".into() });
            }
            // What one of them leaves open the other may say: `None` and `Some(1)`.
            Breaks::Value(before, first) if !ty.fits_anywhere() && before != Type::ERROR && !self.unify(before, ty) => {
                let error = self.report(Code::E0872, span, [show(before).into(), show(ty).into()]);
                error.labels.push(syntax::Label { anchor, span: first, text: format!("this `break` has a `{}`", show(before)) });
            }
            Breaks::Plain(_) | Breaks::Value(..) => {}
        }
        Ok(self.push(Expr::Break(id, Some(value)), Type::NEVER, span))
    }

    pub(super) fn continue_on(&mut self, label: Option<Symbol>, value: Option<tree::ExprId>, span: Span) -> Result<ExprId> {
        let target = self.target("continue", label, span);
        if let (Some(value), Some(target)) = (value, target)
            && let Some(yields) = self.frames[target].yields
        {
            let again = self.push(Expr::Continue(self.frames[target].id), Type::NEVER, span);
            return self.yielded_and(value, yields, again, span);
        }
        if let Some(value) = value {
            self.infer(value)?;
        }
        let Some(target) = target else {
            self.poisoned = true;
            return Ok(self.push(Expr::Unit, Type::NEVER, span));
        };
        let (kind, id) = (self.frames[target].kind, self.frames[target].id);
        if value.is_some() {
            match (kind, label) {
                (LoopKind::For | LoopKind::Yield, Some(name)) => self.report(Code::E0873, span, [name.into()]),
                (LoopKind::For | LoopKind::Yield, None) => self.report(Code::E0861, span, ["for-do".into()]),
                (LoopKind::While, _) => self.report(Code::E0861, span, ["while".into()]),
                (LoopKind::Loop, _) => self.report(Code::E0861, span, ["loop".into()]),
            };
        }
        Ok(self.push(Expr::Continue(id), Type::NEVER, span))
    }
}
