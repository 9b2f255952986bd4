use super::*;
use crate::ssa::ENTRY;
use crate::ssa::compact::{compact, is_compact};
use crate::ssa::structure;
use crate::ssa::toy::{Toy, graph, print};

/// A loop that counts: `n` is what it was, `i` goes round, and `twice` is known while it is used.
const LOOP: &str = "\
fn @f(%0: int) -> int {
b0:
  %1: int = const 0, {sees0}
  jump b1(%1), {sees1}
b1(%2: int):
  %3: int = max %2, %2, {sees2}
  %4: bool = cmp %3, %0, lt, {sees3}
  branch %4, b1(%3), b2, {sees3}
b2:
  ret %2, {sees5}
  %5: int = const 7, {ghost}
  local \"n\", \"\", 1 !1:4
  local \"i\", \"\", 0 !@g 2:4 < 3:9
  local \"twice\", \"int\", 0
  name 0, 0, %0
  name 1, 0, %1, {behind0}
  name 1, 0, %2, {behind0}
  name 2, 0, %3, {behind2}
  name 1, 0, {behind2}
  name 2, 1, %5, {behind4}
}
";

fn seen(graph: &Graph<Toy>, block: usize, index: usize) -> Vec<String> {
    let names = graph.names.as_ref().unwrap();
    let inst = graph.blocks[Block::new(block)].insts[index];
    let text = |seen: Seen| {
        let value = seen.value.map_or_else(|| "?".to_owned(), |value| format!("%{}", value.raw()));
        format!("{}.{}={value}", names.locals[seen.local].name.as_str(), seen.part)
    };
    names.seen(names.of(inst)).into_iter().map(text).collect()
}

#[test]
fn rows_are_text_that_parses_back() {
    let graph = graph(LOOP);
    assert!(is_compact(&graph));
    assert_eq!(print(&graph), LOOP);
    structure::check(&graph, &mut |fault| panic!("{fault:?}"));
    let bytes = postcard::to_allocvec(&graph).unwrap();
    let back: Graph<Toy> = postcard::from_bytes(&bytes).unwrap();
    assert!(back == graph);
}

#[test]
fn the_latest_row_of_a_local_counts_and_locals_come_in_the_order_of_their_first() {
    let graph = graph(LOOP);
    assert_eq!(seen(&graph, 0, 0), ["n.0=%0"]);
    assert_eq!(seen(&graph, 1, 1), ["n.0=%0", "i.0=%2", "twice.0=%3"]);
    assert_eq!(seen(&graph, 2, 0), ["n.0=%0", "i.0=?", "twice.1=%5"]);
}

#[test]
fn rows_follow_values_that_give_way_to_others() {
    let mut graph = graph(LOOP);
    let (old, new) = (Value::new(3), Value::new(2));
    graph.rename(|value| if value == old { new } else { value });
    assert_eq!(seen(&graph, 1, 1), ["n.0=%0", "i.0=%2", "twice.0=%2"]);
    graph.forget([new]);
    assert_eq!(seen(&graph, 1, 1), ["n.0=%0", "i.0=?", "twice.0=?"]);
    assert_eq!(seen(&graph, 0, 1), ["n.0=%0", "i.0=%1"], "others are known still");
}

#[test]
fn what_some_instructions_see_changes_for_these_alone() {
    let mut graph = graph(LOOP);
    let inst = graph.blocks[Block::new(1)].insts[2];
    graph.rename_seen([inst], |value| (value != Value::new(3)).then_some(value));
    assert_eq!(seen(&graph, 1, 1)[2], "twice.0=%3");
    assert_eq!(seen(&graph, 1, 2)[2], "twice.0=?");
}

#[test]
fn values_that_are_not_there_are_not_known() {
    // The loop leaves what it defined behind, and where it is left there may be nothing of it.
    let source =
        LOOP.replace("ret %2, {sees5}", "ret %0, {sees3}").replace("branch %4, b1(%3), b2, {sees3}", "branch %4, b1(%3), b2, {sees5}");
    let mut faulty = graph(&source.replace("jump b1(%1), {sees1}", "jump b1(%1), {sees2}"));
    let mut found = Vec::new();
    structure::check(&faulty, &mut |fault| found.push(fault.message()));
    assert_eq!(found, ["a local is said to be %2, which is not defined on every path to here"]);
    faulty.settle_names();
    structure::check(&faulty, &mut |fault| panic!("{fault:?}"));
    assert_eq!(seen(&faulty, 0, 1), ["n.0=%0", "i.0=?"]);
    assert_eq!(seen(&faulty, 1, 0), ["n.0=%0", "i.0=%2"]);
    assert!(faulty.names_are_numbered());
}

#[test]
fn ghosts_stay_as_long_as_somebody_looks_at_them() {
    let mut graph = graph_without_uses();
    let literal = graph.blocks[ENTRY].insts.remove(0);
    graph.bury(literal);
    let text = print(&compact(&graph));
    assert!(text.contains("%1: int = const 3, {ghost}\n") && text.contains("name 0, 0, %1\n"), "{text}");
    // Nobody sees it: it goes.
    let inst = graph.blocks[ENTRY].insts[0];
    graph.names.as_mut().unwrap().set(inst, None);
    let text = print(&compact(&graph));
    assert!(!text.contains("ghost") && !text.contains("name"), "{text}");
}

fn graph_without_uses() -> Graph<Toy> {
    graph("fn @f(%0: int) -> int {\nb0:\n  %1: int = const 3\n  ret %0, {sees0}\n  local \"x\", \"\", 0\n  name 0, 0, %1\n}\n")
}

#[test]
fn what_ghosts_are_made_of_is_renamed_and_forgotten_too() {
    let source = "fn @f(%0: int, %1: int) -> int {\nb0:\n  ret %0, {sees0}\n  %2: int = max %0, %1, {ghost}\n  local \"x\", \"\", 0\n  name 0, 0, %2\n}\n";
    let mut renamed = graph(source);
    renamed.rename(|value| if value == Value::new(1) { Value::new(0) } else { value });
    assert!(print(&renamed).contains("%2: int = max %0, %0, {ghost}"));
    let mut forgotten = graph(source);
    forgotten.forget([Value::new(1)]);
    assert_eq!(seen(&forgotten, 0, 0), ["x.0=?"]);
    let mut here = graph(source);
    let inst = here.blocks[ENTRY].insts[0];
    here.rename_seen([inst], |value| Some(if value == Value::new(1) { Value::new(0) } else { value }));
    assert_eq!(seen(&here, 0, 0), ["x.0=?"], "a ghost cannot change for some alone");
}

#[test]
fn rows_that_are_not_there_are_refused() {
    for (bad, why) in [
        ("{sees9}", "row 9 of the names is not there, or names no local"),
        ("{sees1}", "row 1 of the names is not there, or names no local"),
        ("{sees2}", "row 2 of the names is not there, or names no local"),
    ] {
        let source = format!(
            "fn @f(%0: int) -> int {{\nb0:\n  ret %0, {bad}\n  local \"x\", \"\", 0\n  name 0, 0, %0\n  name 3, 0, %0\n  name 0, 0, %0, {{behind2}}\n}}\n"
        );
        let mut found = Vec::new();
        structure::check(&graph(&source), &mut |fault| found.push(fault.message()));
        assert_eq!(found, [why], "{source}");
    }
}
