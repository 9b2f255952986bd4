//! Blocks and statements (language/05 section 5.2, grammar G7 and G10).

use crate::DiagnosticCode;
use crate::lexer::{Flags, Kind};
use crate::tree::*;

use super::{Failed, Parse, Parser, Place};

impl Parser<'_> {
    /// A block that the syntax requires.
    pub(super) fn required_block(&mut self) -> Parse<ExprId> {
        if self.kind() == Kind::LBrace { self.block() } else { self.unexpected("'{'") }
    }

    /// `{ statements }`; the brace is here.
    pub(super) fn block(&mut self) -> Parse<ExprId> {
        let saved = std::mem::take(&mut self.place);
        let result = self.statements();
        self.place = saved;
        result
    }

    fn statements(&mut self) -> Parse<ExprId> {
        let (open, start) = (self.pos, self.token().start);
        self.pos += 1;
        let mark = self.stacks.exprs.len();
        let mut tail = false;
        loop {
            if self.eat(Kind::RBrace) {
                break;
            }
            if self.kind() == Kind::Eof {
                return self.unclosed(open);
            }
            let (from, marks, depth, index_depth) = (self.pos, self.marks(), self.depth, self.index_depth);
            match self.statement() {
                Ok((statement, is_value)) => {
                    self.stacks.exprs.push(statement);
                    tail = is_value;
                }
                Err(Failed) => {
                    self.restore(marks);
                    (self.depth, self.index_depth, self.place) = (depth, index_depth, Place::default());
                    self.skip_to(open, from, &[Kind::Semicolon]);
                    self.eat(Kind::Semicolon);
                    let error = self.add(Expr::Error, self.tokens[from].start);
                    self.stacks.exprs.push(error);
                    tail = false;
                }
            }
        }
        let statements = self.tree.expr_lists.add(self.stacks.exprs.drain(mark..));
        Ok(self.add(Expr::Block { statements, tail }, start))
    }

    /// A statement with its `;`; tells whether it is the value of the block.
    fn statement(&mut self) -> Parse<(ExprId, bool)> {
        self.statement_start = self.pos;
        if self.kind() == Kind::Pub {
            self.report(DiagnosticCode::E0110, self.span_of(self.token()), []);
            self.pos += 1;
        }
        let is_form = self.at_leading_form();
        let (statement, is_expression) = if is_form {
            (self.statement_form()?, true)
        } else if self.kind() == Kind::Let {
            (self.let_statement()?, false)
        } else {
            let start = self.pos;
            let expr = self.expr()?;
            let statement = self.assignment(expr, start)?;
            (statement, statement == expr)
        };
        match self.kind() {
            Kind::Semicolon => {
                self.pos += 1;
                Ok((statement, false))
            }
            Kind::RBrace => Ok((statement, is_expression)),
            _ if is_form && self.previous().kind == Kind::RBrace => Ok((statement, false)),
            _ => {
                self.semicolon_is_missing()?;
                Ok((statement, false))
            }
        }
    }

    /// Something other than `;` follows a statement or an item. Goes on in front of what begins a new line.
    pub(super) fn semicolon_is_missing(&mut self) -> Parse<()> {
        let token = self.token();
        let begins = token.kind.starts_expression()
            || token.kind.is_keyword() && !matches!(token.kind, Kind::Then | Kind::Else | Kind::Do | Kind::Yield | Kind::In)
            || matches!(token.kind, Kind::Eof | Kind::At);
        if !begins {
            return self.unexpected_after_expression("';'");
        }
        self.missing_semicolon();
        if token.flags.has(Flags::LINE_START) { Ok(()) } else { Err(Failed) }
    }

    /// Does a form stand here that is a statement by itself (rule 2)?
    #[inline]
    pub(super) fn at_leading_form(&self) -> bool {
        match self.kind() {
            Kind::LBrace | Kind::If | Kind::Match | Kind::While | Kind::Loop | Kind::Unsafe => true,
            Kind::For => !self.at_call_form(),
            Kind::Ident => self.token().flags.has(Flags::SPECIAL) && (self.at_try() || self.at_labelled_block()),
            Kind::Dollar => matches!(self.ahead(1).kind, Kind::If | Kind::For),
            _ => false,
        }
    }

    /// A leading form with the chain of `.` and `?` behind it.
    pub(super) fn statement_form(&mut self) -> Parse<ExprId> {
        self.nested(|p| {
            let start = p.token().start;
            let form = p.form(true)?;
            p.chain(form, start)
        })
    }

    /// Forms that begin a statement; `statement` says that they do here, so that their branches follow rule 2.
    pub(super) fn form(&mut self, statement: bool) -> Parse<ExprId> {
        match self.kind() {
            Kind::LBrace => self.brace_expr(),
            Kind::If => self.if_expr(statement),
            Kind::Match => self.match_expr(),
            Kind::For => self.for_expr(statement),
            Kind::While => self.while_expr(statement),
            Kind::Loop => self.loop_expr(),
            Kind::Unsafe => {
                let start = self.bump().start;
                let body = self.required_block()?;
                Ok(self.add(Expr::Unsafe(body), start))
            }
            Kind::Dollar => self.reflection(statement),
            Kind::Ident if self.at_try() => {
                let start = self.bump().start;
                let body = self.required_block()?;
                Ok(self.add(Expr::Try(body), start))
            }
            Kind::Ident if self.at_labelled_block() => {
                let start = self.bump().start;
                self.pos += 1;
                let label = self.bump().symbol();
                let body = self.required_block()?;
                Ok(self.add(Expr::LabelledBlock { label, body }, start))
            }
            _ => self.expected_expression(),
        }
    }

    pub(super) fn at_try(&self) -> bool {
        self.at_word(self.words.try_) && self.ahead(1).kind == Kind::LBrace
    }

    /// `block:label {` without spaces around the colon.
    pub(super) fn at_labelled_block(&self) -> bool {
        self.labelled_block_at(self.pos)
    }

    pub(super) fn labelled_block_at(&self, index: usize) -> bool {
        self.is_word(index, self.words.block)
            && self.kind_at(index + 1) == Kind::Colon
            && self.adjacent(index + 1)
            && self.kind_at(index + 2) == Kind::Ident
            && self.adjacent(index + 2)
            && self.kind_at(index + 3) == Kind::LBrace
    }

    /// A branch, arm or body: an assignment or an expression. In a statement, a leading form stands alone.
    pub(super) fn branch(&mut self, statement: bool) -> Parse<ExprId> {
        let start = self.pos;
        if self.kind() == Kind::LBrace {
            self.empty_block_at = start;
        }
        if statement && self.at_leading_form() {
            return if self.kind() == Kind::LBrace { self.brace_expr() } else { self.statement_form() };
        }
        let value = self.expr()?;
        self.assignment(value, start)
    }

    /// A body after `yield`: no assignment.
    pub(super) fn yielded(&mut self, statement: bool) -> Parse<ExprId> {
        if self.kind() == Kind::LBrace {
            self.empty_block_at = self.pos;
        }
        if statement && self.at_leading_form() {
            return if self.kind() == Kind::LBrace { self.brace_expr() } else { self.statement_form() };
        }
        self.expr()
    }

    /// The assignment to an expression that was just parsed, if an operator follows; else the expression.
    fn assignment(&mut self, place: ExprId, first: usize) -> Parse<ExprId> {
        let Some((op, length)) = self.assignment_operator() else { return Ok(place) };
        if !self.is_place(place) {
            let span = self.tree.expr_span(place);
            self.report(DiagnosticCode::E1020, span, []);
        }
        self.pos += length;
        let value = self.expr()?;
        Ok(self.add(Expr::Assign { op, place, value }, self.tokens[first].start))
    }

    /// Operator and number of tokens of an assignment.
    pub(super) fn assignment_operator(&self) -> Option<(Option<BinaryOp>, usize)> {
        let op = match self.kind() {
            Kind::Eq => return Some((None, 1)),
            Kind::PlusEq => BinaryOp::Add,
            Kind::MinusEq => BinaryOp::Sub,
            Kind::StarEq => BinaryOp::Mul,
            Kind::SlashEq => BinaryOp::Div,
            Kind::PercentEq => BinaryOp::Rem,
            Kind::StarStarEq => BinaryOp::Pow,
            Kind::AtEq => BinaryOp::MatMul,
            Kind::AmpEq => BinaryOp::BitAnd,
            Kind::PipeEq => BinaryOp::BitOr,
            Kind::CaretEq => BinaryOp::BitXor,
            Kind::ShlEq => BinaryOp::Shl,
            Kind::AmpAmpEq => BinaryOp::And,
            Kind::PipePipeEq => BinaryOp::Or,
            Kind::Gt if self.at_shr_assign() => return Some((Some(BinaryOp::Shr), 3)),
            _ => return None,
        };
        Some((Some(op), 1))
    }

    pub(super) fn at_shr_assign(&self) -> bool {
        let (second, third) = (self.ahead(1), self.ahead(2));
        second.kind == Kind::Gt && second.is_adjacent() && third.kind == Kind::Eq && third.is_adjacent()
    }

    /// Is it a name or `self` with fields, elements and indices behind it? (`$x` is one, which a later level finds immutable.)
    fn is_place(&self, mut place: ExprId) -> bool {
        loop {
            place = match self.tree.exprs[place] {
                Expr::Name(_) | Expr::SelfValue | Expr::Dollar(_) | Expr::Error => return true,
                Expr::Field(base, _) | Expr::TupleField(base, _) | Expr::Index(base, _) | Expr::Splice(base, _) => base,
                _ => return false,
            };
        }
    }

    /// `let` and `let?`, without the `;`.
    pub(super) fn let_statement(&mut self) -> Parse<ExprId> {
        let start = self.bump().start;
        let question = self.kind() == Kind::Question && self.token().is_adjacent();
        let pattern = if question {
            self.pos += 1;
            self.pattern()?
        } else {
            self.binding()?
        };
        let ty = if self.eat(Kind::Colon) { Some(self.ty()?) } else { None };
        if !self.eat(Kind::Eq) {
            return self.unexpected(if ty.is_some() { "'='" } else { "':' or '='" });
        }
        let value = self.expr()?;
        Ok(self.add(Expr::Let { pattern, ty, value, question }, start))
    }
}
