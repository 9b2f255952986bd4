//! The predeclared types that are sums like any other, declared here instead of in a file.

use ir::item::ItemPath;
use ir::{ItemId, Namespace, Symbol};

use crate::Type;
use crate::program::{TypeDefinition, TypeForm, Variant};

/// Module of the predeclared types; it has no file, and no name of a module in a file has this form.
const MODULE: &str = "std.prelude";

/// The numbers of the variants of `Ordering`.
pub const LESS: u32 = 0;
/// `Equal`
pub const EQUAL: u32 = 1;
/// `Greater`
pub const GREATER: u32 = 2;

/// Is the item declared here?
pub fn is_predeclared(item: ItemId) -> bool {
    item.module().as_str() == MODULE
}

/// `Ordering`
pub fn ordering() -> ItemId {
    ItemId::new(ItemPath { module: Symbol::new(MODULE), namespace: Namespace::Type, name: Symbol::new("Ordering"), disambiguator: 0 })
}

/// The predeclared type of this name.
pub fn predeclared(name: &str) -> Option<ItemId> {
    (name == "Ordering").then(ordering)
}

/// The predeclared type with a variant of this name.
pub fn of_variant(name: &str) -> Option<ItemId> {
    matches!(name, "Less" | "Equal" | "Greater").then(ordering)
}

/// `Ordering` as a type.
pub fn ordering_type() -> Type {
    Type::structure(ordering(), &[])
}

/// The declaration of a predeclared type; `None` for any other item.
pub fn definition(item: ItemId) -> Option<TypeDefinition> {
    if !is_predeclared(item) || item.name().as_str() != "Ordering" {
        return None;
    }
    let unit = |name: &str| Variant { name: Symbol::new(name), is_named: false, payload: Vec::new() };
    Some(TypeDefinition {
        item,
        form: TypeForm::Sum,
        generics: Vec::new(),
        fields: Vec::new(),
        variants: ["Less", "Equal", "Greater"].map(unit).to_vec(),
        derives: ["Eq", "Comparable", "Hashable", "Clone", "Debug", "Printable", "Default"].map(Symbol::new).to_vec(),
        diagnostics: Vec::new(),
    })
}
