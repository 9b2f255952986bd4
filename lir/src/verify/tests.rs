//! Every code is tripped by a text, on exactly the line that says so.

use std::collections::BTreeSet;

use ir::ssa::text::{expected_faults, line_of};
use ir::{Fault, Where};

use super::*;
use crate::ir::{Built, Legal};
use crate::text::{from_dump, header_facts};

/// Lines and codes.
type Marks = Vec<(u32, String)>;

fn judge<P: Phase>(text: &str) -> (Marks, Marks) {
    let dump = ir::text::parse(text).unwrap();
    let (bodies, context) = from_dump::<P>(&dump).unwrap();
    let mut found = Vec::new();
    for (body, function) in bodies.iter().zip(&dump.functions) {
        for fault in verify(body, &context).unwrap() {
            assert!(!fault.message().is_empty());
            found.push((line_of(function, fault.at()), fault.code().0.to_owned()));
        }
    }
    let mut expected = expected_faults(&dump);
    found.sort_unstable();
    expected.sort_unstable();
    (found, expected)
}

/// The one door: the text is refused with the codes at the ends of its lines and no others.
#[track_caller]
fn check(phase: &str, text: &str) {
    let text = format!("ori-ir lir.{phase} 1 {}\n{text}", header_facts().join(" "));
    let (found, expected) = if phase == Legal::NAME { judge::<Legal>(&text) } else { judge::<Built>(&text) };
    assert_eq!(found, expected, "{text}");
}

/// Bodies, each with its faults. `;;` separates them; `F` stands for the head of a function of two ints.
const BAD: &str = r#"
fn @main.f() -> i64 { ;~ L0101
}
;;
F
b0:
  jump b0(%0, %1) ;~ L0102
}
;;
F
b0: ;~ L0103
  %2: i64 = iconst 1
}
;;
F
b0:
  %2: i64 = add_check %0, %1, add_overflow, b1 ;~ L0104
  ret %2
b1:
  resume
}
;;
F
b0:
  ret %0 ;~ L0105
  ret %0
}
;;
F
b0:
  ret %9 ;~ L0106
}
;;
F
b0:
  jump b7 ;~ L0107
}
;;
F
b0:
  %2: i64 = add %3, %0 ;~ L0108
  %3: i64 = iconst 1
  ret %2
}
;;
F
b0:
  %2: i64 = iconst 1
  %2: i64 = iconst 2 ;~ L0109
  ret %2
}
;;
F
b0:
  %2: i64 = add %0 ;~ L0110
  ret %2
}
;;
F
b0:
  add %0, %1 ;~ L0111
  ret %0
}
;;
F
b0:
  jump ;~ L0112
}
;;
F
b0:
  jump b1(%0) ;~ L0113
b1:
  ret %0
}
;;
F
b0:
  %2: i64 = add_check %0, %1, add_overflow, b1 !1:1 ;~ L0114
  ret %2
b1(%3: i64):
  resume
}
;;
F
b0:
  %2: i64 = add_check %0, %1, add_overflow !1:1 ;~ L0115
  ret %2
}
;;
F
b0:
  %2: i64 = add %0, %1, b1 ;~ L0116
  ret %2
b1:
  resume
}
;;
F
b0:
  %2: i64 = add_check %0, %1, add_overflow, b1 !0:1 ;~ L0117
  ret %2
b1:
  resume
}
;;
F
b0:
  switch %0, b1, 5, b2, 6 ;~ L0118
b1:
  ret %0
b2:
  ret %1
}
;;
F
b0:
  switch %0, 5, b1, 5, b2, b1 ;~ L0119
b1:
  ret %0
b2:
  ret %1
}
;;
F
b0:
  %2: i64 = add %0, %1, {flag9} ;~ L0120
  ret %2
}
;;
F
b0:
  %2: i64 = add %0, %1, {sees0} ;~ L0121
  ret %2, {sees0}
  local "x", "int", 0
  name 0, 0, %2
}
;;
F
b0:
  %2: f64 = float_of_int %0
  %3: i64 = mul %2, %1 ;~ L0201
  %4: i8 = icmp %0, %2, eq ;~ L0201
  ret %3
}
;;
F
b0:
  %2: ptr = mul %0, %1 ;~ L0202
  ret %0
}
;;
F
b0:
  %2: f64 = float_of_int %0
  jump b1(%2) ;~ L0203
b1(%3: i64):
  ret %3
}
;;
;! fn @main.g(i64) -> i64
F
b0:
  %2: i64 = call @main.g, %0, %1, b1 !1:1 ;~ L0204
  ret %2
b1:
  resume
}
;;
;! fn @main.g(i64) -> i64
F
b0:
  %2: ptr = call @main.g, %0, b1 !1:1 ;~ L0205
  ret %0
b1:
  resume
}
;;
F
b0:
  %2: i64 = call @main.nowhere, %0, b1 !1:1 ;~ L0206
  ret %2
b1:
  resume
}
;;
F
b0:
  tail @main.nowhere, %0 ;~ L0206
}
;;
F
b0:
  ret %0, %1 ;~ L0207
}
;;
;! fn @main.g(i64) -> f64
F
b0:
  tail @main.g, %0 ;~ L0208
}
;;
fn @main.f(%0: i64) -> (i64, i64, i64, i64, i64, i64, i64) { ;~ L0209
b0:
  ret %0, %0, %0, %0, %0, %0, %0
}
;;
F
b0:
  %2: i8 = iconst 256 ;~ L0210
  %3: i32 = iconst -1 ;~ L0210
  switch %2, 300, b1, b2 ;~ L0210
b1:
  ret %0
b2:
  ret %1
}
;;
F
b0:
  %2: i8 = icmp %0, %1, eq
  %3: ptr = iconst 5
  %4: i64 = select %2, %0, %3 ;~ L0211
  ret %4
}
;;
F
b0:
  %2: i8 = icmp %0, %1, word99 ;~ L0212
  ret %0
}
;;
;! fn @main.f(i64) -> i64
F ;~ L0213
b0:
  ret %0
}
;;
;! fn @main.g(i64, i64, i64, i64, i64, i64, i64) -> i64
F
b0:
  tail @main.g, %0, %0, %0, %0, %0, %0, %1 ;~ L0214
}
;;
F
b0:
  %2: f64 = rt float_pow, %0, %1 ;~ L0215
  ret %0
}
;;
F
b0:
  %2: f64 = float_of_int %0
  %3: i64 = rt float_floor, %2 ;~ L0216
  ret %3
}
;;
F
b0:
  %2: ptr = static "1 | " ;~ L0217
  ret %0
}
;;
F
b0:
  %2: ptr = slot 12 ;~ L0301
  store %2, %0, 0
  ret %0
}
;;
F
b0:
  %2: ptr = slot 16
  store %2, %0, 8
  store %2, %0, 16 ;~ L0302
  %3: i64 = load %2, 8
  ret %3
}
;;
;! fn @main.f() -> (i64, i64, i64, i64, i64, i64, i64)
fn @main.f(%0: ptr) -> () {
b0:
  %1: i64 = iconst 0
  store %0, %1, 48
  store %0, %1, 56 ;~ L0302
  ret ;~ L0307
}
;;
F
b0:
  %2: ptr = slot 16
  store %2, %0, 4 ;~ L0303
  ret %0
}
;;
F
b0:
  %2: ptr = data "0123456789"
  store %2, %0, 0 ;~ L0304
  ret %0
}
;;
F
b0:
  %2: ptr = slot 16
  store %2, %0, -8 ;~ L0305
  ret %0
}
;;
F
b0:
  %2: ptr = slot 16
  rt str_of_int, %2, %0 ;~ L0306
  ret %0
}
;;
F
b0:
  %2: ptr = slot 24
  store %2, %0, 8
  store %2, %0, 0
  store %2, %0, 16
  %3: i64 = rt str_hash, %2 ;~ L0307
  ret %3
}
;;
F
b0:
  %2: ptr = slot 8
  %3: i8 = icmp %0, %1, eq
  branch %3, b1, b2
b1:
  store %2, %0, 0
  jump b2
b2:
  %4: i64 = load %2, 0 ;~ L0307
  ret %4
}
;;
F
b0:
  %2: ptr = slot 8
  %3: i64 = rt int_pow, %2, %0, %1
  %4: i64 = iconst 1
  check %3, %4, ne.negative_exponent, b1 !1:1
  %5: i64 = iconst 0
  check %3, %5, eq.pow_overflow, b1 !1:1
  jump b2
b1:
  %6: i64 = load %2, 0 ;~ L0307
  resume
b2:
  %7: i64 = load %2, 0
  ret %7
}
;;
F
b0:
  %2: ptr = iconst 8
  %3: ptr = add %2, %0
  %4: i64 = load %3, 0 ;~ L0308
  store %2, %4, 0 ;~ L0308
  %5: i64 = rt str_hash, %2 ;~ L0308
  ret %4
}
;;
F
b0:
  %2: ptr = iconst 8
  %3: i64 = iconst 0
  %4: i64 = load %2, 0 ;~ L0308
  check %0, %3, ult.index_out_of_bounds, %0, %3, b1 !1:1
  %5: i64 = load %2, 0
  ret %5
b1:
  resume
}
;;
F
b0:
  %2: ptr = iconst 8
  %3: i64 = iconst 1
  check %0, %3, ult.index_out_of_bounds, %0, %3, b1 !1:1
  check %3, %3, ule.index_out_of_bounds, %0, %3, b1 !1:1
  %4: i64 = load %2, 0 ;~ L0308
  check %3, %3, ult.index_out_of_bounds, %0, %3, b1 !1:1
  %5: i64 = load %2, 0
  ret %5
b1:
  resume
}
;;
F
b0:
  %2: ptr = data "0123456789012345678901234"
  %3: i64 = rt str_hash, %2 ;~ L0309
  ret %3
}
;;
F
b0:
  %2: ptr = slot 16
  store %2, %0, 0
  %3: i64 = load %2, 0, {invariant} ;~ L0401
  %4: ptr = data "0123456789"
  %5: i64 = load %4, 0, {invariant}
  ret %5
}
;;
F
b0:
  %2: i64 = iconst -1
  check %1, %2, ne.div_overflow, b1 !1:1
  %3: i64 = sdiv %0, %1 ;~ L0402
  ret %3
b1:
  resume
}
;;
F
b0:
  %2: i64 = iconst 0
  check %1, %2, ne.div_by_zero, b1 !1:1
  %3: i64 = srem %0, %1 ;~ L0403
  ret %3
b1:
  resume
}
;;
fn @main.f(%0: f64) -> i64 {
b0:
  %1: f64 = fconst 0xc3e0000000000000
  %2: i8 = fcmp %0, %1, ge
  %3: i8 = iconst 0
  check %2, %3, ne.float_out_of_range, b1 !1:1
  %4: i64 = int_of_float %0 ;~ L0404
  ret %4
b1:
  resume
}
;;
F
b0:
  %2: i64 = add %0, %1, {nounwind} ;~ L0405
  %3: i64 = add %0, %1, {invariant} ;~ L0405
  ret %2
}
;;
F
b0:
  check %0, %1, ult.index_out_of_bounds, %0, b1 !1:1 ;~ L0501
  ret %0
b1:
  resume
}
;;
F
b0:
  panic custom, %0, b1 !1:1 ;~ L0502
b1:
  resume
}
;;
F
b0:
  %2: i64 = add_check %0, %1, sub_overflow, b1 !1:1 ;~ L0503
  ret %2
b1:
  resume
}
;;
F
b0:
  %2: ptr = slot 8
  %3: i64 = rt int_pow, %2, %0, %1 ;~ L0504
  %4: i64 = iconst 0
  check %3, %4, eq.pow_overflow, b1 !1:1
  %5: i64 = load %2, 0
  ret %5
b1:
  resume
}
;;
F
b0:
  %2: ptr = slot 8
  count_up %2 ;~ L0310
  %3: ptr = alloc 49 ;~ L0311
  ret %0
}
;;
F
b0:
  %2: i64 = add_check %0, %1, add_overflow, b1 !1:1
  jump b2
b1:
  resume
b2:
  resume ;~ L0505
}
"#;

#[test]
fn every_code_is_tripped_by_a_text_on_its_line() {
    let mut tripped = BTreeSet::new();
    let mut wrong = Vec::new();
    for text in BAD.split("\n;;\n") {
        let lines = text.lines().map(|line| match line.strip_prefix('F') {
            Some(mark) => format!("fn @main.f(%0: i64, %1: i64) -> i64 {{{mark}\n"),
            None => format!("{line}\n"),
        });
        let text = format!("ori-ir lir.legal 1 {}\n{}", header_facts().join(" "), lines.collect::<String>());
        let (found, expected) = judge::<Legal>(&text);
        if found != expected {
            wrong.push(format!("{text}found {found:?}\n"));
        }
        tripped.extend(found.into_iter().map(|(_, code)| code));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: BTreeSet<String> = LirFault::all_codes().into_iter().map(|(code, _)| code.0.to_owned()).collect();
    assert_eq!(all.difference(&tripped).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn codes_are_distinct_and_have_a_rule() {
    let all = LirFault::all_codes();
    let codes: BTreeSet<_> = all.iter().map(|(code, _)| code.0).collect();
    assert_eq!(codes.len(), all.len());
    assert!(all.iter().all(|(_, rule)| rule.ends_with('.')), "{all:?}");
}

#[test]
fn wide_results_are_a_matter_of_the_phase() {
    let wide = "(i64, i64, i64, i64, i64, i64, i64)";
    let body = "fn @main.f(%0: i64) -> (i64, i64, i64, i64, i64, i64, i64) {\nb0:\n  ret %0, %0, %0, %0, %0, %0, %0\n}\n";
    check("built", body);
    let call = format!(
        ";! fn @main.g() -> {wide}\nfn @main.f() -> i64 {{\nb0:\n  %0: ptr = slot 56\n  call @main.g, %0, b1 !1:1\n  %1: i64 = load %0, 48\n  ret %1\nb1:\n  resume\n}}\n"
    );
    check("legal", &call);
    check("legal", &call.replace("slot 56", "slot 64"));
    check(
        "legal",
        &call.replace("slot 56", "slot 48").replace("b1 !1:1", "b1 !1:1 ;~ L0306").replace("load %0, 48", "load %0, 48 ;~ L0302"),
    );
    let misfit = call.replace("b1 !1:1", "b1 !1:1 ;~ L0204 ;~ L0205");
    check("built", &misfit.replace("load %0, 48", "load %0, 48 ;~ L0307"));
}

#[test]
fn a_tail_call_passes_on_its_own_area_and_no_other() {
    let wide = "(i64, i64, i64, i64, i64, i64, i64)";
    let good = format!(
        ";! fn @main.g(i64) -> {wide}\n;! fn @main.f(ptr, i64) -> {wide}\nfn @main.f(%0: ptr, %1: ptr, %2: i64) -> () {{\nb0:\n  tail @main.g, %0, %2\n}}\n"
    );
    check("legal", &good);
    check("legal", &good.replace("tail @main.g, %0, %2", "tail @main.g, %1, %2 ;~ L0208"));
}

#[test]
fn a_check_proves_only_what_it_dominates() {
    let text = |use_in: &str, mark: &str| {
        let (inside, after) =
            if use_in == "b1" { ("  %5: i64 = srem %0, %1\n", String::new()) } else { ("", format!("  %5: i64 = srem %0, %1{mark}\n")) };
        format!(
            "fn @main.f(%0: i64, %1: i64) -> i64 {{\nb0:\n  %2: i64 = iconst 0\n  %3: i8 = icmp %0, %1, eq\n  branch %3, b1, b2\nb1:\n  check %1, %2, sgt.rem_by_zero, b3 !1:1\n{inside}  jump b2\nb2:\n{after}  ret %0\nb3:\n  resume\n}}\n"
        )
    };
    check("legal", &text("b1", ""));
    check("legal", &text("b2", " ;~ L0402 ;~ L0403"));
    // In the landing pad of the check it has failed.
    check(
        "legal",
        "fn @main.f(%0: i64, %1: i64) -> i64 {\nb0:\n  %2: i64 = iconst 0\n  check %1, %2, sgt.rem_by_zero, b1 !1:1\n  jump b2\nb1:\n  %3: i64 = srem %0, %1 ;~ L0402 ;~ L0403\n  resume\nb2:\n  %4: i64 = srem %0, %1\n  ret %4\n}\n",
    );
}

#[test]
fn the_overflow_check_is_about_one_pair_of_values() {
    let text = |dividend: &str, mark: &str| {
        format!(
            "fn @main.f(%0: i64, %1: i64, %2: i64) -> i64 {{\nb0:\n  %3: i64 = iconst 0\n  check %1, %3, ne.div_by_zero, b1 !1:1\n  %4: i64 = iconst -9223372036854775808\n  %5: i64 = iconst -1\n  %6: i64 = xor %0, %4\n  %7: i64 = xor %1, %5\n  %8: i64 = or %6, %7\n  check %8, %3, ne.div_overflow, b1 !1:1\n  %9: i64 = sdiv {dividend}, %1{mark}\n  ret %9\nb1:\n  resume\n}}\n"
        )
    };
    check("legal", &text("%0", ""));
    check("legal", &text("%2", " ;~ L0403"));
}

#[test]
fn statuses_are_checked_in_order_and_at_once() {
    let text = |between: &str, mark: &str| {
        format!(
            "fn @main.f(%0: ptr) -> () {{\nb0:\n  %1: i64 = rt print, %0{mark}\n  %2: i64 = iconst 0\n{between}  check %1, %2, eq.output_failed, %1, b1 !1:1\n  ret\nb1:\n  resume\n}}\n"
        )
    };
    check("legal", &text("", ""));
    check("legal", &text("  rt debug_print, %0\n", " ;~ L0504"));
}

#[test]
fn faults_of_a_function_as_a_whole_are_on_its_first_line() {
    let (found, _) = judge::<Legal>(&format!("ori-ir lir.legal 1 {}\nfn @main.f() -> () {{\n}}\n", header_facts().join(" ")));
    assert_eq!(found, [(2, "L0101".to_owned())]);
    assert_eq!(LirFault::SlotSize { at: Where::Function, bytes: 3 }.message(), "a slot cannot have 3 bytes");
}
