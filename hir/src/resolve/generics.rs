//! Type parameters of an item as its header declares them.

use ir::Symbol;
use syntax::tree::{Constraint, Generic};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Span};

use super::Surroundings;

/// What follows the name of an item in `<...>`, and its `where` clauses.
pub(crate) struct Generics<'a> {
    pub list: &'a [Generic],
    pub constraints: &'a [Constraint],
    /// May type parameters have defaults?
    pub defaults: bool,
}

impl Generics<'_> {
    /// The first part that the slice lacks.
    pub fn refused(&self) -> Option<(Span, &'static str)> {
        for generic in self.list {
            let what = match generic {
                Generic { is_const: true, .. } => "const generics",
                Generic { default: Some(_), .. } if !self.defaults => "defaults of type parameters",
                Generic { .. } => continue,
            };
            return Some((generic.span, what));
        }
        self.constraints.iter().find_map(|constraint| match constraint {
            Constraint::Bounds(..) | Constraint::Equal(..) => None,
            Constraint::Const(_, span) => Some((*span, "const generics")),
        })
    }

    /// Adds the names to those that types may mention; a name that the same list has twice is E2006.
    pub fn declare(&self, around: &mut Surroundings, anchor: Anchor, diagnostics: &mut Vec<Diagnostic>) {
        for (i, generic) in self.list.iter().enumerate() {
            if let Some(first) = self.list[..i].iter().find(|g| g.name == generic.name) {
                let error = Diagnostic::new(Code::E2006, anchor, generic.span, [generic.name.into()]).label("defined again here");
                diagnostics.push(error.because(anchor, first.span, "first defined here"));
            }
            around.parameters.push(generic.name);
        }
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.list.iter().map(|generic| generic.name)
    }
}
