//! The store as a user meets it: what is built again and what is not, whatever happens to sources, outputs and the store itself.

mod book;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use book::Folder;
use serde_json::Value;

const MAIN: &str = "\
use \"./shapes\" { area };

@main (args: [str]) -> void = print(msg: `{area(w: 3 + args.len(), h: 4)}`);
";

const SHAPES: &str = "\
// The area of a box. Both functions call themselves, so nobody inlines them.
pub @area (w: int, h: int) -> int = {
    let sum = 0;
    for x in 0..w do
        for y in 0..h do
            sum += weight(x * y);
    if w > 1000 then area(w: w / 2, h:) else sum
}

@weight (n: int) -> int = {
    let m = if n > 3 then weight(n / 2) else n;
    m + 1
}
";

/// A program of two modules in a folder of its own.
fn program(name: &str) -> Folder {
    let folder = Folder::new(&format!("store-{name}"));
    folder.write("main.ori", MAIN.as_bytes());
    folder.write("shapes.ori", SHAPES.as_bytes());
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oric"));
    command.current_dir(folder).args(args).env_clear();
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs oric: standard output, standard error, status.
fn oric(folder: &Path, args: &[&str]) -> (String, String, i32) {
    let Output { status, stdout, stderr } = command(folder, args).output().expect("oric can be started");
    (text(&stdout), text(&stderr), status.code().unwrap_or(-1))
}

/// Builds `main.ori`: what became of the executable, as the summary says.
#[track_caller]
fn build(folder: &Path) -> &'static str {
    let (out, err, status) = oric(folder, &["build", "main.ori"]);
    assert_eq!((out.as_str(), status), ("", 0), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    how(&err)
}

#[track_caller]
fn how(err: &str) -> &'static str {
    match err {
        _ if err.contains("bytes, up to date)") => "up to date",
        _ if err.contains("bytes, patched)") => "patched",
        _ if err.contains("bytes, restored)") => "restored",
        _ if err.contains("bytes)") => "linked",
        _ => panic!("no summary of a build: {err}"),
    }
}

/// What the executable prints.
#[track_caller]
fn prints(folder: &Path) -> String {
    let output = Command::new(folder.join("main")).output().expect("the program can be started");
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout).trim_end().to_owned()
}

/// The executable is the one that a link from nothing gives, without any store.
#[track_caller]
fn is_clean(folder: &Path) {
    let (_, err, status) = oric(folder, &["build", "main.ori", "--engine-off", "-o", "clean"]);
    assert_eq!(status, 0, "{err}");
    let [ours, clean] = ["main", "clean"].map(|name| std::fs::read(folder.join(name)).expect("an executable"));
    assert!(ours == clean, "the executable differs from that of a clean build");
}

/// How many queries of a kind ran by the last build or check that changed something.
fn ran(folder: &Path, kind: &str) -> u64 {
    let (out, err, status) = oric(folder, &["report", "cache", "main.ori", "--message-format=json"]);
    assert_eq!(status, 0, "{out}{err}");
    let report = out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).find(|line| line["reason"] == "report");
    let rows = report.expect("a report")["rows"].as_array().expect("rows").clone();
    rows.iter().find(|row| row["query"] == kind).map_or(0, |row| row["ran"].as_u64().expect("a number"))
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() { files.extend(files_of(&entry)) } else { files.push(entry) }
    }
    files.sort();
    files
}

#[test]
fn a_second_build_has_nothing_to_do() {
    let folder = program("twice");
    assert_eq!(build(&folder.0), "linked");
    assert_eq!(prints(&folder.0), "27");
    assert!(ran(&folder.0, "machine") >= 2);
    let before = std::fs::metadata(folder.0.join("main")).and_then(|meta| meta.modified()).expect("a time");
    for _ in 0..3 {
        assert_eq!(build(&folder.0), "up to date");
    }
    assert_eq!(std::fs::metadata(folder.0.join("main")).and_then(|meta| meta.modified()).expect("a time"), before);
    assert_eq!(std::fs::read_to_string(folder.0.join(".ori/.gitignore")).expect("the store ignores itself"), "*\n");
}

#[test]
fn an_edit_compiles_what_it_changed_and_undoing_it_nothing() {
    let folder = program("edit");
    build(&folder.0);
    let first = std::fs::read(folder.0.join("main")).expect("an executable");
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    let edited = build(&folder.0);
    assert!(edited == "patched" || edited == "linked");
    assert_eq!(prints(&folder.0), "41");
    assert_eq!((ran(&folder.0, "hir"), ran(&folder.0, "machine"), ran(&folder.0, "mentions")), (1, 1, 1));
    is_clean(&folder.0);
    folder.write("shapes.ori", SHAPES.as_bytes());
    build(&folder.0);
    assert_eq!(prints(&folder.0), "27");
    assert_eq!((ran(&folder.0, "hir"), ran(&folder.0, "mir"), ran(&folder.0, "machine")), (0, 0, 0));
    assert!(std::fs::read(folder.0.join("main")).expect("an executable") == first);
}

#[test]
fn an_edit_of_the_same_size_and_time_is_seen() {
    let folder = program("same-size");
    build(&folder.0);
    let path = folder.0.join("shapes.ori");
    let time = std::fs::metadata(&path).and_then(|meta| meta.modified()).expect("a time");
    std::fs::write(&path, SHAPES.replace("m + 1", "m + 2")).expect("written");
    std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).expect("the time can be set");
    build(&folder.0);
    assert_eq!(prints(&folder.0), "41");
}

#[test]
fn diagnostics_are_told_again_though_nothing_runs() {
    let folder = program("replay");
    folder.write("shapes.ori", SHAPES.replace("m + 1", "\"m\"").as_bytes());
    let check = |folder: &Path| {
        let (_, err, status) = oric(folder, &["check", "main.ori", "--message-format=short"]);
        (err, status)
    };
    let first = check(&folder.0);
    assert!(first.0.contains("error[E2001]") && first.1 == 1, "{first:?}");
    assert_eq!(check(&folder.0), first);
    let (_, err, status) = oric(&folder.0, &["build", "main.ori", "--message-format=short"]);
    assert_eq!((err, status), first);
}

#[test]
fn an_output_that_is_deleted_or_altered_is_made_again() {
    let folder = program("output");
    build(&folder.0);
    let path = folder.0.join("main");
    let before = std::fs::read(&path).expect("an executable");
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(build(&folder.0), "restored");
    assert!(std::fs::read(&path).expect("an executable") == before);
    let mut altered = before.clone();
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    std::fs::write(&path, &altered).expect("written");
    assert_eq!(build(&folder.0), "restored");
    assert!(std::fs::read(&path).expect("an executable") == before);
    assert_eq!(ran(&folder.0, "machine"), 0);
    // A strange file in its place, and then an edit: it is not patched.
    std::fs::write(&path, b"no program").expect("written");
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    assert_eq!(build(&folder.0), "linked");
    assert_eq!(prints(&folder.0), "41");
}

#[test]
fn a_plan_that_was_linked_before_is_restored_wherever_it_is_wanted() {
    let folder = program("restored");
    build(&folder.0);
    let first = std::fs::read(folder.0.join("main")).expect("an executable");
    let other = |args: &[&str]| {
        let (out, err, status) = oric(&folder.0, &[&["build", "main.ori", "-o", "other"], args].concat());
        assert_eq!((out.as_str(), status), ("", 0), "{err}");
        how(&err)
    };
    assert_eq!(other(&[]), "restored");
    assert!(std::fs::read(folder.0.join("other")).expect("an executable") == first);
    assert_eq!(other(&["--clean-link"]), "linked");
    // Who was restored can be patched: its sidecar came with it.
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    assert_eq!(build(&folder.0), "patched");
    assert_eq!(other(&[]), "patched");
    assert_eq!(prints(&folder.0), "41");
    is_clean(&folder.0);
    // Objects too, and one is never taken for the other.
    for expected in ["linked", "restored"] {
        assert_eq!(other(&["--emit=obj"]), expected);
    }
    assert!(std::fs::read(folder.0.join("other")).expect("an object")[16] == 1, "an object is relocatable");
    let store = || files_of(&folder.0.join(".ori/cas")).len();
    let before = store();
    assert_eq!(other(&["--emit=obj"]), "restored");
    assert_eq!(store(), before);
    // Without the artifacts all is as before them.
    std::fs::remove_dir_all(folder.0.join(".ori/cas")).expect("removed");
    std::fs::remove_file(folder.0.join("main")).expect("removed");
    assert_eq!(build(&folder.0), "linked");
    is_clean(&folder.0);
}

#[test]
fn a_build_that_outgrows_the_budget_collects_by_itself() {
    let folder = program("outgrows");
    let run = |args: &[&str]| {
        let output = command(&folder.0, args).env("ORI_CACHE_SIZE", "1").output().expect("oric can be started");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    run(&["build", "main.ori"]);
    assert_eq!(files_of(&folder.0.join(".ori/cas")).len(), 1, "only what ignores the folder for git is left");
    assert_eq!(run(&["run", "main.ori"]), "27\n", "what is about to start stays");
    assert_eq!(prints(&folder.0), "27");
    std::fs::remove_file(folder.0.join("main")).expect("removed");
    assert_eq!(build(&folder.0), "linked", "what was collected is linked again");
    assert!(files_of(&folder.0.join(".ori/cas")).len() > 1);
}

#[test]
fn a_project_that_cannot_be_written_is_built_in_memory_with_one_warning() {
    let folder = program("read-only");
    let out = Folder::new("store-read-only-out");
    let target = out.0.join("main");
    let set = |mode| std::fs::set_permissions(&folder.0, std::fs::Permissions::from_mode(mode)).expect("the mode can be set");
    set(0o555);
    let is_root = std::fs::write(folder.0.join("probe"), b"").is_ok();
    if is_root {
        // Nothing stops root but a file where the folder should be.
        std::fs::remove_file(folder.0.join("probe")).expect("removed");
        folder.write(".ori", b"in the way");
    }
    let results: Vec<_> = (0..2).map(|_| oric(&folder.0, &["build", "main.ori", "-o", &target.to_string_lossy()])).collect();
    set(0o755);
    for (_, err, status) in results {
        assert_eq!((status, err.matches("warning").count(), err.matches("error").count()), (0, 1, 0), "{err}");
    }
    assert_eq!(text(&Command::new(&target).output().expect("it runs").stdout), "27\n");
}

#[test]
fn many_builds_and_checks_at_once_agree() {
    let folder = program("at-once");
    for round in 0..4 {
        folder.write("shapes.ori", SHAPES.replace("m + 1", &format!("m + {}", round + 1)).as_bytes());
        let start =
            |args: &[&str]| command(&folder.0, args).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("oric can be started");
        let children = [
            start(&["build", "main.ori"]),
            start(&["build", "main.ori"]),
            start(&["check", "main.ori"]),
            start(&["build", "main.ori", "-o", "other"]),
        ];
        for child in children {
            let output = child.wait_with_output().expect("it ends");
            let err = text(&output.stderr);
            assert!(output.status.success() && !err.contains("warning") && !err.contains("error:"), "{err}");
        }
        assert_eq!(prints(&folder.0), (27 + 14 * round).to_string());
        is_clean(&folder.0);
    }
    let (out, err, status) = oric(&folder.0, &["cache", "verify", "main.ori"]);
    assert!(status == 0 && out.starts_with("sound: "), "{out}{err}");
}

#[test]
fn a_damaged_store_costs_one_warning_and_no_result() {
    let folder = program("damage");
    build(&folder.0);
    let stored = files_of(&folder.0.join(".ori"));
    let graph: Vec<_> = stored.iter().filter(|path| path.to_string_lossy().contains("/q/")).collect();
    assert!(graph.len() >= 2, "{stored:?}");
    let copies: Vec<(PathBuf, Vec<u8>)> = stored.iter().map(|path| (path.clone(), std::fs::read(path).expect("a file"))).collect();
    for (number, (path, bytes)) in copies.iter().enumerate() {
        for damage in ["flip", "cut", "empty", "gone"] {
            for (path, bytes) in &copies {
                std::fs::write(path, bytes).expect("written");
            }
            match damage {
                "flip" => {
                    let flipped: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x55).collect();
                    std::fs::write(path, flipped).expect("written");
                }
                "cut" => std::fs::write(path, &bytes[..bytes.len() / 2]).expect("written"),
                "empty" => std::fs::write(path, b"").expect("written"),
                _ => std::fs::remove_file(path).expect("removed"),
            }
            let edited = SHAPES.replace("m + 1", &format!("m + {}", number + 2));
            folder.write("shapes.ori", edited.as_bytes());
            let (_, err, status) = oric(&folder.0, &["build", "main.ori"]);
            assert!(status == 0 && err.matches("warning").count() <= 1 && !err.contains("error"), "{damage} {}: {err}", path.display());
            assert_eq!(prints(&folder.0), (27 + 14 * (number + 1)).to_string(), "{damage} {}", path.display());
            is_clean(&folder.0);
        }
    }
}

#[test]
fn damage_is_found_by_verify_and_mended_by_the_next_build() {
    let folder = program("verify");
    build(&folder.0);
    let verify = || oric(&folder.0, &["cache", "verify", "main.ori"]);
    assert_eq!(verify().2, 0);
    let graph = files_of(&folder.0.join(".ori/q"));
    let largest = graph.iter().max_by_key(|path| std::fs::metadata(path).map_or(0, |meta| meta.len())).expect("a file");
    let mut bytes = std::fs::read(largest).expect("a file");
    bytes.iter_mut().for_each(|byte| *byte ^= 0x55);
    std::fs::write(largest, bytes).expect("written");
    let (_, err, status) = verify();
    assert!(status == 1 && err.contains("damaged"), "{err}");
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    oric(&folder.0, &["build", "main.ori"]);
    assert_eq!(prints(&folder.0), "41");
}

#[test]
fn the_cache_directory_is_where_the_environment_says() {
    let folder = program("directory");
    let elsewhere = Folder::new("store-elsewhere");
    let with = |args: &[&str]| {
        let output = command(&folder.0, args).env("ORI_CACHE_DIR", &elsewhere.0).output().expect("oric can be started");
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    assert_eq!(how(&with(&["build", "main.ori"]).1), "linked");
    assert_eq!(how(&with(&["build", "main.ori"]).1), "up to date");
    assert!(!folder.0.join(".ori").exists());
    let root = with(&["cache", "dir", "main.ori"]).0;
    assert!(root.starts_with(&*elsewhere.0.join("p").to_string_lossy()), "{root}");
    assert!(Path::new(root.trim_end()).join("q").is_dir());
    assert_eq!(with(&["clean", "main.ori"]).2, Some(0));
    assert!(!Path::new(root.trim_end()).exists());
    assert_eq!(how(&with(&["build", "main.ori"]).1), "linked");
}

#[test]
fn clean_removes_the_store_and_not_the_program() {
    let folder = program("clean");
    build(&folder.0);
    let (_, err, status) = oric(&folder.0, &["clean", "main.ori"]);
    assert!(status == 0 && err.contains("removed"), "{err}");
    assert!(!folder.0.join(".ori").exists() && folder.0.join("main").exists());
    assert_eq!(oric(&folder.0, &["clean", "main.ori"]).2, 0);
    assert_eq!(build(&folder.0), "linked");
}

#[test]
fn garbage_is_collected_within_the_budget() {
    let folder = program("gc");
    build(&folder.0);
    oric(&folder.0, &["run", "main.ori"]);
    folder.write(".ori/link/of-nobody.side", &[0; 1000]);
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for path in files_of(&folder.0.join(".ori/link")) {
        std::fs::File::options().write(true).open(path).and_then(|file| file.set_modified(long_ago)).expect("the time can be set");
    }
    let count = || files_of(&folder.0.join(".ori/link")).len();
    let before = count();
    let (out, err, status) = oric(&folder.0, &["cache", "gc", "main.ori"]);
    assert!(status == 0 && out.starts_with("removed 1 files (1000 bytes)"), "{out}{err}");
    assert_eq!(count(), before - 1);
    let (out, _, status) = oric(&folder.0, &["cache", "gc", "main.ori", "--budget", "0"]);
    assert!(status == 0 && out.ends_with("kept 0 bytes\n"), "{out}");
    assert_eq!(count(), 0);
    // What is gone was convenience alone.
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    assert_eq!(build(&folder.0), "linked");
    assert_eq!(prints(&folder.0), "41");
    for args in [&["cache", "gc", "main.ori"][..], &["build", "main.ori"]] {
        let output = command(&folder.0, args).env("ORI_CACHE_SIZE", "much").output().expect("oric can be started");
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("ORI_CACHE_SIZE must be a size such as 5GB, found 'much'"));
    }
    assert_eq!(oric(&folder.0, &["cache", "gc", "main.ori", "--budget", "5 apples"]).2, 2);
}

#[test]
fn a_package_is_what_its_manifest_says() {
    let folder = Folder::new("store-package");
    folder.write("ori.toml", b"[project]\nname = \"tank\"\n");
    folder.write("src/main.ori", MAIN.as_bytes());
    folder.write("src/shapes.ori", SHAPES.as_bytes());
    for args in [&["run"][..], &["run", "."], &["run", "src/main.ori"]] {
        let (out, err, status) = oric(&folder.0, args);
        assert_eq!((out.as_str(), status), ("27\n", 0), "{args:?}: {err}");
    }
    let (_, err, status) = oric(&folder.0, &["build"]);
    assert!(status == 0 && folder.0.join("tank").is_file(), "{err}");
    assert!(folder.0.join(".ori/q").is_dir() && !folder.0.join("src/.ori").exists());
    // An option of the package changes code, and only what depends on it.
    folder.write("ori.toml", b"[project]\nname = \"tank\"\n[build]\noptimise = false\n");
    let (_, err, status) = oric(&folder.0, &["build"]);
    assert!(status == 0 && how(&err) != "up to date", "{err}");
    let output = Command::new(folder.0.join("tank")).output().expect("it runs");
    assert_eq!(text(&output.stdout), "27\n");
    for wrong in ["[project]\nname = 3\n", "[project]\n", "name", "[project]\nname = \"a\"\nmain = \"../x.ori\"\n"] {
        folder.write("ori.toml", wrong.as_bytes());
        let (_, err, status) = oric(&folder.0, &["check"]);
        assert!(status == 2 && err.contains("error: [E0217]") && err.contains("ori.toml"), "{wrong:?}: {err}");
    }
    let empty = Folder::new("store-no-package");
    let (_, err, status) = oric(&empty.0, &["run"]);
    assert!(status == 2 && err.contains("ori.toml"), "{err}");
}

#[test]
fn a_program_that_runs_keeps_its_own_code() {
    let folder = Folder::new("store-running");
    let source = "@main (args: [str]) -> void = { let n = 0; while n < 4_000_000_000 do n += 1; print(msg: `old {n}`); }\n";
    folder.write("main.ori", source.as_bytes());
    build(&folder.0);
    let mut running = Command::new(folder.0.join("main")).stdout(Stdio::piped()).spawn().expect("it starts");
    folder.write("main.ori", source.replace("old {n}", "new").replace("4_000_000_000", "4").as_bytes());
    assert_eq!(build(&folder.0), "linked");
    assert_eq!(prints(&folder.0), "new");
    let was_running = running.try_wait().expect("its state can be asked").is_none();
    assert!(was_running, "the program ended before the build did: make it longer");
    let output = running.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stdout), "old 4000000000\n");
}

#[test]
fn why_tells_the_edit_and_when_there_was_none_the_time_before() {
    let folder = program("why");
    build(&folder.0);
    let why = |what: &str| oric(&folder.0, &["why", what, "main.ori"]);
    let (out, _, status) = why("@weight");
    assert!(status == 0 && out.contains("revision 1, for the first time") && out.contains("oric graph --focus weight"), "{out}");
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    build(&folder.0);
    let start = SHAPES.find("@weight").expect("it is there");
    let end = start + SHAPES[start..].find("\n}").expect("it ends") + 2;
    let place = format!("the text of @shapes.weight at shapes.ori:10-13 (bytes {start}..{end}) changed");
    for what in ["@weight", "weight", "shapes.weight", "shapes.ori", "./shapes.ori", "machine(@shapes.weight)"] {
        let (out, err, status) = why(what);
        assert_eq!(status, 0, "{what}: {err}");
        assert!(out.contains(&place), "{what}: {out}");
        assert!(out.contains("queries recomputed") && out.contains(" ms"), "{what}: {out}");
    }
    let (out, _, status) = why("area");
    assert!(status == 0, "{out}");
    folder.write("main.ori", MAIN.replace("3 +", "4 +").as_bytes());
    build(&folder.0);
    let (out, _, status) = why("machine(@shapes.weight)");
    assert!(
        status == 0 && out.starts_with("machine(@shapes.weight) did not run in the last build or check") && out.contains("bytes"),
        "{out}"
    );
    let (_, err, status) = why("wieght");
    assert!(status == 2 && err.contains("did you mean weight?"), "{err}");
    let (_, err, status) = why("@zzzzzzzz");
    assert!(status == 2 && err.contains("oric graph"), "{err}");
}

#[test]
fn the_graph_is_told_in_three_forms() {
    let folder = program("graph");
    assert_eq!(oric(&folder.0, &["graph", "main.ori"]).2, 2, "nothing is stored yet");
    build(&folder.0);
    let graph = |form: &str, focus: &[&str]| {
        let (out, err, status) = oric(&folder.0, &[&["graph", "main.ori", "--format", form], focus].concat());
        assert_eq!(status, 0, "{err}");
        out
    };
    let tsv = graph("tsv", &[]);
    let rows: Vec<Vec<&str>> = tsv.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() > 30 && rows.iter().all(|row| row.len() == 7));
    let find = |name: &str| rows.iter().find(|row| row[2] == name).unwrap_or_else(|| panic!("no {name}"));
    let (machine, lir) = (find("machine(@shapes.weight)"), find("lir(@shapes.weight)"));
    assert!(machine[6].split(',').any(|dep| dep == lir[0]), "code comes from LIR");
    let dot = graph("dot", &[]);
    assert!(dot.starts_with("digraph") && dot.ends_with("}\n"));
    assert!(dot.contains(&format!("n{} -> n{};", machine[0], lir[0])));
    assert_eq!(dot.matches("[label=").count(), rows.len());
    let html = graph("html", &[]);
    assert_eq!(html.matches("<tr id=").count(), rows.len());
    assert!(!html.contains("http"), "the page needs nothing else");
    let focused = graph("tsv", &["--focus", "weight"]);
    let count = focused.lines().count();
    assert!(count > 5 && count < rows.len() && focused.contains("machine(@shapes.weight)") && !focused.contains("machine(@main.main)"));
    assert_eq!(oric(&folder.0, &["graph", "main.ori", "--focus", "nobody"]).2, 2);
}

#[test]
fn timings_are_a_page_or_a_trace() {
    let folder = program("timings");
    let (_, err, status) = oric(&folder.0, &["build", "main.ori", "--timings"]);
    assert!(status == 0 && err.contains("timings: ") && err.contains("timings.html"), "{err}");
    let page = std::fs::read_to_string(folder.0.join(".ori/timings.html")).expect("a page");
    assert!(page.contains("machine(@shapes.weight)") && page.contains("class=\"lane\"") && !page.contains("http"));
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    let (out, err, status) = oric(&folder.0, &["run", "main.ori", "--timings=trace"]);
    assert!(status == 0 && out == "41\n" && err.contains("timings.json"), "{out}{err}");
    let trace = std::fs::read_to_string(folder.0.join(".ori/timings.json")).expect("a trace");
    let trace: Value = serde_json::from_str(&trace).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("events");
    let names: Vec<&str> = events.iter().filter_map(|event| event["name"].as_str()).collect();
    assert!(names.contains(&"machine(@shapes.weight)") && !names.contains(&"machine(@shapes.area)"), "{names:?}");
    assert!(events.iter().all(|event| event["ph"] == "X" && event["dur"].is_number() && event["ts"].is_number()));
    assert_eq!(oric(&folder.0, &["build", "main.ori", "--timings=gif"]).2, 2);
}

#[test]
fn every_query_runs_again_with_the_same_answer() {
    let folder = program("doubt");
    build(&folder.0);
    folder.write("shapes.ori", SHAPES.replace("m + 1", "m + 2").as_bytes());
    let (_, err, status) = oric(&folder.0, &["build", "main.ori", "--verify-queries"]);
    assert!(status == 0 && err.contains("queries ran again with the same answers"), "{err}");
}
