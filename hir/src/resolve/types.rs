//! Types as written become types as meant.

use std::sync::Arc;

use ir::{ItemId, List, Stop, Symbol};
use syntax::tree::{self, Tree, TypeId};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Span};

use super::{nearest, suggest};
use crate::program::{Context, Entity, Given, Scope, TraitRef};
use crate::{Type, TypeKind};

/// Prelude types that the slice lacks, with the word of the refusal.
const LATER_TYPES: &[&str] = &[
    "PanicInfo",
    "FormatSpec",
    "Alignment",
    "Sign",
    "FormatType",
    "CancellationError",
    "CancellationReason",
    "Producer",
    "Consumer",
    "CloneableProducer",
    "CloneableConsumer",
    "Nursery",
    "NurseryErrorMode",
    "CPtr",
    "JsValue",
    "JsPromise",
];
/// Traits of the prelude that the slice lacks.
const LATER_TRAITS: &[&str] = &["Formattable", "Drop", "Traceable", "Sendable", "Value"];

/// The built-in or predeclared type with this name, if it takes no type arguments.
pub fn prelude_type(name: &str) -> Option<Type> {
    if let Some(ty) = crate::types::basic(name) {
        return Some(ty);
    }
    match super::prelude::predeclared(name)? {
        (item, 0) => Some(Type::plain_struct(item)),
        (_, 1..) => None,
    }
}

/// Is this the name of a predeclared type or trait that the slice lacks?
pub fn is_later_type(name: &str) -> bool {
    LATER_TYPES.contains(&name) || LATER_TRAITS.contains(&name)
}

/// A type with more types in it is shown to a depth only, and long lists of parts up to a number.
const SHOWN: (u32, u32, usize) = (64, 5, 8);

/// The type as a user reads it: structs by their bare name.
pub fn show(ty: Type) -> String {
    let (size, depth, most) = SHOWN;
    if ty.size() <= size { shown(ty, u32::MAX, usize::MAX) } else { shown(ty, depth, most) }
}

/// Types down to a depth, and so many of each list of parts; `...` stands for what is left out.
fn shown(ty: Type, depth: u32, most: usize) -> String {
    let is_cut = depth == 0 && ty.size() > 1;
    if is_cut {
        return "...".to_owned();
    }
    let show = |ty: Type| shown(ty, depth - 1, most);
    let all = |types: &[Type]| {
        let mut texts: Vec<String> = types.iter().take(most).map(|&ty| show(ty)).collect();
        if types.len() > most {
            texts.push("...".to_owned());
        }
        texts.join(", ")
    };
    match ty.kind() {
        TypeKind::Struct(item, _) if super::prelude::is_iterator(item) => "impl Iterator".to_owned(),
        TypeKind::Struct(item, []) => item.name().as_str().to_owned(),
        TypeKind::Struct(item, &[key, value]) if item == super::prelude::map() => format!("{{{}: {}}}", show(key), show(value)),
        TypeKind::Struct(item, args) => format!("{}<{}>", item.name(), all(args)),
        TypeKind::Parameter(_, name) => name.as_str().to_owned(),
        TypeKind::Variable(_) => "_".to_owned(),
        TypeKind::Associated(parts, _, name) => parts.first().map_or_else(|| name.to_string(), |&this| format!("{}.{name}", show(this))),
        TypeKind::Tuple(elements) => format!("({})", all(elements)),
        TypeKind::List(element) => format!("[{}]", show(element)),
        TypeKind::Function(params, result) => {
            format!("({}) -> {}", all(params), show(result))
        }
        TypeKind::Object(traits) => {
            let texts: Vec<String> = traits.iter().map(|&one| show(one)).collect();
            texts.join(" + ")
        }
        // What it implements the signature says.
        TypeKind::Opaque(function, _) => format!("impl type of {}", function.short_name()),
        crate::base_kinds!() | TypeKind::Str | TypeKind::Cell(_) | TypeKind::Methods(..) | TypeKind::Hole(_) => ty.to_string(),
    }
}

/// E0204 for what a module keeps to itself, E0203 for what it does not have.
pub(crate) fn not_exported(scope: &Scope, module: Symbol, name: Symbol, anchor: Anchor, span: Span) -> Diagnostic {
    if scope.declared(module, name).next().is_some() {
        let args: [syntax::Arg; 3] = [name.into(), "module".into(), module.into()];
        return Diagnostic::new(Code::E0204, anchor, span, args)
            .help(format!("make it `pub`, or import it in spite of that with `::{name}`"));
    }
    let error = Diagnostic::new(Code::E0203, anchor, span, [module.into(), name.into()]);
    match nearest(name.as_str(), scope.public.iter().map(|(n, _)| n.as_str())) {
        Some(near) => error.help(format!("`{module}` has an item with a similar name: `{near}`")),
        None => error,
    }
}

/// Types that the text of a written one with its arguments has at most: defaults that name a type twice double it with each declaration.
pub(crate) const LARGEST: u32 = 1 << 12;

/// The type that a reader gives for `_` where it may stand.
pub(crate) const BLANK: u32 = u32::MAX;

/// The type parameters and the `Self` that the types of an item may mention.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    /// Type parameters; the later ones hide the earlier.
    pub parameters: Vec<Symbol>,
    /// What `Self` is.
    pub this: Option<Type>,
    /// What is known of the type parameters.
    pub given: Given,
    /// Associated types of the impl around.
    pub associated: Vec<(Symbol, Type)>,
}

impl Surroundings {
    /// The type parameter with this name.
    pub fn parameter(&self, name: Symbol) -> Option<Type> {
        let index = self.parameters.iter().rposition(|p| *p == name)?;
        Some(Type::new(TypeKind::Parameter(index as u32, name)))
    }
}

/// Reads the types of one tree.
pub(crate) struct TypeReader<'a> {
    pub tree: &'a Tree,
    pub cx: &'a dyn Context,
    pub scope: Arc<Scope>,
    pub anchor: Anchor,
    pub diagnostics: Vec<Diagnostic>,
    pub around: Surroundings,
    /// May `_` stand for a type that is to be inferred?
    pub blanks: bool,
    /// Traits with arguments that were read as bounds: of what, and where.
    pub asked: Vec<(Type, TraitRef, Span)>,
}

impl<'a> TypeReader<'a> {
    /// A reader of the types of a tree, without type parameters.
    pub fn new(tree: &'a Tree, cx: &'a dyn Context, scope: Arc<Scope>, anchor: Anchor) -> Self {
        TypeReader { tree, cx, scope, anchor, diagnostics: Vec::new(), around: Surroundings::default(), blanks: false, asked: Vec::new() }
    }

    fn refuse(&mut self, span: Span, what: String) -> Type {
        let seen = self.diagnostics.iter().any(|d| d.code == Code::E2040 && d.args == [what.as_str().into()]);
        if !seen {
            self.diagnostics.push(Diagnostic::new(Code::E2040, self.anchor, span, [what.into()]));
        }
        Type::ERROR
    }

    /// The meaning of a written type; [`Type::ERROR`] after a report.
    pub fn read(&mut self, id: TypeId) -> Result<Type, Stop> {
        let span = self.tree.type_span(id);
        Ok(match self.tree.types[id] {
            tree::Type::Error => Type::ERROR,
            tree::Type::Void | tree::Type::Unit => Type::VOID,
            tree::Type::Blank if self.blanks => Type::new(TypeKind::Variable(BLANK)),
            tree::Type::Blank => {
                self.diagnostics.push(Diagnostic::new(Code::E1005, self.anchor, span, []));
                Type::ERROR
            }
            tree::Type::Named { path, args } => {
                let tree = self.tree;
                let path = &tree.paths[path];
                self.named(path, args, span)?
            }
            tree::Type::List(element) => match self.read(element)? {
                Type::ERROR => Type::ERROR,
                element => Type::list(element),
            },
            tree::Type::Tuple(elements) => {
                let tree = self.tree;
                let mut types = Vec::with_capacity(elements.len());
                for &element in &tree.type_lists[elements] {
                    types.push(self.read(element)?);
                }
                if types.contains(&Type::ERROR) { Type::ERROR } else { Type::tuple(&types) }
            }
            tree::Type::FixedList(..) => self.refuse(span, "fixed-capacity lists".into()),
            tree::Type::Map(key, value) => match (self.read(key)?, self.read(value)?) {
                (Type::ERROR, _) | (_, Type::ERROR) => Type::ERROR,
                (key, value) => super::prelude::map_of(key, value),
            },
            tree::Type::Function { uses, .. } if !uses.is_empty() => self.refuse(span, "capabilities".into()),
            tree::Type::Function { params, result, .. } => {
                let mut types = Vec::with_capacity(params.len());
                for &param in &self.tree.type_lists[params] {
                    types.push(self.read(param)?);
                }
                let result = self.read(result)?;
                if types.contains(&Type::ERROR) || result == Type::ERROR {
                    return Ok(Type::ERROR);
                }
                Type::function(&types, result)
            }
            tree::Type::Impl { first, count, .. } => {
                let bounds = self.tree.bounds.get(List::new(first, count));
                let names: Vec<String> =
                    bounds.iter().map(|bound| bound.path.last().map_or_else(String::new, |name| name.to_string())).collect();
                let mut error = Diagnostic::new(Code::E0810, self.anchor, span, [names.join(" + ").into()]);
                if let [name] = &names[..] {
                    error = error.help(format!(
                        "a type parameter takes any type with the trait (`<T: {name}>`), and `{name}` alone is the type of trait objects"
                    ));
                }
                self.diagnostics.push(error);
                Type::ERROR
            }
            tree::Type::Object(traits) => {
                let tree = self.tree;
                self.object(&tree.type_lists[traits])?
            }
            tree::Type::Const(_) => self.refuse(span, "const generics".into()),
        })
    }

    fn named(&mut self, path: &[Symbol], args: List<TypeId>, span: Span) -> Result<Type, Stop> {
        let mut other = None;
        let (entity, name) = match *path {
            [name] => {
                let known = if name.as_str() == "Self" { self.around.this } else { self.around.parameter(name) };
                if let Some(ty) = known {
                    return Ok(self.without_args(ty, args, span));
                }
                if name.as_str() == "Self" {
                    self.diagnostics.push(Diagnostic::new(Code::E0314, self.anchor, span, []));
                    return Ok(Type::ERROR);
                }
                (self.scope.type_name(name), name)
            }
            [alias, name] => match self.scope.value(alias) {
                Some(Entity::Module(module)) => {
                    let scope = self.cx.scope(module)?;
                    let found = scope.exported(name).find(|e| crate::program::is_type(*e));
                    if found.is_none() {
                        let error = not_exported(&scope, module, name, self.anchor, span);
                        self.diagnostics.push(error);
                        return Ok(Type::ERROR);
                    }
                    other = Some(scope);
                    (found, name)
                }
                Some(Entity::Unsupported(..)) => return Ok(Type::ERROR),
                _ if alias.as_str() == "Self" && self.around.this.is_none() => {
                    self.diagnostics.push(Diagnostic::new(Code::E0314, self.anchor, span, []));
                    return Ok(Type::ERROR);
                }
                _ if alias.as_str() == "Self" || self.around.parameter(alias).is_some() => {
                    let found = self.associated(path, span)?;
                    return Ok(self.without_args(found, args, span));
                }
                _ if self.scope.type_name(alias).is_some() => {
                    return Ok(self.refuse(span, "associated types of a type that is named".into()));
                }
                _ if self.is_predeclared(alias) => {
                    return Ok(self.refuse(span, "associated types of a type that is named".into()));
                }
                _ => (None, alias),
            },
            [first, ..] if first.as_str() == "Self" || self.around.parameter(first).is_some() => {
                let found = self.associated(path, span)?;
                return Ok(self.without_args(found, args, span));
            }
            _ => return Ok(self.refuse(span, "associated types of a type that is named".into())),
        };
        let ty = match entity {
            Some(Entity::Type(item)) => {
                let wanted = other.as_ref().unwrap_or(&self.scope).arity(item);
                if wanted == 0 {
                    return Ok(self.without_args(Type::plain_struct(item), args, span));
                }
                return self.applied(item, wanted, args, span);
            }
            Some(Entity::Trait(_)) => return self.object_of(path, args, span),
            Some(Entity::Unsupported(..)) => return Ok(Type::ERROR),
            Some(Entity::Function(_) | Entity::Constant(_) | Entity::Module(_) | Entity::Std(..)) | None => {
                if let Some((item, wanted @ 1..)) = super::prelude::predeclared(name.as_str()) {
                    return self.applied(item, wanted, args, span);
                }
                match prelude_type(name.as_str()) {
                    Some(ty) => ty,
                    None if super::prelude::trait_named(name.as_str()).is_some() => {
                        return self.object_of(path, args, span);
                    }
                    None if is_later_type(name.as_str()) => return Ok(self.refuse(span, format!("`{name}`"))),
                    None => {
                        let mut error = Diagnostic::new(Code::E2002, self.anchor, span, [name.into()]);
                        let known = [
                            "int", "float", "bool", "str", "char", "byte", "void", "Never", "Option", "Result", "Ordering", "Error", "Set",
                            "Range", "Duration", "Size",
                        ];
                        let own = self.scope.types.iter().map(|(n, _)| n.as_str());
                        if let Some((near, is_sure)) = suggest(name.as_str(), own.chain(known)) {
                            error = error.help(format!("a type with a similar name exists: `{near}`"));
                            error = error.edit(self.anchor, span, near, is_sure);
                        }
                        self.diagnostics.push(error);
                        return Ok(Type::ERROR);
                    }
                }
            }
        };
        Ok(self.without_args(ty, args, span))
    }

    /// `A + B`
    fn object(&mut self, traits: &[TypeId]) -> Result<Type, Stop> {
        let mut found = Vec::with_capacity(traits.len());
        for &id in traits {
            let (tree, span) = (self.tree, self.tree.type_span(id));
            match tree.types[id] {
                tree::Type::Named { path, args } => found.extend(self.object_trait(&tree.paths[path], args, span)?),
                tree::Type::Error => {}
                _ => match self.read(id)? {
                    Type::ERROR => {}
                    other => self.diagnostics.push(Diagnostic::new(Code::E0442, self.anchor, span, [show(other).into()])),
                },
            }
        }
        Ok(if found.len() < traits.len() { Type::ERROR } else { Type::object(&found) })
    }

    /// The object type of one trait, which the path names.
    fn object_of(&mut self, path: &[Symbol], args: List<TypeId>, span: Span) -> Result<Type, Stop> {
        Ok(self.object_trait(path, args, span)?.map_or(Type::ERROR, |found| Type::object(&[found])))
    }

    /// A trait in the place of a type; `None` after a report.
    fn object_trait(&mut self, path: &[Symbol], args: List<TypeId>, span: Span) -> Result<Option<Type>, Stop> {
        let bound = tree::Bound { path: path.to_vec(), args: self.tree.type_lists[args].to_vec(), span };
        Ok(self.interface(&bound, Type::ERROR)?.map(TraitRef::as_type))
    }

    /// Is this the name of a type or trait of the language?
    fn is_predeclared(&self, name: Symbol) -> bool {
        let text = name.as_str();
        prelude_type(text).is_some() || super::prelude::predeclared(text).is_some() || super::prelude::trait_named(text).is_some()
    }

    fn without_args(&mut self, ty: Type, args: List<TypeId>, span: Span) -> Type {
        if args.is_empty() {
            return ty;
        }
        self.diagnostics.push(Diagnostic::new(Code::E2017, self.anchor, span, [show(ty).into()]));
        Type::ERROR
    }

    /// A declared type with its arguments, which must be as many as its parameters.
    fn applied(&mut self, item: ItemId, wanted: usize, args: List<TypeId>, span: Span) -> Result<Type, Stop> {
        let tree = self.tree;
        let mut types = Vec::with_capacity(wanted);
        for &arg in &tree.type_lists[args] {
            types.push(self.read(arg)?);
        }
        let found = types.len();
        let defaults = if found < wanted { self.cx.defaults(item)? } else { Arc::default() };
        while types.len() < wanted
            && let Some(&Some(default)) = defaults.get(types.len())
        {
            types.push(default.substituted(&types));
        }
        if types.len() < wanted {
            let args = [item.name().into(), wanted.to_string().into(), found.to_string().into()];
            self.diagnostics.push(Diagnostic::new(Code::E2016, self.anchor, span, args));
            return Ok(Type::ERROR);
        }
        if found > wanted {
            self.diagnostics.push(Diagnostic::new(Code::E2017, self.anchor, span, [item.name().into()]));
            return Ok(Type::ERROR);
        }
        if types.contains(&Type::ERROR) {
            return Ok(Type::ERROR);
        }
        let ty = Type::structure(item, &types);
        if ty.size() > LARGEST {
            let error = Diagnostic::new(Code::E0416, self.anchor, span, [item.name().into()]);
            self.diagnostics.push(error.note(format!("it has more than {LARGEST} types in its arguments")));
            return Ok(Type::ERROR);
        }
        Ok(ty)
    }
}
