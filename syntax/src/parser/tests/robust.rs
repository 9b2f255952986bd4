//! Broken input of every kind: no panic, spans inside the text, something reported.

use std::path::Path;

use ir::Symbol;

use crate::tree::{ExprId, File, PatternId, TypeId};
use crate::{Anchor, DiagnosticCode, parse, parse_bytes};

use super::{accepts, errors};

fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/language/examples");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: no examples at {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<(String, String)> = entries
        .flatten()
        .filter(|e| e.path().extension().is_some_and(|e| e == "ori"))
        .map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(e.path()).expect("readable")))
        .collect();
    files.sort();
    files
}

/// Every span of a file lies in the text, and every list in its pool.
fn check_file(file: &File, text: &str) {
    for diagnostic in &file.diagnostics {
        let (base, end) = match diagnostic.anchor {
            Anchor::Module(_) => (0, text.len() as u32),
            Anchor::Item(id) => {
                let entry = file.items.iter().find(|e| e.id == id).expect("the item exists");
                (entry.start, entry.end)
            }
        };
        assert!(diagnostic.span.start <= diagnostic.span.end && base + diagnostic.span.end <= end.max(base), "{diagnostic:?}");
        assert!(text.is_char_boundary((base + diagnostic.span.start) as usize), "{diagnostic:?}");
    }
    let sorted = file.diagnostics.windows(2).all(|pair| {
        let at = |d: &crate::Diagnostic| match d.anchor {
            Anchor::Module(_) => d.span.start,
            Anchor::Item(id) => d.span.start + file.items.iter().find(|e| e.id == id).expect("the item exists").start,
        };
        at(&pair[0]) <= at(&pair[1])
    });
    assert!(sorted, "{:#?}", file.diagnostics);
    for pair in file.items.windows(2) {
        // Methods stand inside of the block before them.
        assert!(pair[0].start <= pair[1].start && (pair[1].item.owner == Some(pair[0].id) || pair[0].end <= pair[1].start));
    }
    for entry in file.items.iter().filter(|entry| entry.item.owner.is_none()) {
        let mut at = entry.start;
        for method in file.items.iter().filter(|method| method.item.owner == Some(entry.id)) {
            assert!(at <= method.start && method.end <= entry.end);
            at = method.end;
        }
    }
    for entry in &file.items {
        let length = entry.end - entry.start;
        assert!(entry.start <= entry.end && entry.end as usize <= text.len());
        assert_eq!(entry.line as usize, text[..entry.start as usize].matches('\n').count() + 1);
        let tree = &entry.item.tree;
        let exprs = tree.exprs.ids().map(|id| tree.expr_span(id));
        let types = tree.types.ids().map(|id| tree.type_span(id));
        let spans = exprs.chain(types).chain(tree.patterns.ids().map(|id| tree.pattern_span(id)));
        for span in spans {
            assert!(span.start <= span.end && span.end <= length, "{span:?} in {length} of {}", entry.id);
        }
        let _: (Option<ExprId>, Option<TypeId>, Option<PatternId>) =
            (tree.exprs.ids().last(), tree.types.ids().last(), tree.patterns.ids().last());
    }
}

fn survives(text: &str) -> File {
    let file = parse(Symbol::new("test"), text);
    check_file(&file, text);
    file
}

#[test]
fn the_examples_of_the_reference_are_accepted() {
    for (name, text) in examples() {
        let file = survives(&text);
        assert!(file.diagnostics.is_empty(), "{name}: {:#?}", errors(&text));
        assert!(file.items.iter().all(|entry| !entry.item.has_errors));
        assert!(!file.items.is_empty(), "{name}");
    }
}

#[test]
fn a_file_cut_anywhere_inside_an_item_is_reported() {
    for (name, text) in examples() {
        let whole = parse(Symbol::new("test"), &text);
        for cut in (0..text.len()).step_by(3).filter(|&i| text.is_char_boundary(i)) {
            let file = survives(&text[..cut]);
            // Text that ends with `}` or before any token of the item may be complete; so may a chain that lost only its last link.
            let inside = whole.items.iter().any(|e| e.start < cut as u32 && (cut as u32) < e.end);
            if inside && !text[..cut].trim_end().ends_with('}') {
                assert!(!file.diagnostics.is_empty(), "{name} cut at {cut}: ...{:?}", &text[cut.saturating_sub(20)..cut]);
            }
        }
    }
}

#[test]
fn a_file_with_a_byte_changed_removed_or_added_does_not_panic() {
    let noise = *b"(){}[]<>;:,.`'\"\\$@#!?|&=-+ \n0aA_~";
    for (_, text) in examples() {
        let bytes = text.as_bytes();
        for (step, at) in (0..bytes.len()).step_by(7).enumerate() {
            let byte = noise[step % noise.len()];
            let mut changed = bytes.to_vec();
            match step % 3 {
                0 => changed[at] = byte,
                1 => {
                    changed.remove(at);
                }
                _ => changed.insert(at, byte),
            }
            let (text, file) = parse_bytes(Symbol::new("test"), &changed);
            check_file(&file, &text);
        }
    }
}

#[test]
fn a_file_without_one_of_its_lines_does_not_panic() {
    for (_, text) in examples() {
        let lines: Vec<&str> = text.lines().collect();
        for skip in 0..lines.len() {
            let rest: Vec<&str> = lines.iter().enumerate().filter(|&(i, _)| i != skip).map(|(_, l)| *l).collect();
            survives(&rest.join("\n"));
        }
    }
}

/// Text that begins and ends `depth` times.
fn nest(open: &str, middle: &str, close: &str, depth: usize) -> String {
    format!("@f () -> int = {}{middle}{};", open.repeat(depth), close.repeat(depth))
}

const NESTS: &[(&str, &str, &str)] = &[
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("{ ", "1", " }"),
    ("f(", "1", ")"),
    ("f(a: ", "1", ")"),
    ("x[", "1", "]"),
    ("{a: ", "1", "}"),
    ("if a then { ", "1", " } else { 2 }"),
    ("match a { _ -> ", "1", " }"),
    ("P { x: ", "1", " }"),
    ("`{", "1", "}`"),
    ("loop { ", "1", " }"),
    ("x -> ", "1", ""),
    ("a ** ", "1", ""),
    ("a ?? ", "1", ""),
    ("for i in a do { ", "1", " }"),
    ("try { ", "1", " }"),
    ("x.m(y -> ", "1", ")"),
];

#[test]
fn nesting_is_accepted_to_256_levels_and_rejected_without_overflow() {
    // The stack of a test thread is the 2 MiB that worker threads have.
    for &(open, middle, close) in NESTS {
        accepts(&nest(open, middle, close, 256));
        for depth in [1_000, 20_000] {
            let found = errors(&nest(open, middle, close, depth));
            assert!(found.len() == 1 && found[0].contains("E0037 nesting is too deep (limit"), "{open}: {found:#?}");
        }
    }
    let types = |n: usize| format!("type A = {}int{};", "[".repeat(n), "]".repeat(n));
    accepts(&types(256));
    assert!(errors(&types(10_000))[0].contains("E0037"));
    let args = |n: usize| format!("type A = {}int{};", "O<".repeat(n), ">".repeat(n));
    accepts(&args(256));
    assert!(errors(&args(10_000))[0].contains("E0037"));
    let patterns = |n: usize| format!("let $a = match b {{ {}c{} -> 1 }};", "S(".repeat(n), ")".repeat(n));
    accepts(&patterns(256));
    assert!(errors(&patterns(10_000))[0].contains("E0037"));
}

#[test]
fn long_rows_are_no_nesting() {
    accepts(&format!("let $a = {}1;", "- ".repeat(5_000)));
    accepts(&format!("let $a = 1{};", " + 1".repeat(5_000)));
    accepts(&format!("let $a = {}3;", "if b then 1 else ".repeat(2_000)));
    accepts(&format!("let $a = x{};", ".m()".repeat(5_000)));
    accepts(&super::in_body(&format!("if a then b() {};", "else if a then { b() } ".repeat(2_000))));
}

#[test]
fn unclosed_brackets_of_any_number_do_not_overflow() {
    for bracket in ["(", "[", "{", "f(", "`{", "<", "x -> (", "match a {", "|"] {
        let text = format!("@f () -> int = {}", bracket.repeat(5_000));
        assert!(!survives(&text).diagnostics.is_empty());
    }
}

#[test]
fn bytes_that_are_no_utf8_are_reported_with_their_offset() {
    let (text, file) = parse_bytes(Symbol::new("test"), b"let $a = 1;\r\n// \xFF\r\nlet $b = \"\xC3\";\r\n");
    check_file(&file, &text);
    let shown: Vec<String> = file.diagnostics.iter().map(|d| format!("{} {}", d.code, crate::message(d))).collect();
    assert_eq!(shown, ["E0031 invalid UTF-8 at byte 16", "E0031 invalid UTF-8 at byte 29"]);
    assert_eq!(text, "let $a = 1;\n// \u{FFFD}\nlet $b = \"\u{FFFD}\";\n");
    let (text, file) = parse_bytes(Symbol::new("test"), b"let $a = \xE2\x28 1;");
    check_file(&file, &text);
    assert_eq!(file.diagnostics[0].code, DiagnosticCode::E0031);
}

#[test]
fn limits_are_reported() {
    let name = "x".repeat(1_024);
    accepts(&format!("let ${name} = 1;"));
    assert!(errors(&format!("let ${name}x = 1;"))[0].contains("E0039 identifier length exceeds the limit of 1024"));
    let params = |n: usize| (0..n).map(|i| format!("p{i}: int")).collect::<Vec<_>>().join(", ");
    accepts(&format!("@f ({}) -> int = 1;", params(255)));
    assert!(errors(&format!("@f ({}) -> int = 1;", params(256)))[0].contains("E0039 number of parameters exceeds the limit of 255"));
    let generics = |n: usize| (0..n).map(|i| format!("P{i}")).collect::<Vec<_>>().join(", ");
    accepts(&format!("type A<{}> = int;", generics(64)));
    assert!(errors(&format!("type A<{}> = int;", generics(65)))[0].contains("E0039"));
}
