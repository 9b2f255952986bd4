//! A whole program in memory, as tests want it: sources in, diagnostics and typed bodies out. Everything is computed when asked and kept.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use ir::{ItemId, Namespace, Stop, Symbol};
use syntax::tree::{File, Item, ItemKind, ModulePath};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Severity};

use crate::infer::{self, Checked, Which};
use crate::program::{Context, ImplRow, Implementation, Scope, Signature, TraitDefinition, TraitOutline, TypeDefinition};
use crate::resolve::{self, Modules, Resolution};
use crate::{Body, Type};

/// A program of several modules. The first one is the entry.
pub struct Program {
    sources: Vec<(Symbol, String)>,
    files: Vec<File>,
    items: HashMap<ItemId, Arc<Item>>,
    scopes: RefCell<HashMap<Symbol, Arc<Scope>>>,
    signatures: RefCell<HashMap<ItemId, Option<Arc<Signature>>>>,
    definitions: RefCell<HashMap<ItemId, Option<Arc<TypeDefinition>>>>,
    checked: RefCell<HashMap<ItemId, Option<Arc<Checked>>>>,
    /// Items whose defaults are being read.
    open: RefCell<Vec<ItemId>>,
}

impl Program {
    /// Parses the modules (dotted path, source).
    pub fn new(modules: &[(&str, &str)]) -> Program {
        let mut program = Program {
            sources: Vec::new(),
            files: Vec::new(),
            items: HashMap::new(),
            scopes: RefCell::default(),
            signatures: RefCell::default(),
            definitions: RefCell::default(),
            checked: RefCell::default(),
            open: RefCell::default(),
        };
        for (name, source) in modules {
            let file = syntax::parse(Symbol::new(name), source);
            program.items.extend(file.items.iter().map(|row| (row.id, row.item.clone())));
            program.sources.push((Symbol::new(name), (*source).to_owned()));
            program.files.push(file);
        }
        program
    }

    /// An item of the program or of the library.
    fn item(&self, item: ItemId) -> Option<&Arc<Item>> {
        let item = item.declared();
        self.items
            .get(&item)
            .or_else(|| library_files().iter().flat_map(|file| &file.items).find(|row| row.id == item).map(|row| &row.item))
    }

    /// The parsed files, in order.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The bodies that have an owner of their own: functions, tests, constants, and the defaults of parameters, in textual order.
    pub fn owners(&self) -> Vec<ItemId> {
        let mut owners = Vec::new();
        for row in self.files.iter().flat_map(|file| &file.items) {
            match &row.item.kind {
                ItemKind::Function(function) => {
                    let defaults = function.params.iter().filter(|p| p.default.is_some()).filter_map(|p| p.name);
                    owners.extend(defaults.map(|name| resolve::default_item(row.id, name)));
                    owners.push(row.id);
                }
                ItemKind::Test { .. } | ItemKind::Constant { .. } => owners.push(row.id),
                _ => {}
            }
        }
        owners
    }

    /// The checked body of an owner; `None` when there is no such item or it has syntax errors.
    pub fn checked(&self, owner: ItemId) -> Option<Arc<Checked>> {
        if let Some(known) = self.checked.borrow().get(&owner) {
            return known.clone();
        }
        // A constant that needs its own type finds `None` here and stays silent.
        self.checked.borrow_mut().insert(owner, None);
        let checked = match owner.declared() {
            declared if declared != owner => self.checked(declared).map(|checked| Arc::new(checked.as_replaced())),
            _ => self.check(owner).ok().flatten().map(Arc::new),
        };
        self.checked.borrow_mut().insert(owner, checked.clone());
        checked
    }

    /// The body that the compiler makes for an instance of a method of the prelude; `None` for any other item.
    pub fn made(&self, instance: ItemId) -> Result<Option<Body>, Stop> {
        let (method, _) = crate::types::instance_of(instance);
        match self.item(method) {
            Some(item) if resolve::prelude::has_made_instances(method) => infer::made(instance, item, self),
            Some(_) | None => Ok(None),
        }
    }

    fn check(&self, owner: ItemId) -> Result<Option<Checked>, Stop> {
        let (item, which) = match owner.path().namespace {
            Namespace::Default => {
                let path = owner.path();
                let Some((function, parameter)) = path.name.as_str().split_once('.') else { return Ok(None) };
                let function = ir::item::ItemPath { namespace: Namespace::Function, name: Symbol::new(function), ..path };
                let Some(item) = self.item(ItemId::new(function)) else { return Ok(None) };
                let ItemKind::Function(header) = &item.kind else { return Ok(None) };
                let Some(index) = header.params.iter().position(|p| p.name.is_some_and(|n| n.as_str() == parameter)) else {
                    return Ok(None);
                };
                (item, Which::Default(index as u32))
            }
            Namespace::Function | Namespace::Constant | Namespace::Test | Namespace::Type | Namespace::Other => {
                let Some(item) = self.item(owner) else { return Ok(None) };
                let which = match item.kind {
                    ItemKind::Function(_) => Which::Function,
                    ItemKind::Constant { .. } => Which::Constant,
                    ItemKind::Test { .. } => Which::Test,
                    _ => return Ok(None),
                };
                (item, which)
            }
        };
        if item.has_errors {
            return Ok(None);
        }
        infer::body(item, which, self).map(Some)
    }

    /// Every diagnostic of the program, in order of modules and places. Semantic ones only for files that parse.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        for file in &self.files {
            let start = all.len();
            all.extend(file.diagnostics.iter().cloned());
            if let Ok(scope) = Context::scope(self, file.module) {
                all.extend(scope.diagnostics.iter().cloned());
            }
            for row in &file.items {
                if let Ok(Some(signature)) = self.signature(row.id) {
                    all.extend(signature.diagnostics.iter().cloned());
                }
                if let Ok(Some(definition)) = self.type_definition(row.id) {
                    all.extend(definition.diagnostics.iter().cloned());
                }
                all.extend(resolve::check_type(&row.item, self).unwrap_or_default());
                all.extend(resolve::check_header(&row.item, self).unwrap_or_default());
                let (uses, changers) = (|method| self.uses(method), || self.changers());
                let bodies = resolve::Bodies { uses: &uses, changers: &changers };
                let changes = |method| resolve::changes_self(method, self, &bodies);
                all.extend(resolve::check_impl(&row.item, self, &changes).unwrap_or_default());
                all.extend(resolve::check_trait(&row.item, self, &changes).unwrap_or_default());
                all.extend(resolve::check_test(&row.item, self).unwrap_or_default());
                all.extend(resolve::exposed_types(&row.item, self).unwrap_or_default());
                if let ItemKind::Function(function) = &row.item.kind {
                    for name in function.params.iter().filter(|p| p.default.is_some()).filter_map(|p| p.name) {
                        if let Some(checked) = self.checked(resolve::default_item(row.id, name)) {
                            all.extend(checked.diagnostics.iter().cloned());
                        }
                    }
                }
                if let Some(checked) = self.checked(row.id) {
                    all.extend(checked.diagnostics.iter().cloned());
                }
            }
            let scope = Context::scope(self, file.module).ok();
            all.extend(resolve::unused_imports(file, scope.as_ref().map_or(&[], |scope| &scope.diagnostics)));
            let mut of_file = all.split_off(start);
            of_file.sort_by_key(|d| self.offset(d));
            of_file.dedup();
            all.extend(of_file);
        }
        all
    }

    /// Does the program have an error?
    pub fn has_errors(&self) -> bool {
        self.diagnostics().iter().any(|d| d.severity() == Severity::Error)
    }

    /// The typed bodies in textual order; bodies with errors are missing.
    pub fn bodies(&self) -> Vec<Body> {
        self.owners().into_iter().filter_map(|owner| self.checked(owner)?.body.clone()).collect()
    }

    /// The typed body of function `name` of the entry module.
    pub fn body(&self, name: &str) -> Option<Body> {
        let module = self.files.first()?.module;
        self.checked(ItemId::function(module, Symbol::new(name)))?.body.clone()
    }

    /// First byte of a diagnostic in its file.
    pub fn offset(&self, diagnostic: &Diagnostic) -> u32 {
        let base = match diagnostic.anchor {
            Anchor::Module(_) => 0,
            Anchor::Item(item) => self.files.iter().flat_map(|f| &f.items).find(|row| row.id == item).map_or(0, |row| row.start),
        };
        base + diagnostic.span.start
    }

    /// `3:9 E2001 expected int, found str`, one line each: what tests compare.
    pub fn report(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for diagnostic in self.diagnostics() {
            let module = match diagnostic.anchor {
                Anchor::Module(module) => module,
                Anchor::Item(item) => item.module(),
            };
            let source = self.sources.iter().find(|(m, _)| *m == module).map_or("", |(_, s)| s.as_str());
            let offset = self.offset(&diagnostic);
            let (line, column) = syntax::Lines::of(source, 1).line_column(offset);
            let _ = writeln!(text, "{line}:{column} {} {}", diagnostic.code, syntax::diagnostic::message(&diagnostic));
        }
        text
    }

    /// The codes of the diagnostics, in order.
    pub fn codes(&self) -> Vec<DiagnosticCode> {
        self.diagnostics().iter().map(|d| d.code).collect()
    }
}

impl Modules for Program {
    fn resolve(&self, from: Symbol, path: &ModulePath) -> Result<Resolution, Stop> {
        let text = match path {
            ModulePath::Dotted(segments) => {
                let name = segments.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(".");
                return Ok(Resolution::Std(Symbol::new(&name)));
            }
            ModulePath::Text(text) => text.as_str(),
        };
        if !text.starts_with('.') {
            return Ok(Resolution::UnknownPackage);
        }
        let mut segments: Vec<&str> = from.as_str().split('.').collect();
        segments.pop();
        for part in text.split('/') {
            match part {
                "." | "" => {}
                ".." if segments.pop().is_none() => return Ok(Resolution::LeavesPackage),
                ".." => {}
                name => segments.push(name),
            }
        }
        let name = Symbol::new(&segments.join("."));
        if self.files.iter().any(|file| file.module == name) {
            Ok(Resolution::Found(name))
        } else {
            Ok(Resolution::NotFound { tried: vec![format!("{}.ori", segments.join("/")), format!("{}/mod.ori", segments.join("/"))] })
        }
    }

    fn scope(&self, module: Symbol) -> Result<Arc<Scope>, Stop> {
        Context::scope(self, module)
    }
}

/// The library, parsed once.
fn library_files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    let parsed = || resolve::prelude::SOURCES.iter().map(|(module, _, text)| syntax::parse(Symbol::new(module), text)).collect();
    FILES.get_or_init(parsed)
}

impl Program {
    fn uses(&self, method: ItemId) -> Result<Arc<resolve::SelfUses>, Stop> {
        Ok(Arc::new(self.item(method).map(|item| resolve::self_uses(item)).unwrap_or_default()))
    }

    fn changers(&self) -> Result<Arc<resolve::Changers>, Stop> {
        let mut rows = Vec::new();
        for file in &self.files {
            rows.extend(resolve::module_impls(file, self)?);
        }
        resolve::changers(rows.iter(), self, &|method| self.uses(method)).map(Arc::new)
    }
}

impl Context for Program {
    fn scope(&self, module: Symbol) -> Result<Arc<Scope>, Stop> {
        if let Some(known) = self.scopes.borrow().get(&module) {
            return Ok(known.clone());
        }
        // An import cycle finds the empty scope; finding cycles is the driver's part.
        self.scopes.borrow_mut().insert(module, Arc::default());
        let scope = match self.files.iter().chain(library_files()).find(|file| file.module == module) {
            Some(file) => Arc::new(resolve::module_scope(file, self)?),
            None => return Err(Stop::interrupted()),
        };
        self.scopes.borrow_mut().insert(module, scope.clone());
        Ok(scope)
    }

    fn hidden_result(&self, function: ItemId) -> Result<Option<Type>, Stop> {
        let checked = self.checked(function);
        match checked.as_ref().and_then(|checked| checked.body.as_ref()) {
            Some(body) => infer::hidden_result(body, self),
            None => Ok(None),
        }
    }

    fn signature(&self, item: ItemId) -> Result<Option<Arc<Signature>>, Stop> {
        if let Some(known) = self.signatures.borrow().get(&item) {
            return Ok(known.clone());
        }
        let signature = match item.path().namespace {
            Namespace::Default => {
                let path = item.path();
                let function = path.name.as_str().split_once('.').map(|(function, parameter)| {
                    let path = ir::item::ItemPath { namespace: Namespace::Function, name: Symbol::new(function), ..path };
                    (ItemId::new(path), parameter)
                });
                match function.and_then(|(function, parameter)| Some((self.item(function)?, parameter))) {
                    Some((function, parameter)) => {
                        let signature = Context::signature(self, function.id)?;
                        let index = signature.and_then(|s| s.params.iter().position(|p| p.name.as_str() == parameter));
                        match index {
                            Some(index) => resolve::default_signature(function, index, self)?,
                            None => None,
                        }
                    }
                    None => None,
                }
            }
            Namespace::Function | Namespace::Constant | Namespace::Test | Namespace::Type | Namespace::Other => match self.item(item) {
                Some(item) => resolve::signature(item, self)?,
                None => None,
            },
        };
        let signature = signature.map(|signature| Arc::new(signature.of(item)));
        self.signatures.borrow_mut().insert(item, signature.clone());
        Ok(signature)
    }

    fn type_definition(&self, item: ItemId) -> Result<Option<Arc<TypeDefinition>>, Stop> {
        if let Some(known) = self.definitions.borrow().get(&item) {
            return Ok(known.clone());
        }
        let definition = match self.item(item) {
            Some(item) => resolve::type_definition(item, self)?.map(Arc::new),
            None => None,
        };
        self.definitions.borrow_mut().insert(item, definition.clone());
        Ok(definition)
    }

    fn defaults(&self, item: ItemId) -> Result<Arc<Vec<Option<Type>>>, Stop> {
        let Some(found) = self.item(item).filter(|_| !self.open.borrow().contains(&item)) else { return Ok(Arc::default()) };
        self.open.borrow_mut().push(item);
        let defaults = resolve::defaults(found, self);
        self.open.borrow_mut().pop();
        defaults.map(Arc::new)
    }

    fn constant_type(&self, item: ItemId) -> Result<Option<Type>, Stop> {
        if let Some(item) = self.item(item)
            && let Some((ty, _)) = resolve::constant_annotation(item, self)?
        {
            return Ok(Some(ty));
        }
        Ok(self.checked(item).map(|checked| checked.ty))
    }

    fn implementation(&self, item: ItemId) -> Result<Option<Arc<Implementation>>, Stop> {
        match self.item(item) {
            Some(item) => Ok(resolve::implementation(item, self)?.map(Arc::new)),
            None => Ok(None),
        }
    }

    fn inherent_impls(&self, head: ItemId) -> Result<Arc<Vec<ImplRow>>, Stop> {
        let mut rows = Vec::new();
        let is_own = |module| self.files.iter().any(|file| file.module == module);
        let library = library_files().iter().filter(|file| Some(file.module) == resolve::prelude::home(head) && !is_own(file.module));
        for file in self.files.iter().chain(library) {
            rows.extend(resolve::module_impls(file, self)?.into_iter().filter(|row| row.head == Some(head) && row.interface.is_none()));
        }
        Ok(Arc::new(rows))
    }

    fn trait_definition(&self, item: ItemId) -> Result<Option<Arc<TraitDefinition>>, Stop> {
        match self.item(item) {
            Some(item) => Ok(resolve::trait_definition(item, self)?.map(Arc::new)),
            None => Ok(None),
        }
    }

    fn trait_outline(&self, item: ItemId) -> Result<Option<Arc<TraitOutline>>, Stop> {
        match self.item(item) {
            Some(item) => Ok(resolve::trait_outline(item, self)?.map(Arc::new)),
            None => Ok(None),
        }
    }

    fn trait_impls(&self, interface: ItemId, head: Option<ItemId>) -> Result<Arc<Vec<ImplRow>>, Stop> {
        let mut rows = Vec::new();
        let is_own = |module| self.files.iter().any(|file| file.module == module);
        let homes = [Some(interface.module()), head.and_then(resolve::prelude::home)];
        let library = library_files().iter().filter(|file| homes.contains(&Some(file.module)) && !is_own(file.module));
        for file in self.files.iter().chain(library) {
            rows.extend(resolve::module_impls(file, self)?);
        }
        resolve::impls_of(interface, head, rows.iter(), self).map(Arc::new)
    }

    fn mutates(&self, method: ItemId) -> Result<bool, Stop> {
        resolve::mutates(method, self, &resolve::Bodies { uses: &|method| self.uses(method), changers: &|| self.changers() })
    }

    fn constant_int(&self, item: ItemId) -> Result<Option<i64>, Stop> {
        let Some(checked) = self.checked(item) else { return Ok(None) };
        Ok(checked.body.as_ref().and_then(|body| match body.exprs[body.root] {
            crate::ir::Expr::Int(value) => Some(value),
            crate::ir::Expr::Byte(value) => Some(i64::from(value)),
            crate::ir::Expr::Char(value) => Some(i64::from(u32::from(value))),
            _ => None,
        }))
    }
}
