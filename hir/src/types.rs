//! The hash-consed type.
//!
//! Four bytes, equal iff structurally equal, never stored or ordered by number: `Display` gives the canonical text, and stored values carry tables
//! of types (decision 2).

use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use hashbrown::HashMap;
use ir::grow::Grow;
use ir::intern::content_of;
use ir::{ItemId, Symbol};
use parking_lot::RwLock;

mod read;
pub(crate) use read::basic;
pub use read::{parse, parse_list};

/// A type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Type(u32);

/// What a type is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TypeKind {
    /// An error was reported; unifies with everything and reports nothing more.
    Error,
    /// 64-bit integer.
    Int,
    /// Double.
    Float,
    /// Truth value.
    Bool,
    /// Unicode scalar value.
    Char,
    /// 0 to 255.
    Byte,
    /// UTF-8 text.
    Str,
    /// The unit type.
    Void,
    /// No value.
    Never,
    /// A tuple of two or more.
    Tuple(&'static [Type]),
    /// A list.
    List(Type),
    /// A declared struct with its type arguments; its fields come from [`crate::Context::type_definition`].
    Struct(ItemId, &'static [Type]),
    /// A type parameter: its index among those of the item around it (those of an impl or trait come first), and its name, for messages.
    Parameter(u32, Symbol),
    /// What an associated type is for a type that is not known yet: `Self` and the type arguments of the trait, the trait, the name.
    Associated(&'static [Type], ItemId, Symbol),
    /// A function value.
    Function(&'static [Type], Type),
    /// A trait object: a value of some type that has these traits, each as the declared type of its name and arguments, sorted by their text.
    Object(&'static [Type]),
    /// The result of this function or method, declared with `impl`, for these type arguments, of which callers know traits alone; gone when
    /// code is made.
    Opaque(ItemId, &'static [Type]),
    /// A cell on the heap with parts of these types; from MIR on, never in HIR.
    Cell(&'static [Type]),
    /// How a value of the second type does what the traits of the first, a trait object, ask for: addresses of code; from MIR on, never in HIR.
    Methods(Type, Type),
    /// A value of this type with a hole of this type in it; from MIR on, never in HIR.
    Hole(Type),
    /// An open variable of inference, only inside `infer`.
    Variable(u32),
}

/// Pattern of the kinds that have no parts, hold nothing on the heap and are never open: what a question about parts or counts answers alike.
#[macro_export]
macro_rules! base_kinds {
    () => {
        $crate::TypeKind::Error
            | $crate::TypeKind::Int
            | $crate::TypeKind::Float
            | $crate::TypeKind::Bool
            | $crate::TypeKind::Char
            | $crate::TypeKind::Byte
            | $crate::TypeKind::Void
            | $crate::TypeKind::Never
    };
}

#[derive(Default)]
struct Interner {
    kinds: Grow<Entry>,
    ids: RwLock<HashMap<TypeKind, u32>>,
}

/// A kind and what it is hashed as.
struct Entry {
    kind: TypeKind,
    content: u128,
    /// Does a type parameter occur in it? An open variable?
    has: Has,
}

/// What occurs in a type.
#[derive(Clone, Copy, Default)]
struct Has {
    parameter: bool,
    variable: bool,
    associated: bool,
    error: bool,
    /// Types in its parts, each as often as its text has it.
    parts: u32,
}

impl Has {
    fn of(kind: TypeKind) -> Has {
        match kind {
            TypeKind::Parameter(..) => Has { parameter: true, ..Has::default() },
            TypeKind::Variable(_) => Has { variable: true, ..Has::default() },
            TypeKind::Associated(parts, ..) => Has { associated: true, ..Has::any(parts.iter()) },
            TypeKind::Tuple(parts) | TypeKind::Struct(_, parts) | TypeKind::Cell(parts) | TypeKind::Object(parts) => Has::any(parts.iter()),
            // What it is is told when code is made, as with a type parameter, and as with an associated type by whoever knows.
            TypeKind::Opaque(_, parts) => Has { parameter: true, associated: true, ..Has::any(parts.iter()) },
            TypeKind::Methods(object, of) => Has::any([&object, &of].into_iter()),
            TypeKind::List(inner) | TypeKind::Hole(inner) => Has::any([&inner].into_iter()),
            TypeKind::Function(params, result) => Has::any(params.iter().chain([&result])),
            crate::base_kinds!() | TypeKind::Str => Has::default(),
        }
    }

    fn any<'a>(types: impl Iterator<Item = &'a Type>) -> Has {
        types.fold(Has::default(), |all, ty| {
            let has = ty.has();
            Has {
                parameter: all.parameter || has.parameter,
                variable: all.variable || has.variable,
                associated: all.associated || has.associated,
                error: all.error || *ty == Type::ERROR || has.error,
                parts: all.parts.saturating_add(has.parts).saturating_add(1),
            }
        })
    }
}

const FIXED: [TypeKind; 9] = [
    TypeKind::Error,
    TypeKind::Int,
    TypeKind::Float,
    TypeKind::Bool,
    TypeKind::Char,
    TypeKind::Byte,
    TypeKind::Str,
    TypeKind::Void,
    TypeKind::Never,
];

fn interner() -> &'static Interner {
    static INTERNER: OnceLock<Interner> = OnceLock::new();
    INTERNER.get_or_init(|| {
        let interner = Interner::default();
        for kind in FIXED {
            interner.push(kind);
        }
        interner
    })
}

impl Interner {
    /// The number of a kind, which is new or not.
    fn push(&self, kind: TypeKind) -> u32 {
        // Before the lock: the parts of a kind are hashed by their own entries.
        let content = content_of(format!("{kind:?}").as_bytes());
        let has = Has::of(kind);
        *self.ids.write().entry(kind).or_insert_with(|| self.kinds.push(Entry { kind, content, has }))
    }
}

impl Hash for Type {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The built-in types have the same numbers in every process, and are nearly all there are.
        match u8::try_from(self.0) {
            Ok(number) if usize::from(number) < FIXED.len() => state.write_u8(number),
            Ok(_) | Err(_) => {
                state.write_u8(u8::MAX);
                state.write_u128(interner().kinds.get(self.0).content);
            }
        }
    }

    /// The same bytes as one type after the other, but those of built-in types in one piece: a body has a column of them.
    fn hash_slice<H: Hasher>(types: &[Type], state: &mut H) {
        let mut rest = types;
        while !rest.is_empty() {
            let mut bytes = [0; 64];
            let fixed = rest.iter().map_while(|ty| u8::try_from(ty.0).ok().filter(|&number| usize::from(number) < FIXED.len()));
            let count = bytes.iter_mut().zip(fixed).map(|(byte, number)| *byte = number).count();
            state.write(&bytes[..count]);
            rest = &rest[count..];
            if let (true, [first, others @ ..]) = (count < bytes.len(), rest) {
                first.hash(state);
                rest = others;
            }
        }
    }
}

impl Type {
    /// An error was reported.
    pub const ERROR: Type = Type(0);
    /// `int`
    pub const INT: Type = Type(1);
    /// `float`
    pub const FLOAT: Type = Type(2);
    /// `bool`
    pub const BOOL: Type = Type(3);
    /// `char`
    pub const CHAR: Type = Type(4);
    /// `byte`
    pub const BYTE: Type = Type(5);
    /// `str`
    pub const STR: Type = Type(6);
    /// `void`
    pub const VOID: Type = Type(7);
    /// `Never`
    pub const NEVER: Type = Type(8);

    /// The type of this kind.
    pub fn new(kind: TypeKind) -> Type {
        let interner = interner();
        if let Some(&id) = interner.ids.read().get(&kind) {
            return Type(id);
        }
        Type(interner.push(kind))
    }

    /// What it is.
    #[inline]
    pub fn kind(self) -> TypeKind {
        match FIXED.get(self.0 as usize) {
            Some(&kind) => kind,
            None => interner().kinds.get(self.0).kind,
        }
    }

    /// `(A, B, ..)`; `()` and a single element are not tuples.
    pub fn tuple(elements: &[Type]) -> Type {
        match elements {
            [] => Type::VOID,
            [one] => *one,
            _ => Type::new(TypeKind::Tuple(shared(elements))),
        }
    }

    /// A declared struct without type arguments.
    pub fn plain_struct(item: ItemId) -> Type {
        Type::new(TypeKind::Struct(item, &[]))
    }

    /// A declared struct.
    pub fn structure(item: ItemId, args: &[Type]) -> Type {
        Type::new(TypeKind::Struct(item, shared(args)))
    }

    fn has(self) -> Has {
        if (self.0 as usize) < FIXED.len() { Has::default() } else { interner().kinds.get(self.0).has }
    }

    /// Does a type parameter occur in it?
    pub fn has_parameter(self) -> bool {
        self.has().parameter
    }

    /// Does an open variable of inference occur in it?
    pub fn has_variable(self) -> bool {
        self.has().variable
    }

    /// Does an associated type occur in it?
    pub fn has_associated(self) -> bool {
        self.has().associated
    }

    /// Is it, or a part of it, an error?
    pub fn has_error(self) -> bool {
        self == Type::ERROR || self.has().error
    }

    /// Types that its text has.
    pub fn size(self) -> u32 {
        self.has().parts.saturating_add(1)
    }

    /// An associated type of a type that is not known yet.
    pub fn associated(parts: &[Type], interface: ItemId, name: Symbol) -> Type {
        Type::new(TypeKind::Associated(shared(parts), interface, name))
    }

    /// The type with each part replaced that `replace` has an answer for, from the outside inwards.
    pub fn replaced(self, replace: &mut dyn FnMut(Type) -> Option<Type>) -> Type {
        if let Some(other) = replace(self) {
            return other;
        }
        let mut all = |parts: &[Type]| -> Vec<Type> { parts.iter().map(|part| part.replaced(replace)).collect() };
        match self.kind() {
            TypeKind::Tuple(parts) => Type::tuple(&all(parts)),
            TypeKind::Struct(item, args) if !args.is_empty() => Type::structure(item, &all(args)),
            TypeKind::List(element) => Type::list(all(&[element])[0]),
            TypeKind::Cell(parts) => Type::cell(&all(parts)),
            TypeKind::Object(traits) => Type::object(&all(traits)),
            TypeKind::Opaque(item, args) => Type::opaque(item, &all(args)),
            TypeKind::Methods(object, of) => {
                let parts = all(&[object, of]);
                Type::methods(parts[0], parts[1])
            }
            TypeKind::Hole(whole) => Type::hole(all(&[whole])[0]),
            TypeKind::Associated(parts, interface, name) => Type::associated(&all(parts), interface, name),
            TypeKind::Function(params, result) => {
                let params = shared(&all(params));
                Type::new(TypeKind::Function(params, all(&[result])[0]))
            }
            crate::base_kinds!() | TypeKind::Str | TypeKind::Struct(..) | TypeKind::Parameter(..) | TypeKind::Variable(_) => self,
        }
    }

    /// The type with `args` in place of the type parameters.
    pub fn substituted(self, args: &[Type]) -> Type {
        if args.is_empty() || !self.has_parameter() {
            return self;
        }
        self.replaced(&mut |ty| match ty.kind() {
            _ if !ty.has_parameter() => Some(ty),
            TypeKind::Parameter(index, _) => args.get(index as usize).copied(),
            _ => None,
        })
    }

    /// `[T]`
    pub fn list(element: Type) -> Type {
        Type::new(TypeKind::List(element))
    }

    /// A cell with parts of these types.
    pub fn cell(parts: &[Type]) -> Type {
        Type::new(TypeKind::Cell(shared(parts)))
    }

    /// A value of this type that is not yet whole.
    pub fn hole(whole: Type) -> Type {
        Type::new(TypeKind::Hole(whole))
    }

    /// `(A, B) -> C`
    pub fn function(params: &[Type], result: Type) -> Type {
        Type::new(TypeKind::Function(shared(params), result))
    }

    /// A trait object of these traits, in any order.
    pub fn object(traits: &[Type]) -> Type {
        let mut sorted = traits.to_vec();
        sorted.sort_by_cached_key(Type::to_string);
        sorted.dedup();
        Type::new(TypeKind::Object(shared(&sorted)))
    }

    /// How a value of type `of` does what the traits of this object ask for.
    pub fn methods(object: Type, of: Type) -> Type {
        Type::new(TypeKind::Methods(object, of))
    }

    /// What a function with a hidden result gives for these type arguments.
    pub fn opaque(function: ItemId, args: &[Type]) -> Type {
        Type::new(TypeKind::Opaque(function, shared(args)))
    }

    /// The number behind the type, for columns in memory.
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The type with this number; `raw` must have come from [`Type::raw`] in this process.
    pub const fn from_raw(raw: u32) -> Type {
        Type(raw)
    }

    /// Is it `Never` or an error: does it fit everywhere?
    pub fn fits_anywhere(self) -> bool {
        self == Type::NEVER || self == Type::ERROR
    }
}

/// One leaked slice for all equal lists of types.
pub(crate) fn shared(elements: &[Type]) -> &'static [Type] {
    if elements.is_empty() {
        return &[];
    }
    static SLICES: OnceLock<RwLock<HashMap<Vec<Type>, &'static [Type]>>> = OnceLock::new();
    let slices = SLICES.get_or_init(Default::default);
    if let Some(found) = slices.read().get(elements) {
        return found;
    }
    slices.write().entry(elements.to_vec()).or_insert_with(|| Box::leak(elements.to_vec().into_boxed_slice()))
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list(f: &mut fmt::Formatter<'_>, types: &[Type]) -> fmt::Result {
            write!(f, "({})", Listed(types))
        }
        // The module of a file named on the command line may have any name: what is no part of a type's text stands as `'` and its bytes in hex.
        fn module(f: &mut fmt::Formatter<'_>, module: Symbol) -> fmt::Result {
            for byte in module.as_str().bytes() {
                match byte {
                    b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b'-' => f.write_char(char::from(byte))?,
                    _ => write!(f, "'{byte:02x}")?,
                }
            }
            if module.as_str().is_empty() { Ok(()) } else { f.write_char('.') }
        }
        match self.kind() {
            TypeKind::Error => f.write_str("error"),
            TypeKind::Int => f.write_str("int"),
            TypeKind::Float => f.write_str("float"),
            TypeKind::Bool => f.write_str("bool"),
            TypeKind::Char => f.write_str("char"),
            TypeKind::Byte => f.write_str("byte"),
            TypeKind::Str => f.write_str("str"),
            TypeKind::Void => f.write_str("void"),
            TypeKind::Never => f.write_str("Never"),
            TypeKind::Tuple(elements) => list(f, elements),
            TypeKind::List(element) => write!(f, "[{element}]"),
            // In dumps a struct is `module.Name`, without the namespace mark of items.
            TypeKind::Struct(item, args) => {
                let path = item.path();
                module(f, path.module)?;
                write!(f, "{}", path.name)?;
                if args.is_empty() { Ok(()) } else { write!(f, "<{}>", Listed(args)) }
            }
            TypeKind::Associated(parts, interface, name) => {
                let (this, args) = parts.split_first().map_or((Type::ERROR, parts), |(this, args)| (*this, args));
                write!(f, "<{this} as {}>.{name}", Type::structure(interface, args))
            }
            // Unlike any name of the language: the index is what counts.
            TypeKind::Parameter(index, name) => write!(f, "{name}${index}"),
            TypeKind::Function(params, result) => {
                list(f, params)?;
                write!(f, " -> {result}")
            }
            TypeKind::Object(traits) => write!(f, "object<{}>", Listed(traits)),
            TypeKind::Opaque(function, args) => {
                let path = function.path();
                f.write_str("result<")?;
                module(f, path.module)?;
                write!(f, "{}", path.name)?;
                if args.is_empty() { f.write_str(">") } else { write!(f, "<{}>>", Listed(args)) }
            }
            TypeKind::Cell(parts) => write!(f, "cell<{}>", Listed(parts)),
            TypeKind::Methods(object, of) => write!(f, "methods<{object}, {of}>"),
            TypeKind::Hole(whole) => write!(f, "hole<{whole}>"),
            TypeKind::Variable(n) => write!(f, "?{n}"),
        }
    }
}

/// Types separated by commas: the text of a list of type arguments.
pub struct Listed<'a>(pub &'a [Type]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, ty) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{ty}")?;
        }
        Ok(())
    }
}

/// Stored as its text: no number of an interner leaves the process (decision 2).
impl serde::Serialize for Type {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Type {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Type;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a type")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Type, E> {
                parse(text).ok_or_else(|| E::custom("no type"))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An item and its type arguments; none when it is no instance, or no list of types follows its name.
pub fn instance_of(item: ItemId) -> (ItemId, &'static [Type]) {
    if !item.is_instance() {
        return (item, &[]);
    }
    type Known = RwLock<HashMap<ItemId, (ItemId, &'static [Type])>>;
    static KNOWN: OnceLock<Known> = OnceLock::new();
    let known = KNOWN.get_or_init(Default::default);
    if let Some(&found) = known.read().get(&item) {
        return found;
    }
    let (base, args) = item.generic();
    let found = match parse_list(args) {
        Some(types) => (base, shared(&types)),
        None => (item, &[][..]),
    };
    known.write().insert(item, found);
    found
}

/// Type parameters as types: what stands for them in the generic item itself.
pub fn parameters(names: &[Symbol]) -> Vec<Type> {
    names.iter().zip(0..).map(|(name, index)| Type::new(TypeKind::Parameter(index, *name))).collect()
}

/// The instance of an item with these type arguments.
pub fn instance(item: ItemId, args: &[Type]) -> ItemId {
    if args.is_empty() { item } else { item.instance(&Listed(args).to_string()) }
}

#[cfg(test)]
mod tests;
