//! The names that every module sees without an import and whose declarations stand in `std/`, in Ori: types, functions, traits.
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
    Row { name: "Error", arity: 0, variants: &[] },
];

/// Functions of the prelude that are declared in `std/`.
const FUNCTIONS: &[&str] = &["is_some", "is_none", "is_ok", "is_err", "assert_some", "assert_none", "assert_ok", "assert_err", "error"];

/// What `as?` calls: from, to, function.
const CONVERSIONS: &[(Type, Type, &str)] = &[
    (Type::STR, Type::INT, "int_of_str"),
    (Type::STR, Type::FLOAT, "float_of_str"),
    (Type::STR, Type::BOOL, "bool_of_str"),
    (Type::INT, Type::BYTE, "byte_of_int"),
    (Type::INT, Type::CHAR, "char_of_int"),
    (Type::CHAR, Type::BYTE, "byte_of_char"),
    (Type::FLOAT, Type::INT, "int_of_float"),
];

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
    unshown: (ItemId, ItemId),
    conversions: Vec<ItemId>,
}

fn items() -> &'static Items {
    static ITEMS: OnceLock<Items> = OnceLock::new();
    ITEMS.get_or_init(|| {
        let module = Symbol::new(MODULE);
        let named = |namespace, name| ItemId::new(ItemPath { module, namespace, name: Symbol::new(name), disambiguator: 0 });
        Items {
            types: TYPES.iter().map(|row| named(Namespace::Type, row.name)).collect(),
            functions: FUNCTIONS.iter().map(|name| named(Namespace::Function, name)).collect(),
            conversions: CONVERSIONS.iter().map(|row| named(Namespace::Function, row.2)).collect(),
            unshown: (named(Namespace::Function, "unshown"), named(Namespace::Function, "shown")),
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
    // A type and a function cannot share their name, but these two do.
    let name = match name {
        "Error" => "error",
        "error" => return None,
        other => other,
    };
    let at = FUNCTIONS.iter().position(|known| *known == name)?;
    Some(items().functions[at])
}

/// The trait of this name in the prelude.
pub fn trait_named(name: &str) -> Option<ItemId> {
    Known::named(name).map(Known::item)
}

/// The function of the library whose instances are those of another one where the argument has `Debug`; the other one.
pub fn unshown() -> (ItemId, ItemId) {
    items().unshown
}

/// The function of the library that `as?` calls for a pair of types.
pub fn conversion(from: Type, to: Type) -> Option<ItemId> {
    let at = CONVERSIONS.iter().position(|row| (row.0, row.1) == (from, to))?;
    Some(items().conversions[at])
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

/// A trait that the compiler knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Known {
    /// `Eq`
    Eq,
    /// `Comparable`
    Comparable,
    /// `Hashable`
    Hashable,
    /// `Clone`
    Clone,
    /// `Default`
    Default,
    /// `Printable`
    Printable,
    /// `Debug`
    Debug,
    /// `Len`
    Len,
    /// `IsEmpty`
    IsEmpty,
}

/// The traits with the name of their method, in the order of their numbers.
const KNOWN: [(Known, &str, &str); 9] = [
    (Known::Eq, "Eq", "equals"),
    (Known::Comparable, "Comparable", "compare"),
    (Known::Hashable, "Hashable", "hash"),
    (Known::Clone, "Clone", "clone"),
    (Known::Default, "Default", "default"),
    (Known::Printable, "Printable", "to_str"),
    (Known::Debug, "Debug", "debug"),
    (Known::Len, "Len", "len"),
    (Known::IsEmpty, "IsEmpty", "is_empty"),
];

/// The items of a known trait: itself and its method.
fn known_items() -> &'static [(ItemId, ItemId); KNOWN.len()] {
    static ITEMS: OnceLock<[(ItemId, ItemId); KNOWN.len()]> = OnceLock::new();
    ITEMS.get_or_init(|| {
        let item = |namespace, name: &str| {
            ItemId::new(ItemPath { module: Symbol::new(MODULE), namespace, name: Symbol::new(name), disambiguator: 0 })
        };
        KNOWN.map(|(_, name, method)| (item(Namespace::Type, name), item(Namespace::Function, &format!("{name}'{method}"))))
    })
}

impl Known {
    /// The trait's item.
    pub fn item(self) -> ItemId {
        known_items()[self as usize].0
    }

    /// The item of its method.
    pub fn method(self) -> ItemId {
        known_items()[self as usize].1
    }

    /// The name.
    pub fn name(self) -> &'static str {
        KNOWN[self as usize].1
    }

    /// The name of its method.
    pub fn method_name(self) -> &'static str {
        KNOWN[self as usize].2
    }

    /// The trait that an item is.
    pub fn of(item: ItemId) -> Option<Known> {
        let at = known_items().iter().position(|(known, _)| *known == item)?;
        Some(KNOWN[at].0)
    }

    /// The trait whose method an item is.
    pub fn of_method(item: ItemId) -> Option<Known> {
        let at = known_items().iter().position(|(_, known)| *known == item)?;
        Some(KNOWN[at].0)
    }

    /// The trait with this name.
    pub fn named(name: &str) -> Option<Known> {
        KNOWN.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The trait with a method or associated function of this name.
    pub fn with_method(name: &str) -> Option<Known> {
        KNOWN.iter().find(|row| row.2 == name).map(|row| row.0)
    }

    /// May it stand in `#derive`?
    pub fn is_derivable(self) -> bool {
        match self {
            Known::Eq | Known::Comparable | Known::Hashable | Known::Clone | Known::Default | Known::Printable | Known::Debug => true,
            Known::Len | Known::IsEmpty => false,
        }
    }
}

#[cfg(test)]
mod tests;
