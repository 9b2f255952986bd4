//! A package of more than a thousand lines, an interpreter of a small language with its tests, as its author uses it.

mod book;

use std::path::{Path, PathBuf};
use std::process::Command;

use book::Folder;

fn copy(from: &Path, below: &Path, to: &Folder) {
    for entry in std::fs::read_dir(from.join(below)).expect("the package can be read").flatten() {
        let path = below.join(entry.file_name());
        if entry.path().is_dir() {
            copy(from, &path, to);
        } else {
            to.write(&path.to_string_lossy(), &std::fs::read(entry.path()).expect("a file can be read"));
        }
    }
}

#[test]
fn a_language_of_its_own_is_checked_tested_and_run() {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/programs/mica");
    let folder = Folder::new("package-mica");
    copy(&source, Path::new(""), &folder);
    let oric = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oric"));
        let output =
            command.current_dir(&folder.0).args(args).env_clear().env("ORI_CHECK_LEAKS", "1").output().expect("oric can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    let lines = lines_in(&folder.0.join("src"));
    assert!(lines > 1000, "{lines} lines");
    let (_, stderr, status) = oric(&["check"]);
    assert_eq!(status, Some(0), "{stderr}");
    let (_, stderr, status) = oric(&["test", "--all"]);
    assert!(status == Some(0) && stderr.contains("27 passed"), "{stderr}");
    let expected = std::fs::read_to_string(source.join("expected.txt")).expect("what it prints is known");
    for engine in ["--quiet", "--interp"] {
        let (stdout, stderr, status) = oric(&["run", engine]);
        assert_eq!((stdout.as_str(), status), (expected.as_str(), Some(0)), "{stderr}");
    }
}

/// Lines of Ori in a folder and those below.
fn lines_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let lines = |path: PathBuf| match path.is_dir() {
        true => lines_in(&path),
        false if path.extension().is_some_and(|end| end == "ori") => std::fs::read_to_string(path).map_or(0, |text| text.lines().count()),
        false => 0,
    };
    entries.map(|entry| lines(entry.path())).sum()
}
