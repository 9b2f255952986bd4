//! Patterns, in arms and in bindings: names, types and payloads are settled here; what patterns leave uncovered is judged in
//! [`crate::exhaustive`].

use std::sync::Arc;

use ir::{ItemId, List, Symbol};
use syntax::tree::{FieldPattern, Literal, Pattern as Ast, PatternId as AstId, RangeEnd};
use syntax::{DiagnosticCode as Code, Span};

use super::why::Why;
use super::{Binding, Checker, Kind, Result};
use crate::ir::{LocalId, Pattern, PatternId};
use crate::program::{Entity, TypeDefinition, TypeForm};
use crate::resolve::prelude::{self, of_variant, predeclared};
use crate::resolve::{nearest, show, suggest};
use crate::{Type, TypeKind};

/// Patterns within each other, at most.
const DEEPEST: u32 = 256;

/// A name that a pattern binds.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    name: Symbol,
    is_marked: bool,
    span: Span,
    pub local: LocalId,
    ty: Type,
}

/// A pattern that is being checked.
pub(super) struct Patterns {
    /// What is matched and its type, as the reason of messages about the whole; bindings have none.
    why: Option<(Span, Type)>,
    kind: Kind,
    /// Names of this alternative so far.
    pub names: Vec<Bound>,
    /// Names of the first alternatives around: further alternatives bind the same locals.
    firsts: Vec<Bound>,
    /// A report was made: nothing more is judged.
    pub has_failed: bool,
    /// A range without values was met, and reported.
    pub has_empty: bool,
    /// No value gets there: names have type `Never`, and what they are tested for does not matter.
    pub is_dead: bool,
    depth: u32,
}

impl Patterns {
    /// The type of a part of which nothing is known.
    fn unknown(&self) -> Type {
        if self.is_dead { Type::NEVER } else { Type::ERROR }
    }

    /// Of an arm of a match.
    pub fn of_arm(scrutinee: Span, matched: Type) -> Patterns {
        Patterns { is_dead: matched == Type::NEVER, ..Patterns::new(Some((scrutinee, matched)), Kind::Mutable) }
    }

    /// Of a binding.
    pub fn of_binding(kind: Kind) -> Patterns {
        Patterns::new(None, kind)
    }

    fn new(why: Option<(Span, Type)>, kind: Kind) -> Patterns {
        Patterns { why, kind, names: Vec::new(), firsts: Vec::new(), has_failed: false, has_empty: false, is_dead: false, depth: 0 }
    }
}

impl<'a> Checker<'a> {
    pub(super) fn push_pattern(&mut self, pattern: Pattern, span: Span) -> PatternId {
        self.draft.pattern_spans.push(span);
        self.draft.body.patterns.push(pattern)
    }

    fn failed(&mut self, p: &mut Patterns, span: Span) -> PatternId {
        if !p.is_dead {
            p.has_failed = true;
            self.poisoned = true;
        }
        self.push_pattern(Pattern::Any, span)
    }

    /// Checks a pattern against the type of what it stands for.
    pub(super) fn pattern(&mut self, id: AstId, ty: Type, p: &mut Patterns) -> Result<PatternId> {
        let span = self.tree.pattern_span(id);
        let ty = self.resolved(ty);
        if p.depth > DEEPEST {
            self.report(Code::E0037, span, [DEEPEST.to_string().into()]);
            return Ok(self.failed(p, span));
        }
        p.depth += 1;
        let done = self.pattern_inner(id, ty, span, p);
        p.depth -= 1;
        done
    }

    fn pattern_inner(&mut self, id: AstId, ty: Type, span: Span, p: &mut Patterns) -> Result<PatternId> {
        let tree = self.tree;
        Ok(match tree.patterns[id] {
            Ast::Error => self.failed(p, span),
            Ast::Blank => self.push_pattern(Pattern::Any, span),
            Ast::Name { name, dollar } => {
                if !dollar && let Some(done) = self.unit_variant(name, ty, span, p)? {
                    return Ok(done);
                }
                if dollar && matches!(self.scope.value(name), Some(Entity::Constant(_))) {
                    self.report(Code::W0603, span, [name.into()]);
                }
                let local = self.bind_name(name, dollar, ty, span, p);
                let any = self.push_pattern(Pattern::Any, span);
                self.push_pattern(Pattern::Bind(local, any), span)
            }
            Ast::At { name, dollar, pattern } => {
                let local = self.bind_name(name, dollar, ty, span, p);
                let inner = self.pattern(pattern, ty, p)?;
                self.push_pattern(Pattern::Bind(local, inner), span)
            }
            Ast::Literal(literal, negative) => self.literal_pattern(literal, negative, ty, span, p),
            Ast::Range { ends, inclusive } => self.range_pattern(ends, inclusive, ty, span, p)?,
            Ast::Or(alternatives) => self.alternatives(tree.pattern_lists.get(alternatives), ty, span, p)?,
            Ast::Variant { path, payload } => self.variant_pattern(tree.list(path), payload, ty, span, p)?,
            Ast::Struct { path, fields, rest } => self.struct_pattern(tree.list(path), fields, rest, ty, span, p)?,
            Ast::Tuple(elements) => {
                let elements = tree.pattern_lists.get(elements);
                let ty = self.formed(ty, |checker| {
                    let parts: Vec<Type> = elements.iter().map(|_| checker.fresh()).collect();
                    Type::tuple(&parts)
                });
                let types = match ty.kind() {
                    TypeKind::Tuple(types) if types.len() == elements.len() => types,
                    _ => {
                        self.misfit_pattern(span, ty, &format!("a tuple of {}", elements.len()), p);
                        &[]
                    }
                };
                let mut parts = Vec::with_capacity(elements.len());
                for (i, &element) in elements.iter().enumerate() {
                    parts.push(self.pattern(element, types.get(i).copied().unwrap_or(p.unknown()), p)?);
                }
                self.fields_pattern(parts, span)
            }
            Ast::Unit => {
                let ty = self.formed(ty, |_| Type::VOID);
                if ty != Type::VOID {
                    self.misfit_pattern(span, ty, &show(Type::VOID), p);
                }
                self.push_pattern(Pattern::Any, span)
            }
            Ast::List { elements, rest } => {
                let ty = self.formed(ty, |checker| Type::list(checker.fresh()));
                let element = match ty.kind() {
                    TypeKind::List(element) => element,
                    _ => {
                        self.misfit_pattern(span, ty, "a list", p);
                        p.unknown()
                    }
                };
                let mut parts = Vec::new();
                for &inner in tree.pattern_lists.get(elements) {
                    parts.push(self.pattern(inner, element, p)?);
                }
                match rest {
                    Some(Some((name, dollar))) => {
                        let whole = if element == p.unknown() { p.unknown() } else { ty };
                        let local = self.bind_name(name, dollar, whole, span, p);
                        let any = self.push_pattern(Pattern::Any, span);
                        parts.push(self.push_pattern(Pattern::Bind(local, any), span));
                    }
                    Some(None) => parts.push(self.push_pattern(Pattern::Any, span)),
                    None => {}
                }
                let parts = self.draft.body.parts.add(parts);
                self.push_pattern(Pattern::List(parts, rest.is_some()), span)
            }
        })
    }

    /// The type that a pattern stands for: of one that is open the form of the pattern tells the form.
    fn formed(&mut self, ty: Type, form: impl FnOnce(&mut Self) -> Type) -> Type {
        if !matches!(ty.kind(), TypeKind::Variable(_)) {
            return ty;
        }
        let formed = form(self);
        self.unify(ty, formed);
        self.resolved(ty)
    }

    fn fields_pattern(&mut self, parts: Vec<PatternId>, span: Span) -> PatternId {
        let parts = self.draft.body.parts.add(parts);
        self.push_pattern(Pattern::Fields(parts), span)
    }

    /// E2001 for a pattern of a form that the type does not have. Nothing for a type that is an error already.
    fn misfit_pattern(&mut self, span: Span, ty: Type, found: &str, p: &mut Patterns) {
        if p.is_dead {
            return;
        }
        p.has_failed = true;
        self.poisoned = true;
        if ty.fits_anywhere() {
            return;
        }
        let shown = show(ty);
        let anchor = self.anchor;
        let error = self.report(Code::E2001, span, [shown.as_str().into(), found.into()]);
        match p.why {
            Some((why, whole)) if whole == ty => error.labels.push(syntax::Label {
                anchor,
                span: why,
                text: format!("expected a pattern for `{shown}` because of what is matched here"),
            }),
            Some(_) => error.notes.push(format!("expected a pattern for `{shown}` because this part has that type")),
            None => error.notes.push(format!("expected a pattern for `{shown}` because the value has that type")),
        }
    }

    // ---- names ----

    fn bind_name(&mut self, name: Symbol, dollar: bool, ty: Type, span: Span, p: &mut Patterns) -> LocalId {
        if let Some(first) = p.names.iter().find(|bound| bound.name == name) {
            let (anchor, first) = (self.anchor, first.span);
            let error = self.report(Code::E0603, span, [name.into()]);
            error.labels.push(syntax::Label { anchor, span: first, text: "first bound here".into() });
            p.has_failed = true;
        }
        let kind = if dollar && p.kind == Kind::Mutable { Kind::Immutable } else { p.kind };
        let local = match p.firsts.iter().find(|bound| bound.name == name) {
            Some(first) if self.resolved(first.ty) == self.resolved(ty) => first.local,
            Some(first) => {
                let (before, anchor, at) = (first.ty, self.anchor, first.span);
                if !before.fits_anywhere() && !ty.fits_anywhere() {
                    let error = self.report(Code::E2053, span, [name.into(), show(before).into(), show(ty).into()]);
                    error.labels.push(syntax::Label { anchor, span: at, text: format!("here it is `{}`", show(before)) });
                }
                p.has_failed = true;
                self.local(name, ty, kind == Kind::Mutable)
            }
            None => self.local(name, ty, kind == Kind::Mutable),
        };
        p.names.push(Bound { name, is_marked: dollar, span, local, ty });
        local
    }

    /// Brings the names of a pattern into scope.
    pub(super) fn declare_names(&mut self, p: &Patterns) {
        for bound in &p.names {
            let kind = if bound.is_marked && p.kind == Kind::Mutable { Kind::Immutable } else { p.kind };
            self.draft.bindings.push(Binding { name: bound.name, local: bound.local, kind, span: bound.span });
        }
    }

    /// `p | q`: every alternative binds what the first one binds.
    fn alternatives(&mut self, list: &[AstId], ty: Type, span: Span, p: &mut Patterns) -> Result<PatternId> {
        let outer = p.names.len();
        let reusable = p.firsts.len();
        let mut parts = Vec::with_capacity(list.len());
        let mut of_first: Vec<Bound> = Vec::new();
        for (i, &alternative) in list.iter().enumerate() {
            let part = self.pattern(alternative, ty, p)?;
            if !matches!(self.draft.body.patterns[part], Pattern::Or(nothing) if nothing.is_empty()) {
                parts.push(part);
            }
            let names = p.names.split_off(outer);
            if i == 0 {
                p.firsts.extend(names.iter().copied());
                of_first = names;
            } else {
                let marks = |names: &[Bound]| {
                    let mut marks: Vec<(Symbol, bool)> = names.iter().map(|n| (n.name, n.is_marked)).collect();
                    marks.sort();
                    marks
                };
                let (a, b) = (marks(&of_first), marks(&names));
                if a != b && !p.has_failed {
                    let mut differ: Vec<&str> =
                        a.iter().chain(&b).filter(|n| !a.contains(n) || !b.contains(n)).map(|n| n.0.as_str()).collect();
                    differ.dedup();
                    self.report(Code::E2052, span, [differ.join(", ").into()]);
                    p.has_failed = true;
                }
            }
        }
        p.firsts.truncate(reusable);
        p.names.extend(of_first);
        let parts = self.draft.body.parts.add(parts);
        Ok(self.push_pattern(Pattern::Or(parts), span))
    }

    // ---- variants, structs, newtypes ----

    pub(super) fn definition_of(&mut self, ty: Type, at: Span) -> Result<Option<Arc<TypeDefinition>>> {
        match ty.kind() {
            TypeKind::Struct(item, args) => self.definition_for(item, args, at),
            _ => Ok(None),
        }
    }

    /// A name alone: a unit variant of the type, or no name that may be bound.
    fn unit_variant(&mut self, name: Symbol, ty: Type, span: Span, p: &mut Patterns) -> Result<Option<PatternId>> {
        if let Some(definition) = self.definition_of(ty, span)?
            && let Some(number) = definition.variant_named(name)
        {
            return self.of_variant(&definition, number, List::EMPTY, span, p).map(Some);
        }
        if !name.as_str().starts_with(|c: char| c.is_ascii_uppercase()) {
            return Ok(None);
        }
        if let Some(what) = super::names::later_name(name.as_str())
            && !ty.fits_anywhere()
        {
            self.refuse(span, what);
        } else if !matches!(self.scope.value(name), Some(Entity::Unsupported(..))) && !ty.fits_anywhere() {
            self.unknown_variant(name, ty, span)?;
        }
        Ok(Some(self.failed(p, span)))
    }

    fn unknown_variant(&mut self, name: Symbol, ty: Type, span: Span) -> Result<()> {
        let definition = self.definition_of(ty, span)?;
        let near = definition.and_then(|d| suggest(name.as_str(), d.variants.iter().map(|v| v.name.as_str())));
        let anchor = self.anchor;
        let error = self.report(Code::E2003, span, [name.into(), show(ty).into()]);
        error.wording = 1;
        if let Some((near, is_sure)) = near {
            error.helps.push(format!("`{}` has a variant with a similar name: `{near}`", show(ty)));
            let at = Span::new(span.start, span.end.min(span.start + name.as_str().len() as u32));
            error.edits.push(syntax::Edit { anchor, span: at, text: near, machine_applicable: is_sure });
        }
        Ok(())
    }

    /// `V(p, ...)`, `T.V(...)`, `T(p)`
    fn variant_pattern(
        &mut self,
        path: List<Symbol>,
        payload: Option<List<FieldPattern>>,
        ty: Type,
        span: Span,
        p: &mut Patterns,
    ) -> Result<PatternId> {
        let tree = self.tree;
        let path = tree.paths.get(path);
        let payload = payload.unwrap_or(List::EMPTY);
        let Some((&name, prefix)) = path.split_last() else { return Ok(self.failed(p, span)) };
        let definition = self.definition_of(ty, span)?;
        if let Some(definition) = &definition {
            if !self.names_type(prefix, definition, span)? {
                self.parts_silently(payload, p)?;
                return Ok(self.failed(p, span));
            }
            if let Some(number) = definition.variant_named(name) {
                return self.of_variant(definition, number, payload, span, p);
            }
            if definition.form == TypeForm::Newtype && self.is_name_of(name, definition.item) {
                return self.newtype_pattern(definition, name, payload, span, p);
            }
        }
        // The names are bound all the same, so that the arm says nothing more.
        self.parts_silently(payload, p)?;
        let is_known = matches!(self.scope.value(name), Some(Entity::Unsupported(..)));
        if ty.fits_anywhere() || is_known {
            return Ok(self.failed(p, span));
        }
        if let Some(what) = super::names::later_name(name.as_str()) {
            self.refuse(span, what);
        } else if definition.is_some_and(|d| d.form == TypeForm::Sum) {
            self.unknown_variant(name, ty, span)?;
        } else if let Some(other) = self.scope.variants(name).first().map(|&(_, other)| other).or_else(|| of_variant(name.as_str())) {
            let shown = other.name();
            self.misfit_pattern(span, ty, shown.as_str(), p);
        } else if self.scope.type_name(name).is_some() {
            self.misfit_pattern(span, ty, name.as_str(), p);
        } else {
            self.unknown_variant(name, ty, span)?;
        }
        Ok(self.failed(p, span))
    }

    /// Does what stands before the name of a variant lead to this type? Reports when not.
    fn names_type(&mut self, prefix: &[Symbol], definition: &TypeDefinition, span: Span) -> Result<bool> {
        let found = match *prefix {
            [] => return Ok(true),
            [one] if one.as_str() == "Self" => match self.own_type() {
                Some((item, _)) => Some(Entity::Type(item)),
                None => {
                    self.not_own(span);
                    return Ok(false);
                }
            },
            [one] => match self.scope.type_name(one).or_else(|| predeclared(one.as_str()).map(|(item, _)| Entity::Type(item))) {
                Some(entity) => Some(entity),
                // `m.V`: the module has the type, or re-exports it.
                None => match self.scope.value(one) {
                    Some(Entity::Module(module)) => {
                        let scope = self.cx.scope(module)?;
                        let has = scope.public.iter().any(|&(_, e)| e == Entity::Type(definition.item));
                        has.then_some(Entity::Type(definition.item))
                    }
                    _ => None,
                },
            },
            [alias, name] => match self.scope.value(alias) {
                Some(Entity::Module(module)) => self.cx.scope(module)?.exported(name).find(|e| crate::program::is_type(*e)),
                _ => None,
            },
            _ => None,
        };
        match found {
            Some(Entity::Type(item)) if item == definition.item => return Ok(true),
            Some(Entity::Type(item)) => {
                let args = [definition.item.name().into(), item.name().into()];
                self.report(Code::E2001, span, args);
            }
            Some(_) => self.poisoned = true,
            None => {
                let name = prefix.last().copied().unwrap_or(self.blank);
                self.report(Code::E2002, span, [name.into()]);
            }
        }
        Ok(false)
    }

    /// Does a name alone stand for this type? It may be an alias of an import, or `Self`.
    fn is_name_of(&self, name: Symbol, item: ItemId) -> bool {
        item.name() == name
            || self.scope.type_name(name) == Some(Entity::Type(item))
            || name.as_str() == "Self" && self.own_type().is_some_and(|(own, _)| own == item)
    }

    /// `Self` in a pattern where it is no declared type.
    fn not_own(&mut self, span: Span) {
        match self.around.this {
            Some(this) => _ = self.report(Code::E2001, span, ["a sum type".into(), show(this).into()]),
            None => _ = self.report(Code::E0314, span, []),
        }
    }

    fn parts_silently(&mut self, payload: List<FieldPattern>, p: &mut Patterns) -> Result<()> {
        let tree = self.tree;
        for part in tree.field_patterns.get(payload) {
            self.pattern(part.pattern, p.unknown(), p)?;
        }
        Ok(())
    }

    fn of_variant(
        &mut self,
        definition: &TypeDefinition,
        number: usize,
        given: List<FieldPattern>,
        span: Span,
        p: &mut Patterns,
    ) -> Result<PatternId> {
        let tree = self.tree;
        let variant = &definition.variants[number];
        let given = tree.field_patterns.get(given);
        let mut slots: Vec<Option<PatternId>> = vec![None; variant.payload.len()];
        let named = given.iter().filter(|part| part.name.is_some()).count();
        let mut has_reported = false;
        if named > 0 && named < given.len() {
            let first = given.iter().find(|part| part.name.is_none()).map_or(span, |part| part.span);
            self.report(Code::E2011, first, []);
            has_reported = true;
        }
        for (i, part) in given.iter().enumerate() {
            let slot = match part.name {
                None => Some(i),
                Some(name) if variant.is_named => variant.payload.iter().position(|(n, _)| *n == name),
                Some(_) => None,
            };
            let ty = slot.and_then(|slot| variant.payload.get(slot)).map_or(Type::ERROR, |&(_, ty)| ty);
            let inner = self.pattern(part.pattern, if has_reported { Type::ERROR } else { ty }, p)?;
            match (slot.and_then(|slot| slots.get_mut(slot)), part.name) {
                (Some(slot), name) => {
                    if slot.is_some()
                        && let Some(name) = name
                        && !has_reported
                    {
                        self.report(Code::E0303, part.span, [name.into(), "given".into()]);
                        has_reported = true;
                    }
                    *slot = Some(inner);
                }
                (None, Some(name)) if !has_reported => {
                    let known: Vec<&str> = variant.payload.iter().map(|(n, _)| n.as_str()).collect();
                    let help = match (nearest(name.as_str(), known.iter().copied()), variant.is_named) {
                        (_, false) => format!("the payload of `{}` has no names", variant.name),
                        (Some(near), true) => format!("a payload value with a similar name exists: `{near}`"),
                        (None, true) => format!("its payload is {}", known.join(", ")),
                    };
                    self.report(Code::E0302, part.span, [variant.name.into(), name.into()]).helps.push(help);
                    has_reported = true;
                }
                (None, _) => {}
            }
        }
        if given.len() != slots.len() && !has_reported {
            let args = [variant.name.into(), slots.len().to_string().into(), given.len().to_string().into()];
            let error = self.report(Code::E0605, span, args);
            let blanks: Vec<String> =
                variant.payload.iter().map(|(name, _)| if named > 0 { format!("{name}: _") } else { "_".to_owned() }).collect();
            error.helps.push(match blanks.is_empty() {
                true => format!("`{}` has no payload", variant.name),
                false => format!("`_` takes what is not needed: `{}({})`", variant.name, blanks.join(", ")),
            });
            has_reported = true;
        }
        if has_reported {
            return Ok(self.failed(p, span));
        }
        let parts: Vec<PatternId> = slots.into_iter().flatten().collect();
        Ok(match definition.choices() {
            Some(_) => {
                let parts = self.draft.body.parts.add(parts);
                self.push_pattern(Pattern::Variant(number as u32, parts), span)
            }
            None => self.fields_pattern(parts, span),
        })
    }

    fn newtype_pattern(
        &mut self,
        definition: &TypeDefinition,
        name: Symbol,
        given: List<FieldPattern>,
        span: Span,
        p: &mut Patterns,
    ) -> Result<PatternId> {
        let tree = self.tree;
        match (tree.field_patterns.get(given), &definition.fields[..]) {
            ([FieldPattern { name: None, pattern, .. }], &[(_, ty)]) => {
                let inner = self.pattern(*pattern, ty, p)?;
                Ok(self.fields_pattern(vec![inner], span))
            }
            (parts, _) => {
                self.parts_silently(given, p)?;
                match parts.iter().find_map(|part| Some((part.name?, part.span))) {
                    Some((part, at)) => _ = self.report(Code::E0302, at, [name.into(), part.into()]),
                    None => {
                        let args = [name.into(), "1".into(), parts.len().to_string().into()];
                        self.report(Code::E0605, span, args);
                    }
                }
                Ok(self.failed(p, span))
            }
        }
    }

    fn struct_pattern(
        &mut self,
        path: List<Symbol>,
        fields: List<FieldPattern>,
        rest: bool,
        ty: Type,
        span: Span,
        p: &mut Patterns,
    ) -> Result<PatternId> {
        let tree = self.tree;
        let Some(definition) = self.definition_of(ty, span)?.filter(|d| d.form == TypeForm::Struct) else {
            self.misfit_pattern(span, ty, "a struct", p);
            self.parts_silently(fields, p)?;
            return Ok(self.failed(p, span));
        };
        if let Some(&name) = tree.paths.get(path).last()
            && !self.is_name_of(name, definition.item)
        {
            self.misfit_pattern(span, ty, name.as_str(), p);
        }
        let is_seen = self.sees_fields(definition.item);
        let mut slots: Vec<Option<PatternId>> = vec![None; definition.fields.len()];
        for field in tree.field_patterns.get(fields) {
            let Some(name) = field.name else { continue };
            let slot = definition.field_named(name).filter(|_| is_seen);
            let ty = slot.map_or(Type::ERROR, |slot| definition.fields[slot].1);
            let inner = self.pattern(field.pattern, ty, p)?;
            match slot.map(|slot| &mut slots[slot]) {
                Some(slot) => {
                    if slot.replace(inner).is_some() {
                        self.report(Code::E0303, field.span, [name.into(), "given".into()]);
                        p.has_failed = true;
                    }
                }
                None => {
                    self.no_field(&definition, name, field.span);
                    p.has_failed = true;
                }
            }
        }
        let lacking = definition.fields.iter().zip(&slots).filter(|(_, slot)| slot.is_none());
        let lacking: Vec<&str> = lacking.map(|((field, _), _)| field.as_str()).collect();
        if is_seen && !rest && !lacking.is_empty() {
            self.report(Code::E0301, span, [lacking.join(", ").into()]).wording = 1;
            p.has_failed = true;
        }
        let mut parts = Vec::with_capacity(slots.len());
        for slot in slots {
            parts.push(match slot {
                Some(part) => part,
                None => self.push_pattern(Pattern::Any, span),
            });
        }
        Ok(self.fields_pattern(parts, span))
    }

    // ---- literals and ranges ----

    fn literal_pattern(&mut self, literal: Literal, negative: bool, ty: Type, span: Span, p: &mut Patterns) -> PatternId {
        let mut ty = ty;
        if let TypeKind::Variable(_) = ty.kind() {
            let known = type_of(literal);
            // A part of which nothing is known is what it is compared with.
            self.unify(ty, known);
            ty = known;
        }
        match literal {
            Literal::Str(text) if ty == Type::STR => return self.push_pattern(Pattern::Str(text), span),
            Literal::Float(bits) if ty == Type::FLOAT => {
                let bits = bits.get() ^ (u64::from(negative) << 63);
                return self.push_pattern(Pattern::Float(bits), span);
            }
            _ => {}
        }
        match self.scalar(literal, negative, ty, span, p) {
            Some(value) if matches!(literal, Literal::Duration(_) | Literal::Size(_)) => {
                let count = self.push_pattern(Pattern::Range(value, value), span);
                self.fields_pattern(vec![count], span)
            }
            Some(value) => self.push_pattern(Pattern::Range(value, value), span),
            None => self.failed(p, span),
        }
    }

    /// The reason of a message about a part of a pattern.
    fn reason(&self, ty: Type, p: &Patterns) -> Why<'a> {
        match p.why {
            Some((why, whole)) if whole == ty => Why::Scrutinee(why),
            Some(_) | None => Why::None,
        }
    }

    /// The number of a scalar literal, when it has the type of the part.
    fn scalar(&mut self, literal: Literal, negative: bool, ty: Type, span: Span, p: &Patterns) -> Option<i64> {
        let (value, found) = match literal {
            Literal::Int(value) => {
                let value = if negative { (value.get() as i64).wrapping_neg() } else { i64::try_from(value.get()).ok()? };
                (value, if ty == Type::BYTE && (0..=255).contains(&value) { Type::BYTE } else { Type::INT })
            }
            Literal::Char(value) => (i64::from(u32::from(value)), Type::CHAR),
            Literal::Byte(value) => (i64::from(value), Type::BYTE),
            Literal::Bool(value) => (i64::from(value), Type::BOOL),
            Literal::Float(_) => (0, Type::FLOAT),
            Literal::Str(_) => (0, Type::STR),
            Literal::Duration(count) => {
                let count = i64::try_from(count.get()).ok()?;
                (if negative { -count } else { count }, prelude::duration())
            }
            Literal::Size(count) => (i64::try_from(count.get()).ok()?, prelude::size()),
        };
        if found != ty {
            if !ty.fits_anywhere() {
                let why = self.reason(ty, p);
                self.mismatch(span, ty, found, why, None);
            }
            return None;
        }
        // Texts and floats have patterns of their own; they end no range.
        (!matches!(found, Type::STR | Type::FLOAT)).then_some(value)
    }

    fn range_pattern(&mut self, ends: List<RangeEnd>, inclusive: bool, ty: Type, span: Span, p: &mut Patterns) -> Result<PatternId> {
        let tree = self.tree;
        let &[low, high] = tree.range_ends.get(ends) else { return Ok(self.failed(p, span)) };
        if let (Some(a), Some(b)) = (self.end_type(low, ty)?, self.end_type(high, ty)?)
            && a != b
        {
            self.report(Code::E0604, span, [format!("its ends are {} and {}", show(a), show(b)).into()]);
            return Ok(self.failed(p, span));
        }
        let (Some(low), Some(high)) = (self.end(low, ty, span, p)?, self.end(high, ty, span, p)?) else {
            return Ok(self.failed(p, span));
        };
        let (low, high) = match (inclusive, high.checked_sub(1)) {
            (true, _) => (low, high),
            (false, Some(before)) => (low, before),
            // Nothing is before the least int.
            (false, None) => (1, 0),
        };
        if low > high {
            self.report(Code::W0607, span, []);
            p.has_empty = true;
            return Ok(self.push_pattern(Pattern::Or(List::EMPTY), span));
        }
        Ok(self.push_pattern(Pattern::Range(low, high), span))
    }

    /// The type of an end, where it is one that ranges have. An INT literal is a byte where a byte is matched.
    fn end_type(&self, end: RangeEnd, ty: Type) -> Result<Option<Type>> {
        let found = match end {
            RangeEnd::Literal(Literal::Int(_), _) if ty == Type::BYTE => Type::BYTE,
            RangeEnd::Literal(Literal::Int(_), _) => Type::INT,
            RangeEnd::Literal(Literal::Char(_), _) => Type::CHAR,
            RangeEnd::Literal(Literal::Byte(_), _) => Type::BYTE,
            RangeEnd::Literal(Literal::Bool(_), _) => Type::BOOL,
            RangeEnd::Literal(Literal::Str(_), _) => Type::STR,
            RangeEnd::Literal(Literal::Float(_) | Literal::Duration(_) | Literal::Size(_), _) => return Ok(None),
            RangeEnd::Constant(name) => match self.scope.value(name) {
                Some(Entity::Constant(item)) => self.cx.constant_type(item)?.unwrap_or(Type::ERROR),
                _ => return Ok(None),
            },
        };
        Ok(Some(found).filter(|ty| !ty.fits_anywhere()))
    }

    fn end(&mut self, end: RangeEnd, ty: Type, span: Span, p: &Patterns) -> Result<Option<i64>> {
        match end {
            RangeEnd::Literal(literal, negative) => {
                let without = match literal {
                    Literal::Duration(_) => Some(prelude::duration()),
                    Literal::Size(_) => Some(prelude::size()),
                    Literal::Float(_) => Some(Type::FLOAT),
                    _ => Some(ty).filter(|&ty| ty == Type::FLOAT),
                };
                if let Some(ty) = without {
                    self.report(Code::E0604, span, [format!("there are no {} ranges", show(ty)).into()]);
                    return Ok(None);
                }
                Ok(self.scalar(literal, negative, ty, span, p))
            }
            RangeEnd::Constant(name) => match self.scope.value(name) {
                Some(Entity::Constant(item)) => {
                    let found = self.cx.constant_type(item)?.unwrap_or(Type::ERROR);
                    if found.fits_anywhere() {
                        self.poisoned = true;
                        return Ok(None);
                    }
                    if found != ty {
                        if !ty.fits_anywhere() {
                            let why = self.reason(ty, p);
                            self.mismatch(span, ty, found, why, None);
                        }
                        return Ok(None);
                    }
                    let value = self.cx.constant_int(item)?;
                    if value.is_none() {
                        self.report(Code::E0604, span, [format!("the value of `${name}` is not known").into()]);
                    }
                    Ok(value)
                }
                Some(Entity::Unsupported(..)) => {
                    self.poisoned = true;
                    Ok(None)
                }
                _ => {
                    self.report(Code::E0604, span, [format!("`${name}` is no constant").into()]);
                    Ok(None)
                }
            },
        }
    }
}

/// The type of a literal where nothing else is expected.
fn type_of(literal: Literal) -> Type {
    match literal {
        Literal::Int(_) => Type::INT,
        Literal::Float(_) => Type::FLOAT,
        Literal::Str(_) => Type::STR,
        Literal::Char(_) => Type::CHAR,
        Literal::Byte(_) => Type::BYTE,
        Literal::Bool(_) => Type::BOOL,
        Literal::Duration(_) => prelude::duration(),
        Literal::Size(_) => prelude::size(),
    }
}
