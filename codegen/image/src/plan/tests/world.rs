//! A random program, and edits of it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use abi::{PanicKind, RuntimeCall};
use ir::{ItemId, Symbol};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::input::{Data, DataReloc, DataTarget, Function, Item, Reloc, RelocKind, RuntimeSymbol, Site, SitePlace, Target};

pub struct Random(u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub fn below(&mut self, limit: u32) -> u32 {
        (self.next() % u64::from(limit.max(1))) as u32
    }

    pub fn one_in(&mut self, limit: u32) -> bool {
        self.below(limit) == 0
    }
}

pub fn item(number: u32) -> ItemId {
    ItemId::function(Symbol::new("t"), Symbol::new(&format!("f{number}")))
}

fn hash(text: &str) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish128().as_u128()
}

pub fn key(item: ItemId) -> u128 {
    hash(&item.to_string())
}

pub fn item_fingerprint(item: &Item) -> u128 {
    hash(&format!("{} {} {} {}", item.name, item.file, item.base_line, item.hidden))
}

#[derive(Clone)]
pub struct Made {
    pub function: Function,
    pub fingerprint: u128,
}

/// The program. Numbers below 1,000,000 are functions; those above are items without code, which sites name.
pub struct World {
    random: Random,
    pub functions: BTreeMap<u32, Made>,
    shifts: BTreeMap<u32, u32>,
    files: BTreeMap<u32, u32>,
    hidden: BTreeSet<u32>,
    pub returns_status: bool,
    pub symbols: bool,
    pub last: String,
    stamp: u64,
    next: u32,
    past: Vec<BTreeMap<u32, Made>>,
}

const FILES: u32 = 7;
const WITHOUT_CODE: u32 = 1_000_000;

impl World {
    pub fn new(seed: u64, size: u32, symbols: bool) -> World {
        let mut world = World {
            random: Random(seed.wrapping_mul(0x1234_5678_9abc_def1)),
            functions: BTreeMap::new(),
            shifts: BTreeMap::new(),
            files: BTreeMap::new(),
            hidden: BTreeSet::new(),
            returns_status: true,
            symbols,
            last: String::new(),
            stamp: 0,
            next: size,
            past: Vec::new(),
        };
        let numbers: Vec<u32> = (0..size).collect();
        for &number in &numbers {
            let length = world.length();
            world.make(number, length, &numbers);
        }
        world
    }

    fn length(&mut self) -> u32 {
        match self.random.below(20) {
            0 => self.random.below(6000),
            1..4 => self.random.below(40),
            4..10 => self.random.below(300),
            _ => 300 + self.random.below(600),
        }
    }

    fn stamp(&mut self) -> u128 {
        self.stamp += 1;
        u128::from(self.stamp) << 64 | u128::from(self.random.next())
    }

    fn number(item: ItemId) -> u32 {
        item.path().name.as_str()[1..].parse().expect("made by `item`")
    }

    fn make(&mut self, number: u32, length: u32, others: &[u32]) {
        let random = &mut self.random;
        let own = item(number);
        let mut function = Function {
            item: own,
            key: key(own),
            name: format!("t.f{number}"),
            code: (0..length).map(|_| random.next() as u8).collect(),
            relocs: Vec::new(),
            threads: Vec::new(),
            data: Vec::new(),
            has_frame: random.one_in(2),
            frame_size: random.below(100),
            saved_mask: random.below(8) as u16,
            sites: Vec::new(),
            places: Vec::new(),
        };
        for index in 0..random.below(5) {
            // Small numbers, so that functions share them; sometimes one that points.
            let text = random.below(60);
            let align = [1, 8, 8, 16][text as usize % 4];
            let mut bytes = format!("constant {text} {}", "x".repeat(text as usize * 3 % 80)).into_bytes();
            let mut relocs = Vec::new();
            if random.one_in(5) {
                bytes.resize(bytes.len().max(24), 0);
                let target = match index {
                    0 => DataTarget::Function(item(others[random.below(others.len() as u32) as usize])),
                    _ => DataTarget::Data(random.below(index)),
                };
                relocs.push(DataReloc { offset: random.below(3) * 8, target, addend: i64::from(random.below(9)) - 4 });
            }
            function.data.push(Data { bytes, align, relocs });
        }
        let mut at = random.below(20);
        while at + 12 < length {
            let (kind, target) = match random.below(16) {
                0..6 => {
                    // Some are called by many.
                    let among = if random.one_in(2) { others.len() as u32 } else { (others.len() as u32).min(4) };
                    (RelocKind::Call32, Target::Function(item(others[random.below(among) as usize])))
                }
                6..9 => (RelocKind::Call32, Target::Runtime(RuntimeSymbol::Call(RuntimeCall::ALL[random.below(6) as usize]))),
                9 if random.one_in(30) => {
                    let symbol = RuntimeSymbol::from_number(random.below(RuntimeSymbol::COUNT)).expect("below the count");
                    (RelocKind::Call32, Target::Runtime(symbol))
                }
                9 | 10 => (RelocKind::Call32, Target::Runtime(RuntimeSymbol::Panic(PanicKind::DivByZero))),
                11..14 if !function.data.is_empty() => {
                    let data = random.below(function.data.len() as u32);
                    (if random.one_in(4) { RelocKind::Abs64 } else { RelocKind::Data32 }, Target::Data(data))
                }
                11..14 => (RelocKind::Call32, Target::Function(own)),
                _ => (RelocKind::Abs64, Target::Function(item(others[random.below(others.len() as u32) as usize]))),
            };
            function.relocs.push(Reloc { offset: at, kind, target, addend: random.below(9) as i32 - 4 });
            if kind == RelocKind::Call32 {
                let first_place = function.places.len() as u32;
                function.places.push(SitePlace { item: own, line: random.below(200), column: random.below(100) });
                if random.one_in(6) {
                    let other = if random.one_in(3) { WITHOUT_CODE + random.below(50) } else { random.below(self.next) };
                    function.places.push(SitePlace { item: item(other), line: random.below(20), column: 7 });
                }
                let places = function.places.len() as u32 - first_place;
                let pad_offset = random.one_in(5).then(|| random.below(length));
                function.sites.push(Site { return_offset: at + 4, pad_offset, first_place, places });
            }
            at += 8 + random.below(60);
        }
        if random.one_in(2) {
            function.relocs.reverse();
        }
        let fingerprint = self.stamp();
        self.functions.insert(number, Made { function, fingerprint });
    }

    pub fn items(&self) -> Vec<Item> {
        let named: BTreeSet<u32> = self
            .functions
            .values()
            .flat_map(|made| std::iter::once(made.function.item).chain(made.function.places.iter().map(|place| place.item)))
            .map(World::number)
            .collect();
        let row = |number: u32| {
            let file = number % FILES;
            Item {
                id: item(number),
                key: key(item(number)),
                name: format!("@name{}", number % 900),
                file: format!("src/file{file}_{}.ori", "v".repeat(self.files.get(&file).copied().unwrap_or(0) as usize)),
                base_line: number * 3 + self.shifts.get(&file).copied().unwrap_or(0),
                hidden: self.hidden.contains(&number),
            }
        };
        named.into_iter().map(row).collect()
    }

    fn numbers(&self) -> Vec<u32> {
        self.functions.keys().copied().collect()
    }

    fn any(&mut self) -> u32 {
        let numbers = self.numbers();
        numbers[self.random.below(numbers.len() as u32) as usize]
    }

    /// One edit; now and then several at once.
    pub fn edit(&mut self) {
        self.last.clear();
        if self.random.one_in(4) {
            self.past.push(self.functions.clone());
        }
        for _ in 0..if self.random.one_in(5) { 2 + self.random.below(5) } else { 1 } {
            self.edit_once();
        }
    }

    /// Moves the items of a file down.
    pub fn shift(&mut self, file: u32, lines: u32) {
        *self.shifts.entry(file).or_default() += lines;
    }

    fn edit_once(&mut self) {
        let choice = self.random.below(17);
        let number = self.any();
        let length = self.functions[&number].function.code.len() as u32;
        let numbers = self.numbers();
        self.last += &format!("{choice} of {number}; ");
        match choice {
            0..3 => {
                let stamp = self.stamp();
                let made = self.functions.get_mut(&number).expect("one of them");
                made.fingerprint = stamp;
                made.function.code.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
            }
            3..6 => {
                let length = length + self.random.below(length / 10 + 2);
                self.make(number, length, &numbers);
            }
            6 | 7 => {
                let length = self.length();
                self.make(number, length, &numbers);
            }
            8 => self.functions.get_mut(&number).expect("one of them").fingerprint += 1,
            9 | 10 => {
                let new = self.add();
                self.call(number, new);
            }
            11 | 12 if number != 0 => self.remove(number, 0),
            13 if number != 0 => {
                let new = self.add();
                let mut made = self.functions[&number].clone();
                let mut whole = self.functions[&new].clone();
                made.function.item = whole.function.item;
                made.function.key = whole.function.key;
                made.function.name = std::mem::take(&mut whole.function.name);
                self.functions.insert(new, made);
                self.remove(number, new);
            }
            14 => self.shift(number % FILES, 1),
            15 if self.random.one_in(6) => *self.files.entry(number % FILES).or_default() += 1,
            15 if self.random.one_in(8) => self.returns_status = !self.returns_status,
            15 => self.hidden = self.hidden.symmetric_difference(&BTreeSet::from([number])).copied().collect(),
            16 if !self.past.is_empty() && self.random.one_in(3) => {
                let number = self.random.below(self.past.len() as u32) as usize;
                self.functions = self.past[number].clone();
            }
            _ => {}
        }
    }

    fn add(&mut self) -> u32 {
        let new = self.next;
        self.next += 1;
        let mut numbers = self.numbers();
        numbers.push(new);
        let length = self.length();
        self.make(new, length, &numbers);
        new
    }

    /// `from` calls `to` in place of what its first relocation names.
    fn call(&mut self, from: u32, to: u32) {
        let stamp = self.stamp();
        if let Some(made) = self.functions.get_mut(&from)
            && let Some(reloc) = made.function.relocs.first_mut()
        {
            reloc.target = Target::Function(item(to));
            made.fingerprint = stamp;
        }
    }

    /// `from` is long and calls `to` so often, and does nothing else.
    pub fn calls(&mut self, from: u32, to: u32, count: u32) {
        let stamp = self.stamp();
        let made = self.functions.get_mut(&from).expect("is there");
        made.function.code = vec![0x90; 8 * count as usize + 8];
        let target = Target::Function(item(to));
        let call = |number: u32| Reloc { offset: 8 * number + 1, target, addend: -4, kind: RelocKind::Call32 };
        made.function.relocs = (0..count).map(call).collect();
        made.function.threads.clear();
        made.function.data.clear();
        made.function.sites.clear();
        made.fingerprint = stamp;
    }

    /// Whoever refers to `number` refers to `heir`.
    fn remove(&mut self, number: u32, heir: u32) {
        self.functions.remove(&number);
        let (gone, heir) = (item(number), item(heir));
        let forget = self.random.one_in(2);
        let mut stamp = self.stamp();
        for made in self.functions.values_mut() {
            let before = made.function.clone();
            for reloc in made.function.relocs.iter_mut().filter(|reloc| reloc.target == Target::Function(gone)) {
                reloc.target = Target::Function(heir);
            }
            for reloc in made.function.data.iter_mut().flat_map(|data| &mut data.relocs) {
                if reloc.target == DataTarget::Function(gone) {
                    reloc.target = DataTarget::Function(heir);
                }
            }
            for place in made.function.places.iter_mut().filter(|place| forget && place.item == gone) {
                place.item = heir;
            }
            if before != made.function {
                stamp += 1 << 70;
                made.fingerprint = stamp;
            }
        }
    }
}
