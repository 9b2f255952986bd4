use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use abi::{PanicKind, RuntimeCall};
use ir::{ItemId, Symbol};
use object::{Object, ObjectSegment};

use super::*;
use crate::input::{Data, DataReloc, Item, Reloc, Site, SitePlace};

fn item(name: &str) -> ItemId {
    ItemId::function(Symbol::new("t"), Symbol::new(name))
}

/// A good enough stable key of a name.
fn key(name: &str) -> u128 {
    let low = pure::text::hash(name.as_bytes()) as u64;
    u128::from(low) << 64 | u128::from(low.rotate_left(17) ^ 0x55)
}

/// A function written by hand, byte by byte.
struct Code(Function);

impl Code {
    fn new(name: &str) -> Code {
        Code(Function {
            item: item(name),
            key: key(name),
            name: format!("t.{name}"),
            code: vec![],
            relocs: vec![],
            threads: vec![],
            data: vec![],
            has_frame: false,
            frame_size: 0,
            saved_mask: 0,
            sites: vec![],
            places: vec![],
        })
    }

    fn bytes(mut self, bytes: &[u8]) -> Code {
        self.0.code.extend_from_slice(bytes);
        self
    }

    /// push rbp; mov rbp, rsp
    fn frame(mut self) -> Code {
        self.0.has_frame = true;
        self.bytes(&[0x55, 0x48, 0x89, 0xe5])
    }

    /// pop rbp; ret
    fn leave(self) -> Code {
        self.bytes(&[0x5d, 0xc3])
    }

    fn reloc(mut self, kind: RelocKind, target: Target) -> Code {
        let offset = self.0.code.len() as u32;
        self.0.relocs.push(Reloc { offset, kind, target, addend: -4 });
        self.bytes(&[0; 4])
    }

    /// call target, at a line of this function
    fn call(self, target: Target, line: u32) -> Code {
        let mut code = self.bytes(&[0xe8]).reloc(RelocKind::Call32, target);
        let first_place = code.0.places.len() as u32;
        code.0.places.push(SitePlace { item: code.0.item, line, column: 5 });
        code.0.sites.push(Site { return_offset: code.0.code.len() as u32, pad_offset: None, first_place, places: 1 });
        code
    }

    /// The latest call was inlined from a call of this item here.
    fn inlined_at(mut self, name: &str, line: u32) -> Code {
        self.0.places.push(SitePlace { item: item(name), line, column: 9 });
        if let Some(site) = self.0.sites.last_mut() {
            site.places += 1;
        }
        self
    }

    /// lea rdi, [constant]
    fn constant(mut self, data: Data) -> Code {
        let number = self.0.data.len() as u32;
        self.0.data.push(data);
        self.bytes(&[0x48, 0x8d, 0x3d]).reloc(RelocKind::Data32, Target::Data(number))
    }

    /// A `str` value as a constant: inline, or with its bytes in another constant.
    fn text(mut self, text: &str) -> Code {
        if let Some(words) = abi::layout::inline_str(text.as_bytes()) {
            return self.constant(Data { bytes: words.iter().flat_map(|word| word.to_le_bytes()).collect(), align: 8, relocs: vec![] });
        }
        let target = DataTarget::Data(self.0.data.len() as u32);
        self.0.data.push(Data { bytes: text.as_bytes().to_vec(), align: 1, relocs: vec![] });
        let bytes = [0, text.len() as u64, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        self.constant(Data { bytes, align: 8, relocs: vec![DataReloc { offset: 0, target, addend: 0 }] })
    }
}

fn call(call: RuntimeCall) -> Target {
    Target::Runtime(RuntimeSymbol::Call(call))
}

fn panic(kind: PanicKind) -> Target {
    Target::Runtime(RuntimeSymbol::Panic(kind))
}

fn items<'a>(functions: impl IntoIterator<Item = &'a Function>) -> Vec<Item> {
    let row = |(number, function): (usize, &Function)| Item {
        id: function.item,
        key: function.key,
        name: format!("@{}", function.name.trim_start_matches("t.")),
        file: "src/t.ori".into(),
        base_line: 10 * (number as u32 + 1),
        hidden: function.name.contains("hidden"),
    };
    functions.into_iter().enumerate().map(row).collect()
}

fn linked(functions: &[Function]) -> Result<Vec<u8>, LinkError> {
    let program = Program {
        functions: functions.iter().collect(),
        items: items(functions),
        entry: item("main"),
        returns_status: true,
        symbols: false,
        external: Vec::new(),
        foreign_frames: false,
    };
    link(&program)
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Executable(PathBuf);

impl Drop for Executable {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn executable(bytes: &[u8]) -> Executable {
    use std::os::unix::fs::PermissionsExt;
    let name = format!("oric-image-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, bytes).expect("the temporary folder is writable");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("own file");
    Executable(path)
}

fn run_with(functions: &[Code], prepare: impl Fn(&mut Command)) -> Output {
    let functions: Vec<Function> = functions.iter().map(|code| code.0.clone()).collect();
    let file = executable(&linked(&functions).expect("the program links"));
    loop {
        let mut command = Command::new(&file.0);
        command.env_clear().stdin(Stdio::null());
        prepare(&mut command);
        match command.output() {
            Ok(output) => return output,
            // A test that forks at this moment holds our descriptor for writing until it executes.
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            Err(error) => panic!("cannot run: {error}"),
        }
    }
}

#[track_caller]
fn check(functions: &[Code], status: i32, stdout: &str, stderr: &str) {
    let output = run_with(functions, |_| {});
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert_eq!(output.status.code(), Some(status), "{}", output.status);
}

fn hello() -> Code {
    // mov eax, 7
    Code::new("main").frame().text("hello").call(call(RuntimeCall::Print), 2).bytes(&[0xb8, 7, 0, 0, 0]).leave()
}

#[test]
fn a_program_prints_and_returns_its_status() {
    check(&[hello()], 7, "hello\n", "");
}

#[test]
fn the_status_is_the_low_byte() {
    // mov rax, -1
    check(&[Code::new("main").bytes(&[0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xc3])], 255, "", "");
}

#[test]
fn a_void_main_ends_with_zero() {
    let main = Code::new("main").bytes(&[0xb8, 9, 0, 0, 0, 0xc3]).0;
    let program = Program {
        functions: vec![&main],
        items: items([&main]),
        entry: main.item,
        returns_status: false,
        symbols: false,
        external: Vec::new(),
        foreign_frames: false,
    };
    let file = executable(&link(&program).expect("links"));
    let mut status = Command::new(&file.0).status();
    while status.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::ExecutableFileBusy) {
        status = Command::new(&file.0).status();
    }
    assert_eq!(status.expect("runs").code(), Some(0));
}

#[test]
fn long_texts_stand_behind_an_address() {
    let text = "a text of more than twenty-three bytes, é";
    check(
        &[Code::new("main").frame().text(text).call(call(RuntimeCall::Print), 2).bytes(&[0x31, 0xc0]).leave()],
        0,
        &format!("{text}\n"),
        "",
    );
}

#[test]
fn functions_call_each_other_and_the_runtime() {
    // main: sub rsp, 32; lea rdi, [rsp]; mov esi, 41; call inc (edx = esi + 1 in place); call str_of_int(rsp, rsi); print(rsp)
    let main = Code::new("main")
        .frame()
        .bytes(&[0x48, 0x83, 0xec, 0x20, 0xbe, 41, 0, 0, 0])
        .call(Target::Function(item("inc")), 2)
        .bytes(&[0x48, 0x89, 0xe7])
        .call(call(RuntimeCall::StrOfInt), 3)
        .bytes(&[0x48, 0x89, 0xe7])
        .call(call(RuntimeCall::Print), 4)
        .bytes(&[0x31, 0xc0, 0xc9, 0xc3]);
    let inc = Code::new("inc").bytes(&[0x48, 0xff, 0xc6, 0xc3]);
    check(&[main, inc], 0, "42\n", "");
}

#[test]
fn a_float_prints_through_the_reachable_part_of_the_runtime() {
    // movabs rax, bits(2.5); movq xmm0, rax; mov rdi, rsp
    let main = Code::new("main")
        .frame()
        .bytes(&[0x48, 0x83, 0xec, 0x20, 0x48, 0xb8])
        .bytes(&(-1234.5678e-3f64).to_bits().to_le_bytes())
        .bytes(&[0x66, 0x48, 0x0f, 0x6e, 0xc0, 0x48, 0x89, 0xe7])
        .call(call(RuntimeCall::StrOfFloat), 3)
        .bytes(&[0x48, 0x89, 0xe7])
        .call(call(RuntimeCall::Print), 4)
        .bytes(&[0x31, 0xc0, 0xc9, 0xc3]);
    check(&[main], 0, "-1.2345678\n", "");
}

#[test]
fn a_panic_reports_its_frames_after_the_output() {
    let main = Code::new("main").frame().text("before").call(call(RuntimeCall::Print), 2).call(Target::Function(item("level")), 3).leave();
    // mov edi, 7; mov esi, 3
    let level = Code::new("level").frame().bytes(&[0xbf, 7, 0, 0, 0, 0xbe, 3, 0, 0, 0]).call(panic(PanicKind::IndexOutOfBounds), 1);
    let report = "panic: index out of bounds: index 7, length 3 at src/t.ori:20:5\n  stack trace (most recent first):\n    @level at src/t.ori:20:5\n    @main at src/t.ori:12:5\n";
    check(&[main, level], 1, "before\n", report);
}

#[test]
fn a_panic_in_a_leaf_without_frame_finds_its_caller() {
    let main = Code::new("main").frame().call(Target::Function(item("leaf")), 3).leave();
    let leaf = Code::new("leaf").call(panic(PanicKind::DivByZero), 2);
    let report = "panic: division by zero at src/t.ori:21:5\n  stack trace (most recent first):\n    @leaf at src/t.ori:21:5\n    @main at src/t.ori:12:5\n";
    check(&[main, leaf], 1, "", report);
}

#[test]
fn inlined_and_hidden_frames_are_told_apart() {
    let main = Code::new("main").frame().call(Target::Function(item("hidden")), 3).leave();
    let hidden = Code::new("hidden").frame().call(Target::Function(item("mid")), 1).leave();
    let mid = Code::new("mid").frame().text("why \"?\"").call(panic(PanicKind::CannotParseInt), 1).inlined_at("main", 5);
    let report = "panic: cannot parse \"why \\\"?\\\"\" as int at src/t.ori:30:5\n  stack trace (most recent first):\n    @mid at src/t.ori:30:5\n    @main at src/t.ori:14:9\n    @main at src/t.ori:12:5\n";
    check(&[main, hidden, mid], 1, "", report);
}

fn recursion(depth: u32, end: Code) -> [Code; 3] {
    // main: mov ebx, depth (rbx is not restored: main's caller does not need it)
    let main = Code::new("main").frame().bytes(&[0xbb]).bytes(&depth.to_le_bytes()).call(Target::Function(item("deep")), 1).leave();
    // deep: dec ebx; jz +5 (over the call); call deep; call end
    let deep = Code::new("deep")
        .frame()
        .bytes(&[0xff, 0xcb, 0x74, 5])
        .call(Target::Function(item("deep")), 2)
        .call(Target::Function(item("end")), 3);
    [main, deep, end]
}

#[test]
fn a_deep_trace_is_cut_in_the_middle() {
    let output = run_with(&recursion(100, Code::new("end").call(panic(PanicKind::AddOverflow), 1)), |_| {});
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2 + 32 + 1 + 16, "{text}");
    // end, 100 times deep, main: 102 frames.
    assert_eq!(lines[34], "    ... 54 frames omitted");
    assert_eq!((lines[2], lines[50]), ("    @end at src/t.ori:30:5", "    @main at src/t.ori:10:5"));
}

#[test]
fn the_trace_can_be_switched_off() {
    let output = run_with(&recursion(3, Code::new("end").call(panic(PanicKind::AddOverflow), 1)), |command| {
        command.env("ORI_BACKTRACE", "0");
    });
    assert_eq!(String::from_utf8_lossy(&output.stderr), "panic: integer overflow in addition at src/t.ori:30:5\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_exhausted_stack_is_reported_with_its_function() {
    let program = || recursion(1 << 30, Code::new("end").bytes(&[0xc3]));
    check(&program(), 134, "", "fatal: stack overflow in @deep at src/t.ori:21\n");
    let output = run_with(&program(), |command| {
        command.env("ORI_STACK_SIZE", "200000");
    });
    assert_eq!(output.status.code(), Some(134));
}

#[test]
fn a_stack_exhausted_inside_the_runtime_names_the_caller() {
    // Frames of nearly 4 KiB, each printing at its bottom: sub rsp, 4000
    let deep = Code::new("deep")
        .frame()
        .bytes(&[0x48, 0x81, 0xec, 0xa0, 0x0f, 0, 0])
        .text("x")
        .call(call(RuntimeCall::StrHash), 2)
        .call(Target::Function(item("deep")), 3);
    let main = Code::new("main").frame().call(Target::Function(item("deep")), 1).leave();
    let output = run_with(&[main, deep], |_| {});
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.starts_with("fatal: stack overflow in @deep at src/t.ori:2"), "{text}");
    assert_eq!(output.status.code(), Some(134));
}

#[test]
fn the_stack_size_can_be_set() {
    // 200,000 frames of 16 bytes: 3.2 MB.
    let program = || recursion(200_000, Code::new("end").bytes(&[0xbf, 0, 0, 0, 0]).call(panic(PanicKind::AddOverflow), 1));
    for (size, status) in [("1000000", 134), ("16000000", 1), ("nonsense", 1), ("-5", 1)] {
        let output = run_with(&program(), |command| {
            command.env("ORI_STACK_SIZE", size);
        });
        assert_eq!(output.status.code(), Some(status), "{size}");
    }
}

#[test]
fn another_invalid_access_is_left_to_the_system() {
    use std::os::unix::process::ExitStatusExt;
    // mov eax, [8]
    let output = run_with(&[Code::new("main").bytes(&[0x8b, 0x04, 0x25, 8, 0, 0, 0, 0xc3])], |_| {});
    assert_eq!(output.status.signal(), Some(11));
}

/// Prints every argument: rbx = address, r12 = count.
fn arguments() -> Code {
    Code::new("main")
        .frame()
        // push rbx; push r12; mov rbx, [rdi]; mov r12, [rdi + 8]
        .bytes(&[0x53, 0x41, 0x54, 0x48, 0x8b, 0x1f, 0x4c, 0x8b, 0x67, 0x08])
        // test r12, r12; jz end (+19)
        .bytes(&[0x4d, 0x85, 0xe4, 0x74, 20])
        // mov rdi, rbx; call print; add rbx, 24; dec r12; jmp back (-25)
        .bytes(&[0x48, 0x89, 0xdf])
        .call(call(RuntimeCall::Print), 2)
        .bytes(&[0x48, 0x83, 0xc3, 24, 0x49, 0xff, 0xcc, 0x90, 0x90, 0x90, 0xeb, 0xe7])
        // xor eax, eax; pop r12; pop rbx
        .bytes(&[0x31, 0xc0, 0x41, 0x5c, 0x5b])
        .leave()
}

#[test]
fn arguments_arrive_without_the_program_name_and_as_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let output = run_with(&[arguments()], |command| {
        command.args(["one", "", "an argument of more than twenty-three bytes"]).arg(OsStr::from_bytes(b"bad\xff\xe2\x82end"));
    });
    assert_eq!(String::from_utf8_lossy(&output.stdout), "one\n\nan argument of more than twenty-three bytes\nbad\u{fffd}\u{fffd}end\n");
    assert_eq!(output.status.code(), Some(0));
    check(&[arguments()], 0, "", "");
}

/// Prints "hello" until that fails.
fn endless() -> Code {
    // test rax, rax; jz back to the start of the loop
    Code::new("main")
        .frame()
        .text("hello")
        .call(call(RuntimeCall::Print), 2)
        .bytes(&[0x48, 0x85, 0xc0, 0x74, 0xef])
        .call(panic(PanicKind::OutputFailed), 3)
}

#[test]
fn a_closed_reader_ends_the_program_with_141() {
    let functions = [endless().0];
    let file = executable(&linked(&functions).expect("links"));
    let mut child = loop {
        match Command::new(&file.0).stdout(Stdio::piped()).spawn() {
            Ok(child) => break child,
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("own child").code(), Some(141));
}

#[test]
fn a_full_device_is_a_panic_with_the_reason() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = run_with(&[endless()], |command| {
        command.stdout(full());
    });
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.starts_with("panic: cannot write to standard output: no space left on device at src/t.ori:12:5\n"), "{text}");
    assert_eq!(output.status.code(), Some(1));
    let output = run_with(&[hello()], |command| {
        command.stdout(full());
    });
    assert_eq!(String::from_utf8_lossy(&output.stderr), "fatal: cannot write to standard output: no space left on device\n");
    assert_eq!(output.status.code(), Some(134));
}

#[test]
fn every_entry_of_the_runtime_can_be_linked() {
    let mut main = Code::new("main").frame();
    for &row in RuntimeCall::ALL {
        main = main.call(call(row), 1);
    }
    for &row in PanicKind::ALL {
        main = main.call(panic(row), 1);
    }
    let functions = [main.0];
    let program = Program {
        functions: functions.iter().collect(),
        items: items(&functions),
        entry: item("main"),
        returns_status: true,
        symbols: false,
        external: Vec::new(),
        foreign_frames: false,
    };
    let layout = Layout::of(&program).expect("lays out");
    let mut seen = BTreeSet::new();
    for row in
        RuntimeCall::ALL.iter().map(|row| RuntimeSymbol::Call(*row)).chain(PanicKind::ALL.iter().map(|row| RuntimeSymbol::Panic(*row)))
    {
        assert_eq!(RuntimeSymbol::from_symbol(row.symbol()), Some(row));
        let is_new = seen.insert(layout.runtime_address(runtime::place(row)).expect("included"));
        // Texts and buffers without counted elements are given up by the same code.
        assert!(is_new || row == RuntimeSymbol::Call(RuntimeCall::BufferDrop), "{row:?}");
    }
    assert_eq!(RuntimeSymbol::from_symbol("ori_nonsense"), None);
    let everything = link(&program).expect("links");
    assert!(everything.len() < 136 << 10, "{} bytes", everything.len());
}

#[test]
fn hello_is_small() {
    let bytes = linked(&[hello().0]).expect("links");
    assert!(bytes.len() <= 32 << 10, "{} bytes", bytes.len());
}

#[test]
fn segments_are_writable_or_executable_but_never_both() {
    let bytes = linked(&[hello().0]).expect("links");
    let file = object::read::elf::ElfFile64::<object::Endianness>::parse(&*bytes).expect("an ELF file");
    assert_eq!(file.kind(), object::ObjectKind::Executable);
    let mut flags = BTreeSet::new();
    for segment in file.segments() {
        let object::SegmentFlags::Elf { p_flags } = segment.flags() else { panic!("not ELF") };
        assert_ne!(p_flags & 3, 3, "writable and executable");
        flags.insert(p_flags);
    }
    assert_eq!(flags, BTreeSet::from([4, 5, 6]));
    let stack = file
        .elf_program_headers()
        .iter()
        .find(|header| header.p_type.get(object::Endianness::Little) == PT_GNU_STACK)
        .expect("a stack header");
    assert_eq!(stack.p_flags.get(object::Endianness::Little), PF_R | PF_W);
    assert!(file.elf_program_headers().iter().all(|header| header.p_type.get(object::Endianness::Little) != 3), "an interpreter");
}

/// Many functions of many sizes that call each other.
fn many(count: u32) -> Vec<Function> {
    let mut functions = vec![hello().0];
    for i in 0..count {
        let mut code = Code::new(&format!("f{i}")).frame();
        for j in 0..i % 23 {
            code = code.call(Target::Function(item(&format!("f{}", (i * 7 + j) % count))), j + 1).bytes(&[0x90; 9]);
        }
        functions.push(code.text(&format!("text {} which is not inline", i % 40)).call(panic(PanicKind::Custom), 99).0);
    }
    functions
}

#[test]
fn the_same_set_gives_the_same_bytes() {
    for symbols in [false, true] {
        for count in [0, 5, 300] {
            let functions = many(count);
            let program = |order: &dyn Fn(&mut Vec<usize>)| {
                let mut numbers: Vec<usize> = (0..functions.len()).collect();
                order(&mut numbers);
                let mut items = items(&functions);
                items.rotate_left(functions.len() / 3);
                let program = Program {
                    functions: numbers.iter().map(|&i| &functions[i]).collect(),
                    items,
                    entry: item("main"),
                    returns_status: true,
                    symbols,
                    external: Vec::new(),
                    foreign_frames: false,
                };
                link(&program).expect("links")
            };
            let first = program(&|_| {});
            assert_eq!(program(&|numbers| numbers.reverse()), first);
            assert_eq!(program(&|numbers| numbers.swap(0, functions.len() / 2)), first);
            assert_eq!(program(&|numbers| numbers.sort_by_key(|i| i.wrapping_mul(0x9e3779b9) & 0xffff)), first);
        }
    }
}

#[test]
fn a_large_program_runs() {
    let mut functions = many(4000);
    functions[0] = hello().0;
    let codes: Vec<Code> = functions.into_iter().map(Code).collect();
    check(&codes, 7, "hello\n", "");
}

#[test]
fn equal_constants_are_stored_once() {
    let bytes = linked(&many(200)).expect("links");
    let needle = b"text 7 which is not inline";
    assert_eq!(bytes.windows(needle.len()).filter(|window| window == needle).count(), 1);
}

#[test]
fn symbols_can_be_added() {
    let main = hello().0;
    let program = Program {
        functions: vec![&main],
        items: items([&main]),
        entry: main.item,
        returns_status: true,
        symbols: true,
        external: Vec::new(),
        foreign_frames: false,
    };
    let bytes = link(&program).expect("links");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let found = |name: &str| object::Object::symbol_by_name(&file, name).map(|symbol| object::ObjectSymbol::address(&symbol));
    assert_eq!(found("_start"), Some(file.entry()));
    let layout = Layout::of(&program).expect("lays out");
    assert_eq!(found("t.main"), Some(layout.function_address(0)));
    assert_eq!(found("ori_header"), Some(layout.header_address()));
    assert!(bytes.starts_with(&linked(std::slice::from_ref(&main)).expect("links")[..16]));
}

#[test]
fn code_in_other_objects_is_refused() {
    let main = hello().0;
    let program = |external, foreign_frames| Program {
        functions: vec![&main],
        items: items([&main]),
        entry: main.item,
        returns_status: true,
        symbols: false,
        external,
        foreign_frames,
    };
    assert!(link(&program(vec![], false)).is_ok());
    for program in [program(vec![], true), program(vec![(item("other"), "other".to_owned())], false)] {
        let error = link(&program).expect_err("needs a linker that reads objects");
        assert_eq!(error.to_string(), "K0011: the program has functions in other objects, which the built-in linker does not read");
    }
}

#[test]
fn unsound_programs_are_refused_with_a_code() {
    #[track_caller]
    fn refused(functions: &[Code], code: &str) {
        let functions: Vec<Function> = functions.iter().map(|code| code.0.clone()).collect();
        assert_eq!(linked(&functions).map(|bytes| bytes.len()).map_err(|error| error.code()), Err(code));
    }
    refused(&[hello(), hello()], "K0001");
    let mut twin = Code::new("twin");
    twin.0.key = key("main");
    refused(&[hello(), twin.bytes(&[0x90; 500])], "K0001");
    refused(&[Code::new("main").call(Target::Function(item("nowhere")), 1)], "K0003");
    refused(&[Code::new("main").reloc(RelocKind::Data32, Target::Data(0))], "K0005");
    refused(&[hello(), Code::new("f").reloc(RelocKind::Data32, Target::Data(0))], "K0005");
    refused(&[Code::new("other")], "K0009");
    let mut main = Code::new("main").call(call(RuntimeCall::Print), 1);
    main.0.relocs[0].offset = 2;
    refused(&[main], "K0006");
    let mut main = Code::new("main").call(call(RuntimeCall::Print), 1);
    main.0.sites[0].return_offset = 6;
    refused(&[main], "K0007");
    refused(&[Code::new("main").constant(Data { bytes: vec![1], align: 32, relocs: vec![] })], "K0008");
    let late = DataReloc { offset: 0, target: DataTarget::Data(0), addend: 0 };
    refused(&[Code::new("main").constant(Data { bytes: vec![0; 8], align: 8, relocs: vec![late] })], "K0005");

    let main = hello().0;
    let program = |items: Vec<Item>| {
        link(&Program {
            functions: vec![&main],
            items,
            entry: main.item,
            returns_status: true,
            symbols: false,
            external: Vec::new(),
            foreign_frames: false,
        })
    };
    assert_eq!(program(vec![]).map_err(|error| error.code()), Err("K0004"));
    let item = items([&main]).remove(0);
    assert_eq!(program(vec![item.clone(), item]).map_err(|error| error.code()), Err("K0002"));
}

/// `oric`'s interpreter and the runtime compile `rt-pure` in two workspaces: the same crates must stand behind both, or `**` may differ in its last bit.
#[test]
fn the_runtime_is_built_from_the_same_crates_as_the_compiler() {
    let lock = |path: &str| {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a lock file");
        let rows =
            text.split("[[package]]").skip(1).map(|row| row.lines().filter(|line| line.contains(" = \"")).collect::<Vec<_>>().join(" "));
        rows.filter(|row| row.contains("checksum")).collect::<BTreeSet<String>>()
    };
    let runtime = lock("../../rt/image/Cargo.lock");
    assert!(!runtime.is_empty());
    let compiler = lock("../../Cargo.lock");
    for row in runtime {
        assert!(compiler.contains(&row), "{row} differs in the compiler's lock file: run `cargo update` in rt/image");
    }
}
