//! The tree keeps its own rules: maps that lead somewhere, files that a person can hold, no rooms without a concept.

use std::path::{Path, PathBuf};

use verify::corpus;

const LONGEST: usize = 800;
const BANNED: [&str; 5] = ["utils", "helpers", "helper", "common", "misc"];
const CRATES: [&str; 13] = ["ir", "syntax", "hir", "mir", "lir", "machine", "codegen", "rt", "query", "oric", "verify", "fixtures", "docs"];

fn below(folder: &Path, extensions: &[&str], out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with(".git") {
                below(&path, extensions, out);
            }
        } else if path.extension().is_some_and(|e| extensions.iter().any(|wanted| e == *wanted)) {
            out.push(path);
        }
    }
}

fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for name in CRATES {
        below(&corpus::root().join(name), extensions, &mut out);
    }
    out
}

fn shown(path: &Path) -> String {
    path.strip_prefix(corpus::root()).unwrap_or(path).display().to_string()
}

/// The only door: nothing may be found.
#[track_caller]
fn check(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn there_are_sources_to_look_at() {
    assert!(files(&["rs"]).len() > 200);
}

#[test]
fn every_path_that_the_architecture_links_exists() {
    let page = corpus::root().join("ARCHITECTURE.md");
    let text = read(&page);
    let links: Vec<&str> =
        text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.contains("://")).collect();
    assert!(links.len() > 10, "{links:?}");
    let missing = links.iter().filter(|link| !corpus::root().join(link.split('#').next().unwrap_or_default()).exists());
    check(missing.map(|link| format!("ARCHITECTURE.md links {link}, which does not exist")).collect());
}

#[test]
fn every_room_in_the_table_of_a_crate_exists() {
    let mut found = Vec::new();
    let mut rooms = 0;
    for lib in files(&["rs"]).into_iter().filter(|path| path.ends_with("src/lib.rs")) {
        let folder = lib.parent().unwrap_or(Path::new(""));
        for line in read(&lib).lines().filter(|line| line.starts_with("//! | [`")) {
            let name = line.trim_start_matches("//! | [`").split('`').next().unwrap_or_default();
            let name = name.trim_start_matches("mod@");
            rooms += 1;
            let exists = folder.join(format!("{name}.rs")).is_file() || folder.join(name).join("mod.rs").is_file();
            // A row may name an item of the crate's root instead of a module.
            if !exists && !read(&lib).lines().any(|line| !line.starts_with("//!") && line.contains(name)) {
                found.push(format!("{}: there is no room {name}", shown(&lib)));
            }
        }
    }
    assert!(rooms > 40, "{rooms}");
    check(found);
}

#[test]
fn no_file_is_longer_than_a_person_can_hold() {
    let long = |path: &PathBuf| Some(read(path).lines().count()).filter(|&lines| lines > LONGEST);
    check(files(&["rs"]).iter().filter_map(|path| Some(format!("{}: {} lines", shown(path), long(path)?))).collect());
}

#[test]
fn every_module_opens_with_its_idea() {
    // The tests of `x.rs` belong to its idea.
    let silent = files(&["rs"]).into_iter().filter(|path| !path.ends_with("tests.rs")).filter(|path| {
        let text = read(path);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
        // Attributes of a crate may stand first.
        !(first.starts_with("//!") || first.is_empty() || first.starts_with("#![") && text.contains("\n//! "))
    });
    check(silent.map(|path| format!("{} does not open with //!", shown(&path))).collect());
}

#[test]
fn no_module_is_named_for_nothing() {
    let bad = files(&["rs"]).into_iter().filter(|path| {
        let name = path.strip_prefix(corpus::root()).unwrap_or(path);
        name.iter().any(|part| BANNED.contains(&part.to_string_lossy().trim_end_matches(".rs")))
    });
    check(bad.map(|path| shown(&path)).collect());
}

#[test]
fn no_path_of_a_machine_is_in_the_tree() {
    // Put together here, so that this file does not hold them.
    let banned = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat(), ["/ho", "me/"].concat(), ["/t", "mp/"].concat()];
    let mut found = Vec::new();
    for path in files(&["rs", "toml", "ori", "ir", "snap", "md", "c"]) {
        for (at, line) in read(&path).lines().enumerate() {
            if banned.iter().any(|word| line.contains(word.as_str())) {
                found.push(format!("{}:{}: {line}", shown(&path), at + 1));
            }
        }
    }
    check(found);
}
