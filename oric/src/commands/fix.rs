//! `oric fix`: makes the changes that diagnostics offer and are sure of.
//!
//! Everything happens in memory first: the engine gets the changed texts as inputs and checks again. What made a file worse is taken back, and tried one
//! diagnostic at a time. Only when nothing is left to change are files written, so that a stop half way leaves all of them as they were.

mod skeletons;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use ir::Symbol;
use serde_json::json;
use syntax::{Diagnostic, Severity};

use super::{elapsed, plural};
use crate::cli::{FAILED, Output, REFUSED};
use crate::coverage;
use crate::project::SourceFile;
use crate::queries;
use crate::report::human::BYTE_ORDER_MARK;
use crate::report::{Found, Sources, find, sort};
use crate::session::Session;

/// Changes can make others possible; more rounds than this mean that they chase each other.
const ROUNDS: usize = 16;

/// A change of one file: a range of bytes and what stands there instead.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Change {
    module: Symbol,
    /// The file on screen.
    path: String,
    start: usize,
    end: usize,
    text: String,
}

/// What one diagnostic offers; it is made as a whole or not at all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Fix {
    code: &'static str,
    /// `file:line:column` of the diagnostic.
    place: String,
    message: String,
    changes: Vec<Change>,
}

/// Errors of syntax, other errors, warnings: fewer of the first is better, whatever it brings to light.
type Badness = (usize, usize, usize);

/// The program as it would be.
struct State {
    diagnostics: Vec<Diagnostic>,
    badness: Badness,
}

/// Fixes what can be fixed; the exit status.
pub fn fix(session: &mut Session, dry: bool, started: Instant, output: &Output) -> i32 {
    let before: BTreeMap<Symbol, SourceFile> = texts(session);
    let mut state = look(session);
    let (mut made, mut refused): (Vec<Fix>, BTreeSet<Fix>) = (Vec::new(), BTreeSet::new());
    for _ in 0..ROUNDS {
        let offered: Vec<Fix> = fixes(session, &state.diagnostics).into_iter().filter(|fix| !refused.contains(fix)).collect();
        let chosen = without_overlaps(offered);
        if chosen.is_empty() {
            break;
        }
        match attempt(session, &state, &chosen) {
            Some(better) => {
                state = better;
                made.extend(chosen);
            }
            // Together they did harm: each for itself, as long as it does none. One that is made moves the others, so the next round finds them again.
            None => {
                let one = chosen.into_iter().find_map(|fix| {
                    let better = attempt(session, &state, std::slice::from_ref(&fix));
                    if better.is_none() {
                        refused.insert(fix.clone());
                    }
                    better.map(|better| (fix, better))
                });
                let Some((fix, better)) = one else { continue };
                state = better;
                made.push(fix);
            }
        }
    }
    for fix in skeletons::fixes(session, &state.diagnostics) {
        if let Some(better) = attempt(session, &state, std::slice::from_ref(&fix)) {
            state = better;
            made.push(fix);
        }
    }
    report(session, &before, &made, &state, dry, started, output)
}

/// Shows and writes what came out.
fn report(
    session: &Session,
    before: &BTreeMap<Symbol, SourceFile>,
    made: &[Fix],
    state: &State,
    dry: bool,
    started: Instant,
    output: &Output,
) -> i32 {
    for fix in made {
        let edits: Vec<_> =
            fix.changes.iter().map(|c| json!({ "file": c.path, "byte_start": c.start, "byte_end": c.end, "text": c.text })).collect();
        output.event(
            &json!({ "reason": "fix", "code": fix.code, "place": fix.place, "message": fix.message, "edits": edits, "applied": !dry }),
        );
        if !dry {
            output.result(&format!("{}: fixed {}: {}\n", fix.place, fix.code, fix.message));
        }
    }
    let mut files = 0;
    for (module, new) in texts(session) {
        // A file that was not there before is one without text.
        let nothing = SourceFile { path: new.path.clone(), text: String::new(), malformed: None, rival: None };
        let old = before.get(&module).unwrap_or(&nothing);
        if new.text == old.text {
            continue;
        }
        files += 1;
        let path = session.shown(&old.path);
        if dry {
            output.result(&difference(&path, &old.text, &new.text));
        } else if let Err(error) = write(session, old, &new.text) {
            output.failure(&format!("cannot write {path}: {error}"));
            return REFUSED;
        } else if !before.contains_key(&module) {
            output.result(&format!("{path}: created\n"));
        }
    }
    output.diagnostics(&state.diagnostics, session);
    for path in elsewhere(session, &state.diagnostics) {
        output.result(&format!("{path}: left as it is, being of another package; `oric fix {path}` changes it\n"));
    }
    let left = state.diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error).count();
    let verb = if dry { "would be made" } else { "made" };
    let count = made.len();
    output.summary(&format!(
        "fix: {count} change{} {verb} in {files} file{}, {left} error{} left, in {}",
        plural(count),
        plural(files),
        plural(left),
        elapsed(started)
    ));
    if left > 0 { FAILED } else { 0 }
}

/// The sources of the program.
fn texts(session: &Session) -> BTreeMap<Symbol, SourceFile> {
    session.modules.iter().filter_map(|module| Some((*module, (*session.file(*module)?).clone()))).collect()
}

/// Checks the program.
fn look(session: &mut Session) -> State {
    let diagnostics = session.ask(Session::diagnostics);
    let mut badness = (0, 0, 0);
    // That a function has no test shows only once nothing is wrong with it.
    for diagnostic in diagnostics.iter().filter(|diagnostic| !coverage::is_about(diagnostic)) {
        match diagnostic.severity() {
            Severity::Error if is_of_syntax(session, diagnostic) => badness.0 += 1,
            Severity::Error => badness.1 += 1,
            Severity::Warning => badness.2 += 1,
        }
    }
    State { diagnostics, badness }
}

/// Did the parser find it?
fn is_of_syntax(session: &mut Session, diagnostic: &Diagnostic) -> bool {
    let module = module_of(diagnostic.anchor);
    let file = session.ask(|session| session.engine.get::<queries::Parse>(&module));
    file.diagnostics.contains(diagnostic)
}

/// Are all of them in the package that was named? Other packages are other people's, and have programs that this one does not see.
fn own_alone(changes: &[Change]) -> bool {
    changes.iter().all(|change| hir::resolve::package_of(change.module).is_empty())
}

/// Files of other packages for which something is offered.
fn elsewhere(session: &Session, diagnostics: &[Diagnostic]) -> BTreeSet<String> {
    let sure = diagnostics.iter().flat_map(|diagnostic| &diagnostic.edits).filter(|edit| edit.machine_applicable);
    let modules = sure.map(|edit| module_of(edit.anchor)).filter(|module| !hir::resolve::package_of(*module).is_empty());
    modules.filter_map(|module| Some(session.shown(&session.file(module)?.path))).collect()
}

fn module_of(anchor: syntax::Anchor) -> Symbol {
    match anchor {
        syntax::Anchor::Module(module) => module,
        syntax::Anchor::Item(item) => item.module(),
    }
}

/// What is offered and sure, in the order of places.
fn fixes(session: &Session, diagnostics: &[Diagnostic]) -> Vec<Fix> {
    let mut sorted = diagnostics.to_vec();
    sort(session, &mut sorted);
    let mut fixes: Vec<Fix> = Vec::new();
    for diagnostic in &sorted {
        if diagnostic.edits.is_empty() || !diagnostic.edits.iter().all(|edit| edit.machine_applicable) {
            continue;
        }
        let Some(at) = find(session, diagnostic.anchor, diagnostic.span) else { continue };
        let changes: Option<Vec<Change>> = diagnostic
            .edits
            .iter()
            .map(|edit| {
                let Found { start, end, file, path } = find(session, edit.anchor, edit.span)?;
                // What is not text cannot be written back as text.
                let module = session.modules.iter().copied().find(|module| session.file(*module).is_some_and(|f| f.path == file.path))?;
                file.malformed.is_none().then(|| Change { module, path, start, end, text: edit.text.clone() })
            })
            .collect();
        let Some(mut changes) = changes else { continue };
        if !own_alone(&changes) {
            continue;
        }
        changes.sort();
        let (line, column) = at.line_column();
        fixes.push(Fix {
            code: diagnostic.code.as_str(),
            place: format!("{}:{line}:{column}", at.path),
            message: syntax::diagnostic::message(diagnostic),
            changes,
        });
    }
    fixes
}

/// Those that can be made together, the first of each conflict. Two that ask for the very same change both have it.
fn without_overlaps(fixes: Vec<Fix>) -> Vec<Fix> {
    let mut chosen: Vec<Fix> = Vec::new();
    for fix in fixes {
        let clashes = |a: &Change, b: &Change| a != b && a.module == b.module && a.start <= b.end && b.start <= a.end;
        let taken = || chosen.iter().flat_map(|other| &other.changes);
        if !fix.changes.iter().any(|change| taken().any(|other| clashes(change, other))) {
            chosen.push(fix);
        }
    }
    chosen
}

/// Makes these fixes and checks again; `None`, and the program is as it was, when that made it worse.
fn attempt(session: &mut Session, state: &State, fixes: &[Fix]) -> Option<State> {
    let mut changes: BTreeMap<Symbol, BTreeSet<&Change>> = BTreeMap::new();
    for change in fixes.iter().flat_map(|fix| &fix.changes) {
        changes.entry(change.module).or_default().insert(change);
    }
    let mut old: Vec<(Symbol, SourceFile)> = Vec::new();
    for (module, changes) in &changes {
        let file = session.file(*module)?;
        let mut text = file.text.clone();
        for change in changes.iter().rev() {
            text.replace_range(change.start..change.end, &change.text);
        }
        old.push((*module, (*file).clone()));
        put(session, *module, SourceFile { text, ..(*file).clone() });
    }
    let after = look(session);
    // An error that was hidden by another one may take its place.
    let is_worse = after.badness.0 > state.badness.0
        || after.badness.0 == state.badness.0
            && (after.badness.1 > state.badness.1 || after.badness.1 == state.badness.1 && after.badness.2 > state.badness.2);
    if !is_worse {
        return Some(after);
    }
    for (module, file) in old {
        put(session, module, file);
    }
    None
}

/// Gives the engine another text.
fn put(session: &mut Session, module: Symbol, file: SourceFile) {
    let set = session.engine.edit(|engine| engine.set::<queries::Source>(&module, file));
    if set.is_err() {
        panic!("nothing is stored that could be damaged");
    }
}

/// Writes a text where the old one was read, with the line ends that the file has.
fn write(session: &Session, old: &SourceFile, text: &str) -> std::io::Result<()> {
    let path = session.project.package.join(&old.path);
    if !path.exists() && old.text.is_empty() {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        return std::fs::write(path, text);
    }
    let raw = std::fs::read_to_string(&path)?;
    let has_carriage_returns = raw.contains("\r\n");
    if raw != old.text && (!has_carriage_returns || raw.replace("\r\n", "\n") != old.text) {
        return Err(std::io::Error::other("it was changed in the meantime"));
    }
    let text = if has_carriage_returns { text.replace('\n', "\r\n") } else { text.to_owned() };
    // The file stays what it is: its permissions, its owner, the links to it.
    std::fs::write(path, text)
}

/// The lines that differ, as a patch shows them.
pub(super) fn difference(path: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let mut out = format!("--- {path}\n+++ {path}\n");
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        // The nearest pair of lines that are equal again.
        let longest = old.len() - i + new.len() - j;
        let (mut skip, mut take) = (old.len() - i, new.len() - j);
        'near: for sum in 1..=longest {
            for down in 0..=sum {
                let right = sum - down;
                if i + down < old.len() && j + right < new.len() && old[i + down] == new[j + right] {
                    (skip, take) = (down, right);
                    break 'near;
                }
            }
        }
        let unseen = match old[i..i + skip].join("\n").strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if rest == new[j..j + take].join("\n") => " without the byte order mark, which no screen shows",
            Some(_) | None => "",
        };
        out.push_str(&format!("@@ -{},{skip} +{},{take} @@{unseen}\n", i + 1, j + 1));
        old[i..i + skip].iter().for_each(|line| out.push_str(&format!("-{line}\n")));
        new[j..j + take].iter().for_each(|line| out.push_str(&format!("+{line}\n")));
        (i, j) = (i + skip, j + take);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_difference_shows_lines_that_changed_went_or_came() {
        let shown = difference("a.ori", "one\ntwo\nthree\nfour\n", "one\n2\nthree\nfour\nfive\n");
        assert_eq!(shown, "--- a.ori\n+++ a.ori\n@@ -2,1 +2,1 @@\n-two\n+2\n@@ -5,0 +5,1 @@\n+five\n");
        let shown = difference("a.ori", "\u{FEFF}one\ntwo\n", "one\ntwo\n");
        let words = "without the byte order mark, which no screen shows";
        assert_eq!(shown, format!("--- a.ori\n+++ a.ori\n@@ -1,1 +1,1 @@ {words}\n-\u{FEFF}one\n+one\n"));
    }
}
