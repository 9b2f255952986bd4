//! The pages of `oric explain` are true: each wrong example gives exactly its code, each right one gives nothing.

mod book;

use std::collections::BTreeSet;

use book::{Folder, fences};
use oric::coverage::Coverage;
use oric::project::Project;
use oric::queries::Options;
use oric::session::{Session, Setup, WORKER_STACK};
use syntax::DiagnosticCode;

/// Codes that no small program gives: their sections have no examples.
const WITHOUT_EXAMPLES: [&str; 3] = ["W0511", "E9001", "E9002"];

fn page() -> String {
    std::fs::read_to_string(book::root().join("docs/codes.md")).expect("docs/codes.md can be read")
}

/// Code and text of each section.
fn sections(page: &str) -> Vec<(&str, &str)> {
    page.split("\n## ").skip(1).map(|section| section.split_once('\n').expect("a section has a text")).collect()
}

/// The files of an example: `// file: NAME` starts a further one.
fn files(text: &str, escaped: bool) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![("main.ori".to_owned(), String::new())];
    for line in text.split_inclusive('\n') {
        match line.trim_end().strip_prefix("// file: ") {
            Some(name) => files.push((name.to_owned(), String::new())),
            None => files.last_mut().expect("there is a file").1.push_str(line),
        }
    }
    files.into_iter().map(|(name, text)| (name, if escaped { unescape(&text) } else { text.into_bytes() })).collect()
}

/// `«EF»` is a byte, `«( * 3»` is `(((`.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('«') {
        let (inside, after) = after.split_once('»').expect("« has its »");
        out.extend_from_slice(before.as_bytes());
        match inside.split_once(" * ") {
            Some((text, times)) => out.extend(text.repeat(times.parse().expect("a count")).bytes()),
            None => out.push(u8::from_str_radix(inside, 16).expect("a byte")),
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// The codes that a program gives when it is checked, or built; those of a package, or of a file whose `coverage` is looked at, with its tests.
fn codes(name: &str, files: &[(String, Vec<u8>)], build: bool, package: bool, coverage: bool) -> BTreeSet<&'static str> {
    let folder = Folder::new(name);
    for (name, text) in files {
        folder.write(&if package { format!("src/{name}") } else { name.clone() }, text);
    }
    let project = if package {
        folder.write("ori.toml", b"[project]\nname = \"example\"\n");
        Project::of(&folder.0).expect("the example can be opened")
    } else {
        Project::of_file(&folder.0.join("main.ori")).expect("the example can be opened")
    };
    let judged = if package { Coverage::Error } else { Coverage::Warn };
    let setup = Setup { options: Options::default(), tests: package || coverage, coverage: judged, ..Setup::default() };
    let session = Session::open(project, setup).expect("the example can be loaded");
    let mut found: BTreeSet<&str> = session.diagnostics().expect("nothing interrupts").iter().map(|d| d.code.as_str()).collect();
    if build {
        let main = session.engine.get::<oric::queries::Signature>(&session.main_item()).expect("nothing interrupts");
        found.extend(hir::resolve::check_main((*main).as_deref(), session.project.main).map(|d| d.code.as_str()));
    }
    found
}

#[test]
fn every_example_does_what_its_page_says() {
    let page = page();
    let work = || {
        let mut wrong = Vec::new();
        for (code, text) in sections(&page) {
            let examples: Vec<_> = fences(text).into_iter().filter(|fence| fence.is("ori")).collect();
            if WITHOUT_EXAMPLES.contains(&code) {
                assert!(examples.is_empty(), "{code} has examples now");
                continue;
            }
            assert_eq!(examples.len(), 2, "{code} has a wrong and a right example");
            for (example, expected) in examples.iter().zip([BTreeSet::from([code]), BTreeSet::new()]) {
                let says = |word: &str| example.info.iter().any(|w| w == word);
                let found = codes(code, &files(&example.text, says("escaped")), says("build"), says("package"), says("coverage"));
                if found != expected {
                    wrong.push(format!("{code}: expected {expected:?}, found {found:?} in\n{}", example.text));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(WORKER_STACK).spawn_scoped(scope, work).expect("a thread can be started");
        if let Err(panic) = worker.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn sections_are_codes_in_the_order_of_the_table() {
    let page = page();
    let order: Vec<_> = sections(&page)
        .into_iter()
        .map(|(code, _)| DiagnosticCode::ALL.iter().position(|c| c.as_str() == code).unwrap_or_else(|| panic!("{code} is no code")))
        .collect();
    assert!(order.is_sorted_by(|a, b| a < b), "the sections of docs/codes.md are not in the order of the table");
}

#[test]
fn every_code_that_a_fixture_shows_has_a_page() {
    let page = page();
    let known: BTreeSet<&str> = sections(&page).into_iter().map(|(code, _)| code).collect();
    let fixtures = std::fs::read_dir(book::root().join("fixtures/diagnostics")).expect("fixtures/diagnostics can be read");
    let shown: BTreeSet<String> = fixtures
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.split_once('-').map(|(code, _)| code.to_owned()))
        .filter(|code| DiagnosticCode::from_str(code).is_some())
        .collect();
    assert!(shown.len() > 100, "the fixtures moved");
    let missing: Vec<_> = shown.iter().filter(|code| !known.contains(code.as_str())).collect();
    assert!(missing.is_empty(), "docs/codes.md lacks {missing:?}");
}
