//! `llvm-boundary-check`: release builds do what development builds do, LLVM's side decides nothing, and objects of both back ends are one program.
//!
//! Needs `oric-llvm` (`make llvm`) and a linker.

pub mod facts;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ir::ItemId;
use lir::Op;
use llvm::{Level, Product, Unit};
use oric::foreign::Linker;
use oric::release::{self, NotMade, Release, Worker};

use crate::child::{self, Ending};
use crate::corpus::{self, Entry};
use crate::evidence::{Evidence, Table};
use crate::gates::elf;
use crate::program::{Program, checked_options, run as run_image};
use crate::workers;

const NAME: &str = "llvm-boundary-check";
/// Of the programs, every so manieth is also built without LLVM's passes, and with halves by both back ends.
const SOME: usize = 3;
/// Units of a program that is divided however small it is.
const MANY: u32 = 7;
/// `make gates` takes every so manieth program, `make heavy-gates` takes all.
const SAMPLE: usize = 10;

/// What builds release programs here.
#[derive(Clone)]
struct Tools {
    worker: Worker,
    linker: Linker,
}

/// The worker that is asked here.
pub(super) fn worker() -> Result<Worker, String> {
    let (named, path) = (std::env::var_os("ORI_LLVM"), std::env::var_os("PATH"));
    let found = Worker::find(named.as_ref(), path.as_ref())
        .or_else(|| Worker::find(Some(&OsString::from(corpus::root().join("target/release/oric-llvm"))), None));
    found.ok_or_else(|| "oric-llvm is not built: run 'make llvm'".to_owned())
}

impl Tools {
    fn find() -> Result<Tools, String> {
        let (worker, path) = (worker()?, std::env::var_os("PATH"));
        let linker = Linker::any(path.as_ref()).ok_or("there is no linker: install lld")?;
        Ok(Tools { worker, linker })
    }

    fn release(&self, level: Level) -> Release {
        let (worker, cpu) = (self.worker.clone(), "x86-64".to_owned());
        Release {
            worker,
            level,
            cpu,
            units: None,
            debug: None,
            facts: llvm::Facts::default(),
            sanitize: false,
            workers: None,
            memory: None,
        }
    }

    /// The executable, whose segments are what those of development builds are: nothing is writable and executable.
    fn link(&self, objects: &[&[u8]]) -> Result<Vec<u8>, String> {
        let image = self.linker.link(objects, false).map(|linked| linked.image).map_err(|failed| format!("{failed:?}"))?;
        let faults = elf::faults(&image);
        if faults.is_empty() { Ok(image) } else { Err(faults.join("; ")) }
    }
}

pub(super) fn said(why: NotMade) -> String {
    format!("{why:?}")
}

/// Runs the gate.
pub fn run() -> bool {
    check(SAMPLE)
}

/// With every program.
pub fn heavy() -> bool {
    check(1)
}

fn check(sample: usize) -> bool {
    let mut evidence = Evidence::new(NAME);
    match Tools::find() {
        Err(why) => evidence.fail(why),
        Ok(tools) => {
            agreement(&mut evidence, &tools, sample);
            across(&mut evidence, &tools);
            apart(&mut evidence, &tools);
            facts::removes(&mut evidence, &tools);
            negatives(&mut evidence, &tools);
        }
    }
    boundary(&mut evidence);
    evidence.close()
}

/// Every program as LLVM makes it against what our own back end makes of it: both streams, the status, places and traces, leaks.
fn agreement(evidence: &mut Evidence, tools: &Tools, sample: usize) {
    let programs: Vec<(usize, Entry)> = corpus::programs().into_iter().step_by(sample).enumerate().collect();
    let mut runs: HashMap<&'static str, usize> = HashMap::new();
    let results = workers::each(&programs, |(number, entry)| agree(*number, entry, tools));
    for ((_, entry), result) in programs.iter().zip(results) {
        match result {
            Ok(Ok(builds)) => builds.into_iter().for_each(|build| *runs.entry(build).or_default() += 1),
            Ok(Err(why)) | Err(why) => evidence.fail(format!("{}: {why}", entry.name)),
        }
    }
    let mut table = Table::new("agreement", &["build", "programs that do the same as the development build"]);
    for build in [OPTIMISED, UNITS, PLAIN, MIXED, UNTOLD] {
        let count = runs.get(build).copied().unwrap_or(0);
        if count == 0 {
            evidence.fail(format!("no program was compared: {build}"));
        }
        table.row([build.to_owned(), count.to_string()]);
    }
    evidence.table(table);
}

const OPTIMISED: &str = "LLVM -O2";
const UNITS: &str = "LLVM -O2, in seven units";
const PLAIN: &str = "LLVM -O0, in one to seven units";
const MIXED: &str = "half of the functions by LLVM -O2, half by our own back end, linked together";
const UNTOLD: &str = "LLVM -O2, without one of the facts that it is told";

fn agree(number: usize, entry: &Entry, tools: &Tools) -> Result<Vec<&'static str>, String> {
    let mut program = Program::load(&entry.file, checked_options(), 1).map_err(|refusal| refusal.to_string())?;
    let run = |image: &[u8]| run_image(image, &entry.args, child::Limits::default());
    let expected = run(&program.image()?)?;
    let mut done = Vec::new();
    let mut compare = |build: &'static str, image: Vec<u8>| {
        let found = run(&image)?;
        if !same(&expected, &found) {
            return Err(format!("{build}: expected {}; found {}", expected.line(), found.line()));
        }
        done.push(build);
        Ok(())
    };
    compare(OPTIMISED, released(&mut program, tools, Level::Default, None)?)?;
    if number % SOME == 1 {
        compare(UNITS, released(&mut program, tools, Level::Default, Some(MANY))?)?;
    }
    if number % SOME == 2 {
        let units = facts::without(units_of(&mut program, None)?, facts::of(number / SOME));
        compare(UNTOLD, linked(&mut program, tools, Level::Default, &units)?)?;
    }
    if number.is_multiple_of(SOME) {
        compare(PLAIN, released(&mut program, tools, Level::None, Some(1 + number as u32 % MANY))?)?;
        compare(MIXED, mixed(&mut program, tools, u128::from(number.is_multiple_of(2 * SOME)))?)?;
    }
    Ok(done)
}

/// Where a stack ends differs between builds; that it is said does not.
pub(super) fn same(expected: &Ending, found: &Ending) -> bool {
    let first = |ending: &Ending| String::from_utf8_lossy(&ending.stderr).lines().next().unwrap_or_default().to_owned();
    if first(expected).starts_with("fatal: stack overflow") {
        return expected.status == found.status && first(found).starts_with("fatal: stack overflow");
    }
    expected == found
}

/// The executable by LLVM, in so many units.
fn released(program: &mut Program, tools: &Tools, level: Level, units: Option<u32>) -> Result<Vec<u8>, String> {
    let units = units_of(program, units)?;
    linked(program, tools, level, &units)
}

/// What LLVM gets of a program.
pub(super) fn units_of(program: &mut Program, wanted: Option<u32>) -> Result<Vec<Unit>, String> {
    let division = release::division(&mut program.session, program.main, wanted).map_err(said)?;
    let parts = division.parts.iter();
    parts.map(|part| release::unit(&mut program.session, program.main, &division, part).map_err(said)).collect()
}

/// What LLVM makes of these units, and the tables, as an executable.
fn linked(program: &mut Program, tools: &Tools, level: Level, units: &[Unit]) -> Result<Vec<u8>, String> {
    let mut objects = release::translate(&tools.release(level), units, Product::Object).map_err(said)?;
    let plan = release::plan(&mut program.session, program.main).map_err(said)?;
    objects.push(release::tables(&mut program.session, &plan).map_err(said)?);
    tools.link(&objects.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The executable of which LLVM makes the functions whose key has this parity, and our own back end the others.
fn mixed(program: &mut Program, tools: &Tools, parity: u128) -> Result<Vec<u8>, String> {
    let plan = release::plan(&mut program.session, program.main).map_err(said)?;
    let whole = release::whole(&mut program.session, program.main).map_err(said)?;
    let entry = lir::build::entry_item();
    let is_llvms = |item: ItemId| item == entry || item.content() % 2 == parity;
    let unit = whole.restricted(is_llvms);
    let native = unit.externals.iter().map(|function| program.code(function.item)).collect::<Result<Vec<_>, _>>()?;
    let form = plan.entry.ok_or("no @main")?;
    let object = object_writer::write(&image::Program {
        functions: native.iter().map(|code| &code.function).collect(),
        items: program.rows(plan.items.iter().map(|(item, _)| *item))?,
        entry,
        returns_status: form.returns_status,
        symbols: false,
        external: unit.functions.iter().map(|function| (function.graph().name, function.symbol.clone())).collect(),
        foreign_frames: true,
    })
    .map_err(|error| error.to_string())?;
    let made = release::translate(&tools.release(Level::Default), &[unit], Product::Object).map_err(said)?;
    let mut objects = vec![object.as_slice()];
    objects.extend(made.iter().map(Vec::as_slice));
    tools.link(&objects)
}

/// Programs whose panics go through code of both back ends, caught and not; each with either half by LLVM.
const PANICS: [&str; 5] = [
    "10-04-stack-trace",
    "10-04-panic-while-an-iterator-runs",
    "10-04-trace-of-recursion",
    "10-09-catch-among-loops-and-lambdas",
    "10-09-landings-that-meet",
];

fn across(evidence: &mut Evidence, tools: &Tools) {
    let mut table = Table::new("panics through code of both back ends, and of several units", &["program", "by LLVM", "state"]);
    for name in PANICS {
        for units in [2, MANY, 40] {
            let state = match crosses(name, |program| released(program, tools, Level::Default, Some(units))) {
                Ok(()) => "the same report, status and output".to_owned(),
                Err(why) => {
                    evidence.fail(format!("{name}, {units} units: {why}"));
                    why
                }
            };
            table.row([name.to_owned(), format!("all, in {units} units"), state]);
        }
        for parity in [0, 1] {
            let state = match crosses(name, |program| mixed(program, tools, parity)) {
                Ok(()) => "the same report, status and output".to_owned(),
                Err(why) => {
                    evidence.fail(format!("{name}, half {parity}: {why}"));
                    why
                }
            };
            table.row([name.to_owned(), format!("half {parity}"), state]);
        }
    }
    evidence.table(table);
}

fn crosses(name: &str, build: impl Fn(&mut Program) -> Result<Vec<u8>, String>) -> Result<(), String> {
    let file = corpus::root().join(format!("fixtures/run/{name}.ori"));
    let mut program = Program::load(&file, checked_options(), 1).map_err(|refusal| refusal.to_string())?;
    let expected = run_image(&program.image()?, &[], child::Limits::default())?;
    let found = run_image(&build(&mut program)?, &[], child::Limits::default())?;
    if same(&expected, &found) { Ok(()) } else { Err(format!("expected {}; found {}", expected.line(), found.line())) }
}

/// `oric` holds no LLVM while it builds: a worker that looks at the memory of who started it.
fn apart(evidence: &mut Evidence, tools: &Tools) {
    let mut table = Table::new("apart", &["what", "state"]);
    let state = match maps(tools) {
        Err(why) => Err(why),
        Ok(maps) if maps.lines().any(|line| line.contains("LLVM")) => Err("the process of oric maps LLVM".to_owned()),
        Ok(maps) if maps.lines().count() < 5 => Err(format!("the worker saw nothing: {maps}")),
        Ok(maps) => Ok(format!("{} mappings, none of LLVM", maps.lines().count())),
    };
    let state = state.unwrap_or_else(|why| {
        evidence.fail(format!("apart: {why}"));
        why
    });
    table.row(["mappings of oric while the worker runs".to_owned(), state]);
    evidence.table(table);
}

fn maps(tools: &Tools) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;
    let root = corpus::root();
    let folder = root.join("target/evidence").join(NAME).join("apart");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (spy, seen) = (folder.join("spy"), folder.join("maps.txt"));
    let _ = std::fs::remove_file(&seen);
    let script = format!("#!/bin/sh\ncat /proc/$PPID/maps > '{}'\nexec '{}'\n", seen.display(), tools.worker.program().display());
    std::fs::write(&spy, script).map_err(|error| error.to_string())?;
    std::fs::set_permissions(&spy, std::fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
    let ended = std::process::Command::new(root.join("target/release/oric"))
        .args(["build", "--release", "examples/hello.ori", "--clean-link", "-o"])
        .arg(folder.join("hello"))
        .env("ORI_LLVM", &spy)
        .env("ORI_CACHE_DIR", folder.join("cache"))
        .current_dir(&root)
        .output()
        .map_err(|error| format!("target/release/oric: {error}"))?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
    }
    std::fs::read_to_string(&seen).map_err(|error| format!("the worker was not asked: {error}"))
}

/// Rooms whose names are decisions in the wrong place: the translation knows LIR's op table and bodies, and the constants of the runtime.
const FORBIDDEN: [&str; 7] = ["hir", "mir", "syntax", "machine", "oric", "lir::build", "lir::verify"];

fn boundary(evidence: &mut Evidence) {
    let folder = corpus::root().join("codegen/llvm/src");
    let files = corpus::files_below(&folder, "rs");
    let found = files.iter().flat_map(|file| faults_of(file, &std::fs::read_to_string(file).unwrap_or_default())).collect::<Vec<_>>();
    let mut table = Table::new("boundary", &["what", "state"]);
    table.row(["files of the translation".to_owned(), files.len().to_string()]);
    table.row(["lines that name what it may not know".to_owned(), found.len().to_string()]);
    evidence.table(table);
    if files.is_empty() {
        evidence.fail("the translation has no files");
    }
    found.into_iter().for_each(|why| evidence.fail(why));
    let planted = faults_of(Path::new("planted.rs"), "use lir::build::shape;\nlet x = hir::Type::INT;\n");
    if planted.len() != 2 {
        evidence.fail("a translation that reads layouts and language types is not refused");
    }
}

/// Lines that name what the translation may not know.
fn faults_of(file: &Path, text: &str) -> Vec<String> {
    let names = |line: &str, room: &str| {
        line.match_indices(&format!("{room}::")).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    };
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.filter(|line| FORBIDDEN.iter().any(|room| names(line, room)))
        .map(|line| format!("{}: the translation names `{}`", file.file_name().unwrap_or_default().to_string_lossy(), line.trim()))
        .collect()
}

/// What must show: the gate can fail.
fn negatives(evidence: &mut Evidence, tools: &Tools) {
    let mut table = Table::new("negatives", &["negative", "must be", "was"]);
    let rows = [
        ("an addition that LLVM gets as a subtraction", miscompiled(tools, 1)),
        ("the same in a function that another unit calls", miscompiled(tools, MANY)),
        ("a panic of a call of which LLVM is told that it does not panic", facts::lies(tools)),
        ("units of which one is left out", left_out(tools)),
        ("a worker that dies", dies(tools)),
    ];
    for (what, refused) in rows {
        if refused != Ok(true) {
            evidence.fail(format!("not refused: {what} ({refused:?})"));
        }
        table.row([what, "refused", if refused == Ok(true) { "refused" } else { "NOT REFUSED" }]);
    }
    evidence.table(table);
}

const SUM: &str = "@sum (a: int, b: int) -> int = a + b;\n@main (args: [str]) -> int = sum(a: 40, b: int(`{2 + args.len()}`));\n";

fn miscompiled(tools: &Tools, units: u32) -> Result<bool, String> {
    let mut program = Program::of_text(SUM, checked_options()).map_err(|refusal| refusal.to_string())?;
    let expected = run_image(&program.image()?, &[], child::Limits::default())?;
    let mut units = units_of(&mut program, Some(units))?;
    for function in units.iter_mut().flat_map(|unit| &mut unit.functions) {
        function.edit(|graph| graph.insts.rows_mut().iter_mut().filter(|row| row.op == Op::AddCheck).for_each(|row| row.op = Op::SubCheck));
    }
    let image = linked(&mut program, tools, Level::Default, &units)?;
    Ok(!same(&expected, &run_image(&image, &[], child::Limits::default())?))
}

/// The linker says that something is missing.
fn left_out(tools: &Tools) -> Result<bool, String> {
    let mut program =
        Program::load(&corpus::root().join("examples/tour.ori"), checked_options(), 1).map_err(|refusal| refusal.to_string())?;
    let mut units = units_of(&mut program, Some(MANY))?;
    let before = units.len();
    let entry = lir::build::entry_item();
    let at = units.iter().position(|unit| unit.functions.iter().all(|function| function.graph().name != entry));
    units.remove(at.ok_or("the program is one unit")?);
    let refused = linked(&mut program, tools, Level::Default, &units).is_err_and(|why| why.contains("undefined"));
    Ok(before > 1 && refused)
}

fn dies(tools: &Tools) -> Result<bool, String> {
    let mut program = Program::of_text("@main () -> void = ();\n", checked_options()).map_err(|refusal| refusal.to_string())?;
    let units = units_of(&mut program, None)?;
    let broken = PathBuf::from("/bin/false");
    let worker = Worker::find(Some(&broken.into_os_string()), None).ok_or("there is no /bin/false")?;
    let release = Release { worker, ..tools.release(Level::Default) };
    Ok(matches!(release::translate(&release, &units, Product::Object), Err(NotMade::Died { .. })))
}
