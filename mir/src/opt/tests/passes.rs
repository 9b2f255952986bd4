//! What each pass does to a text, the mutants of what comes out, and how long it takes.

use ir::Fuel;

use super::assert_sound;
use crate::ir::{Body, Mono};
use crate::text;

/// Runs passes on the last function of a dump; each intent is `+text` (must stand in the result), or `-text` (must not).
#[track_caller]
fn check(passes: &[&str], functions: &str, intents: &[&str]) -> Body<Mono> {
    let source = format!("ori-ir mir.mono 1\n;! type m.P = {{int, int}}\n;! type m.Q = {{m.P, float}}\n{functions}");
    let (mut bodies, cx) = text::parse::<Mono>(&source).unwrap_or_else(|e| panic!("{e}\n{source}"));
    let mut body = bodies.pop().expect("a function");
    assert_sound(&body, &cx, "before");
    let mut fuel = Fuel::unlimited();
    for pass in passes {
        assert!(super::super::run(pass, &mut body, &mut fuel, &cx).expect("no interrupts"), "no pass {pass}");
        assert_sound(&body, &cx, &format!("after {pass}"));
    }
    let printed = text::print_body(&body);
    for intent in intents {
        let (kind, wanted) = intent.split_at(1);
        assert_eq!(printed.contains(wanted), kind == "+", "{intent}\n{printed}");
    }
    body
}

/// A function of ints `%0`, `%1`, byte `%2`, float `%3`, bool `%4`, str `%5` that gives `%9`, an int.
fn ints(lines: &str) -> String {
    format!("fn @m.f(%0: int, %1: int, %2: byte, %3: float, %4: bool, %5: str) -> int {{\nb0:\n{lines}\n  ret %9\nb1:\n  resume\n}}\n")
}

#[test]
fn literals_fold_unless_the_op_panics() {
    let of = |op: &str, a: i64, b: i64| ints(&format!("  %7: int = int {a}\n  %8: int = int {b}\n  %9: int = {op} %7, %8, b1 !1:1"));
    for (op, a, b, result) in [
        ("add", 2, 3, 5),
        ("sub", 2, 3, -1),
        ("mul", -2, 3, -6),
        ("div", -7, 2, -3),
        ("rem", -7, 2, -1),
        ("floordiv", -7, 2, -4),
        ("floordiv", 7, -2, -4),
        ("shl", -3, 2, -12),
        ("shr", -5, 1, -3),
    ] {
        check(&["fold"], &of(op, a, b), &[&format!("+int {result}\n  ret"), &format!("-{op} ")]);
    }
    for (op, a, b) in [
        ("add", i64::MAX, 1),
        ("sub", i64::MIN, 1),
        ("mul", i64::MAX, 2),
        ("div", 1, 0),
        ("div", i64::MIN, -1),
        ("rem", i64::MIN, -1),
        ("floordiv", 5, 0),
        ("shl", 1, 64),
        ("shl", 1, 63),
        ("shr", 1, -1),
    ] {
        check(&["fold"], &of(op, a, b), &[&format!("+{op} "), "+!1:1", "-nounwind"]);
    }
}

#[test]
fn algebra_finds_the_operand() {
    for lines in [
        "  %7: int = int 0\n  %9: int = add %0, %7, b1 !1:1",
        "  %7: int = int 0\n  %9: int = add %7, %0, b1 !1:1",
        "  %7: int = int 1\n  %9: int = mul %7, %0, b1 !1:1",
        "  %7: int = int 1\n  %9: int = floordiv %0, %7, b1 !1:1",
        "  %7: int = bit_not %0\n  %9: int = bit_not %7",
        "  %7: int = or %0, %0\n  %9: int = widen %7",
        "  %9: int = select %4, %0, %0",
    ] {
        check(&["fold"], &ints(lines), &["+ret %0\n"]);
    }
    check(&["fold"], &ints("  %7: int = int 3\n  %9: int = div %0, %7, b1 !1:1"), &["+{nounwind} !1:1"]);
    check(&["fold"], &ints("  %7: int = int -1\n  %9: int = div %0, %7, b1 !1:1"), &["-nounwind"]);
    // A difference from zero that overflows is no negation that overflows: another message.
    check(&["fold"], &ints("  %7: int = int 0\n  %9: int = sub %7, %0, b1 !1:1"), &["+sub "]);
    check(&["fold"], &ints("  %6: bool = lt %0, %1\n  %7: bool = not %6\n  %9: int = widen %7"), &["+ge %0, %1", "-not"]);
    check(&["fold"], &ints("  %6: bool = flt %3, %3\n  %7: bool = not %6\n  %9: int = widen %7"), &["+flt", "+not"]);
    check(
        &["fold"],
        &ints("  %7: float = float 0x4000000000000000\n  %8: float = fdiv %3, %7\n  %9: int = float_bits %8"),
        &["+fmul", "+0x3fe0000000000000"],
    );
    check(&["fold"], &ints("  %7: float = float 0x4008000000000000\n  %8: float = fdiv %3, %7\n  %9: int = float_bits %8"), &["+fdiv"]);
    check(
        &["fold"],
        &ints("  %7: int = int 256\n  %8: int = widen %2\n  %6: bool = lt %8, %7\n  %9: int = widen %6"),
        &["+int 1\n", "-lt "],
    );
    check(
        &["fold"],
        &ints("  %6: str = str \"ab\"\n  %7: str = str \"é\"\n  %8: str = rt str_concat, %6, %7, {nounwind}\n  %9: int = str_len %8"),
        &["+int 4\n"],
    );
}

#[test]
fn a_value_is_computed_once_on_a_path() {
    let twice = "  %7: int = add %0, %1, b1 !1:1\n  %8: int = add %1, %0, b1 !1:2\n  %9: int = mul %7, %8, b1 !1:3";
    let body = check(&["cse"], &ints(twice), &["-1:2"]);
    assert_eq!(body.size(), 4);
    // Two sides of a branch know nothing of each other, what follows knows what came before.
    let sides = "fn @m.f(%0: int, %1: bool) -> int {\nb0:\n  %2: int = wrap_add %0, %0\n  branch %1, b1, b2\nb1:\n  %3: int = wrap_mul %0, %0\n  jump b3(%3)\n\
                 b2:\n  %4: int = wrap_mul %0, %0\n  jump b3(%4)\nb3(%5: int):\n  %6: int = wrap_add %0, %0\n  %7: int = xor %5, %6\n  ret %7\n}\n";
    let body = check(&["cse"], sides, &[]);
    assert_eq!(body.size(), 8);
    // On the panic side a value of the block may be missing.
    let pad = "fn @m.f(%0: int) -> int {\nb0:\n  %1: int = neg %0, b1 !1:1\n  %2: int = bit_not %0\n  %3: int = wrap_add %1, %2\n  ret %3\n\
               b1:\n  %4: int = bit_not %0\n  %5: str = rt str_of_int, %4, {nounwind}\n  rt debug_print, %5, {nounwind}\n  resume\n}\n";
    check(&["cse"], pad, &["+str_of_int"]);
}

#[test]
fn short_circuits_become_jumps() {
    let logic = "fn @m.f(%0: bool, %1: bool) -> int {\nb0:\n  branch %0, b1, b2\nb1:\n  jump b3(%1)\nb2:\n  %2: bool = bool 0\n  jump b3(%2)\nb3(%3: bool):\n  branch %3, b4, b5\n\
                 b4:\n  %4: int = int 1\n  ret %4\nb5:\n  %5: int = int 2\n  ret %5\n}\n";
    let body = check(&["jumps", "dead", "jumps"], logic, &["+branch %0", "+branch %1", "-bool 0"]);
    assert_eq!(body.blocks.len(), 4);
    let least = "fn @m.f(%0: int, %1: int) -> int {\nb0:\n  %2: bool = lt %0, %1\n  branch %2, b1, b2\nb1:\n  jump b3(%0)\nb2:\n  jump b3(%1)\nb3(%3: int):\n  ret %3\n}\n";
    check(&["jumps"], least, &["+select %2, %0, %1", "-branch"]);
    // A text is no number: choosing one by a select would copy it.
    check(
        &["jumps"],
        &least
            .replace("%0: int, %1: int) -> int", "%0: str, %1: str, %9: bool) -> str")
            .replace("%2: bool = lt %0, %1", "%2: bool = not %9")
            .replace("%3: int", "%3: str"),
        &["-select", "+branch"],
    );
}

#[test]
fn what_only_feeds_itself_is_dead() {
    let text = "fn @m.f(%0: int) -> int {\nb0:\n  %1: int = int 0\n  jump b1(%1, %1)\nb1(%2: int, %3: int):\n  %4: int = int 1\n  %5: int = wrap_add %2, %4\n  %6: int = wrap_mul %3, %5\n\
                %7: bool = lt %5, %0\n  branch %7, b1(%5, %6), b2\nb2:\n  ret %5\n}\n";
    check(&["dead"], text, &["-wrap_mul", "+b1(%2: int):"]);
    // What may panic stays.
    check(&["dead"], &ints("  %9: int = int 1\n  %8: int = add %0, %1, b1 !1:1"), &["+add"]);
}

#[test]
fn a_tail_call_of_the_function_itself_is_a_loop() {
    let text = "fn @m.f(%0: int, %1: int) -> int {\nb0:\n  %2: bool = lt %0, %1\n  branch %2, b1, b2\nb1:\n  tail @m.f, %1, %0\nb2:\n  ret %0\n}\n";
    // The header swaps its parameters each time round.
    check(&["loops"], text, &["-tail", "+jump b1(%0, %1)\n", "+jump b1(%3, %2)\n"]);
}

#[test]
fn a_copied_callee_keeps_its_places_and_unwinds_to_the_caller() {
    let text = "fn @m.g(%0: int) -> int {\nb0:\n  %1: int = neg %0, b1 !2:7\n  ret %1\nb1:\n  resume\n}\n\
                fn @m.f(%0: int) -> int {\nb0:\n  %1: int = call @m.g, %0, b1 !4:9\n  ret %1\nb1:\n  resume\n}\n";
    check(&["inline", "jumps"], text, &["-call", "+neg %0, b", "+!@m.g 2:7 < 4:9"]);
}

#[test]
fn nested_aggregates_come_apart_through_a_loop() {
    let text = "fn @m.f(%0: int, %1: m.Q) -> float {\nb0:\n  %2: int = int 0\n  jump b1(%2, %1)\nb1(%3: int, %4: m.Q):\n  %5: m.P = field %4, 0\n  %6: int = field %5, 1\n  %7: m.P = with_field %5, %6, 0\n\
                %8: m.Q = with_field %4, %7, 0\n  %9: int = int 1\n  %10: int = wrap_add %3, %9\n  %11: bool = lt %10, %0\n  branch %11, b1(%10, %8), b2(%8)\nb2(%12: m.Q):\n  %13: float = field %12, 1\n  ret %13\n}\n";
    check(&["aggregates", "fold", "jumps", "dead", "jumps"], text, &["-with_field", "-aggregate"]);
}

#[test]
fn intervals_drop_checks_only_where_they_hold() {
    let counted = |first: &str, latch: &str| {
        format!(
            "fn @m.f(%0: int, %1: int) -> int {{\nb0:\n  %2: int = int 0\n  %3: bool = lt {first}, %0\n  branch %3, b1({first}), b2({first})\nb1(%4: int):\n  %5: int = int 1\n\
             %6: int = add %4, %5, b3 !1:1\n  %7: bool = {latch}\n  branch %7, b1(%6), b2(%6)\nb2(%8: int):\n  ret %8\nb3:\n  resume\n}}\n"
        )
    };
    check(&["ranges"], &counted("%2", "lt %6, %0"), &["+wrap_add", "- add "]);
    check(&["ranges"], &counted("%1", "lt %6, %0"), &["+wrap_add"]);
    // The compare that bounds the counter looks at another value.
    check(&["ranges"], &counted("%2", "lt %1, %0"), &["-wrap_add"]);
    check(&["ranges"], &counted("%2", "ne %6, %0"), &["-wrap_add"]);
    check(&["ranges"], &counted("%2", "le %6, %0"), &["-wrap_add"]);
    let wrapping =
        counted("%2", "lt %0, %6").replace("%6: int = add %4, %5, b3 !1:1", "%9: int = wrap_add %4, %5\n  %6: int = add %9, %5, b3 !1:1");
    check(&["ranges"], &wrapping, &["+ add "]);
    // A difference is bounded from the other side.
    check(
        &["ranges"],
        &ints("  %7: int = int 255\n  %8: int = and %0, %7\n  %6: int = and %1, %7\n  %9: int = sub %8, %6, b1 !1:1"),
        &["+wrap_sub"],
    );
    check(&["ranges"], &ints("  %7: int = int 255\n  %8: int = and %0, %7\n  %9: int = sub %8, %1, b1 !1:1"), &["-wrap_sub"]);
    let decided = "fn @m.f(%0: int) -> int {\nb0:\n  %1: int = int 5\n  %2: bool = lt %0, %1\n  branch %2, b1, b2\nb1:\n  %3: int = int 9\n  %4: bool = lt %0, %3\n  branch %4, b2, b3\nb2:\n  ret %0\nb3:\n  ret %1\n}\n";
    check(&["ranges"], decided, &["-int 5\n  ret"]);
    assert_eq!(check(&["ranges"], decided, &[]).blocks.len(), 3);
}

#[test]
fn mutants_of_optimised_bodies_are_refused_or_well_formed() {
    let source = include_str!("corpus.ir");
    let (bodies, cx) = text::parse::<Mono>(source).unwrap_or_else(|e| panic!("{e}"));
    let types = [hir::Type::INT, hir::Type::FLOAT, hir::Type::BOOL, hir::Type::STR];
    let (mut made, mut refused) = (0u32, 0u32);
    for body in &bodies {
        let mut body = body.clone();
        super::super::optimise(&mut body, &mut Fuel::unlimited(), &cx).expect("no interrupts");
        assert_sound(&body, &cx, "optimised");
        for seed in 0..400 {
            let Some((graph, _)) = ir::mutate::mutate(&body, seed, &types) else { continue };
            let mutant = Body::<Mono>::new(graph);
            made += 1;
            if crate::verify::verify(&mutant, &cx).expect("no interrupts").is_empty() {
                // Then it is a body like any other, and passes must cope with it.
                let mut mutant = mutant;
                super::super::optimise(&mut mutant, &mut Fuel::unlimited(), &cx).expect("no interrupts");
                assert_sound(&mutant, &cx, "optimised mutant");
            } else {
                refused += 1;
            }
        }
    }
    assert!(made > 1000 && refused * 2 > made, "{refused} of {made}");
}

/// The bounds are lax (tests are not optimised much, and the bodies are tiny): they are there for a pass that became quadratic.
#[test]
fn verifier_and_pipeline_are_fast() {
    let (bodies, cx) = text::parse::<Mono>(include_str!("corpus.ir")).unwrap_or_else(|e| panic!("{e}"));
    let insts: usize = bodies.iter().map(|body| body.size()).sum();
    let rounds = 200;
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        for body in &bodies {
            assert!(crate::verify::verify(body, &cx).expect("no interrupts").is_empty());
        }
    }
    let verify = start.elapsed().as_nanos() as usize / (rounds * insts);
    let start = std::time::Instant::now();
    for _ in 0..rounds {
        for body in &bodies {
            super::super::optimise(&mut body.clone(), &mut Fuel::unlimited(), &cx).expect("no interrupts");
        }
    }
    let optimise = start.elapsed().as_nanos() as usize / (rounds * insts);
    println!("{insts} instructions: verify {verify} ns, optimise {optimise} ns each");
    assert!(verify < 5_000 && optimise < 50_000, "verify {verify} ns, optimise {optimise} ns an instruction");
}
