//! Bodies that break the rules of their level: refused, never a crash of the interpreter.

use ir::Id;
use ir::ssa::Target;

use super::super::{ConstError, Limits, decode, evaluate_constant};
use super::World;
use crate::ir::{Body, Contract, Mono};
use crate::ops::Op;

const SOURCE: &str = r#"
type P = { x: int, name: str }
@f (n: int, xs: [str]) -> int = {
    let p = P { x: n, name: "a" };
    for x in xs do p.name = p.name + x;
    let s = match n { 1 -> 2, 2 -> 3, 7 -> 4, _ -> p.x / n };
    while s > 3 && p.name.len() < 10 do s = s - 1;
    s
};
"#;

fn body() -> Body<Mono> {
    (*World::new(&[("main", SOURCE)]).built("f")).clone()
}

#[test]
fn a_panic_without_an_unwind_edge_is_seen() {
    let world = World::new(&[("main", "@f () -> int = 1 / (1 - 1);")]);
    let mut body = (*world.built("f")).clone();
    for edges in body.edges.rows_mut() {
        edges.unwind = None;
    }
    let outcome = evaluate_constant(&body, &world, Limits::CONSTANTS).expect("an answer");
    assert!(matches!(outcome, Err(ConstError::Broken(_))), "{outcome:?}");
}

#[test]
fn any_other_op_is_decoded_or_refused() {
    let whole = body();
    let (mut refused, mut taken) = (0, 0);
    for inst in whole.insts.ids() {
        // The number of a text must come from a text; no dump can say otherwise.
        for &op in Op::ALL.iter().filter(|&&op| !matches!(op, Op::Str | Op::Static)) {
            let mut mutant = whole.clone();
            mutant.insts[inst].op = op;
            match decode::decode(&mutant, Contract::OWNED, |_| 0) {
                Ok(_) => taken += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000 && taken > 100, "{refused} refused, {taken} taken");
}

#[test]
fn dangling_ids_are_refused() {
    let whole = body();
    let inst = whole.insts.ids().find(|&i| whole.op(i) == Op::Branch).expect("a branch");
    let list = whole.edges[inst].targets;
    let mut mutant = whole.clone();
    mutant.targets.get_mut(list)[0] = Target { block: Id::new(999), args: ir::List::EMPTY };
    assert!(decode::decode(&mutant, Contract::OWNED, |_| 0).is_err());
    let mut mutant = whole.clone();
    let args = mutant.insts[inst].args;
    mutant.args.get_mut(args)[0] = Id::new(99_999);
    assert!(decode::decode(&mutant, Contract::OWNED, |_| 0).is_err());
}
