//! Diagnostics to the screen: the edge at which data become text.
//!
//! Three forms of the same data: [`human`] (annotate-snippets, windowed to the lines around the spans), [`short`] (one line each), [`json`]
//! (one object each, with the human form as `rendered`).

pub mod human;
pub mod json;
pub mod short;

use std::sync::Arc;

use ir::{ItemId, Symbol};
use syntax::{Anchor, Diagnostic, Severity, Span};

use crate::project::SourceFile;

/// Where sources are found: the engine, in a session.
pub trait Sources {
    /// The file of a module.
    fn file(&self, module: Symbol) -> Option<Arc<SourceFile>>;
    /// The path of a file as it stands on screen.
    fn shown(&self, path: &str) -> String;
    /// First byte of an item in its file.
    fn item_start(&self, item: ItemId) -> Option<u32>;
}

/// A span found in its file.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Its path on screen.
    pub path: String,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Found {
    /// Line and column of the first byte, from 1; the column counts bytes.
    pub fn line_column(&self) -> (usize, usize) {
        line_column(&self.file.text, self.start)
    }
}

/// Line and column of a byte offset, from 1; the column counts bytes.
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    let column = before.len() - before.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1) + 1;
    (line, column)
}

/// Finds a span; clamped to the text, so that a diagnostic can never break its own report.
pub fn find(sources: &dyn Sources, anchor: Anchor, span: Span) -> Option<Found> {
    let (module, base) = match anchor {
        Anchor::Module(module) => (module, 0),
        Anchor::Item(item) => (item.module(), sources.item_start(item)?),
    };
    let file = sources.file(module)?;
    let clamp = |offset: u32| {
        let mut at = (base as usize + offset as usize).min(file.text.len());
        while !file.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (clamp(span.start), clamp(span.end));
    Some(Found { start, end: end.max(start), path: sources.shown(&file.path), file })
}

/// Order of diagnostics on screen: by file, then by position, then by code. Duplicates go.
pub fn sort(sources: &dyn Sources, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_cached_key(|d| {
        let at = find(sources, d.anchor, d.span);
        (at.as_ref().map(|f| f.file.path.clone()), at.map(|f| (f.start, f.end)), d.code.as_str(), d.clone())
    });
    diagnostics.dedup();
}

/// `error` or `warning`.
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
