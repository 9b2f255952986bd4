//! The *because* of a message: which part of the source made us expect a type.

use ir::{ItemId, Symbol};
use syntax::{Anchor, DiagnosticCode as Code, Span};

use super::Checker;
use crate::ir::{Expr, ExprId};
use crate::resolve::prelude::{self, Sum};
use crate::resolve::show;
use crate::{Type, TypeKind};

/// Where an expected type comes from.
#[derive(Clone, Copy)]
pub(super) enum Why<'a> {
    None,
    /// `let x: T`, a constant's annotation.
    Annotation(Span),
    /// The result type in the header.
    Result(Span),
    /// The result in the header, whose type is hidden (`-> impl Tr`): what another way gives.
    Hidden(Span),
    /// The parameter whose default this is.
    Default(Span),
    /// Parameter of a declared function: function, name, place in the item of the function.
    Parameter(ItemId, Symbol, Span),
    /// Parameter of something built in: function, parameter.
    Builtin(&'a str, &'a str),
    /// An earlier branch of an `if`.
    Branch(Span),
    /// An earlier arm of a `match`.
    Arm(Span),
    /// The variable that is assigned.
    Variable(Symbol, Span),
    /// A field of a struct.
    Field(ItemId, Symbol),
    /// Part of the payload of a variant: variant, name or number.
    Payload(Symbol, Symbol),
    /// An element of a tuple.
    Element(u32),
    /// An element of a list of this element type.
    ElementOf(Type),
    /// The first element of the same list.
    FirstElement(Span),
    /// What must be `bool`: condition of `if`, `while`, a guard, operand of `&&`.
    Condition(&'static str),
    /// The scrutinee of a match.
    Scrutinee(Span),
    /// `...s` in a literal of this struct.
    Spread(ItemId),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mode {
    None,
    Hint,
    Check,
}

/// What is known of the type of an expression before it is looked at.
#[derive(Clone, Copy)]
pub(super) struct Expect<'a> {
    pub ty: Type,
    pub mode: Mode,
    pub why: Why<'a>,
}

impl<'a> Expect<'a> {
    pub const NONE: Expect<'static> = Expect { ty: Type::ERROR, mode: Mode::None, why: Why::None };

    pub fn check(ty: Type, why: Why<'a>) -> Expect<'a> {
        Expect { ty, mode: if ty == Type::ERROR { Mode::None } else { Mode::Check }, why }
    }

    /// The type that the expression must have, if any.
    #[inline]
    pub fn checked(&self) -> Option<(Type, Why<'a>)> {
        (self.mode == Mode::Check).then_some((self.ty, self.why))
    }

    /// Does a literal take on this type where it can?
    #[inline]
    pub fn suggests(&self, ty: Type) -> bool {
        self.mode != Mode::None && self.ty == ty
    }
}

impl<'a> Checker<'a> {
    /// E2001 with its reason, and what would help.
    pub(super) fn mismatch(&mut self, span: Span, expected: Type, found: Type, why: Why<'a>, expr: Option<ExprId>) {
        let (want, have) = (show(expected), show(found));
        let anchor = self.anchor;
        if let Why::Hidden(header) = why {
            let error = self.report(Code::E0811, span, [want.as_str().into(), have.as_str().into()]);
            error.label = format!("this is `{have}`");
            error.labels.push(syntax::Label { anchor, span: header, text: "one type is hidden behind this".into() });
            error.helps.push("a trait object may hold values of several types: leave `impl` away".into());
            return;
        }
        let reason: Option<(Anchor, Span, String)> = match why {
            Why::None => None,
            Why::Annotation(span) => Some((anchor, span, format!("expected `{want}` because of this annotation"))),
            Why::Result(span) => Some((anchor, span, format!("expected `{want}` because of this result type"))),
            Why::Default(span) => Some((anchor, span, format!("expected `{want}` because the parameter has this type"))),
            Why::Parameter(function, name, span) => Some((
                Anchor::Item(function),
                span,
                format!("expected `{want}` because parameter `{name}` of `{}` has this type", function.short_name()),
            )),
            Why::Branch(span) => Some((anchor, span, format!("expected `{want}` because this branch has that type"))),
            Why::Arm(span) => Some((anchor, span, format!("expected `{want}` because this arm has that type"))),
            Why::Variable(name, span) => {
                Some((anchor, span, format!("expected `{want}` because `{name}` was declared with that type here")))
            }
            Why::Scrutinee(span) => Some((anchor, span, format!("expected `{want}` because this is what is matched"))),
            Why::FirstElement(span) => Some((anchor, span, format!("expected `{want}` because the list begins with this"))),
            Why::Hidden(_)
            | Why::Builtin(..)
            | Why::Field(..)
            | Why::Payload(..)
            | Why::Element(_)
            | Why::Condition(_)
            | Why::Spread(_) => None,
            Why::ElementOf(_) => None,
        };
        let note = match why {
            Why::Builtin(function, parameter) => {
                Some(format!("expected `{want}` because parameter `{parameter}` of `{function}` has that type"))
            }
            Why::Field(item, name) => Some(format!("expected `{want}` because field `{name}` of `{}` has that type", item.name())),
            Why::Payload(variant, part) => Some(format!("expected `{want}` because payload value `{part}` of `{variant}` has that type")),
            Why::Element(index) => Some(format!("expected `{want}` because element {index} of the tuple has that type")),
            Why::ElementOf(element) => Some(format!("expected `{want}` because the list must be a `[{}]`", show(self.resolved(element)))),
            Why::Condition(what) => Some(format!("expected `bool` because this is {what}")),
            Why::Spread(item) => Some(format!("expected `{want}` because only a `{0}` can be spread into a `{0}`", item.name())),
            _ => None,
        };
        let literal = expr.map(|e| self.expr_at(e));
        let help: Option<(String, Option<(Span, String)>)> = match (expected, found, literal) {
            (Type::FLOAT, Type::INT, Some(Expr::Int(value))) => {
                Some((format!("write it as a float: `{value}.0`"), Some((span, format!("{value}.0")))))
            }
            (Type::FLOAT, Type::INT, _) => Some(("convert it with `as float`".into(), None)),
            (Type::INT, Type::FLOAT, _) => Some(("use `.truncate()`, `.round()`, `.floor()` or `.ceil()`".into(), None)),
            (Type::INT, Type::STR, _) => Some(("`int(...)` reads a number from text".into(), None)),
            (Type::INT, Type::CHAR | Type::BYTE, _) => Some(("convert it with `as int`".into(), None)),
            (Type::BYTE, Type::INT, Some(Expr::Int(_))) => Some(("a byte is 0 to 255".into(), None)),
            (Type::BYTE, Type::INT, _) => Some(("convert it with `as byte`".into(), None)),
            (Type::STR, Type::INT | Type::FLOAT | Type::BOOL | Type::CHAR | Type::BYTE, _) => {
                Some(("convert it with `str(...)` or write it in a template: `{...}`".into(), None))
            }
            (Type::VOID, _, _) if matches!(why, Why::Result(_)) => Some(("end it with `;` in a block to discard the value".into(), None)),
            (_, Type::VOID, Some(Expr::Block { statements, tail: false })) if !statements.is_empty() => {
                Some(("the block has no value: its last statement ends with `;`".into(), None))
            }
            _ => wrapping(expected, found).map(|text| (text.to_owned(), None)),
        };
        let error = self.report(Code::E2001, span, [want.into(), have.as_str().into()]);
        error.label = format!("this is `{have}`");
        if let Some((anchor, span, text)) = reason {
            error.labels.push(syntax::Label { anchor, span, text });
        }
        error.notes.extend(note);
        if let Some((text, edit)) = help {
            error.helps.push(text);
            if let Some((span, text)) = edit {
                error.edits.push(syntax::Edit { anchor, span, text, machine_applicable: true });
            }
        }
    }
}

/// What to write where one of the two types is an `Option` or a `Result` of the other, or a list of what could be trait objects.
fn wrapping(expected: Type, found: Type) -> Option<&'static str> {
    let holds = |whole: Type, part: Type| match whole.kind() {
        TypeKind::Struct(item, args) if args.first() == Some(&part) => prelude::sum(item),
        _ => None,
    };
    if let (TypeKind::List(wanted), TypeKind::List(_)) = (expected.kind(), found.kind())
        && let TypeKind::Object(_) = wanted.kind()
    {
        return Some("values become trait objects one by one: say what list it is where it is made, or put each into a new one");
    }
    match (holds(expected, found), holds(found, expected)) {
        (_, Some(Sum::Option)) => Some("there may be no value: say what to take then, `value ?? other`, or ask with `match`"),
        (_, Some(Sum::Result)) => {
            Some("it may be an error: give that on with `?`, say what to take then, `value ?? other`, or ask with `match`")
        }
        (Some(Sum::Option), _) => Some("`Some(...)` makes an `Option` of a value"),
        (Some(Sum::Result), _) => Some("`Ok(...)` makes a `Result` of a value"),
        _ => None,
    }
}
