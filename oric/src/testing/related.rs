//! Which tests reach something that stands in some files.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ir::Symbol;
use query::{Interrupt, NodeId, Query};

use super::Test;
use crate::queries::{self, How};
use crate::session::Session;

/// For each test: does its code depend on an item of one of these modules? One that has no code is told by what its file imports.
pub fn related(session: &mut Session, tests: &[Test], modules: &[Symbol]) -> Vec<bool> {
    if tests.iter().any(|test| matches!(test.row.how, How::Run(_))) {
        session.generate(queries::tests_item());
    }
    for test in tests.iter().filter(|test| matches!(test.row.how, How::Run(_))) {
        session.ask(|session| session.engine.get::<queries::TestCode>(&test.row.item));
    }
    let reached = session.ask(|session| dependents(session, modules));
    let mut found = Vec::with_capacity(tests.len());
    for test in tests {
        found.push(match test.row.how {
            How::Run(_) => {
                let node = session.ask(|session| session.engine.node::<queries::TestCode>(&test.row.item));
                node.is_some_and(|node| reached.contains(&node))
            }
            How::Skip | How::Compare | How::Broken => {
                let imported = session.ask(|session| session.engine.get::<queries::Modules>(&test.row.item.module()));
                imported.iter().any(|module| modules.contains(module))
            }
        });
    }
    found
}

/// The code of tests that was made from an item of these modules, through whatever lies between.
fn dependents(session: &Session, modules: &[Symbol]) -> Result<HashSet<NodeId>, Interrupt> {
    let engine = &session.engine;
    let mut open = Vec::new();
    for module in modules {
        for entry in &engine.get::<queries::Parse>(module)?.items {
            open.extend(engine.node::<queries::Item>(&entry.id)?);
        }
    }
    let mut seen: HashSet<NodeId> = open.iter().copied().collect();
    let mut found = HashSet::new();
    while let Some(node) = open.pop() {
        for asker in engine.asked_by(node)? {
            // What asked for it once need not do so now.
            if seen.contains(&asker) || !engine.view_of(asker)?.deps.contains(&node) {
                continue;
            }
            seen.insert(asker);
            if engine.kind_of(asker)? == queries::TestCode::KIND {
                found.insert(asker);
            } else {
                open.push(asker);
            }
        }
    }
    Ok(found)
}

/// The modules of the program that these files define, or that are below these folders, and what is neither.
pub fn modules_of(session: &mut Session, files: &[PathBuf]) -> (Vec<Symbol>, Vec<PathBuf>) {
    let real = |file: &PathBuf| std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
    let mut wanted: Vec<(PathBuf, &PathBuf, bool)> = files.iter().map(|file| (real(file), file, false)).collect();
    let mut found = Vec::new();
    for module in session.modules.clone() {
        let name = session.ask(|session| session.engine.get::<queries::ModuleFile>(&module));
        let path = (*name).as_ref().map(|name| session.project.package.join(&name.path));
        let Some(path) = path.and_then(|path| std::fs::canonicalize(path).ok()) else { continue };
        let mut is_wanted = false;
        for (file, _, is_found) in wanted.iter_mut().filter(|(file, ..)| path.starts_with(file)) {
            // A folder of git that is a project of its own is all that is said of what changed in it.
            if *file == path || file.is_dir() {
                (is_wanted, *is_found) = (true, true);
            }
        }
        if is_wanted {
            found.push(module);
        }
    }
    (found, wanted.into_iter().filter(|(.., is_found)| !is_found).map(|(_, file, _)| file.clone()).collect())
}

/// Files below a folder that differ from a commit of git, those that git does not know yet among them. `Err` says why there is no answer.
pub fn changed_since(folder: &Path, commit: &str) -> Result<Vec<PathBuf>, String> {
    if commit.is_empty() || commit.starts_with('-') {
        return Err(format!("'{commit}' is no commit"));
    }
    let mut files = git(folder, &["diff", "--name-only", "-z", "--relative", commit, "--", "."])?;
    files.extend(git(folder, &["ls-files", "-z", "--others", "--exclude-standard", "--", "."])?);
    // Of sources that git is told to ignore it cannot say that they did not change.
    files.extend(git(folder, &["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--", "*.ori"])?);
    Ok(files.into_iter().map(|file| folder.join(file)).collect())
}

/// Paths that git prints, with zeros between them.
fn git(folder: &Path, args: &[&str]) -> Result<Vec<PathBuf>, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(args).output().map_err(|error| format!("cannot start git: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git: {}", said.lines().next().unwrap_or("no answer").trim_start_matches("fatal: ")));
    }
    let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Ok(paths.map(|path| PathBuf::from(OsStr::from_bytes(path))).collect())
}
