//! What each built-in operation gives.

use super::{check, check_values};

#[test]
fn integer_operators_are_exact() {
    check_values(&[
        ("7 + 2", "9"),
        ("7 - 9", "-2"),
        ("-7 * 3", "-21"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("-7 div 2", "-4"),
        ("7 div -2", "-4"),
        ("2 ** 62", "4611686018427387904"),
        ("0 ** 0", "1"),
        ("-(2 ** 3)", "-8"),
        ("5 & 12", "4"),
        ("5 | 12", "13"),
        ("5 ^ 12", "9"),
        ("~5", "-6"),
        ("-5 >> 1", "-3"),
        ("3 << 4", "48"),
        ("(-4).abs()", "4"),
        ("(-4).signum()", "-1"),
        ("0.signum()", "0"),
        ("9.signum()", "1"),
        ("12.clamp(low: 0, high: 9)", "9"),
        ("(-12).clamp(low: 0, high: 9)", "0"),
        ("5.clamp(low: 0, high: 9)", "5"),
        ("2.pow(exponent: 10)", "1024"),
    ]);
}

#[test]
fn comparisons_and_logic_give_bools() {
    check_values(&[
        ("1 < 2", "true"),
        ("2 <= 1", "false"),
        ("'a' < 'b'", "true"),
        ("b'x' == b'x'", "true"),
        ("true != false", "true"),
        ("!true", "false"),
        ("1 > 2 || 2 > 1", "true"),
        ("1 > 2 && 2 > 1", "false"),
        ("\"a\" == \"a\"", "true"),
        ("\"a\" < \"b\"", "true"),
    ]);
}

#[test]
fn floats_follow_ieee() {
    check_values(&[
        ("0.1 + 0.2", "0.30000000000000004"),
        ("1.0 / 0.0", "inf"),
        ("1.5 - 2.0", "-0.5"),
        ("1.5 * 2.0", "3"),
        ("2.0 ** 0.5", "1.4142135623730951"),
        ("-1.5", "-1.5"),
        ("(-0.5).abs()", "0.5"),
        ("2.5.round()", "3"),
        ("(-2.5).round()", "-3"),
        ("2.5.floor()", "2"),
        ("2.1.ceil()", "3"),
        ("(-2.9).truncate()", "-2"),
        ("(0.0 / 0.0).is_nan()", "true"),
        ("(1.0 / 0.0).is_infinite()", "true"),
        ("1.0.is_finite()", "true"),
        ("(0.0 / 0.0).is_finite()", "false"),
        ("(0.0 / 0.0) == (0.0 / 0.0)", "false"),
        ("1.0 < 2.0", "true"),
        ("2.5.clamp(low: 0.0, high: 1.0)", "1"),
        ("1.0.to_bits()", "4607182418800017408"),
        ("3.14159:.2", "3.14"),
        ("2.5:.0", "2"),
    ]);
}

#[test]
fn conversions_are_exact_or_checked() {
    check_values(&[
        ("int(3.9)", "3"),
        ("int('a')", "97"),
        ("int(b'a')", "97"),
        ("int(true)", "1"),
        ("int(\" -42 \")", "-42"),
        ("float(3) / 2.0", "1.5"),
        ("float(\"1e3\")", "1000"),
        ("byte(65)", "65"),
        ("byte('A')", "65"),
        ("str('x')", "x"),
        ("97 as char", "a"),
        ("b'a' as char", "a"),
        ("7 as float", "7"),
        ("b'\\x01' << 7", "128"),
        ("~b'\\x01'", "254"),
    ]);
}

#[test]
fn texts_concatenate_and_compare() {
    check(
        r#"
@name (first: str, last: str) -> str = `{last}, {first}!`;
@main () -> void = {
    let n = 3;
    print(msg: name(first: "Ada", last: "Lovelace"));
    print(msg: "a" + "b" + "" + str(n) + "c");
    print(msg: `{n}{n}`);
    print(msg: ``);
    print(msg: `{"né".len()}`);
    print(msg: "q\"\n".debug());
    print(msg: 'x'.debug())
}
"#,
        "Lovelace, Ada!\nab3c\n33\n\n3\n\"q\\\"\\n\"\n'x'\n",
    );
}

#[test]
fn structs_and_tuples_are_values() {
    check(
        r#"
type Point = { x: int, y: int }
type Box = { pair: (str, float) }
type Line = { from: Point, to: Point, name: str }
@moved (p: Point, by: int) -> Point = { ...p, x: p.x + by };
@main () -> void = {
    let a = Point { x: 1, y: 2 };
    let line = Line { from: a, to: moved(p: a, by: 10), name: "l" };
    let copy = line;
    line.to.y = 7;
    line.from.x += 5;
    line.name = line.name + "!";
    print(msg: `{line.from.x} {line.from.y} {line.to.x} {line.to.y} {line.name}`);
    print(msg: `{copy.from.x} {copy.to.y} {copy.name} {a.x}`);
    let t = (1, Box { pair: ("two", 3.5) });
    t.0 = 9;
    t.1.pair.0 = "deux";
    print(msg: `{t.0} {t.1.pair.0} {(t.1).pair.1}`)
}
"#,
        "6 2 11 7 l!\n1 2 l 1\n9 deux 3.5\n",
    );
}

#[test]
fn operands_are_evaluated_left_to_right_and_assigned_values_first() {
    check(
        r#"
@tell (name: str, value: int) -> int = { print(msg: name); value };
@three (a: int, b: int, c: int) -> int = a * 100 + b * 10 + c;
type P = { x: int, y: int }
@main () -> void = {
    print(msg: `{three(c: tell(name: "c", value: 3), a: tell(name: "a", value: 1), b: tell(name: "b", value: 2))}`);
    print(msg: `{tell(name: "l", value: 1) + tell(name: "r", value: 2)}`);
    let p = P { y: tell(name: "y", value: 1), x: tell(name: "x", value: 2) };
    p.x = { p.y = 50; 4 };
    print(msg: `{p.x} {p.y}`);
    if tell(name: "no", value: 0) == 1 && tell(name: "never", value: 0) == 0 then print(msg: "bad");
    if tell(name: "yes", value: 1) == 1 || tell(name: "never", value: 0) == 0 then print(msg: "good")
}
"#,
        "c\na\nb\n123\nl\nr\n3\ny\nx\n4 50\nno\nyes\ngood\n",
    );
}

#[test]
fn a_chain_as_long_as_the_parser_takes_is_built() {
    let terms = vec!["one"; 300].join(" + ");
    check(&format!("@main () -> void = {{ let one = 1; print(msg: `{{{terms}}}`) }}"), "300\n");
}

#[test]
fn std_math_and_the_rest_of_the_prelude_work() {
    check(
        r#"
use std.math { sqrt, floor, ceil, round, trunc, wrapping_add, wrapping_sub, wrapping_mul, wrapping_neg };
@main () -> void = {
    let most = 9223372036854775807;
    print(msg: `{sqrt(x: 2.25)} {floor(x: -1.5)} {ceil(x: -1.5)} {round(x: 2.5)} {trunc(x: -1.5)}`);
    print(msg: `{wrapping_add(left: most, right: 1)} {wrapping_sub(left: -2, right: most)} {wrapping_mul(left: most, right: 2)}`);
    print(msg: `{wrapping_neg(value: -most - 1)} {float.from_bits(bits: 4607182418800017408)}`);
    print(msg: `{"foobar".hash()} {'a'.debug()} {max(left: 3, right: 9)} {min(left: "b", right: "a")} {max(left: 1.5, right: 0.5)}`)
}
"#,
        "1.5 -2 -1 3 -1\n-9223372036854775808 9223372036854775807 -2\n-9223372036854775808 1\n-8821353812377114648 'a' 9 a 1.5\n",
    );
}
