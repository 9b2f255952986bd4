//! Impls of the program and what methods do to their `self`.

use std::sync::Arc;

use hir::program::{ImplRow, Implementation as Header, TraitDefinition};
use ir::{ItemId, Symbol};
use query::Interrupt;

use syntax::tree::{File, ItemKind};
use syntax::{Anchor, Diagnostic, DiagnosticCode, Span};

use super::{
    GenericCalls, Implementation, Impls, InherentImpls, Item, Levels, Main, ModuleImpls, Modules, Mutates, Parse, Provider, SelfUses,
    TraitDef, TraitImpls, TypedBody,
};

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
    fn provide(levels: &Levels<'_, '_>, (): &()) -> Result<Arc<Vec<ImplRow>>, Interrupt> {
        let Some(main) = levels.cx().input::<Main>(&())? else { return Ok(Arc::default()) };
        let mut rows = Vec::new();
        for module in levels.get::<Modules>(&main)?.iter() {
            rows.extend(levels.get::<ModuleImpls>(module)?.iter().cloned());
        }
        Ok(Arc::new(rows))
    }
}

impl Provider for InherentImpls {
    fn provide(levels: &Levels<'_, '_>, head: &ItemId) -> Result<Arc<Vec<ImplRow>>, Interrupt> {
        // Nobody else adds to what the library declares.
        let rows = match hir::resolve::prelude::is_predeclared(*head) {
            true => levels.get::<ModuleImpls>(&head.module())?,
            false => levels.get::<Impls>(&())?,
        };
        Ok(Arc::new(rows.iter().filter(|row| row.head == Some(*head) && row.interface.is_none()).cloned().collect()))
    }
}

impl Provider for TraitImpls {
    fn provide(levels: &Levels<'_, '_>, interface: &ItemId) -> Result<Arc<Vec<ImplRow>>, Interrupt> {
        let rows = levels.get::<Impls>(&())?;
        let mut found: Vec<ImplRow> = rows.iter().filter(|row| row.interface == Some(*interface)).cloned().collect();
        // The library implements its own traits alone.
        if hir::resolve::prelude::is_predeclared(*interface) {
            let rows = levels.get::<ModuleImpls>(&interface.module())?;
            found.extend(rows.iter().filter(|row| row.interface == Some(*interface)).cloned());
        }
        Ok(Arc::new(found))
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
        let item = file.items.iter().find(|entry| entry.id == owner).map(|entry| &entry.item.kind);
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
        let span = file.items.iter().find(|entry| entry.id == item).map_or(Span::default(), |entry| entry.item.name_span);
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
