//! `memory-semantics-decision-check`: counted values are given away once on every path, in every program there is, and whoever says otherwise is refused.
//!
//! - Every program of the corpus runs in the interpreter with ghost counts: nothing is freed twice or used after, and nothing is held when it ends, by a result or by a
//!   panic.
//! - Every body that a program reaches is certified, and what `oric why --mem` says of it is what stands in its dump.
//! - Kernels whose values have one holder at a time count nobody up.
//! - Mutants: each `dup`, `drop`, `open`, `reuse` and `free` of the small programs goes, comes twice, and moves. The certifier refuses what is wrong.
//! - Negatives: texts that break one rule each, and bodies that leak or free twice, run behind the certifier's back.

mod accounts;

use mir::interp::{Limits, Outcome};
use mir::{Mir, Op};

use crate::corpus::{self, Entry};
use crate::evidence::{Evidence, Table};
use crate::levels;
use crate::mutants::exchanged::{Exchanged, Mutant};
use crate::mutants::{self, Tally, Verdict, ownership};
use crate::program::{Program, checked_options};
use crate::random::Random;
use crate::workers;

const NAME: &str = "memory-semantics-decision-check";
/// Programs that take longer than this are left to the other gates.
const STEPS: u64 = 30_000_000;
/// How many ops of a function are damaged.
const SITES: usize = 12;

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    programs(&mut evidence);
    unique(&mut evidence);
    mutation(&mut evidence);
    negatives(&mut evidence);
    evidence.close()
}

/// What a program shows.
#[derive(Default)]
struct Seen {
    functions: usize,
    dups: usize,
    drops: usize,
    opens: usize,
    reuses: usize,
    /// Lines of the accounts of its functions.
    said: usize,
    /// How it ended.
    ending: &'static str,
    wrong: Option<String>,
}

fn programs(evidence: &mut Evidence) {
    let entries = corpus::programs();
    if entries.is_empty() {
        evidence.fail("there are no programs: fixtures/ is missing");
    }
    let mut table = Table::new("programs", &["program", "ending", "functions", "dups", "drops", "opens", "reuses", "accounted"]);
    let mut sum = Seen::default();
    let (mut ended, mut counted) = (0, 0);
    for (entry, seen) in entries.iter().zip(workers::each(&entries, seen)) {
        let seen = match seen {
            Ok(seen) => seen,
            Err(why) => Seen { wrong: Some(why), ending: "broken", ..Seen::default() },
        };
        if let Some(wrong) = &seen.wrong {
            evidence.fail(format!("{}: {wrong}", entry.name));
        }
        ended += usize::from(matches!(seen.ending, "returned" | "panicked"));
        counted += usize::from(seen.drops > 0);
        sum.functions += seen.functions;
        sum.dups += seen.dups;
        sum.drops += seen.drops;
        sum.opens += seen.opens;
        sum.reuses += seen.reuses;
        sum.said += seen.said;
        let counts = [seen.functions, seen.dups, seen.drops, seen.opens, seen.reuses, seen.said].map(|count| count.to_string());
        table.row([entry.name.clone(), seen.ending.to_owned()].into_iter().chain(counts));
    }
    evidence.quiet_table(table);
    let mut table = Table::new(
        "corpus",
        &["programs", "ended with nothing held", "with counted values", "functions", "dups", "drops", "opens", "reuses", "accounted"],
    );
    table.row([entries.len(), ended, counted, sum.functions, sum.dups, sum.drops, sum.opens, sum.reuses, sum.said]);
    evidence.table(table);
    if counted == 0 || ended == 0 {
        evidence.fail("no program with counted values ran to its end");
    }
}

fn seen(entry: &Entry) -> Seen {
    let program = match Program::load(&entry.file, checked_options(), 1) {
        Ok(program) => program,
        Err(why) => return Seen { wrong: Some(why.to_string()), ending: "refused", ..Seen::default() },
    };
    let mut seen = Seen::default();
    let functions = program.reachable().unwrap_or_default();
    for &item in &functions {
        // Asking for a body certifies it: the query stops the compiler otherwise.
        let Some(body) = ownership::body(&program, item) else { continue };
        seen.functions += 1;
        match accounts::compare(&program, &body, &body) {
            Ok(lines) => seen.said += lines,
            Err(why) => seen.wrong = Some(format!("@{item}: {why}")),
        }
        for (block, index) in ownership::sites(&body) {
            match body.op(body.blocks[block].insts[index]) {
                Op::Dup => seen.dups += 1,
                Op::Drop => seen.drops += 1,
                Op::Open => seen.opens += 1,
                Op::Reuse => seen.reuses += 1,
                _ => {}
            }
        }
    }
    let limits = Limits { steps: STEPS, ..Limits::default() };
    match program.interpret(&entry.args, limits) {
        Err(why) => seen.wrong = Some(why),
        Ok(done) => match done.outcome {
            Outcome::Exit(_) => seen.ending = "returned",
            Outcome::Panicked { .. } => seen.ending = "panicked",
            Outcome::StackOverflow { .. } => seen.ending = "stack overflow",
            Outcome::LimitExceeded(_) => seen.ending = "unmeasured: too long",
            Outcome::OutputClosed => seen.ending = "output closed",
            Outcome::Broken(why) => {
                seen.ending = "broken";
                seen.wrong = Some(why);
            }
        },
    }
    seen
}

/// Kernels and their sizes, and the most `dup`s of one run.
const UNIQUE: [(&str, &str, u64); 4] = [("rbtree", "3000", 0), ("binary_trees", "8", 0), ("cfold", "8", 0), ("sort", "1 200", 0)];

/// What has one holder is changed in place.
fn unique(evidence: &mut Evidence) {
    let mut table =
        Table::new("values with one holder", &["kernel", "size", "made", "dups", "at most", "drops", "taken apart", "dups without `open`"]);
    for (kernel, size, most) in UNIQUE {
        let file = corpus::root().join(format!("fixtures/kernels/{kernel}.ori"));
        let args: Vec<String> = size.split(' ').map(str::to_owned).collect();
        let counts = |options| {
            let program = Program::load(&file, options, 1).map_err(|refusal| refusal.to_string())?;
            let done = program.interpret(&args, Limits { steps: STEPS, ..Limits::default() })?;
            if matches!(done.outcome, Outcome::Exit(0)) { Ok(done.counts) } else { Err(format!("{:?}", done.outcome)) }
        };
        let without = oric::queries::Options { passes_off: vec!["open".to_owned()], ..checked_options() };
        match (counts(checked_options()), counts(without)) {
            (Ok(with), Ok(without)) => {
                if with.dups > most {
                    evidence.fail(format!("{kernel}: {} dups, at most {most}", with.dups));
                }
                let numbers = [with.made, with.dups, most, with.drops, with.opened, without.dups].map(|count| count.to_string());
                table.row([kernel.to_owned(), size.to_owned()].into_iter().chain(numbers));
            }
            (Err(why), _) | (_, Err(why)) => evidence.fail(format!("{kernel}: {why}")),
        }
    }
    evidence.table(table);
}

fn mutation(evidence: &mut Evidence) {
    let entries = corpus::small_programs();
    let results = workers::each(&entries, |entry| {
        let mut tallies = [Tally::default(); ownership::Damage::ALL.len()];
        let mut wrong = Vec::new();
        let Some(subject) = mutants::subject(entry) else { return (tallies, wrong) };
        let mut random = Random::new(entry.name.len() as u64);
        for &item in &subject.functions {
            let Some(body) = ownership::body(&subject.program, item) else { continue };
            let sites = ownership::sites(&body);
            for site in sites.iter().step_by(sites.len().div_ceil(SITES).max(1)) {
                for (damage, tally) in ownership::Damage::ALL.into_iter().zip(&mut tallies) {
                    let Some(graph) = ownership::damaged(&body, *site, damage, &mut random) else { continue };
                    let verdict = ownership::verdict(&subject, item, graph);
                    let holds = match &verdict {
                        Verdict::Refused(_) => true,
                        Verdict::Equal => !damage.is_always_wrong(),
                        Verdict::Different(_) | Verdict::Unsound(_) | Verdict::NotExecuted | Verdict::Broken(_) => false,
                    };
                    if !holds {
                        wrong.push(format!("{} @{item} {} {}: {verdict:?}", entry.name, ownership::place(*site), damage.name()));
                    }
                    tally.add(&verdict);
                }
            }
        }
        (tallies, wrong)
    });
    let mut sums = [Tally::default(); ownership::Damage::ALL.len()];
    for (entry, result) in entries.iter().zip(results) {
        match result {
            Err(why) => evidence.fail(format!("{}: {why}", entry.name)),
            Ok((tallies, wrong)) => {
                sums.iter_mut().zip(&tallies).for_each(|(sum, tally)| sum.sum(tally));
                wrong.into_iter().for_each(|wrong| evidence.fail(wrong));
            }
        }
    }
    let mut table = Table::new("mutants", &["damage", "made", "refused", "let through, runs equal", "let through, wrong"]);
    for (damage, sum) in ownership::Damage::ALL.into_iter().zip(sums) {
        let wrong = sum.different + sum.unsound + sum.broken + if damage.is_always_wrong() { sum.equal } else { 0 };
        let cells = [sum.made, sum.refused, sum.equal, wrong].map(|n| n.to_string());
        table.row([damage.name().to_owned()].into_iter().chain(cells));
        if sum.made < 100 {
            evidence.fail(format!("only {} mutants of the kind {}", sum.made, damage.name()));
        }
    }
    evidence.table(table);
}

/// Texts that break one rule each.
const TEXTS: [(&str, &str, &str); 9] = [
    (
        "a part of another value is taken out",
        "M0310",
        "(%0: (str, int), %1: (str, int)) -> str {\nb0:\n  %2: str = field %1, 0\n  %3: str = open %0, %2\n  drop %1\n  ret %3\n}\n",
    ),
    (
        "one part is taken out twice",
        "M0311",
        "(%0: (str, int)) -> (str, str) {\nb0:\n  %1: str = field %0, 0\n  %2: str, %3: str = open %0, %1, %1\n  %4: (str, str) = aggregate %2, %3\n  ret %4\n}\n",
    ),
    (
        "room that is no cell's",
        "M0314",
        "(%0: cell<str>) -> bool {\nb0:\n  %1: cell<> = open %0, %0\n  free %1, 7\n  %2: bool = bool 1\n  ret %2\n}\n",
    ),
    ("given away twice", "M0303", "(%0: str) -> str {\nb0:\n  drop %0\n  ret %0\n}\n"),
    ("used when gone", "M0304", "(%0: str) -> int {\nb0:\n  drop %0\n  %1: int = str_len %0\n  ret %1\n}\n"),
    (
        "a part outlives the whole",
        "M0305",
        "(%0: (str, int)) -> int {\nb0:\n  %1: str = field %0, 0\n  drop %0\n  %2: int = str_len %1\n  ret %2\n}\n",
    ),
    ("a part is given away", "M0306", "(%0: (str, int)) -> str {\nb0:\n  %1: str = field %0, 0\n  drop %0\n  ret %1\n}\n"),
    (
        "held when a panic leaves",
        "M0307",
        "(%0: str, %1: int) -> int {\nb0:\n  %2: int = add %1, %1, b1 !1:1\n  drop %0\n  ret %2\nb1:\n  resume\n}\n",
    ),
    (
        "held on one way only",
        "M0308",
        "(%0: str, %1: bool) -> bool {\nb0:\n  branch %1, b1, b2\nb1:\n  drop %0\n  jump b3\nb2:\n  jump b3\nb3:\n  ret %1\n}\n",
    ),
];

/// A program that counts a list up.
const COUNTED: &str =
    "@main (args: [str]) -> void = { let more = [...args, \"x\"]; let other = args.push(\"y\"); print(msg: `{more} {other} {args}`) };\n";

/// A program that holds a cell and gives it up.
const HELD: &str = "type Chain = End | Link(next: Chain, value: int);\n\
    @sum (c: Chain) -> int = match c { End -> 0, Link(next, value) -> value + sum(c: next) };\n\
    @main () -> void = { let c = Link(next: Link(next: End, value: 2), value: 1); print(msg: `{sum(c: c)} {sum(c: c)}`) };\n";

fn negatives(evidence: &mut Evidence) {
    let mut table = Table::new("negatives", &["planted", "expected", "found"]);
    for (what, expected, function) in TEXTS {
        let found = match levels::read(&format!("ori-ir mir.owned 1\n;! class cell<str> = 3\nfn @m.f{function}")) {
            Ok(reading) => reading.faults.iter().map(|(code, _)| *code).collect::<Vec<_>>().join(" "),
            Err(error) => error.code().to_owned(),
        };
        if found != expected {
            evidence.fail(format!("planted and not refused: {what} (expected {expected}, found {found})"));
        }
        table.row([what, expected, &found]);
    }
    // A debug build of the interpreter asks the certifier first, and stops the run with its fault.
    for (what, damage, expected) in [
        ("a drop that is missing, run", ownership::Damage::Delete, "values are still held when the program ends"),
        ("a drop that comes twice, run", ownership::Damage::Duplicate, "drop of a value that has been freed"),
    ] {
        let found = ghost(damage);
        if !found.as_ref().is_ok_and(|found| cfg!(debug_assertions) || found.contains(expected)) {
            evidence.fail(format!("planted and not found: {what} (found {found:?})"));
        }
        table.row([what, expected, found.as_deref().unwrap_or_else(|found| found)]);
    }
    let found = other_account().map_or_else(|why| why, |said| format!("let through: {said:?}"));
    if !found.starts_with("dup of `dup`: ") {
        evidence.fail(format!("an account of another body is not noticed: {found}"));
    }
    table.row(["the account of a body without its `dup`", "dup of `dup`", &found]);
    evidence.table(table);
}

/// What is said of the account of a body whose first `dup` is gone, beside the dump of the body as it was.
fn other_account() -> Result<usize, String> {
    let program = Program::of_text(COUNTED, checked_options()).map_err(|why| why.to_string())?;
    let body = ownership::body(&program, program.main).ok_or("no body")?;
    let is_dup = |&(block, index): &(ir::ssa::Block, usize)| body.op(body.blocks[block].insts[index]) == Op::Dup;
    let site = ownership::sites(&body).into_iter().find(is_dup).ok_or("nothing is counted up")?;
    let graph: ir::ssa::Graph<Mir> =
        ownership::damaged(&body, site, ownership::Damage::Delete, &mut Random::new(1)).ok_or("nothing to damage")?;
    accounts::compare(&program, &mir::Body::new(graph), &body)
}

/// What ghost counts say of a body whose first drop is damaged.
fn ghost(damage: ownership::Damage) -> Result<String, String> {
    let program = Program::of_text(HELD, checked_options()).map_err(|why| why.to_string())?;
    let main = program.main;
    let body = ownership::body(&program, main).ok_or("no body")?;
    let is_drop = |&(block, index): &(ir::ssa::Block, usize)| body.op(body.blocks[block].insts[index]) == Op::Drop;
    let site = ownership::sites(&body).into_iter().find(is_drop).ok_or("nothing is dropped")?;
    let graph: ir::ssa::Graph<Mir> = ownership::damaged(&body, site, damage, &mut Random::new(1)).ok_or("nothing to damage")?;
    let world = oric::queries::World::new(&program.session.engine);
    let mutant = Mutant::Owned(std::sync::Arc::new(mir::Body::new(graph)));
    let cx = Exchanged { world: &world, item: main, mutant };
    match program.interpret_in(&cx, &[], Limits { steps: STEPS, ..Limits::default() })?.outcome {
        Outcome::Broken(why) => Ok(why),
        outcome => Err(format!("{outcome:?}")),
    }
}
