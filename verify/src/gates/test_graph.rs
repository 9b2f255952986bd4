//! `test-graph-check`: after every edit exactly those tests run that can notice it, and all verdicts and outputs are those of a run from nothing.
//!
//! Packages know their own call graph ([`package`]); from it an oracle computes which tests an edit reaches. The compiler runs as a user starts it, one
//! process for each edit, beside one that has no store. The judge is shown what it must refuse: a test that should have run and did not, one that ran for
//! nothing, a verdict and an output of before. `make planted` runs the gate with an edge lost in the engine.

pub mod package;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::child::{self, Limits};
use crate::evidence::{Evidence, Table};
use crate::gates::query::faults;
use crate::gates::query::scene::Scene;
use crate::random::Random;
use package::{Affected, Package};

const NAME: &str = "test-graph-check";

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Modules of a package.
    pub modules: usize,
    /// Functions of a module, each with a test.
    pub width: usize,
    /// Edits of a package.
    pub edits: usize,
    /// Packages.
    pub packages: u64,
}

/// The gate's own size.
const USUAL: Size = Size { modules: 10, width: 20, edits: 30, packages: 2 };
/// What the issue asks for.
pub const FULL: Size = Size { modules: 50, width: 20, edits: 500, packages: 1 };

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    check(&mut evidence, USUAL, 1);
    at_once(&mut evidence);
    negatives(&mut evidence);
    evidence.close()
}

/// Edits packages and compares.
pub fn check(evidence: &mut Evidence, size: Size, seed: u64) {
    let mut table = Table::new("edits", &["edit", "count", "tests", "affected", "ran"]);
    let mut rows: BTreeMap<&'static str, [usize; 4]> = BTreeMap::new();
    let mut again = 0;
    for seed in seed..seed + size.packages {
        match script(size, seed, &mut rows) {
            Ok((failures, reverted)) => {
                failures.into_iter().for_each(|failure| evidence.fail(failure));
                again += reverted;
            }
            Err(why) => evidence.fail(format!("package {seed}: {why}")),
        }
    }
    for (name, counts) in &rows {
        table.row([(*name).to_owned()].into_iter().chain(counts.map(|count| count.to_string())));
    }
    let ran: usize = rows.values().map(|[.., ran]| ran).sum();
    let edits: usize = rows.values().map(|[edits, ..]| edits).sum();
    if edits < size.edits * size.packages as usize || ran == 0 {
        evidence.fail(format!("{edits} edits made {ran} tests run: that is not what was to be looked at"));
    }
    if again == 0 {
        evidence.fail("no edit was taken back");
    }
    evidence.table(table);
}

/// How often parts of a package are tested at once, each time from nothing.
const ROUNDS: usize = 4;
/// Tests of each part: many, so that the runs overlap.
const OF_A_PART: usize = 60;

/// `oric test` of two parts of one package at once: all tests of one pass, those of the other fail, and that is what is remembered.
fn at_once(evidence: &mut Evidence) {
    let mut table = Table::new("at once", &["round", "part", "passed", "failed"]);
    let parts = [("src/good.ori", 0, OF_A_PART), ("src/sub/bad.ori", OF_A_PART, 0)];
    for round in 1..=ROUNDS {
        let seen = parts_at_once(&parts.map(|(file, ..)| file));
        match seen {
            Ok(seen) => {
                for ((part, failed, passed), tests) in parts.iter().cycle().zip(seen) {
                    let count = |result: &str| tests.values().filter(|seen| seen.result == result).count();
                    if (count("pass"), count("fail")) != (*passed, *failed) {
                        evidence.fail(format!("round {round}, {part}: {} pass and {} fail", count("pass"), count("fail")));
                    }
                    table.row([round.to_string(), (*part).to_owned(), count("pass").to_string(), count("fail").to_string()]);
                }
            }
            Err(why) => evidence.fail(format!("round {round}: {why}")),
        }
    }
    evidence.table(table);
}

/// Tests these files of a package at once, then checks them one after the other.
fn parts_at_once(files: &[&str; 2]) -> Result<Vec<Tests>, String> {
    let tests_of = |import: &str, name: &str| {
        let tests = (0..OF_A_PART).map(|number| {
            format!("@test_{name}{number} tests @{name} () -> void = assert_eq(actual: {name}() + {number}, expected: {number} + 1);\n")
        });
        format!("use \"{import}\" {{ {name} }};\n{}", tests.collect::<String>())
    };
    let tree = [
        ("ori.toml", "[project]\nname = \"parts\"\n".to_owned()),
        ("src/main.ori", "@main () -> void = ();\n".to_owned()),
        ("src/good.ori", "pub @good () -> int = 1;\n".to_owned()),
        ("src/_test/good.test.ori", tests_of("../good", "good")),
        ("src/sub/bad.ori", "pub @bad () -> int = 2;\n".to_owned()),
        ("src/sub/_test/bad.test.ori", tests_of("../bad", "bad")),
    ];
    let scene = Scene::new("parts", &tree.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())?;
    let run = |verb: &'static str, file: &str| -> Result<Tests, String> {
        let mut command = Command::new(faults::compiler(&scene)?);
        command.args([verb, file, "--message-format=json"]).current_dir(&scene.package).env_clear();
        told(&child::run(&mut command, limits()).map_err(|error| error.to_string())?)
    };
    // Who makes the link to the compiler is one of them alone.
    faults::compiler(&scene)?;
    let run = &run;
    let mut seen = std::thread::scope(|scope| {
        let runs = files.map(|file| scope.spawn(move || run("test", file)));
        runs.map(|run| run.join().unwrap_or_else(|_| Err("the run was given up".to_owned()))).into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    for file in files {
        seen.push(run("check", file)?);
    }
    Ok(seen)
}

/// A test as a run reports it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    result: String,
    said: String,
    cached: bool,
}

type Tests = BTreeMap<String, Seen>;

/// The limit of a file is that of the store, too, which hundreds of edits let grow.
fn limits() -> Limits {
    Limits { output: 1 << 30, ..Limits::default() }
}

/// One package through its edits: what does not hold, and how many edits were taken back.
fn script(size: Size, seed: u64, rows: &mut BTreeMap<&'static str, [usize; 4]>) -> Result<(Vec<String>, usize), String> {
    let mut random = Random::new(seed);
    let mut package = Package::new(size.modules, size.width, seed);
    let mut scene = Scene::new("tests", &package.tree())?;
    let everything: BTreeSet<usize> = (0..package.tests()).collect();
    let (mut failures, mut reverted) = (Vec::new(), 0);
    let mut before: Option<(Package, Affected)> = None;
    for step in 0..=size.edits {
        let (name, affected) = match (&before, step) {
            (_, 0) => ("cold", Affected::exactly(everything.clone())),
            // Back to where it was: what is remembered of that state answers.
            (Some((earlier, affected)), step) if step % 8 == 7 => {
                package = earlier.clone();
                reverted += 1;
                ("back", Affected::at_most(affected.may.clone()))
            }
            _ => {
                let earlier = package.clone();
                let (name, affected) = package.edit(&mut random);
                before = Some((earlier, affected.clone()));
                (name, affected)
            }
        };
        scene.become_tree(&package.tree())?;
        let stored = tests(&scene, &[])?;
        let clean = tests(&scene, &["--engine-off"])?;
        let row = rows.entry(name).or_default();
        let counts = [1, stored.len(), affected.must.len(), stored.values().filter(|seen| !seen.cached).count()];
        row.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        failures.extend(
            judge(&stored, &clean, &affected, everything.len())
                .into_iter()
                .map(|what| format!("package {seed}, edit {step} ({name}): {what}")),
        );
    }
    Ok((failures, reverted))
}

/// Runs `oric check`; what it says of each test.
fn tests(scene: &Scene, flags: &[&str]) -> Result<Tests, String> {
    let mut command = Command::new(faults::compiler(scene)?);
    command.args(["check", ".", "--message-format=json"]).args(flags).current_dir(&scene.package).env_clear();
    told(&child::run(&mut command, limits()).map_err(|error| error.to_string())?)
}

/// What a run says of each test.
fn told(ending: &child::Ending) -> Result<Tests, String> {
    if !matches!(ending.status, Some(0 | 1)) {
        // The session may itself have found a query that gives two answers; then it says which.
        let events = String::from_utf8_lossy(&ending.stdout);
        let mut said = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()?["message"].as_str().map(str::to_owned));
        return Err(format!("oric check: {}, {}", ending.how(), said.next_back().unwrap_or_default()));
    }
    let mut tests = Tests::new();
    for line in String::from_utf8_lossy(&ending.stdout).lines() {
        let event: Value = serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        if event["reason"] == "diagnostic" && event["level"] == "error" {
            return Err(format!("the package has an error: {}", text("message")));
        }
        if event["reason"] == "test" {
            let said = ["message", "location", "stdout", "stderr"].map(text).join("\n");
            tests.insert(text("name"), Seen { result: text("result"), said, cached: event["cached"] == true });
        }
    }
    Ok(tests)
}

/// What does not hold of a run, beside one from nothing and what the call graph says.
fn judge(stored: &Tests, clean: &Tests, affected: &Affected, count: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    if stored.len() != count || clean.len() != count {
        wrong.push(format!("{} tests, {} in a run from nothing, of {count}", stored.len(), clean.len()));
    }
    for (name, seen) in stored {
        match clean.get(name) {
            Some(clean) if (&clean.result, &clean.said) == (&seen.result, &seen.said) => {}
            Some(clean) => wrong.push(format!("{name}: {} {:?}, from nothing {} {:?}", seen.result, seen.said, clean.result, clean.said)),
            None => {}
        }
    }
    let ran: BTreeSet<usize> =
        stored.iter().filter(|(_, seen)| !seen.cached).filter_map(|(name, _)| name.strip_prefix("@test_f")?.parse().ok()).collect();
    wrong.extend(affected.must.difference(&ran).map(|test| format!("test {test} is reached by the edit and did not run")));
    wrong.extend(ran.difference(&affected.may).map(|test| format!("test {test} ran, and the edit does not reach it")));
    wrong
}

/// Shows the judge what it must refuse.
fn negatives(evidence: &mut Evidence) {
    let seen = |result: &str, said: &str, cached| Seen { result: result.to_owned(), said: said.to_owned(), cached };
    let tests = |rows: [Seen; 2]| -> Tests { ["@test_f0".to_owned(), "@test_f1".to_owned()].into_iter().zip(rows).collect() };
    let clean = tests([seen("pass", "1", false), seen("fail", "2", false)]);
    let affected = Affected::exactly([1].into());
    let mut table = Table::new("negatives", &["planted", "found"]);
    for (what, stored) in [
        ("an affected test that does not run", tests([seen("pass", "1", true), seen("fail", "2", true)])),
        ("a test that runs for nothing", tests([seen("pass", "1", false), seen("fail", "2", false)])),
        ("a verdict of before", tests([seen("pass", "1", true), seen("pass", "2", false)])),
        ("an output of before", tests([seen("pass", "0", true), seen("fail", "2", false)])),
    ] {
        let found = judge(&stored, &clean, &affected, 2);
        if found.len() != 1 {
            evidence.fail(format!("planted {what}, and found {found:?}"));
        }
        table.row([what.to_owned(), found.join(", ")]);
    }
    if !judge(&tests([seen("pass", "1", true), seen("fail", "2", false)]), &clean, &affected, 2).is_empty() {
        evidence.fail("what is right is refused");
    }
    evidence.table(table);
}
