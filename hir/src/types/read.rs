//! The text of a type becomes the type: the inverse of `Display`.

use ir::{ItemId, Symbol};

use super::{Type, TypeKind, shared};

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

/// A list of types separated by commas, the inverse of [`Listed`]; empty text is no type.
pub fn parse_list(text: &str) -> Option<Vec<Type>> {
    let mut rest = text.trim_start();
    let mut types = Vec::new();
    while !rest.is_empty() {
        let (ty, after) = parse_prefix(rest, 0)?;
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

fn parse_prefix(text: &str, depth: u32) -> Option<(Type, &str)> {
    if depth > 64 {
        return None;
    }
    let text = text.trim_start();
    match text.as_bytes().first()? {
        b'<' => {
            let (this, rest) = parse_prefix(&text[1..], depth + 1)?;
            let (interface, rest) = parse_prefix(rest.trim_start().strip_prefix("as ")?, depth + 1)?;
            let TypeKind::Struct(interface, args) = interface.kind() else { return None };
            let rest = rest.strip_prefix(">.")?;
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let parts: Vec<Type> = [this].iter().chain(args).copied().collect();
            (!name.is_empty()).then(|| (Type::associated(&parts, interface, Symbol::new(name)), rest))
        }
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
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '\'' | '$'))).unwrap_or(text.len());
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
                "" => return None,
                // A declared type of this name is written the same way, but no type of the language begins with a small letter without a module.
                "cell" if rest.starts_with('<') => {
                    let mut rest = rest[1..].trim_start();
                    let mut parts = Vec::new();
                    while !rest.starts_with('>') {
                        let (part, after) = parse_prefix(rest, depth + 1)?;
                        parts.push(part);
                        rest = after.trim_start();
                        match rest.strip_prefix(',') {
                            Some(after) => rest = after.trim_start(),
                            None if rest.starts_with('>') => {}
                            None => return None,
                        }
                    }
                    return Some((Type::cell(&parts), &rest[1..]));
                }
                "hole" if rest.starts_with('<') => {
                    let (whole, rest) = parse_prefix(&rest[1..], depth + 1)?;
                    return Some((Type::hole(whole), rest.trim_start().strip_prefix('>')?));
                }
                _ if name.contains('$') => {
                    let (name, index) = name.split_once('$')?;
                    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                    return is_name.then_some((Type::new(TypeKind::Parameter(index.parse().ok()?, Symbol::new(name))), rest));
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
                    let Some(mut rest) = rest.strip_prefix('<') else { return Some((Type::plain_struct(item), rest)) };
                    let mut args = Vec::new();
                    loop {
                        let (arg, after) = parse_prefix(rest, depth + 1)?;
                        args.push(arg);
                        rest = after.trim_start();
                        if let Some(after) = rest.strip_prefix('>') {
                            return Some((Type::structure(item, &args), after));
                        }
                        rest = rest.strip_prefix(',')?;
                    }
                }
            };
            Some((ty, rest))
        }
    }
}
