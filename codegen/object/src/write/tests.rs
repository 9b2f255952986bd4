use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use abi::{PanicKind, RuntimeCall};
use image::input::{DataReloc, Item, Reloc, Site, SitePlace};
use ir::{ItemId, Symbol as Name};
use object::{Object as _, ObjectSymbol};

use super::*;

mod foreign;

fn item(name: &str) -> ItemId {
    ItemId::function(Name::new("t"), Name::new(name))
}

fn function(name: &str, key: u128, code: &[u8]) -> Function {
    Function {
        item: item(name),
        key,
        name: format!("t.{name}"),
        code: code.to_vec(),
        relocs: vec![],
        threads: vec![],
        data: vec![],
        has_frame: true,
        frame_size: 0,
        saved_mask: 0,
        sites: vec![],
        places: vec![],
    }
}

fn site(function: &mut Function, return_offset: u32, line: u32) {
    let first_place = function.places.len() as u32;
    function.places.push(SitePlace { item: function.item, line, column: 5 });
    function.sites.push(Site { return_offset, pad_offset: None, first_place, places: 1 });
}

fn reloc(offset: u32, kind: RelocKind, target: Target) -> Reloc {
    Reloc { offset, kind, target, addend: -4 }
}

/// `main` prints a long text and calls `level`, which panics with a shared short one.
fn program() -> Vec<Function> {
    let text = b"a text of more than twenty-three bytes";
    // push rbp; mov rbp, rsp; lea rdi, [text]; call print; call level; pop rbp; ret
    let mut main =
        function("main", 2, &[0x55, 0x48, 0x89, 0xe5, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x5d, 0xc3]);
    main.data = vec![
        Data { bytes: text.to_vec(), align: 1, relocs: vec![] },
        Data {
            bytes: [0, text.len() as u64, 0].iter().flat_map(|word| word.to_le_bytes()).collect(),
            align: 8,
            relocs: vec![DataReloc { offset: 0, target: DataTarget::Data(0), addend: 0 }],
        },
    ];
    main.relocs = vec![
        reloc(7, RelocKind::Data32, Target::Data(1)),
        reloc(12, RelocKind::Call32, Target::Runtime(RuntimeSymbol::Call(RuntimeCall::Print))),
        reloc(17, RelocKind::Call32, Target::Function(item("level"))),
    ];
    site(&mut main, 16, 2);
    site(&mut main, 21, 3);
    // lea rdi, [text]; call panic
    let mut level = function("level", 1, &[0x55, 0x48, 0x89, 0xe5, 0x48, 0x8d, 0x3d, 0, 0, 0, 0, 0xe8, 0, 0, 0, 0]);
    let words = abi::layout::inline_str(b"boom").expect("short");
    level.data = vec![Data { bytes: words.iter().flat_map(|word| word.to_le_bytes()).collect(), align: 8, relocs: vec![] }];
    level.relocs = vec![
        reloc(7, RelocKind::Data32, Target::Data(0)),
        reloc(12, RelocKind::Call32, Target::Runtime(RuntimeSymbol::Panic(PanicKind::Custom))),
    ];
    site(&mut level, 16, 1);
    vec![main, level]
}

fn items(functions: &[Function]) -> Vec<Item> {
    let row = |function: &Function| Item {
        id: function.item,
        key: function.key,
        name: format!("@{}", function.name.trim_start_matches("t.")),
        file: "src/t.ori".into(),
        base_line: 10 * function.key as u32,
        hidden: false,
    };
    functions.iter().map(row).collect()
}

fn object_of(functions: &[Function]) -> Result<Vec<u8>, LinkError> {
    write(&Program {
        functions: functions.iter().collect(),
        items: items(functions),
        entry: item("main"),
        returns_status: false,
        symbols: false,
        external: Vec::new(),
        foreign_frames: false,
    })
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new() -> Folder {
        let name = format!("oric-object-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = Folder(std::env::temp_dir().join(name));
        std::fs::create_dir(&folder.0).expect("the temporary folder is writable");
        folder
    }

    /// The system's compiler driver, which has nothing to say.
    #[track_caller]
    fn cc(&self, arguments: &[&str]) {
        let done = Command::new("cc").current_dir(&self.0).args(arguments).output().expect("cc is installed");
        let warnings = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success() && warnings.is_empty(), "{warnings}");
    }
}

/// Links with the system's compiler driver and runs the result.
#[track_caller]
fn check(options: &[&str], functions: &[Function], status: i32, stdout: &str, stderr: &str) {
    let folder = Folder::new();
    std::fs::write(folder.0.join("prog.o"), object_of(functions).expect("writes")).expect("own folder");
    std::fs::write(folder.0.join("libori_rt.a"), image::runtime_archive()).expect("own folder");
    folder.cc(&[options, &["prog.o", "libori_rt.a", "-o", "prog"]].concat());
    let output: Output = Command::new(folder.0.join("prog")).env_clear().output().expect("runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert_eq!(output.status.code(), Some(status));
}

const TEXT: &str = "a text of more than twenty-three bytes\n";
const REPORT: &str =
    "panic: boom at src/t.ori:10:5\n  stack trace (most recent first):\n    @level at src/t.ori:10:5\n    @main at src/t.ori:22:5\n";

#[test]
fn an_object_links_statically_without_a_c_library() {
    check(&["-nostdlib", "-static", "-no-pie"], &program(), 1, TEXT, REPORT);
}

#[test]
fn an_object_links_with_unused_sections_dropped() {
    check(&["-nostdlib", "-static", "-no-pie", "-Wl,--gc-sections"], &program(), 1, TEXT, REPORT);
}

#[test]
fn an_object_links_under_a_c_library() {
    check(&[], &program(), 1, TEXT, REPORT);
    check(&["-no-pie"], &program(), 1, TEXT, REPORT);
}

#[test]
fn a_program_without_runtime_calls_links_too() {
    check(&["-nostdlib", "-static"], &[function("main", 1, &[0xb8, 7, 0, 0, 0, 0xc3])], 0, "", "");
}

#[test]
fn functions_have_plain_symbols() {
    let bytes = object_of(&program()).expect("writes");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let names: Vec<String> =
        file.symbols().filter(|symbol| symbol.is_global()).filter_map(|symbol| symbol.name().ok().map(str::to_owned)).collect();
    assert_eq!(names, ["ori.t.level", "ori.t.main", "ori_panic_custom", "ori_print", "ori_header"]);
}

#[test]
fn the_order_of_functions_does_not_matter() {
    let mut functions = program();
    let first = object_of(&functions);
    functions.reverse();
    assert_eq!(object_of(&functions), first);
}

#[test]
fn unsound_programs_are_refused_as_by_the_own_linker() {
    let edit = |change: &dyn Fn(&mut Vec<Function>)| {
        let mut functions = program();
        change(&mut functions);
        object_of(&functions).map(|bytes| bytes.len()).map_err(|error| error.code())
    };
    assert_eq!(edit(&|functions| functions[1].key = 2), Err("K0001"));
    assert_eq!(edit(&|functions| functions[1].item = item("main")), Err("K0001"));
    assert_eq!(edit(&|functions| functions.truncate(1)), Err("K0003"));
    assert_eq!(edit(&|functions| functions[1].places[0].item = item("nobody")), Err("K0004"));
    assert_eq!(edit(&|functions| functions[1].data.clear()), Err("K0005"));
    assert_eq!(edit(&|functions| functions[0].relocs[0].offset = 20), Err("K0006"));
    assert_eq!(edit(&|functions| functions[0].sites.reverse()), Err("K0007"));
    assert_eq!(edit(&|functions| functions[0].data[0].align = 3), Err("K0008"));
    assert_eq!(edit(&|functions| functions.retain(|function| function.key == 1)), Err("K0009"));
}
