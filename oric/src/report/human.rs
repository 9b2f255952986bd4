//! Diagnostics with source excerpts, through annotate-snippets.
//!
//! The crate scans the whole source it is given for each diagnostic, so it gets only the lines around the spans, with their first line number.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use syntax::{Diagnostic, Edit, Severity};

use super::{Found, Sources, find, line_column};

/// Spans further apart than this are shown as two excerpts.
const WINDOW_LINES: usize = 12;

/// How diagnostics look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// ANSI colours.
    pub color: bool,
    /// Line-drawing characters.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Style {
    fn renderer(self) -> Renderer {
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        let decor = if self.unicode && self.color { DecorStyle::Unicode } else { DecorStyle::Ascii };
        renderer.decor_style(decor).term_width(self.width)
    }
}

/// One annotated span.
struct Mark {
    found: Found,
    label: String,
    primary: bool,
}

/// Has no width.
pub const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The text of a diagnostic, with a newline at the end.
pub fn render(diagnostic: &Diagnostic, sources: &dyn Sources, style: Style) -> String {
    let message = syntax::diagnostic::message(diagnostic);
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut marks: Vec<Mark> = Vec::new();
    if let Some(found) = find(sources, diagnostic.anchor, diagnostic.span) {
        marks.push(Mark { found, label: diagnostic.label.clone(), primary: true });
    }
    for label in &diagnostic.labels {
        if let Some(found) = find(sources, label.anchor, label.span) {
            marks.push(Mark { found, label: label.text.clone(), primary: false });
        }
    }
    let windows = windows(&marks);
    let mut group =
        level.primary_title(message.as_str()).id(diagnostic.code.as_str()).elements(Vec::<annotate_snippets::Element<'_>>::new());
    for window in &windows {
        let mut snippet = Snippet::source(window.text).line_start(window.first_line).path(window.path).fold(true);
        for mark in &window.marks {
            let range = window.range(&mark.found);
            let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(range);
            snippet = snippet.annotation(if mark.label.is_empty() { annotation } else { annotation.label(mark.label.as_str()) });
        }
        group = group.element(snippet);
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    for help in &diagnostic.helps {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let edits: Vec<(Found, &Edit)> =
        diagnostic.edits.iter().filter_map(|edit| Some((find(sources, edit.anchor, edit.span)?, edit))).collect();
    // A change of what no screen shows would be two lines that look the same.
    let is_unseen = |(found, edit): &(Found, &Edit)| {
        edit.text.is_empty() && found.file.text[found.start..found.end].chars().all(|c| c == BYTE_ORDER_MARK)
    };
    let are_unseen = edits.iter().all(is_unseen);
    if are_unseen && !edits.is_empty() {
        group = group.element(Level::HELP.message("remove the mark: three bytes that no screen shows; `oric fix` does it"));
    }
    let mut report = vec![group];
    if !are_unseen && let Some(group) = edit_group(&edits) {
        report.push(group);
    }
    let mut text = style.renderer().render(&report);
    text.push('\n');
    text
}

/// The changes that a diagnostic offers, as a patch of the lines they touch.
fn edit_group<'a>(edits: &'a [(Found, &'a Edit)]) -> Option<Group<'a>> {
    let (first, edit) = edits.first()?;
    let same_file: Vec<&(Found, &Edit)> = edits.iter().filter(|(f, _)| f.path == first.path).collect();
    let start = same_file.iter().map(|(f, _)| f.start).min()?;
    let end = same_file.iter().map(|(f, _)| f.end).max()?;
    let text = &first.file.text;
    let lines = line_start(text, start)..line_end(text, end);
    let title = if edit.machine_applicable { "apply this change" } else { "perhaps this was meant" };
    let mut snippet = Snippet::source(&text[lines.clone()]).line_start(line_column(text, start).0).path(first.path.as_str());
    for (found, edit) in same_file {
        snippet = snippet.patch(Patch::new(found.start - lines.start..found.end - lines.start, edit.text.as_str()));
    }
    Some(Level::HELP.secondary_title(title).element(snippet))
}

/// An excerpt of one file with the marks in it.
struct Window<'a> {
    path: &'a str,
    text: &'a str,
    start: usize,
    first_line: usize,
    marks: Vec<&'a Mark>,
}

impl Window<'_> {
    fn range(&self, found: &Found) -> Range<usize> {
        let start = (found.start - self.start).min(self.text.len());
        start..(found.end - self.start).clamp(start, self.text.len())
    }
}

/// Groups marks by file and nearness; the primary mark's window comes first.
fn windows(marks: &[Mark]) -> Vec<Window<'_>> {
    let mut windows: Vec<Window<'_>> = Vec::new();
    for mark in marks {
        let text = mark.found.file.text.as_str();
        let (start, end) = (line_start(text, mark.found.start), line_end(text, mark.found.end));
        let near = windows.iter_mut().find(|w| {
            w.path == mark.found.path && {
                let (low, high) = (w.start.min(start), (w.start + w.text.len()).max(end));
                text[low..high].bytes().filter(|&b| b == b'\n').count() <= WINDOW_LINES
            }
        });
        match near {
            Some(window) => {
                let low = window.start.min(start);
                let high = (window.start + window.text.len()).max(end);
                window.start = low;
                window.text = &text[low..high];
                window.first_line = line_column(text, low).0;
                window.marks.push(mark);
            }
            None => windows.push(Window {
                path: &mark.found.path,
                text: &text[start..end],
                start,
                first_line: line_column(text, start).0,
                marks: vec![mark],
            }),
        }
    }
    windows
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |i| at + i)
}
