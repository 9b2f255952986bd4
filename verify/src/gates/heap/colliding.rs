//! Keys that collide under simple hashes cost a map no more than three times what random keys cost: it hashes with a secret, and nobody who does not know that can choose keys.
//!
//! The times are of one program, run here one after the other, the best of several: what counts is their ratio.

use std::time::{Duration, Instant};

use super::checked;
use crate::child::Limits;
use crate::evidence::{Evidence, Table};
use crate::program::{Program, checked_options};

const KEYS: &str = "@next (x: int) -> int = (x * 1103515245 + 12345) % 2147483648;

@ints (kind: str, count: int) -> [int] = {
    let x = 7;
    let keys = [];
    for i in 0..count do {
        x = next(x: x);
        let key = match kind {
            \"multiples of 2^32\" -> i * 4294967296,
            \"multiples of 2^46\" -> (i - 65536) * 70368744177664,
            \"a row\" -> i,
            \"equal halves\" -> i * 4294967297,
            _ -> x * 2147483648 + i * 3,
        };
        keys = keys.push(key);
    }
    keys
};

@texts (kind: str, count: int) -> [str] = {
    let x = 7;
    let keys = [];
    let same = \"a text that all of them have, as long as that\";
    for i in 0..count do {
        x = next(x: x);
        let key = match kind {
            \"one prefix\" -> `{same}{i + 1000000000}`,
            \"one suffix\" -> `{i + 1000000000}{same}`,
            _ -> `{x + 2000000000}-{i + 1000000000}-{x + 3000000000}-{i + 1000000000}-{i + 2000000000}-`,
        };
        keys = keys.push(key);
    }
    keys
};

#derive(Eq)
type Careless = { n: int };
impl Careless: Hashable { @hash (self) -> int = 1; }

@rounds<K> (keys: [K], times: int) -> int where K: Hashable + Eq = {
    let sum = 0;
    for t in 0..times do {
        let map: {K: int} = {};
        for i in 0..keys.len() do map[keys[i]] = i + t;
        for i in 0..keys.len() do sum += map[keys[i]] ?? 0;
    }
    sum
};

@main (args: [str]) -> void = {
    let sum = match args[0] {
        \"int\" -> rounds(keys: ints(kind: args[1], count: 100000), times: 4),
        \"str\" -> rounds(keys: texts(kind: args[1], count: 100000), times: 2),
        _ -> rounds(keys: ints(kind: \"a row\", count: 7000).map(n -> Careless { n: n }), times: 2),
    };
    print(msg: `{sum}`)
};
";

/// Types and kinds of keys; the first of each type are those that the others are measured by.
const KINDS: [(&str, &[&str]); 2] = [
    ("int", &["random", "multiples of 2^32", "multiples of 2^46", "a row", "equal halves"]),
    ("str", &["random", "one prefix", "one suffix"]),
];
/// The most that keys may cost, in times of random ones.
const MOST: f64 = 3.0;
const RUNS: usize = 3;

/// Measures them.
pub fn check(evidence: &mut Evidence) {
    let mut table = Table::new("keys that collide", &["type", "keys", "times of random ones", "at most"]);
    if let Err(why) = measure(evidence, &mut table) {
        evidence.fail(why);
    }
    evidence.table(table);
}

fn measure(evidence: &mut Evidence, table: &mut Table) -> Result<(), String> {
    let image = Program::of_text(KEYS, checked_options()).map_err(|refusal| refusal.to_string())?.image()?;
    let mut ints = Duration::ZERO;
    for (ty, kinds) in KINDS {
        let mut random = Duration::ZERO;
        for (index, kind) in kinds.iter().enumerate() {
            let time = best(&image, ty, kind)?;
            if index == 0 {
                random = time;
                if ty == "int" {
                    ints = time;
                }
            }
            let ratio = time.as_secs_f64() / random.as_secs_f64();
            if ratio > MOST {
                evidence.fail(format!("{ty} keys, {kind}: {ratio:.1} times what random ones take"));
            }
            // What is printed is the judgement; the number is another one each time.
            table.row([ty, kind, if ratio > MOST { "more" } else { "fewer" }, "3"]);
        }
    }
    // Keys with one hash, whose own type says so, are what this would see: fewer of them.
    let careless = best(&image, "careless", "all one")?;
    if careless < ints.mul_f64(MOST) {
        return Err(format!("keys that all have one hash are not slow ({careless:?} and {ints:?}): this sees nothing"));
    }
    table.row(["a type with one hash", "all one (fewer)", "more", "refused"]);
    Ok(())
}

fn best(image: &[u8], ty: &str, kind: &str) -> Result<Duration, String> {
    let args = [ty.to_owned(), kind.to_owned()];
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        let ending = checked(image, &args, &[], Limits::default())?;
        best = best.min(start.elapsed());
        if ending.status != Some(0) {
            return Err(format!("{ty} {kind}: {}", ending.line()));
        }
    }
    Ok(best)
}
