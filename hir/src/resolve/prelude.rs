//! What every module sees without import: traits, declared in the language itself (`std/prelude.ori`), and predeclared types that are sums like any
//! other, declared here.

use std::sync::OnceLock;

use ir::item::ItemPath;
use ir::{ItemId, Namespace, Symbol};
use syntax::tree::File;

use crate::Type;
use crate::program::{TypeDefinition, TypeForm, Variant};

/// Module of the prelude; no module of a package has a name of this form.
const MODULE: &str = "std.prelude";
/// The declarations of the traits.
pub const SOURCE: &str = include_str!("../../../std/prelude.ori");
/// Where positions say that they stand.
pub const PATH: &str = "std/prelude.ori";

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
fn items() -> &'static [(ItemId, ItemId); KNOWN.len()] {
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
        items()[self as usize].0
    }

    /// The item of its method.
    pub fn method(self) -> ItemId {
        items()[self as usize].1
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
        let at = items().iter().position(|(known, _)| *known == item)?;
        Some(KNOWN[at].0)
    }

    /// The trait whose method an item is.
    pub fn of_method(item: ItemId) -> Option<Known> {
        let at = items().iter().position(|(_, known)| *known == item)?;
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

/// The module of the prelude.
pub fn module() -> Symbol {
    Symbol::new(MODULE)
}

/// The parsed declarations.
pub fn file() -> File {
    syntax::parse(module(), SOURCE)
}

/// The trait of this name in the prelude.
pub fn trait_named(name: &str) -> Option<ItemId> {
    Known::named(name).map(Known::item)
}

/// The numbers of the variants of `Ordering`.
pub const LESS: u32 = 0;
/// `Equal`
pub const EQUAL: u32 = 1;
/// `Greater`
pub const GREATER: u32 = 2;

/// Is the item of the prelude?
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
