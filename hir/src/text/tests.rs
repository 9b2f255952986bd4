//! The text form: a fixed point, lenient where the verifier judges, coded errors elsewhere. That everything the checker accepts prints and
//! parses back is asserted by the tests of `infer`.

use super::{parse, print_file};
use crate::Body;
use crate::memory::Program;

#[test]
fn a_dump_stands_alone_and_prints_as_it_reads() {
    let source = include_str!("../infer/tests/tour.ori");
    let program = Program::new(&[("main", source)]);
    let bodies = program.bodies();
    assert!(bodies.len() > 8, "{}", program.report());
    let refs: Vec<&Body> = bodies.iter().collect();
    let once = print_file(&refs, &program).unwrap_or_default();
    let Ok((parsed, cx)) = parse(&once) else { panic!("{once}") };
    let refs: Vec<&Body> = parsed.iter().collect();
    assert_eq!(print_file(&refs, &cx).unwrap_or_default(), once);
}

#[test]
fn control_flow_reads_like_the_source() {
    let program = Program::new(&[("main", "@t (n: int) -> int = { let x = n; while:w x > 0 do { if x == 3 then break:w; x -= 1; } x }")]);
    let body = program.body("t").unwrap_or_else(|| panic!("{}", program.report()));
    let text = super::print(&body, &program).unwrap_or_default();
    let expected = "ori-ir hir.typed 1
fn @main.t(%0: int) -> int {
  %1: int = local n.0 !1:32
  %2: void = let x.1, mut, %1 !1:24
  %3: void = while w.0 !1:35 {
    %4: int = local x.1 !1:43
    %5: int = int 0 !1:47
    %6: bool = gt %4, %5 !1:43
  } do {
    %7: int = local x.1 !1:57
    %8: int = int 3 !1:62
    %9: bool = eq %7, %8 !1:57
    %10: void = if %9 !1:54 {
      %11: Never = break w.0 !1:69
    }
    %12: int = local x.1 !1:78
    %13: int = int 1 !1:83
    %14: int = int.sub %12, %13 !1:78
    %15: void = assign x.1, %14 !1:78
    %16: void = block %10, %15 !1:52
  }
  %17: int = local x.1 !1:88
  %18: int = block %2, %3, %17, tail !1:22
}
";
    assert_eq!(text, expected);
}

#[track_caller]
fn refused(lines: &str, code: &str) {
    let text = format!("ori-ir hir.typed 1\nfn @m.t() -> int {{\n{lines}\n}}\n");
    match parse(&text) {
        Ok(_) => panic!("parses: {text}"),
        Err(error) => assert_eq!(error.code(), code, "{error}"),
    }
}

#[test]
fn what_is_no_hir_text_has_a_code() {
    refused("%0: nope! = int 1", "T0101");
    refused("%0: int = call @\"\"", "T0102");
    refused("%0: int = frobnicate", "T0104");
    refused("%0: int = int", "T0105");
    refused("%0: int = int 1, 2", "T0105");
    refused("int 1", "T0105");
    refused("%0: int = loop _.0", "T0106");
    refused("", "T0106");
    let link = |i: u32| format!("%{}: int = int 1\n%{i}: int = int.add %{}, %{}\n", i - 1, i - 1, i - 2);
    let deep: String = (1..3000).map(|i| link(2 * i)).collect();
    refused(&format!("%0: int = int 1\n{deep}"), "T0107");
    assert_eq!(parse("ori-ir mir.built 1\n").err().map(|e| e.code().to_owned()).as_deref(), Some("T0108"));
    assert_eq!(parse("ori-ir hir.typed 1\n;! type x\n").err().map(|e| e.code().to_owned()).as_deref(), Some("T0103"));
}

#[test]
fn mutated_dumps_never_panic() {
    let source = include_str!("../infer/tests/tour.ori");
    let program = Program::new(&[("main", source)]);
    let bodies = program.bodies();
    let refs: Vec<&Body> = bodies.iter().collect();
    let once = print_file(&refs, &program).unwrap_or_default();
    let lines: Vec<&str> = once.lines().collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let words = [
        "%1",
        "int",
        "x.0",
        "_.0",
        "}",
        "{",
        "str",
        "9",
        "-1",
        "mut",
        "Never",
        "error",
        "(int, int)",
        "else",
        "case",
        "guard",
        "bool.not",
        ",",
    ];
    for _ in 0..400 {
        let mut lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        for _ in 0..=next(3) {
            let at = next(lines.len());
            match next(3) {
                0 => {
                    lines.remove(at);
                }
                1 => {
                    let from = next(lines.len());
                    let line = lines[from].clone();
                    lines.insert(at, line);
                }
                _ => {
                    let mut parts: Vec<&str> = lines[at].split(' ').collect();
                    let which = next(parts.len());
                    parts[which] = words[next(words.len())];
                    lines[at] = parts.join(" ");
                }
            }
        }
        if let Ok((bodies, cx)) = parse(&lines.join("\n")) {
            for body in &bodies {
                let _ = crate::verify::verify(body, &cx);
            }
            let refs: Vec<&Body> = bodies.iter().collect();
            let _ = print_file(&refs, &cx);
        }
    }
}
