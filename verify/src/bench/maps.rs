//! Maps with int, pair and str keys beside `hashbrown`: what an insertion into a growing map and a hit cost, at three sizes.
//!
//! Both sides make the same keys and do the same to them; their texts are borrowed in Rust and values in Ori. What making the keys costs, and for hits making the
//! map, is measured with no rounds and taken off.

use std::hash::Hash;

use hashbrown::HashMap;

use super::timing::{Timed, in_turns};
use super::{Ratios, folder};
use crate::evidence::{Evidence, Table};
use crate::{child, corpus};

/// Entries and rounds.
const SIZES: [(u64, u64); 3] = [(1_000, 20_000), (100_000, 100), (4_000_000, 2)];
/// Rounds of measuring; the median of the quieter half counts.
const RUNS: usize = 3;
/// Against `hashbrown`.
const LIMIT: f64 = 1.5;

/// Fills the table and a ratio for each kind of key and operation: the worst of the three sizes.
pub fn measure(oric: &str, evidence: &mut Evidence, ratios: &mut Ratios) {
    let root = corpus::root();
    let ours = folder().join("maps-ori").to_string_lossy().into_owned();
    let source = root.join("fixtures/kernels/maps.ori").to_string_lossy().into_owned();
    let theirs = std::env::current_exe().map(|path| path.to_string_lossy().into_owned());
    let (Ok(theirs), Ok(_)) = (theirs, child::succeed(&root, oric, &["build", &source, "-o", &ours])) else {
        return evidence.fail(format!("{source} cannot be built"));
    };
    let mut table = Table::new("maps", &["keys", "operation", "entries", "ori ns", "hashbrown ns", "ratio"]);
    for kind in ["int", "pair", "str"] {
        for mode in ["insert", "hit"] {
            let mut worst = Some(0.0f64);
            for (size, rounds) in SIZES {
                let found = one(&ours, &theirs, [kind, mode], size, rounds);
                let [shown_ours, shown_theirs, shown] = match &found {
                    Ok((ours, theirs)) => [format!("{ours:.1}"), format!("{theirs:.1}"), format!("{:.2}", ours / theirs)],
                    Err(why) => [String::new(), String::new(), format!("unmeasured: {why}")],
                };
                table.row([kind, mode, &size.to_string(), &shown_ours, &shown_theirs, &shown]);
                worst = worst.zip(found.ok()).map(|(worst, (ours, theirs))| worst.max(ours / theirs));
            }
            ratios.at_most(&format!("map of {kind}, {mode} / hashbrown, worst size"), worst, LIMIT);
        }
    }
    evidence.table(table);
}

/// Nanoseconds of one operation, ours and theirs.
fn one(ours: &str, theirs: &str, what: [&str; 2], size: u64, rounds: u64) -> Result<(f64, f64), String> {
    let [kind, mode] = what;
    let (size_text, rounds_text) = (size.to_string(), rounds.to_string());
    let command = |rounds: &str, ours_too: bool| {
        let args = [kind, mode, &size_text, rounds];
        let line = if ours_too { [&[ours][..], &args].concat() } else { [&[theirs, "twin-of-maps"][..], &args].concat() };
        Timed::new(mode, &folder(), &line)
    };
    let output =
        |timed: &Timed| child::succeed(&timed.folder, &timed.line[0], &timed.line[1..].iter().map(String::as_str).collect::<Vec<_>>());
    let commands = [command(&rounds_text, true), command("0", true), command(&rounds_text, false), command("0", false)];
    if output(&commands[0])? != output(&commands[2])? {
        return Err("they print different sums".to_owned());
    }
    let times: Vec<f64> =
        in_turns(&commands, RUNS, |_| {}).into_iter().map(|sample| Ok(sample?.wall.as_secs_f64())).collect::<Result<_, String>>()?;
    let cost = |with: f64, without: f64| (with - without).max(0.0) * 1e9 / (size * rounds) as f64;
    Ok((cost(times[0], times[1]), cost(times[2], times[3]).max(0.01)))
}

/// The same as `fixtures/kernels/maps.ori` in Rust.
pub fn twin(args: &[String]) -> Option<bool> {
    let [kind, mode, size, rounds] = args else { return None };
    let (size, rounds): (i64, u64) = (size.parse().ok()?, rounds.parse().ok()?);
    let other = |at: i64| at * 611_953 % size;
    let is_insert = mode == "insert";
    let sum = if kind == "int" {
        let keys: Vec<i64> = (0..size).map(number).collect();
        let probes: Vec<i64> = (0..size).map(|at| number(other(at))).collect();
        work(&keys, &probes, is_insert, rounds)
    } else if kind == "pair" {
        let place = |at: i64| (at & 1023, at >> 10);
        let keys: Vec<(i64, i64)> = (0..size).map(place).collect();
        let probes: Vec<(i64, i64)> = (0..size).map(|at| place(other(at))).collect();
        work(&keys, &probes, is_insert, rounds)
    } else {
        let keys: Vec<String> = (0..size).map(|at| format!("key {}", number(at))).collect();
        let probes: Vec<String> = (0..size).map(|at| format!("key {}", number(other(at)))).collect();
        let borrowed = |texts: &'static [String]| texts.iter().map(String::as_str).collect::<Vec<&str>>();
        work(&borrowed(keys.leak()), &borrowed(probes.leak()), is_insert, rounds)
    };
    println!("{sum}");
    Some(true)
}

fn number(at: i64) -> i64 {
    let mixed = (at + 1).wrapping_mul(-7_046_029_254_386_353_131);
    (mixed ^ (mixed >> 29)) & 1_152_921_504_606_846_975
}

fn work<K: Copy + Eq + Hash>(keys: &[K], probes: &[K], is_insert: bool, rounds: u64) -> i64 {
    let build = || {
        let mut map: HashMap<K, i64> = HashMap::new();
        for (at, &key) in (0..).zip(keys) {
            map.insert(key, at);
        }
        map
    };
    if is_insert {
        return (0..rounds).map(|_| build().len() as i64).sum();
    }
    let map = build();
    map.len() as i64 + (0..rounds).map(|_| probes.iter().map(|key| map.get(key).copied().unwrap_or(0)).sum::<i64>()).sum::<i64>()
}
