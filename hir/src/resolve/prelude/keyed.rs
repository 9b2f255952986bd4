//! Functions of the library that ask a map or a set for one key, and those that stand for several of them: MIR makes one search of two (pass `lookups`).

use std::collections::HashMap;
use std::sync::OnceLock;

use ir::{ItemId, Symbol};

use super::MAPS;

/// What a call asks of a map for a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keyed {
    /// The value of the key, if it has one.
    Get,
    /// Whether the key is there.
    Contains,
    /// The map with a value for the key.
    Insert,
    /// The map without the key.
    Remove,
}

/// A function of the library that works with the spot of a key in a map.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Spot {
    /// Of a map and a key: the spot, an int, below 0 where the map has not got the key.
    Of,
    /// Of a map and a spot: the value.
    Value,
    /// Of a map, a spot, a key and a value: the map with them.
    Put,
    /// Of a map and a spot: the map without the key.
    Removed,
    /// Of a map and a key: the spot, the map without the entry, its key and its value. Only [`Spot::PutBack`] may have the map next.
    TakenOut,
    /// Of a map without an entry, its spot, the key that was there, the key and a value: the map with them.
    PutBack,
}

const METHODS: [(&str, Keyed, bool); 8] = [
    ("Map'get", Keyed::Get, false),
    ("Map'contains_key", Keyed::Contains, false),
    ("Map'insert", Keyed::Insert, false),
    ("Map'updated", Keyed::Insert, false),
    ("Map'remove", Keyed::Remove, false),
    ("Set'contains", Keyed::Contains, true),
    ("Set'insert", Keyed::Insert, true),
    ("Set'remove", Keyed::Remove, true),
];

const SPOTS: [&str; 6] = ["spot_of", "value_at", "put_at", "removed_at", "taken_out", "put_back"];

/// What a function asks of a map for a key, and whether it is one of sets; nothing for all other functions.
pub fn keyed(function: ItemId) -> Option<(Keyed, bool)> {
    static KNOWN: OnceLock<HashMap<ItemId, (Keyed, bool)>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| METHODS.map(|(name, keyed, is_set)| (of_maps(name), (keyed, is_set))).into_iter().collect());
    known.get(&function).copied()
}

/// The function of the library.
pub fn spot(what: Spot) -> ItemId {
    static KNOWN: OnceLock<[ItemId; 6]> = OnceLock::new();
    KNOWN.get_or_init(|| SPOTS.map(of_maps))[what as usize]
}

fn of_maps(name: &str) -> ItemId {
    ItemId::function(Symbol::new(MAPS), Symbol::new(name))
}

#[cfg(test)]
mod tests {
    use super::{METHODS, SPOTS};

    #[test]
    fn the_library_has_them() {
        let (_, _, text) = super::super::SOURCES.iter().find(|(module, ..)| *module == super::MAPS).expect("maps");
        let file = syntax::parse(ir::Symbol::new(super::MAPS), text);
        for name in METHODS.iter().map(|row| row.0).chain(SPOTS) {
            assert!(file.items.iter().any(|row| row.id == super::of_maps(name)), "{name}");
        }
    }
}
