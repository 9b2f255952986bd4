//! Which functions have no test (language/11 §11.3). What is made of it, an error, a warning or a count, is for the driver to say.

use std::collections::HashSet;
use std::sync::Arc;

use hir::resolve::package_of;
use hir::resolve::prelude::is_library;
use ir::{ItemId, Symbol};
use query::Interrupt;
use syntax::tree::{File, ItemEntry, ItemKind};
use syntax::{Severity, Span};

use super::{BodyReport, Levels, Modules, Parse, Provider, Signature, Targets, Testable, Untested, is_test_module, tests_module};

/// Functions that need no test: what the runtime calls.
const EXEMPT: [&str; 2] = ["main", "panic"];

impl Provider for Testable {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Arc<Vec<(ItemId, Span)>>, Interrupt> {
        if is_test_module(*module) {
            return Ok(Arc::default());
        }
        let file = levels.get::<Parse>(module)?;
        if !parses(&file) {
            return Ok(Arc::default());
        }
        // Methods are items with an owner; a second function of one name is an error of its own.
        let needs_test = |entry: &&ItemEntry| {
            let item = &entry.item;
            matches!(&item.kind, ItemKind::Function(function) if function.body.is_some())
                && item.owner.is_none()
                && item.id.path().disambiguator == 0
                && !EXEMPT.contains(&item.id.name().as_str())
        };
        Ok(Arc::new(file.items.iter().filter(needs_test).map(|entry| (entry.id, entry.item.name_span)).collect()))
    }
}

impl Provider for Targets {
    fn provide(levels: &Levels<'_, '_>, module: &Symbol) -> Result<Option<Arc<Vec<ItemId>>>, Interrupt> {
        let file = levels.get::<Parse>(module)?;
        if !parses(&file) {
            return Ok(None);
        }
        let mut found = Vec::new();
        for entry in &file.items {
            if matches!(entry.item.kind, ItemKind::Test { .. }) {
                found.extend(levels.done(hir::resolve::test_targets(&entry.item, levels))?);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(Some(Arc::new(found)))
    }
}

fn parses(file: &File) -> bool {
    !file.diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
}

/// Is it a module of the package that is built? Others have tests of their own.
fn is_of_package(module: Symbol) -> bool {
    !is_library(module) && package_of(module).is_empty()
}

impl Provider for Untested {
    fn provide(levels: &Levels<'_, '_>, (): &()) -> Result<Arc<Vec<(ItemId, Span)>>, Interrupt> {
        let mut tested: HashSet<ItemId> = HashSet::new();
        let mut untested = Vec::new();
        let modules = levels.get::<Modules>(&tests_module())?;
        for module in modules.iter().filter(|module| is_of_package(**module)) {
            match &*levels.get::<Targets>(module)? {
                Some(targets) => tested.extend(targets.iter()),
                // What its tests are attached to shows when the file parses again.
                None => return Ok(Arc::default()),
            }
        }
        for module in modules.iter().filter(|module| is_of_package(**module)) {
            for &(item, span) in levels.get::<Testable>(module)?.iter().filter(|(item, _)| !tested.contains(item)) {
                if is_sound(levels, item)? {
                    untested.push((item, span));
                }
            }
        }
        Ok(Arc::new(untested))
    }
}

/// Is nothing wrong with the function?
fn is_sound(levels: &Levels<'_, '_>, item: ItemId) -> Result<bool, Interrupt> {
    let is_error = |diagnostic: &syntax::Diagnostic| diagnostic.severity() == Severity::Error;
    let signature = levels.get::<Signature>(&item)?;
    if (*signature).as_ref().is_none_or(|signature| signature.diagnostics.iter().any(is_error)) {
        return Ok(false);
    }
    let report = levels.get::<BodyReport>(&item)?;
    Ok(report.complete && !report.diagnostics.iter().any(is_error))
}
