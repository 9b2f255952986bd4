//! Panics and failing allocations where none belong: whatever unwinds leaves nothing behind, and who gets no memory says so.
//!
//! - In the interpreter any op that may panic does, one at a time, calls with what they take included: ghost counts say whether something is held that nobody gives up.
//! - Natively, in programs built with `--mem-debug`, any op but calls: the leak check sees what unwinding through real frames left, with the site where it was made.
//! - Natively, the n-th block cannot be had: the program ends with the status and the line for that.
//! - Programs built so do what they do otherwise, and free as many blocks as they get.

use mir::interp::Outcome;
use oric::queries::Options;

use crate::child::{Ending, Limits};
use crate::corpus::{self, Entry};
use crate::evidence::{Evidence, Table};
use crate::mutants::exchanged::{Exchanged, Mutant};
use crate::mutants::ownership;
use crate::program::{Program, bounded, checked_options, run};
use crate::random::Random;
use crate::workers;

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Every so manieth program.
    pub step: usize,
    /// Panics of each kind, and failures, a program.
    pub samples: u64,
    /// Programs with more steps are not interpreted.
    pub steps: u64,
}

/// What `make gates` tries.
pub const SAMPLE: Size = Size { step: 5, samples: 4, steps: 200_000 };
/// What `make heavy-gates` tries.
pub const FULL: Size = Size { step: 1, samples: 40, steps: 3_000_000 };

/// What one program shows.
#[derive(Default)]
struct Seen {
    interpreted: u64,
    caught: u64,
    panics: u64,
    failures: u64,
    wrong: Vec<String>,
}

/// Tries it.
pub fn check(evidence: &mut Evidence, size: Size) {
    let programs: Vec<Entry> = corpus::programs().into_iter().step_by(size.step).collect();
    let mut sum = Seen::default();
    for (entry, seen) in programs.iter().zip(workers::each(&programs, |entry| try_one(entry, size))) {
        let seen = match seen {
            Ok(Ok(seen)) => seen,
            Ok(Err(why)) | Err(why) => Seen { wrong: vec![why], ..Seen::default() },
        };
        sum.interpreted += seen.interpreted;
        sum.caught += seen.caught;
        sum.panics += seen.panics;
        sum.failures += seen.failures;
        seen.wrong.iter().for_each(|wrong| evidence.fail(format!("{}: {wrong}", entry.name)));
    }
    let mut table = Table::new(
        "injected",
        &["programs", "panics interpreted", "of these, caught", "panics natively", "blocks that were not to be had"],
    );
    table.row([programs.len() as u64, sum.interpreted, sum.caught, sum.panics, sum.failures].map(|count| count.to_string()));
    evidence.table(table);
    if sum.interpreted == 0 || sum.caught == 0 || sum.panics == 0 || sum.failures == 0 {
        evidence.fail("something of this was not tried at all");
    }
}

/// Numbers from 1 to `most`: the first, the last, and some between.
fn sample(most: u64, samples: u64, random: &mut Random) -> Vec<u64> {
    let mut found: Vec<u64> = match most <= samples {
        true => (1..=most).collect(),
        false => [1, most].into_iter().chain((2..samples).map(|_| 1 + random.next() % most)).collect(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn try_one(entry: &Entry, size: Size) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let mut random = Random::new(entry.name.len() as u64);
    let options = Options { mem_debug: true, ..checked_options() };
    let program = Program::load(&entry.file, options, 1).map_err(|refusal| refusal.to_string())?;
    interpreted(&program, entry, size, &mut random, &mut seen)?;
    let image = program.image()?;
    let plain = super::checked(&image, &entry.args, &[], Limits::default())?;
    let told = super::checked(&image, &entry.args, &[("ORI_RC_STATS", "1")], Limits::default())?;
    let text = String::from_utf8_lossy(&told.stderr).into_owned();
    // Who gets no block tells nothing, nor does who ends by an exhausted stack.
    let Some(counts) = super::Told::of(&text) else { return Ok(seen) };
    let honest = text.len() - counts.0.len() - 1;
    if (&plain.stdout, plain.status, &plain.stderr[..]) != (&told.stdout, told.status, &told.stderr[..honest]) {
        return Err(format!("with --mem-debug, told: {}", told.line()));
    }
    let release = run(&normal(entry)?, &entry.args, Limits::default())?;
    if release != plain {
        return Err(format!("with --mem-debug: {}", plain.line()));
    }
    let (made, freed, risks) = (counts.count(" allocations")?, counts.count(" frees")?, counts.count(" ops that may panic")?);
    if made != freed {
        seen.wrong.push(format!("{made} blocks made and {freed} freed"));
    }
    for at in sample(risks, size.samples, &mut random) {
        let number = at.to_string();
        let ending = super::checked(&image, &entry.args, &[("ORI_PANIC_AT", &number)], Limits::default())?;
        seen.panics += 1;
        if !is_clean(&ending) {
            seen.wrong.push(format!("ORI_PANIC_AT={at}: {}", ending.line()));
        }
    }
    for at in sample(made, size.samples.div_ceil(2), &mut random) {
        let number = at.to_string();
        let ending = super::checked(&image, &entry.args, &[("ORI_FAIL_AT", &number)], Limits::default())?;
        seen.failures += 1;
        let says = String::from_utf8_lossy(&ending.stderr).into_owned();
        let is_said =
            says.lines().last().is_some_and(|line| line.starts_with("fatal: out of memory (") && line.ends_with(" bytes requested)"));
        if ending.status != Some(134) || !is_said {
            seen.wrong.push(format!("ORI_FAIL_AT={at}: {}", ending.line()));
        }
    }
    Ok(seen)
}

/// The program as it is built without `--mem-debug`.
fn normal(entry: &Entry) -> Result<Vec<u8>, String> {
    Program::load(&entry.file, checked_options(), 1).map_err(|refusal| refusal.to_string())?.image()
}

/// Did a program end by itself, with nothing left?
fn is_clean(ending: &Ending) -> bool {
    let has_leak = ending.stderr.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"leak: "));
    ending.status.is_some_and(|status| status != 3 && status != 101) && !ending.timed_out && !has_leak
}

fn interpreted(program: &Program, entry: &Entry, size: Size, random: &mut Random, seen: &mut Seen) -> Result<(), String> {
    let limits = |panic_at| mir::interp::Limits { panic_at, ..bounded(size.steps) };
    let first = program.interpret(&entry.args, limits(u64::MAX))?;
    if !matches!(first.outcome, Outcome::Exit(_) | Outcome::Panicked { .. }) {
        return Ok(());
    }
    for at in sample(first.counts.risks, size.samples, random) {
        let done = program.interpret(&entry.args, limits(at))?;
        seen.interpreted += 1;
        match done.outcome {
            Outcome::Broken(why) => seen.wrong.push(format!("a panic at {at}, interpreted: {why}")),
            Outcome::Panicked { message, .. } if message == "injected" => {}
            _ => seen.caught += 1,
        }
    }
    Ok(())
}

/// A program that drops something when it panics.
const HELD: &str = "@f (text: str, n: int) -> int = { let all = text.split(\" \"); print(msg: all[n]); all.len() + n };\n\
    @main (args: [str]) -> void = { let r = catch(expr: f(text: \"a text of words\", n: args.len())); print(msg: `{r.is_ok()}`) };\n";

/// What unwinding does not give up is found by a panic alone.
pub fn planted(evidence: &mut Evidence) {
    let mut table = Table::new("planted for panics", &["taken out", "found by"]);
    let found = plant(&mut table).unwrap_or_else(|why| {
        evidence.fail(why);
        0
    });
    if found == 0 {
        evidence.fail("no drop of a landing block was missed");
    }
    evidence.table(table);
}

fn plant(table: &mut Table) -> Result<usize, String> {
    let program = Program::of_text(HELD, checked_options()).map_err(|refusal| refusal.to_string())?;
    let world = oric::queries::World::new(&program.session.engine);
    let mut found = 0;
    for item in program.reachable()? {
        let Some(body) = ownership::body(&program, item) else { continue };
        let is_landing = |block: ir::ssa::Block| body.insts.ids().any(|inst| body.edges[inst].unwind == Some(block));
        for site in ownership::sites(&body).into_iter().filter(|&(block, _)| is_landing(block)) {
            let damage = ownership::Damage::Delete;
            let Some(graph) = ownership::damaged(&body, site, damage, &mut Random::new(1)) else { continue };
            let cx = Exchanged { world: &world, item, mutant: Mutant::Owned(std::sync::Arc::new(mir::Body::new(graph))) };
            let outcome = |panic_at| -> Result<Outcome, String> {
                Ok(program.interpret_in(&cx, &[], mir::interp::Limits { panic_at, ..bounded(100_000) })?.outcome)
            };
            let is_broken = |outcome: &Outcome| matches!(outcome, Outcome::Broken(_));
            // A debug build asks the certifier before it runs anything.
            if is_broken(&outcome(0)?) && !cfg!(debug_assertions) {
                return Err(format!("@{item}: without a panic, too"));
            }
            for at in 1..100 {
                if is_broken(&outcome(at)?) {
                    table.row([format!("{} of @{item}", ownership::place(site)), format!("panic {at}")]);
                    found += 1;
                    break;
                }
            }
        }
    }
    Ok(found)
}
