//! What a function refers to, in the words of the tables. The clean build of a sidecar and a plan both ask here.

use std::hash::Hasher;

use ir::ItemId;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::Fallback;
use super::rows::{Link, LinkKind};
use super::short::{Kind, Short};
use crate::input::{Data, DataTarget, Function, RelocKind, Target};
use crate::pieces::{PieceClasses, is_wide, text_key};

/// A piece by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PieceName {
    /// Its key.
    pub key: u128,
    /// Its short name.
    pub short: Short,
}

impl PieceName {
    /// The piece with this key and size.
    pub fn new(key: u128, wide: bool, size: usize, classes: &PieceClasses) -> Result<PieceName, Fallback> {
        let class = u32::try_from(size).ok().and_then(|size| classes.of(wide).of(size)).ok_or(Fallback::Program)?;
        Ok(PieceName { key, short: Short::piece(key, wide, class) })
    }

    /// The piece with a text.
    pub fn text(text: &str, classes: &PieceClasses) -> Result<PieceName, Fallback> {
        PieceName::new(text_key(text.as_bytes()), false, text.len(), classes)
    }
}

/// What a function refers to.
#[derive(Clone, Default, Debug)]
pub struct Described {
    /// Its rows of `links`, in order.
    pub links: Vec<Link>,
    /// Its constants.
    pub constants: Vec<PieceName>,
    /// Items that its sites name, apart from its own, in order of short name.
    pub items: Vec<(Short, u128)>,
}

impl Described {
    /// Describes a function that has constants with these keys; `key` gives the stable key of an item.
    pub fn describe(
        &mut self,
        function: &Function,
        constants: impl IntoIterator<Item = u128>,
        classes: &PieceClasses,
        key: &dyn Fn(ItemId) -> Option<u128>,
    ) -> Result<(), Fallback> {
        self.links.clear();
        self.constants.clear();
        self.items.clear();
        for (data, key) in function.data.iter().zip(constants) {
            self.constants.push(PieceName::new(key, is_wide(data), data.bytes.len(), classes)?);
        }
        for reloc in &function.relocs {
            let target = match reloc.target {
                Target::Function(item) => Short::function(key(item).ok_or(Fallback::Missing)?),
                Target::Runtime(symbol) => Short::symbol(symbol),
                Target::Data(data) => self.constants.get(data as usize).ok_or(Fallback::Program)?.short,
            };
            let kind = match reloc.kind {
                RelocKind::Call32 | RelocKind::Data32 => LinkKind::Relative,
                RelocKind::Abs64 => LinkKind::Absolute,
            };
            self.links.push(Link::new(kind, reloc.offset, i64::from(reloc.addend), target).ok_or(Fallback::Unsupported)?);
        }
        settle(&mut self.links)?;
        let mut held: Vec<Short> = self.constants.iter().map(|constant| constant.short).collect();
        held.sort_unstable();
        held.dedup();
        let mut last = None;
        for place in &function.places {
            // The places of one chain after the other mostly name one item.
            if place.item != function.item && last != Some(place.item) {
                last = Some(place.item);
                let key = key(place.item).ok_or(Fallback::Missing)?;
                self.items.push((Short::item(key), key));
            }
        }
        self.items.sort_unstable();
        self.items.dedup();
        let named = self.items.iter().map(|&(item, _)| item);
        for (kind, targets) in
            [(LinkKind::Holds, &mut held.into_iter() as &mut dyn Iterator<Item = Short>), (LinkKind::Names, &mut { named })]
        {
            for (number, target) in targets.enumerate() {
                self.links.push(Link::new(kind, number as u32, 0, target).ok_or(Fallback::Unsupported)?);
            }
        }
        Ok(())
    }

    /// What the function refers to and may move, without repetition, in order.
    pub fn targets(&self) -> Vec<Short> {
        targets(&self.links)
    }

    /// Rows of `links` of one of the function's constants, in order.
    pub fn constant_links(&self, data: &Data, key: &dyn Fn(ItemId) -> Option<u128>) -> Result<Vec<Link>, Fallback> {
        let mut links = Vec::with_capacity(data.relocs.len());
        for reloc in &data.relocs {
            let target = match reloc.target {
                DataTarget::Data(data) => self.constants.get(data as usize).ok_or(Fallback::Program)?.short,
                DataTarget::Function(item) => Short::function(key(item).ok_or(Fallback::Missing)?),
            };
            links.push(Link::new(LinkKind::Absolute, reloc.offset, reloc.addend, target).ok_or(Fallback::Unsupported)?);
        }
        settle(&mut links)?;
        Ok(links)
    }
}

/// Sorts links. Places that overlap depend on the order in which they are filled, and are left to the clean link.
fn settle(links: &mut Vec<Link>) -> Result<(), Fallback> {
    links.sort_unstable();
    links.dedup();
    let overlap = |pair: &[(u32, u32)]| matches!(pair, [(first, size), (second, _)] if second - first < *size);
    let mut places: Vec<(u32, u32)> = links.iter().filter_map(Link::place).collect();
    places.sort_unstable();
    if places.windows(2).any(overlap) { Err(Fallback::Unsupported) } else { Ok(()) }
}

/// What can move of what links refer to, without repetition, in order.
pub fn targets(links: &[Link]) -> Vec<Short> {
    let mut targets: Vec<Short> = links.iter().map(|link| link.target).filter(|target| !matches!(target.kind(), Kind::Symbol(_))).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Numbers of the runtime's symbols that links refer to, without repetition, in order.
pub fn symbols(links: &[Link]) -> Vec<u32> {
    let symbol = |link: &Link| match link.target.kind() {
        Kind::Symbol(number) => Some(number),
        Kind::Function | Kind::Item | Kind::Piece { .. } | Kind::Unknown => None,
    };
    let mut symbols: Vec<u32> = links.iter().filter_map(symbol).collect();
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

/// Part of a program's fingerprint, which is a sum: of a function or item.
pub fn share(short: Short, key: u128, fingerprint: u128) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write_u64(short.word());
    hasher.write_u128(key);
    hasher.write_u128(fingerprint);
    hasher.finish128().as_u128()
}

/// Part of a program's fingerprint: what holds for all of it.
pub fn share_of_options(entry: u128, returns_status: bool, symbols: bool) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write_u128(entry);
    hasher.write_u64(crate::runtime::FINGERPRINT);
    hasher.write(&[u8::from(returns_status), u8::from(symbols)]);
    hasher.finish128().as_u128()
}
