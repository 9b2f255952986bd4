use super::*;
use crate::text::{print, view};

/// Canonical text of a dump, which must be a fixed point.
#[track_caller]
fn canonical(text: &str) -> String {
    let once = print(&parse(text).unwrap_or_else(|e| panic!("{e}\n{text}")));
    let again = parse(&once).unwrap_or_else(|e| panic!("{e}\n{once}"));
    assert_eq!(print(&again), once);
    once
}

#[track_caller]
fn check(text: &str) {
    assert_eq!(canonical(text), text);
}

#[track_caller]
fn refused(text: &str, error: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), error, "{text}");
}

#[track_caller]
fn line(line: &str) {
    check(&format!("ori-ir mir.owned 1\nfn @f() -> int {{\nb0:\n  {line}\n}}\n"));
}

#[test]
fn the_samples_of_the_design_are_canonical() {
    check(
        "ori-ir mir.reuse 1
fn @add_all(%0: own Chain, %1: int) -> own Chain {
b0:
  %2: tag = tag ref %0
  switch %2, b1, b2
b1:
  ret own %0
b2:
  %3: int, %4: own Chain, %5: own cell<iC> = reset own %0, @Link
  %6: int = add %3, %1, b3 !3:24
  %7: own Chain = call @add_all, own %4, %1, b4 !3:38
  %8: own Chain = reuse own %5, @Link, %6, own %7
  ret own %8
b3:
  drop own %4
  jump b4
b4:
  free own %5
  resume
}
",
    );
    check(
        "ori-ir lir.legal 1 layout=lp64 abi=sysv
fn @len(%0: ptr) -> i64 {
b0:
  %1: i64 = load %0, 8, {invariant, range 0 4611686018427387903} !1:20
  rc.dec %0, {confined}
  ret %1
}
",
    );
    check(
        "ori-ir mach.alloc 1 isa=x86_64
fn @len(%0: gp) -> gp {
b0:
  %1: gp = mov64 $rax, [$rdi + 8]
  sub64 [$rdi + 0], 1
  ret $rax
}
",
    );
    check(
        "ori-ir mir.owned 1
fn @twice(%0: own str) -> own str {
b0:
  %1: own str = call @shout, own %0, {nounwind}
  %2: own str = call @shout, own %0, {nounwind} ;~ M0301 second consume of %0, first at b0:0
  drop own %1
  ret own %2
}
",
    );
}

#[test]
fn types_are_raw_text_with_brackets() {
    line("%1: (int, str), %2: [str], %3: m0.P0, %4: Range<int>, %5: () -> int, %6: own {str: int} = op");
    line("%1: ref (own: int, b: {str: [int]}) -> Result<int, str>, %2: Iter<Item = T> = op");
    check("ori-ir a.b 1\nfn @f[T: Eq + Hashable, U](%0: own {K: V}) -> () -> {str: int} {\nb0:\n}\n");
    check("ori-ir a.b 1\nfn @f() -> (own str, i64) {\nb0(%1: ref [T]):\n}\n");
    check("ori-ir a.b 1\nfn @f() {\n}\n");
}

#[test]
fn operands_of_every_kind() {
    line("op %1, own %2, ref %3, own, ref, -5, 170141183460469231731687303715884105727, 0x00000000000000ff, nan.x");
    line("op @main.f, @$main.c, @=m.f.p, @#m.T~1, @&m.x, @?m.t, @m.f<int, (str, [T])>, @\"a b\"");
    line("op $rax, b1, b2(%1, own %2), b3($rax, 5, b4(%1))");
    line("op [%3 + %4*8 - 16], [slot 3], [$fs + 16 + @sym], [], [-8], %5:$rax, own %5:[slot 3], %5:[rbp - 8]");
    line(r#"op "plain", "q\" b\\ n\n t\t r\r z\0 \u{1b} é \u{2028}""#);
    line("op {a, b 1 2, c(1, 2)} !3:9");
    line("op %1, {a} !@leaf 1:4 < @m.f<int> 2:3 < 3:9 ;~ M0101 text, with %1 \"anything");
}

#[test]
fn spelling_becomes_canonical() {
    let text = "; comment\r\n\n  ;! first  \nori-ir  a.b  1  y   x ; c\n;~ has x\nfn@f( %00:int ,%1:own  str)->int{;~ F1\n b0 : ;~B1\n;! inside\n %3 : int=op {z,a}, %1,{}{m}!3 : 9;~  X1 t\n op ; plain\n}\n";
    let expect = "ori-ir a.b 1 y x\n;! first\n;! inside\n;~ has x\nfn @f(%0: int, %1: own str) -> int { ;~ F1\nb0: ;~ B1\n  %3: int = op %1, {a, m, z} !3:9 ;~ X1 t\n  op\n}\n";
    assert_eq!(canonical(text), expect);
    let dump = parse(text).unwrap();
    assert_eq!(dump.directives, [(3, "first".to_owned()), (8, "inside".to_owned())]);
    assert_eq!(dump.intents, [(5, "has x".to_owned())]);
    assert_eq!(dump.functions[0].blocks[0].insts[1].line, 10);
}

#[test]
fn regions_nest_and_take_operands_between_them() {
    let text = "ori-ir hir.typed 1
fn @f(%0: bool) -> int {
  %1: int = if %0, {likely} !1:2 { ;~ H0101 text
    loop {
      break
    }
    %2: int = const 5
  } %0, @main.T {
    yield %2
  } {
  }
  ret %1
}
";
    check(text);
    let dump = parse(text).unwrap();
    let block = &dump.functions[0].blocks[0];
    assert_eq!((block.number, block.insts.len(), block.insts[0].regions.len()), (Block::UNNAMED, 2, 3));
    assert_eq!(block.insts[0].regions[1].args.len(), 2);
}

#[test]
fn nesting_has_a_limit() {
    let nest = |depth: usize| format!("ori-ir hir.typed 1\nfn @f() -> int {{\n{}{}}}\n", "loop {\n".repeat(depth), "}\n".repeat(depth));
    canonical(&nest(MAX_NESTING as usize));
    let error = parse(&nest(MAX_NESTING as usize + 1)).unwrap_err();
    assert_eq!((error.code(), error.line), ("T0003", MAX_NESTING + 3));
    for open in ["b1(", "[", "%1:["] {
        let text = format!("ori-ir a.b 1\nfn @f() -> int {{\nb0:\n  op {}\n}}\n", open.repeat(100_000));
        let error = parse(&text).unwrap_err();
        assert!(["T0002", "T0003"].contains(&error.code()), "{error}");
    }
}

#[test]
fn what_is_no_dump_is_refused_at_its_place() {
    let body = |line: &str| format!("ori-ir a.b 1\nfn @f() -> int {{\nb0:\n  {line}\n}}\n");
    refused("", "1:1: T0001 a dump starts with `ori-ir LEVEL.PHASE VERSION`");
    refused("ori-ir ab 1", "1:10: T0001 a dump starts with `ori-ir LEVEL.PHASE VERSION`");
    refused("ori-ir a.b x", "1:12: T0002 expected a number here");
    refused("ori-ir a.b 1\nfun", "2:4: T0002 expected `fn` at the start of a function");
    refused("ori-ir a.b 1\nfn @f(", "2:7: T0002 expected `%` here");
    refused("ori-ir a.b 1\nfn @f() -> int {\nb0:\n  op\n", "5:1: T0005 the text ends inside a function");
    refused("ori-ir a.b 1\nfn @f() -> int {\n  op {\n", "4:1: T0005 the text ends inside a region");
    refused("ori-ir a.b 1\nfn @f() -> int {\nb4294967295:\n}", "3:12: T0004 the block number is too large");
    refused(&body("op %1 %2"), "4:9: T0002 expected `,` between operands");
    refused(&body("op %1,"), "4:9: T0002 expected an operand after `,`");
    refused(&body("op \"abc"), "4:10: T0005 the string is not closed");
    refused(&body("op \"\\q\""), "4:9: T0002 unknown escape");
    refused(&body("op \"\\u{d800}\""), "4:14: T0002 expected the number of a character in `\\u{...}`");
    refused(&body("op @f<int"), "4:12: T0005 `<` in a name is not closed");
    refused(&body("op 0x"), "4:8: T0004 expected 1 to 16 hexadecimal digits");
    refused(&body("op 999999999999999999999999999999999999999999"), "4:48: T0004 the integer is too large");
    refused(&body("op [%1 - %2]"), "4:14: T0002 this cannot be a part of an address");
    refused(&body("%1: (int = op"), "4:16: T0005 a bracket is not closed on this line");
    refused(&body("op !3"), "4:8: T0002 expected `:` here");
    refused(&body("op } x"), "4:6: T0002 expected an operand here");
}

#[test]
fn the_views_have_a_row_an_instruction_and_the_same_ops() {
    let text = "ori-ir mir.reuse 1
fn @add_all(%0: own Chain, %1: int) -> own Chain {
b2:
  jump b2(%0)
  op \"a\\tb\"
  %7: own Chain, %8: int = call @add_all, own %4, %1, b4, {b, a} !3:38
}
fn @h() -> int {
  if %0 {
    yield 1
  }
}
";
    let dump = parse(text).unwrap();
    let tsv = view::tsv(&dump);
    assert_eq!(
        tsv,
        "#schema\tori-ir-tsv\t1
add_all\tb2\t0\tjump\t\tb2(%0)\t\t\t
add_all\tb2\t1\top\t\t\"a\\tb\"\t\t\t
add_all\tb2\t2\tcall\t%7, %8\t@add_all, own %4, %1, b4\town Chain, int\ta, b\t3:38
h\t\t0\tif\t\t%0\t\t\t
h\t\t1\tyield\t\t1\t\t\t
"
    );
    let json = view::json(&dump);
    assert!(json.starts_with("{\"schema\":\"ori-ir-json\",\"version\":1,\"level\":\"mir\",\"phase\":\"reuse\",\"rows\":[\n"));
    let rows: Vec<&str> = json.lines().filter(|l| l.starts_with("{\"fn\"")).collect();
    assert_eq!(rows.len(), tsv.lines().count() - 1);
    for (row, cells) in rows.iter().zip(tsv.lines().skip(1)) {
        let op = cells.split('\t').nth(3).unwrap();
        assert!(row.contains(&format!("\"op\":\"{op}\"")), "{row}");
    }
    assert_eq!(
        rows[1].trim_end_matches(','),
        r#"{"fn":"add_all","block":"b2","index":1,"op":"op","results":"","operands":"\"a\\tb\"","types":"","facts":"","place":""}"#
    );
}

#[test]
fn long_lines_take_linear_time() {
    // A quadratic scan of these would take minutes.
    for unit in ["{ a } ", "%1:$r, ", "(", "<-", "@a<", "own ", "b1(b2), ", "\"\\u{61}\", ", "{, ", "; {"] {
        let text = format!("ori-ir a.b 1\nfn @f() -> int {{\nb0:\n  op {}\n}}\n", unit.repeat(200_000));
        let _ = parse(&text);
        let text = format!("ori-ir a.b 1\nfn @f() -> {} {{\n%1: {} = op\n}}\n", unit.repeat(200_000), unit.repeat(200_000));
        let _ = parse(&text);
    }
}
