//! Workers as processes: started, watched, ended; what they found, added up.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Resource;

use super::cases::{Corpus, Outcomes, Target, case};
use crate::child;
use crate::corpus;
use crate::evidence::{Evidence, Table};
use crate::program::guarded;
use crate::random::Random;
use crate::workers;

/// Fewer runs are none (decisions, "How a check counts" 6).
pub const LEAST_RUNS: u64 = 100_000;
/// A case that takes longer hangs.
const SLOWEST: Duration = Duration::from_secs(30);
/// Address space of a worker: with its stacks, far more than any case needs.
const MEMORY: u64 = 6 << 30;

/// What was found about a target.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    /// Cases.
    pub runs: u64,
    /// Inputs that were accepted.
    pub accepted: u64,
    /// Native runs compared with the interpreter.
    pub compared: u64,
    /// Diagnostic and fault codes.
    pub codes: BTreeSet<String>,
    /// What went wrong, with its case.
    pub wrong: Vec<String>,
}

impl Tally {
    fn take(&mut self, name: &str, outcomes: Outcomes) {
        self.runs += 1;
        self.accepted += u64::from(outcomes.accepted);
        self.compared += u64::from(outcomes.compared);
        self.codes.extend(outcomes.codes);
        if let Some(what) = outcomes.wrong {
            self.wrong.push(format!("{name}: {what}"));
        }
    }
}

/// Runs `count` cases of these targets in this process: for tests.
pub fn smoke(targets: &[Target], count: u64, seed: u64) -> BTreeMap<Target, Tally> {
    let corpus = Corpus::load();
    let mut tallies: BTreeMap<Target, Tally> = BTreeMap::new();
    for number in 0..count {
        let target = targets[number as usize % targets.len()];
        let seed = seed.wrapping_add(number);
        let input = corpus.input(target, seed);
        tallies.entry(target).or_default().take(&format!("{}:{seed}", target.name()), case(target, &input, seed));
    }
    tallies
}

/// Repeats one case and shows its input.
pub fn repeat(target: Target, seed: u64) -> bool {
    let corpus = Corpus::load();
    let input = corpus.input(target, seed);
    println!("{}", String::from_utf8_lossy(&input));
    let options = super::cases::options_of(seed);
    println!("// {} seed {seed}, fuel {}, passes off: {}", target.name(), options.fuel, options.passes_off.join(" "));
    let outcomes = case(target, &input, seed);
    println!("// accepted {}, compared {}, codes {:?}", outcomes.accepted, outcomes.compared, outcomes.codes);
    match outcomes.wrong {
        Some(what) => {
            println!("// WRONG {what}");
            false
        }
        None => true,
    }
}

/// The files of a worker.
struct Files {
    current: PathBuf,
    report: PathBuf,
}

fn files(number: u64) -> Files {
    let folder = corpus::root().join("target/evidence/fuzz");
    Files { current: folder.join(format!("current-{number}")), report: folder.join(format!("report-{number}.json")) }
}

/// Fuzzes for so many seconds.
pub fn run(seconds: u64, seed: u64) -> bool {
    let mut evidence = Evidence::new("fuzz");
    let folder = corpus::root().join("target/evidence/fuzz");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        evidence.fail(format!("{}: {error}", folder.display()));
        return evidence.close();
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let numbers: Vec<u64> = (0..workers::count() as u64).collect();
    let found = workers::each(&numbers, |&number| supervise(number, end, seed));
    let mut total: BTreeMap<Target, Tally> = BTreeMap::new();
    for result in found {
        match result {
            Err(why) | Ok(Err(why)) => evidence.fail(why),
            Ok(Ok(tallies)) => {
                for (target, tally) in tallies {
                    let sum = total.entry(target).or_default();
                    sum.runs += tally.runs;
                    sum.accepted += tally.accepted;
                    sum.compared += tally.compared;
                    sum.codes.extend(tally.codes);
                    sum.wrong.extend(tally.wrong);
                }
            }
        }
    }
    report(&mut evidence, &total, seconds);
    evidence.close()
}

fn report(evidence: &mut Evidence, total: &BTreeMap<Target, Tally>, seconds: u64) {
    let mut table = Table::new("targets", &["target", "runs", "accepted", "compared natively", "codes reached", "wrong"]);
    let mut codes: BTreeSet<&String> = BTreeSet::new();
    for (target, tally) in total {
        let accepted = format!("{} ({:.1} %)", tally.accepted, 100.0 * tally.accepted as f64 / tally.runs.max(1) as f64);
        table.row([
            target.name(),
            tally.runs.to_string(),
            accepted,
            tally.compared.to_string(),
            tally.codes.len().to_string(),
            tally.wrong.len().to_string(),
        ]);
        codes.extend(&tally.codes);
        for what in &tally.wrong {
            evidence.fail(format!("verify fuzz --case {what}"));
        }
    }
    evidence.table(table);
    let mut table = Table::new("rules", &["family", "codes"]);
    let mut families: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for code in codes {
        families.entry(code.chars().take(3).collect()).or_default().push(code);
    }
    for (family, codes) in families {
        table.row([family, codes.join(" ")]);
    }
    evidence.table(table);
    let runs: u64 = total.values().map(|tally| tally.runs).sum();
    println!("fuzz: {runs} runs in {seconds} s");
    if runs < LEAST_RUNS {
        println!("fuzz: HAS NOT RUN: fewer than {LEAST_RUNS} runs prove nothing");
        evidence.fail(format!("{runs} runs, {LEAST_RUNS} are demanded"));
    }
}

/// Keeps one worker going until the end; a worker that dies is started again behind the case that ended it.
fn supervise(number: u64, end: Instant, seed: u64) -> Result<BTreeMap<Target, Tally>, String> {
    let files = files(number);
    let mut total: BTreeMap<Target, Tally> = BTreeMap::new();
    let mut first = 0u64;
    while Instant::now() < end {
        let _ = std::fs::remove_file(&files.report);
        let left = end.saturating_duration_since(Instant::now()).as_secs().max(1);
        let mut child = start(number, seed, first, left)?;
        let death = watch(&mut child, &files.current, end);
        if let Ok(text) = std::fs::read_to_string(&files.report) {
            add(&mut total, &text);
        }
        let Some(death) = death else { break };
        let (target, case, round) = current(&files.current).ok_or_else(|| format!("worker {number} {death} before its first case"))?;
        total.entry(target).or_default().wrong.push(format!("{}:{case}: {death}", target.name()));
        first = round + 1;
    }
    Ok(total)
}

fn start(number: u64, seed: u64, first: u64, seconds: u64) -> Result<Child, String> {
    let program = std::env::current_exe().map_err(|error| format!("no program to start: {error}"))?;
    let mut command = Command::new(program);
    command.args(["fuzz-worker", &number.to_string(), &seed.to_string(), &first.to_string(), &seconds.to_string()]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(|error| format!("cannot start a worker: {error}"))?;
    child::limit(&child, Resource::As, MEMORY);
    child::limit(&child, Resource::Core, 0);
    Ok(child)
}

/// Waits for a worker. `None` when it ended by itself; else how it died.
fn watch(child: &mut Child, current_file: &Path, end: Instant) -> Option<String> {
    let mut last = (None, Instant::now());
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return None,
            Ok(Some(status)) => return Some(format!("ended the worker: {status}")),
            Ok(None) => {}
            Err(error) => return Some(format!("cannot be waited for: {error}")),
        }
        let now = current(current_file);
        if now != last.0 {
            last = (now, Instant::now());
        } else if last.1.elapsed() > SLOWEST || Instant::now() > end + SLOWEST {
            let _ = child.kill();
            let _ = child.wait();
            return Some(format!("takes more than {} s", SLOWEST.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The case that a worker is at: target, seed, number.
fn current(file: &Path) -> Option<(Target, u64, u64)> {
    let bytes = std::fs::read(file).ok()?;
    let word = |at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let target = *Target::all().get(word(0)? as usize)?;
    Some((target, word(8)?, word(16)?))
}

/// What a worker process does: cases until its time is up, then its report.
pub fn work(number: u64, seed: u64, first: u64, seconds: u64) -> bool {
    let files = files(number);
    let corpus = Corpus::load();
    let Ok(current) = File::create(&files.current) else { return false };
    let targets = Target::all();
    let wheel: Vec<usize> = targets.iter().enumerate().flat_map(|(at, target)| std::iter::repeat_n(at, target.weight())).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tallies: BTreeMap<Target, Tally> = BTreeMap::new();
    // Neighbouring seeds must not run the same cases in another order.
    let start = Random::new(Random::new(seed).next().wrapping_add(number)).next();
    let mut round = first;
    let mut saved = Instant::now();
    while Instant::now() < end {
        let mut random = Random::new(start.wrapping_add(round));
        let at = random.pick(&wheel).copied().unwrap_or(0);
        let target = targets[at];
        // Short seeds are easier to type again.
        let case_seed = random.next() >> 16;
        let mut note = [0; 24];
        note[..8].copy_from_slice(&(at as u64).to_le_bytes());
        note[8..16].copy_from_slice(&case_seed.to_le_bytes());
        note[16..].copy_from_slice(&round.to_le_bytes());
        let _ = current.write_all_at(&note, 0);
        let outcomes = guarded(|| {
            let input = corpus.input(target, case_seed);
            case(target, &input, case_seed)
        });
        let outcomes =
            outcomes.unwrap_or_else(|panic| Outcomes { wrong: Some(format!("making the input: {panic}")), ..Outcomes::default() });
        tallies.entry(target).or_default().take(&format!("{}:{case_seed}", target.name()), outcomes);
        round += 1;
        // A later death must not take these findings along.
        if saved.elapsed() > Duration::from_secs(2) {
            save(&tallies, &files.report);
            saved = Instant::now();
        }
    }
    save(&tallies, &files.report);
    true
}

fn save(tallies: &BTreeMap<Target, Tally>, file: &Path) {
    let rows: Vec<serde_json::Value> = tallies
        .iter()
        .map(|(target, t)| {
            serde_json::json!({ "target": target.name(), "runs": t.runs, "accepted": t.accepted, "compared": t.compared, "codes": t.codes, "wrong": t.wrong })
        })
        .collect();
    let _ = std::fs::write(file, serde_json::Value::from(rows).to_string());
}

fn add(total: &mut BTreeMap<Target, Tally>, text: &str) {
    let Ok(serde_json::Value::Array(rows)) = serde_json::from_str(text) else { return };
    for row in rows {
        let Some(target) = row["target"].as_str().and_then(Target::of_name) else { continue };
        let tally = total.entry(target).or_default();
        let number = |key: &str| row[key].as_u64().unwrap_or(0);
        let texts = |key: &str| row[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect::<Vec<_>>();
        tally.runs += number("runs");
        tally.accepted += number("accepted");
        tally.compared += number("compared");
        tally.codes.extend(texts("codes"));
        tally.wrong.extend(texts("wrong"));
    }
}
