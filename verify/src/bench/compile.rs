//! Lines a second on the generated project, cold: the store of the run before is taken away, and writing a new one is part of the time.

use std::path::Path;

use super::timing::{Sample, Timed, in_turns, ms, ratio};
use super::{Ratios, folder};
use crate::child;
use crate::corpus;
use crate::evidence::{Evidence, Table};

/// Fills the table and the ratios.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("compile", &["lines", "command", "own lines", "wall ms", "cpu ms", "k lines/s", "other load", "state"]);
    for (lines, runs) in [(10_000, 5), (100_000, 3)] {
        one_size(oric, lines, runs, &mut table, ratios, evidence);
    }
    evidence.table(table);
}

fn one_size(oric: &str, lines: u32, runs: usize, table: &mut Table, ratios: &mut Ratios, evidence: &mut Evidence) {
    let size = lines.to_string();
    let Some(ori) = corpus::project("ori", lines) else {
        table.row([&size, "all", "", "", "", "", "", "unmeasured: ../shared/bench/gen_project.py is not here"]);
        ratios.at_most(&format!("build {size} lines / tcc, wall time"), None, 2.0);
        return;
    };
    let Some(main) = corpus::project_main(&ori) else {
        return evidence.fail(format!("the generated project in {} has no main", ori.display()));
    };
    let main = main.to_string_lossy().into_owned();
    let out = |name: &str| folder().join(format!("{name}-{size}")).to_string_lossy().into_owned();
    let (ori_out, tcc_out, clang_out, go_out) = (out("ori"), out("tcc"), out("clang"), out("go"));
    let mut commands = vec![
        (Timed::new("oric check", &ori, &[oric, "check", &main]), corpus::count_lines(&ori, "ori")),
        (Timed::new("oric check --jobs 1", &ori, &[oric, "--jobs", "1", "check", &main]), corpus::count_lines(&ori, "ori")),
        (Timed::new("oric build", &ori, &[oric, "build", &main, "-o", &ori_out]), corpus::count_lines(&ori, "ori")),
        (
            Timed::new("oric build, engine off", &ori, &[oric, "--engine-off", "build", &main, "-o", &ori_out]),
            corpus::count_lines(&ori, "ori"),
        ),
        (
            Timed::new("oric check --jobs 1, engine off", &ori, &[oric, "--engine-off", "--jobs", "1", "check", &main]),
            corpus::count_lines(&ori, "ori"),
        ),
        (Timed::new("oric build --jobs 1", &ori, &[oric, "--jobs", "1", "build", &main, "-o", &ori_out]), corpus::count_lines(&ori, "ori")),
    ];
    if let Some(c) = corpus::project("c", lines) {
        let files = c_files(&c);
        let count = corpus::count_lines(&c, "c");
        let line = |compiler: &'static str, options: &[&'static str], out: &str| {
            let mut line: Vec<String> = vec![compiler.to_owned()];
            line.extend(options.iter().map(|option| (*option).to_owned()));
            line.extend(["-o".to_owned(), out.to_owned()]);
            line.extend(files.clone());
            line
        };
        for (name, compiler, options, out) in [("tcc", "tcc", &[][..], &tcc_out), ("clang -O0", "clang-22", &["-O0"][..], &clang_out)] {
            if child::find(compiler).is_some() {
                let words = line(compiler, options, out);
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                commands.push((Timed::new(name, &c, &words), count));
            } else {
                table.row([&size, name, "", "", "", "", "", "unmeasured: not installed"]);
            }
        }
    }
    let go = corpus::project("go", lines).filter(|_| child::find("go").is_some());
    match &go {
        Some(folder) => {
            commands.push((Timed::new("go build", folder, &["go", "build", "-o", &go_out, "."]), corpus::count_lines(folder, "go")))
        }
        None => table.row([&size, "go build", "", "", "", "", "", "unmeasured: not installed"]),
    }
    // The quick ones in turns; those that take seconds once.
    let mut results: Vec<(String, usize, Result<Sample, String>)> = Vec::new();
    let (slow, quick): (Vec<_>, Vec<_>) =
        commands.into_iter().partition(|(timed, _)| timed.name.starts_with("clang") || timed.name.starts_with("go"));
    for (set, runs) in [(quick, runs), (slow, 1)] {
        let timed: Vec<Timed> = set.iter().map(|(timed, _)| timed.clone()).collect();
        let mut serial = 0;
        let times = in_turns(&timed, runs, |at| {
            if timed[at].name.starts_with("oric") {
                let _ = std::fs::remove_dir_all(timed[at].folder.join(".ori"));
            }
            if timed[at].name.starts_with("go") {
                serial += 1;
                touch(&timed[at].folder, serial);
            }
        });
        results.extend(set.into_iter().zip(times).map(|((timed, lines), time)| (timed.name, lines, time)));
    }
    let sample = |name: &str| results.iter().find(|(n, ..)| n == name).and_then(|(_, _, sample)| sample.clone().ok());
    let (check, build, tcc) = (sample("oric check --jobs 1"), sample("oric build"), sample("tcc"));
    let front = sample("oric check --jobs 1, engine off");
    for (name, lines, time) in &results {
        match time {
            Ok(sample) => {
                let rate = *lines as f64 / sample.wall.as_secs_f64() / 1000.0;
                let (wall, cpu) = (format!("{:.1}", ms(sample.wall)), format!("{:.0}", ms(sample.cpu)));
                table.row([
                    &size,
                    name,
                    &lines.to_string(),
                    &wall,
                    &cpu,
                    &format!("{rate:.0}"),
                    &format!("{:.2}", sample.others),
                    "measured",
                ]);
            }
            Err(why) => {
                evidence.fail(format!("{name} at {size} lines: {why}"));
                table.row([&size, name, &lines.to_string(), "", "", "", "", why]);
            }
        }
    }
    same_checksum(&[ori_out, tcc_out], evidence, &size);
    let wall = |sample: Option<Sample>| sample.map(|sample| sample.wall);
    ratios.at_most(&format!("build {size} lines / tcc, wall time"), ratio(wall(build), wall(tcc)), 2.0);
    // The tick of processor time is too coarse for the small project.
    if lines >= 100_000 {
        let own = corpus::count_lines(&ori, "ori") as f64;
        let seconds = |sample: &Option<Sample>| sample.as_ref().map(|sample| sample.cpu.as_secs_f64());
        let rate = |sample: &Option<Sample>| seconds(sample).map(|seconds| own / seconds / 1e6);
        ratios.at_least(&format!("check {size} lines: million lines a second of one core"), rate(&check), 1.0);
        ratios.at_least(
            &format!("front end alone, check {size} lines with the engine off: million lines a second of one core"),
            rate(&front),
            1.0,
        );
        let cost = seconds(&check).zip(seconds(&front)).map(|(on, off)| on / off);
        ratios.at_most(&format!("check {size} lines, processor time with the engine / without"), cost, 1.1);
    }
}

fn c_files(folder: &Path) -> Vec<String> {
    corpus::files_below(folder, "c").iter().map(|file| file.to_string_lossy().into_owned()).collect()
}

/// Go's cache goes by content, so each run gets new content.
fn touch(folder: &Path, serial: u32) {
    let stamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    for file in corpus::files_below(folder, "go") {
        if let Ok(text) = std::fs::read_to_string(&file) {
            let text = text.split("\n// run ").next().unwrap_or_default();
            let _ = std::fs::write(&file, format!("{text}\n// run {stamp} {serial}\n"));
        }
    }
}

/// What was built prints the same.
fn same_checksum(programs: &[String], evidence: &mut Evidence, size: &str) {
    let outputs: Vec<String> = programs
        .iter()
        .filter(|path| Path::new(path).is_file())
        .map(|path| child::succeed(&folder(), path, &[]).map_or_else(|why| why, |out| String::from_utf8_lossy(&out).trim().to_owned()))
        .collect();
    if outputs.windows(2).any(|pair| pair[0] != pair[1]) {
        evidence.fail(format!("the projects of {size} lines print {outputs:?}"));
    }
}
