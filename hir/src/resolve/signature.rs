//! Signatures, struct declarations and constant annotations, read from item headers.

use std::sync::Arc;

use hashbrown::HashMap;
use ir::item::ItemPath;
use ir::{ItemId, Namespace, Stop, Symbol};
use syntax::tree::{self, AttributeValue, Function, Item, ItemKind, TypeBody, TypeId};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Severity, Span};

use super::asked::{bounds_within, unmet};
use super::attributes::attributes;
use super::prelude::Known;
use super::recursion::{Endless, endless};
use super::solve::{Answer, solve};
use super::types::show;
use super::{Generics, Surroundings, TypeReader};
use crate::program::{Bound, Context, Equality, Given, Parameter, Receiver, Scope, Signature, TraitRef, TypeDefinition, TypeForm, Variant};
use crate::{Type, TypeKind};

const LIMIT_OF_PARAMETERS: usize = 255;

/// The item of the default of a parameter.
pub fn default_item(function: ItemId, parameter: Symbol) -> ItemId {
    let path = function.path();
    ItemId::new(ItemPath {
        module: path.module,
        namespace: Namespace::Default,
        name: Symbol::new(&format!("{}.{parameter}", path.name)),
        disambiguator: path.disambiguator,
    })
}

pub(super) fn reader<'a>(item: &'a Item, cx: &'a dyn Context) -> Result<TypeReader<'a>, Stop> {
    let scope: Arc<Scope> = cx.scope(item.id.module())?;
    Ok(TypeReader::new(&item.tree, cx, scope, Anchor::Item(item.id)))
}

/// The type parameters and the `Self` around the types of an item; `None` when the block it stands in is refused or has errors.
pub(crate) fn surroundings(item: &Item, cx: &dyn Context) -> Result<Option<Surroundings>, Stop> {
    let mut around = Surroundings::default();
    if let Some(owner) = item.owner
        && owner.path().namespace == Namespace::Type
    {
        let Some(definition) = cx.trait_definition(owner)? else { return Ok(None) };
        if definition.diagnostics.iter().any(|d| d.severity() == Severity::Error) {
            return Ok(None);
        }
        let name = Symbol::new("Self");
        around.parameters.push(name);
        around.parameters.extend(&definition.generics);
        let own = crate::types::parameters(&around.parameters);
        around.this = Some(own[0]);
        around.given.bounds.push(Bound { ty: own[0], interface: TraitRef::new(owner, &own[1..]) });
        around.given.extend(&definition.given);
    } else if let Some(owner) = item.owner {
        match cx.implementation(owner)? {
            Some(found) if !found.diagnostics.iter().any(|d| d.severity() == Severity::Error) => {
                around.parameters.extend(&found.generics);
                around.this = Some(found.ty);
                around.given.extend(&found.given);
                around.associated.clone_from(&found.associated);
            }
            Some(_) | None => return Ok(None),
        }
    }
    if let ItemKind::Function(function) = &item.kind {
        around.parameters.extend(function.generics.iter().map(|g| g.name));
    }
    Ok(Some(around))
}

/// The first part of a function header that the slice lacks.
fn refused_part(function: &Function) -> Option<(Span, &'static str)> {
    let generics = Generics { list: &function.generics, constraints: &function.constraints, defaults: false };
    if let Some(refused) = generics.refused() {
        return Some(refused);
    }
    if let Some(param) = function.params.iter().find(|p| p.name.is_none()) {
        return Some((param.span, "patterns as parameters"));
    }
    if let Some((_, span)) = function.uses.first() {
        return Some((*span, "`uses` clauses"));
    }
    if function.guard.is_some() {
        return Some((function.header_span, "function clauses"));
    }
    if let Some(contract) = function.contracts.first() {
        return Some((contract.span, "contracts"));
    }
    None
}

/// A variadic parameter that is not the last one, or has a default.
fn misplaced_variadic(function: &Function) -> Option<Span> {
    let last = function.params.len().saturating_sub(1);
    let wrong = function.params.iter().enumerate().find(|(at, param)| param.variadic && (*at < last || param.default.is_some()));
    wrong.map(|(_, param)| param.span)
}

/// A further function of one name that only makes sense as a clause of the first: what is wrong with the two is said once, elsewhere.
fn is_later_clause(item: &Item, function: &Function) -> bool {
    let is_incomplete = || function.result.is_none() || function.params.iter().any(|p| p.ty.is_none() || p.name.is_none());
    item.owner.is_none()
        && matches!(item.kind, ItemKind::Function(_))
        && item.id.path().disambiguator > 0
        && (function.guard.is_some() || is_incomplete())
}

/// The signature of a function or test; `None` when the item is neither or has syntax errors.
pub fn signature(item: &Item, cx: &dyn Context) -> Result<Option<Signature>, Stop> {
    let function = match &item.kind {
        ItemKind::Function(function) | ItemKind::Test { function, .. } => function,
        ItemKind::Constant { .. }
        | ItemKind::ConstFunction(_)
        | ItemKind::Type { .. }
        | ItemKind::Trait { .. }
        | ItemKind::Impl { .. }
        | ItemKind::DefImpl { .. }
        | ItemKind::Extend { .. }
        | ItemKind::Extern { .. }
        | ItemKind::Capset(_)
        | ItemKind::Error => return Ok(None),
    };
    if item.has_errors || is_later_clause(item, function) {
        return Ok(None);
    }
    let mut reader = reader(item, cx)?;
    if item.owner.is_some() {
        match surroundings(item, cx)? {
            Some(around) => reader.around = around,
            None => return Ok(None),
        }
        reader.around.parameters.truncate(reader.around.parameters.len() - function.generics.len());
    }
    attributes(item, &mut reader.diagnostics);
    let anchor = reader.anchor;
    let is_const = function.generics.iter().any(|g| g.is_const);
    if !is_const {
        let generics = Generics { list: &function.generics, constraints: &[], defaults: false };
        generics.declare(&mut reader.around, anchor, &mut reader.diagnostics);
    }
    let receiver = match function.params.first() {
        Some(param) if param.is_self && param.is_mut => Receiver::Mut,
        Some(param) if param.is_self => Receiver::Plain,
        _ => Receiver::None,
    };
    let mut signature = Signature {
        item: item.id,
        is_pub: item.is_pub,
        owner: item.owner,
        generics: reader.around.parameters.clone(),
        given: Given::default(),
        receiver,
        params: Vec::with_capacity(function.params.len()),
        result: Type::ERROR,
        promised: None,
        result_span: function.result.map_or(item.name_span, |ty| item.tree.type_span(ty)),
        name_span: item.name_span,
        diagnostics: Vec::new(),
    };
    let refused = match misplaced_variadic(function) {
        Some(span) => Some(Diagnostic::new(Code::E0316, anchor, span, [])),
        None => refused_part(function).map(|(span, what)| Diagnostic::new(Code::E2040, anchor, span, [what.into()])),
    };
    if let Some(refused) = refused {
        reader.diagnostics.push(refused);
        for param in &function.params {
            let name = param.name.unwrap_or_else(|| Symbol::new("_"));
            signature.params.push(Parameter { name, ty: Type::ERROR, default: None, variadic: param.variadic, span: param.span });
        }
        signature.given = reader.around.given.clone();
        signature.diagnostics = reader.diagnostics;
        return Ok(Some(signature));
    }
    let generics = Generics { list: &function.generics, constraints: &function.constraints, defaults: false };
    reader.bounds(&generics)?;
    signature.given = reader.around.given.clone();
    if function.params.len() > LIMIT_OF_PARAMETERS {
        let args = ["number of parameters".into(), LIMIT_OF_PARAMETERS.to_string().into()];
        reader.diagnostics.push(Diagnostic::new(Code::E0039, anchor, function.params_span, args));
    }
    for (i, param) in function.params.iter().enumerate() {
        let Some(name) = param.name else { continue };
        if let Some(first) = function.params[..i].iter().find(|p| p.name == Some(name)) {
            let error = Diagnostic::new(Code::E0603, anchor, param.span, [name.into()]);
            reader.diagnostics.push(error.because(anchor, first.span, "first bound here"));
        }
        let ty = match param.ty {
            Some(ty) if param.variadic => match reader.read(ty)? {
                Type::ERROR => Type::ERROR,
                element => Type::list(element),
            },
            Some(ty) => reader.read(ty)?,
            None if param.is_self => reader.around.this.unwrap_or(Type::ERROR),
            None => {
                reader.diagnostics.push(Diagnostic::new(Code::E1018, anchor, param.span, [name.into()]));
                Type::ERROR
            }
        };
        let default = param.default.map(|_| default_item(item.id, name));
        let span = param.ty.map_or(param.span, |ty| param.span.to(item.tree.type_span(ty)));
        signature.params.push(Parameter { name, ty, default, variadic: param.variadic, span });
    }
    signature.result = match function.result {
        Some(ty) if matches!(item.tree.types[ty], tree::Type::Impl { .. }) && matches!(item.kind, ItemKind::Function(_)) => {
            let (result, promised) = hidden_result(item.id, &signature.generics, ty, &mut reader)?;
            signature.promised = Some(Box::new(promised));
            result
        }
        Some(ty) => reader.read(ty)?,
        None => {
            let name = item.id.short_name();
            reader.diagnostics.push(Diagnostic::new(Code::E1006, anchor, item.name_span, [name.into()]));
            Type::ERROR
        }
    };
    if matches!(item.kind, ItemKind::Test { .. })
        && (!signature.params.is_empty() || !signature.generics.is_empty() || !matches!(signature.result, Type::VOID | Type::ERROR))
    {
        reader.diagnostics.push(Diagnostic::new(Code::E0512, anchor, item.name_span, [item.id.name().into()]));
    }
    if item.owner.is_none()
        && matches!(item.kind, ItemKind::Function(_))
        && matches!(item.id.name().as_str(), "int" | "float" | "str" | "byte" | "bool" | "char")
    {
        reader.diagnostics.push(Diagnostic::new(Code::E1014, anchor, item.name_span, [item.id.name().into()]));
    }
    signature.diagnostics = reader.diagnostics;
    Ok(Some(signature))
}

/// `impl A + B where Item == T` as the result of a function with these type parameters: a type of its own, and what is promised of it.
fn hidden_result(
    function: ir::ItemId,
    generics: &[Symbol],
    written: tree::TypeId,
    reader: &mut TypeReader<'_>,
) -> Result<(Type, Given), Stop> {
    let (tree, span) = (reader.tree, reader.tree.type_span(written));
    let tree::Type::Impl { first, count, .. } = tree.types[written] else { return Ok((Type::ERROR, Given::default())) };
    let result = Type::opaque(function, &crate::types::parameters(generics));
    // What a type promises its signature says, which is being made: until then a type parameter that nobody can write stands for it.
    let name = Symbol::new("impl");
    let stand_in = Type::new(TypeKind::Parameter(generics.len() as u32, name));
    reader.around.parameters.push(name);
    let before = reader.around.given.clone();
    let is_well = reader.promise(stand_in, tree.bounds.get(ir::List::new(first, count)))?;
    for &(_, name, ty) in tree.impl_equals.all().iter().filter(|row| row.0 == written) {
        reader.equals(stand_in, name, ty, span)?;
    }
    reader.around.parameters.pop();
    let all = std::mem::replace(&mut reader.around.given, before);
    let whole = |ty: Type| ty.replaced(&mut |part| (part == stand_in).then_some(result));
    let mut promised = Given::default();
    for bound in all.bounds.into_iter().skip(reader.around.given.bounds.len()) {
        promised.bounds.push(Bound { ty: whole(bound.ty), interface: bound.interface.mapped(whole) });
    }
    for equality in all.equalities.into_iter().skip(reader.around.given.equalities.len()) {
        promised.equalities.push(Equality { associated: whole(equality.associated), ty: whole(equality.ty), ..equality });
    }
    Ok((if is_well { result } else { Type::ERROR }, promised))
}

/// The signature of the default of parameter `index`: no parameters, the parameter's type as result.
pub fn default_signature(item: &Item, index: usize, cx: &dyn Context) -> Result<Option<Signature>, Stop> {
    let Some(function) = signature(item, cx)? else { return Ok(None) };
    let Some(parameter) = function.params.get(index) else { return Ok(None) };
    let Some(default) = parameter.default else { return Ok(None) };
    Ok(Some(Signature {
        item: default,
        is_pub: false,
        owner: function.owner,
        generics: function.generics.clone(),
        given: function.given.clone(),
        receiver: Receiver::None,
        params: Vec::new(),
        result: parameter.ty,
        promised: None,
        result_span: parameter.span,
        name_span: parameter.span,
        diagnostics: Vec::new(),
    }))
}

/// The declared type of a constant, with the errors of the annotation; `None` when it has none, or the item is no constant.
pub fn constant_annotation(item: &Item, cx: &dyn Context) -> Result<Option<(Type, Vec<Diagnostic>)>, Stop> {
    match item.kind {
        ItemKind::Constant { ty: Some(ty), .. } if !item.has_errors => {
            let mut reader = reader(item, cx)?;
            let ty = reader.read(ty)?;
            Ok(Some((ty, reader.diagnostics)))
        }
        _ => Ok(None),
    }
}

/// What a type is made of; `None` when the item is no type of the slice or has syntax errors.
pub fn type_definition(item: &Item, cx: &dyn Context) -> Result<Option<TypeDefinition>, Stop> {
    let ItemKind::Type { generics, markers, constraints, body } = &item.kind else { return Ok(None) };
    if item.has_errors {
        return Ok(None);
    }
    let mut reader = reader(item, cx)?;
    let anchor = reader.anchor;
    attributes(item, &mut reader.diagnostics);
    let generics = Generics { list: generics, constraints, defaults: true };
    let refused = generics.refused();
    if let Some((span, what)) = refused {
        reader.diagnostics.push(Diagnostic::new(Code::E2040, anchor, span, [what.into()]));
    }
    generics.declare(&mut reader.around, anchor, &mut reader.diagnostics);
    if refused.is_none() {
        generics.defaults(&mut reader)?;
        reader.bounds(&generics)?;
    }
    let mut definition = TypeDefinition {
        item: item.id,
        form: TypeForm::Struct,
        generics: generics.names().collect(),
        given: reader.around.given.clone(),
        fields: Vec::new(),
        variants: Vec::new(),
        derives: Vec::new(),
        diagnostics: Vec::new(),
        names: Default::default(),
    };
    match body {
        TypeBody::Struct(fields) => {
            let mut seen: HashMap<Symbol, Span> = HashMap::with_capacity(fields.len());
            for field in fields.iter() {
                if let Some(&first) = seen.get(&field.name) {
                    let error = Diagnostic::new(Code::E0303, anchor, field.span, [field.name.into(), "is declared".into()]);
                    reader.diagnostics.push(error.because(anchor, first, "first declared here"));
                    continue;
                }
                seen.insert(field.name, field.span);
                let mut ty = reader.read(field.ty)?;
                if ty == Type::NEVER {
                    let args = [field.name.into(), item.id.name().into()];
                    reader.diagnostics.push(Diagnostic::new(Code::E2019, anchor, item.tree.type_span(field.ty), args));
                    ty = Type::ERROR;
                }
                definition.fields.push((field.name, ty));
            }
        }
        TypeBody::Newtype(ty) => {
            definition.form = TypeForm::Newtype;
            definition.fields.push((Symbol::new("inner"), reader.read(*ty)?));
        }
        TypeBody::Sum(variants) => {
            definition.form = TypeForm::Sum;
            let mut seen: HashMap<Symbol, Span> = HashMap::with_capacity(variants.len());
            for variant in variants.iter() {
                if let Some(&first) = seen.get(&variant.name) {
                    let error = Diagnostic::new(Code::E2006, anchor, variant.span, [variant.name.into()]).label("defined again here");
                    reader.diagnostics.push(error.because(anchor, first, "first defined here"));
                    continue;
                }
                seen.insert(variant.name, variant.span);
                let built = read_variant(item, variant, &mut reader)?;
                definition.variants.push(built);
            }
            if let [only] = &definition.variants[..] {
                definition.fields = only.payload.clone();
            }
        }
    }
    for attribute in item.attributes.iter().filter(|a| a.name.as_str() == "derive") {
        for (_, value, span) in &attribute.args {
            if let AttributeValue::Path(path) = value
                && let [name] = path[..]
            {
                derive(&mut definition, &mut reader.diagnostics, anchor, name, *span);
            }
        }
    }
    for marker in markers {
        if let [name] = marker.path[..] {
            derive(&mut definition, &mut reader.diagnostics, anchor, name, marker.span);
        }
    }
    definition.diagnostics = reader.diagnostics;
    Ok(Some(definition))
}

/// A variant with its payload, all of it named or all of it positional.
fn read_variant(item: &Item, variant: &tree::Variant, reader: &mut TypeReader<'_>) -> Result<Variant, Stop> {
    let anchor = reader.anchor;
    let is_named = variant.payload.iter().any(|(name, _)| name.is_some());
    let mut payload: Vec<(Symbol, Type)> = Vec::with_capacity(variant.payload.len());
    for (at, &(name, ty)) in variant.payload.iter().enumerate() {
        let span = item.tree.type_span(ty);
        let ty = reader.read(ty)?;
        if is_named && name.is_none() {
            let error = Diagnostic::new(Code::E2011, anchor, span, []);
            reader.diagnostics.push(error.help(format!("the payload of `{}` is all named or all positional", variant.name)));
        }
        let name = match name {
            Some(name) => name,
            None => Symbol::new(&at.to_string()),
        };
        if payload.iter().any(|(known, _)| *known == name) {
            reader.diagnostics.push(Diagnostic::new(Code::E0303, anchor, span, [name.into(), "is declared".into()]));
        }
        payload.push((name, ty));
    }
    Ok(Variant { name: variant.name, is_named, payload })
}

fn derive(definition: &mut TypeDefinition, diagnostics: &mut Vec<Diagnostic>, anchor: Anchor, name: Symbol, span: Span) {
    if definition.derives.contains(&name) {
        diagnostics.push(Diagnostic::new(Code::E0411, anchor, span, [name.into(), definition.item.name().into()]));
        return;
    }
    match name.as_str() {
        "Default" if definition.form == TypeForm::Sum => {
            diagnostics.push(Diagnostic::new(Code::E2028, anchor, span, [definition.item.name().into()]));
        }
        "Value" => {
            diagnostics.push(Diagnostic::new(Code::E2040, anchor, span, [format!("`#derive({name})`").into()]));
        }
        text if Known::named(text).is_some_and(Known::is_derivable) => definition.derives.push(name),
        _ => diagnostics.push(Diagnostic::new(Code::E2033, anchor, span, [name.into()])),
    }
}

/// The parts of a declaration as written: name, place, type.
fn written_parts<'a>(item: &'a Item, body: &'a TypeBody) -> Vec<(Symbol, Span, TypeId)> {
    match body {
        TypeBody::Struct(fields) => fields.iter().map(|field| (field.name, field.span, field.ty)).collect(),
        TypeBody::Newtype(ty) => vec![(Symbol::new("inner"), item.tree.type_span(*ty), *ty)],
        TypeBody::Sum(variants) => variants
            .iter()
            .flat_map(|variant| variant.payload.iter().map(move |&(name, ty)| (name.unwrap_or(variant.name), item.tree.type_span(ty), ty)))
            .collect(),
    }
}

/// What only the whole program can say of a type: that it contains itself (E2008), that a part lacks a derived trait (E2032).
/// Asks for the definitions of the parts' types, so it must not be part of answering [`type_definition`].
pub fn check_type(item: &Item, cx: &dyn Context) -> Result<Vec<Diagnostic>, Stop> {
    let mut diagnostics = Vec::new();
    let ItemKind::Type { generics, constraints, body, .. } = &item.kind else { return Ok(diagnostics) };
    let Some(definition) = cx.type_definition(item.id)? else { return Ok(diagnostics) };
    let anchor = Anchor::Item(item.id);
    // What is wrong with the written types was said where they were read.
    let mut reader = reader(item, cx)?;
    Generics { list: generics, constraints, defaults: false }.declare(&mut reader.around, anchor, &mut Vec::new());
    let mut parts = Vec::new();
    for (name, span, ty) in written_parts(item, body) {
        parts.push((name, span, reader.read(ty)?));
    }
    let types: Vec<Type> = parts.iter().map(|&(_, _, ty)| ty).collect();
    if let Some((why, at)) = endless(&definition, &types, cx)? {
        let through = parts.get(at).map(|&(_, span, ty)| match definition.form {
            TypeForm::Struct => (span, format!("through this field of type `{}`", show(ty))),
            TypeForm::Sum | TypeForm::Newtype => (span, format!("through this type `{}`", show(ty))),
        });
        let name = item.id.name();
        let mut error = match why {
            Endless::NoValue => Diagnostic::new(Code::E2008, anchor, item.name_span, [name.into()]),
            Endless::Growing => {
                Diagnostic::new(Code::E2040, anchor, item.name_span, ["types that hold ever larger instances of themselves".into()])
            }
        };
        if let Some((span, text)) = through {
            error = error.because(anchor, span, text);
        }
        if why == Endless::NoValue && definition.choices().is_some() {
            error = error.note("each of its variants needs a value of the type first, so there would be none");
        } else if why == Endless::NoValue && definition.form == TypeForm::Struct {
            error.helps.extend(parts.get(at).map(|(name, _, ty)| {
                let ty = show(*ty);
                format!("a value must end somewhere: `{name}: Option<{ty}>` for one more or none, `{name}: [{ty}]` for any number")
            }));
        }
        diagnostics.push(error);
        return Ok(diagnostics);
    }
    let own = crate::types::parameters(&definition.generics);
    let this = Type::structure(item.id, &own);
    for &(_, span, ty) in &parts {
        if !cx.scope(item.id.module())?.refuses_impls {
            diagnostics.extend(unmet(&bounds_within(ty, cx)?, &definition.given, anchor, span, cx)?);
            diagnostics.extend(super::objects::check_objects(ty, anchor, span, cx)?);
        }
    }
    for &derived in &definition.derives {
        let Some(known) = Known::named(derived.as_str()) else { continue };
        // The derived impl assumes the trait of its type parameters, and of the type itself.
        let mut assumed = assumed_of(&own, known);
        assumed.extend(&definition.given);
        assumed.bounds.push(Bound { ty: this, interface: known.plain() });
        for &(name, span, ty) in &parts {
            match solve(ty, known.plain(), &assumed, cx)? {
                Answer::Proven(_) => {}
                Answer::Unsupported => {
                    let what = format!("`{derived}` of `{}`", show(ty));
                    diagnostics.push(Diagnostic::new(Code::E2040, anchor, span, [what.into()]));
                }
                Answer::Refuted if cx.scope(item.id.module())?.refuses_impls => {}
                Answer::Refuted | Answer::Endless => {
                    let args = [name.into(), show(ty).into(), derived.into()];
                    diagnostics.push(Diagnostic::new(Code::E2032, anchor, span, args));
                }
            }
        }
        // The supertrait is derived as well, or written.
        let needs_eq = matches!(known, Known::Comparable | Known::Hashable);
        if needs_eq && solve(this, Known::Eq.plain(), &assumed_of(&own, Known::Eq), cx)? == Answer::Refuted {
            let code = if known == Known::Hashable { Code::E2029 } else { Code::E0413 };
            let args: Vec<syntax::Arg> =
                if known == Known::Hashable { vec![item.id.name().into()] } else { vec![item.id.name().into(), "Eq".into()] };
            diagnostics.push(Diagnostic::new(code, anchor, item.name_span, args));
        }
    }
    Ok(diagnostics)
}

/// Each of the type parameters has the trait.
fn assumed_of(parameters: &[Type], known: Known) -> Given {
    let bounds = parameters.iter().map(|&ty| Bound { ty, interface: known.plain() }).collect();
    Given { bounds, ..Given::default() }
}
