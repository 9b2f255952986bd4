use ir::ssa::{Graph, NewInst};

use super::*;
use crate::ir::Built;
use crate::ops::Op;

const SAMPLE: &str = "ori-ir mir.mono 1
;! type m.P = {int, m.Q}
;! type m.Q = {float}
;! fn @m.ext((int, bool), [str]) -> m.P
fn @m.f(%0: (int, bool), %1: [str]) -> int {
b0:
  %2: m.P = call @m.ext, %0, %1, b1 !2:3
  %3: int = field %2, 0
  ret %3
b1:
  resume
}
";

#[test]
fn text_is_a_fixed_point_and_stands_alone() {
    let (bodies, cx) = parse::<Mono>(SAMPLE).unwrap();
    assert_eq!(print_file(&bodies, &cx).unwrap(), SAMPLE);
    assert_eq!(print(&bodies[0], &cx).unwrap(), SAMPLE);
    assert_eq!(crate::verify::verify(&bodies[0], &cx).unwrap(), []);
}

#[test]
fn a_declaration_is_printed_only_when_the_bodies_mention_it() {
    let (bodies, cx) = parse::<Mono>(&SAMPLE.replace(";! type m.Q", ";! type m.R = {int}\n;! fn @m.g() -> int\n;! type m.Q")).unwrap();
    assert_eq!(print_file(&bodies, &cx).unwrap(), SAMPLE);
}

#[test]
fn another_phase_is_refused() {
    let error = parse::<Built>(SAMPLE).unwrap_err();
    assert_eq!(error.code(), "T0201");
    let (bodies, _) = parse::<Built>(&SAMPLE.replace("mono", "built")).unwrap();
    assert_eq!(bodies.len(), 1);
}

#[test]
fn declarations_that_cannot_be_read_are_refused() {
    for bad in
        ["type m.P = int", "type = {int}", "type m.P = {int", "fn @f(int -> int", "fn @f(int)", "fn @(int) -> int", "fn @f(int) -> ="]
    {
        let error = parse::<Mono>(&format!("ori-ir mir.mono 1\n;! {bad}\n")).unwrap_err();
        assert_eq!((error.code(), error.line), ("T0202", 2), "{bad}");
    }
    // Directives for fixture runners are not ours.
    assert!(parse::<Mono>("ori-ir mir.mono 1\n;! level mir.mono  pass fold\n").is_ok());
}

#[test]
fn the_views_have_a_row_for_each_instruction() {
    let (bodies, cx) = parse::<Mono>(SAMPLE).unwrap();
    assert_eq!(print_tsv(&bodies, &cx).unwrap().lines().filter(|line| line.starts_with("m.f\t") || line.starts_with("@m.f\t")).count(), 4);
    assert!(print_json(&bodies, &cx).unwrap().contains("\"op\":\"field\""));
}

#[test]
fn two_results_are_not_a_tuple() {
    for (results, text) in
        [(vec![Type::INT, Type::INT], "(int, int,)"), (vec![], "(,)"), (vec![Type::tuple(&[Type::INT; 2])], "(int, int)")]
    {
        let mut graph = Graph::new(ir::ItemId::parse("m.f").unwrap(), results.clone());
        let block = graph.add_block();
        graph.append(block, NewInst::new(Op::Unreachable), &[]);
        let printed = print_body(&Body::<Mono>::new(graph));
        assert!(printed.starts_with(&format!("fn @m.f() -> {text} {{")), "{printed}");
        let (read, _) = parse::<Mono>(&format!("ori-ir mir.mono 1\n{printed}")).unwrap();
        assert_eq!(read[0].results, results);
    }
}
