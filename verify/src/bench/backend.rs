//! LIR to bytes alone, in processor time, against the code generation passes of `clang -O0` on the same project in C.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::timing::Timed;
use super::{Ratios, folder};
use crate::child;
use crate::corpus;
use crate::evidence::{Evidence, Table};
use crate::program::{Program, guarded};
use oric::queries::Options;

const LINES: u32 = 100_000;
const LIMIT: f64 = 20.0;
/// The time of clang's trace that is code generation, legalisation to object bytes.
const KEY: &str = "Total CodeGenPasses";

/// Fills the table and the ratio.
pub fn measure(evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("backend", &["what", "input", "processor ms", "detail"]);
    let ours = ours();
    let theirs = theirs();
    for (name, result) in [("oric LIR to bytes, 1 thread, least of 5", &ours), ("clang-22 -O0, CodeGenPasses of -ftime-trace", &theirs)] {
        match result {
            Ok((time, detail)) => table.row([name, &format!("{LINES} lines"), &format!("{:.1}", time.as_secs_f64() * 1000.0), detail]),
            Err(why) => {
                if !why.starts_with("unmeasured") {
                    evidence.fail(format!("{name}: {why}"));
                }
                table.row([name, &format!("{LINES} lines"), "", why]);
            }
        }
    }
    evidence.table(table);
    let ratio = super::timing::ratio(theirs.ok().map(|(time, _)| time), ours.ok().map(|(time, _)| time));
    ratios.at_least("clang -O0 code generation / oric LIR to bytes", ratio, LIMIT);
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn ours() -> Result<(Duration, String), String> {
    let folder = corpus::project("ori", LINES).ok_or("unmeasured: ../shared/bench/gen_project.py is not here")?;
    let main = corpus::project_main(&folder).ok_or("the project has no main")?;
    let options = Options { check_allocation: false, ..Options::default() };
    let program = Program::load(&main, options, crate::workers::count()).map_err(|refusal| refusal.to_string())?;
    let bodies: Vec<_> = program.functions().into_iter().filter_map(|item| program.lir(item)).collect();
    let instructions: usize = bodies.iter().map(|body| body.size()).sum();
    guarded(|| {
        let mut scratch = machine::Scratch::default();
        let mut best = Duration::MAX;
        let mut bytes = 0;
        for _ in 0..5 {
            bytes = 0;
            let started = now();
            for body in &bodies {
                bytes += machine::compile(body, &mut scratch, false).map_err(|error| error.to_string())?.bytes.len();
            }
            best = best.min(now().saturating_sub(started));
        }
        let each = best.as_nanos() as f64 / instructions.max(1) as f64;
        Ok((best, format!("{} functions, {instructions} instructions, {bytes} bytes, {each:.0} ns an instruction", bodies.len())))
    })?
}

fn theirs() -> Result<(Duration, String), String> {
    let project = corpus::project("c", LINES).ok_or("unmeasured: ../shared/bench/gen_project.py is not here")?;
    child::find("clang-22").ok_or("unmeasured: clang-22 is not installed")?;
    let out = folder().join("time-trace");
    let _ = std::fs::remove_dir_all(&out);
    std::fs::create_dir_all(&out).map_err(|error| error.to_string())?;
    let mut micros = 0u64;
    let (mut wall, mut cpu) = (Duration::ZERO, Duration::ZERO);
    let files = corpus::files_below(&project, "c");
    for file in &files {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (object, trace) = (out.join(format!("{stem}.o")), out.join(format!("{stem}.json")));
        let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let option = format!("-ftime-trace={}", path(&trace));
        let sample = Timed::new("clang", &out, &["clang-22", "-O0", "-c", &option, &path(file), "-o", &path(&object)]).once()?;
        wall += sample.wall;
        cpu += sample.cpu;
        let text = std::fs::read_to_string(&trace).map_err(|error| format!("{}: {error}", trace.display()))?;
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let events = value["traceEvents"].as_array().cloned().unwrap_or_default();
        let found: Vec<u64> = events.iter().filter(|e| e["name"] == KEY).filter_map(|e| e["dur"].as_u64()).collect();
        // A unit too small for the trace's grain has no such event; none at all would be a renamed key, which the sum shows.
        micros += found.iter().sum::<u64>();
    }
    if micros == 0 {
        return Err(format!("the traces have no `{KEY}`"));
    }
    // The trace says wall time; what the machine did besides is taken out by the processes' own share of it.
    let share = (cpu.as_secs_f64() / wall.as_secs_f64().max(1e-9)).min(1.0);
    let time = Duration::from_micros(micros).mul_f64(share);
    Ok((
        time,
        format!(
            "{} files, {:.0} ms of wall time in the traces, {:.0} % of it on a processor",
            files.len(),
            micros as f64 / 1000.0,
            100.0 * share
        ),
    ))
}
