use std::path::Path;

use ir::Symbol;

use crate::{Anchor, Diagnostic, DiagnosticCode, Span};

use super::{Stage, message};

/// Code, wordings, section and stage.
type Row = (String, Vec<String>, String, Stage);

/// The rows of the reference page.
fn reference() -> Option<Vec<Row>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/language/19-diagnostics.md");
    let Ok(page) = std::fs::read_to_string(&path) else {
        println!("skipped: no reference page at {}", path.display());
        return None;
    };
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<String> = line.replace("\\|", "\u{1}").split('|').map(|c| c.trim().replace('\u{1}', "|")).collect();
        let [_, code, template, section, stage, _] = cells.as_slice() else { return None };
        if code.len() != 5 || !code.starts_with(['E', 'W']) {
            return None;
        }
        let template = template.trim_matches('`');
        let mut wordings = vec![String::new()];
        for part in template.split("; ") {
            let last = wordings.len() - 1;
            if let Some(other) = ["in patterns: ", "or: ", "unary: "].iter().find_map(|mark| part.strip_prefix(mark)) {
                wordings.push(other.to_owned());
            } else if wordings[last].is_empty() {
                wordings[last].push_str(part);
            } else {
                wordings[last] = format!("{}; {part}", wordings[last]);
            }
        }
        let stage = if stage == "core" { Stage::Core } else { Stage::Full };
        Some((code.clone(), wordings, section.clone(), stage))
    });
    Some(rows.collect())
}

#[test]
fn every_row_agrees_with_the_reference() {
    let Some(rows) = reference() else { return };
    assert!(rows.len() > 200, "the page was not understood");
    assert_eq!(rows.len(), DiagnosticCode::ALL.len());
    for (code, wordings, section, stage) in rows {
        let ours = DiagnosticCode::from_str(&code).unwrap_or_else(|| panic!("{code} is missing"));
        assert_eq!(ours.section(), section, "{code}");
        assert_eq!(ours.stage(), stage, "{code}");
        assert_eq!(ours.templates().len(), wordings.len(), "{code}");
        for (ours, theirs) in ours.templates().iter().zip(&wordings) {
            // The page abbreviates a second wording with dots.
            match theirs.strip_prefix("...") {
                Some(end) => assert!(ours.ends_with(end), "{code}: {ours}"),
                None => assert_eq!(ours, theirs, "{code}"),
            }
        }
    }
}

#[test]
fn codes_are_found_by_their_text_and_keep_their_order() {
    for &code in DiagnosticCode::ALL {
        assert_eq!(DiagnosticCode::from_str(code.as_str()), Some(code));
    }
    assert_eq!(DiagnosticCode::from_str("E9999"), None);
    assert_eq!(DiagnosticCode::E2001.as_str(), "E2001");
}

#[track_caller]
fn check(code: DiagnosticCode, wording: u8, args: &[&str], expected: &str) {
    let anchor = Anchor::Module(Symbol::new("m"));
    let diagnostic = Diagnostic::new(code, anchor, Span::default(), args.iter().map(|&a| a.into())).wording(wording);
    assert_eq!(message(&diagnostic), expected);
}

#[test]
fn placeholders_are_filled_in_order() {
    check(DiagnosticCode::E0001, 0, &[], "unterminated string literal");
    check(DiagnosticCode::E2001, 0, &["int", "str"], "expected int, found str");
    check(DiagnosticCode::E0005, 0, &["q", "string"], "invalid escape sequence '\\q' in string literal");
    check(DiagnosticCode::E0104, 0, &["let"], "let cannot be used as a value");
    check(DiagnosticCode::E0207, 0, &["x"], "module-level bindings must be immutable; write 'let $x'");
    check(DiagnosticCode::E1001, 0, &["a", "b"], "unexpected 'a'; expected b");
    check(DiagnosticCode::E1001, 1, &[], "unexpected '=>'; use '->'");
    check(DiagnosticCode::E2020, 1, &["-", "str"], "operator '-' is not defined for str");
}

#[test]
fn a_repeated_placeholder_takes_one_argument_or_one_for_each_place() {
    check(DiagnosticCode::E0202, 0, &["a", "b"], "import cycle: a -> b -> a");
    check(DiagnosticCode::E0202, 0, &["a", "b", "c"], "import cycle: a -> b -> c");
    check(DiagnosticCode::E1222, 0, &["N"], "capset 'N' collides with trait 'N'");
}
