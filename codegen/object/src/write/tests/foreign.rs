//! Programs with code of other compilers, which an assembly file stands for (`foreign.s`): frames, pads and places that only `.eh_frame` knows.

use abi::Entry;

use super::*;
use crate::name::item_symbol;

/// How pointers are written.
#[derive(Clone, Copy)]
enum Model {
    /// Addresses of four bytes.
    Fixed,
    /// Distances to where addresses stand.
    Independent,
}

const ITEMS: [(&str, u32, bool); 9] = [
    ("main", 10, false),
    ("bridge", 20, false),
    ("thrower", 30, false),
    ("library", 40, true),
    ("inner", 50, false),
    ("middle", 60, false),
    ("deep", 70, false),
    ("start", 80, true),
    ("catcher", 90, false),
];

fn words(text: &str) -> String {
    let words = abi::layout::inline_str(text.as_bytes()).expect("short");
    words.map(|word| word.to_string()).join(", ")
}

fn assembly(model: Model) -> String {
    let (encoding, plain, personality) = match model {
        Model::Fixed => ("0x3", "0x3", "ori_personality"),
        Model::Independent => ("0x9b", "0x1b", ".Lindirect_personality"),
    };
    let number = PanicKind::ALL.iter().position(|kind| *kind == PanicKind::IndexOutOfBounds).expect("a kind");
    let mut filled = vec![
        ("encoding".to_owned(), encoding.to_owned()),
        ("plain".to_owned(), plain.to_owned()),
        ("personality".to_owned(), personality.to_owned()),
        ("index_out_of_bounds".to_owned(), number.to_string()),
        ("text_first".to_owned(), words("first pad")),
        ("text_second".to_owned(), words("second pad")),
        ("text_debug".to_owned(), words(" debug")),
    ];
    // With a function of this name of its own, or without.
    let resume = match model {
        Model::Fixed => "unused",
        Model::Independent => "_Unwind_Resume",
    };
    filled.push(("resume".to_owned(), resume.to_owned()));
    for place in ["inner", "outer", "deep", "start"] {
        let written = match model {
            Model::Fixed => format!(".Lplace_{place}"),
            Model::Independent => format!(".Lindirect_{place} - ."),
        };
        filled.push((place.to_owned(), written));
    }
    filled.extend(ITEMS.map(|(name, _, _)| (format!("item_{name}"), item_symbol(item(name)))));
    let mut text = include_str!("foreign.s").to_owned();
    for (name, value) in filled {
        text = text.replace(&format!("{{{name}}}"), &value);
    }
    text
}

fn named_items() -> Vec<Item> {
    let row = |(key, (name, base_line, hidden)): (usize, (&str, u32, bool))| Item {
        id: item(name),
        key: key as u128,
        name: format!("@{name}"),
        file: "src/t.ori".into(),
        base_line,
        hidden,
    };
    ITEMS.into_iter().enumerate().map(row).collect()
}

const FOREIGN: [&str; 6] = ["thrower", "middle", "catcher", "silent", "deep", "start"];

/// Calls `callee` and returns; with a pad that catches and prints, when told so.
fn main(callee: &str, catches: bool) -> Function {
    // push rbp; mov rbp, rsp; call callee; pop rbp; ret
    let mut main = function("main", 2, &[0x55, 0x48, 0x89, 0xe5, 0xe8, 0, 0, 0, 0, 0x5d, 0xc3]);
    main.relocs = vec![reloc(5, RelocKind::Call32, Target::Function(item(callee)))];
    site(&mut main, 9, 2);
    if catches {
        // nop; lea rdi, [text]; call print; pop rbp; ret
        main.code.extend([0x90, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x5d, 0xc3]);
        prints(&mut main, 15, "caught by main");
        main.sites[0].pad_offset = Some(11);
    }
    main
}

/// The function prints the text where these four bytes are the address of it, and a call follows.
fn prints(function: &mut Function, at: u32, text: &str) {
    let words = abi::layout::inline_str(text.as_bytes()).expect("short");
    function.data = vec![Data { bytes: words.iter().flat_map(|word| word.to_le_bytes()).collect(), align: 8, relocs: vec![] }];
    function.relocs.push(reloc(at, RelocKind::Data32, Target::Data(0)));
    function.relocs.push(reloc(at + 5, RelocKind::Call32, Target::Runtime(RuntimeSymbol::Call(RuntimeCall::Print))));
}

/// Changes `rbx` and `r12`, which it has saved, and calls `thrower`; its pad prints and hands on.
fn bridge() -> Function {
    let mut bridge = function(
        "bridge",
        1,
        &[
            // push rbp; mov rbp, rsp; push rbx; push r12; xor ebx, ebx; xor r12d, r12d; call thrower; ud2
            0x55, 0x48, 0x89, 0xe5, 0x53, 0x41, 0x54, 0x31, 0xdb, 0x45, 0x31, 0xe4, 0xe8, 0, 0, 0, 0, 0x0f, 0x0b,
            // lea rdi, [text]; call print; jmp resume
            0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0,
        ],
    );
    bridge.frame_size = 16;
    bridge.saved_mask = 1 << 3 | 1 << 12;
    bridge.relocs = vec![reloc(13, RelocKind::Call32, Target::Function(item("thrower")))];
    prints(&mut bridge, 22, "pad of bridge");
    bridge.relocs.push(reloc(32, RelocKind::Call32, Target::Runtime(RuntimeSymbol::Entry(Entry::Resume))));
    site(&mut bridge, 17, 4);
    bridge.sites[0].pad_offset = Some(19);
    bridge
}

#[track_caller]
fn run(model: Model, options: &[&str], entry: &str, functions: &[Function]) -> (String, String, Option<i32>) {
    let program = Program {
        functions: functions.iter().collect(),
        items: named_items(),
        entry: item(entry),
        returns_status: false,
        symbols: false,
        external: FOREIGN.iter().map(|name| (item(name), format!("ori.t.{name}"))).collect(),
        foreign_frames: true,
    };
    let folder = Folder::new();
    std::fs::write(folder.0.join("prog.o"), write(&program).expect("writes")).expect("own folder");
    std::fs::write(folder.0.join("libori_rt.a"), image::runtime_archive()).expect("own folder");
    let mut text = assembly(model);
    if !functions.iter().any(|function| function.name == "t.bridge") {
        text.push_str("    .weak ori.t.bridge\n");
    }
    std::fs::write(folder.0.join("foreign.s"), text).expect("own folder");
    folder.cc(&["-c", "foreign.s", "-o", "foreign.o"]);
    folder.cc(&[&["-Wl,--eh-frame-hdr"], options, &["prog.o", "foreign.o", "libori_rt.a", "-o", "prog"]].concat());
    let output = Command::new(folder.0.join("prog")).env_clear().output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

const STATIC: &[&str] = &["-nostdlib", "-static", "-no-pie"];

/// All ways to link.
#[track_caller]
fn check(entry: &str, functions: &[Function], status: i32, stdout: &str, stderr: &str) {
    let ways: [(Model, &[&str]); 6] = [
        (Model::Fixed, STATIC),
        (Model::Independent, STATIC),
        (Model::Independent, &["-nostdlib", "-static", "-no-pie", "-Wl,--gc-sections"]),
        (Model::Independent, &[]),
        (Model::Independent, &["-static"]),
        (Model::Fixed, &["-no-pie"]),
    ];
    for (model, options) in ways {
        let output = run(model, options, entry, functions);
        assert_eq!(output, (stdout.to_owned(), stderr.to_owned(), Some(status)), "{options:?}");
    }
}

const REPORT: &str = "panic: index out of bounds: index 7, length 3 at src/t.ori:32:9\n  stack trace (most recent first):\n";

#[test]
fn a_panic_unwinds_through_frames_of_both_kinds() {
    check(
        "main",
        &[main("middle", false), bridge()],
        1,
        "pad of bridge\nfirst pad\nsecond pad\n",
        &format!(
            "{REPORT}    @thrower at src/t.ori:32:9\n    @bridge at src/t.ori:23:5\n    @inner at src/t.ori:53:6\n    @middle at src/t.ori:64:7\n    @main at src/t.ori:11:5\n"
        ),
    );
}

#[test]
fn a_pad_with_a_type_of_null_catches() {
    let stdout = "pad of bridge\nindex out of bounds: index 7, length 3\nfirst pad\n";
    check("main", &[main("catcher", false), bridge()], 0, stdout, "");
}

#[test]
fn a_native_pad_catches_what_comes_through_foreign_frames() {
    check("main", &[main("middle", true), bridge()], 0, "pad of bridge\nfirst pad\nsecond pad\ncaught by main\n", "");
}

#[test]
fn a_program_may_have_no_native_function() {
    check("start", &[], 1, "", &format!("{REPORT}    @thrower at src/t.ori:32:9\n"));
}

#[test]
fn the_trace_says_that_frames_are_missing() {
    let trace = "    @thrower at src/t.ori:32:9\n    @main at src/t.ori:11:5\n    (frames omitted: release build)\n";
    check("main", &[main("silent", false)], 1, "", &format!("{REPORT}{trace}"));
}

#[test]
fn an_exhausted_stack_has_a_place() {
    let stderr = "[src/t.ori:71] debug\nfatal: stack overflow in @deep at src/t.ori:71\n";
    check("main", &[main("deep", false)], 134, "", stderr);
}

#[test]
fn without_the_table_of_frames_the_program_says_so() {
    let output = run(Model::Fixed, &[STATIC, &["-Wl,--no-eh-frame-hdr"]].concat(), "start", &[]);
    let stderr = "fatal: the program was linked without --eh-frame-hdr, which unwinding needs\n";
    assert_eq!(output, (String::new(), stderr.to_owned(), Some(134)));
}

#[test]
fn rows_of_items_have_symbols_only_for_foreign_code() {
    let mut program = Program {
        functions: vec![],
        items: named_items(),
        entry: item("start"),
        returns_status: false,
        symbols: false,
        external: vec![(item("start"), "ori.t.start".into())],
        foreign_frames: true,
    };
    let names = |program: &Program| -> Vec<(String, bool)> {
        let bytes = write(program).expect("writes");
        let file = object::File::parse(&*bytes).expect("an ELF file");
        let globals = file.symbols().filter(|symbol| symbol.is_global());
        globals.filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.is_undefined()))).collect()
    };
    let mut expected: Vec<(String, bool)> = ITEMS.iter().map(|(name, _, _)| (item_symbol(item(name)), false)).collect();
    expected.extend([("ori_header".into(), false)]);
    expected.extend(["ori.t.start", "ori_frames", "__ehdr_start"].map(|name| (name.to_owned(), true)));
    let mut found = names(&program);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    program.foreign_frames = false;
    assert_eq!(names(&program).len(), 2);
    // A function is in one object.
    let own = function("start", 1, &[0xc3]);
    program.functions.push(&own);
    assert_eq!(write(&program).map_err(|error| error.code()).err(), Some("K0001"));
}
