//! What debuggers see of release builds (`-g`): gdb and lldb run programs here, and `llvm-dwarfdump --verify` judges what they read. `make test` installs them.

mod book;

use std::path::Path;
use std::process::Command;

use book::Folder;
use book::program::{self, MAIN, text, worker};

const SHAPES: &str = "\
pub @area (width: int, height: int) -> int = {
    let size = width * height;
    if size > 100 then panic(msg: `too large: {size}`) else size
}

pub @total (items: [int]) -> int = {
    let sum = 0;
    for item in items do {
        sum = sum + area(width: item, height: 2);
    };
    sum
}

pub @down (depth: int) -> int = {
    if depth == 0 then 1 else {
        let below = down(depth: depth - 1);
        below + depth
    }
}
";

const PROGRAM: &str = "\
use \"./shapes\" { area, total, down };

@main (args: [str]) -> void = {
    let list = [args.len() + 1, 2, 3];
    let sum = total(items: list);
    print(msg: `{sum}`);
    let a = area(width: sum, height: 3);
    print(msg: `{a} {down(depth: 3 + args.len())}`);
}
";

/// The first of these programs that is here.
fn tool(names: &[&'static str]) -> Option<&'static str> {
    let found = names.iter().copied().find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        eprintln!("not tested: {} is not installed ('make test' installs it)", names[0]);
    }
    found
}

fn build(folder: &Folder, worker: &Path, flags: &[&str], program: &str) {
    let args = [&["build", "--release", "main.ori", "-o", program], flags].concat();
    let (_, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &[("ORI_LLVM", worker)], &args);
    assert_eq!(status, 0, "{flags:?}: {err}");
}

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("main.ori", PROGRAM.as_bytes());
    folder.write("shapes.ori", SHAPES.as_bytes());
    folder
}

/// What gdb says to these commands.
fn gdb(folder: &Folder, program: &str, commands: &[&str]) -> Option<String> {
    let gdb = tool(&["gdb"])?;
    let mut command = Command::new(gdb);
    command.current_dir(&folder.0).args(["-q", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", "set confirm off"]);
    let output = command.args(commands.iter().flat_map(|command| ["-ex", command])).arg(program).output().expect("gdb can be started");
    Some(text(&output.stdout) + &text(&output.stderr))
}

#[track_caller]
fn in_order(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for piece in wanted {
        let Some(at) = rest.find(piece) else { panic!("'{piece}' is not there, or not in this order:\n{text}") };
        rest = &rest[at + piece.len()..];
    }
}

#[test]
fn gdb_stops_at_lines_steps_and_shows_who_called() {
    let Some(worker) = worker() else { return };
    let folder = folder("debug-lines");
    build(&folder, &worker, &["-g", "--opt", "0"], "slow");
    let Some(said) =
        gdb(&folder, "slow", &["break shapes.ori:2", "run", "bt", "delete", "next", "next", "bt", "break main.ori:8", "continue", "bt"])
    else {
        return;
    };
    // The calls are inlined, before LLVM sees them: they have frames all the same.
    in_order(
        &said,
        &[
            "Breakpoint 1",
            "2\t    let size = width * height;",
            "#0  shapes.area (",
            "at ./shapes.ori:2",
            "#1  shapes.total (",
            "at ./shapes.ori:9",
            "#2  main.main (",
            "at ./main.ori:5",
            "5\t    let sum = total(items: list);",
            "#0  main.main (",
            "at ./main.ori:8",
            "8\t    print(msg: `{a} {down(depth: 3 + args.len())}`);",
        ],
    );
    build(&folder, &worker, &["-g"], "fast");
    let Some(said) = gdb(&folder, "fast", &["break shapes.ori:16", "ignore 1 1", "run", "bt"]) else { return };
    in_order(
        &said,
        &["shapes.down (", "at ./shapes.ori:16", "#1", "shapes.down (", "at ./shapes.ori:16", "main.main (", "at ./main.ori:8"],
    );
}

const VALUES: &str = "\
type Point = { x: int, y: float, on: bool };
type Shape = Circle(r: int) | Square(side: int, name: str) | Nothing;

@show (n: int, f: float, b: bool, y: byte, c: char, s: str, long: str) -> int = {
    print(msg: `{n} {f} {b} {y} {c} {s} {long}`);
    n
}

@more (items: [int], p: Point, q: (int, bool), o: Option<int>, none: Option<int>, shape: Shape, f: (int) -> int) -> int = {
    print(msg: `{items} {p.x} {p.y} {p.on} {q.0} {q.1} {o} {none} {f(3)}`);
    match shape { Circle(r) -> r, Square(side, name) -> { print(msg: name); side }, Nothing -> 0 }
}

@down (depth: int, acc: int) -> int = if depth == 0 then acc else down(depth: depth - 1, acc: acc + depth);

@main (args: [str]) -> void = {
    let n = show(n: args.len() + 41, f: 2.5, b: true, y: 65 as byte, c: 'a', s: \"short\", long: \"a text that is much longer than what stays inline\");
    let m = more(items: [n, 2, 3], p: Point { x: n, y: 0.5, on: true }, q: (n, false), o: Some(7), none: None, shape: Square(side: 5, name: \"sq\"), f: x -> x + n);
    print(msg: `{m} {down(depth: n, acc: m)}`);
}
";

#[test]
fn gdb_shows_parameters_with_their_names_and_parts() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("debug-values");
    folder.write("main.ori", VALUES.as_bytes());
    build(&folder, &worker, &["-g", "--opt", "0", "--no-pass", "inline"], "slow");
    let commands = [
        "break main.show",
        "break main.more",
        "break main.down",
        "run",
        "info args",
        "print n + 1",
        "continue",
        "info args",
        "print *items.start@items.length",
        "print shape.Square_name.bytes",
        "ptype p",
        "continue",
        "info args",
    ];
    let Some(said) = gdb(&folder, "slow", &commands) else { return };
    in_order(
        &said,
        &[
            "\nn = 41\nf = 2.5\nb = true\ny = 65 'A'\nc = 97 ",
            "\ns = {bytes = \"short\"",
            "\nlong = {bytes = ",
            "\"a text that is much longer than what stays inline\", length = 49, owner = 0x0}\n",
            "$1 = 42\n",
            "\nitems = {start = 0x",
            ", length = 3, buffer = 0x",
            "\np = {x = 41, y = 0.5, on = true}\nq = {_0 = 41, _1 = false}\no = {is = Some, Some = 7}\nnone = {is = None, ",
            "\nshape = {is = Square, ",
            "Square_side = 5, Square_name = {bytes = \"sq\"",
            "$2 = {41, 2, 3}\n",
            "$3 = \"sq\"",
            "type = struct main.Point {\n    int x;\n    float y;\n    bool on;\n}",
            "main.down (",
        ],
    );
    // A name that changes is no other program, and the debugger is told all the same.
    let stripped = |flags: &[&str], program: &str| {
        build(&folder, &worker, flags, program);
        std::fs::read(folder.0.join(program)).expect("it is there")
    };
    assert!(stripped(&["--strip"], "plain") == stripped(&["--strip", "-g"], "told"), "the code is the same");
    let shown = &["-g", "--no-pass", "inline"];
    let before = stripped(shown, "told");
    let renamed = VALUES.replacen("@show (n: int", "@show (number: int", 1).replacen("`{n} {f}", "`{number} {f}", 1);
    folder.write(
        "main.ori",
        renamed.replacen(");\n    n\n}", ");\n    number\n}", 1).replacen("show(n: args", "show(number: args", 1).as_bytes(),
    );
    assert!(stripped(shown, "told") != before);
}

const KINDS: &str = "\
type Point = { x: int, y: float, on: bool };
type Shape = Circle(r: int) | Square(side: int, name: str) | Nothing;

@kinds (n: int) -> int = {
    let count = n * 3;
    let half = n as float / 2.0;
    let is_big = n > 2;
    let name = `number {n}`;
    let items = [n, n + 1, n + 2];
    let point = Point { x: n + 10, y: half, on: is_big };
    let pair = (count, is_big);
    let shape = Square(side: n + 5, name: name);
    let some = Some(n + 7);
    print(msg: `stop {n}`);
    print(msg: `{count} {half} {is_big} {name} {items} {point.x} {point.y} {point.on} {pair.0} {pair.1} {some}`);
    let area = match shape {
        Circle(r) -> r,
        Square(side, title) -> {
            let twice = side * 2;
            print(msg: `{title} {twice}`);
            side * twice
        },
        Nothing -> 0,
    };
    area
}

@sum (n: int) -> int = {
    let total = 0;
    for i in 0..n do {
        let i2 = i * i;
        total = total + i2;
        print(msg: `{i} {total}`);
    };
    total
}

@hidden (x: int) -> int = {
    let y = x + 1;
    let z = {
        let x = y * 10;
        print(msg: `{x} {y}`);
        x + y
    };
    print(msg: `{x} {y} {z}`);
    x + z
}

@main (args: [str]) -> void = {
    let a = kinds(n: args.len() + 4);
    let b = sum(n: a - 158);
    let c = hidden(x: b);
    print(msg: `{a} {b} {c}`);
}
";

#[test]
fn locals_of_every_kind_are_shown() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("debug-kinds");
    folder.write("main.ori", KINDS.as_bytes());
    let list = "print *items.start@items.length";
    let first = ["break main.ori:14", "run", "print count", "print half", "print is_big", "print name.bytes", list];
    let parts = ["print point", "print pair", "print shape.Square_name.bytes", "print shape.is", "print shape.Square_side", "print some"];
    let pattern = ["break main.ori:20", "continue", "print side", "print title.bytes", "print twice", "print items"];
    build(&folder, &worker, &["-g", "--opt", "0"], "slow");
    if let Some(said) = gdb(&folder, "slow", &[&first[..], &parts, &pattern].concat()) {
        let first = ["$1 = 12\n", "$2 = 2\n", "$3 = true\n", "$4 = \"number 4\"", "$5 = {4, 5, 6}\n", "$6 = {x = 14, y = 2, on = true}\n"];
        let second = ["$7 = {_0 = 12, _1 = true}\n", "$8 = \"number 4\"", "$9 = Square\n", "$10 = 9\n", "$11 = {is = Some, Some = 11}\n"];
        in_order(&said, &[&first[..], &second, &["$12 = 9\n", "$13 = \"number 4\"", "$14 = 18\n", "$15 = <optimized out>\n"]].concat());
    }
    let all = ["breakpoint set -f main.ori -l 14", "run", "frame variable count half is_big items point pair some", "expr name.bytes"];
    let more = ["breakpoint set -f main.ori -l 20", "continue", "frame variable side twice"];
    if let Some(said) = lldb(&folder, "slow", &[&all[..], &more].concat()) {
        let first = ["(long) count = 12\n", "(double) half = 2\n", "(bool) is_big = true\n", "items = {\n  start = 0x", "length = 3\n"];
        let second =
            ["(main.Point) point = (x = 14, y = 2, on = true)\n", "pair = (_0 = 12, _1 = true)\n", "some = (is = Some, Some = 11)\n"];
        in_order(&said, &[&first[..], &second, &["\"number 4\"", "(long) side = 9\n", "(long) twice = 18\n"]].concat());
    }
    // Optimised, some are gone, as what is computed where it is used. None is another one.
    build(&folder, &worker, &["-g"], "fast");
    let shown = ["print count", "print name.bytes", list, "print pair._0", "print shape.is", "print shape.Square_name.bytes"];
    if let Some(said) = gdb(&folder, "fast", &[&["break main.ori:14", "run"][..], &shown, &pattern].concat()) {
        let first =
            ["main.kinds (n=4)", "$1 = 12\n", "$2 = \"number 4\"", "$3 = {4, 5, 6}\n", "$4 = 12\n", "$5 = Square\n", "$6 = \"number 4\""];
        in_order(&said, &[&first[..], &["$7 = 9\n", "$8 = \"number 4\"", "$9 = 18\n", "$10 = <optimized out>\n"]].concat());
    }
    let all = ["breakpoint set -f main.ori -l 14", "run", "frame variable count items", "expr name.bytes"];
    if let Some(said) = lldb(&folder, "fast", &all) {
        in_order(&said, &["(long) count = 12\n", "items = {\n  start = 0x", "length = 3\n", "\"number 4\""]);
    }
}

#[test]
fn locals_change_as_one_steps_and_hide_each_other() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("debug-steps");
    folder.write("main.ori", KINDS.as_bytes());
    let round = [
        "break main.ori:32",
        "run",
        "print i",
        "print total",
        "next",
        "print total",
        "continue",
        "print i",
        "print total",
        "next",
        "print total",
    ];
    let hidden = ["delete", "break main.ori:42", "continue", "print x", "print y", "break main.ori:45", "continue", "print x", "print z"];
    for (flags, program) in [(&["-g", "--opt", "0"][..], "slow"), (&["-g", "--opt", "2"], "fast")] {
        build(&folder, &worker, flags, program);
        let Some(said) = gdb(&folder, program, &[&round[..], &hidden].concat()) else { continue };
        // Inlined, all of it: the frames are those of the source.
        let stepped =
            ["total = total + i2;", "$1 = 0\n", "$2 = 0\n", "print(msg: `{i} {total}`)", "$3 = 0\n", "$4 = 1\n", "$5 = 0\n", "$6 = 1\n"];
        let hiding = ["main.hidden (x=14)", "$7 = 150\n", "$8 = 15\n", "main.hidden (x=14)", "$9 = 14\n", "$10 = 165\n"];
        match program {
            "slow" => in_order(&said, &[&stepped[..], &hiding].concat()),
            _ => in_order(&said, &hiding),
        }
    }
    let round = [
        "breakpoint set -f main.ori -l 33",
        "run",
        "frame variable i total",
        "continue",
        "frame variable i total",
        "continue",
        "frame variable i total",
    ];
    if let Some(said) = lldb(&folder, "slow", &round) {
        let rounds = ["i = 0\n", "total = 0\n", "i = 1\n", "total = 1\n", "i = 2\n", "total = 5\n"];
        in_order(&said, &rounds);
    }
    let round = [
        "breakpoint set -f main.ori -l 33",
        "run",
        "frame variable total",
        "continue",
        "frame variable total",
        "continue",
        "frame variable total",
    ];
    if let Some(said) = lldb(&folder, "fast", &round) {
        in_order(&said, &["total = 0\n", "total = 1\n", "total = 5\n"]);
    }
}

/// Prints locals at many places, each with the line in front, for which `LINE` stands.
const LOOPS: &str = include_str!("debug/loops.ori");

/// A number, and what is called what there.
type Said = (usize, Vec<(String, String)>);

/// What the program prints: `12 name=value name=value`.
fn printed(out: &str) -> Vec<Said> {
    let pair = |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let line = |line: &str| Some((line.split(' ').next()?.parse().ok()?, line.split(' ').filter_map(pair).collect()));
    out.lines().filter_map(line).collect()
}

/// What gdb shows at each of these lines, the innermost of a name first.
fn shown(folder: &Folder, program: &str, lines: &[usize]) -> Option<Vec<Said>> {
    let mut script = String::new();
    for line in lines {
        script.push_str(&format!(
            "break main.ori:{line}\ncommands\nsilent\necho \\n@{line}\\n\ninfo locals\ninfo args\necho \\n@\\n\ncontinue\nend\n"
        ));
    }
    folder.write("script", (script + "run\n").as_bytes());
    let said = gdb(folder, program, &["source script"])?;
    let mut all: Vec<Said> = Vec::new();
    let mut is_open = false;
    for line in said.lines() {
        match (line.strip_prefix('@'), line.split_once(" = ")) {
            (Some(number), _) => {
                is_open = !number.is_empty();
                if let Ok(number) = number.parse() {
                    all.push((number, Vec::new()));
                }
            }
            (None, Some((name, value))) if is_open => {
                if let Some((_, locals)) = all.last_mut() {
                    locals.push((name.to_owned(), value.to_owned()));
                }
            }
            (None, _) => {}
        }
    }
    Some(all)
}

#[test]
fn what_is_shown_of_a_local_is_what_the_program_prints_of_it() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("debug-true");
    let source: Vec<String> = LOOPS.lines().enumerate().map(|(at, line)| line.replace("LINE", &format!("{}", at + 1))).collect();
    folder.write("main.ori", (source.join("\n") + "\n").as_bytes());
    let lines: Vec<usize> = (1..=source.len()).filter(|&line| source[line - 1].contains(&format!("`{line} "))).collect();
    for (level, wanted) in [("0", 200), ("1", 120), ("2", 120), ("s", 120)] {
        build(&folder, &worker, &["-g", "--opt", level], "program");
        let out = Command::new(folder.0.join("program")).output().expect("it runs");
        let printed = printed(&text(&out.stdout));
        let Some(shown) = shown(&folder, "program", &lines) else { return };
        let (mut same, mut stops) = (0, 0);
        for &line in &lines {
            let at = |said: &'_ [Said]| -> Vec<Vec<(String, String)>> {
                said.iter().filter(|(number, _)| *number == line).map(|(_, locals)| locals.clone()).collect()
            };
            let (printed, shown) = (at(&printed), at(&shown));
            // A line that does several things, or whose work has moved, is stopped at more often than it prints.
            if printed.len() != shown.len() {
                continue;
            }
            stops += shown.len();
            for (printed, shown) in printed.iter().zip(&shown) {
                for (name, value) in printed {
                    let found = shown.iter().find(|(shown, _)| shown == name).map_or("", |(_, value)| value.as_str());
                    if found.is_empty() || found.contains("<optimized out>") || found == "<synthetic pointer>" {
                        continue;
                    }
                    assert_eq!(found, value, "{name} at line {line}, --opt {level}");
                    same += 1;
                }
            }
        }
        assert!(same >= wanted && stops > 50, "--opt {level}: {same} locals are shown, at {stops} stops");
    }
}

const LAMBDAS: &str = "\
type Point = { x: int, y: int };

@apply (f: (int, (int, int), str) -> int, n: int) -> int = f(n, (n, n), \"given\") + f(n + 1, (0, 1), \"again\");

@through<T> (f: (T) -> T, value: T) -> T = f(value);

@main (args: [str]) -> void = {
    let base = args.len() + 6;
    let point = Point { x: base, y: 9 };
    let label = `base {base}`;
    let sum = apply(f: (number, _, text) -> {
        print(msg: `{label} {text} {point.x} {point.y}`);
        number + base
    }, n: 4);
    let deep = through(f: outer -> {
        let inner = through(f: middle -> { print(msg: `{outer} {middle}`); middle + outer }, value: 2);
        inner
    }, value: sum);
    print(msg: `{deep}`);
}
";

#[test]
fn parameters_of_lambdas_and_what_they_capture_are_shown() {
    let Some(worker) = worker() else { return };
    let folder = Folder::new("debug-lambdas");
    folder.write("main.ori", LAMBDAS.as_bytes());
    let plain = ["--opt", "0", "--no-pass", "inline"];
    build(&folder, &worker, &[&plain[..], &["-g"]].concat(), "slow");
    let commands = ["info args", "continue", "print number", "print text.bytes", "continue", "info args", "continue", "info args"];
    let commands = [&["break main.ori:12", "break main.ori:16", "run"][..], &commands].concat();
    if let Some(said) = gdb(&folder, "slow", &commands) {
        let first = ["\nnumber = 4\ntext = {bytes = \"given\"", "\nlabel = {bytes = \"base 6\"", "\npoint = {x = 6, y = 9}\nbase = 6\n"];
        let again = ["main.main'0 (number=5, ", "$1 = 5\n", "$2 = \"again\""];
        // Lambdas in a lambda, given to instances.
        let inner = ["main.main'1 (outer=21)", "\nouter = 21\n", " (middle=2, outer=21)", "\nmiddle = 2\nouter = 21\n"];
        in_order(&said, &[&first[..], &again, &inner].concat());
        assert!(!said.contains("_=") && !said.contains("\n_ = "), "a blank has no name to ask for:\n{said}");
    }
    let commands = ["breakpoint set -f main.ori -l 12", "run", "frame variable", "continue", "frame variable number", "expr text.bytes"];
    if let Some(said) = lldb(&folder, "slow", &commands) {
        let first = ["(long) number = 4\n", "(str) text = ", "(main.Point) point = (x = 6, y = 9)\n", "(long) base = 6\n"];
        in_order(&said, &[&first[..], &["(long) number = 5\n", "\"again\""]].concat());
    }
    let told = given(&folder, &worker, &[&plain[..], &["-g"]].concat());
    assert_eq!(told, given(&folder, &worker, &plain), "the code is the same");
    // What LLVM inlines keeps the variables that its values have.
    build(&folder, &worker, &["-g"], "fast");
    if let Some(dwarf) = tool(&["llvm-dwarfdump-22", "/usr/lib/llvm-22/bin/llvm-dwarfdump", "llvm-dwarfdump"]) {
        let output = Command::new(dwarf).current_dir(&folder.0).args(["--verify", "fast"]).output().expect("it can be started");
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
}

/// What lldb says to these commands.
fn lldb(folder: &Folder, program: &str, commands: &[&str]) -> Option<String> {
    let lldb = tool(&["lldb-22", "lldb"])?;
    let mut command = Command::new(lldb);
    command.current_dir(&folder.0).args(["-b", "-x"]);
    let output = command.args(commands.iter().flat_map(|command| ["-o", command])).arg(program).output().expect("lldb can be started");
    let said = text(&output.stdout) + &text(&output.stderr);
    if said.contains("personality set failed") || said.contains("Operation not permitted") {
        eprintln!("not tested: lldb may not start programs here");
        return None;
    }
    Some(said)
}

#[test]
fn lldb_reads_it_too() {
    let Some(worker) = worker() else { return };
    let folder = folder("debug-lldb");
    build(&folder, &worker, &["-g", "--opt", "0"], "slow");
    let Some(said) = lldb(&folder, "slow", &["breakpoint set -f shapes.ori -l 2", "run", "bt"]) else { return };
    in_order(
        &said,
        &[
            "stop reason = breakpoint 1",
            "slow`shapes.area",
            "shapes.ori:2:16",
            "slow`shapes.total",
            "shapes.ori:9:21",
            "slow`main.main",
            "main.ori:5",
        ],
    );
}

#[test]
fn dwarf_is_sound_whoever_links_and_names_no_folder_of_this_machine() {
    let Some(worker) = worker() else { return };
    let Some(dwarfdump) = tool(&["llvm-dwarfdump-22", "/usr/lib/llvm-22/bin/llvm-dwarfdump", "llvm-dwarfdump"]) else { return };
    let folder = folder("debug-sound");
    folder.write("whole.ori", MAIN.as_bytes());
    folder.write("values.ori", VALUES.as_bytes());
    let here = folder.0.canonicalize().expect("it is there");
    for source in ["main.ori", "whole.ori", "values.ori"] {
        for flags in [&["-g"][..], &["-g", "--opt", "0"], &["-g", "--opt", "3", "--codegen-units", "7"], &["--debug", "1"]] {
            let args = [&["build", "--release", source, "-o", "program"], flags].concat();
            let (_, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &[("ORI_LLVM", &worker)], &args);
            assert_eq!(status, 0, "{source} {flags:?}: {err}");
            let output = Command::new(dwarfdump).current_dir(&folder.0).args(["--verify", "program"]).output().expect("it can be started");
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(
                output.status.success() && said.contains("No errors.") && said.contains("Verifying unit: 1"),
                "{source} {flags:?}: {said}"
            );
            let output = Command::new(dwarfdump).current_dir(&folder.0).args(["--debug-info", "--debug-line", "program"]).output();
            let said = text(&output.expect("it can be started").stdout);
            assert!(said.contains("version: 5") || said.contains("version = 0x0005"), "{said}");
            assert!(said.contains("DW_AT_comp_dir\t(\".\")"), "{said}");
            let bytes = std::fs::read(folder.0.join("program")).expect("it is there");
            let folder = here.as_os_str().as_encoded_bytes();
            assert!(!bytes.windows(folder.len()).any(|at| at == folder), "{source} {flags:?}: the program names {}", here.display());
        }
    }
}

#[test]
fn the_code_is_the_same_and_strip_takes_it_all_away() {
    let Some(worker) = worker() else { return };
    let folder = folder("debug-same");
    let read = |program: &str| std::fs::read(folder.0.join(program)).expect("it is there");
    for flags in [&["--opt", "0"][..], &["--opt", "1"], &["--opt", "2"], &["--opt", "s", "--codegen-units", "3"]] {
        build(&folder, &worker, &[flags, &["--strip"]].concat(), "plain");
        build(&folder, &worker, &[flags, &["--strip", "-g"]].concat(), "told");
        // LLVM's quick selector, of --opt 0, makes constants anew behind what is told: what it is given is the same.
        assert!(flags[1] == "0" || read("plain") == read("told"), "{flags:?}");
        assert_eq!(given(&folder, &worker, &[flags, &["-g"]].concat()), given(&folder, &worker, flags), "{flags:?}");
        build(&folder, &worker, &[flags, &["-g"]].concat(), "told");
        let kept = read("told");
        assert!(kept.windows(11).any(|at| at == b".debug_info") && kept.len() > read("plain").len(), "{flags:?}");
    }
}

/// What LLVM gets of a program, but for what debuggers are told, and for numbers of values.
fn given(folder: &Folder, worker: &Path, flags: &[&str]) -> String {
    let args = [&["build", "--release", "main.ori", "--dump=llvm"], flags].concat();
    let (out, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &[("ORI_LLVM", worker)], &args);
    assert_eq!(status, 0, "{flags:?}: {err}");
    let mut plain = String::new();
    let lines = out.lines().filter(|line| !line.contains("#dbg_value(") && !line.starts_with('!') && !line.is_empty());
    for line in lines {
        let line = line.split(", !dbg !").next().unwrap_or(line).replace(" !dbg !", "~");
        // A debugger is told of what the function is, too.
        let (head, tail) = line.split_once('~').unwrap_or((&line, ""));
        let mut is_number = false;
        plain.extend(head.chars().filter(|&c| {
            let is_kept = !(is_number && c.is_ascii_digit());
            is_number = c == '%' || is_number && (c == 'v' || c.is_ascii_digit());
            is_kept
        }));
        plain.push_str(tail.trim_start_matches(|c: char| c.is_ascii_digit()));
        plain.push('\n');
    }
    plain
}

#[test]
fn what_a_debugger_is_told_is_no_older_than_the_program() {
    let Some(worker) = worker() else { return };
    let folder = folder("debug-again");
    let read = || std::fs::read(folder.0.join("program")).expect("it is there");
    build(&folder, &worker, &[], "program");
    let plain = read();
    build(&folder, &worker, &["-g"], "program");
    let told = read();
    build(&folder, &worker, &["--debug", "1"], "program");
    let lines = read();
    assert!(plain != told && told != lines && plain != lines);
    // Lines that move are in the units then, and both kinds come back as they were.
    folder.write("shapes.ori", format!("// moved\n{SHAPES}").as_bytes());
    build(&folder, &worker, &["-g"], "program");
    let moved = read();
    assert!(moved != told);
    build(&folder, &worker, &["-g", "--clean-link"], "program");
    assert!(read() == moved);
    folder.write("shapes.ori", SHAPES.as_bytes());
    build(&folder, &worker, &["-g"], "program");
    assert!(read() == told);
    build(&folder, &worker, &[], "program");
    assert!(read() == plain);
}

#[test]
fn development_builds_say_that_it_is_for_release_builds() {
    let folder = folder("debug-refused");
    for flags in [&["-g"][..], &["--debug", "2"]] {
        let args = [&["build", "main.ori"], flags].concat();
        let (_, err, status) = program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &[], &args);
        assert!(status == 2 && err.contains("--release"), "{status}: {err}");
    }
    let (_, err, status) =
        program::oric(Path::new(env!("CARGO_BIN_EXE_oric")), &folder.0, &[], &["build", "--release", "--debug", "3", "main.ori"]);
    assert!(status == 2 && err.contains("0..=2"), "{status}: {err}");
}
