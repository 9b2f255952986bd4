//! The command line as its users see it: transcripts in `cli/*.md`, and what a transcript cannot show.

mod book;

use std::path::Path;

use book::{Folder, check_transcripts, root, shell};
use serde_json::Value;

const WRONG: &str = "@main () -> void = print(msg: 3);\n";
const PANICS: &str = "@main (args: [str]) -> int = { print(msg: \"before\"); 7 / args.len() }\n";

#[test]
fn transcripts_are_what_oric_does() {
    let mut pages: Vec<_> = std::fs::read_dir(root().join("oric/tests/cli"))
        .expect("oric/tests/cli can be read")
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    pages.sort();
    assert!(pages.len() >= 5);
    for page in pages {
        check_transcripts(&page);
    }
}

/// Standard output alone, as JSON lines.
fn json_lines(folder: &Path, line: &str) -> Vec<Value> {
    let (out, _) = shell(&format!("{line} 2>/dev/null"), folder);
    out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn json_output_is_lines_from_start_to_finished_on_every_path() {
    let folder = Folder::new("json");
    folder.write("wrong.ori", WRONG.as_bytes());
    folder.write("panics.ori", PANICS.as_bytes());
    folder.write("nothing.ori", b"");
    folder.write("text.txt", b"");
    let cases = [
        ("check wrong.ori", 1, "oric"),
        ("check panics.ori", 0, "oric"),
        ("check missing.ori", 2, "oric"),
        ("check text.txt", 2, "oric"),
        ("check --colour wrong.ori", 2, "oric"),
        ("chekc wrong.ori", 2, "oric"),
        ("build nothing.ori", 1, "oric"),
        ("build panics.ori", 0, "oric"),
        ("build --opt 2 panics.ori", 2, "oric"),
        ("run panics.ori", 1, "program"),
        ("run panics.ori -- x", 7, "program"),
        ("explain E2001", 0, "oric"),
        ("explain E2099", 2, "oric"),
        ("-C nowhere check wrong.ori", 2, "oric"),
        ("run --dump=nothing panics.ori", 2, "oric"),
    ];
    for (args, status, owner) in cases {
        let lines = json_lines(
            &folder.0,
            &format!("oric {args} --message-format=json").replace(" -- x --message-format=json", " --message-format=json -- x"),
        );
        let (first, last) = (lines.first().expect("a line"), lines.last().expect("a line"));
        assert_eq!((&first["reason"], &first["schema"]), (&"start".into(), &1.into()), "oric {args}");
        assert_eq!((&last["reason"], &last["exit"], &last["owner"]), (&"finished".into(), &status.into(), &owner.into()), "oric {args}");
        let ends = lines.iter().filter(|line| line["reason"] == "start" || line["reason"] == "finished").count();
        assert_eq!(ends, 2, "oric {args}");
        let is_refused = lines.iter().any(|line| line["reason"] == "diagnostic" && line["level"] == "error" && line["message"] != "");
        assert_eq!(is_refused, owner == "oric" && status != 0, "oric {args}");
    }
}

#[test]
fn a_diagnostic_in_json_points_at_bytes_lines_and_columns() {
    let folder = Folder::new("json-spans");
    folder.write("wide.ori", "@main () -> void = { let s = \"𝒳é\"; let n: int = s; }\n".as_bytes());
    let lines = json_lines(&folder.0, "oric check wide.ori --message-format=json");
    let diagnostic = lines.iter().find(|line| line["reason"] == "diagnostic").expect("a diagnostic");
    assert_eq!(diagnostic["code"], "E2001");
    let span = diagnostic["spans"].as_array().expect("spans").iter().find(|span| span["primary"] == true).expect("a primary span");
    // The text holds a character of four bytes and two UTF-16 units, and one of two bytes and one unit.
    assert_eq!(
        (&span["byte_start"], &span["line"], &span["column"], &span["column_utf16"]),
        (&52.into(), &1.into(), &53.into(), &50.into())
    );
}

#[test]
fn colour_follows_the_flag_then_the_environment() {
    let folder = Folder::new("colour");
    folder.write("wrong.ori", WRONG.as_bytes());
    let cases = [
        ("", "", false), // Nobody is looking: the stream is no terminal.
        ("", "--color=always", true),
        ("FORCE_COLOR=1", "", true),
        ("CLICOLOR_FORCE=1", "", true),
        ("FORCE_COLOR=0", "", false),
        ("NO_COLOR=1 FORCE_COLOR=1", "", false),
        ("NO_COLOR= FORCE_COLOR=1", "", true), // An empty NO_COLOR is not set.
        ("NO_COLOR=1", "--color=always", true),
        ("FORCE_COLOR=1", "--color=never", false),
        ("FORCE_COLOR=1 TERM=dumb", "", true),
    ];
    for (environment, flag, colored) in cases {
        let (output, status) = shell(&format!("{environment} oric check {flag} wrong.ori"), &folder.0);
        assert_eq!(status, 1);
        assert_eq!(output.contains('\x1b'), colored, "{environment} oric check {flag}");
        let (output, _) = shell(&format!("{environment} oric check {flag} wrong.ori --message-format=json"), &folder.0);
        assert!(!output.contains("\\u001b") && !output.contains('\x1b'), "{environment} oric check {flag} in JSON");
    }
}

/// Filters, maps, zips and folds are gone after inlining: no call, no closure, nothing on the heap, no `Option` between them.
#[test]
fn chains_of_iterators_become_loops() {
    let program = root().join("fixtures/run/09-14-chains-are-loops.ori");
    let folder = Folder::new("chains");
    for function in ["a", "c", "d", "g", "k"] {
        let (text, status) = shell(&format!("oric run --dump=mir.owned:{function} {}", program.display()), &folder.0);
        assert_eq!(status, 0, "{text}");
        // The lambdas have code of their own behind the function.
        let body = text.split("\n}").next().unwrap_or_default();
        assert!(body.contains(" = add ") || body.contains(" = fadd ") || body.contains(" = wrap_add "), "{function}: {text}");
        for op in ["call", "call_value", "closure", "new", "list", "list_push", "variant", "dup", "drop"] {
            let is_it = |line: &str| line.split(" = ").last().is_some_and(|inst| inst.split_whitespace().next() == Some(op));
            assert!(!body.lines().any(is_it), "`{op}` in {function}: {body}");
        }
    }
}

#[test]
fn a_dump_is_the_same_in_all_forms() {
    let program = root().join("examples/tour.ori");
    let folder = Folder::new("dumps");
    let dump = |level: &str, form: &str| {
        let (text, status) = shell(&format!("oric run --dump={level} --dump-format={form} {}", program.display()), &folder.0);
        assert_eq!(status, 0, "{level} as {form}: {text}");
        text
    };
    for level in ["hir", "mir.built", "mir", "lir.built", "lir", "machine.select", "machine.alloc", "machine"] {
        let text = dump(level, "text");
        let tsv = dump(level, "tsv");
        assert!(text.starts_with("ori-ir "), "{level}");
        assert!(tsv.starts_with("#schema\tori-ir-tsv\t1\n"), "{level}");
        let rows = tsv.lines().count();
        assert!(rows > 100, "{level} has {rows} rows");
        let json: Value = serde_json::from_str(&dump(level, "json")).unwrap_or_else(|error| panic!("{level}: {error}"));
        let count = |value: &Value| -> usize {
            let lists = value.as_object().map(|map| map.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0));
            lists.or_else(|| value.as_array().map(Vec::len)).unwrap_or(0)
        };
        assert!(rows.abs_diff(count(&json)) <= 2, "{level}: {rows} rows of TSV, {} of JSON", count(&json));
    }
}

#[test]
fn a_closed_reader_of_the_output_is_no_crash() {
    let folder = Folder::new("pipe");
    folder.write("wrong.ori", WRONG.as_bytes());
    for command in ["explain", "run --dump=mir wrong.ori", "check --message-format=json wrong.ori", "--help"] {
        let (output, _) = shell(&format!("oric {command} | head -n 0"), &folder.0);
        assert!(!output.contains("E9001") && !output.contains("panicked"), "oric {command}: {output}");
    }
}

#[test]
fn a_program_that_runs_out_of_memory_says_so_and_ends() {
    let folder = Folder::new("memory");
    let source = "\
@grow (f: (int) -> int, n: int) -> (int) -> int = if n == 0 then f else grow(f: x -> f(x) + n, n: n - 1);
@main () -> void = { let f = grow(f: x -> x, n: 1000000000); print(msg: `{f(1)}`); }
";
    folder.write("grow.ori", source.as_bytes());
    let (out, status) = shell("oric build -o grow grow.ori >/dev/null 2>&1; ulimit -v 200000; ./grow 2>&1", &folder.0);
    assert_eq!((out.as_str(), status), ("fatal: out of memory (40 bytes requested)\n", 134));
}

/// A write beyond the limit on the size of files is an error like any other: nothing half written is left, and nobody is ended by a signal.
#[test]
fn a_program_that_may_not_be_written_leaves_nothing() {
    let folder = Folder::new("limit");
    let prints: String = (0..60).map(|n| format!("print(msg: \"{}{n}\"); ", "x".repeat(900))).collect();
    folder.write("big.ori", format!("@main () -> void = {{ {prints} }}\n").as_bytes());
    folder.write("out/nothing", b"");
    let (out, status) = shell("ulimit -f 20; oric build -o out/big big.ori 2>&1", &folder.0);
    assert!(status == 2 && out.contains("cannot write out/big: File too large"), "{status}: {out}");
    let (left, _) = shell("ls -A out", &folder.0);
    assert_eq!(left, "nothing\n");
    let (_, status) = shell("oric build -o out/big big.ori 2>&1 && out/big > /dev/null", &folder.0);
    assert_eq!(status, 0);
}

/// Ten thousand elements of a literal are no matter, and where code would be too large there is a place and a next step.
#[test]
fn values_with_too_many_parts_are_an_error_with_a_place() {
    let folder = Folder::new("wide");
    let fields = |count: usize| (0..count).map(|n| format!("f{n}: int")).collect::<Vec<_>>().join(", ");
    let parts = |count: usize| (0..count).map(|n| format!("f{n}: k + {n}")).collect::<Vec<_>>().join(", ");
    let program = |count: usize| {
        let (fields, parts) = (fields(count), parts(count));
        format!("type S = {{ {fields} }}\n@made (k: int) -> S = S {{ {parts} }};\n@main () -> void = print(msg: `{{made(k: 1).f7}}`);\n")
    };
    folder.write("fits.ori", program(1024).as_bytes());
    assert_eq!(shell("oric run fits.ori", &folder.0), ("8\n".to_owned(), 0));
    folder.write("wide.ori", program(1025).as_bytes());
    let (out, status) = shell("oric run wide.ori 2>&1", &folder.0);
    assert!(
        status == 1 && out.contains("error[E0039]") && out.contains("wide.ori:3:2") && out.contains("limit of 1024"),
        "{status}: {out}"
    );
}

#[test]
fn literals_may_be_long() {
    let folder = Folder::new("long");
    let entries: Vec<String> = (0..10_000).map(|n| format!("\"w{n}\": {n}")).collect();
    let texts: Vec<String> = (0..10_000).map(|n| format!("\"w{n}\"")).collect();
    let (entries, texts) = (entries.join(", "), texts.join(", "));
    folder.write("constant.ori", format!("let $m = {{{entries}}};\n@main () -> void = print(msg: `{{m[\"w9999\"] ?? 0}}`);\n").as_bytes());
    folder.write("map.ori", format!("@main () -> void = {{ let m = {{{entries}}}; print(msg: `{{m.len()}}`); }}\n").as_bytes());
    folder.write("list.ori", format!("@main () -> void = {{ let m = [{texts}]; print(msg: `{{m.len()}} {{m[9999]}}`); }}\n").as_bytes());
    for (name, wanted) in [("constant", "9999\n"), ("map", "10000\n"), ("list", "10000 w9999\n")] {
        assert_eq!(shell(&format!("oric run {name}.ori"), &folder.0), (wanted.to_owned(), 0), "{name}");
    }
    // A constant is laid out once, however often it is read.
    let reads: String = (0..4).map(|n| format!("print(msg: `{{m[\"w{n}\"] ?? 0}}`); ")).collect();
    folder.write("reads.ori", format!("let $m = {{{entries}}};\n@main () -> void = {{ {reads} }}\n").as_bytes());
    assert_eq!(shell("oric run reads.ori", &folder.0), ("0\n1\n2\n3\n".to_owned(), 0));
    // What is computed has code.
    let sums: Vec<String> = (0..66_000).map(|n| format!("k + {n}")).collect();
    folder.write(
        "large.ori",
        format!(
            "// Large.\n@main (args: [str]) -> void = {{ let k = args.len(); let m = [{}]; print(msg: `{{m[k]}}`); }}\n",
            sums.join(", ")
        )
        .as_bytes(),
    );
    let (out, status) = shell("oric run large.ori 2>&1", &folder.0);
    assert!(
        status == 1 && out.contains("error[E0039]") && out.contains("large.ori:2:2") && out.contains("a function of its own"),
        "{status}: {out}"
    );
}

#[test]
fn objects_that_wrap_themselves_without_an_end_are_told_by_their_code() {
    let folder = Folder::new("wrapped");
    let program = "trait Shape { @wrap (self) -> Shape }\ntype Wrap<T> = { x: T }\nimpl int: Shape { @wrap (self) -> Shape = Wrap { x: self }; }\n\
        impl<T: Shape> Wrap<T>: Shape { @wrap (self) -> Shape = Wrap { x: self }; }\n@main (args: [str]) -> void = { let s: Shape = 1; for i in 0..args.len() do s = s.wrap(); }\n";
    folder.write("wrapped.ori", program.as_bytes());
    for command in ["run", "build"] {
        let (out, status) = shell(&format!("oric {command} wrapped.ori 2>&1"), &folder.0);
        assert!(status == 1 && out.contains("error[E0416]") && out.contains("wrapped.ori:1:16"), "{command} {status}: {out}");
    }
}
