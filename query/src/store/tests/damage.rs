//! Flipped bits, cut files, exchanged files: a miss, never a wrong answer, never a panic.

use super::memory::Memory;
use super::model::{Dice, Model, check_damaged, open_on};
use crate::store::{Opened, Published};

/// Opens a damaged copy and asks it all of `ids`; was anything noticed?
#[track_caller]
fn check(disk: &Memory, history: &[Model], ids: impl Iterator<Item = u32>) -> bool {
    check_damaged(&open_on(disk.clone()), history, ids)
}

fn count(history: &[Model]) -> u32 {
    history.last().map_or(0, Model::count)
}

#[test]
fn every_bit_of_a_small_store_may_flip() {
    let disk = Memory::default();
    let history = Model::history(disk.clone(), &mut Dice(11), 3, 12);
    let mut noticed = 0;
    for (name, len) in disk.names() {
        for bit in 0..len * 8 {
            flip(&disk, &name, bit);
            noticed += usize::from(check(&disk, &history, 0..count(&history)));
            flip(&disk, &name, bit);
        }
    }
    assert!(noticed > 10_000, "{noticed}");
}

#[test]
fn a_hundred_thousand_bits_of_a_larger_store_may_flip() {
    let disk = Memory::default();
    let mut dice = Dice(12);
    let history = Model::history(disk.clone(), &mut dice, 6, 300);
    let names = disk.names();
    // `make heavy-gates` asks for more.
    let flips = std::env::var("ORIC_STORE_FLIPS").ok().and_then(|flips| flips.parse().ok()).unwrap_or(100_000);
    for _ in 0..flips {
        let (name, len) = &names[dice.below(names.len())];
        let bit = dice.below(len * 8);
        flip(&disk, name, bit);
        let few: Vec<u32> = (0..4).map(|_| dice.below(count(&history) as usize) as u32).collect();
        check(&disk, &history, few.into_iter());
        flip(&disk, name, bit);
    }
}

#[test]
fn a_file_may_be_cut_or_lost() {
    let disk = Memory::default();
    let history = Model::history(disk.clone(), &mut Dice(13), 4, 40);
    for (name, len) in disk.names() {
        let whole = disk.files.lock().remove(&name).unwrap_or_default();
        if name != "HEAD" {
            check(&disk, &history, 0..count(&history));
        }
        for keep in (0..len).step_by(if name == "HEAD" { 1 } else { 61 }) {
            disk.files.lock().insert(name.clone(), whole[..keep].to_vec());
            check(&disk, &history, 0..count(&history));
        }
        disk.files.lock().insert(name, whole);
    }
    assert!(!check(&disk, &history, 0..count(&history)));
}

#[test]
fn files_of_another_time_or_another_store_are_not_believed() {
    let disk = Memory::default();
    let history = Model::history(disk.clone(), &mut Dice(14), 4, 40);
    let other = Memory::default();
    Model::written(other.clone(), &mut Dice(15), 4, 40);
    for (name, _) in disk.names() {
        let foreign = other.files.lock().get(&name).cloned();
        if let Some(foreign) = foreign.filter(|_| name != "HEAD") {
            let own = disk.files.lock().insert(name.clone(), foreign);
            check(&disk, &history, 0..count(&history));
            disk.files.lock().insert(name, own.unwrap_or_default());
        }
    }
}

#[test]
fn an_old_head_with_newer_files_is_the_old_store() {
    // As after a power failure that lost a rename: the files are there, the record is the one before.
    let disk = Memory::default();
    let mut dice = Dice(16);
    let mut model = Model::written(disk.clone(), &mut dice, 3, 40);
    let (old_head, old_model) = (disk.files.lock()["HEAD"].clone(), model.clone());
    let mut store = open_on(disk.clone()).store;
    assert_eq!(store.publish(model.change(&mut dice, &store, 9, 9)), Published::Done);
    disk.files.lock().insert("HEAD".to_owned(), old_head);
    let Opened { mut store, .. } = open_on(disk.clone());
    old_model.check_all(&store);
    // And it goes on from there without writing over what the lost publish left.
    let mut next = old_model;
    assert_eq!(store.publish(next.change(&mut Dice(77), &store, 9, 9)), Published::Done);
    next.check_all(&open_on(disk).store);
}

#[test]
fn whoever_reads_the_record_before_finds_all_its_files() {
    let disk = Memory::default();
    let mut dice = Dice(19);
    let mut model = Model::default();
    let mut store = open_on(disk.clone()).store;
    for turn in 0..40 {
        let before = (model.clone(), disk.files.lock().get("HEAD").cloned());
        if turn % 13 == 12 {
            assert_eq!(store.fold(), Published::Done);
        } else {
            let added = if turn == 0 { 500 } else { 1 };
            assert_eq!(store.publish(model.change(&mut dice, &store, 4, added)), Published::Done);
        }
        if let (model, Some(head)) = before {
            let now = disk.files.lock().insert("HEAD".to_owned(), head);
            let Opened { store, warnings } = open_on(disk.clone());
            assert_eq!(warnings, []);
            model.check_all(&store);
            disk.files.lock().extend(now.map(|now| ("HEAD".to_owned(), now)));
        }
        let graphs = disk.names().iter().filter(|(name, _)| name.starts_with("graph.")).count();
        assert!(graphs <= 2 * crate::store::head::MAX_SEGMENTS, "what nobody names is removed: {graphs}");
    }
}

#[test]
fn a_page_that_agrees_with_its_sum_must_agree_with_the_record_too() {
    // As when two stores are mixed page by page: the page is sound, its sum fits, but it is not what HEAD pins.
    let disk = Memory::default();
    let history = Model::history(disk.clone(), &mut Dice(20), 2, 100);
    let store = open_on(disk.clone()).store;
    let (header, serial) = (&store.segments[0].header, store.segments[0].entry.serial);
    let page = header.data_at..header.data_end.min(header.data_at + crate::store::segment::PAGE);
    let sums_at = header.sums_at();
    if let Some(file) = disk.files.lock().get_mut(&crate::store::head::graph_name(serial)) {
        file[page.start + 5] ^= 1;
        let sum = crate::store::bytes::checksum(&file[page]);
        file[sums_at..sums_at + 8].copy_from_slice(&sum.to_le_bytes());
    }
    assert!(check(&disk, &history, 0..count(&history)));
}

#[test]
fn blobs_lost_by_a_crash_are_never_replaced_by_others() {
    // HEAD and graph survive, the end of the blob file does not; the next writer appends behind the place where it was.
    let disk = Memory::default();
    let mut dice = Dice(17);
    let mut history = Model::history(disk.clone(), &mut dice, 3, 40);
    if let Some(blobs) = disk.files.lock().get_mut("blob.1") {
        blobs.truncate(blobs.len() / 2);
    }
    check(&disk, &history, 0..count(&history));
    let mut next = history.last().cloned().unwrap_or_default();
    let mut store = open_on(disk.clone()).store;
    let (lost_end, first_new) = (store.stat().blob_bytes, next.count());
    let delta = next.change(&mut dice, &store, 3, 2);
    assert_eq!(store.publish(delta), Published::Done);
    assert!(store.row(first_new).is_ok_and(|row| u64::from(row.key_at.unit) * 8 >= lost_end));
    history.push(next);
    check(&disk, &history, 0..count(&history));
}

fn flip(disk: &Memory, name: &str, bit: usize) {
    if let Some(byte) = disk.files.lock().get_mut(name).and_then(|bytes| bytes.get_mut(bit / 8)) {
        *byte ^= 1 << (bit % 8);
    }
}

#[test]
fn verifying_names_the_nodes_whose_bytes_are_bad() {
    let disk = Memory::default();
    Model::written(disk.clone(), &mut Dice(18), 3, 40);
    let store = open_on(disk.clone()).store;
    let whole = store.verify().expect("the store is sound");
    assert!(whole.blobs > 80 && whole.bad.is_empty(), "{whole:?}");
    let victim = store.row(7).expect("the store is sound").value_at;
    let name = crate::store::head::blob_name(victim.segment);
    flip(&disk, &name, (victim.unit as usize * 8 + 17) * 8);
    let store = open_on(disk.clone()).store;
    let found = store.verify().expect("the graph is sound");
    assert!(found.bad.contains(&7) && found.blobs < whole.blobs, "{found:?}");
    let stat = store.stat();
    assert_eq!((stat.generation, stat.segments), (3, store.segments.len() as u32));
    let len = |prefix: &str| disk.names().iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, len)| *len as u64).sum::<u64>();
    assert_eq!(stat.blob_bytes, len("blob."));
    assert!(stat.graph_bytes > 0 && stat.graph_bytes <= len("graph."));
}
