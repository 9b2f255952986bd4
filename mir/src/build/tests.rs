//! The form of what is built, judged on its text. What it means is tested by running it, in `interp`.

use crate::interp::tests::world::World;

/// Builds function `f`, which the verifier accepts, and prints it.
#[track_caller]
fn text(source: &str) -> String {
    crate::text::print_body(&*World::new(&[("main", source)]).built("f"))
}

/// The body of `f` has exactly these lines.
#[track_caller]
fn check(source: &str, expect: &str) {
    let text = text(source);
    let lines: Vec<&str> = text.lines().skip(1).take_while(|line| *line != "}").map(str::trim).collect();
    let expect: Vec<&str> = expect.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expect, "{text}");
}

/// How often each of these words occurs in the body of `f`.
#[track_caller]
fn check_counts(source: &str, counts: &[(&str, usize)]) {
    let text = text(source);
    for (word, count) in counts {
        assert_eq!(text.matches(word).count(), *count, "{word} in\n{text}");
    }
}

#[test]
fn a_range_loop_compares_once_and_adds_once_an_iteration() {
    check(
        "@f (n: int) -> int = { let s = 0; for i in 0..n do s += i; s };",
        "b0:
           %1: int = int 0
           %2: int = int 0
           %3: bool = lt %2, %0
           branch %3, b1, b4(%1)
         b1:
           jump b2(%2, %1)
         b2(%4: int, %5: int):
           %6: int = add %5, %4, b3 !1:52
           %7: int = int 1
           %8: int = wrap_add %4, %7
           %9: bool = lt %8, %0
           branch %9, b2(%8, %6), b4(%6)
         b3:
           resume
         b4(%10: int):
           ret %10",
    );
    // The limit of another step is computed before the loop; literal bounds need neither test nor limit.
    check_counts("@f (n: int) -> void = for i in 0..=n by 3 do print(msg: \"x\");", &[("branch ", 2), ("wrap_add ", 1), ("wrap_sub ", 1)]);
    check_counts("@f () -> void = for i in 0..=90 by 3 do print(msg: \"x\");", &[("branch ", 1), ("select ", 0), ("wrap_sub ", 0)]);
}

#[test]
fn a_while_loop_tests_at_its_latch() {
    check(
        "@f (n: int) -> int = { let s = n; while s > 9 do s = s / 10; s };",
        "b0:
           %1: int = int 9
           %2: bool = gt %0, %1
           branch %2, b1, b4(%0)
         b1:
           jump b2(%0)
         b2(%3: int):
           %4: int = int 10
           %5: int = div %3, %4, b3 !1:54
           %6: int = int 9
           %7: bool = gt %5, %6
           branch %7, b2(%5), b4(%5)
         b3:
           resume
         b4(%8: int):
           ret %8",
    );
}

#[test]
fn a_large_condition_is_written_once() {
    check_counts("@f (n: int) -> int = { let s = n; while { let t = s - 1; t > 0 } do s -= 1; s };", &[("branch ", 1), (" sub ", 2)]);
}

#[test]
fn only_locals_that_change_become_parameters() {
    // `found` is assigned in the loop, but never on a way back.
    check(
        "@f (n: int) -> int = { let found = -1; let i = 0; loop { if i > n then { found = i; break }; i += 1 }; found };",
        "b0:
           %1: int = int -1
           %2: int = int 0
           jump b1(%2)
         b1(%3: int):
           %4: bool = gt %3, %0
           branch %4, b2, b3
         b2:
           ret %3
         b3:
           %5: int = int 1
           %6: int = add %3, %5, b4 !1:94
           jump b1(%6)
         b4:
           resume",
    );
}

#[test]
fn a_self_tail_call_is_a_jump_that_carries_what_changes() {
    check(
        "@f (n: int, m: int) -> int = if n == 0 then m else f(n: n - 1, m:);",
        "b0:
           jump b1(%0)
         b1(%2: int):
           %3: int = int 0
           %4: bool = eq %2, %3
           branch %4, b2, b3
         b2:
           ret %1
         b3:
           %5: int = int 1
           %6: int = sub %2, %5, b4 !1:57
           jump b1(%6)
         b4:
           resume",
    );
}

#[test]
fn only_calls_in_a_recursion_group_give_up_the_frame() {
    let group = "@f (n: int) -> int = if n == 0 then g(n:) else h(n:);\n@g (n: int) -> int = f(n: n - 1);\n@h (n: int) -> int = n;";
    check_counts(group, &[("tail @main.g", 1), ("call @main.h", 1)]);
    // Not the value of the function.
    check_counts("@f (n: int) -> int = if n == 0 then 0 else 1 + f(n: n - 1);", &[("call @main.f", 1), ("tail", 0)]);
}

#[test]
fn conditions_branch_without_making_bools() {
    check(
        "@f (a: int, b: bool) -> int = if !(a > 1 && (b || a == 7)) then 1 else 2;",
        "b0:
           %2: int = int 1
           %3: bool = gt %0, %2
           branch %3, b1, b4
         b1:
           branch %1, b3, b2
         b2:
           %4: int = int 7
           %5: bool = eq %0, %4
           branch %5, b3, b4
         b3:
           %6: int = int 2
           ret %6
         b4:
           %7: int = int 1
           ret %7",
    );
}

#[test]
fn a_match_with_many_values_is_one_switch() {
    check(
        "@f (n: int) -> int = match n { 1 -> 10, 2 | 3 -> 20, 1 -> 30, x if x > 9 -> x, _ -> 0 };",
        "b0:
           switch %0, 1, b1, 2, b2, 3, b2, b3
         b1:
           %1: int = int 10
           ret %1
         b2:
           %2: int = int 20
           ret %2
         b3:
           %3: int = int 9
           %4: bool = gt %0, %3
           branch %4, b4, b5
         b4:
           ret %0
         b5:
           %5: int = int 0
           ret %5",
    );
    check_counts("@f (n: int) -> int = match n { 1 -> 10, 2 -> 20, _ -> 0 };", &[("switch", 0), ("branch", 2)]);
    check_counts("@f (c: char) -> int = match c { 'a'..='c' -> 1, 'x' -> 2, _ -> 0 };", &[("switch", 1)]);
    check_counts("@f (c: char) -> int = match c { 'a'..='z' -> 1, _ -> 0 };", &[("switch", 0), ("ge ", 1), ("le ", 1)]);
    check_counts("@f (b: bool) -> int = match b { true -> 1, false -> 0 };", &[("branch %0", 1), ("eq ", 0)]);
}

#[test]
fn arms_and_branches_are_joined_by_parameters() {
    check_counts(
        "@f (n: int) -> int = { let a = 0; let b = 0; let v = match n { 1 -> { a = 1; 5 }, 2 -> { b = 2; 5 }, _ -> 5 }; a + b + v };",
        // One parameter for `a`, one for `b`, one for the value.
        &[("(%0: int)", 1), ("jump b5(", 3), ("b5(%12: int, %13: int, %14: int):", 1)],
    );
}

#[test]
fn neighbouring_literals_are_one_text() {
    check_counts(
        "let $unit = \"m\";\n@f (n: int) -> str = \"a\" + \"b\" + `c{n}{$unit}` + \"!\" + \"\";",
        &[("str \"abc\"", 1), ("str \"m!\"", 1), ("str_concat", 2)],
    );
}

#[test]
fn what_cannot_panic_has_no_edge() {
    check_counts("@f (n: int) -> bool = n.signum() == 1 && (float(n) * 2.0).is_finite();", &[("resume", 0), ("!1:", 0)]);
    check_counts("@f (n: int) -> int = n + 1 + n * 2;", &[("resume", 1), (", b1 !1:22", 2), (", b1 !1:30", 1)]);
}

#[test]
fn a_part_is_replaced_from_the_inside_out() {
    check(
        "type P = { x: int, y: int }\ntype L = { a: P, b: P }\n@f (l: L) -> L = { let m = l; m.b.x = 5; m };",
        "b0:
           %1: int = int 5
           %2: main.P = field %0, 1
           %3: main.P = with_field %2, %1, 0
           %4: main.L = with_field %0, %3, 1
           ret %4",
    );
}
