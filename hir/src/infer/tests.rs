//! Programs through parse, scope, signatures and inference: what is refused where, what is accepted, and that nothing panics.

use crate::memory::Program;

/// Function bodies are checked inside this frame, so positions below count from the first line of the snippet.
const FRAME: &str = "\ntype P = { x: int, y: float }\ntype Q = { p: P, tag: str }\nlet $c = 7;\n@f (a: int, b: int = 2) -> int = a + b;\n@one (v: int) -> int = v;\n";

/// The report of a program: one line a diagnostic.
#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let program = Program::new(&[("main", &format!("{source}{FRAME}"))]);
    let report = program.report();
    let found: Vec<&str> = report.lines().collect();
    assert_eq!(found, expected, "\n{source}");
}

/// The program has no errors and no warnings, its bodies verify, and their dump is a fixed point that verifies as well.
#[track_caller]
fn accept(source: &str) {
    let program = Program::new(&[("main", &format!("{source}{FRAME}"))]);
    assert_eq!(program.report(), "", "\n{source}");
    sound(&program);
}

#[track_caller]
fn sound(program: &Program) {
    use ir::fault::report;
    let bodies = program.bodies();
    for body in &bodies {
        let faults = crate::verify::verify(body, program).unwrap_or_default();
        assert_eq!(report(&body.owner.to_string(), &faults), "");
    }
    let refs: Vec<&crate::Body> = bodies.iter().collect();
    let Ok(once) = crate::text::print_file(&refs, program) else { panic!("no context") };
    let (parsed, cx) = match crate::text::parse(&once) {
        Ok(parsed) => parsed,
        Err(error) => panic!("{error}\n{once}"),
    };
    for body in &parsed {
        let faults = crate::verify::verify(body, &cx).unwrap_or_default();
        assert_eq!(report(&body.owner.to_string(), &faults), "", "{once}");
    }
    let refs: Vec<&crate::Body> = parsed.iter().collect();
    assert_eq!(crate::text::print_file(&refs, &cx).as_ref(), Ok(&once));
}

/// `@t (n: int, s: str, g: float, args: [str]) -> void = { BODY }`, with the body on line 2.
#[track_caller]
fn check_body(body: &str, expected: &[&str]) {
    check(&format!("@t (n: int, s: str, g: float, args: [str]) -> void = {{\n{body}\n}}"), expected);
}

#[track_caller]
fn accept_body(body: &str) {
    accept(&format!("@t (n: int, s: str, g: float, args: [str]) -> void = {{\n{body}\n}}"));
}

#[test]
fn names_that_are_not_there_are_reported_where_they_stand() {
    check_body("let x = y;", &["2:9 E2003 unknown name 'y'"]);
    check_body("print(msg: later); let later = s;", &["2:12 E0211 'later' is used before its declaration"]);
    check_body("let q: Strng = s;", &["2:8 E2002 unknown type 'Strng'"]);
    check_body("let m = $n;", &["2:9 E0206 'n' is not an immutable binding"]);
    check_body("let m = P;", &["2:9 E0221 'P' is a type, not a value"]);
    check_body("let m = int;", &["2:9 E0221 'int' is a type, not a value"]);
    check_body("let r = bool(n);", &["2:9 E0221 'bool' is a type, not a value"]);
    check_body("nope(n);", &["2:1 E2003 unknown name 'nope'"]);
    check_body("let r = P { x: 1, y: g }.z;", &["2:26 E0302 'P' has no field 'z'"]);
    check_body("let r = Pq { x: 1 };", &["2:9 E2002 unknown type 'Pq'"]);
}

#[test]
fn a_mismatch_says_what_was_expected_and_found() {
    check_body("let x: int = s;", &["2:14 E2001 expected int, found str"]);
    check_body("let x: float = 1;", &["2:16 E2001 expected float, found int"]);
    check_body("let x: byte = 256;", &["2:15 E2001 expected byte, found int"]);
    check_body("let x: byte = -1;", &["2:15 E2001 expected byte, found int"]);
    check_body("if n then print(msg: s);", &["2:4 E2001 expected bool, found int"]);
    check_body("while s do {}", &["2:7 E2001 expected bool, found str"]);
    check_body("let x = if n > 0 then 1 else \"a\";", &["2:30 E2001 expected int, found str"]);
    check_body("let x = match n { 0 -> 'a', _ -> 1 };", &["2:34 E2001 expected char, found int"]);
    check_body("let x = f(a: s);", &["2:14 E2001 expected int, found str"]);
    check_body("print(msg: n);", &["2:12 E2001 expected str, found int"]);
    check_body("let x = 1; x = g;", &["2:16 E2001 expected int, found float"]);
    check_body("let p = P { x: g, y: g };", &["2:16 E2001 expected int, found float"]);
    check_body("let (a, b) = n;", &["2:5 E2001 expected int, found a tuple of 2"]);
    check_body("let (a, b) = (1, 2, 3);", &["2:5 E2001 expected (int, int, int), found a tuple of 2"]);
    check_body("let t: (int, str) = (1, 2);", &["2:25 E2001 expected str, found int"]);
    check_body("match n { \"a\" -> {}, _ -> {} }", &["2:11 E2001 expected int, found str"]);
    check_body("let p = P { x: 1, y: 2.0 }; p.x = s;", &["2:35 E2001 expected int, found str"]);
    check("@r () -> int = \"a\";", &["1:16 E2001 expected int, found str"]);
    check("@r () -> void = 1;", &["1:17 E2001 expected void, found int"]);
    check("@r () -> int = { one(1); };", &["1:16 E2001 expected int, found void"]);
    check("let $k: int = 1.5;", &["1:15 E2001 expected int, found float"]);
    check("@d (a: int = \"x\") -> int = a;", &["1:14 E2001 expected int, found str"]);
}

#[test]
fn every_mismatch_names_its_reason() {
    for (body, reason) in [
        ("let x: int = s;", "because of this annotation"),
        ("let x = f(a: s);", "because parameter `a` of `f` has this type"),
        ("print(msg: n);", "because parameter `msg` of `print` has that type"),
        ("if n then print(msg: s);", "because this is the condition of an `if`"),
        ("let x = if n > 0 then 1 else s;", "because this branch has that type"),
        ("let x = match n { 0 -> 1, _ -> s };", "because this arm has that type"),
        ("let x = 1; x = s;", "because `x` was declared with that type here"),
        ("let p = P { x: s, y: g };", "because field `x` of `P` has that type"),
        ("match n { 'a' -> {}, _ -> {} }", "because this is what is matched"),
        ("let t = (1, 2); t.0 = s;", "because element 0 of the tuple has that type"),
        ("let q = P { ...n, y: g };", "because only a `P` can be spread into a `P`"),
    ] {
        let source = format!("@t (n: int, s: str, g: float) -> void = {{ {body} }}{FRAME}");
        let diagnostics = Program::new(&[("main", &source)]).diagnostics();
        let [error] = &diagnostics[..] else { panic!("{body}: {diagnostics:?}") };
        let said = error.labels.iter().any(|l| l.text.contains(reason)) || error.notes.iter().any(|n| n.contains(reason));
        assert!(said, "{body}: {error:?}");
    }
}

#[test]
fn operators_are_those_of_the_table() {
    check_body("let x = n + g;", &["2:9 E2020 operator '+' is not defined for int and float"]);
    check_body("let x = g % g;", &["2:9 E2020 operator '%' is not defined for float and float"]);
    check_body("let x = b'a' + b'b';", &["2:9 E2020 operator '+' is not defined for byte and byte"]);
    check_body("let x = -s;", &["2:9 E2020 operator '-' is not defined for str"]);
    check_body("let x = !n;", &["2:9 E2020 operator '!' is not defined for int"]);
    check_body("let x = s - s;", &["2:9 E2020 operator '-' is not defined for str and str"]);
    check_body("let x = n == g;", &["2:9 E2020 operator '==' is not defined for int and float"]);
    check_body("let p = P { x: 1, y: g }; let x = p == p;", &["2:35 E2020 operator '==' is not defined for P and P"]);
    check_body("let x = 1; x += g;", &["2:12 E2020 operator '+' is not defined for int and float"]);
    check_body("let x = n @ n;", &["2:9 E2020 operator '@' is not defined for int and int"]);
    check_body("let x = g as int;", &["2:9 E0310 no conversion from float to int with 'as'"]);
    check_body("let x = byte(g);", &["2:14 E0310 no conversion from float to byte with 'as'"]);
}

#[test]
fn calls_bind_arguments_by_the_rules() {
    check_body("let x = f(1, 2);", &["2:11 E1011 call of 'f' with several parameters needs named arguments"]);
    check_body("let x = f(a: 1, 2);", &["2:17 E2011 named and positional arguments cannot be mixed"]);
    check_body("let x = f(a: 1, c: 2);", &["2:17 E0306 'f' has no parameter 'c'"]);
    check_body("let x = f(a: 1, a: 2);", &["2:17 E0307 argument 'a' is given twice"]);
    check_body("let x = f(b: 1);", &["2:9 E2004 missing argument 'a' in call of 'f'"]);
    check_body("let x = one(1, 2);", &["2:16 E2004 'one' takes 1 arguments, found 2"]);
    check_body("let x = n(1);", &["2:9 E0305 int is not callable"]);
    check_body("let x = c();", &["2:9 E0305 int is not callable"]);
    check_body("let x = one(...args);", &["2:16 E0112 spread is not allowed here"]);
    check_body("let x = s.lenn();", &["2:11 E0308 no method 'lenn' on type str"]);
    check_body("let x = s.len;", &["2:11 E0309 method 'len' must be called"]);
    check_body("let x = n.abs(1);", &["2:15 E2004 'abs' takes 0 arguments, found 1"]);
    check_body("let x = int(a: 1);", &["2:13 E0306 'int' has no parameter 'a'"]);
    check("@test_a tests @one () -> void = {}\n@t () -> void = test_a();", &["2:17 E0515 tests cannot be called"]);
    check("@d (a: int, b: int = a) -> int = b;", &["1:22 E0315 default of 'b' refers to parameter 'a'"]);
}

#[test]
fn structs_tuples_and_places_are_checked() {
    check_body("let p = P { x: 1 };", &["2:9 E0301 missing field(s) y in 'P'"]);
    check_body("let p = P { x: 1, y: g, z: 2 };", &["2:25 E0302 'P' has no field 'z'"]);
    check_body("let p = P { x: 1, x: 2, y: g };", &["2:19 E0303 field 'x' given twice"]);
    check_body("let x = (1, 2).5;", &["2:16 E0304 tuple index 5 out of range for (int, int)"]);
    check_body("let x = n[0];", &["2:9 E2025 type 'int' cannot be indexed"]);
    check_body("let x = args[s];", &["2:14 E2026 index of '[str]' must be int, found str"]);
    check_body("let x = #;", &["2:9 E0105 '#' is only valid inside an index"]);
    check_body("n = 1;", &["2:1 E2051 cannot assign to parameter 'n'"]);
    check_body("let $x = 1; x = 2;", &["2:13 E2039 binding 'x' is immutable"]);
    check_body("c = 2;", &["2:1 E2039 binding 'c' is immutable"]);
    check_body("for i in 0..3 do i = 2;", &["2:18 E2039 binding 'i' is immutable"]);
    check_body("let x = \"a\"; x[0] = s;", &["2:14 E2050 type 'str' does not support index assignment"]);
    check_body("let { x } = P { x: 1, y: g };", &["2:5 E0301 pattern lacks field(s) y; add '..'"]);
    check_body("let (a, a) = (1, 2);", &["2:9 E0603 'a' is bound more than once"]);
    check_body("let 3 = n;", &["2:5 E0606 refutable pattern in let: `0`, `4` not covered"]);
    check("type T = { a: int, a: int }", &["1:20 E0303 field 'a' is declared twice"]);
    check("type T = { a: T }", &["1:6 E2008 type 'T' contains itself"]);
    check("type A = { b: (int, B) }\ntype B = { a: A }", &["1:6 E2008 type 'A' contains itself", "2:6 E2008 type 'B' contains itself"]);
    check("type T = { a: Never }", &["1:15 E2019 field 'a' of 'T' has type Never"]);
    check("#derive(Eq)\ntype T = { p: P }", &["2:12 E2032 field 'p' of type 'P' does not implement 'Eq'"]);
}

#[test]
fn control_flow_keeps_its_rules() {
    check_body("break;", &["2:1 E0801 'break' outside of a loop"]);
    check_body("continue;", &["2:1 E0801 'continue' outside of a loop"]);
    check_body("loop { break:out; }", &["2:8 E0802 unknown label 'out'"]);
    check_body("while n > 0 do break 1;", &["2:16 E0860 'break' with a value is not allowed in while"]);
    check_body("for i in 0..2 do break i;", &["2:18 E0860 'break' with a value is not allowed in for-do"]);
    check_body("loop { continue 1; }", &["2:8 E0861 'continue' with a value is not allowed in loop"]);
    check_body("loop:a { loop:a { break; }; break; }", &["2:10 E0871 label 'a' is already in use"]);
    check_body("let x = loop { if n > 0 then break None; break Some(n); }; let y = loop { if n > 0 then break [n]; break [] };", &[]);
    check_body("let x = loop { if n > 0 then break Ok(n); break Err(s); }; let y = match x { Ok(n) -> n, Err(s) -> s.len() };", &[]);
    check_body(
        "let x = loop { if n > 0 then break Some(s); break Some(n); };",
        &["2:45 E0872 break values of this loop have types Option<str> and Option<int>"],
    );
    check_body("let x = loop { if n > 0 then break 1; break; };", &["2:39 E0872 break values of this loop have types int and void"]);
    check_body("let x = loop { if n > 0 then break 1; break s; };", &["2:39 E0872 break values of this loop have types int and str"]);
    check_body("let x = if n > 0 then 1;", &["2:9 E0311 'if' without 'else' cannot produce a value of type int"]);
    check_body("for i in 0..g do {}", &["2:13 E0317 range bounds must be int, found float"]);
    check_body("for i in n do {}", &["2:10 E2009 type 'int' does not implement 'Iterable'"]);
    check_body("panic(msg: s); print(msg: s);", &["2:16 W0801 unreachable code"]);
}

#[test]
fn matches_are_exhaustive_and_reachable() {
    check_body("match n { 0 -> {}, 1 -> {} }", &["2:1 E0601 non-exhaustive patterns: `-1`, `2` not covered"]);
    check_body("match n > 0 { true -> {} }", &["2:1 E0601 non-exhaustive patterns: `false` not covered"]);
    check_body("match s { \"a\" -> {} }", &["2:1 E0601 non-exhaustive patterns: `_` not covered"]);
    check_body("match b'a' { 0..=99 -> {}, 101..=255 -> {} }", &["2:1 E0601 non-exhaustive patterns: `100` not covered"]);
    check_body("match n { x if x > 0 -> {} }", &["2:1 E0601 non-exhaustive patterns: `0` not covered"]);
    check_body("match n { _ -> {}, 1 -> {} }", &["2:20 W0601 unreachable pattern"]);
    check_body("match n { 1 | 2 -> {}, 2 -> {}, _ -> {} }", &["2:24 W0601 unreachable pattern"]);
    check_body("match n { 1..5 -> {}, 3..9 -> {}, _ -> {} }", &["2:23 W0602 range pattern overlaps an earlier one"]);
    check_body("match n { 5..5 -> {}, _ -> {} }", &["2:11 W0607 range pattern is empty"]);
    check_body("match n { 1 | x -> {}, _ -> {} }", &["2:11 E2052 alternatives bind different names: x"]);
    check_body("match n { 'a'..'b' -> {}, _ -> {} }", &["2:11 E2001 expected int, found char"]);
    check_body("match n { Foo -> {}, _ -> {} }", &["2:11 E2003 unknown variant 'Foo' of int"]);
    check_body("match n { $c -> {} }", &["2:11 W0603 '$c' shadows a constant; use a guard to compare"]);
    check_body("match n { 0..$d -> {}, _ -> {} }", &["2:11 E0604 invalid range pattern: `$d` is no constant"]);
}

#[test]
fn later_forms_are_refused_once_by_name_and_say_nothing_more() {
    for (body, what) in [
        ("let r = 0..; for i in r do print(msg: `{i}`);", "unbounded ranges"),
        ("for i in 0.. do print(msg: `{i}`);", "unbounded ranges"),
        ("let x = `{n:>5}`;", "format specification `>5`"),
        ("let x = n |> one;", "pipes"),
    ] {
        let source = format!("@t (n: int, s: str) -> void = {{ {body} }}{FRAME}");
        let report = Program::new(&[("main", &source)]).report();
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines.len(), 1, "{body}: {report}");
        let expected = format!("E2040 this compiler does not support {what} yet");
        assert!(lines[0].ends_with(&expected), "{body}: {report}");
    }
    for (item, what) in [
        ("trait Tr<T> where T.Item == int { @m (self) -> T }", "`where` clauses of traits about associated types of other traits"),
        ("@g<T: Formattable> (v: T) -> T = v;\n@u () -> int = g(1) + 2;", "`Formattable`"),
        ("@g<$N: int> (v: int) -> int = v;\n@u () -> int = g(1) + 2;", "const generics"),
        ("@g<T = int> (v: T) -> T = v;\n@u () -> int = g(1) + 2;", "defaults of type parameters"),
        ("$k (n: int) -> int = n;\n@u () -> int = $k(n: 3);", "const functions"),
    ] {
        let report = Program::new(&[("main", &format!("{item}{FRAME}"))]).report();
        let lines: Vec<&str> = report.lines().collect();
        assert_eq!(lines.len(), 1, "{item}: {report}");
        assert!(lines[0].ends_with(&format!("E2040 this compiler does not support {what} yet")), "{item}: {report}");
    }
}

#[test]
fn signatures_are_checked_by_themselves() {
    check("@r (a: int, a: int) -> int = a;", &["1:13 E0603 'a' is bound more than once"]);
    check("@r (a: Nope) -> int = a + 1;", &["1:8 E2002 unknown type 'Nope'"]);
    check("@int (a: str) -> int = 1;", &["1:2 E1014 'int' is a reserved built-in function name"]);
    check("let $k = print(msg: \"a\");", &["1:10 E0706 'print' is not allowed in a constant"]);
    check("let k = 3;\n@r () -> int = k;", &["1:5 E0207 module-level bindings must be immutable; write 'let $k'"]);
    check("@g () -> int = 1;\n@g () -> int = 2;", &["2:2 E2006 'g' is defined twice in this scope"]);
    check("@g () -> int = 1;\ntype g = { a: int }", &["2:6 E2006 'g' is defined twice in this scope"]);
    check("#derive(Nope)\ntype T = { a: int }", &["1:9 E2033 'Nope' is not a derivable trait"]);
    check("@r (a: int<str>) -> int = 1;", &["1:8 E2017 too many type arguments for 'int'"]);
    check("@r (a: Self) -> int = 1;", &["1:8 E0314 'Self' is only available in traits and impls"]);
}

#[test]
fn one_cause_is_reported_once() {
    check_body("let x = y; let z = x + 1; print(msg: z); if x then { one(x); }; for i in x do x.f = i;", &["2:9 E2003 unknown name 'y'"]);
    check_body("let p = P { x: 1 }; p.x = 2; let q = P { ...p, y: g }; print(msg: `{q.x}`);", &["2:9 E0301 missing field(s) y in 'P'"]);
    check_body("let x = (n + g) * 2 - one(3); match x { 0 -> {}, }", &["2:10 E2020 operator '+' is not defined for int and float"]);
}

/// Modules beside `main`, whose own report is compared.
#[track_caller]
fn check_modules(main: &str, other: &str, expected: &[&str]) {
    let program = Program::new(&[("main", main), ("m", other)]);
    let report = program.report();
    assert_eq!(report.lines().collect::<Vec<_>>(), expected, "\n{main}");
    if expected.is_empty() {
        sound(&program);
    }
}

#[test]
fn imports_find_public_names_and_say_why_not() {
    let other = "pub @g (n: int) -> int = n;\n@hid () -> int = 1;\npub let $k = 5;\npub type T = { a: int }\n";
    check_modules("use \"./m\" { g, $k, T };\n@t (t: T) -> int = g(n: t.a) + $k + T { a: 1 }.a;", other, &[]);
    check_modules("use \"./m\" { g as h, ::hid };\n@t () -> int = h(n: hid());", other, &[]);
    check_modules("use \"./m\" as o;\n@t (t: o.T) -> int = o.g(n: o.$k) + o.T { ...t, a: 2 }.a;", other, &[]);
    check_modules("use \"./m\";\n@t () -> int = m.g(2);", other, &[]);
    check_modules("use \"./m\" { hid };\n@t () -> int = hid();", other, &["1:13 E0204 'hid' is private to module 'm'"]);
    check_modules("use \"./m\" { nope };\n@t () -> int = nope();", other, &["1:13 E0203 module 'm' has no item 'nope'"]);
    check_modules("use \"./m\" { k };\n@t () -> int = k;", other, &["1:13 E0203 module 'm' has no item 'k'"]);
    check_modules("use \"./x\" { a };\n@t () -> int = a();", other, &["1:5 E0201 module './x' not found"]);
    check_modules("use \"pkg\" { a };\n@t () -> int = a();", other, &["1:5 E0214 unknown package 'pkg'"]);
    check_modules("use \"../../m\" { g };\n@t () -> int = g(1);", other, &["1:5 E0216 import path leaves the package"]);
    check_modules("use std.nope { a };\n@t () -> int = a();", other, &["1:5 E0201 module 'std.nope' not found"]);
    check_modules("use std.math { sqrtt };\n@t () -> float = sqrtt(2.0);", other, &["1:16 E0203 module 'std.math' has no item 'sqrtt'"]);
    check_modules(
        "use \"./m\" { g };\n@g () -> int = 1;",
        other,
        &["1:13 W0201 unused import 'g'", "2:2 E2006 'g' is defined twice in this scope"],
    );
    check_modules("use \"./m\" { g };\n@t () -> int = 1;", other, &["1:13 W0201 unused import 'g'"]);
    check_modules("use \"./m\" as o;\n@t () -> int = o.nope();", other, &["2:18 E0203 module 'm' has no item 'nope'"]);
    check_modules("use \"./main\" { t };\n@t () -> int = t();", other, &["1:5 E0202 import cycle: main -> main -> main"]);
    check_modules(
        "use \"./m\" { g };\nuse std.math { sqrt as g };\n@t () -> int = g(1);",
        other,
        &["2:16 E0205 'g' is imported from both m and std.math"],
    );
}

#[test]
fn the_entry_point_has_three_forms() {
    let judge = |source: &str| {
        let program = Program::new(&[("main", source)]);
        let main = ir::ItemId::function(ir::Symbol::new("main"), ir::Symbol::new("main"));
        let signature = crate::Context::signature(&program, main).ok().flatten();
        crate::resolve::check_main(signature.as_deref(), ir::Symbol::new("main")).map(|d| d.code.as_str())
    };
    assert_eq!(judge("@main () -> void = {}"), None);
    assert_eq!(judge("@main (args: [str]) -> int = args.len();"), None);
    assert_eq!(judge("@main () -> Never = panic(msg: \"x\");"), None);
    assert_eq!(judge("@main () -> str = \"x\";"), Some("E0212"));
    assert_eq!(judge("@main (n: int) -> void = {}"), Some("E0212"));
    assert_eq!(judge("@other () -> void = {}"), Some("E0213"));
}

#[test]
fn ordinary_programs_are_accepted() {
    for body in [
        "let x = 1; let x = `{x}`; print(msg: x);",
        "let b: byte = 255; let d = b & 15 | b'a' ^ ~b; print(msg: `{d} {b << 1} {b == 200}`);",
        "let x = -9223372036854775808; print(msg: `{x} {int.max} {float.inf} {byte.max}`);",
        "let x = 2 ** 3 + 7 div 2 % 3 << 1 >> 1; print(msg: `{x} {-x} {~x}`);",
        "let x = 2.0 ** 3 + 2 ** 0.5 - g / 2.0; print(msg: `{x:.3} {x}`);",
        "let x = 'a' as int + b'a' as int; print(msg: `{x as char} {x as float} {x as byte} {x as str}`);",
        "print(msg: str(int(\"3\")) + str(float(n)) + str(byte('a')) + str(true) + str('c'));",
        "let x = s + \"b\" == \"ab\" || s != \"x\" && s < \"y\"; print(msg: `{x}`);",
        "let $p = P { y: g, x: one(n) }; print(msg: `{p.x} {$p.y}`);",
        "let p = P { x: 1, y: 2.0 }; p.x += 1; p.y *= 2.0; let q = Q { p, tag: s }; q.p.x = 3; print(msg: `{q.p.x}`);",
        "let p = P { x: 1, y: 2.0 }; let q = P { ...p, x: 3 }; let r = { ...q, y: 1.5 }; print(msg: `{r.y}`);",
        "let (a, $b, _) = (1, \"x\", 2.0); a += 1; print(msg: `{a} {b}`);",
        "let { x: k, .. } = P { x: 1, y: 2.0 }; k -= 1; print(msg: `{k}`);",
        "let t = (1, (\"a\", 'c')); t.0 = 2; let u = t.1; print(msg: `{u.0} {t} {t == t} {t < t}`);",
        "let x = if n > 0 then \"a\" else if n < 0 then \"b\" else \"c\"; print(msg: x);",
        "let x = loop { if n > 1 then break 5; if n < 0 then break n; }; print(msg: `{x}`);",
        "let x: byte = loop { break 7; }; print(msg: `{x}`);",
        "loop { break; }",
        "let i = 0; while:w i < 3 do { i += 1; loop { continue:w; } }",
        "for i in 0..n by -1 if i % 2 == 0 for j in 0..=i do print(msg: `{i} {j}`);",
        "for:o i in 0..3 for j in 0..3 do { if j > i then continue:o; if i == 2 then break:o; }",
        "for a in args if a.len() > 1 do print(msg: a);",
        "for _ in 0..3 do {}",
        "for i in 0..5 by 0 do {}",
        "if args.len() > 1 then print(msg: args[# - 1]);",
        "let x = match n { 0 -> \"z\", 1..=9 | -5 -> \"d\", k if k > 100 -> \"big\", $m @ 10..20 -> `{m}`, _ -> \"o\" }; print(msg: x);",
        "match s { \"a\" | \"b\" -> {}, other -> print(msg: other) }",
        "match 'x' { 'a'..='z' -> {}, _ -> {} }",
        "match n > 1 { true -> {}, false -> {} }",
        "match b'x' { 0..=127 -> {}, 128..=255 -> {} }",
        "match n { 0..$c -> {}, _ -> {} }",
        "let x: int = if n > 0 then panic(msg: s) else 3; print(msg: `{x}`);",
        "let x = if n > 0 then n else todo(reason: s); print(msg: `{x}`);",
        "let y = f(b: one(2), a: one(3)); let z = f(a: y); let a = 4; print(msg: `{f(a:)} {z}`);",
        "assert(condition: n > 0); assert_eq(actual: n, expected: 3); assert_ne(actual: s, unexpected: \"x\");",
        "print(msg: `{min(left: n, right: 3)} {max(left: g, right: 1.0)} {max(left: s, right: \"b\")}`);",
        "print(msg: `{n.abs()} {n.signum()} {n.pow(exponent: 2)} {n.clamp(low: 0, high: 9)} {n.clamp(high: 9, low: 0)}`);",
        "print(msg: `{g.floor()} {g.ceil()} {g.round()} {g.truncate()} {g.abs()} {g.is_nan()} {g.to_bits()}`);",
        "print(msg: `{float.from_bits(bits: 0)} {s.len()} {s.is_empty()} {len(collection: args)} {is_empty(s)}`);",
        "print(msg: `{n.equals(other: 3)} {s.hash()} {g.hash()} {s.debug()} {'c'.debug()} {n.to_str()} {s.clone()}`);",
        "let ok = true; ok &&= n > 1; ok ||= false; if !ok then {} else {}",
        "let len = len(collection: args); print(msg: `{len(collection: s)} {len}`);",
        "let u = (); let v = { n; }; if n > 0 then { u } else v;",
        "unreachable()",
        "let x = 1; { let x = 2.0; print(msg: `{x}`); } print(msg: `{x} {$c} {c}`);",
        "print(msg: `{hash_combine(seed: 1, value: n)} {(1, \"a\").hash()} {(1, 2).len()}`);",
        "let x = n + if n > 0 then 1 else 2; x <<= 2; x **= 2; print(msg: `{x}`);",
    ] {
        accept_body(body);
    }
    accept(
        "use std.math { sqrt, abs, $PI, wrapping_mul };\n@t (g: float) -> float = sqrt(x: abs(g)) * $PI + wrapping_mul(left: 1, right: 2) as float;",
    );
    accept("use std.math as m;\n@t (g: float) -> float = m.sqrt(g) + m.$TAU;");
    accept(
        "#derive(Eq, Comparable, Debug, Printable, Hashable, Clone)\ntype D = { a: int, b: (str, float), p: bool }\n@t (d: D) -> str = `{d} {d.debug()} {d == d} {d <= d} {d.hash()} {d.clone() != d} {max(left: d, right: d)}`;",
    );
    accept("@t (n: int) -> int = t(n: n - 1);");
    accept("@even (n: int) -> bool = if n == 0 then true else odd(n - 1);\n@odd (n: int) -> bool = if n == 0 then false else even(n - 1);");
    accept("let $a = $b + 1;\nlet $b: int = { let x = 2; x * 3 };\n@t () -> int = a;");
    accept("@t () -> void = let x = 3;");
    accept("@t () -> Never = loop {};");
    accept("@t () -> (int, str) = (1, \"a\");\n@u () -> int = { let (a, _) = t(); a };");
    accept("@t tests @one () -> void = assert_eq(actual: one(1), expected: 1);");
    accept("type E = { }\n@t () -> E = E { };");
}

#[test]
fn arguments_are_evaluated_as_written_and_defaults_last() {
    let source =
        format!("@t () -> int = f(b: one(1), a: one(2));\n@u () -> int = h(z: one(3));\n@h (y: int = 1, z: int) -> int = y + z;{FRAME}");
    let program = Program::new(&[("main", &source)]);
    let order = |name: &str| {
        let body = program.body(name).unwrap_or_else(|| panic!("{}", program.report()));
        let text = crate::text::print(&body, &program).unwrap_or_default();
        text.lines()
            .filter(|l| l.contains("call") || l.contains("= int "))
            .map(|l| l.trim().split(" = ").nth(1).unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        order("t"),
        ["int 1 !1:25", "call @main.one, %0 !1:21", "int 2 !1:36", "call @main.one, %3 !1:32", "call @main.f, %6, %7 !1:16"]
    );
    assert_eq!(order("u"), ["int 3 !1:25", "call @main.one, %0 !1:21", "call @=main.h.y !1:16", "call @main.h, %3, %4 !1:16"]);
}

#[test]
fn garbage_never_panics_and_what_is_accepted_verifies() {
    let seeds = [include_str!("tests/tour.ori"), FRAME];
    // A small generator of its own: deterministic, no crate.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let words = [
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "let ",
        "x",
        "1",
        "\"a\"",
        "if ",
        " then ",
        " else ",
        "match ",
        "->",
        ",",
        ";",
        ".",
        "..",
        "loop",
        "break ",
        "for ",
        " in ",
        " do ",
        "#",
        "$",
        "@",
        "=",
        "==",
        "+",
        "_",
        "int",
        "P",
        "`{",
        "}`",
        "-",
        "|",
        "byte",
        "0",
        "continue",
        ":o",
        "...",
        "panic(msg: \"\")",
    ];
    for round in 0..1500 {
        let source = seeds[round % seeds.len()];
        let chars: Vec<char> = source.chars().collect();
        let mut text: Vec<char> = chars.clone();
        for _ in 0..=next(4) {
            let at = next(text.len());
            match next(4) {
                0 => {
                    let end = (at + 1 + next(6)).min(text.len());
                    text.drain(at..end);
                }
                1 => {
                    let word: Vec<char> = words[next(words.len())].chars().collect();
                    text.splice(at..at, word);
                }
                2 => {
                    let from = next(chars.len());
                    let end = (from + 1 + next(20)).min(chars.len());
                    text.splice(at..at, chars[from..end].iter().copied());
                }
                _ => {
                    let end = (at + 1 + next(3)).min(text.len());
                    let word: Vec<char> = words[next(words.len())].chars().collect();
                    text.splice(at..end, word);
                }
            }
        }
        let text: String = text.into_iter().collect();
        let program = Program::new(&[("main", &text)]);
        let _ = program.diagnostics();
        for body in program.bodies() {
            let faults = crate::verify::verify(&body, &program).unwrap_or_default();
            assert_eq!(ir::fault::report(&body.owner.to_string(), &faults), "", "{text}");
        }
    }
}

/// Warnings are fine here; bodies must be there and verify, whatever was checked and left out of them.
#[track_caller]
fn leaves_out(body: &str) {
    let source = format!("type Whole = {{ a: int, b: (int, str) }}\n@t (n: int, s: str, q: Whole) -> void = {{\n{body}\n}}{FRAME}");
    let program = Program::new(&[("main", &source)]);
    assert!(!program.has_errors(), "{}\n{source}", program.report());
    assert!(program.body("t").is_some(), "{source}");
    sound(&program);
}

#[test]
fn what_is_checked_but_never_evaluated_is_not_part_of_the_body() {
    // Beside an operand that never ends.
    leaves_out("let x = panic(msg: s) + (n * 2);");
    leaves_out("let x = min(left: panic(msg: s), right: n);");
    leaves_out("assert_eq(actual: panic(msg: s), expected: n);");
    // Arms that never match, and all arms of a scrutinee that never ends.
    leaves_out("let x = match n { 1..5 -> { loop { break n } }, 2 -> if n > 1 then { n } else 3, _ -> 0 };");
    leaves_out("match panic(msg: s) { 1 -> print(msg: s), _ -> {} };");
    // Locals that are read again instead, and the first look at a spread.
    leaves_out("let $a = (n, s); let $b = (n, s); let same = a == b; print(msg: `{same}`);");
    leaves_out("let r = {...Whole { a: 1, b: (2, s) }, a: n * 3}; print(msg: `{r.a}`);");
    // The body of a loop whose step is 0.
    leaves_out("for i in 0..n by 0 do { for k in 0..i do { print(msg: s); } };");
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow() {
    for source in [
        format!("@t () -> int = {}1{};", "(".repeat(5000), ")".repeat(5000)),
        format!("@t () -> int = {}1;", "~".repeat(20000)),
        format!("@t (s: str) -> str = s{};", ".clone()".repeat(20000)),
        format!("@t () -> void = {}{};", "{".repeat(3000), "}".repeat(3000)),
    ] {
        let program = Program::new(&[("main", &source)]);
        let codes: Vec<&str> = program.codes().iter().map(|c| c.as_str()).collect();
        assert!(codes.contains(&"E0037"), "{codes:?} {}", &source[..40]);
    }
}

#[test]
fn what_is_long_but_not_nested_has_no_limit() {
    for source in [
        format!("@t (n: int) -> str = `{}`;", "{n} ".repeat(2000)),
        format!("@t () -> int = 1{};", " + 1".repeat(20000)),
        format!("@t () -> bool = true{};", " && true".repeat(20000)),
        format!("@t (n: int) -> int = {} 2;", "if n == 0 then 1 else ".repeat(20000)),
        format!("@t (n: int) -> int = {}n{};", "(1 + ".repeat(256), ")".repeat(256)),
        format!("@t (n: int) -> int = {}n;", "~".repeat(1500)),
    ] {
        assert_eq!(Program::new(&[("main", &source)]).report(), "", "{}", &source[..40]);
    }
}

#[test]
fn wide_values_are_compared() {
    let tuple = |count: usize| {
        format!("@t () -> bool = {{ let a = ({}); a < a && `{{a}}` == \"\" && a.hash() == 0 }}", vec!["1"; count].join(", "))
    };
    accept(&tuple(2000));
}

#[test]
fn a_further_clause_says_nothing_beyond_the_refusal_of_the_first() {
    check("@h (0: int) -> int = 1;\n@h (n) = n * h(n - 1);", &["1:5 E2040 this compiler does not support patterns as parameters yet"]);
    check("@h (n: int) -> int if n > 0 = 1;\n@h (n) = 2;\n@h (_) = 3;", &["1:1 E2040 this compiler does not support function clauses yet"]);
    check("@h (n: int) -> int = 1;\n@h (n) = 2;", &["2:2 E2006 'h' is defined twice in this scope"]);
}

#[test]
fn attributes_are_judged_wherever_they_stand() {
    check("#const_limit(steps: 5)\nlet $a = 1;\n@h () -> int = $a;", &["1:1 E2040 this compiler does not support `#const_limit` yet"]);
    check("#!target(os: \"linux\")\n@h () -> void = {}", &["1:1 E2040 this compiler does not support `#!target` yet"]);
    check("#derive()\ntype T = { a: int }", &["1:1 E0108 invalid arguments for '#derive': it takes names of traits"]);
    check("#derive(1)\ntype T = { a: int }", &["1:1 E0108 invalid arguments for '#derive': only names of traits can be derived"]);
    check("#fail\n@t tests _ () -> void = {}", &["1:1 E0108 invalid arguments for '#fail': it takes one string"]);
    check("#repr(\"c\")\n@h () -> void = {}", &["1:1 E0107 '#repr' cannot be applied to functions"]);
    check(
        "#cfg(debug)\nuse std.math { sqrt };\n@h () -> float = sqrt(value: 1.0);",
        &["1:1 E2040 this compiler does not support `#cfg` on imports yet"],
    );
}

#[test]
fn test_headers_are_judged() {
    check("@h () -> int = 1;\n@t tests @h tests @h () -> void = assert(condition: h() == 1);", &[]);
    check("@t tests @g () -> void = {}", &["1:2 E0513 test target '@g' not found"]);
    check("@h () -> int = 1;\n@t tests @h () -> void = {}\n@u tests @t () -> void = {}", &["3:2 E0513 test target '@t' not found"]);
    check("@h () -> int = 1;\n@t tests _ tests @h () -> void = {}", &["2:2 E0514 '_' cannot be combined with other targets"]);
    check("@t tests _ () -> void = {}\n@t tests _ () -> void = {}", &["2:2 E2006 't' is defined twice in this scope"]);
}

#[test]
fn a_public_signature_with_a_private_type_is_worth_a_warning() {
    check("type H = { a: int }\npub @h (x: H) -> (int, H) = (x.a, x);", &["2:9 W0202 public 'h' exposes private type 'H'"]);
    check("pub type O = { a: int }\npub @h (x: O) -> int = x.a;\n@g (x: O) -> int = x.a;", &[]);
}
