//! The standard modules that exist in the slice, as tables: `std.math` and `std.testing`.

use ir::Symbol;

/// What a member of a standard module is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Member {
    /// A function.
    Function,
    /// A constant, imported with `$`; bits of the float.
    Constant(u64),
}

const MATH_FUNCTIONS: &[&str] = &[
    "sqrt",
    "abs",
    "floor",
    "ceil",
    "round",
    "trunc",
    "pow",
    "cbrt",
    "exp",
    "ln",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "atan2",
    "hypot",
    "wrapping_add",
    "wrapping_sub",
    "wrapping_mul",
    "wrapping_neg",
    "saturating_add",
    "saturating_sub",
    "saturating_mul",
    "checked_add",
    "checked_sub",
    "checked_mul",
    "checked_div",
];
const TESTING: &[&str] =
    &["assert", "assert_eq", "assert_ne", "assert_some", "assert_none", "assert_ok", "assert_err", "assert_panics", "assert_panics_with"];

/// The member of a standard module; `None` when it has none of this name.
pub fn member(module: Symbol, name: Symbol) -> Option<Member> {
    let name = name.as_str();
    match module.as_str() {
        "std.math" => match name {
            "PI" => Some(Member::Constant(std::f64::consts::PI.to_bits())),
            "TAU" => Some(Member::Constant(std::f64::consts::TAU.to_bits())),
            "E" => Some(Member::Constant(std::f64::consts::E.to_bits())),
            _ => MATH_FUNCTIONS.contains(&name).then_some(Member::Function),
        },
        "std.testing" => TESTING.contains(&name).then_some(Member::Function),
        _ => None,
    }
}

/// The member names of a standard module, for suggestions.
pub fn names(module: Symbol) -> impl Iterator<Item = &'static str> {
    let (functions, constants): (&[&str], &[&str]) = match module.as_str() {
        "std.math" => (MATH_FUNCTIONS, &["PI", "TAU", "E"]),
        "std.testing" => (TESTING, &[]),
        _ => (&[], &[]),
    };
    functions.iter().chain(constants).copied()
}

/// Is there such a standard module in the slice?
pub fn exists(module: Symbol) -> bool {
    matches!(module.as_str(), "std.math" | "std.testing")
}

/// Standard modules that the language names (language/07 §7.9, 09 §9.16) and this compiler lacks.
const LATER: &[&str] = &[
    "std.crypto",
    "std.env",
    "std.ffi",
    "std.fs",
    "std.io",
    "std.iter.extensions",
    "std.json",
    "std.logging",
    "std.net",
    "std.net.http",
    "std.random",
    "std.resilience",
    "std.time",
    "std.validate",
];

/// Is the module one of the language, but not of this compiler yet?
pub fn is_later(module: Symbol) -> bool {
    LATER.contains(&module.as_str())
}
