//! The engine on a little spreadsheet: cells hold numbers or sums of other cells.

use std::sync::Arc;

use crate::{Ctx, Cycle, Engine, Input, Interrupt, Kind, Query};

struct Cell;
impl Input for Cell {
    const KIND: Kind = Kind(0);
    const NAME: &'static str = "cell";
    type Key = &'static str;
    type Value = Vec<&'static str>;
}

/// A cell's text: numbers are summed, names are other cells.
struct Sum;
impl Query for Sum {
    const KIND: Kind = Kind(1);
    const NAME: &'static str = "sum";
    type Key = &'static str;
    type Value = Result<i64, String>;
    fn run(cx: &Ctx<'_>, key: &&'static str) -> Result<Self::Value, Interrupt> {
        let mut sum = 0;
        for &term in cx.input::<Cell>(key).unwrap_or_default().iter() {
            match term.parse::<i64>() {
                Ok(n) => sum += n,
                Err(_) => match &*cx.get::<Sum>(&term)? {
                    Ok(n) => sum += n,
                    Err(e) => return Ok(Err(e.clone())),
                },
            }
        }
        Ok(Ok(sum))
    }
    fn on_cycle(_key: &&'static str, cycle: &Cycle) -> Option<Self::Value> {
        Some(Err(cycle.members.join(" -> ")))
    }
}

/// Whether a cell's sum is even: cuts off most changes.
struct Even;
impl Query for Even {
    const KIND: Kind = Kind(2);
    const NAME: &'static str = "even";
    type Key = &'static str;
    type Value = bool;
    fn run(cx: &Ctx<'_>, key: &&'static str) -> Result<bool, Interrupt> {
        Ok(matches!(&*cx.get::<Sum>(key)?, Ok(n) if n % 2 == 0))
    }
}

/// Reads `even` of its key only.
struct Report;
impl Query for Report {
    const KIND: Kind = Kind(3);
    const NAME: &'static str = "report";
    type Key = &'static str;
    type Value = String;
    fn run(cx: &Ctx<'_>, key: &&'static str) -> Result<String, Interrupt> {
        Ok(format!("{key}: {}", cx.get::<Even>(key)?))
    }
}

fn engine(cells: &[(&'static str, &[&'static str])]) -> Engine {
    let mut engine = Engine::new();
    engine.register_input::<Cell>();
    engine.register::<Sum>();
    engine.register::<Even>();
    engine.register::<Report>();
    engine.log_executions();
    for (key, terms) in cells {
        engine.set::<Cell>(key, terms.to_vec());
    }
    engine
}

#[test]
fn an_answer_is_computed_once() {
    let mut engine = engine(&[("a", &["1", "2"]), ("b", &["a", "a"])]);
    assert_eq!(engine.get::<Sum>(&"b"), Ok(Arc::new(Ok(6))));
    assert_eq!(engine.take_log(), ["sum(\"a\")", "sum(\"b\")"]);
    assert_eq!(engine.get::<Sum>(&"b"), Ok(Arc::new(Ok(6))));
    assert_eq!(engine.take_log(), Vec::<String>::new());
}

#[test]
fn an_edit_runs_only_what_it_can_reach() {
    let mut engine = engine(&[("a", &["1"]), ("b", &["2"]), ("c", &["a", "b"]), ("d", &["b"])]);
    for key in ["c", "d"] {
        let _ = engine.get::<Sum>(&key);
    }
    engine.take_log();
    engine.set::<Cell>(&"a", vec!["5"]);
    assert_eq!(engine.get::<Sum>(&"c"), Ok(Arc::new(Ok(7))));
    assert_eq!(engine.get::<Sum>(&"d"), Ok(Arc::new(Ok(2))));
    assert_eq!(engine.take_log(), ["sum(\"a\")", "sum(\"c\")"]);
}

#[test]
fn an_equal_result_cuts_off() {
    let mut engine = engine(&[("a", &["2"])]);
    let _ = engine.get::<Report>(&"a");
    engine.take_log();
    engine.set::<Cell>(&"a", vec!["4"]);
    assert_eq!(engine.get::<Report>(&"a").map(|s| s.to_string()), Ok("a: true".to_owned()));
    assert_eq!(engine.take_log(), ["even(\"a\")", "sum(\"a\")"]);
    engine.set::<Cell>(&"a", vec!["5"]);
    assert_eq!(engine.get::<Report>(&"a").map(|s| s.to_string()), Ok("a: false".to_owned()));
    assert_eq!(engine.take_log(), ["even(\"a\")", "report(\"a\")", "sum(\"a\")"]);
}

#[test]
fn an_equal_input_is_no_edit() {
    let mut engine = engine(&[("a", &["2"])]);
    let _ = engine.get::<Sum>(&"a");
    engine.take_log();
    assert!(!engine.set::<Cell>(&"a", vec!["2"]));
    let _ = engine.get::<Sum>(&"a");
    assert_eq!(engine.take_log(), Vec::<String>::new());
}

#[test]
fn dependencies_are_those_of_the_last_run() {
    let mut engine = engine(&[("a", &["b"]), ("b", &["1"]), ("c", &["9"])]);
    let _ = engine.get::<Sum>(&"a");
    engine.set::<Cell>(&"a", vec!["c"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(9))));
    engine.take_log();
    engine.set::<Cell>(&"b", vec!["3"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(9))));
    assert_eq!(engine.take_log(), Vec::<String>::new());
    engine.set::<Cell>(&"c", vec!["10"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(10))));
}

#[test]
fn an_input_that_appears_or_vanishes_is_an_edit() {
    let mut engine = engine(&[("a", &["late"])]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(0))));
    engine.set::<Cell>(&"late", vec!["4"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(4))));
    engine.remove::<Cell>(&"late");
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(0))));
}

#[test]
fn a_cycle_reads_the_same_from_every_entry() {
    for entry in ["a", "b", "c"] {
        let engine = engine(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["b"])]);
        let expected = "sum(\"a\") -> sum(\"b\") -> sum(\"c\")".to_owned();
        assert_eq!(engine.get::<Sum>(&entry), Ok(Arc::new(Err(expected.clone()))), "entered at {entry}");
        for key in ["a", "b", "c", "d"] {
            assert_eq!(engine.get::<Sum>(&key), Ok(Arc::new(Err(expected.clone()))), "{key} after {entry}");
        }
    }
}

#[test]
fn breaking_a_cycle_mends_its_members() {
    let mut engine = engine(&[("a", &["b"]), ("b", &["a"])]);
    let _ = engine.get::<Sum>(&"a");
    engine.set::<Cell>(&"b", vec!["7"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(7))));
    assert_eq!(engine.get::<Sum>(&"b"), Ok(Arc::new(Ok(7))));
}

#[test]
fn a_cancelled_session_answers_later() {
    let mut engine = engine(&[("a", &["1"])]);
    engine.cancel();
    assert_eq!(engine.get::<Sum>(&"a"), Err(Interrupt::Cancelled));
    engine.resume();
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(1))));
}

/// Random spreadsheets and edits against a fresh engine: same answers, and two workers agree with one.
#[test]
fn edits_end_where_a_clean_run_ends() {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const NUMBERS: [&str; 4] = ["1", "2", "3", "4"];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % n as u64) as usize
    };
    for _ in 0..60 {
        let mut cells: Vec<Vec<&'static str>> = vec![Vec::new(); NAMES.len()];
        let mut live = engine(&[]);
        for _ in 0..40 {
            let row = random(NAMES.len());
            // Later cells only, now and then any cell: some cycles, not only cycles.
            let low = if random(10) == 0 { 0 } else { row + 1 };
            cells[row] = (0..random(4))
                .map(|_| match random(2) {
                    0 if low < NAMES.len() => NAMES[low + random(NAMES.len() - low)],
                    _ => NUMBERS[random(4)],
                })
                .collect();
            live.set::<Cell>(&NAMES[row], cells[row].clone());
            let clean = {
                let cells: Vec<(&'static str, &[&'static str])> = NAMES.iter().zip(&cells).map(|(n, c)| (*n, &c[..])).collect();
                engine(&cells)
            };
            std::thread::scope(|scope| {
                for offset in 0..2 {
                    let live = &live;
                    scope.spawn(move || {
                        for i in 0..NAMES.len() {
                            let _ = live.get::<Even>(&NAMES[(i * 3 + offset * 5) % NAMES.len()]);
                        }
                    });
                }
            });
            for name in NAMES {
                let (ours, theirs) = (live.get::<Sum>(&name), clean.get::<Sum>(&name));
                // Which of several entangled cycles is named may differ; that there is one may not.
                match (&ours, &theirs) {
                    (Ok(a), Ok(b)) => assert_eq!(a.as_ref().as_ref().ok(), b.as_ref().as_ref().ok(), "{name} of {cells:?}"),
                    (a, b) => assert_eq!(a, b),
                }
            }
        }
    }
}
