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
        external: Vec::new(),
        foreign_frames: false,
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
    planned_as(false, world, functions, items, sidecar, answers)
}

fn planned_as(others_stay: bool, world: &World, functions: &[Content], items: &[Content], sidecar: &[u8], answers: &Answers) -> Plan {
    let entry = world::key(world::item(0));
    let request = Request { functions, others_stay, items, entry, returns_status: world.returns_status, symbols: world.symbols };
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

impl Tally {
    fn add(&mut self, other: Tally) {
        self.patched += other.patched;
        self.unchanged += other.unchanged;
        self.image_bytes += other.image_bytes;
        self.sidecar_bytes += other.sidecar_bytes;
        other.fallbacks.into_iter().for_each(|(reason, count)| *self.fallbacks.entry(reason).or_default() += count);
    }

    /// At least this share was patched, and what fell back did so for a reason that random edits have.
    #[track_caller]
    fn expect(&self, part: usize, whole: usize) {
        eprintln!("{self:?}");
        let all = self.patched + self.unchanged + self.fallbacks.values().sum::<usize>();
        assert!(self.patched * whole > all * part, "{self:?}");
        assert!(self.fallbacks.keys().all(|reason| reason.starts_with("Capacity") || reason == "Runtime"), "{self:?}");
    }
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
        // Who knows that none went may leave out those that stay, or some of them.
        let others_stay = step % 5 < 3 && before.keys().all(|key| functions.iter().any(|function| function.key == *key));
        if others_stay {
            functions.retain(|function| before.get(&function.key) != Some(&function.fingerprint) || function.key % 7 == 0);
        }
        let answers = Answers::new(&world, &linked.image);
        match planned_as(others_stay, &world, &functions, &items, sidecar, &answers) {
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
    for seed in 0..40 * u64::from(patience()) {
        total.add(check(seed, 3 + seed as u32 % 40 * 2, 25, seed % 4 == 0));
    }
    total.expect(1, 5);
}

#[test]
fn patched_images_of_middling_programs_are_clean_ones() {
    let mut total = Tally::default();
    for seed in 100..100 + 4 * u64::from(patience()) {
        total.add(check(seed, 400, 25, seed % 2 == 0));
    }
    total.expect(1, 2);
}

/// How much longer than in `make test` the random edits go on.
fn patience() -> u32 {
    std::env::var("ORI_IMAGE_PATIENCE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

#[test]
fn patched_images_of_large_programs_are_clean_ones() {
    let mut total = Tally::default();
    for seed in 0..patience() {
        total.add(check(1000 + u64::from(seed), 2000, 8, seed % 2 == 0));
    }
    total.expect(1, 3);
}

/// A world that had one edit, and the link before.
fn edited(seed: u64, size: u32, edit: impl Fn(&mut World)) -> (World, Linked) {
    let mut world = World::new(seed, size, false);
    let linked = clean(&world);
    edit(&mut world);
    (world, linked)
}

fn plan_of(world: &World, image: &[u8], sidecar: &[u8]) -> Plan {
    let (functions, items) = contents(world);
    planned(world, &functions, &items, sidecar, &Answers::new(world, image))
}

fn flip_body(world: &mut World) {
    let made = world.functions.get_mut(&1).expect("there are several");
    made.function.code.iter_mut().for_each(|byte| *byte ^= 0x55);
    made.fingerprint += 1;
}

#[test]
fn a_flipped_bit_is_refused_or_does_not_matter() {
    let (world, linked) = edited(7, 40, flip_body);
    let now = clean(&world);
    let (functions, items) = contents(&world);
    let answers = Answers::new(&world, &linked.image);
    let sidecar = linked.sidecar.expect("has a sidecar");
    let mut refused = 0;
    let bits = sidecar.len() * 8;
    // All of the head, where everything matters; a prime stride through the tables.
    let chosen: Vec<usize> = (0..4096 * 8).chain((4096 * 8..bits).step_by(61)).collect();
    for &bit in &chosen {
        let mut flipped = sidecar.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        match planned(&world, &functions, &items, &flipped, &answers) {
            Plan::Fallback(Fallback::Damaged | Fallback::Format) => refused += 1,
            Plan::Patch(patch) => {
                let mut image = linked.image.clone();
                apply(&mut image, &patch.image);
                assert!(image == now.image, "bit {bit} made a wrong image");
            }
            other => panic!("bit {bit}: {other:?}"),
        }
    }
    assert!(refused * 2 > chosen.len() && refused < chosen.len(), "{refused} of {} were refused", chosen.len());
}

#[test]
fn cut_and_foreign_bytes_are_refused() {
    let (world, linked) = edited(8, 30, flip_body);
    let sidecar = linked.sidecar.expect("has a sidecar");
    let refused = |bytes: &[u8]| matches!(plan_of(&world, &linked.image, bytes), Plan::Fallback(Fallback::Damaged | Fallback::Format));
    for length in (0..sidecar.len()).step_by(97) {
        assert!(refused(&sidecar[..length]), "{length} bytes");
    }
    let mut longer = sidecar.clone();
    longer.extend([0; 4096]);
    assert!(refused(&longer));
    assert!(refused(&linked.image));
    // Of another page.
    let mut swapped = sidecar.clone();
    let length = swapped.len();
    let (last, before) = (length - 4096, length - 8192);
    for byte in 0..4096 {
        swapped.swap(last + byte, before + byte);
    }
    let plan = plan_of(&world, &linked.image, &swapped);
    let now = clean(&world);
    match plan {
        Plan::Fallback(reason) => assert_eq!(reason, Fallback::Damaged),
        Plan::Patch(patch) => {
            let mut image = linked.image.clone();
            apply(&mut image, &patch.image);
            assert!(image == now.image);
        }
        Plan::Unchanged => panic!("something changed"),
    }
}

#[test]
fn a_line_shift_writes_rows_of_items_only() {
    let (world, linked) = edited(9, 300, |world| world.shift(3, 5));
    let Plan::Patch(patch) = plan_of(&world, &linked.image, &linked.sidecar.expect("has one")) else { panic!("does not patch") };
    let rows = world.items().iter().filter(|item| item.file.starts_with("src/file3_")).count();
    assert_eq!(patch.image.len(), rows);
    assert!(patch.image.iter().all(|(_, bytes)| bytes.len() == crate::records::ITEM_RECORD));
    let answers = Answers::new(&world, &linked.image);
    assert!(answers.asked.borrow().is_empty());
}

/// One of the functions that many call grows until it moves and no class is full.
fn grown(seed: u64) -> (World, Linked, Patch) {
    for number in 0..4 {
        let (mut world, linked) = edited(seed, 500, |_| {});
        let sidecar = linked.sidecar.as_ref().expect("has one").clone();
        for _ in 0..40 {
            let made = world.functions.get_mut(&number).expect("there are several");
            made.fingerprint += 1;
            made.function.code.extend([0x90; 40]);
            if let Plan::Patch(patch) = plan_of(&world, &linked.image, &sidecar)
                && patch.image.len() > 20
            {
                return (world, linked, patch);
            }
        }
    }
    panic!("none of them moves");
}

#[test]
fn a_function_that_moves_is_followed_by_its_callers_alone() {
    let (world, linked, patch) = grown(10);
    let (mut image, now) = (linked.image, clean(&world));
    apply(&mut image, &patch.image);
    assert!(image == now.image);
    let places = patch.image.iter().filter(|(_, bytes)| bytes.len() <= 8).count();
    assert!(places > 100, "{places} places were filled");
    let bytes: usize = patch.image.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes * 5 < image.len(), "{bytes} of {} bytes were written", image.len());
}

#[test]
fn what_did_not_change_is_not_touched() {
    let (world, linked) = edited(11, 20, |_| {});
    assert_eq!(plan_of(&world, &linked.image, &linked.sidecar.expect("has one")), Plan::Unchanged);
}

#[test]
fn a_program_that_does_not_link_is_left_to_the_clean_link() {
    let (mut world, linked) = edited(12, 60, |_| {});
    let sidecar = linked.sidecar.expect("has one");
    // Function 1 goes, and those who call it do not know.
    world.functions.remove(&1);
    assert_eq!(plan_of(&world, &linked.image, &sidecar), Plan::Fallback(Fallback::Program));
    let (functions, items) = contents(&world);
    let twice: Vec<Content> = functions.iter().chain(&functions).copied().collect();
    let answers = Answers::new(&world, &linked.image);
    assert_eq!(planned(&world, &twice, &items, &sidecar, &answers), Plan::Fallback(Fallback::Program));
    world.symbols = true;
    assert_eq!(plan_of(&world, &linked.image, &sidecar), Plan::Fallback(Fallback::Symbols));
}

#[test]
fn a_function_that_gains_or_loses_thousands_of_references_is_left_to_the_clean_link() {
    for (before, after) in [(3000, 10), (10, 3000)] {
        let mut world = World::new(15, 60, false);
        world.calls(3, 1, before);
        let linked = clean(&world);
        world.calls(3, 1, after);
        assert_eq!(plan_of(&world, &linked.image, &linked.sidecar.expect("has one")), Plan::Fallback(Fallback::Large));
    }
    let mut world = World::new(15, 60, false);
    world.calls(3, 1, 3000);
    let linked = clean(&world);
    world.calls(3, 1, 2990);
    assert!(matches!(plan_of(&world, &linked.image, &linked.sidecar.expect("has one")), Plan::Patch(_)));
}

#[test]
fn an_image_that_cannot_be_read_is_not_patched() {
    // Others move with it, and their code is in the image only.
    let (world, linked, _) = grown(13);
    assert_eq!(plan_of(&world, &[], &linked.sidecar.expect("has one")), Plan::Fallback(Fallback::Missing));
}

#[test]
fn an_item_without_user_makes_an_image_that_cannot_be_patched() {
    let world = World::new(14, 10, false);
    let mut items = world.items();
    items.push(Item {
        id: world::item(77),
        key: world::key(world::item(77)),
        name: "@spare".into(),
        file: String::new(),
        base_line: 1,
        hidden: false,
    });
    let program = crate::Program {
        functions: world.functions.values().map(|made| &made.function).collect(),
        items,
        entry: world::item(0),
        returns_status: true,
        symbols: false,
        external: Vec::new(),
        foreign_frames: false,
    };
    let (functions, items) = (vec![1; program.functions.len()], vec![1; program.items.len()]);
    let fingerprints = crate::sidecar::build::Fingerprints { functions: &functions, items: &items };
    let linked = link_with_sidecar(&program, fingerprints).expect("links");
    assert_eq!(linked.sidecar, Err(Fallback::Unsupported));
    assert_eq!(Ok(linked.image), crate::link(&program));
}
