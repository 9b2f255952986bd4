//! `watched-memory-check`: programs whose every cell and buffer is a `malloc` of its own do what they do otherwise, and those who watch memory find nothing:
//! valgrind (`--allocator=system`, both back ends) and AddressSanitizer (`--sanitize=address`).
//!
//! That they would find something is shown with a runtime that has a defect, which is compiled for this gate alone, and with code that forgets to count a
//! holder. Needs `oric-llvm`, `clang-22` with its runtime, and valgrind (`make watchers`).

use std::path::PathBuf;
use std::process::Command;

use ir::ssa::Graph;
use lir::{Lir, Op};
use llvm::{Level, Product, Unit};
use oric::foreign::{Host, Linker};
use oric::queries::Options;
use oric::release::{self, Release, Worker};

use crate::child::{self, Ending, Limits};
use crate::corpus::{self, Entry};
use crate::evidence::{Evidence, Table};
use crate::gates::llvm::{said, same, units_of, worker};
use crate::program::{Program, checked_options, run as run_image};
use crate::workers;

const NAME: &str = "watched-memory-check";
/// `make gates` builds every so manieth program for AddressSanitizer and, of those, every so manieth for valgrind; `make heavy-gates` takes all.
const SAMPLE: usize = 16;
const SAMPLE_OF_SAMPLE: usize = 8;
/// Fewer would mean that the corpus is not where it is looked for.
const LEAST: usize = 48;
/// What valgrind ends with when it found something: no program of the corpus does.
const FOUND: i32 = 99;
/// What it is asked. The arguments of a program live until it ends, and something points to them.
const QUESTIONS: [&str; 4] =
    ["-q", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible", "--errors-for-leak-kinds=definite,indirect,possible"];

/// What builds and watches programs here.
struct Tools {
    worker: Worker,
    address: Linker,
    library: Linker,
    valgrind: PathBuf,
}

impl Tools {
    fn find() -> Result<Tools, String> {
        let path = std::env::var_os("PATH");
        let valgrind = child::find("valgrind").ok_or("there is no valgrind: run 'make watchers'")?;
        let address = Linker::for_host(Host::Address, None, path.as_ref())?;
        let library = Linker::for_host(Host::Library, None, path.as_ref())?;
        Ok(Tools { worker: worker()?, address, library, valgrind })
    }

    fn release(&self, sanitize: bool) -> Release {
        let (worker, cpu) = (self.worker.clone(), "x86-64".to_owned());
        Release {
            worker,
            level: Level::Default,
            cpu,
            units: None,
            debug: None,
            facts: llvm::Facts::default(),
            sanitize,
            workers: Some(1),
            memory: None,
        }
    }

    /// The executable that LLVM makes of these units, with checks or for valgrind; with another runtime than the one for it.
    fn released(&self, program: &mut Program, units: &[Unit], host: Host, runtime: Option<&[u8]>) -> Result<Vec<u8>, String> {
        let mut objects = release::translate(&self.release(host == Host::Address), units, Product::Object).map_err(said)?;
        let plan = release::plan(&mut program.session, program.main).map_err(said)?;
        objects.push(release::tables(&mut program.session, &plan).map_err(said)?);
        self.link(&objects.iter().map(Vec::as_slice).collect::<Vec<_>>(), host, runtime)
    }

    fn link(&self, objects: &[&[u8]], host: Host, runtime: Option<&[u8]>) -> Result<Vec<u8>, String> {
        let linker = if host == Host::Address { &self.address } else { &self.library };
        let linked = linker.link_with(objects, runtime.unwrap_or_else(|| host.archive()), true);
        linked.map(|linked| linked.image).map_err(|failed| format!("{failed:?}"))
    }

    /// Runs a program under AddressSanitizer, which is in it.
    fn under_address(&self, image: &[u8], args: &[String]) -> Result<Ending, String> {
        self.watched(image, args, Command::new)
    }

    /// Runs a program under valgrind.
    fn under_valgrind(&self, image: &[u8], args: &[String]) -> Result<Ending, String> {
        self.watched(image, args, |program| {
            let mut command = Command::new(&self.valgrind);
            command.args(QUESTIONS).arg(format!("--error-exitcode={FOUND}")).arg(program);
            command
        })
    }

    fn watched(&self, image: &[u8], args: &[String], command: impl Fn(PathBuf) -> Command) -> Result<Ending, String> {
        let program = child::Program::new(image).map_err(|error| error.to_string())?;
        let mut command = command(program.path());
        // Shadow memory is address space of its own; the programs are those that all gates run.
        let limits = Limits { memory: u64::MAX, time: std::time::Duration::from_secs(120), ..Limits::default() };
        command.args(args).env_clear().env("ORI_CHECK_LEAKS", "1");
        child::run(&mut command, limits).map_err(|error| error.to_string())
    }
}

/// Runs the gate.
pub fn run() -> bool {
    check(SAMPLE, SAMPLE_OF_SAMPLE)
}

/// With every program.
pub fn heavy() -> bool {
    check(1, 1)
}

fn check(sample: usize, of_sample: usize) -> bool {
    let mut evidence = Evidence::new(NAME);
    match Tools::find() {
        Err(why) => evidence.fail(why),
        Ok(tools) => {
            corpus_is_clean(&mut evidence, &tools, sample, of_sample);
            planted(&mut evidence, &tools);
        }
    }
    evidence.close()
}

/// All passes, and every cell asked of the runtime.
fn separate() -> Options {
    Options { separate_cells: true, ..checked_options() }
}

const ADDRESS: &str = "LLVM -O2, checked by AddressSanitizer";
const VALGRIND: &str = "our own back end, under valgrind";
const VALGRIND_LLVM: &str = "LLVM -O2, under valgrind";

/// Programs of the corpus, watched: they do the same as with the runtime that nobody watches, and nobody says anything.
fn corpus_is_clean(evidence: &mut Evidence, tools: &Tools, sample: usize, of_sample: usize) {
    // Kernels are under valgrind all, as they are what memory is made for.
    let is_kernel = |entry: &Entry| entry.name.starts_with("fixtures/kernels/");
    let wanted = corpus::programs().into_iter().enumerate().filter(|(number, entry)| number % sample == 0 || is_kernel(entry));
    let programs: Vec<(bool, bool, Entry)> = wanted
        .map(|(number, entry)| {
            let by_valgrind = is_kernel(&entry) || number % (sample * of_sample) == 0;
            (by_valgrind, by_valgrind && number % 8 == 0, entry)
        })
        .collect();
    let results = workers::each(&programs, |(by_valgrind, by_llvm, entry)| clean(entry, *by_valgrind, *by_llvm, tools));
    let mut done = Vec::new();
    for ((.., entry), result) in programs.iter().zip(results) {
        match result {
            Ok(Ok(builds)) => done.extend(builds),
            Ok(Err(why)) | Err(why) => evidence.fail(format!("{}: {why}", entry.name)),
        }
    }
    let mut table = Table::new("clean", &["build", "programs that do the same as unwatched, and nothing is found"]);
    for (build, least) in [(ADDRESS, LEAST), (VALGRIND, LEAST / 4), (VALGRIND_LLVM, LEAST / 10)] {
        let count = done.iter().filter(|other| **other == build).count();
        if count < least {
            evidence.fail(format!("{count} programs, fewer than {least}: {build}"));
        }
        table.row([build.to_owned(), count.to_string()]);
    }
    evidence.table(table);
}

fn clean(entry: &Entry, by_valgrind: bool, by_llvm: bool, tools: &Tools) -> Result<Vec<&'static str>, String> {
    // Every runtime can be asked for cells one by one, so the same code runs with the usual one.
    let mut program = Program::load(&entry.file, separate(), 1).map_err(|refusal| refusal.to_string())?;
    let expected = run_image(&program.image()?, &entry.args, Limits::default())?;
    let mut done = Vec::new();
    let mut compare = |build: &'static str, found: Ending| {
        if !same(&expected, &found) {
            let all = String::from_utf8_lossy(&found.stderr).lines().take(12).collect::<Vec<_>>().join("\n");
            return Err(format!("{build}: expected {}; found {}\n{all}", expected.line(), found.line()));
        }
        done.push(build);
        Ok(())
    };
    let units = units_of(&mut program, None)?;
    compare(ADDRESS, tools.under_address(&tools.released(&mut program, &units, Host::Address, None)?, &entry.args)?)?;
    // The processor that valgrind makes up has a stack of its own for signals, and the program's is not it.
    let overflows = expected.stderr.starts_with(b"fatal: stack overflow");
    if by_valgrind && !overflows {
        let image = tools.link(&[&program.object()?], Host::Library, None)?;
        compare(VALGRIND, tools.under_valgrind(&image, &entry.args)?)?;
    }
    if by_llvm && !overflows {
        let image = tools.released(&mut program, &units, Host::Library, None)?;
        compare(VALGRIND_LLVM, tools.under_valgrind(&image, &entry.args)?)?;
    }
    Ok(done)
}

/// A buffer has two holders, of which one is a list in a list: when that goes, the other one's elements stay.
const SHARED: &str = "@upto (n: int) -> [int] = {
    let all: [int] = [];
    for i in 0..n do all = all.push(i);
    all
};
@size (table: [[int]], at: int) -> int = table[at].len();
@once (numbers: [int], at: int) -> int = {
    let table = [numbers];
    size(table: table, at: at)
};
@main (args: [str]) -> void = {
    let numbers = upto(n: 100 + args.len());
    print(msg: `{once(numbers: numbers, at: args.len())}`);
    print(msg: `{numbers[7 + args.len()]}`);
};
";

/// What must show: those who watch see something, and the gate can fail.
fn planted(evidence: &mut Evidence, tools: &Tools) {
    let mut table = Table::new("planted", &["planted", "watched by", "must be", "was"]);
    let runtime = test_runtime();
    let defective = |host| runtime.clone().and_then(|runtime| shared(tools, host, Some(&runtime), |_| {}));
    let forget = |graph: &mut Graph<Lir>| {
        let counts: Vec<bool> = graph.insts.rows().iter().map(|row| row.op == Op::CountUp).collect();
        for block in graph.blocks.ids() {
            graph.blocks[block].insts.retain(|inst| !counts[inst.index()]);
        }
    };
    let (defect, forgotten) = ("a runtime whose buffers go with their first holder", "code that counts no further holder");
    let rows = [
        ("nothing", Host::Address, false, shared(tools, Host::Address, None, |_| {})),
        ("nothing", Host::Library, false, shared(tools, Host::Library, None, |_| {})),
        (defect, Host::Address, true, defective(Host::Address)),
        (defect, Host::Library, true, defective(Host::Library)),
        (forgotten, Host::Address, true, shared(tools, Host::Address, None, forget)),
        (forgotten, Host::Library, true, shared(tools, Host::Library, None, forget)),
    ];
    for (what, host, is_reported, ending) in rows {
        let (who, words) = match host {
            Host::Address => ("AddressSanitizer", "ERROR: AddressSanitizer: heap-use-after-free"),
            Host::None | Host::Library => ("valgrind", "Invalid read"),
        };
        let was = ending.map(|ending| {
            let reported = ending.status != Some(0) && String::from_utf8_lossy(&ending.stderr).contains(words);
            let silent = ending.status == Some(0) && ending.stderr.is_empty() && ending.stdout == b"100\n7\n";
            match (reported, silent) {
                (true, false) => "reported".to_owned(),
                (false, true) => "silent".to_owned(),
                _ => ending.line(),
            }
        });
        let must = if is_reported { "reported" } else { "silent" };
        let was = was.unwrap_or_else(|why| why);
        if was != must {
            evidence.fail(format!("{what}, under {who}: must be {must}, was {was}"));
        }
        table.row([what, who, must, &was]);
    }
    evidence.table(table);
}

/// Runs the program of the plants, changed so, with this runtime.
fn shared(tools: &Tools, host: Host, runtime: Option<&[u8]>, change: impl Fn(&mut Graph<Lir>)) -> Result<Ending, String> {
    let mut program = Program::of_text(SHARED, separate()).map_err(|refusal| refusal.to_string())?;
    let mut units = units_of(&mut program, None)?;
    units.iter_mut().flat_map(|unit| &mut unit.functions).for_each(|function| function.edit(&change));
    let image = tools.released(&mut program, &units, host, runtime)?;
    if host == Host::Address { tools.under_address(&image, &[]) } else { tools.under_valgrind(&image, &[]) }
}

/// The runtime under a C library, with the defect.
fn test_runtime() -> Result<Vec<u8>, String> {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    let folder = corpus::root().join("target/evidence").join(NAME).join("rt");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(corpus::root().join("rt/image"));
    command.args([
        "build",
        "--release",
        "--locked",
        "--quiet",
        "--features",
        "hosted,plant-use-after-free",
        "--target",
        TARGET,
        "--target-dir",
    ]);
    // As `codegen/image/build` compiles the one of every program.
    for outer in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(outer);
    }
    command.arg(&folder).env("RUSTFLAGS", "-C relocation-model=pie -C force-unwind-tables=no -C target-cpu=x86-64");
    let ended = command.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !ended.status.success() {
        return Err(format!("the runtime with a defect does not compile: {}", String::from_utf8_lossy(&ended.stderr)));
    }
    std::fs::read(folder.join(TARGET).join("release/librt_image.a")).map_err(|error| error.to_string())
}
