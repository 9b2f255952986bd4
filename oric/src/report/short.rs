//! One line a diagnostic: `src/main.ori:4:15: error[E2001]: expected int, found str [fix: int("0")]`.

use std::fmt::Write;

use syntax::Diagnostic;

use super::{Sources, find, severity_name};

/// The line, with its newline.
pub fn render(diagnostic: &Diagnostic, sources: &dyn Sources) -> String {
    let mut out = String::new();
    if let Some(at) = find(sources, diagnostic.anchor, diagnostic.span) {
        let (line, column) = at.line_column();
        let _ = write!(out, "{}:{line}:{column}: ", at.path);
    }
    let message = syntax::diagnostic::message(diagnostic);
    let _ = write!(out, "{}[{}]: {message}", severity_name(diagnostic.severity()), diagnostic.code.as_str());
    if let Some(edit) = diagnostic.edits.first() {
        let text = edit.text.trim_start_matches(", ").trim();
        let _ = write!(out, " [fix: {}]", if text.is_empty() { "remove" } else { text });
    }
    out.push('\n');
    out
}
