//! Run time of programs against `clang -O2` on the same programs in C, in turns.

use super::timing::{Timed, in_turns, ms, ratio};
use super::{Ratios, folder};
use crate::child;
use crate::corpus;
use crate::evidence::{Evidence, Table};

const KERNELS: [(&str, &str); 5] = [("fib", "40"), ("nbody", "5000000"), ("mandelbrot", "2000"), ("collatz", "1000000"), ("gcd", "3000")];
/// Rounds; the median of the quieter half counts.
const RUNS: usize = 5;
/// Geometric mean.
const LIMIT: f64 = 1.6;

/// Fills the table and the ratio.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let mut table = Table::new("kernels", &["kernel", "size", "ori ms", "clang -O2 ms", "ratio", "state"]);
    let mut logs = Vec::new();
    for (kernel, size) in KERNELS {
        match one(oric, kernel, size) {
            Ok((ours, theirs)) => {
                let ratio = ratio(Some(ours), Some(theirs)).unwrap_or(f64::INFINITY);
                logs.push(ratio.ln());
                table.row([kernel, size, &format!("{:.1}", ms(ours)), &format!("{:.1}", ms(theirs)), &format!("{ratio:.2}"), "measured"]);
            }
            Err(why) => {
                if !why.starts_with("unmeasured") {
                    evidence.fail(format!("{kernel}: {why}"));
                }
                table.row([kernel, size, "", "", "", &why]);
            }
        }
    }
    evidence.table(table);
    let mean = (logs.len() == KERNELS.len()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp());
    ratios.at_most("run time / clang -O2, geometric mean", mean, LIMIT);
}

fn one(oric: &str, kernel: &str, size: &str) -> Result<(std::time::Duration, std::time::Duration), String> {
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
    child::succeed(&root, oric, &["build", &path(&own), "-o", &path(&ours)])?;
    child::succeed(&root, "clang-22", &["-O2", "-o", &path(&theirs), &path(&twin), "-lm"])?;
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
