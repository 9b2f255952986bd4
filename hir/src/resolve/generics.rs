//! Type parameters of an item as its header declares them.

use ir::{Stop, Symbol};
use syntax::tree::{Constraint, Generic, Item, ItemKind};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Span};

use super::{Surroundings, TypeReader, signature::reader};
use crate::Type;
use crate::program::Context;

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

    /// Reads the defaults of the type parameters, which are declared. One that is missing behind another is E2015. A default knows the parameters
    /// before its own: what it names is put in place for an instance of which no more is known.
    pub fn defaults(&self, reader: &mut TypeReader<'_>) -> Result<Vec<Option<Type>>, Stop> {
        let declared = reader.around.parameters.clone();
        let first = declared.len() - self.list.len();
        let mut defaults: Vec<Option<Type>> = Vec::with_capacity(self.list.len());
        for (i, generic) in self.list.iter().enumerate() {
            let default = match generic.default {
                Some(default) => {
                    let before = reader.diagnostics.len();
                    reader.around.parameters.truncate(first + i);
                    let ty = reader.read(default);
                    reader.around.parameters.clone_from(&declared);
                    let is_later = |error: &Diagnostic| {
                        error.code == Code::E2002 && self.list[i..].iter().any(|later| error.args.first() == Some(&later.name.into()))
                    };
                    for error in reader.diagnostics[before..].iter_mut().filter(|error| is_later(error)) {
                        // It is no slip of the pen.
                        error.helps.clear();
                        error.edits.clear();
                        error.notes.push("the default of a type parameter knows only the parameters before it".into());
                    }
                    Some(ty?)
                }
                None => None,
            };
            if let (None, Some(Some(_))) = (default, defaults.last()) {
                reader.diagnostics.push(Diagnostic::new(Code::E2015, reader.anchor, generic.span, [generic.name.into()]));
            }
            defaults.push(default);
        }
        Ok(defaults)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.list.iter().map(|generic| generic.name)
    }
}

/// The defaults of the type parameters of a type or trait. What is wrong with them is said where the declaration is read.
pub fn defaults(item: &Item, cx: &dyn Context) -> Result<Vec<Option<Type>>, Stop> {
    let (list, constraints, is_trait) = match &item.kind {
        ItemKind::Type { generics, constraints, .. } => (generics, constraints, false),
        ItemKind::Trait { generics, constraints, .. } => (generics, constraints, true),
        _ => return Ok(Vec::new()),
    };
    if item.has_errors {
        return Ok(Vec::new());
    }
    if list.iter().all(|generic| generic.default.is_none()) {
        return Ok(vec![None; list.len()]);
    }
    let mut reader = reader(item, cx)?;
    let generics = Generics { list, constraints, defaults: true };
    if is_trait {
        reader.around.parameters.push(Symbol::new("Self"));
        reader.around.this = crate::types::parameters(&reader.around.parameters[..1]).first().copied();
    }
    generics.declare(&mut reader.around, reader.anchor, &mut Vec::new());
    generics.defaults(&mut reader)
}
