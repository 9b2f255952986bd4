//! How syntax errors are said, and how parsing goes on after one.

use crate::diagnostic::Arg;
use crate::lexer::names::FOREIGN;
use crate::lexer::{Flags, Kind, Token};
use crate::{Anchor, Diagnostic, DiagnosticCode, Span};

use super::{Failed, NESTING_LIMIT, Parse, Parser};

impl Parser<'_> {
    /// Keeps a diagnostic. Until the end of the file all spans are file-relative.
    pub(super) fn report<const N: usize>(&mut self, code: DiagnosticCode, span: Span, args: [Arg; N]) -> &mut Diagnostic {
        self.item_errors += 1;
        let span = Span::new(span.start.wrapping_add(self.base), span.end.wrapping_add(self.base));
        let index = self.diagnostics.len();
        self.found_at.push(self.token().start);
        self.diagnostics.push(Diagnostic::new(code, Anchor::Module(self.module), span, args));
        &mut self.diagnostics[index]
    }

    /// Reports and unwinds.
    pub(super) fn fail<T, const N: usize>(&mut self, code: DiagnosticCode, span: Span, args: [Arg; N]) -> Parse<T> {
        self.report(code, span, args);
        Err(Failed)
    }

    pub(super) fn describe(&self, token: Token) -> String {
        match token.kind {
            Kind::Eof if token.start as usize >= self.text.len() => "end of file".to_owned(),
            Kind::FormatSpec => ":".to_owned(),
            _ if token.start == token.end => token.kind.describe().to_owned(),
            _ => {
                let text = self.token_text(token);
                let short: String = text.chars().take(40).collect();
                if short.len() < text.len() { format!("{short}...") } else { short }
            }
        }
    }

    /// The current token cannot stand here.
    #[cold]
    pub(super) fn unexpected<T>(&mut self, expected: &str) -> Parse<T> {
        let token = self.token();
        if self.foreign_word() || self.unclosed_at_end() {
            return Err(Failed);
        }
        let span = self.span_of(token);
        if token.kind == Kind::FatArrow {
            self.fat_arrow(span);
            return Err(Failed);
        }
        let form = self.foreign_form();
        let diagnostic = self.report(DiagnosticCode::E1001, span, [self.describe(token).into(), expected.into()]);
        diagnostic.helps.extend(form.map(str::to_owned));
        Err(Failed)
    }

    /// The current token cannot stand behind a complete expression.
    #[cold]
    pub(super) fn unexpected_after_expression<T>(&mut self, expected: &str) -> Parse<T> {
        let token = self.token();
        let span = self.span_of(token);
        if self.assignment_operator().is_some() {
            return self.fail(DiagnosticCode::E0104, span, ["assignment".into()]);
        }
        let previous = self.pos.saturating_sub(1);
        if token.kind == Kind::LBrace && self.place.no_struct && self.is_upper(previous) {
            return self.needs_parentheses(span);
        }
        self.unexpected(expected)
    }

    /// A struct literal where the grammar disables it.
    pub(super) fn needs_parentheses<T>(&mut self, span: Span) -> Parse<T> {
        self.fail(DiagnosticCode::E0102, span, [])
    }

    #[cold]
    pub(super) fn expected_expression<T>(&mut self) -> Parse<T> {
        let token = self.token();
        if self.foreign_word() || self.unclosed_at_end() {
            return Err(Failed);
        }
        let span = self.span_of(token);
        match token.kind {
            Kind::Let => self.fail(DiagnosticCode::E0104, span, ["let".into()]),
            Kind::Ellipsis => self.fail(DiagnosticCode::E0112, span, []),
            Kind::Use => self.fail(DiagnosticCode::E0109, span, []),
            Kind::Pub => self.fail(DiagnosticCode::E0110, span, []),
            Kind::FatArrow => {
                self.fat_arrow(span);
                Err(Failed)
            }
            Kind::Colon if self.previous().kind == Kind::LBrace && self.ahead(1).kind == Kind::RBrace => {
                let diagnostic = self.report(DiagnosticCode::E1002, span, []);
                let (anchor, span) = (diagnostic.anchor, diagnostic.span);
                diagnostic.helps.push("an empty map is written `{}`".to_owned());
                diagnostic.edits.push(crate::Edit { anchor, span, text: String::new(), machine_applicable: true });
                Err(Failed)
            }
            _ => self.fail(DiagnosticCode::E1002, span, []),
        }
    }

    /// `[..rest, a, b]`: of a list the first elements have patterns (language/06 §6.1).
    #[cold]
    pub(super) fn behind_the_rest<T>(&mut self) -> Parse<T> {
        let known = self.diagnostics.len();
        let failed = self.unexpected("']'");
        if let Some(diagnostic) = self.diagnostics.get_mut(known).filter(|diagnostic| diagnostic.code == DiagnosticCode::E1001) {
            diagnostic.helps.push("the rest stands last: `[first, second, ..rest]`".to_owned());
        }
        failed
    }

    /// `x:` in a struct literal, as arguments and payloads have it. Here the name alone does.
    #[cold]
    pub(super) fn pun_with_colon(&mut self, name: ir::Symbol, span: Span) {
        let (colon, token, base) = (self.span_of(self.previous()), self.span_of(self.token()), self.base);
        let diagnostic = self.report(DiagnosticCode::E1002, token, []);
        diagnostic.helps.push(format!("a field with the value of a variable of its name is written `{name}`"));
        let whole = Span::new(span.start.wrapping_add(base), colon.end.wrapping_add(base));
        diagnostic.edits.push(crate::Edit { anchor: diagnostic.anchor, span: whole, text: name.to_string(), machine_applicable: true });
    }

    #[cold]
    pub(super) fn expected_type<T>(&mut self) -> Parse<T> {
        if self.unclosed_at_end() {
            return Err(Failed);
        }
        self.fail(DiagnosticCode::E1005, self.span_of(self.token()), [])
    }

    #[cold]
    pub(super) fn invalid_pattern<T>(&mut self) -> Parse<T> {
        if self.foreign_word() || self.unclosed_at_end() {
            return Err(Failed);
        }
        self.fail(DiagnosticCode::E1008, self.span_of(self.token()), [])
    }

    /// Where an identifier is needed: reserved words stand in for one after a report.
    #[cold]
    pub(super) fn not_an_identifier(&mut self) -> Parse<(ir::Symbol, Span)> {
        let token = self.token();
        let span = self.span_of(token);
        if token.kind == Kind::Future || token.kind.is_keyword() {
            let code = if token.kind == Kind::Future { DiagnosticCode::E0015 } else { DiagnosticCode::E0113 };
            self.report(code, span, [self.token_text(token).into()]);
            self.pos += 1;
            return Ok((token.symbol(), span));
        }
        if self.unclosed_at_end() {
            return Err(Failed);
        }
        self.fail(DiagnosticCode::E1004, span, [])
    }

    #[cold]
    pub(super) fn not_closed(&mut self, open: usize, close: Kind) -> Parse<()> {
        if self.partner(open).is_none() {
            return self.unclosed(open);
        }
        let expected = format!("',' or {}", close.describe());
        self.unexpected_after_expression(&expected)
    }

    #[cold]
    pub(super) fn unclosed<T>(&mut self, open: usize) -> Parse<T> {
        let errors = self.item_errors.min(self.diagnostics.len());
        let known = &self.diagnostics[self.diagnostics.len() - errors..];
        if known.iter().any(|d| d.code == DiagnosticCode::E1003) {
            return Err(Failed);
        }
        let token = self.tokens[open];
        let text = if token.kind == Kind::InterpolationStart { "{" } else { self.token_text(token) };
        self.fail(DiagnosticCode::E1003, self.span_of(token), [text.into()])
    }

    /// At the end of the item the cause is a bracket without partner, if there is one.
    fn unclosed_at_end(&mut self) -> bool {
        if self.kind() != Kind::Eof {
            return false;
        }
        let open = (self.item_start..self.pos).rev().find(|&i| {
            let kind = self.tokens[i].kind;
            kind.opens() && kind != Kind::TemplateStart && self.partner(i).is_none()
        });
        if let Some(open) = open {
            let _: Parse<()> = self.unclosed(open);
        }
        open.is_some()
    }

    #[cold]
    pub(super) fn too_deep<T>(&mut self) -> Parse<T> {
        self.fail(DiagnosticCode::E0037, self.span_of(self.token()), [NESTING_LIMIT.to_string().into()])
    }

    /// Is the error about a keyword of another language: here, directly before, or at the start of the statement?
    fn foreign_word(&mut self) -> bool {
        let is_foreign = |p: &Self, i: usize| p.tokens[i].kind == Kind::Ident && p.tokens[i].flags.has(Flags::FOREIGN);
        let before = self.pos.saturating_sub(1);
        let candidates = [self.pos, before, self.statement_start];
        let Some(&index) = candidates.iter().find(|&&i| i <= self.pos && is_foreign(self, i)) else { return false };
        // A name behind a `.` or before a `:` is only a name.
        if index > 0 && self.tokens[index - 1].kind == Kind::Dot {
            return false;
        }
        let token = self.tokens[index];
        let word = self.token_text(token);
        let hint = FOREIGN.iter().find(|f| f.0 == word).map_or("", |f| f.1);
        let replacement = match word {
            "elif" => Some("else if"),
            "var" => Some("let"),
            "null" | "nil" => Some("None"),
            "import" => Some("use"),
            _ => None,
        };
        let diagnostic = self.report(DiagnosticCode::E1015, self.span_of(token), [word.into(), hint.into()]);
        if let Some(replacement) = replacement {
            let (anchor, span) = (diagnostic.anchor, diagnostic.span);
            diagnostic.edits.push(crate::Edit { anchor, span, text: replacement.to_owned(), machine_applicable: true });
        }
        true
    }

    /// `=>` of other languages.
    fn fat_arrow(&mut self, span: Span) {
        let diagnostic = self.report(DiagnosticCode::E1001, span, []);
        diagnostic.wording = 1;
        let (anchor, span) = (diagnostic.anchor, diagnostic.span);
        diagnostic.edits.push(crate::Edit { anchor, span, text: "->".to_owned(), machine_applicable: true });
    }

    /// A missing `;`, at the end of the token before.
    pub(super) fn missing_semicolon(&mut self) {
        if self.foreign_word() || self.unclosed_at_end() {
            return;
        }
        let span = self.span_of(self.previous()).after();
        if let Some(form) = self.foreign_form() {
            self.report(DiagnosticCode::E1016, span, []).helps.push(form.to_owned());
            return;
        }
        let diagnostic = self.report(DiagnosticCode::E1016, span, []);
        let (anchor, span) = (diagnostic.anchor, diagnostic.span);
        diagnostic.edits.push(crate::Edit { anchor, span, text: ";".to_owned(), machine_applicable: true });
    }

    /// How Ori writes what seems to be meant, where a form of another language stops with this token or the one before: there `;` would be no help.
    fn foreign_form(&self) -> Option<&'static str> {
        let before = self.pos.checked_sub(1)?;
        match (self.tokens[before].kind, self.kind()) {
            // `{1, 2}`
            (_, Kind::Comma) if self.is_first_in_braces() => Some("a set is made of a list: `let s: Set<int> = [1, 2].iter().collect()`"),
            // `xs[1:2]`
            (_, Kind::Colon) if (0..before).rev().any(|at| self.tokens[at].kind == Kind::LBracket && self.holds_this(at)) => {
                Some("a part of a list is `xs.slice(start:, end:)`, of a text `s.substring(start:, end:)`")
            }
            // `delete m[key]`
            (Kind::Ident, Kind::Ident | Kind::Str | Kind::Int | Kind::TemplateStart) => {
                foreign_statement(self.token_text(self.tokens[before]))
            }
            // `condition ? a : b`
            (Kind::Question, _) => {
                let is_end = |kind| matches!(kind, Kind::Semicolon | Kind::Eof) || kind.closes();
                let mut at = self.pos;
                while !is_end(self.tokens[at].kind) {
                    if self.tokens[at].kind == Kind::Colon {
                        return Some("a choice is written `if condition then a else b`");
                    }
                    at = self.step(at);
                }
                None
            }
            // `fn (x) { ... }`
            (Kind::RParen, _) => {
                let open = (self.statement_start..before).rev().find(|&at| self.partner(at) == Some(before))?;
                let word = self.tokens[open.checked_sub(1)?];
                let is_lambda = matches!(self.token_text(word), "fn" | "func" | "function" | "lambda" | "fun");
                (is_lambda && word.kind == Kind::Ident).then_some("a function without a name is written `(x, y) -> body`")
            }
            _ => None,
        }
    }

    /// Does the statement begin at once behind a `{` that stands where a value is wanted?
    fn is_first_in_braces(&self) -> bool {
        let Some(open) = self.statement_start.checked_sub(1) else { return false };
        let is_value = |kind| matches!(kind, Kind::Eq | Kind::LParen | Kind::Comma | Kind::Colon | Kind::Arrow);
        self.tokens[open].kind == Kind::LBrace && open > 0 && is_value(self.tokens[open - 1].kind) && self.holds_this(open)
    }

    /// Is the current token directly in the bracket group at `open`?
    fn holds_this(&self, open: usize) -> bool {
        let Some(close) = self.partner(open) else { return false };
        let mut at = open + 1;
        while at < self.pos && at < close {
            at = self.step(at);
        }
        at == self.pos && at < close
    }

    // Going on.

    /// The index after the token or bracket group at `index`.
    pub(super) fn step(&self, index: usize) -> usize {
        match self.tokens[index].kind {
            kind if kind.opens() => self.partner(index).unwrap_or(index) + 1,
            _ => index + 1,
        }
    }

    /// Moves from the start of a failed element of the bracket group at `open` to the first `stop` at its depth behind the error, or to
    /// the end of the group. The error is at the current token.
    pub(super) fn skip_to(&mut self, open: usize, start: usize, stops: &[Kind]) {
        let error = self.pos;
        let end = self.partner(open);
        let mut at = start;
        while self.tokens[at].kind != Kind::Eof && Some(at) != end {
            let kind = self.tokens[at].kind;
            if at >= error && stops.contains(&kind) || end.is_none() && kind == Kind::RBrace {
                break;
            }
            at = self.step(at);
        }
        self.pos = at;
    }
}

/// What a word says that begins a statement in other languages, and stands before a name or a literal.
fn foreign_statement(word: &str) -> Option<&'static str> {
    match word {
        "delete" | "del" => Some("what a map or list is without a part is another one: `m = m.remove(key)`, `xs = xs.remove(index: i)`"),
        "print" | "println" | "echo" | "puts" => Some("`print(msg: text)` prints a text; `{value}` in a template makes one of a value"),
        "new" => Some("a value of a struct is written `Name { field: value }`"),
        "raise" => Some("give `Err(...)` as the result, or call `panic(msg: text)`"),
        "def" | "function" | "fun" | "sub" | "proc" => {
            Some("a function is written `@name (parameter: Type) -> Result = body`, outside of others")
        }
        "assert" => Some("a check is written `assert(condition: a == b)`"),
        _ => None,
    }
}
