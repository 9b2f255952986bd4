//! Grammar rules G1 to G18, precedence, and the rules of statements (language/05 section 5.2).

use super::trees::{body, expr};
use super::{accepts, check, errors, in_body};

#[track_caller]
fn binds(source: &str, expected: &str) {
    assert_eq!(expr(source), expected, "{source}");
}

#[track_caller]
fn runs(source: &str, expected: &str) {
    assert_eq!(body(&format!("{{ {source} }}")), format!("{{{expected}}}"), "{source}");
}

#[test]
fn precedence_is_that_of_the_table() {
    binds("-a ** 2", "(-(a ** 2))");
    binds("a ** -b ** c", "(a ** (-(b ** c)))");
    binds("-5 as byte", "((-5) as byte)");
    binds("-x as byte", "(-(x as byte))");
    binds("a * b div c @ d", "(((a * b) div c) @ d)");
    binds("a + b * c - d", "((a + (b * c)) - d)");
    binds("a << b + c >> d", "((a << (b + c)) >> d)");
    binds("a..b + 1 by 2", "(a..(b + 1) by 2)");
    binds("a..b < c", "((a..b) < c)");
    binds("a & b == c", "(a & (b == c))");
    binds("a < b == c > d", "((a < b) == (c > d))");
    binds("a | b ^ c & d", "(a | (b ^ (c & d)))");
    binds("a || b && c | d", "(a || (b && (c | d)))");
    binds("a ?? b ?? c || d", "(a ?? (b ?? (c || d)))");
    binds("a ?? b |> f |> g", "(((a ?? b) |> f) |> g)");
    binds("!a.b()?", "(!a.b()?)");
    binds("a + if b then c else d + e", "(a + (if b then c else (d + e)))");
}

#[test]
fn adjacent_closing_angles_are_joined_in_expressions_only() {
    binds("a >= b", "(a >= b)");
    binds("a >> b", "(a >> b)");
    assert_eq!(errors("let $a = b > > c;").len(), 1);
    assert_eq!(errors("let $a = b > = c;").len(), 1);
    runs("a >>= b;", "a >>= b;");
    binds("f<O<O<int>>>(x)", "f<O<O<int>>>(x)");
    accepts("let $a: O<O<int>>= b;");
    accepts("let $a = (x: O<int>) -> x;");
}

#[test]
fn two_question_marks_are_split_before_what_is_no_operand() {
    binds("a??", "a??");
    binds("a??.b", "a??.b");
    binds("a ?? b", "(a ?? b)");
}

#[test]
fn g1_braces_are_told_apart_by_what_follows() {
    binds("{}", "map{}");
    binds("{a: 1}", "map{a: 1}");
    binds("{\"a\": 1, 'c': 2, -3: 4, [x + 1]: 5, ...m}", "map{[\"a\"]: 1, ['c']: 2, [(-3)]: 4, [(x + 1)]: 5, ...m}");
    binds("{...s, f: 1, g}", "map{...s, f: 1, g: g}");
    binds("{ a }", "{a}");
    binds("{ [a] }", "{[a]}");
    binds("{ block:l { 1 } }", "{(block:l {1})}");
    binds("{ block: l }", "map{block: l}");
    binds("if a then {} else {}", "(if a then {} else {})");
    binds("x -> {}", "((x) -> {})");
    binds("match a { _ -> {} }", "(match a {_ -> {}})");
    runs("loop {}", "(loop {})");
    runs("for i in a do {}", "(for i in a do {})");
}

#[test]
fn g2_struct_literals_need_an_uppercase_name_and_an_enabled_place() {
    binds("P { x: 1, y, ...s }", "P{x: 1, y: y, ...s}");
    binds("m.P { type: 1 }", "m.P{type: 1}");
    binds("Self { x: 1 }", "Self{x: 1}");
    binds("match p { q -> 1 }", "(match p {q -> 1})");
    binds("match P { Q -> 1 }", "(match P {Q -> 1})");
    binds("match f(P { x: 1 }) { _ -> 1 }", "(match f(P{x: 1}) {_ -> 1})");
    binds("if [P { x: 1 }] == a then 1 else 2", "(if ([P{x: 1}] == a) then 1 else 2)");
    binds("match a { x if x == P { y: 1 } -> 2 }", "(match a {x if (x == P{y: 1}) -> 2})");
    check("let $a = if a == P { x: 1 } then 1;", &["1:20 E0102 struct literal needs parentheses here"]);
    check("let $a = match P { x: 1 } { _ -> 1 };", &["1:21 E0102 struct literal needs parentheses here"]);
}

#[test]
fn g3_lambdas_begin_with_a_head_and_an_arrow() {
    binds("x -> x + 1", "((x) -> (x + 1))");
    binds("_ -> 1", "((_) -> 1)");
    binds("(a, _) -> a", "((a, _) -> a)");
    binds("() -> 1", "(() -> 1)");
    binds("(a: int) -> a", "((a: int) -> a)");
    binds("(a: int) -> [int] = [a]", "((a: int) -> [int] = [a])");
    binds("() -> int = 1", "(() -> int = 1)");
    binds("(a) -> b == c", "((a) -> (b == c))");
    binds("x -> y -> x", "((x) -> ((y) -> x))");
    binds("(a: int) -> (b: int) -> a + b", "((a: int) -> ((b: int) -> (a + b)))");
    binds("match a { n if (n < 0) -> 1, n if b -> 2 }", "(match a {n if paren((n < 0)) -> 1, n if b -> 2})");
    binds("match a { n if f(x -> x) -> 1 }", "(match a {n if f(((x) -> x)) -> 1})");
}

#[test]
fn g4_type_arguments_are_tried_behind_names() {
    binds("f<int>(x)", "f<int>(x)");
    binds("Option<int>.make(x)", "Option<int>.make(x)");
    binds("x.m<4, $N, (n + 1), -1>()", "x.m<const 4, const $N, const paren((n + 1)), const (-1)>()");
    binds("a < b", "(a < b)");
    binds("f(a < b, c > d)", "f((a < b), (c > d))");
    binds("f(a < b, c > (d))", "f(a<b, c>(d))");
    binds("a < (b)", "(a < paren(b))");
    binds("a < [b]", "(a < [b])");
    binds("x as int < y", "((x as int) < y)");
    binds("x as O<int>", "(x as O<int>)");
    binds("x as? {str: int}", "(x as? {str: int})");
    binds("f<(int) -> str, [int], {str: int}, (int, int)>(x)", "f<((int) -> str), [int], {str: int}, (int, int)>(x)");
}

#[test]
fn g5_comparisons_do_not_chain() {
    let chained = |op: &str| errors(&format!("let $x = a {op} b {op} c;"));
    for op in ["==", "!=", "<", "<=", ">", ">="] {
        assert_eq!(chained(op), [format!("1:{} E0101 operator '{op}' cannot be chained; add parentheses", 15 + op.len())]);
    }
    accepts("let $x = (a < b) < c;");
}

#[test]
fn g6_the_end_of_a_range_may_be_absent() {
    binds("[0..]", "[(0..)]");
    binds("(0.. by 2)", "paren((0.. by 2))");
    runs("for i in 0.. do a();", "(for i in (0..) do a());");
    runs("for i in 0.. if i > 2 do a();", "(for i in (0..) if (i > 2) do a());");
    runs("for i in 0.. for j in 0..=i yield j;", "(for i in (0..) for j in (0..=i) yield j);");
    runs("if a == 0.. then b", "(if (a == (0..)) then b)");
    binds("0..if a then 1 else 2", "(0..(if a then 1 else 2))");
}

#[test]
fn g7_forms_that_lead_a_statement_stand_alone() {
    runs("if a then { b } else { c } -d", "(if a then {b} else {c}); (-d)");
    runs("match a { _ -> b } (c, d).e", "(match a {_ -> b}); tuple(c, d).e");
    runs("loop { break } [a][0]", "(loop {(break)}); [a][0]");
    runs("match a { _ -> b }.c()?; d", "(match a {_ -> b}).c()?; d");
    check(&in_body("match a { _ -> b }.c()? d"), &["1:56 E1016 expected ';'"]);
}

#[test]
fn rule_2_reaches_into_branches_and_bodies() {
    runs("for i in a do { b } -c", "(for i in a do {b}); (-c)");
    runs("if a then b else if c then { d } else { e } -f", "(if a then b else (if c then {d} else {e})); (-f)");
    runs("while a do if b then { c } -d", "(while a do (if b then {c})); (-d)");
    runs("let x = if c then { 1 } else { 2 } + 3;", "let x = (if c then {1} else ({2} + 3));");
    runs("{ a } -b", "{a}; (-b)");
    runs("try { a } ?; b", "(try {a})?; b");
    runs("if a then b = c else d += e;", "(if a then b = c else d += e);");
}

#[test]
fn g9_type_bodies() {
    accepts("type A = { x: int, type: str, }");
    accepts("type A = X | Y(int) | Z(a: int, b: str);");
    accepts("type A = | X;\ntype B = X(int);\ntype C = X;\ntype D = ({str: int});\ntype E<T> = [[T]];");
}

#[test]
fn g10_let_and_assignment_stand_only_where_nothing_is_needed() {
    accepts("@f () -> void = let a = 1;");
    accepts("@f () -> void = a = 1;");
    assert!(errors("@f () -> void = (let a = 1);")[0].contains("E0104 let cannot"));
    assert!(errors("@f () -> void = g(a = 1);")[0].contains("E0104 assignment cannot"));
    assert!(errors(&in_body("if a then let b = 1;"))[0].contains("E0104 let cannot"));
}

#[test]
fn g11_for_and_with_before_a_parenthesis() {
    binds("for(over: xs, match: Some(x) -> x, default: 0)", "(!for over: xs, match: Some(x) -> x, default: 0)");
    binds("for (a, b) in xs yield a", "(for (a, b) in xs yield a)");
    binds("with(acquire: f(), action: x -> x, release: y -> ())", "(!with acquire: f(), action: ((x) -> x), release: ((y) -> ()))");
    binds("with A = b, C = d in e", "(with A: b, C: d in e)");
    binds("with FFI(\"m\") = handler(state: 0) { op: s -> (s, 1) } in e", "(with FFI(\"m\"): (handler 0 {op: ((s) -> tuple(s, 1))}) in e)");
}

#[test]
fn g12_a_bar_before_the_message_ends_a_contract() {
    accepts("@f (a: int) -> int pre(a | b > 0 | \"text\") post(r -> r > a) post((x, y) -> x > y | \"t\") = a;");
}

#[test]
fn g13_guards_end_before_their_arrow_or_equals() {
    accepts("@f (n: int) -> str if n < 0 = \"a\";\n@f (n) -> str if n == 0 pre(n > 1) = \"b\";");
    binds("match a { x.match(x > 1) -> 2, M.V -> 3, M.V.match(b) -> 4 }", "(match a {x match (x > 1) -> 2, M.V -> 3, M.V match b -> 4})");
}

#[test]
fn g14_break_and_continue_take_an_operand_if_one_can_start() {
    runs("loop:l { break:l a + 1 }", "(loop:l {(break:l (a + 1))})");
    runs("loop { if a then break else continue }", "(loop {(if a then (break) else (continue))})");
    runs("for:o i in a yield { continue:o }", "(for:o i in a yield {(continue:o)})");
    binds("a ?? break", "(a ?? (break))");
}

#[test]
fn g15_the_where_of_an_impl_type_ends_before_another_form() {
    accepts("@f<T> (t: T) -> impl Iterator + Clone where Item == int, Other == str where T: Clone = t;");
    accepts("@f<T> (t: T) -> impl Iterator where T: Clone = t;");
}

#[test]
fn g16_a_sigil_behind_a_closing_brace_begins_the_next_item() {
    accepts("@f () -> int = { 1 }\n@g () -> int = 2;");
    accepts("@f () -> int = match a { _ -> 1 }\n@g () -> int = 2;");
    accepts("impl A {\n @f (self) -> int = { 1 }\n @g (self) -> int = 2;\n}");
    binds("(P { x: 1 } @ q)", "paren((P{x: 1} @ q))");
    binds("a @ b", "(a @ b)");
}

#[test]
fn g18_a_name_before_a_colon_is_a_name() {
    binds("f(loop: 1, block: x)", "f(loop: 1, block: x)");
    binds("P { while: 1 }", "P{while: 1}");
    binds("f((loop:x { break:x 1 }))", "f(paren((loop:x {(break:x 1)})))");
    binds("`{(break:x)}`", "`paren((break:x))`");
    assert_eq!(errors("let $a = `{loop:x}`;").len(), 1);
}

#[test]
fn templates_hold_expressions_with_their_own_texts() {
    binds("`a{b}c{{d}}`", "`\"a\" b \"c{d}\"`");
    binds("`{ {a: 1}.len() }{f(\"}\")}{`x{y}`}`", "`map{a: 1}.len() f(\"}\") `\"x\" y``");
    binds("`{x:.2}{y:*>+#08.3f}{z::<4}`", "`x:.2 y:*>+#08.3f z::<4`");
}

#[test]
fn words_are_names_where_they_may_be() {
    binds("rank.then(other: tie).type.match", "rank.then(other: tie).type.match");
    binds("f(match: 1, if: 2)", "f(match: 1, if: 2)");
    binds("try + block + cache + handler + max + by", "(((((try + block) + cache) + handler) + max) + by)");
    binds("cache(key: 1) + x.cache(1) + catch(expr: 2)", "(((!cache key: 1) + x.cache(1)) + (!catch expr: 2))");
    binds("channel<int>(buffer: 1)", "(!channel<int> buffer: 1)");
    accepts("type A = X(type: int) | Y;\nimpl A { @as (self) -> int = 1; @then (self) -> int = 2; }");
    accepts("let $a = match b { X(type: t) -> t, P { if: 1, .. } -> 2 };");
}
