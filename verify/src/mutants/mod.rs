//! Damage to bodies that the compiler made: how good the verifiers are is how many mutants they refuse.
//!
//! A mutant is refused by the verifier of its level (for `machine.alloc` also by the allocation checker, which is given the untouched `select` form), or
//! it is run: it counts as *equal* only when what was changed was executed and the program still does the same.
//!
//! Not every mutant is wrong. One that puts a value of the right type where another stood, or another number for a number, is a legal program that means
//! something else: no verifier of one body can refuse it, because nothing in the body says what was meant. Kinds of mutation that do nothing but that are
//! listed apart as *meaning* kinds and do not enter the rate; the kinds that break a rule of the level are the *rule* kinds. `machine.alloc` has no meaning
//! kinds: there the checker knows what was meant. An instruction whose result nobody uses may go or move, so deleting or moving one is a kind of its own
//! (`effect-delete`, `effect-move`), with meaning. So is an op of LIR that becomes one of another row, which takes the same all the same.
//!
//! The rate is refused / (made - not executed) over the rule kinds. What runs different, counts against it like what runs equal. A survivor that does what
//! no legal program does (it leaves its memory, reads what is not there) is *unsound*. MIR and `machine.alloc` must have none of any kind; LIR does not say
//! what is in memory, so a store that goes, or stores something else, is found by running alone.
//!
//! | room        | holds                                            |
//! |-------------|--------------------------------------------------|
//! | [`graph`]   | MIR and LIR                                      |
//! | [`machine`] | the three phases of MachineIR                    |
//! | [`ownership`] | one `dup` or `drop` of MIR                     |
//! | [`exchanged`] | a program with a mutant in the place of a body |

pub mod exchanged;
pub mod graph;
pub mod machine;
pub mod ownership;

use std::collections::BTreeMap;

use crate::child::Ending;
use crate::corpus;
use crate::evidence::{Evidence, Table};
use crate::program::{Program, bounded, checked_options};
use crate::random::Random;
use crate::workers;

/// What became of a mutant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A verifier refused it with this code.
    Refused(&'static str),
    /// It ran, what was changed was executed, and nothing differs.
    Equal,
    /// It ran, and something differs: the program is another one, and legal as far as can be seen.
    Different(String),
    /// It ran and did what no legal program does: it left its memory, or the interpreter could not go on.
    Unsound(String),
    /// It ran, and what was changed was not executed.
    NotExecuted,
    /// The compiler broke down over it.
    Broken(String),
}

/// Mutants of one kind.
#[derive(Clone, Copy, Default, Debug)]
pub struct Tally {
    /// Made.
    pub made: usize,
    /// Refused.
    pub refused: usize,
    /// Ran equal.
    pub equal: usize,
    /// Ran different.
    pub different: usize,
    /// Did what no legal program does.
    pub unsound: usize,
    /// Not executed.
    pub idle: usize,
    /// Broke the compiler.
    pub broken: usize,
}

impl Tally {
    /// One more.
    pub fn add(&mut self, verdict: &Verdict) {
        self.made += 1;
        match verdict {
            Verdict::Refused(_) => self.refused += 1,
            Verdict::Equal => self.equal += 1,
            Verdict::Different(_) => self.different += 1,
            Verdict::Unsound(_) => self.unsound += 1,
            Verdict::NotExecuted => self.idle += 1,
            Verdict::Broken(_) => self.broken += 1,
        }
    }

    /// All of another.
    pub fn sum(&mut self, more: &Tally) {
        self.made += more.made;
        self.refused += more.refused;
        self.equal += more.equal;
        self.different += more.different;
        self.unsound += more.unsound;
        self.idle += more.idle;
        self.broken += more.broken;
    }

    /// Refused of all that were refused or executed.
    pub fn rate(&self) -> f64 {
        let judged = self.made - self.idle;
        if judged == 0 { 0.0 } else { self.refused as f64 / judged as f64 }
    }
}

/// Where mutants are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// `mir.mono`
    Mir,
    /// `lir.legal`
    Lir,
    /// `machine.select`
    Select,
    /// `machine.alloc`, with the checker.
    Alloc,
    /// `machine.final`, with its bytes.
    Final,
}

impl Target {
    /// The targets of a level on the command line.
    pub fn of_level(level: &str) -> Option<&'static [Target]> {
        match level {
            "mir" => Some(&[Target::Mir]),
            "lir" => Some(&[Target::Lir]),
            "machine" => Some(&[Target::Alloc, Target::Select, Target::Final]),
            "select" => Some(&[Target::Select]),
            "alloc" => Some(&[Target::Alloc]),
            "final" => Some(&[Target::Final]),
            "all" => Some(&[Target::Mir, Target::Lir, Target::Alloc, Target::Select, Target::Final]),
            _ => None,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Target::Mir => "mir.mono",
            Target::Lir => "lir.legal",
            Target::Select => "machine.select",
            Target::Alloc => "machine.alloc",
            Target::Final => "machine.final",
        }
    }

    /// Kinds that make legal programs with another meaning.
    const fn meaning_kinds(self) -> &'static [&'static str] {
        match self {
            Target::Mir | Target::Lir => graph::MEANING,
            Target::Alloc => &[],
            Target::Select => machine::MEANING_SELECT,
            Target::Final => machine::MEANING_FINAL,
        }
    }

    /// Is this a kind that breaks a rule?
    pub fn is_rule(self, kind: &str) -> bool {
        !self.meaning_kinds().contains(&kind)
    }
}

/// A program that mutants are made of, and what it does.
pub struct Subject {
    /// Name for reports.
    pub name: String,
    /// The program.
    pub program: Program,
    /// Functions that run.
    pub functions: Vec<ir::ItemId>,
    /// Arguments.
    pub args: Vec<String>,
    /// What the untouched program does.
    pub expected: Ending,
}

/// Steps that a subject may take, and those that its mutants may take.
const SUBJECT_STEPS: u64 = 1_000_000;
/// A mutant that takes more does not end.
pub const MUTANT_STEPS: u64 = 4_000_000;

/// What became of the mutants of one target.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By kind.
    pub kinds: BTreeMap<&'static str, Tally>,
    /// A few of those that ran different or broke the compiler: kind, program and function, what happened.
    pub samples: Vec<(&'static str, String, String)>,
}

impl Report {
    fn take(&mut self, kind: &'static str, at: String, verdict: Verdict) {
        self.kinds.entry(kind).or_default().add(&verdict);
        match verdict {
            Verdict::Different(what) => self.samples.push((kind, at, format!("different: {what}"))),
            Verdict::Unsound(what) => self.samples.push((kind, at, format!("UNSOUND: {what}"))),
            Verdict::Broken(what) => self.samples.push((kind, at, format!("BROKE THE COMPILER: {what}"))),
            Verdict::Refused(_) | Verdict::Equal | Verdict::NotExecuted => {}
        }
    }

    fn merge(&mut self, more: Report) {
        for (kind, tally) in &more.kinds {
            self.kinds.entry(kind).or_default().sum(tally);
        }
        self.samples.extend(more.samples);
    }

    /// Sum over the kinds that `accept` likes.
    pub fn sum(&self, accept: impl Fn(&str) -> bool) -> Tally {
        let mut sum = Tally::default();
        self.kinds.iter().filter(|(kind, _)| accept(kind)).for_each(|(_, tally)| sum.sum(tally));
        sum
    }
}

/// Makes about `count` mutants of a target and finds out what becomes of them.
pub fn measure(target: Target, count: usize, seed: u64) -> Report {
    let programs = corpus::small_programs();
    let share = count.div_ceil(programs.len().max(1));
    let numbered: Vec<(usize, &corpus::Entry)> = programs.iter().enumerate().collect();
    let reports = workers::each(&numbered, |(at, entry)| {
        let mut report = Report::default();
        let Some(subject) = subject(entry) else { return report };
        let seed = Random::new(Random::new(seed).next().wrapping_add(*at as u64)).next() >> 16;
        // A kind that does not apply to a function makes no mutant, so more are tried.
        let mut made = 0;
        for number in 0..share * 6 {
            if made == share {
                break;
            }
            let mutant = match target {
                Target::Mir => graph::mir(&subject, seed + number as u64),
                Target::Lir => graph::lir(&subject, seed + number as u64),
                Target::Select | Target::Alloc | Target::Final => machine::one(&subject, target, seed + number as u64),
            };
            if let Some((kind, place, verdict)) = mutant {
                made += 1;
                report.take(kind, format!("{} {place} seed {}", subject.name, seed + number as u64), verdict);
            }
        }
        report
    });
    let mut all = Report::default();
    for report in reports.into_iter().flatten() {
        all.merge(report);
    }
    all
}

/// A program that ends soon and the same everywhere.
pub fn subject(entry: &corpus::Entry) -> Option<Subject> {
    let program = Program::load(&entry.file, checked_options(), 1).ok()?;
    let run = program.interpret(&entry.args, bounded(SUBJECT_STEPS)).ok()?;
    use mir::interp::Outcome;
    match run.outcome {
        Outcome::Exit(_) | Outcome::Panicked { .. } => {}
        Outcome::StackOverflow { .. } | Outcome::LimitExceeded(_) | Outcome::OutputClosed | Outcome::Broken(_) => return None,
    }
    let functions = program.reachable().ok()?;
    Some(Subject { name: entry.name.clone(), program, functions, args: entry.args.clone(), expected: run.ending })
}

/// At least so much of the rule kinds must be refused.
pub const THRESHOLD: f64 = 0.95;

/// Measures the targets and writes what was found; the names of targets below the threshold go to the failures.
pub fn report(evidence: &mut Evidence, targets: &[Target], count: usize, seed: u64) {
    let mut summary = Table::new(
        "mutants",
        &["target", "kinds", "made", "refused", "equal", "different", "unsound", "not executed", "broke compiler", "refused of judged"],
    );
    let mut details = Table::new(
        "mutant-kinds",
        &["target", "kind", "class", "made", "refused", "equal", "different", "unsound", "not executed", "broke compiler"],
    );
    let mut samples = Table::new("mutant-survivors", &["target", "kind", "class", "where", "what"]);
    for &target in targets {
        let report = measure(target, count, seed);
        for (name, is_rule) in [("rule", true), ("meaning (not judged)", false)] {
            let sum = report.sum(|kind| target.is_rule(kind) == is_rule);
            if sum.made == 0 && !is_rule {
                continue;
            }
            let rate = format!("{:.2} %", 100.0 * sum.rate());
            let mut cells = vec![target.name().to_owned(), name.to_owned()];
            cells.extend([sum.made, sum.refused, sum.equal, sum.different, sum.unsound, sum.idle, sum.broken].map(|n| n.to_string()));
            cells.push(rate);
            summary.row(cells);
            if is_rule && sum.rate() < THRESHOLD {
                evidence.fail(format!("{}: {:.2} % of the rule mutants are refused, 95 % are demanded", target.name(), 100.0 * sum.rate()));
            }
            // MIR has no operation that could go wrong unseen, and the allocation checker knows what was meant.
            let is_proof = target == Target::Mir || target == Target::Alloc;
            if sum.unsound > 0 && is_proof {
                evidence.fail(format!(
                    "{}: {} mutants ({name}) are let through and do what no legal program does",
                    target.name(),
                    sum.unsound
                ));
            }
            if is_rule && target == Target::Alloc && sum.different > 0 {
                evidence.fail(format!("{}: {} mutants are let through and run different", target.name(), sum.different));
            }
            if sum.broken > 0 {
                evidence.fail(format!("{}: {} {name} mutants break the compiler", target.name(), sum.broken));
            }
        }
        for (kind, tally) in &report.kinds {
            let class = if target.is_rule(kind) { "rule" } else { "meaning" };
            let mut cells = vec![target.name().to_owned(), (*kind).to_owned(), class.to_owned()];
            cells.extend(
                [tally.made, tally.refused, tally.equal, tally.different, tally.unsound, tally.idle, tally.broken].map(|n| n.to_string()),
            );
            details.row(cells);
        }
        for (kind, place, what) in report.samples.iter().filter(|(kind, _, what)| target.is_rule(kind) || !what.starts_with("different")) {
            samples.row([target.name(), kind, if target.is_rule(kind) { "rule" } else { "meaning" }, place, what]);
        }
    }
    evidence.table(summary);
    evidence.quiet_table(details);
    evidence.quiet_table(samples);
}
