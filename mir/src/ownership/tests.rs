//! What the pass leaves of a body, and what contracts come to. That programs run with nothing left is what every test of the interpreter says, too.

use hir::Type;
use ir::{Fuel, ItemId, Symbol};

use super::own;
use crate::interp::tests::world::{Printed, World};
use crate::interp::{Limits, Outcome};
use crate::ir::{Context, Contract, Mir};
use crate::ops::Op;

fn item(name: &str) -> ItemId {
    ItemId::function(Symbol::new("main"), Symbol::new(name))
}

/// How often an op stands in the owned body of a function.
#[track_caller]
fn count(source: &str, function: &str, op: Op) -> usize {
    count_in(source, function, op, false)
}

#[track_caller]
fn count_in(source: &str, function: &str, op: Op, optimise: bool) -> usize {
    let world = World::new(&[("main", source)]);
    let mut body = (*world.built(function)).clone();
    if optimise {
        crate::opt::optimise(&mut body, &mut Fuel::unlimited(), &world).expect("an answer");
    }
    let owned = own(&body, &mut Fuel::unlimited(), &world).expect("an answer");
    let faults = crate::verify::verify(&owned, &world).expect("an answer");
    assert!(faults.is_empty(), "{faults:?}");
    let graph: &ir::ssa::Graph<Mir> = &owned;
    graph.blocks.rows().iter().flat_map(|block| &block.insts).filter(|&&inst| graph.op(inst) == op).count()
}

#[track_caller]
fn contract(source: &str, function: &str) -> Contract {
    World::new(&[("main", source)]).contract(item(function)).expect("an answer")
}

#[test]
fn a_body_of_numbers_is_left_as_it_is() {
    let world = World::new(&[("main", "@f (n: int) -> int = { let s = 0; for i in 0..n do s = s + i; s };")]);
    let built = world.built("f");
    let owned = own(&built, &mut Fuel::unlimited(), &world).expect("an answer").into_graph();
    assert_eq!(owned, (*built).clone().into_graph());
}

#[test]
fn the_last_use_takes_the_value() {
    let source = "type P = { a: str, b: str }\n@f (s: str) -> P = P { a: s, b: s };";
    assert_eq!(count(source, "f", Op::Dup), 1);
    assert_eq!(count(source, "f", Op::Drop), 0);
}

#[test]
fn literals_are_never_counted() {
    let source = "type P = { a: str, b: str }\n@f (n: int) -> P = P { a: \"one\", b: \"two\" };";
    assert_eq!(count(source, "f", Op::Dup) + count(source, "f", Op::Drop), 0);
}

#[test]
fn what_dies_on_one_way_only_is_dropped_there() {
    let source = "@f (s: str, n: int) -> str = if n > 0 then s else \"none\";";
    assert_eq!(count(source, "f", Op::Dup), 0);
    assert_eq!(count(source, "f", Op::Drop), 1);
}

#[test]
fn what_is_only_looked_at_is_borrowed() {
    assert!(contract("@f (s: str) -> int = s.len() + s.len();", "f").borrows(0));
    assert_eq!(count("@f (s: str) -> int = s.len() + s.len();", "f", Op::Drop), 0);
    assert!(contract("@g (s: str) -> int = s.len();\n@f (s: str) -> int = g(s: s);", "f").borrows(0));
}

#[test]
fn what_is_kept_is_owned() {
    assert!(!contract("@f (s: str) -> str = s;", "f").borrows(0));
    assert!(!contract("@f (s: str) -> (str, int) = (s, 1);", "f").borrows(0));
    assert!(!contract("@g (s: str) -> str = s;\n@f (s: str) -> int = g(s: s).len();", "f").borrows(0));
}

#[test]
fn a_circle_borrows_together() {
    let source = "@even (n: int, s: str) -> int = if n == 0 then s.len() else 1 + odd(n: n - 1, s: s);\n\
                  @odd (n: int, s: str) -> int = if n == 0 then 0 else 1 + even(n: n - 1, s: s);";
    assert!(contract(source, "even").borrows(1));
    assert!(contract(source, "odd").borrows(1));
    let keeps = "@even (n: int, s: str) -> str = if n == 0 then s else odd(n: n - 1, s: s);\n\
                 @odd (n: int, s: str) -> str = if n == 0 then \"\" else even(n: n - 1, s: s);";
    assert!(!contract(keeps, "even").borrows(1));
    assert!(!contract(keeps, "odd").borrows(1));
}

#[test]
fn what_a_tail_call_holds_its_callee_owns() {
    let source = "@even (n: int, s: str) -> int = if n == 0 then s.len() else odd(n: n - 1, s: s + \"x\");\n\
                  @odd (n: int, s: str) -> int = if n == 0 then 0 else even(n: n - 1, s: s);";
    assert!(!contract(source, "odd").borrows(1));
    assert!(!contract(source, "even").borrows(1));
    let world = World::new(&[("main", &format!("{source}\n@main () -> int = even(n: 6, s: \"a\" + \"b\");"))]);
    assert_eq!(world.run(&[], &mut Printed::default(), Limits::default()), Outcome::Exit(5));
}

#[test]
fn a_function_value_owns_what_its_function_borrows() {
    let source = "@size (s: str) -> int = s.len();\n\
                  @twice (f: (str) -> int, s: str) -> int = f(s) + f(s + s);\n\
                  @main () -> int = twice(f: size, s: \"ab\" + \"c\");";
    assert!(contract(source, "size").borrows(0));
    let world = World::new(&[("main", source)]);
    assert_eq!(world.run(&[], &mut Printed::default(), Limits::default()), Outcome::Exit(9));
}

#[test]
fn counted_types_are_found_inside_others() {
    let world = World::new(&[(
        "main",
        "type P = { n: int, inner: (bool, Option<str>) }\ntype Q = { n: int, b: bool }\n@f (p: P, q: Q) -> int = p.n + q.n;",
    )]);
    let params = world.signature(item("f")).expect("an answer").expect("a function").0.clone();
    assert!(world.is_counted(params[0]).expect("an answer"));
    assert!(!world.is_counted(params[1]).expect("an answer"));
    assert!(!world.is_counted(Type::INT).expect("an answer"));
    assert!(world.is_counted(Type::cell(&[Type::INT])).expect("an answer"));
}

#[test]
fn a_tail_call_that_lends_keeps_its_frame() {
    let text = "ori-ir mir.mono 1\n;! fn @m.g(ref str) -> int\nfn @m.f(%0: str) -> int {\nb0:\n  tail @m.g, %0\n}\n";
    let Ok((bodies, cx)) = crate::text::parse::<crate::ir::Mono>(text) else { panic!("the text parses") };
    let owned = own(&bodies[0], &mut Fuel::unlimited(), &cx).expect("an answer");
    assert!(crate::verify::verify(&owned, &cx).expect("an answer").is_empty());
    let text = crate::text::print_body(&owned);
    assert!(text.contains("call @m.g") && !text.contains("tail"), "{text}");
}

const TREE: &str = "type Tree = Leaf | Node(Tree, int, Tree);\n\
    @insert (t: Tree, k: int) -> Tree = match t {\n\
        Leaf -> Node(Leaf, k, Leaf),\n\
        Node(l, x, r) -> if k < x then Node(insert(t: l, k:), x, r) else Node(l, x, insert(t: r, k:)),\n\
    };\n\
    @sum (t: Tree) -> int = match t { Leaf -> 0, Node(l, x, r) -> sum(l) + x + sum(r) };";

#[test]
fn what_dies_by_pieces_is_taken_apart() {
    assert!(!contract(TREE, "insert").borrows(0), "its parts go to cells and calls");
    assert!(contract(TREE, "sum").borrows(0), "its parts are only looked at");
    assert_eq!(count(TREE, "insert", Op::Dup), 0);
    assert_eq!(count(TREE, "insert", Op::Open), 2);
    assert_eq!(count(TREE, "sum", Op::Open), 0);
}

#[test]
fn a_getter_borrows() {
    let source = "type P = { name: str, all: [str] }\n@name (p: P) -> str = p.name;\n@pushed (p: P) -> P = P { name: p.name, all: p.all.push(\"x\") };";
    assert!(contract(source, "name").borrows(0));
    assert!(!contract(source, "pushed").borrows(0));
    assert_eq!(count(source, "pushed", Op::Dup), 0);
}

#[test]
fn elements_that_come_back_are_swapped() {
    let source = "type R = { name: str, cells: [int] }\n@f (rows: [R], v: int) -> [R] = { let r = rows; r[v].cells[0] = v; r };";
    assert_eq!((count_in(source, "f", Op::ListSwap, true), count_in(source, "f", Op::Dup, true)), (1, 0));
    // There is nothing to leave in the place of a function.
    let functions = "@g (f: () -> int) -> () -> int = f;\n@f (all: [() -> int]) -> [() -> int] = { let a = all; a[0] = g(f: a[0]); a };";
    assert_eq!(count_in(functions, "f", Op::ListSwap, true), 0);
}

#[test]
fn what_lies_deep_is_changed_in_place() {
    let swaps = |source: &str| {
        let world = World::new(&[("main", source)]);
        let mut body = (*world.built("f")).clone();
        crate::opt::optimise(&mut body, &mut Fuel::unlimited(), &world).expect("an answer");
        let owned = own(&body, &mut Fuel::unlimited(), &world).expect("an answer");
        assert!(crate::verify::verify(&owned, &world).expect("an answer").is_empty());
        let graph = owned.into_graph();
        [Op::ListSwap, Op::Dup].map(|op| graph.insts.ids().filter(|&inst| graph.op(inst) == op).count())
    };
    let cube = "@f (c: [[[int]]], i: int) -> [[[int]]] = { let c = c.push([]); c[i][i][i] = 1; c };";
    assert_eq!(swaps(cube), [2, 0]);
    // The way to the change branches.
    let branch = "@f (c: [[str]], i: int) -> [[str]] = { let c = c.push([]); c[i][i] = if i > 3 then \"x\" else \"y\"; c };";
    assert_eq!(swaps(branch), [1, 0]);
    // An element that is needed behind the change gives its place to the new one.
    let exchange = "@f (c: [[str]], i: int) -> ([[str]], [str]) = { let c = c.push([]); let t = c[i]; c[i] = []; (c, t) };";
    assert_eq!(swaps(exchange), [1, 0]);
    // The list is needed as it was on a way out: the element is taken out on the other way.
    let leaves = "@f (c: [[str]], i: int) -> [[str]] = { let d = c.push([]); let row = d[i]; if row.len() > 3 then d else { d[i] = row.push(\"x\"); d } };";
    assert_eq!(swaps(leaves), [1, 0]);
    // So it is where the way here looked at it to decide, and a sibling looked too.
    let decided = "@f (c: [[int]], i: int, j: int) -> [[int]] = { let d = c.push([]); if d[i][j] == 0 then d[i][j] = 1; d };";
    assert_eq!(swaps(decided), [1, 0]);
    let siblings =
        "@f (c: [[int]], i: int, j: int) -> [[int]] = { let d = c.push([]); if j > 3 then d[i][j] = 1 else d[i][j] = d[i][j - 1]; d };";
    assert_eq!(swaps(siblings), [2, 0]);
    // Nothing may be missing from a list, or from an element, that somebody needs behind the change, or the next time round.
    let kept = "@f (c: [[str]], i: int) -> ([[str]], [[str]]) = { let d = c.push([]); let e = d; if d[i].len() > 3 then d[i] = d[i].push(\"x\"); (d, e) };";
    assert_eq!(swaps(kept)[0], 0);
    let row = "@f (c: [[str]], i: int) -> ([[str]], [str]) = { let d = c.push([]); let r = d[i]; if r.len() > 3 then d[i] = r.push(\"x\"); (d, r) };";
    assert_eq!(swaps(row)[0], 0);
    let rounds = "@f (c: [[int]], n: int) -> [[int]] = { let d = c.push([]); let last = d; for i in 0..n do { last = d; if d[i][0] == 0 then last[i][0] = 1; } last };";
    assert_eq!(swaps(rounds)[0], 0);
}

#[test]
fn parts_that_outlive_their_list_do_not_keep_it() {
    let swap = "@f (xs: [str], i: int, j: int) -> [str] = { let v = xs; let t = v[i]; v[i] = v[j]; v[j] = t; v };";
    let kept = "@f (xs: [str], i: int) -> ([str], [str]) = { let v = xs; let t = v; v[i] = \"x\"; (v, t) };";
    let lists = |source: &str| {
        let world = World::new(&[("main", source)]);
        let mut body = (*world.built("f")).clone();
        crate::opt::optimise(&mut body, &mut Fuel::unlimited(), &world).expect("an answer");
        let owned = own(&body, &mut Fuel::unlimited(), &world).expect("an answer").into_graph();
        let dups = owned.insts.ids().filter(|&inst| owned.op(inst) == Op::Dup);
        dups.filter(|&inst| matches!(owned.ty(owned.result(inst)).kind(), hir::TypeKind::List(_))).count()
    };
    assert_eq!(lists(swap), 0, "elements are held for themselves");
    assert_eq!(lists(kept), 1, "the old list is needed itself");
}

#[test]
fn a_local_ends_where_its_value_was_given_away() {
    // What `xs` was is longer by then, or somewhere else; the number stays what it is.
    let source = "ori-ir mir.mono 1
fn @m.f(%0: [int], %1: int) -> int {
b0:
  %2: int = list_len %0, {sees1}
  %3: [int] = list_push %0, %2, {sees1} !1:9
  %4: int = list_len %3, {sees1}
  ret %4, {sees1}
  local \"xs\", \"\", 1 !1:4
  local \"n\", \"\", 2 !1:15
  name 0, 0, %0
  name 1, 0, %1, {behind0}
}
";
    let (bodies, cx) = crate::text::parse::<crate::ir::Mono>(source).expect("it is text");
    let owned = own(&bodies[0], &mut Fuel::unlimited(), &cx).expect("an answer");
    let faults = crate::verify::verify(&owned, &cx).expect("an answer");
    assert!(faults.is_empty(), "{faults:?}");
    let names = owned.names.as_ref().expect("it has rows");
    let known = |op: Op| -> Vec<bool> {
        let inst = owned.blocks[ir::ssa::ENTRY].insts.iter().copied().rfind(|&inst| owned.op(inst) == op).expect("it is there");
        names.seen(names.of(inst)).iter().map(|seen| seen.value.is_some()).collect()
    };
    assert_eq!(known(Op::ListPush), [true, true]);
    assert_eq!(known(Op::ListLen), [false, true]);
    assert_eq!(known(Op::Return), [false, true]);
}
