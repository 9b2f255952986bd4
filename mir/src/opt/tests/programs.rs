//! Programs from source: the same output, panics and places for any amount of fuel, and what the passes must achieve on them.

use ir::ops::Effect;
use ir::{Fuel, ItemId, Symbol};

use super::{Optimised, assert_sound, run_optimised};
use crate::interp::tests::world::{Printed, World};
use crate::interp::{Limits, Outcome};
use crate::ir::{Body, Context, Mono};
use crate::{Op, text};

fn main() -> ItemId {
    ItemId::function(Symbol::new("main"), Symbol::new("main"))
}

/// Programs small enough to be run once for every amount of fuel.
const PROGRAMS: &[&str] = &[
    // Loops, calls, a panic in a callee that is copied into its caller.
    "@half (n: int) -> int = if n % 2 == 0 then n / 2 else panic(msg: `odd {n}`);\n\
     @twice (n: int) -> int = half(n: n) + half(n: n);\n\
     @main () -> void = { let total = 0; for i in 0..=9 do { total += twice(n: i * 2) }; print(msg: `{total}`); print(msg: `{twice(n: 7)}`) }",
    // Structs through loops.
    "type V = { x: int, y: int }\n\
     @step (v: V, by: int) -> V = V { x: v.x + by, y: v.y * 2 };\n\
     @main () -> void = { let v = V { x: 1, y: 1 }; let i = 0; while i < 10 do { v = step(v: v, by: i); if v.x > 20 then v = V { x: 0, y: v.y }; i += 1 }; print(msg: `{v.x} {v.y}`) }",
    // Short-circuit logic, matches, overflow at the end.
    "@kind (n: int) -> str = match n { 0 -> \"zero\", 1 -> \"one\", _ -> if n > 10 && n % 3 == 0 || n == 5 then \"odd one\" else \"some\" };\n\
     @grow (n: int) -> int = n * 1000003 + 7;\n\
     @main () -> void = { for i in 0..14 do print(msg: kind(n: i)); let n = 1; loop { n = grow(n: n); print(msg: `{n}`) } }",
    // A tail call of the function itself, and of another one.
    "@down (n: int, acc: int) -> int = if n == 0 then acc else down(n: n - 1, acc: acc - n % 7);\n\
     @even (n: int) -> bool = if n == 0 then true else odd(n: n - 1);\n\
     @odd (n: int) -> bool = if n == 0 then false else even(n: n - 1);\n\
     @main () -> void = { print(msg: `{down(n: 500, acc: 0)} {even(n: 31)}`); print(msg: `{down(n: -1, acc: 9223372036854775800)}`) }",
    // Floats, bits, shifts, bytes, chars.
    "@mix (n: int) -> int = ((n << 3) ^ (n >> 1)) & 255 | 1;\n\
     @main () -> void = { let x = 1.5; for i in 1..8 do { x = x * 2.0 / 4.0 + 0.25; print(msg: `{x} {mix(n: i)} {~i} {-i}`) }; let s = 60; print(msg: `{1 << s}`); s += 4; print(msg: `{1 << s}`) }",
    // Steps, both directions, and bounds at the ends of int.
    "@main () -> void = { let top = 9223372036854775807; let n = 0; for i in (top - 5)..=top do n += i % 2; for i in 20..0 by -3 do n += i; for i in 0..=20 by 7 do n += i * i; print(msg: `{n}`) }",
    // A minimum that becomes a select, a dead loop-carried value, the same sum twice.
    "@least (a: int, b: int) -> int = if a < b then a else b;\n\
     @main () -> void = { let best = 1000; let unused = 0; for i in 0..50 do { best = least(a: best, b: (i - 25) * (i - 25) + 3); unused = unused + (i + i) - (i + i) }; print(msg: `{best}`) }",
];

#[track_caller]
fn run(world: &World, fuel: Fuel) -> (String, String, Outcome) {
    let mut printed = Printed::default();
    let outcome = run_optimised(world, world, main(), &[], &mut printed, fuel);
    (printed.output, printed.error, outcome)
}

#[test]
fn every_prefix_of_the_rewrites_gives_the_same_program() {
    for source in PROGRAMS {
        let world = World::new(&[("main", source)]);
        let mut printed = Printed::default();
        let outcome = world.run(&[], &mut printed, Limits::default());
        assert!(!matches!(outcome, Outcome::Broken(_)), "{outcome:?}");
        let expected = (printed.output, printed.error, outcome);
        let mut limit = 0;
        // Each body counts its own fuel, so this ends behind the body with the most rewrites.
        loop {
            assert_eq!(run(&world, Fuel::limited(limit)), expected, "fuel {limit}\n{source}");
            if limit > 0 && most_rewrites(&world) < limit {
                break;
            }
            limit += 1;
        }
        assert!(limit > 2, "nothing was rewritten in\n{source}");
    }
}

/// Rewrites of the body that has the most.
fn most_rewrites(world: &World) -> u64 {
    let cx = Optimised::new(world, Fuel::unlimited());
    let mut most = 0;
    for name in ["main", "half", "twice", "step", "kind", "grow", "down", "even", "odd", "mix", "least"] {
        let item = ItemId::function(Symbol::new("main"), Symbol::new(name));
        if let Some(body) = world.body(item).expect("no interrupts") {
            let (mut body, mut fuel) = (Body::clone(&body), Fuel::unlimited());
            super::super::optimise(&mut body, &mut fuel, &cx).expect("no interrupts");
            most = most.max(fuel.spent());
        }
    }
    most
}

#[test]
fn every_pass_can_be_switched_off() {
    for source in PROGRAMS {
        let world = World::new(&[("main", source)]);
        let expected = run(&world, Fuel::limited(0));
        for (pass, _) in super::super::PASSES {
            assert_eq!(run(&world, Fuel::unlimited().without([(*pass).to_owned()])), expected, "without {pass}\n{source}");
        }
    }
}

/// The optimised body of `@main.name` of a kernel.
fn kernel(kernel: &str, name: &str) -> Body<Mono> {
    let path = format!("{}/../fixtures/kernels/{kernel}.ori", env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(path).expect("the kernel");
    let world = World::new(&[("main", &source)]);
    let cx = Optimised::new(&world, Fuel::unlimited());
    let item = ItemId::function(Symbol::new("main"), Symbol::new(name));
    let body = cx.body(item).expect("no interrupts").expect("a body");
    assert_sound(&body, &cx, kernel);
    if std::env::var_os("ORI_SHOW").is_some() {
        eprintln!("{}", text::print_body(&body));
    }
    Body::clone(&body)
}

/// Number of instructions of an op in blocks that lie on a cycle.
fn in_loops(body: &Body<Mono>, wanted: impl Fn(Op) -> bool) -> usize {
    let mut count = 0;
    for block in body.blocks.ids() {
        let (mut seen, mut work) = (vec![false; body.blocks.len()], vec![block]);
        while let Some(at) = work.pop() {
            body.each_successor(at, |next| {
                if !std::mem::replace(&mut seen[next.index()], true) {
                    work.push(next);
                }
            });
        }
        if seen[block.index()] {
            count += body.blocks[block].insts.iter().filter(|&&inst| wanted(body.op(inst))).count();
        }
    }
    count
}

#[test]
fn structs_in_the_loop_of_nbody_are_scalars() {
    let body = kernel("nbody", "advance");
    assert_eq!(in_loops(&body, |op| matches!(op, Op::Field | Op::WithField | Op::Aggregate)), 0, "{}", text::print_body(&body));
}

#[test]
fn a_counter_that_is_compared_needs_no_check() {
    let body = kernel("collatz", "main");
    assert!(in_loops(&body, |op| op == Op::WrapAdd) > 0, "{}", text::print_body(&body));
    for name in ["mandelbrot", "fib", "gcd"] {
        let body = kernel(name, "main");
        assert!(in_loops(&body, |op| op.info().effect == Effect::Reads) == 0);
    }
}
