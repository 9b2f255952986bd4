//! Function headers and bodies: functions, clauses, methods, const functions, tests.

use ir::Symbol;

use crate::lexer::Kind;
use crate::tree::*;
use crate::{DiagnosticCode, Span};

use super::{Parse, Parser};

/// Most parameters of one function (language/17 section 17.7).
const MAX_PARAMS: usize = 255;

/// What kind of function a header belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// The first or only clause of `@f`.
    Function,
    /// A further clause, which may leave types out.
    Clause,
    /// In a trait, impl, extend or def impl.
    Method,
    /// `$f`
    Const,
    /// Any header; a later level judges it (language/11 section 11.1).
    Test,
}

impl Parser<'_> {
    /// The rest of a function behind its name, without the end. `sigil` is the offset of `@` or `$`.
    pub(super) fn function(&mut self, role: Role, sigil: u32, name: Symbol, name_span: Span) -> Parse<Function> {
        let mut function = self.header(role, sigil, name, name_span)?;
        if self.kind() == Kind::Eq {
            self.pos += 1;
            function.body = Some(self.body()?);
        }
        Ok(function)
    }

    fn header(&mut self, role: Role, sigil: u32, name: Symbol, name_span: Span) -> Parse<Function> {
        let generics = self.generics()?;
        let open = self.token();
        if open.kind != Kind::LParen {
            return self.unexpected("'('");
        }
        let params = self.params(role)?;
        let params_span = self.span_from(open.start);
        let mut result = None;
        if self.eat(Kind::Arrow) {
            // An unfinished result must not swallow the body.
            result = Some(self.with_place(|place| place.no_uses = true, |p| p.ty())?);
        }
        let header_span = self.span_from(sigil);
        let lacks_result = result.is_none() && !matches!(role, Role::Clause | Role::Test);
        let (clause, reported) = (self.token(), self.diagnostics.len());
        if lacks_result {
            self.report(DiagnosticCode::E1006, name_span, [name.into()]);
        }
        let mut function = Function {
            name,
            generics,
            params,
            params_span,
            result,
            uses: Vec::new(),
            constraints: Vec::new(),
            guard: None,
            contracts: Vec::new(),
            body: None,
            header_span,
        };
        self.function_clauses(&mut function)?;
        if lacks_result && self.kind() == Kind::Arrow && matches!(clause.kind, Kind::Uses | Kind::Where) {
            let help = format!("`{}` stands behind the result type", self.token_text(clause));
            self.diagnostics[reported].helps.push(help);
        }
        if role != Role::Const && self.eat(Kind::If) {
            function.guard = Some(self.with_place(|place| place.no_lambda = false, |p| p.expr())?);
        }
        while (self.at_word(self.words.pre) || self.at_word(self.words.post)) && self.ahead(1).kind == Kind::LParen {
            let contract = self.contract()?;
            function.contracts.push(contract);
        }
        if lacks_result && self.kind() != Kind::Eq {
            // `@f (x: int) int = ...` or `: int`: one report is enough.
            return Err(super::Failed);
        }
        Ok(function)
    }

    /// `uses` and `where`, in any order and number.
    fn function_clauses(&mut self, function: &mut Function) -> Parse<()> {
        loop {
            match self.kind() {
                Kind::Uses => {
                    self.pos += 1;
                    loop {
                        let capability = self.capability()?;
                        function.uses.push(capability);
                        if !self.eat(Kind::Comma) || self.kind() != Kind::Ident {
                            break;
                        }
                    }
                }
                Kind::Where => {
                    let Function { generics, constraints, .. } = function;
                    self.where_clauses(generics, constraints)?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn contract(&mut self) -> Parse<Contract> {
        let start = self.token().start;
        let is_post = self.at_word(self.words.post);
        let open = self.pos + 1;
        self.pos += 2;
        let mut post = None;
        if is_post {
            if !self.at_lambda() {
                return self.fail(DiagnosticCode::E2045, self.span_of(self.token()), []);
            }
            let params = self.lambda_head()?;
            let params = self.stacks.params.drain(params..).collect();
            self.expect(Kind::Arrow)?;
            post = Some(params);
        }
        let (condition, message) = self.bracketed(|p| {
            p.place.in_contract = true;
            let condition = p.expr()?;
            let message = if p.eat(Kind::Pipe) { Some(p.expect(Kind::Str)?.symbol()) } else { None };
            p.close(open, Kind::RParen)?;
            Ok((condition, message))
        })?;
        Ok(Contract { post, condition, message, span: self.span_from(start) })
    }

    /// The body: an expression, an assignment or a `let` (G10), at bracket depth 0 (G16).
    fn body(&mut self) -> Parse<ExprId> {
        self.statement_start = self.pos;
        let saved = std::mem::take(&mut self.place);
        self.place.body = true;
        let body = if self.kind() == Kind::Let { self.let_statement() } else { self.branch(false) };
        self.place = saved;
        body
    }

    fn params(&mut self, role: Role) -> Parse<Vec<Param>> {
        let open = self.pos;
        let start = self.bump().start;
        let mut params: Vec<Param> = Vec::new();
        self.list(open, Kind::RParen, |p| {
            let param = p.param(role, params.len())?;
            params.push(param);
            Ok(())
        })?;
        if params.len() > MAX_PARAMS {
            let span = self.span_from(start);
            self.report(DiagnosticCode::E0039, span, ["number of parameters".into(), MAX_PARAMS.to_string().into()]);
        }
        Ok(params)
    }

    fn param(&mut self, role: Role, index: usize) -> Parse<Param> {
        let start = self.token().start;
        let is_mut = self.at_word(self.words.mut_) && self.ahead(1).kind == Kind::SelfValue;
        if is_mut {
            self.pos += 1;
        }
        if self.kind() == Kind::SelfValue {
            let token = self.bump();
            let span = self.span_of(token);
            if role != Role::Method {
                self.report(DiagnosticCode::E0113, span, ["self".into()]);
            } else if index > 0 {
                self.report(DiagnosticCode::E0111, span, []);
            }
            let name = token.symbol();
            let pattern = self.add_pattern_at(Pattern::Name { name, dollar: false }, span);
            // `self: T` is a habit of other languages; the type is always `Self`.
            if self.kind() == Kind::Colon {
                return self.unexpected("',' or ')'");
            }
            return Ok(Param { pattern, name: Some(name), is_mut, is_self: true, variadic: false, ty: None, default: None, span });
        }
        let pattern = if matches!(role, Role::Function | Role::Clause | Role::Test) {
            self.pattern()?
        } else {
            let (name, span) = self.ident()?;
            self.add_pattern_at(Pattern::Name { name, dollar: false }, span)
        };
        let span = self.span_from(start);
        let name = match self.tree.patterns[pattern] {
            Pattern::Name { name, .. } => Some(name),
            _ => None,
        };
        let mut param = Param { pattern, name, is_mut, is_self: false, variadic: false, ty: None, default: None, span };
        if self.eat(Kind::Colon) {
            param.variadic = self.eat(Kind::Ellipsis);
            param.ty = Some(self.ty()?);
        } else if role != Role::Clause {
            return self.expected_type();
        }
        if self.eat(Kind::Eq) {
            param.default = Some(self.expr()?);
        }
        Ok(param)
    }
}
