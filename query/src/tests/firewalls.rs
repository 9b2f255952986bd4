//! Firewalls: brought up to date when an edit is noticed, so that only changes are gone on from; and the sample of what is green.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

macro_rules! rows {
    ($( $name:ident = $kind:literal $text:literal -> $value:ty, $firewall:literal, |$cx:ident, $key:ident| $body:expr; )+) => { $(
        struct $name;
        impl Query for $name {
            const KIND: Kind = Kind($kind);
            const NAME: &'static str = $text;
            const FIREWALL: bool = $firewall;
            type Key = Name;
            type Value = $value;
            fn run($cx: &Ctx<'_>, $key: &Name) -> Result<$value, Interrupt> {
                $body
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
    )+ };
}

static HIDDEN: AtomicI64 = AtomicI64::new(0);

rows! {
    // The number of terms, and the first one's: two firewalls, the second asks the first.
    Terms = 10 "terms" -> usize, true, |cx, key| Ok(cx.input::<Cell>(key)?.map_or(0, |terms| terms.len()));
    Even = 11 "even" -> bool, true, |cx, key| Ok(*cx.get::<Terms>(key)? % 2 == 0);
    Wide = 12 "wide" -> String, false, |cx, key| Ok(format!("{key} {}", cx.get::<Even>(key)?));
    Wider = 13 "wider" -> String, false, |cx, key| Ok(format!("{}!", cx.get::<Wide>(key)?));
    Wrong = 14 "wrong" -> String, true, |cx, key| Ok((*cx.get::<Wide>(key)?).clone());
    Impure = 15 "impure" -> i64, false, |cx, key| Ok(HIDDEN.load(Ordering::Relaxed) + *cx.get::<Terms>(key)? as i64);
}

fn opened(folder: &Folder) -> Engine {
    let mut engine = Engine::new();
    engine.register_input::<Cell>();
    engine.register::<Terms>();
    engine.register::<Even>();
    engine.register::<Wide>();
    engine.register::<Wider>();
    engine.register::<Wrong>();
    engine.register::<Impure>();
    engine.log_executions();
    let opened = Store::open(&folder.0, &engine.schema(), &StoreOptions::default());
    engine.attach(opened.store).expect("the store is sound");
    engine
}

fn is_in_doubt(engine: &Engine) -> bool {
    [Wide::KIND, Wider::KIND].into_iter().any(|kind| engine.are_out_of_date(kind, 1))
}

#[test]
fn what_a_firewall_stops_is_never_marked() {
    let folder = Folder::new("firewall-stops");
    let mut engine = opened(&folder);
    set(&mut engine, "a", &["1", "2"]);
    engine.get::<Wider>(&"a").expect("nothing interrupts");
    engine.publish(Vec::new());
    let mut engine = opened(&folder);
    // Other terms, as many: `terms` runs at once and stops it.
    set(&mut engine, "a", &["3", "4"]);
    assert_eq!(engine.take_log(), ["terms(\"a\")"]);
    assert!(!is_in_doubt(&engine), "nothing behind the firewall is in doubt");
    // Four: `terms` changes, `even` does not.
    set(&mut engine, "a", &["3", "4", "5", "6"]);
    assert_eq!(engine.take_log(), ["even(\"a\")", "terms(\"a\")"]);
    assert!(!is_in_doubt(&engine));
    // Three: both change, and what asked for `even` is yellow, all the way up, and does not run before somebody asks.
    set(&mut engine, "a", &["3", "4", "5"]);
    assert_eq!(engine.take_log(), ["even(\"a\")", "terms(\"a\")"]);
    assert!(is_in_doubt(&engine));
    assert!(engine.are_out_of_date(Wider::KIND, 1) && !engine.are_out_of_date(Wider::KIND, 2));
    assert_eq!(**engine.get::<Wider>(&"a").expect("nothing interrupts"), *"a false!");
}

#[test]
fn several_inputs_are_one_edit() {
    let folder = Folder::new("firewall-edit");
    let mut engine = opened(&folder);
    for key in ["a", "b"] {
        set(&mut engine, key, &["1"]);
        engine.get::<Wider>(&key).expect("nothing interrupts");
    }
    engine.take_log();
    let done = engine.edit(|engine| {
        engine.set::<Cell>(&"a", vec!["1", "2"])?;
        engine.set::<Cell>(&"b", vec!["1", "2"])?;
        engine.set::<Cell>(&"a", vec!["2"])
    });
    assert_eq!(done, Ok(true));
    // Once each, and `a` has as many terms as before.
    assert_eq!(engine.take_log(), ["even(\"b\")", "terms(\"a\")", "terms(\"b\")"]);
}

#[test]
#[should_panic(expected = "a firewall asks for `wide`, which is none or stands behind it")]
fn a_firewall_asks_firewalls_only() {
    let mut engine = opened(&Folder::new("firewall-wrong"));
    set(&mut engine, "a", &["1"]);
    let _ = engine.get::<Wrong>(&"a");
}

#[test]
fn a_sample_finds_a_query_that_reads_what_it_did_not_ask_for() {
    let folder = Folder::new("sample");
    let mut engine = opened(&folder);
    set(&mut engine, "a", &["1"]);
    engine.get::<Impure>(&"a").expect("nothing interrupts");
    engine.publish(Vec::new());
    let sample = |folder: &Folder| {
        let mut engine = opened(folder);
        set(&mut engine, "a", &["1"]);
        engine.sample(std::time::Duration::from_secs(1)).expect("the store is sound")
    };
    assert_eq!(sample(&folder), None);
    HIDDEN.store(1, Ordering::Relaxed);
    let found = sample(&folder).expect("it gives another answer");
    assert!(opened(&folder).node_name(found.node).starts_with("impure("));
}
