//! Every kind of panic, with its place and trace.

use super::{Limits, Outcome, Printed, World, check_panic};

/// An expression on line 2, column 13, that panics with this message.
#[track_caller]
fn check_message(setup: &str, expression: &str, message: &str) {
    let source = format!("@main () -> void = {{ {setup}\n    let v = {expression};\n    print(msg: \"not reached\") }}");
    let report = format!("panic: {message} at main.ori:2:13\n  stack trace (most recent first):\n    @main at main.ori:2:13\n");
    check_panic(&source, "", &report);
}

#[test]
fn every_arithmetic_panic_has_its_message_and_place() {
    let max = "let max = 9223372036854775807; let min = -max - 1; let zero = 0; let one = 1;";
    for (expression, message) in [
        ("max + one", "integer overflow in addition"),
        ("min - one", "integer overflow in subtraction"),
        ("max * 2", "integer overflow in multiplication"),
        ("-min", "integer overflow in negation"),
        ("min / -1", "integer overflow in division"),
        ("min % -1", "integer overflow in modulo"),
        ("min div -1", "integer overflow in floor division"),
        ("max ** 2", "integer overflow in exponentiation"),
        ("min.abs()", "integer overflow in absolute value"),
        ("one / zero", "division by zero"),
        ("one div zero", "division by zero"),
        ("one % zero", "modulo by zero"),
        ("one ** -1", "negative exponent on integer"),
        ("one << -1", "negative shift count"),
        ("one >> 64", "shift count exceeds bit width"),
        ("max << 1", "shift overflow"),
        ("b'\\x80' << 1", "shift overflow"),
        ("b'\\x80' >> 8", "shift count exceeds bit width"),
        ("one.clamp(low: 3, high: 2)", "clamp bounds are reversed"),
        ("1.5.clamp(low: 3.0, high: 2.0)", "clamp bounds are reversed"),
        ("int(1e300)", "float value out of range for int"),
        ("(0.0 / 0.0).round()", "float value out of range for int"),
        ("byte(256)", "value 256 out of range for byte"),
        ("byte('é')", "value 233 out of range for byte"),
        ("(max - max - 1) as char", "-1 is not a valid Unicode codepoint"),
        ("55296 as char", "55296 is not a valid Unicode codepoint"),
        ("int(\"4x\\n\")", "cannot parse \"4x\\n\" as int"),
        ("float(\"\")", "cannot parse \"\" as float"),
    ] {
        check_message(max, expression, message);
    }
}

#[test]
fn explicit_panics_have_the_place_of_the_call() {
    for (statement, message) in [
        ("panic(msg: `bad {n}`)", "bad 1"),
        ("todo()", "not yet implemented"),
        ("todo(reason: \"later\")", "not yet implemented: later"),
        ("unreachable()", "unreachable code reached"),
        ("unreachable(reason: \"here\")", "unreachable code reached: here"),
        ("assert(condition: n == 2)", "assertion failed"),
        ("assert_eq(actual: n, expected: 2)", "assertion failed: 1 != 2"),
        ("assert_ne(actual: \"a\", unexpected: \"a\")", "assertion failed: values are equal: \"a\""),
    ] {
        let source = format!("@main () -> void = {{\n    let n = 1;\n  {statement};\n}}");
        let report = format!("panic: {message} at main.ori:3:3\n  stack trace (most recent first):\n    @main at main.ori:3:3\n");
        check_panic(&source, "", &report);
    }
}

#[test]
fn a_step_of_zero_panics_before_the_first_iteration() {
    let source = "@main () -> void = {\n    let step = 0;\n    for i in 1..5 by step do print(msg: \"no\")\n}";
    check_panic(
        source,
        "",
        "panic: range step cannot be zero at main.ori:3:14\n  stack trace (most recent first):\n    @main at main.ori:3:14\n",
    );
}

#[test]
fn an_index_outside_the_list_names_both() {
    let source = "@main (args: [str]) -> void = print(msg: args[2]);";
    let mut printed = Printed::default();
    let outcome = World::new(&[("main", source)]).run(&["x"], &mut printed, Limits::default());
    let Outcome::Panicked { message, report } = outcome else { panic!("{outcome:?}") };
    assert_eq!(message, "index out of bounds: index 2, length 1");
    assert_eq!(report, printed.error);
}

#[test]
fn output_that_fails_is_a_panic_of_print() {
    let mut printed = Printed { errno: Some(28), ..Printed::default() };
    let outcome = World::new(&[("main", "@main () -> void = print(msg: \"a\");")]).run(&[], &mut printed, Limits::default());
    let Outcome::Panicked { message, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(message, "cannot write to standard output: no space left on device");
}

#[test]
fn the_trace_shows_every_caller_and_a_loop_of_tail_calls_once() {
    check_panic(
        r#"// A comment moves everything down.

@level (n: int) -> int = if n > 3
    then 100 / (n - 4)
    else level(n: n + 1);

@report (n: int) -> int = {
    print(msg: "reporting");
    let inner = 1 + level(n:);
    inner
}
@main () -> void = print(msg: `{report(n: 0)}`);
"#,
        "reporting\n",
        "panic: division by zero at main.ori:4:10\n  stack trace (most recent first):\n    @level at main.ori:4:10\n    \
         @report at main.ori:9:21\n    @main at main.ori:12:33\n",
    );
}

#[test]
fn a_long_trace_is_cut_to_its_ends() {
    let source = "@f (n: int) -> int = 1 + (if n == 0 then 1 / n else f(n: n - 1));\n@main () -> void = print(msg: `{f(n: 99)}`);";
    let mut printed = Printed::default();
    World::new(&[("main", source)]).run(&[], &mut printed, Limits::default());
    assert_eq!(printed.error.lines().count(), 2 + 32 + 1 + 16);
    assert!(printed.error.contains("\n    ... 53 frames omitted\n"), "{}", printed.error);
}

#[test]
fn the_first_panic_in_evaluation_order_is_the_one() {
    check_panic(
        "@main () -> void = {\n    let z = 0;\n    print(msg: \"before\");\n    let v = (1 / z) + (1 % z);\n}",
        "before\n",
        "panic: division by zero at main.ori:4:14\n  stack trace (most recent first):\n    @main at main.ori:4:14\n",
    );
}
