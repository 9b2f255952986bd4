//! `--timings`: where the time of this session went, as a page or as a trace.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use query::engine::Execution;
use serde_json::json;

use crate::cli::{Output, Timings};
use crate::held::write;
use crate::session::{Session, Step};

/// Executions that a page draws; the shorter ones are in its sums.
const DRAWN: usize = 4000;
/// Executions that a page names.
const NAMED: usize = 100;

/// Lanes of other programs are behind those of the workers of queries.
const PROGRAMS: u32 = 1000;

/// What took time: a query, or another program.
enum What {
    Query(Execution),
    Step(Step),
}

/// An execution with the time that it spent itself.
struct Run {
    what: What,
    worker: u32,
    /// Nanoseconds since the engine was made.
    started: u64,
    nanos: u64,
    /// Nanoseconds without those of the queries that it ran.
    own: u64,
    /// How many executions it stands in.
    depth: u32,
}

/// Writes the report beside the store and says where it is.
pub fn timings(session: &Session, form: Timings, output: &Output) {
    let queries = session.engine.executions().into_iter().map(|what| Run {
        worker: what.worker,
        started: what.started,
        nanos: u64::from(what.nanos),
        own: u64::from(what.nanos),
        depth: 0,
        what: What::Query(what),
    });
    let steps = session.steps.iter().map(|step| {
        let nanos = step.took.as_nanos() as u64;
        let worker = PROGRAMS + if step.kind == "llvm" { 1 + step.worker as u32 } else { 0 };
        Run { worker, started: session.engine.at(step.started), nanos, own: nanos, depth: 0, what: What::Step(step.clone()) }
    });
    let runs = nested(queries.chain(steps).collect());
    let (name, text) = match form {
        Timings::Html => ("timings.html", page(session, &runs)),
        Timings::Trace => ("timings.json", trace(session, &runs)),
    };
    let path = session.setup.cache.as_ref().map_or_else(|| PathBuf::from(name), |cache| cache.root.join(name));
    match write(&path, text.as_bytes(), false) {
        Ok(_) => {
            output.event(&json!({ "reason": "timings", "path": path.to_string_lossy(), "executions": runs.len() }));
            output.summary(&format!("timings: {}", path.display()));
        }
        Err(error) => output.warn(&format!("cannot write {}: {error}", path.display())),
    }
}

/// Puts executions in order of worker and beginning, and takes the time of each from that of the one around it.
fn nested(mut runs: Vec<Run>) -> Vec<Run> {
    // Of two that begin in the same nanosecond the longer one is the outer one.
    runs.sort_by_key(|run| (run.worker, run.started, std::cmp::Reverse(run.nanos)));
    let mut open: Vec<usize> = Vec::new();
    for at in 0..runs.len() {
        let (worker, started, nanos) = (runs[at].worker, runs[at].started, runs[at].nanos);
        while let Some(&outer) = open.last() {
            let around = &runs[outer];
            if around.worker == worker && started < around.started + around.nanos {
                break;
            }
            open.pop();
        }
        if let Some(&outer) = open.last() {
            runs[outer].own = runs[outer].own.saturating_sub(nanos);
        }
        runs[at].depth = open.len() as u32;
        open.push(at);
    }
    runs
}

fn kind(session: &Session, run: &Run) -> &'static str {
    match &run.what {
        What::Query(what) => session.engine.kind_of(what.node).map_or("unknown", |kind| session.engine.kind_name(kind)),
        What::Step(step) => step.kind,
    }
}

fn name(session: &Session, run: &Run) -> String {
    match &run.what {
        What::Query(what) => session.engine.node_name(what.node),
        What::Step(step) => format!("{}({})", step.kind, step.what),
    }
}

fn is_cut_off(run: &Run) -> bool {
    matches!(&run.what, What::Query(what) if what.old == Some(what.new))
}

/// Chrome's trace events: complete events, times in microseconds.
fn trace(session: &Session, runs: &[Run]) -> String {
    let mut text = String::from("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
    for (at, run) in runs.iter().enumerate() {
        let reason = match &run.what {
            What::Query(what) => format!("{:?}", what.reason),
            What::Step(_) => "Changed".to_owned(),
        };
        let event = json!({
            "name": name(session, run), "cat": kind(session, run), "ph": "X", "pid": 1, "tid": run.worker,
            "ts": run.started as f64 / 1e3, "dur": run.nanos as f64 / 1e3,
            "args": { "reason": reason, "cut_off": is_cut_off(run), "own_us": run.own as f64 / 1e3 },
        });
        let _ = write!(text, "{}\n{event}", if at == 0 { "" } else { "," });
    }
    text.push_str("\n]}\n");
    text
}

fn ms(nanos: u64) -> String {
    format!("{:.3}", nanos as f64 / 1e6)
}

/// One page that needs nothing else: sums by kind, the longest runs, and when they were.
fn page(session: &Session, runs: &[Run]) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut kinds: BTreeMap<&'static str, (usize, u64, usize)> = BTreeMap::new();
    for run in runs {
        let sum = kinds.entry(kind(session, run)).or_default();
        sum.0 += 1;
        sum.1 += run.own;
        sum.2 += usize::from(is_cut_off(run));
    }
    let end = runs.iter().map(|run| run.started + run.nanos).max().unwrap_or(0);
    let mut text = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>timings</title><style>body{{font:14px monospace;margin:1em}}\
         td,th{{text-align:right;padding:0 1em 0 0}}td:first-child,th:first-child{{text-align:left}}\
         .lane{{position:relative;margin:0 0 1em;background:#f4f4f4;overflow:hidden}}\
         .lane i{{position:absolute;height:11px;min-width:1px;background:#69c;border-right:1px solid #fff;box-sizing:border-box}}</style>\
         <h1>Timings</h1><p>{} queries ran in {} ms.</p>\n",
        runs.iter().filter(|run| matches!(run.what, What::Query(_))).count(),
        ms(end)
    );
    let mut sums: Vec<_> = kinds.into_iter().collect();
    sums.sort_by_key(|(name, (_, own, _))| (std::cmp::Reverse(*own), *name));
    text.push_str("<h2>By query</h2><table><thead><tr><th>query<th>ran<th>cut off<th>own ms</tr></thead><tbody>\n");
    for (name, (count, own, cut_off)) in sums {
        let _ = writeln!(text, "<tr><td>{name}<td>{count}<td>{cut_off}<td>{}</tr>", ms(own));
    }
    let mut longest: Vec<&Run> = runs.iter().collect();
    longest.sort_by_key(|run| (std::cmp::Reverse(run.own), run.started));
    text.push_str("</tbody></table>\n<h2>Longest</h2><table><thead><tr><th>query<th>own ms<th>with what it ran<th>began at<th>worker</tr></thead><tbody>\n");
    for run in longest.iter().take(NAMED) {
        let name = escape(&name(session, run));
        let (own, all, at) = (ms(run.own), ms(run.nanos), ms(run.started));
        let _ = writeln!(text, "<tr><td>{name}<td>{own}<td>{all}<td>{at}<td>{}</tr>", run.worker);
    }
    text.push_str("</tbody></table>\n<h2>When</h2>\n");
    let mut drawn: Vec<&Run> = runs.iter().collect();
    drawn.sort_by_key(|run| (std::cmp::Reverse(run.nanos), run.started));
    drawn.truncate(DRAWN);
    drawn.sort_by_key(|run| (run.worker, run.started, run.depth));
    let share = |nanos: u64| nanos as f64 * 100.0 / end.max(1) as f64;
    for lane in drawn.chunk_by(|a, b| a.worker == b.worker) {
        let deepest = lane.iter().map(|run| run.depth).max().unwrap_or(0);
        let whose = match lane[0].worker {
            PROGRAMS => "linker".to_owned(),
            program @ PROGRAMS.. => format!("oric-llvm {}", program - PROGRAMS),
            worker => format!("worker {worker}"),
        };
        let _ = write!(text, "<p>{whose}</p><div class=\"lane\" style=\"height:{}px\">", (deepest + 1) * 12);
        for run in lane {
            let name = escape(&name(session, run)).replace('"', "&quot;");
            let (left, width) = (share(run.started), share(run.nanos));
            let (all, top) = (ms(run.nanos), run.depth * 12);
            let _ = write!(text, "<i style=\"left:{left:.3}%;width:{width:.3}%;top:{top}px\" title=\"{name} {all} ms\"></i>");
        }
        text.push_str("</div>\n");
    }
    text
}
