//! Every bit of a text of IR flipped: what comes out is no dump and refused with a code, or refused by the verifier with a code, or a legal program.
//! Never a panic, never a hang.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::corpus;
use crate::evidence::{Evidence, Table};
use crate::levels;
use crate::program::{Program, checked_options, guarded};
use crate::random::Random;
use crate::workers;

/// What became of the flips of one level.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    /// Bits flipped.
    pub flips: usize,
    /// Refused by the reader.
    pub unreadable: usize,
    /// Refused by the verifier.
    pub refused: usize,
    /// The same program in other words, or another legal program.
    pub legal: usize,
}

/// Longest time that a flip may take.
const SLOWEST: Duration = Duration::from_secs(5);

/// The texts to damage: fixtures that are meant to be right, and dumps of a compiled program where a level has no fixtures.
pub fn texts() -> Vec<(String, String)> {
    let root = corpus::root();
    let mut texts = Vec::new();
    for level in ["hir", "mir", "lir", "machine"] {
        for folder in ["ok", "run"] {
            let files: Vec<PathBuf> = corpus::files(&root.join("fixtures").join(level).join(folder), "ir");
            texts.extend(files.into_iter().filter_map(|file| {
                let text = std::fs::read_to_string(&file).ok()?;
                Some((file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned(), text))
            }));
        }
    }
    if let Ok(program) = Program::load(&root.join("fixtures/kernels/collatz.ori"), checked_options(), 1) {
        for stage in levels::STAGES {
            if let Ok(text) = levels::text(&program, stage) {
                texts.push((format!("collatz {stage}"), text));
            }
        }
    }
    texts
}

/// Flips at most `bound` bits of each text, all of them when it has no more.
pub fn flip(name: &str, text: &str, bound: usize, seed: u64) -> Result<Counts, String> {
    let bits = text.len() * 8;
    let mut counts = Counts::default();
    let mut random = Random::new(seed ^ text.len() as u64);
    for number in 0..bits.min(bound) {
        let bit = if bits <= bound { number } else { random.below(bits) };
        let mut bytes = text.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let started = Instant::now();
        counts.flips += 1;
        // A dump is text: what is no UTF-8 is refused before any reader sees it.
        let Ok(damaged) = String::from_utf8(bytes) else {
            counts.unreadable += 1;
            continue;
        };
        match guarded(|| levels::read(&damaged)) {
            Err(panic) => return Err(format!("{name}: bit {bit} (byte {}): {panic}", bit / 8)),
            Ok(Err(error)) if error.code().len() < 5 => return Err(format!("{name}: bit {bit}: refused without a code: {error}")),
            Ok(Err(_)) => counts.unreadable += 1,
            Ok(Ok(reading)) if reading.faults.is_empty() => counts.legal += 1,
            Ok(Ok(_)) => counts.refused += 1,
        }
        if started.elapsed() > SLOWEST {
            return Err(format!("{name}: bit {bit} took {:?}", started.elapsed()));
        }
    }
    Ok(counts)
}

fn cells(name: &str, c: Counts) -> [String; 5] {
    [name.to_owned(), c.flips.to_string(), c.unreadable.to_string(), c.refused.to_string(), c.legal.to_string()]
}

/// Flips bits of all texts.
pub fn run(bound: usize, seed: u64) -> bool {
    let mut evidence = Evidence::new("bits");
    report(&mut evidence, bound, seed);
    evidence.close()
}

/// As [`run`], into the findings of somebody else.
pub fn report(evidence: &mut Evidence, bound: usize, seed: u64) {
    let texts = texts();
    let results = workers::each(&texts, |(name, text)| flip(name, text, bound, seed));
    let columns = ["text", "flips", "no dump", "refused by the verifier", "legal"];
    let mut table = Table::new("bits-texts", &columns);
    let mut levels: BTreeMap<String, Counts> = BTreeMap::new();
    for ((name, _), result) in texts.iter().zip(results) {
        match result {
            Err(why) | Ok(Err(why)) => evidence.fail(why),
            Ok(Ok(counts)) => {
                table.row(cells(name, counts));
                let level = ["hir", "mir", "lir", "machine"]
                    .into_iter()
                    .find(|level| name.contains(&format!("/{level}/")) || name.contains(&format!(" {level}.")));
                let sum = levels.entry(level.unwrap_or("other").to_owned()).or_default();
                sum.flips += counts.flips;
                sum.unreadable += counts.unreadable;
                sum.refused += counts.refused;
                sum.legal += counts.legal;
            }
        }
    }
    evidence.quiet_table(table);
    let mut table = Table::new("bits", &columns);
    for (level, counts) in levels {
        table.row(cells(&level, counts));
    }
    evidence.table(table);
}
