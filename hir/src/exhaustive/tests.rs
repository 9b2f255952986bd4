//! What matches leave uncovered, as programs show it.

use crate::memory::Program;

/// The report of a program of these declarations and `@main` with this body.
fn report(declarations: &str, body: &str) -> String {
    Program::new(&[("main", &format!("{declarations}\n@main () -> void = {{\n{body}\n}}\n"))]).report()
}

/// The arms of a match on a value of type `ty`; the first line of the report without its place.
#[track_caller]
fn check(declarations: &str, ty: &str, arms: &str, expected: &str) {
    let source = format!("{declarations}\n@f (x: {ty}) -> int = match x {{\n{arms}\n}}\n");
    let report = Program::new(&[("main", &source)]).report();
    let lines: Vec<&str> = report.lines().map(|line| line.split_once(' ').map_or(line, |parts| parts.1)).collect();
    assert_eq!(lines.join("; "), expected, "{source}");
}

const SHAPE: &str = "type Shape = Circle(radius: float) | Rect(w: float, h: float) | Unit;";
const TREE: &str = "type Color = Red | Green | Blue; type Pair = { a: Color, b: bool }";

#[test]
fn variants_that_are_missing_are_named_with_blanks_for_their_payload() {
    check(SHAPE, "Shape", "Circle(_) -> 1, Rect(w, h) -> 2, Unit -> 3", "");
    check(SHAPE, "Shape", "Circle(_) -> 1, Unit -> 3", "E0601 non-exhaustive patterns: `Rect(_, _)` not covered");
    check(SHAPE, "Shape", "Circle(_) if true -> 1, Unit -> 3", "E0601 non-exhaustive patterns: `Circle(_)`, `Rect(_, _)` not covered");
    check(SHAPE, "Shape", "Unit -> 3", "E0601 non-exhaustive patterns: `Circle(_)`, `Rect(_, _)` not covered");
}

#[test]
fn parts_are_looked_into() {
    check(
        SHAPE,
        "(Shape, bool)",
        "(Circle(_), true) -> 1, (Unit, _) -> 2, (_, false) -> 3",
        "E0601 non-exhaustive patterns: `(Rect(_, _), true)` not covered",
    );
    check(
        TREE,
        "Pair",
        "{ a: Red, .. } -> 1, { b: true, .. } -> 2",
        "E0601 non-exhaustive patterns: `Pair { a: Green, b: false }`, `Pair { a: Blue, b: false }` not covered",
    );
    check("", "(int, str)", "(0, \"a\") -> 1, (_, \"b\") -> 2", "E0601 non-exhaustive patterns: `(0, _)`, `(1, _)`, `(-1, _)` not covered");
    check("", "(bool, bool)", "(true, _) -> 1, (_, true) -> 2, (false, false) -> 3", "");
    check("", "float", "1.5 -> 1", "E0601 non-exhaustive patterns: `_` not covered");
    check("", "(char, byte)", "('a'..='z', _) -> 1, (_, 0..=255) -> 2", "");
}

#[test]
fn arms_and_alternatives_that_never_match_are_found() {
    check(SHAPE, "Shape", "Circle(_) | Unit -> 1, Unit -> 2, _ -> 3", "W0601 unreachable pattern");
    check(TREE, "Color", "Red | Green | Red -> 1, Blue -> 2", "W0601 unreachable pattern");
    check("", "(int, bool)", "(1 | 2, true) -> 1, (2, true | false) -> 2, _ -> 3", "W0601 unreachable pattern");
    check("", "(int, bool)", "(1..=9, true) -> 1, (5, true) -> 2, _ -> 3", "W0601 unreachable pattern");
    check("", "(bool, bool)", "(true, _) | (_, true) -> 1, (false, false) -> 2, _ -> 3", "W0601 unreachable pattern");
}

#[test]
fn variants_without_values_need_no_arm() {
    let never = "type Outcome = Done(int) | Broken(Never);";
    check(never, "Outcome", "Done(n) -> n", "");
    check(never, "(Outcome, bool)", "(Done(n), true) -> n", "E0601 non-exhaustive patterns: `(Done(_), false)` not covered");
    check(never, "Outcome", "Done(n) -> n, Broken(_) -> 2", "W0601 unreachable pattern");
}

#[test]
fn a_match_that_would_take_too_long_is_refused() {
    // Every column is asked about by an arm of its own, with all others free, in both ways.
    let width = 24;
    let arm = |at: usize, value: &str| {
        let parts: Vec<&str> = (0..width).map(|i| if i == at || i == (at * 7 + 3) % width { value } else { "_" }).collect();
        format!("({}) -> {at},", parts.join(", "))
    };
    let arms: String = (0..width).flat_map(|at| [arm(at, "true"), arm(at, "false")]).collect();
    let ty = format!("({})", vec!["bool"; width].join(", "));
    let source = format!("@f (x: {ty}) -> int = match x {{ {arms} }}\n");
    let report = Program::new(&[("main", &source)]).report();
    assert!(report.contains("E0039") || report.contains("E0601") || report.is_empty(), "{report}");
}

#[test]
fn bindings_are_irrefutable() {
    assert_eq!(report(SHAPE, "let Circle(r) = Unit;"), "3:5 E0606 refutable pattern in let: `Rect(_, _)`, `Unit` not covered\n");
    assert_eq!(report("type Only = | One(int, str);", "let One(n, s) = One(3, \"x\"); print(msg: `{n}{s}`);"), "");
    assert_eq!(report("", "let (a | a, b) = (1, 2); print(msg: `{a}{b}`);"), "3:10 W0601 unreachable pattern\n");
}
