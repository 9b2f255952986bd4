//! `native-ir-check`: the interpreter and native code agree, whatever the passes do, and what is built is safe, small and always the same.
//!
//! Every program that runs is interpreted from unoptimised MIR: that is what it means. It must do the same, to the byte of both streams and the status,
//! interpreted after all passes, and natively with all passes on, all off, and cut after a few numbers of rewrites. The allocation checker is on.

use std::path::PathBuf;

use mir::interp::Outcome;
use oric::queries::Options;

use crate::bits;
use crate::child::{self, Ending};
use crate::corpus::{self, Entry};
use crate::evidence::{Evidence, Table};
use crate::gates::elf;
use crate::mutants::{self, Target};
use crate::program::{Program, Refusal, bounded, checked_options, passes, run as run_image};
use crate::workers;

const NAME: &str = "native-ir-check";
/// Rewrites after which a build is cut.
const CUTS: [u64; 4] = [1, 9, 60, 400];
/// Largest hello.
const HELLO_LIMIT: usize = 32 << 10;
const MUTANTS: usize = 2000;
const BITS: usize = 400;
const STEPS: u64 = 3_000_000_000;

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    agreement(&mut evidence);
    kernels(&mut evidence);
    builds(&mut evidence);
    objects(&mut evidence);
    mutants::report(&mut evidence, &[Target::Mir, Target::Lir, Target::Alloc], MUTANTS, 1);
    bits::report(&mut evidence, BITS, 1);
    negatives(&mut evidence);
    evidence.close()
}

/// How a program is built.
struct Build {
    name: String,
    options: Options,
}

/// The builds of program `number`: with all passes, with none, and in turns with so many rewrites or without one pass, since one pass often hides what another
/// does wrong.
fn builds_of(number: usize) -> [Build; 3] {
    let (turn, passes) = (number / 2, passes());
    let third = if number.is_multiple_of(2) {
        let fuel = CUTS[turn % CUTS.len()];
        Build { name: format!("fuel {fuel}"), options: Options { fuel, ..checked_options() } }
    } else {
        let without = passes[turn % passes.len()].clone();
        Build { name: format!("without {without}"), options: Options { passes_off: vec![without], ..checked_options() } }
    };
    [
        Build { name: "all passes".into(), options: checked_options() },
        Build { name: "no passes".into(), options: Options { passes_off: passes, ..checked_options() } },
        third,
    ]
}

/// What was seen of a program.
#[derive(Default)]
struct Seen {
    native: usize,
    interpreted: usize,
    outside: usize,
    wrong: Vec<String>,
}

fn agreement(evidence: &mut Evidence) {
    let programs: Vec<(usize, Entry)> = corpus::programs().into_iter().enumerate().collect();
    let mut table = Table::new("agreement", &["what", "count"]);
    let mut total = Seen::default();
    for ((_, entry), result) in programs.iter().zip(workers::each(&programs, agree)) {
        match result {
            Err(why) => evidence.fail(format!("{}: {why}", entry.name)),
            Ok(seen) => {
                total.native += seen.native;
                total.interpreted += seen.interpreted;
                total.outside += seen.outside;
                for what in seen.wrong {
                    evidence.fail(format!("{}: {what}", entry.name));
                }
            }
        }
    }
    let row = |table: &mut Table, what: &str, count: usize| table.row([what.to_owned(), count.to_string()]);
    row(&mut table, "programs", programs.len());
    row(&mut table, "builds of each (all passes, no passes, in turns fuel 1 9 60 or 400 and without one pass)", builds_of(0).len());
    row(&mut table, "native runs compared with the reference", total.native);
    row(&mut table, "interpreted runs compared with the reference", total.interpreted);
    row(&mut table, "stack exhaustion: status and first line compared alone", total.outside);
    evidence.table(table);
    if total.native == 0 {
        evidence.fail("no program ran");
    }
}

fn agree((number, entry): &(usize, Entry)) -> Seen {
    let mut seen = Seen::default();
    if let Err(why) = agree_or_say(*number, entry, &mut seen) {
        seen.wrong.push(why);
    }
    seen
}

fn agree_or_say(number: usize, entry: &Entry, seen: &mut Seen) -> Result<(), String> {
    let load = |options: &Options| Program::load(&entry.file, options.clone(), 1).map_err(|refusal| refusal.to_string());
    let builds = builds_of(number);
    let off = builds.iter().find(|build| build.name == "no passes").map_or_else(checked_options, |build| build.options.clone());
    let reference = load(&off)?.interpret(&entry.args, bounded(STEPS))?;
    let exhausted = match &reference.outcome {
        Outcome::Exit(_) | Outcome::Panicked { .. } => false,
        Outcome::StackOverflow { .. } => true,
        Outcome::LimitExceeded(_) | Outcome::OutputClosed | Outcome::Broken(_) => {
            return Err(format!("the reference ends with {:?}", reference.outcome));
        }
    };
    for build in &builds {
        let program = load(&build.options).map_err(|why| format!("{}: {why}", build.name))?;
        let image = program.image().map_err(|why| format!("{}: {why}", build.name))?;
        seen.wrong.extend(elf::faults(&image).into_iter().map(|what| format!("{}: {what}", build.name)));
        let native = run_image(&image, &entry.args, child::Limits::default())?;
        seen.native += 1;
        if exhausted {
            seen.outside += 1;
        }
        compare(seen, &format!("native, {}", build.name), &reference.ending, &native, exhausted);
        if build.options.fuel == u64::MAX {
            let run = program.interpret(&entry.args, bounded(STEPS))?;
            seen.interpreted += 1;
            compare(seen, &format!("interpreter, {}", build.name), &reference.ending, &run.ending, exhausted);
        }
    }
    Ok(())
}

/// Where a stack ends differs between engines; that it is said does not.
fn compare(seen: &mut Seen, what: &str, reference: &Ending, other: &Ending, exhausted: bool) {
    let first = |ending: &Ending| {
        String::from_utf8_lossy(&ending.stderr).lines().next().unwrap_or_default().split(" at ").next().unwrap_or_default().to_owned()
    };
    let same = if exhausted { reference.status == other.status && first(reference) == first(other) } else { reference == other };
    if !same {
        seen.wrong.push(format!("{what} differs: expected {}; found {}", reference.line(), other.line()));
    }
}

/// The kernels print what the table of the benchmarks says, which other languages' programs print too.
fn kernels(evidence: &mut Evidence) {
    let mut table = Table::new("kernels", &["kernel", "size", "engine", "output", "state"]);
    let expected = corpus::shared().and_then(|folder| std::fs::read_to_string(folder.join("kernels/expected.tsv")).ok());
    let Some(expected) = expected else {
        table.row(["all", "", "", "", "unmeasured: ../shared/bench/kernels/expected.tsv is not here"]);
        return evidence.table(table);
    };
    for (kernel, size) in [("fib", "25"), ("nbody", "1000"), ("mandelbrot", "200")] {
        let row = expected.lines().find_map(|line| line.strip_prefix(&format!("{kernel}\t{size}\t")).map(str::to_owned));
        let file = corpus::root().join(format!("fixtures/kernels/{kernel}.ori"));
        let args = [size.to_owned()];
        let runs = Program::load(&file, checked_options(), 1).map_err(|refusal| refusal.to_string()).and_then(|program| {
            let native = run_image(&program.image()?, &args, child::Limits::default())?;
            Ok([("native", native), ("interpreter", program.interpret(&args, bounded(STEPS))?.ending)])
        });
        match (row, runs) {
            (Some(row), Ok(runs)) => {
                for (engine, ending) in runs {
                    // The table joins the lines of an output.
                    let output = String::from_utf8_lossy(&ending.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
                    let same = output == row.split_whitespace().collect::<Vec<_>>().join(" ") && ending.status == Some(0);
                    if !same {
                        evidence.fail(format!("{kernel} {size} prints `{output}` in the {engine}, expected `{row}`"));
                    }
                    table.row([kernel, size, engine, &output, if same { "ok" } else { "FAILED" }]);
                }
            }
            (None, _) => evidence.fail(format!("expected.tsv has no row for {kernel} {size}")),
            (_, Err(why)) => evidence.fail(format!("{kernel}: {why}")),
        }
    }
    evidence.table(table);
}

/// Building again gives the same bytes, with one worker and with two; hello is small.
fn builds(evidence: &mut Evidence) {
    let root = corpus::root();
    let mut files: Vec<(String, PathBuf)> =
        corpus::programs().into_iter().filter(|e| !e.name.starts_with("fixtures/run")).map(|e| (e.name, e.file)).collect();
    let project = corpus::project("ori", 10_000);
    let state = if project.is_some() { "measured" } else { "unmeasured: ../shared/bench/gen_project.py is not here" };
    files.extend(project.and_then(|folder| corpus::project_main(&folder)).map(|file| ("generated project".to_owned(), file)));
    let image = |file: &PathBuf, workers| -> Result<Vec<u8>, String> {
        Program::load(file, Options::default(), workers).map_err(|refusal| refusal.to_string())?.image()
    };
    let mut table = Table::new("builds", &["program", "bytes", "again", "2 workers"]);
    for (name, file) in &files {
        let made = image(file, 1).and_then(|one| Ok((image(file, 1)? == one, image(file, 2)? == one, one)));
        match made {
            Err(why) => evidence.fail(format!("{name}: {why}")),
            Ok((again, two, bytes)) => {
                if !again || !two {
                    evidence.fail(format!("{name}: building again gives other bytes (same workers {again}, two workers {two})"));
                }
                table.row([name.clone(), bytes.len().to_string(), again.to_string(), two.to_string()]);
            }
        }
    }
    table.row(["generated project", "10000 lines", state, ""]);
    evidence.table(table);
    let mut table = Table::new("size", &["program", "bytes", "limit"]);
    match image(&root.join("examples/hello.ori"), 1) {
        Err(why) => evidence.fail(format!("hello: {why}")),
        Ok(bytes) => {
            if bytes.len() > HELLO_LIMIT {
                evidence.fail(format!("hello has {} bytes, {HELLO_LIMIT} are allowed", bytes.len()));
            }
            table.row(["hello".to_owned(), bytes.len().to_string(), HELLO_LIMIT.to_string()]);
        }
    }
    evidence.table(table);
}

/// Objects link with the system's compiler driver and do the same as the image.
fn objects(evidence: &mut Evidence) {
    let mut table = Table::new("objects", &["program", "linked by", "state"]);
    if child::find("cc").is_none() {
        table.row(["all", "cc", "unmeasured: cc is not installed"]);
        return evidence.table(table);
    }
    for name in ["examples/hello.ori", "examples/tour.ori", "examples/panics.ori", "fixtures/kernels/nbody.ori"] {
        for options in [&["-nostdlib", "-static", "-no-pie"][..], &[][..]] {
            let state = match object_runs(name, options) {
                Ok(()) => "ok".to_owned(),
                Err(why) => {
                    evidence.fail(format!("{name} as an object, cc {}: {why}", options.join(" ")));
                    why
                }
            };
            table.row([name.to_owned(), format!("cc {}", options.join(" ")), state]);
        }
    }
    evidence.table(table);
}

fn object_runs(name: &str, options: &[&str]) -> Result<(), String> {
    let program = Program::load(&corpus::root().join(name), checked_options(), 1).map_err(|refusal| refusal.to_string())?;
    let args = if name.contains("nbody") { vec!["100".to_owned()] } else { Vec::new() };
    let expected = run_image(&program.image()?, &args, child::Limits::default())?;
    let folder = corpus::root().join("target/evidence").join(NAME).join("object");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let write = |file: &str, bytes: &[u8]| std::fs::write(folder.join(file), bytes).map_err(|error| error.to_string());
    write("prog.o", &program.object()?)?;
    write("libori_rt.a", image::runtime_archive())?;
    let mut line = options.to_vec();
    line.extend(["prog.o", "libori_rt.a", "-o", "prog"]);
    child::succeed(&folder, "cc", &line)?;
    let linked = std::fs::read(folder.join("prog")).map_err(|error| error.to_string())?;
    let ending = run_image(&linked, &args, child::Limits::default())?;
    if ending == expected { Ok(()) } else { Err(format!("expected {}; found {}", expected.line(), ending.line())) }
}

/// What must be refused: the gate shows that it can fail.
fn negatives(evidence: &mut Evidence) {
    let mut table = Table::new("negatives", &["negative", "must be", "was"]);
    for negative in negative_checks() {
        let was = if negative.refused { "refused" } else { "NOT REFUSED" };
        if !negative.refused {
            evidence.fail(format!("not refused: {}", negative.what));
        }
        table.row([negative.what, "refused", was]);
    }
    evidence.table(table);
}

/// Something that the gate must refuse.
#[derive(Clone, Copy, Debug)]
pub struct Negative {
    /// What it is.
    pub what: &'static str,
    /// Was it?
    pub refused: bool,
}

/// All negatives, tried now.
pub fn negative_checks() -> Vec<Negative> {
    let root = corpus::root();
    let hello = Program::load(&root.join("examples/hello.ori"), checked_options(), 1)
        .map_err(|refusal| refusal.to_string())
        .and_then(|p| p.image());
    let weak = hello.as_ref().is_ok_and(|image| elf::faults(image).is_empty() && !elf::faults(&elf::weakened(image)).is_empty());
    vec![
        Negative { what: "an image with writable code", refused: weak },
        Negative { what: "a miscompiled addition", refused: miscompiled().unwrap_or(false) },
        Negative { what: "a program of the wrong type", refused: wrong_type() },
    ]
}

/// `a + b` compiled as `a - b` must show.
fn miscompiled() -> Option<bool> {
    use lir::Op;
    const SOURCE: &str = "@sum (a: int, b: int) -> int = a + b;\n@main (args: [str]) -> int = sum(a: 40, b: 2 + args.len());\n";
    let options = Options { passes_off: passes(), ..checked_options() };
    let program = Program::of_text(SOURCE, options).ok()?;
    let reference = program.interpret(&[], bounded(1000)).ok()?.ending;
    let item = program.functions().into_iter().find(|item| item.name().as_str() == "sum")?;
    let mut body = (*program.lir(item)?).clone();
    let row = body.insts.rows_mut().iter_mut().find(|row| row.op == Op::AddCheck)?;
    row.op = Op::SubCheck;
    let code = machine::compile(&body, &mut machine::Scratch::default(), true).ok()?;
    let image = program.image_with(oric::assemble::linkable(item, code)).ok()?;
    let native = run_image(&image, &[], child::Limits::default()).ok()?;
    let mut seen = Seen::default();
    compare(&mut seen, "native", &reference, &native, false);
    Some(reference.status == Some(42) && seen.wrong.len() == 1)
}

fn wrong_type() -> bool {
    matches!(Program::of_text("@main () -> void = { let x: int = true; print(msg: `{x}`); }\n", checked_options()), Err(Refusal::Diagnosed(codes)) if !codes.is_empty())
}
