//! The engine on a little spreadsheet: cells hold numbers or sums of other cells.

mod firewalls;

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::Outcome;
use crate::store::{Store, StoreOptions};
use crate::{Ctx, Cycle, Engine, Fp, Input, Interrupt, Kind, Query};

type Name = &'static str;

fn to_bytes(name: &Name, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
}

/// Names are single letters and a few words, so a leak a test costs nothing.
fn from_bytes(bytes: &[u8]) -> Option<Name> {
    Some(Box::leak(std::str::from_utf8(bytes).ok()?.to_owned().into_boxed_str()))
}

struct Cell;
impl Input for Cell {
    const KIND: Kind = Kind(0);
    const NAME: &'static str = "cell";
    type Key = Name;
    type Value = Vec<Name>;
    fn key_to_bytes(key: &Name, out: &mut Vec<u8>) {
        to_bytes(key, out);
    }
    fn key_from_bytes(bytes: &[u8]) -> Option<Name> {
        from_bytes(bytes)
    }
}

/// A cell's text: numbers are summed, names are other cells.
struct Sum;
impl Query for Sum {
    const KIND: Kind = Kind(1);
    const NAME: &'static str = "sum";
    const PERSISTED: bool = true;
    type Key = Name;
    type Value = Result<i64, String>;
    fn run(cx: &Ctx<'_>, key: &Name) -> Result<Self::Value, Interrupt> {
        let mut sum = 0;
        for &term in cx.input::<Cell>(key)?.unwrap_or_default().iter() {
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
    fn on_cycle(_key: &Name, cycle: &Cycle) -> Option<Self::Value> {
        Some(Err(cycle.members.join(" -> ")))
    }
    fn schema() -> Fp {
        Fp::NONE
    }
    fn key_to_bytes(key: &Name, out: &mut Vec<u8>) {
        to_bytes(key, out);
    }
    fn key_from_bytes(bytes: &[u8]) -> Option<Name> {
        from_bytes(bytes)
    }
    fn to_bytes(value: &Self::Value, out: &mut Vec<u8>) {
        match value {
            Ok(n) => out.extend_from_slice(format!("+{n}").as_bytes()),
            Err(text) => out.extend_from_slice(format!("!{text}").as_bytes()),
        }
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self::Value> {
        let text = std::str::from_utf8(bytes).ok()?;
        match text.split_at_checked(1)? {
            ("+", n) => Some(Ok(n.parse().ok()?)),
            ("!", text) => Some(Err(text.to_owned())),
            _ => None,
        }
    }
}

/// Whether a cell's sum is even: cuts off most changes. Its value is not stored.
struct Even;
impl Query for Even {
    const KIND: Kind = Kind(2);
    const NAME: &'static str = "even";
    type Key = Name;
    type Value = bool;
    fn run(cx: &Ctx<'_>, key: &Name) -> Result<bool, Interrupt> {
        Ok(matches!(&*cx.get::<Sum>(key)?, Ok(n) if n % 2 == 0))
    }
    fn schema() -> Fp {
        Fp::NONE
    }
    fn key_to_bytes(key: &Name, out: &mut Vec<u8>) {
        to_bytes(key, out);
    }
    fn key_from_bytes(bytes: &[u8]) -> Option<Name> {
        from_bytes(bytes)
    }
}

/// Reads `even` of its key only.
struct Report;
impl Query for Report {
    const KIND: Kind = Kind(3);
    const NAME: &'static str = "report";
    const PERSISTED: bool = true;
    type Key = Name;
    type Value = String;
    fn run(cx: &Ctx<'_>, key: &Name) -> Result<String, Interrupt> {
        Ok(format!("{key}: {}", cx.get::<Even>(key)?))
    }
    fn schema() -> Fp {
        Fp::NONE
    }
    fn key_to_bytes(key: &Name, out: &mut Vec<u8>) {
        to_bytes(key, out);
    }
    fn key_from_bytes(bytes: &[u8]) -> Option<Name> {
        from_bytes(bytes)
    }
    fn to_bytes(value: &String, out: &mut Vec<u8>) {
        out.extend_from_slice(value.as_bytes());
    }
    fn from_bytes(bytes: &[u8]) -> Option<String> {
        String::from_utf8(bytes.to_vec()).ok()
    }
}

fn bare_engine() -> Engine {
    let mut engine = Engine::new();
    engine.register_input::<Cell>();
    engine.register::<Sum>();
    engine.register::<Even>();
    engine.register::<Report>();
    engine.log_executions();
    engine
}

fn engine(cells: &[(Name, &[Name])]) -> Engine {
    let mut engine = bare_engine();
    for (key, terms) in cells {
        set(&mut engine, key, terms);
    }
    engine
}

fn set(engine: &mut Engine, key: Name, terms: &[Name]) -> bool {
    engine.set::<Cell>(&key, terms.to_vec()).expect("the store is sound")
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("query-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A session in a process of its own, as far as the engine can tell.
fn session(folder: &Folder) -> Engine {
    let mut engine = bare_engine();
    let opened = Store::open(&folder.0, &engine.schema(), &StoreOptions::default());
    assert!(opened.warnings.is_empty(), "{:?}", opened.warnings);
    engine.attach(opened.store).expect("the store is sound");
    engine
}

fn sum(engine: &Engine, key: Name) -> Result<i64, String> {
    engine.get::<Sum>(&key).expect("nothing interrupts").as_ref().clone()
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
    set(&mut engine, "a", &["5"]);
    assert_eq!(engine.get::<Sum>(&"c"), Ok(Arc::new(Ok(7))));
    assert_eq!(engine.get::<Sum>(&"d"), Ok(Arc::new(Ok(2))));
    assert_eq!(engine.take_log(), ["sum(\"a\")", "sum(\"c\")"]);
}

#[test]
fn an_equal_result_cuts_off() {
    let mut engine = engine(&[("a", &["2"])]);
    let _ = engine.get::<Report>(&"a");
    engine.take_log();
    set(&mut engine, "a", &["4"]);
    assert_eq!(engine.get::<Report>(&"a").map(|s| s.to_string()), Ok("a: true".to_owned()));
    assert_eq!(engine.take_log(), ["even(\"a\")", "sum(\"a\")"]);
    set(&mut engine, "a", &["5"]);
    assert_eq!(engine.get::<Report>(&"a").map(|s| s.to_string()), Ok("a: false".to_owned()));
    assert_eq!(engine.take_log(), ["even(\"a\")", "report(\"a\")", "sum(\"a\")"]);
}

#[test]
fn an_equal_input_is_no_edit() {
    let mut engine = engine(&[("a", &["2"])]);
    let _ = engine.get::<Sum>(&"a");
    engine.take_log();
    assert!(!set(&mut engine, "a", &["2"]));
    let _ = engine.get::<Sum>(&"a");
    assert_eq!(engine.take_log(), Vec::<String>::new());
}

#[test]
fn dependencies_are_those_of_the_last_run() {
    let mut engine = engine(&[("a", &["b"]), ("b", &["1"]), ("c", &["9"])]);
    let _ = engine.get::<Sum>(&"a");
    set(&mut engine, "a", &["c"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(9))));
    engine.take_log();
    set(&mut engine, "b", &["3"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(9))));
    assert_eq!(engine.take_log(), Vec::<String>::new());
    set(&mut engine, "c", &["10"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(10))));
}

#[test]
fn an_input_that_appears_or_vanishes_is_an_edit() {
    let mut engine = engine(&[("a", &["late"])]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(0))));
    set(&mut engine, "late", &["4"]);
    assert_eq!(engine.get::<Sum>(&"a"), Ok(Arc::new(Ok(4))));
    assert_eq!(engine.remove::<Cell>(&"late"), Ok(true));
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
    set(&mut engine, "b", &["7"]);
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
            set(&mut live, NAMES[row], &cells[row]);
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

#[test]
fn the_next_session_knows_what_this_one_learned() {
    let folder = Folder::new("next");
    let mut first = session(&folder);
    set(&mut first, "a", &["1", "2"]);
    set(&mut first, "b", &["a", "a"]);
    assert_eq!(sum(&first, "b"), Ok(6));
    assert_eq!(first.get::<Report>(&"b").map(|s| s.to_string()), Ok("b: true".to_owned()));
    assert_eq!(first.publish(Vec::new()), Outcome::Written);

    let mut second = session(&folder);
    assert!(!set(&mut second, "a", &["1", "2"]), "equal to what the store knows");
    assert_eq!(sum(&second, "b"), Ok(6));
    assert_eq!(second.get::<Report>(&"b").map(|s| s.to_string()), Ok("b: true".to_owned()));
    assert_eq!(second.take_log(), Vec::<String>::new());
    assert_eq!(second.publish(Vec::new()), Outcome::Nothing);
    // A value that is not kept is computed again when somebody wants it.
    assert_eq!(second.get::<Even>(&"b").map(|e| *e), Ok(true));
    assert_eq!(second.take_log(), ["even(\"b\")"]);

    let mut third = session(&folder);
    set(&mut third, "a", &["3", "2"]);
    assert_eq!(third.get::<Report>(&"b").map(|s| s.to_string()), Ok("b: true".to_owned()));
    assert_eq!(third.take_log(), ["even(\"b\")", "sum(\"a\")", "sum(\"b\")"]);
}

#[test]
fn a_state_seen_before_runs_nothing() {
    let folder = Folder::new("before");
    let states: [&[Name]; 2] = [&["1"], &["2"]];
    for (round, terms) in [0, 1, 0, 1, 0].into_iter().enumerate() {
        let mut engine = session(&folder);
        set(&mut engine, "a", states[terms]);
        set(&mut engine, "b", &["a", "5"]);
        assert_eq!(sum(&engine, "b"), Ok(terms as i64 + 6));
        let ran = engine.take_log();
        assert_eq!(ran.len(), if round < 2 { 2 } else { 0 }, "round {round}: {ran:?}");
        assert_eq!(engine.publish(Vec::new()), Outcome::Written);
    }
}

#[test]
fn what_nobody_asked_for_stays_out_of_date() {
    let folder = Folder::new("late");
    let mut engine = session(&folder);
    set(&mut engine, "a", &["1"]);
    set(&mut engine, "b", &["a"]);
    set(&mut engine, "c", &["a"]);
    assert_eq!((sum(&engine, "b"), sum(&engine, "c")), (Ok(1), Ok(1)));
    engine.publish(Vec::new());
    // `c` is not asked for after this edit; `b` is, so that `a` is green again.
    let mut engine = session(&folder);
    set(&mut engine, "a", &["2"]);
    set(&mut engine, "b", &["a"]);
    assert_eq!(sum(&engine, "b"), Ok(2));
    assert_eq!(engine.publish(Vec::new()), Outcome::Written);
    let mut engine = session(&folder);
    set(&mut engine, "c", &["a"]);
    assert_eq!(sum(&engine, "c"), Ok(2));
}

/// Random spreadsheets, every step in a session of its own that asks for some cells only: the answers are those of a clean run.
#[test]
fn sessions_end_where_a_clean_run_ends() {
    const NAMES: [Name; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut seed = 0x0123_4567_89ab_cdef_u64;
    let mut random = move |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % n as u64) as usize
    };
    for round in 0..30 {
        let folder = Folder::new(&format!("sessions{round}"));
        let mut cells: Vec<Vec<Name>> = vec![Vec::new(); NAMES.len()];
        for step in 0..40 {
            let mut live = session(&folder);
            for _ in 0..random(3) {
                let row = random(NAMES.len());
                cells[row] = (0..random(4))
                    .map(|_| match random(2) {
                        0 if row + 1 < NAMES.len() => NAMES[row + 1 + random(NAMES.len() - row - 1)],
                        _ => ["1", "2"][random(2)],
                    })
                    .collect();
            }
            for (name, terms) in NAMES.iter().zip(&cells) {
                set(&mut live, name, terms);
            }
            let clean: Vec<(Name, &[Name])> = NAMES.iter().zip(&cells).map(|(n, c)| (*n, &c[..])).collect();
            let mut clean = engine(&clean);
            for _ in 0..random(5) {
                // Some of what is published was gathered before more was asked, or something else was said.
                if random(3) == 0 {
                    live.gather_ahead(0);
                }
                if random(4) == 0 {
                    let row = random(NAMES.len());
                    cells[row] = vec![["1", "2"][random(2)]];
                    set(&mut live, NAMES[row], &cells[row]);
                    set(&mut clean, NAMES[row], &cells[row]);
                }
                let name = NAMES[random(NAMES.len())];
                assert_eq!(sum(&live, name), sum(&clean, name), "{name} in step {step} of {cells:?}");
                assert_eq!(live.get::<Even>(&name), clean.get::<Even>(&name), "{name} in step {step} of {cells:?}");
                assert_eq!(live.get::<Report>(&name), clean.get::<Report>(&name), "{name} in step {step} of {cells:?}");
            }
            assert_eq!(live.doubt(None, |_, _| true).map(|_| live.differences()), Ok(Vec::new()), "step {step} of {cells:?}");
            assert!(!matches!(live.publish(Vec::new()), Outcome::Refused(_)));
        }
    }
}

/// A session that ends before an input was made leaves the question open; a later one that makes it has its answer, and keeps it.
#[test]
fn an_input_that_nobody_made_yet_is_made_by_a_later_session() {
    let folder = Folder::new("unserved");
    let served = |value: Option<Vec<Name>>| {
        move |_: Kind, _: &dyn std::any::Any| match &value {
            Some(value) => Ok(Some(Arc::new(value.clone()) as Arc<dyn std::any::Any + Send + Sync>)),
            None => Err(Interrupt::Unserved),
        }
    };
    let mut first = session(&folder);
    first.set_loader(served(None));
    assert_eq!(first.get::<Sum>(&"a"), Err(Interrupt::Unserved));
    set(&mut first, "b", &["1"]);
    assert_eq!(sum(&first, "b"), Ok(1));
    assert_eq!(first.publish(Vec::new()), Outcome::Written);
    let mut second = session(&folder);
    assert_eq!(second.knows_input::<Cell>(&"a"), Ok(None));
    second.set_loader(served(Some(vec!["4"])));
    assert_eq!(second.get::<Sum>(&"a"), Ok(Arc::new(Ok(4))));
    assert_eq!(second.publish(Vec::new()), Outcome::Written);
    let mut third = session(&folder);
    third.set_loader(served(None));
    assert_eq!(third.get::<Sum>(&"a"), Ok(Arc::new(Ok(4))));
    assert_eq!(third.publish(Vec::new()), Outcome::Nothing);
}
