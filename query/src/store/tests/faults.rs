//! A process that dies, or a call that fails, at each call of a publish, a fold and a session.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::memory::{Fault, Faulty, Memory};
use super::model::{Dice, Model, SCHEMA, check_damaged, open_on, sound};
use crate::store::disk::Disk;
use crate::store::{Opened, Published, StoreOptions, open};

/// Runs `act` on a store of some publishes, with a fault at each of its calls in turn; what is found afterwards is the old or the new state, and goes on.
fn check(publishes: usize, act: impl Fn(Arc<dyn Disk>, &mut Model) -> Option<Published>) {
    let original = Memory::default();
    let before = if publishes == 0 { Model::default() } else { Model::written(original.clone(), &mut Dice(21), publishes, 60) };
    for fault in Fault::ALL {
        let mut outcomes = [0, 0];
        for at in 0.. {
            let disk = original.copy();
            let faulty = Arc::new(Faulty::new(disk.clone(), at, fault));
            let mut after = before.clone();
            let outcome = act(faulty.clone(), &mut after);
            let Opened { store, warnings } = open_on(disk.clone());
            assert!(warnings.is_empty() || fault == Fault::KilledWithin, "{warnings:?}");
            let is_new = store.generation() == after.generation;
            let now = if is_new { &after } else { &before };
            now.check_all(&store);
            match outcome {
                Some(Published::Done) => assert!(is_new, "{fault:?} at {at}: said to be done"),
                Some(Published::Failed(_)) if fault == Fault::Fails => assert!(!is_new || before == after, "{fault:?} at {at}"),
                // Who dies does not answer.
                Some(Published::Raced | Published::Failed(_)) | None => {}
            }
            outcomes[usize::from(is_new)] += 1;
            // The next process goes on from there.
            let (mut next, mut store) = (now.clone(), store);
            assert_eq!(store.publish(next.change(&mut Dice(5), &store, 4, 3)), Published::Done);
            next.check_all(&sound(disk.clone()));
            assert_eq!(store.fold(), Published::Done);
            next.check_all(&sound(disk));
            if faulty.calls.load(Ordering::Relaxed) <= at {
                break;
            }
        }
        assert!(outcomes[0] + outcomes[1] > 8, "{outcomes:?}");
    }
}

fn publish(disk: Arc<dyn Disk>, model: &mut Model) -> Option<Published> {
    let Opened { mut store, .. } = open::open(disk, &SCHEMA, StoreOptions::default());
    // A store that could not be opened is empty: its delta would be another one.
    (store.node_count() == model.count()).then(|| {
        let delta = model.change(&mut Dice(33), &store, 6, 6);
        store.publish(delta)
    })
}

#[test]
fn the_first_publish_may_die_anywhere() {
    check(0, publish);
}

#[test]
fn a_later_publish_may_die_anywhere() {
    check(2, publish);
}

#[test]
fn a_publish_that_merges_deltas_may_die_anywhere() {
    check(9, publish);
}

#[test]
fn folding_may_die_anywhere() {
    check(4, |disk, model| {
        let Opened { mut store, .. } = open::open(disk, &SCHEMA, StoreOptions::default());
        (store.node_count() == model.count()).then(|| store.fold())
    });
}

#[test]
fn a_reader_whose_disk_fails_says_nothing_wrong() {
    let original = Memory::default();
    let history = Model::history(original.clone(), &mut Dice(21), 5, 60);
    let count = history.last().map_or(0, Model::count);
    for fault in [Fault::Fails, Fault::KilledBefore] {
        for at in 0..30 {
            let opened = open::open(Arc::new(Faulty::new(original.clone(), at, fault)), &SCHEMA, StoreOptions::default());
            check_damaged(&opened, &history, 0..count);
        }
    }
}
