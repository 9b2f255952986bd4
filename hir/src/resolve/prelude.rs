//! What every module sees without import: traits, declared in the language itself (`std/prelude.ori`), and predeclared types that are sums like any
//! other, declared here.

use std::sync::OnceLock;

use ir::item::ItemPath;
use ir::{ItemId, Namespace, Symbol};
use syntax::tree::{BinaryOp, File};

use crate::program::{TraitRef, TypeDefinition, TypeForm, Variant};
use crate::{Type, TypeKind};

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
    /// `Into`
    Into,
    /// `As`
    As,
    /// `Add`
    Add,
    /// `Sub`
    Sub,
    /// `Mul`
    Mul,
    /// `Div`
    Div,
    /// `FloorDiv`
    FloorDiv,
    /// `Rem`
    Rem,
    /// `Pow`
    Pow,
    /// `MatMul`
    MatMul,
    /// `BitAnd`
    BitAnd,
    /// `BitOr`
    BitOr,
    /// `BitXor`
    BitXor,
    /// `Shl`
    Shl,
    /// `Shr`
    Shr,
    /// `Neg`
    Neg,
    /// `Not`
    Not,
    /// `BitNot`
    BitNot,
}

/// The traits with the name of their method and the number of their type parameters, in the order of their numbers.
const KNOWN: [(Known, &str, &str, usize); 27] = [
    (Known::Eq, "Eq", "equals", 0),
    (Known::Comparable, "Comparable", "compare", 0),
    (Known::Hashable, "Hashable", "hash", 0),
    (Known::Clone, "Clone", "clone", 0),
    (Known::Default, "Default", "default", 0),
    (Known::Printable, "Printable", "to_str", 0),
    (Known::Debug, "Debug", "debug", 0),
    (Known::Len, "Len", "len", 0),
    (Known::IsEmpty, "IsEmpty", "is_empty", 0),
    (Known::Into, "Into", "into", 1),
    (Known::As, "As", "as", 1),
    (Known::Add, "Add", "add", 1),
    (Known::Sub, "Sub", "subtract", 1),
    (Known::Mul, "Mul", "multiply", 1),
    (Known::Div, "Div", "divide", 1),
    (Known::FloorDiv, "FloorDiv", "floor_divide", 1),
    (Known::Rem, "Rem", "remainder", 1),
    (Known::Pow, "Pow", "power", 1),
    (Known::MatMul, "MatMul", "matrix_multiply", 1),
    (Known::BitAnd, "BitAnd", "bit_and", 1),
    (Known::BitOr, "BitOr", "bit_or", 1),
    (Known::BitXor, "BitXor", "bit_xor", 1),
    (Known::Shl, "Shl", "shift_left", 1),
    (Known::Shr, "Shr", "shift_right", 1),
    (Known::Neg, "Neg", "negate", 0),
    (Known::Not, "Not", "not", 0),
    (Known::BitNot, "BitNot", "bit_not", 0),
];

/// The items of a known trait: itself and its method.
fn items() -> &'static [(ItemId, ItemId); KNOWN.len()] {
    static ITEMS: OnceLock<[(ItemId, ItemId); KNOWN.len()]> = OnceLock::new();
    ITEMS.get_or_init(|| {
        let item = |namespace, name: &str| {
            ItemId::new(ItemPath { module: Symbol::new(MODULE), namespace, name: Symbol::new(name), disambiguator: 0 })
        };
        KNOWN.map(|(_, name, method, _)| (item(Namespace::Type, name), item(Namespace::Function, &format!("{name}'{method}"))))
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
            Known::Len | Known::IsEmpty | Known::Into | Known::As => false,
            Known::Add | Known::Sub | Known::Mul | Known::Div | Known::FloorDiv | Known::Rem | Known::Pow | Known::MatMul => false,
            Known::BitAnd | Known::BitOr | Known::BitXor | Known::Shl | Known::Shr | Known::Neg | Known::Not | Known::BitNot => false,
        }
    }

    /// How many type parameters it has.
    pub fn arity(self) -> usize {
        KNOWN[self as usize].3
    }

    /// The trait where it has no type arguments.
    pub fn plain(self) -> TraitRef {
        TraitRef::new(self.item(), &[])
    }

    /// Is it about what every value can do, and not about an operator or a conversion?
    pub fn is_of_values(self) -> bool {
        self.is_derivable() || matches!(self, Known::Len | Known::IsEmpty)
    }

    /// What the operator of the trait gives on built-in operands (language/05 §5.5); `None` when it is not defined for them.
    pub fn output(self, this: Type, args: &[Type]) -> Option<Type> {
        let is_number = matches!(this, Type::INT | Type::FLOAT);
        match (self, args) {
            (Known::Neg, []) => is_number.then_some(this),
            (Known::Not, []) => (this == Type::BOOL).then_some(this),
            (Known::BitNot, []) => matches!(this, Type::INT | Type::BYTE).then_some(this),
            (Known::Add, &[rhs]) => (this == rhs && (is_number || this == Type::STR)).then_some(this),
            (Known::Sub | Known::Mul | Known::Div, &[rhs]) => (this == rhs && is_number).then_some(this),
            (Known::Rem | Known::FloorDiv, &[rhs]) => (this == rhs && this == Type::INT).then_some(this),
            (Known::Pow, &[rhs]) => match (this, rhs) {
                (Type::INT, Type::INT) => Some(Type::INT),
                (Type::FLOAT, Type::FLOAT | Type::INT) | (Type::INT, Type::FLOAT) => Some(Type::FLOAT),
                _ => None,
            },
            (Known::BitAnd | Known::BitOr | Known::BitXor, &[rhs]) => {
                (this == rhs && matches!(this, Type::INT | Type::BYTE)).then_some(this)
            }
            (Known::Shl | Known::Shr, &[rhs]) => (rhs == Type::INT && matches!(this, Type::INT | Type::BYTE)).then_some(this),
            _ => None,
        }
    }

    /// The trait behind a binary operator.
    pub fn of_operator(op: BinaryOp) -> Option<Known> {
        Some(match op {
            BinaryOp::Add => Known::Add,
            BinaryOp::Sub => Known::Sub,
            BinaryOp::Mul => Known::Mul,
            BinaryOp::Div => Known::Div,
            BinaryOp::FloorDiv => Known::FloorDiv,
            BinaryOp::Rem => Known::Rem,
            BinaryOp::Pow => Known::Pow,
            BinaryOp::MatMul => Known::MatMul,
            BinaryOp::BitAnd => Known::BitAnd,
            BinaryOp::BitOr => Known::BitOr,
            BinaryOp::BitXor => Known::BitXor,
            BinaryOp::Shl => Known::Shl,
            BinaryOp::Shr => Known::Shr,
            BinaryOp::Eq
            | BinaryOp::Ne
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Coalesce => return None,
        })
    }

    /// The binary operator behind the trait.
    pub fn operator(self) -> Option<BinaryOp> {
        const ALL: [BinaryOp; 13] = [
            BinaryOp::Add,
            BinaryOp::Sub,
            BinaryOp::Mul,
            BinaryOp::Div,
            BinaryOp::FloorDiv,
            BinaryOp::Rem,
            BinaryOp::Pow,
            BinaryOp::MatMul,
            BinaryOp::BitAnd,
            BinaryOp::BitOr,
            BinaryOp::BitXor,
            BinaryOp::Shl,
            BinaryOp::Shr,
        ];
        ALL.into_iter().find(|&op| Known::of_operator(op) == Some(self))
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

/// What impls are looked up by: the item of a declared type, a name of its own for each kind of the others, nothing for type parameters.
pub fn head(ty: Type) -> Option<ItemId> {
    let name = match ty.kind() {
        TypeKind::Struct(item, _) => return Some(item),
        TypeKind::Tuple(_) => "tuple",
        TypeKind::List(_) => "list",
        TypeKind::Function(..) => "function",
        TypeKind::Cell(_) => "cell",
        TypeKind::Int => "int",
        TypeKind::Float => "float",
        TypeKind::Bool => "bool",
        TypeKind::Char => "char",
        TypeKind::Byte => "byte",
        TypeKind::Str => "str",
        TypeKind::Void => "void",
        TypeKind::Never => "Never",
        TypeKind::Range => "Range",
        TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Variable(_) | TypeKind::Error => return None,
    };
    Some(built_in_head(name))
}

/// The head of the types of a built-in kind.
pub fn built_in_head(name: &str) -> ItemId {
    ItemId::new(ItemPath { module: Symbol::new(MODULE), namespace: Namespace::Other, name: Symbol::new(name), disambiguator: 0 })
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
