//! `match`: arms become tests, a binding and a guard; exhaustiveness is proved here once.

use ir::{List, Symbol};
use smallvec::SmallVec;
use syntax::tree::{self, Literal, Pattern, PatternId, RangeEnd};
use syntax::{DiagnosticCode as Code, Span};

use super::why::{Expect, Why};
use super::{Binding, Checker, Kind, Result};
use crate::exhaustive::{Coverage, Usefulness, is_matchable};
use crate::ir::{Arm, Expr, ExprId, Test};
use crate::program::Entity;
use crate::resolve::show;
use crate::{Type, TypeKind};

/// What a pattern of an arm amounts to.
#[derive(Default)]
struct Shape {
    /// Alternatives with their places; nearly always one.
    tests: SmallVec<[(Test, Span); 1]>,
    /// One alternative matches everything; where.
    all: Option<Span>,
    /// Name, `$`, place.
    names: Vec<(Symbol, bool, Span)>,
    /// A report was made: the arm counts as covering everything.
    failed: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn match_arms(&mut self, scrutinee: tree::ExprId, arms: List<tree::Arm>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        let value = self.infer(scrutinee)?;
        let matched = self.ty(value);
        let scrutinee_span = self.span_at(value);
        let list = tree.arms.get(arms);
        let known = match matched.kind() {
            TypeKind::Error | TypeKind::Never => false,
            _ if is_matchable(matched) => true,
            _ => {
                let what = match matched.kind() {
                    TypeKind::Float => "`match` on float".to_owned(),
                    TypeKind::Tuple(_) => "`match` on tuples".to_owned(),
                    TypeKind::Struct(..) => "`match` on structs".to_owned(),
                    TypeKind::List(_) => "`match` on lists".to_owned(),
                    _ => format!("`match` on {}", show(matched)),
                };
                self.refuse(scrutinee_span, what);
                false
            }
        };
        let mut coverage = Coverage::new(matched);
        let mut built: Vec<Arm> = Vec::with_capacity(list.len());
        let mut expect = *expect;
        let mut ty = Type::NEVER;
        let mut failed = false;
        for arm in list {
            if arm.old_guard {
                self.refuse(tree.pattern_span(arm.pattern), "`.match(...)` guards");
                failed = true;
            }
            let mut shape = Shape::default();
            self.shape(arm.pattern, matched, scrutinee_span, &mut shape, 0)?;
            failed |= shape.failed;
            let bindings = self.draft.bindings.len();
            let binding = self.bind_arm(&shape, matched);
            let guard = match arm.guard {
                Some(guard) => Some(self.condition(guard, "the guard of a match arm")?),
                None => None,
            };
            let is_possible = if known { self.cover(&shape, guard.is_some(), arm.pattern, &mut coverage) } else { true };
            let body = self.branch(arm.body, &expect)?;
            self.draft.bindings.truncate(bindings);
            let found = self.ty(body);
            failed |= found == Type::ERROR;
            if !found.fits_anywhere() {
                ty = expect.checked().map_or(found, |(wanted, _)| wanted);
                if expect.checked().is_none() {
                    expect = Expect::check(found, Why::Arm(self.span_at(body)));
                }
            }
            if is_possible {
                let tests = if shape.all.is_some() {
                    List::EMPTY
                } else {
                    let tests = shape.tests.iter().map(|(test, _)| *test).filter(|test| !is_empty(*test));
                    self.draft.body.tests.add(tests)
                };
                built.push(Arm { tests, binding, guard, body });
            }
        }
        if known && !failed && !coverage.is_complete() {
            let witnesses = coverage.witnesses();
            let shown = witnesses.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
            let keyword = Span::new(span.start, (span.start + 5).min(span.end));
            let error = self.report(Code::E0601, keyword, [shown.into()]);
            error.helps.push(if matched == Type::INT || matched == Type::STR {
                format!("add `_ -> ...`: ranges and literals never cover all of `{}`", show(matched))
            } else {
                "add arms for them, or `_ -> ...`".into()
            });
            failed = true;
        }
        if matched == Type::NEVER {
            return Ok(value);
        }
        if !known || failed {
            self.poisoned = true;
            return Ok(self.error(span));
        }
        let arms = self.draft.body.arms.add(built);
        Ok(self.push(Expr::Match { scrutinee: value, arms }, ty, span))
    }

    fn bind_arm(&mut self, shape: &Shape, matched: Type) -> Option<crate::ir::LocalId> {
        let ty = if shape.failed { Type::ERROR } else { matched };
        let mut binding = None;
        for &(name, dollar, span) in &shape.names {
            // Every name of such a pattern stands for the whole scrutinee, so one local serves all.
            let local = *binding.get_or_insert_with(|| self.draft.body.locals.push(crate::ir::Local { name, ty, mutable: !dollar }));
            if !dollar {
                self.draft.body.locals[local].mutable = true;
            }
            let kind = if dollar { Kind::Immutable } else { Kind::Mutable };
            self.draft.bindings.push(Binding { name, local, kind, span });
        }
        self.poisoned |= ty == Type::ERROR;
        binding
    }

    /// Warns of what cannot match and counts the rest; false when the arm as a whole cannot match.
    fn cover(&mut self, shape: &Shape, guarded: bool, pattern: PatternId, coverage: &mut Coverage) -> bool {
        // An arm that is wrong covers nothing that is known; there is no judgement of exhaustiveness then.
        if shape.failed {
            return true;
        }
        let mut useful = 0;
        let mut useless: Vec<Span> = Vec::new();
        for &(test, span) in &shape.tests {
            if is_empty(test) {
                continue;
            }
            match coverage.judge(test) {
                Usefulness::Unreachable => {
                    useless.push(span);
                    continue;
                }
                Usefulness::Overlaps => {
                    self.report(Code::W0602, span, []);
                }
                Usefulness::Useful => {}
            }
            useful += 1;
            if !guarded {
                coverage.cover(test);
            }
        }
        if let Some(span) = shape.all {
            if coverage.is_complete() {
                useless.push(span);
            } else {
                useful += 1;
            }
            if !guarded {
                coverage.cover_all();
            }
        }
        if useful == 0 && !useless.is_empty() {
            let span = self.tree.pattern_span(pattern);
            self.report(Code::W0601, span, []);
        } else {
            for span in useless {
                self.report(Code::W0601, span, []);
            }
        }
        useful > 0
    }

    fn shape(&mut self, pattern: PatternId, ty: Type, why: Span, shape: &mut Shape, depth: u32) -> Result<()> {
        let tree = self.tree;
        let span = tree.pattern_span(pattern);
        if depth > 64 {
            shape.failed = true;
            self.report(Code::E0037, span, ["64".into()]);
            return Ok(());
        }
        match tree.patterns[pattern] {
            Pattern::Error => {
                shape.failed = true;
                self.poisoned = true;
            }
            Pattern::Blank => shape.all = Some(span),
            Pattern::Name { name, dollar } => {
                if matches!(self.scope.value(name), Some(Entity::Unsupported(..))) && name.as_str().starts_with(char::is_uppercase) {
                    shape.failed = true;
                    self.poisoned = true;
                    return Ok(());
                }
                if let Some(what) = super::names::later_name(name.as_str()) {
                    shape.failed = true;
                    self.refuse(span, what);
                    return Ok(());
                }
                if name.as_str().starts_with(|c: char| c.is_ascii_uppercase()) {
                    shape.failed = true;
                    if !ty.fits_anywhere() {
                        self.report(Code::E2003, span, [name.into(), show(ty).into()]).wording = 1;
                    }
                    return Ok(());
                }
                if dollar && matches!(self.scope.value(name), Some(Entity::Constant(_))) {
                    self.report(Code::W0603, span, [name.into()]);
                }
                self.name_once(shape, name, dollar, span);
                shape.all = Some(span);
            }
            Pattern::At { name, dollar, pattern } => {
                self.name_once(shape, name, dollar, span);
                self.shape(pattern, ty, why, shape, depth + 1)?;
            }
            Pattern::Literal(literal, negative) => match self.literal_test(literal, negative, ty, span, why) {
                Some(test) => shape.tests.push((test, span)),
                None => shape.failed = true,
            },
            Pattern::Range { ends, inclusive } => {
                let &[low, high] = tree.range_ends.get(ends) else { return Ok(()) };
                if let (Some(a), Some(b)) = (self.end_type(low, ty)?, self.end_type(high, ty)?)
                    && a != b
                {
                    shape.failed = true;
                    self.report(Code::E0604, span, [format!("its ends are {} and {}", show(a), show(b)).into()]);
                    return Ok(());
                }
                let (Some(low), Some(high)) = (self.end(low, ty, span, why)?, self.end(high, ty, span, why)?) else {
                    shape.failed = true;
                    return Ok(());
                };
                let test = match (inclusive, high.checked_sub(1)) {
                    (true, _) => Test::Range(low, high),
                    (false, Some(before)) => Test::Range(low, before),
                    // Nothing is before the least int: an empty range.
                    (false, None) => Test::Range(1, 0),
                };
                if is_empty(test) {
                    self.report(Code::W0607, span, []);
                }
                shape.tests.push((test, span));
            }
            Pattern::Or(alternatives) => {
                let outer = std::mem::take(&mut shape.names);
                let mut first: Option<Vec<(Symbol, bool, Span)>> = None;
                for &alternative in tree.pattern_lists.get(alternatives) {
                    self.shape(alternative, ty, why, shape, depth + 1)?;
                    let names = std::mem::take(&mut shape.names);
                    match &first {
                        None => first = Some(names),
                        Some(before) => {
                            let marks = |names: &[(Symbol, bool, Span)]| {
                                let mut marks: Vec<(Symbol, bool)> = names.iter().map(|n| (n.0, n.1)).collect();
                                marks.sort();
                                marks
                            };
                            let (a, b) = (marks(before), marks(&names));
                            if a != b && !shape.failed {
                                let mut differ: Vec<&str> =
                                    a.iter().chain(&b).filter(|n| !a.contains(n) || !b.contains(n)).map(|n| n.0.as_str()).collect();
                                differ.dedup();
                                self.report(Code::E2052, span, [differ.join(", ").into()]);
                                shape.failed = true;
                            }
                        }
                    }
                }
                shape.names = outer;
                shape.names.extend(first.unwrap_or_default());
            }
            Pattern::Variant { path, payload } => {
                shape.failed = true;
                // The names are bound all the same, so that the arm says nothing more.
                for part in payload.map_or(&[][..], |payload| tree.field_patterns.get(payload)) {
                    self.shape(part.pattern, Type::ERROR, why, shape, depth + 1)?;
                }
                let name = tree.paths.get(tree.list(path)).last().copied();
                match name.and_then(|name| super::names::later_name(name.as_str())) {
                    _ if ty.fits_anywhere() => {}
                    Some(what) => {
                        self.refuse(span, what);
                    }
                    None => {
                        self.refuse(span, "variant patterns");
                    }
                }
            }
            Pattern::Struct { .. } | Pattern::Tuple(_) | Pattern::Unit => {
                shape.failed = true;
                match tree.patterns[pattern] {
                    Pattern::Tuple(parts) => {
                        for &part in tree.pattern_lists.get(parts) {
                            self.shape(part, Type::ERROR, why, shape, depth + 1)?;
                        }
                    }
                    Pattern::Struct { fields, .. } => {
                        for field in tree.field_patterns.get(fields) {
                            self.shape(field.pattern, Type::ERROR, why, shape, depth + 1)?;
                        }
                    }
                    _ => {}
                }
                // A scrutinee of a refused form was reported.
                if matches!(ty.kind(), TypeKind::Tuple(_) | TypeKind::Struct(..)) {
                    return Ok(());
                }
                if !ty.fits_anywhere() {
                    let anchor = self.anchor;
                    self.report(Code::E2001, span, [show(ty).into(), "a pattern of another form".into()]).labels.push(syntax::Label {
                        anchor,
                        span: why,
                        text: format!("expected a pattern for `{}` because this is what is matched", show(ty)),
                    });
                }
            }
            Pattern::List { elements, rest } => {
                shape.failed = true;
                for &part in tree.pattern_lists.get(elements) {
                    self.shape(part, Type::ERROR, why, shape, depth + 1)?;
                }
                if let Some(Some((name, dollar))) = rest {
                    self.name_once(shape, name, dollar, span);
                }
                if !ty.fits_anywhere() {
                    self.refuse(span, "list patterns");
                }
            }
        }
        Ok(())
    }

    fn name_once(&mut self, shape: &mut Shape, name: Symbol, dollar: bool, span: Span) {
        if shape.names.iter().any(|n| n.0 == name) {
            self.report(Code::E0603, span, [name.into()]);
        }
        shape.names.push((name, dollar, span));
    }

    fn literal_test(&mut self, literal: Literal, negative: bool, ty: Type, span: Span, why: Span) -> Option<Test> {
        if let Literal::Str(text) = literal {
            if ty == Type::STR || ty.fits_anywhere() {
                return Some(Test::Str(text));
            }
            self.mismatch(span, ty, Type::STR, Why::Scrutinee(why), None);
            return None;
        }
        self.scalar(literal, negative, ty, span, why).map(|value| Test::Range(value, value))
    }

    /// The number of a scalar literal, when it has the type of the scrutinee.
    fn scalar(&mut self, literal: Literal, negative: bool, ty: Type, span: Span, why: Span) -> Option<i64> {
        let (value, found) = match literal {
            Literal::Int(value) => {
                let value = if negative { (value.get() as i64).wrapping_neg() } else { i64::try_from(value.get()).ok()? };
                (value, if ty == Type::BYTE && (0..=255).contains(&value) { Type::BYTE } else { Type::INT })
            }
            Literal::Char(value) => (i64::from(u32::from(value)), Type::CHAR),
            Literal::Byte(value) => (i64::from(value), Type::BYTE),
            Literal::Bool(value) => (i64::from(value), Type::BOOL),
            Literal::Float(_) => {
                if ty != Type::FLOAT && !ty.fits_anywhere() {
                    self.mismatch(span, ty, Type::FLOAT, Why::Scrutinee(why), None);
                }
                return None;
            }
            Literal::Str(_) => {
                if !ty.fits_anywhere() {
                    self.mismatch(span, ty, Type::STR, Why::Scrutinee(why), None);
                }
                return None;
            }
            Literal::Duration(_) => {
                self.refuse(span, "`Duration`");
                return None;
            }
            Literal::Size(_) => {
                self.refuse(span, "`Size`");
                return None;
            }
        };
        if found != ty && !ty.fits_anywhere() {
            if is_matchable(ty) {
                self.mismatch(span, ty, found, Why::Scrutinee(why), None);
            }
            return None;
        }
        Some(value)
    }

    /// The type of an end, where it is one that ranges have. An INT literal is a byte where a byte is matched.
    fn end_type(&self, end: RangeEnd, ty: Type) -> Result<Option<Type>> {
        let found = match end {
            RangeEnd::Literal(Literal::Int(_), _) if ty == Type::BYTE => Type::BYTE,
            RangeEnd::Literal(Literal::Int(_), _) => Type::INT,
            RangeEnd::Literal(Literal::Char(_), _) => Type::CHAR,
            RangeEnd::Literal(Literal::Byte(_), _) => Type::BYTE,
            RangeEnd::Literal(Literal::Bool(_), _) => Type::BOOL,
            RangeEnd::Literal(Literal::Str(_), _) => Type::STR,
            RangeEnd::Literal(Literal::Float(_) | Literal::Duration(_) | Literal::Size(_), _) => return Ok(None),
            RangeEnd::Constant(name) => match self.scope.value(name) {
                Some(Entity::Constant(item)) => self.cx.constant_type(item)?.unwrap_or(Type::ERROR),
                _ => return Ok(None),
            },
        };
        Ok(Some(found).filter(|ty| !ty.fits_anywhere()))
    }

    fn end(&mut self, end: RangeEnd, ty: Type, span: Span, why: Span) -> Result<Option<i64>> {
        match end {
            RangeEnd::Literal(literal, negative) => {
                if ty == Type::FLOAT || matches!(literal, Literal::Float(_)) {
                    self.report(Code::E0604, span, ["there are no float ranges".into()]);
                    return Ok(None);
                }
                Ok(self.scalar(literal, negative, ty, span, why))
            }
            RangeEnd::Constant(name) => match self.scope.value(name) {
                Some(Entity::Constant(item)) => {
                    let found = self.cx.constant_type(item)?.unwrap_or(Type::ERROR);
                    if found.fits_anywhere() {
                        self.poisoned = true;
                        return Ok(None);
                    }
                    if found != ty {
                        if is_matchable(ty) {
                            self.mismatch(span, ty, found, Why::Scrutinee(why), None);
                        }
                        return Ok(None);
                    }
                    let value = self.cx.constant_int(item)?;
                    if value.is_none() {
                        self.report(Code::E0604, span, [format!("the value of `${name}` is not known").into()]);
                    }
                    Ok(value)
                }
                Some(Entity::Unsupported(..)) => {
                    self.poisoned = true;
                    Ok(None)
                }
                _ => {
                    self.report(Code::E0604, span, [format!("`${name}` is no constant").into()]);
                    Ok(None)
                }
            },
        }
    }
}

fn is_empty(test: Test) -> bool {
    match test {
        Test::Range(low, high) => low > high,
        Test::Str(_) => false,
    }
}
