//! One door for all tests of the parser: source in, diagnostics out as `line:column code message`.

mod codes;
mod disambiguation;
mod grammar;
mod robust;
mod trees;

use ir::Symbol;

use crate::tree::File;
use crate::{Anchor, Diagnostic, message, normalise, parse};

/// Line and column of a diagnostic in its file.
fn place(file: &File, text: &str, diagnostic: &Diagnostic) -> (usize, usize) {
    let base = match diagnostic.anchor {
        Anchor::Module(_) => 0,
        Anchor::Item(id) => file.items.iter().find(|entry| entry.id == id).expect("the item exists").start,
    };
    let offset = (base + diagnostic.span.start) as usize;
    let before = &text[..offset];
    (before.matches('\n').count() + 1, offset - before.rfind('\n').map_or(0, |i| i + 1) + 1)
}

fn errors(source: &str) -> Vec<String> {
    let file = parse(Symbol::new("test"), source);
    let text = normalise(source);
    let shown = file.diagnostics.iter().map(|d| {
        let (line, column) = place(&file, &text, d);
        format!("{line}:{column} {} {}", d.code, message(d))
    });
    shown.collect()
}

#[track_caller]
fn check(source: &str, expected: &[&str]) {
    assert_eq!(errors(source), expected, "\n{source}");
}

#[track_caller]
fn accepts(source: &str) {
    check(source, &[]);
}

/// The source as the whole body block of a function.
fn in_body(source: &str) -> String {
    format!("@f (a: int, b: int) -> void = {{ {source} }}")
}
