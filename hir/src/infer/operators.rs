//! Binary operators: the table of language/05 §5.5.

use syntax::tree::{self, BinaryOp, Expr as Ast};
use syntax::{DiagnosticCode as Code, Span};

use super::{Checker, Result, Which};
use crate::ir::{Expr, ExprId};
use crate::resolve::prelude::{self, Known, Sum};
use crate::resolve::show;
use crate::{Intrinsic as I, Type, TypeKind};

/// The operator as written.
pub(super) fn text(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::FloorDiv => "div",
        BinaryOp::Pow => "**",
        BinaryOp::MatMul => "@",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::Shl => "<<",
        BinaryOp::Shr => ">>",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::And => "&&",
        BinaryOp::Or => "||",
        BinaryOp::Coalesce => "??",
    }
}

/// The intrinsic of an operator on operands of these types, with its result; only the pairs that need no more than one.
fn direct(op: BinaryOp, left: Type, right: Type) -> Option<(I, Type)> {
    let numeric = match (left, right) {
        (Type::INT, Type::INT) => return on_ints(op),
        (Type::FLOAT, Type::FLOAT) => match op {
            BinaryOp::Add => Some(I::FloatAdd),
            BinaryOp::Sub => Some(I::FloatSub),
            BinaryOp::Mul => Some(I::FloatMul),
            BinaryOp::Div => Some(I::FloatDiv),
            BinaryOp::Pow => Some(I::FloatPow),
            _ => None,
        },
        (Type::BYTE, Type::BYTE) => bits(op),
        (Type::BYTE, Type::INT) => match op {
            BinaryOp::Shl => Some(I::ByteShl),
            BinaryOp::Shr => Some(I::ByteShr),
            _ => None,
        },
        (Type::STR, Type::STR) if op == BinaryOp::Add => Some(I::StrConcat),
        _ => None,
    };
    if let Some(intrinsic) = numeric {
        return Some((intrinsic, left));
    }
    if left != right {
        return None;
    }
    let comparison = match left {
        Type::CHAR | Type::BYTE | Type::BOOL => match on_ints(op) {
            Some((comparison, Type::BOOL)) => comparison,
            _ => return None,
        },
        Type::FLOAT => match op {
            BinaryOp::Eq => I::FloatEq,
            BinaryOp::Ne => I::FloatNe,
            BinaryOp::Lt => I::FloatLt,
            BinaryOp::Le => I::FloatLe,
            BinaryOp::Gt => I::FloatGt,
            BinaryOp::Ge => I::FloatGe,
            _ => return None,
        },
        Type::STR if op == BinaryOp::Eq => I::StrEq,
        _ => return None,
    };
    Some((comparison, Type::BOOL))
}

/// The same on two ints, by far the most frequent case.
fn on_ints(op: BinaryOp) -> Option<(I, Type)> {
    Some(match op {
        BinaryOp::Add => (I::IntAdd, Type::INT),
        BinaryOp::Sub => (I::IntSub, Type::INT),
        BinaryOp::Mul => (I::IntMul, Type::INT),
        BinaryOp::Div => (I::IntDiv, Type::INT),
        BinaryOp::Rem => (I::IntRem, Type::INT),
        BinaryOp::FloorDiv => (I::IntFloorDiv, Type::INT),
        BinaryOp::Pow => (I::IntPow, Type::INT),
        BinaryOp::Shl => (I::IntShl, Type::INT),
        BinaryOp::Shr => (I::IntShr, Type::INT),
        BinaryOp::BitAnd => (I::BitAnd, Type::INT),
        BinaryOp::BitOr => (I::BitOr, Type::INT),
        BinaryOp::BitXor => (I::BitXor, Type::INT),
        BinaryOp::Eq => (I::Eq, Type::BOOL),
        BinaryOp::Ne => (I::Ne, Type::BOOL),
        BinaryOp::Lt => (I::Lt, Type::BOOL),
        BinaryOp::Le => (I::Le, Type::BOOL),
        BinaryOp::Gt => (I::Gt, Type::BOOL),
        BinaryOp::Ge => (I::Ge, Type::BOOL),
        BinaryOp::MatMul | BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => return None,
    })
}

fn bits(op: BinaryOp) -> Option<I> {
    match op {
        BinaryOp::BitAnd => Some(I::BitAnd),
        BinaryOp::BitOr => Some(I::BitOr),
        BinaryOp::BitXor => Some(I::BitXor),
        _ => None,
    }
}

/// The comparison of a three-way result with 0 that an ordering operator means.
pub(super) fn ordering(op: BinaryOp) -> Option<I> {
    match op {
        BinaryOp::Lt => Some(I::Lt),
        BinaryOp::Le => Some(I::Le),
        BinaryOp::Gt => Some(I::Gt),
        BinaryOp::Ge => Some(I::Ge),
        _ => None,
    }
}

impl<'a> Checker<'a> {
    /// `a + b + c + ..` nests to the left as deep as it is long, so left operands are followed without recursion.
    pub(super) fn binary(&mut self, op: BinaryOp, left: tree::ExprId, right: tree::ExprId, span: Span) -> Result<ExprId> {
        if !matches!(self.tree.exprs[left], Ast::Binary(..)) && op != BinaryOp::Coalesce {
            let left = self.infer(left)?;
            return self.with_right(op, left, right, span);
        }
        let base = self.draft.spine.len();
        self.draft.spine.push((op, right, span));
        let mut first = left;
        while let Ast::Binary(op, left, right) = self.tree.exprs[first]
            && !self.draft.spine.last().is_some_and(|link| link.0 == BinaryOp::Coalesce)
        {
            self.draft.spine.push((op, right, self.span(first)));
            first = left;
        }
        let mut value = None;
        while self.draft.spine.len() > base {
            let Some((op, right, span)) = self.draft.spine.pop() else { break };
            if op == BinaryOp::Coalesce {
                value = Some(self.coalesce(first, right, span)?);
                continue;
            }
            let left = match value {
                Some(left) => left,
                None => self.infer(first)?,
            };
            value = Some(self.with_right(op, left, right, span)?);
        }
        Ok(match value {
            Some(value) => value,
            None => self.error(span),
        })
    }

    #[inline]
    fn with_right(&mut self, op: BinaryOp, left: ExprId, right: tree::ExprId, span: Span) -> Result<ExprId> {
        let right = match op {
            BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Pow | BinaryOp::And | BinaryOp::Or => self.infer(right)?,
            _ => {
                let before = self.diagnostics.len();
                let (left_span, operand) = (self.span_at(left), right);
                let right = self.hinted(right, self.ty(left))?;
                let value = self.operate(op, left, right, span)?;
                self.explain_bits(op, left_span, operand, before);
                return Ok(value);
            }
        };
        self.operate(op, left, right, span)
    }

    /// `n & 1 == 1` means `n & (1 == 1)`. Where that was hardly meant, E2020 says so.
    fn explain_bits(&mut self, op: BinaryOp, left: Span, right: tree::ExprId, before: usize) {
        if self.diagnostics.len() == before || !matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor) {
            return;
        }
        let Ast::Binary(comparison, operand, _) = self.tree.exprs[right] else { return };
        if ordering(comparison).is_none() && !matches!(comparison, BinaryOp::Eq | BinaryOp::Ne) {
            return;
        }
        // Between parentheses, which stand in no tree but take room, it was meant.
        let gap = self.span(right).start.saturating_sub(left.end) as usize;
        if gap != text(op).len() && gap != text(op).len() + 2 {
            return;
        }
        let (anchor, end) = (self.anchor, self.span(operand).end);
        let Some(error) = self.diagnostics.last_mut().filter(|error| error.code == Code::E2020) else { return };
        error.helps.clear();
        error.helps.push(format!(
            "`{}` binds tighter than `{}`; put the operands of `{}` in parentheses",
            text(comparison),
            text(op),
            text(op)
        ));
        for (at, text) in [(left.start, "("), (end, ")")] {
            error.edits.push(syntax::Edit { anchor, span: Span::new(at, at), text: text.into(), machine_applicable: true });
        }
    }

    /// `a && b` or `a || b`, of which only the sides decide.
    fn logical(&mut self, op: BinaryOp, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let (left, right) = (self.ty(a), self.ty(b));
        if left == Type::ERROR || right == Type::ERROR {
            return Ok(self.error(span));
        }
        let fits = |ty: Type| ty == Type::BOOL || ty == Type::NEVER;
        if !fits(left) || !fits(right) {
            return self.undefined(op, a, b, span);
        }
        let expr = if op == BinaryOp::And { Expr::And(a, b) } else { Expr::Or(a, b) };
        Ok(self.push(expr, Type::BOOL, span))
    }

    /// The operator on two checked operands.
    pub(super) fn operate(&mut self, op: BinaryOp, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            return self.logical(op, a, b, span);
        }
        let (mut left, mut right) = (self.ty(a), self.ty(b));
        if !self.variables.is_empty() && (left.has_variable() || right.has_variable()) {
            if !self.head_is_known(a)? {
                return Ok(self.error(span));
            }
            // The left operand says what the right one is taken for.
            if !matches!(op, BinaryOp::Shl | BinaryOp::Shr | BinaryOp::Pow) && !right.fits_anywhere() {
                self.unify(left, right);
            }
            (left, right) = (self.closed(a), self.closed(b));
        }
        if let Some((intrinsic, ty)) = direct(op, left, right) {
            // In a constant the panic is an error when the value is computed (E0703).
            if self.which != Which::Constant && super::panics::always(intrinsic, self.expr_at(a), self.expr_at(b)) {
                self.report(Code::W0302, span, []);
            }
            return Ok(self.intrinsic(intrinsic, &[a, b], ty, span));
        }
        if left == Type::ERROR || right == Type::ERROR {
            return Ok(self.error(span));
        }
        // An operand that never ends: nothing is computed. What was written before it still runs.
        if left == Type::NEVER {
            return Ok(a);
        }
        if right == Type::NEVER {
            let statements = self.draft.body.lists.add([a, b]);
            return Ok(self.push(Expr::Block { statements, tail: true }, Type::NEVER, span));
        }
        match (op, left, right) {
            (BinaryOp::Pow, Type::FLOAT, Type::INT) => {
                let at = self.span_at(b);
                let exponent = self.intrinsic(I::IntToFloat, &[b], Type::FLOAT, at);
                return Ok(self.intrinsic(I::FloatPow, &[a, exponent], Type::FLOAT, span));
            }
            (BinaryOp::Pow, Type::INT, Type::FLOAT) => {
                let at = self.span_at(a);
                let base = self.intrinsic(I::IntToFloat, &[a], Type::FLOAT, at);
                return Ok(self.intrinsic(I::FloatPow, &[base, b], Type::FLOAT, span));
            }
            (BinaryOp::Mul, Type::INT, right) if let Some(times) = prelude::times(right) => {
                let operands = self.draft.body.lists.add([a, b]);
                return Ok(self.push(Expr::Call(times, operands), right, span));
            }
            (BinaryOp::Ne, Type::STR, Type::STR) => {
                let equal = self.intrinsic(I::StrEq, &[a, b], Type::BOOL, span);
                return Ok(self.not(equal, span));
            }
            _ => {}
        }
        if left == right {
            let known = match op {
                BinaryOp::Eq | BinaryOp::Ne => Some(Known::Eq),
                BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => Some(Known::Comparable),
                _ => None,
            };
            if let Some(known) = known {
                match self.has(left, known, span)? {
                    Some(true) => {
                        if let Some(intrinsic) = ordering(op) {
                            return self.ordered(intrinsic, a, b, span);
                        }
                        let equal = self.equal_values(a, b, span)?;
                        return Ok(if op == BinaryOp::Ne { self.not(equal, span) } else { equal });
                    }
                    Some(false) => {}
                    None => return Ok(self.error(span)),
                }
            }
        }
        if let Some(known) = Known::of_operator(op)
            && let Some(value) = self.overloaded(known, &[a, b], span)?
        {
            return Ok(value);
        }
        self.undefined(op, a, b, span)
    }

    fn undefined(&mut self, op: BinaryOp, a: ExprId, b: ExprId, span: Span) -> Result<ExprId> {
        let (left, right) = (self.ty(a), self.ty(b));
        if self.lacks_silently(left)? {
            return Ok(self.error(span));
        }
        let sign = text(op);
        self.no_operator = Some((span, right));
        let anchor = self.anchor;
        let (left_span, right_span) = (self.span_at(a), self.span_at(b));
        let (left_text, right_text) = (show(left), show(right));
        let right_literal = match self.expr_at(b) {
            Expr::Int(value) => Some(value),
            _ => None,
        };
        let owns = self.may_implement(left, Known::Eq.plain());
        let lacking = self.lacking(op, left, right)?;
        let error = self.report(Code::E2020, span, [sign.into(), left_text.as_str().into(), right_text.as_str().into()]);
        error.labels.push(syntax::Label { anchor, span: left_span, text: format!("this is `{left_text}`") });
        error.labels.push(syntax::Label { anchor, span: right_span, text: format!("this is `{right_text}`") });
        if let Some((part, note, help)) = lacking {
            error.notes.push(format!("`{}` {note}", show(part)));
            error.helps.extend(help);
            return Ok(self.error(span));
        }
        match (left, right) {
            (Type::FLOAT, Type::INT) => match right_literal {
                Some(value) => {
                    error.helps.push(format!("write it as a float: `{value}.0`"));
                    let text = format!("{value}.0");
                    error.edits.push(syntax::Edit { anchor, span: right_span, text, machine_applicable: true });
                }
                None => error.helps.push("convert the right operand with `as float`".into()),
            },
            (Type::INT, Type::FLOAT) => error.helps.push("convert the left operand with `as float`".into()),
            (Type::STR, _) | (_, Type::STR) if op == BinaryOp::Add => {
                error.helps.push("write both into a template: `{a}{b}`".into());
            }
            _ if op == BinaryOp::Add && matches!(left.kind(), TypeKind::List(element) if element == right) => {
                error.helps.push("`xs.push(value)` has one element more; `xs + ys` has those of both".into());
            }
            (Type::FLOAT, Type::FLOAT) if matches!(op, BinaryOp::Rem | BinaryOp::FloorDiv) => {
                error.notes.push(format!("`{sign}` is defined on int only"));
            }
            (Type::BYTE, _) => error.helps.push("bytes have no arithmetic: convert with `as int`".into()),
            _ if let Some(known) = Known::of_operator(op).filter(|_| owns) => {
                let interface = if left == right { known.name().to_owned() } else { format!("{}<{right_text}>", known.name()) };
                error.helps.push(format!("`impl {left_text}: {interface} {{ ... }}` defines it"));
            }
            _ if left == right && owns => {
                let derive = if matches!(op, BinaryOp::Eq | BinaryOp::Ne) { "#derive(Eq)" } else { "#derive(Eq, Comparable)" };
                error.helps.push(format!("`{derive}` before the declaration of `{left_text}` defines it"));
            }
            (_, _) if matches!(left.kind(), TypeKind::Struct(item, _) if matches!(prelude::sum(item), Some(Sum::Option | Sum::Result))) => {
                error.helps.push(format!("say what to take when there is no value: `(a ?? other) {sign} b`"));
            }
            _ if left == right && matches!(left.kind(), TypeKind::Parameter(..)) => {
                let bound = match op {
                    BinaryOp::Eq | BinaryOp::Ne => Some(Known::Eq),
                    _ => ordering(op).map(|_| Known::Comparable).or(Known::of_operator(op)),
                };
                if let Some(bound) = bound {
                    error.helps.push(format!("bound it: `{left_text}: {}`", bound.name()));
                }
            }
            _ => {}
        }
        Ok(self.error(span))
    }

    /// The part for whose sake values of one type cannot be compared, what it lacks, and what to do.
    fn lacking(&self, op: BinaryOp, left: Type, right: Type) -> Result<Option<(Type, String, Option<String>)>> {
        let known = match op {
            BinaryOp::Eq | BinaryOp::Ne => Known::Eq,
            _ if ordering(op).is_some() => Known::Comparable,
            _ => return Ok(None),
        };
        let part = if left == right { self.blamed(left, known.plain())? } else { left };
        if part == left {
            return Ok(None);
        }
        let derives = if known == Known::Eq { "Eq" } else { "Eq, Comparable" };
        let help = match part.kind() {
            TypeKind::Struct(item, _) if self.may_implement(part, known.plain()) => {
                Some(format!("`#derive({derives})` before the declaration of `{}` defines it", item.name()))
            }
            TypeKind::Parameter(..) => Some(format!("bound it: `{}: {}`", show(part), known.name())),
            _ => None,
        };
        Ok(Some((part, format!("does not implement {}", known.name()), help)))
    }

    /// Is the expression `{}` alone?
    pub(super) fn is_empty_braces(&self, id: tree::ExprId) -> bool {
        matches!(self.tree.exprs[id], Ast::Map(entries) if entries.is_empty())
    }
}
