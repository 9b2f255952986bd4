//! The differential lane: programs that say what they do ([`crate::traced`]), run by the interpreter without any rewrite and as machine code behind all passes, leaks looked for. Where the
//! two differ, the lane goes on by itself ([`hunt`]): the program is made smaller, and the rewrite that did it is found.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use oric::engines::{Bounds, Engines, Verdict};
use oric::project::Project;
use oric::queries::Options;

use crate::evidence::{Evidence, Table};
use crate::program::checked_options;
use crate::{corpus, plants, traced, workers};

/// How long the runs of a generated program may become.
pub const BOUNDS: Bounds = Bounds { steps: 3_000_000, time: Duration::from_secs(10) };

/// What was found of so many programs.
#[derive(Clone, Default, Debug)]
pub struct Seen {
    /// Programs.
    pub programs: usize,
    /// Their lines.
    pub lines: usize,
    /// Those of which both engines gave an account.
    pub compared: usize,
    /// Lines that they printed.
    pub printed: usize,
    /// Those that ended by a panic that nobody caught.
    pub panicked: usize,
    /// Those that run too long, or too deep.
    pub unclear: usize,
    /// Seeds with what is wrong.
    pub wrong: Vec<(u64, String)>,
}

/// Engines for programs in memory that stand in the place of this file.
fn engines_at(file: &Path, options: Options) -> Result<Engines, String> {
    let project = Project::of_file(file).map_err(|error| format!("{error:?}"))?;
    Ok(Engines::new(project, options, BOUNDS))
}

/// Engines for programs in memory.
pub fn engines(options: Options) -> Result<Engines, String> {
    // Any file will do: a project has a place on disk, and this one is never read.
    engines_at(&corpus::root().join("examples/hello.ori"), options)
}

/// Runs the programs of these seeds, on all processors; with `first` until something is found.
pub fn lane(seeds: std::ops::Range<u64>, first: bool) -> Seen {
    // A few seeds at a time keep their compilers.
    const TOGETHER: u64 = 16;
    let parts: Vec<std::ops::Range<u64>> =
        seeds.clone().step_by(TOGETHER as usize).map(|start| start..(start + TOGETHER).min(seeds.end)).collect();
    let is_found = std::sync::atomic::AtomicBool::new(false);
    let work = |part: &std::ops::Range<u64>| -> Result<Seen, String> {
        let mut engines = engines(checked_options())?;
        let mut seen = Seen::default();
        for seed in part.clone() {
            if first && is_found.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            look(&mut engines, seed, &mut seen);
            is_found.fetch_or(!seen.wrong.is_empty(), std::sync::atomic::Ordering::Relaxed);
        }
        Ok(seen)
    };
    let mut total = Seen::default();
    for (part, seen) in parts.iter().zip(workers::each(&parts, work)) {
        match seen.and_then(|seen| seen) {
            Ok(seen) => {
                total.programs += seen.programs;
                total.lines += seen.lines;
                total.compared += seen.compared;
                total.printed += seen.printed;
                total.panicked += seen.panicked;
                total.unclear += seen.unclear;
                total.wrong.extend(seen.wrong);
            }
            Err(why) => total.wrong.push((part.start, why)),
        }
    }
    total
}

fn look(engines: &mut Engines, seed: u64, seen: &mut Seen) {
    let text = traced::program(seed);
    seen.programs += 1;
    seen.lines += text.lines().count();
    let (verdict, reference) = engines.compared(&text);
    match verdict {
        Verdict::Same => {
            seen.compared += 1;
            if let Some(reference) = reference {
                seen.printed += reference.stdout.iter().filter(|byte| **byte == b'\n').count();
                seen.panicked += usize::from(reference.status == Some(1));
            }
        }
        Verdict::Unclear(_) => seen.unclear += 1,
        wrong @ (Verdict::Refused(_) | Verdict::Differ(_) | Verdict::Leaks(_) | Verdict::Broken(_)) => {
            seen.wrong.push((seed, wrong.to_string()))
        }
    }
}

/// Writes what was seen down; what is wrong fails.
pub fn report(evidence: &mut Evidence, name: &'static str, seen: &Seen) {
    let mut table = Table::new(name, &["what", "count"]);
    table.row(["generated programs", &seen.programs.to_string()]);
    table.row(["their lines", &seen.lines.to_string()]);
    table.row(["interpreter without rewrites and executable did the same, and nothing was left", &seen.compared.to_string()]);
    table.row(["lines that they printed", &seen.printed.to_string()]);
    table.row(["of these, ended by a panic", &seen.panicked.to_string()]);
    table.row(["too long or too deep to be compared", &seen.unclear.to_string()]);
    evidence.table(table);
    for (seed, wrong) in &seen.wrong {
        evidence.fail(format!("verify traced {seed}: {wrong}"));
    }
    if seen.compared * 10 < seen.programs * 8 {
        evidence.fail(format!("{} of {} programs were compared: the rest say nothing", seen.compared, seen.programs));
    }
}

/// `verify differential`
pub fn run(count: u64, start: u64) -> bool {
    let mut evidence = Evidence::new("differential");
    report(&mut evidence, "lane", &lane(start..start + count, false));
    evidence.close()
}

/// `verify hunt`: finds a program on which the engines differ, makes it smaller and finds the rewrite, by the commands of `oric`, in this process, in which a
/// wrong rewrite may be planted. Each step says what it found as a line of JSON.
pub fn hunt(folder: &Path, count: u64, start: u64) -> bool {
    let began = Instant::now();
    let seen = lane(start..start + count, true);
    let Some((seed, wrong)) = seen.wrong.iter().min() else {
        println!("{}", serde_json::json!({ "reason": "nothing", "programs": seen.programs }));
        return false;
    };
    let text = traced::program(*seed);
    let kind = engines(checked_options()).ok().and_then(|mut engines| engines.compare(&text).finding());
    println!(
        "{}",
        serde_json::json!({
            "reason": "found", "seed": seed, "what": wrong, "kind": kind, "lines": oric::reduce::lines(&text), "programs": seen.programs,
            "seconds": began.elapsed().as_secs_f64(),
        })
    );
    let (found, small) = (folder.join("found.ori"), folder.join("small.ori"));
    if let Err(error) = std::fs::write(&found, text) {
        println!("{}", serde_json::json!({ "reason": "failed", "why": error.to_string() }));
        return false;
    }
    let line = |words: &[&OsStr]| words.iter().map(|word| word.to_os_string()).collect::<Vec<_>>();
    let [oric, reduce, bisect, json, limit, out] =
        ["oric", "reduce", "bisect", "--message-format=json", "--limit=60s", "-o"].map(OsStr::new);
    let reduced = oric::cli::run(line(&[oric, reduce, json, limit, out, small.as_os_str(), found.as_os_str()]));
    let is_done = reduced == 0 && oric::cli::run(line(&[oric, bisect, json, small.as_os_str()])) == 0;
    println!("{}", serde_json::json!({ "reason": "hunted", "seconds": began.elapsed().as_secs_f64() }));
    is_done
}

/// `verify judge`: what the engines make of a program when the rewrites before a place have happened.
pub fn judge(file: &Path, fuel: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    let options = match fuel.parse() {
        Ok(oric::rewrites::Limit::Before(cut)) => Options { cut: Some(cut), ..checked_options() },
        Ok(oric::rewrites::Limit::Each(fuel)) => Options { fuel, ..checked_options() },
        Err(()) => return false,
    };
    let verdict = engines_at(file, options).map(|mut engines| engines.compare(&text));
    let finding = verdict.as_ref().map(Verdict::finding).unwrap_or(Some("failed"));
    println!(
        "{}",
        serde_json::json!({ "reason": "judged", "finding": finding, "what": verdict.map_or_else(|why| why, |verdict| verdict.to_string()) })
    );
    true
}

/// Plants what the arguments name; false when there is no such thing.
pub fn planted(name: Option<&str>) -> bool {
    name.is_none_or(plants::plant)
}
