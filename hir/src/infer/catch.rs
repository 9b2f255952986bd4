//! `catch(expr: e)`: the value of `e`, or the message of the panic that ended it (`language/06` §6.9).

use ir::List;
use syntax::tree::{self, Argument};
use syntax::{DiagnosticCode as Code, Span};

use super::why::{Expect, Mode, Why};
use super::{Checker, Result};
use crate::ir::{Expr, ExprId};
use crate::resolve::prelude;
use crate::{Type, TypeKind};

impl<'a> Checker<'a> {
    pub(super) fn catch(&mut self, args: List<Argument>, span: Span, expect: &Expect<'a>) -> Result<ExprId> {
        let Some(body) = self.only_argument("catch", "expr", args, span) else {
            let tree = self.tree;
            for argument in tree.args.get(args) {
                self.infer(argument.value)?;
            }
            return Ok(self.error(span));
        };
        let open = self.open_lenient(prelude::result(), 2);
        let TypeKind::Struct(_, &[value, error]) = open.kind() else { return Ok(self.error(span)) };
        self.unify(error, Type::STR);
        if let Some((wanted, _)) = expect.checked() {
            self.unify(open, wanted);
        }
        let hint = self.resolved(value);
        let caught = self.expr(body, &Expect { ty: hint, mode: Mode::Hint, why: Why::None })?;
        let found = self.ty(caught);
        if found == Type::ERROR {
            return Ok(self.error(span));
        }
        let mut caught = caught;
        if found != Type::NEVER {
            let wanted = self.resolved(value);
            let why = expect.checked().map_or(Why::None, |(_, why)| why);
            caught = self.fit(caught, wanted, why)?;
            if self.ty(caught) == Type::ERROR {
                return Ok(self.error(span));
            }
        }
        let ty = self.resolved(open);
        Ok(self.push(Expr::Catch(caught), ty, span))
    }

    /// The argument of a form that takes one; `None` after a report.
    fn only_argument(&mut self, form: &str, wanted: &str, args: List<Argument>, span: Span) -> Option<tree::ExprId> {
        let tree = self.tree;
        let mut found = None;
        let mut is_wrong = false;
        for argument in tree.args.get(args) {
            match argument.name {
                None => self.report(Code::E1013, argument.span, [form.into()]),
                Some(name) if name.as_str() != wanted => self.report(Code::E1010, argument.span, [form.into(), name.into()]),
                Some(name) if found.is_some() => self.report(Code::E0307, argument.span, [name.into()]),
                Some(_) => {
                    found = Some(argument.value);
                    continue;
                }
            };
            is_wrong = true;
        }
        if found.is_none() && !is_wrong {
            self.report(Code::E1009, span, [form.into(), wanted.into()]);
        }
        found.filter(|_| !is_wrong)
    }
}
