use super::*;
use crate::PlaceId;
use crate::ssa::text::{expected_faults, line_of, parse_function};
use crate::ssa::toy::{Op, SAMPLE, Toy, Ty, graph};
use crate::ssa::{NewInst, text::Plain};
use crate::text::parse;

/// The kinds found must stand at the ends of the guilty lines, and nowhere else.
#[track_caller]
fn check(source: &str) -> Vec<StructureKind> {
    let dump = parse(&format!("ori-ir toy.t 1\n{source}")).unwrap();
    let function = &dump.functions[0];
    let graph = parse_function::<Toy>(function, &mut Plain).unwrap();
    let mut found = Vec::new();
    let mut kinds = Vec::new();
    super::check(&graph, &mut |fault| {
        found.push((line_of(function, fault.at), fault.kind.name().to_owned()));
        kinds.push(fault.kind);
        assert!(!fault.message().is_empty());
    });
    found.sort();
    let mut expected = expected_faults(&dump);
    expected.sort();
    assert_eq!(found, expected, "{source}");
    kinds
}

/// One text for each kind, in the order of the kinds.
const BAD: &[&str] = &[
    "fn @f() -> () { ;~ NoEntry\n}",
    "fn @f() -> () {\nb0:\n  jump b1\nb1:\n  jump b0 ;~ EntryIsTarget\n}",
    "fn @f() -> () {\nb0: ;~ NoTerminator\n  %0: int = const 1\n}",
    "fn @f() -> () {\nb0:\n  ret ;~ TerminatorInside\n  ret\n}",
    "fn @f() -> () {\nb0:\n  ret %7 ;~ UnknownValue\n}",
    "fn @f() -> () {\nb0:\n  jump b7 ;~ UnknownBlock\n}",
    "fn @f() -> () {\nb0:\n  %0: int = max %1, %1 ;~ NotDominated ;~ NotDominated\n  %1: int = const 1\n  ret\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = const 1\n  %1: int = const 2 ;~ DefinedTwice\n  ret\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = max %0 ;~ OperandCount\n  %2: int = max %0, %0, %0 ;~ OperandCount\n  ret\n}",
    "fn @f(%0: int) -> () {\nb0:\n  max %0, %0 ;~ ResultCount\n  ret\n}",
    "fn @f() -> () {\nb0:\n  jump b1, b1, b1(%0) ;~ TargetCount ;~ TargetArgs ;~ UnknownValue\nb1:\n  jump ;~ TargetCount\n}",
    "fn @f() -> () {\nb0:\n  jump b1 ;~ TargetArgs\nb1(%0: int):\n  ret\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = add %0, %0, b1 !1:1 ;~ UnwindParams\n  ret\nb1(%2: int):\n  resume\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = add %0, %0 !1:1 ;~ UnwindMissing\n  %2: int = add %0, %0, {nounwind}\n  ret\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = max %0, %0, b1 ;~ UnwindExtra\n  %2: int = add %0, %0, b1, {nounwind} ;~ UnwindExtra\n  ret\nb1:\n  resume\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = add %0, %0, b1 ;~ PlaceMissing\n  ret\nb1:\n  resume\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = max %0, %0 !0:3 ;~ PlaceUnknown\n  %2: int = max %0, %0 !1:1 < 0:0 ;~ PlaceUnknown\n  ret\n}",
    "fn @f(%0: int) -> () {\nb0:\n  switch %0, 1, 2, b1 ;~ CaseCount\nb1:\n  switch %0 ;~ TargetCount\n}",
    "fn @f(%0: int) -> () {\nb0:\n  switch %0, 1, b1, 2, b1, 1, b1, b1 ;~ CaseTwice\nb1:\n  switch %0, b2\nb2:\n  ret\n}",
    "fn @f(%0: str) -> () {\nb0:\n  print %0, {flag5} ;~ UnknownFlag\n  ret\n}",
    "fn @f(%0: int) -> () {\nb0:\n  %1: int = const 1, {sees0} ;~ NameMissing\n  ret {sees0}\n  local \"x\", \"\", 0\n  name 0, 0, %1\n}",
];

#[test]
fn every_kind_is_tripped_by_a_text() {
    for (text, kind) in BAD.iter().zip(StructureKind::ALL) {
        assert!(check(text).contains(kind), "{kind:?} by\n{text}");
        assert!(kind.meaning().ends_with('.'));
    }
    assert_eq!(BAD.len(), StructureKind::ALL.len());
}

#[test]
fn values_reach_the_blocks_that_their_block_dominates() {
    check(SAMPLE);
    check(
        "fn @f(%0: bool) -> () {\nb0:\n  branch %0, b1, b2\nb1:\n  %1: int = const 1\n  jump b3\nb2:\n  jump b3\nb3:\n  %2: int = max %1, %1 ;~ NotDominated ;~ NotDominated\n  ret\n}",
    );
}

#[test]
fn a_loop_sees_what_stands_before_it() {
    check(
        "fn @f(%0: int, %1: bool) -> () {\nb0:\n  %2: int = const 1\n  jump b1(%2)\nb1(%3: int):\n  branch %1, b2, b3\nb2:\n  %4: int = max %3, %2\n  jump b1(%4)\nb3:\n  ret %3, %4 ;~ NotDominated\n}",
    );
}

#[test]
fn an_unwind_block_sees_only_what_was_defined_before_the_first_edge_to_it() {
    check(
        "fn @f(%0: int) -> () {\nb0:\n  %1: int = const 1\n  %2: int = add %0, %1, b1 !1:1\n  %3: int = add %0, %2, b1 !1:2\n  ret %2, %3\nb1:\n  %4: int = max %0, %1\n  %5: int = max %2, %1 ;~ NotDominated\n  %6: int = max %3, %1 ;~ NotDominated\n  resume\n}",
    );
}

#[test]
fn a_later_unwind_block_sees_the_earlier_results() {
    check(
        "fn @f(%0: int) -> () {\nb0:\n  %1: int = add %0, %0, b1 !1:1\n  %2: int = add %0, %1, b2 !1:2\n  ret %2\nb1:\n  %3: int = max %0, %1 ;~ NotDominated\n  resume\nb2:\n  %4: int = max %1, %1\n  %5: int = max %2, %2 ;~ NotDominated ;~ NotDominated\n  resume\n}",
    );
}

#[test]
fn a_block_behind_an_unwind_block_is_not_behind_the_panic() {
    // b2 is reached by the return path too, but b3 by both: a value defined between the two edges must not be seen there.
    check(
        "fn @f(%0: int) -> () {\nb0:\n  %1: int = add %0, %0, b1 !1:1\n  %2: int = add %0, %1, b2 !1:2\n  ret %2\nb2:\n  %3: int = max %1, %1\n  jump b1\nb1:\n  %4: int = max %1, %0 ;~ NotDominated\n  resume\n}",
    );
}

#[test]
fn unreachable_blocks_are_checked_too_but_not_for_dominance() {
    check(
        "fn @f(%0: int) -> () {\nb0:\n  %1: int = const 1\n  ret\nb1: ;~ NoTerminator\n  %2: int = max %1, %9 ;~ UnknownValue\nb2:\n  ret %1\n}",
    );
}

#[test]
fn a_value_of_an_unreachable_block_reaches_nothing_that_runs() {
    check("fn @f(%0: int) -> () {\nb0:\n  ret %1 ;~ NotDominated\nb1:\n  %1: int = const 1\n  ret\n}");
}

#[test]
fn a_chain_of_places_that_does_not_go_down_is_no_place() {
    let mut g = graph("fn @f(%0: int) -> () {\nb0:\n  %1: int = max %0, %0 !1:1\n  ret\n}");
    let row = *g.places.get(PlaceId(0)).unwrap();
    for inlined_at in [PlaceId(1), PlaceId(7)] {
        let inst = g.blocks[ENTRY].insts[0];
        g.edges[inst].place = g.places.add(crate::Place { inlined_at, ..row });
        let mut kinds = Vec::new();
        super::check(&g, &mut |fault| kinds.push(fault.kind));
        assert_eq!(kinds, [StructureKind::PlaceUnknown]);
    }
}

#[test]
fn an_instruction_that_stands_in_no_block_defines_nothing() {
    let mut g = graph("fn @f(%0: int) -> () {\nb0:\n  ret\n}");
    let stray = g.make(NewInst { imm: 3, ..NewInst::new(Op::Const) }, &[Ty::Int]);
    let value = g.result(stray);
    let print = g.make(NewInst { args: &[value, value], ..NewInst::new(Op::Max) }, &[Ty::Int]);
    g.blocks[ENTRY].insts.insert(0, print);
    let mut kinds = Vec::new();
    super::check(&g, &mut |fault| kinds.push(fault.kind));
    assert_eq!(kinds, [StructureKind::UnknownValue; 2]);
}
