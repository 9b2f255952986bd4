//! The text of a type becomes the type: the inverse of `Display`.

use ir::{ItemId, Symbol};

use super::{Type, TypeKind, shared};

/// The type with this text, the inverse of `Display`; `None` when it is no type text. A dotted or capitalised name is a struct.
pub fn parse(text: &str) -> Option<Type> {
    let (ty, rest) = parse_prefix(text.trim())?;
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

/// A list of types separated by commas, the inverse of [`Listed`]; empty text is no type.
pub fn parse_list(text: &str) -> Option<Vec<Type>> {
    let mut rest = text.trim_start();
    let mut types = Vec::new();
    while !rest.is_empty() {
        let (ty, after) = parse_prefix(rest)?;
        types.push(ty);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    Some(types)
}

/// What has begun in front of a part that is read.
enum Open {
    /// `[`
    List,
    /// `(`, with the elements before.
    Tuple(Vec<Type>),
    /// `(..) ->`, with the parameters.
    Function(Vec<Type>),
    /// A declared type and `<`, with the arguments before.
    Struct(ItemId, Vec<Type>),
    /// `cell<`, with the parts before.
    Cell(Vec<Type>),
    /// `object<`, with the traits before.
    Object(Vec<Type>),
    /// `methods<`, with the object when it is read.
    Methods(Option<Type>),
    /// `result<f<`, with the type arguments before.
    Opaque(ItemId, Vec<Type>),
    /// `hole<`
    Hole,
    /// `<` of an associated type.
    This,
    /// `<T as`
    Trait(Type),
}

/// What stands behind the last character of a part or of its beginning.
enum Read {
    /// The type is whole.
    Whole(Type),
    /// A part of this follows.
    Part(Open),
}

/// The type at the beginning of a text, and what follows it. What is open lies in a list, so types nest as deep as they like.
fn parse_prefix(text: &str) -> Option<(Type, &str)> {
    let mut open: Vec<Open> = Vec::new();
    let (mut read, mut rest) = begun(text)?;
    loop {
        match (read, open.pop()) {
            (Read::Whole(ty), None) => return Some((ty, rest)),
            (Read::Whole(ty), Some(around)) => (read, rest) = around.with(ty, rest)?,
            (Read::Part(inner), around) => {
                open.extend(around);
                open.push(inner);
                (read, rest) = begun(rest)?;
            }
        }
    }
}

/// The beginning of a type: all of it, if it has no parts.
fn begun(text: &str) -> Option<(Read, &str)> {
    let text = text.trim_start();
    let part = |open| Some((Read::Part(open), &text[1..]));
    match text.as_bytes().first()? {
        b'<' => part(Open::This),
        b'[' => part(Open::List),
        b'(' => match text[1..].trim_start().strip_prefix(')') {
            Some(rest) => Some(after_parenthesis(Vec::new(), rest)),
            None => part(Open::Tuple(Vec::new())),
        },
        _ => named(text),
    }
}

/// What a list in parentheses is: what stands behind it tells.
fn after_parenthesis(elements: Vec<Type>, rest: &str) -> (Read, &str) {
    match rest.trim_start().strip_prefix("->") {
        Some(after) => (Read::Part(Open::Function(elements)), after),
        None => (Read::Whole(Type::tuple(&elements)), rest),
    }
}

/// Behind a part of a list: the text at the next part, and whether there is one.
fn next(rest: &str, end: char) -> Option<(bool, &str)> {
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix(',') {
        Some(after) => after.trim_start(),
        None if rest.starts_with(end) => rest,
        None => return None,
    };
    Some(match rest.strip_prefix(end) {
        Some(after) => (false, after),
        None => (true, rest),
    })
}

impl Open {
    /// What is made of it by one part more.
    fn with(self, ty: Type, rest: &str) -> Option<(Read, &str)> {
        let whole = |ty, rest| Some((Read::Whole(ty), rest));
        match self {
            Open::List => whole(Type::list(ty), rest.trim_start().strip_prefix(']')?),
            Open::Tuple(mut elements) => {
                elements.push(ty);
                match next(rest, ')')? {
                    (true, rest) => Some((Read::Part(Open::Tuple(elements)), rest)),
                    (false, rest) => Some(after_parenthesis(elements, rest)),
                }
            }
            Open::Function(params) => whole(Type::new(TypeKind::Function(shared(&params), ty)), rest),
            Open::Struct(item, mut args) => {
                args.push(ty);
                match next(rest, '>')? {
                    (true, rest) => Some((Read::Part(Open::Struct(item, args)), rest)),
                    (false, rest) => whole(Type::structure(item, &args), rest),
                }
            }
            Open::Cell(mut parts) => {
                parts.push(ty);
                match next(rest, '>')? {
                    (true, rest) => Some((Read::Part(Open::Cell(parts)), rest)),
                    (false, rest) => whole(Type::cell(&parts), rest),
                }
            }
            Open::Object(mut traits) => {
                traits.push(ty);
                match next(rest, '>')? {
                    (true, rest) => Some((Read::Part(Open::Object(traits)), rest)),
                    (false, rest) => whole(Type::object(&traits), rest),
                }
            }
            Open::Methods(None) => match next(rest, '>')? {
                (true, rest) => Some((Read::Part(Open::Methods(Some(ty))), rest)),
                (false, _) => None,
            },
            Open::Methods(Some(object)) => whole(Type::methods(object, ty), rest.trim_start().strip_prefix('>')?),
            Open::Opaque(function, mut args) => {
                args.push(ty);
                match next(rest, '>')? {
                    (true, rest) => Some((Read::Part(Open::Opaque(function, args)), rest)),
                    (false, rest) => whole(Type::opaque(function, &args), rest.strip_prefix('>')?),
                }
            }
            Open::Hole => whole(Type::hole(ty), rest.trim_start().strip_prefix('>')?),
            Open::This => Some((Read::Part(Open::Trait(ty)), rest.trim_start().strip_prefix("as ")?)),
            Open::Trait(this) => {
                let TypeKind::Struct(interface, args) = ty.kind() else { return None };
                let rest = rest.strip_prefix(">.")?;
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let (name, rest) = rest.split_at(end);
                let parts: Vec<Type> = [this].iter().chain(args).copied().collect();
                if name.is_empty() { None } else { whole(Type::associated(&parts, interface, Symbol::new(name)), rest) }
            }
        }
    }
}

/// The type that the language itself has under this name.
pub(crate) fn basic(name: &str) -> Option<Type> {
    Some(match name {
        "int" => Type::INT,
        "float" => Type::FLOAT,
        "bool" => Type::BOOL,
        "char" => Type::CHAR,
        "byte" => Type::BYTE,
        "str" => Type::STR,
        "Never" => Type::NEVER,
        _ => return None,
    })
}

/// A type that begins with a name.
fn named(text: &str) -> Option<(Read, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '\'' | '$'))).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if let Some(ty) = basic(name) {
        return Some((Read::Whole(ty), rest));
    }
    let ty = match name {
        "void" => Type::VOID,
        "error" => Type::ERROR,
        "" => return None,
        // A declared type of this name is written the same way, but no type of the language begins with a small letter without a module.
        "cell" if rest.starts_with('<') => {
            return Some(match rest[1..].trim_start().strip_prefix('>') {
                Some(rest) => (Read::Whole(Type::cell(&[])), rest),
                None => (Read::Part(Open::Cell(Vec::new())), &rest[1..]),
            });
        }
        "object" if rest.starts_with('<') => return Some((Read::Part(Open::Object(Vec::new())), &rest[1..])),
        "methods" if rest.starts_with('<') => return Some((Read::Part(Open::Methods(None)), &rest[1..])),
        "result" if rest.starts_with('<') => {
            let end = rest[1..].find(['<', '>'])? + 1;
            let (module, name) = rest[1..end].rsplit_once('.').unwrap_or(("", &rest[1..end]));
            let function = ItemId::function(Symbol::new(&decoded(module)?), Symbol::new(name));
            if name.is_empty() {
                return None;
            }
            return Some(match rest[end..].strip_prefix('<') {
                Some(args) => (Read::Part(Open::Opaque(function, Vec::new())), args),
                None => (Read::Whole(Type::opaque(function, &[])), &rest[end + 1..]),
            });
        }
        "hole" if rest.starts_with('<') => return Some((Read::Part(Open::Hole), &rest[1..])),
        _ if name.contains('$') => {
            let (name, index) = name.split_once('$')?;
            let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            return is_name.then_some((Read::Whole(Type::new(TypeKind::Parameter(index.parse().ok()?, Symbol::new(name)))), rest));
        }
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
            let item = ItemId::new(path);
            match rest.strip_prefix('<') {
                Some(args) => return Some((Read::Part(Open::Struct(item, Vec::new())), args)),
                None => Type::plain_struct(item),
            }
        }
    };
    Some((Read::Whole(ty), rest))
}
