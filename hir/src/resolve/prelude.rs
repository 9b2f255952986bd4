//! The names that every module sees without an import and whose declarations stand in `std/`, in Ori: types, functions, traits.
//!
//! A name is found here without looking at the library: who does not mention one of these never parses it. The table is compared with the sources by a
//! test. What a name *means* is asked like of any other item.

mod keyed;

use std::sync::OnceLock;

use ir::item::ItemPath;
use ir::{ItemId, Namespace, Symbol};
use syntax::tree::BinaryOp;

use crate::program::TraitRef;
use crate::{Type, TypeKind};

pub use keyed::{Keyed, Spot, keyed, spot};

/// Module of the predeclared types and functions.
pub const MODULE: &str = "std.prelude";

/// Module of what lists can do.
const LISTS: &str = "std.list";

/// Module of maps and sets.
const MAPS: &str = "std.map";

/// Module of the traits of iteration, of what iterators can do, and of those of lists.
const ITERATORS: &str = "std.iter";

/// Module of ranges.
const RANGES: &str = "std.range";

/// Module of the functions of `std.math` that are no operation of a machine.
const NUMBERS: &str = "std.number";

/// Module of durations and sizes.
const UNITS: &str = "std.units";

/// The sources of the library: module, path in reports, text.
pub const SOURCES: &[(&str, &str, &str)] = &[
    (MODULE, "std/prelude.ori", include_str!("../../../std/prelude.ori")),
    (LISTS, "std/list.ori", include_str!("../../../std/list.ori")),
    ("std.str", "std/str.ori", include_str!("../../../std/str.ori")),
    (MAPS, "std/map.ori", include_str!("../../../std/map.ori")),
    (ITERATORS, "std/iter.ori", include_str!("../../../std/iter.ori")),
    (RANGES, "std/range.ori", include_str!("../../../std/range.ori")),
    (NUMBERS, "std/number.ori", include_str!("../../../std/number.ori")),
    (UNITS, "std/units.ori", include_str!("../../../std/units.ori")),
];

/// The modules with the methods of types that are not declared.
const HOMES: &[(&str, &str)] = &[("list", LISTS), ("str", "std.str"), ("char", "std.str"), ("byte", "std.str")];

/// A predeclared type: where it is declared, its name, how many type arguments it takes, its variants.
struct Row {
    module: &'static str,
    name: &'static str,
    arity: usize,
    variants: &'static [&'static str],
}

const TYPES: &[Row] = &[
    Row { module: MODULE, name: "Option", arity: 1, variants: &["None", "Some"] },
    Row { module: MODULE, name: "Result", arity: 2, variants: &["Ok", "Err"] },
    Row { module: MODULE, name: "Ordering", arity: 0, variants: &["Less", "Equal", "Greater"] },
    Row { module: MODULE, name: "Error", arity: 0, variants: &[] },
    Row { module: MODULE, name: "TraceEntry", arity: 0, variants: &[] },
    Row { module: MAPS, name: "Set", arity: 1, variants: &[] },
    Row { module: RANGES, name: "Range", arity: 1, variants: &[] },
    Row { module: UNITS, name: "Duration", arity: 0, variants: &[] },
    Row { module: UNITS, name: "Size", arity: 0, variants: &[] },
];

/// Where `Set` stands among them.
const SET: usize = 5;
/// Where `Range` does.
const RANGE: usize = 6;
/// Where `Duration` does, and behind it `Size`.
const DURATION: usize = 7;

/// Functions of the prelude that are declared in `std/`, each in its module.
const FUNCTIONS: &[(&str, &str)] = &[
    (MODULE, "is_some"),
    (MODULE, "is_none"),
    (MODULE, "is_ok"),
    (MODULE, "is_err"),
    (MODULE, "assert_some"),
    (MODULE, "assert_none"),
    (MODULE, "assert_ok"),
    (MODULE, "assert_err"),
    (MODULE, "assert_panics_with"),
    (MODULE, "assert_panics"),
    (MODULE, "error"),
    (ITERATORS, "repeat"),
];

/// Those of `std.math` that are declared in `std/`.
const OF_MATH: &[&str] =
    &["saturating_add", "saturating_sub", "saturating_mul", "checked_add", "checked_sub", "checked_mul", "checked_div"];

/// Functions of the library whose instances are those of another one where the argument has a trait: where, the function, the trait, the other one.
const SPECIALISED: &[(&str, &str, Known, &str)] =
    &[(MODULE, "unshown", Known::Debug, "shown"), (ITERATORS, "last_of", Known::DoubleEndedIterator, "last_from_back")];

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
    of_math: Vec<ItemId>,
    specialised: Vec<(ItemId, ItemId)>,
    conversions: Vec<ItemId>,
    text: [ItemId; 2],
    map: ItemId,
    new_map: ItemId,
    map_of_entries: ItemId,
    table_key: ItemId,
    /// `key_word`, `joined` and `word_of_list`.
    words: [ItemId; 3],
    new_range: ItemId,
    /// What multiplies an int by a duration and by a size.
    times: [ItemId; 2],
    listed: ItemId,
    collect: ItemId,
    iter: Symbol,
    item: Symbol,
}

fn items() -> &'static Items {
    static ITEMS: OnceLock<Items> = OnceLock::new();
    ITEMS.get_or_init(|| {
        let module = Symbol::new(MODULE);
        let of = |module, namespace, name| ItemId::new(ItemPath { module, namespace, name: Symbol::new(name), disambiguator: 0 });
        let named = |namespace, name| of(module, namespace, name);
        let maps = Symbol::new(MAPS);
        let iterators = Symbol::new(ITERATORS);
        let pair = |module, plain, special| {
            (of(Symbol::new(module), Namespace::Function, plain), of(Symbol::new(module), Namespace::Function, special))
        };
        let of_text = |name| of(Symbol::new("std.str"), Namespace::Function, name);
        Items {
            types: TYPES.iter().map(|row| of(Symbol::new(row.module), Namespace::Type, row.name)).collect(),
            functions: FUNCTIONS.iter().map(|(module, name)| of(Symbol::new(module), Namespace::Function, name)).collect(),
            of_math: OF_MATH.iter().map(|name| of(Symbol::new(NUMBERS), Namespace::Function, name)).collect(),
            conversions: CONVERSIONS.iter().map(|row| named(Namespace::Function, row.2)).collect(),
            specialised: SPECIALISED.iter().map(|row| pair(row.0, row.1, row.3)).collect(),
            text: [of_text("str_at"), of_text("width")],
            map: of(maps, Namespace::Type, "Map"),
            new_map: of(maps, Namespace::Function, "new_map"),
            map_of_entries: of(maps, Namespace::Function, "map_of_entries"),
            table_key: of(maps, Namespace::Type, "TableKey"),
            words: ["key_word", "joined", "word_of_list"].map(|name| of(maps, Namespace::Function, name)),
            new_range: of(Symbol::new(RANGES), Namespace::Function, "new_range"),
            times: ["times_duration", "times_size"].map(|name| of(Symbol::new(UNITS), Namespace::Function, name)),
            listed: of(iterators, Namespace::Function, "listed"),
            collect: of(iterators, Namespace::Function, "Iterator'collect"),
            iter: Symbol::new("Iter"),
            item: Symbol::new("Item"),
        }
    })
}

/// The head of a declared type, or of a built-in one that has methods and traits from the library.
pub fn library_head(ty: Type) -> Option<ItemId> {
    match ty.kind() {
        TypeKind::Struct(item, _) => Some(item),
        TypeKind::List(_) | TypeKind::Str | TypeKind::Char | TypeKind::Byte => head(ty),
        _ => None,
    }
}

/// The module of the library that implements methods and traits for types of this head; `None` when it declares none.
pub fn home(head: ItemId) -> Option<Symbol> {
    let path = head.path();
    let built_in = HOMES.iter().find(|(name, _)| path.namespace == Namespace::Other && *name == path.name.as_str());
    match built_in {
        Some((_, module)) => Some(Symbol::new(module)),
        None => is_predeclared(head).then(|| head.module()),
    }
}

/// Is this a module of the library?
pub fn is_library(module: Symbol) -> bool {
    module.as_str().starts_with("std.") && SOURCES.iter().any(|(name, ..)| *name == module.as_str())
}

/// The name under which an argument is given for a parameter of this function. One of the library that is a reserved word to its callers (an argument
/// may have such a name, a parameter may not) is declared with `_` behind it.
pub fn argument_name(function: ItemId, parameter: Symbol) -> Symbol {
    match parameter.as_str().strip_suffix('_') {
        Some(name) if is_predeclared(function) => Symbol::new(name),
        Some(_) | None => parameter,
    }
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
    let at = FUNCTIONS.iter().position(|(_, known)| *known == name)?;
    Some(items().functions[at])
}

/// The function of `std.math` of this name, where the library declares it.
fn of_math(name: &str) -> Option<ItemId> {
    let at = OF_MATH.iter().position(|known| *known == name)?;
    Some(items().of_math[at])
}

/// The function that a member of a standard module is, where the library declares it.
pub fn std_function(module: Symbol, member: Symbol) -> Option<ItemId> {
    match module.as_str() {
        "std.math" => of_math(member.as_str()),
        "std.testing" => function(member.as_str()),
        _ => None,
    }
}

/// The trait of this name in the prelude.
pub fn trait_named(name: &str) -> Option<ItemId> {
    Known::named(name).map(Known::item)
}

/// The function of the library that stands for this one where its argument has a trait, and the trait.
pub fn specialised(function: ItemId) -> Option<(Known, ItemId)> {
    let at = items().specialised.iter().position(|(plain, _)| *plain == function)?;
    Some((SPECIALISED[at].2, items().specialised[at].1))
}

/// The function of the library that an index into a text calls.
pub fn text_index() -> ItemId {
    items().text[0]
}

/// The function of the library that says how many bytes a character has in a text.
pub fn width() -> ItemId {
    items().text[1]
}

/// The function of the library that `as?` calls for a pair of types.
pub fn conversion(from: Type, to: Type) -> Option<ItemId> {
    let at = CONVERSIONS.iter().position(|row| (row.0, row.1) == (from, to))?;
    Some(items().conversions[at])
}

/// The struct of the library that `{K: V}` is.
pub fn map() -> ItemId {
    items().map
}

/// `Set`
pub fn set() -> ItemId {
    items().types[SET]
}

/// The function of the library that makes an empty map.
pub fn new_map() -> ItemId {
    items().new_map
}

/// The function of the library that makes a map of a list of entries.
pub fn map_of_entries() -> ItemId {
    items().map_of_entries
}

/// The trait of the library that keys of maps and elements of sets have.
pub fn table_key() -> ItemId {
    items().table_key
}

/// The function of the library that makes a word of a key, for tables.
pub fn key_word() -> ItemId {
    items().words[0]
}

/// May instances of this function be made by the compiler (`infer::made`)?
pub fn has_made_instances(function: ItemId) -> bool {
    function == key_word() || Known::of_method(function).is_some()
}

/// The function of the library that joins the words of two parts of a key.
pub fn joined_words() -> ItemId {
    items().words[1]
}

/// The function of the library that makes a word of a list.
pub fn word_of_list() -> ItemId {
    items().words[2]
}

/// `{K: V}`
pub fn map_of(key: Type, value: Type) -> Type {
    Type::structure(map(), &[key, value])
}

/// The types of the keys and values of a map.
pub fn map_parts(ty: Type) -> Option<(Type, Type)> {
    match ty.kind() {
        TypeKind::Struct(item, &[key, value]) if item == map() => Some((key, value)),
        _ => None,
    }
}

/// Is it a struct of the library whose fields are nobody else's matter? Such are all but those that the reference describes.
pub fn is_opaque(item: ItemId) -> bool {
    is_predeclared(item) && !items().types[..SET].contains(&item)
}

/// Is it a type without a name in a program: an iterator of the library?
pub fn is_iterator(item: ItemId) -> bool {
    is_opaque(item) && item.name().as_str().ends_with("Iter")
}

/// `Range<int>`
pub fn range_type() -> Type {
    Type::structure(items().types[RANGE], &[Type::INT])
}

/// The function of the library that makes a range.
pub fn new_range() -> ItemId {
    items().new_range
}

/// `Duration`, whose only part is the number of nanoseconds.
pub fn duration() -> Type {
    Type::plain_struct(items().types[DURATION])
}

/// `Size`, whose only part is the number of bytes.
pub fn size() -> Type {
    Type::plain_struct(items().types[DURATION + 1])
}

/// The function of the library that multiplies an int by a value of this type, a duration or a size.
pub fn times(right: Type) -> Option<ItemId> {
    let TypeKind::Struct(item, []) = right.kind() else { return None };
    let at = items().types[DURATION..].iter().position(|&known| known == item)?;
    items().times.get(at).copied()
}

/// The function of the library that makes a list of what can be iterated over.
pub fn listed() -> ItemId {
    items().listed
}

/// The method of iterators that collects into what is expected.
pub fn collect() -> ItemId {
    items().collect
}

/// Is it a method of iterators that asks for every item?
pub fn consumes_all(method: ItemId) -> bool {
    const METHODS: [&str; 7] = ["collect", "count", "fold", "last", "for_each", "sum", "join"];
    let name = method.name();
    let consumer = name.as_str().strip_prefix("Iterator'").filter(|_| method.module().as_str() == ITERATORS);
    consumer.is_some_and(|name| METHODS.contains(&name))
}

/// The associated type of `Iterable` that no program names: what the `iter` of an impl gives.
pub fn iter_type() -> Symbol {
    items().iter
}

/// The associated type `Item` of iterators and of what can be iterated over.
pub fn item_type() -> Symbol {
    items().item
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
    /// `Into`
    Into,
    /// `As`
    As,
    /// `TryAs`
    TryAs,
    /// `Index`
    Index,
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
    /// `Iterator`
    Iterator,
    /// `DoubleEndedIterator`
    DoubleEndedIterator,
    /// `Iterable`
    Iterable,
    /// `Collect`
    Collect,
}

/// The traits with the name of their method and the number of their type parameters, in the order of their numbers.
const KNOWN: [(Known, &str, &str, usize); 33] = [
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
    (Known::TryAs, "TryAs", "try_as", 1),
    (Known::Index, "Index", "index", 2),
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
    (Known::Iterator, "Iterator", "next", 0),
    (Known::DoubleEndedIterator, "DoubleEndedIterator", "next_back", 0),
    (Known::Iterable, "Iterable", "iter", 0),
    (Known::Collect, "Collect", "from_iter", 1),
];

/// The items of a known trait: itself and its method.
fn known_items() -> &'static [(ItemId, ItemId); KNOWN.len()] {
    static ITEMS: OnceLock<[(ItemId, ItemId); KNOWN.len()]> = OnceLock::new();
    ITEMS.get_or_init(|| {
        KNOWN.map(|(known, name, method, _)| {
            let module = Symbol::new(if known.is_of_iteration() { ITERATORS } else { MODULE });
            let item = |namespace, name: &str| ItemId::new(ItemPath { module, namespace, name: Symbol::new(name), disambiguator: 0 });
            (item(Namespace::Type, name), item(Namespace::Function, &format!("{name}'{method}")))
        })
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
            Known::Len | Known::IsEmpty | Known::Into | Known::As | Known::TryAs | Known::Index => false,
            Known::Iterator | Known::DoubleEndedIterator | Known::Iterable | Known::Collect => false,
            Known::Add | Known::Sub | Known::Mul | Known::Div | Known::FloorDiv | Known::Rem | Known::Pow | Known::MatMul => false,
            Known::BitAnd | Known::BitOr | Known::BitXor | Known::Shl | Known::Shr | Known::Neg | Known::Not | Known::BitNot => false,
        }
    }

    /// Is it about items that come one after the other?
    pub fn is_of_iteration(self) -> bool {
        matches!(self, Known::Iterator | Known::DoubleEndedIterator | Known::Iterable | Known::Collect)
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
            (Known::Mul, &[rhs]) if this == Type::INT && times(rhs).is_some() => Some(rhs),
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

/// What impls are looked up by: the item of a declared type, a name of its own for each kind of the others, nothing for type parameters.
pub fn head(ty: Type) -> Option<ItemId> {
    let name = match ty.kind() {
        TypeKind::Struct(item, _) => return Some(item),
        TypeKind::Tuple(_) => "tuple",
        TypeKind::List(_) => "list",
        TypeKind::Function(..) => "function",
        TypeKind::Object(_) => "object",
        TypeKind::Cell(_) => "cell",
        TypeKind::Methods(..) => "methods",
        TypeKind::Hole(_) => "hole",
        TypeKind::Int => "int",
        TypeKind::Float => "float",
        TypeKind::Bool => "bool",
        TypeKind::Char => "char",
        TypeKind::Byte => "byte",
        TypeKind::Str => "str",
        TypeKind::Void => "void",
        TypeKind::Never => "Never",
        TypeKind::Parameter(..) | TypeKind::Associated(..) | TypeKind::Opaque(..) | TypeKind::Variable(_) | TypeKind::Error => return None,
    };
    Some(built_in_head(name))
}

/// The function of the library that makes one list of two.
pub fn append() -> ItemId {
    static ITEM: OnceLock<ItemId> = OnceLock::new();
    *ITEM.get_or_init(|| {
        ItemId::new(ItemPath { module: Symbol::new(LISTS), namespace: Namespace::Function, name: Symbol::new("append"), disambiguator: 0 })
    })
}

/// The head of the types of a built-in kind.
pub fn built_in_head(name: &str) -> ItemId {
    ItemId::new(ItemPath { module: Symbol::new(MODULE), namespace: Namespace::Other, name: Symbol::new(name), disambiguator: 0 })
}

#[cfg(test)]
mod tests;
