use super::*;
use crate::ir::{Built, Legal};

const DUMP: &str = "\
ori-ir lir.legal 1 layout=lp64 abi=ori
;! fn @main.half(i64, f64) -> (i64, f64)
;! fn @main.none() -> ()
fn @main.f(%0: ptr, %1: i64) -> (i64, f64) {
b0:
  %2: f64 = fconst 0x3ff0000000000000
  %3: ptr = data \"a\\nb\"
  %4: i64 = load %3, 0, {invariant}
  %5: i8 = icmp %1, %4, slt
  check %1, %4, ult.index_out_of_bounds, %1, %4, b3 !2:5
  branch %5, b1, b2(%1)
b1:
  call @main.none, b3 !2:9
  tail @main.half, %1, %2
b2(%6: i64):
  %7: i64, %8: f64 = call @main.half, %6, %2, b3 !3:1
  switch %7, 1, b4, -2, b4, b5
b3:
  resume
b4:
  unreachable
b5:
  ret %7, %8
}
";

#[test]
fn text_is_a_fixed_point() {
    let (bodies, context) = parse::<Legal>(DUMP).unwrap();
    assert_eq!(print_file(&bodies, &context).unwrap(), DUMP);
}

#[test]
fn every_op_prints_and_parses() {
    for &op in Op::ALL {
        assert_eq!(Op::from_name(op.info().name), Some(op));
    }
    for op in [Op::Icmp, Op::Fcmp, Op::Check, Op::Runtime, Op::Panic, Op::AddCheck] {
        for word in (0..3).chain([999]) {
            assert_eq!(Lir::parse_word(op, &Lir::word_text(op, word)), Some(word), "{op:?} {word}");
        }
    }
}

#[test]
fn a_dump_of_another_phase_or_layout_is_refused() {
    assert_eq!(parse::<Built>(DUMP).unwrap_err().code(), "T0201");
    assert_eq!(parse::<Legal>(&DUMP.replace("lp64", "ilp32")).unwrap_err().code(), "T0201");
    assert_eq!(parse::<Legal>(&DUMP.replace("(i64, f64) -> (i64, f64)\n;!", "(i64, f65) -> (i64, f64)\n;!")).unwrap_err().code(), "T0202");
}

#[test]
fn directives_give_signatures_and_so_do_functions() {
    let (_, context) = parse::<Legal>(DUMP).unwrap();
    let signature = |name: &str| context.signature(ItemId::parse(name).unwrap()).unwrap().map(|s| (*s).clone());
    assert_eq!(signature("main.half"), Some(Signature { params: vec![Type::I64, Type::F64], results: vec![Type::I64, Type::F64] }));
    assert_eq!(signature("main.f"), Some(Signature { params: vec![Type::Ptr, Type::I64], results: vec![Type::I64, Type::F64] }));
    assert_eq!(signature("main.g"), None);
}

#[test]
fn views_have_one_row_an_instruction() {
    let (bodies, context) = parse::<Legal>(DUMP).unwrap();
    let tsv = print_tsv(&bodies, &context).unwrap();
    assert_eq!(tsv.lines().count(), 1 + bodies[0].size());
    assert!(tsv.contains("\tcheck\t"), "{tsv}");
    assert_eq!(print_json(&bodies, &context).unwrap().matches("\"op\":").count(), bodies[0].size());
}
