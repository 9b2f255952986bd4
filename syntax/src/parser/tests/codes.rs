//! Every lexical and syntax code that this crate reports, with a snippet that trips it and one beside it that does not.

use super::{check, errors, in_body};

/// Code, a snippet at item level that trips it as its only error, and one that is fine.
const ITEMS: &[(&str, &str, &str)] = &[
    ("E0001", "let $a = \"abc;\n", "let $a = \"abc\";"),
    ("E0002", "let $a = 1 \u{20AC};", "let $a = \"\u{20AC}\";"),
    ("E0002", "let $gr\u{F6}\u{DF}e = 1;", "let $groesse = 1;"),
    ("E0003", "let $a = 007;", "let $a = 7;"),
    ("E0003", "let $a = 1__0;", "let $a = 1_0;"),
    ("E0003", "let $a = 1_;", "let $a = 0;"),
    ("E0003", "let $a = 0x;", "let $a = 0xF_f;"),
    ("E0003", "let $a = 0b2;", "let $a = 0b1_0;"),
    ("E0003", "let $a = 1e;", "let $a = 1e5;"),
    ("E0003", "let $a = 3min;", "let $a = 3m;"),
    ("E0003", "let $a = 1e3s;", "let $a = 1.5e-3;"),
    ("E0004", "let $a = 'x;\n", "let $a = 'x';"),
    ("E0005", "let $a = \"\\q\";", "let $a = \"\\n\\t\\r\\0\\\\\\\"\\x7F\\u{1F600}\";"),
    ("E0005", "let $a = \"\\x80\";", "let $a = b'\\xFF';"),
    ("E0005", "let $a = \"\\u{D800}\";", "let $a = '\\u{10FFFF}';"),
    ("E0005", "let $a = \"\\'\";", "let $a = '\\'';"),
    ("E0005", "let $a = '\\\"';", "let $a = '\"';"),
    ("E0005", "let $a = \"\\`\";", "let $a = `\\`\\\"`;"),
    ("E0006", "let $a = `abc;\n", "let $a = `a\nb`;"),
    ("E0008", "let $a = b === c;", "let $a = b == c;"),
    ("E0008", "let $a = b !== c;", "let $a = b != c;"),
    ("E0009", "let $a = 'ab';", "let $a = \"ab\";"),
    ("E0011", "let $a = \u{201C}abc\u{201D};", "let $a = \"abc\";"),
    ("E0011", "let $a = 5 \u{2212} 3;", "let $a = 5 - 3;"),
    ("E0011", "let $a = (1, 2\u{FF09};", "let $a = (1, 2);"),
    ("E0013", "let $a = \\ 1;", "let $a = '\\\\';"),
    ("E0014", "let $a = 1.5ns;", "let $a = 1.5us;"),
    ("E0014", "let $a = 0.25b;", "let $a = 0.25kb;"),
    ("E0015", "let $static = 1;", "let $dynamic = 1;"),
    ("E0030", "\u{FEFF}let $a = 1;", "let $a = 1;"),
    ("E0032", "let $a = 1;\u{1}", "let $a =\t1;"),
    ("E0032", "let $a = \"\u{0}\";", "let $a = \"\\0\";"),
    ("E0033", "let $a = 9223372036854775808;", "let $a = -9223372036854775808;"),
    ("E0033", "let $a = 0x8000000000000000;", "let $a = 0x7FFFFFFFFFFFFFFF;"),
    ("E0033", "let $a = 1e400;", "let $a = 1e-400;"),
    ("E0033", "let $a = 9999999999h;", "let $a = 9999h;"),
    ("E0034", "let $a = '';", "let $a = '\\0';"),
    ("E0035", "let $a = b'\u{E9}';", "let $a = b'e';"),
    ("E0035", "let $a = b'\\u{41}';", "let $a = b'\\x41';"),
    ("E0038", "/* no */ let $a = 1;", "// yes\nlet $a = 1;"),
    ("E0101", "let $a = 1 < 2 < 3;", "let $a = (1 < 2) == (2 < 3);"),
    ("E0101", "let $a = b == c == d;", "let $a = b < c == d;"),
    ("E0101", "let $a = 1..2..3;", "let $a = (1..2);"),
    ("E0102", "let $a = if p == Point { x: 1 } then 1 else 2;", "let $a = if p == (Point { x: 1 }) then 1 else 2;"),
    ("E0102", "let $a = match Point { x: 1 } { _ -> 1 };", "let $a = match (Point { x: 1 }) { _ -> 1 };"),
    ("E0103", "let $a = t.0.1;", "let $a = (t.0).1;"),
    ("E0104", "let $a = f(x = 1);", "let $a = f(x: 1);"),
    ("E0104", "let $a = if (let x = 1) then 2 else 3;", "@f () -> void = let x = 1;"),
    ("E0105", "let $a = # - 1;", "let $a = xs[# - 1];"),
    ("E0109", "let $a = 1;\nuse std.math { sqrt };", "use std.math { sqrt };\nlet $a = 1;"),
    ("E0110", "pub impl A { }", "pub type A = int;"),
    ("E0110", "impl A: B { pub @f () -> void = (); }", "impl A { pub @f () -> void = (); }"),
    ("E0110", "pub @t tests _ () -> void = ();", "@t tests _ () -> void = ();"),
    ("E0111", "impl A { @f (a: int, self) -> void = (); }", "impl A { @f (self, a: int) -> void = (); }"),
    ("E0112", "let $a = (...xs);", "let $a = [...xs];"),
    ("E0113", "let $match = 1;", "let $matches = 1;"),
    ("E0113", "@type () -> void = ();", "impl A { @type () -> void = (); }"),
    ("E0113", "let $a = f(match:);", "let $a = f(match: 1);"),
    ("E0114", "let $a = x |> 5;", "let $a = x |> f(b: 1) |> .len() |> (y -> y);"),
    ("E0116", "@f () -> void = loop: x { break; }", "@f () -> void = loop:x { break:x; }"),
    ("E0604", "let $a = match b { 1..c -> 1 };", "let $a = match b { 1..$c -> 1 };"),
    ("E0604", "let $a = match b { 1.. -> 1 };", "let $a = match b { 1..=2 -> 1 };"),
    ("E0933", "let $a = 1;\n#!cfg(debug)\n", "#!cfg(debug)\nlet $a = 1;"),
    ("E1001", "let $a = f);", "let $a = (f);"),
    ("E1001", "let $a = [1,, 2];", "let $a = [1, 2];"),
    ("E1001", "let $a = [, 1];", "let $a = [1,];"),
    ("E1001", "let $a;", "let $a = 1;"),
    ("E1001", "let $a = match b { 1 => 2 };", "let $a = match b { 1 -> 2 };"),
    ("E1001", "let $a = `}`;", "let $a = `}}{{`;"),
    ("E1001", "pub use std.math;", "pub use std.math { sqrt };"),
    ("E1002", "let $a = 1 + ;", "let $a = 1 + 2;"),
    ("E1002", "let $a = `{}`;", "let $a = `{b}`;"),
    ("E1002", "let $a = 1..=;", "let $a = 1..;"),
    ("E1003", "let $a = f(1;", "let $a = f(1);"),
    ("E1003", "@f () -> void = {\n    g();\n\n@h () -> void = ();", "@f () -> void = {\n    g();\n}\n@h () -> void = ();"),
    ("E1004", "let $5 = 1;", "let $a5 = 1;"),
    ("E1004", "type 5 = int;", "type A = int;"),
    ("E1005", "let $a: = 1;", "let $a: int = 1;"),
    ("E1005", "@f (a, b: int) -> void = ();", "@f (a: int, b: int) -> void = ();"),
    ("E1005", "type A = { f: }", "type A = { f: int }"),
    ("E1006", "@f (a: int) = a;", "@f (a: int) -> int = a;\n@f (b) = b;"),
    ("E1007", "@f (a: int) -> int;", "trait T { @f (a: int) -> int; @g () -> int }"),
    ("E1007", "impl A { @f (self) -> int; }", "impl A { @f (self) -> int = 1; }"),
    ("E1008", "let $a = match b { + -> 1 };", "let $a = match b { -1 -> 1 };"),
    ("E1014", "@int () -> void = ();", "@integer () -> void = ();"),
    ("E1015", "fn f() { }", "let $fn = 1;"),
    ("E1016", "let $a = 1\nlet $b = 2;", "let $a = 1;\nlet $b = 2;"),
    ("E1016", "@f () -> int = 1\n@g () -> int = 2;", "@f () -> int = { 1 }\n@g () -> int = 2;"),
    ("E1017", "let $a = (n: int) -> int;", "let $a = (n: int) -> int = n;"),
    ("E1017", "let $a = (n: int) -> int { n };", "let $a = (n: int) -> n;"),
    ("E1018", "let $a = (n: int, m) -> n;", "let $a = (n, m) -> n;"),
    ("E1018", "let $a = (n) -> int = n;", "let $a = (n: int) -> int = n;"),
    ("E1019", "impl Show for Point { }", "impl Point: Show { }"),
    ("E1304", "extern \"c\" { @f<T> (a: T) -> int }", "extern \"c\" { @f (a: int) -> int }"),
    ("E2045", "@f () -> int post(true) = 1;", "@f () -> int post(r -> r > 0) = 1;"),
];

/// The same inside a body.
const STATEMENTS: &[(&str, &str, &str)] = &[
    ("E0010", "a++;", "a += 1;"),
    ("E0010", "--a;", "- -a;"),
    ("E0101", "let c = a < b >= 3;", "let c = (a < b) == (b >= 3);"),
    ("E0104", "let c = a = b;", "c = a == b;"),
    ("E0104", "if a = 1 then b();", "if a == 1 then b();"),
    ("E0104", "let c = x -> a = b;", "let c = x -> { a = b };"),
    ("E0104", "let c = for i in 0..3 yield a = i;", "for i in 0..3 do a = i;"),
    ("E0109", "use std.math;", "used();"),
    ("E0110", "pub let x = 1;", "let x = 1;"),
    ("E0113", "let if = 1;", "let iff = 1;"),
    ("E0116", "loop { break : x; }", "loop:x { break:x 1; }"),
    ("E1001", "let x;", "let x = 0;"),
    ("E1001", "while a yield b;", "while a do b;"),
    ("E1001", "if a { b() }", "if a then { b() }"),
    ("E1001", "match a { 1 -> 2 3 -> 4 }", "match a { 1 -> 2, 3 -> 4 }"),
    ("E1002", "let x = ;", "let x = {};"),
    ("E1002", ";", "();"),
    ("E1015", "return a;", "a"),
    ("E1015", "let mut x = 1;", "let x = 1;"),
    ("E1015", "const x = 1;", "let $x = 1;"),
    ("E1015", "switch (a) { case 1: b() }", "match a { 1 -> b() }"),
    ("E1015", "if a then b() elif c then d();", "if a then b() else if c then d();"),
    ("E1016", "a() b();", "a(); b();"),
    ("E1016", "let x = 1\nlet y = 2;", "let x = 1; let y = 2"),
    ("E1020", "a() = 1;", "a.b.0[1].c = 1;"),
    ("E1020", "(a)[0] = 1;", "self.a[0] += 1;"),
];

/// What is wrong with a row, or nothing.
fn trips_and_passes(code: &str, bad: &str, good: &str) -> String {
    let (found, clean) = (errors(bad), errors(good));
    let trips = found.len() == 1 && found[0].contains(code);
    let complaint = if trips { String::new() } else { format!("{code} expected for {bad}\n{found:#?}\n") };
    if clean.is_empty() { complaint } else { format!("{complaint}{good}\n{clean:#?}\n") }
}

#[test]
fn every_code_is_tripped_by_a_snippet_and_spares_its_neighbour() {
    let mut complaints = String::new();
    for &(code, bad, good) in ITEMS {
        complaints += &trips_and_passes(code, bad, good);
    }
    for &(code, bad, good) in STATEMENTS {
        complaints += &trips_and_passes(code, &in_body(bad), &in_body(good));
    }
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn every_lexical_and_syntax_code_of_this_level_has_a_snippet() {
    let listed = |code: &str| ITEMS.iter().chain(STATEMENTS).any(|row| row.0 == code);
    // Bytes, file names, limits have tests of their own; the others need names or types.
    let elsewhere =
        ["E0031", "E0036", "E0037", "E0039", "E0106", "E0107", "E0108", "E0115", "E0117", "E1009", "E1010", "E1011", "E1013", "E1033"];
    for code in crate::DiagnosticCode::ALL.iter().map(|c| c.as_str()) {
        let ours = code.starts_with("E00") || code.starts_with("E01") || code.starts_with("E10");
        assert!(!ours || listed(code) || elsewhere.contains(&code), "{code} has no snippet");
    }
}

#[test]
fn errors_stand_at_the_offending_token() {
    check("let $a = 1 +\n  ;", &["2:3 E1002 expected expression"]);
    check("let $a = 1\nlet $b = 2;", &["1:11 E1016 expected ';'"]);
    check("@f () -> int = 1\n@g () -> int = 2;", &["1:17 E1016 expected ';'"]);
    check("let $a = f(1;", &["1:11 E1003 unclosed '('"]);
    check("let $a = 1 < 2 < 3;", &["1:16 E0101 operator '<' cannot be chained; add parentheses"]);
    check("let $a = 1 >= 2 >= 3;", &["1:17 E0101 operator '>=' cannot be chained; add parentheses"]);
    check("impl Show for Point { }", &["1:11 E1019 write 'impl Point: Show'"]);
    check("@f (a: int) = a;", &["1:2 E1006 function 'f' needs a result type"]);
    check("// c\n\n@f (a: int) -> int;", &["3:2 E1007 function 'f' has no body"]);
    check("let $a = [1, 2;", &["1:10 E1003 unclosed '['"]);
    check("let $a = match b { 1 => 2 };", &["1:22 E1001 unexpected '=>'; use '->'"]);
    check(&in_body("return a;"), &["1:33 E1015 'return' is not an Ori keyword; the last expression of a block is its value"]);
    check("let $a = \"\\q\";", &["1:11 E0005 invalid escape sequence '\\q' in string literal"]);
    check("let $a = `{a b}`;", &["1:14 E1001 unexpected 'b'; expected '}' or ':'"]);
}

#[test]
fn several_errors_of_one_file_are_reported_in_order() {
    check(
        "@f () -> void = {\n    let x = ;\n    g(1 +);\n    let y = 3\n    h()\n}\n@k () -> int = 07;\ntype = int;\nlet $c = 2 +;\nlet $d = 4;",
        &[
            "2:13 E1002 expected expression",
            "3:10 E1002 expected expression",
            "4:14 E1016 expected ';'",
            "7:16 E0003 invalid number literal '07'",
            "8:6 E1004 expected identifier",
            "9:13 E1002 expected expression",
        ],
    );
    check(
        &in_body("match a { 1 -> , 2 -> b, + -> c, 4 -> d }; let x = )"),
        &["1:48 E1002 expected expression", "1:58 E1008 invalid pattern", "1:84 E1002 expected expression"],
    );
    check(
        "impl A {\n    @f (self) -> int = ;\n    @g (self) -> int = 1 +;\n    @h (self) -> int = 2;\n}",
        &["2:24 E1002 expected expression", "3:27 E1002 expected expression"],
    );
}

#[test]
fn one_cause_is_one_report() {
    check("let $a = \"abc;\nlet $b = 2;", &["1:10 E0001 unterminated string literal"]);
    check("@f () -> void = {\n    if a then {\n        g(x: (1, 2);\n    }\n}\n\n@h () -> int = 1;", &["3:10 E1003 unclosed '('"]);
    check(
        "@f () -> void = {\n    if a then {\n        g();\n}\n\n@h () -> int = 1;\n\n@i () -> int = 1 +;",
        &["1:17 E1003 unclosed '{'", "8:19 E1002 expected expression"],
    );
    check("@f () -> void = {\n    g();\n}}\n\n@h () -> int = 1;", &["3:2 E1001 unexpected '}'; expected declaration"]);
    check("let $x = 1 # 2 # 3;", &["1:11 E1016 expected ';'"]);
}
