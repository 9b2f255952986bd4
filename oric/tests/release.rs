//! Release builds by the command line. `make test` builds `oric-llvm` first; where it is not, only what is said without it is tested.

mod book;

use std::path::Path;
use std::process::Command;

use book::Folder;
use book::program::{self, MAIN, does, text, worker};

/// Runs oric with this worker: standard output, standard error, status.
fn oric(folder: &Path, worker: Option<&Path>, args: &[&str]) -> (String, String, i32) {
    started(Path::new(env!("CARGO_BIN_EXE_oric")), folder, worker, args)
}

/// No `oric-llvm` that somebody installed for himself is found.
fn started(oric: &Path, folder: &Path, worker: Option<&Path>, args: &[&str]) -> (String, String, i32) {
    let path = ("PATH", Path::new("/usr/bin:/bin"));
    program::oric(oric, folder, &worker.map_or(vec![path], |worker| vec![path, ("ORI_LLVM", worker)]), args)
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
fn builds_of_both_kinds_take_turns_and_nothing_is_linked_again() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-turns");
    folder.write("main.ori", MAIN.as_bytes());
    let seen = || {
        let links = folder.0.join(".ori/link");
        let names = std::fs::read_dir(&links).unwrap_or_else(|error| panic!("{}: {error}", links.display()));
        let row = |entry: std::fs::DirEntry| {
            let about = entry.metadata().expect("it is there");
            (entry.file_name(), std::os::unix::fs::MetadataExt::ino(&about), about.modified().expect("a time"))
        };
        let mut rows: Vec<_> = names.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())).map(row).collect();
        rows.sort();
        rows
    };
    let run = |flags: &[&str]| {
        let (out, err, status) = oric(&folder.0, Some(&worker), &[&["run"], flags, &["main.ori"]].concat());
        assert_eq!((out.lines().next(), status), (Some("a name that is longer than what stays inline: 24 41"), 7), "{err}");
    };
    run(&[]);
    run(&["--release"]);
    let first = seen();
    assert!(first.len() >= 2, "{first:?}");
    run(&[]);
    run(&["--release"]);
    assert_eq!(seen(), first);
}

#[test]
fn a_linker_that_nobody_named_is_not_said_to_be_named() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-linker");
    folder.write("main.ori", b"@main () -> void = print(msg: \"here\");\n");
    let tools = folder.0.join("tools");
    std::fs::create_dir(&tools).expect("a folder");
    std::os::unix::fs::symlink("/bin/false", tools.join("ld.lld")).expect("a link");
    let variables = [("PATH", tools.as_path()), ("ORI_LLVM", &worker)];
    let (_, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &variables, &["build", "--release", "main.ori"]);
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("ld.lld (found in PATH; ORI_LINKER names another) cannot link main:"), "{err}");
}

#[test]
fn a_fact_that_is_left_out_is_another_build_of_the_same_program() {
    let folder = Folder::new("release-facts");
    folder.write("main.ori", MAIN.as_bytes());
    let (_, err, status) = oric(&folder.0, None, &["build", "--no-fact", "cold", "main.ori"]);
    assert!(status == 2 && err.contains("--release"), "{status}: {err}");
    let (_, err, status) = oric(&folder.0, None, &["build", "--release", "--no-fact", "colt", "main.ori"]);
    assert!(status == 2 && err.contains("[possible values: nounwind, cold, weights]"), "{status}: {err}");
    let Some(worker) = worker() else { return };
    let build = |flags: &[&str]| {
        let (_, err, status) = oric(&folder.0, Some(&worker), &[&["build", "--release", "main.ori"], flags].concat());
        assert_eq!(status, 0, "{flags:?}: {err}");
        err
    };
    build(&[]);
    let wanted = does(&folder.0, "main");
    for fact in ["nounwind", "cold", "weights"] {
        let said = build(&["--no-fact", fact]);
        assert!(!said.contains("up to date") && !said.contains("restored"), "{fact}: {said}");
        assert_eq!(does(&folder.0, "main"), wanted, "{fact}");
    }
    assert!(build(&[]).contains("restored"));
    assert!(build(&["--no-fact", "cold"]).contains("restored"));
}

#[test]
fn what_llvm_makes_can_be_looked_at() {
    let folder = Folder::new("release-emit");
    folder.write("main.ori", MAIN.as_bytes());
    let (out, err, status) = oric(&folder.0, None, &["run", "main.ori", "--dump=llvm.ir:area"]);
    assert!(
        status == 0 && out.contains("define hidden swiftcc i64 @\"ori.main.area\"") && !out.contains("@\"ori.main.main\"("),
        "{out}{err}"
    );
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
    // Without a C library, and in one: its own unwinder must not take the place of ours.
    assert_eq!(oric(&folder.0, None, &["build", "main.ori", "-o", "own"]).2, 0);
    let wanted = does(&folder.0, "own");
    for way in [&["-static", "-nostdlib", "-no-pie"][..], &["-static", "-no-pie"], &["-no-pie"]] {
        let linked = Command::new("cc")
            .current_dir(&folder.0)
            .args(way)
            .args(["-Wl,--eh-frame-hdr", "main.o", "main.tables.o", "libori_rt.a", "-o", "by-hand"])
            .output()
            .expect("cc can be started");
        assert!(linked.status.success(), "{way:?}: {}", text(&linked.stderr));
        assert_eq!(does(&folder.0, "by-hand"), wanted, "{way:?}");
    }
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
    refused(Some(Path::new("/bin/false")), release, "oric-llvm ended without an answer for the program (exit status: 1)");
    refused(Some(Path::new("/bin/true")), release, "/bin/true does not answer as this oric's oric-llvm does");
    refused(Some(Path::new("/bin/cat")), release, "/bin/cat does not answer as this oric's oric-llvm does");
    refused(None, &["build", "--opt", "2", "main.ori"], "--release");
    refused(None, &["build", "--release", "--opt", "9", "main.ori"], "a level is 0, 1, 2, 3, s or z");
    assert_eq!(oric(&folder.0, None, &["build", "main.ori"]).2, 0, "the development build does without");
    refused(None, &["build", "--release", "--target-cpu", "z80", "main.ori"], "x86-64-v3");
}

#[test]
fn a_worker_may_say_as_much_as_it_likes() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-talkative");
    folder.write("main.ori", b"@main () -> void = print(msg: \"here\");\n");
    // More than a pipe holds.
    folder.write("talks", format!("#!/bin/sh\nhead -c 200000 /dev/zero >&2\nexec '{}'\n", worker.display()).as_bytes());
    std::fs::set_permissions(folder.0.join("talks"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("it can be started");
    // A name without a folder is the file here, whatever PATH has.
    let (_, err, status) = oric(&folder.0, Some(Path::new("talks")), &["build", "--release", "main.ori"]);
    assert_eq!(status, 0, "{err}");
    assert_eq!(does(&folder.0, "main")[0].0, "here\n");
}

#[test]
fn a_worker_that_needs_too_much_memory_is_said_to() {
    let folder = Folder::new("release-memory");
    folder.write("main.ori", MAIN.as_bytes());
    let Some(worker) = worker() else { return };
    let limited = |limit: &'static str, args: &[&str]| {
        let variables = [("PATH", Path::new("/usr/bin:/bin")), ("ORI_LLVM", worker.as_path()), ("ORI_LLVM_MEMORY", Path::new(limit))];
        program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &variables, args)
    };
    for limit in ["1MB", "40 MiB", "48MB"] {
        let (_, err, status) = limited(limit, &["build", "--release", "main.ori"]);
        assert_eq!(status, 2, "{limit}: {err}");
        assert!(
            err.contains("oric-llvm needs more memory than ORI_LLVM_MEMORY allows (") && err.contains(" for the program: "),
            "{limit}: {err}"
        );
        assert!(!folder.0.join("main").exists(), "{limit}");
    }
    // Which of several units it was.
    write_modules(&folder, 3);
    let (_, err, status) = limited("48MB", &["build", "--release", "--codegen-units", "3", "main.ori"]);
    assert!(status == 2 && err.contains(" for the unit of module") && err.contains("--codegen-units"), "{err}");
    let (_, err, status) = limited("lots", &["build", "--release", "main.ori"]);
    assert!(status == 2 && err.contains("ORI_LLVM_MEMORY must be a size such as 4GB, found 'lots'"), "{err}");
    folder.write("main.ori", MAIN.as_bytes());
    for enough in ["4GB", "0"] {
        let (_, err, status) = limited(enough, &["build", "--release", "main.ori", "--clean-link"]);
        assert_eq!(status, 0, "{enough}: {err}");
    }
}

#[test]
fn tests_run_as_llvm_compiles_them_and_verdicts_of_one_way_are_not_those_of_the_other() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-tests");
    let tests = "@f (n: int) -> int = n * 2;\n\
        @t_good tests @f () -> void = assert_eq(actual: f(3), expected: 6);\n\
        @t_bad tests @f () -> void = { print(msg: \"seen\"); assert_eq(actual: f(3), expected: 7) };\n\
        #fail(\"index out of bounds\")\n@t_panics tests @f () -> void = { let xs = [f(1)]; print(msg: str(xs[f(2)])) };\n";
    folder.write("main.ori", tests.as_bytes());
    let run = |flags: &[&str]| oric(&folder.0, Some(&worker), &[&["test", "main.ori"], flags].concat());
    let (out, err, status) = run(&["--release"]);
    assert_eq!(status, 1, "{out}{err}");
    let said = format!("{out}{err}");
    assert!(said.contains("2 passed, 1 failed") && said.contains("@t_bad") && said.contains("main.ori:3:"), "{said}");
    // Known now; another way of compiling knows nothing of it, and neither does the development build.
    let cached = |flags: &[&str]| {
        let (out, err, _) = run(flags);
        let said = format!("{out}{err}");
        assert!(said.contains("1 failed"), "{said}");
        said.contains("2 cached")
    };
    assert!(cached(&["--release"]));
    assert!(!cached(&["--release", "--opt", "0"]));
    assert!(!cached(&[]));
    assert!(cached(&[]));
    // Each is remembered for itself.
    assert!(cached(&["--release"]));
    let (_, err, status) = run(&["--release", "--interp"]);
    assert!(status == 2 && err.contains("cannot be used with"), "{err}");
}

#[test]
fn timings_show_what_llvm_and_the_linker_took() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-timings");
    folder.write("main.ori", MAIN.as_bytes());
    let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "main.ori", "--timings=trace"]);
    assert_eq!(status, 0, "{err}");
    let text = std::fs::read_to_string(folder.0.join(".ori/timings.json")).expect("it is written");
    let trace: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    let of = |kind: &str| {
        let found: Vec<_> = events.iter().filter(|event| event["cat"] == kind).collect();
        assert_eq!(found.len(), 1, "{kind}");
        let at = |name: &str| found[0][name].as_f64().expect("a number");
        (at("ts"), at("ts") + at("dur"))
    };
    let (llvm, link) = (of("llvm"), of("link"));
    assert!(llvm.0 < llvm.1 && llvm.1 <= link.0 && link.0 < link.1, "{llvm:?} {link:?}");
    // All the queries that LLVM's text is made from come before.
    let lir = events.iter().filter(|event| event["cat"] == "lir").map(|event| event["ts"].as_f64().expect("a number"));
    assert!(lir.fold(0.0, f64::max) < llvm.0);
    let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "main.ori", "--timings", "--clean-link"]);
    assert_eq!(status, 0, "{err}");
    let page = std::fs::read_to_string(folder.0.join(".ori/timings.html")).expect("it is written");
    assert!(page.contains("llvm(the program)") && page.contains("<p>linker</p>") && page.contains("<p>oric-llvm 1</p>"), "{page}");
}

#[test]
fn a_wrong_folder_for_temporary_files_is_not_the_fault_of_the_output() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-tmpdir");
    folder.write("main.ori", MAIN.as_bytes());
    let variables = [("PATH", Path::new("/usr/bin:/bin")), ("ORI_LLVM", worker.as_path()), ("TMPDIR", Path::new("/nonexistent"))];
    let (_, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &variables, &["build", "--release", "main.ori"]);
    assert_eq!(status, 2, "{err}");
    assert!(
        err.contains("cannot hand main to a linker: TMPDIR is no place to write: /nonexistent/") && !err.contains("cannot write main"),
        "{err}"
    );
}

#[test]
fn a_dump_of_what_llvm_gets_needs_no_worker_and_names_what_is_not_there() {
    let folder = Folder::new("release-dumps");
    folder.write("main.ori", format!("{MAIN}@unused (n: int) -> int = n;\n").as_bytes());
    let alone = folder.0.join("oric-alone");
    std::fs::copy(env!("CARGO_BIN_EXE_oric"), &alone).expect("a copy");
    let (out, err, status) = started(&alone, &folder.0, None, &["build", "--release", "--dump=llvm.ir:area", "main.ori"]);
    assert!(status == 0 && out.contains("@\"ori.main.area\""), "{err}");
    let (out, err, status) = started(&alone, &folder.0, None, &["build", "--release", "--dump=llvm.ir:unused", "main.ori"]);
    assert_eq!((out.as_str(), status), ("", 2), "{err}");
    assert!(err.contains("the program does not reach 'unused'"), "{err}");
    assert_eq!(started(&alone, &folder.0, None, &["build", "--dump=lir:unused", "main.ori"]).2, 0);
    folder.write("copied.ori", b"@next (n: int) -> int = n + 1;\n@main () -> void = print(msg: str(next(n: 2)));\n");
    let (out, err, status) = started(&alone, &folder.0, None, &["build", "--release", "--dump=llvm.ir:next", "copied.ori"]);
    assert_eq!((out.as_str(), status), ("", 2), "{err}");
    assert!(err.contains("each call of 'next' became its body, or is not needed"), "{err}");
    let (_, err, status) = started(&alone, &folder.0, None, &["build", "--release", "--dump=llvm-opt", "main.ori"]);
    assert!(status == 2 && err.contains("oric-llvm"), "{err}");
    let Some(worker) = worker() else { return };
    let (wanted, _, _) = oric(&folder.0, Some(&worker), &["build", "--release", "--dump=llvm.opt", "main.ori"]);
    assert!(wanted.starts_with("; ModuleID"), "{wanted}");
    assert_eq!(oric(&folder.0, Some(&worker), &["build", "--release", "--dump=llvm-opt", "main.ori"]).0, wanted);
    let variables = [("PATH", Path::new("/usr/bin:/bin")), ("ORI_LLVM", worker.as_path()), ("ORI_DUMP_AFTER_LLVM", Path::new("1"))];
    let dumped = |args: &[&str]| program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &variables, args).0;
    assert_eq!(dumped(&["build", "--release", "main.ori"]), wanted);
    assert_eq!(dumped(&["build", "main.ori"]), "", "nothing comes after LLVM where there is none");
}

#[test]
fn flags_of_executables_are_refused_where_none_is_made() {
    let folder = Folder::new("release-flags");
    folder.write("main.ori", MAIN.as_bytes());
    for flag in ["--strip", "--clean-link"] {
        let (_, err, status) = oric(&folder.0, None, &["build", "main.ori", "--emit=obj", flag]);
        assert!(status == 2 && err.contains(&format!("{flag} is about executables")), "{err}");
    }
    let Some(worker) = worker() else { return };
    let object = || {
        let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "main.ori", "--emit=obj"]);
        assert_eq!(status, 0, "{err}");
        (err, std::fs::read(folder.0.join("main.o")).expect("it is there"))
    };
    // An object is made once.
    let (first, again) = (object(), object());
    assert!(!first.0.contains("restored") && again.0.contains("restored") && again.1 == first.1, "{} {}", first.0, again.0);
}

#[test]
fn a_program_without_main_has_nothing_for_llvm() {
    let folder = Folder::new("release-no-main");
    folder.write("main.ori", b"@other () -> int = 1;\n");
    let (_, err, status) = oric(&folder.0, None, &["build", "main.ori", "--dump=llvm.ir"]);
    assert!(status == 1 && err.contains("E0213"), "{status}: {err}");
}

#[test]
fn a_function_value_and_an_item_of_a_module_with_its_name_are_two_things() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-names");
    std::fs::create_dir(folder.0.join("a")).expect("a folder");
    folder.write("a.ori", b"pub @b (n: int) -> int = if n > 9 then b(n: n - 1) else n;\n");
    folder.write("a/b.ori", b"pub @value (n: int) -> int = if n > 9 then value(n: n - 2) else n;\n");
    folder.write(
        "main.ori",
        b"use \"./a\" { b };\nuse \"./a/b\" { value };\n@main (args: [str]) -> void = { let fs = [b, value]; print(msg: `{fs[args.len()](12)} {value(n: 12)}`); };\n",
    );
    let (out, err, status) = oric(&folder.0, Some(&worker), &["run", "--release", "main.ori"]);
    assert_eq!((out.as_str(), status), ("9 8\n", 0), "{err}");
}

/// A module of 60 functions; each calls the one before it and a small one of module `m0`.
fn module(number: usize) -> String {
    let mut text = String::from(if number == 0 { "" } else { "use \"./m0\" { mixed0 };\n" });
    text += &format!("pub @mixed{number} (n: int) -> int = n * 3 + {number};\n");
    text += &format!("pub @f{number}x0 (n: int) -> int = mixed{}(n: n);\n", if number.is_multiple_of(2) { 0 } else { number });
    for at in 1..60 {
        let body: String = (0..16).map(|line| format!("    acc = acc + n / {};\n", line + at + 2)).collect();
        text += &format!("pub @f{number}x{at} (n: int) -> int = {{\n    let acc = f{number}x{}(n: n);\n{body}    acc\n}}\n", at - 1);
    }
    text
}

/// So many modules, and a program that calls the last function of each, and panics with an argument.
fn write_modules(folder: &Folder, count: usize) {
    let (mut uses, mut calls) = (String::new(), String::new());
    for number in 0..count {
        folder.write(&format!("m{number}.ori"), module(number).as_bytes());
        uses += &format!("use \"./m{number}\" {{ f{number}x59 }};\n");
        calls += &format!("    sum += f{number}x59(n: sum);\n");
    }
    let main = format!(
        "{uses}@main (args: [str]) -> int = {{\n    let sum = args.len();\n{calls}    print(msg: str(sum));\n    if sum % 2 == 3 then 1 else 7 / (1 - args.len())\n}}\n"
    );
    folder.write("main.ori", main.as_bytes());
}

/// Builds, with what oric remembers in this folder; the executable, how many units LLVM was asked for, and of how many.
fn built(folder: &Folder, worker: &Path, cache: &str, flags: &[&str]) -> (Vec<u8>, usize, usize) {
    let cache = folder.0.join(cache);
    let variables = [("ORI_LLVM", worker), ("ORI_CACHE_DIR", cache.as_path())];
    let args = [&["build", "--release", "--opt", "1", "--message-format=json", "main.ori"], flags].concat();
    let (out, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &variables, &args);
    assert_eq!(status, 0, "{out}{err}");
    let event = out.lines().find(|line| line.contains("\"artifact\"")).unwrap_or_else(|| panic!("no artifact: {out}"));
    let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
    let number = |name: &str| event["units"][name].as_u64().unwrap_or_else(|| panic!("{event}")) as usize;
    (std::fs::read(folder.0.join("main")).expect("it is there"), number("made"), number("of"))
}

#[test]
fn an_edit_asks_for_the_units_that_it_concerns_and_gives_what_a_cold_build_gives() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-units");
    write_modules(&folder, 6);
    let (first, made, of) = built(&folder, &worker, "cache", &[]);
    assert!(made == of && of >= 6, "{made} of {of}");
    assert_eq!(built(&folder, &worker, "one-worker", &["--jobs", "1"]).0, first, "how many workers there are changes nothing");
    let edited = |number: usize, from: &str, to: &str, cold: &str| {
        let text = module(number);
        assert!(text.contains(from), "{text}");
        folder.write(&format!("m{number}.ori"), text.replacen(from, to, 1).as_bytes());
        let (bytes, made, now) = built(&folder, &worker, "cache", &[]);
        assert_eq!(now, of, "no function moved");
        let (again, all, _) = built(&folder, &worker, cold, &[]);
        assert!(again == bytes && all == of, "a cold build gives the same bytes");
        (bytes, made)
    };
    // A large function, which nobody copies.
    let (bytes, made) = edited(3, "acc + n / 9", "acc + n / 90", "cold-body");
    assert!(made == 1 && bytes != first, "{made} units were made");
    // A small one: who calls it has a copy.
    let (_, made) = edited(0, "n * 3 + 0", "n * 5 + 1", "cold-copied");
    assert!(made > 1 && made < of, "{made} units were made of {of}");
    // Lines that move are in the tables alone.
    folder.write("m0.ori", format!("// moved\n{}", module(0).replacen("n * 3 + 0", "n * 5 + 1", 1)).as_bytes());
    assert_eq!(built(&folder, &worker, "cache", &[]).1, 0);
    // There and back again: units are kept.
    folder.write("m0.ori", module(0).as_bytes());
    folder.write("m3.ori", format!("\n{}", module(3)).as_bytes());
    assert_eq!(built(&folder, &worker, "cache", &[]).1, 0);
}

#[test]
fn units_do_together_what_one_does() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("release-divided");
    write_modules(&folder, 3);
    folder.write("whole.ori", MAIN.as_bytes());
    for file in ["main.ori", "whole.ori"] {
        assert_eq!(oric(&folder.0, None, &["build", file, "-o", "own"]).2, 0);
        let wanted = does(&folder.0, "own");
        assert!(wanted[1].1.contains("panic: ") && wanted[1].1.contains("@main at "), "{wanted:?}");
        for units in ["1", "5", "64"] {
            let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "--codegen-units", units, file, "-o", "fast"]);
            assert_eq!(status, 0, "{units} units: {err}");
            assert_eq!(does(&folder.0, "fast"), wanted, "{units} units");
            assert!(units == "1" || err.contains("units optimised"), "{err}");
        }
    }
    let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "--codegen-units", "2", "--emit=bc", "main.ori"]);
    assert!(status == 2 && err.contains("what '--emit' writes is one unit"), "{err}");
    let (_, err, status) = oric(&folder.0, Some(&worker), &["build", "--release", "--codegen-units", "0", "main.ori"]);
    assert!(status == 2 && err.contains("1..=256"), "{err}");
}
