//! Irrefutable patterns: what `let` and `for` bind.

use ir::Symbol;
use syntax::tree::{Pattern, PatternId};
use syntax::{DiagnosticCode as Code, Span};

use super::why::Why;
use super::{Binding, Checker, Kind, Result};
use crate::ir::{Expr, ExprId, LocalId};
use crate::resolve::show;
use crate::{Type, TypeKind};

/// A part of a value that is being taken apart: the local that holds the whole, and the fields from there.
pub(super) struct Part {
    pub local: LocalId,
    pub path: Vec<(u32, Type)>,
    pub ty: Type,
}

impl<'a> Checker<'a> {
    /// Binds a name, in the innermost scope. Several names of one pattern must differ.
    fn bind_name(&mut self, name: Symbol, dollar: bool, kind: Kind, ty: Type, span: Span, bound: &mut Vec<(Symbol, Span)>) -> LocalId {
        if let Some(&(_, first)) = bound.iter().find(|(n, _)| *n == name) {
            let anchor = self.anchor;
            let error = self.report(Code::E0603, span, [name.into()]);
            error.labels.push(syntax::Label { anchor, span: first, text: "first bound here".into() });
        }
        bound.push((name, span));
        self.bind_one(name, dollar, kind, ty, span)
    }

    fn bind_one(&mut self, name: Symbol, dollar: bool, kind: Kind, ty: Type, span: Span) -> LocalId {
        let kind = if dollar && kind == Kind::Mutable { Kind::Immutable } else { kind };
        let local = self.local(name, ty, kind == Kind::Mutable);
        self.draft.bindings.push(Binding { name, local, kind, span });
        local
    }

    /// `let pattern = value`: statements go to the scratch stack.
    pub(super) fn bind_value(
        &mut self,
        pattern: PatternId,
        value: ExprId,
        ty: Type,
        kind: Kind,
        what: &'static str,
        span: Span,
    ) -> Result<()> {
        match self.tree.patterns[pattern] {
            Pattern::Name { name, dollar } => {
                if name.as_str().starts_with(|c: char| c.is_ascii_uppercase()) && self.is_refused_variant(name) {
                    return Ok(());
                }
                let at = self.tree.pattern_span(pattern);
                let local = self.bind_one(name, dollar, kind, ty, at);
                let statement = self.push(Expr::Let(local, value), Type::VOID, span);
                self.draft.scratch.push(statement);
            }
            Pattern::Blank => {
                let local = self.local(self.blank, ty, false);
                let statement = self.push(Expr::Let(local, value), Type::VOID, span);
                self.draft.scratch.push(statement);
            }
            _ => {
                let local = self.local(self.blank, ty, false);
                let statement = self.push(Expr::Let(local, value), Type::VOID, span);
                self.draft.scratch.push(statement);
                let whole = Part { local, path: Vec::new(), ty };
                self.bind_part(pattern, &whole, kind, what, &mut Vec::new())?;
            }
        }
        Ok(())
    }

    fn is_refused_variant(&mut self, name: Symbol) -> bool {
        let refused = matches!(self.scope.value(name), Some(crate::program::Entity::Unsupported(..)));
        self.poisoned |= refused;
        refused
    }

    /// Takes a part apart.
    pub(super) fn bind_part(
        &mut self,
        pattern: PatternId,
        part: &Part,
        kind: Kind,
        what: &'static str,
        bound: &mut Vec<(Symbol, Span)>,
    ) -> Result<()> {
        let tree = self.tree;
        let span = tree.pattern_span(pattern);
        if part.path.len() > 64 {
            self.report(Code::E0037, span, ["64".into()]);
            return Ok(());
        }
        match tree.patterns[pattern] {
            Pattern::Error => self.poisoned = true,
            Pattern::Blank => {}
            Pattern::Name { name, dollar } => {
                let local = self.bind_name(name, dollar, kind, part.ty, span, bound);
                self.let_part(local, part, span);
            }
            Pattern::At { name, dollar, pattern } => {
                let local = self.bind_name(name, dollar, kind, part.ty, span, bound);
                self.let_part(local, part, span);
                self.bind_part(pattern, part, kind, what, bound)?;
            }
            Pattern::Tuple(elements) => {
                let elements = tree.pattern_lists.get(elements);
                match part.ty.kind() {
                    TypeKind::Tuple(types) if types.len() == elements.len() => {
                        for (i, (&element, &ty)) in elements.iter().zip(types).enumerate() {
                            self.bind_part(element, &deeper(part, i as u32, ty), kind, what, bound)?;
                        }
                    }
                    TypeKind::Error | TypeKind::Never => {
                        for &element in elements {
                            self.bind_part(element, &erroneous(part), kind, what, bound)?;
                        }
                    }
                    _ => {
                        let wanted = format!("a tuple of {}", elements.len());
                        self.shape_mismatch(span, part.ty, &wanted);
                        for &element in elements {
                            self.bind_part(element, &erroneous(part), kind, what, bound)?;
                        }
                    }
                }
            }
            Pattern::Unit => {
                if part.ty != Type::VOID && !part.ty.fits_anywhere() {
                    self.mismatch(span, part.ty, Type::VOID, Why::None, None);
                }
            }
            Pattern::Struct { path, fields, rest } => {
                let (definition, args) = match part.ty.kind() {
                    TypeKind::Struct(item, args) => (self.cx.type_definition(item)?, args),
                    _ => (None, &[][..]),
                };
                let fields = tree.field_patterns.get(fields);
                let Some(definition) = definition else {
                    if !part.ty.fits_anywhere() {
                        self.shape_mismatch(span, part.ty, "a struct");
                    }
                    for field in fields {
                        self.bind_part(field.pattern, &erroneous(part), kind, what, bound)?;
                    }
                    return Ok(());
                };
                if let Some(&name) = tree.paths.get(tree.list(path)).last()
                    && name != definition.item.name()
                {
                    // The name may be an alias of an import.
                    let named = self.scope.type_name(name);
                    if named != Some(crate::program::Entity::Type(definition.item)) {
                        self.shape_mismatch(span, part.ty, name.as_str());
                    }
                }
                let mut seen: Vec<Symbol> = Vec::new();
                for field in fields {
                    let Some(name) = field.name else { continue };
                    if seen.contains(&name) {
                        self.report(Code::E0303, field.span, [name.into(), "given".into()]);
                    }
                    seen.push(name);
                    match definition.fields.iter().position(|(f, _)| *f == name) {
                        Some(index) => {
                            let inner = deeper(part, index as u32, definition.fields[index].1.substituted(args));
                            self.bind_part(field.pattern, &inner, kind, what, bound)?;
                        }
                        None => {
                            self.no_field(&definition, name, field.span);
                            self.bind_part(field.pattern, &erroneous(part), kind, what, bound)?;
                        }
                    }
                }
                let lacking: Vec<&str> =
                    definition.fields.iter().map(|(f, _)| *f).filter(|f| !seen.contains(f)).map(|f| f.as_str()).collect();
                if !rest && !lacking.is_empty() {
                    self.report(Code::E0301, span, [lacking.join(", ").into()]).wording = 1;
                }
            }
            Pattern::Literal(..) | Pattern::Range { .. } => {
                if !part.ty.fits_anywhere() {
                    self.report(Code::E0606, span, [what.into(), "`_`".into()]).helps.push("use `match` to choose by value".into());
                }
            }
            Pattern::Variant { payload, .. } => {
                self.refuse(span, "variant patterns");
                for inner in payload.map_or(&[][..], |payload| tree.field_patterns.get(payload)) {
                    self.bind_part(inner.pattern, &erroneous(part), kind, what, bound)?;
                }
            }
            Pattern::List { elements, rest } => {
                self.refuse(span, "list patterns");
                for &inner in tree.pattern_lists.get(elements) {
                    self.bind_part(inner, &erroneous(part), kind, what, bound)?;
                }
                if let Some(Some((name, dollar))) = rest {
                    self.bind_name(name, dollar, kind, Type::ERROR, span, bound);
                }
            }
            Pattern::Or(_) => {
                self.refuse(span, "alternatives in bindings");
            }
        }
        Ok(())
    }

    fn shape_mismatch(&mut self, span: Span, found: Type, pattern: &str) {
        let shown = show(found);
        self.report(Code::E2001, span, [shown.as_str().into(), pattern.into()])
            .notes
            .push(format!("expected a pattern for `{shown}` because the value has that type"));
    }

    fn let_part(&mut self, local: LocalId, part: &Part, span: Span) {
        let mut value = self.read(part.local, span);
        for &(index, ty) in &part.path {
            value = self.push(Expr::Field(value, index), ty, span);
        }
        let statement = self.push(Expr::Let(local, value), Type::VOID, span);
        self.draft.scratch.push(statement);
    }
}

fn deeper(part: &Part, index: u32, ty: Type) -> Part {
    let mut path = part.path.clone();
    path.push((index, ty));
    Part { local: part.local, path, ty }
}

fn erroneous(part: &Part) -> Part {
    Part { local: part.local, path: part.path.clone(), ty: Type::ERROR }
}
