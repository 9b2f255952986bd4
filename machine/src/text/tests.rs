//! Dumps of all phases are fixed points of reading and printing.

use super::{Parsed, listing, parse, print};
use crate::finish::finish;

/// Text of what was read.
pub(crate) fn again(text: &str) -> String {
    match parse(text).unwrap_or_else(|e| panic!("{e}\n{text}")) {
        Parsed::Select(functions) => print(&functions.iter().collect::<Vec<_>>()),
        Parsed::Alloc(functions) => print(&functions.iter().collect::<Vec<_>>()),
        Parsed::Final(functions) => print(&functions.iter().collect::<Vec<_>>()),
    }
}

#[track_caller]
fn check(text: &str) {
    assert_eq!(again(text), text);
}

#[track_caller]
fn refused(phase: &str, line: &str, code: &str) {
    let text = format!("ori-ir machine.{phase} 1 isa=x86_64\nfn @f() -> () {{\nb0:\n  {line}\n}}\n");
    assert_eq!(parse(&text).map(|_| ()).unwrap_err().code(), code, "{line}");
}

/// A function with most of what `select` can say.
pub(crate) const SELECT: &str = "ori-ir machine.select 1 isa=x86_64
fn @main.f[slot local 24, slot incoming 0, slot outgoing 0, loop 1 1, loop 2 1, pad 4](%0: gp, %1: xmm) -> (gp, xmm) {
b0:
  %2: gp = movi -5000000000
  %3: xmm = loadconst 0x3ff8000000000000
  %4: xmm = xorf_const %1, 0x8000000000000000
  %5: gp = leadata \"a text\"
  %6: gp = leaslot [slot 0]
  storeslot %5, [slot 0 + 8]
  storesloti [slot 0], 7
  %7: gp = loadslot [slot 1]
  storeslot %7, [slot 2]
  %8: gp = movi 0
  jmp b1(%2, %8)
b1(%9: gp, %10: gp):
  cmpi %10, 100
  jcc l, b2
  jmp b3
b2:
  %11: gp = load [%5 + %10*8 + 16]
  cmp %10, %11
  stub ae, index_out_of_bounds, %10, 5, b4 !@main.g 1:4 < 3:9
  %12: gp = addi %10, 1
  stub o, add_overflow, b4 !3:11
  %13: gp = div %9, %11
  jmp b1(%13, %12)
b3:
  ucomi %1, %3
  %14: gp = setfeq
  %15: gp = call @main.g, %9, %14, b4 !4:1
  %16: gp = call print, %6, b4 !5:1
  ret %15, %4
b4:
  resume
}
";

/// The same program, as allocation may leave it.
pub(crate) const ALLOC: &str = "ori-ir machine.alloc 1 isa=x86_64
fn @main.f[saved rbx r12, slot local 24, slot spill 8, slot outgoing 0, loop 1 1, loop 2 1, pad 4, origins 0 1 2 edge 4](%0: gp $rdi, %1: xmm $xmm0) -> gp {
b0:
  mov %2:$rbx, %0:$rdi
  movi %3:$r12, 0
  storeslotf %1:$xmm0, [slot 1]
  leaslot %4:$r11, [slot 0 + 16]
  store %2:$rbx, [%4:$r8]
  jmp b1
b1:
  cmpi %3:$r12, 100
  jcc l, b2
  jmp b3
b2:
  load %5:$rax, [%2:$rbx + %3:$r12*8 + 16]
  cmp %3:$r12, %5:$rax
  stub ae, index_out_of_bounds, $r12, $rax, b4 !3:9
  addi %6:$r12, %3:$r12, 1
  stub o, add_overflow, b4 !3:11
  jmp b1
b3:
  mov $rdi, $rbx
  movi $rsi, 3
  call @main.g, $rdi, $rsi, b4, {results rax} !4:1
  loadslotf $xmm1, [slot 1]
  addf_slot $xmm1, $xmm1, [slot 1]
  cvt_fi $rax, $xmm1
  ret $rax
b4:
  resume
}
";

#[test]
fn every_phase_is_a_fixed_point() {
    check(SELECT);
    check(ALLOC);
    let Parsed::Alloc(mut functions) = parse(ALLOC).unwrap() else { panic!("an alloc dump") };
    let (finished, _) = finish(functions.remove(0)).unwrap();
    let text = print(&[&finished]);
    check(&text);
    assert!(text.contains("slot local 24 at -40, slot spill 8 at -48, slot outgoing 0 at -64"), "{text}");
    // The bytes of the dump are the bytes of the function.
    let Parsed::Final(functions) = parse(&text).unwrap() else { panic!("a final dump") };
    assert_eq!(listing(&functions[0]), listing(&finished));
    assert!(listing(&finished).contains("-> ori_panic_index_out_of_bounds"), "{}", listing(&finished));
}

#[test]
fn broken_functions_have_text_too() {
    check(
        "ori-ir machine.select 1 isa=x86_64\nfn @f() -> () {\nb0:\n  %0: gp = add %7, none\n  loadconst none, 16777216\n  jcc 99, b9(%3)\n  jmp 16777217\n}\n",
    );
    check(
        "ori-ir machine.alloc 1 isa=x86_64\nfn @f() -> xmm {\nb0:\n  add $xmm3, $rsp, $rax\n  load none, [none + $rax*16]\n  call @g, $rax, {clobbers 3, results rax rdx}\n}\n",
    );
    check("ori-ir machine.final 1 isa=x86_64\nfn @f() -> () {\nb0:\n  jcc e, b0, {near}\n  jmp b0\n}\n");
}

#[test]
fn what_is_no_machine_dump_is_refused() {
    for (line, code) in [
        ("nonsense %1", "T0102"),
        ("add 5", "T0101"),
        ("jcc weird, b0", "T0103"),
        ("mov $rax, $rbx, $rcx", "T0101"),
        ("mov $rax, $zzz", "T0103"),
        ("call weird", "T0103"),
        ("addi $rax, $rax, 99999999999", "T0106"),
        ("mov %70000, %0", "T0106"),
        ("stub o, weird", "T0103"),
        ("load $rax, 5", "T0101"),
        ("add $rax, $rax, $rcx, {near}", "T0103"),
        ("jcc e, b0, {far}", "T0103"),
    ] {
        refused("alloc", line, code);
    }
    assert_eq!(parse("ori-ir mir.built 1\n").unwrap_err().code(), "T0104");
    assert_eq!(parse("ori-ir machine.weird 1\n").unwrap_err().code(), "T0104");
    assert_eq!(parse("ori-ir machine.alloc 1\nfn @f[weird 1]() {\n}\n").unwrap_err().code(), "T0105");
}

#[test]
fn damaged_text_never_panics() {
    for text in [SELECT, ALLOC] {
        for at in 0..text.len() {
            let mut cut = String::from(&text[..at]);
            let _ = parse(&cut);
            cut.push_str(&text[at + 1..]);
            if let Ok(parsed) = parse(&cut) {
                // Whatever parses is judged without a panic, and its text parses.
                match &parsed {
                    Parsed::Select(functions) => functions.iter().for_each(|f| drop(crate::verify::verify(f))),
                    Parsed::Alloc(functions) => functions.iter().for_each(|f| drop(crate::verify::verify(f))),
                    Parsed::Final(functions) => functions.iter().for_each(|f| drop(crate::verify::verify(f))),
                }
                let once = again(&cut);
                assert_eq!(again(&once), once);
            }
        }
    }
}

#[test]
fn views_have_a_row_for_each_record() {
    let Parsed::Alloc(functions) = parse(ALLOC).unwrap() else { panic!("an alloc dump") };
    let dump = super::dump(&functions.iter().collect::<Vec<_>>());
    assert_eq!(ir::text::view::tsv(&dump).lines().count(), 1 + functions[0].records.len());
    assert!(ir::text::view::json(&dump).contains("\"op\":\"cvt_fi\""));
}

#[test]
fn faults_stand_at_the_end_of_the_guilty_line() {
    let text = "ori-ir machine.alloc 1 isa=x86_64\nfn @f() -> () {\nb0:\n  mov $xmm0, $rax\n  trap\n}\n";
    let Parsed::Alloc(functions) = parse(text).unwrap() else { panic!("an alloc dump") };
    let mut dump = super::dump(&[&functions[0]]);
    super::annotate(&mut dump.functions[0], &crate::verify::verify(&functions[0]));
    let shown = ir::text::print(&dump);
    assert!(shown.contains("mov $xmm0, $rax ;~ X0106 operand 0 is in a register of the wrong class"), "{shown}");
    assert_eq!(again(&shown), text);
}
