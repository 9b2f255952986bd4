//! Random programs and random edits: after each, the patched image and sidecar are those of a clean link.

mod world;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use world::World;

use super::*;
use crate::write::{Linked, link_with_sidecar};

/// Answers a plan's questions and notes them.
struct Answers<'a> {
    world: &'a World,
    image: &'a [u8],
    asked: RefCell<Vec<u128>>,
}

impl<'a> Answers<'a> {
    fn new(world: &'a World, image: &'a [u8]) -> Self {
        Answers { world, image, asked: RefCell::default() }
    }
}

impl Source for Answers<'_> {
    fn key(&self, item: ItemId) -> Option<u128> {
        Some(world::key(item))
    }

    fn function(&self, key: u128) -> Option<Cow<'_, Function>> {
        self.asked.borrow_mut().push(key);
        self.world.functions.values().find(|made| made.function.key == key).map(|made| Cow::Borrowed(&made.function))
    }

    fn item(&self, key: u128) -> Option<(Cow<'_, Item>, u128)> {
        let item = self.world.items().into_iter().find(|item| item.key == key)?;
        let fingerprint = world::item_fingerprint(&item);
        Some((Cow::Owned(item), fingerprint))
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> bool {
        match self.image.get(offset as usize..offset as usize + into.len()) {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }
}

fn clean(world: &World) -> Linked {
    let items = world.items();
    let fingerprints: Vec<u128> = items.iter().map(world::item_fingerprint).collect();
    let program = crate::Program {
        functions: world.functions.values().map(|made| &made.function).collect(),
        items,
        entry: world::item(0),
        returns_status: world.returns_status,
        symbols: world.symbols,
    };
    let functions: Vec<u128> = world.functions.values().map(|made| made.fingerprint).collect();
    link_with_sidecar(&program, crate::sidecar::build::Fingerprints { functions: &functions, items: &fingerprints }).expect("links")
}

fn contents(world: &World) -> (Vec<Content>, Vec<Content>) {
    let functions = world.functions.values().map(|made| Content { key: made.function.key, fingerprint: made.fingerprint }).collect();
    let items = world.items().iter().map(|item| Content { key: item.key, fingerprint: world::item_fingerprint(item) }).collect();
    (functions, items)
}

fn planned(world: &World, functions: &[Content], items: &[Content], sidecar: &[u8], answers: &Answers) -> Plan {
    let request =
        Request { functions, items, entry: world::key(world::item(0)), returns_status: world.returns_status, symbols: world.symbols };
    plan(&request, sidecar, answers)
}

fn apply(bytes: &mut Vec<u8>, patches: &Patches) {
    let mut end = 0;
    for (offset, patch) in patches {
        assert!(*offset >= end, "patches overlap or are out of order");
        end = offset + patch.len() as u64;
        if bytes.len() < end as usize {
            bytes.resize(end as usize, 0);
        }
        bytes[*offset as usize..end as usize].copy_from_slice(patch);
    }
}

/// What came of a run of edits.
#[derive(Default, Debug)]
struct Tally {
    patched: usize,
    unchanged: usize,
    fallbacks: BTreeMap<String, usize>,
    image_bytes: usize,
    sidecar_bytes: usize,
}

/// The one door: `steps` random edits of a program with about `size` functions.
fn check(seed: u64, size: u32, steps: usize, symbols: bool) -> Tally {
    let mut tally = Tally::default();
    let mut world = World::new(seed, size, symbols);
    let mut linked = clean(&world);
    for step in 0..steps {
        let before: BTreeMap<u128, u128> = world.functions.values().map(|made| (made.function.key, made.fingerprint)).collect();
        let (_, old_items) = contents(&world);
        world.edit();
        let now = clean(&world);
        let at = format!("seed {seed}, size {size}, step {step}: {}", world.last);
        let sidecar = linked.sidecar.as_ref().unwrap_or_else(|error| panic!("{at}: {error}"));
        let (mut functions, mut items) = contents(&world);
        if step % 3 == 0 {
            functions.reverse();
            items.reverse();
        }
        if step % 2 == 0 {
            items.retain(|item| !old_items.contains(item));
        }
        let answers = Answers::new(&world, &linked.image);
        match planned(&world, &functions, &items, sidecar, &answers) {
            Plan::Unchanged => {
                assert_eq!((&now.image, &now.sidecar), (&linked.image, &linked.sidecar), "{at}");
                tally.unchanged += 1;
            }
            Plan::Patch(patch) => {
                let (mut image, mut sidecar) = (linked.image.clone(), sidecar.clone());
                let size = |patches: &Patches| patches.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
                tally.image_bytes += size(&patch.image);
                tally.sidecar_bytes += size(&patch.sidecar);
                apply(&mut image, &patch.image);
                image.truncate(patch.image_length as usize);
                assert!(image == now.image, "{at}: the images differ at {:?}", difference(&image, &now.image));
                apply(&mut sidecar, &patch.sidecar);
                let clean = now.sidecar.as_ref().expect("the old one had a sidecar");
                assert!(sidecar == *clean, "{at}: the sidecars differ at {:?}", difference(&sidecar, clean));
                let facts = facts(&sidecar).expect("opens");
                assert_eq!((facts.image_length, facts.fingerprint), (image.len() as u64, patch.fingerprint), "{at}");
                tally.patched += 1;
            }
            Plan::Fallback(reason) => *tally.fallbacks.entry(format!("{reason:?}")).or_default() += 1,
        }
        for key in answers.asked.borrow().iter() {
            let made = world.functions.values().find(|made| made.function.key == *key).expect("one of the program's");
            assert_ne!(before.get(key), Some(&made.fingerprint), "{at}: asked for a function that did not change");
        }
        linked = now;
    }
    tally
}

fn difference(a: &[u8], b: &[u8]) -> (usize, usize, Option<usize>) {
    (a.len(), b.len(), a.iter().zip(b).position(|(a, b)| a != b))
}

#[test]
fn patched_images_of_small_programs_are_clean_ones() {
    let mut total = Tally::default();
    for seed in 0..40 {
        let tally = check(seed, 3 + seed as u32 * 2, 25, seed % 4 == 0);
        total.patched += tally.patched;
        tally.fallbacks.into_iter().for_each(|(reason, count)| *total.fallbacks.entry(reason).or_default() += count);
    }
    eprintln!("{total:?}");
    assert!(total.patched > 100, "{total:?}");
}

#[test]
fn patched_images_of_middling_programs_are_clean_ones() {
    for seed in 100..104 {
        let tally = check(seed, 400, 25, seed % 2 == 0);
        eprintln!("{tally:?}");
        assert!(tally.patched * 2 > 25, "{tally:?}");
    }
}
