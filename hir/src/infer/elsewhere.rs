//! What other languages call the methods of the types of the language, for the help of E0308, and their values and functions, for that of E2003: a name that is
//! not a slip of the pen but a habit.

use crate::resolve::prelude::{self, Sum};
use crate::types::{Type, TypeKind};

/// A type that habits are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Of {
    Int,
    Float,
    Str,
    List,
    Map,
    Set,
    Option,
}

use Of::{Float, Int, List, Map, Set, Str};

/// The type, names elsewhere, and what it is here: a method of the type, or, with a space in it, what to write.
const HABITS: &[(Of, &[&str], &str)] = &[
    (Str, &["length", "size", "count"], "len"),
    (Str, &["slice", "substr", "sub", "get"], "substring"),
    (Str, &["to_upper", "upper", "toUpperCase", "upcase"], "to_uppercase"),
    (Str, &["to_lower", "lower", "toLowerCase", "downcase"], "to_lowercase"),
    (Str, &["strip"], "trim"),
    (Str, &["lstrip", "trimStart"], "trim_start"),
    (Str, &["rstrip", "trimEnd"], "trim_end"),
    (Str, &["find", "indexOf", "position"], "index_of"),
    (Str, &["includes", "has"], "contains"),
    (Str, &["startsWith", "has_prefix"], "starts_with"),
    (Str, &["endsWith", "has_suffix"], "ends_with"),
    (Str, &["replaceAll", "replace_all", "gsub"], "replace"),
    (Str, &["bytes"], "as_bytes"),
    (Str, &["push", "push_str", "append", "concat"], "`a + b`, or a template: `{a}{b}`"),
    (Str, &["parse", "parse_int", "to_int", "toInt", "to_i"], "`text as? int` for an `Option<int>`, or `int(text)`, which panics"),
    (Str, &["parse_float", "to_float", "toDouble", "to_f"], "`text as? float` for an `Option<float>`, or `float(text)`, which panics"),
    (Str, &["char_at", "charAt", "at", "nth"], "`text[i]`, the code point at `i`"),
    (List, &["length", "size", "count"], "len"),
    (List, &["append", "add", "push_back"], "push"),
    (List, &["head", "front"], "first"),
    (List, &["tail", "rest"], "skip"),
    (List, &["includes", "has", "elem"], "contains"),
    (List, &["reduce", "foldl", "fold_left", "inject"], "fold"),
    (List, &["select", "where"], "filter"),
    (List, &["forEach", "each", "foreach"], "for_each"),
    (List, &["indexOf", "position", "find_index"], "index_of"),
    (List, &["at", "nth"], "get"),
    (List, &["sorted"], "sort"),
    (List, &["reversed"], "reverse"),
    (List, &["drop"], "skip"),
    (List, &["delete", "remove_at", "removeAt"], "remove"),
    (List, &["flatMap", "concat_map"], "flat_map"),
    (List, &["extend", "concat", "append_all", "addAll"], "`xs + ys`"),
    (List, &["some"], "any"),
    (List, &["every"], "all"),
    (Map, &["length", "size", "count"], "len"),
    (Map, &["put", "set", "add"], "insert"),
    (Map, &["contains", "has", "has_key", "containsKey", "includes"], "contains_key"),
    (Map, &["delete", "erase"], "remove"),
    (Map, &["items", "pairs", "to_list"], "entries"),
    (Map, &["get_or", "getOrDefault", "get_or_default", "fetch", "unwrap_or"], "`m[key] ?? other`"),
    (Map, &["update", "extend"], "merge"),
    (Set, &["length", "size", "count"], "len"),
    (Set, &["add", "push", "put"], "insert"),
    (Set, &["has", "includes", "contains_key"], "contains"),
    (Set, &["delete", "erase", "discard"], "remove"),
    (Set, &["intersect"], "intersection"),
    (Set, &["minus", "subtract"], "difference"),
    (Of::Option, &["get", "value"], "unwrap"),
    (Of::Option, &["get_or", "getOrElse", "get_or_else", "or_default", "value_or"], "`a ?? other`"),
    (Of::Option, &["flat_map", "flatMap", "bind", "then"], "and_then"),
    (Of::Option, &["is_defined", "is_present", "has_value"], "is_some"),
    (Of::Option, &["is_empty"], "is_none"),
    (Int, &["to_string", "toString", "to_s"], "`str(n)`, or a template: `{n}`"),
    (Int, &["to_float", "toDouble", "to_f"], "`n as float`"),
    (Float, &["to_string", "toString", "to_s"], "`str(x)`, or a template: `{x}`"),
    (Float, &["to_int", "toInt", "to_i"], "one of `truncate()`, `round()`, `floor()` and `ceil()`"),
    (Float, &["trunc"], "truncate"),
    (Float, &["ceiling"], "ceil"),
    (Float, &["sqrt"], "`sqrt(x)`"),
];

fn form(ty: Type) -> Option<Of> {
    match ty.kind() {
        TypeKind::Int => Some(Int),
        TypeKind::Float => Some(Float),
        TypeKind::Str => Some(Str),
        TypeKind::List(_) => Some(List),
        TypeKind::Struct(item, _) if item == prelude::map() => Some(Map),
        TypeKind::Struct(item, _) if item == prelude::set() => Some(Set),
        TypeKind::Struct(item, _) if prelude::sum(item) == Some(Sum::Option) => Some(Of::Option),
        _ => None,
    }
}

/// What is to be written for a method that another language has for this type.
pub(super) fn meant(ty: Type, name: &str) -> Option<String> {
    let form = form(ty)?;
    let (_, _, here) = HABITS.iter().find(|(of, names, _)| *of == form && names.contains(&name))?;
    Some(match here.contains(' ') || here.contains('(') {
        true => format!("here that is {here}"),
        false => format!("here that is `{here}`"),
    })
}

/// Names of values and functions elsewhere, and what to write here.
const NAMES: &[(&[&str], &str)] = &[
    (&["null", "nil", "undefined"], "where there may be no value, its type is an `Option` and nothing is `None`"),
    (&["True", "TRUE", "YES"], "it is written `true`"),
    (&["False", "FALSE", "NO"], "it is written `false`"),
    (&["this", "Me"], "the value that a method is called with is `self`"),
    (
        &["println", "printf", "puts", "echo", "console", "fmt", "writeln", "Console", "System"],
        "`print(msg: text)` prints a line; `{value}` in a template makes a text of a value",
    ),
    (&["format", "sprintf"], "a text with values in it is a template: `a = {a}` in backticks, with a format behind a colon: `{x:.2}`"),
    (&["range"], "a range is written `0..n`, or with its end `0..=n`"),
    (&["len", "length", "size", "count"], "it is a method: `value.len()`"),
    (&["String", "string", "to_string", "toString", "repr", "Str"], "`str(value)` makes a text of a value"),
    (
        &["parseInt", "atoi", "parse_int", "Int", "Integer", "Number"],
        "`int(text)` reads a number and panics where there is none; `text as? int` gives an `Option<int>`",
    ),
    (
        &["parseFloat", "atof", "Float", "Double"],
        "`float(text)` reads a number and panics where there is none; `text as? float` gives an `Option<float>`",
    ),
    (&["Math", "math"], "`sqrt`, `abs`, `min`, `max` and the like need no module; others are in `std.math`: `use std.math { sin };`"),
    (&["std"], "what is in a module comes by its name: `use std.math { sin };` at the top"),
    (&["enumerate"], "it is a method: `for (i, x) in xs.enumerate() do ...`"),
    (&["sorted", "sort"], "it is a method: `xs.sort()`"),
    (&["sum"], "it is a method: `xs.iter().sum()`"),
    (&["zip", "map", "filter", "reduce", "fold", "reversed"], "it is a method: `xs.name(...)`"),
    (&["Vec", "vec", "list", "List", "Array", "ArrayList"], "a list is written `[a, b]`, an empty one `[]`"),
    (&["dict", "HashMap", "Dict", "Map", "BTreeMap"], "a map is written `{key: value}`, an empty one `{}`, its type `{K: V}`"),
    (&["set", "HashSet"], "an empty set is `Set.new()`; one of a list `xs.iter().collect()` where a `Set<T>` is expected"),
    (
        &["raise", "throw", "exit", "abort", "die", "error"],
        "`panic(msg: text)` ends with a message; an error that callers may handle is a result: `Err(...)`",
    ),
    (&["typeof", "type"], "types are known when the program is compiled; a `match` asks which variant a value is"),
];

/// What is to be written for a value or function that another language has under this name.
pub(super) fn known_elsewhere(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(names, _)| names.contains(&name)).map(|&(_, here)| here)
}
