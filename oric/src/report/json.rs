//! Diagnostics and events as JSON lines (`design/cli.md` §4). Readers ignore fields they do not know; taking one away raises `SCHEMA`.

use serde_json::{Value, json};
use syntax::{Anchor, Diagnostic, Span};

use super::{Sources, find, human, severity_name};

/// Version of the line format.
pub const SCHEMA: u32 = 1;

/// The first line of every JSON output.
pub fn start() -> Value {
    json!({ "reason": "start", "schema": SCHEMA, "version": env!("CARGO_PKG_VERSION") })
}

/// The last line of every JSON output. `owner` says whose exit status it is: `oric` or `program`.
pub fn finished(exit: i32, owner: &str) -> Value {
    json!({ "reason": "finished", "exit": exit, "owner": owner })
}

/// A warning that is not about the source.
pub fn warning(message: &str) -> Value {
    json!({ "reason": "diagnostic", "level": "warning", "code": null, "message": message, "spans": [], "children": [], "edits": [], "rendered": format!("warning: {message}\n") })
}

/// A diagnostic.
pub fn diagnostic(diagnostic: &Diagnostic, sources: &dyn Sources) -> Value {
    let style = human::Style { color: false, unicode: false, width: 140 };
    let mut spans = Vec::new();
    spans.extend(span(sources, diagnostic.anchor, diagnostic.span, &diagnostic.label, true));
    for label in &diagnostic.labels {
        spans.extend(span(sources, label.anchor, label.span, &label.text, false));
    }
    let children: Vec<Value> = diagnostic
        .notes
        .iter()
        .map(|n| json!({ "level": "note", "message": n }))
        .chain(diagnostic.helps.iter().map(|h| json!({ "level": "help", "message": h })))
        .collect();
    let edits: Vec<Value> = diagnostic
        .edits
        .iter()
        .filter_map(|edit| {
            let mut value = span(sources, edit.anchor, edit.span, "", false)?;
            value["text"] = json!(edit.text);
            value["applicability"] = json!(if edit.machine_applicable { "machine-applicable" } else { "maybe-incorrect" });
            Some(value)
        })
        .collect();
    json!({
        "reason": "diagnostic",
        "code": diagnostic.code.as_str(),
        "level": severity_name(diagnostic.severity()),
        "message": syntax::diagnostic::message(diagnostic),
        "spans": spans,
        "children": children,
        "edits": edits,
        "rendered": human::render(diagnostic, sources, style),
    })
}

/// A failure that is not about the source: a flag, a file, the machine, a bug of ours.
pub fn failure(code: Option<&str>, message: &str) -> Value {
    json!({
        "reason": "diagnostic", "code": code, "level": "error", "message": message, "spans": [], "children": [], "edits": [],
        "rendered": format!("error: {message}\n"),
    })
}

fn span(sources: &dyn Sources, anchor: Anchor, span: Span, label: &str, primary: bool) -> Option<Value> {
    let found = find(sources, anchor, span)?;
    let (line, column) = found.line_column();
    let text = &found.file.text;
    let line_start = text[..found.start].rfind('\n').map_or(0, |i| i + 1);
    let utf16: usize = text[line_start..found.start].chars().map(char::len_utf16).sum();
    Some(json!({
        "file": found.path, "byte_start": found.start, "byte_end": found.end, "line": line, "column": column, "column_utf16": utf16 + 1,
        "primary": primary, "label": label,
    }))
}
