//! The command line.

use std::io::Write as _;
use std::process::ExitCode;

use crate::fuzz::{cases, supervise};
use crate::mutants::{self, Target};
use crate::{bench, bits, evidence, gates, workers};

const USAGE: &str = "\
verify gates                                     every gate
verify typed-ssa-pipeline-check                  one gate
verify native-ir-check                           one gate, after those that it needs
verify compiler-query-engine-check               an edit costs what it changed
verify compiler-cas-check                        artifacts come back as they were put
verify compiler-memory-optimization-baseline-check  ledger, inventory, sizes within budgets
verify conformance-check                         every rule of the reference has fixtures, run now
verify test-graph-check                          an edit runs the tests that it reaches
verify aot-tests-check                           small programs as executables of their own, from one compiler
verify miscompile-defense-check                  what is wrong is found, reduced, bisected
verify typed-programs-check                      generated programs: engines agree, edits equal clean builds
verify llvm-boundary-check                       release builds and development builds do the same
verify injected                                  panics and missing memory at many places of every program
verify release                                   the same with every program
verify facts [--count N]                         the same without each fact that LLVM is told, and 2,000 generated ones
verify watched-memory-check                      valgrind and AddressSanitizer find what is planted, and nothing in programs
verify watched                                   the same with every program
verify heavy-gates                               fuzzing for ten minutes, mutants and bits at full size
verify bench [compile|edits|tests|aot|scaling|kernels|heap|release|maps|backend|hello]..  times beside other compilers
verify mutants --level mir|lir|machine|select|alloc|final|all [--count N] [--seed S]
verify bits [--bound N] [--seed S]
verify queries [--scale N] [--seed S]            the query engine under many edits, faults, kills and races
verify fuzz --seconds N [--seed S]               fuzz; below 100,000 runs it has not run
verify fuzz --case TARGET:SEED                   repeat one case
verify generate [--typed|--mistaken] SEED        print a generated program
verify traced SEED                               print a generated program that says what it does
verify edits [--count N] [--seed S]              random edits of a package of 1,000 tests: who runs, what it says
verify differential [--count N] [--seed S]       such programs: interpreter and executable do the same
verify hunt [--count N] [--seed S] [--planted P] [--folder F] until one does not: it is reduced and bisected
verify programs [--count N]                      small programs as executables of their own, 2,000 of them
verify typed [--count N]                         programs from types: accepted, engines agree, edits, mistakes";

/// Runs what the arguments say.
pub fn main() -> ExitCode {
    // Gates start the compiler that they were built with, not one that lies about: this program under another name.
    if is_compiler() {
        return oric::main_then(gates::baseline::metrics::note_peak);
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        let _ = writeln!(std::io::stdout(), "{USAGE}");
        return ExitCode::SUCCESS;
    }
    crate::program::silence_panics();
    match workers::alone(|| run(&args)) {
        Ok(Some(true)) => ExitCode::SUCCESS,
        Ok(Some(false)) => ExitCode::FAILURE,
        Ok(None) => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(101)
        }
    }
}

fn is_compiler() -> bool {
    std::env::args_os().next().is_some_and(|name| std::path::Path::new(&name).ends_with(gates::query::faults::COMPILER))
}

/// `None` when the arguments cannot be understood.
fn run(args: &[String]) -> Option<bool> {
    let (verb, rest) = args.split_first()?;
    // An option that no verb has is not passed over.
    let is_known = |arg: &String| USAGE.split([' ', '[', ']', '|', '\n']).any(|word| word == arg);
    if rest.iter().any(|arg| arg.starts_with("--") && !is_known(arg)) {
        return None;
    }
    match verb.as_str() {
        "gates" => {
            let all: Vec<&str> = gates::GATES.iter().map(|gate| gate.name).collect();
            gates::run(&all)
        }
        "heavy-gates" => {
            let mutants = mutants(Target::of_level("all")?, 20_000, 1);
            let bits = bits::run(usize::MAX, 1);
            let fuzz = supervise::run(600, 1);
            let queries = gates::query::heavy(1, 1);
            let mut typed = evidence::Evidence::new("typed");
            crate::typed::check::run(&mut typed, 10_000, 50, 20);
            let mut tests = evidence::Evidence::new("tests");
            gates::test_graph::check(&mut tests, gates::test_graph::FULL, 1);
            let mut programs = evidence::Evidence::new("programs");
            gates::aot::check(&mut programs, gates::aot::FULL);
            let mut injected = evidence::Evidence::new("injected");
            gates::heap::injected::check(&mut injected, gates::heap::injected::FULL);
            let mut facts = evidence::Evidence::new("facts");
            gates::llvm::facts::check(&mut facts, gates::llvm::facts::FULL);
            let (release, watched) = (gates::llvm::heavy(), gates::watched::heavy());
            Some(
                facts.close()
                    && release
                    && watched
                    && typed.close()
                    && tests.close()
                    && programs.close()
                    && injected.close()
                    && mutants
                    && bits
                    && fuzz
                    && queries,
            )
        }
        "injected" => {
            let mut injected = evidence::Evidence::new("injected");
            gates::heap::injected::check(&mut injected, gates::heap::injected::FULL);
            Some(injected.close())
        }
        "release" => Some(gates::llvm::heavy()),
        "watched" => Some(gates::watched::heavy()),
        "facts" => {
            let mut found = evidence::Evidence::new("facts");
            gates::llvm::facts::check(&mut found, number(rest, "--count", gates::llvm::facts::FULL as u64)? as usize);
            Some(found.close())
        }
        "edits" => {
            let mut tests = evidence::Evidence::new("edits");
            let usual = gates::test_graph::FULL;
            let size = gates::test_graph::Size { edits: number(rest, "--count", usual.edits as u64)? as usize, ..usual };
            gates::test_graph::check(&mut tests, size, number(rest, "--seed", 1)?);
            Some(tests.close())
        }
        "queries" => Some(gates::query::heavy(number(rest, "--scale", 1)? as usize, number(rest, "--seed", 1)?)),
        "bench" => Some(bench::run(rest)),
        "twin-of-maps" => bench::maps::twin(rest),
        "mutants" => {
            let level = option(rest, "--level").unwrap_or_else(|| "all".to_owned());
            Some(mutants(Target::of_level(&level)?, number(rest, "--count", 2000)? as usize, number(rest, "--seed", 1)?))
        }
        "bits" => Some(bits::run(number(rest, "--bound", 4000)? as usize, number(rest, "--seed", 1)?)),
        "fuzz" => match option(rest, "--case") {
            Some(case) => {
                let (target, seed) = case.rsplit_once(':')?;
                Some(supervise::repeat(cases::Target::of_name(target)?, seed.parse().ok()?))
            }
            None => Some(supervise::run(option(rest, "--seconds")?.parse().ok()?, number(rest, "--seed", 1)?)),
        },
        "fuzz-worker" => {
            let numbers: Vec<u64> = rest.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            let &[number, seed, first, seconds] = numbers.as_slice() else { return None };
            Some(supervise::work(number, seed, first, seconds))
        }
        "generate" => {
            let seed = rest.last()?.parse().ok()?;
            match rest {
                [_] => print!("{}", crate::fuzz::generate::program(seed)),
                [form, _] if form == "--typed" => print!("{}", crate::typed::Program::new(seed).source()),
                [form, _] if form == "--mistaken" => print!("{}", cases::mistaken(seed).unwrap_or_default()),
                _ => return None,
            }
            Some(true)
        }
        "traced" => {
            print!("{}", crate::traced::program(rest.first()?.parse().ok()?));
            Some(true)
        }
        "differential" => {
            crate::differential::planted(option(rest, "--planted").as_deref()).then_some(())?;
            Some(crate::differential::run(number(rest, "--count", 2000)?, number(rest, "--seed", 1)?))
        }
        "hunt" => {
            crate::differential::planted(option(rest, "--planted").as_deref()).then_some(())?;
            let folder = option(rest, "--folder").map_or_else(std::env::temp_dir, std::path::PathBuf::from);
            Some(crate::differential::hunt(&folder, number(rest, "--count", 2000)?, number(rest, "--seed", 1)?))
        }
        "judge" => {
            crate::differential::planted(option(rest, "--planted").as_deref()).then_some(())?;
            Some(crate::differential::judge(std::path::Path::new(rest.first()?), rest.get(1)?))
        }
        "programs" => {
            let mut evidence = evidence::Evidence::new("programs");
            gates::aot::check(&mut evidence, number(rest, "--count", gates::aot::FULL as u64)? as usize);
            Some(evidence.close())
        }
        "typed" => {
            let count = number(rest, "--count", 10_000)? as usize;
            let mut evidence = evidence::Evidence::new("typed");
            crate::typed::check::run(&mut evidence, count, count.div_ceil(50), 20);
            Some(evidence.close())
        }
        gate => gates::run(&[gate]),
    }
}

fn mutants(targets: &[Target], count: usize, seed: u64) -> bool {
    let mut evidence = evidence::Evidence::new("mutants");
    mutants::report(&mut evidence, targets, count, seed);
    evidence.close()
}

fn option(args: &[String], name: &str) -> Option<String> {
    let at = args.iter().position(|arg| arg == name)?;
    args.get(at + 1).cloned()
}

/// The number behind an option; `None` when something else stands there.
fn number(args: &[String], name: &str, default: u64) -> Option<u64> {
    option(args, name).map_or(Some(default), |text| text.parse().ok())
}
