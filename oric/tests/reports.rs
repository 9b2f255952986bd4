//! `oric report mono` and `oric report size`: their numbers are those of the linked file, as the tools of binutils read it. `oric build --remarks`: what is said is so.

mod book;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use book::Folder;
use book::program::{self, worker};
use serde_json::Value;

const PAIRS: &str = "pub @count<T> (items: [T], like: T, from: int) -> int where T: Eq =\n    \
    if from >= items.len() then 0 else (if items[from] == like then 1 else 0) + count(items: items, like: like, from: from + 1);\n";

const MAIN: &str = "use \"./pairs\" { count };\n\
    @twice<T> (items: [T], at: int) -> [T] = if at >= items.len() then [] else [items[at], items[at]] + twice(items: items, at: at + 1);\n\
    @main (args: [str]) -> void = {\n    \
        print(msg: `{count(items: [1, 2, 1], like: 1, from: args.len())} {count(items: [\"a\", \"b\"], like: \"b\", from: 0)}`);\n    \
        print(msg: `{count(items: twice(items: [true], at: args.len()), like: true, from: 0)} {twice(items: args, at: 0).len()}`);\n\
    };\n";

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
    let parts: BTreeMap<String, u64> =
        size["parts"].as_object().expect("parts").iter().map(|(name, bytes)| (name.clone(), number(bytes))).collect();
    assert_eq!((number(&size["file"]), parts.values().sum()), (of_file, of_file), "{flags:?}");
    let functions: BTreeMap<String, u64> =
        rows(&size["functions"]).iter().map(|row| (name(&row["function"]), number(&row["bytes"]))).collect();
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

    let instances: BTreeMap<&String, u64> =
        symbols.iter().filter(|(name, _)| name.contains('<')).map(|(name, size)| (name, *size)).collect();
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
    let Some(_) = worker() else { return };
    let folder = program("report-release");
    // As they are, and where LLVM copies nothing.
    compare(&folder, &["--release"], "ori.");
    compare(&folder, &["--release", "--opt", "0"], "ori.");
}

const LOOPS: &str = "@total (xs: [int], n: int) -> int = {
    let sum = 0;
    for i in 0..n do sum += xs[i] * 3;
    sum
}
@small (a: byte, b: byte) -> int = int(a) + int(b);
@ends (xs: [int]) -> int = if xs.len() > 3 then xs[0] + xs[3] else 0;
@wide (n: int) -> int = if n > 9 then n + wide(n: n / 2) + wide(n: n / 3) else n;
@shows (xs: [int], n: int) -> void = for i in 0..n do print(msg: str(xs[i]));
@main (args: [str]) -> void = {
    let xs = for i in 0..20 yield i;
    print(msg: `{total(xs: xs, n: args.len() + 20)} {small(a: b'a', b: b'b')} {ends(xs: xs)} {wide(n: args.len())}`);
    shows(xs: xs.reverse(), n: args.len());
    let f = if args.len() > 3 then (n: int) -> n + 1 else (n: int) -> n * 2;
    print(msg: str(f(args.len())));
}
";

/// What `build --remarks` prints for these flags: `line [pass] done|left text`.
fn remarks(folder: &Folder, flags: &[&str]) -> Vec<String> {
    let out = oric(folder, &[&["build", "main.ori", "--message-format=json"], flags].concat());
    let row = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("JSON");
        if value["reason"] != "remark" {
            return None;
        }
        let word = if value["done"] == true { "done" } else { "left" };
        let [path, pass, text] = ["path", "pass", "message"].map(|name| value[name].as_str().expect("text").to_owned());
        Some(format!("{path}:{} [{pass}] {word} {text}", value["line"]))
    };
    out.lines().filter_map(row).collect()
}

#[test]
fn remarks_say_what_was_done_and_what_was_not_and_why() {
    let folder = Folder::new("remarks");
    folder.write("main.ori", LOOPS.as_bytes());
    let said = remarks(&folder, &["--remarks"]);
    let has = |wanted: &str| assert!(said.iter().any(|row| row.contains(wanted)), "{wanted}\n{said:#?}");
    has("main.ori:12 [inline] done @main.small is copied here: ");
    has("main.ori:12 [inline] left @main.wide is not copied: it calls itself");
    has("main.ori:8 [inline] left @main.wide is not copied: it is the function itself");
    has("main.ori:7 [ranges] done the check of the index goes: the list has it");
    has("main.ori:3 [versions] done the loop gets a copy without the checks of ");
    has("main.ori:3 [versions] done the check of the index is not in the copy of the loop");
    has("main.ori:9 [versions] left the loop gets no copy without checks: it calls something");
    has("main.ori:9 [ranges] left the check of the index stays: it is not known to be below the length; the index is from 0 to ");
    has("main.ori:12 [ranges] done the check of the sum goes: it is always an int");
    has("main.ori:8 [ranges] left the check of the sum stays: it may be beyond an int; its left side is at least ");
    has("main.ori:15 [direct] left which function is called is not known");
    // The index check of the first version of the loop is no news.
    assert!(!said.iter().any(|row| row.contains("main.ori:3 [ranges] left the check of the index")), "{said:#?}");
    // Of what is off nothing is said, and its checks stay.
    let without = remarks(&folder, &["--remarks", "--no-pass=inline", "--no-pass=versions"]);
    assert!(!without.iter().any(|row| row.contains("[inline]") || row.contains("[versions]")), "{without:#?}");
    assert!(without.iter().any(|row| row.starts_with("main.ori:3 [ranges] left the check of the index stays")), "{without:#?}");
}

const TREES: &str = "type Tree = Leaf | Node(left: Tree, value: int, right: Tree);\n\
    @insert (tree: Tree, value: int) -> Tree = match tree {\n    \
        Leaf -> Node(left: Leaf, value: value, right: Leaf),\n    \
        Node(left, v, right) -> if value < v then Node(left: insert(tree: left, value: value), value: v, right: right)\n        \
            else Node(left: left, value: v, right: insert(tree: right, value: value)),\n\
    };\n\
    @both (xs: [int]) -> ([int], [int]) = {\n    \
        let zs = [...xs, 3];\n    \
        (xs.push(7), zs)\n\
    };\n\
    @main (args: [str]) -> void = {\n    \
        let (a, b) = both(xs: args.map(arg -> arg.len()));\n    \
        print(msg: `{a} {b} {match insert(tree: insert(tree: Leaf, value: a.len()), value: 3) { Leaf -> 0, Node(_, v, _) -> v }}`)\n\
    };\n";

#[test]
fn what_a_function_does_to_memory_is_told_with_reasons() {
    let folder = Folder::new("memory");
    folder.write("main.ori", TREES.as_bytes());
    let insert = oric(&folder, &["why", "--mem", "insert", "main.ori"]);
    assert!(insert.starts_with("@main.insert: 1 allocation, 2 reuses, 0 failed reuses, 0 dups, 2 uniqueness tests\n"), "{insert}");
    assert!(insert.contains("  main.ori:3:13: allocation: a cell of `main.Tree`: "), "{insert}");
    assert!(insert.contains("  main.ori:4:47: reuse: a cell of `main.Tree` in the room of what was taken apart"), "{insert}");
    let both = oric(&folder, &["why", "--mem", "@both", "main.ori"]);
    assert!(both.starts_with("@main.both: 2 allocations, 0 reuses, 0 failed reuses, 1 dup, 2 uniqueness tests\n"), "{both}");
    assert!(both.contains("  main.ori:8:14: dup: `xs` is used again at 9:6, and a changed one is made of it ["), "{both}");
    assert!(both.contains("  main.ori:9:6: uniqueness test: `xs` came in as a parameter, and callers may hold it too; "), "{both}");
    // The same, by the names that the dump has.
    let dump = oric(&folder, &["build", "--dump=mir.owned:both", "main.ori"]);
    for line in both.lines().skip(1) {
        let (name, op) = line.split_once(" [").and_then(|(_, op)| op.split(']').next()?.split_once(" = ")).expect("a line names its op");
        assert!(
            dump.lines().any(|shown| shown.trim_start().starts_with(&format!("{name}: ")) && shown.contains(&format!("= {op} "))),
            "{line}\n{dump}"
        );
    }
    let (out, err, status) = program::oric(
        Path::new(env!("CARGO_BIN_EXE_oric")),
        &folder.0,
        &[("PATH", Path::new("/usr/bin:/bin"))],
        &["why", "--mem", "isnert", "main.ori"],
    );
    assert_eq!((out.as_str(), err.as_str(), status), ("", "error: there is no function 'isnert'; did you mean insert?\n", 2));
}

#[test]
fn remarks_stand_in_the_order_of_places_and_are_about_the_library_only_when_asked() {
    let folder = Folder::new("remarks-order");
    folder.write("main.ori", LOOPS.as_bytes());
    let text = |flags: &[&str]| {
        let args = [&["build", "main.ori"], flags].concat();
        let (_, err, status) =
            program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &[("PATH", Path::new("/usr/bin:/bin"))], &args);
        assert_eq!(status, 0, "{err}");
        err.lines().filter(|line| line.contains(": done[") || line.contains(": left[")).map(str::to_owned).collect::<Vec<_>>()
    };
    let own = text(&["--remarks"]);
    let place = |line: &String| {
        let mut parts = line.split(':');
        let mut next = || parts.next().expect("a part").to_owned();
        (next(), next().parse::<u32>().expect("a line"), next().parse::<u32>().expect("a column"))
    };
    assert!(own.len() > 10 && own.is_sorted_by_key(place), "{own:#?}");
    assert!(own.iter().all(|line| line.starts_with("main.ori:")), "{own:#?}");
    // A build that finds everything done says the same, as does one with another number of threads.
    assert_eq!(text(&["--remarks"]), own);
    assert_eq!(text(&["--remarks", "--jobs", "1"]), own);
    let all = text(&["--remarks=all"]);
    assert!(all.len() > own.len() && own.iter().all(|line| all.contains(line)), "{all:#?}");
    assert!(text(&[]).is_empty());
}

#[test]
fn a_release_build_says_what_a_development_build_says_of_mir() {
    let Some(_) = worker() else { return };
    let folder = Folder::new("remarks-release");
    folder.write("main.ori", LOOPS.as_bytes());
    assert_eq!(remarks(&folder, &["--remarks", "--release"]), remarks(&folder, &["--remarks"]));
}
