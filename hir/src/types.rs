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
    /// `Range<int>`; appears as the source of `for` only, so far.
    Range,
    /// A tuple of two or more.
    Tuple(&'static [Type]),
    /// A list.
    List(Type),
    /// A declared struct; its fields come from [`crate::Context::type_definition`].
    Struct(ItemId),
    /// A function value; not yet a value anywhere.
    Function(&'static [Type], Type),
    /// An open variable of inference, only inside `infer`.
    Variable(u32),
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
}

const FIXED: [TypeKind; 10] = [
    TypeKind::Error,
    TypeKind::Int,
    TypeKind::Float,
    TypeKind::Bool,
    TypeKind::Char,
    TypeKind::Byte,
    TypeKind::Str,
    TypeKind::Void,
    TypeKind::Never,
    TypeKind::Range,
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
        *self.ids.write().entry(kind).or_insert_with(|| self.kinds.push(Entry { kind, content }))
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
    /// `Range<int>`
    pub const RANGE: Type = Type(9);

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

    /// `[T]`
    pub fn list(element: Type) -> Type {
        Type::new(TypeKind::List(element))
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
fn shared(elements: &[Type]) -> &'static [Type] {
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
            f.write_str("(")?;
            for (i, ty) in types.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                write!(f, "{ty}")?;
            }
            f.write_str(")")
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
            TypeKind::Range => f.write_str("Range<int>"),
            TypeKind::Tuple(elements) => list(f, elements),
            TypeKind::List(element) => write!(f, "[{element}]"),
            // In dumps a struct is `module.Name`, without the namespace mark of items.
            TypeKind::Struct(item) => {
                let path = item.path();
                // The module of a file named on the command line may have any name: what is no part of a type's text stands as `'` and its bytes in hex.
                for byte in path.module.as_str().bytes() {
                    match byte {
                        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b'-' => f.write_char(char::from(byte))?,
                        _ => write!(f, "'{byte:02x}")?,
                    }
                }
                if !path.module.as_str().is_empty() {
                    f.write_char('.')?;
                }
                write!(f, "{}", path.name)
            }
            TypeKind::Function(params, result) => {
                list(f, params)?;
                write!(f, " -> {result}")
            }
            TypeKind::Variable(n) => write!(f, "?{n}"),
        }
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

/// The type with this text, the inverse of `Display`; `None` when it is no type text. A dotted or capitalised name is a struct.
pub fn parse(text: &str) -> Option<Type> {
    let (ty, rest) = parse_prefix(text.trim(), 0)?;
    rest.trim().is_empty().then_some(ty)
}

/// A module name from its text: the inverse of what `Display` does to it.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('\'');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

fn parse_prefix(text: &str, depth: u32) -> Option<(Type, &str)> {
    if depth > 64 {
        return None;
    }
    let text = text.trim_start();
    match text.as_bytes().first()? {
        b'[' => {
            let (element, rest) = parse_prefix(&text[1..], depth + 1)?;
            Some((Type::list(element), rest.trim_start().strip_prefix(']')?))
        }
        b'(' => {
            let mut rest = text[1..].trim_start();
            let mut elements = Vec::new();
            while !rest.starts_with(')') {
                let (element, after) = parse_prefix(rest, depth + 1)?;
                elements.push(element);
                rest = after.trim_start();
                match rest.strip_prefix(',') {
                    Some(after) => rest = after.trim_start(),
                    None if rest.starts_with(')') => {}
                    None => return None,
                }
            }
            rest = &rest[1..];
            match rest.trim_start().strip_prefix("->") {
                Some(after) => {
                    let (result, rest) = parse_prefix(after, depth + 1)?;
                    let params: &'static [Type] = shared(&elements);
                    Some((Type::new(TypeKind::Function(params, result)), rest))
                }
                None => Some((Type::tuple(&elements), rest)),
            }
        }
        _ => {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '\''))).unwrap_or(text.len());
            let (name, rest) = text.split_at(end);
            let ty = match name {
                "int" => Type::INT,
                "float" => Type::FLOAT,
                "bool" => Type::BOOL,
                "char" => Type::CHAR,
                "byte" => Type::BYTE,
                "str" => Type::STR,
                "void" => Type::VOID,
                "Never" => Type::NEVER,
                "error" => Type::ERROR,
                "Range" => return Some((Type::RANGE, rest.strip_prefix("<int>")?)),
                "" => return None,
                _ => {
                    let (module, name) = match name.rsplit_once('.') {
                        // What comes of `.` or `.int` would print as nothing, or as another type.
                        Some(("", _) | (_, "")) => return None,
                        Some(parts) => parts,
                        None => ("", name),
                    };
                    let module = decoded(module)?;
                    let path = ir::item::ItemPath {
                        module: Symbol::new(&module),
                        namespace: ir::Namespace::Type,
                        name: Symbol::new(name),
                        disambiguator: 0,
                    };
                    Type::new(TypeKind::Struct(ItemId::new(path)))
                }
            };
            Some((ty, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_without_a_name_is_no_type() {
        for text in [".", "m.", "a.b.", ".int", ".T", "[.]", "(int, m.)"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_text_of_a_struct_parses_back_whatever_its_file_is_called() {
        for module in ["main", "net.probe", "03-06-large", "a b, (c) = {d}", "ünïcode", ""] {
            let path = ir::item::ItemPath {
                module: Symbol::new(module),
                namespace: ir::Namespace::Type,
                name: Symbol::new("Big"),
                disambiguator: 0,
            };
            let ty = Type::new(TypeKind::Struct(ItemId::new(path)));
            assert_eq!(parse(&ty.to_string()), Some(ty), "{ty}");
            let nested = Type::list(Type::tuple(&[ty, Type::INT]));
            assert_eq!(parse(&nested.to_string()), Some(nested), "{nested}");
        }
    }
}
