//! Each production of the grammar appears here; what it means is tested in `disambiguation` and `trees`.

use super::{accepts, in_body};

#[test]
fn files_and_imports() {
    accepts("");
    accepts("// only a comment");
    accepts("#!target(os: \"linux\")\n#!cfg(feature: \"x\", any_feature: [\"a\", \"b\"])\nuse std.text;\nlet $a = 1;");
    accepts("use \"./gears\" { ratio, Gear as Cog, $max_teeth, $a as $b, ::wear, ::$x, T without def, U without def as V, };");
    accepts("use \"../shared/units\" as units\nuse std.math { sqrt }\npub use \"./x\" { y };\n#target(os: \"linux\") use std.fs;");
    accepts("extension \"./x\" { Point.shifted, Point.type }\npub extension std.iter.extensions { A.b };");
}

#[test]
fn attributes() {
    accepts(
        "#derive(Eq, Debug,)\n#repr(\"c\")\n#repr(\"aligned\", 16)\n#const_limit(steps: 5)\n#x(-1, 2.5, true, a.b.c, [], type: 'c')\ntype A = int;",
    );
    accepts("#skip\n@t tests _ () -> void = ();");
}

#[test]
fn functions() {
    accepts("@f () -> void = ();");
    accepts(
        "pub @f<T: A + b.B<int>, U = int, $N: int = 8> (a: T, b: U = g(), c: ...[T]) -> O<T> uses A, b.C(\"x\") where T: D uses E where U.Item == int, Self::X: Y, N > 0 && N <= 64 = a;",
    );
    accepts("@f (a: int, 0: int) -> int if a > 0 pre(a > 0 | \"m\") post(r -> r > 0) = a;\n@f (a, b) = a;");
    accepts("@f ((a, b): (int, int), P { x, .. }: P, _: int) -> int = a;");
    accepts("@main (args: [str]) -> int = { 0 };");
}

#[test]
fn tests_and_constants() {
    accepts("@t tests @f tests @A.match tests _ () -> void = { }\n@u tests @f<T> (a: int) -> int where T: A = 1;");
    accepts("let $a: int = 1;\n$b = 2;\nlet c = 3;\npub let $d = { 4 }\n$g<T> (a: int) -> int where T: A = a;");
}

#[test]
fn types() {
    accepts("type A<T: B, $N: int> : Eq, Debug where T: C = { a: T, b: [int, max N * 2], };");
    accepts("pub type B = (int, a.b.C<D, _>) ;\ntype C = (int);\ntype D = () ;\ntype E = (int, str) -> (A) -> void;");
    accepts(
        "type F = [{str: [int]}];\ntype G = (A) -> B uses C, D;\ntype H = A + B + C;\ntype I = Self;\ntype J = a::B.C<1, -2, 'c', \"s\", true, $N, (N + 1)>;",
    );
    accepts("@f (a: impl A + B where X == int) -> (int) -> int uses C = g;");
}

#[test]
fn traits_and_impls() {
    accepts(
        "trait T<A = Self>: B + C<int> where A: D {\n type X\n type Y: A + B = int;\n type Z = str\n #x @f (self) -> int\n @g (mut self, a: int = 1) -> Self.X uses C where A: B = 1;\n @h () -> Self;\n}",
    );
    accepts("impl<T: A> L<T>: B<T> where T: C { type X = int; type Y = T @f (self) -> int = { 1 } }");
    accepts("impl A { pub @f (mut self, b: ...int) -> void pre(b > 0) = { } #x @match<T> () -> T = g(); };");
    accepts(
        "def impl A<int> { @f () -> int = 1; }\npub def impl B { }\nextend<T> [T] where T: A { @f (self) -> int = 1; }\npub extend A { };",
    );
}

#[test]
fn foreign_functions_and_capsets() {
    accepts(
        "extern \"c\" from \"m\" #error(errno) #free(g) {\n @f (a: int, b: out owned CPtr, c: mut [byte], d: borrowed str, e: owned) -> owned CPtr as \"x\" #error(none);\n @g () -> void\n @h (a: int, ...) -> c_int\n @i (...) -> int }",
    );
    accepts("pub extern \"js\" { }\ncapset A = B, C,;\npub capset D = E;");
}

#[test]
fn literals_and_operands() {
    accepts(&in_body(
        "(1, 0xF, 0b1, 1.5, 1e5, 2s, 1.5kb, 0b, \"a\", 'c', b'x', `t`, true, false, x, $x, self, Self, _, (), (1), (1,), [1, ...x,], {a: 1,}, P {})",
    ));
    accepts(&in_body("x.y.0.type.$z.[f].match(1 -> 2, _ -> 3)[# - 1](1, ...y, z: 3, w:)?.g<int>(1) as int;"));
    accepts(&in_body("x.m<int>.n; f<int>(1); O<int>.g(); $f(a: 1); m.$k;"));
}

#[test]
fn operators_and_pipes() {
    accepts(&in_body("!a && -b == ~c || d ?? e; a |> f(b: 1)? |> .m() |> m.f |> (x -> x) |> y -> y;"));
    accepts(&in_body(
        "a += 1; a -= 1; a *= 1; a /= 1; a %= 1; a **= 1; a @= b; a &= 1; a |= 1; a ^= 1; a <<= 1; a >>= 1; a &&= b; a ||= b;",
    ));
    accepts(&in_body("self.a = 1; a.b[1].0.c = 2; a.[f] = 3; 0..=5 by 2;"));
}

#[test]
fn control_flow() {
    accepts(&in_body(
        "if a then b else if c then d else e; while:l a do b; loop:m { break:m 1 }; for:n (a, $b) in c if d for e in f do g = h;",
    ));
    accepts(&in_body("try { a? }; unsafe { b }; block:l { break:l 1 }; let? Some(x) = y; let [$a, b, ..rest]: [int] = c"));
    accepts(&in_body("$if a then b else c; $if a then b; $for m in fields_of(T) do f(m); let v = $for m in g yield m.name"));
    accepts(&in_body(
        "recurse(condition: a, base: b, step: self(a: 1)); parallel(tasks: t); embed(\"x\"); has_embed(\"y\"); nursery(body: n -> n);",
    ));
}

#[test]
fn patterns() {
    let arms = [
        "_",
        "x",
        "$x",
        "x @ 1",
        "$x @ P(y)",
        "-3",
        "-2.5",
        "1.5",
        "\"s\"",
        "'c'",
        "b'q'",
        "true",
        "2s",
        "-2s",
        "4kb",
        "1..5",
        "-5..=-1",
        "'a'..='z'",
        "b'a'..b'z'",
        "$A..$B",
        "V",
        "V(p, 1)",
        "V(f: p, g:, type: t)",
        "T.V",
        "m.T.V(1)",
        "Self.V",
        "{ f, g: p, $h, .. }",
        "T { }",
        "m.T { a }",
        "(p, q)",
        "(p)",
        "()",
        "[]",
        "[p, q]",
        "[p, ..rest]",
        "[..$r]",
        "[p, ..]",
        "| a | b | C(1)",
        "(1 | 2, 3 | 4)",
        "V()",
    ];
    for arm in arms {
        accepts(&format!("let $a = match b {{ {arm} -> 1, {arm} if c -> 2 }};"));
    }
    accepts("let $a = match b { };");
}

#[test]
fn numbers_have_their_values() {
    use super::trees::expr;
    for (source, value) in [
        ("1_000", "1000"),
        ("0xFf_0", "4080"),
        ("0b1_01", "5"),
        ("1_0.2_5", "10.25"),
        ("2.5e-3", "0.0025"),
        ("0e5", "0.0"),
        ("1e-400", "0.0"),
        ("1.5s", "1500000000ns"),
        ("0.000_5us", "ERR"),
        ("1.5m", "90000000000ns"),
        ("0.1h", "360000000000ns"),
        ("0.001us", "1ns"),
        ("1.50kb", "1500b"),
        ("9tb", "9000000000000b"),
        ("0b", "0b"),
        ("5.pow(b: 1)", "5.pow(b: 1)"),
        ("0..9", "(0..9)"),
        ("-9223372036854775808", "(-9223372036854775808)"),
    ] {
        if value == "ERR" {
            assert!(super::errors(&format!("let $a = {source};"))[0].contains("E0014"));
        } else {
            assert_eq!(expr(source), value);
        }
    }
}

#[test]
fn texts_have_their_values() {
    use super::trees::expr;
    assert_eq!(expr("\"a\\n\\x41\\u{e9}\\\"\\0\""), format!("{:?}", "a\nA\u{e9}\"\0"));
    assert_eq!(expr("'\\''"), "'\\''");
    assert_eq!(expr("b'\\xFF'"), "byte 255");
    assert_eq!(expr("'\u{1F600}'"), "'\u{1F600}'");
    assert_eq!(expr("\"{a}\""), "\"{a}\"");
    assert_eq!(expr("`a\r\nb\\``"), "`\"a\\nb`\"`");
}

#[test]
fn a_detached_doc_comment_is_a_warning() {
    use super::check;
    accepts("// About f.\n// * a: the number\n// ! panics\n// > f(1) -> 2\n@f (a: int) -> int = a;");
    accepts("// * a: x\n#derive(Eq)\npub type A = { a: int }\nimpl A {\n    // > a.f() -> 1\n    @f (self) -> int = 1;\n}");
    accepts("// free text\n\n// > no arrow\nlet $a = 1; // end\n");
    check("// * a: x\n\nlet $a = 1;", &["1:1 W1001 detached doc comment"]);
    check("let $a = 1;\n// ! x\n// * b: y\n", &["2:1 W1001 detached doc comment"]);
    check("@f () -> void = {\n    // ! x\n    g();\n}", &["2:5 W1001 detached doc comment"]);
}
