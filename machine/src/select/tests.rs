use std::fmt::Write;

use super::{Limit, select};
use crate::ir::SlotKind;
use crate::scratch::Scratch;

/// Selects the function of a dump.
fn run(text: &str) -> Result<crate::Function<crate::Select>, Limit> {
    let dump = ir::text::parse(&format!("ori-ir lir.legal 1\n{text}")).unwrap_or_else(|e| panic!("{e:?}"));
    let graph = ir::ssa::text::parse_function(&dump.functions[0], &mut ir::ssa::text::Plain).unwrap_or_else(|e| panic!("{e:?}"));
    select(&lir::Body::new(graph), &mut Scratch::default())
}

/// The ops that a function becomes, blocks divided by `|`.
#[track_caller]
fn check(text: &str, expect: &str) {
    let f = run(text).unwrap_or_else(|limit| panic!("{limit:?}"));
    let blocks: Vec<String> = f
        .blocks
        .rows()
        .iter()
        .map(|b| f.records[b.start as usize..b.end as usize].iter().map(|r| r.op.info().name).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(blocks.join(" | "), expect);
}

#[test]
fn a_comparison_goes_into_its_branch() {
    check(
        "fn @f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i8 = icmp %0, slt, %1\n  branch %2, b1, b2\nb1:\n  ret %0\nb2:\n  ret %1\n}\n",
        "cmp jcc jmp | ret | ret",
    );
}

#[test]
fn a_comparison_that_is_used_twice_is_a_value() {
    check(
        "fn @f(%0: i64, %1: i64) -> i8 {\nb0:\n  %2: i8 = icmp %0, slt, %1\n  branch %2, b1, b2\nb1:\n  ret %2\nb2:\n  ret %2\n}\n",
        "cmp set test jcc jmp | ret | ret",
    );
}

#[test]
fn float_equality_needs_two_flags_and_order_one() {
    check(
        "fn @f(%0: f64, %1: f64) -> i8 {\nb0:\n  %2: i8 = fcmp %0, eq, %1\n  branch %2, b1, b2\nb1:\n  ret %2\nb2:\n  %3: i8 = fcmp %0, lt, %1\n  ret %3\n}\n",
        "ucomi setfeq test jcc jmp | ret | ucomi set ret",
    );
}

#[test]
fn constants_become_immediates_and_memory_operands() {
    check(
        "fn @f(%0: i64, %1: f64) -> (i64, f64) {\nb0:\n  %2: i64 = iconst 7\n  %3: i64 = add %2, %0\n  %4: f64 = fconst 0x3ff8000000000000\n  %5: f64 = fmul %4, %1\n  ret %3, %5\n}\n",
        "addi mulf_const ret",
    );
}

#[test]
fn scaled_sums_become_addresses() {
    check(
        "fn @f(%0: ptr, %1: i64) -> i64 {\nb0:\n  %2: i64 = iconst 3\n  %3: i64 = shl %1, %2\n  %4: ptr = add %0, %3\n  %5: i64 = load %4, 16\n  ret %5\n}\n",
        "load ret",
    );
    check(
        "fn @f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = iconst 3\n  %3: i64 = shl %1, %2\n  %4: i64 = add %0, %3\n  ret %4\n}\n",
        "lea ret",
    );
}

#[test]
fn checks_read_flags_directly() {
    check(
        "fn @f(%0: i64, %1: i64) -> i64 {\nb0:\n  check %0, %1, ult.index_out_of_bounds, %0, %1 !1:1\n  %2: i64 = add_check %0, %1, add_overflow !1:1\n  ret %2\n}\n",
        "cmp stub add stub ret",
    );
}

#[test]
fn a_masked_test_makes_no_value() {
    check(
        "fn @f(%0: i64) -> i64 {\nb0:\n  %1: i64 = iconst 1\n  %2: i64 = and %0, %1\n  %3: i64 = iconst 0\n  %4: i8 = icmp %2, ne, %3\n  branch %4, b1, b2\nb1:\n  ret %0\nb2:\n  ret %3\n}\n",
        "testi jcc jmp | ret | movi ret",
    );
}

#[test]
fn blocks_that_panic_come_last_and_loops_stay_together() {
    check(
        "fn @f(%0: i64) -> i64 {\nb0:\n  jump b1(%0)\nb1(%1: i64):\n  %2: i64 = iconst 0\n  %3: i8 = icmp %1, eq, %2\n  branch %3, b2, b3\nb2:\n  panic unreachable !1:1\nb3:\n  %4: i64 = iconst 9\n  %5: i8 = icmp %1, sgt, %4\n  branch %5, b1(%4), b4\nb4:\n  ret %1\n}\n",
        "jmp | test jcc jmp | movi cmpi jcc jmp | ret | panic",
    );
}

#[test]
fn a_large_switch_is_a_tree() {
    let cases: Vec<String> = (0..9).map(|n| format!("{n}, b{}", n % 2 + 1)).collect();
    let text = format!("fn @f(%0: i64) -> i64 {{\nb0:\n  switch %0, {}, b2\nb1:\n  ret %0\nb2:\n  ret %0\n}}\n", cases.join(", "));
    let f = run(&text).expect("a switch");
    let longest = f.blocks.rows().iter().filter(|b| b.end - b.start == 3).count();
    assert!(longest >= 10, "every case is compared, and the tree's nodes");
}

#[test]
fn stack_arguments_are_stored_and_loaded_through_slots() {
    let f = run(
        "fn @f(%0: i64, %1: i64, %2: i64, %3: i64, %4: i64, %5: i64, %6: i64) -> i64 {\nb0:\n  %7: i64 = call @f, %0, %1, %2, %3, %4, %5, %6 !1:1\n  ret %7\n}\n",
    )
    .expect("a call");
    assert_eq!(f.slots.iter().map(|s| s.kind).collect::<Vec<_>>(), [SlotKind::Incoming(0), SlotKind::Outgoing(0)]);
    assert_eq!((f.slots[0].offset, f.params.len()), (16, 6));
}

/// A chain of blocks, each with a slot of 24 bytes that it fills and reads, and what stands at the end of a block.
fn chain_of_slots(count: usize, more: impl Fn(usize) -> String) -> String {
    let mut text = "fn @f(%0: i64) -> i64 {\nb0:\n  jump b1\n".to_owned();
    for at in 1..=count {
        let (slot, read) = (10 * at, 10 * at + 1);
        let _ = write!(
            text,
            "b{at}:\n  %{slot}: ptr = slot 24\n  store %{slot}, %0, 8\n  %{read}: i64 = load %{slot}, 8\n{}  jump b{}\n",
            more(at),
            at + 1
        );
    }
    let _ = write!(text, "b{}:\n  ret %0\n}}\n", count + 1);
    text
}

#[test]
fn slots_of_one_place_after_the_other_are_one_row() {
    let rows = |text: &str| run(text).expect("slots").slots.len();
    assert_eq!(rows(&chain_of_slots(20, |_| String::new())), 1);
    // Few bytes are not worth a look.
    assert_eq!(rows(&chain_of_slots(4, |_| String::new())), 4);
    // One is read again at the end, another has its address in memory from there on.
    let again = |at: usize| if at == 20 { "  %900: i64 = load %10, 8\n".to_owned() } else { String::new() };
    assert_eq!(rows(&chain_of_slots(20, again)), 2);
    let escapes = |at: usize| if at == 5 { "  store %20, %50, 0\n".to_owned() } else { String::new() };
    assert_eq!(rows(&chain_of_slots(20, escapes)), 3);
}

#[test]
fn what_cannot_be_selected_is_refused() {
    let two_entries = "fn @f(%0: i8) -> i8 {\nb0:\n  branch %0, b1, b2\nb1:\n  jump b2\nb2:\n  branch %0, b1, b3\nb3:\n  ret %0\n}\n";
    assert_eq!(run(two_entries).err(), Some(Limit::Irreducible));
    let undefined = "fn @f(%0: i64) -> i64 {\nb0:\n  %1: i64 = add %0, %9\n  ret %1\n}\n";
    assert_eq!(run(undefined).err(), Some(Limit::Malformed));
    let tail = "fn @f(%0: i64) -> i64 {\nb0:\n  tail @g, %0, %0, %0, %0, %0, %0, %0 !1:1\n}\n";
    assert_eq!(run(tail).err(), Some(Limit::TailArguments));
}

#[test]
fn broken_bodies_never_panic() {
    for text in [
        "fn @f(%0: i64) -> i64 {\nb0:\n  %1: i64 = add %0\n  ret %1\n}\n",
        "fn @f(%0: i64) -> i64 {\nb0:\n  jump b7\n}\n",
        "fn @f(%0: i64) -> i64 {\nb0:\n  %1: i64 = add %0, %0\n}\n",
        "fn @f(%0: i64) -> i64 {\nb0:\n  jump b1(%0)\nb1:\n  ret %0\n}\n",
        "fn @f(%0: i64) -> i64 {\nb0:\n  %1: i8 = icmp %0, word99, %0\n  ret %1\n}\n",
    ] {
        assert_eq!(run(text).err(), Some(Limit::Malformed), "{text}");
    }
}
