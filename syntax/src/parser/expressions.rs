//! Expressions: lambdas and operators by precedence (language/05 section 5.5).

use ir::Symbol;

use crate::lexer::{Flags, Kind};
use crate::tree::*;
use crate::{DiagnosticCode, Span};

use super::literals::MIN_MAGNITUDE;
use super::{Parse, Parser};

/// Precedence of infix operators, from loose to tight; only the order counts.
mod level {
    pub const PIPE: u8 = 1;
    pub const COALESCE: u8 = 2;
    pub const OR: u8 = 3;
    pub const AND: u8 = 4;
    pub const BIT_OR: u8 = 5;
    pub const BIT_XOR: u8 = 6;
    pub const BIT_AND: u8 = 7;
    pub const EQUALITY: u8 = 8;
    pub const COMPARISON: u8 = 9;
    pub const RANGE: u8 = 10;
    pub const SHIFT: u8 = 11;
    pub const SUM: u8 = 12;
    pub const PRODUCT: u8 = 13;
    /// Not an operator.
    pub const NONE: u8 = 0;
    /// The kind of the token alone does not tell.
    pub const DEPENDS: u8 = u8::MAX;
}

/// Operator and level of each kind of token.
const INFIX: [(BinaryOp, u8); 256] = {
    use BinaryOp as B;
    let mut table = [(B::Add, level::NONE); 256];
    let operators = [
        (Kind::Plus, B::Add, level::SUM),
        (Kind::Minus, B::Sub, level::SUM),
        (Kind::Star, B::Mul, level::PRODUCT),
        (Kind::Slash, B::Div, level::PRODUCT),
        (Kind::Percent, B::Rem, level::PRODUCT),
        (Kind::Div, B::FloorDiv, level::PRODUCT),
        (Kind::Amp, B::BitAnd, level::BIT_AND),
        (Kind::Caret, B::BitXor, level::BIT_XOR),
        (Kind::Shl, B::Shl, level::SHIFT),
        (Kind::EqEq, B::Eq, level::EQUALITY),
        (Kind::NotEq, B::Ne, level::EQUALITY),
        (Kind::AmpAmp, B::And, level::AND),
        (Kind::PipePipe, B::Or, level::OR),
        (Kind::QuestionQuestion, B::Coalesce, level::COALESCE),
    ];
    let mut i = 0;
    while i < operators.len() {
        table[operators[i].0 as usize] = (operators[i].1, operators[i].2);
        i += 1;
    }
    let depends = [Kind::At, Kind::Pipe, Kind::Lt, Kind::LtEq, Kind::Gt, Kind::DotDot, Kind::DotDotEq, Kind::PipeGt];
    let mut i = 0;
    while i < depends.len() {
        table[depends[i] as usize].1 = level::DEPENDS;
        i += 1;
    }
    table
};

/// Kinds of tokens that may belong to the operand before them.
const CONTINUES_OPERAND: [bool; 256] = {
    use Kind::*;
    let mut table = [false; 256];
    let kinds = [Dot, LParen, LBracket, LBrace, Question, QuestionQuestion, As, Lt, StarStar];
    let mut i = 0;
    while i < kinds.len() {
        table[kinds[i] as usize] = true;
        i += 1;
    }
    table
};

/// An infix operator at the current token.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOp),
    Range { inclusive: bool },
    Pipe,
}

impl Parser<'_> {
    pub(super) fn expr(&mut self) -> Parse<ExprId> {
        self.nested(|p| if p.at_lambda() { p.lambda() } else { p.infix(level::PIPE) })
    }

    /// Grammar G3.
    pub(super) fn at_lambda(&self) -> bool {
        let arrow = match self.kind() {
            Kind::Ident | Kind::Underscore => self.pos + 1,
            Kind::LParen => match self.partner(self.pos) {
                Some(close) => close + 1,
                None => return false,
            },
            _ => return false,
        };
        self.kind_at(arrow) == Kind::Arrow && !self.place.no_lambda
    }

    fn lambda(&mut self) -> Parse<ExprId> {
        let start = self.token().start;
        let in_parentheses = self.kind() == Kind::LParen;
        let mark = self.lambda_head()?;
        self.expect(Kind::Arrow)?;
        let result = if in_parentheses { self.lambda_result()? } else { None };
        self.check_lambda_types(mark, result.is_some());
        if self.kind() == Kind::Void {
            self.pos += 1;
            return self.fail(DiagnosticCode::E1017, self.span_of(self.token()), []);
        }
        if self.kind() == Kind::LBrace {
            self.empty_block_at = self.pos;
        }
        // Only a lambda in a lambda is a level of its own; `f(x -> f(y -> ...))` counts its brackets.
        let body = if self.at_lambda() { self.expr()? } else { self.infix(level::PIPE)? };
        if result.is_none() && self.is_type_name(body) {
            let span = self.span_of(self.token());
            return self.fail(DiagnosticCode::E1017, span, []);
        }
        let params = self.tree.lambda_params.add(self.stacks.params.drain(mark..));
        let params = self.tree.shorten(params);
        Ok(self.add(Expr::Lambda { params, result, body }, start))
    }

    /// The declared result: a type directly before `=`.
    fn lambda_result(&mut self) -> Parse<Option<TypeId>> {
        match self.type_end(self.pos, 0) {
            Some(end) if self.kind_at(end) == Kind::Eq => {
                let ty = self.ty()?;
                self.expect(Kind::Eq)?;
                Ok(Some(ty))
            }
            _ => Ok(None),
        }
    }

    /// Parameters of a lambda, left on the stack; gives their mark.
    pub(super) fn lambda_head(&mut self) -> Parse<usize> {
        let mark = self.stacks.params.len();
        if self.kind() != Kind::LParen {
            let param = self.lambda_param(false)?;
            self.stacks.params.push(param);
            return Ok(mark);
        }
        let open = self.pos;
        self.pos += 1;
        self.list(open, Kind::RParen, |p| {
            let param = p.lambda_param(true)?;
            p.stacks.params.push(param);
            Ok(())
        })?;
        Ok(mark)
    }

    fn lambda_param(&mut self, typed: bool) -> Parse<LambdaParam> {
        let token = self.token();
        let (name, span) = if token.kind == Kind::Underscore {
            self.pos += 1;
            (None, self.span_of(token))
        } else {
            let (name, span) = self.ident()?;
            (Some(name), span)
        };
        let ty = if typed && self.eat(Kind::Colon) { Some(self.ty()?) } else { None };
        Ok(LambdaParam { name, ty, span })
    }

    /// All or none of the parameters have types; all with a declared result.
    fn check_lambda_types(&mut self, mark: usize, declared_result: bool) {
        let params = &self.stacks.params[mark..];
        let typed = params.iter().filter(|p| p.ty.is_some()).count();
        if typed == params.len() || typed == 0 && !declared_result {
            return;
        }
        if let Some(&LambdaParam { name, span, .. }) = params.iter().find(|p| p.ty.is_none()) {
            let name = name.map_or("_", Symbol::as_str);
            self.report(DiagnosticCode::E1018, span, [name.into()]);
        }
    }

    /// Is it only the name of a predeclared type? Then an `=` was forgotten behind a declared result.
    fn is_type_name(&self, body: ExprId) -> bool {
        match self.tree.exprs[body] {
            Expr::Name(name) => {
                matches!(name.as_str(), "int" | "float" | "bool" | "str" | "char" | "byte" | "Never" | "Duration" | "Size")
            }
            _ => false,
        }
    }

    /// Operators of this level and tighter ones.
    fn infix(&mut self, min: u8) -> Parse<ExprId> {
        let start = self.token().start;
        let first = self.operand()?;
        if INFIX[self.kind() as usize].1 == level::NONE { Ok(first) } else { self.operators(first, start, min) }
    }

    /// What stands between infix operators; groups and bare operands need no look at all that it could be.
    #[inline(always)]
    fn operand(&mut self) -> Parse<ExprId> {
        match self.bare_operand() {
            Some(operand) => Ok(operand),
            None if self.kind() == Kind::LParen => {
                let start = self.token().start;
                let group = self.group()?;
                if CONTINUES_OPERAND[self.kind() as usize] { self.continued(group, start) } else { Ok(group) }
            }
            None => self.unary(),
        }
    }

    /// What stands behind an operand and belongs to it.
    fn continued(&mut self, operand: ExprId, start: u32) -> Parse<ExprId> {
        let value = self.postfix(operand, start)?;
        self.power(value, start)
    }

    /// A name or a number with nothing behind it that would belong to it: what most operands are.
    #[inline(always)]
    fn bare_operand(&mut self) -> Option<ExprId> {
        let &[token, next, ..] = self.tokens.get(self.pos..)? else { return None };
        if CONTINUES_OPERAND[next.kind as usize] {
            return None;
        }
        let expr = match token.kind {
            Kind::Ident if !token.flags.has(Flags::SPECIAL) => Expr::Name(token.symbol()),
            Kind::Int => match self.numbers.get(token.data as usize) {
                Some(&value) if value < MIN_MAGNITUDE => Expr::Literal(Literal::Int(Wide::new(value))),
                _ => return None,
            },
            _ => return None,
        };
        self.pos += 1;
        Some(self.tree.add_expr(expr, self.span_of(token)))
    }

    /// What operators of this level and tighter ones make of their first operand.
    fn operators(&mut self, first: ExprId, start: u32, min: u8) -> Parse<ExprId> {
        let mut left = first;
        // Level of the operator on top of `left` if it does not chain.
        let mut closed = 0;
        loop {
            let (op, level) = INFIX[self.kind() as usize];
            let (infix, level, length) = match level {
                level::NONE => break,
                level::DEPENDS => match self.infix_operator() {
                    Some(found) => found,
                    None => break,
                },
                _ => (Infix::Binary(op), level, 1),
            };
            if level < min {
                break;
            }
            if level == closed {
                let end = self.tokens[self.pos + length - 1].end;
                let span = self.relative(self.token().start, end);
                let op = self.text[self.token().start as usize..end as usize].to_owned();
                // `Set<int> { .. }`
                let is_type = op == ">" && self.pos > 2 && self.tokens[self.pos - 2].kind == Kind::Lt && self.is_upper(self.pos - 3);
                let diagnostic = self.report(DiagnosticCode::E0101, span, [op.into()]);
                if is_type {
                    diagnostic.helps.push(
                        "a type in front of a value has no arguments: they follow from the values, or from `let name: Type = ...`"
                            .to_owned(),
                    );
                }
            }
            self.pos += length;
            left = match infix {
                Infix::Binary(op) => {
                    let right = match level {
                        // Right associative.
                        level::COALESCE => self.nested(|p| p.infix(level))?,
                        _ => self.right_operand(level)?,
                    };
                    self.add(Expr::Binary(op, left, right), start)
                }
                Infix::Range { inclusive } => self.range(left, start, inclusive)?,
                Infix::Pipe => self.pipe_step(left, start)?,
            };
            closed = if matches!(level, level::EQUALITY | level::COMPARISON | level::RANGE) { level } else { 0 };
        }
        Ok(left)
    }

    /// What stands behind an operator of this level: operators that are tighter, if there are any.
    #[inline(always)]
    fn right_operand(&mut self, level: u8) -> Parse<ExprId> {
        let start = self.token().start;
        let first = self.operand()?;
        let next = INFIX[self.kind() as usize].1;
        if next <= level { Ok(first) } else { self.operators(first, start, level + 1) }
    }

    /// Operator, level and number of tokens, where the kind of the token alone does not tell.
    fn infix_operator(&self) -> Option<(Infix, u8, usize)> {
        use BinaryOp as B;
        let (op, level) = match self.kind() {
            Kind::At if self.ends_body_at_sigil() => return None,
            Kind::At => (B::MatMul, level::PRODUCT),
            Kind::Pipe if self.at_contract_message() => return None,
            Kind::Pipe => (B::BitOr, level::BIT_OR),
            Kind::Lt | Kind::LtEq | Kind::Gt if self.place.no_angle => return None,
            Kind::Lt => (B::Lt, level::COMPARISON),
            Kind::LtEq => (B::Le, level::COMPARISON),
            Kind::Gt => return self.joined_gt(),
            Kind::DotDot => return Some((Infix::Range { inclusive: false }, level::RANGE, 1)),
            Kind::DotDotEq => return Some((Infix::Range { inclusive: true }, level::RANGE, 1)),
            Kind::PipeGt => return Some((Infix::Pipe, level::PIPE, 1)),
            _ => return None,
        };
        Some((Infix::Binary(op), level, 1))
    }

    /// The lexer leaves every `>` alone; adjacent ones are joined here (language/01 section 1.4).
    fn joined_gt(&self) -> Option<(Infix, u8, usize)> {
        let next = self.ahead(1);
        match next.kind {
            Kind::Eq if next.is_adjacent() => Some((Infix::Binary(BinaryOp::Ge), level::COMPARISON, 2)),
            Kind::Gt if next.is_adjacent() => {
                if self.at_shr_assign() {
                    None
                } else {
                    Some((Infix::Binary(BinaryOp::Shr), level::SHIFT, 2))
                }
            }
            _ => Some((Infix::Binary(BinaryOp::Gt), level::COMPARISON, 1)),
        }
    }

    /// G16: at bracket depth 0 of a body, `@` behind `}` begins the next item. A `@name (...) ->` there is a header in any case, whose
    /// item before lacks its `;`.
    fn ends_body_at_sigil(&self) -> bool {
        if !self.place.body {
            return false;
        }
        if self.previous().kind == Kind::RBrace {
            return true;
        }
        let (mut at, adjacent) = (self.pos + 2, self.adjacent(self.pos + 1));
        if !adjacent || !self.kind_at(self.pos + 1).is_word() {
            return false;
        }
        if self.kind_at(at) == Kind::Tests {
            return true;
        }
        if self.kind_at(at) == Kind::Lt {
            at = (at..self.tokens.len()).find(|&i| matches!(self.tokens[i].kind, Kind::LParen | Kind::Semicolon)).unwrap_or(at);
        }
        self.kind_at(at) == Kind::LParen && self.partner(at).is_some_and(|close| self.kind_at(close + 1) == Kind::Arrow)
    }

    /// G12: `| "text")` at the end of a contract.
    fn at_contract_message(&self) -> bool {
        self.place.in_contract && self.ahead(1).kind == Kind::Str && self.ahead(2).kind == Kind::RParen
    }

    /// What follows `..` or `..=` (G6).
    fn range(&mut self, low: ExprId, start: u32, inclusive: bool) -> Parse<ExprId> {
        let mut end = None;
        if self.starts_range_end() {
            end = Some(self.infix(level::SHIFT)?);
        } else if inclusive {
            return self.expected_expression();
        }
        let mut step = None;
        if self.at_word(self.words.by) {
            self.pos += 1;
            step = Some(self.infix(level::SHIFT)?);
        }
        Ok(self.add(Expr::Range { start: low, end, inclusive, step }, start))
    }

    fn starts_range_end(&self) -> bool {
        match self.kind() {
            Kind::Ident if self.at_word(self.words.by) => false,
            Kind::If | Kind::For if self.place.in_for => false,
            kind => kind.starts_expression(),
        }
    }

    /// The right side of `|>`. The receiver of a step `.name(...)` is [`Expr::Blank`].
    fn pipe_step(&mut self, left: ExprId, start: u32) -> Parse<ExprId> {
        let from = self.token().start;
        let step = if self.kind() == Kind::Dot {
            let span = Span::new(from, from);
            let receiver = self.add_at(Expr::Blank, self.relative(span.start, span.end));
            self.postfix(receiver, from)?
        } else if self.at_lambda() {
            self.lambda()?
        } else {
            let primary = self.primary()?;
            self.postfix(primary, from)?
        };
        if !self.is_pipe_step(step) {
            let span = self.tree.expr_span(step);
            self.report(DiagnosticCode::E0114, span, []);
        }
        Ok(self.add(Expr::Pipe(left, step), start))
    }

    fn is_pipe_step(&self, step: ExprId) -> bool {
        match self.tree.exprs[step] {
            Expr::Question(inner) => self.is_pipe_step(inner),
            Expr::Name(_)
            | Expr::Field(..)
            | Expr::Call { .. }
            | Expr::MethodCall { .. }
            | Expr::TypeArgs(..)
            | Expr::Paren(_)
            | Expr::Lambda { .. }
            | Expr::Error => true,
            _ => false,
        }
    }

    /// Prefix operators without recursion, so that a row of them is no nesting.
    fn unary(&mut self) -> Parse<ExprId> {
        let first = self.pos;
        if !matches!(self.kind(), Kind::Minus | Kind::Bang | Kind::Tilde) {
            let start = self.token().start;
            let primary = self.primary()?;
            return if CONTINUES_OPERAND[self.kind() as usize] { self.continued(primary, start) } else { Ok(primary) };
        }
        while matches!(self.kind(), Kind::Minus | Kind::Bang | Kind::Tilde) {
            self.pos += 1;
        }
        let mut last = self.pos;
        let start = self.token().start;
        let mut operand = if self.at_signed_literal_as() {
            last -= 1;
            self.min_int_at = self.pos;
            let literal = self.literal_expr()?;
            let sign = self.tokens[last].start;
            let negative = self.add(Expr::Unary(UnaryOp::Neg, literal), sign);
            self.continued(negative, sign)?
        } else {
            if self.tokens[last - 1].kind == Kind::Minus && self.is_bare_int() {
                self.min_int_at = self.pos;
            }
            let primary = self.primary()?;
            self.continued(primary, start)?
        };
        while last > first {
            last -= 1;
            let op = match self.tokens[last].kind {
                Kind::Minus => UnaryOp::Neg,
                Kind::Bang => UnaryOp::Not,
                _ => UnaryOp::BitNot,
            };
            operand = self.add(Expr::Unary(op, operand), self.tokens[last].start);
        }
        Ok(operand)
    }

    /// `-L as T` with a numeric literal: the sign belongs to the literal (language/05 section 5.5).
    fn at_signed_literal_as(&self) -> bool {
        self.tokens[self.pos - 1].kind == Kind::Minus
            && matches!(self.kind(), Kind::Int | Kind::Float | Kind::Duration | Kind::Size)
            && self.ahead(1).kind == Kind::As
    }

    /// An integer literal that is the whole operand.
    fn is_bare_int(&self) -> bool {
        use Kind::{Dot, LBracket, LParen, Question, StarStar};
        self.kind() == Kind::Int && !matches!(self.ahead(1).kind, Dot | LBracket | LParen | Question | StarStar)
    }

    /// `** unary` behind an operand.
    fn power(&mut self, base: ExprId, start: u32) -> Parse<ExprId> {
        if !self.eat(Kind::StarStar) {
            return Ok(base);
        }
        let exponent = self.nested(|p| p.unary())?;
        Ok(self.add(Expr::Binary(BinaryOp::Pow, base, exponent), start))
    }
}
