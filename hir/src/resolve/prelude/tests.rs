use std::collections::BTreeSet;

use syntax::Severity;
use syntax::tree::{ItemKind, TypeBody};

use super::{FUNCTIONS, SOURCES, TYPES, trait_named};
use crate::memory::Program;
use crate::program::Context;

#[test]
fn the_table_is_what_the_library_exports() {
    let mut types = Vec::new();
    let mut functions = BTreeSet::new();
    for (module, _, text) in SOURCES {
        let file = syntax::parse(ir::Symbol::new(module), text);
        assert_eq!(file.diagnostics, [], "{module}");
        for row in file.items.iter().filter(|row| row.item.is_pub && row.item.owner.is_none()) {
            let name = row.id.name().as_str();
            match &row.item.kind {
                ItemKind::Type { generics, body, .. } => {
                    let variants: Vec<&str> = match body {
                        TypeBody::Sum(variants) => variants.iter().map(|v| v.name.as_str()).collect(),
                        TypeBody::Struct(_) | TypeBody::Newtype(_) => Vec::new(),
                    };
                    types.push((name, generics.len(), variants));
                }
                ItemKind::Function(_) => _ = functions.insert((*module, name)),
                ItemKind::Trait { .. } => assert_eq!(trait_named(name).map(|item| item.name()), Some(row.id.name())),
                _ => panic!("`{name}` is neither a type nor a function nor a trait"),
            }
        }
    }
    let known: Vec<_> = TYPES.iter().map(|row| (row.name, row.arity, row.variants.to_vec())).collect();
    assert_eq!(types, known);
    assert_eq!(functions, FUNCTIONS.iter().copied().collect());
}

#[test]
fn the_library_has_no_errors() {
    for (module, path, text) in SOURCES {
        let program = Program::new(&[(module, text)]);
        let errors: Vec<String> = program
            .diagnostics()
            .iter()
            .filter(|d| d.severity() == Severity::Error)
            .map(|d| format!("{} {}", d.code, syntax::diagnostic::message(d)))
            .collect();
        assert_eq!(errors, Vec::<String>::new(), "{path}: {}", program.report());
        // Methods that a trait only declares have no body.
        let declared = |owner: &ir::ItemId| program.checked(*owner).is_none_or(|checked| checked.body.is_none());
        let without: Vec<_> = program.owners().into_iter().filter(declared).collect();
        let is_declared = |owner: &ir::ItemId| {
            let of = program.signature(*owner).ok().flatten().and_then(|signature| signature.owner);
            let definition = of.and_then(|of| program.trait_definition(of).ok().flatten());
            definition.is_some_and(|found| found.methods.iter().any(|method| method.item == *owner && !method.has_body))
        };
        assert!(without.iter().all(is_declared), "{path}: {without:?}");
    }
}
