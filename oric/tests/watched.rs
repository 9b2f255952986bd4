//! Programs for those who watch memory: `--allocator=system` and `--sanitize=address`. What valgrind and AddressSanitizer say of the corpus is the gate
//! `watched-memory-check`; here is what the command line says and makes.

mod book;

use std::path::Path;

use book::Folder;
use book::program::{self, MAIN, does, worker};
use object::elf::{DF_BIND_NOW, DT_FLAGS, DT_PLTGOT, FileHeader64, PT_GNU_RELRO, PT_INTERP};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

fn oric(folder: &Path, variables: &[(&str, &Path)], args: &[&str]) -> (String, String, i32) {
    program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), folder, variables, args)
}

/// Where the table of what is bound to shared objects lies, what is read-only behind the start, and is all of it bound before? `None` for a static program.
fn bound(image: &[u8]) -> Option<(u64, std::ops::Range<u64>, bool)> {
    let header = FileHeader64::<object::Endianness>::parse(image).expect("an ELF file");
    let endian = header.endian().expect("of a known byte order");
    let segments = header.program_headers(endian, image).expect("with segments");
    segments.iter().find(|segment| segment.p_type(endian) == PT_INTERP)?;
    let protected =
        segments.iter().find(|segment| segment.p_type(endian) == PT_GNU_RELRO).expect("something is read-only behind the start");
    let start = protected.p_vaddr(endian);
    let entries = segments.iter().find_map(|segment| segment.dynamic(endian, image).transpose()).expect("it names libraries");
    let entries = entries.expect("the table is in the file");
    let entry = |tag: u32| entries.iter().find(|entry| entry.tag32(endian) == Some(tag)).map(|entry| entry.d_val(endian));
    let is_bound = entry(DT_FLAGS).is_some_and(|flags| flags & u64::from(DF_BIND_NOW) != 0);
    Some((entry(DT_PLTGOT).expect("it calls libraries"), start..start + protected.p_memsz(endian), is_bound))
}

/// Nothing that calls go through can be written to when `main` begins.
#[track_caller]
fn is_bound_at_the_start(image: &[u8]) {
    let (table, protected, is_bound) = bound(image).expect("it is linked with libraries");
    assert!(is_bound && protected.contains(&table), "{table:#x} in {protected:#x?}, bound: {is_bound}");
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
    is_bound_at_the_start(&bytes);
    assert_eq!(bound(&std::fs::read(folder.0.join("own")).expect("an executable")), None, "what is static binds nothing");
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
        is_bound_at_the_start(&bytes);
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
