//! Branches, loops, matches, calls.

use super::{Limits, Outcome, Printed, World, check};

#[test]
fn ranges_stop_at_the_ends_of_int() {
    check(
        r#"
@show (from: int, to: int, step: int) -> void = {
    let text = "";
    for i in from..=to by step do text = text + str(i) + " ";
    print(msg: text)
}
@main () -> void = {
    let max = 9223372036854775807;
    let min = -9223372036854775807 - 1;
    for i in max - 2..=max do print(msg: `{i}`);
    for i in max - 2..max do print(msg: `{i}`);
    for i in max - 7..=max by 3 do print(msg: `a {i}`);
    for i in min + 7..min by -3 do print(msg: `b {i}`);
    for i in min + 1..=min by -1 do print(msg: `c {i}`);
    for i in 10..0 by -3 do print(msg: `d {i}`);
    for i in 0..10 by 4 do print(msg: `e {i}`);
    for i in 0..=8 by 4 do print(msg: `f {i}`);
    for i in 5..5 do print(msg: "empty");
    for i in 6..=5 do print(msg: "empty");
    for i in 0..5 by -1 do print(msg: "empty");
    show(from: 1, to: 9, step: 4);
    show(from: 9, to: 1, step: -4);
    show(from: 1, to: 9, step: -1);
    show(from: max - 1, to: max, step: 5);
    show(from: min, to: max, step: max);
    show(from: max, to: min, step: min)
}
"#,
        "9223372036854775805\n9223372036854775806\n9223372036854775807\n\
         9223372036854775805\n9223372036854775806\n\
         a 9223372036854775800\na 9223372036854775803\na 9223372036854775806\n\
         b -9223372036854775801\nb -9223372036854775804\nb -9223372036854775807\n\
         c -9223372036854775807\nc -9223372036854775808\n\
         d 10\nd 7\nd 4\nd 1\ne 0\ne 4\ne 8\nf 0\nf 4\nf 8\n\
         1 5 9 \n9 5 1 \n\n9223372036854775806 \n\
         -9223372036854775808 -1 9223372036854775806 \n9223372036854775807 -1 \n",
    );
}

#[test]
fn labels_break_and_continue_the_loop_they_name() {
    check(
        r#"
@main () -> void = {
    let found = 0;
    for:rows y in 0..5 do
        for x in 0..5 do {
            if x > y then continue:rows;
            if x * y == 6 then { found = y * 10 + x; break:rows };
            if x == 1 then continue;
            print(msg: `{x} {y}`)
        };
    print(msg: `found {found}`);
    let n = 27;
    let steps = 0;
    while n != 1 do {
        n = if n % 2 == 0 then n / 2 else 3 * n + 1;
        steps += 1
    };
    print(msg: `{steps}`);
    let i = 0;
    let value = loop {
        i += 1;
        if i % 2 == 0 then continue;
        if i > 10 then break i * 2
    };
    print(msg: `{value} {i}`);
    let k = 0;
    while:outer { k += 1; k < 10 } do {
        let j = 0;
        while true do {
            j += 1;
            if j == k then break;
            if k == 5 then break:outer
        }
    };
    print(msg: `{k}`)
}
"#,
        "0 0\n0 1\n0 2\n2 2\n0 3\nfound 32\n111\n22 11\n5\n",
    );
}

#[test]
fn matches_take_the_first_arm_that_fits() {
    check(
        r#"
@digit (c: char) -> int = match c { '0'..='9' -> int(c) - 48, 'a' | 'b' | 'c' -> 100, 'x' -> 200, 'y' -> 300, _ -> -1 };
@word (s: str) -> int = match s { "one" -> 1, "two" | "zwei" -> 2, _ -> 0 };
@grade (n: int) -> str = match n {
    0 -> "none",
    1 if n > 5 -> "never",
    1 | 2 | 3 -> "few",
    4 -> "four",
    5 -> "five",
    x if x % 2 == 0 && x > 100 -> `even {x}`,
    6..=99 -> "many",
    -5..0 -> "negative",
    _ -> "far"
};
@both (a: bool, b: bool) -> str = match a { true -> match b { true -> "tt", false -> "tf" }, false -> if b then "ft" else "ff" };
@part (b: byte) -> str = match b { 0..=9 -> "low", 10..=254 -> "mid", 255 -> "top" };
@main () -> void = {
    print(msg: `{digit(c: '7')} {digit(c: 'b')} {digit(c: 'x')} {digit(c: 'y')} {digit(c: '?')}`);
    print(msg: `{word(s: "two")} {word(s: "zwei")} {word(s: "one")} {word(s: "")}`);
    for n in [0, 1, 3, 4, 5, 6, 102, 99, -5, -1, -6, 101] do print(msg: grade(n:));
    print(msg: both(a: true, b: false) + both(a: false, b: true));
    print(msg: part(b: 9) + part(b: 10) + part(b: 255));
    match 3 { 3 -> print(msg: "three"), _ -> () }
}
"#
        .replace("for n in [0, 1, 3, 4, 5, 6, 102, 99, -5, -1, -6, 101] do print(msg: grade(n:));", &{
            [0, 1, 3, 4, 5, 6, 102, 99, -5, -1, -6, 101].map(|n| format!("print(msg: grade(n: {n}));")).join(" ")
        })
        .as_str(),
        "7 100 200 300 -1\n2 2 1 0\nnone\nfew\nfew\nfour\nfive\nmany\neven 102\nmany\nnegative\nnegative\nfar\nfar\ntfft\nlowmidtop\nthree\n",
    );
}

#[test]
fn tail_calls_run_in_constant_stack() {
    let limits = Limits { depth: 8, ..Limits::default() };
    let source = r#"
@count (n: int, sum: int) -> int = if n == 0 then sum else count(n: n - 1, sum: sum + n);
@is_even (n: int) -> bool = n == 0 || is_odd(n: n - 1);
@is_odd (n: int) -> bool = if n == 0 then false else is_even(n: n - 1);
@down (n: int) -> void = { if n > 0 then { let m = n - 1; down(n: m); } }
@swap (a: int, b: int, n: int) -> int = match n { 0 -> a - b, _ -> swap(a: b, b: a, n: n - 1) };
@main () -> void = {
    print(msg: `{count(n: 10_000_000, sum: 0)}`);
    print(msg: `{is_even(n: 100_001)}`);
    down(n: 100_000);
    print(msg: `{swap(a: 7, b: 2, n: 3)}`)
}
"#;
    let mut printed = Printed::default();
    let outcome = World::new(&[("main", source)]).run(&[], &mut printed, limits);
    assert_eq!((printed.output.as_str(), outcome), ("50000005000000\nfalse\n-5\n", Outcome::Exit(0)));
}

#[test]
fn arguments_and_status_belong_to_main() {
    let source = r#"
@main (args: [str]) -> int = {
    for arg in args do { if arg == "skip" then continue; print(msg: arg) };
    if args.len() > 2 then print(msg: args[2]);
    args.len() - 5
}
"#;
    let mut printed = Printed::default();
    let outcome = World::new(&[("main", source)]).run(&["a", "skip", "c"], &mut printed, Limits::default());
    assert_eq!((printed.output.as_str(), outcome.status(), outcome), ("a\nc\nc\n", 254, Outcome::Exit(-2)));
}

#[test]
fn a_reader_that_goes_away_ends_the_program() {
    let mut printed = Printed { errno: Some(32), ..Printed::default() };
    let outcome =
        World::new(&[("main", "@main () -> void = { print(msg: \"a\"); print(msg: \"b\") }")]).run(&[], &mut printed, Limits::default());
    assert_eq!((printed.output.as_str(), outcome.status()), ("a\n", 141));
}

#[test]
fn deep_recursion_works_and_endless_recursion_is_reported() {
    check(
        "@deep (n: int) -> int = if n == 0 then 0 else 1 + deep(n: n - 1);\n@main () -> void = print(msg: `{deep(n: 20_000)}`);",
        "20000\n",
    );
    let source = "@main () -> void = print(msg: `{f(n: 1)}`);\n@f (n: int) -> int = 1 +\n    f(n: n);";
    let mut printed = Printed::default();
    let outcome = World::new(&[("main", source)]).run(&[], &mut printed, Limits::default());
    assert_eq!((printed.error.as_str(), outcome.status()), ("fatal: stack overflow in @f at main.ori:3\n", 134));
}

#[test]
fn a_run_ends_at_its_step_limit() {
    let limits = Limits { steps: 1000, ..Limits::default() };
    let outcome = World::new(&[("main", "@main () -> void = loop { () }")]).run(&[], &mut Printed::default(), limits);
    assert_eq!(outcome, Outcome::LimitExceeded(super::super::Limit::Steps));
}

#[test]
fn modules_defaults_and_constants_meet() {
    let world = World::new(&[
        (
            "main",
            r#"
use "./util" { scale, $factor }
let $base = $factor * 2 + 1;
type P = { x: int, label: str }
let $origin = P { x: $base, label: "o" + "p" };
@add (a: int, b: int = $base, c: int = b_default()) -> int = a + b + c;
@b_default () -> int = 1000;
@main () -> void = {
    print(msg: `{scale(n: 3)} {$base} {$origin.label} {$origin.x}`);
    print(msg: `{add(a: 1)} {add(a: 1, c: 2)} {add(a: 1, b: 2, c: 3)}`)
}
"#,
        ),
        ("util", "pub let $factor = 10;\npub @scale (n: int) -> int = n * $factor;\n"),
    ]);
    let mut printed = Printed::default();
    assert_eq!((world.run(&[], &mut printed, Limits::default()), printed.output.as_str()), (Outcome::Exit(0), "30 21 op 21\n1022 24 6\n"));
}
