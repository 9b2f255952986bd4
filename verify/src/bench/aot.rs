//! Small programs as executables of their own: two thousand of the corpus, and two hundred generated ones beside their twins in C.
//!
//! What is timed is everything from the text to the end of the run, on all processors: ours in one process that keeps its compiler (as the gate
//! `aot-tests-check`), a C compiler as it is used, a process for each program. A twin prints the same number, so what is compared did the same work.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Ratios, folder};
use crate::evidence::{Evidence, Table};
use crate::gates::aot;
use crate::{child, corpus, workers};

/// Programs that have a twin in C.
const TWINS: u64 = 200;

/// Functions of each: about 70 lines, as the generated programs of the gate have.
const FUNCTIONS: &str = "3";

/// A program and its twin.
struct Twin {
    ori: String,
    c: PathBuf,
}

/// A way to build an executable from C.
struct Peer {
    name: &'static str,
    tools: &'static [&'static str],
    build: &'static [&'static str],
}

const PEERS: [Peer; 2] = [
    Peer { name: "tcc", tools: &["tcc"], build: &["tcc"] },
    Peer { name: "clang-22 -O0, lld", tools: &["clang-22", "ld.lld-22"], build: &["clang-22", "-O0", "-w", "-fuse-ld=lld"] },
];

/// Fills the table and judges the time of a program.
pub fn measure(evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table =
        Table::new("aot", &["what", "programs", "lines", "ms a program", "front end", "code", "link", "start, run, end", "limit"]);
    if let Err(why) = fill(evidence, &mut table, ratios) {
        evidence.fail(format!("aot: {why}"));
    }
    evidence.table(table);
}

fn shown(time: Duration, programs: usize) -> String {
    format!("{:.3}", time.as_secs_f64() * 1000.0 / programs.max(1) as f64)
}

fn ours(what: &str, timed: &aot::Timed, limit: &str, table: &mut Table) {
    let phases = timed.phases.map(|phase| shown(phase, timed.programs));
    let mut row = vec![what.to_owned(), timed.programs.to_string(), timed.lines.to_string(), shown(timed.wall, timed.programs)];
    row.extend(phases);
    row.push(limit.to_owned());
    table.row(row);
}

fn fill(evidence: &mut Evidence, table: &mut Table, ratios: &mut Ratios) -> Result<(), String> {
    let corpus = aot::timed_corpus(aot::FULL)?;
    ours("fixtures and generated programs", &corpus, "1", table);
    ratios.at_most("AOT programs, wall ms a program", Some(corpus.wall.as_secs_f64() * 1000.0 / corpus.programs.max(1) as f64), 1.0);
    let twins = match twins() {
        Ok(twins) => twins,
        Err(why) => {
            table.row(["twins in C".to_owned(), format!("unmeasured: {why}")].into_iter().chain((0..7).map(|_| String::new())));
            return if corpus::shared().is_none() { Ok(()) } else { Err(why) };
        }
    };
    let mut outputs: Option<Vec<String>> = None;
    let mut times = Vec::new();
    for peer in &PEERS {
        match through(peer, &twins) {
            Ok((wall, printed)) => {
                if outputs.as_ref().is_some_and(|outputs| *outputs != printed) {
                    return Err(format!("{} makes programs that print something else", peer.name));
                }
                outputs = Some(printed);
                times.push((peer.name, Ok(wall)));
            }
            Err(why) => times.push((peer.name, Err(why))),
        }
    }
    let programs =
        twins.iter().enumerate().map(|(at, twin)| (twin.ori.clone(), outputs.as_ref().map(|outputs| outputs[at].clone()))).collect();
    let timed = aot::timed_programs(programs)?;
    for failure in corpus.failures.iter().chain(&timed.failures) {
        evidence.fail(failure.clone());
    }
    ours("oric, beside their twins in C", &timed, "", table);
    for (name, time) in times {
        let cell = time.as_ref().map_or_else(|why| format!("unmeasured: {why}"), |wall| shown(*wall, twins.len()));
        let row = [name.to_owned(), twins.len().to_string(), String::new(), cell];
        table.row(row.into_iter().chain((0..5).map(|_| String::new())));
        // A warm compiler in one process must be ahead of a cold one a program, or it is no use.
        if let Ok(wall) = time {
            ratios.at_most(
                &format!("a small program, built and run: oric / {name}"),
                Some(timed.wall.as_secs_f64() / wall.as_secs_f64()),
                1.0,
            );
        }
    }
    Ok(())
}

/// The generated programs, one file in Ori, and a folder in C; made once a build folder.
fn twins() -> Result<Vec<Twin>, String> {
    let generator = corpus::shared().ok_or("../shared/bench/gen_project.py is not here")?.join("gen_project.py");
    let home = folder().join("twins");
    std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    let seeds: Vec<u64> = (1..=TWINS).collect();
    let made = workers::each(&seeds, |seed| -> Result<Twin, String> {
        let [ori, c] = ["ori", "c"].map(|language| home.join(format!("{language}-{FUNCTIONS}-{seed}")));
        for (language, out) in [("ori", &ori), ("c", &c)] {
            if out.join("done").is_file() {
                continue;
            }
            let generator = generator.to_string_lossy().into_owned();
            let (seed, out_text) = (seed.to_string(), out.to_string_lossy().into_owned());
            let args = [&generator, "--lang", language, "--modules", "1", "--funcs", FUNCTIONS, "--seed", &seed, "--out", &out_text];
            child::succeed(&home, "python3", &args)?;
            std::fs::write(out.join("done"), "").map_err(|error| error.to_string())?;
        }
        let read = |name: &str| std::fs::read_to_string(ori.join(name)).map_err(|error| format!("{}: {error}", ori.display()));
        // One module, so that no import is left: its text behind that of the main file.
        let main: String = read("main.ori")?.lines().filter(|line| !line.starts_with("use ")).map(|line| format!("{line}\n")).collect();
        Ok(Twin { ori: format!("{main}\n{}", read("m0.ori")?), c })
    });
    made.into_iter().map(|made| made.and_then(|made| made)).collect()
}

/// Builds and runs all twins: the wall time, and what each printed.
fn through(peer: &Peer, twins: &[Twin]) -> Result<(Duration, Vec<String>), String> {
    if let Some(missing) = peer.tools.iter().find(|tool| child::find(tool).is_none()) {
        return Err(format!("{missing} is not installed"));
    }
    let started = Instant::now();
    let ran = workers::each(twins, |twin| built_and_run(peer, &twin.c));
    let wall = started.elapsed();
    let printed: Result<Vec<String>, String> = ran.into_iter().map(|ran| ran.and_then(|ran| ran)).collect();
    Ok((wall, printed?))
}

fn built_and_run(peer: &Peer, folder: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", peer.name);
    let (tool, args) = peer.build.split_first().ok_or("no command")?;
    let mut build = Command::new(tool);
    build.args(args).args(["-o", "program", "m0.c", "main.c"]).current_dir(folder).stdin(Stdio::null());
    let built = build.output().map_err(failed)?;
    if !built.status.success() {
        return Err(format!("{}: {}", peer.name, String::from_utf8_lossy(&built.stderr)));
    }
    let ran = Command::new(folder.join("program")).stdin(Stdio::null()).output().map_err(failed)?;
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
