//! Constant evaluation and its limits.

use super::super::{ConstError, Limit, Limits};
use super::World;
use crate::ir::ConstValue;

#[track_caller]
fn check(source: &str, limits: Limits, expect: Result<ConstValue, ConstError>) {
    assert_eq!(World::new(&[("main", source)]).constant_of("c", limits), expect);
}

#[test]
fn constants_are_evaluated() {
    let limits = Limits::CONSTANTS;
    check("let $c = 6 * 7;", limits, Ok(ConstValue::Int(42)));
    check("let $c = 1.5 + 1.0;", limits, Ok(ConstValue::Float(2.5f64.to_bits())));
    check("let $c = 'a' < 'b';", limits, Ok(ConstValue::Bool(true)));
    check("let $c = `a{1}`;", limits, Ok(ConstValue::Str(ir::Symbol::new("a1"))));
    check("let $c = fact(n: 5);\n@fact (n: int) -> int = if n == 0 then 1 else n * fact(n: n - 1);", limits, Ok(ConstValue::Int(120)));
    let pair = hir::Type::tuple(&[hir::Type::CHAR, hir::Type::BYTE]);
    check("let $c = ('a', b'b');", limits, Ok(ConstValue::Aggregate(pair, vec![ConstValue::Char('a'), ConstValue::Byte(b'b')])));
}

#[test]
fn limits_and_panics_are_told_apart() {
    let limits = Limits::CONSTANTS;
    check("let $c = f(n: 0);\n@f (n: int) -> int = 1 + f(n: n + 1);", limits, Err(ConstError::Limit(Limit::Depth)));
    check("let $c = f(n: 0);\n@f (n: int) -> int = loop { n + 1; };", limits, Err(ConstError::Limit(Limit::Steps)));
    check(
        "let $c = f(s: \"0123456789abcdef\");\n@f (s: str) -> str = { let t = s; loop { t = t + t; }; t };",
        limits,
        Err(ConstError::Limit(Limit::Bytes)),
    );
    check("let $c = 1 / (1 - 1);", limits, Err(ConstError::Panicked("division by zero".to_owned())));
    check("let $c = f();\n@f () -> int = { print(msg: \"x\"); 1 };", limits, Err(ConstError::Effect));
}
