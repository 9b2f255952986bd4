//! The names that every module sees without an import and whose declarations stand in `std/`, in Ori.
//!
//! A name is found here without looking at the library: who does not mention one of these never parses it. The table is compared with the sources by a
//! test. What a name *means* is asked like of any other item.

use std::sync::OnceLock;

use ir::item::ItemPath;
use ir::{ItemId, Namespace, Symbol};

use crate::Type;

/// Module of the predeclared types and functions.
pub const MODULE: &str = "std.prelude";

/// The sources of the library: module, path in reports, text.
pub const SOURCES: &[(&str, &str, &str)] = &[(MODULE, "std/prelude.ori", include_str!("../../../std/prelude.ori"))];

/// A predeclared type: its name, how many type arguments it takes, its variants.
struct Row {
    name: &'static str,
    arity: usize,
    variants: &'static [&'static str],
}

const TYPES: &[Row] = &[
    Row { name: "Option", arity: 1, variants: &["None", "Some"] },
    Row { name: "Result", arity: 2, variants: &["Ok", "Err"] },
    Row { name: "Ordering", arity: 0, variants: &["Less", "Equal", "Greater"] },
];

/// Functions of the prelude that are declared in `std/`.
const FUNCTIONS: &[&str] = &["is_some", "is_none", "is_ok", "is_err", "assert_some", "assert_none", "assert_ok", "assert_err"];

/// The numbers of the variants of `Ordering`.
pub const LESS: u32 = 0;
/// `Equal`
pub const EQUAL: u32 = 1;
/// `Greater`
pub const GREATER: u32 = 2;
/// The numbers of the variants of `Option`.
pub const NONE: u32 = 0;
/// `Some`
pub const SOME: u32 = 1;
/// The numbers of the variants of `Result`.
pub const OK: u32 = 0;
/// `Err`
pub const ERR: u32 = 1;

/// The predeclared sums that the compiler itself speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sum {
    /// `Option<T>`
    Option,
    /// `Result<T, E>`
    Result,
    /// `Ordering`
    Ordering,
}

/// The items of the table, made once.
struct Items {
    types: Vec<ItemId>,
    functions: Vec<ItemId>,
}

fn items() -> &'static Items {
    static ITEMS: OnceLock<Items> = OnceLock::new();
    ITEMS.get_or_init(|| {
        let module = Symbol::new(MODULE);
        let named = |namespace, name| ItemId::new(ItemPath { module, namespace, name: Symbol::new(name), disambiguator: 0 });
        Items {
            types: TYPES.iter().map(|row| named(Namespace::Type, row.name)).collect(),
            functions: FUNCTIONS.iter().map(|name| named(Namespace::Function, name)).collect(),
        }
    })
}

/// Is this a module of the library?
pub fn is_library(module: Symbol) -> bool {
    module.as_str().starts_with("std.") && SOURCES.iter().any(|(name, ..)| *name == module.as_str())
}

/// Is the item declared in the library?
pub fn is_predeclared(item: ItemId) -> bool {
    is_library(item.module())
}

/// `Option`
pub fn option() -> ItemId {
    items().types[0]
}

/// `Result`
pub fn result() -> ItemId {
    items().types[1]
}

/// `Ordering`
pub fn ordering() -> ItemId {
    items().types[2]
}

/// Which of the sums that the compiler speaks of a type's item is.
pub fn sum(item: ItemId) -> Option<Sum> {
    match items().types.iter().position(|&known| known == item)? {
        0 => Some(Sum::Option),
        1 => Some(Sum::Result),
        2 => Some(Sum::Ordering),
        _ => None,
    }
}

/// The predeclared type of this name, and how many type arguments it takes.
pub fn predeclared(name: &str) -> Option<(ItemId, usize)> {
    let at = TYPES.iter().position(|row| row.name == name)?;
    Some((items().types[at], TYPES[at].arity))
}

/// The predeclared type with a variant of this name.
pub fn of_variant(name: &str) -> Option<ItemId> {
    let at = TYPES.iter().position(|row| row.variants.contains(&name))?;
    Some(items().types[at])
}

/// The predeclared function of this name.
pub fn function(name: &str) -> Option<ItemId> {
    let at = FUNCTIONS.iter().position(|known| *known == name)?;
    Some(items().functions[at])
}

/// `Ordering` as a type.
pub fn ordering_type() -> Type {
    Type::structure(ordering(), &[])
}

/// `Option<T>`
pub fn option_of(ty: Type) -> Type {
    Type::structure(option(), &[ty])
}

/// `Result<T, E>`
pub fn result_of(ty: Type, error: Type) -> Type {
    Type::structure(result(), &[ty, error])
}

#[cfg(test)]
mod tests;
