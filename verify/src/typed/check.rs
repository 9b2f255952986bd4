//! Generated programs are accepted, engines agree on them, a mistake in one is refused, and after random edits a build is what a build from nothing gives.

use std::collections::BTreeMap;

use super::Program;
use crate::evidence::{Evidence, Table};
use crate::fuzz::cases::{self, Target};
use crate::gates::query::scene::{self, Scene, Tree, Way};
use crate::random::Random;
use crate::workers;

/// What became of one program.
#[derive(Default)]
struct Found {
    compared: bool,
    /// Was its mistaken sibling refused?
    refused: bool,
    lines: usize,
    wrong: Option<String>,
}

fn judge(seed: u64) -> Found {
    let source = Program::new(seed).source();
    let done = cases::case(Target::Typed, source.as_bytes(), seed);
    let wrong = match (done.wrong, done.accepted) {
        (Some(wrong), _) => Some(wrong),
        (None, false) => Some(format!("refused with {}", done.codes.into_iter().collect::<Vec<_>>().join(" "))),
        (None, true) => None,
    };
    let mistaken = cases::mistaken(seed);
    let refused = mistaken.as_deref().map(|source| cases::case(Target::Mistaken, source.as_bytes(), seed));
    let wrong = wrong.or_else(|| refused.as_ref()?.wrong.as_ref().map(|wrong| format!("with a mistake in it: {wrong}")));
    Found { compared: done.compared, refused: refused.is_some_and(|done| !done.accepted), lines: source.lines().count(), wrong }
}

/// One script of edits: names of the edits, and what was wrong.
fn script(seed: u64, edits: usize) -> Result<(BTreeMap<&'static str, usize>, Vec<String>), String> {
    let mut random = Random::new(seed);
    let mut program = Program::new(seed);
    let tree = |program: &Program| -> Tree {
        let files = program.modules().into_iter().map(|(path, text)| (format!("src/{path}"), text));
        files.chain([("ori.toml".to_owned(), "[project]\nname = \"typed\"\n".to_owned())]).collect()
    };
    let mut scene = Scene::new("typed", &tree(&program))?;
    let mut names = BTreeMap::new();
    let mut wrong = Vec::new();
    for step in 0..=edits {
        let name = if step == 0 { "cold" } else { program.edit(&mut random) };
        scene.become_tree(&tree(&program))?;
        let clean = scene.clean(1)?;
        let built = scene.build(Way { workers: 1, doubt: true, graph: true })?;
        *names.entry(name).or_default() += 1;
        let mut found = scene::differences(&built, &clean);
        found.extend(built.doubts.first().map(|node| format!("{node} gave another answer when doubted")));
        if clean.image.is_none() {
            found.push("there is no executable".to_owned());
        }
        wrong.extend(found.into_iter().map(|what| format!("typed program {seed}, edit {step} ({name}): {what}")));
    }
    Ok((names, wrong))
}

/// The gate `typed-programs-check`: its negatives are the programs with a mistake, each of which must be refused.
pub fn gate() -> bool {
    let mut evidence = Evidence::new("typed-programs-check");
    run(&mut evidence, 200, 6, 10);
    evidence.close()
}

/// Runs so many programs, and scripts of so many edits.
pub fn run(evidence: &mut Evidence, programs: usize, scripts: usize, edits: usize) {
    let seeds: Vec<u64> = (1..=programs as u64).collect();
    let (mut compared, mut refused, mut lines) = (0, 0, 0);
    for (seed, found) in seeds.iter().zip(workers::each(&seeds, |&seed| judge(seed))) {
        match found {
            Ok(found) => {
                compared += usize::from(found.compared);
                refused += usize::from(found.refused);
                lines += found.lines;
                if let Some(wrong) = found.wrong {
                    evidence.fail(format!("typed program {seed} (verify generate --typed {seed}): {wrong}"));
                }
            }
            Err(why) => evidence.fail(format!("typed program {seed}: {why}")),
        }
    }
    let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
    let seeds: Vec<u64> = (1..=scripts as u64).collect();
    for (seed, found) in seeds.iter().zip(workers::each(&seeds, |&seed| script(seed, edits))) {
        match found.and_then(|found| found) {
            Ok((names, wrong)) => {
                names.into_iter().for_each(|(name, count)| *kinds.entry(name).or_default() += count);
                wrong.into_iter().for_each(|wrong| evidence.fail(wrong));
            }
            Err(why) => evidence.fail(format!("typed program {seed}: {why}")),
        }
    }
    let mut table = Table::new("typed programs", &["what", "count"]);
    let mut row = |what: &str, count: usize| table.row([what.to_owned(), count.to_string()]);
    row("programs from types", programs);
    row("their lines", lines);
    row("run natively and interpreted, with passes on, off or cut", compared);
    row("the same with an expression of a wrong type, refused", refused);
    row("edits, each compared with a clean build", kinds.values().sum::<usize>() - kinds.get("cold").copied().unwrap_or(0));
    row("kinds of edits", kinds.len().saturating_sub(1));
    evidence.table(table);
    // A few end in a panic of the stack or have no place for the mistake; most must count.
    if compared * 10 < programs * 9 || refused * 10 < programs * 8 {
        evidence.fail(format!("typed programs: of {programs}, {compared} were compared and {refused} refused for a mistake"));
    }
}
