//! `match`: arms with pattern, guard and body; exhaustiveness is proved here once.

use ir::List;
use syntax::tree;
use syntax::{DiagnosticCode as Code, Span};

use super::pattern::Patterns;
use super::why::{Expect, Why};
use super::{Checker, Result};
use crate::Type;
use crate::exhaustive::{LIMIT, judge};
use crate::ir::{Arm, Expr, ExprId};
use crate::resolve::show;

impl<'a> Checker<'a> {
    pub(super) fn match_arms(&mut self, scrutinee: tree::ExprId, arms: List<tree::Arm>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let tree = self.tree;
        let value = self.infer(scrutinee)?;
        let matched = self.ty(value);
        let scrutinee_span = self.span_at(value);
        let list = tree.arms.get(arms);
        let known = !matched.fits_anywhere();
        let mut built: Vec<Arm> = Vec::with_capacity(list.len());
        // Arms with an empty range may match nothing; that was reported.
        let mut has_empty: Vec<bool> = Vec::new();
        let mut expect = *expect;
        let mut ty = Type::NEVER;
        let mut failed = false;
        for arm in list {
            if arm.old_guard {
                self.refuse(tree.pattern_span(arm.pattern), "`.match(...)` guards");
                failed = true;
            }
            let mut patterns = Patterns::of_arm(scrutinee_span, matched);
            let pattern = self.pattern(arm.pattern, if known || patterns.is_dead { matched } else { Type::ERROR }, &mut patterns)?;
            failed |= patterns.has_failed;
            let bindings = self.draft.bindings.len();
            self.declare_names(&patterns);
            let guard = match arm.guard {
                Some(guard) => Some(self.condition(guard, "the guard of a match arm")?),
                None => None,
            };
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
            built.push(Arm { pattern, guard, body });
            has_empty.push(patterns.has_empty);
        }
        // Patterns may have told the form of a type that was open.
        let matched = self.resolved(matched);
        // An arm that is wrong covers nothing that is known; there is no judgement then.
        if known && !failed {
            failed = !self.judge_arms(&mut built, &has_empty, matched, span)?;
        }
        if matched == Type::NEVER {
            return Ok(value);
        }
        if !known || failed {
            self.poisoned = true;
            return Ok(self.error(span));
        }
        if built.is_empty() {
            // No value gets here: the type has none.
            ty = Type::NEVER;
        }
        let arms = self.draft.body.arms.add(built);
        let done = self.push(Expr::Match { scrutinee: value, arms }, ty, span);
        if matched.has_variable() {
            self.open_matches.push(done);
        }
        Ok(done)
    }

    /// Takes away the arms that turn out to match nothing, since what was open about the value when they were judged became `Never`.
    pub(super) fn judge_again(&mut self) -> Result<()> {
        for id in std::mem::take(&mut self.open_matches) {
            let Expr::Match { scrutinee, arms } = self.expr_at(id) else { continue };
            let matched = self.ty(scrutinee);
            if matched.has_variable() || matched.fits_anywhere() {
                continue;
            }
            let mut kept: Vec<Arm> = self.draft.body.arms[arms].to_vec();
            let rows: Vec<_> = kept.iter().map(|arm| (arm.pattern, arm.guard.is_some())).collect();
            let useless = judge(&self.draft.body, &rows, matched, &self.given, self.cx)?.useless_arms;
            if useless.is_empty() {
                continue;
            }
            for &arm in useless.iter().rev() {
                kept.remove(arm);
            }
            let arms = self.draft.body.arms.add(kept);
            self.draft.rows[id.index()].expr = Expr::Match { scrutinee, arms };
        }
        Ok(())
    }

    /// Warns of what cannot match, removes arms that never do, and tells what is not covered; false after an error.
    fn judge_arms(&mut self, built: &mut Vec<Arm>, has_empty: &[bool], matched: Type, span: Span) -> Result<bool> {
        let end = built.last().map(|arm| self.span_at(arm.body).after());
        let rows: Vec<_> = built.iter().map(|arm| (arm.pattern, arm.guard.is_some())).collect();
        let verdict = judge(&self.draft.body, &rows, matched, &self.given, self.cx)?;
        let keyword = Span::new(span.start, (span.start + 5).min(span.end));
        if verdict.is_too_complex {
            self.report(Code::E0039, keyword, ["complexity of a match".into(), LIMIT.to_string().into()]);
            return Ok(false);
        }
        for pattern in verdict.overlaps {
            let at = self.draft.pattern_spans[pattern.index()];
            self.report(Code::W0602, at, []);
        }
        for pattern in verdict.useless {
            let at = self.draft.pattern_spans[pattern.index()];
            self.report(Code::W0601, at, []);
        }
        for &arm in verdict.useless_arms.iter().rev() {
            if !has_empty[arm] {
                let at = self.draft.pattern_spans[built[arm].pattern.index()];
                self.report(Code::W0601, at, []);
            }
            built.remove(arm);
        }
        if verdict.witnesses.is_empty() {
            return Ok(true);
        }
        let shown = verdict.witnesses.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ");
        // Arms to begin with. Of numbers and texts there are always more.
        let is_literal = |w: &String| w == "_" || w.contains(|c: char| c.is_ascii_digit() || c == '"' || c == '\'');
        let arms = verdict.witnesses.iter().map(|w| format!("{w} -> todo()")).collect::<Vec<_>>().join(", ");
        let skeleton = end.filter(|_| !verdict.witnesses.iter().map(ToString::to_string).any(|w| is_literal(&w)));
        let anchor = self.anchor;
        let error = self.report(Code::E0601, keyword, [shown.into()]);
        error.helps.push(if matches!(matched, Type::INT | Type::STR | Type::FLOAT) {
            format!(
                "add `_ -> ...`: {} never cover all of `{}`",
                if matched == Type::INT { "ranges and literals" } else { "literals" },
                show(matched)
            )
        } else {
            "add arms for them, or `_ -> ...`".into()
        });
        if let Some(span) = skeleton {
            error.edits.push(syntax::Edit { anchor, span, text: format!(", {arms}"), machine_applicable: true });
        }
        Ok(false)
    }
}
