//! Release builds by the command line. `make test` builds `oric-llvm` first; where it is not, only what is said without it is tested.

mod book;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use book::Folder;

/// Text on both streams, cells on the heap, constants with addresses, a panic that is caught and one that is not, with its trace.
const MAIN: &str = "\
type Shape = Circle(r: int) | Square(side: int) | Group(parts: [Shape]);

let $NAMES = [\"a name that is longer than what stays inline\", \"b\"];

@area (of: Shape) -> int = match of {
    Circle(r) -> 3 * r * r,
    Square(side) -> side * side,
    Group(parts) -> { let sum = 0; for part in parts do sum += area(of: part); sum },
};

@applied (f: (int) -> int, n: int) -> int = f(n);

@main (args: [str]) -> int = {
    let shapes = Group(parts: [Circle(r: 2), Square(side: 3), Group(parts: [Circle(r: 1)])]);
    print(msg: `{$NAMES[0]}: {area(of: shapes)} {applied(f: x -> x + args.len(), n: 41)}`);
    let words = {\"one\": 1, \"two\": 2};
    print(msg: `{words} {1.5:.3}`);
    let caught = catch(expr: [1, 2, 3][7 + args.len()]);
    print(msg: match caught { Ok(n) -> `{n}`, Err(why) -> why });
    if args.len() > 0 then panic(msg: `with {args[0]}`);
    7
}
";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The worker that `make llvm` built.
fn worker() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/oric-llvm");
    let found = built.is_file().then_some(built);
    if found.is_none() {
        eprintln!("not tested: oric-llvm is not built ('make llvm')");
    }
    found
}

/// Runs oric with this worker: standard output, standard error, status.
fn oric(folder: &Path, worker: Option<&Path>, args: &[&str]) -> (String, String, i32) {
    started(Path::new(env!("CARGO_BIN_EXE_oric")), folder, worker, args)
}

fn started(oric: &Path, folder: &Path, worker: Option<&Path>, args: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(oric);
    command.current_dir(folder).args(args).env_clear().env("PATH", "/usr/bin:/bin");
    let Output { status, stdout, stderr } = command.envs(worker.map(|worker| ("ORI_LLVM", worker))).output().expect("oric can be started");
    (text(&stdout), text(&stderr), status.code().unwrap_or(-1))
}

/// What the program does, without and with an argument.
fn does(folder: &Path, program: &str) -> Vec<(String, String, Option<i32>)> {
    let run = |args: &[&str]| {
        let output = Command::new(folder.join(program)).args(args).env_clear().env("ORI_CHECK_LEAKS", "1").output().expect("it runs");
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    vec![run(&[]), run(&["an argument"])]
}

#[test]
fn every_level_makes_a_program_that_does_the_same() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-same");
    folder.write("main.ori", MAIN.as_bytes());
    assert_eq!(oric(&folder.0, None, &["build", "main.ori", "-o", "own"]).2, 0);
    let wanted = does(&folder.0, "own");
    assert_eq!((wanted[0].2, wanted[1].2), (Some(7), Some(1)), "{wanted:?}");
    assert!(wanted[1].1.contains("panic: with an argument at main.ori:") && wanted[1].1.contains("@main at main.ori:"), "{wanted:?}");
    for level in ["0", "1", "2", "3", "s", "z"] {
        let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "--opt", level, "main.ori", "-o", "fast"]);
        assert_eq!(status, 0, "-O{level}: {err}");
        assert_eq!(does(&folder.0, "fast"), wanted, "-O{level}");
    }
    let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "--target-cpu", "native", "main.ori", "-o", "fast"]);
    assert_eq!((status, does(&folder.0, "fast")), (0, wanted), "{err}");
    let (out, err, status) = oric(&folder.0, Some(&worker), &["run", "--release", "main.ori"]);
    assert_eq!((out.lines().next(), status), (Some("a name that is longer than what stays inline: 24 41"), 7), "{err}");
}

#[test]
fn what_did_not_change_is_not_made_again() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-again");
    folder.write("main.ori", MAIN.as_bytes());
    let build = |release: bool| {
        let flags: &[&str] = if release { &["build", "--release", "main.ori"] } else { &["build", "main.ori"] };
        let (_, err, status) = oric(&folder.0, Some(&worker), flags);
        assert_eq!(status, 0, "{err}");
        (err, std::fs::read(folder.0.join("main")).expect("it is there"))
    };
    let (_, first) = build(true);
    let (said, again) = build(true);
    assert!(said.contains("up to date") && again == first, "{said}");
    // The development build takes its place, and the release build comes back from the store.
    let (_, own) = build(false);
    assert_ne!(own, first);
    let (said, again) = build(true);
    assert!(said.contains("restored") && again == first, "{said}");
    // A line that moves changes where things stand, and nothing that LLVM sees.
    folder.write("main.ori", format!("// moved\n{MAIN}").as_bytes());
    let (_, moved) = build(true);
    assert_ne!(moved, first);
    let trace = does(&folder.0, "main")[1].1.clone();
    assert!(trace.contains("main.ori:21:"), "{trace}");
}

#[test]
fn what_llvm_makes_can_be_looked_at() {
    let folder = Folder::new("release-emit");
    folder.write("main.ori", MAIN.as_bytes());
    let (out, err, status) = oric(&folder.0, None, &["run", "main.ori", "--dump=llvm.ir:area"]);
    assert!(status == 0 && out.contains("define swiftcc i64 @\"ori.main.area\"") && !out.contains("@\"ori.main.main\"("), "{out}{err}");
    let (_, err, status) = oric(&folder.0, None, &["build", "main.ori", "--emit=llvm-ir"]);
    assert!(status == 2 && err.contains("add --release"), "{err}");
    let (_, err, status) = oric(&folder.0, None, &["run", "main.ori", "--dump=llvm.opt"]);
    assert!(status == 2 && err.contains("add --release"), "{err}");
    let Some(worker) = worker() else { return };
    for (emit, file, begins) in [("llvm-ir", "main.ll", &b"; ModuleID"[..]), ("bc", "main.bc", b"BC"), ("asm", "main.s", b"\t.")] {
        let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "main.ori", "--emit", emit]);
        assert_eq!(status, 0, "{err}");
        assert!(std::fs::read(folder.0.join(file)).expect("it is there").starts_with(begins), "{emit}");
    }
    let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "main.ori", "--emit=obj"]);
    assert_eq!(status, 0, "{err}");
    let linked = Command::new("cc")
        .current_dir(&folder.0)
        .args(["-static", "-nostdlib", "-no-pie", "-Wl,--eh-frame-hdr", "main.o", "main.tables.o", "libori_rt.a", "-o", "by-hand"])
        .output()
        .expect("cc can be started");
    assert!(linked.status.success(), "{}", text(&linked.stderr));
    assert_eq!(does(&folder.0, "by-hand")[0].2, Some(7));
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let folder = Folder::new("release-refused");
    folder.write("main.ori", b"@main () -> void = print(msg: \"here\");\n");
    // Where nothing stands beside it.
    let alone = folder.0.join("oric-alone");
    std::fs::copy(env!("CARGO_BIN_EXE_oric"), &alone).expect("a copy");
    let refused = |worker: Option<&Path>, args: &[&str], says: &str| {
        let (_, err, status) = started(&alone, &folder.0, worker, args);
        assert!(status == 2 && err.contains(says), "{status}: {err}");
    };
    let release = &["build", "--release", "main.ori"][..];
    refused(None, release, "apt install llvm-22-dev");
    refused(None, release, "builds without --release need nothing of this");
    refused(Some(Path::new("/nonexistent")), release, "ORI_LLVM is '/nonexistent', and no program is there");
    refused(Some(Path::new("/bin/false")), release, "oric-llvm ended without an answer");
    refused(None, &["build", "--opt", "2", "main.ori"], "--release");
    refused(None, &["build", "--release", "--opt", "9", "main.ori"], "a level is 0, 1, 2, 3, s or z");
    assert_eq!(oric(&folder.0, None, &["build", "main.ori"]).2, 0, "the development build does without");
    refused(None, &["build", "--release", "--target-cpu", "z80", "main.ori"], "x86-64-v3");
}
