//! Bindings: what the irrefutable patterns of `let` and `for` take out of a value.
//!
//! A pattern of tuples, structs and names alone becomes one `let` a name, which reads its part. Where alternatives or variants are inside (some
//! alternative always fits then), each name is what a match with one arm gives. In `let` a list pattern may fail, and panics then.

use syntax::tree::{Pattern as Ast, PatternId as AstId};
use syntax::{DiagnosticCode as Code, Span};

use super::pattern::Patterns;
use super::{Binding, Checker, Kind, Result};
use crate::exhaustive::{LIMIT, judge};
use crate::ir::{Arm, Expr, ExprId, LocalId, Pattern, PatternId};
use crate::{Type, TypeKind};

/// A part of a value that is being taken apart: the local that holds the whole, and the fields from there.
struct Part {
    local: LocalId,
    path: Vec<(u32, Type)>,
    ty: Type,
}

impl<'a> Checker<'a> {
    /// `let pattern = value`: statements go to the scratch stack.
    pub(super) fn bind_value(&mut self, pattern: AstId, value: ExprId, ty: Type, kind: Kind, what: &'static str, span: Span) -> Result<()> {
        match self.tree.patterns[pattern] {
            // Names of declared types may be variants.
            Ast::Name { name, dollar }
                if dollar || !name.as_str().starts_with(|c: char| c.is_ascii_uppercase()) && !matches!(ty.kind(), TypeKind::Struct(..)) =>
            {
                let at = self.tree.pattern_span(pattern);
                let kind = if dollar && kind == Kind::Mutable { Kind::Immutable } else { kind };
                let local = self.local(name, ty, kind == Kind::Mutable);
                self.draft.bindings.push(Binding { name, local, kind, span: at });
                if let Expr::Closure(item, _) = self.expr_at(value)
                    && let Some((_, number)) = item.of_lambda()
                    && self.draft.lambdas.get(number).is_some_and(|lambda| lambda.item == item)
                {
                    self.draft.named_lambdas.push((local, number));
                }
                let statement = self.push(Expr::Let(local, value), Type::VOID, span);
                self.draft.scratch.push(statement);
            }
            Ast::Blank => {
                let local = self.local(self.blank, ty, false);
                let statement = self.push(Expr::Let(local, value), Type::VOID, span);
                self.draft.scratch.push(statement);
            }
            _ => {
                let mut patterns = Patterns::of_binding(kind);
                patterns.is_dead = ty == Type::NEVER;
                let built = self.pattern(pattern, ty, &mut patterns)?;
                self.declare_names(&patterns);
                // A name alone needs no temporary.
                let local = match self.draft.body.patterns[built] {
                    Pattern::Bind(local, rest) if self.draft.body.patterns[rest] == Pattern::Any => local,
                    _ => self.local(self.blank, ty, false),
                };
                let statement = self.push(Expr::Let(local, value), Type::VOID, span);
                self.draft.scratch.push(statement);
                self.take_apart(built, local, ty, &patterns, what)?;
            }
        }
        Ok(())
    }

    /// The pattern of a loop variable or the like, whose value is in `local`.
    pub(super) fn bind_local(&mut self, pattern: AstId, local: LocalId, ty: Type, kind: Kind, what: &'static str) -> Result<()> {
        let mut patterns = Patterns::of_binding(kind);
        patterns.is_dead = ty == Type::NEVER;
        let built = self.pattern(pattern, ty, &mut patterns)?;
        self.declare_names(&patterns);
        self.take_apart(built, local, ty, &patterns, what)
    }

    fn take_apart(&mut self, built: PatternId, local: LocalId, ty: Type, patterns: &Patterns, what: &'static str) -> Result<()> {
        if patterns.has_failed || ty.fits_anywhere() {
            self.poisoned |= patterns.has_failed;
            if ty == Type::NEVER {
                // Nothing gets this far; the names have their types all the same.
                self.let_parts(built, &Part { local, path: Vec::new(), ty })?;
            }
            return Ok(());
        }
        // The pattern may have told the form of a type that was open.
        let ty = self.resolved(ty);
        let lists = self.first_list(built);
        let refutable = self.refutable(built).or(lists.filter(|_| what != "let"));
        if let (None, Some(list)) = (refutable, lists) {
            let at = self.draft.pattern_spans[list.index()];
            self.report(Code::W0604, at, []);
        }
        if let Some(refutable) = refutable {
            let verdict = judge(&self.draft.body, &[(built, false)], ty, &self.given, self.cx)?;
            if verdict.is_too_complex {
                self.report(
                    Code::E0039,
                    self.draft.pattern_spans[built.index()],
                    ["complexity of a pattern".into(), LIMIT.to_string().into()],
                );
                return Ok(());
            }
            for pattern in verdict.useless {
                let at = self.draft.pattern_spans[pattern.index()];
                self.report(Code::W0601, at, []);
            }
            if !verdict.witnesses.is_empty() {
                let shown = verdict.witnesses.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
                let at = self.draft.pattern_spans[refutable.index()];
                self.report(Code::E0606, at, [what.into(), shown.into()]).helps.push("use `match` to choose by value".into());
                return Ok(());
            }
            for bound in patterns.names.iter().map(|name| name.local).collect::<Vec<_>>() {
                if bound != local {
                    self.let_match(built, bound, local);
                }
            }
            return Ok(());
        }
        self.let_parts(built, &Part { local, path: Vec::new(), ty })
    }

    /// The first part of a pattern that asks something else than a length.
    fn refutable(&self, pattern: PatternId) -> Option<PatternId> {
        match self.draft.body.patterns[pattern] {
            Pattern::Any => None,
            Pattern::Bind(_, inner) => self.refutable(inner),
            Pattern::Fields(list) | Pattern::List(list, _) => self.draft.body.parts[list].iter().find_map(|&part| self.refutable(part)),
            Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) | Pattern::Variant(..) | Pattern::Or(_) => Some(pattern),
        }
    }

    /// The first part that asks for the length of a list.
    fn first_list(&self, pattern: PatternId) -> Option<PatternId> {
        if self.asks_length(pattern) {
            return Some(pattern);
        }
        match self.draft.body.patterns[pattern] {
            Pattern::Bind(_, inner) => self.first_list(inner),
            Pattern::Fields(list) | Pattern::List(list, _) => self.draft.body.parts[list].iter().find_map(|&part| self.first_list(part)),
            Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) | Pattern::Variant(..) | Pattern::Or(_) => None,
        }
    }

    /// The names in a pattern of the value in `local`.
    pub(super) fn let_part_of(&mut self, pattern: PatternId, local: LocalId, ty: Type) -> Result<()> {
        self.let_parts(pattern, &Part { local, path: Vec::new(), ty })
    }

    /// The value of a part.
    fn part_value(&mut self, part: &Part, span: Span) -> ExprId {
        let mut value = self.read(part.local, span);
        for &(index, ty) in &part.path {
            value = self.push(Expr::Field(value, index), ty, span);
        }
        value
    }

    /// One `let` a name.
    fn let_parts(&mut self, pattern: PatternId, part: &Part) -> Result<()> {
        match self.draft.body.patterns[pattern] {
            Pattern::Bind(local, inner) => {
                if local != part.local {
                    let span = self.draft.pattern_spans[pattern.index()];
                    let value = self.part_value(part, span);
                    let statement = self.push(Expr::Let(local, value), Type::VOID, span);
                    self.draft.scratch.push(statement);
                }
                self.let_parts(inner, part)?;
            }
            Pattern::Fields(list) => {
                let definition = match part.ty.kind() {
                    TypeKind::Struct(item, args) => self.definition_for(item, args, self.draft.pattern_spans[pattern.index()])?,
                    _ => None,
                };
                for at in 0..list.len() {
                    let ty = match (part.ty.kind(), &definition) {
                        (TypeKind::Tuple(types), _) => types.get(at).copied(),
                        (_, Some(definition)) => definition.fields.get(at).map(|&(_, ty)| ty),
                        _ => None,
                    };
                    let ty = ty.unwrap_or(part.ty);
                    let mut path = part.path.clone();
                    path.push((at as u32, ty));
                    let inner = self.draft.body.parts[list][at];
                    self.let_parts(inner, &Part { local: part.local, path, ty })?;
                }
            }
            Pattern::List(..) => {
                let span = self.draft.pattern_spans[pattern.index()];
                let value = self.part_value(part, span);
                self.let_list(pattern, value, part.ty)?;
            }
            Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_) | Pattern::Variant(..) | Pattern::Or(_) => {}
        }
        Ok(())
    }

    /// `let bound = match local { pattern -> bound }`
    fn let_match(&mut self, pattern: PatternId, bound: LocalId, local: LocalId) {
        let span = self.draft.pattern_spans[pattern.index()];
        let row = self.draft.body.locals[bound];
        let own = self.local(row.name, row.ty, false);
        let pattern = self.only(pattern, bound, own);
        let scrutinee = self.read(local, span);
        let body = self.read(own, span);
        let arms = self.draft.body.arms.add([Arm { pattern, guard: None, body }]);
        let value = self.push(Expr::Match { scrutinee, arms }, row.ty, span);
        let statement = self.push(Expr::Let(bound, value), Type::VOID, span);
        self.draft.scratch.push(statement);
    }

    /// A copy of a pattern that binds one of its names alone, to a local of its own.
    fn only(&mut self, pattern: PatternId, bound: LocalId, own: LocalId) -> PatternId {
        let span = self.draft.pattern_spans[pattern.index()];
        let copy = match self.draft.body.patterns[pattern] {
            Pattern::Bind(local, inner) => {
                let inner = self.only(inner, bound, own);
                if local != bound {
                    return inner;
                }
                Pattern::Bind(own, inner)
            }
            Pattern::Fields(list) => Pattern::Fields(self.only_list(list, bound, own)),
            Pattern::Variant(number, list) => Pattern::Variant(number, self.only_list(list, bound, own)),
            Pattern::List(list, has_rest) => Pattern::List(self.only_list(list, bound, own), has_rest),
            Pattern::Or(list) => Pattern::Or(self.only_list(list, bound, own)),
            other @ (Pattern::Any | Pattern::Range(..) | Pattern::Str(_) | Pattern::Float(_)) => other,
        };
        self.push_pattern(copy, span)
    }

    fn only_list(&mut self, list: ir::List<PatternId>, bound: LocalId, own: LocalId) -> ir::List<PatternId> {
        let parts: Vec<PatternId> = (0..list.len()).map(|at| self.only(self.draft.body.parts[list][at], bound, own)).collect();
        self.draft.body.parts.add(parts)
    }
}
