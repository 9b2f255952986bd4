//! `oric report mono` and `oric report size`: their numbers are those of the linked file, as the tools of binutils read it.

mod book;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use book::Folder;
use book::program;
use serde_json::Value;

const PAIRS: &str = "pub @count<T> (items: [T], like: T, from: int) -> int where T: Eq =\n    \
    if from >= items.len() then 0 else (if items[from] == like then 1 else 0) + count(items: items, like: like, from: from + 1);\n";

const MAIN: &str = "use \"./pairs\" { count };\n\
    @twice<T> (items: [T], at: int) -> [T] = if at >= items.len() then [] else [items[at], items[at]] + twice(items: items, at: at + 1);\n\
    @main (args: [str]) -> void = {\n    \
        print(msg: `{count(items: [1, 2, 1], like: 1, from: args.len())} {count(items: [\"a\", \"b\"], like: \"b\", from: 0)}`);\n    \
        print(msg: `{count(items: twice(items: [true], at: args.len()), like: true, from: 0)} {twice(items: args, at: 0).len()}`);\n\
    };\n";

/// The worker that `make llvm` built.
fn worker() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/oric-llvm");
    built.is_file().then_some(built)
}

fn oric(folder: &Folder, args: &[&str]) -> String {
    let worker = worker();
    let mut variables = vec![("PATH", Path::new("/usr/bin:/bin"))];
    variables.extend(worker.as_deref().map(|worker| ("ORI_LLVM", worker)));
    let (out, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &variables, args);
    assert_eq!(status, 0, "{args:?}: {err}");
    out
}

fn report(folder: &Folder, what: &str, flags: &[&str]) -> Value {
    let out = oric(folder, &[&["report", what, "main.ori", "--message-format=json"], flags].concat());
    let line = out.lines().find(|line| line.contains("\"report\"")).unwrap_or_else(|| panic!("no report: {out}"));
    serde_json::from_str(line).expect("JSON")
}

fn tool(folder: &Folder, name: &str, args: &[&str]) -> String {
    let ended = Command::new(name).current_dir(&folder.0).args(args).output().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(ended.status.success(), "{name}");
    String::from_utf8(ended.stdout).expect("text")
}

/// Functions of the program with their sizes, as `nm` sees them in the executable.
fn symbols(folder: &Folder, prefix: &str) -> BTreeMap<String, u64> {
    let rows = tool(folder, "nm", &["-S", "main"]);
    let row = |line: &str| {
        let [_, size, "t" | "T", name] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
        Some((name.strip_prefix(prefix)?.to_owned(), u64::from_str_radix(size, 16).ok()?))
    };
    rows.lines().filter_map(row).collect()
}

/// Sections with their sizes, as `readelf` sees them.
fn sections(folder: &Folder) -> BTreeMap<String, u64> {
    let rows = tool(folder, "readelf", &["-SW", "main"]);
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_once(']')?.1.split_whitespace().collect();
        let [name, kind, _, _, size, ..] = fields[..] else { return None };
        (kind != "NOBITS").then(|| Some((name.to_owned(), u64::from_str_radix(size, 16).ok()?)))?
    };
    rows.lines().filter_map(row).collect()
}

/// The reports of a build with these flags beside the file.
fn compare(folder: &Folder, flags: &[&str], prefix: &str) {
    oric(folder, &[&["build", "main.ori"], flags].concat());
    let (size, mono) = (report(folder, "size", flags), report(folder, "mono", flags));
    let (symbols, sections) = (symbols(folder, prefix), sections(folder));
    let number = |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{value} is no number"));
    let rows = |value: &Value| value.as_array().expect("rows").clone();
    let name = |value: &Value| value.as_str().expect("a name").to_owned();

    let of_file = std::fs::metadata(folder.0.join("main")).expect("it is there").len();
    let parts: BTreeMap<String, u64> = size["parts"].as_object().expect("parts").iter().map(|(name, bytes)| (name.clone(), number(bytes))).collect();
    assert_eq!((number(&size["file"]), parts.values().sum()), (of_file, of_file), "{flags:?}");
    let functions: BTreeMap<String, u64> = rows(&size["functions"]).iter().map(|row| (name(&row["function"]), number(&row["bytes"]))).collect();
    assert_eq!(functions, symbols, "{flags:?}");
    let code: u64 = symbols.values().sum();
    assert_eq!(parts["code"], code);
    assert!(parts["code"] + parts["runtime_code"] <= sections[".text"], "{parts:?} {sections:?}");
    assert!(parts["runtime_code"] > 4_000, "{parts:?}");
    assert!(parts["symbols"] >= sections[".symtab"] + sections[".strtab"], "{parts:?} {sections:?}");
    assert_eq!(rows(&size["modules"]).iter().map(|row| number(&row["bytes"])).sum::<u64>(), code);
    assert!(rows(&size["modules"]).iter().any(|row| row["module"] == "pairs" && number(&row["bytes"]) > 0), "{size}");
    if prefix.is_empty() {
        let constants = ["constants", "runtime_constants", "unwind", "sites", "items"].iter().map(|part| parts[*part]).sum::<u64>();
        assert!(constants <= sections[".rodata"] && constants > sections[".rodata"] / 2, "{parts:?} {sections:?}");
    } else {
        let unwind = [".eh_frame", ".eh_frame_hdr", ".gcc_except_table"].iter().filter_map(|name| sections.get(*name)).sum::<u64>();
        assert_eq!(parts["unwind"], unwind, "{sections:?}");
        assert!(parts["items"] > 0, "{parts:?}");
    }

    let instances: BTreeMap<&String, u64> = symbols.iter().filter(|(name, _)| name.contains('<')).map(|(name, size)| (name, *size)).collect();
    let (all, generics) = (&mono["all"], rows(&mono["rows"]));
    assert_eq!(number(&mono["code"]), code);
    assert_eq!((number(&all["copies"]), number(&all["bytes"])), (instances.len() as u64, instances.values().sum()), "{flags:?}: {mono}");
    let count = generics.iter().find(|row| row["generic"] == "pairs.count").expect("a row");
    assert_eq!(number(&count["instances"]), 3, "{mono}");
    let of_count: Vec<u64> = instances.iter().filter(|(name, _)| name.starts_with("pairs.count<")).map(|(_, size)| *size).collect();
    assert_eq!((number(&count["copies"]), number(&count["bytes"])), (of_count.len() as u64, of_count.iter().sum()), "{mono}");
    assert!(number(&count["lir"]) > number(&count["instances"]), "{mono}");
    let order: Vec<u64> = generics.iter().map(|row| number(&row["bytes"])).collect();
    assert!(order.is_sorted_by(|a, b| a >= b), "{order:?}");
}

fn program(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("pairs.ori", PAIRS.as_bytes());
    folder.write("main.ori", MAIN.as_bytes());
    folder
}

#[test]
fn reports_on_a_development_build_are_about_its_file() {
    let folder = program("report-dev");
    compare(&folder, &[], "");
    let text = oric(&folder, &["report", "mono", "main.ori"]);
    assert!(text.lines().count() > 2 && text.contains("  pairs.count\n"), "{text}");
    let text = oric(&folder, &["report", "size", "main.ori"]);
    assert!(text.contains("code of the runtime") && text.contains("% pairs, 3 functions\n".trim_start_matches('%')), "{text}");
}

#[test]
fn reports_on_a_release_build_are_about_its_file() {
    if worker().is_none() {
        eprintln!("not tested: oric-llvm is not built ('make llvm')");
        return;
    }
    let folder = program("report-release");
    // As they are, and where LLVM copies nothing.
    compare(&folder, &["--release"], "ori.");
    compare(&folder, &["--release", "--opt", "0"], "ori.");
}
