//! The start of a test for each function that has none (language/11 §11.3). It is skipped until somebody writes it: a test that checks nothing must not pass.

use std::collections::{BTreeMap, BTreeSet};

use hir::program::Entity;
use hir::resolve::prelude::is_library;
use ir::{ItemId, Symbol};
use query::Interrupt;
use syntax::tree::{File, ImportNames, ModulePath};
use syntax::{Anchor, Diagnostic};

use super::{Change, Fix, put};
use crate::coverage::{self, TestFile};
use crate::project::SourceFile;
use crate::queries;
use crate::report::{Sources, find};
use crate::session::Session;

/// What would give each of these functions a test, one fix a file, so that they can be made together. Files that are not there yet are made in memory.
pub fn fixes(session: &mut Session, diagnostics: &[Diagnostic]) -> Vec<Fix> {
    let mut files: BTreeMap<String, (TestFile, Vec<ItemId>, Fix)> = BTreeMap::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| coverage::is_about(diagnostic)) {
        let Anchor::Item(item) = diagnostic.anchor else { continue };
        let Some(file) = session.ask(|session| TestFile::of(session, item)) else { continue };
        let Some(at) = find(session, diagnostic.anchor, diagnostic.span) else { continue };
        let (line, column) = at.line_column();
        let (_, items, _) = files.entry(file.path.clone()).or_insert_with(|| {
            let fix = Fix {
                code: diagnostic.code.as_str(),
                place: format!("{}:{line}:{column}", at.path),
                message: String::new(),
                changes: Vec::new(),
            };
            (file, Vec::new(), fix)
        });
        items.push(item);
    }
    let mut fixes = Vec::new();
    for (path, (file, items, fix)) in files {
        if session.file(file.module).is_none() {
            make(session, &file);
        }
        let (changes, written) = session.ask(|session| changes(session, &file, &items));
        if !changes.is_empty() {
            let tests = if written == 1 { "the start of a test".to_owned() } else { format!("the start of {written} tests") };
            fixes.push(Fix { message: format!("{tests} in {}", session.shown(&path)), changes, ..fix });
        }
    }
    fixes
}

/// An empty file of tests, in memory.
fn make(session: &mut Session, file: &TestFile) {
    let mut sites = session.project.test_sites();
    // Others may have been made before.
    sites.modules.extend(session.modules.iter().copied().filter(|module| queries::is_test_module(*module)));
    sites.modules.push(file.module);
    let main = session.project.main;
    sites.modules[1..].sort_unstable();
    sites.modules.dedup();
    debug_assert_eq!(sites.modules.first(), Some(&main));
    if session.engine.edit(|engine| engine.set::<queries::TestSites>(&(), sites)).is_err() {
        panic!("nothing is stored that could be damaged");
    }
    let source = SourceFile { path: file.path.clone(), text: String::new(), malformed: None, rival: None };
    put(session, file.module, source);
    session.modules.push(file.module);
}

/// What is written into the file, and how many tests: imports of what it does not see, and the tests at its end.
fn changes(session: &Session, file: &TestFile, items: &[ItemId]) -> Result<(Vec<Change>, usize), Interrupt> {
    let parsed = session.engine.get::<queries::Parse>(&file.module)?;
    let scope = session.engine.get::<queries::Scope>(&file.module)?;
    let Some(source) = session.file(file.module) else { return Ok((Vec::new(), 0)) };
    let mut taken: BTreeSet<String> = parsed.items.iter().map(|entry| entry.id.name().as_str().to_owned()).collect();
    let mut imports: Vec<Symbol> = Vec::new();
    let mut tests = String::new();
    // A body that does not pass. The program may have a function of that name, and the file is about to see it.
    let is_ours = |name: &str| {
        let seen = scope.value(Symbol::new(name));
        let is_library = seen.is_none_or(|seen| matches!(seen, Entity::Function(seen) if is_library(seen.module())));
        is_library && items.iter().all(|item| item.name().as_str() != name)
    };
    let bodies = [("todo", "todo()"), ("panic", "panic(msg: \"to be written\")"), ("assert", "assert(condition: false)")];
    let Some((_, body)) = bodies.into_iter().find(|(name, _)| is_ours(name)) else { return Ok((Vec::new(), 0)) };
    let mut written = 0;
    for item in items {
        let name = item.name();
        match scope.value(name) {
            Some(Entity::Function(seen)) if seen == *item => {}
            // Another thing has the name here.
            Some(_) => continue,
            None => imports.push(name),
        }
        let mut test = format!("test_{name}");
        while taken.contains(&test) {
            test.push('_');
        }
        tests.push_str(&format!("\n#skip(\"to be written\")\n@{test} tests @{name} () -> void = {body};\n"));
        written += 1;
        taken.insert(test);
    }
    if tests.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let change = |at: usize, text: String| Change { module: file.module, path: session.shown(&file.path), start: at, end: at, text };
    let mut changes = Vec::new();
    let end = source.text.len();
    if end > 0 && !source.text.ends_with('\n') {
        tests.insert(0, '\n');
    }
    if !imports.is_empty() {
        let (at, text) = import(&parsed, &source.text, &file.import, &imports);
        if at == end {
            tests.insert_str(0, &text);
        } else {
            changes.push(change(at, text));
        }
    }
    changes.push(change(end, tests));
    Ok((changes, written))
}

/// Where names of a module are imported, and how: in the list that there is, else in a line below the last import.
fn import(parsed: &File, text: &str, path: &str, names: &[Symbol]) -> (usize, String) {
    let list = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    for import in &parsed.imports {
        if let (ModulePath::Text(from), ImportNames::List(entries)) = (&import.path, &import.names)
            && from.as_str() == path
            && !import.is_pub
            && let Some(last) = entries.last()
        {
            return (last.span.end as usize, format!(", {list}"));
        }
    }
    let line = format!("use \"{path}\" {{ {list} }};\n");
    let after = parsed.imports.last().map(|import| import.extent.end).or_else(|| parsed.file_attributes.last().map(|a| a.span.end));
    match after {
        None => (0, line),
        Some(at) if text[..at as usize].ends_with('\n') => (at as usize, line),
        Some(at) => (at as usize, format!("\n{}", line.trim_end())),
    }
}
