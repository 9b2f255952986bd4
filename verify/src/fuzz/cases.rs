//! The targets: what a case does, and which rules it reached.

use std::collections::BTreeSet;
use std::time::Duration;

use mir::interp::{Limits, Outcome};
use oric::queries::Options;

use super::damage::damage;
use super::generate;
use crate::child;
use crate::corpus;
use crate::levels::{self, STAGES};
use crate::program::{LIMIT, Program, Refusal, checked_options, guarded, passes, run};
use crate::random::Random;
use crate::typed;

/// What is fuzzed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// The parser, with damaged sources.
    Parser,
    /// A reader of IR text and its verifier, with damaged dumps of one stage.
    Ir(usize),
    /// The whole pipe with damaged programs.
    Damaged,
    /// The whole pipe with generated programs.
    Generated,
    /// The whole pipe with programs that are generated from types.
    Typed,
    /// The same with an expression of a wrong type.
    Mistaken,
}

impl Target {
    /// All targets.
    pub fn all() -> Vec<Target> {
        let mut all = vec![Target::Parser, Target::Damaged, Target::Generated, Target::Typed, Target::Mistaken];
        all.extend((0..STAGES.len()).map(Target::Ir));
        all
    }

    /// Name in reports and on the command line.
    pub fn name(self) -> String {
        match self {
            Target::Parser => "parser".to_owned(),
            Target::Ir(stage) => STAGES[stage].to_string(),
            Target::Damaged => "pipe-damaged".to_owned(),
            Target::Generated => "pipe-generated".to_owned(),
            Target::Typed => "pipe-typed".to_owned(),
            Target::Mistaken => "pipe-mistaken".to_owned(),
        }
    }

    /// The target of this name.
    pub fn of_name(name: &str) -> Option<Target> {
        Target::all().into_iter().find(|target| target.name() == name)
    }

    /// How many of the cases of a round belong to it: cheap ones are run more often.
    pub const fn weight(self) -> usize {
        match self {
            Target::Parser => 60,
            Target::Ir(_) => 12,
            Target::Damaged => 10,
            Target::Generated | Target::Typed | Target::Mistaken => 4,
        }
    }
}

/// What a case came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcomes {
    /// Codes of diagnostics and faults.
    pub codes: BTreeSet<String>,
    /// The input was accepted.
    pub accepted: bool,
    /// A native run was compared with the interpreter.
    pub compared: bool,
    /// What must not be: a panic, a difference.
    pub wrong: Option<String>,
}

/// What cases are made of.
pub struct Corpus {
    sources: Vec<String>,
    dumps: Vec<Vec<String>>,
}

/// Small enough that a case is quick.
const LARGEST: usize = 5000;

impl Corpus {
    /// Reads the sources and dumps a sample of them at every stage.
    pub fn load() -> Corpus {
        let read = |entry: &corpus::Entry| std::fs::read_to_string(&entry.file).ok().filter(|text| text.len() <= LARGEST);
        let sources: Vec<String> = corpus::small_programs().iter().filter_map(read).collect();
        let mut dumps = vec![Vec::new(); STAGES.len()];
        for source in sources.iter().step_by(4) {
            let Ok(program) = Program::of_text(source, checked_options()) else { continue };
            for (at, &stage) in STAGES.iter().enumerate() {
                if let Ok(text) = levels::text(&program, stage)
                    && text.len() <= 4 * LARGEST
                {
                    dumps[at].push(text);
                }
            }
        }
        let fixtures = corpus::files_below(&corpus::root().join("fixtures"), "ir");
        for text in fixtures.iter().filter_map(|file| std::fs::read_to_string(file).ok()) {
            let stage = STAGES.iter().position(|stage| text.contains(&format!("ori-ir {stage} ")));
            if let Some(at) = stage {
                dumps[at].push(text);
            }
        }
        Corpus { sources, dumps }
    }

    /// The input of a case.
    pub fn input(&self, target: Target, seed: u64) -> Vec<u8> {
        let mut random = Random::new(seed);
        let empty = String::new();
        match target {
            Target::Parser | Target::Damaged => {
                let text = random.pick(&self.sources).unwrap_or(&empty);
                let other = random.pick(&self.sources).unwrap_or(&empty);
                // A program should often survive the damage, so the pipe gets the smallest.
                if target == Target::Damaged && random.one_in(3) {
                    let text = generate::program(seed);
                    return damage(&text, other, &mut random);
                }
                damage(text, other, &mut random)
            }
            Target::Ir(stage) => {
                let text = random.pick(&self.dumps[stage]).unwrap_or(&empty);
                let other = random.pick(&self.dumps[stage]).unwrap_or(&empty);
                damage(text, other, &mut random)
            }
            Target::Generated => generate::program(seed).into_bytes(),
            Target::Typed => typed::Program::new(seed).source().into_bytes(),
            Target::Mistaken => mistaken(seed).unwrap_or_default().into_bytes(),
        }
    }
}

/// A program from types with an expression of a wrong type in one of its functions; `None` where that function has no place for one.
pub fn mistaken(seed: u64) -> Option<String> {
    let program = typed::Program::new(seed);
    let source = program.mistaken(&mut Random::new(seed)).source();
    (source != program.source()).then_some(source)
}

/// Runs a case.
pub fn case(target: Target, input: &[u8], seed: u64) -> Outcomes {
    let done = match target {
        Target::Parser => guarded(|| parser(input)),
        Target::Ir(_) => guarded(|| reader(input)),
        Target::Damaged | Target::Generated | Target::Typed => guarded(|| pipe(input, seed)),
        Target::Mistaken => guarded(|| refused(input, seed)),
    };
    done.unwrap_or_else(|panic| Outcomes { wrong: Some(panic), ..Outcomes::default() })
}

fn parser(input: &[u8]) -> Outcomes {
    let (_, file) = syntax::parser::parse_bytes(ir::Symbol::new("main"), input);
    let codes: BTreeSet<String> = file.diagnostics.iter().map(|d| d.code.as_str().to_owned()).collect();
    Outcomes { accepted: codes.is_empty(), codes, ..Outcomes::default() }
}

fn reader(input: &[u8]) -> Outcomes {
    let mut outcomes = Outcomes::default();
    // Readers take text; what is none never comes to them.
    let text = String::from_utf8_lossy(input);
    match levels::read(&text) {
        Err(error) => {
            outcomes.codes.insert(error.code().to_owned());
        }
        Ok(reading) => {
            outcomes.accepted = reading.faults.is_empty();
            outcomes.codes.extend(reading.faults.into_iter().map(|(code, _)| code.to_owned()));
            // What was read prints as something that reads to the same.
            if outcomes.accepted {
                match levels::read(&reading.canonical) {
                    Err(error) => outcomes.wrong = Some(format!("the canonical text does not read: {error}")),
                    Ok(again) if again.canonical != reading.canonical => {
                        let difference = crate::gates::views::first_difference(&reading.canonical, &again.canonical);
                        outcomes.wrong = Some(format!("printing is no fixed point: {difference}"));
                    }
                    Ok(_) => {}
                }
            }
        }
    }
    outcomes
}

/// Limits of the interpreter in a case.
const STEPS: Limits = Limits { steps: 3_000_000, depth: 100_000, bytes: 64 << 20, stack: 4 << 20, panic_at: 0 };
/// Limits of the native program.
const NATIVE: child::Limits = child::Limits { time: Duration::from_secs(10), memory: 1 << 30, output: 64 << 20 };

fn pipe(input: &[u8], seed: u64) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let program = match Program::of_bytes(input, options_of(seed)) {
        Ok(program) => program,
        Err(Refusal::Diagnosed(codes)) => {
            outcomes.codes.extend(codes.into_iter().map(str::to_owned));
            return outcomes;
        }
        Err(Refusal::Broken(why)) => {
            outcomes.wrong = Some(why);
            return outcomes;
        }
    };
    outcomes.accepted = true;
    if let Err(why) = compare(&program, &mut outcomes) {
        outcomes.wrong = Some(why);
    }
    outcomes
}

/// A program that must be refused.
fn refused(input: &[u8], seed: u64) -> Outcomes {
    let mut outcomes = Outcomes::default();
    match Program::of_bytes(input, options_of(seed)) {
        Ok(_) => {
            outcomes.accepted = true;
            outcomes.wrong = Some("accepted".to_owned());
        }
        Err(Refusal::Diagnosed(codes)) => outcomes.codes.extend(codes.into_iter().map(str::to_owned)),
        Err(Refusal::Broken(why)) => outcomes.wrong = Some(why),
    }
    outcomes
}

fn compare(program: &Program, outcomes: &mut Outcomes) -> Result<(), String> {
    let args: [String; 0] = [];
    let image = match program.image() {
        Err(why) if why.starts_with(LIMIT) => return Ok(()),
        image => image?,
    };
    let reference = program.interpret(&args, STEPS)?;
    match &reference.outcome {
        Outcome::Exit(_) | Outcome::Panicked { .. } => {}
        Outcome::Broken(why) => return Err(format!("the interpreter is broken by {why}")),
        // Exhaustion is outside of what engines share.
        Outcome::StackOverflow { .. } | Outcome::LimitExceeded(_) | Outcome::OutputClosed => return Ok(()),
    }
    let native = run(&image, &args, NATIVE)?;
    outcomes.compared = true;
    if native == reference.ending {
        return Ok(());
    }
    Err(format!("native and interpreter differ: interpreter {}; native {}", reference.ending.line(), native.line()))
}

/// The options of a case: one in four without passes, some cut, the rest with everything.
pub fn options_of(seed: u64) -> Options {
    let mut options = checked_options();
    match seed % 8 {
        0 | 1 => options.passes_off = passes(),
        2 => options.fuel = seed / 8 % 40,
        _ => {}
    }
    options
}
