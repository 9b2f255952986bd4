//! What the checker knows of places: the symbols that each holds for certain, within a block and where blocks meet.

use smallvec::SmallVec;

/// A value for certain: a virtual register, or one of the things that can be made from nothing.
pub(super) type Symbol = u32;
/// Symbols below are virtual registers.
pub(super) const MADE: Symbol = 1 << 16;
pub(super) const INCOMING: Symbol = 1 << 24;
/// What one place holds.
pub(super) type Set = SmallVec<[Symbol; 4]>;

/// Places where a block begins: pairs of a place and a symbol that it holds, sorted.
#[derive(Clone, Default, Debug)]
pub(super) struct Entry(Vec<(u32, Symbol)>);

impl Entry {
    /// Of pairs in any order.
    pub(super) fn new(mut pairs: Vec<(u32, Symbol)>) -> Entry {
        pairs.sort_unstable();
        pairs.dedup();
        Entry(pairs)
    }

    /// Keeps what the other one holds too. Was anything lost?
    pub(super) fn meet(&mut self, other: &Entry) -> bool {
        let before = self.0.len();
        let mut rest = &other.0[..];
        self.0.retain(|pair| {
            while let [first, tail @ ..] = rest
                && first < pair
            {
                rest = tail;
            }
            rest.first() == Some(pair)
        });
        self.0.len() != before
    }
}

/// Places within a block.
pub(super) struct State {
    /// Registers, then slots.
    places: Vec<Set>,
    /// How many places hold each virtual register: most are defined where no place holds them, and then no place need be looked at.
    holders: Vec<u32>,
}

impl State {
    pub(super) fn new(places: usize, symbols: usize) -> State {
        State { places: vec![Set::new(); places], holders: vec![0; symbols] }
    }

    /// Forgets everything but the entry.
    pub(super) fn enter(&mut self, entry: &Entry) {
        self.places.iter_mut().for_each(Set::clear);
        self.holders.fill(0);
        for &(place, symbol) in &entry.0 {
            self.places[place as usize].push(symbol);
            Self::count(&mut self.holders, symbol, 1);
        }
    }

    fn count(holders: &mut [u32], symbol: Symbol, change: i32) {
        if let Some(count) = holders.get_mut(symbol as usize) {
            *count = count.wrapping_add_signed(change);
        }
    }

    /// What a place holds; nothing when there is no such place.
    pub(super) fn held(&self, place: usize) -> &[Symbol] {
        self.places.get(place).map_or(&[], |set| set)
    }

    /// A place gets other symbols.
    pub(super) fn put(&mut self, place: usize, set: Set) {
        set.iter().for_each(|&symbol| Self::count(&mut self.holders, symbol, 1));
        let old = std::mem::replace(&mut self.places[place], set);
        old.iter().for_each(|&symbol| Self::count(&mut self.holders, symbol, -1));
    }

    /// A new value is made: places that hold the one of an earlier turn of a loop hold it no more.
    pub(super) fn forget(&mut self, symbol: Symbol) {
        if self.holders.get(symbol as usize) == Some(&0) {
            return;
        }
        self.places.iter_mut().for_each(|set| set.retain(|held| *held != symbol));
        if let Some(count) = self.holders.get_mut(symbol as usize) {
            *count = 0;
        }
    }

    /// Everything that places from the given one on hold.
    pub(super) fn pairs(&self, from: usize) -> impl Iterator<Item = (u32, Symbol)> {
        let places = self.places.iter().enumerate().skip(from);
        places.flat_map(|(place, set)| set.iter().map(move |&symbol| (place as u32, symbol)))
    }
}
