//! `ORI_LINKER`: what other linkers make does what the executables of the built-in one do. `make test` installs lld and mold; a linker that is not here is
//! said to be missing, and `cc` and `ld` always are: the compiler itself was linked by them.

mod book;

use std::path::Path;

use book::Folder;
use book::program::{self, MAIN, does};

/// Runs oric with this linker: standard output, standard error, status.
fn oric(folder: &Path, linker: Option<&str>, args: &[&str]) -> (String, String, i32) {
    let linker = linker.map(|linker| ("ORI_LINKER", Path::new(linker)));
    program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), folder, linker.as_slice(), args)
}

/// Is it installed?
fn is_here(linker: &str) -> bool {
    let path = std::env::var_os("PATH");
    oric::foreign::Linker::find(linker, path.as_ref()).is_ok()
}

#[test]
fn every_linker_makes_a_program_that_does_the_same() {
    let folder = Folder::new("linker-same");
    folder.write("main.ori", MAIN.as_bytes());
    let (_, err, status) = oric(&folder.0, None, &["build", "main.ori", "-o", "own"]);
    assert_eq!(status, 0, "{err}");
    let wanted = does(&folder.0, "own");
    assert_eq!((wanted[0].2, wanted[1].2), (Some(7), Some(1)), "{wanted:?}");
    assert!(wanted[0].0.starts_with("a name that is longer than what stays inline: 24 41\n"), "{wanted:?}");
    assert!(wanted[1].1.contains("panic: with an argument at main.ori:") && wanted[1].1.contains("@main at main.ori:"), "{wanted:?}");
    let mut linked = 0;
    for linker in ["lld", "mold", "/usr/bin/ld", "/usr/bin/cc", "/usr/bin/ld.gold"] {
        if !is_here(linker) {
            eprintln!("not installed: {linker}");
            continue;
        }
        let (out, err, status) = oric(&folder.0, Some(linker), &["build", "main.ori", "-o", "theirs"]);
        assert_eq!((out.as_str(), status), ("", 0), "{linker}: {err}");
        assert!(!err.contains("warning") && err.contains("bytes) in"), "{linker}: {err}");
        assert_eq!(does(&folder.0, "theirs"), wanted, "{linker}");
        let (out, err, status) = oric(&folder.0, Some(linker), &["run", "--quiet", "main.ori"]);
        assert_eq!((out.as_str(), status), (wanted[0].0.as_str(), 7), "{linker}: {err}");
        linked += 1;
    }
    assert!(linked >= 2, "cc and ld are not in /usr/bin");
}

#[test]
fn what_another_linker_made_is_remembered_and_never_patched() {
    let folder = Folder::new("linker-remembered");
    folder.write("main.ori", MAIN.as_bytes());
    let build = |linker: Option<&str>| {
        let (_, err, status) = oric(&folder.0, linker, &["build", "main.ori"]);
        assert_eq!(status, 0, "{err}");
        let inside = err.rsplit_once("bytes").and_then(|(_, rest)| rest.split_once(')')).map(|(inside, _)| inside.to_owned());
        inside.unwrap_or_else(|| panic!("no summary: {err}"))
    };
    let bytes = || std::fs::read(folder.0.join("main")).expect("an executable");
    let ld = Some("/usr/bin/ld");
    assert_eq!(build(ld), "");
    let first = bytes();
    assert_eq!(build(ld), ", up to date");
    // Another linker is another executable, there and back again.
    assert_eq!(build(None), "");
    assert_ne!(bytes(), first);
    assert_eq!(build(ld), ", restored");
    assert!(bytes() == first);
    folder.write("main.ori", MAIN.replace("    7\n}", "    8\n}").as_bytes());
    assert_eq!(build(ld), "");
    assert_eq!(does(&folder.0, "main")[0].2, Some(8));
    folder.write("main.ori", MAIN.as_bytes());
    assert_eq!(build(None), ", restored");
    assert_eq!(does(&folder.0, "main")[0].2, Some(7));
}

#[test]
fn tests_run_in_what_another_linker_made() {
    let folder = Folder::new("linker-tests");
    folder.write("main.ori", b"@twice (n: int) -> int = n * 2;\n@doubles tests @twice () -> void = assert_eq(actual: twice(n: 4), expected: 8);\n@wrong tests @twice () -> void = assert_eq(actual: twice(n: 4), expected: 9);\n");
    let (_, err, status) = oric(&folder.0, Some("/usr/bin/ld"), &["test", "main.ori"]);
    assert_eq!(status, 1, "{err}");
    assert!(err.contains("1 passed") && err.contains("1 failed"), "{err}");
}

#[test]
fn a_linker_that_is_none_is_a_clear_error() {
    let folder = Folder::new("linker-none");
    folder.write("main.ori", MAIN.as_bytes());
    for (value, message) in [
        (
            "gold",
            "error: ORI_LINKER must be 'lld', 'mold' or a path with a '/' to a linker, found 'gold'; unset it for the built-in linker\n",
        ),
        (
            "/nowhere/ld",
            "error: ORI_LINKER is '/nowhere/ld', and no program is there; name one that is, or unset ORI_LINKER for the built-in linker\n",
        ),
    ] {
        for verb in ["build", "run", "check", "test"] {
            let (out, err, status) = oric(&folder.0, Some(value), &[verb, "main.ori"]);
            assert_eq!((out.as_str(), err.as_str(), status), ("", message, 2), "{verb}");
        }
    }
    // It refuses, or it is no linker at all: nothing is left at the path, and nothing is remembered.
    for (linker, said) in
        [("/bin/false", "false (ORI_LINKER) cannot link main:\nexit status: 1"), ("/bin/true", "it ended well and wrote nothing")]
    {
        let (_, err, status) = oric(&folder.0, Some(linker), &["build", "main.ori"]);
        assert_eq!(status, 2, "{err}");
        assert!(err.contains(said), "{err}");
        assert!(!folder.0.join("main").exists());
    }
}
