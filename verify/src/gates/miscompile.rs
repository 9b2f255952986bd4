//! `miscompile-defense-check`: what the compiler gets wrong is found, made small, and traced to the rewrite that did it, by machines alone.
//!
//! First the compiler as it is: generated programs do the same in the interpreter without rewrites and as machine code. Then wrong rewrites are planted, one in each of a few processes that are
//! this program again ([`crate::plants`]; no command of `oric` can reach them): the lane must find a program, `oric reduce` must bring it below 20 lines, `oric
//! bisect` must name the planted pass. What is named is not believed: with the rewrites before it the engines agree, with it they do not. `make planted` does the same for mistakes
//! within real passes, in compilers of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::child::{self, Limits};
use crate::differential;
use crate::evidence::{Evidence, Table};
use crate::plants::{PLANTS, Plant};
use crate::program::checked_options;
use crate::traced;
use crate::workers;

const NAME: &str = "miscompile-defense-check";
/// Programs of the lane.
const USUAL: u64 = 200;
/// Programs about loops that count, two of which are ones that a compiler of ours got wrong.
const LOOPS: std::ops::Range<u64> = traced::COUNTING + 200..traced::COUNTING + 320;
/// A program on which pass `tails` did not end: a copy had taken over the one way into a loop.
const FOUND: std::ops::Range<u64> = 915_052..915_053;
/// The small program has fewer lines.
const LINES: u64 = 20;
/// A hunt takes less.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the gate.
pub fn run() -> bool {
    let mut evidence = Evidence::new(NAME);
    differential::report(&mut evidence, "lane", &differential::lane(1..USUAL + 1, false));
    differential::report(&mut evidence, "loops", &differential::lane(LOOPS, false));
    differential::report(&mut evidence, "found", &differential::lane(FOUND, false));
    let mut table = Table::new("planted", &["planted", "found in program", "lines", "kept", "small", "rewrite", "s"]);
    let hunts = workers::each(&PLANTS, |plant| {
        let folder = folder(plant.name)?;
        let hunt = hunted(plant, &folder);
        let judged = hunt.and_then(|hunt| judge(plant, &folder, &hunt).map(|()| hunt));
        let _ = std::fs::remove_dir_all(&folder);
        judged
    });
    let mut sound = None;
    for (plant, hunt) in PLANTS.iter().zip(hunts) {
        match hunt.and_then(|hunt| hunt) {
            Ok(hunt) => {
                table.row([
                    format!("{} ({})", plant.name, plant.what),
                    hunt.seed.to_string(),
                    hunt.before.to_string(),
                    hunt.kind.clone(),
                    format!("{} lines", hunt.lines),
                    hunt.place(hunt.number),
                    format!("{:.1}", hunt.seconds),
                ]);
                sound.get_or_insert((plant, hunt));
            }
            Err(why) => evidence.fail(format!("{}: {why}", plant.name)),
        }
    }
    evidence.table(table);
    negatives(&mut evidence, sound);
    evidence.close()
}

fn folder(name: &str) -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("oric-hunt-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// What a hunt brought.
#[derive(Clone, Debug)]
struct Hunt {
    seed: u64,
    /// Lines of the program that was found.
    before: u64,
    kind: String,
    /// The small program.
    text: String,
    lines: u64,
    pass: String,
    stage: String,
    body: String,
    number: u64,
    seconds: f64,
}

impl Hunt {
    /// The cut behind so many rewrites.
    fn place(&self, number: u64) -> String {
        format!("{number}@{}:{}", self.stage, self.body)
    }
}

/// This program again, with something planted in it.
fn this(words: &[&str]) -> Result<Vec<Value>, String> {
    let program = std::env::current_exe().map_err(|error| format!("no program to start: {error}"))?;
    let limits = Limits { time: PATIENCE, memory: u64::MAX, output: u64::MAX };
    let ending = child::run(Command::new(program).args(words).env_remove("ORI_FUEL"), limits).map_err(|error| error.to_string())?;
    if ending.timed_out {
        return Err(format!("takes more than {} s", PATIENCE.as_secs()));
    }
    let lines = String::from_utf8_lossy(&ending.stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect::<Vec<Value>>();
    match lines.is_empty() {
        true => Err(format!("says nothing: {}", ending.line())),
        false => Ok(lines),
    }
}

/// Finds a program, makes it small, finds the rewrite.
fn hunted(plant: &Plant, folder: &Path) -> Result<Hunt, String> {
    let lines = this(&["hunt", "--planted", plant.name, "--folder", &folder.to_string_lossy()])?;
    let line = |reason: &str| {
        let found = lines.iter().find(|line| line["reason"] == reason);
        found.ok_or_else(|| format!("no `{reason}` among {}", lines.iter().map(Value::to_string).collect::<Vec<_>>().join(" ")))
    };
    let (found, reduced, bisected, hunted) = (line("found")?, line("reduce")?, line("bisect")?, line("hunted")?);
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    Ok(Hunt {
        seed: number(&found["seed"]),
        before: number(&found["lines"]),
        kind: word(&reduced["kept"]),
        text: std::fs::read_to_string(folder.join("small.ori")).map_err(|error| error.to_string())?,
        lines: number(&reduced["lines"]),
        pass: word(&bisected["pass"]),
        stage: word(&bisected["stage"]),
        body: word(&bisected["body"]),
        number: number(&bisected["number"]),
        seconds: hunted["seconds"].as_f64().unwrap_or(f64::MAX),
    })
}

/// What the engines make of the small program with the rewrites before a place; `plant`: with something planted.
fn finding(folder: &Path, fuel: &str, plant: Option<&Plant>) -> Result<Option<String>, String> {
    let file = folder.join("small.ori");
    let mut words = vec!["judge".to_owned(), file.to_string_lossy().into_owned(), fuel.to_owned()];
    words.extend(plant.iter().flat_map(|plant| ["--planted".to_owned(), plant.name.to_owned()]));
    let lines = this(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    let judged = lines.iter().find(|line| line["reason"] == "judged").ok_or("no judgement")?;
    match &judged["finding"] {
        // Programs that are refused, or take too long, are no small programs.
        Value::Null if judged["what"] == oric::engines::Verdict::Same.to_string() => Ok(None),
        Value::Null => Err(format!("{fuel}: {}", judged["what"])),
        finding => Ok(finding.as_str().map(str::to_owned)),
    }
}

/// Is what was found true?
fn judge(plant: &Plant, folder: &Path, hunt: &Hunt) -> Result<(), String> {
    std::fs::write(folder.join("small.ori"), &hunt.text).map_err(|error| error.to_string())?;
    let is = |what: &str, fuel: &str, planted: Option<&Plant>, expected: Option<&str>| match finding(folder, fuel, planted)? {
        found if found.as_deref() == expected => Ok(()),
        found => Err(format!("{what} ({fuel}) the engines find {found:?} and not {expected:?}:\n{}", hunt.text)),
    };
    if hunt.kind != plant.kind {
        return Err(format!("found as a {}, planted as a {}", hunt.kind, plant.kind));
    }
    if hunt.lines >= LINES || hunt.lines != oric::reduce::lines(&hunt.text) as u64 {
        return Err(format!("{} lines are left, fewer than {LINES} are demanded:\n{}", hunt.lines, hunt.text));
    }
    if hunt.pass != plant.name {
        return Err(format!("the pass {} is named, at {}", hunt.pass, hunt.place(hunt.number)));
    }
    if hunt.seconds > PATIENCE.as_secs_f64() {
        return Err(format!("{:.0} s", hunt.seconds));
    }
    is("with the rewrites before it", &hunt.place(hunt.number - 1), Some(plant), None)?;
    is("with it", &hunt.place(hunt.number), Some(plant), Some(&hunt.kind))?;
    is("without anything planted", &u64::MAX.to_string(), None, None)
}

/// What must be refused: what is almost right.
fn negatives(evidence: &mut Evidence, sound: Option<(&Plant, Hunt)>) {
    let mut table = Table::new("negatives", &["negative", "found"]);
    let Some((plant, hunt)) = sound else {
        evidence.table(table);
        return evidence.fail("no hunt was sound, so nothing shows that the judge can refuse one");
    };
    let mut wrong = |what: &str, reason: &str, plant: &Plant, hunt: &Hunt| {
        let judged = folder("negative").and_then(|folder| {
            let judged = judge(plant, &folder, hunt);
            let _ = std::fs::remove_dir_all(&folder);
            judged
        });
        let said = judged.err().unwrap_or_else(|| "NOT REFUSED".to_owned());
        if !said.contains(reason) {
            evidence.fail(format!("{what}: `{reason}` is not what is said: {said}"));
        }
        table.row([what, said.lines().next().unwrap_or_default()]);
    };
    wrong("the rewrite behind the wrong one", "with the rewrites before it", plant, &Hunt { number: hunt.number + 1, ..hunt.clone() });
    wrong("another pass", "the pass fold is named", plant, &Hunt { pass: "fold".to_owned(), ..hunt.clone() });
    let right = "@main () -> void = print(msg: \"right\");\n".to_owned();
    wrong("a small program that is right", "with it", plant, &Hunt { lines: 1, text: right, ..hunt.clone() });
    wrong("a program that is not small", "lines are left", plant, &Hunt { lines: LINES, ..hunt.clone() });
    let padded = format!("{}{}", hunt.text, "// more\n".repeat(LINES as usize));
    wrong("a program that says that it is small", "lines are left", plant, &Hunt { text: padded, ..hunt.clone() });
    // The engines themselves: a program that prints something else than it should would have to be seen.
    let texts = ["print(msg: \"a\")", "print(msg: \"b\")"].map(|body| format!("@main () -> void = {body};\n"));
    let endings =
        differential::engines(checked_options()).map(|mut engines| texts.map(|text| (engines.reference(&text), engines.native(&text))));
    let said = match endings {
        Ok([(Ok(a), _), (_, Ok(b))]) => oric::engines::judged(a, b).to_string(),
        _ => "NOT RUN".to_owned(),
    };
    if !said.contains("the interpreter: status 0, stdout \"a\\n\"") {
        evidence.fail(format!("two programs are not told apart: {said}"));
    }
    table.row(["the executable of another program", said.as_str()]);
    evidence.table(table);
}
