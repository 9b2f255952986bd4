//! What patching costs: `cargo run --release -p image --example patch_time [functions]`. A program of functions of 600 bytes on average is linked, then
//! edited in several ways; each edit is planned many times, the median is printed, and the result compared with a clean link once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Instant;

use abi::{PanicKind, RuntimeCall};
use image::plan::{Content, Plan, Request, Source, plan};
use image::sidecar::build::Fingerprints;
use image::{Data, Function, Item, Program, Reloc, RelocKind, RuntimeSymbol, Site, SitePlace, Target};
use ir::{ItemId, Symbol};

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) % u64::from(limit.max(1))) as u32
    }
}

fn id(number: u32) -> ItemId {
    ItemId::function(Symbol::new(&format!("m{}", number / 50)), Symbol::new(&format!("function_{number}")))
}

fn key(number: u32) -> u128 {
    let mix = |seed: u64| u128::from((u64::from(number) ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mix(0x1357_9bdf) << 64 | mix(0xfeed_f00d)
}

/// A call about every 40 bytes, some to the runtime, a constant about every 150.
fn function(random: &mut Random, number: u32, count: u32, size: u32) -> Function {
    let own = id(number);
    let mut function = Function {
        item: own,
        key: key(number),
        name: format!("m.function_{number}"),
        code: (0..size).map(|_| random.below(256) as u8).collect(),
        relocs: Vec::new(),
        threads: Vec::new(),
        data: Vec::new(),
        has_frame: true,
        frame_size: 8 * random.below(40),
        saved_mask: 0,
        sites: Vec::new(),
        places: Vec::new(),
    };
    let mut at = 10;
    while at + 10 < size {
        let (kind, target) = match random.below(8) {
            0..3 => (RelocKind::Call32, Target::Function(id(random.below(count)))),
            3 => (RelocKind::Call32, Target::Runtime(RuntimeSymbol::Panic(PanicKind::AddOverflow))),
            4 | 5 => (RelocKind::Call32, Target::Runtime(RuntimeSymbol::Call(RuntimeCall::ALL[random.below(20) as usize]))),
            _ => {
                let text = format!("a text with the number {}", random.below(4000));
                function.data.push(Data { bytes: text.into_bytes(), align: 1, relocs: vec![] });
                (RelocKind::Data32, Target::Data(function.data.len() as u32 - 1))
            }
        };
        function.relocs.push(Reloc { offset: at, kind, target, addend: -4 });
        if kind == RelocKind::Call32 {
            let first_place = function.places.len() as u32;
            function.places.push(SitePlace { item: own, line: 1 + at / 20, column: 9 });
            if random.below(10) == 0 {
                function.places.push(SitePlace { item: id(random.below(count)), line: 3, column: 5 });
            }
            let places = function.places.len() as u32 - first_place;
            function.sites.push(Site { return_offset: at + 4, pad_offset: None, first_place, places });
        }
        at += 30 + random.below(20);
    }
    function
}

struct World {
    functions: Vec<Function>,
    fingerprints: Vec<u128>,
    numbers: HashMap<u128, u32>,
    shift: u32,
    image: Vec<u8>,
}

impl World {
    fn item(&self, number: u32) -> Item {
        let base_line = 10 * (number % 50) + if number / 50 == 7 { self.shift } else { 0 };
        Item {
            id: id(number),
            key: key(number),
            name: format!("@function_{number}"),
            file: format!("src/m{}.ori", number / 50),
            base_line,
            hidden: false,
        }
    }

    fn contents(&self) -> (Vec<Content>, Vec<Content>) {
        let functions = self.functions.iter().zip(&self.fingerprints);
        let functions = functions.map(|(function, &fingerprint)| Content { key: function.key, fingerprint }).collect();
        let items =
            (0..self.functions.len() as u32).map(|number| Content { key: key(number), fingerprint: fingerprint(&self.item(number)) });
        (functions, items.collect())
    }

    fn link(&self) -> image::Linked {
        let items: Vec<Item> = (0..self.functions.len() as u32).map(|number| self.item(number)).collect();
        let fingerprints: Vec<u128> = items.iter().map(fingerprint).collect();
        let functions = self.functions.iter().collect();
        let program =
            Program { functions, items, entry: id(0), returns_status: true, symbols: false, external: Vec::new(), foreign_frames: false };
        let fingerprints = Fingerprints { functions: &self.fingerprints, items: &fingerprints };
        image::link_with_sidecar(&program, fingerprints).expect("links")
    }

    fn replace(&mut self, random: &mut Random, number: u32, size: u32) {
        let count = self.functions.len() as u32;
        self.functions[number as usize] = function(random, number, count, size);
        self.fingerprints[number as usize] += 1 << 70;
    }
}

fn fingerprint(item: &Item) -> u128 {
    u128::from(item.base_line) + 1
}

struct Numbers<'a>(&'a World);

impl Source for Numbers<'_> {
    fn key(&self, item: ItemId) -> Option<u128> {
        let path = item.path();
        Some(key(path.name.as_str().rsplit('_').next()?.parse().ok()?))
    }

    fn function(&self, wanted: u128) -> Option<Cow<'_, Function>> {
        self.0.functions.get(*self.0.numbers.get(&wanted)? as usize).map(Cow::Borrowed)
    }

    fn item(&self, wanted: u128) -> Option<(Cow<'_, Item>, u128)> {
        let item = self.0.item(*self.0.numbers.get(&wanted)?);
        let fingerprint = fingerprint(&item);
        Some((Cow::Owned(item), fingerprint))
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> bool {
        self.0.image.get(offset as usize..offset as usize + into.len()).is_some_and(|bytes| {
            into.copy_from_slice(bytes);
            true
        })
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn measure(what: &str, world: &World, sidecar: &[u8], all_items: bool) {
    let (functions, items) = world.contents();
    let items = if all_items { items } else { Vec::new() };
    let request = Request { functions: &functions, items: &items, entry: key(0), others_stay: false, returns_status: true, symbols: false };
    let mut times = Vec::new();
    let mut result = Plan::Unchanged;
    for _ in 0..200 {
        let start = Instant::now();
        result = plan(&request, sidecar, &Numbers(world));
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    let text = match &result {
        Plan::Unchanged => "unchanged".to_owned(),
        Plan::Patch(patch) => {
            let size = |patches: &[(u64, Vec<u8>)]| patches.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
            let linked = world.link();
            let (mut image, mut new) = (world.image.clone(), sidecar.to_vec());
            for (bytes, patches) in [(&mut image, &patch.image), (&mut new, &patch.sidecar)] {
                for (offset, patch) in patches {
                    bytes[*offset as usize..*offset as usize + patch.len()].copy_from_slice(patch);
                }
            }
            assert!(image == linked.image && Ok(new) == linked.sidecar, "{what}: not what a clean link gives");
            format!(
                "image {} B in {} stretches, sidecar {} B in {}",
                size(&patch.image),
                patch.image.len(),
                size(&patch.sidecar),
                patch.sidecar.len()
            )
        }
        Plan::Fallback(reason) => format!("falls back: {reason}"),
    };
    println!("{what:<44} {:>8.1} us   {text}", median(times));
}

fn main() {
    let count: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5500);
    let mut random = Random(42);
    let size = |random: &mut Random| {
        let (a, b) = (random.below(900), random.below(900));
        if random.below(40) == 0 { 2000 + a * 4 } else { 50 + a.min(b) + b / 2 }
    };
    let mut world = World { functions: Vec::new(), fingerprints: Vec::new(), numbers: HashMap::new(), shift: 0, image: Vec::new() };
    for number in 0..count {
        let size = size(&mut random);
        world.functions.push(function(&mut random, number, count, size));
        world.fingerprints.push(u128::from(number));
        world.numbers.insert(key(number), number);
    }
    let bytes: usize = world.functions.iter().map(|function| function.code.len()).sum();
    let (mut plain, mut both) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let items: Vec<Item> = (0..count).map(|number| world.item(number)).collect();
        let program = Program {
            functions: world.functions.iter().collect(),
            items,
            entry: id(0),
            returns_status: true,
            symbols: false,
            external: Vec::new(),
            foreign_frames: false,
        };
        let start = Instant::now();
        let linked = image::link(&program).expect("links");
        plain.push(start.elapsed().as_secs_f64() * 1e3);
        drop(linked);
        let fingerprints: Vec<u128> = program.items.iter().map(fingerprint).collect();
        let start = Instant::now();
        let fingerprints = Fingerprints { functions: &world.fingerprints, items: &fingerprints };
        let linked = image::link_with_sidecar(&program, fingerprints).expect("links");
        both.push(start.elapsed().as_secs_f64() * 1e3);
        drop(linked);
    }
    let linked = world.link();
    let sidecar = linked.sidecar.expect("has a sidecar");
    world.image = linked.image;
    println!("{count} functions, {bytes} B of code, image {} B, sidecar {} B", world.image.len(), sidecar.len());
    println!("clean link {:.2} ms, with sidecar {:.2} ms", median(plain), median(both));
    measure("nothing", &world, &sidecar, false);
    measure("nothing, all items listed", &world, &sidecar, true);

    let old = world.functions[3000 % count as usize].clone();
    let number = 3000 % count;
    let kept = |world: &mut World| {
        world.functions[number as usize] = old.clone();
        world.fingerprints[number as usize] = u128::from(number);
    };
    world.functions[number as usize].code.iter_mut().for_each(|byte| *byte ^= 1);
    world.fingerprints[number as usize] += 1 << 70;
    measure("bytes of a function", &world, &sidecar, false);
    kept(&mut world);
    world.replace(&mut random, number, old.code.len() as u32);
    measure("all of a function, same size", &world, &sidecar, false);
    kept(&mut world);
    world.replace(&mut random, number, old.code.len() as u32 * 3 / 2);
    measure("all of a function, half as large again", &world, &sidecar, false);
    kept(&mut world);
    world.shift = 3;
    measure("lines of a file with 50 functions", &world, &sidecar, true);
    world.shift = 0;

    // How often is an edit too much for the tables? Each from the same image; the classes it reaches are those of that image.
    for (what, share) in [("the size stays within 3 %", 33), ("the size stays within 15 %", 7)] {
        let mut fallbacks = 0;
        let mut times = Vec::new();
        for _ in 0..1000 {
            let number = random.below(count);
            let before = (world.functions[number as usize].clone(), world.fingerprints[number as usize]);
            let size = before.0.code.len() as u32;
            let mut edited = before.0.clone();
            let size = size - size / share + random.below(2 * size / share + 1);
            edited.code.resize(size.max(8) as usize, 0x90);
            edited.relocs.retain(|reloc| reloc.offset + 8 < size);
            edited.sites.retain(|site| site.return_offset <= size);
            if let Some(reloc) = edited.relocs.first_mut()
                && matches!(reloc.target, Target::Function(_))
            {
                reloc.target = Target::Function(id(random.below(count)));
            }
            if let Some(data) = edited.data.first_mut() {
                data.bytes = format!("an edited text {}", random.below(100_000)).into_bytes();
            }
            world.functions[number as usize] = edited;
            world.fingerprints[number as usize] += 1 << 70;
            let (functions, _) = world.contents();
            let request =
                Request { functions: &functions, items: &[], entry: key(0), others_stay: false, returns_status: true, symbols: false };
            let start = Instant::now();
            let result = plan(&request, &sidecar, &Numbers(&world));
            times.push(start.elapsed().as_secs_f64() * 1e6);
            fallbacks += usize::from(matches!(result, Plan::Fallback(_)));
            (world.functions[number as usize], world.fingerprints[number as usize]) = before;
        }
        println!("1000 edits, {what:<31} {:>8.1} us   {fallbacks} fall back", median(times));
    }
}
