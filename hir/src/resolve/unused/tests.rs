use ir::Symbol;

use super::unused_imports;

/// The source after all offered changes, which leave nothing to warn of.
#[track_caller]
fn check(source: &str, expected: &str) {
    let file = syntax::parse(Symbol::new("main"), source);
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for warning in unused_imports(&file, &[]) {
        for edit in warning.edits {
            assert!(edit.text.is_empty() && edit.machine_applicable);
            spans.push((edit.span.start as usize, edit.span.end as usize));
        }
    }
    spans.sort_unstable();
    spans.dedup();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{spans:?} overlap in {source}");
    let mut text = source.to_owned();
    for (start, end) in spans.into_iter().rev() {
        text.replace_range(start..end, "");
    }
    assert_eq!(text, expected);
    assert_eq!(unused_imports(&syntax::parse(Symbol::new("main"), &text), &[]), []);
}

#[test]
fn an_unused_name_goes_with_one_comma() {
    let rest = " };\n@f () -> int = b() + d();\n";
    check(&format!("use \"./m\" {{ a, b, c as x, d{rest}"), &format!("use \"./m\" {{ b, d{rest}"));
    check(&format!("use \"./m\" {{ b, d, a, c,{rest}"), &format!("use \"./m\" {{ b, d,{rest}"));
    check(&format!("use \"./m\" {{ b, d{rest}"), &format!("use \"./m\" {{ b, d{rest}"));
}

#[test]
fn an_import_of_which_nothing_is_used_goes_with_its_line() {
    let item = "@f () -> int = 1;\n";
    check(&format!("use \"./m\" {{ a, b }};\n{item}"), item);
    check(&format!("use std.math;\nuse \"./m\" as o; // Why.\n{item}"), &format!(" // Why.\n{item}"));
}
