//! Names of a module, and what its items tell others.
//!
//! [`module_scope`] looks at imports and item headers only: a body edit leaves it as it is. Imports are followed by asking for the scope of
//! the imported module, which is why import cycles must be found before (over the imports of files) and reported with [`import_cycle`].
//! Signatures and type definitions are read in `signature`, written types in `types`; `attributes` and `header` judge what stands around them.

mod asked;
mod attributes;
mod generics;
mod header;
pub mod hidden;
mod impls;
pub mod instances;
mod members;
mod mutation;
pub mod objects;
mod overlap;
pub mod prelude;
pub mod recursion;
mod signature;
pub mod solve;
mod std_modules;
mod suggest;
mod termination;
mod traits;
mod types;
mod unused;

use std::sync::Arc;

use hashbrown::HashMap;
use ir::item::ItemPath;
use ir::{ItemId, Namespace, Stop, Symbol};
use syntax::tree::{self, File, Import, ImportEntry, ImportNames, Item, ItemKind, Member, ModulePath, TypeBody};
use syntax::{Anchor, Diagnostic, DiagnosticCode as Code, Span};

use crate::program::{Entity, Scope, is_type};

pub use asked::check_header;
pub(crate) use asked::{bounds_within, unequal};
pub(crate) use attributes::attributes;
pub(crate) use generics::Generics;
pub use generics::defaults;
pub use header::{check_main, check_test, exposed_types, test_targets};
pub use impls::{check_impl, implementation, impls_of, module_impls};
pub use members::check_trait;
pub use mutation::{Bodies, Changers, SelfUses, changers, changes_self, mutates, self_uses};
pub(crate) use signature::surroundings;
pub use signature::{check_type, constant_annotation, default_item, default_signature, signature, type_definition};
pub use std_modules::{Member as StdMember, member as std_member};
pub use suggest::{nearest, suggest};
pub use termination::{GenericCall, endless, generic_calls, is_generic};
pub use traits::{trait_definition, trait_outline};
pub(crate) use types::{BLANK, LARGEST, Surroundings, TypeReader, is_later_type, not_exported};
pub use types::{prelude_type, show};
pub use unused::unused_imports;

/// The name that a standard module imported as a whole has in [`Entity::Std`].
pub const WHOLE_MODULE: &str = "*";

/// What an import path leads to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Resolution {
    /// A module of this package.
    Found(Symbol),
    /// Nothing; the files that were looked for.
    NotFound {
        /// Paths relative to the source root.
        tried: Vec<String>,
    },
    /// A path above the source root.
    LeavesPackage,
    /// A standard module, by its dotted name (`std.math`).
    Std(Symbol),
    /// The manifest has no such dependency.
    UnknownPackage,
    /// Both `x.ori` and `x/mod.ori` exist.
    DefinedTwice(String, String),
}

/// What reading imports may ask; the driver answers from the query engine.
pub trait Modules {
    /// What `path`, written in module `from`, leads to.
    fn resolve(&self, from: Symbol, path: &ModulePath) -> Result<Resolution, Stop>;
    /// The scope of a module of this package. Never asked for the module itself.
    fn scope(&self, module: Symbol) -> Result<Arc<Scope>, Stop>;
}

/// E0202 for a cycle `[a, b, c]`, where c imports a, at the path of one of the imports.
pub fn import_cycle(cycle: &[Symbol], importer: Symbol, path_span: Span) -> Diagnostic {
    // The template has three places: the first module, all others, and the first again.
    let first = cycle.first().copied().unwrap_or(importer);
    let others: Vec<&str> = cycle.iter().skip(1).map(|module| module.as_str()).collect();
    let others = if others.is_empty() { first.as_str().to_owned() } else { others.join(" -> ") };
    let args: [syntax::Arg; 3] = [first.into(), others.into(), first.into()];
    Diagnostic::new(Code::E0202, Anchor::Module(importer), path_span, args)
        .label("this import closes the cycle")
        .help("move what both modules need into a third one that imports neither")
}

/// The text of an import path as the user wrote it, without quotes.
pub fn path_text(path: &ModulePath) -> String {
    match path {
        ModulePath::Text(text) => text.as_str().to_owned(),
        ModulePath::Dotted(segments) => segments.iter().map(|s| s.as_str()).collect::<Vec<_>>().join("."),
    }
}

/// The names of a module: own items, then imports.
///
/// The scope's diagnostics also refuse the items whose form the slice lacks.
pub fn module_scope(file: &File, modules: &dyn Modules) -> Result<Scope, Stop> {
    let mut builder = Builder { file, modules, scope: Scope::default(), imported: HashMap::new(), weak: Vec::new() };
    builder.file_attributes();
    for import in &file.imports {
        builder.import(import)?;
    }
    builder.items();
    builder.weak_names();
    let mut scope = builder.scope;
    scope.sort();
    Ok(scope)
}

/// The module that an import leads to, and its scope unless it is of the standard library.
type Target = (Symbol, Option<Arc<Scope>>);

struct Builder<'a> {
    file: &'a File,
    modules: &'a dyn Modules,
    scope: Scope,
    /// (number of the name, is a type) of each import: what, from where, its place in the file.
    imported: HashMap<(u32, bool), (Entity, Symbol, Span)>,
    /// Names that rank below all others: variants and newtype constructors.
    weak: Vec<(Symbol, Entity)>,
}

/// Is it a module of a `_test/` folder?
pub fn is_test_module(module: Symbol) -> bool {
    module.as_str().split('.').rev().skip(1).any(|segment| segment == "_test")
}

/// The name of the package of a module, where that is another one than the package that is built: it stands before a `/` in the name of the module.
pub fn package_of(module: Symbol) -> &'static str {
    module.as_str().split_once('/').map_or("", |(package, _)| package)
}

/// Does an import begin with the name of a package? Then it sees what is public (language/07 §7.7).
fn names_package(path: &ModulePath) -> bool {
    match path {
        ModulePath::Text(text) => !text.as_str().starts_with('.'),
        ModulePath::Dotted(_) => false,
    }
}

/// What E0036 says of names.
pub const SOURCE_NAMES: &str = "letters, digits and `_` make the name of a source file, and no digit stands first";

/// May a source file have this name, without its ending (language/01 §1.1)?
pub fn is_source_stem(stem: &str) -> bool {
    let is_part = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    stem.bytes().all(is_part) && stem.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Does the entity stand for a name whose import failed?
fn is_failed(entity: Entity) -> bool {
    matches!(entity, Entity::Unsupported(item, _) if item.path().disambiguator == u32::MAX)
}

/// Why an item is outside the slice; `None` when it is inside.
fn refused_form(item: &Item) -> Option<&'static str> {
    match &item.kind {
        ItemKind::Function(_)
        | ItemKind::Constant { .. }
        | ItemKind::Type { .. }
        | ItemKind::Trait { .. }
        | ItemKind::Test { .. }
        | ItemKind::Error => None,
        ItemKind::ConstFunction(_) => Some("const functions"),
        ItemKind::Impl { bound: None, .. } => None,
        ItemKind::Impl { bound: Some(bound), .. } => {
            let is_later = bound.path.len() == 1 && bound.path.first().is_some_and(|name| is_later_type(name.as_str()));
            is_later.then_some("implementations of this trait of the prelude")
        }
        ItemKind::DefImpl { .. } => Some("`def impl` blocks"),
        ItemKind::Extend { .. } => Some("`extend` blocks"),
        ItemKind::Extern { .. } => Some("`extern` blocks"),
        ItemKind::Capset(_) => Some("`capset` declarations"),
    }
}

/// May the function go on in further clauses? Not if its first clause takes everything (language/04 §4.4).
fn has_clauses(first: &Item) -> bool {
    let ItemKind::Function(function) = &first.kind else { return false };
    let takes_all = |pattern: &syntax::tree::Pattern| matches!(pattern, syntax::tree::Pattern::Name { .. } | syntax::tree::Pattern::Blank);
    function.guard.is_some() || function.params.iter().any(|p| !takes_all(&first.tree.patterns[p.pattern]))
}

impl Builder<'_> {
    fn report(&mut self, code: Code, span: Span, args: impl IntoIterator<Item = syntax::Arg>) -> &mut Diagnostic {
        let diagnostics = &mut self.scope.diagnostics;
        diagnostics.push(Diagnostic::new(code, Anchor::Module(self.file.module), span, args));
        let last = diagnostics.len() - 1;
        &mut diagnostics[last]
    }

    // ---- imports ----

    fn import(&mut self, import: &Import) -> Result<(), Stop> {
        if import.is_extension {
            self.report(Code::E2040, import.span, ["extension imports".into()]);
            return Ok(());
        }
        let text = path_text(&import.path);
        let target = if let Some(attribute) = import.attributes.first() {
            match attribute.name.as_str() {
                name @ ("target" | "cfg") => self.report(Code::E2040, attribute.span, [format!("`#{name}` on imports").into()]),
                name if attributes::is_attribute(name) => self.report(Code::E0107, attribute.span, [name.into(), "imports".into()]),
                name => self.report(Code::E0106, attribute.span, [name.into()]),
            };
            None
        } else {
            self.target(import, &text)?
        };
        if let (Some((_, Some(_))), ModulePath::Text(path)) = (&target, &import.path)
            && let Some(stem) = path.as_str().rsplit('/').next().filter(|stem| !is_source_stem(stem))
        {
            let name = format!("{stem}.ori");
            self.report(Code::E0036, import.path_span, [name.into()]).helps.push(SOURCE_NAMES.into());
        }
        if let Some((module, Some(_))) = target
            && !self.scope.imports.contains(&module)
        {
            self.scope.imports.push(module);
        }
        self.names(import, target);
        Ok(())
    }

    /// The module that an import names, with its scope unless it is of the standard library; `None` after a report.
    fn target(&mut self, import: &Import, text: &str) -> Result<Option<Target>, Stop> {
        Ok(match self.modules.resolve(self.file.module, &import.path)? {
            Resolution::Found(module) if module == self.file.module => {
                let cycle = import_cycle(&[module], module, import.path_span);
                self.scope.diagnostics.push(cycle);
                None
            }
            Resolution::Found(module) => Some((module, Some(self.modules.scope(module)?))),
            Resolution::Std(module) if std_modules::exists(module) => Some((module, None)),
            Resolution::Std(module) => {
                let error = self.report(Code::E0201, import.path_span, [text.into()]);
                if std_modules::is_later(module) {
                    error.notes.push(format!("{text} is a module of the language's library that is not supported yet"));
                }
                error.notes.push("the standard modules of this compiler are std.math and std.testing".into());
                None
            }
            Resolution::NotFound { tried } => {
                let error = self.report(Code::E0201, import.path_span, [text.into()]);
                if !tried.is_empty() {
                    error.notes.push(format!("looked for {}", tried.join(" and ")));
                }
                None
            }
            Resolution::LeavesPackage => {
                self.report(Code::E0216, import.path_span, []);
                None
            }
            Resolution::UnknownPackage => {
                let name = text.split('/').next().unwrap_or(text).to_owned();
                self.report(Code::E0214, import.path_span, [name.into()])
                    .helps
                    .push("a module beside this file is imported as \"./name\"".into());
                None
            }
            Resolution::DefinedTwice(a, b) => {
                self.report(Code::E0215, import.path_span, [text.into(), a.into(), b.into()]);
                None
            }
        })
    }

    fn names(&mut self, import: &Import, target: Option<Target>) {
        match &import.names {
            ImportNames::Module => {
                let name = match &import.path {
                    ModulePath::Text(text) => Symbol::new(text.as_str().rsplit('/').next().unwrap_or_default()),
                    ModulePath::Dotted(segments) => match segments.last() {
                        Some(&last) => last,
                        None => return,
                    },
                };
                self.module_alias(name, import.path_span, target.map(|t| (t.0, t.1.is_some())));
            }
            ImportNames::Alias(name, span) => self.module_alias(*name, *span, target.map(|t| (t.0, t.1.is_some()))),
            ImportNames::List(entries) => {
                for entry in entries {
                    match &target {
                        Some((module, Some(scope))) => self.entry(import, entry, *module, scope),
                        Some((module, None)) => self.std_entry(import, entry, *module),
                        None => self.unknown(entry.alias, entry.span),
                    }
                }
            }
            ImportNames::Extensions(_) => {}
        }
    }

    /// An attribute of the whole file is a form of its own: conditional compilation, or nothing that is known.
    fn file_attributes(&mut self) {
        for attribute in &self.file.file_attributes {
            match attribute.name.as_str() {
                "target" | "cfg" => self.report(Code::E2040, attribute.span, [format!("`#!{}`", attribute.name).into()]),
                _ => self.report(Code::E0106, attribute.span, [format!("!{}", attribute.name).into()]),
            };
        }
    }

    fn module_alias(&mut self, name: Symbol, span: Span, target: Option<(Symbol, bool)>) {
        match target {
            Some((module, true)) => self.bind(name, Entity::Module(module), module, span, false),
            Some((module, false)) => self.bind(name, Entity::Std(module, Symbol::new(WHOLE_MODULE)), module, span, false),
            None => self.unknown(name, span),
        }
    }

    /// A name whose import failed: known in both spaces, so that its uses report nothing more.
    fn unknown(&mut self, name: Symbol, span: Span) {
        for namespace in [Namespace::Other, Namespace::Type] {
            let item = ItemId::new(ItemPath { module: self.file.module, namespace, name, disambiguator: u32::MAX });
            self.bind(name, Entity::Unsupported(item, "a name whose import failed"), self.file.module, span, false);
        }
    }

    fn std_entry(&mut self, import: &Import, entry: &ImportEntry, module: Symbol) {
        match std_modules::member(module, entry.name) {
            Some(StdMember::Constant(_)) if !entry.constant => {
                self.report(Code::E0203, entry.span, [module.into(), entry.name.into()])
                    .helps
                    .push(format!("constants are imported with their mark: `${}`", entry.name));
                self.unknown(entry.alias, entry.span);
            }
            Some(StdMember::Function) if entry.constant => {
                self.report(Code::E0203, entry.span, [module.into(), format!("${}", entry.name).into()])
                    .helps
                    .push(format!("functions are imported without `$`: `{}`", entry.name));
                self.unknown(entry.alias, entry.span);
            }
            Some(_) => self.bind(entry.alias, Entity::Std(module, entry.name), module, entry.span, import.is_pub),
            None => {
                let near = suggest(entry.name.as_str(), std_modules::names(module));
                self.missing(entry, module, near);
            }
        }
    }

    fn missing(&mut self, entry: &ImportEntry, module: Symbol, near: Option<(String, bool)>) {
        let anchor = Anchor::Module(self.file.module);
        let error = self.report(Code::E0203, entry.span, [module.into(), entry.name.into()]);
        if let Some((near, is_sure)) = near {
            error.helps.push(format!("`{module}` has an item with a similar name: `{near}`"));
            let alias = if entry.alias == entry.name { String::new() } else { format!(" as {}", entry.alias) };
            let mark = if entry.constant { "$" } else { "" };
            error.edits.push(syntax::Edit { anchor, span: entry.span, text: format!("{mark}{near}{alias}"), machine_applicable: is_sure });
        }
        self.unknown(entry.alias, entry.span);
    }

    fn entry(&mut self, import: &Import, entry: &ImportEntry, module: Symbol, scope: &Arc<Scope>) {
        if entry.without_def {
            self.report(Code::E2040, entry.span, ["`without def`".into()]);
            self.unknown(entry.alias, entry.span);
            return;
        }
        let is_constant = |entity: Entity| match entity {
            Entity::Constant(_) => Some(true),
            Entity::Std(module, name) => Some(matches!(std_modules::member(module, name), Some(StdMember::Constant(_)))),
            Entity::Function(_) | Entity::Type(_) | Entity::Trait(_) | Entity::Module(_) => Some(false),
            // Const functions carry the mark too; nothing more is known of a refused item.
            Entity::Unsupported(..) => None,
        };
        let mut found: Vec<Entity> = scope.exported(entry.name).collect();
        let mut is_private = false;
        if found.is_empty() {
            // Not exported: an own item of the module is private, anything else does not exist there.
            found.extend(scope.declared(module, entry.name));
            is_private = !found.is_empty();
        }
        let wrong_mark = found.iter().find(|e| is_constant(**e).is_some_and(|c| c != entry.constant)).copied();
        if found.is_empty() {
            let names = scope.public.iter().map(|(name, _)| name.as_str());
            let near = suggest(entry.name.as_str(), names);
            self.missing(entry, module, near);
            return;
        }
        if let Some(entity) = wrong_mark {
            let alias = if entry.alias == entry.name { String::new() } else { format!(" as ${}", entry.alias) };
            let marked = if entry.constant { None } else { Some(format!("${}{alias}", entry.name)) };
            let (shown, help) = match entity {
                Entity::Constant(_) | Entity::Std(..) if !entry.constant => {
                    (entry.name.as_str().to_owned(), format!("constants are imported with their mark: `${}`", entry.name))
                }
                _ => (format!("${}", entry.name), format!("only constants carry `$`: `{}`", entry.name)),
            };
            let anchor = Anchor::Module(self.file.module);
            let error = self.report(Code::E0203, entry.span, [module.into(), shown.into()]);
            error.helps.push(help);
            let text = marked.unwrap_or_else(|| entry.name.as_str().to_owned());
            error.edits.push(syntax::Edit { anchor, span: entry.span, text, machine_applicable: entry.alias == entry.name });
            self.unknown(entry.alias, entry.span);
            return;
        }
        // A test sees the private items of its package (language/07 §7.7).
        let is_of_others = names_package(&import.path) || package_of(module) != package_of(self.file.module);
        if is_private && is_of_others {
            let package = match package_of(module) {
                "" => module.as_str(),
                package => package,
            };
            let error = self.report(Code::E0204, entry.span, [entry.name.into(), "package".into(), package.into()]);
            error.helps.push("only what is `pub` is seen from outside of a package".into());
            self.unknown(entry.alias, entry.span);
            return;
        }
        if is_private && ((!entry.private && !is_test_module(self.file.module)) || import.is_pub) {
            let is_pub = import.is_pub;
            let anchor = Anchor::Module(self.file.module);
            let error = self.report(Code::E0204, entry.span, [entry.name.into(), "module".into(), module.into()]);
            if !is_pub {
                // Whether it should rather be public is for its author to say.
                let span = syntax::Span::new(entry.span.start, entry.span.start);
                error.edits.push(syntax::Edit { anchor, span, text: "::".to_owned(), machine_applicable: false });
            }
            error.helps.push(if is_pub {
                "private items cannot be re-exported: make it `pub` where it is declared".into()
            } else {
                format!("make it `pub`, or import it in spite of that with `::{}`", entry.name)
            });
            self.unknown(entry.alias, entry.span);
            return;
        }
        for entity in found {
            self.bind(entry.alias, entity, module, entry.span, import.is_pub);
            if let Entity::Type(item) | Entity::Trait(item) = entity
                && let count @ 1.. = scope.arity(item)
                && self.scope.arity(item) == 0
            {
                self.scope.generic.push((item, count as u32));
            }
            // A sum type brings its variants.
            if let Entity::Type(item) = entity {
                let variants = scope.variants.iter().filter(|(_, sum)| *sum == item);
                for &variant in variants {
                    if !self.scope.variants.contains(&variant) {
                        self.scope.variants.push(variant);
                    }
                }
            }
            if let Entity::Unsupported(item, _) = entity {
                self.weak.extend(scope.values.iter().filter(|(_, e)| matches!(e, Entity::Unsupported(i, _) if *i == item)));
            }
        }
    }

    fn bind(&mut self, name: Symbol, entity: Entity, from: Symbol, span: Span, is_pub: bool) {
        let space = is_type(entity);
        match self.imported.get(&(name.raw(), space)) {
            Some(&(first, _, _)) if first == entity => {
                // The same item twice is fine, and one of the two may be the re-export.
                if is_pub && !self.scope.public.contains(&(name, entity)) {
                    self.scope.public.push((name, entity));
                }
                return;
            }
            Some(&(Entity::Unsupported(..), _, _)) => return,
            Some(&(_, first_from, first_span)) => {
                if matches!(entity, Entity::Unsupported(..)) {
                    return;
                }
                let anchor = Anchor::Module(self.file.module);
                let error = self.report(Code::E0205, span, [name.into(), first_from.into(), from.into()]);
                error.labels.push(syntax::Label { anchor, span: first_span, text: "first imported here".into() });
                error.helps.push(format!("give one of them another name with `{name} as ...`"));
                return;
            }
            None => {}
        }
        self.imported.insert((name.raw(), space), (entity, from, span));
        if space { &mut self.scope.types } else { &mut self.scope.values }.push((name, entity));
        if is_pub {
            self.scope.public.push((name, entity));
        }
    }

    /// What an impl for a type of the language would give, where that is refused (E2010).
    fn refused_impl(&mut self, item: &Item) {
        let ItemKind::Impl { ty, bound, members, generics, .. } = &item.kind else { return };
        let head = match item.tree.types[*ty] {
            tree::Type::Named { path, .. } => match item.tree.paths[path] {
                [name] if generics.iter().any(|generic| generic.name == name) => return,
                [name] if prelude_type(name.as_str()).is_some() || prelude::predeclared(name.as_str()).is_some() => name,
                _ => return,
            },
            tree::Type::List(_) => Symbol::new("list"),
            tree::Type::Tuple(_) => Symbol::new("tuple"),
            tree::Type::Map(..) => prelude::map().name(),
            tree::Type::Function { .. } => Symbol::new("function"),
            _ => return,
        };
        // A module may have a type or trait of its own under the name of one of the language.
        let is_own = |name: Symbol| {
            let declares = |row: &syntax::tree::ItemEntry| {
                matches!(row.item.kind, ItemKind::Type { .. } | ItemKind::Trait { .. }) && row.id.name() == name
            };
            self.imported.contains_key(&(name.raw(), true)) || self.file.items.iter().any(declares)
        };
        if is_own(head) || prelude::is_library(self.file.module) {
            return;
        }
        match bound.as_ref().map(|bound| &bound.path[..]) {
            None => self.scope.refused_methods.extend(members.iter().filter_map(|member| match member {
                Member::Function { name, .. } => Some(*name),
                Member::Type { .. } => None,
            })),
            Some(&[name]) if prelude::trait_named(name.as_str()).is_some() && !is_own(name) => self.scope.orphans.push(head),
            Some(_) => {}
        }
    }

    // ---- own items ----

    fn items(&mut self) {
        let mut first: HashMap<u32, (ItemId, Span)> = HashMap::with_capacity(self.file.items.len());
        let mut own_variants: Vec<(Symbol, ItemId)> = Vec::new();
        self.scope.values.reserve(self.file.items.len());
        for row in &self.file.items {
            let (item, id) = (&*row.item, row.id);
            // Methods are found through their type.
            if item.owner.is_some() {
                continue;
            }
            if let ItemKind::Type { generics, .. } | ItemKind::Trait { generics, .. } = &item.kind
                && !generics.is_empty()
            {
                self.scope.generic.push((id, generics.len() as u32));
            }
            if let Some(form) = refused_form(item)
                && !item.has_errors
            {
                let interface = match &item.kind {
                    ItemKind::Impl { bound: Some(bound), .. } => bound.path.first(),
                    _ => None,
                };
                let form = interface.map_or(form.to_owned(), |interface| format!("implementations of `{interface}`"));
                let error = Diagnostic::new(Code::E2040, Anchor::Item(id), item.name_span, [form.as_str().into()]);
                self.scope.diagnostics.push(error);
            }
            let entity = match &item.kind {
                ItemKind::Function(_) => Entity::Function(id),
                ItemKind::Constant { .. } => Entity::Constant(id),
                ItemKind::ConstFunction(_) => Entity::Unsupported(id, "const functions"),
                ItemKind::Test { .. } => Entity::Unsupported(id, header::TESTS),
                ItemKind::Type { .. } => match refused_form(item) {
                    None => Entity::Type(id),
                    Some(form) => Entity::Unsupported(id, form),
                },
                ItemKind::Trait { .. } => match refused_form(item) {
                    None => Entity::Trait(id),
                    Some(form) => Entity::Unsupported(id, form),
                },
                ItemKind::Capset(_) => Entity::Unsupported(id, "`capset` declarations"),
                ItemKind::Impl { .. } if refused_form(item).is_none() => {
                    self.refused_impl(item);
                    continue;
                }
                ItemKind::Impl { .. } | ItemKind::DefImpl { .. } | ItemKind::Extend { .. } => {
                    self.scope.refuses_impls = true;
                    continue;
                }
                ItemKind::Extern { functions, .. } => {
                    self.weak.extend(functions.iter().map(|f| (f.name, Entity::Unsupported(id, "`extern` blocks"))));
                    continue;
                }
                ItemKind::Error => continue,
            };
            let name = id.name();
            match (&item.kind, entity) {
                (ItemKind::Type { body: TypeBody::Sum(variants), .. }, Entity::Type(_)) => {
                    own_variants.extend(variants.iter().map(|v| (v.name, id)));
                }
                // Nothing is known of a refused type, so its names report nothing more.
                (ItemKind::Type { body: TypeBody::Sum(variants), .. }, _) => {
                    self.weak.extend(variants.iter().map(|v| (v.name, entity)));
                }
                (ItemKind::Type { body: TypeBody::Newtype(_), .. }, Entity::Unsupported(..)) => self.weak.push((name, entity)),
                _ => {}
            }
            if matches!(item.kind, ItemKind::Test { .. }) {
                // Tests compete with nothing; the name is known so that calling it has its own message.
                self.weak.push((name, entity));
                continue;
            }
            if let Some(&earlier) = first.get(&name.raw()) {
                self.defined_twice(item, id, name, earlier);
                continue;
            }
            let space = is_type(entity);
            if let Some(&(_, _, import_span)) = self.imported.get(&(name.raw(), space)).filter(|(e, _, _)| *e != entity && !is_failed(*e)) {
                let error = Diagnostic::new(Code::E2006, Anchor::Item(id), item.name_span, [name.into()]).because(
                    Anchor::Module(self.file.module),
                    import_span,
                    "imported here under the same name",
                );
                self.scope.diagnostics.push(error);
                continue;
            }
            first.insert(name.raw(), (id, item.name_span));
            if space { &mut self.scope.types } else { &mut self.scope.values }.push((name, entity));
            if item.is_pub {
                self.scope.public.push((name, entity));
            }
        }
        if !own_variants.is_empty() {
            self.variants(own_variants, &first);
        }
    }

    /// The variants of own sum types stand before those of imported ones. A function or constant of the same name is a second definition of it.
    fn variants(&mut self, mut own: Vec<(Symbol, ItemId)>, first: &HashMap<u32, (ItemId, Span)>) {
        for &(name, sum) in &own {
            let Some(&(other, _)) =
                first.get(&name.raw()).filter(|other| matches!(other.0.path().namespace, Namespace::Function | Namespace::Constant))
            else {
                continue;
            };
            let row = |id: ItemId| self.file.items.iter().position(|row| row.id == id);
            let (Some(sum_at), Some(other_at)) = (row(sum), row(other)) else { continue };
            let (sum_item, other_item) = (&self.file.items[sum_at].item, &self.file.items[other_at].item);
            let ItemKind::Type { body: TypeBody::Sum(variants), .. } = &sum_item.kind else { continue };
            let Some(variant) = variants.iter().find(|v| v.name == name) else { continue };
            let mut places = [(Anchor::Item(sum), variant.span), (Anchor::Item(other), other_item.name_span)];
            if other_at < sum_at {
                places.reverse();
            }
            let [(first_anchor, first_span), (anchor, span)] = places;
            let error = Diagnostic::new(Code::E2006, anchor, span, [name.into()]).label("defined again here");
            self.scope.diagnostics.push(error.because(first_anchor, first_span, "first defined here"));
        }
        own.append(&mut self.scope.variants);
        self.scope.variants = own;
    }

    fn defined_twice(&mut self, item: &Item, id: ItemId, name: Symbol, (earlier, place): (ItemId, Span)) {
        if item.has_errors {
            return;
        }
        // Clauses of one function: the first one's patterns or guard are refused, which says it all.
        if earlier == ItemId::new(ItemPath { disambiguator: 0, ..id.path() })
            && let ItemKind::Function(_) = &item.kind
            && self.file.items.iter().any(|row| row.id == earlier && (row.item.has_errors || has_clauses(&row.item)))
        {
            return;
        }
        let error = Diagnostic::new(Code::E2006, Anchor::Item(id), item.name_span, [name.into()]).label("defined again here");
        self.scope.diagnostics.push(error.because(Anchor::Item(earlier), place, "first defined here"));
    }

    fn weak_names(&mut self) {
        for (name, entity) in std::mem::take(&mut self.weak) {
            let names = &mut self.scope.values;
            if !names.iter().any(|(n, _)| *n == name) {
                names.push((name, entity));
            }
        }
    }
}
