//! Programs for those who watch memory: `--allocator=system` and `--sanitize=address`. What valgrind and AddressSanitizer say of the corpus is the gate
//! `watched-memory-check`; here is what the command line says and makes.

mod book;

use std::path::Path;

use book::Folder;
use book::program::{self, MAIN, does, worker};

fn oric(folder: &Path, variables: &[(&str, &Path)], args: &[&str]) -> (String, String, i32) {
    program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), folder, variables, args)
}

#[test]
fn programs_with_memory_of_the_system_do_the_same() {
    let folder = Folder::new("watched-same");
    folder.write("main.ori", MAIN.as_bytes());
    assert_eq!(oric(&folder.0, &[], &["build", "main.ori", "-o", "own"]).2, 0);
    let wanted = does(&folder.0, "own");
    let (_, err, status) = oric(&folder.0, &[], &["build", "--allocator=system", "main.ori", "-o", "system"]);
    assert_eq!(status, 0, "{err}");
    assert_eq!(does(&folder.0, "system"), wanted);
    let bytes = std::fs::read(folder.0.join("system")).expect("an executable");
    assert!(bytes.windows(7).any(|name| name == b"malloc\0"), "it takes memory from somewhere else");
    let (out, err, status) = oric(&folder.0, &[], &["run", "--quiet", "--allocator=system", "main.ori"]);
    assert_eq!((out.as_str(), status), (wanted[0].0.as_str(), 7), "{err}");
    // The one of before is there again, and has nothing of it.
    let (_, err, status) = oric(&folder.0, &[], &["build", "main.ori", "-o", "system"]);
    assert_eq!((status, std::fs::read(folder.0.join("system")).ok()), (0, std::fs::read(folder.0.join("own")).ok()), "{err}");
    let Some(worker) = worker() else { return };
    let worker = [("ORI_LLVM", worker.as_path())];
    for flags in [&["--allocator=system"][..], &["--sanitize=address"], &["--sanitize=address", "--opt", "0", "--codegen-units", "3"]] {
        let (_, err, status) = oric(&folder.0, &worker, &[&["build", "--release", "main.ori", "-o", "watched"], flags].concat());
        if err.contains("needs clang-22") || err.contains("needs libclang_rt") {
            assert_eq!(status, 2, "{err}");
            eprintln!("not tested: {err}");
            continue;
        }
        assert_eq!(status, 0, "{flags:?}: {err}");
        assert_eq!(does(&folder.0, "watched"), wanted, "{flags:?}");
        let bytes = std::fs::read(folder.0.join("watched")).expect("an executable");
        let is_checked = bytes.windows(13).any(|name| name == b"__asan_report");
        assert_eq!(is_checked, flags[0] == "--sanitize=address", "{flags:?}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_said_in_a_line() {
    let folder = Folder::new("watched-refused");
    folder.write("main.ori", b"@main () -> void = print(msg: \"here\");\n");
    let refused = |variables: &[(&str, &Path)], args: &[&str], says: &str| {
        let (out, err, status) = oric(&folder.0, variables, args);
        assert!(status == 2 && err.contains(says) && out.is_empty(), "{status}: {err}");
        assert!(says.starts_with("--") || err.trim_end().lines().count() == 1, "{err}");
    };
    let nowhere = ("PATH", Path::new("/nonexistent"));
    let any = ("ORI_LLVM", Path::new("/bin/true"));
    refused(&[nowhere], &["build", "--allocator=system", "main.ori"], "apt install build-essential");
    refused(&[nowhere, any], &["build", "--release", "--sanitize=address", "main.ori"], "apt install clang-22 libclang-rt-22-dev");
    refused(
        &[("ORI_LINKER", Path::new("/usr/bin/ld"))],
        &["build", "--allocator=system", "main.ori"],
        "ORI_LINKER must be a compiler's driver",
    );
    // A driver whose compiler has no such runtime.
    let gcc = ("ORI_LINKER", Path::new("/usr/bin/cc"));
    refused(&[gcc, any], &["build", "--release", "--sanitize=address", "main.ori"], "needs libclang_rt.asan-x86_64.a");
    refused(&[], &["build", "--sanitize=address", "main.ori"], "--release");
    refused(&[], &["run", "--interp", "--allocator=system", "main.ori"], "--interp");
}
