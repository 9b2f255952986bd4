//! A file: file attributes, imports, items; and what becomes of the diagnostics.

use std::sync::Arc;

use ir::{Namespace, Symbol};

use crate::diagnostic::Arg;
use crate::lexer::{self, DocComment, Kind, LexError, Memory, source};
use crate::tree::*;
use crate::{Anchor, Diagnostic, DiagnosticCode, Lines, Span};

use super::items::Head;
use super::{Parser, Spare};

/// Longest file (language/17 section 17.7).
const MAX_BYTES: usize = 1 << 31;

/// Parses a file. All offsets are those of the normalised text ([`source::normalise`]), which is `text` itself if it has no CR.
pub fn parse(module: Symbol, text: &str) -> File {
    parse_text(module, &source::normalise(text), &[])
}

/// Parses the bytes of a file; gives the normalised text too.
pub fn parse_bytes(module: Symbol, bytes: &[u8]) -> (String, File) {
    let (decoded, malformed) = source::decode(bytes);
    let file = if malformed.is_empty() {
        parse_text(module, &source::normalise(&decoded), &[])
    } else {
        // Offsets of malformed sequences are looked up again in the normalised text: the replacement character stands for each.
        let text = source::normalise(&decoded);
        parse_text(module, &text, &malformed)
    };
    (source::normalise(&decoded).into_owned(), file)
}

fn parse_text(module: Symbol, text: &str, malformed: &[(usize, usize)]) -> File {
    if text.len() >= MAX_BYTES {
        let args: [Arg; 2] = ["source file".into(), format!("{MAX_BYTES} bytes").into()];
        let diagnostic = Diagnostic::new(DiagnosticCode::E0039, Anchor::Module(module), Span::default(), args);
        return File {
            module,
            file_attributes: Vec::new(),
            imports: Vec::new(),
            items: Vec::new(),
            diagnostics: vec![diagnostic],
            index: ItemIndex::default(),
        };
    }
    let Spare { lexer, tree, stacks } = Spare::take();
    let lexer::Tokens { tokens, numbers, line_starts, errors, docs, balanced } = lexer::lex_into(text, lexer);
    let mut parser = Parser::new(module, text, Memory { tokens, numbers, line_starts }, balanced, tree, stacks);
    if !docs.is_empty() {
        parser.declarations = Some(Vec::new());
    }
    let mut file = File {
        module,
        file_attributes: Vec::new(),
        imports: Vec::new(),
        items: Vec::new(),
        diagnostics: Vec::new(),
        index: ItemIndex::default(),
    };
    parser.file(&mut file);
    let mut found = lexical(module, text, &errors, malformed);
    found.sort_by_key(|(d, _)| (d.span.start, d.span.end));
    let mut syntax: Vec<(Diagnostic, u32)> = std::mem::take(&mut parser.diagnostics).into_iter().zip(parser.found_at.drain(..)).collect();
    if found.is_empty() && syntax.is_empty() {
        syntax.extend(parser.detached_docs(&docs).into_iter().map(|doc| (doc, 0)));
    }
    let Parser { tokens, numbers, line_starts, tree, stacks, .. } = parser;
    Spare { lexer: Memory { tokens, numbers, line_starts }, tree, stacks }.give_back();
    settle(&mut file, found, syntax);
    file
}

/// Errors of the lexer as diagnostics, each with whether it is damaging.
fn lexical(module: Symbol, text: &str, errors: &[LexError], malformed: &[(usize, usize)]) -> Vec<(Diagnostic, bool)> {
    let anchor = Anchor::Module(module);
    let mut found = Vec::new();
    // A file may hold real replacement characters; only as many as there were malformed sequences are theirs, found by their order
    // from the decoded offsets, which CR LF may have moved to the left.
    let mut at = 0;
    let mut replaced = Vec::new();
    for &(offset, decoded) in malformed {
        let from = at.max(decoded.saturating_sub(count_cr_shift(text, decoded)));
        let Some(place) = text[floor_boundary(text, from)..].find('\u{FFFD}').map(|i| floor_boundary(text, from) + i) else { break };
        let span = Span::new(place as u32, place as u32 + 3);
        found.push((Diagnostic::new(DiagnosticCode::E0031, anchor, span, [offset.to_string().into()]), true));
        replaced.push(place as u32);
        at = place + 3;
    }
    for error in errors {
        if error.code == DiagnosticCode::E0002 && replaced.contains(&error.span.start) {
            continue;
        }
        let mut diagnostic = Diagnostic::new(error.code, anchor, error.span, error.args.iter().cloned());
        diagnostic.helps.extend(error.help.map(str::to_owned));
        if let Some((span, replacement)) = lexical_fix(text, error) {
            diagnostic.edits.push(crate::Edit { anchor, span, text: replacement, machine_applicable: true });
        }
        found.push((diagnostic, error.damaging));
    }
    found
}

/// What was meant by a spelling that the lexer refuses, where that is certain.
fn lexical_fix(text: &str, error: &LexError) -> Option<(Span, String)> {
    let (start, end) = (error.span.start as usize, error.span.end as usize);
    let (before, spelling, after) = (text.get(..start)?, text.get(start..end)?, text.get(end..)?);
    let replacement = match error.code {
        // `===` is `==`, `!==` is `!=`
        DiagnosticCode::E0008 => spelling.get(..2)?.to_owned(),
        // `i++;` as a statement: elsewhere its value is wanted.
        DiagnosticCode::E0010
            if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && after.trim_start().starts_with([';', '}']) =>
        {
            format!(" {}= 1", spelling.get(..1)?)
        }
        DiagnosticCode::E0011 => match error.args.get(1)? {
            Arg::Text(ascii) => ascii.clone(),
            Arg::Item(_) => return None,
        },
        DiagnosticCode::E0030 => String::new(),
        _ => return None,
    };
    Some((error.span, replacement))
}

/// An upper bound of how far CR LF pairs can have moved an offset.
fn count_cr_shift(text: &str, offset: usize) -> usize {
    let end = floor_boundary(text, offset.min(text.len()));
    text.as_bytes()[..end].iter().filter(|&&b| b == b'\n').count()
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Merges lexical and syntax errors, drops what only follows from others, sorts, and anchors at items.
fn settle(file: &mut File, lexical: Vec<(Diagnostic, bool)>, syntax: Vec<(Diagnostic, u32)>) {
    if lexical.is_empty() && syntax.is_empty() {
        return;
    }
    let bounds: Vec<(u32, u32)> = file.items.iter().map(|i| (i.start, i.end)).collect();
    let holder = |span: Span| -> Option<usize> {
        let after = bounds.partition_point(|b| b.0 <= span.start);
        // A missing `;` stands at the very end of its item.
        let owns = |&i: &usize| span.start < bounds[i].1 || span.start == bounds[i].1 && span.start == span.end;
        if after >= 2 && span.start == span.end && bounds[after - 2].1 == span.start {
            return Some(after - 2);
        }
        // Behind a method goes on the block that it stands in.
        let last = after.checked_sub(1)?;
        Some(last).filter(owns).or_else(|| (0..last).rev().find(|&i| bounds[i].1 >= bounds[last].1).filter(owns))
    };
    let mut all: Vec<Diagnostic> = Vec::with_capacity(lexical.len() + syntax.len());
    let damage: Vec<(Option<usize>, u32)> = lexical.iter().filter(|l| l.1).map(|(d, _)| (holder(d.span), d.span.start)).collect();
    all.extend(lexical.into_iter().map(|(d, _)| d));
    let known = all.len();
    for (diagnostic, found_at) in syntax {
        let at = diagnostic.span.start;
        let owner = holder(diagnostic.span);
        // A missing `;` or an open bracket is reported before the damage that made it: what counts is how far the parser had come.
        let follows = damage.iter().any(|&(item, start)| item == owner && start <= at.max(found_at));
        let repeats = all.iter().any(|d| d.span.start == at && (d.span == diagnostic.span || d.span.start < d.span.end));
        if !(follows || repeats && (known > 0 || !all.is_empty())) {
            all.push(diagnostic);
        }
    }
    all.sort_by_key(|d| (d.span.start, d.span.end));
    for diagnostic in &mut all {
        let Some(index) = holder(diagnostic.span) else { continue };
        let entry = &mut file.items[index];
        let is_error = diagnostic.severity() == crate::Severity::Error;
        if let Some(item) = Arc::get_mut(&mut entry.item) {
            item.has_errors |= is_error;
        }
        let anchor = Anchor::Item(entry.id);
        let shift = |span: &mut Span| *span = Span::new(span.start.wrapping_sub(entry.start), span.end.wrapping_sub(entry.start));
        diagnostic.anchor = anchor;
        shift(&mut diagnostic.span);
        for edit in &mut diagnostic.edits {
            edit.anchor = anchor;
            shift(&mut edit.span);
        }
    }
    file.diagnostics = all;
}

impl Parser<'_> {
    fn file(&mut self, file: &mut File) {
        while self.kind() == Kind::Hash && self.ahead(1).kind == Kind::Bang && self.adjacent(self.pos + 1) {
            let start = self.pos;
            match self.attribute() {
                Ok(attribute) => file.file_attributes.push(attribute),
                Err(_) => self.skip_item(start),
            }
            // A `;` behind a file attribute is no declaration but harmless to step over after the report.
            if self.pos == start {
                self.bump();
            }
        }
        while self.kind() != Kind::Eof {
            let limit = self.set_limit();
            self.entry(file);
            if let Some((index, kind)) = limit {
                self.tokens[index].kind = kind;
            }
        }
    }

    /// In an unbalanced file an item ends at the latest where the layout says that another one begins: that token is the end of file
    /// while the item is parsed.
    fn set_limit(&mut self) -> Option<(usize, Kind)> {
        if self.balanced {
            return None;
        }
        let mut from = self.pos;
        while self.kind_at(from) == Kind::Hash {
            // Attributes belong to the item behind them.
            from += 2;
            if self.kind_at(from) == Kind::LParen {
                from = self.step(from);
            }
        }
        let from = from.max(self.pos) + 1;
        let limit = (from..self.tokens.len()).find(|&i| lexer::begins_item(&self.tokens, i) && self.kind_at(i - 1) != Kind::Pub)?;
        let kind = self.tokens[limit].kind;
        self.tokens[limit].kind = Kind::Eof;
        Some((limit, kind))
    }

    /// An import or an item.
    fn entry(&mut self, file: &mut File) {
        self.methods.clear();
        let start = self.token().start;
        self.item_start = self.pos;
        self.item_errors = 0;
        self.declares(self.pos);
        let errors = self.diagnostics.len();
        if self.import_follows() {
            return self.import_entry(file, start);
        }
        if self.kind() == Kind::Hash && self.ahead(1).kind == Kind::Bang {
            let span = self.span_of(self.token());
            self.report(DiagnosticCode::E0933, span, []);
            let from = self.pos;
            if self.attribute().is_err() {
                self.skip_item(from);
            }
            return;
        }
        self.base = start;
        let mut head = Head::default();
        let kind = self.item_or_skip(&mut head);
        self.base = 0;
        let end = self.previous().end.max(start);
        if let (Err(_), None) = (&kind, &head.name) {
            // Not even a name: the report stands alone, at the file.
            self.tree.clear();
            return;
        }
        let whole = Span::new(0, end - start);
        let (namespace, name, name_span) = head.name.unwrap_or_else(|| (Namespace::Other, Symbol::new("item"), whole));
        let id = self.item_id(namespace, name);
        let tree = self.take_tree();
        let (line, mut lines) = self.lines(start, end);
        let kind = kind.unwrap_or(ItemKind::Error);
        if matches!(kind, ItemKind::Trait { .. } | ItemKind::Impl { .. }) {
            // A block has no places of its own, and must not change with the lines of its methods.
            lines = Lines::from_starts(Box::default(), 1);
        }
        let content = self.content(&kind, start, end);
        let item = Item {
            id,
            owner: None,
            is_pub: head.is_pub,
            name_span,
            attributes: head.attributes,
            kind,
            tree,
            lines,
            has_errors: self.diagnostics.len() > errors,
            content,
        };
        file.items.push(ItemEntry { id, start, end, line, item: Arc::new(item) });
        for mut method in self.methods.drain(..) {
            if let Some(item) = Arc::get_mut(&mut method.item) {
                item.owner = Some(id);
            }
            file.items.push(method);
        }
    }

    fn import_entry(&mut self, file: &mut File, start: u32) {
        let from = self.pos;
        self.statement_start = self.pos;
        let result = self.attributes().and_then(|attributes| {
            if !file.items.is_empty() {
                let at = self.pos + usize::from(self.kind() == Kind::Pub);
                self.report(DiagnosticCode::E0109, self.tokens[at].span(), []);
            }
            self.import(start, attributes)
        });
        self.tree.clear();
        match result {
            Ok(import) => file.imports.push(import),
            Err(_) => {
                self.skip_item(from);
                if self.pos == from {
                    self.bump();
                }
            }
        }
    }

    /// The content of an item that stands here, unless parts of it are items of their own.
    pub(super) fn content(&self, kind: &ItemKind, start: u32, end: u32) -> Option<Content> {
        let is_whole = matches!(
            kind,
            ItemKind::Function(_) | ItemKind::Test { .. } | ItemKind::Constant { .. } | ItemKind::ConstFunction(_) | ItemKind::Type { .. }
        );
        is_whole.then(|| Content::of(&self.text[start as usize..end as usize]))
    }

    /// Line of the first byte and the line table of an item.
    fn lines(&mut self, start: u32, end: u32) -> (u32, Lines) {
        while self.line_starts.get(self.lines_seen).is_some_and(|&s| s <= start) {
            self.lines_seen += 1;
        }
        self.lines_from(self.lines_seen, start, end)
    }

    /// The same for a part of the current item.
    pub(super) fn lines_within(&self, start: u32, end: u32) -> (u32, Lines) {
        let first = self.lines_seen + self.line_starts[self.lines_seen..].partition_point(|&s| s <= start);
        self.lines_from(first, start, end)
    }

    fn lines_from(&self, first: usize, start: u32, end: u32) -> (u32, Lines) {
        let line_start = first.checked_sub(1).map_or(0, |i| self.line_starts[i]);
        let rest = &self.line_starts[first..];
        let count = rest.partition_point(|&s| s <= end);
        let starts = rest[..count].iter().map(|&s| s - start).collect();
        (first as u32 + 1, Lines::from_starts(starts, start - line_start + 1))
    }

    /// The tree of the item with exact sizes; the scratch tree keeps its memory.
    pub(super) fn take_tree(&mut self) -> Tree {
        let tree = self.tree.clone();
        self.tree.clear();
        tree
    }

    /// W1001: doc comments with markers that stand above no declaration. One report a run.
    fn detached_docs(&self, docs: &[DocComment]) -> Vec<Diagnostic> {
        let declarations = self.declarations.as_deref().unwrap_or(&[]);
        let mut found = Vec::new();
        let mut last_end = None;
        for doc in docs {
            let (end, is_attached) = self.run_of(doc);
            if last_end == Some(end) {
                continue;
            }
            last_end = Some(end);
            if !(is_attached && declarations.contains(&doc.next_token)) {
                found.push(Diagnostic::new(DiagnosticCode::W1001, Anchor::Module(self.module), doc.span, []));
            }
        }
        found
    }

    /// Where the run of comment lines around a comment ends, and whether the next token stands directly below it.
    fn run_of(&self, doc: &DocComment) -> (usize, bool) {
        let line_start = self.text[..doc.span.start as usize].rfind('\n').map_or(0, |i| i + 1);
        let owns_line = self.text[line_start..doc.span.start as usize].trim().is_empty();
        let mut end = doc.span.end as usize;
        loop {
            let Some(rest) = self.text[end..].strip_prefix('\n') else { return (end, false) };
            let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
            if !line.trim_start().starts_with("//") {
                return (end, owns_line && !line.trim().is_empty());
            }
            end += 1 + line.len();
        }
    }
}
