//! Impls of the program and what methods do to their `self`.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use hir::program::{ImplRow, Implementation as Header, TraitDefinition};
use ir::{ItemId, Symbol};
use query::{Cycle, Interrupt};
use serde::{Deserialize, Serialize};
use syntax::tree::{File, ItemKind};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Span};

use super::{
    Defaults, GenericCalls, Implementation, Impls, InherentImpls, Item, Levels, Main, ModuleImpls, Modules, Mutates, Parse, Provider,
    SelfUses, TraitDef, TraitImpls, TypedBody,
};

/// The impls of a program, found by the head of their type.
#[derive(Clone, Default, Serialize, Deserialize, Debug)]
pub struct ImplTable {
    rows: Vec<ImplRow>,
    /// Positions of the rows by their head; made when first needed.
    #[serde(skip)]
    by_head: OnceLock<HashMap<Option<ItemId>, Vec<u32>>>,
}

impl ImplTable {
    fn with_head(&self, head: Option<ItemId>) -> impl Iterator<Item = &ImplRow> {
        let by_head = self.by_head.get_or_init(|| {
            let mut found: HashMap<Option<ItemId>, Vec<u32>> = HashMap::new();
            for (row, at) in self.rows.iter().zip(0..) {
                found.entry(row.head).or_default().push(at);
            }
            found
        });
        by_head.get(&head).into_iter().flatten().map(|&at| &self.rows[at as usize])
    }
}

impl PartialEq for ImplTable {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}
impl Eq for ImplTable {}
impl Hash for ImplTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rows.hash(state);
    }
}

/// A trait, and the head of the types that may have it by an impl.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImplsOf {
    /// The trait.
    pub interface: ItemId,
    /// The head; without one, impls for type parameters.
    pub head: Option<ItemId>,
}

impl std::fmt::Debug for ImplsOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.head {
            Some(head) => write!(f, "{:?} for {head:?}", self.interface),
            None => write!(f, "{:?} for all", self.interface),
        }
    }
}

impl Provider for Implementation {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<Header>>, Interrupt> {
        let item = levels.get::<Item>(id)?;
        let Some(item) = &*item else { return Ok(None) };
        Ok(levels.done(hir::resolve::implementation(item, levels))?.map(Arc::new))
    }
}

impl Provider for ModuleImpls {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Arc<Vec<ImplRow>>, Interrupt> {
        let file = levels.get::<Parse>(module)?;
        levels.done(hir::resolve::module_impls(&file, levels)).map(Arc::new)
    }
}

impl Provider for Impls {
    fn provide(levels: &Levels<'_, '_>, (): &()) -> Result<Arc<ImplTable>, Interrupt> {
        let Some(main) = levels.cx().input::<Main>(&())? else { return Ok(Arc::default()) };
        let mut rows = Vec::new();
        for module in levels.get::<Modules>(&main)?.iter() {
            rows.extend(levels.get::<ModuleImpls>(module)?.iter().cloned());
        }
        Ok(Arc::new(ImplTable { rows, by_head: OnceLock::new() }))
    }
}

impl Provider for InherentImpls {
    fn provide(levels: &Levels<'_, '_>, head: &ItemId) -> Result<Arc<Vec<ImplRow>>, Interrupt> {
        // Nobody else adds to what the library declares.
        if let Some(home) = hir::resolve::prelude::home(*head) {
            let rows = levels.get::<ModuleImpls>(&home)?;
            return Ok(Arc::new(rows.iter().filter(|row| row.head == Some(*head) && row.interface.is_none()).cloned().collect()));
        }
        let rows = levels.get::<Impls>(&())?;
        Ok(Arc::new(rows.with_head(Some(*head)).filter(|row| row.interface.is_none()).cloned().collect()))
    }
}

impl Provider for TraitImpls {
    fn provide(levels: &Levels<'_, '_>, key: &ImplsOf) -> Result<Arc<Vec<ImplRow>>, Interrupt> {
        let rows = levels.get::<Impls>(&())?;
        // The library implements its own traits alone: beside them, and beside the methods of the type.
        let is_library = hir::resolve::prelude::is_predeclared(key.interface);
        let home = key.head.and_then(hir::resolve::prelude::home).filter(|home| *home != key.interface.module());
        let mut library = Vec::new();
        for module in [Some(key.interface.module()), home].into_iter().flatten().filter(|_| is_library) {
            library.push(levels.get::<ModuleImpls>(&module)?);
        }
        let of_head = key.head.is_some().then(|| rows.with_head(key.head)).into_iter().flatten();
        let found = hir::resolve::impls_of(
            key.interface,
            key.head,
            of_head.chain(rows.with_head(None)).chain(library.iter().flat_map(|rows| rows.iter())),
            levels,
        );
        levels.done(found).map(Arc::new)
    }
}

impl Provider for Defaults {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Arc<Vec<Option<hir::Type>>>, Interrupt> {
        let item = levels.get::<Item>(id)?;
        let Some(item) = &*item else { return Ok(Arc::default()) };
        levels.done(hir::resolve::defaults(item, levels)).map(Arc::new)
    }

    /// A default that leaves out an argument whose default it is: the argument is missing (E2016).
    fn on_cycle(_id: &ItemId, _cycle: &Cycle) -> Option<Arc<Vec<Option<hir::Type>>>> {
        Some(Arc::default())
    }
}

impl Provider for TraitDef {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Option<Arc<TraitDefinition>>, Interrupt> {
        let item = levels.get::<Item>(id)?;
        let Some(item) = &*item else { return Ok(None) };
        Ok(levels.done(hir::resolve::trait_definition(item, levels))?.map(Arc::new))
    }
}

/// What there is to say about a trait or impl as a whole.
pub(super) fn block(levels: &Levels<'_, '_>, item: &syntax::tree::Item) -> Result<Vec<Diagnostic>, Interrupt> {
    let changes = |method| hir::resolve::changes_self(method, levels, &|method| levels.self_uses(method));
    let mut found = levels.done(hir::resolve::check_impl(item, levels, &changes))?;
    found.extend(levels.done(hir::resolve::check_trait(item, levels, &changes))?);
    Ok(found)
}

impl Provider for GenericCalls {
    fn provide(levels: &Levels<'_, '_>, id: &ItemId) -> Result<Vec<hir::resolve::GenericCall>, Interrupt> {
        let checked = levels.get::<TypedBody>(id)?;
        Ok(checked.body.as_ref().map(hir::resolve::generic_calls).unwrap_or_default())
    }
}

/// E0416 for the generic functions of a file whose instances have no end.
pub(super) fn endless(levels: &Levels<'_, '_>, file: &File) -> Result<Vec<Diagnostic>, Interrupt> {
    let block = |owner: ItemId| {
        let item = file.entry(owner).map(|entry| &entry.item.kind);
        match item {
            // `Self` is a type parameter of a trait.
            Some(ItemKind::Trait { .. }) => true,
            Some(ItemKind::Impl { generics, .. }) => !generics.is_empty(),
            Some(_) | None => false,
        }
    };
    let generic: Vec<ItemId> = file.items.iter().filter(|e| hir::resolve::is_generic(&e.item, block)).map(|e| e.id).collect();
    if generic.is_empty() {
        return Ok(Vec::new());
    }
    let found = levels.done(hir::resolve::endless(&generic, &|item| levels.generic_calls(item)))?;
    let report = |item: ItemId| {
        let span = file.entry(item).map_or(Span::default(), |entry| entry.item.name_span);
        Diagnostic::new(DiagnosticCode::E0416, Anchor::Item(item), span, [item.short_name().into()])
            .note("each instance calls one with larger type arguments, so there would be no last one")
    };
    Ok(found.into_iter().map(report).collect())
}

impl Provider for SelfUses {
    fn provide(levels: &Levels<'_, '_>, method: &ItemId) -> Result<Arc<hir::resolve::SelfUses>, Interrupt> {
        let item = levels.get::<Item>(method)?;
        Ok(Arc::new(item.as_deref().map(hir::resolve::self_uses).unwrap_or_default()))
    }
}

impl Provider for Mutates {
    fn provide(levels: &Levels<'_, '_>, method: &ItemId) -> Result<bool, Interrupt> {
        levels.done(hir::resolve::mutates(*method, levels, &|method| levels.self_uses(method)))
    }
}
