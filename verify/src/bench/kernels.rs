//! Run time of programs against `clang -O2` on the same programs in C, in turns.

use super::timing::{Timed, in_turns, ms, ratio};
use super::{Ratios, folder};
use crate::child;
use crate::corpus;
use crate::evidence::{Evidence, Table};

const KERNELS: [(&str, &str); 5] = [("fib", "40"), ("nbody", "5000000"), ("mandelbrot", "2000"), ("collatz", "1000000"), ("gcd", "3000")];
/// Kernels whose values live on the heap.
const HEAP: [(&str, &str); 6] =
    [("rbtree", "1000000"), ("binary_trees", "16"), ("cfold", "18"), ("deriv", "9"), ("sort", "2"), ("wordcount", "1000000")];
/// A compiler beside ours.
struct Peer {
    /// What is run, and how the table calls it.
    name: &'static str,
    extension: &'static str,
    args: &'static [&'static str],
}

/// The compilers beside ours, as `shared/bench/kernels/run.py` calls them. Each source is copied first: OCaml writes beside it.
const PEERS: [Peer; 4] = [
    Peer { name: "clang-22", extension: "c", args: &["-O2", "-w", "-o", "{out}", "{source}", "-lm"] },
    Peer { name: "go", extension: "go", args: &["build", "-o", "{out}", "{source}"] },
    Peer { name: "ocamlopt", extension: "ml", args: &["-O3", "-unsafe", "-inline", "100", "-w", "-a", "-o", "{out}", "{source}"] },
    Peer {
        name: "nim",
        extension: "nim",
        args: &["c", "--hints:off", "--warnings:off", "-d:release", "--mm:arc", "--nimcache:{out}.cache", "-o:{out}", "{source}"],
    },
];
/// Rounds; the median of the quieter half counts.
const RUNS: usize = 7;
/// Geometric mean.
const LIMIT: f64 = 1.6;

/// Kernels of release builds: numbers, then values on the heap.
const NUMERIC: [(&str, &str); 8] = [
    ("fib", "40"),
    ("nbody", "5000000"),
    ("spectral_norm", "1500"),
    ("fannkuch", "10"),
    ("mandelbrot", "1500"),
    ("matmul", "600"),
    ("sieve", "20000000"),
    ("sort", "2"),
];
const MEMORY: [(&str, &str); 5] = [("rbtree", "1000000"), ("deriv", "9"), ("cfold", "18"), ("nqueens", "12"), ("binary_trees", "16")];
/// Numeric kernels of release builds against `clang -O2`, which checks nothing: geometric mean, and each.
const RELEASE_LIMIT: f64 = 1.1;
const RELEASE_WORST: f64 = 1.4;

/// Release builds: every kernel beside its twin in C by `clang -O2`.
pub fn measure_release(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    child::raise_stacks();
    let kernels: Vec<(&str, &str)> = NUMERIC.into_iter().chain(MEMORY).collect();
    let found = beside_c("release kernels", oric, &["--release"], &kernels, evidence);
    let numeric: Option<Vec<f64>> = found.into_iter().take(NUMERIC.len()).collect();
    ratios.at_most("release run time / clang -O2, numeric kernels, geometric mean", numeric.as_deref().map(mean), RELEASE_LIMIT);
    let worst = numeric.map(|ratios| ratios.into_iter().fold(0.0, f64::max));
    ratios.at_most("release run time / clang -O2, numeric kernels, the worst", worst, RELEASE_WORST);
}

/// Fills the table and the ratio.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let found: Option<Vec<f64>> = beside_c("kernels", oric, &[], &KERNELS, evidence).into_iter().collect();
    ratios.at_most("run time / clang -O2, geometric mean", found.as_deref().map(mean), LIMIT);
}

/// Geometric mean.
fn mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

/// Each kernel, built with these flags, beside its twin in C by `clang -O2`: ours / theirs.
fn beside_c(title: &'static str, oric: &str, flags: &[&str], kernels: &[(&str, &str)], evidence: &mut Evidence) -> Vec<Option<f64>> {
    let mut table = Table::new(title, &["kernel", "size", "ori ms", "clang -O2 ms", "ratio", "state"]);
    let mut found = Vec::new();
    for &(kernel, size) in kernels {
        match one(oric, flags, kernel, size) {
            Ok((ours, theirs)) => {
                let ratio = ratio(Some(ours), Some(theirs)).unwrap_or(f64::INFINITY);
                found.push(Some(ratio));
                table.row([kernel, size, &format!("{:.1}", ms(ours)), &format!("{:.1}", ms(theirs)), &format!("{ratio:.2}"), "measured"]);
            }
            Err(why) => {
                found.push(None);
                if !why.starts_with("unmeasured") {
                    evidence.fail(format!("{kernel}: {why}"));
                }
                table.row([kernel, size, "", "", "", &why]);
            }
        }
    }
    evidence.table(table);
    found
}

/// The kernels on the heap: time and peak memory beside the peers that are installed.
pub fn measure_heap(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    child::raise_stacks();
    let found = beside_peers("kernels on the heap", oric, &[], &HEAP, evidence);
    for (peer, found) in PEERS.iter().zip(found) {
        let mean = (!found.is_empty()).then(|| mean(&found));
        // The others count nothing, or collect garbage; C frees by hand.
        ratios.at_most(&format!("heap kernels / {}, geometric mean", peer.name), mean, if peer.name == "clang-22" { LIMIT } else { 1.0 });
    }
}

/// The same for release builds: ahead of each peer with managed memory on each kernel.
pub fn measure_release_heap(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    child::raise_stacks();
    let found = beside_peers("release kernels on the heap", oric, &["--release"], &MEMORY, evidence);
    for (peer, found) in PEERS.iter().zip(found) {
        let (mean, worst) = ((!found.is_empty()).then(|| mean(&found)), found.iter().copied().reduce(f64::max));
        match peer.name {
            "clang-22" => ratios.at_most("release heap kernels / clang -O2, geometric mean", mean, 1.0),
            name => ratios.at_most(&format!("release heap kernels / {name}, the worst"), worst, 1.0),
        }
    }
}

/// Each kernel beside its twins: ours / theirs, for each peer.
fn beside_peers(
    title: &'static str,
    oric: &str,
    flags: &[&str],
    kernels: &[(&'static str, &'static str)],
    evidence: &mut Evidence,
) -> [Vec<f64>; PEERS.len()] {
    let mut table = Table::new(title, &["kernel", "size", "by", "ms", "peak MB", "ori / it"]);
    let mut found: [Vec<f64>; PEERS.len()] = Default::default();
    for &(kernel, size) in kernels {
        match on_heap(oric, flags, kernel, size) {
            Err(why) => evidence.fail(format!("{kernel}: {why}")),
            Ok(rows) => {
                let ours = rows.first().and_then(|row| row.1.as_ref().ok()).map(|run| run.0);
                for (number, (by, run)) in rows.into_iter().enumerate() {
                    match run {
                        Ok((wall, peak)) => {
                            let ratio = ratio(ours, Some(wall));
                            if let (Some(peer), Some(ratio)) = (number.checked_sub(1), ratio) {
                                found[peer].push(ratio);
                            }
                            let shown = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
                            table.row([kernel, size, by, &format!("{:.1}", ms(wall)), &format!("{:.1}", peak as f64 / 1024.0), &shown]);
                        }
                        Err(why) => table.row([kernel, size, by, "", "", &format!("unmeasured: {why}")]),
                    }
                }
            }
        }
    }
    evidence.table(table);
    found
}

/// Wall time and peak memory in KB, or why there is none.
type HeapRun = Result<(std::time::Duration, u64), String>;

fn on_heap(oric: &str, flags: &[&str], kernel: &str, size: &str) -> Result<Vec<(&'static str, HeapRun)>, String> {
    let (root, folder) = (corpus::root(), folder());
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let ours = folder.join(format!("{kernel}-ori"));
    let own = path(&root.join(format!("fixtures/kernels/{kernel}.ori")));
    child::succeed(&root, oric, &[&["build", &own, "-o", &path(&ours)], flags].concat())?;
    let words = |out: Vec<u8>| String::from_utf8_lossy(&out).split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = words(child::succeed(&folder, &path(&ours), &[size])?);
    let mut built: Vec<(&'static str, Result<String, String>)> = vec![("ori", Ok(path(&ours)))];
    for Peer { name, extension, args } in PEERS {
        let made = || {
            let source = corpus::shared().map(|shared| shared.join(format!("kernels/{kernel}.{extension}"))).filter(|file| file.is_file());
            let source = source.ok_or("there is no such source")?;
            child::find(name).ok_or("it is not installed")?;
            let out = path(&folder.join(format!("{kernel}-{extension}")));
            let copy = folder.join(format!("{kernel}_copy.{extension}"));
            std::fs::copy(&source, &copy).map_err(|error| error.to_string())?;
            let args: Vec<String> = args.iter().map(|word| word.replace("{out}", &out).replace("{source}", &path(&copy))).collect();
            child::succeed(&folder, name, &args.iter().map(String::as_str).collect::<Vec<_>>())?;
            let found = words(child::succeed(&folder, &out, &[size])?);
            if found == wanted { Ok(out) } else { Err(format!("prints `{found}`, and ours prints `{wanted}`")) }
        };
        built.push((name, made()));
    }
    let commands: Vec<Timed> =
        built.iter().filter_map(|(name, program)| Some(Timed::new(name, &folder, &[program.as_ref().ok()?, size]))).collect();
    let mut times = in_turns(&commands, RUNS, |_| {}).into_iter();
    let mut rows = Vec::new();
    for (name, program) in built {
        rows.push((
            name,
            program.and_then(|program| {
                let sample = times.next().unwrap_or_else(|| Err("not run".to_owned()))?;
                Ok((sample.wall, child::peak(&program, &[size]).map_err(|error| error.to_string())?))
            }),
        ));
    }
    Ok(rows)
}

fn one(oric: &str, flags: &[&str], kernel: &str, size: &str) -> Result<(std::time::Duration, std::time::Duration), String> {
    let root = corpus::root();
    let folder = folder();
    let own = root.join(format!("fixtures/kernels/{kernel}.ori"));
    let mut twins = vec![root.join(format!("fixtures/kernels/{kernel}.c"))];
    twins.extend(corpus::shared().map(|shared| shared.join(format!("kernels/{kernel}.c"))));
    let twin = twins.into_iter().find(|file| file.is_file()).ok_or("unmeasured: there is no C twin")?;
    if child::find("clang-22").is_none() {
        return Err("unmeasured: clang-22 is not installed".to_owned());
    }
    let (ours, theirs) = (folder.join(format!("{kernel}-ori")), folder.join(format!("{kernel}-c")));
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let (own, out) = (path(&own), path(&ours));
    child::succeed(&root, oric, &[&["build", &own, "-o", &out], flags].concat())?;
    child::succeed(&root, "clang-22", &["-O2", "-w", "-o", &path(&theirs), &path(&twin), "-lm"])?;
    let words = |out: Vec<u8>| String::from_utf8_lossy(&out).split_whitespace().collect::<Vec<_>>().join(" ");
    let (a, b) = (words(child::succeed(&folder, &path(&ours), &[size])?), words(child::succeed(&folder, &path(&theirs), &[size])?));
    if a != b {
        return Err(format!("prints `{a}`, and C prints `{b}`"));
    }
    let commands = [Timed::new("ori", &folder, &[&path(&ours), size]), Timed::new("c", &folder, &[&path(&theirs), size])];
    let mut times = in_turns(&commands, RUNS, |_| {}).into_iter();
    match (times.next(), times.next()) {
        (Some(Ok(ours)), Some(Ok(theirs))) => Ok((ours.wall, theirs.wall)),
        (one, two) => Err(format!("{one:?} {two:?}")),
    }
}
