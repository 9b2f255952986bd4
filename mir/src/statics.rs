//! Lists that lie in the image: what the text of `static` says.
//!
//! A list of literals, and of what is made of literals without taking a cell, need not be made by the program: it is laid out once, beside the code. Nobody holds
//! it and nobody frees it, so who changes it changes a copy. The op has the whole list as one text, and not as operands: a table of 20,000 numbers is one
//! instruction, and what looks at instructions does not pay for its elements.
//!
//! | value                | text                                              |
//! |----------------------|---------------------------------------------------|
//! | `int`                | `-5`                                              |
//! | `float`              | `0x3ff0000000000000`, its bits                    |
//! | `bool`               | `true`, `false`                                   |
//! | `char`, `byte`       | `c65`, `b65`                                      |
//! | `str`                | `"text"`, with `\` in front of `"` and `\`        |
//! | `void`               | `()`                                              |
//! | a tuple or struct    | `{1, 2}`                                          |
//! | a variant            | `v1{1, 2}`                                        |
//! | a list               | `[2; 1, 2]`, its length first                     |

use std::fmt::Write;

use hir::{Type, TypeKind};
use ir::{Stop, Symbol};

use crate::ir::{ConstValue, Context};

/// A value of a static list.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Datum {
    /// `int`
    Int(i64),
    /// Bits of a `float`.
    Float(u64),
    /// `bool`
    Bool(bool),
    /// `char`
    Char(char),
    /// `byte`
    Byte(u8),
    /// `()`
    Unit,
    /// `str`
    Str(Symbol),
    /// Fields of a tuple or struct.
    Aggregate(Vec<Datum>),
    /// Number and payload of a variant.
    Variant(u32, Vec<Datum>),
    /// Elements of a list.
    List(Vec<Datum>),
}

/// How deep values nest at most: whoever reads them does so by recursion. Constants nest less.
const MAX_DEPTH: u32 = 160;

/// The text of a list that is a constant; nothing where an element has a cell or a function in it, which are counted whoever holds them.
pub fn text_of(list: &ConstValue) -> Option<Symbol> {
    let mut out = String::new();
    match list {
        ConstValue::List(_, elements) if !elements.is_empty() => {}
        _ => return None,
    }
    print(list, &mut out).then(|| Symbol::new(&out))
}

/// Appends a constant; false when it cannot be static.
fn print(value: &ConstValue, out: &mut String) -> bool {
    match value {
        ConstValue::Int(value) => write!(out, "{value}").is_ok(),
        ConstValue::Float(bits) => write!(out, "{bits:#018x}").is_ok(),
        ConstValue::Bool(value) => write!(out, "{value}").is_ok(),
        ConstValue::Char(value) => write!(out, "c{}", u32::from(*value)).is_ok(),
        ConstValue::Byte(value) => write!(out, "b{value}").is_ok(),
        ConstValue::Unit => {
            out.push_str("()");
            true
        }
        ConstValue::Str(text) => {
            out.push('"');
            for c in text.as_str().chars() {
                if matches!(c, '"' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }
            out.push('"');
            true
        }
        ConstValue::Aggregate(_, parts) => {
            out.push('{');
            print_all(parts, '}', out)
        }
        ConstValue::Variant(_, number, parts) => {
            let _ = write!(out, "v{number}{{");
            print_all(parts, '}', out)
        }
        ConstValue::List(_, elements) => {
            let _ = write!(out, "[{}; ", elements.len());
            print_all(elements, ']', out)
        }
        ConstValue::Cell(..) | ConstValue::Function(..) | ConstValue::Object(..) => false,
    }
}

fn print_all(parts: &[ConstValue], end: char, out: &mut String) -> bool {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        if !print(part, out) {
            return false;
        }
    }
    out.push(end);
    true
}

/// How many elements the text says that its list has. The verifier compares.
pub fn length(text: Symbol) -> Option<i64> {
    let (length, _) = text.as_str().strip_prefix('[')?.split_once(';')?;
    length.parse().ok().filter(|length| *length >= 0)
}

/// The list that a text stands for; nothing when it is no text of a list.
pub fn parse(text: Symbol) -> Option<Datum> {
    let mut parser = Parser { rest: text.as_str() };
    let list = parser.value(0)?;
    (parser.rest.is_empty() && matches!(list, Datum::List(_))).then_some(list)
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn value(&mut self, depth: u32) -> Option<Datum> {
        if depth == MAX_DEPTH {
            return None;
        }
        Some(match *self.rest.as_bytes().first()? {
            b'[' => {
                self.take("[")?;
                let length: usize = self.until(|c| c != ';').parse().ok()?;
                self.take("; ")?;
                let elements = self.all(']', depth)?;
                (elements.len() == length).then_some(Datum::List(elements))?
            }
            b'{' => {
                self.take("{")?;
                Datum::Aggregate(self.all('}', depth)?)
            }
            b'v' => {
                self.take("v")?;
                let number = self.until(|c| c.is_ascii_digit()).parse().ok()?;
                self.take("{")?;
                Datum::Variant(number, self.all('}', depth)?)
            }
            b'"' => Datum::Str(self.quoted()?),
            b'(' => {
                self.take("()")?;
                Datum::Unit
            }
            _ => scalar(self.until(|c| c.is_ascii_alphanumeric() || c == '-'))?,
        })
    }

    fn all(&mut self, end: char, depth: u32) -> Option<Vec<Datum>> {
        let mut all = Vec::new();
        if let Some(rest) = self.rest.strip_prefix(end) {
            self.rest = rest;
            return Some(all);
        }
        loop {
            all.push(self.value(depth + 1)?);
            if let Some(rest) = self.rest.strip_prefix(end) {
                self.rest = rest;
                return Some(all);
            }
            self.take(", ")?;
        }
    }

    fn take(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn until(&mut self, goes_on: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !goes_on(c)).unwrap_or(self.rest.len());
        let (found, rest) = self.rest.split_at(end);
        self.rest = rest;
        found
    }

    fn quoted(&mut self) -> Option<Symbol> {
        self.take("\"")?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(Symbol::new(&text));
                }
                '\\' => text.push(chars.next()?.1),
                c => text.push(c),
            }
        }
        None
    }
}

fn scalar(word: &str) -> Option<Datum> {
    if let Some(bits) = word.strip_prefix("0x") {
        return u64::from_str_radix(bits, 16).ok().map(Datum::Float);
    }
    if let Some(code) = word.strip_prefix('c') {
        return code.parse().ok().and_then(char::from_u32).map(Datum::Char);
    }
    match word {
        "true" => Some(Datum::Bool(true)),
        "false" => Some(Datum::Bool(false)),
        _ => match word.strip_prefix('b') {
            Some(byte) => byte.parse().ok().map(Datum::Byte),
            None => word.parse().ok().map(Datum::Int),
        },
    }
}

/// Is it a value of this type?
pub fn is_of(value: &Datum, ty: Type, cx: &dyn Context) -> Result<bool, Stop> {
    let are_of = |values: &[Datum], types: &[Type]| -> Result<bool, Stop> {
        if values.len() != types.len() {
            return Ok(false);
        }
        for (value, &ty) in values.iter().zip(types) {
            if !is_of(value, ty, cx)? {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(match (value, ty.kind()) {
        (Datum::Int(_), TypeKind::Int)
        | (Datum::Float(_), TypeKind::Float)
        | (Datum::Bool(_), TypeKind::Bool)
        | (Datum::Char(_), TypeKind::Char)
        | (Datum::Byte(_), TypeKind::Byte)
        | (Datum::Str(_), TypeKind::Str)
        | (Datum::Unit, TypeKind::Void) => true,
        (Datum::Aggregate(parts), TypeKind::Tuple(_) | TypeKind::Struct(..)) => match cx.fields(ty)? {
            Some(fields) => are_of(parts, &fields)?,
            None => false,
        },
        (Datum::Variant(number, parts), TypeKind::Struct(..)) => match cx.variants(ty)? {
            Some(variants) => match variants.get(*number as usize) {
                Some(payload) => are_of(parts, payload)?,
                None => false,
            },
            None => false,
        },
        (Datum::List(elements), TypeKind::List(element)) => {
            for value in elements {
                if !is_of(value, element, cx)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}
