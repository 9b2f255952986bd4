//! `oric explain CODE`: what a diagnostic code means.

use syntax::DiagnosticCode;

use crate::cli::{Output, REFUSED};

/// Prints the page of a code, or the list of all.
pub fn explain(code: Option<&str>, output: &Output) -> i32 {
    use std::fmt::Write;
    let mut text = String::new();
    match code {
        None => {
            for code in DiagnosticCode::ALL {
                let _ = writeln!(text, "{}  {}", code.as_str(), code.templates().join(" | "));
            }
        }
        Some(asked) => {
            let Some(code) = DiagnosticCode::from_str(&asked.to_ascii_uppercase()) else {
                let all = DiagnosticCode::ALL.iter().map(|c| c.as_str());
                let near = hir::resolve::nearest(&asked.to_ascii_uppercase(), all);
                let hint = near.map_or_else(String::new, |n| format!("; did you mean {n}?"));
                output.failure(&format!("there is no diagnostic code '{asked}'{hint}"));
                return REFUSED;
            };
            let _ = writeln!(text, "{}: {}", code.as_str(), code.templates().join("\n       or: "));
            let _ = writeln!(text, "\nThe rule stands in the language reference, {}.", code.section());
            if let Some(page) = page(code) {
                let _ = write!(text, "\n{page}");
            }
        }
    }
    if output.is_json() {
        output.event(&serde_json::json!({ "reason": "explain", "text": text }));
    } else {
        output.result(&text);
    }
    0
}

/// The hand-written part of a page: why the rule exists, a wrong and a right example. Pages stand in `docs/codes.md`, one section a code.
fn page(code: DiagnosticCode) -> Option<String> {
    const PAGES: &str = include_str!("../../../docs/codes.md");
    let heading = format!("## {}", code.as_str());
    let start = PAGES.lines().position(|line| line == heading || line.starts_with(&format!("{heading} ")))?;
    let body: Vec<&str> = PAGES.lines().skip(start + 1).take_while(|line| !line.starts_with("## ")).collect();
    Some(format!("{}\n", body.join("\n").trim()))
}
