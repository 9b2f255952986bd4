//! Each verb of the store on small stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::memory::Memory;
use super::model::{Dice, Model, SCHEMA, key_fp, open_on, sound, value_fp};
use super::{NewRow, Temporary, batches};
use crate::fingerprint::Fp;
use crate::store::disk::{Disk, Folder};
use crate::store::{BlobAt, Delta, Opened, Published, Row, Section, Store, StoreOptions, Trace, Warning, WhyRecord, flags, head, open};

/// Publishes random deltas, folds now and then, and compares after each with the model, in this process and in the next.
fn check(disk: impl Disk + Clone + 'static, seed: u64, publishes: usize, changed: usize, added: usize, folds: bool) {
    let mut dice = Dice(seed);
    let mut model = Model::default();
    let mut store = sound(disk.clone());
    for turn in 0..publishes {
        let added = if turn == 0 { added * 20 } else { dice.below(added + 1) };
        let delta = model.change(&mut dice, &store, changed, added);
        assert_eq!(store.publish(delta), Published::Done);
        model.check_all(&store);
        if folds && dice.below(6) == 0 {
            assert_eq!(store.fold(), Published::Done);
            assert_eq!(store.segments.len(), 1);
            model.check_all(&store);
        }
        assert!(store.segments.len() <= head::MAX_SEGMENTS);
        let next = sound(disk.clone());
        model.check_all(&next);
        if dice.below(2) == 0 {
            store = next;
        }
    }
}

#[test]
fn what_is_published_is_found_again() {
    for seed in 1..12 {
        check(Memory::default(), seed, 30, 6, 8, seed % 2 == 0);
    }
}

#[test]
fn large_deltas_become_a_base() {
    check(Memory::default(), 99, 12, 60, 30, false);
}

#[test]
fn small_deltas_on_a_large_base_merge_among_themselves() {
    let disk = Memory::default();
    let mut dice = Dice(5);
    let mut model = Model::default();
    let mut store = sound(disk.clone());
    assert_eq!(store.publish(model.change(&mut dice, &store, 0, 3000)), Published::Done);
    let base = store.segments[0].entry;
    for _ in 0..60 {
        assert_eq!(store.publish(model.change(&mut dice, &store, 8, 1)), Published::Done);
        assert!(store.segments.len() <= head::MAX_SEGMENTS);
        assert_eq!(store.segments[0].entry, base, "the base is not written again for small changes");
    }
    model.check_all(&store);
    model.check_all(&sound(disk));
}

#[test]
fn a_real_folder_behaves_like_the_one_in_memory() {
    let folder = Temporary::new();
    let disk = Arc::new(Folder::new(&folder.0));
    check(Shared(disk), 7, 20, 6, 8, true);
    assert_eq!(std::fs::read_to_string(folder.0.join(".gitignore")).ok().as_deref(), Some("*\n"));
    let left: Vec<String> = Folder::new(&folder.0).list().unwrap_or_default();
    assert!(left.iter().all(|name| !name.starts_with("tmp-")), "{left:?}");
    assert!(left.len() <= 2 * head::MAX_SEGMENTS + 4, "{left:?}");
}

/// A disk behind a counter, so that it can be opened again.
#[derive(Clone)]
pub struct Shared(pub Arc<dyn Disk>);

impl Disk for Shared {
    fn read_start(&self, name: &str, len: usize) -> std::io::Result<Option<Vec<u8>>> {
        self.0.read_start(name, len)
    }
    fn read(&self, name: &str) -> std::io::Result<Option<Vec<u8>>> {
        self.0.read(name)
    }
    fn map(&self, name: &str) -> std::io::Result<Option<crate::store::map::Mapped>> {
        self.0.map(name)
    }
    fn len(&self, name: &str) -> std::io::Result<u64> {
        self.0.len(name)
    }
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write(name, bytes)
    }
    fn write_at(&self, name: &str, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_at(name, at, bytes)
    }
    fn rename(&self, from: &str, to: &str) -> std::io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.0.remove(name)
    }
    fn list(&self) -> std::io::Result<Vec<String>> {
        self.0.list()
    }
    fn make_folder(&self) -> std::io::Result<()> {
        self.0.make_folder()
    }
    fn lock(&self) -> std::io::Result<crate::store::disk::Lock> {
        self.0.lock()
    }
    fn boot_id(&self) -> [u8; 16] {
        self.0.boot_id()
    }
}

#[test]
fn the_second_of_two_writers_is_told_and_writes_nothing() {
    let disk = Memory::default();
    let mut model = Model::written(disk.clone(), &mut Dice(3), 3, 40);
    let (mut first, mut second) = (sound(disk.clone()), sound(disk.clone()));
    let mut other = model.clone();
    let late = other.change(&mut Dice(8), &second, 5, 5);
    assert_eq!(first.publish(model.change(&mut Dice(4), &first, 5, 5)), Published::Done);
    let files = disk.names();
    assert_eq!(second.publish(late), Published::Raced);
    assert_eq!(disk.names(), files);
    assert_eq!(second.fold(), Published::Raced);
    model.check_all(&sound(disk));
}

#[test]
fn two_first_writers_do_not_mix() {
    let disk = Memory::default();
    let (mut first, mut second) = (sound(disk.clone()), sound(disk.clone()));
    let (mut model, mut other) = (Model::default(), Model::default());
    assert_eq!(first.publish(model.change(&mut Dice(4), &first, 0, 5)), Published::Done);
    assert_eq!(second.publish(other.change(&mut Dice(5), &second, 0, 5)), Published::Raced);
    model.check_all(&sound(disk));
}

#[test]
fn writers_and_readers_on_one_folder_never_see_a_mixture() {
    let folder = Temporary::new();
    let published = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for worker in 0..4u64 {
            let (path, published) = (&folder.0, &published);
            scope.spawn(move || {
                let mut dice = Dice(worker + 1);
                for _ in 0..60 {
                    let Opened { mut store, warnings } = Store::open(path, &SCHEMA, &StoreOptions::default());
                    assert_eq!(warnings, []);
                    // All nodes say the generation they were changed in; node 0 is changed by every publish.
                    let generation = store.generation();
                    let count = store.node_count();
                    for id in 0..count {
                        let row = store.row(id).expect("nothing damages the store");
                        assert_eq!(store.blob(row.value_at), Some(&*text(id, row.changed_at)));
                    }
                    if count > 0 {
                        assert_eq!(store.row(0).map(|row| row.changed_at), Ok(generation));
                    }
                    let ids = [0, 1 + dice.below(200) as u32];
                    let rows = (0..=count.max(ids[1])).filter(|&id| ids.contains(&id) || id >= count).map(|id| NewRow {
                        id,
                        row: Row {
                            kind: 1,
                            value: value_fp(&text(id, generation + 1)),
                            key: key_fp(&text(id, 0)),
                            changed_at: generation + 1,
                            ..Row::EMPTY
                        },
                        deps: vec![0],
                        new_key: Some(text(id, 0)),
                        new_value: Some(text(id, generation + 1)),
                        trace: None,
                    });
                    let delta = Delta { generation: generation + 1, rows: batches(rows), ..Delta::default() };
                    match store.publish(delta) {
                        Published::Done => drop(published.fetch_add(1, Ordering::Relaxed)),
                        Published::Raced => {}
                        Published::Failed(reason) => panic!("{reason}"),
                    }
                    if store.fold_is_due() {
                        assert!(!matches!(store.fold(), Published::Failed(_)));
                    }
                }
            });
        }
    });
    let store = Store::open(&folder.0, &SCHEMA, &StoreOptions::default()).store;
    assert_eq!(store.generation(), published.into_inner(), "every publish that was done is there");
}

fn text(id: u32, generation: u32) -> Vec<u8> {
    format!("node {id} of {generation}").into_bytes()
}

#[test]
fn a_changed_schema_makes_the_rows_of_its_kind_stale_and_no_others() {
    let disk = Memory::default();
    let mut model = Model::written(disk.clone(), &mut Dice(3), 3, 40);
    let changed = [(0, Fp(10, 1)), (1, Fp(99, 9)), (2, Fp(12, 1))];
    let mut store = open::open(Arc::new(disk.clone()), &changed, StoreOptions::default()).store;
    let kinds = |store: &Store, model: &Model| {
        for (&id, node) in &model.nodes {
            let row = store.row(id).expect("the store is sound");
            assert_eq!(row.flags & flags::STALE != 0, node.kind == 1 && node.changed_at < 4, "{id}");
        }
    };
    assert_eq!(store.stale_kinds(), [1]);
    kinds(&store, &model);
    // What the new compiler writes is fresh, also after folding; what it did not write stays stale.
    assert_eq!(store.publish(model.change(&mut Dice(77), &store, 20, 4)), Published::Done);
    kinds(&store, &model);
    assert_eq!(store.fold(), Published::Done);
    kinds(&store, &model);
    kinds(&open::open(Arc::new(disk), &changed, StoreOptions::default()).store, &model);
}

#[test]
fn another_format_is_an_empty_store_that_can_be_written() {
    let disk = Memory::default();
    Model::written(disk.clone(), &mut Dice(3), 2, 10);
    if let Some(bytes) = disk.files.lock().get_mut("HEAD") {
        bytes[8] = 7;
        bytes[head::SLOT + 8] = 7;
    }
    let Opened { mut store, warnings } = open_on(disk.clone());
    assert_eq!(warnings, [Warning::Format { found: 7, ours: super::super::FORMAT }]);
    assert_eq!((store.generation(), store.node_count()), (0, 0));
    let mut model = Model::default();
    assert_eq!(store.publish(model.change(&mut Dice(6), &store, 0, 9)), Published::Done);
    model.check_all(&sound(disk.clone()));
    assert!(disk.names().iter().filter(|(name, _)| name.starts_with("graph.")).count() == 1, "{:?}", disk.names());
}

#[test]
fn a_reset_store_starts_a_new_base_and_a_later_generation() {
    let disk = Memory::default();
    let mut model = Model::written(disk.clone(), &mut Dice(3), 4, 40);
    let mut store = sound(disk.clone());
    store.reset();
    assert_eq!((store.generation(), store.node_count()), (4, 0));
    model = Model { generation: model.generation, ..Model::default() };
    assert_eq!(store.publish(model.change(&mut Dice(6), &store, 0, 9)), Published::Done);
    model.check_all(&sound(disk));
}

#[test]
fn what_cannot_be_published_is_refused() {
    let disk = Memory::default();
    let mut model = Model::default();
    let mut store = sound(disk.clone());
    let row = |id, deps: &[u32]| NewRow { id, row: Row::EMPTY, deps: deps.to_vec(), new_key: None, new_value: None, trace: None };
    let mut refused = |delta| assert!(matches!(store.publish(delta), Published::Failed(_)));
    refused(Delta { generation: 0, ..Delta::default() });
    refused(Delta { generation: 1, rows: batches([row(0, &[]), row(0, &[])]), ..Delta::default() });
    refused(Delta { generation: 1, rows: batches([row(0, &[1])]), ..Delta::default() });
    refused(Delta { generation: 1, rows: batches([row(u32::MAX, &[])]), ..Delta::default() });
    refused(Delta { generation: 1, yellow: vec![0], ..Delta::default() });
    assert_eq!(disk.names(), []);
    assert_eq!(store.publish(model.change(&mut Dice(6), &store, 0, 9)), Published::Done);
    model.check_all(&store);
}

#[test]
fn a_store_that_cannot_be_written_is_still_read() {
    let folder = Temporary::new();
    std::fs::write(&folder.0, "a file where the folder should be").expect("the temporary folder is writable");
    let Opened { mut store, warnings } = Store::open(&folder.0, &SCHEMA, &StoreOptions::default());
    assert!(matches!(&warnings[..], [Warning::Unusable { .. }]), "{warnings:?}");
    assert_eq!(store.node_count(), 0);
    let mut model = Model::default();
    let delta = model.change(&mut Dice(6), &store, 0, 9);
    assert!(matches!(store.publish(delta), Published::Failed(_)));
    assert!(matches!(store.append_why(1, &[]), Published::Failed(_)));
    let _ = std::fs::remove_file(&folder.0);
}

#[test]
fn many_bytes_at_once_come_back() {
    let disk = Memory::default();
    let mut store = sound(disk.clone());
    // More than a piece of memory, in both batches, and pieces of every rest by eight.
    let big = |id: u32, generation: u32| vec![(id * 31 + generation) as u8; 300_000 + id as usize];
    for generation in 1..=2 {
        let row = |id| NewRow {
            id,
            row: Row { kind: 1, key: Fp(5, u64::from(id)), value: value_fp(&big(id, generation)), ..Row::EMPTY },
            deps: vec![id / 2],
            new_key: Some(id.to_le_bytes().to_vec()),
            new_value: Some(big(id, generation)),
            trace: None,
        };
        let rows = [batches((0..12).rev().map(row)), batches((12..24).map(row))].concat();
        assert_eq!(store.publish(Delta { generation, rows, ..Delta::default() }), Published::Done);
        for store in [&store, &sound(disk.clone())] {
            for id in 0..24 {
                let row = store.row(id).expect("the store is sound");
                assert_eq!(store.blob(row.key_at), Some(&id.to_le_bytes()[..]));
                assert!(store.blob(row.value_at) == Some(&big(id, generation)[..]), "{id} of {generation}");
            }
        }
    }
}

#[test]
fn folding_leaves_dead_blobs_behind() {
    let disk = Memory::default();
    let mut store = sound(disk.clone());
    let big = |generation: u32| vec![generation as u8; 200_000];
    for generation in 1..=20 {
        let row = Row { kind: 1, key: Fp(5, 5), value: value_fp(&big(generation)), changed_at: generation, ..Row::EMPTY };
        let row = NewRow { id: 0, row, deps: vec![], new_key: Some(b"k".to_vec()), new_value: Some(big(generation)), trace: None };
        assert_eq!(store.publish(Delta { generation, rows: batches([row]), ..Delta::default() }), Published::Done);
    }
    let before = store.row(0).expect("the store is sound");
    assert!(store.fold_is_due());
    assert_eq!(store.fold(), Published::Done);
    assert_eq!(store.blob(before.value_at), None, "a place from before is a miss, not another value");
    let row = store.row(0).expect("the store is sound");
    assert_eq!(store.blob(row.value_at), Some(&*big(20)));
    assert!(!store.fold_is_due());
    assert_eq!(store.generation(), 20);
    let row = NewRow { id: 0, row: Row { changed_at: 21, ..row }, deps: vec![], new_key: None, new_value: None, trace: None };
    assert_eq!(store.publish(Delta { generation: 21, rows: batches([row]), ..Delta::default() }), Published::Done);
    assert_eq!(store.blob(store.row(0).expect("the store is sound").value_at), Some(&*big(20)));
    let blobs: usize = disk.names().iter().filter(|(name, _)| name.starts_with("blob.")).map(|(_, len)| len).sum();
    assert!(blobs < 250_000, "{:?}", disk.names());
}

#[test]
fn a_restart_of_the_machine_checks_everything_once() {
    let disk = Memory::default();
    let model = Model::written(disk.clone(), &mut Dice(3), 3, 400);
    let base = head::graph_name(sound(disk.clone()).segments[0].entry.serial);
    // A tear in a page that opening does not touch.
    let tear = |disk: &Memory| disk.files.lock().get_mut(&base).map(|bytes| bytes[9000] ^= 1);
    tear(&disk);
    assert_eq!(open_on(disk.clone()).warnings, []);
    let restarted = Memory { boot_id: [9; 16], ..disk.clone() };
    assert_eq!(open_on(restarted.clone()).warnings, [Warning::Damaged { file: base.clone() }]);
    tear(&disk);
    model.check_all(&sound(restarted.clone()));
    let head = |disk: &Memory| head::Head::decode_file(&disk.files.lock()["HEAD"]).0.map(|head| head.boot_id);
    assert_eq!(head(&restarted), Ok([9; 16]));
}

#[test]
fn the_log_of_executions_holds_eight_sessions() {
    let disk = Memory::default();
    let store = sound(disk.clone());
    let record = |generation, node| WhyRecord {
        generation,
        node,
        first_red_dep: WhyRecord::NONE,
        old: Fp(1, 2),
        new: Fp(3, u64::from(node)),
        nanos: 44,
        worker: 1,
        reason: 3,
    };
    for generation in 1..=20 {
        assert_eq!(store.append_why(generation, &[record(generation, 5), record(generation, 6)]), Published::Done);
    }
    let expected: Vec<WhyRecord> = (13..=20).flat_map(|generation| [record(generation, 5), record(generation, 6)]).collect();
    assert_eq!(store.why().collect::<Vec<_>>(), expected);
    assert_eq!(disk.names().len(), 8);
    if let Some(bytes) = disk.files.lock().get_mut("why.20") {
        bytes[3] ^= 1;
    }
    assert_eq!(store.why().count(), 15, "a damaged record is left out");
}

#[test]
fn sections_stay_until_they_are_replaced() {
    let disk = Memory::default();
    let mut store = sound(disk.clone());
    let publish = |store: &mut Store, generation, sections| {
        assert_eq!(store.publish(Delta { generation, sections, ..Delta::default() }), Published::Done);
    };
    publish(&mut store, 1, vec![(Section::Inputs, b"one".to_vec()), (Section::Roots, b"roots".to_vec())]);
    publish(&mut store, 2, vec![(Section::Inputs, b"two".to_vec())]);
    publish(&mut store, 3, vec![]);
    for _ in 0..2 {
        let store = &mut sound(disk.clone());
        assert_eq!(store.section(Section::Inputs), Some(&b"two"[..]));
        assert_eq!(store.section(Section::Roots), Some(&b"roots"[..]));
        assert_eq!(store.section(Section::Outputs), None);
        assert_eq!(store.fold(), Published::Done);
    }
}

#[test]
fn eight_states_are_remembered_the_newest_first() {
    let disk = Memory::default();
    let mut store = sound(disk.clone());
    let value = |generation: u32| Fp(u64::from(generation), 7);
    for generation in 1..=12 {
        let trace = (generation > 1).then(|| Trace {
            deps: vec![(0, Fp(u64::from(generation), 1))],
            value: value(generation - 1),
            value_at: BlobAt::NONE,
            flags: 0,
        });
        let row = Row { kind: 1, key: Fp(1, 1), value: value(generation), ..Row::EMPTY };
        let row = NewRow { id: 0, row, deps: vec![0], new_key: None, new_value: None, trace };
        assert_eq!(store.publish(Delta { generation, rows: batches([row]), ..Delta::default() }), Published::Done);
    }
    let expected: Vec<Fp> = (4..=11).rev().map(value).collect();
    for _ in 0..2 {
        let traces = store.traces(0).expect("the store is sound");
        assert_eq!(traces.iter().map(|trace| trace.value).collect::<Vec<_>>(), expected);
        assert_eq!(traces[0].deps, [(0, Fp(12, 1))]);
        assert_eq!(store.fold(), Published::Done);
    }
}

#[test]
fn a_number_left_out_can_be_given_later_and_a_key_can_change() {
    let disk = Memory::default();
    let mut store = sound(disk.clone());
    let row = |id: u32, key: u64| NewRow {
        id,
        row: Row { kind: 1, key: Fp(key, 1), ..Row::EMPTY },
        deps: vec![],
        new_key: None,
        new_value: None,
        trace: None,
    };
    let publish = |store: &mut Store, rows: Vec<NewRow>| {
        let generation = store.generation() + 1;
        assert_eq!(store.publish(Delta { generation, rows: batches(rows), ..Delta::default() }), Published::Done);
    };
    publish(&mut store, vec![row(0, 10), row(2, 12)]);
    assert_eq!((store.node_count(), store.row(1)), (3, Ok(Row::EMPTY)));
    publish(&mut store, vec![row(1, 11)]);
    publish(&mut store, vec![row(2, 22)]);
    for _ in 0..2 {
        for (key, id) in [(10, Some(0)), (11, Some(1)), (12, None), (22, Some(2)), (0, None)] {
            assert_eq!(store.find(Fp(key, 1)), Ok(id), "{key}");
        }
        assert_eq!(store.fold(), Published::Done);
    }
}
