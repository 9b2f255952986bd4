//! Each code is tripped by a text with the code on the guilty line.

use std::collections::BTreeSet;

use ir::Fault;
use ir::ssa::text::{expected_faults, line_of};

use super::{MirFault, verify};
use crate::ir::{Body, Mono, Owned, Phase};
use crate::text;

/// Verifies a dump whose guilty lines end in `;~ CODE`, and gives the codes back.
#[track_caller]
fn check(functions: &str) -> Vec<String> {
    check_in::<Mono>(functions)
}

/// The same for bodies of this phase.
#[track_caller]
fn check_in<P: Phase>(functions: &str) -> Vec<String> {
    let phase = P::NAME;
    let source = format!(
        "ori-ir mir.{phase} 1\n;! type m.P = {{int, bool}}\n;! type m.S = {{}} | {{int, str}}\n;! class cell<str> = 2\n;! class cell<str, int> = 3\n;! fn @m.ext(int, str) -> bool\n;! fn @m.num() -> int\n;! fn @m.ofobj(object<m.Tr>) -> bool\n{functions}"
    );
    let dump = ir::text::parse(&source).unwrap_or_else(|e| panic!("{e}\n{source}"));
    let (bodies, cx) = text::from_dump::<P>(&dump).unwrap_or_else(|e| panic!("{e}\n{source}"));
    let mut found = Vec::new();
    for (body, function) in bodies.iter().zip(&dump.functions) {
        let Ok(faults) = verify(body, &cx) else { panic!("the context of a dump is never interrupted") };
        found.extend(faults.iter().map(|f| (line_of(function, f.at()), f.code().to_string(), f.message())));
    }
    found.sort();
    let codes: Vec<(u32, String)> = found.iter().map(|(line, code, _)| (*line, code.clone())).collect();
    let mut expected = expected_faults(&dump);
    expected.sort();
    assert_eq!(codes, expected, "{source}\n{found:#?}");
    codes.into_iter().map(|(_, code)| code).collect()
}

/// A function with this body in one block; it may use `%0: int`, `%1: float`, `%2: bool`, `%3: str`, `%4: m.P`, `%5: [int]`, `%6: cell<int>` and `%7: (int) -> bool`.
fn line(text: &str) -> String {
    format!(
        "fn @m.f(%0: int, %1: float, %2: bool, %3: str, %4: m.P, %5: [int], %6: cell<int>, %7: (int) -> bool) -> int {{\nb0:\n  {text}\n  ret %0\nb1:\n  resume\n}}\n"
    )
}

/// Texts that break one rule each. Where a rule cannot be broken in text (a name defined twice reads as one), a test below breaks the graph.
fn broken() -> Vec<String> {
    let lines = [
        "%9: int = add %0, b1 !1:1 ;~ M0110",
        "add %0, %0, b1 !1:1 ;~ M0111",
        "%9: int = add %0, %0, b1 ;~ M0104",
        "%9: int = add %0, %0 !1:1 ;~ M0115",
        "%9: int = wrap_add %0, %0, b1 ;~ M0116",
        "%9: int = add %0, %0, b1 !0:0 ;~ M0117",
        "%9: int = add %0, %77, b1 !1:1 ;~ M0106",
        "%9: int = add %0, %0, b7 !1:1 ;~ M0107",
        "%9: int = add %0, %9, b1 !1:1 ;~ M0108",
        "%9: int = int 3, {sees0} ;~ M0121\n  local \"x\", \"\", 0\n  name 0, 0, %9",
        "%9: int = add %0, %2, b1 !1:1 ;~ M0201",
        "%9: bool = lt %1, %1 ;~ M0201",
        "%9: bool = eq %0, %2 ;~ M0201",
        "%9: int = field %0, 0 ;~ M0201",
        "%9: int = list_get %3, %0, b1 !1:1 ;~ M0201",
        "%9: bool = add %0, %0, b1 !1:1 ;~ M0202",
        "%9: bool = list_get %5, %0, b1 !1:1 ;~ M0202",
        "%9: int = tag %4 ;~ M0201",
        "%9: bool = bool 2 ;~ M0203",
        "%9: str = dup %3 ;~ M0301",
        "%9: byte = byte 256 ;~ M0203",
        "%9: char = char 55296 ;~ M0203",
        "%9: int = field %4, 2 ;~ M0204",
        "%9: m.S = variant 2 ;~ M0223",
        "%9: m.S = variant %0, 1 ;~ M0224",
        "%9: m.S = variant %3, %3, 1 ;~ M0226",
        "%9: (int) -> bool = closure @m.ext ;~ M0230",
        "%9: int = methods ;~ M0238",
        "%8: methods<object<m.Tr>, int> = methods\n  %9: cell<methods<object<m.Tr>, int>, int> = new %8, %0\n  %10: object<m.Other> = object %9 ;~ M0239",
        "%8: methods<object<m.Tr>, int> = methods\n  %9: cell<methods<object<m.Tr>, int>, int> = new %8, %0\n  %10: object<m.Tr> = object %9\n  %11: bool = call_method %10, @m.ofobj, b1 !1:1 ;~ M0240",
        "%9: (int) -> bool = closure @m.none ;~ M0208",
        "%9: int = call_value %7, %0, b1 !1:1 ;~ M0231",
        "%9: bool = call_value %7, %2, b1 !1:1 ;~ M0231",
        "%9: [int] = list %0, %2 ;~ M0232",
        "%9: bool = call_value %0, b1 !1:1 ;~ M0201",
        "%9: cell<int, bool> = new %0 ;~ M0227",
        "%9: cell<int, bool> = new %0, %0 ;~ M0229",
        "%9: int = new %0 ;~ M0202",
        "%9: int = part %0, 0 ;~ M0201",
        "%9: int = part %6, 1 ;~ M0228",
        "%9: bool = part %6, 0 ;~ M0229",
        "%9: m.P = with_field %4, %0, -1 ;~ M0204",
        "%9: int = field %4, 1 ;~ M0205",
        "%9: m.P = with_field %4, %2, 0 ;~ M0205",
        "%9: m.P = aggregate %2, %2 ;~ M0205",
        "%9: m.P = aggregate %0 ;~ M0206",
        "%9: int = select %2, %0, %2 ;~ M0207",
        "%9: int = call @m.none, b1 !1:1 ;~ M0208",
        "%9: bool = call @m.ext, %0, b1 !1:1 ;~ M0209",
        "%9: bool = call @m.ext, %0, %0, b1 !1:1 ;~ M0210",
        "%9: int = call @m.ext, %0, %3, b1 !1:1 ;~ M0211",
        "%9: int = rt word9999, %0, b1 !1:1 ;~ M0212",
        "%9: str = rt str_concat, %3, {nounwind} ;~ M0213",
        "%9: str = rt str_of_int, %3, {nounwind} ;~ M0213",
        "%9: int = rt str_of_int, %0, {nounwind} ;~ M0214",
        "rt str_of_int, %0, {nounwind} ;~ M0214",
        "%9: void = rt print, %3, b1 !1:1 ;~ M0214",
        "%9: error = call @m.num, b1 !1:1 ;~ M0219 ;~ M0211",
        "%9: int = add %0, %0, {nounwind} ;~ M0220",
        "%9: int = div %0, %0, {nounwind} ;~ M0220",
        "%9: int = call @m.num, {nounwind} ;~ M0220",
        "rt print, %3, {nounwind} ;~ M0220",
        "%9: int = wrap_add %0, %0, {nounwind} ;~ M0220",
        "%9: hole<bool> = hole %0 ;~ M0236",
        "%9: [int] = static \"[1; true]\" ;~ M0237",
        "%9: int = list_at %5, %0 ;~ M0318",
        "ret %0 ;~ M0105",
    ];
    let mut all: Vec<String> = lines.into_iter().map(line).collect();
    all.extend(
        [
            "fn @m.f(%0: int) -> int { ;~ M0101\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  jump b0 ;~ M0102 ;~ M0113\n}\n",
            "fn @m.f(%0: int) -> int {\nb0: ;~ M0103\n  %1: int = int 1\n}\n",
            "fn @m.f(%0: bool) -> int {\nb0:\n  branch %0, b1 ;~ M0112\nb1:\n  resume\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  jump b1(%0) ;~ M0113\nb1:\n  resume\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  %1: int = neg %0, b1 !1:1 ;~ M0114\n  ret %1\nb1(%2: int):\n  resume\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  switch %0, b1, 5 ;~ M0118\nb1:\n  ret %0\n}\n",
            "fn @m.f(%0: m.S) -> int {\nb0:\n  %1: int = payload %0, v1.2 ;~ M0225\n  ret %1\n}\n",
            "fn @m.f(%0: m.S) -> int {\nb0:\n  %1: int = payload %0, v1.0 ;~ M0233\n  ret %1\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  %1: int = neg %0, b1 !1:1\n  ret %1\nb1:\n  ret %0 ;~ M0234\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  resume ;~ M0235\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  switch %0, 5, b1, 5, b1, b1 ;~ M0119\nb1:\n  ret %0\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  %1: int = neg %0, b1 !1:1\n  ret %1\nb1:\n  ret %1 ;~ M0108\n}\n",
            "fn @m.f(%0: str) -> int {\nb0:\n  panic custom, %0, b1 ;~ M0104\nb1:\n  resume\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  panic custom, %0, b1 !1:1 ;~ M0215\nb1:\n  resume\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  panic word999, b1 !1:1 ;~ M0212\nb1:\n  resume\n}\n",
            "fn @m.f(%0: int) -> int {\nb0:\n  jump b1(%0) ;~ M0216\nb1(%1: bool):\n  ret %0\n}\n",
            "fn @m.f(%0: bool) -> int {\nb0:\n  ret %0 ;~ M0217\n}\n",
            "fn @m.f(%0: bool) -> int {\nb0:\n  switch %0, 2, b1, b1 ;~ M0218\nb1:\n  unreachable\n}\n",
            "fn @m.f(%0: char) -> int {\nb0:\n  switch %0, 1114112, b1, b1 ;~ M0218\nb1:\n  unreachable\n}\n",
            "fn @m.f(%0: float) -> int {\nb0:\n  switch %0, b1 ;~ M0201\nb1:\n  unreachable\n}\n",
            "fn @m.f(%0: error) -> int { ;~ M0219\nb0:\n  unreachable\n}\n",
            "fn @m.f(%0: int) -> error { ;~ M0219\nb0:\n  unreachable\n}\n",
            "fn @m.f(%0: int) -> bool {\nb0:\n  tail @m.num ;~ M0211\n}\n",
            "fn @m.f(%0: int) -> (int, int, bool) {\nb0:\n  tail @m.f, %0\n}\n",
        ]
        .map(str::to_owned),
    );
    all
}

#[test]
fn broken_lines_are_refused_with_their_code_and_nothing_else() {
    for text in broken() {
        check(&text);
    }
}

#[test]
fn what_is_right_is_not_refused() {
    for text in [
        "%9: int = add %0, %0, b1 !1:1",
        "%9: int = int 3\n  %10: int = div %0, %9, {nounwind} !1:1",
        "%9: int = int 63\n  %10: int = and %0, %9\n  %11: int = shr %0, %10, {nounwind}",
        "%9: int = int 255\n  %10: int = and %0, %9\n  %11: byte = int_to_byte %10, {nounwind}",
        "%9: str = rt str_of_int, %0, {nounwind}",
        "rt print, %3, b1 !1:1",
        "%9: m.P = aggregate %0, %2\n  %10: m.P = with_field %9, %2, 1\n  %11: int = field %10, 0",
        "%9: bool = call @m.ext, %0, %3, b1 !1:1",
        "%9: char = char 1114111\n  %10: int = widen %9",
    ] {
        assert_eq!(check(&line(text)), Vec::<String>::new());
    }
    // Divisors that may be 0 or -1 prove nothing.
    check(&line("%9: int = int -1\n  %10: int = div %0, %9, {nounwind} !1:1 ;~ M0220"));
    check(&line("%9: int = int 0\n  %10: int = rem %0, %9, {nounwind} !1:1 ;~ M0220"));
}

#[test]
fn a_body_must_fit_its_signature() {
    let (mut bodies, _) = text::parse::<Mono>("ori-ir mir.mono 1\nfn @m.f(%0: int) -> int {\nb0:\n  ret %0\n}\n").unwrap();
    let (_, cx) = text::parse::<Mono>("ori-ir mir.mono 1\n;! fn @m.f(bool) -> int\n").unwrap();
    let codes = |body: &Body<Mono>| verify(body, &cx).unwrap().iter().map(|f| f.code().to_string()).collect::<Vec<_>>();
    assert_eq!(codes(&bodies[0]), ["M0221"]);
    bodies[0].results.clear();
    assert_eq!(codes(&bodies[0]), ["M0222"]);
    check("fn @m.f(%0: int) -> (int, int,) { ;~ M0222\nb0:\n  ret %0\n}\n");
}

#[test]
fn what_text_cannot_say_is_refused_too() {
    let (mut bodies, cx) = text::parse::<Mono>("ori-ir mir.mono 1\nfn @m.f(%0: int) -> int {\nb0:\n  ret %0\n}\n").unwrap();
    let body = &mut bodies[0];
    let codes = |body: &Body<Mono>| verify(body, &cx).unwrap().iter().map(|f| f.code().to_string()).collect::<Vec<_>>();
    let inst = body.blocks[ir::ssa::ENTRY].insts[0];
    body.insts[inst].flags = 0x8000;
    assert_eq!(codes(body), ["M0120"]);
    body.insts[inst].flags = 0;
    let param = body.blocks[ir::ssa::ENTRY].params[0];
    body.blocks[ir::ssa::ENTRY].params.push(param);
    assert!(codes(body).contains(&"M0109".to_owned()));
}

/// Texts of the phase `owned` that break one rule each.
fn broken_ownership() -> Vec<String> {
    let functions = [
        ("(%0: int) -> int", "%1: int = dup %0 ;~ M0302\n  ret %1"),
        ("(%0: bool) -> int", "drop %0 ;~ M0302\n  %1: int = int 1\n  ret %1"),
        ("(%0: str) -> str", "drop %0\n  ret %0 ;~ M0303"),
        ("(%0: str) -> int", "drop %0\n  %1: int = str_len %0 ;~ M0304\n  ret %1"),
        ("(%0: (str, int)) -> int", "%1: str = field %0, 0\n  drop %0\n  %2: int = str_len %1 ;~ M0305\n  ret %2"),
        ("(%0: (str, int)) -> str", "%1: str = field %0, 0\n  drop %0\n  ret %1 ;~ M0306"),
        ("(%0: str) -> int", "%1: int = str_len %0\n  ret %1 ;~ M0307"),
        ("(%0: [str], %1: int, %2: str) -> int", "%3: [str], %4: int = list_swap %0, %1, %2 ;~ M0202\n  drop %3\n  ret %4"),
        ("(%0: [int], %1: int) -> [int]", "%2: [int] = list_set %0, %1, %1, {sole} ;~ M0317\n  ret %2"),
        ("(%0: cell<str>) -> bool", "%1: str = part %0, 0\n  open %0, %1 ;~ M0309\n  %2: bool = bool 1\n  ret %2"),
        ("(%0: cell<str>, %1: cell<str>) -> str", "%2: str = part %1, 0\n  %3: str = open %0, %2 ;~ M0310\n  drop %1\n  ret %3"),
        (
            "(%0: cell<(str, int)>) -> str",
            "%1: (str, int) = part %0, 0\n  %2: str = field %1, 0\n  %3: (str, int), %4: str = open %0, %1, %2 ;~ M0311\n  drop %3\n  ret %4",
        ),
        ("(%0: cell<str, int>) -> int", "%1: int = part %0, 1\n  %2: int = open %0, %1 ;~ M0312\n  ret %2"),
        ("(%0: cell<str>, %1: int) -> int", "free %0, 2 ;~ M0313\n  ret %1"),
        ("(%0: cell<str>) -> str", "%1: str = part %0, 0\n  %2: str, %3: cell<> = open %0, %1, %0\n  free %3, 9 ;~ M0314\n  ret %2"),
        ("(%0: str) -> str", "%1: hole<str> = hole %0 ;~ M0315\n  %2: str = str \"\"\n  %3: str = fill %1, %2\n  ret %3"),
        (
            "(%0: m.S) -> m.S",
            "%1: m.S = variant 0\n  %2: hole<m.S> = hole %1\n  %3: hole<m.S> = plug %2, %0, 0 ;~ M0316\n  %4: m.S = fill %3, %1\n  ret %4",
        ),
        ("(%0: str, %1: bool) -> bool", "branch %1, b1, b2\nb1:\n  drop %0\n  jump b3\nb2:\n  jump b3 ;~ M0308\nb3:\n  ret %1"),
    ];
    functions.into_iter().map(|(signature, body)| format!("fn @m.f{signature} {{\nb0:\n  {body}\n}}\n")).collect()
}

#[test]
fn every_code_is_tripped() {
    let mut tripped: BTreeSet<String> = broken().iter().flat_map(|text| check(text)).collect();
    tripped.extend(broken_ownership().iter().flat_map(|text| check_in::<Owned>(text)));
    // The two tests above.
    tripped.extend(["M0109", "M0120", "M0221", "M0222"].map(str::to_owned));
    let all: BTreeSet<String> = MirFault::all_codes().iter().map(|(code, _)| code.to_string()).collect();
    assert_eq!(all, tripped);
}
