//! `typed-ssa-pipeline-check`: every function of every program, at every level and phase.
//!
//! It prints, reads back, prints the same and verifies; its TSV and JSON have its rows; nothing of another level is in it. A fault planted at each
//! boundary of a program that was compiled by this very run is refused with its code.

use crate::corpus::{self, Entry};
use crate::evidence::{Evidence, Table};
use crate::gates::{plant, views};
use crate::levels::{self, STAGES};
use crate::program::{Program, checked_options};
use crate::workers;

const NAME: &str = "typed-ssa-pipeline-check";
const PROJECT_LINES: u32 = 10_000;

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    let mut programs = corpus::programs();
    if programs.is_empty() {
        evidence.fail("there are no programs: fixtures/ is missing");
    }
    let project = corpus::project("ori", PROJECT_LINES).and_then(|folder| corpus::project_main(&folder));
    let project_state = match project {
        Some(file) => {
            // First, because it takes longest.
            programs.insert(0, Entry { name: "generated project".into(), file, args: Vec::new() });
            "measured"
        }
        None => "unmeasured: ../shared/bench/gen_project.py is not here",
    };
    let numbered: Vec<(usize, &Entry)> = programs.iter().enumerate().collect();
    let results = workers::each(&numbered, judge);
    let mut totals = [views::Counts::default(); STAGES.len()];
    let mut failures = [0usize; STAGES.len()];
    for (entry, result) in programs.iter().zip(results) {
        match result {
            Err(why) => evidence.fail(format!("{}: {why}", entry.name)),
            Ok(Err(why)) => evidence.fail(format!("{}: {why}", entry.name)),
            Ok(Ok(stages)) => {
                for (at, (counts, wrong)) in stages.into_iter().enumerate() {
                    totals[at].add(counts);
                    failures[at] += wrong.len();
                    for what in wrong {
                        evidence.fail(format!("{} {}: {what}", entry.name, STAGES[at]));
                    }
                }
            }
        }
    }
    let mut table = Table::new("levels", &["level", "programs", "functions", "instructions", "text bytes", "TSV and JSON of", "failures"]);
    for (at, stage) in STAGES.iter().enumerate() {
        let t = totals[at];
        table.row([
            stage.to_string(),
            t.dumps.to_string(),
            t.functions.to_string(),
            t.instructions.to_string(),
            t.bytes.to_string(),
            t.views.to_string(),
            failures[at].to_string(),
        ]);
        if t.functions == 0 || t.views == 0 {
            evidence.fail(format!("no function was seen at {stage}"));
        }
    }
    evidence.table(table);
    let mut table = Table::new("inputs", &["input", "count", "state"]);
    table.row(["programs".to_owned(), programs.len().to_string(), "measured".to_owned()]);
    table.row(["generated project".to_owned(), PROJECT_LINES.to_string(), project_state.to_owned()]);
    evidence.table(table);
    plants(&mut evidence);
    evidence.close()
}

/// Counts and complaints of each stage.
type Stages = Vec<(views::Counts, Vec<String>)>;

/// The views are looked at in a third of the stages of each program, in turns: they are made from the text alone, and reading JSON takes longer than all else.
const VIEWS: usize = 3;

fn judge(&(number, entry): &(usize, &Entry)) -> Result<Stages, String> {
    let program = Program::load(&entry.file, checked_options(), 1).map_err(|refusal| refusal.to_string())?;
    let judged = STAGES.iter().enumerate().map(|(at, &stage)| {
        let with_views = (number + at).is_multiple_of(VIEWS);
        Ok::<_, String>(views::judge(stage, &levels::text(&program, stage)?, with_views))
    });
    judged.collect()
}

/// The negatives: what must be refused.
fn plants(evidence: &mut Evidence) {
    let mut table = Table::new("negatives", &["planted", "expected", "found"]);
    for plant in plant::all() {
        let found = plant.found.join(" ");
        if !plant.is_refused() {
            evidence.fail(format!("planted and not refused: {} (expected {}, found {found})", plant.what, plant.expected));
        }
        table.row([plant.what, plant.expected, &found]);
    }
    evidence.table(table);
}
