//! Every code is tripped by a text that breaks one rule, and its neighbour without the mistake is clean.

use hashbrown::HashSet;
use ir::Fault;

use super::{Rule, verify};
use crate::ir::Expr;
use crate::text::parse;
use crate::{Body, Type};

const DECLARATIONS: &str = ";! type m.P = {x: int, y: float}\n;! type m.S = A | B(int)\n;! fn @m.g(int, str) -> int\n;! fn @m.make<T$0>() -> T$0\n;! const @$m.c: int\n;! trait m.Tr = @m.Tr'go\n;! impl m.P: m.Tr = @m.P'Tr'go\n;! fn @m.Tr'go<Self$0>(Self$0) -> int\n;! fn @m.P'Tr'go(m.P) -> int\n";

fn faults_of(function: &str) -> Vec<String> {
    let text = format!("ori-ir hir.typed 1\n{DECLARATIONS}{function}\n");
    let (bodies, cx) = match parse(&text) {
        Ok(parsed) => parsed,
        Err(error) => panic!("{error}\n{text}"),
    };
    let mut codes = Vec::new();
    for body in &bodies {
        match verify(body, &cx) {
            Ok(faults) => codes.extend(faults.iter().map(|f| f.code().to_string())),
            Err(stop) => panic!("{stop:?}"),
        }
    }
    codes
}

/// `LINES` in a function `(int, str) -> int`.
#[track_caller]
fn check(code: &str, lines: &str) {
    let function = format!("fn @m.t(%0: int, %1: str) -> int {{\n{lines}\n}}");
    let codes = faults_of(&function);
    assert!(!codes.is_empty() && codes.iter().all(|c| c == code), "expected {code}, found {codes:?}\n{function}");
}

/// The rules that the table below trips; the rest needs a body made by hand.
const TABLE: &[(&str, &str)] = &[
    ("H0101", "%2: int = int.neg %9"),
    ("H0102", "%2: int = int 1\n%3: int = int.add %2, %2"),
    ("H0103", "%2: int = local x.9"),
    (
        "H0104",
        "%2: bool = bool true\n%3: void = if %2 {\n%4: int = int 1\n%5: void = let a.2, %4\n}\n%6: int = local a.2\n%7: int = block %3, %6, tail",
    ),
    ("H0105", "%2: Never = break _.7"),
    ("H0106", "%2: void = loop _.0 {\n%3: Never = break _.0\n}\n%4: Never = continue _.0\n%5: Never = block %2, %4"),
    (
        "H0107",
        "%2: void = loop _.0 {\n%3: Never = break _.0\n}\n%4: void = loop _.0 {\n%5: Never = break _.0\n}\n%6: int = int 1\n%7: int = block %2, %4, %6, tail",
    ),
    (
        "H0108",
        "%2: int = int 1\n%3: void = let a.2, %2\n%4: int = int 1\n%5: void = let a.2, %4\n%6: int = local a.2\n%7: int = block %3, %5, %6, tail",
    ),
    ("H0110", "%2: int = call @m.nope"),
    ("H0221", "%2: T$0 = call @m.make<T$0>\n%3: void = let a.2, %2\n%4: int = int 1\n%5: int = block %3, %4, tail"),
    ("H0222", "%2: int = call @m.make"),
    ("H0302", "%2: int = int 1\n%3: object<m.Tr> = object %2\n%4: void = let o.2, %3\n%5: int = int 1\n%6: int = block %4, %5, tail"),
    ("H0301", "%2: int = int 1\n%3: int = call @m.Tr'go<int>, %2"),
    ("H0301", "%2: int = int 1\n%3: float = float 0x0000000000000000\n%4: m.P = aggregate %2, %3\n%5: int = call @m.Tr'go<m.P>, %4"),
    ("H0201", "%2: float = float 0x0000000000000000"),
    ("H0202", "%2: int = int 1\n%3: int = int.add %2"),
    ("H0203", "%2: int = int 1\n%3: char = char 97\n%4: int = int.add %2, %3"),
    (
        "H0204",
        "%2: int = int 1\n%3: int = int 2\n%4: bool = int.add %2, %3\n%5: void = block %4\n%6: int = int 1\n%7: int = block %5, %6, tail",
    ),
    ("H0205", "%2: int = int 1\n%3: int = call @m.g, %2"),
    ("H0206", "%2: int = int 1\n%3: int = int 2\n%4: int = call @m.g, %2, %3"),
    (
        "H0207",
        "%2: int = int 1\n%3: str = str \"\"\n%4: bool = call @m.g, %2, %3\n%5: void = block %4\n%6: int = int 1\n%7: int = block %5, %6, tail",
    ),
    ("H0208", "%2: int = int 1\n%3: m.P = aggregate %2\n%4: int = field %3, 0"),
    ("H0208", "%2: int = int 1\n%3: int = aggregate %2"),
    ("H0209", "%2: int = int 1\n%3: float = float 0x0000000000000000\n%4: m.P = aggregate %2, %3\n%5: int = field %4, 1"),
    ("H0209", "%2: int = int 1\n%3: int = field %2, 0"),
    ("H0210", "%2: str = str \"\"\n%3: void = let a.2, \"int\", %2\n%4: int = local a.2\n%5: int = block %3, %4, tail"),
    ("H0211", "%2: int = int 1\n%3: void = assign a.0, %2\n%4: int = int 1\n%5: int = block %3, %4, tail"),
    (
        "H0212",
        "%2: int = int 1\n%3: void = let a.2, mut, %2\n%4: str = str \"\"\n%5: void = assign a.2, %4\n%6: int = local a.2\n%7: int = block %3, %5, %6, tail",
    ),
    ("H0213", "%2: int = int 1\n%3: int = if %2 {\n%4: int = int 1\n} else {\n%5: int = int 2\n}"),
    ("H0213", "%2: bool = bool true\n%3: bool = and %2 {\n%4: int = int 1\n}\n%5: int = discrete.to_int %3"),
    ("H0214", "%2: bool = bool true\n%3: int = if %2 {\n%4: int = int 1\n} else {\n%5: str = str \"\"\n}"),
    ("H0215", "%2: int = loop _.0 {\n%3: int = int 1\n}"),
    ("H0216", "%2: int = int 1\n%3: int = block %2"),
    ("H0217", "%2: int = loop _.0 {\n%3: str = str \"\"\n%4: Never = break _.0, %3\n}"),
    ("H0217", "%2: int = loop _.0 {\n%4: Never = break _.0\n}"),
    ("H0224", "%2: str = str \"\"\n%3: Never = return %2"),
    ("H0218", "%2: int = bool true"),
    ("H0218", "%2: str = constant @$m.c\n%3: int = str.len %2"),
    ("H0219", "%2: error = unit\n%3: void = let a.2, %2\n%4: int = int 1\n%5: int = block %3, %4, tail"),
    (
        "H0220",
        "%2: int = int 1\n%3: str = str \"\"\n%4: void = for_range _.0, i.2, %2, %3 {\n%5: int = int 1\n}\n%6: int = int 1\n%7: int = block %4, %6, tail",
    ),
    (
        "H0220",
        "%2: int = int 1\n%3: void = for_list _.0, i.2, \"int\", %2 {\n%4: int = int 1\n}\n%5: int = int 1\n%6: int = block %3, %5, tail",
    ),
    ("H0401", "%2: int = local a.0\n%3: int = match %2, 0, 5 {\n%4: int = int 1\n} case, 7, 7 {\n%5: int = int 1\n}"),
    ("H0402", "%2: int = local a.0\n%3: int = match %2, \"a\" {\n%4: int = int 1\n} case, any {\n%5: int = int 1\n}"),
    ("H0402", "%2: bool = bool true\n%3: int = match %2, 2, 7 {\n%4: int = int 1\n} case, any {\n%5: int = int 1\n}"),
    (
        "H0403",
        "%2: int = local a.0\n%3: int = match %2, 0, 5 {\n%4: int = int 1\n} case, 3, 4 {\n%5: int = int 1\n} case, any {\n%6: int = int 2\n}",
    ),
    ("H0404", "%2: int = local a.0\n%3: int = match %2, or, 2, 5, 3, 1, 1 {\n%4: int = int 1\n} case, any {\n%5: int = int 1\n}"),
    ("H0405", "%2: int = local a.0\n%3: int = match %2, bind, b.2, \"str\", any {\n%4: int = int 1\n}"),
    ("H0114", "%2: int = local a.0\n%3: int = match %2, dangling {\n%4: int = int 1\n}"),
    ("H0223", "%2: int = int 1\n%3: m.S = variant 2, %2\n%4: void = block %3\n%5: int = int 1\n%6: int = block %4, %5, tail"),
    ("H0223", "%2: str = str \"\"\n%3: m.S = variant 1, %2\n%4: void = block %3\n%5: int = int 1\n%6: int = block %4, %5, tail"),
    ("H0225", "%2: (int) -> int = closure @m.g\n%3: void = block %2\n%4: int = int 1\n%5: int = block %3, %4, tail"),
    ("H0226", "%2: (int, str) -> int = closure @m.g\n%3: int = int 1\n%4: int = call_value %2, %3"),
    ("H0402", "%2: m.S = variant 0\n%3: int = match %2, variant, 1, 0 {\n%4: int = int 1\n} case, any {\n%5: int = int 1\n}"),
    ("H0401", "%2: m.S = variant 0\n%3: int = match %2, variant, 0, 0 {\n%4: int = int 1\n}"),
    (
        "H0406",
        "%2: int = local a.0\n%3: int = match %2, or, 2, bind, x.2, 1, 1, 2, 2 {\n%4: int = int 1\n} case, any {\n%5: int = int 1\n}",
    ),
];

#[test]
fn each_line_of_the_table_trips_its_code_alone() {
    for (code, lines) in TABLE {
        check(code, lines);
    }
}

/// A clean body to damage.
fn clean() -> (Body, crate::text::TextContext) {
    let text = format!(
        "ori-ir hir.typed 1\n{DECLARATIONS}fn @m.t(%0: int, %1: str) -> int {{\n%2: int = local a.0\n%3: int = int 1\n%4: int = int.add %2, %3\n}}\n"
    );
    let Ok((mut bodies, cx)) = parse(&text) else { panic!("{text}") };
    (bodies.remove(0), cx)
}

fn codes(body: &Body, cx: &dyn crate::Context) -> Vec<String> {
    verify(body, cx).unwrap_or_default().iter().map(|f| f.code().to_string()).collect()
}

/// Damages of the columns themselves, which no text can express.
fn damaged() -> Vec<(&'static str, Body)> {
    let (body, _) = clean();
    let mut all = Vec::new();
    let mut columns = body.clone();
    columns.types.push(Type::INT);
    all.push(("H0112", columns));
    let mut list = body.clone();
    let mut longer = ir::Pool::new();
    let dangling = longer.add([list.root; 9]);
    list.exprs[body.root] = Expr::Intrinsic(crate::Intrinsic::IntAdd, dangling);
    all.push(("H0109", list));
    let mut params = body.clone();
    params.locals.rows_mut()[0].mutable = true;
    all.push(("H0111", params));
    let mut deep = body.clone();
    for _ in 0..2100 {
        let first = deep.exprs.push(Expr::Int(1));
        let args = deep.lists.add([first, deep.root]);
        deep.root = deep.exprs.push(Expr::Intrinsic(crate::Intrinsic::IntAdd, args));
        for _ in 0..2 {
            deep.types.push(Type::INT);
            deep.places.push(1, 1);
        }
    }
    all.push(("H0113", deep));
    all
}

#[test]
fn damage_that_no_text_can_express_is_found_as_well() {
    let (body, cx) = clean();
    assert_eq!(codes(&body, &cx), Vec::<String>::new());
    for (code, body) in damaged() {
        let found = codes(&body, &cx);
        assert!(found.iter().any(|c| c == code), "expected {code}, found {found:?}");
    }
}

#[test]
fn every_code_is_tripped_and_no_code_stands_twice() {
    let mut tripped: HashSet<&str> = TABLE.iter().map(|(code, _)| *code).collect();
    tripped.extend(damaged().iter().map(|(code, _)| *code));
    let missing: Vec<&str> = Rule::ALL.iter().map(|rule| rule.code().0).filter(|code| !tripped.contains(code)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    let distinct: HashSet<&str> = Rule::ALL.iter().map(|rule| rule.code().0).collect();
    assert_eq!(distinct.len(), Rule::ALL.len());
}

#[test]
fn a_fault_names_the_line_of_its_expression() {
    let text = format!(
        "ori-ir hir.typed 1\n{DECLARATIONS}fn @m.t(%0: int, %1: str) -> int {{\n%2: int = int 1\n%3: char = char 97\n%4: int = int.add %2, %3\n}}\n"
    );
    let Ok((bodies, cx)) = parse(&text) else { panic!("{text}") };
    let faults = verify(&bodies[0], &cx).unwrap_or_default();
    assert_eq!(ir::fault::report("m.t", &faults), "H0203 @m.t b0:2: operand 1 of int.add is char\n");
}

#[test]
fn mutants_of_typed_bodies_never_panic_the_verifier() {
    let source = include_str!("../infer/tests/tour.ori");
    let program = crate::memory::Program::new(&[("main", source)]);
    let (mut refused, mut total) = (0, 0);
    for body in program.bodies() {
        for id in body.exprs.ids() {
            for other in [0, body.exprs.len() / 2, body.exprs.len() - 1] {
                let mut mutant = body.clone();
                mutant.exprs[id] = body.exprs[ir::Id::new(other)];
                if mutant == body {
                    continue;
                }
                total += 1;
                refused += usize::from(!verify(&mutant, &program).unwrap_or_default().is_empty());
                let _ = crate::text::print(&mutant, &program);
            }
        }
    }
    // The survivors are legal programs with another meaning: one literal or local of a type for another.
    assert!(refused * 100 >= total * 90, "{refused} of {total}");
}
